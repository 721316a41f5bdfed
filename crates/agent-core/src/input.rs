//! What the world can tell the core.
//!
//! This enum is the port between the core and an operating system, a disk and a network: there is no
//! trait to implement. An adapter is any thread that sends inputs; the simulator sends the same ones.

use mngntime_model::{
    AccountIdentity, EnrollmentRefusal, Event, EventKind, FailureCause, PunchResult, UtcMillis,
};

use crate::log::LogReading;

/// One thing the core learns. Every input comes with the [`mngntime_model::Moment`] at which the shell
/// received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Something the operating system said or shows.
    Os(OsFact),
    /// A record asked for by [`crate::Command::Append`] is on disk and synced.
    Stored {
        /// Its number.
        sequence: u64,
    },
    /// The record could not be stored. The core keeps it and asks again.
    StoreFailed {
        /// Its number.
        sequence: u64,
        /// What the disk said, for the event log.
        detail: String,
    },
    /// A stored record cannot be read back as it was written. It is declared as a gap and holds nothing up.
    Unreadable {
        /// Its number.
        sequence: u64,
    },
    /// The disk does not give a stored record now. The others are sent without it; it is tried again later.
    NotReadNow {
        /// Its number.
        sequence: u64,
        /// What the disk said, for the event log.
        detail: String,
    },
    /// The events asked for by [`crate::Command::Recall`], as far as they can be read.
    Recalled {
        /// As they were stored.
        events: Vec<Event>,
    },
    /// The journal has let go of old events that have receipts.
    Pruned {
        /// Highest number among them.
        last: u64,
    },
    /// The PC is enrolled as another terminal, or with another server: what earlier receipts prove, they
    /// prove of that one. Comes before the [`Input::Enrolled`] that says so.
    NewTerminal,
    /// The end of an attempt to send.
    Sent(SendOutcome),
    /// The end of an attempt to enrol.
    Enrolled(EnrollOutcome),
    /// The network may have come back (address change, resume, unlock): try soon.
    NetworkChanged,
    /// The configuration was changed: what was refused may be accepted now.
    ConfigurationChanged {
        /// Whether the terminal is enrolled with the contract and the server that it names.
        enrolled: bool,
    },
    /// `punch logon|logoff` was called by a script.
    Script {
        /// [`EventKind::Logon`] or [`EventKind::Logoff`].
        kind: EventKind,
        /// Who is punching.
        session: OsSession,
    },
    /// Time has passed; nothing else is said.
    Tick,
    /// The agent is asked to end.
    Stop {
        /// Whether because the operating system goes down.
        system_is_going_down: bool,
    },
}

/// A fact from the operating system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OsFact {
    /// The complete list of sessions of people, as the OS has it now. Pseudo accounts, greeters and
    /// services are left out by the platform code.
    Sessions(Vec<OsSession>),
    /// The list could not be read. The core changes nothing and asks again later.
    SessionsUnavailable {
        /// What the OS said.
        detail: String,
    },
    /// The OS says that something happened to a session. The core asks for the list and then knows more.
    SessionNotice {
        /// The OS's session id.
        session_id: String,
        /// What happened.
        change: SessionChange,
        /// The session's details as far as they could be read at that moment. A short session is gone
        /// before the list can be asked for; with its details here it is recorded all the same.
        session: Option<Box<OsSession>>,
    },
    /// The PC is about to sleep; the OS waits a moment for us.
    SuspendAnnounced,
    /// The PC woke. `user_present` only where the OS says so (Windows `PBT_APMRESUMESUSPEND`).
    Resumed {
        /// Whether a person woke it, by the OS's word.
        user_present: bool,
    },
    /// Whether the PC is set to shut down by Fast Startup, which puts the system itself to sleep instead of
    /// ending it (windows.md 1.4). Said before a suspend; unsaid means unknown.
    FastStartup {
        /// Windows `HiberbootEnabled`.
        enabled: bool,
    },
    /// The OS's log says how the PC last came to be running (Windows Kernel-Boot 27). May come long after
    /// the resume it is about.
    PoweredOn {
        /// How.
        how: PowerOn,
        /// When, by the log.
        at: UtcMillis,
    },
    /// The display went dark or came back. On a PC with Modern Standby this is all there is of a sleep
    /// (windows.md 1.4). The first fact may repeat what is already so.
    Display {
        /// Whether it is on (dimmed counts as on).
        on: bool,
    },
    /// The OS is about to go down; it waits a moment for us.
    ShutdownAnnounced,
    /// The announced shutdown was called off.
    ShutdownCancelled,
    /// The wall clock was set (Windows `SERVICE_CONTROL_TIMECHANGE`). The core also notices by itself.
    ClockSet {
        /// Before.
        from: UtcMillis,
        /// After.
        to: UtcMillis,
    },
    /// What the OS's own logs say about the time in which the agent did not run.
    LogRead(Box<LogReading>),
    /// The OS has no such logs, or they cannot be read. The core infers what it can.
    LogUnavailable,
}

/// How the PC came to be running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerOn {
    /// A full start. Kernel-Boot 27, boot type 0x0.
    Cold,
    /// The system that was put to sleep at a "shut down" was woken. 0x1.
    FastStartup,
    /// Hibernation ended; whoever was logged on still is. 0x2.
    Hibernation,
}

/// What an OS notice says about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// WTS_SESSION_LOGON, logind `SessionNew`.
    Began,
    /// WTS_SESSION_LOGOFF, logind `SessionRemoved`.
    Ended,
    /// WTS_SESSION_LOCK, logind `LockedHint` became true.
    Locked,
    /// WTS_SESSION_UNLOCK, logind `LockedHint` became false.
    Unlocked,
    /// WTS_CONSOLE_CONNECT, WTS_REMOTE_CONNECT.
    Connected,
    /// WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT.
    Disconnected,
    /// A reason this program does not know: only a cause to read the list.
    Other,
}

/// One session of a person, as the OS lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsSession {
    /// The OS's session id, as text. Reused within a boot.
    pub session_id: String,
    /// Never given twice within a boot: Windows LUID (`luid:0x1a2b3`), or the logon time where the LUID
    /// cannot be read; logind's session id with its start time.
    pub logon_identity: String,
    /// Whose session it is.
    pub account: AccountIdentity,
    /// When it began, by the OS's word; `None` where the OS does not say.
    pub logon_at: Option<UtcMillis>,
    /// Whether it is a remote session, where the OS says.
    pub remote: Option<bool>,
    /// Name or address of the remote side.
    pub client: Option<String>,
    /// Whether it is locked, where the OS says.
    pub locked: Option<bool>,
    /// Whether the session has ever had input from a person, where the OS says (Windows `LastInputTime`).
    pub input_seen: Option<bool>,
}

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// A receipt came, and its signature is the pinned server's for this very batch.
    Answered(Answer),
    /// No valid receipt came. Everything is kept.
    Failed {
        /// Why, in the words of the event log.
        cause: FailureCause,
        /// How long the server asked to wait, in seconds.
        retry_after_seconds: Option<u32>,
    },
}

/// A verified receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The server's word on each event of the batch.
    pub items: Vec<AnswerItem>,
    /// `res` of a batch that was refused whole; nothing of it was stored, and the next two fields say nothing.
    pub refused: Option<u8>,
    /// Highest number that the server holds of this terminal.
    pub head: u64,
    /// First and last of numbers below it that the server misses, ascending.
    pub missing: Vec<(u64, u64)>,
    /// How the server wants to be spared: see [`ServerWishes`].
    pub wishes: ServerWishes,
}

/// The server's word on one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerItem {
    /// The event's number.
    pub sequence: u64,
    /// Whether exactly our bytes are stored under this number. `false`: other bytes are.
    pub stored: bool,
    /// The result, or the number of a result this program does not know.
    pub result: Result<PunchResult, u8>,
}

/// What the server asks of its terminals. Already limited to the contract's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerWishes {
    /// Wait a random time of up to this before sending a new logon.
    pub spread_seconds: u32,
    /// Give a sign of life at least this often.
    pub contact_seconds: u32,
    /// The server's display name.
    pub display_name: String,
}

/// How an attempt to enrol ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrollOutcome {
    /// The terminal has an id and a pinned server key, both on disk.
    Done {
        /// The server's display name.
        display_name: String,
    },
    /// The server refused or could not be reached.
    Failed {
        /// Why.
        cause: FailureCause,
        /// Why, in more words, where the server gave them.
        reason: Option<EnrollmentRefusal>,
        /// How long the server asked to wait, in seconds.
        retry_after_seconds: Option<u32>,
    },
}
