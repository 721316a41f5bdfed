//! Recovery codes: made anew, shown, printed.
//!
//! They come from a secret that their form brings ([`once`]) and that stays in the session, sealed, until the person goes
//! on. So a form sent twice makes no others, and a page that is loaded again shows those that count.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::KeyHash;
use serde::{Deserialize, Serialize};

use super::super::WebState;
use super::super::chrome::{Banner, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::once;
use super::super::session::Visit;
use super::super::views;
use super::{Told, show};
use crate::access::Action;
use crate::second_factor::codes;

/// The page that shows them.
pub(super) const PAGE: &str = "/me/security/recovery-codes";

/// Key of the codes that were made last.
const MADE: &str = "recovery_codes";

/// Codes that were made in this session.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Made {
    /// Their secret.
    sealed: String,
    /// Whether others counted before.
    replaced: bool,
    /// Whether they are still shown.
    shown: bool,
}

/// `POST /me/security/recovery-codes`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store, the session or the OS fails.
pub async fn make(
    State(state): State<WebState>,
    mut visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    if !state.second_factor(visit.person()).await?.set_up {
        let why = visit.chrome.t("recovery-needs-second");
        visit.chrome.banner = Some(Banner::new(Tone::Error, why, String::new()));
        return show(&state, visit, Told::default(), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    draw(&state, &visit, once::again(&state, &visit, &fields)?).await?;
    Ok(Redirect::to(PAGE).into_response())
}

/// Makes the codes of a sealed secret; the ones before count no more. Those that were made last are not made again.
pub(super) async fn draw(state: &WebState, visit: &Visit, sealed: String) -> Result<(), WebError> {
    let last = visit.session().get::<Made>(MADE).await?;
    if last.is_some_and(|made| made.sealed == sealed) {
        return Ok(());
    }
    let id = visit.person().id;
    let replaced = state.store.means(id).await?.recovery_codes > 0;
    let hashes = of(state, visit, &sealed)?.iter().map(|code| KeyHash::of(&codes::plain(code))).collect();
    state.store.set_recovery_codes(id, hashes, visit.act()).await?;
    Ok(visit.session().insert(MADE, Made { sealed, replaced, shown: true }).await?)
}

/// The codes of a sealed secret.
fn of(state: &WebState, visit: &Visit, sealed: &str) -> Result<Vec<String>, WebError> {
    Ok(codes::recovery_codes(&once::opened(state, visit, sealed).ok_or(WebError::BadForm)?))
}

/// `GET /me/security/recovery-codes`: the codes, as long as the person has not gone on.
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the session fails.
pub async fn page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let made = visit.session().get::<Made>(MADE).await?.filter(|made| made.shown);
    let Some(made) = made else { return Ok(Redirect::to("/me/security").into_response()) };
    let page = views::SecurityCodes {
        login: visit.person().data.login.clone(),
        codes: of(&state, &visit, &made.sealed)?,
        replaced: made.replaced,
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}

/// The person has gone on: the codes are not shown again, nor made again by the form that made them.
pub(super) async fn put_away(visit: &Visit) -> Result<(), WebError> {
    let made = visit.session().get::<Made>(MADE).await?.filter(|made| made.shown);
    if let Some(made) = made {
        visit.session().insert(MADE, Made { shown: false, ..made }).await?;
    }
    Ok(())
}
