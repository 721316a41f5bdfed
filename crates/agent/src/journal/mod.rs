//! The journal: the agent's only memory, and the record's first home.
//!
//! # Format
//! A directory of append-only segments `000001.journal`, `000002.journal` … Each begins with an 8-byte magic
//! and holds [`frame`]s, each with its own checksums. There is one truth and no other state: receipts are
//! frames, the enrolment is a frame, and the first frame of every segment but the first is a checkpoint of
//! what earlier segments must not be needed for (chain head, open stays, enrolment, log positions).
//!
//! # Promises
//! - [`Journal::append`] returns `Ok` only after the frame is synced; a crash before that leaves no trace or
//!   a torn end, never a wrong record.
//! - No state depends on a rename. A damaged segment is never written to again and never repaired in place:
//!   the next record opens a new segment, and what could not be read is reported.
//! - One damaged frame never hides the frames after it (each starts with a marker to find the next by), and one segment
//!   that the disk does not give back none of the others: it stays where it is, what it held is declared lost, and
//!   that is final. Should it be readable again one day, its events are evidence and are not sent: what they tell may
//!   have been recorded again since. A refusal that can be cured (permissions, a lock, no more handles) declares nothing.
//! - After a failed sync the page cache is not trusted: the segment is sealed and the record is written
//!   again to a new one. The same record twice, byte for byte, counts once.
//! - What a process left in the page cache when it was killed is not trusted either: the last event is written
//!   again at [`Journal::open`], and until that has worked [`Journal::read`] does not give it away.
//! - Only receipts that the server has signed count (`receipt`), now and at every later reading.
//! - A segment is deleted only when each of its events has a receipt and all are older than
//!   [`KEEP_MS`] by the server's clock (`prune`), so that a server restored from a backup can be healed.
//! - An event that names the number it had before ends the waiting of that one: both facts are one write. The
//!   superseded record stays where it is.

pub mod disk;
mod enrollment;
mod error;
mod fold;
mod frame;
pub mod heartbeat;
mod log_positions;
mod prune;
mod reading;
mod receipt;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;

use mngntime_agent_core::log::LogPosition;
use mngntime_agent_core::{PendingEvent, Recovered};
use mngntime_ledger::{Chain, Digest};
use mngntime_model::{Event, UtcMillis};
use mngntime_wire::EncodedEvent;
use serde::{Deserialize, Serialize};

use disk::Disk;
pub use enrollment::Enrollment;
pub use error::JournalError;
use fold::Fold;
use frame::FrameKind;
pub use heartbeat::Heartbeat;
use log_positions::LogPositionsFrame;
pub use reading::{Finding, Reading};
pub(crate) use receipt::checked as checked_receipt;
pub use receipt::{Given, receipts};

/// A segment is closed when it is longer than this: small enough to be read in a few milliseconds.
const SEGMENT_BYTES_MAX: u64 = 1024 * 1024;

/// Highest number of a segment: four petabytes. A file with a higher one was not written by us, and counting on from
/// it could come to an end.
const SEGMENTS_MAX: u64 = u32::MAX as u64;

/// Events are kept this long after their receipt, in milliseconds: longer than a month's closing, and than
/// any backup from which a server is likely to be restored. 35 days.
pub const KEEP_MS: i64 = 35 * 24 * 3600 * 1000;

/// Receipts remembered while the disk takes none: each covers a batch, so this is more than a disk that stays
/// full leaves time for.
const UNKEPT_RECEIPTS_MAX: usize = 1000;

/// Set aside so that the journal can still grow when the disk is full: two thousand events.
const RESERVE_BYTES: usize = 1024 * 1024;
const RESERVE: &str = "reserve";

/// Where an event's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Location {
    segment: u64,
    offset: u64,
    length: usize,
    digest: Digest,
}

/// The journal of one terminal.
#[derive(Debug)]
pub struct Journal<D> {
    disk: D,
    fold: Fold,
    /// Segments with the newest event time in each, and whether all their events have receipts.
    segments: BTreeMap<u64, SegmentState>,
    /// The segment being written: number and length. `None` until the first write after opening a journal
    /// with a damaged end, or after a failed write.
    active: Option<(u64, u64)>,
    next_segment: u64,
    /// Event numbers and receipts that are not on disk yet, oldest first.
    unkept_receipts: VecDeque<(Vec<u64>, String)>,
    /// The event behind which nothing proves that it was synced: every frame waits for the sync of the one
    /// before it in its segment, so only the last event can be one.
    unproven: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct SegmentState {
    newest: i64,
    sequences: Vec<u64>,
    /// The disk does not give it back.
    unreadable: bool,
}

#[derive(Serialize, Deserialize)]
struct CheckpointFrame {
    last_sequence: u64,
    head: String,
    open_logons: Vec<Box<serde_json::value::RawValue>>,
    enrollment: Option<Enrollment>,
    ended_in_order: bool,
    /// Absent in checkpoints of versions that read no logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_positions: Option<LogPositionsFrame>,
    /// Absent in checkpoints of versions that did not compare memories with the server.
    #[serde(default)]
    enrolled_after: u64,
}

impl<D: Disk> Journal<D> {
    /// Reads the journal; repairs nothing.
    ///
    /// # Errors
    /// Only when the directory or a segment may not be read, or cannot for now; damage is a [`Finding`].
    pub fn open(disk: D) -> Result<(Self, Reading), JournalError> {
        let mut opened = Self::open_to_read(disk)?;
        opened.0.keep_reserve();
        // A full disk may refuse now; every later write tries first.
        let _tried_again = opened.0.prove_last();
        Ok(opened)
    }

    /// The same without making anything on the disk: for commands that look on while the agent runs.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_to_read(disk: D) -> Result<(Self, Reading), JournalError> {
        // Before the segments: an agent that runs meanwhile only makes them longer than this says.
        let (heartbeat, unsound_heartbeat) = Heartbeat::examine(&disk);
        let stood_at = heartbeat.chain();
        let numbers = segments_of(&disk)?;
        let mut journal = Self {
            next_segment: numbers.last().map_or(1, |last| last + 1),
            unkept_receipts: VecDeque::new(),
            unproven: None,
            disk,
            fold: Fold::default(),
            segments: BTreeMap::new(),
            active: None,
        };
        let mut reading = Reading { segments: numbers.len() as u64, ..Reading::default() };
        for number in numbers {
            journal.read_segment(number, &mut reading)?;
        }
        // What a checkpoint has counted on from was not the last: its copy would stand behind later numbers.
        journal.unproven = journal.unproven.filter(|last| *last == journal.fold.chain.sequence);
        journal.fold.finish(stood_at, &mut reading);
        reading.findings.extend(unsound_heartbeat);
        reading.returned = journal.fold.returned.iter().copied().collect();
        reading.last_receipt_at = journal.fold.last_receipt_at;
        reading.superseded = journal.fold.superseded.iter().map(|(old, new)| (*old, *new)).collect();
        Ok((journal, reading))
    }

    fn read_segment(&mut self, number: u64, reading: &mut Reading) -> Result<(), JournalError> {
        let name = segment_name(number);
        match disk::read_whole(&self.disk, &name) {
            Ok(bytes) => {
                self.take_segment(number, &bytes, reading);
                self.pass_unread(
                    number,
                    bytes.len() as u64,
                    disk::unread(&self.disk, &name, &bytes),
                    reading,
                );
            }
            Err(error) if disk::is_lasting(&error) => self.pass_unreadable(number, &error, reading),
            // The agent that runs while we look on has deleted it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => reading.segments -= 1,
            Err(error) => return Err(JournalError::disk("read", &name, error)),
        }
        Ok(())
    }

    /// What stands behind the longest segment that we write is none of our frames.
    fn pass_unread(&mut self, number: u64, offset: u64, length: u64, reading: &mut Reading) {
        if length > 0 {
            self.active = None;
            let damaged = Finding::Damaged { segment: number, offset, length, maybe_complete: true };
            reading.findings.push(damaged);
        }
    }

    fn pass_unreadable(&mut self, number: u64, error: &io::Error, reading: &mut Reading) {
        let is_file = !disk::is_no_file(error);
        // What is no file of ours was never written to by us. A file whose length is not told may be as long as any.
        let length =
            if is_file { self.disk.length(&segment_name(number)).unwrap_or(SEGMENT_BYTES_MAX) } else { 0 };
        self.fold.unreadable(number, length);
        self.unproven = None;
        self.active = None;
        if is_file {
            self.segments.insert(number, SegmentState { unreadable: true, ..SegmentState::default() });
        }
        reading.findings.push(Finding::Unreadable { segment: number, what: error.to_string() });
    }

    fn take_segment(&mut self, number: u64, bytes: &[u8], reading: &mut Reading) {
        if number == 1 {
            self.fold.begins_at_genesis();
        }
        let scan = frame::scan(bytes);
        let mut state = SegmentState::default();
        for (piece_number, piece) in scan.pieces.iter().enumerate() {
            match piece {
                frame::Piece::Frame { kind, offset, payload } => {
                    let at = Location {
                        segment: number,
                        offset: *offset as u64,
                        length: payload.len(),
                        digest: Digest::of(payload),
                    };
                    self.fold.take(*kind, payload, at, &mut state, reading);
                    // What begins a segment may follow a failure in the one before.
                    if piece_number > 0 || *kind == FrameKind::Event {
                        self.unproven = (*kind == FrameKind::Event).then_some(self.fold.chain.sequence);
                    }
                }
                frame::Piece::Damage { offset, length, maybe_complete } => {
                    self.fold.damage(*length, *maybe_complete);
                    reading.findings.push(Finding::Damaged {
                        segment: number,
                        offset: *offset as u64,
                        length: *length as u64,
                        maybe_complete: *maybe_complete,
                    });
                }
            }
        }
        self.active = scan.sound_to_the_end().then_some((number, bytes.len() as u64));
        self.segments.insert(number, state);
    }

    /// What the core needs to know of the past.
    #[must_use]
    pub fn recovered(&self, heartbeat: Option<&Heartbeat>) -> Recovered {
        let mut recovered = self.fold.recovered();
        recovered.last_compared = heartbeat.and_then(Heartbeat::last_seen);
        if let Some(beat) = recovered.last_compared.clone() {
            // Of the same boot, or of the last one: the later sign of life counts.
            let later = recovered
                .last_seen
                .as_ref()
                .is_none_or(|seen| seen.boot == beat.boot && seen.moment.biased_ms < beat.moment.biased_ms);
            if later {
                recovered.last_seen = Some(beat);
            }
        }
        recovered
    }

    /// Enrolment, if there is one.
    #[must_use]
    pub fn enrollment(&self) -> Option<&Enrollment> {
        self.fold.enrollment.as_ref()
    }

    /// Where the chain stands.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.fold.chain
    }

    /// When this PC last found out that it had been rolled back, by its own clock.
    #[must_use]
    pub fn rolled_back_at(&self) -> Option<UtcMillis> {
        self.fold.rolled_back_at
    }

    /// Events without a receipt, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &PendingEvent> {
        self.fold.pending.values().map(|(event, _)| event)
    }

    /// Makes `event` durable as the next of the chain.
    ///
    /// # Errors
    /// [`JournalError`]; nothing has been promised then, and the same event may be given again.
    pub fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        let sequence = event.sequence;
        let encoded = EncodedEvent::encode(event.clone(), self.fold.chain.head)
            .map_err(|source| JournalError::Encode { sequence, source })?;
        let at = self.write(FrameKind::Event, encoded.json.as_bytes())?;
        let state = self.segments.entry(at.segment).or_default();
        self.fold.event(encoded, at, state);
        Ok(())
    }

    /// The exact bytes of an event that waits for its receipt, or is kept for a server that may lose it.
    ///
    /// # Errors
    /// [`JournalError::Unreadable`] when the disk no longer holds what was written, [`JournalError::Disk`] also
    /// when it may not hold it yet, [`JournalError::Unknown`] when the event has been let go of.
    pub fn read(&self, sequence: u64) -> Result<String, JournalError> {
        if self.unproven == Some(sequence) {
            let source =
                io::Error::other("the last event is in the page cache and not known to be on the disk");
            return Err(JournalError::disk("sync", "the journal", source));
        }
        self.bytes_of(sequence)
    }

    fn bytes_of(&self, sequence: u64) -> Result<String, JournalError> {
        let pending = self.fold.pending.get(&sequence).map(|(_, at)| at);
        let at = pending.or_else(|| self.fold.kept.get(&sequence)).ok_or(JournalError::Unknown(sequence))?;
        let name = segment_name(at.segment);
        let bytes = self.disk.read_at(&name, at.offset, at.length).map_err(|error| {
            // The segment is gone or was cut: no later try will find the record.
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) {
                JournalError::Unreadable(sequence)
            } else {
                JournalError::disk("read", &name, error)
            }
        })?;
        if Digest::of(&bytes) != at.digest {
            return Err(JournalError::Unreadable(sequence));
        }
        String::from_utf8(bytes).map_err(|_| JournalError::Unreadable(sequence))
    }

    /// The same as the event that it means.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn recall(&self, sequence: u64) -> Result<Event, JournalError> {
        let json = self.read(sequence)?;
        EncodedEvent::decode(&json)
            .map(|encoded| encoded.event)
            .map_err(|_| JournalError::Unreadable(sequence))
    }

    /// Notes durably that the server holds these events, with the signed receipt that proves it.
    ///
    /// # Errors
    /// [`JournalError`]; the receipt is remembered for [`Self::keep_receipts`]. Should the process end before,
    /// the events are sent again after its next start, which has no effect.
    pub fn acknowledge(&mut self, sequences: &[u64], receipt_json: &str) -> Result<(), JournalError> {
        if self.unkept_receipts.len() < UNKEPT_RECEIPTS_MAX {
            self.unkept_receipts.push_back((sequences.to_vec(), receipt_json.to_owned()));
        }
        self.keep_receipts()
    }

    /// Writes the receipts that the disk has refused so far.
    ///
    /// # Errors
    /// [`JournalError`] when it refuses again.
    pub fn keep_receipts(&mut self) -> Result<(), JournalError> {
        self.prove_last()?;
        while let Some((sequences, receipt)) = self.unkept_receipts.front() {
            let payload = format!("{{\"seqs\":{},\"receipt\":{receipt}}}", json_numbers(sequences));
            self.write(FrameKind::Receipt, payload.as_bytes())?;
            if let Some((sequences, receipt)) = self.unkept_receipts.pop_front() {
                self.fold.acknowledged(&sequences, receipt::received_at(&receipt));
            }
        }
        Ok(())
    }

    /// Notes durably that the terminal is enrolled; whether it is another terminal by that than before.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn enroll(&mut self, enrollment: Enrollment) -> Result<bool, JournalError> {
        let payload = serde_json::to_vec(&enrollment)
            .map_err(|e| JournalError::disk("encode", "the enrolment", io::Error::other(e)))?;
        self.write(FrameKind::Enrollment, &payload)?;
        Ok(self.fold.enrolled(enrollment))
    }

    /// Notes durably how far the OS's logs have been dealt with.
    ///
    /// # Errors
    /// [`JournalError`]; the same records are then read again, which has no effect.
    pub fn keep_log_positions(&mut self, positions: &[LogPosition]) -> Result<(), JournalError> {
        let payload = serde_json::to_vec(&LogPositionsFrame::of(positions))
            .map_err(|e| JournalError::disk("encode", "the log positions", io::Error::other(e)))?;
        self.write(FrameKind::LogPositions, &payload)?;
        self.fold.log_positions(positions.to_vec());
        Ok(())
    }

    /// How far the OS's logs have been dealt with.
    #[must_use]
    pub fn log_positions(&self) -> &[LogPosition] {
        &self.fold.compared.positions
    }

    fn write(&mut self, kind: FrameKind, payload: &[u8]) -> Result<Location, JournalError> {
        self.prove_last()?;
        self.write_frame(kind, payload)
    }

    /// Makes sure that the last event of an earlier run is on the disk. A sync alone would not: after one that
    /// failed, the OS may hold the pages to be clean.
    fn prove_last(&mut self) -> Result<(), JournalError> {
        let Some(sequence) = self.unproven.filter(|sequence| self.fold.pending.contains_key(sequence)) else {
            self.unproven = None;
            return Ok(());
        };
        match self.bytes_of(sequence) {
            Ok(json) => {
                let at = self.write_frame(FrameKind::Event, json.as_bytes())?;
                self.segments.entry(at.segment).or_default().sequences.push(sequence);
                self.fold.pending.entry(sequence).and_modify(|(_, place)| *place = at);
            }
            Err(JournalError::Unreadable(_)) => {}
            Err(error) => return Err(error),
        }
        self.unproven = None;
        Ok(())
    }

    fn write_frame(&mut self, kind: FrameKind, payload: &[u8]) -> Result<Location, JournalError> {
        let (segment, length) = self.writable_segment()?;
        let name = segment_name(segment);
        let bytes = frame::encode(kind, payload);
        if let Err(error) = self.append_synced(&name, &bytes) {
            // Whatever is in the file or the page cache now, it is not trusted and not written to again.
            self.active = None;
            return Err(error);
        }
        self.active = Some((segment, length + bytes.len() as u64));
        Ok(Location {
            segment,
            offset: length + frame::HEADER_BYTES as u64,
            length: payload.len(),
            digest: Digest::of(payload),
        })
    }

    fn append_synced(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let mut appended = self.disk.append(name, bytes);
        if appended.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::StorageFull)
            && self.disk.remove(RESERVE).is_ok()
        {
            // The first try may have left a part of the frame: a fresh segment follows anyway on error, so
            // only an append that wrote nothing may be repeated here. The disk reports the latter.
            appended = self.disk.append(name, bytes);
        }
        appended.map_err(|e| JournalError::disk("append to", name, e))?;
        self.disk.sync(name).map_err(|e| JournalError::disk("sync", name, e))
    }

    /// The segment to write to and its length; opens a new one when there is none or it is full.
    fn writable_segment(&mut self) -> Result<(u64, u64), JournalError> {
        if let Some((segment, length)) = self.active.filter(|(_, length)| *length < SEGMENT_BYTES_MAX) {
            return Ok((segment, length));
        }
        let number = self.next_segment;
        let name = segment_name(number);
        let mut bytes = frame::MAGIC.to_vec();
        if number > 1 {
            bytes.extend(frame::encode(FrameKind::Checkpoint, &self.checkpoint()?));
        }
        self.next_segment += 1;
        self.disk.create(&name).map_err(|e| JournalError::disk("create", &name, e))?;
        if let Err(error) = self.append_synced(&name, &bytes) {
            // It holds no record yet. A disk that is full for a day must not be given a thousand empty files.
            let _still_there = self.disk.remove(&name);
            return Err(error);
        }
        self.segments.entry(number).or_default();
        self.active = Some((number, bytes.len() as u64));
        Ok((number, bytes.len() as u64))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, JournalError> {
        let open_logons = self
            .fold
            .open_logons
            .values()
            .flatten()
            .filter_map(|json| serde_json::value::RawValue::from_string(json.clone()).ok())
            .collect();
        let checkpoint = CheckpointFrame {
            last_sequence: self.fold.chain.sequence,
            head: self.fold.chain.head.to_string(),
            open_logons,
            enrollment: self.fold.enrollment.clone(),
            ended_in_order: self.fold.ended_in_order,
            log_positions: LogPositionsFrame::unless_empty(&self.fold.compared.positions),
            enrolled_after: self.fold.enrolled_after,
        };
        serde_json::to_vec(&checkpoint)
            .map_err(|e| JournalError::disk("encode", "a checkpoint", io::Error::other(e)))
    }
}

fn json_numbers(sequences: &[u64]) -> String {
    let numbers: Vec<String> = sequences.iter().map(u64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

fn segment_name(number: u64) -> String {
    format!("{number:06}.journal")
}

/// Numbers of all segments, oldest first.
fn segments_of(disk: &impl Disk) -> Result<BTreeSet<u64>, JournalError> {
    let names = disk.list().map_err(|e| JournalError::disk("list", "the journal directory", e))?;
    Ok(names.iter().filter_map(|name| segment_number(name)).collect())
}

/// The number of a segment; `None` for a file of another name. Only our own spelling counts: `1.journal` is no
/// segment of ours, and would be looked for as `000001.journal`.
fn segment_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".journal").and_then(|digits| digits.parse().ok())?;
    (number <= SEGMENTS_MAX && segment_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests;
