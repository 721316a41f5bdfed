//! Terminals as the IT administrator sees them.

use async_trait::async_trait;
use mngntime_model::{TerminalId, UtcMillis};

use super::{Act, Answer};
use crate::ContractId;

/// Whether a terminal may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalStatus {
    /// It may.
    Active,
    /// An administrator has blocked it: events are stored, punches get res=6.
    Blocked,
    /// Out of use for good; counts as blocked should it ever speak again.
    Retired,
}

impl TerminalStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Blocked, Self::Retired];

    /// The name at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Retired => "retired",
        }
    }
}

/// How a terminal is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Heard of within the time it was told to keep, or a little longer.
    Healthy,
    /// Missed its time twice.
    Late,
    /// Not heard of for [`Health::SILENT_AFTER_CONTACTS`] times its time.
    Silent,
}

impl Health {
    /// Missed contacts after which a terminal counts as late: one may be lost to a busy network.
    pub const LATE_AFTER_CONTACTS: i64 = 2;
    /// Missed contacts after which it counts as silent: at the default 15 minutes this is a day.
    pub const SILENT_AFTER_CONTACTS: i64 = 96;

    /// Health of a terminal at `now` that was last heard of at `last` ([`Terminal::heard_at`]), when told to make contact
    /// every `contact_seconds`.
    #[must_use]
    pub fn of(last: UtcMillis, now: UtcMillis, contact_seconds: u32) -> Self {
        let contacts = now.0.saturating_sub(last.0) / (i64::from(contact_seconds.max(1)) * 1000);
        match contacts {
            ..Self::LATE_AFTER_CONTACTS => Self::Healthy,
            Self::LATE_AFTER_CONTACTS..Self::SILENT_AFTER_CONTACTS => Self::Late,
            Self::SILENT_AFTER_CONTACTS.. => Self::Silent,
        }
    }
}

/// What a terminal's numbers and OS runs tell of it; the gravest that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Two PCs use its identity.
    Cloned,
    /// Its memory was older than its history: an image or a snapshot was restored.
    RolledBack,
    /// Other bytes came under a number that is taken.
    Conflict,
    /// Numbers are missing.
    Missing,
    /// Every number up to the head is stored, or explained by an earlier enrolment.
    Complete,
}

impl Standing {
    /// Every standing, the gravest first.
    pub const ALL: [Self; 5] =
        [Self::Cloned, Self::RolledBack, Self::Conflict, Self::Missing, Self::Complete];

    /// The name in lists and figures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cloned => "cloned",
            Self::RolledBack => "rolled_back",
            Self::Conflict => "conflict",
            Self::Missing => "missing",
            Self::Complete => "complete",
        }
    }
}

/// What it means that an OS run is heard again after another run had been heard. A run that has ended never
/// comes back, so something has been copied; its counter tells what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootReturn {
    /// It went on all the time that it was not heard, beside the other: two PCs.
    RanOn,
    /// It stood still for a while and went on from there: a running system was saved and restored.
    Resumed,
    /// Its counter is not beyond what has been heard: an old message that was held up or played back, or a
    /// system that was saved before its last word. The numbers tell the latter.
    Older,
}

impl BootReturn {
    /// How much less than the server's clock the counter of a run that went on may show, in milliseconds: a
    /// slow network at both ends, and drift.
    pub const TOLERANCE_MS: i64 = 60_000;

    /// Judges a run whose counter showed `heard_ms` when it was last heard and shows `now_ms` now, with
    /// `elapsed_ms` between the two by the server's clock.
    #[must_use]
    pub fn of(heard_ms: u64, now_ms: u64, elapsed_ms: i64) -> Self {
        if now_ms <= heard_ms {
            return Self::Older;
        }
        let advanced_ms = i64::try_from(now_ms - heard_ms).unwrap_or(i64::MAX);
        if advanced_ms >= elapsed_ms.saturating_sub(Self::TOLERANCE_MS) { Self::RanOn } else { Self::Resumed }
    }
}

/// Numbers of a terminal under which nothing is stored, those of earlier enrolments left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MissingNumbers {
    /// How many that nobody has looked into.
    pub count: u64,
    /// How many of them the terminal has not declared: it may still send them, or somebody cut its journal.
    pub undeclared: u64,
    /// The lowest; 0 when there is none.
    pub first: u64,
    /// The highest; 0 when there is none.
    pub last: u64,
    /// How many more there are that a person has looked into.
    pub settled: u64,
}

/// What people want to remember of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text.
    pub text: String,
    /// Who wrote it, as in [`Act::by`].
    pub by: String,
    /// When.
    pub at: UtcMillis,
}

/// An enrolled PC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its id.
    pub id: TerminalId,
    /// Name of the PC, as at its last enrolment.
    pub host_name: String,
    /// Operating system.
    pub os: String,
    /// Its pinned public key, as text.
    pub public_key: String,
    /// Digest of what it is made of, as at its last enrolment.
    pub makeup: String,
    /// `tpm`, `software` or `file`, as the terminal said; of an Ed25519 key `software` means a file.
    pub key_class: String,
    /// Version of the agent.
    pub agent_version: String,
    /// Whether it may be used.
    pub status: TerminalStatus,
    /// First enrolment.
    pub enrolled_at: UtcMillis,
    /// Last signed batch; none since enrolment when absent.
    pub last_contact_at: Option<UtcMillis>,
    /// The OS run heard last; empty before the first contact.
    pub boot: String,
    /// When it was last heard with something new; what was held up or played back does not count.
    pub boot_heard_at: UtcMillis,
    /// Highest number stored.
    pub head: u64,
    /// Events on the PC without a receipt, at last contact.
    pub waiting: u64,
    /// Server's clock less the terminal's at last contact, in milliseconds.
    pub clock_offset_ms: i64,
    /// Other bytes came under a number that is taken: a copied or tampered PC.
    pub conflict: bool,
    /// Its make-up differed from the enrolled one at last contact.
    pub makeup_changed: bool,
    /// Numbers that are missing.
    pub missing: MissingNumbers,
    /// When it last showed that its memory is older than its history.
    pub rolled_back_at: Option<UtcMillis>,
    /// How often it has.
    pub rollbacks: u64,
    /// When two PCs with its identity were last heard in turns.
    pub cloned_at: Option<UtcMillis>,
    /// Contacts in a row at which more waited than at the one before; fewer begin anew.
    pub waiting_rises: u64,
    /// Until when it may be enrolled again, whatever its enrolment key is.
    pub reenroll_until: Option<UtcMillis>,
    /// What people want to remember of it.
    pub note: Option<Note>,
}

impl Terminal {
    /// When it was last heard of: its last contact, or its enrolment as long as there was none.
    #[must_use]
    pub fn heard_at(&self) -> UtcMillis {
        self.last_contact_at.unwrap_or(self.enrolled_at)
    }

    /// The gravest of what its numbers and OS runs tell.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.cloned_at.is_some() {
            Standing::Cloned
        } else if self.rolled_back_at.is_some() {
            Standing::RolledBack
        } else if self.conflict {
            Standing::Conflict
        } else if self.missing.count > 0 {
            Standing::Missing
        } else {
            Standing::Complete
        }
    }
}

/// Terminals.
#[async_trait]
pub trait Terminals: Send + Sync {
    /// Terminals by PC name, at most `limit`, after `after` (a PC name and id) when given.
    async fn list_terminals(
        &self,
        contract: ContractId,
        after: Option<(String, TerminalId)>,
        limit: usize,
    ) -> Answer<Vec<Terminal>>;
    /// One terminal.
    async fn terminal(&self, contract: ContractId, terminal: TerminalId) -> Answer<Option<Terminal>>;
    /// Sets the status. Back to active, punches that got res=6 are judged again; returns how many changed. Nothing is
    /// written when it has the status already; a retired one cannot be blocked
    /// ([`Refusal::State`](crate::Refusal::State)).
    async fn set_terminal_status(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        status: TerminalStatus,
        act: Act,
    ) -> Answer<u64>;
    /// Active terminals of all contracts by standing, every standing once.
    async fn count_standings(&self) -> Answer<Vec<(Standing, u64)>>;
    /// Takes the marks away (conflict, roll-back, copy, missing numbers), after somebody has looked into it.
    /// What happens afterwards marks it anew.
    async fn clear_conflict(&self, contract: ContractId, terminal: TerminalId, act: Act) -> Answer<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_turns_after_two_and_after_ninety_six_missed_contacts() {
        let at = |contacts: i64| Health::of(UtcMillis(0), UtcMillis(contacts * 900_000), 900);
        assert_eq!(Health::of(UtcMillis(0), UtcMillis(2 * 900_000 - 1), 900), Health::Healthy);
        assert_eq!(at(2), Health::Late);
        assert_eq!(at(95), Health::Late);
        assert_eq!(at(96), Health::Silent);
    }

    #[test]
    fn a_run_that_comes_back_is_told_by_its_counter() {
        let hour = 3_600_000;
        let tolerance = u64::try_from(BootReturn::TOLERANCE_MS).unwrap();
        assert_eq!(BootReturn::of(1_000, 1_000 + hour, 3_600_000), BootReturn::RanOn);
        assert_eq!(BootReturn::of(1_000, 1_000 + hour - tolerance, 3_600_000), BootReturn::RanOn);
        assert_eq!(BootReturn::of(1_000, 1_000 + hour - tolerance - 1, 3_600_000), BootReturn::Resumed);
        assert_eq!(BootReturn::of(1_000, 1_001, 3_600_000), BootReturn::Resumed);
        assert_eq!(BootReturn::of(1_000, 1_000, 0), BootReturn::Older, "the same message once more");
        assert_eq!(BootReturn::of(1_000, 999, -5), BootReturn::Older);
    }

    #[test]
    fn a_contact_from_the_future_is_healthy() {
        assert_eq!(Health::of(UtcMillis(10_000), UtcMillis(0), 900), Health::Healthy);
    }
}
