//! `/healthz` and `/metrics`.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use mngntime_wire::Problem;
use serde::Serialize;

use super::guard::bearer_token;
use crate::app::Shared;
use crate::log_heads::ahead_words;
use crate::problem::Failure;

/// The server works.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Healthy {
    /// Always `ok`.
    status: &'static str,
    /// Version of the server.
    version: &'static str,
    /// What an operator should look at although the server works; absent when there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// Something an operator should look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Warning {
    /// For programs: `log_broken`, `log_ahead_of_clock`, `job_failed`.
    code: &'static str,
    /// For people.
    message: String,
}

/// Events are taken in all the same.
const LOG_BROKEN: &str = "what is stored contradicts the signed log, which gets no further head until that is settled: \
    the server's log names what was found. Keep a copy of the data directory and compare the database with a backup";

/// Each month once, whichever contracts it concerns: their names are nobody's business here.
fn warnings(app: &Shared) -> Vec<Warning> {
    let months: BTreeSet<_> =
        app.log_heads.ahead_of(app.now()).into_iter().map(|found| found.month).collect();
    let ahead = |month: &String| Warning { code: "log_ahead_of_clock", message: ahead_words(month) };
    let broken = (!app.metrics.log_was_whole())
        .then(|| Warning { code: "log_broken", message: LOG_BROKEN.to_owned() });
    let failed = app.failed_jobs.names();
    broken.into_iter().chain(months.iter().map(ahead)).chain(failed.into_iter().map(failed_job)).collect()
}

fn failed_job(job: &str) -> Warning {
    let message = format!(
        "the server could not {job} when it last tried, and tries again every minute: its own log says why (a full disk, say)"
    );
    Warning { code: "job_failed", message }
}

/// Whether the server works: the store is asked to read and to write, and pages are written every ten seconds at most.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "server",
    responses(
        (status = 200, body = Healthy, description = "The store reads and writes"),
        (status = 503, body = Problem, description = "It does not"),
    )
)]
pub async fn healthz(State(app): State<Shared>) -> Result<Json<Healthy>, Failure> {
    app.store.probe().await.map_err(|error| {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "The store does not answer.")
            .caused_by(error)
    })?;
    Ok(Json(Healthy { status: "ok", version: env!("CARGO_PKG_VERSION"), warnings: warnings(&app) }))
}

/// Figures in OpenMetrics text, for whoever has the token where one is set.
///
/// # Errors
/// 401 without it.
pub async fn metrics(
    State(app): State<Shared>,
    headers: HeaderMap,
) -> Result<([(HeaderName, &'static str); 1], String), Failure> {
    if !app.may_read_metrics(bearer_token(&headers)) {
        let message = "The figures are for whoever gives the token of metrics_token_file as a Bearer token.";
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", message));
    }
    app.metrics.watched.queue(app.store.writer_load());
    let page = app.metrics.page().map_err(Failure::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page))
}
