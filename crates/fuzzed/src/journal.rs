//! The journal: any bytes as its segments.
//!
//! It opens whatever is there, and what it promises afterwards it keeps: an event that was appended, and each that
//! waited, is there after the next opening with the same bytes, and no number is given out twice.

use arbitrary::{Result, Unstructured};
use mngntime_agent::journal::disk::Disk as _;
use mngntime_agent::journal::{Enrollment, Journal};
use mngntime_ledger::Digest;
use mngntime_model::{Declared, Event};
use mngntime_sim::MemoryDisk;
use mngntime_wire::EncodedEvent;
use serde_json::json;

use crate::make;

/// Segments, and what is done after they were opened.
pub fn run(data: &[u8]) {
    let _too_few_bytes = play(&mut Unstructured::new(data));
}

fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let disk = MemoryDisk::default();
    for place in 1..=u.int_in_range(1..=3)? {
        let number = if u.ratio(15, 16)? { place } else { make::number(u)? };
        let name =
            if u.ratio(15, 16)? { format!("{number:06}.journal") } else { format!("{number}.journal") };
        disk.create(&name).expect("memory");
        disk.append(&name, &segment(u)?).expect("memory");
    }
    let (mut journal, _) = Journal::open(disk.clone()).expect("damage is a finding, not an error");
    let mut waiting = bytes_of_all(&journal);
    let last = journal.recovered(None).last_sequence;
    assert_eq!(last, journal.chain().sequence);
    change(u, &mut journal)?;
    let event = make::event(u, last + 1)?;
    let appended = append(&mut journal, &event);
    if appended.is_some() {
        // Its fact is the new event's now, or the new one declares it unreadable.
        waiting.retain(|(sequence, _)| Some(*sequence) != event.supersedes && !gives_up(&event, *sequence));
    }
    let (reopened, _) = Journal::open(disk).expect("it opened before");
    let after = bytes_of_all(&reopened);
    for event in waiting.into_iter().chain(appended) {
        assert!(after.contains(&event), "event {} is gone or has changed", event.0);
    }
    assert_eq!(reopened.chain(), journal.chain());
    Ok(())
}

fn gives_up(event: &Event, sequence: u64) -> bool {
    matches!(event.declared(), Some(Declared::Unreadable { first, last }) if (first..=last.max(first)).contains(&sequence))
}

/// A receipt is no event: nothing else may come of it than that the numbers in it no longer wait.
fn change(u: &mut Unstructured<'_>, journal: &mut Journal<MemoryDisk>) -> Result<()> {
    if u.arbitrary()? {
        let positions = journal.log_positions().to_vec();
        journal.keep_log_positions(&positions).expect("memory");
    }
    if u.arbitrary()? {
        journal.enroll(enrollment(u)?).expect("memory");
    }
    if u.arbitrary()? {
        journal.acknowledge(&[], r#"{"payload":{"received_at":1},"signature":""}"#).expect("memory");
    }
    Ok(())
}

fn append(journal: &mut Journal<MemoryDisk>, event: &Event) -> Option<(u64, String)> {
    let expected = EncodedEvent::encode(event.clone(), journal.chain().head);
    let done = journal.append(event);
    assert_eq!(done.is_ok(), expected.is_ok(), "{done:?}");
    let expected = expected.ok()?;
    assert_eq!(journal.read(event.sequence).expect("it was appended"), expected.json);
    assert_eq!(journal.chain().sequence, event.sequence);
    Some((event.sequence, expected.json))
}

/// Every event that waits and can be read.
fn bytes_of_all(journal: &Journal<MemoryDisk>) -> Vec<(u64, String)> {
    let read = |sequence| journal.read(sequence).ok().map(|json| (sequence, json));
    journal.pending().filter_map(|event| read(event.sequence)).collect()
}

fn segment(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = if u.ratio(15, 16)? { b"MNGNJ001".to_vec() } else { Vec::new() };
    let (mut sequence, mut previous) = (0_u64, Digest::GENESIS);
    for _ in 0..u.int_in_range(0..=6)? {
        match u.int_in_range(0..=9)? {
            0 => bytes.extend(u.arbitrary::<&[u8]>()?),
            1 => bytes.truncate(bytes.len().saturating_sub(usize::from(u.arbitrary::<u8>()?))),
            2 => bytes.extend(frame(2, receipt(u)?.as_bytes())),
            3 => bytes.extend(frame(3, checkpoint(u, previous)?.as_bytes())),
            4 => bytes.extend(frame(4, &serde_json::to_vec(&enrollment(u)?).expect("JSON"))),
            5 => bytes.extend(frame(5, positions(u)?.as_bytes())),
            6 => bytes.extend(frame(u.arbitrary()?, u.arbitrary::<&[u8]>()?)),
            _ => {
                sequence = if u.ratio(7, 8)? { sequence.saturating_add(1) } else { make::number(u)? };
                let Ok(event) = EncodedEvent::encode(make::event(u, sequence)?, previous) else { continue };
                bytes.extend(frame(1, event.json.as_bytes()));
                previous = event.digest;
                sequence = sequence.min(u64::MAX - 10);
            }
        }
    }
    Ok(bytes)
}

/// A frame as `crates/agent/src/journal/frame.rs` describes it, written anew: what both agree on is the format.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"MNF1".to_vec();
    bytes.extend([kind, 0, 0, 0]);
    bytes.extend(u32::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend(payload);
    bytes.extend(crc32c::crc32c(payload).to_le_bytes());
    bytes
}

fn receipt(u: &mut Unstructured<'_>) -> Result<String> {
    let numbers = [make::number(u)?, make::number(u)?];
    Ok(json!({"seqs": numbers, "receipt": {"payload": {"received_at": make::time(u)?}}}).to_string())
}

fn checkpoint(u: &mut Unstructured<'_>, head: Digest) -> Result<String> {
    let mut logons = Vec::new();
    for _ in 0..u.int_in_range(0..=2)? {
        let sequence = make::number(u)?;
        let event = EncodedEvent::encode(make::event(u, sequence)?, head).ok();
        logons.extend(event.and_then(|event| serde_json::from_str::<serde_json::Value>(&event.json).ok()));
    }
    let enrollment = if u.arbitrary()? { Some(enrollment(u)?) } else { None };
    let checkpoint = json!({
        "last_sequence": make::number(u)?,
        "head": head.to_string(),
        "open_logons": logons,
        "enrollment": enrollment,
        "ended_in_order": u.arbitrary::<bool>()?,
        "enrolled_after": make::number(u)?,
    });
    Ok(checkpoint.to_string())
}

fn positions(u: &mut Unstructured<'_>) -> Result<String> {
    let channel = *u.choose(&["lsm", "system", "security", "other"])?;
    let (id, at) = (make::number(u)?, make::time(u)?);
    Ok(json!({"positions": [{"channel": channel, "record_id": id, "written_at": at}]}).to_string())
}

fn enrollment(u: &mut Unstructured<'_>) -> Result<Enrollment> {
    Ok(Enrollment {
        contract: "demo".to_owned(),
        server_url: "https://mngntime.example.co.jp".to_owned(),
        terminal: (*u.choose(&["t1", "t2"])?).to_owned(),
        server_key: (*u.choose(&["k1", "k2"])?).to_owned(),
        display_name: make::text(u)?,
        public_key: u.choose(&[None, Some("p1"), Some("p2")])?.map(str::to_owned),
    })
}
