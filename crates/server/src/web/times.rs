//! Times as the pages show them: always Asia/Tokyo, never the host's zone.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, Zoned};
use mngntime_model::{Language, UtcMillis};

/// `time` on a clock in Tokyo. A PC's clock may show anything; what no calendar has is moved to its end.
#[must_use]
pub fn tokyo(time: UtcMillis) -> Zoned {
    let end = if time.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(time.0).unwrap_or(end).to_zoned(mngntime_store::date::zone())
}

fn text(time: UtcMillis, format: &str) -> String {
    tokyo(time).strftime(format).to_string()
}

/// `09:21:47`
#[must_use]
pub fn clock(time: UtcMillis) -> String {
    text(time, "%H:%M:%S")
}

/// `09:21`
#[must_use]
pub fn clock_short(time: UtcMillis) -> String {
    text(time, "%H:%M")
}

/// `06-17 09:21`
#[must_use]
pub fn month_clock(time: UtcMillis) -> String {
    text(time, "%m-%d %H:%M")
}

/// `2026-06-17 09:21`
#[must_use]
pub fn day_clock(time: UtcMillis) -> String {
    text(time, "%Y-%m-%d %H:%M")
}

/// `2026-06-17 09:21:47`
#[must_use]
pub fn full(time: UtcMillis) -> String {
    text(time, "%Y-%m-%d %H:%M:%S")
}

/// `2026-06-17 09:21:47.102`
#[must_use]
pub fn exact(time: UtcMillis) -> String {
    text(time, "%Y-%m-%d %H:%M:%S%.3f")
}

/// `2026-06-17T09:21:47+09:00`, for `datetime` attributes.
#[must_use]
pub fn machine(time: UtcMillis) -> String {
    text(time, "%Y-%m-%dT%H:%M:%S%:z")
}

/// When something was received, next to when it happened: the date only when it is another one.
#[must_use]
pub fn received(received_at: UtcMillis, occurred_at: UtcMillis) -> String {
    let same_day = tokyo(received_at).date() == tokyo(occurred_at).date();
    if same_day { clock(received_at) } else { text(received_at, "%m-%d %H:%M:%S") }
}

/// `18:04〜20:31`, with dates where the two differ; with seconds within one minute, and one time within one second.
#[must_use]
pub fn range(from: UtcMillis, to: UtcMillis) -> String {
    let same_day = tokyo(from).date() == tokyo(to).date();
    if same_day && clock_short(from) == clock_short(to) {
        let (from, to) = (clock(from), clock(to));
        if from == to { from } else { format!("{from}〜{to}") }
    } else if same_day {
        format!("{}〜{}", clock_short(from), clock_short(to))
    } else {
        format!("{}〜{}", month_clock(from), month_clock(to))
    }
}

/// `2026年6月17日（水）`, `Wed 17 June 2026`
#[must_use]
pub fn long_date(date: Date, language: Language) -> String {
    match language {
        Language::Japanese => {
            format!("{}年{}月{}日（{}）", date.year(), date.month(), date.day(), weekday(date.weekday()))
        }
        Language::English => date.strftime("%a %-d %B %Y").to_string(),
    }
}

/// `2026年6月`, `June 2026`
#[must_use]
pub fn long_month(month: Date, language: Language) -> String {
    match language {
        Language::Japanese => format!("{}年{}月", month.year(), month.month()),
        Language::English => month.strftime("%B %Y").to_string(),
    }
}

/// `6月16日`, `16 June`; with the year when it is not this one.
#[must_use]
pub fn short_date(date: Date, today: Date, language: Language) -> String {
    let this_year = date.year() == today.year();
    match (language, this_year) {
        (Language::Japanese, true) => format!("{}月{}日", date.month(), date.day()),
        (Language::Japanese, false) => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        (Language::English, true) => date.strftime("%-d %B").to_string(),
        (Language::English, false) => date.strftime("%-d %B %Y").to_string(),
    }
}

/// `月`
#[must_use]
pub fn weekday(day: Weekday) -> char {
    match day {
        Weekday::Monday => '月',
        Weekday::Tuesday => '火',
        Weekday::Wednesday => '水',
        Weekday::Thursday => '木',
        Weekday::Friday => '金',
        Weekday::Saturday => '土',
        Weekday::Sunday => '日',
    }
}

/// When `date` begins in Tokyo; `None` beyond the calendar.
#[must_use]
pub fn start_of(date: Date) -> Option<UtcMillis> {
    let zoned = date.to_zoned(mngntime_store::date::zone()).ok()?;
    Some(UtcMillis(zoned.timestamp().as_millisecond()))
}

/// When the day after `date` begins in Tokyo; `None` beyond the calendar.
#[must_use]
pub fn end_of(date: Date) -> Option<UtcMillis> {
    start_of(date.tomorrow().ok()?)
}

/// How far a terminal's clock is from the server's: `+0.8` when the terminal is ahead. The store keeps the
/// server's clock less the terminal's.
#[must_use]
pub fn seconds_ahead(clock_offset_ms: i64) -> String {
    let tenths = clock_offset_ms.saturating_neg() as f64 / 1000.0;
    match format!("{:.1}", tenths.abs()).as_str() {
        "0.0" => "0.0".to_owned(),
        size if tenths > 0.0 => format!("+{size}"),
        size => format!("−{size}"),
    }
}

/// The same in whole days, `−9827`; `None` when it is less than one.
#[must_use]
pub fn days_ahead(clock_offset_ms: i64) -> Option<String> {
    let days = clock_offset_ms.saturating_neg() / 86_400_000;
    let sign = if days > 0 { '+' } else { '−' };
    (days != 0).then(|| format!("{sign}{}", days.unsigned_abs()))
}

/// Offset from which a clock is worth a warning.
pub const OFFSET_WARN_MS: u64 = 60_000;

/// Whether a clock is so far off that somebody should look.
#[must_use]
pub fn offset_is_large(clock_offset_ms: i64) -> bool {
    clock_offset_ms.unsigned_abs() > OFFSET_WARN_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const MORNING: UtcMillis = UtcMillis(1_781_655_707_102); // 2026-06-17T09:21:47.102+09:00

    #[test]
    fn times_are_tokyo_times() {
        assert_eq!(full(MORNING), "2026-06-17 09:21:47");
        assert_eq!(exact(MORNING), "2026-06-17 09:21:47.102");
        assert_eq!(machine(MORNING), "2026-06-17T09:21:47+09:00");
        assert_eq!(start_of(date(2026, 6, 17)), Some(UtcMillis(1_781_622_000_000)));
    }

    #[test]
    fn a_range_has_seconds_within_a_minute_and_is_one_time_within_a_second() {
        assert_eq!(range(MORNING, MORNING.plus(60_000)), "09:21〜09:22");
        assert_eq!(range(MORNING, MORNING.plus(5_000)), "09:21:47〜09:21:52");
        assert_eq!(range(MORNING, MORNING.plus(500)), "09:21:47");
        assert_eq!(range(MORNING, MORNING.plus(86_400_000)), "06-17 09:21〜06-18 09:21");
    }

    #[test]
    fn a_receipt_on_another_day_shows_the_day() {
        assert_eq!(received(MORNING.plus(1000), MORNING), "09:21:48");
        assert_eq!(received(MORNING.plus(86_400_000), MORNING), "06-18 09:21:47");
    }

    #[test]
    fn absurd_clocks_are_shown_and_do_not_panic() {
        assert!(full(UtcMillis(i64::MAX)).starts_with("9999-"));
        assert!(!full(UtcMillis(i64::MIN)).is_empty());
        assert_eq!(end_of(Date::MAX), None);
    }

    #[test]
    fn dates_in_both_languages() {
        let day = date(2026, 6, 17);
        assert_eq!(long_date(day, Language::Japanese), "2026年6月17日（水）");
        assert_eq!(long_date(day, Language::English), "Wed 17 June 2026");
        assert_eq!(short_date(day, date(2027, 1, 1), Language::Japanese), "2026年6月17日");
    }

    #[test]
    fn a_terminal_that_lags_has_a_minus() {
        assert_eq!(seconds_ahead(-800), "+0.8");
        assert_eq!(seconds_ahead(94_600), "−94.6");
        assert_eq!(seconds_ahead(3), "0.0");
        let days = [1, -1].map(|side| days_ahead(side * 10_000 * 86_400_000).unwrap());
        assert_eq!((days, days_ahead(86_399_999)), (["−10000", "+10000"].map(str::to_owned), None));
        assert!(offset_is_large(94_600) && !offset_is_large(60_000));
    }
}
