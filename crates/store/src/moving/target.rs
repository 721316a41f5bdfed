//! The PostgreSQL database, while it is filled.

use std::time::{Duration, Instant};

use postgres::binary_copy::BinaryCopyInWriter;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{ToSql, Type};
use rusqlite::types::{Value, ValueRef};

use super::source::Row;
use super::{MoveError, TableDigest, UNFINISHED};
use crate::postgres::open_link;
use crate::sql::{Link, Param, cell};

/// Only one move at a time: "MngnMove" as a number.
const MOVES_LOCK: i64 = 0x4d6e_676e_4d6f_7665;

/// PostgreSQL has noticed by then that a program has ended.
const OTHERS_END_WITHIN: Duration = Duration::from_secs(10);

/// A table with its columns (in their order, with their types) and its key, as a list.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Type)>,
    pub(super) key: String,
}

impl Table {
    pub(super) fn column_list(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Every table of the schema, its key, and its columns with their types.
const TABLES: &str = "SELECT c.relname::text,
        (SELECT string_agg(a.attname::text, ', ' ORDER BY k.place) FROM pg_index i
         CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         WHERE i.indrelid = c.oid AND i.indisprimary),
        array_agg(a.attname::text ORDER BY a.attnum), array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('refinery_schema_history', $1)
    GROUP BY c.oid, c.relname ORDER BY c.relname";

/// Notes every reference and sets it aside, and with it what the triggers do.
const SET_ASIDE: &str = "CREATE TABLE store_move (number BIGINT GENERATED ALWAYS AS IDENTITY, undo TEXT NOT NULL);
    INSERT INTO store_move (undo) SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
        pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE contype = 'f' AND connamespace = current_schema()::regnamespace;
    INSERT INTO store_move (undo) SELECT DISTINCT format('ALTER TABLE %s ENABLE TRIGGER USER', tgrelid::regclass)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace;
    INSERT INTO store_move (undo) SELECT format('SELECT setval(%L, greatest((SELECT max(%I) FROM %I), 1))',
        pg_get_serial_sequence(table_name, column_name), column_name, table_name) FROM information_schema.columns
        WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name <> 'store_move';
    DO $$ DECLARE line record; BEGIN
        FOR line IN SELECT conrelid::regclass AS place, conname FROM pg_constraint
            WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
        LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', line.place, line.conname); END LOOP;
        FOR line IN SELECT DISTINCT tgrelid::regclass AS place FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace
        LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', line.place); END LOOP;
    END $$";

/// Sets all of it up again.
const SET_UP: &str = "DO $$ DECLARE line record; BEGIN
        FOR line IN SELECT undo FROM store_move ORDER BY number LOOP EXECUTE line.undo; END LOOP;
    END $$;
    DROP TABLE store_move; ANALYZE";

/// The database.
#[derive(Debug)]
pub(super) struct Target {
    link: Link,
}

impl Target {
    /// Opens a database that is empty, or half filled by a move.
    pub(super) fn open(url: &str) -> Result<Self, MoveError> {
        let target = Self { link: open_link(url)? };
        target.be_alone()?;
        let filled = "SELECT EXISTS (SELECT 1 FROM contracts) OR EXISTS (SELECT 1 FROM audit)
            OR EXISTS (SELECT 1 FROM administrators)";
        if !target.is_unfinished()? && target.ask("look into", filled)? {
            return Err(MoveError::NotEmpty);
        }
        Ok(target)
    }

    /// A move that was broken off holds the lock until PostgreSQL has noticed that it is gone, so this waits a little.
    fn be_alone(&self) -> Result<(), MoveError> {
        let ask = format!("SELECT pg_try_advisory_lock({MOVES_LOCK})");
        let begun = Instant::now();
        while !self.ask("ask for others who fill", &ask)? {
            if begun.elapsed() >= OTHERS_END_WITHIN {
                return Err(MoveError::AnotherMove);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn ask(&self, operation: &'static str, sql: &str) -> Result<bool, MoveError> {
        let asked = self.link.with(|client| client.query_one(sql, &[])?.try_get(0));
        asked.map_err(MoveError::table(operation, "the PostgreSQL database"))
    }

    fn is_unfinished(&self) -> Result<bool, MoveError> {
        self.ask("look into", &format!("SELECT to_regclass('{UNFINISHED}') IS NOT NULL"))
    }

    fn run(&self, operation: &'static str, table: &str, sql: &str) -> Result<(), MoveError> {
        self.link.with(|client| client.batch_execute(sql)).map_err(MoveError::table(operation, table))
    }

    /// Sets references and triggers aside, unless they are.
    pub(super) fn set_aside(&self) -> Result<(), MoveError> {
        if self.is_unfinished()? {
            return Ok(());
        }
        self.run(
            "set the references aside of",
            "the PostgreSQL database",
            &format!("BEGIN; {SET_ASIDE}; COMMIT"),
        )
    }

    /// Sets them up again; with that every reference is looked at.
    pub(super) fn set_up(&self) -> Result<(), MoveError> {
        self.run("set the references up of", "the PostgreSQL database", &format!("BEGIN; {SET_UP}; COMMIT"))
    }

    pub(super) fn tables(&self) -> Result<Vec<Table>, MoveError> {
        let rows = self.link.with(|client| client.query(TABLES, &[&UNFINISHED]));
        let read = |row: &postgres::Row| -> Result<Table, postgres::Error> {
            let (names, types): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
            let kind = |name: String| match name.as_str() {
                "bigint" => Type::INT8,
                "bytea" => Type::BYTEA,
                _ => Type::TEXT,
            };
            let columns = names.into_iter().zip(types.into_iter().map(kind)).collect();
            Ok(Table { name: row.try_get(0)?, key: row.try_get(1)?, columns })
        };
        let tables = rows.and_then(|rows| Ok(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?));
        tables.map_err(MoveError::table("list the tables of", "the PostgreSQL database"))
    }

    /// Makes the months in which the rows of a table will lie.
    pub(super) fn make_months(&self, table: &'static str, months: &[String]) -> Result<(), MoveError> {
        let made = self.link.with(|client| {
            months.iter().try_for_each(|month| {
                client.query_one("SELECT make_month($1, $2)", &[&table, month]).map(drop)
            })
        });
        made.map_err(MoveError::table("make the months of", table))
    }

    pub(super) fn rows(&self, table: &Table) -> Result<u64, MoveError> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let counted = self.link.with(|client| client.query_one(&sql, &[])?.try_get::<_, i64>(0));
        Ok(counted.map_err(MoveError::table("count the rows of", &table.name))?.unsigned_abs())
    }

    /// Takes everything out.
    pub(super) fn empty(&self, table: &Table) -> Result<(), MoveError> {
        self.run("empty", &table.name, &format!("TRUNCATE {}", table.name))
    }

    /// Takes rows in, all of them or none.
    pub(super) fn take(&self, table: &Table, rows: &[Row]) -> Result<(), MoveError> {
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.column_list());
        let types: Vec<Type> = table.columns.iter().map(|(_, kind)| kind.clone()).collect();
        let taken = self.link.with(|client| {
            let sink = client.copy_in(&sql)?;
            let mut writer = BinaryCopyInWriter::new(sink, &types);
            for row in rows {
                let values: Vec<Param<'_>> = row.iter().map(param).collect();
                let values: Vec<&(dyn ToSql + Sync)> =
                    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                writer.write(&values)?;
            }
            writer.finish()
        });
        taken.map(drop).map_err(MoveError::table("write to", &table.name))
    }

    /// Of all rows, in the order of the key.
    pub(super) fn digest(&self, table: &Table) -> Result<(u64, [u8; 32]), MoveError> {
        let sql = format!("SELECT {} FROM {} ORDER BY {}", table.column_list(), table.name, table.key);
        let mut digest = TableDigest::default();
        let read = self.link.with(|client| {
            let none: [&(dyn ToSql + Sync); 0] = [];
            let mut rows = client.query_raw(&sql, none)?;
            let mut failed = None;
            while let Some(row) = rows.next()? {
                for column in 0..table.columns.len() {
                    match cell(&row, Some(column)) {
                        Ok(value) => digest.value(value),
                        Err(error) => failed = failed.or(Some(error)),
                    }
                }
                digest.end_row();
            }
            Ok(failed)
        });
        match read {
            Ok(None) => Ok(digest.finish()),
            Ok(Some(error)) | Err(error) => Err(MoveError::table("read back", &table.name)(error)),
        }
    }
}

fn param(value: &Value) -> Param<'_> {
    Param::from(ValueRef::from(value))
}
