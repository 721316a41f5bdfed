//! A connection to the server, and one request and its answer on it.
//!
//! The head of a request is a text made once, and that of an answer is read by `httparse`: a whole HTTP client would take
//! more of the processor that it shares with the server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use mngntime_wire::PublicKey;
use mngntime_wire::limits::{ANSWER_BYTES_MAX, RETRY_AFTER_SECONDS_MAX};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

/// Longest time for a connection, and for an answer: what an agent waits.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Where punches go.
const EVENTS: &str = "/api/v1/events";

/// Header fields of an answer that are read.
const FIELDS_MAX: usize = 32;

/// Addresses on this machine that connections come from when the server is on it: one has ports for 28,000 connections
/// a minute only, and an office of 100,000 has more addresses than one.
const SOURCES: u32 = 64_000;

/// Where the load goes.
#[derive(Clone)]
pub struct Server {
    address: SocketAddr,
    host: String,
    path: &'static str,
    /// The status of an answer that is as good as any, when receipts are not what is asked for.
    expected: Option<u16>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Checks receipts; without it their signatures are not looked at.
    pub key: Option<PublicKey>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.host, self.address)
    }
}

impl Server {
    /// The server at `url`; with `ca_file`, only its certificate authorities are trusted.
    ///
    /// # Errors
    /// When the address is none, its name is not known, or the file cannot be used.
    pub fn at(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let uri: http::Uri = url.parse().with_context(|| format!("{url} is no address of a server"))?;
        let (port, is_tls) = match uri.scheme_str() {
            Some("https") => (443, true),
            Some("http") => (80, false),
            Some(_) | None => bail!("{url} must begin with https:// or http://"),
        };
        ensure!(uri.path().len() <= 1 && uri.query().is_none(), "{url} must end after the name and the port");
        let host = uri.host().with_context(|| format!("{url} names no server"))?.to_owned();
        let name = host.trim_matches(['[', ']']).to_owned();
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        ensure!(
            authority == host || uri.port_u16().is_some_and(|port| authority == format!("{host}:{port}")),
            "{authority} is no name with or without a port"
        );
        let port = uri.port_u16().unwrap_or(port);
        let mut found = (name.as_str(), port)
            .to_socket_addrs()
            .with_context(|| format!("the name {name} is not known"))?;
        let address = found.next().with_context(|| format!("the name {name} has no address"))?;
        let tls = is_tls
            .then(|| -> anyhow::Result<_> {
                let name = ServerName::try_from(name.clone()).context("no certificate can name it")?;
                Ok((TlsConnector::from(Arc::new(client(ca_file)?)), name))
            })
            .transpose()?;
        Ok(Self { address, host: format!("{host}:{port}"), path: EVENTS, expected: None, tls, key: None })
    }

    /// The same server, asked for something else.
    #[must_use]
    pub(super) fn with_path(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    /// The same server, asked for something that stores nothing and answers with this status: what the way there costs.
    #[must_use]
    pub fn storing_nothing(self, path: &'static str, status: u16) -> Self {
        Self { expected: Some(status), ..self.with_path(path) }
    }

    /// Whether an answer with this status is the end of it, without a receipt.
    pub(super) fn is_content_with(&self, status: u16) -> bool {
        self.expected == Some(status)
    }

    /// The head of every request up to the length of its body.
    pub(super) fn head(&self, is_last: bool) -> String {
        let connection = if is_last { "Connection: close\r\n" } else { "" };
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\n{connection}Content-Type: application/json\r\nContent-Length: ",
            self.path, self.host
        )
    }

    /// Where connection `number` comes from; `None` leaves it to the system.
    fn source(&self, number: usize) -> Option<SocketAddr> {
        let number = u32::try_from(number).unwrap_or(0) % SOURCES;
        // All of 127/8 is this machine.
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + number);
        let is_here = matches!(self.address.ip(), IpAddr::V4(server) if server.is_loopback());
        is_here.then(|| SocketAddr::from((address, 0)))
    }
}

/// Sessions are not resumed: PCs that send once a day have none that still counts.
fn client(ca_file: Option<&Path>) -> anyhow::Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = match ca_file {
        None => versions.with_platform_verifier()?.with_no_client_auth(),
        Some(file) => {
            let shown = file.display();
            let mut roots = rustls::RootCertStore::empty();
            for certificate in
                CertificateDer::pem_file_iter(file).with_context(|| format!("could not read {shown}"))?
            {
                roots.add(certificate.with_context(|| format!("{shown} is no PEM file"))?)?;
            }
            ensure!(!roots.is_empty(), "there is no certificate in {shown}");
            versions.with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Thousands of connections are thousands of files.
pub(super) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, connections fail, and the figures say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Why a request has no answer that says what became of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("no connection")]
    Connect(#[source] io::Error),
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    #[error("no answer within 30 s")]
    TimedOut,
    #[error("status {code}")]
    Status { code: u16, retry_after: Option<Duration> },
    #[error("an answer that is none of our server: {0}")]
    Wrong(String),
}

impl Trouble {
    /// What it is counted under.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Connect(source) => format!("no connection ({})", source.kind()),
            Self::Broken(source) => format!("connection broke ({})", source.kind()),
            Self::TimedOut | Self::Status { .. } | Self::Wrong(_) => self.to_string(),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// An open connection.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    answer: Vec<u8>,
}

impl Connection {
    /// Opens connection `number`.
    pub(super) async fn open(server: &Server, number: usize) -> Result<Self, Trouble> {
        let opened = tokio::time::timeout(TIME_MAX, Self::connect(server, number)).await;
        opened.map_err(|_| Trouble::TimedOut)?.map_err(Trouble::Connect)
    }

    async fn connect(server: &Server, number: usize) -> io::Result<Self> {
        let socket = if server.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = server.source(number) {
            socket.bind(source)?;
        }
        socket.set_nodelay(true)?;
        let stream = socket.connect(server.address).await?;
        let stream: Box<dyn Stream> = match &server.tls {
            None => Box::new(stream),
            Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
        };
        Ok(Self { stream, answer: Vec::with_capacity(4 * 1024) })
    }

    /// Sends a request; the body of its answer, when that is a 200.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<&[u8], Trouble> {
        let exchanged = tokio::time::timeout(TIME_MAX, self.exchange(request)).await;
        let (code, retry_after, head) = exchanged.map_err(|_| Trouble::TimedOut)??;
        if code != 200 {
            return Err(Trouble::Status { code, retry_after });
        }
        Ok(self.answer.get(head..).unwrap_or_default())
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, Option<Duration>, usize), Trouble> {
        self.stream.write_all(request).await.map_err(Trouble::Broken)?;
        self.stream.flush().await.map_err(Trouble::Broken)?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.map_err(Trouble::Broken)?;
            if read == 0 {
                return Err(Trouble::Broken(io::ErrorKind::UnexpectedEof.into()));
            }
            if let Some(head) = Head::read(&self.answer)?
                && self.answer.len() >= head.bytes + head.body_bytes
            {
                return Ok((head.code, head.retry_after, head.bytes));
            }
            if self.answer.len() > ANSWER_BYTES_MAX {
                return Err(Trouble::Wrong("it is too long".to_owned()));
            }
        }
    }

    /// Tells the server that nothing comes any more.
    pub(super) async fn close(mut self) {
        // The receipt is there; how the end of the connection went is of no interest.
        let _ = tokio::time::timeout(TIME_MAX, self.stream.shutdown()).await;
    }
}

/// What counts in the head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    code: u16,
    bytes: usize,
    body_bytes: usize,
    retry_after: Option<Duration>,
}

impl Head {
    /// `None` while it is not all there.
    fn read(answer: &[u8]) -> Result<Option<Self>, Trouble> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let wrong = |what: &str| Trouble::Wrong(what.to_owned());
        let bytes = match response.parse(answer).map_err(|error| Trouble::Wrong(error.to_string()))? {
            httparse::Status::Partial => return Ok(None),
            httparse::Status::Complete(bytes) => bytes,
        };
        let number = |name: &str| -> Option<u64> {
            let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(field.value).ok()?.trim().parse().ok()
        };
        let length = number("content-length").ok_or_else(|| wrong("it has no length"))?;
        let seconds = number("retry-after").map(|seconds| seconds.min(RETRY_AFTER_SECONDS_MAX.into()));
        Ok(Some(Self {
            code: response.code.ok_or_else(|| wrong("it has no status"))?,
            bytes,
            body_bytes: usize::try_from(length).map_err(|_| wrong("it is too long"))?,
            retry_after: seconds.map(Duration::from_secs),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answers_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 12\r\n\r\n{";
        assert_eq!(Head::read(&text[..20]).unwrap(), None);
        let head = Head::read(text).unwrap().unwrap();
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(head, Head { code: 503, bytes: text.len() - 1, body_bytes: 12, retry_after });
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "without a length nobody knows its end");
        assert!(Head::read(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").is_err());
    }

    #[test]
    fn addresses_that_are_none_are_refused_with_a_sentence() {
        for (url, said) in [
            ("127.0.0.1:1", "must begin with https://"),
            ("ftp://127.0.0.1", "must begin with https://"),
            ("http://127.0.0.1:1/x", "must end after"),
            ("http://127.0.0.1:999999", "no name with or without a port"),
            ("http://me@127.0.0.1", "no name with or without a port"),
        ] {
            let error = Server::at(url, None).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{url}: {error:#}");
        }
        let missing = Server::at("https://127.0.0.1:1", Some(Path::new("/nonexistent.pem"))).unwrap_err();
        assert!(format!("{missing:#}").contains("/nonexistent.pem"), "{missing:#}");
    }

    #[test]
    fn on_this_machine_connections_come_from_many_addresses() {
        let here = Server::at("http://127.0.0.1:1", None).unwrap();
        assert_eq!(here.source(0), Some("127.1.0.1:0".parse().unwrap()));
        assert_eq!(here.source(63_999), Some("127.1.250.0:0".parse().unwrap()));
        assert_eq!(here.source(64_000), here.source(0));
        let elsewhere = Server { address: "192.0.2.1:443".parse().unwrap(), ..here };
        assert_eq!(elsewhere.source(5), None);
    }
}
