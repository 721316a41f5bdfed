//! `mngntime migrate-store`: everything from SQLite's file into PostgreSQL.
//!
//! First the file is checked as a backup is (every event against its digest, the whole log against its signed heads), then
//! it is copied, and every table compared with it ([`mngntime_store::moving`]). Only then the file is closed, and the data
//! directory marked as one whose data is in PostgreSQL.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mngntime_store::moving::{MoveError, Moving, Progress};
use mngntime_store::sqlite::DATABASE_FILE;

use super::BadUse;
use crate::backup::restore::refuse_unfinished;
use crate::backup::signed::check_database;
use crate::database::{self, DatabaseUrl, VARIABLE};
use crate::server_key;

/// Time between two words about how far it is.
const SILENCE: Duration = Duration::from_secs(2);

/// From where, and where to.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The server's data directory, as sqlite:///var/lib/mngntime
    #[arg(long, value_name = "sqlite://DIRECTORY")]
    from: String,
    /// The new database, as postgres://user:password@host:5432/database; without it MNGNTIME_DATABASE_URL counts, which
    /// keeps the password from the list of processes
    #[arg(long, value_name = "postgres://…")]
    to: Option<String>,
}

/// Moves everything.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let directory = directory(&arguments.from)?;
    let url = url(arguments)?;
    // The rustls of this process is asked for by connections over a network.
    super::install_tls_provider()?;
    refuse_unfinished(&directory)?;
    let file = directory.join(DATABASE_FILE);
    let mut moving = Moving::begin(&directory, url.as_str()).map_err(failed)?;
    eprintln!(
        "From now on {} takes no changes: PCs keep what they record and send it afterwards.",
        file.display()
    );
    let key = server_key::load(&directory)?.public();
    check_database(&file, &key)
        .with_context(|| format!("{} is not whole, and nothing was moved", file.display()))?;
    let told = Cell::new(Instant::now());
    let moved = moving.copy(&mut |progress| tell(progress, &told)).map_err(failed)?;
    moving.close_source().map_err(failed)?;
    database::mark(&directory)?;
    println!(
        "moved={} tables={} rows={} events={}",
        directory.display(),
        moved.tables,
        moved.rows,
        moved.events
    );
    eprintln!(
        "Every table is the same in both. Next:\n\
         1. Set {VARIABLE} for the server (EnvironmentFile= of its unit) and for whoever runs commands.\n\
         2. Restart the server. Until then it answers what it is asked, and takes nothing in.\n\
         3. Look at /healthz and the newest punches. {} may then go into the archive; the directory stays, it holds the \
         signing key.",
        file.display()
    );
    Ok(())
}

/// A word now and then, so that nobody thinks it stands still.
fn tell(progress: Progress<'_>, told: &Cell<Instant>) {
    if told.get().elapsed() >= SILENCE {
        let percent = progress.rows.saturating_mul(100) / progress.of.max(1);
        eprintln!("{}: {} of {} rows ({percent} %)", progress.table, progress.rows, progress.of);
        told.set(Instant::now());
    }
}

fn failed(error: MoveError) -> anyhow::Error {
    if error.is_bad_use() { BadUse(error.to_string()).into() } else { error.into() }
}

/// The data directory that an address of SQLite names, as itself or by the file in it.
fn directory(from: &str) -> Result<PathBuf, BadUse> {
    let path = from.strip_prefix("sqlite://").map(Path::new).filter(|path| !path.as_os_str().is_empty());
    let Some(path) = path else {
        return Err(BadUse(format!(
            "--from {from} is none: it is sqlite://DIRECTORY, with the server's data directory"
        )));
    };
    let named = path.file_name().is_some_and(|name| name == DATABASE_FILE);
    Ok(if named { path.parent().unwrap_or(path) } else { path }.to_owned())
}

fn url(arguments: &Arguments) -> Result<DatabaseUrl, BadUse> {
    let read = match &arguments.to {
        Some(to) => DatabaseUrl::read(to).map_err(|error| BadUse(format!("--to cannot be used: {error}")))?,
        None => super::database_url()?,
    };
    read.ok_or_else(|| BadUse(format!("where to? Give --to postgres://…, or set {VARIABLE}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_named_by_its_directory_or_its_file() {
        for from in ["sqlite:///var/lib/mngntime", "sqlite:///var/lib/mngntime/mngntime.db"] {
            assert_eq!(directory(from).unwrap(), Path::new("/var/lib/mngntime"), "{from}");
        }
        for from in ["/var/lib/mngntime", "sqlite://", "postgres://u@h/d"] {
            assert!(directory(from).is_err(), "{from}");
        }
    }
}
