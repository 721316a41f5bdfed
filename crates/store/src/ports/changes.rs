//! Changing whom an account belongs to, with a look at the consequences first.
//!
//! Nothing is undone by removing: a hand-over, a stay elsewhere, an end and a mistake are all further dated facts, and
//! each can be answered by another one.

use async_trait::async_trait;
use jiff::civil::Date;

use super::{Act, Answer, Link, LinkRequest, NewEmployee};
use crate::judge::LinkSpan;
use crate::{AccountId, ContractId, EmployeeId, LinkId};

/// A change of one account's links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkChange {
    /// From `from` to `to` the account is this employee's (a PC handed over; a stay elsewhere, when `to` is given).
    /// Links of these dates give way; what they say of later dates goes on after `to`.
    Assign {
        /// Whose it is.
        employee: EmployeeId,
        /// First date.
        from: Date,
        /// Last date; open when absent.
        to: Option<Date>,
    },
    /// The link ends after this date.
    End {
        /// The link.
        link: LinkId,
        /// Its last date.
        last: Date,
    },
    /// The link was wrong from the beginning.
    Void {
        /// The link.
        link: LinkId,
    },
}

/// What a change does to one employee's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedDays {
    /// The employee's code.
    pub code: String,
    /// The employee's name.
    pub name: String,
    /// Punches they get.
    pub gains: u64,
    /// Punches they lose.
    pub loses: u64,
    /// The dates on which that is.
    pub days: Vec<Date>,
}

/// What judging stored punches again has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejudged {
    /// Punches with another result.
    pub results: u64,
    /// Punches that became another employee's and kept their result.
    pub moved: u64,
}

impl std::ops::AddAssign for Rejudged {
    fn add_assign(&mut self, more: Self) {
        self.results += more.results;
        self.moved += more.moved;
    }
}

/// What a change would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangePreview {
    /// Punches that get another result, and punches that become another employee's.
    pub rejudged: Rejudged,
    /// Of those with another result, those that become errors (res=7).
    pub errors: u64,
    /// Of these, those whose error goes away.
    pub cured: u64,
    /// Employees whose days change, by code.
    pub employees: Vec<ChangedDays>,
}

/// What one wanted link would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkPreview {
    /// Punches whose error goes away.
    pub punches: u64,
    /// Dates on which they are.
    pub days: u64,
    /// The first and the last of these; absent without punches.
    pub span: Option<(Date, Date)>,
    /// Waiting punches of the link's dates on which the employee is not employed: they keep their error.
    pub outside: u64,
}

/// A link with its employee's dates: everything that decides whose a punch of a date is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInFull {
    /// The link.
    pub link: Link,
    /// First date of employment; open when absent.
    pub employed_from: Option<Date>,
    /// Last date of employment; open when absent.
    pub employed_to: Option<Date>,
}

impl LinkInFull {
    /// Its dates.
    #[must_use]
    pub fn span(&self) -> LinkSpan {
        let (employed_from, employed_to) = (self.employed_from, self.employed_to);
        let link = &self.link;
        LinkSpan { employee: link.employee, from: link.from, to: link.to, employed_from, employed_to }
    }
}

/// Changing links.
#[async_trait]
pub trait Changes: Send + Sync {
    /// What [`Self::change_links`] would do.
    async fn preview_change(
        &self,
        contract: ContractId,
        account: AccountId,
        change: LinkChange,
    ) -> Answer<ChangePreview>;
    /// Makes the change and judges the account's stored punches again; returns what that has changed.
    async fn change_links(
        &self,
        contract: ContractId,
        account: AccountId,
        change: LinkChange,
        act: Act,
    ) -> Answer<Rejudged>;
    /// What [`super::People::change_employee`] would do to stored punches.
    async fn preview_employee(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        data: NewEmployee,
    ) -> Answer<ChangePreview>;
    /// The links of each account that count, oldest first, in order of the accounts.
    async fn links_in_full(
        &self,
        contract: ContractId,
        accounts: Vec<AccountId>,
    ) -> Answer<Vec<Vec<LinkInFull>>>;
    /// What each of the wanted links would do, in order.
    async fn preview_each_link(
        &self,
        contract: ContractId,
        requests: Vec<LinkRequest>,
    ) -> Answer<Vec<LinkPreview>>;
}
