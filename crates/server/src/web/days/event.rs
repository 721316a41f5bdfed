//! `GET /days/{employee}/{date}/events/{terminal}/{sequence}`: what stands behind something on a person's day.
//!
//! Whoever may see a day may see every event that it shows: those of the person's sessions, and those of the PC that
//! explain it (a start, a sleep, a loss of power), which are of nobody and which whoever sees some people only could
//! open nowhere else. What the day does not show does not open here, whatever happened on the same PC.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_attendance::person_day::EventId;
use mngntime_model::TerminalId;
use mngntime_store::{Employee, EventDetail, Scope};

use super::super::WebState;
use super::super::chrome::Place;
use super::super::errors::WebError;
use super::super::fields::{Fields, date_of};
use super::super::punches::detail::{self, sequence};
use super::super::punches::event::EventView;
use super::super::session::Visit;
use super::super::views;
use super::{day, day_address, people};
use crate::access::Action;
use crate::person_days::PersonDays;

/// The page.
///
/// # Errors
/// [`WebError::NotFound`] when there is no such employee in the person's reach, or their day does not show the event.
pub async fn page(
    State(state): State<WebState>,
    mut visit: Visit,
    Path((code, date, terminal, number)): Path<(String, String, String, String)>,
) -> Result<Response, WebError> {
    let scope = visit.permit(Action::DaysOfPerson)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Days);
    let asked = day::in_month(Fields::default(), &date);
    let date = date_of(&date).ok().flatten().ok_or(WebError::NotFound)?;
    let terminal = TerminalId::parse(&terminal).map_err(|_| WebError::NotFound)?;
    let id = EventId { terminal, sequence: sequence(&number).ok_or(WebError::NotFound)? };
    let Some(employee) = state.store.employee_by_code(scope, code.clone()).await? else {
        return people::nobody(&state, scope, visit, &asked, &code).await;
    };
    let back = (day_address(&employee.data.code, date), visit.chrome.t("day-link"));
    if let Some(found) = state.store.punch(scope, id.terminal, id.sequence).await?
        && found.punch.employee == Some(employee.id)
    {
        return detail::render(&state, scope, visit, found, back).await;
    }
    let found = behind(&state, scope, &visit, &employee, (date, id)).await?.ok_or(WebError::NotFound)?;
    visit.looked_at(&state, scope.contract, Some(employee.id), "event").await?;
    let e = EventView::of(&found, &visit.chrome);
    Ok(views::Event { c: visit.chrome, e, back }.render_page()?.into_response())
}

/// The event, when the day of `employee` shows it.
async fn behind(
    state: &WebState,
    scope: Scope,
    visit: &Visit,
    employee: &Employee,
    (date, id): (Date, EventId),
) -> Result<Option<EventDetail>, WebError> {
    let (store, begins) = (state.store.as_ref(), visit.day_begins_minutes());
    let dates = (date, date);
    let days = PersonDays::read(store, scope.contract, employee.id, dates, begins, visit.chrome.now).await?;
    if !days.shows(id) {
        return Ok(None);
    }
    Ok(store.event(Scope::from(scope.contract), id.terminal, id.sequence).await?)
}
