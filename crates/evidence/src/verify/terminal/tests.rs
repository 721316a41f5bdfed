//! What one terminal's lines are held against, a rule at a time.

use super::*;
use crate::verify::earlier_name;
use mngntime_model::EventKind;
use mngntime_wire::{Context, LogPlace, Receipt, Signed};

fn lines() -> impl Iterator<Item = Line> {
    include_str!("../../../tests/record.jsonl").lines().map(|line| serde_json::from_str(line).unwrap())
}

fn events() -> impl Iterator<Item = Event> {
    let shown = lines().filter_map(|line| if let Line::Event(line) = line { Some(line.json) } else { None });
    shown.map(|json| EncodedEvent::decode(&json).unwrap().event)
}

#[test]
fn a_pack_has_the_days_of_up_to_six_years() {
    let terminal =
        lines().find_map(|line| if let Line::Terminal(terminal) = line { Some(terminal) } else { None });
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None });
    let (terminal, pack) = (terminal.unwrap(), pack.unwrap());
    let begins = japan::date_at(UtcMillis(terminal.enrolled_at));
    let after = |days: i64| begins.checked_add(jiff::Span::new().days(days)).unwrap();
    let cut = |(first, last): (i64, i64), days: i64| {
        let made_at = terminal.enrolled_at + days * DAY_MS;
        let pack = format::Pack { made_at, dates: None, employee: None, ..pack.clone() };
        let mut check = TerminalCheck::new(terminal.clone()).unwrap();
        check.dates = Some((after(first), after(last)));
        check.has_all_days(&pack).then_some(check.counts.days_cut)
    };
    let has_all = |last: i64, days: i64| cut((0, last), days) == Some(vec![]);
    assert!(has_all(400, 400), "of a year and more");
    assert!(!has_all(399, 400) && !has_all(401, 400));
    assert!(has_all(2_195, 2_195) && !has_all(2_195, 3_000) && !has_all(2_196, 2_196));
    // Of more the newest, and it is told which are not there.
    assert_eq!(cut((804, 3_000), 3_000), None);
    let told = cut((805, 3_000), 3_000).unwrap();
    let dates = [begins.to_string(), after(804).to_string()];
    assert_eq!(told, [DaysCut { terminal: terminal.id.clone(), dates, days: 805 }]);
    let midnight = DAY_MS - (terminal.enrolled_at + 9 * DAY_MS / 24) % DAY_MS;
    let pack = format::Pack { made_at: terminal.enrolled_at + midnight, dates: None, ..pack.clone() };
    let mut check = TerminalCheck::new(terminal.clone()).unwrap();
    check.dates = Some((begins, begins));
    assert!(check.has_all_days(&pack), "at midnight the next day has no time yet");
}

#[test]
fn no_days_are_needed_where_the_pack_ends_before_the_terminal_began() {
    let terminal =
        lines().find_map(|line| if let Line::Terminal(terminal) = line { Some(terminal) } else { None });
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None });
    let (terminal, pack) = (terminal.unwrap(), pack.unwrap());
    let began = japan::date_at(UtcMillis(terminal.enrolled_at));
    let has_all = |to: Date| {
        let dates = Some(["2026-01-01".to_owned(), to.to_string()]);
        let pack = format::Pack { dates, ..pack.clone() };
        TerminalCheck::new(terminal.clone()).unwrap().has_all_days(&pack)
    };
    assert!(has_all(began.yesterday().unwrap()));
    assert!(!has_all(began), "the first day is left out");
}

#[test]
fn missing_numbers_ascend_within_those_of_the_terminal() {
    let terminal =
        lines().find_map(|line| if let Line::Terminal(terminal) = line { Some(terminal) } else { None });
    let faults = |ranges: &[(u64, u64)]| {
        let mut check = TerminalCheck::new(terminal.clone().unwrap()).unwrap();
        let numbers = ranges.iter().map(|(first, last)| format::Numbers { first: *first, last: *last });
        numbers.flat_map(|numbers| check.missing(numbers)).count()
    };
    assert_eq!(faults(&[(1, 1), (2, 2), (5, 6)]), 0);
    assert_eq!((faults(&[(4, 5), (2, 2)]), faults(&[(2, 4), (4, 5)])), (1, 1));
    assert_eq!((faults(&[(0, 1)]), faults(&[(6, 7)]), faults(&[(3, 2)])), (1, 1, 1));
}

#[test]
fn an_event_is_shown_of_whom_a_link_names_on_its_dates() {
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None });
    let link = lines().find_map(|line| if let Line::Link(link) = line { Some(link) } else { None });
    let (pack, link) = (pack.unwrap(), link.unwrap());
    let logon = events().find(|event| event.account.is_some()).unwrap();
    let date = japan::date_at(logon.occurred_at);
    let (day_before, day_after) = (date.yesterday().unwrap(), date.tomorrow().unwrap());
    let shown = |link: format::Link| is_shown(&logon, &Nights::until(None), &pack, &[link]);
    let dates = |from: Date, to: Option<Date>| format::Link {
        dates: (from.to_string(), to.map(|to| to.to_string())),
        ..link.clone()
    };
    assert!(shown(link.clone()) && shown(dates(date, Some(date))));
    for other in [
        format::Link { void: true, ..link.clone() },
        format::Link { account: "S-1-5-21-taro".to_owned(), ..link.clone() },
        format::Link { employee: "E2".to_owned(), ..link.clone() },
        dates(day_after, None),
        dates(day_before, Some(day_before)),
    ] {
        assert!(!shown(other.clone()), "{other:?}");
    }
}

fn terminal_check() -> TerminalCheck {
    let terminal =
        lines().find_map(|line| if let Line::Terminal(terminal) = line { Some(terminal) } else { None });
    TerminalCheck::new(terminal.unwrap()).unwrap()
}

fn known(digest: Digest) -> Known {
    let month = "2026-11".to_owned();
    Known { digest, month, leaf: 0, json: None, received_at: 1_000, resent: false, clock_offset_ms: 100 }
}

#[test]
fn a_chain_holds_breaks_or_is_not_seen() {
    let event = |sequence| Event { sequence, ..events().next().unwrap() };
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let after = |sequence, previous| {
        let mut check = terminal_check();
        check.known.insert(1, known(one));
        check.follow(&event(sequence), previous);
        (check.counts.links, check.counts.breaks.into_iter().map(|(_, at)| at).collect::<Vec<_>>())
    };
    assert_eq!(after(1, Digest::GENESIS), (1, vec![]));
    assert_eq!(after(1, one), (0, vec![1]));
    assert_eq!(after(2, one), (1, vec![]));
    assert_eq!(after(2, two), (0, vec![2]));
    assert_eq!(after(3, one), (0, vec![]), "what was before it is not here");
}

#[test]
fn how_an_event_came_is_what_the_batch_that_brought_it_says() {
    let sent = |name: &str, wall, resent: &[bool]| Sent {
        digest: name.to_owned(),
        wall,
        resent: resent.iter().map(|mark| (1, *mark)).collect(),
    };
    let came = |sent: Vec<Sent>, arrived: &[&str]| {
        let mut check = terminal_check();
        check.known.insert(1, known(Digest::of(b"one")));
        check.sent = sent;
        check.arrived = arrived.iter().map(|name| ((*name).to_owned(), 1_000)).collect();
        let came = check.came();
        (came.contradicted, came.with_none)
    };
    let (good, contradicted, none) = ((None, vec![]), (Some(1), vec![]), (None, vec![1]));
    assert_eq!(came(vec![], &[]), good, "no batch has it");
    assert_eq!(came(vec![sent("a", 900, &[false])], &[]), good);
    assert_eq!(came(vec![sent("a", 900, &[true])], &[]), contradicted, "not marked as it was sent");
    assert_eq!(came(vec![sent("a", 900, &[true, false])], &[]), good, "it stands there twice");
    assert_eq!(came(vec![sent("a", 800, &[true])], &[]), none, "the batch that brought it is not here");
    assert_eq!(came(vec![sent("a", 800, &[false]), sent("b", 700, &[false])], &[]), none);
    assert_eq!(came(vec![sent("a", 800, &[false])], &["c"]), none, "a receipt of a batch that is not here");
    assert_eq!(came(vec![sent("a", 800, &[false])], &["a"]), contradicted, "by its receipt: another clock");
    assert_eq!(came(vec![sent("a", 800, &[false]), sent("b", 900, &[false])], &["b"]), good, "sent twice");
    assert_eq!(came(vec![sent("a", 900, &[true]), sent("b", 900, &[false])], &[]), good);
}

#[test]
fn of_many_events_that_came_otherwise_some_are_named_and_all_are_counted() {
    let mut check = terminal_check();
    check.events = (1..=400).map(received).collect();
    let mut report = Report::default();
    check.tell_sent_otherwise(&(2..=310).collect::<Vec<_>>(), &mut report);
    check.tell_sent_otherwise(&[400], &mut report);
    let named: Vec<u64> = report.sent_otherwise.iter().map(|event| event.sequence).collect();
    assert_eq!((named.len(), named.first(), named.last()), (300, Some(&2), Some(&301)));
    assert_eq!(report.sent_otherwise_count, 310);
}

fn signed_receipt(items: Vec<mngntime_wire::ReceiptItem>) -> (PublicKey, String) {
    let key = mngntime_wire::SecretKey::from_seed(&[42; 32]);
    let receipt = Receipt {
        v: 1,
        request: "r".to_owned(),
        terminal: terminal_check().line.id,
        contract: None,
        received_at: 1_000,
        refused: None,
        items,
        head: 2,
        missing: vec![],
        spread_seconds: 0,
        contact_seconds: 0,
        display_name: String::new(),
        log: None,
    };
    (key.public(), Signed::seal(Context::Receipt, &receipt, &key).unwrap().to_json().unwrap())
}

#[test]
fn a_receipt_in_a_pack_about_everything_names_nothing_that_is_neither_shown_nor_retired_nor_newer_than_the_heads()
 {
    let one = Digest::of(b"one");
    let item = |seq, place: Option<(&str, u64)>| mngntime_wire::ReceiptItem {
        seq,
        hash: if seq == 1 { one.to_string() } else { "ab".repeat(32) },
        stored: true,
        res: None,
        log: place.map(|(month, leaf)| LogPlace { month: month.to_owned(), leaf }),
    };
    let head = |closed| mngntime_wire::LogHead {
        v: 1,
        contract: "demo".into(),
        tree: LogTree { month: "2026-11".into(), size: 9, root: String::new() },
        closed,
        previous: None,
        heads: None,
        signed_at: 0,
    };
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None }).unwrap();
    let about_all = format::Pack { employee: None, dates: None, ..pack.clone() };
    // The terminal's numbers go to 6 and 2 is retired; 1 came together with `other`.
    let read = |pack: &format::Pack, closed: bool, other: mngntime_wire::ReceiptItem| {
        let (key, envelope) = signed_receipt(vec![item(1, None), other]);
        let mut check = terminal_check();
        check.line.numbers.last = 6;
        check.retired = vec![gone_numbers(2, 2)];
        check.known.insert(1, Known { json: Some(String::new()), ..known(one) });
        let (trees, earlier, noted, head) =
            (BTreeMap::new(), BTreeSet::new(), Noted::default(), head(closed));
        let around = Around {
            key: &key,
            pack,
            links: &[],
            trees: &trees,
            earlier: &earlier,
            newest: Some(&head),
            noted: &noted,
        };
        let faults = check.receipt(&envelope, &around);
        (faults.is_empty(), check.is_withheld(1))
    };
    let of_all = |other| read(&about_all, false, other);
    assert_eq!(of_all(item(2, Some(("2026-01", 3)))), (true, true), "retired");
    // What came later says nothing of what is here.
    assert_eq!(of_all(item(7, Some(("2026-11", 9)))), (true, false));
    assert_eq!(of_all(item(7, Some(("2026-12", 0)))), (true, false));
    assert_eq!(of_all(item(7, None)), (true, false));
    for wrong in [("2026-11", 8), ("2026-10", 99)] {
        assert!(!of_all(item(7, Some(wrong))).0, "the heads tell of that place");
    }
    assert!(!of_all(item(0, None)).0 && !of_all(item(3, None)).0, "no number, and a missing one");
    assert!(!read(&about_all, true, item(7, Some(("2026-11", 9)))).0, "the month is closed");
    assert!(read(&about_all, true, item(7, Some(("2026-12", 0)))).0);
    // A part has what is beyond it.
    assert_eq!(read(&pack, false, item(7, Some(("2026-11", 8)))), (true, true));
    assert!(!read(&pack, false, item(0, None)).0);
}

#[test]
fn numbers_whose_loss_the_terminal_declares_are_counted_and_the_others_named() {
    let declared = |first, last| {
        let cause = Declared::Unreadable { first, last }.to_string();
        let event = Event {
            kind: EventKind::Gap,
            cause: Some(cause),
            account: None,
            session: None,
            ..events().next().unwrap()
        };
        Received::of(event, UtcMillis(0), 0)
    };
    let mut check = terminal_check();
    check.missing = vec![(12, 12), (14, 17)];
    check.events = vec![declared(14, 17)];
    let (id, mut report) = (check.line.id.clone(), Report::default());
    check.add_to(&mut report);
    assert_eq!((report.declared_missing, report.missing), (4, vec![(id, 12, 12)]));
}

/// Of nobody's log.
fn around<T>(with: impl FnOnce(&Around<'_>) -> T) -> T {
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None }).unwrap();
    let key = PublicKey::parse(&pack.server_key).unwrap();
    let (trees, earlier, noted) = (BTreeMap::new(), BTreeSet::new(), Noted::default());
    with(&Around {
        key: &key,
        pack: &pack,
        links: &[],
        trees: &trees,
        earlier: &earlier,
        newest: None,
        noted: &noted,
    })
}

fn gone_numbers(first: u64, last: u64) -> format::Retired {
    format::Retired { first, last, month: "2026-11".to_owned(), retired_at: 0, happened: [0, 0] }
}

#[test]
fn retired_numbers_ascend_within_those_of_the_terminal_and_apart_from_what_is_missing() {
    let misplaced = |missing: &[(u64, u64)], ranges: &[(u64, u64)]| {
        let mut check = terminal_check();
        check.missing = missing.to_vec();
        let take = |(first, last): &(u64, u64)| {
            let faults = around(|around| check.retired(&gone_numbers(*first, *last), around));
            assert!(faults.contains(&FaultKind::NotRetired { sequence: *first }), "no entry says so");
            faults
        };
        let faults: Vec<_> = ranges.iter().flat_map(take).collect();
        faults.iter().filter(|fault| **fault == FaultKind::Misplaced).count()
    };
    assert_eq!(misplaced(&[], &[(1, 1), (2, 2), (5, 6)]), 0);
    for wrong in [&[(4, 5), (2, 2)][..], &[(2, 4), (4, 5)], &[(0, 1)], &[(6, 7)], &[(3, 2)]] {
        assert_eq!(misplaced(&[], wrong), 1, "{wrong:?}");
    }
    assert_eq!(misplaced(&[(3, 4)], &[(1, 2), (5, 6)]), 0);
    for wrong in [(2, 3), (4, 5), (3, 3), (4, 4), (1, 6)] {
        assert_eq!(misplaced(&[(3, 4)], &[wrong]), 1, "{wrong:?}");
    }
}

#[test]
fn missing_and_retired_numbers_are_stepped_over_and_no_others() {
    let mut check = terminal_check();
    (check.retired, check.missing) = (vec![gone_numbers(2, 3), gone_numbers(4, 4)], vec![(6, 6)]);
    let mut to = |next, sequence| {
        check.next = next;
        (check.walk_to(sequence), check.next)
    };
    assert_eq!((to(1, 1), to(2, 5), to(6, 7)), ((vec![], 1), (vec![], 5), (vec![], 7)));
    assert_eq!(to(1, 5), (vec![FaultKind::LeftOut { sequence: 1 }], 5));
    assert_eq!(to(4, 6), (vec![FaultKind::LeftOut { sequence: 5 }], 6));
    let mut is_wrong = |next, sequence| {
        check.next = next;
        check.pass_over_missing(sequence).contains(&FaultKind::WrongEvent { sequence })
    };
    assert!(!is_wrong(2, 5) && !is_wrong(5, 5) && !is_wrong(1, 1));
    assert!(
        is_wrong(2, 2) && is_wrong(2, 3) && is_wrong(4, 4) && is_wrong(6, 6),
        "called retired or missing"
    );
    assert!(is_wrong(5, 1) && is_wrong(7, 7), "too early, and beyond the last");
}

fn received(sequence: u64) -> Received {
    let event = Event { sequence, ..events().next().unwrap() };
    Received::of(event, UtcMillis(0), 0)
}

#[test]
fn of_many_events_without_a_signature_some_are_named() {
    let mut check = terminal_check();
    check.events = (1..=302).map(received).collect();
    check.signed = [2].into();
    let mut report = Report::default();
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None }).unwrap();
    check.tell(&pack, false, &mut report);
    let named: Vec<u64> = report.unsigned.iter().map(|unsigned| unsigned.sequence).collect();
    assert_eq!((named.len(), &named[..2], named.last()), (300, &[1, 3][..], Some(&301)));
    assert_eq!(report.punches, []);
}

#[test]
fn the_witness_is_the_first_receipt_of_the_largest_tree_of_the_newest_month() {
    let pack = lines().find_map(|line| if let Line::Pack(pack) = line { Some(pack) } else { None }).unwrap();
    let furthest = |named: &[(&str, u64, i64)]| {
        let mut report = Report::default();
        for (month, size, at) in named {
            let tree = LogTree { month: (*month).to_owned(), size: *size, root: String::new() };
            let mut check = terminal_check();
            check.named.insert(earlier_name(&tree), (tree, *at));
            check.tell(&pack, false, &mut report);
        }
        report.witnessed.map(|found| (found.tree.month, found.tree.size, found.at))
    };
    assert_eq!(furthest(&[]), None);
    let (small, large, next) = (("2026-11", 3, 9), ("2026-11", 5, 8), ("2026-12", 1, 7));
    for (named, expected) in [
        (&[small, large][..], large),
        (&[large, small], large),
        (&[large, next], next),
        (&[next, large], next),
        (&[large, ("2026-11", 5, 7)], ("2026-11", 5, 7)),
        (&[large, ("2026-11", 5, 9)], large),
    ] {
        let (month, size, at) = expected;
        assert_eq!(furthest(named), Some((month.to_owned(), size, at)), "{named:?}");
    }
}

#[test]
fn days_are_counted_by_what_is_known_of_them() {
    // 2026-11-23 00:00 in Japan.
    let begins = 1_795_359_600_000;
    let at = |sequence, kind, hours: i64, cause: Option<&str>| {
        let (mut received, at) = (received(sequence), UtcMillis(begins + hours * 3_600_000));
        (received.event.kind, received.event.cause) = (kind, cause.map(str::to_owned));
        (received.event.occurred_at, received.event.recorded_at.wall) = (at, at);
        received.received_at = at;
        received
    };
    let mut check = terminal_check();
    check.events = vec![
        at(1, EventKind::ServiceStart, -1, Some("first_start")),
        at(2, EventKind::ServiceStop, 10, None),
        at(3, EventKind::ServiceStart, 15, Some("in_order")),
    ];
    check.line.last_contact_at = Some(begins + 4 * DAY_MS);
    for day in -2..4 {
        let span = [begins + day * DAY_MS, begins + (day + 1) * DAY_MS];
        let line = format::Day { date: String::new(), span, state: String::new(), late: 0, parts: vec![] };
        assert!(!around(|around| check.day(&line, around)));
    }
    assert_eq!(check.counts.days, [3, 1, 2]);
}

#[test]
fn a_batch_is_of_its_terminal_and_contract_and_hides_nothing_that_it_shows() {
    let key = mngntime_wire::SecretKey::from_seed(&[7; 32]);
    let terminal = format::Terminal { public_key: key.public().to_string(), ..terminal_check().line };
    let faults = |id: &str, contract: &str, digest: Option<&str>, hidden: &[Digest]| {
        let batch = serde_json::json!({
            "v": 1, "contract": contract, "terminal": id, "boot": "b", "waiting": 0, "makeup": "m", "agent": "0",
            "sent_at": { "wall": 0, "offset": 0, "biased": 0, "unbiased": 0 },
            "events": [{ "resent": false, "event": { "seq": 1 } }],
        });
        let envelope = Signed::seal(Context::Batch, &batch, &key).unwrap();
        let line = format::Batch {
            digest: digest.map_or_else(|| envelope.payload_digest().to_string(), str::to_owned),
            signature: envelope.signature.clone(),
            frame: mngntime_ledger::frame::Frame::of(envelope.payload.get(), &[]),
        };
        let mut check = TerminalCheck::new(terminal.clone()).unwrap();
        check.hidden = hidden.iter().copied().collect();
        around(|around| check.batch(&line, around))
    };
    let (id, contract) = (terminal.id.as_str(), "demo0");
    let shown = Digest::of(b"{\"seq\":1}");
    assert_eq!(faults(id, contract, None, &[Digest::of(b"another")]), []);
    for wrong in [
        faults("another", contract, None, &[]),
        faults(id, "demo1", None, &[]),
        faults("another", "demo1", None, &[]),
        faults(id, contract, Some("0"), &[]),
        faults(id, contract, None, &[shown]),
    ] {
        assert_eq!(wrong, [FaultKind::WrongBatch]);
    }
}

#[test]
fn a_receipt_may_have_crossed_its_events_on_the_way_and_is_told_of_when_it_is_far_from_them() {
    let odd = |received_at: i64| {
        let mut check = terminal_check();
        check.known.insert(1, Known { received_at: 900_000, ..known(Digest::of(b"one")) });
        check.known.insert(2, known(Digest::of(b"two")));
        let item =
            |seq| mngntime_wire::ReceiptItem { seq, hash: String::new(), stored: true, res: None, log: None };
        let receipt = Receipt {
            v: 1,
            request: String::new(),
            terminal: check.line.id.clone(),
            contract: None,
            received_at,
            refused: None,
            items: vec![item(1), item(2), item(99)],
            head: 2,
            missing: vec![],
            spread_seconds: 0,
            contact_seconds: 0,
            display_name: String::new(),
            log: None,
        };
        check.before_its_events(&receipt)
    };
    assert_eq!((odd(900_000), odd(600_000)), (None, None), "five minutes");
    let told = odd(599_999).unwrap();
    assert_eq!((told.at, told.oddity), (599_999, Oddity::BeforeItsEvent { received: 900_000 }));
    assert!(matches!(told.of, Stamped::Receipt { sequence: 1, .. }), "{told:?}");
}
