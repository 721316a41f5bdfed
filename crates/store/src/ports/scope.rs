//! Whose attendance a question is about.
//!
//! The widest scope is a contract, and every scope names its contract, so that no question reaches beyond it. A
//! punch belongs to the employee to whom its account is linked on the punch's date; one that belongs to nobody
//! is seen by scopes of a whole contract only. A department counts with everything that stands below it now:
//! who changes departments takes their record along.

use crate::{ContractId, DepartmentId, EmployeeId};

/// The people of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// Everybody, and what belongs to nobody yet.
    Everybody,
    /// Those of a department and of all below it.
    Below(DepartmentId),
    /// One employee.
    One(EmployeeId),
}

/// A contract, and the people of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The contract.
    pub contract: ContractId,
    /// The people.
    pub people: People,
}

impl Scope {
    /// Whether it is the whole contract.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.people == People::Everybody
    }
}

impl From<ContractId> for Scope {
    fn from(contract: ContractId) -> Self {
        Self { contract, people: People::Everybody }
    }
}
