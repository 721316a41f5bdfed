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
    let has_password = visit.person().data.password_hash.is_some();
    let elsewhere = Means { subjects: Vec::new(), ..means.clone() };
    let page = views::Security {
        login: visit.person().data.login.clone(),
        has_password,
        fresh: visit.is_fresh(),
        confirm: confirm::Ways::of(state, &visit, &means),
        once: once::fresh(state, &visit)?,
        provider_stays: !state.entrance().opens(has_password, &elsewhere),
        second,
        second_text: second_text(&c, second, has_password),
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

/// What became of a removal: back to the page, or what stays and why.
async fn removed(
    state: &WebState,
    mut visit: Visit,
    answer: Result<(), StoreError>,
    key: &str,
) -> Result<Response, WebError> {
    let (title, text) = match answer {
        Ok(()) => return done(&visit, key).await,
        Err(StoreError::Refused(Refusal::OnlyWayIn)) => ("last-way", "only-way-text"),
        Err(StoreError::Refused(Refusal::LastSecondFactor)) => ("second-last", "second-last-text"),
        Err(error) => return Err(error.into()),
    };
    visit.chrome.banner = Some(Banner::new(Tone::Error, visit.chrome.t(title), visit.chrome.t(text)));
    show(state, visit, Told::default(), StatusCode::UNPROCESSABLE_ENTITY).await
}
