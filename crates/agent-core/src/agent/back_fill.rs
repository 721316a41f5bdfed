//! Back-fill: what the OS's own logs say about the time in which the agent did not run.
//!
//! At start the core asks for the logs before it asks for the session list, and until they are read (or
//! cannot be) it closes no stay of an earlier boot: an exact time from a log wins over an inference.
//! [`story`] turns the facts into drafts; this file feeds it and records them.
//!
//! - What an event of ours says already is not said again: same record, or same kind, account and session
//!   with a time that agrees within [`SAME_MS`]. An observed event is never changed.
//! - Who logged on while the agent was away and is still there is left to the session list (開始時検出).
//! - The bookmark is moved only after everything is stored. A crash before that reads the same records
//!   again, and what had been stored is recognised.
//! - On a PC that has never run the agent nothing of the past is recorded: the log only completes what the
//!   session list says about who is logged on now.

mod absence;
mod clock;
mod story;

use mngntime_model::{AccountIdentity, BootId, Bounds, Event, EventKind, Evidence, Moment, UtcMillis};

use super::time::by_the_clock_of;
use super::{Agent, Draft};
use crate::command::Command;
use crate::input::OsSession;
use crate::log::{LogGap, LogPosition, LogReading, LogSession, LogWanted};
use crate::recovered::{LastSeen, Recovered};
use crate::stays::{Stay, Stays};
use clock::{Step, by_the_clock_of_now};
use story::{Open, Story};

/// Two times of one thing differ by no more than this: Windows' notice, its session table and its log are
/// written one after the other (windows.md 2).
const SAME_MS: i64 = 5_000;

/// Events that one reading of the logs may make. A PC that was watched by nobody for months must not hold
/// up its own start; what is left out is a declared gap.
const EVENTS_MAX: usize = 2_000;

/// Records of the boot itself carry times a little before the boot time that the counters give.
const BOOT_TOLERANCE_MS: i64 = 60_000;

/// What the start must still do once the logs have been read.
#[derive(Debug)]
pub(super) struct BackFill {
    /// The last sign of life that the logs were compared with. `None` on a PC that never ran the agent.
    base: Option<LastSeen>,
    /// How the clock was set since, in the same run of the OS. `base` is told by the clock of now.
    step: Option<Step>,
    /// All signs of life of earlier runs.
    seen: Vec<LastSeen>,
    /// The last comparison with the OS's list.
    compared: Option<LastSeen>,
    /// How long after that nobody can have gone unnoticed, in milliseconds.
    sign_every_ms: i64,
    /// Who was logged on when the last run of the agent ended.
    journal: Stays,
    recent: Vec<Event>,
    ended_in_order: bool,
    /// When this run of the agent began: what happens later is observed.
    started: Moment,
    asked_for: LogWanted,
    awaiting_log: bool,
    /// Logons in the log whose end is not in it: the session list decides.
    candidates: Vec<Open>,
    positions: Option<Vec<LogPosition>>,
}

impl BackFill {
    pub(super) fn new(recovered: &Recovered, own_boot: &BootId, sign_every_ms: i64, now: &Moment) -> Self {
        let told_now = |seen: LastSeen| by_the_clock_of_now(seen, own_boot, now);
        let unexplained = recovered.unexplained_since.clone();
        // Without a bookmark no earlier start can have been cut off between two readings.
        let cut_off = unexplained.clone().filter(|_| !recovered.log_positions.is_empty());
        let base = cut_off.or_else(|| recovered.last_seen.clone());
        let step = base.as_ref().and_then(|seen| Step::since(seen, own_boot, now));
        let base = base.map(told_now);
        let since = base.as_ref().map_or(now.boot_began(), |seen| seen.moment.wall);
        let since = step.map_or(since, |step| step.earliest());
        Self {
            base,
            step,
            seen: unexplained.into_iter().chain(recovered.last_seen.clone()).map(told_now).collect(),
            compared: recovered.last_compared.clone(),
            sign_every_ms,
            journal: recovered.stays.clone(),
            recent: recovered.recent.clone(),
            ended_in_order: recovered.ended_in_order,
            started: *now,
            asked_for: LogWanted { positions: recovered.log_positions.clone(), since },
            awaiting_log: true,
            candidates: Vec::new(),
            positions: None,
        }
    }

    fn since(&self) -> UtcMillis {
        self.base.as_ref().map_or(self.asked_for.since, |seen| seen.moment.wall)
    }

    /// Whether an event of ours says this already.
    fn is_recorded(&self, kind: EventKind, session: Option<&LogSession>, at: UtcMillis, cause: &str) -> bool {
        self.recent.iter().filter(|event| event.kind == kind).any(|event| {
            let same_session = session.is_none_or(|session| concerns(event, session));
            event.cause.as_deref() == Some(cause) || (same_session && agrees(event, at, SAME_MS))
        })
    }

    /// When the stay was last known to go on: by the last comparison with the OS's list, or by its
    /// beginning: whichever is later by the counter that nobody can set.
    fn last_sign(&self, stay: &Stay) -> UtcMillis {
        let here = |seen: &&LastSeen| seen.boot == stay.session.boot;
        let compared = self.compared.iter().filter(here).map(|seen| seen.moment);
        let sign = compared.chain(stay.told_at).max_by_key(|moment| moment.biased_ms);
        let last_clock = self.seen.iter().filter(here).map(|seen| seen.moment).max_by_key(|m| m.biased_ms);
        match (sign, last_clock) {
            // The clock was set after the sign: the end is told by the one that showed then.
            (Some(sign), Some(last)) if sign.biased_ms <= last.biased_ms => by_the_clock_of(&last, &sign),
            (Some(sign), _) => sign.wall,
            (None, _) => stay.began_at,
        }
    }
}

/// Whether the event's time is `at`, give or take `within_ms`; an interval agrees with every time in it.
fn agrees(event: &Event, at: UtcMillis, within_ms: i64) -> bool {
    let bounds = event.bounds.unwrap_or(Bounds::between(event.occurred_at, event.occurred_at));
    bounds.not_before.plus(-within_ms) <= at && at <= bounds.not_after.plus(within_ms)
}

fn concerns(event: &Event, session: &LogSession) -> bool {
    let same_account = event.account.as_ref().is_some_and(|account| same_person(account, &session.account));
    let same_id = event.session.as_ref().zip(session.session_id.as_ref());
    same_account && same_id.is_none_or(|(identity, id)| identity.session_id == *id)
}

/// One account in two spellings: a log may know only the SID or only the names.
fn same_person(one: &AccountIdentity, other: &AccountIdentity) -> bool {
    let is_sid = |account: &AccountIdentity| account.key.starts_with("S-1-");
    let same_names =
        one.name.eq_ignore_ascii_case(&other.name) && one.domain.eq_ignore_ascii_case(&other.domain);
    one.key == other.key || (same_names && !(is_sid(one) && is_sid(other)))
}

impl Agent {
    pub(super) fn ask_for_log(&mut self, task: BackFill) {
        self.commands.push_back(Command::ReadLog(Box::new(task.asked_for.clone())));
        self.back_fill = Some(task);
    }

    /// Whether the session list must wait for the logs.
    pub(super) fn awaits_log(&self) -> bool {
        self.back_fill.as_ref().is_some_and(|task| task.awaiting_log)
    }

    /// The logs have been read; `None`: there are none, or they cannot be read.
    pub(super) fn log_read(&mut self, reading: Option<LogReading>, now: &Moment) {
        if !self.awaits_log() {
            return;
        }
        if let Some(mut task) = self.back_fill.take() {
            task.awaiting_log = false;
            if self.clock_doubt.is_none() {
                self.tell_story(&mut task, reading, now);
                self.back_fill = Some(task);
            } else {
                // While the clock is not believed, nothing can be placed beside the log's times. Its bookmark
                // stays where it is: the next start reads the same records.
                self.doubted_task = Some(Box::new(task));
            }
            self.ask_for_list();
        }
    }

    /// By inference alone: a script does not wait for logs.
    pub(super) fn close_stays_of_earlier_boots(&mut self, task: BackFill, now: &Moment) {
        if self.clock_doubt.is_some() {
            self.doubted_task = Some(Box::new(task));
            return;
        }
        let told = Story::new(&task, &self.boot, &self.stays, false).of(Vec::new());
        self.record_told(told.drafts, now);
    }

    /// The doubted clock was set: what the start was told by it is told anew.
    pub(super) fn doubted_clock_was_set(&mut self, by_ms: i64) {
        let tasks = self.doubted_task.as_deref_mut().into_iter().chain(&mut self.back_fill);
        tasks.for_each(|task| task.started.wall = task.started.wall.plus(by_ms));
    }

    /// The doubt about the clock is over. What the start could not conclude is concluded now: the ends of stays of
    /// earlier boots, and whether the agent was absent.
    pub(super) fn conclude_doubted(&mut self, now: &Moment) {
        if let Some(mut task) = self.doubted_task.take() {
            self.tell_story(&mut task, None, now);
        }
    }

    /// Without the logs, by inference alone: when the agent is stopped before they were read.
    pub(super) fn give_up_log(&mut self, now: &Moment) {
        self.log_read(None, now);
    }

    fn tell_story(&mut self, task: &mut BackFill, reading: Option<LogReading>, now: &Moment) {
        let was_read = reading.is_some();
        let LogReading { facts, gaps, positions } = reading.unwrap_or_default();
        let gaps = if task.base.is_some() { missing(task, gaps) } else { Vec::new() };
        let told = Story::new(task, &self.boot, &self.stays, gaps.is_empty() && was_read).of(facts);
        if task.base.is_some() {
            self.declare_missing(&gaps, now);
            let read_whole = was_read && gaps.is_empty();
            let cause = if read_whole { "agent_absent:log_read" } else { "agent_absent" };
            for absence in absence::of(task, &told.runs, was_read) {
                self.record(Draft::within(EventKind::Gap, Evidence::Inferred, absence).because(cause), now);
            }
        }
        self.record_told(told.drafts, now);
        task.candidates = told.open;
        task.positions = was_read.then_some(positions);
        self.log_readable = was_read;
    }

    fn declare_missing(&mut self, gaps: &[LogGap], now: &Moment) {
        for gap in gaps {
            let bounds = Bounds::between(gap.from, gap.to);
            let cause = format!("{}:{}", gap.why.word(), gap.channel.word());
            self.record(Draft::within(EventKind::Gap, Evidence::BackFilled, bounds).because(&cause), now);
        }
    }

    /// Records in the order given. Over the limit, punches go before what only surrounds them.
    fn record_told(&mut self, mut drafts: Vec<Draft>, now: &Moment) {
        let mut over = drafts.len().saturating_sub(EVENTS_MAX);
        let (mut first, mut last) = (None, None);
        drafts.retain(|draft| {
            let left_out = over > 0 && !draft.kind.is_punch();
            if left_out {
                over -= 1;
                first.get_or_insert(draft.occurred_at);
                last = Some(draft.occurred_at);
            }
            !left_out
        });
        for draft in drafts.drain(EVENTS_MAX.min(drafts.len())..) {
            first.get_or_insert(draft.occurred_at);
            last = Some(draft.occurred_at);
        }
        if let Some((first, last)) = first.zip(last) {
            let draft = Draft::within(EventKind::Gap, Evidence::BackFilled, Bounds::between(first, last));
            self.record(draft.because("log_limit"), now);
        }
        for draft in drafts {
            self.record(draft, now);
        }
    }

    /// What the log knows better than the first list: when a session began, and whether it is locked.
    pub(super) fn completed_by_log(&self, list: &[OsSession]) -> Vec<OsSession> {
        let candidates = self.back_fill.as_ref().map_or(&[][..], |task| &task.candidates);
        let complete = |session: &OsSession| {
            let known = candidates.iter().rfind(|open| open.is_session(session));
            OsSession {
                logon_at: session.logon_at.or(known.map(|open| open.stay.began_at)),
                locked: session.locked.or(known.and_then(Open::locked)),
                ..session.clone()
            }
        };
        list.iter().map(complete).collect()
    }

    /// After the first list: who logged on while the agent was away and is not in the list has gone.
    pub(super) fn settle_back_fill(&mut self, now: &Moment) {
        let Some(task) = self.back_fill.take_if(|task| !task.awaiting_log) else {
            return;
        };
        if task.base.is_some() {
            for open in task.candidates {
                self.settle_candidate(open, now);
            }
        }
        if let Some(positions) = task.positions.filter(|positions| !positions.is_empty()) {
            self.keep_positions = Some((self.last_sequence, positions));
            self.release_positions();
        }
    }

    fn settle_candidate(&mut self, open: Open, now: &Moment) {
        let listed = self.stays.iter().find(|stay| open.is_stay(stay)).cloned();
        let Some(stay) = listed else {
            let bounds = Bounds::between(open.last_known_at(), now.wall);
            self.record_told(open.ended_within(bounds, "while_agent_was_away"), now);
            return;
        };
        for draft in open.events {
            self.record(draft.of(&stay), now);
        }
        self.stays.note_locked(&stay, stay.locked);
    }

    /// Lets the bookmark go to the disk when all that came before it is there.
    pub(super) fn release_positions(&mut self) {
        let stored_up_to = self.unstored.front().map_or(self.last_sequence, |event| event.sequence - 1);
        if let Some((_, positions)) = self.keep_positions.take_if(|(after, _)| *after <= stored_up_to) {
            self.commands.push_back(Command::KeepLogPositions(positions));
        }
    }

    /// From time to time and at a stop: what is observed needs no reading later.
    pub(super) fn note_positions(&mut self) {
        if self.log_readable && self.back_fill.is_none() && self.keep_positions.is_none() {
            self.commands.push_back(Command::NoteLogPositions);
        }
    }
}

/// The gaps that concern the time in which the agent was away, cut to it.
fn missing(task: &BackFill, gaps: Vec<LogGap>) -> Vec<LogGap> {
    let (since, until) = (task.since(), task.started.wall);
    let cut = |gap: LogGap| match task.step {
        None => LogGap { from: gap.from.max(since), to: gap.to.min(until), ..gap },
        // By which clock its ends are told, nobody knows.
        Some(step) if step.earliest() < gap.to => LogGap { from: since, to: until, ..gap },
        Some(_) => LogGap { to: gap.from, ..gap },
    };
    gaps.into_iter().map(cut).filter(|gap| gap.from < gap.to).collect()
}

/// The id of a boot that only the log knows.
fn boot_in_log(began: UtcMillis, otherwise: &BootId) -> BootId {
    BootId::new(&format!("log-{}", began.0.div_euclid(1000))).unwrap_or_else(|_| otherwise.clone())
}

#[cfg(test)]
mod tests;
