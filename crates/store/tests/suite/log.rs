//! The log: places at intake, trees and heads afterwards.

use std::collections::BTreeMap;

use mngntime_ledger::Digest;
use mngntime_ledger::log::{check_consistency, prove_consistency, root};
use mngntime_model::UtcMillis;
use mngntime_store::{GrownTree, Growth, IncomingBatch, LeafPlace, Store, UnsignedMonth};

use super::fixture::{DAY_MS, NOW, Office, contract, logon, office, terminal};

const MONTH: &str = "2026-11";

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
    store.unsigned_months().await.unwrap().into_iter().map(|found| found.month).collect()
}

pub async fn an_event_has_one_place_for_ever(store: &dyn Store) {
    let office = office(store).await;
    let other = terminal(store, "demo", "2").await;
    let place = |leaf| Some(LeafPlace { month: MONTH.to_owned(), leaf });
    let first = office.receive(store, vec![logon(1, "a", NOW), logon(2, "a", NOW)]).await;
    assert_eq!([&first[0].place, &first[1].place], [&place(0), &place(1)]);
    let elsewhere = Office { contract: office.contract, terminal: other };
    assert_eq!(elsewhere.receive(store, vec![logon(1, "b", NOW)]).await[0].place, place(2));
    let again = office.receive(store, vec![logon(2, "a", NOW), logon(3, "a", NOW), logon(2, "x", NOW)]).await;
    assert_eq!([&again[0].place, &again[1].place, &again[2].place], [&place(1), &place(3), &None]);
}

pub async fn a_head_tells_everything_and_continues_the_last(store: &dyn Store) {
    let office = office(store).await;
    assert_eq!(unsigned(store).await, [""; 0]);
    let (mut hashes, mut last): (BTreeMap<u64, Digest>, Option<(u64, Digest)>) = Default::default();
    let mut to = 0;
    for count in [1, 2, 5, 1, 8] {
        take(store, &office, to + 1..=to + count, NOW).await;
        to += count;
        assert_eq!(unsigned(store).await, [MONTH]);
        let grown = grow(store, &office, MONTH, 1000).await.unwrap();
        assert_eq!((grown.tree.size, grown.closed, &grown.previous), (to, false, &None));
        assert!(sign(store, &grown).await);
        hashes.extend(grown.hashes);
        let tree = (to, grown.tree.root);
        assert_eq!(root(to, &hashes), Ok(tree.1), "the hashes handed out are the tree's");
        if let Some(last) = last {
            let proof = prove_consistency(to, last.0, &hashes).unwrap();
            assert_eq!(check_consistency(&proof, tree, last), Ok(()));
        }
        last = Some(tree);
        assert_eq!(unsigned(store).await, [""; 0]);
        assert_eq!(grow(store, &office, MONTH, 1000).await, None);
        assert_eq!(store.newest_head(office.contract).await.unwrap().unwrap().tree, grown.tree);
    }
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
    assert_eq!(sizes, [7, 14, 21, 23]);
    assert_eq!(store.newest_head(office.contract).await.unwrap().unwrap().tree, whole.tree);
    assert!(!sign(store, &whole).await, "a head that continues nothing is not taken");
}

pub async fn of_two_who_sign_at_once_one_is_taken(store: &dyn Store) {
    let office = office(store).await;
    take(store, &office, 1..=3, NOW).await;
    let one = grow(store, &office, MONTH, 1000).await.unwrap();
    take(store, &office, 4..=4, NOW).await;
    let other = grow(store, &office, MONTH, 1000).await.unwrap();
    assert!(sign(store, &other).await);
    assert!(!sign(store, &one).await);
    assert_eq!(store.newest_head(office.contract).await.unwrap().unwrap().tree.size, 4);
}

pub async fn a_month_is_closed_before_the_next_one_is_signed(store: &dyn Store) {
    let office = office(store).await;
    take(store, &office, 1..=2, NOW).await;
    assert!(sign(store, &grow(store, &office, MONTH, 1000).await.unwrap()).await);
    take(store, &office, 3..=3, NOW.plus(8 * DAY_MS)).await;
    assert_eq!(unsigned(store).await, [MONTH, "2026-12"]);
    assert_eq!(grow(store, &office, "2026-12", 1000).await, None, "the month before comes first");
    let closing = grow(store, &office, MONTH, 1000).await.unwrap();
    assert_eq!((closing.closed, closing.tree.size, closing.hashes.len()), (true, 2, 0));
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
    assert_eq!((one.code.as_str(), one.tree.size, two.code.as_str(), two.tree.size), ("demo", 2, "other", 3));
    assert!(sign(store, &one).await && sign(store, &two).await);
}
