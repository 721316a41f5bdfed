//! `/departments/{department}/close`: the last date of a department, with the people who are in it first.
//!
//! A closed department takes nobody in. It keeps its people, its place in the tree and its history, and can be opened
//! again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_store::{ContractId, Department, DepartmentId, Employee};

use super::super::WebState;
use super::super::chrome::{Banner, Place, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::super::views;
use super::{done, shown};
use crate::access::Action;

/// Employees that the question names; the others are counted.
const PEOPLE_SHOWN: usize = 50;

/// Somebody of the department.
#[derive(Debug, Clone)]
pub struct Member {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Address of their page.
    pub href: String,
    /// Last day, empty while open.
    pub to: String,
    /// Whether they have left.
    pub gone: bool,
}

impl Member {
    fn of(found: &Employee, today: Date) -> Self {
        let to = found.data.active_to;
        Self {
            code: found.data.code.clone(),
            name: found.data.name.clone(),
            href: format!("/employees/{}", found.id),
            to: to.map(|date| date.to_string()).unwrap_or_default(),
            gone: to.is_some_and(|to| to < today),
        }
    }
}

/// `GET /departments/{department}/close`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such department, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DepartmentsChange)?.contract()?;
    let (all, place) = find(&state, contract, &id).await?;
    let last = all[place].closed_on.unwrap_or(visit.chrome.today()).to_string();
    let page = view(&state, contract, visit, &all, place, last, String::new()).await?;
    Ok(page.render_page()?.into_response())
}

/// `POST /departments/{department}/close`: `step` is `close`, with `last`, or `open`.
///
/// # Errors
/// [`WebError`] when the person may not, there is no such department, or the store fails.
pub async fn submit(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DepartmentsChange)?.contract()?;
    let (all, place) = find(&state, contract, &id).await?;
    let (c, department) = (&visit.chrome, &all[place]);
    let last = match (fields.text("step"), fields.date("last")) {
        ("open", _) => Ok(None),
        (_, Ok(Some(last))) => Ok(Some(last)),
        (_, Ok(None)) => Err(c.t("department-last-missing")),
        (_, Err(text)) => Err(c.v("filter-bad-date", "text", text)),
    };
    let last = match last {
        Ok(last) => last,
        Err(problem) => {
            let typed = fields.text("last").to_owned();
            let page = view(&state, contract, visit, &all, place, typed, problem).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response());
        }
    };
    state.store.close_department(contract, department.id, last, visit.act()).await?;
    let what = shown(&department.data.code, &department.data.name);
    let title = match last {
        None => c.v("department-reopened", "what", what),
        Some(last) => c.words().with("department-closed", &[("what", &what), ("date", &last.to_string())]),
    };
    done(&visit, title).await
}

async fn find(
    state: &WebState,
    contract: ContractId,
    id: &str,
) -> Result<(Vec<Department>, usize), WebError> {
    let id = DepartmentId::parse(id).ok_or(WebError::NotFound)?;
    let all = state.store.list_departments(contract).await?;
    let place = all.iter().position(|found| found.id == id).ok_or(WebError::NotFound)?;
    Ok((all, place))
}

async fn view(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    all: &[Department],
    place: usize,
    last: String,
    last_error: String,
) -> Result<views::DepartmentClose, WebError> {
    let department = &all[place];
    let address = format!("/departments/{}/close", department.id);
    visit.chrome = visit.chrome.at(Place::Departments).reached_by(&address);
    let today = visit.chrome.today();
    let people = state.store.department_people(contract, department.id, today, PEOPLE_SHOWN);
    let (people, staying) = people.await?;
    let below = all
        .iter()
        .filter(|other| other.data.parent == Some(department.id) && !other.is_closed(today))
        .count();
    if !last_error.is_empty() {
        let title = visit.chrome.t("department-unchanged");
        visit.chrome.banner = Some(Banner::new(Tone::Error, title, String::new()));
    }
    Ok(views::DepartmentClose {
        what: shown(&department.data.code, &department.data.name),
        closed_on: department.closed_on.map(|last| last.to_string()),
        left_out: usize::try_from(department.employees).unwrap_or(usize::MAX).saturating_sub(people.len()),
        people: people.iter().map(|found| Member::of(found, today)).collect(),
        staying,
        below,
        address,
        last,
        last_error,
        c: visit.chrome,
    })
}
