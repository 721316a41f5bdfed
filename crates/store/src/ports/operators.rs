//! People who sign in, what they did, and their browser sessions.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Act, Answer, Beside, KeyHash, Page};
use crate::{AdministratorId, ContractId, DepartmentId, EmployeeId};

/// What somebody who signs in is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministratorName {
    /// Login.
    pub login: String,
    /// Name.
    pub display: String,
}

/// As what somebody signs in (product.md, The server, 5). What each role may do is decided in one place, the
/// server's `access`; the store only keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// HR and IT of one contract in one person, as small customers have it, and who else signs in.
    Administrator,
    /// 人事: attendance content of a contract.
    HumanResources,
    /// IT of a contract: terminals and their health, no attendance content.
    InformationTechnology,
    /// 承認者: attendance of one department and those below it.
    Approver,
    /// 監査: reads a contract, changes nothing.
    Auditor,
    /// 社員: their own record only.
    Employee,
    /// Runs the server: contracts and health, no attendance content.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Administrator,
        Self::HumanResources,
        Self::InformationTechnology,
        Self::Approver,
        Self::Auditor,
        Self::Employee,
        Self::Operator,
    ];

    /// The name at rest and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::HumanResources => "hr",
            Self::InformationTechnology => "it",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Employee => "employee",
            Self::Operator => "operator",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Whether anybody can sign in at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhoSignsIn {
    /// Nobody has ever been made.
    Nobody,
    /// The only one is an operator who was invited and has not chosen a password yet.
    Invited(AdministratorId),
    /// Somebody.
    Somebody,
}

/// Somebody to be made.
#[derive(Debug, Clone)]
pub struct NewAdministrator {
    /// Login, unique on the server.
    pub login: String,
    /// Name for reading.
    pub display_name: String,
    /// argon2id hash of the password, in PHC form; absent until the person has chosen one.
    pub password_hash: Option<String>,
    /// As what they sign in.
    pub role: Role,
    /// The contract they belong to; absent exactly for operators.
    pub contract: Option<ContractId>,
    /// What they are responsible for, with everything below; there exactly for approvers.
    pub department: Option<DepartmentId>,
    /// Whose own record they see; always there for employees.
    pub employee: Option<EmployeeId>,
    /// First date on which they may sign in; open when absent.
    pub valid_from: Option<Date>,
    /// Last date; open when absent.
    pub valid_until: Option<Date>,
}

impl NewAdministrator {
    /// Somebody without password, department, employee and dates, whose name is the login.
    #[must_use]
    pub fn new(login: &str, role: Role, contract: Option<ContractId>) -> Self {
        Self {
            login: login.to_owned(),
            display_name: login.to_owned(),
            password_hash: None,
            role,
            contract,
            department: None,
            employee: None,
            valid_from: None,
            valid_until: None,
        }
    }
}

/// What can be changed of somebody; login and contract stay for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministratorChange {
    /// As [`NewAdministrator::display_name`].
    pub display_name: String,
    /// As [`NewAdministrator::role`]; nobody becomes or ceases to be an operator.
    pub role: Role,
    /// As [`NewAdministrator::department`].
    pub department: Option<DepartmentId>,
    /// As [`NewAdministrator::employee`].
    pub employee: Option<EmployeeId>,
    /// As [`NewAdministrator::valid_from`].
    pub valid_from: Option<Date>,
    /// As [`NewAdministrator::valid_until`].
    pub valid_until: Option<Date>,
}

/// Somebody who signs in.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// Identity in the store.
    pub id: AdministratorId,
    /// What was entered.
    pub data: NewAdministrator,
    /// Since when they may not sign in; absent while they may.
    pub disabled_at: Option<UtcMillis>,
    /// When the set-up link that waits for them ends; absent when there is none.
    pub setup_expires_at: Option<UtcMillis>,
}

/// Somebody who signs in, as a list shows them.
#[derive(Debug, Clone)]
pub struct AdministratorRow {
    /// The person.
    pub person: Administrator,
    /// Code and name of their department.
    pub department: Option<(String, String)>,
    /// Code and name of the employee they are.
    pub employee: Option<(String, String)>,
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
    /// Whose it is; absent before anybody has signed in.
    pub person: Option<AdministratorId>,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// When it was last used, to a minute; absent for not yet. Saving does not touch it.
    pub seen_at: Option<UtcMillis>,
}

/// What is left of a session that was ended by somebody, by a new password or with its person: it opens nothing, and whoever
/// comes back to it can be told why. It goes when the session would have ended by itself. It is JSON, as every content is.
pub const SESSION_ENDED: &[u8] = br#"{"ended":true}"#;

/// Employees that one request may let in.
pub const LET_IN_MAX: usize = 500;

/// An employee who is to see their own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetIn {
    /// Who.
    pub employee: EmployeeId,
    /// Logins that they may get, the best first.
    pub logins: Vec<String>,
    /// Hash of their set-up link's token.
    pub token: KeyHash,
}

/// What became of somebody who is to see their own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetInOutcome {
    /// They sign in with this login; the link counts.
    Made {
        /// The login.
        login: String,
    },
    /// They signed in already, and nothing is changed.
    There {
        /// The login.
        login: String,
    },
    /// Others have all the logins that they may get.
    NoLogin,
}

/// People who sign in.
#[async_trait]
pub trait Operators: Send + Sync {
    /// Makes an administrator. Department and employee must be of the contract.
    async fn create_administrator(&self, new: NewAdministrator, act: Act) -> Answer<AdministratorId>;
    /// Whether anybody can sign in.
    async fn who_signs_in(&self) -> Answer<WhoSignsIn>;
    /// The one with this login.
    async fn administrator(&self, login: &str) -> Answer<Option<Administrator>>;
    /// The one with this id.
    async fn administrator_by_id(&self, id: AdministratorId) -> Answer<Option<Administrator>>;
    /// People of a contract, or operators, by login: those whose login or name has `search` in it (everybody when it
    /// is empty), at most `limit`, at the beginning or beside a login.
    async fn administrator_page(
        &self,
        contract: Option<ContractId>,
        search: String,
        at: Option<Beside<String>>,
        limit: usize,
    ) -> Answer<Page<AdministratorRow, String>>;
    /// How many people a contract has who sign in, or how many operators there are.
    async fn administrator_count(&self, contract: Option<ContractId>) -> Answer<u64>;
    /// Changes what somebody of this contract (or an operator) may do. It counts from their next request on.
    async fn change_administrator(
        &self,
        contract: Option<ContractId>,
        id: AdministratorId,
        change: AdministratorChange,
        act: Act,
    ) -> Answer<()>;
    /// Lets somebody sign in no more, or again. Disabling ends their sessions, their tokens and their set-up link. Nothing
    /// is written when it is so already.
    async fn set_disabled(
        &self,
        contract: Option<ContractId>,
        id: AdministratorId,
        disabled: bool,
        act: Act,
    ) -> Answer<()>;
    /// Gives somebody a set-up link, of whose token only the hash is kept; the one before counts no more.
    async fn start_setup(
        &self,
        contract: Option<ContractId>,
        id: AdministratorId,
        token: KeyHash,
        expires_at: UtcMillis,
        act: Act,
    ) -> Answer<()>;
    /// Gives a contract its first administrator, with a set-up link as [`Self::start_setup`] does. The same login again
    /// gets a new link, as long as nobody can sign in who may say who else may; links for other logins count no more.
    /// Refused as missing when there is no such contract, or when it has somebody.
    async fn invite_first_administrator(
        &self,
        contract: ContractId,
        name: AdministratorName,
        token: KeyHash,
        expires_at: UtcMillis,
        act: Act,
    ) -> Answer<()>;
    /// Lets employees see their own records: makes those who do not sign in yet people with the role of an employee, each
    /// with a set-up link as [`Self::start_setup`] does. With `again`, those who have that role and nothing to sign in with
    /// get a new link too. At most [`LET_IN_MAX`]; all or, when one of them is not of the contract, none.
    async fn let_employees_in(
        &self,
        contract: ContractId,
        employees: Vec<LetIn>,
        again: bool,
        expires_at: UtcMillis,
        act: Act,
    ) -> Answer<Vec<LetInOutcome>>;
    /// Whose set-up link this is, while it counts: not expired at `now`, not used, its person not disabled.
    async fn setup(&self, token: KeyHash, now: UtcMillis) -> Answer<Option<Administrator>>;
    /// Uses a set-up link up: the password is set, and every session and token of the person ends. Refused as missing when
    /// it does not count at `at`.
    async fn finish_setup(
        &self,
        token: KeyHash,
        password_hash: String,
        at: UtcMillis,
    ) -> Answer<Administrator>;
    /// Replaces a password hash and ends every session of the person; with `end_tokens`, their tokens, too.
    async fn set_password(
        &self,
        id: AdministratorId,
        password_hash: String,
        end_tokens: bool,
        act: Act,
    ) -> Answer<()>;
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
    /// Replaces a session. One that has been removed or ended meanwhile stays so: a request in flight does not bring
    /// it back.
    async fn save_session(&self, session: WebSession) -> Answer<()>;
    /// A session that has not ended by itself at `now`; what [`SESSION_ENDED`] is of one that was ended.
    async fn load_session(&self, id: &str, now: UtcMillis) -> Answer<Option<WebSession>>;
    /// Removes a session.
    async fn delete_session(&self, id: &str) -> Answer<()>;
    /// Removes sessions that have ended, and failed sign-ins that count no more; returns how many sessions.
    async fn delete_ended_sessions(&self, now: UtcMillis) -> Answer<u64>;
}
