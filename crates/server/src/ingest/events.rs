//! `POST /api/v1/events`: a signed batch in, a signed receipt out.
//!
//! A receipt claims storage only for what the store has called durable: it is made and signed inside the transaction that
//! stores the events, kept there, and given after the commit. Every way out before that is either a receipt that claims
//! nothing (`refused`) or a `Problem`.
//!
//! Signatures are checked here, on the threads that serve connections, while the writer commits the group before. They
//! are checked one by one: a check of many at once (`verify_batch`) takes half the time, and lets pass what a strict check
//! refuses, when the signer adds points of small order. He could have a batch stored that every later verifier calls forged.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use mngntime_attendance::completeness::{self, Received, may_be_years_off};
use mngntime_ledger::Digest;
use mngntime_model::{Event, PunchResult, TerminalId, UtcMillis};
use mngntime_store::{
    ContractId, IncomingBatch, IncomingEvent, ItemOutcome, LeafPlace, QuarantineReason, Quarantined, Refusal,
    Seal, Sealed, Sender, SignedBatch, StoreError,
};
use mngntime_wire::{
    Batch, BatchItem, Context, EncodedEvent, InvalidEnvelope, LogPlace, Problem, PublicKey, Receipt,
    ReceiptItem, Signed, limits,
};

use super::senders::KnownSender;
use super::{body, is_plain, quarantine};
use crate::app::{App, Shared};
use crate::problem::Failure;
use crate::source_address::of_request;

/// Takes in a batch.
///
/// The body is a `Signed` envelope whose payload is a `Batch`; the answer is a `Signed` envelope whose
/// payload is a `Receipt`.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    tag = "terminals",
    request_body(content = Signed, content_type = "application/json", description = "Signed<Batch>"),
    responses(
        (status = 200, body = Signed, description = "Signed<Receipt>"),
        (status = 400, body = Problem, description = "The body is not a batch of this contract"),
        (status = 408, body = Problem, description = "The body took too long"),
        (status = 413, body = Problem, description = "The body is too large"),
        (status = 415, body = Problem, description = "The body is not JSON"),
        (status = 500, body = Problem, description = "The server failed; nothing is claimed to be stored"),
        (status = 503, body = Problem, description = "The server is overloaded; see Retry-After"),
    )
)]
pub async fn receive(State(app): State<Shared>, request: Request) -> Result<Response, Failure> {
    let answered = answer(&app, request).await;
    if let Err(failure) = &answered
        && failure.status().is_server_error()
    {
        app.metrics.batch("failed");
    }
    answered.map(|receipt| ([(CONTENT_TYPE, "application/json")], receipt).into_response())
}

/// The signed receipt as JSON.
async fn answer(app: &App, request: Request) -> Result<String, Failure> {
    let from = of_request(request.extensions(), request.headers(), &app.settings.trusted_proxies);
    let (bytes, _room) = body::read_json(request, &app.bodies).await?;
    let (received_at, started) = (app.now(), Instant::now());
    let envelope = Signed::parse(&bytes).map_err(malformed)?;
    let batch: Batch = envelope.peek().map_err(malformed)?;
    check(&batch)?;
    let digest = envelope.payload_digest();
    let arrival = Arrival { app, from, received_at, bytes, envelope, digest, batch };
    let (receipt, outcome) = match arrival.stored().await? {
        Ok(receipt) => (receipt, "stored"),
        Err((reason, result)) => (arrival.refuse(reason, result).await?, "refused"),
    };
    app.metrics.batch(outcome);
    app.metrics.receipt_took(started.elapsed().as_secs_f64());
    Ok(receipt)
}

fn malformed(error: InvalidEnvelope) -> Failure {
    Failure::bad_request("malformed_body", "The body is not the JSON of this contract.").caused_by(error)
}

/// The rules of a batch that need no store.
fn check(batch: &Batch) -> Result<(), Failure> {
    if batch.v != 1 {
        let message = format!("The batch has version {}, only 1 is known here.", batch.v);
        return Err(Failure::bad_request("unknown_version", message));
    }
    if batch.events.len() > limits::BATCH_EVENTS_MAX {
        let message = format!("A batch may have at most {} events.", limits::BATCH_EVENTS_MAX);
        return Err(Failure::bad_request("too_many_events", message));
    }
    let texts = [&batch.contract, &batch.terminal, &batch.boot, &batch.makeup, &batch.agent];
    if texts.into_iter().all(|text| is_plain(text)) {
        return Ok(());
    }
    let message = "A text of the batch is longer than allowed or holds control characters.";
    Err(Failure::bad_request("malformed_body", message))
}

/// A batch on its way.
struct Arrival<'a> {
    app: &'a App,
    from: Option<IpAddr>,
    received_at: UtcMillis,
    bytes: Bytes,
    envelope: Signed,
    /// Of the envelope's payload.
    digest: Digest,
    batch: Batch,
}

/// Why a batch is not taken as a terminal's word.
type Refused = (QuarantineReason, PunchResult);

impl Arrival<'_> {
    /// The receipt of a batch that was taken as a terminal's word and is stored.
    async fn stored(&self) -> Result<Result<String, Refused>, Failure> {
        let KnownSender { contract, terminal, key } = match self.sender().await? {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.envelope.check(Context::Batch, &key).is_err() {
            return Ok(Err((QuarantineReason::WrongSignature, PunchResult::TerminalUnusable)));
        }
        let batch = self.incoming(contract, terminal).await?;
        match self.app.store.receive_and_seal(batch, self.seal(contract)).await {
            Ok(Sealed { reception, receipt }) => {
                self.app.metrics.events(&reception.items);
                Ok(Ok(receipt))
            }
            Err(StoreError::Refused(Refusal::Missing { .. })) => {
                self.app.senders.forget(&self.batch.contract, &self.batch.terminal);
                Ok(Err((QuarantineReason::UnknownTerminal, PunchResult::TerminalUnusable)))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn incoming(&self, contract: ContractId, terminal: TerminalId) -> Result<IncomingBatch, Failure> {
        let clock_offset_ms = self.received_at.0.saturating_sub(self.batch.sent_at.wall);
        Ok(IncomingBatch {
            contract,
            terminal,
            received_at: self.received_at,
            clock_offset_ms,
            waiting: self.batch.waiting,
            makeup: self.batch.makeup.clone(),
            agent_version: self.batch.agent.clone(),
            boot: self.batch.boot.clone(),
            boot_counter_ms: self.batch.sent_at.biased,
            day_begins_minutes: self.app.settings.day_boundary_minutes,
            events: put_right(self.events().await?, self.received_at, clock_offset_ms),
            signed: self.signed(),
        })
    }

    /// What makes the receipt. It waits with the batch for the store and must not keep the server itself alive.
    fn seal(&self, contract: ContractId) -> Seal {
        let (key, frame) = (self.app.key.clone(), self.frame());
        let (log, code) = (self.app.log_heads.newest(contract), self.batch.contract.clone());
        let frame = Receipt { log, contract: Some(code), ..frame };
        Arc::new(move |reception| {
            let receipt = Receipt {
                items: reception.items.iter().map(receipt_item).collect(),
                head: reception.head,
                missing: reception.missing.iter().map(|(first, last)| [*first, *last]).collect(),
                ..frame.clone()
            };
            Ok(Signed::seal(Context::Receipt, &receipt, key.as_ref())?.to_json()?)
        })
    }

    /// Who claims to send, when there is such a terminal; otherwise why not.
    async fn sender(&self) -> Result<Result<KnownSender, Refused>, Failure> {
        let (code, id) = (&self.batch.contract, &self.batch.terminal);
        if let Some(known) = self.app.senders.find(code, id) {
            return Ok(Ok(known));
        }
        let (contract, terminal, public_key) = match self.app.store.identify(code, id).await? {
            Sender::UnknownContract => {
                return Ok(Err((QuarantineReason::UnknownContract, PunchResult::ContractUnusable)));
            }
            Sender::UnknownTerminal => {
                return Ok(Err((QuarantineReason::UnknownTerminal, PunchResult::TerminalUnusable)));
            }
            Sender::Known { contract, terminal, public_key } => (contract, terminal, public_key),
        };
        let key = PublicKey::parse(&public_key).map_err(Failure::internal)?;
        let known = KnownSender { contract, terminal, key };
        self.app.senders.note(code, id, known);
        Ok(Ok(known))
    }

    /// What shows later that the terminal signed these events.
    fn signed(&self) -> SignedBatch {
        SignedBatch {
            digest: self.digest,
            signature: self.envelope.signature.clone(),
            payload: self.envelope.payload.get().to_owned(),
        }
    }

    /// Reads the events. Signed bytes that this server cannot read are put aside for the operator before the
    /// batch is refused.
    async fn events(&self) -> Result<Vec<IncomingEvent>, Failure> {
        let read: Result<Vec<_>, _> =
            self.batch.events.iter().enumerate().map(|(index, item)| decode(index, item)).collect();
        match read {
            Ok(events) => Ok(events),
            Err(failure) => {
                quarantine(self.app, self.entry(QuarantineReason::UnreadableEvent), self.from).await?;
                Err(failure)
            }
        }
    }

    /// The receipt of what was put aside.
    async fn refuse(&self, reason: QuarantineReason, result: PunchResult) -> Result<String, Failure> {
        quarantine(self.app, self.entry(reason), self.from).await?;
        let receipt = Receipt { refused: result.res(), ..self.frame() };
        let signed = Signed::seal(Context::Receipt, &receipt, self.app.key.as_ref());
        signed.map_err(Failure::internal)?.to_json().map_err(Failure::internal)
    }

    fn entry(&self, reason: QuarantineReason) -> Quarantined {
        Quarantined {
            received_at: self.received_at,
            reason,
            contract: self.batch.contract.clone(),
            terminal: self.batch.terminal.clone(),
            body: self.bytes.to_vec(),
        }
    }

    /// A receipt that claims nothing yet.
    fn frame(&self) -> Receipt {
        Receipt {
            v: 1,
            request: self.digest.to_string(),
            terminal: self.batch.terminal.clone(),
            received_at: self.received_at.0,
            refused: None,
            items: Vec::new(),
            head: 0,
            missing: Vec::new(),
            spread_seconds: self.app.spread_seconds(),
            contact_seconds: self.app.settings.contact_seconds,
            display_name: self.app.settings.display_name.clone(),
            log: None,
            contract: None,
        }
    }
}

fn decode(index: usize, item: &BatchItem) -> Result<IncomingEvent, Failure> {
    let unreadable = |why: String| {
        let message = format!("Event {} of the batch cannot be read: {why}.", index + 1);
        Failure::bad_request("unreadable_event", message)
    };
    let EncodedEvent { json, digest, previous: _, event } =
        EncodedEvent::decode(item.event.get()).map_err(|error| unreadable(error.to_string()))?;
    if i64::try_from(event.sequence).is_err() {
        return Err(unreadable("its number is beyond what can be stored".to_owned()));
    }
    debug_assert_eq!(digest, Digest::of(item.event.get().as_bytes()), "the digest is over the bytes as sent");
    Ok(IncomingEvent { resent: item.resent, digest, json, event, stamped_at: None })
}

/// The events of a batch, those that a clock years off has stamped at the times of the server's clock: there they are judged,
/// listed and found. Their bytes stay as they are.
fn put_right(events: Vec<IncomingEvent>, received_at: UtcMillis, clock_offset_ms: i64) -> Vec<IncomingEvent> {
    if !may_be_years_off(events.iter().map(|incoming| &incoming.event), clock_offset_ms) {
        return events;
    }
    // By their numbers, as whoever reads them later has them.
    let mut events = events;
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|place| events[*place].event.sequence);
    let received = |place: &usize| Received::of(events[*place].event.clone(), received_at, clock_offset_ms);
    let right = completeness::put_right(order.iter().map(received).collect());
    for (place, right) in order.into_iter().zip(right).filter(|(_, right)| right.stamped_at.is_some()) {
        let incoming = &mut events[place];
        // No interval is known but one that was told.
        let bounds = right.event.bounds.filter(|_| incoming.event.bounds.is_some());
        incoming.event = Event { bounds, ..right.event };
        incoming.stamped_at = right.stamped_at;
    }
    events
}

fn receipt_item(item: &ItemOutcome) -> ReceiptItem {
    ReceiptItem {
        seq: item.sequence,
        hash: item.digest.to_string(),
        stored: item.stored,
        res: item.result.and_then(PunchResult::res),
        log: item
            .place
            .as_ref()
            .map(|LeafPlace { month, leaf }| LogPlace { month: month.clone(), leaf: *leaf }),
    }
}
