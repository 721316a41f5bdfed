//! Two statements about a log of a few leaves.

use mngntime_ledger::log::{Growing, Passing, prove_inclusion};
use mngntime_wire::{Context, LogPlace, Receipt, ReceiptItem, SecretKey, Signed};

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

fn head(tree: LogTree, signed_at: i64) -> LogHead {
    let contract = "demo".to_owned();
    LogHead { v: 1, contract, tree, closed: false, previous: None, heads: None, signed_at }
}

/// A pack about everything, made when its head was signed: events 1, 2, … of one terminal with these bytes, one leaf each.
fn pack(bytes: &[&str], signed_at: i64) -> Contents {
    let (contract, made_at) = ("demo".to_owned(), Some(signed_at));
    let mut contents = Contents { contract, is_everything: true, made_at, ..Contents::default() };
    let mut passing = Passing::default();
    for (at, text) in (0..).zip(bytes) {
        let digest = Digest::of(text.as_bytes());
        contents.event(("t", at + 1), digest, place(at).unwrap(), 0);
        contents.leaf(place(at).unwrap(), digest, 0);
        drop(passing.append(digest));
    }
    contents.head(&head(tree(passing.size(), passing.root()), signed_at));
    contents
}

/// Of the same terminal, about somebody.
fn part(bytes: &[&str], signed_at: i64) -> Contents {
    Contents { is_everything: false, ..pack(bytes, signed_at) }
}

fn event(sequence: u64, how: Difference) -> Contradiction {
    events([sequence, sequence], how)
}

fn events([first, last]: [u64; 2], how: Difference) -> Contradiction {
    let run = Run { first, last, count: last - first + 1 };
    Contradiction::Events { terminal: "t".to_owned(), run, how }
}

fn one(number: u64) -> Run {
    Run { first: number, last: number, count: 1 }
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
    newer.event(("t", 3), Digest::of(b"c"), place(1).unwrap(), 0);
    newer.leaf(place(1).unwrap(), Digest::of(b"c"), 0);
    newer.head(&head(tree(3, Digest::of(b"another")), HOUR_MS));
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
    assert_eq!(contradictions, [events([1, 2], Difference::CalledMissing)]);
}

#[test]
fn another_time_of_receipt_is_another_leaf() {
    let (older, mut newer) = (part(&["a", "b"], 0), part(&["a", "b"], 0));
    newer.leaf(place(1).unwrap(), Digest::of(b"b, a day earlier"), 0);
    assert!(found(&newer, &older).contains(&Contradiction::Leaves { month: MONTH.to_owned(), run: one(1) }));
}

/// The same as [`pack`], its leaves with these times, of which the last is also that of its head.
fn timed(times: &[i64]) -> Contents {
    let names = ["a", "b", "c", "d", "e"];
    let mut contents = pack(&names[..times.len()], *times.last().unwrap());
    for ((at, text), time) in (0..).zip(names).zip(times) {
        contents.leaf(place(at).unwrap(), Digest::of(text.as_bytes()), *time);
    }
    contents
}

fn made(made_at: i64, contents: Contents) -> Contents {
    Contents { made_at: Some(made_at), ..contents }
}

/// The contradiction of two lengths, if there is one, and what else is said of them.
fn lengths(pack: &Contents, other: &Contents) -> (Vec<Contradiction>, Vec<(bool, Length)>) {
    let compared = compare(pack, other);
    (compared.contradictions, compared.shortened.iter().map(|found| (found.is_pack, found.why)).collect())
}

fn shorter(first: u64, later: u64) -> Contradiction {
    Contradiction::Shorter { month: MONTH.to_owned(), first, later }
}

#[test]
fn a_pack_that_was_made_later_does_not_end_earlier() {
    // Its head is as old as ever: what counts is when it was made.
    let is_cut = |made_at| lengths(&made(made_at, timed(&[0])), &timed(&[0, 1]));
    assert_eq!(is_cut(CLOCK_STEP_MS + 1), (vec![], vec![(true, Length::Older)]), "five minutes");
    assert_eq!(is_cut(CLOCK_STEP_MS + 2), (vec![shorter(2, 1)], vec![]));
    let other_way = |made_at| lengths(&timed(&[0, 1]), &made(made_at, timed(&[0])));
    assert_eq!(other_way(CLOCK_STEP_MS + 1), (vec![], vec![]), "an older file is what it is compared with");
    assert_eq!(other_way(CLOCK_STEP_MS + 2), (vec![shorter(2, 1)], vec![]));
    // A head with a wrong time is no pack that was made then.
    let mut wrong = timed(&[0]);
    wrong.head(&head(tree(1, Digest::of(b"a")), HOUR_MS));
    wrong.trees.clear();
    assert_eq!(lengths(&wrong, &timed(&[0, 1])).1, [(true, Length::Older)]);
    assert_eq!(lengths(&timed(&[0, 1]), &wrong), (vec![], vec![]));
}

#[test]
fn a_month_that_is_not_there_any_more_is_a_log_that_ends_earlier() {
    let december = |leaf| ("2026-12".to_owned(), leaf);
    let longer = || {
        let mut longer = timed(&[0]);
        longer.leaf(december(0), Digest::of(b"z"), 0);
        let next = LogTree { month: "2026-12".to_owned(), size: 1, root: Digest::of(b"").to_string() };
        let previous = Some(tree(1, Passing::default().root()));
        longer.head(&LogHead { previous, ..head(next, 0) });
        longer.trees.clear();
        longer
    };
    let gone = Contradiction::Shorter { month: "2026-12".to_owned(), first: 1, later: 0 };
    let late = || made(CLOCK_STEP_MS + 1, timed(&[0]));
    assert_eq!(lengths(&late(), &longer()), (vec![gone], vec![]));
    // Of whose leaves one is not shown, or not where the months meet: nobody knows whether the clock went back there.
    for place in [december(0), place(0).unwrap()] {
        let mut partly = longer();
        partly.leaves.remove(&place);
        partly.is_everything = false;
        let whole = place.0 == MONTH;
        let expected = if whole { vec![] } else { vec![(true, Length::Unclear)] };
        assert_eq!(lengths(&late(), &partly).1, expected, "what lies before the end decides nothing");
    }
    let mut apart = longer();
    apart.heads.get_mut("2026-12").unwrap().previous = Some((MONTH.to_owned(), 2));
    assert_eq!(lengths(&late(), &apart).1, [(true, Length::Unclear)]);
}

#[test]
fn a_clock_that_was_ahead_and_is_set_right_makes_no_liar_of_the_server() {
    // Made by a clock that was an hour ahead, and noted with its time.
    let ahead = made(HOUR_MS, timed(&[0, 0]));
    let set_back = vec![(true, Length::SetBack)];
    for times in [[0, 0, HOUR_MS, 1], [0, 0, HOUR_MS - CLOCK_STEP_MS, 1]] {
        assert_eq!(lengths(&ahead, &timed(&times)), (vec![], set_back.clone()), "{times:?}");
        assert_eq!(lengths(&timed(&times), &ahead), (vec![], vec![(false, Length::SetBack)]));
    }
    // Only the tree shows it, which was signed after the last leaf.
    let mut tree_of_two = timed(&[0, HOUR_MS]);
    tree_of_two.reach(MONTH, 2, 1);
    assert_eq!(lengths(&made(HOUR_MS, timed(&[0])), &tree_of_two), (vec![], set_back.clone()));
    // The times go back, but not from so late a one: whoever writes a pack chooses its time.
    let unclear = vec![(true, Length::Unclear)];
    for times in [[0, 0, HOUR_MS - CLOCK_STEP_MS - 1, 1], [0, HOUR_MS, 0, 1], [0, CLOCK_STEP_MS + 2, 1, 1]] {
        assert_eq!(lengths(&ahead, &timed(&times)), (vec![], unclear.clone()), "{times:?}");
    }
    // Little by little, too.
    let little = 2 * CLOCK_STEP_MS / 3;
    assert_eq!(lengths(&ahead, &timed(&[0, 0, 2 * little, little, 0])).1, unclear);
    let before = made(HOUR_MS, timed(&[0, 0, 0]));
    assert_eq!(lengths(&before, &timed(&[2 * little, little, 0, 0])).1, unclear);
    let before = made(HOUR_MS, timed(&[2 * little, 0]));
    assert_eq!(lengths(&before, &timed(&[2 * little, 0, 2 * little])).1, unclear);
    // They never do, or by no more than five minutes, or so late a time comes last.
    let cut = (vec![shorter(4, 2)], vec![]);
    for times in [[0, 0, 0, 1], [0, CLOCK_STEP_MS + 1, 1, 1], [0, 0, CLOCK_STEP_MS + 1, 1]] {
        assert_eq!(lengths(&ahead, &timed(&times)), cut, "{times:?}");
    }
}

#[test]
fn nodes_whose_clocks_differ_are_seen_in_the_leaves_before_the_end() {
    // The hundredth leaf before the end, and the one before that.
    let of = |size: usize| {
        let mut times = vec![0; size];
        times[0] = CLOCK_STEP_MS + 1;
        let names: Vec<_> = (0..size).map(|number| number.to_string()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut longer = pack(&names, 0);
        for ((at, text), time) in (0..).zip(&names).zip(times) {
            longer.leaf(place(at).unwrap(), Digest::of(text.as_bytes()), time);
        }
        lengths(&made(HOUR_MS, pack(&names[..size - 1], 0)), &longer)
    };
    assert_eq!(of(101), (vec![], vec![(true, Length::Unclear)]));
    assert_eq!(of(102), (vec![shorter(102, 101)], vec![]));
}

#[test]
fn a_leaf_alone_with_an_earlier_time_leaves_it_open() {
    // The larger tree was signed after the pack was made: it may be an honest older one.
    let late = |times: &[i64]| lengths(&made(HOUR_MS, timed(&[0])), &timed(times));
    assert_eq!(late(&[0, HOUR_MS - CLOCK_STEP_MS, HOUR_MS]), (vec![], vec![(true, Length::Older)]));
    assert_eq!(late(&[0, HOUR_MS - CLOCK_STEP_MS - 1, HOUR_MS]), (vec![], vec![(true, Length::Unclear)]));
    // The tree with which it ends is as old as it is.
    let mut same = timed(&[0, HOUR_MS]);
    same.reach(MONTH, 1, 0);
    assert_eq!(lengths(&made(HOUR_MS, timed(&[0])), &same), (vec![], vec![(true, Length::Older)]));
    // A tree between them that a receipt names is one that was signed before.
    let mut longer = timed(&[0, 0, HOUR_MS]);
    longer.tree(&tree(2, longer.roots(MONTH, &[2].into())[&2]), HOUR_MS - CLOCK_STEP_MS);
    assert_eq!(lengths(&made(HOUR_MS, timed(&[0])), &longer).0, []);
    longer.reach(MONTH, 2, HOUR_MS - CLOCK_STEP_MS - 1);
    assert_eq!(lengths(&made(HOUR_MS, timed(&[0])), &longer).0, [shorter(2, 1)]);
}

#[test]
fn of_receipts_nobody_knows_whether_the_clock_went_back() {
    let key = SecretKey::from_seed(&[42; 32]);
    let of = |made_at| {
        let pack = made(made_at, part(&["a"], 0));
        let line = receipt(&key, 2, "b", Some(1), None);
        let receipts = Contents::of_receipts(line.lines(), &key.public(), &pack);
        lengths(&pack, &receipts)
    };
    // Received at 0 in the second place: the log had two leaves then.
    assert_eq!(of(CLOCK_STEP_MS), (vec![], vec![(true, Length::Older)]));
    assert_eq!(of(CLOCK_STEP_MS + 1), (vec![], vec![(true, Length::Unclear)]));
}

/// A pack of the month before with a closed head, and one of the next month whose head names it.
fn closed(size: u64, root: &str) -> Contents {
    let mut contents = Contents { contract: "demo".to_owned(), ..Contents::default() };
    let october =
        LogTree { month: "2026-10".to_owned(), size, root: Digest::of(root.as_bytes()).to_string() };
    contents.head(&LogHead { closed: true, ..head(october.clone(), 0) });
    contents.head(&LogHead { previous: Some(october), ..head(tree(1, Digest::of(b"a")), 0) });
    contents
}

fn ended(month: &str, ended: u64, told: u64) -> Contradiction {
    Contradiction::Ended { month: month.to_owned(), ended, told }
}

#[test]
fn a_month_that_is_over_has_one_last_tree() {
    let both = |one: &Contents, other: &Contents| {
        let contradictions = found(one, other);
        assert_eq!(contradictions, found(other, one));
        contradictions
    };
    assert_eq!(both(&closed(3, "x"), &closed(3, "x")), []);
    assert_eq!(both(&closed(3, "x"), &closed(4, "y")), [ended("2026-10", 3, 4)]);
    let tree = Contradiction::Tree { month: "2026-10".to_owned(), size: 3 };
    assert_eq!(both(&closed(3, "x"), &closed(3, "y")), [tree]);
    // A head that is not closed, a leaf, an event, a tree that a receipt names: up to the end, and not beyond.
    let head_of = |size| {
        let mut open = closed(size, "x");
        open.heads.retain(|month, _| month == "2026-10");
        open.heads.values_mut().for_each(|head| head.closed = false);
        open.trees.clear();
        open.reached.retain(|(month, _), _| month == "2026-10");
        open
    };
    let leaf_of = |size: u64| {
        let mut leaf = Contents::default();
        leaf.leaf(("2026-10".to_owned(), size - 1), Digest::of(b"x"), 0);
        leaf
    };
    let event_of = |size: u64| {
        let mut event = Contents::default();
        event.event(("t", 1), Digest::of(b"x"), ("2026-10".to_owned(), size - 1), 0);
        event
    };
    for told in [head_of, leaf_of, event_of] {
        assert_eq!(both(&told(3), &closed(3, "x")), []);
        assert_eq!(both(&told(4), &closed(3, "x")), [ended("2026-10", 3, 4)]);
    }
    // The next month's head says it as well as its own.
    let mut next = closed(3, "x");
    next.heads.remove("2026-10");
    next.reached.retain(|(month, _), _| month == MONTH);
    assert_eq!(both(&leaf_of(4), &next), [ended("2026-10", 3, 4)]);
    next.heads.get_mut(MONTH).unwrap().previous = None;
    assert_eq!(both(&leaf_of(4), &next), [ended("2026-10", 0, 4)], "before the first head there is nothing");
    next.heads.get_mut(MONTH).unwrap().previous = Some(("2026-09".to_owned(), 1));
    assert_eq!(both(&leaf_of(1), &next), [ended("2026-10", 0, 1)], "nor between two that follow each other");
    next.heads.get_mut(MONTH).unwrap().previous = Some(("2026-11".to_owned(), 1));
    assert_eq!(both(&leaf_of(4), &next), [], "what lies further back nobody tells of");
    let mut later = leaf_of(4);
    later.heads.insert("2026-09".to_owned(), Head { size: 1, closed: false, previous: None });
    assert_eq!(both(&leaf_of(4), &later), [], "nor what comes after the newest head");
}

#[test]
fn a_month_that_a_pack_about_everything_has_no_head_of_has_no_event() {
    let mut other = Contents::default();
    other.event(("t", 9), Digest::of(b"x"), ("2026-10".to_owned(), 5), 0);
    let expected = [event(9, Difference::LeftOut), ended("2026-10", 0, 6)];
    assert_eq!(found(&pack(&["a"], 0), &other), expected);
    // A pack about somebody says of what it calls missing that it never came, in any month.
    let mut some = part(&["a"], 0);
    some.heads.get_mut(MONTH).unwrap().previous = Some(("2026-10".to_owned(), 6));
    assert_eq!(found(&some, &other), []);
    some.missing("t", &[(9, 9)]);
    assert_eq!(found(&some, &other), [event(9, Difference::CalledMissing)]);
    // What may have come after its newest head it does not tell of.
    let mut later = Contents::default();
    later.event(("t", 9), Digest::of(b"x"), place(1).unwrap(), 0);
    assert_eq!(found(&some, &later), []);
    let mut told = Contents::default();
    told.event(("t", 9), Digest::of(b"x"), place(0).unwrap(), 0);
    assert_eq!(found(&some, &told), [event(9, Difference::CalledMissing)]);
}

#[test]
fn two_receipts_of_one_number_say_the_same_whichever_comes_first() {
    let key = SecretKey::from_seed(&[42; 32]);
    let pack = part(&["a", "b"], 0);
    let read = |lines: [String; 2]| {
        let contents = Contents::of_receipts(lines.iter().map(String::as_str), &key.public(), &pack);
        found(&pack, &contents)
    };
    let right = || receipt(&key, 1, "a", Some(0), None);
    assert_eq!(read([right(), right()]), []);
    for (wrong, how) in [
        (receipt(&key, 1, "x", Some(0), None), Difference::Bytes),
        (receipt(&key, 1, "x", None, None), Difference::Bytes),
        (receipt(&key, 1, "a", Some(1), None), Difference::Place),
    ] {
        assert_eq!(read([right(), wrong.clone()]), [event(1, how)]);
        assert_eq!(read([wrong, right()]), [event(1, how)]);
    }
    // Of an event of which the pack says nothing, they are proof all the same.
    let twice = [receipt(&key, 7, "a", Some(0), None), receipt(&key, 7, "x", Some(0), None)];
    assert_eq!(read(twice), [event(7, Difference::Bytes)]);
}

#[test]
fn what_was_deleted_and_is_sent_once_more_is_signed_for_as_it_came() {
    const THREE_YEARS_MS: i64 = 3 * 365 * 86_400_000;
    let key = SecretKey::from_seed(&[42; 32]);
    let pack = part(&["a"], 0);
    let log = || Some(tree(1, pack.roots(MONTH, &[1].into())[&1]));
    let given = |at: i64, sequence, bytes: &str, leaf| {
        let line = receipt(&key, sequence, bytes, leaf, log());
        let receipt: Receipt = Signed::parse(line.as_bytes()).unwrap().peek().unwrap();
        let receipt = Receipt { received_at: at, ..receipt };
        Signed::seal(Context::Receipt, &receipt, &key).unwrap().to_json().unwrap()
    };
    let read = |lines: &[String]| {
        let contents = Contents::of_receipts(lines.iter().map(String::as_str), &key.public(), &pack);
        found(&pack, &contents)
    };
    let differs = |sequence| [event(sequence, Difference::Bytes)];
    // Received at 0. The server has no bytes of it any more when it is sent again.
    assert_eq!(read(&[given(THREE_YEARS_MS, 1, "x", None)]), []);
    assert_eq!(read(&[given(THREE_YEARS_MS - 1, 1, "x", None)]), differs(1), "it has them for three years");
    assert_eq!(read(&[given(THREE_YEARS_MS, 1, "x", Some(0))]), differs(1), "it says where they are");
    assert_eq!(read(&[receipt(&key, 1, "x", None, None)]), differs(1), "of before there were trees");
    // Of one that the pack does not show.
    let two = |at| [given(0, 7, "a", Some(9)), given(at, 7, "x", None)];
    assert_eq!((read(&two(THREE_YEARS_MS)), read(&two(THREE_YEARS_MS - 1))), (vec![], differs(7).to_vec()));
    assert_eq!(read(&[given(0, 7, "a", None), given(0, 7, "x", None)]), [], "both of what was deleted");
    // It counts from when it is told first.
    let year = THREE_YEARS_MS / 3;
    let three = [given(year, 7, "a", Some(9)), given(0, 7, "a", Some(9)), given(3 * year, 7, "x", None)];
    assert_eq!(
        (read(&three), read(&[three[1].clone(), three[0].clone(), three[2].clone()])),
        (vec![], vec![])
    );
    // A pack that shows it as retired has an answer to that receipt.
    let (first, month, happened) = (7, MONTH.to_owned(), [0, 0]);
    let mut retired = pack.clone();
    retired.retired("t", &[Retired { first, last: first, month, retired_at: 0, happened }]);
    let line = given(THREE_YEARS_MS, 7, "x", None);
    let of = |pack: &Contents| {
        let found = compare(pack, &Contents::of_receipts(line.lines(), &key.public(), pack));
        (found.retired, found.uncompared[0])
    };
    assert_eq!((of(&retired), of(&pack)), ((1, 0), (0, 1)));
    // Where the bytes of one of them do not count, nothing was compared.
    let counted = |line: String| {
        let found = compare(&pack, &Contents::of_receipts(line.lines(), &key.public(), &pack));
        (found.events, found.uncompared[0])
    };
    assert_eq!(counted(given(THREE_YEARS_MS, 1, "x", None)), (0, 1));
    assert_eq!(counted(given(THREE_YEARS_MS - 1, 1, "a", None)), (1, 0));
}

#[test]
fn keys_and_results_are_compared_and_names_are_not() {
    let of = |host: &str, key: &str, why: &str| {
        let mut contents = pack(&["a", "b", "c"], 0);
        contents.terminal(&Terminal {
            id: "t".to_owned(),
            host_name: host.to_owned(),
            public_key: key.to_owned(),
            key_class: "file".to_owned(),
            enrolled_at: 0,
            last_contact_at: None,
            marks: None,
            numbers: crate::format::Numbers { first: 1, last: 3 },
        });
        for seq in 1..=3 {
            let (why, by) = (why.to_owned(), "server".to_owned());
            contents.result("t", &Judgement { seq, number: 1, judged_at: 0, res: None, why, by });
        }
        contents
    };
    let (one, other) = (of("PC-1", "k", "received"), of("PC-2", "k", "received"));
    let same = compare(&one, &other);
    assert_eq!((same.contradictions, same.others), (vec![], [1, 3]));
    assert_eq!(same.hosts["t"], "PC-1", "the pack's own name of it");
    let key = Contradiction::Key { terminal: "t".to_owned() };
    assert_eq!(found(&one, &of("PC-1", "l", "received")), [key]);
    let results = |first, last| {
        let run = Run { first, last, count: last - first + 1 };
        Contradiction::Results { terminal: "t".to_owned(), run }
    };
    assert_eq!(found(&one, &of("PC-1", "k", "judged again")), [results(1, 3)]);
    // A further result has a number of its own.
    let mut more = of("PC-1", "k", "received");
    let line = |number| {
        let (why, by) = ("judged again".to_owned(), "server".to_owned());
        Judgement { seq: 2, number, judged_at: 9, res: Some(6), why, by }
    };
    more.result("t", &line(2));
    assert_eq!(found(&one, &more), []);
    more.result("t", &line(1));
    assert_eq!(found(&one, &more), [results(2, 2)]);
}

/// An event of which only the bytes are told.
fn digest_of(contents: &mut Contents, (terminal, number): (&str, u64), text: &str) {
    let told = contents.events.entry((terminal.to_owned(), number)).or_default();
    told.add(Digest::of(text.as_bytes()), None, 0);
}

#[test]
fn what_differs_in_a_row_is_one_statement() {
    let told = |contents: &mut Contents, terminal: &str, numbers: &[u64], text: &str| {
        for number in numbers {
            digest_of(contents, (terminal, *number), text);
        }
    };
    let (mut one, mut other) = (Contents::default(), Contents::default());
    told(&mut one, "t", &[1, 2, 3, 5, 6, 9], "a");
    // The numbers 4, 7 and 8 neither of them tells of; 6 is the same.
    told(&mut other, "t", &[1, 2, 3, 5, 9], "b");
    told(&mut other, "t", &[6], "a");
    told(&mut one, "u", &[10], "a");
    told(&mut other, "u", &[10], "b");
    let run = |terminal: &str, first, last, count| {
        let run = Run { first, last, count };
        Contradiction::Events { terminal: terminal.to_owned(), run, how: Difference::Bytes }
    };
    let compared = compare(&one, &other);
    assert_eq!(compared.contradictions, [run("t", 1, 5, 4), run("t", 9, 9, 1), run("u", 10, 10, 1)]);
    assert_eq!((compared.contradiction_count, compared.unnamed), (6, 0));
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
    // What was deleted happened when the audit log says.
    let happened = |at: [i64; 2]| {
        let mut old = old.clone();
        old.happened(("t", 1), at[0]);
        old.happened(("t", 2), at[1]);
        old
    };
    let range = |happened| [Retired { happened, ..retired(2, MONTH)[0].clone() }];
    new.retired("t", &range([5, 7]));
    assert_eq!(found(&new, &happened([5, 7])), []);
    assert_eq!(found(&new, &happened([4, 8])), [events([1, 2], Difference::Retired)]);
    assert_eq!(found(&happened([5, 8]), &new), [event(2, Difference::Retired)]);
    new.is_everything = false;
    assert_eq!(found(&new, &happened([4, 7])), [event(1, Difference::Retired)], "whoever says it");
    new.is_everything = true;
    // Not the number beside them, not those of another month, and not of another terminal.
    new.retired("t", &retired(1, MONTH));
    assert_eq!(found(&new, &old), [event(2, Difference::LeftOut)]);
    new.retired("t", &retired(2, "2026-10"));
    let both = [events([1, 2], Difference::LeftOut)];
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
    // A receipt of before there were places tells only of bytes, and nobody knows whether it was there before the pack.
    let without = receipt(&key, 2, "b", None, None);
    let without = Contents::of_receipts(without.lines(), &key.public(), &old);
    let unknown = compare(&dropped, &without);
    assert_eq!((unknown.contradictions, unknown.called_missing, unknown.uncompared), (vec![], 1, [0, 0, 0]));
    dropped.missing.clear();
    let unknown = compare(&dropped, &without);
    assert_eq!((unknown.called_missing, unknown.uncompared), (0, [1, 0, 0]));
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
        let told = Told {
            digests: [Digest::of(text.as_bytes())].into(),
            places: place(leaf).into_iter().collect(),
            ..Told::default()
        };
        contents.entries.insert(number, told);
    };
    let (mut older, mut newer) = (pack(&["a", "b", "c"], 0), pack(&["a", "b", "c"], 0));
    for contents in [&mut older, &mut newer] {
        contents.events.remove(&("t".to_owned(), 2));
        entry(contents, 5, "linked", 1);
    }
    let compared = compare(&newer, &older);
    assert_eq!((compared.entries, compared.contradictions), (1, vec![]));
    entry(&mut newer, 5, "linked to another", 1);
    let how = Difference::Bytes;
    assert_eq!(found(&newer, &older), [Contradiction::Entries { run: one(5), how }]);
    newer.entries.clear();
    let how = Difference::LeftOut;
    assert_eq!(found(&newer, &older), [Contradiction::Entries { run: one(5), how }]);
    assert_eq!(found(&older, &newer), [Contradiction::Entries { run: one(5), how }], "whichever has it");
    newer.is_everything = false;
    assert_eq!(found(&older, &newer), []);
    assert_eq!(compare(&newer, &older).uncompared, [0, 1, 0]);
}

#[test]
fn a_restore_that_either_of_them_notes_is_kept() {
    let noted = |action: &str, at: i64, detail: &str| {
        let record = AuditRecord {
            v: 1,
            contract: "demo".to_owned(),
            number: 3,
            at,
            by: "server".to_owned(),
            action: action.to_owned(),
            object: "server".to_owned(),
            detail: serde_json::value::RawValue::from_string(detail.to_owned()).unwrap(),
        };
        let (json, month, proof) = (record.to_json().unwrap(), MONTH.to_owned(), Vec::new());
        let mut contents = Contents::default();
        contents.entry(&record, &AuditLine { json, month, leaf: 0, proof });
        contents
    };
    let (one, other) =
        (noted(RESTORED_FROM_BACKUP, 7, r#"{"backup_made_at":5}"#), noted(RESTORED_FROM_BACKUP, 9, "{}"));
    let expected =
        [(7, Some(5)), (9, None)].map(|(at, backup_made_at)| Restore { at, backup_made_at, tree: None });
    assert_eq!(compare(&one, &other).restores, expected.into());
    let another = noted("sign_in", 9, r#"{"backup_made_at":5}"#);
    assert_eq!(compare(&another, &another).restores, [].into());
}

#[test]
fn of_many_contradictions_some_are_named_and_all_are_counted() {
    let (mut older, mut newer) = (Contents::default(), Contents::default());
    for sequence in 1..=80 {
        digest_of(&mut older, ("t", 2 * sequence), "a");
        digest_of(&mut newer, ("t", 2 * sequence), "b");
        digest_of(&mut newer, ("t", 2 * sequence + 1), "b");
    }
    let compared = compare(&newer, &older);
    let counted = (compared.contradictions.len(), compared.contradiction_count, compared.unnamed);
    assert_eq!(counted, (50, 80, 30));
}

#[test]
fn what_a_receipt_calls_stored_without_a_place_was_in_the_log_before_its_tree() {
    let key = SecretKey::from_seed(&[42; 32]);
    let whole = pack(&["a", "b"], 0);
    let named = |size| Some(tree(size, whole.roots(MONTH, &[size].into())[&size]));
    let read = |pack: &Contents, line: String| {
        let found = compare(pack, &Contents::of_receipts(line.lines(), &key.public(), pack));
        (found.contradictions, found.called_missing, found.uncompared[0])
    };
    let of = |size| receipt(&key, 7, "x", None, named(size));
    let (mut all, mut some) = (pack(&["a"], 0), part(&["a"], 0));
    assert_eq!(read(&all, of(1)), (vec![event(7, Difference::LeftOut)], 0, 0));
    assert_eq!(read(&some, of(1)), (vec![], 0, 1), "it need not have it");
    for pack in [&mut all, &mut some] {
        pack.missing("t", &[(2, 3), (7, 7)]);
        assert_eq!(read(pack, of(1)), (vec![event(7, Difference::CalledMissing)], 0, 0));
        assert_eq!(read(pack, of(2)), (vec![], 1, 0), "the pack may have been made before it came");
        // Deleted by the retention rule, and sent once more: so it is in an honest server.
        let (first, month, happened) = (7, MONTH.to_owned(), [0, 0]);
        pack.retired("t", &[Retired { first, last: first, month, retired_at: 0, happened }]);
        assert_eq!(read(pack, of(1)), (vec![], 0, 0));
    }
}

#[test]
fn in_one_place_stands_one_thing() {
    let (one, mut other) = (part(&["a"], 0), Contents::default());
    let occupied = |first, last| {
        let run = Run { first, last, count: last - first + 1 };
        Contradiction::Occupied { month: MONTH.to_owned(), run }
    };
    // Of a PC that the pack does not show; by receipts, which have no leaf.
    let of = |contents: &mut Contents, terminal: &str, number, leaf| {
        contents.event((terminal, number), Digest::of(b"z"), place(leaf).unwrap(), 0);
    };
    of(&mut other, "u", 1, 0);
    assert_eq!(found(&one, &other), [occupied(0, 0)]);
    assert_eq!(found(&other, &one), [occupied(0, 0)]);
    of(&mut other, "v", 1, 1);
    of(&mut other, "v", 2, 1);
    assert_eq!(found(&one, &other), [occupied(0, 1)], "and within one of them");
    // An entry is another thing than an event.
    let mut entry = Contents::default();
    entry.entries.entry(1).or_default().add(Digest::of(b"a"), place(0), 0);
    assert_eq!(found(&one, &entry), [occupied(0, 0)]);
    entry.entries.entry(2).or_default().add(Digest::of(b"a"), place(0), 0);
    assert_eq!(found(&Contents::default(), &entry), [occupied(0, 0)]);
    // What something is told of already is not told again.
    let mut moved = part(&["z", "a"], 0);
    moved.leaves.clear();
    moved.trees.clear();
    assert_eq!(found(&one, &moved), [event(1, Difference::Bytes)]);
    let same = compare(&one, &one);
    assert_eq!(same.contradictions, []);
}

#[test]
fn a_line_in_which_a_month_or_a_digest_is_none_is_no_receipt() {
    let key = SecretKey::from_seed(&[42; 32]);
    let pack = part(&["a"], 0);
    let changed = |change: &dyn Fn(&mut Receipt)| {
        let line = receipt(&key, 1, "a", Some(0), Some(tree(7, Digest::of(b"x"))));
        let mut receipt: Receipt = Signed::parse(line.as_bytes()).unwrap().peek().unwrap();
        change(&mut receipt);
        let line = Signed::seal(Context::Receipt, &receipt, &key).unwrap().to_json().unwrap();
        let contents = Contents::of_receipts(line.lines(), &key.public(), &pack);
        (contents.receipts, contents.foreign_lines, contents.events.len() + contents.trees.len())
    };
    assert_eq!(changed(&|_| ()), (1, 0, 2));
    for month in ["9999-99", "zzz", "", "2026-1", "2026-11\u{1b}[2K\rAUTHENTIC", "2026-11\n"] {
        let in_tree = changed(&|receipt| receipt.log.as_mut().unwrap().month = month.to_owned());
        let in_place = changed(&|receipt| receipt.items[0].log.as_mut().unwrap().month = month.to_owned());
        assert_eq!((in_tree, in_place), ((0, 1, 0), (0, 1, 0)), "{month:?}");
    }
    let hash = Digest::of(b"x").to_string();
    for hash in [hash.to_uppercase(), hash[1..].to_owned(), format!("{hash}0"), "\u{1b}".to_owned()] {
        let root = changed(&|receipt| receipt.log.as_mut().unwrap().root.clone_from(&hash));
        let digest = changed(&|receipt| receipt.items[0].hash.clone_from(&hash));
        assert_eq!((root, digest), ((0, 1, 0), (0, 1, 0)), "{hash:?}");
    }
}

#[test]
fn a_receipt_that_is_older_than_the_leaf_is_counted_and_no_proof() {
    let key = SecretKey::from_seed(&[42; 32]);
    let of = |at: i64| {
        let mut pack = Contents { contract: "demo".to_owned(), ..Contents::default() };
        pack.made_at = Some(HOUR_MS);
        pack.event(("t", 1), Digest::of(b"a"), place(0).unwrap(), at);
        let line = receipt(&key, 1, "a", Some(0), None);
        let receipts = Contents::of_receipts(line.lines(), &key.public(), &pack);
        (compare(&pack, &receipts).early_receipts, found(&pack, &receipts), pack)
    };
    assert_eq!((of(CLOCK_STEP_MS).0, of(-HOUR_MS).0), (0, 0), "five minutes, and one of a later answer");
    let (count, contradictions, pack) = of(CLOCK_STEP_MS + 1);
    assert_eq!((count, contradictions), (1, vec![]));
    // Two packs have leaves, which are compared whole.
    let early = pack.clone();
    assert_eq!(compare(&pack, &early).early_receipts, 0);
}

/// A pack about somebody, of a log of these leaves of which it shows some, with their proofs.
fn proven(texts: &[&str], shows: &[u64]) -> Contents {
    let nothing = BTreeMap::new();
    let mut growing = Growing::after(0, &nothing).unwrap();
    let digests: Vec<_> = texts.iter().map(|text| Digest::of(text.as_bytes())).collect();
    digests.iter().for_each(|digest| growing.append(*digest).unwrap());
    let (size, root, hashes) = (growing.size(), growing.root().unwrap(), growing.into_new());
    let mut contents = Contents { contract: "demo".to_owned(), made_at: Some(0), ..Contents::default() };
    contents.head(&head(tree(size, root), 0));
    for leaf in shows {
        let digest = digests[usize::try_from(*leaf).unwrap()];
        contents.event(("t", leaf + 1), digest, place(*leaf).unwrap(), 0);
        contents.leaf(place(*leaf).unwrap(), digest, 0);
        let path = prove_inclusion(size, *leaf, &hashes).unwrap();
        let path: Vec<_> = path.iter().map(ToString::to_string).collect();
        contents.path((MONTH, *leaf), size, &path);
    }
    contents
}

#[test]
fn packs_that_show_nothing_in_common_share_parts_of_the_log() {
    let (true_, forged) =
        (["a", "b", "c", "d", "e", "f", "g"], ["a", "X", "c", "d", "e", "f", "g", "h", "i"]);
    let parts = |one: &Contents, other: &Contents| {
        let (compared, back) = (compare(one, other), compare(other, one));
        assert_eq!((&compared.contradictions, compared.parts), (&back.contradictions, back.parts));
        (compared.contradictions, compared.parts, compared.events)
    };
    let part = |first, count| Contradiction::Part { month: MONTH.to_owned(), first, count };
    // One of the first four and one of the first four of another size; honest.
    let grown = proven(&[&true_[..], &["h", "i"]].concat(), &[3]);
    assert_eq!(parts(&proven(&true_, &[0]), &grown), (vec![], 2, 0));
    // The second leaf was changed. The pack of 0 names it, the one of 3 the two with it.
    assert_eq!(parts(&proven(&true_, &[0]), &proven(&forged, &[3])), (vec![part(0, 2)], 2, 0));
    // Behind it: both name the four with it, and the state of then follows from what the newer one shows.
    let tree = Contradiction::Tree { month: MONTH.to_owned(), size: 7 };
    assert_eq!(parts(&proven(&true_, &[4]), &proven(&forged, &[7])), (vec![part(0, 4), tree], 3, 0));
    // Shown by one of them alone, in the place that the other one names.
    assert_eq!(parts(&proven(&true_, &[1]), &proven(&forged, &[0])).0, [part(1, 1)]);
    // Shown by both: told as what it is, and not once more.
    let told = parts(&proven(&true_, &[1]), &proven(&forged, &[1])).0;
    assert_eq!(told, [event(2, Difference::Bytes)]);
    // What is at the end changes as the log grows.
    assert_eq!(parts(&proven(&true_[..3], &[0]), &proven(&true_, &[6])), (vec![], 0, 0));
    // A whole pack shows every part.
    assert_eq!(parts(&proven(&true_, &[4]), &pack(&forged, 0)).0.first(), Some(&part(0, 4)));
    assert_eq!(parts(&proven(&true_, &[4]), &pack(&true_, 0)), (vec![], 3, 1));
}

#[test]
fn a_tree_follows_from_what_proofs_show() {
    let texts = ["a", "b", "c", "d", "e", "f", "g"];
    let some = proven(&texts, &[4]);
    let whole = pack(&texts, 0);
    let sizes: BTreeSet<u64> = (0..=8).collect();
    // The first four, and with it each one that is shown or named.
    let expected: BTreeMap<_, _> = whole.roots(MONTH, &[4, 5, 6, 7].into()).into_iter().collect();
    assert_eq!(some.roots(MONTH, &sizes), expected);
    assert_eq!(whole.roots(MONTH, &sizes).len(), 7);
    let mut passing = Passing::default();
    for (size, text) in (1..).zip(texts) {
        drop(passing.append(Digest::of(text.as_bytes())));
        assert_eq!(whole.roots(MONTH, &sizes)[&size], passing.root());
    }
    assert_eq!(whole.roots(MONTH, &[u64::MAX].into()), BTreeMap::new());
}

#[test]
fn a_restore_explains_nothing_of_what_the_backup_had() {
    let note = |mut pack: Contents, number: u64, size: u64, root: Digest| {
        let detail = format!(r#"{{"backup_made_at":5,"month":"{MONTH}","size":{size},"root":"{root}"}}"#);
        let record = AuditRecord {
            v: 1,
            contract: "demo".to_owned(),
            number,
            at: 7,
            by: "server".to_owned(),
            action: RESTORED_FROM_BACKUP.to_owned(),
            object: "server".to_owned(),
            detail: serde_json::value::RawValue::from_string(detail).unwrap(),
        };
        let (json, month, proof) = (record.to_json().unwrap(), MONTH.to_owned(), Vec::new());
        pack.entry(&record, &AuditLine { json, month, leaf: 87 + number, proof });
        pack
    };
    let noted = |texts: &[&str], size, root| note(pack(texts, HOUR_MS), 3, size, root);
    let older = pack(&["a", "b", "c"], 0);
    let root = |size| older.roots(MONTH, &[size].into())[&size];
    let told = |pack: &Contents| {
        let compared = compare(pack, &older);
        let restores: Vec<_> = compared.restores.iter().map(|it| it.tree.clone()).collect();
        (compared.contradictions.len(), restores, compared.unexplained)
    };
    // The third is another one; the backup had two.
    assert_eq!(told(&noted(&["a", "b", "x"], 2, root(2))), (2, vec![place(2)], Some(0)));
    // It is said to have had all three: the event and both trees, that of the backup by what it is and by what it should be.
    assert_eq!(told(&noted(&["a", "b", "x"], 3, root(3))), (2, vec![place(3)], Some(2)));
    // After a second restore the first one explains what it did.
    let twice = note(noted(&["a", "b", "x"], 2, root(2)), 4, 3, root(3));
    assert_eq!(told(&twice), (2, vec![place(2), place(3)], Some(0)));
    assert_eq!(told(&pack(&["a", "b", "x"], HOUR_MS)).2, None, "nobody speaks of a restore");
    // Another root than that of its own leaves.
    let forged = noted(&["a", "b", "c"], 2, Digest::of(b"another"));
    assert_eq!(found(&forged, &part(&[], 0)), [Contradiction::Tree { month: MONTH.to_owned(), size: 2 }]);
}

#[test]
fn results_that_are_gone_are_counted_where_one_log_is_longer() {
    let judged = |contents: &mut Contents, seq, number, judged_at| {
        let (why, by) = ("received".to_owned(), "server".to_owned());
        contents.happened(("t", seq), 0);
        contents.result("t", &Judgement { seq, number, judged_at, res: None, why, by });
    };
    let result = |contents: &mut Contents, seq, number| judged(contents, seq, number, 0);
    let (mut older, mut newer) = (pack(&["a", "b"], 0), pack(&["a", "b", "c"], HOUR_MS));
    [(1, 1), (1, 2), (2, 1)].into_iter().for_each(|(seq, number)| result(&mut older, seq, number));
    result(&mut newer, 1, 1);
    newer.happened(("t", 2), 0);
    assert_eq!((compare(&newer, &older).results_gone, compare(&older, &newer).results_gone), (2, 2));
    // Somebody has judged anew while the older pack was being made: the newer one may have been made before.
    judged(&mut older, 1, 3, HOUR_MS);
    assert_eq!(compare(&newer, &older).results_gone, 2);
    older.results.remove(&("t".to_owned(), 1, 3));
    // Nothing is said of what is withheld, nor of packs of one moment; the shorter one need not have them.
    newer.events.get_mut(&("t".to_owned(), 2)).unwrap().happened = None;
    assert_eq!(compare(&newer, &older).results_gone, 1);
    let mut same = pack(&["a", "b"], 0);
    same.happened(("t", 1), 0);
    assert_eq!(compare(&same, &older).results_gone, 0);
    result(&mut newer, 1, 2);
    result(&mut newer, 1, 3);
    assert_eq!(compare(&newer, &older).results_gone, 0);
    assert_eq!(compare(&newer, &older).contradictions, []);
}

#[test]
fn ranges_are_found_by_their_numbers() {
    let mut contents = Contents::default();
    contents.missing("t", &[(2, 3), (7, 7)]);
    let of = |number| ("t".to_owned(), number);
    let missing: Vec<_> = (1..=8).filter(|number| contents.is_missing(&of(*number))).collect();
    assert_eq!(missing, [2, 3, 7]);
    assert!(!contents.is_missing(&("u".to_owned(), 2)));
}

#[test]
fn a_receipt_does_not_call_missing_what_was_in_the_log_before() {
    let key = SecretKey::from_seed(&[42; 32]);
    let (all, some) = (pack(&["a", "b", "c"], 0), part(&["z"], 0));
    let told = |ranges: &[[u64; 2]], size| {
        let named = tree(size, all.roots(MONTH, &[size].into())[&size]);
        let line = receipt(&key, 9, "a", None, Some(named));
        let receipt: Receipt = Signed::parse(line.as_bytes()).unwrap().peek().unwrap();
        let receipt = Receipt { items: vec![], missing: ranges.to_vec(), ..receipt };
        Signed::seal(Context::Receipt, &receipt, &key).unwrap().to_json().unwrap()
    };
    let read = |pack: &Contents, lines: &[String]| {
        let lines = lines.iter().map(String::as_str);
        found(pack, &Contents::of_receipts(lines, &key.public(), pack))
    };
    let missing = |first, last| vec![events([first, last], Difference::CalledMissing)];
    assert_eq!(read(&all, &[told(&[[2, 2]], 2)]), missing(2, 2));
    assert_eq!(read(&all, &[told(&[[2, 2]], 1)]), [], "it came afterwards");
    assert_eq!(read(&all, &[told(&[[3, 2], [4, 9]], 3)]), []);
    // Of several the one with the largest tree, as long as it lasts.
    assert_eq!(read(&all, &[told(&[[1, 9]], 1), told(&[[2, 2]], 3)]), missing(1, 2));
    assert_eq!(read(&all, &[told(&[[1, 2]], 3), told(&[[1, 9]], 2)]), missing(1, 2));
    // Beside an older receipt, whatever the pack shows.
    let stored = receipt(&key, 7, "a", Some(1), None);
    assert_eq!(read(&some, &[stored.clone(), told(&[[7, 7]], 2)])[0], missing(7, 7)[0]);
}
