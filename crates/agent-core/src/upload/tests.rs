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
