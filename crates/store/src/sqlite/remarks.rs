//! What employees say about their own days: rows that are only ever added.

use crate::sql::{Connection, Row, params, params_from_iter};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use super::{SqliteStore, Work, audit, people, rows, scope};
use crate::ports::{Act, Answer, NewRemark, REMARKS_PER_DAY_MAX, Remark, Remarks, Scope};
use crate::{ContractId, EmployeeId, Refusal, RemarkId};

#[async_trait]
impl Remarks for SqliteStore {
    async fn add_remark(&self, contract: ContractId, new: NewRemark, act: Act) -> Answer<RemarkId> {
        self.write("keep a remark", move |tx| add(tx, contract, &new, &act)).await
    }

    async fn withdraw_remark(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        remark: RemarkId,
        act: Act,
    ) -> Answer<()> {
        self.write("withdraw a remark", move |tx| withdraw(tx, contract, employee, remark, &act)).await
    }

    async fn list_remarks(
        &self,
        scope: Scope,
        employee: EmployeeId,
        from: Date,
        to: Date,
    ) -> Answer<Vec<Remark>> {
        self.read("list remarks", move |connection| list(connection, &scope, employee, from, to)).await
    }

    async fn remarked_days(
        &self,
        contract: ContractId,
        days: Vec<(EmployeeId, Date)>,
    ) -> Answer<Vec<(EmployeeId, Date)>> {
        self.read("look for remarks", move |connection| {
            let mut found = Vec::new();
            for (employee, date) in days {
                let values = params![contract.0, employee.0.as_bytes(), date.to_string()];
                if rows::one(connection, REMARKED, values, |_| Ok(()))?.is_some() {
                    found.push((employee, date));
                }
            }
            Ok(found)
        })
        .await
    }
}

const REMARKED: &str = "SELECT 1 FROM remarks r WHERE r.contract_id = ?1 AND r.employee_id = ?2 AND r.date = ?3
    AND NOT EXISTS (SELECT 1 FROM remark_withdrawals w WHERE w.contract_id = r.contract_id AND w.remark_id = r.id)";

const REMARK: &str = "SELECT r.id, r.employee_id, r.date, r.from_minutes, r.to_minutes, r.text, r.made_at,
    r.made_by, w.withdrawn_at FROM remarks r
    LEFT JOIN remark_withdrawals w ON w.contract_id = r.contract_id AND w.remark_id = r.id";

fn read(row: &Row<'_>) -> Work<Remark> {
    let date: String = row.get(2)?;
    Ok(Remark {
        id: RemarkId(rows::uuid(row, 0)?),
        data: NewRemark {
            employee: EmployeeId(rows::uuid(row, 1)?),
            date: rows::date(&date)?,
            from_minutes: row.get(3)?,
            to_minutes: row.get(4)?,
            text: row.get(5)?,
        },
        made_at: rows::millis(row, 6)?,
        made_by: row.get(7)?,
        withdrawn_at: rows::millis_or_none(row, 8)?,
    })
}

fn add(tx: &Connection, contract: ContractId, new: &NewRemark, act: &Act) -> Work<RemarkId> {
    let code = people::employee(tx, contract, new.employee)?.data.code;
    let date = new.date.to_string();
    let count = "SELECT count(*) FROM remarks WHERE contract_id = ?1 AND employee_id = ?2 AND date = ?3";
    let day = params![contract.0, new.employee.0.as_bytes(), date];
    let count = rows::one(tx, count, day, |row| rows::number(row, 0))?.unwrap_or(0);
    if count >= REMARKS_PER_DAY_MAX as u64 {
        return Err(Refusal::TooMany { what: "remarks", limit: REMARKS_PER_DAY_MAX }.into());
    }
    let id = RemarkId(rows::new_id(act.at)?);
    rows::run(
        tx,
        "INSERT INTO remarks (contract_id, id, employee_id, date, from_minutes, to_minutes, text, made_at, made_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            contract.0,
            id.0.as_bytes(),
            new.employee.0.as_bytes(),
            date,
            new.from_minutes,
            new.to_minutes,
            new.text,
            act.at.0,
            act.by,
        ],
    )?;
    let detail = json!({
        "remark": id.to_string(), "date": date, "from_minutes": new.from_minutes,
        "to_minutes": new.to_minutes, "text": new.text,
    });
    audit::note(tx, Some(contract), "add_remark", &format!("employee {code}"), &detail, act)?;
    Ok(id)
}

fn withdraw(
    tx: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    remark: RemarkId,
    act: &Act,
) -> Work<()> {
    let sql = format!("{REMARK} WHERE r.contract_id = ?1 AND r.id = ?2 AND r.employee_id = ?3");
    let key = params![contract.0, remark.0.as_bytes(), employee.0.as_bytes()];
    let found = rows::one(tx, &sql, key, read)?.ok_or(Refusal::Missing { what: "remark" })?;
    if found.withdrawn_at.is_some() {
        return Ok(());
    }
    let code = people::employee(tx, contract, employee)?.data.code;
    rows::run(
        tx,
        "INSERT INTO remark_withdrawals (contract_id, remark_id, withdrawn_at, withdrawn_by)
         VALUES (?1, ?2, ?3, ?4)",
        params![contract.0, remark.0.as_bytes(), act.at.0, act.by],
    )?;
    let detail = json!({ "remark": remark.to_string(), "date": found.data.date.to_string() });
    audit::note(tx, Some(contract), "withdraw_remark", &format!("employee {code}"), &detail, act)
}

fn list(
    connection: &Connection,
    scope: &Scope,
    employee: EmployeeId,
    from: Date,
    to: Date,
) -> Work<Vec<Remark>> {
    use crate::sql::Value;
    let mut values = vec![
        Value::Integer(scope.contract.0),
        Value::Blob(employee.0.as_bytes().to_vec()),
        Value::Text(from.to_string()),
        Value::Text(to.to_string()),
    ];
    let mut sql =
        format!("{REMARK} WHERE r.contract_id = ?1 AND r.employee_id = ?2 AND r.date BETWEEN ?3 AND ?4");
    if let Some((condition, value)) = scope::condition(scope, "r.employee_id") {
        sql.push_str(" AND ");
        sql.push_str(&condition);
        values.push(value);
    }
    sql.push_str(" ORDER BY r.date, r.from_minutes, r.made_at, r.id");
    rows::all(connection, &sql, params_from_iter(values), read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;

    #[test]
    fn remarks_are_found_by_their_day() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let between =
            format!("{REMARK} WHERE r.contract_id = ?1 AND r.employee_id = ?2 AND r.date BETWEEN ?3 AND ?4");
        for sql in [REMARKED, between.as_str()] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = rusqlite::params_from_iter(vec![1; plan.parameter_count()]);
            let lines = plan.query_map(values, |row| row.get::<_, String>(3)).unwrap();
            let lines: Vec<String> = lines.map(Result::unwrap).collect();
            assert!(lines.iter().any(|line| line.contains("remarks_by_day")), "{lines:?}");
            assert!(lines.iter().all(|line| !line.starts_with("SCAN")), "{lines:?}");
        }
    }
}
