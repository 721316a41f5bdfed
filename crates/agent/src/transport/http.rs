//! Bytes over HTTPS, by whichever route leads to the server.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mngntime_model::{FailureCause, Language};
use mngntime_wire::limits::{ANSWER_BYTES_MAX, RETRY_AFTER_SECONDS_MAX};
use mngntime_wire::problem::SERVER_MARKER_HEADER;
use ureq::Agent;
use ureq::http::Uri;

use super::connector::{Names, Road};
use super::routes::{Itinerary, Route, Way};
use super::trouble::{Given, Kind, Trouble};
use super::{USER_AGENT, trust, wording};
use crate::config::{Config, ProxySetting};
use crate::platform::{self, NetworkVerdict, ProxyLogin, network_verdict};

/// For the whole exchange, all routes together. Windows' certificate check alone may look for revocation
/// lists for 10 s.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(25);
/// For a connection: a server that takes longer is not reachable in any useful sense.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// With less time left no further route is begun.
const ROUTE_TIME_MIN: Duration = Duration::from_secs(1);
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
    /// `Location` of a redirect; empty otherwise.
    pub location: String,
    /// The body, up to the limit.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply by its parts; `header` gives a header by its lower-case name.
    ///
    /// # Errors
    /// When the body is longer than any answer of ours.
    pub fn of(status: u16, header: impl Fn(&str) -> Option<String>, body: Vec<u8>) -> Result<Self, Trouble> {
        if body.len() > ANSWER_BYTES_MAX {
            return Err(Trouble::new(Kind::TooLong { status, bytes_max: ANSWER_BYTES_MAX }));
        }
        let retry_after = header("retry-after").and_then(|text| text.trim().parse::<u32>().ok());
        let media_type = header("content-type").unwrap_or_default();
        Ok(Self {
            status,
            from_our_server: header(SERVER_MARKER_HEADER).as_deref() == Some("1"),
            retry_after_seconds: retry_after.map(|seconds| seconds.min(RETRY_AFTER_SECONDS_MAX)),
            content_type: media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
            location: header("location").unwrap_or_default(),
            body,
        })
    }
}

/// A client for one configuration.
#[derive(Debug)]
pub struct Client {
    agent: Result<Agent, String>,
    server_url: Option<String>,
    proxy: ProxySetting,
    language: Language,
    memory: Mutex<Memory>,
}

/// What was learnt about the network that this PC is in.
#[derive(Debug, Default)]
struct Memory {
    /// The way that worked last.
    good: Option<Way>,
    /// Proxies that want a login which only the OS can make.
    logins: Vec<Route>,
}

impl Client {
    /// Prepares a client. What is wrong with the configuration is told at each use.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            agent: agent(config),
            server_url: config.server_url.clone(),
            proxy: config.proxy.clone(),
            language: config.language,
            memory: Mutex::default(),
        }
    }

    /// The language in which failures are told.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Forgets which route worked: the PC may be in another network now.
    pub fn forget_routes(&self) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Memory::default();
    }

    /// Posts JSON and reads the reply. Tries one route after the other while nobody answers.
    ///
    /// # Errors
    /// The cause in the words of the event log, when nothing answered HTTP.
    pub fn post(&self, path: &str, body: &str) -> Result<Reply, FailureCause> {
        let useless = |kind| self.cause(&[Trouble::new(kind)]);
        let server_url = self.server_url.as_ref().ok_or_else(|| useless(Kind::NoServerUrl))?;
        let agent = self.agent.as_ref().map_err(|problem| useless(Kind::Setting(problem.clone())))?;
        let exchange = Exchange {
            agent,
            url: &format!("{server_url}{path}"),
            body,
            ends: Instant::now() + EXCHANGE_TIMEOUT,
        };
        self.by_any_route(&exchange).map_err(|troubles| self.cause(&troubles))
    }

    fn by_any_route(&self, exchange: &Exchange<'_>) -> Result<Reply, Vec<Trouble>> {
        let remembered = self.remembered(|memory| memory.good.clone());
        let mut itinerary = Itinerary::new(&self.proxy, platform::PROXY_SOURCES, remembered);
        let mut troubles = Vec::new();
        while exchange.left() > ROUTE_TIME_MIN {
            let Some(way) =
                itinerary.next(|source| platform::look_up_proxy(source, exchange.url, exchange.left()))
            else {
                break;
            };
            match self.by_way(&way, exchange) {
                Ok(reply) => {
                    self.remembered(|memory| memory.good = Some(way));
                    return Ok(reply);
                }
                Err(trouble) => {
                    let ends = !trouble.is_dead_end();
                    let withheld = is_withheld(&trouble);
                    troubles.push(trouble);
                    if ends {
                        // An administrator may since have named this proxy or another one.
                        self.remembered(|memory| memory.good.take_if(|_| withheld));
                        return Err(troubles);
                    }
                }
            }
        }
        self.remembered(|memory| memory.good = None);
        let problems =
            itinerary.problems.into_iter().map(|problem| Trouble::with(Kind::NoProxyFound, problem));
        // Where there is no proxy, not finding one is the normal case and says nothing.
        let told = !matches!(self.proxy, ProxySetting::System) || troubles.is_empty();
        troubles.extend(problems.filter(|_| told));
        Err(troubles)
    }

    fn by_way(&self, way: &Way, exchange: &Exchange<'_>) -> Result<Reply, Trouble> {
        let route = &way.route;
        if !way.may_get_the_pcs_account {
            return exchange.run(route).map_err(without_the_os);
        }
        if self.remembered(|memory| memory.logins.contains(route)) {
            return self.with_login(route, exchange, None);
        }
        match exchange.run(route) {
            Err(trouble) if wants_the_os(&trouble) => self.with_login(route, exchange, Some(trouble)),
            answered => answered,
        }
    }

    /// Through the OS's own HTTP client, which can log in to the proxy with the account of this PC.
    fn with_login(
        &self,
        route: &Route,
        exchange: &Exchange<'_>,
        why: Option<Trouble>,
    ) -> Result<Reply, Trouble> {
        let Route::Proxy(proxy) = route else {
            return exchange.run(route);
        };
        let login = ProxyLogin {
            url: exchange.url,
            proxy,
            body: exchange.body,
            agent: USER_AGENT,
            ends: exchange.ends,
        };
        match (platform::post_with_proxy_login(&login), why) {
            (Some(Ok(reply)), _) => {
                self.remembered(|memory| {
                    memory.logins.retain(|known| known != route);
                    memory.logins.push(route.clone());
                });
                Ok(reply)
            }
            (Some(Err(trouble)), _) | (None, Some(trouble)) => {
                self.remembered(|memory| memory.logins.retain(|known| known != route));
                Err(trouble)
            }
            (None, None) => exchange.run(route),
        }
    }

    fn remembered<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Words what went wrong on the routes. The state of the network decides between the seed's three
    /// situations, and only where nobody answered at all. Through a proxy, a PC without a default route is
    /// an ordinary office PC.
    fn cause(&self, troubles: &[Trouble]) -> FailureCause {
        let met_nobody = !troubles.is_empty() && troubles.iter().all(Trouble::met_nobody);
        let by_proxy = troubles.iter().any(Trouble::is_about_a_proxy);
        match network_verdict() {
            NetworkVerdict::NotConnected if met_nobody => FailureCause::NotConnected,
            NetworkVerdict::LocalOnly if met_nobody && !by_proxy => FailureCause::LocalNetworkOnly,
            NetworkVerdict::NotConnected | NetworkVerdict::LocalOnly | NetworkVerdict::Connected => {
                FailureCause::Network {
                    http_status: troubles.iter().find_map(Trouble::http_status),
                    detail: wording::joined(troubles, self.language),
                }
            }
        }
    }
}

/// Whether the proxy offers a login that needs an account of the OS.
fn wants_the_os(trouble: &Trouble) -> bool {
    let Kind::ProxyLogin { schemes, .. } = &trouble.kind else {
        return false;
    };
    schemes.iter().any(|scheme| ["negotiate", "ntlm"].contains(&scheme.to_ascii_lowercase().as_str()))
}

/// What the failure is where the OS must not log in.
fn without_the_os(mut trouble: Trouble) -> Trouble {
    let wanted = wants_the_os(&trouble);
    if let Kind::ProxyLogin { given, .. } = &mut trouble.kind
        && wanted
    {
        *given = Given::Withheld;
    }
    trouble
}

fn is_withheld(trouble: &Trouble) -> bool {
    matches!(trouble.kind, Kind::ProxyLogin { given: Given::Withheld, .. })
}

/// One request on its way.
struct Exchange<'a> {
    agent: &'a Agent,
    url: &'a str,
    body: &'a str,
    ends: Instant,
}

impl Exchange<'_> {
    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    fn run(&self, route: &Route) -> Result<Reply, Trouble> {
        let proxy = match route {
            Route::Direct => None,
            Route::Proxy(proxy) => Some(proxy.clone()),
        };
        let response = self
            .agent
            .post(self.url)
            .config()
            .proxy(proxy)
            .timeout_global(Some(self.left().max(ROUTE_TIME_MIN)))
            .build()
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .send(self.body)?;
        read(response)
    }
}

fn agent(config: &Config) -> Result<Agent, String> {
    let built = Agent::config_builder()
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .max_idle_age(IDLE_CONNECTION_AGE)
        .max_idle_connections(1)
        // A redirect is somebody else's answer: ours never redirects.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(USER_AGENT)
        .build();
    let road = Road { tls: trust::client_config(config.ca_file.as_deref())? };
    Ok(Agent::with_parts(built, road, Names::default()))
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Reply, Trouble> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let read = response.body_mut().as_reader().take(ANSWER_BYTES_MAX as u64 + 1).read_to_end(&mut body);
    if let Err(error) = read {
        return Err(Trouble::with(Kind::Cut { status, bytes: body.len() }, error));
    }
    let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    Reply::of(status, header, body)
}

/// The host of an address; empty for what is none.
pub(super) fn host_of(address: &str) -> String {
    address.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default()
}
