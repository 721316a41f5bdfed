//! One's own passkeys: adding, renaming and removing them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use mngntime_store::{CeremonyKind, PASSKEYS_MAX, Passkey, PasskeyId, Refusal, StoreError};
use serde::Deserialize;
use serde_json::json;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::once;
use super::super::passkey::{ask, named, passkeys, refuse};
use super::super::session::Visit;
use super::super::times;
use super::{done, recovery, removed};
use crate::access::Action;
use crate::second_factor::ceremony;

/// Longest name, in characters.
const NAME_MAX: usize = 60;

/// A passkey, ready to be written.
#[derive(Debug, Clone)]
pub struct PasskeyRow {
    /// Its id.
    pub id: String,
    /// How its owner calls it.
    pub name: String,
    /// When it was added.
    pub made: String,
    /// When it was last used, in words.
    pub used: String,
}

/// What the script sends when the browser has made a passkey.
#[derive(Deserialize)]
pub struct Attestation {
    credential: RegisterPublicKeyCredential,
    #[serde(default)]
    name: String,
}

pub(super) fn rows(c: &Chrome, passkeys: &[Passkey]) -> Vec<PasskeyRow> {
    let row = |passkey: &Passkey| PasskeyRow {
        id: passkey.id.to_string(),
        name: passkey.data.name.clone(),
        made: times::full(passkey.made_at),
        used: passkey.used_at.map_or_else(|| c.t("never"), times::full),
    };
    passkeys.iter().map(row).collect()
}

/// `POST /me/security/passkeys/start`
///
/// # Errors
/// [`WebError::ConfirmFirst`], [`WebError::NotFound`] without passkeys, or when the store or the OS fails.
pub async fn start(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let person = visit.person();
    let stored = state.store.means(person.id).await?.passkeys;
    if stored.len() >= PASSKEYS_MAX {
        return Ok(tell(visit.chrome.n("passkey-too-many", PASSKEYS_MAX)));
    }
    let names = (person.data.login.as_str(), person.data.display_name.as_str());
    let begun = passkeys(&state)?.begin_registration(person.id, names, &stored);
    ask(&state, CeremonyKind::PasskeyAdded, begun).await
}

/// `POST /me/security/passkeys/finish`
///
/// # Errors
/// [`WebError::ConfirmFirst`], [`WebError::NotFound`] without passkeys, [`WebError::BadForm`] for what no browser
/// sends, or when the store fails.
pub async fn finish(
    State(state): State<WebState>,
    mut visit: Visit,
    headers: HeaderMap,
    body: Result<Json<Attestation>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let Json(made) = body.map_err(|_| WebError::BadForm)?;
    let (id, now) = (visit.person().id, visit.chrome.now);
    let name = name_of(&made.name, &visit.chrome);
    let begun = ceremony::take(&*state.store, CeremonyKind::PasskeyAdded, named(&headers), now).await?;
    let new = passkeys(&state)?.finish_registration(begun, id, name, &made.credential);
    let new = match new {
        Ok(new) => new,
        Err(error) => return Ok(refuse(visit.chrome.t("passkey-not-added"), &error)),
    };
    match state.store.add_passkey(id, new, visit.session_id(), visit.act()).await {
        Ok(_) => {}
        Err(StoreError::Refused(Refusal::Taken { .. })) => return Ok(tell(visit.chrome.t("passkey-known"))),
        Err(StoreError::Refused(Refusal::TooMany { .. })) => {
            return Ok(tell(visit.chrome.n("passkey-too-many", PASSKEYS_MAX)));
        }
        Err(error) => return Err(error.into()),
    }
    visit.renew(true).await?;
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t("passkey-added"), String::new())).await?;
    // Whoever has no recovery codes gets them, as with one-time codes: a passkey can be lost.
    let first = state.store.means(id).await?.recovery_codes == 0;
    if first {
        recovery::draw(&state, &visit, once::fresh(&state, &visit)?).await?;
    }
    let to = if first { recovery::PAGE } else { "/me/security" };
    Ok(Json(json!({ "to": to })).into_response())
}

/// Tells the page's script, in the page's language, why there is none.
fn tell(why: String) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": why }))).into_response()
}

/// A name that can stand in a table.
fn name_of(typed: &str, c: &Chrome) -> String {
    let plain: String = typed.trim().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    if plain.is_empty() { c.t("passkey-unnamed") } else { plain }
}

/// `POST /me/security/passkeys/{id}/rename`
///
/// # Errors
/// [`WebError::ConfirmFirst`], [`WebError::NotFound`], or when the store fails.
pub async fn rename(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let id = PasskeyId::parse(&id).ok_or(WebError::NotFound)?;
    let name = name_of(fields.text("name"), &visit.chrome);
    state.store.rename_passkey(visit.person().id, id, name, visit.act()).await?;
    done(&visit, "passkey-renamed").await
}

/// `POST /me/security/passkeys/{id}/remove`
///
/// # Errors
/// [`WebError::ConfirmFirst`], [`WebError::NotFound`], or when the store fails.
pub async fn remove(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let id = PasskeyId::parse(&id).ok_or(WebError::NotFound)?;
    let answer = state.store.remove_passkey(visit.person().id, id, state.entrance(), visit.act()).await;
    removed(&state, visit, answer, "passkey-removed").await
}
