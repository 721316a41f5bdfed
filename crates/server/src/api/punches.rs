//! `GET /api/v1/punches`: the punch list for programs, one JSON object per line.
//!
//! Signed in by HTTP Basic with an administrator's login and password: it works with every client there is,
//! and TLS protects it. The list reaches as far as the person does: their contract, or their departments.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use mngntime_store::{Beside, PageKey, PunchFilter};
use mngntime_wire::Problem;
use serde::Deserialize;

use crate::access::Action;
use crate::app::Shared;
use crate::problem::Failure;
use crate::punch_line::PunchLine;
use crate::sign_in::Caller;

/// Lines in one page: under half a megabyte, some milliseconds of work.
pub const PAGE_LINES_MAX: usize = 1_000;

/// Lines in one page when nothing is said.
const PAGE_LINES_DEFAULT: usize = 100;

/// Header with the place where the next page begins; absent on the last page.
pub const NEXT_HEADER: &str = "mngntime-next";

/// What may be asked.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PunchQuery {
    /// Only punches with an error.
    #[serde(default)]
    pub errors_only: bool,
    /// Lines per page, 1 to 1000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// Value of `mngntime-next` of the page before.
    #[param(pattern = "^-?[0-9]{1,15}_[0-9]{1,18}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    pub after: Option<String>,
}

/// Lists punches, newest first, as JSON lines.
#[utoipa::path(
    get,
    path = "/api/v1/punches",
    tag = "punches",
    params(PunchQuery),
    security(("basic" = []), ("token" = [])),
    responses(
        (status = 200, body = PunchLine, content_type = "application/jsonl",
         description = "One PunchLine per line; the header mngntime-next leads to the next page",
         headers(("mngntime-next" = String, description = "Where the next page begins; absent on the last"))),
        (status = 400, body = Problem, description = "A parameter cannot be used"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "The role may not read attendance, or must have a second factor first"),
        (status = 429, body = Problem, description = "Too many sign-ins with this login have failed; see Retry-After"),
        (status = 503, body = Problem, description = "Too many sign-ins are waiting; see Retry-After"),
    )
)]
pub async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<PunchQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let scope = caller.permit(Action::PunchesRead)?.scope()?;
    let Query(query) = query.map_err(|error| Failure::bad_request("bad_query", error.body_text()))?;
    let after = query.after.as_deref().map(page_key).transpose()?;
    let limit = super::limit(query.limit, PAGE_LINES_DEFAULT, PAGE_LINES_MAX)?;
    let filter = PunchFilter { errors_only: query.errors_only, ..PunchFilter::default() };
    // What cannot be noted is not shown.
    app.store
        .note_hourly(scope.contract, "read_punches", "/api/v1/punches", serde_json::json!({}), caller.act())
        .await?;
    let page = app.store.list_punches(scope, filter, after.map(Beside::After), limit).await?;
    let mut lines = String::new();
    for punch in &page.rows {
        lines.push_str(&serde_json::to_string(&PunchLine::from(punch)).map_err(Failure::internal)?);
        lines.push('\n');
    }
    super::json_lines(lines, page.next.map(|next| (NEXT_HEADER, next.to_string())))
}

fn page_key(text: &str) -> Result<PageKey, Failure> {
    PageKey::parse(text).ok_or_else(|| {
        Failure::bad_request("bad_query", "The parameter after must be a mngntime-next header's value.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_to_a_thousand_lines() {
        let limit = |wanted| super::super::limit(wanted, PAGE_LINES_DEFAULT, PAGE_LINES_MAX);
        assert_eq!(limit(None).unwrap(), 100);
        assert!(limit(Some(1)).is_ok() && limit(Some(1000)).is_ok());
        assert!(limit(Some(0)).is_err() && limit(Some(1001)).is_err());
    }
}
