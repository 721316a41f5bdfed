//! Two statements about a log of a few leaves.

use mngntime_wire::{LogPlace, ReceiptItem, SecretKey};

use super::*;
use crate::verify::CLOCK_STEP_MS;

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
    let mut contents = Contents { contract: "demo".to_owned(), is_everything: true, ..Contents::default() };
    let mut passing = Passing::default();
    for (at, text) in (0..).zip(bytes) {
        let digest = Digest::of(text.as_bytes());
        contents.event(("t", at + 1), digest, place(at));
        contents.leaf(place(at).unwrap(), digest, 0);
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
    newer.leaf(place(1).unwrap(), Digest::of(b"c"), 0);
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
    newer.leaf(place(1).unwrap(), Digest::of(b"b, a day earlier"), 0);
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
    let december = |leaf| ("2026-12".to_owned(), leaf);
    longer.leaf(december(0), Digest::of(b"z"), 0);
    longer.tree(&LogTree { month: "2026-12".to_owned(), size: 1, root: Digest::of(b"").to_string() }, 0);
    let gone = Contradiction::Shorter { month: "2026-12".to_owned(), first: 1, later: 0 };
    assert_eq!(found(&part(&["a"], CLOCK_STEP_MS + 1), &longer), [gone]);
    // Of whose records one is not shown: nobody knows whether the clock went back there.
    longer.leaves.remove(&december(0));
    let compared = compare(&part(&["a"], CLOCK_STEP_MS + 1), &longer);
    let unknown = Shortened { month: "2026-12".to_owned(), first: 1, later: 0, is_set_back: false };
    assert_eq!((compared.contradictions, compared.shortened), (vec![], vec![unknown]));
}

#[test]
fn a_log_is_shorter_by_a_later_time_when_the_clock_was_ahead_and_is_set_right() {
    let ahead = part(&["a", "b"], HOUR_MS);
    let right = |times: [i64; 4]| {
        let mut right = pack(&["a", "b", "c", "d"], times[3]);
        for ((at, text), time) in (0..).zip(["a", "b", "c", "d"]).zip(times) {
            right.leaf(place(at).unwrap(), Digest::of(text.as_bytes()), time);
        }
        right
    };
    let shortened = Shortened { month: MONTH.to_owned(), first: 4, later: 2, is_set_back: true };
    // The step is between the two, whether the last record of the shorter one or the first one after it has the wrong time.
    for times in [[0, HOUR_MS, 0, 1], [0, 0, HOUR_MS, 1], [0, 0, HOUR_MS, HOUR_MS - CLOCK_STEP_MS - 1]] {
        for (one, other) in [(&ahead, &right(times)), (&right(times), &ahead)] {
            let compared = compare(one, other);
            assert_eq!(compared.contradictions, [], "{times:?}");
            // The last one was signed when the clock was no longer so far ahead.
            if times[3] + CLOCK_STEP_MS < HOUR_MS {
                assert_eq!(compared.shortened, std::slice::from_ref(&shortened), "{times:?}");
            }
        }
    }
    // A step before the shorter one ends says nothing of what followed it, nor does one of five minutes.
    for times in [[HOUR_MS, 0, 0, 1], [0, CLOCK_STEP_MS, 0, 1]] {
        let compared = compare(&ahead, &right(times));
        let cut = Contradiction::Shorter { month: MONTH.to_owned(), first: 4, later: 2 };
        assert_eq!((compared.contradictions, compared.shortened), (vec![cut], vec![]), "{times:?}");
    }
}

#[test]
fn what_one_of_two_shows_as_retired_may_be_absent_there_and_nothing_else() {
    let (old, mut new) = (pack(&["a", "b", "c"], 0), pack(&["a", "b", "c"], HOUR_MS));
    let retired = |last, month: &str| {
        let (month, happened) = (month.to_owned(), [0, 0]);
        [Retired { first: 1, last, month, retired_at: 0, happened }]
    };
    for sequence in [1, 2] {
        new.events.remove(&("t".to_owned(), sequence));
        new.leaves.remove(&place(sequence - 1).unwrap());
    }
    new.retired("t", &retired(2, MONTH));
    for (one, other) in [(&new, &old), (&old, &new)] {
        let compared = compare(one, other);
        assert_eq!((compared.contradictions, compared.retired, compared.events), (vec![], 2, 1));
        assert_eq!(compared.uncompared, [0, 0, 0]);
    }
    // Not the number beside them, not those of another month, and not of another terminal.
    new.retired("t", &retired(1, MONTH));
    assert_eq!(found(&new, &old), [event(2, Difference::LeftOut)]);
    new.retired("t", &retired(2, "2026-10"));
    let both = [event(1, Difference::LeftOut), event(2, Difference::LeftOut)];
    assert_eq!(found(&old, &new), both);
    new.retired("t", &[]);
    new.retired("u", &retired(2, MONTH));
    assert_eq!(found(&new, &old), both);
}

#[test]
fn receipts_of_another_contract_or_of_an_unknown_one_tell_nothing_of_this_log() {
    let key = SecretKey::from_seed(&[42; 32]);
    let pack = pack(&["a"], HOUR_MS);
    let told = |terminal: &str, contract: Option<&str>| {
        let line = receipt(&key, 1, "x", Some(0), Some(tree(1, Digest::of(b"another log"))));
        let receipt: Receipt = Signed::parse(line.as_bytes()).unwrap().peek().unwrap();
        let contract = contract.map(str::to_owned);
        let receipt = Receipt { terminal: terminal.to_owned(), contract, ..receipt };
        Signed::seal(Context::Receipt, &receipt, &key).unwrap().to_json().unwrap()
    };
    let of = |line: &str| Contents::of_receipts(line.lines(), &key.public(), &pack);
    let beta = of(&told("u", Some("beta")));
    assert_eq!((beta.receipts, beta.other_contracts, beta.events.len(), beta.trees.len()), (0, 1, 0, 0));
    assert_eq!(compare(&pack, &beta).other_receipts, [1, 0]);
    // Of before they named it: nobody knows, but for a terminal of the pack.
    let unknown = compare(&pack, &of(&told("u", None)));
    assert_eq!((unknown.contradictions, unknown.other_receipts), (vec![], [0, 1]));
    assert_eq!((unknown.uncompared, unknown.trees + unknown.recomputed_trees), ([1, 0, 0], 0));
    let known = found(&pack, &of(&told("t", None)));
    assert_eq!(known.len(), 2, "{known:?}");
    // One that says that it is of this log is proof, though the pack leaves its terminal out.
    let left_out = found(&pack, &of(&told("u", Some("demo"))));
    assert_eq!(left_out.len(), 2, "{left_out:?}");
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
        contract: Some("demo".to_owned()),
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
    let receipts = Contents::of_receipts(text.lines(), &key.public(), &old);
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
    let without = Contents::of_receipts(without.lines(), &key.public(), &old);
    assert_eq!(compare(&dropped, &without).uncompared, [1, 0, 0]);
    assert_eq!(found(&part(&["a", "x"], at), &without), [event(2, Difference::Bytes)]);
}

#[test]
fn receipts_can_contradict_each_other() {
    let key = SecretKey::from_seed(&[42; 32]);
    let told = |text: &str| Some(tree(7, Digest::of(text.as_bytes())));
    let text = [receipt(&key, 1, "a", Some(0), told("one")), receipt(&key, 1, "a", Some(0), told("two"))];
    let pack = part(&["a"], 0);
    let receipts = Contents::of_receipts(text.iter().map(String::as_str), &key.public(), &pack);
    assert_eq!(found(&pack, &receipts), [Contradiction::Tree { month: MONTH.to_owned(), size: 7 }]);
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
