//! What a directory says of people: whose it is, and whom it suggests.

use mngntime_model::{AccountIdentity, EventKind};
use mngntime_store::{
    AccountFilter, Directory, DirectoryField, EmployeeChoice, EmployeeColumns, LineFate, LineProblem,
    LinkEnd, LinkRequest, NewEmployee, Reason, Refusal, Sid, Store, StoreError, Upn,
};

use crate::fixture::{NOW, Office, act, day, employee, event, identity, logon, office};

/// Somebody of whom a directory says this.
fn said(code: &str, upn: Option<&str>, sid: Option<&str>) -> NewEmployee {
    let directory = Directory {
        upn: upn.map(|text| Upn::parse(text).unwrap()),
        sid: sid.map(|text| Sid::parse(text).unwrap()),
    };
    NewEmployee { directory, ..employee(code) }
}

/// The suggestions for the account of this name: whether they are sure, why, and who.
async fn suggested(store: &dyn Store, office: &Office, name: &str) -> Vec<(bool, Reason, String)> {
    let all = store.list_accounts(office.contract.into(), AccountFilter::All, 100).await.unwrap();
    let account = all.into_iter().find(|account| account.name == name).expect(name).id;
    let found = store.suggestions(office.contract, vec![account], day(0)).await.unwrap().remove(0);
    found.into_iter().map(|one| (one.sure, one.reason, one.employee.data.code)).collect()
}

pub async fn a_directory_tells_who_is_behind_an_account(store: &dyn Store) {
    let office = office(store).await;
    let people = [
        said("E1", None, Some("S-1-5-21-9-1")),
        said("E2", Some("Taro.Sato@Example.co.jp"), None),
        said("E3", Some("jiro@example.co.jp"), Some("S-1-5-21-9-3")),
        said("E7", None, Some("S-1-5-21-9-7")),
        NewEmployee { active_to: Some(day(-9)), ..said("E8", None, Some("S-1-5-21-9-8")) },
    ];
    for new in people {
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    let accounts = [
        // Its name is somebody else's code.
        ("E2", "S-1-5-21-9-1", None),
        ("taro", "S-1-5-21-9-2", Some("taro.sato@EXAMPLE.co.jp")),
        ("jiro", "S-1-5-21-9-33", Some("jiro@example.co.jp")),
        ("both", "S-1-5-21-9-3", Some("ｔａｒｏ．ｓａｔｏ@example.co.jp")),
        ("E7", "S-1-5-21-8-7", None),
        ("e2", "S-1-5-21-9-8", None),
        ("elsewhere", "S-1-5-21-8-1", Some("taro.sato@example.com")),
    ];
    let named = |(name, key, upn): (&str, &str, Option<&str>)| AccountIdentity {
        key: key.to_owned(),
        upn: upn.map(str::to_owned),
        ..identity(name)
    };
    let events = (1..).zip(accounts);
    let events = events.map(|(number, one)| event(number, EventKind::Logon, Some(named(one)), NOW));
    office.receive(store, events.collect()).await;
    let one = |sure, reason, code: &str| (sure, reason, code.to_owned());
    for (name, wanted) in [
        ("E2", vec![one(true, Reason::Directory, "E1"), one(false, Reason::Code, "E2")]),
        ("taro", vec![one(true, Reason::Directory, "E2")]),
        // Another SID than the directory says, of whatever name.
        ("jiro", vec![one(false, Reason::Directory, "E3")]),
        ("E7", vec![one(false, Reason::Code, "E7")]),
        ("both", vec![one(false, Reason::Directory, "E2"), one(false, Reason::Directory, "E3")]),
        // The account of somebody who has left.
        ("e2", vec![one(false, Reason::Code, "E2")]),
        ("elsewhere", vec![]),
    ] {
        assert_eq!(suggested(store, &office, name).await, wanted, "{name}");
    }
    let lists = async |reason| {
        let found = store.suggested(office.contract, reason, day(0), 10).await.unwrap();
        found.into_iter().map(|(account, who)| (account.name, who.data.code)).collect::<Vec<_>>()
    };
    let pair = |name: &str, code: &str| (name.to_owned(), code.to_owned());
    assert_eq!(lists(Reason::Directory).await, [pair("E2", "E1"), pair("taro", "E2")]);
    assert_eq!(lists(Reason::Code).await, [], "the directory's word is the surer one");
}

pub async fn digits_behind_a_name_leave_a_guess(store: &dyn Store) {
    let office = office(store).await;
    let new = NewEmployee { kana: Some("サトウ ハナコ".to_owned()), ..employee("E5") };
    store.add_employee(office.contract, new, act()).await.unwrap();
    let names = ["sato.hanako", "sato.hanako1", "h.sato02"];
    office.receive(store, (1..).zip(names).map(|(number, name)| logon(number, name, NOW)).collect()).await;
    let wanted = [(true, Reason::Reading), (false, Reason::Reading), (false, Reason::Initial)];
    for (name, (sure, reason)) in names.into_iter().zip(wanted) {
        assert_eq!(suggested(store, &office, name).await, [(sure, reason, "E5".to_owned())], "{name}");
    }
}

pub async fn what_a_directory_says_is_one_person_s(store: &dyn Store) {
    let office = office(store).await;
    let (first, second) = (Some("hanako@example.co.jp"), Some("taro@example.co.jp"));
    let (one, two) = (Some("S-1-5-21-9-1"), Some("S-1-5-21-9-2"));
    let held = |field, code: &str| Refusal::Held { field, code: code.to_owned() };
    let refused = |answer: StoreError| {
        let StoreError::Refused(refusal) = answer else { panic!("{answer:?}") };
        refusal
    };
    let e1 = store.add_employee(office.contract, said("E1", first, one), act()).await.unwrap();
    let e2 = store.add_employee(office.contract, said("E2", second, two), act()).await.unwrap();
    for (new, field) in [
        (said("E3", Some("HANAKO@example.co.jp"), None), DirectoryField::Upn),
        (said("E3", None, one), DirectoryField::Sid),
    ] {
        let answer = store.add_employee(office.contract, new, act()).await;
        assert_eq!(refused(answer.unwrap_err()), held(field, "E1"));
    }
    let change = async |id, data| store.change_employee(office.contract, id, data, act()).await;
    let answer = change(e2, said("E2", first, two)).await;
    assert_eq!(refused(answer.unwrap_err()), held(DirectoryField::Upn, "E1"));
    change(e1, said("E9", first, one)).await.unwrap();
    change(e1, said("E9", None, one)).await.unwrap();
    change(e2, said("E2", first, two)).await.unwrap();
    let all = store.list_employees(office.contract.into(), None, 9).await.unwrap();
    let all: Vec<_> = all.into_iter().map(|found| found.data).collect();
    assert_eq!(all, [said("E2", first, two), said("E9", None, one)]);
}

pub async fn a_file_says_what_a_directory_says(store: &dyn Store) {
    let office = office(store).await;
    let (upn, one, two) = (Some("hanako@example.co.jp"), Some("S-1-5-21-9-1"), Some("S-1-5-21-9-2"));
    for new in [said("E1", upn, one), said("E2", None, two)] {
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    let check = async |lines: Vec<NewEmployee>, columns| {
        store.check_employees(office.contract, lines, columns, day(0)).await.unwrap().fates
    };
    let (none, sids) =
        (EmployeeColumns::default(), EmployeeColumns { sid: true, ..EmployeeColumns::default() });
    assert_eq!(check(vec![employee("E1")], none).await, [LineFate::Unchanged], "what it lacks stays");
    let fates = check(vec![said("E1", None, two)], sids).await;
    let held = |code: &str| LineFate::Wrong(LineProblem::Held(DirectoryField::Sid, code.to_owned()));
    assert_eq!(fates, [held("E2")]);
    let twice = vec![said("E3", None, Some("S-1-5-21-9-3")), said("E4", None, Some("S-1-5-21-9-3"))];
    assert_eq!(check(twice, sids).await, [LineFate::New, held("E3")]);
    // A line may take what one above it lets go, and none what one below it does.
    let lines = vec![said("E1", None, two), employee("E2")];
    assert!(
        matches!(check(lines.clone(), sids).await.as_slice(), [wrong, LineFate::Changed(_)] if *wrong == held("E2"))
    );
    let lines: Vec<_> = lines.into_iter().rev().collect();
    let fates = check(lines.clone(), sids).await;
    let [LineFate::Changed(cleared), LineFate::Changed(taken)] = fates.as_slice() else {
        panic!("{fates:?}")
    };
    assert_eq!((&cleared.before, &cleared.after), (&said("E2", None, two), &employee("E2")));
    assert_eq!((&taken.before, &taken.after), (&said("E1", upn, one), &said("E1", upn, two)));
    let taken =
        store.import_employees(office.contract, lines.clone(), sids, false, false, act()).await.unwrap();
    assert_eq!((taken.fates, taken.written), (fates, true));
    assert_eq!(check(lines, sids).await, [LineFate::Unchanged, LineFate::Unchanged], "taken in twice");
}

pub async fn a_pair_of_which_somebody_said_that_it_was_wrong_is_never_sure_again(store: &dyn Store) {
    let office = office(store).await;
    let contract = office.contract;
    store.add_employee(contract, said("E1", None, Some("S-1-5-21-9-1")), act()).await.unwrap();
    let named = AccountIdentity { key: "S-1-5-21-9-1".to_owned(), ..identity("taro") };
    office.receive(store, vec![event(1, EventKind::Logon, Some(named), NOW)]).await;
    let one = |sure| [(sure, Reason::Directory, "E1".to_owned())];
    let at_once = async || store.suggested(contract, Reason::Directory, day(0), 10).await.unwrap().len();
    assert_eq!((suggested(store, &office, "taro").await, at_once().await), (one(true).to_vec(), 1));
    let all = store.list_accounts(contract.into(), AccountFilter::All, 9).await.unwrap();
    let account = all[0].id;
    let employee = store.find_employees(contract.into(), "E1".to_owned()).await.unwrap()[0].id;
    let link =
        || LinkRequest { account, employee: EmployeeChoice::Existing(employee), from: day(-9), to: None };
    for _ in 0..2 {
        store.link_accounts(contract, vec![link()], act()).await.unwrap();
        let made = store.links_of_account(contract, account).await.unwrap();
        let made = made.iter().find(|link| !link.void).unwrap().id;
        store.end_link(contract, made, LinkEnd::Void, act()).await.unwrap();
        assert_eq!((suggested(store, &office, "taro").await, at_once().await), (one(false).to_vec(), 0));
        let found = store.suggestions(contract, vec![account], day(0)).await.unwrap().remove(0);
        assert!(found[0].voided);
    }
    // Somebody else has thought better of it: what is linked for other dates is no mistake.
    let other = LinkRequest { to: Some(day(-1)), ..link() };
    store.link_accounts(contract, vec![other], act()).await.unwrap();
    assert_eq!(suggested(store, &office, "taro").await, one(true));
}

pub async fn a_reading_is_found_in_whichever_width_it_is_kept(store: &dyn Store) {
    let office = office(store).await;
    for (code, kana) in [("E1", "ﾀﾅｶ ｷﾞﾝｼﾞ"), ("E2", "タナカ ギンジ"), ("E3", "ﾔﾏﾀﾞ ﾊﾅｺ")]
    {
        let new = NewEmployee { kana: Some(kana.to_owned()), ..employee(code) };
        store.add_employee(office.contract, new, act()).await.unwrap();
    }
    for typed in ["タナカ", "ﾀﾅｶ", "たなか", "ギンジ", "ｷﾞﾝｼﾞ", "タナカギンジ"]
    {
        let counts = store.employee_counts(office.contract.into(), typed.to_owned(), day(0)).await.unwrap();
        assert_eq!(counts.active, 2, "{typed}");
        let (found, count) = store.employees_alike(office.contract.into(), typed.to_owned()).await.unwrap();
        let begins = if typed.starts_with('ギ') || typed.starts_with('ｷ') { 0 } else { 2 };
        assert_eq!((found.len(), count), (begins, begins as u64), "{typed}");
    }
    let events = vec![logon(1, "tanaka.ginji", NOW), logon(2, "h.yamada", NOW)];
    office.receive(store, events).await;
    let both = ["E1", "E2"].map(|code| (false, Reason::Reading, code.to_owned()));
    assert_eq!(suggested(store, &office, "tanaka.ginji").await, both);
    let initial = (true, Reason::Initial, "E3".to_owned());
    assert_eq!(suggested(store, &office, "h.yamada").await, [initial], "ﾔﾏﾀﾞ ﾊﾅｺ");
}

pub async fn a_name_is_found_in_whichever_width_it_is_kept(store: &dyn Store) {
    let office = office(store).await;
    for (code, name) in
        [("E1", "Ｓｍｉｔｈ　Ｊｏｈｎ"), ("E2", "田中ﾀﾛｳ"), ("E3", "Brown Ann"), ("E4", "渡辺キムラ")]
    {
        store.add_employee(office.contract, NewEmployee::named(code, name), act()).await.unwrap();
    }
    for (typed, code) in [
        ("Smith John", "E1"),
        ("ＳｍｉｔｈJohn", "E1"),
        ("田中タロウ", "E2"),
        ("田中 ﾀﾛｳ", "E2"),
        ("Ｂｒｏｗｎ　Ａｎｎ", "E3"),
        ("渡辺ｷﾑﾗ", "E4"),
    ] {
        let found = store.find_employees(office.contract.into(), typed.to_owned()).await.unwrap();
        let codes: Vec<_> = found.iter().map(|one| one.data.code.as_str()).collect();
        assert_eq!(codes, [code], "{typed}");
        let begins: String = typed.chars().take(4).collect();
        for text in [typed.to_owned(), begins] {
            let (found, _) = store.employees_alike(office.contract.into(), text.clone()).await.unwrap();
            let codes: Vec<_> = found.iter().map(|one| one.data.code.as_str()).collect();
            assert_eq!(codes, [code], "{text}");
        }
    }
    let counts = store.employee_counts(office.contract.into(), "Smith".to_owned(), day(0)).await.unwrap();
    assert_eq!(counts.active, 1, "and in lists");
}
