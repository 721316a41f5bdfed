//! A scope as a condition of a query.

use crate::sql::Value;

use crate::ports::{Scope, ScopedPeople};

/// A department and everything below it. A ring, should one ever be stored, ends here all the same: `UNION`
/// takes each row once.
const BELOW: &str = "(WITH RECURSIVE below (id) AS (
    SELECT id FROM departments WHERE contract_id = ?1 AND id = ?
    UNION SELECT d.id FROM departments d JOIN below ON d.contract_id = ?1 AND d.parent_id = below.id
    ) SELECT id FROM below)";

/// The departments below a scope, with the value of its one `?`, in a query whose `?1` is the contract; nothing for
/// scopes that are not of departments.
pub(super) fn departments(scope: &Scope) -> Option<(&'static str, Value)> {
    match scope.people {
        ScopedPeople::Below(root) => Some((BELOW, Value::Blob(root.0.as_bytes().to_vec()))),
        ScopedPeople::Everybody | ScopedPeople::One(_) => None,
    }
}

/// What holds for the employee in `column`, with the value of its one `?`, in a query whose `?1` is the contract;
/// nothing for everybody.
pub(super) fn condition(scope: &Scope, column: &str) -> Option<(String, Value)> {
    let blob = |id: &uuid::Uuid| Value::Blob(id.as_bytes().to_vec());
    match scope.people {
        ScopedPeople::Everybody => None,
        ScopedPeople::Below(root) => Some((
            format!(
                "{column} IN (SELECT scoped.id FROM employees scoped WHERE scoped.contract_id = ?1
                 AND scoped.department_id IN {BELOW})"
            ),
            blob(&root.0),
        )),
        ScopedPeople::One(employee) => Some((format!("{column} = ?"), blob(&employee.0))),
    }
}
