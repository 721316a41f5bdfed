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
    let two = |at| [given(0, 7, "a", Some(0)), given(at, 7, "x", None)];
    assert_eq!((read(&two(THREE_YEARS_MS)), read(&two(THREE_YEARS_MS - 1))), (vec![], differs(7).to_vec()));
    assert_eq!(read(&[given(0, 7, "a", None), given(0, 7, "x", None)]), [], "both of what was deleted");
    // It counts from when it is told first.
    let year = THREE_YEARS_MS / 3;
    let three = [given(year, 7, "a", Some(0)), given(0, 7, "a", Some(0)), given(3 * year, 7, "x", None)];
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
        let told = Told {
            digests: vec![Digest::of(text.as_bytes())],
            places: place(leaf).into_iter().collect(),
            ..Told::default()
        };
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
    let (one, other) = (noted(RESTORED, 7, r#"{"backup_made_at":5}"#), noted(RESTORED, 9, "{}"));
    let expected = [(7, Some(5)), (9, None)].map(|(at, backup_made_at)| Restore { at, backup_made_at });
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
