//! 部署: the tree, adding, renaming, moving and closing.

pub mod closing;
pub mod naming;

use std::collections::HashSet;

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_store::{ContractId, Department, DepartmentId, NewDepartment, Refusal, StoreError};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::flaws::{code_error, name_error};
use super::lookup::{self, Found};
use super::session::Visit;
use super::views;
use crate::access::Action;

/// Levels that are indented; deeper ones stand like the last.
const LEVELS: usize = 6;

/// A department, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// How deep it stands, for its class.
    pub level: usize,
    /// What it stands below, as the field takes it; empty at the top.
    pub parent: String,
    /// Employees of its own.
    pub employees: u64,
    /// Address that renames it.
    pub rename: String,
    /// Address that moves it.
    pub place: String,
    /// Address that closes it, or opens it again.
    pub close: String,
    /// Its last date; empty while it has none.
    pub closed_on: String,
    /// Whether that is over.
    pub closed: bool,
}

/// What somebody typed to add a department, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// What it stands below.
    pub parent: String,
    /// What is wrong with the code.
    pub code_error: String,
    /// What is wrong with the name.
    pub name_error: String,
    /// What is wrong with the parent.
    pub parent_error: String,
}

/// `GET /departments`
///
/// # Errors
/// [`WebError`] when the person may not see departments or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DepartmentsRead)?.contract()?;
    // An error elsewhere leads here with the name that is not there yet.
    let name = Fields::of_query(&uri)?.text("name").to_owned();
    let draft = Draft { name, ..Draft::default() };
    Ok(view(&state, contract, visit, draft).await?.render_page()?.into_response())
}

/// `POST /departments`
///
/// # Errors
/// [`WebError`] when the person may not add departments or the store fails.
pub async fn add(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DepartmentsChange)?.contract()?;
    let c = visit.chrome.clone();
    let all = state.store.list_departments(contract).await?;
    let (mut draft, new) = check(&fields, &all, &c);
    let Some(new) = new else {
        return again(&state, contract, visit, draft).await;
    };
    let what = shown(&new.code, &new.name);
    match state.store.add_department(contract, new, visit.act()).await {
        Ok(_) => done(&visit, c.v("department-added", "what", what)).await,
        Err(StoreError::Refused(Refusal::Taken { code, .. })) => {
            draft.code_error = c.v("employee-taken", "code", code);
            again(&state, contract, visit, draft).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /departments/{department}/rename`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such department, or the store fails.
pub async fn rename(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DepartmentsChange)?.contract()?;
    let (c, id) = (&visit.chrome, DepartmentId::parse(&id).ok_or(WebError::NotFound)?);
    let (code, name) = (fields.code("code"), fields.text("name").to_owned());
    let wrong =
        [code_error(&code, "department-code-missing", c), name_error(&name, "department-name-missing", c)];
    if let Some(problem) = wrong.into_iter().find(|text| !text.is_empty()) {
        return refuse(&state, contract, visit, problem).await;
    }
    let what = shown(&code, &name);
    match state.store.rename_department(contract, id, code, name, visit.act()).await {
        Ok(()) => done(&visit, c.v("department-renamed", "what", what)).await,
        Err(StoreError::Refused(Refusal::Taken { code, .. })) => {
            let problem = c.v("employee-taken", "code", code);
            refuse(&state, contract, visit, problem).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /departments/{department}/move`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such department, or the store fails.
pub async fn place(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DepartmentsChange)?.contract()?;
    let (c, id) = (&visit.chrome, DepartmentId::parse(&id).ok_or(WebError::NotFound)?);
    let all = state.store.list_departments(contract).await?;
    let parent = match parent(&all, fields.text("parent"), c) {
        Ok(parent) => parent,
        Err(problem) => return refuse(&state, contract, visit, problem).await,
    };
    match state.store.move_department(contract, id, parent, visit.act()).await {
        Ok(()) => done(&visit, c.t("department-moved")).await,
        Err(StoreError::Refused(Refusal::DepartmentCycle)) => {
            let problem = c.t("department-ring");
            refuse(&state, contract, visit, problem).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The form, and the department when nothing is wrong with it.
fn check(fields: &Fields, all: &[Department], c: &Chrome) -> (Draft, Option<NewDepartment>) {
    let code = fields.code("code");
    let [name, above] = ["name", "parent"].map(|field| fields.text(field).to_owned());
    let found = parent(all, &above, c);
    let draft = Draft {
        code_error: code_error(&code, "department-code-missing", c),
        name_error: name_error(&name, "department-name-missing", c),
        parent_error: found.clone().err().unwrap_or_default(),
        code,
        name,
        parent: above,
    };
    let fine = draft.code_error.is_empty() && draft.name_error.is_empty();
    let new = found.ok().filter(|_| fine);
    let new = new.map(|parent| NewDepartment { code: draft.code.clone(), name: draft.name.clone(), parent });
    (draft, new)
}

/// The department meant by the field; the top when it is empty.
fn parent(all: &[Department], text: &str, c: &Chrome) -> Result<Option<DepartmentId>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match lookup::department(all, text) {
        Found::One(found) if found.is_closed(c.today()) => Err(c.words().with(
            "department-is-closed",
            &[("text", text), ("date", &found.closed_on.map(|last| last.to_string()).unwrap_or_default())],
        )),
        Found::One(found) => Ok(Some(found.id)),
        Found::Nothing => Err(c.v("department-unknown", "text", text)),
        Found::Several => Err(c.v("department-several", "text", text)),
    }
}

async fn done(visit: &Visit, title: String) -> Result<Response, WebError> {
    visit.leave(Banner::new(Tone::Ok, title, String::new())).await?;
    Ok(Redirect::to("/departments").into_response())
}

async fn again(
    state: &WebState,
    contract: ContractId,
    visit: Visit,
    draft: Draft,
) -> Result<Response, WebError> {
    let page = view(state, contract, visit, draft).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// The page again, with what stands in the way.
async fn refuse(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    problem: String,
) -> Result<Response, WebError> {
    let title = visit.chrome.t("department-unchanged");
    visit.chrome.banner = Some(Banner::new(Tone::Error, title, problem));
    again(state, contract, visit, Draft::default()).await
}

async fn view(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    draft: Draft,
) -> Result<views::Departments, WebError> {
    visit.chrome = visit.chrome.at(Place::Departments);
    let all = state.store.list_departments(contract).await?;
    let today = visit.chrome.today();
    let rows: Vec<Row> =
        in_order(&all).into_iter().map(|(level, found)| row(level, found, &all, today)).collect();
    let open = all.iter().filter(|found| !found.is_closed(today));
    Ok(views::Departments {
        choices: open.map(|found| shown(&found.data.code, &found.data.name)).collect(),
        total: rows.len(),
        rows,
        may_change: visit.may(Action::DepartmentsChange),
        draft,
        c: visit.chrome,
    })
}

fn row(level: usize, found: &Department, all: &[Department], today: Date) -> Row {
    let parent = all.iter().find(|other| Some(other.id) == found.data.parent);
    Row {
        code: found.data.code.clone(),
        name: found.data.name.clone(),
        level: level.min(LEVELS),
        parent: parent.map(|parent| shown(&parent.data.code, &parent.data.name)).unwrap_or_default(),
        employees: found.employees,
        rename: format!("/departments/{}/rename", found.id),
        place: format!("/departments/{}/move", found.id),
        close: format!("/departments/{}/close", found.id),
        closed_on: found.closed_on.map(|last| last.to_string()).unwrap_or_default(),
        closed: found.is_closed(today),
    }
}

/// A department as suggestions write it.
#[must_use]
pub fn shown(code: &str, name: &str) -> String {
    if code == name { code.to_owned() } else { format!("{code} {name}") }
}

/// Each department after the one it stands below, siblings by code, with its depth.
#[must_use]
pub fn in_order(all: &[Department]) -> Vec<(usize, &Department)> {
    let (mut ordered, mut seen) = (Vec::with_capacity(all.len()), HashSet::new());
    let below = |parent| all.iter().rev().filter(move |found| found.data.parent == parent);
    let mut waiting: Vec<(usize, &Department)> = below(None).map(|found| (0, found)).collect();
    while let Some((level, found)) = waiting.pop() {
        if seen.insert(found.id.to_string()) {
            ordered.push((level, found));
            waiting.extend(below(Some(found.id)).map(|child| (level + 1, child)));
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn department(n: u8, code: &str, parent: Option<u8>) -> Department {
        let id = |n: u8| DepartmentId::parse(&format!("00000000-0000-7000-8000-0000000000{n:02}")).unwrap();
        let data = NewDepartment { code: code.to_owned(), name: code.to_owned(), parent: parent.map(id) };
        Department { id: id(n), data, employees: 0, closed_on: None }
    }

    #[test]
    fn every_department_stands_under_its_parent_and_siblings_by_code() {
        let all = [
            department(1, "A", None),
            department(2, "B", Some(3)),
            department(3, "C", None),
            department(4, "D", Some(3)),
            department(5, "E", Some(2)),
        ];
        let order: Vec<_> =
            in_order(&all).into_iter().map(|(level, found)| (level, found.data.code.as_str())).collect();
        assert_eq!(order, [(0, "A"), (0, "C"), (1, "B"), (2, "E"), (1, "D")]);
    }
}
