//! The adapter: statements and rules over [`crate::sql`], which speaks to both engines.
//!
//! SQLite is one file in the data directory; PostgreSQL is opened by [`crate::postgres`]. What follows is SQLite's:
//! - WAL with `synchronous=FULL`: a commit that was answered survives a power cut.
//! - One writer thread owns the only connection that writes ([`writer`]): it commits whatever has arrived in
//!   one transaction, so a hundred PCs cost one sync to disk, not a hundred, and no caller that is dropped
//!   can touch a transaction.
//! - Readers come from a small pool and never wait for the writer. (So it is on PostgreSQL too.)
//! - SQLite below 3.51.3 can lose committed pages when a writer and a checkpoint race (WAL-reset bug), so
//!   the version that is linked in is checked at start.

mod administrators;
mod alike;
mod audit;
pub mod backup;
mod ceremonies;
mod changing;
mod checkpoints;
mod contact_days;
mod contracts;
mod crowd;
mod crowd_reads;
mod crowd_writes;
mod day_summaries;
mod days;
mod department_texts;
mod departments;
mod directory;
mod employee_lines;
mod enrollment;
mod enrollment_keys;
mod evidence;
mod figures;
#[cfg(feature = "filling")]
pub mod filling;
mod fleet;
mod identifying;
mod importing;
mod intake;
mod judging;
mod letting_in;
mod link_lines;
mod links;
mod links_by_sid;
mod lists;
mod log;
mod log_gap;
mod looks;
mod means;
pub(crate) mod months;
mod night;
mod operators;
mod people;
#[cfg(test)]
mod plans;
mod presence;
mod probe;
mod punches;
mod quarantine;
mod redating;
mod remarks;
mod retention;
mod retiring;
mod rows;
mod schema;
mod scope;
mod searches;
mod sign_in;
mod signing_key;
mod standing;
mod suggesting;
mod terminal_names;
mod terminals;
mod told;
mod tries;
mod upkeep;
mod whose;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::Cause;
use crate::ports::Answer;
use crate::postgres::vigil::Vigil;
use crate::postgres::{self, Readers};
use crate::sql::{self, Connection, Link, Told};
use crate::{Refusal, StoreError};
use writer::Writer;

pub(crate) use schema::open_for_writing;
pub use schema::{OpenError, SQLITE_VERSION_MIN};

/// File name of the database in the data directory.
pub const DATABASE_FILE: &str = "mngntime.db";

/// Readers at the same time. Every reader is a blocking thread with its own page cache (about 2 MB); more of
/// them than this do not read faster on the machines we measured.
const READERS: u32 = 8;

/// How long work waits for a reader: a database that is away must not hold up every page for half a minute.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// A failure inside one piece of work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    /// The database said no.
    #[error(transparent)]
    Sql(#[from] sql::Error),
    /// The request contradicts what is stored.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A stored value is none that this program writes.
    #[error("a stored value cannot be read: {0}")]
    Unreadable(&'static str),
    /// The operating system gave no random bytes for an id.
    #[error("no random bytes for an id: {0}")]
    Random(getrandom::Error),
    /// Whoever sends has no receipt to get.
    #[error("a receipt could not be made")]
    Unsealed(#[source] Cause),
    /// The work itself panicked: a bug of ours, kept from taking the writer with it.
    #[error("the work ended in a panic")]
    Panicked,
}

/// Result of one piece of work.
pub(crate) type Work<T> = Result<T, WorkError>;

impl WorkError {
    fn into_store_error(self, operation: &'static str) -> StoreError {
        match self {
            Self::Refused(refusal) => StoreError::Refused(refusal),
            Self::Sql(error) if error.is_away() => StoreError::Away { operation, source: Box::new(error) },
            Self::Sql(_) | Self::Unreadable(_) | Self::Random(_) | Self::Unsealed(_) | Self::Panicked => {
                StoreError::Failed { operation, source: Box::new(self) }
            }
        }
    }
}

/// A store in one SQLite file or in a PostgreSQL database. Cheap to clone.
#[derive(Clone)]
pub struct SqlStore {
    /// Closed before the writer's connection, which moves what is left of SQLite's log when it is the last one.
    readers: r2d2::Pool<ReaderFactory>,
    writer: Arc<Writer>,
    reading: Arc<Semaphore>,
    /// SQLite's file can be opened, or something is wrong with it; PostgreSQL may be away for a while, or hang.
    vigil: Option<Vigil>,
    proved: Arc<probe::Proved>,
    identifying: Arc<identifying::Identifying>,
}

/// The store in one SQLite file.
pub type SqliteStore = SqlStore;

impl SqlStore {
    /// Opens the SQLite database in `directory`, makes it when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] naming the step; a read-only directory is one.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(DATABASE_FILE);
        let connection = schema::open_for_writing(&path)?;
        let writer = Writer::start(connection.into(), Some(&path)).map_err(OpenError::Thread)?;
        Self::with(writer, ReaderFactory::Sqlite(path)).map_err(OpenError::Readers)
    }

    /// Opens a PostgreSQL database whose schema is up to date; `writing` is used by nobody else.
    pub(crate) fn on_postgres(writing: Link, readers: Readers) -> Result<Self, postgres::OpenError> {
        let writer = Writer::start(writing.into(), None).map_err(postgres::OpenError::Thread)?;
        Self::with(writer, ReaderFactory::Postgres(Box::new(readers))).map_err(postgres::OpenError::Readers)
    }

    fn with(writer: Writer, factory: ReaderFactory) -> Result<Self, r2d2::Error> {
        let vigil = match &factory {
            ReaderFactory::Sqlite(_) => None,
            ReaderFactory::Postgres(readers) => Some(Vigil::new((**readers).clone())),
        };
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(0))
            // A connection over the network may have ended while it was idle.
            .test_on_check_out(vigil.is_some())
            .connection_timeout(READER_TIMEOUT)
            .error_handler(Box::new(NotConnected))
            .build(factory)?;
        let reading = Arc::new(Semaphore::new(READERS as usize));
        let (proved, identifying) = (Arc::default(), Arc::default());
        Ok(Self { readers, writer: Arc::new(writer), reading, vigil, proved, identifying })
    }

    /// Runs a change on the writer; done when durable.
    pub(crate) async fn write<T, F>(&self, operation: &'static str, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.answered(operation, self.writer.submit(operation, 0, work)?).await
    }

    /// As [`Self::write`], for work that may judge a great part of the stored punches again: in a transaction of its own.
    pub(crate) async fn write_alone<T, F>(&self, operation: &'static str, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.answered(operation, self.writer.submit_alone(operation, work)?).await
    }

    /// As [`Self::write`], for work that carries `bytes` of a request.
    pub(crate) async fn write_sized<T, F>(&self, operation: &'static str, bytes: usize, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.answered(operation, self.writer.submit(operation, bytes, work)?).await
    }

    /// Runs a query on a reader.
    pub(crate) async fn read<T, F>(&self, operation: &'static str, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.answered(operation, self.read_in_time(operation, work)).await
    }

    /// What `answer` says, as long as there is a database that may still give it. Work that nobody waits for any more is
    /// done all the same, if it ever is.
    pub(crate) async fn answered<T>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let Some(vigil) = &self.vigil else { return answer.await };
        tokio::select! {
            answer = answer => answer,
            silent = vigil.silence() => Err(StoreError::Away { operation, source: Box::new(silent) }),
        }
    }

    async fn read_in_time<T, F>(&self, operation: &'static str, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        let permit = self.reading.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (pool, can_be_away) = (self.readers.clone(), self.vigil.is_some());
        let failed = move |source: Cause| StoreError::Failed { operation, source };
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = pool.get().map_err(|error| match can_be_away {
                true => StoreError::Away { operation, source: error.into() },
                false => failed(error.into()),
            })?;
            work(&connection).map_err(|error| error.into_store_error(operation))
        })
        .await
        .map_err(|error| failed(error.into()))?
    }
}

/// Opens connections that read.
#[derive(Debug)]
enum ReaderFactory {
    Sqlite(PathBuf),
    Postgres(Box<Readers>),
}

impl r2d2::ManageConnection for ReaderFactory {
    type Connection = Connection;
    type Error = sql::Error;

    fn connect(&self) -> Result<Connection, sql::Error> {
        match self {
            Self::Sqlite(path) => Ok(schema::open_for_reading(path)?.into()),
            Self::Postgres(readers) => Ok(readers.connect()?.into()),
        }
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), sql::Error> {
        connection.postgres().map_or(Ok(()), Link::test)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.postgres().is_some_and(Link::is_closed)
    }
}

/// Tells in the program's log why there is no reader; who waits for one hears only that there is none.
#[derive(Debug)]
struct NotConnected;

impl r2d2::HandleError<sql::Error> for NotConnected {
    fn handle_error(&self, error: sql::Error) {
        tracing::warn!(error = %Told(&error), "a connection to the database for reading could not be opened");
    }
}
