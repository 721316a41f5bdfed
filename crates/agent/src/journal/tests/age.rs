//! When a segment may go: by the server's clock, and never by the PC's alone.

use super::*;

/// Two segments, with the events 1 and 2; the first one's receipt is of this time.
fn two_segments(received_at: i64) -> Journal<MemoryDisk> {
    let (mut journal, _) = reopen(MemoryDisk::default());
    journal.append(&event(1, EventKind::Lock)).unwrap();
    receipted(&mut journal, &[1], received_at).unwrap();
    journal.active = None;
    journal.append(&event(2, EventKind::Lock)).unwrap();
    journal
}

fn by_the_pc(wall: i64) -> Moment {
    Moment { wall: UtcMillis(wall), ..event(1, EventKind::Lock).recorded_at }
}

fn has_first_segment(journal: &Journal<MemoryDisk>) -> bool {
    journal.disk.files.borrow().contains_key("000001.journal")
}

#[test]
fn a_clock_that_was_set_ahead_deletes_nothing() {
    let mut journal = two_segments(NOW + 1);
    receipted(&mut journal, &[2], NOW + KEEP_MS - 1).unwrap();
    for wall in [NOW + KEEP_MS + 24 * 3_600_000, NOW + 100 * KEEP_MS, i64::MAX] {
        assert_eq!(journal.prune(&by_the_pc(wall)).unwrap(), None);
        assert!(has_first_segment(&journal), "{wall}");
    }
    // The same for the next run, which has the times from the receipts on the disk.
    let (mut after, _) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(after.prune(&by_the_pc(i64::MAX)).unwrap(), None);
    assert!(has_first_segment(&after));
}

#[test]
fn the_border_is_the_newest_receipt_against_the_last_one_for_the_segment() {
    // Its receipt came a while after the event: from then on it is kept.
    let late = NOW + 3_600_000;
    for (newest, goes) in [(late + KEEP_MS, false), (late + KEEP_MS + 1, true)] {
        let mut journal = two_segments(late);
        receipted(&mut journal, &[2], newest).unwrap();
        let (mut after, _) = reopen(journal.disk.after_power_cut(0));
        for journal in [&mut journal, &mut after] {
            let gone = journal.prune(&by_the_pc(i64::MAX)).unwrap();
            assert_eq!((gone, has_first_segment(journal)), (goes.then_some(1), !goes), "{newest}");
        }
    }
}

#[test]
fn a_server_whose_clock_is_ahead_deletes_nothing_that_the_pc_has_from_today() {
    let mut journal = two_segments(NOW);
    receipted(&mut journal, &[2], NOW + 100 * KEEP_MS).unwrap();
    assert_eq!(journal.prune(&by_the_pc(NOW + KEEP_MS)).unwrap(), None);
    assert!(has_first_segment(&journal));
}

#[test]
fn without_any_receipt_of_a_later_time_everything_stays() {
    let mut journal = two_segments(NOW);
    assert_eq!(journal.prune(&by_the_pc(i64::MAX)).unwrap(), None);
    assert!(has_first_segment(&journal), "a year without the server");
}
