//! When the time of a month of the log is over. Pure.
//!
//! Records of work are kept for five years, for the time being three (労働基準法第109条, 附則第143条). The time begins when a
//! record is complete, or on the pay day of its wages where that is later (労働基準法施行規則第56条). The server knows no pay
//! days; wages are paid at least every month on a fixed day (労働基準法第24条), so that those of a month have been paid when
//! two more have passed ([`PAID_WITHIN_MONTHS`]). The law says how long at least, so that what is late is never wrong.
//!
//! What counts is the later of two months: that in which the events were received (what arrived late keeps its own time),
//! and that of the last day they speak about (a clock that was ahead).

use jiff::ToSpan;
use jiff::civil::Date;

/// Months after which the wages of a month have been paid.
pub const PAID_WITHIN_MONTHS: i32 = 2;

/// The first and last day of a month as the log writes it, `YYYY-MM`; `None` when it is none.
#[must_use]
pub fn days_of(month: &str) -> Option<(Date, Date)> {
    let (year, number) = month.split_once('-')?;
    let first = Date::new(year.parse().ok()?, number.parse().ok()?, 1).ok()?;
    Some((first, first.last_of_month()))
}

/// The first day on which a month may be retired, when its events were received in `month` and speak about no day after
/// `last_day`, and are kept for `years`. `None` when that is never: no month, or one at the end of the calendar.
#[must_use]
pub fn due_on(month: &str, last_day: Date, years: u8) -> Option<Date> {
    let complete = days_of(month)?.1.max(last_day.last_of_month());
    let paid = complete.first_of_month().checked_add((PAID_WITHIN_MONTHS + 1).months()).ok()?;
    paid.checked_add(i32::from(years).years()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_due_years_after_its_wages_have_been_paid() {
        let due = |month, last: Date, years| due_on(month, last, years);
        let last = date(2023, 11, 30);
        assert_eq!(due("2023-11", last, 3), Some(date(2027, 2, 1)));
        assert_eq!(due("2023-11", last, 5), Some(date(2029, 2, 1)));
        assert_eq!(
            due("2023-11", date(2023, 5, 2), 3),
            Some(date(2027, 2, 1)),
            "what came late keeps its own time"
        );
        assert_eq!(due("2023-11", date(2023, 12, 1), 3), Some(date(2027, 3, 1)), "a clock that was ahead");
        assert_eq!(due("2023-12", last, 3), Some(date(2027, 3, 1)));
    }

    #[test]
    fn the_29th_of_february_is_kept_as_long_as_the_28th() {
        assert_eq!(due_on("2024-02", date(2024, 2, 29), 3), due_on("2024-02", date(2024, 2, 1), 3));
        assert_eq!(due_on("2024-02", date(2024, 2, 29), 3), Some(date(2027, 5, 1)));
        assert_eq!(due_on("2023-11", date(2023, 11, 30), 5), Some(date(2029, 2, 1)));
        assert_eq!(days_of("2024-02"), Some((date(2024, 2, 1), date(2024, 2, 29))));
        assert_eq!(days_of("2023-02"), Some((date(2023, 2, 1), date(2023, 2, 28))));
    }

    #[test]
    fn what_is_no_month_and_what_lies_at_the_end_of_time_is_never_due() {
        for month in ["", "2023", "2023-13", "2023-00", "x-01"] {
            assert_eq!((days_of(month), due_on(month, date(2023, 1, 1), 3)), (None, None), "{month}");
        }
        assert_eq!(due_on("2023-11", date(9999, 12, 31), 3), None);
    }
}
