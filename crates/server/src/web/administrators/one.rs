//! One person who signs in: role, reach, dates, disabling, a new set-up link.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::UtcMillis;
use mngntime_store::{
    Administrator, AdministratorChange, AdministratorId, ContractId, Means, Refusal, StoreError,
};

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Place, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::super::views;
use super::{Draft, Link, Names, is_endless, state_of, waits_text};
use crate::access::Action;
use crate::invitation;

/// A request about one person.
pub(super) struct Case {
    /// Absent for operators.
    pub(super) contract: Option<ContractId>,
    pub(super) person: Administrator,
    names: Names,
    means: Means,
    /// Until when the login has to wait after too many failures.
    waits: Option<UtcMillis>,
}

impl Case {
    /// The first key for somebody of a contract, the second for an operator.
    pub(super) fn key(&self, person: &'static str, operator: &'static str) -> &'static str {
        if self.contract.is_some() { person } else { operator }
    }

    pub(super) async fn read(state: &WebState, visit: &Visit, id: &str) -> Result<Self, WebError> {
        let contract = visit.permit(Action::AdministratorsChange)?.contract_or_server()?;
        let id = AdministratorId::parse(id).ok_or(WebError::NotFound)?;
        let person = state.store.administrator_by_id(id).await?;
        let person = person.filter(|person| person.data.contract == contract);
        let person = person.ok_or(WebError::NotFound)?;
        let means = state.store.means(person.id).await?;
        let waits = state.store.waits(vec![person.data.login.clone()], visit.chrome.now).await?;
        let mut names = Names::read(state, contract).await?;
        if let Some((contract, employee)) = contract.zip(person.data.employee) {
            names.employees.extend(state.store.employee(contract.into(), employee).await?);
        }
        let waits = waits.into_iter().next().flatten();
        Ok(Self { contract, person, names, means, waits })
    }

    fn page(self, mut visit: Visit, draft: Draft, link: Option<Link>) -> views::OneAdministrator {
        visit.chrome = visit.chrome.at(Place::Administrators).reached_by(&address(&self.person));
        let (state, key) = state_of(&self.person, &visit.chrome);
        views::OneAdministrator {
            login: self.person.data.login.clone(),
            address: address(&self.person),
            myself: visit.is(self.person.id),
            means: means_text(&visit.chrome, &self.means),
            has_means: self.means != Means::default(),
            tokens: live_tokens(&visit.chrome, &self.means),
            disabled: self.person.disabled_at.is_some(),
            endless: is_endless(&self.person.data),
            state,
            state_text: visit.chrome.t(key),
            waits: waits_text(&visit.chrome, self.waits),
            choices: draft.choices(&self.names, &visit.chrome),
            draft,
            link,
            c: visit.chrome,
        }
    }
}

/// What somebody signs in with besides the password, in words.
fn means_text(c: &Chrome, means: &Means) -> String {
    let mut parts = Vec::new();
    if means.totp.is_some() {
        parts.push(c.t("totp-title"));
    }
    if !means.passkeys.is_empty() {
        parts.push(c.n("passkeys-count", means.passkeys.len()));
    }
    if parts.is_empty() { c.t("second-none") } else { parts.join(" · ") }
}

/// How many tokens of programs count now.
fn live_tokens(c: &Chrome, means: &Means) -> usize {
    means.tokens.iter().filter(|token| c.now < token.expires_at).count()
}

fn address(person: &Administrator) -> String {
    format!("/administrators/{}", person.id)
}

/// `GET /administrators/{person}`
///
/// # Errors
/// [`WebError`] when the person may not change anybody, there is no such one, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    let draft = Draft::of(&case.person, &case.names);
    Ok(case.page(visit, draft, None).render_page()?.into_response())
}

/// `POST /administrators/{person}`
///
/// # Errors
/// [`WebError`] when the person may not change anybody, there is no such one, or the store fails.
pub async fn change(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let mut case = Case::read(&state, &visit, &id).await?;
    case.names.look_up(&state, fields.text("employee")).await?;
    let (mut draft, change) = Draft::check(&fields, &case.names, &visit.chrome);
    draft.login.clone_from(&case.person.data.login);
    let before = &case.person.data;
    let keeps = |change: &AdministratorChange| {
        (change.role, change.valid_from, change.valid_until)
            == (before.role, before.valid_from, before.valid_until)
    };
    if visit.is(case.person.id) && change.as_ref().is_some_and(|change| !keeps(change)) {
        draft.role_error = visit.chrome.t(own_role(&case));
    }
    let Some(change) = change.filter(|_| draft.role_error.is_empty()) else {
        let why = Banner::new(Tone::Error, visit.chrome.t("person-unchanged"), String::new());
        return refuse(case, visit, draft, why);
    };
    match state.store.change_administrator(case.contract, case.person.id, change, visit.act()).await {
        Err(StoreError::Refused(Refusal::LastOne { .. })) => {
            draft.role_error = visit.chrome.t(last(&case));
            refuse_last(case, visit, draft)
        }
        changed => {
            changed?;
            done(&visit, "person-changed", &case.person).await
        }
    }
}

/// Key of why somebody does not change their own rights.
fn own_role(case: &Case) -> &'static str {
    case.key("person-own-role", "operator-own-role")
}

/// Key of why the last one stays.
fn last(case: &Case) -> &'static str {
    case.key("person-last", "operator-last")
}

/// The page again: without this person nobody would be left who says who may do what.
fn refuse_last(case: Case, visit: Visit, draft: Draft) -> Result<Response, WebError> {
    let c = &visit.chrome;
    let title = c.t(case.key("person-last-title", "operator-last-title"));
    let why = Banner::new(Tone::Error, title, c.t(last(&case)));
    refuse(case, visit, draft, why)
}

/// The page again: nothing has been changed, and why.
fn refuse(case: Case, mut visit: Visit, draft: Draft, why: Banner) -> Result<Response, WebError> {
    visit.chrome.banner = Some(why);
    let page = case.page(visit, draft, None);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// The page as it was, with why nothing has been changed.
pub(super) fn refuse_plain(case: Case, visit: Visit, text: String) -> Result<Response, WebError> {
    let draft = Draft::of(&case.person, &case.names);
    let why = Banner::new(Tone::Error, visit.chrome.t("person-unchanged"), text);
    refuse(case, visit, draft, why)
}

/// `POST /administrators/{person}/disable`
///
/// # Errors
/// [`WebError`] when the person may not, it is themselves, there is no such one, or the store fails.
pub async fn disable(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    if visit.is(case.person.id) {
        return Err(WebError::BadForm);
    }
    match state.store.set_disabled(case.contract, case.person.id, true, visit.act()).await {
        Err(StoreError::Refused(Refusal::LastOne { .. })) => {
            let draft = Draft::of(&case.person, &case.names);
            refuse_last(case, visit, draft)
        }
        disabled => {
            disabled?;
            done(&visit, "person-disabled-now", &case.person).await
        }
    }
}

/// `POST /administrators/{person}/enable`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such one, or the store fails.
pub async fn enable(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    state.store.set_disabled(case.contract, case.person.id, false, visit.act()).await?;
    done(&visit, "person-enabled-now", &case.person).await
}

/// `POST /administrators/{person}/setup-link`: a new one, also for somebody who has forgotten the password.
///
/// # Errors
/// [`WebError`] when the person may not, there is no such one or they are disabled, or the store fails.
pub async fn set_up(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let case = Case::read(&state, &visit, &id).await?;
    let store = state.store.as_ref();
    let made = invitation::invite(store, case.contract, case.person.id, visit.act()).await?;
    let link = Link::new(&state, &headers, &case.person.data.login, &made);
    let draft = Draft::of(&case.person, &case.names);
    Ok(case.page(visit, draft, Some(link)).render_page()?.into_response())
}

pub(super) async fn done(visit: &Visit, key: &str, person: &Administrator) -> Result<Response, WebError> {
    let title = visit.chrome.v(key, "who", &person.data.login);
    visit.leave(Banner::new(Tone::Ok, title, String::new())).await?;
    Ok(Redirect::to("/administrators").into_response())
}
