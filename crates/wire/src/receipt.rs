//! What the server answers: proof of storage, and a result for each event.

use serde::{Deserialize, Serialize};

use crate::log::{LogPlace, LogTree};
use crate::object;

/// 受領証. Signed by the server's key ([`crate::Context::Receipt`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Always 1.
    pub v: u32,
    /// Digest of the batch's payload: an old receipt cannot be played back for a new batch.
    pub request: String,
    /// The terminal, as the batch named it.
    pub terminal: String,
    /// When the batch arrived, UTC milliseconds by the server's clock.
    pub received_at: i64,
    /// `res` for the whole batch, when it was refused before its events were looked at: nothing in it has
    /// been stored as an event of the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u8>,
    /// One item for each event, in the order of the batch; empty when refused.
    #[serde(deserialize_with = "object::list")]
    pub items: Vec<ReceiptItem>,
    /// Highest sequence number the server holds of this terminal.
    pub head: u64,
    /// Numbers below `head` that the server does not hold and the terminal has not declared: `[first, last]`,
    /// oldest first, at most [`crate::limits::MISSING_RANGES_MAX`] of them. The terminal sends again what it
    /// has of them and declares the rest. Absent from servers that do not look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<[u64; 2]>,
    /// Wait a random time of up to this many seconds before sending a new logon.
    pub spread_seconds: u32,
    /// Give a sign of life at least this often, in seconds.
    pub contact_seconds: u32,
    /// How the server is called in messages (`MINAGINE` by default).
    pub display_name: String,
    /// The newest tree of the contract's log that the server had signed then. Kept with the receipt on the PC,
    /// it contradicts any later log that does not begin with this tree.
    #[serde(default, deserialize_with = "object::maybe", skip_serializing_if = "Option::is_none")]
    pub log: Option<LogTree>,
    /// Code of the contract in whose log the events stand. A server has a log for each contract, and what a receipt says
    /// of places and trees is of this one. Absent when refused, and from servers that did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
}

/// The server's word on one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptItem {
    /// The event's number.
    pub seq: u64,
    /// SHA-256 of the event's bytes, as received.
    pub hash: String,
    /// Whether these bytes are durably stored under this number. `false` when other bytes already are.
    pub stored: bool,
    /// The result; absent when accepted, or when the event is no punch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub res: Option<u8>,
    /// Where the event stands in the server's log; absent when it is not stored.
    #[serde(default, deserialize_with = "object::maybe", skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPlace>,
}
