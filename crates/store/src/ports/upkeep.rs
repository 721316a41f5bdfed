//! How the store is doing, for the people who run the server.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::{EnrollmentRefusal, UtcMillis};

use super::{Answer, Beside, Page, QuarantineReason};
use crate::{Act, ContractId};

/// Work that waits for the writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterLoad {
    /// Pieces of work in the queue now.
    pub waiting: u64,
    /// Pieces that have room; beyond it work is refused.
    pub room: u64,
}

/// How far the log of a contract is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// 契約主コード.
    pub code: String,
    /// The newest month, `YYYY-MM`.
    pub month: String,
    /// Its leaves.
    pub leaves: u64,
    /// Of these, how many the last head of that month covers.
    pub signed: u64,
    /// When the contract's last head was signed; absent before the first.
    pub signed_at: Option<UtcMillis>,
}

/// Active terminals of one contract, and what is remarkable about them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TerminalCounts {
    /// Those that are not retired.
    pub in_use: u64,
    /// Events waiting on them at their last contact.
    pub waiting: u64,
    /// When any of them was last heard of.
    pub heard_at: Option<UtcMillis>,
}

/// What a contract holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContractCounts {
    /// Terminals that are enrolled, blocked ones included, retired ones not.
    pub terminals: u64,
    /// Employees, those who have left included.
    pub employees: u64,
    /// People who can sign in.
    pub people: u64,
    /// Events received, by the terminals' numbers.
    pub events: u64,
    /// Whether somebody can sign in who may say who else may.
    pub administered: bool,
}

/// A backup that was made on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupMade {
    /// When.
    pub at: UtcMillis,
    /// Where to, as it was named then.
    pub place: String,
}

/// Something in quarantine, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Grows with every entry; for paging.
    pub number: i64,
    /// When it came.
    pub received_at: UtcMillis,
    /// Why it is there.
    pub reason: QuarantineReason,
    /// 契約主コード that it claims.
    pub contract: String,
    /// Terminal that it claims.
    pub terminal: String,
    /// Its length.
    pub bytes: u64,
}

/// A PC that was not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEnrollment {
    /// Its name, as it says.
    pub host_name: String,
    /// Why.
    pub reason: EnrollmentRefusal,
    /// When it tried last.
    pub at: UtcMillis,
}

/// Upkeep.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Work that waits for the writer. Asks nobody.
    fn writer_load(&self) -> WriterLoad;
    /// How far the logs are signed: of one contract, or of all of them by code.
    async fn log_states(&self, contract: Option<ContractId>) -> Answer<Vec<LogState>>;
    /// The terminals of a contract; `silent_before` is the border of silence.
    async fn terminal_counts(&self, contract: ContractId) -> Answer<TerminalCounts>;
    /// Active terminals of all contracts that were not heard of since `silent_before`, and events that waited on the active
    /// ones at their last contact.
    async fn silent_and_waiting(&self, silent_before: UtcMillis) -> Answer<(u64, u64)>;
    /// Punches of a contract with an error in a period, by result number.
    async fn error_counts(
        &self,
        contract: ContractId,
        from: UtcMillis,
        until: UtcMillis,
    ) -> Answer<Vec<(u8, u64)>>;
    /// What each of these contracts holds, in their order.
    async fn contract_counts(&self, contracts: Vec<ContractId>, today: Date) -> Answer<Vec<ContractCounts>>;
    /// The last backup that was made by this server's command.
    async fn last_backup(&self) -> Answer<Option<BackupMade>>;
    /// Bytes that the database takes on its disk; of SQLite with its write-ahead log.
    async fn database_bytes(&self) -> Answer<u64>;
    /// Whether this process is the one that does what is to be done once for each database: the first that asks, until it
    /// is gone. Who asks again gets the same answer.
    async fn leads(&self) -> Answer<bool>;
    /// Notes the size of the database on a day; the first one of a day stays.
    async fn note_size(&self, day: Date, bytes: u64) -> Answer<()>;
    /// Forgets the figures of days ([`super::Punches::day_figures`]) that lie too far back from `now`.
    async fn forget_day_figures(&self, now: UtcMillis) -> Answer<()>;
    /// Makes the parts of the database in which what comes in this month (by UTC) and the next two will lie, where they are
    /// missing. `false` when some of them must wait for others who read; nothing depends on it.
    async fn make_months(&self, now: UtcMillis) -> Answer<bool>;
    /// Takes away such parts of months before the last one in which nothing is left; answers their names. One in which
    /// there is anything stays.
    async fn drop_months(&self, now: UtcMillis) -> Answer<Vec<String>>;
    /// Sizes by day, the newest first.
    async fn sizes(&self, limit: usize) -> Answer<Vec<(Date, u64)>>;
    /// Takes away what has been in quarantine for 30 days; answers how many entries that were.
    async fn forget_quarantined(&self, now: UtcMillis) -> Answer<u64>;
    /// Takes away what has come into quarantine up to `last` and was looked at, and begins to count anew what is only
    /// counted; answers how many entries went.
    async fn empty_quarantine(&self, last: UtcMillis, act: Act) -> Answer<u64>;
    /// PCs that were refused to be enrolled although they gave a key of this contract (which opens nothing any more), each
    /// once with its last refusal, the last first; as far as they are in quarantine.
    async fn refused_enrollments(&self, contract: ContractId) -> Answer<Vec<RefusedEnrollment>>;
    /// What is in quarantine, newest first, without bytes, at the beginning or beside a number.
    async fn list_quarantine(
        &self,
        at: Option<Beside<i64>>,
        limit: usize,
    ) -> Answer<Page<QuarantineRow, i64>>;
}
