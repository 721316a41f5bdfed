//! Sockets: listening, TLS, limits on connections, orderly stop.
//!
//! HTTP/1.1 only: agents speak nothing else, and one protocol has half the corners. A request of it names its host once
//! (RFC 9112, 3.2), which hyper leaves to us; one of HTTP/1.0, as health checks send, need not. A connection must send
//! its request head within [`HEAD_TIME_MAX`], its first one included (axum alone sets no such limit). How many there are
//! at a time is [`crate::admission`]'s.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Request;
use axum::http::{Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum_server::Handle;
use axum_server::Server;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub use crate::admission::YOUNG_MAX;
use crate::admission::{Admission, Door, Peer};
use crate::app::Shared;
use crate::problem::Failure;
use crate::settings::TlsFiles;

/// Longest time for the head of a request, and so for an idle connection between two. Agents come back every
/// 15 minutes and open a new one.
const HEAD_TIME_MAX: Duration = Duration::from_secs(20);

/// Connections that the kernel keeps until they are accepted; it takes `net.core.somaxconn` (4,096 on Debian) if that is
/// less. Rust's own 128 are full within 40 ms at nine o'clock: who comes then is dropped, and tries again a second later.
const ACCEPTED_LATER_MAX: i32 = 8_192;

/// How long requests in flight may take once the server is told to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// How often the certificate files are looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(5);

/// Why the server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address could not be bound.
    #[error("could not listen on {address}: is another program using it?")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate or key could not be used.
    #[error("could not use the certificate {} with the key {}", files.cert.display(), files.key.display())]
    Tls {
        /// The files.
        files: TlsFiles,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The accept loop ended.
    #[error("could not go on accepting connections")]
    Accept(#[source] io::Error),
}

/// A bound socket, not serving yet.
pub struct Bound {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    tls: Option<(RustlsConfig, TlsFiles)>,
}

/// Binds the address and loads the certificate, so that both fail before anything else is started.
///
/// # Errors
/// [`ServeError::Bind`] or [`ServeError::Tls`].
pub fn bind(address: SocketAddr, tls: Option<&TlsFiles>) -> Result<Bound, ServeError> {
    let tls = tls.map(|files| Ok((RustlsConfig::from_config(load(files)?), files.clone()))).transpose()?;
    let listen = || {
        let listener = TcpListener::bind(address)?;
        rustix::net::listen(&listener, ACCEPTED_LATER_MAX)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    let (listener, address) = listen().map_err(|source| ServeError::Bind { address, source })?;
    raise_file_limit();
    Ok(Bound { listener, address, tls })
}

impl Bound {
    /// Serves until `stop` is done and the requests in flight are answered.
    ///
    /// # Errors
    /// [`ServeError::Accept`].
    pub async fn serve(
        self,
        routes: Router,
        app: Shared,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let handle = Handle::new();
        let stopping = tokio::spawn(stop_gracefully(handle.clone(), stop));
        let served = self.run(app, handle, routes).await;
        stopping.abort();
        served.map_err(ServeError::Accept)
    }

    async fn run(self, app: Shared, handle: Handle<Peer>, routes: Router) -> io::Result<()> {
        let service = routes.layer(middleware::from_fn(one_host));
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        let server = limited(Door::new(self.listener, app)?, handle);
        let Some((config, files)) = self.tls else {
            return server.serve(service).await;
        };
        let watching = tokio::spawn(watch(config.clone(), files));
        let acceptor = RustlsAcceptor::new(config).acceptor(Admission);
        let served = server.acceptor(acceptor).serve(service).await;
        watching.abort();
        served
    }
}

/// Refuses what does not name its host, or names two: of these a proxy may mean one and we the other.
async fn one_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11) {
        return next.run(request).await;
    }
    let message = "A request of HTTP/1.1 has one Host header, and no other one.";
    Failure::bad_request("host_header", message).into_response()
}

async fn stop_gracefully(handle: Handle<Peer>, stop: impl Future<Output = ()>) {
    stop.await;
    handle.graceful_shutdown(Some(STOP_TIME_MAX));
}

/// A server with its limits.
fn limited(door: Door, handle: Handle<Peer>) -> Server<Peer, Admission> {
    let server = Server::from_listener(door).acceptor(Admission);
    let mut server = server.http1_only().handle(handle).first_request_timeout(HEAD_TIME_MAX);
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    server
}

/// Reads the certificate chain and the key.
pub(crate) fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, ServeError> {
    let read = || -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
        let chain = CertificateDer::pem_file_iter(&files.cert)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&files.key)?;
        let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A PC that comes back shows a ticket, and the server need not have remembered it: by default it remembers 256
        // sessions, and an office has thousands of PCs. The keys of tickets are drawn anew every six hours, and with each
        // certificate; another node does not know them and makes a full handshake.
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        Ok(config)
    };
    read().map(Arc::new).map_err(|source| ServeError::Tls { files: files.clone(), source })
}

/// Takes up a new certificate when the files change. One that cannot be used is logged, and the old one stays.
async fn watch(config: RustlsConfig, files: TlsFiles) {
    let mut seen = (changed_at(&files.cert), changed_at(&files.key));
    loop {
        tokio::time::sleep(CERTIFICATE_LOOK).await;
        let now = (changed_at(&files.cert), changed_at(&files.key));
        if now == seen {
            continue;
        }
        seen = now;
        match load(&files) {
            Ok(fresh) => {
                config.reload_from_config(fresh);
                tracing::info!("the TLS certificate was read again");
            }
            Err(error) => {
                let error = crate::problem::chain(&error);
                tracing::error!(error, "the changed TLS certificate cannot be used; the old one stays");
            }
        }
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Raises the soft limit on open files to the hard one: service managers start with 1,024.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}
