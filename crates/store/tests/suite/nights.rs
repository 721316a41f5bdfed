//! The date by which a punch is judged: a logoff in the night is of the evening on which its stay began.

use mngntime_ledger::Digest;
use mngntime_model::{BootId, EventKind, SessionIdentity, UtcMillis};
use mngntime_store::{
    ContractSettings, EmployeeChoice, EmployeeId, IncomingEvent, LinkChange, LinkRequest, NewEmployee,
    PunchFilter, Scope, ScopedPeople, Store, TerminalStatus, Why, local_date,
};
use serde_json::json;

use crate::fixture::{NOW, Office, act, day, employee, event, identity, logon, office};

const LOGON: EventKind = EventKind::Logon;
const LOGOFF: EventKind = EventKind::Logoff;
const OUTSIDE: Option<u8> = Some(7);

/// A time of today, or of another date with hours beyond it.
fn at(hour: i64, minute: i64) -> UtcMillis {
    NOW.plus(((hour - 9) * 60 + minute) * 60_000)
}

/// A punch of hanako in the stay of this name; of none, as scripts tell it.
fn punch(number: u64, stay: &str, kind: EventKind, time: UtcMillis) -> IncomingEvent {
    let mut incoming = event(number, kind, Some(identity("hanako")), time);
    incoming.event.session = (!stay.is_empty()).then(|| SessionIdentity {
        boot: BootId::new("boot").unwrap(),
        session_id: "1".into(),
        logon_identity: stay.to_owned(),
    });
    incoming
}

/// Hanako, whose link ends with today.
async fn last_day(store: &dyn Store) -> Office {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", at(9, 0))]).await;
    let request = office.request(store, "hanako", day(-30), Some(day(0))).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    office
}

/// `res` of her punches, by number, and how many days after today they are judged by.
async fn judged(store: &dyn Store, office: &Office) -> Vec<(u64, Option<u8>, i64)> {
    let mut all: Vec<_> = office
        .list(store, PunchFilter::default())
        .await
        .iter()
        .map(|punch| {
            let days = (punch.date - day(0)).get_days();
            (punch.sequence, punch.result.res(), i64::from(days))
        })
        .collect();
    all.sort_unstable();
    all
}

pub async fn the_last_night_of_a_link_is_of_its_last_date(store: &dyn Store) {
    let office = last_day(store).await;
    let results = async |events| office.results(store, events).await;
    let night = vec![punch(2, "a", LOGON, at(20, 0)), punch(3, "a", LOGOFF, at(25, 30))];
    assert_eq!(results(night.clone()).await, [None, None]);
    assert_eq!(results(night).await, [None, None], "the same once more");
    let to_the_boundary = vec![punch(4, "b", LOGON, at(22, 0)), punch(5, "b", LOGOFF, at(28, 59))];
    assert_eq!(results(to_the_boundary).await, [None, None]);
    let beyond_it = vec![punch(6, "c", LOGON, at(22, 0)), punch(7, "c", LOGOFF, at(29, 0))];
    assert_eq!(results(beyond_it).await, [None, OUTSIDE]);
    let after_midnight = vec![punch(8, "d", LOGON, at(24, 0)), punch(9, "d", LOGOFF, at(26, 0))];
    assert_eq!(results(after_midnight).await, [OUTSIDE, OUTSIDE], "nobody begins with what is not theirs");
    let scripts = vec![punch(10, "", LOGON, at(21, 0)), punch(11, "", LOGOFF, at(24, 10))];
    assert_eq!(results(scripts).await, [None, None]);
    let alone = vec![punch(12, "e", LOGOFF, at(25, 0))];
    assert_eq!(results(alone).await, [OUTSIDE], "of a stay of which nothing is known");
    let filter = PunchFilter { errors_only: true, ..PunchFilter::default() };
    let errors: Vec<u64> = office.list(store, filter).await.iter().map(|punch| punch.sequence).collect();
    assert_eq!(errors.len(), 4, "{errors:?}");
}

pub async fn a_logon_that_comes_after_its_logoff_puts_its_date_right(store: &dyn Store) {
    let office = last_day(store).await;
    let logoffs = vec![punch(2, "a", LOGOFF, at(25, 30)), punch(3, "b", LOGOFF, at(25, 40))];
    assert_eq!(office.results(store, logoffs).await, [OUTSIDE, OUTSIDE]);
    let logons = vec![punch(4, "a", LOGON, at(20, 0)), punch(5, "b", LOGON, at(24, 30))];
    assert_eq!(office.results(store, logons).await, [None, OUTSIDE]);
    let expected = [(1, None, 0), (2, None, 0), (3, OUTSIDE, 1), (4, None, 0), (5, OUTSIDE, 1)];
    assert_eq!(judged(store, &office).await, expected);
    let found = store.punch(office.contract.into(), office.terminal, 2).await.unwrap().unwrap();
    let history: Vec<_> = found.history.iter().map(|judgement| judgement.result.res()).collect();
    assert_eq!(history, [OUTSIDE, None], "and it is said that it was judged otherwise");
}

pub async fn previews_and_later_judgements_go_by_the_same_date(store: &dyn Store) {
    let office = last_day(store).await;
    office.receive(store, vec![punch(2, "a", LOGON, at(20, 0)), punch(3, "a", LOGOFF, at(25, 30))]).await;
    let account = office.account(store, "hanako").await;
    let (contract, link) = (office.contract, account.links[0].clone());
    let end = |days| LinkChange::End { link: link.id, last: day(days) };
    let preview = async |change| store.preview_change(contract, account.id, change).await.unwrap();
    assert_eq!(preview(end(0)).await.rejudged.results, 0);
    assert_eq!(preview(end(-1)).await.errors, 3, "the evening with its end");
    let left = |days| NewEmployee { active_to: Some(day(days)), ..employee("hanako") };
    let employment =
        async |days| store.preview_employee(contract, link.employee, left(days)).await.unwrap().errors;
    assert_eq!((employment(0).await, employment(-1).await), (0, 3));
    store.change_links(contract, account.id, end(-1), act()).await.unwrap();
    assert_eq!(judged(store, &office).await, [(1, OUTSIDE, 0), (2, OUTSIDE, 0), (3, OUTSIDE, 0)]);
    let other = EmployeeChoice::Existing(link.employee);
    let wanted = LinkRequest { account: account.id, employee: other, from: day(0), to: Some(day(0)) };
    let waiting = store.preview_each_link(contract, vec![wanted]).await.unwrap().remove(0);
    assert_eq!((waiting.punches, waiting.days, waiting.span), (3, 1, Some((day(0), day(0)))));
    let again = LinkChange::Assign { employee: link.employee, from: day(0), to: Some(day(0)) };
    store.change_links(contract, account.id, again, act()).await.unwrap();
    assert_eq!(judged(store, &office).await, [(1, None, 0), (2, None, 0), (3, None, 0)]);
}

pub async fn a_contracts_own_boundary_says_until_when_a_night_lasts(store: &dyn Store) {
    let office = last_day(store).await;
    let chosen = ContractSettings { day_begins_minutes: Some(60), ..ContractSettings::default() };
    store.change_settings(office.contract, "demo".to_owned(), chosen, act()).await.unwrap();
    let until = |number: u64, stay: &str, minute| {
        vec![punch(number, stay, LOGON, at(20, 0)), punch(number + 1, stay, LOGOFF, at(24, minute))]
    };
    assert_eq!(office.results(store, until(2, "a", 59)).await, [None, None]);
    assert_eq!(office.results(store, until(4, "b", 60)).await, [None, OUTSIDE]);
}

async fn chosen(store: &dyn Store, office: &Office, minutes: u16) {
    let chosen = ContractSettings { day_begins_minutes: Some(minutes), ..ContractSettings::default() };
    store.change_settings(office.contract, "demo".to_owned(), chosen, act()).await.unwrap();
}

/// Until nothing is left; how many pieces it took.
async fn redated(store: &dyn Store, office: &Office) -> usize {
    let mut pieces = 0;
    while store.contracts_to_redate(300).await.unwrap().contains(&office.contract) {
        store.redate_some(office.contract, 300, NOW).await.unwrap();
        pieces += 1;
    }
    pieces
}

pub async fn another_boundary_moves_the_dates_that_are_kept_and_judges_by_them(store: &dyn Store) {
    let office = last_day(store).await;
    assert_eq!(redated(store, &office).await, 1, "a contract that was never looked at");
    assert_eq!(redated(store, &office).await, 0);
    let night = [(2, "a", LOGON, at(22, 0)), (3, "a", LOGOFF, at(30, 0)), (4, "b", LOGOFF, at(30, 1))];
    office.receive(store, night.map(|(n, stay, kind, time)| punch(n, stay, kind, time)).to_vec()).await;
    let cut = [(1, None, 0), (2, None, 0), (3, OUTSIDE, 1), (4, OUTSIDE, 1)];
    assert_eq!(judged(store, &office).await, cut);
    chosen(store, &office, 420).await;
    assert_eq!(judged(store, &office).await, cut, "a million of them are not for one transaction");
    assert_eq!(redated(store, &office).await, 1);
    let whole = [(1, None, 0), (2, None, 0), (3, None, 0), (4, OUTSIDE, 1)];
    assert_eq!(judged(store, &office).await, whole, "no logon of it is known");
    let found = store.punch(office.contract.into(), office.terminal, 3).await.unwrap().unwrap();
    let history: Vec<_> = found.history.iter().map(|entry| (entry.result.res(), entry.why)).collect();
    assert_eq!(history, [(OUTSIDE, Why::Received), (None, Why::BoundaryChanged)]);
    assert_eq!(found.history[1].by, act().by, "whoever chose it");
    // To the minute: what ends with the boundary is of its own date.
    chosen(store, &office, 360).await;
    redated(store, &office).await;
    assert_eq!(judged(store, &office).await, cut);
    chosen(store, &office, 361).await;
    redated(store, &office).await;
    assert_eq!(judged(store, &office).await, whole);
}

pub async fn a_boundary_that_changes_again_before_all_is_looked_at_leaves_nothing_out(store: &dyn Store) {
    let office = last_day(store).await;
    redated(store, &office).await;
    let nights = (0..150).flat_map(|n: i64| {
        let (number, stay) = (u64::try_from(n).unwrap_or_default() * 2 + 2, format!("stay-{n}"));
        let evening = 22 - 24 * (150 - n);
        [punch(number, &stay, LOGON, at(evening, 0)), punch(number + 1, &stay, LOGOFF, at(evening + 8, 0))]
    });
    for some in nights.collect::<Vec<_>>().chunks(100) {
        office.receive(store, some.to_vec()).await;
    }
    chosen(store, &office, 420).await;
    assert!(
        !store.redate_some(office.contract, 300, NOW).await.unwrap(),
        "a hundred dates are done, fifty are left"
    );
    // Between these two lies no logoff at all, and the hundred are to go back.
    chosen(store, &office, 300).await;
    assert_eq!(redated(store, &office).await, 2);
    let moved = async || {
        let all = office.list(store, PunchFilter::default()).await;
        all.iter().filter(|punch| punch.kind == LOGOFF && punch.date != local_date(punch.occurred_at)).count()
    };
    assert_eq!(moved().await, 0);
    let told = async || {
        let entries = store.audit_log(Some(office.contract), None, 99).await.unwrap();
        let redated = entries.into_iter().filter(|entry| entry.action == "redate_nights");
        redated.map(|entry| serde_json::from_str(&entry.detail).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    // The first of the hundred dates is that of a night's beginning.
    let moved_by = |boundary| json!({"day_begins_minutes": boundary, "moved": 99, "judged": 0});
    let mut left = moved_by(420);
    left["left_for_minutes"] = 300.into();
    assert_eq!(told().await, [moved_by(300), left], "no entry adds moves there and back");
    // The server's own boundary, for contracts that have chosen none.
    let none = ContractSettings::default();
    store.change_settings(office.contract, "demo".to_owned(), none, act()).await.unwrap();
    assert_eq!(store.contracts_to_redate(300).await.unwrap(), []);
    assert_eq!(store.contracts_to_redate(420).await.unwrap(), [office.contract]);
    while !store.redate_some(office.contract, 420, NOW).await.unwrap() {}
    assert_eq!(store.contracts_to_redate(420).await.unwrap(), []);
    assert_eq!(moved().await, 150);
    assert_eq!(told().await[0], json!({"day_begins_minutes": 420, "moved": 150, "judged": 1}));
}

pub async fn dates_are_counted_with_the_nights_that_end_them(store: &dyn Store) {
    let office = last_day(store).await;
    let events = [
        // Of the night before the first date, of a night, beyond the boundary, and in the evening.
        (2, "z", LOGOFF, at(1 - 24 * 3, 0)),
        (3, "a", LOGON, at(22 - 48, 0)),
        (4, "a", LOGOFF, at(28 - 48, 59)),
        (5, "b", LOGOFF, at(5, 0)),
    ];
    office.receive(store, events.map(|(n, stay, kind, time)| punch(n, stay, kind, time)).to_vec()).await;
    let id = store.list_employees(office.contract.into(), None, 9).await.unwrap()[0].id;
    let dates = async |first: i64, boundary| {
        let span = (at(24 * first, 0), at(24, 0));
        store.punched(office.contract, vec![id], span, boundary).await.unwrap()[0].dates
    };
    assert_eq!(dates(-3, 300).await, 3, "a logoff without its logon is of its own date");
    assert_eq!(dates(-2, 300).await, 2, "the day before yesterday and today");
    assert_eq!(dates(-3, 0).await, 4, "each by its own date");
    assert_eq!(dates(-3, 301).await, 3, "what is kept counts until it is put right");
}

pub async fn who_is_there_after_midnight_only_is_there_on_one_date(store: &dyn Store) {
    let office = last_day(store).await;
    let stay = [(2, "a", LOGON, at(-48, 30)), (3, "a", LOGOFF, at(-46, 0))];
    office.receive(store, stay.map(|(n, stay, kind, time)| punch(n, stay, kind, time)).to_vec()).await;
    let id = store.list_employees(office.contract.into(), None, 9).await.unwrap()[0].id;
    let dates = async |first: i64, last: i64| {
        let span = (at(24 * first, 0), at(24 * (last + 1), 0));
        store.punched(office.contract, vec![id], span, 300).await.unwrap()[0].dates
    };
    assert_eq!(dates(-3, -1).await, 1, "no night of the day before");
    assert_eq!([dates(-3, -3).await, dates(-2, -2).await, dates(-1, -1).await], [0, 1, 0]);
    // The logon of an evening comes late, and makes it a night.
    office.receive(store, vec![punch(4, "a", LOGON, at(-50, 0))]).await;
    assert_eq!([dates(-3, -3).await, dates(-2, -2).await, dates(-1, -1).await], [1, 1, 0]);
}

/// Hanako's account, which is Jiro's from tomorrow on, and both of them.
async fn hand_over(store: &dyn Store) -> (Office, [EmployeeId; 2]) {
    let office = last_day(store).await;
    let account = office.account(store, "hanako").await.id;
    let other = EmployeeChoice::New(employee("jiro"));
    let request = LinkRequest { account, employee: other, from: day(1), to: None };
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let of = async |code: &str| {
        store.employee_by_code(office.contract.into(), code.into()).await.unwrap().unwrap()
    };
    let people = [of("hanako").await.id, of("jiro").await.id];
    (office, people)
}

pub async fn the_night_of_a_hand_over_is_of_who_began_it(store: &dyn Store) {
    let (office, [hanako, jiro]) = hand_over(store).await;
    let night = vec![
        punch(2, "a", LOGON, at(20, 0)),
        punch(3, "a", LOGOFF, at(25, 30)),
        punch(4, "b", LOGON, at(26, 0)),
        punch(5, "b", LOGOFF, at(27, 0)),
    ];
    // What is asked about an event goes by its bytes.
    let told = |incoming: IncomingEvent| {
        let (number, key) = (incoming.event.sequence, identity("hanako").key);
        let json = format!(r#"{{"seq":{number},"account":{{"key":"{key}"}}}}"#);
        IncomingEvent { digest: Digest::of(json.as_bytes()), json, ..incoming }
    };
    assert_eq!(office.results(store, night.into_iter().map(told).collect()).await, [None; 4]);
    let whose = async |number: u64| {
        store.event(office.contract.into(), office.terminal, number).await.unwrap().unwrap().employee
    };
    assert_eq!([whose(2).await, whose(3).await], [Some(hanako), Some(hanako)], "the evening's end is hers");
    assert_eq!([whose(4).await, whose(5).await], [Some(jiro), Some(jiro)]);
    let reach = |who| Scope { contract: office.contract, people: ScopedPeople::One(who) };
    let seen = async |who| store.event(reach(who), office.terminal, 3).await.unwrap().is_some();
    assert_eq!((seen(hanako).await, seen(jiro).await), (true, false), "nobody sees what is another's");
    let span = (at(0, 0), at(48, 0));
    let found = store.punched(office.contract, vec![hanako, jiro], span, 300).await.unwrap();
    assert_eq!([found[0].dates, found[1].dates], [1, 1]);
}

pub async fn the_end_of_the_last_night_counts_with_its_error_on_its_date(store: &dyn Store) {
    let (office, [hanako, jiro]) = hand_over(store).await;
    // She has been there since the evening before; the end of her last night comes from a blocked PC.
    let days = async |people: Vec<EmployeeId>| {
        let span = (at(-48, 0), at(48, 0));
        let found = store.punched(office.contract, people, span, 300).await.unwrap();
        found.iter().map(|found| [found.dates, found.error_dates, found.outside_dates]).collect::<Vec<_>>()
    };
    office.receive(store, vec![punch(2, "a", LOGON, at(-4, 0))]).await;
    assert_eq!(days(vec![hanako, jiro]).await, [[2, 0, 0], [0, 0, 0]]);
    let blocked = TerminalStatus::Blocked;
    store.set_terminal_status(office.contract, office.terminal, blocked, act()).await.unwrap();
    office.receive(store, vec![punch(3, "a", LOGOFF, at(25, 0))]).await;
    assert_eq!(days(vec![hanako, jiro]).await, [[2, 1, 0], [0, 0, 0]], "of her last date, of no other");
    let left = NewEmployee { active_to: Some(day(0)), ..employee("hanako") };
    store.change_employee(office.contract, hanako, left, act()).await.unwrap();
    assert_eq!(days(vec![hanako, jiro]).await, [[2, 1, 0], [0, 0, 0]], "also when she leaves with it");
    let sooner = NewEmployee { active_to: Some(day(-1)), ..employee("hanako") };
    store.change_employee(office.contract, hanako, sooner, act()).await.unwrap();
    assert_eq!(days(vec![hanako]).await, [[1, 0, 1]], "outside of the employment");
}
