//! One consistent copy of the database beside a running server, and the proof that a copy is whole.
//!
//! - Copied with SQLite's online backup inside one read transaction: readers and the writer go on, and whatever
//!   was committed before the copy began is in it. `VACUUM INTO` would do too, but it writes every row anew
//!   (row ids included) and reads them through indices that may be damaged; evidence is copied page by page, as
//!   it lies there.
//! - While a copy is made, the write-ahead log is not emptied; it grows by what comes in meanwhile.
//! - A copy has no log beside it: it is closed in rollback mode, so that it is one file.
//! - The source is not changed: no migration, no checkpoint.
//! - [`check`] believes nothing: it reads every page, every reference, every event's bytes (and compares with them what
//!   stands in columns beside them) and every entry of the audit log, hashes the whole log anew and compares it with every
//!   head that was signed ([`signed`]). It opens the file as one that nobody writes to, and leaves nothing beside it.

mod signed;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mngntime_ledger::Digest;
use mngntime_ledger::audit::RESTORED_FROM_BACKUP;
use mngntime_model::UtcMillis;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::json;

use super::audit::{self, KEPT, Kept};
use super::{DATABASE_FILE, WorkError, log, schema};
use crate::error::Cause;
use crate::ports::{Act, LogFault};
use crate::sql;
pub use signed::{Noted, NotedTerminal, ToldHead, Watcher};

/// The action that [`note_made`] notes.
pub(super) const MADE: &str = "make_backup";

/// How long a note waits for the server's transaction.
const NOTE_WAIT: Duration = Duration::from_secs(5);

/// The migration since which entries of the audit log are leaves of the log.
const ENTRIES_SINCE: u32 = 5;

/// The migration since which months are retired.
const RETENTION_SINCE: u32 = 16;

/// Pages copied in one step: 4 MiB. The read transaction spans all steps.
const STEP_PAGES: i32 = 1024;

/// Faults that `PRAGMA integrity_check` names before it stops.
const INTEGRITY_FAULTS_MAX: u32 = 10;

/// What one snapshot of the database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// Number of the last migration.
    pub schema: u32,
    /// Rows of every table.
    pub rows: BTreeMap<String, u64>,
    /// Stored events of every contract, by its code.
    pub events: BTreeMap<String, u64>,
}

impl Contents {
    /// Stored events of all contracts.
    #[must_use]
    pub fn events_total(&self) -> u64 {
        self.events.values().sum()
    }
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The server's database could not be opened.
    #[error("could not read the database {}", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The copy could not be written; what there is of it is worthless.
    #[error("could not copy the database to {}", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

/// Notes in the server's audit log that a backup was made, so that its age is known. `false` when the database is of
/// another version than this program: bringing it up to date is the server's business.
///
/// # Errors
/// What the database says; the backup is none the worse for it.
pub fn note_made(directory: &Path, place: &str, contents: &Contents, at: UtcMillis) -> Result<bool, Cause> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(directory.join(DATABASE_FILE), flags)?;
    connection.busy_timeout(NOTE_WAIT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    if contents.schema != schema::newest() {
        return Ok(false);
    }
    let mut connection = sql::Connection::from(connection);
    connection.begin_writing(&sql::Extent::Everything)?;
    let detail = json!({ "place": place, "events": contents.events_total() });
    match audit::note(&connection, None, MADE, "server", &detail, &Act::command_line(at)) {
        Ok(()) => Ok(connection.commit().map(|()| true)?),
        Err(WorkError::Sql(error)) => Err(error.into()),
        Err(
            WorkError::Refused(_)
            | WorkError::Unreadable(_)
            | WorkError::Random(_)
            | WorkError::Unsealed(_)
            | WorkError::Panicked,
        ) => Ok(false),
    }
}

/// Notes in every contract's audit log that the database was put back to a backup that was made at `made_at`: the first
/// entry of what comes after, so that a log that forks there says so itself. The tree that was last signed is in it:
/// what has a larger one of the same month has seen the branch that was given up. Brings the schema up to date.
///
/// # Errors
/// What the database says; nothing is noted then.
pub fn note_restored(directory: &Path, made_at: UtcMillis, at: UtcMillis) -> Result<(), Cause> {
    let connection = schema::open_for_writing(&directory.join(DATABASE_FILE))?;
    let mut connection = sql::Connection::from(connection);
    connection.begin_writing(&sql::Extent::Everything)?;
    note_restored_in(&connection, made_at, &Act::command_line(at))?;
    Ok(connection.commit()?)
}

fn note_restored_in(tx: &sql::Connection, made_at: UtcMillis, act: &Act) -> Result<(), WorkError> {
    audit::note(tx, None, RESTORED_FROM_BACKUP, "server", &json!({ "backup_made_at": made_at.0 }), act)?;
    for contract in log::contracts(tx)? {
        let mut detail = json!({ "backup_made_at": made_at.0 });
        if let Some(head) = log::newest(tx, contract)? {
            detail["month"] = json!(head.tree.month);
            detail["size"] = json!(head.tree.size);
            detail["root"] = json!(head.tree.root.to_string());
        }
        audit::note(tx, Some(contract), RESTORED_FROM_BACKUP, "server", &detail, act)?;
    }
    Ok(())
}

/// What is wrong with a copy.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("could not read the copy {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// SQLite's own check says no.
    #[error("the copy {} is damaged: {said}", path.display())]
    Integrity {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        said: String,
    },
    /// A row names another that is not there.
    #[error("in the copy {}, rows of {table} refer to rows that are not there", path.display())]
    Reference {
        /// The file.
        path: PathBuf,
        /// The table that refers.
        table: String,
    },
    /// An event's bytes are not those that were taken in.
    #[error("in the copy {}, event {sequence} of terminal {terminal} is not what its digest says", path.display())]
    Event {
        /// The file.
        path: PathBuf,
        /// The terminal's id in hexadecimal digits.
        terminal: String,
        /// The event's number.
        sequence: i64,
    },
    /// An entry of the audit log is not what was noted, or has lost its place in the log.
    #[error("in the copy {}, entry {number} of the audit log is not what its digest says, or is not in the log", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry's number.
        number: i64,
    },
    /// The log is not what was signed.
    #[error("in the copy {}, the log of contract {contract} is not what was signed", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Code of the contract.
        contract: String,
        /// What is wrong with it.
        #[source]
        fault: LogFault,
    },
    /// Something in the log cannot be read.
    #[error("the log in the copy {} cannot be read: {said}", path.display())]
    UnreadableLog {
        /// The file.
        path: PathBuf,
        /// What was said of it.
        said: String,
    },
}

impl Fault {
    /// Whether the database contradicts itself, as one does that somebody changed: a bad disk shows itself otherwise.
    #[must_use]
    pub fn is_contradiction(&self) -> bool {
        matches!(self, Self::Event { .. } | Self::Entry { .. } | Self::Log { .. })
    }
}

/// Copies the database in `directory` to the new file `target`; says what the snapshot holds.
///
/// # Errors
/// [`CopyError`]. Nobody has synced the file: the caller does, with everything that belongs to it.
pub fn copy(directory: &Path, target: &Path) -> Result<Contents, CopyError> {
    let path = directory.join(DATABASE_FILE);
    let from_source = |source| CopyError::Source { path: path.clone(), source };
    let from_target = |source| CopyError::Target { path: target.to_owned(), source };
    let source = schema::open_for_reading(&path).map_err(from_source)?;
    source.execute_batch("BEGIN").map_err(from_source)?;
    let contents = contents(&source).map_err(from_source)?;
    let mut copy = Connection::open(target).map_err(from_target)?;
    copy_pages(&source, &mut copy).map_err(from_target)?;
    leave_one_file(&copy).map_err(from_target)?;
    copy.close().map_err(|(_, source)| from_target(source))?;
    Ok(contents)
}

fn copy_pages(source: &Connection, target: &mut Connection) -> Result<(), rusqlite::Error> {
    let backup = Backup::new(source, target)?;
    loop {
        match backup.step(STEP_PAGES)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else knows the target, and the source's read transaction is open: no lock to wait for.
            StepResult::Busy | StepResult::Locked | _ => {
                return Err(failure(rusqlite::ffi::SQLITE_BUSY, "the copy is locked by somebody else"));
            }
        }
    }
}

/// The copy has inherited the write-ahead mode; a log beside it could be lost on the way to a safe place.
fn leave_one_file(copy: &Connection) -> Result<(), rusqlite::Error> {
    let mode: String = copy.query_row("PRAGMA journal_mode = delete", [], |row| row.get(0))?;
    if mode == "delete" {
        Ok(())
    } else {
        Err(failure(rusqlite::ffi::SQLITE_ERROR, "the copy keeps its write-ahead log"))
    }
}

fn failure(code: i32, said: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(said.to_owned()))
}

/// Counts everything, in the transaction that is open.
fn contents(connection: &Connection) -> Result<Contents, rusqlite::Error> {
    let names =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut rows = BTreeMap::new();
    for name in connection.prepare(names)?.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        rows.insert(name, connection.query_row(&sql, [], |row| number(row, 0))?);
    }
    let schema = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    let events = "SELECT code, (SELECT count(*) FROM events WHERE contract_id = contracts.id) FROM contracts";
    let mut events = connection.prepare(events)?;
    let events = events.query_map([], |row| Ok((row.get(0)?, number(row, 1)?)))?.collect::<Result<_, _>>()?;
    Ok(Contents { schema: connection.query_row(schema, [], |row| row.get(0))?, rows, events })
}

/// A count, which is never negative.
fn number(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

/// Reads all of the copy `path`: every page, every reference, every event's bytes, every entry of the audit log, every leaf
/// and every head. Says what it holds.
///
/// # Errors
/// The first [`Fault`].
pub fn check(path: &Path, watcher: Watcher<'_>) -> Result<Contents, Fault> {
    let unreadable = |source| Fault::Unreadable { path: path.to_owned(), source };
    let copy = open_unchanging(path).map_err(unreadable)?;
    let said = integrity(&copy).map_err(unreadable)?;
    if said != ["ok"] {
        return Err(Fault::Integrity { path: path.to_owned(), said: said.join("; ") });
    }
    if let Some(table) = dangling(&copy).map_err(unreadable)? {
        return Err(Fault::Reference { path: path.to_owned(), table });
    }
    if let Some((terminal, sequence)) = altered_event(&copy).map_err(unreadable)? {
        return Err(Fault::Event { path: path.to_owned(), terminal, sequence });
    }
    let contents = contents(&copy).map_err(unreadable)?;
    if contents.schema >= ENTRIES_SINCE
        && let Some(number) = altered_entry(&copy).map_err(unreadable)?
    {
        return Err(Fault::Entry { path: path.to_owned(), number });
    }
    if (ENTRIES_SINCE..RETENTION_SINCE).contains(&contents.schema) {
        signed::add_retention(&copy).map_err(unreadable)?;
    }
    if contents.schema >= ENTRIES_SINCE {
        check_log(path, &copy.into(), watcher)?;
    }
    Ok(contents)
}

fn check_log(path: &Path, copy: &sql::Connection, watcher: Watcher<'_>) -> Result<(), Fault> {
    match signed::check(copy, watcher) {
        Ok(None) => Ok(()),
        Ok(Some(broken)) => {
            Err(Fault::Log { path: path.to_owned(), contract: broken.contract, fault: broken.fault })
        }
        Err(error) => Err(unreadable_log(path, &error)),
    }
}

fn unreadable_log(path: &Path, error: &WorkError) -> Fault {
    Fault::UnreadableLog { path: path.to_owned(), said: error.to_string() }
}

/// What the database at `path` says of keys and links, and what its audit logs tell of them; nothing of a database that
/// is older than that.
///
/// # Errors
/// [`Fault::Unreadable`], [`Fault::UnreadableLog`].
pub fn noted(path: &Path) -> Result<Vec<Noted>, Fault> {
    let unreadable = |source| Fault::Unreadable { path: path.to_owned(), source };
    let copy = open_unchanging(path).map_err(unreadable)?;
    if contents(&copy).map_err(unreadable)?.schema < ENTRIES_SINCE {
        return Ok(Vec::new());
    }
    signed::noted(&copy.into()).map_err(|error| unreadable_log(path, &error))
}

/// `immutable`: without locks, without a log, without leaving anything beside the file.
fn open_unchanging(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)), flags)
}

/// A path as it must stand in a URI file name (sqlite.org/uri.html).
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn integrity(copy: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let sql = format!("PRAGMA integrity_check({INTEGRITY_FAULTS_MAX})");
    copy.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
}

fn dangling(copy: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let mut check = copy.prepare("PRAGMA foreign_key_check")?;
    let mut rows = check.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// Terminal and number of the first event whose bytes have another digest than the stored one.
fn altered_event(copy: &Connection) -> Result<Option<(String, i64)>, rusqlite::Error> {
    let mut events = copy.prepare("SELECT hash, json, hex(terminal_id), seq FROM events")?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let (stored, json) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_bytes()?);
        if stored != Digest::of(json).as_bytes() {
            return Ok(Some((row.get::<_, String>(2)?.to_lowercase(), row.get(3)?)));
        }
    }
    Ok(None)
}

/// Number of the first entry of the audit log whose line has another digest than the stored one, or that has no leaf.
/// A contract's entry without a digest was noted before there were leaves: never after one that has a digest.
fn altered_entry(copy: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let sql = format!(
        "SELECT c.code, l.leaf IS NULL, {KEPT} FROM audit a
         LEFT JOIN contracts c ON c.id = a.contract_id
         LEFT JOIN log_leaves l
             ON l.audit_id = a.id AND l.audit_id IS NOT NULL AND l.contract_id = a.contract_id
         WHERE a.hash IS NOT NULL
            OR (a.contract_id IS NOT NULL AND a.id > (SELECT min(id) FROM audit WHERE hash IS NOT NULL))
         ORDER BY a.id"
    );
    let mut entries = copy.prepare(&sql)?;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        let code: Option<String> = row.get(0)?;
        let is_whole = match code {
            Some(code) => {
                Kept::read(&sql::Row::Sqlite(row), 2, &code).is_ok_and(|kept| kept.checked().is_ok())
            }
            None => false,
        };
        if !is_whole || row.get(1)? {
            return row.get(2).map(Some);
        }
    }
    // Nor does a leaf stand for an entry that is of another contract, or of none.
    let stray = "SELECT l.audit_id FROM log_leaves l LEFT JOIN audit a ON a.id = l.audit_id
         WHERE l.audit_id IS NOT NULL AND a.contract_id IS NOT l.contract_id LIMIT 1";
    copy.prepare(stray)?.query([])?.next()?.map(|row| row.get(0)).transpose()
}

#[cfg(test)]
mod tests {
    use super::super::audit;
    use super::*;

    /// Takes every head's envelope for signed.
    fn look(path: &Path) -> Result<Contents, Fault> {
        check(path, Watcher { is_signed: &|_| true, read: &|_, _| {} })
    }

    const JSON: &str = r#"{"v":1,"what":"an event","occurred_at":0}"#;

    /// A database with one contract, one terminal and `events` events, and the connection that writes it.
    fn source(directory: &Path, events: i64) -> Connection {
        let connection = schema::open_for_writing(&directory.join(DATABASE_FILE)).unwrap();
        connection
            .execute_batch(
                "INSERT INTO contracts VALUES (1, 'demo', 'Demo', 'active', 0, 0);
                 INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class,
                     agent_version, status, enrolled_at) VALUES (1, zeroblob(16), 'k', 'h', 'o', 'm', 'c', 'a', 'active', 0)",
            )
            .unwrap();
        (1..=events).for_each(|sequence| insert(&connection, sequence));
        let noting = sql::Connection::from(Connection::open(directory.join(DATABASE_FILE)).unwrap());
        for action in ["sign_in", "export_punches"] {
            let (act, detail) = (crate::Act::server(mngntime_model::UtcMillis(5)), serde_json::json!({}));
            let contract = Some(crate::ContractId(1));
            audit::note(&noting, contract, action, "x", &detail, &act).unwrap();
        }
        connection
    }

    fn insert(connection: &Connection, sequence: i64) {
        let sql = "INSERT INTO events VALUES (1, zeroblob(16), ?1, ?2, ?3, 0, 0, 0, 0, NULL)";
        connection.execute(sql, (sequence, Digest::of(JSON.as_bytes()).as_bytes(), JSON)).unwrap();
        let (contract, number) = (crate::ContractId(1), u64::try_from(sequence).unwrap());
        let path = connection.path().unwrap();
        let noting = sql::Connection::from(Connection::open(path).unwrap());
        let month = super::super::log::month(&noting, contract, UtcMillis(5)).unwrap();
        super::super::log::append(&noting, contract, &month, &[0; 16], number).unwrap();
    }

    #[test]
    fn a_copy_holds_what_was_committed_and_is_one_file() {
        let directory = tempfile::tempdir().unwrap();
        let writer = source(directory.path(), 100);
        let target = directory.path().join("copy.db");
        let contents = copy(directory.path(), &target).unwrap();
        insert(&writer, 101);
        assert_eq!(contents.events, BTreeMap::from([("demo".to_owned(), 100)]));
        assert_eq!((contents.rows["events"], contents.rows["contracts"]), (100, 1));
        assert_eq!(look(&target).unwrap(), contents);
        let mut names: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["copy.db", "mngntime.db", "mngntime.db-shm", "mngntime.db-wal"]);
    }

    #[test]
    fn a_copy_of_a_crashed_server_has_what_only_its_log_holds_and_changes_nothing_there() {
        let directory = tempfile::tempdir().unwrap();
        let writer = source(directory.path(), 10);
        let crashed = directory.path().join("crashed");
        std::fs::create_dir(&crashed).unwrap();
        for name in [DATABASE_FILE, "mngntime.db-wal"] {
            std::fs::copy(directory.path().join(name), crashed.join(name)).unwrap();
        }
        drop(writer);
        let log = || std::fs::read(crashed.join("mngntime.db-wal")).unwrap();
        let before = (std::fs::read(crashed.join(DATABASE_FILE)).unwrap(), log());
        let contents = copy(&crashed, &directory.path().join("copy.db")).unwrap();
        assert_eq!(contents.events_total(), 10);
        assert!(before == (std::fs::read(crashed.join(DATABASE_FILE)).unwrap(), log()));
    }

    #[test]
    fn what_a_check_must_find_it_finds() {
        let directory = tempfile::tempdir().unwrap();
        drop(source(directory.path(), 10));
        let spoil = |sql: &str| {
            let target = directory.path().join("copy.db");
            drop(std::fs::remove_file(&target));
            copy(directory.path(), &target).unwrap();
            let connection = Connection::open(&target).unwrap();
            connection.execute_batch("PRAGMA foreign_keys = 0; PRAGMA writable_schema = 1").unwrap();
            connection.execute_batch(sql).unwrap();
            drop(connection);
            look(&target).unwrap_err()
        };
        let event =
            spoil("DROP TRIGGER events_are_not_changed; UPDATE events SET json = json || ' ' WHERE seq = 7");
        assert!(matches!(event, Fault::Event { sequence: 7, .. }), "{event}");
        // Its bytes are whole, and packs of some days would leave it out.
        let moved = spoil(
            "DROP TRIGGER events_are_not_changed; UPDATE events SET occurred_at = 1590000000000 WHERE seq = 7",
        );
        let named = matches!(
            &moved,
            Fault::Log { fault: LogFault::ChangedEvent { sequence: 7, .. }, .. } if moved.is_contradiction()
        );
        assert!(named, "{moved}");
        let entry =
            spoil("DROP TRIGGER audit_is_not_changed; UPDATE audit SET by_whom = 'nobody' WHERE id = 1");
        assert!(matches!(entry, Fault::Entry { number: 1, .. }), "{entry}");
        let forgotten = spoil("DROP TRIGGER audit_is_not_changed; UPDATE audit SET hash = NULL WHERE id = 2");
        assert!(matches!(forgotten, Fault::Entry { number: 2, .. }), "{forgotten}");
        let unplaced =
            spoil("DROP TRIGGER log_leaves_are_not_deleted; DELETE FROM log_leaves WHERE audit_id = 1");
        assert!(matches!(unplaced, Fault::Entry { number: 1, .. }), "{unplaced}");
        let reference = spoil("DELETE FROM terminals");
        assert!(matches!(&reference, Fault::Reference { table, .. } if table == "events"), "{reference}");
        // An index that says something else than its table.
        let index = spoil(
            "CREATE INDEX by_time ON events (received_at);
             UPDATE sqlite_schema SET sql = 'CREATE INDEX by_time ON events (seq)' WHERE name = 'by_time'",
        );
        assert!(matches!(index, Fault::Integrity { .. }), "{index}");
    }

    #[test]
    fn the_database_itself_refuses_to_change_or_delete_an_event() {
        let directory = tempfile::tempdir().unwrap();
        let connection = source(directory.path(), 1);
        for sql in ["UPDATE events SET json = '{}'", "DELETE FROM events"] {
            assert!(
                connection.execute_batch(sql).unwrap_err().to_string().contains("events are never"),
                "{sql}"
            );
        }
        let kept = connection.query_row("SELECT json FROM events", [], |row| row.get::<_, String>(0));
        assert_eq!(kept.unwrap(), JSON);
    }

    #[test]
    fn a_path_with_marks_of_a_uri_is_found() {
        let directory = tempfile::tempdir().unwrap();
        drop(source(directory.path(), 1));
        let odd = directory.path().join("50%?x#y");
        std::fs::create_dir(&odd).unwrap();
        copy(directory.path(), &odd.join("c.db")).unwrap();
        assert_eq!(look(&odd.join("c.db")).unwrap().events_total(), 1);
    }
}
