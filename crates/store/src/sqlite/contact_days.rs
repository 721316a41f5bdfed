//! What is kept of a terminal over days: one row for each day on which it was heard of, and its enrolments and
//! versions. Both are written in the transaction of what they tell of, and both are bounded.

use crate::sql::{Connection, params};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_model::{TerminalId, UtcMillis};

use super::{Work, rows, standing};
use crate::ports::{
    CONTACT_DAYS_KEPT, ContactDay, HISTORY_KEPT, IncomingBatch, MissingRange, TerminalChange, TerminalHistory,
};
use crate::{ContractId, local_date};

/// Takes a contact into account.
pub(super) const NOTE: &str =
    "INSERT INTO contact_days AS d (contract_id, terminal_id, day, first_at, last_at, contacts, waiting_max,
     offset_min_ms, offset_max_ms, agent_version) VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5, ?6, ?6, ?7)
     ON CONFLICT (contract_id, terminal_id, day) DO UPDATE SET
     first_at = CASE WHEN d.first_at < excluded.first_at THEN d.first_at ELSE excluded.first_at END,
     last_at = CASE WHEN d.last_at > excluded.last_at THEN d.last_at ELSE excluded.last_at END,
     contacts = d.contacts + 1,
     waiting_max = CASE WHEN d.waiting_max > excluded.waiting_max THEN d.waiting_max ELSE excluded.waiting_max END,
     offset_min_ms = CASE WHEN d.offset_min_ms < excluded.offset_min_ms THEN d.offset_min_ms
         ELSE excluded.offset_min_ms END,
     offset_max_ms = CASE WHEN d.offset_max_ms > excluded.offset_max_ms THEN d.offset_max_ms
         ELSE excluded.offset_max_ms END,
     agent_version = excluded.agent_version";

/// Forgets a terminal's days before ?3.
pub(super) const FORGET: &str =
    "DELETE FROM contact_days WHERE contract_id = ?1 AND terminal_id = ?2 AND day < ?3";

/// Takes a contact into account; `waiting` events are left on the PC after it.
pub(super) fn note(
    tx: &Connection,
    terminal: &standing::Terminal<'_>,
    batch: &IncomingBatch,
    waiting: u64,
) -> Work<()> {
    let day = local_date(batch.received_at);
    let contacts = rows::one(
        tx,
        &format!("{NOTE} RETURNING contacts"),
        params![
            terminal.contract.0,
            terminal.id,
            day.to_string(),
            batch.received_at.0,
            rows::column(waiting),
            batch.clock_offset_ms,
            batch.agent_version,
        ],
        |row| rows::number(row, 0),
    )?;
    if contacts == Some(1) { forget_old_days(tx, terminal, day) } else { Ok(()) }
}

fn forget_old_days(tx: &Connection, terminal: &standing::Terminal<'_>, today: Date) -> Work<()> {
    let oldest = oldest_kept(today).to_string();
    rows::run(tx, FORGET, params![terminal.contract.0, terminal.id, oldest]).map(drop)
}

/// The oldest day that is kept on `today`.
pub(super) fn oldest_kept(today: Date) -> Date {
    today.checked_sub((CONTACT_DAYS_KEPT - 1).days()).unwrap_or(Date::MIN)
}

/// Notes that the agent has another version than before: when, the word for that, and which.
pub(super) const NOTE_VERSION: &str =
    "INSERT INTO terminal_history (contract_id, terminal_id, number, at, what, host_name, agent_version)
     VALUES (?1, ?2, (SELECT coalesce(max(h.number), 0) + 1 FROM terminal_history h
         WHERE h.contract_id = ?1 AND h.terminal_id = ?2), ?3, ?4,
         (SELECT t.host_name FROM terminals t WHERE t.contract_id = ?1 AND t.id = ?2), ?5)";

/// Forgets all but the newest ?3 entries of a terminal's history.
pub(super) const FORGET_HISTORY: &str =
    "DELETE FROM terminal_history WHERE contract_id = ?1 AND terminal_id = ?2 AND number <=
     (SELECT max(h.number) FROM terminal_history h WHERE h.contract_id = ?1 AND h.terminal_id = ?2) - ?3";

/// Notes that the agent has another version than before.
pub(super) fn note_version(
    tx: &Connection,
    terminal: &standing::Terminal<'_>,
    batch: &IncomingBatch,
) -> Work<()> {
    let what = TerminalChange::Version.name();
    let entry = params![terminal.contract.0, terminal.id, batch.received_at.0, what, batch.agent_version];
    rows::run(tx, NOTE_VERSION, entry)?;
    forget_old_history(tx, terminal)
}

fn forget_old_history(tx: &Connection, terminal: &standing::Terminal<'_>) -> Work<()> {
    let key = params![terminal.contract.0, terminal.id, rows::column(HISTORY_KEPT)];
    rows::run(tx, FORGET_HISTORY, key).map(drop)
}

/// Adds an entry to the history and forgets the oldest.
pub(super) fn append(
    tx: &Connection,
    terminal: &standing::Terminal<'_>,
    entry: &TerminalHistory,
) -> Work<()> {
    rows::run(
        tx,
        "INSERT INTO terminal_history (contract_id, terminal_id, number, at, what, host_name, agent_version)
         SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5, ?6 FROM terminal_history
         WHERE contract_id = ?1 AND terminal_id = ?2",
        params![
            terminal.contract.0,
            terminal.id,
            entry.at.0,
            entry.what.name(),
            entry.host_name,
            entry.agent_version
        ],
    )?;
    forget_old_history(tx, terminal)
}

pub(super) fn days(
    connection: &Connection,
    contract: ContractId,
    terminal: &TerminalId,
    since: Date,
) -> Work<Vec<ContactDay>> {
    rows::all(
        connection,
        "SELECT day, first_at, last_at, contacts, waiting_max, offset_min_ms, offset_max_ms, agent_version
         FROM contact_days WHERE contract_id = ?1 AND terminal_id = ?2 AND day >= ?3 ORDER BY day",
        params![contract.0, rows::terminal_bytes(terminal)?, since.to_string()],
        |row| {
            Ok(ContactDay {
                day: rows::date(&row.get::<_, String>(0)?)?,
                first_at: rows::millis(row, 1)?,
                last_at: rows::millis(row, 2)?,
                contacts: rows::number(row, 3)?,
                waiting_max: rows::number(row, 4)?,
                offset_min_ms: row.get(5)?,
                offset_max_ms: row.get(6)?,
                agent_version: row.get(7)?,
            })
        },
    )
}

pub(super) fn history(
    connection: &Connection,
    contract: ContractId,
    terminal: &TerminalId,
    limit: usize,
) -> Work<Vec<TerminalHistory>> {
    rows::all(
        connection,
        "SELECT at, what, host_name, agent_version FROM terminal_history
         WHERE contract_id = ?1 AND terminal_id = ?2 ORDER BY number DESC LIMIT ?3",
        params![contract.0, rows::terminal_bytes(terminal)?, rows::column(limit as u64)],
        |row| {
            Ok(TerminalHistory {
                at: UtcMillis(row.get(0)?),
                what: rows::terminal_change(row, 1)?,
                host_name: row.get(2)?,
                agent_version: row.get(3)?,
            })
        },
    )
}

pub(super) fn missing_ranges(
    connection: &Connection,
    contract: ContractId,
    terminal: &TerminalId,
    limit: usize,
) -> Work<Vec<MissingRange>> {
    rows::all(
        connection,
        "SELECT first_number, last_number, declared, settled FROM missing_numbers
         WHERE contract_id = ?1 AND terminal_id = ?2 ORDER BY first_number DESC LIMIT ?3",
        params![contract.0, rows::terminal_bytes(terminal)?, rows::column(limit as u64)],
        |row| {
            Ok(MissingRange {
                first: rows::number(row, 0)?,
                last: rows::number(row, 1)?,
                declared: row.get(2)?,
                settled: row.get(3)?,
            })
        },
    )
}
