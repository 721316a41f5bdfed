//! What a clock years off has stamped stands at the time of the server's clock: judged, listed, counted and found there.

use mngntime_ledger::Digest;
use mngntime_model::{Event, EventKind, UtcMillis};
use mngntime_store::{EvidenceScope, IncomingBatch, IncomingEvent, PunchFilter, Store};

use crate::fixture::{NOW, Office, act, day, event, identity, logon, office};
use crate::retention;

/// What the clock of a PC shows whose battery is dead.
const SHOWN: UtcMillis = UtcMillis(946_684_800_000);

/// The same event of Hanako's as a clock of 2000 has stamped it.
fn stamped(incoming: IncomingEvent) -> IncomingEvent {
    by_a_clock(SHOWN, incoming)
}

fn by_a_clock(shown: UtcMillis, incoming: IncomingEvent) -> IncomingEvent {
    let (number, kind) = (incoming.event.sequence, incoming.event.kind.name());
    let key = identity("hanako").key;
    let json = format!(
        r#"{{"seq":{number},"kind":"{kind}","occurred_at":{},"account":{{"key":"{key}"}}}}"#,
        shown.0
    );
    IncomingEvent { digest: Digest::of(json.as_bytes()), json, stamped_at: Some(shown), ..incoming }
}

/// Hanako, who has had her account since yesterday, and whose PC has a dead battery.
async fn dead_battery(store: &dyn Store) -> (Office, [IncomingEvent; 3]) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let request = office.request(store, "hanako", day(-1), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let logoff = event(4, EventKind::Logoff, Some(identity("hanako")), NOW.plus(9_000));
    let lock = event(3, EventKind::Lock, Some(identity("hanako")), NOW.plus(8_000));
    (office, [logon(2, "hanako", NOW.plus(7_000)), lock, logoff].map(stamped))
}

pub async fn what_a_clock_years_off_has_stamped_stands_at_the_servers_time(store: &dyn Store) {
    let (office, events) = dead_battery(store).await;
    let results = async |events| office.results(store, events).await;
    assert_eq!(results(events.to_vec()).await, [None; 3], "of today, on which the account is hers");
    let list = office.list(store, PunchFilter { from: Some(NOW), ..PunchFilter::default() }).await;
    let told: Vec<_> = list.iter().map(|punch| (punch.sequence, punch.stamped_at, punch.date)).collect();
    assert_eq!(told, [(4, Some(SHOWN), day(0)), (2, Some(SHOWN), day(0)), (1, None, day(0))]);
    assert!(list.iter().all(|punch| punch.clock_offset_ms == 0));
    let found = store.punch(office.contract.into(), office.terminal, 4).await.unwrap().unwrap();
    assert_eq!((found.punch.occurred_at, found.punch.stamped_at), (NOW.plus(9_000), Some(SHOWN)));
    for number in [3, 4] {
        let event = store.event(office.contract.into(), office.terminal, number).await.unwrap().unwrap();
        assert_eq!(event.stamped_at, Some(SHOWN));
        assert!(event.employee.is_some(), "whose it was on the date by which it stands");
    }
    // Once its clock was set right, the PC sends the same bytes once more.
    let again = events.map(|event| IncomingEvent {
        event: Event { occurred_at: SHOWN, ..event.event.clone() },
        stamped_at: None,
        ..event
    });
    assert_eq!(results(again.to_vec()).await, [None; 3]);
    assert_eq!(office.punches(store).await.len(), 3, "and has them there once");
}

pub async fn days_and_packs_find_what_a_clock_years_off_has_stamped(store: &dyn Store) {
    let (office, events) = dead_battery(store).await;
    let [logon, lock, logoff] = events;
    let tomorrow = |incoming: IncomingEvent| {
        let occurred_at = incoming.event.occurred_at.plus(86_400_000);
        IncomingEvent { event: Event { occurred_at, ..incoming.event }, ..incoming }
    };
    office.receive(store, [logon, lock, logoff].map(tomorrow).to_vec()).await;
    let employee = office.account(store, "hanako").await.links[0].employee;
    let begins = |days| retention::at(day(days));
    let span = (begins(1), begins(2));
    let record = store.person_record(office.contract, employee, span).await.unwrap();
    assert_eq!(record.terminals.len(), 1);
    assert_eq!(record.terminals[0].used, (NOW, NOW.plus(86_409_000)));
    assert_eq!(record.terminals[0].events.iter().map(|event| event.sequence).max(), Some(4));
    let counted = store.punched(office.contract, vec![employee], span, 300).await.unwrap();
    assert_eq!((counted[0].dates, counted[0].error_dates), (1, 0));
    let accounts = Some(vec![office.account(store, "hanako").await.id]);
    let scope =
        |span| EvidenceScope { contract: office.contract, accounts: accounts.clone(), terminal: None, span };
    let found = store.evidence_terminals(scope(Some(span))).await.unwrap();
    assert_eq!((found[0].first, found[0].last), (2, 4));
    let of_2000 = (SHOWN.plus(-86_400_000), SHOWN.plus(86_400_000));
    assert!(store.evidence_terminals(scope(Some(of_2000))).await.unwrap().is_empty());
}

pub async fn what_a_clock_years_off_has_stamped_goes_with_its_month(store: &dyn Store) {
    // A clock of the future keeps nobody's month for decades.
    goes_with_its_month(store, SHOWN).await;
}

pub async fn what_a_clock_of_2055_has_stamped_goes_with_its_month(store: &dyn Store) {
    goes_with_its_month(store, UtcMillis(2_687_717_167_000)).await;
}

async fn goes_with_its_month(store: &dyn Store, shown: UtcMillis) {
    let (office, events) = dead_battery(store).await;
    let events = events.map(|incoming| by_a_clock(shown, incoming));
    office.receive(store, events.to_vec()).await;
    let january = retention::at(jiff::civil::date(2027, 1, 4));
    retention::take(store, &office, 5..=6, january, january).await;
    retention::switch(store, &office, true, 3, january.plus(1)).await;
    retention::run_days(store, retention::due(), 7).await;
    retention::sign(store).await;
    retention::retire(store, &office, retention::MONTH, retention::due()).await;
    retention::empty(store, &office, retention::MONTH, retention::due()).await;
    let left: Vec<_> = office.punches(store).await.into_iter().map(|(number, _)| number).collect();
    assert_eq!(left, [5, 6]);
    // What a PC sends once more of it was stored, whatever its clock says by now.
    let again = IncomingBatch { received_at: january.plus(5), ..office.batch(vec![events[0].clone()]) };
    assert!(store.receive(again).await.unwrap().items[0].stored);
}
