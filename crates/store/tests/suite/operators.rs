//! People who sign in, the audit log, sessions, terminals in pages.

use mngntime_model::ContractCode;
use mngntime_store::{
    Beside, ContractId, ContractStatus, KeyHash, NewAdministrator, NewContract, Refusal, Role, Store,
    StoreError, TerminalStatus, WebSession, WhoSignsIn,
};

use crate::fixture::{NOW, act, contract, day, employee, logon, office, terminal, walked};

fn administrator(login: &str) -> NewAdministrator {
    NewAdministrator {
        password_hash: Some("$argon2id$…".to_owned()),
        ..NewAdministrator::new(login, Role::Operator, None)
    }
}

pub async fn codes_and_logins_are_unique(store: &dyn Store) {
    contract(store, "demo").await;
    let code = ContractCode::new("demo").unwrap();
    let again = NewContract { code, name: "x".to_owned(), key: KeyHash::of("x") };
    let taken = store.create_contract(again, act()).await;
    assert!(matches!(taken, Err(StoreError::Refused(Refusal::Taken { what: "contract", .. }))), "{taken:?}");
    let id = store.create_administrator(administrator("kimura"), act()).await.unwrap();
    for login in ["kimura", "Kimura", "ｋｉｍｕｒａ", "KIMURA"] {
        let taken = store.create_administrator(administrator(login), act()).await;
        assert!(
            matches!(taken, Err(StoreError::Refused(Refusal::Taken { what: "administrator", .. }))),
            "{taken:?}"
        );
    }
    store.set_password(id, "another".to_owned(), false, act()).await.unwrap();
    let found = store.administrator("kimura").await.unwrap().unwrap();
    assert_eq!((found.id, found.data.password_hash.as_deref()), (id, Some("another")));
    assert_eq!(store.administrator_by_id(id).await.unwrap().unwrap().data.login, "kimura");
    assert!(store.administrator("Kimura").await.unwrap().is_none());
    assert_eq!(store.administrator_count(None).await.unwrap(), 1);
}

pub async fn nobody_signs_in_until_the_first_operator_has_a_password(store: &dyn Store) {
    assert_eq!(store.who_signs_in().await.unwrap(), WhoSignsIn::Nobody);
    let invited = NewAdministrator::new("operator", Role::Operator, None);
    let first = store.create_administrator(invited, act()).await.unwrap();
    assert_eq!(store.who_signs_in().await.unwrap(), WhoSignsIn::Invited(first));
    store.set_password(first, "$hash".to_owned(), false, act()).await.unwrap();
    assert_eq!(store.who_signs_in().await.unwrap(), WhoSignsIn::Somebody);
    store.create_administrator(administrator("other"), act()).await.unwrap();
    assert_eq!(store.who_signs_in().await.unwrap(), WhoSignsIn::Somebody);
}

/// Walks a list to its end and back, three rows at a time.
async fn walk(store: &dyn Store, contract: Option<ContractId>, search: &str) -> Vec<String> {
    let page = async |at| {
        let found = store.administrator_page(contract, search.into(), at, 3).await.unwrap();
        assert!(found.rows.len() <= 3);
        found
    };
    walked(page).await.into_iter().map(|row| row.person.data.login).collect()
}

pub async fn people_who_sign_in_are_listed_in_pages_of_their_contract(store: &dyn Store) {
    let ours = contract(store, "demo").await;
    let theirs = contract(store, "other").await;
    let employee = store.add_employee(ours, employee("E-1"), act()).await.unwrap();
    for n in [5, 2, 1, 4, 3, 7, 6] {
        let new = NewAdministrator {
            display_name: format!("木村 {n}％_"),
            employee: Some(employee),
            ..NewAdministrator::new(&format!("u{n}"), Role::HumanResources, Some(ours))
        };
        store.create_administrator(new, act()).await.unwrap();
    }
    for (login, role, of) in [("u0", Role::Auditor, Some(theirs)), ("root", Role::Operator, None)] {
        store.create_administrator(NewAdministrator::new(login, role, of), act()).await.unwrap();
    }
    assert_eq!(walk(store, Some(ours), "").await, ["u1", "u2", "u3", "u4", "u5", "u6", "u7"]);
    assert_eq!(walk(store, Some(theirs), "").await, ["u0"]);
    assert_eq!(walk(store, None, "").await, ["root"]);
    assert_eq!(walk(store, Some(ours), "Ｕ３").await, ["u3"], "full width and capitals find it, too");
    assert_eq!(walk(store, Some(ours), "木村 4").await, ["u4"]);
    assert!(walk(store, Some(ours), "木村%").await.is_empty(), "what SQL takes for a pattern is text");
    assert!(walk(store, Some(ours), "u0").await.is_empty());
    let count = async |of| store.administrator_count(of).await.unwrap();
    assert_eq!((count(Some(ours)).await, count(Some(theirs)).await, count(None).await), (7, 1, 1));
    let rows = store.administrator_page(Some(ours), String::new(), None, 1).await.unwrap().rows;
    assert_eq!(rows[0].employee.as_ref().map(|(code, _)| code.as_str()), Some("E-1"));
    assert_eq!(rows[0].department, None);
}

pub async fn contracts_are_listed_in_pages(store: &dyn Store) {
    let mut ids = Vec::new();
    for code in ["C-3", "A-1", "B-2"] {
        ids.push(contract(store, code).await);
    }
    let page = async |search: &str, after: Option<&str>| {
        let at = after.map(|code| Beside::After(code.to_owned()));
        let found = store.contract_page(search.into(), at, 2).await.unwrap();
        (found.rows.into_iter().map(|contract| contract.code).collect::<Vec<_>>(), found.next)
    };
    assert_eq!(page("", None).await, (vec!["A-1".to_owned(), "B-2".to_owned()], Some("B-2".to_owned())));
    assert_eq!(page("", Some("B-2")).await, (vec!["C-3".to_owned()], None));
    assert_eq!(page("ｂ-２", None).await, (vec!["B-2".to_owned()], None));
    let one = async |at| store.contract_page(String::new(), at, 1).await.unwrap();
    let codes: Vec<_> = walked(one).await.into_iter().map(|contract| contract.code).collect();
    assert_eq!(codes, ["A-1", "B-2", "C-3"]);
    assert_eq!(store.contract_count().await.unwrap(), 3);
    assert_eq!(store.contract_by_id(ids[0]).await.unwrap().unwrap().code, "C-3");
    assert_eq!(store.contract_by_id(ContractId(99)).await.unwrap(), None);
}

pub async fn status_and_option_of_a_contract_are_changed_apart(store: &dyn Store) {
    let id = contract(store, "demo").await;
    // Whoever changes the option has read that the contract is active, and somebody suspends it meanwhile.
    store.set_contract_status(id, ContractStatus::Suspended, act()).await.unwrap();
    store.set_logon_punch_option(id, false, act()).await.unwrap();
    store.set_logon_punch_option(id, false, act()).await.unwrap();
    store.set_contract_status(id, ContractStatus::Suspended, act()).await.unwrap();
    let found = store.contract_by_id(id).await.unwrap().unwrap();
    assert_eq!((found.status, found.logon_punch_option), (ContractStatus::Suspended, false));
    let log = store.audit_log(Some(id), None, 9).await.unwrap();
    let noted = log.iter().filter(|entry| entry.action == "change_contract").map(|entry| &*entry.detail);
    assert_eq!(noted.collect::<Vec<_>>(), [r#"{"logon_punch_option":false}"#, r#"{"status":"suspended"}"#]);
    let nowhere = store.set_contract_status(ContractId(99), ContractStatus::Active, act()).await;
    assert!(matches!(nowhere, Err(StoreError::Refused(Refusal::Missing { what: "contract" }))));
}

pub async fn changes_stand_in_the_audit_log(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let request = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    store
        .set_terminal_status(office.contract, office.terminal, TerminalStatus::Blocked, act())
        .await
        .unwrap();
    store
        .note(Some(office.contract), "sign_in".to_owned(), "administrator kimura".to_owned(), act())
        .await
        .unwrap();
    let log = store.audit_log(Some(office.contract), None, 100).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    let expected =
        ["sign_in", "block_terminal", "link_account", "add_employee", "enroll_terminal", "create_contract"];
    assert_eq!(actions, expected);
    assert_eq!(
        (log[2].object.as_str(), log[2].by.as_str()),
        ("account EXAMPLE\\hanako", "administrator:kimura")
    );
    // Everything but the object of a note of the caller's own is for programs, too.
    let details: Vec<_> = log.iter().map(|entry| entry.detail.as_str()).collect();
    assert_eq!(details[0], "{}");
    assert_eq!(details[1], format!(r#"{{"terminal":"{}","status":"blocked"}}"#, office.terminal));
    assert!(
        details[2]
            .contains(r#""account":"S-1-5-21-hanako","employee":"hanako","from":"2026-11-23","to":null"#)
    );
    assert_eq!(details[5], r#"{"name":"demo"}"#);
    let older = store.audit_log(Some(office.contract), Some(log[3].number), 1).await.unwrap();
    assert_eq!(older, log[4..5]);
    assert!(store.audit_log(None, None, 100).await.unwrap().is_empty(), "the server's own log is another");
}

pub async fn sessions_end(store: &dyn Store) {
    let session = |id: &str, seconds: i64| WebSession {
        id: id.to_owned(),
        data: b"x".to_vec(),
        expires_at: NOW.plus(seconds * 1000),
        person: None,
        seen_at: None,
    };
    assert!(store.create_session(session("a", 10)).await.unwrap());
    assert!(!store.create_session(session("a", 20)).await.unwrap(), "a taken id is not taken over");
    assert_eq!(store.load_session("a", NOW).await.unwrap(), Some(session("a", 10)));
    assert_eq!(store.load_session("a", NOW.plus(10_000)).await.unwrap(), None);
    store.save_session(session("a", 30)).await.unwrap();
    assert_eq!(store.load_session("a", NOW.plus(10_000)).await.unwrap(), Some(session("a", 30)));
    assert!(store.create_session(session("b", 5)).await.unwrap());
    assert_eq!(store.delete_ended_sessions(NOW.plus(5_000)).await.unwrap(), 1);
    store.delete_session("a").await.unwrap();
    store.save_session(session("a", 30)).await.unwrap();
    assert_eq!(store.load_session("a", NOW).await.unwrap(), None, "a removed one does not come back");
}

pub async fn terminals_are_listed_by_name_in_pages(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    for name in ["3", "1", "2"] {
        terminal(store, "demo", name).await;
    }
    let first = store.list_terminals(contract, None, 2).await.unwrap();
    let after = first.last().map(|last| (last.host_name.clone(), last.id));
    let second = store.list_terminals(contract, after, 2).await.unwrap();
    let names: Vec<_> = first.iter().chain(&second).map(|found| found.host_name.as_str()).collect();
    assert_eq!(names, ["PC-1", "PC-2", "PC-3"]);
    assert_eq!(first[0].last_contact_at, None);
}

pub async fn the_probe_reads_and_writes(store: &dyn Store) {
    store.probe().await.unwrap();
}
