//! Signing in with a passkey. Two small answers for the script of the page; without script there is no button.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use mngntime_store::{Administrator, CeremonyKind, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webauthn_rs::prelude::{DiscoverableAuthentication, PublicKeyCredential};

use super::WebState;
use super::errors::WebError;
use super::knock::Knock;
use crate::access::Subject;
use crate::limiter::Login;
use crate::second_factor::ceremony::{self, LIFE_MS};
use crate::second_factor::passkeys::{PasskeyError, Passkeys};

/// Name of the cookie that names a ceremony.
const COOKIE: &str = "mngntime_passkey";

/// What the script sends when the browser has asked the passkey.
#[derive(Deserialize)]
pub struct Assertion {
    pub(super) credential: PublicKeyCredential,
    #[serde(default)]
    next: String,
}

/// The server's passkeys.
///
/// # Errors
/// [`WebError::NotFound`] when it has no host name for them.
pub(super) fn passkeys(state: &WebState) -> Result<&Passkeys, WebError> {
    state.passkeys.as_deref().ok_or(WebError::NotFound)
}

/// Remembers what has begun: the question for the browser, with the cookie that names the ceremony.
///
/// # Errors
/// When the store or the OS fails.
pub(super) async fn ask<T: Serialize + Sync>(
    state: &WebState,
    kind: CeremonyKind,
    begun: Result<(T, Value), PasskeyError>,
) -> Result<Response, WebError> {
    let (begun, question) = begun.map_err(|error| WebError::Means(error.into()))?;
    let ceremony = ceremony::begin(&*state.store, kind, &begun, (state.clock)()).await?;
    let secure = if state.secure { "; Secure" } else { "" };
    let seconds = LIFE_MS / 1000;
    let cookie = format!("{COOKIE}={ceremony}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    Ok(([(header::SET_COOKIE, cookie)], Json(question)).into_response())
}

/// The ceremony that the request belongs to; empty for none.
pub(super) fn named(headers: &HeaderMap) -> &str {
    cookie(headers, COOKIE)
}

/// Value of the cookie `name`; empty for none.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map_or("", |(_, value)| value)
}

/// Says in the page's language that it did not work, for its script to show; why stands in the log.
pub(super) fn refuse(text: String, error: &PasskeyError) -> Response {
    tracing::info!(reason = crate::problem::chain(error), "a passkey was refused");
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": text }))).into_response()
}

/// `POST /login/passkey/start`
///
/// # Errors
/// [`WebError::NotFound`] without passkeys, or when the store or the OS fails; as a store that is too busy when too many
/// were begun from the address.
pub async fn start(State(state): State<WebState>, knock: Knock) -> Result<Response, WebError> {
    let (passkeys, now) = (passkeys(&state)?, knock.chrome.now);
    if passkeys.begun.closed_until(knock.address, now).is_some() {
        return Err(StoreError::Overloaded.into());
    }
    // Each beginning counts, right or not: what is bounded is how many there are.
    passkeys.begun.failed(knock.address, Login::Known, now);
    ask(&state, CeremonyKind::PasskeySignIn, passkeys.begin_sign_in()).await
}

/// `POST /login/passkey/finish`
///
/// # Errors
/// [`WebError::NotFound`] without passkeys, [`WebError::BadForm`] for what no browser sends, or when the store fails.
pub async fn finish(
    State(state): State<WebState>,
    knock: Knock,
    headers: HeaderMap,
    body: Result<Json<Assertion>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, WebError> {
    let Json(assertion) = body.map_err(|_| WebError::BadForm)?;
    match check(&state, &knock, named(&headers), &assertion.credential).await? {
        Ok(person) => {
            let to = knock.enter(&state, &person, "passkey", true, &assertion.next).await?;
            Ok(Json(json!({ "to": to })).into_response())
        }
        Err(error) => {
            knock.failed(&state, Login::Known).await?;
            Ok(refuse(knock.chrome.t("passkey-refused"), &error))
        }
    }
}

/// Who has shown a passkey of theirs.
pub(super) async fn check(
    state: &WebState,
    knock: &Knock,
    name: &str,
    credential: &PublicKeyCredential,
) -> Result<Result<Administrator, PasskeyError>, WebError> {
    let (passkeys, now) = (passkeys(state)?, knock.chrome.now);
    let begun: Option<DiscoverableAuthentication> =
        ceremony::take(&*state.store, CeremonyKind::PasskeySignIn, name, now).await?;
    let claimed = begun.ok_or(PasskeyError::Ended).and_then(|begun| {
        let id = passkeys.claimed(credential)?.ok_or(PasskeyError::Ended)?;
        Ok((begun, id))
    });
    let (begun, id) = match claimed {
        Ok(claimed) => claimed,
        Err(error) => return Ok(Err(error)),
    };
    let person = state.store.administrator_by_id(id).await?;
    let today = knock.chrome.today();
    let Some(person) = person.filter(|person| Subject::of(person).in_force(today).is_ok()) else {
        return Ok(Err(PasskeyError::Ended));
    };
    let stored = state.store.means(id).await?.passkeys;
    match passkeys.finish_sign_in(begun, credential, &stored) {
        Ok((credential_id, moved)) => {
            state.store.note_passkey_use(credential_id, moved, now).await?;
            Ok(Ok(person))
        }
        Err(error) => Ok(Err(error)),
    }
}
