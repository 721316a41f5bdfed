//! What an administrator does about other people's second factors: whose role must have one, taking them away from
//! somebody who has lost them, ending somebody's sessions. All of it stands in the audit log.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{Refusal, Role, StoreError};

use super::super::WebState;
use super::super::chrome::{Banner, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::one::{Case, done, refuse_plain};
use crate::access::Action;

/// Roles of people in a contract.
pub const ROLES: [Role; 6] = [
    Role::Administrator,
    Role::HumanResources,
    Role::InformationTechnology,
    Role::Approver,
    Role::Auditor,
    Role::Employee,
];

/// `POST /administrators/second-factor`: which roles must have a second factor.
///
/// # Errors
/// [`WebError`] when the person may not, a role is none, or the store fails.
pub async fn require(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SecondFactorsRequire)?.contract()?;
    let role = |name| Role::from_name(name).filter(|role| ROLES.contains(role)).ok_or(WebError::BadForm);
    let roles = fields.all("role").map(role).collect::<Result<Vec<_>, _>>()?;
    state.store.require_second_factor(contract, roles, visit.act()).await?;
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t("require-saved"), String::new())).await?;
    Ok(Redirect::to("/administrators").into_response())
}

/// `POST /administrators/{person}/reset-means`
///
/// # Errors
/// [`WebError`] when the person may not, it is themselves, there is no such one, or the store fails.
pub async fn reset(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    if visit.is(case.person.id) {
        return Err(WebError::BadForm);
    }
    match state.store.reset_means(case.contract, case.person.id, visit.act()).await {
        Err(StoreError::Refused(Refusal::LastOne { .. })) => {
            let text = visit.chrome.t(case.key("person-last-means", "operator-last-means"));
            refuse_plain(case, visit, text)
        }
        reset => {
            reset?;
            done(&visit, "person-means-reset", &case.person).await
        }
    }
}

/// `POST /administrators/{person}/end-sessions`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such one, or the store fails.
pub async fn end_sessions(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    let keep = visit.session_id().filter(|_| visit.is(case.person.id));
    state.store.end_sessions(case.person.id, keep, visit.act()).await?;
    done(&visit, "person-sessions-ended", &case.person).await
}

/// `POST /administrators/{person}/end-tokens`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such one, or the store fails.
pub async fn end_tokens(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    state.store.end_tokens(case.person.id, visit.act()).await?;
    done(&visit, "person-tokens-ended", &case.person).await
}
