//! Reading a request's body within bounds of size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use mngntime_wire::{limits, problem};

use crate::problem::Failure;

/// How long a body may take, in all. A full batch of 64 KiB passes a 56 kbit/s line in 10 s.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// The body of a request that must be JSON of at most [`limits::BODY_BYTES_MAX`] bytes.
///
/// # Errors
/// 415, 413, 408 or 400.
pub async fn read_json(request: Request) -> Result<Bytes, Failure> {
    let (parts, body) = request.into_parts();
    check_media_type(&parts.headers)?;
    check_announced_length(&parts.headers)?;
    tokio::time::timeout(BODY_TIME_MAX, collect(body)).await.map_err(|_| too_slow())?
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Failure> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = found.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(problem::JSON) {
        return Ok(());
    }
    let message = "The body must be JSON: send Content-Type: application/json.";
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message))
}

/// Refuses before reading what says itself that it is too large.
fn check_announced_length(headers: &HeaderMap) -> Result<(), Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced: Option<usize> = announced.and_then(|text| text.parse().ok());
    if announced.is_some_and(|bytes| bytes > limits::BODY_BYTES_MAX) { Err(too_large()) } else { Ok(()) }
}

async fn collect(body: Body) -> Result<Bytes, Failure> {
    axum::body::to_bytes(body, limits::BODY_BYTES_MAX).await.map_err(|error| {
        if is_length_limit(&error) {
            too_large()
        } else {
            Failure::bad_request("broken_body", "The body ended before it was complete.").caused_by(error)
        }
    })
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn too_large() -> Failure {
    let message =
        format!("The body is larger than the {} bytes allowed. Send fewer events.", limits::BODY_BYTES_MAX);
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn too_slow() -> Failure {
    let message = format!("The body took longer than {} seconds.", BODY_TIME_MAX.as_secs());
    Failure::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
}
