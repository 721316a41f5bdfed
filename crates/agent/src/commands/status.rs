//! `status`: what is in force and what waits. Reads only.

use std::io::Write;
use std::path::Path;

use mngntime_model::{EventKind, Evidence};

use super::{is_there, known_enrollment};
use crate::config::{Config, Effective};
use crate::identity;
use crate::journal::disk::Directory;
use crate::journal::{Heartbeat, Journal};

/// Writes the effective configuration with its origin, the spool and the last sign of life to `out`. What is
/// wrong with the configuration is the caller's to tell.
pub fn status(config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    print_configuration(config, out);
    print_key(&config.state_dir, out);
    print_journal(&config.state_dir, out)
}

/// Writes every value in force with its origin; no secrets.
pub(super) fn print_configuration(config: &Config, out: &mut dyn Write) {
    for Effective { key, value, origin } in config.effective() {
        say!(to out, "{key:<18} {value}  ({origin})");
    }
}

fn print_key(state_dir: &Path, out: &mut dyn Write) {
    let enrollment = known_enrollment(state_dir);
    let text = match identity::find_key(state_dir, enrollment.as_ref()) {
        Ok(key) => key.map_or("not made yet", |key| key.class().name()).to_owned(),
        Err(trouble) => trouble.to_string(),
    };
    say!(to out, "{:<18} {text}", "device key");
}

fn print_journal(state_dir: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let path = state_dir.join("journal");
    if !is_there(&path)? {
        say!(to out, "{:<18} nothing recorded yet in {}", "journal", path.display());
        return Ok(());
    }
    let disk = Directory::new(&path);
    let (journal, reading) = Journal::open_to_read(disk.clone())?;
    let heartbeat = Heartbeat::open(&disk);
    let recovered = journal.recovered(Some(&heartbeat));
    say!(to out, "{:<18} {}", "terminal", journal.enrollment().map_or("not enrolled", |e| e.terminal.as_str()));
    say!(to out, "{:<18} {}", "events", journal.chain().sequence);
    say!(to out, "{:<18} {}", "waiting", recovered.pending.len());
    say!(to out, "{:<18} {}", "receipts", reading.receipts);
    if let Some(time) = journal.rolled_back_at() {
        say!(to out, "{:<18} {}", "rolled back", rfc3339(time.0));
        say!(to out, "{:<18} {}", "renumbered", reading.superseded.len());
    }
    if let Some(time) = reading.last_receipt_at {
        say!(to out, "{:<18} {}", "last receipt", rfc3339(time));
    }
    say!(to out, "{:<18} {}", "logged on", recovered.stays.iter().count());
    if let Some(seen) = recovered.last_seen {
        say!(to out, "{:<18} {}", "last alive", rfc3339(seen.moment.wall.0));
    }
    say!(to out, "{:<18} {}", "findings", reading.findings.len());
    Ok(())
}

/// UTC milliseconds as people read them.
pub fn rfc3339(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |time| time.to_string())
}

/// Prints everything that is ever recorded.
pub fn schema() -> anyhow::Result<u8> {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
    let evidence: Vec<&str> = Evidence::ALL.iter().map(|evidence| evidence.name()).collect();
    say!("MngnTime records of this PC, for each event, and nothing else:");
    say!("  seq, prev            number and checksum of the event before");
    say!("  boot                 which run of the operating system");
    say!("  kind                 {}", kinds.join(", "));
    say!("  evidence             how it is known: {}", evidence.join(", "));
    say!("  occurred_at, bounds  when, or between which times");
    say!("  recorded_at          the PC's clocks");
    say!("  session              session number");
    say!("  account              account id, domain, user name, sign-in name (UPN)");
    say!("  remote, client       whether a remote session, and from where");
    say!("  cause                why, in fixed words");
    say!("Of the PC: host name, operating system, agent version, a checksum of its machine ids.");
    say!("Never: keys pressed, windows, titles, programs, files, web addresses, screen contents.");
    Ok(0)
}
