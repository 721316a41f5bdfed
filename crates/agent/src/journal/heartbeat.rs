//! The last sign that the PC was alive, beside the journal.
//!
//! Two slots of fixed place and size are written in turn and synced. A power cut can spoil the one being
//! written and never the other, so the answer is at most one beat old. It is a lower bound for an inferred
//! logoff: losing it loses precision, never a record.
//!
//! It also says where the journal's chain stood. A journal that ends before that has lost its end, whoever took it;
//! the journal itself cannot show that. Events of the last beat (30 seconds by default) are not covered. Beats are written
//! while somebody is logged on; so that a file that is gone can be told from one that was never needed, the first event
//! makes it ([`Heartbeat::begin`]).

use std::io;

use mngntime_agent_core::LastSeen;
use mngntime_ledger::{Chain, Digest};
use mngntime_model::{BootId, Moment};
use mngntime_wire::{MomentV1, limits};
use serde::{Deserialize, Serialize};

use super::Finding;
use super::disk::Disk;

/// Name of the file.
pub const NAME: &str = "heartbeat";
const SLOT_BYTES: usize = 512;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Beat {
    generation: u64,
    boot: String,
    moment: MomentV1,
    /// Absent in beats of versions that did not say where the chain stood.
    #[serde(default)]
    last_sequence: u64,
    #[serde(default)]
    head: String,
}

/// The two slots.
#[derive(Debug, Clone, Default)]
pub struct Heartbeat {
    last: Option<Beat>,
}

impl Heartbeat {
    /// Reads the newer sound slot, if there is one.
    pub fn open(disk: &impl Disk) -> Self {
        Self::examine(disk).0
    }

    /// The same, and what is wrong with the file. A slot that was never written is not.
    pub(super) fn examine(disk: &impl Disk) -> (Self, Option<Finding>) {
        let bytes = match disk.read(NAME) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return (Self::default(), Some(unsound(error.to_string(), false))),
        };
        let slots: Vec<&[u8]> = bytes.chunks(SLOT_BYTES).collect();
        let last = slots.iter().filter_map(|slot| decode(slot)).max_by_key(|beat| beat.generation);
        let is_spoilt = |slot: &&[u8]| slot.iter().any(|byte| *byte != 0) && decode(slot).is_none();
        let spoilt = slots.iter().position(is_spoilt);
        let what = |slot: usize| unsound(format!("slot {slot} is not as it was written"), last.is_some());
        let finding = spoilt.map(what);
        (Self { last }, finding)
    }

    /// When the PC was last alive, by this file.
    #[must_use]
    pub fn last_seen(&self) -> Option<LastSeen> {
        let beat = self.last.as_ref()?;
        Some(LastSeen { boot: BootId::new(&beat.boot).ok()?, moment: beat.moment.into() })
    }

    /// Where the chain stood then, by this file.
    #[must_use]
    pub fn chain(&self) -> Option<Chain> {
        let beat =
            self.last.as_ref().filter(|beat| (1..=limits::SEQUENCE_MAX).contains(&beat.last_sequence))?;
        Some(Chain { sequence: beat.last_sequence, head: Digest::parse(&beat.head).ok()? })
    }

    /// Writes the older slot and syncs it. `chain` is where the journal stands, all of it synced.
    ///
    /// # Errors
    /// What the disk says. The other slot still holds the beat before.
    pub fn beat(&mut self, disk: &impl Disk, boot: &BootId, now: Moment, chain: &Chain) -> io::Result<()> {
        self.write(disk, boot.as_str(), now, chain)
    }

    fn write(&mut self, disk: &impl Disk, boot: &str, now: Moment, chain: &Chain) -> io::Result<()> {
        let generation = self.last.as_ref().map_or(0, |beat| beat.generation) + 1;
        let (last_sequence, head) = (chain.sequence, chain.head.to_string());
        let beat = Beat { generation, boot: boot.to_owned(), moment: now.into(), last_sequence, head };
        let offset = (generation % 2) * SLOT_BYTES as u64;
        disk.write_at(NAME, offset, &encode(&beat)?)?;
        disk.sync(NAME)?;
        self.last = Some(beat);
        Ok(())
    }

    /// Writes where the chain stands, when nothing has been written yet. It says of no moment that the PC was alive.
    ///
    /// # Errors
    /// What the disk says.
    pub fn begin(&mut self, disk: &impl Disk, now: Moment, chain: &Chain) -> io::Result<()> {
        if self.last.is_some() { Ok(()) } else { self.write(disk, "", now, chain) }
    }
}

fn unsound(what: String, beat_before_is_sound: bool) -> Finding {
    Finding::Heartbeat { what, beat_before_is_sound }
}

/// CRC-32C (4), length (2), JSON, zeros to the slot's end.
fn encode(beat: &Beat) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(beat)?;
    let length = u16::try_from(json.len()).map_err(io::Error::other)?;
    let mut slot = crc32c::crc32c(&json).to_le_bytes().to_vec();
    slot.extend(length.to_le_bytes());
    slot.extend(json);
    slot.resize(SLOT_BYTES, 0);
    Ok(slot)
}

fn decode(slot: &[u8]) -> Option<Beat> {
    let crc = u32::from_le_bytes(slot.get(..4)?.try_into().ok()?);
    let length = u16::from_le_bytes(slot.get(4..6)?.try_into().ok()?) as usize;
    let json = slot.get(6..6 + length)?;
    if crc32c::crc32c(json) != crc {
        return None;
    }
    serde_json::from_slice(json).ok()
}
