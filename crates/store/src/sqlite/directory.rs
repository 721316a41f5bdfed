//! Whose the UPNs and SIDs of a contract are: each is one employee's.
//!
//! Everything that is asked for at once is looked up at once. A line of a file may take what a line above it lets go.

use std::collections::HashMap;

use super::{Work, people, rows};
use crate::ports::{Account, Directory, DirectoryField, Employee, Upn};
use crate::sql::{Connection, params};
use crate::{ContractId, Refusal};

/// Where a field stands.
fn index(field: DirectoryField) -> (&'static str, &'static str) {
    match field {
        DirectoryField::Upn => ("upn", "employees_by_upn"),
        DirectoryField::Sid => ("sid", "employees_by_sid"),
    }
}

/// Codes of those who have what is asked for.
pub(super) struct Holders(HashMap<(DirectoryField, String), String>);

impl Holders {
    pub(super) fn read<'a>(
        connection: &Connection,
        contract: ContractId,
        asked: impl Iterator<Item = &'a Directory> + Clone,
    ) -> Work<Self> {
        let mut all = HashMap::new();
        for field in DirectoryField::ALL {
            let (column, index) = index(field);
            let sql = format!(
                "SELECT e.{column}, e.code FROM (SELECT DISTINCT value AS typed FROM json_each(?2)) asked
                 CROSS JOIN employees e INDEXED BY {index} ON e.contract_id = ?1 AND e.{column} IS NOT NULL
                    AND e.{column} = asked.typed"
            );
            let texts: Vec<&str> = asked.clone().filter_map(|directory| field.of(directory)).collect();
            if texts.is_empty() {
                continue;
            }
            let texts = rows::json_list(texts.into_iter());
            let found = rows::all(connection, &sql, params![contract.0, texts], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            all.extend(found.into_iter().map(|(text, code): (String, String)| ((field, text), code)));
        }
        Ok(Self(all))
    }

    /// What of `directory` somebody else has than the employee `code`, and the code of that one.
    pub(super) fn other(&self, directory: &Directory, code: &str) -> Option<(DirectoryField, String)> {
        DirectoryField::ALL.into_iter().find_map(|field| {
            let held = self.0.get(&(field, field.of(directory)?.to_owned()))?;
            (held != code).then(|| (field, held.clone()))
        })
    }

    /// The employee `code` has what `after` says, and no more what `before` says.
    pub(super) fn take(&mut self, before: Option<&Directory>, after: &Directory, code: &str) {
        for field in DirectoryField::ALL {
            if let Some(text) = before.and_then(|before| field.of(before)) {
                self.0.remove(&(field, text.to_owned()));
            }
            if let Some(text) = field.of(after) {
                self.0.insert((field, text.to_owned()), code.to_owned());
            }
        }
    }
}

/// Refuses what somebody else has than the employee who is known as `code`.
pub(super) fn check(tx: &Connection, contract: ContractId, directory: &Directory, code: &str) -> Work<()> {
    let holders = Holders::read(tx, contract, std::iter::once(directory))?;
    match holders.other(directory, code) {
        Some((field, code)) => Err(Refusal::Held { field, code }.into()),
        None => Ok(()),
    }
}

/// Those of whom a directory says the account's SID or its UPN.
pub(super) fn behind(
    connection: &Connection,
    contract: ContractId,
    account: &Account,
) -> Work<Vec<Employee>> {
    let directory = Directory { upn: account.upn.as_deref().and_then(Upn::parse), sid: account.sid() };
    let mut all = Vec::new();
    for field in DirectoryField::ALL {
        let Some(text) = field.of(&directory) else { continue };
        let (column, index) = index(field);
        let sql = format!(
            "{} INDEXED BY {index} WHERE contract_id = ?1 AND {column} IS NOT NULL AND {column} = ?2",
            people::EMPLOYEE
        );
        all.extend(rows::all(connection, &sql, params![contract.0, text], people::read_employee)?);
    }
    Ok(all)
}
