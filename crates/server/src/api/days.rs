//! `GET /api/v1/days`: what people's punches come to, date by date, one JSON object per line.
//!
//! For attendance and payroll systems that pull the record. Who may ask, how, and how far it reaches is as with
//! [`super::punches`]. It sums up what is recorded and judges no day: a punch stands on its own date in Tokyo, the logoff of
//! a night on the date after it. A time that was not measured has no `at`, so that no program adds it up as if it were.

use axum::Extension;
use axum::extract::{Query, State};
use data_encoding::BASE64URL_NOPAD;
use jiff::civil::Date;
use jiff::{ToSpan as _, Unit};
use mngntime_model::PunchResult;
use mngntime_store::{
    DayEdge, DaySummary, RetiredMonth, SUMMED_DATES_MAX, SUMMED_PEOPLE_MAX, Scope, ScopedPeople, Unattended,
};
use mngntime_wire::Problem;
use serde::{Deserialize, Serialize};

use axum::http::StatusCode;
use axum::response::Response;

use super::punches::NEXT_HEADER;
use crate::access::Action;
use crate::app::{App, Shared};
use crate::problem::Failure;
use crate::punch_line::{error_name, rfc3339};
use crate::sign_in::Caller;

/// People in one page when nothing is said: a month of them is under a megabyte.
const PAGE_PEOPLE_DEFAULT: usize = 100;

/// Header with the months of the answer's dates whose records were deleted by the retention rule.
const DELETED_HEADER: &str = "mngntime-deleted-months";

/// Longest text of a place where a page begins.
const PLACE_CHARS_MAX: usize = 700;

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DayQuery {
    /// First date.
    #[param(format = Date)]
    pub from: String,
    /// Last date, which is included; at most 31 dates from the first.
    #[param(format = Date)]
    pub to: String,
    /// Only of the employee with this code.
    #[param(min_length = 1)]
    pub employee: Option<String>,
    /// People per page, 1 to 1000; 100 when absent. Whoever has no punch on these dates counts and has no line.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// Value of `mngntime-next` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]{2,700}$")]
    pub after: Option<String>,
}

/// One line of JSON: an employee and a date on which there is a punch of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayLine {
    /// Employee code.
    pub employee: String,
    /// The date that calendars in Tokyo show when the punches happened. A logoff after midnight is of the next one.
    pub date: String,
    /// How many punches there are, those with an error included.
    pub punches: u64,
    /// The first logon of the date; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_logon: Option<EdgeLine>,
    /// The last logoff of the date; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_logoff: Option<EdgeLine>,
    /// 推定: how many of the punches follow from other facts.
    pub inferred: u64,
    /// The errors among the punches, by their result; empty when there is none.
    pub errors: Vec<DayError>,
    /// `true` where the retention rule has deleted records of the date's month, so that there may have been more punches;
    /// absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partly_deleted: Option<bool>,
}

/// A punch at an edge of a date. Either `at`, or `not_before`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EdgeLine {
    /// When it happened, as measured, RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Earliest possible time, when it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Latest possible time; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// 推定: whether it follows from other facts.
    pub inferred: bool,
    /// `true` on a logon that nobody made (automatic sign-on after an update); absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattended: Option<bool>,
    /// When somebody came to the session of an unattended logon: its first unlock, RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present_from: Option<String>,
    /// Latest possible time of that, when it is known as an interval only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present_not_after: Option<String>,
}

/// Punches of one result that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayError {
    /// The result number.
    pub res: u8,
    /// The result's stable name.
    pub error: String,
    /// How many.
    pub punches: u64,
}

/// Sums up punches by person and date, people by code, as JSON lines.
#[utoipa::path(
    get,
    path = "/api/v1/days",
    tag = "punches",
    params(DayQuery),
    security(("basic" = []), ("token" = [])),
    responses(
        (status = 200, body = DayLine, content_type = "application/jsonl",
         description = "One DayLine per line; the header mngntime-next leads to the next page",
         headers(
            ("mngntime-next" = String, description = "Where the next page begins; absent on the last"),
            ("mngntime-deleted-months" = String,
             description = "Months (YYYY-MM, with commas between them) of these dates whose records were deleted by the \
                retention rule: no line there does not mean no punch. Absent when there is none")
         )),
        (status = 400, body = Problem, description = "A parameter cannot be used"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "The role may not read attendance, or must have a second factor first"),
        (status = 404, body = Problem, description = "No such employee, or none that the caller may see"),
        (status = 429, body = Problem, description = "Too many sign-ins with this login have failed; see Retry-After"),
        (status = 503, body = Problem, description = "Too many sign-ins are waiting; see Retry-After"),
    )
)]
pub async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<DayQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let scope = caller.permit(Action::PunchesRead)?.scope()?;
    let Query(query) = query.map_err(|error| Failure::bad_request("bad_query", error.body_text()))?;
    let dates = dates(&query.from, &query.to)?;
    let after = query.after.as_deref().map(code_after).transpose()?;
    let limit = super::limit(query.limit, PAGE_PEOPLE_DEFAULT, SUMMED_PEOPLE_MAX)?;
    // What cannot be noted is not shown.
    app.store
        .note_hourly(scope.contract, "read_punches", "/api/v1/days", serde_json::json!({}), caller.act())
        .await?;
    let scope = match query.employee {
        Some(code) => of_one(&app, scope, code).await?,
        None => scope,
    };
    let page = app.store.day_summaries(scope, after, limit, dates).await?;
    let mut retired = app.store.retired_months(scope.contract).await?;
    retired.retain(|month| {
        dates.0.series(1.day()).take_while(|date| *date <= dates.1).any(|date| month.is_of(date))
    });
    let mut lines = String::new();
    for person in &page.rows {
        for day in &person.days {
            let line = DayLine::of(&person.employee.data.code, day, &retired);
            lines.push_str(&serde_json::to_string(&line).map_err(Failure::internal)?);
            lines.push('\n');
        }
    }
    let next = page.next.map(|code| (NEXT_HEADER, BASE64URL_NOPAD.encode(code.as_bytes())));
    let months: Vec<&str> = retired.iter().map(|month| month.month.as_str()).collect();
    let deleted = (!months.is_empty()).then(|| (DELETED_HEADER, months.join(",")));
    super::json_lines(lines, next.into_iter().chain(deleted))
}

/// The scope narrowed to the employee with this code.
async fn of_one(app: &App, scope: Scope, code: String) -> Result<Scope, Failure> {
    let found = app.store.employee_by_code(scope, code).await?;
    let missing = || {
        Failure::new(StatusCode::NOT_FOUND, "not_found", "There is no such employee among those you may see.")
    };
    Ok(Scope { people: ScopedPeople::One(found.ok_or_else(missing)?.id), ..scope })
}

fn dates(from: &str, to: &str) -> Result<(Date, Date), Failure> {
    let (first, last) = (date("from", from)?, date("to", to)?);
    let span = first.until((Unit::Day, last)).map_err(Failure::internal)?.get_days();
    if (0..SUMMED_DATES_MAX).contains(&span) {
        return Ok((first, last));
    }
    Err(Failure::bad_request(
        "bad_query",
        format!("The parameters from and to must be 1 to {SUMMED_DATES_MAX} dates, the first one first."),
    ))
}

fn date(name: &str, text: &str) -> Result<Date, Failure> {
    // One form: other programs of the same calendar must read the same date.
    text.parse::<Date>().ok().filter(|date| date.to_string() == text).ok_or_else(|| {
        Failure::bad_request("bad_query", format!("The parameter {name} must be a date such as 2026-11-30."))
    })
}

/// The code that a page lies behind. It may hold any letters, which a header may not.
fn code_after(text: &str) -> Result<String, Failure> {
    let decoded =
        (text.len() <= PLACE_CHARS_MAX).then(|| BASE64URL_NOPAD.decode(text.as_bytes()).ok()).flatten();
    let code = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    code.filter(|code| !code.is_empty() && !code.contains('\0')).ok_or_else(|| {
        Failure::bad_request("bad_query", "The parameter after must be a mngntime-next header's value.")
    })
}

impl DayLine {
    fn of(employee: &str, day: &DaySummary, retired: &[RetiredMonth]) -> Self {
        let error = |(result, punches): &(PunchResult, u64)| {
            let res = result.res()?;
            Some(DayError { res, error: error_name(*result)?.to_owned(), punches: *punches })
        };
        Self {
            employee: employee.to_owned(),
            date: day.date.to_string(),
            punches: day.punches,
            first_logon: day.first_logon.map(|edge| EdgeLine::of(edge, day.unattended)),
            last_logoff: day.last_logoff.map(|edge| EdgeLine::of(edge, None)),
            inferred: day.inferred,
            errors: day.errors.iter().filter_map(error).collect(),
            partly_deleted: retired.iter().any(|month| month.is_of(day.date)).then_some(true),
        }
    }
}

impl EdgeLine {
    fn of(edge: DayEdge, unattended: Option<Unattended>) -> Self {
        let bounds = unattended.and_then(|found| found.present_bounds);
        Self {
            at: edge.is_exact().then(|| rfc3339(edge.at)),
            not_before: (!edge.is_exact())
                .then(|| rfc3339(edge.bounds.map_or(edge.at, |bounds| bounds.not_before))),
            not_after: edge.bounds.map(|bounds| rfc3339(bounds.not_after)),
            inferred: edge.inferred,
            unattended: unattended.map(|_| true),
            present_from: unattended.and_then(|found| found.present_from).map(rfc3339),
            present_not_after: bounds.map(|bounds| rfc3339(bounds.not_after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::{Bounds, UtcMillis};

    #[test]
    fn a_span_has_one_to_thirty_one_dates_in_one_form() {
        for (from, to) in
            [("2026-11-30", "2026-11-30"), ("2026-10-01", "2026-10-31"), ("2026-02-01", "2026-03-03")]
        {
            assert!(dates(from, to).is_ok(), "{from} {to}");
        }
        for (from, to) in [
            ("2026-11-30", "2026-11-29"),
            ("2026-10-01", "2026-11-01"),
            ("2026-1-01", "2026-01-02"),
            ("20260101", "2026-01-02"),
            ("2026-01-01", "2026-01-02T00:00"),
            ("2026-02-29", "2026-03-01"),
            ("", "2026-03-01"),
            ("-009999-01-01", "9999-12-31"),
        ] {
            assert!(dates(from, to).is_err(), "{from} {to}");
        }
    }

    #[test]
    fn a_place_holds_any_code() {
        for code in ["E1", "社員 1", "a/b?&"] {
            assert_eq!(code_after(&BASE64URL_NOPAD.encode(code.as_bytes())).unwrap(), code);
        }
        let long = "QQ".repeat(400);
        for bad in ["", "Q", "Q!", "RTE=", "_w", "AA", &long] {
            assert!(code_after(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_estimate_has_no_time_that_could_be_added_up() {
        let (at, range) = (UtcMillis(0), Bounds::between(UtcMillis(0), UtcMillis(60_000)));
        let line = |bounds, inferred| {
            let line = EdgeLine::of(DayEdge { at, bounds, inferred }, None);
            serde_json::to_string(&line).unwrap()
        };
        assert_eq!(line(None, false), r#"{"at":"1970-01-01T00:00:00.000Z","inferred":false}"#);
        assert_eq!(
            line(Some(range), true),
            r#"{"not_before":"1970-01-01T00:00:00.000Z","not_after":"1970-01-01T00:01:00.000Z","inferred":true}"#
        );
        assert_eq!(line(None, true), r#"{"not_before":"1970-01-01T00:00:00.000Z","inferred":true}"#);
    }
}
