//! Accounts and employees.

use crate::sql::Value;
use crate::sql::{Connection, Row, params, params_from_iter};
use async_trait::async_trait;
use mngntime_ledger::audit::{CHANGE_EMPLOYEE, EmployeeNoted};

use super::judging::{self, Look};
use super::lists::ACCOUNT;
use super::{SqliteStore, Work, WorkError, audit, department_texts, directory, figures, links, rows, scope};
use crate::ports::{
    Account, AccountFilter, AccountName, Act, Answer, Directory, DirectoryField, Employee, Link, LinkEnd,
    LinkOutcome, LinkRequest, NewEmployee, People, Rejudged, Scope, Sid, Upn, Why,
};
use crate::{AccountId, ContractId, DepartmentId, EmployeeId, LinkId, Refusal};

#[async_trait]
impl People for SqliteStore {
    async fn list_accounts(&self, scope: Scope, filter: AccountFilter, limit: usize) -> Answer<Vec<Account>> {
        self.read("list accounts", move |connection| list_accounts(connection, &scope, filter, limit)).await
    }

    async fn account(&self, contract: ContractId, account_id: AccountId) -> Answer<Option<Account>> {
        self.read("look up an account", move |connection| account(connection, contract, account_id)).await
    }

    async fn account_names(&self, contract: ContractId, account: AccountId) -> Answer<Vec<AccountName>> {
        self.read("read an account's names", move |connection| names(connection, contract, account)).await
    }

    async fn list_employees(
        &self,
        scope: Scope,
        after: Option<String>,
        limit: usize,
    ) -> Answer<Vec<Employee>> {
        self.read("list employees", move |connection| list_employees(connection, &scope, after, limit)).await
    }

    async fn add_employee(&self, contract: ContractId, new: NewEmployee, act: Act) -> Answer<EmployeeId> {
        self.write("add an employee", move |tx| add_employee(tx, contract, &new, &act)).await
    }

    async fn change_employee(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        data: NewEmployee,
        act: Act,
    ) -> Answer<u64> {
        self.write_alone("change an employee", move |tx| change_employee(tx, contract, employee, &data, &act))
            .await
    }

    async fn preview_links(&self, contract: ContractId, requests: Vec<LinkRequest>) -> Answer<u64> {
        self.read("preview links", move |connection| links::preview(connection, contract, &requests)).await
    }

    async fn link_accounts(
        &self,
        contract: ContractId,
        requests: Vec<LinkRequest>,
        act: Act,
    ) -> Answer<LinkOutcome> {
        self.write_alone("link accounts", move |tx| links::link(tx, contract, &requests, &act)).await
    }

    async fn end_link(&self, contract: ContractId, link: LinkId, end: LinkEnd, act: Act) -> Answer<u64> {
        self.write_alone("end a link", move |tx| links::end(tx, contract, link, end, &act)).await
    }
}

fn list_accounts(
    connection: &Connection,
    scope: &Scope,
    filter: AccountFilter,
    limit: usize,
) -> Work<Vec<Account>> {
    let mut only = match filter {
        AccountFilter::All => String::new(),
        AccountFilter::Waiting => "AND (a.waiting = 0) = FALSE".to_owned(),
    };
    let mut values = vec![Value::Integer(scope.contract.0)];
    if let Some((condition, value)) = scope::condition(scope, "l.employee_id") {
        only.push_str(
            " AND EXISTS (SELECT 1 FROM account_links l WHERE l.contract_id = ?1 AND l.account_id = a.id
             AND l.void = 0 AND ",
        );
        only.push_str(&condition);
        only.push(')');
        values.push(value);
    }
    values.push(Value::Integer(rows::column(limit as u64)));
    let sql = format!("{ACCOUNT} WHERE a.contract_id = ?1 {only} ORDER BY a.domain, a.name, a.id LIMIT ?");
    let found = rows::all(connection, &sql, params_from_iter(values), read_account)?;
    found.into_iter().map(|account| narrowed(connection, scope, account)).collect()
}

/// The account with its links, as somebody sees it who sees no more than `scope`.
pub(super) fn narrowed(connection: &Connection, scope: &Scope, account: Account) -> Work<Account> {
    let mut account = with_links(connection, scope, account)?;
    if !scope.is_whole() {
        account.waiting = 0;
        account.waiting_since = None;
    }
    Ok(account)
}

pub(super) fn account(connection: &Connection, contract: ContractId, id: AccountId) -> Work<Option<Account>> {
    let sql = format!("{ACCOUNT} WHERE a.contract_id = ?1 AND a.id = ?2");
    let found = rows::one(connection, &sql, params![contract.0, id.0.as_bytes()], read_account)?;
    found.map(|account| with_links(connection, &contract.into(), account)).transpose()
}

pub(super) fn read_account(row: &Row<'_>) -> Work<Account> {
    Ok(Account {
        id: AccountId(rows::uuid(row, 0)?),
        key: row.get(1)?,
        domain: row.get(2)?,
        name: row.get(3)?,
        upn: row.get(4)?,
        first_seen_at: rows::millis(row, 5)?,
        last_seen_at: rows::millis(row, 6)?,
        waiting: rows::number(row, 7)?,
        waiting_since: rows::date_or_none(row, 8)?,
        links: Vec::new(),
    })
}

pub(super) fn with_links(connection: &Connection, scope: &Scope, account: Account) -> Work<Account> {
    let mut values = vec![Value::Integer(scope.contract.0), Value::Blob(account.id.0.as_bytes().to_vec())];
    let only = scope::condition(scope, "l.employee_id").map(|(condition, value)| {
        values.push(value);
        format!("AND {condition}")
    });
    let sql = format!(
        "SELECT l.id, l.employee_id, e.code, e.name, l.from_date, l.to_date, l.created_at, l.created_by
         FROM account_links l INDEXED BY account_links_now JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
         WHERE l.contract_id = ?1 AND l.account_id = ?2 AND l.void = 0 {} ORDER BY l.from_date, l.id",
        only.unwrap_or_default()
    );
    let links = rows::all(connection, &sql, params_from_iter(values), read_link)?;
    Ok(Account { links, ..account })
}

/// A link from the first eight columns.
pub(super) fn read_link(row: &Row<'_>) -> Work<Link> {
    Ok(Link {
        id: LinkId(rows::uuid(row, 0)?),
        employee: EmployeeId(rows::uuid(row, 1)?),
        employee_code: row.get(2)?,
        employee_name: row.get(3)?,
        from: rows::date(&row.get::<_, String>(4)?)?,
        to: rows::date_or_none(row, 5)?,
        created_at: rows::millis(row, 6)?,
        created_by: row.get(7)?,
    })
}

pub(super) fn names(
    connection: &Connection,
    contract: ContractId,
    account: AccountId,
) -> Work<Vec<AccountName>> {
    rows::all(
        connection,
        "SELECT seen_at, domain, name, upn FROM account_names
         WHERE contract_id = ?1 AND account_id = ?2 ORDER BY number",
        params![contract.0, account.0.as_bytes()],
        |row| {
            Ok(AccountName {
                seen_at: rows::millis(row, 0)?,
                domain: row.get(1)?,
                name: row.get(2)?,
                upn: row.get(3)?,
            })
        },
    )
}

pub(super) const EMPLOYEE: &str =
    "SELECT id, code, name, kana, department, active_from, active_to, department_id, upn, sid FROM employees";

pub(super) fn list_employees(
    connection: &Connection,
    scope: &Scope,
    after: Option<String>,
    limit: usize,
) -> Work<Vec<Employee>> {
    let mut values = vec![Value::Integer(scope.contract.0), Value::Text(after.unwrap_or_default())];
    let only = scope::condition(scope, "id").map(|(condition, value)| {
        values.push(value);
        format!("AND {condition}")
    });
    values.push(Value::Integer(rows::column(limit as u64)));
    let only = only.unwrap_or_default();
    let sql = format!("{EMPLOYEE} WHERE contract_id = ?1 AND code > ?2 {only} ORDER BY code LIMIT ?");
    rows::all(connection, &sql, params_from_iter(values), read_employee)
}

pub(super) fn read_employee(row: &Row<'_>) -> Work<Employee> {
    Ok(Employee {
        id: EmployeeId(rows::uuid(row, 0)?),
        data: NewEmployee {
            code: row.get(1)?,
            name: row.get(2)?,
            kana: row.get(3)?,
            department: row.get(4)?,
            active_from: rows::date_or_none(row, 5)?,
            active_to: rows::date_or_none(row, 6)?,
            directory: Directory { upn: said(row, 8, Upn::parse)?, sid: said(row, 9, Sid::parse)? },
        },
        department: rows::uuid_or_none(row, 7)?.map(DepartmentId),
    })
}

/// What a directory says, as it was kept.
fn said<T>(row: &Row<'_>, column: usize, parse: fn(&str) -> Option<T>) -> Work<Option<T>> {
    let text: Option<String> = row.get(column)?;
    let unreadable = || WorkError::Unreadable("what a directory says of an employee");
    text.map(|text| parse(&text).ok_or_else(unreadable)).transpose()
}

pub(super) fn employee(connection: &Connection, contract: ContractId, id: EmployeeId) -> Work<Employee> {
    let sql = format!("{EMPLOYEE} WHERE contract_id = ?1 AND id = ?2");
    rows::one(connection, &sql, params![contract.0, id.0.as_bytes()], read_employee)?
        .ok_or_else(|| Refusal::Missing { what: "employee" }.into())
}

pub(super) fn add_employee(
    tx: &Connection,
    contract: ContractId,
    new: &NewEmployee,
    act: &Act,
) -> Work<EmployeeId> {
    directory::check(tx, contract, &new.directory, &new.code)?;
    let (new, department) = department_texts::placed(tx, contract, new, None, act)?;
    insert_employee(tx, contract, &new, department, act)
}

/// Adds an employee whose department has been decided, and that nobody else has their UPN or SID.
pub(super) fn insert_employee(
    tx: &Connection,
    contract: ContractId,
    new: &NewEmployee,
    department: Option<DepartmentId>,
    act: &Act,
) -> Work<EmployeeId> {
    check_dates(new)?;
    let id = EmployeeId(rows::new_id(act.at)?);
    rows::run(
        tx,
        "INSERT INTO employees (contract_id, id, code, name, kana, department, active_from, active_to,
         department_id, upn, sid) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            contract.0,
            id.0.as_bytes(),
            new.code,
            new.name,
            new.kana,
            new.department,
            rows::date_text(new.active_from),
            rows::date_text(new.active_to),
            department.map(|id| *id.0.as_bytes()),
            DirectoryField::Upn.of(&new.directory),
            DirectoryField::Sid.of(&new.directory),
        ],
    )
    .map_err(|error| taken(error, new))?;
    let detail = noted(id, None, new);
    audit::note(tx, Some(contract), "add_employee", &format!("employee {}", new.code), &detail, act)?;
    Ok(id)
}

/// What the audit log keeps of an employee.
fn noted(id: EmployeeId, code_before: Option<String>, now: &NewEmployee) -> EmployeeNoted {
    EmployeeNoted {
        id: id.0.to_string(),
        code_before,
        code: now.code.clone(),
        name: now.name.clone(),
        kana: now.kana.clone(),
        department: now.department.clone(),
        active_from: rows::date_text(now.active_from),
        active_to: rows::date_text(now.active_to),
        upn: DirectoryField::Upn.of(&now.directory).map(str::to_owned),
        sid: DirectoryField::Sid.of(&now.directory).map(str::to_owned),
    }
}

pub(super) fn check_dates(employee: &NewEmployee) -> Result<(), Refusal> {
    match (employee.active_from, employee.active_to) {
        (Some(from), Some(to)) if to < from => Err(Refusal::DatesReversed),
        _ => Ok(()),
    }
}

fn taken(error: WorkError, employee: &NewEmployee) -> WorkError {
    if rows::is_taken(&error) {
        Refusal::Taken { what: "employee", code: employee.code.clone() }.into()
    } else {
        error
    }
}

pub(super) fn change_employee(
    tx: &Connection,
    contract: ContractId,
    id: EmployeeId,
    data: &NewEmployee,
    act: &Act,
) -> Work<u64> {
    let before = employee(tx, contract, id)?;
    directory::check(tx, contract, &data.directory, &before.data.code)?;
    let now = Some((before.data.department.as_deref(), before.department));
    let (data, department) = department_texts::placed(tx, contract, data, now, act)?;
    replace_employee(tx, contract, id, &data, department, act)
}

/// Replaces what is known of an employee, of whom the same has been decided.
pub(super) fn replace_employee(
    tx: &Connection,
    contract: ContractId,
    id: EmployeeId,
    data: &NewEmployee,
    department: Option<DepartmentId>,
    act: &Act,
) -> Work<u64> {
    check_dates(data)?;
    let Employee { data: before, department: department_before, .. } = employee(tx, contract, id)?;
    let write = || write_employee(tx, contract, id, data, department);
    if department == department_before {
        write()?;
    } else {
        figures::moving(tx, contract, id, act.at, write)?;
    }
    let object = format!("employee {}", before.code);
    let detail = noted(id, Some(before.code), data);
    audit::note(tx, Some(contract), CHANGE_EMPLOYEE, &object, &detail, act)?;
    // Of what is known of an employee, judging looks at the dates alone.
    if (before.active_from, before.active_to) == (data.active_from, data.active_to) {
        return Ok(0);
    }
    rejudge_employee(tx, contract, id, act)
}

fn write_employee(
    tx: &Connection,
    contract: ContractId,
    id: EmployeeId,
    data: &NewEmployee,
    department: Option<DepartmentId>,
) -> Work<()> {
    rows::run(
        tx,
        "UPDATE employees SET code = ?3, name = ?4, kana = ?5, department = ?6, active_from = ?7, active_to = ?8,
         department_id = ?9, upn = ?10, sid = ?11 WHERE contract_id = ?1 AND id = ?2",
        params![
            contract.0,
            id.0.as_bytes(),
            data.code,
            data.name,
            data.kana,
            data.department,
            rows::date_text(data.active_from),
            rows::date_text(data.active_to),
            department.map(|id| *id.0.as_bytes()),
            DirectoryField::Upn.of(&data.directory),
            DirectoryField::Sid.of(&data.directory),
        ],
    )
    .map_err(|error| taken(error, data))
    .map(drop)
}

fn rejudge_employee(tx: &Connection, contract: ContractId, id: EmployeeId, act: &Act) -> Work<u64> {
    let accounts = accounts_of(tx, contract, id)?;
    let rejudge = |account: &AccountId| rejudge_account(tx, contract, *account, Why::EmployeeChanged, act);
    accounts.iter().map(|account| Ok(rejudge(account)?.results)).sum()
}

/// Accounts that somebody has or has had by links that count.
pub(super) fn accounts_of(
    connection: &Connection,
    contract: ContractId,
    id: EmployeeId,
) -> Work<Vec<AccountId>> {
    rows::all(
        connection,
        "SELECT DISTINCT account_id FROM account_links WHERE contract_id = ?1 AND employee_id = ?2 AND void = 0",
        params![contract.0, id.0.as_bytes()],
        |row| Ok(AccountId(rows::uuid(row, 0)?)),
    )
}

/// Judges the person of every stored punch of an account again. A punch that has never been judged (res=9)
/// waits for that, since the rest of its facts is missing too.
pub(super) fn rejudge_account(
    tx: &Connection,
    contract: ContractId,
    account: AccountId,
    why: Why,
    act: &Act,
) -> Work<Rejudged> {
    let judged =
        "INDEXED BY punches_by_account WHERE contract_id = ?1 AND account_id = ?2 AND res IS DISTINCT FROM 9";
    let punches = judging::stored(tx, judged, params![contract.0, account.0.as_bytes()])?;
    judging::rejudge(tx, contract, &punches, Look::Person, why, act)
}
