//! `GET /employees.csv`, `GET /accounts.csv`: who is registered, and whose every Windows user is and has been, in the
//! columns in which both are taken in.
//!
//! Whoever has to mend many changes them in the file and takes it in again: what was not touched changes nothing. A
//! department stands with its code, since several may have one name. The last column is for readers only and is never
//! empty: some spreadsheets leave out the commas behind the last filled cell of a line, and a line that is cut short
//! is not taken in. Both are written page by page while they are read.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::civil::Date;
use mngntime_store::{
    Account, AccountKey, AccountShow, Beside, ContractId, DepartmentId, DirectoryField, Employee, Link,
    Store, StoreError,
};
use serde_json::json;

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::departments;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::{Kind, columns};

/// Rows read at once.
const STEP: usize = 200;

/// Where the file has got to.
struct Progress {
    store: Arc<dyn Store>,
    contract: ContractId,
    encoding: Encoding,
    chrome: Chrome,
    /// Each department, as it is written.
    departments: HashMap<DepartmentId, String>,
    place: Place,
}

enum Place {
    Start(Kind),
    /// Behind the employee with this code.
    AfterEmployee(String),
    AfterAccount(AccountKey),
    End,
}

/// The file. An encoding that is none of ours leads to the page of the upload, which says so.
///
/// # Errors
/// [`WebError`] when the person may not take in such files or the store fails.
pub async fn file(
    State(state): State<WebState>,
    visit: Visit,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, WebError> {
    let kind = Kind::of(uri.path());
    let contract = visit.permit(kind.action())?.contract()?;
    let fields = Fields::of_query(&uri)?;
    let encoding = Encoding::asked(&fields);
    let (action, object) = match kind {
        Kind::Accounts => ("export_accounts", "links"),
        Kind::Employees => ("export_employees", "employees"),
    };
    let detail = json!({ "form": encoding.form() });
    state.store.note_with(Some(contract), action, object.to_owned(), detail, visit.act()).await?;
    let name = format!("{object}-{}.csv", visit.chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let all = state.store.list_departments(contract).await?;
    let shown = all.into_iter().map(|one| (one.id, departments::shown(&one.data.code, &one.data.name)));
    let (store, chrome) = (state.store.clone(), visit.chrome);
    let (departments, place) = (shown.collect(), Place::Start(kind));
    let start = Progress { store, contract, encoding, chrome, departments, place };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// The next piece of the file.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let text = match std::mem::replace(&mut progress.place, Place::End) {
        Place::Start(kind) => {
            let head = progress.encoding.head(&head(kind, &progress.chrome), &progress.chrome);
            let rows = match kind {
                Kind::Accounts => progress.links(None).await?,
                Kind::Employees => progress.employees(None).await?,
            };
            [head, rows].concat()
        }
        Place::AfterEmployee(code) => progress.employees(Some(code)).await?,
        Place::AfterAccount(key) => progress.links(Some(Beside::After(key))).await?,
        Place::End => return Ok(None),
    };
    Ok(Some((Bytes::from(text), progress)))
}

impl Progress {
    async fn employees(&mut self, after: Option<String>) -> Result<Vec<u8>, StoreError> {
        let found = self.store.list_employees(self.contract.into(), after, STEP).await?;
        let mut text = Vec::new();
        for employee in &found {
            text.extend(self.encoding.line(&person(employee, &self.departments, &self.chrome)));
        }
        if let Some(last) = found.last().filter(|_| found.len() == STEP) {
            self.place = Place::AfterEmployee(last.data.code.clone());
        }
        Ok(text)
    }

    async fn links(&mut self, at: Option<Beside<AccountKey>>) -> Result<Vec<u8>, StoreError> {
        let (all, today) = (AccountShow::All, self.chrome.today());
        let page = self.store.account_page(self.contract, all, String::new(), at, today, STEP).await?;
        let mut text = Vec::new();
        for account in page.rows.iter().map(|row| &row.account) {
            for link in &account.links {
                text.extend(self.encoding.line(&linked(account, link)));
            }
        }
        self.place = page.next.map_or(Place::End, Place::AfterAccount);
        Ok(text)
    }
}

fn head(kind: Kind, c: &Chrome) -> Vec<String> {
    let last = match kind {
        Kind::Accounts => &columns::NAME,
        Kind::Employees => &columns::STATE,
    };
    let all = kind.columns().iter().copied().chain([last]);
    all.map(|column| column.name(c.language()).to_owned()).collect()
}

fn date(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// In the order of [`columns::EMPLOYEES_HEAD`], and whether they are here.
fn person(employee: &Employee, departments: &HashMap<DepartmentId, String>, c: &Chrome) -> Vec<String> {
    let (data, today) = (&employee.data, c.today());
    let department = employee.department.and_then(|id| departments.get(&id)).cloned();
    let said = |field: DirectoryField| field.of(&data.directory).unwrap_or_default().to_owned();
    let state = if data.active_to.is_some_and(|last| last < today) {
        "employees-gone"
    } else if data.active_from.is_some_and(|first| today < first) {
        "day-before-employment"
    } else {
        "employees-active"
    };
    vec![
        data.code.clone(),
        data.name.clone(),
        data.kana.clone().unwrap_or_default(),
        department.or_else(|| data.department.clone()).unwrap_or_default(),
        date(data.active_from),
        date(data.active_to),
        said(DirectoryField::Upn),
        said(DirectoryField::Sid),
        c.t(state),
    ]
}

/// In the order of [`columns::LINKS_HEAD`], and the employee's name.
fn linked(account: &Account, link: &Link) -> Vec<String> {
    vec![
        account.domain.clone(),
        account.name.clone(),
        account.key.clone(),
        account.upn.clone().unwrap_or_default(),
        link.employee_code.clone(),
        date(Some(link.from)),
        date(link.to),
        link.employee_name.clone(),
    ]
}
