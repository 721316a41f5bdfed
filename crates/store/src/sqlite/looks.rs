//! Who has looked at an employee's record and taken it along, for the employee.
//!
//! The audit log names an employee by the code of that moment. A code may have been somebody else's before: what was done to
//! their record is nobody's business who has the code now. An entry that adds or changes an employee stands under the code
//! that they had until then and names their id, so that the newest one about another id ends what is shown. What was done
//! under an earlier code of the same employee is not found from the present one, and is left to those who see the whole log.

use mngntime_ledger::audit::{CHANGE_EMPLOYEE, EmployeeNoted};

use super::{Work, audit, rows};
use crate::ports::{AuditFilter, AuditKey, AuditPage, Beside};
use crate::sql::{Connection, params};
use crate::{ContractId, EmployeeId};

/// Looks, downloads of one employee, and answers to what they said.
const LOOKS: [&str; 5] =
    ["view_record", "export_days", "export_evidence", "export_own_record", "read_remark"];

/// Entries that say whose a code was; who was changed more often is shown what came after as many.
const HOLDERS_MAX: usize = 1_000;

/// Whose a code was, the newest first: within what was done to one code, and never further.
const HOLDERS: &str = "SELECT id, action, detail FROM audit INDEXED BY audit_by_object
    WHERE contract_id = ?1 AND object = ?2 AND action IN ('add_employee', 'change_employee')
    ORDER BY at DESC, id DESC LIMIT ?3";

/// A page of looks, the newest first.
pub(super) fn looks_at(
    connection: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    at: Option<&Beside<AuditKey>>,
    limit: usize,
) -> Work<AuditPage> {
    let code = "SELECT code FROM employees WHERE contract_id = ?1 AND id = ?2";
    let code =
        rows::one(connection, code, params![contract.0, employee.0.as_bytes()], |row| Ok(row.get(0)?))?;
    let Some(code): Option<String> = code else { return Ok(AuditPage::empty()) };
    let object = format!("employee {code}");
    let filter = AuditFilter {
        actions: LOOKS.map(str::to_owned).to_vec(),
        above: not_theirs(connection, contract, employee, &object)?,
        objects: vec![object],
        ..AuditFilter::default()
    };
    audit::search(connection, Some(contract), &filter, at, limit)
}

/// The number of the newest entry of when the code was somebody else's.
fn not_theirs(
    connection: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    object: &str,
) -> Work<Option<i64>> {
    let params = params![contract.0, object, rows::column(HOLDERS_MAX as u64)];
    let entries = rows::all(connection, HOLDERS, params, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let theirs = employee.0.to_string();
    let is_theirs = |action: &str, detail: &str| match serde_json::from_str::<EmployeeNoted>(detail) {
        Ok(told) => told.id == theirs,
        // Of before entries named ids: whoever was added then may be anybody.
        Err(_) => action == CHANGE_EMPLOYEE,
    };
    let others = entries.iter().find(|(_, action, detail)| !is_theirs(action, detail));
    let cut = entries.last().filter(|_| entries.len() == HOLDERS_MAX);
    Ok(others.or(cut).map(|(number, ..)| *number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;

    #[test]
    fn whose_a_code_was_is_read_from_what_was_done_to_that_code_alone() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {HOLDERS}")).unwrap();
        let lines = plan.query_map((1, "employee x", 5), |row| row.get::<_, String>(3)).unwrap();
        let lines: Vec<String> = lines.map(Result::unwrap).collect();
        let wanted = "SEARCH audit USING INDEX audit_by_object (contract_id=? AND object=?)";
        assert_eq!(lines, [wanted], "in the order of the index");
    }
}
