//! What an engine says when it does not do something.

use postgres::error::SqlState;

/// A failure of either engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// SQLite's.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL's. Its own text names no details: they are in the source.
    #[error("the database said no")]
    Postgres(#[from] postgres::Error),
    /// A column holds another type than asked for.
    #[error("a column cannot be read: {0}")]
    Column(rusqlite::types::FromSqlError),
    /// The row has no such column.
    #[error("a query has no such column")]
    NoSuchColumn,
    /// A full disk, an I/O error or the end of the connection: everything since the beginning of the transaction is
    /// undone.
    #[error("the database ended the whole transaction by itself")]
    TransactionEnded,
    /// The connection is being closed.
    #[error("the connection has been closed")]
    Closed,
    /// PostgreSQL keeps no text with the character U+0000.
    #[error("a text with the character U+0000 cannot be kept")]
    Nul,
}

impl Error {
    /// Whether a unique value is taken.
    pub(crate) fn is_taken(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, _)) => {
                code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    || code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            }
            Self::Postgres(error) => error.code() == Some(&SqlState::UNIQUE_VIOLATION),
            Self::Sqlite(_)
            | Self::Column(_)
            | Self::NoSuchColumn
            | Self::TransactionEnded
            | Self::Closed
            | Self::Nul => false,
        }
    }
}
