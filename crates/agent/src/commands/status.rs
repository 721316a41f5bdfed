//! `status`: what is in force and what waits. Reads only.

use std::path::Path;

use mngntime_model::{EventKind, Evidence};

use super::print_problems;
use crate::config::{Config, ProxySetting};
use crate::journal::disk::Directory;
use crate::journal::{Heartbeat, Journal};

/// Prints the effective configuration with its origin, the spool and the last sign of life.
pub fn status(config: &Config) -> anyhow::Result<u8> {
    print_configuration(config);
    print_journal(&config.state_dir)?;
    Ok(if print_problems(config) { super::BAD_USE } else { 0 })
}

fn print_configuration(config: &Config) {
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let proxy = match &config.proxy {
        ProxySetting::None => "none".to_owned(),
        ProxySetting::System => "system".to_owned(),
        ProxySetting::AutoDetection => "wpad".to_owned(),
        ProxySetting::Script(address) => format!("pac:{address}"),
        // It may hold a password.
        ProxySetting::Explicit(_) => "explicit".to_owned(),
    };
    let values = [
        ("server_url", text(config.server_url.as_deref())),
        ("contract_code", text(config.contract_code.as_ref().map(|code| code.as_str()))),
        ("enrollment_key", text(config.enrollment_key.as_ref().map(|_| "(set)"))),
        ("state_dir", config.state_dir.display().to_string()),
        ("proxy", proxy),
        ("ca_file", text(config.ca_file.as_deref().and_then(Path::to_str))),
        ("language", config.language.tag().to_owned()),
        ("server_key", text(config.server_key.as_ref().map(|_| "(set)"))),
        ("allow_plain_http", config.allow_plain_http.to_string()),
        ("reconcile_seconds", config.reconcile_seconds.to_string()),
        ("heartbeat_seconds", config.heartbeat_seconds.to_string()),
        ("retry_cap_seconds", config.retry_cap_seconds.to_string()),
    ];
    for (key, value) in values {
        let from_file = config.set_keys.iter().any(|set| set == key);
        let origin = if from_file { config.path.display().to_string() } else { "default".to_owned() };
        say!("{key:<18} {value}  ({origin})");
    }
}

fn print_journal(state_dir: &Path) -> anyhow::Result<()> {
    let path = state_dir.join("journal");
    if !path.is_dir() {
        say!("{:<18} nothing recorded yet in {}", "journal", path.display());
        return Ok(());
    }
    let disk = Directory::new(&path);
    let (journal, reading) = Journal::open_to_read(disk.clone())?;
    let heartbeat = Heartbeat::open(&disk);
    let recovered = journal.recovered(Some(&heartbeat));
    say!("{:<18} {}", "terminal", journal.enrollment().map_or("not enrolled", |e| e.terminal.as_str()));
    say!("{:<18} {}", "events", journal.chain().sequence);
    say!("{:<18} {}", "waiting", recovered.pending.len());
    say!("{:<18} {}", "receipts", reading.receipts);
    say!("{:<18} {}", "logged on", recovered.stays.iter().count());
    if let Some(seen) = recovered.last_seen {
        say!("{:<18} {}", "last alive", rfc3339(seen.moment.wall.0));
    }
    say!("{:<18} {}", "findings", reading.findings.len());
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
