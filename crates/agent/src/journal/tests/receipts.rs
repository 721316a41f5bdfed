//! Which receipts count when the journal is read again.

use super::*;
use mngntime_wire::LogTree;

/// The findings and what waits, after these receipts have been put behind three events of a terminal.
fn read_with(receipts: &[String]) -> (Vec<Finding>, Vec<u64>) {
    let mut journal = written(3);
    journal.enroll(enrollment("t1", Some("p"))).unwrap();
    for receipt in receipts {
        let payload = format!("{{\"seqs\":[1,2,3],\"receipt\":{receipt}}}");
        journal.write(FrameKind::Receipt, payload.as_bytes()).unwrap();
    }
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    (reading.findings, pending(&after))
}

fn sound() -> Receipt {
    let mut journal = written(3);
    journal.enroll(enrollment("t1", Some("p"))).unwrap();
    receipt(&journal, &[1, 2, 3], NOW)
}

fn words(findings: &[Finding]) -> Vec<&str> {
    let mut words = Vec::new();
    for finding in findings {
        let Finding::Receipt { segment: 1, what, .. } = finding else { panic!("{finding:?}") };
        words.push(*what);
    }
    words
}

#[test]
fn a_receipt_that_the_server_signed_counts() {
    assert_eq!(read_with(&[sealed(&sound(), &server(42))]), (vec![], vec![]));
}

#[test]
fn a_receipt_that_anybody_could_have_written_does_not_count_and_is_reported() {
    let signed = sealed(&sound(), &server(42));
    let forged = [
        ("no signed envelope", "{\"payload\":{\"received_at\":1}}".to_owned()),
        ("no signed envelope", "\"no\"".to_owned()),
        ("the signature is not our server's", sealed(&sound(), &server(7))),
        ("the signature is not our server's", signed.replace("\"head\":3", "\"head\":4")),
        ("the receipt is for another terminal", {
            sealed(&Receipt { terminal: "t2".into(), ..sound() }, &server(42))
        }),
        ("the receipt is not of this contract", sealed(&Receipt { v: 2, ..sound() }, &server(42))),
    ];
    for (what, receipt) in forged {
        let (findings, waiting) = read_with(std::slice::from_ref(&receipt));
        assert_eq!((words(&findings), waiting), (vec![what], vec![1, 2, 3]), "{receipt}");
        // And it takes nothing from a sound one behind it.
        let (findings, waiting) = read_with(&[receipt, signed.clone()]);
        assert_eq!((findings.len(), waiting), (1, vec![]));
    }
}

#[test]
fn a_receipt_counts_for_the_events_it_takes_over_and_for_no_others() {
    let with = |change: fn(&mut Receipt)| {
        let mut receipt = sound();
        change(&mut receipt);
        let (findings, waiting) = read_with(&[sealed(&receipt, &server(42))]);
        (words(&findings).len(), waiting)
    };
    assert_eq!(with(|receipt| drop(receipt.items.remove(1))), (1, vec![2]));
    assert_eq!(with(|receipt| receipt.items[0].stored = false), (1, vec![1]));
    assert_eq!(with(|receipt| receipt.items[2].res = Some(6)), (1, vec![3]), "the punch is to be sent again");
    assert_eq!(with(|receipt| receipt.items[2].res = Some(7)), (0, vec![]), "the punch waits at the server");
    assert_eq!(with(|receipt| receipt.refused = Some(6)), (3, vec![1, 2, 3]));
}

/// The last event has been changed, with its checksums: no later one names its digest.
#[test]
fn an_event_with_other_bytes_than_the_receipt_says_is_reported_and_neither_waits_nor_is_sent() {
    let mut receipt = sound();
    receipt.items[2].hash = Digest::of(b"as it was").to_string();
    let mut journal = written(3);
    journal.enroll(enrollment("t1", Some("p"))).unwrap();
    journal.acknowledge(&[1, 2, 3], &sealed(&receipt, &server(42))).unwrap();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(reading.findings, [Finding::OtherBytes { segment: 1, sequence: 3 }]);
    assert_eq!((pending(&after), after.recovered(None).kept), (vec![], vec![1, 2]));
    assert!(matches!(after.read(3), Err(JournalError::Unknown(3))));
}

#[test]
fn receipts_count_by_the_key_of_the_enrolment_they_belong_to() {
    let mut journal = written(2);
    receipted(&mut journal, &[1], NOW).unwrap();
    // One that a full disk refused until the PC was enrolled elsewhere.
    let late = sealed(&receipt(&journal, &[2], NOW), &server(42));
    let elsewhere = Enrollment { server_key: server(7).public().to_string(), ..enrollment("t2", Some("q")) };
    journal.enroll(elsewhere).unwrap();
    journal.acknowledge(&[2], &late).unwrap();
    journal.append(&event(3, EventKind::Lock)).unwrap();
    // The new terminal's, by the old server; then by its own.
    let of_new = receipt(&journal, &[3], NOW);
    journal.acknowledge(&[3], &sealed(&of_new, &server(42))).unwrap();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(words(&reading.findings), ["the receipt is for another terminal"]);
    assert_eq!(pending(&after), [3]);
    journal.acknowledge(&[3], &sealed(&of_new, &server(7))).unwrap();
    assert_eq!(pending(&reopen(journal.disk.after_power_cut(0)).0), Vec::<u64>::new());
}

#[test]
fn without_a_known_enrolment_no_receipt_counts_until_a_checkpoint_knows_it() {
    let mut journal = written(1);
    receipted(&mut journal, &[1], NOW).unwrap();
    journal.active = None;
    journal.append(&event(2, EventKind::Lock)).unwrap();
    receipted(&mut journal, &[2], NOW).unwrap();
    let disk = journal.disk.after_power_cut(0);
    let bytes = disk.files.borrow()["000001.journal"].synced.clone();
    let at = bytes.windows(12).position(|window| window == b"\"server_url\"").unwrap();
    disk.flip("000001.journal", at * 8);
    let (after, reading) = reopen(disk);
    assert_eq!(words(&reading.findings[1..]), ["no enrolment before it says whose receipts count"]);
    assert_eq!(pending(&after), [1], "sent again, which the server knows already");
}

#[test]
fn all_receipts_are_given_as_the_server_signed_them_and_nothing_else() {
    let mut journal = written(3);
    receipted(&mut journal, &[1], NOW).unwrap();
    journal.active = None;
    receipted(&mut journal, &[2, 3], NOW + 1).unwrap();
    journal.write(FrameKind::Receipt, b"no frame of ours").unwrap();
    let mut lines = Vec::new();
    let given = super::receipts(&journal.disk, &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(given, Given { receipts: 2, unreadable: 1 });
    let times = lines.iter().map(|line| {
        let signed = Signed::parse(line.as_bytes()).unwrap();
        checked_receipt(&signed, &server(42).public()).unwrap().received_at
    });
    assert_eq!(times.collect::<Vec<_>>(), [NOW, NOW + 1]);
}

#[test]
fn no_receipt_is_lost_in_silence() {
    let mut journal = written(2);
    receipted(&mut journal, &[1], NOW).unwrap();
    receipted(&mut journal, &[2], NOW + 1).unwrap();
    let given = |disk: &MemoryDisk| super::receipts(disk, &mut |_| {}).unwrap();
    for bit in (0..journal.disk.length("000001.journal") * 8).step_by(5) {
        let disk = journal.disk.after_power_cut(0);
        disk.flip("000001.journal", bit);
        let given = given(&disk);
        assert!(given.receipts == 2 || given.unreadable == 1, "bit {bit}: {given:?}");
    }
    // What was an event, and nothing else, was no receipt.
    let disk = journal.disk.after_power_cut(0);
    disk.flip("000001.journal", (frame::MAGIC.len() + frame::HEADER_BYTES + 9) * 8);
    assert_eq!(given(&disk), Given { receipts: 2, unreadable: 0 });
    journal.write(FrameKind::Other(9), b"{}").unwrap();
    assert_eq!(given(&journal.disk), Given { receipts: 2, unreadable: 1 }, "of a newer version");
}

#[test]
fn two_trees_of_one_size_are_told_and_refuse_nothing() {
    let tree = |month: &str, size, root: &str| {
        Some(LogTree { month: month.into(), size, root: Digest::of(root.as_bytes()).to_string() })
    };
    let mut journal = written(4);
    journal.enroll(enrollment("t1", Some("p"))).unwrap();
    let trees = [
        tree("2026-11", 7, "a"),
        tree("2026-11", 7, "a"),
        tree("2026-10", 7, "b"),
        // Another node of the server, which has not seen the last tree yet.
        tree("2026-11", 6, "c"),
        tree("2026-11", 7, "d"),
    ];
    for (log, sequence) in trees.into_iter().zip([1, 2, 3, 4, 4]) {
        let receipt = Receipt { log, ..receipt(&journal, &[sequence], NOW) };
        journal.acknowledge(&[sequence], &sealed(&receipt, &server(42))).unwrap();
    }
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(reading.forks.into_iter().collect::<Vec<_>>(), [("2026-11".to_owned(), 7)]);
    assert_eq!((reading.findings, pending(&after)), (vec![], vec![]));
}

#[test]
fn events_in_another_order_are_called_that_and_not_missing() {
    let journal = written(4);
    let frames: Vec<Vec<u8>> =
        (1..=4).map(|n| frame::encode(FrameKind::Event, journal.read(n).unwrap().as_bytes())).collect();
    for (order, behind) in [([0, 2, 1, 3], 3), ([0, 2, 3, 1], 4)] {
        let disk = MemoryDisk::default();
        let bytes = order.iter().fold(frame::MAGIC.to_vec(), |bytes, n| [bytes, frames[*n].clone()].concat());
        disk.files.borrow_mut().insert("000001.journal".into(), File { synced: bytes, cached: vec![] });
        let (after, reading) = Journal::open_to_read(disk).unwrap();
        assert_eq!(reading.findings, [Finding::Misplaced { segment: 1, sequence: 2, behind }]);
        assert_eq!((pending(&after), after.recovered(None).lost), (vec![1, 2, 3, 4], vec![]));
    }
}

#[test]
fn a_spoilt_beat_is_reported_and_one_that_was_never_written_is_not() {
    let boot = BootId::new("b1").unwrap();
    let journal = written(1);
    let mut heartbeat = Heartbeat::open(&journal.disk);
    let beat = |heartbeat: &mut Heartbeat, disk: &MemoryDisk| {
        heartbeat.beat(disk, &boot, event(1, EventKind::Lock).recorded_at, &journal.chain()).unwrap();
    };
    let findings = |disk: &MemoryDisk| reopen(disk.after_power_cut(0)).1.findings;
    for beats in 0..=3 {
        assert_eq!(findings(&journal.disk), [], "{beats}");
        beat(&mut heartbeat, &journal.disk);
    }
    for (slot, is_harmless) in [(0, true), (512, false)] {
        journal.disk.flip("heartbeat", (slot + 20) * 8);
        let findings = findings(&journal.disk);
        let [Finding::Heartbeat { beat_before_is_sound, .. }] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(*beat_before_is_sound, is_harmless);
    }
}
