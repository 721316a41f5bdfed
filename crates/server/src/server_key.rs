//! The server's signing key: 32 bytes in `server-key`, made at first start.
//!
//! Terminals pin its public half at enrolment. Losing the file means enrolling every PC again, so it
//! belongs into every backup; who can read it can forge receipts, so nobody else may.
//!
//! The store remembers the public half. A key is made only for a store in which nothing is signed, and another one than
//! the store's is refused at every start ([`of_server`]) and before an export: a node that was started without the key of
//! the others, or a data directory that was put back without it, would otherwise sign a log that nobody can check as a
//! whole any more. A store of a version that remembered no key takes the one that has signed its newest head.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mngntime_model::{Language, UtcMillis};
use mngntime_store::{Store, StoreError};
use mngntime_wire::{Context, PublicKey, SecretKey, Signed};

use crate::evidence::words::pick;

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
    /// There is none, and what is stored is signed.
    #[error(
        "the server's key {} is not there, and what its database holds is signed with one: copy server-key from the data_dir \
         of another node, or from the backup, with mode 600. No new key can take its place, since nobody could check both \
         its signatures and the earlier ones. Is the key lost for good, begin a new server with an empty database and \
         enrol every PC there; `mngntime punches --data` still reads this one", path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is another server's.
    #[error(
        "the server's key {} is another than the one that what its database holds is signed with: copy server-key from the \
         data_dir of another node, or from the backup, over it, with mode 600. Nothing was signed with this one. (Is it the \
         right one, then the address of the database is another server's.)", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The store could not be asked whose key is right.
    #[error("could not ask the database which key signs")]
    Store(#[from] StoreError),
    /// The OS gave no random bytes.
    #[error("could not draw random bytes for the server's key")]
    Random(getrandom::Error),
}

impl KeyError {
    /// What a command says of it in `language`: in Japanese where people can do something about it.
    #[must_use]
    pub fn words(&self, language: Language) -> Option<String> {
        let japanese = match self {
            Self::Missing { path } => format!(
                "サーバーの鍵 {} がありません。データベースの記録は別の鍵で署名されています。ほかのノードの data_dir かバックアップから \
                 server-key をコピーし、モードを 600 にしてください。新しい鍵では代わりになりません",
                path.display()
            ),
            Self::Foreign { path } => format!(
                "サーバーの鍵 {} は、データベースの記録に署名した鍵ではありません。ほかのノードの data_dir かバックアップから server-key を \
                 コピーして置き換え、モードを 600 にしてください。この鍵では何にも署名していません。鍵が正しい場合は、データベースの\
                 アドレスが別のサーバーのものです",
                path.display()
            ),
            Self::Read { .. }
            | Self::Make { .. }
            | Self::Damaged { .. }
            | Self::Exposed { .. }
            | Self::Store(_)
            | Self::Random(_) => return None,
        };
        Some(pick(language, japanese, self.to_string()))
    }
}

/// The key of the server whose data is in `store`: the one in `directory`, or a new one for a store in which nothing is
/// signed.
///
/// # Errors
/// [`KeyError`]; [`KeyError::Missing`] and [`KeyError::Foreign`] when what is signed was signed with another one.
pub async fn of_server(directory: &Path, store: &dyn Store, now: UtcMillis) -> Result<SecretKey, KeyError> {
    let key = match load(directory) {
        Err(KeyError::Read { path, source }) if source.kind() == io::ErrorKind::NotFound => {
            let signed = store.signing_key().await?.is_some() || newest_head(store).await?.is_some();
            if signed {
                return Err(KeyError::Missing { path });
            }
            make(directory, path)?
        }
        loaded => loaded?,
    };
    check(directory, store, &key.public(), now).await?;
    Ok(key)
}

/// Refuses a key that is not the store's; a store that knows none remembers it.
///
/// # Errors
/// [`KeyError::Foreign`], or what the store says.
pub async fn check(
    directory: &Path,
    store: &dyn Store,
    key: &PublicKey,
    now: UtcMillis,
) -> Result<(), KeyError> {
    let foreign = || KeyError::Foreign { path: directory.join(FILE) };
    let own = key.to_string();
    let known = match store.signing_key().await? {
        Some(known) => known,
        None => {
            let head = newest_head(store).await?;
            if head.is_some_and(|envelope| !has_signed(key, &envelope)) {
                return Err(foreign());
            }
            store.remember_signing_key(own.clone(), now).await?
        }
    };
    if known == own { Ok(()) } else { Err(foreign()) }
}

/// The head of all logs that was signed last.
async fn newest_head(store: &dyn Store) -> Result<Option<String>, StoreError> {
    let mut newest = None;
    for contract in store.list_contracts().await? {
        newest =
            newest.max(store.newest_head(contract.id).await?.map(|head| (head.signed_at, head.envelope)));
    }
    Ok(newest.map(|(_, envelope)| envelope))
}

fn has_signed(key: &PublicKey, envelope: &str) -> bool {
    Signed::parse(envelope.as_bytes()).is_ok_and(|head| head.check(Context::LogHead, key).is_ok())
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
