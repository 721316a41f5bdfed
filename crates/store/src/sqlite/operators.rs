//! People who sign in and their sessions.

use crate::sql::params;
use async_trait::async_trait;
use mngntime_model::UtcMillis;
use serde_json::json;

use super::{SqliteStore, administrators, audit, letting_in, rows, tries};
use crate::ports::{
    Act, Administrator, AdministratorChange, AdministratorName, AdministratorRow, Answer, AuditEntry, Beside,
    KeyHash, LET_IN_MAX, LetIn, LetInOutcome, NewAdministrator, Operators, Page, SESSION_ENDED, WebSession,
    WhoSignsIn,
};
use crate::{AdministratorId, ContractId, Refusal};

#[async_trait]
impl Operators for SqliteStore {
    async fn create_administrator(&self, new: NewAdministrator, act: Act) -> Answer<AdministratorId> {
        self.write("create an administrator", move |tx| administrators::create(tx, &new, &act)).await
    }

    async fn who_signs_in(&self) -> Answer<WhoSignsIn> {
        self.read("look whether anybody can sign in", administrators::who_signs_in).await
    }

    async fn administrator(&self, login: &str) -> Answer<Option<Administrator>> {
        let login = login.to_owned();
        self.read("look up an administrator", move |connection| administrators::by_login(connection, &login))
            .await
    }

    async fn administrator_by_id(&self, id: AdministratorId) -> Answer<Option<Administrator>> {
        self.read("look up an administrator", move |connection| administrators::by_id(connection, id)).await
    }

    async fn administrator_page(
        &self,
        contract: Option<ContractId>,
        search: String,
        at: Option<Beside<String>>,
        limit: usize,
    ) -> Answer<Page<AdministratorRow, String>> {
        self.read("list the administrators", move |connection| {
            administrators::page(connection, contract, &search, at, limit)
        })
        .await
    }

    async fn administrator_count(&self, contract: Option<ContractId>) -> Answer<u64> {
        self.read("count the administrators", move |connection| administrators::count(connection, contract))
            .await
    }

    async fn change_administrator(
        &self,
        contract: Option<ContractId>,
        id: AdministratorId,
        change: AdministratorChange,
        act: Act,
    ) -> Answer<()> {
        self.write("change an administrator", move |tx| {
            administrators::change(tx, contract, id, &change, &act)
        })
        .await
    }

    async fn set_disabled(
        &self,
        contract: Option<ContractId>,
        id: AdministratorId,
        disabled: bool,
        act: Act,
    ) -> Answer<()> {
        self.write("disable or enable an administrator", move |tx| {
            administrators::set_disabled(tx, contract, id, disabled, &act)
        })
        .await
    }

    async fn start_setup(
        &self,
        contract: Option<ContractId>,
        id: AdministratorId,
        token: KeyHash,
        expires_at: UtcMillis,
        act: Act,
    ) -> Answer<()> {
        self.write("make a set-up link", move |tx| {
            administrators::start_setup(tx, contract, id, &token, expires_at, &act)
        })
        .await
    }

    async fn invite_first_administrator(
        &self,
        contract: ContractId,
        name: AdministratorName,
        token: KeyHash,
        expires_at: UtcMillis,
        act: Act,
    ) -> Answer<()> {
        self.write("invite a contract's first administrator", move |tx| {
            administrators::invite_first(tx, contract, name, (&token, expires_at), &act)
        })
        .await
    }

    async fn let_employees_in(
        &self,
        contract: ContractId,
        employees: Vec<LetIn>,
        again: bool,
        expires_at: UtcMillis,
        act: Act,
    ) -> Answer<Vec<LetInOutcome>> {
        self.write_alone("let employees see their own records", move |tx| {
            if employees.len() > LET_IN_MAX {
                return Err(Refusal::TooMany { what: "employees", limit: LET_IN_MAX }.into());
            }
            letting_in::let_in(tx, contract, &employees, again, expires_at, &act)
        })
        .await
    }

    async fn setup(&self, token: KeyHash, now: UtcMillis) -> Answer<Option<Administrator>> {
        self.read("look up a set-up link", move |connection| {
            administrators::by_setup(connection, &token, now)
        })
        .await
    }

    async fn finish_setup(
        &self,
        token: KeyHash,
        password_hash: String,
        at: UtcMillis,
    ) -> Answer<Administrator> {
        self.write("use a set-up link", move |tx| {
            administrators::finish_setup(tx, &token, &password_hash, at)
        })
        .await
    }

    async fn set_password(
        &self,
        id: AdministratorId,
        password_hash: String,
        end_tokens: bool,
        act: Act,
    ) -> Answer<()> {
        self.write("change a password", move |tx| {
            administrators::set_password(tx, id, &password_hash, end_tokens, &act)
        })
        .await
    }

    async fn note(
        &self,
        contract: Option<ContractId>,
        action: String,
        object: String,
        act: Act,
    ) -> Answer<()> {
        self.write("write the audit log", move |tx| {
            audit::note(tx, contract, &action, &object, &json!({}), &act)
        })
        .await
    }

    async fn audit_log(
        &self,
        contract: Option<ContractId>,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<Vec<AuditEntry>> {
        self.read("read the audit log", move |connection| audit::list(connection, contract, before, limit))
            .await
    }

    async fn create_session(&self, session: WebSession) -> Answer<bool> {
        self.write("make a session", move |tx| {
            let sql = "INSERT INTO web_sessions (id, data, expires_at, administrator_id, seen_at)
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
            let person = session.person.map(|id| *id.0.as_bytes());
            let seen_at = session.seen_at.map(|at| at.0);
            let columns = params![session.id, session.data, session.expires_at.0, person, seen_at];
            Ok(rows::run(tx, sql, columns)? == 1)
        })
        .await
    }

    async fn save_session(&self, session: WebSession) -> Answer<()> {
        self.write("save a session", move |tx| {
            let sql =
                "UPDATE web_sessions SET data = ?2, expires_at = ?3, administrator_id = ?4 WHERE id = ?1 AND data <> ?5";
            let person = session.person.map(|id| *id.0.as_bytes());
            let columns = params![session.id, session.data, session.expires_at.0, person, SESSION_ENDED];
            rows::run(tx, sql, columns).map(drop)
        })
        .await
    }

    async fn load_session(&self, id: &str, now: UtcMillis) -> Answer<Option<WebSession>> {
        let id = id.to_owned();
        self.read("load a session", move |connection| {
            let sql = "SELECT id, data, expires_at, administrator_id, seen_at FROM web_sessions
                WHERE id = ?1 AND expires_at > ?2";
            rows::one(connection, sql, params![id, now.0], |row| {
                Ok(WebSession {
                    id: row.get(0)?,
                    data: row.get(1)?,
                    expires_at: rows::millis(row, 2)?,
                    person: rows::uuid_or_none(row, 3)?.map(AdministratorId),
                    seen_at: rows::millis_or_none(row, 4)?,
                })
            })
        })
        .await
    }

    async fn delete_session(&self, id: &str) -> Answer<()> {
        let id = id.to_owned();
        self.write("remove a session", move |tx| {
            rows::run(tx, "DELETE FROM web_sessions WHERE id = ?1", [id]).map(drop)
        })
        .await
    }

    async fn delete_ended_sessions(&self, now: UtcMillis) -> Answer<u64> {
        self.write("remove ended sessions", move |tx| {
            tries::forget(tx, now)?;
            Ok(rows::run(tx, "DELETE FROM web_sessions WHERE expires_at <= ?1", [now.0])? as u64)
        })
        .await
    }
}
