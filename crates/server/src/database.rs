//! Which database keeps what the server knows: one file in the data directory, or PostgreSQL.
//!
//! `MNGNTIME_DATABASE_URL` decides, for the server and for every command beside it; a configuration file does not, since
//! the commands read none. So that a forgotten variable does not begin an empty database beside a full one, a data
//! directory is of one kind: with PostgreSQL it holds [`MARKER`], otherwise the database's file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mngntime_store::sqlite::{self, DATABASE_FILE, SqliteStore};
use mngntime_store::{Store, postgres};

/// The environment variable.
pub const VARIABLE: &str = "MNGNTIME_DATABASE_URL";

/// File in the data directory of a server whose database is PostgreSQL's.
pub const MARKER: &str = "database-is-postgresql";

/// What [`MARKER`] says to whoever finds it.
const MARKED: &str =
    "The data of this server is in PostgreSQL: MNGNTIME_DATABASE_URL says where. Here is its signing key.\n";

/// The address of a PostgreSQL database. Holds a password: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address itself, with its password.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

impl DatabaseUrl {
    /// Reads an address; `None` for an empty text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Option<Self>, postgres::AddressError> {
        if text.is_empty() {
            return Ok(None);
        }
        postgres::check_address(text).map(|()| Some(Self(text.to_owned())))
    }

    /// The one in this process's environment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_environment() -> Result<Option<Self>, postgres::AddressError> {
        Self::read(&std::env::var(VARIABLE).unwrap_or_default())
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The variable and the data directory say different things.
    #[error(
        "{VARIABLE} is set, but {} holds a database of its own. Move it with `mngntime migrate-store`, name another \
         data_dir, or unset the variable; the two are not mixed", path.display()
    )]
    Both {
        /// The data directory.
        path: PathBuf,
    },
    /// The variable is missing.
    #[error("the data of {} is in PostgreSQL ({MARKER} is there): set {VARIABLE}", path.display())]
    Elsewhere {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory cannot be marked.
    #[error("could not write {}", path.display())]
    Mark {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file could not be opened.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// PostgreSQL could not be opened.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
}

impl DatabaseError {
    /// Whether the cause is how the program was called.
    #[must_use]
    pub fn is_bad_use(&self) -> bool {
        matches!(self, Self::Both { .. } | Self::Elsewhere { .. })
    }
}

/// Whether the data directory belongs to a server already: it holds the database, or the mark that the database is in
/// PostgreSQL. Where that is does not make a directory one.
#[must_use]
pub fn is_there(directory: &Path) -> bool {
    directory.join(DATABASE_FILE).is_file() || directory.join(MARKER).is_file()
}

/// The file by which a data directory is known.
#[must_use]
pub fn expected_file(directory: &Path, url: Option<&DatabaseUrl>) -> PathBuf {
    directory.join(if url.is_some() { MARKER } else { DATABASE_FILE })
}

/// Opens the store and makes what is missing.
///
/// # Errors
/// [`DatabaseError`].
pub fn open(directory: &Path, url: Option<&DatabaseUrl>) -> Result<Arc<dyn Store>, DatabaseError> {
    let marker = directory.join(MARKER);
    let Some(DatabaseUrl(url)) = url else {
        if marker.exists() {
            return Err(DatabaseError::Elsewhere { path: directory.to_owned() });
        }
        return Ok(Arc::new(SqliteStore::open(directory)?));
    };
    // Both are there after a move: the file is closed then, and the mark says where the data is.
    if directory.join(DATABASE_FILE).exists() && !marker.exists() {
        return Err(DatabaseError::Both { path: directory.to_owned() });
    }
    let store = postgres::open(url)?;
    mark(directory)?;
    Ok(Arc::new(store))
}

/// Marks a data directory as one whose data is in PostgreSQL.
///
/// # Errors
/// [`DatabaseError::Mark`].
pub fn mark(directory: &Path) -> Result<(), DatabaseError> {
    let marker = directory.join(MARKER);
    if marker.exists() {
        return Ok(());
    }
    std::fs::write(&marker, MARKED).map_err(|source| DatabaseError::Mark { path: marker, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_never_shown() {
        let url = DatabaseUrl::read("postgres://u:secret@localhost/d").unwrap().unwrap();
        assert!(!format!("{url:?}").contains("secret"));
        assert!(DatabaseUrl::read("").unwrap().is_none());
        assert!(DatabaseUrl::read("mysql://u:secret@localhost/d").is_err());
    }

    #[test]
    fn a_data_directory_is_of_one_kind() {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::read("postgres://u@localhost/d").unwrap();
        drop(open(directory.path(), None).unwrap());
        assert!(matches!(open(directory.path(), url.as_ref()), Err(DatabaseError::Both { .. })));
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join(MARKER), "").unwrap();
        assert!(matches!(open(other.path(), None), Err(DatabaseError::Elsewhere { .. })));
        assert!(!other.path().join(DATABASE_FILE).exists(), "nothing was begun");
    }

    #[test]
    fn a_directory_is_a_server_s_by_what_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_there(directory.path()), "wherever the database may be");
        for file in [MARKER, DATABASE_FILE] {
            std::fs::write(directory.path().join(file), "").unwrap();
            assert!(is_there(directory.path()), "{file}");
            std::fs::remove_file(directory.path().join(file)).unwrap();
        }
        let url = DatabaseUrl::read("postgres://u@localhost/d").unwrap();
        assert_eq!(expected_file(directory.path(), url.as_ref()), directory.path().join(MARKER));
    }
}
