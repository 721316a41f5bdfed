//! Departments: a tree in each contract.
//!
//! Employees show their department's name as text; which department that is, stands beside it as an id. A
//! department is never deleted, only renamed, moved and closed: with its last date over it takes nobody in any more,
//! and stays where it is, with its history and its people.
//!
//! A typed text means a department by its code, by `code name`, or by a name that no other has. What means none or
//! several is refused with what may have been meant: nobody comes below an approver by a slip or by a guess.

use async_trait::async_trait;
use jiff::civil::Date;

use super::{Act, Answer, Employee};
use crate::{ContractId, DepartmentId, EmployeeId};

/// A department to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDepartment {
    /// Code, unique in the contract.
    pub code: String,
    /// Name.
    pub name: String,
    /// What it stands below; absent at the top.
    pub parent: Option<DepartmentId>,
}

/// A department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Identity in the store.
    pub id: DepartmentId,
    /// What was entered.
    pub data: NewDepartment,
    /// Employees of the department itself, those who have left included.
    pub employees: u64,
    /// Its last date; absent while it has none.
    pub closed_on: Option<Date>,
}

impl Department {
    /// Whether its last date is over on `today`.
    #[must_use]
    pub fn is_closed(&self, today: Date) -> bool {
        self.closed_on.is_some_and(|last| last < today)
    }
}

/// A department as a person tells it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentPlace {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Names of what it stands below, from the top; empty at the top.
    pub above: Vec<String>,
}

/// Why a text means no department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepartmentProblem {
    /// None has it as its code or name. The nearest ones, best first; there may be none.
    Unknown(Vec<DepartmentPlace>),
    /// Several have it as their name.
    Several(Vec<DepartmentPlace>),
    /// The only one it means is closed since this date.
    Closed(Date),
}

/// How many departments a [`DepartmentProblem`] names at most.
pub const DEPARTMENTS_NAMED_MAX: usize = 5;

/// Departments.
#[async_trait]
pub trait Departments: Send + Sync {
    /// All departments of a contract by code.
    async fn list_departments(&self, contract: ContractId) -> Answer<Vec<Department>>;
    /// Makes one.
    async fn add_department(
        &self,
        contract: ContractId,
        new: NewDepartment,
        act: Act,
    ) -> Answer<DepartmentId>;
    /// Gives one another code and name; its employees show the new name.
    async fn rename_department(
        &self,
        contract: ContractId,
        department: DepartmentId,
        code: String,
        name: String,
        act: Act,
    ) -> Answer<()>;
    /// Puts one, with all below it, below another one or at the top; never below itself.
    async fn move_department(
        &self,
        contract: ContractId,
        department: DepartmentId,
        parent: Option<DepartmentId>,
        act: Act,
    ) -> Answer<()>;
    /// Closes one after its last date, or opens it again. Its people and what stands below it stay.
    async fn close_department(
        &self,
        contract: ContractId,
        department: DepartmentId,
        last: Option<Date>,
        act: Act,
    ) -> Answer<()>;
    /// Employees of the department itself by code, those who have left last, at most `limit`; with how many are still
    /// employed on `today`.
    async fn department_people(
        &self,
        contract: ContractId,
        department: DepartmentId,
        today: Date,
        limit: usize,
    ) -> Answer<(Vec<Employee>, u64)>;
    /// Puts an employee into a department, or into none.
    async fn set_employee_department(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        department: Option<DepartmentId>,
        act: Act,
    ) -> Answer<()>;
}
