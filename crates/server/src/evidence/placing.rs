//! Places in the log, as a record writes them.

use mngntime_evidence::format::{self, Place};
use mngntime_ledger::Digest;
use mngntime_store::{RetiredRange, StoredEvent};

/// Where an event stands, with its proof.
pub(super) fn place(stored: &StoredEvent, proof: &[Digest]) -> Place {
    Place {
        month: stored.place.month.clone(),
        leaf: stored.place.leaf,
        received_at: stored.received_at.0,
        resent: stored.resent,
        clock_offset_ms: stored.clock_offset_ms,
        proof: texts(proof),
    }
}

/// Digests as texts.
pub(super) fn texts(digests: &[Digest]) -> Vec<String> {
    digests.iter().map(ToString::to_string).collect()
}

/// Numbers whose events were retired, as a record names them.
pub(super) fn retired_line(range: &RetiredRange) -> format::Retired {
    let numbers = &range.numbers;
    format::Retired {
        first: numbers.first,
        last: numbers.last,
        month: range.month.clone(),
        retired_at: range.retired_at.0,
        happened: [numbers.at.0.0, numbers.at.1.0],
    }
}
