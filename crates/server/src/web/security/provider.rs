//! One's own link to another provider: ending it.

use axum::extract::State;
use axum::response::Response;

use super::super::WebState;
use super::super::errors::WebError;
use super::super::session::Visit;
use super::{Doors, done, last_way_stays, only_way_stays};
use crate::access::Action;

/// `POST /me/security/provider/remove`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store fails.
pub async fn remove(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let means = state.store.means(visit.person().id).await?;
    if !Doors::of(&state, &visit, &means).stay_without_provider() {
        return only_way_stays(&state, visit).await;
    }
    match state.store.unlink_subjects(visit.person().id, visit.act()).await {
        Ok(()) => done(&visit, "provider-removed").await,
        Err(error) => last_way_stays(&state, visit, error).await,
    }
}
