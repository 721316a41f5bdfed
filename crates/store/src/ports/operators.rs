//! People who sign in, what they did, and their browser sessions.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::{Act, Answer};
use crate::{AdministratorId, ContractId};

/// What somebody who signs in may do (product.md, The server, 5). The roles of employees and approvers
/// come with their screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// HR and IT of one contract in one person, as small customers have it.
    Administrator,
    /// 人事: attendance content of a contract.
    HumanResources,
    /// IT of a contract: terminals and their health, no attendance content.
    InformationTechnology,
    /// 監査: reads a contract, changes nothing.
    Auditor,
    /// Runs the server: contracts and health, no attendance content.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Administrator,
        Self::HumanResources,
        Self::InformationTechnology,
        Self::Auditor,
        Self::Operator,
    ];

    /// The name at rest and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::HumanResources => "hr",
            Self::InformationTechnology => "it",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// May see punches and people.
    #[must_use]
    pub fn reads_attendance(self) -> bool {
        match self {
            Self::Administrator | Self::HumanResources | Self::Auditor => true,
            Self::InformationTechnology | Self::Operator => false,
        }
    }

    /// May link accounts and change employees.
    #[must_use]
    pub fn changes_people(self) -> bool {
        match self {
            Self::Administrator | Self::HumanResources => true,
            Self::InformationTechnology | Self::Auditor | Self::Operator => false,
        }
    }

    /// May see terminals.
    #[must_use]
    pub fn reads_terminals(self) -> bool {
        match self {
            Self::Administrator | Self::HumanResources | Self::InformationTechnology | Self::Auditor => true,
            Self::Operator => false,
        }
    }

    /// May block and unblock terminals.
    #[must_use]
    pub fn changes_terminals(self) -> bool {
        match self {
            Self::Administrator | Self::InformationTechnology => true,
            Self::HumanResources | Self::Auditor | Self::Operator => false,
        }
    }

    /// May make and suspend contracts and see the quarantine.
    #[must_use]
    pub fn operates(self) -> bool {
        match self {
            Self::Operator => true,
            Self::Administrator | Self::HumanResources | Self::InformationTechnology | Self::Auditor => false,
        }
    }
}

/// Somebody to be made.
#[derive(Debug, Clone)]
pub struct NewAdministrator {
    /// Login, unique on the server.
    pub login: String,
    /// Name for reading.
    pub display_name: String,
    /// argon2id hash of the password, in PHC form.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// The contract they belong to; absent exactly for operators.
    pub contract: Option<ContractId>,
}

/// Somebody who signs in.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// Identity in the store.
    pub id: AdministratorId,
    /// What was entered.
    pub data: NewAdministrator,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Grows with every entry; for paging.
    pub number: i64,
    /// When.
    pub at: UtcMillis,
    /// Who, as in [`Act::by`].
    pub by: String,
    /// In which contract; absent for the whole server.
    pub contract: Option<ContractId>,
    /// What, in one of the store's fixed words (`link_accounts`, `block_terminal` …).
    pub action: String,
    /// To what.
    pub object: String,
    /// More: a JSON object whose fields the action fixes. Of entries from before the log had them, a text.
    pub detail: String,
}

/// A browser session, opaque to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSession {
    /// Session id as text.
    pub id: String,
    /// Content.
    pub data: Vec<u8>,
    /// When it ends.
    pub expires_at: UtcMillis,
}

/// People who sign in.
#[async_trait]
pub trait Operators: Send + Sync {
    /// Makes an administrator.
    async fn create_administrator(&self, new: NewAdministrator, act: Act) -> Answer<AdministratorId>;
    /// The one with this login.
    async fn administrator(&self, login: &str) -> Answer<Option<Administrator>>;
    /// The one with this id.
    async fn administrator_by_id(&self, id: AdministratorId) -> Answer<Option<Administrator>>;
    /// Everybody of a contract, or the operators.
    async fn list_administrators(&self, contract: Option<ContractId>) -> Answer<Vec<Administrator>>;
    /// Replaces a password hash.
    async fn set_password(&self, id: AdministratorId, password_hash: String, act: Act) -> Answer<()>;
    /// Notes something that is no change of the store's own (a sign-in, an export).
    async fn note(
        &self,
        contract: Option<ContractId>,
        action: String,
        object: String,
        act: Act,
    ) -> Answer<()>;
    /// The audit log of a contract (or of the server), newest first, with numbers below `before`.
    async fn audit_log(
        &self,
        contract: Option<ContractId>,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<Vec<AuditEntry>>;
    /// Makes a session; `false` when the id is taken.
    async fn create_session(&self, session: WebSession) -> Answer<bool>;
    /// Replaces a session.
    async fn save_session(&self, session: WebSession) -> Answer<()>;
    /// A session that has not ended at `now`.
    async fn load_session(&self, id: &str, now: UtcMillis) -> Answer<Option<WebSession>>;
    /// Removes a session.
    async fn delete_session(&self, id: &str) -> Answer<()>;
    /// Removes sessions that have ended; returns how many.
    async fn delete_ended_sessions(&self, now: UtcMillis) -> Answer<u64>;
}
