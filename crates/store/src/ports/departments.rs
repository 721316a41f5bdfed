//! Departments: a tree in each contract.
//!
//! Employees show their department's name as text; which department that is, stands beside it as an id. A
//! department is never deleted, only renamed and moved.

use async_trait::async_trait;

use super::{Act, Answer};
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
}

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
    /// Puts an employee into a department, or into none.
    async fn set_employee_department(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        department: Option<DepartmentId>,
        act: Act,
    ) -> Answer<()>;
}
