//! Punches by half hour, kept as sums beside the punches.
//!
//! Everybody who opens the punch log sees today as a picture. Counting for it would read each punch of the day, for each
//! visitor; the sums are some rows for each half hour instead. They are added to in the transaction that stores or judges
//! a punch, and stand under the department in which the employee is now: an approver's sums are those of the list below
//! them. Who moves to another department takes the sums along.
//!
//! Only [`DAYS_KEPT`] days are kept, since the picture is of today: moving a person reads no punches older than that.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use mngntime_model::{EventKind, PunchResult, UtcMillis};

use super::{Work, rows, scope};
use crate::ports::{DayFigures, SLOTS, Scope};
use crate::sql::{Connection, Many, Value, params, params_from_iter};
use crate::{ContractId, EmployeeId};

/// Days for which sums are kept.
const DAYS_KEPT: i64 = 40;

/// Half an hour in milliseconds.
pub(super) const HALF_HOUR_MS: i64 = 1_800_000;

/// What a punch adds to the sums, or takes from them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) employee: Option<EmployeeId>,
    pub(super) occurred_at: UtcMillis,
    pub(super) kind: EventKind,
    pub(super) punches: i64,
    pub(super) errors: i64,
}

impl Change {
    /// A punch that is added.
    pub(super) fn of(
        employee: Option<EmployeeId>,
        occurred_at: UtcMillis,
        kind: EventKind,
        result: PunchResult,
    ) -> Self {
        Self { employee, occurred_at, kind, punches: 1, errors: i64::from(result.res().is_some()) }
    }

    /// The same, taken from the sums.
    pub(super) fn taken(self) -> Self {
        Self { punches: -self.punches, errors: -self.errors, ..self }
    }
}

/// The half hour of a time, counted from 1970.
fn half_hour(at: UtcMillis) -> i64 {
    at.0.div_euclid(HALF_HOUR_MS)
}

/// The first half hour of which sums are kept at `now`.
fn oldest(now: UtcMillis) -> i64 {
    half_hour(now) - DAYS_KEPT * SLOTS as i64
}

/// Adds to the sums. An employee must be stored as what he is counted for.
pub(super) fn add(tx: &Connection, contract: ContractId, changes: &[Change], now: UtcMillis) -> Work<()> {
    let mut departments = BTreeMap::new();
    for change in changes {
        if let Entry::Vacant(place) = departments.entry(change.employee) {
            place.insert(department_of(tx, contract, change.employee)?);
        }
    }
    let mut sums = Sums::new();
    for change in changes {
        let department = departments.get(&change.employee).map_or(NOBODYS, Vec::as_slice);
        sum(&mut sums, contract, change, department, now);
    }
    sums.retain(|_, sum| *sum != (0, 0));
    add_all(tx, sums)
}

/// Under which department somebody is counted.
fn department_of(tx: &Connection, contract: ContractId, employee: Option<EmployeeId>) -> Work<Vec<u8>> {
    let Some(id) = employee else { return Ok(NOBODYS.to_vec()) };
    let sql = "SELECT department_id FROM employees WHERE contract_id = ?1 AND id = ?2";
    let found =
        rows::one(
            tx,
            sql,
            params![contract.0, id.0.as_bytes()],
            |row| Ok(row.get::<_, Option<Vec<u8>>>(0)?),
        )?;
    Ok(found.flatten().unwrap_or_else(|| NOBODYS.to_vec()))
}

/// What is to be added to the sums of all contracts at once: punches and errors, by contract, half hour, kind and
/// department.
pub(super) type Sums<'a> = BTreeMap<(ContractId, i64, &'static str, &'a [u8]), (i64, i64)>;

/// Adds a change of somebody in `department` that happens at `now`.
pub(super) fn sum<'a>(
    sums: &mut Sums<'a>,
    contract: ContractId,
    change: &Change,
    department: &'a [u8],
    now: UtcMillis,
) {
    let half_hour = half_hour(change.occurred_at);
    if half_hour >= oldest(now) {
        let sum = sums.entry((contract, half_hour, change.kind.name(), department)).or_default();
        *sum = (sum.0 + change.punches, sum.1 + change.errors);
    }
}

/// As [`add`], with one statement.
pub(super) fn add_all(tx: &Connection, sums: Sums<'_>) -> Work<()> {
    let rows = Many::default()
        .integers(sums.keys().map(|(contract, ..)| contract.0))
        .integers(sums.keys().map(|(_, half_hour, ..)| *half_hour))
        .texts(sums.keys().map(|(_, _, kind, _)| *kind))
        .blobs(sums.keys().map(|(.., department)| *department))
        .integers(sums.values().map(|(punches, _)| *punches))
        .integers(sums.values().map(|(_, errors)| *errors));
    let add = "INSERT INTO punch_figures (contract_id, half_hour, kind, department_id, punches, errors)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (contract_id, half_hour, kind, department_id) DO UPDATE
        SET punches = punch_figures.punches + excluded.punches, errors = punch_figures.errors + excluded.errors";
    rows::run_many(tx, add, &rows).map(drop)
}

/// The department of punches without an employee, and of employees without a department.
pub(super) const NOBODYS: &[u8] = &[];

/// Runs `change`, which gives an employee another department, and takes the sums along.
pub(super) fn moving<T>(
    tx: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    now: UtcMillis,
    change: impl FnOnce() -> Work<T>,
) -> Work<T> {
    let carried = of_person(tx, contract, employee, now)?;
    let taken: Vec<_> = carried.iter().map(|change| change.taken()).collect();
    add(tx, contract, &taken, now)?;
    let done = change()?;
    add(tx, contract, &carried, now)?;
    Ok(done)
}

fn of_person(
    tx: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    now: UtcMillis,
) -> Work<Vec<Change>> {
    rows::all(
        tx,
        "SELECT occurred_at, kind, res FROM punches INDEXED BY punches_by_account
         WHERE contract_id = ?1 AND employee_id = ?2 AND occurred_at >= ?3 AND account_id IN
         (SELECT account_id FROM account_links INDEXED BY account_links_by_employee
         WHERE contract_id = ?1 AND employee_id = ?2)",
        params![contract.0, employee.0.as_bytes(), oldest(now).saturating_mul(HALF_HOUR_MS)],
        |row| {
            let (occurred_at, kind) = (rows::millis(row, 0)?, rows::kind(row, 1)?);
            Ok(Change::of(Some(employee), occurred_at, kind, rows::result(row, 2)?))
        },
    )
}

/// Forgets the sums of days that are past.
pub(super) fn forget(tx: &Connection, now: UtcMillis) -> Work<()> {
    rows::run(tx, "DELETE FROM punch_figures WHERE half_hour < ?1", [oldest(now)]).map(drop)
}

/// The sums of the day that begins at `from`.
pub(super) fn of_day(connection: &Connection, scope: &Scope, from: UtcMillis) -> Work<DayFigures> {
    let first = half_hour(from);
    let mut values =
        vec![Value::Integer(scope.contract.0), Value::Integer(first), Value::Integer(first + SLOTS as i64)];
    let mut reached = String::new();
    if let Some((condition, value)) = scope::departments(scope) {
        reached = format!(" AND department_id IN {condition}");
        values.push(value);
    }
    let sql = format!(
        "SELECT half_hour, kind, CAST(sum(punches) AS BIGINT), CAST(sum(errors) AS BIGINT) FROM punch_figures
         WHERE contract_id = ?1 AND half_hour >= ?2 AND half_hour < ?3{reached} GROUP BY half_hour, kind"
    );
    let mut figures = DayFigures::default();
    let sums = rows::all(connection, &sql, params_from_iter(values), |row| {
        Ok((row.get::<_, i64>(0)?, rows::kind(row, 1)?, rows::number(row, 2)?, rows::number(row, 3)?))
    })?;
    for (half_hour, kind, punches, errors) in sums {
        figures.add(half_hour - first, kind, punches, errors);
    }
    Ok(figures)
}
