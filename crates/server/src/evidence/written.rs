//! What a record has in it, for the summary beside it.

use std::collections::BTreeSet;

use mngntime_attendance::completeness::Received;
use mngntime_evidence::Report;
use mngntime_evidence::format::Day;
use mngntime_ledger::Digest;
use mngntime_store::{EvidencePeople, RetiredMonth};
use mngntime_wire::LogTree;

use super::remarks::ToldRemark;

/// What was written, for the summary.
#[derive(Debug)]
pub struct Written {
    /// The people.
    pub people: EvidencePeople,
    /// The terminals with their days and punches.
    pub terminals: Vec<WrittenTerminal>,
    /// What the employees said about the dates, of a pack that shows some entries.
    pub remarks: Vec<ToldRemark>,
    /// The trees.
    pub trees: Vec<LogTree>,
    /// Links, employees and terminals of which the audit log tells something newer than these trees.
    pub changed_meanwhile: BTreeSet<String>,
    /// Months whose events were deleted when their retention period had ended.
    pub retired: Vec<RetiredMonth>,
    /// What the verifier says of the record.
    pub report: Report,
    /// SHA-256 of the record.
    pub digest: Digest,
}

/// A terminal that was written.
#[derive(Debug)]
pub struct WrittenTerminal {
    /// Name of the PC.
    pub host_name: String,
    /// Events shown.
    pub events: u64,
    /// Events of which number, digest and time of receipt are shown.
    pub hidden: u64,
    /// Numbers that are missing.
    pub missing: u64,
    /// Its days.
    pub days: Vec<Day>,
    /// Its logons and logoffs that are shown.
    pub punches: Vec<Received>,
    /// Numbers of events that had waited on the PC (再送).
    pub resent: BTreeSet<u64>,
}
