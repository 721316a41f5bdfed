//! A terminal without an agent: sends events by the contract and remembers what it holds a receipt for.
//!
//! It believes the server nothing but what is signed: a receipt counts when it is signed by the key pinned at
//! enrolment, answers this request and names these bytes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};
use mngntime_wire::{
    Batch, BatchItem, Context, EncodedEvent, EnrollmentAnswer, EnrollmentRequest, PublicKey, Receipt,
    SecretKey, Signed,
};

use crate::server::{CONTRACT, Server};

/// Longer than any answer takes on a loaded machine.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// Events sent in one batch.
const BATCH_EVENTS: usize = 50;

/// What came back for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// A signed receipt for so many events.
    Receipted(usize),
    /// An HTTP status without a receipt.
    Refused(u16),
    /// No answer: the connection failed or broke off.
    Broken,
}

/// A terminal, of contract `demo` unless it is said otherwise.
pub struct Terminal {
    key: SecretKey,
    contract: String,
    id: String,
    server_key: PublicKey,
    port: u16,
    head: (u64, Digest),
    /// Events without a receipt, by number.
    waiting: BTreeMap<u64, EncodedEvent>,
    /// Events with a receipt, by number.
    pub receipted: BTreeMap<u64, EncodedEvent>,
}

impl Terminal {
    /// Enrols a new terminal; each seed has a key of its own.
    ///
    /// # Errors
    /// When the server does not enrol it.
    pub fn enroll(server: &Server, seed: u8) -> Result<Self> {
        Self::enroll_in(server, seed, (CONTRACT, &server.enrollment_key), &format!("PC-{seed:04}"))
    }

    /// The same in a contract, given by its code and enrolment key, and under a name.
    ///
    /// # Errors
    /// When the server does not enrol it.
    pub fn enroll_in(
        server: &Server,
        seed: u8,
        (contract, enrollment_key): (&str, &str),
        host_name: &str,
    ) -> Result<Self> {
        let key = SecretKey::from_seed(&[seed; 32]);
        let contract = contract.to_owned();
        let request = EnrollmentRequest {
            v: 1,
            contract: contract.clone(),
            enrollment_key: enrollment_key.to_owned(),
            public_key: key.public().to_string(),
            host_name: host_name.to_owned(),
            os: "none".into(),
            makeup: "makeup".into(),
            key_class: "file".into(),
            agent: "0.1.0".into(),
        };
        let request = Signed::seal(Context::EnrollmentRequest, &request, &key)?;
        let (status, body) = post(server.port(), "/api/v1/terminals", &request.to_json()?)?;
        ensure!(status == 200, "not enrolled: {status} {body}");
        let envelope = Signed::parse(body.as_bytes())?;
        let answer: EnrollmentAnswer = envelope.peek()?;
        let server_key = PublicKey::parse(&answer.server_key)?;
        envelope.check(Context::EnrollmentAnswer, &server_key)?;
        let id = answer.terminal.with_context(|| format!("not enrolled: {body}"))?;
        let head = (0, Digest::GENESIS);
        let (waiting, receipted) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { key, contract, id, server_key, port: server.port(), head, waiting, receipted })
    }

    /// The terminal's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Events made so far.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.head.0
    }

    /// Events that wait for a receipt.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Makes a logon of `account` that waits for its receipt.
    ///
    /// # Errors
    /// When the contract does not allow it.
    pub fn log_on(&mut self, account: &str) -> Result<()> {
        self.log_on_in("EXAMPLE", account)
    }

    /// The same of an account in another domain.
    ///
    /// # Errors
    /// When the contract does not allow it.
    pub fn log_on_in(&mut self, domain: &str, account: &str) -> Result<()> {
        let boot = BootId::new("boot-1")?;
        let session = SessionIdentity {
            boot: boot.clone(),
            session_id: (self.head.0 + 1).to_string(),
            logon_identity: "0x3e7".into(),
        };
        let event = Event {
            sequence: self.head.0 + 1,
            boot,
            kind: EventKind::Logon,
            evidence: Evidence::Notice,
            occurred_at: now().wall,
            bounds: None,
            recorded_at: now(),
            session: Some(session),
            account: Some(AccountIdentity {
                key: format!("S-1-5-21-{account}"),
                domain: domain.into(),
                name: account.into(),
                upn: None,
            }),
            remote: Some(false),
            client: None,
            cause: None,
            supersedes: None,
        };
        let encoded = EncodedEvent::encode(event, self.head.1)?;
        self.head = (encoded.event.sequence, encoded.digest);
        self.waiting.insert(self.head.0, encoded);
        Ok(())
    }

    /// Sends what waits, as much as goes into one batch.
    ///
    /// # Errors
    /// When the server lies: a receipt that is not its own, is for something else, or says that these bytes are
    /// not stored.
    pub fn send(&mut self) -> Result<Sent> {
        let item = |event: &EncodedEvent| {
            let event = serde_json::value::RawValue::from_string(event.json.clone())?;
            Ok(BatchItem { resent: false, event })
        };
        let events = self.waiting.values().take(BATCH_EVENTS).map(item).collect::<Result<Vec<_>>>()?;
        let batch = Batch {
            v: 1,
            contract: self.contract.clone(),
            terminal: self.id.clone(),
            sent_at: now().into(),
            boot: "boot-1".into(),
            waiting: self.waiting.len() as u64,
            makeup: "makeup".into(),
            agent: "0.1.0".into(),
            events,
        };
        let batch = Signed::seal(Context::Batch, &batch, &self.key)?;
        match post(self.port, "/api/v1/events", &batch.to_json()?) {
            Err(_) => Ok(Sent::Broken),
            Ok((200, body)) => self.take(&batch, &body).with_context(|| format!("a false receipt: {body}")),
            Ok((status, _)) => Ok(Sent::Refused(status)),
        }
    }

    fn take(&mut self, batch: &Signed, body: &str) -> Result<Sent> {
        let envelope = Signed::parse(body.as_bytes())?;
        envelope.check(Context::Receipt, &self.server_key)?;
        let receipt: Receipt = envelope.peek()?;
        ensure!(receipt.request == batch.payload_digest().to_string(), "it answers another request");
        ensure!(receipt.refused.is_none(), "the batch was refused");
        for item in &receipt.items {
            let event =
                self.waiting.remove(&item.seq).with_context(|| format!("nobody sent {}", item.seq))?;
            ensure!(item.stored && item.hash == event.digest.to_string(), "{} is not stored", item.seq);
            self.receipted.insert(item.seq, event);
        }
        Ok(Sent::Receipted(receipt.items.len()))
    }

    /// What has a receipt waits again.
    pub fn send_everything_again(&mut self) {
        self.waiting.append(&mut self.receipted);
    }

    /// Sends until nothing waits.
    ///
    /// # Errors
    /// When a batch is not receipted.
    pub fn deliver_all(&mut self) -> Result<()> {
        while self.waiting() > 0 {
            let sent = self.send()?;
            ensure!(matches!(sent, Sent::Receipted(count) if count > 0), "{sent:?} for {}", self.id);
        }
        Ok(())
    }
}

fn now() -> Moment {
    let wall = UtcMillis(jiff::Timestamp::now().as_millisecond());
    Moment { wall, offset_seconds: 32_400, biased_ms: 60_000, unbiased_ms: 60_000 }
}

/// Posts JSON on a connection of its own; the status and the whole body.
fn post(port: u16, path: &str, body: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
    // In one piece: two small writes wait for each other's confirmation.
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no whole answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let length = head.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    ensure!(length == Some(body.len()), "the answer broke off");
    Ok((status, body.to_owned()))
}
