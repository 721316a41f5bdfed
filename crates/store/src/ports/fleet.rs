//! All terminals of a contract at once: which need somebody, and what is kept of each over days.
//!
//! What counts as late, silent, growing and so on is decided here once ([`Measures`], [`Marks`]); an adapter
//! answers the same questions by its indexes, and the contract suite holds the two together.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::{TerminalId, UtcMillis};

use super::{Act, Answer, Beside, Health, Page, Terminal, TerminalStatus};
use crate::ContractId;

/// Events that wait on a PC from which that is many: a PC makes six a day in an office, so about three weeks
/// of them.
pub const WAITING_MANY: u64 = 120;

/// Contacts in a row with more waiting than before, from which the number counts as growing: one or two are a
/// busy morning or a batch that was cut in pieces.
pub const WAITING_RISES: u64 = 3;

/// Offset of a clock beyond which it counts as off, in milliseconds: Kerberos refuses at five minutes, and a
/// minute already moves a punch.
pub const CLOCK_OFF_MS: i64 = 60_000;

/// Days of contacts that are kept of a terminal: a quarter.
pub const CONTACT_DAYS_KEPT: i64 = 92;

/// Entries of a terminal's history that are kept.
pub const HISTORY_KEPT: u64 = 100;

/// Longest note, in characters.
pub const NOTE_MAX: usize = 500;

/// Terminals of one name that are told, with one more: whoever has more of them reads their list.
pub const NAMED_MAX: usize = 9;

/// Terminals that one request may change.
pub const TERMINALS_PER_CHANGE_MAX: usize = 500;

const DAY_MS: i64 = 86_400_000;

/// Against what terminals are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measures {
    /// The time.
    pub now: UtcMillis,
    /// How often a terminal is told to make contact, in seconds.
    pub contact_seconds: u32,
    /// Versions of the agent that are behind.
    pub old_versions: Vec<String>,
}

impl Measures {
    /// Last contact from which a terminal counts as healthy; see [`Health::of`].
    #[must_use]
    pub fn healthy_after(&self) -> UtcMillis {
        self.contacts_ago(Health::LATE_AFTER_CONTACTS)
    }

    /// Last contact from which a terminal does not count as silent.
    #[must_use]
    pub fn heard_after(&self) -> UtcMillis {
        self.contacts_ago(Health::SILENT_AFTER_CONTACTS)
    }

    /// Last contact up to which a terminal counts as silent for a week.
    #[must_use]
    pub fn silent_week(&self) -> UtcMillis {
        self.now.plus(-7 * DAY_MS)
    }

    /// The same for thirty days.
    #[must_use]
    pub fn silent_month(&self) -> UtcMillis {
        self.now.plus(-30 * DAY_MS)
    }

    fn contacts_ago(&self, contacts: i64) -> UtcMillis {
        self.now.plus(-contacts * i64::from(self.contact_seconds.max(1)) * 1000)
    }
}

/// What is to be said of one terminal, all of it independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub struct Marks {
    /// Two PCs, a restored image, or other bytes under a number.
    pub duplicate: bool,
    /// Numbers are missing that nobody has looked into.
    pub missing: bool,
    /// Its agent is behind.
    pub old_version: bool,
    /// Its clock was off at its last contact; a silent terminal's clock is not known.
    pub clock_off: bool,
    /// Much waits on it, or ever more.
    pub spool_growing: bool,
    /// It has to be enrolled again.
    pub makeup_changed: bool,
}

impl Marks {
    /// The marks of `terminal`; one that is out of use has none.
    #[must_use]
    pub fn of(terminal: &Terminal, measures: &Measures) -> Self {
        if terminal.status == TerminalStatus::Retired {
            return Self::default();
        }
        let health = Health::of(terminal.heard_at(), measures.now, measures.contact_seconds);
        let marked = terminal.cloned_at.is_some() || terminal.rolled_back_at.is_some() || terminal.conflict;
        Self {
            duplicate: marked,
            missing: terminal.missing.count > 0,
            old_version: measures.old_versions.contains(&terminal.agent_version),
            clock_off: health != Health::Silent
                && terminal.clock_offset_ms.unsigned_abs() > CLOCK_OFF_MS.unsigned_abs(),
            spool_growing: terminal.waiting >= WAITING_MANY || terminal.waiting_rises >= WAITING_RISES,
            makeup_changed: terminal.makeup_changed,
        }
    }
}

/// A terminal as somebody is to tell it from others of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTerminal {
    /// Its id.
    pub id: TerminalId,
    /// PC name.
    pub host_name: String,
    /// Whether it is in use.
    pub status: TerminalStatus,
    /// When it was enrolled.
    pub enrolled_at: UtcMillis,
    /// When it was last heard of.
    pub last_contact_at: Option<UtcMillis>,
}

/// Which terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum FleetShow {
    /// All but those that are out of use.
    #[default]
    InUse,
    /// Active and heard of in time.
    Healthy,
    /// Active and late.
    Late,
    /// Active and silent.
    Silent,
    /// Of these, the ones of which nothing was heard for seven days: longer than a holiday's weekend.
    SilentWeek,
    /// The same for thirty days: a PC that is probably not there any more.
    SilentMonth,
    /// Blocked by a person.
    Blocked,
    /// See [`Marks::duplicate`].
    Duplicate,
    /// See [`Marks::missing`].
    Missing,
    /// See [`Marks::old_version`].
    OldVersion,
    /// See [`Marks::clock_off`].
    ClockOff,
    /// See [`Marks::spool_growing`].
    SpoolGrowing,
    /// See [`Marks::makeup_changed`].
    MakeupChanged,
    /// In use under a name that another one in use bears too, whatever the case of its letters.
    SameName,
    /// Out of use.
    Retired,
}

impl FleetShow {
    /// Every choice, in the order of the board.
    pub const ALL: [Self; 15] = [
        Self::InUse,
        Self::Healthy,
        Self::Late,
        Self::Silent,
        Self::SilentWeek,
        Self::SilentMonth,
        Self::Blocked,
        Self::Duplicate,
        Self::Missing,
        Self::OldVersion,
        Self::ClockOff,
        Self::SpoolGrowing,
        Self::MakeupChanged,
        Self::SameName,
        Self::Retired,
    ];

    /// Whether `terminal` is one of them. Of [`Self::SameName`] are several: one alone does not tell.
    #[must_use]
    pub fn takes(self, terminal: &Terminal, measures: &Measures) -> bool {
        let marks = Marks::of(terminal, measures);
        let health = Health::of(terminal.heard_at(), measures.now, measures.contact_seconds);
        let active = terminal.status == TerminalStatus::Active;
        let silent = active && health == Health::Silent;
        let last = terminal.heard_at();
        match self {
            Self::InUse => terminal.status != TerminalStatus::Retired,
            Self::Healthy => active && health == Health::Healthy,
            Self::Late => active && health == Health::Late,
            Self::Silent => silent,
            Self::SilentWeek => silent && last <= measures.silent_week(),
            Self::SilentMonth => silent && last <= measures.silent_month(),
            Self::Blocked => terminal.status == TerminalStatus::Blocked,
            Self::Duplicate => marks.duplicate,
            Self::Missing => marks.missing,
            Self::OldVersion => marks.old_version,
            Self::ClockOff => marks.clock_off,
            Self::SpoolGrowing => marks.spool_growing,
            Self::MakeupChanged => marks.makeup_changed,
            Self::SameName => false,
            Self::Retired => terminal.status == TerminalStatus::Retired,
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FleetOrder {
    /// Those that need somebody first; see [`attention`].
    #[default]
    Attention,
    /// By PC name.
    Name,
    /// Longest not heard of first.
    Contact,
    /// Most waiting first.
    Waiting,
}

/// How soon somebody should look: 0 first. Identities that are in doubt, then punches that are refused or lost,
/// then PCs that say nothing, then the rest.
#[must_use]
pub fn attention(terminal: &Terminal, measures: &Measures) -> i64 {
    let marks = Marks::of(terminal, measures);
    let is = |show: FleetShow| show.takes(terminal, measures);
    let ranks = [
        is(FleetShow::Retired).then_some(10),
        marks.duplicate.then_some(0),
        marks.makeup_changed.then_some(1),
        marks.missing.then_some(2),
        marks.spool_growing.then_some(3),
        is(FleetShow::Silent).then_some(4),
        marks.clock_off.then_some(5),
        is(FleetShow::Late).then_some(6),
        is(FleetShow::Blocked).then_some(8),
        marks.old_version.then_some(7),
    ];
    ranks.into_iter().flatten().next().unwrap_or(9)
}

/// A question about terminals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FleetFilter {
    /// Which.
    pub show: FleetShow,
    /// A part of PC name, OS, version or id, in lower case; empty for all.
    pub text: String,
    /// Only these, when given; the rest of the filter counts all the same.
    pub only: Option<Vec<TerminalId>>,
    /// In which order.
    pub order: FleetOrder,
}

/// The last terminal of a page: the next one begins after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetKey {
    /// Its place in the order, by the order's own measure.
    pub place: i64,
    /// Itself.
    pub terminal: TerminalId,
}

/// One page of the list.
pub type FleetPage = Page<Terminal, FleetKey>;

/// How many terminals there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FleetCounts(pub Vec<(FleetShow, u64)>);

impl FleetCounts {
    /// How many `show` takes.
    #[must_use]
    pub fn of(&self, show: FleetShow) -> u64 {
        self.0.iter().find(|(counted, _)| *counted == show).map_or(0, |(_, count)| *count)
    }
}

/// A day on which a terminal was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactDay {
    /// The day, in the contract's zone.
    pub day: Date,
    /// First contact.
    pub first_at: UtcMillis,
    /// Last contact.
    pub last_at: UtcMillis,
    /// Contacts.
    pub contacts: u64,
    /// Most events that waited after one of them.
    pub waiting_max: u64,
    /// Smallest offset, server's clock less the terminal's, in milliseconds.
    pub offset_min_ms: i64,
    /// Largest offset.
    pub offset_max_ms: i64,
    /// Version of the agent at the last contact.
    pub agent_version: String,
}

/// What happened to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalChange {
    /// It was enrolled.
    Enrolled,
    /// It was enrolled again.
    EnrolledAgain,
    /// Its agent has another version.
    Version,
}

impl TerminalChange {
    /// Every change.
    pub const ALL: [Self; 3] = [Self::Enrolled, Self::EnrolledAgain, Self::Version];

    /// The name at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::EnrolledAgain => "enrolled_again",
            Self::Version => "version",
        }
    }
}

/// An entry of a terminal's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalHistory {
    /// When.
    pub at: UtcMillis,
    /// What.
    pub what: TerminalChange,
    /// Name of the PC then.
    pub host_name: String,
    /// Version of the agent then.
    pub agent_version: String,
}

/// Numbers in a row under which nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRange {
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
    /// By which word the terminal has given them up (`Declared::word`); absent while it may send them.
    pub declared: Option<String>,
    /// A person has looked into it.
    pub settled: bool,
}

/// What changed by setting the status of several terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusesSet {
    /// Terminals that have another status than before.
    pub terminals: u64,
    /// Punches that got another result.
    pub punches: u64,
    /// Terminals that had the status before.
    pub already: u64,
    /// Retired terminals, which cannot be blocked and were left as they were.
    pub retired: u64,
    /// Of those that changed, the ones that were to come into use and are blocked, as they were before they were retired.
    pub blocked: u64,
}

/// Longest reason for blocking a terminal, in characters.
pub const REASON_MAX: usize = 200;

/// What has been made of a terminal's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChanged {
    /// When.
    pub at: UtcMillis,
    /// Who, as [`super::AuditEntry::by`] has it.
    pub by: String,
    /// The audit log's word for it.
    pub action: String,
    /// The status afterwards.
    pub status: TerminalStatus,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// The blocked terminal whose name or make-up it had when it was enrolled, and was blocked for.
    pub like: Option<TerminalId>,
}

/// All terminals of a contract.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Versions of the agent on terminals that are not retired, each once.
    async fn fleet_versions(&self, contract: ContractId) -> Answer<Vec<String>>;
    /// How many terminals there are of each kind.
    async fn fleet_counts(&self, contract: ContractId, measures: Measures) -> Answer<FleetCounts>;
    /// How many terminals the filter finds.
    async fn fleet_matches(
        &self,
        contract: ContractId,
        measures: Measures,
        filter: FleetFilter,
    ) -> Answer<u64>;
    /// Terminals that the filter finds, at the beginning or beside one, at most `limit`.
    async fn fleet_page(
        &self,
        contract: ContractId,
        measures: Measures,
        filter: FleetFilter,
        at: Option<Beside<FleetKey>>,
        limit: usize,
    ) -> Answer<FleetPage>;
    /// How many terminals in use bear each of these names, whatever the case of their letters.
    async fn same_named(&self, contract: ContractId, names: Vec<String>) -> Answer<Vec<u64>>;
    /// The days since `since` on which the terminal was heard of, oldest first.
    async fn contact_days(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        since: Date,
    ) -> Answer<Vec<ContactDay>>;
    /// The newest `limit` entries of its history, newest first.
    async fn terminal_history(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        limit: usize,
    ) -> Answer<Vec<TerminalHistory>>;
    /// The highest `limit` ranges of its missing numbers, highest first.
    async fn missing_ranges(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        limit: usize,
    ) -> Answer<Vec<MissingRange>>;
    /// Sets the status of several terminals, at most [`TERMINALS_PER_CHANGE_MAX`]. Those that have it, and retired ones that
    /// would be blocked, are passed over; all others or, when one of them is
    /// not of the contract, none.
    async fn set_terminal_statuses(
        &self,
        contract: ContractId,
        terminals: Vec<TerminalId>,
        status: TerminalStatus,
        act: Act,
    ) -> Answer<StatusesSet>;
    /// Blocks terminals as [`Self::set_terminal_statuses`] does, with a reason of at most [`REASON_MAX`] characters for the
    /// audit log; none when it is empty.
    async fn block_terminals(
        &self,
        contract: ContractId,
        terminals: Vec<TerminalId>,
        reason: String,
        act: Act,
    ) -> Answer<StatusesSet>;
    /// What has been made of the terminal's status, newest first, at most `limit`.
    async fn status_changes(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        limit: usize,
    ) -> Answer<Vec<StatusChanged>>;
    /// Replaces the note, of at most [`NOTE_MAX`] characters; an empty one takes it away.
    async fn set_terminal_note(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        note: String,
        act: Act,
    ) -> Answer<()>;
    /// Lets an active terminal be enrolled again, once, until `until`, whatever its enrolment key is.
    async fn allow_reenrollment(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        until: UtcMillis,
        act: Act,
    ) -> Answer<()>;
}
