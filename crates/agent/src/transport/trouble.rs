//! What can go wrong between here and the server, told apart. No I/O.
//!
//! A library's error becomes a [`Trouble`]; [`super::wording`] says it in the reader's language. The
//! library's own text goes along, for whoever supports the reader.

use std::error::Error;
use std::fmt;
use std::io;

use mngntime_model::Language;
use rustls::CertificateError;

use super::wording;

/// One failure of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it is.
    pub kind: Kind,
    /// The library's or Windows' own words; may be empty.
    pub library: String,
}

/// Whom we tried to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Our server, `host:port`.
    Server(String),
    /// A proxy on the way, `host:port` without user and password.
    Proxy(String),
}

/// How a connection did not come about. Nobody answered, except for [`Connect::Refused`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connect {
    /// The name has no address.
    NameUnknown,
    /// The other machine says that nothing listens there.
    Refused,
    /// Nobody answered in time.
    TimedOut,
    /// There is no way there, or it broke.
    Unreachable,
}

/// What a certificate is rejected for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Its authority is not trusted here.
    UnknownAuthority,
    /// It has ended, by this PC's clock. Times in local time, where they are known.
    Expired {
        /// What this PC's clock says.
        now: String,
        /// When it ended.
        not_after: Option<String>,
    },
    /// It has not begun, by this PC's clock.
    NotYetValid {
        /// What this PC's clock says.
        now: String,
        /// When it begins.
        not_before: Option<String>,
    },
    /// It is for another name.
    WrongName {
        /// The names it is for, where they are known.
        presented: Vec<String>,
    },
    /// It was called back.
    Revoked,
    /// Anything else about it.
    Other,
}

/// What a proxy got of us that wants a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Nothing; there was nothing to give.
    Nothing,
    /// A login that it did not take.
    Refused,
    /// Not the PC's own account, because no administrator named this proxy.
    Withheld,
}

/// Kinds of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Without the server's address nothing can be sent.
    NoServerUrl,
    /// A setting of ours that cannot be used; the text names it.
    Setting(String),
    /// No connection.
    NoConnection(Peer, Connect),
    /// The server's certificate is rejected.
    Certificate(Certificate),
    /// TLS did not come about for another reason.
    Tls,
    /// The proxy wants to know who asks.
    ProxyLogin {
        /// The proxy.
        proxy: String,
        /// Schemes of `Proxy-Authenticate`, in its order.
        schemes: Vec<String>,
        /// What we gave it.
        given: Given,
    },
    /// The proxy answered the wish for a tunnel with another status.
    ProxyRefused {
        /// The proxy.
        proxy: String,
        /// Its HTTP status.
        status: u16,
    },
    /// What is at the proxy's address does not speak HTTP, or hangs up.
    ProxySilent {
        /// The proxy.
        proxy: String,
    },
    /// A connection, and then no answer in time.
    NoAnswer,
    /// A connection that was closed before the answer.
    HungUp,
    /// The answer broke off.
    Cut {
        /// HTTP status of the answer.
        status: u16,
        /// Bytes of its body that came.
        bytes: usize,
    },
    /// The answer is longer than any of ours.
    TooLong {
        /// HTTP status of the answer.
        status: u16,
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// An answer that sends us elsewhere. Our server never does.
    Redirect {
        /// HTTP status of the answer.
        status: u16,
        /// Host of the new address.
        host: String,
    },
    /// An answer of somebody else: a login page, a block page, a gateway's error.
    Page {
        /// HTTP status of the answer.
        status: u16,
        /// Media type.
        content_type: String,
        /// First 12 hexadecimal digits of the body's SHA-256.
        digest: String,
        /// First 120 characters of the body, controls replaced.
        beginning: String,
    },
    /// Looks like an answer of our server, but is not the receipt for this request.
    NotOurReceipt {
        /// HTTP status of the answer.
        status: u16,
    },
    /// Where routes through a proxy should have come from, none came; the library's text says why.
    NoProxyFound,
    /// Anything else; the library's text says what.
    Other,
}

impl Trouble {
    /// A failure without words of a library.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, library: String::new() }
    }

    /// A failure with a library's words.
    #[must_use]
    pub fn with(kind: Kind, library: impl fmt::Display) -> Self {
        Self { kind, library: library.to_string() }
    }

    /// HTTP status, when something answered HTTP.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        match &self.kind {
            Kind::Cut { status, .. }
            | Kind::TooLong { status, .. }
            | Kind::Redirect { status, .. }
            | Kind::Page { status, .. }
            | Kind::NotOurReceipt { status }
            | Kind::ProxyRefused { status, .. } => Some(*status),
            Kind::ProxyLogin { .. } => Some(407),
            Kind::NoServerUrl
            | Kind::Setting(_)
            | Kind::NoConnection(..)
            | Kind::Certificate(_)
            | Kind::Tls
            | Kind::ProxySilent { .. }
            | Kind::NoAnswer
            | Kind::HungUp
            | Kind::NoProxyFound
            | Kind::Other => None,
        }
    }

    /// Whether nobody answered on this route, so that another one may be tried. A proxy that answers HTTP,
    /// whatever it says, is none.
    #[must_use]
    pub fn is_dead_end(&self) -> bool {
        matches!(self.kind, Kind::NoConnection(..) | Kind::ProxySilent { .. })
    }

    /// Whether not even a refusal came back: the state of the network may be the reason.
    #[must_use]
    pub fn met_nobody(&self) -> bool {
        matches!(
            self.kind,
            Kind::NoProxyFound
                | Kind::NoConnection(_, Connect::NameUnknown | Connect::TimedOut | Connect::Unreachable)
        )
    }

    /// Whether a proxy was the one that could not be reached.
    #[must_use]
    pub fn is_about_a_proxy(&self) -> bool {
        matches!(self.kind, Kind::NoConnection(Peer::Proxy(_), _))
    }

    /// The text for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        wording::text(self, language)
    }

    /// What a failed connection to `peer` means.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's errors are an open list")]
    pub fn connecting(error: &ureq::Error, peer: Peer) -> Self {
        let how = match error {
            ureq::Error::HostNotFound => Connect::NameUnknown,
            ureq::Error::Timeout(_) => Connect::TimedOut,
            ureq::Error::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Connect::Refused,
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Connect::TimedOut,
                _ => Connect::Unreachable,
            },
            _ => Connect::Unreachable,
        };
        Self::with(Kind::NoConnection(peer, how), error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Error for Trouble {}

impl From<ureq::Error> for Trouble {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's errors are an open list")]
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Other(inner) => match inner.downcast::<Self>() {
                Ok(trouble) => *trouble,
                Err(other) => Self::with(Kind::Other, other),
            },
            ureq::Error::Rustls(error) => Self::from(error),
            ureq::Error::Io(error) => Self::from(error),
            ureq::Error::Timeout(reason) => Self::with(Kind::NoAnswer, format_args!("timeout: {reason}")),
            ureq::Error::Protocol(error) => Self::with(Kind::HungUp, error),
            other => Self::with(Kind::Other, other),
        }
    }
}

impl From<io::Error> for Trouble {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's errors are an open list")]
    fn from(error: io::Error) -> Self {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::from(tls.clone());
        }
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::with(Kind::NoAnswer, error),
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::with(Kind::HungUp, error),
            _ => Self::with(Kind::Other, error),
        }
    }
}

/// What the verifier of Windows passes on as text only: `CERT_E_CHAINING` (no chain to a trusted authority)
/// and `TRUST_E_CERT_SIGNATURE` (an authority of that name is known, but did not sign this).
const UNTRUSTED: [&str; 2] = ["-2146762486", "-2146869244"];

impl From<rustls::Error> for Trouble {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's errors are an open list")]
    fn from(error: rustls::Error) -> Self {
        let library = error.to_string();
        let rustls::Error::InvalidCertificate(reason) = error else {
            return Self { kind: Kind::Tls, library };
        };
        let time = |time: rustls::pki_types::UnixTime| local_time(time.as_secs());
        let certificate = match reason {
            // A signature that does not fit is what a company's root looks like that was made anew under its
            // old name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Certificate::UnknownAuthority,
            CertificateError::Expired => Certificate::Expired { now: now(), not_after: None },
            CertificateError::ExpiredContext { time: at, not_after } => {
                Certificate::Expired { now: time(at), not_after: Some(time(not_after)) }
            }
            CertificateError::NotValidYet => Certificate::NotYetValid { now: now(), not_before: None },
            CertificateError::NotValidYetContext { time: at, not_before } => {
                Certificate::NotYetValid { now: time(at), not_before: Some(time(not_before)) }
            }
            CertificateError::NotValidForName => Certificate::WrongName { presented: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Certificate::WrongName { presented }
            }
            CertificateError::Revoked => Certificate::Revoked,
            _ if UNTRUSTED.iter().any(|code| library.contains(code)) => Certificate::UnknownAuthority,
            _ => Certificate::Other,
        };
        Self { kind: Kind::Certificate(certificate), library }
    }
}

fn now() -> String {
    local_time(rustls::pki_types::UnixTime::now().as_secs())
}

/// A time as the PC's own clock shows it.
fn local_time(unix_seconds: u64) -> String {
    let seconds = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| format!("{unix_seconds}"),
        |time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(error: CertificateError) -> Kind {
        Trouble::from(io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error)))
            .kind
    }

    #[test]
    fn certificates_are_told_apart_wherever_the_error_is_wrapped() {
        assert_eq!(tls(CertificateError::UnknownIssuer), Kind::Certificate(Certificate::UnknownAuthority));
        assert_eq!(tls(CertificateError::BadSignature), Kind::Certificate(Certificate::UnknownAuthority));
        let seconds = |at| rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(at));
        let expired = tls(CertificateError::ExpiredContext { time: seconds(200), not_after: seconds(100) });
        let Kind::Certificate(Certificate::Expired { now, not_after: Some(end) }) = expired else {
            panic!("{expired:?}")
        };
        assert!(now.contains(":03:20") && end.contains(":01:40"), "{now} {end}");
        assert!(matches!(
            tls(CertificateError::Expired),
            Kind::Certificate(Certificate::Expired { not_after: None, .. })
        ));
        assert!(matches!(tls(CertificateError::BadEncoding), Kind::Certificate(Certificate::Other)));
    }

    #[test]
    fn what_our_connector_said_comes_out_unchanged() {
        let said = Trouble::new(Kind::ProxyRefused { proxy: "a:1".into(), status: 403 });
        assert_eq!(Trouble::from(ureq::Error::Other(Box::new(said.clone()))), said);
        assert_eq!(said.http_status(), Some(403));
    }

    #[test]
    fn only_silence_lets_the_next_route_be_tried() {
        let to = |how| Trouble::new(Kind::NoConnection(Peer::Proxy("a:1".into()), how));
        assert!(to(Connect::Refused).is_dead_end() && !to(Connect::Refused).met_nobody());
        assert!(to(Connect::TimedOut).is_dead_end() && to(Connect::TimedOut).met_nobody());
        let login = Kind::ProxyLogin { proxy: "a:1".into(), schemes: vec![], given: Given::Nothing };
        assert!(!Trouble::new(login).is_dead_end());
        assert!(!Trouble::new(Kind::ProxyRefused { proxy: "a:1".into(), status: 502 }).is_dead_end());
        assert!(Trouble::new(Kind::ProxySilent { proxy: "a:1".into() }).is_dead_end());
        assert!(!Trouble::new(Kind::NoAnswer).is_dead_end());
    }

    #[test]
    fn a_failed_connection_is_told_by_the_errors_kind() {
        let how = |error: ureq::Error| {
            let kind = Trouble::connecting(&error, Peer::Server("a:1".into())).kind;
            let Kind::NoConnection(_, how) = kind else { panic!("{kind:?}") };
            how
        };
        assert_eq!(how(ureq::Error::HostNotFound), Connect::NameUnknown);
        assert_eq!(how(ureq::Error::Timeout(ureq::Timeout::Connect)), Connect::TimedOut);
        assert_eq!(how(ureq::Error::Io(io::ErrorKind::ConnectionRefused.into())), Connect::Refused);
        assert_eq!(how(ureq::Error::Io(io::ErrorKind::NetworkUnreachable.into())), Connect::Unreachable);
    }
}
