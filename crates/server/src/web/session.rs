//! Who a request belongs to, and what they may do.
//!
//! The cookie holds a random id and nothing else. What a person may do is read from the store with every
//! request, so a changed role, a disabled person and a date that has passed count at once. A contract's id leaves this
//! module only as a [`Reach`].

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use mngntime_model::UtcMillis;
use mngntime_store::{
    Act, Administrator, AdministratorId, Contract, ContractId, ContractSettings, EmployeeId,
};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::WebState;
use super::chrome::{BACK_MAX, Banner, Chrome, Who, cookie};
use super::errors::{Before, WebError};
use super::idle;
use super::staying::Staying;
use crate::access::{self, Action, Reach, Subject};
use crate::sessions::{self, ABOUT, ENDED, PERSON, SEEN};

/// Name of the session cookie.
pub const COOKIE: &str = "mngntime_session";
/// A session ends this long after the person has shown who they are: a working day. Neither requests nor what is left in
/// it for the next page prolong it, although the store may keep it longer.
pub const HOURS: i64 = 12;

/// What is known of the sign-in itself; the list of sessions shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// When the person last showed who they are, UTC milliseconds.
    pub at: i64,
    /// When they signed in, UTC milliseconds; zero in a session of before this was kept.
    #[serde(default)]
    pub since: i64,
    /// Whether with a second factor.
    pub second: bool,
    /// From where.
    pub address: Option<String>,
    /// How the browser describes itself.
    pub agent: String,
}

impl About {
    /// When the working day is over that began with showing who one is; absent when that is not known.
    #[must_use]
    pub fn ends(&self) -> Option<UtcMillis> {
        (self.at != 0).then(|| UtcMillis(self.at).plus(HOURS * 3_600_000))
    }

    /// When it was last used, which showing who one is does, too; absent when that is not known.
    #[must_use]
    pub fn last_use(&self, seen: Option<UtcMillis>) -> Option<UtcMillis> {
        let shown = (self.at != 0).then_some(UtcMillis(self.at));
        seen.max(shown)
    }

    /// Whether that has passed at `now`.
    #[must_use]
    pub fn is_over(&self, now: UtcMillis) -> bool {
        self.ends().is_some_and(|end| end <= now)
    }

    /// When the person signed in.
    #[must_use]
    pub fn since(&self) -> UtcMillis {
        UtcMillis(if self.since == 0 { self.at } else { self.since })
    }
}

/// What somebody signs in with is changed only this long after they have shown who they are, in milliseconds: a
/// browser that was left open does not give an account away.
pub const FRESH_MS: i64 = 30 * 60_000;

const BANNER: &str = "banner";
/// Key of the file that was taken in last.
const TAKEN: &str = "taken";

/// Puts `person` into the session, under a new id: one that somebody planted before is worth nothing.
///
/// # Errors
/// When the session cannot be written.
pub async fn sign_in(session: &Session, person: &Administrator, about: &About) -> Result<(), WebError> {
    // Nothing of what was in it goes on, be it a first step or somebody else's.
    session.clear().await;
    session.cycle_id().await?;
    session.insert(PERSON, person.id.to_string()).await?;
    session.insert(ABOUT, about).await?;
    session.save().await?;
    Ok(())
}

/// Leaves a message for the next page.
///
/// # Errors
/// When the session cannot be written.
pub async fn leave(session: &Session, banner: Banner) -> Result<(), WebError> {
    Ok(session.insert(BANNER, banner).await?)
}

/// Whether somebody sees the answer as a page: what a script asks for, or a browser that looks ahead, is none.
pub(super) fn is_for_a_person(headers: &HeaderMap) -> bool {
    let ahead = headers.contains_key("sec-purpose");
    !ahead && headers.get("sec-fetch-dest").is_none_or(|purpose| purpose == "document")
}

/// Forgets the message that a page has shown.
///
/// # Errors
/// When the session cannot be written.
pub(super) async fn forget_banner(session: &Session) -> Result<(), WebError> {
    session.remove::<Banner>(BANNER).await?;
    Ok(())
}

/// A request of a signed-in person.
#[derive(Debug, Clone)]
pub struct Visit {
    person: Administrator,
    contract: Option<Contract>,
    subject: Subject,
    day_begins_minutes: u32,
    idle_minutes: Option<u16>,
    /// When the session was last used before this request, or with it, as far as that is noted.
    seen: Option<UtcMillis>,
    /// Surroundings of the page.
    pub chrome: Chrome,
    /// What is known of the sign-in.
    pub about: About,
    session: Session,
}

/// The guard has put it there; behind a public route there is none.
impl FromRequestParts<WebState> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, WebError> {
        let nobody = || sign_in_first(parts, Before::Session);
        parts.extensions.get::<Self>().cloned().ok_or_else(nobody)
    }
}

/// Whoever asks has to sign in first, after what there was. A cookie tells that there was a session; where a form was sent
/// with it, what was typed is lost.
fn sign_in_first(parts: &Parts, before: Before) -> WebError {
    let had_one = cookie(&parts.headers, COOKIE).is_some();
    let before = match (had_one, parts.method == Method::GET) {
        (false, _) => Before::Nothing,
        (true, true) => before,
        (true, false) => before.with_form(),
    };
    WebError::SignInFirst { wanted: wanted(parts), before }
}

/// How a session came to its end in which nobody is signed in.
async fn how_it_ended(session: &Session) -> Result<Before, WebError> {
    if session.get::<bool>(ENDED).await?.is_some() {
        return Ok(Before::Ended);
    }
    Ok(if idle::has_ended(session).await? { Before::Idle } else { Before::Session })
}

/// Only reading requests can be repeated after signing in; of a form that was sent, the page that it stood on.
fn wanted(parts: &Parts) -> String {
    let here = parts.uri.path_and_query().map(|address| address.as_str().to_owned());
    let address = if parts.method == Method::GET { here } else { page_of_form(&parts.headers) };
    address.filter(|address| address.len() <= BACK_MAX).unwrap_or_else(|| "/".to_owned())
}

/// The page of this site that a form stood on, as the browser says.
fn page_of_form(headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let ours = page.authority().is_some_and(|from| from.as_str() == host);
    page.path_and_query().filter(|_| ours).map(|address| address.as_str().to_owned())
}

/// The person's contract.
async fn contract_of(state: &WebState, person: &Administrator) -> Result<Option<Contract>, WebError> {
    match person.data.contract {
        Some(id) => Ok(state.store.contract_by_id(id).await?),
        None => Ok(None),
    }
}

fn who(person: &Administrator, subject: Subject, contract: Option<&Contract>) -> Who {
    Who {
        name: person.data.display_name.clone(),
        login: person.data.login.clone(),
        subject,
        contract: contract.map(|contract| (contract.name.clone(), contract.code.clone())),
    }
}

impl Visit {
    /// Finds out who asks.
    ///
    /// # Errors
    /// [`WebError::SignInFirst`] when nobody is signed in, or somebody who may not be any more.
    pub(super) async fn read(parts: &Parts, state: &WebState) -> Result<Self, WebError> {
        let nobody = || sign_in_first(parts, Before::Session);
        let session = parts.extensions.get::<Session>().cloned().ok_or_else(nobody)?;
        let id = session.get::<String>(PERSON).await?.and_then(|id| AdministratorId::parse(&id));
        let Some(id) = id else { return Err(sign_in_first(parts, how_it_ended(&session).await?)) };
        let person = state.store.administrator_by_id(id).await?.ok_or_else(nobody)?;
        let subject = Subject::of(&person);
        let mut chrome = Chrome::anonymous(state, &parts.uri, &parts.headers);
        subject.in_force(chrome.today()).map_err(|_| nobody())?;
        let contract = contract_of(state, &person).await?;
        if let Some(contract) = &contract {
            chrome.follow(&contract.settings, &parts.headers);
        }
        chrome.who = Some(who(&person, subject, contract.as_ref()));
        let about = session.get::<About>(ABOUT).await?.unwrap_or_default();
        if about.is_over(chrome.now) {
            return Err(nobody());
        }
        let own = contract.as_ref().map(|contract| contract.settings.idle_minutes);
        let idle_minutes = own.unwrap_or(state.operators_idle_minutes);
        let chosen = contract.as_ref().and_then(|contract| contract.settings.day_begins_minutes);
        let day_begins_minutes = chosen.map_or(state.day_boundary_minutes, u32::from);
        let seen = session.get::<i64>(SEEN).await?.map(UtcMillis);
        let visit = Self {
            person,
            contract,
            subject,
            day_begins_minutes,
            idle_minutes,
            seen,
            chrome,
            about,
            session,
        };
        visit.end_when_idle(parts).await?;
        Ok(visit)
    }

    /// Ends the session in which nobody has done anything for too long.
    async fn end_when_idle(&self, parts: &Parts) -> Result<(), WebError> {
        if !idle::is_over(self.idle_minutes, self.about.last_use(self.seen), self.chrome.now) {
            return Ok(());
        }
        idle::end(&self.session).await?;
        Err(sign_in_first(parts, Before::Idle))
    }

    /// Notes that the person uses the session, when this is a use of it.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub(super) async fn note_use(&mut self, state: &WebState, parts: &Parts) -> Result<(), WebError> {
        let now = self.chrome.now;
        let lately = self.seen.is_some_and(|at| now.0.saturating_sub(at.0) < idle::NOTED_MS);
        if idle::is_use(parts) && !lately {
            self.go_on(state).await?;
        }
        self.chrome.staying = self.staying();
        Ok(())
    }

    /// Notes that the person uses the session now.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub(super) async fn go_on(&mut self, state: &WebState) -> Result<(), WebError> {
        if let Some(id) = self.session_id() {
            state.store.touch_session(&id, self.chrome.now).await?;
            self.seen = Some(self.chrome.now);
        }
        Ok(())
    }

    /// How long the session goes on when nothing more is done in it.
    #[must_use]
    pub fn staying(&self) -> Option<Staying> {
        let used = self.about.last_use(self.seen);
        Staying::of(self.idle_minutes, used, self.about.ends(), self.chrome.now)
    }

    /// Refuses everything but setting up a second factor to whoever must have one and has none, and everything to a
    /// session that was opened without the one that is there.
    ///
    /// # Errors
    /// [`WebError::SecondFactorFirst`] and [`WebError::SignInFirst`] then, and when the store fails.
    pub(super) async fn check_second_factor(&self, state: &WebState, action: Action) -> Result<(), WebError> {
        if self.about.second || action == Action::SignOut {
            return Ok(());
        }
        let second = state.second_factor(&self.person).await?;
        if second.set_up {
            // Setting it up ends other sessions; one that was being opened just then is stopped here.
            return Err(WebError::SignInFirst { wanted: "/".to_owned(), before: Before::Ended });
        }
        let first = matches!(action, Action::OwnSignInMeans | Action::OwnSession);
        let set_up_first = second.required && !first;
        if set_up_first { Err(WebError::SecondFactorFirst) } else { Ok(()) }
    }

    /// Refuses a change of what somebody signs in with when they have not shown lately who they are.
    ///
    /// # Errors
    /// [`WebError::ConfirmFirst`] then.
    pub fn check_fresh(&self) -> Result<(), WebError> {
        if self.is_fresh() { Ok(()) } else { Err(WebError::ConfirmFirst) }
    }

    /// Whether the person has shown lately who they are.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        (0..=FRESH_MS).contains(&self.chrome.now.0.saturating_sub(self.about.at))
    }

    /// Notes that the person has shown again who they are, `second` for by a second factor; the session goes on under
    /// a new id.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn renew(&mut self, second: bool) -> Result<(), WebError> {
        self.about.at = self.chrome.now.0;
        self.about.second |= second;
        self.go_on_anew().await
    }

    /// Goes on under a new id, without the person having shown anything.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn go_on_anew(&self) -> Result<(), WebError> {
        self.session.cycle_id().await?;
        self.session.insert(ABOUT, &self.about).await?;
        Ok(self.session.save().await?)
    }

    /// The person.
    #[must_use]
    pub fn person(&self) -> &Administrator {
        &self.person
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The session's id as the store has it.
    #[must_use]
    pub fn session_id(&self) -> Option<String> {
        self.session.id().map(|id| sessions::stored(&id))
    }

    /// How far the person may go with `action`.
    ///
    /// # Errors
    /// [`WebError::Forbidden`] when they may not.
    pub fn permit(&self, action: Action) -> Result<Reach, WebError> {
        Ok(access::reach(&self.subject, action, self.chrome.today())?)
    }

    /// Whether the person may do `action`, so that its button is shown.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.permit(action).is_ok()
    }

    /// 契約主コード of the person's contract; empty for operators.
    #[must_use]
    pub fn contract_code(&self) -> String {
        self.contract.as_ref().map(|contract| contract.code.clone()).unwrap_or_default()
    }

    /// Whether this is the person themselves.
    #[must_use]
    pub fn is(&self, person: AdministratorId) -> bool {
        self.person.id == person
    }

    /// Who acts, for the audit log.
    #[must_use]
    pub fn act(&self) -> Act {
        Act::administrator(&self.person.data.login, self.chrome.now)
    }

    /// Which employee the person is, when they are one.
    #[must_use]
    pub fn employee(&self) -> Option<EmployeeId> {
        self.subject.employee
    }

    /// Notes that the person looked at somebody's record on `page`: once an hour. One's own is nobody's business, and
    /// nobody's record is none.
    ///
    /// # Errors
    /// When the store fails: what cannot be noted is not shown.
    pub async fn looked_at(
        &self,
        state: &WebState,
        contract: ContractId,
        employee: Option<EmployeeId>,
        page: &'static str,
    ) -> Result<(), WebError> {
        let Some(employee) = employee.filter(|employee| self.subject.employee != Some(*employee)) else {
            return Ok(());
        };
        state.store.note_view(contract, employee, page, self.act()).await?;
        Ok(())
    }

    /// Notes that the person opened a list of attendance (`punches`, `employees`) with these conditions, a query without
    /// a place in the list: once an hour for each.
    ///
    /// # Errors
    /// When the store fails: what cannot be noted is not shown.
    pub async fn opened(
        &self,
        state: &WebState,
        contract: ContractId,
        list: &'static str,
        conditions: String,
    ) -> Result<(), WebError> {
        let detail = serde_json::json!({ "conditions": conditions });
        state.store.note_hourly(contract, "view_list", list, detail, self.act()).await?;
        Ok(())
    }

    /// Until when a night belongs to the day before, in minutes after midnight: as the contract has chosen, else as the server
    /// is set.
    #[must_use]
    pub fn day_begins_minutes(&self) -> u32 {
        self.day_begins_minutes
    }

    /// Minutes without use after which this person's sessions end; absent for never.
    #[must_use]
    pub fn idle_minutes(&self) -> Option<u16> {
        self.idle_minutes
    }

    /// What the person's contract has chosen; the defaults for operators.
    #[must_use]
    pub fn settings(&self) -> ContractSettings {
        self.contract.as_ref().map(|contract| contract.settings).unwrap_or_default()
    }

    /// The person's contract; absent for operators.
    #[must_use]
    pub fn own_contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    /// Notes that a file was taken in, so that the same form sent again is told from one of nobody's file.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn note_taken(&self, import: &str) -> Result<(), WebError> {
        Ok(self.session.insert(TAKEN, import).await?)
    }

    /// Whether this session has taken in that file, last of all.
    ///
    /// # Errors
    /// When the session cannot be read.
    pub async fn has_taken(&self, import: &str) -> Result<bool, WebError> {
        Ok(self.session.get::<String>(TAKEN).await?.is_some_and(|taken| taken == import))
    }

    /// Leaves a message for the next page.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn leave(&self, banner: Banner) -> Result<(), WebError> {
        leave(&self.session, banner).await
    }

    /// Puts the message of the page before into the surroundings. It stays in the session until a page has shown it
    /// ([`forget_banner`]); what a script asks for is no page.
    ///
    /// # Errors
    /// When the session cannot be read.
    pub(super) async fn pick_up(&mut self, headers: &HeaderMap) -> Result<(), WebError> {
        if is_for_a_person(headers) {
            self.chrome.banner = self.session.get(BANNER).await?;
        }
        Ok(())
    }
}
