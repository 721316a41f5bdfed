//! 自分の記録: what is known of the person who looks, month by month, and what they say about it.
//!
//! Whoever is set down as an employee sees their own record here, whatever else they may do. Work days begin when the
//! contract says; what happens after midnight belongs to the day before and is written 25:30. Looking at oneself is not
//! noted; taking the record out is.

pub mod file;
pub mod recorded;
pub mod remarks;

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_model::{EventKind, TerminalId, UtcMillis};
use mngntime_store::typed::narrow;
use mngntime_store::{ContractId, EmployeeId, Punch, PunchFilter, Scope, Store, StoreError};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::punches::detail::{Detail, sequence};
use super::punches::row::{self, How};
use super::session::Visit;
use super::views;
use super::{day_time, days, times};
use crate::access::Action;
pub use remarks::{Draft, Said, remarks_of, remarks_on};

/// Punches of one month that are shown: 96 a day. The files have all of them.
const PUNCHES_MAX: usize = 3_000;

/// Punches read at once.
const STEP: usize = 500;

/// A punch, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// When, for machines.
    pub machine: String,
    /// When, by the clock of the work day.
    pub clock: String,
    /// Whether it is a logon.
    pub logon: bool,
    /// PC name.
    pub host: String,
    /// The number of an error with its message.
    pub error: Option<(u8, String)>,
    /// 取得方法.
    pub how: How,
    /// When it was received.
    pub received: String,
    /// Address of everything about it.
    pub href: String,
}

/// A work day, ready to be written.
#[derive(Debug, Clone)]
pub struct Day {
    /// For machines.
    pub machine: String,
    /// In words.
    pub text: String,
    /// First logon and last logoff, `–` where there is none.
    pub span: (String, String),
    /// Punches, the oldest first.
    pub rows: Vec<Row>,
    /// What was said about it.
    pub said: Vec<Said>,
}

/// The work day in which `at` lies.
#[must_use]
pub fn work_day(at: UtcMillis, day_begins_minutes: u32) -> Date {
    times::tokyo(at.plus(-60_000 * i64::from(day_begins_minutes))).date()
}

/// The time on the clock of a work day: 01:30 of the next morning is 25:30.
fn clock(at: UtcMillis, day: Date) -> String {
    let zoned = times::tokyo(at);
    let minutes = zoned.hour().unsigned_abs() as u16 * 60 + zoned.minute().unsigned_abs() as u16;
    let minutes = if zoned.date() > day { minutes + 1_440 } else { minutes };
    format!("{}:{:02}", day_time::text(minutes), zoned.second())
}

/// The month named in `text`, as its first day.
fn month_of(text: &str) -> Option<Date> {
    days::month_of(narrow(text).trim()).ok().flatten()
}

/// `GET /me`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let (_, employee) = visit.permit(Action::OwnRecordRead)?.own()?;
    let fields = Fields::of_query(&uri)?;
    let month = fields.text("month");
    if !month.is_empty() && month_of(month).is_none() {
        let text = visit.chrome.v("days-bad-month", "text", month);
        visit.chrome.banner = Some(Banner::new(Tone::Error, text, visit.chrome.t("days-bad-text")));
    }
    let view = view(&state, visit, employee, month, Draft::default()).await?;
    Ok(view.render_page()?.into_response())
}

/// The page of a month; this one, when `month` names none.
async fn view(
    state: &WebState,
    mut visit: Visit,
    employee: EmployeeId,
    month: &str,
    mut draft: Draft,
) -> Result<views::Me, WebError> {
    let begins = visit.day_begins_minutes();
    visit.chrome = visit.chrome.at(Place::Me);
    let c = &visit.chrome;
    let today = work_day(c.now, begins);
    let first = month_of(month).unwrap_or_else(|| today.first_of_month());
    let last = first.last_of_month();
    let scope = visit.permit(Action::OwnRecordRead)?.scope()?;
    let start = |date: Date| times::start_of(date).map(|at| at.plus(60_000 * i64::from(begins)));
    let filter = PunchFilter {
        from: start(first),
        until: last.tomorrow().ok().and_then(start),
        ..PunchFilter::default()
    };
    let (punches, complete) = read(state.store.as_ref(), scope, filter).await?;
    let said = state.store.list_remarks(scope, employee, first, last).await?;
    let may_remark = visit.may(Action::OwnRecordRemark);
    let mut days: BTreeMap<Date, (Vec<&Punch>, Vec<Said>)> = BTreeMap::new();
    for punch in punches.iter().rev() {
        days.entry(work_day(punch.occurred_at, begins)).or_default().0.push(punch);
    }
    for remark in &said {
        days.entry(remark.data.date).or_default().1.push(Said::of(remark, may_remark, c));
    }
    if draft.date.is_empty() {
        draft.date = today.to_string();
    }
    let owner = state.store.employee(scope, employee).await?.map(|found| (found.data.code, found.data.name));
    Ok(views::Me {
        days: days.into_iter().rev().map(|(date, (rows, said))| day(date, &rows, said, c)).collect(),
        month: c.v("me-month", "month", c.long_month(first)),
        month_value: first.strftime("%Y-%m").to_string(),
        before: first.checked_sub(1.month()).ok().map(month_address),
        after: first.checked_add(1.month()).ok().filter(|next| *next <= today).map(month_address),
        begins: day_time::text(u16::try_from(begins).unwrap_or(0)),
        retention: c.n("me-retention", u64::from(visit.settings().retention_years)),
        owner: owner.unwrap_or_default(),
        may_export: visit.may(Action::OwnRecordExport),
        complete,
        may_remark,
        draft,
        c: visit.chrome,
    })
}

fn month_address(month: Date) -> String {
    format!("/me?month={}", month.strftime("%Y-%m"))
}

/// The punches of a filter, newest first, and whether that is all of them.
async fn read(
    store: &dyn Store,
    scope: Scope,
    filter: PunchFilter,
) -> Result<(Vec<Punch>, bool), StoreError> {
    let (mut all, mut at) = (Vec::new(), None);
    loop {
        let page = store.list_punches(scope, filter.clone(), at, STEP).await?;
        at = page.further();
        all.extend(page.rows);
        if at.is_none() || all.len() >= PUNCHES_MAX {
            return Ok((all, at.is_none()));
        }
    }
}

fn day(date: Date, punches: &[&Punch], said: Vec<Said>, c: &Chrome) -> Day {
    let none = || "–".to_owned();
    let at = |punch: &&&Punch| clock(punch.occurred_at, date)[..5].to_owned();
    let first = punches.iter().find(|punch| punch.kind == EventKind::Logon);
    let last = punches.iter().rev().find(|punch| punch.kind == EventKind::Logoff);
    Day {
        machine: date.to_string(),
        text: c.long_date(date),
        span: (first.as_ref().map_or_else(none, at), last.as_ref().map_or_else(none, at)),
        rows: punches.iter().map(|punch| row(punch, date, c)).collect(),
        said,
    }
}

fn row(punch: &Punch, date: Date, c: &Chrome) -> Row {
    Row {
        machine: times::machine(punch.occurred_at),
        clock: clock(punch.occurred_at, date),
        logon: punch.kind == EventKind::Logon,
        host: punch.host_name.clone(),
        error: row::error(punch.result, c),
        how: How::of(punch, c),
        received: times::received(punch.received_at, punch.occurred_at),
        href: format!("/me/punches/{}/{}", punch.terminal, punch.sequence),
    }
}

/// `GET /me/punches/{terminal}/{sequence}`: everything about one of one's own punches.
///
/// # Errors
/// [`WebError::NotFound`] when there is none of one's own.
pub async fn punch(
    State(state): State<WebState>,
    mut visit: Visit,
    Path((terminal, number)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let scope = visit.permit(Action::OwnRecordRead)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Me);
    let terminal = TerminalId::parse(&terminal).map_err(|_| WebError::NotFound)?;
    let number = sequence(&number).ok_or(WebError::NotFound)?;
    let found = state.store.punch(scope, terminal, number).await?.ok_or(WebError::NotFound)?;
    let remarks = remarks_of(&state, scope, &found.punch, &visit).await?;
    let d = Detail { remarks, ..Detail::of(found, &[], &visit.chrome) };
    let back = ("/me".to_owned(), visit.chrome.t("nav-me"));
    Ok(views::Punch { c: visit.chrome, d, back }.render_page()?.into_response())
}

/// Marks the rows whose employee said something about that work day.
///
/// # Errors
/// What the store says.
pub async fn mark_remarks(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    punches: &[Punch],
    rows: &mut [row::Row],
) -> Result<(), StoreError> {
    let begins = visit.day_begins_minutes();
    let key = |punch: &Punch| Some((punch.employee?, work_day(punch.occurred_at, begins)));
    let mut days: Vec<_> = punches.iter().filter_map(key).collect();
    days.sort_unstable();
    days.dedup();
    let remarked = state.store.remarked_days(contract, days).await?;
    for (punch, row) in punches.iter().zip(rows) {
        row.remarked = key(punch).is_some_and(|key| remarked.contains(&key));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_night_belongs_to_the_day_before_and_is_counted_on() {
        let night = times::start_of(date(2026, 6, 18)).unwrap().plus(90 * 60_000 + 5_000);
        assert_eq!(work_day(night, 300), date(2026, 6, 17));
        assert_eq!(work_day(night, 60), date(2026, 6, 18));
        assert_eq!(clock(night, date(2026, 6, 17)), "25:30:05");
        assert_eq!(clock(night, date(2026, 6, 18)), "01:30:05");
    }

    #[test]
    fn months_are_read_in_either_width() {
        assert_eq!(month_of("2026-06"), Some(date(2026, 6, 1)));
        assert_eq!(month_of("２０２６−０６"), Some(date(2026, 6, 1)));
        assert_eq!(month_of("2026/6"), Some(date(2026, 6, 1)));
        for bad in ["", "2026", "2026-13", "0001-01", "2026-06-01", "あ"] {
            assert_eq!(month_of(bad), None, "{bad}");
        }
    }
}
