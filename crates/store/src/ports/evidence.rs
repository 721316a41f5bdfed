//! What an evidence pack is made of: everything that is stored, as it is stored.
//!
//! Events, places, heads, batches and receipts are append-only, so that several questions asked one after the other
//! fit together as long as all of them are asked about the same trees.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_ledger::audit::AuditRecord;
use mngntime_model::{TerminalId, UtcMillis};

use super::{AccountName, Answer, BatchProof, LeafPlace, NewEmployee, RetiredRange, SignedHead, Terminal};
use crate::{AccountId, ContractId, EmployeeId, LinkId};

/// People of a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidencePeople {
    /// Employees by code.
    pub employees: Vec<NewEmployee>,
    /// Accounts by key.
    pub accounts: Vec<EvidenceAccount>,
    /// Links, the void ones included, by account and time.
    pub links: Vec<EvidenceLink>,
}

/// An account of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceAccount {
    /// Its identity in the store.
    pub id: AccountId,
    /// SID or Linux key.
    pub key: String,
    /// The names it has had, oldest first.
    pub names: Vec<AccountName>,
}

/// Where an event stands in the log, and what the terminal was told in its millisecond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventReceipts {
    /// Its place in the log; absent when it has none there.
    pub place: Option<LeafPlace>,
    /// The receipts for what arrived with it, unread: a second batch of the same millisecond has one, too.
    pub envelopes: Vec<String>,
}

/// A link with its whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceLink {
    /// Its identity, by which the audit log names it.
    pub id: LinkId,
    /// Whose it is; the same when the code changes.
    pub employee_id: EmployeeId,
    /// Key of the account.
    pub account: String,
    /// Code of the employee.
    pub employee: String,
    /// First date.
    pub from: Date,
    /// Last date.
    pub to: Option<Date>,
    /// Whether it was wrong from the beginning.
    pub void: bool,
    /// When it was made, and by whom.
    pub made: (UtcMillis, String),
    /// When it was ended, and by whom.
    pub ended: Option<(UtcMillis, String)>,
}

/// Which terminals a pack needs, and from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceScope {
    /// The contract.
    pub contract: ContractId,
    /// Only terminals on which these accounts have logged on or off; absent: all.
    pub accounts: Option<Vec<AccountId>>,
    /// Only this terminal; absent: all.
    pub terminal: Option<TerminalId>,
    /// Only what happened from the first time to the second, not included; absent: everything.
    pub span: Option<(UtcMillis, UtcMillis)>,
}

/// A terminal of a pack and its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceTerminal {
    /// The terminal.
    pub terminal: Terminal,
    /// The first number: a start of the agent at or before the span.
    pub first: u64,
    /// The last number: the start of the agent after the span, which tells how the time before it ended.
    pub last: u64,
    /// Of the numbers between, both included, those that were retired, in order; none of these ranges reaches beyond.
    pub retired: Vec<RetiredRange>,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub sequence: u64,
    /// SHA-256 of its bytes, as they came.
    pub digest: Digest,
    /// Its bytes.
    pub json: String,
    /// When it arrived.
    pub received_at: UtcMillis,
    /// 再送.
    pub resent: bool,
    /// Server's clock less the terminal's, in milliseconds.
    pub clock_offset_ms: i64,
    /// Where it stands in the log.
    pub place: LeafPlace,
}

/// An entry of the audit log as it is stored.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// The entry.
    pub record: AuditRecord,
    /// Where it stands in the log.
    pub place: LeafPlace,
}

/// One result of a punch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJudgement {
    /// Number of the event.
    pub sequence: u64,
    /// 1 for its first result.
    pub number: u64,
    /// When.
    pub judged_at: UtcMillis,
    /// `res`; absent when accepted.
    pub res: Option<u8>,
    /// Why, by its name at rest.
    pub why: String,
    /// By whom.
    pub by: String,
}

/// What an evidence pack is made of.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// One employee by code with everything that was ever linked, or everybody.
    async fn evidence_people(&self, contract: ContractId, code: Option<String>) -> Answer<EvidencePeople>;
    /// The newest head of each month, oldest first.
    async fn log_trees(&self, contract: ContractId) -> Answer<Vec<SignedHead>>;
    /// Terminals with events in the scope.
    async fn evidence_terminals(&self, scope: EvidenceScope) -> Answer<Vec<EvidenceTerminal>>;
    /// Terminals with an event of one of the accounts, by their keys: read from the events themselves, of which the
    /// punches are only an extract. It reads all events of the contract once.
    async fn terminals_of_accounts(&self, contract: ContractId, keys: Vec<String>)
    -> Answer<Vec<TerminalId>>;
    /// At most `limit` events of a terminal with numbers from `from` on.
    async fn evidence_events(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        from: u64,
        limit: usize,
    ) -> Answer<Vec<StoredEvent>>;
    /// At most `limit` entries of the audit log that are in the contract's log, with numbers above `after`.
    async fn evidence_entries(
        &self,
        contract: ContractId,
        after: u64,
        limit: usize,
    ) -> Answer<Vec<StoredEntry>>;
    /// Audit paths of leaves to the tree of `size` leaves.
    async fn inclusion_proofs(
        &self,
        contract: ContractId,
        month: String,
        size: u64,
        leaves: Vec<u64>,
    ) -> Answer<Vec<Vec<Digest>>>;
    /// The proof that the month's tree of `size` leaves continues the one of `old_size`.
    async fn consistency_proof(
        &self,
        contract: ContractId,
        month: String,
        size: u64,
        old_size: u64,
    ) -> Answer<Vec<Digest>>;
    /// Batches that a terminal sent from the first time to the second, both included.
    async fn evidence_batches(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        received: (UtcMillis, UtcMillis),
    ) -> Answer<Vec<BatchProof>>;
    /// Receipts given for what arrived from the first time to the second, both included.
    async fn evidence_receipts(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        received: (UtcMillis, UtcMillis),
    ) -> Answer<Vec<String>>;
    /// What was told of one event that arrived at this time.
    async fn event_receipts(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        sequence: u64,
        received_at: UtcMillis,
    ) -> Answer<EventReceipts>;
    /// Results of a terminal's punches with numbers from `first` to `last`.
    async fn evidence_judgements(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        first: u64,
        last: u64,
    ) -> Answer<Vec<StoredJudgement>>;
}
