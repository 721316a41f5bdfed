//! The ports: what the rest of the server may ask of a store, by concern.
//!
//! The traits are object-safe (`Arc<dyn Store>`), so that which database it is, is decided in one place.

mod audit;
mod ceremonies;
mod changes;
mod contracts;
mod days;
mod departments;
mod directory;
mod enrollment_keys;
mod evidence;
mod finding;
mod fleet;
mod imports;
mod intake;
mod links_by_sid;
mod lists;
mod log;
mod operators;
mod paging;
mod people;
mod punches;
mod redating;
mod remarks;
mod retention;
mod scope;
mod searches;
mod sign_in;
mod signing_key;
mod terminals;
mod upkeep;

use async_trait::async_trait;
use mngntime_model::UtcMillis;

pub use audit::{AuditFilter, AuditKey, AuditLog, AuditPage, AuditRow};
pub use ceremonies::{CEREMONIES_MAX, Ceremonies, CeremonyKind, NewCeremony};
pub use changes::{ChangePreview, ChangedDays, Changes, LinkChange, LinkInFull, LinkPreview, Rejudged};
pub use contracts::{
    Contract, ContractSettings, ContractStatus, Contracts, IDLE_MINUTES_DEFAULT, IDLE_MINUTES_MAX, KeyHash,
    NewContract,
};
pub use days::{
    DayEdge, DayEvent, DaySummary, Days, EventDetail, PersonLink, PersonRecord, PersonSummary,
    PersonTerminal, Punched, SUMMED_DATES_MAX, SUMMED_PEOPLE_MAX,
};
pub use departments::{
    DEPARTMENTS_NAMED_MAX, Department, DepartmentPlace, DepartmentProblem, Departments, NewDepartment,
};
pub use directory::{Directory, DirectoryField, Sid, Upn};
pub use enrollment_keys::{
    ENROLLMENT_KEYS_MAX, EnrollmentKey, EnrollmentKeys, KeyEnd, LABEL_MAX, NewEnrollmentKey,
};
pub use evidence::{
    EventReceipts, Evidence, EvidenceAccount, EvidenceLink, EvidencePeople, EvidenceScope, EvidenceTerminal,
    StoredEntry, StoredEvent, StoredJudgement,
};
pub use finding::Finding;
pub use fleet::{
    CLOCK_OFF_MS, CONTACT_DAYS_KEPT, ContactDay, Fleet, FleetCounts, FleetFilter, FleetKey, FleetOrder,
    FleetPage, FleetShow, HISTORY_KEPT, Marks, Measures, MissingRange, NAMED_MAX, NOTE_MAX, NamedTerminal,
    REASON_MAX, StatusChanged, StatusesSet, TERMINALS_PER_CHANGE_MAX, TerminalChange, TerminalHistory,
    WAITING_MANY, WAITING_RISES, attention,
};
pub use imports::{
    EMPLOYEE_LINES_MAX, EmployeeChange, EmployeeColumns, ImportOutcome, ImportPreview, Imports,
    LINK_LINES_MAX, LineFate, LineProblem, LinkLine, LinkSubject, Rejudging, StagedFile,
};
pub use intake::{
    EnrollmentOutcome, Enrolment, IncomingBatch, IncomingEvent, Intake, ItemOutcome, MISSING_RANGES_MAX,
    QuarantineOutcome, QuarantineReason, QuarantineReport, Quarantined, Reception, Seal, Sealed, Sender,
};
pub use links_by_sid::{LINKS_BY_SID_MAX, LinksBySid};
pub use lists::{
    AccountCounts, AccountKey, AccountRow, AccountShow, Day, EmployeeCounts, EmployeeRow, EmployeeShow,
    FOUND_MAX, HOSTS_MAX, LinkHistory, Lists, Reason, SAME_NAMES_MAX, SuggestedAccounts, Suggestion,
};
pub use log::{
    BatchProof, GrownTree, Growth, LeafPlace, Log, LogFault, LogLook, SignedBatch, SignedHead, Tree,
    UnsignedMonth,
};
pub use operators::{
    Administrator, AdministratorChange, AdministratorName, AdministratorRow, AuditEntry, LET_IN_MAX, LetIn,
    LetInOutcome, NewAdministrator, Operators, Role, SESSION_ENDED, WebSession, WhoSignsIn,
};
pub use paging::{Beside, Page};
pub use people::{
    Account, AccountFilter, AccountName, Employee, EmployeeChoice, Link, LinkEnd, LinkOutcome, LinkRequest,
    NewEmployee, People,
};
pub use punches::{
    DayFigures, ErrorCause, Judgement, PageKey, Punch, PunchDetail, PunchFilter, PunchPage, Punches,
    SAME_TIME_MS, SLOTS, Summary, Unattended, Whose, WhoseChange, Why,
};
pub use redating::{DAY_BOUNDARY_MAX_MINUTES, Redating};
pub use remarks::{
    ListedRemark, ListedRemarks, NewRemark, REMARK_CHARS_MAX, REMARK_MINUTES_MAX, REMARKS_PER_DAY_MAX,
    Remark, RemarkCounts, RemarkKey, RemarkReading, RemarkShow, Remarks,
};
pub use retention::{
    CLOCK_TRIED_DAYS, CheckedMonth, Emptying, HOLD_REASON_CHARS_MAX, Hold, KeptMonth, MonthCheck, NewHold,
    Retention, RetentionMonths, RetiredMonth, RetiredNumbers, RetiredRange, Retirement,
};
pub use scope::{People as ScopedPeople, Scope};
pub use searches::{SEARCHES_MAX, SavedSearch, Searches};
pub use sign_in::{
    ApiToken, Entrance, FAILURES_FORGOTTEN_MS, FAILURES_FREE, Means, NewPasskey, NewToken, Origin,
    PASSKEYS_MAX, Passkey, ProviderSubject, RECOVERY_CODES, SecondFactor, SignIn, SignInTries, TOKENS_MAX,
    TotpSecret, WAIT_MAX_MS, waits_until,
};
pub use signing_key::SigningKey;
pub use terminals::{
    BootReturn, Health, MissingNumbers, Note, Standing, Terminal, TerminalStatus, Terminals,
};
pub use upkeep::{
    BackupMade, ContractCounts, LogState, QuarantineRow, RefusedEnrollment, TerminalCounts, Upkeep,
    WriterLoad,
};

use crate::StoreError;

/// What every method returns.
pub type Answer<T> = Result<T, StoreError>;

/// Who changes something, and when: stands in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// `administrator:LOGIN`, `command-line` or `server`.
    pub by: String,
    /// When, by the server's clock.
    pub at: UtcMillis,
}

impl Act {
    /// Something the server does by itself.
    #[must_use]
    pub fn server(at: UtcMillis) -> Self {
        Self { by: "server".into(), at }
    }

    /// Something a person does on the server's command line.
    #[must_use]
    pub fn command_line(at: UtcMillis) -> Self {
        Self { by: "command-line".into(), at }
    }

    /// Something a signed-in person does.
    #[must_use]
    pub fn administrator(login: &str, at: UtcMillis) -> Self {
        Self { by: format!("administrator:{login}"), at }
    }
}

/// Everything together.
#[async_trait]
pub trait Store:
    Intake
    + Log
    + Evidence
    + Days
    + Punches
    + People
    + Lists
    + Finding
    + Changes
    + LinksBySid
    + Imports
    + Searches
    + Departments
    + Terminals
    + Fleet
    + Contracts
    + Redating
    + EnrollmentKeys
    + Operators
    + SignIn
    + SignInTries
    + Ceremonies
    + SigningKey
    + AuditLog
    + Remarks
    + Retention
    + Upkeep
{
    /// Whether the store reads and writes: goes once through a reader and once through the writer.
    async fn probe(&self) -> Answer<()>;
}
