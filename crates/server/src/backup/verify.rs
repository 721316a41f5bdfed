//! Checking a backup: believes nothing that it says without reading everything again.
//!
//! Digests first: they cover every byte of every file, the manifest's and the unused pages of the database
//! included. Then what digests cannot know, because whoever wrote the files may have written wrong ones: SQLite's
//! own check, references, each event's bytes against the digest that its receipt named, the whole log against the
//! heads that the server signed, keys and links against their entries in it, and the manifest's counts against the rows.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mngntime_store::sqlite::DATABASE_FILE;
use mngntime_store::sqlite::backup::{Contents, Fault};
use mngntime_wire::{PublicKey, SecretKey};

use super::manifest::{FORMAT, Manifest};
use super::{MANIFEST_FILE, SUMMED, SUMS_FILE, signed, sums};
use crate::server_key;

/// What is wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is something else.
    #[error("{} is no backup: {SUMS_FILE} is not there. Name the directory that `mngntime backup` printed.", path.display())]
    NoBackup {
        /// The place.
        path: PathBuf,
    },
    /// Somebody has put a file into it, or opened its database with another program.
    #[error("{} does not belong into a backup: find out who put it there", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file is missing or cannot be read.
    #[error("could not read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not the one that was summed.
    #[error("{} is not what {SUMS_FILE} says: this backup is damaged, use another", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// The manifest is not one.
    #[error("{} is no manifest of a backup", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A later program made it.
    #[error("{} has format {found}, and this version reads up to {FORMAT}: use the version that made it", path.display())]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The key is another server's.
    #[error("{} is not the key that the manifest names", path.display())]
    OtherKey {
        /// The key's file.
        path: PathBuf,
    },
    /// The database is not whole.
    #[error("the database of the backup is not whole: use another backup")]
    Database(#[source] Fault),
    /// A key or a link is not what was noted.
    #[error("what the database says of {object} is not what its audit log tells")]
    Noted {
        /// `link ID` or `terminal ID`.
        object: String,
    },
    /// Rows are missing or too many.
    #[error("{what}: the manifest counts {counted}, and the database has {found}")]
    Counts {
        /// What is counted.
        what: String,
        /// By the manifest.
        counted: u64,
        /// By the database.
        found: u64,
    },
}

impl VerifyError {
    /// Whether the database contradicts itself, as one does that somebody changed.
    #[must_use]
    pub fn is_contradiction(&self) -> bool {
        match self {
            Self::Database(fault) => fault.is_contradiction(),
            Self::Noted { .. } => true,
            Self::NoBackup { .. }
            | Self::Foreign { .. }
            | Self::Unreadable { .. }
            | Self::Altered { .. }
            | Self::Manifest { .. }
            | Self::Newer { .. }
            | Self::OtherKey { .. }
            | Self::Counts { .. } => false,
        }
    }
}

/// A backup that has stood every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Bytes of the database.
    pub bytes: u64,
    /// Permission bits of the key, when others can read it.
    pub exposed: Option<u32>,
}

impl Verified {
    /// Stored events of all contracts.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.manifest.events.values().sum()
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> VerifyError + '_ {
    move |source| VerifyError::Unreadable { path: path.to_owned(), source }
}

/// Checks everything in the backup `directory`. Reads only.
///
/// # Errors
/// The first [`VerifyError`].
pub fn verify(directory: &Path) -> Result<Verified, VerifyError> {
    if !directory.join(SUMS_FILE).is_file() {
        return Err(VerifyError::NoBackup { path: directory.to_owned() });
    }
    check_names(directory)?;
    verify_files(directory)
}

/// The same for a directory that holds other files too.
pub(super) fn verify_files(directory: &Path) -> Result<Verified, VerifyError> {
    check_sums(directory)?;
    let manifest = read_manifest(&directory.join(MANIFEST_FILE))?;
    let (key, exposed) = check_key(&directory.join(server_key::FILE), &manifest)?;
    let database = directory.join(DATABASE_FILE);
    let found = signed::check_database(&database, &key).map_err(VerifyError::Database)?;
    compare(&manifest.contents(), &found)?;
    if let Some(object) = signed::not_as_noted(&database).map_err(VerifyError::Database)? {
        return Err(VerifyError::Noted { object });
    }
    let bytes = fs::metadata(&database).map_err(unreadable(&database))?.len();
    Ok(Verified { manifest, bytes, exposed })
}

/// Nothing is there but what belongs there.
fn check_names(directory: &Path) -> Result<(), VerifyError> {
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let path = entry.map_err(unreadable(directory))?.path();
        let name = path.file_name().unwrap_or_default();
        if name != SUMS_FILE && !SUMMED.iter().any(|summed| name == *summed) {
            return Err(VerifyError::Foreign { path });
        }
    }
    Ok(())
}

fn check_sums(directory: &Path) -> Result<(), VerifyError> {
    let path = directory.join(SUMS_FILE);
    let kept = fs::read(&path).map_err(unreadable(&path))?;
    let expected = sums(directory).map_err(unreadable(directory))?;
    if kept == expected.as_bytes() {
        return Ok(());
    }
    // One text is right for the files: whatever else stands there, a file is not what it says, or it is none.
    let kept = String::from_utf8_lossy(&kept);
    let kept: BTreeSet<&str> = kept.lines().collect();
    let altered = expected.lines().zip(SUMMED).find(|(line, _)| !kept.contains(line));
    Err(VerifyError::Altered { path: altered.map_or(path, |(_, name)| directory.join(name)) })
}

fn read_manifest(path: &Path) -> Result<Manifest, VerifyError> {
    let text = fs::read(path).map_err(unreadable(path))?;
    let not_one = |source| VerifyError::Manifest { path: path.to_owned(), source };
    let manifest: Manifest = serde_json::from_slice(&text).map_err(not_one)?;
    if manifest.format > FORMAT {
        return Err(VerifyError::Newer { path: path.to_owned(), found: manifest.format });
    }
    Ok(manifest)
}

/// The key is the one that the manifest names; returns its public half, and its permission bits when others can read it.
fn check_key(path: &Path, manifest: &Manifest) -> Result<(PublicKey, Option<u32>), VerifyError> {
    let seed = fs::read(path).map_err(unreadable(path))?;
    let mode = fs::metadata(path).map_err(unreadable(path))?.permissions().mode() & 0o777;
    let public = <[u8; 32]>::try_from(seed).map(|seed| SecretKey::from_seed(&seed).public());
    match public {
        Ok(public) if public.to_string() == manifest.server_key => {
            Ok((public, (mode & 0o077 != 0).then_some(mode)))
        }
        Ok(_) | Err(_) => Err(VerifyError::OtherKey { path: path.to_owned() }),
    }
}

fn compare(counted: &Contents, found: &Contents) -> Result<(), VerifyError> {
    let differ = |what: String, counted, found| Err(VerifyError::Counts { what, counted, found });
    if counted.schema != found.schema {
        return differ("migrations".into(), counted.schema.into(), found.schema.into());
    }
    for (counted, found, what) in [
        (&counted.events, &found.events, "events of contract"),
        (&counted.rows, &found.rows, "rows of table"),
    ] {
        for name in counted.keys().chain(found.keys()) {
            let (counted, found) = (counted.get(name).copied(), found.get(name).copied());
            if counted != found {
                return differ(format!("{what} {name}"), counted.unwrap_or(0), found.unwrap_or(0));
            }
        }
    }
    Ok(())
}
