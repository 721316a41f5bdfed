//! Taking in many batches at once, which is what happens at nine o'clock.
//!
//! [`super::intake::receive`] takes one batch in with some twenty statements. Here a group of batches, of whatever
//! terminals and contracts, goes through a fixed number of them: what must be known is looked up for all
//! ([`super::crowd_reads`]), everything is decided in memory, and what comes of it is written for all
//! ([`super::crowd_writes`]). What is written is what the batches would have left one by one, row by row.
//!
//! Only *plain* batches come along: new events that follow the terminal's head without a hole, and events that are stored
//! already and judged as they would be judged now. Whatever concerns more than that (holes, declarations, other bytes under
//! a number, a logon that comes after its logoff, renamed accounts, OS runs heard in turns) is rare and goes the long way,
//! one by one, after the others; so there is one place that knows how. What many PCs do at once is plain: they start anew at
//! three in the morning, and have another version of the agent at nine. A batch that could make a statement fail is not plain
//! either, so that nobody spoils the others' group. Should one fail all the same, the transaction is taken back and begun
//! anew, and every batch goes the long way. (A savepoint around the group would do as well, but SQLite copies each page aside
//! that is changed inside of one.)
//!
//! A terminal occurs once in a wave: the next batch of the same one must find what this one has left.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::{AccountIdentity, EventKind, PunchResult, UtcMillis};

use super::crowd_reads::{self, Known, Met};
use super::crowd_writes::{self, Contact, NewEvent, NewPunch, Written};
use super::{Work, intake, judging, log, night, presence, rows, standing, writer};
use crate::judge::{Circumstances, Facts, employee_on, ended_on, hindrance, judge, may_end_a_night};
use crate::local_date;
use crate::ports::{IncomingBatch, IncomingEvent, ItemOutcome, LeafPlace, Reception};
use crate::sql::Connection;

/// A batch with everything that can be said of it without the database: made ready where it arrives, not on the thread that
/// writes.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) batch: IncomingBatch,
    pub(super) terminal: [u8; 16],
    /// The contract's day on which it arrived.
    pub(super) day: Date,
    /// For each event what follows from it.
    follows: Vec<Follows>,
    /// When the first logon of the batch happened; the end of all time without one.
    pub(super) first_logon: UtcMillis,
    /// The batch without its events' bytes.
    pub(super) frame: String,
    is_simple: bool,
}

/// What follows from an event alone.
#[derive(Debug)]
pub(super) struct Follows {
    /// On which date it falls.
    pub(super) date: Date,
    pub(super) stay: Option<Digest>,
}

impl Ready {
    pub(super) fn of(batch: IncomingBatch) -> Work<Self> {
        let follows = |incoming: &IncomingEvent| Follows {
            date: local_date(incoming.event.occurred_at),
            stay: presence::stay(&incoming.event),
        };
        let events = batch.events.iter().map(|incoming| &incoming.event);
        let logons = events.filter(|event| event.kind == EventKind::Logon);
        Ok(Self {
            first_logon: logons.map(|event| event.occurred_at).min().unwrap_or(UtcMillis(i64::MAX)),
            terminal: rows::terminal_bytes(&batch.terminal)?,
            day: local_date(batch.received_at),
            follows: batch.events.iter().map(follows).collect(),
            frame: log::frame(&batch, batch.events.iter())?,
            is_simple: is_simple(&batch),
            batch,
        })
    }

    /// Its events, and what follows from each alone.
    pub(super) fn events(&self) -> impl Iterator<Item = (&IncomingEvent, &Follows)> {
        self.batch.events.iter().zip(&self.follows)
    }
}

/// Whose punch an event is; `None` for what is no punch.
pub(super) fn puncher(incoming: &IncomingEvent) -> Option<&AccountIdentity> {
    incoming.event.account.as_ref().filter(|_| incoming.event.kind.is_punch())
}

/// Whether a batch can be plain as far as it tells itself: its numbers ascend, it declares nothing, and every database can
/// keep its texts.
fn is_simple(batch: &IncomingBatch) -> bool {
    let ascends = batch.events.windows(2).all(|two| two[0].event.sequence < two[1].event.sequence);
    let declares = batch.events.iter().any(|incoming| incoming.event.declared().is_some());
    let own = [&batch.agent_version, &batch.boot, &batch.signed.signature, &batch.signed.payload];
    let is_kept = |text: &String| !text.contains('\0');
    let accounts = batch.events.iter().filter_map(|incoming| incoming.event.account.as_ref());
    ascends
        && !declares
        && own.into_iter().all(is_kept)
        && batch.events.iter().all(|incoming| is_kept(&incoming.json))
        && accounts.flat_map(|of| [&of.key, &of.domain, &of.name].into_iter().chain(&of.upn)).all(is_kept)
}

/// What became of one batch of a group, and its place in the group. They come in the order in which they took effect.
pub(super) type Taken = (usize, Work<Reception>);

/// Takes in all batches inside the open transaction.
///
/// # Errors
/// When they cannot be taken in together: the transaction is then to be taken back, and each goes the long way.
pub(super) fn take_in(tx: &Connection, batches: &[&Ready]) -> Work<Vec<Taken>> {
    let mut taken = Vec::with_capacity(batches.len());
    for wave in waves(batches) {
        let plain = take_plain(tx, batches, &wave)?;
        let done: BTreeSet<usize> = plain.iter().map(|(place, _)| *place).collect();
        taken.extend(plain.into_iter().map(|(place, reception)| (place, Ok(reception))));
        let left = wave.into_iter().filter(|place| !done.contains(place));
        taken.extend(left.map(|place| (place, alone(tx, batches[place]))));
    }
    Ok(taken)
}

fn alone(tx: &Connection, ready: &Ready) -> Work<Reception> {
    writer::apart(tx, |tx| intake::receive(tx, &ready.batch))
}

/// The places of the batches in groups in which no terminal occurs twice.
fn waves(batches: &[&Ready]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut seen = BTreeMap::new();
    for (place, ready) in batches.iter().enumerate() {
        let wave: &mut usize = seen.entry((ready.batch.contract, ready.terminal)).or_default();
        if *wave == waves.len() {
            waves.push(Vec::new());
        }
        waves[*wave].push(place);
        *wave += 1;
    }
    waves
}

/// Takes in the plain ones of a wave; what became of each.
fn take_plain(tx: &Connection, batches: &[&Ready], wave: &[usize]) -> Work<Vec<(usize, Reception)>> {
    let simple: Vec<usize> = wave.iter().copied().filter(|place| batches[*place].is_simple).collect();
    let ready: Vec<&Ready> = simple.iter().map(|place| batches[*place]).collect();
    let mut known = crowd_reads::look_up(tx, &ready)?;
    let (mut written, mut taken) = (Written::default(), Vec::new());
    for (index, ready) in ready.iter().enumerate() {
        let Some(met) = known.met[index].take().filter(|met| is_plain(ready, met, &known)) else { continue };
        let reception = Taking { ready, met: &met, known: &mut known, written: &mut written }.take()?;
        taken.push((simple[index], reception));
    }
    crowd_writes::write(tx, &written, &known)?;
    Ok(taken)
}

/// Whether nothing is to be done for a batch but to add rows, and to note what every contact changes.
fn is_plain(ready: &Ready, met: &Met, known: &Known) -> bool {
    let batch = &ready.batch;
    let is_known_life = batch.boot == met.terminal.heard.boot || !met.ran_before;
    let mut head = met.terminal.head;
    let mut names = BTreeMap::new();
    is_known_life
        && !(met.misses && met.had_two_lives)
        && !tells_a_night_backwards(ready, met)
        && batch.events.iter().all(|incoming| {
            let number = incoming.event.sequence;
            if number == head.saturating_add(1) {
                head = number;
                return puncher(incoming).is_none_or(|identity| {
                    !may_have_ended(incoming, met) && known.accounts.is_called(batch, identity, &mut names)
                });
            }
            number <= head && is_settled(ready, met, incoming, known)
        })
}

/// Whether a punch may say something about the date of another one: a logon whose logoff may be there already.
fn may_have_ended(incoming: &IncomingEvent, met: &Met) -> bool {
    incoming.event.kind == EventKind::Logon && met.had_logoffs
}

/// Whether a logon that comes behind a logoff of a night may be that of its stay.
fn tells_a_night_backwards(ready: &Ready, met: &Met) -> bool {
    let mut ended = UtcMillis(i64::MIN);
    ready.batch.events.iter().any(|incoming| {
        let event = &incoming.event;
        if met.may_end_a_night(incoming) {
            ended = ended.max(event.occurred_at);
        }
        event.kind == EventKind::Logon && event.occurred_at < ended
    })
}

/// Whether an event is stored already with these bytes, and its judgement stands.
fn is_settled(ready: &Ready, met: &Met, incoming: &IncomingEvent, known: &Known) -> bool {
    let Some(stored) = met.stored.get(&incoming.event.sequence) else { return false };
    let Some(punch) = &stored.punch else {
        return stored.digest == incoming.digest && !incoming.event.kind.is_punch();
    };
    stored.digest == incoming.digest
        && judging::stands(punch, &met.now(ready), known.links_of(&ready.batch, punch.account))
}

/// A plain batch on its way.
struct Taking<'a, 'b> {
    ready: &'a Ready,
    met: &'b Met,
    known: &'b mut Known,
    written: &'b mut Written<'a>,
}

impl<'a> Taking<'a, '_> {
    fn take(mut self) -> Work<Reception> {
        let (batch, now) = (&self.ready.batch, self.met.now(self.ready));
        // As one by one: the month is that in which the batch begins.
        let month = self.known.log_of(batch.contract).month(batch.received_at);
        let mut head = self.met.terminal.head;
        let mut items = Vec::with_capacity(batch.events.len());
        for (incoming, follows) in self.ready.events() {
            let sequence = incoming.event.sequence;
            let stored = self.met.stored.get(&sequence);
            let (result, place) = match stored {
                Some(stored) => (stored.punch.as_ref().map(|punch| punch.result), stored.place.clone()),
                None => {
                    head = sequence;
                    let leaf = self.known.log_of(batch.contract).append(&month);
                    self.written.events.push(NewEvent {
                        ready: self.ready,
                        incoming,
                        month: month.clone(),
                        leaf,
                    });
                    (self.punch(incoming, follows, &now)?, Some(LeafPlace { month: month.clone(), leaf }))
                }
            };
            items.push(ItemOutcome { sequence, digest: incoming.digest, stored: true, result, place });
        }
        if head > self.met.terminal.head {
            self.written.batches.push(self.ready);
        }
        self.contact(&items, head, &now);
        Ok(Reception { head, missing: self.met.missing.clone(), items })
    }

    /// Judges a new event, when it is a punch.
    fn punch(
        &mut self,
        incoming: &'a IncomingEvent,
        follows: &Follows,
        now: &Circumstances,
    ) -> Work<Option<PunchResult>> {
        if let Some(said) = presence::said(&incoming.event, follows.stay) {
            self.written.said.push((self.ready, said));
        }
        let Some(identity) = puncher(incoming) else { return Ok(None) };
        let batch = &self.ready.batch;
        let account = self.known.accounts.see(batch, identity)?;
        let (date, stay) = (self.date(incoming, follows, identity), follows.stay);
        let employee = employee_on(date, self.known.links_of(batch, account));
        let facts = Facts { hindrance: hindrance(now), employee };
        self.written.punches.push(NewPunch {
            ready: self.ready,
            incoming,
            account,
            facts,
            date,
            stay,
            makeup_changed: now.makeup_changed,
        });
        Ok(Some(judge(Some(&facts))))
    }

    /// The date by which a new punch is judged, as [`super::night::date_of`] finds it.
    fn date(&self, incoming: &IncomingEvent, follows: &Follows, identity: &AccountIdentity) -> Date {
        if !self.met.may_end_a_night(incoming) {
            return follows.date;
        }
        let (from, number) = (night::looked_for_from(follows.date), incoming.event.sequence);
        let is_its_logon = |(one, of_one): &(&IncomingEvent, &Follows)| {
            let event = &one.event;
            event.kind == EventKind::Logon
                && of_one.stay == follows.stay
                && puncher(one).is_some_and(|other| other.key == identity.key)
                && (from..=incoming.event.occurred_at).contains(&event.occurred_at)
        };
        let before = self.ready.events().take_while(|(one, _)| one.event.sequence < number);
        let new = before.filter(|(one, _)| self.met.is_new(one)).filter(is_its_logon);
        let new = new.map(|(one, _)| one.event.occurred_at).max();
        ended_on(follows.date, new.max(self.met.logons.get(&number).copied()))
    }

    /// Notes the terminal's state.
    fn contact(&mut self, items: &[ItemOutcome], head: u64, now: &Circumstances) {
        let (batch, last) = (&self.ready.batch, &self.met.terminal.heard);
        let heard = standing::Heard::of(batch);
        let is_new_run = heard.boot != last.boot;
        if is_new_run && !last.boot.is_empty() {
            self.written.ended.push((self.ready, last.clone()));
        }
        if self.met.terminal.agent_version != batch.agent_version {
            self.written.versions.push(self.ready);
        }
        if !self.met.contacted {
            self.written.first_of_day.push(self.ready);
        }
        let heard = if is_new_run || heard.counter_ms > last.counter_ms { heard } else { last.clone() };
        let waiting = intake::waiting(batch, items);
        let makeup_changed = now.makeup_changed;
        self.written.contacts.push(Contact { ready: self.ready, head, heard, waiting, makeup_changed });
    }
}

impl Met {
    /// How contract and terminal stand for a batch.
    fn now(&self, ready: &Ready) -> Circumstances {
        let makeup_changed = ready.batch.makeup != self.terminal.makeup;
        Circumstances { makeup_changed, ..self.circumstances }
    }

    /// Whether an event is not stored, where the batch is plain.
    fn is_new(&self, incoming: &IncomingEvent) -> bool {
        incoming.event.sequence > self.terminal.head
    }

    /// Whether an event is new and the logoff of a night, as far as its own time says.
    pub(super) fn may_end_a_night(&self, incoming: &IncomingEvent) -> bool {
        let event = &incoming.event;
        self.is_new(incoming) && may_end_a_night(event.kind, event.occurred_at, self.day_begins_minutes)
    }
}

#[cfg(test)]
mod tests;
