//! Taking files in.
//!
//! A file of links is written in pieces, each of which judges its accounts' punches in a transaction of its own: a roll-out's
//! whole list would keep everybody else from writing for half a minute. Nothing is written while a line is wrong; what breaks
//! off in the middle is finished by taking the same file in again, in which the lines that are there already change nothing.
//!
//! What a line becomes is planned in [`link_lines`] and [`employee_lines`], by the same code for the look and for the
//! deed. Everything that a file names is looked up at once, in a fixed number of statements.

use crate::sql::{Connection, params};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use serde_json::json;

use super::department_texts::Tree;
use super::{SqliteStore, Work, audit, employee_lines, link_lines, links, people, rows};
use crate::ports::{
    Act, Answer, DepartmentProblem, EmployeeColumns, ImportOutcome, ImportPreview, Imports, LineFate,
    LineProblem, LinkLine, LinkRequest, NewEmployee, StagedFile,
};
use crate::{AdministratorId, ContractId, ImportId, Refusal, local_date};

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

    async fn check_links(&self, contract: ContractId, lines: Vec<LinkLine>) -> Answer<ImportPreview> {
        self.read("check a file of links", move |connection| {
            let (plans, subjects) = link_lines::plan(connection, contract, &lines)?;
            let rejudging = link_lines::rejudging(connection, contract, &plans)?;
            let fates = plans.into_iter().map(|plan| plan.fate).collect();
            Ok(ImportPreview { fates, rejudging, subjects, ..ImportPreview::default() })
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
        let mut fates = self.check_links(contract, lines.clone()).await?.fates;
        if !right_only && fates.iter().any(is_wrong) {
            return Ok(ImportOutcome { fates, written: false, rejudged: 0 });
        }
        let right: Vec<usize> = (0..lines.len()).filter(|place| !is_wrong(&fates[*place])).collect();
        let mut rejudged = 0;
        for places in right.chunks(links::LINKS_MAX) {
            let piece: Vec<LinkLine> = places.iter().map(|place| lines[*place].clone()).collect();
            let act = act.clone();
            let write = move |tx: &Connection| import_links(tx, contract, &piece, &act);
            let done = self.write_alone("take in a file of links", write).await?;
            places.iter().zip(done.fates).for_each(|(place, fate)| fates[*place] = fate);
            rejudged += done.rejudged;
        }
        Ok(ImportOutcome { fates, written: true, rejudged })
    }

    async fn check_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        columns: EmployeeColumns,
        today: Date,
    ) -> Answer<ImportPreview> {
        self.read("check a file of employees", move |connection| {
            let mut tree = Tree::read(connection, contract, today)?;
            let plans = employee_lines::plan(connection, contract, &lines, columns, &mut tree)?;
            let of = |writes: Vec<&employee_lines::Write>| {
                employee_lines::rejudging(connection, contract, &writes)
            };
            let rejudging = of(plans.iter().filter_map(|plan| plan.write.as_ref()).collect())?;
            let with_departments = of(plans.iter().filter_map(|plan| plan.held.as_ref()).collect())?;
            let made = employee_lines::made(&plans);
            let alike = employee_lines::alike(connection, contract, &made)?;
            let fates = plans.into_iter().map(|plan| plan.fate).collect();
            Ok(ImportPreview { fates, rejudging, with_departments, made, alike, subjects: Vec::new() })
        })
        .await
    }

    async fn import_employees(
        &self,
        contract: ContractId,
        lines: Vec<NewEmployee>,
        columns: EmployeeColumns,
        right_only: bool,
        new_departments: bool,
        act: Act,
    ) -> Answer<ImportOutcome> {
        self.write_alone("take in a file of employees", move |tx| {
            import_employees(tx, contract, &lines, columns, (right_only, new_departments), &act)
        })
        .await
    }
}

/// Refuses a file of more lines than there may be.
pub(super) fn check_size(lines: usize, limit: usize) -> Result<(), Refusal> {
    if lines > limit { Err(Refusal::TooMany { what: "lines of a file", limit }) } else { Ok(()) }
}

/// What becomes of a line, and what is written for it.
pub(super) struct Plan<T> {
    pub(super) fate: LineFate,
    pub(super) write: Option<T>,
    /// What is written once its department is there.
    pub(super) held: Option<T>,
}

impl<T> Plan<T> {
    /// Nothing is written: it is there already.
    pub(super) fn unchanged() -> Self {
        Self { fate: LineFate::Unchanged, write: None, held: None }
    }

    /// Nothing is written: it cannot be taken in.
    pub(super) fn wrong(problem: LineProblem) -> Self {
        Self { fate: LineFate::Wrong(problem), write: None, held: None }
    }
}

fn is_wrong(fate: &LineFate) -> bool {
    matches!(fate, LineFate::Wrong(_))
}

/// Whether to write, when these are the plans.
fn goes_ahead<T>(plans: &[Plan<T>], right_only: bool) -> bool {
    right_only || !plans.iter().any(|plan| is_wrong(&plan.fate))
}

/// The fates, and what is written.
fn parted<T>(plans: Vec<Plan<T>>) -> (Vec<LineFate>, Vec<T>) {
    let (fates, writes): (Vec<_>, Vec<_>) = plans.into_iter().map(|plan| (plan.fate, plan.write)).unzip();
    (fates, writes.into_iter().flatten().collect())
}

/// Takes in a piece of a file, of which all lines were right when they were looked at.
fn import_links(tx: &Connection, contract: ContractId, lines: &[LinkLine], act: &Act) -> Work<ImportOutcome> {
    let (fates, wanted) = parted(link_lines::plan(tx, contract, lines)?.0);
    let mut rejudged = 0;
    if !wanted.is_empty() {
        let requests: Vec<LinkRequest> = wanted.into_iter().map(|wanted| wanted.request).collect();
        rejudged = links::link(tx, contract, &requests, act)?.rejudged;
        note(tx, contract, "import_links", lines.len(), requests.len(), act)?;
    }
    Ok(ImportOutcome { fates, written: true, rejudged })
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

fn import_employees(
    tx: &Connection,
    contract: ContractId,
    lines: &[NewEmployee],
    columns: EmployeeColumns,
    (right_only, new_departments): (bool, bool),
    act: &Act,
) -> Work<ImportOutcome> {
    let mut tree = Tree::read(tx, contract, local_date(act.at))?;
    let mut plans = employee_lines::plan(tx, contract, lines, columns, &mut tree)?;
    if new_departments && make_departments(tx, contract, &plans, right_only, &mut tree, act)? {
        plans = employee_lines::plan(tx, contract, lines, columns, &mut tree)?;
    }
    let written = goes_ahead(&plans, right_only);
    let (fates, changes) = parted(plans);
    let mut rejudged = 0;
    if written && !changes.is_empty() {
        for employee_lines::Write { known, data, department } in &changes {
            match known {
                None => people::insert_employee(tx, contract, data, *department, act).map(drop)?,
                Some((id, _)) => {
                    rejudged += people::replace_employee(tx, contract, *id, data, *department, act)?
                }
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
    plans: &[Plan<employee_lines::Write>],
    right_only: bool,
    tree: &mut Tree,
    act: &Act,
) -> Work<bool> {
    let unknown = |fate: &LineFate| {
        let LineFate::Wrong(LineProblem::Department(text, DepartmentProblem::Unknown(_))) = fate else {
            return None;
        };
        Some(text.clone())
    };
    let wrong = |fate: &LineFate| matches!(fate, LineFate::Wrong(_)) && unknown(fate).is_none();
    if !right_only && plans.iter().any(|plan| wrong(&plan.fate)) {
        return Ok(false);
    }
    let mut made = false;
    for text in plans.iter().filter_map(|plan| unknown(&plan.fate)) {
        made |= tree.make(tx, contract, &text, act)?;
    }
    Ok(made)
}
