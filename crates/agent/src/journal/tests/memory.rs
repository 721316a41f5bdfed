//! Numbers that another life of this PC has used, and receipts that a server may forget.

use super::*;
use mngntime_model::Declared;

fn rolled_back(sequence: u64, first: u64, after: u64) -> Event {
    let declared = Declared::RolledBack { first, last: sequence - 1, after };
    let gap = event(sequence, EventKind::Gap);
    Event { session: None, account: None, cause: Some(declared.to_string()), ..gap }
}

fn instead_of(first: u64, sequence: u64) -> Event {
    Event { supersedes: Some(first), sequence, ..event(first, EventKind::Lock) }
}

#[test]
fn numbers_that_are_passed_over_are_no_loss() {
    let mut journal = written(7);
    journal.append(&rolled_back(11, 6, 7)).unwrap();
    journal.append(&event(12, EventKind::Lock)).unwrap();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!((reading.findings, after.recovered(None).lost), (vec![], vec![]));
    assert_eq!(after.chain(), journal.chain());
    let declared = after.recovered(None).declared;
    assert_eq!(declared, [Declared::RolledBack { first: 6, last: 10, after: 7 }]);
    assert_eq!(after.rolled_back_at(), Some(event(11, EventKind::Gap).recorded_at.wall));
}

#[test]
fn what_was_lost_before_numbers_were_passed_over_is_a_loss() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    for numbers in [1..=3, 4..=6] {
        numbers.for_each(|n| journal.append(&event(n, EventKind::Lock)).unwrap());
        journal.active = None;
    }
    journal.append(&rolled_back(11, 6, 6)).unwrap();
    let disk = journal.disk.after_power_cut(0);
    // Its end is gone: the checkpoint behind it names what it had reached.
    disk.files.borrow_mut().remove("000002.journal").unwrap();
    let (after, reading) = reopen(disk);
    assert_eq!((after.recovered(None).lost, reading.findings), (vec![(4, 6)], vec![]));
    // A gap that claims to follow an event which is not there hides nothing either.
    let mut journal = written(3);
    journal.append(&rolled_back(11, 6, 6)).unwrap();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(after.recovered(None).lost, [(4, 6)]);
    assert_eq!(reading.findings, [Finding::Chain(ChainBreak::Missing { first: 4, last: 6 })]);
}

#[test]
fn a_fact_under_a_new_number_waits_once_and_changes_nothing_else() {
    let mut journal = written(2);
    journal.append(&event(3, EventKind::ServiceStop)).unwrap();
    let before = journal.recovered(None);
    journal.append(&rolled_back(4, 2, 3)).unwrap();
    journal.append(&instead_of(2, 5)).unwrap();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(pending(&after), [1, 3, 4, 5]);
    assert_eq!((reading.superseded, reading.findings), (vec![(2, 5)], vec![]));
    assert!(matches!(after.read(2), Err(JournalError::Unknown(2))), "it is not sent any more");
    assert_eq!(after.recall(5).unwrap(), instead_of(2, 5));
    let recovered = after.recovered(None);
    assert_eq!((recovered.stays, recovered.ended_in_order), (before.stays, true));
    assert_eq!(recovered.last_seen.unwrap().moment, rolled_back(4, 2, 3).recorded_at);
    assert_eq!(recovered.recent.len(), 4, "a copy is not compared with the OS's logs");
    assert_eq!(recovered.last_sequence, 5);
}

/// A crash at every byte of the one write that gives a fact its new number.
#[test]
fn a_power_cut_at_any_byte_of_a_new_number_leaves_the_fact_under_one_of_the_two() {
    let mut journal = written(2);
    journal.append(&rolled_back(3, 2, 2)).unwrap();
    let copy = EncodedEvent::encode(instead_of(2, 4), journal.chain().head).unwrap();
    let frame = frame::encode(FrameKind::Event, copy.json.as_bytes());
    journal.disk.append("000001.journal", &frame).unwrap();
    for kept in 0..=frame.len() {
        let (mut after, _) = reopen(journal.disk.after_power_cut(kept));
        let whole = kept == frame.len();
        assert_eq!(pending(&after), if whole { vec![1, 3, 4] } else { vec![1, 2, 3] }, "{kept}");
        if !whole {
            after.append(&instead_of(2, after.recovered(None).last_sequence + 1)).unwrap();
            assert_eq!(pending(&reopen(after.disk).0), [1, 3, 4], "{kept}");
        }
    }
}

#[test]
fn what_has_a_receipt_is_kept_to_be_sent_again_until_its_segment_goes() {
    let mut journal = written(2);
    receipted(&mut journal, &[1, 2], NOW).unwrap();
    let (mut after, _) = reopen(journal.disk.after_power_cut(0));
    assert_eq!((after.recovered(None).kept, after.read(1).is_ok()), (vec![1, 2], true));
    after.active = None;
    after.append(&event(3, EventKind::Lock)).unwrap();
    receipted(&mut after, &[3], NOW).unwrap();
    let later = Moment {
        wall: UtcMillis(1_764_000_000_000 + KEEP_MS + 10_000),
        ..event(1, EventKind::Lock).recorded_at
    };
    heard_at(&mut after, later.wall.0);
    assert_eq!(after.prune(&later).unwrap(), Some(2));
    assert_eq!(after.recovered(None).kept, [3]);
    assert!(matches!(after.read(1), Err(JournalError::Unknown(1))));
    heard_at(&mut after, later.wall.0);
    assert_eq!(after.prune(&later).unwrap(), None);
}

#[test]
fn receipts_of_another_terminal_prove_nothing_of_this_one() {
    let mut journal = written(2);
    assert!(!journal.enroll(enrollment("t1", Some("p"))).unwrap(), "the first is not another");
    receipted(&mut journal, &[1], NOW).unwrap();
    assert!(!journal.enroll(enrollment("t1", None)).unwrap(), "the same terminal");
    assert!(!journal.enroll(enrollment("t1", Some("p"))).unwrap());
    assert!(!journal.enroll(enrollment("t2", Some("p"))).unwrap(), "a server that had forgotten our key");
    assert_eq!(journal.recovered(None).kept, [1]);
    assert!(journal.enroll(enrollment("t3", Some("q"))).unwrap(), "a new key is a new terminal");
    journal.append(&event(3, EventKind::Lock)).unwrap();
    let expect = |journal: &Journal<MemoryDisk>| {
        let recovered = journal.recovered(None);
        assert_eq!((recovered.kept, recovered.enrolled_after), (vec![], 2));
        assert_eq!(pending(journal), [2, 3], "what waits goes to whoever we are now");
    };
    expect(&journal);
    let (mut after, _) = reopen(journal.disk.after_power_cut(0));
    expect(&after);
    // And a checkpoint remembers it.
    after.active = None;
    after.append(&event(4, EventKind::Lock)).unwrap();
    receipted(&mut after, &[2, 3], NOW).unwrap();
    let disk = after.disk.after_power_cut(0);
    disk.files.borrow_mut().remove("000001.journal").unwrap();
    assert_eq!(reopen(disk).0.recovered(None).enrolled_after, 2);
}

#[test]
fn a_declared_range_is_remembered_as_long_as_we_are_the_same_terminal() {
    let mut journal = written(1);
    journal.enroll(enrollment("t1", Some("p"))).unwrap();
    let gap = Event { cause: Some("not_held:3-4".into()), ..rolled_back(2, 1, 1) };
    journal.append(&gap).unwrap();
    let declared = |journal: &Journal<MemoryDisk>| journal.recovered(None).declared;
    assert_eq!(
        declared(&reopen(journal.disk.after_power_cut(0)).0),
        [Declared::NotHeld { first: 3, last: 4 }]
    );
    journal.enroll(enrollment("t2", Some("q"))).unwrap();
    assert_eq!(declared(&journal), []);
}
