//! A record of a small office, as a server wrote it: what the verifier says of it, and of every change to it.
//!
//! `record.jsonl` is made by `cargo run -p mngntime-fuzzed --example seeds -- --record`; the server's key is the one
//! of seed 42. Changes that keep the server's signatures are made here; those that need its key are in the server's
//! own tests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use mngntime_evidence::verify::FaultKind;
use mngntime_evidence::{Report, Verifier};
use mngntime_wire::SecretKey;
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
    assert_eq!(report.trees.iter().map(|tree| tree.size).collect::<Vec<_>>(), [3, 2]);
    assert_eq!((report.earlier_trees, report.older_months), (4, false));
    assert_eq!((report.terminals, report.file_keys), (1, 1));
    assert_eq!((report.events, report.hidden, report.signed, report.receipted), (3, 2, 3, 3));
    assert_eq!((report.links, report.breaks.len(), report.receipts), (2, 0, 5));
    assert_eq!((report.missing.len(), report.declared_missing), (1, 0));
    assert_eq!((report.missing[0].1, report.missing[0].2), (4, 4));
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

#[test]
fn another_key_another_contract_and_other_rules_are_another_servers() {
    let mut verifier = Verifier::new(SecretKey::from_seed(&[1; 32]).public());
    record().iter().for_each(|line| verifier.read(line));
    assert!(kinds(&verifier.finish()).contains(&FaultKind::OtherServer));
    assert!(with(0, "\"v\":1", "\"v\":2").contains(&FaultKind::OtherServer));
    assert!(with(0, "\"completeness\":1", "\"completeness\":9").contains(&FaultKind::OtherServer));
    assert!(with(0, "\"contract\":\"demo", "\"contract\":\"demi").contains(&FaultKind::WrongHead));
    assert!(with(0, "{\"type\"", "{ \"type\"").contains(&FaultKind::Malformed));
}
