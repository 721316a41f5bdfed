//! People who sign in and their sessions.

use async_trait::async_trait;
use mngntime_model::UtcMillis;
use rusqlite::{Connection, Row, params};
use serde_json::json;

use super::{SqliteStore, Work, audit, rows};
use crate::ports::{Act, Administrator, Answer, AuditEntry, NewAdministrator, Operators, WebSession};
use crate::{AdministratorId, ContractId, Refusal};

#[async_trait]
impl Operators for SqliteStore {
    async fn create_administrator(&self, new: NewAdministrator, act: Act) -> Answer<AdministratorId> {
        self.write("create an administrator", move |tx| create(tx, &new, &act)).await
    }

    async fn administrator(&self, login: &str) -> Answer<Option<Administrator>> {
        let login = login.to_owned();
        self.read("look up an administrator", move |connection| {
            rows::one(connection, &format!("{ADMINISTRATOR} WHERE login = ?1"), [login], read)
        })
        .await
    }

    async fn administrator_by_id(&self, id: AdministratorId) -> Answer<Option<Administrator>> {
        self.read("look up an administrator", move |connection| {
            rows::one(connection, &format!("{ADMINISTRATOR} WHERE id = ?1"), [id.0.as_bytes()], read)
        })
        .await
    }

    async fn list_administrators(&self, contract: Option<ContractId>) -> Answer<Vec<Administrator>> {
        self.read("list the administrators", move |connection| {
            let sql = format!("{ADMINISTRATOR} WHERE contract_id IS ?1 ORDER BY login");
            rows::all(connection, &sql, [contract.map(|id| id.0)], read)
        })
        .await
    }

    async fn set_password(&self, id: AdministratorId, password_hash: String, act: Act) -> Answer<()> {
        self.write("change a password", move |tx| set_password(tx, id, &password_hash, &act)).await
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
            let sql =
                "INSERT INTO web_sessions (id, data, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            Ok(rows::run(tx, sql, params![session.id, session.data, session.expires_at.0])? == 1)
        })
        .await
    }

    async fn save_session(&self, session: WebSession) -> Answer<()> {
        self.write("save a session", move |tx| {
            let sql = "INSERT INTO web_sessions (id, data, expires_at) VALUES (?1, ?2, ?3)
                ON CONFLICT (id) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at";
            rows::run(tx, sql, params![session.id, session.data, session.expires_at.0]).map(drop)
        })
        .await
    }

    async fn load_session(&self, id: &str, now: UtcMillis) -> Answer<Option<WebSession>> {
        let id = id.to_owned();
        self.read("load a session", move |connection| {
            let sql = "SELECT id, data, expires_at FROM web_sessions WHERE id = ?1 AND expires_at > ?2";
            rows::one(connection, sql, params![id, now.0], |row| {
                Ok(WebSession { id: row.get(0)?, data: row.get(1)?, expires_at: rows::millis(row, 2)? })
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
            Ok(rows::run(tx, "DELETE FROM web_sessions WHERE expires_at <= ?1", [now.0])? as u64)
        })
        .await
    }
}

const ADMINISTRATOR: &str =
    "SELECT id, login, display_name, password_hash, role, contract_id FROM administrators";

fn read(row: &Row<'_>) -> Work<Administrator> {
    Ok(Administrator {
        id: AdministratorId(rows::uuid(row, 0)?),
        data: NewAdministrator {
            login: row.get(1)?,
            display_name: row.get(2)?,
            password_hash: row.get(3)?,
            role: rows::role(row, 4)?,
            contract: row.get::<_, Option<i64>>(5)?.map(ContractId),
        },
    })
}

fn create(tx: &Connection, new: &NewAdministrator, act: &Act) -> Work<AdministratorId> {
    let id = AdministratorId(rows::new_id(act.at)?);
    let inserted = rows::run(
        tx,
        "INSERT INTO administrators (id, login, display_name, password_hash, role, contract_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            id.0.as_bytes(),
            new.login,
            new.display_name,
            new.password_hash,
            new.role.name(),
            new.contract.map(|id| id.0),
            act.at.0,
        ],
    );
    inserted.map_err(|error| {
        if rows::is_taken(&error) {
            Refusal::Taken { what: "administrator", code: new.login.clone() }.into()
        } else {
            error
        }
    })?;
    let object = format!("administrator {}", new.login);
    audit::note(tx, new.contract, "create_administrator", &object, &json!({ "role": new.role.name() }), act)?;
    Ok(id)
}

fn set_password(tx: &Connection, id: AdministratorId, password_hash: &str, act: &Act) -> Work<()> {
    let sql = format!("{ADMINISTRATOR} WHERE id = ?1");
    let Some(found) = rows::one(tx, &sql, [id.0.as_bytes()], read)? else {
        return Err(Refusal::Missing { what: "administrator" }.into());
    };
    let update = "UPDATE administrators SET password_hash = ?2 WHERE id = ?1";
    rows::run(tx, update, params![id.0.as_bytes(), password_hash])?;
    audit::note(
        tx,
        found.data.contract,
        "set_password",
        &format!("administrator {}", found.data.login),
        &json!({}),
        act,
    )
}
