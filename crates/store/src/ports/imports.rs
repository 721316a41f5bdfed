//! Files with links or employees: looked at first, then taken in.
//!
//! A file is checked line by line against what is stored and against its own earlier lines, by the same code in the dry
//! run and when it is taken in. What is stored already is no error and is not written again, so a file may be taken in
//! twice.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Act, Answer, DepartmentProblem, Directory, DirectoryField, NewEmployee};
use crate::giving_way::Rest;
use crate::{AdministratorId, ContractId, ImportId};

/// Links of one file at most: a roll-out's whole list. Such a file over accounts with 200,000 waiting punches is looked at in
/// less than a second; taking it in goes by pieces, between which others write.
pub const LINK_LINES_MAX: usize = 10_000;

/// Employees of one file at most: a large company's whole list. Writing it takes some seconds, in which nothing else is
/// written.
pub const EMPLOYEE_LINES_MAX: usize = 10_000;

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

/// Which columns a file of employees has, beside code and name. One that it lacks says nothing of anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EmployeeColumns {
    /// フリガナ
    pub kana: bool,
    /// 所属
    pub department: bool,
    /// 入社日
    pub from: bool,
    /// 退職日
    pub to: bool,
    /// UPN
    pub upn: bool,
    /// SID
    pub sid: bool,
}

impl EmployeeColumns {
    /// A file that says everything.
    pub const ALL: Self = Self { kana: true, department: true, from: true, to: true, upn: true, sid: true };

    /// `line`, with what the file says nothing of as it is `known`.
    #[must_use]
    pub fn filled(self, line: &NewEmployee, known: &NewEmployee) -> NewEmployee {
        let (kana, department) = (
            if self.kana { &line.kana } else { &known.kana },
            if self.department { &line.department } else { &known.department },
        );
        let (upn, sid) = (
            if self.upn { &line.directory.upn } else { &known.directory.upn },
            if self.sid { &line.directory.sid } else { &known.directory.sid },
        );
        NewEmployee {
            code: line.code.clone(),
            name: line.name.clone(),
            kana: kana.clone(),
            department: department.clone(),
            active_from: if self.from { line.active_from } else { known.active_from },
            active_to: if self.to { line.active_to } else { known.active_to },
            directory: Directory { upn: upn.clone(), sid: sid.clone() },
        }
    }
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
    /// The link's last date lies before its first.
    DatesReversed,
    /// The same of an employment.
    EmploymentReversed,
    /// Its department means none, or more than one: what it says, and why.
    Department(String, DepartmentProblem),
    /// Its UPN or SID is somebody else's: of the employee with this code, as it is stored or as an earlier line says.
    Held(DirectoryField, String),
}

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFate {
    /// It is added.
    New,
    /// It replaces what is known of an employee.
    Changed(Box<EmployeeChange>),
    /// It is added; the link of somebody who is employed on none of its dates gives way.
    HandedOver {
        /// Code of that employee.
        code: String,
        /// What stays of their link.
        rest: Rest,
    },
    /// It is there already.
    Unchanged,
    /// It cannot be taken in.
    Wrong(LineProblem),
}

/// What is known of an employee, and what would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmployeeChange {
    /// Now.
    pub before: NewEmployee,
    /// After the file has been taken in.
    pub after: NewEmployee,
}

/// What judging stored punches again changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejudging {
    /// Punches that become errors (res=7).
    pub errors: u64,
    /// Punches whose error goes away.
    pub cured: u64,
}

impl Rejudging {
    /// Punches that get another result.
    #[must_use]
    pub fn changed(self) -> u64 {
        self.errors.saturating_add(self.cured)
    }
}

/// What taking a file in would do: the lines that can be taken in, whatever the others are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportPreview {
    /// The fate of each line, in order.
    pub fates: Vec<LineFate>,
    /// What becomes of stored punches.
    pub rejudging: Rejudging,
    /// What else becomes of them when the departments are made that lines of employees lack, and nothing else.
    pub with_departments: Rejudging,
    /// Employees that are added, as they will be stored, by the place of their line.
    pub made: BTreeMap<usize, NewEmployee>,
    /// Codes of employees that differ from the one that a line adds in the case of letters only, by the place of the line.
    pub alike: BTreeMap<usize, String>,
    /// Whom each line of links means, in order; nothing of employees.
    pub subjects: Vec<LinkSubject>,
}

/// Whom a line of links means, as far as both are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkSubject {
    /// `DOMAIN\name` of the account.
    pub account: Option<String>,
    /// Name of the employee.
    pub employee: Option<String>,
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
    /// What would become of each line, and of stored punches.
    async fn check_links(&self, contract: ContractId, lines: Vec<LinkLine>) -> Answer<ImportPreview>;
    /// Makes the links: all, or none when a line is wrong; with `right_only`, those that can be made. A long file is written in
    /// pieces: what others do between them can make a line wrong that was not, and that line alone is left out.
    async fn import_links(
        &self,
        contract: ContractId,
        lines: Vec<LinkLine>,
        right_only: bool,
        act: Act,
    ) -> Answer<ImportOutcome>;
    /// What would become of each line on `today`, when no department is made, and of stored punches. What `columns` lack
    /// stays as it is.
    async fn check_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        columns: EmployeeColumns,
        today: Date,
    ) -> Answer<ImportPreview>;
    /// Adds and changes employees: all, or none when a line is wrong; with `right_only`, those that can be. What
    /// `columns` lack stays as it is. With `new_departments`, unknown departments are no fault: they are made first, at
    /// the top of the tree.
    async fn import_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        columns: EmployeeColumns,
        right_only: bool,
        new_departments: bool,
        act: Act,
    ) -> Answer<ImportOutcome>;
}
