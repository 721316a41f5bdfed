//! How long what the server refuses until somebody acts waits for its next turn.

use super::*;
use crate::input::ServerWishes;

const NOW_MS: u64 = 7_000_000;
const SEEDS: std::ops::Range<u64> = 0..20;

/// One logon waits, and nothing is under way.
fn waiting(seed: u64, enrolled: bool) -> Upload {
    let settings = Settings { spread_ms: 0, ..Settings::new(seed) };
    let logon = PendingEvent { sequence: 1, kind: EventKind::Logon, account: None };
    Upload::new(&settings, vec![logon], Held::default(), enrolled, NOW_MS)
}

fn answer(refused: Option<u8>) -> Answer {
    let wishes =
        ServerWishes { spread_seconds: 0, contact_seconds: 900, display_name: "MINAGINE".to_owned() };
    Answer { items: vec![], refused, head: 0, missing: vec![], wishes }
}

/// How long it takes until something else than a sign of life is tried, in milliseconds.
fn wait_ms(upload: &mut Upload) -> u64 {
    loop {
        let due = upload.next_wakeup().unwrap();
        match upload.next(due).unwrap() {
            Wish::Send(events) if events.is_empty() => {
                upload.answered(&answer(None), due);
            }
            Wish::Send(_) | Wish::Enroll => return due - NOW_MS,
        }
    }
}

/// A quarter of an hour at most, and all PCs of a contract that was locked do not come in the same moment.
fn is_spread_below_a_quarter_of_an_hour(waits: &[u64]) {
    assert!(waits.iter().all(|wait| (675_000..=900_000).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| wait.abs_diff(waits[0]) > 60_000), "{waits:?}");
}

#[test]
fn what_was_refused_is_tried_again_within_a_quarter_of_an_hour() {
    let waits: Vec<u64> = SEEDS
        .map(|seed| {
            let mut upload = waiting(seed, true);
            assert_eq!(upload.next(NOW_MS), Some(Wish::Send(vec![(1, true)])));
            upload.answered(&answer(Some(5)), NOW_MS);
            wait_ms(&mut upload)
        })
        .collect();
    is_spread_below_a_quarter_of_an_hour(&waits);
}

#[test]
fn a_refused_enrolment_is_tried_again_within_a_quarter_of_an_hour() {
    let waits: Vec<u64> = SEEDS
        .map(|seed| {
            let mut upload = waiting(seed, false);
            assert_eq!(upload.next(NOW_MS), Some(Wish::Enroll));
            let cause = FailureCause::Result(PunchResult::ContractUnusable);
            upload.enrollment_failed(&cause, None, NOW_MS);
            wait_ms(&mut upload)
        })
        .collect();
    is_spread_below_a_quarter_of_an_hour(&waits);
}

/// Nothing waits for its first receipt; the server has lost three records that it had acknowledged.
#[test]
fn what_the_server_lost_is_sent_again_a_quarter_of_an_hour_after_a_refusal() {
    let settings = Settings { spread_ms: 0, ..Settings::new(1) };
    let mut upload = Upload::new(&settings, vec![], Held::new(vec![1, 2, 3], vec![]), true, NOW_MS);
    upload.compare(&answer(None), NOW_MS);
    assert_eq!(upload.next(NOW_MS), Some(Wish::Send(vec![(1, true), (2, true), (3, true)])));
    upload.answered(&answer(Some(5)), NOW_MS);
    assert_eq!(wait_ms(&mut upload), 900_000);
}

/// A batch of more is no batch: the server refuses it whole.
#[test]
fn what_is_new_and_what_the_server_lost_share_a_batch() {
    let logon = |sequence| PendingEvent { sequence, kind: EventKind::Logon, account: None };
    let settings = Settings { spread_ms: 0, ..Settings::new(1) };
    let held = Held::new((1..=80).collect(), vec![]);
    let mut upload = Upload::new(&settings, (101..=160).map(logon).collect(), held, true, NOW_MS);
    upload.compare(&answer(None), NOW_MS);
    let Some(Wish::Send(batch)) = upload.next(NOW_MS) else { panic!("nothing is sent") };
    let numbers: Vec<u64> = batch.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(numbers, (1..=40).chain(101..=160).collect::<Vec<_>>());
}

#[test]
fn signs_of_life_come_in_the_last_tenth_of_their_time_and_not_all_in_the_same_moment() {
    let waits: Vec<u64> = SEEDS
        .map(|seed| {
            let settings = Settings { spread_ms: 0, ..Settings::new(seed) };
            let mut upload = Upload::new(&settings, vec![], Held::default(), true, NOW_MS);
            assert_eq!(upload.next(NOW_MS), Some(Wish::Send(vec![])));
            upload.answered(&answer(None), NOW_MS);
            upload.next_wakeup().unwrap() - NOW_MS
        })
        .collect();
    assert!(waits.iter().all(|wait| (810_000..=900_000).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| wait.abs_diff(waits[0]) > 30_000), "{waits:?}");
}
