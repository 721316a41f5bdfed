//! `fsck`: is every record there, whole and in its chain? Reads only.

use std::io::Write;

use anyhow::bail;

use super::is_there;
use crate::config::Config;
use crate::journal::disk::Directory;
use crate::journal::{Finding, Journal};

/// Writes a summary and every finding to `out`. Exit 0 when the chain is whole, 1 otherwise.
pub fn fsck(config: &Config, out: &mut dyn Write) -> anyhow::Result<u8> {
    let path = config.state_dir.join("journal");
    if !is_there(&path)? {
        bail!(
            "{} does not exist; nothing has been recorded there (state_dir in {})",
            path.display(),
            config.path.display()
        );
    }
    let (journal, reading) = Journal::open_to_read(Directory::new(&path))?;
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
    Ok(u8::from(!reading.findings.iter().all(harmless)))
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
