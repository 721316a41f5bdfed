//! `GET /api/v1/punches`: the punch list for programs, one JSON object per line.
//!
//! Signed in by HTTP Basic with an administrator's login and password: it works with every client there is,
//! and TLS protects it. The contract is the administrator's own.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use mngntime_store::{PageKey, PunchFilter};
use mngntime_wire::Problem;
use serde::Deserialize;

use crate::app::{App, Shared};
use crate::problem::Failure;
use crate::punch_line::PunchLine;
use crate::sign_in::{Session, SignInError, sign_in};

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
    security(("basic" = [])),
    responses(
        (status = 200, body = PunchLine, content_type = "application/jsonl",
         description = "One PunchLine per line; the header mngntime-next leads to the next page",
         headers(("mngntime-next" = String, description = "Where the next page begins; absent on the last"))),
        (status = 400, body = Problem, description = "A parameter cannot be used"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "The role may not read attendance"),
        (status = 503, body = Problem, description = "Too many sign-ins are waiting; see Retry-After"),
    )
)]
pub async fn list(
    State(app): State<Shared>,
    headers: HeaderMap,
    query: Result<Query<PunchQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let session = authenticate(&app, &headers).await?;
    let contract = session.attendance_contract()?;
    let Query(query) = query.map_err(|error| Failure::bad_request("bad_query", error.body_text()))?;
    let after = query.after.as_deref().map(page_key).transpose()?;
    let limit = limit(query.limit)?;
    let filter = PunchFilter { errors_only: query.errors_only, ..PunchFilter::default() };
    let page = app.store.list_punches(contract, filter, after, limit).await?;
    let mut lines = String::new();
    for punch in &page.punches {
        lines.push_str(&serde_json::to_string(&PunchLine::from(punch)).map_err(Failure::internal)?);
        lines.push('\n');
    }
    respond(lines, page.next)
}

fn respond(lines: String, next: Option<PageKey>) -> Result<Response, Failure> {
    let mut response = ([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response();
    if let Some(next) = next {
        let next = HeaderValue::from_str(&next.to_string()).map_err(Failure::internal)?;
        response.headers_mut().insert(HeaderName::from_static(NEXT_HEADER), next);
    }
    Ok(response)
}

fn page_key(text: &str) -> Result<PageKey, Failure> {
    PageKey::parse(text).ok_or_else(|| {
        Failure::bad_request("bad_query", "The parameter after must be a mngntime-next header's value.")
    })
}

fn limit(wanted: Option<usize>) -> Result<usize, Failure> {
    match wanted.unwrap_or(PAGE_LINES_DEFAULT) {
        limit @ 1..=PAGE_LINES_MAX => Ok(limit),
        _ => Err(Failure::bad_request(
            "bad_query",
            format!("The parameter limit must be 1 to {PAGE_LINES_MAX}."),
        )),
    }
}

async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Session, Failure> {
    let Some((login, password)) = basic_credentials(headers) else {
        return Err(unauthorized());
    };
    sign_in(app, &login, password).await.map_err(|error| match error {
        SignInError::Refused => unauthorized(),
        SignInError::Busy => Failure::overloaded(),
        SignInError::Store(error) => error.into(),
        SignInError::Password(error) => Failure::internal(error),
    })
}

fn unauthorized() -> Failure {
    let message = "Sign in with HTTP Basic: login and password of an administrator.";
    Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (login, password) = text.split_once(':')?;
    Some((login.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_split_at_the_first_colon() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", BASE64.encode(b"admin:pass:word"));
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        assert_eq!(basic_credentials(&headers), Some(("admin".into(), "pass:word".into())));
        headers.insert(header::AUTHORIZATION, "Bearer x".parse().unwrap());
        assert_eq!(basic_credentials(&headers), None);
    }

    #[test]
    fn a_page_has_one_to_a_thousand_lines() {
        assert_eq!(limit(None).unwrap(), 100);
        assert!(limit(Some(1)).is_ok() && limit(Some(1000)).is_ok());
        assert!(limit(Some(0)).is_err() && limit(Some(1001)).is_err());
    }
}
