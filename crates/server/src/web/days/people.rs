//! Whose days? A list with a search, and what can be told of each without judging their days: how well a day is known is
//! found by reading every event of its PCs, too much for a page of people. A few dates with punches in a month say where to look.

use axum::response::{IntoResponse as _, Response};
use mngntime_store::{EmployeeRow, EmployeeShow, Scope, StoreError};

use super::super::WebState;
use super::super::employees::day_of;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::pages::{ROWS, beside_text, shown, turned};
use super::super::session::Visit;
use super::super::times;
use super::super::views::{self, Segment};
use super::{Whose, month_address};

/// A person to choose.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who.
    pub whose: Whose,
    /// Address of the month.
    pub href: String,
    /// Remarks that nobody has read yet.
    pub remarks: u64,
    /// On how many dates of this month they have punches.
    pub dates: usize,
    /// Their first punch of today, empty for none.
    pub first: String,
}

/// Unread remarks are counted up to here; more of them are `99+`.
const OPEN_MAX: usize = 100;

/// How many remarks nobody has read yet, for the button that leads to them; empty for none.
///
/// # Errors
/// What the store says.
pub async fn open_remarks(state: &WebState, scope: Scope) -> Result<String, StoreError> {
    let found = state.store.count_open_remarks(scope, OPEN_MAX).await?;
    Ok(match found {
        0 => String::new(),
        found if found < OPEN_MAX as u64 => found.to_string(),
        _ => format!("{}+", OPEN_MAX - 1),
    })
}

/// Words of the choices in addresses.
const SHOWS: [(&str, EmployeeShow); 3] =
    [("", EmployeeShow::Active), ("remarks", EmployeeShow::Remarked), ("gone", EmployeeShow::Gone)];

/// The list, of those who are here and of those who have left.
pub(super) async fn page(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    fields: &Fields,
) -> Result<Response, WebError> {
    let (show, wanted) = shown(&SHOWS, fields.text("show"), &mut visit.chrome);
    let (q, at) = (fields.text("q"), beside_text(fields));
    let (store, today) = (state.store.as_ref(), visit.chrome.today());
    let found = store.employee_page(scope, wanted, q.to_owned(), at.clone(), day_of(today), ROWS).await?;
    let read = async |beside, rows| {
        store.employee_page(scope, wanted, q.to_owned(), Some(beside), day_of(today), rows).await
    };
    let (turns, banner) = turned("/days", fields, &found, at.as_ref(), read, &visit.chrome).await?;
    visit.chrome.banner = banner.or(visit.chrome.banner.take());
    let c = &visit.chrome;
    let counts = store.employee_counts(scope, today).await?;
    let span = times::start_of(today.first_of_month()).zip(times::end_of(today)).unwrap_or((c.now, c.now));
    let ids = found.rows.iter().map(|row| row.employee.id).collect();
    let dates = store.punched_dates(scope.contract, ids, span).await?;
    let row = |(found, dates): (&EmployeeRow, usize)| Row {
        dates,
        first: found.first.map(times::clock_short).unwrap_or_default(),
        whose: Whose::of(&found.employee),
        href: month_address(&found.employee.data.code, today),
        remarks: found.remarks,
    };
    let tab = |value: &'static str, key: &str, number: u64| {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        Segment::new("/days", show, value, q, c.t(key), number)
    };
    let page = views::DaysPeople {
        segments: vec![
            tab("", "employees-active", counts.active),
            tab("remarks", "days-remarked", counts.remarked),
            tab("gone", "employees-gone", counts.gone),
        ],
        rows: found.rows.iter().zip(dates).map(row).collect(),
        shown: c.n("shown-people", found.rows.len()),
        turns,
        remarked: open_remarks(state, scope).await?,
        q: q.to_owned(),
        show: show.to_owned(),
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}
