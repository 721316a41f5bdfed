//! `mngntime backup` and `mngntime restore`.

use std::path::{Path, PathBuf};

use mngntime_model::{Language, UtcMillis};
use mngntime_store::sqlite::backup as store_backup;

use super::evidence::{language, language_of_locale};
use super::{BadUse, backup_words as words};
use crate::app::system_clock;
use crate::backup::restore::{self, RestoreError};
use crate::backup::verify::{Verified, VerifyError, verify};
use crate::backup::{self, BackupError};
use crate::database;
use crate::evidence::words::pick;

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
    /// Language of what this command says: `ja` or `en`. The line for programs is the same.
    #[arg(long, default_value = language_of_locale(), value_parser = language)]
    language: Language,
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
    /// Language of what this command says: `ja` or `en`. The line for programs is the same.
    #[arg(long, default_value = language_of_locale(), value_parser = language)]
    language: Language,
}

/// Makes a backup, or checks one.
pub fn backup(arguments: &BackupArguments) -> anyhow::Result<()> {
    let language = arguments.language;
    if let Some(directory) = &arguments.verify {
        let verified = verify(directory).map_err(|error| verify_failed(error, language))?;
        tell("verified", directory, &verified, language);
        return Ok(());
    }
    let (Some(data), Some(out)) = (&arguments.data, &arguments.out) else {
        let japanese = "backup には --data と --out、または --verify が必要です";
        return Err(BadUse(pick(language, japanese, "backup needs --data and --out, or --verify")).into());
    };
    refuse_postgresql(data, language)?;
    restore::refuse_unfinished(data)?;
    let now = system_clock()();
    let (path, verified) = backup::make(data, out, now).map_err(|error| backup_failed(error, language))?;
    tell("backup", &path, &verified, language);
    note_made(data, &path, &verified, now, language);
    eprintln!("{}", words::keep_it_safe(&path, language));
    Ok(())
}

/// What lies in PostgreSQL is backed up with its own tools.
fn refuse_postgresql(data: &Path, language: Language) -> Result<(), BadUse> {
    if super::database_url()?.is_none() && !data.join(database::MARKER).exists() {
        return Ok(());
    }
    Err(BadUse(words::in_postgresql(data, language)))
}

/// Lets the server know how old its last backup is. The backup is there all the same when that cannot be noted.
fn note_made(data: &Path, path: &Path, verified: &Verified, now: UtcMillis, language: Language) {
    match store_backup::note_made(data, &path.display().to_string(), &verified.manifest.contents(), now) {
        Ok(true) => {}
        Ok(false) => eprintln!("{}", words::not_known_version(language)),
        Err(error) => eprintln!("{}: {error}", words::not_known(data, language)),
    }
}

/// Puts a backup into a data directory and says what comes next.
pub fn restore(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let language = arguments.language;
    let verified = restore::restore(&arguments.from, &arguments.data, system_clock()())
        .map_err(|error| restore_failed(error, language))?;
    tell("restored", &arguments.data, &verified, language);
    eprintln!("{}", words::next_steps(&arguments.data, &verified.manifest.made_at, language));
    Ok(())
}

/// One line for programs; what others can read is told to people.
fn tell(what: &str, path: &Path, verified: &Verified, language: Language) {
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
        eprintln!("mngntime: {}", words::exposed(path, mode, language));
    }
}

/// The error with what it means in front, where that is asked for in Japanese; what lies below says why, in English.
fn explained<E: std::error::Error + Send + Sync + 'static>(
    error: E,
    japanese: Option<String>,
) -> anyhow::Error {
    match japanese {
        Some(japanese) => anyhow::Error::new(error).context(japanese),
        None => error.into(),
    }
}

fn backup_failed(error: BackupError, language: Language) -> anyhow::Error {
    let japanese = words::backup_error(&error, language);
    match error {
        BackupError::Exists { .. } | BackupError::NoData { .. } => {
            BadUse(japanese.unwrap_or_else(|| error.to_string())).into()
        }
        BackupError::Key(_)
        | BackupError::Copy(_)
        | BackupError::File { .. }
        | BackupError::NameNotSynced { .. }
        | BackupError::Contradiction(_)
        | BackupError::Wrong(_) => explained(error, japanese),
    }
}

fn restore_failed(error: RestoreError, language: Language) -> anyhow::Error {
    let japanese = words::restore_error(&error, language);
    match error {
        RestoreError::NotEmpty { .. } => BadUse(japanese.unwrap_or_else(|| error.to_string())).into(),
        RestoreError::Backup(error @ VerifyError::NoBackup { .. }) => verify_failed(error, language),
        RestoreError::Backup(_)
        | RestoreError::File { .. }
        | RestoreError::NotNoted { .. }
        | RestoreError::Wrong(_) => explained(error, japanese),
    }
}

fn verify_failed(error: VerifyError, language: Language) -> anyhow::Error {
    let japanese = words::verify_error(&error, language);
    if matches!(error, VerifyError::NoBackup { .. }) {
        BadUse(japanese.unwrap_or_else(|| error.to_string())).into()
    } else {
        explained(error, japanese)
    }
}
