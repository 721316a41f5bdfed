//! What could not be taken as a terminal's word, within bounds.
//!
//! Whoever fills it must not hide others: neither by taking all the room nor by pushing out what the operator has not seen
//! yet. So when it is full, some room is made where most is taken: of the reason and contract with most entries and bytes
//! ([`cost`]) the sender with most of them loses its oldest entry, and so on ([`displaced`]). A flood of one contract code
//! pushes out itself; a PC that has sent once loses its entry last. Against made-up codes without end the server bounds what one
//! address may bring ([`keep_spared`]). What goes is counted, and nothing is lost: an honest agent keeps what was refused.
//!
//! Entries go after [`DAYS_KEPT`] days, and when the operator has looked at them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::json;

use crate::sql::{Connection, Many, params};
use mngntime_model::{EnrollmentRefusal, UtcMillis};

use super::{Work, audit, contracts, rows};
use crate::ports::{
    Beside, Page, QuarantineOutcome, QuarantineReason, QuarantineReport, QuarantineRow, Quarantined,
    RefusedEnrollment,
};
use crate::{Act, ContractId};

/// Entries kept in all: a screenful of pages for the operator.
pub(super) const ENTRIES_MAX: u64 = 5_000;

/// Their bytes in all: a small part of any server's disk.
pub(super) const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Entries kept with the same reason, contract and terminal, so that one PC with a wrong configuration, which
/// sends again and again, does not take the room of others.
pub(super) const ENTRIES_PER_SENDER_MAX: u64 = 50;

/// Entries (or as many bytes) that are displaced at once: looking for them reads all of it.
const ROOM_MADE: u64 = ENTRIES_MAX / 20;

/// An entry goes after so many days.
const DAYS_KEPT: i64 = 30;

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
    if of_sender(tx, entry, &contract, &terminal)? >= ENTRIES_PER_SENDER_MAX || !make_room(tx, bytes)? {
        return count_only(tx, 1);
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

/// The same for an address that has brought much: only while half of the room is free.
pub(super) fn keep_spared(tx: &Connection, entry: &Quarantined) -> Work<QuarantineOutcome> {
    rows::run(tx, "UPDATE quarantine_counts SET counted_only = counted_only", [])?;
    let (kept, kept_bytes, _) = counts(tx)?;
    if kept * 2 < ENTRIES_MAX && kept_bytes * 2 < BYTES_MAX { keep(tx, entry) } else { count_only(tx, 1) }
}

fn count_only(tx: &Connection, entries: u64) -> Work<QuarantineOutcome> {
    let count = "UPDATE quarantine_counts SET counted_only = counted_only + ?1";
    rows::run(tx, count, [rows::column(entries)])?;
    Ok(QuarantineOutcome::CountedOnly)
}

fn of_sender(tx: &Connection, entry: &Quarantined, contract: &str, terminal: &str) -> Work<u64> {
    let of_sender = rows::one(
        tx,
        "SELECT count(*) FROM quarantine WHERE contract = ?1 AND terminal = ?2 AND reason = ?3",
        params![contract, terminal, entry.reason.name()],
        |row| rows::number(row, 0),
    )?;
    Ok(of_sender.unwrap_or(0))
}

/// Makes room for an entry of `bytes` where there is none; `false` for one that is larger than all the room.
fn make_room(tx: &Connection, bytes: u64) -> Work<bool> {
    let (kept, kept_bytes, _) = counts(tx)?;
    if kept < ENTRIES_MAX && kept_bytes.saturating_add(bytes) <= BYTES_MAX {
        return Ok(true);
    }
    let room = BYTES_MAX - BYTES_MAX / 20;
    if bytes > room {
        return Ok(false);
    }
    let sql = "SELECT id, reason, contract, terminal, length(body) FROM quarantine ORDER BY id";
    let all = rows::all(tx, sql, [], |row| {
        let group = (row.get(1)?, row.get(2)?);
        Ok(Entry { id: row.get(0)?, group, terminal: row.get(3)?, bytes: rows::number(row, 4)? })
    })?;
    let gone = displaced(all, ENTRIES_MAX - ROOM_MADE, room - bytes);
    let ids = Many::default().integers(gone.iter().map(|entry| entry.0));
    rows::run_many(tx, "DELETE FROM quarantine WHERE id = ?1", &ids)?;
    let taken = "UPDATE quarantine_counts SET kept = kept - ?1, kept_bytes = kept_bytes - ?2";
    let gone_bytes = gone.iter().map(|entry| entry.1).sum();
    rows::run(tx, taken, params![rows::column(gone.len() as u64), rows::column(gone_bytes)])?;
    count_only(tx, gone.len() as u64)?;
    Ok(true)
}

/// An entry as far as it takes room.
#[derive(Debug)]
struct Entry {
    id: i64,
    /// Reason and contract.
    group: (String, String),
    terminal: String,
    bytes: u64,
}

/// What an entry takes of the room: its place and its bytes.
fn cost(bytes: u64) -> u64 {
    bytes + BYTES_MAX / ENTRIES_MAX
}

/// Entries of one sender or of several, by what they take together.
#[derive(Debug, Default)]
struct Taken<T> {
    cost: u64,
    of: T,
}

/// Number and bytes of an entry, the oldest first.
type OfSender = Taken<VecDeque<(i64, u64)>>;
type OfGroup = Taken<BTreeMap<String, OfSender>>;

/// The greatest among these, and of equal ones the one with the oldest entry.
fn greatest<'a, K: Ord + Clone + 'a, T: 'a>(
    all: impl Iterator<Item = (&'a K, &'a Taken<T>)>,
    oldest: impl Fn(&T) -> i64,
) -> Option<K> {
    let key = |taken: &Taken<T>| (taken.cost, std::cmp::Reverse(oldest(&taken.of)));
    all.max_by_key(|(_, taken)| key(taken)).map(|(name, _)| name.clone())
}

/// Numbers and bytes of what goes of `all` (the oldest first), until no more than that is left.
fn displaced(all: Vec<Entry>, entries_left: u64, bytes_left: u64) -> Vec<(i64, u64)> {
    let (mut entries, mut bytes) = (all.len() as u64, all.iter().map(|entry| entry.bytes).sum::<u64>());
    let mut groups: BTreeMap<(String, String), OfGroup> = BTreeMap::new();
    for entry in all {
        let group = groups.entry(entry.group).or_default();
        group.cost += cost(entry.bytes);
        let sender = group.of.entry(entry.terminal).or_default();
        sender.cost += cost(entry.bytes);
        sender.of.push_back((entry.id, entry.bytes));
    }
    let first = |of: &VecDeque<(i64, u64)>| of.front().map_or(i64::MAX, |entry| entry.0);
    let first_of_all = |of: &BTreeMap<String, OfSender>| {
        of.values().map(|sender| first(&sender.of)).min().unwrap_or(i64::MAX)
    };
    let mut gone = Vec::new();
    while entries > entries_left || bytes > bytes_left {
        let Some(name) = greatest(groups.iter(), first_of_all) else { break };
        let Some(group) = groups.get_mut(&name) else { break };
        let Some(terminal) = greatest(group.of.iter(), first) else { break };
        let Some(sender) = group.of.get_mut(&terminal) else { break };
        let Some(entry) = sender.of.pop_front() else { break };
        (group.cost, sender.cost) = (group.cost - cost(entry.1), sender.cost - cost(entry.1));
        (entries, bytes) = (entries - 1, bytes - entry.1);
        gone.push(entry);
        if sender.of.is_empty() {
            group.of.remove(&terminal);
        }
        if group.of.is_empty() {
            groups.remove(&name);
        }
    }
    gone
}

/// Takes away what is older than [`DAYS_KEPT`] days; returns how many entries that were.
pub(super) fn forget_old(tx: &Connection, now: UtcMillis) -> Work<u64> {
    rows::run(tx, "UPDATE quarantine_counts SET counted_only = counted_only", [])?;
    let border = now.plus(-DAYS_KEPT * 86_400_000);
    let gone = rows::run(tx, "DELETE FROM quarantine WHERE received_at < ?1", [border.0])?;
    count_anew(tx)?;
    Ok(gone as u64)
}

/// Takes away what the operator has looked at: entries that came up to `last`, and the count of what was only counted.
/// (Not by number: SQLite gives those of an emptied table again.)
pub(super) fn empty(tx: &Connection, last: UtcMillis, act: &Act) -> Work<u64> {
    rows::run(tx, "UPDATE quarantine_counts SET counted_only = counted_only", [])?;
    let (.., counted_only) = counts(tx)?;
    let gone = rows::run(tx, "DELETE FROM quarantine WHERE received_at <= ?1", [last.0])? as u64;
    rows::run(tx, "UPDATE quarantine_counts SET counted_only = 0", [])?;
    count_anew(tx)?;
    if gone > 0 || counted_only > 0 {
        let detail = json!({ "entries": gone, "counted_only": counted_only });
        audit::note(tx, None, "empty_quarantine", "quarantine", &detail, act)?;
    }
    Ok(gone)
}

fn count_anew(tx: &Connection) -> Work<()> {
    let count = "UPDATE quarantine_counts SET kept = (SELECT count(*) FROM quarantine),
        kept_bytes = (SELECT coalesce(sum(length(body)), 0) FROM quarantine)";
    rows::run(tx, count, []).map(drop)
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
    let last = "SELECT received_at FROM quarantine ORDER BY id DESC LIMIT 1";
    let last = rows::one(connection, last, [], |row| rows::millis(row, 0))?;
    let full_percent = (kept * 100 / ENTRIES_MAX).max(kept_bytes * 100 / BYTES_MAX);
    Ok(QuarantineReport { kept, kept_bytes, full_percent, counted_only, last, newest })
}

/// Enrolments kept of a contract that are looked through for [`refused_enrollments`].
const REFUSALS_READ_MAX: i64 = 1_000;

/// PCs that were refused although they gave a key of the contract, the last first. (Others are strangers, and may have any
/// name.)
pub(super) fn refused_enrollments(
    connection: &Connection,
    contract: ContractId,
) -> Work<Vec<RefusedEnrollment>> {
    let sql = "SELECT terminal, received_at, body FROM quarantine
        WHERE contract = ?1 AND reason = ?2 ORDER BY id DESC LIMIT ?3";
    let code = contracts::code(connection, contract)?;
    let refused = QuarantineReason::RefusedEnrollment.name();
    let all = rows::all(connection, sql, params![code, refused, REFUSALS_READ_MAX], |row| {
        let body: Vec<u8> = row.get(2)?;
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let reason = body["refused"].as_str().and_then(EnrollmentRefusal::from_word);
        let (host_name, at) = (row.get(0)?, rows::millis(row, 1)?);
        Ok(reason.map(|reason| RefusedEnrollment { host_name, reason, at }))
    })?;
    let mut found: Vec<RefusedEnrollment> = Vec::new();
    let mut names = BTreeSet::new();
    for refusal in all.into_iter().flatten().filter(|refusal| gave_a_key(refusal.reason)) {
        if names.insert(refusal.host_name.clone()) {
            found.push(refusal);
        }
    }
    Ok(found)
}

fn gave_a_key(reason: EnrollmentRefusal) -> bool {
    match reason {
        EnrollmentRefusal::KeyRevoked | EnrollmentRefusal::KeyExpired | EnrollmentRefusal::KeyUsedUp => true,
        EnrollmentRefusal::KeyUnknown | EnrollmentRefusal::TerminalBlocked => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(of: &[(&str, &str, u64)]) -> Vec<Entry> {
        let entry = |(id, (contract, terminal, bytes)): (usize, &(&str, &str, u64))| Entry {
            id: id as i64 + 1,
            group: ("unknown_contract".to_owned(), (*contract).to_owned()),
            terminal: (*terminal).to_owned(),
            bytes: *bytes,
        };
        of.iter().enumerate().map(entry).collect()
    }

    fn gone(of: &[(&str, &str, u64)], entries_left: u64, bytes_left: u64) -> Vec<i64> {
        displaced(entries(of), entries_left, bytes_left).into_iter().map(|entry| entry.0).collect()
    }

    #[test]
    fn who_takes_most_room_makes_it() {
        let flood = [("dmeo", "pc", 1), ("no", "a", 1), ("no", "a", 1), ("no", "b", 1), ("no", "c", 1)];
        assert_eq!(gone(&flood, 4, u64::MAX), [2], "the oldest of the sender with most");
        assert_eq!(gone(&flood, 2, u64::MAX), [2, 3, 4], "then the oldest of its contract");
        assert_eq!(gone(&flood, 1, u64::MAX), [2, 3, 4, 1], "and of equals the oldest");
        let large = [("no", "a", 9_000_000), ("dmeo", "pc", 1), ("dmeo", "pc", 1), ("no", "b", 9_000_000)];
        assert_eq!(gone(&large, u64::MAX, 9_500_000), [1], "bytes count, too");
        assert_eq!(gone(&large, u64::MAX, u64::MAX), [0_i64; 0]);
        assert_eq!(gone(&[], 0, 0), [0_i64; 0]);
    }
}
