//! The database's address, and how the way to it is protected.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may take to come about, unless the URL says `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what was sent may stay unanswered before the connection counts as ended, unless the URL says
/// `tcp_user_timeout`: a server that has vanished must not hold the writer for the quarter of an hour that TCP allows.
const UNANSWERED_MAX: Duration = Duration::from_secs(20);

/// What is wrong with an address. Never says what it is: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("it must look like postgres://user:password@host:5432/database ({0})")]
    Form(String),
    /// The file of authorities cannot be used.
    #[error("sslrootcert {} holds no certificate that can be used ({said})", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        said: String,
    },
    /// TLS cannot be set up.
    #[error("TLS to the database cannot be set up ({0}); name the authorities' file with sslrootcert=FILE")]
    Tls(String),
}

/// Reads a URL.
pub(super) fn read(url: &str) -> Result<(Config, MakeRustlsConnect), AddressError> {
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(AddressError::Form("it does not begin with postgres://".to_owned()));
    }
    let (plain, authorities) = without_authorities(url);
    let mut config: Config = plain.parse().map_err(|error: postgres::Error| {
        let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        AddressError::Form(said)
    })?;
    if config.get_application_name().is_none() {
        config.application_name("mngntime");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNANSWERED_MAX);
    }
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if is_here(&config) { SslMode::Disable } else { SslMode::Require });
    }
    let tls = if config.get_ssl_mode() == SslMode::Disable {
        builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    } else {
        encrypted(authorities.as_deref())?
    };
    Ok((config, MakeRustlsConnect::new(tls)))
}

/// Takes libpq's `sslrootcert` out of the URL, and says its names for checking the server's certificate as the driver
/// does: that is always checked.
fn without_authorities(url: &str) -> (String, Option<PathBuf>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut authorities = None;
    let mut kept = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("sslrootcert", path)) => authorities = Some(PathBuf::from(decoded(path))),
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
            _ => kept.push(parameter),
        }
    }
    (if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) }, authorities)
}

/// A URL's text without its percent signs.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the database is on this machine.
fn is_here(config: &Config) -> bool {
    let loopback = |name: &str| {
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let here = |host: &Host| match host {
        Host::Tcp(name) => loopback(name),
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(here) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn builder() -> Result<Builder, AddressError> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| AddressError::Tls(error.to_string()))
}

/// TLS that trusts the authorities in the file, or those of this system.
fn encrypted(authorities: Option<&Path>) -> Result<ClientConfig, AddressError> {
    let Some(path) = authorities else {
        let builder = builder()?.with_platform_verifier();
        return Ok(builder.map_err(|error| AddressError::Tls(error.to_string()))?.with_no_client_auth());
    };
    let unusable = |said: String| AddressError::Authorities { path: path.to_owned(), said };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it is empty".to_owned()));
    }
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        read(url).unwrap().0.get_ssl_mode()
    }

    #[test]
    fn a_network_is_crossed_encrypted_unless_the_address_says_otherwise() {
        let authorities = std::env::temp_dir().join("mngntime-no-such-file.pem");
        let file = authorities.display();
        assert_eq!(mode("postgres://u@localhost/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@[::1]:5433/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@%2Frun%2Fpostgresql/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@db.example.jp/d?sslmode=disable"), SslMode::Disable);
        let refused = read(&format!("postgres://u@db.example.jp/d?sslrootcert={file}"));
        assert!(
            matches!(refused, Err(AddressError::Authorities { .. })),
            "TLS is wanted, and asks for the file"
        );
        let both = read(&format!("postgres://u@localhost,db.example.jp/d?sslrootcert={file}"));
        assert!(matches!(both, Err(AddressError::Authorities { .. })));
    }

    #[test]
    fn the_names_of_libpq_are_understood() {
        let (url, file) =
            without_authorities("postgres://h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca+1.pem&x=1");
        assert_eq!(url, "postgres://h/d?sslmode=require&x=1");
        assert_eq!(file, Some(PathBuf::from("/etc/ca+1.pem")));
        assert_eq!(without_authorities("postgres://h/d?sslrootcert=a").0, "postgres://h/d");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for url in ["sqlite://secret", "postgres://u:secret@h:port/d", "postgres://u:secret@h/d?colour=red"] {
            let error = read(url).map(drop).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
