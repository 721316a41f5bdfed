//! Retiring a month: reading it back, deciding, and taking its events out in pieces.
//!
//! Nothing goes that was not read and hashed anew before: a month that is not what its head says stays, since it is what
//! shows that. What stays of a month is enough to prove all that stays: every hash of its tree was compared, so that the
//! entries of the audit log among its leaves can still be proven, and the months after it still continue it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_ledger::audit::{
    EMPTY_MONTH, MonthEmptied, MonthRetired, NumberRange, NumbersRetired, RETIRE_MONTH, RETIRE_NUMBERS,
};
use mngntime_ledger::log::{Passing, hash_count};
use mngntime_model::{TerminalId, UtcMillis};

use super::log::{OCCURRED_AT, ReadBack, STANDS_AT, leaves_sql, months, newest_of, unreadable};
use super::{Work, WorkError, audit, contracts, retention, rows};
use crate::date::begins;
use crate::ports::{
    Act, CLOCK_TRIED_DAYS, CheckedMonth, Emptying, LogFault, MonthCheck, RetiredNumbers, Retirement,
    SignedHead,
};
use crate::retention::{days_of, due_on};
use crate::sql::{Connection, Many, params};
use crate::{ContractId, Refusal, local_date};

/// Leaves read at once.
const LEAVES_AT_ONCE: u64 = 10_000;

/// Ranges of numbers in one entry of the audit log.
const RANGES_PER_ENTRY: usize = 100;

/// Days back in which the server must have run on [`CLOCK_TRIED_DAYS`].
const CLOCK_LOOK_DAYS: i32 = 30;

/// Whether there is an event in a month.
pub(super) fn has_events(connection: &Connection, contract: ContractId, month: &str) -> Work<bool> {
    let sql =
        "SELECT 1 FROM log_leaves WHERE contract_id = ?1 AND month = ?2 AND terminal_id IS NOT NULL LIMIT 1";
    Ok(rows::one(connection, sql, params![contract.0, month], |_| Ok(()))?.is_some())
}

fn is_retired(connection: &Connection, contract: ContractId, month: &str) -> Work<bool> {
    let sql = "SELECT 1 FROM retired_months WHERE contract_id = ?1 AND month = ?2";
    Ok(rows::one(connection, sql, params![contract.0, month], |_| Ok(()))?.is_some())
}

/// When the retired events happened among whose numbers this one is; absent when it is of none.
pub(super) fn numbered(
    connection: &Connection,
    contract: ContractId,
    terminal: &[u8; 16],
    sequence: u64,
) -> Work<Option<(UtcMillis, UtcMillis)>> {
    let sql = "SELECT last_number, first_at, last_at FROM retired_numbers
         WHERE contract_id = ?1 AND terminal_id = ?2 AND first_number <= ?3 ORDER BY first_number DESC LIMIT 1";
    let found = rows::one(connection, sql, params![contract.0, terminal, rows::column(sequence)], |row| {
        Ok((rows::number(row, 0)?, (rows::millis(row, 1)?, rows::millis(row, 2)?)))
    })?;
    Ok(found.filter(|(last, _)| *last >= sequence).map(|(_, at)| at))
}

/// Reads a whole month back.
pub(super) fn check(connection: &Connection, contract: ContractId, month: &str) -> Work<MonthCheck> {
    let head = newest_of(connection, contract, month)?.filter(|head| head.closed);
    let Some(head) = head else { return Ok(MonthCheck::Nothing) };
    let Some((first_day, last_day)) = days_of(month) else { return Ok(MonthCheck::Nothing) };
    if is_retired(connection, contract, month)? || !has_events(connection, contract, month)? {
        return Ok(MonthCheck::Nothing);
    }
    let code = contracts::code(connection, contract)?;
    let mut found = Found::default();
    if let Err(fault) = found.read(connection, contract, &code, &head)? {
        return Ok(MonthCheck::Broken(fault));
    }
    let before = months(connection, contract)?.into_iter().rfind(|before| before.as_str() < month);
    let previous = before.map(|before| newest_of(connection, contract, &before)).transpose()?.flatten();
    let (events, days, numbers) = found.told((first_day, last_day))?;
    Ok(MonthCheck::Whole(Box::new(CheckedMonth {
        contract,
        code,
        head,
        previous: previous.map(|head| head.tree),
        events,
        days,
        numbers,
    })))
}

/// Numbers that follow each other: first, last, and when the earliest and the latest of their events happened.
type Range = (u64, u64, UtcMillis, UtcMillis);

/// An event's terminal and number, when it happened as its bytes say, and where it stands.
type Happened = ([u8; 16], u64, UtcMillis, UtcMillis);

/// What was found in a month.
#[derive(Default)]
struct Found {
    tree: Passing,
    ranges: BTreeMap<[u8; 16], Vec<Range>>,
    /// Where the first and the last of all events stand: until then they are kept.
    stand: Option<(UtcMillis, UtcMillis)>,
}

impl Found {
    /// Reads all leaves of a head and all its hashes.
    fn read(
        &mut self,
        connection: &Connection,
        contract: ContractId,
        code: &str,
        head: &SignedHead,
    ) -> Work<Result<(), LogFault>> {
        let (month, size) = (&head.tree.month, head.tree.size);
        while self.tree.size() < size {
            let from = self.tree.size();
            let to = size.min(from + LEAVES_AT_ONCE);
            let range = params![contract.0, month, rows::column(from), rows::column(to)];
            let leaves = rows::all(connection, &leaves_sql(), range, |row| {
                let event = rows::millis_or_none(row, OCCURRED_AT)?.map(|at| -> Work<_> {
                    let stands_at = rows::millis(row, STANDS_AT)?;
                    Ok((rows::uuid(row, 1)?.into_bytes(), rows::number(row, 2)?, at, stands_at))
                });
                Ok((ReadBack::of(row, code)?, event.transpose()?))
            })?;
            let kept = kept_hashes(connection, contract, month, from, to)?;
            let hashes = match self.append(leaves) {
                Ok(hashes) => hashes,
                Err(fault) => return Ok(Err(fault)),
            };
            if self.tree.size() != to {
                return Ok(Err(LogFault::MissingLeaf { leaf: self.tree.size() }));
            }
            if hashes != kept {
                return Ok(Err(LogFault::ChangedHashes { size }));
            }
        }
        let is_it = self.tree.root() == head.tree.root;
        Ok(if is_it { Ok(()) } else { Err(LogFault::ChangedHead { size }) })
    }

    /// The hashes that some more leaves bring.
    fn append(&mut self, leaves: Vec<(ReadBack, Option<Happened>)>) -> Result<Vec<Digest>, LogFault> {
        let mut hashes = Vec::with_capacity(leaves.len() * 2);
        for (leaf, event) in leaves {
            hashes.extend(self.tree.append(leaf.at(self.tree.size())?));
            let Some((terminal, number, at, stands_at)) = event else { continue };
            let (first, last) = self.stand.unwrap_or((stands_at, stands_at));
            self.stand = Some((first.min(stands_at), last.max(stands_at)));
            let ranges = self.ranges.entry(terminal).or_default();
            match ranges.last_mut().filter(|range| range.1 + 1 == number) {
                Some(range) => *range = (range.0, number, range.2.min(at), range.3.max(at)),
                None => ranges.push((number, number, at, at)),
            }
        }
        Ok(hashes)
    }

    /// How many events, about which days, and their numbers; `days` are the month's own.
    fn told(self, days: (Date, Date)) -> Work<(u64, (Date, Date), Vec<RetiredNumbers>)> {
        let (mut events, mut numbers) = (0, Vec::new());
        let stand = self.stand.map(|(first, last)| (local_date(first), local_date(last)));
        let days = stand.map_or(days, |(first, last)| (days.0.min(first), days.1.max(last)));
        for (terminal, mut ranges) in self.ranges {
            ranges.sort_unstable();
            ranges.dedup_by(|next, range| {
                let follows = range.1 + 1 == next.0;
                if follows {
                    *range = (range.0, next.1, range.2.min(next.2), range.3.max(next.3));
                }
                follows
            });
            let id = uuid::Uuid::from_bytes(terminal).to_string();
            let terminal = TerminalId::parse(&id).map_err(|_| WorkError::Unreadable("a terminal id"))?;
            for (first, last, earliest, latest) in ranges {
                events += last - first + 1;
                numbers.push(RetiredNumbers { terminal, first, last, at: (earliest, latest) });
            }
        }
        Ok((events, days, numbers))
    }
}

/// The kept hashes that the leaves from `from` to before `to` have brought.
fn kept_hashes(
    connection: &Connection,
    contract: ContractId,
    month: &str,
    from: u64,
    to: u64,
) -> Work<Vec<Digest>> {
    let sql =
        "SELECT hash FROM log_hashes WHERE contract_id = ?1 AND month = ?2 AND place >= ?3 AND place < ?4
         ORDER BY place";
    let place = |size| hash_count(size).map(rows::column).map_err(unreadable);
    rows::all(connection, sql, params![contract.0, month, place(from)?, place(to)?], |row| {
        rows::digest(row, 0)
    })
}

/// Retires a month, or says why not.
pub(super) fn retire(tx: &Connection, checked: &CheckedMonth, act: &Act) -> Work<Retirement> {
    let (contract, month) = (checked.contract, &checked.head.tree.month);
    if is_retired(tx, contract, month)? {
        return Ok(Retirement::RetiredBefore);
    }
    let settings = contracts::settings(tx, contract)?;
    if !settings.retires {
        return Ok(Retirement::SwitchedOff);
    }
    let due = due_on(month, checked.days.1, settings.retention_years);
    if due.is_none_or(|due| local_date(act.at) < due) {
        return Ok(Retirement::NotDue(due));
    }
    if retention::is_held(tx, contract, checked.days)? {
        return Ok(Retirement::Held);
    }
    if newest_of(tx, contract, month)?.as_ref() != Some(&checked.head) || checked.numbers.is_empty() {
        return Ok(Retirement::NotClosed);
    }
    if !is_clock_tried(tx, act.at)? {
        return Ok(Retirement::ClockUntried);
    }
    note(tx, checked, settings.retention_years, act)?;
    insert(tx, checked, act)?;
    Ok(Retirement::Retired)
}

/// Whether the server has run on enough days lately: each leaves its size of the database.
fn is_clock_tried(tx: &Connection, now: UtcMillis) -> Work<bool> {
    let today = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    let from = today.saturating_sub(CLOCK_LOOK_DAYS.days());
    let sql = "SELECT count(*) FROM storage_sizes WHERE day >= ?1 AND day <= ?2";
    let days = rows::one(tx, sql, params![from.to_string(), today.to_string()], |row| rows::number(row, 0))?;
    Ok(days.unwrap_or(0) >= CLOCK_TRIED_DAYS)
}

/// Says in the audit log what goes.
fn note(tx: &Connection, checked: &CheckedMonth, retention_years: u8, act: &Act) -> Work<()> {
    let tree = &checked.head.tree;
    let object = format!("month {}", tree.month);
    let detail = MonthRetired {
        month: tree.month.clone(),
        size: tree.size,
        root: tree.root.to_string(),
        events: checked.events,
        first_date: checked.days.0.to_string(),
        last_date: checked.days.1.to_string(),
        retention_years,
    };
    audit::note(tx, Some(checked.contract), RETIRE_MONTH, &object, &detail, act)?;
    for some in checked.numbers.chunks(RANGES_PER_ENTRY) {
        let numbers = some.iter().map(|range| NumberRange {
            terminal: range.terminal.to_string(),
            first: range.first,
            last: range.last,
            first_at: range.at.0.0,
            last_at: range.at.1.0,
        });
        let detail = NumbersRetired { month: tree.month.clone(), numbers: numbers.collect() };
        audit::note(tx, Some(checked.contract), RETIRE_NUMBERS, &object, &detail, act)?;
    }
    Ok(())
}

fn insert(tx: &Connection, checked: &CheckedMonth, act: &Act) -> Work<()> {
    let (contract, tree) = (checked.contract, &checked.head.tree);
    rows::run(
        tx,
        "INSERT INTO retired_months (contract_id, month, size, root, events, first_date, last_date, retired_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            contract.0,
            tree.month,
            rows::column(tree.size),
            tree.root.as_bytes(),
            rows::column(checked.events),
            checked.days.0.to_string(),
            checked.days.1.to_string(),
            act.at.0,
        ],
    )?;
    let numbers = &checked.numbers;
    let terminals = numbers.iter().map(|range| rows::terminal_bytes(&range.terminal));
    let terminals = terminals.collect::<Work<Vec<_>>>()?;
    let many = Many::default()
        .integers(numbers.iter().map(|_| contract.0))
        .blobs(terminals.iter().map(|terminal| &terminal[..]))
        .integers(numbers.iter().map(|range| rows::column(range.first)))
        .integers(numbers.iter().map(|range| rows::column(range.last)))
        .texts(numbers.iter().map(|_| tree.month.as_str()))
        .integers(numbers.iter().map(|range| range.at.0.0))
        .integers(numbers.iter().map(|range| range.at.1.0));
    let sql = "INSERT INTO retired_numbers
         (contract_id, terminal_id, first_number, last_number, month, first_at, last_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    rows::run_many(tx, sql, &many).map(drop)
}

/// An event that goes.
struct Going {
    leaf: u64,
    terminal: [u8; 16],
    sequence: i64,
    /// Where its punch stands: by the server's clock where the PC's was years off.
    occurred_at: i64,
    received_at: i64,
}

/// Takes some events out of a retired month.
pub(super) fn empty(
    tx: &Connection,
    contract: ContractId,
    month: &str,
    from: u64,
    limit: usize,
    act: &Act,
) -> Work<Emptying> {
    let retired = retention::retired(tx, contract)?.into_iter().find(|retired| retired.month == month);
    let retired = retired.ok_or(Refusal::Missing { what: "retired month" })?;
    if retired.emptied_at.is_some() {
        return Ok(Emptying { events: 0, next: None });
    }
    let going = going(tx, contract, month, from, limit)?;
    take_out(tx, contract, &going)?;
    let events = going.len() as u64;
    if going.len() == limit {
        return Ok(Emptying { events, next: going.last().map(|event| event.leaf + 1) });
    }
    if has_events(tx, contract, month)? {
        return Ok(Emptying { events, next: Some(0) });
    }
    forget_receipts(tx, contract, month)?;
    let sql = "INSERT INTO emptied_months (contract_id, month, emptied_at) VALUES (?1, ?2, ?3)";
    rows::run(tx, sql, params![contract.0, month, act.at.0])?;
    let detail = MonthEmptied { month: month.to_owned(), events: retired.events };
    audit::note(tx, Some(contract), EMPTY_MONTH, &format!("month {month}"), &detail, act)?;
    Ok(Emptying { events, next: None })
}

fn going(tx: &Connection, contract: ContractId, month: &str, from: u64, limit: usize) -> Work<Vec<Going>> {
    rows::all(
        tx,
        "SELECT l.leaf, l.terminal_id, l.seq, coalesce(e.placed_at, e.occurred_at), e.received_at FROM log_leaves l
         JOIN events e ON e.contract_id = l.contract_id AND e.terminal_id = l.terminal_id AND e.seq = l.seq
         WHERE l.contract_id = ?1 AND l.month = ?2 AND l.leaf >= ?3 AND l.terminal_id IS NOT NULL
         ORDER BY l.leaf LIMIT ?4",
        params![contract.0, month, rows::column(from), rows::column(limit as u64)],
        |row| {
            Ok(Going {
                leaf: rows::number(row, 0)?,
                terminal: rows::uuid(row, 1)?.into_bytes(),
                sequence: row.get(2)?,
                occurred_at: row.get(3)?,
                received_at: row.get(4)?,
            })
        },
    )
}

/// What is known of a stay goes with its logon.
const STAYS: &str = "DELETE FROM unattended_stays WHERE contract_id = ?1 AND terminal_id = ?2 AND stay =
     (SELECT p.stay FROM punches p WHERE p.contract_id = ?1 AND p.terminal_id = ?2 AND p.seq = ?3
      AND p.occurred_at = ?4 AND p.kind = 'logon')";
const JUDGEMENTS: &str = "DELETE FROM judgements WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3";
const PUNCHES: &str =
    "DELETE FROM punches WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3 AND occurred_at = ?4";
const LEAVES: &str = "DELETE FROM log_leaves WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3";
const EVENTS: &str = "DELETE FROM events WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3";
const BATCHES: &str = "DELETE FROM batches WHERE contract_id = ?1 AND terminal_id = ?2 AND received_at = ?3";
const RECEIPTS: &str =
    "DELETE FROM receipts WHERE contract_id = ?1 AND terminal_id = ?2 AND received_at = ?3";

fn take_out(tx: &Connection, contract: ContractId, going: &[Going]) -> Work<()> {
    let numbered = || {
        Many::default()
            .integers(going.iter().map(|_| contract.0))
            .blobs(going.iter().map(|event| &event.terminal[..]))
            .integers(going.iter().map(|event| event.sequence))
    };
    let timed = || numbered().integers(going.iter().map(|event| event.occurred_at));
    rows::run_many(tx, STAYS, &timed())?;
    rows::run_many(tx, JUDGEMENTS, &numbered())?;
    rows::run_many(tx, PUNCHES, &timed())?;
    rows::run_many(tx, LEAVES, &numbered())?;
    rows::run_many(tx, EVENTS, &numbered())?;
    let came: BTreeSet<_> = going.iter().map(|event| (event.terminal, event.received_at)).collect();
    let came_in = || {
        Many::default()
            .integers(came.iter().map(|_| contract.0))
            .blobs(came.iter().map(|(terminal, _)| &terminal[..]))
            .integers(came.iter().map(|(_, at)| *at))
    };
    rows::run_many(tx, BATCHES, &came_in())?;
    rows::run_many(tx, RECEIPTS, &came_in()).map(drop)
}

/// Receipts of a month that name no event which is still there: those for what a PC sent once more, or for what was
/// refused. The others have gone with their events.
const IDLE_RECEIPTS: &str =
    "DELETE FROM receipts WHERE contract_id = ?1 AND received_at >= ?2 AND received_at < ?3
    AND terminal_id IN (SELECT t.id FROM terminals t WHERE t.contract_id = ?1)
    AND CASE WHEN json_valid(envelope) AND json_type(envelope, '$.payload.items') = 'array'
        THEN NOT EXISTS (
            SELECT 1 FROM json_each(receipts.envelope, '$.payload.items') item
            WHERE item.value ->> '$.stored' AND NOT EXISTS (
                SELECT 1 FROM retired_numbers n WHERE n.contract_id = receipts.contract_id
                    AND n.terminal_id = receipts.terminal_id
                    AND item.value ->> '$.seq' BETWEEN n.first_number AND n.last_number))
        ELSE FALSE END";

/// The same for PostgreSQL, whose functions on JSON have other names.
const IDLE_RECEIPTS_POSTGRES: &str =
    "DELETE FROM receipts WHERE contract_id = ?1 AND received_at >= ?2 AND received_at < ?3
    AND terminal_id IN (SELECT t.id FROM terminals t WHERE t.contract_id = ?1)
    AND CASE WHEN NOT json_valid(envelope) THEN FALSE
        WHEN jsonb_typeof(CAST(envelope AS JSONB) -> 'payload' -> 'items') = 'array' THEN NOT EXISTS (
            SELECT 1 FROM jsonb_array_elements(CAST(envelope AS JSONB) -> 'payload' -> 'items') AS item(value)
            WHERE CAST(item.value ->> 'stored' AS BOOLEAN) AND NOT EXISTS (
                SELECT 1 FROM retired_numbers n WHERE n.contract_id = receipts.contract_id
                    AND n.terminal_id = receipts.terminal_id
                    AND CAST(item.value ->> 'seq' AS BIGINT) BETWEEN n.first_number AND n.last_number))
        ELSE FALSE END";

fn forget_receipts(tx: &Connection, contract: ContractId, month: &str) -> Work<()> {
    let Some((first, last)) = days_of(month) else { return Ok(()) };
    let sql = if tx.postgres().is_some() { IDLE_RECEIPTS_POSTGRES } else { IDLE_RECEIPTS };
    let end = begins(last.saturating_add(1.day()));
    rows::run(tx, sql, params![contract.0, begins(first).0, end.0]).map(drop)
}
