//! Dates of the record: Japan's, UTC+9 without exception.
//!
//! Writer and verifier ask here and nowhere else. A PC's clock may show anything: what lies before the year 1 or after 9999
//! has the nearest date, so that each time has one and all of them are written in ten letters.

use jiff::civil::Date;
use mngntime_attendance::completeness::day_of;
use mngntime_model::UtcMillis;

const EPOCH: Date = jiff::civil::date(1970, 1, 1);
const FIRST: Date = jiff::civil::date(1, 1, 1);
const LAST: Date = jiff::civil::date(9999, 12, 31);

/// The date at a time.
#[must_use]
pub fn date_at(time: UtcMillis) -> Date {
    date_of(day_of(time))
}

/// Whether the time lies on a date of the calendar, and has not merely a nearest one.
#[must_use]
pub fn has_date(time: UtcMillis) -> bool {
    (number_of(FIRST)..=number_of(LAST)).contains(&day_of(time))
}

/// Whether a text names a date, as `YYYY-MM-DD`.
#[must_use]
pub fn is_date(text: &str) -> bool {
    text.parse::<Date>().is_ok_and(|date| date >= FIRST && date.to_string() == text)
}

/// The date of a day that is counted from 1970-01-01.
#[must_use]
pub fn date_of(day: i64) -> Date {
    let day = day.clamp(number_of(FIRST), number_of(LAST));
    EPOCH.checked_add(jiff::Span::new().days(day)).unwrap_or(LAST)
}

/// Days from 1970-01-01 to a date.
#[must_use]
pub fn number_of(date: Date) -> i64 {
    date.duration_since(EPOCH).as_hours() / 24
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use mngntime_attendance::completeness::begin_of;

    #[test]
    fn a_date_is_written_in_one_way_and_not_every_time_has_one() {
        assert!(is_date("2026-11-30") && is_date("0001-01-01") && is_date("9999-12-31"));
        for text in
            ["", "2026-11-31", "20261130", "2026-11-30T00:00", "0000-12-31", "-000001-01-01", "2026-1-1"]
        {
            assert!(!is_date(text), "{text}");
        }
        let (first, last) = (begin_of(number_of(FIRST)), begin_of(number_of(LAST) + 1));
        assert!(has_date(first) && has_date(last.plus(-1)));
        assert!(!has_date(first.plus(-1)) && !has_date(last));
        assert!(!has_date(UtcMillis(i64::MIN)) && !has_date(UtcMillis(i64::MAX)));
    }

    #[test]
    fn each_time_has_a_date_and_each_date_a_number() {
        for (day, number) in [(EPOCH, 0), (date(1969, 12, 31), -1), (date(2999, 12, 31), 376_199)] {
            assert_eq!((number_of(day), date_of(number)), (number, day));
            let begins = begin_of(number);
            assert_eq!((date_at(begins), date_at(begins.plus(-1))), (day, day.yesterday().unwrap()));
        }
        // Japan was not UTC+9 in 1880 and in the summer of 1950; the record's dates are.
        for day in [date(1880, 5, 1), date(1950, 7, 1)] {
            assert_eq!(date_at(begin_of(number_of(day))), day);
        }
        assert_eq!((date_at(UtcMillis(i64::MIN)), date_at(UtcMillis(i64::MAX))), (FIRST, LAST));
        assert_eq!(
            (date_at(UtcMillis(-70_000_000_000_000)), date_at(UtcMillis(253_500_000_000_000))),
            (FIRST, LAST)
        );
    }
}
