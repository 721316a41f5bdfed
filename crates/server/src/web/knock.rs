//! Somebody at the door: what a request to sign in brings, and letting a person in.
//!
//! Whichever way somebody comes (password, second step, passkey, another provider), they get in here and nowhere
//! else: a new session under a new id, an entry in the audit log, and the advice to set up a second factor.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::UtcMillis;
use mngntime_store::{Act, Administrator, AdministratorId, Origin, Role};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::WebState;
use super::chrome::{Banner, Chrome, Tone};
use super::device;
use super::errors::WebError;
use super::session::{self, About};
use super::views;
use crate::access::Subject;
use crate::limiter::Login;
use crate::metrics::SignInOutcome;
use crate::sessions::{PENDING, PERSON};
use crate::source_address;
use crate::tries;

/// Time for the second step after the first, in milliseconds.
pub const SECOND_STEP_MS: i64 = 10 * 60_000;

/// How somebody came who was at another provider.
pub const PROVIDER: &str = "provider";

/// Most of a browser's own description that is kept, in characters.
const AGENT_MAX: usize = 200;

/// Somebody at the door.
#[derive(Debug, Clone)]
pub struct Knock {
    /// The browser's session, which may be nobody's.
    pub session: Session,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    /// How the browser describes itself.
    agent: String,
    /// Surroundings of the answer.
    pub chrome: Chrome,
}

/// The first step is done, the second is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Who.
    pub person: String,
    /// Since when, UTC milliseconds.
    pub at: i64,
    /// Where to go afterwards.
    pub next: String,
    /// How the first step was done.
    pub how: String,
}

impl FromRequestParts<WebState> for Knock {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, WebError> {
        let session = parts.extensions.get::<Session>().cloned();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self {
            session: session.ok_or(WebError::BadForm)?,
            address: (state.client)(peer, &parts.headers),
            agent: agent.unwrap_or_default().chars().take(AGENT_MAX).collect(),
            chrome: Chrome::anonymous(state, &parts.uri, &parts.headers),
        })
    }
}

impl Knock {
    fn now(&self) -> UtcMillis {
        self.chrome.now
    }

    /// Lets `person` in, who has shown who they are by `how`; returns where to go.
    ///
    /// # Errors
    /// When the store or the session fails.
    pub async fn enter(
        &self,
        state: &WebState,
        person: &Administrator,
        how: &str,
        second: bool,
        next: &str,
    ) -> Result<String, WebError> {
        let about = About {
            at: self.now().0,
            since: self.now().0,
            second,
            address: self.address.map(source_address::text),
            agent: self.agent.clone(),
        };
        session::sign_in(&self.session, person, &about).await?;
        if !second && matches!(person.data.role, Role::Administrator | Role::Operator) {
            session::leave(&self.session, self.advice(how)).await?;
        }
        let act = Act::administrator(&person.data.login, self.now());
        let origin = Origin { address: about.address, agent: device::short(&self.agent) };
        state.store.note_sign_in(person.id, how.to_owned(), origin, act).await?;
        state.sign_ins.count(SignInOutcome::Right);
        state.limiter.right(self.address, person.id, self.now());
        Ok(super::login::local(next).unwrap_or("/").to_owned())
    }

    /// Counts a failure. When it closes the address, the operators' audit log gets that, with the address; the server's log
    /// has none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn failed(&self, state: &WebState, login: Login) -> Result<(), WebError> {
        state.sign_ins.count(SignInOutcome::Wrong);
        Ok(tries::count_failure(&*state.store, &state.limiter, self.address, login, self.now()).await?)
    }

    fn advice(&self, how: &str) -> Banner {
        let title = if how == PROVIDER { "second-advice-provider" } else { "second-advice" };
        let (title, text) = (self.chrome.t(title), self.chrome.t("second-advice-text"));
        let link = Some(("/me/security".to_owned(), self.chrome.t("second-advice-link")));
        Banner { link, ..Banner::new(Tone::Warn, title, text) }
    }

    /// Does what comes after a right first step: lets somebody in, or asks for the second.
    ///
    /// # Errors
    /// When the store or the session fails.
    pub async fn first_step_done(
        &self,
        state: &WebState,
        person: &Administrator,
        how: &str,
        next: &str,
    ) -> Result<Response, WebError> {
        if !state.store.second_factor(person.id).await?.set_up {
            let to = self.enter(state, person, how, false, next).await?;
            return Ok(Redirect::to(&to).into_response());
        }
        let pending = Pending {
            person: person.id.to_string(),
            at: self.now().0,
            next: next.to_owned(),
            how: how.to_owned(),
        };
        // A new id: one that somebody planted before is worth nothing.
        self.session.clear().await;
        self.session.cycle_id().await?;
        self.session.insert(PENDING, &pending).await?;
        self.session.save().await?;
        Ok(Redirect::to("/login/second").into_response())
    }

    /// Who waits for the second step here, while they still may.
    ///
    /// # Errors
    /// When the store or the session fails.
    pub async fn pending(&self, state: &WebState) -> Result<Option<(Administrator, Pending)>, WebError> {
        let Some(pending) = self.session.get::<Pending>(PENDING).await? else { return Ok(None) };
        let waited = self.now().0.saturating_sub(pending.at);
        let id = AdministratorId::parse(&pending.person).filter(|_| (0..SECOND_STEP_MS).contains(&waited));
        let Some(id) = id else { return Ok(None) };
        let person = state.store.administrator_by_id(id).await?;
        let today = self.chrome.today();
        let person = person.filter(|person| Subject::of(person).in_force(today).is_ok());
        Ok(person.map(|person| (person, pending)))
    }

    /// Back to the first step, which says that the second is over. Whoever has done it in another tab is in.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn second_step_over(&self) -> Result<Redirect, WebError> {
        if self.session.get::<String>(PERSON).await?.is_some() {
            return Ok(Redirect::to("/"));
        }
        let late = self.session.get::<Pending>(PENDING).await?;
        let next = late.map(|pending| pending.next).filter(|next| !next.is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(next.map(|next| ("next", next))).extend_pairs([("over", "second")]);
        Ok(Redirect::to(&format!("/login?{}", query.finish())))
    }

    /// The sign-in page with a message.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn back(
        mut self,
        state: &WebState,
        banner: Banner,
        user: &str,
        next: &str,
    ) -> Result<Response, WebError> {
        self.chrome = self.chrome.reached_by("/login");
        self.chrome.banner = Some(banner);
        let page = views::Login::new(state, self.chrome, user, next);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
    }

    /// Turns somebody away who has to wait until then.
    #[must_use]
    pub fn turned_away(&self, state: &WebState, until: UtcMillis) -> Banner {
        state.sign_ins.count(SignInOutcome::Waiting);
        self.wait(until)
    }

    /// Says that nothing is looked at until then. The words are the same for every login.
    #[must_use]
    pub fn wait(&self, until: UtcMillis) -> Banner {
        let left = until.0.saturating_sub(self.now().0).max(0);
        let minutes = u64::try_from(left).unwrap_or(0).div_ceil(60_000).max(1);
        Banner::new(Tone::Error, self.chrome.t("login-wait"), self.chrome.n("login-wait-text", minutes))
    }
}
