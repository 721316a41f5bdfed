//! Files with links and employees: whom their lines mean, and that the look says what the deed does.

use jiff::civil::Date;
use mngntime_model::{AccountIdentity, EventKind, PunchResult};
use mngntime_store::giving_way::Rest;
use mngntime_store::{
    AccountFilter, EmployeeChoice, EmployeeColumns, LineFate, LineProblem, LinkChange, LinkLine, LinkRequest,
    NewDepartment, NewEmployee, PunchFilter, Rejudging, Store, TerminalStatus,
};

use crate::fixture::{DAY_MS, Dice, NOW, Office, act, day, employee, event, logon, office};

const ALL: EmployeeColumns = EmployeeColumns::ALL;

fn line(employee: &str) -> LinkLine {
    LinkLine {
        domain: String::new(),
        user: String::new(),
        key: String::new(),
        upn: String::new(),
        employee: employee.into(),
        from: day(0),
        to: None,
    }
}

pub async fn a_line_means_an_account_by_its_key_its_name_or_its_upn(store: &dyn Store) {
    let office = office(store).await;
    let account = |key: &str, domain: &str, name: &str, upn: Option<&str>| AccountIdentity {
        key: key.into(),
        domain: domain.into(),
        name: name.into(),
        upn: upn.map(str::to_owned),
    };
    let accounts = [
        account("S-1", "EXAMPLE", "Hanako", Some("h.yamada@example.com")),
        account("S-2", "EXAMPLE", "admin", None),
        account("S-3", "PC-3", "ADMIN", None),
        account("S-4", "EXAMPLE", "s-1", None),
        account("S-5", "EXAMPLE", "twice", Some("both@example.com")),
        account("S-6", "PC-6", "six", Some("Both@example.com")),
    ];
    let events =
        (1..).zip(accounts).map(|(n, account)| event(n, EventKind::Logon, Some(account), NOW)).collect();
    office.receive(store, events).await;
    store.add_employee(office.contract, employee("E1"), act()).await.unwrap();
    let fate =
        async |line: LinkLine| store.check_links(office.contract, vec![line]).await.unwrap().fates.remove(0);
    let plain = || line("E1");
    for good in [
        LinkLine { key: "S-1".into(), user: "nobody".into(), ..plain() },
        LinkLine { user: "hanako".into(), ..plain() },
        LinkLine { user: "Ｈａｎａｋｏ".into(), ..plain() },
        LinkLine { domain: "example".into(), user: "ADMIN".into(), ..plain() },
        LinkLine { user: "pc-3\\admin".into(), ..plain() },
        LinkLine { upn: "H.Yamada@example.com".into(), ..plain() },
        LinkLine { user: "h.yamada@EXAMPLE.com".into(), ..plain() },
        // The key of one is the name of another: the key wins.
        LinkLine { user: "S-1".into(), ..plain() },
    ] {
        assert_eq!(fate(good.clone()).await, LineFate::New, "{good:?}");
    }
    let no_account = LineFate::Wrong(LineProblem::NoAccount);
    let several = LineFate::Wrong(LineProblem::SeveralAccounts);
    let no_employee = LineFate::Wrong(LineProblem::NoEmployee("E2".into()));
    for (bad, expected) in [
        (LinkLine { key: "hanako".into(), ..plain() }, &no_account),
        (LinkLine { domain: "PC-3".into(), user: "hanako".into(), ..plain() }, &no_account),
        (plain(), &no_account),
        (LinkLine { user: "admin".into(), ..plain() }, &several),
        (LinkLine { upn: "both@EXAMPLE.com".into(), ..plain() }, &several),
        (LinkLine { user: "hanako".into(), ..line("E2") }, &no_employee),
        (
            LinkLine { user: "hanako".into(), to: Some(day(-1)), ..plain() },
            &LineFate::Wrong(LineProblem::DatesReversed),
        ),
    ] {
        assert_eq!(fate(bad.clone()).await, *expected, "{bad:?}");
    }
    let many = vec![line("E1"); 10_001];
    assert!(store.check_links(office.contract, many).await.is_err());
}

pub async fn lines_of_a_file_of_links_do_not_contradict_each_other(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW), logon(2, "taro", NOW)]).await;
    for code in ["E1", "E2"] {
        store.add_employee(office.contract, employee(code), act()).await.unwrap();
    }
    let of =
        |code: &str, from: Date, to: Option<Date>| LinkLine { user: "hanako".into(), from, to, ..line(code) };
    let first = vec![of("E1", day(0), Some(day(9)))];
    store.import_links(office.contract, first, false, act()).await.unwrap();
    let lines = vec![
        of("E1", day(0), Some(day(9))),
        of("E2", day(9), None),
        of("E2", day(10), None),
        of("E2", day(10), None),
        of("E1", day(20), None),
    ];
    let taken = store.import_links(office.contract, lines.clone(), false, act()).await.unwrap();
    let expected = [
        LineFate::Unchanged,
        LineFate::Wrong(LineProblem::Overlaps("E1".into())),
        LineFate::New,
        LineFate::Unchanged,
        LineFate::Wrong(LineProblem::Contradicts(2)),
    ];
    assert_eq!((taken.fates.as_slice(), taken.written), (expected.as_slice(), false));
    let taken = store.import_links(office.contract, lines, true, act()).await.unwrap();
    assert!(taken.written);
    assert_eq!(office.account(store, "hanako").await.links.len(), 2);
}

pub async fn a_line_takes_over_from_whoever_has_left_and_from_nobody_else(store: &dyn Store) {
    let office = office(store).await;
    let days = [-20, -5, 0];
    let events = (1..).zip(days).map(|(n, day)| logon(n, "pool", NOW.plus(day * DAY_MS)));
    office.receive(store, events.collect()).await;
    let gone = NewEmployee { active_to: Some(day(-10)), ..employee("E6") };
    for new in [gone, employee("E7"), employee("E8")] {
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    let of =
        |code: &str, from: Date, to: Option<Date>| LinkLine { user: "pool".into(), from, to, ..line(code) };
    let old = vec![of("E6", day(-30), None)];
    store.import_links(office.contract, old, false, act()).await.unwrap();
    let overlaps = |code: &str| LineFate::Wrong(LineProblem::Overlaps(code.into()));
    let fate =
        async |line: LinkLine| store.check_links(office.contract, vec![line]).await.unwrap().fates.remove(0);
    assert_eq!(fate(of("E7", day(-10), None)).await, overlaps("E6"), "their last date is theirs");
    assert_eq!(fate(of("E7", day(-40), None)).await, overlaps("E6"), "it would take all of it");
    assert_eq!(fate(of("E6", day(-9), None)).await, overlaps("E6"), "it is the same person");
    // The later one first: what it leaves of the old link is still to be handed over.
    let lines = vec![of("E8", day(-2), None), of("E7", day(-8), Some(day(-3))), of("E7", day(-2), None)];
    let look = store.check_links(office.contract, lines.clone()).await.unwrap();
    let handed = |last: i64| LineFate::HandedOver {
        code: "E6".into(),
        rest: Rest { last: Some(day(last)), first: None },
    };
    let expected = [handed(-3), handed(-9), LineFate::Wrong(LineProblem::Contradicts(0))];
    assert_eq!((look.fates.as_slice(), look.rejudging.cured), (expected.as_slice(), 2));
    let subject = &look.subjects[1];
    assert_eq!(subject.account.as_deref(), Some("EXAMPLE\\pool"));
    assert_eq!(subject.employee.as_deref(), Some(employee("E7").name.as_str()));
    let done = store.import_links(office.contract, lines.clone(), true, act()).await.unwrap();
    assert_eq!((done.fates, done.rejudged), (look.fates, 2));
    let links: Vec<_> = office.account(store, "pool").await.links.into_iter().collect();
    let links: Vec<_> = links.iter().map(|link| (link.employee_code.as_str(), link.from, link.to)).collect();
    assert_eq!(
        links,
        [("E6", day(-30), Some(day(-9))), ("E7", day(-8), Some(day(-3))), ("E8", day(-2), None)]
    );
    assert_eq!(standing(store, &office).await, (3, 0));
    let again = store.import_links(office.contract, lines[..2].to_vec(), false, act()).await.unwrap();
    assert_eq!(again.fates, [LineFate::Unchanged, LineFate::Unchanged]);
    assert_eq!(fate(of("E6", day(9), None)).await, overlaps("E8"), "who is here is taken nothing from");
}

pub async fn a_line_takes_over_from_whoever_comes_later_and_gives_back_what_is_theirs(store: &dyn Store) {
    let office = office(store).await;
    let days = [-20, -12, -5];
    let events = (1..).zip(days).map(|(n, day)| logon(n, "pool", NOW.plus(day * DAY_MS)));
    office.receive(store, events.collect()).await;
    let comes = NewEmployee { active_from: Some(day(-10)), ..employee("E6") };
    for new in [comes, employee("E7"), employee("E8")] {
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    let of =
        |code: &str, from: Date, to: Option<Date>| LinkLine { user: "pool".into(), from, to, ..line(code) };
    let old = vec![of("E6", day(-20), None)];
    store.import_links(office.contract, old, false, act()).await.unwrap();
    assert_eq!(standing(store, &office).await, (1, 2));
    let lines = vec![
        of("E7", day(-20), Some(day(-15))),
        of("E8", day(-12), Some(day(-11))),
        of("E8", day(-11), Some(day(-10))),
        of("E6", day(-13), Some(day(-13))),
    ];
    let look = store.check_links(office.contract, lines.clone()).await.unwrap();
    let handed = |last: Option<i64>, first: i64| LineFate::HandedOver {
        code: "E6".into(),
        rest: Rest { last: last.map(day), first: Some(day(first)) },
    };
    let overlaps = || LineFate::Wrong(LineProblem::Overlaps("E6".into()));
    let expected = [handed(None, -14), handed(Some(-13), -10), overlaps(), overlaps()];
    assert_eq!((look.fates.as_slice(), look.rejudging.cured), (expected.as_slice(), 2));
    let done = store.import_links(office.contract, lines.clone(), true, act()).await.unwrap();
    assert_eq!((done.fates, done.rejudged), (look.fates, 2));
    let links = office.account(store, "pool").await.links;
    let links: Vec<_> = links.iter().map(|link| (link.employee_code.as_str(), link.from, link.to)).collect();
    let expected = [
        ("E7", day(-20), Some(day(-15))),
        ("E6", day(-14), Some(day(-13))),
        ("E8", day(-12), Some(day(-11))),
        ("E6", day(-10), None),
    ];
    assert_eq!(links, expected);
    assert_eq!(standing(store, &office).await, (3, 0));
    let again = store.import_links(office.contract, lines[..2].to_vec(), false, act()).await.unwrap();
    assert_eq!(again.fates, [LineFate::Unchanged, LineFate::Unchanged]);
    let theirs = store.check_links(office.contract, vec![of("E7", day(-10), Some(day(-10)))]).await.unwrap();
    assert_eq!(theirs.fates, [overlaps()], "their first day");
}

pub async fn who_is_added_is_shown_as_stored_and_beside_a_code_in_other_case(store: &dyn Store) {
    let office = office(store).await;
    let department = NewDepartment { code: "S".into(), name: "総務部".into(), parent: None };
    store.add_department(office.contract, department, act()).await.unwrap();
    store.add_employee(office.contract, employee("E0004"), act()).await.unwrap();
    let new = |code: &str| NewEmployee { department: Some("S".into()), ..employee(code) };
    let lines = vec![employee("E0004"), new("e0004"), new("E5")];
    let look = store.check_employees(office.contract, lines, ALL, day(0)).await.unwrap();
    let made: Vec<_> = look.made.iter().map(|(place, new)| (*place, new.department.as_deref())).collect();
    assert_eq!(made, [(1, Some("総務部")), (2, Some("総務部"))]);
    assert_eq!(look.alike.into_iter().collect::<Vec<_>>(), [(1, "E0004".to_owned())]);
}

pub async fn what_a_file_of_employees_lacks_stays(store: &dyn Store) {
    let office = office(store).await;
    let department = NewDepartment { code: "S".into(), name: "総務部".into(), parent: None };
    store.add_department(office.contract, department, act()).await.unwrap();
    let known = NewEmployee {
        kana: Some("ヤマダ".into()),
        department: Some("総務部".into()),
        active_from: Some(day(-9)),
        active_to: Some(day(9)),
        ..employee("E1")
    };
    store.add_employee(office.contract, known.clone(), act()).await.unwrap();
    let new = NewEmployee { name: "改名".into(), ..employee("E1") };
    let columns = EmployeeColumns { kana: true, ..EmployeeColumns::default() };
    let expected = NewEmployee { name: "改名".into(), kana: None, ..known.clone() };
    let found = store.check_employees(office.contract, vec![new.clone()], columns, day(0)).await.unwrap();
    let [LineFate::Changed(change)] = found.fates.as_slice() else { panic!("{found:?}") };
    assert_eq!((&change.before, &change.after), (&known, &expected));
    store.import_employees(office.contract, vec![new], columns, false, false, act()).await.unwrap();
    let all = store.list_employees(office.contract.into(), None, 9).await.unwrap();
    assert!(all.len() == 1 && all[0].data == expected, "{all:?}");
    // What is filled in counts when the dates are looked at.
    let from = EmployeeColumns { from: true, ..EmployeeColumns::default() };
    let late = NewEmployee { active_from: Some(day(10)), ..expected };
    let found = store.check_employees(office.contract, vec![late], from, day(0)).await.unwrap();
    assert_eq!(found.fates, [LineFate::Wrong(LineProblem::EmploymentReversed)]);
    let many = vec![employee("E1"); 10_001];
    assert!(store.check_employees(office.contract, many, ALL, day(0)).await.is_err());
}

/// Days on which somebody is employed, or on which a link counts: any, half of them open.
fn dates(dice: &mut Dice) -> (Option<Date>, Option<Date>) {
    let from = dice.below(20) - 10;
    let to = from + dice.below(15);
    (Some(day(from)).filter(|_| dice.below(2) == 0), Some(day(to)).filter(|_| dice.below(2) == 0))
}

/// Five accounts with punches on forty days, some of them of a PC that was blocked; five employees with any dates;
/// some accounts have been linked.
async fn any_office(store: &dyn Store, dice: &mut Dice) -> Office {
    let office = office(store).await;
    let mut sequence = 0;
    for batch in 0..3 {
        let status = if batch == 1 { TerminalStatus::Blocked } else { TerminalStatus::Active };
        store.set_terminal_status(office.contract, office.terminal, status, act()).await.unwrap();
        let events = (0..40).map(|_| {
            sequence += 1;
            let at = NOW.plus((dice.below(40) - 20) * DAY_MS + dice.below(DAY_MS));
            logon(sequence, &format!("user{}", dice.below(5)), at)
        });
        office.receive(store, events.collect()).await;
    }
    for n in 0..5 {
        let (active_from, active_to) = dates(dice);
        let new = NewEmployee { active_from, active_to, ..employee(&format!("E{n}")) };
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    for _ in 0..6 {
        let line = any_line(dice);
        store.import_links(office.contract, vec![line], true, act()).await.unwrap();
    }
    office
}

fn any_line(dice: &mut Dice) -> LinkLine {
    let (from, to) = dates(dice);
    LinkLine {
        user: format!("user{}", dice.below(5)),
        from: from.unwrap_or(day(-15)),
        to,
        ..line(&format!("E{}", dice.below(5)))
    }
}

/// Punches that are accepted, and those with res=7.
async fn standing(store: &dyn Store, office: &Office) -> (u64, u64) {
    let all = office.punches(store).await;
    let count = |res| all.iter().filter(|(_, found)| *found == res).count() as u64;
    (count(None), count(Some(7)))
}

pub async fn what_a_file_would_change_in_punches_is_what_it_changes(store: &dyn Store) {
    let dice = &mut Dice(7);
    let office = any_office(store, dice).await;
    let mut seen = (0, 0);
    for _ in 0..12 {
        let before = standing(store, &office).await;
        let lines: Vec<_> = (0..5)
            .map(|n| {
                let (active_from, active_to) = dates(dice);
                NewEmployee { active_from, active_to, ..employee(&format!("E{n}")) }
            })
            .collect();
        let look = store.check_employees(office.contract, lines.clone(), ALL, day(0)).await.unwrap();
        assert_eq!(standing(store, &office).await, before, "a look changes nothing");
        let done = store.import_employees(office.contract, lines, ALL, true, false, act()).await.unwrap();
        let after = standing(store, &office).await;
        let expected = (before.0 + look.rejudging.cured - look.rejudging.errors, before.0 + before.1);
        assert_eq!((after.0, after.0 + after.1), expected, "{look:?}");
        assert_eq!((done.fates, done.rejudged), (look.fates.clone(), look.rejudging.changed()));
        seen = (seen.0 + look.rejudging.cured, seen.1 + look.rejudging.errors);
        // The same with links.
        let lines: Vec<_> = (0..4).map(|_| any_line(dice)).collect();
        let look = store.check_links(office.contract, lines.clone()).await.unwrap();
        let done = store.import_links(office.contract, lines, true, act()).await.unwrap();
        let linked = standing(store, &office).await;
        assert_eq!(linked, (after.0 + look.rejudging.cured, after.1 - look.rejudging.cured), "{look:?}");
        assert_eq!((done.fates, done.rejudged), (look.fates, look.rejudging.changed()));
    }
    assert!(seen.0 > 20 && seen.1 > 20, "both ways: {seen:?}");
}

pub async fn what_lacks_a_department_is_counted_apart(store: &dyn Store) {
    let office = office(store).await;
    office.receive(store, vec![logon(1, "hanako", NOW), logon(2, "taro", NOW)]).await;
    for name in ["hanako", "taro"] {
        let request = office.request(store, name, day(-1), None).await;
        store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    }
    let gone = |code: &str, department: Option<&str>| NewEmployee {
        department: department.map(str::to_owned),
        active_to: Some(day(-1)),
        ..employee(code)
    };
    let lines = vec![gone("hanako", None), gone("taro", Some("新設部"))];
    let one = Rejudging { errors: 1, cured: 0 };
    let look = store.check_employees(office.contract, lines.clone(), ALL, day(0)).await.unwrap();
    assert_eq!((look.rejudging, look.with_departments), (one, one));
    let done = store.import_employees(office.contract, lines, ALL, false, true, act()).await.unwrap();
    assert_eq!((done.written, done.rejudged), (true, 2));
}

pub async fn what_links_would_change_is_what_they_change(store: &dyn Store) {
    let dice = &mut Dice(11);
    let office = any_office(store, dice).await;
    let (mut cured, mut outside) = (0, 0);
    for round in 0..40 {
        let before = standing(store, &office).await;
        let user = format!("user{}", dice.below(5));
        let account = office.account(store, &user).await;
        if dice.below(2) == 0
            && let Some(link) = account.links.first()
        {
            let change = LinkChange::Void { link: link.id };
            let look = store.preview_change(office.contract, account.id, change).await.unwrap();
            let done = store.change_links(office.contract, account.id, change, act()).await.unwrap();
            let after = standing(store, &office).await;
            assert_eq!((done, after.0), (look.rejudged, before.0 + look.cured - look.errors));
            continue;
        }
        let (from, to) = dates(dice);
        let (active_from, active_to) = dates(dice);
        let from = from.unwrap_or(day(-15));
        let new = NewEmployee { active_from, active_to, ..employee(&format!("N{round}")) };
        let employee = EmployeeChoice::New(new);
        let request = LinkRequest { account: account.id, employee, from, to };
        let look = store.preview_each_link(office.contract, vec![request.clone()]).await.unwrap().remove(0);
        let Ok(done) = store.link_accounts(office.contract, vec![request], act()).await else {
            assert_eq!(standing(store, &office).await, before);
            continue;
        };
        assert_eq!(done.rejudged, look.punches);
        assert_eq!(
            standing(store, &office).await,
            (before.0 + look.punches, before.1 - look.punches),
            "{look:?}"
        );
        assert_eq!(office.account(store, &user).await.waiting, account.waiting - look.punches);
        // What stays an error on the link's own dates is what the look called outside.
        let of_account =
            PunchFilter { account: Some(account.id), errors_only: true, ..PunchFilter::default() };
        let left = office.list(store, of_account).await.into_iter().filter(|punch| {
            let date = mngntime_store::local_date(punch.occurred_at);
            punch.result == PunchResult::UserUnusable && from <= date && to.is_none_or(|to| date <= to)
        });
        assert_eq!(left.count() as u64, look.outside, "{look:?}");
        (cured, outside) = (cured + look.punches, outside + look.outside);
    }
    assert!(cured > 10 && outside > 10, "{cured} {outside}");
}

pub async fn a_long_file_of_links_is_taken_in_piece_by_piece_and_finished_by_taking_it_again(
    store: &dyn Store,
) {
    const USERS: usize = 1_003;
    let office = office(store).await;
    let name = |n: usize| format!("u{n}");
    let events: Vec<_> = (0..USERS).map(|n| logon(n as u64 + 1, &name(n), NOW)).collect();
    for part in events.chunks(100) {
        office.receive(store, part.to_vec()).await;
    }
    for code in ["E1", "E2"] {
        store.add_employee(office.contract, employee(code), act()).await.unwrap();
    }
    let mut lines: Vec<_> = (0..USERS).map(|n| LinkLine { user: name(n), ..line("E1") }).collect();
    lines.push(LinkLine { user: name(0), ..line("E2") });
    let take = async |lines: &[LinkLine], right_only| {
        store.import_links(office.contract, lines.to_vec(), right_only, act()).await.unwrap()
    };
    let waiting = async || {
        let all = store.list_accounts(office.contract.into(), AccountFilter::Waiting, USERS).await.unwrap();
        all.len()
    };
    let refused = take(&lines, false).await;
    assert_eq!((refused.written, waiting().await), (false, USERS), "the last line contradicts the first");
    // As if it had broken off after some of the first piece.
    assert_eq!(take(&lines[..7], false).await.rejudged, 7);
    let done = take(&lines, true).await;
    assert_eq!((done.written, done.rejudged, waiting().await), (true, USERS as u64 - 7, 0));
    assert_eq!(done.fates[6..8], [LineFate::Unchanged, LineFate::New]);
    let wrong = LineFate::Wrong(LineProblem::Overlaps("E1".to_owned()));
    assert_eq!((&done.fates[USERS - 1], &done.fates[USERS]), (&LineFate::New, &wrong));
    let log = store.audit_log(Some(office.contract), None, 2_500).await.unwrap();
    let taken: Vec<_> = log.iter().filter(|entry| entry.action == "import_links").collect();
    let details: Vec<_> = taken.iter().map(|entry| entry.detail.as_str()).collect();
    let pieces =
        [r#"{"lines":3,"written":3}"#, r#"{"lines":1000,"written":993}"#, r#"{"lines":7,"written":7}"#];
    assert_eq!(details, pieces, "the newest first");
}
