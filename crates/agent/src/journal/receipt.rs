//! Receipts: which count, when they arrive and when they are read again.
//!
//! A receipt takes an event off the list of what is to be sent, and lets its segment be deleted one day. Who can write
//! to the disk could therefore make events vanish with a receipt of his own, so the signature is checked not only when a
//! receipt arrives but at each reading of the journal, by the agent's start as by `fsck`: with the key of the server of
//! the terminal that the receipt names, as it was pinned by an enrolment **in this journal before it**. Receipts from
//! before an enrolment with another server keep counting, by that server's key: what it took over is not the new one's.
//! A receipt that does not count costs nothing but a sending that the server knows already.
//!
//! It costs the start some 40 µs a receipt (Ed25519, one check each), which is most of what a start does: in a journal of
//! 10,000 frames, half of them receipts, the reading takes some five times as long as without (`cargo xtask bench recovery`
//! shows it), a fifth of a second instead of a twentieth. A PC has at most what 35 days and an unfinished segment hold,
//! which is a fraction of that; so there is no second, believing way of reading that would have to be got right too.

use mngntime_model::PunchResult;
use mngntime_wire::{Context, PublicKey, Receipt, Signed};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::disk::Disk;
use super::enrollment::Servers;
use super::frame::{self, FrameKind};
use super::{JournalError, segment_name, segments_of};

/// A receipt with the numbers that it let go of.
#[derive(Serialize, Deserialize)]
pub(super) struct ReceiptFrame {
    pub(super) seqs: Vec<u64>,
    pub(super) receipt: Box<RawValue>,
}

/// The receipt in an envelope, when `key` has signed it.
///
/// # Errors
/// Why it is none, in words.
pub(crate) fn checked(signed: &Signed, key: &PublicKey) -> Result<Receipt, &'static str> {
    signed.check(Context::Receipt, key).map_err(|_| "the signature is not our server's")?;
    let receipt: Receipt = signed.peek().map_err(|_| "the receipt is not of this contract")?;
    if receipt.v == 1 { Ok(receipt) } else { Err("the receipt is not of this contract") }
}

impl ReceiptFrame {
    /// The receipt, when the server of the terminal it names has signed it.
    pub(super) fn checked(&self, servers: &Servers) -> Result<Receipt, &'static str> {
        let signed = Signed::parse(self.receipt.get().as_bytes()).map_err(|_| "no signed envelope")?;
        let mut why = "no enrolment before it says whose receipts count";
        for key in servers.keys() {
            match checked(&signed, &key) {
                Ok(receipt) if servers.has(&receipt.terminal, &key) => return Ok(receipt),
                Ok(_) => return Err("the receipt is for another terminal"),
                Err(what) => why = what,
            }
        }
        Err(why)
    }
}

/// The digest under which the receipt says that the server holds the event, and need not be sent it again.
pub(super) fn released(receipt: &Receipt, sequence: u64) -> Option<&str> {
    let item = receipt.items.iter().find(|item| item.seq == sequence)?;
    let releases = PunchResult::from_res(item.res).is_some_and(PunchResult::releases_spool);
    (receipt.refused.is_none() && item.stored && releases).then_some(item.hash.as_str())
}

/// The time in a receipt that has been checked before.
pub(super) fn received_at(receipt: &str) -> Option<i64> {
    let signed = Signed::parse(receipt.as_bytes()).ok()?;
    signed.peek().ok().map(|receipt: Receipt| receipt.received_at)
}

/// How many receipts a journal gave, and how many it could not give.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Receipts given.
    pub receipts: u64,
    /// Frames of receipts that hold none, places where one may have been, and segments that cannot be read to their end.
    pub unreadable: u64,
}

/// Gives every receipt that the journal keeps to `take`, oldest first, as the server signed it: its envelope. Nothing is
/// judged here; whoever reads them has the server's key.
///
/// # Errors
/// [`JournalError`] when the directory cannot be read, or a segment cannot for a passing reason.
pub fn receipts(disk: &impl Disk, take: &mut dyn FnMut(&str)) -> Result<Given, JournalError> {
    let mut given = Given::default();
    for number in segments_of(disk)? {
        let name = segment_name(number);
        let bytes = match super::disk::read_whole(disk, &name) {
            Ok(bytes) => bytes,
            Err(error) if super::disk::is_lasting(&error) => {
                given.unreadable += 1;
                continue;
            }
            Err(error) => return Err(JournalError::disk("read", &name, error)),
        };
        given.unreadable += u64::from(super::disk::unread(disk, &name, &bytes) > 0);
        for piece in frame::scan(&bytes).pieces {
            match in_piece(&bytes, &piece) {
                Found::Receipt(frame) => {
                    take(frame.receipt.get());
                    given.receipts += 1;
                }
                Found::Unreadable => given.unreadable += 1,
                Found::Nothing => {}
            }
        }
    }
    Ok(given)
}

/// What a piece of a segment holds of receipts.
enum Found {
    Receipt(ReceiptFrame),
    /// A receipt that cannot be read, or what may have been one.
    Unreadable,
    Nothing,
}

/// A write that did not come to its end is no loss: what it was to keep was never kept.
fn in_piece(bytes: &[u8], piece: &frame::Piece<'_>) -> Found {
    match *piece {
        frame::Piece::Frame { kind: FrameKind::Receipt, payload, .. } => {
            // A line is a receipt: what is not written as we write it has no place there.
            let frame = serde_json::from_slice(payload).ok();
            let frame = frame.filter(|frame: &ReceiptFrame| !frame.receipt.get().contains(['\n', '\r']));
            frame.map_or(Found::Unreadable, Found::Receipt)
        }
        frame::Piece::Frame { kind: FrameKind::Other(_), .. } => Found::Unreadable,
        frame::Piece::Damage { offset, length, maybe_complete: true }
            if frame::may_be_receipt(bytes, offset, length) =>
        {
            Found::Unreadable
        }
        frame::Piece::Frame { .. } | frame::Piece::Damage { .. } => Found::Nothing,
    }
}
