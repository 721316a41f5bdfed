//! Links that the server makes by itself.
//!
//! Who is to be linked is judged twice by the same function: by a reader, so that nobody's writing waits for accounts
//! that are a person's to look at, and once more in the transaction that links. What another node or a person did meanwhile
//! is seen there, so that nothing is linked twice. Each account is apart from the others: what cannot be read of one keeps
//! no other waiting.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_ledger::audit::DIRECTORY_SID;
use mngntime_model::UtcMillis;

use super::links::Cause;
use super::{SqliteStore, Work, WorkError, links, lists, people, rows, suggesting, writer};
use crate::ports::{
    Account, Act, Answer, EmployeeChoice, LINKS_BY_SID_MAX, LinkOutcome, LinkRequest, LinksBySid, Sid,
};
use crate::sql::{Connection, params};
use crate::{AccountId, ContractId, Refusal, local_date};

/// Accounts of one round that are looked at. More of them in one minute are linked in the next.
const LOOKED_AT_MAX: u64 = 10_000;

/// Letters of a computer's name that its local accounts have as their domain (NetBIOS).
const DOMAIN_LETTERS: usize = 15;

#[async_trait]
impl LinksBySid for SqliteStore {
    async fn accounts_to_link_by_sid(&self, today: Date) -> Answer<Vec<(ContractId, Vec<AccountId>)>> {
        self.read("look for accounts to link by their SIDs", move |connection| all(connection, today)).await
    }

    async fn link_by_sid(
        &self,
        contract: ContractId,
        accounts: Vec<AccountId>,
        at: UtcMillis,
    ) -> Answer<LinkOutcome> {
        self.write_alone("link accounts by their SIDs", move |tx| link(tx, contract, &accounts, at)).await
    }
}

/// Accounts that wait and have never had a link, whose SID an employee has. SQLite begins with the contracts
/// (`CROSS JOIN`), PostgreSQL with the index of accounts that wait, which is empty most of the time.
const WAITING: &str =
    "SELECT a.contract_id, a.id FROM contract_settings s INDEXED BY contract_settings_links_by_sid
    CROSS JOIN accounts a INDEXED BY accounts_waiting ON a.contract_id = s.contract_id AND a.waiting > 0
    CROSS JOIN employees e INDEXED BY employees_by_sid
        ON e.contract_id = a.contract_id AND e.sid IS NOT NULL AND e.sid = a.key
    WHERE s.links_by_sid IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM account_links l INDEXED BY account_links_by_account
        WHERE l.contract_id = a.contract_id AND l.account_id = a.id)
    LIMIT ?1";

pub(super) fn all(connection: &Connection, today: Date) -> Work<Vec<(ContractId, Vec<AccountId>)>> {
    let waiting = rows::all(connection, WAITING, [rows::column(LOOKED_AT_MAX)], |row| {
        Ok((ContractId(row.get(0)?), AccountId(rows::uuid(row, 1)?)))
    })?;
    let mut found = BTreeMap::<ContractId, Vec<AccountId>>::new();
    for (contract, account) in waiting {
        match request(connection, contract, account, today) {
            Ok(Some(_)) => found.entry(contract).or_default().push(account),
            Ok(None) => {}
            Err(error @ WorkError::Unreadable(_)) => {
                let account = account.0;
                tracing::error!(%account, %error, "an account that waits for its link cannot be read");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found.into_iter().collect())
}

/// Who has said that the contract's accounts are linked by themselves; none while nobody has.
pub(super) fn allowed_by(connection: &Connection, contract: ContractId) -> Work<Option<String>> {
    let sql = "SELECT links_by_sid FROM contract_settings WHERE contract_id = ?1";
    Ok(rows::one(connection, sql, [contract.0], |row| Ok(row.get(0)?))?.flatten())
}

fn link(tx: &Connection, contract: ContractId, accounts: &[AccountId], at: UtcMillis) -> Work<LinkOutcome> {
    if accounts.len() > LINKS_BY_SID_MAX {
        return Err(Refusal::TooMany { what: "links", limit: LINKS_BY_SID_MAX }.into());
    }
    let (mut sum, act) = (LinkOutcome::default(), Act::server(at));
    let Some(allowed_by) = allowed_by(tx, contract)? else { return Ok(sum) };
    let cause = Cause { because: DIRECTORY_SID, allowed_by };
    for id in accounts {
        let linked = writer::apart(tx, |tx| match request(tx, contract, *id, local_date(at))? {
            Some(request) => links::link_because(tx, contract, &[request], Some(&cause), &act),
            None => Ok(LinkOutcome::default()),
        });
        match linked {
            Ok(done) => (sum.links, sum.rejudged) = (sum.links + done.links, sum.rejudged + done.rejudged),
            Err(error) => {
                let account = id.0;
                tracing::error!(%account, %error, "an account could not be linked by its SID; it is tried again");
            }
        }
    }
    Ok(sum)
}

/// The link that an account gets by itself: the one that its list proposes. None where a person has to look.
pub(super) fn request(
    connection: &Connection,
    contract: ContractId,
    id: AccountId,
    today: Date,
) -> Work<Option<LinkRequest>> {
    let Some(account) = people::account(connection, contract, id)? else { return Ok(None) };
    let Some(from) = account.waiting_since else { return Ok(None) };
    let is_a_persons = account.sid().as_ref().is_some_and(Sid::is_of_a_person);
    if !is_a_persons
        || has_had_a_link(connection, contract, id)?
        || is_of_one_pc(connection, contract, &account)?
    {
        return Ok(None);
    }
    let surest = suggesting::by_directory(connection, contract, &account, today)?;
    let surest = surest.filter(|employee| employee.has_sid_of(&account));
    Ok(surest.map(|employee| {
        let employee = EmployeeChoice::Existing(employee.id);
        LinkRequest { account: id, employee, from, to: None }
    }))
}

/// Whether the account was ever linked, to the wrong employee too.
fn has_had_a_link(connection: &Connection, contract: ContractId, account: AccountId) -> Work<bool> {
    let sql = "SELECT 1 FROM account_links INDEXED BY account_links_by_account
        WHERE contract_id = ?1 AND account_id = ?2 LIMIT 1";
    let found = rows::one(connection, sql, params![contract.0, account.0.as_bytes()], |_| Ok(()))?;
    Ok(found.is_some())
}

/// Whether it is a local account: its domain is the name of a PC of the contract. A long name of a PC on which it was lately used
/// is cut as such a domain is.
fn is_of_one_pc(connection: &Connection, contract: ContractId, account: &Account) -> Work<bool> {
    let sql = "SELECT 1 FROM terminals INDEXED BY terminals_by_host_name
        WHERE contract_id = ?1 AND host_name = ?2 COLLATE NOCASE LIMIT 1";
    let named = rows::one(connection, sql, params![contract.0, account.domain], |_| Ok(()))?;
    let is_cut = |host: &String| {
        let domain: String = host.chars().take(DOMAIN_LETTERS).collect();
        domain.eq_ignore_ascii_case(&account.domain)
    };
    Ok(named.is_some() || lists::hosts(connection, contract, account.id)?.iter().any(is_cut))
}
