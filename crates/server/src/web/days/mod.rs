//! 日別記録: a person's month and a person's day as pictures, each with the same as a table.
//!
//! Pictures are drawn in percents of the width and pixels of the height, so that they keep their lettering and
//! hatches on every screen without a script. They are for the eye and the mouse; every link in them stands in the
//! table below, too, where keyboards and screen readers find it.
//!
//! The same pages show everybody their own days ([`Home::Own`]), with the addresses of 自分の記録.

pub mod csv;
pub mod day;
pub mod event;
mod line;
pub mod month;
pub mod nights;
mod people;
pub mod picture;
pub mod remarks;
pub mod total;
pub mod words;

pub use people::{Listed, Row as PersonRow, open_remarks};

use axum::http::Uri;
use mngntime_attendance::person_day::EventId;
use mngntime_store::{Employee, Punch, local_date};

use super::chrome::Chrome;
use super::fields::date_of;
use crate::access::Action;
use crate::person_days::{Dated, PersonDays};
use jiff::civil::Date;

/// Who, as the heads of both pages show them.
#[derive(Debug, Clone)]
pub struct Whose {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Department, empty for none.
    pub department: String,
}

impl Whose {
    fn of(employee: &Employee) -> Self {
        Self {
            code: employee.data.code.clone(),
            name: employee.data.name.clone(),
            department: employee.data.department.clone().unwrap_or_default(),
        }
    }
}

/// Where the pages about somebody's days are.
#[derive(Debug, Clone, Copy)]
pub enum Home<'a> {
    /// Under the person's code.
    Of {
        /// The code.
        code: &'a str,
        /// The list from which somebody came, to go on in it.
        listed: &'a Listed,
    },
    /// Under 自分の記録.
    Own,
}

impl Home<'_> {
    /// Address of a day.
    #[must_use]
    pub fn day(self, date: Date) -> String {
        match self {
            Self::Of { code, listed } => people::with_fields(day_address(code, date), '?', listed),
            Self::Own => format!("/me/days/{date}"),
        }
    }

    /// Address of a month.
    #[must_use]
    pub fn month(self, date: Date) -> String {
        match self {
            Self::Of { code, listed } => people::with_fields(month_address(code, date), '&', listed),
            Self::Own => format!("/me/days?month={}", month_text(date)),
        }
    }
}

/// Where the events behind a date open: everything that a page shows opens for whoever may see the page.
#[derive(Debug, Clone, Copy)]
pub struct Opens<'a> {
    /// Whose date.
    pub home: Home<'a>,
    /// The date.
    pub date: Date,
    /// Whether whoever looks sees the whole contract. The PC's own events are of nobody: who sees some people only is
    /// shown them as what stands behind a day of one of these.
    pub whole: bool,
}

impl Opens<'_> {
    /// Address of an event.
    #[must_use]
    pub fn event(self, id: EventId) -> String {
        let event = format!("{}/{}", id.terminal, id.sequence);
        match self.home {
            Home::Own => format!("/me/punches/{event}"),
            Home::Of { .. } if self.whole => format!("/punches/{event}"),
            Home::Of { code, .. } => format!("{}/events/{event}", day_address(code, self.date)),
        }
    }
}

/// Address of the punches behind a day that is recorded outside of the employment: of its account, for no employee has
/// them, and so for those alone who see punches of nobody. Else empty.
fn punches_outside(dated: &Dated, found: &PersonDays, opens: Opens<'_>, c: &Chrome) -> String {
    let account = found.outside(&dated.day).filter(|_| opens.whole && c.may(Action::PunchesRead));
    let address = |account: String| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        // The end of its night is told of on this date alone.
        let last = local_date(dated.day.until.plus(-1));
        query.append_pair("account", &account);
        query.append_pair("from", &dated.date.to_string()).append_pair("to", &last.to_string());
        format!("/punches?{}", query.finish())
    };
    account.map(|account| address(account.to_string())).unwrap_or_default()
}

/// Address of the punches with an error that a day shows, which may be of the night after its date; empty for those who see
/// no punch log.
fn punches_in_error(punches: &[&Punch], opens: Opens<'_>, c: &Chrome) -> String {
    let Home::Of { code, .. } = opens.home else { return String::new() };
    if !c.may(Action::PunchesRead) {
        return String::new();
    }
    let last = punches.iter().map(|punch| local_date(punch.occurred_at)).max();
    people::punches_address(code, (opens.date, last.unwrap_or(opens.date)), ("errors", "1"))
}

/// Address of the file of a month: of the person with this code, or of whom a list shows; empty for those who may not.
fn file_address(code: Option<&str>, listed: &Listed, month: Date, c: &Chrome) -> String {
    if !c.may(Action::DaysExport) {
        return String::new();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    match code {
        Some(code) => query.append_pair("employee", code),
        None => query.extend_pairs(listed.fields()),
    };
    query.append_pair("month", &month_text(month));
    format!("/days.csv?{}", query.finish())
}

/// Address of a person's day.
#[must_use]
pub fn day_address(code: &str, date: Date) -> String {
    format!("/days/{}/{date}", segment(code))
}

/// Address of a person's month.
#[must_use]
pub fn month_address(code: &str, date: Date) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("employee", code).append_pair("month", &month_text(date));
    format!("/days?{}", query.finish())
}

/// `2026-11`
#[must_use]
pub fn month_text(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// The first day of the month in `text`: `Ok(None)` when empty.
///
/// # Errors
/// The text, when it is no month of the calendar.
pub fn month_of(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    date_of(&format!("{text}-01")).map_err(|_| text.to_owned())
}

/// A code as one part of a path. Everything but letters and digits is written as its bytes.
fn segment(code: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in code.bytes() {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The query of an address as fields.
fn fields(uri: &Uri) -> Result<super::fields::Fields, super::errors::WebError> {
    super::fields::Fields::of_query(uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn addresses_carry_any_code() {
        let day = date(2026, 11, 3);
        assert_eq!(day_address("E 1/鈴", day), "/days/E%201%2F%E9%88%B4/2026-11-03");
        assert_eq!(month_address("E 1&x", day), "/days?employee=E+1%26x&month=2026-11");
    }

    #[test]
    fn months_are_read_as_dates_are() {
        for month in ["2026-11", "2026/11", "２０２６－１１", "R8.11"] {
            assert_eq!(month_of(month), Ok(Some(date(2026, 11, 1))), "{month}");
        }
        assert_eq!(month_of(""), Ok(None));
        for bad in ["2026-13", "2026", "2026-11-01", "26-11", "x", "0000-01"] {
            assert_eq!(month_of(bad), Err(bad.to_owned()));
        }
    }
}
