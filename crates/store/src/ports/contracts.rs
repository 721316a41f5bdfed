//! Contracts and their enrolment keys.

use async_trait::async_trait;
use mngntime_model::{ContractCode, Language, UtcMillis};
use sha2::{Digest as _, Sha256};

use super::{Act, Answer, Beside, Page};
use crate::ContractId;

/// Whether a contract may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractStatus {
    /// It may.
    Active,
    /// Suspended by the operator: events are stored, punches get res=5.
    Suspended,
}

impl ContractStatus {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Suspended];

    /// The name at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// SHA-256 of an enrolment key. The key is drawn with 160 bits by the server, so a plain hash is right: there
/// is nothing to guess that a slow hash would protect.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHash(pub(crate) [u8; 32]);

impl KeyHash {
    /// The hash of a key as a person or a configuration file writes it; surrounding space does not count.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.trim().as_bytes()).into())
    }
}

/// A hash is a secret's shadow: not for logs.
impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// A contract to be made.
#[derive(Debug, Clone)]
pub struct NewContract {
    /// 契約主コード.
    pub code: ContractCode,
    /// Name of the customer.
    pub name: String,
    /// Its first enrolment key.
    pub key: KeyHash,
}

/// What a contract has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractSettings {
    /// Until when a night belongs to the day before, in minutes after midnight; absent while the server's setting holds.
    pub day_begins_minutes: Option<u16>,
    /// 和暦: dates in headings are written 令和8年.
    pub japanese_years: bool,
    /// How long records are kept, in years: 3 or 5.
    pub retention_years: u8,
    /// Whether records whose time is over are deleted. The law says how long they are kept at least, so that nobody's go
    /// unless somebody has said so.
    pub retires: bool,
    /// Whether an account whose SID was entered at an employee is linked by itself
    /// ([`LinksBySid`](super::LinksBySid)).
    pub links_by_sid: bool,
    /// Language of browsers that have chosen none; absent when the browser's wishes decide.
    pub language: Option<Language>,
    /// Minutes without use after which a session of the contract's people ends; absent for never. At most
    /// [`IDLE_MINUTES_MAX`].
    pub idle_minutes: Option<u16>,
}

/// What a contract has that has chosen nothing, in minutes: the most that NIST SP 800-63B-4 recommends at AAL2.
pub const IDLE_MINUTES_DEFAULT: u16 = 60;

/// Most minutes without use: a session ends after twelve hours whatever is done in it.
pub const IDLE_MINUTES_MAX: u16 = 720;

/// Records are kept for five years (労働基準法第109条; 附則第143条 allows three for the time being).
impl Default for ContractSettings {
    fn default() -> Self {
        Self {
            day_begins_minutes: None,
            japanese_years: false,
            retention_years: 5,
            retires: false,
            links_by_sid: false,
            language: None,
            idle_minutes: Some(IDLE_MINUTES_DEFAULT),
        }
    }
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its identity in the store.
    pub id: ContractId,
    /// 契約主コード.
    pub code: String,
    /// Name of the customer.
    pub name: String,
    /// Whether it may be used.
    pub status: ContractStatus,
    /// Whether it includes logon punches.
    pub logon_punch_option: bool,
    /// When it was made.
    pub created_at: UtcMillis,
    /// What it has chosen.
    pub settings: ContractSettings,
}

/// Contracts.
#[async_trait]
pub trait Contracts: Send + Sync {
    /// Makes a contract, active and with the option.
    /// Asked for once more with the same key, it is there already and stays as it is.
    async fn create_contract(&self, new: NewContract, act: Act) -> Answer<ContractId>;
    /// The contract with this code.
    async fn contract(&self, code: &str) -> Answer<Option<Contract>>;
    /// The contract with this id.
    async fn contract_by_id(&self, id: ContractId) -> Answer<Option<Contract>>;
    /// Contracts by code: those whose code or name has `search` in it (all when it is empty), at most
    /// `limit`, at the beginning or beside a code.
    async fn contract_page(
        &self,
        search: String,
        at: Option<Beside<String>>,
        limit: usize,
    ) -> Answer<Page<Contract, String>>;
    /// How many contracts there are.
    async fn contract_count(&self) -> Answer<u64>;
    /// All contracts by code: for what is done to each of them in the background and on the command line.
    async fn list_contracts(&self) -> Answer<Vec<Contract>>;
    /// Sets the status, and nothing else. Punches that got res=5 are judged again; returns how many changed. Nothing is
    /// written when it is as it was.
    async fn set_contract_status(
        &self,
        contract: ContractId,
        status: ContractStatus,
        act: Act,
    ) -> Answer<u64>;
    /// The same with the option of logon punches.
    async fn set_logon_punch_option(&self, contract: ContractId, option: bool, act: Act) -> Answer<u64>;
    /// Gives it another name.
    async fn rename_contract(&self, contract: ContractId, name: String, act: Act) -> Answer<()>;
    /// Sets its name and what it has chosen. Nothing is written when nothing changes.
    async fn change_settings(
        &self,
        contract: ContractId,
        name: String,
        settings: ContractSettings,
        act: Act,
    ) -> Answer<()>;
    /// Adds an enrolment key; the ones before stay valid.
    async fn add_enrollment_key(&self, contract: ContractId, key: KeyHash, act: Act) -> Answer<()>;
    /// Revokes every enrolment key of the contract; returns how many. Enrolled terminals go on.
    async fn revoke_enrollment_keys(&self, contract: ContractId, act: Act) -> Answer<u64>;
}
