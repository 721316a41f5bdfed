//! Rows of people who sign in.
//!
//! Disabling somebody and giving them another password ends their sessions in the same transaction.
//!
//! A contract keeps somebody who administers it, and the server an operator: what would take the role from the last
//! one is refused. It is looked at after the change, within its transaction, so that of two changes that are each
//! harmless alone the second is refused.

use std::collections::BTreeSet;

use jiff::civil::Date;
use mngntime_model::UtcMillis;
use serde_json::json;

use super::lists::{Query, like};
use super::{Work, audit, contracts, departments, means, people, rows};
use crate::ports::{
    Act, Administrator, AdministratorChange, AdministratorName, AdministratorRow, Beside, KeyHash,
    NewAdministrator, Page, Role, WhoSignsIn,
};
use crate::sql::{Connection, Row, Value, params};
use crate::typed::folded;
use crate::{AdministratorId, ContractId, DepartmentId, EmployeeId, Refusal, local_date};

const ADMINISTRATOR: &str = "SELECT id, login, display_name, password_hash, role, contract_id, department_id,
    employee_id, valid_from, valid_until, disabled_at, setup_expires_at FROM administrators";

/// Somebody with the names of department and employee.
const ROW: &str = "SELECT a.id, a.login, a.display_name, a.password_hash, a.role, a.contract_id, a.department_id,
    a.employee_id, a.valid_from, a.valid_until, a.disabled_at, a.setup_expires_at, d.code, d.name, e.code, e.name
    FROM administrators a INDEXED BY administrators_in_order
    LEFT JOIN departments d ON d.contract_id = a.contract_id AND d.id = a.department_id
    LEFT JOIN employees e ON e.contract_id = a.contract_id AND e.id = a.employee_id";

/// A set-up link that counts.
const BY_SETUP: &str = "WHERE setup_hash = ?1 AND setup_expires_at > ?2 AND disabled_at IS NULL";

fn read(row: &Row<'_>) -> Work<Administrator> {
    Ok(Administrator {
        id: AdministratorId(rows::uuid(row, 0)?),
        data: NewAdministrator {
            login: row.get(1)?,
            display_name: row.get(2)?,
            password_hash: row.get(3)?,
            role: rows::role(row, 4)?,
            contract: row.get::<_, Option<i64>>(5)?.map(ContractId),
            department: rows::uuid_or_none(row, 6)?.map(DepartmentId),
            employee: rows::uuid_or_none(row, 7)?.map(EmployeeId),
            valid_from: rows::date_or_none(row, 8)?,
            valid_until: rows::date_or_none(row, 9)?,
        },
        disabled_at: rows::millis_or_none(row, 10)?,
        setup_expires_at: rows::millis_or_none(row, 11)?,
    })
}

pub(super) fn by_login(connection: &Connection, login: &str) -> Work<Option<Administrator>> {
    rows::one(connection, &format!("{ADMINISTRATOR} WHERE login = ?1"), [login], read)
}

pub(super) fn by_id(connection: &Connection, id: AdministratorId) -> Work<Option<Administrator>> {
    rows::one(connection, &format!("{ADMINISTRATOR} WHERE id = ?1"), [id.0.as_bytes()], read)
}

/// Two people are enough to know.
pub(super) fn who_signs_in(connection: &Connection) -> Work<WhoSignsIn> {
    let found = rows::all(connection, &format!("{ADMINISTRATOR} LIMIT 2"), [], read)?;
    Ok(match found.as_slice() {
        [] => WhoSignsIn::Nobody,
        [only] if only.data.role == Role::Operator && only.data.password_hash.is_none() => {
            WhoSignsIn::Invited(only.id)
        }
        _ => WhoSignsIn::Somebody,
    })
}

/// The index is entered at the contract and walked by login; what is searched for is looked for in its rows.
pub(super) fn page(
    connection: &Connection,
    contract: Option<ContractId>,
    search: &str,
    at: Option<Beside<String>>,
    limit: usize,
) -> Work<Page<AdministratorRow, String>> {
    let mut query = Query {
        sql: format!("{ROW} WHERE {}", rows::of_contract("a.contract_id", contract)),
        values: vec![contract.map_or(Value::Null, |id| Value::Integer(id.0))],
    };
    query.beside("a.login", at.as_ref());
    if !search.is_empty() {
        let (condition, values) = like(&["a.login", "a.display_name"], search);
        query.and(&format!("({condition})"), values);
    }
    query.in_order("a.login", at.as_ref());
    let read = |limit| query.read(connection, limit, read_row);
    rows::page(at.as_ref(), limit, read, |row| row.person.data.login.clone())
}

fn read_row(row: &Row<'_>) -> Work<AdministratorRow> {
    let named = |code: usize| -> Work<Option<(String, String)>> {
        Ok(row.get::<_, Option<String>>(code)?.zip(row.get::<_, Option<String>>(code + 1)?))
    };
    Ok(AdministratorRow { person: read(row)?, department: named(12)?, employee: named(14)? })
}

pub(super) fn count(connection: &Connection, contract: Option<ContractId>) -> Work<u64> {
    let sql = format!(
        "SELECT count(*) FROM administrators INDEXED BY administrators_in_order WHERE {}",
        rows::of_contract("contract_id", contract)
    );
    let found = rows::one(connection, &sql, [contract.map(|id| id.0)], |row| rows::number(row, 0))?;
    Ok(found.unwrap_or(0))
}

pub(super) fn by_setup(
    connection: &Connection,
    token: &KeyHash,
    now: UtcMillis,
) -> Work<Option<Administrator>> {
    rows::one(connection, &format!("{ADMINISTRATOR} {BY_SETUP}"), params![token.0, now.0], read)
}

fn missing() -> Refusal {
    Refusal::Missing { what: "administrator" }
}

/// Somebody of this contract (or an operator), who must be there.
fn find(tx: &Connection, contract: Option<ContractId>, id: AdministratorId) -> Work<Administrator> {
    let found = by_id(tx, id)?.filter(|found| found.data.contract == contract);
    found.ok_or_else(|| missing().into())
}

pub(super) fn object(found: &Administrator) -> String {
    format!("administrator {}", found.data.login)
}

/// Department and employee stand in the contract, and are there where the role needs them.
fn check(tx: &Connection, contract: Option<ContractId>, change: &AdministratorChange) -> Work<()> {
    if (change.role == Role::Operator) != contract.is_none() {
        return Err(Refusal::Missing { what: "contract" }.into());
    }
    if (change.role == Role::Approver) != change.department.is_some() {
        return Err(Refusal::Missing { what: "department" }.into());
    }
    if change.role == Role::Employee && change.employee.is_none() {
        return Err(Refusal::Missing { what: "employee" }.into());
    }
    if let (Some(from), Some(until)) = (change.valid_from, change.valid_until)
        && until < from
    {
        return Err(Refusal::DatesReversed.into());
    }
    if let Some(department) = change.department {
        departments::find(tx, contract.ok_or_else(missing)?, department)?;
    }
    if let Some(employee) = change.employee {
        people::employee(tx, contract.ok_or_else(missing)?, employee)?;
    }
    Ok(())
}

/// What somebody may do, for the audit log.
fn detail(
    tx: &Connection,
    contract: Option<ContractId>,
    change: &AdministratorChange,
) -> Work<serde_json::Value> {
    let department = contract.zip(change.department);
    let department = department.map(|(contract, id)| departments::find(tx, contract, id)).transpose()?;
    let employee = contract.zip(change.employee);
    let employee = employee.map(|(contract, id)| people::employee(tx, contract, id)).transpose()?;
    Ok(json!({
        "name": change.display_name,
        "role": change.role.name(),
        "department": department.map(|found| found.data.code),
        "employee": employee.map(|found| found.data.code),
        "from": rows::date_text(change.valid_from),
        "until": rows::date_text(change.valid_until),
    }))
}

/// Every login of the server as [`folded`] has it. The index of logins is read as a whole: SQL folds no letters beyond
/// ASCII's, and people are made one by one, or in steps of hundreds that ask once.
pub(super) fn logins_in_use(tx: &Connection) -> Work<BTreeSet<String>> {
    let found = rows::all(tx, "SELECT login FROM administrators", [], |row| Ok(row.get::<_, String>(0)?))?;
    Ok(found.iter().map(|login| folded(login)).collect())
}

/// Makes somebody whose login reads as nobody else's does.
pub(super) fn create(tx: &Connection, new: &NewAdministrator, act: &Act) -> Work<AdministratorId> {
    if logins_in_use(tx)?.contains(&folded(&new.login)) {
        return Err(Refusal::Taken { what: "administrator", code: new.login.clone() }.into());
    }
    create_unlike(tx, new, act)
}

/// The same, for who has made sure of that for all.
pub(super) fn create_unlike(tx: &Connection, new: &NewAdministrator, act: &Act) -> Work<AdministratorId> {
    let reach = AdministratorChange {
        display_name: new.display_name.clone(),
        role: new.role,
        department: new.department,
        employee: new.employee,
        valid_from: new.valid_from,
        valid_until: new.valid_until,
    };
    check(tx, new.contract, &reach)?;
    let id = AdministratorId(rows::new_id(act.at)?);
    let inserted = rows::run(
        tx,
        "INSERT INTO administrators (id, login, display_name, password_hash, role, contract_id, department_id,
         employee_id, valid_from, valid_until, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            id.0.as_bytes(),
            new.login,
            new.display_name,
            new.password_hash,
            new.role.name(),
            new.contract.map(|id| id.0),
            new.department.map(|id| *id.0.as_bytes()),
            new.employee.map(|id| *id.0.as_bytes()),
            rows::date_text(new.valid_from),
            rows::date_text(new.valid_until),
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
    audit::note(tx, new.contract, "create_administrator", &object, &detail(tx, new.contract, &reach)?, act)?;
    Ok(id)
}

pub(super) fn change(
    tx: &Connection,
    contract: Option<ContractId>,
    id: AdministratorId,
    change: &AdministratorChange,
    act: &Act,
) -> Work<()> {
    let found = find(tx, contract, id)?;
    check(tx, contract, change)?;
    let before = keepers(tx, contract, local_date(act.at))?;
    rows::run(
        tx,
        "UPDATE administrators SET display_name = ?2, role = ?3, department_id = ?4, employee_id = ?5,
         valid_from = ?6, valid_until = ?7 WHERE id = ?1",
        params![
            id.0.as_bytes(),
            change.display_name,
            change.role.name(),
            change.department.map(|id| *id.0.as_bytes()),
            change.employee.map(|id| *id.0.as_bytes()),
            rows::date_text(change.valid_from),
            rows::date_text(change.valid_until),
        ],
    )?;
    check_keepers(tx, contract, before, act)?;
    let detail = detail(tx, contract, change)?;
    audit::note(tx, contract, "change_administrator", &object(&found), &detail, act)
}

/// People who can sign in now and say who else may: administrators of a contract, or operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keepers {
    /// Of today.
    now: u64,
    /// Of them, those without a last day.
    for_good: u64,
}

/// The role that says who has which.
fn keeping(contract: Option<ContractId>) -> Role {
    if contract.is_some() { Role::Administrator } else { Role::Operator }
}

/// Who has a password, a passkey or another provider counts; an invitation that nobody has used does not.
pub(super) fn keepers(tx: &Connection, contract: Option<ContractId>, today: Date) -> Work<Keepers> {
    let sql = format!(
        "SELECT count(*), count(CASE WHEN valid_until IS NULL THEN 1 END) FROM administrators
        WHERE {} AND role = ?2 AND disabled_at IS NULL
        AND (valid_from IS NULL OR valid_from <= ?3) AND (valid_until IS NULL OR valid_until >= ?3)
        AND (password_hash IS NOT NULL
            OR EXISTS (SELECT 1 FROM passkeys k WHERE k.administrator_id = administrators.id)
            OR EXISTS (SELECT 1 FROM provider_subjects s WHERE s.administrator_id = administrators.id))",
        rows::of_contract("contract_id", contract)
    );
    let values = params![contract.map(|id| id.0), keeping(contract).name(), today.to_string()];
    let found = rows::one(tx, &sql, values, |row| {
        Ok(Keepers { now: rows::number(row, 0)?, for_good: rows::number(row, 1)? })
    })?;
    Ok(found.unwrap_or(Keepers { now: 0, for_good: 0 }))
}

/// Whether somebody can sign in to the contract who may say who else may.
pub(super) fn has_keeper(connection: &Connection, contract: ContractId, today: Date) -> Work<bool> {
    Ok(keepers(connection, Some(contract), today)?.now > 0)
}

/// Refuses what has left nobody. A last day for the only one without would do the same, later and unseen.
pub(super) fn check_keepers(
    tx: &Connection,
    contract: Option<ContractId>,
    before: Keepers,
    act: &Act,
) -> Work<()> {
    let after = keepers(tx, contract, local_date(act.at))?;
    let nobody = before.now > 0 && after.now == 0;
    let nobody_later = after.now == before.now && before.for_good > 0 && after.for_good == 0;
    if nobody || nobody_later {
        return Err(Refusal::LastOne { role: keeping(contract).name() }.into());
    }
    Ok(())
}

pub(super) fn set_disabled(
    tx: &Connection,
    contract: Option<ContractId>,
    id: AdministratorId,
    disabled: bool,
    act: &Act,
) -> Work<()> {
    let found = find(tx, contract, id)?;
    if found.disabled_at.is_some() == disabled {
        return Ok(());
    }
    let before = keepers(tx, contract, local_date(act.at))?;
    let (sql, action) = if disabled {
        let sql = "UPDATE administrators SET disabled_at = ?2, setup_hash = NULL, setup_expires_at = NULL
            WHERE id = ?1";
        (sql, "disable_administrator")
    } else {
        let sql = "UPDATE administrators SET disabled_at = NULL WHERE id = ?1 AND ?2 IS NOT NULL";
        (sql, "enable_administrator")
    };
    rows::run(tx, sql, params![id.0.as_bytes(), act.at.0])?;
    check_keepers(tx, contract, before, act)?;
    let mut detail = json!({});
    if disabled {
        end_sessions(tx, id)?;
        detail = means::ended_tokens(means::delete_tokens(tx, id)?);
    }
    audit::note(tx, contract, action, &object(&found), &detail, act)
}

pub(super) fn invite_first(
    tx: &Connection,
    contract: ContractId,
    name: AdministratorName,
    (token, expires_at): (&KeyHash, UtcMillis),
    act: &Act,
) -> Work<()> {
    contracts::code(tx, contract)?;
    if has_keeper(tx, contract, local_date(act.at))? {
        return Err(Refusal::Missing { what: "contract without an administrator" }.into());
    }
    // A link that went to somebody else by a slip opens nothing any more.
    let earlier = "UPDATE administrators SET setup_hash = NULL, setup_expires_at = NULL
        WHERE contract_id = ?1 AND role = ?2 AND setup_hash IS NOT NULL";
    rows::run(tx, earlier, params![contract.0, Role::Administrator.name()])?;
    let invited = by_login(tx, &name.login)?.filter(|found| {
        let data = &found.data;
        let waits = data.password_hash.is_none() && found.disabled_at.is_none();
        waits && data.contract == Some(contract) && data.role == Role::Administrator
    });
    let id = match invited {
        Some(found) => found.id,
        None => {
            let new = NewAdministrator::new(&name.login, Role::Administrator, Some(contract));
            create(tx, &NewAdministrator { display_name: name.display, ..new }, act)?
        }
    };
    start_setup(tx, Some(contract), id, token, expires_at, act)
}

pub(super) fn start_setup(
    tx: &Connection,
    contract: Option<ContractId>,
    id: AdministratorId,
    token: &KeyHash,
    expires_at: UtcMillis,
    act: &Act,
) -> Work<()> {
    let found = find(tx, contract, id)?;
    if found.disabled_at.is_some() {
        return Err(missing().into());
    }
    let sql = "UPDATE administrators SET setup_hash = ?2, setup_expires_at = ?3 WHERE id = ?1";
    rows::run(tx, sql, params![id.0.as_bytes(), token.0, expires_at.0])?;
    audit::note(tx, contract, "make_setup_link", &object(&found), &json!({}), act)
}

pub(super) fn finish_setup(
    tx: &Connection,
    token: &KeyHash,
    password_hash: &str,
    at: UtcMillis,
) -> Work<Administrator> {
    let found = by_setup(tx, token, at)?.ok_or(Refusal::Missing { what: "set-up link" })?;
    replace_password(tx, found.id, password_hash)?;
    // Whoever begins anew, or has lost the way in, does not leave one open for programs.
    let tokens = means::delete_tokens(tx, found.id)?;
    let (act, detail) = (Act::administrator(&found.data.login, at), means::ended_tokens(tokens));
    audit::note(tx, found.data.contract, "use_setup_link", &object(&found), &detail, &act)?;
    Ok(found)
}

pub(super) fn set_password(
    tx: &Connection,
    id: AdministratorId,
    password_hash: &str,
    end_tokens: bool,
    act: &Act,
) -> Work<()> {
    let found = by_id(tx, id)?.ok_or_else(missing)?;
    replace_password(tx, id, password_hash)?;
    let tokens = if end_tokens { means::delete_tokens(tx, id)? } else { 0 };
    let detail = means::ended_tokens(tokens);
    audit::note(tx, found.data.contract, "set_password", &object(&found), &detail, act)
}

/// A new password ends what was opened with the old one, a waiting set-up link included.
fn replace_password(tx: &Connection, id: AdministratorId, password_hash: &str) -> Work<()> {
    let update = "UPDATE administrators SET password_hash = ?2, setup_hash = NULL, setup_expires_at = NULL
        WHERE id = ?1";
    rows::run(tx, update, params![id.0.as_bytes(), password_hash])?;
    end_sessions(tx, id)
}

fn end_sessions(tx: &Connection, id: AdministratorId) -> Work<()> {
    means::end_sessions(tx, id, None).map(drop)
}
