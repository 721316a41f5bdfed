//! What comes of many batches, written by a fixed number of statements, whatever their number.

use std::collections::BTreeSet;

use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::PunchResult;

use super::crowd::Ready;
use super::crowd_reads::{Account, Change, Known};
use super::{Work, contact_days, figures, intake, log, presence, rows, standing};
use crate::AccountId;
use crate::judge::{Facts, judge};
use crate::ports::{HISTORY_KEPT, IncomingEvent, TerminalChange};
use crate::sql::{Connection, Many};

/// Everything that is to be written, in the order in which it came.
#[derive(Default)]
pub(super) struct Written<'a> {
    pub(super) events: Vec<NewEvent<'a>>,
    pub(super) punches: Vec<NewPunch<'a>>,
    /// What new events say about presence.
    pub(super) said: Vec<(&'a Ready, presence::Said)>,
    /// Batches that have brought something new.
    pub(super) batches: Vec<&'a Ready>,
    /// OS runs that are not the last any more.
    pub(super) ended: Vec<(&'a Ready, standing::Heard)>,
    /// Batches of an agent that has another version than before.
    pub(super) versions: Vec<&'a Ready>,
    /// Batches that were the first of their terminal on that day.
    pub(super) first_of_day: Vec<&'a Ready>,
    pub(super) contacts: Vec<Contact<'a>>,
}

/// An event that was not stored.
pub(super) struct NewEvent<'a> {
    pub(super) ready: &'a Ready,
    pub(super) incoming: &'a IncomingEvent,
    pub(super) month: String,
    pub(super) leaf: u64,
}

/// A punch that was not stored.
pub(super) struct NewPunch<'a> {
    pub(super) ready: &'a Ready,
    pub(super) incoming: &'a IncomingEvent,
    pub(super) account: AccountId,
    pub(super) facts: Facts,
    pub(super) date: Date,
    pub(super) stay: Option<Digest>,
    pub(super) makeup_changed: bool,
}

/// How a terminal stands after its batch.
pub(super) struct Contact<'a> {
    pub(super) ready: &'a Ready,
    pub(super) head: u64,
    pub(super) heard: standing::Heard,
    pub(super) waiting: u64,
    pub(super) makeup_changed: bool,
}

/// Writes it all.
pub(super) fn write(tx: &Connection, written: &Written<'_>, known: &Known) -> Work<()> {
    accounts(tx, &known.accounts.all)?;
    events(tx, &written.events)?;
    punches(tx, &written.punches)?;
    figures::add_all(tx, sums(&written.punches, known))?;
    said(tx, &written.said)?;
    batches(tx, &written.batches)?;
    ended_runs(tx, &written.ended)?;
    versions(tx, &written.versions)?;
    days(tx, &written.contacts)?;
    old_days(tx, &written.first_of_day)?;
    contacts(tx, &written.contacts)
}

/// The first columns of most tables.
fn keys<'a>(of: impl Iterator<Item = &'a Ready> + Clone) -> Many<'a> {
    Many::default()
        .integers(of.clone().map(|ready| ready.batch.contract.0))
        .blobs(of.map(|ready| &ready.terminal[..]))
}

fn accounts(tx: &Connection, all: &[Account]) -> Work<()> {
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for account in all {
        match (&account.seen, account.change) {
            (Some(seen), Some(Change::New(since))) => new.push((account, seen, since)),
            (Some(seen), Some(Change::SeenAgain)) => again.push((account, seen)),
            _ => {}
        }
    }
    let named = || {
        Many::default()
            .integers(new.iter().map(|(account, ..)| account.contract.0))
            .blobs(new.iter().map(|(_, seen, _)| &seen.id.0.as_bytes()[..]))
            .integers(new.iter().map(|(.., since)| since.0))
            .texts(new.iter().map(|(_, seen, _)| seen.domain.as_str()))
            .texts(new.iter().map(|(_, seen, _)| seen.name.as_str()))
            .some_texts(new.iter().map(|(_, seen, _)| seen.upn.as_deref()))
    };
    let rows = named()
        .texts(new.iter().map(|(account, ..)| account.key.as_str()))
        .integers(new.iter().map(|(_, seen, _)| seen.last_seen_at.0));
    rows::run_many(tx, intake::INSERT_ACCOUNT, &rows)?;
    rows::run_many(
        tx,
        "INSERT INTO account_names (contract_id, account_id, number, seen_at, domain, name, upn)
         VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)",
        &named(),
    )?;
    let rows = Many::default()
        .integers(again.iter().map(|(account, _)| account.contract.0))
        .blobs(again.iter().map(|(_, seen)| &seen.id.0.as_bytes()[..]))
        .integers(again.iter().map(|(_, seen)| seen.last_seen_at.0));
    rows::run_many(tx, "UPDATE accounts SET last_seen_at = ?3 WHERE contract_id = ?1 AND id = ?2", &rows)?;
    Ok(())
}

fn events(tx: &Connection, new: &[NewEvent<'_>]) -> Work<()> {
    let numbered = || {
        keys(new.iter().map(|event| event.ready))
            .integers(new.iter().map(|event| rows::column(event.incoming.event.sequence)))
    };
    let rows = numbered()
        .blobs(new.iter().map(|event| &event.incoming.digest.as_bytes()[..]))
        .texts(new.iter().map(|event| event.incoming.json.as_str()))
        .integers(new.iter().map(|event| event.incoming.told_at().0))
        .integers(new.iter().map(|event| event.ready.batch.received_at.0))
        .integers(new.iter().map(|event| event.incoming.resent.into()))
        .integers(new.iter().map(|event| event.ready.batch.clock_offset_ms))
        .some_integers(
            new.iter().map(|event| event.incoming.stamped_at.map(|_| event.incoming.event.occurred_at.0)),
        );
    rows::run_many(tx, intake::INSERT_EVENT, &rows)?;
    let rows = numbered()
        .texts(new.iter().map(|event| event.month.as_str()))
        .integers(new.iter().map(|event| rows::column(event.leaf)));
    let place =
        "INSERT INTO log_leaves (contract_id, terminal_id, seq, month, leaf) VALUES (?1, ?2, ?3, ?4, ?5)";
    rows::run_many(tx, place, &rows)?;
    Ok(())
}

fn punches(tx: &Connection, new: &[NewPunch<'_>]) -> Work<()> {
    let res = |of: &dyn Fn(&NewPunch<'_>) -> Option<PunchResult>| -> Vec<Option<i64>> {
        new.iter().map(|punch| of(punch).and_then(PunchResult::res).map(i64::from)).collect()
    };
    let results = res(&|punch| Some(judge(Some(&punch.facts))));
    let keys = || {
        keys(new.iter().map(|punch| punch.ready))
            .integers(new.iter().map(|punch| rows::column(punch.incoming.event.sequence)))
    };
    let employees: Vec<_> = new.iter().map(|punch| punch.facts.employee.map(|employee| employee.0)).collect();
    let rows = keys()
        .integers(new.iter().map(|punch| punch.incoming.event.occurred_at.0))
        .texts(new.iter().map(|punch| punch.incoming.event.kind.name()))
        .texts(new.iter().map(|punch| punch.incoming.event.evidence.name()))
        .some_integers(new.iter().map(|punch| punch.incoming.event.bounds.map(|bounds| bounds.not_before.0)))
        .some_integers(new.iter().map(|punch| punch.incoming.event.bounds.map(|bounds| bounds.not_after.0)))
        .integers(new.iter().map(|punch| punch.ready.batch.received_at.0))
        .integers(new.iter().map(|punch| punch.incoming.resent.into()))
        .blobs(new.iter().map(|punch| &punch.account.0.as_bytes()[..]))
        .texts(new.iter().map(|punch| punch.date.to_string()))
        .integers(new.iter().map(|punch| punch.makeup_changed.into()))
        .some_integers(res(&|punch| punch.facts.hindrance))
        .some_blobs(employees.iter().map(|employee| employee.as_ref().map(|id| &id.as_bytes()[..])))
        .some_integers(results)
        .some_blobs(new.iter().map(|punch| punch.stay.as_ref().map(|stay| &stay.as_bytes()[..])))
        .some_integers(new.iter().map(|punch| punch.incoming.stamped_at.map(|at| at.0)));
    rows::run_many(tx, intake::INSERT_PUNCH, &rows).map(drop)
}

/// What the punches add to the figures.
fn sums<'a>(new: &[NewPunch<'_>], known: &'a Known) -> figures::Sums<'a> {
    let mut sums = figures::Sums::new();
    for punch in new {
        let batch = &punch.ready.batch;
        let (event, result) = (&punch.incoming.event, judge(Some(&punch.facts)));
        let change = figures::Change::of(punch.facts.employee, event.occurred_at, event.kind, result);
        let department = known.department_of(batch.contract, punch.facts.employee);
        figures::sum(&mut sums, batch.contract, &change, department, batch.received_at);
    }
    sums
}

/// What several events of a stay say is written in turns: each adds to what the one before has left.
fn said(tx: &Connection, said: &[(&Ready, presence::Said)]) -> Work<()> {
    let mut left: Vec<_> = said.iter().collect();
    while !left.is_empty() {
        let mut seen = BTreeSet::new();
        let key = |(ready, said): &(&Ready, presence::Said)| {
            (ready.batch.contract, ready.terminal, *said.stay.as_bytes())
        };
        let (now, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|one| seen.insert(key(one)));
        let rows = keys(now.iter().map(|(ready, _)| *ready))
            .blobs(now.iter().map(|(_, said)| &said.stay.as_bytes()[..]))
            .some_integers(now.iter().map(|(_, said)| said.from))
            .some_integers(now.iter().map(|(_, said)| said.not_after));
        rows::run_many(tx, presence::NOTE, &rows)?;
        left = later;
    }
    Ok(())
}

fn batches(tx: &Connection, new: &[&Ready]) -> Work<()> {
    let rows = keys(new.iter().copied())
        .integers(new.iter().map(|ready| ready.batch.received_at.0))
        .blobs(new.iter().map(|ready| &ready.batch.signed.digest.as_bytes()[..]))
        .texts(new.iter().map(|ready| ready.batch.signed.signature.as_str()))
        .texts(new.iter().map(|ready| ready.frame.as_str()));
    rows::run_many(tx, log::INSERT_BATCH, &rows).map(drop)
}

fn ended_runs(tx: &Connection, ended: &[(&Ready, standing::Heard)]) -> Work<()> {
    let keys = || keys(ended.iter().map(|(ready, _)| *ready));
    let rows = keys()
        .texts(ended.iter().map(|(_, heard)| heard.boot.as_str()))
        .integers(ended.iter().map(|(_, heard)| rows::column(heard.counter_ms)))
        .integers(ended.iter().map(|(_, heard)| heard.at.0));
    rows::run_many(tx, standing::REMEMBER, &rows)?;
    let rows = keys().integers(ended.iter().map(|_| rows::column(standing::EARLIER_BOOTS_MAX)));
    rows::run_many(tx, standing::FORGET_OLD_BOOTS, &rows)?;
    Ok(())
}

fn versions(tx: &Connection, new: &[&Ready]) -> Work<()> {
    let rows = keys(new.iter().copied())
        .integers(new.iter().map(|ready| ready.batch.received_at.0))
        .texts(new.iter().map(|_| TerminalChange::Version.name()))
        .texts(new.iter().map(|ready| ready.batch.agent_version.as_str()));
    rows::run_many(tx, contact_days::NOTE_VERSION, &rows)?;
    let rows = keys(new.iter().copied()).integers(new.iter().map(|_| rows::column(HISTORY_KEPT)));
    rows::run_many(tx, contact_days::FORGET_HISTORY, &rows).map(drop)
}

fn days(tx: &Connection, contacts: &[Contact<'_>]) -> Work<()> {
    let rows = keys(contacts.iter().map(|contact| contact.ready))
        .texts(contacts.iter().map(|contact| contact.ready.day.to_string()))
        .integers(contacts.iter().map(|contact| contact.ready.batch.received_at.0))
        .integers(contacts.iter().map(|contact| rows::column(contact.waiting)))
        .integers(contacts.iter().map(|contact| contact.ready.batch.clock_offset_ms))
        .texts(contacts.iter().map(|contact| contact.ready.batch.agent_version.as_str()));
    rows::run_many(tx, contact_days::NOTE, &rows).map(drop)
}

/// Forgets the days that are too old for the terminals that begin a new one.
fn old_days(tx: &Connection, first_of_day: &[&Ready]) -> Work<()> {
    let oldest = first_of_day.iter().map(|ready| contact_days::oldest_kept(ready.day).to_string());
    let rows = keys(first_of_day.iter().copied()).texts(oldest);
    rows::run_many(tx, contact_days::FORGET, &rows).map(drop)
}

fn contacts(tx: &Connection, contacts: &[Contact<'_>]) -> Work<()> {
    let rows = keys(contacts.iter().map(|contact| contact.ready))
        .integers(contacts.iter().map(|contact| contact.ready.batch.received_at.0))
        .integers(contacts.iter().map(|contact| rows::column(contact.waiting)))
        .integers(contacts.iter().map(|contact| contact.ready.batch.clock_offset_ms))
        .texts(contacts.iter().map(|contact| contact.ready.batch.agent_version.as_str()))
        .integers(contacts.iter().map(|contact| contact.makeup_changed.into()))
        .integers(contacts.iter().map(|contact| rows::column(contact.head)))
        .texts(contacts.iter().map(|contact| contact.heard.boot.as_str()))
        .integers(contacts.iter().map(|contact| rows::column(contact.heard.counter_ms)))
        .integers(contacts.iter().map(|contact| contact.heard.at.0));
    rows::run_many(tx, intake::NOTE_CONTACT, &rows).map(drop)
}
