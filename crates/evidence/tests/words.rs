//! What a report says in words: everything that was counted, in both languages, and nothing that was not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::collections::BTreeSet;

use mngntime_evidence::verify::{Fault, FaultKind, NotedKind};
use mngntime_evidence::{Report, SealFault, Verifier, words};
use mngntime_model::Language;
use mngntime_wire::SecretKey;

const LANGUAGES: [Language; 2] = [Language::Japanese, Language::English];

/// What the small office's record says, which nobody doubts.
fn report() -> Report {
    let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
    include_str!("record.jsonl").lines().for_each(|line| verifier.read(line));
    verifier.finish()
}

/// The statements that come in with a change of the report, in one language.
fn added(
    said: impl Fn(&Report, Language) -> Vec<String>,
    language: Language,
    change: impl FnOnce(&mut Report),
) -> Vec<String> {
    let mut changed = report();
    let before: BTreeSet<String> = said(&changed, language).into_iter().collect();
    change(&mut changed);
    said(&changed, language).into_iter().filter(|statement| !before.contains(statement)).collect()
}

/// Both languages have the same one statement more, with all `numbers` in it.
fn one_more(said: impl Fn(&Report, Language) -> Vec<String>, change: impl Fn(&mut Report), numbers: &[&str]) {
    for language in LANGUAGES {
        let statements = added(&said, language, &change);
        let [statement] = &statements[..] else { panic!("{numbers:?}: {statements:?}") };
        assert!(numbers.iter().all(|number| statement.contains(number)), "{numbers:?}: {statement}");
    }
}

fn every_fault() -> Vec<FaultKind> {
    let (sequence, number) = (7_331, 7_331);
    vec![
        FaultKind::Malformed,
        FaultKind::Misplaced,
        FaultKind::WrongCount,
        FaultKind::OtherServer,
        FaultKind::WrongHead,
        FaultKind::NotAppendOnly,
        FaultKind::WrongEvent { sequence },
        FaultKind::LeftOut { sequence },
        FaultKind::NotInLog { sequence },
        FaultKind::WrongBatch,
        FaultKind::WrongReceipt,
        FaultKind::WrongJudgement,
        FaultKind::WrongDay,
        FaultKind::NotEverything,
        FaultKind::WrongEntry,
        FaultKind::EntryNotInLog { number },
        FaultKind::NotAsNoted { kind: NotedKind::Link, id: "7331".to_owned() },
        FaultKind::NotAsNoted { kind: NotedKind::Terminal, id: "7331".to_owned() },
        FaultKind::NotAsSent { sequence },
        FaultKind::SomebodyElse { sequence },
        FaultKind::HiddenFromNobody { sequence },
        FaultKind::OtherEmployee,
        FaultKind::Doubled,
        FaultKind::UnnamedTree,
        FaultKind::EmptyTerminal,
    ]
}

#[test]
fn each_fault_has_words_of_its_own_with_its_line_and_what_it_is_about() {
    for language in LANGUAGES {
        let mut texts = BTreeSet::new();
        for kind in every_fault() {
            let text = words::fault(&Fault { line: 12, kind: kind.clone() }, language);
            let begins = if language == Language::Japanese { "12行目: " } else { "line 12: " };
            let said = text.strip_prefix(begins).unwrap();
            assert!(!said.is_empty(), "{kind:?}");
            assert_eq!(format!("{kind:?}").contains("7331"), said.contains("7331"), "{said}");
            assert!(texts.insert(text), "{kind:?} is told like another one");
        }
        let seals = [SealFault::Missing, SealFault::WrongSignature, SealFault::Changed];
        let seals: BTreeSet<_> = seals.map(|fault| words::seal_fault(fault, language)).into();
        assert!(seals.len() == 3 && seals.iter().all(|text| text.len() > 20));
    }
}

#[test]
fn a_pack_says_whom_and_which_days_it_is_about() {
    let mut pack = report().pack.unwrap();
    let said = |pack: &_| LANGUAGES.map(|language| words::subject(pack, language));
    for text in said(&pack) {
        let dates = pack.dates.as_ref().unwrap();
        assert!(["E1", "demo0", &dates[0], &dates[1]].iter().all(|part| text.contains(part)), "{text}");
    }
    (pack.employee, pack.dates) = (None, None);
    let [japanese, english] = said(&pack);
    assert_eq!(japanese, "対象: 全社員、全期間、契約主 demo0 demo0");
    assert_eq!(english, "about: everybody, all time, contract demo0 demo0");
}

#[test]
fn what_is_proven_is_said_with_every_count() {
    for language in LANGUAGES {
        let said = words::proven(&report(), language);
        assert_eq!(said.len(), 7);
        assert!(said.iter().all(|statement| !statement.is_empty()));
        let without = Report { entries: 0, earlier_trees: 0, ..report() };
        assert_eq!(words::proven(&without, language).len(), 5, "nothing is said of what is not there");
    }
    type Change = fn(&mut Report);
    let changes: [(Change, &[&str]); 8] = [
        (|report| report.events = 941, &["941"]),
        (|report| report.hidden = 942, &["942"]),
        (|report| report.signed = 943, &["943"]),
        (|report| report.links = 944, &["944"]),
        (|report| (report.receipts, report.receipted) = (945, 946), &["945", "946"]),
        (|report| report.entries = 947, &["947"]),
        (|report| (report.account_links, report.unbacked_links) = (959, 11), &["948"]),
        (|report| report.earlier_trees = 949, &["949"]),
    ];
    for (change, numbers) in changes {
        one_more(words::proven, change, numbers);
    }
    // Keys that no entry backs are not among those that are as they were noted.
    let keys = |report: &mut Report| (report.terminals, report.unbacked_keys) = (960, 10);
    for language in LANGUAGES {
        let all = added(words::proven, language, keys).concat();
        assert!(all.contains("960") && all.contains("950"), "{all}");
    }
}

#[test]
fn what_a_reader_must_know_is_said_where_it_is_so() {
    // Of the small office: a number that never came, and its days.
    assert!(LANGUAGES.iter().all(|language| words::to_be_known(&report(), *language).len() == 2));
    let missing = |report: &mut Report| report.missing.push(("T-9".to_owned(), 951, 952));
    one_more(words::to_be_known, missing, &["T-9", "951", "952"]);
    let roll_back = |report: &mut Report| report.roll_backs.push(("T-9".to_owned(), 953));
    one_more(words::to_be_known, roll_back, &["T-9", "953"]);
    let broken = |report: &mut Report| report.breaks.push(("T-9".to_owned(), 954));
    one_more(words::to_be_known, broken, &["T-9", "954"]);
    one_more(words::to_be_known, |report| report.declared_missing = 955, &["955"]);
    one_more(words::to_be_known, |report| report.days = [956, 957, 958], &["956", "957", "958"]);
    let ahead = |report: &mut Report| report.trees[0].month = "2031-05".to_owned();
    one_more(words::to_be_known, ahead, &["2031-05"]);
}

#[test]
fn what_no_file_proves_is_said_and_what_this_one_does_not() {
    for language in LANGUAGES {
        let said = words::not_proven(&report(), language);
        assert_eq!(said.len(), 10, "{said:?}");
        let nothing_special = Report::default();
        assert_eq!(words::not_proven(&nothing_special, language).len(), 6);
    }
    one_more(words::not_proven, |report| report.clock_offset_max_ms = 961_001, &["962"]);
    one_more(words::not_proven, |report| report.unbacked_keys = 963, &["963"]);
    one_more(words::not_proven, |report| report.unbacked_links = 964, &["964"]);
    one_more(words::not_proven, |report| report.signed = report.events - 1, &["1"]);
    one_more(words::not_proven, |report| report.receipted = report.events - 2, &["2"]);
    one_more(words::not_proven, |report| report.file_keys = 965, &["965"]);
    one_more(words::not_proven, |report| report.hidden = 966, &["966"]);
    let signed_at = |report: &mut Report| report.newest_head_at = Some(1_924_999_200_000);
    one_more(words::not_proven, signed_at, &["2031-01-01 11:00 JST"]);
    one_more(words::not_proven, |report| report.older_months = true, &[]);
}
