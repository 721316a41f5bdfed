//! What a person's days are made of: their accounts, the terminals they used, and the events there.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{Bounds, PunchResult, TerminalId, UtcMillis};

use super::{Answer, Employee, Page, RetiredRange, Scope, Terminal, Unattended};
use crate::{AccountId, ContractId, EmployeeId};

/// An account that belonged to the person on some dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonLink {
    /// The account.
    pub account: AccountId,
    /// SID or Linux key.
    pub key: String,
    /// First date.
    pub from: Date,
    /// Last date; open when absent.
    pub to: Option<Date>,
}

/// An event, as far as days are told by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayEvent {
    /// Its number.
    pub sequence: u64,
    /// Its bytes.
    pub json: String,
    /// When it arrived.
    pub received_at: UtcMillis,
    /// 再送.
    pub resent: bool,
    /// Server's clock less the terminal's, in milliseconds.
    pub clock_offset_ms: i64,
}

/// A terminal that the person used, with its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonTerminal {
    /// The terminal.
    pub terminal: Terminal,
    /// The person's first and last punch there that was looked at.
    pub used: (UtcMillis, UtcMillis),
    /// The first and the last number read. Of numbers between them that are not in `events` nothing is stored.
    pub numbers: (u64, u64),
    /// Events by number: all between `numbers`, and single ones of the person's outside.
    pub events: Vec<DayEvent>,
    /// Numbers that were retired, in order.
    pub retired: Vec<RetiredRange>,
    /// Whether all that was wanted was read.
    pub whole: bool,
}

/// What the days of a person are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// First and last date of employment; each open when absent.
    pub employed: (Option<Date>, Option<Date>),
    /// Links, the void ones left out.
    pub links: Vec<PersonLink>,
    /// Terminals used in the time asked for and around it; else the nearest ones before and after.
    pub terminals: Vec<PersonTerminal>,
    /// Whether all terminals are there.
    pub whole: bool,
}

/// What somebody's punches of a time come to, without judging their days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Punched {
    /// On how many dates there is one. A logoff before the day boundary is of the date before: it ends the night of that.
    pub dates: usize,
    /// On how many dates, counted the same way, one has an error.
    pub error_dates: usize,
    /// On how many dates beside these there is one with an error before or after the person's employment.
    pub outside_dates: usize,
    /// 推定: how many follow from other facts.
    pub inferred: u64,
}

/// People whose dates are summed up at once, at most.
pub const SUMMED_PEOPLE_MAX: usize = 1_000;

/// Dates that are summed up at once, at most: the longest month.
pub const SUMMED_DATES_MAX: i32 = 31;

/// A punch at an edge of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayEdge {
    /// When it happened; the earliest possible time, where only a range is known.
    pub at: UtcMillis,
    /// The range, where the time is not known as a point.
    pub bounds: Option<Bounds>,
    /// 推定: it follows from other facts.
    pub inferred: bool,
}

impl DayEdge {
    /// Whether the time was measured, and is no estimate.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.bounds.is_none() && !self.inferred
    }
}

/// What somebody's punches of one date come to, without judging the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySummary {
    /// The date that calendars in Tokyo show when the punches happened: a logoff after midnight is of the next one.
    pub date: Date,
    /// The first logon of the date, by [`DayEdge::at`].
    pub first_logon: Option<DayEdge>,
    /// 無人ログオン: nobody made the first logon; absent otherwise.
    pub unattended: Option<Unattended>,
    /// The last logoff of the date, by [`DayEdge::at`].
    pub last_logoff: Option<DayEdge>,
    /// How many punches there are.
    pub punches: u64,
    /// How many of them are 推定.
    pub inferred: u64,
    /// The results that are errors, in the order of their numbers, with how many punches each.
    pub errors: Vec<(PunchResult, u64)>,
}

/// Somebody's dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSummary {
    /// Who.
    pub employee: Employee,
    /// The dates with a punch, in order.
    pub days: Vec<DaySummary>,
}

/// One event of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDetail {
    /// The terminal.
    pub terminal: Terminal,
    /// Its number.
    pub sequence: u64,
    /// Its bytes.
    pub json: String,
    /// SHA-256 of them.
    pub digest: Digest,
    /// When it happened, by the terminal's clock; where that was years off, by the server's.
    pub occurred_at: UtcMillis,
    /// What the terminal's clock showed, where that was years off.
    pub stamped_at: Option<UtcMillis>,
    /// When it arrived.
    pub received_at: UtcMillis,
    /// 再送.
    pub resent: bool,
    /// Server's clock less the terminal's, in milliseconds.
    pub clock_offset_ms: i64,
    /// Whose account it was on its date; absent for what is of nobody.
    pub employee: Option<EmployeeId>,
}

/// Days of persons.
#[async_trait]
pub trait Days: Send + Sync {
    /// The employee with this code, when it is one of the scope's.
    async fn employee_by_code(&self, scope: Scope, code: String) -> Answer<Option<Employee>>;
    /// What the person's days from the first time to the second, not included, are made of.
    async fn person_record(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        span: (UtcMillis, UtcMillis),
    ) -> Answer<PersonRecord>;
    /// The punches of each of them between the first time and the second, not included. A logoff before the day boundary counts
    /// on the date by which its punch is judged: that of the evening, where it ends a night.
    async fn punched(
        &self,
        contract: ContractId,
        employees: Vec<EmployeeId>,
        span: (UtcMillis, UtcMillis),
        boundary_minutes: u32,
    ) -> Answer<Vec<Punched>>;
    /// What the punches of the scope's people come to, for each date from the first to the last, both included: of the
    /// people behind the code `after`, by code, at most `limit` and [`SUMMED_PEOPLE_MAX`]; of [`SUMMED_DATES_MAX`] dates at
    /// most, the first ones.
    ///
    /// It is a summary of what is recorded, and judges nothing: a punch counts by its own date in Tokyo, also where it ends
    /// the night of the day before. It is a person's while its account was theirs and they were employed. Of a month that
    /// was retired nothing is left to sum up.
    async fn day_summaries(
        &self,
        scope: Scope,
        after: Option<String>,
        limit: usize,
        dates: (Date, Date),
    ) -> Answer<Page<PersonSummary, String>>;
    /// One event of any kind. In a scope that is not the whole contract: when its account was, on that date, of one of
    /// the scope's people.
    async fn event(&self, scope: Scope, terminal: TerminalId, sequence: u64) -> Answer<Option<EventDetail>>;
}
