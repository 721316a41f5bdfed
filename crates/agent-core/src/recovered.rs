//! What the journal tells at start.

use mngntime_model::{AccountIdentity, BootId, Declared, Event, EventKind, Moment};

use crate::Stays;
use crate::log::LogPosition;

/// State rebuilt from the journal: the only memory the core has across runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Highest number ever used; 0 on a new PC.
    pub last_sequence: u64,
    /// Stays without a logoff.
    pub stays: Stays,
    /// Events without a receipt, oldest first.
    pub pending: Vec<PendingEvent>,
    /// Numbers of events that have a receipt of the server we are enrolled with, as the terminal we are, and
    /// are still in the journal; ascending.
    pub kept: Vec<u64>,
    /// What gaps in the journal have declared as the terminal we are.
    pub declared: Vec<Declared>,
    /// Highest number used when this PC became the terminal it is; 0 when it was never another.
    pub enrolled_after: u64,
    /// The latest sign that the PC was alive: last event or heartbeat.
    pub last_seen: Option<LastSeen>,
    /// When the OS's session list had last been compared and all that followed from it was stored. Unlike other
    /// signs of life it says who was logged on: a run may end before its first comparison.
    pub last_compared: Option<LastSeen>,
    /// Whether the last run ended in order.
    pub ended_in_order: bool,
    /// Whether the terminal has an id and a pinned server key.
    pub enrolled: bool,
    /// The server's display name, if it ever told one.
    pub display_name: Option<String>,
    /// Numbers of events that were written once and cannot be read any more: `(first, last)`.
    pub lost: Vec<(u64, u64)>,
    /// The latest events, oldest first, at most a few hundred: what the OS's logs say once more is not
    /// recorded twice.
    pub recent: Vec<Event>,
    /// The last sign of life before starts that ended without having dealt with the OS's logs.
    pub unexplained_since: Option<LastSeen>,
    /// Where the last reading of the OS's logs ended.
    pub log_positions: Vec<LogPosition>,
}

/// When the PC was last known to be alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSeen {
    /// In which OS run.
    pub boot: BootId,
    /// At which moment of it.
    pub moment: Moment,
}

/// An event that still needs a receipt, reduced to what the event log needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    /// Its number.
    pub sequence: u64,
    /// What happened.
    pub kind: EventKind,
    /// Whose it is.
    pub account: Option<AccountIdentity>,
}
