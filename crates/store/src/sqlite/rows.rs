//! Between columns and the domain's words.

use crate::sql::{Connection, Many, Params, Row};
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{Bounds, EventKind, Evidence, PunchResult, TerminalId, UtcMillis};
use uuid::Uuid;

use super::{Work, WorkError};
use crate::ContractId;
use crate::ports::{
    Beside, ContractStatus, Page, QuarantineReason, Role, TerminalChange, TerminalStatus, Why,
};

#[cfg(test)]
thread_local! {
    static STATEMENTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Statements that were run on this thread so far.
#[cfg(test)]
pub(super) fn statements() -> usize {
    STATEMENTS.get()
}

/// Notes that the caller's statement runs on PostgreSQL.
#[track_caller]
fn note_place(connection: &Connection) {
    #[cfg(test)]
    STATEMENTS.set(STATEMENTS.get() + 1);
    #[cfg(debug_assertions)]
    if connection.postgres().is_some() {
        crate::reached::note(std::panic::Location::caller());
    }
    #[cfg(not(debug_assertions))]
    let _ = connection;
}

/// All rows of a query, each read by `read`.
#[track_caller]
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Work<T>,
) -> Work<Vec<T>> {
    note_place(connection);
    #[cfg(test)]
    super::plans::note(connection, sql);
    let mut found = Vec::new();
    connection.query(sql, params, |row| -> Work<bool> {
        found.push(read(row)?);
        Ok(true)
    })?;
    Ok(found)
}

/// The first row of a query.
#[track_caller]
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Work<T>,
) -> Work<Option<T>> {
    note_place(connection);
    #[cfg(test)]
    super::plans::note(connection, sql);
    let (mut read, mut found) = (Some(read), None);
    connection.query(sql, params, |row| -> Work<bool> {
        found = read.take().map(|read| read(row)).transpose()?;
        Ok(false)
    })?;
    Ok(found)
}

/// The first thing that `look` finds in a row of a query, which is read no further then. For SQLite: PostgreSQL gives all
/// rows at once.
pub(super) fn find<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    look: impl Fn(&Row<'_>) -> Work<Option<T>>,
) -> Work<Option<T>> {
    let mut found = None;
    connection.query(sql, params, |row| -> Work<bool> {
        found = look(row)?;
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Runs a statement; returns the rows it touched.
#[track_caller]
pub(super) fn run(connection: &Connection, sql: &str, params: impl Params) -> Work<usize> {
    note_place(connection);
    Ok(connection.execute(sql, params)?)
}

/// Runs a query for each row of `many`; `read` gets the number of that row, from 0, and a row that was found for it.
#[track_caller]
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    many: &Many<'_>,
    read: impl FnMut(usize, &Row<'_>) -> Work<()>,
) -> Work<()> {
    if many.is_empty() {
        return Ok(());
    }
    note_place(connection);
    #[cfg(test)]
    super::plans::note(connection, sql);
    connection.query_many(sql, many, read)
}

/// Runs a statement for each row of `many`, no two of which concern the same row of a table; returns the rows it touched.
#[track_caller]
pub(super) fn run_many(connection: &Connection, sql: &str, many: &Many<'_>) -> Work<usize> {
    if many.is_empty() {
        return Ok(0);
    }
    note_place(connection);
    Ok(connection.execute_many(sql, many)?)
}

/// The condition that what `column` says is `contract`, or none; its `?1` is the contract's number. Two texts, since only
/// so both databases find both by an index.
pub(super) fn of_contract(column: &str, contract: Option<ContractId>) -> String {
    match contract {
        Some(_) => format!("{column} = ?1"),
        None => format!("{column} IS NULL AND CAST(?1 AS BIGINT) IS NULL"),
    }
}

/// A new row id, sorted by `at`.
pub(super) fn new_id(at: UtcMillis) -> Work<Uuid> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(WorkError::Random)?;
    let millis = u64::try_from(at.0).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

pub(super) fn uuid(row: &Row<'_>, column: usize) -> Work<Uuid> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

pub(super) fn uuid_or_none(row: &Row<'_>, column: usize) -> Work<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(Uuid::from_bytes))
}

/// Which way a statement reads a list: how rows beyond a key compare with it, and the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) beyond: &'static str,
    pub(super) order: &'static str,
}

const UP: Way = Way { beyond: ">", order: "ASC" };
const DOWN: Way = Way { beyond: "<", order: "DESC" };

/// The way to a page of a list in growing order.
pub(super) fn growing<K>(at: Option<&Beside<K>>) -> Way {
    if matches!(at, Some(Beside::Before(_))) { DOWN } else { UP }
}

/// The way to a page of a list in falling order.
pub(super) fn falling<K>(at: Option<&Beside<K>>) -> Way {
    if matches!(at, Some(Beside::Before(_))) { UP } else { DOWN }
}

/// The page of at most `limit` rows that lies `at`. `read` finds as many rows as it is told, which is one more, the nearest
/// first; `key` is what a row is found by.
pub(super) fn page<T, K>(
    at: Option<&Beside<K>>,
    limit: usize,
    read: impl FnOnce(usize) -> Work<Vec<T>>,
    key: impl Fn(&T) -> K,
) -> Work<Page<T, K>> {
    let limit = limit.max(1);
    let mut rows = read(limit.saturating_add(1))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    if matches!(at, Some(Beside::Before(_))) {
        rows.reverse();
    }
    let (first, last) = (rows.first().map(&key), rows.last().map(&key));
    // The row that a page lies beside is on the page next to it.
    let (previous, next) = match at {
        None => (None, last.filter(|_| more)),
        Some(Beside::After(_)) => (first, last.filter(|_| more)),
        Some(Beside::Before(_)) => (first.filter(|_| more), last),
    };
    Ok(Page { rows, previous, next })
}

/// Things as one value, for `json_each`.
pub(super) fn json<T: serde::Serialize>(things: &[T]) -> Work<String> {
    serde_json::to_string(things).map_err(|_| WorkError::Unreadable("a list of values"))
}

/// Texts as one value, for `json_each`: a statement takes any number of them.
pub(super) fn json_list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    serde_json::Value::from_iter(texts).to_string()
}

/// A terminal's id as its 16 bytes.
pub(super) fn terminal_bytes(id: &TerminalId) -> Work<[u8; 16]> {
    let id = Uuid::try_parse(&id.to_string()).map_err(|_| WorkError::Unreadable("a terminal id"))?;
    Ok(id.into_bytes())
}

pub(super) fn terminal_id(row: &Row<'_>, column: usize) -> Work<TerminalId> {
    TerminalId::parse(&uuid(row, column)?.to_string()).map_err(|_| WorkError::Unreadable("a terminal id"))
}

pub(super) fn millis(row: &Row<'_>, column: usize) -> Work<UtcMillis> {
    Ok(UtcMillis(row.get(column)?))
}

pub(super) fn millis_or_none(row: &Row<'_>, column: usize) -> Work<Option<UtcMillis>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(UtcMillis))
}

/// A count or number that is never negative.
pub(super) fn number(row: &Row<'_>, column: usize) -> Work<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| WorkError::Unreadable("a negative number"))
}

/// As [`number`], where there may be none.
pub(super) fn number_or_none(row: &Row<'_>, column: usize) -> Work<Option<u64>> {
    let number: Option<i64> = row.get(column)?;
    number
        .map(|number| u64::try_from(number).map_err(|_| WorkError::Unreadable("a negative number")))
        .transpose()
}

/// A number on its way into a column. The ingest has refused sequences beyond the range; other counts
/// saturate.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn digest(row: &Row<'_>, column: usize) -> Work<Digest> {
    Ok(Digest::from_bytes(row.get(column)?))
}

pub(super) fn digest_or_none(row: &Row<'_>, column: usize) -> Work<Option<Digest>> {
    Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(Digest::from_bytes))
}

pub(super) fn date(text: &str) -> Work<Date> {
    text.parse().map_err(|_| WorkError::Unreadable("a date"))
}

pub(super) fn date_or_none(row: &Row<'_>, column: usize) -> Work<Option<Date>> {
    row.get::<_, Option<String>>(column)?.as_deref().map(date).transpose()
}

pub(super) fn date_text(date: Option<Date>) -> Option<String> {
    date.map(|date| date.to_string())
}

pub(super) fn bounds(row: &Row<'_>, column: usize) -> Work<Option<Bounds>> {
    let (from, to) = (row.get::<_, Option<i64>>(column)?, row.get::<_, Option<i64>>(column + 1)?);
    Ok(from.zip(to).map(|(from, to)| Bounds { not_before: UtcMillis(from), not_after: UtcMillis(to) }))
}

/// `res` column: absent means accepted.
pub(super) fn result(row: &Row<'_>, column: usize) -> Work<PunchResult> {
    PunchResult::from_res(row.get(column)?).ok_or(WorkError::Unreadable("a result"))
}

/// `hindrance` column: absent means none.
pub(super) fn hindrance(row: &Row<'_>, column: usize) -> Work<Option<PunchResult>> {
    let res: Option<u8> = row.get(column)?;
    res.map(|res| PunchResult::from_res(Some(res)).ok_or(WorkError::Unreadable("a hindrance"))).transpose()
}

pub(super) fn kind(row: &Row<'_>, column: usize) -> Work<EventKind> {
    EventKind::from_name(row.get_ref(column)?.as_str().unwrap_or_default())
        .ok_or(WorkError::Unreadable("an event kind"))
}

pub(super) fn evidence(row: &Row<'_>, column: usize) -> Work<Evidence> {
    Evidence::from_name(row.get_ref(column)?.as_str().unwrap_or_default())
        .ok_or(WorkError::Unreadable("a kind of evidence"))
}

fn named<T: Copy>(row: &Row<'_>, column: usize, all: &[T], name: fn(T) -> &'static str) -> Work<T> {
    let text: String = row.get(column)?;
    all.iter().copied().find(|value| name(*value) == text).ok_or(WorkError::Unreadable("a status or reason"))
}

pub(super) fn contract_status(row: &Row<'_>, column: usize) -> Work<ContractStatus> {
    named(row, column, &ContractStatus::ALL, ContractStatus::name)
}

pub(super) fn terminal_status(row: &Row<'_>, column: usize) -> Work<TerminalStatus> {
    named(row, column, &TerminalStatus::ALL, TerminalStatus::name)
}

pub(super) fn terminal_change(row: &Row<'_>, column: usize) -> Work<TerminalChange> {
    named(row, column, &TerminalChange::ALL, TerminalChange::name)
}

pub(super) fn why(row: &Row<'_>, column: usize) -> Work<Why> {
    named(row, column, &Why::ALL, Why::name)
}

pub(super) fn quarantine_reason(row: &Row<'_>, column: usize) -> Work<QuarantineReason> {
    named(row, column, &QuarantineReason::ALL, QuarantineReason::name)
}

pub(super) fn role(row: &Row<'_>, column: usize) -> Work<Role> {
    named(row, column, &Role::ALL, Role::name)
}

/// Whether `error` says that a unique value is taken.
pub(super) fn is_taken(error: &WorkError) -> bool {
    matches!(error, WorkError::Sql(error) if error.is_taken())
}
