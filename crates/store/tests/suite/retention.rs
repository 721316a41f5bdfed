//! Retention: what goes, when, and what stays so that the rest can be proven.

use std::sync::Arc;

use jiff::civil::{Date, date};
use mngntime_ledger::log::check_inclusion;
use mngntime_model::UtcMillis;
use mngntime_store::date::zone;
use mngntime_store::{
    Act, AuditFilter, CheckedMonth, ContractSettings, EvidenceScope, Growth, Hold, IncomingBatch,
    IncomingEvent, LogLook, MonthCheck, NewHold, PunchFilter, Refusal, Retirement, Store, StoreError,
    local_date,
};

use crate::fixture::{NOW, Office, act, contract, employee, logon, office};

pub const MONTH: &str = "2026-11";

/// When a date begins in Tokyo.
pub fn at(date: Date) -> UtcMillis {
    UtcMillis(date.to_zoned(zone()).unwrap().timestamp().as_millisecond())
}

pub fn server(at: UtcMillis) -> Act {
    Act::server(at)
}

/// With bytes that a database can read.
pub fn readable(incoming: IncomingEvent) -> IncomingEvent {
    let json = format!(r#"{{"seq":{},"kind":"logon"}}"#, incoming.event.sequence);
    IncomingEvent { digest: mngntime_ledger::Digest::of(json.as_bytes()), json, ..incoming }
}

/// Numbers received at some time, which happened a second apart from `from` on.
pub async fn take(
    store: &dyn Store,
    office: &Office,
    numbers: std::ops::RangeInclusive<u64>,
    received_at: UtcMillis,
    from: UtcMillis,
) {
    let events =
        numbers.map(|n| readable(logon(n, "hanako", from.plus(i64::try_from(n).unwrap() * 1_000)))).collect();
    store.receive(IncomingBatch { received_at, ..office.batch(events) }).await.unwrap();
}

pub async fn sign(store: &dyn Store) {
    loop {
        let months = store.unsigned_months(None).await.unwrap();
        if months.is_empty() {
            return;
        }
        for month in months {
            match store.grow_log(month, 1_000).await.unwrap() {
                Growth::Grown(grown) => {
                    let envelope = format!("head of {}", grown.tree.size);
                    assert!(store.keep_log_head(*grown, NOW, envelope).await.unwrap());
                }
                other @ (Growth::Nothing | Growth::Broken(_)) => panic!("{other:?}"),
            }
        }
    }
}

pub async fn switch(store: &dyn Store, office: &Office, retires: bool, years: u8, at: UtcMillis) {
    let settings = ContractSettings { retires, retention_years: years, ..ContractSettings::default() };
    let act = Act::administrator("kimura", at);
    store.change_settings(office.contract, "demo".to_owned(), settings, act).await.unwrap();
}

/// Lets the server have run on as many days before a time.
pub async fn run_days(store: &dyn Store, before: UtcMillis, days: i64) {
    for n in 0..days {
        store.note_size(local_date(before.plus(-(n + 1) * 86_400_000)), 1).await.unwrap();
    }
}

pub async fn check(store: &dyn Store, office: &Office, month: &str) -> CheckedMonth {
    match store.check_month(office.contract, month.to_owned()).await.unwrap() {
        MonthCheck::Whole(checked) => *checked,
        other @ (MonthCheck::Nothing | MonthCheck::Broken(_)) => panic!("{other:?}"),
    }
}

/// Two months with ten events each, and a third one with two; deletion after three years is switched on, and the clock of
/// `now` is trusted.
pub async fn filled(store: &dyn Store, now: UtcMillis) -> Office {
    let office = office(store).await;
    take(store, &office, 1..=10, NOW, NOW).await;
    let december = at(date(2026, 12, 24));
    take(store, &office, 11..=20, december, december).await;
    let january = at(date(2027, 1, 4));
    take(store, &office, 21..=22, january, january).await;
    switch(store, &office, true, 3, january.plus(1)).await;
    run_days(store, now, 7).await;
    sign(store).await;
    office
}

/// The first moment at which [`MONTH`] may go.
pub fn due() -> UtcMillis {
    at(date(2030, 2, 1))
}

pub async fn retire(store: &dyn Store, office: &Office, month: &str, now: UtcMillis) {
    let checked = check(store, office, month).await;
    assert_eq!(store.retire_month(checked, server(now)).await.unwrap(), Retirement::Retired);
}

pub async fn empty(store: &dyn Store, office: &Office, month: &str, now: UtcMillis) -> u64 {
    let (mut from, mut events) = (Some(0), 0);
    while let Some(next) = from {
        let done = store.empty_month(office.contract, month.to_owned(), next, 4, server(now)).await.unwrap();
        (from, events) = (done.next, events + done.events);
    }
    events
}

async fn numbers(store: &dyn Store, office: &Office) -> Vec<u64> {
    office.punches(store).await.into_iter().map(|(number, _)| number).collect()
}

async fn actions(store: &dyn Store, office: &Office) -> Vec<String> {
    let page = store.search_audit(Some(office.contract), AuditFilter::default(), None, 100).await.unwrap();
    page.rows.into_iter().rev().map(|row| row.entry.action).collect()
}

pub async fn a_month_goes_on_its_day_where_that_is_switched_on_and_no_earlier(store: &dyn Store) {
    let office = filled(store, due().plus(7 * 86_400_000)).await;
    let checked = check(store, &office, MONTH).await;
    assert_eq!((checked.events, checked.days), (10, (date(2026, 11, 1), date(2026, 11, 30))));
    let ranges: Vec<_> = checked.numbers.iter().map(|range| (range.first, range.last, range.at)).collect();
    assert_eq!(ranges, [(1, 10, (NOW.plus(1_000), NOW.plus(10_000)))]);
    let said = async |now| store.retire_month(checked.clone(), server(now)).await.unwrap();
    assert_eq!(said(due().plus(-1)).await, Retirement::NotDue(Some(date(2030, 2, 1))));
    assert_eq!(said(due()).await, Retirement::ClockUntried, "the clock says so since today only");
    run_days(store, due(), 7).await;
    switch(store, &office, false, 3, NOW).await;
    assert_eq!(said(due()).await, Retirement::SwitchedOff);
    switch(store, &office, true, 5, NOW).await;
    assert_eq!(said(due()).await, Retirement::NotDue(Some(date(2032, 2, 1))));
    switch(store, &office, true, 3, NOW).await;
    let wrong = |head: &dyn Fn(&mut CheckedMonth)| {
        let mut wrong = checked.clone();
        head(&mut wrong);
        store.retire_month(wrong, server(due()))
    };
    assert_eq!(wrong(&|month| month.head.tree.size -= 1).await.unwrap(), Retirement::NotClosed);
    assert_eq!(wrong(&|month| month.numbers.clear()).await.unwrap(), Retirement::NotClosed);
    let refused = store.empty_month(office.contract, MONTH.to_owned(), 0, 9, server(due())).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::Missing { .. }))), "{refused:?}");
    assert_eq!(said(due()).await, Retirement::Retired);
    assert_eq!(said(due()).await, Retirement::RetiredBefore);
    assert_eq!(numbers(store, &office).await.len(), 22, "nothing has gone yet");
    for month in [MONTH, "2027-01", "2030-02", "1999-01", "x"] {
        let nothing = store.check_month(office.contract, month.to_owned()).await.unwrap();
        assert_eq!(nothing, MonthCheck::Nothing, "{month}");
    }
}

pub async fn a_retired_month_is_emptied_in_pieces_from_any_point_on(store: &dyn Store) {
    let office = filled(store, due()).await;
    let waiting = async || office.account(store, "hanako").await.waiting;
    assert_eq!(waiting().await, 22);
    retire(store, &office, MONTH, due()).await;
    let piece = async |from| {
        store.empty_month(office.contract, MONTH.to_owned(), from, 4, server(due())).await.unwrap()
    };
    // The contract was made and the terminal enrolled first: leaves 0 and 1.
    let done = piece(0).await;
    assert_eq!((done.events, done.next), (4, Some(6)));
    assert_eq!(numbers(store, &office).await, (5..=22).collect::<Vec<_>>());
    assert_eq!(store.log_gap(office.contract, LogLook::Receipts).await.unwrap(), None, "between pieces, too");
    // The power goes, and it is begun from the beginning.
    assert_eq!(piece(0).await.next, Some(10));
    let months = store.retention_months(office.contract).await.unwrap();
    assert_eq!(months.retired[0].emptied_at, None);
    // A wrong place to go on loses nothing.
    assert_eq!(piece(99).await.next, Some(0));
    let done = piece(0).await;
    assert_eq!((done.events, done.next), (2, None));
    assert_eq!(piece(0).await.events, 0, "once");
    let months = store.retention_months(office.contract).await.unwrap();
    let gone = &months.retired[0];
    assert_eq!((gone.month.as_str(), gone.events, gone.emptied_at), (MONTH, 10, Some(due())));
    let kept: Vec<_> =
        months.kept.iter().map(|kept| (kept.month.as_str(), kept.closed, kept.has_events)).collect();
    assert_eq!(kept, [("2026-12", true, true), ("2027-01", false, true), ("2030-02", false, false)]);
    assert_eq!((waiting().await, numbers(store, &office).await), (12, (11..=22).collect()));
    let told = actions(store, &office).await;
    assert_eq!(told[told.len() - 3..], ["retire_month", "retire_numbers", "empty_month"]);
    let scope = EvidenceScope { contract: office.contract, accounts: None, terminal: None, span: None };
    let terminals = store.evidence_terminals(scope).await.unwrap();
    let range = &terminals[0].retired[0];
    assert_eq!((terminals[0].first, terminals[0].last, terminals[0].retired.len()), (1, 22, 1));
    assert_eq!((range.numbers.first, range.numbers.last, range.month.as_str()), (1, 10, MONTH));
    assert_eq!((range.retired_at, store.retired_months(office.contract).await.unwrap().len()), (due(), 1));
}

pub async fn later_months_go_on_and_entries_of_a_retired_month_are_still_proven(store: &dyn Store) {
    let office = filled(store, due()).await;
    for month in [MONTH, "2026-12"] {
        let now = if month == MONTH { due() } else { at(date(2030, 3, 1)) };
        run_days(store, now, 7).await;
        retire(store, &office, month, now).await;
        assert_eq!(empty(store, &office, month, now).await, 10);
    }
    let new = at(date(2030, 3, 2));
    take(store, &office, 23..=24, new, new).await;
    sign(store).await;
    let trees = store.log_trees(office.contract).await.unwrap();
    let told: Vec<_> = trees.iter().map(|head| (head.tree.month.as_str(), head.closed)).collect();
    assert_eq!(
        told,
        [(MONTH, true), ("2026-12", true), ("2027-01", true), ("2030-02", true), ("2030-03", false)],
        "the months stay in the chain, those without a leaf too"
    );
    let entries = store.evidence_entries(office.contract, 0, 100).await.unwrap();
    let of_month: Vec<_> = entries.iter().filter(|entry| entry.place.month == MONTH).collect();
    assert_eq!(of_month.len(), 2);
    for entry in of_month {
        let leaf = entry.place.leaf;
        let proof = store
            .inclusion_proofs(office.contract, MONTH.to_owned(), 12, vec![leaf])
            .await
            .unwrap()
            .remove(0);
        let line = mngntime_ledger::audit::digest(&entry.record.to_json().unwrap());
        let own = mngntime_ledger::leaf::AuditLeaf::of("demo", entry.record.number, entry.record.at, line);
        assert_eq!(check_inclusion(&proof, 12, trees[0].tree.root, leaf, own.hash().unwrap()), Ok(()));
    }
    assert_eq!(store.log_gap(office.contract, LogLook::Receipts).await.unwrap(), None);
    assert!(store.evidence_events(office.contract, office.terminal, 1, 99).await.unwrap().len() == 4);
}

pub async fn what_was_retired_never_comes_back(store: &dyn Store) {
    let office = filled(store, due()).await;
    let receipt = async |received_at: UtcMillis, number: u64| {
        let envelope = format!(r#"{{"payload":{{"items":[{{"seq":{number},"stored":true}}]}}}}"#);
        let happened = NOW.plus(i64::try_from(number).unwrap() * 1_000);
        let events = vec![readable(logon(number, "hanako", happened))];
        let again = IncomingBatch { received_at, ..office.batch(events) };
        store.receive_and_seal(again, Arc::new(move |_| Ok(envelope.clone()))).await.unwrap();
    };
    receipt(NOW, 5).await;
    // A receipt for what was sent once more a month later.
    receipt(at(date(2026, 12, 24)).plus(5), 6).await;
    // What was sent once more in the same month, and what a clock that was set back has put into it.
    receipt(NOW.plus(3_600_000), 7).await;
    receipt(NOW.plus(7_200_000), 12).await;
    retire(store, &office, MONTH, due()).await;
    empty(store, &office, MONTH, due()).await;
    assert_eq!(store.log_gap(office.contract, LogLook::Receipts).await.unwrap(), None);
    let received = (UtcMillis(i64::MIN), UtcMillis(i64::MAX));
    let receipts = store.evidence_receipts(office.contract, office.terminal, received).await.unwrap();
    let about =
        |number: u64| receipts.iter().filter(|text| text.contains(&format!("\"seq\":{number},"))).count();
    let (gone, kept) = ([about(5), about(7)], [about(6), about(12)]);
    assert_eq!(
        (gone, kept),
        ([0; 2], [1; 2]),
        "receipts go with the month that gave them, unless they name what stays"
    );
    let batches = store.evidence_batches(office.contract, office.terminal, received).await.unwrap();
    assert_eq!(batches.len(), 2);

    let again = |n: u64| logon(n, "hanako", NOW.plus(i64::try_from(n).unwrap() * 1_000));
    let later = at(date(2030, 2, 3));
    let send = async |events| {
        let batch = IncomingBatch { received_at: later, ..office.batch(events) };
        store.receive(batch).await.unwrap()
    };
    let reception = send(vec![again(4), again(5)]).await;
    assert!(reception.items.iter().all(|item| item.stored && item.releases_spool() && item.place.is_none()));
    assert_eq!((reception.head, reception.missing), (22, vec![]), "nothing is asked for once more");
    let quarantined = async || store.quarantine_report(9).await.unwrap().kept;
    assert_eq!(quarantined().await, 0);
    // A PC that was set back years writes new events under old numbers: they are sent under new ones afterwards.
    let reception = send(vec![logon(6, "hanako", later), logon(23, "hanako", later)]).await;
    let stored: Vec<_> = reception.items.iter().map(|item| item.stored).collect();
    assert_eq!((stored, reception.head), (vec![false, true], 23));
    assert_eq!(quarantined().await, 1);
    assert_eq!(numbers(store, &office).await, (11..=23).collect::<Vec<_>>());
    assert_eq!(store.log_gap(office.contract, LogLook::Places).await.unwrap(), None);
}

pub async fn a_hold_keeps_what_it_is_about_until_it_is_released(store: &dyn Store) {
    let office = filled(store, due()).await;
    let hanako = store.add_employee(office.contract, employee("E-1"), act()).await.unwrap();
    let checked = check(store, &office, MONTH).await;
    let said = async || store.retire_month(checked.clone(), server(due())).await.unwrap();
    let hold = |employee, from, to| NewHold { employee, from, to, reason: "訴訟".to_owned() };
    let set = async |new| store.set_hold(office.contract, new, act()).await.unwrap();
    // Set between the look and the deletion.
    let mut standing = Vec::new();
    let (first, last) = (date(2026, 11, 1), date(2026, 11, 30));
    for new in [
        hold(None, None, None),
        hold(Some(hanako), None, None),
        hold(None, Some(last), None),
        hold(None, None, Some(first)),
        hold(None, Some(date(2026, 11, 9)), Some(date(2026, 11, 10))),
    ] {
        let id = set(new.clone()).await;
        assert_eq!(said().await, Retirement::Held, "{new:?}");
        store.release_hold(office.contract, id, act()).await.unwrap();
        standing.push(id);
    }
    set(hold(None, Some(date(2026, 12, 1)), None)).await;
    set(hold(None, None, Some(date(2026, 10, 31)))).await;
    let other = contract(store, "other").await;
    store.set_hold(other, hold(None, None, None), act()).await.unwrap();
    let missing = |answer: Result<(), StoreError>| {
        assert!(matches!(answer, Err(StoreError::Refused(Refusal::Missing { .. }))), "{answer:?}");
    };
    missing(store.release_hold(other, standing[0], act()).await);
    missing(store.set_hold(other, hold(Some(hanako), None, None), act()).await.map(drop));
    let reversed = store.set_hold(office.contract, hold(None, Some(last), Some(first)), act()).await;
    assert!(matches!(reversed, Err(StoreError::Refused(Refusal::DatesReversed))), "{reversed:?}");
    store.release_hold(office.contract, standing[0], Act::administrator("x", due())).await.unwrap();
    let holds: Vec<Hold> = store.list_holds(office.contract).await.unwrap();
    assert_eq!(holds.len(), 7);
    assert!(
        holds[..2].iter().all(|hold| hold.released.is_none())
            && holds[2..].iter().all(|hold| hold.released.is_some())
    );
    let of_hanako = holds.iter().find(|hold| hold.id == standing[1]).unwrap();
    assert_eq!(of_hanako.employee, Some(("E-1".to_owned(), "社員 E-1".to_owned())));
    let first = holds.iter().find(|hold| hold.id == standing[0]).unwrap();
    assert_eq!(first.released, Some((NOW, "administrator:kimura".to_owned())), "once");
    assert_eq!(said().await, Retirement::Retired, "others do not keep it");
    let told = actions(store, &office).await;
    let count = |action: &str| told.iter().filter(|told| *told == action).count();
    assert_eq!((count("set_hold"), count("release_hold")), (7, 5));
}

pub async fn what_came_late_or_from_a_wrong_clock_is_kept_as_long_as_its_later_day(store: &dyn Store) {
    let office = office(store).await;
    let leap = at(date(2028, 3, 1)).plus(-1);
    // November's batch has an event of a clock that was ahead; December's brings what happened in February.
    take(store, &office, 1..=1, NOW, NOW).await;
    take(store, &office, 2..=2, NOW, leap.plus(-2_000)).await;
    let december = at(date(2026, 12, 31)).plus(86_400_000 - 1);
    take(store, &office, 3..=3, december, at(date(2026, 2, 28))).await;
    switch(store, &office, true, 3, at(date(2027, 1, 1))).await;
    sign(store).await;
    let november = check(store, &office, MONTH).await;
    assert_eq!(november.days, (date(2026, 11, 1), date(2028, 2, 29)));
    let said = async |checked: &CheckedMonth, now: UtcMillis| {
        run_days(store, now, 8).await;
        store.retire_month(checked.clone(), server(now)).await.unwrap()
    };
    let until = date(2031, 5, 1);
    assert_eq!(said(&november, at(until).plus(-1)).await, Retirement::NotDue(Some(until)));
    let late = check(store, &office, "2026-12").await;
    assert_eq!(late.days, (date(2026, 2, 28), date(2026, 12, 31)));
    let until = date(2030, 3, 1);
    assert_eq!(said(&late, at(until).plus(-1)).await, Retirement::NotDue(Some(until)));
    assert_eq!(said(&late, at(until)).await, Retirement::Retired);
    assert_eq!(said(&november, at(date(2031, 5, 1))).await, Retirement::Retired);
    let all = store.list_punches(office.contract.into(), PunchFilter::default(), None, 9).await.unwrap();
    assert_eq!(all.rows.len(), 3);
    // A hold on a day that only the wrong clock knew would have kept it.
    assert_eq!(empty(store, &office, MONTH, at(date(2031, 5, 1))).await, 2);
}
