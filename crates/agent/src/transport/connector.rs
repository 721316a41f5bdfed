//! How the HTTP client gets its connection: name, socket, tunnel through a proxy, TLS.
//!
//! The library's own connectors do the same, but say too little when they fail: a proxy's 407 comes out as
//! a text without the schemes it offers, a dead proxy looks like a dead server, and authorities cannot be
//! added to the OS's. So the two parts where that matters, tunnel and TLS, are here; sockets and buffers
//! are the library's.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use data_encoding::BASE64;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport,
    TransportAdapter,
};
use ureq::{Error, Proxy};

use super::USER_AGENT;
use super::routes::name_of;
use super::trouble::{Connect, Given, Kind, Peer, Trouble};

/// Longest head of a proxy's answer that is read, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// For name and socket of a proxy. It is near, and the routes after a dead one need their time as well.
const PROXY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4);
const TIMEOUT_MIN: std::time::Duration = std::time::Duration::from_millis(10);

fn failed(trouble: Trouble) -> Error {
    Error::Other(Box::new(trouble))
}

/// Name look-up that says which name it was.
#[derive(Debug, Default)]
pub(super) struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| {
            let how =
                if matches!(error, Error::Timeout(_)) { Connect::TimedOut } else { Connect::NameUnknown };
            let peer = match config.proxy() {
                Some(proxy) if proxy.uri() == uri => Peer::Proxy(name_of(proxy)),
                Some(_) | None => Peer::Server(authority(uri)),
            };
            failed(Trouble::with(Kind::NoConnection(peer, how), error))
        })
    }
}

/// Host and port of an address, without user and password.
fn authority(uri: &Uri) -> String {
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    format!("{}:{port}", uri.host().unwrap_or_default())
}

/// Makes connections: directly or through the configured proxy, with TLS where the address asks for it.
pub(super) struct Road {
    pub(super) tls: Arc<ClientConfig>,
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Road")
    }
}

impl Connector<()> for Road {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let proxy = details.config.proxy().filter(|proxy| !proxy.is_no_proxy(details.uri));
        let socket = match proxy {
            Some(proxy) => tunnel(details, proxy)?,
            None => socket(details, Peer::Server(authority(details.uri)))?,
        };
        if !details.needs_tls() {
            return Ok(Some(socket));
        }
        let encrypted = handshake(details, &self.tls, socket).map_err(failed)?;
        Ok(Some(Box::new(encrypted)))
    }
}

fn socket(details: &ConnectionDetails, peer: Peer) -> Result<Box<dyn Transport>, Error> {
    let connected = Connector::<()>::connect(&TcpConnector::default(), details, None);
    match connected {
        Ok(Some(socket)) => Ok(Box::new(socket)),
        Ok(None) => Err(Error::ConnectionFailed),
        Err(error) => Err(failed(Trouble::connecting(&error, peer))),
    }
}

/// What is left of the time for the connection, which name, socket, tunnel and TLS share.
fn left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(began)) = (timeout.after, details.now) {
        // Never zero, which sockets take for "for ever".
        timeout.after = limit.saturating_sub(began.elapsed()).max(TIMEOUT_MIN).into();
    }
    timeout
}

// ---- tunnel -------------------------------------------------------------------------------------------

/// A connection through the proxy that leads to the server (RFC 9110, 9.3.6).
fn tunnel(details: &ConnectionDetails, proxy: &Proxy) -> Result<Box<dyn Transport>, Error> {
    let mut near = left(details);
    near.after = near.after.min(PROXY_TIMEOUT.into());
    let to_proxy = ConnectionDetails {
        uri: proxy.uri(),
        addrs: details.resolver.resolve(proxy.uri(), details.config, near)?,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: near,
        current_time: Arc::clone(&details.current_time),
        run_connector: Arc::clone(&details.run_connector),
        register_shutdown: Arc::clone(&details.register_shutdown),
    };
    let socket = socket(&to_proxy, Peer::Proxy(name_of(proxy)))?;
    let mut socket = TransportAdapter::new(socket, Arc::clone(&details.current_time));
    socket.set_timeout(left(details));
    let silent =
        |error: &dyn fmt::Display| failed(Trouble::with(Kind::ProxySilent { proxy: name_of(proxy) }, error));
    socket.write_all(wish(&authority(details.uri), proxy).as_bytes()).map_err(|error| silent(&error))?;
    let head = head_of(&mut socket).map_err(|error| silent(&error))?;
    judge(&head, proxy).map_err(failed)?;
    Ok(socket.into_inner())
}

fn wish(target: &str, proxy: &Proxy) -> String {
    let login = proxy.username().map(|user| {
        let pair = format!("{user}:{}", proxy.password().unwrap_or_default());
        format!("Proxy-Authorization: Basic {}\r\n", BASE64.encode(pair.as_bytes()))
    });
    let login = login.unwrap_or_default();
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {USER_AGENT}\r\n{login}\r\n")
}

/// The answer's head up to its empty line and not a byte more: what follows belongs to the server.
fn head_of(socket: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX || socket.read(&mut byte)? == 0 {
            return Err(std::io::Error::other(format!("no HTTP answer in {} bytes", head.len())));
        }
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn judge(head: &str, proxy: &Proxy) -> Result<(), Trouble> {
    let name = name_of(proxy);
    match status_of(head) {
        Some(status) if (200..300).contains(&status) => Ok(()),
        Some(407) => Err(Trouble::new(Kind::ProxyLogin {
            proxy: name,
            schemes: schemes_of(head),
            given: if proxy.username().is_some() { Given::Refused } else { Given::Nothing },
        })),
        Some(status) => Err(Trouble::new(Kind::ProxyRefused { proxy: name, status })),
        None => Err(Trouble::with(Kind::ProxySilent { proxy: name }, "the answer is not HTTP")),
    }
}

fn status_of(head: &str) -> Option<u16> {
    let line = head.lines().next()?.strip_prefix("HTTP/1.")?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The schemes offered, in their order. One header may hold several (RFC 9110, 11.6.1): a word without an
/// equals sign at the beginning of an element is a scheme, everything else a parameter of the one before.
fn schemes_of(head: &str) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if !name.trim().eq_ignore_ascii_case("proxy-authenticate") {
            continue;
        }
        for element in outside_quotes(value) {
            let word = element.split_whitespace().next().unwrap_or_default();
            let is_scheme = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if is_scheme && !schemes.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                schemes.push(word.chars().take(32).collect());
            }
        }
    }
    schemes.truncate(8);
    schemes
}

/// Splits at commas that are not inside quotes.
fn outside_quotes(value: &str) -> Vec<&str> {
    let mut quoted = false;
    value
        .split(|c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .collect()
}

// ---- TLS ----------------------------------------------------------------------------------------------

fn handshake(
    details: &ConnectionDetails,
    tls: &Arc<ClientConfig>,
    socket: Box<dyn Transport>,
) -> Result<Encrypted, Trouble> {
    let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|error| Trouble::with(Kind::Tls, error))?;
    let mut connection = ClientConnection::new(Arc::clone(tls), name)?;
    let mut socket = TransportAdapter::new(socket, Arc::clone(&details.current_time));
    socket.set_timeout(left(details));
    connection.complete_io(&mut socket).map_err(|error| Trouble::from(Error::from(error)))?;
    let config = details.config;
    Ok(Encrypted {
        buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        stream: StreamOwned { conn: connection, sock: socket },
    })
}

/// A connection inside TLS.
struct Encrypted {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypted")
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy() -> Proxy {
        Proxy::new("http://hanako:p%40ss@proxy.example:8080").unwrap()
    }

    #[test]
    fn a_tunnel_is_asked_for_with_the_password_as_meant() {
        let wish = wish("time.example:443", &proxy());
        assert!(
            wish.starts_with("CONNECT time.example:443 HTTP/1.1\r\nHost: time.example:443\r\n"),
            "{wish}"
        );
        let login = BASE64.encode(b"hanako:p@ss");
        assert!(wish.ends_with(&format!("Proxy-Authorization: Basic {login}\r\n\r\n")), "{wish}");
    }

    #[test]
    fn the_answer_decides_between_way_login_and_refusal() {
        let judged = |head: &str| judge(head, &proxy()).map_err(|trouble| trouble.kind);
        assert_eq!(judged("HTTP/1.1 200 Connection established\r\n\r\n"), Ok(()));
        assert_eq!(
            judged("HTTP/1.0 403 Forbidden\r\n\r\n"),
            Err(Kind::ProxyRefused { proxy: "proxy.example:8080".into(), status: 403 })
        );
        let Err(Kind::ProxySilent { .. }) = judged("SSH-2.0-x\r\n\r\n") else { panic!() };
        let Err(Kind::ProxyLogin { schemes, given, .. }) =
            judged("HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n")
        else {
            panic!()
        };
        assert_eq!((schemes, given), (vec!["Negotiate".to_owned(), "NTLM".to_owned()], Given::Refused));
    }

    #[test]
    fn schemes_in_one_header_are_told_from_their_parameters() {
        let head = "HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=\"a, Fake b\", qop=\"auth\", nonce=x, NTLM, Basic realm=\"c\"\r\n\r\n";
        assert_eq!(schemes_of(head), ["Digest", "NTLM", "Basic"]);
        assert_eq!(schemes_of("HTTP/1.1 407 x\r\n\r\n"), Vec::<String>::new());
    }

    #[test]
    fn the_head_ends_where_the_servers_bytes_begin() {
        let mut stream: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nserver";
        assert_eq!(head_of(&mut stream).unwrap(), "HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(stream, b"server");
        assert!(head_of(&mut &b"HTTP/1.1 200"[..]).is_err());
        assert!(head_of(&mut &vec![b'x'; HEAD_BYTES_MAX + 9][..]).is_err());
    }
}
