//! The tree of departments.

use crate::sql::{Connection, Row, params};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use super::{SqliteStore, Work, WorkError, audit, figures, links, people, rows};
use crate::ports::{Act, Answer, Department, Departments, Employee, NewDepartment};
use crate::{ContractId, DepartmentId, EmployeeId, Refusal};

/// Departments of one contract. All of them are read for every page that shows the tree.
const DEPARTMENTS_MAX: usize = 5_000;

#[async_trait]
impl Departments for SqliteStore {
    async fn list_departments(&self, contract: ContractId) -> Answer<Vec<Department>> {
        self.read("list departments", move |connection| {
            let sql = format!("{DEPARTMENT} WHERE d.contract_id = ?1 ORDER BY d.code");
            rows::all(connection, &sql, [contract.0], read)
        })
        .await
    }

    async fn add_department(
        &self,
        contract: ContractId,
        new: NewDepartment,
        act: Act,
    ) -> Answer<DepartmentId> {
        self.write("add a department", move |tx| add(tx, contract, &new, &act)).await
    }

    async fn rename_department(
        &self,
        contract: ContractId,
        department: DepartmentId,
        code: String,
        name: String,
        act: Act,
    ) -> Answer<()> {
        self.write("rename a department", move |tx| rename(tx, contract, department, (&code, &name), &act))
            .await
    }

    async fn move_department(
        &self,
        contract: ContractId,
        department: DepartmentId,
        parent: Option<DepartmentId>,
        act: Act,
    ) -> Answer<()> {
        self.write("move a department", move |tx| place(tx, contract, department, parent, &act)).await
    }

    async fn close_department(
        &self,
        contract: ContractId,
        department: DepartmentId,
        last: Option<Date>,
        act: Act,
    ) -> Answer<()> {
        self.write("close a department", move |tx| close(tx, contract, department, last, &act)).await
    }

    async fn department_people(
        &self,
        contract: ContractId,
        department: DepartmentId,
        today: Date,
        limit: usize,
    ) -> Answer<(Vec<Employee>, u64)> {
        self.read("list a department's people", move |connection| {
            people_of(connection, contract, department, today, limit)
        })
        .await
    }

    async fn set_employee_department(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        department: Option<DepartmentId>,
        act: Act,
    ) -> Answer<()> {
        self.write("change an employee's department", move |tx| {
            set_of_employee(tx, contract, employee, department, &act)
        })
        .await
    }
}

const DEPARTMENT: &str = "SELECT d.id, d.code, d.name, d.parent_id, (SELECT count(*) FROM employees e
    WHERE e.contract_id = d.contract_id AND e.department_id = d.id), d.closed_on FROM departments d";

fn read(row: &Row<'_>) -> Work<Department> {
    Ok(Department {
        id: DepartmentId(rows::uuid(row, 0)?),
        data: NewDepartment {
            code: row.get(1)?,
            name: row.get(2)?,
            parent: rows::uuid_or_none(row, 3)?.map(DepartmentId),
        },
        employees: rows::number(row, 4)?,
        closed_on: rows::date_or_none(row, 5)?,
    })
}

/// The department, which must be there.
pub(super) fn find(tx: &Connection, contract: ContractId, id: DepartmentId) -> Work<Department> {
    let sql = format!("{DEPARTMENT} WHERE d.contract_id = ?1 AND d.id = ?2");
    rows::one(tx, &sql, params![contract.0, id.0.as_bytes()], read)?
        .ok_or_else(|| Refusal::Missing { what: "department" }.into())
}

pub(super) fn add(
    tx: &Connection,
    contract: ContractId,
    new: &NewDepartment,
    act: &Act,
) -> Work<DepartmentId> {
    let parent = new.parent.map(|parent| find(tx, contract, parent)).transpose()?;
    let count = "SELECT count(*) FROM departments WHERE contract_id = ?1";
    let count = rows::one(tx, count, [contract.0], |row| rows::number(row, 0))?.unwrap_or(0);
    if count >= DEPARTMENTS_MAX as u64 {
        return Err(Refusal::TooMany { what: "departments", limit: DEPARTMENTS_MAX }.into());
    }
    let id = DepartmentId(rows::new_id(act.at)?);
    rows::run(
        tx,
        "INSERT INTO departments (contract_id, id, code, name, parent_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![contract.0, id.0.as_bytes(), new.code, new.name, parent_bytes(new.parent)],
    )
    .map_err(|error| taken(error, &new.code))?;
    let object = format!("department {}", new.code);
    let detail =
        json!({ "code": new.code, "name": new.name, "above": parent.map(|parent| parent.data.code) });
    audit::note(tx, Some(contract), "add_department", &object, &detail, act)?;
    Ok(id)
}

fn parent_bytes(parent: Option<DepartmentId>) -> Option<[u8; 16]> {
    parent.map(|id| *id.0.as_bytes())
}

fn taken(error: WorkError, code: &str) -> WorkError {
    if rows::is_taken(&error) {
        Refusal::Taken { what: "department", code: code.to_owned() }.into()
    } else {
        error
    }
}

fn rename(
    tx: &Connection,
    contract: ContractId,
    id: DepartmentId,
    (code, name): (&str, &str),
    act: &Act,
) -> Work<()> {
    let before = find(tx, contract, id)?.data;
    rows::run(
        tx,
        "UPDATE departments SET code = ?3, name = ?4 WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, id.0.as_bytes(), code, name],
    )
    .map_err(|error| taken(error, code))?;
    rows::run(
        tx,
        "UPDATE employees SET department = ?3 WHERE contract_id = ?1 AND department_id = ?2",
        params![contract.0, id.0.as_bytes(), name],
    )?;
    let object = format!("department {}", before.code);
    let detail =
        json!({ "code": code, "name": name, "before": { "code": before.code, "name": before.name } });
    audit::note(tx, Some(contract), "rename_department", &object, &detail, act)
}

fn place(
    tx: &Connection,
    contract: ContractId,
    id: DepartmentId,
    parent: Option<DepartmentId>,
    act: &Act,
) -> Work<()> {
    let department = find(tx, contract, id)?.data;
    let above = parent.map(|parent| find(tx, contract, parent)).transpose()?;
    if let Some(parent) = parent {
        refuse_ring(tx, contract, id, parent)?;
    }
    rows::run(
        tx,
        "UPDATE departments SET parent_id = ?3 WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, id.0.as_bytes(), parent_bytes(parent)],
    )?;
    let object = format!("department {}", department.code);
    let detail = json!({ "above": above.map(|found| found.data.code) });
    audit::note(tx, Some(contract), "move_department", &object, &detail, act)
}

/// Refuses a parent that is the department itself or stands below it.
fn refuse_ring(tx: &Connection, contract: ContractId, id: DepartmentId, parent: DepartmentId) -> Work<()> {
    let below = "WITH RECURSIVE below (id) AS (SELECT ?2 UNION SELECT d.id FROM departments d JOIN below
        ON d.contract_id = ?1 AND d.parent_id = below.id) SELECT 1 FROM below WHERE id = ?3";
    let values = params![contract.0, id.0.as_bytes(), parent.0.as_bytes()];
    match rows::one(tx, below, values, |_| Ok(()))? {
        Some(()) => Err(Refusal::DepartmentCycle.into()),
        None => Ok(()),
    }
}

fn set_of_employee(
    tx: &Connection,
    contract: ContractId,
    employee: EmployeeId,
    department: Option<DepartmentId>,
    act: &Act,
) -> Work<()> {
    let code = people::employee(tx, contract, employee)?.data.code;
    let found = department.map(|id| find(tx, contract, id)).transpose()?;
    let name = found.as_ref().map(|found| found.data.name.as_str());
    figures::moving(tx, contract, employee, act.at, || {
        rows::run(
            tx,
            "UPDATE employees SET department = ?3, department_id = ?4 WHERE contract_id = ?1 AND id = ?2",
            params![contract.0, employee.0.as_bytes(), name, parent_bytes(department)],
        )
    })?;
    let object = format!("employee {code}");
    let detail = json!({ "department": found.as_ref().map(|found| &found.data.code) });
    audit::note(tx, Some(contract), "set_employee_department", &object, &detail, act)
}

/// Closes or opens a department.
fn close(tx: &Connection, contract: ContractId, id: DepartmentId, last: Option<Date>, act: &Act) -> Work<()> {
    let department = find(tx, contract, id)?;
    if department.closed_on == last {
        return Ok(());
    }
    rows::run(
        tx,
        "UPDATE departments SET closed_on = ?3 WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, id.0.as_bytes(), rows::date_text(last)],
    )?;
    let object = format!("department {}", department.data.code);
    let before = json!({ "to": rows::date_text(department.closed_on) });
    let detail = json!({ "to": rows::date_text(last), "before": before });
    let action = if last.is_some() { "close_department" } else { "reopen_department" };
    audit::note(tx, Some(contract), action, &object, &detail, act)
}

fn people_of(
    connection: &Connection,
    contract: ContractId,
    id: DepartmentId,
    today: Date,
    limit: usize,
) -> Work<(Vec<Employee>, u64)> {
    let (of, today) = (id.0.as_bytes(), today.to_string());
    let sql = format!(
        "{} WHERE contract_id = ?1 AND department_id = ?2 ORDER BY coalesce(active_to, ?4) < ?3, code LIMIT ?5",
        people::EMPLOYEE
    );
    let values = params![contract.0, of, today, links::FAR, rows::column(limit as u64)];
    let found = rows::all(connection, &sql, values, people::read_employee)?;
    let sql = "SELECT count(*) FROM employees WHERE contract_id = ?1 AND department_id = ?2
        AND coalesce(active_to, ?4) >= ?3";
    let values = params![contract.0, of, today, links::FAR];
    let staying = rows::one(connection, sql, values, |row| rows::number(row, 0))?;
    Ok((found, staying.unwrap_or(0)))
}
