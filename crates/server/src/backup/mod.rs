//! Backups: everything that the server keeps, as one directory that proves itself.
//!
//! | file | what |
//! |---|---|
//! | `mngntime.db` | one consistent snapshot of the database, taken beside the running server |
//! | `server-key` | the signing key: without it every PC would have to be enrolled again |
//! | `manifest.json` | version, time, rows of every table, events of every contract ([`manifest`]) |
//! | `SHA256SUMS` | digests of the three, as `sha256sum --check` reads them: nobody needs us to check them |
//!
//! # Promises
//! - Every event that was acknowledged before the backup began is in it.
//! - It is written under another name, checked as if somebody else had written it ([`verify`]), synced, and
//!   renamed at the end: what has the name of a backup is one. What a crash leaves behind is named
//!   [`UNFINISHED`] and removed by the next backup beside it.
//! - An existing backup is never written to.
//! - Whoever holds a backup can forge receipts: all files have mode 0600, the directory 0700.

pub mod manifest;
pub mod restore;
pub(crate) mod signed;
pub mod verify;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use mngntime_model::UtcMillis;
use mngntime_store::sqlite::DATABASE_FILE;
use mngntime_store::sqlite::backup::{CopyError, copy};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use crate::server_key::{self, KeyError};
use manifest::Manifest;
use verify::{Verified, VerifyError, verify};

/// File name of the digests.
pub const SUMS_FILE: &str = "SHA256SUMS";
/// File name of the manifest.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Files whose digests stand in [`SUMS_FILE`], in its order.
pub const SUMMED: [&str; 3] = [DATABASE_FILE, server_key::FILE, MANIFEST_FILE];
/// How the name of a backup ends until it is one.
pub const UNFINISHED: &str = ".mngntime-unfinished";

/// Bytes read at once while a file is summed or copied.
const CHUNK_BYTES: usize = 256 * 1024;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something of this name already.
    #[error("{} is there already, and a backup is never written over: name another place with --out", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// The data directory has no database.
    #[error(
        "{} is no data directory of a server: {DATABASE_FILE} is not there. Name the data_dir of the server with --data.",
        path.display()
    )]
    NoData {
        /// The directory.
        path: PathBuf,
    },
    /// The server's key cannot be read; a backup without it would be none.
    #[error("the server's key cannot be put into the backup")]
    Key(#[source] KeyError),
    /// The database could not be copied.
    #[error("the backup was given up and removed")]
    Copy(#[source] CopyError),
    /// A file or directory failed.
    #[error("the backup was given up and removed: could not {operation} {}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is there, but nobody has promised to keep its name.
    #[error(
        "the backup {} is whole, but the directory it stands in could not be synced: after a power cut it may not be there",
        path.display()
    )]
    NameNotSynced {
        /// The backup.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database itself is not what was signed.
    #[error(
        "the database does not stand the check, and what was written of it was removed: it was changed or is damaged. Stop \
         the server, keep a copy of its data directory, and compare it with the last backup that `mngntime backup --verify` \
         accepts"
    )]
    Contradiction(#[source] VerifyError),
    /// What was written is not what should have been.
    #[error("what was written does not stand the check and was removed: is the disk of the backup sound?")]
    Wrong(#[source] VerifyError),
}

fn failed<'a>(operation: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BackupError + use<'a> {
    move |source| BackupError::File { operation, path: path.to_owned(), source }
}

/// Backs up the data directory `data` to `out`: the new backup itself, or an existing directory in which it gets
/// a name by `now`. Returns its path and what it holds.
///
/// # Errors
/// [`BackupError`]; nothing is left behind then.
pub fn make(data: &Path, out: &Path, now: UtcMillis) -> Result<(PathBuf, Verified), BackupError> {
    if !data.join(DATABASE_FILE).is_file() {
        return Err(BackupError::NoData { path: data.to_owned() });
    }
    let target = target(out, now)?;
    let key = server_key::load(data).map_err(BackupError::Key)?;
    let unfinished = Unfinished::begin(&target)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = unfinished.path.join(name);
        write_new(&path, bytes).map_err(failed("write", &path))
    };
    // SQLite fills a file whose mode is ours.
    write(DATABASE_FILE, b"")?;
    let contents = copy(data, &unfinished.path.join(DATABASE_FILE)).map_err(BackupError::Copy)?;
    write(server_key::FILE, &key.seed())?;
    write(MANIFEST_FILE, Manifest::new(&contents, &key.public(), now).to_json().as_bytes())?;
    write(SUMS_FILE, sums(&unfinished.path).map_err(failed("read back", &unfinished.path))?.as_bytes())?;
    unfinished.sync()?;
    let wrong = |error: VerifyError| {
        if error.is_contradiction() { BackupError::Contradiction(error) } else { BackupError::Wrong(error) }
    };
    let verified = verify(&unfinished.path).map_err(wrong)?;
    unfinished.finish(&target)?;
    Ok((target, verified))
}

/// Where the backup goes.
fn target(out: &Path, now: UtcMillis) -> Result<PathBuf, BackupError> {
    let exists = |path: &Path| fs::symlink_metadata(path).is_ok();
    let target =
        if out.is_dir() && !out.join(SUMS_FILE).exists() { out.join(name(now)) } else { out.to_owned() };
    if exists(&target) { Err(BackupError::Exists { path: target }) } else { Ok(target) }
}

/// `mngntime-20261123T000000Z`: sorts by time.
fn name(now: UtcMillis) -> String {
    let time = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    format!("mngntime-{}", time.strftime("%Y%m%dT%H%M%SZ"))
}

/// The text of [`SUMS_FILE`] for the files in `directory`.
fn sums(directory: &Path) -> io::Result<String> {
    SUMMED.iter().map(|name| Ok(format!("{}  {name}\n", sum(&directory.join(name))?))).collect()
}

fn sum(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut chunk) = (File::open(path)?, Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(HEXLOWER.encode(&digest.finalize())),
            length => digest.update(&chunk[..length]),
        }
    }
}

/// A new file for its owner only, synced.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The directory that holds `path`.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A backup that is none yet. Locked while it is worked on; removed when it is dropped before it is finished.
struct Unfinished {
    path: PathBuf,
    lock: File,
}

impl Unfinished {
    fn begin(target: &Path) -> Result<Self, BackupError> {
        remove_leftovers(parent(target));
        let mut path = target.as_os_str().to_owned();
        path.push(UNFINISHED);
        let path = PathBuf::from(path);
        DirBuilder::new().mode(0o700).create(&path).map_err(failed("make", &path))?;
        let lock = File::open(&path).map_err(|error| {
            // Empty, and ours: nobody else is to find it.
            let _ = fs::remove_dir(&path);
            failed("open", &path)(error)
        })?;
        let unfinished = Self { path: path.clone(), lock };
        flock(&unfinished.lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| failed("lock", &path)(error.into()))?;
        Ok(unfinished)
    }

    fn sync(&self) -> Result<(), BackupError> {
        let database = self.path.join(DATABASE_FILE);
        File::open(&database).and_then(|file| file.sync_all()).map_err(failed("sync", &database))?;
        self.lock.sync_all().map_err(failed("sync", &self.path))
    }

    /// From here on it is a backup.
    fn finish(self, target: &Path) -> Result<(), BackupError> {
        fs::rename(&self.path, target).map_err(failed("give its name to", target))?;
        File::open(parent(target))
            .and_then(|directory| directory.sync_all())
            .map_err(|source| BackupError::NameNotSynced { path: target.to_owned(), source })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone under this name when it has been finished; otherwise the next backup tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what backups left that were cut off. One that is being written is locked. Failing to is no failure:
/// the leftovers are only in the way of other files.
fn remove_leftovers(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(UNFINISHED)) {
        let unlocked = File::open(entry.path())
            .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok());
        if unlocked {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
