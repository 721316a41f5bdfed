//! 証拠ファイル: the sealed evidence pack of one person's record, for the person and for who answers for the contract.
//!
//! Without script: the form begins it; what is made within [`WAIT`] is there on the next page, what takes longer is told
//! as being made, with a link to look again. See [`crate::evidence::on_request`] for what is promised of the file.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream;
use jiff::civil::Date;
use mngntime_store::{Employee, EmployeeId, Scope};

use super::WebState;
use super::chrome::{Banner, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use super::{employee, times, views};
use crate::access::Action;
use crate::evidence::on_request::{Busy, Failure, Ready, State as Progress, Wish};

/// How long the form waits for the file.
pub const WAIT: Duration = Duration::from_secs(2);

/// Most days of one file, both ends included: a year. The command line makes longer ones.
pub const DAYS_MAX: u16 = 366;

/// What somebody typed, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// First date.
    pub from: String,
    /// Last date.
    pub to: String,
    /// What is wrong with the dates.
    pub error: String,
}

/// A finished file, ready to be written.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// From when to when.
    pub period: String,
    /// Its length in words.
    pub size: String,
    /// Until when it is there.
    pub until: String,
}

/// How far it is, in words.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Nothing was asked for.
    Nothing,
    /// Being made; the period.
    Running(String),
    /// Finished.
    Ready(Made),
    /// Why there is none.
    Failed(String),
}

impl Shown {
    /// Whether a file can be taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

/// Whose record the page is about, and where it stands.
struct Case {
    employee: Employee,
    base: String,
    place: Place,
    back: (String, String),
}

impl Case {
    async fn find(state: &WebState, scope: Scope, id: EmployeeId) -> Result<Employee, WebError> {
        state.store.employee(scope, id).await?.ok_or(WebError::NotFound)
    }

    /// One's own.
    async fn own(state: &WebState, visit: &Visit) -> Result<Self, WebError> {
        let reach = visit.permit(Action::OwnRecordExport)?;
        let employee = Self::find(state, reach.scope()?, reach.own()?.1).await?;
        let back = ("/me".to_owned(), visit.chrome.t("nav-me"));
        Ok(Self { employee, base: "/me/evidence".to_owned(), place: Place::Me, back })
    }

    /// Somebody's of the contract.
    async fn of(state: &WebState, visit: &Visit, id: &str) -> Result<Self, WebError> {
        let contract = visit.permit(Action::EvidenceExport)?.contract()?;
        let employee = employee::find(state, contract.into(), id).await?;
        let id = employee.id;
        let back = (format!("/employees/{id}"), format!("{} {}", employee.data.code, employee.data.name));
        Ok(Self { employee, base: format!("/employees/{id}/evidence"), place: Place::Employees, back })
    }
}

/// `GET /me/evidence`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn own_page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let case = Case::own(&state, &visit).await?;
    page_of(&state, visit, case).await
}

/// `GET /employees/{employee}/evidence`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such employee, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::of(&state, &visit, &id).await?;
    page_of(&state, visit, case).await
}

async fn page_of(state: &WebState, visit: Visit, case: Case) -> Result<Response, WebError> {
    let today = visit.chrome.today();
    let draft =
        Draft { from: today.first_of_month().to_string(), to: today.to_string(), error: String::new() };
    Ok(view(state, visit, case, draft).render_page()?.into_response())
}

/// `POST /me/evidence`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn own_make(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let case = Case::own(&state, &visit).await?;
    make_for(&state, visit, case, &fields).await
}

/// `POST /employees/{employee}/evidence`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such employee, or the store fails.
pub async fn make(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let case = Case::of(&state, &visit, &id).await?;
    make_for(&state, visit, case, &fields).await
}

async fn make_for(state: &WebState, visit: Visit, case: Case, fields: &Fields) -> Result<Response, WebError> {
    let (from, to) = (fields.text("from").to_owned(), fields.text("to").to_owned());
    let dates = match dates(fields, &visit) {
        Ok(dates) => dates,
        Err(error) => {
            let page = view(state, visit, case, Draft { from, to, error });
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response());
        }
    };
    let contract = visit.own_contract().cloned().ok_or(WebError::NotFound)?;
    let wish = Wish {
        person: visit.person().id,
        contract,
        employee: case.employee.clone(),
        dates,
        act: visit.act(),
    };
    match state.packs.begin(wish) {
        Ok(running) => {
            // Whether it is ready by then is read from the page that follows.
            let _in_time = tokio::time::timeout(state.packs.patience(), running).await;
            Ok(Redirect::to(&case.base).into_response())
        }
        Err(Busy) => {
            let c = &visit.chrome;
            visit.leave(Banner::new(Tone::Warn, c.t("evidence-busy"), c.t("evidence-busy-text"))).await?;
            Ok(Redirect::to(&case.base).into_response())
        }
    }
}

fn dates(fields: &Fields, visit: &Visit) -> Result<(Date, Date), String> {
    let c = &visit.chrome;
    let date = |name| fields.date(name).map_err(|text| c.v("filter-bad-date", "text", text));
    let (Some(from), Some(to)) = (date("from")?, date("to")?) else {
        return Err(c.t("evidence-dates-missing"));
    };
    if to < from {
        return Err(c.t("filter-dates-reversed"));
    }
    match from.until(to).map(|span| span.get_days()) {
        Ok(days) if days < i32::from(DAYS_MAX) => Ok((from, to)),
        _ => Err(c.n("evidence-too-long", u64::from(DAYS_MAX))),
    }
}

fn view(state: &WebState, mut visit: Visit, case: Case, draft: Draft) -> views::Evidence {
    visit.chrome = visit.chrome.at(case.place).reached_by(&case.base);
    let job = state.packs.job(visit.person().id).filter(|job| job.employee == case.employee.id);
    let c = &visit.chrome;
    let shown = match job {
        None => Shown::Nothing,
        Some(job) => {
            let period = format!("{}〜{}", job.dates.0, job.dates.1);
            match job.state {
                Progress::Running => Shown::Running(period),
                Progress::Failed(failure) => Shown::Failed(c.t(failed_key(failure))),
                Progress::Ready(ready) => Shown::Ready(Made {
                    name: ready.name.clone(),
                    period,
                    size: c.n("evidence-kilobytes", ready.bytes.div_ceil(1_000)),
                    until: times::clock_short(ready.until),
                }),
            }
        }
    };
    views::Evidence {
        code: case.employee.data.code,
        name: case.employee.data.name,
        base: case.base,
        back: case.back,
        shown,
        draft,
        limit: c.n("evidence-limit", u64::from(DAYS_MAX)),
        c: visit.chrome,
    }
}

fn failed_key(failure: Failure) -> &'static str {
    match failure {
        Failure::Font => "evidence-failed-font",
        Failure::Contradicts => "evidence-failed-contradicts",
        Failure::Other => "evidence-failed-other",
    }
}

/// `GET /me/evidence/pack`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn own_pack(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let case = Case::own(&state, &visit).await?;
    pack_of(&state, &visit, case).await
}

/// `GET /employees/{employee}/evidence/pack`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such employee, or the store fails.
pub async fn pack(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let case = Case::of(&state, &visit, &id).await?;
    pack_of(&state, &visit, case).await
}

/// What is no longer there can be made again.
async fn pack_of(state: &WebState, visit: &Visit, case: Case) -> Result<Response, WebError> {
    let job = state.packs.job(visit.person().id).filter(|job| job.employee == case.employee.id);
    let Some(Progress::Ready(ready)) = job.map(|job| job.state) else {
        let c = &visit.chrome;
        visit.leave(Banner::new(Tone::Warn, c.t("evidence-gone"), c.t("evidence-gone-text"))).await?;
        return Ok(Redirect::to(&case.base).into_response());
    };
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, ready.bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", ready.name)),
    ];
    Ok((headers, Body::from_stream(stream::try_unfold((ready, 0), next_piece))).into_response())
}

async fn next_piece(
    (ready, offset): (Arc<Ready>, u64),
) -> std::io::Result<Option<(Bytes, (Arc<Ready>, u64))>> {
    let reading = ready.clone();
    let read = tokio::task::spawn_blocking(move || reading.read(offset)).await;
    let bytes = read.map_err(std::io::Error::other)??;
    let next = offset + bytes.len() as u64;
    Ok(if bytes.is_empty() { None } else { Some((Bytes::from(bytes), (ready, next))) })
}

/// `GET /evidence-key`: the server's public key, for `mngntime verify --key`.
///
/// # Errors
/// [`WebError`] when nobody is signed in.
pub async fn key(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::ServerKeyRead)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"mngntime-server.pub\""),
    ];
    Ok((headers, state.packs.public_key()).into_response())
}
