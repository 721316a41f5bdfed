//! What is asked by pages and commands, each question at least once, in all its forms.

use std::sync::Arc;

use mngntime_ledger::Digest;
use mngntime_ledger::frame::Frame;
use mngntime_model::{Bounds, EventKind, Evidence, UtcMillis};
use mngntime_store::{
    Account, AccountId, AccountKey, AccountShow, AdministratorId, Beside, ContractId, Day, DepartmentId,
    EmployeeChoice, EmployeeColumns, EmployeeShow, EnrollmentOutcome, Enrolment, EventReceipts,
    EvidenceScope, IncomingBatch, IncomingEvent, LineFate, LinkEnd, LinkLine, LinkRequest, NamedTerminal,
    NewAdministrator, NewDepartment, NewEmployee, PageKey, PunchFilter, Punched, Reason, Rejudging, Role,
    Scope, ScopedPeople, Seal, Sender, StagedFile, Store, StoredJudgement, TerminalStatus,
};

use super::fixture::{
    DAY_MS, KEY, NOW, Office, act, day, employee, enrolment, event, identity, logon, office, walked,
};

/// 花子 with an open link, 太郎 with one that ends, 次郎 whose has ended, and an account that waits.
async fn people(store: &dyn Store) -> Office {
    let office = office(store).await;
    let names = ["hanako", "taro", "jiro", "E0007"];
    let events = names.iter().zip(1..).map(|(name, n)| logon(n, name, NOW.plus(n as i64)));
    office.receive(store, events.collect()).await;
    for (name, to) in [("hanako", None), ("taro", Some(day(5))), ("jiro", Some(day(-5)))] {
        let request = office.request(store, name, day(-30), to).await;
        store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    }
    let waits = NewEmployee { kana: Some("ヤマダ ハナコ".into()), ..employee("E0007") };
    store.add_employee(office.contract, waits, act()).await.unwrap();
    office
}

fn names(accounts: &[Account]) -> Vec<&str> {
    accounts.iter().map(|account| account.name.as_str()).collect()
}

pub async fn accounts_are_listed_by_what_they_lack(store: &dyn Store) {
    let office = people(store).await;
    let page = async |show, search: &str, after| {
        let found =
            store.account_page(office.contract, show, search.to_owned(), after, day(0), 2).await.unwrap();
        let names = found.rows.iter().map(|row| row.account.name.clone()).collect::<Vec<_>>();
        (names.join(" "), found.next)
    };
    let (first, next) = page(AccountShow::All, "", None).await;
    assert_eq!(
        first, "E0007 jiro",
        "who waits comes first: the punches of 次郎 have come after the link's end"
    );
    let next = next.unwrap();
    assert_eq!(page(AccountShow::All, "", Some(Beside::After(next))).await, ("hanako taro".to_owned(), None));
    let waited = AccountKey { waited: true, ..next };
    assert_eq!(page(AccountShow::All, "", Some(Beside::After(waited))).await.0, "hanako taro");
    for size in [1, 2, 3] {
        let page = async |at| {
            let (all, nothing) = (AccountShow::All, String::new());
            store.account_page(office.contract, all, nothing, at, day(0), size).await.unwrap()
        };
        let names: Vec<_> = walked(page).await.into_iter().map(|row| row.account.name).collect();
        assert_eq!(names, ["E0007", "jiro", "hanako", "taro"], "in pages of {size}");
    }
    let gone =
        AccountKey { account: AccountId::parse("00000000-0000-7000-8000-000000000000").unwrap(), ..next };
    for at in [Beside::After(gone), Beside::Before(gone)] {
        let begins = page(AccountShow::All, "", Some(at)).await.0;
        assert_eq!(begins, "E0007 jiro", "beside an account that is gone the list begins anew");
    }
    assert_eq!(page(AccountShow::Waiting, "", None).await.0, "E0007 jiro");
    assert_eq!(page(AccountShow::Limited, "", None).await.0, "taro");
    assert_eq!(page(AccountShow::Ended, "", None).await.0, "jiro");
    assert_eq!(page(AccountShow::All, "HANA", None).await.0, "hanako", "letters of either case");
    assert_eq!(page(AccountShow::All, "ｔａｒｏ", None).await.0, "taro", "wide letters");
    assert_eq!(page(AccountShow::All, "100%", None).await.0, "");
    let counts = store.account_counts(office.contract, day(0)).await.unwrap();
    assert_eq!((counts.all, counts.waiting, counts.limited, counts.ended), (4, 2, 1, 1));
    let hanako = office.account(store, "hanako").await.id;
    assert!(store.same_names(office.contract, hanako).await.unwrap().is_empty());
    let links = store.links_of_account(office.contract, hanako).await.unwrap();
    assert_eq!((links.len(), links[0].employee_code.as_str(), links[0].void), (1, "hanako", false));
    let found =
        async |text: &str| store.find_accounts(office.contract.into(), text.to_owned()).await.unwrap();
    for text in ["Hanako", "example\\hanako", "S-1-5-21-hanako", &hanako.to_string()] {
        assert_eq!(names(&found(text).await), ["hanako"], "{text}");
    }
    assert!(found("nobody@example.com").await.is_empty());
}

pub async fn what_the_punches_of_a_time_come_to_is_counted_for_each(store: &dyn Store) {
    let office = people(store).await;
    let more = [(11, 0), (12, 0), (13, 1), (14, 40)];
    let events = more.map(|(number, days)| logon(number, "hanako", NOW.plus(days * DAY_MS + 1000)));
    office.receive(store, events.to_vec()).await;
    let inferred = |number: u64, days: i64| {
        let at = NOW.plus(days * DAY_MS + 2000);
        let mut incoming = event(number, EventKind::Logoff, Some(identity("hanako")), at);
        incoming.event.evidence = Evidence::Inferred;
        incoming.event.bounds = Some(Bounds::between(at, at.plus(5)));
        incoming
    };
    office.receive(store, vec![inferred(15, 0), inferred(16, 2), inferred(17, 40)]).await;
    let today = Day { date: day(0), from: NOW.plus(-DAY_MS), until: NOW.plus(DAY_MS) };
    let scope = Scope::from(office.contract);
    let all = EmployeeShow::Active;
    let found = store.employee_page(scope, all, String::new(), None, today, 50).await.unwrap().rows;
    let (codes, ids): (Vec<_>, Vec<_>) =
        found.iter().map(|row| (row.employee.data.code.as_str(), row.employee.id)).unzip();
    assert_eq!(codes, ["E0007", "hanako", "jiro", "taro"]);
    let span = (NOW.plus(-DAY_MS), NOW.plus(31 * DAY_MS));
    let counted = async || store.punched(office.contract, ids.clone(), span, 300).await.unwrap();
    let of = |dates, inferred| Punched { dates, error_dates: 0, outside_dates: 0, inferred };
    let [none, one] = [of(0, 0), of(1, 0)];
    assert_eq!(
        counted().await,
        [none, of(3, 2), none, one],
        "each date once, within the span, while the account was theirs"
    );
    assert!(store.punched(office.contract, Vec::new(), span, 300).await.unwrap().is_empty());
    // The filter finds what was counted.
    let filter = PunchFilter {
        from: Some(span.0),
        until: Some(span.1),
        employee: Some(ids[1]),
        inferred_only: true,
        ..PunchFilter::default()
    };
    assert_eq!(store.count_punches(scope, filter, 9).await.unwrap(), 2);
    // What comes from a blocked PC has an error; what comes after the last day of employment is nobody's.
    let (pc, blocked) = (office.terminal, TerminalStatus::Blocked);
    store.set_terminal_status(office.contract, pc, blocked, act()).await.unwrap();
    office.receive(store, vec![logon(18, "hanako", NOW.plus(3 * DAY_MS))]).await;
    assert_eq!(counted().await[1], Punched { dates: 4, error_dates: 1, outside_dates: 0, inferred: 2 });
    let data = NewEmployee { active_to: Some(day(1)), ..found[1].employee.data.clone() };
    store.change_employee(office.contract, ids[1], data, act()).await.unwrap();
    assert_eq!(counted().await[1], Punched { outside_dates: 2, ..of(2, 1) });
}

pub async fn terminals_are_told_from_others_of_their_name(store: &dyn Store) {
    let office = people(store).await;
    let find = async |scope: Scope, text: &str| store.find_terminals(scope, text.to_owned()).await.unwrap();
    let ids = |found: &[NamedTerminal]| found.iter().map(|terminal| terminal.id).collect::<Vec<_>>();
    let whole = Scope::from(office.contract);
    let alone = find(whole, "pc-1").await;
    assert_eq!((ids(&alone), alone[0].host_name.as_str()), (vec![office.terminal], "PC-1"));
    assert_eq!(find(whole, &office.terminal.to_string()).await, alone);
    let enrolment = Enrolment { host_name: "pc-1".into(), ..enrolment("demo", "2") };
    let EnrollmentOutcome::Enrolled(again) = store.enroll(enrolment).await.unwrap() else { panic!() };
    let names = ["PC-1", "pc-1", "PC-9"].map(str::to_owned).to_vec();
    assert_eq!(store.same_named(office.contract, names.clone()).await.unwrap(), [2, 2, 0]);
    assert_eq!(ids(&find(whole, "PC-1").await), [office.terminal, again], "heard of last first");
    for scope in scopes(store, &office).await.into_iter().filter(|scope| !scope.is_whole()) {
        assert_eq!(ids(&find(scope, "PC-1").await), [office.terminal], "the other has no punch of theirs");
        assert!(find(scope, &again.to_string()).await.is_empty());
    }
    let retire = store.set_terminal_status(office.contract, office.terminal, TerminalStatus::Retired, act());
    retire.await.unwrap();
    assert_eq!(store.same_named(office.contract, names).await.unwrap(), [1, 1, 0]);
    assert_eq!(ids(&find(whole, "PC-1").await), [again, office.terminal], "those in use first");
}

pub async fn employees_are_listed_and_suggested(store: &dyn Store) {
    let office = people(store).await;
    // Whoever logs off has not come.
    let logoff = event(5, EventKind::Logoff, Some(identity("hanako")), NOW);
    office.receive(store, vec![logoff]).await;
    let today = Day { date: day(0), from: NOW.plus(-DAY_MS), until: NOW.plus(DAY_MS) };
    for scope in scopes(store, &office).await {
        let whole = scope.is_whole();
        for show in [EmployeeShow::Active, EmployeeShow::Alone, EmployeeShow::Gone, EmployeeShow::Remarked] {
            let at = Some(Beside::After("A".to_owned()));
            let found = store.employee_page(scope, show, String::new(), at, today, 50).await.unwrap();
            let (rows, next) = (&found.rows, found.next.clone());
            let page =
                async |at| store.employee_page(scope, show, String::new(), at, today, 1).await.unwrap();
            assert_eq!(walked(page).await, found.rows);
            let codes: Vec<_> = rows.iter().map(|row| row.employee.data.code.as_str()).collect();
            let expected: &[&str] = match (show, whole) {
                (EmployeeShow::Active, true) => &["E0007", "hanako", "jiro", "taro"],
                (EmployeeShow::Alone, true) => &["E0007", "jiro"],
                (EmployeeShow::Active, false) => &["hanako"],
                (EmployeeShow::Alone, false) | (EmployeeShow::Gone | EmployeeShow::Remarked, _) => &[],
            };
            assert_eq!((codes.as_slice(), next), (expected, None), "{show:?} {scope:?}");
            let hanako = rows.iter().find(|row| row.employee.data.code == "hanako");
            if let (EmployeeShow::Active, Some(row)) = (show, hanako) {
                assert_eq!(row.accounts, ["EXAMPLE\\hanako"]);
                assert_eq!(row.first, Some(NOW.plus(1)));
            }
        }
        let counts =
            async |search: &str| store.employee_counts(scope, search.to_owned(), day(0)).await.unwrap();
        let (all, hanako) = (counts("").await, counts("HANAKO").await);
        assert_eq!((all.active, all.alone), if whole { (4, 2) } else { (1, 0) });
        assert_eq!((hanako.active, hanako.alone, hanako.gone), (1, 0, 0), "of those who are searched for");
        assert_eq!(counts("いない").await.active, 0);
        let found = store.find_employees(scope, "社員　HANAKO".into()).await.unwrap();
        let by_code = store.find_employees(scope, "HANAKO".into()).await.unwrap();
        assert_eq!(
            (found.len(), by_code.len()),
            (0, 1),
            "a name is compared as it is, a code in either case"
        );
        assert_eq!(
            store.find_employees(scope, "社員hanako".into()).await.unwrap().len(),
            1,
            "without the space"
        );
        for (typed, all) in [("社員", 4), ("社員　ha", 1), ("HAN", 1), ("e00", 1), ("いない", 0), ("　", 0)]
        {
            let (found, count) = store.employees_alike(scope, typed.into()).await.unwrap();
            let wanted = if whole { all } else { all.min(1) * usize::from(typed != "e00") };
            assert_eq!((found.len(), count), (wanted, wanted as u64), "{typed} {scope:?}");
        }
        assert!(store.employee(scope, by_code[0].id).await.unwrap().is_some());
        let links = store.links_of_employee(scope, by_code[0].id).await.unwrap();
        assert_eq!(links[0].account_name, "EXAMPLE\\hanako");
    }
    let waiting = office.account(store, "E0007").await;
    let suggested = store.suggestions(office.contract, vec![waiting.id], day(0)).await.unwrap();
    assert_eq!(
        (suggested[0][0].reason, suggested[0][0].employee.data.code.as_str()),
        (Reason::Code, "E0007")
    );
    for reason in Reason::ALL {
        let all = store.suggested(office.contract, reason, day(0), 9).await.unwrap();
        assert_eq!(all.len(), if reason == Reason::Code { 2 } else { 0 }, "{reason:?}: E0007 and 次郎");
    }
}

/// Everybody, and 花子's own.
async fn scopes(store: &dyn Store, office: &Office) -> [Scope; 2] {
    let hanako = store.find_employees(office.contract.into(), "hanako".into()).await.unwrap()[0].id;
    [office.contract.into(), Scope { contract: office.contract, people: ScopedPeople::One(hanako) }]
}

pub async fn punches_are_listed_by_every_filter(store: &dyn Store) {
    let office = people(store).await;
    let mut off = event(9, EventKind::Logoff, Some(identity("hanako")), NOW.plus(9));
    (off.event.evidence, off.event.bounds) =
        (Evidence::Inferred, Some(Bounds::between(NOW.plus(9), NOW.plus(20))));
    office.receive(store, vec![off]).await;
    let hanako = office.account(store, "hanako").await;
    let plain = PunchFilter::default;
    let (from, until) = (Some(NOW), Some(NOW.plus(100)));
    let filters = [
        plain(),
        PunchFilter { from, until, ..plain() },
        PunchFilter { account: Some(hanako.id), ..plain() },
        PunchFilter { employee: Some(hanako.links[0].employee), ..plain() },
        PunchFilter { terminal: Some(office.terminal), ..plain() },
        PunchFilter { kind: Some(EventKind::Logoff), ..plain() },
        PunchFilter { errors_only: true, ..plain() },
        PunchFilter { errors_only: true, from, until, kind: Some(EventKind::Logon), ..plain() },
        PunchFilter { inferred_only: true, ..plain() },
        PunchFilter { inferred_only: true, from, until, terminal: Some(office.terminal), ..plain() },
        PunchFilter { inferred_only: true, errors_only: true, account: Some(hanako.id), ..plain() },
    ];
    let newest = PageKey { occurred_at: NOW.plus(9), terminal: office.terminal, sequence: 9 };
    let newest = Some(Beside::After(newest));
    let [everybody, own] = scopes(store, &office).await;
    // Her department, which is read among everybody's punches first, and her herself, whose accounts are.
    let new = NewDepartment { code: "D1".into(), name: "部署".into(), parent: None };
    let department = store.add_department(office.contract, new, act()).await.unwrap();
    let id = hanako.links[0].employee;
    store.set_employee_department(office.contract, id, Some(department), act()).await.unwrap();
    let below = Scope { contract: office.contract, people: ScopedPeople::Below(department) };
    let hers = [2, 2, 2, 2, 2, 1, 0, 0, 1, 1, 0];
    for (scope, expected) in [(everybody, [5, 5, 2, 2, 5, 1, 2, 2, 1, 1, 0]), (own, hers), (below, hers)] {
        for (filter, count) in filters.iter().zip(expected) {
            let told = format!("{scope:?} {filter:?}");
            let page = store.list_punches(scope, filter.clone(), None, 50).await.unwrap();
            assert_eq!(page.rows.len(), count, "{told}");
            let one = async |at| store.list_punches(scope, filter.clone(), at, 1).await.unwrap();
            assert_eq!(walked(one).await, page.rows, "{told}");
            let older = store.list_punches(scope, filter.clone(), newest, 50).await.unwrap().rows;
            assert!(older.len() <= count && older.iter().all(|punch| punch.sequence != 9), "{told}");
            assert_eq!(store.count_punches(scope, filter.clone(), 50).await.unwrap(), count as u64, "{told}");
        }
        let figures = store.day_figures(scope, NOW).await.unwrap();
        assert_eq!(figures.logoffs[0], 1);
        assert_eq!(figures.logons[0], if scope.is_whole() { 4 } else { 1 });
    }
}

/// What stands above the list of today says the same as the list.
async fn assert_figures(store: &dyn Store, contract: ContractId, departments: &[DepartmentId], told: &str) {
    let below = departments.iter().map(|id| ScopedPeople::Below(*id));
    for people in below.chain([ScopedPeople::Everybody]) {
        let scope = Scope { contract, people };
        let figures = store.day_figures(scope, NOW).await.unwrap();
        let day = PunchFilter { from: Some(NOW), until: Some(NOW.plus(DAY_MS)), ..PunchFilter::default() };
        let count = async |filter| store.count_punches(scope, filter, 999).await.unwrap();
        let listed = (
            count(PunchFilter { kind: Some(EventKind::Logon), ..day.clone() }).await,
            count(PunchFilter { kind: Some(EventKind::Logoff), ..day.clone() }).await,
            count(PunchFilter { errors_only: true, ..day.clone() }).await,
        );
        let sum = |slots: [u64; 48]| slots.iter().sum::<u64>();
        assert_eq!(
            (sum(figures.logons), sum(figures.logoffs), sum(figures.errors)),
            listed,
            "{people:?}, {told}"
        );
    }
}

pub async fn the_figures_of_a_day_follow_whatever_changes(store: &dyn Store) {
    let office = office(store).await;
    let contract = office.contract;
    let add = async |code: &str, parent| {
        let new = NewDepartment { code: code.into(), name: format!("部署 {code}"), parent };
        store.add_department(contract, new, act()).await.unwrap()
    };
    let top = add("D1", None).await;
    let departments = [top, add("D2", Some(top)).await, add("D3", None).await];
    let check = async |told: &str| assert_figures(store, contract, &departments, told).await;
    let hour = |hours: i64| NOW.plus(hours * 3_600_000);
    let events: Vec<_> = (1..=6)
        .map(|n| {
            let kind = if n % 2 == 0 { EventKind::Logoff } else { EventKind::Logon };
            let name = if n < 4 { "hanako" } else { "taro" };
            event(n, kind, Some(super::fixture::identity(name)), hour(n as i64))
        })
        .collect();
    office.receive(store, events.clone()).await;
    check("of nobody").await;
    office.receive(store, events).await;
    check("sent twice").await;
    let hanako = office.request(store, "hanako", day(-1), None).await;
    store.link_accounts(contract, vec![hanako], act()).await.unwrap();
    check("linked").await;
    let found = store.find_employees(contract.into(), "hanako".into()).await.unwrap();
    for department in [departments[1], departments[2], departments[0]] {
        store.set_employee_department(contract, found[0].id, Some(department), act()).await.unwrap();
        check("moved").await;
    }
    let changed = NewEmployee { department: Some("部署 D2".into()), ..found[0].data.clone() };
    store.change_employee(contract, found[0].id, changed, act()).await.unwrap();
    check("changed").await;
    store.move_department(contract, departments[1], Some(departments[2]), act()).await.unwrap();
    check("the department moved").await;
    let block = TerminalStatus::Blocked;
    store.set_terminal_status(contract, office.terminal, block, act()).await.unwrap();
    office.receive(store, vec![logon(7, "hanako", hour(7)), logon(8, "taro", hour(8))]).await;
    check("blocked").await;
    store.set_terminal_status(contract, office.terminal, TerminalStatus::Active, act()).await.unwrap();
    check("unblocked").await;
    let link = store.links_of_employee(contract.into(), found[0].id).await.unwrap()[0].id;
    store.end_link(contract, link, LinkEnd::Void, act()).await.unwrap();
    check("unlinked").await;
    let days = 40 * DAY_MS;
    store.forget_day_figures(NOW.plus(days)).await.unwrap();
    check("forgotten not yet").await;
    store.forget_day_figures(NOW.plus(days + DAY_MS)).await.unwrap();
    assert_eq!(store.day_figures(contract.into(), NOW).await.unwrap(), Default::default());
}

async fn person(store: &dyn Store, office: &Office) -> AdministratorId {
    let new = NewAdministrator::new("kimura", Role::Administrator, Some(office.contract));
    store.create_administrator(new, act()).await.unwrap()
}

pub async fn searches_and_columns_are_kept_for_their_person(store: &dyn Store) {
    let office = office(store).await;
    let person = person(store, &office).await;
    let save = async |query: &str, shared| {
        store.save_search(office.contract, person, "月初".into(), query.into(), shared, act()).await.unwrap()
    };
    save("a=1", false).await;
    let search = save("a=2", true).await;
    let list = store.list_searches(office.contract, person).await.unwrap();
    assert_eq!((list.len(), list[0].query.as_str(), list[0].shared), (1, "a=2", true), "one of a name");
    store.delete_search(office.contract, person, search, act()).await.unwrap();
    assert!(store.list_searches(office.contract, person).await.unwrap().is_empty());
    assert_eq!(store.punch_columns(person).await.unwrap(), None);
    for columns in ["name", "name,result"] {
        store.set_punch_columns(person, columns.into()).await.unwrap();
        assert_eq!(store.punch_columns(person).await.unwrap().as_deref(), Some(columns));
    }
}

pub async fn files_are_checked_and_taken_in(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let person = person(store, &office).await;
    let file = StagedFile { kind: "links".into(), encoding: "utf-8".into(), content: "氏名".into() };
    let old = NOW.plus(-DAY_MS);
    let kept = store.stage_import(office.contract, person, file.clone(), NOW, old).await.unwrap();
    assert_eq!(store.staged_import(office.contract, kept).await.unwrap(), Some(file));
    store.drop_import(office.contract, kept).await.unwrap();
    assert_eq!(store.staged_import(office.contract, kept).await.unwrap(), None);

    let lines = vec![employee("E1"), employee("E1")];
    let all = EmployeeColumns::ALL;
    let found = store.check_employees(office.contract, lines.clone(), all, day(0)).await.unwrap();
    assert_eq!(found.fates, [LineFate::New, LineFate::Unchanged]);
    assert!(store.import_employees(office.contract, lines, all, false, false, act()).await.unwrap().written);
    let line = |user: &str| LinkLine {
        domain: "example".into(),
        user: user.into(),
        key: String::new(),
        upn: String::new(),
        employee: "E1".into(),
        from: day(-1),
        to: None,
    };
    let found = store.check_links(office.contract, vec![line("Hanako"), line("nobody")]).await.unwrap();
    assert!(matches!(found.fates.as_slice(), [LineFate::New, LineFate::Wrong(_)]), "{found:?}");
    assert_eq!(found.rejudging, Rejudging { errors: 0, cured: 1 });
    let taken = store.import_links(office.contract, vec![line("Hanako")], false, act()).await.unwrap();
    assert_eq!((taken.written, taken.rejudged), (true, 1));
    let account = office.account(store, "hanako").await.id;
    let request =
        LinkRequest { account, employee: EmployeeChoice::New(employee("E2")), from: day(-9), to: None };
    let preview = store.preview_each_link(office.contract, vec![request]).await.unwrap();
    assert_eq!((preview[0].punches, preview[0].span), (0, None), "nothing waits any more");
}

/// An event whose bytes are JSON, as a PC's are.
fn told(sequence: u64, kind: EventKind, at: UtcMillis) -> IncomingEvent {
    let account = kind.is_punch().then(|| super::fixture::identity("hanako"));
    let incoming = event(sequence, kind, account, at);
    let json = format!(r#"{{"seq":{sequence},"kind":"{}"}}"#, kind.name());
    IncomingEvent { digest: Digest::of(json.as_bytes()), json, ..incoming }
}

/// Of the punches 2 and 3. As long as one is the only one, it has no row: what is read then is what is kept afterwards.
async fn first_judgements(store: &dyn Store, office: &Office, at: UtcMillis) -> Vec<StoredJudgement> {
    let first = store.evidence_judgements(office.contract, office.terminal, 1, 4).await.unwrap();
    let received = |sequence| StoredJudgement {
        sequence,
        number: 1,
        judged_at: at,
        res: Some(7),
        why: "received".to_owned(),
        by: "server".to_owned(),
    };
    assert_eq!(first, [received(2), received(3)]);
    first
}

pub async fn what_an_evidence_pack_needs_is_found(store: &dyn Store) {
    let office = office(store).await;
    let events = vec![
        told(1, EventKind::ServiceStart, NOW),
        told(2, EventKind::Logon, NOW.plus(DAY_MS)),
        told(3, EventKind::Logoff, NOW.plus(2 * DAY_MS)),
        told(4, EventKind::ServiceStart, NOW.plus(3 * DAY_MS)),
    ];
    let bytes: Vec<_> = events.iter().map(|event| event.json.clone()).collect();
    let mut batch = office.batch(events);
    batch.signed.payload = format!("[{}]", bytes.join(","));
    let (request, payload) = (batch.signed.digest, batch.signed.payload.clone());
    let envelope = r#"{"a":"receipt"}"#.to_owned();
    let sealed = envelope.clone();
    let seal: Seal = Arc::new(move |_| Ok(sealed.clone()));
    for _ in 0..2 {
        let sealed = store.receive_and_seal(batch.clone(), seal.clone()).await.unwrap();
        assert_eq!(sealed.receipt, envelope);
    }
    let (contract, terminal) = (office.contract, office.terminal);
    let first = first_judgements(store, &office, batch.received_at).await;
    let link = office.request(store, "hanako", day(-9), None).await;
    store.link_accounts(office.contract, vec![link], act()).await.unwrap();
    for code in [None, Some("hanako".to_owned())] {
        let people = store.evidence_people(contract, code).await.unwrap();
        assert_eq!((people.employees.len(), people.accounts.len(), people.links.len()), (1, 1, 1));
    }
    let nobody = store.evidence_people(contract, Some("x".into())).await.unwrap();
    assert_eq!((nobody.employees.len(), nobody.accounts.len(), nobody.links.len()), (0, 0, 0));
    let account = office.account(store, "hanako").await.id;
    let range = async |accounts: Option<_>, terminal: Option<_>, span| {
        let scope = EvidenceScope { contract, accounts, terminal, span };
        let found = store.evidence_terminals(scope).await.unwrap();
        found.iter().map(|found| (found.first, found.last)).collect::<Vec<_>>()
    };
    assert_eq!(range(None, None, None).await, [(1, 4)]);
    assert_eq!(range(Some(vec![account]), Some(terminal), None).await, [(1, 4)]);
    let second_day = (NOW.plus(DAY_MS), NOW.plus(2 * DAY_MS));
    assert_eq!(range(None, Some(terminal), Some(second_day)).await, [(1, 4)], "from start to start");
    let later = (NOW.plus(9 * DAY_MS), NOW.plus(10 * DAY_MS));
    assert_eq!(range(None, None, Some(later)).await, [(4, 4)], "the last word before it");
    let stored = store.evidence_events(contract, terminal, 2, 9).await.unwrap();
    assert_eq!(stored.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2, 3, 4]);
    let all = (UtcMillis(i64::MIN), UtcMillis(i64::MAX));
    let proof = store.evidence_batches(contract, terminal, all).await.unwrap().remove(0);
    assert_eq!((proof.digest, proof.signature.as_str()), (request, "signature"));
    let frame: Frame = serde_json::from_str(&proof.frame).unwrap();
    assert_eq!(frame.numbers().collect::<Vec<_>>(), [1, 2, 3, 4], "nothing is kept twice");
    let whole = frame.payload(|number| bytes.get(usize::try_from(number).ok()? - 1).map(String::as_str));
    assert_eq!(whole, Some(payload));
    assert_eq!(
        store.evidence_receipts(contract, terminal, all).await.unwrap(),
        std::slice::from_ref(&envelope)
    );
    let told = store.event_receipts(contract, terminal, 2, stored[0].received_at).await.unwrap();
    assert_eq!((told.place.as_ref(), told.envelopes), (Some(&stored[0].place), vec![envelope]));
    let elsewhere = store.event_receipts(contract, terminal, 9, stored[0].received_at.plus(1)).await.unwrap();
    assert_eq!(elsewhere, EventReceipts::default(), "neither event nor receipt");
    let judged = store.evidence_judgements(contract, terminal, 1, 4).await.unwrap();
    assert_eq!(
        judged.iter().map(|judged| (judged.sequence, judged.number, judged.res)).collect::<Vec<_>>(),
        [(2, 1, Some(7)), (2, 2, None), (3, 1, Some(7)), (3, 2, None)]
    );
    assert_eq!([&judged[0], &judged[2]], [&first[0], &first[1]]);
}

pub async fn a_sender_is_known_by_contract_and_terminal(store: &dyn Store) {
    let office = office(store).await;
    let terminal = office.terminal.to_string();
    let of = async |contract: &str, terminal: &str| store.identify(contract, terminal).await.unwrap();
    assert!(matches!(of("demo", &terminal).await, Sender::Known { public_key, .. } if public_key == "1"));
    assert!(matches!(of("nobody", &terminal).await, Sender::UnknownContract));
    assert!(matches!(of("demo", "x").await, Sender::UnknownTerminal));
    store
        .receive(IncomingBatch { received_at: NOW.plus(1), ..office.batch(vec![logon(3, KEY, NOW)]) })
        .await
        .unwrap();
    let missing = store.missing_ranges(office.contract, office.terminal, 9).await.unwrap();
    assert_eq!(missing.iter().map(|range| (range.first, range.last)).collect::<Vec<_>>(), [(1, 2)]);
    assert_eq!(store.rejudge_failed(NOW, 9).await.unwrap(), 0);
    assert!(store.database_bytes().await.unwrap() > 100_000);
}
