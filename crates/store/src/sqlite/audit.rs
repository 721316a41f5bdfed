//! The audit log: one entry for each change, in the transaction of the change.
//!
//! An entry of a contract is a leaf of its log, in the order of receipt with the events. What is of no contract (the
//! operator's) is in nobody's log: there is no tree for it.

use mngntime_ledger::Digest;
use mngntime_ledger::audit::AuditRecord;
use mngntime_ledger::leaf::AuditLeaf;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{Work, WorkError, contracts, log, rows};
use crate::ContractId;
use crate::ports::{Act, AuditEntry, LogFault};

/// Notes that `act.by` did `action` to `object`. `detail` is a JSON object.
pub(super) fn note(
    tx: &Connection,
    contract: Option<ContractId>,
    action: &str,
    object: &str,
    detail: &impl Serialize,
    act: &Act,
) -> Work<()> {
    let detail = to_raw_value(detail).map_err(|_| WorkError::Unreadable("a detail without a JSON form"))?;
    // Nothing is ever removed, and nobody else writes: the next number is free.
    let next = rows::one(tx, "SELECT coalesce(max(id), 0) + 1 FROM audit", [], |row| rows::number(row, 0))?;
    let number = next.ok_or(WorkError::Unreadable("the audit log's next number"))?;
    let code = contract.map(|id| contracts::code(tx, id)).transpose()?;
    let hash = code.map(|contract| {
        let (by, action, object) = (act.by.clone(), action.to_owned(), object.to_owned());
        digest(&AuditRecord {
            v: 1,
            contract,
            number,
            at: act.at.0,
            by,
            action,
            object,
            detail: detail.clone(),
        })
    });
    let hash = hash.transpose()?;
    rows::run(
        tx,
        "INSERT INTO audit (id, at, by_whom, contract_id, action, object, detail, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            rows::column(number),
            act.at.0,
            act.by,
            contract.map(|id| id.0),
            action,
            object,
            detail.get(),
            hash.as_ref().map(Digest::as_bytes),
        ],
    )?;
    contract.map_or(Ok(()), |contract| log::append_entry(tx, contract, act.at, number))
}

fn digest(record: &AuditRecord) -> Work<Digest> {
    let line = record.to_json().map_err(|_| WorkError::Unreadable("an entry without a JSON form"))?;
    Ok(Digest::of(line.as_bytes()))
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

/// Columns of [`Kept`], of the table `audit` under the name `a`.
pub(super) const KEPT: &str = "a.id, a.at, a.by_whom, a.action, a.object, a.detail, a.hash";

/// An entry as it is kept.
pub(super) struct Kept {
    number: u64,
    /// Absent when the detail is no JSON, which this program does not write.
    pub(super) record: Option<AuditRecord>,
    hash: Option<Vec<u8>>,
}

impl Kept {
    /// Reads [`KEPT`] from column `first` on.
    pub(super) fn read(row: &Row<'_>, first: usize, code: &str) -> Work<Self> {
        let number = rows::number(row, first)?;
        let text: String = row.get(first + 5)?;
        // White space around it would be dropped unseen.
        let detail = RawValue::from_string(text.clone()).ok().filter(|detail| detail.get() == text);
        let record = |detail| -> Work<AuditRecord> {
            Ok(AuditRecord {
                v: 1,
                contract: code.to_owned(),
                number,
                at: row.get(first + 1)?,
                by: row.get(first + 2)?,
                action: row.get(first + 3)?,
                object: row.get(first + 4)?,
                detail,
            })
        };
        Ok(Self { number, record: detail.map(record).transpose()?, hash: row.get(first + 6)? })
    }

    /// Its leaf's hash, after its line has been made and hashed anew.
    pub(super) fn checked(&self) -> Result<Digest, LogFault> {
        let changed = LogFault::ChangedEntry { number: self.number };
        let Some(record) = &self.record else { return Err(changed) };
        let Ok(digest) = digest(record) else { return Err(changed) };
        if self.hash.as_deref() != Some(digest.as_bytes().as_slice()) {
            return Err(changed);
        }
        AuditLeaf::of(&record.contract, self.number, record.at, digest).hash().map_err(|_| changed)
    }
}
