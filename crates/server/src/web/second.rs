//! `/login/second`: the second step, after the password or another provider has been right.
//!
//! One field takes a one-time code and a recovery code: which of them was meant is seen from its form. What is wrong
//! with a code is not told. Tries count for the login like wrong passwords, so codes cannot be gone through.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{Act, Administrator, KeyHash, Means};

use super::WebState;
use super::chrome::{Banner, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::knock::{Knock, Pending};
use super::views;
use crate::limiter::Login;
use crate::second_factor::{codes, totp};
use crate::source_address;
use crate::tries::Tried;

/// Length of a one-time code, in digits.
const DIGITS: usize = 6;

/// What a code turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Totp,
    Recovery,
}

/// `GET /login/second`
///
/// # Errors
/// When the store or the session fails.
pub async fn form(State(state): State<WebState>, knock: Knock) -> Result<Response, WebError> {
    match knock.pending(&state).await? {
        Some((person, pending)) => show(&state, knock, &person, &pending, String::new()).await,
        None => Ok(knock.second_step_over().await?.into_response()),
    }
}

/// `POST /login/second`
///
/// # Errors
/// When the store or the session fails.
pub async fn answer(
    State(state): State<WebState>,
    mut knock: Knock,
    fields: Fields,
) -> Result<Response, WebError> {
    let Some((person, pending)) = knock.pending(&state).await? else {
        return Ok(knock.second_step_over().await?.into_response());
    };
    let (title, problem) = match try_code(&state, &knock, &person, fields.text("code")).await? {
        Tried::Right(code) => {
            let to = finish(&state, &knock, &person, &pending, code).await?;
            return Ok(Redirect::to(&to).into_response());
        }
        Tried::Wrong(_) => (knock.chrome.t("second-wrong"), knock.chrome.t("second-wrong-text")),
        Tried::Wait(until) => {
            let wait = knock.turned_away(&state, until);
            (wait.title, wait.text)
        }
    };
    knock.chrome.banner = Some(Banner::new(Tone::Error, title, String::new()));
    show(&state, knock, &person, &pending, problem).await
}

/// Tries a code of somebody whose first step was right. Counts like a sign-in; whoever takes a right one for something else
/// takes the try back.
pub(super) async fn try_code(
    state: &WebState,
    knock: &Knock,
    person: &Administrator,
    typed: &str,
) -> Result<Tried<Code>, WebError> {
    let (login, now) = (person.data.login.as_str(), knock.chrome.now);
    let closed = state.limiter.closed_until(knock.address, now);
    let wait = if closed.is_some() { closed } else { state.store.begin_sign_in(login, now).await? };
    if let Some(until) = wait {
        return Ok(Tried::Wait(until));
    }
    if let Some(code) = right(state, person, typed, now).await? {
        return Ok(Tried::Right(code));
    }
    knock.failed(state, Login::Known).await?;
    state.store.note_failed_sign_in(login, knock.address.map(source_address::text), now).await?;
    Ok(Tried::Wrong(Login::Known))
}

async fn finish(
    state: &WebState,
    knock: &Knock,
    person: &Administrator,
    pending: &Pending,
    code: Code,
) -> Result<String, WebError> {
    let how = match code {
        Code::Totp => "totp",
        Code::Recovery => "recovery_code",
    };
    let to = knock.enter(state, person, &format!("{}+{how}", pending.how), true, &pending.next).await?;
    if code == Code::Recovery {
        let left = state.store.means(person.id).await?.recovery_codes;
        let title = knock.chrome.n("recovery-used", left);
        let link = Some(("/me/security".to_owned(), knock.chrome.t("second-advice-link")));
        let text = if left == 0 {
            knock.chrome.n("recovery-left", left)
        } else {
            knock.chrome.t("recovery-used-text")
        };
        let banner = Banner { link, ..Banner::new(Tone::Warn, title, text) };
        super::session::leave(&knock.session, banner).await?;
    }
    Ok(to)
}

/// Uses a code up; `None` when it does not count.
async fn right(
    state: &WebState,
    person: &Administrator,
    typed: &str,
    now: mngntime_model::UtcMillis,
) -> Result<Option<Code>, WebError> {
    let code = codes::plain(typed);
    let means = state.store.means(person.id).await?;
    if code.len() == DIGITS && code.bytes().all(|digit| digit.is_ascii_digit()) {
        let right = totp_counts(state, person, &means, &code, now).await?;
        return Ok(right.then_some(Code::Totp));
    }
    // Codes on paper stand in for a second factor; without one they open nothing.
    let act = Act::administrator(&person.data.login, now);
    let right = means.has_second_factor()
        && state.store.use_recovery_code(person.id, KeyHash::of(&code), act).await?;
    Ok(right.then_some(Code::Recovery))
}

async fn totp_counts(
    state: &WebState,
    person: &Administrator,
    means: &Means,
    code: &str,
    now: mngntime_model::UtcMillis,
) -> Result<bool, WebError> {
    let Some(secret) = &means.totp else { return Ok(false) };
    let secret = match state.sealer.open(&person.id.to_string(), &secret.sealed) {
        Ok(secret) => secret,
        Err(error) => {
            // The server's key is another one: the person has recovery codes, or is reset.
            tracing::error!(error = %error, "the secret of somebody's one-time codes cannot be opened");
            return Ok(false);
        }
    };
    let step = totp::step_of(&secret, code, now).map_err(|error| WebError::Means(error.into()))?;
    match step {
        Some(step) => Ok(state.store.use_totp_step(person.id, step).await?),
        None => Ok(false),
    }
}

async fn show(
    state: &WebState,
    knock: Knock,
    person: &Administrator,
    pending: &Pending,
    problem: String,
) -> Result<Response, WebError> {
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let means = state.store.means(person.id).await?;
    let page = views::Second {
        name: person.data.display_name.clone(),
        totp: means.totp.is_some(),
        recovery: means.recovery_codes > 0,
        passkeys: !means.passkeys.is_empty() && state.passkeys.is_some(),
        next: pending.next.clone(),
        problem,
        c: knock.chrome.reached_by("/login/second"),
    };
    Ok((status, page.render_page()?).into_response())
}
