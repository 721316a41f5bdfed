//! What one disk has promised: the truth about one copy of a journal, kept beside it.
//!
//! An event is **attempted** when the core asks for it to be stored, **promised** when the journal says that it
//! is, and **outstanding** until the journal lets go of it for a receipt or declares it lost. Whether bytes are
//! on the platter is not asked of the journal: the platter is read here, by the frames' outermost form alone.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_model::{Event, EventKind};

use super::disk::FaultyDisk;
use super::stays::{StayKey, key_of};

/// Bytes of a frame before and after its payload (`journal/frame.rs`).
const HEADER_BYTES: usize = 16;
const TRAILER_BYTES: usize = 4;
/// How the frame of an event begins.
const EVENT_FRAME: &[u8] = b"MNF1\x01";

/// One event as it was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) digest: Digest,
    pub(crate) event: Event,
    /// True time at which the core drew it up.
    pub(crate) recorded_at: i64,
}

/// One copy of a journal. A cloned or restored disk takes a copy of this along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Branch {
    pub(crate) promised: BTreeMap<u64, Made>,
    pub(crate) outstanding: BTreeSet<u64>,
    pub(crate) attempted: BTreeMap<Digest, Made>,
    /// Ranges that were declared lost.
    pub(crate) lost: BTreeSet<(u64, u64)>,
    /// Promised events whose synced bytes were spoilt by a fault of the disk.
    pub(crate) damaged: BTreeSet<u64>,
    /// Numbers of events that are recorded again, each with the number that its fact has now.
    pub(crate) superseded: BTreeMap<u64, u64>,
    /// Ranges that a gap has said to be of another life of this PC.
    pub(crate) passed: BTreeSet<(u64, u64)>,
    /// Events that the journal has deleted: receipted, and old.
    pub(crate) pruned: BTreeSet<u64>,
    on_platter: BTreeSet<Digest>,
    scanned: BTreeMap<String, usize>,
    generation: u64,
}

impl Branch {
    pub(crate) fn is_lost(&self, sequence: u64) -> bool {
        self.lost.iter().any(|(first, last)| (*first..=*last).contains(&sequence))
    }

    pub(crate) fn is_on_platter(&self, digest: &Digest) -> bool {
        self.on_platter.contains(digest)
    }

    /// Notes the promise. A fact that had another number does not wait under that one any more.
    pub(crate) fn promise(&mut self, made: Made) {
        self.attempted.remove(&made.digest);
        let number = made.event.sequence;
        self.outstanding.insert(number);
        if let Some(before) = made.event.supersedes {
            self.outstanding.remove(&before);
            self.superseded.insert(before, number);
        }
        self.promised.insert(number, made);
    }

    /// Whether a gap has said that the number is another life's.
    pub(crate) fn is_passed(&self, number: u64) -> bool {
        self.passed.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// Whether the PC has the event's fact no more under this number, for a reason that is no loss of its own.
    pub(crate) fn is_given_up(&self, number: u64) -> bool {
        self.damaged.contains(&number)
            || self.superseded.contains_key(&number)
            || self.pruned.contains(&number)
    }

    /// The numbers that the fact of this event has had, this one first.
    pub(crate) fn numbers_since(&self, number: u64) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(number), |number| self.superseded.get(number).copied())
    }

    /// Stays whose logon is promised, or may be on the disk all the same, and whose logoff is not promised.
    pub(crate) fn open_stays(&self) -> BTreeSet<StayKey> {
        let tried = self.attempted.values().filter(|made| made.event.kind == EventKind::Logon);
        let mut open: BTreeSet<StayKey> = tried.filter_map(|made| key_of(&made.event)).collect();
        for made in self.promised.values() {
            match (made.event.kind, key_of(&made.event)) {
                (EventKind::Logon, Some(key)) => drop(open.insert(key)),
                (EventKind::Logoff, Some(key)) => drop(open.remove(&key)),
                _ => {}
            }
        }
        open
    }

    /// Stays whose logon and logoff are promised.
    pub(crate) fn complete_stays(&self) -> BTreeSet<StayKey> {
        let of = |kind| self.promised.values().filter(move |made| made.event.kind == kind);
        let logons: BTreeSet<StayKey> = of(EventKind::Logon).filter_map(|made| key_of(&made.event)).collect();
        let logoffs = of(EventKind::Logoff).filter_map(|made| key_of(&made.event));
        logoffs.filter(|key| logons.contains(key)).collect()
    }

    /// Reads what is new on the platter; returns the promised events that were there and are not any more.
    pub(crate) fn read_platter(&mut self, disk: &FaultyDisk) -> Vec<u64> {
        let changed = self.generation != disk.generation();
        let before = if changed { std::mem::take(&mut self.on_platter) } else { BTreeSet::new() };
        if changed {
            self.scanned.clear();
            self.generation = disk.generation();
        }
        let Self { scanned, on_platter, .. } = self;
        disk.look(|name, bytes| {
            let from = scanned.entry(name.to_owned()).or_default();
            *from = scan(bytes, *from, on_platter);
        });
        let gone: BTreeSet<&Digest> = before.difference(&self.on_platter).collect();
        let was_promised = self.promised.values().filter(|made| gone.contains(&made.digest));
        was_promised.map(|made| made.event.sequence).collect()
    }
}

/// The event whose frame covers that byte of a segment.
pub(crate) fn event_at(segment: &[u8], offset: usize) -> Option<Digest> {
    (0..=offset).rev().find_map(|start| {
        let frame = whole_frame(segment, start)?;
        let covers = frame.starts_with(EVENT_FRAME) && offset < start + frame.len();
        covers.then(|| Digest::of(&frame[HEADER_BYTES..frame.len() - TRAILER_BYTES]))
    })
}

/// Finds whole frames of events from `from` on; returns where to go on.
fn scan(bytes: &[u8], from: usize, found: &mut BTreeSet<Digest>) -> usize {
    let (mut position, mut sound_to) = (from, from);
    while position + HEADER_BYTES <= bytes.len() {
        let Some(frame) = whole_frame(bytes, position) else {
            position += 1;
            continue;
        };
        if frame.starts_with(EVENT_FRAME) {
            found.insert(Digest::of(&frame[HEADER_BYTES..frame.len() - TRAILER_BYTES]));
        }
        position += frame.len();
        sound_to = position;
    }
    sound_to
}

/// The frame that begins there, by both checksums: one whose payload is whole and whose header is not cannot be read
/// by anybody.
fn whole_frame(bytes: &[u8], position: usize) -> Option<&[u8]> {
    let frame = bytes.get(position..).filter(|frame| frame.starts_with(&EVENT_FRAME[..4]))?;
    let header = frame.get(..HEADER_BYTES)?;
    let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
    let frame = frame.get(..HEADER_BYTES.checked_add(length)?.checked_add(TRAILER_BYTES)?)?;
    let (payload, trailer) = frame[HEADER_BYTES..].split_at(length);
    let is_whole = crc32c::crc32c(&header[..12]).to_le_bytes() == header[12..]
        && crc32c::crc32c(payload).to_le_bytes() == trailer;
    is_whole.then_some(frame)
}
