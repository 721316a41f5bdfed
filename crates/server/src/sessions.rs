//! Browser sessions in our own store, for `tower-sessions`.
//!
//! The store has a digest of each id and never the id itself, which opens the session: neither a copy of the database nor a
//! backup is a bunch of keys.
//!
//! Concurrent requests of one browser overwrite each other's session, so keep ids in it and nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use mngntime_model::UtcMillis;
use mngntime_store::{AdministratorId, Store, StoreError, WebSession};
use sha2::{Digest as _, Sha256};
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

/// Key of the signed-in person's id, which is also kept beside the session: ending all sessions of a person needs
/// it.
pub const PERSON: &str = "person";

/// Key of what waits for a second factor: an object whose field [`PERSON`] says who. Such a session opens nothing,
/// but ends with all others of the person.
pub const PENDING: &str = "pending";

/// Key of what is known of the sign-in: an object whose field `at` says when the person showed who they are, in UTC
/// milliseconds. A new session was used then.
pub const ABOUT: &str = "about";

/// Key under which a loaded session tells when its use was last noted, in UTC milliseconds. That is kept beside the
/// session and is never written with it: whoever knows the request says whether it is a use.
pub const SEEN: &str = "seen";

/// Key of the mark that a session is left with which was ended ([`mngntime_store::SESSION_ENDED`]).
pub const ENDED: &str = "ended";

/// The id by which the store has a session: SHA-256 of the id that the browser holds.
#[must_use]
pub fn stored(id: &Id) -> String {
    HEXLOWER.encode(&Sha256::digest(id.to_string()))
}

/// Sessions in the server's store.
#[derive(Clone)]
pub struct Sessions(pub Arc<dyn Store>);

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    /// Draws another id should this one be taken.
    async fn create(&self, record: &mut Record) -> Result<()> {
        while !self.0.create_session(encode(record)?).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.0.save_session(encode(record)?).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = millis(OffsetDateTime::now_utc());
        let found = self.0.load_session(&stored(id), now).await.map_err(backend)?;
        found.map(|session| decode(*id, &session)).transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.delete_session(&stored(id)).await.map_err(backend)
    }
}

fn encode(record: &Record) -> Result<WebSession> {
    let kept: HashMap<_, _> = record.data.iter().filter(|(key, _)| *key != SEEN).collect();
    let data = serde_json::to_vec(&kept).map_err(|error| Error::Encode(error.to_string()))?;
    let waiting = record.data.get(PENDING).and_then(|pending| pending.get(PERSON));
    let person = record.data.get(PERSON).or(waiting).and_then(|id| AdministratorId::parse(id.as_str()?));
    let shown = record.data.get(ABOUT).and_then(|about| about.get("at")?.as_i64());
    Ok(WebSession {
        id: stored(&record.id),
        data,
        expires_at: millis(record.expiry_date),
        person,
        seen_at: shown.map(UtcMillis),
    })
}

fn decode(id: Id, session: &WebSession) -> Result<Record> {
    let read = serde_json::from_slice(&session.data);
    let mut data: HashMap<_, _> = read.map_err(|error| Error::Decode(error.to_string()))?;
    if let Some(at) = session.seen_at {
        data.insert(SEEN.to_owned(), at.0.into());
    }
    let nanos = i128::from(session.expires_at.0) * 1_000_000;
    let expiry_date =
        OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|error| Error::Decode(error.to_string()))?;
    Ok(Record { id, data, expiry_date })
}

fn millis(time: OffsetDateTime) -> UtcMillis {
    UtcMillis(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
}

/// What the text of a failure begins with when the database cannot be reached: what stands between a session and whoever
/// asks for it carries texts only.
const AWAY: &str = "database away: ";

/// The same of a store that has more work than it accepts.
const BUSY: &str = "busy: ";

tokio::task_local! {
    /// Why the store failed in this request, as [`backend`] told it.
    static FAILED: RefCell<Option<String>>;
}

/// What a session's user hears of a failing store.
pub(crate) fn backend(error: StoreError) -> Error {
    let told = crate::problem::chain(&error);
    let told = match error {
        StoreError::Away { .. } => format!("{AWAY}{told}"),
        StoreError::Overloaded | StoreError::Closed => format!("{BUSY}{told}"),
        StoreError::Refused(_) | StoreError::Failed { .. } => told,
    };
    // Outside of a request nobody asks.
    let _ = FAILED.try_with(|failed| failed.replace(Some(told.clone())));
    Error::Backend(told)
}

/// What a request answers, and why the store failed a session in it, should it have: what writes sessions when a request
/// ends answers with a mere number then, and keeps the reason to itself.
pub async fn watched<T>(request: impl Future<Output = T>) -> (T, Option<tower_sessions::session::Error>) {
    let with_reason = async {
        let answer = request.await;
        (answer, FAILED.with(RefCell::take))
    };
    let (answer, failed) = FAILED.scope(RefCell::default(), with_reason).await;
    (answer, failed.map(|told| tower_sessions::session::Error::Store(Error::Backend(told))))
}

/// Why a session could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The database cannot be reached.
    Away,
    /// There is more work than is accepted.
    Busy,
    /// Anything else.
    Failed,
}

impl Trouble {
    /// What lies behind `error`.
    #[must_use]
    pub fn of(error: &tower_sessions::session::Error) -> Self {
        match error {
            tower_sessions::session::Error::Store(Error::Backend(told)) if told.starts_with(AWAY) => {
                Self::Away
            }
            tower_sessions::session::Error::Store(Error::Backend(told)) if told.starts_with(BUSY) => {
                Self::Busy
            }
            tower_sessions::session::Error::Store(_) | tower_sessions::session::Error::SerdeJson(_) => {
                Self::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_store::SignInTries as _;
    use mngntime_store::sqlite::SqliteStore;

    fn record(seconds: i64) -> Record {
        let data = HashMap::from([("administrator".to_owned(), serde_json::json!("x"))]);
        let expiry_date =
            OffsetDateTime::now_utc() + tower_sessions::cookie::time::Duration::seconds(seconds);
        Record { id: Id::default(), data, expiry_date }
    }

    #[tokio::test]
    async fn a_session_lives_until_it_ends_or_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions(Arc::new(SqliteStore::open(directory.path()).unwrap()));
        let mut live = record(60);
        let mut ended = record(-1);
        sessions.create(&mut live).await.unwrap();
        sessions.create(&mut ended).await.unwrap();
        assert_eq!(sessions.load(&live.id).await.unwrap().unwrap().data, live.data);
        assert!(sessions.load(&ended.id).await.unwrap().is_none());
        sessions.delete(&live.id).await.unwrap();
        assert!(sessions.load(&live.id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_the_store_has_of_a_session_does_not_open_it() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions(Arc::new(SqliteStore::open(directory.path()).unwrap()));
        let mut session = record(60);
        sessions.create(&mut session).await.unwrap();
        let clear = session.id.to_string();
        for file in std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().path()) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            assert!(!bytes.windows(clear.len()).any(|part| part == clear.as_bytes()), "{}", file.display());
        }
        assert_eq!(stored(&session.id).len(), 64);
        assert!(sessions.load(&session.id).await.unwrap().is_some());
    }

    #[test]
    fn what_is_left_of_an_ended_session_says_so() {
        let left: HashMap<String, serde_json::Value> =
            serde_json::from_slice(mngntime_store::SESSION_ENDED).unwrap();
        assert_eq!(left, HashMap::from([(ENDED.to_owned(), true.into())]));
    }

    #[tokio::test]
    async fn when_a_session_was_used_is_told_and_not_written_into_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(directory.path()).unwrap());
        let sessions = Sessions(store.clone());
        let mut session = record(60);
        sessions.create(&mut session).await.unwrap();
        store.touch_session(&stored(&session.id), UtcMillis(7)).await.unwrap();
        let loaded = sessions.load(&session.id).await.unwrap().unwrap();
        assert_eq!(loaded.data[SEEN], 7);
        sessions.save(&loaded).await.unwrap();
        store.touch_session(&stored(&session.id), UtcMillis(9)).await.unwrap();
        assert_eq!(sessions.load(&session.id).await.unwrap().unwrap().data[SEEN], 9);
    }

    #[tokio::test]
    async fn a_new_session_was_used_when_somebody_showed_who_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions(Arc::new(SqliteStore::open(directory.path()).unwrap()));
        let mut session = record(60);
        session.data.insert(ABOUT.to_owned(), serde_json::json!({ "at": 5, "second": false }));
        sessions.create(&mut session).await.unwrap();
        assert_eq!(sessions.load(&session.id).await.unwrap().unwrap().data[SEEN], 5);
    }

    #[tokio::test]
    async fn a_taken_id_is_never_overwritten_by_a_new_session() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions(Arc::new(SqliteStore::open(directory.path()).unwrap()));
        let mut first = record(60);
        sessions.create(&mut first).await.unwrap();
        let mut second = Record { id: first.id, ..record(60) };
        sessions.create(&mut second).await.unwrap();
        assert_ne!(first.id, second.id);
    }
}
