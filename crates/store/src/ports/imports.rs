//! Files with links or employees: looked at first, then taken in.
//!
//! A file is checked line by line against what is stored and against its own earlier lines, by the same code in the dry
//! run and when it is taken in. What is stored already is no error and is not written again, so a file may be taken in
//! twice.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Act, Answer, DepartmentProblem, NewEmployee};
use crate::{AdministratorId, ContractId, ImportId};

/// Lines of one file at most. Links are written with the judging of their accounts' punches, in one piece.
pub const IMPORT_LINES_MAX: usize = 1_000;

/// A wanted link, as a file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLine {
    /// Domain; may be empty.
    pub domain: String,
    /// User name; may be empty.
    pub user: String,
    /// SID or Linux key; may be empty.
    pub key: String,
    /// UPN; may be empty.
    pub upn: String,
    /// Code of the employee.
    pub employee: String,
    /// First date.
    pub from: Date,
    /// Last date; open when absent.
    pub to: Option<Date>,
}

/// Why a line cannot be taken in, as far as what is stored decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineProblem {
    /// No account fits.
    NoAccount,
    /// Several accounts fit.
    SeveralAccounts,
    /// No employee has the code.
    NoEmployee(String),
    /// The account is linked to somebody on some of the dates: code of that employee.
    Overlaps(String),
    /// An earlier line of the file says something else of the same account's dates or the same code.
    Contradicts(usize),
    /// The last date lies before the first.
    DatesReversed,
    /// Its department means none, or more than one: what it says, and why.
    Department(String, DepartmentProblem),
}

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFate {
    /// It is added.
    New,
    /// It replaces what is known.
    Changed,
    /// It is there already.
    Unchanged,
    /// It cannot be taken in.
    Wrong(LineProblem),
}

/// A file that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// `accounts` or `employees`.
    pub kind: String,
    /// Name of the encoding it came in.
    pub encoding: String,
    /// Its text.
    pub content: String,
}

/// What taking a file in did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOutcome {
    /// The fate of each line, in order.
    pub fates: Vec<LineFate>,
    /// Whether anything was written: not when a line is wrong and all were asked for.
    pub written: bool,
    /// Stored punches whose result has changed.
    pub rejudged: u64,
}

/// Taking files in.
#[async_trait]
pub trait Imports: Send + Sync {
    /// Keeps a file until it is decided about, and removes those from before `old`.
    async fn stage_import(
        &self,
        contract: ContractId,
        person: AdministratorId,
        file: StagedFile,
        at: UtcMillis,
        old: UtcMillis,
    ) -> Answer<ImportId>;
    /// A file that somebody of the contract has uploaded.
    async fn staged_import(&self, contract: ContractId, import: ImportId) -> Answer<Option<StagedFile>>;
    /// Removes a file.
    async fn drop_import(&self, contract: ContractId, import: ImportId) -> Answer<()>;
    /// What would become of each line.
    async fn check_links(&self, contract: ContractId, lines: Vec<LinkLine>) -> Answer<Vec<LineFate>>;
    /// Makes the links: all, or none when a line is wrong; with `right_only`, those that can be made.
    async fn import_links(
        &self,
        contract: ContractId,
        lines: Vec<LinkLine>,
        right_only: bool,
        act: Act,
    ) -> Answer<ImportOutcome>;
    /// What would become of each line on `today`, when no department is made.
    async fn check_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        today: Date,
    ) -> Answer<Vec<LineFate>>;
    /// Adds and changes employees: all, or none when a line is wrong; with `right_only`, those that can be. With
    /// `new_departments`, unknown departments are no fault: they are made first, at the top of the tree.
    async fn import_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        right_only: bool,
        new_departments: bool,
        act: Act,
    ) -> Answer<ImportOutcome>;
}
