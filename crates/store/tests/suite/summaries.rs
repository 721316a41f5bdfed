//! What the punches of many people come to, date by date.

use jiff::civil::Date;
use mngntime_model::event::cause;
use mngntime_model::{BootId, Bounds, EventKind, Evidence, SessionIdentity, UtcMillis};
use mngntime_store::{
    DayEdge, DaySummary, DepartmentId, EmployeeChoice, IncomingEvent, LinkEnd, LinkRequest, NewDepartment,
    NewEmployee, Page, PersonSummary, SUMMED_DATES_MAX, Scope, ScopedPeople, Store, TerminalStatus,
};

use super::fixture::{
    DAY_MS, NOW, Office, act, contract, day, employee, event, identity, logon, office, terminal,
};

const MINUTE_MS: i64 = 60_000;

/// Midnight of the day of [`NOW`].
const MIDNIGHT: UtcMillis = UtcMillis(NOW.0 - 9 * 60 * MINUTE_MS);

/// A time so many days after the day of [`NOW`].
fn at(days: i64, hours: i64, minutes: i64) -> UtcMillis {
    MIDNIGHT.plus(days * DAY_MS + (hours * 60 + minutes) * MINUTE_MS)
}

fn logoff(sequence: u64, name: &str, at: UtcMillis) -> IncomingEvent {
    event(sequence, EventKind::Logoff, Some(identity(name)), at)
}

/// The same, known as a range that ends so many hours later.
fn ranged(mut incoming: IncomingEvent, evidence: Evidence, hours: i64) -> IncomingEvent {
    let from = incoming.event.occurred_at;
    (incoming.event.evidence, incoming.event.bounds) =
        (evidence, Some(Bounds::between(from, from.plus(hours * 60 * MINUTE_MS))));
    incoming
}

/// Links an account, that of somebody new or a second one of somebody.
async fn link(store: &dyn Store, office: &Office, name: &str, whose: &str, dates: (Date, Option<Date>)) {
    let known = store.employee_by_code(office.contract.into(), whose.into()).await.unwrap();
    let employee =
        known.map_or(EmployeeChoice::New(employee(whose)), |known| EmployeeChoice::Existing(known.id));
    let account = office.account(store, name).await.id;
    let request = LinkRequest { account, employee, from: dates.0, to: dates.1 };
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
}

fn time(edge: Option<DayEdge>, date: Date) -> String {
    let Some(edge) = edge else { return "-".into() };
    let begins = MIDNIGHT.plus(i64::from(date.since(day(0)).unwrap().get_days()) * DAY_MS);
    let hours = |time: UtcMillis| {
        let minutes = (time.0 - begins.0) / MINUTE_MS;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    };
    let range = edge.bounds.map(|bounds| format!("~{}", hours(bounds.not_after))).unwrap_or_default();
    format!("{}{range}{}", hours(edge.at), if edge.inferred { "?" } else { "" })
}

/// `23 09:00 18:00~27:00? 2`: day of the month, first logon, last logoff, punches; then what is inferred and what is wrong.
fn told(found: &DaySummary) -> String {
    let [first, last] = [found.first_logon, found.last_logoff].map(|edge| time(edge, found.date));
    let mut text = format!("{} {first} {last} {}", found.date.day(), found.punches);
    if found.inferred > 0 {
        text.push_str(&format!(" inferred {}", found.inferred));
    }
    for (result, punches) in &found.errors {
        text.push_str(&format!(" res={} {punches}", result.res().unwrap()));
    }
    text
}

fn all_told(page: &Page<PersonSummary, String>) -> Vec<(&str, Vec<String>)> {
    let told = |person: &PersonSummary| person.days.iter().map(told).collect();
    page.rows.iter().map(|person| (person.employee.data.code.as_str(), told(person))).collect()
}

async fn summed(store: &dyn Store, scope: Scope, dates: (Date, Date)) -> Page<PersonSummary, String> {
    store.day_summaries(scope, None, 1000, dates).await.unwrap()
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

pub async fn a_date_has_its_first_logon_and_its_last_logoff_and_ends_at_midnight(store: &dyn Store) {
    let office = office(store).await;
    let second = Office { terminal: terminal(store, "demo", "2").await, ..office };
    office
        .receive(
            store,
            vec![
                logon(1, "hanako", at(0, 9, 0)),
                logoff(2, "hanako", at(0, 12, 0)),
                logon(3, "hanako", at(0, 13, 0)),
                logoff(4, "hanako", at(1, 0, 0)),
                logon(5, "hanako", at(2, 0, 0).plus(-1)),
            ],
        )
        .await;
    // Another account of hers on another PC, at the same time.
    second
        .receive(store, vec![logon(1, "hanako.adm", at(0, 8, 30)), logoff(2, "hanako.adm", at(0, 9, 5))])
        .await;
    link(store, &office, "hanako", "E1", (day(-1), None)).await;
    link(store, &office, "hanako.adm", "E1", (day(-1), None)).await;
    store.add_employee(office.contract, employee("E0"), act()).await.unwrap();
    let found = summed(store, office.contract.into(), (day(0), day(1))).await;
    let hers = lines(&["23 08:30 12:00 5", "24 23:59 00:00 2"]);
    assert_eq!(
        all_told(&found),
        [("E0", Vec::new()), ("E1", hers)],
        "who has no punch is there without a day"
    );
    let later = summed(store, office.contract.into(), (day(1), day(1))).await;
    assert_eq!(all_told(&later)[1].1, lines(&["24 23:59 00:00 2"]));
    let none = summed(store, office.contract.into(), (day(1), day(0))).await;
    assert!(none.rows.iter().all(|person| person.days.is_empty()), "dates the wrong way round have no day");
}

pub async fn a_punch_is_of_whom_its_account_was_on_its_date(store: &dyn Store) {
    let office = office(store).await;
    let daily = |first: u64, name: &str| {
        (0..5).map(|n| logon(first + n, name, at(n as i64, 9, 0))).collect::<Vec<_>>()
    };
    for (first, name) in [(1, "shared"), (11, "wrong"), (21, "leaver")] {
        office.receive(store, daily(first, name)).await;
    }
    link(store, &office, "shared", "E1", (day(1), Some(day(2)))).await;
    link(store, &office, "shared", "E2", (day(3), None)).await;
    link(store, &office, "wrong", "E1", (day(0), None)).await;
    let wrong = office.account(store, "wrong").await.links[0].id;
    store.end_link(office.contract, wrong, LinkEnd::Void, act()).await.unwrap();
    link(store, &office, "leaver", "E3", (day(0), None)).await;
    let leaver = store.employee_by_code(office.contract.into(), "E3".into()).await.unwrap().unwrap();
    let data = NewEmployee { active_from: Some(day(1)), active_to: Some(day(3)), ..leaver.data };
    store.change_employee(office.contract, leaver.id, data, act()).await.unwrap();
    let found = summed(store, office.contract.into(), (day(0), day(30))).await;
    let days = |days: &[i8]| days.iter().map(|day| format!("{day} 09:00 - 1")).collect::<Vec<_>>();
    assert_eq!(
        all_told(&found),
        [("E1", days(&[24, 25])), ("E2", days(&[26, 27])), ("E3", days(&[24, 25, 26]))]
    );
}

pub async fn an_estimate_is_never_taken_for_a_measured_time(store: &dyn Store) {
    let office = office(store).await;
    let events = vec![
        // Found at a start, then measured: the first is the one with a range.
        ranged(logon(1, "hanako", at(0, 7, 0)), Evidence::FoundAtStart, 1),
        logon(2, "hanako", at(0, 9, 0)),
        logoff(3, "hanako", at(0, 17, 0)),
        // The power was cut.
        ranged(logoff(4, "hanako", at(0, 18, 0)), Evidence::Inferred, 15),
        // An estimate that is no edge, and one at the same moment as a measured logoff.
        logon(5, "hanako", at(1, 9, 0)),
        ranged(logoff(6, "hanako", at(1, 10, 0)), Evidence::Inferred, 1),
        logoff(7, "hanako", at(1, 18, 0)),
        logoff(8, "hanako", at(2, 18, 0)),
        ranged(logoff(9, "hanako", at(2, 18, 0)), Evidence::Reconciled, 2),
    ];
    let mut without_range = logoff(10, "hanako", at(3, 18, 0));
    without_range.event.evidence = Evidence::Inferred;
    office.receive(store, events).await;
    office.receive(store, vec![without_range]).await;
    link(store, &office, "hanako", "E1", (day(0), None)).await;
    let found = summed(store, office.contract.into(), (day(0), day(9))).await;
    let expected = lines(&[
        "23 07:00~08:00 18:00~33:00? 4 inferred 1",
        "24 09:00 18:00 3 inferred 1",
        "25 - 18:00~20:00 2",
        "26 - 18:00? 1 inferred 1",
    ]);
    assert_eq!(all_told(&found), [("E1", expected)]);
    let exact = |number: usize| found.rows[0].days[number].last_logoff.unwrap().is_exact();
    assert_eq!([0, 1, 2, 3].map(exact), [false, true, false, false]);
}

pub async fn errors_are_told_by_their_result(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", at(0, 9, 0))]).await;
    link(store, &office, "hanako", "E1", (day(0), None)).await;
    let (pc, blocked) = (office.terminal, TerminalStatus::Blocked);
    store.set_terminal_status(office.contract, pc, blocked, act()).await.unwrap();
    let later = vec![
        logoff(2, "hanako", at(0, 18, 0)),
        logon(3, "hanako", at(1, 9, 0)),
        logoff(4, "hanako", at(1, 9, 1)),
    ];
    office.receive(store, later).await;
    let found = summed(store, office.contract.into(), (day(0), day(1))).await;
    assert_eq!(all_told(&found)[0].1, lines(&["23 09:00 18:00 2 res=6 1", "24 09:00 09:01 2 res=6 2"]));
}

pub async fn a_first_logon_that_nobody_made_is_told(store: &dyn Store) {
    let office = office(store).await;
    let of_stay = |mut incoming: IncomingEvent, logon: &str, cause: Option<&str>| {
        incoming.event.session = Some(SessionIdentity {
            boot: BootId::new("boot").unwrap(),
            session_id: "1".into(),
            logon_identity: logon.into(),
        });
        incoming.event.cause = cause.map(str::to_owned);
        incoming
    };
    let unlock = event(2, EventKind::Unlock, Some(identity("hanako")), at(0, 9, 0));
    let events = vec![
        of_stay(logon(1, "hanako", at(0, 3, 0)), "a", Some(cause::UNATTENDED)),
        of_stay(unlock, "a", Some(cause::PRESENCE_BEGINS)),
        of_stay(logon(3, "hanako", at(1, 9, 0)), "b", None),
        of_stay(logon(4, "hanako", at(1, 23, 0)), "c", Some(cause::UNATTENDED)),
        of_stay(logon(5, "hanako", at(2, 4, 0)), "d", Some(cause::UNATTENDED)),
    ];
    office.receive(store, events).await;
    link(store, &office, "hanako", "E1", (day(0), None)).await;
    let found = summed(store, office.contract.into(), (day(0), day(9))).await;
    let nobody: Vec<_> = found.rows[0].days.iter().map(|day| day.unattended).collect();
    let came: Vec<_> = nobody.iter().map(|nobody| nobody.map(|nobody| nobody.present_from)).collect();
    assert_eq!(came, [Some(Some(at(0, 9, 0))), None, Some(None)], "a later one says nothing of the first");
}

pub async fn nobody_is_summed_up_outside_of_the_scope(store: &dyn Store) {
    let office = office(store).await;
    for (number, name) in [(1, "a"), (2, "b"), (3, "c")] {
        office.receive(store, vec![logon(number, name, at(0, 9, 0))]).await;
        link(store, &office, name, name, (day(0), None)).await;
    }
    let add = async |code: &str, parent: Option<DepartmentId>| {
        let new = NewDepartment { code: code.into(), name: code.into(), parent };
        store.add_department(office.contract, new, act()).await.unwrap()
    };
    let top = add("T", None).await;
    let below = add("B", Some(top)).await;
    let people = store.list_employees(office.contract.into(), None, 9).await.unwrap();
    for (person, department) in people.iter().zip([Some(top), Some(below), None]) {
        store.set_employee_department(office.contract, person.id, department, act()).await.unwrap();
    }
    let codes = async |scope: Scope| {
        let found = summed(store, scope, (day(0), day(0))).await;
        assert!(found.rows.iter().all(|person| person.days.len() == 1));
        found.rows.into_iter().map(|person| person.employee.data.code).collect::<Vec<_>>().join(" ")
    };
    let scope = |people| Scope { contract: office.contract, people };
    assert_eq!(codes(scope(ScopedPeople::Everybody)).await, "a b c");
    assert_eq!(codes(scope(ScopedPeople::Below(top))).await, "a b");
    assert_eq!(codes(scope(ScopedPeople::Below(below))).await, "b");
    assert_eq!(codes(scope(ScopedPeople::One(people[2].id))).await, "c");
    let other = contract(store, "other").await;
    assert_eq!(codes(other.into()).await, "");
    assert_eq!(codes(Scope { contract: other, people: ScopedPeople::One(people[2].id) }).await, "");
}

pub async fn summaries_come_in_pages_of_people_and_a_month_at_most(store: &dyn Store) {
    let office = office(store).await;
    let daily = (0..40).map(|n| logon(n + 1, "hanako", at(n as i64, 9, 0)));
    office.receive(store, daily.collect()).await;
    link(store, &office, "hanako", "E2", (day(0), None)).await;
    for code in ["E1", "E3"] {
        store.add_employee(office.contract, employee(code), act()).await.unwrap();
    }
    let page = async |after: Option<&str>, limit| {
        let (scope, after) = (Scope::from(office.contract), after.map(str::to_owned));
        let found = store.day_summaries(scope, after, limit, (day(0), day(39))).await.unwrap();
        let days = |person: &PersonSummary| (person.employee.data.code.clone(), person.days.len());
        (found.rows.iter().map(days).collect::<Vec<_>>(), found.next)
    };
    let month = usize::try_from(SUMMED_DATES_MAX).unwrap();
    let of = |code: &str, days| (code.to_owned(), days);
    assert_eq!(page(None, 2).await, (vec![of("E1", 0), of("E2", month)], Some("E2".to_owned())));
    assert_eq!(page(Some("E2"), 2).await, (vec![of("E3", 0)], None));
    assert_eq!(page(Some("E1"), 1).await, (vec![of("E2", month)], Some("E2".to_owned())));
    assert_eq!(page(Some("E1x"), 9).await.0.len(), 2, "whoever is gone still tells where to go on");
    assert_eq!(page(Some("E3"), 9).await, (Vec::new(), None));
    // Dates beyond the calendar are cut to it.
    let ends = (Date::MIN, Date::MAX);
    for dates in [ends, (Date::MAX, Date::MAX), (Date::MIN, Date::MIN)] {
        let found = summed(store, office.contract.into(), dates).await;
        assert!(found.rows.iter().all(|person| person.days.is_empty()), "{dates:?}");
    }
}
