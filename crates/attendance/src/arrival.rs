//! How something came to the server (取得方法): the one rule of every list, page, file and summary.
//!
//! Of what the OS told at its moment, the way it travelled is said: the terminal's mark of 再送 is its own word, and what does not
//! have it may have been long on its way all the same. Of all else, how the agent knew says more. What is said to have happened
//! well after it was received is of a clock that was ahead, whatever the terminal says of it: 未来の時刻. Where the clock was years
//! off, the time is by the server's, and that is said: サーバーの時計.

use mngntime_model::{Evidence, UtcMillis};

/// 即時: received within so much of when it happened, by the server's clock. The spread of a morning's logons and a few tries
/// take less; five minutes, in milliseconds.
pub const IMMEDIATE_MS: i64 = 5 * 60_000;

/// How long after it happened something was received, by the server's clock, in milliseconds; `clock_offset_ms` is the server's
/// clock less the terminal's.
#[must_use]
pub fn delay_ms(occurred_at: UtcMillis, clock_offset_ms: i64, received_at: UtcMillis) -> i64 {
    received_at.0.saturating_sub(occurred_at.plus(clock_offset_ms).0)
}

/// 未来の時刻: whether a time lies so long after its receipt that no two clocks that are kept differ by it.
#[must_use]
pub fn is_ahead(occurred_at: UtcMillis, received_at: UtcMillis) -> bool {
    occurred_at.0.saturating_sub(received_at.0) > IMMEDIATE_MS
}

/// How something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// How the agent knew.
    pub evidence: Evidence,
    /// The terminal's mark.
    pub resent: bool,
    /// See [`delay_ms`].
    pub delay_ms: i64,
    /// See [`is_ahead`].
    pub ahead: bool,
    /// Whether the terminal's clock was years off, so that the time is by the server's.
    pub by_the_servers_clock: bool,
}

impl Arrival {
    /// 即時: told at its moment, and received soon after.
    #[must_use]
    pub fn is_immediate(self) -> bool {
        self.is_of_its_moment() && self.delay_ms <= IMMEDIATE_MS
    }

    /// 遅延: told at its moment, not marked as sent again, and received late.
    #[must_use]
    pub fn is_delayed(self) -> bool {
        self.is_of_its_moment() && self.delay_ms > IMMEDIATE_MS
    }

    /// 未来の時刻: its time had not come when it was received. Of an estimate that is said instead.
    #[must_use]
    pub fn is_future(self) -> bool {
        self.ahead && self.evidence != Evidence::Inferred
    }

    /// サーバーの時計: its time is by the server's clock. Of an estimate that is said instead.
    #[must_use]
    pub fn is_by_the_servers_clock(self) -> bool {
        self.by_the_servers_clock && self.evidence != Evidence::Inferred
    }

    /// Whether the terminal's clock was so wrong that somebody should look.
    #[must_use]
    pub fn is_of_a_wrong_clock(self) -> bool {
        self.is_future() || self.is_by_the_servers_clock()
    }

    fn is_of_its_moment(self) -> bool {
        self.evidence == Evidence::Notice && !self.resent && !self.ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_at_its_moment_is_immediate_for_five_minutes_by_the_servers_clock() {
        let come = |received_at| {
            // A clock that is a minute behind.
            let delay_ms = delay_ms(UtcMillis(0), 60_000, UtcMillis(received_at));
            let arrival = Arrival {
                evidence: Evidence::Notice,
                resent: false,
                delay_ms,
                ahead: false,
                by_the_servers_clock: false,
            };
            (arrival.is_immediate(), arrival.is_delayed())
        };
        assert_eq!((come(0), come(360_000), come(360_001)), ((true, false), (true, false), (false, true)));
        for (evidence, resent) in [(Evidence::Notice, true), (Evidence::FoundAtStart, false)] {
            for delay_ms in [0, i64::MAX] {
                let arrival =
                    Arrival { evidence, resent, delay_ms, ahead: false, by_the_servers_clock: false };
                assert!(!arrival.is_immediate() && !arrival.is_delayed(), "{arrival:?}");
            }
        }
        assert_eq!(delay_ms(UtcMillis(i64::MIN), 0, UtcMillis(i64::MAX)), i64::MAX);
    }

    #[test]
    fn what_happened_well_after_it_was_received_is_of_the_future_and_not_immediate() {
        let come = |occurred_at, evidence, resent| {
            let (occurred_at, received_at) = (UtcMillis(occurred_at), UtcMillis(0));
            let (delay_ms, ahead) =
                (delay_ms(occurred_at, 0, received_at), is_ahead(occurred_at, received_at));
            let arrival = Arrival { evidence, resent, delay_ms, ahead, by_the_servers_clock: false };
            (arrival.is_future(), arrival.is_immediate() || arrival.is_delayed())
        };
        assert_eq!(come(IMMEDIATE_MS, Evidence::Notice, false), (false, true), "as far as clocks differ");
        for (evidence, resent) in
            [(Evidence::Notice, false), (Evidence::Notice, true), (Evidence::Script, false)]
        {
            assert_eq!(come(IMMEDIATE_MS + 1, evidence, resent), (true, false), "{evidence:?} {resent}");
        }
        assert_eq!(come(i64::MAX, Evidence::Inferred, false), (false, false), "an estimate stays one");
        assert!(!is_ahead(UtcMillis(i64::MIN), UtcMillis(i64::MAX)));
    }
}
