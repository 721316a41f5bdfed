//! Retention: months of the log whose time is over are retired, where somebody has switched that on, and stay provable.
//!
//! A month goes in steps, each of which is a transaction: [`Retention::check_month`] reads all of it back and compares it
//! with its closed head; [`Retention::retire_month`] decides, and writes what goes into the audit log; then
//! [`Retention::empty_month`] takes events out, some at a time. A crash between any two leaves a month that the next call
//! goes on with.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::{TerminalId, UtcMillis};

use super::{Act, Answer, LogFault, SignedHead, Tree};
use crate::retention::days_of;
use crate::{ContractId, EmployeeId, HoldId};

/// Days on which the server must have been running lately, by its own clock, before it deletes anything: a clock that was
/// set years ahead makes everything old at once, and somebody shall see that first.
pub const CLOCK_TRIED_DAYS: u64 = 7;

/// Longest reason of a hold, in characters.
pub const HOLD_REASON_CHARS_MAX: usize = 500;

/// A hold that is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Whom it is about; absent for the whole contract. It keeps whole months in any case.
    pub employee: Option<EmployeeId>,
    /// First day it is about; absent when it has no beginning.
    pub from: Option<Date>,
    /// Last day it is about; absent when it has no end.
    pub to: Option<Date>,
    /// Why.
    pub reason: String,
}

/// 保存延長, 訴訟ホールド: while it stands, nothing is deleted of the days it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its identity.
    pub id: HoldId,
    /// What was set.
    pub data: NewHold,
    /// Code and name of the employee, as they are now.
    pub employee: Option<(String, String)>,
    /// When it was set.
    pub set_at: UtcMillis,
    /// Who set it.
    pub set_by: String,
    /// When it was released, and by whom; absent while it stands.
    pub released: Option<(UtcMillis, String)>,
}

impl Hold {
    /// Whether it keeps something of these days.
    #[must_use]
    pub fn touches(&self, first: Date, last: Date) -> bool {
        self.released.is_none()
            && self.data.from.is_none_or(|from| from <= last)
            && self.data.to.is_none_or(|to| to >= first)
    }
}

/// A month that was retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredMonth {
    /// `YYYY-MM`, of receipt.
    pub month: String,
    /// The month's tree, which stays.
    pub tree: Tree,
    /// Events it had.
    pub events: u64,
    /// First and last day they speak about, the month itself included.
    pub days: (Date, Date),
    /// When it was retired.
    pub retired_at: UtcMillis,
    /// When the last of its events was gone; absent while they are being deleted.
    pub emptied_at: Option<UtcMillis>,
}

impl RetiredMonth {
    /// Whether a date is one of the month's own.
    #[must_use]
    pub fn is_of(&self, date: Date) -> bool {
        days_of(&self.month).is_some_and(|(first, last)| (first..=last).contains(&date))
    }
}

/// A month that is still whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMonth {
    /// `YYYY-MM`, of receipt.
    pub month: String,
    /// Whether its log is closed: nothing more can come into it, and its head says everything.
    pub closed: bool,
    /// Whether there is an event in it.
    pub has_events: bool,
}

/// The months of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetentionMonths {
    /// Those that are gone, oldest first.
    pub retired: Vec<RetiredMonth>,
    /// Those that are there, oldest first.
    pub kept: Vec<KeptMonth>,
}

/// Numbers of one terminal that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredNumbers {
    /// The terminal.
    pub terminal: TerminalId,
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// When the earliest and the latest of these events happened, by their own word.
    pub at: (UtcMillis, UtcMillis),
}

/// Numbers of a terminal that were retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredRange {
    /// Which, and when their events happened.
    pub numbers: RetiredNumbers,
    /// The month of their receipt, `YYYY-MM`.
    pub month: String,
    /// When it was retired.
    pub retired_at: UtcMillis,
}

/// A month that was read back and is what its head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedMonth {
    /// The contract.
    pub contract: ContractId,
    /// Its code.
    pub code: String,
    /// The month's closed head. Who signed it is for the caller to say, who has the key.
    pub head: SignedHead,
    /// The tree of the month before; absent in the first one.
    pub previous: Option<Tree>,
    /// Its events.
    pub events: u64,
    /// First and last day they speak about, the month itself included.
    pub days: (Date, Date),
    /// Their numbers, by terminal, in ranges.
    pub numbers: Vec<RetiredNumbers>,
}

/// What came of reading a month back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MonthCheck {
    /// It is whole and closed.
    Whole(Box<CheckedMonth>),
    /// It is not closed, has no event, or is retired already.
    Nothing,
    /// What is stored is not what was signed: it must not go, it is what shows that.
    Broken(LogFault),
}

/// What became of a month that was to be retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retirement {
    /// It is retired; its events may be taken out.
    Retired,
    /// It had been already.
    RetiredBefore,
    /// Nobody has switched deletion on, or somebody has switched it off.
    SwitchedOff,
    /// A hold that stands is about its days.
    Held,
    /// Its time is not over before this day; never when absent.
    NotDue(Option<Date>),
    /// The server has not run on enough days lately, see [`CLOCK_TRIED_DAYS`].
    ClockUntried,
    /// Its log is not closed with the head that was checked.
    NotClosed,
}

/// What was taken out of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emptying {
    /// Events.
    pub events: u64,
    /// Where to go on; absent when nothing is left.
    pub next: Option<u64>,
}

/// Retention.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Sets a hold.
    async fn set_hold(&self, contract: ContractId, new: NewHold, act: Act) -> Answer<HoldId>;
    /// Releases a hold; one that was released stays as it was.
    async fn release_hold(&self, contract: ContractId, hold: HoldId, act: Act) -> Answer<()>;
    /// All holds, the standing ones first, then the newest first.
    async fn list_holds(&self, contract: ContractId) -> Answer<Vec<Hold>>;
    /// The months of a contract.
    async fn retention_months(&self, contract: ContractId) -> Answer<RetentionMonths>;
    /// Reads a month back and compares it with its head. Reads every event of it.
    async fn check_month(&self, contract: ContractId, month: String) -> Answer<MonthCheck>;
    /// Retires a month that was checked, when it is due by `act.at`, and notes it in the audit log. Its events are still
    /// there, and may go from now on.
    async fn retire_month(&self, checked: CheckedMonth, act: Act) -> Answer<Retirement>;
    /// Takes at most `limit` events out of a retired month, from leaf `from` on, with all that was made of them.
    async fn empty_month(
        &self,
        contract: ContractId,
        month: String,
        from: u64,
        limit: usize,
        act: Act,
    ) -> Answer<Emptying>;
    /// The months that are retired, oldest first.
    async fn retired_months(&self, contract: ContractId) -> Answer<Vec<RetiredMonth>>;
}
