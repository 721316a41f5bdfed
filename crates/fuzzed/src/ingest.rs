//! A conversation of two PCs with the real router, its writer and its store.
//!
//! The bytes are a list of steps: record an event, send any events with any numbers under any signature, send the
//! same request again, damage or forge it, post anything at all. Five things must hold whatever was sent:
//!
//! - the server does not fail (no panic, no 5xx), and each receipt is signed and answers this very request;
//! - an event that a receipt calls stored is stored with exactly the bytes that were sent, and nothing else is, under no
//!   other terminal's numbers either;
//! - a number has one content for ever: other bytes under it are answered with `stored: false`;
//! - the same request gets the same answer about each of its events, however often it is sent;
//! - nothing is taken from whoever does not hold the terminal's key.

use std::cell::RefCell;
use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use axum::http::StatusCode;
use mngntime_ledger::Digest;
use mngntime_wire::{
    Batch, BatchItem, Context, EncodedEvent, EnrollmentRequest, Receipt, ReceiptItem, SecretKey, Signed,
    limits,
};
use serde_json::value::RawValue;

use crate::make;
use crate::site::{ENROLLMENT_KEY, Site, Tenant, keys, open};

const STEPS_MAX: u32 = 24;
/// Events in one batch, but for the rare one that has too many.
const ITEMS_MAX: u32 = 5;
/// Contracts before a new store is made, which takes as long as some dozens of executions: as many as keep its file
/// in memory small (some 100 MB).
const CONTRACTS_MAX: u64 = 4_000;

thread_local! {
    static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
}

/// Plays the conversation and compares what is stored with what was promised.
pub fn run(data: &[u8]) {
    SITE.with_borrow_mut(|site| {
        if site.as_ref().is_none_or(|site| site.contracts() >= CONTRACTS_MAX) {
            *site = Some(Site::start());
        }
        let site = site.as_ref().expect("it was started");
        let mut talk = Talk::begin(site.furnished());
        let mut u = Unstructured::new(data);
        for _ in 0..STEPS_MAX {
            if u.is_empty() || talk.step(&mut u).is_err() {
                break;
            }
        }
        talk.compare();
    });
}

/// A PC: its key, its id and the events it has ever made.
struct Pc {
    key: &'static SecretKey,
    terminal: String,
    events: Vec<String>,
    sequence: u64,
    previous: Digest,
    /// What receipts have said to be stored: the bytes by their number.
    promised: BTreeMap<u64, String>,
}

/// What was posted as a batch, to be posted again.
struct Posted {
    envelope: Signed,
    sender: usize,
    /// Whether the sender's key has signed it for the sender's contract.
    rightful: bool,
    /// What the first receipt said of its events.
    answer: Option<Vec<ReceiptItem>>,
}

struct Talk<'a> {
    tenant: Tenant<'a>,
    pcs: Vec<Pc>,
    posted: Vec<Posted>,
}

impl<'a> Talk<'a> {
    fn begin((tenant, terminals): (Tenant<'a>, [String; 2])) -> Self {
        let pc = |(key, terminal)| {
            let previous = Digest::GENESIS;
            Pc { key, terminal, events: Vec::new(), sequence: 0, previous, promised: BTreeMap::new() }
        };
        let pcs = keys().iter().zip(terminals).map(pc).collect();
        Self { tenant, pcs, posted: Vec::new() }
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=15)? {
            0..=4 => self.record(u),
            5..=9 => self.send(u),
            10..=11 => self.send_again(u),
            12 => {
                if u.arbitrary()? {
                    self.damage(u)
                } else {
                    self.forge(u)
                }
            }
            13 => self.enroll(u),
            14 => {
                self.tenant.site.pass(i64::from(u.arbitrary::<u32>()?));
                self.tenant.sign();
                Ok(())
            }
            _ => {
                let path = *u.choose(&["/api/v1/events", "/api/v1/terminals"])?;
                self.tenant.site.post(path, u.arbitrary::<&[u8]>()?.to_vec());
                Ok(())
            }
        }
    }

    fn record(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let pc = u.choose_index(self.pcs.len())?;
        let pc = &mut self.pcs[pc];
        let sequence = if u.ratio(3, 4)? { pc.sequence.saturating_add(1) } else { make::number(u)? };
        let Ok(event) = EncodedEvent::encode(make::event(u, sequence)?, pc.previous) else { return Ok(()) };
        (pc.sequence, pc.previous) = (sequence, event.digest);
        pc.events.push(event.json);
        Ok(())
    }

    /// One event of any PC, as it was made, with other bytes of the same meaning, or something else.
    fn item(&self, u: &mut Unstructured<'_>, sender: usize) -> Result<BatchItem> {
        let from = if u.ratio(15, 16)? { sender } else { u.choose_index(self.pcs.len())? };
        let Some(json) = u.choose_iter(&self.pcs[from].events).ok().cloned() else {
            return Ok(BatchItem { resent: false, event: raw(&make::text(u)?) });
        };
        let json = match u.int_in_range(0..=11)? {
            0 => json.replacen("{\"v\":1,", "{ \"v\":1,\t\"future\":{\"x\":[1]},", 1),
            1 => json.replacen("\"evidence\":\"", "\"evidence\":\"x", 1),
            2 => json.replacen("\"seq\":", "\"seq\":9", 1),
            _ => json,
        };
        Ok(BatchItem { resent: u.arbitrary()?, event: raw(&json) })
    }

    fn send(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let sender = u.choose_index(self.pcs.len())?;
        let mut events = Vec::new();
        for _ in 0..u.int_in_range(0..=ITEMS_MAX)? {
            events.push(self.item(u, sender)?);
        }
        if u.ratio(1, 64)? {
            let Some(first) = events.first().cloned() else { return Ok(()) };
            events.resize(limits::BATCH_EVENTS_MAX + usize::from(u.arbitrary::<bool>()?), first);
        }
        let signer = if u.ratio(15, 16)? { sender } else { u.choose_index(self.pcs.len())? };
        let right_contract = u.ratio(15, 16)?;
        let batch = Batch {
            v: if u.ratio(31, 32)? { 1 } else { u.arbitrary()? },
            contract: if right_contract { self.tenant.code.clone() } else { make::text(u)? },
            terminal: self.pcs[sender].terminal.clone(),
            sent_at: make::moment(u)?.into(),
            boot: make::text(u)?,
            waiting: make::number(u)?,
            makeup: make::text(u)?,
            agent: make::text(u)?,
            events,
        };
        let envelope = Signed::seal(Context::Batch, &batch, self.pcs[signer].key).expect("a key in memory");
        let rightful = signer == sender && right_contract;
        self.posted.push(Posted { envelope, sender, rightful, answer: None });
        self.post(self.posted.len() - 1);
        Ok(())
    }

    fn send_again(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if !self.posted.is_empty() {
            let which = u.choose_index(self.posted.len())?;
            self.post(which);
        }
        Ok(())
    }

    /// The same request with one byte changed: its signature does not hold, or it still says the same.
    fn damage(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(posted) = u.choose_iter(&self.posted).ok() else { return Ok(()) };
        let mut body = posted.envelope.to_json().expect("JSON").into_bytes();
        let place = u.choose_index(body.len())?;
        body[place] = u.arbitrary()?;
        let reply = self.tenant.site.post("/api/v1/events", body.clone());
        if reply.status == StatusCode::OK {
            let receipt: Receipt = open(&reply, Context::Receipt, &self.tenant.site.key());
            let sent = Signed::parse(&body).expect("it was answered");
            let same = sent.payload.get() == posted.envelope.payload.get()
                && sent.signature == posted.envelope.signature;
            assert!(receipt.refused.is_some() || same, "a changed batch was taken");
            let (sender, rightful) = (posted.sender, posted.rightful);
            self.check_receipt(&sent, &receipt, sender, rightful && same);
        }
        Ok(())
    }

    /// An envelope that reads well and whose signature is somebody's, but not the sender's over this batch.
    fn forge(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(posted) = u.choose_iter(&self.posted).ok() else { return Ok(()) };
        let (sender, payload) = (posted.sender, posted.envelope.payload.get());
        let other = &self.pcs[1 - sender];
        let envelope = match u.int_in_range(0..=3)? {
            // The signature of another batch.
            0 => {
                let of = u.choose_iter(&self.posted)?;
                if of.envelope.payload.get() == payload {
                    return Ok(());
                }
                Signed { payload: posted.envelope.payload.clone(), signature: of.envelope.signature.clone() }
            }
            // The sender's key, for another purpose.
            1 => {
                let purpose = *u.choose(&[Context::EnrollmentRequest, Context::Receipt, Context::LogHead])?;
                Signed::seal(purpose, &posted.envelope.payload, self.pcs[sender].key)
                    .expect("a key in memory")
            }
            // Another PC's key: a cloned identity without the key.
            2 => Signed::seal(Context::Batch, &posted.envelope.payload, other.key).expect("a key in memory"),
            // The batch as if the other PC had sent it.
            _ => {
                let moved = payload.replace(&self.pcs[sender].terminal, &other.terminal);
                if moved == payload {
                    return Ok(());
                }
                Signed { payload: raw(&moved), signature: posted.envelope.signature.clone() }
            }
        };
        let reply = self.tenant.site.post("/api/v1/events", envelope.to_json().expect("JSON"));
        if reply.status == StatusCode::OK {
            let receipt: Receipt = open(&reply, Context::Receipt, &self.tenant.site.key());
            assert!(receipt.refused.is_some() && receipt.items.is_empty(), "a forged batch was taken");
        }
        Ok(())
    }

    fn enroll(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let key = SecretKey::from_seed(&[u.arbitrary()?; 32]);
        let request = EnrollmentRequest {
            v: 1,
            contract: if u.ratio(7, 8)? { self.tenant.code.clone() } else { make::text(u)? },
            enrollment_key: if u.ratio(7, 8)? { ENROLLMENT_KEY.to_owned() } else { make::text(u)? },
            public_key: if u.ratio(7, 8)? { key.public().to_string() } else { make::text(u)? },
            host_name: make::text(u)?,
            os: make::text(u)?,
            makeup: make::text(u)?,
            key_class: make::text(u)?,
            agent: make::text(u)?,
        };
        let request = Signed::seal(Context::EnrollmentRequest, &request, &key).expect("a key in memory");
        self.tenant.site.post("/api/v1/terminals", request.to_json().expect("JSON"));
        Ok(())
    }

    fn post(&mut self, which: usize) {
        let Posted { envelope, sender, rightful, .. } = &self.posted[which];
        let (envelope, sender, rightful) = (envelope.clone(), *sender, *rightful);
        let reply = self.tenant.site.post("/api/v1/events", envelope.to_json().expect("JSON"));
        if reply.status == StatusCode::OK {
            let receipt: Receipt = open(&reply, Context::Receipt, &self.tenant.site.key());
            self.check_receipt(&envelope, &receipt, sender, rightful);
            let first = self.posted[which].answer.get_or_insert_with(|| receipt.items.clone());
            assert_eq!(*first, receipt.items, "the same answer to the same request");
        } else {
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
        }
    }

    fn check_receipt(&mut self, sent: &Signed, receipt: &Receipt, sender: usize, rightful: bool) {
        assert_eq!(receipt.request, sent.payload_digest().to_string());
        assert_eq!(receipt.refused.is_none(), rightful, "who may send, and nobody else");
        if receipt.refused.is_some() {
            assert_eq!(receipt.items, []);
            return;
        }
        let batch: Batch = sent.peek().expect("it was taken");
        assert_eq!(receipt.items.len(), batch.events.len());
        let promised = &mut self.pcs[sender].promised;
        for (item, event) in receipt.items.iter().zip(&batch.events) {
            let json = event.event.get();
            assert_eq!(item.hash, Digest::of(json.as_bytes()).to_string());
            let first = promised.get(&item.seq);
            assert_eq!(item.stored, first.is_none_or(|first| first == json), "number {}", item.seq);
            promised.entry(item.seq).or_insert_with(|| json.to_owned());
        }
        assert_eq!(Some(&receipt.head), promised.keys().last().or(Some(&0)));
    }

    /// What is stored is what was promised, and the log can be signed.
    fn compare(&self) {
        for holder in self.tenant.holders() {
            assert!(self.pcs.iter().any(|pc| pc.terminal == holder), "{holder} has sent nothing");
        }
        for pc in &self.pcs {
            let stored = self.tenant.stored(&pc.terminal);
            for event in &stored {
                assert_eq!(event.digest, Digest::of(event.json.as_bytes()));
            }
            let stored: BTreeMap<u64, String> =
                stored.into_iter().map(|event| (event.sequence, event.json)).collect();
            assert_eq!(stored, pc.promised);
        }
        self.tenant.sign();
    }
}

/// JSON as it is; what is none becomes a text.
fn raw(json: &str) -> Box<RawValue> {
    let text = || RawValue::from_string(serde_json::Value::from(json).to_string()).expect("a JSON text");
    RawValue::from_string(json.to_owned()).unwrap_or_else(|_| text())
}
