//! One statement for many rows of parameters.
//!
//! A statement is written as for one row, with `?1`, `?2` … On SQLite it runs once for each row, prepared once: its rows
//! cost what they cost in its trees, and nothing is saved by another spelling. On PostgreSQL it runs once for all of them:
//! the rows travel as one array for each column, and [`super::dialect::for_many`] puts them in the statement's place. What
//! a round trip and a plan cost is then paid once for a group and not once for each row.

use std::borrow::Cow;

use postgres::types::{ToSql as PostgresToSql, Type};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::Error;

/// Rows of parameters, column by column: the first is `?1`. All columns have the same number of rows.
#[derive(Debug, Default)]
pub(crate) struct Many<'a> {
    columns: Vec<Column<'a>>,
}

/// The values of one parameter.
#[derive(Debug)]
enum Column<'a> {
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<Cow<'a, str>>>),
    Blobs(Vec<Option<&'a [u8]>>),
}

impl<'a> Many<'a> {
    /// Adds whole numbers.
    pub(crate) fn integers(self, values: impl IntoIterator<Item = i64>) -> Self {
        self.some_integers(values.into_iter().map(Some))
    }

    /// Adds whole numbers, of which some may be absent.
    pub(crate) fn some_integers(self, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        self.with(Column::Integers(values.into_iter().collect()))
    }

    /// Adds texts.
    pub(crate) fn texts<T: Into<Cow<'a, str>>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.some_texts(values.into_iter().map(Some))
    }

    /// Adds texts, of which some may be absent.
    pub(crate) fn some_texts<T: Into<Cow<'a, str>>>(
        self,
        values: impl IntoIterator<Item = Option<T>>,
    ) -> Self {
        self.with(Column::Texts(values.into_iter().map(|value| value.map(Into::into)).collect()))
    }

    /// Adds bytes.
    pub(crate) fn blobs(self, values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.some_blobs(values.into_iter().map(Some))
    }

    /// Adds bytes, of which some may be absent.
    pub(crate) fn some_blobs(self, values: impl IntoIterator<Item = Option<&'a [u8]>>) -> Self {
        self.with(Column::Blobs(values.into_iter().collect()))
    }

    fn with(mut self, column: Column<'a>) -> Self {
        debug_assert!(
            self.columns.is_empty() || column.rows() == self.rows(),
            "columns of different lengths"
        );
        self.columns.push(column);
        self
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::rows)
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// Lends the values of one row, as SQLite takes them.
    pub(super) fn row<R>(&self, row: usize, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let cells: Vec<Cell<'_>> = self.columns.iter().map(|column| column.cell(row)).collect();
        let values: Vec<&dyn ToSql> = cells.iter().map(|cell| cell as &dyn ToSql).collect();
        work(&values)
    }

    /// The columns as arrays.
    ///
    /// # Errors
    /// [`Error::Nul`] for a text that PostgreSQL cannot keep.
    pub(super) fn arrays(&self) -> Result<Vec<&(dyn PostgresToSql + Sync)>, Error> {
        self.columns.iter().map(Column::array).collect()
    }

    /// The types of the arrays.
    pub(super) fn types(&self) -> Vec<Type> {
        self.columns.iter().map(Column::kind).collect()
    }
}

impl Column<'_> {
    fn rows(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Blobs(values) => values.len(),
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        Cell(match self {
            Self::Integers(values) => values[row].map(ValueRef::Integer),
            Self::Texts(values) => values[row].as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Blobs(values) => values[row].map(ValueRef::Blob),
        })
    }

    fn array(&self) -> Result<&(dyn PostgresToSql + Sync), Error> {
        match self {
            Self::Integers(values) => Ok(values),
            Self::Texts(values) if values.iter().flatten().any(|text| text.contains('\0')) => Err(Error::Nul),
            Self::Texts(values) => Ok(values),
            Self::Blobs(values) => Ok(values),
        }
    }

    fn kind(&self) -> Type {
        match self {
            Self::Integers(_) => Type::INT8_ARRAY,
            Self::Texts(_) => Type::TEXT_ARRAY,
            Self::Blobs(_) => Type::BYTEA_ARRAY,
        }
    }
}

/// A value as SQLite takes it.
struct Cell<'a>(Option<ValueRef<'a>>);

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0.unwrap_or(ValueRef::Null)))
    }
}
