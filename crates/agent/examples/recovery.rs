//! `cargo xtask bench recovery [FRAMES …]`: how long the agent takes to read its journal after an unclean end.
//!
//! The journal is what an agent leaves that sends each event as it happens: an event, its receipt, an event … The last
//! [`PENDING`] events have none, and behind them stands the beginning of a record that a power cut tore. Measured is
//! [`Journal::open`], by which the agent starts: all segments are read, checked, chained and folded, the
//! signature of every receipt is checked, the room for a full
//! disk is set aside, the last event is written again and synced. Beside it stands how long the same bytes take to be
//! read and nothing else, and the reading part alone. Each run has a copy of its own; the copies are in the page cache,
//! as they are not after a power cut: what the disk then needs for the bytes comes on top.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mngntime_agent::journal::disk::{Directory, Disk};
use mngntime_agent::journal::{Enrollment, Journal};
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};
use mngntime_wire::{Context as Purpose, LogPlace, Receipt, ReceiptItem, SecretKey, Signed};

/// Sizes that are measured when nothing is said: the one of the promise, and ten times that.
const FRAMES: [u64; 2] = [10_000, 100_000];
const TERMINAL: &str = "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a";
/// Events without a receipt: a day without a network.
const PENDING: u64 = 100;
/// Bytes of the torn record.
const TORN_BYTES: usize = 60;
/// Runs of each measurement: their median and their maximum are told.
const RUNS: usize = 11;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let asked =
        words.iter().map(|word| word.parse().with_context(|| format!("{word} is no number of frames")));
    let mut sizes: Vec<u64> = asked.collect::<anyhow::Result<_>>()?;
    if sizes.is_empty() {
        sizes = FRAMES.into();
    }
    println!(
        "| frames | bytes | open: median, max | reading part | the same bytes read | open / read | µs a frame |"
    );
    println!("|---|---|---|---|---|---|---|");
    for frames in sizes {
        println!("{}", measure(frames)?);
    }
    Ok(())
}

/// A row of the table.
fn measure(frames: u64) -> anyhow::Result<String> {
    ensure!(frames > 2 * PENDING, "{frames} frames are fewer than a journal has");
    let original = tempfile::tempdir()?;
    let events = fill(original.path(), frames)?;
    tear(original.path())?;
    let bytes = read(original.path())?.0;
    let (mut open, mut reading, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let copy = tempfile::tempdir()?;
        for entry in fs::read_dir(original.path())? {
            let entry = entry?;
            fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
        reference.push(read(copy.path())?.1);
        let begun = Instant::now();
        let (journal, read) = Journal::open_to_read(Directory::new(copy.path()))?;
        reading.push(begun.elapsed());
        ensure!(read.events == events && journal.pending().count() as u64 == PENDING, "{read:?}");
        drop(journal);
        let begun = Instant::now();
        let (journal, read) = Journal::open(Directory::new(copy.path()))?;
        open.push(begun.elapsed());
        ensure!(read.findings.len() == 1 && journal.pending().count() as u64 == PENDING, "{read:?}");
    }
    let (open, reading, reference) = (sorted(open), sorted(reading), sorted(reference));
    let (median, longest) = (middle(&open), open.last().copied().unwrap_or_default());
    let ratio = median.as_secs_f64() / middle(&reference).as_secs_f64();
    let each = median.as_secs_f64() * 1e6 / frames as f64;
    Ok(format!(
        "| {frames} | {bytes} | {} ms, {} ms | {} ms | {} ms | {ratio:.0} | {each:.1} |",
        milliseconds(median),
        milliseconds(longest),
        milliseconds(middle(&reading)),
        milliseconds(middle(&reference)),
    ))
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort_unstable();
    times
}

fn middle(times: &[Duration]) -> Duration {
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

/// All bytes of the segments, and how long it took to read them.
fn read(directory: &Path) -> anyhow::Result<(u64, Duration)> {
    let (begun, mut bytes) = (Instant::now(), 0);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "journal") {
            bytes += std::hint::black_box(fs::read(path)?).len() as u64;
        }
    }
    Ok((bytes, begun.elapsed()))
}

/// A real directory in which nothing is synced: filling it is not what is measured.
struct Unsynced(Directory);

impl Disk for Unsynced {
    fn list(&self) -> std::io::Result<Vec<String>> {
        self.0.list()
    }

    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        self.0.read(name)
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        self.0.read_at(name, offset, length)
    }

    fn length(&self, name: &str) -> std::io::Result<u64> {
        self.0.length(name)
    }

    fn create(&self, name: &str) -> std::io::Result<()> {
        self.0.create(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        self.0.append(name, bytes)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_at(name, offset, bytes)
    }

    fn sync(&self, _name: &str) -> std::io::Result<()> {
        Ok(())
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }
}

/// Fills a journal by the agent's own functions; the number of its events.
fn fill(directory: &Path, frames: u64) -> anyhow::Result<u64> {
    let server = SecretKey::from_seed(&[42; 32]);
    let (mut journal, _nothing) = Journal::open(Unsynced(Directory::new(directory)))?;
    // Receipts count by the key of the enrolment before them.
    journal.enroll(Enrollment {
        contract: "demo".into(),
        server_url: "https://time.example.co.jp".into(),
        terminal: TERMINAL.into(),
        server_key: server.public().to_string(),
        display_name: "MINAGINE".into(),
        public_key: None,
    })?;
    let events = frames.div_ceil(2) + PENDING / 2;
    for sequence in 1..=events {
        journal.append(&event(sequence)?)?;
        if sequence <= events - PENDING {
            let bytes = journal.read(sequence)?;
            let receipt = Signed::seal(Purpose::Receipt, &receipt(sequence, &bytes), &server)?;
            journal.acknowledge(&[sequence], &receipt.to_json()?)?;
        }
    }
    Ok(events)
}

/// Logons and logoffs, one after the other.
fn event(sequence: u64) -> anyhow::Result<Event> {
    let boot = BootId::new("1f6b9d1e-6a6c-4b8e-8a54-0d7b4f3f8a11")?;
    let since_ms = sequence * 60_000;
    let wall = UtcMillis(1_795_392_000_000).plus(i64::try_from(since_ms)?);
    let stay = sequence.div_ceil(2);
    let name = "yamada.taro";
    Ok(Event {
        sequence,
        boot: boot.clone(),
        kind: if sequence % 2 == 1 { EventKind::Logon } else { EventKind::Logoff },
        evidence: Evidence::Notice,
        occurred_at: wall,
        bounds: None,
        recorded_at: Moment { wall, offset_seconds: 32_400, biased_ms: since_ms, unbiased_ms: since_ms },
        session: Some(SessionIdentity {
            boot,
            session_id: "2".into(),
            logon_identity: format!("0x{stay:x}"),
        }),
        account: Some(AccountIdentity {
            key: "S-1-5-21-1004336348-1177238915-682003330-1001".into(),
            domain: "EXAMPLE".into(),
            name: name.into(),
            upn: Some(format!("{name}@example.co.jp")),
        }),
        remote: Some(false),
        client: None,
        cause: None,
        supersedes: None,
    })
}

fn receipt(sequence: u64, event: &str) -> Receipt {
    let digest = Digest::of(event.as_bytes()).to_string();
    Receipt {
        v: 1,
        request: digest.clone(),
        terminal: TERMINAL.into(),
        received_at: 1_795_392_000_000,
        refused: None,
        items: vec![ReceiptItem {
            seq: sequence,
            hash: digest,
            stored: true,
            res: None,
            log: Some(LogPlace { month: "2026-11".into(), leaf: sequence }),
        }],
        head: sequence,
        missing: Vec::new(),
        spread_seconds: 60,
        contact_seconds: 900,
        display_name: "MINAGINE".into(),
        log: None,
        contract: None,
    }
}

/// The power goes while a record is being written: its beginning stands behind the others.
fn tear(directory: &Path) -> anyhow::Result<()> {
    let names =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    let newest = names.into_iter().filter(|path| path.extension().is_some_and(|it| it == "journal")).max();
    let Some(newest) = newest else { bail!("there is no segment") };
    let mut bytes = fs::read(&newest)?;
    // A frame stands behind the eight bytes of the magic: its beginning declares more than follows.
    let torn = bytes.get(8..8 + TORN_BYTES).context("the newest segment is empty")?.to_vec();
    bytes.extend(torn);
    Ok(fs::write(&newest, bytes)?)
}
