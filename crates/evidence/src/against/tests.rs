//! Two statements about a log of a few leaves.

use mngntime_wire::{LogPlace, ReceiptItem, SecretKey};

use super::*;

const MONTH: &str = "2026-11";
const HOUR_MS: i64 = 3_600_000;

fn place(leaf: u64) -> Option<Place> {
    Some((MONTH.to_owned(), leaf))
}

fn tree(size: u64, root: Digest) -> LogTree {
    LogTree { month: MONTH.to_owned(), size, root: root.to_string() }
}

/// A pack about everything: events 1, 2, … of one terminal with these bytes, one leaf each.
fn pack(bytes: &[&str], signed_at: i64) -> Contents {
    let mut contents = Contents { is_everything: true, ..Contents::default() };
    let mut passing = Passing::default();
    for (at, text) in (0..).zip(bytes) {
        let digest = Digest::of(text.as_bytes());
        contents.event(("t", at + 1), digest, place(at));
        contents.leaf(place(at).unwrap(), digest);
        drop(passing.append(digest));
    }
    contents.head(&tree(passing.size(), passing.root()), signed_at);
    contents
}

/// Of the same terminal, about somebody.
fn part(bytes: &[&str], signed_at: i64) -> Contents {
    Contents { is_everything: false, ..pack(bytes, signed_at) }
}

fn event(sequence: u64, how: Difference) -> Contradiction {
    Contradiction::Event { terminal: "t".to_owned(), sequence, how }
}

fn found(pack: &Contents, other: &Contents) -> Vec<Contradiction> {
    compare(pack, other).contradictions
}

#[test]
fn a_log_that_has_grown_contradicts_nothing_and_every_older_tree_is_computed() {
    let (older, newer) = (pack(&["a", "b"], 0), pack(&["a", "b", "c"], HOUR_MS));
    for (one, other, uncompared) in [(&newer, &older, [0, 0, 0]), (&older, &newer, [1, 0, 1])] {
        let compared = compare(one, other);
        assert_eq!(compared.contradictions, []);
        assert_eq!((compared.events, compared.trees, compared.recomputed_trees), (2, 0, 1));
        assert_eq!(compared.uncompared, uncompared);
    }
}

#[test]
fn a_changed_event_is_named_and_so_are_the_trees_with_it() {
    let (older, newer) = (pack(&["a", "b"], 0), pack(&["a", "x", "c"], HOUR_MS));
    let expected = [event(2, Difference::Bytes), Contradiction::Tree { month: MONTH.to_owned(), size: 2 }];
    assert_eq!(found(&newer, &older), expected);
    assert_eq!(found(&older, &newer), expected);
}

#[test]
fn an_event_that_was_taken_out_is_missed_and_what_followed_it_has_moved() {
    let older = pack(&["a", "b", "c"], 0);
    let mut newer = pack(&["a"], HOUR_MS);
    newer.event(("t", 3), Digest::of(b"c"), place(1));
    newer.leaf(place(1).unwrap(), Digest::of(b"c"));
    newer.head(&tree(3, Digest::of(b"another")), HOUR_MS);
    let contradictions = found(&newer, &older);
    assert!(contradictions.contains(&event(2, Difference::LeftOut)), "{contradictions:?}");
    assert!(contradictions.contains(&event(3, Difference::Place)), "{contradictions:?}");
    newer.missing("t", &[(2, 2)]);
    let contradictions = found(&newer, &older);
    assert!(contradictions.contains(&event(2, Difference::CalledMissing)));
    assert_eq!(contradictions.last(), Some(&event(3, Difference::Place)), "what follows from it comes last");
}

#[test]
fn what_is_called_missing_may_have_come_later() {
    let mut older = pack(&["a"], 0);
    older.missing("t", &[(2, 2)]);
    assert_eq!(found(&older, &pack(&["a", "b"], HOUR_MS)), []);
}

#[test]
fn a_pack_about_somebody_may_leave_out_what_it_does_not_call_missing() {
    let (all, mut some) = (pack(&["a", "b"], 0), part(&["a", "b"], HOUR_MS));
    some.events.remove(&("t".to_owned(), 2));
    let compared = compare(&some, &all);
    assert_eq!((compared.contradictions, compared.uncompared), (vec![], [1, 0, 0]));
    some.missing("t", &[(1, 1), (2, 2)]);
    some.events.remove(&("t".to_owned(), 1));
    let contradictions = found(&some, &all);
    assert_eq!(contradictions, [event(1, Difference::CalledMissing), event(2, Difference::CalledMissing)]);
}

#[test]
fn another_time_of_receipt_is_another_leaf() {
    let (older, mut newer) = (part(&["a", "b"], 0), part(&["a", "b"], 0));
    newer.leaf(place(1).unwrap(), Digest::of(b"b, a day earlier"));
    assert!(found(&newer, &older).contains(&Contradiction::Leaf { month: MONTH.to_owned(), leaf: 1 }));
}

#[test]
fn a_log_that_was_signed_later_is_not_shorter() {
    let shorter = [Contradiction::Shorter { month: MONTH.to_owned(), first: 2, later: 1 }];
    let is_cut = |signed_at| found(&part(&["a"], signed_at), &part(&["a", "b"], 0));
    assert_eq!(is_cut(CLOCK_STEP_MS), []);
    assert_eq!(is_cut(CLOCK_STEP_MS + 1), shorter);
    assert_eq!(found(&part(&["a", "b"], CLOCK_STEP_MS + 1), &part(&["a", "b"], 0)), [], "nor longer");
    // A whole month that is not there any more.
    let mut longer = part(&["a"], 0);
    longer.tree(&LogTree { month: "2026-12".to_owned(), size: 4, root: Digest::of(b"").to_string() }, 0);
    let gone = Contradiction::Shorter { month: "2026-12".to_owned(), first: 4, later: 0 };
    assert_eq!(found(&part(&["a"], CLOCK_STEP_MS + 1), &longer), [gone]);
}

fn receipt(key: &SecretKey, sequence: u64, bytes: &str, leaf: Option<u64>, log: Option<LogTree>) -> String {
    let item = ReceiptItem {
        seq: sequence,
        hash: Digest::of(bytes.as_bytes()).to_string(),
        stored: true,
        res: None,
        log: leaf.map(|leaf| LogPlace { month: MONTH.to_owned(), leaf }),
    };
    let receipt = Receipt {
        v: 1,
        request: "0".repeat(64),
        terminal: "t".to_owned(),
        received_at: 0,
        refused: None,
        items: vec![item],
        head: sequence,
        missing: Vec::new(),
        spread_seconds: 0,
        contact_seconds: 60,
        display_name: "MINAGINE".to_owned(),
        log,
    };
    Signed::seal(Context::Receipt, &receipt, key).unwrap().to_json().unwrap()
}

#[test]
fn receipts_that_a_pc_kept_contradict_what_was_changed_or_dropped_afterwards() {
    let key = SecretKey::from_seed(&[42; 32]);
    let old = pack(&["a", "b"], 0);
    let (LogTree { root, .. }, at) = (tree(2, old.roots(MONTH, &[2].into())[&2]), HOUR_MS);
    let told = LogTree { month: MONTH.to_owned(), size: 2, root };
    let text = [
        receipt(&key, 1, "a", Some(0), None),
        receipt(&key, 2, "b", Some(1), Some(told)),
        receipt(&SecretKey::from_seed(&[1; 32]), 2, "x", Some(1), None),
        "no receipt".to_owned(),
        String::new(),
    ]
    .join("\n");
    let receipts = Contents::of_receipts(text.lines(), &key.public());
    let good = compare(&pack(&["a", "b", "c"], at), &receipts);
    assert_eq!((good.contradictions, good.events, good.recomputed_trees), (vec![], 2, 1));
    assert_eq!(good.receipts, [2, 2]);
    let changed = found(&pack(&["a", "x", "c"], at), &receipts);
    assert_eq!(
        changed,
        [event(2, Difference::Bytes), Contradiction::Tree { month: MONTH.to_owned(), size: 2 }]
    );
    let moved = found(&pack(&["a", "c", "b"], at), &Contents { trees: BTreeMap::new(), ..receipts.clone() });
    assert_eq!(moved, [event(2, Difference::Bytes)]);
    let mut dropped = part(&["a", "c"], at);
    dropped.events.remove(&("t".to_owned(), 2));
    dropped.missing("t", &[(2, 2)]);
    assert!(found(&dropped, &receipts).contains(&event(2, Difference::CalledMissing)));
    // A receipt of before there were places tells only of bytes.
    let without = receipt(&key, 2, "b", None, None);
    let without = Contents::of_receipts(without.lines(), &key.public());
    assert_eq!(compare(&dropped, &without).uncompared, [1, 0, 0]);
    assert_eq!(found(&part(&["a", "x"], at), &without), [event(2, Difference::Bytes)]);
}

#[test]
fn receipts_can_contradict_each_other() {
    let key = SecretKey::from_seed(&[42; 32]);
    let told = |text: &str| Some(tree(7, Digest::of(text.as_bytes())));
    let text = [receipt(&key, 1, "a", Some(0), told("one")), receipt(&key, 1, "a", Some(0), told("two"))];
    let receipts = Contents::of_receipts(text.iter().map(String::as_str), &key.public());
    assert_eq!(
        found(&part(&["a"], 0), &receipts),
        [Contradiction::Tree { month: MONTH.to_owned(), size: 7 }]
    );
}

#[test]
fn entries_are_compared_and_what_was_changed_or_taken_out_is_named() {
    let entry = |contents: &mut Contents, number: u64, text: &str, leaf| {
        let told = Told { digest: Digest::of(text.as_bytes()), place: place(leaf) };
        contents.entries.insert(number, told);
    };
    let (mut older, mut newer) = (pack(&["a", "b", "c"], 0), pack(&["a", "b", "c"], 0));
    for contents in [&mut older, &mut newer] {
        entry(contents, 5, "linked", 1);
    }
    let compared = compare(&newer, &older);
    assert_eq!((compared.entries, compared.contradictions), (1, vec![]));
    entry(&mut newer, 5, "linked to another", 1);
    let how = Difference::Bytes;
    assert_eq!(found(&newer, &older), [Contradiction::Entry { number: 5, how }]);
    newer.entries.clear();
    let how = Difference::LeftOut;
    assert_eq!(found(&newer, &older), [Contradiction::Entry { number: 5, how }]);
    assert_eq!(found(&older, &newer), [Contradiction::Entry { number: 5, how }], "whichever has it");
    newer.is_everything = false;
    assert_eq!(found(&older, &newer), []);
    assert_eq!(compare(&newer, &older).uncompared, [0, 1, 0]);
}

#[test]
fn of_many_contradictions_some_are_named_and_all_are_counted() {
    let (mut older, mut newer) = (Contents::default(), Contents::default());
    for sequence in 1..=80 {
        older.event(("t", sequence), Digest::of(b"a"), None);
        newer.event(("t", sequence), Digest::of(b"b"), None);
    }
    let compared = compare(&newer, &older);
    assert_eq!((compared.contradictions.len(), compared.contradiction_count), (KEPT, 80));
}
