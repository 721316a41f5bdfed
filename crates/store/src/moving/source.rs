//! SQLite's file, while it is moved.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::types::Value;

use super::target::Table;
use super::{MoveError, TableDigest};
use crate::sql::Error;
use crate::sqlite::{DATABASE_FILE, OpenError, open_for_writing};

/// Rows that are copied in one transaction.
const ROWS_AT_ONCE: usize = 20_000;

/// What a change of a file that was moved is answered with.
const MOVED: &str =
    "this database has been moved to PostgreSQL: set MNGNTIME_DATABASE_URL and restart the server";

/// A row as it lies there.
pub(super) type Row = Vec<Value>;

/// The file; nobody else writes to it until this ends.
#[derive(Debug)]
pub(super) struct Source {
    connection: rusqlite::Connection,
    path: PathBuf,
}

impl Source {
    pub(super) fn open(directory: &Path) -> Result<Self, MoveError> {
        let path = directory.join(DATABASE_FILE);
        if !path.is_file() {
            return Err(MoveError::NoFile { path });
        }
        let connection = match open_for_writing(&path) {
            Err(OpenError::Mode { source, .. }) if is_busy(&source) => return Err(MoveError::Busy { path }),
            opened => opened?,
        };
        match connection.execute_batch("BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) => return Err(MoveError::Busy { path }),
            begun => begun.map_err(|error| {
                MoveError::table("keep others from writing to", DATABASE_FILE)(error.into())
            })?,
        }
        let sql =
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = 'moved_events_insert'";
        let moved = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        match moved {
            Ok(0) => Ok(Self { connection, path }),
            Ok(_) => Err(MoveError::MovedAlready { path }),
            Err(error) => Err(MoveError::table("read the schema of", DATABASE_FILE)(error.into())),
        }
    }

    /// The table has the same columns here.
    pub(super) fn check_columns(&self, table: &Table) -> Result<(), MoveError> {
        let here = || -> Result<Vec<String>, rusqlite::Error> {
            let mut statement =
                self.connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY name")?;
            statement.query_map([&table.name], |row| row.get(0))?.collect()
        };
        let here =
            here().map_err(|error| MoveError::table("read the columns of", &table.name)(error.into()))?;
        let mut there: Vec<_> = table.columns.iter().map(|(name, _)| name.clone()).collect();
        there.sort_unstable();
        if here == there { Ok(()) } else { Err(MoveError::OtherColumns { table: table.name.clone() }) }
    }

    /// The months (by UTC, as far as the calendar goes) in which rows of a table were received.
    pub(super) fn months(&self, table: &str) -> Result<Vec<String>, MoveError> {
        let sql = format!(
            "SELECT DISTINCT strftime('%Y-%m', received_at / 1000, 'unixepoch') FROM {table}
             WHERE received_at BETWEEN 0 AND 253402300799999"
        );
        let months = || -> Result<Vec<String>, rusqlite::Error> {
            self.connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
        };
        months().map_err(|error| MoveError::table("read the months of", table)(error.into()))
    }

    pub(super) fn rows(&self, table: &Table) -> Result<u64, MoveError> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let rows = self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        let rows = rows.map_err(|error| MoveError::table("count the rows of", &table.name)(error.into()))?;
        Ok(rows.unsigned_abs())
    }

    /// Of the first rows, in the order of the key.
    pub(super) fn digest_of_first(&self, table: &Table, count: u64) -> Result<(u64, [u8; 32]), MoveError> {
        let mut digest = TableDigest::default();
        self.read(table, Some(count), |row| {
            row.iter().for_each(|value| digest.value(value.into()));
            digest.end_row();
            Ok(())
        })?;
        Ok(digest.finish())
    }

    /// Gives all rows but the first `skipped` to `take`, some at once, with how many that are then; answers the digest of
    /// all.
    pub(super) fn send(
        &self,
        table: &Table,
        skipped: u64,
        mut take: impl FnMut(&[Row], u64) -> Result<(), MoveError>,
    ) -> Result<(u64, [u8; 32]), MoveError> {
        let (mut digest, mut waiting, mut done) = (TableDigest::default(), Vec::new(), 0);
        self.read(table, None, |row| {
            row.iter().for_each(|value| digest.value(value.into()));
            digest.end_row();
            done += 1;
            if done > skipped {
                waiting.push(row);
            }
            if waiting.len() >= ROWS_AT_ONCE {
                take(&waiting, done)?;
                waiting.clear();
            }
            Ok(())
        })?;
        if !waiting.is_empty() {
            take(&waiting, done)?;
        }
        Ok(digest.finish())
    }

    fn read(
        &self,
        table: &Table,
        limit: Option<u64>,
        mut each: impl FnMut(Row) -> Result<(), MoveError>,
    ) -> Result<(), MoveError> {
        let failed = |error: rusqlite::Error| MoveError::table("read", &table.name)(Error::from(error));
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let sql =
            format!("SELECT {} FROM {} ORDER BY {} LIMIT ?1", table.column_list(), table.name, table.key);
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([limit]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let values = (0..table.columns.len()).map(|column| row.get(column)).collect::<Result<Row, _>>();
            each(values.map_err(failed)?)?;
        }
        Ok(())
    }

    /// Lets every change be refused from now on.
    pub(super) fn close(self, tables: &[Table]) -> Result<(), MoveError> {
        let mut sql = String::new();
        for Table { name, .. } in tables {
            for change in ["insert", "update", "delete"] {
                sql.push_str(&format!(
                    "CREATE TRIGGER moved_{name}_{change} BEFORE {change} ON {name} BEGIN SELECT RAISE(ABORT, '{MOVED}'); END;"
                ));
            }
        }
        sql.push_str("COMMIT");
        let closed = self.connection.execute_batch(&sql);
        let file = self.path.display().to_string();
        closed.map_err(|error| MoveError::table("close", &file)(error.into()))
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
