//! From a backup to a data directory that a server can be started on.
//!
//! A data directory is often a mount point, so it cannot be put in place by a rename. A marker is the first thing
//! that is written and the last that goes: as long as it is there, no command uses the directory
//! ([`refuse_unfinished`]), and a restore that was cut off never looks like a data directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use mngntime_model::UtcMillis;
use mngntime_store::Cause;
use mngntime_store::sqlite::DATABASE_FILE;
use mngntime_store::sqlite::backup::note_restored;

use super::verify::{Verified, VerifyError, verify, verify_files};
use super::{MANIFEST_FILE, SUMMED, SUMS_FILE, write_new};

/// Stands in a data directory while a backup is being put into it.
pub const MARKER: &str = "restore-unfinished";

/// What may be in an empty directory: a fresh ext4 file system has it.
const LOST_AND_FOUND: &str = "lost+found";

/// What SQLite keeps beside the database while it is open.
const BESIDE: [&str; 2] = ["mngntime.db-wal", "mngntime.db-shm"];

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The target is in use, or was.
    #[error(
        "{} is not empty, and a restore writes over nothing: name a new directory with --data, or move away what is there",
        path.display()
    )]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The backup is none.
    #[error("the backup cannot be restored")]
    Backup(#[source] VerifyError),
    /// A file or directory failed.
    #[error("the restore was given up: could not {operation} {}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The restored database does not take the entry that says that it was restored.
    #[error(
        "the restore was given up: could not note it in the audit log of {}, and a log that forks without saying so looks \
         like one that was forged",
        path.display()
    )]
    NotNoted {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// What was written is not what the backup holds.
    #[error(
        "what was restored does not stand the check and was removed: is the disk of the data directory sound?"
    )]
    Wrong(#[source] VerifyError),
}

/// A data directory into which a backup was only half put.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} holds a restore that was cut off: empty it and run `mngntime restore` again",
    path.display()
)]
pub struct RestoreUnfinished {
    /// The directory.
    path: PathBuf,
}

/// Refuses a data directory into which a backup was only half put.
///
/// # Errors
/// [`RestoreUnfinished`].
pub fn refuse_unfinished(data: &Path) -> Result<(), RestoreUnfinished> {
    // Whatever keeps us from looking also keeps the directory from being used.
    let there = fs::symlink_metadata(data.join(MARKER)).is_ok();
    if there { Err(RestoreUnfinished { path: data.to_owned() }) } else { Ok(()) }
}

fn failed<'a>(operation: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> RestoreError + use<'a> {
    move |source| RestoreError::File { operation, path: path.to_owned(), source }
}

/// Puts the backup `from` into the new or empty directory `data`; checks it before and after, and notes it in the audit
/// log of every contract, as of `now`: the signed log forks here, and says so in its first entry behind the fork.
///
/// # Errors
/// [`RestoreError`]; what had been written is removed again, the directory too if it was made here.
pub fn restore(from: &Path, data: &Path, now: UtcMillis) -> Result<Verified, RestoreError> {
    let was_there = is_empty(data)?;
    verify(from).map_err(RestoreError::Backup)?;
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed("make", data))?;
    let restored = fill(from, data, now);
    if restored.is_err() && remove_written(data).is_ok() {
        // What could be removed is gone; otherwise the marker stays, and nobody uses the rest.
        let _ = fs::remove_file(data.join(MARKER));
        if !was_there {
            let _ = fs::remove_dir(data);
        }
    }
    restored
}

fn remove_written(data: &Path) -> io::Result<()> {
    for name in SUMMED.iter().chain(&[SUMS_FILE]).chain(&BESIDE) {
        match fs::remove_file(data.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whether the directory is there, and empty; one that is not empty is refused.
fn is_empty(data: &Path) -> Result<bool, RestoreError> {
    let mut names = match fs::read_dir(data) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("list", data)(error)),
    };
    let used = names.any(|entry| entry.map_or(true, |entry| entry.file_name() != LOST_AND_FOUND));
    if used { Err(RestoreError::NotEmpty { path: data.to_owned() }) } else { Ok(true) }
}

fn fill(from: &Path, data: &Path, now: UtcMillis) -> Result<Verified, RestoreError> {
    let marker = data.join(MARKER);
    write_new(&marker, b"").map_err(failed("write", &marker))?;
    sync(data)?;
    for name in SUMMED.iter().chain(&[SUMS_FILE]) {
        let (source, target) = (from.join(name), data.join(name));
        copy(&source, &target).map_err(failed("write", &target))?;
    }
    sync(data)?;
    let verified = verify_files(data).map_err(RestoreError::Wrong)?;
    let made_at = verified.manifest.made_at_millis().unwrap_or(now);
    note_restored(data, made_at, now)
        .map_err(|source| RestoreError::NotNoted { path: data.join(DATABASE_FILE), source })?;
    // A data directory has neither: they spoke of the moment of the backup.
    for name in [MANIFEST_FILE, SUMS_FILE, MARKER] {
        let path = data.join(name);
        fs::remove_file(&path).map_err(failed("remove", &path))?;
    }
    sync(data)?;
    Ok(verified)
}

/// A copy for its owner only, synced.
fn copy(source: &Path, target: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(target)?;
    io::copy(&mut File::open(source)?, &mut file)?;
    file.sync_all()
}

fn sync(directory: &Path) -> Result<(), RestoreError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("sync", directory))
}
