//! Every event that others see on one's days, as files: `/me/events.csv`, and the days of `/me.json` with what they say.
//!
//! Both are read month by month as the pages are, the newest month first, and written while they are read. An event stands
//! once, on the date on which it happened; a logon or logoff of the night of the day before says so.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_attendance::person_day::{Edge, First, Last, Mark};
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::{
    Beside, ContractId, EmployeeId, PageKey, PunchFilter, Scope, Store, StoreError, local_date,
};
use serde_json::{Value, json};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::days::words::event_key;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::punches::event::cause_text;
use super::super::punches::row::arrival_key;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::super::times;
use crate::access::Action;
use crate::person_days::{Dated, PersonDays};
use crate::punch_line::rfc3339;

/// The columns of the file.
const COLUMNS: [&str; 10] = [
    "col-date",
    "col-time",
    "band-estimated",
    "col-kind",
    "col-terminal",
    "col-account",
    "col-how",
    "event-late",
    "event-cause",
    "col-sequence",
];

/// The months of somebody's record, from this one back to the first.
pub(super) struct Months {
    store: Arc<dyn Store>,
    contract: ContractId,
    employee: EmployeeId,
    boundary_minutes: u32,
    now: UtcMillis,
    /// The next one; `None` behind the first.
    next: Option<Date>,
    first: Date,
}

impl Months {
    /// Of the person who looks.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn of(
        store: Arc<dyn Store>,
        scope: Scope,
        employee: EmployeeId,
        visit: &Visit,
    ) -> Result<Self, StoreError> {
        // What comes before nothing in a list of the newest first is the oldest.
        let nothing = PageKey {
            occurred_at: UtcMillis(i64::MIN),
            terminal: TerminalId::from_random([0; 16]),
            sequence: 0,
        };
        let oldest =
            store.list_punches(scope, PunchFilter::default(), Some(Beside::Before(nothing)), 1).await?;
        let this = visit.chrome.today().first_of_month();
        let first = oldest.rows.first().map(|punch| local_date(punch.occurred_at).first_of_month());
        Ok(Self {
            contract: scope.contract,
            employee,
            boundary_minutes: visit.day_begins_minutes(),
            now: visit.chrome.now,
            next: first.map(|_| this),
            first: first.unwrap_or(this),
            store,
        })
    }

    /// The days of the next month back, up to today.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn read(&mut self) -> Result<Option<PersonDays>, StoreError> {
        let Some(month) = self.next.filter(|month| *month >= self.first) else { return Ok(None) };
        self.next = month.checked_sub(1.month()).ok();
        let dates = (month, month.last_of_month().min(local_date(self.now)));
        let (store, now) = (self.store.as_ref(), self.now);
        PersonDays::read(store, self.contract, self.employee, dates, self.boundary_minutes, now)
            .await
            .map(Some)
    }
}

/// The events of a date, each on the date on which it happened.
fn events(dated: &Dated) -> Vec<&Mark> {
    let of_the_date = |mark: &&Mark| local_date(mark.at) == dated.date;
    let mut marks: Vec<&Mark> =
        dated.day.lanes.iter().flat_map(|lane| &lane.marks).filter(of_the_date).collect();
    marks.sort_by_key(|mark| (mark.at, mark.event));
    marks
}

/// A day for programs: what it says, and the events that say so. The names are a promise: fields are added, never renamed.
pub(super) fn day(dated: &Dated, found: &PersonDays) -> Value {
    let event = |mark: &Mark| {
        let before = dated.day.of_the_day_before.contains(&mark.event);
        json!({
            "terminal": mark.event.terminal.to_string(),
            "seq": mark.event.sequence,
            "host": found.host(mark.event.terminal),
            "kind": mark.kind.name(),
            "account": mark.account.as_ref().map(ToString::to_string),
            "occurred_at": rfc3339(mark.at),
            "stamped_at": mark.stamped_at.map(rfc3339),
            "not_before": mark.interval().map(|bounds| rfc3339(bounds.not_before)),
            "not_after": mark.interval().map(|bounds| rfc3339(bounds.not_after)),
            "evidence": mark.evidence.name(),
            "late": mark.late,
            "cause": mark.cause,
            "of_the_day_before": before,
        })
    };
    json!({
        "date": dated.date.to_string(),
        "first_logon": first(&dated.day.first),
        "last_logoff": last(&dated.day.last),
        "state": dated.day.state.name(),
        "events": events(dated).into_iter().map(event).collect::<Vec<_>>(),
    })
}

fn edge(edge: &Edge) -> Value {
    json!({
        "at": rfc3339(edge.at),
        "not_after": rfc3339(edge.latest),
        "level": edge.level.name(),
        "terminal": edge.event.terminal.to_string(),
        "seq": edge.event.sequence,
    })
}

fn first(found: &First) -> Value {
    match found {
        First::At { edge: at, may_be_earlier } => {
            json!({ "time": edge(at), "may_be_earlier": may_be_earlier })
        }
        First::Continued { since } => json!({ "continued_since": since.as_ref().map(edge) }),
        First::None => Value::Null,
    }
}

fn last(found: &Last) -> Value {
    match found {
        Last::At { edge: at, may_be_later, others_go_on } => {
            json!({ "time": edge(at), "may_be_later": may_be_later, "others_go_on": others_go_on.is_some() })
        }
        Last::Open => json!({ "open": true }),
        Last::GoesOn { until } => json!({ "goes_on": true, "until": until.as_ref().map(edge) }),
        Last::None => Value::Null,
    }
}

/// Where the file has got to.
struct Progress {
    months: Months,
    encoding: Encoding,
    chrome: Chrome,
    begun: bool,
}

/// `GET /me/events.csv`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn csv(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let reach = visit.permit(Action::OwnRecordExport)?;
    let (scope, (_, employee)) = (reach.scope()?, reach.own()?);
    let fields = Fields::of_query(&uri)?;
    let encoding = Encoding::asked(&fields);
    super::file::note(&state, &visit, scope, employee, &format!("events, {}", encoding.form())).await?;
    let months = Months::of(state.store.clone(), scope, employee, &visit).await?;
    let name = format!("events-{}.csv", visit.chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let start = Progress { months, encoding, chrome: visit.chrome, begun: false };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// The next piece of the file: its head, then a month.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    if !progress.begun {
        progress.begun = true;
        let head = progress.encoding.head(&COLUMNS.map(|key| progress.chrome.t(key)), &progress.chrome);
        return Ok(Some((Bytes::from(head), progress)));
    }
    let Some(found) = progress.months.read().await? else { return Ok(None) };
    let mut text = Vec::new();
    for dated in found.days.iter().rev() {
        for mark in events(dated).into_iter().rev() {
            text.extend(progress.encoding.line(&cells(mark, &found, &progress.chrome)));
        }
    }
    Ok(Some((Bytes::from(text), progress)))
}

fn cells(mark: &Mark, found: &PersonDays, c: &Chrome) -> [String; 10] {
    let range = mark
        .interval()
        .map(|bounds| format!("{}〜{}", times::full(bounds.not_before), times::full(bounds.not_after)));
    [
        local_date(mark.at).to_string(),
        times::clock(mark.at),
        range.unwrap_or_default(),
        c.t(event_key(mark.kind)),
        found.host(mark.event.terminal).to_owned(),
        mark.account.as_ref().map(ToString::to_string).unwrap_or_default(),
        c.t(arrival_key(found.arrival(mark))),
        if mark.late { c.t("event-late") } else { String::new() },
        mark.cause.as_deref().map(|cause| cause_text(cause, c)).unwrap_or_default(),
        mark.event.sequence.to_string(),
    ]
}
