//! A record of a small office, as a server wrote it: what the verifier says of it, and of every change to it.
//!
//! `record.jsonl` is made by `cargo run -p mngntime-fuzzed --example seeds -- --record`; the server's key is the one
//! of seed 42. Changes that keep the server's signatures are made here; those that need its key are in the server's
//! own tests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use mngntime_evidence::format::Line;
use mngntime_evidence::verify::{FaultKind, NotedKind, Stamped, contradictions};
use mngntime_evidence::{Report, Seal, Verifier, words};
use mngntime_ledger::audit::AuditRecord;
use mngntime_model::Language;
use mngntime_wire::{Context, LogHead, LogPlace, LogTree, Receipt, SecretKey, Signed};
use serde_json::Value;

const RECORD: &str = include_str!("record.jsonl");

fn record() -> Vec<String> {
    RECORD.lines().map(str::to_owned).collect()
}

fn verify(lines: &[String]) -> Report {
    let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
    lines.iter().for_each(|line| verifier.read(line));
    verifier.finish()
}

/// The record after a change, its end counting what is there.
fn changed(change: impl FnOnce(&mut Vec<String>)) -> Report {
    let mut lines = record();
    change(&mut lines);
    if lines.last().is_some_and(|line| line.contains("\"type\":\"end\"")) {
        let count = lines.len() - 1;
        *lines.last_mut().unwrap() = format!("{{\"type\":\"end\",\"lines\":{count}}}");
    }
    verify(&lines)
}

/// Numbers of the lines of a kind, from 0.
fn of(kind: &str) -> Vec<usize> {
    let is_it = |line: &str| serde_json::from_str::<Value>(line).unwrap()["type"] == kind;
    record().iter().enumerate().filter(|(_, line)| is_it(line)).map(|(at, _)| at).collect()
}

fn kinds(report: &Report) -> Vec<FaultKind> {
    report.faults.iter().map(|fault| fault.kind.clone()).collect()
}

/// Replaces a text in one line.
fn with(at: usize, from: &str, to: &str) -> Vec<FaultKind> {
    kinds(&changed(|lines| {
        let touched = lines[at].replacen(from, to, 1);
        assert_ne!(touched, lines[at], "{from}");
        lines[at] = touched;
    }))
}

#[test]
fn the_whole_record_is_authentic_and_everything_is_counted() {
    let report = verify(&record());
    assert_eq!(report.faults, []);
    assert!(report.is_authentic());
    assert_eq!(report.trees.iter().map(|tree| tree.size).collect::<Vec<_>>(), [5, 6]);
    assert_eq!((report.earlier_trees, report.older_months), (4, false));
    assert_eq!((report.terminals, report.file_keys), (1, 1));
    assert_eq!((report.events, report.hidden, report.signed, report.receipted), (3, 2, 3, 3));
    assert_eq!((report.links, report.breaks.len(), report.receipts), (2, 0, 5));
    assert_eq!((report.entries, report.account_links), (2, 1));
    assert_eq!((report.unbacked_keys, report.unbacked_links), (0, 0));
    assert_eq!((report.missing.len(), report.declared_missing), (1, 0));
    assert_eq!((report.missing[0].1, report.missing[0].2), (4, 4));
    assert_eq!(report.days, [0, 0, 11]);
}

#[test]
fn nothing_can_be_written_into_an_envelope_beside_what_is_signed() {
    for (kind, fault) in [("head", FaultKind::WrongHead), ("receipt", FaultKind::WrongReceipt)] {
        for at in of(kind) {
            for (from, to) in [
                ("\"envelope\":\"{", "\"envelope\":\"{\\\"note\\\":\\\"paid\\\","),
                ("\"envelope\":\"{", "\"envelope\":\"{ "),
                ("\"}\"}", "\"} \"}"),
            ] {
                assert!(with(at, from, to).contains(&fault), "{kind} in line {at}: {to}");
            }
        }
    }
}

#[test]
fn no_line_that_is_signed_or_proven_can_be_left_out_doubled_or_moved() {
    for kind in ["pack", "missing", "event", "hidden", "end"] {
        for at in of(kind) {
            assert!(!changed(|lines| drop(lines.remove(at))).is_authentic(), "{kind} left out");
            let doubled = changed(|lines| lines.insert(at, lines[at].clone()));
            assert!(!doubled.is_authentic(), "{kind} doubled");
        }
    }
    let count = record().len();
    for at in 1..count {
        let kind = |lines: &[String], at: usize| lines[at][..16].to_owned();
        if kind(&record(), at) != kind(&record(), at - 1) {
            assert!(!changed(|lines| lines.swap(at, at - 1)).is_authentic(), "{at} moved");
        }
    }
}

#[test]
fn what_stands_under_an_event_s_number_is_what_the_server_has_signed() {
    for at in of("event") {
        for (from, to) in [
            ("\\\"occurred_at\\\":17", "\\\"occurred_at\\\":16"),
            ("\"received_at\":17", "\"received_at\":16"),
            ("\"resent\":false", "\"resent\":true"),
            ("\"clock_offset_ms\":0", "\"clock_offset_ms\":1"),
        ] {
            let faults = with(at, from, to);
            assert!(
                faults.iter().any(|fault| matches!(fault, FaultKind::NotInLog { .. })),
                "{to}: {faults:?}"
            );
        }
        let no_event = with(at, "{\\\"v\\\":1", "{\\\"v\\\":2");
        assert!(no_event.iter().any(|fault| matches!(fault, FaultKind::WrongEvent { .. })), "{no_event:?}");
    }
    let hidden = of("hidden")[0];
    let digest = record()[hidden].split("\"hash\":\"").nth(1).unwrap()[..64].to_owned();
    assert!(with(hidden, &digest, &"0".repeat(64)).contains(&FaultKind::NotInLog { sequence: 3 }));
    assert!(with(hidden, &digest, "none").contains(&FaultKind::Malformed));
}

#[test]
fn signatures_days_and_results_are_checked() {
    assert_eq!(with(of("batch")[0], "\"signature\":\"", "\"signature\":\"A"), [FaultKind::WrongBatch]);
    let batch = of("batch")[0];
    let digest = record()[batch].split("\"digest\":\"").nth(1).unwrap()[..64].to_owned();
    assert_eq!(with(batch, &digest, &"0".repeat(64)), [FaultKind::WrongBatch]);
    for day in of("day") {
        let (from, to) = [("observed", "unknown"), ("agent_off", "observed"), ("unknown", "observed")]
            .into_iter()
            .find(|(from, _)| record()[day].contains(&format!("\"state\":\"{from}\"")))
            .unwrap();
        let (from, to) = (format!("\"state\":\"{from}\""), format!("\"state\":\"{to}\""));
        assert_eq!(with(day, &from, &to), [FaultKind::WrongDay]);
        assert_eq!(with(day, "\"late\":0", "\"late\":1"), [FaultKind::WrongDay]);
        // The next day is then no longer the next one.
        assert!(with(day, "\"span\":[17", "\"span\":[16").contains(&FaultKind::WrongDay));
    }
    for judgement in of("judgement") {
        let wrong = with(judgement, "\"seq\":", "\"seq\":9");
        assert!(wrong.contains(&FaultKind::WrongJudgement), "{wrong:?}");
        let number = with(judgement, "\"number\":", "\"number\":9");
        assert!(number.contains(&FaultKind::WrongJudgement), "{number:?}");
    }
}

#[test]
fn each_day_stands_once_after_the_one_before_it() {
    let days = of("day");
    for at in &days {
        let without = kinds(&changed(|lines| drop(lines.remove(*at))));
        assert!(without.contains(&FaultKind::WrongDay), "{at}: {without:?}");
        let twice = kinds(&changed(|lines| lines.insert(*at, lines[*at].clone())));
        assert!(twice.contains(&FaultKind::WrongDay), "{at}: {twice:?}");
    }
}

#[test]
fn a_time_that_does_not_fit_is_told_with_the_event_it_is_of() {
    let terminal: Value = serde_json::from_str(&record()[of("terminal")[0]]).unwrap();
    let report = changed(|lines| {
        let at = of("event")[1];
        lines[at] = lines[at].replacen("\"received_at\":17", "\"received_at\":16", 1);
    });
    let id = terminal["id"].as_str().unwrap().to_owned();
    assert_eq!((report.odd_time_count, report.odd_times.len()), (1, 1));
    assert_eq!(report.odd_times[0].of, Stamped::Event { terminal: id, sequence: 2 });
}

#[test]
fn heads_and_earlier_trees_are_checked() {
    for head in of("head") {
        let without = changed(|lines| drop(lines.remove(head)));
        assert!(!without.is_authentic());
        assert!(with(head, "signature\\\":\\\"", "signature\\\":\\\"A").contains(&FaultKind::WrongHead));
    }
    for earlier in of("earlier") {
        let root = record()[earlier].split("\"root\":\"").nth(1).unwrap()[..64].to_owned();
        assert!(with(earlier, &root, &"0".repeat(64)).contains(&FaultKind::NotAppendOnly));
        assert!(with(earlier, "\"month\":\"2026", "\"month\":\"2025").contains(&FaultKind::NotAppendOnly));
    }
}

/// A receipt as the server itself would sign it, after a change; what is found then.
fn with_receipt(at: usize, change: impl FnOnce(&mut Receipt)) -> Vec<FaultKind> {
    kinds(&changed(|lines| {
        let envelope = serde_json::from_str::<Value>(&lines[at]).unwrap()["envelope"].clone();
        let mut receipt: Receipt =
            Signed::parse(envelope.as_str().unwrap().as_bytes()).unwrap().peek().unwrap();
        change(&mut receipt);
        let envelope = Signed::seal(Context::Receipt, &receipt, &SecretKey::from_seed(&[42; 32])).unwrap();
        lines[at] = format!(
            "{{\"type\":\"receipt\",\"envelope\":{}}}",
            serde_json::to_string(&envelope.to_json().unwrap()).unwrap()
        );
    }))
}

/// Whether a head as the server itself would sign it is refused after a change.
fn is_wrong_head(at: usize, change: impl FnOnce(&mut LogHead)) -> bool {
    let report = changed(|lines| {
        let envelope = serde_json::from_str::<Value>(&lines[at]).unwrap()["envelope"].clone();
        let mut head: LogHead = Signed::parse(envelope.as_str().unwrap().as_bytes()).unwrap().peek().unwrap();
        change(&mut head);
        let envelope = Signed::seal(Context::LogHead, &head, &SecretKey::from_seed(&[42; 32])).unwrap();
        lines[at] = format!(
            "{{\"type\":\"head\",\"envelope\":{}}}",
            serde_json::to_string(&envelope.to_json().unwrap()).unwrap()
        );
    });
    report.faults.iter().any(|fault| fault.kind == FaultKind::WrongHead)
}

#[test]
fn each_head_continues_the_closed_month_before_it() {
    let [first, second] = of("head")[..] else { panic!("two heads") };
    assert!(!is_wrong_head(first, |_| {}) && !is_wrong_head(second, |_| {}));
    assert!(is_wrong_head(first, |head| head.closed = false));
    assert!(is_wrong_head(second, |head| head.tree.month = "2026-11".to_owned()), "one month has one head");
    assert!(is_wrong_head(second, |head| head.tree.month = "2026-10".to_owned()));
    assert!(is_wrong_head(second, |head| head.previous = None));
    assert!(is_wrong_head(second, |head| head.previous.as_mut().unwrap().size = 4));
    assert!(is_wrong_head(second, |head| head.v = 2));
    assert!(is_wrong_head(second, |head| head.tree.size = 0), "a month without leaves has no head");
    assert!(is_wrong_head(second, |head| head.tree.month = "2026-13".to_owned()));
    assert!(is_wrong_head(second, |head| head.contract = "demo1".to_owned()));
}

#[test]
fn a_record_about_an_employee_shows_that_one_and_no_other() {
    let (employee, link) = (of("employee")[0], of("link")[0]);
    let other = |line: &str| line.replacen("E1", "E2", 1);
    for found in [
        changed(|lines| drop(lines.remove(employee))),
        changed(|lines| lines[employee] = other(&lines[employee])),
        changed(|lines| lines.insert(employee, other(&lines[employee]))),
        changed(|lines| lines[link] = other(&lines[link])),
    ] {
        assert!(kinds(&found).contains(&FaultKind::OtherEmployee), "{:?}", found.faults);
    }
}

#[test]
fn a_record_may_be_of_several_terminals_or_of_none() {
    let (terminal, end) = (of("terminal")[0], of("end")[0]);
    let another = changed(|lines| {
        let line = lines[terminal].replacen("\"id\":\"2", "\"id\":\"3", 1);
        lines.insert(end, line.replacen("\"last\":6", "\"last\":0", 1));
    });
    assert_eq!(another.terminals, 2);
    let twice = changed(|lines| lines.insert(end, lines[terminal].clone()));
    assert!(kinds(&twice).contains(&FaultKind::Misplaced), "one terminal is told of once");
    assert!(!kinds(&another).contains(&FaultKind::Misplaced));
    // Nobody was told of a state of the log, then.
    let none = changed(|lines| {
        lines.drain(terminal..end);
        lines.retain(|line| !line.starts_with("{\"type\":\"earlier\""));
    });
    assert_eq!((none.terminals, kinds(&none)), (0, vec![]));
}

#[test]
fn a_receipt_says_what_the_record_says() {
    let first = of("receipt")[0];
    assert_eq!(with_receipt(first, |_| {}), []);
    let place = |month: &str, leaf| Some(LogPlace { month: month.to_owned(), leaf });
    type Change<'a> = Box<dyn FnOnce(&mut Receipt) + 'a>;
    let wrong: Vec<Change<'_>> = vec![
        Box::new(|receipt| receipt.items[0].hash = "0".repeat(64)),
        Box::new(|receipt| receipt.items[0].log = place("2026-11", 1)),
        Box::new(|receipt| receipt.items[0].log = place("2026-12", 2)),
        // An event cannot be missing with a receipt.
        Box::new(|receipt| receipt.items[0].seq = 4),
        Box::new(|receipt| receipt.terminal = "another".to_owned()),
        Box::new(|receipt| {
            let root = "0".repeat(64);
            receipt.log = Some(LogTree { month: "2026-11".to_owned(), size: 3, root });
        }),
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        let found = with_receipt(first, change);
        assert!(found.contains(&FaultKind::WrongReceipt), "change {number}: {found:?}");
    }
    // Answers may cross on the way: digest and place bind the event.
    assert_eq!(with_receipt(first, |receipt| receipt.received_at -= 1), []);
    // What it says of numbers that the record is not about, or did not take, is not compared.
    assert_eq!(with_receipt(first, |receipt| receipt.items[0].seq = 99), []);
    let refused = |receipt: &mut Receipt| {
        (receipt.items[0].stored, receipt.items[0].hash) = (false, "0".repeat(64));
    };
    assert_eq!(with_receipt(first, refused), []);
}

#[test]
fn an_entry_of_another_version_or_contract_is_none() {
    for at in of("audit") {
        for (from, to) in [("{\\\"v\\\":1", "{\\\"v\\\":2"), ("\\\"demo0\\\"", "\\\"demo1\\\"")] {
            assert!(with(at, from, to).contains(&FaultKind::WrongEntry), "{to}");
        }
    }
}

#[test]
fn what_a_server_holds_is_compared_with_the_entries_as_a_record_is() {
    let (mut entries, mut links, mut terminals) = (vec![], vec![], vec![]);
    for line in record() {
        let line = serde_json::from_str(&line).unwrap();
        if let Line::Audit(entry) = line {
            let record: AuditRecord = serde_json::from_str(&entry.json).unwrap();
            entries.push((record, (entry.month, entry.leaf)));
        } else if let Line::Link(link) = line {
            links.push(link);
        } else if let Line::Terminal(terminal) = line {
            terminals.push((terminal, Some(("2026-11".to_owned(), 2))));
        }
    }
    let found = |links: &[_], terminals: &[_]| {
        contradictions(entries.iter().map(|(record, position)| (record, position.clone())), links, terminals)
    };
    assert_eq!(found(&links, &terminals), []);
    let mut ended = links.clone();
    ended[0].dates.1 = Some("2026-12-01".to_owned());
    assert!(is_contradicted(&found(&ended, &terminals), NotedKind::Link));
    assert!(is_contradicted(&found(&[], &terminals), NotedKind::Link), "a link that was removed");
    let mut renamed = terminals.clone();
    renamed[0].0.host_name = "PC-0232".to_owned();
    assert!(is_contradicted(&found(&links, &renamed), NotedKind::Terminal));
    let mut earlier = terminals.clone();
    earlier[0].1 = Some(("2026-10".to_owned(), 0));
    assert!(is_contradicted(&found(&links, &earlier), NotedKind::Terminal), "an event before the enrolment");
}

/// Otherwise a server could rewrite what a PC had been told of, and keep only the states that fit.
#[test]
fn a_state_of_the_log_that_a_receipt_names_cannot_be_left_out() {
    for earlier in of("earlier") {
        let found = kinds(&changed(|lines| drop(lines.remove(earlier))));
        assert!(found.contains(&FaultKind::WrongReceipt), "line {earlier}: {found:?}");
    }
}

#[test]
fn another_key_another_contract_and_other_rules_are_another_servers() {
    let mut verifier = Verifier::new(SecretKey::from_seed(&[1; 32]).public());
    record().iter().for_each(|line| verifier.read(line));
    assert!(kinds(&verifier.finish()).contains(&FaultKind::OtherServer));
    assert!(with(0, "\"v\":2", "\"v\":1").contains(&FaultKind::OtherServer));
    assert!(with(0, "\"completeness\":1", "\"completeness\":9").contains(&FaultKind::OtherServer));
    assert!(with(0, "\"contract\":\"demo", "\"contract\":\"demi").contains(&FaultKind::WrongHead));
    assert!(with(0, "{\"type\"", "{ \"type\"").contains(&FaultKind::Malformed));
}

#[test]
fn a_seal_of_another_contract_time_or_version_is_another_servers() {
    let pack: Value = serde_json::from_str(&record()[0]).unwrap();
    let own = Seal {
        v: 1,
        contract: pack["contract"].as_str().unwrap().to_owned(),
        sealed_at: pack["made_at"].as_i64().unwrap(),
        bytes: 0,
        sha256: String::new(),
    };
    let faults = |seal: &Seal| {
        let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
        record().iter().for_each(|line| verifier.read(line));
        kinds(&verifier.finish_with(seal))
    };
    assert_eq!(faults(&own), []);
    for other in [
        Seal { v: 2, ..own.clone() },
        Seal { contract: "demo1".into(), ..own.clone() },
        Seal { sealed_at: own.sealed_at + 1, ..own.clone() },
    ] {
        assert_eq!(faults(&other), [FaultKind::OtherServer]);
    }
}

#[test]
fn no_number_stands_beyond_the_last_that_a_terminal_is_said_to_have() {
    let terminal = of("terminal")[0];
    let faults = with(terminal, "\"first\":1,\"last\":6", "\"first\":1,\"last\":5");
    assert!(faults.contains(&FaultKind::WrongEvent { sequence: 6 }), "{faults:?}");
}

#[test]
fn a_record_of_everything_begins_with_each_terminals_first_number() {
    let terminal = of("terminal")[0];
    let is_misplaced = |first: &str| {
        let report = changed(|lines| {
            let (begin, rest) = lines[0].split_once("\"employee\"").unwrap();
            let (_, rest) = rest.split_once("\"rules\"").unwrap();
            lines[0] = format!("{begin}\"rules\"{rest}");
            lines[terminal] = lines[terminal].replace("\"first\":1,", first);
        });
        let at_terminal = report.faults.iter().filter(|fault| fault.line == terminal as u64 + 1);
        at_terminal.map(|fault| &fault.kind).any(|kind| *kind == FaultKind::Misplaced)
    };
    assert!(!is_misplaced("\"first\":1,"));
    assert!(is_misplaced("\"first\":2,"));
}

/// The record of one employee, passed off as one of everything.
#[test]
fn a_record_of_everything_holds_every_leaf_of_the_log() {
    let cut = |from: &str, to: &str| {
        let report = changed(|lines| {
            let (begin, rest) = lines[0].split_once(from).unwrap();
            let (_, rest) = rest.split_once(to).unwrap();
            lines[0] = format!("{begin}{to}{rest}");
        });
        let everything = report.pack.as_ref().unwrap().is_about_everything();
        (everything, kinds(&report).contains(&FaultKind::NotEverything))
    };
    assert_eq!(cut("\"employee\"", "\"rules\""), (true, true));
    assert_eq!(cut("\"employee\"", "\"dates\""), (false, false), "everybody, on some dates");
    assert_eq!(cut("\"dates\"", "\"rules\""), (false, false), "somebody, at all times");
}

#[test]
fn a_number_that_is_neither_there_nor_missing_is_named() {
    for (kind, number) in [("missing", 4), ("event", 1), ("hidden", 3)] {
        let found = kinds(&changed(|lines| drop(lines.remove(of(kind)[0]))));
        assert!(found.contains(&FaultKind::LeftOut { sequence: number }), "{kind}: {found:?}");
    }
    let found = kinds(&changed(|lines| drop(lines.remove(of("hidden")[1]))));
    assert!(found.contains(&FaultKind::LeftOut { sequence: 6 }), "the last one: {found:?}");
}

#[test]
fn a_record_without_any_head_of_the_log_is_none() {
    let found = changed(|lines| {
        let kept = ["pack", "employee", "end"].map(|kind| format!("{{\"type\":\"{kind}\""));
        lines.retain(|line| kept.iter().any(|begin| line.starts_with(begin)));
    });
    assert_eq!(kinds(&found), [FaultKind::NoHead]);
}

#[test]
fn what_is_asked_for_is_kept_and_the_events_without_a_signature_are_named() {
    let mut verifier =
        Verifier::new(SecretKey::from_seed(&[42; 32]).public()).keeping_punches().keeping_contents();
    record().iter().for_each(|line| verifier.read(line));
    let report = verifier.finish();
    let told = report.punches.iter().map(|punch| (punch.sequence, punch.is_logon, punch.is_signed));
    assert_eq!(told.collect::<Vec<_>>(), [(2, true, true), (5, true, true)]);
    assert_eq!(report.hosts.values().collect::<Vec<_>>(), ["PC-0231"]);
    let own = report.contents.unwrap();
    let same = mngntime_evidence::against::compare(&own, &own);
    assert_eq!((same.contradiction_count, same.events, same.entries, same.trees), (0, 5, 2, 5));
    assert!(same.parts > 0, "what its proofs show is kept");
    let plain = verify(&record());
    assert_eq!((plain.punches, plain.contents, plain.unsigned), (vec![], None, vec![]));
    let unsigned = changed(|lines| drop(lines.remove(of("batch")[0])));
    let named: Vec<_> = unsigned.unsigned.iter().map(|event| (event.sequence, event.date.as_str())).collect();
    assert_eq!(unsigned.signed + named.len() as u64, 3);
    assert!(named.iter().all(|(_, date)| *date >= "2026-11-23"), "{named:?}");
}

/// Whether the record without anything that has come after it has a fault.
fn is_refused_after(before: &Verifier, line: &str) -> bool {
    let mut verifier = before.clone();
    verifier.read(line);
    // The end is missing in any case.
    verifier.finish().faults.iter().any(|fault| fault.kind != FaultKind::WrongCount)
}

#[test]
fn no_bit_of_an_entry_of_the_audit_log_can_be_changed() {
    let lines = record();
    let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
    let mut flipped_bits = 0;
    for (at, line) in lines.iter().enumerate() {
        if of("audit").contains(&at) {
            assert!(!is_refused_after(&verifier, line));
            for bit in 0..line.len() * 8 {
                let mut bytes = line.clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                // What is no text is read by nobody.
                let Ok(flipped) = String::from_utf8(bytes) else { continue };
                assert!(is_refused_after(&verifier, &flipped), "bit {bit}: {flipped}");
                flipped_bits += 1;
            }
        }
        verifier.read(line);
    }
    assert!(flipped_bits > 8_000, "{flipped_bits}");
}

#[test]
fn entries_stand_once_and_in_the_order_of_the_log() {
    let [first, second] = of("audit")[..] else { panic!("two entries") };
    assert!(kinds(&changed(|lines| lines.swap(first, second))).contains(&FaultKind::Misplaced));
    assert!(
        kinds(&changed(|lines| lines.insert(first, lines[first].clone()))).contains(&FaultKind::Misplaced)
    );
    // A tree of which a PC was told is no place that an entry could be said to stand in.
    let month = with(second, "\"month\":\"2026-12\"", "\"month\":\"2026-12/1/x\"");
    assert!(month.contains(&FaultKind::EntryNotInLog { number: 4 }), "{month:?}");
}

fn is_contradicted(kinds: &[FaultKind], what: NotedKind) -> bool {
    kinds.iter().any(|kind| matches!(kind, FaultKind::NotAsNoted { kind, .. } if *kind == what))
}

#[test]
fn a_terminal_that_is_not_as_it_was_enrolled_is_refused() {
    let terminal = of("terminal")[0];
    for (from, to) in [
        ("6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=", "GX9rI+FshTLGq8g4+s1ep4m+DHaykgM0A5v6iz02jWE="),
        ("\"key_class\":\"file\"", "\"key_class\":\"tpm\""),
        ("PC-0231", "PC-0232"),
        ("\"enrolled_at\":17", "\"enrolled_at\":16"),
    ] {
        let found = with(terminal, from, to);
        assert!(is_contradicted(&found, NotedKind::Terminal), "{to}: {found:?}");
    }
}

#[test]
fn a_link_that_is_not_as_it_was_noted_is_refused() {
    let link = of("link")[0];
    for (from, to) in [
        ("S-1-5-21-hanako", "S-1-5-21-taro"),
        ("\"employee\":\"E1\"", "\"employee\":\"E2\""),
        ("[\"2026-01-01\",null]", "[\"2026-01-02\",null]"),
        ("[\"2026-01-01\",null]", "[\"2026-01-01\",\"2026-12-01\"]"),
        ("\"void\":false", "\"void\":true"),
        ("\"made\":[17", "\"made\":[16"),
        ("command-line", "administrator:x"),
        ("\"ended\":null", "\"ended\":[1796274000000,\"command-line\"]"),
        ("\"id\":\"0", "\"id\":\"1"),
    ] {
        let found = with(link, from, to);
        assert!(is_contradicted(&found, NotedKind::Link), "{to}: {found:?}");
    }
    assert!(is_contradicted(&kinds(&changed(|lines| drop(lines.remove(link)))), NotedKind::Link));
    let twice = changed(|lines| lines.insert(link, lines[link].clone()));
    assert!(is_contradicted(&kinds(&twice), NotedKind::Link));
}

#[test]
fn what_no_entry_backs_is_said_to_be_the_servers_word() {
    let [enrolment, link] = of("audit")[..] else { panic!("two entries") };
    for (at, unbacked) in [(enrolment, (1, 0)), (link, (0, 1))] {
        let report = changed(|lines| drop(lines.remove(at)));
        assert_eq!(report.faults, []);
        assert_eq!((report.unbacked_keys, report.unbacked_links), unbacked);
        let (keys, links) = unbacked;
        let said = |language| words::not_proven(&report, language).concat();
        let english = format!("public keys of {keys} terminal(s) and {links} link(s)");
        assert!(said(Language::English).contains(&english), "{}", said(Language::English));
        let japanese = format!("端末{keys}台の公開鍵とアカウントの関連付け{links}件は");
        assert!(said(Language::Japanese).contains(&japanese), "{}", said(Language::Japanese));
    }
    let all = words::not_proven(&verify(&record()), Language::English).concat();
    assert!(!all.contains("public keys of"), "{all}");
}

#[test]
fn nothing_is_said_to_be_unchanged_since_and_entries_that_may_be_left_out_are_named() {
    let report = verify(&record());
    let japanese = words::proven(&report, Language::Japanese).concat();
    assert!(!japanese.contains("その後変更されていません"), "no pack shows that: {japanese}");
    for (language, text) in [(Language::Japanese, "監査記録を省く"), (Language::English, "leave entries out")]
    {
        let part = words::not_proven(&report, language).concat();
        assert!(part.contains(text), "{part}");
        let mut everything = report.clone();
        let pack = everything.pack.as_mut().unwrap();
        (pack.employee, pack.dates) = (None, None);
        let all = words::not_proven(&everything, language).concat();
        assert!(!all.contains(text), "{all}");
    }
}

#[test]
fn events_without_a_receipt_are_counted_in_words() {
    let report = changed(|lines| {
        lines.retain(|line| {
            !["receipt", "earlier"].iter().any(|kind| line.starts_with(&format!("{{\"type\":\"{kind}\"")))
        });
    });
    assert_eq!((report.faults.len(), report.receipted), (0, 0));
    let said = |report: &Report, language| words::not_proven(report, language).concat();
    assert!(said(&report, Language::English).contains("gave a receipt for 3 events"));
    assert!(
        said(&report, Language::Japanese).contains("3件のイベントについて、サーバーが受領証を渡したこと")
    );
    assert!(!said(&verify(&record()), Language::English).contains("gave a receipt"));
}

/// Everything of a contract whose first month was retired (`MNGNTIME_RETIRED_RECORD=… cargo nextest run -p mngntime-server
/// a_pack_about_everything_proves` makes it anew).
const RETIRED: &str = include_str!("retired.jsonl");

#[test]
fn of_a_retired_month_every_number_is_named() {
    let mut lines: Vec<_> = RETIRED.lines().map(str::to_owned).collect();
    let terminals = |lines: &[String]| -> Vec<usize> {
        let is_it = |(_, line): &(usize, &String)| line.starts_with("{\"type\":\"terminal\"");
        lines.iter().enumerate().filter(is_it).map(|(at, _)| at).collect()
    };
    // Of the first terminal nothing is left but what the month's entry says.
    let [first, second] = terminals(&lines)[..] else { panic!("two terminals") };
    lines.drain(first..second);
    let count = lines.len() - 1;
    *lines.last_mut().unwrap() = format!("{{\"type\":\"end\",\"lines\":{count}}}");
    assert_eq!(kinds(&verify(&lines)), [FaultKind::NotEverything]);
}

#[test]
fn a_record_with_a_retired_month_holds_and_says_so_in_both_languages() {
    let report = verify(&RETIRED.lines().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!((report.faults.clone(), report.retired), (vec![], 10));
    assert_eq!(report.retired_months.len(), 1);
    assert_eq!((report.days, report.retired_days), ([1_158, 0, 1_177], 17));
    for (language, words) in [
        (Language::Japanese, "2026-11に届いた記録は、保存期間の満了により2030-02-"),
        (Language::English, "What arrived in 2026-11 was deleted on 2030-02-"),
    ] {
        let told = words::to_be_known(&report, language);
        assert!(told.iter().any(|line| line.starts_with(words)), "{told:#?}");
    }
}
