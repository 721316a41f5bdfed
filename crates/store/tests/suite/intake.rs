//! What comes from terminals.

use mngntime_model::{AccountIdentity, EventKind, PunchResult, TerminalId};
use mngntime_store::{
    ContractStatus, EnrollmentOutcome, Enrolment, IncomingBatch, KeyEnd, KeyHash, QuarantineOutcome,
    QuarantineReason, Quarantined, Refusal, Store, StoreError, TerminalStatus,
};

use crate::fixture::{DAY_MS, KEY, NOW, act, contract, enrolment, event, identity, logon, office, terminal};

pub async fn an_event_is_stored_once(store: &dyn Store) {
    let office = office(store).await;
    let first = office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let again = office.receive(store, vec![logon(1, "hanako", NOW), logon(1, "hanako", NOW)]).await;
    assert_eq!(again, [first[0].clone(), first[0].clone()]);
    assert!(first[0].stored);
    assert_eq!(office.punches(store).await, [(1, Some(7))]);
}

pub async fn of_a_terminal_that_is_not_there_nothing_is_stored(store: &dyn Store) {
    let office = office(store).await;
    let nobody = IncomingBatch {
        terminal: TerminalId::from_random([99; 16]),
        ..office.batch(vec![logon(1, "hanako", NOW)])
    };
    let refused = store.receive(nobody).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(Refusal::Missing { what: "terminal" }))),
        "{refused:?}"
    );
    assert!(office.punches(store).await.is_empty());
}

pub async fn what_the_receipt_takes_off_a_pc_no_longer_waits_there(store: &dyn Store) {
    let office = office(store).await;
    let batch = |events, waiting| IncomingBatch { waiting, ..office.batch(events) };
    let waiting = async || store.terminal(office.contract, office.terminal).await.unwrap().unwrap().waiting;
    store.receive(batch(vec![logon(1, "hanako", NOW), logon(2, "hanako", NOW)], 5)).await.unwrap();
    assert_eq!(waiting().await, 3, "res=7 is let go");
    let blocked = TerminalStatus::Blocked;
    store.set_terminal_status(office.contract, office.terminal, blocked, act()).await.unwrap();
    store.receive(batch(vec![logon(3, "hanako", NOW)], 3)).await.unwrap();
    assert_eq!(waiting().await, 3, "res=6 is kept");
}

pub async fn other_bytes_under_a_number_are_refused_and_kept_aside(store: &dyn Store) {
    let office = office(store).await;
    let honest = logon(1, "hanako", NOW);
    office.receive(store, vec![honest.clone()]).await;
    let other = logon(1, "taro", NOW.plus(5));
    let items = office.receive(store, vec![other.clone(), logon(2, "hanako", NOW)]).await;
    assert_eq!((items[0].stored, items[0].digest), (false, other.digest));
    assert_eq!(items[0].result, Some(PunchResult::TerminalUnusable));
    assert!(items[1].stored, "the rest of the batch is not held up");
    let detail = store.punch(office.contract.into(), office.terminal, 1).await.unwrap().unwrap();
    assert_eq!((detail.json, detail.digest), (honest.json, honest.digest));
    assert!(detail.terminal.conflict);
    let kept = store.quarantine_report(10).await.unwrap();
    assert_eq!((kept.kept, kept.newest[0].reason), (1, QuarantineReason::OtherBytes));
    assert_eq!((kept.newest[0].contract.as_str(), &kept.newest[0].body), ("demo", &other.json.into_bytes()));
    store.clear_conflict(office.contract, office.terminal, act()).await.unwrap();
    assert!(!store.terminal(office.contract, office.terminal).await.unwrap().unwrap().conflict);
}

pub async fn other_bytes_of_what_is_no_punch_are_refused_as_well(store: &dyn Store) {
    let office = office(store).await;
    let boot = |occurred_at| event(1, EventKind::Boot, None, occurred_at);
    let kinds =
        [boot(NOW.plus(5)), event(1, EventKind::Boot, Some(identity("hanako")), NOW), logon(1, "a", NOW)];
    assert!(office.receive(store, vec![boot(NOW)]).await[0].stored);
    for (count, other) in (1..).zip(kinds) {
        assert!(!office.receive(store, vec![other]).await[0].stored);
        assert_eq!(store.quarantine_report(10).await.unwrap().kept, count);
    }
    assert!(office.receive(store, vec![boot(NOW)]).await[0].stored, "what is stored is so still");
}

pub async fn the_order_of_arrival_does_not_matter(store: &dyn Store) {
    let office = office(store).await;
    let send = async |numbers: &[u64]| {
        let events = numbers.iter().map(|n| logon(*n, "hanako", NOW)).collect();
        let reception = store.receive(office.batch(events)).await.unwrap();
        assert!(reception.items.iter().all(|item| item.stored));
        reception.head
    };
    assert_eq!(send(&[5, 3]).await, 5);
    assert_eq!(send(&[1, 3, 2]).await, 5, "the head does not go back");
    assert_eq!(send(&[]).await, 5);
    assert_eq!(send(&[4, 6]).await, 6);
    assert_eq!(office.punches(store).await.len(), 6);
}

pub async fn hindrances_follow_contract_terminal_and_makeup(store: &dyn Store) {
    let office = office(store).await;
    let status = async |status| {
        store.set_terminal_status(office.contract, office.terminal, status, act()).await.unwrap()
    };
    let contract = async |status| store.set_contract_status(office.contract, status, act()).await.unwrap();
    let changed = |sequence| IncomingBatch {
        makeup: "makeup-2".to_owned(),
        ..office.batch(vec![logon(sequence, "hanako", NOW)])
    };
    let result = async |batch| store.receive(batch).await.unwrap().items[0].result.and_then(PunchResult::res);

    assert_eq!(result(changed(1)).await, Some(8));
    assert_eq!(status(TerminalStatus::Blocked).await, 0, "what is stored stays as it is");
    assert_eq!(result(changed(2)).await, Some(6), "6 goes before 8");
    assert_eq!(contract(ContractStatus::Suspended).await, 0);
    assert_eq!(result(changed(3)).await, Some(5), "5 goes before 6");
    assert_eq!(office.punches(store).await, [(1, Some(8)), (2, Some(6)), (3, Some(5))]);

    assert_eq!(contract(ContractStatus::Active).await, 1);
    assert_eq!(office.punches(store).await, [(1, Some(8)), (2, Some(6)), (3, Some(6))]);
    assert_eq!(status(TerminalStatus::Active).await, 2);
    assert_eq!(office.punches(store).await, [(1, Some(8)), (2, Some(8)), (3, Some(8))]);
    let again = Enrolment { makeup: "makeup-2".to_owned(), ..enrolment("demo", "1") };
    assert_eq!(store.enroll(again).await.unwrap(), EnrollmentOutcome::EnrolledAgain(office.terminal));
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, Some(7)), (3, Some(7))]);

    assert_eq!(status(TerminalStatus::Blocked).await, 0);
    assert_eq!(result(changed(1)).await, Some(7), "a hindrance is never put on what was stored without one");
}

pub async fn a_punch_that_comes_again_from_the_pc_as_it_was_enrolled_is_not_hindered(store: &dyn Store) {
    let office = office(store).await;
    let changed =
        IncomingBatch { makeup: "makeup-2".to_owned(), ..office.batch(vec![logon(1, "hanako", NOW)]) };
    assert_eq!(store.receive(changed).await.unwrap().items[0].result.and_then(PunchResult::res), Some(8));
    assert_eq!(office.results(store, vec![logon(1, "hanako", NOW)]).await, [Some(7)]);
    assert_eq!(office.punches(store).await, [(1, Some(7))]);
}

pub async fn only_logons_and_logoffs_are_judged(store: &dyn Store) {
    let office = office(store).await;
    let events: Vec<_> = (1..)
        .zip(EventKind::ALL)
        .map(|(sequence, kind)| event(sequence, kind, Some(identity("hanako")), NOW))
        .collect();
    let items = office.receive(store, events.clone()).await;
    assert!(items.iter().all(|item| item.stored));
    for (item, incoming) in items.iter().zip(&events) {
        let expected = incoming.event.kind.is_punch().then_some(PunchResult::UserUnusable);
        assert_eq!(item.result, expected, "{:?}", incoming.event.kind);
    }
    assert_eq!(office.receive(store, events).await, items, "and the same when they come again");
    assert_eq!(office.punches(store).await.len(), 2);
}

pub async fn a_renamed_account_keeps_its_identity_and_its_old_name(store: &dyn Store) {
    let office = office(store).await;
    let married = AccountIdentity { name: "suzuki.hanako".to_owned(), ..identity("hanako") };
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let before = office.account(store, "hanako").await;
    let renamed = event(2, EventKind::Logon, Some(married), NOW);
    store
        .receive(IncomingBatch { received_at: NOW.plus(DAY_MS), ..office.batch(vec![renamed]) })
        .await
        .unwrap();
    let after = office.account(store, "hanako").await;
    assert_eq!((after.id, after.name.as_str()), (before.id, "suzuki.hanako"));
    assert_eq!((after.first_seen_at, after.last_seen_at), (NOW, NOW.plus(DAY_MS)));
    let names = store.account_names(office.contract, after.id).await.unwrap();
    let names: Vec<_> = names.into_iter().map(|name| (name.name, name.seen_at)).collect();
    assert_eq!(names, [("hanako".to_owned(), NOW), ("suzuki.hanako".to_owned(), NOW.plus(DAY_MS))]);
}

pub async fn that_an_account_was_seen_again_is_noted_once_an_hour(store: &dyn Store) {
    let office = office(store).await;
    let seen = async |number: u64, minutes: i64| {
        let events = vec![logon(number, "hanako", NOW)];
        let received_at = NOW.plus(minutes * 60_000);
        store.receive(IncomingBatch { received_at, ..office.batch(events) }).await.unwrap();
        office.account(store, "hanako").await.last_seen_at
    };
    assert_eq!((seen(1, 0).await, seen(2, 59).await), (NOW, NOW));
    assert_eq!(seen(3, 60).await, NOW.plus(3_600_000));
    assert_eq!(seen(4, 30).await, NOW.plus(3_600_000), "a clock that was set back takes nothing back");
}

pub async fn enrolment_answers_by_contract_key_and_terminal(store: &dyn Store) {
    let office = office(store).await;
    let enroll = async |enrolment| store.enroll(enrolment).await.unwrap();
    assert_eq!(enroll(enrolment("nobody", "2")).await, EnrollmentOutcome::ContractUnusable);
    let wrong = Enrolment { key: KeyHash::of("guessed"), ..enrolment("demo", "2") };
    assert_eq!(enroll(wrong).await, EnrollmentOutcome::WrongKey);
    assert_eq!(enroll(enrolment("demo", "1")).await, EnrollmentOutcome::EnrolledAgain(office.terminal));
    assert_ne!(terminal(store, "demo", "2").await, office.terminal);
    assert_eq!(store.active_terminals().await.unwrap(), 2);
    for status in [TerminalStatus::Blocked, TerminalStatus::Retired] {
        store.set_terminal_status(office.contract, office.terminal, status, act()).await.unwrap();
        assert_eq!(enroll(enrolment("demo", "1")).await, EnrollmentOutcome::TerminalUnusable);
    }
    assert_eq!(store.active_terminals().await.unwrap(), 1);
    for (status, option) in [(ContractStatus::Suspended, true), (ContractStatus::Active, false)] {
        store.set_contract_status(office.contract, status, act()).await.unwrap();
        store.set_logon_punch_option(office.contract, option, act()).await.unwrap();
        assert_eq!(enroll(enrolment("demo", "3")).await, EnrollmentOutcome::ContractUnusable);
    }
}

pub async fn revoked_keys_open_nothing_and_added_ones_do(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    store.add_enrollment_key(contract, KeyHash::of(" second \n"), act()).await.unwrap();
    let with = |key: &str, name: &str| Enrolment { key: KeyHash::of(key), ..enrolment("demo", name) };
    assert!(matches!(store.enroll(with(KEY, "1")).await.unwrap(), EnrollmentOutcome::Enrolled(_)));
    assert!(matches!(store.enroll(with("second", "2")).await.unwrap(), EnrollmentOutcome::Enrolled(_)));
    assert_eq!(store.revoke_enrollment_keys(contract, act()).await.unwrap(), 2);
    let revoked = EnrollmentOutcome::KeyEnded(KeyEnd::Revoked);
    assert_eq!(store.enroll(with(KEY, "3")).await.unwrap(), revoked);
    assert_eq!(store.enroll(with("second", "4")).await.unwrap(), revoked);
}

pub async fn a_flooded_quarantine_counts_what_it_cannot_keep(store: &dyn Store) {
    let entry = |terminal: &str| Quarantined {
        received_at: NOW,
        reason: QuarantineReason::UnknownContract,
        contract: "c".repeat(1000),
        terminal: terminal.to_owned(),
        body: b"body".to_vec(),
    };
    let mut kept = 0;
    for _ in 0..60 {
        kept += u64::from(store.quarantine(entry("one")).await.unwrap() == QuarantineOutcome::Kept);
    }
    assert_eq!(kept, 50, "one sender has its share");
    assert_eq!(
        store.quarantine(entry("two")).await.unwrap(),
        QuarantineOutcome::Kept,
        "and leaves others theirs"
    );
    let report = store.quarantine_report(3).await.unwrap();
    assert_eq!((report.kept, report.kept_bytes, report.counted_only), (51, 51 * 4, 10));
    assert_eq!(report.newest.len(), 3);
    assert_eq!((report.newest[0].terminal.as_str(), report.newest[0].contract.len()), ("two", 128));
}

/// Waits for all of them together.
async fn all<F: Future>(futures: impl Iterator<Item = F>) {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

pub async fn a_flood_makes_room_for_others_out_of_its_own(store: &dyn Store) {
    let entry = |contract: &str, terminal: String, at: i64| Quarantined {
        received_at: NOW.plus(at),
        reason: QuarantineReason::UnknownContract,
        contract: contract.to_owned(),
        terminal,
        body: b"body".to_vec(),
    };
    let kept = async |entry| store.quarantine(entry).await.unwrap() == QuarantineOutcome::Kept;
    assert!(kept(entry("before", "pc".into(), -31 * DAY_MS)).await);
    let spared = async |at| store.quarantine_spared(entry("near", "pc".into(), at)).await.unwrap();
    assert_eq!(spared(0).await, QuarantineOutcome::Kept);
    for hundreds in 0..10 {
        let flood = |n| store.quarantine(entry("no-such", format!("made up {}", n % 128), n));
        all((hundreds * 500..(hundreds + 1) * 500).map(flood)).await;
    }
    let report = store.quarantine_report(1).await.unwrap();
    assert!((4_750..=5_000).contains(&report.kept) && report.full_percent >= 95, "{report:?}");
    assert_eq!(report.kept + report.counted_only, 5_002, "what made room is counted");
    assert_eq!(report.kept_bytes, report.kept * 4);
    assert_eq!(spared(1).await, QuarantineOutcome::CountedOnly, "an address that has brought much");
    assert!(kept(entry("dmeo", "a true PC".into(), 5_001)).await);
    let page = store.list_quarantine(None, 5_000).await.unwrap().rows;
    let of = |contract: &str| page.iter().filter(|row| row.contract == contract).count();
    assert_eq!((of("dmeo"), of("before"), of("near")), (1, 1, 1), "others have lost nothing");
    assert_eq!(store.forget_quarantined(NOW).await.unwrap(), 1, "of a month ago");
    let report = store.quarantine_report(0).await.unwrap();
    let last = report.last.unwrap();
    assert_eq!(store.empty_quarantine(last.plus(-1), act()).await.unwrap(), report.kept - 1);
    let left = store.quarantine_report(9).await.unwrap();
    assert_eq!((left.kept, left.kept_bytes, left.counted_only, left.full_percent), (1, 4, 0, 0));
    assert_eq!(left.newest[0].contract, "dmeo", "what has come since it was looked at stays");
    assert_eq!(store.empty_quarantine(last, act()).await.unwrap(), 1);
    assert_eq!(store.empty_quarantine(last, act()).await.unwrap(), 0);
    let log = store.audit_log(None, None, 10).await.unwrap();
    let emptied = log.iter().filter(|entry| entry.action == "empty_quarantine");
    assert_eq!(emptied.count(), 2, "nothing is nothing to note");
}

pub async fn the_same_pc_may_belong_to_two_contracts(store: &dyn Store) {
    contract(store, "demo").await;
    contract(store, "other").await;
    let here = terminal(store, "demo", "1").await;
    let there = terminal(store, "other", "1").await;
    assert_ne!(here, there);
}
