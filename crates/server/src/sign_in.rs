//! Who asks, for the API: login and password, or a token, become a [`Caller`], who gets a [`Reach`] for what they may
//! do and for nothing else. There is no other way from a login to a contract, so no request can ask for another's
//! rows. The pages have their own of the same kind (`web::session`), with a cookie instead.
//!
//! A password alone opens the API only to those whom it opens the pages. Who has a second factor, or whose role must
//! have one, makes a token on their page 自分のサインイン: it reads, changes nothing, and ends. As long as somebody lacks the
//! second factor that their role must have, their tokens open nothing, either.

use std::net::IpAddr;

use axum::http::StatusCode;
use mngntime_model::UtcMillis;
use mngntime_store::{Act, Administrator, KeyHash, SecondFactor, StoreError};

use crate::access::{self, Action, Denied, Reach, Subject};
use crate::app::App;
use crate::metrics::SignInOutcome;
use crate::passwords::PasswordError;
use crate::problem::Failure;
use crate::tries::{self, Tried, TryError};

/// Why nobody was signed in.
#[derive(Debug)]
pub enum SignInError {
    /// Login or password is wrong, a second factor would be needed, or the person may not sign in today; which of
    /// these is not told.
    Refused,
    /// The token is right, and whoever made it must set up a second factor first.
    SecondFactorFirst,
    /// Too many sign-ins of this login have failed: it waits this long, in seconds.
    Wait(u32),
    /// Too many sign-ins are waiting.
    Busy,
    /// The store failed.
    Store(StoreError),
    /// The password check failed.
    Password(PasswordError),
}

impl From<TryError> for SignInError {
    fn from(error: TryError) -> Self {
        match error {
            TryError::Store(error) => Self::Store(error),
            TryError::Password(PasswordError::Busy) => Self::Busy,
            TryError::Password(error) => Self::Password(error),
        }
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    login: String,
    subject: Subject,
    now: UtcMillis,
}

/// Checks login and password. Takes the same work whether or not the login exists.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(
    app: &App,
    login: &str,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Caller, SignInError> {
    let (now, count) = (app.now(), |outcome| app.metrics.sign_ins.count(outcome));
    let wait = |until: UtcMillis| {
        count(SignInOutcome::Waiting);
        SignInError::Wait(u32::try_from((until.0 - now.0).max(0) / 1000 + 1).unwrap_or(u32::MAX))
    };
    if let Some(until) = app.limiter.closed_until(address, now) {
        return Err(wait(until));
    }
    let person = match tries::password(&*app.store, &app.passwords, login, password, address, now).await? {
        Tried::Right(person) => person,
        Tried::Wrong(login) => {
            count(SignInOutcome::Wrong);
            let counted = tries::count_failure(&*app.store, &app.limiter, address, login, now).await;
            counted.map_err(SignInError::Store)?;
            return Err(SignInError::Refused);
        }
        Tried::Wait(until) => return Err(wait(until)),
    };
    let second = second_factor(app, &person).await?;
    if second.set_up || second.required {
        count(SignInOutcome::Wrong);
        return Err(SignInError::Refused);
    }
    count(SignInOutcome::Right);
    app.limiter.right(address, person.id, now);
    Ok(Caller { login: person.data.login.clone(), subject: Subject::of(&person), now })
}

/// Whether somebody has a second factor, and whether they must.
async fn second_factor(app: &App, person: &Administrator) -> Result<SecondFactor, SignInError> {
    let found = app.store.second_factor(person.id).await.map_err(SignInError::Store)?;
    Ok(found.demanded(person.data.role, app.settings.operators_second_factor))
}

/// Who made this token, while it counts and they may sign in.
///
/// # Errors
/// [`SignInError`].
pub async fn with_token(app: &App, token: &str) -> Result<Caller, SignInError> {
    let now = app.now();
    let found = app.store.use_token(KeyHash::of(token), now).await.map_err(SignInError::Store)?;
    let person = app.store.administrator_by_id(found.ok_or(SignInError::Refused)?).await;
    let person = person.map_err(SignInError::Store)?.ok_or(SignInError::Refused)?;
    let subject = Subject::of(&person);
    subject.in_force(mngntime_store::local_date(now)).map_err(|_| SignInError::Refused)?;
    let second = second_factor(app, &person).await?;
    if second.required && !second.set_up {
        return Err(SignInError::SecondFactorFirst);
    }
    Ok(Caller { login: person.data.login, subject, now })
}

impl Caller {
    /// How far this person may go with `action`.
    ///
    /// # Errors
    /// 403 when they may not.
    pub fn permit(&self, action: Action) -> Result<Reach, Failure> {
        Ok(access::reach(&self.subject, action, mngntime_store::local_date(self.now))?)
    }

    /// Who does something now, for the audit log.
    #[must_use]
    pub fn act(&self) -> Act {
        Act::administrator(&self.login, self.now)
    }
}

impl From<Denied> for Failure {
    fn from(_: Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.")
    }
}
