//! Whether the log tells of everything that is stored, and everything is stored that it tells of.
//!
//! An event gets its leaf in the transaction that stores it, and its receipt afterwards: an event or a receipt without
//! a leaf was left so by somebody who changed the database. A head would only tell what the leaves tell, and a pack
//! what the heads tell, so that nothing else would ever miss the event. A head that is gone from before
//! another leaves no trace in the trees either: each says how many there are.
//!
//! Nor would anything miss an event whose columns say another time than its bytes: a pack about some days chooses its
//! numbers by them. So before a pack is made, and in a backup, every event's columns are compared with its bytes.

use mngntime_model::TerminalId;

use super::log::{heads_of, months, newest_of};
use super::told::Told;
use super::{Work, WorkError, rows};
use crate::ContractId;
use crate::ports::{LogFault, LogLook, SignedHead};
use crate::sql::{Connection, Row, params};

/// Events of one page, where a query's rows are all in memory: some ten megabytes.
const PAGE_EVENTS: usize = 20_000;

/// Terminals whose newest event is not the newest one of the log: two seeks for each terminal.
const NEWEST: &str = "SELECT id, stored, told FROM (
        SELECT t.id,
            (SELECT max(e.seq) FROM events e WHERE e.contract_id = t.contract_id AND e.terminal_id = t.id) AS stored,
            (SELECT max(l.seq) FROM log_leaves l
             WHERE l.contract_id = t.contract_id AND l.terminal_id = t.id) AS told
        FROM terminals t WHERE t.contract_id = ?1) AS numbers
    WHERE stored IS DISTINCT FROM told LIMIT 1";

/// Events without a leaf: both sides are read in their indices.
const WITHOUT_LEAF: &str =
    "SELECT e.terminal_id, e.seq FROM events e WHERE e.contract_id = ?1 AND NOT EXISTS (
        SELECT 1 FROM log_leaves l
        WHERE l.contract_id = e.contract_id AND l.terminal_id = e.terminal_id AND l.seq = e.seq) LIMIT 1";

/// Leaves without an event.
const WITHOUT_EVENT: &str = "SELECT l.terminal_id, l.seq FROM log_leaves l
    WHERE l.contract_id = ?1 AND l.terminal_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.contract_id = l.contract_id AND e.terminal_id = l.terminal_id AND e.seq = l.seq) LIMIT 1";

/// Entries of the audit log without a leaf. Those without a digest are older than the leaves.
const ENTRY_WITHOUT_LEAF: &str = "SELECT a.id FROM audit a
    WHERE a.contract_id = ?1 AND a.hash IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM log_leaves l
        WHERE l.contract_id = a.contract_id AND l.audit_id = a.id AND l.audit_id IS NOT NULL) LIMIT 1";

/// Numbers that a receipt calls stored and that have no leaf, nor had one that was retired.
const RECEIPT_WITHOUT_LEAF: &str = "SELECT r.terminal_id, item.value ->> '$.seq' FROM receipts r,
        json_each(r.envelope, '$.payload.items') item
    WHERE r.contract_id = ?1 AND item.value ->> '$.stored' AND NOT EXISTS (
        SELECT 1 FROM log_leaves l WHERE l.contract_id = r.contract_id AND l.terminal_id = r.terminal_id
            AND l.seq = item.value ->> '$.seq') AND NOT EXISTS (
        SELECT 1 FROM retired_numbers n WHERE n.contract_id = r.contract_id AND n.terminal_id = r.terminal_id
            AND n.first_number <= item.value ->> '$.seq' AND n.last_number >= item.value ->> '$.seq') LIMIT 1";

/// The same for PostgreSQL, whose functions on JSON have other names.
const RECEIPT_WITHOUT_LEAF_POSTGRES: &str = "SELECT r.terminal_id, CAST(item.value ->> 'seq' AS BIGINT)
    FROM receipts r, jsonb_array_elements(CAST(r.envelope AS JSONB) -> 'payload' -> 'items') AS item(value)
    WHERE r.contract_id = ?1 AND CAST(item.value ->> 'stored' AS BOOLEAN) AND NOT EXISTS (
        SELECT 1 FROM log_leaves l WHERE l.contract_id = r.contract_id AND l.terminal_id = r.terminal_id
            AND l.seq = CAST(item.value ->> 'seq' AS BIGINT)) AND NOT EXISTS (
        SELECT 1 FROM retired_numbers n WHERE n.contract_id = r.contract_id AND n.terminal_id = r.terminal_id
            AND CAST(item.value ->> 'seq' AS BIGINT) BETWEEN n.first_number AND n.last_number) LIMIT 1";

/// Every event, in the order in which they lie in the file: the sign keeps the index of another order away.
const EVENTS: &str = "SELECT terminal_id, seq, occurred_at, json FROM events WHERE +contract_id = ?1";

/// The same for PostgreSQL, which gives all rows at once: a page of them, after one of them.
const EVENTS_AFTER: &str = "SELECT terminal_id, seq, occurred_at, json FROM events
    WHERE contract_id = ?1 AND (terminal_id, seq) > (?2, ?3) ORDER BY terminal_id, seq LIMIT ?4";

/// Everything that is asked here of indices.
#[cfg(test)]
pub(super) const QUERIES: [&str; 6] =
    [NEWEST, WITHOUT_LEAF, WITHOUT_EVENT, ENTRY_WITHOUT_LEAF, RECEIPT_WITHOUT_LEAF, super::log::COUNT_HEADS];

/// The first thing found that is in one and not in the other.
pub(super) fn find(connection: &Connection, contract: ContractId, look: LogLook) -> Work<Option<LogFault>> {
    if look == LogLook::Newest {
        return newest(connection, contract);
    }
    if let Some((terminal, sequence)) = number(connection, contract, WITHOUT_LEAF)? {
        return Ok(Some(LogFault::UnplacedEvent { terminal, sequence }));
    }
    if let Some((terminal, sequence)) = number(connection, contract, WITHOUT_EVENT)? {
        return Ok(Some(LogFault::LostEvent { terminal, sequence }));
    }
    let entry = rows::one(connection, ENTRY_WITHOUT_LEAF, [contract.0], |row| rows::number(row, 0))?;
    if let Some(number) = entry {
        return Ok(Some(LogFault::UnplacedEntry { number }));
    }
    if let Some(fault) = heads_gone(connection, contract)? {
        return Ok(Some(fault));
    }
    if look == LogLook::Receipts
        && let Some((terminal, sequence)) = number(connection, contract, receipt_without_leaf(connection))?
    {
        return Ok(Some(LogFault::LostEvent { terminal, sequence }));
    }
    if look == LogLook::Receipts { not_as_told(connection, contract) } else { Ok(None) }
}

/// The first month that has fewer heads than its newest one counts: nothing else would miss one before another.
fn heads_gone(connection: &Connection, contract: ContractId) -> Work<Option<LogFault>> {
    for month in months(connection, contract)? {
        let newest = newest_of(connection, contract, &month)?;
        let Some(told) = newest.as_ref().and_then(SignedHead::heads) else { continue };
        let there = heads_of(connection, contract, &month)?;
        if there < told {
            return Ok(Some(LogFault::MissingHeads { month, told, there }));
        }
    }
    Ok(None)
}

/// An event whose columns say something else than its bytes.
fn not_as_told(connection: &Connection, contract: ContractId) -> Work<Option<LogFault>> {
    if connection.postgres().is_none() {
        return rows::find(connection, EVENTS, [contract.0], columns_changed);
    }
    let mut after = (vec![], 0);
    loop {
        let page = params![contract.0, after.0, after.1, rows::column(PAGE_EVENTS as u64)];
        let page = rows::all(connection, EVENTS_AFTER, page, |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, columns_changed(row)?))
        })?;
        if let Some((.., fault)) = page.iter().find(|(.., fault)| fault.is_some()) {
            return Ok(fault.clone());
        }
        match page.into_iter().next_back() {
            Some((terminal, sequence, _)) => after = (terminal, sequence),
            None => return Ok(None),
        }
    }
}

fn columns_changed(row: &Row<'_>) -> Work<Option<LogFault>> {
    let (terminal, sequence) = (rows::terminal_id(row, 0)?, rows::number(row, 1)?);
    let fits = Told::of(&row.get::<_, String>(3)?).fits(sequence, row.get(2)?);
    Ok((!fits).then_some(LogFault::ChangedEvent { terminal, sequence }))
}

fn receipt_without_leaf(connection: &Connection) -> &'static str {
    if connection.postgres().is_some() { RECEIPT_WITHOUT_LEAF_POSTGRES } else { RECEIPT_WITHOUT_LEAF }
}

fn newest(connection: &Connection, contract: ContractId) -> Work<Option<LogFault>> {
    let found = rows::one(connection, NEWEST, params![contract.0], |row| {
        let numbers = (rows::number_or_none(row, 1)?, rows::number_or_none(row, 2)?);
        Ok((rows::terminal_id(row, 0)?, numbers))
    })?;
    Ok(match found {
        Some((terminal, (Some(sequence), told))) if told < Some(sequence) => {
            Some(LogFault::UnplacedEvent { terminal, sequence })
        }
        Some((terminal, (_, Some(sequence)))) => Some(LogFault::LostEvent { terminal, sequence }),
        Some((_, (_, None))) => return Err(WorkError::Unreadable("a number of the log")),
        None => None,
    })
}

fn number(connection: &Connection, contract: ContractId, sql: &str) -> Work<Option<(TerminalId, u64)>> {
    rows::one(connection, sql, [contract.0], |row| Ok((rows::terminal_id(row, 0)?, rows::number(row, 1)?)))
}
