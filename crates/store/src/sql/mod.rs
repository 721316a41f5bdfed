//! One way to speak SQL to two engines: SQLite in a file, PostgreSQL over a socket.
//!
//! The adapter ([`crate::sqlite`]) has one text for each statement. It is written in what both engines understand;
//! the few spellings that differ are put into PostgreSQL's own by [`dialect`], once for each statement. Values map one
//! to one (INTEGER and BIGINT, TEXT, BLOB and BYTEA), so that a row reads alike from both.
//!
//! - The shapes are rusqlite's: `params!`, `?1`, `row.get(0)`. On SQLite a call costs one `match` more than without.
//! - A statement is prepared once for each connection and kept.
//! - PostgreSQL infers no type of a parameter: each is sent with the type of its value. Only of an absent value the
//!   type is the statement's to tell, therefore `CAST(?1 AS BIGINT) IS NULL` where nothing else tells it.
//! - An error inside a PostgreSQL transaction spoils it up to the last savepoint: whoever goes on after one must take
//!   [`Connection::tolerating`].

mod dialect;
mod error;
mod link;
mod many;
mod params;
mod planning;

use rusqlite::types::{FromSql, ValueRef};

pub(crate) use error::Error;
pub(crate) use link::{Access, Link, Param, Told, cell};
pub(crate) use many::Many;
pub(crate) use params::{Params, params, params_from_iter};
pub(crate) use rusqlite::types::Value;

/// Where a transaction may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Anywhere.
    Everything,
    /// To rows of the contracts with these numbers, and to what is counted for all.
    Contracts(Vec<i64>),
}

/// A connection to either engine.
#[derive(Debug)]
pub(crate) struct Connection(Engine);

#[derive(Debug)]
enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Link>),
}

impl From<rusqlite::Connection> for Connection {
    fn from(connection: rusqlite::Connection) -> Self {
        Self(Engine::Sqlite(connection))
    }
}

impl From<Link> for Connection {
    fn from(link: Link) -> Self {
        Self(Engine::Postgres(Box::new(link)))
    }
}

/// A row of either engine.
pub(crate) enum Row<'a> {
    /// SQLite's, while its statement stands on it.
    Sqlite(&'a rusqlite::Row<'a>),
    /// PostgreSQL's, as it came over the socket.
    Postgres(&'a postgres::Row),
}

/// A column, by its place or its name.
pub(crate) trait Column: rusqlite::RowIndex + Copy {
    /// Its place in a row of PostgreSQL.
    fn place(&self, row: &postgres::Row) -> Option<usize>;
}

impl Column for usize {
    fn place(&self, row: &postgres::Row) -> Option<usize> {
        Some(*self).filter(|place| *place < row.len())
    }
}

impl Column for &str {
    fn place(&self, row: &postgres::Row) -> Option<usize> {
        row.columns().iter().position(|column| column.name() == *self)
    }
}

impl Row<'_> {
    /// The value in a column.
    pub(crate) fn get<I: Column, T: FromSql>(&self, column: I) -> Result<T, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => {
                T::column_result(link::cell(row, column.place(row))?).map_err(Error::Column)
            }
        }
    }

    /// Every value, as text.
    #[cfg(test)]
    pub(crate) fn told(&self) -> Vec<String> {
        let columns = match self {
            Self::Sqlite(row) => row.as_ref().column_count(),
            Self::Postgres(row) => row.len(),
        };
        let cell = |column| match self.get_ref(column).unwrap() {
            ValueRef::Null => "absent".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        (0..columns).map(cell).collect()
    }

    /// The value in a column, as it lies there.
    pub(crate) fn get_ref(&self, column: usize) -> Result<ValueRef<'_>, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(column)?),
            Self::Postgres(row) => link::cell(row, Some(column)),
        }
    }
}

impl Connection {
    /// Runs a query; `each` gets its rows until it says that it needs no more.
    pub(crate) fn query<E: From<Error>>(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(Error::from)?;
                params.with(|params| {
                    let mut rows = statement.query(params).map_err(Error::from)?;
                    while let Some(row) = rows.next().map_err(Error::from)? {
                        if !each(&Row::Sqlite(row))? {
                            break;
                        }
                    }
                    Ok(())
                })
            }
            Engine::Postgres(link) => {
                for row in params.with(|params| link.query(sql, params))? {
                    if !each(&Row::Postgres(&row))? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Runs a statement; returns the rows it touched.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                params.with(|params| Ok(statement.execute(params)?))
            }
            Engine::Postgres(link) => params.with(|params| link.execute(sql, params)),
        }
    }

    /// Runs a query for each row of `many`; `each` gets the number of that row, from 0, and what was found. On PostgreSQL
    /// rows may come in another order.
    pub(crate) fn query_many<E: From<Error>>(
        &self,
        sql: &str,
        many: &Many<'_>,
        mut each: impl FnMut(usize, &Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(Error::from)?;
                (0..many.rows()).try_for_each(|asked| {
                    many.row(asked, |params| {
                        let mut rows = statement.query(params).map_err(Error::from)?;
                        while let Some(row) = rows.next().map_err(Error::from)? {
                            each(asked, &Row::Sqlite(row))?;
                        }
                        Ok(())
                    })
                })
            }
            Engine::Postgres(link) => {
                for row in link.query_many(sql, many)? {
                    let number = Row::Postgres(&row).get::<_, i64>(row.len() - 1)?;
                    let asked = usize::try_from(number - 1).map_err(|_| Error::NoSuchColumn)?;
                    each(asked, &Row::Postgres(&row))?;
                }
                Ok(())
            }
        }
    }

    /// Runs a statement that writes for each row of `many`; returns the rows it touched. On PostgreSQL it does not see what
    /// it writes itself, so that no two rows may concern the same row of a table.
    pub(crate) fn execute_many(&self, sql: &str, many: &Many<'_>) -> Result<usize, Error> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                (0..many.rows()).try_fold(0, |touched, asked| {
                    Ok(touched + many.row(asked, |params| statement.execute(params))?)
                })
            }
            Engine::Postgres(link) => link.execute_many(sql, many),
        }
    }

    /// Runs one statement without values that begins or ends a transaction or a savepoint.
    fn control(&self, sql: &'static str) -> Result<(), Error> {
        match &self.0 {
            Engine::Sqlite(connection) => Ok(connection.prepare_cached(sql)?.execute([]).map(drop)?),
            Engine::Postgres(link) => link.batch(sql),
        }
    }

    /// Begins a transaction that writes to `extent`. On PostgreSQL it waits until no other node writes there, see
    /// [`Link::begin_writing`]; on SQLite, until nobody writes at all.
    pub(crate) fn begin_writing(&mut self, extent: &Extent) -> Result<(), Error> {
        if let Engine::Postgres(link) = &mut self.0 {
            return link.begin_writing(extent);
        }
        self.control("BEGIN IMMEDIATE")
    }

    /// Ends a transaction for good; when it cannot, it has been rolled back.
    pub(crate) fn commit(&self) -> Result<(), Error> {
        let connection = match &self.0 {
            Engine::Sqlite(connection) => connection,
            Engine::Postgres(link) => return link.commit(),
        };
        let committed = self.control("COMMIT");
        if committed.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        committed
    }

    /// Undoes the transaction.
    pub(crate) fn roll_back(&self) -> Result<(), Error> {
        match &self.0 {
            Engine::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            Engine::Sqlite(connection) => Ok(connection.execute_batch("ROLLBACK")?),
            Engine::Postgres(link) => link.batch("ROLLBACK"),
        }
    }

    /// Fails when the engine has ended the transaction that was begun, by itself.
    pub(crate) fn check_transaction(&self) -> Result<(), Error> {
        match &self.0 {
            Engine::Sqlite(connection) if connection.is_autocommit() => Err(Error::TransactionEnded),
            Engine::Postgres(link) if link.is_closed() => Err(Error::ConnectionEnded),
            Engine::Sqlite(_) | Engine::Postgres(_) => Ok(()),
        }
    }

    /// Marks a place to which [`Self::take_back`] goes back.
    pub(crate) fn mark(&self) -> Result<(), Error> {
        self.control("SAVEPOINT job")
    }

    /// Keeps what was done since [`Self::mark`].
    pub(crate) fn keep(&self) -> Result<(), Error> {
        self.control("RELEASE SAVEPOINT job")
    }

    /// Undoes what was done since [`Self::mark`].
    pub(crate) fn take_back(&self) -> Result<(), Error> {
        match &self.0 {
            Engine::Sqlite(connection) => Ok(connection.execute_batch("ROLLBACK TO job; RELEASE job")?),
            Engine::Postgres(link) => link.batch("ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job"),
        }
    }

    /// Reads within one snapshot: everything that `work` reads was true at the same moment.
    pub(crate) fn snapshot<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let _until_here = connection.unchecked_transaction().map_err(Error::from)?;
                work(self)
            }
            Engine::Postgres(link) => {
                link.batch("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
                let _until_here = Snapshot(link);
                work(self)
            }
        }
    }

    /// Reads something whose failure the caller can live with: on PostgreSQL the failure does not spoil what was done
    /// before it.
    pub(crate) fn tolerating<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let Engine::Postgres(link) = &self.0 else { return work(self) };
        link.batch("SAVEPOINT tolerated")?;
        let done = work(self);
        link.batch(match &done {
            Ok(_) => "RELEASE SAVEPOINT tolerated",
            Err(_) => "ROLLBACK TO SAVEPOINT tolerated",
        })?;
        done
    }

    /// Runs statements without values.
    #[cfg(any(test, feature = "filling"))]
    pub(crate) fn execute_batch(&self, sql: &str) -> Result<(), Error> {
        match &self.0 {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Engine::Postgres(link) => link.batch(sql),
        }
    }

    /// SQLite's own connection, for what only that engine has.
    pub(crate) fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.0 {
            Engine::Sqlite(connection) => Some(connection),
            Engine::Postgres(_) => None,
        }
    }

    /// PostgreSQL's own connection.
    pub(crate) fn postgres(&self) -> Option<&Link> {
        match &self.0 {
            Engine::Sqlite(_) => None,
            Engine::Postgres(link) => Some(link),
        }
    }
}

/// An open transaction that only reads; ends with this, also when a panic goes by.
struct Snapshot<'a>(&'a Link);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // A connection that cannot end its transaction is closed, and the pool finds that out.
        if let Err(error) = self.0.batch("ROLLBACK") {
            tracing::warn!(error = %link::Told(&error), "a snapshot of the database was not ended");
        }
    }
}
