//! What all handlers share, and the router.
//!
//! Every answer carries the marker header by which an agent knows that it reached us, and every error is a
//! `Problem`, those of the router included.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Router, middleware};
use mngntime_model::UtcMillis;
use mngntime_store::{Store, StoreError};
use mngntime_wire::SecretKey;
use mngntime_wire::problem::SERVER_MARKER_HEADER;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::api;
use crate::condition::{self, Rates};
use crate::evidence::on_request::Packs;
use crate::ingest::body::BodyRoom;
use crate::ingest::senders::Senders;
use crate::jobs::FailedJobs;
use crate::limiter::Limiter;
use crate::log_heads::LogHeads;
use crate::metrics::Metrics;
use crate::metrics_token::MetricsToken;
use crate::packages::Packages;
use crate::passwords::Passwords;
use crate::problem::Failure;
use crate::provider::Provider;
use crate::rate_limit::AddressLimit;
use crate::rest_of_body;
use crate::second_factor::passkeys::Passkeys;
use crate::second_factor::seal::Sealer;
use crate::settings::Settings;
use crate::source_address::behind_proxies;
use crate::watched;
use crate::web::{self, FootLinks, WebState};

/// Terminals per second of spread: a PC that is switched on with 500 others waits up to 10 s, so that the
/// server sees 50 logons a second instead of 500 at once.
const TERMINALS_PER_SPREAD_SECOND: u64 = 50;

/// Longest spread the server asks for, in seconds: nobody should wonder where the receipt is.
const SPREAD_SECONDS_MAX: u64 = 20;

/// Where the time comes from; tests set their own.
pub type Clock = Arc<dyn Fn() -> UtcMillis + Send + Sync>;

/// Everything a handler may need.
pub struct App {
    /// What the server keeps.
    pub store: Arc<dyn Store>,
    /// Signs receipts and enrolment answers.
    pub key: Arc<SecretKey>,
    /// Settings.
    pub settings: Settings,
    /// Figures.
    pub metrics: Metrics,
    /// Password checks.
    pub passwords: Passwords,
    /// Newest signed trees of the log.
    pub log_heads: Arc<LogHeads>,
    /// Jobs that failed in their last round.
    pub failed_jobs: FailedJobs,
    /// Terminals that have sent lately.
    pub senders: Senders,
    /// Room for the bodies of requests that are being taken in.
    pub bodies: BodyRoom,
    /// Samples of the counters, for `/health`.
    pub rates: Rates,
    /// Limit on enrolments.
    pub enrollment_limit: AddressLimit,
    /// Limit on what goes into quarantine.
    pub quarantine_limit: AddressLimit,
    /// Addresses from which too many sign-ins have failed, at the pages and at the API together.
    pub limiter: Arc<Limiter>,
    clock: Clock,
    active_terminals: AtomicU64,
    bound: OnceLock<SocketAddr>,
    metrics_token: OnceLock<MetricsToken>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

/// An [`App`] for many handlers.
pub type Shared = Arc<App>;

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        key: SecretKey,
        settings: Settings,
        passwords: Passwords,
        clock: Clock,
    ) -> Shared {
        let limiter = Limiter::new(settings.sign_in_failures_per_address);
        let metrics = Metrics::of_database(settings.database.is_some());
        Arc::new(Self {
            store,
            key: Arc::new(key),
            settings,
            metrics,
            passwords,
            log_heads: Arc::default(),
            failed_jobs: FailedJobs::default(),
            senders: Senders::default(),
            bodies: BodyRoom::default(),
            rates: Rates::default(),
            enrollment_limit: AddressLimit::of_enrollments(),
            quarantine_limit: AddressLimit::of_quarantine(),
            limiter: Arc::new(limiter),
            clock,
            active_terminals: AtomicU64::new(0),
            bound: OnceLock::new(),
            metrics_token: OnceLock::new(),
        })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> UtcMillis {
        (self.clock)()
    }

    /// Notes the address that was bound: a port of 0 in the settings is then known.
    pub fn note_address(&self, address: SocketAddr) {
        // Bound once; a second address would be of another server.
        let _ = self.bound.set(address);
    }

    /// Notes the token that `/metrics` asks for.
    pub fn note_metrics_token(&self, token: MetricsToken) {
        // Read once; another one needs a restart.
        let _ = self.metrics_token.set(token);
    }

    /// Whether who gives this token may read the figures. Where a token is set and was not read, nobody may.
    #[must_use]
    pub fn may_read_metrics(&self, given: Option<&str>) -> bool {
        let is = |token: &MetricsToken| given.is_some_and(|given| token.is(given));
        self.settings.metrics_token_file.is_none() || self.metrics_token.get().is_some_and(is)
    }

    /// How PCs and browsers on this host reach the server.
    #[must_use]
    pub fn url(&self) -> String {
        if let Some(url) = &self.settings.public_url {
            return url.clone();
        }
        let address = self.bound.get().copied().unwrap_or(self.settings.listen);
        url(address, self.settings.tls.is_some())
    }

    /// Whether browsers reach the server over TLS: as it says itself or, where nobody has said it, by the way it is set up.
    fn over_tls(&self) -> bool {
        let Settings { public_url, tls, trusted_proxies, .. } = &self.settings;
        let said = public_url.as_ref().map(|url| url.starts_with("https://"));
        tls.is_some() || said.unwrap_or(!trusted_proxies.is_empty())
    }

    fn provider(&self) -> Option<Arc<Provider>> {
        let settings = self.settings.provider.clone()?;
        Some(Arc::new(Provider::new(settings, &self.url())))
    }

    fn packs(&self) -> Arc<Packs> {
        let (key, directory) = (SecretKey::from_seed(&self.key.seed()), self.settings.data_dir.clone());
        let (store, heads) = (self.store.clone(), self.log_heads.clone());
        let (clock, boundary) = (self.clock.clone(), self.settings.day_boundary_minutes);
        Arc::new(Packs::new(store, heads, key, clock, directory, web::evidence::WAIT, boundary))
    }

    fn pages(self: &Arc<Self>) -> Router {
        let app = self.clone();
        let trusted = self.settings.trusted_proxies.clone();
        web::router(WebState {
            store: self.store.clone(),
            clock: self.clock.clone(),
            contact_seconds: self.settings.contact_seconds,
            day_boundary_minutes: self.settings.day_boundary_minutes,
            display_name: self.settings.display_name.clone(),
            public_url: self.url(),
            chosen_url: self.settings.public_url.clone(),
            tls: self.settings.tls.is_some(),
            secure: self.over_tls(),
            operators_second_factor: self.settings.operators_second_factor,
            operators_idle_minutes: self.settings.operators_idle_minutes,
            foot: FootLinks {
                api: Some("/api/openapi.json".to_owned()),
                downloads: self.settings.downloads_url.clone(),
                ..FootLinks::default()
            },
            packages: Arc::new(Packages::new(self.settings.packages_dir.clone())),
            packs: self.packs(),
            passwords: self.passwords.clone(),
            client: Arc::new(move |peer, headers| Some(behind_proxies(peer?, headers, &trusted))),
            sealer: Arc::new(Sealer::new(&self.key)),
            passkeys: Passkeys::new(&self.url(), &self.settings.display_name).map(Arc::new),
            provider: self.provider(),
            limiter: self.limiter.clone(),
            sign_ins: self.metrics.sign_ins.clone(),
            condition: Arc::new(move || condition::of(&app)),
        })
    }

    /// What receipts ask of a PC that sends a new logon: `min(20, active terminals / 50)` seconds.
    #[must_use]
    pub fn spread_seconds(&self) -> u32 {
        let seconds = self.active_terminals.load(Ordering::Relaxed) / TERMINALS_PER_SPREAD_SECOND;
        u32::try_from(seconds.min(SPREAD_SECONDS_MAX)).unwrap_or(0)
    }

    /// Counts a terminal that has just been enrolled. Counting all of them anew for each one would make the first day of
    /// a large contract a matter of the square of its PCs; the rounds do that.
    pub fn one_terminal_more(&self) {
        let before = self.active_terminals.fetch_add(1, Ordering::Relaxed);
        self.metrics.terminals(before.saturating_add(1));
    }

    /// Counts the active terminals anew.
    ///
    /// # Errors
    /// What the store says.
    pub async fn count_terminals(&self) -> Result<(), StoreError> {
        let count = self.store.active_terminals().await?;
        self.active_terminals.store(count, Ordering::Relaxed);
        self.metrics.terminals(count);
        self.metrics.standings(&self.store.count_standings().await?);
        Ok(())
    }
}

/// The host's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// An address as a URL; where the server listens on all addresses, this host's own.
#[must_use]
pub fn url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    let host = if address.ip().is_unspecified() {
        SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), address.port())
    } else {
        address
    };
    format!("{scheme}://{host}")
}

/// All routes: programs under `/api`, `/healthz` and `/metrics`, people everywhere else.
pub fn router(app: Shared) -> Router {
    let (pages, counting) = (app.pages(), app.clone());
    let programs = api::router(&app).route("/api/{*rest}", any(not_found)).with_state(app);
    let all = web::headers::protect_programs(finish(programs)).fallback_service(pages);
    let all = all.layer(middleware::from_fn(rest_of_body::read_it));
    all.layer(middleware::from_fn_with_state(counting, count))
}

/// Counts answers by who asks and their class.
async fn count(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let route = watched::route(request.uri().path());
    let response = next.run(request).await;
    app.metrics.watched.answered(route, response.status().as_u16());
    response
}

/// Puts around `routes` what every answer needs.
pub fn finish(routes: Router) -> Router {
    routes.method_not_allowed_fallback(wrong_method).layer(CatchPanicLayer::custom(panicked)).layer(
        SetResponseHeaderLayer::overriding(
            HeaderName::from_static(SERVER_MARKER_HEADER),
            HeaderValue::from_static("1"),
        ),
    )
}

async fn not_found() -> Failure {
    let message = "There is nothing here. The API is described at /api/openapi.json.";
    Failure::new(StatusCode::NOT_FOUND, "not_found", message)
}

async fn wrong_method(request: Request) -> Failure {
    let message =
        format!("{} cannot be used here. The API is described at /api/openapi.json.", request.method());
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Failure::internal(text.unwrap_or_else(|| "a handler panicked".to_owned())).into_response()
}
