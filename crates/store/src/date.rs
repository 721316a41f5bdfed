//! On which date a punch falls.

use jiff::civil::{Date, date};
use jiff::{Timestamp, tz::TimeZone};
use mngntime_model::UtcMillis;

/// Zone of every contract so far. Bundled with the program: a host without a zone database must not move
/// people's work days.
pub const ZONE: &str = "Asia/Tokyo";

/// First and last date that are told apart. A PC's clock may show anything; what lies outside is moved to
/// the nearer end, so that the four-digit text of a date always sorts like the date.
const RANGE: (Date, Date) = (date(1, 1, 1), date(9999, 12, 31));

/// The date that calendars in [`ZONE`] show at `time`.
#[must_use]
pub fn local_date(time: UtcMillis) -> Date {
    match Timestamp::from_millisecond(time.0) {
        Ok(timestamp) => timestamp.to_zoned(zone()).date().clamp(RANGE.0, RANGE.1),
        Err(_) if time.0 < 0 => RANGE.0,
        Err(_) => RANGE.1,
    }
}

/// When `date` begins by the calendars of [`ZONE`]; at the ends of what a date may be, the ends of time.
#[must_use]
pub(crate) fn begins(date: Date) -> UtcMillis {
    if date <= RANGE.0 {
        return UtcMillis(i64::MIN);
    }
    let begin = date.to_zoned(zone()).map(|begin| begin.timestamp().as_millisecond());
    UtcMillis(begin.unwrap_or(i64::MAX))
}

/// [`ZONE`], or UTC+9 should the bundled database lack it: Japan has had no other rule since 1951.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_changes_at_midnight_in_tokyo() {
        let midnight = 1_763_823_600_000; // 2025-11-23T00:00:00+09:00
        assert_eq!(local_date(UtcMillis(midnight)), date(2025, 11, 23));
        assert_eq!(local_date(UtcMillis(midnight - 1)), date(2025, 11, 22));
    }

    #[test]
    fn a_date_begins_with_its_first_moment() {
        for day in [date(1, 1, 2), date(1970, 1, 1), date(2026, 6, 17), date(9999, 12, 30)] {
            let begin = begins(day);
            assert_eq!((local_date(begin), local_date(begin.plus(-1))), (day, day.yesterday().unwrap()));
        }
        assert_eq!((begins(date(1, 1, 1)).0, begins(Date::MIN).0), (i64::MIN, i64::MIN));
        assert!(begins(Date::MAX).0 > begins(date(9999, 12, 30)).0);
    }

    #[test]
    fn an_absurd_clock_still_has_a_date_that_sorts() {
        assert_eq!(local_date(UtcMillis(i64::MAX)), date(9999, 12, 31));
        assert_eq!(local_date(UtcMillis(i64::MIN)), date(1, 1, 1));
        assert_eq!(local_date(UtcMillis(-100_000_000_000_000)), date(1, 1, 1));
    }
}
