//! Showing again who one is, before a change of what one signs in with.
//!
//! Whoever has a second factor shows both: the password with a code, or a passkey, which is both by itself. A browser that
//! was left open and a password that somebody has seen take no second factor away.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use mngntime_store::Means;
use serde_json::json;

use super::super::WebState;
use super::super::chrome::{Banner, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::knock::Knock;
use super::super::passkey::{Assertion, check, named, refuse};
use super::super::second;
use super::super::session::Visit;
use super::{Told, done, password, show};
use crate::access::Action;
use crate::limiter::Login;
use crate::second_factor::passkeys::PasskeyError;
use crate::tries::Tried;

/// How somebody can show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// With the password.
    pub password: bool,
    /// With a code besides.
    pub code: bool,
    /// With a passkey.
    pub passkey: bool,
}

impl Ways {
    pub(super) fn of(state: &WebState, visit: &Visit, means: &Means) -> Self {
        let code = means.has_second_factor();
        let has_codes = means.totp.is_some() || means.recovery_codes > 0;
        Self {
            password: visit.person().data.password_hash.is_some() && (!code || has_codes),
            code,
            passkey: state.passkeys.is_some() && !means.passkeys.is_empty(),
        }
    }
}

/// `POST /me/security/confirm`
///
/// # Errors
/// [`WebError`] when the store or the password check fails.
pub async fn with_password(
    State(state): State<WebState>,
    mut visit: Visit,
    knock: Knock,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    let second = state.store.means(visit.person().id).await?.has_second_factor();
    let mut told = Told {
        confirm_error: password::problem(&state, &visit, &knock, fields.text("password")).await?,
        ..Told::default()
    };
    if second && told.confirm_error.is_empty() {
        told.code_error = code_problem(&state, &visit, &knock, fields.text("code")).await?;
    }
    if !told.confirm_error.is_empty() || !told.code_error.is_empty() {
        return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    visit.renew(second).await?;
    done(&visit, "sure-done").await
}

/// What is wrong with the code somebody gives again; empty when it is right.
async fn code_problem(
    state: &WebState,
    visit: &Visit,
    knock: &Knock,
    typed: &str,
) -> Result<String, WebError> {
    Ok(match second::try_code(state, knock, visit.person(), typed).await? {
        Tried::Right(_) => {
            state.store.take_try_back(&visit.person().data.login).await?;
            String::new()
        }
        Tried::Wrong(_) => visit.chrome.t("second-wrong-text"),
        Tried::Wait(until) => knock.wait(until).text,
    })
}

/// `POST /me/security/confirm/passkey`: ends what `POST /login/passkey/start` has begun.
///
/// # Errors
/// [`WebError::NotFound`] without passkeys, [`WebError::BadForm`] for what no browser sends, or when the store fails.
pub async fn with_passkey(
    State(state): State<WebState>,
    mut visit: Visit,
    knock: Knock,
    headers: HeaderMap,
    body: Result<Json<Assertion>, JsonRejection>,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    let Json(assertion) = body.map_err(|_| WebError::BadForm)?;
    let shown = check(&state, &knock, named(&headers), &assertion.credential).await?;
    let mine = shown.and_then(|person| visit.is(person.id).then_some(()).ok_or(PasskeyError::Ended));
    if let Err(error) = mine {
        knock.failed(&state, Login::Known).await?;
        return Ok(refuse(visit.chrome.t("passkey-not-you"), &error));
    }
    visit.renew(true).await?;
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t("sure-done"), String::new())).await?;
    Ok(Json(json!({ "to": "/me/security" })).into_response())
}
