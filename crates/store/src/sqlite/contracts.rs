//! Contracts and enrolment keys.

use async_trait::async_trait;
use mngntime_model::Language;
use serde_json::json;

use super::judging::{self, Look};
use super::lists::{Query, like};
use super::{SqliteStore, Work, WorkError, audit, enrollment_keys, links_by_sid, redating, rows, tries};
use crate::ports::{
    Act, Answer, Beside, Contract, ContractSettings, ContractStatus, Contracts, KeyHash, NewContract,
    NewEnrollmentKey, Page, Why,
};
use crate::sql::{Connection, Row, params};
use crate::{ContractId, Refusal};

#[async_trait]
impl Contracts for SqliteStore {
    async fn create_contract(&self, new: NewContract, act: Act) -> Answer<ContractId> {
        self.write("create a contract", move |tx| create(tx, &new, &act)).await
    }

    async fn contract(&self, code: &str) -> Answer<Option<Contract>> {
        let code = code.to_owned();
        self.read("look up a contract", move |connection| by_code(connection, &code)).await
    }

    async fn contract_by_id(&self, id: ContractId) -> Answer<Option<Contract>> {
        self.read("look up a contract", move |connection| by_id(connection, id)).await
    }

    async fn contract_page(
        &self,
        search: String,
        at: Option<Beside<String>>,
        limit: usize,
    ) -> Answer<Page<Contract, String>> {
        self.read("list contracts", move |connection| page(connection, &search, at, limit)).await
    }

    async fn contract_count(&self) -> Answer<u64> {
        self.read("count the contracts", |connection| {
            let found =
                rows::one(connection, "SELECT count(*) FROM contracts", [], |row| rows::number(row, 0))?;
            Ok(found.unwrap_or(0))
        })
        .await
    }

    async fn list_contracts(&self) -> Answer<Vec<Contract>> {
        self.read("list the contracts", |connection| {
            rows::all(connection, &format!("{CONTRACT} ORDER BY code"), [], read)
        })
        .await
    }

    async fn set_contract_status(
        &self,
        contract: ContractId,
        status: ContractStatus,
        act: Act,
    ) -> Answer<u64> {
        self.write_alone("change a contract's status", move |tx| set_status(tx, contract, status, &act)).await
    }

    async fn set_logon_punch_option(&self, contract: ContractId, option: bool, act: Act) -> Answer<u64> {
        self.write_alone("change a contract's option", move |tx| set_option(tx, contract, option, &act)).await
    }

    async fn rename_contract(&self, contract: ContractId, name: String, act: Act) -> Answer<()> {
        self.write("rename a contract", move |tx| rename(tx, contract, &name, &act)).await
    }

    async fn change_settings(
        &self,
        contract: ContractId,
        name: String,
        settings: ContractSettings,
        act: Act,
    ) -> Answer<()> {
        self.write("change the settings of a contract", move |tx| {
            change_settings(tx, contract, &name, settings, &act)
        })
        .await
    }

    async fn add_enrollment_key(&self, contract: ContractId, key: KeyHash, act: Act) -> Answer<()> {
        self.write("add an enrolment key", move |tx| {
            enrollment_keys::add(tx, contract, &unlimited(key), &act).map(drop)
        })
        .await
    }

    async fn revoke_enrollment_keys(&self, contract: ContractId, act: Act) -> Answer<u64> {
        self.write("revoke enrolment keys", move |tx| {
            let revoke =
                "UPDATE enrollment_keys SET revoked_at = ?2 WHERE contract_id = ?1 AND revoked_at IS NULL";
            let revoked = rows::run(tx, revoke, params![contract.0, act.at.0])?;
            audit::note(
                tx,
                Some(contract),
                "revoke_enrollment_keys",
                "contract",
                &json!({ "revoked": revoked }),
                &act,
            )?;
            Ok(revoked as u64)
        })
        .await
    }
}

const CONTRACT: &str = "SELECT id, code, name, status, logon_punch_option, created_at,
    s.day_begins_minutes, s.japanese_years, s.retention_years, s.language, s.retires,
    s.idle_minutes, s.links_by_sid
    FROM contracts LEFT JOIN contract_settings s ON s.contract_id = contracts.id";

fn read(row: &Row<'_>) -> Work<Contract> {
    Ok(Contract {
        id: ContractId(row.get(0)?),
        code: row.get(1)?,
        name: row.get(2)?,
        status: rows::contract_status(row, 3)?,
        logon_punch_option: row.get(4)?,
        created_at: rows::millis(row, 5)?,
        settings: read_settings(row)?,
    })
}

/// How "never" is kept, in minutes, and told: an entry of the audit log says it, too.
const NEVER: u16 = 0;

/// The defaults where the contract has chosen nothing.
fn read_settings(row: &Row<'_>) -> Work<ContractSettings> {
    let Some(retention_years) = row.get(8)? else {
        return Ok(ContractSettings::default());
    };
    let language: Option<String> = row.get(9)?;
    let links_by_sid: Option<String> = row.get(12)?;
    Ok(ContractSettings {
        day_begins_minutes: row.get(6)?,
        japanese_years: row.get(7)?,
        retention_years,
        retires: row.get(10)?,
        links_by_sid: links_by_sid.is_some(),
        language: language.as_deref().and_then(Language::from_tag),
        idle_minutes: Some(row.get(11)?).filter(|minutes| *minutes != NEVER),
    })
}

fn by_id(connection: &Connection, id: ContractId) -> Work<Option<Contract>> {
    rows::one(connection, &format!("{CONTRACT} WHERE id = ?1"), [id.0], read)
}

fn find(connection: &Connection, contract: ContractId) -> Work<Contract> {
    by_id(connection, contract)?.ok_or_else(|| Refusal::Missing { what: "contract" }.into())
}

/// The code's own index is walked from a code on; what is searched for is looked for in its rows.
pub(super) fn page(
    connection: &Connection,
    search: &str,
    at: Option<Beside<String>>,
    limit: usize,
) -> Work<Page<Contract, String>> {
    let mut query = Query { sql: format!("{CONTRACT} WHERE TRUE"), values: Vec::new() };
    query.beside("contracts.code", at.as_ref());
    if !search.is_empty() {
        let (condition, values) = like(&["contracts.code", "contracts.name"], search);
        query.and(&format!("({condition})"), values);
    }
    query.in_order("contracts.code", at.as_ref());
    let read_rows = |limit| query.read(connection, limit, read);
    rows::page(at.as_ref(), limit, read_rows, |contract| contract.code.clone())
}

/// What a contract that is there has chosen.
pub(super) fn settings(connection: &Connection, contract: ContractId) -> Work<ContractSettings> {
    Ok(find(connection, contract)?.settings)
}

/// The code of a contract that is there.
pub(super) fn code(connection: &Connection, contract: ContractId) -> Work<String> {
    let sql = "SELECT code FROM contracts WHERE id = ?1";
    let found = rows::one(connection, sql, [contract.0], |row| Ok(row.get(0)?))?;
    found.ok_or_else(|| Refusal::Missing { what: "contract" }.into())
}

pub(super) fn by_code(connection: &Connection, code: &str) -> Work<Option<Contract>> {
    rows::one(connection, &format!("{CONTRACT} WHERE code = ?1"), [code], read)
}

fn create(tx: &Connection, new: &NewContract, act: &Act) -> Work<ContractId> {
    let code = new.code.as_str();
    if let Some(there) = by_code(tx, code)? {
        // The same form once more: its key is this contract's.
        return match enrollment_keys::matching(tx, there.id, &new.key)? {
            Some(_) => Ok(there.id),
            None => Err(Refusal::Taken { what: "contract", code: code.to_owned() }.into()),
        };
    }
    let id = rows::one(
        tx,
        "INSERT INTO contracts (code, name, status, logon_punch_option, created_at)
         VALUES (?1, ?2, 'active', 1, ?3) RETURNING id",
        params![code, new.name, act.at.0],
        |row| Ok(ContractId(row.get(0)?)),
    )?
    .ok_or(WorkError::Unreadable("a contract that was just made"))?;
    enrollment_keys::insert(tx, id, &unlimited(new.key.clone()), act)?;
    let detail = json!({ "name": new.name });
    audit::note(tx, Some(id), "create_contract", &format!("contract {code}"), &detail, act)?;
    Ok(id)
}

/// A key as the command line makes it: for any number of PCs, until it is revoked.
fn unlimited(hash: KeyHash) -> NewEnrollmentKey {
    NewEnrollmentKey { hash, label: String::new(), expires_at: None, uses_max: None }
}

fn set_name(tx: &Connection, contract: ContractId, name: &str) -> Work<()> {
    let sql = "UPDATE contracts SET name = ?2 WHERE id = ?1";
    rows::run(tx, sql, params![contract.0, name]).map(drop)
}

fn rename(tx: &Connection, contract: ContractId, name: &str, act: &Act) -> Work<()> {
    let before = find(tx, contract)?.name;
    if before == name {
        return Ok(());
    }
    set_name(tx, contract, name)?;
    let detail = json!({ "name": name, "before": { "name": before } });
    audit::note(tx, Some(contract), "rename_contract", "contract", &detail, act)
}

fn told(name: &str, settings: ContractSettings) -> serde_json::Value {
    json!({
        "name": name,
        "day_begins_minutes": settings.day_begins_minutes,
        "japanese_years": settings.japanese_years,
        "retention_years": settings.retention_years,
        "retires": settings.retires,
        "links_by_sid": settings.links_by_sid,
        "language": settings.language.map(Language::tag),
        "idle_minutes": settings.idle_minutes.unwrap_or(NEVER),
    })
}

fn change_settings(
    tx: &Connection,
    contract: ContractId,
    name: &str,
    settings: ContractSettings,
    act: &Act,
) -> Work<()> {
    let before = find(tx, contract)?;
    if before.name == name && before.settings == settings {
        return Ok(());
    }
    set_name(tx, contract, name)?;
    keep_settings(tx, contract, settings, act)?;
    if let Some(chosen) = settings.day_begins_minutes
        && before.settings.day_begins_minutes != Some(chosen)
    {
        redating::begin(tx, contract, chosen.into(), act)?;
    }
    // What has ended does not begin again because others may now last longer.
    if settings.idle_minutes != before.settings.idle_minutes
        && let Some(minutes) = before.settings.idle_minutes
    {
        tries::end_idle(tx, contract, act.at.plus(-60_000 * i64::from(minutes)))?;
    }
    let mut detail = told(name, settings);
    detail["before"] = told(&before.name, before.settings);
    audit::note(tx, Some(contract), "change_settings", "contract", &detail, act)
}

fn keep_settings(tx: &Connection, contract: ContractId, settings: ContractSettings, act: &Act) -> Work<()> {
    // Whoever turned it on is told with each link; somebody who changes something else did not.
    let allowed_by = links_by_sid::allowed_by(tx, contract)?.unwrap_or_else(|| act.by.clone());
    rows::run(
        tx,
        "INSERT INTO contract_settings (contract_id, day_begins_minutes, japanese_years, retention_years, language, retires,
             idle_minutes, links_by_sid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (contract_id) DO UPDATE SET day_begins_minutes = excluded.day_begins_minutes,
         japanese_years = excluded.japanese_years, retention_years = excluded.retention_years,
         language = excluded.language, retires = excluded.retires, idle_minutes = excluded.idle_minutes,
         links_by_sid = excluded.links_by_sid",
        params![
            contract.0,
            settings.day_begins_minutes,
            settings.japanese_years,
            settings.retention_years,
            settings.language.map(Language::tag),
            settings.retires,
            settings.idle_minutes.unwrap_or(NEVER),
            settings.links_by_sid.then_some(allowed_by),
        ],
    )
    .map(drop)
}

/// Each of the two has a statement of its own: of two people who change one each at the same time, neither brings back
/// what the other has changed.
fn set_status(tx: &Connection, contract: ContractId, status: ContractStatus, act: &Act) -> Work<u64> {
    if find(tx, contract)?.status == status {
        return Ok(0);
    }
    let sql = "UPDATE contracts SET status = ?2 WHERE id = ?1";
    rows::run(tx, sql, params![contract.0, status.name()])?;
    changed(tx, contract, &json!({ "status": status.name() }), act)
}

fn set_option(tx: &Connection, contract: ContractId, option: bool, act: &Act) -> Work<u64> {
    if find(tx, contract)?.logon_punch_option == option {
        return Ok(0);
    }
    let sql = "UPDATE contracts SET logon_punch_option = ?2 WHERE id = ?1";
    rows::run(tx, sql, params![contract.0, option])?;
    changed(tx, contract, &json!({ "logon_punch_option": option }), act)
}

/// Notes the change, and judges again what the contract hindered.
fn changed(tx: &Connection, contract: ContractId, detail: &serde_json::Value, act: &Act) -> Work<u64> {
    audit::note(tx, Some(contract), "change_contract", "contract", detail, act)?;
    let hindered = "INDEXED BY punches_errors WHERE contract_id = ?1 AND res = 5 AND res IS NOT NULL";
    let punches = judging::stored(tx, hindered, [contract.0])?;
    judging::rejudge(tx, contract, &punches, Look::Everything, Why::ContractChanged, act)
        .map(|done| done.results)
}
