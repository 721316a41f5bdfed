//! What a record has in it, for the summary beside it.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_attendance::completeness::{Received, Timeline};
use mngntime_evidence::Report;
use mngntime_evidence::format::Day;
use mngntime_ledger::Digest;
use mngntime_model::TerminalId;
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
    /// Its id.
    pub id: TerminalId,
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
    /// What is known of it over time.
    pub timeline: Timeline,
    /// Its events that are shown, by number; none in a pack about everybody.
    pub told: Vec<Received>,
    /// Numbers of events that had waited on the PC (再送).
    pub resent: BTreeSet<u64>,
    /// The newest result of each punch, by number: its `res`, if it has one.
    pub results: BTreeMap<u64, Option<u8>>,
}

impl WrittenTerminal {
    /// Its logons and logoffs.
    pub fn punches(&self) -> impl Iterator<Item = &Received> {
        self.told.iter().filter(|received| received.event.kind.is_punch())
    }
}
