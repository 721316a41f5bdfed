//! What is asked, and what counts as an answer. No I/O.

use mngntime_agent_core::input::{Answer, AnswerItem, EnrollOutcome, SendOutcome, ServerWishes};
use mngntime_ledger::Digest;
use mngntime_model::{EnrollmentRefusal, FailureCause, Language, Moment, PunchResult};
use mngntime_wire::limits::{CONTACT_SECONDS_MAX, MISSING_RANGES_MAX, SPREAD_SECONDS_MAX};
use mngntime_wire::{
    Batch, BatchItem, Context, EnrollmentAnswer, EnrollmentRequest, PublicKey, Receipt, ReceiptItem, Signed,
    Signer,
};
use serde_json::value::RawValue;

use super::http::{Reply, host_of};
use super::trouble::{Kind, Trouble};
use super::wording::one_line;
use crate::journal::{Enrollment, checked_receipt};

/// A request, and what its answer must fit.
#[derive(Debug)]
pub struct Prepared {
    /// The JSON to post.
    pub body: String,
    /// What the answer must fit.
    pub expected: Expected,
}

/// What an answer must fit to count.
#[derive(Debug)]
pub struct Expected {
    /// Digest of our payload.
    request: String,
    /// The server's key; `None` before the first enrolment without a configured one.
    server_key: Option<PublicKey>,
    terminal: String,
    contract: String,
    server_url: String,
    /// The terminal's public key, as sent to be enrolled.
    public_key: Option<String>,
    /// Numbers and digests sent.
    events: Vec<(u64, String)>,
}

/// Parts of a batch that come from all over the shell.
#[derive(Debug)]
pub struct BatchParts<'a> {
    /// What enrolment gave.
    pub enrollment: &'a Enrollment,
    /// The contract of today's configuration.
    pub contract: &'a str,
    /// All clocks now.
    pub now: Moment,
    /// The running boot.
    pub boot: &'a str,
    /// Digest of the make-up.
    pub makeup: &'a str,
    /// Events without a receipt.
    pub waiting: u64,
    /// Number, bytes and 再送 mark of each event.
    pub events: Vec<(u64, String, bool)>,
}

/// Makes and signs a batch.
///
/// # Errors
/// When the bytes of an event are no JSON any more, the pinned key is none, or the terminal's key does not
/// sign.
pub fn prepare_batch(parts: BatchParts<'_>, key: &dyn Signer) -> anyhow::Result<Prepared> {
    let events: Vec<(u64, String)> = parts
        .events
        .iter()
        .map(|(sequence, json, _)| (*sequence, Digest::of(json.as_bytes()).to_string()))
        .collect();
    let items = parts
        .events
        .into_iter()
        .map(|(_, json, resent)| Ok(BatchItem { resent, event: RawValue::from_string(json)? }))
        .collect::<Result<Vec<_>, serde_json::Error>>()?;
    let batch = Batch {
        v: 1,
        contract: parts.contract.to_owned(),
        terminal: parts.enrollment.terminal.clone(),
        sent_at: parts.now.into(),
        boot: parts.boot.to_owned(),
        waiting: parts.waiting,
        makeup: parts.makeup.to_owned(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        events: items,
    };
    let signed = Signed::seal(Context::Batch, &batch, key)?;
    Ok(Prepared {
        body: signed.to_json()?,
        expected: Expected {
            request: signed.payload_digest().to_string(),
            server_key: Some(PublicKey::parse(&parts.enrollment.server_key)?),
            terminal: parts.enrollment.terminal.clone(),
            contract: parts.contract.to_owned(),
            server_url: parts.enrollment.server_url.clone(),
            public_key: None,
            events,
        },
    })
}

/// Makes and signs a request to be enrolled.
///
/// # Errors
/// When the key does not sign.
pub fn prepare_enrollment(
    request: &EnrollmentRequest,
    server_url: &str,
    server_key: Option<PublicKey>,
    key: &dyn Signer,
) -> anyhow::Result<Prepared> {
    let signed = Signed::seal(Context::EnrollmentRequest, request, key)?;
    Ok(Prepared {
        body: signed.to_json()?,
        expected: Expected {
            request: signed.payload_digest().to_string(),
            server_key,
            terminal: String::new(),
            contract: request.contract.clone(),
            server_url: server_url.to_owned(),
            public_key: Some(request.public_key.clone()),
            events: Vec::new(),
        },
    })
}

/// Judges the reply to a batch. The second value is the receipt as received.
pub(super) fn judge_receipt(
    reply: Result<Reply, FailureCause>,
    expected: &Expected,
    language: Language,
) -> (SendOutcome, Option<String>) {
    let failed = |cause, retry_after_seconds| (SendOutcome::Failed { cause, retry_after_seconds }, None);
    let reply = match reply {
        Ok(reply) => reply,
        Err(cause) => return failed(cause, None),
    };
    let signed = match envelope(&reply, language) {
        Ok(signed) => signed,
        Err(cause) => return failed(cause, reply.retry_after_seconds),
    };
    match receipt(&signed, expected) {
        Ok(receipt) => (SendOutcome::Answered(answer(receipt)), signed.to_json().ok()),
        Err(what) => failed(not_our_receipt(reply.status, what, language), reply.retry_after_seconds),
    }
}

/// Judges the reply to an enrolment.
pub(super) fn judge_enrollment(
    reply: Result<Reply, FailureCause>,
    expected: &Expected,
    language: Language,
) -> (EnrollOutcome, Option<Enrollment>) {
    let failed = |cause, retry_after_seconds| {
        (EnrollOutcome::Failed { cause, reason: None, retry_after_seconds }, None)
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(cause) => return failed(cause, None),
    };
    let answer = match envelope(&reply, language) {
        Ok(signed) => enrollment_answer(&signed, expected),
        Err(cause) => return failed(cause, reply.retry_after_seconds),
    };
    match answer {
        Err(what) => failed(not_our_receipt(reply.status, what, language), reply.retry_after_seconds),
        Ok(answer) => match (answer.res, answer.terminal) {
            (None, Some(terminal)) => {
                let display_name = answer.display_name;
                let enrollment = Enrollment {
                    contract: expected.contract.clone(),
                    server_url: expected.server_url.clone(),
                    terminal,
                    server_key: answer.server_key,
                    display_name: display_name.clone(),
                    public_key: expected.public_key.clone(),
                };
                (EnrollOutcome::Done { display_name }, Some(enrollment))
            }
            (None, None) => {
                failed(not_our_receipt(reply.status, "an enrolment without a terminal", language), None)
            }
            (Some(res), _) => {
                let cause = result_cause(res);
                // The contract has a reason beside this result only.
                let word =
                    answer.reason.filter(|_| cause == FailureCause::Result(PunchResult::TerminalUnusable));
                let reason = word.as_deref().and_then(EnrollmentRefusal::from_word);
                let retry_after_seconds = reply.retry_after_seconds;
                (EnrollOutcome::Failed { cause, reason, retry_after_seconds }, None)
            }
        },
    }
}

/// Judges the reply to a request that is none: our server says no to it.
pub(super) fn judge_refusal(
    reply: Result<Reply, FailureCause>,
    language: Language,
) -> Result<(), FailureCause> {
    let reply = reply?;
    if reply.from_our_server && (400..500).contains(&reply.status) {
        return Ok(());
    }
    envelope(&reply, language).map(|_| ())
}

/// The envelope of a reply, if it is one of ours at all.
fn envelope(reply: &Reply, language: Language) -> Result<Signed, FailureCause> {
    if reply.status != 200 && reply.from_our_server {
        return Err(FailureCause::ServerInternal { http_status: reply.status });
    }
    if reply.status != 200 || reply.content_type != "application/json" {
        return Err(told(&Trouble::new(foreign(reply)), language));
    }
    Signed::parse(&reply.body).map_err(|_| not_our_receipt(reply.status, "no signed envelope", language))
}

/// What an answer is that did not come from our server: what a support person needs to recognise a login
/// page or a block page, and to tell two of them apart.
fn foreign(reply: &Reply) -> Kind {
    if (300..400).contains(&reply.status) {
        return Kind::Redirect { status: reply.status, host: host_of(&reply.location) };
    }
    let beginning: String = String::from_utf8_lossy(&reply.body).chars().take(120).collect();
    Kind::Page {
        status: reply.status,
        content_type: one_line(&reply.content_type.chars().take(64).collect::<String>()),
        digest: Digest::of(&reply.body).to_string().chars().take(12).collect(),
        beginning: one_line(&beginning),
    }
}

fn receipt(signed: &Signed, expected: &Expected) -> Result<Receipt, &'static str> {
    let key = expected.server_key.as_ref().ok_or("no server key is pinned")?;
    let receipt = checked_receipt(signed, key)?;
    if receipt.request != expected.request || receipt.terminal != expected.terminal {
        return Err("the receipt belongs to another request");
    }
    let sent: Vec<(u64, &str)> = expected.events.iter().map(|(seq, hash)| (*seq, hash.as_str())).collect();
    let held: Vec<(u64, &str)> = receipt.items.iter().map(|item| (item.seq, item.hash.as_str())).collect();
    if receipt.refused.is_none() && held != sent {
        return Err("the receipt does not cover what was sent");
    }
    Ok(receipt)
}

fn enrollment_answer(signed: &Signed, expected: &Expected) -> Result<EnrollmentAnswer, &'static str> {
    let answer: EnrollmentAnswer = signed.peek().map_err(|_| "the answer is not of this contract")?;
    let named = PublicKey::parse(&answer.server_key).map_err(|_| "the server names no usable key")?;
    if expected.server_key.is_some_and(|pinned| pinned != named) {
        return Err("the server's key is not the one in server_key");
    }
    signed.check(Context::EnrollmentAnswer, &named).map_err(|_| "the signature is not the server's own")?;
    if answer.v != 1 || answer.request != expected.request {
        return Err("the answer belongs to another request");
    }
    Ok(answer)
}

fn answer(receipt: Receipt) -> Answer {
    Answer {
        items: receipt.items.iter().map(answer_item).collect(),
        refused: receipt.refused,
        head: receipt.head,
        missing: missing(&receipt),
        wishes: ServerWishes {
            spread_seconds: receipt.spread_seconds.min(SPREAD_SECONDS_MAX),
            contact_seconds: receipt.contact_seconds.clamp(10, CONTACT_SECONDS_MAX),
            display_name: receipt.display_name.chars().filter(|c| !c.is_control()).take(64).collect(),
        },
    }
}

/// The ranges that make sense, limited to the contract's bounds.
fn missing(receipt: &Receipt) -> Vec<(u64, u64)> {
    let ranges = receipt.missing.iter().take(MISSING_RANGES_MAX).map(|[first, last]| (*first, *last));
    ranges.filter(|(first, last)| (1..=*last).contains(first) && *last <= receipt.head).collect()
}

fn answer_item(item: &ReceiptItem) -> AnswerItem {
    let result = PunchResult::from_res(item.res).ok_or(item.res.unwrap_or_default());
    AnswerItem { sequence: item.seq, stored: item.stored, result }
}

fn result_cause(res: u8) -> FailureCause {
    match PunchResult::from_res(Some(res)) {
        Some(result) => FailureCause::Result(result),
        None => FailureCause::UnknownResult(res),
    }
}

fn not_our_receipt(status: u16, what: &str, language: Language) -> FailureCause {
    told(&Trouble::with(Kind::NotOurReceipt { status }, what), language)
}

fn told(trouble: &Trouble, language: Language) -> FailureCause {
    FailureCause::Network { http_status: trouble.http_status(), detail: trouble.text(language) }
}

#[cfg(test)]
mod tests;
