//! Finding people and departments by what a person types.
//!
//! The punch log and the forms that link accounts ask the store (`find_employees` …). The lists here are walked up to [`WALK_MAX`] rows, far above the
//! largest contract we know, so that no request can grow without bound.

use mngntime_store::{ContractId, Department, Employee, Scope, Store, StoreError, Terminal};

/// Rows read at most for one list.
pub const WALK_MAX: usize = 20_000;
const STEP: usize = 1_000;

/// All employees of a scope by code.
///
/// # Errors
/// What the store says.
pub async fn employees(store: &dyn Store, scope: Scope) -> Result<Vec<Employee>, StoreError> {
    let mut all: Vec<Employee> = Vec::new();
    loop {
        let after = all.last().map(|employee| employee.data.code.clone());
        let step = store.list_employees(scope, after, STEP).await?;
        let last = step.len() < STEP;
        all.extend(step);
        if last || all.len() >= WALK_MAX {
            return Ok(all);
        }
    }
}

/// All terminals of a contract by PC name.
///
/// # Errors
/// What the store says.
pub async fn terminals(store: &dyn Store, contract: ContractId) -> Result<Vec<Terminal>, StoreError> {
    let mut all: Vec<Terminal> = Vec::new();
    loop {
        let after = all.last().map(|terminal| (terminal.host_name.clone(), terminal.id));
        let step = store.list_terminals(contract, after, STEP).await?;
        let last = step.len() < STEP;
        all.extend(step);
        if last || all.len() >= WALK_MAX {
            return Ok(all);
        }
    }
}

/// What a text leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// Exactly one.
    One(T),
    /// None.
    Nothing,
    /// More than one.
    Several,
}

impl<T> Found<T> {
    /// What these matches are.
    pub fn of(mut matches: impl Iterator<Item = T>) -> Self {
        match (matches.next(), matches.next()) {
            (Some(one), None) => Self::One(one),
            (None, _) => Self::Nothing,
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// The employee meant by a code, a name, or `code name` as the suggestions write it.
#[must_use]
pub fn employee<'a>(all: &'a [Employee], text: &str) -> Found<&'a Employee> {
    let narrow = mngntime_store::typed::narrow(text);
    let first = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let exact = |employee: &&Employee| employee.data.code == text || employee.data.code == first(text);
    let alike = |employee: &&Employee| employee.data.code.eq_ignore_ascii_case(&first(&narrow));
    match all.iter().find(exact).or_else(|| all.iter().find(alike)) {
        Some(employee) => Found::One(employee),
        None => {
            Found::of(all.iter().filter(|employee| {
                [text, narrow.as_str()].map(squeeze).contains(&squeeze(&employee.data.name))
            }))
        }
    }
}

/// Names are typed with and without the space in the middle.
fn squeeze(name: &str) -> String {
    name.split_whitespace().collect()
}

/// The department meant by a code, a name, or `code name` as the suggestions write it.
#[must_use]
pub fn department<'a>(all: &'a [Department], text: &str) -> Found<&'a Department> {
    let exact = |found: &&Department| found.data.code == text || shown(found) == text;
    match all.iter().find(exact) {
        Some(found) => Found::One(found),
        None => Found::of(all.iter().filter(|found| squeeze(&found.data.name) == squeeze(text))),
    }
}

fn shown(department: &Department) -> String {
    super::departments::shown(&department.data.code, &department.data.name)
}
