//! What a reading of the journal tells: how much there is, and what is wrong with it.

use std::collections::BTreeSet;

use mngntime_ledger::ChainBreak;

/// What is wrong with the journal, for `fsck` and for the declared gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Bytes that are no frame.
    Damaged {
        /// In which segment.
        segment: u64,
        /// From which byte on.
        offset: u64,
        /// How many bytes.
        length: u64,
        /// Whether they may have been a complete record once (as opposed to a write that a crash cut off).
        maybe_complete: bool,
    },
    /// A segment that the disk does not give back, or whose name stands for something else than a file. It is never
    /// written to again; what it held is declared lost by what its neighbours know.
    Unreadable {
        /// Which segment.
        segment: u64,
        /// What the OS said.
        what: String,
    },
    /// A receipt that does not count: its events wait as if there were none.
    Receipt {
        /// In which segment.
        segment: u64,
        /// At which byte.
        offset: u64,
        /// Why.
        what: &'static str,
    },
    /// A sound receipt for other bytes than those in the journal. The number is at the server and does not wait; the
    /// bytes here are not what the server has, and are not sent in their place.
    OtherBytes {
        /// In which segment the receipt is.
        segment: u64,
        /// Number of the event.
        sequence: u64,
    },
    /// An event behind one with a higher number: nothing is missing, but it was not written in this order.
    Misplaced {
        /// In which segment.
        segment: u64,
        /// Its number.
        sequence: u64,
        /// The number it stands behind.
        behind: u64,
    },
    /// The sign of life beside the journal cannot be read.
    Heartbeat {
        /// What is wrong with it.
        what: String,
        /// Whether the beat before it is there: a power cut may spoil the one that is being written.
        beat_before_is_sound: bool,
    },
    /// A frame whose content this version cannot read.
    Foreign {
        /// In which segment.
        segment: u64,
        /// At which byte.
        offset: u64,
    },
    /// The chain of events does not hold.
    Chain(ChainBreak),
}

/// Everything a reading of the journal tells.
#[derive(Debug, Default)]
pub struct Reading {
    /// Events read.
    pub events: u64,
    /// Segments read.
    pub segments: u64,
    /// Receipts read.
    pub receipts: u64,
    /// When the server gave the newest of them, UTC milliseconds by its clock.
    pub last_receipt_at: Option<i64>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Events that were declared unreadable and can be read again. What was declared stays: they are kept as evidence
    /// and not sent, for their facts may have been recorded again since.
    pub returned: Vec<u64>,
    /// Trees of the server's log, by month and size, of which its receipts name two: its log was put back to a backup, or
    /// rewritten. Nothing here is wrong; the receipts are the proof.
    pub forks: BTreeSet<(String, u64)>,
    /// Records whose numbers the server had given to others, each with the number it has now.
    pub superseded: Vec<(u64, u64)>,
}
