//! Who is who, and what that changes.

use mngntime_model::{AccountIdentity, EventKind, PunchResult};
use mngntime_store::{
    AccountFilter, Act, EmployeeChoice, ErrorCause, IncomingBatch, LinkChange, LinkEnd, LinkRequest,
    NewEmployee, PunchFilter, Reason, Refusal, Rejudged, Scope, ScopedPeople, Store, StoreError,
    TerminalStatus, Whose, WhoseChange, Why,
};

use crate::fixture::{DAY_MS, NOW, Office, act, contract, day, employee, event, identity, logon, office};

fn refusal<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Refusal {
    match answer {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The suggestions for the account that has this name now: reasons and codes.
async fn suggested(store: &dyn Store, office: &Office, name: &str) -> Vec<(Reason, String)> {
    let all = store.list_accounts(office.contract.into(), AccountFilter::All, 100).await.unwrap();
    let account = all.into_iter().find(|account| account.name == name).expect(name).id;
    let found = store.suggestions(office.contract, vec![account], day(0)).await.unwrap().remove(0);
    found.into_iter().filter(|one| one.sure).map(|one| (one.reason, one.employee.data.code)).collect()
}

pub async fn suggestions_have_a_reason_and_never_choose_between_two(store: &dyn Store) {
    let office = office(store).await;
    let people = [
        ("E0341", "オガワ タクミ"),
        ("E2", "ヤマダ ハナコ"),
        ("E3", "サトウ タロウ"),
        ("E4", "サトウ トオル"),
        ("0777", "スズキ イチロウ"),
    ];
    for (code, kana) in people {
        let new = NewEmployee { kana: Some(kana.to_owned()), ..employee(code) };
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    let names = ["e0341", "0777-suzuki", "h.yamada", "yamada-t", "t.sato", "ichiro.suzuki", "nobody"];
    let mut events: Vec<_> = (1..).zip(names).map(|(number, name)| logon(number, name, NOW)).collect();
    // The same SID: its name was a code, and its UPN is one of today.
    let named = |name: &str, upn: Option<&str>, key: &str| AccountIdentity {
        name: name.to_owned(),
        upn: upn.map(str::to_owned),
        ..identity(key)
    };
    events.push(event(8, EventKind::Logon, Some(named("e3", None, "renamed")), NOW));
    events.push(event(9, EventKind::Logon, Some(named("newname", None, "renamed")), NOW));
    events.push(event(10, EventKind::Logon, Some(named("x", Some("E4@example.com"), "upn")), NOW));
    office.receive(store, events).await;
    let one = |reason, code: &str| vec![(reason, code.to_owned())];
    for (name, wanted) in [
        ("e0341", one(Reason::Code, "E0341")),
        ("x", one(Reason::Code, "E4")),
        ("newname", one(Reason::Renamed, "E3")),
        ("0777-suzuki", one(Reason::CodeWithin, "0777")),
        ("h.yamada", one(Reason::Initial, "E2")),
        ("ichiro.suzuki", one(Reason::Reading, "0777")),
        ("yamada-t", vec![]),
        // Two of the family name have that initial.
        ("t.sato", vec![]),
        ("nobody", vec![]),
    ] {
        assert_eq!(suggested(store, &office, name).await, wanted, "{name}");
    }
    let lists = async |reason| {
        let found = store.suggested(office.contract, reason, day(0), 10).await.unwrap();
        found.into_iter().map(|(account, _)| account.name).collect::<Vec<_>>()
    };
    let found = store.suggested_accounts(office.contract, "SATO".into(), day(0), 10).await.unwrap();
    let (row, who) = &found.rows[0];
    let who: Vec<_> = who.iter().map(|one| (one.sure, one.employee.data.code.as_str())).collect();
    assert_eq!(
        (row.account.name.as_str(), who),
        ("t.sato", vec![(false, "E3"), (false, "E4")]),
        "to choose from"
    );
    let all = store.suggested_accounts(office.contract, String::new(), day(0), 10).await.unwrap();
    let names: Vec<_> = all.rows.iter().map(|(row, _)| row.account.name.as_str()).collect();
    assert_eq!(names, ["0777-suzuki", "e0341", "h.yamada", "ichiro.suzuki", "newname", "t.sato", "x"]);
    assert_eq!((all.looked_at, all.more), (9, false));
    let cut = store.suggested_accounts(office.contract, String::new(), day(0), 2).await.unwrap();
    assert_eq!((cut.rows.len(), cut.more), (2, true), "there may be more");
    assert_eq!(lists(Reason::Initial).await, ["h.yamada"]);
    assert_eq!(lists(Reason::Renamed).await, ["newname"]);
}

/// An account whose punches wait on a date on which a link stands is a matter of dates: nobody is suggested whom the store
/// would refuse.
pub async fn nobody_is_suggested_for_a_date_on_which_a_link_stands(store: &dyn Store) {
    let office = office(store).await;
    // Employed from, employed to, linked from, linked to.
    let cases = [
        ("not-yet", (Some(1), None), (-9, None)),
        ("left", (None, Some(-1)), (-9, None)),
        ("left-before-link", (None, Some(-8)), (-5, None)),
        ("later", (None, None), (1, None)),
        ("ended", (None, None), (-9, Some(-1))),
    ];
    let logons = (1..).zip(&cases).map(|(number, (name, ..))| logon(number, name, NOW));
    office.receive(store, logons.collect()).await;
    let mut requests = Vec::new();
    for (name, (first, last), (from, to)) in cases {
        let data = NewEmployee { active_from: first.map(day), active_to: last.map(day), ..employee(name) };
        let id = store.add_employee(office.contract, data, act()).await.unwrap();
        let account = office.account(store, name).await.id;
        let (employee, to) = (EmployeeChoice::Existing(id), to.map(day));
        requests.push(LinkRequest { account, employee, from: day(from), to });
    }
    assert_eq!(suggested(store, &office, "not-yet").await.len(), 1, "before it is linked");
    store.link_accounts(office.contract, requests, act()).await.unwrap();
    let all = store.list_accounts(office.contract.into(), AccountFilter::Waiting, 9).await.unwrap();
    assert_eq!(all.len(), cases.len(), "all of them wait, linked or not");
    for (name, wanted) in [("not-yet", 0), ("left", 0), ("left-before-link", 0), ("later", 1), ("ended", 1)] {
        assert_eq!(suggested(store, &office, name).await.len(), wanted, "{name}");
    }
    let rows = store.suggested_accounts(office.contract, String::new(), day(0), 9).await.unwrap().rows;
    let names: Vec<_> = rows.iter().map(|(row, _)| row.account.name.as_str()).collect();
    assert_eq!(names, ["ended", "later"]);
    let all = store.suggested(office.contract, Reason::Code, day(0), 9).await.unwrap();
    let names: Vec<_> = all.iter().map(|(account, _)| account.name.as_str()).collect();
    assert_eq!(names, ["ended", "later"]);
    // Somebody who has left makes room for somebody else, and for nobody before they left.
    office.receive(store, vec![logon(9, "e9", NOW)]).await;
    let gone = NewEmployee { active_to: Some(day(-1)), ..employee("gone") };
    let gone = EmployeeChoice::Existing(store.add_employee(office.contract, gone, act()).await.unwrap());
    store.add_employee(office.contract, employee("E9"), act()).await.unwrap();
    let account = office.account(store, "e9").await.id;
    let request = LinkRequest { account, employee: gone, from: day(-9), to: None };
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    assert_eq!(suggested(store, &office, "e9").await, [(Reason::Code, "E9".to_owned())]);
}

pub async fn a_link_makes_waiting_punches_good_and_its_end_takes_that_back(store: &dyn Store) {
    let office = office(store).await;
    office
        .receive(store, vec![logon(1, "hanako", NOW), logon(2, "taro", NOW), logon(3, "hanako", NOW)])
        .await;
    let request = office.request(store, "hanako", day(0), None).await;
    let outcome = store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    assert_eq!((outcome.links, outcome.employees, outcome.rejudged), (1, 1, 2));
    assert_eq!(office.punches(store).await, [(1, None), (2, Some(7)), (3, None)]);
    assert_eq!(
        office.results(store, vec![logon(4, "hanako", NOW)]).await,
        [None],
        "new ones are good at once"
    );
    let account = office.account(store, "hanako").await;
    assert_eq!(account.links[0].employee_code, "hanako");
    let void = store.end_link(office.contract, account.links[0].id, LinkEnd::Void, act()).await;
    assert_eq!(void.unwrap(), 3);
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, Some(7)), (3, Some(7)), (4, Some(7))]);
    assert!(office.account(store, "hanako").await.links.is_empty());
    let again = store.end_link(office.contract, account.links[0].id, LinkEnd::Void, act()).await;
    assert_eq!(refusal(again), Refusal::Missing { what: "link" });
}

pub async fn a_link_counts_on_its_dates_only(store: &dyn Store) {
    let office = office(store).await;
    // 2026-11-22 23:59:59.999, 11-23 00:00, 11-24 23:59:59.999, 11-25 00:00, in Tokyo.
    let midnight = NOW.plus(-9 * 3_600_000);
    let times = [midnight.plus(-1), midnight, midnight.plus(2 * DAY_MS - 1), midnight.plus(2 * DAY_MS)];
    let events = (1..).zip(times).map(|(sequence, time)| logon(sequence, "hanako", time)).collect();
    office.receive(store, events).await;
    let request = office.request(store, "hanako", day(0), Some(day(1))).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, None), (3, None), (4, Some(7))]);
    let link = office.account(store, "hanako").await.links[0].id;
    assert_eq!(store.end_link(office.contract, link, LinkEnd::After(day(0)), act()).await.unwrap(), 1);
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, None), (3, Some(7)), (4, Some(7))]);
    let reversed = store.end_link(office.contract, link, LinkEnd::After(day(-1)), act()).await;
    assert_eq!(refusal(reversed), Refusal::DatesReversed);
}

pub async fn employment_counts_on_its_dates_only(store: &dyn Store) {
    let office = office(store).await;
    office
        .receive(store, (1..=3).map(|n| logon(n, "hanako", NOW.plus((n as i64 - 2) * DAY_MS))).collect())
        .await;
    let hired = NewEmployee { active_from: Some(day(0)), ..employee("100") };
    let id = store.add_employee(office.contract, hired.clone(), act()).await.unwrap();
    let account = office.account(store, "hanako").await.id;
    let request = LinkRequest { account, employee: EmployeeChoice::Existing(id), from: day(-30), to: None };
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, None), (3, None)]);
    let left = NewEmployee { active_to: Some(day(0)), name: "改名".to_owned(), ..hired.clone() };
    assert_eq!(store.change_employee(office.contract, id, left, act()).await.unwrap(), 1);
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, None), (3, Some(7))]);
    let reversed = NewEmployee { active_to: Some(day(-1)), ..hired };
    assert_eq!(
        refusal(store.change_employee(office.contract, id, reversed, act()).await),
        Refusal::DatesReversed
    );
}

pub async fn linking_leaves_hindered_punches_hindered(store: &dyn Store) {
    let office = office(store).await;
    let set = async |status| {
        store.set_terminal_status(office.contract, office.terminal, status, act()).await.unwrap()
    };
    set(TerminalStatus::Blocked).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let request = office.request(store, "hanako", day(0), None).await;
    assert_eq!(store.link_accounts(office.contract, vec![request], act()).await.unwrap().rejudged, 0);
    assert_eq!(office.punches(store).await, [(1, Some(6))]);
    assert_eq!(set(TerminalStatus::Active).await, 1);
    assert_eq!(office.punches(store).await, [(1, None)], "the link counts once the hindrance is gone");
}

pub async fn links_of_an_account_never_overlap(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let link = async |from, to| {
        let account = office.account(store, "hanako").await.id;
        let code = format!("{from:?}{to:?}");
        let employee = EmployeeChoice::New(employee(&code));
        store.link_accounts(office.contract, vec![LinkRequest { account, employee, from, to }], act()).await
    };
    link(day(0), Some(day(9))).await.unwrap();
    let overlaps = Refusal::LinkOverlaps { account: "EXAMPLE\\hanako".to_owned() };
    for (from, to) in [(day(-5), None), (day(9), None), (day(-5), Some(day(0))), (day(3), Some(day(4)))] {
        assert_eq!(refusal(link(from, to).await), overlaps, "{from} {to:?}");
    }
    link(day(-5), Some(day(-1))).await.unwrap();
    link(day(10), None).await.unwrap();
    assert_eq!(refusal(link(day(20), Some(day(19))).await), Refusal::DatesReversed);
}

pub async fn other_dates_of_employment_are_counted_before_they_are_saved(store: &dyn Store) {
    let office = office(store).await;
    let punches = (0..3).map(|n| logon(n + 1, "hanako", NOW.plus(n as i64 * DAY_MS))).collect();
    office.receive(store, punches).await;
    let request = office.request(store, "hanako", day(0), None).await;
    let account = request.account;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let id = store.list_employees(office.contract.into(), None, 1).await.unwrap()[0].id;
    let until = |last| NewEmployee { active_to: Some(last), ..employee("hanako") };
    let preview = async |last| store.preview_employee(office.contract, id, until(last)).await.unwrap();
    let found = preview(day(0)).await;
    assert_eq!((found.rejudged.results, found.errors, found.cured), (2, 2, 0));
    assert_eq!((found.employees[0].loses, found.employees[0].days.as_slice()), (2, &[day(1), day(2)][..]));
    assert_eq!(preview(day(9)).await.rejudged, Rejudged::default());
    let changed = store.change_employee(office.contract, id, until(day(0)), act()).await.unwrap();
    assert_eq!(changed, found.rejudged.results, "as it was said");
    assert_eq!(preview(day(1)).await.cured, 1);
    let full = store.links_in_full(office.contract, vec![account]).await.unwrap();
    assert_eq!((full[0].len(), full[0][0].link.from, full[0][0].employed_to), (1, day(0), Some(day(0))));

    // The errors are told by their cause: outside the dates of a link, or of nobody.
    office.receive(store, vec![logon(9, "taro", NOW)]).await;
    let of = |cause| PunchFilter { cause: Some(cause), ..PunchFilter::default() };
    let numbers = async |cause| {
        let page = store.list_punches(office.contract.into(), of(cause), None, 9).await.unwrap();
        let counted = store.count_punches(office.contract.into(), of(cause), 9).await.unwrap();
        assert_eq!(counted, page.rows.len() as u64);
        page.rows.iter().map(|punch| punch.sequence).collect::<Vec<_>>()
    };
    assert_eq!(numbers(ErrorCause::OutsideLink).await, [3, 2]);
    assert_eq!(numbers(ErrorCause::Unlinked).await, [9]);
    assert!(numbers(ErrorCause::Terminal).await.is_empty());
    let other = contract(store, "other").await;
    let theirs = store.preview_employee(other, id, until(day(0))).await;
    assert_eq!(refusal(theirs), Refusal::Missing { what: "employee" });
}

pub async fn a_bulk_link_is_all_or_nothing(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW), logon(2, "taro", NOW)]).await;
    let good = office.request(store, "hanako", day(0), None).await;
    let account = office.account(store, "taro").await.id;
    let missing = mngntime_store::EmployeeId::parse("00000000-0000-7000-8000-000000000000").unwrap();
    let bad = LinkRequest { account, employee: EmployeeChoice::Existing(missing), from: day(0), to: None };
    let answer = store.link_accounts(office.contract, vec![good, bad], act()).await;
    assert_eq!(refusal(answer), Refusal::Missing { what: "employee" });
    assert_eq!(office.punches(store).await, [(1, Some(7)), (2, Some(7))]);
    assert!(store.list_employees(office.contract.into(), None, 10).await.unwrap().is_empty());
    let many = vec![office.request(store, "hanako", day(0), None).await; 1001];
    let answer = store.link_accounts(office.contract, many, act()).await;
    assert_eq!(refusal(answer), Refusal::TooMany { what: "links", limit: 1000 });
}

pub async fn new_employees_are_made_once_per_code(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW), logon(2, "hanako-admin", NOW)]).await;
    let mut requests = Vec::new();
    for name in ["hanako", "hanako-admin"] {
        let employee = EmployeeChoice::New(employee("100"));
        requests.push(LinkRequest { employee, ..office.request(store, name, day(0), None).await });
    }
    let outcome = store.link_accounts(office.contract, requests.clone(), act()).await.unwrap();
    assert_eq!((outcome.links, outcome.employees, outcome.rejudged), (2, 1, 2));
    let listed = store.list_employees(office.contract.into(), None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|found| found.data.code.as_str()).collect::<Vec<_>>(), ["100"]);
    let taken = store.add_employee(office.contract, employee("100"), act()).await;
    assert_eq!(refusal(taken), Refusal::Taken { what: "employee", code: "100".to_owned() });
}

pub async fn the_preview_counts_what_the_link_changes(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, (1..=20).map(|n| logon(n, "hanako", NOW.plus(n as i64 * DAY_MS))).collect()).await;
    let hired = NewEmployee { active_from: Some(day(4)), ..employee("100") };
    let request = LinkRequest {
        employee: EmployeeChoice::New(hired),
        ..office.request(store, "hanako", day(2), Some(day(11))).await
    };
    let preview = store.preview_links(office.contract, vec![request.clone()]).await.unwrap();
    assert_eq!(preview, 8);
    assert!(
        store.list_employees(office.contract.into(), None, 10).await.unwrap().is_empty(),
        "a preview changes nothing"
    );
    assert_eq!(store.link_accounts(office.contract, vec![request], act()).await.unwrap().rejudged, preview);
}

pub async fn accounts_with_waiting_punches_are_listed(store: &dyn Store) {
    let office = office(store).await;
    let events = vec![logon(1, "hanako", NOW), logon(2, "hanako", NOW.plus(-DAY_MS)), logon(3, "taro", NOW)];
    office.receive(store, events).await;
    let request = office.request(store, "taro", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let waiting = store.list_accounts(office.contract.into(), AccountFilter::Waiting, 10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].name.as_str(), waiting[0].waiting), ("hanako", 2));
    assert_eq!(waiting[0].waiting_since, Some(day(-1)));
    let all = store.list_accounts(office.contract.into(), AccountFilter::All, 10).await.unwrap();
    assert_eq!(all.iter().map(|account| account.waiting).collect::<Vec<_>>(), [2, 0]);
    let one = store.account(office.contract, waiting[0].id).await.unwrap().unwrap();
    assert_eq!(one, waiting[0]);
}

pub async fn history_tells_every_change_of_mind(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let request = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let link = office.account(store, "hanako").await.links[0].id;
    store.end_link(office.contract, link, LinkEnd::Void, act()).await.unwrap();
    let history = store.punch(office.contract.into(), office.terminal, 1).await.unwrap().unwrap().history;
    let told: Vec<_> = history.iter().map(|entry| (entry.result, entry.why, entry.by.as_str())).collect();
    let (refused, accepted) = (PunchResult::UserUnusable, PunchResult::Accepted);
    assert_eq!(
        told,
        [
            (refused, Why::Received, "server"),
            (accepted, Why::AccountLinked, "administrator:kimura"),
            (refused, Why::AccountUnlinked, "administrator:kimura"),
        ]
    );
}

pub async fn a_hand_over_moves_punches_and_the_punch_tells_from_whom_to_whom(store: &dyn Store) {
    let office = office(store).await;
    office
        .receive(store, (0..3).map(|n| logon(n + 1, "hanako", NOW.plus(n as i64 * DAY_MS))).collect())
        .await;
    let at = |minutes: i64, by: &str| Act::administrator(by, NOW.plus(3 * DAY_MS + minutes * 60_000));
    let add = async |code: &str| store.add_employee(office.contract, employee(code), act()).await.unwrap();
    let (first, second) = (add("E3").await, add("E6").await);
    let account = office.account(store, "hanako").await.id;
    let change = async |change, act| {
        let look = store.preview_change(office.contract, account, change).await.unwrap();
        let done = store.change_links(office.contract, account, change, act).await.unwrap();
        assert_eq!(done, look.rejudged, "as it was said");
        done
    };
    let assign = |employee, from, to| LinkChange::Assign { employee, from: day(from), to };
    let done = change(assign(first, 0, None), at(1, "kimura")).await;
    assert_eq!(done, Rejudged { results: 3, moved: 0 });
    let done = change(assign(second, 1, Some(day(1))), at(2, "hr")).await;
    assert_eq!(done, Rejudged { results: 0, moved: 1 });
    let link = office.account(store, "hanako").await.links[1].id;
    let done = change(LinkChange::Void { link }, at(3, "kimura")).await;
    assert_eq!(done, Rejudged { results: 1, moved: 0 });

    let told = async |scope: Scope, number| {
        let found = store.punch(scope, office.terminal, number).await.unwrap().unwrap();
        let change = |one: WhoseChange| (one.by, one.from, one.to);
        found.whose.into_iter().map(change).collect::<Vec<_>>()
    };
    let whose = |code: &str| Whose::Employee { code: code.to_owned(), name: employee(code).name };
    let (kimura, hr) = ("administrator:kimura".to_owned(), "administrator:hr".to_owned());
    let linked = (kimura.clone(), Whose::Nobody, whose("E3"));
    let everybody = Scope::from(office.contract);
    assert_eq!(
        told(everybody, 1).await,
        std::slice::from_ref(&linked),
        "what changed on other dates is not told"
    );
    assert_eq!(
        told(everybody, 3).await,
        std::slice::from_ref(&linked),
        "cut and made again in one act: nothing has changed"
    );
    let handed_over = (hr.clone(), whose("E3"), whose("E6"));
    assert_eq!(told(everybody, 2).await, [linked, handed_over, (kimura, whose("E6"), Whose::Nobody)]);

    // Whoever sees one employee alone reads that it was another's, and not whose.
    change(assign(second, 1, Some(day(1))), at(4, "hr")).await;
    let own = Scope { contract: office.contract, people: ScopedPeople::One(second) };
    let narrow = told(own, 2).await;
    assert_eq!(narrow[1], (hr, Whose::Another, whose("E6")));

    // Links from before a punch came are none of its changes.
    let received_at = NOW.plus(9 * DAY_MS);
    let late = IncomingBatch { received_at, ..office.batch(vec![logon(9, "hanako", NOW)]) };
    store.receive(late).await.unwrap();
    assert_eq!(told(everybody, 9).await, []);
}
