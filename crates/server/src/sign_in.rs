//! Who asks, for the API: login and password become a [`Session`], which alone gives the contract that may be
//! read. There is no other way from a login to a contract, so no request can ask for another's rows. The
//! pages have their own of the same kind (`web::session`), with a cookie instead of a password.

use axum::http::StatusCode;
use mngntime_store::{Administrator, ContractId, Role, StoreError};

use crate::app::App;
use crate::passwords::PasswordError;
use crate::problem::Failure;

/// Why nobody was signed in.
#[derive(Debug)]
pub enum SignInError {
    /// Login or password is wrong; which one is not told.
    Refused,
    /// Too many sign-ins are waiting.
    Busy,
    /// The store failed.
    Store(StoreError),
    /// The password check failed.
    Password(PasswordError),
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    role: Role,
    contract: Option<ContractId>,
}

/// Checks login and password. Takes the same work whether or not the login exists.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(app: &App, login: &str, password: String) -> Result<Session, SignInError> {
    let found = app.store.administrator(login).await.map_err(SignInError::Store)?;
    let stored = found.as_ref().map(|administrator| administrator.data.password_hash.clone());
    let right = app.passwords.check(password, stored).await.map_err(|error| match error {
        PasswordError::Busy => SignInError::Busy,
        PasswordError::TooShort
        | PasswordError::TooLong
        | PasswordError::Hash(_)
        | PasswordError::Unfinished(_) => SignInError::Password(error),
    })?;
    found.filter(|_| right).map(|found| Session::of(&found)).ok_or(SignInError::Refused)
}

impl Session {
    fn of(administrator: &Administrator) -> Self {
        Self { role: administrator.data.role, contract: administrator.data.contract }
    }

    /// The contract whose attendance this person may read.
    ///
    /// # Errors
    /// 403 when the role does not allow it.
    pub fn attendance_contract(&self) -> Result<ContractId, Failure> {
        let forbidden = || Failure::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.");
        self.contract.filter(|_| self.role.reads_attendance()).ok_or_else(forbidden)
    }
}
