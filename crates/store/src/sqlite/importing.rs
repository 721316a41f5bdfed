//! Taking files in.

use std::collections::BTreeMap;

use crate::sql::{Connection, params};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use serde_json::json;

use super::department_texts::Tree;
use super::{SqliteStore, Work, audit, links, lists, people, rows};
use crate::ports::{
    Account, Act, Answer, DepartmentProblem, Employee, EmployeeChoice, IMPORT_LINES_MAX, ImportOutcome,
    Imports, LineFate, LineProblem, Link, LinkLine, LinkRequest, NewEmployee, StagedFile,
};
use crate::{
    AccountId, AdministratorId, ContractId, DepartmentId, EmployeeId, ImportId, Refusal, local_date,
};

#[async_trait]
impl Imports for SqliteStore {
    async fn stage_import(
        &self,
        contract: ContractId,
        person: AdministratorId,
        file: StagedFile,
        at: UtcMillis,
        old: UtcMillis,
    ) -> Answer<ImportId> {
        let bytes = file.content.len();
        self.write_sized("keep an uploaded file", bytes, move |tx| {
            rows::run(tx, "DELETE FROM imports WHERE created_at < ?1", [old.0])?;
            let id = ImportId(rows::new_id(at)?);
            let sql = "INSERT INTO imports (contract_id, id, person_id, kind, encoding, content, created_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let (id_bytes, person) = (id.0.as_bytes(), person.0.as_bytes());
            rows::run(
                tx,
                sql,
                params![contract.0, id_bytes, person, file.kind, file.encoding, file.content, at.0],
            )?;
            Ok(id)
        })
        .await
    }

    async fn staged_import(&self, contract: ContractId, import: ImportId) -> Answer<Option<StagedFile>> {
        self.read("read an uploaded file", move |connection| {
            rows::one(
                connection,
                "SELECT kind, encoding, content FROM imports WHERE contract_id = ?1 AND id = ?2",
                params![contract.0, import.0.as_bytes()],
                |row| Ok(StagedFile { kind: row.get(0)?, encoding: row.get(1)?, content: row.get(2)? }),
            )
        })
        .await
    }

    async fn drop_import(&self, contract: ContractId, import: ImportId) -> Answer<()> {
        self.write("remove an uploaded file", move |tx| {
            let sql = "DELETE FROM imports WHERE contract_id = ?1 AND id = ?2";
            rows::run(tx, sql, params![contract.0, import.0.as_bytes()]).map(drop)
        })
        .await
    }

    async fn check_links(&self, contract: ContractId, lines: Vec<LinkLine>) -> Answer<Vec<LineFate>> {
        self.read("check a file of links", move |connection| {
            Ok(plan_links(connection, contract, &lines)?.into_iter().map(|(fate, _)| fate).collect())
        })
        .await
    }

    async fn import_links(
        &self,
        contract: ContractId,
        lines: Vec<LinkLine>,
        right_only: bool,
        act: Act,
    ) -> Answer<ImportOutcome> {
        self.write("take in a file of links", move |tx| import_links(tx, contract, &lines, right_only, &act))
            .await
    }

    async fn check_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        today: Date,
    ) -> Answer<Vec<LineFate>> {
        self.read("check a file of employees", move |connection| {
            let mut tree = Tree::read(connection, contract, today)?;
            let plans = plan_employees(connection, contract, &lines, &mut tree)?;
            Ok(plans.into_iter().map(|(fate, _)| fate).collect())
        })
        .await
    }

    async fn import_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        right_only: bool,
        new_departments: bool,
        act: Act,
    ) -> Answer<ImportOutcome> {
        self.write("take in a file of employees", move |tx| {
            import_employees(tx, contract, &lines, right_only, new_departments, &act)
        })
        .await
    }
}

fn check_size(lines: usize) -> Result<(), Refusal> {
    if lines > IMPORT_LINES_MAX {
        return Err(Refusal::TooMany { what: "lines of a file", limit: IMPORT_LINES_MAX });
    }
    Ok(())
}

/// A link that an earlier line asks for.
struct Planned {
    line: usize,
    employee: EmployeeId,
    from: Date,
    to: Option<Date>,
}

type Plan = (LineFate, Option<LinkRequest>);

fn wrong<T>(problem: LineProblem) -> (LineFate, Option<T>) {
    (LineFate::Wrong(problem), None)
}

fn plan_links(connection: &Connection, contract: ContractId, lines: &[LinkLine]) -> Work<Vec<Plan>> {
    check_size(lines.len())?;
    let mut planned: BTreeMap<AccountId, Vec<Planned>> = BTreeMap::new();
    let mut plans = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        plans.push(plan_link(connection, contract, place, line, &mut planned)?);
    }
    Ok(plans)
}

fn plan_link(
    connection: &Connection,
    contract: ContractId,
    place: usize,
    line: &LinkLine,
    planned: &mut BTreeMap<AccountId, Vec<Planned>>,
) -> Work<Plan> {
    if line.to.is_some_and(|to| to < line.from) {
        return Ok(wrong(LineProblem::DatesReversed));
    }
    let account = match accounts(connection, contract, line)?.as_slice() {
        [one] => one.clone(),
        [] => return Ok(wrong(LineProblem::NoAccount)),
        _ => return Ok(wrong(LineProblem::SeveralAccounts)),
    };
    let Some(employee) = employee_of_code(connection, contract, &line.employee)? else {
        return Ok(wrong(LineProblem::NoEmployee(line.employee.clone())));
    };
    let employee = employee.id;
    let same = |link: &Link| (link.employee, link.from, link.to) == (employee, line.from, line.to);
    if account.links.iter().any(same) {
        return Ok((LineFate::Unchanged, None));
    }
    let overlaps = |from: Date, to: Option<Date>| {
        line.to.is_none_or(|last| from <= last) && to.is_none_or(|to| line.from <= to)
    };
    if let Some(link) = account.links.iter().find(|link| overlaps(link.from, link.to)) {
        return Ok(wrong(LineProblem::Overlaps(link.employee_code.clone())));
    }
    let earlier = planned.entry(account.id).or_default();
    if let Some(other) = earlier.iter().find(|other| overlaps(other.from, other.to)) {
        let same = (other.employee, other.from, other.to) == (employee, line.from, line.to);
        return Ok(if same {
            (LineFate::Unchanged, None)
        } else {
            wrong(LineProblem::Contradicts(other.line))
        });
    }
    earlier.push(Planned { line: place, employee, from: line.from, to: line.to });
    let choice = EmployeeChoice::Existing(employee);
    let request = LinkRequest { account: account.id, employee: choice, from: line.from, to: line.to };
    Ok((LineFate::New, Some(request)))
}

/// The accounts a line may mean: a key decides alone, then domain and name, then the UPN.
fn accounts(connection: &Connection, contract: ContractId, line: &LinkLine) -> Work<Vec<Account>> {
    let name = match (line.domain.as_str(), line.user.as_str()) {
        (_, "") => String::new(),
        ("", user) => user.to_owned(),
        (domain, user) => format!("{domain}\\{user}"),
    };
    let asked = [&line.key, &name, &line.upn].into_iter().find(|text| !text.is_empty());
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let found = lists::find_accounts(connection, &contract.into(), asked)?;
    let by_key = !line.key.is_empty();
    Ok(found.into_iter().filter(|account| !by_key || account.key == line.key).collect())
}

fn employee_of_code(connection: &Connection, contract: ContractId, code: &str) -> Work<Option<Employee>> {
    let sql = format!("{} WHERE contract_id = ?1 AND code = ?2", people::EMPLOYEE);
    let found = rows::one(connection, &sql, params![contract.0, code], people::read_employee)?;
    Ok(found)
}

/// Whether to write, when these are the fates.
fn goes_ahead<T>(plans: &[(LineFate, T)], right_only: bool) -> bool {
    right_only || !plans.iter().any(|(fate, _)| matches!(fate, LineFate::Wrong(_)))
}

fn import_links(
    tx: &Connection,
    contract: ContractId,
    lines: &[LinkLine],
    right_only: bool,
    act: &Act,
) -> Work<ImportOutcome> {
    let plans = plan_links(tx, contract, lines)?;
    let written = goes_ahead(&plans, right_only);
    let (fates, requests): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
    let requests: Vec<LinkRequest> = requests.into_iter().flatten().collect();
    let mut rejudged = 0;
    if written && !requests.is_empty() {
        rejudged = links::link(tx, contract, &requests, act)?.rejudged;
        note(tx, contract, "import_links", lines.len(), requests.len(), act)?;
    }
    Ok(ImportOutcome { fates, written, rejudged })
}

fn note(
    tx: &Connection,
    contract: ContractId,
    action: &str,
    lines: usize,
    written: usize,
    act: &Act,
) -> Work<()> {
    let detail = json!({ "lines": lines, "written": written });
    audit::note(tx, Some(contract), action, &format!("file of {lines} lines"), &detail, act)
}

/// What a line writes: of whom, what, and which department that is.
struct EmployeeDeed {
    employee: Option<EmployeeId>,
    data: NewEmployee,
    department: Option<DepartmentId>,
}

type EmployeePlan = (LineFate, Option<EmployeeDeed>);

fn plan_employees(
    connection: &Connection,
    contract: ContractId,
    lines: &[NewEmployee],
    tree: &mut Tree,
) -> Work<Vec<EmployeePlan>> {
    check_size(lines.len())?;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut plans = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        let earlier = *seen.entry(line.code.as_str()).or_insert(place);
        let reversed = line.active_from.zip(line.active_to).is_some_and(|(from, to)| to < from);
        plans.push(if reversed {
            wrong(LineProblem::DatesReversed)
        } else if earlier != place {
            if lines[earlier] == *line {
                (LineFate::Unchanged, None)
            } else {
                wrong(LineProblem::Contradicts(earlier))
            }
        } else {
            plan_employee(line, employee_of_code(connection, contract, &line.code)?, tree)
        });
    }
    Ok(plans)
}

/// What becomes of a line about somebody who is `known`, or new.
fn plan_employee(line: &NewEmployee, known: Option<Employee>, tree: &mut Tree) -> EmployeePlan {
    let now = known.as_ref().map(|known| (known.data.department.as_deref(), known.department));
    let (data, department) = match tree.placed(line, now) {
        Ok(placed) => placed,
        Err(problem) => {
            let text = line.department.clone().unwrap_or_default();
            return wrong(LineProblem::Department(text, problem));
        }
    };
    let fate = match &known {
        None => LineFate::New,
        Some(known) if known.data == data && known.department == department => {
            return (LineFate::Unchanged, None);
        }
        Some(_) => LineFate::Changed,
    };
    (fate, Some(EmployeeDeed { employee: known.map(|known| known.id), data, department }))
}

fn import_employees(
    tx: &Connection,
    contract: ContractId,
    lines: &[NewEmployee],
    right_only: bool,
    new_departments: bool,
    act: &Act,
) -> Work<ImportOutcome> {
    let mut tree = Tree::read(tx, contract, local_date(act.at))?;
    let mut plans = plan_employees(tx, contract, lines, &mut tree)?;
    if new_departments && make_departments(tx, contract, &plans, right_only, &mut tree, act)? {
        plans = plan_employees(tx, contract, lines, &mut tree)?;
    }
    let written = goes_ahead(&plans, right_only);
    let (fates, changes): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
    let changes: Vec<_> = changes.into_iter().flatten().collect();
    let mut rejudged = 0;
    if written && !changes.is_empty() {
        for EmployeeDeed { employee, data, department } in &changes {
            match employee {
                None => people::insert_employee(tx, contract, data, *department, act).map(drop)?,
                Some(id) => rejudged += people::replace_employee(tx, contract, *id, data, *department, act)?,
            }
        }
        note(tx, contract, "import_employees", lines.len(), changes.len(), act)?;
    }
    Ok(ImportOutcome { fates, written, rejudged })
}

/// Makes the unknown departments that lines name, unless other faults keep the whole file out. Says whether it made any.
fn make_departments(
    tx: &Connection,
    contract: ContractId,
    plans: &[EmployeePlan],
    right_only: bool,
    tree: &mut Tree,
    act: &Act,
) -> Work<bool> {
    let unknown = |fate: &LineFate| match fate {
        LineFate::Wrong(LineProblem::Department(text, DepartmentProblem::Unknown(_))) => Some(text.clone()),
        LineFate::New | LineFate::Changed | LineFate::Unchanged | LineFate::Wrong(_) => None,
    };
    let wrong = |fate: &LineFate| matches!(fate, LineFate::Wrong(_)) && unknown(fate).is_none();
    if !right_only && plans.iter().any(|(fate, _)| wrong(fate)) {
        return Ok(false);
    }
    let mut made = false;
    for text in plans.iter().filter_map(|(fate, _)| unknown(fate)) {
        made |= tree.make(tx, contract, &text, act)?;
    }
    Ok(made)
}
