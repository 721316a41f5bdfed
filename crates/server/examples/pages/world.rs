//! What the addresses of the measurement name: drawn from the store itself, the same for the same store.

use std::path::Path;

use anyhow::{Result, ensure};
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::sqlite::DATABASE_FILE;
use mngntime_store::{AccountId, AccountKey, AuditKey, PageKey};
use rusqlite::{Connection, OpenFlags, Row, params};
use uuid::Uuid;

use super::company::draw;

/// Things of each kind that are drawn.
const DRAWN: u64 = 400;

/// A punch or another event.
#[derive(Debug, Clone)]
pub struct Place {
    pub occurred_at: i64,
    pub terminal: String,
    pub sequence: i64,
}

/// Things to ask for.
pub struct World {
    pub punches: Vec<Place>,
    pub errors: Vec<Place>,
    pub terminals: Vec<String>,
    pub hosts: Vec<String>,
    /// Id and code.
    pub employees: Vec<(String, String)>,
    /// Id and `DOMAIN\name`.
    pub accounts: Vec<(String, String)>,
    pub strangers: Vec<(String, String)>,
    pub audit: Vec<String>,
    pub administrators: Vec<String>,
    pub imports: Vec<(String, String)>,
    /// First and last time of a punch.
    pub span: (i64, i64),
    /// How much there is: words and numbers.
    pub counts: Vec<(&'static str, i64)>,
    /// Bytes of the database.
    pub bytes: u64,
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(Uuid::from_bytes(row.get(column)?).to_string())
}

impl World {
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(DATABASE_FILE);
        let c = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        c.pragma_update(None, "query_only", true)?;
        let edge = |order: &str| {
            let sql = format!(
                "SELECT occurred_at FROM punches WHERE contract_id = 1 ORDER BY occurred_at {order}, terminal_id {order}, seq {order} LIMIT 1"
            );
            c.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        let span = (edge("ASC")?, edge("DESC")?);
        let punch =
            "SELECT occurred_at, terminal_id, seq FROM punches WHERE contract_id = 1 AND occurred_at >= ?1
            ORDER BY occurred_at LIMIT 1";
        let error = "SELECT occurred_at, terminal_id, seq FROM punches INDEXED BY punches_errors
            WHERE contract_id = 1 AND occurred_at >= ?1 AND res IS NOT NULL ORDER BY occurred_at LIMIT 1";
        let pair = |sql: &str| pairs(&c, sql);
        let people = "SELECT id, code FROM employees WHERE contract_id = 1 ORDER BY code";
        let linked = "SELECT id, domain || '\\' || name FROM accounts WHERE contract_id = 1 AND waiting = 0 ORDER BY key";
        let waiting = "SELECT id, domain || '\\' || name FROM accounts WHERE contract_id = 1 AND waiting > 0 ORDER BY key";
        let terminals = pair("SELECT id, host_name FROM terminals WHERE contract_id = 1 ORDER BY host_name")?;
        let administrators = "SELECT id, login FROM administrators WHERE contract_id = 1 ORDER BY login";
        let imports = "SELECT id, kind FROM imports WHERE contract_id = 1 ORDER BY kind";
        let world = Self {
            punches: places(&c, punch, span, 1)?,
            errors: places(&c, error, span, 2)?,
            hosts: some(&terminals).into_iter().map(|(_, host)| host).collect(),
            terminals: some(&terminals).into_iter().map(|(id, _)| id).collect(),
            employees: some(&pair(people)?),
            accounts: some(&pair(linked)?),
            strangers: some(&pair(waiting)?),
            audit: audit(&c)?,
            administrators: some(&pair(administrators)?).into_iter().map(|(id, _)| id).collect(),
            imports: pair(imports)?,
            counts: counts(&c)?,
            bytes: std::fs::metadata(&path)?.len(),
            span,
        };
        let all = [world.punches.len(), world.errors.len(), world.strangers.len(), world.imports.len()];
        ensure!(all.iter().all(|count| *count > 0), "the store lacks punches, errors, accounts or imports");
        Ok(world)
    }
}

fn pairs(c: &Connection, sql: &str) -> Result<Vec<(String, String)>> {
    let mut statement = c.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((id(row, 0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// At most [`DRAWN`] of `all`, from everywhere in it.
fn some<T: Clone>(all: &[T]) -> Vec<T> {
    let pick = |n: u64| all[usize::try_from(draw(40, n, 0)).unwrap_or(0) % all.len()].clone();
    if all.is_empty() { Vec::new() } else { (0..DRAWN).map(pick).collect() }
}

fn places(c: &Connection, sql: &str, span: (i64, i64), stream: u64) -> Result<Vec<Place>> {
    let mut statement = c.prepare(sql)?;
    let width = span.0.abs_diff(span.1).max(1);
    let mut found = Vec::new();
    for number in 0..DRAWN {
        let from = span.0 + i64::try_from(draw(41, stream, number) % width)?;
        let place = |row: &Row<'_>| {
            Ok(Place { occurred_at: row.get(0)?, terminal: id(row, 1)?, sequence: row.get(2)? })
        };
        found.extend(statement.query_map(params![from], place)?.next().transpose()?);
    }
    Ok(found)
}

fn audit(c: &Connection) -> Result<Vec<String>> {
    let last: i64 = c.query_row("SELECT max(id) FROM audit", [], |row| row.get(0))?;
    let mut statement = c.prepare("SELECT at, id FROM audit WHERE id >= ?1 AND contract_id = 1 LIMIT 1")?;
    let mut found = Vec::new();
    for number in 0..DRAWN {
        let from = i64::try_from(draw(42, number, 0) % last.unsigned_abs().max(1))?;
        let key = |row: &Row<'_>| Ok(AuditKey { at: UtcMillis(row.get(0)?), number: row.get(1)? });
        found.extend(statement.query_map([from], key)?.next().transpose()?.map(|key| key.to_string()));
    }
    Ok(found)
}

fn counts(c: &Connection) -> Result<Vec<(&'static str, i64)>> {
    let questions = [
        ("punches", "SELECT count(*) FROM punches INDEXED BY punches_by_terminal WHERE contract_id = 1"),
        (
            "of them errors",
            "SELECT count(*) FROM punches INDEXED BY punches_errors WHERE contract_id = 1 AND res IS NOT NULL",
        ),
        ("events", "SELECT count(*) FROM events"),
        ("employees", "SELECT count(*) FROM employees"),
        ("terminals", "SELECT count(*) FROM terminals"),
        ("accounts", "SELECT count(*) FROM accounts"),
        ("links", "SELECT count(*) FROM account_links"),
        ("departments", "SELECT count(*) FROM departments"),
        ("people who sign in", "SELECT count(*) FROM administrators"),
        ("days of contact", "SELECT count(*) FROM contact_days"),
        ("audit entries", "SELECT count(*) FROM audit"),
        ("remarks", "SELECT count(*) FROM remarks"),
        ("contracts", "SELECT count(*) FROM contracts"),
    ];
    let one = |(word, sql): (&'static str, &str)| Ok((word, c.query_row(sql, [], |row| row.get(0))?));
    questions.into_iter().map(one).collect()
}

/// Place in the list of punches.
pub fn page_key(place: &Place) -> String {
    let terminal = TerminalId::parse(&place.terminal).unwrap_or_else(|_| TerminalId::from_random([0; 16]));
    let sequence = place.sequence.unsigned_abs();
    PageKey { occurred_at: UtcMillis(place.occurred_at), terminal, sequence }.to_string()
}

/// Place in the list of accounts.
pub fn account_key(account: &str, waited: bool) -> String {
    AccountId::parse(account).map(|account| AccountKey { waited, account }.to_string()).unwrap_or_default()
}
