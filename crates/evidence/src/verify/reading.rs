//! Reading what a line holds as text.

use mngntime_ledger::Digest;
use mngntime_wire::{LogTree, Signed};

/// Reads an envelope. One envelope has one text: nothing that nobody signed can stand in it.
pub(super) fn envelope_of(text: &str) -> Option<Signed> {
    let envelope = Signed::parse(text.as_bytes()).ok()?;
    (envelope.to_json().ok()? == text).then_some(envelope)
}

/// Under which name an earlier tree is remembered.
pub(super) fn earlier_name(tree: &LogTree) -> String {
    format!("{}/{}/{}", tree.month, tree.size, tree.root)
}

/// Reads a proof; `None` when a text is no digest.
pub(super) fn digests(texts: &[String]) -> Option<Vec<Digest>> {
    texts.iter().map(|text| Digest::parse(text).ok()).collect()
}
