//! The audit log: one entry for each change, in the transaction of the change.
//!
//! An entry of a contract is a leaf of its log, in the order of receipt with the events. What is of no contract (the
//! operator's) is in nobody's log: there is no tree for it. [`search`] reads; [`note_view`] notes looks at somebody's
//! record, at most one each hour.

use crate::sql::Value;
use crate::sql::{Connection, Params, Row, params, params_from_iter};
use async_trait::async_trait;
use mngntime_ledger::Digest;
use mngntime_ledger::audit::AuditRecord;
use mngntime_ledger::leaf::AuditLeaf;
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::{SqliteStore, Work, WorkError, contracts, log, looks, rows};
use crate::ports::{
    Act, Answer, AuditEntry, AuditFilter, AuditKey, AuditLog, AuditPage, AuditRow, Beside, LeafPlace,
    LogFault,
};
use crate::{ContractId, EmployeeId};

/// The action of [`note_view`].
const VIEW: &str = "view_record";

/// Milliseconds of the hour in which one look at a page is noted once.
const HOUR_MS: i64 = 3_600_000;

/// Hours for which it is remembered that a look was noted; only the present one matters.
const VIEW_HOURS_KEPT: i64 = 24;

/// Objects of one search: what one name can mean.
const OBJECTS_MAX: usize = 12;

#[async_trait]
impl AuditLog for SqliteStore {
    async fn search_audit(
        &self,
        contract: Option<ContractId>,
        filter: AuditFilter,
        at: Option<Beside<AuditKey>>,
        limit: usize,
    ) -> Answer<AuditPage> {
        self.read("search the audit log", move |connection| {
            search(connection, contract, &filter, at.as_ref(), limit)
        })
        .await
    }

    async fn looks_at(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        at: Option<Beside<AuditKey>>,
        limit: usize,
    ) -> Answer<AuditPage> {
        self.read("look for looks at a record", move |connection| {
            looks::looks_at(connection, contract, employee, at.as_ref(), limit)
        })
        .await
    }

    async fn note_with(
        &self,
        contract: Option<ContractId>,
        action: &'static str,
        object: String,
        detail: serde_json::Value,
        act: Act,
    ) -> Answer<()> {
        self.write("write the audit log", move |tx| note(tx, contract, action, &object, &detail, &act)).await
    }

    async fn note_hourly(
        &self,
        contract: ContractId,
        action: &'static str,
        object: &'static str,
        detail: serde_json::Value,
        act: Act,
    ) -> Answer<bool> {
        let hour = act.at.0.div_euclid(HOUR_MS) * HOUR_MS;
        let key = (contract.0, act.by.clone(), hour, action, object, detail.to_string());
        let again = key.clone();
        let known = self.read("look for a noted reading", move |connection| {
            rows::one(connection, NOTED, key, |_| Ok(()))
        });
        if known.await?.is_some() {
            return Ok(false);
        }
        self.write("note a reading", move |tx| {
            // Two requests may both have found nothing.
            if rows::one(tx, NOTED, again, |_| Ok(()))?.is_some() {
                return Ok(false);
            }
            note(tx, Some(contract), action, object, &detail, &act)?;
            Ok(true)
        })
        .await
    }

    async fn note_view(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        page: &'static str,
        act: Act,
    ) -> Answer<bool> {
        let by = act.by.clone();
        let known = self.read("look for a noted look", move |connection| {
            rows::one(connection, VIEWED, view_key(contract, &by, employee, page, act.at), |_| Ok(()))
        });
        if known.await?.is_some() {
            return Ok(false);
        }
        self.write("note a look at a record", move |tx| note_view(tx, contract, employee, page, &act)).await
    }
}

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

/// Whether somebody has done something since the hour began.
const NOTED: &str = "SELECT 1 FROM audit INDEXED BY audit_by_person
    WHERE contract_id = ?1 AND by_whom = ?2 AND at >= ?3 AND action = ?4 AND object = ?5 AND detail = ?6
    LIMIT 1";

const VIEWED: &str = "SELECT 1 FROM record_views
    WHERE contract_id = ?1 AND by_whom = ?2 AND employee_id = ?3 AND page = ?4 AND hour = ?5";

fn view_key(
    contract: ContractId,
    by: &str,
    employee: EmployeeId,
    page: &str,
    at: mngntime_model::UtcMillis,
) -> impl Params + use<> {
    let hour = Value::Integer(at.0.div_euclid(HOUR_MS));
    let (by, page) = (Value::Text(by.to_owned()), Value::Text(page.to_owned()));
    let employee = Value::Blob(employee.0.as_bytes().to_vec());
    params_from_iter([Value::Integer(contract.0), by, employee, page, hour])
}

fn note_view(
    tx: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    page: &str,
    act: &Act,
) -> Work<bool> {
    let code = "SELECT code FROM employees WHERE contract_id = ?1 AND id = ?2";
    let code = rows::one(tx, code, params![contract.0, employee.0.as_bytes()], |row| Ok(row.get(0)?))?;
    let Some(code): Option<String> = code else { return Ok(false) };
    let fresh = "INSERT INTO record_views (contract_id, by_whom, employee_id, page, hour)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    if rows::run(tx, fresh, view_key(contract, &act.by, employee, page, act.at))? == 0 {
        return Ok(false);
    }
    let past = act.at.0.div_euclid(HOUR_MS) - VIEW_HOURS_KEPT;
    rows::run(tx, "DELETE FROM record_views WHERE hour < ?1", [past])?;
    note(tx, Some(contract), VIEW, &format!("employee {code}"), &json!({ "page": page }), act)?;
    Ok(true)
}

/// The query of [`search`] with its values: the index is named, so that the plan never depends on what the planner
/// believes about the contract.
fn query(
    contract: Option<ContractId>,
    filter: &AuditFilter,
    at: Option<&Beside<AuditKey>>,
    limit: usize,
) -> (String, Vec<Value>) {
    // Of several actions the entries stand in the order of time only where all do.
    let index = match (&filter.by, filter.actions.len(), filter.objects.is_empty()) {
        (_, _, false) => "audit_by_object",
        (Some(_), _, true) => "audit_by_person",
        (None, 1, true) => "audit_by_action",
        (None, _, true) => "audit_by_time",
    };
    let mut values = vec![contract.map_or(Value::Null, |id| Value::Integer(id.0))];
    let mut conditions = rows::of_contract("contract_id", contract);
    let mut and = |condition: &str, more: Vec<Value>| {
        conditions.push_str(" AND ");
        conditions.push_str(condition);
        values.extend(more);
    };
    if !filter.objects.is_empty() {
        let objects: Vec<_> = filter.objects.iter().take(OBJECTS_MAX).cloned().map(Value::Text).collect();
        and(&format!("object IN ({})", vec!["?"; objects.len()].join(", ")), objects);
    }
    if let Some(by) = &filter.by {
        and("by_whom = ?", vec![Value::Text(by.clone())]);
    }
    match filter.actions.as_slice() {
        [] => {}
        [action] => and("action = ?", vec![Value::Text(action.clone())]),
        several => {
            let marks = vec!["?"; several.len()].join(", ");
            and(&format!("action IN ({marks})"), several.iter().cloned().map(Value::Text).collect());
        }
    }
    if let Some(number) = filter.above {
        and("id > ?", vec![Value::Integer(number)]);
    }
    if let Some(from) = filter.from {
        and("at >= ?", vec![Value::Integer(from.0)]);
    }
    if let Some(until) = filter.until {
        and("at < ?", vec![Value::Integer(until.0)]);
    }
    let rows::Way { beyond, order } = rows::falling(at);
    if let Some(key) = at.map(Beside::key) {
        let (time, number) = (Value::Integer(key.at.0), Value::Integer(key.number));
        let condition = format!("at {beyond}= ? AND (at, id) {beyond} (?, ?)");
        and(&condition, vec![time.clone(), time, number]);
    }
    values.push(Value::Integer(rows::column(limit as u64)));
    let sql = format!(
        "SELECT a.id, a.at, a.by_whom, a.contract_id, a.action, a.object, a.detail, l.month, l.leaf,
             EXISTS (SELECT 1 FROM log_heads h
                 WHERE h.contract_id = l.contract_id AND h.month = l.month AND h.size > l.leaf)
         FROM (SELECT id FROM audit INDEXED BY {index} WHERE {conditions} ORDER BY at {order}, id {order} LIMIT ?) found
         JOIN audit a ON a.id = found.id
         LEFT JOIN log_leaves l ON l.audit_id = a.id AND l.audit_id IS NOT NULL AND l.contract_id = a.contract_id
         ORDER BY a.at {order}, a.id {order}"
    );
    (sql, values)
}

/// A page of entries, newest first.
pub(super) fn search(
    connection: &Connection,
    contract: Option<ContractId>,
    filter: &AuditFilter,
    at: Option<&Beside<AuditKey>>,
    limit: usize,
) -> Work<AuditPage> {
    let read = |limit| {
        let (sql, values) = query(contract, filter, at, limit);
        rows::all(connection, &sql, params_from_iter(values), |row| {
            let leaf: Option<i64> = row.get(8)?;
            let place = match leaf {
                Some(_) => Some(LeafPlace { month: row.get(7)?, leaf: rows::number(row, 8)? }),
                None => None,
            };
            Ok(AuditRow { entry: entry(row)?, place, signed: row.get(9)? })
        })
    };
    rows::page(at, limit, read, |row| AuditKey { at: row.entry.at, number: row.entry.number })
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
        &format!(
            "SELECT id, at, by_whom, contract_id, action, object, detail FROM audit
             WHERE {} AND id < ?2 ORDER BY id DESC LIMIT ?3",
            rows::of_contract("contract_id", contract)
        ),
        params![contract.map(|id| id.0), before.unwrap_or(i64::MAX), rows::column(limit as u64)],
        entry,
    )
}

fn entry(row: &Row<'_>) -> Work<AuditEntry> {
    Ok(AuditEntry {
        number: row.get(0)?,
        at: rows::millis(row, 1)?,
        by: row.get(2)?,
        contract: row.get::<_, Option<i64>>(3)?.map(ContractId),
        action: row.get(4)?,
        object: row.get(5)?,
        detail: row.get(6)?,
    })
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

#[cfg(test)]
mod tests {
    use mngntime_model::UtcMillis;

    use super::*;
    use crate::sqlite::schema;

    /// Whatever is asked for, the entries are found in an index, in its order, and read by their numbers.
    #[test]
    fn no_search_reads_the_whole_audit_log_or_sorts_it() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let time = Some(UtcMillis(1));
        let some = |text: &str| Some(text.to_owned());
        let (one, two) = (|| vec!["x".to_owned()], || vec!["x".to_owned(), "y".to_owned()]);
        let all = AuditFilter { from: time, until: time, ..AuditFilter::default() };
        let filters = [
            AuditFilter::default(),
            all.clone(),
            AuditFilter { by: some("x"), ..all.clone() },
            AuditFilter { actions: one(), ..all.clone() },
            AuditFilter { actions: two(), ..all.clone() },
            AuditFilter { by: some("x"), actions: one(), ..all.clone() },
            AuditFilter { objects: vec!["a".into()], ..all.clone() },
            AuditFilter { objects: vec!["a".into()], actions: two(), above: Some(9), ..all },
        ];
        for filter in filters {
            let key = AuditKey { at: UtcMillis(5), number: 5 };
            for at in [None, Some(Beside::After(key)), Some(Beside::Before(key))] {
                for contract in [None, Some(ContractId(1))] {
                    let (sql, values) = query(contract, &filter, at.as_ref(), 50);
                    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                    let lines = plan
                        .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))
                        .unwrap();
                    let lines: Vec<String> = lines.map(Result::unwrap).collect();
                    let text = lines.join("\n");
                    let scans: Vec<_> = lines.iter().filter(|line| line.starts_with("SCAN")).collect();
                    assert!(scans.iter().all(|line| line.contains("found")), "{filter:?}\n{text}");
                    assert!(
                        text.contains("SEARCH audit USING") && text.contains("INDEX audit_by_"),
                        "{text}"
                    );
                    let sorts = lines.iter().filter(|line| line.contains("TEMP B-TREE")).count();
                    assert!(sorts <= 1, "only the page itself is sorted: {filter:?}\n{text}");
                }
            }
        }
    }
}
