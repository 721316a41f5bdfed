//! One punch as a line for programs: the API's and `mngntime punches`' common form.
//!
//! The names are a promise: fields are added, never renamed.

use jiff::Timestamp;
use mngntime_model::{Evidence, PunchResult, UtcMillis};
use mngntime_store::Punch;
use serde::{Deserialize, Serialize};

/// One line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PunchLine {
    /// The terminal's id.
    pub terminal: String,
    /// Number within the terminal.
    pub seq: u64,
    /// `logon` or `logoff`.
    pub kind: String,
    /// `DOMAIN\name`.
    pub account: String,
    /// Employee code; absent when the account belonged to nobody on that date.
    pub employee: Option<String>,
    /// When it happened, RFC 3339, UTC: by the PC's clock; where that was more than 366 days off, by the server's.
    pub occurred_at: String,
    /// What the PC's clock showed, where that was more than 366 days off; absent otherwise. Beyond the years ±9999 its
    /// milliseconds, `9223372036854775807 ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_at: Option<String>,
    /// When it was stored, RFC 3339, UTC.
    pub received_at: String,
    /// The result number; absent when accepted.
    pub res: Option<u8>,
    /// The result's stable name; absent when accepted.
    pub error: Option<String>,
    /// How it came: `immediate`, `resent`, `found_at_start`, `inferred`, `reconciled`, `back_filled` or `script`. `immediate`
    /// is the word of the PC, which does not call it sent again; how long it was on its way, `received_at` says.
    /// A time that lies minutes after `received_at` is of a PC whose clock was ahead.
    pub how: String,
    /// Earliest possible time, when the time is known as an interval only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Latest possible time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
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

impl From<&Punch> for PunchLine {
    fn from(punch: &Punch) -> Self {
        let presence = punch.unattended.as_ref();
        Self {
            terminal: punch.terminal.to_string(),
            seq: punch.sequence,
            kind: punch.kind.name().to_owned(),
            account: format!("{}\\{}", punch.domain, punch.name),
            employee: punch.employee_code.clone(),
            occurred_at: rfc3339(punch.occurred_at),
            stamped_at: punch.stamped_at.map(rfc3339),
            received_at: rfc3339(punch.received_at),
            res: punch.result.res(),
            error: error_name(punch.result).map(str::to_owned),
            how: how(punch.evidence, punch.resent).to_owned(),
            not_before: punch.bounds.map(|bounds| rfc3339(bounds.not_before)),
            not_after: punch.bounds.map(|bounds| rfc3339(bounds.not_after)),
            unattended: presence.map(|_| true),
            present_from: presence.and_then(|found| found.present_from).map(rfc3339),
            present_not_after: presence
                .and_then(|found| found.present_bounds)
                .map(|bounds| rfc3339(bounds.not_after)),
        }
    }
}

/// How a punch came, as a stable name. Only a punch that the OS reported at its moment is 即時 or 再送; for
/// the others the way the agent knew says more than the way it travelled.
#[must_use]
pub fn how(evidence: Evidence, resent: bool) -> &'static str {
    match (evidence, resent) {
        (Evidence::Notice, false) => "immediate",
        (Evidence::Notice, true) => "resent",
        (Evidence::FoundAtStart, _) => "found_at_start",
        (Evidence::Inferred, _) => "inferred",
        (Evidence::Reconciled, _) => "reconciled",
        (Evidence::BackFilled, _) => "back_filled",
        (Evidence::Script, _) => "script",
    }
}

/// The stable name of a result that is an error.
#[must_use]
pub fn error_name(result: PunchResult) -> Option<&'static str> {
    match result {
        PunchResult::Accepted => None,
        PunchResult::ContractUnusable => Some("contract_unusable"),
        PunchResult::TerminalUnusable => Some("terminal_unusable"),
        PunchResult::UserUnusable => Some("user_unusable"),
        PunchResult::ReenrollmentRequired => Some("reenrollment_required"),
        PunchResult::ServerFailed => Some("server_failed"),
    }
}

/// RFC 3339 with milliseconds, UTC. A time outside the calendar's years ±9999 (a PC's clock may show
/// anything) is shown as its milliseconds.
#[must_use]
pub fn rfc3339(time: UtcMillis) -> String {
    match Timestamp::from_millisecond(time.0) {
        Ok(timestamp) => format!("{timestamp:.3}"),
        Err(_) => format!("{} ms", time.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_milliseconds_and_never_fail() {
        assert_eq!(rfc3339(UtcMillis(1_764_000_000_120)), "2025-11-24T16:00:00.120Z");
        assert_eq!(rfc3339(UtcMillis(i64::MAX)), "9223372036854775807 ms");
    }

    #[test]
    fn only_a_notice_can_be_immediate_or_resent() {
        assert_eq!(how(Evidence::Notice, false), "immediate");
        assert_eq!(how(Evidence::Notice, true), "resent");
        assert_eq!(how(Evidence::FoundAtStart, true), "found_at_start");
    }

    #[test]
    fn accepted_is_no_error_and_everything_else_is() {
        for result in PunchResult::ALL {
            assert_eq!(error_name(result).is_some(), result.res().is_some());
        }
    }
}
