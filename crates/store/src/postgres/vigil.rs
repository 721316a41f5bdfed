//! Whether a database that does not answer is there at all.
//!
//! A PostgreSQL that hangs (its disk stands still, its processes were stopped) keeps its connections open, and its host
//! confirms every packet: nothing below tells that nobody is at work any more. How long a question may take is no measure,
//! since a whole log that is read back takes minutes. So whoever waits for longer than [`PATIENCE`] has the database asked
//! something that costs nothing; where that gets no answer either, nobody waits on. What was asked may still be done
//! later: it is unknown, which is what [`crate::StoreError::Away`] says.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Readers;
use crate::sql::{Error, Link};

/// How long work may take before the database is asked whether it is there, and between two such questions.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the answer to that may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The database was asked whether it is there, and did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the database has not answered for {} seconds", (PATIENCE + ANSWER_TIMEOUT).as_secs())]
pub(crate) struct Silent;

/// Asks on a connection of its own, one question at a time: of a database that hangs, one thread waits.
#[derive(Debug, Clone)]
pub(crate) struct Vigil {
    readers: Readers,
    link: Arc<Mutex<Option<Link>>>,
}

impl Vigil {
    pub(crate) fn new(readers: Readers) -> Self {
        Self { readers, link: Arc::default() }
    }

    /// Done as soon as the database does not answer; never, as long as it does.
    pub(crate) async fn silence(&self) -> Silent {
        loop {
            tokio::time::sleep(PATIENCE).await;
            if !self.answers().await {
                return Silent;
            }
        }
    }

    async fn answers(&self) -> bool {
        let (readers, link) = (self.readers.clone(), self.link.clone());
        let asked = async move {
            let mut link = link.lock_owned().await;
            // The thread keeps the lock when nobody waits for it any more.
            tokio::task::spawn_blocking(move || ask(&readers, &mut link)).await
        };
        matches!(tokio::time::timeout(ANSWER_TIMEOUT, asked).await, Ok(Ok(true)))
    }
}

/// A refusal is an answer, too: there may be no connection to spare while all is well.
fn ask(readers: &Readers, kept: &mut Option<Link>) -> bool {
    let link = match kept.take().map_or_else(|| readers.connect(), Ok) {
        Ok(link) => link,
        Err(error) => return is_said_by_it(&error),
    };
    match link.test() {
        Ok(()) => {
            *kept = Some(link);
            true
        }
        Err(error) => is_said_by_it(&error),
    }
}

fn is_said_by_it(error: &Error) -> bool {
    matches!(error, Error::Postgres(error) if error.code().is_some())
}
