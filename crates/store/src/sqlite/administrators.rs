//! Rows of people who sign in.
//!
//! Disabling somebody and giving them another password ends their sessions in the same transaction.

use mngntime_model::UtcMillis;
use crate::sql::{Connection, Row, params};
use serde_json::json;

use super::{Work, audit, departments, people, rows};
use crate::ports::{Act, Administrator, AdministratorChange, KeyHash, NewAdministrator, Role};
use crate::{AdministratorId, ContractId, DepartmentId, EmployeeId, Refusal};

const ADMINISTRATOR: &str = "SELECT id, login, display_name, password_hash, role, contract_id, department_id,
    employee_id, valid_from, valid_until, disabled_at, setup_expires_at FROM administrators";

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

pub(super) fn list(connection: &Connection, contract: Option<ContractId>) -> Work<Vec<Administrator>> {
    let sql = format!("{ADMINISTRATOR} WHERE {} ORDER BY login", rows::of_contract(contract));
    rows::all(connection, &sql, [contract.map(|id| id.0)], read)
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

pub(super) fn create(tx: &Connection, new: &NewAdministrator, act: &Act) -> Work<AdministratorId> {
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
    let detail = detail(tx, contract, change)?;
    audit::note(tx, contract, "change_administrator", &object(&found), &detail, act)
}

pub(super) fn set_disabled(
    tx: &Connection,
    contract: Option<ContractId>,
    id: AdministratorId,
    disabled: bool,
    act: &Act,
) -> Work<()> {
    let found = find(tx, contract, id)?;
    let (sql, action) = if disabled {
        let sql = "UPDATE administrators SET disabled_at = coalesce(disabled_at, ?2), setup_hash = NULL,
            setup_expires_at = NULL WHERE id = ?1";
        (sql, "disable_administrator")
    } else {
        let sql = "UPDATE administrators SET disabled_at = NULL WHERE id = ?1 AND ?2 IS NOT NULL";
        (sql, "enable_administrator")
    };
    rows::run(tx, sql, params![id.0.as_bytes(), act.at.0])?;
    if disabled {
        end_sessions(tx, id)?;
    }
    audit::note(tx, contract, action, &object(&found), &json!({}), act)
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
    let act = Act::administrator(&found.data.login, at);
    audit::note(tx, found.data.contract, "use_setup_link", &object(&found), &json!({}), &act)?;
    Ok(found)
}

pub(super) fn set_password(tx: &Connection, id: AdministratorId, password_hash: &str, act: &Act) -> Work<()> {
    let found = by_id(tx, id)?.ok_or_else(missing)?;
    replace_password(tx, id, password_hash)?;
    audit::note(tx, found.data.contract, "set_password", &object(&found), &json!({}), act)
}

/// A new password ends what was opened with the old one, a waiting set-up link included.
fn replace_password(tx: &Connection, id: AdministratorId, password_hash: &str) -> Work<()> {
    let update = "UPDATE administrators SET password_hash = ?2, setup_hash = NULL, setup_expires_at = NULL
        WHERE id = ?1";
    rows::run(tx, update, params![id.0.as_bytes(), password_hash])?;
    end_sessions(tx, id)
}

fn end_sessions(tx: &Connection, id: AdministratorId) -> Work<()> {
    rows::run(tx, "DELETE FROM web_sessions WHERE administrator_id = ?1", [id.0.as_bytes()]).map(drop)
}
