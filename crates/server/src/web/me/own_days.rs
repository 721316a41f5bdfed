//! `/me/days` and `/me/days/{date}`: one's own month and day, just as those see them who judge by them.
//!
//! Whose they are, nobody can ask for: it is the employee that the person who signed in is set down as. Addresses on
//! these pages stay under `/me`.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use mngntime_store::{Employee, Scope};

use super::super::WebState;
use super::super::chrome::Place;
use super::super::days::{Home, day, month};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use crate::access::Action;

/// Who looks, as an employee, and how far they reach: themselves.
async fn own(state: &WebState, visit: &mut Visit) -> Result<(Scope, Employee), WebError> {
    let reach = visit.permit(Action::OwnRecordRead)?;
    let (scope, (_, employee)) = (reach.scope()?, reach.own()?);
    visit.chrome = visit.chrome.clone().at(Place::Me);
    Ok((scope, state.store.employee(scope, employee).await?.ok_or(WebError::NotFound)?))
}

/// `GET /me/days`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn month_page(
    State(state): State<WebState>,
    mut visit: Visit,
    uri: Uri,
) -> Result<Response, WebError> {
    let (scope, employee) = own(&state, &mut visit).await?;
    let asked = month::asked(&mut visit, Fields::of_query(&uri)?.text("month"));
    month::render(&state, scope, visit, &employee, Home::Own, asked).await
}

/// `GET /me/days/{date}`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn day_page(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(date): Path<String>,
) -> Result<Response, WebError> {
    let (scope, employee) = own(&state, &mut visit).await?;
    day::render(&state, scope, visit, &employee, Home::Own, &date).await
}
