//! `export-logs`: one zip for support. Changes nothing on the PC but the file it writes.
//!
//! | file | what |
//! |---|---|
//! | `parts` | what goes in, and what could not be had |
//! | `secrets` | what must not go in |
//! | `archive` | the zip |
//! | `texts` | README and problems for people |
//!
//! A part that cannot be had never keeps the others back: `problems.txt` names it, why, and the way by hand.

mod archive;
mod parts;
mod secrets;
#[cfg(test)]
mod tests;
mod texts;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use mngntime_model::{Moment, UtcMillis};

use super::{BAD_USE, FAILED, make_file};
use crate::config::Config;
use crate::platform::{self, ByHand, ExportedPart};
use parts::Contents;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// What to export, and where to.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// File to write, which must not exist [default: mngntime-logs-<PC>-<UTC time>.zip in this folder]
    #[arg(long, value_name = "FILE.zip")]
    out: Option<PathBuf>,
    /// How many days back
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u16).range(1..=3660))]
    days: u16,
}

/// Writes the zip. Exit 0 when every part is in it, 1 when some are missing or there is no zip, 2 when the
/// file cannot be made where it was asked for.
pub fn export_logs(config: &Config, options: &Options) -> anyhow::Result<u8> {
    let now = platform::clocks();
    let path =
        options.out.clone().unwrap_or_else(|| PathBuf::from(default_name(&platform::host().name, now.wall)));
    let file = match make_file(&path) {
        Ok(file) => file,
        Err(reason) => {
            eprintln!("mngntime-agent: {reason}");
            return Ok(BAD_USE);
        }
    };
    let since = now.wall.plus(-i64::from(options.days) * DAY_MS);
    let language = config.language;
    let os_logs = |folder: &Path| platform::export_os_logs(since, language, folder);
    match fill(file, config, &now, since, os_logs) {
        Ok(contents) => Ok(tell(&path, &contents)),
        Err(error) => {
            // A part of a zip helps nobody, and would be in the way of the next attempt.
            let _ = fs::remove_file(&path);
            Err(error.context(format!("cannot write {}; there is no zip", path.display())))
        }
    }
}

/// Collects everything and writes it to `file`. `now` is also the time of all entries.
fn fill(
    mut file: File,
    config: &Config,
    now: &Moment,
    since: UtcMillis,
    os_logs: impl FnOnce(&Path) -> Vec<ExportedPart>,
) -> anyhow::Result<Contents> {
    let contents = parts::collect(config, now, since, os_logs);
    file.write_all(&archive::pack(&contents.files, now.wall)?)?;
    file.sync_all()?;
    Ok(contents)
}

/// Says what was written and what is missing.
fn tell(path: &Path, contents: &Contents) -> u8 {
    say!("{}", path.display());
    for problem in &contents.problems {
        eprintln!("mngntime-agent: missing or not whole: {}: {}", problem.part, problem.why);
    }
    if contents.problems.iter().any(|problem| problem.by_hand == ByHand::Administrator) {
        eprintln!("mngntime-agent: {}", texts::AS_ADMINISTRATOR);
    }
    if contents.problems.is_empty() {
        return 0;
    }
    eprintln!(
        "mngntime-agent: the zip was made all the same; its problems.txt says how to get the rest by hand"
    );
    FAILED
}

/// `mngntime-logs-PC01-20261102T083105Z.zip`, without anything that a file system or a mail refuses.
fn default_name(host: &str, now: UtcMillis) -> String {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let host: String = host.chars().map(harmless).collect();
    let time = jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("mngntime-logs-{host}-{}.zip", time.strftime("%Y%m%dT%H%M%SZ"))
}
