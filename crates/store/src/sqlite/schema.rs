//! Opening the database file and bringing its schema up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use refinery::{Migration, Runner};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Oldest SQLite that this program runs with: 3.51.3 mends the WAL-reset bug.
pub const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long a command-line tool and the server wait for each other's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept by a connection: about twice what the adapter has.
const STATEMENTS_KEPT: usize = 256;

/// Every migration, oldest first. A file that has been released is never edited.
const MIGRATIONS: [(&str, &str); 27] = [
    ("V1__initial", include_str!("../../migrations/sqlite/V1__initial.sql")),
    ("V2__presence", include_str!("../../migrations/sqlite/V2__presence.sql")),
    ("V3__log", include_str!("../../migrations/sqlite/V3__log.sql")),
    ("V4__terminal_standing", include_str!("../../migrations/sqlite/V4__terminal_standing.sql")),
    ("V5__audit_log", include_str!("../../migrations/sqlite/V5__audit_log.sql")),
    ("V6__roles", include_str!("../../migrations/sqlite/V6__roles.sql")),
    ("V8__fleet", include_str!("../../migrations/sqlite/V8__fleet.sql")),
    ("V9__sign_in_means", include_str!("../../migrations/sqlite/V9__sign_in_means.sql")),
    ("V10__punch_log", include_str!("../../migrations/sqlite/V10__punch_log.sql")),
    ("V11__settings_and_remarks", include_str!("../../migrations/sqlite/V11__settings_and_remarks.sql")),
    ("V12__lists_in_order", include_str!("../../migrations/sqlite/V12__lists_in_order.sql")),
    ("V13__punch_figures", include_str!("../../migrations/sqlite/V13__punch_figures.sql")),
    (
        "V15__closed_departments_and_open_remarks",
        include_str!("../../migrations/sqlite/V15__closed_departments_and_open_remarks.sql"),
    ),
    ("V16__retention", include_str!("../../migrations/sqlite/V16__retention.sql")),
    ("V17__errors_by_account", include_str!("../../migrations/sqlite/V17__errors_by_account.sql")),
    (
        "V18__batches_and_receipts_as_they_come",
        include_str!("../../migrations/sqlite/V18__batches_and_receipts_as_they_come.sql"),
    ),
    ("V19__directory", include_str!("../../migrations/sqlite/V19__directory.sql")),
    ("V20__inferred_punches", include_str!("../../migrations/sqlite/V20__inferred_punches.sql")),
    ("V21__idle_sessions", include_str!("../../migrations/sqlite/V21__idle_sessions.sql")),
    ("V22__links_by_sid", include_str!("../../migrations/sqlite/V22__links_by_sid.sql")),
    ("V23__days_by_account", include_str!("../../migrations/sqlite/V23__days_by_account.sql")),
    (
        "V24__remarks_read_and_answered",
        include_str!("../../migrations/sqlite/V24__remarks_read_and_answered.sql"),
    ),
    ("V25__night_dates", include_str!("../../migrations/sqlite/V25__night_dates.sql")),
    (
        "V26__signing_key_and_ceremonies",
        include_str!("../../migrations/sqlite/V26__signing_key_and_ceremonies.sql"),
    ),
    ("V27__blocked_terminals", include_str!("../../migrations/sqlite/V27__blocked_terminals.sql")),
    ("V28__clocks_years_off", include_str!("../../migrations/sqlite/V28__clocks_years_off.sql")),
    ("V29__first_judgements", include_str!("../../migrations/sqlite/V29__first_judgements.sql")),
];

/// What the file of the write-ahead log is cut back to, when it has grown longer and begins anew.
const LOG_FILE_BYTES: i64 = 128 * 1024 * 1024;

/// Page cache of the connection that writes, at most.
const WRITER_CACHE_KIB: i64 = 24 * 1024;

/// Number of the newest migration.
pub(super) fn newest() -> u32 {
    let (name, _) = MIGRATIONS[MIGRATIONS.len() - 1];
    name.trim_start_matches('V').split('_').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be opened or made.
    #[error("could not open the database {}: is the directory there and writable, and does its disk have room?", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A newer SQLite is needed.
    #[error("SQLite {found} is linked in, but versions before 3.51.3 can lose committed data")]
    TooOld {
        /// Its version.
        found: &'static str,
    },
    /// The file could not be switched to write-ahead logging.
    #[error("could not switch the database {} to write-ahead logging: is the directory writable, and does its disk have room?", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A migration failed, or the file was made by a newer or altered program.
    #[error("could not bring the database {} up to date", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<refinery::Error>,
    },
    /// The pool of readers could not be made.
    #[error("could not open the database for reading")]
    Readers(#[source] r2d2::Error),
    /// The writer thread could not be started.
    #[error("could not start the database's writer thread")]
    Thread(#[source] std::io::Error),
}

/// Opens the connection that writes.
pub(crate) fn open_for_writing(path: &Path) -> Result<Connection, OpenError> {
    check_version(rusqlite::version_number(), rusqlite::version())?;
    let mut connection =
        Connection::open(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    set_up_writing(&connection).map_err(|source| OpenError::Mode { path: path.to_owned(), source })?;
    migrate(&mut connection)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source: Box::new(source) })?;
    Ok(connection)
}

/// Opens a connection that reads and cannot write.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    // Closing the last connection would move the log: that is the writer's to do, or not to do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Statements are planned once, for any values. Otherwise SQLite looks at bound values while it plans (a `LIMIT ?` is
/// enough) and plans the kept statement anew each time that other values are bound: a third of the ingest's time.
fn keep_statements(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn check_version(number: i32, text: &'static str) -> Result<(), OpenError> {
    if number < SQLITE_VERSION_MIN { Err(OpenError::TooOld { found: text }) } else { Ok(()) }
}

fn set_up_writing(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The writer decides when the log is moved, see `checkpoints.rs`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_FILE_BYTES)?;
    // What must be copied aside to take a statement back is a few pages: not worth a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    // The pages of one large transaction: those that do not fit are written twice.
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    keep_statements(connection)?;
    // Takes the write lock once, so that a read-only file is found at start and not at the first punch.
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
}

fn migrate(connection: &mut Connection) -> Result<(), refinery::Error> {
    let migrations = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<Vec<_>, _>>()?;
    Runner::new(&migrations).set_abort_divergent(true).set_abort_missing(true).run(connection).map(drop)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use mngntime_ledger::Digest;

    #[test]
    fn released_migrations_are_frozen() {
        let digests: Vec<_> =
            MIGRATIONS.iter().map(|(_, sql)| Digest::of(sql.as_bytes()).to_string()).collect();
        assert_eq!(digests, FROZEN, "a released migration was edited: write a new one instead");
    }

    const FROZEN: [&str; 27] = [
        "833fc773e234bdfe8c0efc10195c7a2a7b4a050a03e9e31ba08151c577ffa318",
        "706d86588b3358e65b88db52f859be9de79b46216dcc626c04c567aea7074bc3",
        "2161331d70e199bbe0bfcceba7a20f9857e0d523c635cf093cc138eb11855321",
        "57299a749fc59a1ab5eb8e1e46171895938bee5c32bac64e035343ddc218cacd",
        "bbc519015dd085be2de9a8c5ab534dcf48bd483e48dbb701fb005de5046453ea",
        "3a98438fc2d091de6abb5e86436deba488a37c85e22fce51ac0dfb2b05f5328d",
        "f7aca8e563b5ad6ae7857e4a383c527db781e40dff9177791b5b13b2bfa4a7c8",
        "fcd77b719a12a68a0c5001b2c97632d27b44d3e7e07fc9d9b50d1f0ee0c022ca",
        "2dc3f4549c64cff2aab489037a219178acc3f6aab0162eb917a30f638fc9090f",
        "2b7f1ee9f460c28dd369b047c599f8b234683c25b39af5b3828f40a837c815e1",
        "f4dd3b327bb50b353ab8edd697fd2cfeb90f07ed03cc21443e9e64f371f73815",
        "b27cfbae8a3181b62d6f25645765d8af7ada156fdce727be1c9194b9420225fa",
        "9529011fbe6bf467684b26709de447d4462f351e5ea8e28e37f167992acfb7fe",
        "120cb3fafe195093138bd5533b710a538981fe15af5d9e063e63c59bfc6f0e2e",
        "40851e0fd8d8f923a47fdbd5d33e329f060159a9b2f1dc694f67422c65c4fd6f",
        "c6b91d9084080ef10ab30eb17b57272461671a20ccfaf391244b70d9fdff7b09",
        "1c65b5e112e245e3ace5eefe8287bb5382acaff575943181dc775bb9fc0b4828",
        "eb1726f5d022e24f05cf4abcc8d343a093192d42c4f0e45bfa922b42dc5e4ad9",
        "2f72e60bb5e6a4041b6252b4085e315c32bb9a5a17d4788e32a80a9e858509b7",
        "7260be5d88e23a7077eae71e871018a85817eac06c536a47280d61949b8dba6b",
        "1e4224821e5d3a6380d8d576ecfd55fa4f432b85bcb1d897633de26777b68e38",
        "5020bf1728a324dddb92f463ef12b72456e2b33ec8b04f7157de6c0962139678",
        "a2b4ec0581cbbbdea97b35c0e5d4991bf4d0bcc25197a010288070b866586f04",
        "7921d0cc930eb05a2fcf821d50ba97ff7ebaaf747ab2da1aeff3303dbdd5501b",
        "618764d9e592c51d26ef608d7367420fdf8b61a0a67f0601f36b95cb81f4c685",
        "1d6657f6d4ef53bd162704c45441ea574be0529054314d765ea1404baa7bd593",
        "4412ef91333a0cf4493708fd982d835bd0c70ad4fee7789a51d87a886391ab8d",
    ];

    #[test]
    fn the_newest_migration_is_the_one_that_a_database_has_last() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_for_writing(&directory.path().join("x.db")).unwrap();
        let sql = "SELECT max(version) FROM refinery_schema_history";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap(), newest());
    }

    #[test]
    fn the_sqlite_with_the_wal_reset_bug_is_refused() {
        assert!(check_version(3_051_002, "3.51.2").is_err());
        assert!(check_version(3_051_003, "3.51.3").is_ok());
        assert!(rusqlite::version_number() >= SQLITE_VERSION_MIN);
    }

    #[test]
    fn an_altered_migration_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let connection = open_for_writing(&path).unwrap();
        connection.execute("UPDATE refinery_schema_history SET checksum = '1'", []).unwrap();
        drop(connection);
        assert!(matches!(open_for_writing(&path), Err(OpenError::Migration { .. })));
    }

    /// Makes a database of an earlier version, and lets `fill` put something into it.
    pub(crate) fn open_as_of(path: &Path, version: usize, fill: impl FnOnce(&crate::sql::Connection)) {
        let mut old = Connection::open(path).unwrap();
        let first: Vec<_> = MIGRATIONS[..version]
            .iter()
            .map(|(name, sql)| Migration::unapplied(name, sql).unwrap())
            .collect();
        Runner::new(&first).run(&mut old).unwrap();
        fill(&old.into());
    }

    #[test]
    fn a_database_of_the_first_version_is_brought_up_to_date() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        open_as_of(&path, 1, |_| {});
        let connection = open_for_writing(&path).unwrap();
        let sql = "SELECT count(stay) FROM punches LEFT JOIN unattended_stays USING (contract_id, stay)";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }

    #[test]
    fn punches_of_the_last_days_are_added_up_when_the_figures_come() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        open_as_of(&path, 11, |old| {
            old.execute("PRAGMA foreign_keys = OFF", []).unwrap();
            old.execute("INSERT INTO contracts (id, code, name, status, logon_punch_option, created_at) VALUES (1, 'demo', 'demo', 'active', 1, 0)", []).unwrap();
            let days = [(1, 0), (2, 1_799_999), (3, 1_800_000), (4, -41 * 86_400_000)];
            for (seq, at) in days {
                let sql = "INSERT INTO punches VALUES (1, ?1, x'01', ?2, 'logon', 'notice', NULL, NULL, ?3, 0, x'02',
                    '2026-01-01', 0, NULL, x'03', ?4, NULL)";
                let res = (seq == 1).then_some(7_i64);
                old.execute(
                    sql,
                    crate::sql::params![1_800_000_000_000_i64 + at, seq, 1_800_000_000_000_i64, res],
                )
                .unwrap();
            }
            old.execute(
                "INSERT INTO employees (contract_id, id, code, name, department_id) VALUES (1, x'03', 'E1', 'n', x'04')",
                [],
            )
            .unwrap();
        });
        let connection = open_for_writing(&path).unwrap();
        let sql = "SELECT half_hour, department_id, punches, errors FROM punch_figures ORDER BY half_hour";
        let mut statement = connection.prepare(sql).unwrap();
        let read = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        };
        let rows: Vec<_> = statement.query_map([], read).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, [(1_000_000, vec![4], 2, 1), (1_000_001, vec![4], 1, 0)]);
    }

    #[test]
    fn holes_of_before_the_server_looked_for_them_are_found_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let mut old = Connection::open(&path).unwrap();
        let before: Vec<_> =
            MIGRATIONS[..2].iter().map(|(name, sql)| Migration::unapplied(name, sql).unwrap()).collect();
        Runner::new(&before).run(&mut old).unwrap();
        old.execute_batch(
            "INSERT INTO contracts VALUES (1, 'demo', 'demo', 'active', 1, 0);
             INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version,
                 status, enrolled_at, head) VALUES (1, x'01', 'k1', 'h', 'o', 'm', 'file', 'v', 'active', 0, 9),
                 (1, x'02', 'k2', 'h', 'o', 'm', 'file', 'v', 'active', 0, 2);",
        )
        .unwrap();
        let events = [(1, 2), (1, 3), (1, 7), (1, 9), (2, 1), (2, 2)];
        for (terminal, seq) in events {
            let sql =
                format!("INSERT INTO events VALUES (1, x'0{terminal}', {seq}, x'00', '{{}}', 0, 0, 0, 0)");
            old.execute(&sql, []).unwrap();
        }
        drop(old);
        let connection = open_for_writing(&path).unwrap();
        let sql = "SELECT group_concat(hex(terminal_id) || ':' || first_number || '-' || last_number, ' ')
                   FROM missing_numbers";
        let holes: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(holes, "01:1-1 01:4-6 01:8-8");
    }

    #[test]
    fn departments_of_before_the_tree_are_its_top_and_people_keep_their_passwords() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        open_as_of(&path, 4, |old| {
            old.execute_batch(
                "INSERT INTO contracts VALUES (1, 'a', 'a', 'active', 1, 0), (2, 'b', 'b', 'active', 1, 0);
                 INSERT INTO employees (contract_id, id, code, name, department) VALUES
                     (1, x'01', 'E1', 'n', '総務部'), (1, x'02', 'E2', 'n', '総務部'), (1, x'03', 'E3', 'n', NULL),
                     (1, x'04', 'E4', 'n', ''), (2, x'05', 'E1', 'n', '総務部');
                 INSERT INTO administrators VALUES (x'06', 'kimura', 'Kimura', '$hash', 'hr', 1, 7);
                 INSERT INTO web_sessions VALUES ('s', x'00', 9);",
            )
            .unwrap();
        });
        let connection = open_for_writing(&path).unwrap();
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let departments = "SELECT group_concat(contract_id || code || name || coalesce(parent_id, '-'), ' ')
            FROM (SELECT * FROM departments ORDER BY contract_id)";
        assert_eq!(text(departments), "1総務部総務部- 2総務部総務部-");
        let employees = "SELECT group_concat(e.contract_id || e.code || coalesce(d.name, '-'), ' ') FROM
            (SELECT * FROM employees ORDER BY id) e LEFT JOIN departments d
            ON d.contract_id = e.contract_id AND d.id = e.department_id";
        assert_eq!(text(employees), "1E1総務部 1E2総務部 1E3- 1E4- 2E1総務部");
        let person = "SELECT login || password_hash || role || created_at FROM administrators
            WHERE disabled_at IS NULL AND valid_until IS NULL AND contract_id = 1";
        assert_eq!(text(person), "kimura$hashhr7");
        assert_eq!(text("SELECT id FROM web_sessions WHERE administrator_id IS NULL"), "s");
    }

    #[test]
    fn enrolment_keys_and_terminals_of_before_the_fleet_get_numbers_and_a_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        open_as_of(&path, 6, |old| {
            old.execute_batch(
                "INSERT INTO contracts VALUES (1, 'a', 'a', 'active', 1, 0), (2, 'b', 'b', 'active', 1, 0);
                 INSERT INTO enrollment_keys VALUES (1, x'02', 5, NULL), (1, x'01', 9, 10), (2, x'01', 5, NULL),
                     (1, x'00', 5, NULL);
                 INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class,
                     agent_version, status, enrolled_at) VALUES (1, x'07', 'k', 'h', 'o', 'm', 'file', 'v',
                     'active', 42)",
            )
            .unwrap();
        });
        let connection = open_for_writing(&path).unwrap();
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let keys = "SELECT group_concat(contract_id || hex(key_hash) || '=' || number, ' ')
                    FROM (SELECT * FROM enrollment_keys ORDER BY contract_id, number)";
        assert_eq!(text(keys), "100=1 102=2 101=3 201=1");
        let history =
            "SELECT group_concat(hex(terminal_id) || at || what || agent_version) FROM terminal_history";
        assert_eq!(text(history), "0742enrolledv");
    }

    #[test]
    fn batches_and_receipts_of_before_keep_every_byte_and_new_ones_lie_behind_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let looked = "SELECT group_concat(contract_id || hex(terminal_id) || received_at || hex(digest) || signature
            || frame, ' ') || (SELECT group_concat(contract_id || hex(terminal_id) || received_at || hex(request)
            || envelope, ' ') FROM (SELECT * FROM receipts ORDER BY 1, 2, 3, 4))
            FROM (SELECT * FROM batches ORDER BY 1, 2, 3, 4)";
        let mut before = String::new();
        open_as_of(&path, 15, |old| {
            old.execute_batch(
                "INSERT INTO batches VALUES (1, x'02', 5, x'00ff', 's', '{\"é\": \"出勤\"}'), (1, x'01', 9, x'01', '', ''),
                     (2, x'01', -1, x'', 's', 'f');
                 INSERT INTO receipts VALUES (1, x'02', 5, x'00ff', 'e\t '), (1, x'01', 9, x'01', '{}');",
            )
            .unwrap();
            let read = |row: &crate::sql::Row<'_>| Ok(row.get(0)?);
            before = crate::sqlite::rows::one(old, looked, [], read).unwrap().unwrap();
        });
        let connection = open_for_writing(&path).unwrap();
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text(looked), before);
        assert!(before.contains("出勤"));
        connection.execute_batch("INSERT INTO receipts VALUES (1, x'00', 10, x'07', 'new')").unwrap();
        let last = "SELECT envelope FROM receipts WHERE rowid = (SELECT max(rowid) FROM receipts)";
        assert_eq!(text(last), "new");
        let again = "INSERT INTO receipts VALUES (1, x'00', 10, x'07', 'other')";
        assert!(connection.execute_batch(again).is_err(), "its key is one all the same");
    }

    /// What evidence asks for by terminal, it finds by seeks, in order, without a sort.
    #[test]
    fn batches_and_receipts_of_a_terminal_are_found_by_their_key() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_for_writing(&directory.path().join("x.db")).unwrap();
        for (table, last) in [("batches", "digest"), ("receipts", "request")] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE contract_id = ?1 AND terminal_id = ?2
                 AND received_at BETWEEN ?3 AND ?4 ORDER BY received_at, {last}"
            );
            let mut statement = connection.prepare(&sql).unwrap();
            let lines = statement.query_map([1, 2, 3, 4], |row| row.get::<_, String>(3)).unwrap();
            let lines: Vec<_> = lines.map(Result::unwrap).collect();
            let seek = format!(
                "SEARCH {table} USING INDEX sqlite_autoindex_{table}_1 (contract_id=? AND terminal_id=? AND \
                 received_at>? AND received_at<?)"
            );
            assert_eq!(lines, [seek]);
        }
    }

    #[test]
    fn nobody_of_a_contract_of_before_is_signed_out_for_doing_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        open_as_of(&path, 18, |old| {
            let sql = "INSERT INTO contracts VALUES (1, 'a', 'a', 'active', 1, 0), (2, 'b', 'b', 'active', 1, 0);
                INSERT INTO contract_settings (contract_id, day_begins_minutes, japanese_years, retention_years)
                VALUES (2, 240, 1, 3);";
            old.execute_batch(sql).unwrap();
        });
        let connection = open_for_writing(&path).unwrap();
        let sql = "SELECT group_concat(contract_id || ' ' || coalesce(day_begins_minutes, '-') || ' ' || japanese_years
            || ' ' || retention_years || ' ' || idle_minutes, ', ' ORDER BY contract_id) FROM contract_settings";
        let found: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, "1 - 0 5 0, 2 240 1 3 0");
    }

    #[test]
    fn a_kept_statement_is_not_planned_anew_for_other_values() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let (writer, reader) = (open_for_writing(&path).unwrap(), open_for_reading(&path));
        for connection in [writer, reader.unwrap()] {
            let sql =
                "SELECT max(number) FROM judgements WHERE contract_id = ?1 AND terminal_id = ?2 LIMIT ?3";
            let mut statement = connection.prepare(sql).unwrap();
            for number in 1..=5 {
                let values = rusqlite::params![number, [7_u8; 16], number];
                statement.query_row(values, |row| row.get::<_, Option<i64>>(0)).unwrap();
            }
            assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let _writer = open_for_writing(&path).unwrap();
        let reader = open_for_reading(&path).unwrap();
        assert!(reader.execute("DELETE FROM audit", []).is_err());
    }
}
