//! Who a request belongs to, and what they may do.
//!
//! The cookie holds a random id and nothing else. What a person may do is read from the store with every
//! request, so a changed role or a removed person counts at once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use mngntime_store::{Act, Administrator, AdministratorId, Contract, ContractId};
use tower_sessions::Session;

use super::WebState;
use super::chrome::{BACK_MAX, Banner, Chrome, Who};
use super::errors::{Need, WebError};

/// Name of the session cookie.
pub const COOKIE: &str = "mngntime_session";
/// A session ends this long after signing in: a working day. It is not prolonged by requests, because that
/// would make every page a write to disk.
pub const HOURS: i64 = 12;

const PERSON: &str = "person";
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
    /// Who.
    pub person: Administrator,
    /// Their contract; absent for operators.
    pub contract: Option<Contract>,
    /// Surroundings of the page.
    pub chrome: Chrome,
    session: Session,
}

impl FromRequestParts<WebState> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, WebError> {
        let nobody = || WebError::SignInFirst { wanted: wanted(parts) };
        let session = parts.extensions.get::<Session>().cloned().ok_or_else(nobody)?;
        let id = session.get::<String>(PERSON).await?.and_then(|id| AdministratorId::parse(&id));
        let id = id.ok_or_else(nobody)?;
        let person = state.store.administrator_by_id(id).await?.ok_or_else(nobody)?;
        let code = session.get::<Option<String>>(CONTRACT).await?.flatten();
        let contract = contract_of(state, &person, code.as_deref()).await?;
        let mut chrome = Chrome::anonymous(state, &parts.uri, &parts.headers);
        chrome.who = Some(who(&person, contract.as_ref()));
        Ok(Self { person, contract, chrome, session })
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

fn who(person: &Administrator, contract: Option<&Contract>) -> Who {
    Who {
        name: person.data.display_name.clone(),
        login: person.data.login.clone(),
        role: person.data.role,
        contract: contract.map(|contract| (contract.name.clone(), contract.code.clone())),
    }
}

impl Visit {
    fn allowed(&self, allowed: bool, need: Need) -> Result<ContractId, WebError> {
        let Some(contract) = &self.contract else {
            return Err(WebError::Forbidden(Need::Contract));
        };
        if allowed { Ok(contract.id) } else { Err(WebError::Forbidden(need)) }
    }

    /// The contract, when the person may see punches and people.
    ///
    /// # Errors
    /// [`WebError::Forbidden`] otherwise.
    pub fn reads_attendance(&self) -> Result<ContractId, WebError> {
        self.allowed(self.person.data.role.reads_attendance(), Need::Attendance)
    }

    /// The contract, when the person may change people and links.
    ///
    /// # Errors
    /// [`WebError::Forbidden`] otherwise.
    pub fn changes_people(&self) -> Result<ContractId, WebError> {
        self.allowed(self.person.data.role.changes_people(), Need::People)
    }

    /// The contract, when the person may see terminals.
    ///
    /// # Errors
    /// [`WebError::Forbidden`] otherwise.
    pub fn reads_terminals(&self) -> Result<ContractId, WebError> {
        self.allowed(self.person.data.role.reads_terminals(), Need::Terminals)
    }

    /// The contract, when the person may block terminals.
    ///
    /// # Errors
    /// [`WebError::Forbidden`] otherwise.
    pub fn changes_terminals(&self) -> Result<ContractId, WebError> {
        self.allowed(self.person.data.role.changes_terminals(), Need::TerminalChanges)
    }

    /// Whether buttons that change people are shown.
    #[must_use]
    pub fn may_change_people(&self) -> bool {
        self.changes_people().is_ok()
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
