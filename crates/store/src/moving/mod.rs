//! Moving everything from SQLite's file into an empty PostgreSQL database.
//!
//! - The file stays readable all the time; nothing is written to it from the beginning of the move to its end, so that
//!   what is copied is what is there. PCs that send meanwhile get no receipt and send again.
//! - Values of both engines are the same (see the migrations), so a table is copied row by row in the order of its key, and
//!   is right when a digest over all its rows, in that order, is the same on both sides.
//! - The months of what lies by month on PostgreSQL are made first, so that each row finds its place.
//! - A move that was interrupted goes on: of each table the rows that are there already are compared with the file's; when
//!   they are its first ones, only the rest is copied, otherwise the table is begun anew.
//! - While it lasts, the target's references and triggers are set aside (they would refuse the order, and count what is
//!   counted already), and the table [`UNFINISHED`] says so: no server opens such a database. Setting them up again at
//!   the end looks at every reference once more.
//! - At the end the file is closed for good: every change of it is refused from then on, also for a server that still runs.

mod digest;
mod source;
mod target;

use std::path::{Path, PathBuf};

use crate::sql::Error;
use digest::TableDigest;
use source::Source;
use target::Target;

use crate::postgres::OpenError;
use crate::sqlite;

/// Table of a database into which a move has not ended: names and definitions of what is set aside.
pub(crate) const UNFINISHED: &str = "store_move";

/// Why nothing, or not everything, was moved. What is in the file is untouched, and the move can be begun again.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is no such file.
    #[error("{} is not there: name the server's data directory, or the file in it", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error(transparent)]
    Source(#[from] sqlite::OpenError),
    /// Somebody else writes to it.
    #[error("somebody writes to {} just now: try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It has been moved already.
    #[error("{} has been moved already; it takes no changes any more", path.display())]
    MovedAlready {
        /// The file.
        path: PathBuf,
    },
    /// PostgreSQL cannot be opened.
    #[error(transparent)]
    Target(#[from] OpenError),
    /// There is something in it.
    #[error("the PostgreSQL database is not empty: name a new one")]
    NotEmpty,
    /// Another move is at work.
    #[error("another move fills the PostgreSQL database just now: let it end, or end it, and try again")]
    AnotherMove,
    /// A table cannot be read or written.
    #[error("could not {operation} {table}")]
    Table {
        /// What was to be done.
        operation: &'static str,
        /// The table.
        table: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table has other columns on the two sides.
    #[error(
        "the table {table} has other columns in the file than in PostgreSQL: both must be of this program's version"
    )]
    OtherColumns {
        /// The table.
        table: String,
    },
    /// What has arrived is not what was sent.
    #[error("the rows of {table} in PostgreSQL are not those of the file: begin again with a new database")]
    Differs {
        /// The table.
        table: String,
    },
}

impl MoveError {
    fn table(operation: &'static str, table: &str) -> impl FnOnce(Error) -> Self {
        move |error| Self::Table { operation, table: table.to_owned(), source: Box::new(error) }
    }

    /// Whether the cause is how the program was called.
    #[must_use]
    pub fn is_bad_use(&self) -> bool {
        matches!(self, Self::NotEmpty | Self::MovedAlready { .. } | Self::NoFile { .. })
    }
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The table.
    pub table: &'a str,
    /// Its rows in PostgreSQL.
    pub rows: u64,
    /// Its rows in the file.
    pub of: u64,
}

/// What was moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Tables.
    pub tables: u64,
    /// Rows of all of them.
    pub rows: u64,
    /// Stored events among these.
    pub events: u64,
    /// Rows that an earlier, interrupted move had brought.
    pub found: u64,
}

/// A move that has the file for itself.
#[derive(Debug)]
pub struct Moving {
    source: Source,
    target: Target,
}

impl Moving {
    /// Takes the file in `directory` for itself, until this ends, and the empty (or half filled) database at `url`.
    ///
    /// # Errors
    /// [`MoveError`]; nothing has been changed.
    pub fn begin(directory: &Path, url: &str) -> Result<Self, MoveError> {
        let source = Source::open(directory)?;
        let target = Target::open(url)?;
        Ok(Self { source, target })
    }

    /// Copies and compares everything. The file still takes changes afterwards, if [`Self::close_source`] is not called.
    ///
    /// # Errors
    /// [`MoveError`] naming the table.
    pub fn copy(&mut self, told: &mut dyn FnMut(Progress<'_>)) -> Result<Moved, MoveError> {
        self.target.set_aside()?;
        for table in sqlite::months::TABLES {
            self.target.make_months(table, &self.source.months(table)?)?;
        }
        let mut moved = Moved::default();
        for table in self.target.tables()? {
            self.source.check_columns(&table)?;
            let of = self.source.rows(&table)?;
            let found = self.resume(&table, of)?;
            let sent = self.source.send(&table, found, |rows, done| {
                self.target
                    .take(&table, rows)
                    .inspect(|_| told(Progress { table: &table.name, rows: done, of }))
            })?;
            let arrived = self.target.digest(&table)?;
            if arrived != sent {
                return Err(MoveError::Differs { table: table.name });
            }
            moved.tables += 1;
            moved.rows += of;
            moved.found += found;
            if table.name == "events" {
                moved.events = of;
            }
        }
        self.target.set_up()?;
        Ok(moved)
    }

    /// How many of the table's first rows are there already; what else is there is taken out.
    fn resume(&self, table: &target::Table, of: u64) -> Result<u64, MoveError> {
        let there = self.target.rows(table)?;
        if there == 0 {
            return Ok(0);
        }
        if there <= of && self.target.digest(table)? == self.source.digest_of_first(table, there)? {
            return Ok(there);
        }
        self.target.empty(table)?;
        Ok(0)
    }

    /// Refuses every change of the file from now on, for good.
    ///
    /// # Errors
    /// [`MoveError::Table`].
    pub fn close_source(self) -> Result<(), MoveError> {
        self.source.close(&self.target.tables()?)
    }
}
