//! Finding people, accounts and terminals by what a person types.
//!
//! The store finds by id and lists by name. The lists here are walked up to [`WALK_MAX`] rows, far above the
//! largest contract we know, so that no request can grow without bound.

use mngntime_model::TerminalId;
use mngntime_store::{
    Account, AccountFilter, ContractId, Department, Employee, Scope, Store, StoreError, Terminal,
};

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

/// All accounts of a scope by domain and name.
///
/// # Errors
/// What the store says.
pub async fn accounts(store: &dyn Store, scope: Scope) -> Result<Vec<Account>, StoreError> {
    store.list_accounts(scope, AccountFilter::All, WALK_MAX).await
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
    fn of(mut matches: impl Iterator<Item = T>) -> Self {
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
    let first = text.split_whitespace().next().unwrap_or_default();
    let by_code = all.iter().find(|employee| employee.data.code == text || employee.data.code == first);
    match by_code {
        Some(employee) => Found::One(employee),
        None => Found::of(all.iter().filter(|employee| squeeze(&employee.data.name) == squeeze(text))),
    }
}

/// Names are typed with and without the space in the middle.
fn squeeze(name: &str) -> String {
    name.split_whitespace().collect()
}

/// The account meant by `DOMAIN\name`, a name alone, a UPN, or an id.
#[must_use]
pub fn account<'a>(all: &'a [Account], text: &str) -> Found<&'a Account> {
    if let Some(account) = all.iter().find(|account| account.id.to_string() == text) {
        return Found::One(account);
    }
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    Found::of(all.iter().filter(|account| match text.split_once('\\') {
        Some((domain, name)) => same(&account.domain, domain) && same(&account.name, name),
        None => same(&account.name, text) || account.upn.as_deref().is_some_and(|upn| same(upn, text)),
    }))
}

/// The terminal meant by a PC name or an id.
#[must_use]
pub fn terminal<'a>(all: &'a [Terminal], text: &str) -> Found<&'a Terminal> {
    if let Ok(id) = TerminalId::parse(text) {
        return Found::of(all.iter().filter(|terminal| terminal.id == id));
    }
    let wanted = text.to_lowercase();
    Found::of(all.iter().filter(|terminal| terminal.host_name.to_lowercase() == wanted))
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
