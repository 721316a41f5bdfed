//! Terminals by their names, which need not be theirs alone: a PC that was set up anew comes under its old name.
//!
//! Both questions go by the index of names. Whose punches a terminal has is asked of the index of its punches, and only
//! of the terminals that bear the name.

use std::collections::BTreeMap;

use mngntime_model::TerminalId;

use super::lists::Query;
use super::{Work, rows};
use crate::ContractId;
use crate::ports::{NAMED_MAX, NamedTerminal, Scope};
use crate::sql::{Connection, Row, Value, params_from_iter};
use crate::typed::narrow;

/// Without figures of its tables SQLite takes a contract's whole range for as short.
const BY_NAME: &str = "INDEXED BY terminals_by_host_name";

/// Those that a name or an id means, as far as `scope` reaches.
pub(super) fn find(connection: &Connection, scope: &Scope, typed: &str) -> Work<Vec<NamedTerminal>> {
    let (index, condition, value) = match TerminalId::parse(typed) {
        Ok(id) => ("", "named.id = ?", Value::Blob(rows::terminal_bytes(&id)?.to_vec())),
        Err(_) => (BY_NAME, "named.host_name = ? COLLATE NOCASE", Value::Text(narrow(typed))),
    };
    let columns = "SELECT named.id, named.host_name, named.status, named.enrolled_at, named.last_contact_at";
    let from = format!("{columns} FROM terminals named {index} WHERE named.contract_id = ?1");
    let mut query = Query::new(scope, from);
    query.and(condition, [value]);
    if let Some((theirs, value)) = super::scope::condition(scope, "punched.employee_id") {
        let punched = format!(
            "EXISTS (SELECT 1 FROM punches punched INDEXED BY punches_by_terminal
             WHERE punched.contract_id = ?1 AND punched.terminal_id = named.id AND {theirs})"
        );
        query.and(&punched, [value]);
    }
    query
        .sql
        .push_str(" ORDER BY named.status = 'retired', coalesce(named.last_contact_at, -1) DESC, named.id");
    query.limit(NAMED_MAX);
    rows::all(connection, &query.sql, params_from_iter(query.values), read)
}

fn read(row: &Row<'_>) -> Work<NamedTerminal> {
    Ok(NamedTerminal {
        id: rows::terminal_id(row, 0)?,
        host_name: row.get(1)?,
        status: rows::terminal_status(row, 2)?,
        enrolled_at: rows::millis(row, 3)?,
        last_contact_at: rows::millis_or_none(row, 4)?,
    })
}

/// How many in use bear each of `names`.
pub(super) fn counts(connection: &Connection, contract: ContractId, names: &[String]) -> Work<Vec<u64>> {
    let sql = format!(
        "SELECT asked.name, count(*) FROM (SELECT DISTINCT value AS name FROM json_each(?2)) asked
         CROSS JOIN terminals named {BY_NAME}
         ON named.contract_id = ?1 AND named.host_name = asked.name COLLATE NOCASE
         WHERE named.status <> 'retired' GROUP BY asked.name"
    );
    let values = [Value::Integer(contract.0), rows::json_list(names.iter().map(String::as_str)).into()];
    let found: BTreeMap<String, u64> = rows::all(connection, &sql, params_from_iter(values), |row| {
        Ok((row.get::<_, String>(0)?, rows::number(row, 1)?))
    })?
    .into_iter()
    .collect();
    Ok(names.iter().map(|name| found.get(name).copied().unwrap_or(0)).collect())
}
