//! One's own link to another provider: ending it.

use axum::extract::State;
use axum::response::Response;

use super::super::WebState;
use super::super::errors::WebError;
use super::super::session::Visit;
use super::removed;
use crate::access::Action;

/// `POST /me/security/provider/remove`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store fails.
pub async fn remove(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let answer = state.store.unlink_subjects(visit.person().id, state.entrance(), visit.act()).await;
    removed(&state, visit, answer, "provider-removed").await
}
