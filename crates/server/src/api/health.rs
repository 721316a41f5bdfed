//! `/healthz` and `/metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use mngntime_wire::Problem;
use serde::Serialize;

use crate::app::Shared;
use crate::problem::Failure;

/// The server works.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Healthy {
    /// Always `ok`.
    status: &'static str,
    /// Version of the server.
    version: &'static str,
}

/// Whether the server works: the store is asked to read and to write.
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
    Ok(Json(Healthy { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}

/// Figures in OpenMetrics text.
///
/// # Errors
/// Never in practice.
pub async fn metrics(
    State(app): State<Shared>,
) -> Result<([(HeaderName, &'static str); 1], String), Failure> {
    let page = app.metrics.page().map_err(Failure::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page))
}
