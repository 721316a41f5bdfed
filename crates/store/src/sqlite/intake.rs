//! Taking in batches.
//!
//! An event's bytes are written first and once. Whatever is wrong with contract, terminal or user only
//! changes what is thought of it.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::sql::{Connection, params};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{AccountIdentity, EventKind, PunchResult, UtcMillis};

use super::crowd::Ready;
use super::figures::{self, Change};
use super::judging::{self, Look};
use super::writer::{self, RECEIVE, Received};
use super::{
    SqliteStore, Work, WorkError, contact_days, enrollment, log, night, presence, quarantine, retiring, rows,
    standing,
};
use crate::judge::{Circumstances, Facts, employee_on, hindrance, judge};
use crate::ports::{
    Act, Answer, EnrollmentOutcome, Enrolment, IncomingBatch, IncomingEvent, Intake, ItemOutcome,
    QuarantineOutcome, QuarantineReason, QuarantineReport, Quarantined, Reception, Seal, Sealed, Sender, Why,
};
use crate::{AccountId, ContractId, Refusal, local_date};

/// How stale `accounts.last_seen_at` may be: a write for every punch would buy nothing.
const LAST_SEEN_EVERY_MS: i64 = 3_600_000;

#[async_trait]
impl Intake for SqliteStore {
    async fn identify(&self, contract: &str, terminal: &str) -> Answer<Sender> {
        self.identify_among_others(contract, terminal).await
    }

    async fn receive(&self, batch: IncomingBatch) -> Answer<Reception> {
        let received = self.writer.receive(ready(batch)?, None)?;
        Ok(self.answered(RECEIVE, received).await?.reception)
    }

    async fn receive_and_seal(&self, batch: IncomingBatch, seal: Seal) -> Answer<Sealed> {
        let received = self.writer.receive(ready(batch)?, Some(seal))?;
        let Received { reception, receipt } = self.answered(RECEIVE, received).await?;
        let unsealed = || WorkError::Unreadable("a receipt that was not made").into_store_error(RECEIVE);
        Ok(Sealed { reception, receipt: receipt.ok_or_else(unsealed)? })
    }

    async fn enroll(&self, enrolment: Enrolment) -> Answer<EnrollmentOutcome> {
        self.write("enrol a terminal", move |tx| enrollment::enroll(tx, &enrolment)).await
    }

    async fn quarantine(&self, entry: Quarantined) -> Answer<QuarantineOutcome> {
        let bytes = entry.body.len();
        self.write_sized("put a message into quarantine", bytes, move |tx| quarantine::keep(tx, &entry)).await
    }

    async fn quarantine_spared(&self, entry: Quarantined) -> Answer<QuarantineOutcome> {
        let (operation, bytes) = ("put a message of many into quarantine", entry.body.len());
        self.write_sized(operation, bytes, move |tx| quarantine::keep_spared(tx, &entry)).await
    }

    async fn quarantine_report(&self, limit: usize) -> Answer<QuarantineReport> {
        self.read("read the quarantine", move |connection| quarantine::report(connection, limit)).await
    }

    async fn rejudge_failed(&self, at: UtcMillis, limit: usize) -> Answer<u64> {
        self.write("judge failed punches again", move |tx| rejudge_failed(tx, at, limit)).await
    }

    async fn active_terminals(&self) -> Answer<u64> {
        self.read("count the terminals", |connection| {
            let count = "SELECT count(*) FROM terminals WHERE status = 'active'";
            Ok(rows::one(connection, count, [], |row| rows::number(row, 0))?.unwrap_or(0))
        })
        .await
    }
}

fn ready(batch: IncomingBatch) -> Answer<Ready> {
    Ready::of(batch).map_err(|error| error.into_store_error("make a batch of events ready"))
}

/// What is the same for all events of a batch.
pub(super) struct Arrival<'a> {
    pub(super) batch: &'a IncomingBatch,
    pub(super) terminal: [u8; 16],
    pub(super) now: Circumstances,
    pub(super) act: Act,
    pub(super) month: String,
    /// Whether the batch has brought something new.
    pub(super) is_new: Cell<bool>,
}

pub(super) fn receive(tx: &Connection, batch: &IncomingBatch) -> Work<Reception> {
    let terminal = rows::terminal_bytes(&batch.terminal)?;
    let standing = standing::Terminal { contract: batch.contract, id: &terminal };
    let known = standing::known(tx, &standing)?.ok_or(Refusal::Missing { what: "terminal" })?;
    let now = Circumstances {
        makeup_changed: batch.makeup != known.makeup,
        ..judging::circumstances(tx, batch.contract, &batch.terminal)?
    };
    let act = Act::server(batch.received_at);
    let month = log::month(tx, batch.contract, batch.received_at)?;
    let arrival = Arrival { batch, terminal, now, act, month, is_new: Cell::new(false) };
    let mut head = known.head;
    let mut items = Vec::with_capacity(batch.events.len());
    for event in &batch.events {
        items.push(take(tx, &arrival, event, &mut head)?);
    }
    if arrival.is_new.get() {
        log::keep_batch(tx, batch, &arrival.terminal, &items)?;
    }
    if known.agent_version != batch.agent_version {
        contact_days::note_version(tx, &standing, batch)?;
    }
    let heard = standing::hear_boot(tx, &standing, known, batch)?;
    note_contact(tx, &arrival, &items, head, &heard)?;
    // The digest of a request is as good as a draw, and the same request gets the same answer.
    let turn = batch.signed.digest.as_bytes()[..8].iter().fold(0, |turn, byte| turn << 8 | u64::from(*byte));
    Ok(Reception { head, missing: standing::missing(tx, &standing, turn)?, items })
}

/// Stores one event and judges it, when it is a punch. Moves `head`, the highest number stored.
fn take(
    tx: &Connection,
    arrival: &Arrival<'_>,
    incoming: &IncomingEvent,
    head: &mut u64,
) -> Work<ItemOutcome> {
    let sequence = incoming.event.sequence;
    let outcome =
        |place, result| ItemOutcome { sequence, digest: incoming.digest, stored: true, result, place };
    let contract = arrival.batch.contract;
    match stored_digest(tx, arrival, incoming)? {
        None if sequence <= *head
            && let Some(at) = retiring::numbered(tx, contract, &arrival.terminal, sequence)? =>
        {
            retired(tx, arrival, incoming, at)
        }
        None => {
            insert_event(tx, arrival, incoming)?;
            arrival.is_new.set(true);
            let terminal = standing::Terminal { contract, id: &arrival.terminal };
            *head = standing::stored(tx, &terminal, *head, &incoming.event, arrival.batch.received_at)?;
            let place = log::append(tx, contract, &arrival.month, &arrival.terminal, sequence)?;
            presence::note(tx, contract, &arrival.batch.terminal, &incoming.event)?;
            Ok(outcome(Some(place), judge_new(tx, arrival, incoming)?))
        }
        Some(digest) if digest == incoming.digest => {
            let place = log::place(tx, contract, &arrival.terminal, sequence)?;
            Ok(outcome(place, judge_again(tx, arrival, incoming)?))
        }
        Some(_) => {
            keep_other_bytes(tx, arrival, incoming)?;
            let result = Some(PunchResult::TerminalUnusable);
            Ok(ItemOutcome { stored: false, ..outcome(None, result) })
        }
    }
}

/// An event under a number whose month was retired. What happened while the retired ones did is one of them, which a PC
/// has sent once more: it was stored, and is gone for good. What happened later is something else.
fn retired(
    tx: &Connection,
    arrival: &Arrival<'_>,
    incoming: &IncomingEvent,
    (first, last): (UtcMillis, UtcMillis),
) -> Work<ItemOutcome> {
    let event = &incoming.event;
    let is_one = (first..=last).contains(&incoming.told_at());
    if !is_one {
        keep_other_bytes(tx, arrival, incoming)?;
    }
    let result = match (is_one, event.kind.is_punch()) {
        (true, true) => Some(PunchResult::Accepted),
        (true, false) => None,
        (false, _) => Some(PunchResult::TerminalUnusable),
    };
    let (sequence, digest) = (event.sequence, incoming.digest);
    Ok(ItemOutcome { sequence, digest, stored: is_one, result, place: None })
}

fn stored_digest(tx: &Connection, arrival: &Arrival<'_>, incoming: &IncomingEvent) -> Work<Option<Digest>> {
    rows::one(
        tx,
        "SELECT hash FROM events WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3",
        params![arrival.batch.contract.0, arrival.terminal, rows::column(incoming.event.sequence)],
        |row| rows::digest(row, 0),
    )
}

pub(super) const INSERT_EVENT: &str = "INSERT INTO events
     (contract_id, terminal_id, seq, hash, json, occurred_at, received_at, resent, clock_offset_ms, placed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

pub(super) fn insert_event(tx: &Connection, arrival: &Arrival<'_>, incoming: &IncomingEvent) -> Work<()> {
    rows::run(
        tx,
        INSERT_EVENT,
        params![
            arrival.batch.contract.0,
            arrival.terminal,
            rows::column(incoming.event.sequence),
            incoming.digest.as_bytes(),
            incoming.json,
            incoming.told_at().0,
            arrival.batch.received_at.0,
            incoming.resent,
            arrival.batch.clock_offset_ms,
            incoming.stamped_at.map(|_| incoming.event.occurred_at.0),
        ],
    )
    .map(drop)
}

/// Makes the punch of a new event; `None` when it is no punch.
fn judge_new(tx: &Connection, arrival: &Arrival<'_>, incoming: &IncomingEvent) -> Work<Option<PunchResult>> {
    let event = &incoming.event;
    let Some(identity) = event.account.as_ref().filter(|_| event.kind.is_punch()) else {
        return Ok(None);
    };
    let contract = arrival.batch.contract;
    let account = see_account(tx, contract, identity, arrival.batch.received_at)?;
    let looked = tx.tolerating(|tx| {
        let date = night::date_of(tx, arrival, event, account)?;
        Ok((date, employee_on(date, &judging::links(tx, contract, account)?)))
    });
    if let Err(error) = &looked {
        report_failed_judging(arrival, event.sequence, error);
    }
    // What is judged later goes by the date on which it happened, when another could not be looked for.
    let date = looked.as_ref().map_or_else(|_: &WorkError| local_date(event.occurred_at), |(date, _)| *date);
    let facts = looked.ok().map(|(_, employee)| Facts { hindrance: hindrance(&arrival.now), employee });
    let result = judge(facts.as_ref());
    insert_punch(tx, arrival, incoming, (account, date), facts.as_ref())?;
    // Whatever is wrong with the logoffs that came before, this punch and all others of the batch are taken in.
    if event.kind == EventKind::Logon
        && let Err(error) = writer::apart(tx, |tx| night::logon_came(tx, arrival, event, account))
    {
        let (terminal, sequence) = (arrival.batch.terminal, event.sequence);
        tracing::error!(%terminal, sequence, %error, "the logoffs of a logon that came late keep their dates");
    }
    Ok(Some(result))
}

fn report_failed_judging(arrival: &Arrival<'_>, sequence: u64, error: &WorkError) {
    let terminal = arrival.batch.terminal;
    tracing::error!(%terminal, sequence, %error, "a stored punch could not be judged; it is judged again later");
}

pub(super) const INSERT_PUNCH: &str =
    "INSERT INTO punches (contract_id, terminal_id, seq, occurred_at, kind, evidence, not_before, not_after,
     received_at, resent, account_id, local_date, makeup_changed, hindrance, employee_id, res, stay, stamped_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

pub(super) fn insert_punch(
    tx: &Connection,
    arrival: &Arrival<'_>,
    incoming: &IncomingEvent,
    (account, date): (AccountId, Date),
    facts: Option<&Facts>,
) -> Work<()> {
    let event = &incoming.event;
    rows::run(
        tx,
        INSERT_PUNCH,
        params![
            arrival.batch.contract.0,
            arrival.terminal,
            rows::column(event.sequence),
            event.occurred_at.0,
            event.kind.name(),
            event.evidence.name(),
            event.bounds.map(|bounds| bounds.not_before.0),
            event.bounds.map(|bounds| bounds.not_after.0),
            arrival.batch.received_at.0,
            incoming.resent,
            account.0.as_bytes(),
            date.to_string(),
            arrival.now.makeup_changed,
            facts.and_then(|facts| facts.hindrance).and_then(PunchResult::res),
            facts.and_then(|facts| facts.employee).map(|employee| employee.0.into_bytes()),
            judge(facts).res(),
            presence::stay(event).as_ref().map(Digest::as_bytes),
            incoming.stamped_at.map(|at| at.0),
        ],
    )?;
    let employee = facts.and_then(|facts| facts.employee);
    let counted = Change::of(employee, event.occurred_at, event.kind, judge(facts));
    figures::add(tx, arrival.batch.contract, &[counted], arrival.batch.received_at)
}

/// Judges an event that is stored already with today's facts; `None` when it is no punch.
fn judge_again(
    tx: &Connection,
    arrival: &Arrival<'_>,
    incoming: &IncomingEvent,
) -> Work<Option<PunchResult>> {
    if !incoming.event.kind.is_punch() {
        return Ok(None);
    }
    // How far the clock is off by now says nothing of where the punch was put.
    let key = params![arrival.batch.contract.0, arrival.terminal, rows::column(incoming.event.sequence)];
    let found = "WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3 AND occurred_at =
        (SELECT coalesce(e.placed_at, e.occurred_at) FROM events e
         WHERE e.contract_id = ?1 AND e.terminal_id = ?2 AND e.seq = ?3)";
    let punch =
        judging::stored(tx, found, key)?.pop().ok_or(WorkError::Unreadable("an event without its punch"))?;
    let punch = judging::Stored { makeup_changed: arrival.now.makeup_changed, ..punch };
    let judged = tx.tolerating(|tx| {
        judging::rejudge_one(tx, arrival.batch.contract, &punch, Why::Received, &arrival.act)
    });
    Ok(Some(judged.unwrap_or_else(|error| {
        report_failed_judging(arrival, incoming.event.sequence, &error);
        PunchResult::ServerFailed
    })))
}

/// Other bytes under a number that is taken: somebody copied the PC's state or tampers with it.
fn keep_other_bytes(tx: &Connection, arrival: &Arrival<'_>, incoming: &IncomingEvent) -> Work<()> {
    let batch = arrival.batch;
    let code =
        rows::one(tx, "SELECT code FROM contracts WHERE id = ?1", [batch.contract.0], |row| Ok(row.get(0)?))?;
    let entry = Quarantined {
        received_at: batch.received_at,
        reason: QuarantineReason::OtherBytes,
        contract: code.unwrap_or_default(),
        terminal: batch.terminal.to_string(),
        body: incoming.json.clone().into_bytes(),
    };
    quarantine::keep(tx, &entry)?;
    rows::run(
        tx,
        "UPDATE terminals SET conflict = 1 WHERE contract_id = ?1 AND id = ?2",
        params![batch.contract.0, arrival.terminal],
    )
    .map(drop)
}

/// Finds or makes the account, and notes a changed name.
fn see_account(
    tx: &Connection,
    contract: ContractId,
    seen: &AccountIdentity,
    at: UtcMillis,
) -> Work<AccountId> {
    let known = rows::one(
        tx,
        "SELECT id, domain, name, upn, last_seen_at FROM accounts WHERE contract_id = ?1 AND key = ?2",
        params![contract.0, seen.key],
        |row| {
            let same = (row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, Option<String>>(3)?)
                == (seen.domain.clone(), seen.name.clone(), seen.upn.clone());
            Ok((AccountId(rows::uuid(row, 0)?), same, rows::millis(row, 4)?))
        },
    )?;
    match known {
        None => add_account(tx, contract, seen, at),
        Some((id, true, last_seen)) if !is_long_ago(last_seen, at) => Ok(id),
        Some((id, same_name, _)) => {
            if !same_name {
                add_name(tx, contract, id, seen, at)?;
            }
            refresh_account(tx, contract, id, seen, at)?;
            Ok(id)
        }
    }
}

/// Whether it is time to note that an account was seen again.
pub(super) fn is_long_ago(last_seen: UtcMillis, at: UtcMillis) -> bool {
    at.0 >= last_seen.0.saturating_add(LAST_SEEN_EVERY_MS)
}

pub(super) const INSERT_ACCOUNT: &str =
    "INSERT INTO accounts (contract_id, id, first_seen_at, domain, name, upn, key, last_seen_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

fn add_account(
    tx: &Connection,
    contract: ContractId,
    seen: &AccountIdentity,
    at: UtcMillis,
) -> Work<AccountId> {
    let id = AccountId(rows::new_id(at)?);
    rows::run(
        tx,
        INSERT_ACCOUNT,
        params![contract.0, id.0.as_bytes(), at.0, seen.domain, seen.name, seen.upn, seen.key, at.0],
    )?;
    add_name(tx, contract, id, seen, at)?;
    Ok(id)
}

fn refresh_account(
    tx: &Connection,
    contract: ContractId,
    id: AccountId,
    seen: &AccountIdentity,
    at: UtcMillis,
) -> Work<()> {
    rows::run(
        tx,
        "UPDATE accounts SET domain = ?3, name = ?4, upn = ?5, last_seen_at = CASE WHEN last_seen_at > ?6 THEN last_seen_at ELSE ?6 END
         WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, id.0.as_bytes(), seen.domain, seen.name, seen.upn, at.0],
    )
    .map(drop)
}

fn add_name(
    tx: &Connection,
    contract: ContractId,
    id: AccountId,
    seen: &AccountIdentity,
    at: UtcMillis,
) -> Work<()> {
    rows::run(
        tx,
        "INSERT INTO account_names (contract_id, account_id, number, seen_at, domain, name, upn)
         SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5, ?6 FROM account_names
         WHERE contract_id = ?1 AND account_id = ?2",
        params![contract.0, id.0.as_bytes(), at.0, seen.domain, seen.name, seen.upn],
    )
    .map(drop)
}

/// Events that wait on the PC after a batch: what the receipt takes off its list waits there no longer.
pub(super) fn waiting(batch: &IncomingBatch, items: &[ItemOutcome]) -> u64 {
    let released = items.iter().filter(|item| item.releases_spool()).count() as u64;
    batch.waiting.saturating_sub(released)
}

/// How a terminal stands after its batch.
pub(super) const NOTE_CONTACT: &str =
    "UPDATE terminals SET last_contact_at = ?3, waiting = ?4, clock_offset_ms = ?5, agent_version = ?6,
     makeup_changed = ?7, head = ?8, boot = ?9, boot_counter_ms = ?10, boot_heard_at = ?11,
     waiting_rises = CASE WHEN ?4 = 0 OR ?4 < waiting THEN 0 WHEN ?4 > waiting THEN waiting_rises + 1
     ELSE waiting_rises END
     WHERE contract_id = ?1 AND id = ?2";

/// Notes the terminal's state.
fn note_contact(
    tx: &Connection,
    arrival: &Arrival<'_>,
    items: &[ItemOutcome],
    head: u64,
    heard: &standing::Heard,
) -> Work<()> {
    let batch = arrival.batch;
    let waiting = waiting(batch, items);
    contact_days::note(
        tx,
        &standing::Terminal { contract: batch.contract, id: &arrival.terminal },
        batch,
        waiting,
    )?;
    rows::run(
        tx,
        NOTE_CONTACT,
        params![
            batch.contract.0,
            arrival.terminal,
            batch.received_at.0,
            rows::column(waiting),
            batch.clock_offset_ms,
            batch.agent_version,
            arrival.now.makeup_changed,
            rows::column(head),
            heard.boot,
            rows::column(heard.counter_ms),
            heard.at.0,
        ],
    )
    .map(drop)
}

/// One account at a time: what cannot be read of one person keeps nobody else waiting, and takes nobody's turn.
pub(super) fn rejudge_failed(tx: &Connection, at: UtcMillis, limit: usize) -> Work<u64> {
    let (mut changed, mut left, act) = (0, BTreeMap::new(), Act::server(at));
    for ((contract, account), mut punches) in judging::unjudged(tx)? {
        let left = left.entry(contract).or_insert(limit);
        punches.truncate(*left);
        let judged = writer::apart(tx, |tx| {
            judging::rejudge(tx, contract, &punches, Look::Everything, Why::JudgedLate, &act)
        });
        match judged {
            Ok(done) => (changed, *left) = (changed + done.results, *left - punches.len()),
            Err(error) => {
                let account = account.0;
                tracing::error!(%account, %error, "failed punches could not be judged again; they are tried later");
            }
        }
    }
    Ok(changed)
}
