//! Accounts that are linked by themselves, because their SIDs were entered at employees.

use mngntime_model::{AccountIdentity, EventKind, PunchResult};
use mngntime_store::{
    Account, AccountFilter, AccountId, Act, ContractId, ContractSettings, Directory, IncomingEvent,
    LINKS_BY_SID_MAX, LinkEnd, LinkOutcome, NewEmployee, Refusal, Sid, Store, StoreError, Upn, Why,
};

use crate::fixture::{DAY_MS, NOW, Office, act, contract, day, employee, event, identity, office, terminal};

/// A SID as a domain gives it out.
fn sid(number: u64) -> String {
    format!("S-1-5-21-1004336348-1177238915-682003330-{number}")
}

/// Somebody of whom a directory says this.
fn said(code: &str, upn: Option<&str>, sid: Option<&str>) -> NewEmployee {
    let directory = Directory {
        upn: upn.map(|text| Upn::parse(text).unwrap()),
        sid: sid.map(|text| Sid::parse(text).unwrap()),
    };
    NewEmployee { directory, ..employee(code) }
}

/// A logon of the account of this name and SID, days after [`NOW`].
fn logon(number: u64, name: &str, key: &str, days: i64) -> IncomingEvent {
    let account = AccountIdentity { key: key.to_owned(), ..identity(name) };
    event(number, EventKind::Logon, Some(account), NOW.plus(days * DAY_MS))
}

async fn switch(store: &dyn Store, contract: ContractId, links_by_sid: bool, login: &str) {
    let settings = ContractSettings { links_by_sid, ..ContractSettings::default() };
    store.change_settings(contract, "x".to_owned(), settings, Act::administrator(login, NOW)).await.unwrap();
}

async fn account(store: &dyn Store, contract: ContractId, name: &str) -> Account {
    let all = store.list_accounts(contract.into(), AccountFilter::All, 100).await.unwrap();
    all.into_iter().find(|account| account.name == name).expect(name)
}

async fn all(store: &dyn Store, contract: ContractId) -> Vec<AccountId> {
    let all = store.list_accounts(contract.into(), AccountFilter::All, 100).await.unwrap();
    all.into_iter().map(|account| account.id).collect()
}

/// The details of the newest links, the newest first.
async fn noted(store: &dyn Store, contract: ContractId) -> Vec<(String, serde_json::Value)> {
    let log = store.audit_log(Some(contract), None, 100).await.unwrap();
    let links = log.into_iter().filter(|entry| entry.action == "link_account");
    links.map(|entry| (entry.by, serde_json::from_str(&entry.detail).unwrap())).collect()
}

pub async fn an_account_whose_sid_was_entered_is_linked_by_itself(store: &dyn Store) {
    let office = office(store).await;
    let people = [
        said("E1", None, Some(&sid(1101))),
        said("E2", Some("taro@example.co.jp"), None),
        said("E3", None, Some(&sid(1103))),
        NewEmployee { active_to: Some(day(-9)), ..said("E4", None, Some(&sid(1104))) },
        NewEmployee { active_to: Some(day(0)), ..said("E5", None, Some("S-1-12-1-9-8-7-5")) },
        said("E6", None, Some(&sid(500))),
        said("E7", None, Some(&sid(1107))),
        said("E8", None, Some(&sid(1108))),
    ];
    for new in people {
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    let upn = Some("taro@example.co.jp".to_owned());
    let accounts = [
        ("hanako", sid(1101), "EXAMPLE", None),
        ("taro", sid(1102), "EXAMPLE", upn.clone()),
        ("both", sid(1103), "EXAMPLE", upn),
        ("left", sid(1104), "EXAMPLE", None),
        ("leaves", "S-1-12-1-9-8-7-5".to_owned(), "AzureAD", None),
        ("administrator", sid(500), "EXAMPLE", None),
        ("local", sid(1107), "pc-1", None),
        ("nobody", sid(1109), "EXAMPLE", None),
    ];
    let events = (1..).zip(accounts).map(|(number, (name, key, domain, upn))| {
        let account = AccountIdentity { key, domain: domain.to_owned(), name: name.to_owned(), upn };
        event(number, EventKind::Logon, Some(account), NOW)
    });
    office.receive(store, events.collect()).await;
    // A domain has fifteen letters of a PC's name.
    let cut = AccountIdentity { key: sid(1108), domain: "PC-VERYLONGNAME".to_owned(), ..identity("cut") };
    let long = Office { terminal: terminal(store, "demo", "verylongname-001").await, ..office };
    long.receive(store, vec![event(1, EventKind::Logon, Some(cut), NOW)]).await;
    office.receive(store, vec![logon(20, "hanako", &sid(1101), -1)]).await;
    let of = async |name: &str| account(store, office.contract, name).await;
    let everybody = all(store, office.contract).await;
    assert_eq!(store.accounts_to_link_by_sid(day(0)).await.unwrap(), [], "nobody has said so");
    let none = store.link_by_sid(office.contract, everybody.clone(), NOW).await.unwrap();
    assert_eq!(none, LinkOutcome::default(), "whatever is asked for");

    switch(store, office.contract, true, "hr").await;
    let mut found = store.accounts_to_link_by_sid(day(0)).await.unwrap();
    found.iter_mut().for_each(|(_, accounts)| accounts.sort_unstable());
    let mut expected = vec![of("hanako").await.id, of("leaves").await.id];
    expected.sort_unstable();
    assert_eq!(found, [(office.contract, expected)]);
    let done = store.link_by_sid(office.contract, everybody.clone(), NOW).await.unwrap();
    assert_eq!(done, LinkOutcome { links: 2, employees: 0, rejudged: 3 });
    for name in ["taro", "both", "left", "administrator", "local", "cut", "nobody"] {
        let account = of(name).await;
        assert_eq!((account.waiting, account.links), (1, vec![]), "{name}");
    }
    let hanako = of("hanako").await;
    let link = &hanako.links[0];
    assert_eq!((link.employee_code.as_str(), link.from, link.to), ("E1", day(-1), None));
    assert_eq!((hanako.waiting, link.created_by.as_str()), (0, "server"));
    let punch = store.punch(office.contract.into(), office.terminal, 1).await.unwrap().unwrap();
    let last = punch.history.last().unwrap();
    assert_eq!((last.result, last.why, &*last.by), (PunchResult::Accepted, Why::AccountLinked, "server"));
    the_server_and_whoever_allowed_it_are_told(store, office.contract).await;
    assert_eq!(store.accounts_to_link_by_sid(day(0)).await.unwrap(), []);
    let again = store.link_by_sid(office.contract, everybody, NOW).await.unwrap();
    assert_eq!(again, LinkOutcome::default(), "once is enough");
    too_many_at_once_are_refused(store, office.contract, hanako.id).await;
}

async fn the_server_and_whoever_allowed_it_are_told(store: &dyn Store, contract: ContractId) {
    let entries = noted(store, contract).await;
    assert_eq!(entries.len(), 2);
    for (by, detail) in entries {
        let told = (&detail["because"], &detail["allowed_by"]);
        assert_eq!((by.as_str(), told), ("server", (&"directory_sid".into(), &"administrator:hr".into())));
    }
}

async fn too_many_at_once_are_refused(store: &dyn Store, contract: ContractId, account: AccountId) {
    let refused = store.link_by_sid(contract, vec![account; LINKS_BY_SID_MAX + 1], NOW).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::TooMany { .. }))), "{refused:?}");
}

pub async fn a_sid_of_another_contract_is_nobody_s(store: &dyn Store) {
    let here = office(store).await;
    let there =
        Office { contract: contract(store, "there").await, terminal: terminal(store, "there", "2").await };
    store.add_employee(here.contract, said("E1", None, Some(&sid(1101))), act()).await.unwrap();
    for office in [&here, &there] {
        office.receive(store, vec![logon(1, "hanako", &sid(1101), 0)]).await;
    }
    switch(store, there.contract, true, "hr").await;
    assert_eq!(store.accounts_to_link_by_sid(day(0)).await.unwrap(), [], "who has it is not asked for");
    let [own, other] = [all(store, here.contract).await, all(store, there.contract).await];
    for (contract, accounts) in
        [(here.contract, &own), (there.contract, &other), (there.contract, &own), (here.contract, &other)]
    {
        let done = store.link_by_sid(contract, accounts.clone(), NOW).await.unwrap();
        assert_eq!(done, LinkOutcome::default());
    }
    // What is said at one contract holds there only.
    store.add_employee(there.contract, said("E9", None, Some(&sid(1101))), act()).await.unwrap();
    assert_eq!(store.accounts_to_link_by_sid(day(0)).await.unwrap(), [(there.contract, other.clone())]);
    store.link_by_sid(there.contract, other, NOW).await.unwrap();
    let linked = account(store, there.contract, "hanako").await.links;
    assert_eq!(linked.iter().map(|link| &*link.employee_code).collect::<Vec<_>>(), ["E9"]);
    assert_eq!(account(store, here.contract, "hanako").await.links, [], "this one has not said so");
}

pub async fn what_somebody_took_back_is_not_linked_by_itself_again(store: &dyn Store) {
    let office = office(store).await;
    switch(store, office.contract, true, "first").await;
    let names = [("void", 1101), ("ended", 1102)];
    for (name, number) in names {
        store.add_employee(office.contract, said(name, None, Some(&sid(number))), act()).await.unwrap();
    }
    let logons = |from: u64, days: i64| {
        let events = (from..).zip(names);
        events.map(|(n, (name, number))| logon(n, name, &sid(number), days)).collect::<Vec<_>>()
    };
    office.receive(store, logons(1, 0)).await;
    let everybody = all(store, office.contract).await;
    assert_eq!(store.link_by_sid(office.contract, everybody.clone(), NOW).await.unwrap().links, 2);
    for (name, end) in [("void", LinkEnd::Void), ("ended", LinkEnd::After(day(0)))] {
        let link = account(store, office.contract, name).await.links[0].id;
        store.end_link(office.contract, link, end, act()).await.unwrap();
    }
    office.receive(store, logons(3, 1)).await;
    for (name, waiting) in [("void", 2), ("ended", 1)] {
        assert_eq!(account(store, office.contract, name).await.waiting, waiting, "{name}");
    }
    assert_eq!(store.accounts_to_link_by_sid(day(1)).await.unwrap(), []);
    let done = store.link_by_sid(office.contract, everybody, NOW).await.unwrap();
    assert_eq!(done, LinkOutcome::default());
}

pub async fn whoever_turned_links_by_sid_on_is_told_until_it_is_off(store: &dyn Store) {
    let office = office(store).await;
    let steps = [
        ("first", true, Some("administrator:first")),
        ("second", true, Some("administrator:first")),
        ("third", false, None),
        ("fourth", true, Some("administrator:fourth")),
    ];
    for (number, (login, on, expected)) in (1..).zip(steps) {
        // Something else changes, too, so that each is a change.
        let settings = ContractSettings {
            links_by_sid: on,
            day_begins_minutes: Some(number),
            ..ContractSettings::default()
        };
        let act = Act::administrator(login, NOW);
        store.change_settings(office.contract, "x".to_owned(), settings, act.clone()).await.unwrap();
        assert_eq!(store.contract_by_id(office.contract).await.unwrap().unwrap().settings, settings);
        let key = sid(1100 + u64::from(number));
        store.add_employee(office.contract, said(login, None, Some(&key)), act).await.unwrap();
        office.receive(store, vec![logon(u64::from(number), login, &key, 0)]).await;
        let id = account(store, office.contract, login).await.id;
        store.link_by_sid(office.contract, vec![id], NOW).await.unwrap();
        let entries = noted(store, office.contract).await.into_iter();
        let told = entries.map(|(_, detail)| detail).find(|detail| detail["employee"] == login);
        let told = told.map(|detail| detail["allowed_by"].as_str().unwrap().to_owned());
        assert_eq!(told.as_deref(), expected, "{login}");
    }
    let log = store.audit_log(Some(office.contract), None, 100).await.unwrap();
    let last = log.iter().find(|entry| entry.action == "change_settings").unwrap();
    let detail: serde_json::Value = serde_json::from_str(&last.detail).unwrap();
    assert_eq!((&detail["links_by_sid"], &detail["before"]["links_by_sid"]), (&true.into(), &false.into()));
}
