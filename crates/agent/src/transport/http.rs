//! Bytes over HTTPS.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use mngntime_model::FailureCause;
use mngntime_wire::limits::{ANSWER_BYTES_MAX, RETRY_AFTER_SECONDS_MAX};
use mngntime_wire::problem::SERVER_MARKER_HEADER;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Proxy};

use crate::config::{Config, ProxySetting};
use crate::platform::{NetworkVerdict, network_verdict};

/// For the whole exchange. Windows' certificate check alone may look for revocation lists for 10 s.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(25);
/// For a connection: a server that takes longer is not reachable in any useful sense.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is kept for a burst (logon, unlock, lock), not for the day.
const IDLE_CONNECTION_AGE: Duration = Duration::from_secs(15);

/// What the other side said, whoever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Whether the header is there by which our server can be told from things between.
    pub from_our_server: bool,
    /// `Retry-After` in seconds, limited.
    pub retry_after_seconds: Option<u32>,
    /// Media type, without parameters.
    pub content_type: String,
    /// The body, up to the limit.
    pub body: Vec<u8>,
}

/// A client for one configuration.
#[derive(Debug)]
pub struct Client {
    agent: Result<Agent, String>,
    server_url: Option<String>,
}

impl Client {
    /// Prepares a client. What is wrong with the configuration is told at each use.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { agent: agent(config), server_url: config.server_url.clone() }
    }

    /// Posts JSON and reads the reply.
    ///
    /// # Errors
    /// The cause in the words of the event log, when nothing answered HTTP.
    pub fn post(&self, path: &str, body: &str) -> Result<Reply, FailureCause> {
        let detail = |text: &str| FailureCause::Network { http_status: None, detail: text.to_owned() };
        let server_url = self.server_url.as_ref().ok_or_else(|| detail("server_url is missing or wrong"))?;
        let agent = self.agent.as_ref().map_err(|problem| detail(problem))?;
        let response = agent
            .post(format!("{server_url}{path}"))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .send(body)
            .map_err(|error| cause(&error, None))?;
        read(response)
    }
}

fn agent(config: &Config) -> Result<Agent, String> {
    let proxy = match &config.proxy {
        ProxySetting::None => None,
        ProxySetting::System => Proxy::try_from_env(),
        ProxySetting::Explicit(proxy) => Some(Proxy::new(proxy).map_err(|e| format!("proxy: {e}"))?),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots(config)?)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let built = Agent::config_builder()
        .timeout_global(Some(EXCHANGE_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .max_idle_age(IDLE_CONNECTION_AGE)
        .max_idle_connections(1)
        // A redirect is somebody else's answer: ours never redirects.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("mngntime-agent/", env!("CARGO_PKG_VERSION")))
        .proxy(proxy)
        .tls_config(tls)
        .build();
    Ok(built.new_agent())
}

fn roots(config: &Config) -> Result<RootCerts, String> {
    let Some(path) = &config.ca_file else {
        return Ok(RootCerts::PlatformVerifier);
    };
    let pem = std::fs::read(path).map_err(|e| format!("ca_file {}: {e}", path.display()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|e| format!("ca_file {}: {e}", path.display()))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(format!("ca_file {} holds no certificate", path.display()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Reply, FailureCause> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let from_our_server = header(SERVER_MARKER_HEADER) == Some("1");
    let retry_after_seconds = header("retry-after")
        .and_then(|text| text.trim().parse::<u32>().ok())
        .map(|seconds| seconds.min(RETRY_AFTER_SECONDS_MAX));
    let media_type = header("content-type").unwrap_or_default();
    let content_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut body = Vec::new();
    let read = response.body_mut().as_reader().take(ANSWER_BYTES_MAX as u64 + 1).read_to_end(&mut body);
    if let Err(error) = read {
        let detail = format!("the answer broke off after {} bytes: {error}", body.len());
        return Err(FailureCause::Network { http_status: Some(status), detail });
    }
    if body.len() > ANSWER_BYTES_MAX {
        let detail = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
        return Err(FailureCause::Network { http_status: Some(status), detail });
    }
    Ok(Reply { status, from_our_server, retry_after_seconds, content_type, body })
}

/// Words a failure. What the interfaces show decides between the seed's three situations, and only for
/// failures that happened before anything answered.
fn cause(error: &ureq::Error, http_status: Option<u16>) -> FailureCause {
    let reached_nothing = matches!(
        error,
        ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Io(_)
            | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect | ureq::Timeout::Global)
    );
    match network_verdict() {
        NetworkVerdict::NotConnected if reached_nothing => FailureCause::NotConnected,
        NetworkVerdict::LocalOnly if reached_nothing => FailureCause::LocalNetworkOnly,
        NetworkVerdict::NotConnected | NetworkVerdict::LocalOnly | NetworkVerdict::Connected => {
            FailureCause::Network { http_status, detail: describe(error) }
        }
    }
}

fn describe(error: &ureq::Error) -> String {
    let text = error.to_string();
    let clock_matters =
        ["expired", "NotValidYet", "not valid yet", "Expired"].iter().any(|word| text.contains(word));
    if clock_matters {
        format!("{text} (check the clock of this PC / PCの時計を確認してください)")
    } else {
        text
    }
}
