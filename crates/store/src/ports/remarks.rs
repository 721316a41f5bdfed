//! What employees say about their own days.
//!
//! A remark changes no event and no result. It stands beside them, dated, with whoever wrote it, and its text is in the
//! audit log and so in the evidence log. It can be withdrawn, never changed or removed. Whoever is responsible for the
//! person says once that they have read it; until then it is open.

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Act, Answer, Beside, Page, Scope};
use crate::{ContractId, EmployeeId, RemarkId};

/// Longest text of a remark, in characters.
pub const REMARK_CHARS_MAX: usize = 500;

/// Remarks on one day of one employee, the withdrawn ones included.
pub const REMARKS_PER_DAY_MAX: usize = 20;

/// Latest end of an interval, in minutes after midnight of its date: noon of the next day, the latest day boundary that a
/// contract can choose, to which a night lasts at most. Earlier versions took times up to 48:00, and those stay.
pub const REMARK_MINUTES_MAX: u16 = 2_160;

/// A remark to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRemark {
    /// On whose day.
    pub employee: EmployeeId,
    /// The day.
    pub date: Date,
    /// Beginning of the interval, in minutes after midnight of the day.
    pub from_minutes: u16,
    /// Its end, later than the beginning, at most [`REMARK_MINUTES_MAX`].
    pub to_minutes: u16,
    /// What is said, at most [`REMARK_CHARS_MAX`] characters.
    pub text: String,
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Identity in the store.
    pub id: RemarkId,
    /// What was entered.
    pub data: NewRemark,
    /// When it was made.
    pub made_at: UtcMillis,
    /// By whom, as in [`Act::by`].
    pub made_by: String,
    /// When it was withdrawn; absent while it holds.
    pub withdrawn_at: Option<UtcMillis>,
    /// That somebody responsible has read it; absent while nobody has.
    pub read: Option<RemarkReading>,
}

/// Somebody responsible has read a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemarkReading {
    /// When they said so.
    pub at: UtcMillis,
    /// Who, in the form that the audit log has too.
    pub by: String,
    /// What they answered, if they did.
    pub answer: Option<String>,
}

/// Which remarks a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemarkShow {
    /// Those that hold and that nobody has read.
    Open,
    /// All of them, the read and the withdrawn ones too.
    All,
}

/// What somebody said about the days of a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemarkCounts {
    /// Remarks that hold.
    pub holding: u64,
    /// Those among them that nobody has read.
    pub open: u64,
}

/// A remark with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRemark {
    /// The remark.
    pub remark: Remark,
    /// Code of the employee.
    pub employee_code: String,
    /// Name of the employee.
    pub employee_name: String,
    /// Department of the employee.
    pub department: Option<String>,
}

/// Place of a remark in a list of them, the newest first. Its text form goes into links and is opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemarkKey {
    /// When it was made.
    pub made_at: UtcMillis,
    /// The remark.
    pub remark: RemarkId,
}

impl RemarkKey {
    /// Reads the text form; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (made_at, remark) = text.split_once('_')?;
        Some(Self { made_at: UtcMillis(made_at.parse().ok()?), remark: RemarkId::parse(remark)? })
    }
}

impl fmt::Display for RemarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.made_at.0, self.remark)
    }
}

/// A page of remarks.
pub type ListedRemarks = Page<ListedRemark, RemarkKey>;

/// Remarks.
#[async_trait]
pub trait Remarks: Send + Sync {
    /// Makes a remark; refused as too many beyond [`REMARKS_PER_DAY_MAX`]. With an id that the form drew ([`RemarkId::of`])
    /// sending the form again makes no second one.
    async fn add_remark(
        &self,
        contract: ContractId,
        id: Option<RemarkId>,
        new: NewRemark,
        act: Act,
    ) -> Answer<RemarkId>;
    /// Withdraws a remark of this employee. Withdrawing it again changes nothing.
    async fn withdraw_remark(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        remark: RemarkId,
        act: Act,
    ) -> Answer<Remark>;
    /// Remarks on an employee's days between two dates, both included, by day and interval, the withdrawn ones too;
    /// none of an employee outside the scope.
    async fn list_remarks(
        &self,
        scope: Scope,
        employee: EmployeeId,
        from: Date,
        to: Date,
    ) -> Answer<Vec<Remark>>;
    /// Remarks of people in the scope, the newest first, at most `limit`, from the place `at`. Somebody may have read the one
    /// that a page of open ones lies beside: its place stays.
    async fn remark_page(
        &self,
        scope: Scope,
        show: RemarkShow,
        at: Option<Beside<RemarkKey>>,
        limit: usize,
    ) -> Answer<ListedRemarks>;
    /// How many open remarks there are of people in the scope, counted up to `limit`; without those about the dates of
    /// `except`, both included.
    async fn count_open_remarks(
        &self,
        scope: Scope,
        except: Option<(Date, Date)>,
        limit: usize,
    ) -> Answer<u64>;
    /// What each of them said about the dates from `from` to `to`, both included.
    async fn count_remarks(
        &self,
        contract: ContractId,
        employees: Vec<EmployeeId>,
        from: Date,
        to: Date,
    ) -> Answer<Vec<RemarkCounts>>;
    /// Says that a remark of somebody in the scope has been read, with an answer if there is one. Saying it again changes
    /// nothing. `reader` is whoever says it, when they are an employee: one's own remark is read by somebody else.
    async fn read_remark(
        &self,
        scope: Scope,
        remark: RemarkId,
        reader: Option<EmployeeId>,
        answer: Option<String>,
        act: Act,
    ) -> Answer<Remark>;
    /// Which of these days have a remark that holds.
    async fn remarked_days(
        &self,
        contract: ContractId,
        days: Vec<(EmployeeId, Date)>,
    ) -> Answer<Vec<(EmployeeId, Date)>>;
}
