//! What a `time_change` says of the PC's clock: the cause of the event in the agent's words.

/// A setting of a PC's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSetting {
    /// `by_ms:N`: it was set by so many milliseconds.
    By(i64),
    /// `behind_last_seen_ms:N`: it was found behind what had been recorded, and by how much it was set is not known.
    Unknown,
}

impl ClockSetting {
    /// Reads the cause of a `time_change`; nothing where that says something else.
    #[must_use]
    pub fn parse(cause: &str) -> Option<Self> {
        if cause.starts_with("behind_last_seen_ms:") {
            return Some(Self::Unknown);
        }
        cause.strip_prefix("by_ms:")?.parse().ok().map(Self::By)
    }

    /// How far the clock was behind before this setting, where it was behind by `by` after it; nothing where that is not known.
    #[must_use]
    pub fn before(self, by: Option<i64>) -> Option<i64> {
        match self {
            Self::By(milliseconds) => by.map(|by| by.saturating_add(milliseconds)),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_clock_was_set_by_is_read_and_nothing_else() {
        let read =
            ["by_ms:-5", "by_ms:+7", "behind_last_seen_ms:9", "by_ms:x", "by_ms:9223372036854775808", ""];
        let by = |milliseconds| Some(ClockSetting::By(milliseconds));
        let expected = [by(-5), by(7), Some(ClockSetting::Unknown), None, None, None];
        assert_eq!(read.map(ClockSetting::parse), expected);
        let back = [ClockSetting::By(i64::MAX), ClockSetting::Unknown].map(|setting| setting.before(Some(1)));
        assert_eq!((back, ClockSetting::By(1).before(None)), ([Some(i64::MAX), None], None));
    }
}
