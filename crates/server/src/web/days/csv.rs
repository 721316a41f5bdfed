//! `GET /days.csv`: a line ([`super::line`]) for each day of a month up to today: of one person, or of everybody whom the list of
//! the month shows.
//!
//! Lines and encodings are those of [`super::super::sheet`]. The file is written person by person while it is read, so that it
//! takes the memory of one person's month however many there are; should the store fail half-way, the transfer breaks off.
//! That it was taken is noted before its first byte.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream;
use jiff::civil::Date;
use mngntime_store::{Beside, Employee, Punch, Scope, Store, StoreError};
use serde_json::json;

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::line::{self, COLUMNS};
use super::month::errors;
use super::people::of_month;
use super::{Listed, fields, month_of, month_text, segment};
use crate::access::Action;
use crate::person_days::PersonDays;

/// People found at once.
const STEP: usize = 50;

/// Where the file has got to.
struct Progress {
    store: Arc<dyn Store>,
    scope: Scope,
    month: Date,
    boundary_minutes: u32,
    encoding: Encoding,
    chrome: Chrome,
    begun: bool,
    /// People who come next.
    people: VecDeque<Employee>,
    /// Where more of them come from.
    further: Option<Further>,
}

/// A list that is walked through.
struct Further {
    listed: Listed,
    at: Option<Beside<String>>,
}

/// The file. An address that cannot be understood leads back to the page, which says why.
///
/// # Errors
/// [`WebError`] when the person may not take days along, there is no such employee, or the store fails.
pub async fn file(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::DaysExport)?.scope()?;
    let fields = fields(&uri)?;
    let listed = Listed::of(&fields, &mut visit.chrome);
    let month = month_of(fields.text("month"));
    let (Ok(month), true) = (month, Listed::is_known(&fields)) else {
        return Ok(Redirect::to(&format!("/days?{}", uri.query().unwrap_or_default())).into_response());
    };
    let month = month.unwrap_or_else(|| visit.chrome.today().first_of_month());
    let encoding = Encoding::asked(&fields);
    let one = match fields.filled("employee") {
        Some(code) => {
            let found = state.store.employee_by_code(scope, code.to_owned()).await?;
            Some(found.ok_or(WebError::NotFound)?)
        }
        None => None,
    };
    let object = one.as_ref().map_or_else(|| "days".to_owned(), |one| format!("employee {}", one.data.code));
    let detail =
        json!({ "conditions": conditions(month, one.is_none().then_some(&listed)), "form": encoding.form() });
    state.store.note_with(Some(scope.contract), "export_days", object, detail, visit.act()).await?;
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition(one.as_ref(), month)),
    ];
    let start = Progress {
        further: one.is_none().then_some(Further { listed, at: None }),
        people: one.into_iter().collect(),
        store: state.store.clone(),
        scope,
        month,
        boundary_minutes: visit.day_begins_minutes(),
        encoding,
        chrome: visit.chrome,
        begun: false,
    };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// The name of the file: that of one person has their code in it, so that a folder can hold a month of several. A code that is
/// no name of a file everywhere stands in the form that browsers read it from (RFC 6266).
fn disposition(one: Option<&Employee>, month: Date) -> String {
    let month = month_text(month);
    let Some(code) = one.map(|one| one.data.code.as_str()) else {
        return format!("attachment; filename=\"days-{month}.csv\"");
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let shown: String = code.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let ascii = format!("attachment; filename=\"days-{shown}-{month}.csv\"");
    if code.chars().all(plain) {
        return ascii;
    }
    // What separates folders, and what Windows has no file with.
    let part = |c: char| !c.is_control() && !r#"\/:*?"<>|"#.contains(c);
    let kept: String = code.chars().map(|c| if part(c) { c } else { '_' }).collect();
    format!("{ascii}; filename*=UTF-8''days-{}-{month}.csv", segment(&kept))
}

/// What is asked for, in no language: whoever reads the log sees the words of theirs.
fn conditions(month: Date, listed: Option<&Listed>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("month", &month_text(month));
    query.extend_pairs(listed.map(Listed::fields).unwrap_or_default());
    query.finish()
}

/// The next piece of the file: its head, then a person's month.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    if !progress.begun {
        progress.begun = true;
        let head = progress.encoding.head(&COLUMNS.map(|key| progress.chrome.t(key)), &progress.chrome);
        return Ok(Some((Bytes::from(head), progress)));
    }
    let Some(employee) = progress.next().await? else { return Ok(None) };
    let (c, (first, last)) = (&progress.chrome, progress.dates());
    let (store, contract, begins) =
        (progress.store.as_ref(), progress.scope.contract, progress.boundary_minutes);
    // The last night ends on the morning after: whose its punches are is known from that day.
    let dates = (first, last.tomorrow().unwrap_or(last));
    let found = PersonDays::read(store, contract, employee.id, dates, begins, c.now).await?;
    let beside = progress.beside(&employee, &found).await?;
    let mut text = Vec::new();
    for dated in found.days.iter().filter(|dated| dated.date <= last) {
        text.extend(progress.encoding.line(&line::cells(&employee, dated, &found, &beside, c)));
    }
    Ok(Some((Bytes::from(text), progress)))
}

impl Progress {
    /// The month up to today: of the days to come there is nothing to say.
    fn dates(&self) -> (Date, Date) {
        (self.month, self.month.last_of_month().min(self.chrome.today()))
    }

    /// The errors and the remarks of somebody's month.
    async fn beside(&self, employee: &Employee, found: &PersonDays) -> Result<line::Beside, StoreError> {
        let (first, last) = self.dates();
        let remarks = self.store.list_remarks(self.scope, employee.id, first, last).await?;
        let found = errors(self.store.as_ref(), self.scope, employee.id, found).await?;
        let results = |punches: Vec<Punch>| punches.iter().filter_map(|punch| punch.result.res()).collect();
        let errors = found.into_iter().map(|(date, punches)| (date, results(punches))).collect();
        Ok(line::Beside { errors, remarks })
    }

    /// Whoever comes next.
    async fn next(&mut self) -> Result<Option<Employee>, StoreError> {
        if self.people.is_empty()
            && let Some(Further { listed, at }) = self.further.take()
        {
            let (wanted, q) = (listed.wanted, listed.q.clone());
            let day = of_month(self.month, self.chrome.today());
            let page = self.store.employee_page(self.scope, wanted, q, at, day, STEP).await?;
            self.people.extend(page.rows.into_iter().map(|row| row.employee));
            self.further = page.next.map(|next| Further { listed, at: Some(Beside::After(next)) });
        }
        Ok(self.people.pop_front())
    }
}
