//! What a report says in words: everything that was counted, in both languages, and nothing that was not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::collections::BTreeSet;

use mngntime_evidence::against::{Comparison, Contradiction, Difference, Length, Restore, Run, Shortened};
use mngntime_evidence::format::Marks;
use mngntime_evidence::verify::{
    DaysCut, Emptiness, Fault, FaultKind, NamedEvent, NotedKind, OddTime, Oddity, ShownPunch, Stamped,
    Witnessed,
};
use mngntime_evidence::{Report, SealFault, Verifier, words};
use mngntime_model::Language;
use mngntime_wire::{LogTree, SecretKey};

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
        FaultKind::NotAsNoted { kind: NotedKind::Month, id: "7331".to_owned() },
        FaultKind::NotAsSent { sequence },
        FaultKind::SomebodyElse { sequence },
        FaultKind::HiddenFromNobody { sequence },
        FaultKind::OtherEmployee,
        FaultKind::Doubled,
        FaultKind::UnnamedTree,
        FaultKind::EmptyTerminal,
        FaultKind::NotRetired { sequence },
        FaultKind::NoHead,
    ]
}

#[test]
fn each_fault_has_words_of_its_own_with_its_line_and_what_it_is_about() {
    for language in LANGUAGES {
        let mut texts = BTreeSet::new();
        for kind in every_fault() {
            let text = words::fault(&Fault { line: 12, kind: kind.clone() }, language);
            let begins = match language {
                Language::Japanese => "record.jsonl の12行目: ",
                Language::English => "record.jsonl, line 12: ",
            };
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
    let missing_of_a_known_pc = |report: &mut Report| {
        report.hosts.insert("T-9".to_owned(), "PC-9999".to_owned());
        report.missing.push(("T-9".to_owned(), 951, 952));
    };
    one_more(words::to_be_known, missing_of_a_known_pc, &["PC-9999", "T-9", "951", "952"]);
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
    let retired = |report: &mut Report| (report.retired, report.retired_days) = (988, 989);
    one_more(words::to_be_known, retired, &["988", "989"]);
    let month = |report: &mut Report| report.retired_months.push(("2031-05".to_owned(), 1_924_999_200_000));
    one_more(words::to_be_known, month, &["2031-05", "2031-01-01"]);
}

#[test]
fn what_no_file_proves_is_said_and_what_this_one_does_not() {
    for language in LANGUAGES {
        let said = words::not_proven(&report(), language);
        assert_eq!(said.len(), 13, "{said:?}");
        let nothing_special = Report::default();
        assert_eq!(words::not_proven(&nothing_special, language).len(), 7);
    }
    one_more(words::not_proven, |report| report.clock_offset_max_ms = 961 * 86_400_000 + 1, &["962"]);
    one_more(words::not_proven, |report| report.unbacked_keys = 963, &["963"]);
    one_more(words::not_proven, |report| report.unbacked_links = 964, &["964"]);
    one_more(words::not_proven, |report| report.signed = report.events - 1, &["1"]);
    one_more(words::not_proven, |report| report.receipted = report.events - 2, &["2"]);
    one_more(words::not_proven, |report| report.file_keys = 965, &["965"]);
    one_more(words::not_proven, |report| report.hidden = 966, &["966"]);
    let signed_at = |report: &mut Report| report.newest_head_at = Some(1_924_999_200_000);
    one_more(words::not_proven, signed_at, &["2031-01-01 11:00 JST"]);
    one_more(words::not_proven, |report| report.older_months = true, &[]);
    let missing = |report: &mut Report| report.missing.push(("T-9".to_owned(), 101, 200));
    one_more(words::not_proven, missing, &["101"]);
}

#[test]
fn how_far_receipts_witness_the_log_is_said_and_that_it_may_have_been_written_anew() {
    let tree = LogTree { month: "2031-05".to_owned(), size: 967, root: String::new() };
    let witnessed = Witnessed { tree, at: 1_924_999_200_000 };
    let told = |report: &mut Report| report.witnessed = Some(witnessed.clone());
    one_more(words::not_proven, told, &["2031-05", "967", "2031-01-01 11:00 JST", "--against"]);
    one_more(words::not_proven, |report| report.witnessed = None, &["--against"]);
    // The server chose the receipts that are in the file: no word may talk anybody out of comparing with those of the PCs.
    for (witnessed, language, words) in [
        (
            Some(witnessed.clone()),
            Language::Japanese,
            "PCに残る受領証は、それより後の状態を示すことがあります。照合",
        ),
        (
            Some(witnessed.clone()),
            Language::English,
            "receipts kept on the PCs may name later ones: compare them",
        ),
        (None, Language::Japanese, "PCに残る受領証は、それを示すことがあります。照合"),
        (None, Language::English, "receipts kept on the PCs may name some: compare them"),
    ] {
        let said = words::not_proven(&Report { witnessed, ..report() }, language).concat();
        assert!(said.contains(words) && !said.contains("分かりません"), "{said}");
    }
    // Of the small office: the receipt of the third of December.
    let said = words::not_proven(&report(), Language::English).concat();
    assert!(said.contains("names is of 1 records of 2026-12 (receipt of 2026-12-03 13:00 JST)"), "{said}");
    assert!(said.contains("written anew"), "{said}");
}

/// Events that came with what is not shown, as their receipts say.
fn together(report: &mut Report) {
    report.events += 960;
    report.receipted += 960;
    report.withheld = 960;
}

#[test]
fn who_reads_that_there_is_no_event_is_told_why_there_cannot_be_any() {
    let words_of = |why, language| {
        let said = added(words::to_be_known, language, |report| report.emptiness = Some(why));
        let [statement] = &said[..] else { panic!("{said:?}") };
        let mut empty = sound();
        (empty.emptiness, empty.events, empty.signed) = (Some(why), 0, 0);
        [statement.clone(), words::verdict(&empty, language)]
    };
    for (why, japanese, english) in [
        (Emptiness::Future, "まだ始まっていません", "had not begun"),
        (Emptiness::NoLink, "サーバーの申告によれば、この社員に", "By the server's word no account"),
        (Emptiness::NoLinkThen, "この期間にこの社員に関連付けられた", "on these dates. So this"),
    ] {
        let [known, verdict] = words_of(why, Language::Japanese);
        let [known_english, verdict_english] = words_of(why, Language::English);
        assert!(known.contains(japanese) && known.contains("勤務がなかったことを意味しません"), "{known}");
        assert!(known_english.contains(english) && known_english.contains("does not mean no work"));
        assert_eq!(known, words::emptiness(why, Language::Japanese), "as on paper");
        assert!(verdict.contains("イベントは1件もありません") && verdict.contains("ただし"), "{verdict}");
        assert!(verdict_english.contains("no event at all"), "{verdict_english}");
    }
    let verdicts: BTreeSet<_> = [Emptiness::Future, Emptiness::NoLink, Emptiness::NoLinkThen]
        .map(|why| words_of(why, Language::Japanese)[1].clone())
        .into();
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
}

#[test]
fn events_without_a_signature_are_named_by_pc_day_and_number_and_the_rest_is_counted() {
    let unsigned = |report: &mut Report| {
        report.hosts.insert("T-9".to_owned(), "PC-9999".to_owned());
        report.events += 4;
        for sequence in [7_001, 7_002, 7_003, 7_005] {
            let (terminal, date) = ("T-9".to_owned(), "2031-05-06".to_owned());
            report.unsigned.push(NamedEvent { terminal, sequence, date });
        }
    };
    for (language, numbers) in
        [(Language::Japanese, "7001～7003、7005"), (Language::English, "7001-7003, 7005")]
    {
        let said = added(words::to_be_known, language, unsigned);
        let [statement] = &said[..] else { panic!("{said:?}") };
        assert!(
            ["PC-9999", "T-9", "2031-05-06", numbers].iter().all(|part| statement.contains(part)),
            "{said:?}"
        );
    }
    one_more(words::to_be_known, together, &["960", "--all"]);
    one_more(words::not_proven, together, &["960", "--all"]);
    let many = |report: &mut Report| (report.events, report.signed) = (1_000, 32);
    one_more(words::to_be_known, many, &["968", "--print"]);
}

#[test]
fn events_that_came_otherwise_are_named_by_pc_day_and_number_and_the_rest_is_counted() {
    let otherwise = |report: &mut Report| {
        report.hosts.insert("T-9".to_owned(), "PC-9999".to_owned());
        let named = |sequence| (sequence, "T-9".to_owned(), "2031-05-06".to_owned());
        let named = [7_001, 7_002, 7_003, 7_005].map(named);
        report.sent_otherwise =
            named.map(|(sequence, terminal, date)| NamedEvent { terminal, sequence, date }).into();
        report.sent_otherwise_count = 4;
    };
    let more = |report: &mut Report| {
        otherwise(report);
        report.sent_otherwise_count = 4 + 961;
    };
    for (language, numbers) in
        [(Language::Japanese, "7001～7003、7005"), (Language::English, "7001-7003, 7005")]
    {
        let said = added(words::to_be_known, language, otherwise);
        let [statement] = &said[..] else { panic!("{said:?}") };
        assert!(
            ["PC-9999", "T-9", "2031-05-06", numbers].iter().all(|part| statement.contains(part)),
            "{said:?}"
        );
        let said = added(words::to_be_known, language, more);
        assert!(said.len() == 2 && said[1].contains("961"), "{said:?}");
    }
}

#[test]
fn what_came_with_deleted_events_in_a_pack_about_everything_is_promised_in_no_other_pack() {
    let everything = |report: &mut Report| {
        together(report);
        let pack = report.pack.as_mut().unwrap();
        (pack.employee, pack.dates) = (None, None);
    };
    for (language, deleted) in
        [(Language::Japanese, "削除された記録"), (Language::English, "what was deleted")]
    {
        let mut all = report();
        everything(&mut all);
        for said in [words::to_be_known(&all, language), words::not_proven(&all, language)] {
            let about: Vec<_> = said.iter().filter(|statement| statement.contains("960")).collect();
            assert!(
                about.len() == 1 && about[0].contains(deleted) && !about[0].contains("--all"),
                "{said:?}"
            );
        }
    }
}

#[test]
fn times_that_do_not_fit_are_said_with_what_they_do_not_fit() {
    let odd = |of: &Stamped, oddity| {
        let (of, month, at) = (of.clone(), "2031-05".to_owned(), 1_924_999_200_000);
        move |report: &mut Report| {
            report.odd_time_count += 1;
            report.odd_times.push(OddTime { of: of.clone(), month: month.clone(), at, oddity });
        }
    };
    let entry = Stamped::Entry { number: 969 };
    let event = Stamped::Event { terminal: "T-9".to_owned(), sequence: 970 };
    let (at, later) = ("2031-01-01 11:00:00", 1_924_999_260_000);
    for (of, named) in [(&entry, "969"), (&event, "970")] {
        one_more(words::to_be_known, odd(of, Oddity::OutsideMonth), &[named, at, "2031-05"]);
        let backwards = odd(of, Oddity::Backwards { after: later });
        one_more(words::to_be_known, backwards, &[named, at, "2031-01-01 11:01:00"]);
        let before = odd(of, Oddity::BeforeContract { made: later });
        one_more(words::to_be_known, before, &[named, at, "2031-01-01 11:01:00"]);
    }
    let receipt = Stamped::Receipt { terminal: "T-9".to_owned(), sequence: 978 };
    let before = odd(&receipt, Oddity::BeforeItsEvent { received: later });
    one_more(words::to_be_known, before, &["T-9", "978", at, "2031-01-01 11:01:00"]);
    let before = odd(&Stamped::Pack, Oddity::BeforeItsContents { newest: later });
    one_more(words::to_be_known, before, &[at, "2031-01-01 11:01:00"]);
    one_more(words::to_be_known, |report| report.odd_time_count = 971, &["971"]);
    let mut changed = report();
    odd(&entry, Oddity::OutsideMonth)(&mut changed);
    assert_eq!(words::clock_notes(&changed, Language::English).len(), 1);
    assert!(words::clock_notes(&report(), Language::English).is_empty());
}

#[test]
fn times_before_the_contract_are_said_once_and_an_export_says_each_kind_once() {
    let odd = |number, oddity| {
        let month = "2031-05".to_owned();
        OddTime { of: Stamped::Entry { number }, month, at: 1_924_999_200_000, oddity }
    };
    let before = Oddity::BeforeContract { made: 1_956_535_200_000 };
    let change = |report: &mut Report| {
        report.odd_times = (7_001..7_004).map(|number| odd(number, before)).collect();
        report.odd_times.extend([7_011, 7_012].map(|number| odd(number, Oddity::OutsideMonth)));
        (report.odd_time_count, report.before_contract_count) = (902, 900);
    };
    for language in LANGUAGES {
        let said = added(words::to_be_known, language, change);
        assert!(said.len() == 6 && said[5].contains("897"), "{said:?}");
        let mut report = report();
        change(&mut report);
        let notes = words::clock_notes(&report, language);
        let [first, second, all] = &notes[..] else { panic!("{notes:?}") };
        assert!(first.contains("7001") && second.contains("7011") && all.contains("902"), "{notes:?}");
        (report.odd_times, report.odd_time_count) = (vec![odd(7_021, before)], 1);
        assert_eq!(words::clock_notes(&report, language).len(), 1, "one needs no count");
    }
}

#[test]
fn the_first_line_points_to_where_more_stands() {
    let told = |change: fn(&mut Report), more: &[&str]| {
        let mut report = sound();
        change(&mut report);
        let more = more.iter().map(|text| (*text).to_owned()).collect();
        words::verdict_with(&report, more, Language::English)
    };
    let (shown, word) = ("\"What the record shows\"", "\"Not proven by this file\"");
    let odd = |report: &mut Report| report.odd_time_count = 1;
    assert!(told(odd, &[]).ends_with(&format!("(see {shown})")));
    assert!(told(|report| report.unbacked_keys = 1, &[]).ends_with(&format!("(see {word})")));
    let both = |report: &mut Report| (report.odd_time_count, report.unbacked_links) = (1, 1);
    assert!(
        told(both, &["a shorter log"])
            .ends_with(&format!("a shorter log (see {shown}, {word}, \"Comparison\")"))
    );
    assert!(told(|_| (), &["a shorter log"]).ends_with("(see \"Comparison\")"));
    assert_eq!(told(|_| (), &[]), "AUTHENTIC");
}

#[test]
fn a_punch_outside_of_the_dates_that_were_asked_for_says_so() {
    let mut report = report();
    let pack = report.pack.as_mut().unwrap();
    pack.dates = Some(["2031-01-01".to_owned(), "2031-01-02".to_owned()]);
    // 2031-01-01 00:00 in Japan.
    let begins = 1_924_959_600_000;
    let said = |report: &Report, occurred_at| {
        let punch = ShownPunch {
            terminal: "T-9".to_owned(),
            sequence: 977,
            is_logon: true,
            occurred_at,
            stamped_at: None,
            date: mngntime_evidence::japan::date_at(mngntime_model::UtcMillis(occurred_at)).to_string(),
            bounds: None,
            account: None,
            received_at: occurred_at,
            resent: false,
            is_signed: true,
            is_withheld: false,
            result: Some(None),
        };
        LANGUAGES.map(|language| words::punch(report, &punch, language))
    };
    let is_outside = |[japanese, english]: [String; 2]| {
        let marked = [japanese.contains("指定期間外"), english.contains("outside of the dates")];
        assert_eq!(marked[0], marked[1]);
        marked[0]
    };
    let two_days = 2 * 86_400_000;
    let outside = [begins - 1, begins, begins + two_days - 1, begins + two_days]
        .map(|at| is_outside(said(&report, at)));
    assert_eq!(outside, [true, false, false, true]);
    report.pack.as_mut().unwrap().dates = None;
    assert!(!is_outside(said(&report, begins - 1)), "of all time");
}

#[test]
fn what_the_server_noticed_of_a_terminal_is_said_as_its_word() {
    let all = Marks { conflict: true, makeup_changed: true, rolled_back_at: Some(0), cloned_at: Some(0) };
    let none = Marks::default();
    for marks in [
        Marks { makeup_changed: false, rolled_back_at: None, cloned_at: None, ..all.clone() },
        Marks { makeup_changed: true, ..none.clone() },
        Marks { rolled_back_at: Some(1_924_999_200_000), ..none.clone() },
        Marks { cloned_at: Some(1_924_999_200_000), ..none.clone() },
    ] {
        let mark = |report: &mut Report| _ = report.marks.insert("T-9".to_owned(), marks.clone());
        let time = marks.rolled_back_at.or(marks.cloned_at).map_or("", |_| "2031-01-01 11:00:00");
        one_more(words::to_be_known, mark, &["T-9", time]);
        for (language, word) in [(Language::Japanese, "サーバーの申告"), (Language::English, "server's word")]
        {
            assert!(added(words::to_be_known, language, mark).concat().contains(word));
        }
    }
}

#[test]
fn days_that_are_not_told_are_named() {
    let cut = |report: &mut Report| {
        let dates = ["2009-01-01".to_owned(), "2020-11-21".to_owned()];
        report.days_cut.push(DaysCut { terminal: "T-9".to_owned(), dates, days: 979 });
    };
    one_more(words::to_be_known, cut, &["T-9", "2009-01-01", "2020-11-21", "979", "2196"]);
}

#[test]
fn a_difference_of_clocks_is_said_as_people_say_it() {
    let said = |milliseconds: u64| {
        let changed = Report { clock_offset_max_ms: milliseconds, ..Report::default() };
        let said = LANGUAGES.map(|language| words::not_proven(&changed, language).concat());
        let cut = |text: &str, before: &str, after: &str| {
            text.split(before).nth(1).unwrap().split(after).next().unwrap().to_owned()
        };
        (cut(&said[0], "差は最大", "でした"), cut(&said[1], "by at most ", ", and"))
    };
    let pair = |japanese: &str, english: &str| (japanese.to_owned(), english.to_owned());
    assert_eq!(said(0), pair("0秒", "0 second(s)"));
    assert_eq!(said(119_001), pair("120秒", "120 second(s)"));
    assert_eq!(said(300_000), pair("5分", "5 minute(s)"));
    assert_eq!(said(7_200_001), pair("3時間", "3 hour(s)"));
    assert_eq!(said(564_935_489_000), pair("6539日", "6539 day(s)"));
    assert_eq!(said(u64::MAX).1, format!("{} day(s)", u64::MAX.div_ceil(86_400_000)));
}

/// The small office without what it has to be reserved about: the number that is missing.
fn sound() -> Report {
    Report { missing: Vec::new(), ..report() }
}

#[test]
fn authentic_stands_alone_only_where_nothing_has_to_be_added() {
    let said = |report: &Report| LANGUAGES.map(|language| words::verdict(report, language));
    assert_eq!(said(&sound()), ["真正", "AUTHENTIC"]);
    type Change = fn(&mut Report);
    let changes: [(Change, &str); 13] = [
        (|report| report.missing = vec![("T-9".to_owned(), 1, 972)], "972"),
        (|report| report.events += 973, "973"),
        (|report| report.events = 0, ""),
        (|report| report.emptiness = Some(Emptiness::NoLink), ""),
        (|report| (report.signed, report.withheld) = (0, report.events), "3"),
        (|report| report.breaks = vec![("T-9".to_owned(), 2)], "1"),
        (|report| report.odd_time_count = 974, "974"),
        (|report| report.sent_otherwise_count = 980, "980"),
        (
            |report| {
                let dates = ["2009-01-01".to_owned(), "2020-11-21".to_owned()];
                report.days_cut = vec![DaysCut { terminal: "T-9".to_owned(), dates, days: 979 }];
            },
            "1",
        ),
        (|report| report.unbacked_keys = 975, "975"),
        (|report| report.unbacked_links = 976, "976"),
        (|report| _ = report.marks.insert("T-9".to_owned(), Marks::default()), "1"),
        (|report| (report.fault_count, report.missing) = (0, vec![("T".to_owned(), 5, 5)]), "1"),
    ];
    for (change, number) in changes {
        let mut changed = sound();
        change(&mut changed);
        let [japanese, english] = said(&changed);
        assert!(japanese.starts_with("真正（ただし、") && japanese.contains(number), "{japanese}");
        assert!(english.starts_with("AUTHENTIC, BUT WITH ") && english.contains(number), "{english}");
    }
    let mut contradicted = sound();
    contradicted.fault_count = 1;
    assert_eq!(said(&contradicted), ["不正", "NOT AUTHENTIC"]);
}

#[test]
fn a_punch_is_one_line_with_everything_that_was_verified_of_it() {
    let (mut report, at) = (report(), 1_924_999_200_000);
    report.hosts.insert("T-9".to_owned(), "PC-9999".to_owned());
    report.pack.as_mut().unwrap().dates = None;
    let punch = ShownPunch {
        terminal: "T-9".to_owned(),
        sequence: 977,
        is_logon: true,
        occurred_at: at,
        stamped_at: None,
        date: "2031-01-01".to_owned(),
        bounds: None,
        account: Some(("EXAMPLE".to_owned(), "hanako".to_owned())),
        received_at: at + 86_400_000,
        resent: false,
        is_signed: true,
        is_withheld: false,
        result: Some(None),
    };
    let said = |punch: &ShownPunch| LANGUAGES.map(|language| words::punch(&report, punch, language));
    assert_eq!(
        said(&punch),
        [
            "2031-01-01 11:00:00 ログオン PC-9999 番号977 EXAMPLE\\hanako 打刻完了 署名あり 受信 2031-01-02 11:00:00",
            "2031-01-01 11:00:00 logon PC-9999 number 977 EXAMPLE\\hanako Punch accepted, signed, received 2031-01-02 11:00:00",
        ]
    );
    let of_a_night = ShownPunch { date: "2030-12-31".to_owned(), ..punch.clone() };
    let [japanese, english] = said(&of_a_night);
    assert!(japanese.starts_with("2031-01-01 11:00:00（2030-12-31の夜） ログオン"), "{japanese}");
    assert!(english.starts_with("2031-01-01 11:00:00 (night of 2030-12-31) logon"), "{english}");
    let bounds = Some((at, at + 60_000));
    let other = ShownPunch { is_logon: false, is_signed: false, resent: true, bounds, ..punch };
    let [japanese, english] = said(&other);
    assert!(
        ["ログオフ", "署名なし", "再送", "推定", "11:01:00"].iter().all(|part| japanese.contains(part)),
        "{japanese}"
    );
    assert!(
        ["logoff", "not signed", "sent again", "between", "11:01:00"]
            .iter()
            .all(|part| english.contains(part))
    );
}

#[test]
fn a_punch_says_its_newest_result_by_number_and_word() {
    let report = report();
    let said = |result| {
        let punch = ShownPunch {
            terminal: "T-9".to_owned(),
            sequence: 977,
            is_logon: true,
            occurred_at: 1_924_999_200_000,
            stamped_at: None,
            date: "2031-01-01".to_owned(),
            bounds: None,
            account: None,
            received_at: 1_924_999_200_000,
            resent: false,
            is_signed: true,
            is_withheld: false,
            result,
        };
        LANGUAGES.map(|language| words::punch(&report, &punch, language))
    };
    for (result, japanese, english) in [
        (Some(None), " 打刻完了 署名", " Punch accepted, signed"),
        (
            Some(Some(5)),
            " res=5 この契約主コードは使えません 署名",
            " res=5 This contract code cannot be used, signed",
        ),
        (Some(Some(6)), " res=6 この端末は使えません 署名", " res=6 This terminal cannot be used, signed"),
        (Some(Some(7)), " res=7 このユーザーは使えません 署名", " res=7 This user cannot be used, signed"),
        (Some(Some(8)), " res=8 接続しました 署名", " res=8 Connected, signed"),
        (Some(Some(9)), " res=9 サーバーエラーです 署名", " res=9 Server error, signed"),
        (Some(Some(200)), " res=200 署名", " res=200, signed"),
        (None, " 判定の記録なし 署名", " no result shown, signed"),
    ] {
        let said = said(result);
        assert!(said[0].contains(japanese) && said[1].contains(english), "{said:?}");
    }
}

#[test]
fn every_contradiction_has_words_of_its_own() {
    let (month, terminal) = ("2031-05".to_owned(), "T-9".to_owned());
    let hows = [
        Difference::Bytes,
        Difference::Place,
        Difference::CalledMissing,
        Difference::LeftOut,
        Difference::Retired,
    ];
    let runs = [Run { first: 978, last: 978, count: 1 }, Run { first: 970, last: 978, count: 8 }];
    let of_runs = runs.into_iter().flat_map(|run| {
        let (terminal, month) = (terminal.clone(), month.clone());
        let events = hows.map(|how| Contradiction::Events { terminal: terminal.clone(), run, how });
        let entries = hows.map(|how| Contradiction::Entries { run, how });
        let others = [
            Contradiction::Leaves { month: month.clone(), run },
            Contradiction::Occupied { month, run },
            Contradiction::Results { terminal: terminal.clone(), run },
        ];
        events.into_iter().chain(entries).chain(others).collect::<Vec<_>>()
    });
    let others = [
        Contradiction::Tree { month: month.clone(), size: 978 },
        Contradiction::Part { month: month.clone(), first: 978, count: 4 },
        Contradiction::Ended { month: month.clone(), ended: 7, told: 978 },
        Contradiction::Shorter { month: month.clone(), first: 978, later: 7 },
    ];
    let all: Vec<_> = of_runs.chain(others).collect();
    let hosts = [(terminal.clone(), "PC-0978".to_owned())].into();
    let known = Comparison { hosts, ..Comparison::default() };
    for language in LANGUAGES {
        let texts: BTreeSet<_> =
            all.iter().map(|found| words::contradiction(&known, found, language)).collect();
        assert!(texts.len() == all.len() && texts.iter().all(|text| text.contains("978")), "{texts:?}");
        assert_eq!(texts.iter().filter(|text| text.contains("970")).count(), 13, "{texts:?}");
        let key = Contradiction::Key { terminal: terminal.clone() };
        let named = words::contradiction(&known, &key, language);
        assert!(named.contains("PC-0978") && named.contains("T-9"), "{named}");
        let unnamed = words::contradiction(&Comparison::default(), &key, language);
        assert!(unnamed.contains("T-9") && !unnamed.contains("PC-"), "{unnamed}");
    }
}

/// With another number for each count.
fn compared() -> Comparison {
    let why = Length::Unclear;
    Comparison {
        contradiction_count: 1,
        events: 979,
        entries: 980,
        trees: 981,
        recomputed_trees: 982,
        parts: 972,
        called_missing: 973,
        early_receipts: 974,
        results_gone: 975,
        uncompared: [983, 984, 985],
        receipts: [986, 987],
        other_receipts: [990, 991],
        retired: 992,
        others: [997, 998],
        shortened: vec![Shortened {
            is_pack: true,
            month: "2031-05".to_owned(),
            first: 993,
            later: 994,
            why,
        }],
        ..Comparison::default()
    }
}

#[test]
fn every_count_of_a_comparison_is_said_and_what_matters_most_in_the_first_line() {
    for language in LANGUAGES {
        let nothing = words::against(&Comparison::default(), language).concat();
        let said = words::against(&compared(), language).concat();
        let counts: Vec<u64> = (972..=975).chain(979..=987).chain(990..=994).chain(997..=998).collect();
        assert!(counts.iter().all(|count| said.contains(&count.to_string())), "{said}");
        // It may have been cut off: that stands in the first line.
        let [beside, early, gone] = &words::reservations_beside(&compared(), language)[..] else {
            panic!("{said}")
        };
        assert!(beside.contains("993") && beside.contains("994"), "{beside}");
        assert!(early.contains("974") && gone.contains("975"), "{early} {gone}");
        assert!(words::reservations_beside(&Comparison::default(), language).is_empty());
        let verdict = words::verdict_with(&sound(), vec![beside.clone()], language);
        assert!(verdict.contains(beside.as_str()), "{verdict}");
        let follows =
            if language == Language::Japanese { "何も言えません" } else { "nothing follows" };
        assert!(nothing.contains(follows) && !said.contains(follows));
    }
}

#[test]
fn a_log_that_ends_earlier_is_said_in_the_first_line_and_why_that_may_be() {
    for language in LANGUAGES {
        let mut texts = BTreeSet::new();
        for is_pack in [true, false] {
            for why in [Length::Older, Length::SetBack, Length::Unclear] {
                let month = "2031-05".to_owned();
                let found = Shortened { is_pack, month, first: 993, later: 994, why };
                let found = Comparison { shortened: vec![found], ..Comparison::default() };
                let mut said = words::against(&found, language);
                said.extend(words::reservations_beside(&found, language));
                let said: Vec<_> = said.into_iter().filter(|text| text.contains("2031-05")).collect();
                assert!(
                    said.len() == 2 && said.iter().all(|text| text.contains("993") && text.contains("994"))
                );
                texts.extend(said);
            }
        }
        assert_eq!(texts.len(), 12, "each is said in its own way");
    }
}

#[test]
fn a_restore_that_the_log_notes_is_said_beside_a_contradiction_and_only_there() {
    let at = 1_927_065_600_000;
    let of = |contradiction_count, backup_made_at| Comparison {
        contradiction_count,
        restores: [Restore { at, backup_made_at, tree: None }].into(),
        ..Comparison::default()
    };
    let named = Comparison {
        contradiction_count: 978,
        restores: [Restore { at, backup_made_at: None, tree: Some(("2031-01".to_owned(), 977)) }].into(),
        unexplained: Some(976),
        ..Comparison::default()
    };
    for language in LANGUAGES {
        let said = |found| words::against(&found, language).concat();
        assert!(said(of(1, None)).contains("2031-01-25 09:00:00 JST"), "{}", said(of(1, None)));
        assert!(said(of(1, Some(at - 60_000))).contains("2031-01-25 08:59:00"));
        assert!(!said(of(0, None)).contains("2031-01-25"));
        // What the backup had is no work of the restore.
        let not = said(named.clone());
        assert!(["2031-01", "977", "976"].iter().all(|part| not.contains(part)), "{not}");
        // An honest clock may be all that there is to it.
        let shorter = Contradiction::Shorter { month: "2031-05".to_owned(), first: 978, later: 7 };
        let other = Contradiction::Key { terminal: "T-9".to_owned() };
        let of = |contradictions| said(Comparison { contradictions, ..named.clone() });
        let clock = if language == Language::Japanese {
            "時計が異なって"
        } else {
            "the clocks of its nodes differ"
        };
        assert!(of(vec![shorter.clone()]).contains(clock) && !of(vec![shorter, other]).contains(clock));
    }
}

#[test]
fn of_a_comparison_only_what_is_there_is_said() {
    let said = |found: Comparison| LANGUAGES.map(|language| words::against(&found, language).len());
    let nothing = Comparison::default;
    assert_eq!(said(nothing()), [2, 2]);
    for one in [
        Comparison { events: 1, ..nothing() },
        Comparison { entries: 1, ..nothing() },
        Comparison { trees: 1, ..nothing() },
        Comparison { recomputed_trees: 1, ..nothing() },
        Comparison { parts: 1, ..nothing() },
        Comparison { others: [1, 0], ..nothing() },
        Comparison { others: [0, 1], ..nothing() },
    ] {
        assert_eq!(said(one), [1, 1], "something is in common");
    }
    let (is_pack, month, why) = (true, "2031-05".to_owned(), Length::Older);
    for one in [
        Comparison { contradiction_count: 1, ..nothing() },
        Comparison { retired: 1, ..nothing() },
        Comparison { called_missing: 1, ..nothing() },
        Comparison { results_gone: 1, ..nothing() },
        Comparison { shortened: vec![Shortened { is_pack, month, first: 2, later: 1, why }], ..nothing() },
    ] {
        assert_eq!(said(one), [2, 2], "something follows");
    }
    for one in [
        Comparison { receipts: [1, 0], ..nothing() },
        Comparison { receipts: [0, 1], ..nothing() },
        Comparison { other_receipts: [1, 0], ..nothing() },
        Comparison { other_receipts: [0, 1], ..nothing() },
        Comparison { early_receipts: 1, ..nothing() },
        Comparison { uncompared: [1, 0, 0], ..nothing() },
        Comparison { uncompared: [0, 1, 0], ..nothing() },
        Comparison { uncompared: [0, 0, 1], ..nothing() },
    ] {
        assert_eq!(said(one), [3, 3]);
    }
}
