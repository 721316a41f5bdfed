//! Segments that the disk does not give back, for good or for a while.

use super::*;

/// Always.
const FOR_GOOD: usize = usize::MAX;

fn medium_error() -> io::Error {
    io::Error::from_raw_os_error(crate::platform::MEDIUM_ERRORS[0])
}

/// Three segments with three events each, and what is said when segment `number` is read.
fn with(number: u64, refusal: Refusal, times: usize) -> MemoryDisk {
    let (mut journal, _) = reopen(MemoryDisk::default());
    for numbers in [1..=3, 4..=6, 7..=9] {
        let kind = |n: u64| if n == 1 { EventKind::Logon } else { EventKind::Lock };
        numbers.for_each(|n| journal.append(&event(n, kind(n))).unwrap());
        journal.active = None;
    }
    refusing(journal.disk.after_power_cut(0), number, refusal, times)
}

fn refusing(disk: MemoryDisk, number: u64, refusal: Refusal, times: usize) -> MemoryDisk {
    disk.refuses.borrow_mut().insert(segment_name(number), (refusal, times));
    disk
}

fn unreadable(reading: &Reading) -> Vec<u64> {
    let mut segments = Vec::new();
    for finding in &reading.findings {
        if let Finding::Unreadable { segment, .. } = finding {
            segments.push(*segment);
        }
    }
    segments
}

/// What the core does at its start with what is lost.
fn declare(journal: &mut Journal<MemoryDisk>) {
    let recovered = journal.recovered(None);
    for (place, (first, last)) in recovered.lost.iter().enumerate() {
        let number = recovered.last_sequence + 1 + place as u64;
        let gap = event(number, EventKind::Gap);
        let cause = Some(format!("unreadable:{first}-{last}"));
        journal.append(&Event { session: None, account: None, cause, ..gap }).unwrap();
    }
}

#[test]
fn a_segment_that_cannot_be_read_costs_its_own_events_and_no_others() {
    for (number, lost, waiting) in [(1, (1, 3), [4, 5, 6, 7, 8, 9]), (2, (4, 6), [1, 2, 3, 7, 8, 9])] {
        let (mut after, reading) = reopen(with(number, medium_error, FOR_GOOD));
        assert_eq!(unreadable(&reading), [number]);
        let recovered = after.recovered(None);
        assert_eq!((recovered.lost, recovered.last_sequence), (vec![lost], 9), "segment {number}");
        assert_eq!(pending(&after), waiting);
        assert_eq!(
            recovered.stays.iter().count(),
            1,
            "who is logged on is known from the checkpoint behind it"
        );
        after.append(&event(10, EventKind::Lock)).unwrap();
        assert_eq!(after.chain().sequence, 10);
    }
}

#[test]
fn at_the_end_no_number_that_there_was_room_for_is_used_again() {
    let disk = with(3, medium_error, FOR_GOOD);
    let before = disk.files.borrow()["000003.journal"].clone();
    let (mut after, reading) = reopen(disk);
    assert_eq!(unreadable(&reading), [3]);
    let recovered = after.recovered(None);
    assert!(matches!(recovered.lost[..], [(7, last)] if last >= 9 && last == recovered.last_sequence));
    declare(&mut after);
    assert_eq!(after.disk.files.borrow()["000003.journal"].synced, before.synced, "never written to again");
    let (again, _) = reopen(refusing(after.disk.after_power_cut(0), 3, medium_error, FOR_GOOD));
    assert_eq!(again.recovered(None).lost, [], "declared once");
}

#[test]
fn what_the_heartbeat_knows_is_used_for_an_end_that_cannot_be_read() {
    let (mut journal, _) = reopen(with(3, medium_error, 0));
    let mut heartbeat = Heartbeat::open(&journal.disk);
    let moment = event(1, EventKind::Lock).recorded_at;
    for n in 10..=300 {
        journal.append(&event(n, EventKind::Lock)).unwrap();
    }
    heartbeat.beat(&journal.disk, &BootId::new("b1").unwrap(), moment, &journal.chain()).unwrap();
    let segments = journal.disk.list().unwrap().iter().filter_map(|name| segment_number(name)).max();
    let disk = journal.disk.after_power_cut(0);
    // Cut short as well: only the heartbeat says how much there was.
    let name = segment_name(segments.unwrap());
    disk.files.borrow_mut().get_mut(&name).unwrap().synced.truncate(100);
    let (after, _) = reopen(refusing(disk, segments.unwrap(), medium_error, FOR_GOOD));
    assert_eq!(after.chain().sequence, 300);
}

#[test]
fn all_segments_unreadable_is_all_lost_and_no_number_used_again() {
    let disk = with(1, medium_error, FOR_GOOD);
    for number in [2, 3] {
        disk.refuses.borrow_mut().insert(segment_name(number), (medium_error, FOR_GOOD));
    }
    let (mut after, reading) = reopen(disk);
    assert_eq!((unreadable(&reading), pending(&after)), (vec![1, 2, 3], vec![]));
    let recovered = after.recovered(None);
    assert!(matches!(recovered.lost[..], [(1, last)] if last >= 9 && last == recovered.last_sequence));
    declare(&mut after);
    let next = after.chain().sequence + 1;
    after.append(&event(next, EventKind::Lock)).unwrap();
    assert_eq!(pending(&after).len(), 2);
}

#[test]
fn a_fault_that_passes_declares_nothing() {
    let (after, reading) = reopen(with(2, medium_error, 2));
    assert_eq!((reading.findings, after.recovered(None).lost), (vec![], vec![]));
    assert_eq!(pending(&after).len(), 9);
}

#[test]
fn a_refusal_that_can_be_cured_is_an_error_and_declares_nothing() {
    let refusals: [Refusal; 3] = [
        || io::ErrorKind::PermissionDenied.into(),
        || io::ErrorKind::OutOfMemory.into(),
        || io::ErrorKind::TimedOut.into(),
    ];
    for refusal in refusals {
        let error = Journal::open(with(2, refusal, FOR_GOOD)).unwrap_err();
        assert!(matches!(&error, JournalError::Disk { name, .. } if name == "000002.journal"), "{error}");
    }
}

/// It was declared lost, and the disk gives it back at a later start.
#[test]
fn what_comes_back_after_it_was_declared_is_evidence_and_is_not_sent() {
    let (mut after, _) = reopen(with(2, medium_error, FOR_GOOD));
    declare(&mut after);
    let expect = |journal: &Journal<MemoryDisk>, reading: &Reading| {
        assert_eq!(pending(journal), [1, 2, 3, 7, 8, 9, 10]);
        assert_eq!((&reading.returned[..], journal.recovered(None).lost), (&[4, 5, 6][..], vec![]));
        assert_eq!(unreadable(reading), Vec::<u64>::new());
    };
    let (mut again, reading) = reopen(after.disk.after_power_cut(0));
    expect(&again, &reading);
    assert_eq!(again.chain(), after.chain());
    again.append(&event(11, EventKind::Lock)).unwrap();
}

#[test]
fn what_the_server_had_before_is_not_taken_back_by_the_declaration() {
    let (mut journal, _) = reopen(with(2, medium_error, 0));
    receipted(&mut journal, &[4, 5], NOW).unwrap();
    let disk = refusing(journal.disk.after_power_cut(0), 2, medium_error, FOR_GOOD);
    let (mut after, _) = reopen(disk);
    declare(&mut after);
    let (again, reading) = reopen(after.disk.after_power_cut(0));
    assert_eq!((again.recovered(None).kept, reading.returned), (vec![4, 5], vec![6]));
}

#[test]
fn an_unreadable_segment_goes_with_the_one_behind_it_and_not_before() {
    let (mut journal, _) = reopen(with(1, medium_error, FOR_GOOD));
    declare(&mut journal);
    let later = Moment { wall: UtcMillis(i64::MAX), ..event(1, EventKind::Lock).recorded_at };
    heard_at(&mut journal, NOW + 2 * KEEP_MS);
    assert_eq!(journal.prune(&later).unwrap(), None);
    assert!(journal.disk.files.borrow().contains_key("000001.journal"), "event 4 has no receipt");
    receipted(&mut journal, &[4, 5, 6], NOW).unwrap();
    assert_eq!(journal.prune(&later).unwrap(), Some(6));
    let names = journal.disk.list().unwrap();
    let segments: Vec<&String> = names.iter().filter(|name| name.ends_with(".journal")).collect();
    assert_eq!(segments, ["000003.journal"]);
    // Nothing of it is declared again by those who find it gone.
    assert_eq!(reopen(journal.disk.after_power_cut(0)).0.recovered(None).lost, []);
}

/// The first segment of all cannot be read and stays, because it is no file; those behind it have gone.
#[test]
fn what_went_in_good_order_behind_an_unreadable_first_segment_is_no_loss() {
    let disk = with(1, medium_error, FOR_GOOD);
    disk.files.borrow_mut().remove("000002.journal").unwrap();
    let (after, _) = reopen(disk);
    assert_eq!((after.recovered(None).lost, after.chain().sequence), (vec![], 9));
}

#[cfg(unix)]
mod on_a_real_disk {
    use std::os::unix::fs::symlink;

    use super::super::disk::Directory;
    use super::*;

    fn journal(folder: &std::path::Path) -> Journal<Directory> {
        let (mut journal, _) = Journal::open(Directory::new(folder)).unwrap();
        (1..=2).for_each(|n| journal.append(&event(n, EventKind::Lock)).unwrap());
        journal
    }

    /// Makes something under a name.
    type Maker = fn(&std::path::Path);

    #[test]
    fn what_is_no_file_is_neither_waited_for_nor_taken_for_a_segment() {
        let makers: [(&str, Maker); 4] = [
            ("directory", |path| std::fs::create_dir(path).unwrap()),
            ("link to nowhere", |path| symlink("/nonexistent", path).unwrap()),
            ("socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
            ("pipe", |path| {
                let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
                assert!(made.success());
            }),
        ];
        for (what, make) in makers {
            let folder = tempfile::tempdir().unwrap();
            journal(folder.path());
            make(&folder.path().join("000002.journal"));
            let (mut after, reading) = Journal::open(Directory::new(folder.path())).unwrap();
            assert!(
                matches!(&reading.findings[..], [Finding::Unreadable { segment: 2, .. }]),
                "{what}: {:?}",
                reading.findings
            );
            assert_eq!((after.recovered(None).lost, after.chain().sequence), (vec![], 2), "{what}");
            after.append(&event(3, EventKind::Lock)).unwrap();
            assert_eq!(Journal::open(Directory::new(folder.path())).unwrap().1.events, 3, "{what}");
        }
    }

    #[test]
    fn a_pipe_in_the_heartbeats_place_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let pipe = folder.path().join("heartbeat");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let disk = Directory::new(folder.path());
        let (mut heartbeat, finding) = Heartbeat::examine(&disk);
        assert!(matches!(finding, Some(Finding::Heartbeat { beat_before_is_sound: false, .. })));
        let (boot, moment) = (BootId::new("b1").unwrap(), event(1, EventKind::Lock).recorded_at);
        heartbeat.beat(&disk, &boot, moment, &journal.chain()).unwrap_err();
    }
}
