//! Which days there are to tell of: one rule for whoever writes a record and for whoever checks it.
//!
//! Days are those of Japan, UTC+9 without exception, counted from 1970-01-01: whatever a PC's clock has shown, no calendar
//! and no time zone of the past can tell it otherwise here and there. A terminal's first day is that of its enrolment or of its
//! earliest event by the times that are believed ([`super::clocks`]). A clock that nobody set right may still have shown
//! anything: what lies outside of the years in which there can be records begins nothing, and of too many days the newest
//! are told, since those are what anybody asks for.

use std::ops::RangeInclusive;

use mngntime_model::UtcMillis;

use super::{Received, Timeline};

/// Days of one terminal that are told at most: five years, the longest that records are kept, and one more.
pub const DAYS_MAX: i64 = 6 * 366;

const DAY_MS: i64 = 86_400_000;
const JAPAN_MS: i64 = 9 * 3_600_000;

/// 1970-01-01 and 2999-12-31: days on which there can be records.
const RECORDED: RangeInclusive<i64> = 0..=376_199;

/// The day of Japan in which a time lies.
#[must_use]
pub fn day_of(time: UtcMillis) -> i64 {
    time.plus(JAPAN_MS).0.div_euclid(DAY_MS)
}

/// When a day begins.
#[must_use]
pub fn begin_of(day: i64) -> UtcMillis {
    UtcMillis(day.saturating_mul(DAY_MS).saturating_sub(JAPAN_MS))
}

/// Days to tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysTold {
    /// The first one that there would be.
    pub begins: i64,
    /// The first and the last one that are told; there are none when the last one lies before the first.
    pub told: (i64, i64),
}

impl DaysTold {
    /// Each of them.
    #[must_use]
    pub fn days(self) -> RangeInclusive<i64> {
        self.told.0..=self.told.1
    }

    /// How many there would be before them.
    #[must_use]
    pub fn cut(self) -> i64 {
        self.told.0.saturating_sub(self.begins)
    }
}

impl Timeline {
    /// The days of a terminal, all of them or the `asked` ones, up to the moment before `made_at`.
    #[must_use]
    pub fn days_told(
        &self,
        enrolled_at: UtcMillis,
        asked: Option<(i64, i64)>,
        made_at: UtcMillis,
    ) -> DaysTold {
        let enrolled = day_of(enrolled_at);
        let first = self.first_recorded.map_or(enrolled, |day| day.min(enrolled));
        // What is made at midnight ends with the day before.
        let made = day_of(made_at.plus(-1));
        let (from, to) = asked.unwrap_or((first, made));
        let (begins, last) = (from.max(first), to.min(made));
        let longest = last.saturating_sub(DAYS_MAX - 1);
        DaysTold { begins, told: (begins.max(longest), last) }
    }
}

/// The day of the earliest event by its time, of those on which there can be records.
pub(super) fn first_recorded(events: &[Received]) -> Option<i64> {
    let days = events.iter().map(|received| day_of(received.event.recorded_at.wall));
    days.filter(|day| RECORDED.contains(day)).min()
}
