//! Answers that are errors of the exchange itself, not results of a punch.

use serde::{Deserialize, Serialize};

/// Header by which an agent knows that an HTTP error came from our server and not from something between:
/// `MngnTime-Server: 1`.
pub const SERVER_MARKER_HEADER: &str = "mngntime-server";

/// Media type of every body of this contract.
pub const JSON: &str = "application/json";

/// Body of an HTTP error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A stable name: `malformed_body`, `body_too_large`, `unsupported_media_type`, `overloaded`, `internal` …
    pub error: String,
    /// What is wrong and what to do, in English, without personal data.
    pub message: String,
    /// Names this occurrence in the server's log.
    pub correlation: String,
}
