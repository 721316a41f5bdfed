//! `/employees/{employee}`: one person, the accounts they had when, and what is known of them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_store::{ChangePreview, Employee, EmployeeId, NewEmployee, Rejudged, Scope};

use super::WebState;
use super::account::{self, Changed, HistoryRow};
use super::chrome::{Banner, Chrome, Place, Tone};
use super::days;
use super::employees::{Draft, check, offers};
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use super::views;
use crate::access::Action;

/// `GET /employees/{employee}`
///
/// # Errors
/// [`WebError`] when the person may not see the employee, there is none, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    Path(employee): Path<String>,
) -> Result<Response, WebError> {
    let scope = visit.permit(Action::EmployeesRead)?.scope()?;
    let found = find(&state, scope, &employee).await?;
    Ok(view(&state, scope, visit, found, None).await?.render_page()?.into_response())
}

pub(super) async fn find(state: &WebState, scope: Scope, id: &str) -> Result<Employee, WebError> {
    let id = EmployeeId::parse(id).ok_or(WebError::NotFound)?;
    state.store.employee(scope, id).await?.ok_or(WebError::NotFound)
}

async fn view(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    found: Employee,
    draft: Option<Draft>,
) -> Result<views::Employee, WebError> {
    visit.chrome = visit.chrome.at(Place::Employees).reached_by(&format!("/employees/{}", found.id));
    visit.looked_at(state, scope.contract, Some(found.id), "employee").await?;
    let history = state.store.links_of_employee(scope, found.id).await?;
    let query = |more: &[(&str, &str)]| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("employee", &found.data.code);
        for (name, value) in more {
            query.append_pair(name, value);
        }
        format!("/punches?{}", query.finish())
    };
    let may_change = visit.may(Action::EmployeesChange);
    let all = state.store.list_departments(scope.contract).await?;
    let department = all.iter().find(|one| Some(one.id) == found.department);
    let (c, today) = (&visit.chrome, visit.chrome.today());
    let month = today.first_of_month().to_string();
    Ok(views::Employee {
        code: found.data.code.clone(),
        name: found.data.name.clone(),
        kana: found.data.kana.clone().unwrap_or_default(),
        department: found.data.department.clone().unwrap_or_default(),
        period: span(&found.data, c),
        gone: found.data.active_to.is_some_and(|to| to < today),
        address: format!("/employees/{}", found.id),
        punches: query(&[]),
        days: visit.may(Action::DaysOfPerson).then(|| days::month_address(&found.data.code, today)),
        this_month: query(&[("from", &month), ("to", &today.to_string())]),
        history: history.iter().map(|link| HistoryRow::of(link, false, c)).collect(),
        departments: if may_change { offers(&all, today) } else { Vec::new() },
        opens_accounts: visit.may(Action::AccountsRead),
        may_change,
        draft: draft.unwrap_or_else(|| Draft::of(&found.data, department)),
        c: visit.chrome,
    })
}

/// From when to when somebody is employed, in words.
fn span(data: &NewEmployee, c: &Chrome) -> String {
    let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    match (data.active_from, data.active_to) {
        (None, None) => c.t("employee-open"),
        (from, to) => format!("{}〜{}", text(from), text(to)),
    }
}

/// What the change does to stored punches, to be confirmed.
fn ask(
    visit: Visit,
    found: &Employee,
    data: &NewEmployee,
    told: ChangePreview,
    fields: &Fields,
) -> Result<Response, WebError> {
    let back = format!("/employees/{}", found.id);
    let c = visit.chrome.at(Place::Employees).reached_by(&back);
    let (before, after) = (span(&found.data, &c), span(data, &c));
    let values = [("before", before.as_str()), ("after", after.as_str())];
    let page = views::AccountChange {
        name: format!("{} {}", found.data.code, found.data.name),
        what: c.words().with("employee-dates-change", &values),
        warning: if told.errors > 0 { c.t("employee-dates-warning") } else { String::new() },
        result: account::result_in_words(&told, &c),
        errors: told.errors,
        employees: told.employees.into_iter().map(Changed::of).collect(),
        hidden: fields.iter().filter(|(name, _)| name != "step").cloned().collect(),
        action: back.clone(),
        back,
        c,
    };
    Ok(page.render_page()?.into_response())
}

/// `POST /employees/{employee}`: `step` is `save`; without it, dates that change results are shown first.
///
/// # Errors
/// [`WebError`] when the person may not change employees, there is none, or the store fails.
pub async fn change(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(employee): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EmployeesChange)?.contract()?;
    let found = find(&state, contract.into(), &employee).await?;
    let c = visit.chrome.clone();
    let (mut draft, data) = check(&fields, &c);
    if let Some(data) = data {
        // Whoever changes dates is told first what becomes of stored punches.
        let dates = |data: &NewEmployee| (data.active_from, data.active_to);
        if fields.text("step") != "save" && dates(&data) != dates(&found.data) {
            let told = state.store.preview_employee(contract, found.id, data.clone()).await?;
            if told.rejudged != Rejudged::default() {
                return ask(visit, &found, &data, told, &fields);
            }
        }
        let who = format!("{} {}", data.code, data.name);
        match state.store.change_employee(contract, found.id, data, visit.act()).await {
            Ok(changed) => {
                let text = if changed == 0 { String::new() } else { c.n("rejudged", changed) };
                visit.leave(Banner::new(Tone::Ok, c.v("employee-changed", "who", who), text)).await?;
                return Ok(Redirect::to(&format!("/employees/{}", found.id)).into_response());
            }
            Err(error) => draft.blame(error, &visit)?,
        }
    }
    visit.chrome.banner = Some(Banner::new(Tone::Error, c.t("employee-unchanged"), String::new()));
    let page = view(&state, contract.into(), visit, found, Some(draft)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}
