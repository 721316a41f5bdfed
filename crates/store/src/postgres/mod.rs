//! Opening a PostgreSQL database (15 or later) for the adapter of [`crate::sqlite`].
//!
//! - One connection writes, under locks ([`crate::sql`]): of all nodes one writes to a contract at a time, and whatever
//!   writes to more than contracts writes alone. So what is numbered without gaps (the log's leaves of a contract, the
//!   entries of the audit log) is numbered right, however many nodes there are.
//! - A few connections read. They cannot write.
//! - The schema is brought up to date under a lock of its own, so that nodes may start together.
//! - Over a network the connection is encrypted, and the server's certificate and name are checked; only the URL's
//!   `sslmode=disable` says otherwise. On this machine itself there is nothing to encrypt.

mod address;
#[cfg(test)]
#[path = "../../tests/suite/cluster.rs"]
#[allow(dead_code, reason = "the tests ask less of it")]
pub(crate) mod cluster;
pub(crate) mod vigil;

use postgres::{Client, Config};
use refinery::{Migration, Runner};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::moving::UNFINISHED;
use crate::sql::{Access, Error, Link, Told};
use crate::sqlite::SqlStore;

pub use address::AddressError;

/// Oldest PostgreSQL that the tests run with, as `server_version_num` has it.
const POSTGRES_VERSION_MIN: i32 = 150_000;

/// The lock under which the schema is brought up to date: "Migrates" as a number.
const MIGRATIONS_LOCK: i64 = 0x4d69_6772_6174_6573;

/// Every migration, oldest first. A file that has been released is never edited.
const MIGRATIONS: [(&str, &str); 19] = [
    ("V1__initial", include_str!("../../migrations/postgres/V1__initial.sql")),
    ("V2__punch_figures", include_str!("../../migrations/postgres/V2__punch_figures.sql")),
    ("V3__keys_led_by_contract", include_str!("../../migrations/postgres/V3__keys_led_by_contract.sql")),
    (
        "V4__closed_departments_and_open_remarks",
        include_str!("../../migrations/postgres/V4__closed_departments_and_open_remarks.sql"),
    ),
    ("V5__retention", include_str!("../../migrations/postgres/V5__retention.sql")),
    ("V6__errors_by_account", include_str!("../../migrations/postgres/V6__errors_by_account.sql")),
    ("V7__months", include_str!("../../migrations/postgres/V7__months.sql")),
    ("V8__waiting_by_statement", include_str!("../../migrations/postgres/V8__waiting_by_statement.sql")),
    ("V9__directory", include_str!("../../migrations/postgres/V9__directory.sql")),
    ("V10__inferred_punches", include_str!("../../migrations/postgres/V10__inferred_punches.sql")),
    ("V11__idle_sessions", include_str!("../../migrations/postgres/V11__idle_sessions.sql")),
    ("V12__links_by_sid", include_str!("../../migrations/postgres/V12__links_by_sid.sql")),
    ("V13__days_by_account", include_str!("../../migrations/postgres/V13__days_by_account.sql")),
    (
        "V14__remarks_read_and_answered",
        include_str!("../../migrations/postgres/V14__remarks_read_and_answered.sql"),
    ),
    ("V15__night_dates", include_str!("../../migrations/postgres/V15__night_dates.sql")),
    (
        "V16__signing_key_and_ceremonies",
        include_str!("../../migrations/postgres/V16__signing_key_and_ceremonies.sql"),
    ),
    ("V17__blocked_terminals", include_str!("../../migrations/postgres/V17__blocked_terminals.sql")),
    ("V18__clocks_years_off", include_str!("../../migrations/postgres/V18__clocks_years_off.sql")),
    ("V19__first_judgements", include_str!("../../migrations/postgres/V19__first_judgements.sql")),
];

/// Why the database could not be opened. None of it names the URL, which holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be used.
    #[error("the address of the PostgreSQL database cannot be used")]
    Address(#[from] AddressError),
    /// Nobody answers there, or not to us.
    #[error("could not connect to the PostgreSQL database: {0}")]
    Connect(String),
    /// The server is too old.
    #[error("the PostgreSQL server is of version {found}; 15 or later is needed")]
    TooOld {
        /// What it says of itself.
        found: String,
    },
    /// The database's encoding cannot hold every name.
    #[error(
        "the PostgreSQL database has the encoding {found}; make one with: CREATE DATABASE … ENCODING 'UTF8'"
    )]
    Encoding {
        /// What it has.
        found: String,
    },
    /// A move into the database was interrupted.
    #[error(
        "the PostgreSQL database is half filled: run the same `mngntime migrate-store` again, it goes on where it was"
    )]
    Unfinished,
    /// A migration failed, or the database was made by a newer or altered program.
    #[error("could not bring the PostgreSQL database up to date: {0}")]
    Migration(String),
    /// The pool of readers could not be made.
    #[error("could not open the PostgreSQL database for reading")]
    Readers(#[source] r2d2::Error),
    /// A thread could not be started.
    #[error("could not start the database's writer thread")]
    Thread(#[source] std::io::Error),
}

/// Whether `url` can be used as an address; nobody is asked.
///
/// # Errors
/// [`AddressError`], which does not repeat it.
pub fn check_address(url: &str) -> Result<(), AddressError> {
    address::read(url).map(drop)
}

/// Opens connections that read.
#[derive(Clone)]
pub(crate) struct Readers {
    config: Config,
    tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration holds a password.
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    pub(crate) fn connect(&self) -> Result<Link, Error> {
        Link::connect(&self.config, &self.tls, Access::Read)
    }
}

/// Opens the database at `url` (`postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`) and brings its
/// schema up to date.
///
/// # Errors
/// [`OpenError`] naming the step.
pub fn open(url: &str) -> Result<SqlStore, OpenError> {
    let (config, tls) = address::read(url)?;
    let readers = Readers { config, tls };
    // Connecting waits; who calls may be driving an asynchronous runtime, which must not.
    let own = readers.clone();
    let thread = std::thread::Builder::new().name("store-open".into()).spawn(move || prepare(&own));
    let writing = thread.map_err(OpenError::Thread)?.join();
    let writing =
        writing.unwrap_or_else(|_| Err(OpenError::Connect("the attempt ended in a panic".into())))?;
    SqlStore::on_postgres(writing, readers)
}

/// The connection that writes, alone: for whoever fills the database. Waits for the network.
pub(crate) fn open_link(url: &str) -> Result<Link, OpenError> {
    let (config, tls) = address::read(url)?;
    prepare_to_fill(&Readers { config, tls })
}

/// The connection that writes, to a database that is up to date and not half filled.
fn prepare(at: &Readers) -> Result<Link, OpenError> {
    let link = prepare_to_fill(at)?;
    let unfinished = link.with(|client| {
        client.query_one(&format!("SELECT to_regclass('{UNFINISHED}') IS NOT NULL"), &[])?.try_get(0)
    });
    match unfinished {
        Ok(false) => Ok(link),
        Ok(true) => Err(OpenError::Unfinished),
        Err(error) => Err(OpenError::Connect(Told(&error).to_string())),
    }
}

/// The connection that writes, to a database that is up to date.
fn prepare_to_fill(at: &Readers) -> Result<Link, OpenError> {
    let unreachable = |error: Error| OpenError::Connect(Told(&error).to_string());
    let link = Link::connect(&at.config, &at.tls, Access::Write).map_err(unreachable)?;
    let said = link.with(|client| {
        let sql = "SELECT current_setting('server_version'), current_setting('server_version_num')::int4,
            current_setting('server_encoding')";
        let row = client.query_one(sql, &[])?;
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    });
    let (version, number, encoding): (String, i32, String) = said.map_err(unreachable)?;
    check(&version, number, &encoding)?;
    let migrated = link.with(|client| Ok(migrate(client, &MIGRATIONS))).map_err(unreachable)?;
    migrated.map_err(OpenError::Migration)?;
    Ok(link)
}

/// A connection that writes, for tests of what goes on inside of a transaction.
#[cfg(test)]
pub(crate) fn connection(url: &str) -> crate::sql::Connection {
    let (config, tls) = address::read(url).unwrap();
    prepare(&Readers { config, tls }).unwrap().into()
}

fn check(version: &str, number: i32, encoding: &str) -> Result<(), OpenError> {
    if number < POSTGRES_VERSION_MIN {
        return Err(OpenError::TooOld { found: version.to_owned() });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { found: encoding.to_owned() });
    }
    Ok(())
}

/// Brings the schema up to date; in words when it cannot.
fn migrate(client: &mut Client, migrations: &[(&str, &str)]) -> Result<(), String> {
    let told = |error: &(dyn std::error::Error + 'static)| Told(error).to_string();
    let migrations: Result<Vec<_>, _> =
        migrations.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
    let migrations = migrations.map_err(|error| told(&error))?;
    let lock = format!("SELECT pg_advisory_lock({MIGRATIONS_LOCK})");
    client.batch_execute(&lock).map_err(|error| told(&error))?;
    let runner = Runner::new(&migrations).set_abort_divergent(true).set_abort_missing(true);
    let migrated = runner.run(client);
    let unlock = format!("SELECT pg_advisory_unlock({MIGRATIONS_LOCK})");
    let unlocked = client.batch_execute(&unlock);
    // What went wrong first is what is told.
    migrated.map_err(|error| told(&error))?;
    unlocked.map_err(|error| told(&error))
}

#[cfg(test)]
mod tests {
    use mngntime_ledger::Digest;

    use super::*;

    #[test]
    fn what_lay_in_one_piece_lies_by_month_byte_for_byte() {
        let cluster = cluster::Cluster::start(&[]);
        cluster.create("old", None);
        let (config, tls) = address::read(&cluster.url("old")).unwrap();
        let at = Readers { config, tls };
        let link = Link::connect(&at.config, &at.tls, Access::Write).unwrap();
        link.with(|client| Ok(migrate(client, &MIGRATIONS[..6]))).unwrap().unwrap();
        // Two days apart from 2023-11-30 on, and the ends of time; every byte, and letters of several bytes.
        let fill = |table: &str, last: &str| {
            let sql = format!(
                r"WITH times AS (SELECT 1701302400000 + n * 172800000 AS at FROM generate_series(0::bigint, 30) n
                    UNION ALL VALUES (-1), (9223372036854775807)),
                bytes AS (SELECT string_agg(set_byte('\x00', 0, n), '' ORDER BY n) AS every
                    FROM generate_series(0, 255) n)
                INSERT INTO {table} SELECT c, int8send(t), at, every, '日本語' || chr(9) || chr(128512) || at {last}
                FROM times, bytes, generate_series(1, 2) c, generate_series(1, 3) t"
            );
            cluster.ask("old", &sql);
        };
        fill("batches", r#", '{"\\": "　"}' || at"#);
        fill("receipts", "");
        let told = |table: &str| {
            let rows = format!(
                "SELECT count(*), sha256(convert_to(string_agg(x::text, '|' ORDER BY x::text), 'UTF8')) FROM {table} x"
            );
            cluster.ask("old", &rows)
        };
        let before = (told("batches"), told("receipts"));
        assert!(before.0.starts_with("198|") && before.1.starts_with("198|"), "{before:?}");
        drop(prepare(&at).unwrap());
        assert_eq!((told("batches"), told("receipts")), before);
        for table in ["batches", "receipts"] {
            let places = format!(
                "SELECT string_agg(part || ' ' || rows, ', ' ORDER BY part) FROM
                (SELECT tableoid::regclass::text AS part, count(*) AS rows FROM {table} GROUP BY 1) x"
            );
            let expected = [("2023_11", 6), ("2023_12", 90), ("2024_01", 90), ("rest", 12)];
            let expected = expected.map(|(month, rows)| format!("{table}_{month} {rows}")).join(", ");
            assert_eq!(cluster.ask("old", &places), expected);
            let key = format!(
                "SELECT count(*) FROM pg_index WHERE indrelid = '{table}'::regclass AND indisprimary"
            );
            assert_eq!(cluster.ask("old", &key), "1");
        }
        let left = cluster.ask("old", "SELECT count(*) FROM pg_class WHERE relname LIKE '%before%'");
        assert_eq!(left, "0");
    }

    #[test]
    fn nobody_of_a_contract_of_before_is_signed_out_for_doing_nothing() {
        let cluster = cluster::Cluster::start(&[]);
        cluster.create("old", None);
        let (config, tls) = address::read(&cluster.url("old")).unwrap();
        let link = Link::connect(&config, &tls, Access::Write).unwrap();
        link.with(|client| Ok(migrate(client, &MIGRATIONS[..10]))).unwrap().unwrap();
        let contracts = "INSERT INTO contracts (code, name, status, logon_punch_option, created_at)
            VALUES ('a', 'a', 'active', 1, 0), ('b', 'b', 'active', 1, 0)";
        cluster.ask("old", contracts);
        let chosen =
            "INSERT INTO contract_settings (contract_id, day_begins_minutes, japanese_years, retention_years)
            SELECT id, 240, 1, 3 FROM contracts WHERE code = 'b'";
        cluster.ask("old", chosen);
        drop(prepare(&Readers { config, tls }).unwrap());
        let found =
            "SELECT string_agg(concat_ws(' ', code, day_begins_minutes, japanese_years, retention_years,
            idle_minutes), ', ' ORDER BY code) FROM contract_settings JOIN contracts ON id = contract_id";
        assert_eq!(cluster.ask("old", found), "a 0 5 0, b 240 1 3 0");
    }

    #[test]
    fn released_migrations_are_frozen() {
        let digests: Vec<_> =
            MIGRATIONS.iter().map(|(_, sql)| Digest::of(sql.as_bytes()).to_string()).collect();
        assert_eq!(digests, FROZEN, "a released migration was edited: write a new one instead");
    }

    const FROZEN: [&str; 19] = [
        "3afc3057d71bfb6f1f26ea34b995dc56dee22bbfff81eca1875c7550242f6751",
        "3ac8b2dd8ea5f6a2fc979e9f12cbff35edcfd5940224b24bfeecd90bd4c4235b",
        "526cddefa69bcfc78ba447e0c6729930880a41779d77c3dee341d24165ee311c",
        "d4d7104244447ef4038051d2d7f7379eb8ae11f1feb45a59c7b34e08c4ad91f7",
        "a195b9772828061f1a60598b9d21fe819d1e80f78a6fb93b51a0fd4ab7593c68",
        "40851e0fd8d8f923a47fdbd5d33e329f060159a9b2f1dc694f67422c65c4fd6f",
        "b5c54e6433a6f209652735d3cb0c9b1e01928051440dc2ac4400a4617d4f1a39",
        "3bace8fb824facaa3ee5b6543ee7c67ea73dbc2a1de0f679062b9921c36a8b9d",
        "1c65b5e112e245e3ace5eefe8287bb5382acaff575943181dc775bb9fc0b4828",
        "eb1726f5d022e24f05cf4abcc8d343a093192d42c4f0e45bfa922b42dc5e4ad9",
        "240387ddf2dd17e38ff2b85d4cf27b0b166a44186a9948d0516dc243882d45bc",
        "0c28070da6646e092a7dc9cc4856a37400ad8a1464491a2e7fb055aa06a20d00",
        "1e4224821e5d3a6380d8d576ecfd55fa4f432b85bcb1d897633de26777b68e38",
        "efa580ed96fbdf712fcfe72f9d69906f77553cf5a0e134e23fdf7a077f153e9f",
        "3ddc130cdf31d7aa945621dbd5ffba791b99a8dfee91a7f79caa1283bf465be5",
        "63511279bed70bef97cff58bb6ecd8fa5e094a259fc9094f57e50507ed59760f",
        "866e8b907e5b6b06168f3a2463b088715aaff6217894fa59b2164ba28d55fccb",
        "62a75ff8294a6117e492f4c1c85c83b253016d00e9bcfb564d70d36aeab8c19b",
        "4412ef91333a0cf4493708fd982d835bd0c70ad4fee7789a51d87a886391ab8d",
    ];

    #[test]
    fn old_servers_and_narrow_encodings_are_refused() {
        assert!(check("14.9", 140_009, "UTF8").is_err());
        assert!(check("15.1", 150_001, "SQL_ASCII").is_err());
        assert!(check("15.1", 150_001, "UTF8").is_ok());
    }
}
