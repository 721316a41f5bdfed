//! Accounts and employees as lists that are paged, searched and counted in the database.
//!
//! A page begins behind a key, never at a number of rows, so that the last page costs what the first one does.
//! What a person typed is matched as typed and with its full-width letters and digits made narrow.

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Account, Answer, Beside, Employee, NamedTerminal, Page, Scope};
use crate::{AccountId, ContractId, EmployeeId, LinkId};

/// Which accounts a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountShow {
    /// All, those that wait for a link first.
    All,
    /// Those with punches that wait for a link.
    Waiting,
    /// Linked today, and every such link has a last date.
    Limited,
    /// Linked once, and no more today.
    Ended,
}

/// Which employees a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmployeeShow {
    /// Who has not left.
    Active,
    /// Who has not left and has no account today.
    Alone,
    /// Who has left.
    Gone,
    /// Who has said something that holds about a day of the month asked about, wherever they are now.
    Remarked,
}

/// Where a page of accounts begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountKey {
    /// Whether the last account of the page before waited then: linking it must not move the place.
    pub waited: bool,
    /// That account.
    pub account: AccountId,
}

impl AccountKey {
    /// Reads the text form; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (waited, account) = text.split_once('.')?;
        let waited = match waited {
            "w" => true,
            "r" => false,
            _ => return None,
        };
        Some(Self { waited, account: AccountId::parse(account)? })
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", if self.waited { 'w' } else { 'r' }, self.account)
    }
}

/// One row of the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The account with its links.
    pub account: Account,
    /// PCs of its latest punches, at most [`HOSTS_MAX`].
    pub hosts: Vec<String>,
    /// Other accounts of the same name, under another key; counted up to [`SAME_NAMES_MAX`].
    pub same_names: u64,
}

/// Accounts of the same name that are counted at most.
pub const SAME_NAMES_MAX: u64 = 20;

/// Waiting accounts for which there is somebody to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuggestedAccounts {
    /// Each with who may be behind it, the surest first.
    pub rows: Vec<(AccountRow, Vec<Suggestion>)>,
    /// Waiting accounts that were looked at: the first of the list.
    pub looked_at: u64,
    /// Whether there are more that were not.
    pub more: bool,
}

/// Employees that a text may mean, found at most: more are counted.
pub const FOUND_MAX: usize = 20;

/// PC names given with an account at most.
pub const HOSTS_MAX: usize = 6;

/// How many accounts each tab has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountCounts {
    /// All.
    pub all: u64,
    /// As [`AccountShow::Waiting`].
    pub waiting: u64,
    /// Their punches.
    pub waiting_punches: u64,
    /// As [`AccountShow::Limited`].
    pub limited: u64,
    /// As [`AccountShow::Ended`].
    pub ended: u64,
}

/// One row of the list of employees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmployeeRow {
    /// The employee.
    pub employee: Employee,
    /// `DOMAIN\name` of the accounts linked today.
    pub accounts: Vec<String>,
    /// First logon of the day asked about; it may be one that goes on with the night of the day before.
    pub first: Option<UtcMillis>,
}

/// How many employees each tab has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EmployeeCounts {
    /// As [`EmployeeShow::Active`].
    pub active: u64,
    /// As [`EmployeeShow::Alone`].
    pub alone: u64,
    /// As [`EmployeeShow::Gone`].
    pub gone: u64,
    /// As [`EmployeeShow::Remarked`].
    pub remarked: u64,
}

/// A day, as its date and its interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// Its beginning.
    pub from: UtcMillis,
    /// The beginning of the next one.
    pub until: UtcMillis,
}

/// A link with everything that has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkHistory {
    /// Its identity.
    pub id: LinkId,
    /// The account.
    pub account: AccountId,
    /// `DOMAIN\name` as last seen.
    pub account_name: String,
    /// The employee.
    pub employee: EmployeeId,
    /// Their code.
    pub employee_code: String,
    /// Their name.
    pub employee_name: String,
    /// First date.
    pub from: Date,
    /// Last date; open when absent.
    pub to: Option<Date>,
    /// Whether it was wrong from the beginning and counts for no date.
    pub void: bool,
    /// When it was made.
    pub created_at: UtcMillis,
    /// By whom.
    pub created_by: String,
    /// When it was last shortened or made void.
    pub ended_at: Option<UtcMillis>,
    /// By whom.
    pub ended_by: Option<String>,
}

/// Why an employee is suggested for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The account's SID is what a directory says of the employee, or its whole UPN is.
    Directory,
    /// The account's name, or its UPN before the `@`, is the employee's code.
    Code,
    /// An account of the same name (another SID or domain) is or was linked to the employee.
    Earlier,
    /// A name that this account (the same SID) had before is the employee's code, or that of an account that is or was
    /// linked to the employee.
    Renamed,
    /// A part of the account's name is the employee's code.
    CodeWithin,
    /// The account's name reads like the employee's フリガナ.
    Reading,
    /// The account's name is a family name and an initial that fit the employee's フリガナ.
    Initial,
}

impl Reason {
    /// Every reason, the surest first.
    pub const ALL: [Self; 7] = [
        Self::Directory,
        Self::Code,
        Self::Earlier,
        Self::Renamed,
        Self::CodeWithin,
        Self::Reading,
        Self::Initial,
    ];

    /// Its word in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Code => "code",
            Self::Earlier => "earlier",
            Self::Renamed => "renamed",
            Self::CodeWithin => "code-within",
            Self::Reading => "reading",
            Self::Initial => "initial",
        }
    }
}

/// An employee who may be the one behind an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Whether nobody else fits the reason, nothing of the account's name had to be left out for that, and a directory says
    /// nothing against it: no other SID of the employee, nobody else for the account. Otherwise a person has to choose.
    pub sure: bool,
    /// Whether somebody has said of a link of these two that it was wrong from the beginning, and nobody has linked them
    /// since: such a pair is never sure.
    pub voided: bool,
    /// Why.
    pub reason: Reason,
    /// Who.
    pub employee: Employee,
}

/// Lists and searches.
#[async_trait]
pub trait Lists: Send + Sync {
    /// A page of accounts of a contract, in the order waiting, domain, name, at the beginning or beside one.
    async fn account_page(
        &self,
        contract: ContractId,
        show: AccountShow,
        search: String,
        at: Option<Beside<AccountKey>>,
        today: Date,
        limit: usize,
    ) -> Answer<Page<AccountRow, AccountKey>>;
    /// Counts of the tabs.
    async fn account_counts(&self, contract: ContractId, today: Date) -> Answer<AccountCounts>;
    /// Accounts that other accounts of the contract could be mistaken for: the same name under another key.
    async fn same_names(&self, contract: ContractId, account: AccountId) -> Answer<Vec<Account>>;
    /// A page of employees by code, at the beginning or beside a code.
    async fn employee_page(
        &self,
        scope: Scope,
        show: EmployeeShow,
        search: String,
        at: Option<Beside<String>>,
        day: Day,
        limit: usize,
    ) -> Answer<Page<EmployeeRow, String>>;
    /// Counts of the tabs, of those whom a search leaves.
    async fn employee_counts(&self, scope: Scope, search: String, today: Date) -> Answer<EmployeeCounts>;
    /// One employee of the scope.
    async fn employee(&self, scope: Scope, employee: EmployeeId) -> Answer<Option<Employee>>;
    /// Every link of an account, the void ones too, newest first.
    async fn links_of_account(&self, contract: ContractId, account: AccountId) -> Answer<Vec<LinkHistory>>;
    /// Every link of an employee of the scope, the void ones too, newest first.
    async fn links_of_employee(&self, scope: Scope, employee: EmployeeId) -> Answer<Vec<LinkHistory>>;
    /// Employees meant by a code, a name or `code name`: at most two, so that ambiguity shows.
    async fn find_employees(&self, scope: Scope, text: String) -> Answer<Vec<Employee>>;
    /// Accounts meant by `DOMAIN\name`, a name, a UPN, a key or an id: at most two.
    async fn find_accounts(&self, scope: Scope, text: String) -> Answer<Vec<Account>>;
    /// Terminals meant by a PC name or an id, of a narrower scope those with punches of its people only: at most
    /// [`NAMED_MAX`](super::NAMED_MAX), those in use and heard of last first.
    async fn find_terminals(&self, scope: Scope, text: String) -> Answer<Vec<NamedTerminal>>;
    /// Who may be behind each of these accounts, the surest first. Where several fit a reason, up to eight of them.
    async fn suggestions(
        &self,
        contract: ContractId,
        accounts: Vec<AccountId>,
        today: Date,
    ) -> Answer<Vec<Vec<Suggestion>>>;
    /// Accounts that wait and for which this reason suggests the surest one, at most `limit`.
    async fn suggested(
        &self,
        contract: ContractId,
        reason: Reason,
        today: Date,
        limit: usize,
    ) -> Answer<Vec<(Account, Employee)>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form() {
        let account = AccountId::parse("00000000-0000-7000-8000-000000000001").unwrap();
        for waited in [true, false] {
            let key = AccountKey { waited, account };
            assert_eq!(AccountKey::parse(&key.to_string()), Some(key));
        }
        for bad in ["", "w", "w.", "x.00000000-0000-7000-8000-000000000001", "w.1"] {
            assert_eq!(AccountKey::parse(bad), None, "{bad}");
        }
    }
}
