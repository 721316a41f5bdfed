//! Reading a whole log again: every leaf is hashed anew, every kept hash and every head is compared.
//!
//! One pass over each month in the order of its leaves; in memory are a month's heads and a logarithm of its hashes.
//! Who signed a head is for the caller to say, who has the key. Keys and links are read for the caller to compare with
//! their entries ([`noted`]), as a pack's verifier does.

use std::collections::BTreeMap;

use mngntime_ledger::Digest;
use mngntime_ledger::audit::{
    CHANGE_EMPLOYEE, ENROLL_TERMINAL, ENROLL_TERMINAL_AGAIN, LINK_ACCOUNT, MonthRetired, RETIRE_MONTH,
    UNLINK_ACCOUNT,
};
use mngntime_ledger::log::Passing;
use mngntime_model::{TerminalId, UtcMillis};
use rusqlite::Rows;

use super::super::audit::KEPT;
use super::super::log::{ReadBack, leaves_sql, months, signed_head};
use super::super::{Work, WorkError, evidence, log_gap, retention, rows};
use crate::ContractId;
use crate::ports::{EvidenceLink, LeafPlace, LogFault, LogLook, RetiredMonth, SignedHead, StoredEntry, Tree};
use crate::sql::{self, Connection, Row, params};

/// Leaves after which it is told how many have been read.
const LEAVES_PER_WORD: u64 = 10_000;

/// What a head must say.
#[derive(Debug, Clone, Copy)]
pub struct ToldHead<'a> {
    /// Code of its contract.
    pub contract: &'a str,
    /// The head as it is kept.
    pub head: &'a SignedHead,
    /// The last tree of the month before.
    pub previous: Option<&'a Tree>,
    /// Its place among the heads of its month, from 1; absent where they are not looked at.
    pub number: Option<u64>,
}

/// Who looks on while a log is read again.
#[derive(Clone, Copy)]
pub struct Watcher<'a> {
    /// Whether the server has signed this head, and its envelope says all this.
    pub is_signed: &'a dyn Fn(ToldHead<'_>) -> bool,
    /// Is told now and then how many leaves have been read, of how many.
    pub read: &'a dyn Fn(u64, u64),
}

impl std::fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// A log that is not what was signed.
#[derive(Debug)]
pub(super) struct BrokenLog {
    pub(super) contract: String,
    pub(super) fault: LogFault,
}

/// Reads the logs of all contracts.
pub(super) fn check(copy: &Connection, watcher: Watcher<'_>) -> Work<Option<BrokenLog>> {
    let leaves = rows::one(copy, "SELECT count(*) FROM log_leaves", [], |row| rows::number(row, 0))?;
    let mut reading = Reading { copy, watcher, read: 0, leaves: leaves.unwrap_or(0) };
    for (id, contract) in contracts(copy)? {
        let fault = match log_gap::find(copy, id, LogLook::Receipts)? {
            Some(fault) => Some(fault),
            None => reading.contract(id, &contract)?,
        };
        if let Some(fault) = fault {
            return Ok(Some(BrokenLog { contract, fault }));
        }
    }
    Ok(None)
}

/// All contracts with their codes.
fn contracts(copy: &Connection) -> Work<Vec<(ContractId, String)>> {
    let sql = "SELECT id, code FROM contracts ORDER BY id";
    rows::all(copy, sql, [], |row| Ok((ContractId(row.get(0)?), row.get(1)?)))
}

struct Reading<'a> {
    copy: &'a Connection,
    watcher: Watcher<'a>,
    read: u64,
    leaves: u64,
}

impl Reading<'_> {
    fn contract(&mut self, contract: ContractId, code: &str) -> Work<Option<LogFault>> {
        let months = months(self.copy, contract)?;
        if let Some(fault) = orphan(self.copy, contract)? {
            return Ok(Some(fault));
        }
        let retired = retention::retired(self.copy, contract)?;
        let mut previous: Option<SignedHead> = None;
        for month in months {
            let mut heads = heads(self.copy, contract, &month)?;
            // Nothing of a month is signed before the one before it is closed.
            if let Some(open) = previous.as_ref().filter(|head| !head.closed && !heads.is_empty()) {
                return Ok(Some(LogFault::MissingHead { size: open.tree.size }));
            }
            let tree = previous.as_ref().map(|head| &head.tree);
            if let Some(gone) = retired.iter().find(|gone| gone.month == month) {
                if let Some(fault) = self.retired(contract, code, gone, &heads, tree)? {
                    return Ok(Some(fault));
                }
            } else if let Some(fault) = self.month(contract, code, &month, &heads, tree)? {
                return Ok(Some(fault));
            }
            previous = heads.pop();
        }
        Ok(None)
    }

    fn month(
        &mut self,
        contract: ContractId,
        code: &str,
        month: &str,
        heads: &[SignedHead],
        previous: Option<&Tree>,
    ) -> Work<Option<LogFault>> {
        // Two cursors that go forward side by side: a backup is SQLite's file, whatever the server writes to.
        let copy = self.copy.sqlite().ok_or(WorkError::Unreadable("a backup that is no file"))?;
        let mut kept = copy.prepare(KEPT_HASHES).map_err(sql::Error::from)?;
        let kept_rows = kept.query(rusqlite::params![contract.0, month]).map_err(sql::Error::from)?;
        let mut kept = KeptInOrder { rows: kept_rows, next: 0 };
        let mut leaves = copy.prepare(&leaves_sql()).map_err(sql::Error::from)?;
        let range = rusqlite::params![contract.0, month, 0, i64::MAX];
        let mut leaves = leaves.query(range).map_err(sql::Error::from)?;
        let (mut tree, mut heads_left, mut suspect) = (Passing::default(), heads, None);
        while let Some(row) = leaves.next().map_err(sql::Error::from)? {
            let row = &Row::Sqlite(row);
            self.tell();
            let leaf = match ReadBack::of(row, code)?.at(tree.size()) {
                Ok(leaf) => leaf,
                Err(fault) => return Ok(Some(fault)),
            };
            let new = tree.append(leaf);
            if !heads_left.is_empty() && suspect.is_none() && !kept.begin_with(&new)? {
                suspect = Some(named(row)?);
            }
            while let Some((head, rest)) =
                heads_left.split_first().filter(|(head, _)| head.tree.size == tree.size())
            {
                let number = Some((heads.len() - rest.len()) as u64);
                let told = ToldHead { contract: code, head, previous, number };
                if let Some(fault) = self.contradiction(told, tree.root(), suspect.take()) {
                    return Ok(Some(fault));
                }
                heads_left = rest;
            }
        }
        if !heads_left.is_empty() {
            return Ok(Some(LogFault::MissingLeaf { leaf: tree.size() }));
        }
        let size = heads.last().map_or(0, |head| head.tree.size);
        Ok(kept.rows.next().map_err(sql::Error::from)?.is_some().then_some(LogFault::MissingHead { size }))
    }

    /// A month that was retired: its hashes must be each other's and give its heads, its leaves that are left must be among
    /// them, no entry may be gone with the events, and the audit log must say all that.
    fn retired(
        &mut self,
        contract: ContractId,
        code: &str,
        gone: &RetiredMonth,
        heads: &[SignedHead],
        previous: Option<&Tree>,
    ) -> Work<Option<LogFault>> {
        let changed = || Some(LogFault::ChangedRetirement { month: gone.month.clone() });
        let closed = heads.last().filter(|head| head.closed && head.tree == gone.tree);
        if closed.is_none() || !is_told(self.copy, contract, gone)? {
            return Ok(changed());
        }
        let left = self.left(contract, code, &gone.month)?;
        let entries = left.values().filter(|(_, is_entry)| *is_entry).count() as u64;
        let fits = gone.emptied_at.is_none() || left.len() as u64 == entries;
        if !fits || entries.checked_add(gone.events) != Some(gone.tree.size) {
            return Ok(changed());
        }
        let copy = self.copy.sqlite().ok_or(WorkError::Unreadable("a backup that is no file"))?;
        let mut kept = copy.prepare(KEPT_HASHES).map_err(sql::Error::from)?;
        let kept = kept.query(rusqlite::params![contract.0, gone.month]).map_err(sql::Error::from)?;
        let (mut kept, mut tree, mut heads_left) =
            (KeptInOrder { rows: kept, next: 0 }, Passing::default(), heads);
        let size = gone.tree.size;
        while tree.size() < size {
            let index = tree.size();
            let Some(leaf) = kept.take()? else { return Ok(Some(LogFault::ChangedHashes { size })) };
            if let Some((own, _)) = left.get(&index) {
                match own {
                    Ok(own) if *own == leaf => {}
                    Ok(_) => return Ok(Some(LogFault::ChangedHashes { size })),
                    Err(fault) => return Ok(Some(fault.clone())),
                }
            }
            if !kept.begin_with(&tree.append(leaf)[1..])? {
                return Ok(Some(LogFault::ChangedHashes { size }));
            }
            while let Some((head, rest)) =
                heads_left.split_first().filter(|(head, _)| head.tree.size == tree.size())
            {
                let number = Some((heads.len() - rest.len()) as u64);
                let told = ToldHead { contract: code, head, previous, number };
                if let Some(fault) = self.contradiction(told, tree.root(), None) {
                    return Ok(Some(fault));
                }
                heads_left = rest;
            }
        }
        Ok((!heads_left.is_empty() || kept.take()?.is_some()).then_some(LogFault::MissingHead { size }))
    }

    /// The leaves that a retired month has left, by their places: the hash of each, and whether it is an entry's.
    fn left(&mut self, contract: ContractId, code: &str, month: &str) -> Work<BTreeMap<u64, Left>> {
        let range = params![contract.0, month, 0, i64::MAX];
        let left = rows::all(self.copy, &leaves_sql(), range, |row| {
            let index = rows::number(row, 0)?;
            let is_entry = rows::number_or_none(row, 2)?.is_none();
            Ok((index, (ReadBack::of(row, code)?.at(index), is_entry)))
        })?;
        left.iter().for_each(|_| self.tell());
        Ok(left.into_iter().collect())
    }

    /// What is wrong at a head: when the leaves give its root and the kept hashes did not, those were changed.
    fn contradiction(&self, told: ToldHead<'_>, root: Digest, suspect: Option<LogFault>) -> Option<LogFault> {
        let size = told.head.tree.size;
        match (told.head.tree.root == root, suspect) {
            (true, None) => (!(self.watcher.is_signed)(told)).then_some(LogFault::ChangedHead { size }),
            (true, Some(_)) => Some(LogFault::ChangedHashes { size }),
            (false, Some(changed)) => Some(changed),
            (false, None) => Some(LogFault::ChangedHead { size }),
        }
    }

    fn tell(&mut self) {
        self.read += 1;
        if self.read.is_multiple_of(LEAVES_PER_WORD) {
            (self.watcher.read)(self.read, self.leaves);
        }
    }
}

const KEPT_HASHES: &str =
    "SELECT place, hash FROM log_hashes WHERE contract_id = ?1 AND month = ?2 ORDER BY place";

/// A leaf of a retired month.
type Left = (Result<Digest, LogFault>, bool);

/// Whether the audit log says of a retired month what stands in the table.
fn is_told(copy: &Connection, contract: ContractId, gone: &RetiredMonth) -> Work<bool> {
    let sql = "SELECT detail FROM audit INDEXED BY audit_by_action
         WHERE contract_id = ?1 AND action = ?2 AND hash IS NOT NULL";
    let details =
        rows::all(copy, sql, params![contract.0, RETIRE_MONTH], |row| Ok(row.get::<_, String>(0)?))?;
    let told = details.iter().filter_map(|detail| serde_json::from_str::<MonthRetired>(detail).ok());
    let mut of_month = told.filter(|told| told.month == gone.month);
    let is_it = of_month.next().is_some_and(|told| {
        (told.size, told.root, told.events) == (gone.tree.size, gone.tree.root.to_string(), gone.events)
    });
    let sql = "SELECT coalesce(sum(last_number - first_number + 1), 0) FROM retired_numbers
         WHERE contract_id = ?1 AND month = ?2";
    let numbers = rows::one(copy, sql, params![contract.0, gone.month], |row| rows::number(row, 0))?;
    Ok(is_it && of_month.next().is_none() && numbers == Some(gone.events))
}

/// Lets a copy of before the retention be read like a later one: nothing of it is retired.
pub(super) fn add_retention(copy: &rusqlite::Connection) -> Result<(), rusqlite::Error> {
    copy.execute_batch(
        "CREATE TEMP TABLE retired_months (contract_id, month, size, root, events, first_date, last_date, retired_at);
         CREATE TEMP TABLE emptied_months (contract_id, month, emptied_at);
         CREATE TEMP TABLE retired_numbers (contract_id, terminal_id, first_number, last_number, month, first_at,
             last_at);",
    )
}

/// The kept hashes of a month, in the dense order.
struct KeptInOrder<'a> {
    rows: Rows<'a>,
    next: u64,
}

impl KeptInOrder<'_> {
    /// The next one; absent when there is none, or another one.
    fn take(&mut self) -> Work<Option<Digest>> {
        let Some(row) = self.rows.next().map_err(sql::Error::from)? else { return Ok(None) };
        let row = &Row::Sqlite(row);
        let is_next = rows::number(row, 0)? == self.next;
        self.next += 1;
        let bytes = row.get_ref(1)?.as_blob().ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Ok(bytes.filter(|_| is_next).map(Digest::from_bytes))
    }

    fn begin_with(&mut self, hashes: &[Digest]) -> Work<bool> {
        for hash in hashes {
            let Some(row) = self.rows.next().map_err(sql::Error::from)? else { return Ok(false) };
            let row = &Row::Sqlite(row);
            let is_it =
                rows::number(row, 0)? == self.next && row.get_ref(1)?.as_blob().ok() == Some(hash.as_bytes());
            if !is_it {
                return Ok(false);
            }
            self.next += 1;
        }
        Ok(true)
    }
}

/// What stands in a row of [`leaves_sql`], as something that was changed.
fn named(row: &Row<'_>) -> Work<LogFault> {
    Ok(match rows::number_or_none(row, 2)? {
        Some(sequence) => LogFault::ChangedEvent { terminal: rows::terminal_id(row, 1)?, sequence },
        None => LogFault::ChangedEntry { number: rows::number(row, 8)? },
    })
}

fn heads(copy: &Connection, contract: ContractId, month: &str) -> Work<Vec<SignedHead>> {
    let sql = "SELECT month, size, root, closed, signed_at, envelope FROM log_heads
         WHERE contract_id = ?1 AND month = ?2 ORDER BY size, closed";
    rows::all(copy, sql, params![contract.0, month], signed_head)
}

/// A head, or a hash, of a month without leaves.
fn orphan(copy: &Connection, contract: ContractId) -> Work<Option<LogFault>> {
    for table in ["log_heads", "log_hashes"] {
        let sql = format!(
            "SELECT 1 FROM {table} t WHERE t.contract_id = ?1 AND NOT EXISTS (
                 SELECT 1 FROM log_leaves l WHERE l.contract_id = t.contract_id AND l.month = t.month)
             AND NOT EXISTS (
                 SELECT 1 FROM retired_months m WHERE m.contract_id = t.contract_id AND m.month = t.month) LIMIT 1"
        );
        if rows::one(copy, &sql, [contract.0], |_| Ok(()))?.is_some() {
            return Ok(Some(LogFault::MissingLeaf { leaf: 0 }));
        }
    }
    Ok(None)
}

/// A terminal as its enrolments must have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedTerminal {
    /// Its id.
    pub id: TerminalId,
    /// Its public key, as text.
    pub public_key: String,
    /// Name of the PC.
    pub host_name: String,
    /// How its secret key is kept.
    pub key_class: String,
    /// When it was enrolled.
    pub enrolled_at: UtcMillis,
    /// Where its first event stands; absent without any.
    pub first_event: Option<LeafPlace>,
}

/// What a contract's audit log tells of, and what the database says of it.
#[derive(Debug, Clone)]
pub struct Noted {
    /// Enrolments, links and changes of employees, by their numbers.
    pub entries: Vec<StoredEntry>,
    /// All links.
    pub links: Vec<EvidenceLink>,
    /// All terminals.
    pub terminals: Vec<NotedTerminal>,
}

/// Reads what is to be compared, contract by contract.
pub(super) fn noted(copy: &Connection) -> Work<Vec<Noted>> {
    let of = |(contract, code): (ContractId, String)| {
        Ok(Noted {
            entries: entries(copy, contract, &code)?,
            links: evidence::read_people(copy, contract, None)?.links,
            terminals: terminals(copy, contract)?,
        })
    };
    contracts(copy)?.into_iter().map(of).collect()
}

fn entries(copy: &Connection, contract: ContractId, code: &str) -> Work<Vec<StoredEntry>> {
    let sql = format!(
        "SELECT l.month, l.leaf, {KEPT} FROM audit a
         JOIN log_leaves l ON l.audit_id = a.id AND l.audit_id IS NOT NULL AND l.contract_id = a.contract_id
         WHERE a.contract_id = ?1 AND a.action IN (?2, ?3, ?4, ?5, ?6) ORDER BY a.id"
    );
    let actions = params![
        contract.0,
        ENROLL_TERMINAL,
        ENROLL_TERMINAL_AGAIN,
        LINK_ACCOUNT,
        UNLINK_ACCOUNT,
        CHANGE_EMPLOYEE
    ];
    rows::all(copy, &sql, actions, |row| evidence::stored_entry(row, code))
}

fn terminals(copy: &Connection, contract: ContractId) -> Work<Vec<NotedTerminal>> {
    let sql =
        "SELECT t.id, t.public_key, t.host_name, t.key_class, t.enrolled_at, l.month, l.leaf FROM terminals t
         LEFT JOIN log_leaves l ON l.contract_id = t.contract_id AND l.terminal_id = t.id AND l.seq = (
             SELECT min(seq) FROM log_leaves f WHERE f.contract_id = t.contract_id AND f.terminal_id = t.id)
         WHERE t.contract_id = ?1 ORDER BY t.id";
    rows::all(copy, sql, [contract.0], |row| {
        let month: Option<String> = row.get(5)?;
        let first_event = match month {
            Some(month) => Some(LeafPlace { month, leaf: rows::number(row, 6)? }),
            None => None,
        };
        Ok(NotedTerminal {
            id: rows::terminal_id(row, 0)?,
            public_key: row.get(1)?,
            host_name: row.get(2)?,
            key_class: row.get(3)?,
            enrolled_at: rows::millis(row, 4)?,
            first_event,
        })
    })
}
