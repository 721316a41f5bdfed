//! What the frames add up to.

use std::collections::BTreeMap;

use mngntime_agent_core::log::LogPosition;
use mngntime_agent_core::{LastSeen, PendingEvent, Recovered, Stays};
use mngntime_ledger::{Chain, ChainBreak, Digest};
use mngntime_model::event::cause;
use mngntime_model::{EventKind, SessionIdentity};
use mngntime_wire::EncodedEvent;

use super::frame::FrameKind;
use super::log_positions::{Compared, LogPositionsFrame};
use super::{
    CheckpointFrame, Enrollment, Finding, Location, Reading, ReceiptFrame, ReceiptTime, SegmentState,
};

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
    pub(super) enrollment: Option<Enrollment>,
    pub(super) ended_in_order: bool,
    /// How far the OS's logs have been compared with the events.
    pub(super) compared: Compared,
    last_seen: Option<LastSeen>,
    /// Whether the chain's start is known: from genesis or from a checkpoint.
    anchored: bool,
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
            FrameKind::Receipt => self.take_receipt(payload, reading),
            FrameKind::Checkpoint => self.take_checkpoint(payload),
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
        let again = encoded.event.sequence == self.chain.sequence && encoded.digest == self.chain.head;
        if self.found_after_all(encoded.event.sequence) {
            reading.events += 1;
            self.event(encoded, at, state);
            return Some(());
        }
        if again {
            return Some(());
        }
        if !self.anchored && encoded.event.sequence > 1 && self.chain == Chain::default() {
            // The oldest segment kept is not the first ever and its checkpoint is damaged.
            self.chain = Chain { sequence: encoded.event.sequence - 1, head: encoded.previous };
        }
        self.anchored = true;
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

    /// Takes in an event that is durable at `at`.
    pub(super) fn event(&mut self, encoded: EncodedEvent, at: Location, state: &mut SegmentState) {
        let EncodedEvent { json, digest, event, .. } = encoded;
        if event.sequence > self.chain.sequence {
            self.chain = Chain { sequence: event.sequence, head: digest };
        }
        self.anchored = true;
        self.damage_since_last_event = None;
        self.stays.apply(&event);
        self.keep_open_logon(&event, json);
        self.forget_declared(&event);
        self.ended_in_order = event.kind == EventKind::ServiceStop;
        self.compared.event(&event, self.last_seen.as_ref());
        state.newest = state.newest.max(event.recorded_at.wall.0);
        state.sequences.push(event.sequence);
        self.last_seen = Some(LastSeen { boot: event.boot, moment: event.recorded_at });
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

    /// A loss that an earlier run has declared is not declared again.
    fn forget_declared(&mut self, event: &mngntime_model::Event) {
        let declared = event.cause.as_deref().and_then(|cause| cause.strip_prefix("unreadable:"));
        if let Some(range) = declared.filter(|_| event.kind == EventKind::Gap) {
            self.lost.retain(|(first, last)| format!("{first}-{last}") != range);
        }
    }

    fn keep_open_logon(&mut self, event: &mngntime_model::Event, json: String) {
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

    fn take_receipt(&mut self, payload: &[u8], reading: &mut Reading) -> Option<()> {
        let frame: ReceiptFrame = serde_json::from_slice(payload).ok()?;
        reading.receipts += 1;
        let time =
            serde_json::from_str(frame.receipt.get()).map(|time: ReceiptTime| time.payload.received_at);
        reading.last_receipt_at = reading.last_receipt_at.max(time.ok());
        self.acknowledged(&frame.seqs);
        Some(())
    }

    pub(super) fn acknowledged(&mut self, sequences: &[u64]) {
        for sequence in sequences {
            self.pending.remove(sequence);
        }
    }

    /// A checkpoint only adds what earlier segments would have told, had they been kept.
    fn take_checkpoint(&mut self, payload: &[u8]) -> Option<()> {
        let frame: CheckpointFrame = serde_json::from_slice(payload).ok()?;
        let head = Digest::parse(&frame.head).ok()?;
        if !self.anchored {
            for logon in frame.open_logons {
                let encoded = EncodedEvent::decode(logon.get()).ok()?;
                self.stays.apply(&encoded.event);
                self.keep_open_logon(&encoded.event, encoded.json);
            }
            self.chain = Chain { sequence: frame.last_sequence, head };
            self.ended_in_order = frame.ended_in_order;
            self.anchored = true;
        }
        if let Some(positions) = frame.log_positions {
            self.compared.positions = positions.positions();
        }
        if frame.last_sequence > self.chain.sequence {
            // Events between are gone, but their numbers have been used.
            self.lost.push((self.chain.sequence + 1, frame.last_sequence));
            self.chain = Chain { sequence: frame.last_sequence, head };
        }
        self.enrollment = frame.enrollment.or(self.enrollment.take());
        self.damage_since_last_event = None;
        Some(())
    }

    fn take_enrollment(&mut self, payload: &[u8]) -> Option<()> {
        self.enrollment = Some(serde_json::from_slice(payload).ok()?);
        Some(())
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

    /// After the last frame.
    pub(super) fn finish(&mut self) {
        if let Some(length) = self.damage_since_last_event.take() {
            let events = (length / EVENT_FRAME_BYTES_MIN) as u64;
            if events > 0 {
                let (first, last) = (self.chain.sequence + 1, self.chain.sequence + events);
                self.lost.push((first, last));
                self.chain.sequence = last;
            }
        }
    }

    pub(super) fn recovered(&self) -> Recovered {
        Recovered {
            last_sequence: self.chain.sequence,
            stays: self.stays.clone(),
            pending: self.pending.values().map(|(event, _)| event.clone()).collect(),
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
