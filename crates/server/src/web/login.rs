//! Signing in and out, and the language.
//!
//! The answer to a wrong login and to a wrong password is the same, in words and in work. Only addresses of
//! this site are followed after signing in.

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use mngntime_model::Language;
use mngntime_store::WhoSignsIn;
use serde_json::json;

use super::WebState;
use super::chrome::{
    BACK_MAX, Banner, COMMON_YEARS, Chrome, JAPANESE_YEARS, LANGUAGE_COOKIE, Tone, YEARS_COOKIE,
};
use super::errors::{Before, WebError};
use super::fields::Fields;
use super::knock::Knock;
use super::session::Visit;
use super::views::Login;
use crate::tries::{self, Tried};

/// `GET /login`
///
/// # Errors
/// When the page cannot be written.
pub async fn form(State(state): State<WebState>, uri: Uri, headers: HeaderMap) -> Result<Response, WebError> {
    let fields = Fields::of_query(&uri)?;
    let mut chrome = Chrome::anonymous(&state, &uri, &headers);
    let next = local(fields.text("next")).unwrap_or_default();
    chrome.banner = why_again(Before::from_name(fields.text("over")), &chrome);
    let first_start = state.store.who_signs_in().await? != WhoSignsIn::Somebody;
    Ok(Login { first_start, ..Login::new(&state, chrome, "", next) }.render_page()?.into_response())
}

/// Says why somebody who was signed in has to sign in again, and what of theirs was lost.
fn why_again(before: Before, c: &Chrome) -> Option<Banner> {
    let title = match before {
        Before::Nothing => return None,
        Before::Session | Before::Form => c.t("session-over"),
        Before::Idle | Before::IdleForm => c.t("session-idle"),
        Before::Ended | Before::EndedForm => c.t("session-ended-elsewhere"),
        Before::Second => c.t("second-over"),
    };
    let was_form = matches!(before, Before::Form | Before::IdleForm | Before::EndedForm);
    let lost = if was_form { c.t("session-over-form") } else { String::new() };
    Some(Banner::new(Tone::Warn, title, lost))
}

/// `POST /login`
///
/// # Errors
/// When the store or the password check fails.
pub async fn sign_in(
    State(state): State<WebState>,
    knock: Knock,
    fields: Fields,
) -> Result<Response, WebError> {
    let (login, now) = (fields.text("user"), knock.chrome.now);
    let next = local(fields.text("next")).unwrap_or_default();
    if let Some(until) = state.limiter.closed_until(knock.address, now) {
        let wait = knock.turned_away(&state, until);
        return knock.back(&state, wait, login, next);
    }
    let password = fields.text("password");
    match tries::password(&*state.store, &state.passwords, login, password, knock.address, now).await? {
        Tried::Right(person) => knock.first_step_done(&state, &person, "password", next).await,
        Tried::Wrong(whose) => {
            knock.failed(&state, whose).await?;
            let title = knock.chrome.t("login-failed");
            let banner = Banner::new(Tone::Error, title, knock.chrome.t("login-failed-text"));
            knock.back(&state, banner, login, next)
        }
        Tried::Wait(until) => {
            let wait = knock.turned_away(&state, until);
            knock.back(&state, wait, login, next)
        }
    }
}

/// `POST /logout`
///
/// # Errors
/// When the session cannot be removed, or that cannot be noted.
pub async fn sign_out(State(state): State<WebState>, visit: Visit) -> Result<Redirect, WebError> {
    visit.session().flush().await?;
    let person = &visit.person().data;
    let object = format!("administrator {}", person.login);
    state.store.note_with(person.contract, "sign_out", object, json!({}), visit.act()).await?;
    Ok(Redirect::to("/login"))
}

/// `GET /language`: chooses a language (`to`) or a way to count years (`years`).
///
/// # Errors
/// [`WebError::NotFound`] for what we do not have, [`WebError::TooLarge`] for an endless address.
pub async fn language(State(state): State<WebState>, uri: Uri) -> Result<Response, WebError> {
    let fields = Fields::of_query(&uri)?;
    let (name, value) = match fields.filled("years") {
        None => (LANGUAGE_COOKIE, Language::from_tag(fields.text("to")).ok_or(WebError::NotFound)?.tag()),
        Some(JAPANESE_YEARS) => (YEARS_COOKIE, JAPANESE_YEARS),
        Some(COMMON_YEARS) => (YEARS_COOKIE, COMMON_YEARS),
        Some(_) => return Err(WebError::NotFound),
    };
    let secure = if state.secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}");
    let back = local(fields.text("back")).unwrap_or("/");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(back)).into_response())
}

/// `address`, when it stays on this site.
#[must_use]
pub fn local(address: &str) -> Option<&str> {
    let rooted = address.starts_with('/') && !address.starts_with("//") && !address.contains('\\');
    let harmless = address.len() <= BACK_MAX && address.chars().all(|c| c.is_ascii_graphic());
    Some(address).filter(|address| rooted && harmless && address.parse::<Uri>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_addresses_of_this_site_are_followed() {
        assert_eq!(local("/punches?errors=1"), Some("/punches?errors=1"));
        for bad in
            ["", "punches", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/ a"]
        {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
