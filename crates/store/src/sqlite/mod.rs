//! The embedded adapter: one SQLite file in the data directory.
//!
//! - WAL with `synchronous=FULL`: a commit that was answered survives a power cut.
//! - One writer thread owns the only connection that writes ([`writer`]): it commits whatever has arrived in
//!   one transaction, so a hundred PCs cost one sync to disk, not a hundred, and no caller that is dropped
//!   can touch a transaction.
//! - Readers come from a small pool and never wait for the writer.
//! - SQLite below 3.51.3 can lose committed pages when a writer and a checkpoint race (WAL-reset bug), so
//!   the version that is linked in is checked at start.

mod administrators;
mod audit;
pub mod backup;
mod changing;
mod contact_days;
mod contracts;
mod days;
mod departments;
mod enrollment;
mod enrollment_keys;
mod evidence;
mod fleet;
mod importing;
mod intake;
mod judging;
mod links;
mod lists;
mod log;
mod log_gap;
mod means;
mod operators;
mod people;
#[cfg(test)]
mod plans;
mod presence;
mod punches;
mod quarantine;
mod remarks;
mod rows;
mod schema;
mod scope;
mod searches;
mod sign_in;
mod standing;
mod suggesting;
mod terminals;
mod tries;
mod upkeep;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::Cause;
use crate::ports::{Answer, Store};
use crate::{Refusal, StoreError};
use writer::Writer;

pub use schema::{OpenError, SQLITE_VERSION_MIN};

/// File name of the database in the data directory.
pub const DATABASE_FILE: &str = "mngntime.db";

/// Readers at the same time. Every reader is a blocking thread with its own page cache (about 2 MB); more of
/// them than this do not read faster on the machines we measured.
const READERS: u32 = 8;

/// A failure inside one piece of work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// SQLite said no.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// The request contradicts what is stored.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A stored value is none that this program writes.
    #[error("a stored value cannot be read: {0}")]
    Unreadable(&'static str),
    /// The operating system gave no random bytes for an id.
    #[error("no random bytes for an id: {0}")]
    Random(getrandom::Error),
}

/// Result of one piece of work.
pub(crate) type Work<T> = Result<T, WorkError>;

impl WorkError {
    fn into_store_error(self, operation: &'static str) -> StoreError {
        match self {
            Self::Refused(refusal) => StoreError::Refused(refusal),
            Self::Sql(_) | Self::Unreadable(_) | Self::Random(_) => {
                StoreError::Failed { operation, source: Box::new(self) }
            }
        }
    }
}

/// A store in one SQLite file. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    readers: r2d2::Pool<ReaderFactory>,
    reading: Arc<Semaphore>,
}

impl SqliteStore {
    /// Opens the database in `directory`, makes it when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] naming the step; a read-only directory is one.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(DATABASE_FILE);
        let connection = schema::open_for_writing(&path)?;
        let writer = Writer::start(connection, &path).map_err(OpenError::Thread)?;
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .build(ReaderFactory { path })
            .map_err(OpenError::Readers)?;
        Ok(Self { writer: Arc::new(writer), readers, reading: Arc::new(Semaphore::new(READERS as usize)) })
    }

    /// Runs a change on the writer; done when durable.
    pub(crate) async fn write<T, F>(&self, operation: &'static str, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.writer.submit(operation, 0, work)?.await
    }

    /// As [`Self::write`], for work that carries `bytes` of a request.
    pub(crate) async fn write_sized<T, F>(&self, operation: &'static str, bytes: usize, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.writer.submit(operation, bytes, work)?.await
    }

    /// Runs a query on a reader.
    pub(crate) async fn read<T, F>(&self, operation: &'static str, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        let permit = self.reading.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let pool = self.readers.clone();
        let failed = move |source: Cause| StoreError::Failed { operation, source };
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = pool.get().map_err(|error| failed(error.into()))?;
            work(&connection).map_err(|error| error.into_store_error(operation))
        })
        .await
        .map_err(|error| failed(error.into()))?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn probe(&self) -> Answer<()> {
        let ask = |connection: &Connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?);
        self.read("read from the database", ask).await?;
        self.write("reach the database's writer", ask).await
    }
}

/// Opens connections that read.
struct ReaderFactory {
    path: PathBuf,
}

impl r2d2::ManageConnection for ReaderFactory {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        schema::open_for_reading(&self.path)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        connection.query_row("SELECT 1", [], |_| Ok(()))
    }

    fn has_broken(&self, _connection: &mut Connection) -> bool {
        false
    }
}
