//! One's own record as a file: `/me.csv` for spreadsheets, `/me.json` for programs, with the remarks, and with every day and
//! its events as others see them (`own_events`).
//!
//! Both are written page by page while they are read, and that they were taken is noted before their first byte. An
//! evidence pack is not made here: it takes a terminal's whole chain and is the command line's business.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::civil::Date;
use mngntime_store::{Beside, EmployeeId, PageKey, PunchFilter, Remark, Scope, Store, StoreError};
use serde_json::{Value, json};

use super::super::WebState;
use super::super::day_time;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::punches::columns::Columns;
use super::super::punches::csv::{Export, stream_of};
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::own_events::{self, Months};
use crate::access::Action;
use crate::punch_line::{PunchLine, rfc3339};

const STEP: usize = 500;

/// `GET /me.csv`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn csv(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let reach = visit.permit(Action::OwnRecordExport)?;
    let (scope, (_, employee)) = (reach.scope()?, reach.own()?);
    let fields = Fields::of_query(&uri)?;
    let encoding = Encoding::asked(&fields);
    note(&state, &visit, scope, employee, encoding.form()).await?;
    Ok(stream_of(Export {
        store: state.store.clone(),
        scope,
        filter: PunchFilter::default(),
        columns: Columns::parse(None),
        encoding,
        name: format!("punches-{}.csv", visit.chrome.today().strftime("%Y%m%d")),
        chrome: visit.chrome,
    }))
}

/// Notes under the employee's code who took the file.
pub(super) async fn note(
    state: &WebState,
    visit: &Visit,
    scope: Scope,
    employee: EmployeeId,
    form: &str,
) -> Result<String, WebError> {
    let found = state.store.employee(scope, employee).await?;
    let code = found.map(|found| found.data.code).ok_or(WebError::NotFound)?;
    let (object, detail) = (format!("employee {code}"), json!({ "form": form }));
    state.store.note_with(Some(scope.contract), "export_own_record", object, detail, visit.act()).await?;
    Ok(code)
}

/// Where the file has got to.
struct Progress {
    store: Arc<dyn Store>,
    scope: Scope,
    employee: EmployeeId,
    head: String,
    place: Place,
    lines: usize,
    months: Months,
    days: usize,
}

enum Place {
    Start,
    After(PageKey),
    Days,
    Remarks,
    End,
}

/// `GET /me.json`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn file(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let reach = visit.permit(Action::OwnRecordExport)?;
    let (scope, (_, employee)) = (reach.scope()?, reach.own()?);
    let code = note(&state, &visit, scope, employee, "json").await?;
    let made =
        json!({ "contract": visit.contract_code(), "employee": code, "made_at": rfc3339(visit.chrome.now) });
    // The object goes on with what is read.
    let head = made.to_string().trim_end_matches('}').to_owned() + ",\"punches\":[\n";
    let name = format!("record-{}.json", visit.chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let store = state.store.clone();
    let months = Months::of(store.clone(), scope, employee, &visit).await?;
    let start = Progress { store, scope, employee, head, place: Place::Start, lines: 0, months, days: 0 };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// The next piece of the file.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let (after, mut text) = match progress.place {
        Place::Start => (None, std::mem::take(&mut progress.head)),
        Place::After(key) => (Some(key), String::new()),
        Place::Days => return days(progress).await.map(Some),
        Place::Remarks => return remarks(progress).await.map(Some),
        Place::End => return Ok(None),
    };
    let page = progress
        .store
        .list_punches(progress.scope, PunchFilter::default(), after.map(Beside::After), STEP)
        .await?;
    for punch in &page.rows {
        let comma = if progress.lines == 0 { "" } else { ",\n" };
        // Texts and numbers always have a JSON form.
        let line = serde_json::to_string(&PunchLine::from(punch)).unwrap_or_default();
        text.push_str(comma);
        text.push_str(&line);
        progress.lines += 1;
    }
    progress.place = match page.next {
        Some(next) => Place::After(next),
        None => {
            text.push_str("\n],\"days\":[\n");
            Place::Days
        }
    };
    Ok(Some((Bytes::from(text), progress)))
}

/// The days of a month with their events, the newest first.
async fn days(mut progress: Progress) -> Result<(Bytes, Progress), StoreError> {
    let Some(found) = progress.months.read().await? else {
        progress.place = Place::Remarks;
        return Ok((Bytes::from_static(b"\n"), progress));
    };
    let mut text = String::new();
    for dated in found.days.iter().rev() {
        text.push_str(if progress.days == 0 { "" } else { ",\n" });
        text.push_str(&own_events::day(dated, &found).to_string());
        progress.days += 1;
    }
    Ok((Bytes::from(text), progress))
}

/// The end of the file: every remark, the withdrawn ones too.
async fn remarks(mut progress: Progress) -> Result<(Bytes, Progress), StoreError> {
    let (scope, employee) = (progress.scope, progress.employee);
    let found = progress
        .store
        .list_remarks(scope, employee, Date::new(1900, 1, 1).unwrap_or(Date::ZERO), Date::MAX)
        .await?;
    let all = Value::Array(found.iter().map(remark).collect());
    progress.place = Place::End;
    Ok((Bytes::from(format!("],\"remarks\":{all}}}\n")), progress))
}

fn remark(found: &Remark) -> Value {
    json!({
        "date": found.data.date.to_string(),
        "from": day_time::text(found.data.from_minutes),
        "to": day_time::text(found.data.to_minutes),
        "text": found.data.text,
        "made_at": rfc3339(found.made_at),
        "withdrawn_at": found.withdrawn_at.map(rfc3339),
        "read_at": found.read.as_ref().map(|read| rfc3339(read.at)),
        "read_by": found.read.as_ref().map(|read| &read.by),
        "answer": found.read.as_ref().and_then(|read| read.answer.as_deref()),
    })
}
