//! What the frames add up to.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_agent_core::log::LogPosition;
use mngntime_agent_core::{LastSeen, PendingEvent, Recovered, Stays};
use mngntime_ledger::{Chain, ChainBreak, Digest};
use mngntime_model::event::cause;
use mngntime_model::{Declared, Event, EventKind, SessionIdentity, UtcMillis};
use mngntime_wire::{EncodedEvent, LogTree, Receipt, limits};

use super::enrollment::Servers;
use super::frame::FrameKind;
use super::log_positions::{Compared, LogPositionsFrame};
use super::receipt::{self, ReceiptFrame};
use super::{CheckpointFrame, Enrollment, Finding, Location, Reading, SegmentState};

/// Least number of bytes an event's frame has: no shorter damage can have been one.
const EVENT_FRAME_BYTES_MIN: usize = 200;

/// State after all frames taken so far.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub(super) chain: Chain,
    pub(super) stays: Stays,
    /// The logon event of each open stay, as its bytes, and behind it the events that say whether somebody
    /// is there (two at most): what a checkpoint keeps.
    pub(super) open_logons: BTreeMap<(SessionIdentity, String), Vec<String>>,
    pub(super) pending: BTreeMap<u64, (PendingEvent, Location)>,
    /// Events with a receipt of the server we are enrolled with, as the terminal we are.
    pub(super) kept: BTreeMap<u64, Location>,
    /// Events that were declared unreadable, and have been read all the same.
    pub(super) returned: BTreeSet<u64>,
    /// When the server gave the newest receipt, by its clock.
    pub(super) last_receipt_at: Option<i64>,
    /// The same of the events of each segment.
    receipted_at: BTreeMap<u64, i64>,
    /// Numbers that were taken, each with the number under which its fact was recorded again.
    pub(super) superseded: BTreeMap<u64, u64>,
    /// What gaps have declared as the terminal we are.
    declared: Vec<Declared>,
    /// When a gap last said that this PC had been rolled back.
    pub(super) rolled_back_at: Option<UtcMillis>,
    /// Highest number used when this PC became the terminal it is.
    pub(super) enrolled_after: u64,
    pub(super) enrollment: Option<Enrollment>,
    servers: Servers,
    /// Roots that receipts name, by terminal, month and size; only while the journal is read.
    trees: BTreeMap<(String, String, u64), String>,
    pub(super) ended_in_order: bool,
    /// How far the OS's logs have been compared with the events.
    pub(super) compared: Compared,
    last_seen: Option<LastSeen>,
    /// Whether the chain's start is known: from genesis or from a checkpoint.
    anchored: bool,
    /// First and last of the unreadable segments before the one that is being read.
    unread: Option<(u64, u64)>,
    lost: Vec<(u64, u64)>,
    damage_since_last_event: Option<usize>,
}

impl Fold {
    /// The very first segment is there: its first event must be number 1.
    pub(super) fn begins_at_genesis(&mut self) {
        self.anchored = true;
    }

    pub(super) fn take(
        &mut self,
        kind: FrameKind,
        payload: &[u8],
        at: Location,
        state: &mut SegmentState,
        reading: &mut Reading,
    ) {
        let taken = match kind {
            FrameKind::Event => self.take_event(payload, at, state, reading),
            FrameKind::Receipt => self.take_receipt(payload, at, reading),
            FrameKind::Checkpoint => self.take_checkpoint(payload, at),
            FrameKind::Enrollment => self.take_enrollment(payload),
            FrameKind::LogPositions => self.take_log_positions(payload),
            FrameKind::Other(_) => None,
        };
        if taken.is_none() {
            reading.findings.push(Finding::Foreign { segment: at.segment, offset: at.offset });
        }
    }

    fn take_event(
        &mut self,
        payload: &[u8],
        at: Location,
        state: &mut SegmentState,
        reading: &mut Reading,
    ) -> Option<()> {
        let encoded = EncodedEvent::decode(std::str::from_utf8(payload).ok()?).ok()?;
        let again = self.is_copy(&encoded);
        self.pass_unread(at.segment);
        if self.found_after_all(encoded.event.sequence) {
            self.note_misplaced(encoded.event.sequence, at, reading);
            reading.events += 1;
            self.event(encoded, at, state);
            return Some(());
        }
        if again {
            self.copied(&encoded.event, at, state);
            return Some(());
        }
        if !self.anchored && encoded.event.sequence > 1 && self.chain == Chain::default() {
            // The oldest segment kept is not the first ever and its checkpoint is damaged.
            self.chain = Chain { sequence: encoded.event.sequence - 1, head: encoded.previous };
        }
        self.anchored = true;
        self.pass_over_numbers(&encoded.event, reading);
        let followed = self.chain.clone().follow(encoded.event.sequence, encoded.previous, encoded.digest);
        if let Err(fault) = followed {
            if let ChainBreak::Missing { first, last } = fault {
                self.lost.push((first, last));
            }
            reading.findings.push(Finding::Chain(fault));
        }
        reading.events += 1;
        self.event(encoded, at, state);
        Some(())
    }

    /// Whether these are the bytes of an event that has been taken in: the last of a run, written once more by the next
    /// one. It may stand behind numbers that a checkpoint has counted on from, since damage had room for them.
    fn is_copy(&self, encoded: &EncodedEvent) -> bool {
        let sequence = encoded.event.sequence;
        let waiting = self.pending.get(&sequence).map(|(_, at)| at.digest);
        let held = waiting.or_else(|| self.kept.get(&sequence).map(|at| at.digest));
        let is_last = sequence == self.chain.sequence && encoded.digest == self.chain.head;
        held == Some(encoded.digest) || is_last
    }

    /// Numbers that a gap says were used by another life of this PC are not missing here. Only those after its
    /// own last event are: what is missing before that one is.
    fn pass_over_numbers(&mut self, event: &Event, reading: &mut Reading) {
        let Some(Declared::RolledBack { after, .. }) = event.declared() else {
            return;
        };
        let own = self.chain.sequence;
        if event.supersedes.is_some() || after >= event.sequence || after < own {
            return;
        }
        if after > own {
            self.lost.push((own + 1, after));
            reading.findings.push(Finding::Chain(ChainBreak::Missing { first: own + 1, last: after }));
        }
        self.chain.sequence = event.sequence - 1;
    }

    /// Takes in an event that is durable at `at`.
    pub(super) fn event(&mut self, encoded: EncodedEvent, at: Location, state: &mut SegmentState) {
        let EncodedEvent { json, digest, event, .. } = encoded;
        if event.sequence > self.chain.sequence {
            self.chain = Chain { sequence: event.sequence, head: digest };
            // What stood between is a hole in the numbers now. A second copy of an old event tells of no hole.
            self.damage_since_last_event = None;
        }
        self.anchored = true;
        state.newest = state.newest.max(event.recorded_at.wall.0);
        state.sequences.push(event.sequence);
        self.note_declared(&event);
        match event.supersedes {
            // The fact has been taken in under its first number; it says nothing new of the PC.
            Some(first) => self.supersede(first, event.sequence),
            None => self.take_fact(&event, json),
        }
        let pending = PendingEvent { sequence: event.sequence, kind: event.kind, account: event.account };
        self.pending.insert(event.sequence, (pending, at));
    }

    /// Whether the event is one that seemed lost: its first copy was, and this is the second, behind a checkpoint
    /// that knew its number.
    fn found_after_all(&mut self, sequence: u64) -> bool {
        let holds = |(first, last): &mut (u64, u64)| (*first..=*last).contains(&sequence);
        let found: Vec<(u64, u64)> = self.lost.extract_if(.., holds).collect();
        for (first, last) in &found {
            let left = [(*first, sequence - 1), (sequence + 1, *last)];
            self.lost.extend(left.into_iter().filter(|(first, last)| first <= last));
        }
        !found.is_empty()
    }

    /// What had been reported as missing is there, only later than its number says.
    fn note_misplaced(&self, sequence: u64, at: Location, reading: &mut Reading) {
        let is_of_it = |finding: &mut Finding| {
            matches!(finding, Finding::Chain(ChainBreak::Missing { first, last })
                if (*first..=*last).contains(&sequence))
        };
        let reported: Vec<Finding> = reading.findings.extract_if(.., is_of_it).collect();
        for finding in &reported {
            let Finding::Chain(ChainBreak::Missing { first, last }) = finding else { continue };
            let left = [(*first, sequence - 1), (sequence + 1, *last)].into_iter().filter(|(f, l)| f <= l);
            let missing = |(first, last)| Finding::Chain(ChainBreak::Missing { first, last });
            reading.findings.extend(left.map(missing));
        }
        if !reported.is_empty() {
            let (segment, behind) = (at.segment, self.chain.sequence);
            reading.findings.push(Finding::Misplaced { segment, sequence, behind });
        }
    }

    /// Behind segments that could not be read; whether there were any. When the first of all was among them, what
    /// they held is known to be everything up to here.
    fn pass_unread(&mut self, segment: u64) -> bool {
        let unread = self.unread.take();
        self.anchored |= unread.is_some_and(|(first, last)| first == 1 && last + 1 == segment);
        unread.is_some()
    }

    /// A segment of so many bytes cannot be read. What it held is lost: up to what the next one's checkpoint says, or,
    /// at the end, what there was room for.
    pub(super) fn unreadable(&mut self, segment: u64, length: u64) {
        self.damage(usize::try_from(length).unwrap_or(usize::MAX), true);
        self.unread = match self.unread {
            Some((first, last)) if last + 1 == segment => Some((first, segment)),
            _ => Some((segment, segment)),
        };
    }

    fn take_fact(&mut self, event: &Event, json: String) {
        self.stays.apply(event);
        self.keep_open_logon(event, json);
        // What is said of numbers after the last event of a run does not make its end another one.
        self.ended_in_order =
            event.kind == EventKind::ServiceStop || (self.ended_in_order && event.declared().is_some());
        self.compared.event(event, self.last_seen.as_ref());
        self.last_seen = Some(LastSeen { boot: event.boot.clone(), moment: event.recorded_at });
    }

    /// The last event of a run, written once more by the next one: from now on the second copy is read, which may
    /// stay when the first one's segment goes.
    fn copied(&mut self, event: &Event, at: Location, state: &mut SegmentState) {
        state.newest = state.newest.max(event.recorded_at.wall.0);
        state.sequences.push(event.sequence);
        match self.kept.get_mut(&event.sequence) {
            Some(place) => *place = at,
            // Also where the first copy's segment is gone: the receipt, if there was one, comes after this copy.
            None => {
                let Event { sequence, kind, account, .. } = event.clone();
                self.pending.insert(sequence, (PendingEvent { sequence, kind, account }, at));
            }
        }
    }

    /// Whether the event's bytes are still here, waiting or with a receipt.
    pub(super) fn holds(&self, sequence: u64) -> bool {
        self.pending.contains_key(&sequence) || self.kept.contains_key(&sequence)
    }

    fn supersede(&mut self, first: u64, by: u64) {
        self.pending.remove(&first);
        self.kept.remove(&first);
        self.superseded.insert(first, by);
    }

    /// A loss that an earlier run has declared is not declared again.
    fn note_declared(&mut self, event: &Event) {
        let Some(declared) = event.declared() else { return };
        self.declared.push(declared);
        match declared {
            Declared::Unreadable { first, last } => self.give_up(first, last),
            Declared::RolledBack { .. } => self.rolled_back_at = Some(event.recorded_at.wall),
            Declared::NotHeld { .. } | Declared::EarlierEnrollment { .. } => {}
        }
    }

    /// What has been declared unreadable stays so: it is not sent, should it be read again.
    fn give_up(&mut self, first: u64, last: u64) {
        self.lost.retain(|lost| *lost != (first, last));
        let returned: Vec<u64> =
            self.pending.range(first..=last.max(first)).map(|(number, _)| *number).collect();
        for number in returned {
            self.pending.remove(&number);
            self.returned.insert(number);
        }
    }

    fn keep_open_logon(&mut self, event: &Event, json: String) {
        let Some((session, account)) = event.session.clone().zip(event.account.as_ref()) else {
            return;
        };
        let key = (session, account.key.clone());
        if event.kind == EventKind::Logon {
            self.open_logons.insert(key, vec![json]);
        } else if event.kind == EventKind::Logoff {
            self.open_logons.remove(&key);
        } else if matches!(event.cause.as_deref(), Some(cause::UNATTENDED_LOGON | cause::PRESENCE_BEGINS)) {
            self.open_logons.entry(key).and_modify(|kept| kept.push(json));
        }
    }

    fn take_receipt(&mut self, payload: &[u8], at: Location, reading: &mut Reading) -> Option<()> {
        let frame: ReceiptFrame = serde_json::from_slice(payload).ok()?;
        reading.receipts += 1;
        let (segment, offset) = (at.segment, at.offset);
        let receipt = match frame.checked(&self.servers) {
            Ok(receipt) => receipt,
            Err(what) => {
                reading.findings.push(Finding::Receipt { segment, offset, what });
                return Some(());
            }
        };
        let mut released = Vec::new();
        for sequence in frame.seqs {
            let Some(hash) = receipt::released(&receipt, sequence) else {
                let what = "it does not say that the server holds all the events it stands for";
                reading.findings.push(Finding::Receipt { segment, offset, what });
                continue;
            };
            let waiting = self.pending.get(&sequence).map(|(_, place)| place.digest);
            if waiting.is_some_and(|digest| Digest::parse(hash) != Ok(digest)) {
                self.pending.remove(&sequence);
                reading.findings.push(Finding::OtherBytes { segment, sequence });
            }
            released.push(sequence);
        }
        self.acknowledged(&released, Some(receipt.received_at));
        self.compare_tree(receipt, reading);
        Some(())
    }

    /// A log only grows: of one size there is one tree, whoever was told of it.
    fn compare_tree(&mut self, receipt: Receipt, reading: &mut Reading) {
        let Some(LogTree { month, size, root }) = receipt.log else { return };
        let key = (receipt.terminal, month.clone(), size);
        let first = self.trees.entry(key).or_insert_with(|| root.clone());
        if *first != root {
            reading.forks.insert((month, size));
        }
    }

    /// Takes in a receipt that counts, given at this time of the server's clock.
    pub(super) fn acknowledged(&mut self, sequences: &[u64], received_at: Option<i64>) {
        self.last_receipt_at = self.last_receipt_at.max(received_at);
        for sequence in sequences {
            if let Some((_, at)) = self.pending.remove(sequence) {
                self.kept.insert(*sequence, at);
                let newest = self.receipted_at.entry(at.segment).or_insert(i64::MIN);
                *newest = (*newest).max(received_at.unwrap_or(i64::MIN));
            }
        }
    }

    /// When the server gave the last receipt for an event of the segment, by its clock.
    pub(super) fn receipted_at(&self, segment: u64) -> Option<i64> {
        self.receipted_at.get(&segment).copied()
    }

    /// The segment has been deleted.
    pub(super) fn forget_segment(&mut self, segment: u64) {
        self.kept.retain(|_, at| at.segment != segment);
        self.receipted_at.remove(&segment);
    }

    /// A checkpoint only adds what earlier segments would have told, had they been kept.
    fn take_checkpoint(&mut self, payload: &[u8], at: Location) -> Option<()> {
        let frame: CheckpointFrame = serde_json::from_slice(payload).ok()?;
        let head = Digest::parse(&frame.head).ok()?;
        // Numbers are counted on from here, so none may be so high that counting ends.
        if frame.last_sequence > limits::SEQUENCE_MAX {
            return None;
        }
        let behind_unread = self.pass_unread(at.segment);
        if !self.anchored || behind_unread {
            (self.stays, self.open_logons) = Default::default();
            for logon in frame.open_logons {
                let encoded = EncodedEvent::decode(logon.get()).ok()?;
                self.stays.apply(&encoded.event);
                self.keep_open_logon(&encoded.event, encoded.json);
            }
            self.ended_in_order = frame.ended_in_order;
        }
        if !std::mem::replace(&mut self.anchored, true) {
            self.chain = Chain { sequence: frame.last_sequence, head };
        }
        if let Some(positions) = frame.log_positions {
            self.compared.positions = positions.positions();
        }
        if frame.last_sequence > self.chain.sequence {
            // Events between are gone, but their numbers have been used.
            self.lost.push((self.chain.sequence + 1, frame.last_sequence));
            self.chain = Chain { sequence: frame.last_sequence, head };
        }
        if let Some(enrollment) = frame.enrollment {
            self.enrolled(enrollment);
        }
        self.enrolled_after = self.enrolled_after.max(frame.enrolled_after);
        self.damage_since_last_event = None;
        Some(())
    }

    fn take_enrollment(&mut self, payload: &[u8]) -> Option<()> {
        self.enrolled(serde_json::from_slice(payload).ok()?);
        Some(())
    }

    /// Takes in an enrolment that is durable; whether the PC is another terminal by it than before.
    pub(super) fn enrolled(&mut self, enrollment: Enrollment) -> bool {
        let another = self.enrollment.as_ref().is_some_and(|before| !enrollment.goes_on_from(before));
        if another {
            self.kept.clear();
            self.declared.clear();
            self.enrolled_after = self.chain.sequence;
        }
        self.servers.add(&enrollment);
        self.enrollment = Some(enrollment);
        another
    }

    fn take_log_positions(&mut self, payload: &[u8]) -> Option<()> {
        let frame: LogPositionsFrame = serde_json::from_slice(payload).ok()?;
        self.log_positions(frame.positions());
        Some(())
    }

    /// Takes in positions that are durable.
    pub(super) fn log_positions(&mut self, positions: Vec<LogPosition>) {
        self.compared.up_to(positions);
    }

    /// Bytes that could not be read. If they may have held events at the very end, their numbers are not
    /// used again: the server may know them.
    pub(super) fn damage(&mut self, length: usize, maybe_complete: bool) {
        if maybe_complete {
            *self.damage_since_last_event.get_or_insert(0) += length;
        }
    }

    /// After the last frame. `stood_at` is where the chain is known to have stood: numbers up to there were used, and so
    /// perhaps were those that damage at the end had room for.
    pub(super) fn finish(&mut self, stood_at: Option<Chain>, reading: &mut Reading) {
        self.trees.clear();
        let damaged = self.damage_since_last_event.take().unwrap_or_default() / EVENT_FRAME_BYTES_MIN;
        let own = self.chain.sequence;
        let mut last = own + damaged as u64;
        if let Some(stood_at) = stood_at.filter(|stood_at| stood_at.sequence > own) {
            let missing = ChainBreak::Missing { first: own + 1, last: stood_at.sequence };
            reading.findings.push(Finding::Chain(missing));
            last = last.max(stood_at.sequence);
            self.chain = stood_at;
        }
        if last > own {
            self.lost.push((own + 1, last));
            self.chain.sequence = last;
        }
    }

    pub(super) fn recovered(&self) -> Recovered {
        Recovered {
            last_sequence: self.chain.sequence,
            stays: self.stays.clone(),
            pending: self.pending.values().map(|(event, _)| event.clone()).collect(),
            kept: self.kept.keys().copied().collect(),
            declared: self.declared.clone(),
            enrolled_after: self.enrolled_after,
            last_seen: self.last_seen.clone(),
            last_compared: None,
            ended_in_order: self.ended_in_order,
            enrolled: self.enrollment.is_some(),
            display_name: self.enrollment.as_ref().map(|enrollment| enrollment.display_name.clone()),
            lost: self.lost.clone(),
            recent: self.compared.recent(),
            unexplained_since: self.compared.unexplained_since.clone(),
            log_positions: self.compared.positions.clone(),
        }
    }
}
