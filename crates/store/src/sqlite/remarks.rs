//! What employees say about their own days: rows that are only ever added.

use crate::sql::{Connection, Many, Row, Value, params, params_from_iter};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_ledger::audit::{ADD_REMARK, READ_REMARK, RemarkNoted, WITHDRAW_REMARK};

use super::rows::Way;
use super::{SqliteStore, Work, audit, people, rows, scope};
use crate::ports::{
    Act, Answer, Beside, ListedRemark, ListedRemarks, NewRemark, REMARKS_PER_DAY_MAX, Remark, RemarkCounts,
    RemarkKey, RemarkReading, RemarkShow, Remarks, Scope,
};
use crate::{ContractId, EmployeeId, Refusal, RemarkId};

#[async_trait]
impl Remarks for SqliteStore {
    async fn add_remark(
        &self,
        contract: ContractId,
        id: Option<RemarkId>,
        new: NewRemark,
        act: Act,
    ) -> Answer<RemarkId> {
        self.write("keep a remark", move |tx| add(tx, contract, id, &new, &act)).await
    }

    async fn withdraw_remark(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        remark: RemarkId,
        act: Act,
    ) -> Answer<Remark> {
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

    async fn remark_page(
        &self,
        scope: Scope,
        show: RemarkShow,
        at: Option<Beside<RemarkKey>>,
        limit: usize,
    ) -> Answer<ListedRemarks> {
        self.read("list remarks of people", move |connection| page(connection, &scope, show, at, limit)).await
    }

    async fn count_open_remarks(
        &self,
        scope: Scope,
        except: Option<(Date, Date)>,
        limit: usize,
    ) -> Answer<u64> {
        self.read("count open remarks", move |connection| count_open(connection, &scope, except, limit)).await
    }

    async fn count_remarks(
        &self,
        contract: ContractId,
        employees: Vec<EmployeeId>,
        from: Date,
        to: Date,
    ) -> Answer<Vec<RemarkCounts>> {
        self.read("count people's remarks", move |connection| {
            counts(connection, contract, &employees, from, to)
        })
        .await
    }

    async fn read_remark(
        &self,
        scope: Scope,
        remark: RemarkId,
        reader: Option<EmployeeId>,
        answer: Option<String>,
        act: Act,
    ) -> Answer<Remark> {
        self.write("say that a remark has been read", move |tx| {
            mark_read(tx, &scope, remark, reader, answer.as_deref(), &act)
        })
        .await
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

const OWNER: &str = "SELECT employee_id FROM remarks WHERE contract_id = ?1 AND id = ?2";

const COLUMNS: &str = "r.id, r.employee_id, r.date, r.from_minutes, r.to_minutes, r.text, r.made_at,
    r.made_by, w.withdrawn_at, s.read_at, s.read_by, s.answer";

/// What became of a remark `r`.
const STATE: &str = "LEFT JOIN remark_withdrawals w ON w.contract_id = r.contract_id AND w.remark_id = r.id
    LEFT JOIN remark_readings s ON s.contract_id = r.contract_id AND s.remark_id = r.id";

/// The question for remarks, with more columns and tables; its conditions come behind it.
fn question(columns: &str, tables: &str) -> String {
    format!("SELECT {COLUMNS}{columns} FROM {tables} {STATE}")
}

/// A remark of [`COLUMNS`].
fn read(row: &Row<'_>) -> Work<Remark> {
    let date: String = row.get(2)?;
    let read = rows::millis_or_none(row, 9)?.zip(row.get::<_, Option<String>>(10)?);
    let answer = row.get(11)?;
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
        read: read.map(|(at, by)| RemarkReading { at, by, answer }),
    })
}

fn add(
    tx: &Connection,
    contract: ContractId,
    id: Option<RemarkId>,
    new: &NewRemark,
    act: &Act,
) -> Work<RemarkId> {
    let code = people::employee(tx, contract, new.employee)?.data.code;
    if let Some(id) = id
        && let Some(known) =
            rows::one(tx, OWNER, params![contract.0, id.0.as_bytes()], |row| rows::uuid(row, 0))?
    {
        let own = known == new.employee.0;
        return if own { Ok(id) } else { Err(Refusal::Missing { what: "remark" }.into()) };
    }
    let date = new.date.to_string();
    let count = "SELECT count(*) FROM remarks WHERE contract_id = ?1 AND employee_id = ?2 AND date = ?3";
    let day = params![contract.0, new.employee.0.as_bytes(), date];
    let count = rows::one(tx, count, day, |row| rows::number(row, 0))?.unwrap_or(0);
    if count >= REMARKS_PER_DAY_MAX as u64 {
        return Err(Refusal::TooMany { what: "remarks", limit: REMARKS_PER_DAY_MAX }.into());
    }
    let id = id.map_or_else(|| Ok(RemarkId(rows::new_id(act.at)?)), Ok::<_, super::WorkError>)?;
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
    rows::run(
        tx,
        "INSERT INTO open_remarks (contract_id, made_at, remark_id, employee_id) VALUES (?1, ?2, ?3, ?4)",
        params![contract.0, act.at.0, id.0.as_bytes(), new.employee.0.as_bytes()],
    )?;
    let detail = RemarkNoted {
        from_minutes: Some(new.from_minutes),
        to_minutes: Some(new.to_minutes),
        text: Some(new.text.clone()),
        ..noted(id, new.date)
    };
    audit::note(tx, Some(contract), ADD_REMARK, &format!("employee {code}"), &detail, act)?;
    Ok(id)
}

fn withdraw(
    tx: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    remark: RemarkId,
    act: &Act,
) -> Work<Remark> {
    let sql = question("", "remarks r") + " WHERE r.contract_id = ?1 AND r.id = ?2 AND r.employee_id = ?3";
    let key = params![contract.0, remark.0.as_bytes(), employee.0.as_bytes()];
    let found = rows::one(tx, &sql, key, read)?.ok_or(Refusal::Missing { what: "remark" })?;
    if found.withdrawn_at.is_some() {
        return Ok(found);
    }
    let code = people::employee(tx, contract, employee)?.data.code;
    rows::run(
        tx,
        "INSERT INTO remark_withdrawals (contract_id, remark_id, withdrawn_at, withdrawn_by)
         VALUES (?1, ?2, ?3, ?4)",
        params![contract.0, remark.0.as_bytes(), act.at.0, act.by],
    )?;
    close(tx, contract, &found)?;
    let detail = noted(remark, found.data.date);
    audit::note(tx, Some(contract), WITHDRAW_REMARK, &format!("employee {code}"), &detail, act)?;
    Ok(found)
}

/// What every entry about a remark tells.
fn noted(remark: RemarkId, date: Date) -> RemarkNoted {
    RemarkNoted {
        remark: remark.to_string(),
        date: date.to_string(),
        from_minutes: None,
        to_minutes: None,
        text: None,
        answer: None,
    }
}

/// Takes a remark off the open ones.
fn close(tx: &Connection, contract: ContractId, found: &Remark) -> Work<()> {
    let sql = "DELETE FROM open_remarks WHERE contract_id = ?1 AND made_at = ?2 AND remark_id = ?3";
    rows::run(tx, sql, params![contract.0, found.made_at.0, found.id.0.as_bytes()]).map(drop)
}

fn mark_read(
    tx: &Connection,
    scope: &Scope,
    remark: RemarkId,
    reader: Option<EmployeeId>,
    answer: Option<&str>,
    act: &Act,
) -> Work<Remark> {
    let contract = scope.contract;
    let mut sql = question("", "remarks r") + " WHERE r.contract_id = ?1 AND r.id = ?2";
    let mut values = vec![Value::Integer(contract.0), Value::Blob(remark.0.as_bytes().to_vec())];
    if let Some((condition, value)) = scope::condition(scope, "r.employee_id") {
        sql.push_str(" AND ");
        sql.push_str(&condition);
        values.push(value);
    }
    let found = rows::one(tx, &sql, params_from_iter(values), read)?;
    let found = found.filter(|found| reader != Some(found.data.employee));
    let found = found.ok_or(Refusal::Missing { what: "remark" })?;
    if found.read.is_some() || found.withdrawn_at.is_some() {
        return Ok(found);
    }
    let code = people::employee(tx, contract, found.data.employee)?.data.code;
    rows::run(
        tx,
        "INSERT INTO remark_readings (contract_id, remark_id, read_at, read_by, answer)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![contract.0, remark.0.as_bytes(), act.at.0, act.by, answer],
    )?;
    close(tx, contract, &found)?;
    let detail = RemarkNoted { answer: answer.map(str::to_owned), ..noted(remark, found.data.date) };
    audit::note(tx, Some(contract), READ_REMARK, &format!("employee {code}"), &detail, act)?;
    Ok(found)
}

/// Where a list of remarks is read from, and in it the columns that are its place and whose each remark is.
fn listed(show: RemarkShow) -> (&'static str, [&'static str; 4]) {
    match show {
        RemarkShow::Open => (
            "open_remarks p JOIN remarks r ON r.contract_id = p.contract_id AND r.id = p.remark_id
             JOIN employees e ON e.contract_id = p.contract_id AND e.id = p.employee_id",
            ["p.contract_id", "p.made_at", "p.remark_id", "p.employee_id"],
        ),
        RemarkShow::All => (
            "remarks r INDEXED BY remarks_as_made
             JOIN employees e ON e.contract_id = r.contract_id AND e.id = r.employee_id",
            ["r.contract_id", "r.made_at", "r.id", "r.employee_id"],
        ),
    }
}

pub(super) fn page(
    connection: &Connection,
    scope: &Scope,
    show: RemarkShow,
    at: Option<Beside<RemarkKey>>,
    limit: usize,
) -> Work<ListedRemarks> {
    let Way { beyond, order } = rows::falling(at.as_ref());
    let (tables, [contract, made, id, whose]) = listed(show);
    let mut values = vec![Value::Integer(scope.contract.0)];
    let mut sql = question(", e.code, e.name, e.department", tables) + &format!(" WHERE {contract} = ?1");
    if let Some(RemarkKey { made_at, remark }) = at.as_ref().map(Beside::key) {
        let condition = format!(" AND {made} {beyond}= ? AND ({made}, {id}) {beyond} (?, ?)");
        sql.push_str(&condition);
        values.extend([Value::Integer(made_at.0), Value::Integer(made_at.0)]);
        values.push(Value::Blob(remark.0.as_bytes().to_vec()));
    }
    if let Some((condition, value)) = scope::condition(scope, whose) {
        sql.push_str(" AND ");
        sql.push_str(&condition);
        values.push(value);
    }
    sql.push_str(&format!(" ORDER BY {made} {order}, {id} {order} LIMIT ?"));
    let read = |limit: usize| {
        values.push(Value::Integer(rows::column(limit as u64)));
        rows::all(connection, &sql, params_from_iter(values), read_listed)
    };
    rows::page(at.as_ref(), limit, read, |row| RemarkKey {
        made_at: row.remark.made_at,
        remark: row.remark.id,
    })
}

fn read_listed(row: &Row<'_>) -> Work<ListedRemark> {
    Ok(ListedRemark {
        remark: read(row)?,
        employee_code: row.get(12)?,
        employee_name: row.get(13)?,
        department: row.get(14)?,
    })
}

/// The question of how many remarks of the scope are open, and its values.
fn how_many_open(scope: &Scope, except: Option<(Date, Date)>, limit: usize) -> (String, Vec<Value>) {
    let mut values = vec![Value::Integer(scope.contract.0)];
    let mut sql = "SELECT count(*) FROM (SELECT 1 FROM open_remarks p WHERE p.contract_id = ?1".to_owned();
    if let Some((from, to)) = except {
        sql.push_str(
            " AND NOT EXISTS (SELECT 1 FROM remarks r WHERE r.contract_id = p.contract_id AND r.id = p.remark_id
             AND r.date BETWEEN ? AND ?)",
        );
        values.extend([Value::Text(from.to_string()), Value::Text(to.to_string())]);
    }
    if let Some((condition, value)) = scope::condition(scope, "p.employee_id") {
        sql.push_str(" AND ");
        sql.push_str(&condition);
        values.push(value);
    }
    sql.push_str(" LIMIT ?) found");
    values.push(Value::Integer(rows::column(limit as u64)));
    (sql, values)
}

pub(super) fn count_open(
    connection: &Connection,
    scope: &Scope,
    except: Option<(Date, Date)>,
    limit: usize,
) -> Work<u64> {
    let (sql, values) = how_many_open(scope, except, limit);
    let found = rows::one(connection, &sql, params_from_iter(values), |row| rows::number(row, 0))?;
    Ok(found.unwrap_or_default())
}

const COUNTS: &str = "SELECT count(*), count(CASE WHEN s.read_at IS NULL THEN 1 END) FROM remarks r
    LEFT JOIN remark_readings s ON s.contract_id = r.contract_id AND s.remark_id = r.id
    WHERE r.contract_id = ?1 AND r.employee_id = ?2 AND r.date BETWEEN ?3 AND ?4 AND NOT EXISTS (
        SELECT 1 FROM remark_withdrawals w WHERE w.contract_id = r.contract_id AND w.remark_id = r.id)";

pub(super) fn counts(
    connection: &Connection,
    contract: ContractId,
    employees: &[EmployeeId],
    from: Date,
    to: Date,
) -> Work<Vec<RemarkCounts>> {
    let asked = Many::default()
        .integers(employees.iter().map(|_| contract.0))
        .blobs(employees.iter().map(|employee| &employee.0.as_bytes()[..]))
        .texts(employees.iter().map(|_| from.to_string()))
        .texts(employees.iter().map(|_| to.to_string()));
    let mut found = vec![RemarkCounts::default(); employees.len()];
    rows::each(connection, COUNTS, &asked, |whose, row| {
        if let Some(found) = found.get_mut(whose) {
            *found = RemarkCounts { holding: rows::number(row, 0)?, open: rows::number(row, 1)? };
        }
        Ok(())
    })?;
    Ok(found)
}

fn list(
    connection: &Connection,
    scope: &Scope,
    employee: EmployeeId,
    from: Date,
    to: Date,
) -> Work<Vec<Remark>> {
    let mut values = vec![
        Value::Integer(scope.contract.0),
        Value::Blob(employee.0.as_bytes().to_vec()),
        Value::Text(from.to_string()),
        Value::Text(to.to_string()),
    ];
    let mut sql = question("", "remarks r")
        + " WHERE r.contract_id = ?1 AND r.employee_id = ?2 AND r.date BETWEEN ?3 AND ?4";
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
        let between = question("", "remarks r")
            + " WHERE r.contract_id = ?1 AND r.employee_id = ?2 AND r.date BETWEEN ?3 AND ?4";
        for sql in [REMARKED, COUNTS, between.as_str()] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = rusqlite::params_from_iter(vec![1; plan.parameter_count()]);
            let lines = plan.query_map(values, |row| row.get::<_, String>(3)).unwrap();
            let lines: Vec<String> = lines.map(Result::unwrap).collect();
            let whole = "remarks_by_date (contract_id=? AND date=? AND employee_id=?)";
            let found = |line: &String| line.contains("remarks_by_day ") || line.contains(whole);
            assert!(lines.iter().any(found), "{lines:?}");
            assert!(lines.iter().all(|line| !line.starts_with("SCAN")), "{lines:?}");
        }
    }

    #[test]
    fn open_remarks_are_counted_by_an_index_in_every_scope() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let contract = ContractId(1);
        let department = crate::DepartmentId(uuid::Uuid::nil());
        let departments = Scope { contract, people: crate::ports::ScopedPeople::Below(department) };
        let own = Scope { contract, people: crate::ports::ScopedPeople::One(EmployeeId(uuid::Uuid::nil())) };
        for scope in [Scope::from(contract), departments, own] {
            let except = [None, Some((Date::constant(2026, 6, 1), Date::constant(2026, 6, 30)))];
            for (sql, _) in except.map(|except| how_many_open(&scope, except, 100)) {
                let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                let values = rusqlite::params_from_iter(vec![1; plan.parameter_count()]);
                let lines = plan.query_map(values, |row| row.get::<_, String>(3)).unwrap();
                let lines: Vec<String> = lines.map(Result::unwrap).collect();
                assert!(lines.iter().any(|line| line.starts_with("SEARCH p ")), "{lines:?}");
                let scanned =
                    lines.iter().any(|line| line.starts_with("SCAN p") || line.starts_with("SCAN e"));
                assert!(!scanned, "{lines:?}");
            }
        }
    }
}
