//! What comes from terminals.

use std::sync::Arc;

use async_trait::async_trait;
use mngntime_ledger::Digest;
use mngntime_model::{Event, PunchResult, TerminalId, UtcMillis};

use super::{Answer, KeyEnd, KeyHash, LeafPlace, SignedBatch};
use crate::ContractId;
use crate::error::Cause;

/// Ranges of missing numbers told at once: as many as a receipt has room for.
pub const MISSING_RANGES_MAX: usize = 16;

/// Who claims to have sent a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// No contract has this code.
    UnknownContract,
    /// The contract has no terminal with this id.
    UnknownTerminal,
    /// A terminal of the contract. Whether the batch is its own is shown by the key.
    Known {
        /// The contract.
        contract: ContractId,
        /// The terminal.
        terminal: TerminalId,
        /// Its pinned public key, base64.
        public_key: String,
    },
}

/// A batch whose signature is right.
#[derive(Debug, Clone)]
pub struct IncomingBatch {
    /// The contract.
    pub contract: ContractId,
    /// The terminal.
    pub terminal: TerminalId,
    /// When it arrived, by the server's clock.
    pub received_at: UtcMillis,
    /// Server's clock less the terminal's, in milliseconds.
    pub clock_offset_ms: i64,
    /// Events on the PC without a receipt when it sent the batch, those of the batch included.
    pub waiting: u64,
    /// Digest of what the PC is made of now.
    pub makeup: String,
    /// Version of the agent.
    pub agent_version: String,
    /// The OS run in which the batch was sent.
    pub boot: String,
    /// Milliseconds since that run began, sleep included, by the terminal's counter.
    pub boot_counter_ms: u64,
    /// Until when a night belongs to the day before, in minutes after midnight, where the contract has chosen nothing.
    pub day_begins_minutes: u32,
    /// The events, in the order of the batch.
    pub events: Vec<IncomingEvent>,
    /// What proves that the terminal sent them.
    pub signed: SignedBatch,
}

/// One event as it arrived.
#[derive(Debug, Clone)]
pub struct IncomingEvent {
    /// 再送: sending had been tried before.
    pub resent: bool,
    /// SHA-256 of `json`.
    pub digest: Digest,
    /// The exact bytes.
    pub json: String,
    /// What they mean. Where the terminal's clock was years off, its times are by the server's clock: there it is judged,
    /// listed and found.
    pub event: Event,
    /// What the terminal's clock showed, as the bytes say it, where the event's own time is by the server's.
    pub stamped_at: Option<UtcMillis>,
}

impl IncomingEvent {
    /// When it happened, as its bytes say it.
    #[must_use]
    pub fn told_at(&self) -> UtcMillis {
        self.stamped_at.unwrap_or(self.event.occurred_at)
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reception {
    /// Highest number stored of this terminal.
    pub head: u64,
    /// Numbers below it under which nothing is stored and for which the terminal has not answered: first and
    /// last of each range, oldest first, at most [`MISSING_RANGES_MAX`].
    pub missing: Vec<(u64, u64)>,
    /// One item for each event, in the order of the batch.
    pub items: Vec<ItemOutcome>,
}

/// Makes the receipt of a batch from what became of it: the signed envelope as JSON. It is asked inside the transaction, and
/// again should that have to be begun anew.
pub type Seal = Arc<dyn Fn(&Reception) -> Result<String, Cause> + Send + Sync>;

/// What became of a batch, and its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What became of it.
    pub reception: Reception,
    /// The signed envelope as JSON.
    pub receipt: String,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemOutcome {
    /// Its number.
    pub sequence: u64,
    /// SHA-256 of its bytes as received.
    pub digest: Digest,
    /// Whether exactly these bytes are stored under the number, or one of the retired events of its time was.
    pub stored: bool,
    /// The result: `None` for a stored event that is no punch.
    pub result: Option<PunchResult>,
    /// Where it stands in the log, once stored.
    pub place: Option<LeafPlace>,
}

impl ItemOutcome {
    /// Whether the PC lets go of the event on a receipt that says this.
    #[must_use]
    pub fn releases_spool(&self) -> bool {
        self.stored && self.result.is_none_or(PunchResult::releases_spool)
    }
}

/// A PC that wants to become a terminal; it has proved to hold the key.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// 契約主コード as sent.
    pub contract: String,
    /// Hash of the enrolment key as sent.
    pub key: KeyHash,
    /// The key to pin, as text.
    pub public_key: String,
    /// Name of the PC.
    pub host_name: String,
    /// Operating system, for reading.
    pub os: String,
    /// Digest of what the PC is made of.
    pub makeup: String,
    /// `tpm`, `software` or `file`.
    pub key_class: String,
    /// Version of the agent.
    pub agent_version: String,
    /// The id it gets when the key is new.
    pub proposed: TerminalId,
    /// When.
    pub at: UtcMillis,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrollmentOutcome {
    /// It is a terminal now.
    Enrolled(TerminalId),
    /// It is a terminal now, and blocked: it has the name or the make-up of one that is. Its events are stored; who may
    /// unblock terminals decides about it.
    EnrolledBlocked(TerminalId),
    /// It was one already, and still is the same one.
    EnrolledAgain(TerminalId),
    /// res=5: contract unknown, suspended or without the option.
    ContractUnusable,
    /// res=6: wrong enrolment key.
    WrongKey,
    /// res=6: a key of the contract, which opens nothing any more.
    KeyEnded(KeyEnd),
    /// res=6: the public key belongs to a blocked or retired terminal.
    TerminalUnusable,
}

/// Why something was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuarantineReason {
    /// A batch of a contract that does not exist.
    UnknownContract,
    /// A batch of a terminal that does not exist.
    UnknownTerminal,
    /// A batch that its terminal's key has not signed.
    WrongSignature,
    /// A signed batch with an event this server cannot read.
    UnreadableEvent,
    /// An event whose number is taken by other bytes.
    OtherBytes,
    /// An enrolment with a wrong contract or key.
    RefusedEnrollment,
}

impl QuarantineReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::UnknownContract,
        Self::UnknownTerminal,
        Self::WrongSignature,
        Self::UnreadableEvent,
        Self::OtherBytes,
        Self::RefusedEnrollment,
    ];

    /// The name at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownContract => "unknown_contract",
            Self::UnknownTerminal => "unknown_terminal",
            Self::WrongSignature => "wrong_signature",
            Self::UnreadableEvent => "unreadable_event",
            Self::OtherBytes => "other_bytes",
            Self::RefusedEnrollment => "refused_enrollment",
        }
    }
}

/// Something put aside for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// When it came.
    pub received_at: UtcMillis,
    /// Why it is here.
    pub reason: QuarantineReason,
    /// 契約主コード as sent.
    pub contract: String,
    /// Terminal or PC name as sent.
    pub terminal: String,
    /// The bytes; for a refused enrolment without the enrolment key.
    pub body: Vec<u8>,
}

/// Whether there was room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuarantineOutcome {
    /// It is kept.
    Kept,
    /// The quarantine is full of this sender or of its address: it is only counted.
    CountedOnly,
}

/// State of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineReport {
    /// Entries kept.
    pub kept: u64,
    /// Their bytes.
    pub kept_bytes: u64,
    /// How full it is, by entries or bytes.
    pub full_percent: u64,
    /// Entries that were only counted, or have made room for others.
    pub counted_only: u64,
    /// When the newest entry came; absent when there is none.
    pub last: Option<UtcMillis>,
    /// The newest entries, newest first.
    pub newest: Vec<Quarantined>,
}

/// What comes from terminals.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Looks up who claims to send. Both texts are as sent and may be anything.
    async fn identify(&self, contract: &str, terminal: &str) -> Answer<Sender>;
    /// Stores and judges a batch. Storing the same event twice has one effect. An event is stored even when
    /// judging it fails; its result is then [`PunchResult::ServerFailed`] until
    /// [`Self::rejudge_failed`] or the event's next receipt. A terminal that is not there (any more) is refused as
    /// [`Refusal::Missing`](crate::Refusal::Missing).
    async fn receive(&self, batch: IncomingBatch) -> Answer<Reception>;
    /// As [`Self::receive`], with the receipt. The server's copy of it is kept, unless it is about no events, and becomes
    /// durable together with them. Should it not be kept, the receipt is given all the same: what it says is true, and the
    /// PC keeps its own.
    async fn receive_and_seal(&self, batch: IncomingBatch, seal: Seal) -> Answer<Sealed>;
    /// Enrols a PC. A PC that is enrolled again with a changed make-up gets its res=8 punches judged again; a key
    /// that is used up opens for it all the same (its limit is one of PCs), and what
    /// [`super::Fleet::allow_reenrollment`] has allowed needs no key.
    async fn enroll(&self, enrolment: Enrolment) -> Answer<EnrollmentOutcome>;
    /// Puts something aside, within the quarantine's bounds: when it is full, room is made where most is taken.
    async fn quarantine(&self, entry: Quarantined) -> Answer<QuarantineOutcome>;
    /// As [`Self::quarantine`], for what comes from an address that has brought much: only while half of the room is free.
    async fn quarantine_spared(&self, entry: Quarantined) -> Answer<QuarantineOutcome>;
    /// The quarantine's state with at most `limit` of its newest entries.
    async fn quarantine_report(&self, limit: usize) -> Answer<QuarantineReport>;
    /// Judges up to `limit` punches with res=9 of each contract again; returns how many got another result. What cannot be
    /// read of one account is tried the next time, and keeps no other one waiting.
    async fn rejudge_failed(&self, at: UtcMillis, limit: usize) -> Answer<u64>;
    /// Active terminals of all contracts: the size of the crowd that may log on at the same time.
    async fn active_terminals(&self) -> Answer<u64>;
}
