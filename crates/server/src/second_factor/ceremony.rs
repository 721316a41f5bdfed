//! What the server has to remember between the two halves of a ceremony (a passkey's, another provider's).
//!
//! It stands in the store, so that any node ends what another has begun. The state never leaves the servers: the browser
//! holds a random name of it in a cookie, and the store the name's digest. It is taken out before it is looked at, so that
//! an answer counts once at all nodes together, and it lives for some minutes.
//!
//! What is kept is no secret by itself: a challenge that the browser was sent anyway, and PKCE's verifier, which opens
//! nothing without the code that the provider gives to that browser alone. `webauthn-rs` calls it dangerous to write its
//! states down, because a state that comes back from the browser can be used again or altered; ours stay behind.

use data_encoding::BASE32_NOPAD;
use mngntime_ledger::Digest;
use mngntime_model::UtcMillis;
use mngntime_store::{CeremonyKind, NewCeremony, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codes::drawn;

/// Time for a ceremony, in milliseconds.
pub const LIFE_MS: i64 = 5 * 60_000;

/// Random bytes of a name.
const NAME_BYTES: usize = 20;

/// Why a ceremony could not be remembered or found.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// The OS gave no random bytes.
    #[error("no random bytes for a ceremony: {0}")]
    Random(getrandom::Error),
    /// A state has no JSON form, or is of another version of the program.
    #[error("the state of a ceremony cannot be read or written")]
    Form(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Remembers `state` under a new name, which is answered.
///
/// # Errors
/// [`CeremonyError`].
pub async fn begin<T: Serialize + Sync>(
    store: &dyn Store,
    kind: CeremonyKind,
    state: &T,
    now: UtcMillis,
) -> Result<String, CeremonyError> {
    let name = drawn::<NAME_BYTES>().map_err(CeremonyError::Random)?;
    let name = BASE32_NOPAD.encode(&name).to_lowercase();
    let state = serde_json::to_vec(state)?;
    let new = NewCeremony { name: at_rest(&name), kind, state, begun_at: now, ends_at: now.plus(LIFE_MS) };
    store.begin_ceremony(new).await?;
    Ok(name)
}

/// Takes a state out, whatever comes of it; `None` when there is none (any more).
///
/// # Errors
/// [`CeremonyError`].
pub async fn take<T: DeserializeOwned>(
    store: &dyn Store,
    kind: CeremonyKind,
    name: &str,
    now: UtcMillis,
) -> Result<Option<T>, CeremonyError> {
    // No cookie of ours: nothing to write for.
    if name.len() != NAME_BYTES / 5 * 8 {
        return Ok(None);
    }
    let taken = store.take_ceremony(kind, at_rest(name), now).await?;
    Ok(taken.map(|state| serde_json::from_slice(&state)).transpose()?)
}

fn at_rest(name: &str) -> String {
    Digest::of(name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_store::Ceremonies as _;
    use mngntime_store::sqlite::SqliteStore;

    #[tokio::test]
    async fn a_state_is_taken_once_and_lives_for_five_minutes_also_at_another_node() {
        let directory = tempfile::tempdir().unwrap();
        let (store, kind) = (SqliteStore::open(directory.path()).unwrap(), CeremonyKind::Provider);
        let other = SqliteStore::open(directory.path()).unwrap();
        let take = async |name: &str, at| take::<String>(&other, kind, name, UtcMillis(at)).await.unwrap();
        let name = begin(&store, kind, &"a", UtcMillis(0)).await.unwrap();
        assert_eq!(take("x", 0).await, None);
        assert_eq!(take(&name, LIFE_MS - 1).await.as_deref(), Some("a"));
        assert_eq!(take(&name, LIFE_MS - 1).await, None);
        let late = begin(&store, kind, &"b", UtcMillis(0)).await.unwrap();
        assert_eq!(take(&late, LIFE_MS).await, None);
    }

    #[tokio::test]
    async fn the_name_does_not_lie_in_the_database_as_the_cookie_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let name = begin(&store, CeremonyKind::PasskeySignIn, &"a", UtcMillis(0)).await.unwrap();
        let stolen = store.take_ceremony(CeremonyKind::PasskeySignIn, name.clone(), UtcMillis(0)).await;
        assert_eq!(stolen.unwrap(), None);
    }
}
