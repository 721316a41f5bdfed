//! Stays out of events: which logon, which logoff, and what happened in between.
//!
//! Events may come late and in any order, and the same thing may be told twice (the OS's notice and its log); so a
//! stay is put together from all of its events, in the order in which they happened.

use std::collections::BTreeMap;

use mngntime_model::event::cause;
use mngntime_model::{AccountIdentity, Event, EventKind, Evidence, SessionIdentity, TerminalId, UtcMillis};

use super::bands::{Kind, Layer};
use super::{Edge, EventId, Level, Terminal};
use crate::completeness::{State, YEARS_MS};

/// One stay of one account on one PC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The PC.
    pub terminal: TerminalId,
    /// Whose, with the names of its last event.
    pub account: AccountIdentity,
    /// Its logon; of level unknown, the first that is heard of it.
    pub begin: Edge,
    /// Its logoff; of level unknown, the interval in which it must have ended; `None` while it is open.
    pub end: Option<Edge>,
    /// When somebody was there first: the logon, or the first unlock of a logon without a person.
    pub presence: Option<Edge>,
    /// Whether it was remote at some time.
    pub remote: bool,
    /// The remote side.
    pub client: Option<String>,
    /// Every logon and logoff that was told of it; the same one may be told twice.
    pub(super) punches: Vec<Punch>,
    /// What is known of it besides that it was there.
    pub(super) layers: Vec<Layer>,
    /// Until when the record tells of it: its end or, where nobody told of one, when its PC was last heard of, or the last that
    /// was told of it.
    told_until: UtcMillis,
    /// Of one whose logon came years from when it says, when something was told of it: what lies between, no clock tells.
    only_at: Option<Vec<UtcMillis>>,
}

/// A logon or logoff that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Punch {
    /// Which.
    pub event: EventId,
    /// When; of an interval the earliest time.
    pub at: UtcMillis,
    /// Whether it is a logon.
    pub logon: bool,
}

/// What makes a stay. Scripts know no session: theirs are told apart by their order.
type Key = (Option<SessionIdentity>, String, u32);

/// The events of one stay, by time.
#[derive(Default)]
struct Told<'a> {
    logon: Option<&'a Event>,
    logoff: Option<&'a Event>,
    all: Vec<&'a Event>,
    /// The logon of the next stay, where only that shows that this one was over.
    next: Option<&'a Event>,
}

impl Stay {
    /// The latest time at which it may have ended.
    #[must_use]
    pub fn latest_end(&self, now: UtcMillis) -> UtcMillis {
        self.end.map_or(now, |end| end.latest)
    }

    /// Whether a day that it did not begin on holds some of it. One that nobody has ended goes on as long as its PC is heard of;
    /// after that nobody knows, and a day is no longer because nothing is said.
    pub(super) fn reaches(&self, (from, to): (UtcMillis, UtcMillis)) -> bool {
        let is_told = |times: &Vec<UtcMillis>| times.iter().any(|at| (from..to).contains(at));
        self.begin.at < to && self.told_until > from && self.only_at.as_ref().is_none_or(is_told)
    }
}

/// The stays of `accounts` on `terminal`.
pub(super) fn of(terminal: &Terminal<'_>, accounts: &[&str], now: UtcMillis) -> Vec<Stay> {
    let mut events: Vec<&Event> = terminal.events.iter().map(|received| &received.event).collect();
    events.sort_by_key(|event| (event.occurred_at, event.sequence));
    let pc = of_the_pc(terminal, &events, now);
    let told = by_stay(&events, accounts);
    told.into_iter().filter_map(|(key, told)| stay(terminal, &key, &told, &pc, now)).collect()
}

fn by_stay<'a>(events: &[&'a Event], accounts: &[&str]) -> BTreeMap<Key, Told<'a>> {
    let mut stays: BTreeMap<Key, Told<'a>> = BTreeMap::new();
    let mut scripts: BTreeMap<String, u32> = BTreeMap::new();
    for event in events.iter().filter(|event| belongs_to_a_stay(event.kind)) {
        let Some(account) = event.account.as_ref().filter(|account| accounts.contains(&account.key.as_str()))
        else {
            continue;
        };
        let mut number = 0;
        if event.session.is_none() {
            let script = scripts.entry(account.key.clone()).or_default();
            if event.kind == EventKind::Logon
                && let Some(open) = stays.get_mut(&(None, account.key.clone(), *script))
            {
                open.next = open.logoff.is_none().then_some(*event);
                *script += 1;
            }
            number = *script;
        }
        let told = stays.entry((event.session.clone(), account.key.clone(), number)).or_default();
        told.all.push(event);
        if event.kind == EventKind::Logon {
            told.logon = better(told.logon, event);
        } else if event.kind == EventKind::Logoff {
            told.logoff = better(told.logoff, event);
        }
    }
    stays
}

fn belongs_to_a_stay(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Logon
            | EventKind::Logoff
            | EventKind::Lock
            | EventKind::Unlock
            | EventKind::Connect
            | EventKind::Disconnect
    )
}

/// Of two statements about the same thing: the exact one, else the earlier.
fn better<'a>(known: Option<&'a Event>, event: &'a Event) -> Option<&'a Event> {
    match known {
        Some(known) if level(known) <= level(event) => Some(known),
        Some(_) | None => Some(event),
    }
}

fn level(event: &Event) -> Level {
    let exact = event.bounds.is_none() && event.evidence != Evidence::Inferred;
    if exact { Level::Exact } else { Level::Estimated }
}

fn edge(terminal: TerminalId, event: &Event) -> Edge {
    let bounds = event.bounds;
    Edge {
        at: bounds.map_or(event.occurred_at, |bounds| bounds.not_before),
        latest: bounds.map_or(event.occurred_at, |bounds| bounds.not_after),
        level: level(event),
        evidence: event.evidence,
        event: EventId { terminal, sequence: event.sequence },
    }
}

fn stay(terminal: &Terminal<'_>, key: &Key, told: &Told<'_>, pc: &[Layer], now: UtcMillis) -> Option<Stay> {
    let seen = told.all.first()?;
    let newest = told.all.iter().rev().find_map(|event| event.account.clone())?;
    let begin = match told.logon {
        Some(logon) => edge(terminal.id, logon),
        None => Edge { level: Level::Unknown, ..edge(terminal.id, seen) },
    };
    let end = match (told.logoff, told.next) {
        (Some(logoff), _) => Some(edge(terminal.id, logoff)),
        (None, Some(next)) => {
            told.all.last().map(|last| lost(terminal.id, last.occurred_at, next.occurred_at, next))
        }
        (None, None) => key.0.as_ref().and_then(|session| ended_with_boot(terminal, session)),
    };
    // A clock that was set back puts the end before the beginning: then the beginning is all that is shown.
    let end = end.map(|end| Edge { at: end.at.max(begin.at), latest: end.latest.max(begin.at), ..end });
    let mut layers = layers(terminal, told, (begin, end), pc, now);
    let span = (begin.at, end.map_or(now, |end| end.latest));
    let last_told = told.all.last().map(|event| event.occurred_at.plus(1));
    let told_until =
        end.map_or_else(|| terminal.timeline.heard_until().max(last_told), |end| Some(end.latest));
    let only_at = is_years_off(terminal, begin.event).then(|| told.all.iter().map(|event| event.occurred_at));
    layers.extend(pc.iter().filter(|layer| layer.from < span.1 && layer.to > span.0).copied());
    Some(Stay {
        terminal: terminal.id,
        account: newest,
        begin,
        end,
        presence: presence(terminal.id, told, begin),
        remote: told.all.iter().any(|event| event.remote == Some(true)),
        client: told.all.iter().rev().find_map(|event| event.client.clone()),
        punches: told.all.iter().filter_map(|event| punch(terminal.id, event)).collect(),
        layers: layers.into_iter().map(|layer| layer.within(span)).collect(),
        told_until: told_until.unwrap_or(begin.at),
        only_at: only_at.map(Iterator::collect),
    })
}

/// Whether an event came years from when it says that it happened: its clock was dead, and nobody has put it right.
fn is_years_off(terminal: &Terminal<'_>, event: EventId) -> bool {
    let place = terminal.events.binary_search_by_key(&event.sequence, |received| received.event.sequence);
    let found = place.ok().and_then(|place| terminal.events.get(place));
    found.is_some_and(|received| received.delay_ms().saturating_abs() > YEARS_MS)
}

fn punch(terminal: TerminalId, event: &Event) -> Option<Punch> {
    let is_one = matches!(event.kind, EventKind::Logon | EventKind::Logoff);
    let id = EventId { terminal, sequence: event.sequence };
    is_one.then_some(Punch { event: id, at: event.occurred_at, logon: event.kind == EventKind::Logon })
}

/// The end of a stay that nobody told of lies between two events; `next` shows that it was over.
fn lost(terminal: TerminalId, after: UtcMillis, until: UtcMillis, next: &Event) -> Edge {
    let event = EventId { terminal, sequence: next.sequence };
    Edge { at: after, latest: until.max(after), level: Level::Unknown, evidence: next.evidence, event }
}

/// A stay ends with its OS run, at the latest: after its last event and the last one of that run, and before the
/// next run began. What the next run tells of the stay shows by itself that there is a next one.
fn ended_with_boot(terminal: &Terminal<'_>, session: &SessionIdentity) -> Option<Edge> {
    let events = || terminal.events.iter().map(|received| &received.event);
    let of_it = |event: &&Event| event.boot == session.boot || event.session.as_ref() == Some(session);
    let last = events().rfind(of_it)?;
    let next = events().find(|event| event.sequence >= last.sequence && event.boot != session.boot)?;
    let told_later = last.boot != session.boot;
    let after = if told_later { last.occurred_at } else { last.recorded_at.wall };
    Some(lost(terminal.id, after, next.recorded_at.boot_began().max(after), next))
}

fn is_unattended(told: &Told<'_>) -> bool {
    told.all.iter().any(|event| {
        matches!(
            (event.kind, event.cause.as_deref()),
            (EventKind::Logon, Some(cause::UNATTENDED)) | (EventKind::Lock, Some(cause::UNATTENDED_LOGON))
        )
    })
}

fn presence(terminal: TerminalId, told: &Told<'_>, begin: Edge) -> Option<Edge> {
    if !is_unattended(told) {
        return Some(begin);
    }
    told.all.iter().find(|event| event.kind == EventKind::Unlock).map(|event| edge(terminal, event))
}

/// What the events of a stay say about it: estimated edges, locks, and so on.
fn layers(
    terminal: &Terminal<'_>,
    told: &Told<'_>,
    (begin, end): (Edge, Option<Edge>),
    pc: &[Layer],
    now: UtcMillis,
) -> Vec<Layer> {
    let id = |event: &Event| EventId { terminal: terminal.id, sequence: event.sequence };
    let close = end.map_or((now, None), |end| (end.latest, Some(end.event)));
    let layer =
        |from, to, kind| Layer { from, to, kind, why: None, begins: Some(begin.event), ends: close.1 };
    let mut layers = vec![layer(begin.at, close.0, Kind::Active)];
    layers.push(Layer { ends: Some(begin.event), ..layer(begin.at, begin.latest, Kind::Estimated) });
    if let Some(end) = end {
        layers.push(Layer { begins: Some(end.event), ..layer(end.at, end.latest, Kind::Estimated) });
    }
    if let Some(found) = told.logon.filter(|logon| logon.evidence == Evidence::FoundAtStart) {
        let seen = found.recorded_at.wall;
        layers.push(Layer { ends: Some(begin.event), ..layer(begin.latest, seen, Kind::FoundAtStart) });
    }
    if is_unattended(told) {
        let unlock = told.all.iter().find(|event| event.kind == EventKind::Unlock);
        let until = unlock.map_or(close, |event| (event.occurred_at, Some(id(event))));
        layers.push(Layer { ends: until.1, ..layer(begin.at, until.0, Kind::Unattended) });
    }
    layers.extend(between(&told.all, (EventKind::Lock, EventKind::Unlock), Kind::Locked, terminal.id, close));
    let unplugged = (EventKind::Disconnect, EventKind::Connect);
    layers.extend(between(&told.all, unplugged, Kind::Disconnected, terminal.id, close));
    layers.extend(unlocked_without_lock(terminal, told, begin, pc));
    layers
}

/// Layers from each event of the first kind to the next of the second one. What is told twice counts once.
fn between(
    events: &[&Event],
    (opens, closes): (EventKind, EventKind),
    kind: Kind,
    terminal: TerminalId,
    close: (UtcMillis, Option<EventId>),
) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut open: Option<&Event> = None;
    let layer = |opened: &Event, to, ends| Layer {
        from: opened.occurred_at,
        to,
        kind,
        why: None,
        begins: Some(EventId { terminal, sequence: opened.sequence }),
        ends,
    };
    for event in events {
        if event.kind == opens {
            open = open.or(Some(event));
        } else if event.kind == closes
            && let Some(opened) = open.take()
        {
            let id = EventId { terminal, sequence: event.sequence };
            layers.push(layer(opened, event.occurred_at, Some(id)));
        }
    }
    layers.extend(open.map(|opened| layer(opened, close.0, close.1)));
    layers
}

/// An unlock says that the session was locked before. Since when is known where the PC woke and asked for the
/// password (Windows does not always tell of that lock), or where the agent came back and found it so; else nobody
/// knows how much of the time since the event before it was locked.
fn unlocked_without_lock(
    terminal: &Terminal<'_>,
    told: &Told<'_>,
    begin: Edge,
    sleeps: &[Layer],
) -> Vec<Layer> {
    let id = |event: &Event| EventId { terminal: terminal.id, sequence: event.sequence };
    let found = told.logon.filter(|logon| logon.evidence == Evidence::FoundAtStart);
    let found = found.map(|logon| logon.recorded_at.wall);
    // A logon without a person is locked from the beginning.
    let (mut layers, mut locked) = (Vec::new(), is_unattended(told));
    let mut before = (begin.latest, begin.event);
    for event in told.all.iter().filter(|event| event.occurred_at >= begin.at) {
        if event.kind == EventKind::Unlock && !locked {
            let back = found.filter(|at| *at >= before.0);
            let back = back.or_else(|| woke(sleeps, before.0, event.occurred_at));
            let back = back.or_else(|| watched_again(terminal, before.0, event.occurred_at));
            let kind = if back.is_some() { Kind::Locked } else { Kind::Unclear };
            let (from, to) = (back.unwrap_or(before.0), event.occurred_at);
            let (begins, ends) = (Some(before.1), Some(id(event)));
            layers.push(Layer { from, to, kind, why: None, begins, ends });
        }
        locked = event.kind == EventKind::Lock || (locked && event.kind != EventKind::Unlock);
        before = (event.occurred_at, id(event));
    }
    layers
}

/// When the PC woke last between the two times.
fn woke(sleeps: &[Layer], from: UtcMillis, to: UtcMillis) -> Option<UtcMillis> {
    let ends = sleeps.iter().filter(|layer| layer.kind == Kind::Asleep).map(|layer| layer.to);
    ends.filter(|end| (from..to).contains(end)).max()
}

/// When watching began again, if it was interrupted between the two times.
fn watched_again(terminal: &Terminal<'_>, from: UtcMillis, to: UtcMillis) -> Option<UtcMillis> {
    let parts = terminal.timeline.day(from, to).parts;
    parts.iter().rfind(|part| part.why.state() != State::Observed).map(|part| part.to).filter(|end| *end < to)
}

/// What holds for every session of the PC: sleep and a dark display.
fn of_the_pc(terminal: &Terminal<'_>, events: &[&Event], now: UtcMillis) -> Vec<Layer> {
    let mut layers = until_awake(terminal.id, events, now);
    let dark = (EventKind::DisplayOff, EventKind::DisplayOn);
    layers.extend(between(events, dark, Kind::DisplayOff, terminal.id, (now, None)));
    layers
}

/// A sleep whose end nobody told of lasts to the next thing that the PC saw happen.
fn until_awake(terminal: TerminalId, events: &[&Event], now: UtcMillis) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut asleep: Option<&Event> = None;
    let id = |event: &Event| EventId { terminal, sequence: event.sequence };
    for event in events {
        if let Some(since) = asleep
            && (event.kind == EventKind::Resume || (is_told(event) && event.kind != EventKind::Suspend))
        {
            let (from, to) = (since.occurred_at, event.occurred_at);
            let (begins, ends) = (Some(id(since)), Some(id(event)));
            layers.push(Layer { from, to, kind: Kind::Asleep, why: None, begins, ends });
            asleep = None;
        }
        if event.kind == EventKind::Suspend {
            asleep = asleep.or(Some(event));
        }
    }
    layers.extend(asleep.map(|since| Layer {
        from: since.occurred_at,
        to: now,
        kind: Kind::Asleep,
        why: None,
        begins: Some(id(since)),
        ends: None,
    }));
    layers
}

/// Whether the PC was awake to see it. Locks and disconnections are told around the moment of falling asleep.
fn is_told(event: &Event) -> bool {
    let around_sleep = matches!(event.kind, EventKind::Lock | EventKind::Disconnect | EventKind::DisplayOff);
    event.evidence == Evidence::Notice && !around_sleep
}
