//! What still needs a receipt, and when to try.
//!
//! Two lanes. The **ready** lane holds what only the network stands in the way of: tried at once, then with
//! full jitter (a random wait of up to a bound that doubles). The **slow** lane holds what the server
//! refuses until somebody acts (res=5, 6, 8, an unknown result): tried every quarter of an hour, and at
//! once when anything is accepted again. Nothing leaves either lane but by [`Upload::answered`], or because
//! it is stored again under another number. Behind both stands what the server has lost ([`crate::held`]).

use std::collections::BTreeMap;

use mngntime_model::{EventKind, FailureCause, PunchResult};

use crate::held::{Held, SentAgain};
use crate::input::{Answer, AnswerItem};
use crate::message::Punch;
use crate::random::Jitter;
use crate::recovered::PendingEvent;
use crate::settings::{BATCH_EVENTS_MAX, Settings};

/// One event without a receipt.
#[derive(Debug, Clone)]
struct Waiting {
    punch: Option<Punch>,
    /// Recorded by an earlier run of the agent, which may or may not have tried to send it.
    from_earlier_run: bool,
    /// Attempts to send by this run.
    attempts: u32,
    slow: bool,
    last_cause: Option<FailureCause>,
}

/// What to tell the event log about one punch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Completed { punch: Punch, resent: bool },
    Failed { punch: Punch, cause: FailureCause },
}

/// What the uploader wants to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    Enroll,
    Send(Vec<(u64, bool)>),
}

/// Outcome of an answer: what leaves the spool, and what the event log gets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) released: Vec<u64>,
    pub(crate) told: Vec<Told>,
    /// Events whose numbers the server holds with other bytes.
    pub(crate) displaced: Vec<u64>,
}

#[derive(Debug)]
pub(crate) struct Upload {
    waiting: BTreeMap<u64, Waiting>,
    pub(crate) held: Held,
    in_flight: Option<Vec<u64>>,
    enrolled: bool,
    enrolling: bool,
    last_attempt_made: bool,
    failures: u32,
    /// When to try the ready lane next; `None` when nothing there waits.
    ready_due: Option<u64>,
    slow_due: u64,
    contact_due: u64,
    jitter: Jitter,
    spread_ms: u64,
    contact_ms: u64,
    retry_base_ms: u64,
    retry_cap_ms: u64,
    slow_retry_ms: u64,
}

impl Upload {
    pub(crate) fn new(
        settings: &Settings,
        pending: Vec<PendingEvent>,
        held: Held,
        enrolled: bool,
        now_ms: u64,
    ) -> Self {
        let waiting: BTreeMap<_, _> =
            pending.into_iter().map(|event| (event.sequence, recovered(event))).collect();
        let mut upload = Self {
            ready_due: (!waiting.is_empty()).then_some(now_ms),
            waiting,
            held,
            in_flight: None,
            enrolled,
            enrolling: false,
            last_attempt_made: false,
            failures: 0,
            slow_due: now_ms,
            contact_due: now_ms,
            jitter: Jitter::new(settings.seed),
            spread_ms: settings.spread_ms,
            contact_ms: settings.contact_ms,
            retry_base_ms: settings.retry_base_ms,
            retry_cap_ms: settings.retry_cap_ms,
            slow_retry_ms: settings.slow_retry_ms,
        };
        // The first contact is spread too: after a power cut a whole office starts at once.
        upload.contact_due = now_ms + upload.jitter.up_to(upload.spread_ms);
        upload
    }

    /// Events without a receipt.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Numbers within `range` that wait for a receipt.
    pub(crate) fn waiting_within(&self, (first, last): (u64, u64)) -> impl Iterator<Item = u64> {
        self.waiting.range(first..=last).map(|(sequence, _)| *sequence)
    }

    /// Takes in an event that is now durable. With `instead_of` it is one that had another number before: that
    /// one is done with.
    pub(crate) fn stored(&mut self, event: PendingEvent, instead_of: Option<u64>, now_ms: u64) {
        if let Some(before) = instead_of {
            self.waiting.remove(&before);
            self.held.forget(before);
        }
        let spread = if event.kind == EventKind::Logon { self.spread_ms } else { 0 };
        let is_punch = event.kind.is_punch();
        let sequence = event.sequence;
        self.waiting.insert(sequence, Waiting { from_earlier_run: instead_of.is_some(), ..recovered(event) });
        // While attempts fail, only a punch is worth one of its own: its failure must be told.
        if self.failures == 0 || is_punch {
            let due = now_ms + self.jitter.up_to(spread);
            self.try_by(due);
        }
    }

    /// Takes an event off the list that can never be sent; whether it was on it.
    pub(crate) fn forget(&mut self, sequence: u64) -> bool {
        self.waiting.remove(&sequence).is_some()
    }

    /// An event cannot be read now: it is tried again when what was refused is, and the others go without it. Whether
    /// that is news.
    pub(crate) fn put_off(&mut self, sequence: u64, now_ms: u64) -> bool {
        let due = now_ms + self.slow_retry_ms;
        let Some(waiting) = self.waiting.get_mut(&sequence) else {
            self.held.wait_until(due);
            return true;
        };
        self.slow_due = self.slow_due.max(due);
        !std::mem::replace(&mut waiting.slow, true)
    }

    /// The network may have come back: forget the wait, but not all PCs of a floor in the same second.
    pub(crate) fn network_changed(&mut self, now_ms: u64) {
        if self.waiting.values().any(|waiting| !waiting.slow) {
            let due = now_ms + self.jitter.up_to(self.retry_base_ms);
            self.try_by(due);
        }
    }

    /// Whatever stood in the way may be gone.
    pub(crate) fn configuration_changed(&mut self, enrolled: bool, now_ms: u64) {
        self.enrolled = enrolled;
        self.failures = 0;
        self.contact_due = now_ms;
        self.try_all_now(now_ms);
    }

    /// Everything that waits is to be tried now.
    fn try_all_now(&mut self, now_ms: u64) {
        self.ready_due = (!self.waiting.is_empty()).then_some(now_ms);
        self.slow_due = now_ms;
    }

    fn try_by(&mut self, due: u64) {
        self.ready_due = Some(self.ready_due.map_or(due, |earlier| earlier.min(due)));
    }

    /// When [`Upload::next`] may have something to do.
    pub(crate) fn next_wakeup(&self) -> Option<u64> {
        if self.in_flight.is_some() || self.enrolling {
            return None;
        }
        let ready = self.ready_due.filter(|_| self.waiting.values().any(|waiting| !waiting.slow));
        let slow = self.waiting.values().any(|waiting| waiting.slow).then_some(self.slow_due);
        [ready, slow, self.held.due(), Some(self.contact_due)].into_iter().flatten().min()
    }

    /// What to do now. One attempt at a time: the answer to one decides the next.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<Wish> {
        if self.next_wakeup().is_none_or(|due| due > now_ms) {
            return None;
        }
        if !self.enrolled {
            self.enrolling = true;
            return Some(Wish::Enroll);
        }
        let batch = self.batch(now_ms);
        self.in_flight = Some(batch.iter().map(|(sequence, _)| *sequence).collect());
        for (sequence, _) in &batch {
            if let Some(waiting) = self.waiting.get_mut(sequence) {
                waiting.attempts = waiting.attempts.saturating_add(1);
            }
        }
        Some(Wish::Send(batch))
    }

    /// Whether no attempt is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_none() && !self.enrolling
    }

    /// What an ending agent still does: everything that waits is tried once more, and with `may_enroll` the
    /// terminal is enrolled first. `None` when there is nothing to try or it has been tried.
    pub(crate) fn last_attempt(&mut self, may_enroll: bool, now_ms: u64) -> Option<Wish> {
        let able = self.enrolled || (may_enroll && self.failures == 0);
        if !self.is_idle() || !able || self.waiting.is_empty() || self.last_attempt_made {
            return None;
        }
        self.try_all_now(now_ms);
        let wish = self.next(now_ms);
        self.last_attempt_made = matches!(wish, Some(Wish::Send(_)));
        wish
    }

    /// What an ending agent has tried turned out to be under wrong numbers; it gets right ones. The end's own
    /// time limit bounds how often that can be.
    pub(crate) fn allow_another_last_attempt(&mut self) {
        self.last_attempt_made = false;
    }

    fn batch(&self, now_ms: u64) -> Vec<(u64, bool)> {
        let ready = self.ready_due.is_some_and(|due| due <= now_ms);
        let slow = self.slow_due <= now_ms;
        let mut batch: Vec<(u64, bool)> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| if waiting.slow { slow } else { ready })
            .take(BATCH_EVENTS_MAX)
            .map(|(sequence, waiting)| (*sequence, waiting.counts_as_resent(0)))
            .collect();
        let room = BATCH_EVENTS_MAX - batch.len();
        batch.extend(self.held.next(now_ms, room).map(|sequence| (sequence, true)));
        batch.sort_unstable();
        batch
    }

    /// Takes a verified receipt into account.
    pub(crate) fn answered(&mut self, answer: &Answer, now_ms: u64) -> Settled {
        let sent = self.in_flight.take().unwrap_or_default();
        self.spread_ms = u64::from(answer.wishes.spread_seconds) * 1000;
        self.contact_ms = u64::from(answer.wishes.contact_seconds) * 1000;
        self.failures = 0;
        let mut settled = Settled::default();
        let mut lane = LaneChange::default();
        match answer.refused {
            Some(res) => {
                let cause = cause_of(PunchResult::from_res(Some(res)).ok_or(res));
                // A server that does not know the terminal (any more) is asked to enrol it before the next
                // attempt; one that has blocked it answers that with the same result.
                self.enrolled &= cause != FailureCause::Result(PunchResult::TerminalUnusable);
                sent.iter().for_each(|sequence| self.keep(*sequence, cause.clone(), &mut settled, &mut lane));
                self.held.wait_until(now_ms + self.slow_retry_ms);
            }
            None => {
                for item in answer.items.iter().filter(|item| sent.contains(&item.sequence)) {
                    match self.held.settle(*item, now_ms) {
                        SentAgain::No => self.settle(*item, &mut settled, &mut lane),
                        SentAgain::Taken => {}
                        SentAgain::Displaced => settled.displaced.push(item.sequence),
                    }
                }
                self.pace(now_ms);
            }
        }
        self.schedule_after_answer(&lane, now_ms);
        settled
    }

    /// Compares what the server says it has with what it has acknowledged; how many numbers are now to be sent
    /// again that were not before.
    pub(crate) fn compare(&mut self, answer: &Answer, now_ms: u64) -> u64 {
        let idle = self.held.due().is_none();
        let queued = self.held.compare(answer.head, &answer.missing, now_ms);
        if idle {
            self.pace(now_ms);
        }
        queued
    }

    /// A pause before the next that is sent again, of the crowd's spread: a server that lost a day has all its
    /// terminals send at once.
    fn pace(&mut self, now_ms: u64) {
        if self.held.due().is_some() {
            self.held.wait_until(now_ms + self.jitter.up_to(self.spread_ms));
        }
    }

    fn settle(&mut self, item: AnswerItem, settled: &mut Settled, lane: &mut LaneChange) {
        match item.result {
            Ok(result) if item.stored && result.releases_spool() => {
                let Some(waiting) = self.waiting.remove(&item.sequence) else {
                    return;
                };
                settled.released.push(item.sequence);
                self.held.keep(item.sequence);
                lane.released_after_refusal |= !waiting.slow;
                let resent = waiting.counts_as_resent(1);
                settled.told.extend(waiting.punch.map(|punch| match result {
                    PunchResult::Accepted => Told::Completed { punch, resent },
                    PunchResult::ContractUnusable
                    | PunchResult::TerminalUnusable
                    | PunchResult::UserUnusable
                    | PunchResult::ReenrollmentRequired
                    | PunchResult::ServerFailed => {
                        Told::Failed { punch, cause: FailureCause::Result(result) }
                    }
                }));
            }
            // The server holds other bytes under this number. It stays here, slowly tried, until it is stored
            // under another one; that is no matter of the person who punched.
            _ if !item.stored => {
                if let Some(waiting) = self.waiting.get_mut(&item.sequence) {
                    waiting.slow = true;
                    lane.slowed = true;
                    settled.displaced.push(item.sequence);
                }
            }
            other => self.keep(item.sequence, cause_of(other), settled, lane),
        }
    }

    fn keep(&mut self, sequence: u64, cause: FailureCause, settled: &mut Settled, lane: &mut LaneChange) {
        let Some(waiting) = self.waiting.get_mut(&sequence) else {
            return;
        };
        waiting.slow = cause != FailureCause::Result(PunchResult::ServerFailed);
        lane.slowed |= waiting.slow;
        lane.failed_on_server |= !waiting.slow;
        settled.told.extend(waiting.failed_with(cause));
    }

    fn schedule_after_answer(&mut self, lane: &LaneChange, now_ms: u64) {
        self.contact_due = now_ms + self.contact_ms - self.jitter.up_to(self.contact_ms / 10);
        if lane.failed_on_server {
            self.back_off(None, now_ms);
        } else {
            self.ready_due = self.waiting.values().any(|waiting| !waiting.slow).then_some(now_ms);
        }
        if lane.slowed {
            self.slow_due = now_ms + self.slow_retry_ms - self.jitter.up_to(self.slow_retry_ms / 4);
        } else if lane.released_after_refusal {
            self.slow_due = now_ms;
        }
    }

    /// No receipt came: everything stays, each punch's failure is told once for each reason.
    pub(crate) fn failed(
        &mut self,
        cause: &FailureCause,
        retry_after_seconds: Option<u32>,
        now_ms: u64,
    ) -> Vec<Told> {
        let sent = self.in_flight.take().unwrap_or_default();
        self.back_off(retry_after_seconds, now_ms);
        self.tell_failed(&sent, cause)
    }

    fn tell_failed(&mut self, sequences: &[u64], cause: &FailureCause) -> Vec<Told> {
        let waiting = &mut self.waiting;
        sequences
            .iter()
            .filter_map(|sequence| waiting.get_mut(sequence)?.failed_with(cause.clone()))
            .collect()
    }

    fn back_off(&mut self, retry_after_seconds: Option<u32>, now_ms: u64) {
        let bound = self.retry_base_ms.saturating_mul(1 << self.failures.min(20)).min(self.retry_cap_ms);
        self.failures = self.failures.saturating_add(1);
        let asked = u64::from(retry_after_seconds.unwrap_or(0)) * 1000;
        let due = now_ms + asked + self.jitter.up_to(bound);
        self.ready_due = Some(due);
        self.slow_due = self.slow_due.max(due);
        self.held.wait_until(due);
        self.contact_due = self.contact_due.max(due);
    }

    /// The terminal is enrolled: what waits goes now.
    pub(crate) fn enrolled(&mut self, now_ms: u64) {
        self.enrolled = true;
        self.enrolling = false;
        self.failures = 0;
        self.try_all_now(now_ms);
    }

    /// Enrolment failed. A refusal is worth a slow retry, anything else the ordinary one.
    pub(crate) fn enrollment_failed(
        &mut self,
        cause: &FailureCause,
        retry_after_seconds: Option<u32>,
        now_ms: u64,
    ) -> Vec<Told> {
        self.enrolling = false;
        self.back_off(retry_after_seconds, now_ms);
        if cause.res().is_some() {
            let due = now_ms + self.slow_retry_ms - self.jitter.up_to(self.slow_retry_ms / 4);
            self.ready_due = Some(due);
            self.contact_due = due;
        }
        let all: Vec<u64> = self.waiting.keys().copied().collect();
        self.tell_failed(&all, cause)
    }
}

#[derive(Debug, Default)]
struct LaneChange {
    slowed: bool,
    failed_on_server: bool,
    released_after_refusal: bool,
}

impl Waiting {
    /// Notes a failure; what to tell, unless this punch has failed for the same reason before.
    fn failed_with(&mut self, cause: FailureCause) -> Option<Told> {
        let known = self.last_cause.replace(cause.clone()).is_some_and(|last| last.same_reason(&cause));
        if known { None } else { self.punch.clone().map(|punch| Told::Failed { punch, cause }) }
    }

    /// 再送: an earlier run recorded it, more than `attempts_of_now` were made, or one failed before it
    /// could be made (no enrolment).
    fn counts_as_resent(&self, attempts_of_now: u32) -> bool {
        self.from_earlier_run || self.attempts > attempts_of_now || self.last_cause.is_some()
    }
}

fn recovered(event: PendingEvent) -> Waiting {
    let punch =
        event.account.filter(|_| event.kind.is_punch()).map(|account| Punch { kind: event.kind, account });
    Waiting { punch, from_earlier_run: true, attempts: 0, slow: false, last_cause: None }
}

fn cause_of(result: Result<PunchResult, u8>) -> FailureCause {
    match result {
        Ok(result) => FailureCause::Result(result),
        Err(number) => FailureCause::UnknownResult(number),
    }
}

#[cfg(test)]
mod tests;
