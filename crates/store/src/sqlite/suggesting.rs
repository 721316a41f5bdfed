//! Who may be behind an account that is linked to nobody.
//!
//! A reason counts when exactly one employee fits it, who has not left before the account's first waiting punch. More
//! than one is no suggestion: a wrong link makes somebody else's day.

use jiff::civil::Date;
use crate::sql::{Connection, params};

use super::lists::{ACCOUNT, Query};
use super::{Work, people, rows};
use crate::ports::{Account, Employee, Reason, Suggestion};
use crate::reading::readings;
use crate::{AccountId, ContractId};

/// Waiting accounts that are looked at for a list of one reason.
const LOOKED_AT_MAX: usize = 500;

/// Suggestions for one account, the surest first, each employee once.
pub(super) fn of(
    connection: &Connection,
    contract: ContractId,
    account: AccountId,
    today: Date,
) -> Work<Vec<Suggestion>> {
    let Some(account) = people::account(connection, contract, account)? else {
        return Ok(Vec::new());
    };
    let mut all: Vec<Suggestion> = Vec::new();
    for reason in Reason::ALL {
        // Readings are many questions, and are asked when nothing surer is known.
        if reason == Reason::Reading && !all.is_empty() {
            break;
        }
        let found = one(connection, contract, &account, reason, today)?;
        let known = |employee: &Employee| all.iter().any(|known| known.employee.id == employee.id);
        if let Some(employee) = found.filter(|employee| !known(employee)) {
            all.push(Suggestion { reason, employee });
        }
    }
    Ok(all)
}

/// Waiting accounts for which `reason` suggests somebody.
pub(super) fn all(
    connection: &Connection,
    contract: ContractId,
    reason: Reason,
    today: Date,
    limit: usize,
) -> Work<Vec<(Account, Employee)>> {
    let sql = format!(
        "{ACCOUNT} INDEXED BY accounts_in_order WHERE a.contract_id = ?1 AND (a.waiting = 0) = FALSE
         ORDER BY (a.waiting = 0), a.domain, a.name, a.id"
    );
    let mut query = Query::new(&contract.into(), sql);
    query.limit(LOOKED_AT_MAX);
    let waiting =
        rows::all(connection, &query.sql, crate::sql::params_from_iter(query.values), people::read_account)?;
    let mut found = Vec::new();
    for account in waiting {
        if found.len() >= limit {
            break;
        }
        if let Some(employee) = one(connection, contract, &account, reason, today)? {
            found.push((people::with_links(connection, &contract.into(), account)?, employee));
        }
    }
    Ok(found)
}

fn one(
    connection: &Connection,
    contract: ContractId,
    account: &Account,
    reason: Reason,
    today: Date,
) -> Work<Option<Employee>> {
    let mut found = match reason {
        Reason::Code => by_code(connection, contract, account)?,
        Reason::Earlier => by_earlier_link(connection, contract, account)?,
        Reason::Reading => by_reading(connection, contract, account)?,
    };
    found.sort_by(|one, other| one.data.code.cmp(&other.data.code));
    found.dedup_by(|one, other| one.id == other.id);
    let since = account.waiting_since.unwrap_or(today);
    Ok(match found.as_slice() {
        [only] if only.data.active_to.is_none_or(|to| since <= to) => Some(only.clone()),
        _ => None,
    })
}

/// The account's name and the part of its UPN before the `@`.
fn own_names(account: &Account) -> Vec<String> {
    let local = account.upn.as_deref().and_then(|upn| upn.split_once('@')).map(|(local, _)| local.to_owned());
    let mut names: Vec<String> = [Some(account.name.clone()), local].into_iter().flatten().collect();
    names.retain(|name| !name.is_empty());
    names.dedup();
    names
}

fn by_code(connection: &Connection, contract: ContractId, account: &Account) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} INDEXED BY employees_by_code WHERE contract_id = ?1 AND code = ?2 COLLATE NOCASE LIMIT 2",
        people::EMPLOYEE
    );
    let mut all = Vec::new();
    for name in own_names(account) {
        all.extend(rows::all(connection, &sql, params![contract.0, name], people::read_employee)?);
    }
    Ok(all)
}

/// The accounts of the name come first, whatever the planner thinks (`CROSS JOIN`): they are few, links are many.
fn by_earlier_link(connection: &Connection, contract: ContractId, account: &Account) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} WHERE contract_id = ?1 AND id IN (SELECT l.employee_id FROM accounts o INDEXED BY accounts_by_name
         CROSS JOIN account_links l INDEXED BY account_links_now
         ON l.contract_id = o.contract_id AND l.account_id = o.id AND l.void = 0
         WHERE o.contract_id = ?1 AND o.name = ?2 COLLATE NOCASE AND o.id <> ?3) LIMIT 2",
        people::EMPLOYEE
    );
    let own = account.id.0.as_bytes();
    rows::all(connection, &sql, params![contract.0, account.name, own], people::read_employee)
}

fn by_reading(connection: &Connection, contract: ContractId, account: &Account) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} INDEXED BY employees_by_reading WHERE contract_id = ?1
         AND replace(replace(replace(kana, ' ', ''), '　', ''), 'ー', '') = ?2 LIMIT 2",
        people::EMPLOYEE
    );
    let mut all = Vec::new();
    for name in own_names(account) {
        for reading in readings(&name) {
            all.extend(rows::all(connection, &sql, params![contract.0, reading], people::read_employee)?);
        }
    }
    Ok(all)
}
