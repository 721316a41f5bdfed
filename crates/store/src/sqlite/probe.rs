//! Whether the store reads and writes: what `/healthz` asks.
//!
//! A transaction that changes nothing ends well on a full disk too, so pages are written: a row is made and removed in
//! one transaction, which nobody ever sees and which both engines put into their logs. A balancer asks every second or
//! so, from several sides; what has just been proved is not proved again for a while. A failure is: nothing is worn by
//! writes that do not happen, and the end of it is to be seen at once.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{SqlStore, Work, rows};
use crate::ports::{Answer, Store};
use crate::sql::{Connection, params};

/// How long a write proves that the next would do too.
const PROVED_FOR: Duration = Duration::from_secs(10);

/// Bytes of the row: more than any page of either engine, so that room for new pages is asked for.
const ROW_BYTES: usize = 64 * 1024;

/// No session has such an id: theirs are digests.
const ROW_ID: &str = "probe";

/// When it was last seen that writing works.
#[derive(Debug, Default)]
pub(super) struct Proved(Mutex<Option<Instant>>);

impl Proved {
    fn holds(&self) -> bool {
        let last = self.0.lock().map_or(None, |last| *last);
        last.is_some_and(|at| at.elapsed() < PROVED_FOR)
    }

    fn note(&self, at: Option<Instant>) {
        if let Ok(mut last) = self.0.lock() {
            *last = at;
        }
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn probe(&self) -> Answer<()> {
        let ask = |connection: &Connection| rows::one(connection, "SELECT 1", [], |_| Ok(())).map(drop);
        self.read("read from the database", ask).await?;
        let write = !self.proved.holds();
        let work =
            move |connection: &Connection| if write { write_pages(connection) } else { ask(connection) };
        let answer = self.write("write to the database", work).await;
        if write || answer.is_err() {
            self.proved.note(answer.is_ok().then(Instant::now));
        }
        answer
    }
}

fn write_pages(tx: &Connection) -> Work<()> {
    // One that ended long ago, should it ever be seen.
    let made = "INSERT INTO web_sessions (id, data, expires_at) VALUES (?1, ?2, 0)";
    rows::run(tx, made, params![ROW_ID, vec![0_u8; ROW_BYTES]])?;
    rows::run(tx, "DELETE FROM web_sessions WHERE id = ?1", params![ROW_ID])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    fn store() -> (tempfile::TempDir, SqlStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqlStore::open(directory.path()).unwrap();
        (directory, store)
    }

    /// How many pages the file may have from now on, as on a disk that is full.
    async fn grow_no_further(store: &SqlStore, further: i64) {
        let limit = move |tx: &Connection| {
            let pages: i64 = rows::one(tx, "PRAGMA page_count", [], |row| Ok(row.get(0)?))?.unwrap_or(0);
            let sql = format!("PRAGMA max_page_count = {}", pages + further);
            rows::one(tx, &sql, [], |_| Ok(())).map(drop)
        };
        store.write("limit the file", limit).await.unwrap();
    }

    #[tokio::test]
    async fn a_store_that_takes_no_pages_does_not_work_and_one_that_takes_them_again_does() {
        let (_directory, store) = store();
        grow_no_further(&store, 0).await;
        for _ in 0..2 {
            let error = store.probe().await.unwrap_err();
            assert!(
                matches!(error, StoreError::Failed { operation: "write to the database", .. }),
                "{error}"
            );
        }
        grow_no_further(&store, 1_000).await;
        store.probe().await.unwrap();
    }

    #[tokio::test]
    async fn what_was_proved_a_moment_ago_is_not_written_again_and_leaves_no_row() {
        let (_directory, store) = store();
        let changes = |tx: &Connection| rows::one(tx, "SELECT total_changes()", [], |row| Ok(row.get(0)?));
        let mut counted: Vec<Option<i64>> = vec![store.write("count changes", changes).await.unwrap()];
        for _ in 0..3 {
            store.probe().await.unwrap();
            counted.push(store.write("count changes", changes).await.unwrap());
        }
        assert!(counted[1] > counted[0] && counted[1] == counted[3], "{counted:?}");
        let rows =
            |tx: &Connection| rows::one(tx, "SELECT count(*) FROM web_sessions", [], |row| Ok(row.get(0)?));
        assert_eq!(store.read("count sessions", rows).await.unwrap(), Some(0_i64));
        // The proof is over: it is written again.
        store.proved.note(Instant::now().checked_sub(PROVED_FOR));
        store.probe().await.unwrap();
        assert!(store.write("count changes", changes).await.unwrap() > counted[3]);
    }
}
