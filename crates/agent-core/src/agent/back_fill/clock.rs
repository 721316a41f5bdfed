//! The clock was set while the agent was away, in the same run of the OS.
//!
//! The counters tell by how much, so the last sign of life is told by the clock that shows now. The log's
//! records keep the times that the clock showed when they were written; a record is of the time without us
//! by either clock, unless its number says that it was there before.

use std::collections::BTreeMap;

use mngntime_model::{BootId, Moment, UtcMillis};

use super::super::time::step_since;
use super::BOOT_TOLERANCE_MS;
use crate::log::{LogChannel, LogFact, LogPosition, LogSource};
use crate::recovered::LastSeen;

/// What is later by the clock of now than the start by less than this may be seen live while the logs are
/// read, and is no record of the clock before the step.
const LIVE_MS: i64 = 60_000;

/// The step between a sign of life and now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    by_ms: i64,
    /// The last sign of life, by the clock before the step.
    since_before: UtcMillis,
    /// Now, by the clock after it.
    until: UtcMillis,
}

impl Step {
    /// The step since `seen`; none where another boot lies between, whose counters tell nothing.
    pub(super) fn since(seen: &LastSeen, own_boot: &BootId, now: &Moment) -> Option<Self> {
        let by_ms = step_since(&seen.moment, now).filter(|_| seen.boot == *own_boot)?;
        Some(Self { by_ms, since_before: seen.moment.wall, until: now.wall })
    }

    /// From when on records may be of interest, by whichever clock shows less.
    pub(super) fn earliest(&self) -> UtcMillis {
        self.since_before.min(self.since_before.plus(self.by_ms))
    }

    /// Whether a record with this time was written in the time without us by the clock before the step.
    pub(super) fn covers(&self, at: UtcMillis, tolerance_ms: i64) -> bool {
        let in_time =
            self.since_before.plus(-tolerance_ms) < at && at <= self.until.plus(self.by_ms.saturating_neg());
        in_time && (at <= self.until || self.is_of_clock_before(at))
    }

    fn is_of_clock_before(&self, at: UtcMillis) -> bool {
        at > self.until.plus(LIVE_MS)
    }

    /// The facts in the order in which they happened: after a clock that was set back, time is not that order.
    pub(super) fn in_order(&self, mut facts: Vec<LogFact>) -> Vec<LogFact> {
        if self.by_ms > 0 {
            return facts;
        }
        // From the last record back: what shows a later time than one written after it is before the step.
        facts.sort_by_key(|fact| std::cmp::Reverse(fact.record_id));
        let mut earliest: BTreeMap<LogChannel, UtcMillis> = BTreeMap::new();
        let placed = facts.into_iter().map(|fact| {
            let shown_after = earliest.entry(channel_of(fact.source)).or_insert(fact.at);
            let before = fact.at > shown_after.plus(BOOT_TOLERANCE_MS) || self.is_of_clock_before(fact.at);
            *shown_after = fact.at.min(*shown_after);
            (if before { fact.at.plus(self.by_ms) } else { fact.at }, fact)
        });
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by_key(|(at, fact)| (*at, fact.record_id));
        placed.into_iter().map(|(_, fact)| fact).collect()
    }
}

/// The sign of life by the clock that shows now.
pub(super) fn by_the_clock_of_now(seen: LastSeen, own_boot: &BootId, now: &Moment) -> LastSeen {
    let by_ms = Step::since(&seen, own_boot, now).map_or(0, |step| step.by_ms);
    let moment = Moment { wall: seen.moment.wall.plus(by_ms), ..seen.moment };
    LastSeen { moment, ..seen }
}

/// Whether the record was there when the bookmark was set.
pub(super) fn was_there(positions: &[LogPosition], fact: &LogFact) -> bool {
    let channel = channel_of(fact.source);
    positions.iter().any(|position| position.channel == channel && fact.record_id <= position.record_id)
}

fn channel_of(source: LogSource) -> LogChannel {
    match source {
        LogSource::LocalSessionManager => LogChannel::LocalSessionManager,
        LogSource::Security => LogChannel::Security,
        LogSource::Winlogon | LogSource::System => LogChannel::System,
    }
}
