//! The administration pages: server-rendered HTML for people in a browser.
//!
//! # Promises
//! - Every page works without script; script only makes selecting rows quicker.
//! - Nothing is allowed by default: every route stands in [`routes`] with its action and is refused before its handler
//!   runs; a handler asks [`session::Visit::permit`] how far it may go. There is no other way to a contract here.
//! - Everything that comes from outside is escaped by the templates; none of them marks anything as safe.
//! - What can grow is bounded: rows of a page, fields and texts of a form, accounts of one link, sign-ins.
//! - A wrong value in an address gives a message on the page, never a failure; so does, on lists, a name that means
//!   nothing there ([`asks`]).
//!
//! # Shape
//! Handlers ([`login`], [`second`], [`security`], [`setup`], [`punches`], [`days`], [`link`], [`employees`],
//! [`departments`], [`accounts`], [`terminals`], [`administrators`], [`settings`], [`audit`], [`health`],
//! [`contracts`], [`me`]) ask the store and fill the structs of [`views`], one for each file in `templates/`.
//! [`chrome`] is what all pages share,
//! [`texts`] their words, [`errors`] the pages of failures. Addresses are for people's bookmarks: they stay.

pub mod account;
pub mod accounts;
pub mod administrators;
pub mod asks;
pub mod assets;
pub mod audit;
pub mod chrome;
pub mod contracts;
pub mod day_time;
pub mod days;
pub mod departments;
pub mod device;
pub mod employee;
pub mod employees;
pub mod era;
pub mod errors;
pub mod evidence;
pub mod fields;
pub mod first_administrator;
pub mod flaws;
pub mod headers;
pub mod health;
pub mod idle;
pub mod imports;
pub mod knock;
pub mod letting_in;
pub mod link;
pub mod login;
pub mod lookup;
pub mod me;
pub mod once;
pub mod pages;
pub mod passkey;
pub mod provider;
pub mod punches;
pub mod quarantine;
pub mod retention;
pub mod routes;
pub mod second;
pub mod security;
pub mod session;
pub mod settings;
pub mod setup;
pub mod sheet;
pub mod staying;
pub mod terminals;
pub mod texts;
pub mod times;
pub mod today;
pub mod views;
pub mod visible;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Router, middleware};
use mngntime_model::UtcMillis;
use mngntime_store::{Administrator, Entrance, SecondFactor, Store, StoreError};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_sessions::cookie::{SameSite, time::Duration};
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::access::Action;
use crate::condition;
use crate::evidence::on_request::Packs;
use crate::limiter::Limiter;
use crate::metrics::SignIns;
use crate::packages::Packages;
use crate::passwords::Passwords;
use crate::provider::Provider;
use crate::second_factor::passkeys::Passkeys;
use crate::second_factor::seal::Sealer;
use crate::sessions::Sessions;
use errors::WebError;
use session::Visit;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> UtcMillis + Send + Sync>;

/// Whose request it is: from the connection's address and the headers of proxies. Which proxies are believed is
/// the server's business.
pub type ClientAddress = Arc<dyn Fn(Option<IpAddr>, &HeaderMap) -> Option<IpAddr> + Send + Sync>;

/// Addresses in the foot of the pages; absent ones are not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FootLinks {
    /// How to use the program.
    pub help: Option<String>,
    /// Description of the API.
    pub api: Option<String>,
    /// Where the agent's packages are.
    pub downloads: Option<String>,
}

/// What the pages need.
#[derive(Clone)]
pub struct WebState {
    /// What the server keeps.
    pub store: Arc<dyn Store>,
    /// The server's clock.
    pub clock: Clock,
    /// How often a terminal is told to make contact, in seconds.
    pub contact_seconds: u32,
    /// Until when a night belongs to the day before, in minutes after midnight.
    pub day_boundary_minutes: u32,
    /// The server's display name, as in messages to people (`MINAGINE`).
    pub display_name: String,
    /// The server's address as PCs see it, for the first steps.
    pub public_url: String,
    /// The same where somebody has set it: links that are handed out then lead there, whatever a request says.
    pub chosen_url: Option<String>,
    /// Whether the server speaks TLS itself.
    pub tls: bool,
    /// Whether browsers reach the server over TLS: cookies are then marked `Secure`.
    pub secure: bool,
    /// Whether operators must have a second factor.
    pub operators_second_factor: bool,
    /// Minutes without use after which an operator's session ends; absent for never.
    pub operators_idle_minutes: Option<u16>,
    /// Addresses in the foot.
    pub foot: FootLinks,
    /// The agent's packages.
    pub packages: Arc<Packages>,
    /// Evidence packs that people ask for.
    pub packs: Arc<Packs>,
    /// Password checks.
    pub passwords: Passwords,
    /// Finds out where a sign-in comes from.
    pub client: ClientAddress,
    /// Seals the secrets of one-time codes.
    pub sealer: Arc<Sealer>,
    /// Passkeys; absent when the server has no host name.
    pub passkeys: Option<Arc<Passkeys>>,
    /// Another provider that people may sign in with.
    pub provider: Option<Arc<Provider>>,
    /// Failed sign-ins by address.
    pub limiter: Arc<Limiter>,
    /// Counts tries to sign in.
    pub sign_ins: SignIns,
    /// How this process and its host are doing.
    pub condition: condition::Source,
}

impl WebState {
    /// Whether somebody has a second factor, and whether they must.
    ///
    /// # Errors
    /// What the store says.
    pub async fn second_factor(&self, person: &Administrator) -> Result<SecondFactor, StoreError> {
        let found = self.store.second_factor(person.id).await?;
        Ok(found.demanded(person.data.role, self.operators_second_factor))
    }

    /// What opens here.
    fn entrance(&self) -> Entrance {
        Entrance {
            passkeys: self.passkeys.is_some(),
            issuer: self.provider.as_ref().map(|provider| provider.settings.issuer.clone()),
            operators_second_factor: self.operators_second_factor,
        }
    }
}

impl fmt::Debug for WebState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebState")
    }
}

/// All pages.
pub fn router(state: WebState) -> Router {
    let routes = routes::router(&state);
    let sessions = Sessions(state.store.clone());
    layered(routes, sessions, state)
}

/// The routes with everything that stands around them.
fn layered(
    routes: Router<WebState>,
    sessions: impl tower_sessions::SessionStore + Clone,
    state: WebState,
) -> Router {
    let sessions = SessionManagerLayer::new(sessions)
        .with_name(session::COOKIE)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(state.secure)
        .with_expiry(Expiry::OnInactivity(Duration::hours(session::HOURS)));
    // From the inside out: routes, session, why one could not be written, size, panics, other sites, error pages,
    // compression, headers.
    // Another site cannot ask for a page with the person's cookie and see how long it is (SameSite, CORP, COOP),
    // so compressing what they chose together with what they may not know tells them nothing.
    let pages = routes
        .fallback(async || WebError::NotFound)
        .layer(sessions)
        .layer(middleware::from_fn(errors::sessions))
        .layer(DefaultBodyLimit::max(fields::BODY_MAX))
        .layer(CatchPanicLayer::new())
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn_with_state(state.clone(), errors::pages))
        .layer(CompressionLayer::new());
    headers::protect(pages, state.tls).with_state(state)
}

/// `GET /`: where the person's work is.
async fn start(visit: Visit) -> Result<Response, WebError> {
    let places = [
        (Action::PunchesRead, "/punches"),
        (Action::TerminalsRead, "/terminals"),
        (Action::ContractsRead, "/contracts"),
        (Action::AdministratorsRead, "/administrators"),
        (Action::OwnRecordRead, "/me"),
    ];
    match places.into_iter().find(|(action, _)| visit.may(*action)) {
        Some((_, place)) => Ok(Redirect::to(place).into_response()),
        None => Ok(views::Elsewhere { c: visit.chrome }.render_page()?.into_response()),
    }
}
