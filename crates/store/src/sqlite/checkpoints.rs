//! Moving SQLite's write-ahead log into the database, beside the writer.
//!
//! A commit lies in the log, synced. Now and then the log's pages are written to the database and it begins anew (a
//! checkpoint). What takes long of it, copying and syncing ten thousand pages, is done by a thread with a connection of its
//! own while the writer commits on; the writer does the short rest, since a log begins anew only when nothing is added
//! meanwhile. Readers are waited for a moment at most; one that reads on keeps the log, which grows until it has ended.
//!
//! - Begun at [`Limits::begin`] pages. Is the thread slower than the writer, then the writer waits for it at
//!   [`Limits::most`].
//! - The log's file is not cut off: overwriting what is there costs less than making it longer with every commit. One that
//!   has grown behind a reader is cut back when it begins anew (`journal_size_limit`, see `schema.rs`).
//! - SQLite notes what the thread has copied as moved, although it syncs the database only when the copy has caught up with
//!   the writer. So the thread syncs it itself, before the writer may let the log begin anew. Does this fail, nobody knows
//!   which pages are on the disk, and another sync would not tell (the kernel reports a failure once). The log alone is
//!   sure to have everything: it is kept, also when the server ends, and moved as a whole by the next start.
//! - Every other failure leaves the log as it was: it is told, and tried again after some growth.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::schema;
use crate::error::Cause;

/// Sizes of the log, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From here on it is moved. Small checkpoints write the same pages of the database again and again.
    pub(super) begin: u64,
    /// What the thread leaves to the writer, at most, unless it is slower than the writer.
    pub(super) rest: u64,
    /// Here the writer waits for the thread. Only a reader lets the log become longer.
    pub(super) most: u64,
}

impl Limits {
    /// In pages of 4 KiB: 64 MB, 2 MB, 256 MB.
    pub(super) const SERVER: Self = Self { begin: 16_000, rest: 500, most: 64_000 };
}

/// How long the writer waits for readers. It is tried again after the log has grown by a quarter.
const READERS_WAIT: Duration = Duration::from_millis(50);

/// What the writer knows of its log, and how it speaks to the thread.
pub(super) struct Checkpoints {
    limits: Limits,
    /// Length of the log at which it is moved next.
    next: u64,
    stage: Stage,
    /// Absent when this is dropped.
    ask: Option<SyncSender<()>>,
    ends: Receiver<End>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The log is short enough.
    Waiting,
    /// The thread is at it.
    Moving,
    /// The log is kept for the next start.
    GivenUp,
}

/// How the thread has ended a turn.
enum End {
    /// What it has moved is synced.
    Synced,
    /// Nothing that it did counts.
    Failed(Cause),
    /// What it has moved is perhaps not on the disk.
    Unsynced(io::Error),
}

/// The database, as the thread has it.
struct Database {
    connection: Connection,
    sync: Box<dyn Fn() -> io::Result<()>>,
}

/// Opens it, when it is first wanted.
type Open = Box<dyn Fn() -> Result<Database, Cause> + Send>;

impl Database {
    fn open(path: &Path) -> Result<Self, Cause> {
        let connection = schema::open_for_reading(path)?;
        // Never closed: with any descriptor of a file, the system takes from the process all locks that it has on the file,
        // those of SQLite's connections too.
        let file: &'static File = Box::leak(Box::new(File::open(path)?));
        Ok(Self { connection, sync: Box::new(|| file.sync_data()) })
    }

    /// Moves what can be moved, until little is left or no less than before.
    fn move_most(&self, rest: u64) -> Result<End, rusqlite::Error> {
        let mut before = u64::MAX;
        loop {
            checkpoint(&self.connection, "PASSIVE")?;
            if let Err(error) = (self.sync)() {
                return Ok(End::Unsynced(error));
            }
            let left = Log::of(&self.connection)?.left;
            if left <= rest || left > before / 2 {
                return Ok(End::Synced);
            }
            before = left;
        }
    }
}

/// The thread.
fn beside(open: &Open, rest: u64, asked: &Receiver<()>, ends: &SyncSender<End>) {
    let mut database = None;
    while asked.recv().is_ok() {
        if ends.send(turn(open, &mut database, rest).unwrap_or_else(End::Failed)).is_err() {
            return;
        }
    }
}

fn turn(open: &Open, database: &mut Option<Database>, rest: u64) -> Result<End, Cause> {
    let database = match database {
        Some(database) => database,
        None => database.insert(open()?),
    };
    Ok(database.move_most(rest)?)
}

impl Checkpoints {
    /// Starts the thread for the database at `path`.
    pub(super) fn start(path: PathBuf, limits: Limits) -> io::Result<Self> {
        Self::start_with(Box::new(move || Database::open(&path)), limits)
    }

    fn start_with(open: Open, limits: Limits) -> io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        let (tell, ends) = sync_channel(1);
        let run = move || beside(&open, limits.rest, &asked, &tell);
        let thread = std::thread::Builder::new().name("store-checkpoint".into()).spawn(run)?;
        let (ask, thread) = (Some(ask), Some(thread));
        Ok(Self { limits, next: limits.begin, stage: Stage::Waiting, ask, ends, thread })
    }

    /// What the writer does after each commit, when everybody has been answered.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        if self.stage == Stage::GivenUp {
            return;
        }
        if let Err(error) = self.go_on(connection) {
            tell(&error);
        }
    }

    fn go_on(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let log = Log::of(connection)?;
        if self.stage == Stage::Waiting && log.pages >= self.next && log.left > 0 {
            self.stage = Stage::Moving;
            if self.ask.as_ref().is_none_or(|ask| ask.send(()).is_err()) {
                return self.give_up(connection, &"the thread has ended");
            }
        }
        if self.stage == Stage::Moving {
            let is_full = log.pages >= self.limits.most;
            match self.end(is_full) {
                Ok(end) => return self.ended(connection, end, is_full),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return self.give_up(connection, &"the thread has ended"),
            }
        }
        Ok(())
    }

    /// How the thread has ended; waits for it when there is no more room.
    fn end(&self, is_full: bool) -> Result<End, TryRecvError> {
        if is_full {
            return self.ends.recv().map_err(|_| TryRecvError::Disconnected);
        }
        self.ends.try_recv()
    }

    fn ended(&mut self, connection: &Connection, end: End, is_full: bool) -> Result<(), rusqlite::Error> {
        self.stage = Stage::Waiting;
        let pages = Log::of(connection)?.pages;
        self.next = (pages + pages / 4).max(self.limits.begin);
        match end {
            End::Unsynced(error) => return self.give_up(connection, &error),
            End::Synced => {}
            End::Failed(error) => {
                tell(&*error);
                // All of it is the writer's then, rather than a log without bounds.
                if !is_full {
                    return Ok(());
                }
            }
        }
        // It may have begun anew by itself, when the thread had caught up with the writer.
        if pages >= self.limits.begin && begin_anew(connection)? {
            self.next = self.limits.begin;
        }
        Ok(())
    }

    /// From now on the log is only added to, and closing the database does not move it.
    fn give_up(
        &mut self,
        connection: &Connection,
        why: &dyn std::fmt::Display,
    ) -> Result<(), rusqlite::Error> {
        self.stage = Stage::GivenUp;
        tracing::error!(
            error = %why,
            "the database could not be synced to its disk: its write-ahead log is kept and grows until the server is \
             started again; look at the disk, then do so"
        );
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.ask.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the database's checkpoint thread had panicked");
        }
    }
}

fn tell(error: &(impl std::fmt::Display + ?Sized)) {
    tracing::warn!(%error, "the database's write-ahead log could not be checkpointed");
}

/// The short rest. Whether the log begins anew; `false` when a reader still needs some of it.
fn begin_anew(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.busy_timeout(READERS_WAIT)?;
    let whole = checkpoint(connection, "RESTART");
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    whole
}

/// Whether everything that was asked for could be done.
fn checkpoint(connection: &Connection, mode: &str) -> Result<bool, rusqlite::Error> {
    let sql = format!("PRAGMA main.wal_checkpoint({mode})");
    connection.prepare_cached(&sql)?.query_row([], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Length of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    /// Pages in it.
    pub(super) pages: u64,
    /// Those of them that are not in the database yet.
    left: u64,
}

impl Log {
    pub(super) fn of(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let mut look = connection.prepare_cached("PRAGMA main.wal_checkpoint(NOOP)")?;
        look.query_row([], |row| {
            // -1: there is none yet.
            let (pages, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Self {
                pages: pages.max(0).unsigned_abs(),
                left: pages.saturating_sub(moved).max(0).unsigned_abs(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};

    const SMALL: Limits = Limits { begin: 40, rest: 4, most: 120 };

    /// Pages that [`Scene::commit`] adds, at most.
    const COMMIT_PAGES: u64 = 8;

    struct Scene {
        checkpoints: Checkpoints,
        connection: Connection,
        directory: tempfile::TempDir,
        committed: i64,
    }

    impl Scene {
        fn new(open: impl FnOnce(PathBuf) -> Open) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("x.db");
            let connection = schema::open_for_writing(&path).unwrap();
            connection.execute_batch("CREATE TABLE b (x BLOB); PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            let checkpoints = Checkpoints::start_with(open(path), SMALL).unwrap();
            Self { checkpoints, connection, directory, committed: 0 }
        }

        /// Whose database is synced by `sync`.
        fn synced(sync: impl Fn() -> io::Result<()> + Clone + Send + 'static) -> Self {
            Self::new(|path| {
                Box::new(move || {
                    let database = Database::open(&path)?;
                    Ok(Database { sync: Box::new(sync.clone()), ..database })
                })
            })
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        /// Commits a little, as the writer does; how long the log is then.
        fn commit(&mut self) -> u64 {
            self.connection.execute("INSERT INTO b VALUES (zeroblob(4000))", []).unwrap();
            self.committed += 1;
            self.checkpoints.after_commit(&self.connection);
            Log::of(&self.connection).unwrap().pages
        }

        fn commit_until(&mut self, is_enough: impl Fn(u64) -> bool) -> u64 {
            loop {
                let pages = self.commit();
                if is_enough(pages) {
                    return pages;
                }
            }
        }

        /// One that goes on reading what is there after a few commits: up to there alone can the log be moved.
        fn reader(&mut self) -> Connection {
            for _ in 0..8 {
                self.commit();
            }
            let reader = schema::open_for_reading(&self.path("x.db")).unwrap();
            reader.execute_batch("BEGIN").unwrap();
            assert_eq!(count(&reader), self.committed);
            reader
        }

        fn has_everything(&self) -> bool {
            count(&self.connection) == self.committed
        }
    }

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM b", [], |row| row.get(0)).unwrap()
    }

    fn sound(path: PathBuf) -> Open {
        Box::new(move || Database::open(&path))
    }

    #[test]
    fn the_log_begins_anew_again_and_again_and_has_a_bound() {
        let mut scene = Scene::new(sound);
        let lengths: Vec<u64> = (0..1000).map(|_| scene.commit()).collect();
        assert!(lengths.iter().all(|pages| *pages <= SMALL.most + COMMIT_PAGES), "{lengths:?}");
        assert!(lengths.iter().any(|pages| *pages >= SMALL.begin));
        assert!(scene.has_everything());
        let file = std::fs::metadata(scene.path("x.db-wal")).unwrap().len();
        assert!(file < (SMALL.most + 2 * COMMIT_PAGES) * 4200, "{file}");
    }

    #[test]
    fn commits_go_on_while_the_database_is_synced_and_until_then_the_log_goes_on() {
        let ((begun, begins), (release, gate)) = (channel::<()>(), channel::<()>());
        let gate = Arc::new(Mutex::new(gate));
        let mut scene = Scene::synced(move || {
            begun.send(()).ok();
            // Until the other end is gone; from then on at once.
            gate.lock().unwrap().recv().ok();
            Ok(())
        });
        let reader = scene.reader();
        let before = scene.commit_until(|pages| pages >= SMALL.begin);
        begins.recv().unwrap();
        drop(reader);
        for _ in 0..10 {
            assert!(scene.commit() > before);
        }
        assert!(scene.has_everything());
        drop(release);
        scene.commit_until(|pages| pages < SMALL.begin);
        assert!(scene.has_everything());
    }

    /// What the thread has written into the database is taken away again, as by a disk that did not keep it.
    #[test]
    fn what_could_not_be_synced_is_in_the_log_at_the_next_start() {
        let mut scene = Scene::synced(|| Err(io::Error::other("on purpose")));
        let (database, before) = (scene.path("x.db"), scene.path("before.db"));
        std::fs::copy(&database, &before).unwrap();
        let reader = scene.reader();
        scene.commit_until(|pages| pages >= SMALL.most);
        drop(reader);
        scene.commit_until(|pages| pages > 2 * SMALL.most);
        assert_eq!(scene.checkpoints.stage, Stage::GivenUp);
        let Scene { checkpoints, connection, directory, committed } = scene;
        drop(checkpoints);
        drop(connection);
        assert!(std::fs::read(&database).unwrap() != std::fs::read(&before).unwrap(), "nothing was moved");
        std::fs::copy(&before, &database).unwrap();
        let connection = schema::open_for_writing(&database).unwrap();
        assert_eq!(count(&connection), committed);
        drop(connection);
        assert!(!directory.path().join("x.db-wal").exists(), "now it is moved");
    }

    #[test]
    fn a_thread_that_fails_is_told_and_the_log_has_a_bound_all_the_same() {
        let mut scene = Scene::new(|_| Box::new(|| Err("on purpose".into())));
        let lengths: Vec<u64> = (0..500).map(|_| scene.commit()).collect();
        let bound = SMALL.most + SMALL.most / 4 + COMMIT_PAGES;
        assert!(lengths.iter().all(|pages| *pages <= bound), "{lengths:?}");
        assert!(scene.has_everything());
        // Asked once more by one of the last commits, it may be at it still.
        assert_ne!(scene.checkpoints.stage, Stage::GivenUp);
    }

    #[test]
    fn without_its_thread_the_log_is_kept() {
        let mut scene = Scene::new(|_| Box::new(|| panic!("on purpose")));
        scene.commit_until(|pages| pages > 2 * SMALL.most);
        assert_eq!(scene.checkpoints.stage, Stage::GivenUp);
        assert!(scene.has_everything());
    }

    #[test]
    fn a_reader_that_reads_on_keeps_the_log_and_holds_up_nobody() {
        let mut scene = Scene::new(sound);
        let limit = i64::try_from(SMALL.begin * 4096).unwrap();
        scene.connection.pragma_update(None, "journal_size_limit", limit).unwrap();
        let reader = scene.reader();
        let (seen, long) = (count(&reader), scene.commit_until(|pages| pages > 2 * SMALL.most));
        assert_eq!(count(&reader), seen);
        reader.execute_batch("COMMIT").unwrap();
        scene.commit_until(|pages| pages < SMALL.begin);
        assert!(scene.has_everything() && count(&reader) == scene.committed);
        let file = std::fs::metadata(scene.path("x.db-wal")).unwrap().len();
        assert!(file <= SMALL.begin * 4096 && file < long * 4096, "its file is as long as before");
    }
}
