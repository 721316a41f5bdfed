//! What employees say about their own days.
//!
//! A remark changes no event and no result. It stands beside them, dated, with whoever wrote it, and its text is in the
//! audit log and so in the evidence log. It can be withdrawn, never changed or removed.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Act, Answer, Scope};
use crate::{ContractId, EmployeeId, RemarkId};

/// Longest text of a remark, in characters.
pub const REMARK_CHARS_MAX: usize = 500;

/// Remarks on one day of one employee, the withdrawn ones included.
pub const REMARKS_PER_DAY_MAX: usize = 20;

/// Latest end of an interval, in minutes after midnight of its date: the end of the next day.
pub const REMARK_MINUTES_MAX: u16 = 2_880;

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
}

/// Remarks.
#[async_trait]
pub trait Remarks: Send + Sync {
    /// Makes a remark; refused as too many beyond [`REMARKS_PER_DAY_MAX`].
    async fn add_remark(&self, contract: ContractId, new: NewRemark, act: Act) -> Answer<RemarkId>;
    /// Withdraws a remark of this employee. Withdrawing it again changes nothing.
    async fn withdraw_remark(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        remark: RemarkId,
        act: Act,
    ) -> Answer<()>;
    /// Remarks on an employee's days between two dates, both included, by day and interval, the withdrawn ones too;
    /// none of an employee outside the scope.
    async fn list_remarks(
        &self,
        scope: Scope,
        employee: EmployeeId,
        from: Date,
        to: Date,
    ) -> Answer<Vec<Remark>>;
    /// Which of these days have a remark that holds.
    async fn remarked_days(
        &self,
        contract: ContractId,
        days: Vec<(EmployeeId, Date)>,
    ) -> Answer<Vec<(EmployeeId, Date)>>;
}
