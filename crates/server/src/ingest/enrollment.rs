//! `POST /api/v1/terminals`: a PC becomes a terminal.

use std::net::IpAddr;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use mngntime_model::{EnrollmentRefusal, PunchResult, TerminalId};
use mngntime_store::{EnrollmentOutcome, Enrolment, KeyEnd, KeyHash, QuarantineReason, Quarantined};
use mngntime_wire::{
    Context, EnrollmentAnswer, EnrollmentRequest, InvalidEnvelope, Problem, PublicKey, Signed,
};
use serde::Serialize;

use super::{body, is_plain, quarantine};
use crate::app::{App, Shared};
use crate::problem::Failure;
use crate::rate_limit::RETRY_AFTER_SECONDS;
use crate::source_address::of_request;

/// What stands in the quarantine instead of an enrolment key.
const KEY_LEFT_OUT: &str = "(left out)";

/// Enrols a PC.
///
/// The body is a `Signed` envelope whose payload is an `EnrollmentRequest`, signed with the key to pin; the
/// answer is a `Signed` envelope whose payload is an `EnrollmentAnswer`.
#[utoipa::path(
    post,
    path = "/api/v1/terminals",
    tag = "terminals",
    request_body(content = Signed, content_type = "application/json", description = "Signed<EnrollmentRequest>"),
    responses(
        (status = 200, body = Signed, description = "Signed<EnrollmentAnswer>"),
        (status = 400, body = Problem, description = "The body is not an enrolment of this contract"),
        (status = 408, body = Problem, description = "The body took too long"),
        (status = 413, body = Problem, description = "The body is too large"),
        (status = 415, body = Problem, description = "The body is not JSON"),
        (status = 429, body = Problem, description = "Too many enrolments from this address; see Retry-After"),
        (status = 500, body = Problem, description = "The server failed"),
        (status = 503, body = Problem, description = "The server is overloaded; see Retry-After"),
    )
)]
pub async fn enroll(State(app): State<Shared>, request: Request) -> Result<Json<Signed>, Failure> {
    let from = of_request(request.extensions(), request.headers(), &app.settings.trusted_proxies);
    check_rate(&app, from)?;
    let (bytes, _room) = body::read_json(request, &app.bodies).await?;
    let envelope = Signed::parse(&bytes).map_err(malformed)?;
    let wanted: EnrollmentRequest = envelope.peek().map_err(malformed)?;
    check(&wanted)?;
    let (outcome, reason) = decide(&app, &envelope, &wanted, from).await?;
    let answer = EnrollmentAnswer {
        v: 1,
        request: envelope.payload_digest().to_string(),
        res: res(outcome),
        reason: reason.map(|reason| reason.word().to_owned()),
        terminal: terminal(outcome),
        server_key: app.key.public().to_string(),
        display_name: app.settings.display_name.clone(),
    };
    Signed::seal(Context::EnrollmentAnswer, &answer, app.key.as_ref()).map(Json).map_err(Failure::internal)
}

fn check_rate(app: &App, from: Option<IpAddr>) -> Result<(), Failure> {
    match from {
        Some(address) if !app.enrollment_limit.allows(address) => {
            let message = "Too many enrolments from this address. Try again in a minute.";
            Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_enrollments", message)
                .retry_after(RETRY_AFTER_SECONDS))
        }
        Some(_) | None => Ok(()),
    }
}

fn malformed(error: InvalidEnvelope) -> Failure {
    Failure::bad_request("malformed_body", "The body is not the JSON of this contract.").caused_by(error)
}

fn check(wanted: &EnrollmentRequest) -> Result<(), Failure> {
    if wanted.v != 1 {
        let message = format!("The request has version {}, only 1 is known here.", wanted.v);
        return Err(Failure::bad_request("unknown_version", message));
    }
    let texts = [
        &wanted.contract,
        &wanted.enrollment_key,
        &wanted.host_name,
        &wanted.os,
        &wanted.makeup,
        &wanted.key_class,
        &wanted.agent,
    ];
    if texts.into_iter().all(|text| is_plain(text)) {
        return Ok(());
    }
    let message = "A text of the request is longer than allowed or holds control characters.";
    Err(Failure::bad_request("malformed_body", message))
}

async fn decide(
    app: &App,
    envelope: &Signed,
    wanted: &EnrollmentRequest,
    from: Option<IpAddr>,
) -> Result<(EnrollmentOutcome, Option<EnrollmentRefusal>), Failure> {
    let key = PublicKey::parse(&wanted.public_key)
        .map_err(|error| Failure::bad_request("malformed_key", format!("The field public_key: {error}.")))?;
    let (outcome, reason) = if envelope.check(Context::EnrollmentRequest, &key).is_err() {
        // Who does not hold the key may not have it pinned, and is told nothing of whose it is.
        (EnrollmentOutcome::TerminalUnusable, None)
    } else {
        let outcome = app.store.enroll(enrolment(app, wanted, &key)?).await?;
        (outcome, reason(outcome))
    };
    app.metrics.enrollment(outcome);
    if res(outcome).is_some() {
        note_refusal(app, wanted, reason, from).await?;
    } else if matches!(outcome, EnrollmentOutcome::Enrolled(_)) {
        app.one_terminal_more();
    }
    Ok((outcome, reason))
}

fn enrolment(app: &App, wanted: &EnrollmentRequest, key: &PublicKey) -> Result<Enrolment, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Failure::internal(error.to_string()))?;
    Ok(Enrolment {
        contract: wanted.contract.clone(),
        key: KeyHash::of(&wanted.enrollment_key),
        public_key: key.to_string(),
        host_name: wanted.host_name.clone(),
        os: wanted.os.clone(),
        makeup: wanted.makeup.clone(),
        key_class: wanted.key_class.clone(),
        agent_version: wanted.agent.clone(),
        proposed: TerminalId::from_random(random),
        at: app.now(),
    })
}

/// An enrolment that was refused, as it is noted.
#[derive(Serialize)]
struct Noted {
    #[serde(flatten)]
    wanted: EnrollmentRequest,
    /// What the PC was told; absent when nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
}

/// Notes a refused enrolment for the operator, and for the contract's own people where one of its keys was given. A key
/// that is almost right must not lie around in a table.
async fn note_refusal(
    app: &App,
    wanted: &EnrollmentRequest,
    reason: Option<EnrollmentRefusal>,
    from: Option<IpAddr>,
) -> Result<(), Failure> {
    let kept = EnrollmentRequest { enrollment_key: KEY_LEFT_OUT.to_owned(), ..wanted.clone() };
    let noted = Noted { wanted: kept, refused: reason.map(EnrollmentRefusal::word) };
    let entry = Quarantined {
        received_at: app.now(),
        reason: QuarantineReason::RefusedEnrollment,
        contract: wanted.contract.clone(),
        terminal: wanted.host_name.clone(),
        body: serde_json::to_vec(&noted).map_err(Failure::internal)?,
    };
    Ok(quarantine(app, entry, from).await?)
}

fn res(outcome: EnrollmentOutcome) -> Option<u8> {
    match outcome {
        EnrollmentOutcome::Enrolled(_)
        | EnrollmentOutcome::EnrolledBlocked(_)
        | EnrollmentOutcome::EnrolledAgain(_) => None,
        EnrollmentOutcome::ContractUnusable => PunchResult::ContractUnusable.res(),
        EnrollmentOutcome::WrongKey
        | EnrollmentOutcome::KeyEnded(_)
        | EnrollmentOutcome::TerminalUnusable => PunchResult::TerminalUnusable.res(),
    }
}

/// What the one who asks may know beyond the number. Of a contract it is not said whether there is one.
fn reason(outcome: EnrollmentOutcome) -> Option<EnrollmentRefusal> {
    match outcome {
        EnrollmentOutcome::Enrolled(_)
        | EnrollmentOutcome::EnrolledBlocked(_)
        | EnrollmentOutcome::EnrolledAgain(_)
        | EnrollmentOutcome::ContractUnusable => None,
        EnrollmentOutcome::WrongKey => Some(EnrollmentRefusal::KeyUnknown),
        EnrollmentOutcome::KeyEnded(KeyEnd::Revoked) => Some(EnrollmentRefusal::KeyRevoked),
        EnrollmentOutcome::KeyEnded(KeyEnd::Expired) => Some(EnrollmentRefusal::KeyExpired),
        EnrollmentOutcome::KeyEnded(KeyEnd::UsedUp) => Some(EnrollmentRefusal::KeyUsedUp),
        EnrollmentOutcome::TerminalUnusable => Some(EnrollmentRefusal::TerminalBlocked),
    }
}

fn terminal(outcome: EnrollmentOutcome) -> Option<String> {
    match outcome {
        EnrollmentOutcome::Enrolled(id)
        | EnrollmentOutcome::EnrolledBlocked(id)
        | EnrollmentOutcome::EnrolledAgain(id) => Some(id.to_string()),
        EnrollmentOutcome::ContractUnusable
        | EnrollmentOutcome::WrongKey
        | EnrollmentOutcome::KeyEnded(_)
        | EnrollmentOutcome::TerminalUnusable => None,
    }
}
