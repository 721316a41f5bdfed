//! What the clocks show: steps, sleeps nobody announced, and a clock that cannot be right.
//!
//! Every event carries the counters that nobody can set, so a wrong clock falsifies nothing that the server
//! cannot put right; the rules here keep the agent's own conclusions (bounds) from being drawn across a step.

use mngntime_model::{Bounds, EventKind, Evidence, Moment, UtcMillis};

use super::{Agent, Draft};
use crate::clock_watch::ClockFinding;
use crate::input::{Input, OsFact};
use crate::recovered::LastSeen;
use crate::settings::{CLOCK_BEHIND_MS, CLOCK_DOUBT_MS, CLOCK_STEP_MS, STEP_TOLD_MS};

/// The clock showed less at the start than it had shown before (table A 51: a dead clock battery). Which
/// of the two is wrong, only a correction tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockDoubt {
    /// What the clock showed before.
    last_seen: UtcMillis,
    /// Wait for a correction until then, on the biased counter.
    pub(super) until: u64,
}

/// A step that was seen before it was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepSeen {
    by_ms: i64,
    at_ms: u64,
}

impl Agent {
    pub(super) fn look_at_clocks(&mut self, input: &Input, now: &Moment) {
        let before = self.clocks.last();
        let announced = self.power.asleep;
        let resume_told = matches!(input, Input::Os(OsFact::Resumed { .. }));
        let told = matches!(input, Input::Os(OsFact::ClockSet { .. }));
        for finding in self.clocks.look(*now) {
            match finding {
                ClockFinding::Slept { .. } if announced => {}
                ClockFinding::Slept { for_ms } => {
                    self.slept_unannounced(&before, for_ms, resume_told, now);
                }
                ClockFinding::Stepped { .. } if told => {}
                ClockFinding::Stepped { by_ms } => {
                    self.step_seen = Some(StepSeen { by_ms, at_ms: now.biased_ms });
                    self.clock_set(by_ms, Evidence::Reconciled, now);
                }
            }
        }
    }

    /// A critical battery or a kernel that sleeps by itself announces nothing; the way back may be told.
    fn slept_unannounced(&mut self, before: &Moment, for_ms: i64, resume_told: bool, now: &Moment) {
        let cause = self.power.display_is_dark.then_some("display_off");
        let bounds = Bounds::between(before.wall, now.wall.plus(-for_ms));
        let draft = Draft::within(EventKind::Suspend, Evidence::Inferred, bounds);
        self.record(draft.because_if(cause), now);
        if !resume_told {
            let bounds = Bounds::between(before.wall.plus(for_ms), now.wall);
            let draft = Draft::within(EventKind::Resume, Evidence::Inferred, bounds);
            self.record(draft.because_if(cause), now);
        }
    }

    /// The OS says that the clock was set. Not worth a record: what is no step (the time service trims the
    /// clock all day), and what was seen and recorded a moment before the notice came.
    pub(super) fn clock_set_told(&mut self, by_ms: i64, now: &Moment) {
        let same = |seen: &StepSeen| {
            now.biased_ms.saturating_sub(seen.at_ms) <= STEP_TOLD_MS
                && seen.by_ms.abs_diff(by_ms) <= CLOCK_STEP_MS.unsigned_abs()
        };
        if by_ms.abs() > CLOCK_STEP_MS && self.step_seen.take_if(|seen| same(seen)).is_none() {
            self.clock_set(by_ms, Evidence::Notice, now);
        }
    }

    pub(super) fn clock_set(&mut self, by_ms: i64, evidence: Evidence, now: &Moment) {
        // Bounds that begin before the step are told by the new clock, or they would span it.
        self.last_list_at = self.last_list_at.plus(by_ms);
        self.shutdown_announced_at = self.shutdown_announced_at.map(|at| at.plus(by_ms));
        self.unconfirmed_ends.iter_mut().for_each(|(_, at, _)| *at = at.plus(by_ms));
        let draft = Draft::at(EventKind::TimeChange, evidence, now.wall);
        self.record(draft.because(&format!("by_ms:{by_ms}")), now);
        let caught_up = |doubt: &mut ClockDoubt| now.wall.plus(CLOCK_BEHIND_MS) >= doubt.last_seen;
        if self.clock_doubt.is_some() {
            self.doubted_clock_was_set(by_ms);
        }
        if self.clock_doubt.take_if(caught_up).is_some() {
            self.conclude_doubted(now);
        }
    }

    /// A clock that shows less than it did in the boot before contradicts it: that is said, and all
    /// conclusions wait.
    pub(super) fn doubt_clock_behind(&mut self, last_seen: &LastSeen, now: &Moment) {
        let behind_ms = last_seen.moment.wall.0.saturating_sub(now.wall.0);
        if behind_ms > CLOCK_BEHIND_MS {
            let until = now.biased_ms + CLOCK_DOUBT_MS;
            self.clock_doubt = Some(ClockDoubt { last_seen: last_seen.moment.wall, until });
            let draft = Draft::at(EventKind::TimeChange, Evidence::Inferred, now.wall);
            self.record(draft.because(&format!("behind_last_seen_ms:{behind_ms}")), now);
        }
    }

    /// No correction came. All that can be said of what happened in between is what both clocks allow.
    pub(super) fn give_up_on_clock(&mut self, now: &Moment) {
        if self.clock_doubt.take().is_some() {
            self.conclude_doubted(now);
        }
    }

    /// A clock that was set while the agent was away in the same boot: the counters went on.
    pub(super) fn compare_clock_with_last_run(&mut self, last_seen: &LastSeen, now: &Moment) {
        if let Some(by_ms) = step_since(&last_seen.moment, now) {
            self.clock_set(by_ms, Evidence::Inferred, now);
        }
    }
}

/// By how much the clock was set between two moments of one boot, in milliseconds; `None`: it was not.
pub(super) fn step_since(seen: &Moment, now: &Moment) -> Option<i64> {
    let wall = now.wall.0.saturating_sub(seen.wall.0);
    let counted = i64::try_from(now.biased_ms.saturating_sub(seen.biased_ms)).unwrap_or(i64::MAX);
    let by_ms = wall.saturating_sub(counted);
    (by_ms.abs() > CLOCK_STEP_MS).then_some(by_ms)
}

/// The time of an earlier moment of the same boot, by the clock that shows now.
pub(super) fn by_the_clock_of(now: &Moment, earlier: &Moment) -> UtcMillis {
    let since = i64::try_from(now.biased_ms.saturating_sub(earlier.biased_ms)).unwrap_or(i64::MAX);
    now.wall.plus(since.saturating_neg())
}
