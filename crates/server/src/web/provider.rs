//! Signing in with another provider: away to it and back.
//!
//! Somebody it knows under a subject that is linked here is let in. A subject that is linked to nobody is linked once,
//! to the person whose login the configured claim says, if that person belongs to the configured contract and has no
//! other subject of this provider; everybody else is told in words that they are not known.

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{Act, Administrator, CeremonyKind, ProviderSubject, Refusal, StoreError};

use super::WebState;
use super::chrome::{Banner, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::knock::{Knock, PROVIDER};
use super::login::local;
use crate::access::Subject;
use crate::limiter::Login;
use crate::metrics::SignInOutcome;
use crate::provider::{Away, Known, Provider, ProviderError};
use crate::second_factor::ceremony::{self, LIFE_MS};

/// Name of the cookie that names a sign-in under way. It must come along when the provider sends the browser back, so
/// it is not `Strict`.
const COOKIE: &str = "mngntime_provider";

/// What a provider says of somebody who did not want to sign in (RFC 6749, 4.1.2.1).
const CANCELLED: &str = "access_denied";

/// `GET /login/provider`: a link and no form, because the policy keeps forms on this site.
///
/// # Errors
/// When the page cannot be written.
pub async fn away(State(state): State<WebState>, knock: Knock, uri: Uri) -> Result<Response, WebError> {
    let Some(provider) = state.provider.clone() else {
        return Ok(Redirect::to("/login").into_response());
    };
    let fields = Fields::of_query(&uri)?;
    let next = local(fields.text("next")).unwrap_or_default().to_owned();
    let now = knock.chrome.now;
    // Nothing has failed, and a password is open.
    if provider.begun.closed_until(knock.address, now).is_some() {
        return failed(&state, &provider, knock, &ProviderError::Busy);
    }
    // Each beginning counts, right or not: what is bounded is how many there are.
    provider.begun.failed(knock.address, Login::Known, now);
    match provider.ask(move |provider| provider.begin(&next)).await {
        Ok((address, away)) => {
            let name = ceremony::begin(&*state.store, CeremonyKind::Provider, &away, now).await?;
            let secure = if state.secure { "; Secure" } else { "" };
            let seconds = LIFE_MS / 1000;
            let cookie = format!(
                "{COOKIE}={name}; Path=/login/provider; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
            );
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&address)).into_response())
        }
        Err(error) => failed(&state, &provider, knock, &error),
    }
}

/// `GET /login/provider/back`
///
/// # Errors
/// When the store or the session fails.
pub async fn back(
    State(state): State<WebState>,
    knock: Knock,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let Some(provider) = state.provider.clone() else {
        return Ok(Redirect::to("/login").into_response());
    };
    let fields = Fields::of_query(&uri)?;
    let (code, given) = (fields.text("code").to_owned(), fields.text("state").to_owned());
    let (name, now) = (super::passkey::cookie(&headers, COOKIE), knock.chrome.now);
    let away: Option<Away> = ceremony::take(&*state.store, CeremonyKind::Provider, name, now).await?;
    if fields.text("error") == CANCELLED {
        let next = away.and_then(|away| away.cancelled(&given)).unwrap_or_default();
        let (title, text) = (knock.chrome.t("provider-cancelled"), knock.chrome.t("provider-cancelled-text"));
        return knock.back(&state, Banner::new(Tone::Warn, title, text), "", &next);
    }
    let known = match provider.ask(move |provider| provider.finish(away, &code, &given)).await {
        Ok(known) => known,
        Err(error) => return failed(&state, &provider, knock, &error),
    };
    match person(&state, &provider, &knock, &known).await? {
        Some(person) if known.second => {
            let to = knock.enter(&state, &person, PROVIDER, true, &known.next).await?;
            Ok(Redirect::to(&to).into_response())
        }
        Some(person) => knock.first_step_done(&state, &person, PROVIDER, &known.next).await,
        None => {
            state.sign_ins.count(SignInOutcome::Wrong);
            let (title, text) = (knock.chrome.t("provider-unknown"), knock.chrome.t("provider-unknown-text"));
            knock.back(&state, Banner::new(Tone::Error, title, text), "", &known.next)
        }
    }
}

fn failed(
    state: &WebState,
    provider: &Provider,
    knock: Knock,
    error: &ProviderError,
) -> Result<Response, WebError> {
    if let Some(untold) = provider.told.due() {
        let reason = crate::problem::chain(error);
        tracing::warn!(
            reason,
            untold,
            "a sign-in with the provider failed; this is told once a minute at most"
        );
    }
    let text = match error {
        ProviderError::Busy | ProviderError::FailedLately => "provider-busy-text",
        ProviderError::Secret(_) | ProviderError::Answer { .. } | ProviderError::Ended => {
            "provider-failed-text"
        }
    };
    let (title, text) = (knock.chrome.t("provider-failed"), knock.chrome.t(text));
    knock.back(state, Banner::new(Tone::Error, title, text), "", "")
}

/// Whose subject this is: linked before, or now.
async fn person(
    state: &WebState,
    provider: &Provider,
    knock: &Knock,
    known: &Known,
) -> Result<Option<Administrator>, WebError> {
    let today = knock.chrome.today();
    let in_force = |person: &Administrator| Subject::of(person).in_force(today).is_ok();
    let subject =
        ProviderSubject { issuer: provider.settings.issuer.clone(), subject: known.subject.clone() };
    if let Some(id) = state.store.person_of_subject(subject.clone()).await? {
        return Ok(state.store.administrator_by_id(id).await?.filter(in_force));
    }
    let Some(login) = &known.login else { return Ok(None) };
    let Some(person) = state.store.administrator(login).await?.filter(in_force) else { return Ok(None) };
    if !may_be_linked(state, provider, &person).await? {
        return Ok(None);
    }
    let act = Act::administrator(&person.data.login, knock.chrome.now);
    match state.store.link_subject(person.id, subject, act).await {
        Ok(()) => Ok(Some(person)),
        // Somebody else was quicker.
        Err(StoreError::Refused(Refusal::Taken { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Operators are not: they belong to no contract. An address that the provider has given to another person does not
/// open what belonged to the first.
async fn may_be_linked(
    state: &WebState,
    provider: &Provider,
    person: &Administrator,
) -> Result<bool, WebError> {
    let contract = state.store.contract(&provider.settings.contract).await?;
    let ours = contract.is_some_and(|contract| person.data.contract == Some(contract.id));
    let subjects = state.store.means(person.id).await?.subjects;
    Ok(ours && subjects.iter().all(|subject| subject.issuer != provider.settings.issuer))
}
