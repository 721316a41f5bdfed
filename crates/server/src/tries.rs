//! Trying a login and a password, for the pages and the API alike.
//!
//! A try counts before it is known to be right, so that a hundred at once are a hundred; a right one is taken back.
//! Whoever has to wait is told so before any password is looked at, and a login that nobody has waits just as one that
//! somebody has: neither words nor time tell whether it exists.

use std::net::IpAddr;

use mngntime_model::UtcMillis;
use mngntime_store::{Act, Administrator, Store, StoreError};
use serde_json::json;

use crate::access::Subject;
use crate::limiter::{Limiter, Login};
use crate::logins;
use crate::passwords::{PasswordError, Passwords};
use crate::source_address;

/// What came of a try.
#[derive(Debug)]
pub enum Tried<T> {
    /// It was right.
    Right(T),
    /// It was wrong, or the person may not sign in today. Whether the login is somebody's is for the count of the address
    /// only.
    Wrong(Login),
    /// Nothing was looked at: too many have failed, and until then nobody may try.
    Wait(UtcMillis),
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// The store failed.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// The password could not be checked.
    #[error("the password could not be checked")]
    Password(#[from] PasswordError),
}

/// Counts a failure from an address. When that closes it, the operators' audit log gets it, with the address; the server's
/// log has none.
///
/// # Errors
/// When the store fails.
pub async fn count_failure(
    store: &dyn Store,
    limiter: &Limiter,
    address: Option<IpAddr>,
    login: Login,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let Some(closed) = limiter.failed(address, login, now) else { return Ok(()) };
    tracing::warn!(tries = closed.tries, "an address is refused to sign in: too many tries have failed");
    let object = format!("address {}", closed.address);
    let detail = json!({ "address": closed.address, "tries": closed.tries });
    store.note_with(None, "refuse_address", object, detail, Act::server(now)).await
}

/// The login that is meant by what was typed, and who has it: as it stands or, where nobody has that, with full-width letters
/// and digits taken as half-width, which an input method leaves. Tries are counted by it, so that another width is no way
/// round the wait.
pub(crate) async fn whose(
    store: &dyn Store,
    typed: &str,
) -> Result<(String, Option<Administrator>), StoreError> {
    let found = store.administrator(typed).await?;
    let meant = logins::meant(typed);
    if found.is_some() || meant == typed {
        return Ok((typed.to_owned(), found));
    }
    let found = store.administrator(&meant).await?;
    Ok((meant, found))
}

/// Tries a login and a password from `address`. Takes the same work whether or not the login exists.
///
/// # Errors
/// [`TryError`].
pub async fn password(
    store: &dyn Store,
    passwords: &Passwords,
    login: &str,
    password: &str,
    address: Option<IpAddr>,
    now: UtcMillis,
) -> Result<Tried<Administrator>, TryError> {
    let (login, found) = whose(store, login).await?;
    let login = login.as_str();
    if let Some(until) = store.begin_sign_in(login, now).await? {
        return Ok(Tried::Wait(until));
    }
    let stored = found.as_ref().and_then(|found| found.data.password_hash.clone());
    let right = match passwords.check(password.to_owned(), stored).await {
        Ok(right) => right,
        Err(error) => {
            store.take_try_back(login).await?;
            return Err(error.into());
        }
    };
    let today = mngntime_store::local_date(now);
    let whose = if found.is_some() { Login::Known } else { Login::Unknown };
    let in_force = |found: &Administrator| Subject::of(found).in_force(today).is_ok();
    match found.filter(|found| right && in_force(found)) {
        Some(person) => {
            store.take_try_back(login).await?;
            Ok(Tried::Right(person))
        }
        None => {
            store.note_failed_sign_in(login, address.map(source_address::text), now).await?;
            Ok(Tried::Wrong(whose))
        }
    }
}
