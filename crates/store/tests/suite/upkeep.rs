//! Settings, remarks, the audit log as it is searched, and how the store is doing.

use mngntime_model::{Language, UtcMillis};
use mngntime_store::{
    Act, AuditFilter, AuditKey, Beside, ContractId, ContractSettings, Day, EmployeeId, EmployeeShow,
    GrownTree, Growth, ListedRemark, NewDepartment, NewRemark, QuarantineReason, Quarantined,
    REMARKS_PER_DAY_MAX, Refusal, RemarkCounts, RemarkId, RemarkKey, RemarkReading, RemarkShow, Scope,
    ScopedPeople, Store, StoreError,
};

use crate::fixture::{DAY_MS, NOW, Office, act, contract, day, employee, logon, office, walked};

fn by(login: &str, at: UtcMillis) -> Act {
    Act::administrator(login, at)
}

async fn hanako(store: &dyn Store, office: &Office) -> EmployeeId {
    store.add_employee(office.contract, employee("E-1"), act()).await.unwrap()
}

pub async fn a_contract_keeps_what_it_chose_and_every_change_is_noted_once(store: &dyn Store) {
    let office = office(store).await;
    let other = contract(store, "other").await;
    let chosen = ContractSettings {
        day_begins_minutes: Some(240),
        japanese_years: true,
        retention_years: 3,
        retires: true,
        links_by_sid: true,
        language: Some(Language::English),
        idle_minutes: None,
    };
    let set = async || {
        store.change_settings(office.contract, "新しい名前".to_owned(), chosen, act()).await.unwrap();
    };
    set().await;
    set().await;
    let all = store.list_contracts().await.unwrap();
    let found = |id| all.iter().find(|contract| contract.id == id).unwrap().clone();
    assert_eq!(found(office.contract).settings, chosen);
    assert_eq!(found(office.contract).name, "新しい名前");
    assert_eq!(found(other).settings, ContractSettings::default());
    store.rename_contract(office.contract, "さらに".to_owned(), act()).await.unwrap();
    let log = store.audit_log(Some(office.contract), None, 10).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions[..2], ["rename_contract", "change_settings"], "the same again changes nothing");
    assert_eq!(actions.iter().filter(|action| **action == "change_settings").count(), 1);
    let detail: serde_json::Value = serde_json::from_str(&log[1].detail).unwrap();
    assert_eq!(
        (&detail["day_begins_minutes"], &detail["before"]["day_begins_minutes"]),
        (&240.into(), &serde_json::Value::Null)
    );
    assert_eq!((&detail["idle_minutes"], &detail["before"]["idle_minutes"]), (&0.into(), &60.into()));
    let nowhere = store.change_settings(mngntime_store::ContractId(99), "x".to_owned(), chosen, act()).await;
    assert!(
        matches!(nowhere, Err(StoreError::Refused(Refusal::Missing { what: "contract" }))),
        "{nowhere:?}"
    );
}

fn remark(employee: EmployeeId, text: &str) -> NewRemark {
    NewRemark { employee, date: day(0), from_minutes: 540, to_minutes: 1_500, text: text.to_owned() }
}

pub async fn remarks_are_added_and_withdrawn_and_never_gone(store: &dyn Store) {
    let office = office(store).await;
    let employee = hanako(store, &office).await;
    let me = Act::administrator("hanako", NOW);
    let id =
        store.add_remark(office.contract, None, remark(employee, "停電でした"), me.clone()).await.unwrap();
    let list = async |scope: Scope| store.list_remarks(scope, employee, day(-1), day(1)).await.unwrap();
    let found = list(office.contract.into()).await;
    assert_eq!(
        (found.len(), &found[0].data, found[0].withdrawn_at),
        (1, &remark(employee, "停電でした"), None)
    );
    assert_eq!(found[0].made_by, "administrator:hanako");
    let marked = async || {
        let days = vec![(employee, day(0)), (employee, day(1))];
        store.remarked_days(office.contract, days).await.unwrap()
    };
    assert_eq!(marked().await, [(employee, day(0))]);
    let withdraw = async |at| {
        store.withdraw_remark(office.contract, employee, id, by("hanako", at)).await.unwrap();
    };
    withdraw(NOW.plus(5)).await;
    withdraw(NOW.plus(9)).await;
    assert_eq!(
        list(office.contract.into()).await[0].withdrawn_at,
        Some(NOW.plus(5)),
        "it stays, with its end"
    );
    assert!(marked().await.is_empty());
    let log = store.audit_log(Some(office.contract), None, 10).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions[..3], ["withdraw_remark", "add_remark", "add_employee"]);
    assert!(log[1].detail.contains("停電でした") && log[1].object == "employee E-1");
}

pub async fn a_remark_is_its_employees_and_seen_by_whom_it_concerns(store: &dyn Store) {
    let office = office(store).await;
    let employee = hanako(store, &office).await;
    let stranger = store.add_employee(office.contract, crate::fixture::employee("E-2"), act()).await.unwrap();
    let other = contract(store, "other").await;
    let id = store.add_remark(office.contract, None, remark(employee, "x"), act()).await.unwrap();
    let missing = |answer: Result<(), StoreError>| {
        assert!(matches!(answer, Err(StoreError::Refused(Refusal::Missing { .. }))), "{answer:?}");
    };
    missing(store.withdraw_remark(office.contract, stranger, id, act()).await.map(drop));
    missing(store.withdraw_remark(other, employee, id, act()).await.map(drop));
    missing(store.add_remark(other, None, remark(employee, "x"), act()).await.map(drop));
    let new = |code: &str| NewDepartment { code: code.to_owned(), name: code.to_owned(), parent: None };
    let near = store.add_department(office.contract, new("NEAR"), act()).await.unwrap();
    let far = store.add_department(office.contract, new("FAR"), act()).await.unwrap();
    store.set_employee_department(office.contract, employee, Some(near), act()).await.unwrap();
    let seen = async |people| {
        let scope = Scope { contract: office.contract, people };
        store.list_remarks(scope, employee, day(0), day(0)).await.unwrap().len()
    };
    assert_eq!(seen(ScopedPeople::Below(near)).await, 1);
    assert_eq!(seen(ScopedPeople::Below(far)).await, 0);
    assert_eq!(seen(ScopedPeople::One(stranger)).await, 0);
    assert_eq!(store.list_remarks(other.into(), employee, day(0), day(0)).await.unwrap().len(), 0);
    let drawn = RemarkId::of([7; 16]);
    for _ in 0..2 {
        let again = store.add_remark(office.contract, Some(drawn), remark(employee, "x"), act()).await;
        assert_eq!(again.unwrap(), drawn, "the form was sent twice");
    }
    missing(store.add_remark(office.contract, Some(drawn), remark(stranger, "x"), act()).await.map(drop));
    assert_eq!(store.list_remarks(office.contract.into(), employee, day(0), day(0)).await.unwrap().len(), 2);
    for _ in 2..REMARKS_PER_DAY_MAX {
        store.add_remark(office.contract, None, remark(employee, "x"), act()).await.unwrap();
    }
    let count = async |people, limit| {
        let scope = Scope { contract: office.contract, people };
        store.count_open_remarks(scope, None, limit).await.unwrap()
    };
    let all = REMARKS_PER_DAY_MAX as u64;
    assert_eq!((count(ScopedPeople::Everybody, 99).await, count(ScopedPeople::Everybody, 2).await), (all, 2));
    assert_eq!(
        (count(ScopedPeople::Below(near), 99).await, count(ScopedPeople::Below(far), 99).await),
        (all, 0)
    );
    assert_eq!(count(ScopedPeople::One(stranger), 99).await, 0);
    let full = store.add_remark(office.contract, None, remark(employee, "x"), act()).await;
    assert!(matches!(full, Err(StoreError::Refused(Refusal::TooMany { what: "remarks", .. }))), "{full:?}");
}

/// A list of remarks from its first page to its last.
async fn remarks_walked(store: &dyn Store, scope: Scope, show: RemarkShow, step: usize) -> Vec<String> {
    let (mut at, mut texts) = (None, Vec::new());
    loop {
        let page = store.remark_page(scope, show, at, step).await.unwrap();
        texts.extend(page.rows.iter().map(remark_told));
        let Some(next) = page.next else { return texts };
        assert_eq!(RemarkKey::parse(&next.to_string()), Some(next));
        at = Some(Beside::After(next));
    }
}

/// From the last page back to the first: the same in the other direction.
async fn remarks_walked_back(store: &dyn Store, scope: Scope, show: RemarkShow, step: usize) -> Vec<String> {
    let mut last = store.remark_page(scope, show, None, step).await.unwrap();
    assert_eq!(last.previous, None, "the first page begins the list");
    while let Some(next) = last.next {
        last = store.remark_page(scope, show, Some(Beside::After(next)), step).await.unwrap();
    }
    let mut texts = Vec::new();
    loop {
        texts.extend(last.rows.iter().rev().map(remark_told));
        let Some(previous) = last.previous else { break };
        last = store.remark_page(scope, show, Some(Beside::Before(previous)), step).await.unwrap();
    }
    texts.reverse();
    texts
}

fn remark_told(found: &ListedRemark) -> String {
    format!("{} {}", found.employee_code, found.remark.data.text)
}

pub async fn open_remarks_are_listed_by_reach_until_somebody_has_read_them(store: &dyn Store) {
    let office = office(store).await;
    let employee = hanako(store, &office).await;
    let stranger = store.add_employee(office.contract, crate::fixture::employee("E-2"), act()).await.unwrap();
    let new = NewDepartment { code: "NEAR".into(), name: "NEAR".into(), parent: None };
    let near = store.add_department(office.contract, new, act()).await.unwrap();
    store.set_employee_department(office.contract, employee, Some(near), act()).await.unwrap();
    let mut ids = Vec::new();
    for (n, whose) in [(0, employee), (1, stranger), (2, employee), (3, employee)] {
        let act = by("hanako", NOW.plus(n / 2));
        ids.push(store.add_remark(office.contract, None, remark(whose, &format!("{n}")), act).await.unwrap());
    }
    let scope = |people| Scope { contract: office.contract, people };
    let all = scope(ScopedPeople::Everybody);
    let mut newest_first = remarks_walked(store, all, RemarkShow::Open, 9).await;
    for show in [RemarkShow::Open, RemarkShow::All] {
        assert_eq!(remarks_walked(store, all, show, 1).await, newest_first, "page by page the same");
        for step in [1, 2, 3] {
            let back = remarks_walked_back(store, all, show, step).await;
            assert_eq!(back, newest_first, "and back, {step} at a time");
        }
    }
    assert!(
        newest_first[..2].iter().all(|text| text.ends_with('2') || text.ends_with('3')),
        "{newest_first:?}"
    );
    newest_first.sort();
    assert_eq!(newest_first, ["E-1 0", "E-1 2", "E-1 3", "E-2 1"]);
    for show in [RemarkShow::Open, RemarkShow::All] {
        assert_eq!(remarks_walked(store, scope(ScopedPeople::Below(near)), show, 2).await.len(), 3);
    }
    let day_asked = Day { date: day(0), from: NOW, until: NOW.plus(1) };
    let counts = store.employee_counts(all, String::new(), day(0)).await.unwrap();
    let page =
        store.employee_page(all, EmployeeShow::Remarked, String::new(), None, day_asked, 9).await.unwrap();
    let rows: Vec<_> = page.rows.iter().map(|row| row.employee.data.code.as_str()).collect();
    assert_eq!((counts.remarked, rows), (2, vec!["E-1", "E-2"]));

    let missing = |answer: Result<_, StoreError>| {
        assert!(matches!(answer, Err(StoreError::Refused(Refusal::Missing { .. }))), "{answer:?}");
    };
    missing(store.read_remark(scope(ScopedPeople::Below(near)), ids[1], None, None, act()).await);
    missing(store.read_remark(all, ids[1], Some(stranger), None, act()).await);
    let other = contract(store, "other").await;
    missing(store.read_remark(other.into(), ids[0], None, None, act()).await);
    assert!(store.remark_page(other.into(), RemarkShow::All, None, 9).await.unwrap().rows.is_empty());
    for answer in ["直しました", "別の返事"] {
        let (scope, answer) = (scope(ScopedPeople::Below(near)), Some(answer.to_owned()));
        store.read_remark(scope, ids[0], Some(stranger), answer, by("tanaka", NOW)).await.unwrap();
    }
    store.withdraw_remark(office.contract, employee, ids[2], act()).await.unwrap();
    store.read_remark(all, ids[2], None, None, act()).await.unwrap();
    let mut left = remarks_walked(store, all, RemarkShow::Open, 9).await;
    left.sort();
    assert_eq!(left, ["E-1 3", "E-2 1"]);
    let mut everything = remarks_walked(store, all, RemarkShow::All, 9).await;
    everything.sort();
    assert_eq!(everything, newest_first, "what was read or withdrawn is found again");
    let told = store.list_remarks(all, employee, day(0), day(0)).await.unwrap();
    let of = |id| told.iter().find(|found| found.id == id).unwrap();
    let read = |answer: &str| RemarkReading {
        at: NOW,
        by: "administrator:tanaka".to_owned(),
        answer: Some(answer.to_owned()),
    };
    assert_eq!(of(ids[0]).read, Some(read("直しました")), "the first answer counts");
    assert_eq!(of(ids[2]).read, None, "what was withdrawn is not read any more");
    the_answer_is_noted_once(store, office.contract).await;
}

async fn the_answer_is_noted_once(store: &dyn Store, contract: ContractId) {
    let filter = AuditFilter { actions: vec!["read_remark".to_owned()], ..AuditFilter::default() };
    let noted = store.search_audit(Some(contract), filter, None, 9).await.unwrap();
    assert_eq!(noted.rows.len(), 1, "once");
    assert!(
        noted.rows[0].entry.detail.contains(r#""answer":"直しました""#),
        "{:?}",
        noted.rows[0].entry.detail
    );
}

pub async fn remarks_are_counted_by_the_month_that_they_are_about(store: &dyn Store) {
    let office = office(store).await;
    let employee = hanako(store, &office).await;
    let quiet = store.add_employee(office.contract, crate::fixture::employee("E-2"), act()).await.unwrap();
    let mut ids = Vec::new();
    for (date, text) in [(day(0), "read"), (day(0), "open"), (day(0), "withdrawn"), (day(40), "later")] {
        let new = NewRemark { date, ..remark(employee, text) };
        ids.push(store.add_remark(office.contract, None, new, act()).await.unwrap());
    }
    let all: Scope = office.contract.into();
    store.read_remark(all, ids[0], None, None, act()).await.unwrap();
    store.withdraw_remark(office.contract, employee, ids[2], act()).await.unwrap();
    let month = |date: jiff::civil::Date| (date.first_of_month(), date.last_of_month());
    let counts = async |date| {
        let (people, (from, to)) = (vec![quiet, employee], month(date));
        let found = store.count_remarks(office.contract, people, from, to).await.unwrap();
        let elsewhere = store.count_open_remarks(all, Some((from, to)), 9).await.unwrap();
        let asked = Day { date: from, from: NOW, until: NOW.plus(1) };
        let page = store.employee_page(all, EmployeeShow::Remarked, String::new(), None, asked, 9).await;
        let remarked = store.employee_counts(all, String::new(), from).await.unwrap().remarked;
        assert_eq!(page.unwrap().rows.len() as u64, remarked, "the list and its count");
        assert_eq!(found[0], RemarkCounts::default());
        ((found[1].holding, found[1].open), elsewhere, remarked)
    };
    assert_eq!(counts(day(0)).await, ((2, 1), 1, 1));
    assert_eq!(counts(day(40)).await, ((1, 1), 1, 1));
    assert_eq!(counts(day(90)).await, ((0, 0), 2, 0));
}

pub async fn a_look_at_a_record_is_noted_once_an_hour(store: &dyn Store) {
    let office = office(store).await;
    let employee = hanako(store, &office).await;
    let hour = 3_600_000;
    let look = async |login: &str, page, at| {
        store.note_view(office.contract, employee, page, by(login, at)).await.unwrap()
    };
    assert!(look("kimura", "punch", NOW).await);
    for minutes in 0..60 {
        assert!(!look("kimura", "punch", NOW.plus(minutes * 60_000)).await, "the hour has its entry");
    }
    assert!(look("kimura", "punches", NOW).await, "another page");
    assert!(look("suzuki", "punch", NOW).await, "another person");
    assert!(look("kimura", "punch", NOW.plus(hour)).await, "another hour");
    let other = contract(store, "other").await;
    assert!(!store.note_view(other, employee, "punch", act()).await.unwrap(), "not theirs");
    let filter = AuditFilter { actions: vec!["view_record".to_owned()], ..AuditFilter::default() };
    let page = store.search_audit(Some(office.contract), filter, None, 10).await.unwrap();
    let told: Vec<_> =
        page.rows.iter().map(|row| (row.entry.by.as_str(), row.entry.detail.as_str())).collect();
    let (punch, punches) = (r#"{"page":"punch"}"#, r#"{"page":"punches"}"#);
    let (kimura, suzuki) = ("administrator:kimura", "administrator:suzuki");
    assert_eq!(told, [(kimura, punch), (suzuki, punch), (kimura, punches), (kimura, punch)]);
    assert!(page.rows.iter().all(|row| row.entry.object == "employee E-1"));
}

pub async fn an_employee_sees_who_looked_at_them_and_nobody_else(store: &dyn Store) {
    let office = office(store).await;
    let new = |code: &str| employee(code);
    let add = async |code: &str| store.add_employee(office.contract, new(code), act()).await.unwrap();
    let look = async |employee, page, minutes: i64| {
        let at = NOW.plus(minutes * 60_000);
        assert!(store.note_view(office.contract, employee, page, by("kimura", at)).await.unwrap());
    };
    let change = async |employee, code: &str, minutes: i64| {
        let act = by("kimura", NOW.plus(minutes * 60_000));
        store.change_employee(office.contract, employee, new(code), act).await.unwrap();
    };
    let found =
        async |employee, at, limit| store.looks_at(office.contract, employee, at, limit).await.unwrap();
    let told = async |employee| {
        let page = found(employee, None, 50).await;
        page.rows.iter().map(|row| row.entry.detail.clone()).collect::<Vec<_>>().join(" ")
    };
    let pages = |names: &[&str]| {
        names.iter().map(|page| format!("{{\"page\":\"{page}\"}}")).collect::<Vec<_>>().join(" ")
    };
    // One leaves the code, another gets it.
    let (first, second) = (add("L-1").await, add("L-2").await);
    look(first, "day", 1).await;
    look(second, "month", 2).await;
    assert_eq!((told(first).await, told(second).await), (pages(&["day"]), pages(&["month"])));
    change(first, "L-9", 3).await;
    change(second, "L-1", 4).await;
    look(second, "punch", 5).await;
    change(second, "L-1", 6).await;
    assert_eq!(told(second).await, pages(&["punch"]), "what was done to the first is theirs");
    assert_eq!(told(first).await, "", "nothing has been done to the code they have now");
    let from = serde_json::json!({ "from": "2026-06-01" });
    let note = async |action, object: &str| {
        let (act, object) = (by("kimura", NOW.plus(7 * 60_000)), object.to_owned());
        store.note_with(Some(office.contract), action, object, from.clone(), act).await.unwrap();
    };
    note("export_evidence", "employee L-1").await;
    note("export_evidence", "employee L-10").await;
    note("set_hold", "employee L-1").await;
    let own = found(second, None, 1).await;
    assert_eq!(own.rows[0].entry.action, "export_evidence");
    let next = found(second, Some(Beside::After(own.next.unwrap())), 5).await;
    assert_eq!(next.rows.iter().map(|row| &*row.entry.action).collect::<Vec<_>>(), ["view_record"]);
    assert!(next.next.is_none(), "a place in an address leads to nobody else's");
    let other = contract(store, "other").await;
    assert!(store.looks_at(other, second, None, 5).await.unwrap().rows.is_empty(), "not theirs");
}

pub async fn what_a_program_does_every_minute_is_noted_once_an_hour(store: &dyn Store) {
    let office = office(store).await;
    let read = async |login: &str, action, object, at| {
        store
            .note_hourly(office.contract, action, object, serde_json::json!({}), by(login, at))
            .await
            .unwrap()
    };
    assert!(read("kimura", "read_punches", "api", NOW).await);
    for minutes in 0..60 {
        let at = NOW.plus(minutes * 60_000);
        assert!(!read("kimura", "read_punches", "api", at).await, "the hour has its entry");
    }
    assert!(read("suzuki", "read_punches", "api", NOW).await, "another person");
    assert!(read("kimura", "read_punches", "list", NOW).await, "another object");
    assert!(read("kimura", "other", "api", NOW).await, "another action");
    assert!(read("kimura", "read_punches", "api", NOW.plus(3_600_000)).await, "another hour");
    let told = serde_json::json!({ "conditions": "errors=1" });
    for first in [true, false] {
        let noted = store.note_hourly(office.contract, "other", "api", told.clone(), by("kimura", NOW)).await;
        assert_eq!(noted.unwrap(), first, "another detail, once");
    }
    let elsewhere = contract(store, "other").await;
    assert!(
        store
            .note_hourly(elsewhere, "read_punches", "api", serde_json::json!({}), by("kimura", NOW))
            .await
            .unwrap()
    );
    let filter = AuditFilter { actions: vec!["read_punches".to_owned()], ..AuditFilter::default() };
    let page = store.search_audit(Some(office.contract), filter, None, 10).await.unwrap();
    assert_eq!(page.rows.len(), 4);
}

pub async fn the_audit_log_is_found_by_person_action_object_and_time_in_pages(store: &dyn Store) {
    let office = office(store).await;
    for (number, login) in (0..6).zip(["kimura", "suzuki"].into_iter().cycle()) {
        let at = NOW.plus(number * DAY_MS);
        let object = format!("thing {}", number % 3);
        let action = if number < 4 { "early" } else { "late" };
        let detail = serde_json::json!({ "number": number });
        store.note_with(Some(office.contract), action, object, detail, by(login, at)).await.unwrap();
    }
    let numbers = async |filter: AuditFilter| {
        let page = async |at| {
            let page = store.search_audit(Some(office.contract), filter.clone(), at, 2).await.unwrap();
            assert!(page.rows.len() <= 2);
            page
        };
        let rows = walked(page).await;
        let told = rows.iter().filter_map(|row| row.entry.detail.strip_prefix(r#"{"number":"#));
        told.map(|text| text.trim_end_matches('}').parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(numbers(all()).await, [5, 4, 3, 2, 1, 0]);
    assert_eq!(
        numbers(AuditFilter { by: Some("administrator:kimura".to_owned()), ..all() }).await,
        [4, 2, 0]
    );
    assert_eq!(numbers(AuditFilter { actions: vec!["early".to_owned()], ..all() }).await, [3, 2, 1, 0]);
    let both = AuditFilter {
        by: Some("administrator:suzuki".to_owned()),
        actions: vec!["early".to_owned()],
        ..all()
    };
    assert_eq!(numbers(both).await, [3, 1]);
    let actions = vec!["early".to_owned(), "late".to_owned()];
    assert_eq!(numbers(AuditFilter { actions, ..all() }).await, [5, 4, 3, 2, 1, 0], "any of several");
    let objects = vec!["thing 0".to_owned(), "thing 2".to_owned()];
    assert_eq!(numbers(AuditFilter { objects, ..all() }).await, [5, 3, 2, 0]);
    let (from, until) = (Some(NOW.plus(DAY_MS)), Some(NOW.plus(3 * DAY_MS)));
    assert_eq!(numbers(AuditFilter { from, until, ..all() }).await, [2, 1]);
    let elsewhere = contract(store, "other").await;
    let theirs = store.search_audit(Some(elsewhere), all(), None, 10).await.unwrap();
    assert_eq!(theirs.rows.len(), 1, "only that it was made");
    let key = AuditKey { at: NOW.plus(99 * DAY_MS), number: i64::MAX };
    assert_eq!(store.search_audit(None, all(), Some(Beside::After(key)), 10).await.unwrap().rows.len(), 0);
}

async fn sign(store: &dyn Store) {
    for month in store.unsigned_months(None).await.unwrap() {
        if let Growth::Grown(grown) = store.grow_log(month, 1_000).await.unwrap() {
            let grown: GrownTree = *grown;
            assert!(store.keep_log_head(grown, NOW.plus(7), "{}".to_owned()).await.unwrap());
        }
    }
}

pub async fn an_entry_knows_its_leaf_and_whether_a_head_covers_it(store: &dyn Store) {
    let office = office(store).await;
    let states = async || store.log_states(Some(office.contract)).await.unwrap();
    assert_eq!(
        (states().await[0].leaves, states().await[0].signed, states().await[0].signed_at),
        (2, 0, None)
    );
    sign(store).await;
    hanako(store, &office).await;
    let page = store.search_audit(Some(office.contract), AuditFilter::default(), None, 10).await.unwrap();
    let places: Vec<_> =
        page.rows.iter().map(|row| (row.place.as_ref().map(|place| place.leaf), row.signed)).collect();
    assert_eq!(places, [(Some(2), false), (Some(1), true), (Some(0), true)]);
    assert_eq!(page.rows[0].place.as_ref().unwrap().month, "2026-11");
    let state = states().await.remove(0);
    assert_eq!((state.leaves, state.signed, state.signed_at), (3, 2, Some(NOW.plus(7))));
    assert_eq!(store.log_states(None).await.unwrap().len(), 1);
    let later = Act { at: NOW.plus(8 * DAY_MS), ..act() };
    store.note(Some(office.contract), "sign_in".to_owned(), "kimura".to_owned(), later).await.unwrap();
    let state = states().await.remove(0);
    assert_eq!((state.month.as_str(), state.leaves, state.signed), ("2026-12", 1, 0));
    assert_eq!(state.signed_at, Some(NOW.plus(7)), "the last head is one of the month before");
    store.note(None, "x".to_owned(), "server".to_owned(), act()).await.unwrap();
    let servers = store.search_audit(None, AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!((servers.rows[0].place.clone(), servers.rows[0].signed), (None, false), "no tree for it");
}

pub async fn figures_of_a_contract_are_its_own(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW), logon(2, "hanako", NOW.plus(1))]).await;
    let other = contract(store, "other").await;
    let counts = store.contract_counts(vec![other, office.contract], day(0)).await.unwrap();
    assert_eq!((counts[0].terminals, counts[0].events), (0, 0));
    assert_eq!((counts[1].terminals, counts[1].events, counts[1].employees), (1, 2, 0));
    let errors = async |until| store.error_counts(office.contract, NOW, until).await.unwrap();
    assert_eq!(errors(NOW.plus(2)).await, [(7, 2)]);
    assert_eq!(errors(NOW.plus(1)).await, [(7, 1)]);
    let terminals = async |contract| {
        let counts = store.terminal_counts(contract).await.unwrap();
        (counts.in_use, counts.waiting, counts.heard_at)
    };
    assert_eq!(terminals(office.contract).await, (1, 0, Some(NOW)));
    assert_eq!(terminals(other).await, (0, 0, None));
    let silent = async |before| store.silent_and_waiting(before).await.unwrap();
    assert_eq!((silent(NOW.plus(-1)).await, silent(NOW).await), ((0, 0), (1, 0)));
    assert_eq!(store.writer_load().waiting, 0);
    assert!(store.writer_load().room > 0);
    for (days, bytes) in [(1, 200), (0, 100), (1, 999)] {
        assert!(store.leads().await.unwrap(), "nobody else is there");
        store.note_size(day(days), bytes).await.unwrap();
    }
    assert_eq!(store.sizes(9).await.unwrap(), [(day(1), 200), (day(0), 100)], "the first of a day stays");
    assert_eq!(store.last_backup().await.unwrap(), None);
}

pub async fn months_are_made_as_often_as_asked_and_go_when_nothing_is_in_them(store: &dyn Store) {
    let office = office(store).await;
    // 2001-02-01T00:00:00Z.
    let february = UtcMillis(980_985_600_000);
    for _ in 0..2 {
        assert!(store.make_months(february).await.unwrap());
    }
    let march = february.plus(30 * DAY_MS);
    let batch =
        mngntime_store::IncomingBatch { received_at: march, ..office.batch(vec![logon(1, "hanako", march)]) };
    store.receive(batch).await.unwrap();
    // Names are the engine's; SQLite has none.
    let dropped = store.drop_months(NOW).await.unwrap();
    assert!(dropped.iter().all(|name| name != "batches_2001_03" && !name.ends_with("rest")), "{dropped:?}");
    assert_eq!(store.drop_months(NOW).await.unwrap(), Vec::<String>::new());
    let received = (march, march);
    let batches = store.evidence_batches(office.contract, office.terminal, received).await.unwrap();
    assert_eq!(batches.len(), 1);
}

pub async fn who_was_refused_with_a_key_of_the_contract_is_told_to_its_people_once(store: &dyn Store) {
    let (here, other) = (contract(store, "demo").await, contract(store, "other").await);
    let refuse = async |host: &str, at: i64, reason: &str| {
        let entry = Quarantined {
            received_at: NOW.plus(at),
            reason: QuarantineReason::RefusedEnrollment,
            contract: "demo".to_owned(),
            terminal: host.to_owned(),
            body: format!(r#"{{"host_name":"{host}","refused":"{reason}"}}"#).into_bytes(),
        };
        store.quarantine(entry).await.unwrap();
    };
    for (host, at, reason) in [
        ("PC-1", 1, "key_used_up"),
        ("PC-2", 2, "key_expired"),
        ("PC-1", 3, "key_revoked"),
        ("stranger", 4, "key_unknown"),
    ] {
        refuse(host, at, reason).await;
    }
    let found = store.refused_enrollments(here).await.unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.host_name.as_str(), one.reason.word(), one.at)).collect();
    assert_eq!(told, [("PC-1", "key_revoked", NOW.plus(3)), ("PC-2", "key_expired", NOW.plus(2))]);
    assert!(store.refused_enrollments(other).await.unwrap().is_empty());
}

pub async fn the_quarantine_is_listed_without_its_bytes(store: &dyn Store) {
    for number in 0..3 {
        let entry = Quarantined {
            received_at: NOW.plus(number),
            reason: QuarantineReason::UnknownContract,
            contract: format!("c{number}"),
            terminal: "t".to_owned(),
            body: vec![0; 7],
        };
        store.quarantine(entry).await.unwrap();
    }
    let first = store.list_quarantine(None, 2).await.unwrap().rows;
    let codes: Vec<_> = first.iter().map(|row| (row.contract.as_str(), row.bytes)).collect();
    assert_eq!(codes, [("c2", 7), ("c1", 7)]);
    let page = async |at| store.list_quarantine(at, 2).await.unwrap();
    let codes: Vec<_> = walked(page).await.into_iter().map(|row| row.contract).collect();
    assert_eq!(codes, ["c2", "c1", "c0"]);
}
