//! What an evidence pack is made of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::sql::{Connection, Row, params};
use async_trait::async_trait;
use mngntime_ledger::Digest;
use mngntime_ledger::log::{LogHashes, prove_consistency, prove_inclusion};
use mngntime_model::{TerminalId, UtcMillis};

use super::audit::{KEPT, Kept};
use super::judging::ONLY_JUDGEMENTS;
use super::log::{KeptHashes, months, newest_of, place, unreadable};
use super::told::Told;
use super::{SqliteStore, Work, WorkError, contracts, people, retention, rows, terminals};
use crate::ports::{
    Answer, BatchProof, EventReceipts, Evidence, EvidenceAccount, EvidenceLink, EvidencePeople,
    EvidenceScope, EvidenceTerminal, LeafPlace, RetiredRange, SignedHead, StoredEntry, StoredEvent,
    StoredJudgement,
};
use crate::{AccountId, ContractId, EmployeeId, LinkId};

#[async_trait]
impl Evidence for SqliteStore {
    async fn evidence_people(&self, contract: ContractId, code: Option<String>) -> Answer<EvidencePeople> {
        self.read("read the people of an evidence pack", move |connection| {
            read_people(connection, contract, code.as_deref())
        })
        .await
    }

    async fn log_trees(&self, contract: ContractId) -> Answer<Vec<SignedHead>> {
        self.read("read the heads of the log", move |connection| {
            let newest = |month: &String| newest_of(connection, contract, month).transpose();
            months(connection, contract)?.iter().filter_map(newest).collect()
        })
        .await
    }

    async fn evidence_terminals(&self, scope: EvidenceScope) -> Answer<Vec<EvidenceTerminal>> {
        self.read("look for the terminals of an evidence pack", move |connection| {
            find_terminals(connection, &scope)
        })
        .await
    }

    async fn terminals_of_accounts(
        &self,
        contract: ContractId,
        keys: Vec<String>,
    ) -> Answer<Vec<TerminalId>> {
        self.read("look for the terminals of accounts", move |connection| {
            terminals_in_events(connection, contract, &keys)
        })
        .await
    }

    async fn evidence_events(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        from: u64,
        limit: usize,
    ) -> Answer<Vec<StoredEvent>> {
        self.read("read the events of an evidence pack", move |connection| {
            let sql =
                "SELECT l.month, l.leaf, l.seq, e.hash, e.received_at, e.resent, e.clock_offset_ms, e.json
                 FROM log_leaves l JOIN events e USING (contract_id, terminal_id, seq)
                 WHERE l.contract_id = ?1 AND l.terminal_id = ?2 AND l.seq >= ?3
                 AND NOT EXISTS (SELECT 1 FROM retired_months m
                     WHERE m.contract_id = l.contract_id AND m.month = l.month) ORDER BY l.seq LIMIT ?4";
            let terminal = rows::terminal_bytes(&terminal)?;
            let limit = rows::column(limit as u64);
            let page = params![contract.0, terminal, rows::column(from), limit];
            rows::all(connection, sql, page, stored_event)
        })
        .await
    }

    async fn evidence_entries(
        &self,
        contract: ContractId,
        after: u64,
        limit: usize,
    ) -> Answer<Vec<StoredEntry>> {
        self.read("read the audit log for an evidence pack", move |connection| {
            let code = contracts::code(connection, contract)?;
            let sql = format!(
                "SELECT l.month, l.leaf, {KEPT} FROM audit a
                 JOIN log_leaves l ON l.audit_id = a.id AND l.audit_id IS NOT NULL AND l.contract_id = a.contract_id
                 WHERE a.contract_id = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3"
            );
            let page = params![contract.0, rows::column(after), rows::column(limit as u64)];
            rows::all(connection, &sql, page, |row| stored_entry(row, &code))
        })
        .await
    }

    async fn inclusion_proofs(
        &self,
        contract: ContractId,
        month: String,
        size: u64,
        leaves: Vec<u64>,
    ) -> Answer<Vec<Vec<Digest>>> {
        self.read("prove that events are in the log", move |connection| {
            let kept = KeptHashes { connection, contract, month: &month };
            let kept = Remembered { kept: &kept, read: RefCell::default() };
            leaves.into_iter().map(|leaf| prove_inclusion(size, leaf, &kept).map_err(unreadable)).collect()
        })
        .await
    }

    async fn consistency_proof(
        &self,
        contract: ContractId,
        month: String,
        size: u64,
        old_size: u64,
    ) -> Answer<Vec<Digest>> {
        self.read("prove that the log continues an earlier one", move |connection| {
            let kept = KeptHashes { connection, contract, month: &month };
            prove_consistency(size, old_size, &kept).map_err(unreadable)
        })
        .await
    }

    async fn evidence_batches(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        received: (UtcMillis, UtcMillis),
    ) -> Answer<Vec<BatchProof>> {
        self.read("read the batches of an evidence pack", move |connection| {
            let sql =
                "SELECT digest, signature, frame FROM batches WHERE contract_id = ?1 AND terminal_id = ?2
                 AND received_at BETWEEN ?3 AND ?4 ORDER BY received_at, digest";
            let terminal = rows::terminal_bytes(&terminal)?;
            rows::all(connection, sql, params![contract.0, terminal, received.0.0, received.1.0], |row| {
                Ok(BatchProof { digest: rows::digest(row, 0)?, signature: row.get(1)?, frame: row.get(2)? })
            })
        })
        .await
    }

    async fn evidence_receipts(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        received: (UtcMillis, UtcMillis),
    ) -> Answer<Vec<String>> {
        self.read("read the receipts of an evidence pack", move |connection| {
            receipts(connection, contract, &rows::terminal_bytes(&terminal)?, received)
        })
        .await
    }

    async fn event_receipts(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        sequence: u64,
        received_at: UtcMillis,
    ) -> Answer<EventReceipts> {
        self.read("read the receipt of an event", move |connection| {
            let terminal = rows::terminal_bytes(&terminal)?;
            let envelopes = receipts(connection, contract, &terminal, (received_at, received_at))?;
            Ok(EventReceipts { place: place(connection, contract, &terminal, sequence)?, envelopes })
        })
        .await
    }

    async fn evidence_judgements(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        first: u64,
        last: u64,
    ) -> Answer<Vec<StoredJudgement>> {
        self.read("read the results of an evidence pack", move |connection| {
            let sql = format!(
                "SELECT seq, number, judged_at, res, why, judged_by FROM judgements
                 WHERE contract_id = ?1 AND terminal_id = ?2 AND seq BETWEEN ?3 AND ?4
                 UNION ALL {ONLY_JUDGEMENTS}
                 AND e.contract_id = ?1 AND e.terminal_id = ?2 AND e.seq BETWEEN ?3 AND ?4 ORDER BY 1, 2"
            );
            let terminal = rows::terminal_bytes(&terminal)?;
            let range = params![contract.0, terminal, rows::column(first), rows::column(last)];
            rows::all(connection, &sql, range, judgement)
        })
        .await
    }
}

/// Receipts of a terminal for what arrived from the first time to the second, both included.
fn receipts(
    connection: &Connection,
    contract: ContractId,
    terminal: &[u8; 16],
    (first, last): (UtcMillis, UtcMillis),
) -> Work<Vec<String>> {
    let sql = "SELECT envelope FROM receipts WHERE contract_id = ?1 AND terminal_id = ?2
         AND received_at BETWEEN ?3 AND ?4 ORDER BY received_at, request";
    rows::all(connection, sql, params![contract.0, terminal, first.0, last.0], |row| Ok(row.get(0)?))
}

/// The hashes of one tree, each read once: the paths of neighbours share most of theirs.
struct Remembered<'a> {
    kept: &'a dyn LogHashes,
    read: RefCell<BTreeMap<u64, Digest>>,
}

impl LogHashes for Remembered<'_> {
    fn read(&self, places: &[u64]) -> Result<Vec<Digest>, String> {
        let mut read = self.read.borrow_mut();
        let new: Vec<u64> = places.iter().copied().filter(|place| !read.contains_key(place)).collect();
        let found = self.kept.read(&new)?;
        read.extend(new.into_iter().zip(found));
        LogHashes::read(&*read, places)
    }
}

fn stored_event(row: &Row<'_>) -> Work<StoredEvent> {
    Ok(StoredEvent {
        place: LeafPlace { month: row.get(0)?, leaf: rows::number(row, 1)? },
        sequence: rows::number(row, 2)?,
        digest: rows::digest(row, 3)?,
        received_at: rows::millis(row, 4)?,
        resent: row.get(5)?,
        clock_offset_ms: row.get(6)?,
        json: row.get(7)?,
    })
}

pub(super) fn stored_entry(row: &Row<'_>, code: &str) -> Work<StoredEntry> {
    let record = Kept::read(row, 2, code)?.record;
    let record = record.ok_or(WorkError::Unreadable("the detail of an entry of the audit log"))?;
    Ok(StoredEntry { record, place: LeafPlace { month: row.get(0)?, leaf: rows::number(row, 1)? } })
}

fn judgement(row: &Row<'_>) -> Work<StoredJudgement> {
    Ok(StoredJudgement {
        sequence: rows::number(row, 0)?,
        number: rows::number(row, 1)?,
        judged_at: rows::millis(row, 2)?,
        res: row.get(3)?,
        why: row.get(4)?,
        by: row.get(5)?,
    })
}

pub(super) fn read_people(
    connection: &Connection,
    contract: ContractId,
    code: Option<&str>,
) -> Work<EvidencePeople> {
    let sql = format!(
        "{} WHERE contract_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR code = ?2) ORDER BY code",
        people::EMPLOYEE
    );
    let employees = rows::all(connection, &sql, params![contract.0, code], people::read_employee)?;
    let employees = employees.into_iter().map(|employee| employee.data).collect();
    let links = rows::all(
        connection,
        "SELECT a.key, e.code, l.from_date, l.to_date, l.void, l.created_at, l.created_by, l.ended_at, l.ended_by,
             l.id, l.employee_id
         FROM account_links l
         JOIN accounts a ON a.contract_id = l.contract_id AND a.id = l.account_id
         JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
         WHERE l.contract_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR e.code = ?2) ORDER BY a.key, l.created_at, l.id",
        params![contract.0, code],
        link,
    )?;
    Ok(EvidencePeople { employees, accounts: accounts(connection, contract, code)?, links })
}

fn link(row: &Row<'_>) -> Work<EvidenceLink> {
    let ended = rows::millis_or_none(row, 7)?.zip(row.get::<_, Option<String>>(8)?);
    Ok(EvidenceLink {
        account: row.get(0)?,
        employee: row.get(1)?,
        from: rows::date(&row.get::<_, String>(2)?)?,
        to: rows::date_or_none(row, 3)?,
        void: row.get(4)?,
        made: (rows::millis(row, 5)?, row.get(6)?),
        ended,
        id: LinkId(rows::uuid(row, 9)?),
        employee_id: EmployeeId(rows::uuid(row, 10)?),
    })
}

fn accounts(connection: &Connection, contract: ContractId, code: Option<&str>) -> Work<Vec<EvidenceAccount>> {
    let sql = "SELECT id, key FROM accounts WHERE contract_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR id IN (
             SELECT l.account_id FROM account_links l
             JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
             WHERE l.contract_id = ?1 AND e.code = ?2)) ORDER BY key";
    let found = rows::all(connection, sql, params![contract.0, code], |row| {
        Ok((AccountId(rows::uuid(row, 0)?), row.get::<_, String>(1)?))
    })?;
    let named = |(id, key)| Ok(EvidenceAccount { id, key, names: people::names(connection, contract, id)? });
    found.into_iter().map(named).collect()
}

fn find_terminals(connection: &Connection, scope: &EvidenceScope) -> Work<Vec<EvidenceTerminal>> {
    let contract = scope.contract;
    let ids = match (&scope.accounts, scope.terminal) {
        (None, Some(terminal)) => vec![terminal],
        (None, None) => rows::all(
            connection,
            "SELECT id FROM terminals WHERE contract_id = ?1 ORDER BY id",
            [contract.0],
            |row| rows::terminal_id(row, 0),
        )?,
        (Some(accounts), only) => {
            let mut ids = terminals_of(connection, contract, accounts)?;
            ids.retain(|id| only.is_none_or(|only| only == *id));
            ids
        }
    };
    let mut found = Vec::new();
    for id in ids {
        let mut retired = retention::retired_numbers(connection, contract, id)?;
        let numbers = numbers(connection, contract, &id, scope.span, &retired)?;
        let terminal = terminals::find(connection, contract, &id)?;
        if let Some(((first, last), terminal)) = numbers.zip(terminal) {
            retired.retain(|range| first <= range.numbers.first && range.numbers.last <= last);
            found.push(EvidenceTerminal { terminal, first, last, retired });
        }
    }
    Ok(found)
}

/// Terminals on which the accounts have ever logged on or off: on the days without a punch it matters most whether
/// the terminal was watched.
fn terminals_of(
    connection: &Connection,
    contract: ContractId,
    accounts: &[AccountId],
) -> Work<Vec<TerminalId>> {
    let sql = "SELECT DISTINCT terminal_id FROM punches WHERE contract_id = ?1 AND account_id = ?2";
    let mut ids = Vec::new();
    for account in accounts {
        ids.extend(rows::all(connection, sql, params![contract.0, account.0.as_bytes()], |row| {
            rows::terminal_id(row, 0)
        })?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The terminals with an event of one of the accounts. No index knows the accounts of events, since only evidence asks
/// for them: the events are read once, in the order in which they lie in the file, and only those whose text has
/// one of the keys are parsed.
fn terminals_in_events(
    connection: &Connection,
    contract: ContractId,
    keys: &[String],
) -> Work<Vec<TerminalId>> {
    let unreadable = |_| WorkError::Unreadable("an account's key");
    let keys: BTreeSet<&String> = keys.iter().filter(|key| !key.is_empty()).collect();
    // In the events' text a key stands as JSON writes it.
    let texts: Vec<_> =
        keys.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(unreadable)?;
    let texts = serde_json::to_string(&texts).map_err(unreadable)?;
    let found = rows::all(connection, IN_EVENTS, params![contract.0, texts], |row| {
        let key = Told::of(&row.get::<_, String>(1)?).account_key();
        Ok((rows::terminal_id(row, 0)?, key.is_some_and(|key| keys.contains(&key))))
    })?;
    let ids: BTreeSet<TerminalId> =
        found.into_iter().filter(|(_, is_theirs)| *is_theirs).map(|(id, _)| id).collect();
    Ok(ids.into_iter().collect())
}

/// The sign keeps the index of another order away.
const IN_EVENTS: &str = "WITH texts AS MATERIALIZED (SELECT value FROM json_each(?2))
    SELECT terminal_id, json FROM events WHERE +contract_id = ?1
    AND EXISTS (SELECT 1 FROM texts WHERE instr(events.json, texts.value) > 0)";

/// A start of the agent, or another event with that text in it, at a number or before it; and at it or after it.
const START_BEFORE: &str =
    "SELECT seq, json FROM events WHERE contract_id = ?1 AND terminal_id = ?2 AND seq <= ?3
     AND instr(json, 'service_start') > 0 ORDER BY seq DESC LIMIT 1";
const START_AFTER: &str =
    "SELECT seq, json FROM events WHERE contract_id = ?1 AND terminal_id = ?2 AND seq >= ?3
     AND instr(json, 'service_start') > 0 ORDER BY seq LIMIT 1";

/// The nearest start of the agent that `sql` finds from a number on, going by `step`.
fn start(
    connection: &Connection,
    contract: ContractId,
    terminal: &[u8; 16],
    from: i64,
    (sql, step): (&str, i64),
) -> Work<Option<i64>> {
    let mut from = Some(from);
    while let Some(number) = from {
        let found = rows::one(connection, sql, params![contract.0, terminal, number], |row| {
            Ok((row.get::<_, i64>(0)?, Told::of(&row.get::<_, String>(1)?).is_start()))
        })?;
        match found {
            Some((number, true)) => return Ok(Some(number)),
            Some((number, false)) => from = number.checked_add(step),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The numbers of a span, from a start of the agent to a start of the agent. Where nothing happened in it, those
/// around it, which say how the silence began and ended; `None` for a terminal that came later. All time begins
/// with number 1, whether that is there or not.
fn numbers(
    connection: &Connection,
    contract: ContractId,
    terminal: &TerminalId,
    span: Option<(UtcMillis, UtcMillis)>,
    retired: &[RetiredRange],
) -> Work<Option<(u64, u64)>> {
    let terminal = rows::terminal_bytes(terminal)?;
    // Both ends included: a PC's clock may show the last moment that there is.
    let (from, to) = span.map_or((i64::MIN, i64::MAX), |(from, to)| (from.0, to.0.saturating_sub(1)));
    let inside = rows::one(
        connection,
        "SELECT min(seq), max(seq) FROM events
         WHERE contract_id = ?1 AND terminal_id = ?2
         AND coalesce(placed_at, occurred_at) >= ?3 AND coalesce(placed_at, occurred_at) <= ?4",
        params![contract.0, terminal, from, to],
        |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?)),
    )?
    .flatten();
    let gone = retired.iter().map(|range| &range.numbers);
    let gone = gone.filter(|numbers| numbers.at.0.0 <= to && numbers.at.1.0 >= from);
    let gone = gone.map(|numbers| (rows::column(numbers.first), rows::column(numbers.last)));
    let inside = inside.into_iter().chain(gone).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let number = |sql: &str, number: i64| {
        rows::one(connection, sql, params![contract.0, terminal, number], |row| {
            Ok(row.get::<_, Option<i64>>(0)?)
        })
        .map(Option::flatten)
    };
    let before = "SELECT max(seq) FROM events WHERE contract_id = ?1 AND terminal_id = ?2
         AND coalesce(placed_at, occurred_at) < ?3";
    let around = match inside {
        Some(inside) => Some(inside),
        None => number(before, from)?.map(|last| (last, last)),
    };
    let Some((first, last)) = around else {
        return Ok(None);
    };
    let start = |from, way| start(connection, contract, &terminal, from, way);
    let first = if span.is_none() { 1 } else { start(first, (START_BEFORE, -1))?.unwrap_or(first) };
    let last = start(last, (START_AFTER, 1))?.unwrap_or(last).max(last);
    // How far the clock was off at the last events of a batch follows from its settings after them.
    let set = "SELECT max(s.seq) FROM events e JOIN events s ON s.contract_id = e.contract_id
         AND s.terminal_id = e.terminal_id AND s.seq > e.seq AND s.seq <= e.seq + 100 AND s.received_at = e.received_at
         AND instr(s.json, 'time_change') > 0
         WHERE e.contract_id = ?1 AND e.terminal_id = ?2 AND e.seq = ?3";
    let last = number(set, last)?.unwrap_or(last);
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let (first, last) = (number(first), number(last));
    // While a month is emptied, some of its events are still there: its ranges are told whole.
    let around = |number: u64| {
        let of = |range: &&RetiredRange| (range.numbers.first..=range.numbers.last).contains(&number);
        retired.iter().find(of).map_or((number, number), |range| (range.numbers.first, range.numbers.last))
    };
    Ok(Some((around(first).0, around(last).1)))
}

#[cfg(test)]
mod tests {
    use mngntime_ledger::log::{Growing, leaf_hash};

    use super::super::schema;
    use super::*;

    /// Counts how often each hash is read.
    struct Counting {
        hashes: BTreeMap<u64, Digest>,
        reads: RefCell<BTreeMap<u64, u64>>,
    }

    impl LogHashes for Counting {
        fn read(&self, places: &[u64]) -> Result<Vec<Digest>, String> {
            let mut reads = self.reads.borrow_mut();
            places.iter().for_each(|place| *reads.entry(*place).or_default() += 1);
            LogHashes::read(&self.hashes, places)
        }
    }

    /// Looking for accounts in events reads the file from its beginning to its end, not row by row in another order.
    #[test]
    fn accounts_are_looked_for_in_the_order_in_which_events_lie_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {IN_EVENTS}")).unwrap();
        let mut steps = plan.raw_query();
        let mut said = Vec::new();
        while let Some(step) = steps.next().unwrap() {
            said.push(step.get::<_, String>(3).unwrap());
        }
        let of_events: Vec<_> = said.iter().filter(|step| step.contains("events")).collect();
        assert_eq!(of_events, ["SCAN events"], "once, for all keys: {said:?}");
    }

    #[test]
    fn the_proofs_of_many_leaves_read_each_hash_once_and_are_the_same() {
        let nothing = BTreeMap::new();
        let mut tree = Growing::after(0, &nothing).unwrap();
        (0..300_u64).for_each(|n| tree.append(leaf_hash(&n.to_be_bytes())).unwrap());
        let kept = Counting { hashes: tree.into_new(), reads: RefCell::default() };
        let remembered = Remembered { kept: &kept, read: RefCell::default() };
        for leaf in 0..300 {
            let alone = prove_inclusion(300, leaf, &kept.hashes).unwrap();
            assert_eq!(prove_inclusion(300, leaf, &remembered).unwrap(), alone);
        }
        let reads = kept.reads.into_inner();
        assert!(reads.len() > 300 && reads.values().all(|count| *count == 1), "{reads:?}");
    }
}
