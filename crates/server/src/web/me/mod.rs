//! 自分の記録: what is known of the person who looks, month by month, and what they say about it.
//!
//! Whoever is set down as an employee sees their own record here, whatever else they may do. Punches stand under the day
//! that they are of by the one rule there is (`person_day`): what others see of the same person is the same, and
//! [`own_days`] shows it as they see it. What belongs to the night of the day before is written 25:30. Looking at oneself is
//! not noted; taking the record out is.

pub mod file;
pub mod looks;
pub mod own_days;
pub mod own_events;
pub mod recorded;
pub mod remarks;

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_attendance::person_day::{Edge, EventId};
use mngntime_model::{EventKind, TerminalId, UtcMillis};
use mngntime_store::typed::narrow;
use mngntime_store::{ContractId, EmployeeId, Punch, PunchFilter, Scope, Store, StoreError, local_date};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::days::total::Total;
use super::days::words::{self, Time, day_clock_exact};
use super::errors::WebError;
use super::fields::{Fields, date_of};
use super::punches::detail::{Detail, sequence};
use super::punches::event::EventView;
use super::punches::receipt::Checked;
use super::punches::row::{self, How};
use super::session::Visit;
use super::sheet::Encoding;
use super::views;
use super::{day_time, days, once, times};
use crate::access::Action;
use crate::person_days::{self, Dated, PersonDays, day_of_punch};
pub use remarks::{Draft, Said, remarks_of, remarks_on};

/// Punches of one month that are shown: 96 a day. The files have all of them.
const PUNCHES_MAX: usize = 3_000;

/// Days before an event that may show it, of those that are judged at once.
const BEHIND_DAYS: i32 = 31;

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
    /// Address of the day as others see it.
    pub href: String,
    /// First logon and last logoff, as others see them.
    pub span: (Time, Time),
    /// Punches, the oldest first.
    pub rows: Vec<Row>,
    /// What was said about it.
    pub said: Vec<Said>,
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
    visit.chrome.banner = Encoding::complaint(&fields, &visit.chrome).or(visit.chrome.banner.take());
    // The page of a day leads here with the day about which something is to be said.
    let date = date_of(fields.text("date")).ok().flatten();
    let draft = Draft { date: date.map(|date| date.to_string()).unwrap_or_default(), ..Draft::default() };
    let view = view(&state, visit, employee, month, draft).await?;
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
    let today = c.today();
    let first = month_of(month).unwrap_or_else(|| today.first_of_month());
    let last = first.last_of_month();
    // The last night of the month ends in the next one.
    let morning = last.tomorrow().unwrap_or(last);
    let scope = visit.permit(Action::OwnRecordRead)?.scope()?;
    let found =
        PersonDays::read(state.store.as_ref(), scope.contract, employee, (first, morning), begins, c.now)
            .await?;
    let until = person_days::borders(last, begins).map(|borders| borders.boundary);
    let filter = PunchFilter { from: times::start_of(first), until, ..PunchFilter::default() };
    let (punches, complete) = read(state.store.as_ref(), scope, filter).await?;
    let said = state.store.list_remarks(scope, employee, first, last).await?;
    let may_remark = visit.may(Action::OwnRecordRemark);
    let mut days: BTreeMap<Date, (Vec<&Punch>, Vec<Said>)> = BTreeMap::new();
    for punch in punches.iter().rev() {
        let date = found.day_of(punch);
        if (first..=last).contains(&date) {
            days.entry(date).or_default().0.push(punch);
        }
    }
    for remark in &said {
        days.entry(remark.data.date).or_default().1.push(Said::of(remark, may_remark, c));
    }
    if draft.date.is_empty() {
        draft.date = today.to_string();
    }
    if draft.once.is_empty() && may_remark {
        draft.once = once::fresh(state, &visit)?;
    }
    let dated = |date: Date| found.days.iter().find(|dated| dated.date == date);
    let day = |(date, (rows, said)): (Date, (Vec<&Punch>, Vec<Said>))| {
        dated(date).map(|dated| day(dated, &rows, said, &found, c))
    };
    let owner = state.store.employee(scope, employee).await?.map(|found| (found.data.code, found.data.name));
    Ok(views::Me {
        days: days.into_iter().rev().filter_map(day).collect(),
        total: Total::of(found.days.iter().filter(|dated| (first..=last).contains(&dated.date)), c.now),
        pictures: days::Home::Own.month(first),
        month: c.v("me-month", "month", c.long_month(first)),
        month_value: first.strftime("%Y-%m").to_string(),
        before: first.checked_sub(1.month()).ok().map(month_address),
        after: first.checked_add(1.month()).ok().filter(|next| *next <= today).map(month_address),
        begins: day_time::text(u16::try_from(begins).unwrap_or(0)),
        retention: c.n("me-retention", u64::from(visit.settings().retention_years)),
        owner: owner.unwrap_or_default(),
        looks: looks::newest(state, &visit).await?,
        may_export: visit.may(Action::OwnRecordExport),
        complete: complete && found.whole,
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

fn day(dated: &Dated, punches: &[&Punch], said: Vec<Said>, found: &PersonDays, c: &Chrome) -> Day {
    let midnight = dated.borders.from;
    let host = |edge: &Edge| words::several(&dated.day, found, edge);
    let told = (c, days::Opens { home: days::Home::Own, date: dated.date, whole: false });
    Day {
        machine: dated.date.to_string(),
        text: c.long_date(dated.date),
        href: days::Home::Own.day(dated.date),
        span: (
            words::first(&dated.day, midnight, told, &host),
            words::last(&dated.day, midnight, told, &host),
        ),
        rows: punches.iter().map(|punch| row(punch, midnight, c)).collect(),
        said,
    }
}

fn row(punch: &Punch, midnight: UtcMillis, c: &Chrome) -> Row {
    Row {
        machine: times::machine(punch.occurred_at),
        clock: day_clock_exact(punch.occurred_at, midnight),
        logon: punch.kind == EventKind::Logon,
        host: punch.host_name.clone(),
        error: row::error(punch.result, c),
        how: How::of(punch, c),
        received: times::received(punch.received_at, punch.occurred_at),
        href: format!("/me/punches/{}/{}", punch.terminal, punch.sequence),
    }
}

/// `GET /me/punches/{terminal}/{sequence}`: everything about one of one's own punches; of another event that stands on
/// one's own days, what it says.
///
/// # Errors
/// [`WebError::NotFound`] when there is none of one's own.
pub async fn punch(
    State(state): State<WebState>,
    mut visit: Visit,
    Path((terminal, number)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let reach = visit.permit(Action::OwnRecordRead)?;
    let (scope, (_, employee)) = (reach.scope()?, reach.own()?);
    visit.chrome = visit.chrome.at(Place::Me);
    let terminal = TerminalId::parse(&terminal).map_err(|_| WebError::NotFound)?;
    let number = sequence(&number).ok_or(WebError::NotFound)?;
    let Some(found) = state.store.punch(scope, terminal, number).await? else {
        return event(&state, scope, employee, visit, EventId { terminal, sequence: number }).await;
    };
    let (date, remarks) = remarks_of(&state, scope, &found.punch, &visit).await?;
    let day = Some(days::Home::Own.day(date));
    let checked = Checked::look(&state, scope.contract, &visit, &found).await?;
    let own = checked.view(&found, &visit.chrome).of_oneself(&visit.chrome);
    let d = Detail { remarks, day, receipt: own, ..Detail::of(found, &[], checked, &visit.chrome) };
    let back = ("/me".to_owned(), visit.chrome.t("nav-me"));
    Ok(views::Punch { c: visit.chrome, d, back }.render_page()?.into_response())
}

/// An event that is no punch: of one's own sessions, or of the PC where it explains one of one's own days. Whatever else
/// happened on that PC is not one's own.
async fn event(
    state: &WebState,
    scope: Scope,
    employee: EmployeeId,
    visit: Visit,
    id: EventId,
) -> Result<Response, WebError> {
    let (store, c) = (state.store.as_ref(), &visit.chrome);
    let found = match store.event(scope, id.terminal, id.sequence).await? {
        Some(found) => found,
        None => {
            let found = store.event(Scope::from(scope.contract), id.terminal, id.sequence).await?;
            let found = found.ok_or(WebError::NotFound)?;
            // What ends a stay may have happened long after the day that shows it: the next start of the PC.
            let date = local_date(found.occurred_at);
            let first = date.checked_sub(BEHIND_DAYS.days()).unwrap_or(date);
            let begins = visit.day_begins_minutes();
            let days =
                PersonDays::read(store, scope.contract, employee, (first, date), begins, c.now).await?;
            if !days.shows(id) {
                return Err(WebError::NotFound);
            }
            found
        }
    };
    let e = EventView::of(&found, c);
    let back = (days::Home::Own.day(local_date(found.occurred_at)), c.t("day-link"));
    Ok(views::Event { c: visit.chrome, e, back }.render_page()?.into_response())
}

/// Marks the rows whose employee said something about the day that the punch is of. Which day that is, has to be found
/// out only for punches of the night after, or before, a day with a remark.
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
    let dates = |punch: &Punch| {
        let date = local_date(punch.occurred_at);
        let before = date.yesterday().ok().filter(|_| person_days::may_be_of_a_night(punch, begins));
        (date, before.unwrap_or(date))
    };
    let keys = punches.iter().filter_map(|punch| Some((punch.employee?, dates(punch))));
    let mut days: Vec<_> =
        keys.flat_map(|(employee, (date, before))| [(employee, date), (employee, before)]).collect();
    days.sort_unstable();
    days.dedup();
    let remarked = state.store.remarked_days(contract, days).await?;
    for (punch, row) in punches.iter().zip(rows) {
        let Some(employee) = punch.employee else { continue };
        let (date, before) = dates(punch);
        let (own, earlier) = (remarked.contains(&(employee, date)), remarked.contains(&(employee, before)));
        row.remarked = own;
        if own != earlier {
            let (store, now) = (state.store.as_ref(), visit.chrome.now);
            let day = day_of_punch(store, contract, employee, punch, begins, now).await?;
            row.remarked = remarked.contains(&(employee, day));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

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
