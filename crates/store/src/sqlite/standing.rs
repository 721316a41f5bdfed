//! What a terminal's numbers and OS runs tell of it.
//!
//! `missing_numbers` is exact after every batch and never computed from the events: an event above the head
//! leaves a range behind, one below it shortens or splits one, a gap's declaration marks what it names. So
//! the receipt's question "what is missing" is one look into an index that is empty for a whole terminal,
//! and a number that is lost for good costs nothing from then on.

use crate::sql::{Connection, Row, params};
use mngntime_model::{Declared, Event, EventKind, UtcMillis};

use super::{Work, rows};
use crate::ContractId;
use crate::ports::{BootReturn, IncomingBatch, MISSING_RANGES_MAX, Standing};

/// OS runs remembered for each terminal besides the last: PCs are restarted a few times a day at most, and two
/// that run side by side are heard in turns within hours.
pub(super) const EARLIER_BOOTS_MAX: u64 = 16;

/// The terminal whose batch is taken in.
pub(super) struct Terminal<'a> {
    pub(super) contract: ContractId,
    pub(super) id: &'a [u8; 16],
}

/// What was known of it before the batch.
pub(super) struct Known {
    pub(super) makeup: String,
    pub(super) agent_version: String,
    pub(super) head: u64,
    pub(super) heard: Heard,
}

impl Known {
    /// Reads `makeup`, `head`, `boot`, `boot_counter_ms`, `boot_heard_at`, `agent_version`.
    pub(super) fn read(row: &Row<'_>) -> Work<Self> {
        let heard = Heard { boot: row.get(2)?, counter_ms: rows::number(row, 3)?, at: rows::millis(row, 4)? };
        Ok(Self { makeup: row.get(0)?, agent_version: row.get(5)?, head: rows::number(row, 1)?, heard })
    }
}

/// The OS run heard last.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) boot: String,
    pub(super) counter_ms: u64,
    pub(super) at: UtcMillis,
}

impl Heard {
    /// What a batch tells.
    pub(super) fn of(batch: &IncomingBatch) -> Self {
        Self { boot: batch.boot.clone(), counter_ms: batch.boot_counter_ms, at: batch.received_at }
    }
}

pub(super) fn known(tx: &Connection, terminal: &Terminal<'_>) -> Work<Option<Known>> {
    rows::one(
        tx,
        "SELECT makeup, head, boot, boot_counter_ms, boot_heard_at, agent_version FROM terminals
         WHERE contract_id = ?1 AND id = ?2",
        params![terminal.contract.0, terminal.id],
        Known::read,
    )
}

/// Takes a newly stored event into account; the head after it.
pub(super) fn stored(
    tx: &Connection,
    terminal: &Terminal<'_>,
    head: u64,
    event: &Event,
    received_at: UtcMillis,
) -> Work<u64> {
    let number = event.sequence;
    if number > head.saturating_add(1) {
        insert(tx, terminal, &Hole { first: head + 1, last: number - 1, declared: None, settled: false })?;
    } else if number <= head {
        fill(tx, terminal, number)?;
    }
    declare(tx, terminal, event, received_at)?;
    Ok(head.max(number))
}

struct Hole {
    first: u64,
    last: u64,
    declared: Option<String>,
    settled: bool,
}

/// The first hole that ends at or after `number`, when it begins at or before `until`.
fn hole(tx: &Connection, terminal: &Terminal<'_>, number: u64, until: u64) -> Work<Option<Hole>> {
    // The one around the number begins before it and is the last of those; else the next one counts.
    for sql in [
        "SELECT first_number, last_number, declared, settled FROM missing_numbers WHERE contract_id = ?1
         AND terminal_id = ?2 AND first_number <= ?3 ORDER BY first_number DESC LIMIT 1",
        "SELECT first_number, last_number, declared, settled FROM missing_numbers WHERE contract_id = ?1
         AND terminal_id = ?2 AND first_number > ?3 ORDER BY first_number LIMIT 1",
    ] {
        let key = params![terminal.contract.0, terminal.id, rows::column(number)];
        let found = rows::one(tx, sql, key, |row| {
            Ok(Hole {
                first: rows::number(row, 0)?,
                last: rows::number(row, 1)?,
                declared: row.get(2)?,
                settled: row.get(3)?,
            })
        })?;
        if let Some(hole) = found.filter(|hole| hole.last >= number) {
            return Ok(Some(hole).filter(|hole| hole.first <= until));
        }
    }
    Ok(None)
}

fn insert(tx: &Connection, terminal: &Terminal<'_>, hole: &Hole) -> Work<()> {
    rows::run(
        tx,
        "INSERT INTO missing_numbers (contract_id, terminal_id, first_number, last_number, declared, settled)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            terminal.contract.0,
            terminal.id,
            rows::column(hole.first),
            rows::column(hole.last),
            hole.declared,
            hole.settled
        ],
    )
    .map(drop)
}

/// Takes `first..=last` out of `hole`, which contains it.
fn cut(tx: &Connection, terminal: &Terminal<'_>, hole: &Hole, first: u64, last: u64) -> Work<()> {
    rows::run(
        tx,
        "DELETE FROM missing_numbers WHERE contract_id = ?1 AND terminal_id = ?2 AND first_number = ?3",
        params![terminal.contract.0, terminal.id, rows::column(hole.first)],
    )?;
    let rest = |first, last| Hole { first, last, declared: hole.declared.clone(), settled: hole.settled };
    if hole.first < first {
        insert(tx, terminal, &rest(hole.first, first - 1))?;
    }
    if last < hole.last {
        insert(tx, terminal, &rest(last + 1, hole.last))?;
    }
    Ok(())
}

fn fill(tx: &Connection, terminal: &Terminal<'_>, number: u64) -> Work<()> {
    match hole(tx, terminal, number, number)? {
        Some(hole) => cut(tx, terminal, &hole, number, number),
        None => Ok(()),
    }
}

/// What a gap says of numbers.
fn declare(tx: &Connection, terminal: &Terminal<'_>, event: &Event, at: UtcMillis) -> Work<()> {
    let cause = event.cause.as_deref().filter(|_| event.kind == EventKind::Gap);
    let Some(declared) = cause.and_then(Declared::parse) else {
        return Ok(());
    };
    if declared.gives_up() {
        let (first, last) = declared.range();
        return mark(tx, terminal, first, last, declared.word());
    }
    // A copy under a new number tells the same story once more.
    if event.supersedes.is_none() {
        note_rolled_back(tx, terminal, at, true)?;
    }
    Ok(())
}

fn mark(tx: &Connection, terminal: &Terminal<'_>, first: u64, last: u64, word: &str) -> Work<()> {
    let mut from = first;
    while let Some(found) = hole(tx, terminal, from, last)? {
        let (begin, end) = (found.first.max(first), found.last.min(last));
        cut(tx, terminal, &found, begin, end)?;
        let declared = Some(word.to_owned());
        insert(tx, terminal, &Hole { first: begin, last: end, declared, settled: found.settled })?;
        if end >= last {
            break;
        }
        from = end + 1;
    }
    Ok(())
}

fn note_rolled_back(tx: &Connection, terminal: &Terminal<'_>, at: UtcMillis, counts: bool) -> Work<()> {
    rows::run(
        tx,
        "UPDATE terminals SET rolled_back_at = ?3, rollbacks = rollbacks + ?4
         WHERE contract_id = ?1 AND id = ?2",
        params![terminal.contract.0, terminal.id, at.0, counts],
    )
    .map(drop)
}

/// The oldest ranges that the terminal has not answered for. One of two lives cannot answer for the other: where
/// there were two, what one does not hold or cannot read is asked of the other all the same, after the rest. Of these
/// every answer names others, chosen by `turn`: what neither life has must not stand before what one of them has.
pub(super) fn missing(tx: &Connection, terminal: &Terminal<'_>, turn: u64) -> Work<Vec<(u64, u64)>> {
    let undeclared = "INDEXED BY missing_undeclared WHERE declared IS NULL";
    let mut ranges = holes(tx, terminal, undeclared, MISSING_RANGES_MAX, 0)?;
    let room = MISSING_RANGES_MAX - ranges.len().min(MISSING_RANGES_MAX);
    if room > 0 && had_two_lives(tx, terminal)? {
        let count = count_given_up(tx, terminal)?;
        // So that the turns end where the ranges do, and none is named twice.
        let begins = turn % count.saturating_sub(room as u64).saturating_add(1);
        ranges.extend(holes(tx, terminal, GIVEN_UP, room, begins)?);
        ranges.sort_unstable();
    }
    Ok(ranges)
}

/// Holes for which one of two lives has answered.
const GIVEN_UP: &str = "WHERE declared IN ('not_held', 'unreadable')";

fn count_given_up(tx: &Connection, terminal: &Terminal<'_>) -> Work<u64> {
    let sql =
        format!("SELECT count(*) FROM missing_numbers {GIVEN_UP} AND contract_id = ?1 AND terminal_id = ?2");
    let count = rows::one(tx, &sql, params![terminal.contract.0, terminal.id], |row| rows::number(row, 0))?;
    Ok(count.unwrap_or_default())
}

fn holes(
    tx: &Connection,
    terminal: &Terminal<'_>,
    which: &str,
    most: usize,
    begins: u64,
) -> Work<Vec<(u64, u64)>> {
    let sql = format!(
        "SELECT first_number, last_number FROM missing_numbers {which}
         AND contract_id = ?1 AND terminal_id = ?2 ORDER BY first_number LIMIT ?3 OFFSET ?4"
    );
    let (most, begins) = (rows::column(most as u64), rows::column(begins));
    let key = params![terminal.contract.0, terminal.id, most, begins];
    rows::all(tx, &sql, key, |row| Ok((rows::number(row, 0)?, rows::number(row, 1)?)))
}

fn had_two_lives(tx: &Connection, terminal: &Terminal<'_>) -> Work<bool> {
    let sql = "SELECT cloned_at IS NOT NULL OR rolled_back_at IS NOT NULL OR conflict <> 0 FROM terminals
         WHERE contract_id = ?1 AND id = ?2";
    let had = rows::one(tx, sql, params![terminal.contract.0, terminal.id], |row| Ok(row.get(0)?))?;
    Ok(had.unwrap_or(false))
}

/// Takes into account in which OS run the batch was sent; the run heard last, after it. A message that is older
/// than what has been heard of its run, or the same once more (held up, or played back), changes nothing.
pub(super) fn hear_boot(
    tx: &Connection,
    terminal: &Terminal<'_>,
    known: Known,
    batch: &IncomingBatch,
) -> Work<Heard> {
    let last = known.heard;
    let now = Heard::of(batch);
    if now.boot == last.boot {
        return Ok(if now.counter_ms > last.counter_ms { now } else { last });
    }
    if let Some(before) = heard_before(tx, terminal, &now.boot)? {
        match BootReturn::of(before.counter_ms, now.counter_ms, now.at.0.saturating_sub(before.at.0)) {
            BootReturn::RanOn => note_cloned(tx, terminal, now.at)?,
            BootReturn::Resumed => note_rolled_back(tx, terminal, now.at, false)?,
            BootReturn::Older => return Ok(last),
        }
    }
    if !last.boot.is_empty() {
        remember(tx, terminal, &last)?;
    }
    Ok(now)
}

fn heard_before(tx: &Connection, terminal: &Terminal<'_>, boot: &str) -> Work<Option<Heard>> {
    rows::one(
        tx,
        "SELECT counter_ms, heard_at FROM earlier_boots WHERE contract_id = ?1 AND terminal_id = ?2 AND boot = ?3",
        params![terminal.contract.0, terminal.id, boot],
        |row| {
            let (counter_ms, at) = (rows::number(row, 0)?, rows::millis(row, 1)?);
            Ok(Heard { boot: boot.to_owned(), counter_ms, at })
        },
    )
}

/// Keeps what was heard of a run.
pub(super) const REMEMBER: &str =
    "INSERT INTO earlier_boots (contract_id, terminal_id, boot, counter_ms, heard_at) VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (contract_id, terminal_id, boot) DO UPDATE SET counter_ms = excluded.counter_ms,
     heard_at = excluded.heard_at";

/// Keeps what was heard of a run that is not the last any more, and forgets the oldest.
fn remember(tx: &Connection, terminal: &Terminal<'_>, heard: &Heard) -> Work<()> {
    rows::run(
        tx,
        REMEMBER,
        params![terminal.contract.0, terminal.id, heard.boot, rows::column(heard.counter_ms), heard.at.0],
    )?;
    forget_old_boots(tx, terminal)
}

fn note_cloned(tx: &Connection, terminal: &Terminal<'_>, at: UtcMillis) -> Work<()> {
    rows::run(
        tx,
        "UPDATE terminals SET cloned_at = ?3 WHERE contract_id = ?1 AND id = ?2",
        params![terminal.contract.0, terminal.id, at.0],
    )
    .map(drop)
}

/// Forgets all runs of a terminal but the ?3 newest.
pub(super) const FORGET_OLD_BOOTS: &str =
    "DELETE FROM earlier_boots WHERE contract_id = ?1 AND terminal_id = ?2 AND boot NOT IN
     (SELECT boot FROM earlier_boots WHERE contract_id = ?1 AND terminal_id = ?2
      ORDER BY heard_at DESC, boot LIMIT ?3)";

fn forget_old_boots(tx: &Connection, terminal: &Terminal<'_>) -> Work<()> {
    rows::run(
        tx,
        FORGET_OLD_BOOTS,
        params![terminal.contract.0, terminal.id, rows::column(EARLIER_BOOTS_MAX)],
    )
    .map(drop)
}

/// Marks the holes as looked into.
pub(super) fn settle(tx: &Connection, terminal: &Terminal<'_>) -> Work<()> {
    rows::run(
        tx,
        "UPDATE missing_numbers SET settled = 1 WHERE contract_id = ?1 AND terminal_id = ?2",
        params![terminal.contract.0, terminal.id],
    )
    .map(drop)
}

/// Active terminals of all contracts by their standing.
pub(super) fn count(connection: &Connection) -> Work<Vec<(Standing, u64)>> {
    let counted = rows::all(
        connection,
        "SELECT CASE WHEN cloned_at IS NOT NULL THEN 'cloned' WHEN rolled_back_at IS NOT NULL THEN 'rolled_back'
         WHEN conflict <> 0 THEN 'conflict' WHEN EXISTS (SELECT 1 FROM missing_numbers AS m
         WHERE m.contract_id = terminals.contract_id AND m.terminal_id = terminals.id AND m.settled = 0
         AND m.declared IS DISTINCT FROM 'earlier_enrollment') THEN 'missing' ELSE 'complete' END AS standing, count(*)
         FROM terminals WHERE status = 'active' GROUP BY standing",
        [],
        |row| Ok((row.get::<_, String>(0)?, rows::number(row, 1)?)),
    )?;
    let of = |standing: &Standing| {
        counted.iter().find(|(name, _)| name == standing.name()).map_or(0, |(_, count)| *count)
    };
    Ok(Standing::ALL.iter().map(|standing| (*standing, of(standing))).collect())
}
