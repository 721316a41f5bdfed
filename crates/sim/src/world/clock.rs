//! The clocks of one PC: a wall clock that anybody can set, and two counters that nobody can.

use mngntime_model::{Moment, UtcMillis};

/// True time is that of the world, in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// What the wall clock shows beyond true time, since when: oldest first.
    offsets: Vec<(i64, i64)>,
    zone_seconds: i32,
    booted_at: i64,
    slept_ms: i64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { offsets: vec![(i64::MIN, 0)], zone_seconds: 9 * 3600, booted_at: 0, slept_ms: 0 }
    }

    pub(crate) fn boot(&mut self, now: i64) {
        (self.booted_at, self.slept_ms) = (now, 0);
    }

    pub(crate) fn slept(&mut self, milliseconds: i64) {
        self.slept_ms += milliseconds;
    }

    pub(crate) fn move_to_zone(&mut self, seconds: i32) {
        self.zone_seconds = seconds;
    }

    pub(crate) fn step(&mut self, by_ms: i64, now: i64) {
        let offset = self.offset() + by_ms;
        self.offsets.push((now, offset));
    }

    pub(crate) fn offset(&self) -> i64 {
        self.offsets.last().map_or(0, |(_, offset)| *offset)
    }

    pub(crate) fn wall(&self, now: i64) -> UtcMillis {
        UtcMillis(now + self.offset())
    }

    pub(crate) fn moment(&self, now: i64) -> Moment {
        let biased = now - self.booted_at;
        let count = |ms: i64| u64::try_from(ms).unwrap_or(0);
        Moment {
            wall: self.wall(now),
            offset_seconds: self.zone_seconds,
            biased_ms: count(biased),
            unbiased_ms: count(biased - self.slept_ms),
        }
    }

    /// True time at which the biased counter shows `biased_ms` in this boot.
    pub(crate) fn at(&self, biased_ms: u64) -> i64 {
        self.booted_at.saturating_add(i64::try_from(biased_ms).unwrap_or(i64::MAX))
    }

    /// All offsets that were in force between two true times, in order.
    pub(crate) fn offsets_between(&self, from: i64, to: i64) -> Vec<i64> {
        let ends = self.offsets.iter().skip(1).map(|(since, _)| *since).chain([i64::MAX]);
        let in_force = self.offsets.iter().zip(ends);
        in_force.filter(|((since, _), end)| *since <= to && from <= *end).map(|((_, o), _)| *o).collect()
    }
}
