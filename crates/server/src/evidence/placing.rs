//! Places in the log, as a record writes them.

use mngntime_evidence::format::Place;
use mngntime_ledger::Digest;
use mngntime_store::StoredEvent;

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
