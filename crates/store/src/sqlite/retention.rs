//! Holds, and which months are retired, are there, or are on their way. [`super::retiring`] does it.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::TerminalId;
use serde_json::json;

use super::{SqliteStore, Work, audit, log, people, retiring, rows};
use crate::ports::{
    Act, Answer, CheckedMonth, Emptying, Hold, KeptMonth, MonthCheck, NewHold, Retention, RetentionMonths,
    RetiredMonth, RetiredNumbers, RetiredRange, Retirement, Tree,
};
use crate::sql::{Connection, Row, params};
use crate::{ContractId, EmployeeId, HoldId, Refusal};

#[async_trait]
impl Retention for SqliteStore {
    async fn set_hold(&self, contract: ContractId, new: NewHold, act: Act) -> Answer<HoldId> {
        self.write("set a hold", move |tx| set_hold(tx, contract, &new, &act)).await
    }

    async fn release_hold(&self, contract: ContractId, hold: HoldId, act: Act) -> Answer<()> {
        self.write("release a hold", move |tx| release_hold(tx, contract, hold, &act)).await
    }

    async fn list_holds(&self, contract: ContractId) -> Answer<Vec<Hold>> {
        self.read("list the holds", move |connection| holds(connection, contract)).await
    }

    async fn retention_months(&self, contract: ContractId) -> Answer<RetentionMonths> {
        self.read("list the months of a log", move |connection| {
            connection.snapshot(|snapshot| months(snapshot, contract))
        })
        .await
    }

    async fn check_month(&self, contract: ContractId, month: String) -> Answer<MonthCheck> {
        self.read("read a month back", move |connection| retiring::check(connection, contract, &month)).await
    }

    async fn retire_month(&self, checked: CheckedMonth, act: Act) -> Answer<Retirement> {
        self.write("retire a month", move |tx| retiring::retire(tx, &checked, &act)).await
    }

    async fn empty_month(
        &self,
        contract: ContractId,
        month: String,
        from: u64,
        limit: usize,
        act: Act,
    ) -> Answer<Emptying> {
        self.write("delete events of a retired month", move |tx| {
            retiring::empty(tx, contract, &month, from, limit, &act)
        })
        .await
    }

    async fn retired_months(&self, contract: ContractId) -> Answer<Vec<RetiredMonth>> {
        self.read("list the retired months", move |connection| retired(connection, contract)).await
    }
}

fn told(id: HoldId, new: &NewHold, code: Option<&str>) -> serde_json::Value {
    json!({
        "hold": id.to_string(),
        "employee": code,
        "from": rows::date_text(new.from),
        "to": rows::date_text(new.to),
        "reason": new.reason,
    })
}

fn set_hold(tx: &Connection, contract: ContractId, new: &NewHold, act: &Act) -> Work<HoldId> {
    if new.from.zip(new.to).is_some_and(|(from, to)| to < from) {
        return Err(Refusal::DatesReversed.into());
    }
    let employee = new.employee.map(|id| people::employee(tx, contract, id)).transpose()?;
    let code = employee.as_ref().map(|employee| employee.data.code.as_str());
    let id = HoldId(rows::new_id(act.at)?);
    rows::run(
        tx,
        "INSERT INTO retention_holds (contract_id, id, employee_id, from_date, to_date, reason, set_at, set_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            contract.0,
            id.0.as_bytes(),
            new.employee.map(|employee| employee.0.into_bytes()),
            rows::date_text(new.from),
            rows::date_text(new.to),
            new.reason,
            act.at.0,
            act.by,
        ],
    )?;
    let object = code.map_or_else(|| "contract".to_owned(), |code| format!("employee {code}"));
    audit::note(tx, Some(contract), "set_hold", &object, &told(id, new, code), act)?;
    Ok(id)
}

fn release_hold(tx: &Connection, contract: ContractId, id: HoldId, act: &Act) -> Work<()> {
    let hold = holds(tx, contract)?.into_iter().find(|hold| hold.id == id);
    let hold = hold.ok_or(Refusal::Missing { what: "hold" })?;
    if hold.released.is_some() {
        return Ok(());
    }
    rows::run(
        tx,
        "INSERT INTO retention_releases (contract_id, hold_id, released_at, released_by) VALUES (?1, ?2, ?3, ?4)",
        params![contract.0, id.0.as_bytes(), act.at.0, act.by],
    )?;
    let code = hold.employee.as_ref().map(|(code, _)| code.as_str());
    let object = code.map_or_else(|| "contract".to_owned(), |code| format!("employee {code}"));
    audit::note(tx, Some(contract), "release_hold", &object, &told(id, &hold.data, code), act)
}

/// The standing ones first, then the newest first.
pub(super) fn holds(connection: &Connection, contract: ContractId) -> Work<Vec<Hold>> {
    rows::all(
        connection,
        "SELECT h.id, h.employee_id, h.from_date, h.to_date, h.reason, h.set_at, h.set_by, e.code, e.name,
             r.released_at, r.released_by
         FROM retention_holds h
         LEFT JOIN employees e ON e.contract_id = h.contract_id AND e.id = h.employee_id
         LEFT JOIN retention_releases r ON r.contract_id = h.contract_id AND r.hold_id = h.id
         WHERE h.contract_id = ?1 ORDER BY (r.released_at IS NOT NULL), h.set_at DESC, h.id DESC",
        [contract.0],
        hold,
    )
}

fn hold(row: &Row<'_>) -> Work<Hold> {
    Ok(Hold {
        id: HoldId(rows::uuid(row, 0)?),
        data: NewHold {
            employee: rows::uuid_or_none(row, 1)?.map(EmployeeId),
            from: rows::date_or_none(row, 2)?,
            to: rows::date_or_none(row, 3)?,
            reason: row.get(4)?,
        },
        employee: row.get::<_, Option<String>>(7)?.zip(row.get::<_, Option<String>>(8)?),
        set_at: rows::millis(row, 5)?,
        set_by: row.get(6)?,
        released: rows::millis_or_none(row, 9)?.zip(row.get::<_, Option<String>>(10)?),
    })
}

/// Whether a hold that stands keeps something of these days.
pub(super) fn is_held(connection: &Connection, contract: ContractId, days: (Date, Date)) -> Work<bool> {
    Ok(holds(connection, contract)?.iter().any(|hold| hold.touches(days.0, days.1)))
}

fn months(connection: &Connection, contract: ContractId) -> Work<RetentionMonths> {
    let retired = retired(connection, contract)?;
    let mut kept = Vec::new();
    for month in log::months(connection, contract)? {
        if retired.iter().any(|gone| gone.month == month) {
            continue;
        }
        let closed = log::newest_of(connection, contract, &month)?.is_some_and(|head| head.closed);
        let has_events = retiring::has_events(connection, contract, &month)?;
        kept.push(KeptMonth { month, closed, has_events });
    }
    Ok(RetentionMonths { retired, kept })
}

/// The months that are retired, oldest first.
pub(super) fn retired(connection: &Connection, contract: ContractId) -> Work<Vec<RetiredMonth>> {
    rows::all(
        connection,
        "SELECT m.month, m.size, m.root, m.events, m.first_date, m.last_date, m.retired_at, x.emptied_at
         FROM retired_months m
         LEFT JOIN emptied_months x ON x.contract_id = m.contract_id AND x.month = m.month
         WHERE m.contract_id = ?1 ORDER BY m.month",
        [contract.0],
        |row| {
            let month: String = row.get(0)?;
            let day = |column| -> Work<Date> { rows::date(&row.get::<_, String>(column)?) };
            Ok(RetiredMonth {
                tree: Tree { month: month.clone(), size: rows::number(row, 1)?, root: rows::digest(row, 2)? },
                month,
                events: rows::number(row, 3)?,
                days: (day(4)?, day(5)?),
                retired_at: rows::millis(row, 6)?,
                emptied_at: rows::millis_or_none(row, 7)?,
            })
        },
    )
}

/// The numbers of a terminal that are retired, in order.
pub(super) fn retired_numbers(
    connection: &Connection,
    contract: ContractId,
    terminal: TerminalId,
) -> Work<Vec<RetiredRange>> {
    rows::all(
        connection,
        "SELECT n.first_number, n.last_number, n.first_at, n.last_at, n.month, m.retired_at FROM retired_numbers n
         JOIN retired_months m ON m.contract_id = n.contract_id AND m.month = n.month
         WHERE n.contract_id = ?1 AND n.terminal_id = ?2 ORDER BY n.first_number",
        params![contract.0, rows::terminal_bytes(&terminal)?],
        |row| {
            let (first, last) = (rows::number(row, 0)?, rows::number(row, 1)?);
            let at = (rows::millis(row, 2)?, rows::millis(row, 3)?);
            let numbers = RetiredNumbers { terminal, first, last, at };
            Ok(RetiredRange { numbers, month: row.get(4)?, retired_at: rows::millis(row, 5)? })
        },
    )
}
