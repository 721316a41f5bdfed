//! 社員: the list, and adding one.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{
    Day, Department, Directory, DirectoryField, EmployeeCounts, EmployeeRow, EmployeeShow, NewEmployee,
    Refusal, Scope, StoreError,
};

use super::chrome::{Banner, Chrome, Place, Tone};
use super::departments::naming;
use super::errors::WebError;
use super::fields::Fields;
use super::flaws::{self, TEXT_MAX};
use super::pages::{PLACES, ROWS, Turns, beside_text, shown, turned};
use super::session::Visit;
use super::times;
use super::views::{self, Segment};
use super::{WebState, departments};
use crate::access::Action;
use crate::person_days::came;

/// Employees that are offered while somebody types.
const OFFERED_MAX: usize = 10;

/// An employee, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// The employee's id.
    pub id: String,
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
    /// Address of the employee's page.
    pub href: String,
}

/// What somebody typed to add or change an employee, with what is wrong.
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
    /// Last day.
    pub to: String,
    /// UPN.
    pub upn: String,
    /// SID.
    pub sid: String,
    /// What is wrong with the UPN.
    pub upn_error: String,
    /// What is wrong with the SID.
    pub sid_error: String,
    /// What is wrong with the code.
    pub code_error: String,
    /// What is wrong with the name.
    pub name_error: String,
    /// What is wrong with the days.
    pub from_error: String,
    /// What is wrong with the reading.
    pub kana_error: String,
    /// What is wrong with the department.
    pub department_error: String,
    /// Where the department can be made; empty when that is no way out.
    pub department_making: String,
}

impl Draft {
    /// An employee as known; the department is written with its code, since several may have one name.
    #[must_use]
    pub fn of(data: &NewEmployee, department: Option<&Department>) -> Self {
        let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        Self {
            code: data.code.clone(),
            name: data.name.clone(),
            kana: data.kana.clone().unwrap_or_default(),
            department: department
                .map(|found| departments::shown(&found.data.code, &found.data.name))
                .or_else(|| data.department.clone())
                .unwrap_or_default(),
            from: date(data.active_from),
            to: date(data.active_to),
            upn: DirectoryField::Upn.of(&data.directory).unwrap_or_default().to_owned(),
            sid: DirectoryField::Sid.of(&data.directory).unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }

    /// Puts the store's refusal to the field that it is about; other failures stay failures.
    ///
    /// # Errors
    /// What this form cannot answer.
    pub fn blame(&mut self, error: StoreError, visit: &Visit) -> Result<(), WebError> {
        let c = &visit.chrome;
        if let StoreError::Refused(Refusal::Taken { code, .. }) = error {
            self.code_error = c.v("employee-taken", "code", code);
        } else if let StoreError::Refused(Refusal::Held { field, code }) = error {
            let error = match field {
                DirectoryField::Upn => &mut self.upn_error,
                DirectoryField::Sid => &mut self.sid_error,
            };
            *error = held(field, &code, c);
        } else if let StoreError::Refused(Refusal::Department { text, problem }) = error {
            self.department_error = naming::in_words(&text, &problem, c);
            self.department_making = naming::making(&text, &problem, visit.may(Action::DepartmentsChange));
        } else {
            return Err(error.into());
        }
        Ok(())
    }
}

/// That the employee `code` has a UPN or SID already, in words.
#[must_use]
pub fn held(field: DirectoryField, code: &str, c: &Chrome) -> String {
    c.words().with("directory-held", &[("field", field.name()), ("code", code)])
}

/// `GET /employees`
///
/// # Errors
/// [`WebError`] when the person may not see employees or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::EmployeesRead)?.scope()?;
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
        Err(error) => {
            draft.blame(error, &visit)?;
            again(&state, contract.into(), visit, draft).await
        }
    }
}

async fn again(state: &WebState, scope: Scope, visit: Visit, draft: Draft) -> Result<Response, WebError> {
    let page = view(state, scope, visit, &Fields::default(), draft).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// The form, and the employee when nothing is wrong with it.
#[must_use]
pub fn check(fields: &Fields, c: &Chrome) -> (Draft, Option<NewEmployee>) {
    let text = |name| fields.text(name).to_owned();
    let dates = dates(fields, c);
    let (upn, sid) = (flaws::upn(fields.text("upn")), flaws::sid(fields.text("sid")));
    let draft = Draft {
        code_error: flaws::code_error(&fields.code("code"), "employee-code-missing", c),
        name_error: flaws::name_error(fields.text("name"), "employee-name-missing", c),
        from_error: dates.as_ref().err().cloned().unwrap_or_default(),
        code: fields.code("code"),
        name: text("name"),
        kana: text("kana"),
        department_error: flaws::text_error(fields.text("department"), TEXT_MAX * 2, c),
        department_making: String::new(),
        kana_error: flaws::text_error(fields.text("kana"), TEXT_MAX, c),
        department: text("department"),
        from: text("from"),
        to: text("to"),
        upn_error: upn.as_ref().err().map(|flaw| flaw.in_words("", c)).unwrap_or_default(),
        sid_error: sid.as_ref().err().map(|flaw| flaw.in_words("", c)).unwrap_or_default(),
        upn: text("upn"),
        sid: text("sid"),
    };
    let errors = [&draft.code_error, &draft.name_error, &draft.kana_error, &draft.department_error];
    let fine = errors.into_iter().all(String::is_empty);
    let directory = upn.ok().zip(sid.ok()).map(|(upn, sid)| Directory { upn, sid });
    let right = dates.ok().zip(directory).filter(|_| fine);
    let new = right.map(|((active_from, active_to), directory)| NewEmployee {
        code: draft.code.clone(),
        name: draft.name.clone(),
        kana: Some(draft.kana.clone()).filter(|text| !text.is_empty()),
        department: Some(draft.department.clone()).filter(|text| !text.is_empty()),
        active_from,
        active_to,
        directory,
    });
    (draft, new)
}

fn dates(fields: &Fields, c: &Chrome) -> Result<(Option<Date>, Option<Date>), String> {
    let read = |name| fields.date(name).map_err(|text| c.v("filter-bad-date", "text", text));
    let (from, to) = (read("from")?, read("to")?);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(c.t("employee-dates-reversed"));
    }
    Ok((from, to))
}

/// Today, as the store asks for it.
#[must_use]
pub fn day_of(date: Date) -> Day {
    let from = times::start_of(date).unwrap_or(UtcMillis(i64::MIN));
    Day { date, from, until: times::end_of(date).unwrap_or(UtcMillis(i64::MAX)) }
}

/// Words of the choices in addresses.
pub const SHOWS: [(&str, EmployeeShow); 3] =
    [("", EmployeeShow::Active), ("alone", EmployeeShow::Alone), ("gone", EmployeeShow::Gone)];

fn segments(counts: &EmployeeCounts, show: &str, q: &str, c: &Chrome) -> Vec<Segment> {
    let tabs = [
        ("", "employees-active", counts.active),
        ("alone", "employees-alone", counts.alone),
        ("gone", "employees-gone", counts.gone),
    ];
    let segment = |(value, key, number): (&str, &str, u64)| {
        Segment::new("/employees", show, value, q, c.t(key), usize::try_from(number).unwrap_or(usize::MAX))
    };
    tabs.into_iter().map(segment).collect()
}

async fn view(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    fields: &Fields,
    draft: Draft,
) -> Result<views::Employees, WebError> {
    visit.chrome = visit.chrome.at(Place::Employees);
    let (show, wanted) = shown(&SHOWS, fields.text("show"), &mut visit.chrome);
    let q = fields.text("q");
    let (c, store) = (&visit.chrome, state.store.as_ref());
    // The list says when each of them came today.
    let conditions = fields.query_without(&[PLACES[0], PLACES[1]]);
    visit.opened(state, scope.contract, "employees", conditions).await?;
    let at = beside_text(fields);
    let page = store.employee_page(scope, wanted, q.to_owned(), at.clone(), day_of(c.today()), ROWS).await?;
    let read = async |beside, rows| {
        store.employee_page(scope, wanted, q.to_owned(), Some(beside), day_of(c.today()), rows).await
    };
    let (turns, banner) = turned("/employees", fields, &page, at.as_ref(), read, c).await?;
    let counts = store.employee_counts(scope, q.to_owned(), c.today()).await?;
    let all =
        if q.is_empty() { counts } else { store.employee_counts(scope, String::new(), c.today()).await? };
    let may_change = visit.may(Action::EmployeesChange);
    let departments = if may_change { departments(state, scope, c.today()).await? } else { Vec::new() };
    let turns_exist = turns != Turns::default();
    let came = came(store, scope.contract, &page.rows, visit.day_begins_minutes(), c.now).await?;
    let (segments, rows_shown) = (segments(&counts, show, q, c), c.n("shown-people", page.rows.len()));
    let elsewhere = if q.is_empty() { Vec::new() } else { Segment::elsewhere(&segments, c) };
    visit.chrome.banner = banner.or(visit.chrome.banner.take());
    Ok(views::Employees {
        segments,
        elsewhere,
        csv: if may_change { "/employees.csv".to_owned() } else { String::new() },
        rows: page.rows.iter().zip(came).map(row).collect(),
        shown: rows_shown,
        turns,
        active: usize::try_from(all.active).unwrap_or(usize::MAX),
        q: q.to_owned(),
        show: show.to_owned(),
        departments,
        may_change,
        // Those who have left see nothing here.
        may_let_in: wanted != EmployeeShow::Gone && visit.may(Action::EmployeesLetIn),
        more: turns_exist,
        draft,
        c: visit.chrome,
    })
}

/// `GET /employees/offered`: who is meant by the beginning of what is being typed, one `code name` on each line.
///
/// # Errors
/// [`WebError`] when the person may not see employees or the store fails.
pub async fn offered(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::EmployeesRead)?.scope()?;
    let fields = Fields::of_query(&uri)?;
    let mut lines = String::new();
    if let Some(typed) = fields.filled("q") {
        let day = day_of(visit.chrome.today());
        let found =
            state.store.employee_page(scope, EmployeeShow::Active, typed.to_owned(), None, day, OFFERED_MAX);
        for row in found.await?.rows {
            let data = &row.employee.data;
            lines.push_str(&departments::shown(&data.code, &data.name));
            lines.push('\n');
        }
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], lines).into_response())
}

/// Departments that are open, for the forms.
///
/// # Errors
/// What the store says.
pub async fn departments(state: &WebState, scope: Scope, today: Date) -> Result<Vec<String>, WebError> {
    Ok(offers(&state.store.list_departments(scope.contract).await?, today))
}

/// Those of `all` that a form offers, as it takes them.
#[must_use]
pub fn offers(all: &[Department], today: Date) -> Vec<String> {
    let open = departments::in_order(all).into_iter().filter(|(_, found)| !found.is_closed(today));
    open.map(|(_, found)| departments::shown(&found.data.code, &found.data.name))
        .take(DEPARTMENTS_OFFERED_MAX)
        .collect()
}

/// Departments that a form offers: more of them make a page too heavy, and one can be typed all the same.
pub const DEPARTMENTS_OFFERED_MAX: usize = 300;

fn row((found, came): (&EmployeeRow, Option<UtcMillis>)) -> Row {
    let data = &found.employee.data;
    Row {
        id: found.employee.id.to_string(),
        code: data.code.clone(),
        name: data.name.clone(),
        department: data.department.clone().unwrap_or_default(),
        account: found.accounts.first().cloned(),
        more: found.accounts.len().saturating_sub(1),
        first: came.map_or_else(|| "–".to_owned(), times::clock_short),
        href: format!("/employees/{}", found.employee.id),
    }
}
