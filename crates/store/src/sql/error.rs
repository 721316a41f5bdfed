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
    /// A full disk or an I/O error: everything since the beginning of the transaction is
    /// undone.
    #[error("the database ended the whole transaction by itself")]
    TransactionEnded,
    /// The connection has ended within a transaction: everything since its beginning is undone.
    #[error("the connection to the database has ended")]
    ConnectionEnded,
    /// The connection is being closed.
    #[error("the connection has been closed")]
    Closed,
    /// PostgreSQL keeps no text with the character U+0000.
    #[error("a text with the character U+0000 cannot be kept")]
    Nul,
}

impl Error {
    /// Whether the database is away: not reachable, lost, shutting down, starting, or without a connection to spare. Never
    /// said of SQLite, which is in this process.
    pub(crate) fn is_away(&self) -> bool {
        const AWAY: [SqlState; 8] = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::CONNECTION_EXCEPTION,
            SqlState::CONNECTION_FAILURE,
            SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ];
        match self {
            Self::Postgres(error) => match error.code() {
                Some(code) => AWAY.contains(code),
                // Not the server's word: the connection is closed, broken, or has not come about.
                None => {
                    error.is_closed()
                        || std::error::Error::source(error).is_some_and(|below| below.is::<std::io::Error>())
                }
            },
            Self::ConnectionEnded | Self::Closed => true,
            Self::Sqlite(_) | Self::Column(_) | Self::NoSuchColumn | Self::TransactionEnded | Self::Nul => {
                false
            }
        }
    }

    /// Whether somebody else was in the way for longer than the statement was to wait. Never said of SQLite, where that is
    /// asked before.
    pub(crate) fn is_in_use(&self) -> bool {
        const IN_USE: [SqlState; 3] =
            [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED, SqlState::T_R_DEADLOCK_DETECTED];
        match self {
            Self::Postgres(error) => error.code().is_some_and(|code| IN_USE.contains(code)),
            Self::Sqlite(_)
            | Self::Column(_)
            | Self::NoSuchColumn
            | Self::ConnectionEnded
            | Self::TransactionEnded
            | Self::Closed
            | Self::Nul => false,
        }
    }

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
            | Self::ConnectionEnded
            | Self::TransactionEnded
            | Self::Closed
            | Self::Nul => false,
        }
    }
}
