//! From a backup to a data directory that a server can be started on.
//!
//! A data directory is often a mount point, so it cannot be put in place by a rename. A marker is the first thing
//! that is written and the last that goes: as long as it is there, no command uses the directory
//! ([`refuse_unfinished`]), and a restore that was cut off never looks like a data directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::verify::{Verified, VerifyError, verify, verify_files};
use super::{MANIFEST_FILE, SUMMED, SUMS_FILE, write_new};

/// Stands in a data directory while a backup is being put into it.
pub const MARKER: &str = "restore-unfinished";

/// What may be in an empty directory: a fresh ext4 file system has it.
const LOST_AND_FOUND: &str = "lost+found";

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

/// Puts the backup `from` into the new or empty directory `data`; checks it before and after.
///
/// # Errors
/// [`RestoreError`]; what had been written is removed again.
pub fn restore(from: &Path, data: &Path) -> Result<Verified, RestoreError> {
    make_empty(data)?;
    verify(from).map_err(RestoreError::Backup)?;
    let restored = fill(from, data);
    if restored.is_err() && remove_written(data).is_ok() {
        // What could be removed is gone; otherwise the marker stays, and nobody uses the rest.
        let _ = fs::remove_file(data.join(MARKER));
    }
    restored
}

fn remove_written(data: &Path) -> io::Result<()> {
    for name in SUMMED.iter().chain(&[SUMS_FILE]) {
        match fs::remove_file(data.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn make_empty(data: &Path) -> Result<(), RestoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed("make", data))?;
    let mut names = fs::read_dir(data).map_err(failed("list", data))?;
    let used = names.any(|entry| entry.map_or(true, |entry| entry.file_name() != LOST_AND_FOUND));
    if used { Err(RestoreError::NotEmpty { path: data.to_owned() }) } else { Ok(()) }
}

fn fill(from: &Path, data: &Path) -> Result<Verified, RestoreError> {
    let marker = data.join(MARKER);
    write_new(&marker, b"").map_err(failed("write", &marker))?;
    sync(data)?;
    for name in SUMMED.iter().chain(&[SUMS_FILE]) {
        let (source, target) = (from.join(name), data.join(name));
        copy(&source, &target).map_err(failed("write", &target))?;
    }
    sync(data)?;
    let verified = verify_files(data).map_err(RestoreError::Wrong)?;
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
