//! Errors of the HTTP exchange.
//!
//! The client gets a stable name, a sentence and a correlation id; the log gets the same id with the cause.
//! Which error has which status is decided in one place, here.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mngntime_store::{Refusal, StoreError};
use mngntime_wire::Problem;

/// What an overloaded server asks for, in seconds. Agents add full jitter.
const RETRY_AFTER_OVERLOAD_SECONDS: u32 = 5;

/// What a client gets to hear once its request has failed.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    error: &'static str,
    message: String,
    retry_after: Option<u32>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure with the stable name `error`.
    #[must_use]
    pub fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into(), retry_after: None, cause: None }
    }

    /// 400 with a name of its own.
    #[must_use]
    pub fn bad_request(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, message)
    }

    /// 500; the cause goes to the log only.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let message = "The server failed. Its log tells why under this correlation id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).caused_by(cause)
    }

    /// 503: nothing has been stored, try again.
    #[must_use]
    pub fn overloaded() -> Self {
        let message =
            "The server has more work than it accepts. Nothing has been stored; send it again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
            .retry_after(RETRY_AFTER_OVERLOAD_SECONDS)
    }

    /// 503: the database cannot be reached. Whether something was stored may be unknown; sending it again does no harm.
    fn away(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let message = "The server's database cannot be reached. Send it again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_away", message)
            .caused_by(cause)
            .retry_after(RETRY_AFTER_OVERLOAD_SECONDS)
    }

    /// Adds what goes to the log only.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Adds a `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    fn log(&self, correlation: &str) {
        let (status, error) = (self.status.as_u16(), self.error);
        let cause = self.cause.as_deref().map(chain).unwrap_or_default();
        if self.status.is_server_error() {
            tracing::error!(status, error, correlation, cause, "a request failed");
        } else {
            tracing::info!(status, error, correlation, cause, "a request was refused");
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let correlation = correlation();
        self.log(&correlation);
        let problem = Problem { error: self.error.to_owned(), message: self.message, correlation };
        let mut response = (self.status, Json(problem)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Basic realm=\"MngnTime\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::overloaded(),
            StoreError::Closed => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                "The server is stopping. Nothing has been stored; send it again later.",
            )
            .retry_after(RETRY_AFTER_OVERLOAD_SECONDS),
            StoreError::Away { .. } => Self::away(error),
            StoreError::Refused(refusal) => refusal.into(),
            StoreError::Failed { .. } => Self::internal(error),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Missing { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            Refusal::Taken { .. } => Self::new(StatusCode::CONFLICT, "taken", message),
            Refusal::Held { .. } => Self::new(StatusCode::CONFLICT, "taken", message),
            Refusal::LinkOverlaps { .. } => Self::new(StatusCode::CONFLICT, "link_overlaps", message),
            Refusal::DepartmentCycle => Self::new(StatusCode::CONFLICT, "department_cycle", message),
            Refusal::Department { .. } => Self::bad_request("department", message),
            Refusal::LastOne { .. } => Self::new(StatusCode::CONFLICT, "last_one", message),
            Refusal::OnlyWayIn => Self::new(StatusCode::CONFLICT, "only_way_in", message),
            Refusal::LastSecondFactor => Self::new(StatusCode::CONFLICT, "last_second_factor", message),
            Refusal::State { .. } => Self::new(StatusCode::CONFLICT, "state", message),
            Refusal::DatesReversed => Self::bad_request("dates_reversed", message),
            Refusal::TooMany { .. } => Self::bad_request("too_many", message),
        }
    }
}

/// An error with all its causes in one line.
#[must_use]
pub fn chain(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// Names one occurrence: the second this process first failed, and a count.
fn correlation() -> String {
    static STARTED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let started = *STARTED
        .get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    format!("{started:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_own_correlation_id() {
        assert_ne!(correlation(), correlation());
    }

    #[test]
    fn overload_says_when_to_come_back_and_a_broken_store_does_not() {
        let overloaded = Failure::from(StoreError::Overloaded).into_response();
        assert_eq!(overloaded.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(overloaded.headers().contains_key(header::RETRY_AFTER));
        let away = StoreError::Away { operation: "store", source: "connection refused".into() };
        let away = Failure::from(away).into_response();
        assert_eq!(away.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(away.headers().contains_key(header::RETRY_AFTER));
        let broken = StoreError::Failed { operation: "store", source: "disk on fire".into() };
        let broken = Failure::from(broken).into_response();
        assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!broken.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn the_log_gets_every_cause_once() {
        let error = StoreError::Failed { operation: "store a batch", source: "disk on fire".into() };
        assert_eq!(chain(&error), "could not store a batch: disk on fire");
    }
}
