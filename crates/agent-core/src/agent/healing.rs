//! What this PC and the server remember of each other, and what is done where they disagree.
//!
//! | the server | this PC | meaning | done |
//! |---|---|---|---|
//! | misses a number | has its event | the server was restored from a backup | sent again ([`crate::held`]) |
//! | misses a number | has no such event | lost on both sides, or used by an earlier enrolment | declared, once |
//! | has a number | has never used it | our memory is older than our history: a rolled-back image | numbering goes on above it, with a gap that says so |
//! | has other bytes under a number | has its own | the same, or a second PC with our identity | the same, and our event is recorded again under a new number |
//!
//! The new record names the number it had before, and *is* the proof that the old one is done with: there is
//! one write, so a crash finds either only the old one (which is refused again and recorded again) or both
//! (and then the old one is not sent any more). The old record stays in the journal as evidence.
//!
//! Two PCs with one identity heal in turns for ever. So that this costs nothing while nobody uses them, only
//! the first news of higher numbers in a run is recorded at once; later ones wait for the next record.

use mngntime_model::{Bounds, Declared, Event, EventKind, Evidence, Moment, UtcMillis};

use super::{Agent, Draft, event};
use crate::command::Command;
use crate::input::Answer;
use crate::message::{Message, MessageId};
use crate::recovered::Recovered;
use crate::settings::{NUMBERS_PASSED_MAX, RENUMBERINGS_PER_HOUR_MAX};

/// What is known of the server's memory.
#[derive(Debug)]
pub(super) struct Healing {
    /// Numbers that gaps of ours have said to be of another life, as ranges.
    foreign: Vec<(u64, u64)>,
    /// The server's head, while it is above every number of ours.
    ahead: Option<u64>,
    /// Whether this run has found higher numbers before.
    found_ahead: bool,
    /// When the hour began in which renumberings are counted, and how many there were.
    renumbered: (u64, u32),
    /// The last sign of life before this run: what is missing is not older.
    last_before_run: UtcMillis,
    /// Highest number used by what this PC was before it became the terminal it is.
    enrolled_after: u64,
}

impl Healing {
    pub(super) fn new(recovered: &Recovered, now: &Moment) -> Self {
        let foreign = |declared: &Declared| (!declared.gives_up()).then(|| declared.range());
        Self {
            foreign: recovered.declared.iter().filter_map(foreign).collect(),
            ahead: None,
            found_ahead: false,
            renumbered: (now.biased_ms, 0),
            last_before_run: recovered.last_seen.as_ref().map_or(now.wall, |seen| seen.moment.wall),
            enrolled_after: recovered.enrolled_after,
        }
    }

    /// Whether one more round of new numbers is within bounds; counts it.
    fn may_renumber(&mut self, now_ms: u64) -> bool {
        let (began, rounds) = self.renumbered;
        let same_hour = now_ms.saturating_sub(began) < 3_600_000;
        if same_hour && rounds >= RENUMBERINGS_PER_HOUR_MAX {
            return false;
        }
        self.renumbered = if same_hour { (began, rounds + 1) } else { (now_ms, 1) };
        true
    }

    fn knows(&self, sequence: u64) -> bool {
        self.foreign.iter().any(|(first, last)| (first..=last).contains(&&sequence))
    }
}

impl Agent {
    /// Compares the server's memory with ours.
    pub(super) fn heal(&mut self, answer: &Answer, displaced: Vec<u64>, now: &Moment) {
        let ahead =
            answer.head > self.last_sequence && answer.head - self.last_sequence <= NUMBERS_PASSED_MAX;
        self.healing.ahead = ahead.then_some(answer.head);
        self.record_displaced(displaced, now);
        if ahead && !std::mem::replace(&mut self.healing.found_ahead, true) {
            self.pass_used_numbers(now);
        }
        self.send_missing_again(answer, now);
        self.declare_what_nobody_has(answer, now);
    }

    /// Numbers that somebody else has used are never ours: says so, and goes on above them.
    pub(super) fn pass_used_numbers(&mut self, now: &Moment) {
        let after = self.last_sequence;
        if let Some(head) = self.healing.ahead.take().filter(|head| *head > after) {
            self.record_rolled_back(after + 1, head, now);
        }
    }

    fn record_rolled_back(&mut self, first: u64, last: u64, now: &Moment) {
        let declared = Declared::RolledBack { first, last, after: self.last_sequence };
        self.last_sequence = self.last_sequence.max(last) + 1;
        let bounds = Bounds::between(self.healing.last_before_run, now.wall);
        let draft = Draft::within(EventKind::Gap, Evidence::Inferred, bounds);
        let gap = event(draft.because(&declared.to_string()), self.last_sequence, &self.boot, now);
        self.healing.foreign.push((first, last));
        self.notice(Message::new(MessageId::RolledBack, vec![first.to_string(), last.to_string()]), now);
        self.queue_to_store(gap);
    }

    /// Events whose numbers are taken: their contents are asked for, to be recorded again. What is on its way
    /// to the disk already is not asked for twice.
    fn record_displaced(&mut self, mut displaced: Vec<u64>, now: &Moment) {
        displaced.retain(|sequence| !self.unstored.iter().any(|e| e.supersedes == Some(*sequence)));
        displaced.sort_unstable();
        if displaced.is_empty() || !self.healing.may_renumber(now.biased_ms) {
            return;
        }
        // Asked for first, so that all of it goes into one batch; numbered after the gap all the same.
        self.commands.push_back(Command::Recall { sequences: displaced.clone() });
        self.upload.allow_another_last_attempt();
        let unknown = |sequence: &&u64| !self.healing.knows(**sequence);
        let first_unknown = displaced.iter().find(unknown).copied();
        let last_unknown = displaced.iter().rfind(unknown).copied();
        if let Some((first, last)) = first_unknown.zip(last_unknown) {
            let head = self.healing.ahead.take().unwrap_or(last);
            self.record_rolled_back(first, last.max(head), now);
        }
        self.pass_used_numbers(now);
    }

    /// Records the contents again, as they were, under numbers of their own.
    pub(super) fn recalled(&mut self, events: Vec<Event>) {
        for displaced in events {
            self.last_sequence += 1;
            let supersedes = Some(displaced.sequence);
            self.queue_to_store(Event { sequence: self.last_sequence, supersedes, ..displaced });
        }
    }

    /// Neither dropped on a full disk nor applied to the stays: the fact itself is recorded already, or none.
    fn queue_to_store(&mut self, event: Event) {
        self.unstored.push_back(event);
        self.ask_to_store();
    }

    fn send_missing_again(&mut self, answer: &Answer, now: &Moment) {
        let idle = self.upload.held.due().is_none();
        let queued = self.upload.compare(answer, now.biased_ms);
        if idle && queued > 0 {
            self.notice(Message::new(MessageId::ServerMissesRecords, vec![queued.to_string()]), now);
        }
    }

    fn declare_what_nobody_has(&mut self, answer: &Answer, now: &Moment) {
        let (upload, unstored) = (&self.upload, &self.unstored);
        let on_their_way = |(first, last): (u64, u64)| -> Vec<u64> {
            let unstored = unstored.iter().map(|event| event.sequence);
            let within = unstored.filter(|sequence| (first..=last).contains(sequence));
            upload.waiting_within((first, last)).chain(within).collect()
        };
        let ranges = upload.held.not_held(&answer.missing, self.last_sequence, on_their_way);
        for (first, last) in ranges {
            self.upload.held.note_declared((first, last));
            let border = self.healing.enrolled_after;
            if first <= border {
                let last = last.min(border);
                self.declare(Declared::EarlierEnrollment { first, last }, now);
            }
            if last > border {
                self.declare_not_held(first.max(border + 1), last, now);
            }
        }
    }

    fn declare_not_held(&mut self, first: u64, last: u64, now: &Moment) {
        self.notice(Message::new(MessageId::RecordsNotHeld, vec![first.to_string(), last.to_string()]), now);
        self.declare(Declared::NotHeld { first, last }, now);
    }

    fn declare(&mut self, declared: Declared, now: &Moment) {
        let draft = Draft::at(EventKind::Gap, Evidence::Notice, now.wall);
        self.record(draft.because(&declared.to_string()), now);
    }

    /// An event that was to be sent again is not in the journal any more.
    pub(super) fn cannot_send_again(&mut self, sequence: u64, now: &Moment) {
        if self.upload.held.forget(sequence) {
            self.upload.held.note_declared((sequence, sequence));
            self.declare_not_held(sequence, sequence, now);
        }
    }

    pub(super) fn new_terminal(&mut self) {
        self.upload.held.forget_all();
        self.healing.enrolled_after = self.last_sequence;
        self.healing.foreign.clear();
        self.healing.ahead = None;
    }
}
