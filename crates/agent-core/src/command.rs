//! What the core asks of the world.

use mngntime_model::Event;

use crate::log::{LogPosition, LogWanted};
use crate::message::Message;

/// One thing to do. The shell performs commands strictly in the order given: what must be durable comes
/// before what promises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write the event to the journal and sync it, then say [`crate::Input::Stored`].
    Append(Box<Event>),
    /// Read the OS's session list, when no other input is waiting, and send it as
    /// [`crate::input::OsFact::Sessions`].
    ListSessions,
    /// Read the OS's own logs, before the list, and send what they say as
    /// [`crate::input::OsFact::LogRead`] or [`crate::input::OsFact::LogUnavailable`].
    ReadLog(Box<LogWanted>),
    /// The logs are dealt with up to here: note it durably. Comes after everything read is stored.
    KeepLogPositions(Vec<LogPosition>),
    /// All is observed so far: note the logs' newest records durably, so that the next reading is short.
    NoteLogPositions,
    /// Enrol this terminal, then say [`crate::Input::Enrolled`].
    Enroll,
    /// Send these events (none: a sign of life), then say [`crate::Input::Sent`].
    Send {
        /// Numbers, ascending, each with whether it counts as 再送.
        events: Vec<(u64, bool)>,
        /// Events without a receipt, these included.
        waiting: u64,
    },
    /// The last answer covers these events: note it durably with the receipt, and send them no more.
    Acknowledge {
        /// Numbers, ascending.
        sequences: Vec<u64>,
    },
    /// Read these events back from the journal, then say [`crate::Input::Recalled`].
    Recall {
        /// Numbers, ascending.
        sequences: Vec<u64>,
    },
    /// Write a line to the OS's event log.
    Notice(Message),
    /// Note durably that the PC is alive now.
    Heartbeat,
    /// Our records are safe: the PC may sleep.
    ReleaseSleep,
    /// Our records are safe: the PC may go down.
    ReleaseShutdown,
    /// The core is done; the process may end.
    Finished,
}

/// Level of a line in the OS's event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeLevel {
    /// 情報
    Information,
    /// 警告
    Warning,
    /// エラー
    Error,
}
