//! 利用者と権限: who signs in to the contract, and adding somebody. Operators have the same pages of each other: whoever
//! signs in to the server itself.
//!
//! Nobody but the person themselves ever knows their password: whoever adds them hands over a set-up link, which
//! the page shows once. Nobody takes their own rights away here, so that a contract does not lose its last
//! administrator by a slip.

mod draft;
pub mod means;
pub mod one;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{
    Administrator, AdministratorRow, ContractId, Department, Employee, NewAdministrator, Refusal, Role,
    StoreError,
};

use super::WebState;
use super::accounts::period;
use super::chrome::{Chrome, Place, role_key};
use super::departments::shown;
use super::errors::WebError;
use super::fields::Fields;
use super::pages::{ROWS, beside_text, turned};
use super::session::Visit;
use super::times;
use super::views;
use crate::access::{Action, Denied, Subject};
use crate::invitation::{self, Invitation};
pub use draft::{Choices, Draft};

/// Somebody, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Login.
    pub login: String,
    /// Name.
    pub name: String,
    /// Role in words.
    pub role: String,
    /// Department and employee, empty for none.
    pub reach: String,
    /// Dates, empty when open.
    pub period: String,
    /// Whether a date is missing that the role needs.
    pub endless: bool,
    /// Class and drawing of the state.
    pub state: &'static str,
    /// The state in words.
    pub state_text: String,
    /// Until when nobody is let in with this login's password after too many failures, in words; empty for not at all.
    pub waits: String,
    /// Address of the page that changes them; absent for who may not.
    pub href: Option<String>,
}

/// A set-up link to be shown, once.
#[derive(Debug, Clone)]
pub struct Link {
    /// For whom.
    pub login: String,
    /// The link.
    pub address: String,
    /// Until when it counts.
    pub until: String,
}

/// What a form names: the departments, which are few, and of the employees those who are meant. Operators have neither.
struct Names {
    contract: Option<ContractId>,
    departments: Vec<Department>,
    employees: Vec<Employee>,
}

impl Names {
    async fn read(state: &WebState, contract: Option<ContractId>) -> Result<Self, WebError> {
        let departments = match contract {
            Some(contract) => state.store.list_departments(contract).await?,
            None => Vec::new(),
        };
        Ok(Self { contract, departments, employees: Vec::new() })
    }

    /// Adds whom a person typed: a code, a name, or both.
    async fn look_up(&mut self, state: &WebState, typed: &str) -> Result<(), WebError> {
        if let Some(contract) = self.contract.filter(|_| !typed.is_empty()) {
            self.employees.extend(state.store.find_employees(contract.into(), typed.to_owned()).await?);
            self.employees.sort_by_key(|employee| employee.id);
            self.employees.dedup_by_key(|employee| employee.id);
        }
        Ok(())
    }
}

/// `GET /administrators`
///
/// # Errors
/// [`WebError`] when the person may not see who signs in or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AdministratorsRead)?.contract_or_server()?;
    let (names, fields) = (Names::read(&state, contract).await?, Fields::of_query(&uri)?);
    let page = view(&state, visit, &names, &fields, Draft::default(), None).await?;
    Ok(page.render_page()?.into_response())
}

/// `POST /administrators`
///
/// # Errors
/// [`WebError`] when the person may not add anybody or the store fails.
pub async fn add(
    State(state): State<WebState>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AdministratorsChange)?.contract_or_server()?;
    let (c, mut names) = (visit.chrome.clone(), Names::read(&state, contract).await?);
    names.look_up(&state, fields.text("employee")).await?;
    let (mut draft, change) = Draft::check(&fields, &names, &c);
    draft.check_login(&c);
    let Some(change) = change.filter(|_| draft.login_error.is_empty()) else {
        return again(&state, visit, &names, draft).await;
    };
    let new = NewAdministrator {
        display_name: change.display_name,
        department: change.department,
        employee: change.employee,
        valid_from: change.valid_from,
        valid_until: change.valid_until,
        ..NewAdministrator::new(&draft.login, change.role, contract)
    };
    let person = match state.store.create_administrator(new, visit.act()).await {
        Ok(person) => person,
        Err(StoreError::Refused(Refusal::Taken { code, .. })) => {
            draft.login_error = c.v("employee-taken", "code", code);
            return again(&state, visit, &names, draft).await;
        }
        Err(error) => return Err(error.into()),
    };
    let made = invitation::invite(state.store.as_ref(), contract, person, visit.act()).await?;
    let link = Link::new(&state, &headers, &draft.login, &made);
    let page = view(&state, visit, &names, &Fields::default(), Draft::default(), Some(link)).await?;
    Ok(page.render_page()?.into_response())
}

async fn again(state: &WebState, visit: Visit, names: &Names, draft: Draft) -> Result<Response, WebError> {
    let page = view(state, visit, names, &Fields::default(), draft, None).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

impl Link {
    /// The link as `public_url` has it. Only where nobody has set that, as the browser that asks reaches this server: what a
    /// request calls it is what its sender likes.
    pub(super) fn new(state: &WebState, headers: &HeaderMap, login: &str, made: &Invitation) -> Self {
        let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok());
        let scheme = if state.secure { "https" } else { "http" };
        let called = || host.map_or_else(|| state.public_url.clone(), |host| format!("{scheme}://{host}"));
        let server = state.chosen_url.clone().unwrap_or_else(called);
        Self {
            login: login.to_owned(),
            address: format!("{server}{}", made.path()),
            until: times::day_clock(made.expires_at),
        }
    }
}

async fn view(
    state: &WebState,
    mut visit: Visit,
    names: &Names,
    fields: &Fields,
    draft: Draft,
    link: Option<Link>,
) -> Result<views::Administrators, WebError> {
    visit.chrome = visit.chrome.at(Place::Administrators);
    let contract = names.contract;
    let (q, at) = (fields.text("q").to_owned(), beside_text(fields));
    let found = state.store.administrator_page(contract, q.clone(), at.clone(), ROWS).await?;
    let read =
        async |beside, rows| state.store.administrator_page(contract, q.clone(), Some(beside), rows).await;
    let (turns, banner) = turned("/administrators", fields, &found, at.as_ref(), read, &visit.chrome).await?;
    visit.chrome.banner = banner.or(visit.chrome.banner.take());
    let people = found.rows;
    let logins = people.iter().map(|found| found.person.data.login.clone()).collect();
    let waits = state.store.waits(logins, visit.chrome.now).await?;
    let required = match contract {
        Some(contract) => Some(state.store.second_factor_roles(contract).await?),
        None => None,
    };
    let (c, may_change) = (&visit.chrome, visit.may(Action::AdministratorsChange));
    Ok(views::Administrators {
        rows: people.iter().zip(waits).map(|(found, waits)| row(found, waits, c, may_change)).collect(),
        total: state.store.administrator_count(contract).await?,
        shown: c.n("shown-people", people.len()),
        turns,
        q,
        choices: draft.choices(names, c),
        second_factor: required.map(|required| second_factor_choices(c, &required)).unwrap_or_default(),
        of_server: contract.is_none(),
        may_change,
        draft,
        link,
        c: visit.chrome,
    })
}

/// Roles, chosen when they must have a second factor.
fn second_factor_choices(c: &Chrome, required: &[Role]) -> Vec<views::Choice> {
    let choice = |role: &Role| views::Choice::new(role.name(), c.t(role_key(*role)), required.contains(role));
    means::ROLES.iter().map(choice).collect()
}

/// Until when a login has to wait, in words; empty when it need not.
fn waits_text(c: &Chrome, until: Option<UtcMillis>) -> String {
    until.map(|until| c.v("person-waits", "time", times::clock(until))).unwrap_or_default()
}

fn row(found: &AdministratorRow, waits: Option<UtcMillis>, c: &Chrome, may_change: bool) -> Row {
    let person = &found.person;
    let data = &person.data;
    let (state, key) = state_of(person, c);
    let named = [&found.department, &found.employee].into_iter().flatten();
    let reach: Vec<_> = named.map(|(code, name)| shown(code, name)).collect();
    Row {
        login: data.login.clone(),
        name: data.display_name.clone(),
        role: c.t(role_key(data.role)),
        reach: reach.join(" · "),
        period: dates(data.valid_from, data.valid_until),
        endless: is_endless(data),
        state,
        state_text: c.t(key),
        waits: waits_text(c, waits),
        href: may_change.then(|| format!("/administrators/{}", person.id)),
    }
}

/// An auditor from before the date was asked for: they stay, and the pages say so.
fn is_endless(data: &NewAdministrator) -> bool {
    data.role == Role::Auditor && data.valid_until.is_none()
}

fn dates(from: Option<Date>, until: Option<Date>) -> String {
    match (from, until) {
        (None, None) => String::new(),
        (Some(from), until) => period(from, until),
        (None, Some(until)) => format!("〜{until}"),
    }
}

/// Class and key of somebody's state.
fn state_of(person: &Administrator, c: &Chrome) -> (&'static str, &'static str) {
    match Subject::of(person).in_force(c.today()) {
        Err(Denied::TooEarly) => ("late", "person-early"),
        Err(Denied::TooLate) => ("silent", "person-over"),
        Err(Denied::Disabled | Denied::Role(_) | Denied::NoRecord | Denied::TooFar) => {
            ("blocked", "person-disabled")
        }
        Ok(()) if person.data.password_hash.is_some() => ("ok", "person-active"),
        Ok(()) if person.setup_expires_at.is_some_and(|end| c.now < end) => ("late", "person-waiting"),
        Ok(()) => ("silent", "person-no-link"),
    }
}

/// Roles that can be given within a contract, or to the server's own people.
fn roles(contract: Option<ContractId>) -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(move |role| (*role == Role::Operator) == contract.is_none())
}
