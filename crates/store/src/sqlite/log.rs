//! The log: leaves at intake and with each entry of the audit log, trees and heads afterwards.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::sql::{Connection, Many, Row, params};
use async_trait::async_trait;
use mngntime_ledger::Digest;
use mngntime_ledger::frame::Frame;
use mngntime_ledger::leaf::LogLeaf;
use mngntime_ledger::log::{Growing, LogError, LogHashes, hash_count, root};
use mngntime_model::{TerminalId, UtcMillis};
use rusqlite::types::ValueRef;

use super::audit::{KEPT, Kept};
use super::crowd::Ready;
use super::told::Told;
use super::{SqliteStore, Work, WorkError, contracts, log_gap, rows};
use crate::ports::{
    Answer, GrownTree, Growth, IncomingBatch, IncomingEvent, ItemOutcome, LeafPlace, Log, LogFault, LogLook,
    SignedHead, Tree, UnsignedMonth,
};
use crate::{ContractId, local_date};

#[async_trait]
impl Log for SqliteStore {
    async fn unsigned_months(&self, of: Option<ContractId>) -> Answer<Vec<UnsignedMonth>> {
        // One snapshot: otherwise each of the seeks locks the database anew.
        let find = move |connection: &Connection| {
            connection.snapshot(|snapshot| {
                let contracts = of.map_or_else(|| contracts(snapshot), |contract| Ok(vec![contract]))?;
                unsigned_months(snapshot, &contracts)
            })
        };
        self.read("look for unsigned months of the log", find).await
    }

    async fn grow_log(&self, month: UnsignedMonth, limit: u64) -> Answer<Growth> {
        self.read("read the log back", move |connection| grow(connection, &month, limit)).await
    }

    async fn keep_log_head(&self, grown: GrownTree, signed_at: UtcMillis, envelope: String) -> Answer<bool> {
        self.write("write a head of the log", move |tx| keep_head(tx, &grown, signed_at, &envelope)).await
    }

    async fn log_gap(&self, contract: ContractId, look: LogLook) -> Answer<Option<LogFault>> {
        self.read("compare the log with what is stored", move |connection| {
            log_gap::find(connection, contract, look)
        })
        .await
    }

    async fn newest_head(&self, contract: ContractId) -> Answer<Option<SignedHead>> {
        self.read("read the newest head of the log", move |connection| newest(connection, contract)).await
    }
}

/// The month that takes what arrives at `at`: its own, or the newest there is, should that be later.
pub(super) fn month(tx: &Connection, contract: ContractId, at: UtcMillis) -> Work<String> {
    let newest = "SELECT max(month) FROM log_leaves WHERE contract_id = ?1";
    let newest = rows::one(tx, newest, [contract.0], |row| Ok(row.get::<_, Option<String>>(0)?))?.flatten();
    Ok(month_after(newest, at))
}

/// The month that takes what arrives at `at`, when `newest` is the newest there is.
pub(super) fn month_after(newest: Option<String>, at: UtcMillis) -> String {
    let own = local_date(at).to_string()[..7].to_owned();
    newest.filter(|newest| *newest > own).unwrap_or(own)
}

/// Gives an event its place.
pub(super) fn append(
    tx: &Connection,
    contract: ContractId,
    month: &str,
    terminal: &[u8; 16],
    sequence: u64,
) -> Work<LeafPlace> {
    let leaf = rows::one(
        tx,
        "INSERT INTO log_leaves (contract_id, month, leaf, terminal_id, seq)
         SELECT ?1, ?2, coalesce(max(leaf) + 1, 0), ?3, ?4 FROM log_leaves WHERE contract_id = ?1 AND month = ?2
         RETURNING leaf",
        params![contract.0, month, terminal, rows::column(sequence)],
        |row| rows::number(row, 0),
    )?;
    let leaf = leaf.ok_or(WorkError::Unreadable("a leaf that was just written"))?;
    Ok(LeafPlace { month: month.to_owned(), leaf })
}

/// Gives an entry of the audit log its place.
pub(super) fn append_entry(tx: &Connection, contract: ContractId, at: UtcMillis, number: u64) -> Work<()> {
    let month = month(tx, contract, at)?;
    rows::run(
        tx,
        "INSERT INTO log_leaves (contract_id, month, leaf, audit_id)
         SELECT ?1, ?2, coalesce(max(leaf) + 1, 0), ?3 FROM log_leaves WHERE contract_id = ?1 AND month = ?2",
        params![contract.0, month, rows::column(number)],
    )
    .map(drop)
}

/// The place of an event that is stored.
pub(super) fn place(
    connection: &Connection,
    contract: ContractId,
    terminal: &[u8; 16],
    sequence: u64,
) -> Work<Option<LeafPlace>> {
    rows::one(
        connection,
        "SELECT month, leaf FROM log_leaves WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3",
        params![contract.0, terminal, rows::column(sequence)],
        |row| Ok(LeafPlace { month: row.get(0)?, leaf: rows::number(row, 1)? }),
    )
}

/// Keeps a batch's signature and text.
pub(super) const INSERT_BATCH: &str =
    "INSERT INTO batches (contract_id, terminal_id, received_at, digest, signature, frame)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// What is kept of a batch's text: all but the bytes of these events, which are stored.
pub(super) fn frame<'a>(
    batch: &IncomingBatch,
    stored: impl Iterator<Item = &'a IncomingEvent>,
) -> Work<String> {
    let stored: Vec<_> = stored.map(|event| (event.event.sequence, event.json.as_str())).collect();
    let frame = Frame::of(&batch.signed.payload, &stored).to_text();
    frame.map_err(|_| WorkError::Unreadable("a batch without a JSON form"))
}

/// Keeps the terminal's signature. What was refused (other bytes under a taken number) stays in the text: under its
/// number stand the bytes that came first.
pub(super) fn keep_batch(
    tx: &Connection,
    batch: &IncomingBatch,
    terminal: &[u8; 16],
    items: &[ItemOutcome],
) -> Work<()> {
    let stored = batch.events.iter().zip(items).filter(|(_, item)| item.stored);
    let frame = frame(batch, stored.map(|(event, _)| event))?;
    rows::run(
        tx,
        INSERT_BATCH,
        params![
            batch.contract.0,
            terminal,
            batch.received_at.0,
            batch.signed.digest.as_bytes(),
            batch.signed.signature,
            frame,
        ],
    )
    .map(drop)
}

/// Keeps receipts, each with the batch that it answers.
pub(super) fn keep_receipts(tx: &Connection, given: &[(&Ready, &str)]) -> Work<()> {
    let rows = Many::default()
        .integers(given.iter().map(|(ready, _)| ready.batch.contract.0))
        .blobs(given.iter().map(|(ready, _)| &ready.terminal[..]))
        .integers(given.iter().map(|(ready, _)| ready.batch.received_at.0))
        .blobs(given.iter().map(|(ready, _)| &ready.batch.signed.digest.as_bytes()[..]))
        .texts(given.iter().map(|(_, envelope)| *envelope));
    let keep = "INSERT INTO receipts (contract_id, terminal_id, received_at, request, envelope)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    rows::run_many(tx, keep, &rows).map(drop)
}

/// A seek for each contract and month, whatever the number of leaves.
fn unsigned_months(connection: &Connection, contracts: &[ContractId]) -> Work<Vec<UnsignedMonth>> {
    let mut found = Vec::new();
    for &contract in contracts {
        let months = months(connection, contract)?;
        for (index, month) in months.iter().enumerate() {
            let is_over = index + 1 < months.len();
            let leaves = leaves(connection, contract, month)?;
            let head = newest_of(connection, contract, month)?;
            let told = head.is_some_and(|head| head.closed || (head.tree.size == leaves && !is_over));
            if !told {
                found.push(UnsignedMonth { contract, month: month.clone() });
            }
        }
    }
    Ok(found)
}

/// All contracts.
pub(super) fn contracts(connection: &Connection) -> Work<Vec<ContractId>> {
    rows::all(connection, "SELECT id FROM contracts ORDER BY id", [], |row| Ok(ContractId(row.get(0)?)))
}

/// The contract's months with leaves, oldest first: one seek each. A month that was retired may have none left, and is one
/// of them.
pub(super) fn months(connection: &Connection, contract: ContractId) -> Work<Vec<String>> {
    rows::all(
        connection,
        "WITH RECURSIVE found (month) AS (
             SELECT min(month) FROM log_leaves WHERE contract_id = ?1
             UNION ALL
             SELECT (SELECT min(month) FROM log_leaves WHERE contract_id = ?1 AND month > found.month)
             FROM found WHERE month IS NOT NULL)
         SELECT month FROM found WHERE month IS NOT NULL
         UNION SELECT month FROM retired_months WHERE contract_id = ?1 ORDER BY 1",
        [contract.0],
        |row| Ok(row.get(0)?),
    )
}

pub(super) fn leaves(connection: &Connection, contract: ContractId, month: &str) -> Work<u64> {
    let sql = "SELECT coalesce(max(leaf) + 1, 0) FROM log_leaves WHERE contract_id = ?1 AND month = ?2";
    rows::one(connection, sql, params![contract.0, month], |row| rows::number(row, 0))
        .map(Option::unwrap_or_default)
}

/// Hashes up to the last one that is kept.
fn hashes(connection: &Connection, contract: ContractId, month: &str) -> Work<u64> {
    let sql = "SELECT coalesce(max(place) + 1, 0) FROM log_hashes WHERE contract_id = ?1 AND month = ?2";
    rows::one(connection, sql, params![contract.0, month], |row| rows::number(row, 0))
        .map(Option::unwrap_or_default)
}

/// When the contract's last head was signed.
pub(super) fn last_signed_at(connection: &Connection, contract: ContractId) -> Work<Option<UtcMillis>> {
    Ok(newest(connection, contract)?.map(|head| head.signed_at))
}

/// The contract's last head.
pub(super) fn newest(connection: &Connection, contract: ContractId) -> Work<Option<SignedHead>> {
    head(connection, contract, "", "ORDER BY month DESC, size DESC, closed DESC LIMIT 1")
}

/// The same of one month.
pub(super) fn newest_of(
    connection: &Connection,
    contract: ContractId,
    month: &str,
) -> Work<Option<SignedHead>> {
    head(connection, contract, month, "AND month = ?2 ORDER BY size DESC, closed DESC LIMIT 1")
}

pub(super) const COUNT_HEADS: &str = "SELECT count(*) FROM log_heads WHERE contract_id = ?1 AND month = ?2";

/// How many heads of a month there are.
pub(super) fn heads_of(connection: &Connection, contract: ContractId, month: &str) -> Work<u64> {
    rows::one(connection, COUNT_HEADS, params![contract.0, month], |row| rows::number(row, 0))
        .map(Option::unwrap_or_default)
}

fn head(connection: &Connection, contract: ContractId, month: &str, which: &str) -> Work<Option<SignedHead>> {
    // ?2 is named in any case: a statement takes exactly the parameters it names.
    let sql = format!(
        "SELECT month, size, root, closed, signed_at, envelope FROM log_heads
         WHERE contract_id = ?1 AND ?2 IS NOT NULL {which}"
    );
    rows::one(connection, &sql, params![contract.0, month], signed_head)
}

pub(super) fn signed_head(row: &Row<'_>) -> Work<SignedHead> {
    let tree = Tree { month: row.get(0)?, size: rows::number(row, 1)?, root: rows::digest(row, 2)? };
    Ok(SignedHead { tree, closed: row.get(3)?, signed_at: rows::millis(row, 4)?, envelope: row.get(5)? })
}

fn grow(connection: &Connection, asked: &UnsignedMonth, limit: u64) -> Work<Growth> {
    // One snapshot for everything that is read here.
    connection.snapshot(|snapshot| grow_asked(snapshot, asked, limit))
}

fn grow_asked(snapshot: &Connection, asked: &UnsignedMonth, limit: u64) -> Work<Growth> {
    let months = months(snapshot, asked.contract)?;
    let Some(index) = months.iter().position(|month| *month == asked.month) else {
        return Ok(Growth::Nothing);
    };
    let before = months[..index].last();
    let previous = before.map(|month| newest_of(snapshot, asked.contract, month)).transpose()?.flatten();
    if before.is_some() && !previous.as_ref().is_some_and(|head| head.closed) {
        return Ok(Growth::Nothing);
    }
    let previous = previous.map(|head| head.tree);
    grow_month(snapshot, asked, limit, previous, index + 1 < months.len())
}

fn grow_month(
    connection: &Connection,
    asked: &UnsignedMonth,
    limit: u64,
    previous: Option<Tree>,
    is_over: bool,
) -> Work<Growth> {
    let (contract, month) = (asked.contract, &asked.month);
    let last = newest_of(connection, contract, month)?;
    let size_before = last.as_ref().map_or(0, |head| head.tree.size);
    let heads = match last.as_ref().and_then(SignedHead::heads) {
        Some(heads) => heads.saturating_add(1),
        None => heads_of(connection, contract, month)? + 1,
    };
    let kept = KeptHashes { connection, contract, month };
    if let Some(last) = &last
        && root(last.tree.size, &kept) != Ok(last.tree.root)
    {
        return Ok(Growth::Broken(LogFault::ChangedHashes { size: last.tree.size }));
    }
    // A head and its hashes are written together.
    if hashes(connection, contract, month)? > hash_count(size_before).map_err(unreadable)? {
        return Ok(Growth::Broken(LogFault::MissingHead { size: size_before }));
    }
    let all = leaves(connection, contract, month)?;
    let code = contracts::code(connection, contract)?;
    let size = all.min(size_before + limit);
    let closed = is_over && size == all;
    let told = last.is_some_and(|head| head.closed) || !closed;
    if size == size_before && told {
        return Ok(Growth::Nothing);
    }
    let mut tree = Growing::after(size_before, &kept).map_err(unreadable)?;
    for leaf in leaf_hashes(connection, contract, month, &code, size_before..size)? {
        match leaf.at(tree.size()) {
            Ok(leaf) => tree.append(leaf).map_err(unreadable)?,
            Err(fault) => return Ok(Growth::Broken(fault)),
        }
    }
    if tree.size() != size {
        return Ok(Growth::Broken(LogFault::MissingLeaf { leaf: tree.size() }));
    }
    let root = tree.root().map_err(unreadable)?;
    let tree_now = Tree { month: month.clone(), size, root };
    let hashes = tree.into_new();
    let grown = GrownTree { contract, code, tree: tree_now, closed, size_before, heads, previous, hashes };
    Ok(Growth::Grown(Box::new(grown)))
}

pub(super) fn unreadable(error: LogError) -> WorkError {
    tracing::error!(%error, "the log's hashes could not be read");
    WorkError::Unreadable("a hash of the log")
}

/// Column of [`leaves_sql`] with the time at which an event happened; absent for an entry of the audit log.
pub(super) const OCCURRED_AT: usize = 16;

/// And of where it stands: by the server's clock, where the PC's was years off.
pub(super) const STANDS_AT: usize = 17;

/// A leaf that was read back: its index, and its hash after what it stands for has been hashed anew.
pub(super) struct ReadBack {
    index: u64,
    hash: Result<Digest, LogFault>,
}

impl ReadBack {
    /// Reads a row of [`leaves_sql`].
    pub(super) fn of(row: &Row<'_>, code: &str) -> Work<Self> {
        let index = rows::number(row, 0)?;
        let is_there = |column| -> Work<bool> { Ok(!matches!(row.get_ref(column)?, ValueRef::Null)) };
        let hash = match (is_there(3)?, is_there(8)?, is_there(9)?) {
            (true, _, _) => stored(row, code)?.checked(),
            (false, true, true) => Kept::read(row, 9, code)?.checked(),
            (false, true, false) => Err(LogFault::ChangedEntry { number: rows::number(row, 8)? }),
            (false, false, _) => Err(LogFault::MissingLeaf { leaf: index }),
        };
        Ok(Self { index, hash })
    }

    pub(super) fn at(self, expected: u64) -> Result<Digest, LogFault> {
        if self.index == expected { self.hash } else { Err(LogFault::MissingLeaf { leaf: expected }) }
    }
}

/// An event as it is stored.
struct Stored {
    leaf: LogLeaf,
    terminal: TerminalId,
    json: String,
    occurred_at: i64,
}

impl Stored {
    /// The leaf's hash, after the event's bytes have been hashed anew and compared with the columns made of them.
    fn checked(&self) -> Result<Digest, LogFault> {
        let changed = LogFault::ChangedEvent { terminal: self.terminal, sequence: self.leaf.seq };
        let is_as_told = Told::of(&self.json).fits(self.leaf.seq, self.occurred_at);
        if Digest::of(self.json.as_bytes()).to_string() != self.leaf.hash || !is_as_told {
            return Err(changed);
        }
        self.leaf.hash().map_err(|_| changed)
    }
}

/// Reads an event from columns 1 to 7, and when it happened.
fn stored(row: &Row<'_>, code: &str) -> Work<Stored> {
    let terminal = rows::terminal_id(row, 1)?;
    let leaf = LogLeaf {
        v: 1,
        contract: code.to_owned(),
        terminal: terminal.to_string(),
        seq: rows::number(row, 2)?,
        hash: rows::digest(row, 3)?.to_string(),
        received_at: row.get(4)?,
        resent: row.get(5)?,
        clock_offset_ms: row.get(6)?,
    };
    Ok(Stored { leaf, terminal, json: row.get(7)?, occurred_at: row.get(OCCURRED_AT)? })
}

fn leaf_hashes(
    connection: &Connection,
    contract: ContractId,
    month: &str,
    code: &str,
    leaves: Range<u64>,
) -> Work<Vec<ReadBack>> {
    let range = params![contract.0, month, rows::column(leaves.start), rows::column(leaves.end)];
    rows::all(connection, &leaves_sql(), range, |row| ReadBack::of(row, code))
}

/// Leaves of contract ?1 and month ?2 from ?3 to before ?4, as [`ReadBack::of`] reads them; the last columns are
/// [`OCCURRED_AT`] and [`STANDS_AT`].
pub(super) fn leaves_sql() -> String {
    format!(
        "SELECT l.leaf, l.terminal_id, l.seq, e.hash, e.received_at, e.resent, e.clock_offset_ms, e.json,
             l.audit_id, {KEPT}, e.occurred_at, coalesce(e.placed_at, e.occurred_at)
         FROM log_leaves l
         LEFT JOIN events e
             ON e.contract_id = l.contract_id AND e.terminal_id = l.terminal_id AND e.seq = l.seq
         LEFT JOIN audit a ON a.id = l.audit_id AND a.contract_id = l.contract_id
         WHERE l.contract_id = ?1 AND l.month = ?2 AND l.leaf >= ?3 AND l.leaf < ?4 ORDER BY l.leaf"
    )
}

/// The hashes of one tree in the database.
pub(super) struct KeptHashes<'a> {
    pub(super) connection: &'a Connection,
    pub(super) contract: ContractId,
    pub(super) month: &'a str,
}

impl LogHashes for KeptHashes<'_> {
    fn read(&self, places: &[u64]) -> Result<Vec<Digest>, String> {
        let sql = "SELECT hash FROM log_hashes WHERE contract_id = ?1 AND month = ?2 AND place = ?3";
        let one = |place: &u64| {
            let key = params![self.contract.0, self.month, rows::column(*place)];
            let found = rows::one(self.connection, sql, key, |row| rows::digest(row, 0));
            found
                .map_err(|error| error.to_string())?
                .ok_or_else(|| format!("hash {place} of {} is missing", self.month))
        };
        places.iter().map(one).collect()
    }
}

fn keep_head(tx: &Connection, grown: &GrownTree, signed_at: UtcMillis, envelope: &str) -> Work<bool> {
    let month = &grown.tree.month;
    let last = newest_of(tx, grown.contract, month)?;
    let is_next = last.as_ref().map_or(0, |head| head.tree.size) == grown.size_before
        && !last.is_some_and(|head| head.closed);
    if !is_next {
        return Ok(false);
    }
    write_hashes(tx, grown.contract, month, &grown.hashes)?;
    rows::run(
        tx,
        "INSERT INTO log_heads (contract_id, month, size, closed, root, signed_at, envelope)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            grown.contract.0,
            month,
            rows::column(grown.tree.size),
            grown.closed,
            grown.tree.root.as_bytes(),
            signed_at.0,
            envelope,
        ],
    )?;
    Ok(true)
}

fn write_hashes(
    tx: &Connection,
    contract: ContractId,
    month: &str,
    hashes: &BTreeMap<u64, Digest>,
) -> Work<()> {
    // With a round trip for each, whoever stores events of the contract would wait for 20,000 of them.
    let rows = Many::default()
        .integers(hashes.iter().map(|_| contract.0))
        .texts(hashes.iter().map(|_| month))
        .integers(hashes.keys().map(|place| rows::column(*place)))
        .blobs(hashes.values().map(|hash| &hash.as_bytes()[..]));
    let keep = "INSERT INTO log_hashes (contract_id, month, place, hash) VALUES (?1, ?2, ?3, ?4)";
    rows::run_many(tx, keep, &rows).map(drop)
}

#[cfg(test)]
mod tests;
