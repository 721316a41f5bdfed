//! The server's log: what outsiders can check.
//!
//! Taking in an event, or noting something in the audit log, gives it its place among the leaves of its contract and
//! month, in the same transaction. The
//! tree over the leaves grows afterwards: [`Log::grow_log`] reads back what was written, hashes it anew and says
//! what a head would say; the caller signs that, and [`Log::keep_log_head`] writes hashes and head together.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mngntime_ledger::Digest;
use mngntime_model::{TerminalId, UtcMillis};
use serde::Deserialize;

use super::Answer;
use crate::ContractId;

/// Where an event stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPlace {
    /// `YYYY-MM`.
    pub month: String,
    /// Index in the month's tree, from 0.
    pub leaf: u64,
}

/// A tree by its name, size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// `YYYY-MM`.
    pub month: String,
    /// Its leaves.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// A signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// What it is about.
    pub tree: Tree,
    /// Whether the month is over.
    pub closed: bool,
    /// When it was signed.
    pub signed_at: UtcMillis,
    /// The signed envelope as JSON.
    pub envelope: String,
}

impl SignedHead {
    /// How many heads of its month were signed, with this one; absent when it does not say so, as those of earlier versions.
    #[must_use]
    pub fn heads(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Envelope {
            payload: Counted,
        }
        #[derive(Deserialize)]
        struct Counted {
            heads: Option<u64>,
        }
        serde_json::from_str::<Envelope>(&self.envelope).ok()?.payload.heads
    }
}

/// A month whose head does not say everything yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedMonth {
    /// The contract.
    pub contract: ContractId,
    /// The month.
    pub month: String,
}

/// What a new head of a month would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrownTree {
    /// The contract.
    pub contract: ContractId,
    /// 契約主コード.
    pub code: String,
    /// The tree now.
    pub tree: Tree,
    /// Whether the month is over and everything of it is in the tree.
    pub closed: bool,
    /// Size of the tree of the last head; 0 without one.
    pub size_before: u64,
    /// How many heads of the month are signed, with the new one.
    pub heads: u64,
    /// The last tree of the last month before that has any.
    pub previous: Option<Tree>,
    /// Hashes to be written, by place.
    pub hashes: BTreeMap<u64, Digest>,
}

/// What came of reading a month back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Growth {
    /// The last head says everything.
    Nothing,
    /// There is something to sign.
    Grown(Box<GrownTree>),
    /// What is stored is not what was written: nothing more of this month may be signed.
    Broken(LogFault),
}

/// How a log is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// An event's bytes are not those it came with.
    #[error("event {sequence} of terminal {terminal} was changed in the database")]
    ChangedEvent {
        /// Its terminal.
        terminal: TerminalId,
        /// Its number.
        sequence: u64,
    },
    /// An entry of the audit log is not what was noted, or is gone.
    #[error("entry {number} of the audit log was changed in the database")]
    ChangedEntry {
        /// Its number.
        number: u64,
    },
    /// A leaf is missing.
    #[error("leaf {leaf} of the log is missing in the database")]
    MissingLeaf {
        /// Its index.
        leaf: u64,
    },
    /// An event is stored and nothing in the log tells of it: its leaf was removed.
    #[error("event {sequence} of terminal {terminal} is stored, but the log no longer tells of it")]
    UnplacedEvent {
        /// Its terminal.
        terminal: TerminalId,
        /// Its number.
        sequence: u64,
    },
    /// An entry of the audit log is there and nothing in the log tells of it.
    #[error("entry {number} of the audit log is stored, but the log no longer tells of it")]
    UnplacedEntry {
        /// Its number.
        number: u64,
    },
    /// The log or a receipt tells of an event that is not stored, or that the log does not tell of.
    #[error(
        "event {sequence} of terminal {terminal} was taken in, as the log or a receipt says, but it is gone"
    )]
    LostEvent {
        /// Its terminal.
        terminal: TerminalId,
        /// Its number.
        sequence: u64,
    },
    /// Hashes are there of more leaves than the last head tells of: a head was removed.
    #[error("a head of the log that was signed after size {size} is gone; its hashes are still there")]
    MissingHead {
        /// The size of the last head that is there; 0 without one.
        size: u64,
    },
    /// Fewer heads of a month are there than its newest one tells of.
    #[error("heads of the log are gone: of {month}, {told} were signed, and {there} are there")]
    MissingHeads {
        /// The month.
        month: String,
        /// As many as the newest one tells of.
        told: u64,
        /// As many as there are.
        there: u64,
    },
    /// A head's envelope is not signed by the server, or says something else than its row.
    #[error("the head of the log at size {size} was changed in the database")]
    ChangedHead {
        /// Its size.
        size: u64,
    },
    /// A month is called retired, and the audit log tells nothing of it, or something else.
    #[error("the month {month} is called retired, but the audit log does not say the same of it")]
    ChangedRetirement {
        /// The month.
        month: String,
    },
    /// The hashes do not give the root that was signed.
    #[error("the hashes of the log do not give the root that was signed at size {size}")]
    ChangedHashes {
        /// The size of the signed tree.
        size: u64,
    },
}

/// How closely it is looked whether the log tells of everything that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLook {
    /// The newest event of each terminal: two seeks for each.
    Newest,
    /// Every event and every entry, by their indices.
    Places,
    /// Every event, every entry and every receipt, and whether the columns beside an event's bytes say what these say: all
    /// events are read.
    Receipts,
}

/// What proves that a terminal sent a batch, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBatch {
    /// SHA-256 of the signed payload.
    pub digest: Digest,
    /// The terminal's signature, as text.
    pub signature: String,
    /// The payload.
    pub payload: String,
}

/// The same as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchProof {
    /// SHA-256 of the signed payload.
    pub digest: Digest,
    /// The terminal's signature, as text.
    pub signature: String,
    /// The payload without the bytes of the events that are stored (`mngntime_ledger::frame`), as JSON.
    pub frame: String,
}

/// The log.
#[async_trait]
pub trait Log: Send + Sync {
    /// Months with leaves that no head tells of, and months that are over and not closed; oldest first. Of one contract,
    /// or of all.
    async fn unsigned_months(&self, of: Option<ContractId>) -> Answer<Vec<UnsignedMonth>>;
    /// Reads up to `limit` new leaves of a month back and hashes them. A month before it that is not closed yet
    /// comes first: then there is nothing.
    async fn grow_log(&self, month: UnsignedMonth, limit: u64) -> Answer<Growth>;
    /// Writes the hashes and the signed head; `false` when another head was quicker.
    async fn keep_log_head(&self, grown: GrownTree, signed_at: UtcMillis, envelope: String) -> Answer<bool>;
    /// Something of the contract that is stored and that its log does not tell of, or the other way round.
    async fn log_gap(&self, contract: ContractId, look: LogLook) -> Answer<Option<LogFault>>;
    /// The newest signed tree of a contract.
    async fn newest_head(&self, contract: ContractId) -> Answer<Option<SignedHead>>;
}
