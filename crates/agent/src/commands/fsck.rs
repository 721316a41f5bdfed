//! `fsck`: is every record there, whole and in its chain? Reads only.

use std::io::Write;

use anyhow::bail;
use mngntime_wire::Signer;

use super::is_there;
use crate::config::Config;
use crate::identity;
use crate::journal::disk::{Directory, Disk};
use crate::journal::{Finding, Journal, Reading, heartbeat};

/// Writes a summary and every finding to `out`. Exit 0 when the chain is whole and this PC's, and its end would be missed; 1
/// otherwise.
pub fn fsck(config: &Config, out: &mut dyn Write) -> anyhow::Result<u8> {
    let path = config.state_dir.join("journal");
    if !is_there(&path)? {
        bail!(
            "{} does not exist; nothing has been recorded there (state_dir in {})",
            path.display(),
            config.path.display()
        );
    }
    let disk = Directory::new(&path);
    let (journal, reading) = Journal::open_to_read(disk.clone())?;
    say!(
        to out,
        "segments={} events={} receipts={} waiting={} last={} head={} superseded={}",
        reading.segments,
        reading.events,
        reading.receipts,
        journal.pending().count(),
        journal.chain().sequence,
        journal.chain().head,
        reading.superseded.len(),
    );
    let is_ours = tell_whose(config, &journal, &reading, out);
    let end_is_known = tell_heartbeat(&disk, &journal, &reading, out)?;
    for (number, by) in &reading.superseded {
        say!(
            to out,
            "superseded seq={number} by={by}: the server had given the number to another record; this one is kept as evidence"
        );
    }
    for (month, size) in &reading.forks {
        say!(
            to out,
            "fork month={month} size={size}: the server's receipts name two trees of this size; after a restore from a backup its log has the entry restored_from_backup, without one it was rewritten: keep the receipts (mngntime-agent receipts)"
        );
    }
    for number in &reading.returned {
        say!(
            to out,
            "returned seq={number}: it was declared unreadable and can be read again; it is kept as evidence and not sent"
        );
    }
    reading.findings.iter().for_each(|finding| say!(to out, "{}", describe(finding)));
    let harmless = |finding: &Finding| {
        matches!(
            finding,
            Finding::Damaged { maybe_complete: false, .. }
                | Finding::Heartbeat { beat_before_is_sound: true, .. }
        )
    };
    let is_whole = reading.findings.iter().all(harmless);
    Ok(u8::from(!(is_whole && is_ours && end_is_known)))
}

/// Whose records they are; whether they are this PC's, as far as its key says.
fn tell_whose(config: &Config, journal: &Journal<Directory>, reading: &Reading, out: &mut dyn Write) -> bool {
    let enrollment = journal.enrollment();
    let terminal = enrollment.map_or("-", |enrollment| enrollment.terminal.as_str());
    match identity::find_key(&config.state_dir, enrollment) {
        Ok(key) => {
            let public = key.as_ref().map_or("-".to_owned(), |key| key.public().to_string());
            say!(to out, "terminal={terminal} key={public}");
            let is_emptied = key.is_some() && enrollment.is_none() && reading.events == 0;
            if is_emptied {
                say!(
                    to out,
                    "empty: there is a device key, and the journal knows neither an enrolment nor an event: unless this PC has never been enrolled, its records have been removed"
                );
            }
            !is_emptied
        }
        Err(trouble) => {
            let enrolled = enrollment.and_then(|enrollment| enrollment.public_key.as_deref()).unwrap_or("-");
            say!(
                to out,
                "foreign terminal={terminal} enrolled_key={enrolled}: {trouble}; if the key is right, these are the records of another PC"
            );
            false
        }
    }
}

/// Whether the sign of life is there, without which nobody misses the journal's end. A journal without anything needs none.
fn tell_heartbeat(
    disk: &Directory,
    journal: &Journal<Directory>,
    reading: &Reading,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let is_needed = reading.events > 0 || journal.enrollment().is_some();
    let is_there = disk.list()?.iter().any(|name| name == heartbeat::NAME);
    if is_needed && !is_there {
        say!(to out, "no heartbeat: whether records have been cut off at the end cannot be seen until the agent's next start");
    }
    Ok(is_there || !is_needed)
}

fn describe(finding: &Finding) -> String {
    match finding {
        Finding::Damaged { segment, offset, length, maybe_complete: true } => {
            format!(
                "damaged segment={segment:06} offset={offset} length={length}: a record may have been here"
            )
        }
        Finding::Damaged { segment, offset, length, maybe_complete: false } => {
            format!(
                "unfinished segment={segment:06} offset={offset} length={length}: the last write did not come to its end; the records before it are whole"
            )
        }
        Finding::Foreign { segment, offset } => {
            format!("foreign segment={segment:06} offset={offset}: a record this version cannot read")
        }
        Finding::Unreadable { segment, what } => format!(
            "unreadable segment={segment:06}: {what}; what it held is declared lost, the other segments are read: check the disk"
        ),
        Finding::Receipt { segment, offset, what } => format!(
            "receipt segment={segment:06} offset={offset}: {what}; it does not count, its events wait and are sent again"
        ),
        Finding::OtherBytes { segment, sequence } => format!(
            "changed seq={sequence}: the receipt in segment {segment:06} is for other bytes; the server has the record as it was, this one is not sent"
        ),
        Finding::Misplaced { segment, sequence, behind } => format!(
            "misplaced seq={sequence} segment={segment:06}: it is there, but behind {behind}; records are not written in this order"
        ),
        Finding::Heartbeat { what, beat_before_is_sound: true } => {
            format!("heartbeat: {what}; the beat before it counts")
        }
        Finding::Heartbeat { what, beat_before_is_sound: false } => format!(
            "heartbeat: {what}; whether records have been cut off at the end cannot be seen until the agent's next beat"
        ),
        Finding::Chain(fault) => format!("chain {fault}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use mngntime_model::{BootId, Event, EventKind, Evidence, Moment, UtcMillis};

    use super::*;
    use crate::journal::{Enrollment, Heartbeat};
    use crate::platform;

    const AT: Moment = Moment { wall: UtcMillis(1), offset_seconds: 0, biased_ms: 1, unbiased_ms: 1 };

    fn event(sequence: u64) -> Event {
        Event {
            sequence,
            boot: BootId::new("b1").unwrap(),
            kind: EventKind::Lock,
            evidence: Evidence::Notice,
            occurred_at: AT.wall,
            bounds: None,
            recorded_at: AT,
            session: None,
            account: None,
            remote: None,
            client: None,
            cause: None,
            supersedes: None,
        }
    }

    /// A PC that was enrolled as `terminal`, has recorded three events and beats.
    fn pc(folder: &Path, terminal: &str) -> Config {
        let mut config = Config::defaults(&folder.join("config.toml"));
        config.state_dir = folder.join("state");
        let path = config.state_dir.join("journal");
        platform::protect_directory(&path).unwrap();
        let key = identity::load_or_make_key(&config.state_dir, None).unwrap().key.public().to_string();
        let disk = Directory::new(&path);
        let (mut journal, _) = Journal::open(disk.clone()).unwrap();
        let enrollment = Enrollment {
            contract: "demo".into(),
            server_url: "http://127.0.0.1:9".into(),
            terminal: terminal.into(),
            server_key: key.clone(),
            display_name: "勤怠".into(),
            public_key: Some(key),
        };
        journal.enroll(enrollment).unwrap();
        (1..=3).for_each(|sequence| journal.append(&event(sequence)).unwrap());
        Heartbeat::open(&disk).begin(&disk, AT, &journal.chain()).unwrap();
        config
    }

    fn run(config: &Config) -> (u8, String) {
        let mut out = Vec::new();
        let code = fsck(config, &mut out).unwrap();
        (code, String::from_utf8(out).unwrap())
    }

    #[test]
    fn whose_records_they_are_is_said_and_those_of_another_pc_are_no_good_ones() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (one, other) = (pc(one.path(), "t1"), pc(other.path(), "t2"));
        let key = fs::read_to_string(one.state_dir.join("device.key")).unwrap();
        let (code, said) = run(&one);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("\nterminal=t1 key=") && !said.contains(key.trim()), "{said}");
        for file in ["000001.journal", "heartbeat"] {
            let place = |config: &Config| config.state_dir.join("journal").join(file);
            fs::copy(place(&other), place(&one)).unwrap();
        }
        let (code, said) = run(&one);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("foreign terminal=t2") && said.contains("holds another key"), "{said}");
    }

    #[test]
    fn what_would_hide_a_cut_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let config = pc(folder.path(), "t1");
        let journal = config.state_dir.join("journal");
        fs::remove_file(journal.join("heartbeat")).unwrap();
        let (code, said) = run(&config);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("no heartbeat: whether records have been cut off"), "{said}");
        fs::remove_file(journal.join("000001.journal")).unwrap();
        let (code, said) = run(&config);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("events=0") && said.contains("empty: there is a device key"), "{said}");
        // A PC that has not begun.
        fs::remove_file(config.state_dir.join("device.key")).unwrap();
        let (code, said) = run(&config);
        assert_eq!((code, said.lines().count()), (0, 2), "{said}");
    }

    #[test]
    fn a_segment_that_was_made_longer_than_any_is_read_to_its_limit_and_reported() {
        let folder = tempfile::tempdir().unwrap();
        let config = pc(folder.path(), "t1");
        for name in ["000001.journal", "000002.journal"] {
            let path = config.state_dir.join("journal").join(name);
            let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
            file.set_len(64 << 20).unwrap();
        }
        let (code, said) = run(&config);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("events=3 ") && said.contains("last=3 "), "{said}");
        let rest = format!("offset={} length={}: a record", 16 << 20, (64 - 16) << 20);
        assert_eq!(said.matches(&rest).count(), 2, "{said}");
    }
}
