//! `/setup/{token}`: somebody new chooses a password.
//!
//! Whoever has the link is let in, once; the page says nothing about links that do not count. Nothing is hashed
//! before the token is known to count, so that guessing costs the server a look-up.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use mngntime_store::{Administrator, KeyHash, Refusal, StoreError};

use super::WebState;
use super::chrome::{Banner, Chrome, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::views;
use crate::passwords::{PASSWORD_CHARS_MIN, PasswordError};

/// `GET /setup/{token}`
///
/// # Errors
/// [`WebError`] when the store fails.
pub async fn form(
    State(state): State<WebState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let c = Chrome::anonymous(&state, &uri, &headers);
    match find(&state, &token).await? {
        Some(person) => show(c, &person, String::new(), StatusCode::OK),
        None => gone(c),
    }
}

/// `POST /setup/{token}`
///
/// # Errors
/// [`WebError`] when the store or the hashing fails.
pub async fn choose(
    State(state): State<WebState>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let c = Chrome::anonymous(&state, &uri, &headers);
    let Some(person) = find(&state, &token).await? else {
        return gone(c);
    };
    let password = fields.text("password");
    if password != fields.text("again") {
        let problem = c.t("setup-different");
        return show(c, &person, problem, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let hash = match state.passwords.hash(password.to_owned(), &person.data.login).await {
        Ok(hash) => hash,
        Err(PasswordError::TooShort | PasswordError::TooLong) => {
            let problem = c.n("setup-wrong-length", PASSWORD_CHARS_MIN);
            return show(c, &person, problem, StatusCode::UNPROCESSABLE_ENTITY);
        }
        Err(PasswordError::Guessable) => {
            let problem = c.t("setup-common");
            return show(c, &person, problem, StatusCode::UNPROCESSABLE_ENTITY);
        }
        Err(error) => return Err(error.into()),
    };
    match state.store.finish_setup(KeyHash::of(&token), hash, (state.clock)()).await {
        Ok(person) => welcome(&state, &headers, person),
        Err(StoreError::Refused(Refusal::Missing { .. })) => gone(c),
        Err(error) => Err(error.into()),
    }
}

async fn find(state: &WebState, token: &str) -> Result<Option<Administrator>, WebError> {
    Ok(state.store.setup(KeyHash::of(token), (state.clock)()).await?)
}

fn show(
    c: Chrome,
    person: &Administrator,
    problem: String,
    status: StatusCode,
) -> Result<Response, WebError> {
    let page = views::Setup {
        login: person.data.login.clone(),
        name: person.data.display_name.clone(),
        hint: c.n("setup-length", PASSWORD_CHARS_MIN),
        problem,
        c,
    };
    Ok((status, page.render_page()?).into_response())
}

fn gone(c: Chrome) -> Result<Response, WebError> {
    Ok((StatusCode::NOT_FOUND, views::SetupGone { c }.render_page()?).into_response())
}

/// The sign-in page, with the login filled in.
fn welcome(state: &WebState, headers: &HeaderMap, person: Administrator) -> Result<Response, WebError> {
    let mut c = Chrome::anonymous(state, &Uri::from_static("/login"), headers);
    c.banner = Some(Banner::new(Tone::Ok, c.t("setup-done"), c.t("setup-done-text")));
    let page = views::Login::new(state, c, &person.data.login, "");
    Ok(page.render_page()?.into_response())
}
