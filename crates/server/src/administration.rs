//! What a signed-in person can do: the layer between pages or API and the store.
//!
//! Every operation starts from a [`Session`], which knows the person's role and contract. The contract of an
//! operation is always the session's own and never a parameter, so that no page can ask for another's rows;
//! what the role does not allow is refused here and not in the pages.

use std::fmt;

use axum::http::StatusCode;
use jiff::ToSpan;
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::{
    Account, AccountFilter, AccountId, AccountName, Act, Administrator, AdministratorId, AuditEntry,
    ContractId, Employee, EmployeeId, Health, LinkEnd, LinkId, LinkOutcome, LinkRequest, NewEmployee,
    PageKey, PunchDetail, PunchFilter, PunchPage, QuarantineReport, Role, StoreError, Summary, Terminal,
    TerminalStatus, local_date,
};

use crate::app::App;
use crate::passwords::PasswordError;
use crate::problem::Failure;

/// Rows on one page of any list.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Why nobody was signed in.
#[derive(Debug)]
pub enum SignInError {
    /// Login or password is wrong; which one is not told.
    Refused,
    /// Too many sign-ins are waiting.
    Busy,
    /// The store failed.
    Store(StoreError),
    /// The password check failed.
    Password(PasswordError),
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub id: AdministratorId,
    /// Login.
    pub login: String,
    /// Name for reading.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    contract: Option<ContractId>,
}

/// Checks login and password. Takes the same work whether or not the login exists.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(app: &App, login: &str, password: String) -> Result<Session, SignInError> {
    let found = app.store.administrator(login).await.map_err(SignInError::Store)?;
    let stored = found.as_ref().map(|administrator| administrator.data.password_hash.clone());
    let right = app.passwords.check(password, stored).await.map_err(|error| match error {
        PasswordError::Busy => SignInError::Busy,
        PasswordError::TooShort
        | PasswordError::TooLong
        | PasswordError::Hash(_)
        | PasswordError::Unfinished(_) => SignInError::Password(error),
    })?;
    found.filter(|_| right).map(Session::of).ok_or(SignInError::Refused)
}

/// Takes up the session of somebody who signed in earlier; `None` when they have been removed since.
///
/// # Errors
/// What the store says.
pub async fn resume(app: &App, id: AdministratorId) -> Result<Option<Session>, StoreError> {
    Ok(app.store.administrator_by_id(id).await?.map(Session::of))
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display_name)
    }
}

/// What a role does not allow.
fn forbidden() -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.")
}

impl Session {
    fn of(administrator: Administrator) -> Self {
        let Administrator { id, data } = administrator;
        Self {
            id,
            login: data.login,
            display_name: data.display_name,
            role: data.role,
            contract: data.contract,
        }
    }

    fn act(&self, app: &App) -> Act {
        Act::administrator(&self.login, app.now())
    }

    fn allowed(&self, allowed: bool) -> Result<ContractId, Failure> {
        self.contract.filter(|_| allowed).ok_or_else(forbidden)
    }

    /// The contract whose attendance this person may read.
    ///
    /// # Errors
    /// 403 when the role does not allow it.
    pub fn attendance_contract(&self) -> Result<ContractId, Failure> {
        self.allowed(self.role.reads_attendance())
    }

    /// Numbers for the strip above the list, for the Tokyo day of `now`.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn summary(&self, app: &App) -> Result<Summary, Failure> {
        let contract = self.allowed(self.role.reads_attendance() || self.role.reads_terminals())?;
        let now = app.now();
        let (from, until) = day(now);
        let contact_ms = i64::from(app.settings.contact_seconds) * 1000;
        let silent_before = now.plus(-contact_ms.saturating_mul(Health::SILENT_AFTER_CONTACTS));
        Ok(app.store.summary(contract, from, until, silent_before).await?)
    }

    /// A page of punches.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn punches(
        &self,
        app: &App,
        filter: PunchFilter,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<PunchPage, Failure> {
        let contract = self.attendance_contract()?;
        Ok(app.store.list_punches(contract, filter, after, limit.min(PAGE_ROWS_MAX)).await?)
    }

    /// One punch with its raw event, history, terminal and account.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn punch(
        &self,
        app: &App,
        terminal: TerminalId,
        sequence: u64,
    ) -> Result<Option<PunchDetail>, Failure> {
        Ok(app.store.punch(self.attendance_contract()?, terminal, sequence).await?)
    }

    /// Accounts with their links and waiting punches.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn accounts(&self, app: &App, filter: AccountFilter) -> Result<Vec<Account>, Failure> {
        Ok(app.store.list_accounts(self.attendance_contract()?, filter, PAGE_ROWS_MAX).await?)
    }

    /// One account and the names it has had.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn account(
        &self,
        app: &App,
        account: AccountId,
    ) -> Result<Option<(Account, Vec<AccountName>)>, Failure> {
        let contract = self.attendance_contract()?;
        let Some(found) = app.store.account(contract, account).await? else {
            return Ok(None);
        };
        Ok(Some((found, app.store.account_names(contract, account).await?)))
    }

    /// Employees by code.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn employees(&self, app: &App, after: Option<String>) -> Result<Vec<Employee>, Failure> {
        Ok(app.store.list_employees(self.attendance_contract()?, after, PAGE_ROWS_MAX).await?)
    }

    fn people_contract(&self) -> Result<ContractId, Failure> {
        self.allowed(self.role.changes_people())
    }

    /// Adds an employee.
    ///
    /// # Errors
    /// 403, or what the store says (the code is taken, the dates are reversed).
    pub async fn add_employee(&self, app: &App, new: NewEmployee) -> Result<EmployeeId, Failure> {
        Ok(app.store.add_employee(self.people_contract()?, new, self.act(app)).await?)
    }

    /// Changes an employee; returns how many stored punches got another result.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn change_employee(
        &self,
        app: &App,
        employee: EmployeeId,
        data: NewEmployee,
    ) -> Result<u64, Failure> {
        Ok(app.store.change_employee(self.people_contract()?, employee, data, self.act(app)).await?)
    }

    /// How many stored punches [`Self::link`] would change.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn preview_links(&self, app: &App, requests: Vec<LinkRequest>) -> Result<u64, Failure> {
        Ok(app.store.preview_links(self.people_contract()?, requests).await?)
    }

    /// 「選択したWindowsユーザー名をマスタ登録する」: links accounts and judges their punches again.
    ///
    /// # Errors
    /// 403, or what the store says (overlapping links, unknown objects).
    pub async fn link(&self, app: &App, requests: Vec<LinkRequest>) -> Result<LinkOutcome, Failure> {
        Ok(app.store.link_accounts(self.people_contract()?, requests, self.act(app)).await?)
    }

    /// Ends a link; returns how many stored punches got another result.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn end_link(&self, app: &App, link: LinkId, end: LinkEnd) -> Result<u64, Failure> {
        Ok(app.store.end_link(self.people_contract()?, link, end, self.act(app)).await?)
    }

    /// Terminals by PC name, each with its health.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn terminals(
        &self,
        app: &App,
        after: Option<(String, TerminalId)>,
    ) -> Result<Vec<(Terminal, Health)>, Failure> {
        let contract = self.allowed(self.role.reads_terminals())?;
        let terminals = app.store.list_terminals(contract, after, PAGE_ROWS_MAX).await?;
        let (now, contact_seconds) = (app.now(), app.settings.contact_seconds);
        let health = |terminal: &Terminal| Health::of(terminal.last_contact_at, now, contact_seconds);
        Ok(terminals.into_iter().map(|terminal| (terminal.clone(), health(&terminal))).collect())
    }

    /// Blocks, unblocks or retires a terminal; returns how many stored punches got another result.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn set_terminal_status(
        &self,
        app: &App,
        terminal: TerminalId,
        status: TerminalStatus,
    ) -> Result<u64, Failure> {
        let contract = self.allowed(self.role.changes_terminals())?;
        Ok(app.store.set_terminal_status(contract, terminal, status, self.act(app)).await?)
    }

    /// Takes a terminal's conflict mark away.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn clear_conflict(&self, app: &App, terminal: TerminalId) -> Result<(), Failure> {
        let contract = self.allowed(self.role.changes_terminals())?;
        Ok(app.store.clear_conflict(contract, terminal, self.act(app)).await?)
    }

    /// The audit log: an operator's of the server, everybody else's of their contract.
    ///
    /// # Errors
    /// What the store says.
    pub async fn audit_log(&self, app: &App, before: Option<i64>) -> Result<Vec<AuditEntry>, Failure> {
        Ok(app.store.audit_log(self.contract, before, PAGE_ROWS_MAX).await?)
    }

    /// The quarantine, for the operator.
    ///
    /// # Errors
    /// 403, or what the store says.
    pub async fn quarantine(&self, app: &App) -> Result<QuarantineReport, Failure> {
        if !self.role.operates() {
            return Err(forbidden());
        }
        Ok(app.store.quarantine_report(PAGE_ROWS_MAX).await?)
    }

    /// Notes in the audit log that this person did something that changes nothing (sign-in, export).
    ///
    /// # Errors
    /// What the store says.
    pub async fn note(&self, app: &App, action: &str, object: &str) -> Result<(), Failure> {
        Ok(app.store.note(self.contract, action.to_owned(), object.to_owned(), self.act(app)).await?)
    }
}

/// Begin and end of the day in [`mngntime_store::date::ZONE`] that contains `now`.
fn day(now: UtcMillis) -> (UtcMillis, UtcMillis) {
    let today = local_date(now);
    let start = |date: jiff::civil::Date| {
        let zoned = date.to_zoned(mngntime_store::date::zone());
        zoned.map_or(now, |zoned| UtcMillis(zoned.timestamp().as_millisecond()))
    };
    let tomorrow = today.checked_add(1.day()).unwrap_or(today);
    (start(today), start(tomorrow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_tokyo() {
        let midnight = 1_763_823_600_000; // 2025-11-23T00:00:00+09:00
        let whole = (UtcMillis(midnight), UtcMillis(midnight + 86_400_000));
        assert_eq!(day(UtcMillis(midnight)), whole);
        assert_eq!(day(UtcMillis(midnight + 86_399_999)), whole);
    }
}
