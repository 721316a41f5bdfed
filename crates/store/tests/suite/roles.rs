//! Departments, people who sign in, and how far they see.

use mngntime_model::UtcMillis;
use mngntime_store::{
    AccountFilter, AdministratorChange, AdministratorId, AdministratorName, ContractId, DepartmentId,
    DepartmentProblem, EmployeeChoice, EmployeeColumns, EmployeeId, KeyHash, LET_IN_MAX, LetIn, LetInOutcome,
    LineFate, LineProblem, LinkRequest, NewAdministrator, NewDepartment, NewEmployee, PunchFilter, Refusal,
    Role, SESSION_ENDED, Scope, ScopedPeople, Store, StoreError, WebSession,
};

use crate::fixture::{DAY_MS, NOW, Office, act, contract, day, employee, logon, office, terminal};

fn refusal<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Refusal {
    match answer {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn missing(what: &'static str) -> Refusal {
    Refusal::Missing { what }
}

fn department(code: &str, parent: Option<DepartmentId>) -> NewDepartment {
    NewDepartment { code: code.to_owned(), name: format!("{code}課"), parent }
}

/// The actions in a contract's audit log, the newest first.
async fn actions(store: &dyn Store, office: &Office) -> Vec<String> {
    let log = store.audit_log(Some(office.contract), None, 100).await.unwrap();
    log.into_iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect()
}

pub async fn departments_make_a_tree_without_rings(store: &dyn Store) {
    let office = office(store).await;
    let add = async |code, parent| {
        store.add_department(office.contract, department(code, parent), act()).await.unwrap()
    };
    let top = add("A", None).await;
    let middle = add("B", Some(top)).await;
    let leaf = add("C", Some(middle)).await;
    let put = async |one, below| store.move_department(office.contract, one, below, act()).await;
    for below in [top, middle, leaf] {
        assert_eq!(refusal(put(top, Some(below)).await), Refusal::DepartmentCycle);
    }
    put(leaf, Some(top)).await.unwrap();
    put(middle, Some(leaf)).await.unwrap();
    put(leaf, None).await.unwrap();
    let tree = store.list_departments(office.contract).await.unwrap();
    let parents: Vec<_> = tree.iter().map(|found| (found.id, found.data.parent)).collect();
    assert_eq!(parents, [(top, None), (middle, Some(leaf)), (leaf, None)]);
    let taken = store.add_department(office.contract, department("A", None), act()).await;
    assert_eq!(refusal(taken), Refusal::Taken { what: "department", code: "A".to_owned() });
    let log = actions(store, &office).await;
    assert_eq!(log[0], r#"move_department {"above":null}"#);
    assert_eq!(log[2], r#"move_department {"above":"A"}"#);
    let added = r#"add_department {"above":null,"code":"A","name":"A課"}"#;
    assert_eq!(log[5], added, "refused changes leave no trace");
}

fn unclear(answer: Result<impl std::fmt::Debug, StoreError>) -> DepartmentProblem {
    let refused = refusal(answer);
    let Refusal::Department { problem, .. } = refused else { panic!("{refused:?}") };
    problem
}

pub async fn a_department_is_found_by_its_name_and_shown_by_its_new_one(store: &dyn Store) {
    let office = office(store).await;
    let of = |code: &str, text: &str| NewEmployee { department: Some(text.to_owned()), ..employee(code) };
    let unknown = store.add_employee(office.contract, of("E1", "総務部"), act()).await;
    assert_eq!(unclear(unknown), DepartmentProblem::Unknown(Vec::new()), "nothing is made by a slip");
    let new = NewDepartment { code: "G".to_owned(), name: "総務部".to_owned(), parent: None };
    store.add_department(office.contract, new, act()).await.unwrap();
    store.add_employee(office.contract, of("E1", "総務部"), act()).await.unwrap();
    store.add_employee(office.contract, of("E2", "ｇ"), act()).await.unwrap();
    let near = unclear(store.add_employee(office.contract, of("E3", "総努部"), act()).await);
    assert!(matches!(&near, DepartmentProblem::Unknown(near) if near[0].code == "G"), "{near:?}");
    let made = store.list_departments(office.contract).await.unwrap();
    assert_eq!((made.len(), made[0].employees, made[0].data.name.as_str()), (1, 2, "総務部"));
    let (code, name) = ("S".to_owned(), "管理部".to_owned());
    store.rename_department(office.contract, made[0].id, code, name, act()).await.unwrap();
    let everybody = async || store.list_employees(office.contract.into(), None, 10).await.unwrap();
    assert_eq!(everybody().await[1].data.department.as_deref(), Some("管理部"));

    // Two departments of one name: nobody is put into either by a guess, and nobody falls out of theirs.
    let twin = NewDepartment { code: "T".to_owned(), name: "管理部".to_owned(), parent: Some(made[0].id) };
    let twin = store.add_department(office.contract, twin, act()).await.unwrap();
    let several = unclear(store.add_employee(office.contract, of("E3", "管理部"), act()).await);
    let DepartmentProblem::Several(places) = several else { panic!("{several:?}") };
    let places: Vec<_> = places.iter().map(|place| (place.code.as_str(), place.above.len())).collect();
    assert_eq!(places, [("S", 0), ("T", 1)]);
    let third = store.add_employee(office.contract, of("E3", "T 管理部"), act()).await.unwrap();
    let first = everybody().await[0].id;
    let renamed = NewEmployee { name: "改名".to_owned(), ..of("E1", "管理部") };
    store.change_employee(office.contract, first, renamed, act()).await.unwrap();
    let departments: Vec<_> = everybody().await.iter().map(|found| found.department).collect();
    assert_eq!(departments, [Some(made[0].id), Some(made[0].id), Some(twin)]);
    store.set_employee_department(office.contract, third, Some(made[0].id), act()).await.unwrap();
    assert_eq!(everybody().await[2].department, Some(made[0].id));
    store.change_employee(office.contract, third, employee("E3"), act()).await.unwrap();
    assert_eq!(everybody().await[2].department, None);
}

pub async fn a_closed_department_keeps_its_people_and_takes_nobody_in(store: &dyn Store) {
    let office = office(store).await;
    let closed = store.add_department(office.contract, department("A", None), act()).await.unwrap();
    let of = |code: &str| NewEmployee { department: Some("A".to_owned()), ..employee(code) };
    let gone = NewEmployee { active_to: Some(day(-9)), ..of("E1") };
    store.add_employee(office.contract, gone, act()).await.unwrap();
    let second = store.add_employee(office.contract, of("E2"), act()).await.unwrap();
    let people = async || store.department_people(office.contract, closed, day(0), 9).await.unwrap();
    let (found, staying) = people().await;
    let codes: Vec<_> = found.iter().map(|found| found.data.code.as_str()).collect();
    assert_eq!((codes, staying), (vec!["E2", "E1"], 1), "who has left comes last");
    assert_eq!(store.department_people(office.contract, closed, day(0), 1).await.unwrap().0.len(), 1);

    let close = async |last| store.close_department(office.contract, closed, last, act()).await;
    close(Some(day(0))).await.unwrap();
    store.add_employee(office.contract, of("E3"), act()).await.unwrap();
    close(Some(day(-1))).await.unwrap();
    let late = unclear(store.add_employee(office.contract, of("E4"), act()).await);
    assert_eq!(late, DepartmentProblem::Closed(day(-1)), "its last date is over");
    let renamed = NewEmployee { name: "改名".to_owned(), department: Some("A A課".into()), ..of("E2") };
    store.change_employee(office.contract, second, renamed, act()).await.unwrap();
    assert_eq!(people().await.0[0].department, Some(closed), "who is there, stays");
    let tree = store.list_departments(office.contract).await.unwrap();
    assert!(tree[0].is_closed(day(0)) && !tree[0].is_closed(day(-1)));
    close(None).await.unwrap();
    close(None).await.unwrap();
    store.add_employee(office.contract, of("E4"), act()).await.unwrap();
    let log = actions(store, &office).await;
    let of_it: Vec<_> =
        log.iter().filter(|line| line.contains("e_department") || line.contains("reopen")).collect();
    assert_eq!(of_it.len(), 3, "what changes nothing leaves no trace: {of_it:?}");
    assert!(of_it[0].starts_with("reopen_department") && of_it[2].starts_with("close_department"));
    let other = contract(store, "other").await;
    let theirs = store.close_department(other, closed, None, act()).await;
    assert_eq!(refusal(theirs), missing("department"));
    assert!(store.department_people(other, closed, day(0), 9).await.unwrap().0.is_empty());
}

pub async fn departments_of_a_file_are_made_on_purpose_only(store: &dyn Store) {
    let office = office(store).await;
    store.add_department(office.contract, department("A", None), act()).await.unwrap();
    let of = |code: &str, text: &str| NewEmployee { department: Some(text.to_owned()), ..employee(code) };
    let lines = vec![of("E1", "A"), of("E2", "新設部"), of("E3", "新設部"), of("E4", "A課")];
    let fates = store
        .check_employees(office.contract, lines.clone(), EmployeeColumns::ALL, day(0))
        .await
        .unwrap()
        .fates;
    let unknown = LineProblem::Department("新設部".to_owned(), DepartmentProblem::Unknown(Vec::new()));
    let wrong = LineFate::Wrong(unknown);
    assert_eq!(fates, [LineFate::New, wrong.clone(), wrong.clone(), LineFate::New]);
    let take = async |lines: Vec<_>, right_only, new_departments| {
        store
            .import_employees(
                office.contract,
                lines,
                EmployeeColumns::ALL,
                right_only,
                new_departments,
                act(),
            )
            .await
            .unwrap()
    };
    let names = async || {
        let all = store.list_departments(office.contract).await.unwrap();
        all.into_iter().map(|found| (found.data.name, found.employees)).collect::<Vec<_>>()
    };
    assert!(!take(lines.clone(), false, false).await.written);
    let reversed = NewEmployee { active_from: Some(day(1)), active_to: Some(day(0)), ..of("E9", "別部") };
    let with_fault: Vec<_> = lines.iter().cloned().chain([reversed]).collect();
    assert!(!take(with_fault.clone(), false, true).await.written);
    assert_eq!(names().await, [("A課".to_owned(), 0)], "what is not taken in makes no department");
    assert!(take(with_fault, true, true).await.written);
    let both = [("A課".to_owned(), 2), ("新設部".to_owned(), 2)];
    assert_eq!(names().await, both, "once, and none for a wrong line");
    let again = take(lines, false, false).await;
    assert!(again.fates.iter().all(|fate| *fate == LineFate::Unchanged), "a code is the same as the name");
}

/// Hanako in B below A, taro in C, jiro linked to nobody; each with one punch on each of two days.
struct Tree {
    office: Office,
    a: DepartmentId,
    b: DepartmentId,
    c: DepartmentId,
    hanako: EmployeeId,
}

async fn tree(store: &dyn Store) -> Tree {
    let office = office(store).await;
    let add = async |code, parent| {
        store.add_department(office.contract, department(code, parent), act()).await.unwrap()
    };
    let a = add("A", None).await;
    let (b, c) = (add("B", Some(a)).await, add("C", None).await);
    let punches = ["hanako", "taro", "jiro"].iter().enumerate().flat_map(|(n, name)| {
        let first = n as u64 * 2 + 1;
        [logon(first, name, NOW), logon(first + 1, name, NOW.plus(DAY_MS))]
    });
    office.receive(store, punches.collect()).await;
    for (name, code) in [("hanako", "B"), ("taro", "C")] {
        let account = office.account(store, name).await.id;
        let new = NewEmployee { department: Some(format!("{code}課")), ..employee(name) };
        let employee = EmployeeChoice::New(new);
        let request = LinkRequest { account, employee, from: day(0), to: Some(day(0)) };
        store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    }
    let hanako = store.list_employees(office.contract.into(), None, 1).await.unwrap()[0].id;
    Tree { office, a, b, c, hanako }
}

impl Tree {
    fn below(&self, root: DepartmentId) -> Scope {
        Scope { contract: self.office.contract, people: ScopedPeople::Below(root) }
    }

    async fn seen(&self, store: &dyn Store, scope: Scope) -> Vec<u64> {
        let page = store.list_punches(scope, PunchFilter::default(), None, 100).await.unwrap();
        let mut all: Vec<_> = page.rows.iter().map(|punch| punch.sequence).collect();
        all.sort_unstable();
        for number in 1..=6 {
            let found = store.punch(scope, self.office.terminal, number).await.unwrap();
            assert_eq!(found.is_some(), all.contains(&number), "list and detail agree on {number}");
        }
        let summary = store.summary(scope, UtcMillis(0), UtcMillis(i64::MAX), NOW).await.unwrap();
        assert_eq!(summary.punches, all.len() as u64);
        all
    }
}

pub async fn an_approver_sees_the_department_and_what_is_below_it(store: &dyn Store) {
    let tree = tree(store).await;
    assert_eq!(tree.seen(store, tree.office.contract.into()).await, [1, 2, 3, 4, 5, 6]);
    // Only the punch on the day of the link is hanako's; the one of the day after belongs to nobody.
    assert_eq!(tree.seen(store, tree.below(tree.a)).await, [1], "what is below counts");
    assert_eq!(tree.seen(store, tree.below(tree.b)).await, [1]);
    assert_eq!(tree.seen(store, tree.below(tree.c)).await, [3]);
    let people = store.list_employees(tree.below(tree.a), None, 10).await.unwrap();
    assert_eq!(people.iter().map(|found| found.data.code.as_str()).collect::<Vec<_>>(), ["hanako"]);

    store.move_department(tree.office.contract, tree.c, Some(tree.b), act()).await.unwrap();
    assert_eq!(tree.seen(store, tree.below(tree.a)).await, [1, 3], "two levels down");
    store.set_employee_department(tree.office.contract, tree.hanako, None, act()).await.unwrap();
    assert_eq!(tree.seen(store, tree.below(tree.a)).await, [3]);
}

pub async fn an_employee_sees_their_own_record_only(store: &dyn Store) {
    let tree = tree(store).await;
    let own = Scope { contract: tree.office.contract, people: ScopedPeople::One(tree.hanako) };
    assert_eq!(tree.seen(store, own).await, [1]);
    assert_eq!(store.list_employees(own, None, 10).await.unwrap().len(), 1);
    let other =
        PunchFilter { account: Some(tree.office.account(store, "taro").await.id), ..PunchFilter::default() };
    assert!(store.list_punches(own, other, None, 10).await.unwrap().rows.is_empty());
}

pub async fn what_belongs_to_nobody_is_seen_by_the_whole_contract_only(store: &dyn Store) {
    let tree = tree(store).await;
    let all = store.list_accounts(tree.office.contract.into(), AccountFilter::All, 10).await.unwrap();
    assert_eq!(all.len(), 3);
    // Hanako's PC account goes to taro from the next day on: each approver sees their own side of it.
    let taro = store.list_employees(tree.below(tree.c), None, 1).await.unwrap()[0].id;
    let account = tree.office.account(store, "hanako").await.id;
    let employee = EmployeeChoice::Existing(taro);
    let request = LinkRequest { account, employee, from: day(1), to: None };
    store.link_accounts(tree.office.contract, vec![request], act()).await.unwrap();
    assert_eq!(tree.seen(store, tree.below(tree.b)).await, [1]);
    assert_eq!(tree.seen(store, tree.below(tree.c)).await, [2, 3]);
    let seen = store.list_accounts(tree.below(tree.b), AccountFilter::All, 10).await.unwrap();
    assert_eq!((seen.len(), seen[0].links.len(), seen[0].waiting), (1, 1, 0));
    assert_eq!(seen[0].links[0].employee, tree.hanako);
    let detail = store.punch(tree.below(tree.b), tree.office.terminal, 1).await.unwrap().unwrap();
    assert_eq!(detail.account.links.len(), 1, "the other side's link is not told");
    let summary = store.summary(tree.below(tree.b), UtcMillis(0), UtcMillis(i64::MAX), NOW).await.unwrap();
    assert_eq!((summary.unlinked_punches, summary.terminals), (0, 0));
}

pub async fn a_scope_never_reaches_into_another_contract(store: &dyn Store) {
    let tree = tree(store).await;
    let other = contract(store, "other").await;
    terminal(store, "other", "9").await;
    for people in [ScopedPeople::Everybody, ScopedPeople::Below(tree.a), ScopedPeople::One(tree.hanako)] {
        let scope = Scope { contract: other, people };
        assert!(store.list_punches(scope, PunchFilter::default(), None, 10).await.unwrap().rows.is_empty());
        assert!(store.list_employees(scope, None, 10).await.unwrap().is_empty());
        assert!(store.list_accounts(scope, AccountFilter::All, 10).await.unwrap().is_empty());
        assert!(store.punch(scope, tree.office.terminal, 1).await.unwrap().is_none());
    }
    assert!(store.list_departments(other).await.unwrap().is_empty());
    let theirs = store.add_department(other, department("X", None), act()).await.unwrap();
    let ours = tree.office.contract;
    assert_eq!(
        refusal(store.add_department(ours, department("D", Some(theirs)), act()).await),
        missing("department")
    );
    for (one, below) in [(theirs, None), (tree.a, Some(theirs))] {
        assert_eq!(refusal(store.move_department(ours, one, below, act()).await), missing("department"));
    }
    let renamed = store.rename_department(ours, theirs, "x".into(), "x".into(), act()).await;
    assert_eq!(refusal(renamed), missing("department"));
    let put = store.set_employee_department(ours, tree.hanako, Some(theirs), act()).await;
    assert_eq!(refusal(put), missing("department"));
    let put = store.set_employee_department(other, tree.hanako, Some(theirs), act()).await;
    assert_eq!(refusal(put), missing("employee"));
}

fn change(role: Role) -> AdministratorChange {
    AdministratorChange {
        display_name: "木村".to_owned(),
        role,
        department: None,
        employee: None,
        valid_from: None,
        valid_until: None,
    }
}

async fn person(store: &dyn Store, office: &Office) -> AdministratorId {
    let new = NewAdministrator::new("kimura", Role::HumanResources, Some(office.contract));
    store.create_administrator(new, act()).await.unwrap()
}

pub async fn who_signs_in_is_changed_within_their_contract(store: &dyn Store) {
    let tree = tree(store).await;
    let (ours, id) = (Some(tree.office.contract), person(store, &tree.office).await);
    let wanted = AdministratorChange {
        department: Some(tree.b),
        employee: Some(tree.hanako),
        valid_from: Some(day(0)),
        valid_until: Some(day(30)),
        ..change(Role::Approver)
    };
    store.change_administrator(ours, id, wanted, act()).await.unwrap();
    let found = store.administrator_by_id(id).await.unwrap().unwrap().data;
    assert_eq!(
        (found.role, found.department, found.employee),
        (Role::Approver, Some(tree.b), Some(tree.hanako))
    );
    assert_eq!((found.display_name.as_str(), found.valid_until), ("木村", Some(day(30))));
    let log = actions(store, &tree.office).await;
    for told in [
        "change_administrator {".to_owned(),
        r#""role":"approver""#.to_owned(),
        r#""department":"B""#.to_owned(),
        r#""employee":"hanako""#.to_owned(),
        format!(r#""from":"{}""#, day(0)),
        format!(r#""until":"{}""#, day(30)),
    ] {
        assert!(log[0].contains(&told), "{told}: {}", log[0]);
    }
    let other = contract(store, "other").await;
    for theirs in [Some(other), None] {
        let changed = store.change_administrator(theirs, id, change(Role::Auditor), act()).await;
        assert_eq!(refusal(changed), missing("administrator"));
        assert_eq!(refusal(store.set_disabled(theirs, id, true, act()).await), missing("administrator"));
        let link = store.start_setup(theirs, id, KeyHash::of("t"), NOW.plus(1), act()).await;
        assert_eq!(refusal(link), missing("administrator"));
    }
}

pub async fn a_role_comes_with_what_it_needs(store: &dyn Store) {
    let tree = tree(store).await;
    let (ours, id) = (Some(tree.office.contract), person(store, &tree.office).await);
    let other = contract(store, "other").await;
    let theirs = store.add_department(other, department("X", None), act()).await.unwrap();
    let of = |role, department| AdministratorChange { department, ..change(role) };
    for (wrong, what) in [
        (of(Role::Approver, None), "department"),
        (of(Role::Approver, Some(theirs)), "department"),
        (of(Role::Auditor, Some(tree.a)), "department"),
        (of(Role::Employee, None), "employee"),
        (of(Role::Operator, None), "contract"),
    ] {
        let changed = store.change_administrator(ours, id, wrong.clone(), act()).await;
        assert_eq!(refusal(changed), missing(what), "{wrong:?}");
    }
    let reversed =
        AdministratorChange { valid_from: Some(day(1)), valid_until: Some(day(0)), ..change(Role::Auditor) };
    assert_eq!(refusal(store.change_administrator(ours, id, reversed, act()).await), Refusal::DatesReversed);
    let foreign = NewAdministrator {
        employee: Some(tree.hanako),
        ..NewAdministrator::new("x", Role::Employee, Some(other))
    };
    assert_eq!(refusal(store.create_administrator(foreign, act()).await), missing("employee"));
    let unchanged = store.administrator_by_id(id).await.unwrap().unwrap().data;
    assert_eq!(unchanged.role, Role::HumanResources);
}

fn session(id: &str, person: Option<AdministratorId>) -> WebSession {
    WebSession { id: id.to_owned(), data: b"x".to_vec(), expires_at: NOW.plus(1000), person, seen_at: None }
}

/// Whether nothing is left of a session but that it was ended.
async fn has_ended(store: &dyn Store, id: &str) -> bool {
    let left = store.load_session(id, NOW).await.unwrap().unwrap();
    (left.data.as_slice(), left.person) == (SESSION_ENDED, None)
}

pub async fn disabling_ends_sessions_and_the_set_up_link(store: &dyn Store) {
    let office = office(store).await;
    let (ours, id) = (Some(office.contract), person(store, &office).await);
    assert!(store.create_session(session("theirs", Some(id))).await.unwrap());
    assert!(store.create_session(session("other", None)).await.unwrap());
    store.start_setup(ours, id, KeyHash::of("token"), NOW.plus(10), act()).await.unwrap();
    store.set_disabled(ours, id, true, act()).await.unwrap();
    assert_eq!(store.administrator_by_id(id).await.unwrap().unwrap().disabled_at, Some(NOW));
    assert!(has_ended(store, "theirs").await);
    assert!(store.load_session("other", NOW).await.unwrap().is_some());
    assert!(store.setup(KeyHash::of("token"), NOW).await.unwrap().is_none());
    let link = store.start_setup(ours, id, KeyHash::of("token"), NOW.plus(10), act()).await;
    assert_eq!(refusal(link), missing("administrator"), "a disabled person gets no link");
    store.set_disabled(ours, id, false, act()).await.unwrap();
    assert_eq!(store.administrator_by_id(id).await.unwrap().unwrap().disabled_at, None);
    assert!(store.setup(KeyHash::of("token"), NOW).await.unwrap().is_none(), "the old link stays dead");
    let log = actions(store, &office).await;
    assert_eq!(log[..2], ["enable_administrator {}", "disable_administrator {}"]);
}

/// Somebody who can sign in.
async fn keeper(store: &dyn Store, login: &str, contract: Option<ContractId>) -> AdministratorId {
    let role = if contract.is_some() { Role::Administrator } else { Role::Operator };
    let new = NewAdministrator {
        password_hash: Some("$hash".to_owned()),
        ..NewAdministrator::new(login, role, contract)
    };
    store.create_administrator(new, act()).await.unwrap()
}

pub async fn the_last_administrator_and_the_last_operator_stay(store: &dyn Store) {
    let office = office(store).await;
    let other = contract(store, "other").await;
    keeper(store, "theirs", Some(other)).await;
    for (ours, role) in [(Some(office.contract), Role::Administrator), (None, Role::Operator)] {
        let last = Refusal::LastOne { role: role.name() };
        let one = keeper(store, &format!("{role:?}-1"), ours).await;
        let disable = async |id, off| store.set_disabled(ours, id, off, act()).await;
        // Somebody invited who has not come yet, and somebody whose time has not, take nobody's place.
        store
            .create_administrator(NewAdministrator::new(&format!("{role:?}-new"), role, ours), act())
            .await
            .unwrap();
        let later = NewAdministrator {
            password_hash: Some("$hash".to_owned()),
            valid_from: Some(day(1)),
            ..NewAdministrator::new(&format!("{role:?}-later"), role, ours)
        };
        store.create_administrator(later, act()).await.unwrap();
        assert_eq!(refusal(disable(one, true).await), last);
        let until = |date| AdministratorChange { valid_until: Some(day(date)), ..change(role) };
        for wrong in [until(-1), until(30)] {
            let changed = store.change_administrator(ours, one, wrong, act()).await;
            assert_eq!(refusal(changed), last, "an end comes to the same");
        }
        if ours.is_some() {
            let changed = store.change_administrator(ours, one, change(Role::Auditor), act()).await;
            assert_eq!(refusal(changed), last);
        }
        let unchanged = store.administrator_by_id(one).await.unwrap().unwrap();
        assert_eq!(
            (unchanged.data.role, unchanged.data.valid_until, unchanged.disabled_at),
            (role, None, None)
        );
        store.change_administrator(ours, one, change(role), act()).await.unwrap();

        let two = keeper(store, &format!("{role:?}-2"), ours).await;
        disable(one, true).await.unwrap();
        assert_eq!(refusal(disable(two, true).await), last);
        disable(one, false).await.unwrap();
        // One with a last day is enough to disable somebody, not to give the other one a last day, too.
        store.change_administrator(ours, one, until(30), act()).await.unwrap();
        assert_eq!(refusal(store.change_administrator(ours, two, until(60), act()).await), last);
        disable(two, true).await.unwrap();
    }
}

/// Each takes the other's role away at the same moment: one of both is left.
pub async fn of_two_who_disable_each_other_one_stays(store: &dyn Store) {
    let office = office(store).await;
    for ours in [Some(office.contract), None] {
        let role = if ours.is_some() { "administrator" } else { "operator" };
        let one = keeper(store, &format!("{role}-1"), ours).await;
        let two = keeper(store, &format!("{role}-2"), ours).await;
        let (first, second) = tokio::join!(
            store.set_disabled(ours, one, true, act()),
            store.set_disabled(ours, two, true, act())
        );
        let refused: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(matches!(refused[0], StoreError::Refused(Refusal::LastOne { role: found }) if found == role));
        let mut left = 0;
        for id in [one, two] {
            left += usize::from(store.administrator_by_id(id).await.unwrap().unwrap().disabled_at.is_none());
        }
        assert_eq!(left, 1);
        let log = store.audit_log(ours, None, 10).await.unwrap();
        let disabled = log.iter().filter(|entry| entry.action == "disable_administrator").count();
        assert_eq!(disabled, 1, "what was refused is not noted as done");
    }
}

pub async fn a_contract_gets_its_first_administrator_once(store: &dyn Store) {
    let office = office(store).await;
    let invite = async |login: &str, token: &str| {
        let name = AdministratorName { login: login.into(), display: "木村".into() };
        let expires_at = NOW.plus(10);
        store.invite_first_administrator(office.contract, name, KeyHash::of(token), expires_at, act()).await
    };
    let administered =
        async || store.contract_counts(vec![office.contract], day(0)).await.unwrap()[0].administered;
    let of =
        async |token: &str| store.setup(KeyHash::of(token), NOW).await.unwrap().map(|found| found.data.login);
    assert!(!administered().await);
    invite("kimuar", "wrong").await.unwrap();
    invite("kimura", "first").await.unwrap();
    assert_eq!((of("wrong").await, of("first").await.as_deref()), (None, Some("kimura")));
    invite("kimura", "second").await.unwrap();
    assert_eq!((of("first").await, of("second").await.as_deref()), (None, Some("kimura")));
    assert_eq!(store.administrator_count(Some(office.contract)).await.unwrap(), 2, "one of each login");
    // Whoever is called so elsewhere stays who they are.
    let operator = NewAdministrator::new("root", Role::Operator, None);
    store.create_administrator(operator, act()).await.unwrap();
    let taken = Refusal::Taken { what: "administrator", code: "root".into() };
    assert_eq!(refusal(invite("root", "third").await), taken);
    assert_eq!(of("second").await.as_deref(), Some("kimura"), "nothing has changed");
    assert!(!administered().await, "an invitation is nobody yet");
    store.finish_setup(KeyHash::of("second"), "$hash".into(), NOW).await.unwrap();
    assert!(administered().await);
    let late = refusal(invite("sato", "late").await);
    assert_eq!(late, missing("contract without an administrator"));
    let log = store.audit_log(Some(office.contract), None, 3).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["use_setup_link", "make_setup_link", "make_setup_link"]);
}

pub async fn a_set_up_link_works_once_and_for_its_time(store: &dyn Store) {
    let office = office(store).await;
    let (ours, id) = (Some(office.contract), person(store, &office).await);
    let start = async |token: &str| {
        store.start_setup(ours, id, KeyHash::of(token), NOW.plus(10), act()).await.unwrap();
    };
    start("first").await;
    start("second").await;
    let of = async |token: &str, at| store.setup(KeyHash::of(token), at).await.unwrap().map(|found| found.id);
    assert_eq!(of("first", NOW).await, None, "a new link replaces the one before");
    assert_eq!(of("second", NOW.plus(9)).await, Some(id));
    assert_eq!(of("second", NOW.plus(10)).await, None);
    let use_up = async |token: &str, at| store.finish_setup(KeyHash::of(token), "$hash".into(), at).await;
    assert_eq!(refusal(use_up("second", NOW.plus(10)).await), missing("set-up link"));
    assert!(store.create_session(session("s", Some(id))).await.unwrap());
    assert_eq!(use_up("second", NOW).await.unwrap().id, id);
    assert!(has_ended(store, "s").await, "sessions with the old password end");
    assert_eq!(refusal(use_up("second", NOW).await), missing("set-up link"), "used up");
    let found = store.administrator_by_id(id).await.unwrap().unwrap();
    assert_eq!((found.data.password_hash.as_deref(), found.setup_expires_at), (Some("$hash"), None));
    let log = store.audit_log(ours, None, 1).await.unwrap();
    assert_eq!((log[0].action.as_str(), log[0].by.as_str()), ("use_setup_link", "administrator:kimura"));
}

pub async fn employees_are_let_in_once_each_and_all_or_none(store: &dyn Store) {
    let office = office(store).await;
    let other = contract(store, "other").await;
    let add = async |contract, code: &str| store.add_employee(contract, employee(code), act()).await.unwrap();
    let (one, two, theirs) =
        (add(office.contract, "E1").await, add(office.contract, "E2").await, add(other, "E1").await);
    let of = |employee: EmployeeId, logins: &[&str], token: &str| LetIn {
        employee,
        logins: logins.iter().map(|login| (*login).to_owned()).collect(),
        token: KeyHash::of(token),
    };
    let ask = async |contract, all: Vec<LetIn>, again| {
        store.let_employees_in(contract, all, again, NOW.plus(10), act()).await
    };
    let made = |login: &str| LetInOutcome::Made { login: login.to_owned() };
    let there = |login: &str| LetInOutcome::There { login: login.to_owned() };
    let foreign = ask(office.contract, vec![of(one, &["E1"], "a"), of(theirs, &["E9"], "b")], false).await;
    assert_eq!(refusal(foreign), missing("employee"));
    assert!(store.administrator("E1").await.unwrap().is_none(), "none of them");
    assert_eq!(ask(other, vec![of(theirs, &["E1"], "t")], false).await.unwrap(), [made("E1")]);
    let both = vec![of(one, &["e1", "E1@demo"], "1"), of(two, &["E1"], "2"), of(one, &["E7"], "3")];
    let expected = [made("E1@demo"), LetInOutcome::NoLogin, there("E1@demo")];
    assert_eq!(ask(office.contract, both, false).await.unwrap(), expected);
    let whose =
        async |token: &str| store.setup(KeyHash::of(token), NOW).await.unwrap().map(|found| found.data.login);
    assert_eq!(
        (whose("1").await.as_deref(), whose("2").await, whose("3").await),
        (Some("E1@demo"), None, None)
    );
    let person = store.administrator("E1@demo").await.unwrap().unwrap();
    assert_eq!((person.data.role, person.data.employee), (Role::Employee, Some(one)));
    // A new link when it is asked for, and only for who has nothing to sign in with.
    assert_eq!(ask(office.contract, vec![of(one, &[], "4")], false).await.unwrap(), [there("E1@demo")]);
    assert_eq!(ask(office.contract, vec![of(one, &[], "5")], true).await.unwrap(), [made("E1@demo")]);
    assert_eq!((whose("1").await, whose("5").await.is_some()), (None, true));
    store.finish_setup(KeyHash::of("5"), "$hash".into(), NOW).await.unwrap();
    assert_eq!(ask(office.contract, vec![of(one, &[], "6")], true).await.unwrap(), [there("E1@demo")]);
    let many = vec![of(one, &[], "7"); LET_IN_MAX + 1];
    let refused = refusal(ask(office.contract, many, false).await);
    assert_eq!(refused, Refusal::TooMany { what: "employees", limit: LET_IN_MAX });
    let log = actions(store, &office).await;
    let count = |action: &str| log.iter().filter(|entry| entry.starts_with(action)).count();
    assert_eq!((count("create_administrator"), count("make_setup_link")), (1, 2));
}
