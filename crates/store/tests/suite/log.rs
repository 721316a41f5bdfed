//! The log: places at intake, trees and heads afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use mngntime_ledger::Digest;
use mngntime_ledger::audit::{
    CHANGE_EMPLOYEE, ENROLL_TERMINAL, ENROLL_TERMINAL_AGAIN, EmployeeNoted, Enrolled, LINK_ACCOUNT, Linked,
    UNLINK_ACCOUNT,
};
use mngntime_ledger::leaf::AuditLeaf;
use mngntime_ledger::log::{check_consistency, check_inclusion, prove_consistency, root};
use mngntime_model::UtcMillis;
use mngntime_store::{
    Act, Directory, Enrolment, EvidenceScope, GrownTree, Growth, IncomingBatch, IncomingEvent, LeafPlace,
    LinkEnd, LogFault, LogLook, NewEmployee, Store, StoredEntry, TerminalStatus, UnsignedMonth, Upn,
};

use super::fixture::{
    DAY_MS, NOW, Office, act, contract, day, employee, enrolment, identity, logon, office, terminal,
};

const MONTH: &str = "2026-11";

/// Leaves of [`office`]: the contract was made, and a terminal enrolled.
const OFFICE: u64 = 2;

async fn take(store: &dyn Store, office: &Office, numbers: std::ops::RangeInclusive<u64>, at: UtcMillis) {
    let events = numbers.map(|n| logon(n, "hanako", NOW.plus(i64::try_from(n).unwrap()))).collect();
    store.receive(IncomingBatch { received_at: at, ..office.batch(events) }).await.unwrap();
}

async fn grow(store: &dyn Store, office: &Office, month: &str, limit: u64) -> Option<GrownTree> {
    let asked = UnsignedMonth { contract: office.contract, month: month.to_owned() };
    match store.grow_log(asked, limit).await.unwrap() {
        Growth::Nothing => None,
        Growth::Grown(grown) => Some(*grown),
        Growth::Broken(fault) => panic!("{fault}"),
    }
}

async fn sign(store: &dyn Store, grown: &GrownTree) -> bool {
    store.keep_log_head(grown.clone(), NOW, format!("head of {}", grown.tree.size)).await.unwrap()
}

async fn unsigned(store: &dyn Store) -> Vec<String> {
    store.unsigned_months(None).await.unwrap().into_iter().map(|found| found.month).collect()
}

pub async fn an_event_has_one_place_for_ever(store: &dyn Store) {
    let office = office(store).await;
    let other = terminal(store, "demo", "2").await;
    // The second terminal's enrolment is a leaf, too.
    let place = |n| Some(LeafPlace { month: MONTH.to_owned(), leaf: OFFICE + 1 + n });
    let first = office.receive(store, vec![logon(1, "a", NOW), logon(2, "a", NOW)]).await;
    assert_eq!([&first[0].place, &first[1].place], [&place(0), &place(1)]);
    let elsewhere = Office { contract: office.contract, terminal: other };
    assert_eq!(elsewhere.receive(store, vec![logon(1, "b", NOW)]).await[0].place, place(2));
    let again = office.receive(store, vec![logon(2, "a", NOW), logon(3, "a", NOW), logon(2, "x", NOW)]).await;
    assert_eq!([&again[0].place, &again[1].place, &again[2].place], [&place(1), &place(3), &None]);
}

pub async fn a_head_tells_everything_and_continues_the_last(store: &dyn Store) {
    let office = office(store).await;
    let (mut hashes, mut last): (BTreeMap<u64, Digest>, Option<(u64, Digest)>) = Default::default();
    let mut to = 0;
    for count in [1, 2, 5, 1, 8] {
        take(store, &office, to + 1..=to + count, NOW).await;
        to += count;
        assert_eq!(unsigned(store).await, [MONTH]);
        let grown = grow(store, &office, MONTH, 1000).await.unwrap();
        let size = OFFICE + to;
        assert_eq!((grown.tree.size, grown.closed, &grown.previous), (size, false, &None));
        assert!(sign(store, &grown).await);
        hashes.extend(grown.hashes);
        let tree = (size, grown.tree.root);
        assert_eq!(root(size, &hashes), Ok(tree.1), "the hashes handed out are the tree's");
        if let Some(last) = last {
            let proof = prove_consistency(size, last.0, &hashes).unwrap();
            assert_eq!(check_consistency(&proof, tree, last), Ok(()));
        }
        last = Some(tree);
        assert_eq!(unsigned(store).await, [""; 0]);
        assert_eq!(grow(store, &office, MONTH, 1000).await, None);
        assert_eq!(store.newest_head(office.contract).await.unwrap().unwrap().tree, grown.tree);
    }
}

pub async fn a_log_has_no_gap_until_something_has_a_receipt_and_no_place(store: &dyn Store) {
    let office = office(store).await;
    let with_json = |number: u64| {
        let json = format!(r#"{{"seq":{number},"account":{{"key":"{}"}}}}"#, identity("hanako").key);
        IncomingEvent { digest: Digest::of(json.as_bytes()), json, ..logon(number, "hanako", NOW) }
    };
    store.receive(office.batch((1..=3).map(with_json).collect())).await.unwrap();
    let gap = async |look| store.log_gap(office.contract, look).await.unwrap();
    let receipt = async |number: u64| {
        let envelope = format!(r#"{{"payload":{{"items":[{{"seq":{number},"stored":true}}]}}}}"#);
        let received_at = NOW.plus(i64::try_from(number).unwrap());
        let again = IncomingBatch { received_at, ..office.batch(vec![with_json(3)]) };
        store.receive_and_seal(again, Arc::new(move |_| Ok(envelope.clone()))).await.unwrap();
    };
    receipt(3).await;
    for look in [LogLook::Newest, LogLook::Places, LogLook::Receipts] {
        assert_eq!(gap(look).await, None);
    }
    receipt(4).await;
    assert_eq!(gap(LogLook::Places).await, None);
    let lost = gap(LogLook::Receipts).await;
    assert!(matches!(lost, Some(LogFault::LostEvent { sequence: 4, .. })), "{lost:?}");
    let terminals = store
        .terminals_of_accounts(office.contract, vec![identity("hanako").key, identity("taro").key])
        .await;
    assert_eq!(terminals.unwrap(), [office.terminal]);
    let nobody = store.terminals_of_accounts(office.contract, vec![identity("taro").key]).await;
    assert_eq!(nobody.unwrap(), []);
}

pub async fn an_event_that_is_stored_under_another_time_than_it_says_is_a_gap(store: &dyn Store) {
    let office = office(store).await;
    let told = |number: u64, at: UtcMillis| {
        let json = format!(r#"{{"seq":{number},"occurred_at":{}}}"#, at.0);
        IncomingEvent { digest: Digest::of(json.as_bytes()), json, ..logon(number, "hanako", NOW) }
    };
    let gap = async || store.log_gap(office.contract, LogLook::Receipts).await.unwrap();
    store.receive(office.batch((1..=3).map(|number| told(number, NOW)).collect())).await.unwrap();
    assert_eq!(gap().await, None);
    store.receive(office.batch(vec![told(4, NOW.plus(1))])).await.unwrap();
    let found = gap().await;
    assert!(matches!(found, Some(LogFault::ChangedEvent { sequence: 4, .. })), "{found:?}");
    let asked = UnsignedMonth { contract: office.contract, month: MONTH.to_owned() };
    let grown = store.grow_log(asked, 1000).await.unwrap();
    assert!(matches!(grown, Growth::Broken(LogFault::ChangedEvent { sequence: 4, .. })), "{grown:?}");
}

/// What a terminal sends in fields without a form neither database's functions have to understand.
pub async fn events_with_odd_json_hide_neither_themselves_nor_others(store: &dyn Store) {
    let office = office(store).await;
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    let odd = |number: u64, kind: &str| {
        let at = NOW.plus(i64::try_from(number).unwrap());
        let key = identity("hanako").key;
        let json = format!(
            r#"{{"d":{deep},"q":"\ud800\u0000","seq":{number},"occurred_at":{},"kind":"{kind}","client":"service_start","account":{{"key":"{key}"}}}}"#,
            at.0
        );
        IncomingEvent { digest: Digest::of(json.as_bytes()), json, ..logon(number, "hanako", at) }
    };
    let kinds = ["service_start", "lock", "lock", "unlock", "lock", "service_start", "lock"];
    let events = (1_u64..).zip(kinds).map(|(number, kind)| odd(number, kind)).collect();
    store.receive(office.batch(events)).await.unwrap();
    let keys = vec![identity("hanako").key];
    assert_eq!(store.terminals_of_accounts(office.contract, keys).await.unwrap(), [office.terminal]);
    let found = store.event(office.contract.into(), office.terminal, 2).await.unwrap();
    assert!(found.is_some_and(|found| found.json.contains("service_start")));
    let span = |from: i64, to: i64| Some((NOW.plus(from), NOW.plus(to)));
    for (span, numbers) in [(None, (1, 7)), (span(3, 5), (1, 6)), (span(7, 9), (6, 7)), (span(1, 2), (1, 1))]
    {
        let scope = EvidenceScope { contract: office.contract, accounts: None, terminal: None, span };
        let found = store.evidence_terminals(scope).await.unwrap();
        assert_eq!(found.iter().map(|found| (found.first, found.last)).collect::<Vec<_>>(), [numbers]);
    }
    assert_eq!(store.log_gap(office.contract, LogLook::Receipts).await.unwrap(), None);
}

pub async fn a_long_month_is_signed_in_pieces_to_the_same_root(store: &dyn Store) {
    let office = office(store).await;
    take(store, &office, 1..=23, NOW).await;
    let whole = grow(store, &office, MONTH, 1000).await.unwrap();
    let mut sizes = Vec::new();
    while let Some(piece) = grow(store, &office, MONTH, 7).await {
        assert!(sign(store, &piece).await);
        sizes.push(piece.tree.size);
    }
    assert_eq!(sizes, [7, 14, 21, 23 + OFFICE]);
    assert_eq!(store.newest_head(office.contract).await.unwrap().unwrap().tree, whole.tree);
    assert!(!sign(store, &whole).await, "a head that continues nothing is not taken");
}

pub async fn months_without_a_head_are_told_of_one_contract_or_of_all(store: &dyn Store) {
    let (office, elsewhere) = (office(store).await, contract(store, "other").await);
    let of = async |contract| {
        let found = store.unsigned_months(contract).await.unwrap();
        found.into_iter().map(|month| month.contract).collect::<Vec<_>>()
    };
    assert_eq!(of(None).await, [office.contract, elsewhere]);
    assert_eq!(of(Some(elsewhere)).await, [elsewhere]);
    let grown = grow(store, &office, MONTH, 1000).await.unwrap();
    assert!(sign(store, &grown).await);
    assert_eq!((of(Some(office.contract)).await, of(None).await), (vec![], vec![elsewhere]));
}

pub async fn of_two_who_sign_at_once_one_is_taken(store: &dyn Store) {
    let office = office(store).await;
    take(store, &office, 1..=3, NOW).await;
    let one = grow(store, &office, MONTH, 1000).await.unwrap();
    take(store, &office, 4..=4, NOW).await;
    let other = grow(store, &office, MONTH, 1000).await.unwrap();
    assert!(sign(store, &other).await);
    assert!(!sign(store, &one).await);
    assert_eq!(store.newest_head(office.contract).await.unwrap().unwrap().tree.size, OFFICE + 4);
}

pub async fn a_month_is_closed_before_the_next_one_is_signed(store: &dyn Store) {
    let office = office(store).await;
    take(store, &office, 1..=2, NOW).await;
    assert!(sign(store, &grow(store, &office, MONTH, 1000).await.unwrap()).await);
    take(store, &office, 3..=3, NOW.plus(8 * DAY_MS)).await;
    assert_eq!(unsigned(store).await, [MONTH, "2026-12"]);
    assert_eq!(grow(store, &office, "2026-12", 1000).await, None, "the month before comes first");
    let closing = grow(store, &office, MONTH, 1000).await.unwrap();
    assert_eq!((closing.closed, closing.tree.size, closing.hashes.len()), (true, OFFICE + 2, 0));
    assert!(sign(store, &closing).await);
    let next = grow(store, &office, "2026-12", 1000).await.unwrap();
    assert_eq!((&next.previous, next.closed), (&Some(closing.tree), false));
    assert!(sign(store, &next).await);
    assert_eq!(unsigned(store).await, [""; 0]);
    assert_eq!(grow(store, &office, MONTH, 1000).await, None, "what is closed stays closed");

    // A clock that was set back opens no closed month.
    take(store, &office, 4..=4, NOW).await;
    let late = grow(store, &office, "2026-12", 1000).await.unwrap();
    assert_eq!((late.tree.size, unsigned(store).await), (2, vec!["2026-12".to_owned()]));
}

pub async fn each_contract_has_its_own_trees(store: &dyn Store) {
    let office = office(store).await;
    let other = contract(store, "other").await;
    let other = Office { contract: other, terminal: terminal(store, "other", "9").await };
    take(store, &office, 1..=2, NOW).await;
    take(store, &other, 1..=3, NOW).await;
    let (one, two) =
        (grow(store, &office, MONTH, 9).await.unwrap(), grow(store, &other, MONTH, 9).await.unwrap());
    assert_eq!((one.code.as_str(), one.tree.size), ("demo", OFFICE + 2));
    assert_eq!((two.code.as_str(), two.tree.size), ("other", OFFICE + 3));
    assert!(sign(store, &one).await && sign(store, &two).await);
}

pub async fn every_entry_of_a_contract_s_audit_log_is_a_leaf_and_no_other_is(store: &dyn Store) {
    let office = office(store).await;
    take(store, &office, 1..=1, NOW).await;
    let request = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    store.note(None, "sign_in".to_owned(), "operator".to_owned(), act()).await.unwrap();
    let later = Act { at: NOW.plus(8 * DAY_MS), ..act() };
    store
        .set_terminal_status(office.contract, office.terminal, TerminalStatus::Blocked, later)
        .await
        .unwrap();
    // A clock that was set back opens no month anew.
    store.note(Some(office.contract), "sign_in".to_owned(), "kimura".to_owned(), act()).await.unwrap();
    let entries = store.evidence_entries(office.contract, 0, 100).await.unwrap();
    let places: Vec<_> = entries
        .iter()
        .map(|entry| (entry.record.action.as_str(), entry.place.month.as_str(), entry.place.leaf))
        .collect();
    let expected = [
        ("create_contract", MONTH, 0),
        ("enroll_terminal", MONTH, 1),
        ("add_employee", MONTH, 3),
        ("link_account", MONTH, 4),
        ("block_terminal", "2026-12", 0),
        ("sign_in", "2026-12", 1),
    ];
    assert_eq!(places, expected);
    let page = store.evidence_entries(office.contract, entries[1].record.number, 2).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.place.leaf).collect::<Vec<_>>(), [3, 4]);

    // Whoever has the entries and the tree can make the leaves again.
    let grown = grow(store, &office, MONTH, 1000).await.unwrap();
    assert!(sign(store, &grown).await);
    let (size, root) = (grown.tree.size, grown.tree.root);
    for entry in &entries[..4] {
        let (record, leaf) = (&entry.record, entry.place.leaf);
        let line = record.to_json().unwrap();
        let leaf_of = AuditLeaf::of("demo", record.number, record.at, Digest::of(line.as_bytes()));
        let proofs = store.inclusion_proofs(office.contract, MONTH.to_owned(), size, vec![0, leaf, 2]);
        let path = &proofs.await.unwrap()[1];
        assert_eq!(check_inclusion(path, size, root, leaf, leaf_of.hash().unwrap()), Ok(()), "{line}");
    }
}

pub async fn entries_say_which_key_and_which_link_it_was(store: &dyn Store) {
    let office = office(store).await;
    store.enroll(Enrolment { makeup: "makeup-2".into(), ..enrolment("demo", "1") }).await.unwrap();
    office.receive(store, vec![logon(1, "hanako", NOW)]).await;
    let request = office.request(store, "hanako", day(0), None).await;
    store.link_accounts(office.contract, vec![request], act()).await.unwrap();
    let link = office.account(store, "hanako").await.links[0].clone();
    let upn = Upn::parse("hanako@example.co.jp");
    let directory = Directory { upn, sid: None };
    let renamed = NewEmployee { code: "E-9".into(), directory, ..employee("hanako") };
    store.change_employee(office.contract, link.employee, renamed, act()).await.unwrap();
    store.end_link(office.contract, link.id, LinkEnd::After(day(3)), act()).await.unwrap();
    store.end_link(office.contract, link.id, LinkEnd::Void, act()).await.unwrap();
    let entries = store.evidence_entries(office.contract, 0, 100).await.unwrap();
    let of = |action: &'static str| entries.iter().filter(move |entry| entry.record.action == action);
    let told = |entry: &StoredEntry| entry.record.told::<Enrolled>().unwrap();
    let (first, again) = (of(ENROLL_TERMINAL).next().unwrap(), of(ENROLL_TERMINAL_AGAIN).next().unwrap());
    let terminal = store.terminal(office.contract, office.terminal).await.unwrap().unwrap();
    for (entry, makeup) in [(first, "makeup-1"), (again, "makeup-2")] {
        let Enrolled { terminal: id, public_key, key_class, host_name, .. } = told(entry);
        assert_eq!((id, public_key), (terminal.id.to_string(), terminal.public_key.clone()));
        assert_eq!((key_class.as_str(), host_name.as_str()), ("software", "PC-1"));
        assert_eq!(told(entry).makeup, makeup);
    }
    let states: Vec<Linked> = [LINK_ACCOUNT, UNLINK_ACCOUNT]
        .into_iter()
        .flat_map(of)
        .map(|entry| entry.record.told().unwrap())
        .collect();
    let state = |employee: &str, to: Option<i64>, void| Linked {
        link: link.id.to_string(),
        account: "S-1-5-21-hanako".into(),
        employee: employee.into(),
        from: day(0).to_string(),
        to: to.map(|days| day(days).to_string()),
        void,
        because: None,
        allowed_by: None,
    };
    let expected = [state("hanako", None, false), state("E-9", Some(3), false), state("E-9", Some(3), true)];
    assert_eq!(states, expected);
    let changed: EmployeeNoted = of(CHANGE_EMPLOYEE).next().unwrap().record.told().unwrap();
    assert_eq!((changed.code_before.as_deref(), changed.code.as_str()), (Some("hanako"), "E-9"));
    assert_eq!(changed.id, link.employee.to_string());
    assert_eq!((changed.upn.as_deref(), changed.sid), (Some("hanako@example.co.jp"), None));
}
