//! Recovery codes: made anew, shown once, printed.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use mngntime_store::KeyHash;

use super::super::WebState;
use super::super::errors::WebError;
use super::super::session::Visit;
use super::super::views;
use crate::access::Action;
use crate::second_factor::codes;

/// `POST /me/security/recovery-codes`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store or the OS fails.
pub async fn make(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    show_new(&state, visit).await
}

/// Makes new codes and shows them; the ones before count no more.
pub(super) async fn show_new(state: &WebState, visit: Visit) -> Result<Response, WebError> {
    let made = codes::recovery_codes()?;
    let hashes = made.iter().map(|code| KeyHash::of(&codes::plain(code))).collect();
    state.store.set_recovery_codes(visit.person().id, hashes, visit.act()).await?;
    let page = views::SecurityCodes {
        login: visit.person().data.login.clone(),
        codes: made,
        c: visit.chrome.reached_by("/me/security"),
    };
    Ok(page.render_page()?.into_response())
}
