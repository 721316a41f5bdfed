//! Who a request belongs to, and what they may do.
//!
//! The cookie holds a random id and nothing else. What a person may do is read from the store with every
//! request, so a changed role, a disabled person and a date that has passed count at once. A contract's id leaves this
//! module only as a [`Reach`].

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use mngntime_store::{Act, Administrator, AdministratorId, Contract};
use tower_sessions::Session;

use super::WebState;
use super::chrome::{BACK_MAX, Banner, Chrome, Who};
use super::errors::WebError;
use crate::access::{self, Action, Reach, Subject};
use crate::sessions::PERSON;

/// Name of the session cookie.
pub const COOKIE: &str = "mngntime_session";
/// A session ends this long after signing in: a working day. It is not prolonged by requests, because that
/// would make every page a write to disk.
pub const HOURS: i64 = 12;

const CONTRACT: &str = "contract";
const BANNER: &str = "banner";

/// Puts `person` into the session, under a new id: one that somebody planted before is worth nothing.
///
/// # Errors
/// When the session cannot be written.
pub async fn sign_in(
    session: &Session,
    person: &Administrator,
    contract: Option<&str>,
) -> Result<(), WebError> {
    session.cycle_id().await?;
    session.insert(PERSON, person.id.to_string()).await?;
    session.insert(CONTRACT, contract).await?;
    session.save().await?;
    Ok(())
}

/// A request of a signed-in person.
#[derive(Debug, Clone)]
pub struct Visit {
    person: Administrator,
    contract: Option<Contract>,
    subject: Subject,
    /// Surroundings of the page.
    pub chrome: Chrome,
    session: Session,
}

/// The guard has put it there; behind a public route there is none.
impl FromRequestParts<WebState> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, WebError> {
        let nobody = || WebError::SignInFirst { wanted: wanted(parts) };
        parts.extensions.get::<Self>().cloned().ok_or_else(nobody)
    }
}

/// Only reading requests can be repeated after signing in.
fn wanted(parts: &Parts) -> String {
    let address = parts.uri.path_and_query().map(|address| address.as_str());
    let repeatable = parts.method == axum::http::Method::GET;
    address.filter(|address| repeatable && address.len() <= BACK_MAX).unwrap_or("/").to_owned()
}

/// The person's contract, found by the code noted at sign-in, else among all.
///
/// # Errors
/// When the store fails.
pub async fn contract_of(
    state: &WebState,
    person: &Administrator,
    code: Option<&str>,
) -> Result<Option<Contract>, WebError> {
    let Some(id) = person.data.contract else {
        return Ok(None);
    };
    if let Some(code) = code
        && let Some(contract) = state.store.contract(code).await?
        && contract.id == id
    {
        return Ok(Some(contract));
    }
    Ok(state.store.list_contracts().await?.into_iter().find(|contract| contract.id == id))
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
        let nobody = || WebError::SignInFirst { wanted: wanted(parts) };
        let session = parts.extensions.get::<Session>().cloned().ok_or_else(nobody)?;
        let id = session.get::<String>(PERSON).await?.and_then(|id| AdministratorId::parse(&id));
        let id = id.ok_or_else(nobody)?;
        let person = state.store.administrator_by_id(id).await?.ok_or_else(nobody)?;
        let subject = Subject::of(&person);
        let mut chrome = Chrome::anonymous(state, &parts.uri, &parts.headers);
        subject.in_force(chrome.today()).map_err(|_| nobody())?;
        let code = session.get::<Option<String>>(CONTRACT).await?.flatten();
        let contract = contract_of(state, &person, code.as_deref()).await?;
        chrome.who = Some(who(&person, subject, contract.as_ref()));
        Ok(Self { person, contract, subject, chrome, session })
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

    /// Who it is.
    #[must_use]
    pub fn person(&self) -> AdministratorId {
        self.person.id
    }

    /// Who acts, for the audit log.
    #[must_use]
    pub fn act(&self) -> Act {
        Act::administrator(&self.person.data.login, self.chrome.now)
    }

    /// Leaves a message for the next page.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn leave(&self, banner: Banner) -> Result<(), WebError> {
        Ok(self.session.insert(BANNER, banner).await?)
    }

    /// Takes the message of the page before, into the surroundings.
    ///
    /// # Errors
    /// When the session cannot be read.
    pub async fn pick_up(&mut self) -> Result<(), WebError> {
        self.chrome.banner = self.session.remove(BANNER).await?;
        Ok(())
    }
}
