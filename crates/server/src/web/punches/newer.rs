//! `GET /punches/newer`: how many punches now stand above the list that somebody looks at.
//!
//! The page asks every now and then and offers to show them; rows never move under anybody's hand. What arrives late
//! with an earlier time is no new row at the top and is not counted.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use mngntime_store::PageKey;

use super::super::WebState;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::filter::Asked;
use crate::access::Action;

/// Punches counted at most.
const COUNT_MAX: usize = 200;

/// The words for the link, or nothing (204).
///
/// # Errors
/// [`WebError`] when the person may not see punches, the place is none, or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::PunchesRead)?.scope()?;
    let (fields, c) = (Fields::of_query(&uri)?, &visit.chrome);
    let Some(than) = PageKey::parse(fields.text("than")) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let asked = Asked::read(state.store.as_ref(), scope, fields, c.words()).await?;
    if !asked.problems.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let number = state.store.count_newer(scope, asked.filter, than, COUNT_MAX).await?;
    if number == 0 {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, c.n("newer", number)).into_response())
}
