//! `/contracts/{contract}/administrator`: the first person who may say who else signs in to a contract.
//!
//! The operator hands a set-up link over and never knows the password. Only a contract in which nobody can do so yet
//! gets somebody here; from then on its own administrators say who signs in, and the operator stays outside. The
//! contract's audit log tells of it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{AdministratorName, Contract, Refusal, StoreError};

use super::WebState;
use super::administrators::Link;
use super::chrome::{Banner, Place, Tone};
use super::contracts::{find, operator};
use super::errors::WebError;
use super::fields::Fields;
use super::flaws::name_error;
use super::session::Visit;
use super::views;
use crate::access::Action;
use crate::invitation::{self, InviteError};
use crate::logins;

/// What the operator typed, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Login.
    pub login: String,
    /// Name.
    pub name: String,
    /// What is wrong with the login.
    pub login_error: String,
    /// What is wrong with the name.
    pub name_error: String,
}

/// `GET /contracts/{contract}/administrator`
///
/// # Errors
/// [`WebError`] when the person may not change contracts, there is no such contract, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    operator(visit.permit(Action::ContractsChange)?)?;
    let contract = find(&state, &id).await?;
    let counts = state.store.contract_counts(vec![contract.id], visit.chrome.today()).await?;
    if counts.iter().any(|counts| counts.administered) {
        return there_is_one(&visit, &contract).await;
    }
    Ok(view(visit, &contract, Draft::default(), None).render_page()?.into_response())
}

/// `POST /contracts/{contract}/administrator`
///
/// # Errors
/// [`WebError`] when the person may not change contracts, there is no such contract, or the store fails.
pub async fn invite(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    operator(visit.permit(Action::ContractsChange)?)?;
    let (contract, c) = (find(&state, &id).await?, visit.chrome.clone());
    let (login, name) = (logins::meant(fields.text("login")), fields.text("name").to_owned());
    let name_error = name_error(&name, "employee-name-missing", &c);
    let login_error = logins::error(&login, c.words());
    let mut draft = Draft { login, name, name_error, login_error };
    if !draft.login_error.is_empty() || !draft.name_error.is_empty() {
        return again(visit, &contract, draft);
    }
    let whom = AdministratorName { login: draft.login.clone(), display: draft.name.clone() };
    match invitation::invite_first(state.store.as_ref(), contract.id, whom, visit.act()).await {
        Ok(made) => {
            let link = Link::new(&state, &headers, &draft.login, &made);
            Ok(view(visit, &contract, Draft::default(), Some(link)).render_page()?.into_response())
        }
        Err(InviteError::Store(StoreError::Refused(Refusal::Taken { code, .. }))) => {
            draft.login_error = c.v("employee-taken", "code", code);
            again(visit, &contract, draft)
        }
        Err(InviteError::Store(StoreError::Refused(Refusal::Missing { .. }))) => {
            there_is_one(&visit, &contract).await
        }
        Err(error) => Err(error.into()),
    }
}

fn again(visit: Visit, contract: &Contract, draft: Draft) -> Result<Response, WebError> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, view(visit, contract, draft, None).render_page()?).into_response())
}

/// Somebody signs in to the contract already: whom else it has is for them to say.
async fn there_is_one(visit: &Visit, contract: &Contract) -> Result<Response, WebError> {
    let c = &visit.chrome;
    let title = c.v("contract-administered", "code", &contract.code);
    visit.leave(Banner::new(Tone::Warn, title, c.t("contract-administered-text"))).await?;
    Ok(Redirect::to("/contracts").into_response())
}

fn view(visit: Visit, contract: &Contract, draft: Draft, link: Option<Link>) -> views::FirstAdministrator {
    let address = format!("/contracts/{}/administrator", contract.id.0);
    views::FirstAdministrator {
        c: visit.chrome.at(Place::Contracts).reached_by(&address),
        contract: format!("{} {}", contract.code, contract.name),
        address,
        draft,
        link,
    }
}
