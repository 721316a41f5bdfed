//! Months of the log beside a clock.
//!
//! A server whose clock jumps ahead opens a month of the future, and what arrives afterwards goes into that month: a log
//! goes forward only. That is no fault, but whoever reads the record must know it.

use mngntime_model::UtcMillis;

const DAY_MS: i64 = 86_400_000;

/// Whether a month (`YYYY-MM`, of Japan) begins more than a day after what the clock shows.
#[must_use]
pub fn is_ahead(month: &str, clock: UtcMillis) -> bool {
    let tomorrow = jiff::Timestamp::from_millisecond(clock.0.saturating_add(DAY_MS));
    tomorrow.is_ok_and(|time| {
        let date = jiff::tz::offset(9).to_datetime(time).date().to_string();
        date.get(..month.len()).is_some_and(|own| month > own)
    })
}

/// Whether a text names a month, as `YYYY-MM`.
#[must_use]
pub fn is_month(text: &str) -> bool {
    let first = format!("{text}-01");
    crate::japan::is_date(&first)
}

/// From its first moment in Japan to that of the next one, UTC milliseconds.
#[must_use]
pub fn span(month: &str) -> Option<(i64, i64)> {
    let first: jiff::civil::Date = is_month(month).then(|| format!("{month}-01").parse().ok())??;
    let next = first.checked_add(jiff::Span::new().months(1)).ok()?;
    let begins = |date: jiff::civil::Date| {
        let midnight = jiff::tz::offset(9).to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
        midnight.ok().map(jiff::Timestamp::as_millisecond)
    };
    begins(first).zip(begins(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_in_one_way() {
        assert!(is_month("2026-11") && is_month("1970-01"));
        for text in ["", "2026-13", "2026-1", "2026-11-01", "2026/11", "2026-11T", "+2026-11", "0000-01"] {
            assert!(!is_month(text), "{text}");
        }
    }

    #[test]
    fn a_month_goes_from_midnight_to_midnight_in_japan() {
        assert_eq!(span("2026-11"), Some((1_793_458_800_000, 1_796_050_800_000)));
        assert_eq!(span("2026-12").unwrap().0, 1_796_050_800_000);
        assert_eq!((span("2026-13"), span("9999-12")), (None, None));
    }

    #[test]
    fn a_month_is_ahead_when_it_begins_more_than_a_day_later() {
        // 2026-12-01 00:00 in Tokyo.
        let december = 1_796_050_800_000;
        let ahead = |month, before: i64| is_ahead(month, UtcMillis(december - before));
        assert!(!ahead("2026-12", 0) && !ahead("2026-12", DAY_MS), "a clock may be a little wrong");
        assert!(ahead("2026-12", DAY_MS + 1));
        assert!(ahead("2031-01", 0) && !ahead("2026-11", 0) && !ahead("2026-11", 400 * DAY_MS / 400));
        assert!(!is_ahead("2026-12", UtcMillis(i64::MAX)), "no calendar shows that");
    }
}
