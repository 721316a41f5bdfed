//! What terminals send, and the signed answers they get.
//!
//! The way of a batch: read (bounded in bytes and time) → envelope → who claims to send → is it signed by
//! that terminal's key → store and judge → signed receipt. What cannot be taken as a terminal's word goes
//! to the quarantine and never under a terminal's numbers.

pub mod body;
pub mod enrollment;
pub mod events;
pub mod senders;

use std::net::IpAddr;

use mngntime_store::{QuarantineOutcome, Quarantined, StoreError};

use crate::app::App;
use crate::source_address::counted;

/// Puts something aside and counts it.
async fn quarantine(app: &App, entry: Quarantined, from: Option<IpAddr>) -> Result<(), StoreError> {
    let reason = entry.reason.name();
    let outcome = match counted(from) {
        Some(address) if !app.quarantine_limit.allows(address) => app.store.quarantine_spared(entry).await?,
        Some(_) | None => app.store.quarantine(entry).await?,
    };
    app.metrics.quarantined(outcome);
    match outcome {
        QuarantineOutcome::Kept => tracing::info!(reason, "a message went into quarantine"),
        QuarantineOutcome::CountedOnly => {
            tracing::debug!(reason, "a message for the full quarantine was counted")
        }
    }
    Ok(())
}

/// Whether a text of a request is short and printable.
fn is_plain(text: &str) -> bool {
    text.chars().count() <= mngntime_wire::limits::TEXT_CHARS_MAX && !text.chars().any(char::is_control)
}
