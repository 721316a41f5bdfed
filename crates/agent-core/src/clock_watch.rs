//! Sees clock steps and sleeps that nobody announced.
//!
//! Every input brings all clocks. Between two inputs, wall and biased counter must advance alike, and so
//! must biased and unbiased counter. Where the first pair differs, somebody set the clock; where the
//! second does, the PC slept (windows.md 5.2; table A 8, 48–51).

use mngntime_model::Moment;

use crate::settings::CLOCK_STEP_MS;

/// What the clocks show to have happened since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockFinding {
    /// The wall clock was set by this many milliseconds.
    Stepped { by_ms: i64 },
    /// The PC slept for this many milliseconds.
    Slept { for_ms: i64 },
}

#[derive(Debug, Clone)]
pub(crate) struct ClockWatch {
    last: Moment,
}

impl ClockWatch {
    pub(crate) fn new(now: Moment) -> Self {
        Self { last: now }
    }

    /// The moment of the last look.
    pub(crate) fn last(&self) -> Moment {
        self.last
    }

    /// Compares with the last look and takes `now` as the new one.
    pub(crate) fn look(&mut self, now: Moment) -> Vec<ClockFinding> {
        let wall = now.wall.0 - self.last.wall.0;
        let biased = difference(now.biased_ms, self.last.biased_ms);
        let unbiased = difference(now.unbiased_ms, self.last.unbiased_ms);
        self.last = now;
        let mut found = Vec::new();
        if biased - unbiased > CLOCK_STEP_MS {
            found.push(ClockFinding::Slept { for_ms: biased - unbiased });
        }
        if (wall - biased).abs() > CLOCK_STEP_MS {
            found.push(ClockFinding::Stepped { by_ms: wall - biased });
        }
        found
    }
}

fn difference(later: u64, earlier: u64) -> i64 {
    i64::try_from(later).unwrap_or(i64::MAX) - i64::try_from(earlier).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::UtcMillis;

    fn moment(wall: i64, biased: u64, unbiased: u64) -> Moment {
        Moment { wall: UtcMillis(wall), offset_seconds: 0, biased_ms: biased, unbiased_ms: unbiased }
    }

    #[test]
    fn clocks_that_advance_alike_show_nothing() {
        let mut watch = ClockWatch::new(moment(1_000_000, 5_000, 5_000));
        assert_eq!(watch.look(moment(1_060_100, 65_000, 65_000)), []);
    }

    #[test]
    fn a_clock_set_back_an_hour_is_a_step() {
        let mut watch = ClockWatch::new(moment(10_000_000, 5_000, 5_000));
        let found = watch.look(moment(10_060_000 - 3_600_000, 65_000, 65_000));
        assert_eq!(found, [ClockFinding::Stepped { by_ms: -3_600_000 }]);
    }

    #[test]
    fn a_lid_closed_over_lunch_is_a_sleep_and_no_step() {
        let mut watch = ClockWatch::new(moment(10_000_000, 5_000, 5_000));
        let found = watch.look(moment(13_610_000, 3_615_000, 15_000));
        assert_eq!(found, [ClockFinding::Slept { for_ms: 3_600_000 }]);
    }

    #[test]
    fn a_difference_of_the_limit_is_drift_and_one_more_is_not() {
        let found = |wall: i64, biased: u64| {
            ClockWatch::new(moment(1_000_000, 5_000, 5_000)).look(moment(
                1_000_000 + wall,
                5_000 + biased,
                5_000,
            ))
        };
        assert_eq!(found(2_000, 2_000), []);
        assert_eq!(found(2_001, 2_001), [ClockFinding::Slept { for_ms: 2_001 }]);
        assert_eq!((found(2_000, 0), found(-2_000, 0)), (vec![], vec![]));
        assert_eq!(found(2_001, 0), [ClockFinding::Stepped { by_ms: 2_001 }]);
        assert_eq!(found(-2_001, 0), [ClockFinding::Stepped { by_ms: -2_001 }]);
    }
}
