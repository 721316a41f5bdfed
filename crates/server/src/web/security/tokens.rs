//! Tokens for programs: they read what their owner may read, end by themselves, and are shown once. As long as their owner
//! lacks a second factor that they must have, none is made and none opens anything (`sign_in::with_token`).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use mngntime_store::{KeyHash, NewToken, Refusal, StoreError, TOKENS_MAX, TokenId};

use super::super::WebState;
use super::super::chrome::{Banner, Tone};
use super::super::errors::WebError;
use super::super::fields::{Fields, is_line};
use super::super::session::Visit;
use super::{Told, done, show};
use crate::access::Action;
use crate::second_factor::codes;

/// How long a token may count, in days.
const DAYS: [i64; 3] = [30, 90, 365];

/// Longest name, in characters.
const NAME_MAX: usize = 60;

/// `POST /me/security/tokens`
///
/// # Errors
/// [`WebError::ConfirmFirst`], [`WebError::BadForm`], or when the store or the OS fails.
pub async fn make(
    State(state): State<WebState>,
    mut visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let second = state.second_factor(visit.person()).await?;
    if second.required && !second.set_up {
        let (title, text) = (visit.chrome.t("token-not-made"), visit.chrome.t("token-needs-second"));
        visit.chrome.banner = Some(Banner::new(Tone::Error, title, text));
        return show(&state, visit, Told::default(), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let name = fields.text("name");
    let fits = !name.is_empty() && is_line(name, NAME_MAX);
    let days = fields.text("days").parse().ok().filter(|days| DAYS.contains(days));
    let days: i64 = days.ok_or(WebError::BadForm)?;
    if !fits {
        let told = Told { token_error: visit.chrome.n("token-name-wrong", NAME_MAX), ..Told::default() };
        return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let token = codes::token()?;
    let expires_at = visit.chrome.now.plus(days * 86_400_000);
    let new = NewToken { name: name.to_owned(), hash: KeyHash::of(&token), expires_at };
    let told = match state.store.add_token(visit.person().id, new, visit.act()).await {
        Ok(_) => Told { token: Some((name.to_owned(), token)), ..Told::default() },
        Err(StoreError::Refused(Refusal::TooMany { .. })) => {
            Told { token_error: visit.chrome.n("token-too-many", TOKENS_MAX), ..Told::default() }
        }
        Err(error) => return Err(error.into()),
    };
    let status = if told.token.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    show(&state, visit, told, status).await
}

/// `POST /me/security/tokens/{id}/remove`
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
    let id = TokenId::parse(&id).ok_or(WebError::NotFound)?;
    state.store.remove_token(visit.person().id, id, visit.act()).await?;
    done(&visit, "token-removed").await
}
