//! What could not be taken as a terminal's word, within bounds.
//!
//! When it is full, what comes later is only counted: an attacker must not be able to push out what the
//! operator has not seen yet. Nothing is lost by that, since an honest agent keeps what was refused.

use crate::sql::{Connection, params};
use mngntime_model::UtcMillis;

use super::{Work, rows};
use crate::ports::{Beside, Page, QuarantineOutcome, QuarantineReport, QuarantineRow, Quarantined};

/// Entries kept in all: a screenful of pages for the operator.
pub(super) const ENTRIES_MAX: u64 = 5_000;

/// Their bytes in all: a small part of any server's disk.
pub(super) const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Entries kept with the same reason, contract and terminal, so that one PC with a wrong configuration, which
/// sends again and again, does not take the room of others.
pub(super) const ENTRIES_PER_SENDER_MAX: u64 = 50;

/// Characters kept of a name that a stranger made up.
const NAME_CHARS_MAX: usize = 128;

pub(super) fn keep(tx: &Connection, entry: &Quarantined) -> Work<QuarantineOutcome> {
    // U+0000 cannot be kept by every database, and nobody has such a name.
    let shorten =
        |text: &str| text.chars().take(NAME_CHARS_MAX).collect::<String>().replace('\0', "\u{fffd}");
    let (contract, terminal) = (shorten(&entry.contract), shorten(&entry.terminal));
    let bytes = entry.body.len() as u64;
    // It is counted for all contracts: a node that holds the lock of one waits here for another's count. Nothing else that
    // is shared is written after it, so that no two wait for each other.
    rows::run(tx, "UPDATE quarantine_counts SET counted_only = counted_only", [])?;
    if !has_room(tx, entry, &contract, &terminal, bytes)? {
        rows::run(tx, "UPDATE quarantine_counts SET counted_only = counted_only + 1", [])?;
        return Ok(QuarantineOutcome::CountedOnly);
    }
    rows::run(
        tx,
        "INSERT INTO quarantine (received_at, reason, contract, terminal, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![entry.received_at.0, entry.reason.name(), contract, terminal, entry.body],
    )?;
    let count = "UPDATE quarantine_counts SET kept = kept + 1, kept_bytes = kept_bytes + ?1";
    rows::run(tx, count, [rows::column(bytes)])?;
    Ok(QuarantineOutcome::Kept)
}

fn has_room(tx: &Connection, entry: &Quarantined, contract: &str, terminal: &str, bytes: u64) -> Work<bool> {
    let (kept, kept_bytes, _) = counts(tx)?;
    let of_sender = rows::one(
        tx,
        "SELECT count(*) FROM quarantine WHERE contract = ?1 AND terminal = ?2 AND reason = ?3",
        params![contract, terminal, entry.reason.name()],
        |row| rows::number(row, 0),
    )?;
    Ok(kept < ENTRIES_MAX
        && kept_bytes.saturating_add(bytes) <= BYTES_MAX
        && of_sender.unwrap_or(0) < ENTRIES_PER_SENDER_MAX)
}

fn counts(connection: &Connection) -> Work<(u64, u64, u64)> {
    let sql = "SELECT kept, kept_bytes, counted_only FROM quarantine_counts";
    let counts = rows::one(connection, sql, [], |row| {
        Ok((rows::number(row, 0)?, rows::number(row, 1)?, rows::number(row, 2)?))
    })?;
    Ok(counts.unwrap_or_default())
}

pub(super) fn report(connection: &Connection, limit: usize) -> Work<QuarantineReport> {
    let (kept, kept_bytes, counted_only) = counts(connection)?;
    let newest = rows::all(
        connection,
        "SELECT received_at, reason, contract, terminal, body FROM quarantine ORDER BY id DESC LIMIT ?1",
        [rows::column(limit as u64)],
        |row| {
            Ok(Quarantined {
                received_at: UtcMillis(row.get(0)?),
                reason: rows::quarantine_reason(row, 1)?,
                contract: row.get(2)?,
                terminal: row.get(3)?,
                body: row.get(4)?,
            })
        },
    )?;
    Ok(QuarantineReport { kept, kept_bytes, counted_only, newest })
}

/// Newest entries with numbers below `before`, without their bytes.
pub(super) fn list(
    connection: &Connection,
    at: Option<Beside<i64>>,
    limit: usize,
) -> Work<Page<QuarantineRow, i64>> {
    let way = rows::falling(at.as_ref());
    let sql = format!(
        "SELECT id, received_at, reason, contract, terminal, length(body) FROM quarantine
         WHERE id {} ?1 ORDER BY id {} LIMIT ?2",
        way.beyond, way.order
    );
    let from = at.as_ref().map_or(i64::MAX, |beside| *beside.key());
    let read = |limit: usize| {
        rows::all(connection, &sql, params![from, rows::column(limit as u64)], |row| {
            Ok(QuarantineRow {
                number: row.get(0)?,
                received_at: rows::millis(row, 1)?,
                reason: rows::quarantine_reason(row, 2)?,
                contract: row.get(3)?,
                terminal: row.get(4)?,
                bytes: rows::number(row, 5)?,
            })
        })
    };
    rows::page(at.as_ref(), limit, read, |row| row.number)
}
