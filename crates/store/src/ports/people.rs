//! Accounts, employees, and which belongs to which.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Act, Answer, Directory, Scope, Sid};
use crate::{AccountId, ContractId, DepartmentId, EmployeeId, LinkId, local_date};

/// An OS account that has been seen in a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its identity in the store.
    pub id: AccountId,
    /// SID or Linux key.
    pub key: String,
    /// Domain, as last seen.
    pub domain: String,
    /// Name, as last seen.
    pub name: String,
    /// UPN, as last seen.
    pub upn: Option<String>,
    /// First receipt of a punch of it.
    pub first_seen_at: UtcMillis,
    /// Last receipt of a punch of it, to the hour.
    pub last_seen_at: UtcMillis,
    /// Its punches with res=7.
    pub waiting: u64,
    /// Date of the earliest of them: what a new link should begin with.
    pub waiting_since: Option<Date>,
    /// Its links, the void ones not included, oldest first.
    pub links: Vec<Link>,
}

impl Account {
    /// Whether punches wait that are later than the account was seen: those of a PC whose clock is ahead.
    #[must_use]
    pub fn waits_ahead(&self) -> bool {
        self.waiting_since.is_some_and(|since| self.seen() < since)
    }

    /// The date with which a new link is proposed to begin: that of the earliest punch that waits, but none that nobody has seen
    /// yet.
    #[must_use]
    pub fn waits_from(&self) -> Option<Date> {
        self.waiting_since.map(|since| since.min(self.seen()))
    }

    /// The date on which it was seen last, which is kept to the hour.
    fn seen(&self) -> Date {
        local_date(self.last_seen_at.plus(3_600_000))
    }

    /// Its key, where that is a SID.
    #[must_use]
    pub fn sid(&self) -> Option<Sid> {
        Sid::parse(&self.key)
    }
}

/// A name an account has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    /// Since when it was seen.
    pub seen_at: UtcMillis,
    /// Domain.
    pub domain: String,
    /// Name.
    pub name: String,
    /// UPN.
    pub upn: Option<String>,
}

/// Which accounts to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFilter {
    /// All.
    All,
    /// Those with punches that wait for a link.
    Waiting,
}

/// An account belongs to an employee, from a date to a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its identity.
    pub id: LinkId,
    /// The employee.
    pub employee: EmployeeId,
    /// The employee's code.
    pub employee_code: String,
    /// The employee's name.
    pub employee_name: String,
    /// First date.
    pub from: Date,
    /// Last date; open when absent.
    pub to: Option<Date>,
    /// When it was made.
    pub created_at: UtcMillis,
    /// By whom.
    pub created_by: String,
}

/// An employee to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEmployee {
    /// Code, unique in the contract.
    pub code: String,
    /// Name.
    pub name: String,
    /// Reading of the name.
    pub kana: Option<String>,
    /// Department: stored, its name; asked for, its code, `code name` or a name that no other has.
    pub department: Option<String>,
    /// First date of employment; open when absent.
    pub active_from: Option<Date>,
    /// Last date of employment; open when absent.
    pub active_to: Option<Date>,
    /// What a directory says of them.
    pub directory: Directory,
}

impl NewEmployee {
    /// Somebody of whom nothing else is known.
    #[must_use]
    pub fn named(code: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            name: name.into(),
            kana: None,
            department: None,
            active_from: None,
            active_to: None,
            directory: Directory::default(),
        }
    }
}

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employee {
    /// Identity in the store.
    pub id: EmployeeId,
    /// What was entered.
    pub data: NewEmployee,
    /// Which department that is; absent when there is none, and where several had the name before that was refused.
    pub department: Option<DepartmentId>,
}

impl Employee {
    /// Whether a directory says the account's SID of them.
    #[must_use]
    pub fn has_sid_of(&self, account: &Account) -> bool {
        let sid = account.sid();
        sid.is_some() && sid == self.data.directory.sid
    }

    /// Whether a directory says another SID of them than the account's.
    #[must_use]
    pub fn has_other_sid_than(&self, account: &Account) -> bool {
        self.data.directory.sid.is_some() && account.sid().is_some() && !self.has_sid_of(account)
    }
}

/// Whom to link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmployeeChoice {
    /// Somebody who is there already.
    Existing(EmployeeId),
    /// Somebody to be made. The same code twice in one request is one employee.
    New(NewEmployee),
}

/// One wanted link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    /// The account.
    pub account: AccountId,
    /// Whose it is.
    pub employee: EmployeeChoice,
    /// First date.
    pub from: Date,
    /// Last date; open when absent.
    pub to: Option<Date>,
}

/// What linking did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkOutcome {
    /// Links made.
    pub links: u64,
    /// Employees made.
    pub employees: u64,
    /// Stored punches whose result has changed.
    pub rejudged: u64,
}

/// How a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEnd {
    /// This is its last date.
    After(Date),
    /// It was wrong from the beginning and counts for no date.
    Void,
}

/// People.
#[async_trait]
pub trait People: Send + Sync {
    /// Accounts by domain and name, at most `limit`. Below the whole contract: those linked to somebody in the
    /// scope at any time, without other people's links and without waiting punches.
    async fn list_accounts(&self, scope: Scope, filter: AccountFilter, limit: usize) -> Answer<Vec<Account>>;
    /// One account.
    async fn account(&self, contract: ContractId, account: AccountId) -> Answer<Option<Account>>;
    /// The names an account has had, oldest first.
    async fn account_names(&self, contract: ContractId, account: AccountId) -> Answer<Vec<AccountName>>;
    /// Employees by code, at most `limit`, with codes after `after` when given.
    async fn list_employees(
        &self,
        scope: Scope,
        after: Option<String>,
        limit: usize,
    ) -> Answer<Vec<Employee>>;
    /// Adds an employee. Refused ([`Refusal::Held`](crate::Refusal::Held)) when somebody else has the UPN or the SID.
    async fn add_employee(&self, contract: ContractId, new: NewEmployee, act: Act) -> Answer<EmployeeId>;
    /// Replaces what is known of an employee, as [`Self::add_employee`] does; punches of linked accounts are judged again. Returns how many
    /// changed.
    async fn change_employee(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        data: NewEmployee,
        act: Act,
    ) -> Answer<u64>;
    /// How many stored punches [`Self::link_accounts`] would change.
    async fn preview_links(&self, contract: ContractId, requests: Vec<LinkRequest>) -> Answer<u64>;
    /// Makes all the links or none, and judges the accounts' stored punches again in the same transaction.
    async fn link_accounts(
        &self,
        contract: ContractId,
        requests: Vec<LinkRequest>,
        act: Act,
    ) -> Answer<LinkOutcome>;
    /// Ends a link and judges again; returns how many punches changed.
    async fn end_link(&self, contract: ContractId, link: LinkId, end: LinkEnd, act: Act) -> Answer<u64>;
}
