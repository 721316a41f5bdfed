//! The server's signing key: 32 bytes in `server-key`, made at first start.
//!
//! Terminals pin its public half at enrolment. Losing the file means enrolling every PC again, so it
//! belongs into every backup; who can read it can forge receipts, so nobody else may.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mngntime_wire::SecretKey;

/// File name in the data directory.
pub const FILE: &str = "server-key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read.
    #[error("could not read the server's key {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file could not be made.
    #[error("could not make the server's key {}", path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the server's key {} has {found} bytes instead of 32; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: usize,
    },
    /// Others can read it.
    #[error("the server's key {} can be read by others (mode {mode:o}); run: chmod 600 on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The OS gave no random bytes.
    #[error("could not draw random bytes for the server's key")]
    Random(getrandom::Error),
}

/// Reads the key in `directory`, or makes one when there is none.
///
/// # Errors
/// [`KeyError`]; a damaged or exposed key is never replaced.
pub fn load_or_make(directory: &Path) -> Result<SecretKey, KeyError> {
    match load(directory) {
        Err(KeyError::Read { path, source }) if source.kind() == io::ErrorKind::NotFound => {
            make(directory, path)
        }
        loaded => loaded,
    }
}

/// Reads the key in `directory`.
///
/// # Errors
/// [`KeyError`]; [`KeyError::Read`] when there is none.
pub fn load(directory: &Path) -> Result<SecretKey, KeyError> {
    let path = directory.join(FILE);
    match File::open(&path) {
        Ok(file) => read(file, path),
        Err(source) => Err(KeyError::Read { path, source }),
    }
}

fn read(mut file: File, path: PathBuf) -> Result<SecretKey, KeyError> {
    let read = |file: &mut File| {
        let mode = file.metadata()?.permissions().mode() & 0o777;
        let mut bytes = Vec::new();
        // One byte more than a key has shows a longer file without reading all of it.
        file.take(33).read_to_end(&mut bytes)?;
        Ok((mode, bytes))
    };
    let (mode, bytes) = match read(&mut file) {
        Ok(found) => found,
        Err(source) => return Err(KeyError::Read { path, source }),
    };
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path, mode });
    }
    match <[u8; 32]>::try_from(bytes) {
        Ok(seed) => Ok(SecretKey::from_seed(&seed)),
        Err(bytes) => Err(KeyError::Damaged { path, found: bytes.len() }),
    }
}

/// The file appears under its name only when it is complete and durable.
fn make(directory: &Path, path: PathBuf) -> Result<SecretKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyError::Random)?;
    let written = || -> io::Result<()> {
        let unfinished = directory.join("server-key.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&seed)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        File::open(directory)?.sync_all()
    };
    written().map_err(|source| KeyError::Make { path: path.clone(), source })?;
    Ok(SecretKey::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_start_finds_the_key_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let first = load_or_make(directory.path()).unwrap();
        let second = load_or_make(directory.path()).unwrap();
        assert_eq!(first.public(), second.public());
        let mode = std::fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_or_exposed_key_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        load_or_make(directory.path()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..31]).unwrap();
        assert!(matches!(load_or_make(directory.path()), Err(KeyError::Damaged { found: 31, .. })));
        std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(matches!(load_or_make(directory.path()), Err(KeyError::Damaged { found: 33, .. })));
        std::fs::write(&path, &whole).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load_or_make(directory.path()), Err(KeyError::Exposed { mode: 0o640, .. })));
    }
}
