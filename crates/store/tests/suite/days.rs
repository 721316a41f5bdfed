//! What a person's days are made of.

use mngntime_model::{Bounds, EventKind, Evidence, UtcMillis};
use mngntime_store::{EmployeeId, IncomingEvent, LinkEnd, PersonRecord, Store};

use crate::fixture::{DAY_MS, NOW, Office, act, contract, day, event, identity, logon, office, terminal};

const HOUR_MS: i64 = 3_600_000;

/// An event of hanako, or of the PC itself, so many hours after [`NOW`].
fn of(sequence: u64, kind: EventKind, hours: i64) -> IncomingEvent {
    let account = matches!(kind, EventKind::Logon | EventKind::Logoff | EventKind::Lock | EventKind::Unlock);
    event(sequence, kind, account.then(|| identity("hanako")), NOW.plus(hours * HOUR_MS))
}

/// Links hanako's account from the day before [`NOW`].
async fn link(store: &dyn Store, office: &Office) -> EmployeeId {
    let request = office.request(store, "hanako", day(-1), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    store.employee_by_code(office.contract.into(), "hanako".into()).await.unwrap().unwrap().id
}

/// The record of the hours from the first to the second.
async fn record(store: &dyn Store, office: &Office, who: EmployeeId, hours: (i64, i64)) -> PersonRecord {
    let at = |hours: i64| NOW.plus(hours * HOUR_MS);
    store.person_record(office.contract, who, (at(hours.0), at(hours.1))).await.unwrap()
}

fn numbers(record: &PersonRecord) -> Vec<u64> {
    record.terminals.iter().flat_map(|terminal| &terminal.events).map(|event| event.sequence).collect()
}

pub async fn a_record_holds_the_events_around_the_time_from_the_logon_that_goes_on(store: &dyn Store) {
    let office = office(store).await;
    let events = [
        (EventKind::ServiceStart, -100),
        (EventKind::Logon, -99),
        (EventKind::Logoff, -90),
        (EventKind::Logon, -20),
        (EventKind::Lock, -10),
        (EventKind::Unlock, 1),
        (EventKind::Suspend, 2),
        (EventKind::Logoff, 20),
    ];
    let later = (9..=200).map(|number| of(number, EventKind::Logon, 20 + number as i64));
    let events = (1..).zip(events).map(|(number, (kind, hours))| of(number, kind, hours)).chain(later);
    office.receive(store, events.collect()).await;
    let who = link(store, &office).await;
    let found = record(store, &office, who, (0, 24)).await;
    // From the logon that goes on, to what the next start may have told.
    assert_eq!(numbers(&found), (4..=9 + 128).collect::<Vec<_>>());
    let terminal = &found.terminals[0];
    assert_eq!((terminal.numbers, terminal.whole, found.whole), ((4, 137), true, true));
    assert_eq!((found.links[0].from, found.links[0].to), (day(-1), None));
    assert_eq!(terminal.used, (NOW.plus(-99 * HOUR_MS), NOW.plus(220 * HOUR_MS)));
}

pub async fn what_was_told_much_later_is_found_as_the_punch_that_it_is(store: &dyn Store) {
    let office = office(store).await;
    let late = |mut incoming: IncomingEvent| {
        (incoming.event.evidence, incoming.event.bounds) =
            (Evidence::Inferred, Some(Bounds::between(NOW, NOW.plus(HOUR_MS))));
        incoming
    };
    let mut events = vec![of(1, EventKind::Logon, -2)];
    events.extend((2..=150).map(|number| of(number, EventKind::Logon, 30)));
    events.push(late(of(151, EventKind::Logoff, 0)));
    office.receive(store, events).await;
    let who = link(store, &office).await;
    let found = record(store, &office, who, (0, 24)).await;
    let (numbers, read) = (numbers(&found), found.terminals[0].numbers);
    assert_eq!((numbers.last(), read), (Some(&151), (1, 130)), "outside of what is read without holes");
    // Where the interval reaches into the time, the logoff before it belongs to it.
    let after = record(store, &office, who, (1, 24)).await;
    assert!(self::numbers(&after).contains(&151) && self::numbers(&after).contains(&1));
}

pub async fn without_use_in_the_time_the_nearest_terminals_speak(store: &dyn Store) {
    let office = office(store).await;
    let second = Office { terminal: terminal(store, "demo", "2").await, ..office };
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    second.receive(store, vec![logon(1, "hanako", NOW.plus(300 * DAY_MS))]).await;
    let who = link(store, &office).await;
    let used = async |days: i64| {
        let found = record(store, &office, who, (24 * days, 24 * (days + 1))).await;
        let mut ids: Vec<_> = found.terminals.iter().map(|terminal| terminal.terminal.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut both = vec![office.terminal, second.terminal];
    both.sort_unstable();
    assert_eq!(used(20).await, [office.terminal]);
    assert_eq!(used(150).await, both, "before and after");
    assert_eq!(used(500).await, [second.terminal]);
    assert_eq!(used(-100).await, [office.terminal]);
}

pub async fn void_links_are_no_part_of_a_person(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let who = link(store, &office).await;
    let link = office.account(store, "hanako").await.links[0].id;
    store.end_link(office.contract, link, LinkEnd::Void, act()).await.unwrap();
    let found = record(store, &office, who, (0, 24)).await;
    assert!(found.links.is_empty() && found.terminals.is_empty() && found.whole);
}

pub async fn people_and_events_of_another_contract_are_not_found(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW), of(2, EventKind::Lock, 1)]).await;
    let who = link(store, &office).await;
    let other = contract(store, "other").await;
    assert_eq!(store.employee_by_code(other.into(), "hanako".into()).await.unwrap(), None);
    let found = store.person_record(other, who, (UtcMillis(0), UtcMillis(i64::MAX))).await.unwrap();
    assert!(found.links.is_empty() && found.terminals.is_empty());
    assert_eq!(store.event(other.into(), office.terminal, 2).await.unwrap(), None);
    let own = store.event(office.contract.into(), office.terminal, 2).await.unwrap().unwrap();
    assert_eq!((own.sequence, own.occurred_at), (2, NOW.plus(HOUR_MS)));
    assert_eq!(store.event(office.contract.into(), office.terminal, 3).await.unwrap(), None);
}
