//! The months in which batches and receipts lie on PostgreSQL, made ahead and taken away when nothing is left of them
//! (docs/adr/0004-months-on-postgresql.md). SQLite keeps each table in one piece, and has nothing to do here.
//!
//! - A month begins and ends by UTC, whatever zone a contract has: it says where a row lies, and nothing else. What is
//!   retired goes row by row, by the months of the log.
//! - A month that is not there costs nothing: its rows lie in the rest, are found there and go from there. So whoever
//!   reads a table for long (a dump, say) is not waited for; the next round tries again.
//! - A month is dropped when it is over and no row is in it, looked at under a lock that keeps all others out. The one
//!   before this one still counts as going on: what came at its end may not be stored yet.
//! - What is done here is done alone, as all work that is of no one contract ([`crate::sql::Extent`]): no node stores
//!   events meanwhile.

use jiff::ToSpan;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Work, WorkError, rows};
use crate::sql::Connection;

/// The tables that lie by month of receipt.
pub(crate) const TABLES: [&str; 2] = ["batches", "receipts"];

/// Months that are made ahead of this one.
const AHEAD: i32 = 2;

/// How long a look for rows may take while everybody is kept out. Rows that were deleted and not yet cleared away by
/// PostgreSQL make it long; then the month goes on a later day.
const LOOK_TIMEOUT: &str = "2s";

/// A table and the month of it that is to be made.
pub(super) type Month = (&'static str, String);

/// The months that are to be there at `now` and are not.
pub(super) fn missing(connection: &Connection, now: UtcMillis) -> Work<Vec<Month>> {
    if connection.postgres().is_none() {
        return Ok(Vec::new());
    }
    let there = rows::all(
        connection,
        "SELECT CAST(c.relname AS TEXT) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent IN (to_regclass('batches'), to_regclass('receipts'))",
        [],
        |row| Ok(row.get::<_, String>(0)?),
    )?;
    let wanted = (0..=AHEAD).flat_map(|ahead| TABLES.map(|table| (table, month(now, ahead))));
    Ok(wanted.filter(|(table, month)| !there.contains(&part(table, month))).collect())
}

/// Makes a month; `false` when that must wait.
pub(super) fn make(tx: &Connection, (table, month): &Month) -> Work<bool> {
    let made = unless_in_use(tx, |tx| {
        rows::one(tx, "SELECT make_month(?1, ?2)", (*table, month.as_str()), |row| Ok(row.get(0)?))
    })?;
    Ok(made.flatten().unwrap_or(false))
}

/// Months that are over at `now` and hold nothing, by the names of their tables.
pub(super) fn empty(connection: &Connection, now: UtcMillis) -> Work<Vec<String>> {
    if connection.postgres().is_none() {
        return Ok(Vec::new());
    }
    let sql = "SELECT month FROM empty_months(?1) AS month";
    rows::all(connection, sql, [month(now, -1)], |row| Ok(row.get(0)?))
}

/// Drops a month in which there is no row; `false` when there is one, or somebody reads it.
pub(super) fn remove(tx: &Connection, name: &str) -> Work<bool> {
    let dropped = unless_in_use(tx, |tx| {
        let before = rows::one(tx, "SELECT current_setting('statement_timeout')", [], |row| {
            Ok(row.get::<_, String>(0)?)
        })?;
        limit(tx, LOOK_TIMEOUT)?;
        let dropped = rows::one(tx, "SELECT drop_month(?1)", [name], |row| Ok(row.get(0)?))?;
        limit(tx, before.as_deref().unwrap_or("0"))?;
        Ok(dropped)
    })?;
    Ok(dropped.flatten().unwrap_or(false))
}

/// Until the end of the transaction.
fn limit(tx: &Connection, time: &str) -> Work<()> {
    let sql = "SELECT set_config('statement_timeout', ?1, true)";
    rows::one(tx, sql, [time], |_| Ok(())).map(drop)
}

/// Nothing when somebody else is in the way; what was begun is undone then.
fn unless_in_use<T>(tx: &Connection, work: impl FnOnce(&Connection) -> Work<T>) -> Work<Option<T>> {
    match tx.tolerating(work) {
        Err(WorkError::Sql(error)) if error.is_in_use() => Ok(None),
        done => done.map(Some),
    }
}

/// `YYYY-MM`, so many months after that of `now`.
fn month(now: UtcMillis, after: i32) -> String {
    let now = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let first: Date = now.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
    first.saturating_add(after.months()).to_string()[..7].to_owned()
}

/// What the table of a month is called.
fn part(table: &str, month: &str) -> String {
    format!("{table}_{}", month.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_utc() {
        // 2027-01-01T08:59:59.999+09:00, and a millisecond later.
        let new_year = UtcMillis(1_798_761_600_000);
        assert_eq!((month(new_year.plus(-1), 0), month(new_year, 0)), ("2026-12".into(), "2027-01".into()));
        assert_eq!((month(new_year, -1), month(new_year.plus(-1), 2)), ("2026-12".into(), "2027-02".into()));
        // The 31st has no counterpart in February.
        assert_eq!(month(UtcMillis(1_801_353_600_000), 1), "2027-02");
        assert_eq!(part("batches", "2027-02"), "batches_2027_02");
    }
}
