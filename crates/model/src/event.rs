//! Events: facts the agent observed on a PC.

use crate::{AccountIdentity, BootId, Declared, Moment, UtcMillis};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// An account's session began.
    Logon,
    /// An account's session ended.
    Logoff,
    /// The session was locked. On Linux a hint by the desktop, not proof.
    Lock,
    /// The session was unlocked.
    Unlock,
    /// A display (console or remote) was attached to the session.
    Connect,
    /// The display was taken from the session, which goes on.
    Disconnect,
    /// The PC is about to sleep or hibernate.
    Suspend,
    /// The PC woke. Says nothing about a person.
    Resume,
    /// The operating system started.
    Boot,
    /// The operating system announced that it goes down.
    Shutdown,
    /// The wall clock was set.
    TimeChange,
    /// The agent began to watch.
    ServiceStart,
    /// The agent stopped watching, in order.
    ServiceStop,
    /// Records are missing between two points, and the agent says so.
    Gap,
    /// The PC's display went dark. Where the PC knows no other sleep (Modern Standby), all there is of one.
    DisplayOff,
    /// The PC's display came back. Says nothing about a person.
    DisplayOn,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Logon,
        Self::Logoff,
        Self::Lock,
        Self::Unlock,
        Self::Connect,
        Self::Disconnect,
        Self::Suspend,
        Self::Resume,
        Self::Boot,
        Self::Shutdown,
        Self::TimeChange,
        Self::ServiceStart,
        Self::ServiceStop,
        Self::Gap,
        Self::DisplayOff,
        Self::DisplayOn,
    ];

    /// The name in every format: wire, disk, command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logon => "logon",
            Self::Logoff => "logoff",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Boot => "boot",
            Self::Shutdown => "shutdown",
            Self::TimeChange => "time_change",
            Self::ServiceStart => "service_start",
            Self::ServiceStop => "service_stop",
            Self::Gap => "gap",
            Self::DisplayOff => "display_off",
            Self::DisplayOn => "display_on",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// 打刻: whether the attendance side sees this event as a punch.
    #[must_use]
    pub fn is_punch(self) -> bool {
        matches!(self, Self::Logon | Self::Logoff)
    }
}

/// How the agent knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The OS said so at that moment (SCM notice, logind signal).
    Notice,
    /// The agent's comparison with the OS's own session list showed it; the OS's notice never came.
    Reconciled,
    /// 開始時検出: the session was already there when the agent started.
    FoundAtStart,
    /// Read afterwards from the OS's own logs.
    BackFilled,
    /// 推定: follows from other facts; true somewhere within the bounds.
    Inferred,
    /// Written by `punch logon|logoff` from a logon or logoff script.
    Script,
}

impl Evidence {
    /// Every kind of evidence.
    pub const ALL: [Self; 6] =
        [Self::Notice, Self::Reconciled, Self::FoundAtStart, Self::BackFilled, Self::Inferred, Self::Script];

    /// The name in every format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Reconciled => "reconciled",
            Self::FoundAtStart => "found_at_start",
            Self::BackFilled => "back_filled",
            Self::Inferred => "inferred",
            Self::Script => "script",
        }
    }

    /// The evidence with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|evidence| evidence.name() == name)
    }
}

/// Words of [`Event::cause`] that the server understands. The others are for people who read an event.
pub mod cause {
    /// On a logon: nobody was there; the session was locked as soon as it existed (automatic sign-on after
    /// an update, windows.md 1.6).
    pub const UNATTENDED: &str = "unattended";
    /// On a lock: the session locked itself right after its logon, without any input; so nobody was there at
    /// the logon.
    pub const UNATTENDED_LOGON: &str = "unattended_logon";
    /// On the first unlock of an unattended session: now somebody is there.
    pub const PRESENCE_BEGINS: &str = "presence_begins";
}

/// The event happened no earlier than `not_before` and no later than `not_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Earliest possible time.
    pub not_before: UtcMillis,
    /// Latest possible time.
    pub not_after: UtcMillis,
}

impl Bounds {
    /// Bounds in the right order, whichever way the two were given: a clock that was set back between
    /// two facts must not produce an empty interval.
    #[must_use]
    pub fn between(one: UtcMillis, other: UtcMillis) -> Self {
        Self { not_before: one.min(other), not_after: one.max(other) }
    }
}

/// What makes one stay of one account different from every other. Session numbers are reused within a
/// boot, so the number alone is never a key (observed by Windows administrators, documented nowhere).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionIdentity {
    /// The OS run the stay lives in. A logoff inferred after a power loss is recorded in a later one.
    pub boot: BootId,
    /// The OS's session id, as text.
    pub session_id: String,
    /// What the OS gives to a logon and never again in the same boot: Windows LUID (or logon time where
    /// the LUID cannot be read), logind session id with its start time.
    pub logon_identity: String,
}

/// One fact, with its place in the terminal's sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Number within the terminal, from 1, without holes except declared ones, never reused.
    pub sequence: u64,
    /// The OS run in which the agent recorded the event.
    pub boot: BootId,
    /// What happened.
    pub kind: EventKind,
    /// How the agent knows.
    pub evidence: Evidence,
    /// When it happened, as exactly as is known. With bounds: the earliest possible time.
    pub occurred_at: UtcMillis,
    /// The interval, when the time is not known as a point.
    pub bounds: Option<Bounds>,
    /// All clocks when the agent recorded the event.
    pub recorded_at: Moment,
    /// The stay it belongs to, for session events.
    pub session: Option<SessionIdentity>,
    /// Whose it is, for session events.
    pub account: Option<AccountIdentity>,
    /// Whether the session is a remote one, where known.
    pub remote: Option<bool>,
    /// Name or address of the remote side, where known.
    pub client: Option<String>,
    /// Why, in one of the agent's fixed words (`shutdown`, `power_loss`, `user_present` …; see [`cause`]).
    pub cause: Option<String>,
    /// The number under which this very fact was recorded first, when the server holds other bytes there
    /// (see [`crate::gap`]). All else, `boot` and `recorded_at` included, is as it was recorded then.
    pub supersedes: Option<u64>,
}

impl Event {
    /// What a gap declares of numbers; `None` for other events, and for gaps of another form.
    #[must_use]
    pub fn declared(&self) -> Option<Declared> {
        self.cause.as_deref().filter(|_| self.kind == EventKind::Gap).and_then(Declared::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
        }
        for evidence in Evidence::ALL {
            assert_eq!(Evidence::from_name(evidence.name()), Some(evidence));
        }
        assert_eq!(EventKind::from_name("observed"), None);
    }

    #[test]
    fn only_logon_and_logoff_are_punches() {
        let punches: Vec<_> = EventKind::ALL.into_iter().filter(|kind| kind.is_punch()).collect();
        assert_eq!(punches, [EventKind::Logon, EventKind::Logoff]);
    }

    #[test]
    fn bounds_are_ordered_even_when_the_clock_went_back() {
        let bounds = Bounds::between(UtcMillis(20), UtcMillis(10));
        assert_eq!((bounds.not_before, bounds.not_after), (UtcMillis(10), UtcMillis(20)));
    }
}
