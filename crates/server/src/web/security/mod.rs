//! 自分のサインイン: everything somebody signs in with, on one page, by themselves.
//!
//! Every change wants a fresh sign-in ([`Visit::check_fresh`], [`confirm`]) and stands in the audit log. Setting up a second factor
//! ends all other sessions: none goes on that was opened without it.

pub mod confirm;
pub mod passkeys;
pub mod password;
pub mod provider;
pub mod recovery;
pub mod sessions;
pub mod signed_in;
pub mod tokens;
pub mod totp;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::UtcMillis;
use mngntime_store::{Means, Refusal, SecondFactor, StoreError};

use super::WebState;
use super::chrome::{Banner, Chrome, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::once;
use super::session::Visit;
use super::times;
use super::views;
use crate::access::Action;

/// A token, ready to be written.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub made: String,
    /// When it ends.
    pub ends: String,
    /// Whether it has ended.
    pub ended: bool,
    /// When it was last used, in words.
    pub used: String,
}

/// What a page of this kind shows besides what is stored.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What is wrong with the password that was to be given again.
    pub confirm_error: String,
    /// What is wrong with the code beside it.
    pub code_error: String,
    /// What is wrong with the password now in use.
    pub password_error: String,
    /// What is wrong with the new password.
    pub new_error: String,
    /// What is wrong with a token's name.
    pub token_error: String,
    /// Name and text of a token that has just been made.
    pub token: Option<(String, String)>,
}

/// `GET /me/security`
///
/// # Errors
/// [`WebError`] when the store or the session fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    recovery::put_away(&visit).await?;
    if Fields::of_query(&uri)?.text("confirm") == "1" && !visit.is_fresh() {
        let (title, text) = (visit.chrome.t("sure-first"), visit.chrome.t("sure-first-text"));
        visit.chrome.banner = Some(Banner::new(Tone::Warn, title, text));
    }
    show(&state, visit, Told::default(), StatusCode::OK).await
}

/// The page.
async fn show(state: &WebState, visit: Visit, told: Told, status: StatusCode) -> Result<Response, WebError> {
    let id = visit.person().id;
    let means = state.store.means(id).await?;
    let second = state.second_factor(visit.person()).await?;
    let sessions = sessions::rows(state, &visit).await?;
    let signed_in = signed_in::rows(state, &visit).await?;
    let c = visit.chrome.clone().reached_by("/me/security");
    let doors = Doors::of(state, &visit, &means);
    let page = views::Security {
        login: visit.person().data.login.clone(),
        has_password: doors.password,
        fresh: visit.is_fresh(),
        confirm: confirm::Ways::of(state, &visit, &means),
        once: once::fresh(state, &visit)?,
        provider_stays: !doors.stay_without_provider(),
        second,
        second_text: second_text(&c, second, doors.password),
        totp: means.totp.as_ref().map(|totp| times::full(totp.made_at)),
        passkeys: passkeys::rows(&c, &means.passkeys),
        providers: means.subjects.iter().map(|subject| subject.issuer.clone()).collect(),
        passkeys_possible: state.passkeys.is_some(),
        recovery: means.recovery_codes,
        recovery_text: c.n("recovery-left", means.recovery_codes),
        tokens: token_rows(&c, &means),
        sessions,
        idle: visit.idle_minutes().map(|minutes| c.n("sessions-idle", u64::from(minutes))),
        signed_in,
        password_hint: c.n("setup-length", crate::passwords::PASSWORD_CHARS_MIN),
        told,
        c,
    };
    Ok((status, page.render_page()?).into_response())
}

fn second_text(c: &Chrome, second: SecondFactor, has_password: bool) -> String {
    c.t(match (second.set_up, second.required, has_password) {
        (true, _, _) => "second-on",
        (false, true, _) => "second-must",
        (false, false, true) => "second-off",
        (false, false, false) => "second-off-provider",
    })
}

/// What somebody gets in with.
struct Doors {
    password: bool,
    passkeys: usize,
    provider: bool,
}

impl Doors {
    fn of(state: &WebState, visit: &Visit, means: &Means) -> Self {
        let issuer = state.provider.as_ref().map(|provider| provider.settings.issuer.as_str());
        Self {
            password: visit.person().data.password_hash.is_some(),
            passkeys: if state.passkeys.is_some() { means.passkeys.len() } else { 0 },
            provider: means.subjects.iter().any(|subject| Some(subject.issuer.as_str()) == issuer),
        }
    }

    /// Whether they still get in without other providers.
    fn stay_without_provider(&self) -> bool {
        self.password || self.passkeys > 0
    }

    /// Whether they still get in with a passkey less.
    fn stay_without_a_passkey(&self) -> bool {
        self.password || self.provider || self.passkeys > 1
    }
}

fn token_rows(c: &Chrome, means: &Means) -> Vec<TokenRow> {
    let used = |at: Option<UtcMillis>| at.map_or_else(|| c.t("never"), times::full);
    let rows = means.tokens.iter().map(|token| TokenRow {
        id: token.id.to_string(),
        name: token.name.clone(),
        made: times::full(token.made_at),
        ends: times::full(token.expires_at),
        ended: token.expires_at <= c.now,
        used: used(token.used_at),
    });
    rows.collect()
}

/// Back to the page, with what was done.
async fn done(visit: &Visit, key: &str) -> Result<Response, WebError> {
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t(key), String::new())).await?;
    Ok(Redirect::to("/me/security").into_response())
}

/// Refuses to take the last second factor from somebody who must have one.
async fn check_not_last(state: &WebState, visit: &Visit, means: &Means) -> Result<bool, WebError> {
    let count = usize::from(means.totp.is_some()) + means.passkeys.len();
    Ok(count > 1 || !state.second_factor(visit.person()).await?.required)
}

/// Says that the last way in of the last administrator stays; other failures stay failures.
async fn last_way_stays(state: &WebState, mut visit: Visit, error: StoreError) -> Result<Response, WebError> {
    if !matches!(error, StoreError::Refused(Refusal::LastOne { .. })) {
        return Err(error.into());
    }
    let (title, text) = (visit.chrome.t("last-way"), visit.chrome.t("last-way-text"));
    visit.chrome.banner = Some(Banner::new(Tone::Error, title, text));
    show(state, visit, Told::default(), StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Says that the only way in stays.
async fn only_way_stays(state: &WebState, mut visit: Visit) -> Result<Response, WebError> {
    let (title, text) = (visit.chrome.t("last-way"), visit.chrome.t("only-way-text"));
    visit.chrome.banner = Some(Banner::new(Tone::Error, title, text));
    show(state, visit, Told::default(), StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Says that the last second factor stays.
async fn last_stays(state: &WebState, mut visit: Visit) -> Result<Response, WebError> {
    let (title, text) = (visit.chrome.t("second-last"), visit.chrome.t("second-last-text"));
    visit.chrome.banner = Some(Banner::new(Tone::Error, title, text));
    show(state, visit, Told::default(), StatusCode::UNPROCESSABLE_ENTITY).await
}
