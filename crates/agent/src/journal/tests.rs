//! The journal on a disk that crashes, lies and flips bits.

use std::cell::RefCell;
use std::collections::BTreeMap as Map;

use super::*;
use mngntime_agent_core::LastSeen;
use mngntime_agent_core::log::LogChannel;
use mngntime_ledger::ChainBreak;
use mngntime_model::{AccountIdentity, BootId, EventKind, Evidence, Moment, SessionIdentity, UtcMillis};
use mngntime_wire::{Context, Receipt, ReceiptItem, SecretKey, Signed};

mod age;
mod memory;
mod receipts;
mod unreadable;

/// What is on the platter, and what only the page cache has.
#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    cached: Vec<u8>,
}

/// What a disk says instead of giving a file.
type Refusal = fn() -> io::Error;

/// A disk in memory whose n-th operation can be made to fail.
#[derive(Debug, Default)]
struct MemoryDisk {
    files: RefCell<Map<String, File>>,
    operations: RefCell<usize>,
    fail_at: Option<usize>,
    full_at: Option<usize>,
    /// Full, and without a reserve to give.
    stays_full: bool,
    /// Names that it does not give back, each with the error and how often it says so before it does.
    refuses: RefCell<Map<String, (Refusal, usize)>>,
}

impl MemoryDisk {
    fn operation(&self) -> io::Result<()> {
        *self.operations.borrow_mut() += 1;
        let number = *self.operations.borrow();
        if self.fail_at == Some(number) {
            return Err(io::Error::other("injected"));
        }
        Ok(())
    }

    /// The disk after a power cut in which `kept` cached bytes of each file reached the platter.
    fn after_power_cut(&self, kept: usize) -> Self {
        let held = self.files.borrow();
        let files = held.iter().map(|(name, file)| {
            let mut synced = file.synced.clone();
            synced.extend(file.cached.iter().take(kept));
            (name.clone(), File { synced, cached: vec![] })
        });
        Self { files: RefCell::new(files.collect()), ..Self::default() }
    }

    fn flip(&self, name: &str, bit: usize) {
        self.files.borrow_mut().get_mut(name).unwrap().synced[bit / 8] ^= 1 << (bit % 8);
    }

    fn length(&self, name: &str) -> usize {
        self.files.borrow()[name].synced.len()
    }
}

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.files.borrow().keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        if let Some((refusal, left)) = self.refuses.borrow_mut().get_mut(name)
            && *left > 0
        {
            *left -= 1;
            return Err(refusal());
        }
        let files = self.files.borrow();
        let file = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok([&file.synced[..], &file.cached[..]].concat())
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let bytes = self.read(name)?;
        let start = usize::try_from(offset).unwrap();
        bytes.get(start..start + length).map(<[u8]>::to_vec).ok_or(io::ErrorKind::UnexpectedEof.into())
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(self.files.borrow()[name].synced.len() as u64)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        self.operation()?;
        self.files.borrow_mut().insert(name.to_owned(), File::default());
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let failed = self.operation();
        if self.stays_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.full_at.is_some_and(|at| *self.operations.borrow() >= at)
            && self.files.borrow().contains_key(RESERVE)
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut files = self.files.borrow_mut();
        let file = files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let written = if failed.is_err() { bytes.len() / 2 } else { bytes.len() };
        file.cached.extend(&bytes[..written]);
        failed
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.operation()?;
        let mut files = self.files.borrow_mut();
        let file = files.entry(name.to_owned()).or_default();
        let start = usize::try_from(offset).unwrap();
        file.synced.resize(file.synced.len().max(start + bytes.len()), 0);
        file.synced[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.operation()?;
        let mut files = self.files.borrow_mut();
        let file = files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let cached = std::mem::take(&mut file.cached);
        file.synced.extend(cached);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.borrow_mut().remove(name).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }
}

fn event(sequence: u64, kind: EventKind) -> Event {
    let boot = BootId::new("b1").unwrap();
    Event {
        sequence,
        boot: boot.clone(),
        kind,
        evidence: Evidence::Notice,
        occurred_at: UtcMillis(1_764_000_000_000),
        bounds: None,
        recorded_at: Moment {
            wall: UtcMillis(1_764_000_000_000 + sequence as i64),
            offset_seconds: 0,
            biased_ms: sequence,
            unbiased_ms: sequence,
        },
        session: Some(SessionIdentity { boot, session_id: "2".into(), logon_identity: "2@1".into() }),
        account: Some(AccountIdentity {
            key: "S-1-5-21-1".into(),
            domain: "EXAMPLE".into(),
            name: "hanako".into(),
            upn: None,
        }),
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    }
}

fn reopen(disk: MemoryDisk) -> (Journal<MemoryDisk>, Reading) {
    Journal::open(disk).unwrap()
}

fn written(count: u64) -> Journal<MemoryDisk> {
    let (mut journal, _) = reopen(MemoryDisk::default());
    (1..=count).for_each(|n| journal.append(&event(n, EventKind::Lock)).unwrap());
    journal
}

fn pending(journal: &Journal<MemoryDisk>) -> Vec<u64> {
    journal.pending().map(|event| event.sequence).collect()
}

/// When these events happened, and when the server gave its receipts unless a test says another time.
const NOW: i64 = 1_764_000_000_000;

fn server(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn enrollment(terminal: &str, key: Option<&str>) -> Enrollment {
    Enrollment {
        contract: "demo".into(),
        server_url: "https://example.co.jp".into(),
        terminal: terminal.into(),
        server_key: server(42).public().to_string(),
        display_name: "MINAGINE".into(),
        public_key: key.map(str::to_owned),
    }
}

/// What the terminal's server says of these events as the journal has them.
fn receipt(journal: &Journal<MemoryDisk>, sequences: &[u64], received_at: i64) -> Receipt {
    let held = |sequence: &u64| {
        let pending = journal.fold.pending.get(sequence).map(|(_, at)| at.digest);
        let digest = pending.or_else(|| journal.fold.kept.get(sequence).map(|at| at.digest));
        let hash = digest.unwrap_or(Digest::GENESIS).to_string();
        ReceiptItem { seq: *sequence, hash, stored: true, res: None, log: None }
    };
    Receipt {
        v: 1,
        request: Digest::GENESIS.to_string(),
        terminal: journal.enrollment().map_or("t1", |enrollment| &enrollment.terminal).to_owned(),
        received_at,
        refused: None,
        items: sequences.iter().map(held).collect(),
        head: sequences.iter().copied().max().unwrap_or(0),
        missing: Vec::new(),
        spread_seconds: 60,
        contact_seconds: 900,
        display_name: "MINAGINE".into(),
        log: None,
        contract: None,
    }
}

fn sealed(receipt: &Receipt, key: &SecretKey) -> String {
    Signed::seal(Context::Receipt, receipt, key).unwrap().to_json().unwrap()
}

/// The journal's terminal (which it becomes, if it is none) is given a receipt.
fn receipted(
    journal: &mut Journal<MemoryDisk>,
    sequences: &[u64],
    received_at: i64,
) -> Result<(), JournalError> {
    if journal.enrollment().is_none() {
        journal.enroll(enrollment("t1", Some("p")))?;
    }
    let receipt = sealed(&receipt(journal, sequences, received_at), &server(42));
    journal.acknowledge(sequences, &receipt)
}

/// The server gives a receipt for something else at this time of its clock.
fn heard_at(journal: &mut Journal<MemoryDisk>, received_at: i64) {
    journal.fold.acknowledged(&[], Some(received_at));
}

#[test]
fn what_was_appended_is_there_after_a_power_cut() {
    let journal = written(3);
    let chain = journal.chain();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(pending(&after), [1, 2, 3]);
    assert_eq!(after.chain(), chain);
    assert_eq!(reading.findings, []);
    assert_eq!(after.read(2).unwrap(), journal.read(2).unwrap());
}

#[test]
fn what_changed_on_disk_since_it_was_written_is_never_sent() {
    let journal = written(2);
    journal.disk.flip("000001.journal", (frame::MAGIC.len() + frame::HEADER_BYTES + 9) * 8);
    assert!(matches!(journal.read(1), Err(JournalError::Unreadable(1))));
    assert!(journal.read(2).is_ok());
}

#[test]
fn a_receipt_takes_events_off_the_list_for_good() {
    let mut journal = written(3);
    receipted(&mut journal, &[1, 3], NOW).unwrap();
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(pending(&after), [2]);
    assert_eq!((reading.receipts, reading.last_receipt_at, reading.findings), (1, Some(NOW), vec![]));
    assert!(after.read(1).is_ok(), "kept for a server that may lose it");
    assert!(matches!(after.read(4), Err(JournalError::Unknown(4))));
}

#[test]
fn the_newest_receipts_time_is_known() {
    let mut journal = written(2);
    for (sequence, time) in [(1, 20_000), (2, 10_000)] {
        receipted(&mut journal, &[sequence], time).unwrap();
    }
    let (_, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!((reading.receipts, reading.last_receipt_at), (2, Some(20_000)));
}

#[test]
fn open_stays_are_rebuilt() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    journal.append(&event(1, EventKind::Logon)).unwrap();
    let (mut journal, _) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(journal.recovered(None).stays.iter().count(), 1);
    journal.append(&event(2, EventKind::Logoff)).unwrap();
    let (journal, _) = reopen(journal.disk.after_power_cut(0));
    assert!(journal.recovered(None).stays.is_empty());
}

/// A crash at every byte of the write of the third event: the first two are always there, the third is
/// whole or not at all, and the journal goes on.
#[test]
fn a_power_cut_at_any_byte_of_a_write_loses_only_that_write() {
    let journal = written(2);
    let third = EncodedEvent::encode(event(3, EventKind::Lock), journal.chain().head).unwrap();
    let frame = frame::encode(FrameKind::Event, third.json.as_bytes());
    journal.disk.append("000001.journal", &frame).unwrap();
    for kept in 0..=frame.len() {
        let (mut after, _) = reopen(journal.disk.after_power_cut(kept));
        let whole = kept == frame.len();
        assert_eq!(pending(&after), if whole { vec![1, 2, 3] } else { vec![1, 2] }, "{kept}");
        let recovered = after.recovered(None);
        assert_eq!(recovered.lost, [], "{kept}: a torn write was never promised");
        let next = recovered.last_sequence + 1;
        after.append(&event(next, EventKind::Lock)).unwrap();
        let (again, _) = reopen(after.disk.after_power_cut(0));
        assert_eq!(pending(&again).last(), Some(&next), "{kept}");
    }
}

/// Every operation fails once: an event that was not promised may be given again, and is then there once.
#[test]
fn whatever_operation_fails_the_same_event_can_be_given_again() {
    for fail_at in 1..=12 {
        let disk = MemoryDisk { fail_at: Some(fail_at), ..MemoryDisk::default() };
        let (mut journal, _) = reopen(disk);
        for sequence in 1..=3 {
            let event = event(sequence, EventKind::Lock);
            if journal.append(&event).is_err() {
                journal.append(&event).unwrap();
            }
        }
        for kept in [0, usize::MAX] {
            let (after, reading) = reopen(journal.disk.after_power_cut(kept));
            assert_eq!(pending(&after), [1, 2, 3], "operation {fail_at}, {kept} kept");
            let breaks = reading.findings.iter().filter(|f| matches!(f, Finding::Chain(_))).count();
            assert_eq!(breaks, 0, "operation {fail_at}: {:?}", reading.findings);
        }
    }
}

/// A process is killed between the write and its sync; the next one reads the event from the page cache.
#[test]
fn what_a_killed_process_left_in_the_page_cache_is_written_again_before_it_is_read() {
    let journal = written(2);
    let third = EncodedEvent::encode(event(3, EventKind::Lock), journal.chain().head).unwrap();
    journal.disk.append("000001.journal", &frame::encode(FrameKind::Event, third.json.as_bytes())).unwrap();
    // One that the OS took for written when the sync failed: no sync brings it to the platter any more.
    let believed_clean = journal.disk.after_power_cut(0);
    let (mut after, _) = reopen(journal.disk);
    assert_eq!(after.read(3).unwrap(), third.json);
    assert_eq!(pending(&reopen(after.disk.after_power_cut(0)).0), [1, 2, 3], "as durable as any");
    after.append(&event(4, EventKind::Lock)).unwrap();
    let (again, reading) = reopen(after.disk.after_power_cut(0));
    assert_eq!((pending(&again), reading.findings), (vec![1, 2, 3, 4], vec![]));
    assert_eq!(again.chain(), after.chain());
    assert_eq!(pending(&reopen(believed_clean).0), [1, 2]);
}

#[test]
fn an_event_that_may_not_be_on_the_disk_is_not_given_away_while_the_disk_refuses_it() {
    let journal = written(2);
    let mut disk = journal.disk.after_power_cut(0);
    disk.stays_full = true;
    let (mut after, _) = reopen(disk);
    assert!(after.read(1).is_ok() && matches!(after.read(2), Err(JournalError::Disk { .. })));
    after.disk.stays_full = false;
    after.keep_receipts().unwrap();
    assert!(after.read(2).is_ok());
}

/// The first copy of an event was in the page cache only; the second is the first frame after a checkpoint that
/// knew it.
#[test]
fn a_second_copy_behind_a_checkpoint_counts_when_the_first_is_gone() {
    let mut journal = written(2);
    journal.active = None;
    let second = journal.read(2).unwrap();
    journal.write(FrameKind::Event, second.as_bytes()).unwrap();
    let disk = journal.disk.after_power_cut(0);
    let end = disk.length("000001.journal");
    disk.files.borrow_mut().get_mut("000001.journal").unwrap().synced.truncate(end - 200);
    let (after, _) = reopen(disk);
    assert_eq!((pending(&after), after.recovered(None).lost), (vec![1, 2], vec![]));
    assert_eq!(after.read(2).unwrap(), second);
}

/// Damage behind the last event made the numbers after it count as used before its second copy was written.
#[test]
fn a_second_copy_counts_also_where_numbers_after_it_are_lost() {
    let journal = written(2);
    let disk = journal.disk.after_power_cut(0);
    let end = disk.length("000001.journal");
    disk.append("000001.journal", &[7; 500]).unwrap();
    let (after, _) = reopen(disk.after_power_cut(usize::MAX));
    assert_eq!(after.recovered(None).lost, [(3, 4)]);
    let disk = after.disk.after_power_cut(0);
    disk.flip("000001.journal", (end - 100) * 8);
    let (again, _) = reopen(disk);
    assert_eq!((pending(&again), again.recovered(None).lost), (vec![1, 2], vec![(3, 4)]));
    assert!(again.read(2).is_ok() && again.chain().sequence == 4);
}

/// It repeats nothing: neither is its fact taken in twice, nor is it a fault of the chain.
#[test]
fn a_second_copy_behind_lost_numbers_counts_once() {
    let journal = written(2);
    let disk = journal.disk.after_power_cut(0);
    disk.append("000001.journal", &[7; 500]).unwrap();
    let (once, _) = reopen(disk.after_power_cut(usize::MAX));
    let (again, reading) = reopen(once.disk.after_power_cut(0));
    let faults = reading.findings.iter().filter(|finding| matches!(finding, Finding::Chain(_)));
    assert_eq!((faults.count(), reading.events), (0, 2), "{:?}", reading.findings);
    assert_eq!((again.recovered(None).lost, pending(&again)), (vec![(3, 4)], vec![1, 2]));
}

#[test]
fn every_flipped_bit_is_reported_and_costs_at_most_one_event() {
    let journal = written(3);
    let bits = journal.disk.length("000001.journal") * 8;
    for bit in (frame::MAGIC.len() * 8..bits).step_by(7) {
        let disk = journal.disk.after_power_cut(0);
        disk.flip("000001.journal", bit);
        let (mut after, reading) = reopen(disk);
        assert_eq!(pending(&after).len(), 2, "bit {bit}");
        assert!(!reading.findings.is_empty(), "bit {bit}");
        let recovered = after.recovered(None);
        assert!(recovered.last_sequence >= 3, "bit {bit}: a number the server may know is not used again");
        assert_eq!(recovered.lost.len(), 1, "bit {bit}");
        after.append(&event(recovered.last_sequence + 1, EventKind::Lock)).unwrap();
    }
}

#[test]
fn a_declared_loss_is_not_declared_at_every_start() {
    let journal = written(3);
    let disk = journal.disk.after_power_cut(0);
    disk.flip("000001.journal", disk.length("000001.journal") * 8 - 100);
    let (mut after, _) = reopen(disk);
    let recovered = after.recovered(None);
    let (first, last) = recovered.lost[0];
    let gap = Event {
        kind: EventKind::Gap,
        cause: Some(format!("unreadable:{first}-{last}")),
        ..event(recovered.last_sequence + 1, EventKind::Lock)
    };
    after.append(&gap).unwrap();
    let (again, _) = reopen(after.disk.after_power_cut(0));
    assert_eq!(again.recovered(None).lost, []);
}

#[test]
fn a_full_disk_takes_the_reserve() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    journal.append(&event(1, EventKind::Lock)).unwrap();
    assert!(journal.disk.list().unwrap().contains(&RESERVE.to_owned()));
    journal.disk.full_at = Some(0);
    journal.append(&event(2, EventKind::Lock)).unwrap();
    assert!(!journal.disk.list().unwrap().contains(&RESERVE.to_owned()));
    assert_eq!(pending(&reopen(journal.disk.after_power_cut(0)).0), [1, 2]);
}

#[test]
fn a_disk_that_stays_full_is_not_given_an_empty_segment_at_every_try() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    journal.append(&event(1, EventKind::Lock)).unwrap();
    journal.disk.stays_full = true;
    for _ in 0..5 {
        assert!(journal.append(&event(2, EventKind::Lock)).is_err());
    }
    let names = journal.disk.list().unwrap();
    let segments = names.iter().filter(|name| name.ends_with(".journal")).count();
    assert_eq!(segments, 1, "{names:?}");
}

#[test]
fn a_receipt_that_a_full_disk_refused_is_kept_as_soon_as_there_is_room() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    journal.append(&event(1, EventKind::Lock)).unwrap();
    journal.append(&event(2, EventKind::Lock)).unwrap();
    journal.enroll(enrollment("t1", None)).unwrap();
    journal.disk.stays_full = true;
    let refused = [1, 2].map(|sequence| receipted(&mut journal, &[sequence], NOW).is_err());
    assert_eq!(refused, [true, true]);
    assert!(journal.keep_receipts().is_err());
    assert_eq!(pending(&journal), [1, 2]);
    journal.disk.stays_full = false;
    journal.keep_receipts().unwrap();
    assert_eq!(pending(&journal), Vec::<u64>::new());
    assert_eq!(pending(&reopen(journal.disk.after_power_cut(0)).0), Vec::<u64>::new());
}

#[test]
fn old_segments_go_when_receipted_and_what_is_open_survives_them() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    let enrollment = enrollment("t1", Some("p"));
    journal.enroll(enrollment.clone()).unwrap();
    journal.append(&event(1, EventKind::Logon)).unwrap();
    journal.active = None; // as after a day's end: the next write opens a segment
    journal.append(&event(2, EventKind::Lock)).unwrap();
    let later = Moment {
        wall: UtcMillis(1_764_000_000_000 + KEEP_MS + 10_000),
        ..event(1, EventKind::Lock).recorded_at
    };
    heard_at(&mut journal, later.wall.0);
    journal.prune(&later).unwrap();
    assert!(journal.disk.files.borrow().contains_key("000001.journal"), "event 1 has no receipt");
    receipted(&mut journal, &[1], NOW).unwrap();
    heard_at(&mut journal, later.wall.0);
    journal.prune(&later).unwrap();
    assert!(!journal.disk.files.borrow().contains_key("000001.journal"));
    let (after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(reading.findings, []);
    assert_eq!(after.enrollment(), Some(&enrollment));
    assert_eq!(after.recovered(None).stays.iter().count(), 1, "the stay that is still open");
    assert_eq!(after.chain(), journal.chain());
}

#[test]
fn a_deletion_that_fails_half_way_tells_what_is_gone() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    for sequence in 1..=3 {
        journal.append(&event(sequence, EventKind::Lock)).unwrap();
        journal.active = None;
    }
    receipted(&mut journal, &[1, 2], NOW).unwrap();
    let later = Moment {
        wall: UtcMillis(1_764_000_000_000 + KEEP_MS + 10_000),
        ..event(1, EventKind::Lock).recorded_at
    };
    journal.disk.files.borrow_mut().remove("000002.journal");
    heard_at(&mut journal, later.wall.0);
    assert_eq!(journal.prune(&later).unwrap(), Some(1));
    assert!(matches!(journal.read(1), Err(JournalError::Unknown(1))));
    heard_at(&mut journal, later.wall.0);
    journal.prune(&later).unwrap_err();
}

/// What a run wrote once more is still there when the segment of the first copy is not.
#[test]
fn a_second_copy_stays_when_the_first_is_deleted() {
    let mut journal = written(2);
    journal.active = None;
    let second = journal.read(2).unwrap();
    journal.write(FrameKind::Event, second.as_bytes()).unwrap();
    let (mut after, _) = reopen(journal.disk.after_power_cut(0));
    let wall = UtcMillis(1_764_000_000_000 + KEEP_MS + 10_000);
    let later = Moment { wall, ..event(3, EventKind::Lock).recorded_at };
    after.append(&Event { recorded_at: later, ..event(3, EventKind::Lock) }).unwrap();
    receipted(&mut after, &[1, 2], NOW).unwrap();
    heard_at(&mut after, later.wall.0);
    assert_eq!(after.prune(&later).unwrap(), Some(1));
    assert!(!after.disk.files.borrow().contains_key("000001.journal"));
    assert_eq!(after.read(2).unwrap(), second);
    let (again, _) = reopen(after.disk.after_power_cut(0));
    assert_eq!(
        again.recovered(None).kept,
        [2],
        "the next run finds it behind the checkpoint, and its receipt"
    );
    assert_eq!(again.read(2).unwrap(), second);
}

#[test]
fn a_checkpoint_remembers_that_nobody_has_come_yet() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    journal.append(&event(1, EventKind::Logon)).unwrap();
    let locked = Event { cause: Some("unattended_logon".into()), ..event(2, EventKind::Lock) };
    journal.append(&locked).unwrap();
    journal.active = None;
    journal.append(&event(3, EventKind::ServiceStop)).unwrap();
    receipted(&mut journal, &[1, 2], NOW).unwrap();
    let later = Moment {
        wall: UtcMillis(1_764_000_000_000 + KEEP_MS + 10_000),
        ..event(1, EventKind::Lock).recorded_at
    };
    heard_at(&mut journal, later.wall.0);
    journal.prune(&later).unwrap();
    assert!(!journal.disk.files.borrow().contains_key("000001.journal"));
    let (after, _) = reopen(journal.disk.after_power_cut(0));
    let stays = after.recovered(None).stays;
    assert!(stays.iter().all(|stay| stay.unattended) && stays.iter().count() == 1, "{stays:?}");
}

#[test]
fn ten_thousand_frames_are_read_in_one_go_and_a_middle_loss_is_named() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    (1..=10_000).for_each(|n| journal.append(&event(n, EventKind::Lock)).unwrap());
    assert!(journal.segments.len() > 3);
    let disk = journal.disk.after_power_cut(0);
    let middle = disk.length("000002.journal") / 2;
    disk.flip("000002.journal", middle * 8);
    let (after, reading) = reopen(disk);
    assert_eq!(reading.events, 9_999);
    let lost = after.recovered(None).lost;
    assert!(matches!(lost[..], [(first, last)] if first == last), "{lost:?}");
}

#[test]
fn a_segment_that_somebody_deleted_is_a_loss_named_by_its_numbers() {
    let (mut journal, _) = reopen(MemoryDisk::default());
    for numbers in [1..=3, 4..=6, 7..=9] {
        numbers.for_each(|n| journal.append(&event(n, EventKind::Lock)).unwrap());
        journal.active = None;
    }
    let disk = journal.disk.after_power_cut(0);
    disk.files.borrow_mut().remove("000002.journal").unwrap();
    let (after, _) = reopen(disk);
    let recovered = after.recovered(None);
    assert_eq!((recovered.lost, recovered.last_sequence), (vec![(4, 6)], 9), "and no number is used again");
}

/// A journal of six events after a beat that knew of `known` of them, cut off behind the event `left` (0: without any
/// segment).
fn cut_off(known: u64, left: u64) -> MemoryDisk {
    let (mut journal, _) = reopen(MemoryDisk::default());
    let mut heartbeat = Heartbeat::open(&journal.disk);
    for n in 1..=6 {
        journal.append(&event(n, EventKind::Lock)).unwrap();
        if n == known {
            let now = event(n, EventKind::Lock).recorded_at;
            heartbeat.beat(&journal.disk, &BootId::new("b1").unwrap(), now, &journal.chain()).unwrap();
        }
    }
    let next = journal.fold.pending.get(&(left + 1)).map(|(_, at)| at.offset as usize - frame::HEADER_BYTES);
    let disk = journal.disk.after_power_cut(0);
    let segment = disk.files.borrow_mut().remove("000001.journal").unwrap();
    if left > 0 {
        let synced = segment.synced[..next.unwrap_or(segment.synced.len())].to_vec();
        let file = File { synced, cached: vec![] };
        disk.files.borrow_mut().insert("000001.journal".into(), file);
    }
    disk
}

#[test]
fn an_end_that_somebody_cut_off_is_a_loss_of_the_numbers_that_the_heartbeat_knew() {
    for left in 0..=4 {
        let (mut after, reading) = reopen(cut_off(5, left));
        let missing = Finding::Chain(ChainBreak::Missing { first: left + 1, last: 5 });
        assert!(reading.findings.contains(&missing), "{:?}", reading.findings);
        let recovered = after.recovered(None);
        assert_eq!((recovered.lost, recovered.last_sequence), (vec![(left + 1, 5)], 5));
        // What comes next goes on behind them, and is the same loss at every later start until it is declared.
        after.append(&event(6, EventKind::Lock)).unwrap();
        let (again, _) = reopen(after.disk.after_power_cut(0));
        assert_eq!((again.recovered(None).lost, again.chain().sequence), (vec![(left + 1, 5)], 6));
    }
}

#[test]
fn a_journal_that_goes_beyond_its_heartbeat_has_lost_nothing() {
    for (known, left) in [(5, 5), (5, 6), (3, 3), (3, 6)] {
        let (after, reading) = reopen(cut_off(known, left));
        assert_eq!((after.recovered(None).lost, after.chain().sequence), (vec![], left));
        assert_eq!(reading.findings, []);
    }
}

#[test]
fn the_newer_sound_heartbeat_counts() {
    let disk = MemoryDisk::default();
    let mut heartbeat = Heartbeat::open(&disk);
    assert!(heartbeat.last_seen().is_none());
    let boot = BootId::new("b1").unwrap();
    for n in 1..=5 {
        heartbeat.beat(&disk, &boot, event(n, EventKind::Lock).recorded_at, &Chain::default()).unwrap();
    }
    assert_eq!(Heartbeat::open(&disk).last_seen().unwrap().moment.biased_ms, 5);
    // The fifth went to the second slot (odd generation); spoil it.
    disk.flip("heartbeat", (512 + 20) * 8);
    assert_eq!(Heartbeat::open(&disk).last_seen().unwrap().moment.biased_ms, 4);
}

fn log_position(record_id: u64) -> LogPosition {
    LogPosition { channel: LogChannel::System, record_id, written_at: UtcMillis(1_764_000_000_000) }
}

fn in_boot(name: &str, event: Event) -> Event {
    Event { boot: BootId::new(name).unwrap(), ..event }
}

#[test]
fn log_positions_survive_a_power_cut_and_the_segment_they_were_written_in() {
    let mut journal = written(2);
    journal.keep_log_positions(&[log_position(5)]).unwrap();
    journal.keep_log_positions(&[log_position(9)]).unwrap();
    let (mut after, reading) = reopen(journal.disk.after_power_cut(0));
    assert_eq!(after.recovered(None).log_positions, [log_position(9)]);
    assert_eq!((pending(&after), reading.findings), (vec![1, 2], vec![]));
    // A new segment begins with a checkpoint, and the old one goes.
    after.active = None;
    after.append(&event(3, EventKind::Lock)).unwrap();
    receipted(&mut after, &[1, 2, 3], NOW).unwrap();
    let later =
        Moment { wall: UtcMillis(1_764_000_000_000 + 2 * KEEP_MS), ..event(3, EventKind::Lock).recorded_at };
    heard_at(&mut after, later.wall.0);
    after.prune(&later).unwrap();
    assert!(!after.disk.files.borrow().contains_key("000001.journal"));
    let (last, _) = reopen(after.disk.after_power_cut(0));
    assert_eq!(last.recovered(None).log_positions, [log_position(9)]);
}

/// What a version that does not know log positions does with them, shown with a kind that nobody knows yet.
#[test]
fn a_frame_kind_of_a_newer_version_is_reported_and_costs_nothing_else() {
    let mut journal = written(2);
    journal.write(FrameKind::Other(77), b"{\"positions\":[]}").unwrap();
    journal.append(&event(3, EventKind::Lock)).unwrap();
    let chain = journal.chain();
    let (mut after, reading) = reopen(journal.disk.after_power_cut(0));
    assert!(matches!(reading.findings[..], [Finding::Foreign { segment: 1, .. }]), "{:?}", reading.findings);
    assert_eq!((pending(&after), after.chain()), (vec![1, 2, 3], chain));
    after.append(&event(4, EventKind::Lock)).unwrap();
    assert_eq!(pending(&reopen(after.disk).0), [1, 2, 3, 4]);
}

#[test]
fn a_checkpoint_of_a_version_without_log_positions_is_read() {
    let old = r#"{"last_sequence":7,"head":"HEAD","open_logons":[],"enrollment":null,"ended_in_order":true}"#;
    let old = old.replace("HEAD", &Digest::of(b"x").to_string());
    let disk = MemoryDisk::default();
    disk.create("000002.journal").unwrap();
    let bytes = [&frame::MAGIC[..], &frame::encode(FrameKind::Checkpoint, old.as_bytes())].concat();
    disk.append("000002.journal", &bytes).unwrap();
    let (journal, reading) = reopen(disk);
    assert_eq!((reading.findings, journal.chain().sequence), (vec![], 7));
    assert_eq!(journal.recovered(None).log_positions, []);
}

#[test]
fn the_time_that_no_log_was_compared_with_lasts_until_positions_are_kept() {
    let mut journal = written(1);
    assert_eq!(journal.recovered(None).unexplained_since, None, "the first run has nothing before it");
    let last_sign =
        LastSeen { boot: BootId::new("b1").unwrap(), moment: event(1, EventKind::Lock).recorded_at };
    // Two starts in another boot; the first ended before it had read the logs.
    journal.append(&in_boot("b2", event(2, EventKind::Boot))).unwrap();
    journal.append(&in_boot("b2", event(3, EventKind::ServiceStart))).unwrap();
    journal.append(&in_boot("b2", event(4, EventKind::ServiceStart))).unwrap();
    let back_filled = Event { evidence: Evidence::BackFilled, ..event(5, EventKind::Logoff) };
    journal.append(&in_boot("b2", back_filled)).unwrap();
    let (mut after, _) = reopen(journal.disk.after_power_cut(0));
    let recovered = after.recovered(None);
    assert_eq!(recovered.unexplained_since, Some(last_sign));
    assert_eq!(recovered.recent.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    after.keep_log_positions(&[log_position(9)]).unwrap();
    let recovered = reopen(after.disk).0.recovered(None);
    assert_eq!(recovered.unexplained_since, None);
    assert_eq!(recovered.recent.last().map(|event| event.sequence), Some(4), "what was read is done with");
}

#[test]
fn an_enrolment_of_a_version_that_did_not_keep_the_terminals_key_stays_valid() {
    let old = r#"{"contract":"demo","server_url":"u","terminal":"t","server_key":"k","display_name":"M"}"#;
    let enrollment: Enrollment = serde_json::from_str(old).unwrap();
    assert_eq!(enrollment.public_key, None);
    assert_eq!(serde_json::to_string(&enrollment).unwrap(), old, "an older version can read it");
}

/// A virus scanner or a backup that keeps a segment to itself (no sharing at all).
#[cfg(windows)]
#[test]
fn a_segment_that_another_program_locks_is_an_error_and_the_event_given_again_counts_once() {
    use std::os::windows::fs::OpenOptionsExt;

    use crate::journal::disk::Directory;

    let folder = tempfile::tempdir().unwrap();
    let open = || Journal::open(Directory::new(folder.path())).unwrap();
    let (mut journal, _) = open();
    journal.append(&event(1, EventKind::Logon)).unwrap();
    let segment = folder.path().join("000001.journal");
    let other = std::fs::OpenOptions::new().read(true).share_mode(0).open(&segment).unwrap();
    let error = journal.append(&event(2, EventKind::Lock)).unwrap_err();
    assert!(matches!(error, JournalError::Disk { .. }), "{error}");
    // The next try does not wait for the other program: it goes into a fresh segment.
    journal.append(&event(2, EventKind::Lock)).unwrap();
    assert!(journal.read(1).is_err() && journal.read(2).is_ok());
    drop(other);
    assert!(journal.read(1).is_ok());
    journal.append(&event(3, EventKind::Unlock)).unwrap();
    let (after, reading) = open();
    let sequences: Vec<_> = after.pending().map(|event| event.sequence).collect();
    assert_eq!((sequences, reading.findings), (vec![1, 2, 3], vec![]));
    assert_eq!(after.chain(), journal.chain());
}

#[test]
fn a_file_that_is_not_spelled_as_a_segment_is_left_alone() {
    let disk = written(2).disk.after_power_cut(0);
    for name in ["1.journal", "+00001.journal", "18446744073709551615.journal", "x.journal"] {
        disk.files.borrow_mut().insert(name.to_owned(), File::default());
    }
    let (mut journal, reading) = reopen(disk);
    assert_eq!((reading.segments, reading.events, reading.findings), (1, 2, vec![]));
    journal.append(&event(3, EventKind::Lock)).unwrap();
    assert_eq!(pending(&journal), [1, 2, 3]);
}

#[test]
fn a_checkpoint_with_a_number_that_cannot_be_counted_on_from_is_none_of_ours() {
    let disk = written(1).disk.after_power_cut(0);
    let payload = format!(
        r#"{{"last_sequence":{},"head":"{}","open_logons":[],"enrollment":null,"ended_in_order":true}}"#,
        u64::MAX,
        Digest::GENESIS
    );
    let bytes = frame::encode(FrameKind::Checkpoint, payload.as_bytes());
    disk.files.borrow_mut().get_mut("000001.journal").unwrap().synced.extend(bytes);
    let (mut journal, reading) = reopen(disk);
    assert!(matches!(reading.findings[..], [Finding::Foreign { segment: 1, .. }]), "{:?}", reading.findings);
    journal.append(&event(2, EventKind::Lock)).unwrap();
    assert_eq!(pending(&journal), [1, 2]);
}
