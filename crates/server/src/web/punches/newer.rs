//! `GET /punches/newer`: the first page of the list as it is now, for whoever has it open.
//!
//! The script of the page asks every now and then and puts in what is not there yet: new punches at the top, late ones
//! in their place, other results, the counts of the head. It costs what the first page costs, whatever has come in the
//! meantime. Who looks at somebody's punches this way is noted as on the page, once an hour.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use super::super::WebState;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::super::views;
use super::columns::Columns;
use super::filter::Asked;
use super::list;
use super::strip::Strip;
use crate::access::Action;

/// The rows with the head, or nothing (204) where only a page can say what is wrong.
///
/// # Errors
/// [`WebError`] when the person may not see punches or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::PunchesRead)?.scope()?;
    let (fields, store) = (Fields::of_query(&uri)?, state.store.as_ref());
    let asked = Asked::read(store, scope, fields, &visit.chrome).await?;
    if !asked.problems.is_empty() || asked.at.is_some() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let found = list::find(&state, scope, &asked).await?;
    list::note(&state, scope, &visit, &asked, &found).await?;
    let errors = asked.filter.errors_only;
    let fragment = views::PunchesNewer {
        strip: Strip::read(store, scope, &visit.chrome, state.contact_seconds, errors).await?,
        rows: list::rows(&state, scope, &visit, &asked, &found).await?,
        count: list::count(&state, scope, &asked, &found, &visit).await?,
        columns: Columns::parse(store.punch_columns(visit.person().id).await?.as_deref()),
        more: found.next.is_some(),
        may_link: visit.may(Action::AccountsLink),
        c: visit.chrome,
    };
    Ok(fragment.render_page()?.into_response())
}
