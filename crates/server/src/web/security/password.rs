//! Changing one's own password.
//!
//! Whoever has a second factor has to have shown it lately: with the password alone nothing is changed that they sign in with.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::WebState;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::knock::Knock;
use super::super::session::Visit;
use super::{Told, done, show};
use crate::access::Action;
use crate::passwords::{PASSWORD_CHARS_MIN, PasswordError};
use crate::tries::{self, Tried};

/// What is wrong with the password somebody gives again; empty when it is right. Counts like a sign-in, so that an
/// open browser is no place to guess.
pub(super) async fn problem(
    state: &WebState,
    visit: &Visit,
    knock: &Knock,
    typed: &str,
) -> Result<String, WebError> {
    let (login, now, from) = (&visit.person().data.login, visit.chrome.now, knock.address);
    Ok(match tries::password(&*state.store, &state.passwords, login, typed, from, now).await? {
        Tried::Right(_) => String::new(),
        Tried::Wrong(_) => visit.chrome.t("password-wrong"),
        Tried::Wait(until) => knock.wait(until).text,
    })
}

/// `POST /me/security/password`: ends all other sessions and, when asked for, all tokens.
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store, the password check or the hashing fails.
pub async fn change(
    State(state): State<WebState>,
    mut visit: Visit,
    knock: Knock,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    let second = state.store.means(visit.person().id).await?.has_second_factor();
    if second {
        visit.check_fresh()?;
    }
    let mut told = Told::default();
    let new = fields.text("new");
    if new != fields.text("again") {
        told.new_error = visit.chrome.t("setup-different");
        return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    told.password_error = problem(&state, &visit, &knock, fields.text("password")).await?;
    if !told.password_error.is_empty() {
        return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    if new == fields.text("password") {
        told.new_error = visit.chrome.t("password-same");
        return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let hash = match state.passwords.hash(new.to_owned(), &visit.person().data.login).await {
        Ok(hash) => hash,
        Err(PasswordError::TooShort | PasswordError::TooLong) => {
            told.new_error = visit.chrome.n("setup-wrong-length", PASSWORD_CHARS_MIN);
            return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
        Err(PasswordError::Guessable) => {
            told.new_error = visit.chrome.t("setup-common");
            return show(&state, visit, told, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
        Err(error) => return Err(error.into()),
    };
    let end_tokens = fields.text("tokens") == "1";
    state.store.set_password(visit.person().id, hash, end_tokens, visit.act()).await?;
    // That has ended this session, too: it goes on under a new id.
    if second {
        visit.go_on_anew().await?;
    } else {
        visit.renew(false).await?;
    }
    done(&visit, "password-changed").await
}
