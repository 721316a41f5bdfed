//! Who asks, for the API: login and password become a [`Caller`], who gets a [`Reach`] for what they may do and for
//! nothing else. There is no other way from a login to a contract, so no request can ask for another's rows. The
//! pages have their own of the same kind (`web::session`), with a cookie instead of a password.

use axum::http::StatusCode;
use jiff::civil::Date;
use mngntime_store::StoreError;

use crate::access::{self, Action, Denied, Reach, Subject};
use crate::app::App;
use crate::passwords::PasswordError;
use crate::problem::Failure;

/// Why nobody was signed in.
#[derive(Debug)]
pub enum SignInError {
    /// Login or password is wrong, or the person may not sign in today; which of these is not told.
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
pub struct Caller {
    subject: Subject,
    today: Date,
}

/// Checks login and password. Takes the same work whether or not the login exists.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(app: &App, login: &str, password: String) -> Result<Caller, SignInError> {
    let found = app.store.administrator(login).await.map_err(SignInError::Store)?;
    let stored = found.as_ref().and_then(|found| found.data.password_hash.clone());
    let right = app.passwords.check(password, stored).await.map_err(|error| match error {
        PasswordError::Busy => SignInError::Busy,
        PasswordError::TooShort
        | PasswordError::TooLong
        | PasswordError::Hash(_)
        | PasswordError::Unfinished(_) => SignInError::Password(error),
    })?;
    let today = mngntime_store::local_date(app.now());
    let subject = found.filter(|_| right).map(|found| Subject::of(&found));
    let subject = subject.filter(|subject| subject.in_force(today).is_ok());
    subject.map(|subject| Caller { subject, today }).ok_or(SignInError::Refused)
}

impl Caller {
    /// How far this person may go with `action`.
    ///
    /// # Errors
    /// 403 when they may not.
    pub fn permit(&self, action: Action) -> Result<Reach, Failure> {
        Ok(access::reach(&self.subject, action, self.today)?)
    }
}

impl From<Denied> for Failure {
    fn from(_: Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.")
    }
}
