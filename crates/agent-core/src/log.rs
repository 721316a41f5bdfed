//! What the operating system's own logs tell about the time in which the agent did not run.
//!
//! The shell reads, parses and joins the records of all channels; what arrives here is one [`LogFact`] for
//! each thing that happened, with accounts already known by SID and name. The rules of what becomes an event
//! are in `agent/back_fill.rs`.

use mngntime_model::{AccountIdentity, EventKind, UtcMillis};

/// A log with its own record numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogChannel {
    /// `Microsoft-Windows-TerminalServices-LocalSessionManager/Operational`: every session of a person.
    LocalSessionManager,
    /// `System`: Winlogon, boot, shutdown, sleep, clock.
    System,
    /// `Security`: what the audit policy lets Windows write.
    Security,
}

impl LogChannel {
    /// Every channel, in the order in which they are believed.
    pub const ALL: [Self; 3] = [Self::LocalSessionManager, Self::System, Self::Security];

    /// The word for it in causes and in the journal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LocalSessionManager => "LSM",
            Self::System => "System",
            Self::Security => "Security",
        }
    }

    /// The channel with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.word() == word)
    }
}

/// Who wrote a record, in the order of belief (windows.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSource {
    /// LocalSessionManager/Operational.
    LocalSessionManager,
    /// Winlogon's 7001 and 7002 in the System log.
    Winlogon,
    /// The Security log.
    Security,
    /// Everybody else in the System log.
    System,
}

impl LogSource {
    /// The word for it in an event's cause: `log:LSM:1234`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LocalSessionManager => "LSM",
            Self::Winlogon => "Winlogon",
            Self::Security => "Security",
            Self::System => "System",
        }
    }
}

/// One thing that happened, by the word of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFact {
    /// When, by the clock of that time.
    pub at: UtcMillis,
    /// Who wrote the record.
    pub source: LogSource,
    /// The record's number in its channel.
    pub record_id: u64,
    /// What happened.
    pub what: LogEvent,
}

impl LogFact {
    /// The fixed words by which the event that comes of it names its record.
    #[must_use]
    pub fn cause(&self) -> String {
        let reason = match &self.what {
            LogEvent::Session(session) => session.reason.map(|reason| format!(";reason={reason}")),
            LogEvent::Booted
            | LogEvent::EndRequested
            | LogEvent::WentDown
            | LogEvent::Unclean { .. }
            | LogEvent::Suspended
            | LogEvent::Resumed
            | LogEvent::ClockSet { .. } => None,
        };
        format!("log:{}:{}{}", self.source.word(), self.record_id, reason.unwrap_or_default())
    }
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// Something happened to a person's session.
    Session(Box<LogSession>),
    /// Windows started (Kernel-General 12).
    Booted,
    /// Somebody asked Windows to go down (User32 1074). It may have been called off.
    EndRequested,
    /// Windows went down in order (Kernel-General 13, EventLog 6006, Kernel-Power 109).
    WentDown,
    /// Written after the next start: Windows had not gone down in order (Kernel-Power 41, EventLog 6008,
    /// WER 1001).
    Unclean {
        /// Whether a bug check (blue screen) ended it.
        bugcheck: bool,
        /// When Windows last noted that it was alive, where the record says so.
        alive_at: Option<UtcMillis>,
    },
    /// Sleep, hibernation, Modern Standby, or a shutdown by Fast Startup (Kernel-Power 42, 506).
    Suspended,
    /// Awake again (Kernel-Power 107, 507; Kernel-Boot 27 after Fast Startup or hibernation).
    Resumed,
    /// The wall clock was set (Kernel-General 1).
    ClockSet {
        /// New time less old time, in milliseconds.
        by_ms: i64,
    },
}

/// A record about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSession {
    /// [`EventKind::Logon`], `Logoff`, `Lock`, `Unlock`, `Connect` or `Disconnect`.
    pub kind: EventKind,
    /// The OS's session id, where the record has it.
    pub session_id: Option<String>,
    /// `luid:0x…`, where a record of the Security log has it.
    pub logon_identity: Option<String>,
    /// Whose session it is.
    pub account: AccountIdentity,
    /// Whether it is a remote session, where the record says.
    pub remote: Option<bool>,
    /// Address or name of the remote side, where the record says.
    pub client: Option<String>,
    /// Why, as Remote Desktop Services number it (LocalSessionManager 40), where a record says.
    pub reason: Option<u32>,
}

/// Records that should have been read and are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGap {
    /// In which log.
    pub channel: LogChannel,
    /// Not earlier than this.
    pub from: UtcMillis,
    /// Not later than this.
    pub to: UtcMillis,
    /// Why.
    pub why: LogGapReason,
}

/// Why records are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogGapReason {
    /// The log was full and its oldest records were overwritten.
    Wrapped,
    /// Somebody cleared the log.
    Cleared,
    /// The log could be read before and cannot be read now.
    Unreadable,
    /// There were more records than one reading takes.
    Limit,
}

impl LogGapReason {
    /// The first word of the gap's cause.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Wrapped => "log_wrapped",
            Self::Cleared => "log_cleared",
            Self::Unreadable => "log_unreadable",
            Self::Limit => "log_limit",
        }
    }
}

/// How far a channel has been dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    /// Which log.
    pub channel: LogChannel,
    /// The newest record that needs no reading any more.
    pub record_id: u64,
    /// When that record was written.
    pub written_at: UtcMillis,
}

/// What the core wants of the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWanted {
    /// Where an earlier reading ended. A channel without one is read from `since` on.
    pub positions: Vec<LogPosition>,
    /// What happened before this is known already.
    pub since: UtcMillis,
}

/// What one reading of the logs gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogReading {
    /// What happened, in the order of time.
    pub facts: Vec<LogFact>,
    /// What is missing.
    pub gaps: Vec<LogGap>,
    /// Where the next reading begins.
    pub positions: Vec<LogPosition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The journal keeps the bookmarks by these words: one that is not found is a log that is read anew.
    #[test]
    fn a_channel_is_found_by_its_word() {
        for channel in LogChannel::ALL {
            assert_eq!(LogChannel::from_word(channel.word()), Some(channel));
        }
        assert_eq!(LogChannel::from_word("Application"), None);
    }
}
