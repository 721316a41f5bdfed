//! Punches as the attendance side sees them.

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{Bounds, EventKind, Evidence, PunchResult, TerminalId, UtcMillis};

use super::{Account, Answer, Beside, Page, Scope, Terminal};
use crate::{AccountId, EmployeeId};

/// One row of the punch list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Punch {
    /// The terminal.
    pub terminal: TerminalId,
    /// Its PC name.
    pub host_name: String,
    /// Number within the terminal.
    pub sequence: u64,
    /// Logon or logoff.
    pub kind: EventKind,
    /// How the agent knew.
    pub evidence: Evidence,
    /// 再送.
    pub resent: bool,
    /// The account.
    pub account: AccountId,
    /// Its domain, as last seen.
    pub domain: String,
    /// Its name, as last seen.
    pub name: String,
    /// The employee it belongs to on the punch's date.
    pub employee: Option<EmployeeId>,
    /// That employee's code.
    pub employee_code: Option<String>,
    /// That employee's name.
    pub employee_name: Option<String>,
    /// When it happened, by the terminal's clock; where that was years off, by the server's.
    pub occurred_at: UtcMillis,
    /// What the terminal's clock showed, where that was years off.
    pub stamped_at: Option<UtcMillis>,
    /// The date by which it is judged: its own in Tokyo, of a logoff that ends a night the date before
    /// (see [`crate::judge`]).
    pub date: Date,
    /// The interval, when only that is known.
    pub bounds: Option<Bounds>,
    /// When it was first stored, by the server's clock.
    pub received_at: UtcMillis,
    /// Server's clock less the terminal's at that moment, in milliseconds; 0 where the two times are within
    /// [`SAME_TIME_MS`] and it says nothing, and where the time is by the server's clock.
    pub clock_offset_ms: i64,
    /// What the server thinks of it.
    pub result: PunchResult,
    /// 無人ログオン: a logon that nobody made (automatic sign-on after an update); absent otherwise.
    pub unattended: Option<Unattended>,
}

/// What was stored within so much of when it happened has not waited, whatever the clocks say: a minute, in milliseconds.
pub const SAME_TIME_MS: i64 = 60_000;

/// A logon without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unattended {
    /// When somebody came: the first unlock. Absent while nobody has, as far as is known.
    pub present_from: Option<UtcMillis>,
    /// Its interval, when only that is known.
    pub present_bounds: Option<Bounds>,
}

/// Which punches to list. Absent means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PunchFilter {
    /// Not before this time.
    pub from: Option<UtcMillis>,
    /// Before this time.
    pub until: Option<UtcMillis>,
    /// Of this employee.
    pub employee: Option<EmployeeId>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// From this terminal.
    pub terminal: Option<TerminalId>,
    /// Only logons or only logoffs.
    pub kind: Option<EventKind>,
    /// 「エラーデータのみを表示する」.
    pub errors_only: bool,
    /// Only errors of this cause.
    pub cause: Option<ErrorCause>,
    /// 推定: only what nobody and nothing has seen, and follows from other facts.
    pub inferred_only: bool,
}

/// Why a punch is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCause {
    /// The account has never been linked to anybody (res=7).
    Unlinked,
    /// The account is linked, but not on the punch's date, or to somebody who was not employed on it (res=7).
    OutsideLink,
    /// The contract cannot be used (res=5).
    Contract,
    /// The terminal cannot be used (res=6).
    Terminal,
    /// The terminal has changed and must be enrolled again (res=8).
    Reenrolment,
    /// The server failed (res=9).
    Failure,
}

impl ErrorCause {
    /// Every cause.
    pub const ALL: [Self; 6] =
        [Self::OutsideLink, Self::Unlinked, Self::Contract, Self::Terminal, Self::Reenrolment, Self::Failure];

    /// The name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::OutsideLink => "outside",
            Self::Contract => "contract",
            Self::Terminal => "terminal",
            Self::Reenrolment => "reenrolment",
            Self::Failure => "failure",
        }
    }

    /// The number of the result.
    #[must_use]
    pub fn res(self) -> u8 {
        match self {
            Self::Contract => 5,
            Self::Terminal => 6,
            Self::Unlinked | Self::OutsideLink => 7,
            Self::Reenrolment => 8,
            Self::Failure => 9,
        }
    }
}

/// Place of a row in the list, newest first. Its text form goes into links and is opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageKey {
    /// When the punch happened.
    pub occurred_at: UtcMillis,
    /// Its terminal.
    pub terminal: TerminalId,
    /// Its number.
    pub sequence: u64,
}

impl PageKey {
    /// Reads the text form; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (occurred_at, rest) = text.split_once('_')?;
        let (sequence, terminal) = rest.split_once('_')?;
        Some(Self {
            occurred_at: UtcMillis(occurred_at.parse().ok()?),
            sequence: sequence.parse::<u64>().ok().filter(|n| i64::try_from(*n).is_ok())?,
            terminal: TerminalId::parse(terminal).ok()?,
        })
    }
}

impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.occurred_at.0, self.sequence, self.terminal)
    }
}

/// One page, newest first.
pub type PunchPage = Page<Punch, PageKey>;

/// Why a punch was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It came in, for the first time or again.
    Received,
    /// The server had failed to judge it before.
    JudgedLate,
    /// Its account was linked to an employee.
    AccountLinked,
    /// A link of its account was ended.
    AccountUnlinked,
    /// The dates of its employee were changed.
    EmployeeChanged,
    /// Its terminal was unblocked.
    TerminalUnblocked,
    /// Its terminal was enrolled again.
    TerminalEnrolled,
    /// Its contract was reactivated or got the option.
    ContractChanged,
    /// Another day boundary puts it on another date.
    BoundaryChanged,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::JudgedLate,
        Self::AccountLinked,
        Self::AccountUnlinked,
        Self::EmployeeChanged,
        Self::TerminalUnblocked,
        Self::TerminalEnrolled,
        Self::ContractChanged,
        Self::BoundaryChanged,
    ];

    /// The name at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::JudgedLate => "judged_late",
            Self::AccountLinked => "account_linked",
            Self::AccountUnlinked => "account_unlinked",
            Self::EmployeeChanged => "employee_changed",
            Self::TerminalUnblocked => "terminal_unblocked",
            Self::TerminalEnrolled => "terminal_enrolled",
            Self::ContractChanged => "contract_changed",
            Self::BoundaryChanged => "boundary_changed",
        }
    }
}

/// One entry of a punch's history. Appended when the result is new or has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// When.
    pub judged_at: UtcMillis,
    /// The result from then on.
    pub result: PunchResult,
    /// Why it was judged.
    pub why: Why,
    /// By whom, as in [`super::Act::by`].
    pub by: String,
}

/// Whose a punch is, by the links of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's: no link counted for its date.
    Nobody,
    /// This employee's.
    Employee {
        /// Code, as it is now.
        code: String,
        /// Name, as it is now.
        name: String,
    },
    /// Somebody's who is not to be seen by the one who asks.
    Another,
}

/// A change of links that made a punch another one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoseChange {
    /// When.
    pub at: UtcMillis,
    /// By whom, as in [`super::Act::by`].
    pub by: String,
    /// Whose it was.
    pub from: Whose,
    /// Whose it was from then on.
    pub to: Whose,
}

/// Everything about one punch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PunchDetail {
    /// Its row.
    pub punch: Punch,
    /// The event's exact bytes.
    pub json: String,
    /// SHA-256 of these bytes, as the receipt says.
    pub digest: Digest,
    /// Server's clock less the terminal's when it was received, in milliseconds.
    pub clock_offset_ms: i64,
    /// Oldest first.
    pub history: Vec<Judgement>,
    /// What links have changed since it was received, oldest first.
    pub whose: Vec<WhoseChange>,
    /// The terminal as it is now.
    pub terminal: Terminal,
    /// The account as it is now.
    pub account: Account,
}

/// Half hours of a day.
pub const SLOTS: usize = 48;

/// How a day's punches lie over the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayFigures {
    /// Logons per half hour.
    pub logons: [u64; SLOTS],
    /// Logoffs per half hour.
    pub logoffs: [u64; SLOTS],
    /// Punches with an error per half hour.
    pub errors: [u64; SLOTS],
}

impl Default for DayFigures {
    fn default() -> Self {
        Self { logons: [0; SLOTS], logoffs: [0; SLOTS], errors: [0; SLOTS] }
    }
}

impl DayFigures {
    /// Adds punches of one kind to a half hour; one outside of the day is the day's last.
    pub(crate) fn add(&mut self, slot: i64, kind: EventKind, punches: u64, errors: u64) {
        let slot = usize::try_from(slot).unwrap_or(SLOTS).min(SLOTS - 1);
        let row = if kind == EventKind::Logon { &mut self.logons } else { &mut self.logoffs };
        row[slot] += punches;
        self.errors[slot] += errors;
    }
}

/// Numbers for the strip above the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Punches in the period.
    pub punches: u64,
    /// Of these, with an error.
    pub errors: u64,
    /// Punches of all times whose account is not linked (res=7).
    pub unlinked_punches: u64,
    /// Accounts these belong to.
    pub unlinked_accounts: u64,
    /// Active terminals.
    pub terminals: u64,
    /// Active terminals that were last heard of before the given time, or never.
    pub silent_terminals: u64,
    /// Terminals with a conflict mark.
    pub conflicts: u64,
    /// Events waiting on PCs at their last contact.
    pub waiting_events: u64,
}

/// Punches.
#[async_trait]
pub trait Punches: Send + Sync {
    /// A page of at most `limit` punches of people in the scope, newest first, at the beginning or beside a punch.
    async fn list_punches(
        &self,
        scope: Scope,
        filter: PunchFilter,
        at: Option<Beside<PageKey>>,
        limit: usize,
    ) -> Answer<PunchPage>;
    /// One punch with everything that belongs to it.
    async fn punch(&self, scope: Scope, terminal: TerminalId, sequence: u64) -> Answer<Option<PunchDetail>>;
    /// How many punches the filter leaves, at most `limit`: whoever gets `limit` knows that there are that many or more.
    async fn count_punches(&self, scope: Scope, filter: PunchFilter, limit: usize) -> Answer<u64>;
    /// The punches of the day that begins at `from`, a full or half hour, by half hours. Meant for today: of more than
    /// one person they are kept as sums, for forty days.
    async fn day_figures(&self, scope: Scope, from: UtcMillis) -> Answer<DayFigures>;
    /// Counts, with `from..until` as the period and `silent_before` as the border of silence.
    /// Below the whole contract only the period is counted, and everything else is 0.
    async fn summary(
        &self,
        scope: Scope,
        from: UtcMillis,
        until: UtcMillis,
        silent_before: UtcMillis,
    ) -> Answer<Summary>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_key_survives_its_text_form() {
        let key =
            PageKey { occurred_at: UtcMillis(-5), terminal: TerminalId::from_random([3; 16]), sequence: 42 };
        assert_eq!(PageKey::parse(&key.to_string()), Some(key));
    }

    #[test]
    fn what_is_no_page_key_is_refused() {
        let terminal = TerminalId::from_random([3; 16]);
        for bad in
            ["", "1", "1_2", "x_2_3", &format!("1_-2_{terminal}"), &format!("1_{}_{terminal}", u64::MAX)]
        {
            assert_eq!(PageKey::parse(bad), None, "{bad:?}");
        }
    }
}
