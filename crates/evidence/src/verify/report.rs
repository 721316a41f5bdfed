//! What has been found in a record.

use std::collections::BTreeMap;

use mngntime_wire::LogTree;

use super::{DaysCut, Emptiness, Fault, NamedEvent, OddTime, ShownPunch, Witnessed};
use crate::against::Contents;
use crate::format;

/// What has been found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What cannot be in an honest pack; at most 50 of them.
    pub faults: Vec<Fault>,
    /// How many there are.
    pub fault_count: u64,
    /// The first line, once read.
    pub pack: Option<format::Pack>,
    /// Newest trees, one for each month.
    pub trees: Vec<LogTree>,
    /// Trees of which PCs were told, and that the newest trees continue.
    pub earlier_trees: u64,
    /// Whether the first month names a month before it.
    pub older_months: bool,
    /// When the newest head was signed, UTC milliseconds by the server's clock.
    pub newest_head_at: Option<i64>,
    /// Entries of the audit log.
    pub entries: u64,
    /// Links of accounts to employees.
    pub account_links: u64,
    /// Why there is no logon, whatever happened.
    pub emptiness: Option<Emptiness>,
    /// Those that no entry of the audit log tells of from the beginning.
    pub unbacked_links: u64,
    /// Terminals.
    pub terminals: u64,
    /// Those whose enrolment does not stand in the log before their first event.
    pub unbacked_keys: u64,
    /// Those whose key is a file.
    pub file_keys: u64,
    /// Events shown.
    pub events: u64,
    /// Events not shown.
    pub hidden: u64,
    /// Events shown that their terminal has signed.
    pub signed: u64,
    /// Events shown without it, whose receipt says that they came with something that is not shown here.
    pub withheld: u64,
    /// Links between neighbouring events that hold.
    pub links: u64,
    /// Numbers before which the terminal's chain breaks: terminal and number.
    pub breaks: Vec<(String, u64)>,
    /// Numbers with which a terminal declares that it was set back to an earlier state; its chain forks there.
    pub roll_backs: Vec<(String, u64)>,
    /// Numbers the server never got and whose loss nobody has declared.
    pub missing: Vec<(String, u64, u64)>,
    /// Numbers whose loss the terminal has declared itself.
    pub declared_missing: u64,
    /// Months whose events were deleted when their retention period had ended, and when, UTC milliseconds by the server's
    /// clock.
    pub retired_months: Vec<(String, i64)>,
    /// Numbers of events that were deleted so.
    pub retired: u64,
    /// Days of which that is what is known.
    pub retired_days: u64,
    /// Receipts.
    pub receipts: u64,
    /// Events shown that have a receipt.
    pub receipted: u64,
    /// Days by state: observed, agent off, unknown.
    pub days: [u64; 3],
    /// Days that are not told, since a terminal has too many; the newest are.
    pub days_cut: Vec<DaysCut>,
    /// Largest difference between a terminal's clock and the server's, in milliseconds.
    pub clock_offset_max_ms: u64,
    /// Host names of the terminals, by their ids.
    pub hosts: BTreeMap<String, String>,
    /// What the server says of terminals, by their ids; only of those of which it says something.
    pub marks: BTreeMap<String, format::Marks>,
    /// Events shown that lack their terminal's signature for no such reason; at most 300 of them, the others are only counted.
    pub unsigned: Vec<NamedEvent>,
    /// Events shown that, by what the log says of how they came, came with none of the signed batches with them that are
    /// here; at most 300 of them.
    pub sent_otherwise: Vec<NamedEvent>,
    /// How many there are.
    pub sent_otherwise_count: u64,
    /// How far the log was told of in receipts.
    pub witnessed: Option<Witnessed>,
    /// Times of the server that run backwards, lie outside of their month or before what they are about; at most 50 of them.
    pub odd_times: Vec<OddTime>,
    /// How many there are.
    pub odd_time_count: u64,
    /// How many of them lie before the contract was made; three of these are named at most.
    pub before_contract_count: u64,
    /// Logons and logoffs by their time, if [`Verifier::keeping_punches`] asked for them.
    pub punches: Vec<ShownPunch>,
    /// What another pack can be compared with, if [`Verifier::keeping_contents`] asked for it.
    pub contents: Option<Box<Contents>>,
}

impl Report {
    /// Whether the pack is what the server sealed, and contradicts itself nowhere.
    #[must_use]
    pub fn is_authentic(&self) -> bool {
        self.fault_count == 0
    }
}
