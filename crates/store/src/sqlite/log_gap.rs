//! Whether the log tells of everything that is stored, and everything is stored that it tells of.
//!
//! An event gets its leaf in the transaction that stores it, and its receipt afterwards: an event or a receipt without
//! a leaf was left so by somebody who changed the database. A head would only tell what the leaves tell, and a pack
//! what the heads tell, so that nothing else would ever miss the event. A head that is gone from before
//! another leaves no trace in the trees either: each says how many there are.
//!
//! Nor would anything miss an event whose columns say another time than its bytes: a pack about some days chooses its
//! numbers by them. So before a pack is made, and in a backup, every event's columns are compared with its bytes. Of one that
//! stands at another time since the PC's clock was years off, that time must follow from the clock's offset, which the log
//! holds, unless settings of the clock came with it.

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
const EVENTS: &str = "SELECT terminal_id, seq, occurred_at, json, placed_at, received_at, clock_offset_ms
    FROM events WHERE +contract_id = ?1";

/// The same for PostgreSQL, which gives all rows at once: a page of them, after one of them.
const EVENTS_AFTER: &str =
    "SELECT terminal_id, seq, occurred_at, json, placed_at, received_at, clock_offset_ms
    FROM events WHERE contract_id = ?1 AND (terminal_id, seq) > (?2, ?3) ORDER BY terminal_id, seq LIMIT ?4";

/// Events that came at the same time and may be settings of the clock.
const SETTINGS: &str =
    "SELECT json FROM events WHERE contract_id = ?1 AND terminal_id = ?2 AND received_at = ?3
    AND instr(json, 'time_change') > 0";

/// Everything that is asked here of indices.
#[cfg(test)]
pub(super) const QUERIES: [&str; 7] = [
    SETTINGS,
    NEWEST,
    WITHOUT_LEAF,
    WITHOUT_EVENT,
    ENTRY_WITHOUT_LEAF,
    RECEIPT_WITHOUT_LEAF,
    super::log::COUNT_HEADS,
];

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
    let fault = |row: &Row<'_>| {
        let event = Columns::of(row)?;
        let (terminal, sequence) = (event.terminal, event.sequence);
        Ok((!event.fit(connection, contract)?).then_some(LogFault::ChangedEvent { terminal, sequence }))
    };
    if connection.postgres().is_none() {
        return rows::find(connection, EVENTS, [contract.0], fault);
    }
    let mut after = (vec![], 0);
    loop {
        let page = params![contract.0, after.0, after.1, rows::column(PAGE_EVENTS as u64)];
        let page = rows::all(connection, EVENTS_AFTER, page, |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, Columns::of(row)?))
        })?;
        for (.., event) in &page {
            if !event.fit(connection, contract)? {
                let (terminal, sequence) = (event.terminal, event.sequence);
                return Ok(Some(LogFault::ChangedEvent { terminal, sequence }));
            }
        }
        match page.into_iter().next_back() {
            Some((terminal, sequence, _)) => after = (terminal, sequence),
            None => return Ok(None),
        }
    }
}

/// What the columns of an event say beside its bytes.
struct Columns {
    terminal: TerminalId,
    sequence: u64,
    occurred_at: i64,
    /// Whether number and time are as the bytes tell them.
    are_as_told: bool,
    /// Where it stands, if that is elsewhere.
    placed: Option<Placed>,
}

/// An event that stands at another time than its bytes tell.
struct Placed {
    at: i64,
    received_at: i64,
    clock_offset_ms: i64,
    /// The end of its interval: where it stands if the clock went back between.
    not_after: Option<i64>,
}

impl Columns {
    fn of(row: &Row<'_>) -> Work<Self> {
        let (terminal, sequence) = (rows::terminal_id(row, 0)?, rows::number(row, 1)?);
        let (occurred_at, told) = (row.get(2)?, Told::of(&row.get::<_, String>(3)?));
        let placed = match row.get(4)? {
            None => None,
            Some(at) => Some(Placed {
                at,
                received_at: row.get(5)?,
                clock_offset_ms: row.get(6)?,
                not_after: told.not_after(),
            }),
        };
        let are_as_told = told.fits(sequence, occurred_at);
        Ok(Self { terminal, sequence, occurred_at, are_as_told, placed })
    }

    fn fit(&self, connection: &Connection, contract: ContractId) -> Work<bool> {
        let Some(placed) = self.placed.as_ref().filter(|_| self.are_as_told) else {
            return Ok(self.are_as_told);
        };
        let by_its_offset = self.occurred_at.saturating_add(placed.clock_offset_ms);
        if placed.at == by_its_offset || placed.not_after == Some(placed.at) {
            return Ok(true);
        }
        // By how much settings move it is not added up here: a PC that sends several batches at once, or numbers in any order,
        // must not make a database look changed.
        let key = params![contract.0, rows::terminal_bytes(&self.terminal)?, placed.received_at];
        let setting = |row: &Row<'_>| Ok(Told::of(&row.get::<_, String>(0)?).clock_setting());
        Ok(rows::all(connection, SETTINGS, key, setting)?.iter().any(Option::is_some))
    }
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
