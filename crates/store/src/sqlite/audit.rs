//! The audit log: one entry for each change, in the transaction of the change.

use rusqlite::{Connection, params};

use super::{Work, rows};
use crate::ContractId;
use crate::ports::{Act, AuditEntry};

/// Notes that `act.by` did `action` to `object`.
pub(super) fn note(
    tx: &Connection,
    contract: Option<ContractId>,
    action: &str,
    object: &str,
    detail: &str,
    act: &Act,
) -> Work<()> {
    rows::run(
        tx,
        "INSERT INTO audit (at, by_whom, contract_id, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![act.at.0, act.by, contract.map(|id| id.0), action, object, detail],
    )
    .map(drop)
}

/// Newest entries with numbers below `before`.
pub(super) fn list(
    connection: &Connection,
    contract: Option<ContractId>,
    before: Option<i64>,
    limit: usize,
) -> Work<Vec<AuditEntry>> {
    rows::all(
        connection,
        "SELECT id, at, by_whom, contract_id, action, object, detail FROM audit
         WHERE contract_id IS ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        params![contract.map(|id| id.0), before.unwrap_or(i64::MAX), rows::column(limit as u64)],
        |row| {
            Ok(AuditEntry {
                number: row.get(0)?,
                at: rows::millis(row, 1)?,
                by: row.get(2)?,
                contract: row.get::<_, Option<i64>>(3)?.map(ContractId),
                action: row.get(4)?,
                object: row.get(5)?,
                detail: row.get(6)?,
            })
        },
    )
}
