//! The one thread that writes.
//!
//! It waits for work, takes whatever else has arrived meanwhile, performs it in one transaction, commits, and only then
//! answers everybody (group commit: worth 3 to 7 times the throughput of one commit each, see design/performance.md). No
//! delay is added to gather more. On PostgreSQL the same thread does the same over its one connection.
//!
//! Batches of events are taken in together ([`super::crowd`]), first of all in the transaction, and so are their receipts
//! kept: an event and the server's copy of its receipt cost one commit. Every other piece of work is performed inside its
//! own savepoint. What fails takes back its own savepoint and disturbs
//! nobody else. What may touch a great part of the database (a file of links, another status of a contract) has a transaction
//! to itself and no savepoint: within one, SQLite keeps a copy of every page that is changed and walks along all of them
//! after each statement with a trigger, so that 12,000 punches took ten seconds instead of one. When the commit fails, all of them fail. A caller that has gone away is simply not answered; its work is
//! done all the same.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::checkpoints::{Checkpoints, Limits};
use super::crowd::{self, Ready};
use super::{Work, WorkError, intake, log};
use crate::StoreError;
use crate::ports::{Answer, Reception, Seal, WriterLoad};
use crate::sql::{self, Connection, Extent};

/// Pieces of work that may wait. At 20,000 events a second this is a twentieth of a second of work; a longer
/// queue would only make callers give up after the work has been done for nothing.
const QUEUE_JOBS_MAX: usize = 1024;

/// Request bytes that may wait: bounds memory when every request is as large as allowed.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Pieces of work in one transaction. More do not raise throughput and make the first one wait.
const GROUP_JOBS_MAX: usize = 256;

/// Events in one transaction, as soon as there are so many: batches may have a hundred.
const GROUP_EVENTS_MAX: usize = 4_096;

/// What storing a batch is called when it fails.
pub(super) const RECEIVE: &str = "store a batch of events";

/// Handle to the writer thread. The thread ends, after finishing what is queued, when the handle is dropped.
pub(super) struct Writer {
    queue: Option<SyncSender<Piece>>,
    waiting: Arc<AtomicUsize>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

/// One byte counts as one permit of [`Writer::room`].
const _: () = assert!(QUEUE_BYTES_MAX <= Semaphore::MAX_PERMITS && QUEUE_BYTES_MAX <= u32::MAX as usize);

impl Writer {
    /// Starts the thread on `connection`, which nobody else may use. `path`: of SQLite's file.
    pub(super) fn start(connection: Connection, path: Option<&Path>) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE_JOBS_MAX);
        let waiting = Arc::<AtomicUsize>::default();
        let checkpoints = path.map(|path| Checkpoints::start(path.to_owned(), Limits::SERVER)).transpose()?;
        let turn = Turn { checkpoints, connection, waiting: waiting.clone() };
        let thread =
            std::thread::Builder::new().name("store-writer".into()).spawn(move || turn.run(&jobs))?;
        let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
        Ok(Self { queue: Some(queue), waiting, room, thread: Some(thread) })
    }

    /// How much waits in the queue now.
    pub(super) fn load(&self) -> WriterLoad {
        let waiting = self.waiting.load(Ordering::Relaxed) as u64;
        WriterLoad { waiting, room: QUEUE_JOBS_MAX as u64 }
    }

    /// Queues work. The returned future is answered when the work is durable or has failed.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] when the queue is full, [`StoreError::Closed`] when the thread has ended.
    pub(super) fn submit<T, F>(
        &self,
        operation: &'static str,
        bytes: usize,
        work: F,
    ) -> Result<impl Future<Output = Answer<T>> + Send + use<T, F>, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        let piece = |caller| Piece::Work(Box::new(Pending { work: Some(work), caller }));
        self.queue(operation, bytes, piece).map(answered)
    }

    /// As [`Self::submit`], for work that may touch a great part of the database: it has a transaction to itself.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(super) fn submit_alone<T, F>(
        &self,
        operation: &'static str,
        work: F,
    ) -> Result<impl Future<Output = Answer<T>> + Send + use<T, F>, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        let piece = |caller| Piece::Alone(Box::new(Pending { work: Some(work), caller }));
        self.queue(operation, 0, piece).map(answered)
    }

    /// Queues a batch, which is taken in together with whatever other batches wait.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(super) fn receive(
        &self,
        ready: Ready,
        seal: Option<Seal>,
    ) -> Result<impl Future<Output = Answer<Received>> + Send + use<>, StoreError> {
        let bytes = ready.batch.signed.payload.len();
        let piece = |caller| Piece::Batch(Box::new(Held { ready, seal, caller }));
        self.queue(RECEIVE, bytes, piece).map(answered)
    }

    fn queue<T>(
        &self,
        operation: &'static str,
        bytes: usize,
        piece: impl FnOnce(Caller<T>) -> Piece,
    ) -> Result<oneshot::Receiver<Answer<T>>, StoreError> {
        let permits = u32::try_from(bytes).map_err(|_| StoreError::Overloaded)?;
        let room = self.room.clone().try_acquire_many_owned(permits).map_err(|_| StoreError::Overloaded)?;
        let (reply, answer) = oneshot::channel();
        let piece = piece(Caller { operation, result: None, reply, _room: room });
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        // Counted before it is there: the thread may take it before this one goes on.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(piece).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => StoreError::Overloaded,
                TrySendError::Disconnected(_) => StoreError::Closed,
            }
        })?;
        Ok(answer)
    }
}

async fn answered<T>(answer: oneshot::Receiver<Answer<T>>) -> Answer<T> {
    answer.await.unwrap_or(Err(StoreError::Closed))
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the database's writer thread had panicked");
        }
    }
}

/// What waits for the thread.
enum Piece {
    Work(Box<dyn Job>),
    /// What has a transaction to itself.
    Alone(Box<dyn Job>),
    Batch(Box<Held>),
}

impl Piece {
    /// Answers the caller, after the transaction has ended.
    fn answer(self, committed: Result<(), Arc<sql::Error>>) {
        match self {
            Self::Work(job) | Self::Alone(job) => job.answer(committed),
            Self::Batch(held) => held.caller.answer(committed),
        }
    }

    /// What it adds to a transaction: events, or one.
    fn weight(&self) -> usize {
        match self {
            Self::Work(_) | Self::Alone(_) => 1,
            Self::Batch(held) => held.ready.batch.events.len().max(1),
        }
    }
}

/// A batch that is taken in together with others, and who waits for it.
struct Held {
    ready: Ready,
    seal: Option<Seal>,
    caller: Caller<Received>,
}

/// What became of a batch, and its receipt, when there is somebody who seals it.
pub(super) struct Received {
    pub(super) reception: Reception,
    pub(super) receipt: Option<String>,
}

impl Held {
    fn seal(&self, reception: Reception) -> Work<Received> {
        let seal = |seal: &Seal| seal(&reception).map_err(WorkError::Unsealed);
        let receipt = self.seal.as_ref().map(seal).transpose()?;
        Ok(Received { reception, receipt })
    }

    /// The receipt that is kept.
    fn given<'a>(&'a self, received: &'a Received) -> Option<(&'a Ready, &'a str)> {
        let receipt = received.receipt.as_deref().filter(|_| !self.ready.batch.events.is_empty());
        receipt.map(|receipt| (&self.ready, receipt))
    }

    /// Does it by itself.
    fn alone(&self, tx: &Connection) -> Work<Received> {
        let received = apart(tx, |tx| self.seal(intake::receive(tx, &self.ready.batch)?))?;
        let keep = |given| apart(tx, |tx| log::keep_receipts(tx, &[given]));
        if let Some(Err(error)) = self.given(&received).map(keep) {
            let terminal = self.ready.batch.terminal;
            tracing::warn!(%terminal, %error, "the server's copy of a receipt was not kept");
        }
        Ok(received)
    }
}

/// A piece of work whose type has been forgotten.
trait Job: Send {
    /// Does the work inside the open transaction and keeps the result.
    fn perform(&mut self, connection: &Connection);
    /// Does the work as all that the open transaction is for; whether it is to be committed.
    fn perform_alone(&mut self, connection: &Connection) -> bool;
    /// Answers the caller, after the transaction has ended.
    fn answer(self: Box<Self>, committed: Result<(), Arc<sql::Error>>);
}

/// Who waits for something.
struct Caller<T> {
    operation: &'static str,
    /// Absent until it is done.
    result: Option<Work<T>>,
    reply: oneshot::Sender<Answer<T>>,
    _room: OwnedSemaphorePermit,
}

struct Pending<T, F> {
    work: Option<F>,
    caller: Caller<T>,
}

/// The transaction that carried the work did not commit.
#[derive(Debug, thiserror::Error)]
#[error("the transaction was not committed")]
struct NotCommitted(#[source] Arc<sql::Error>);

impl<T> Caller<T> {
    fn answer(self, committed: Result<(), Arc<sql::Error>>) {
        let operation = self.operation;
        let answer = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error.into_store_error(operation)),
            (_, Err(error)) if error.is_away() => {
                Err(StoreError::Away { operation, source: Box::new(NotCommitted(error)) })
            }
            (_, Err(error)) => Err(StoreError::Failed { operation, source: Box::new(NotCommitted(error)) }),
            // Nothing is committed before everything has been done.
            (None, Ok(())) => {
                Err(WorkError::Unreadable("work that was not done").into_store_error(operation))
            }
            (Some(Ok(value)), Ok(())) => Ok(value),
        };
        // The caller may have gone away; the work is done all the same.
        drop(self.reply.send(answer));
    }
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Work<T> + Send,
{
    fn perform(&mut self, connection: &Connection) {
        self.caller.result = self.work.take().map(|work| apart(connection, work));
    }

    fn perform_alone(&mut self, connection: &Connection) -> bool {
        self.caller.result = self.work.take().map(|work| caught(connection, work));
        matches!(self.caller.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<sql::Error>>) {
        self.caller.answer(committed);
    }
}

/// Does `work`; a panic of it is an error.
fn caught<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Work<T>) -> Work<T> {
    catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or_else(|_| {
        tracing::error!("work of the store panicked");
        Err(WorkError::Panicked)
    })
}

/// Does `work` so that nothing is left of it when it fails or panics.
pub(super) fn apart<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Work<T>) -> Work<T> {
    connection.mark()?;
    match caught(connection, work) {
        Ok(value) => {
            connection.keep()?;
            Ok(value)
        }
        Err(error) => {
            // Fails only when the database has ended the whole transaction by itself, which the commit reports.
            if let Err(rollback) = connection.take_back() {
                tracing::warn!(error = %rollback, "a failed piece of work could not be taken back by itself");
            }
            Err(error)
        }
    }
}

/// What the thread owns.
struct Turn {
    /// Ends first: the last connection that is closed moves what is left of the log, and it is to be the writer's.
    checkpoints: Option<Checkpoints>,
    connection: Connection,
    waiting: Arc<AtomicUsize>,
}

impl Turn {
    fn run(mut self, jobs: &Receiver<Piece>) {
        let mut left = None;
        while let Some(first) = left.take().or_else(|| jobs.recv().ok()) {
            let mut group = gather(first, jobs, &mut left);
            self.waiting.fetch_sub(group.len(), Ordering::Relaxed);
            let committed = self.perform(&mut group).map_err(Arc::new);
            for piece in group {
                piece.answer(committed.clone());
            }
            if let (Some(checkpoints), Some(connection)) = (&mut self.checkpoints, self.connection.sqlite()) {
                checkpoints.after_commit(connection);
            }
        }
    }

    fn perform(&mut self, group: &mut [Piece]) -> Result<(), sql::Error> {
        let extent = extent(group);
        self.connection.begin_writing(&extent)?;
        if let [Piece::Alone(job)] = group {
            let done = job.perform_alone(&self.connection);
            return if done { self.connection.commit() } else { self.connection.roll_back() };
        }
        self.perform_crowd(group, &extent)?;
        for piece in group.iter_mut() {
            if let Piece::Work(job) = piece {
                job.perform(&self.connection);
                // What came before is undone too.
                self.connection.check_transaction()?;
            }
        }
        self.connection.commit()
    }

    /// What is done together, at the beginning of the transaction; should it fail, in a new one each piece for itself.
    fn perform_crowd(&mut self, group: &mut [Piece], extent: &Extent) -> Result<(), sql::Error> {
        let mut crowd = Crowd::of(group);
        let together = catch_unwind(AssertUnwindSafe(|| crowd.together(&self.connection)));
        if let Err(error) = together.unwrap_or(Err(WorkError::Panicked)) {
            tracing::error!(%error, "batches could not be stored together; they are stored one by one");
            // A connection that has ended has taken everything back by itself.
            if let Err(error) = self.connection.roll_back() {
                tracing::warn!(%error, "what was begun could not be rolled back");
            }
            self.connection.begin_writing(extent)?;
            crowd.one_by_one(&self.connection)?;
        }
        Ok(())
    }
}

/// Where a group writes. Batches write to their contracts; of other work that is not known.
fn extent(group: &[Piece]) -> Extent {
    let contract = |piece: &Piece| match piece {
        Piece::Work(_) | Piece::Alone(_) => None,
        Piece::Batch(held) => Some(held.ready.batch.contract.0),
    };
    group.iter().map(contract).collect::<Option<_>>().map_or(Extent::Everything, Extent::Contracts)
}

/// The batches of a group.
struct Crowd<'a>(Vec<&'a mut Held>);

impl<'a> Crowd<'a> {
    fn of(group: &'a mut [Piece]) -> Self {
        let batch = |piece: &'a mut Piece| match piece {
            Piece::Batch(held) => Some(&mut **held),
            Piece::Work(_) | Piece::Alone(_) => None,
        };
        Self(group.iter_mut().filter_map(batch).collect())
    }

    fn together(&mut self, tx: &Connection) -> Work<()> {
        let ready: Vec<&Ready> = self.0.iter().map(|held| &held.ready).collect();
        let mut done = Vec::with_capacity(ready.len());
        for (place, reception) in crowd::take_in(tx, &ready)? {
            done.push((place, reception.and_then(|reception| self.0[place].seal(reception))));
        }
        let mut given = Vec::with_capacity(done.len());
        for (place, received) in &done {
            given.extend(received.iter().filter_map(|received| self.0[*place].given(received)));
        }
        log::keep_receipts(tx, &given)?;
        tx.check_transaction()?;
        for (place, received) in done {
            self.0[place].caller.result = Some(received);
        }
        Ok(())
    }

    fn one_by_one(&mut self, tx: &Connection) -> Result<(), sql::Error> {
        for held in &mut self.0 {
            held.caller.result = Some(held.alone(tx));
        }
        tx.check_transaction()
    }
}

/// `first`, and whatever else has arrived; what has to be alone is `left` for the next turn.
fn gather(first: Piece, jobs: &Receiver<Piece>, left: &mut Option<Piece>) -> Vec<Piece> {
    let (mut weight, alone) = (first.weight(), matches!(first, Piece::Alone(_)));
    let mut group = vec![first];
    while !alone
        && group.len() < GROUP_JOBS_MAX
        && weight < GROUP_EVENTS_MAX
        && let Ok(next) = jobs.try_recv()
    {
        if matches!(next, Piece::Alone(_)) {
            *left = Some(next);
            break;
        }
        weight += next.weight();
        group.push(next);
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(directory: &Path) -> Writer {
        let path = directory.join("x.db");
        let connection = super::super::schema::open_for_writing(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (x INTEGER)").unwrap();
        Writer::start(connection.into(), Some(&path)).unwrap()
    }

    fn insert(x: i64) -> impl FnOnce(&Connection) -> Work<()> + Send {
        move |connection| {
            connection.execute("INSERT INTO t VALUES (?1)", [x])?;
            Ok(())
        }
    }

    fn count(connection: &Connection) -> Work<i64> {
        let count = super::super::rows::one(connection, "SELECT count(*) FROM t", [], |row| Ok(row.get(0)?))?;
        Ok(count.unwrap())
    }

    #[tokio::test]
    async fn failed_and_panicking_work_disturbs_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(directory.path());
        let good = writer.submit("insert", 0, insert(1)).unwrap();
        let bad = writer
            .submit::<(), _>("fail", 0, |connection| {
                insert(2)(connection)?;
                Err(super::super::WorkError::Unreadable("on purpose"))
            })
            .unwrap();
        let ugly = writer
            .submit::<(), _>("panic", 0, |connection| {
                insert(3)(connection)?;
                panic!("on purpose")
            })
            .unwrap();
        assert!(good.await.is_ok());
        assert!(matches!(bad.await, Err(StoreError::Failed { operation: "fail", .. })));
        assert!(matches!(ugly.await, Err(StoreError::Failed { operation: "panic", .. })));
        assert_eq!(writer.submit("count", 0, count).unwrap().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_is_done_alone_stands_in_its_turn_and_leaves_nothing_when_it_fails() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(directory.path());
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let hold = move |_: &Connection| {
            gate.recv().ok();
            Ok(())
        };
        let held = writer.submit("hold", 0, hold).unwrap();
        let before = writer.submit("insert", 0, insert(1)).unwrap();
        let alone = writer.submit_alone("alone", |connection| {
            insert(2)(connection)?;
            Ok((count(connection)?, connection.keep().is_ok()))
        });
        let bad = writer.submit_alone::<(), _>("fail", |connection| {
            insert(3)(connection)?;
            Err(super::super::WorkError::Unreadable("on purpose"))
        });
        let ugly = writer.submit_alone::<(), _>("panic", |connection| {
            insert(4)(connection)?;
            panic!("on purpose")
        });
        let after = writer.submit("count", 0, count).unwrap();
        release.send(()).unwrap();
        held.await.unwrap();
        before.await.unwrap();
        assert_eq!(alone.unwrap().await.unwrap(), (2, false), "after what came before, in no savepoint");
        assert!(matches!(bad.unwrap().await, Err(StoreError::Failed { operation: "fail", .. })));
        assert!(matches!(ugly.unwrap().await, Err(StoreError::Failed { operation: "panic", .. })));
        assert_eq!(after.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_undo_its_work() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(directory.path());
        drop(writer.submit("insert", 0, insert(1)).unwrap());
        assert_eq!(writer.submit("count", 0, count).unwrap().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn beyond_the_queue_work_is_refused_and_nothing_of_it_is_done() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(directory.path());
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = std::sync::mpsc::channel::<()>();
        let held = writer
            .submit("hold", 0, move |_| {
                begun.send(()).ok();
                gate.recv().ok();
                Ok(())
            })
            .unwrap();
        begins.recv().unwrap();
        let mut accepted = Vec::new();
        let refusal = loop {
            match writer.submit("insert", 0, insert(1)) {
                Ok(answer) => accepted.push(answer),
                Err(error) => break error,
            }
        };
        assert!(matches!(refusal, StoreError::Overloaded));
        let load = writer.load();
        assert_eq!((load.waiting, load.room), (accepted.len() as u64, QUEUE_JOBS_MAX as u64));
        release.send(()).unwrap();
        held.await.unwrap();
        let expected = i64::try_from(accepted.len()).unwrap();
        for answer in accepted {
            answer.await.unwrap();
        }
        assert_eq!(writer.submit("count", 0, count).unwrap().await.unwrap(), expected);
    }

    #[test]
    fn too_many_waiting_bytes_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(directory.path());
        assert!(matches!(
            writer.submit("insert", QUEUE_BYTES_MAX + 1, insert(1)),
            Err(StoreError::Overloaded)
        ));
    }

    #[tokio::test]
    async fn a_large_log_is_moved_into_the_database() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(directory.path());
        let bytes = i64::try_from(Limits::SERVER.begin * 4096).unwrap();
        let fill = move |connection: &Connection| {
            connection.execute("CREATE TABLE b (x BLOB)", [])?;
            connection.execute("INSERT INTO b VALUES (zeroblob(?1))", [bytes])?;
            Ok(())
        };
        writer.submit("fill", 0, fill).unwrap().await.unwrap();
        let reader = super::super::schema::open_for_reading(&directory.path().join("x.db")).unwrap();
        let length = || super::super::checkpoints::Log::of(&reader).unwrap().pages;
        assert!(length() >= Limits::SERVER.begin);
        while length() >= Limits::SERVER.begin {
            writer.submit("insert", 0, insert(1)).unwrap().await.unwrap();
        }
    }
}
