//! 社員: the list, and adding one.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{Account, Employee, EmployeeId, NewEmployee, Refusal, Scope, StoreError};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::lookup;
use super::pages::Cut;
use super::session::Visit;
use super::times;
use super::today::Today;
use super::views::{self, Segment};
use crate::access::Action;

/// Longest code, name and so on, in characters.
pub const TEXT_MAX: usize = 100;

/// An employee, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Department.
    pub department: String,
    /// First linked account.
    pub account: Option<String>,
    /// Further linked accounts.
    pub more: usize,
    /// First punch of today.
    pub first: String,
    /// Address of the employee's punches.
    pub href: String,
}

/// What somebody typed to add an employee, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Department.
    pub department: String,
    /// First day.
    pub from: String,
    /// What is wrong with the code.
    pub code_error: String,
    /// What is wrong with the name.
    pub name_error: String,
    /// What is wrong with the first day.
    pub from_error: String,
}

/// `GET /employees`
///
/// # Errors
/// [`WebError`] when the person may not see employees or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::EmployeesRead)?.scope()?;
    visit.pick_up().await?;
    let fields = Fields::of_query(&uri)?;
    Ok(view(&state, scope, visit, &fields, Draft::default()).await?.render_page()?.into_response())
}

/// `POST /employees`
///
/// # Errors
/// [`WebError`] when the person may not add employees or the store fails.
pub async fn add(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EmployeesChange)?.contract()?;
    let c = visit.chrome.clone();
    let (mut draft, new) = check(&fields, &c);
    let Some(new) = new else {
        return again(&state, contract.into(), visit, draft).await;
    };
    let who = format!("{} {}", new.code, new.name);
    match state.store.add_employee(contract, new, visit.act()).await {
        Ok(_) => {
            visit.leave(Banner::new(Tone::Ok, c.v("employee-added", "who", who), String::new())).await?;
            Ok(Redirect::to("/employees").into_response())
        }
        Err(StoreError::Refused(Refusal::Taken { code, .. })) => {
            draft.code_error = c.v("employee-taken", "code", code);
            again(&state, contract.into(), visit, draft).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn again(state: &WebState, scope: Scope, visit: Visit, draft: Draft) -> Result<Response, WebError> {
    let page = view(state, scope, visit, &Fields::default(), draft).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// The form, and the employee when nothing is wrong with it.
fn check(fields: &Fields, c: &Chrome) -> (Draft, Option<NewEmployee>) {
    let text = |name| fields.text(name).to_owned();
    let from = fields.date("from");
    let draft = Draft {
        code_error: text_error(fields.text("code"), "employee-code-missing", c),
        name_error: text_error(fields.text("name"), "employee-name-missing", c),
        from_error: from.as_ref().err().map(|text| c.v("filter-bad-date", "text", text)).unwrap_or_default(),
        code: fields.code("code"),
        name: text("name"),
        kana: text("kana"),
        department: text("department"),
        from: text("from"),
    };
    let long = draft.kana.chars().count() > TEXT_MAX || draft.department.chars().count() > TEXT_MAX;
    let fine = draft.code_error.is_empty() && draft.name_error.is_empty() && !long;
    let new = from.ok().filter(|_| fine).map(|active_from| NewEmployee {
        code: draft.code.clone(),
        name: draft.name.clone(),
        kana: Some(draft.kana.clone()).filter(|text| !text.is_empty()),
        department: Some(draft.department.clone()).filter(|text| !text.is_empty()),
        active_from,
        active_to: None,
    });
    (draft, new)
}

/// What is wrong with a code or a name; empty when nothing is.
#[must_use]
pub fn text_error(text: &str, missing: &str, c: &Chrome) -> String {
    if text.is_empty() {
        c.t(missing)
    } else if text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
        c.n("text-too-long", TEXT_MAX)
    } else {
        String::new()
    }
}

async fn view(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    fields: &Fields,
    draft: Draft,
) -> Result<views::Employees, WebError> {
    visit.chrome = visit.chrome.at(Place::Employees);
    let c = &visit.chrome;
    let all = lookup::employees(state.store.as_ref(), scope).await?;
    let linked = linked(&lookup::accounts(state.store.as_ref(), scope).await?, c.today());
    let today = Today::read(state.store.as_ref(), scope, c.today()).await?;
    let (show, q) = (fields.text("show"), fields.text("q"));
    let gone = |employee: &Employee| employee.data.active_to.is_some_and(|to| to < c.today());
    let alone = |employee: &Employee| !gone(employee) && !linked.contains_key(&employee.id);
    let wanted = |employee: &&Employee| match show {
        "alone" => alone(employee),
        "gone" => gone(employee),
        _ => !gone(employee),
    };
    let found: Vec<&Employee> = all.iter().filter(wanted).filter(|employee| mentions(employee, q)).collect();
    let cut = Cut::of(fields.text("page"), found.len());
    let count = |is: &dyn Fn(&Employee) -> bool| all.iter().filter(|employee| is(employee)).count();
    let active = count(&|employee| !gone(employee));
    let segment =
        |value: &str, key: &str, number| Segment::new("/employees", show, value, q, c.t(key), number);
    let mut departments: Vec<String> =
        all.iter().filter_map(|employee| employee.data.department.clone()).collect();
    departments.sort();
    departments.dedup();
    Ok(views::Employees {
        segments: vec![
            segment("", "employees-active", active),
            segment("alone", "employees-alone", count(&alone)),
            segment("gone", "employees-gone", count(&gone)),
        ],
        rows: cut.slice(&found).iter().map(|employee| row(employee, &linked, &today)).collect(),
        shown: shown(c, "shown-employees", cut),
        next: views::next_address("/employees", fields, cut),
        active,
        q: q.to_owned(),
        show: show.to_owned(),
        departments,
        may_change: visit.may(Action::EmployeesChange),
        draft,
        c: visit.chrome,
    })
}

/// "50 of 312", in the words of `key`.
#[must_use]
pub fn shown(c: &Chrome, key: &str, cut: Cut) -> String {
    c.words().numbers(key, &[("shown", cut.shown() as u64), ("total", cut.total as u64)])
}

/// Whether code, name, reading or department hold `q`.
#[must_use]
pub fn mentions(employee: &Employee, q: &str) -> bool {
    let data = &employee.data;
    let texts = [Some(&data.code), Some(&data.name), data.kana.as_ref(), data.department.as_ref()];
    let q = q.to_lowercase();
    texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&q))
}

/// Accounts that belong to an employee today.
fn linked(accounts: &[Account], today: Date) -> HashMap<EmployeeId, Vec<String>> {
    let mut linked: HashMap<EmployeeId, Vec<String>> = HashMap::new();
    for account in accounts {
        for link in account.links.iter().filter(|link| link.to.is_none_or(|to| today <= to)) {
            linked.entry(link.employee).or_default().push(format!("{}\\{}", account.domain, account.name));
        }
    }
    linked
}

fn row(employee: &Employee, linked: &HashMap<EmployeeId, Vec<String>>, today: &Today) -> Row {
    let accounts = linked.get(&employee.id);
    let first = today.first.get(&employee.id).copied().map(|time: UtcMillis| times::clock_short(time));
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("employee", &employee.data.code).finish();
    Row {
        code: employee.data.code.clone(),
        name: employee.data.name.clone(),
        department: employee.data.department.clone().unwrap_or_default(),
        account: accounts.and_then(|accounts| accounts.first().cloned()),
        more: accounts.map_or(0, |accounts| accounts.len() - 1),
        first: first.unwrap_or_else(|| "–".to_owned()),
        href: format!("/punches?{query}"),
    }
}
