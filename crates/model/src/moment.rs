//! Points in time as a PC can know them.

/// Milliseconds since 1970-01-01T00:00:00Z. The only form of time at rest; a zone is added for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// This time moved by `milliseconds`, saturating at the ends of the range.
    #[must_use]
    pub fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// What all clocks of a PC showed at one instant.
///
/// The wall clock can be set by anyone; the two counters cannot. Their differences between two moments of
/// the same boot show a clock step (`wall` against `biased`) and time spent asleep (`biased` against
/// `unbiased`) without any notice from the OS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock, UTC.
    pub wall: UtcMillis,
    /// Offset of local time from UTC in seconds, east positive.
    pub offset_seconds: i32,
    /// Milliseconds since boot, sleep included (Linux `CLOCK_BOOTTIME`, Windows `GetTickCount64`).
    pub biased_ms: u64,
    /// Milliseconds since boot, sleep not included (Linux `CLOCK_MONOTONIC`, Windows
    /// `QueryUnbiasedInterruptTime`).
    pub unbiased_ms: u64,
}

impl Moment {
    /// The wall time at which this boot began, by this moment's clocks.
    #[must_use]
    pub fn boot_began(&self) -> UtcMillis {
        self.wall.plus(-i64::try_from(self.biased_ms).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_is_the_wall_clock_less_the_time_since() {
        let moment =
            Moment { wall: UtcMillis(10_000), offset_seconds: 0, biased_ms: 4_000, unbiased_ms: 3_000 };
        assert_eq!(moment.boot_began(), UtcMillis(6_000));
    }
}
