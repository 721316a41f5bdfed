//! Signing in and out, and the language.
//!
//! The answer to a wrong login and to a wrong password is the same, in words and in work. Only addresses of
//! this site are followed after signing in.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use mngntime_model::Language;
use mngntime_store::{Act, Administrator};
use tower_sessions::Session;

use super::WebState;
use super::chrome::{
    BACK_MAX, Banner, COMMON_YEARS, Chrome, JAPANESE_YEARS, LANGUAGE_COOKIE, Tone, YEARS_COOKIE,
};
use super::errors::WebError;
use super::fields::Fields;
use super::session;
use super::times;
use super::views::Login;
use crate::access::Subject;

/// `GET /login`
///
/// # Errors
/// When the page cannot be written.
pub async fn form(State(state): State<WebState>, uri: Uri, headers: HeaderMap) -> Result<Response, WebError> {
    let fields = Fields::of_query(&uri)?;
    let chrome = Chrome::anonymous(&state, &uri, &headers);
    let next = local(fields.text("next")).unwrap_or_default().to_owned();
    Ok(Login { c: chrome, user: String::new(), next }.render_page()?.into_response())
}

/// `POST /login`
///
/// # Errors
/// When the store or the password check fails.
pub async fn sign_in(
    State(state): State<WebState>,
    session: Session,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let login = fields.text("user").to_owned();
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let address = (state.client)(peer, &headers);
    let Some(person) = recognise(&state, &login, fields.text("password"), address).await? else {
        return refuse(&state, &headers, &fields);
    };
    let contract = session::contract_of(&state, &person, None).await?;
    session::sign_in(&session, &person, contract.as_ref().map(|contract| contract.code.as_str())).await?;
    let act = Act::administrator(&person.data.login, (state.clock)());
    let object = person.data.login.clone();
    state.store.note(person.data.contract, "sign_in".into(), object, act).await?;
    Ok(Redirect::to(local(fields.text("next")).unwrap_or("/")).into_response())
}

/// The person with this login and password, if guessing has not been closed.
async fn recognise(
    state: &WebState,
    login: &str,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Option<Administrator>, WebError> {
    let now = (state.clock)();
    if !state.limiter.allows(login, address, now) {
        return Ok(None);
    }
    let person = state.store.administrator(login).await?;
    let hash = person.as_ref().and_then(|person| person.data.password_hash.clone());
    let right = state.passwords.check(password.to_owned(), hash).await?;
    // Somebody who may not sign in today is answered like a stranger.
    let today = times::tokyo(now).date();
    if right && person.as_ref().is_some_and(|person| Subject::of(person).in_force(today).is_ok()) {
        state.limiter.succeeded(login, address);
        return Ok(person);
    }
    state.limiter.failed(login, address, now);
    Ok(None)
}

fn refuse(state: &WebState, headers: &HeaderMap, fields: &Fields) -> Result<Response, WebError> {
    let mut chrome = Chrome::anonymous(state, &Uri::from_static("/login"), headers);
    let (title, text) = (chrome.t("login-failed"), chrome.t("login-failed-text"));
    chrome.banner = Some(Banner::new(Tone::Error, title, text));
    let next = local(fields.text("next")).unwrap_or_default().to_owned();
    let page = Login { c: chrome, user: fields.text("user").to_owned(), next };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// `POST /logout`
///
/// # Errors
/// When the session cannot be removed.
pub async fn sign_out(session: Session) -> Result<Redirect, WebError> {
    session.flush().await?;
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
fn local(address: &str) -> Option<&str> {
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
