//! What the days of a month come to, below them: days and the time logged on. It is no working time, and says so.

use mngntime_attendance::completeness::State;
use mngntime_attendance::person_day::{First, Last, Level, PersonDay};

use mngntime_model::UtcMillis;

use super::words;
use crate::person_days::Dated;

/// The days of a month, summed up. Days that are recorded outside of the employment are nobody's and count nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// Days with a first logon, or on which a stay of before goes on.
    pub recorded: usize,
    /// How long a session was in a state to be used: each minute on one day.
    pub active: String,
    /// Of the days those whose first or last time is an estimate.
    pub estimated: usize,
    /// Of the days those of which a part is unknown.
    pub unknown: usize,
}

impl Total {
    /// Of these days, as far as they have begun.
    pub fn of<'a>(days: impl Iterator<Item = &'a Dated>, now: UtcMillis) -> Self {
        let (mut total, mut active_ms) = (Self::default(), 0_i64);
        for day in days
            .filter(|dated| dated.borders.from <= now)
            .map(|dated| &dated.day)
            .filter(|day| !day.is_outside())
        {
            active_ms = active_ms.saturating_add(day.active_ms);
            if day.has_a_beginning() {
                total.recorded += 1;
                total.estimated += usize::from(is_estimated(day));
                total.unknown += usize::from(day.state == State::Unknown);
            }
        }
        Self { active: words::duration(active_ms), ..total }
    }
}

fn is_estimated(day: &PersonDay) -> bool {
    let first = matches!(day.first, First::At { edge, .. } if edge.level == Level::Estimated);
    first || matches!(day.last, Last::At { edge, .. } if edge.level == Level::Estimated)
}
