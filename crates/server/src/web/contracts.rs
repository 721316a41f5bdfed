//! 契約: what the operator does: making, renaming, suspending contracts, and the option of logon punches.
//!
//! No attendance: a contract is seen as counts. What is done to a contract is noted in that contract's audit log, where
//! its own people see it.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::ContractCode;
use mngntime_store::{
    Contract, ContractCounts, ContractId, ContractStatus, KeyHash, NewContract, Refusal, StoreError,
};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::flaws::name_error;
use super::once;
use super::pages::{ROWS, beside_text, turned};
use super::session::Visit;
use super::times;
use super::views;
use crate::access::{Action, Reach};

/// A contract, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// 契約主コード.
    pub code: String,
    /// Name.
    pub name: String,
    /// Class and drawing of the state.
    pub state: &'static str,
    /// The state in words.
    pub state_text: String,
    /// Whether it includes logon punches.
    pub option: bool,
    /// What it holds.
    pub counts: ContractCounts,
    /// When it was made.
    pub since: String,
    /// Address that changes it.
    pub address: String,
    /// Whether it may be used.
    pub active: bool,
}

/// What somebody typed to make a contract, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// 契約主コード.
    pub code: String,
    /// Name.
    pub name: String,
    /// What is wrong with the code.
    pub code_error: String,
    /// What is wrong with the name.
    pub name_error: String,
    /// The secret of the form, sealed.
    pub once: String,
}

/// A contract that has just been made, with its enrolment key, which is shown once.
#[derive(Clone)]
pub struct Made {
    /// Its code.
    pub code: String,
    /// Its key.
    pub key: String,
    /// Where its first administrator is invited.
    pub invite: String,
}

/// A key is a secret: not for logs.
impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Only the server's own people get here.
pub(super) fn operator(reach: Reach) -> Result<(), WebError> {
    if reach == Reach::Server { Ok(()) } else { Err(crate::access::Denied::TooFar.into()) }
}

/// `GET /contracts`
///
/// # Errors
/// [`WebError`] when the person may not see contracts or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    operator(visit.permit(Action::ContractsRead)?)?;
    let fields = Fields::of_query(&uri)?;
    Ok(view(&state, visit, &fields, Draft::default(), None).await?.render_page()?.into_response())
}

/// `POST /contracts`
///
/// # Errors
/// [`WebError`] when the person may not make contracts or the store fails.
pub async fn make(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    operator(visit.permit(Action::ContractsChange)?)?;
    let c = visit.chrome.clone();
    let mut draft = Draft {
        code: fields.code("code"),
        name: fields.text("name").to_owned(),
        code_error: String::new(),
        name_error: name_error(fields.text("name"), "settings-name-missing", &c),
        once: once::again(&state, &visit, &fields)?,
    };
    let code = ContractCode::new(&draft.code).map_err(|_| draft.code_error = c.t("contract-code-wrong"));
    let (Ok(code), true) = (code, draft.name_error.is_empty()) else {
        return again(&state, visit, draft).await;
    };
    // The form sent once more, or loaded again, is answered with the same key.
    let key = once::secret(&state, &visit, &fields)?;
    let new = NewContract { code, name: draft.name.clone(), key: KeyHash::of(&key) };
    match state.store.create_contract(new, visit.act()).await {
        Ok(id) => {
            let invite = format!("/contracts/{}/administrator", id.0);
            let made = Some(Made { code: draft.code, key, invite });
            let page = view(&state, visit, &Fields::default(), Draft::default(), made).await?;
            Ok(page.render_page()?.into_response())
        }
        Err(StoreError::Refused(Refusal::Taken { code, .. })) => {
            draft.code_error = c.v("employee-taken", "code", code);
            again(&state, visit, draft).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn again(state: &WebState, visit: Visit, draft: Draft) -> Result<Response, WebError> {
    let page = view(state, visit, &Fields::default(), draft, None).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// The contract with the number in an address.
pub(super) async fn find(state: &WebState, text: &str) -> Result<Contract, WebError> {
    let id = text.parse().map(ContractId).map_err(|_| WebError::NotFound)?;
    state.store.contract_by_id(id).await?.ok_or(WebError::NotFound)
}

/// `POST /contracts/{contract}`: name and option.
///
/// # Errors
/// [`WebError`] when the person may not, there is no such contract, or the store fails.
pub async fn change(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    operator(visit.permit(Action::ContractsChange)?)?;
    let contract = find(&state, &id).await?;
    let name = fields.text("name").to_owned();
    let wrong = name_error(&name, "settings-name-missing", &visit.chrome);
    if !wrong.is_empty() {
        visit.chrome.banner = Some(Banner::new(Tone::Error, visit.chrome.t("contract-unchanged"), wrong));
        return again(&state, visit, Draft::default()).await;
    }
    let option = fields.text("option") == "1";
    state.store.rename_contract(contract.id, name, visit.act()).await?;
    let rejudged = state.store.set_logon_punch_option(contract.id, option, visit.act()).await?;
    done(&visit, "contract-changed", &contract.code, rejudged).await
}

/// `POST /contracts/{contract}/suspend`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such contract, or the store fails.
pub async fn suspend(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    set_status(&state, &visit, &id, ContractStatus::Suspended, "contract-suspended-now").await
}

/// `POST /contracts/{contract}/resume`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such contract, or the store fails.
pub async fn resume(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    set_status(&state, &visit, &id, ContractStatus::Active, "contract-resumed").await
}

async fn set_status(
    state: &WebState,
    visit: &Visit,
    id: &str,
    status: ContractStatus,
    said: &str,
) -> Result<Response, WebError> {
    operator(visit.permit(Action::ContractsChange)?)?;
    let contract = find(state, id).await?;
    let rejudged = state.store.set_contract_status(contract.id, status, visit.act()).await?;
    done(visit, said, &contract.code, rejudged).await
}

async fn done(visit: &Visit, said: &str, code: &str, rejudged: u64) -> Result<Response, WebError> {
    let c = &visit.chrome;
    let text = if rejudged == 0 { String::new() } else { c.n("rejudged", rejudged) };
    visit.leave(Banner::new(Tone::Ok, c.v(said, "code", code), text)).await?;
    Ok(Redirect::to("/contracts").into_response())
}

async fn view(
    state: &WebState,
    visit: Visit,
    fields: &Fields,
    mut draft: Draft,
    made: Option<Made>,
) -> Result<views::Contracts, WebError> {
    if draft.once.is_empty() {
        draft.once = once::fresh(state, &visit)?;
    }
    let may_change = visit.may(Action::ContractsChange);
    let mut c = visit.chrome.at(Place::Contracts);
    let q = fields.text("q").to_owned();
    let at = beside_text(fields);
    let page = state.store.contract_page(q.clone(), at.clone(), ROWS).await?;
    let read = async |beside, rows| state.store.contract_page(q.clone(), Some(beside), rows).await;
    let (turns, banner) = turned("/contracts", fields, &page, at.as_ref(), read, &c).await?;
    c.banner = banner.or(c.banner.take());
    let found = page.rows;
    let ids = found.iter().map(|contract| contract.id).collect();
    let counts = state.store.contract_counts(ids, c.today()).await?;
    Ok(views::Contracts {
        rows: found.iter().zip(counts).map(|(contract, counts)| row(contract, counts, &c)).collect(),
        total: state.store.contract_count().await?,
        shown: c.n("shown", found.len()),
        turns,
        q,
        quarantined: state.store.quarantine_report(0).await?.kept,
        may_change,
        draft,
        made,
        c,
    })
}

fn row(contract: &Contract, counts: ContractCounts, c: &Chrome) -> Row {
    let active = contract.status == ContractStatus::Active;
    let (state, key) = if active { ("ok", "contract-active") } else { ("blocked", "contract-suspended") };
    Row {
        code: contract.code.clone(),
        name: contract.name.clone(),
        state,
        state_text: c.t(key),
        option: contract.logon_punch_option,
        counts,
        since: times::tokyo(contract.created_at).date().to_string(),
        address: format!("/contracts/{}", contract.id.0),
        active,
    }
}
