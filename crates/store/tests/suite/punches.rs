//! Reading the list.

use mngntime_model::{Bounds, Event, EventKind, Evidence, SessionIdentity, TerminalId, UtcMillis};
use mngntime_store::{
    AccountFilter, EmployeeChoice, EmployeeId, Enrolment, IncomingEvent, LinkChange, LinkEnd, LinkRequest,
    PunchFilter, Rejudged, Scope, ScopedPeople, Store, Summary, TerminalStatus, Unattended,
};

use crate::fixture::{
    DAY_MS, NOW, Office, act, contract, day, employee, enrolment, event, identity, logon, office, terminal,
    walked,
};

pub async fn pages_join_without_gap_or_repeat(store: &dyn Store) {
    let office = office(store).await;
    let second = Office { terminal: terminal(store, "demo", "2").await, ..office };
    // Many punches at the same time: the order must still be total.
    for source in [&office, &second] {
        source
            .receive(store, (1..=30).map(|n| logon(n, "hanako", NOW.plus(n as i64 / 7 * 1000))).collect())
            .await;
    }
    let whole = office.list(store, PunchFilter::default()).await;
    assert_eq!(whole.len(), 60);
    assert!(whole.windows(2).all(|pair| pair[0].occurred_at >= pair[1].occurred_at), "newest first");
    for size in [1, 7, 59, 60, 61] {
        let page = async |at| {
            let filter = PunchFilter::default();
            let page = store.list_punches(office.contract.into(), filter, at, size).await.unwrap();
            assert!(page.rows.len() <= size);
            page
        };
        assert_eq!(walked(page).await, whole, "in pages of {size}");
    }
}

pub async fn pages_of_a_person_with_two_accounts_join_and_what_waits_is_counted_as_it_changes(
    store: &dyn Store,
) {
    let office = office(store).await;
    let name = |n: u64| ["hanako", "hanako2", "taro"][(n % 3) as usize];
    let events = (1..=31).map(|n| logon(n, name(n), NOW.plus(1000 * (n as i64 / 2)))).collect();
    office.receive(store, events).await;
    let waiting = async |name: &str| office.account(store, name).await.waiting;
    assert_eq!((waiting("hanako").await, waiting("hanako2").await, waiting("taro").await), (10, 11, 10));
    let first = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![first], act()).await.unwrap();
    let employee = office.account(store, "hanako").await.links[0].employee;
    let change = LinkChange::Assign { employee, from: day(0), to: None };
    let second = office.account(store, "hanako2").await.id;
    let preview = store.preview_change(office.contract, second, change).await.unwrap();
    assert_eq!((preview.cured, preview.errors, preview.employees[0].gains), (11, 0, 11));
    assert_eq!(preview.employees[0].days, [day(0)]);
    let eleven = Rejudged { results: 11, moved: 0 };
    assert_eq!(store.change_links(office.contract, second, change, act()).await.unwrap(), eleven);
    assert_eq!((waiting("hanako").await, waiting("hanako2").await, waiting("taro").await), (0, 0, 10));

    let of_person = filter(|f| f.employee = Some(employee));
    let own = Scope { contract: office.contract, people: ScopedPeople::One(employee) };
    for (scope, filter) in [(office.contract.into(), of_person), (own, PunchFilter::default())] {
        let whole = store.list_punches(scope, filter.clone(), None, 100).await.unwrap().rows;
        assert_eq!(whole.len(), 21);
        let page = async |at| store.list_punches(scope, filter.clone(), at, 4).await.unwrap();
        assert_eq!(walked(page).await, whole);
        assert!(whole.is_sorted_by_key(|punch| std::cmp::Reverse(punch.occurred_at)));
        assert_eq!(store.count_punches(scope, filter.clone(), 100).await.unwrap(), 21);
        assert_eq!(store.count_punches(scope, filter, 5).await.unwrap(), 5, "no further than asked");
    }
}

pub async fn filters_narrow_the_list(store: &dyn Store) {
    let office = office(store).await;
    let second = Office { terminal: terminal(store, "demo", "2").await, ..office };
    let inferred = inferred_logoff(3);
    office.receive(store, vec![logon(1, "hanako", NOW), logon(2, "taro", NOW.plus(DAY_MS)), inferred]).await;
    second.receive(store, vec![logon(1, "hanako", NOW.plus(2 * DAY_MS))]).await;
    let request = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let hanako = office.account(store, "hanako").await;
    let employee = hanako.links[0].employee;
    let (here, next_day) = (second.terminal, NOW.plus(DAY_MS));
    let count = async |filter: PunchFilter| office.list(store, filter).await.len();
    assert_eq!(count(filter(|_| {})).await, 4);
    assert_eq!(count(filter(|f| f.account = Some(hanako.id))).await, 3);
    assert_eq!(count(filter(|f| f.employee = Some(employee))).await, 3);
    assert_eq!(count(filter(|f| f.employee = Some(nobody()))).await, 0);
    assert_eq!(count(filter(|f| f.terminal = Some(here))).await, 1);
    assert_eq!(count(filter(|f| f.kind = Some(EventKind::Logoff))).await, 1);
    assert_eq!(count(filter(|f| f.errors_only = true)).await, 1);
    let errors_of_hanako = |f: &mut PunchFilter| (f.errors_only, f.account) = (true, Some(hanako.id));
    assert_eq!(count(filter(errors_of_hanako)).await, 0);
    assert_eq!(count(filter(|f| f.from = Some(next_day))).await, 2);
    let before = count(filter(|f| f.until = Some(next_day))).await;
    assert_eq!(before, 2, "the end is not included");
    let logoffs = office.list(store, filter(|f| f.kind = Some(EventKind::Logoff))).await;
    let logoff = &logoffs[0];
    assert_eq!(logoff.evidence, Evidence::Inferred);
    assert_eq!(logoff.bounds, Some(Bounds::between(NOW, NOW.plus(5))));
    assert_eq!((logoff.employee_code.as_deref(), logoff.host_name.as_str()), (Some("hanako"), "PC-1"));
}

fn filter(change: impl FnOnce(&mut PunchFilter)) -> PunchFilter {
    let mut filter = PunchFilter::default();
    change(&mut filter);
    filter
}

fn inferred_logoff(sequence: u64) -> IncomingEvent {
    let mut incoming = event(sequence, EventKind::Logoff, Some(identity("hanako")), NOW);
    incoming.event.evidence = Evidence::Inferred;
    incoming.event.bounds = Some(Bounds::between(NOW, NOW.plus(5)));
    incoming
}

fn nobody() -> EmployeeId {
    EmployeeId::parse("00000000-0000-7000-8000-000000000000").unwrap()
}

pub async fn the_summary_counts(store: &dyn Store) {
    let office = office(store).await;
    // Enrolled a second before, and never heard of.
    let enrolled = Enrolment { at: NOW.plus(-1000), ..enrolment("demo", "never-heard-of") };
    store.enroll(enrolled).await.unwrap();
    let day_before = logon(4, "taro", NOW.plus(-DAY_MS));
    office
        .receive(
            store,
            vec![logon(1, "hanako", NOW), logon(2, "hanako", NOW), logon(3, "taro", NOW), day_before],
        )
        .await;
    let request = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let summary = async |silent_before| {
        store.summary(office.contract.into(), NOW.plus(-1000), NOW.plus(1000), silent_before).await.unwrap()
    };
    let expected = Summary {
        punches: 3,
        errors: 1,
        unlinked_punches: 2,
        unlinked_accounts: 1,
        terminals: 2,
        silent_terminals: 1,
        conflicts: 0,
        waiting_events: 0,
    };
    assert_eq!(summary(NOW.plus(-1)).await, expected);
    assert_eq!(summary(NOW.plus(-1000)).await, expected);
    assert_eq!(summary(NOW.plus(-1001)).await, Summary { silent_terminals: 0, ..expected });
    assert_eq!(summary(NOW).await, Summary { silent_terminals: 2, ..expected }, "as the board has it");
}

/// An event of `name`'s stay number `stay`, with a cause.
fn of_stay(sequence: u64, kind: EventKind, stay: &str, cause: Option<&str>, at: UtcMillis) -> IncomingEvent {
    let plain = event(sequence, kind, Some(identity("hanako")), at);
    let session = SessionIdentity {
        boot: plain.event.boot.clone(),
        session_id: "1".to_owned(),
        logon_identity: stay.to_owned(),
    };
    let cause = cause.map(str::to_owned);
    IncomingEvent { event: Event { session: Some(session), cause, ..plain.event.clone() }, ..plain }
}

pub async fn a_logon_without_a_person_says_when_somebody_came_in_whatever_order_that_is_told(
    store: &dyn Store,
) {
    let office = office(store).await;
    let (lock_at, came_at) = (NOW.plus(2_000), NOW.plus(6 * 3_600_000));
    let logon = of_stay(1, EventKind::Logon, "luid:0x1", None, NOW);
    let lock = of_stay(2, EventKind::Lock, "luid:0x1", Some("unattended_logon"), lock_at);
    let unlock = of_stay(3, EventKind::Unlock, "luid:0x1", Some("presence_begins"), came_at);
    let later = of_stay(4, EventKind::Unlock, "luid:0x1", None, came_at.plus(60_000));
    let shown = async || office.list(store, PunchFilter::default()).await.pop().and_then(|p| p.unattended);
    let waiting = Some(Unattended { present_from: None, present_bounds: None });
    let came = Some(Unattended { present_from: Some(came_at), present_bounds: None });

    office.receive(store, vec![logon]).await;
    assert_eq!(shown().await, None);
    office.receive(store, vec![lock.clone(), lock.clone()]).await;
    assert_eq!(shown().await, waiting);
    office.receive(store, vec![unlock, later, lock]).await;
    assert_eq!(shown().await, came);
    let detail = store.punch(office.contract.into(), office.terminal, 1).await.unwrap().unwrap();
    assert_eq!((detail.punch.unattended, detail.punch.occurred_at), (came, NOW), "the punch is not edited");

    let unlock = of_stay(5, EventKind::Unlock, "luid:0x2", Some("presence_begins"), came_at);
    let bounds = Some(Bounds { not_before: came_at, not_after: came_at.plus(60_000) });
    let unlock = IncomingEvent { event: Event { bounds, ..unlock.event.clone() }, ..unlock };
    let logon = of_stay(6, EventKind::Logon, "luid:0x2", Some("unattended"), NOW.plus(1));
    office.receive(store, vec![unlock]).await;
    office.receive(store, vec![logon]).await;
    let newest = office.list(store, PunchFilter::default()).await.remove(0);
    assert_eq!(newest.unattended, Some(Unattended { present_from: Some(came_at), present_bounds: bounds }));
}

pub async fn presence_is_a_matter_of_one_stay(store: &dyn Store) {
    let office = office(store).await;
    let events = vec![
        of_stay(1, EventKind::Logon, "luid:0x1", Some("unattended"), NOW),
        of_stay(2, EventKind::Logoff, "luid:0x1", None, NOW.plus(1)),
        of_stay(3, EventKind::Logon, "luid:0x2", None, NOW.plus(2)),
        of_stay(4, EventKind::Lock, "luid:0x2", None, NOW.plus(3)),
        of_stay(5, EventKind::Unlock, "luid:0x2", None, NOW.plus(4)),
    ];
    office.receive(store, events).await;
    let rows = office.list(store, PunchFilter::default()).await;
    let marked: Vec<_> = rows.iter().map(|row| (row.sequence, row.unattended.is_some())).collect();
    assert_eq!(marked, [(3, false), (2, false), (1, true)], "nor is the logoff marked");
}

/// Two contracts in which the same SID and the same PC appear; ours has linked its account.
async fn two_offices(store: &dyn Store) -> (Office, Office) {
    let ours = office(store).await;
    let other = contract(store, "other").await;
    let theirs = Office { contract: other, terminal: terminal(store, "other", "1").await };
    ours.receive(store, vec![logon(1, "hanako", NOW)]).await;
    theirs.receive(store, vec![logon(1, "hanako", NOW), logon(2, "jiro", NOW)]).await;
    let request = ours.request(store, "hanako", day(0), None).await;
    store.link_accounts(ours.contract, vec![request], act()).await.unwrap();
    (ours, theirs)
}

pub async fn two_contracts_never_see_each_others_rows(store: &dyn Store) {
    let (ours, theirs) = two_offices(store).await;
    assert_eq!(ours.punches(store).await, [(1, None)]);
    assert_eq!(
        theirs.punches(store).await,
        [(1, Some(7)), (2, Some(7))],
        "the same SID is another account there"
    );
    assert!(store.punch(ours.contract.into(), theirs.terminal, 1).await.unwrap().is_none());
    assert!(store.terminal(ours.contract, theirs.terminal).await.unwrap().is_none());
    let seen = store.list_accounts(ours.contract.into(), AccountFilter::All, 10).await.unwrap();
    let jiro = theirs.account(store, "jiro").await.id;
    assert!(seen.iter().all(|account| account.id != jiro));
    assert!(store.account(ours.contract, jiro).await.unwrap().is_none());
    assert!(store.account_names(ours.contract, jiro).await.unwrap().is_empty());
    assert!(store.list_employees(theirs.contract.into(), None, 10).await.unwrap().is_empty());
    let employee = ours.account(store, "hanako").await.links[0].employee;
    assert!(theirs.list(store, filter(|f| f.employee = Some(employee))).await.is_empty());
    let log = store.audit_log(Some(theirs.contract), None, 100).await.unwrap();
    assert!(log.iter().all(|entry| entry.contract == Some(theirs.contract)));
    let summary = store.summary(ours.contract.into(), UtcMillis(0), UtcMillis(i64::MAX), NOW).await.unwrap();
    assert_eq!((summary.punches, summary.terminals), (1, 1));
    let listed = store.list_terminals(ours.contract, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|found| found.id).collect::<Vec<TerminalId>>(), [ours.terminal]);
}

pub async fn two_contracts_never_change_each_others_rows(store: &dyn Store) {
    let (ours, theirs) = two_offices(store).await;
    let hanako = ours.account(store, "hanako").await;
    let link = &hanako.links[0];
    assert!(store.end_link(theirs.contract, link.id, LinkEnd::Void, act()).await.is_err());
    let data = employee("stolen");
    assert!(store.change_employee(theirs.contract, link.employee, data, act()).await.is_err());
    let (account, from) = (theirs.account(store, "jiro").await.id, day(0));
    let employee = EmployeeChoice::Existing(link.employee);
    let across = LinkRequest { account, employee, from, to: None };
    for contract in [ours.contract, theirs.contract] {
        assert!(store.link_accounts(contract, vec![across.clone()], act()).await.is_err());
    }
    let status = TerminalStatus::Blocked;
    assert!(store.set_terminal_status(ours.contract, theirs.terminal, status, act()).await.is_err());
    assert!(store.clear_conflict(ours.contract, theirs.terminal, act()).await.is_err());
    assert_eq!(ours.punches(store).await, [(1, None)]);
    assert_eq!(theirs.punches(store).await, [(1, Some(7)), (2, Some(7))]);
}
