//! `mngntime backup` and `mngntime restore`.

use std::path::{Path, PathBuf};

use mngntime_model::UtcMillis;
use mngntime_store::sqlite::backup as store_backup;

use super::BadUse;
use crate::app::system_clock;
use crate::backup::restore::{self, RestoreError};
use crate::backup::verify::{Verified, VerifyError, verify};
use crate::backup::{self, BackupError};
use crate::database;

/// What to back up, or which backup to check.
#[derive(Debug, clap::Args)]
pub struct BackupArguments {
    /// The server's data directory
    #[arg(long, required_unless_present = "verify")]
    data: Option<PathBuf>,
    /// The new backup's directory; in an existing directory the backup gets a name by its time
    #[arg(long, required_unless_present = "verify")]
    out: Option<PathBuf>,
    /// Check this backup instead of making one
    #[arg(long, value_name = "BACKUP", conflicts_with_all = ["data", "out"])]
    verify: Option<PathBuf>,
}

/// Which backup, and where to.
#[derive(Debug, clap::Args)]
pub struct RestoreArguments {
    /// The backup's directory
    #[arg(long, value_name = "BACKUP")]
    from: PathBuf,
    /// The data directory: new or empty
    #[arg(long)]
    data: PathBuf,
}

/// Makes a backup, or checks one.
pub fn backup(arguments: &BackupArguments) -> anyhow::Result<()> {
    if let Some(directory) = &arguments.verify {
        let verified = verify(directory).map_err(verify_failed)?;
        tell("verified", directory, &verified);
        return Ok(());
    }
    let (Some(data), Some(out)) = (&arguments.data, &arguments.out) else {
        return Err(BadUse("backup needs --data and --out, or --verify".into()).into());
    };
    refuse_postgresql(data)?;
    restore::refuse_unfinished(data)?;
    let now = system_clock()();
    let (path, verified) = backup::make(data, out, now).map_err(backup_failed)?;
    tell("backup", &path, &verified);
    note_made(data, &path, &verified, now);
    eprintln!(
        "{} holds the server's signing key: whoever can read it can forge receipts. Keep it where only the server's \
         operators can read, and on another machine than the server.",
        path.display()
    );
    Ok(())
}

/// What lies in PostgreSQL is backed up with its own tools.
fn refuse_postgresql(data: &Path) -> Result<(), BadUse> {
    if super::database_url()?.is_none() && !data.join(database::MARKER).exists() {
        return Ok(());
    }
    Err(BadUse(format!(
        "the data of {} is in PostgreSQL: back that up with pg_basebackup or pg_dump, and with it the server's key, {}",
        data.display(),
        data.join(crate::server_key::FILE).display()
    )))
}

/// Lets the server know how old its last backup is. The backup is there all the same when that cannot be noted.
fn note_made(data: &Path, path: &Path, verified: &Verified, now: UtcMillis) {
    match store_backup::note_made(data, &path.display().to_string(), &verified.manifest.contents(), now) {
        Ok(true) => {}
        Ok(false) => {
            eprintln!("The server does not know of this backup: its database is of another version.")
        }
        Err(error) => eprintln!(
            "The server does not know of this backup, and its page of health will call the last one older: could not \
             write to the database in {}: {error}",
            data.display()
        ),
    }
}

/// Puts a backup into a data directory and says what comes next.
pub fn restore(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let verified = restore::restore(&arguments.from, &arguments.data).map_err(restore_failed)?;
    tell("restored", &arguments.data, &verified);
    eprintln!(
        "Next:\n\
         1. Make sure that the old server does not run any more: two servers with one key are not told apart.\n\
         2. If the server runs under an account of its own, give it the directory: chown -R ACCOUNT: {data}\n\
         3. Set data_dir = \"{data}\" and start: mngntime serve --config FILE\n\
         4. Look at `mngntime terminal list --data {data}`: everything is as it was at {time}. Accounts, passwords, \
         links and blocked terminals changed since then must be changed again. Events whose receipts were given \
         after that are on the PCs for 35 days.",
        data = arguments.data.display(),
        time = verified.manifest.made_at,
    );
    Ok(())
}

/// One line for programs; what others can read is told to people.
fn tell(what: &str, path: &std::path::Path, verified: &Verified) {
    println!(
        "{what}={} made_at={} version={} contracts={} events={} bytes={}",
        path.display(),
        verified.manifest.made_at,
        verified.manifest.version,
        verified.manifest.events.len(),
        verified.events(),
        verified.bytes,
    );
    if let Some(mode) = verified.exposed {
        eprintln!(
            "mngntime: the key in {} can be read by others (mode {mode:o}); run: chmod -R go= {}",
            path.display(),
            path.display()
        );
    }
}

fn backup_failed(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Exists { .. } | BackupError::NoData { .. } => BadUse(error.to_string()).into(),
        BackupError::Key(_)
        | BackupError::Copy(_)
        | BackupError::File { .. }
        | BackupError::NameNotSynced { .. }
        | BackupError::Contradiction(_)
        | BackupError::Wrong(_) => error.into(),
    }
}

fn restore_failed(error: RestoreError) -> anyhow::Error {
    match error {
        RestoreError::NotEmpty { .. } => BadUse(error.to_string()).into(),
        RestoreError::Backup(error @ VerifyError::NoBackup { .. }) => verify_failed(error),
        RestoreError::Backup(_) | RestoreError::File { .. } | RestoreError::Wrong(_) => error.into(),
    }
}

fn verify_failed(error: VerifyError) -> anyhow::Error {
    if matches!(error, VerifyError::NoBackup { .. }) {
        BadUse(error.to_string()).into()
    } else {
        error.into()
    }
}
