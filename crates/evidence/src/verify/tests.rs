//! What needs a record that no small office has.

use super::*;
use mngntime_wire::SecretKey;

#[test]
fn a_pack_about_everything_has_every_leaf_of_every_month_from_the_first_on() {
    let pack = include_str!("../../tests/record.jsonl").lines().next().unwrap();
    let Line::Pack(pack) = serde_json::from_str(pack).unwrap() else { panic!("{pack}") };
    let everything = format::Pack { employee: None, dates: None, ..pack.clone() };
    let has = |pack: &format::Pack, older_months: bool, leaves: &[u64]| {
        let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
        let month = "2026-11".to_owned();
        let tree = LogTree { month: month.clone(), size: 3, root: String::new() };
        verifier.report =
            Report { pack: Some(pack.clone()), trees: vec![tree], older_months, ..Report::default() };
        leaves.iter().for_each(|leaf| verifier.leaves.add(&month, *leaf, 0, None));
        verifier.has_everything()
    };
    assert!(has(&everything, false, &[0, 1, 2]));
    assert!(!has(&everything, false, &[0, 2]) && !has(&everything, false, &[0, 2, 2]));
    assert!(!has(&everything, true, &[0, 1, 2]), "the months before the first one are not there");
    assert!(has(&pack, true, &[]), "a pack about somebody is none about everything");
}

#[test]
fn punches_are_told_by_time_and_of_one_moment_by_terminal_and_number() {
    let punch = |occurred_at, terminal: &str, sequence| ShownPunch {
        terminal: terminal.to_owned(),
        sequence,
        is_logon: true,
        occurred_at,
        stamped_at: None,
        date: String::new(),
        bounds: None,
        account: None,
        received_at: 0,
        resent: false,
        is_signed: true,
        is_withheld: false,
        result: None,
    };
    let ordered = vec![punch(4, "u", 9), punch(5, "t", 7), punch(5, "t", 8), punch(5, "u", 1)];
    let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
    verifier.report.punches = [2, 3, 0, 1].into_iter().map(|at: usize| ordered[at].clone()).collect();
    assert_eq!(verifier.finish().punches, ordered);
}

#[test]
fn of_many_faults_some_are_named_and_all_are_counted() {
    let mut verifier = Verifier::new(SecretKey::from_seed(&[42; 32]).public());
    (0..80).for_each(|_| verifier.read("no line"));
    let report = verifier.finish();
    assert_eq!((report.faults.len(), report.fault_count), (FAULTS_KEPT, 81), "the end is missing, too");
}
