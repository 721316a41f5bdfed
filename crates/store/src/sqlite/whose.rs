//! Whose an account was on a date, by every link that was made, shortened or called wrong since.
//!
//! `account_links` says how a link is now; how it was stands in the audit log, which keeps each as it is after every act.
//! Played one after the other, the entries tell to whom a punch of the date has gone, and by whose act. Judgements do not:
//! a punch that passes from one employee to another keeps its result.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mngntime_ledger::audit::Linked;
use mngntime_model::UtcMillis;

use super::lists::Query;
use super::{Work, people, rows};
use crate::ports::{Scope, Whose, WhoseChange};
use crate::sql::{Connection, params};
use crate::{AccountId, EmployeeId};

/// Entries of one account that are read, the oldest ones.
const ENTRIES_MAX: usize = 1_000;

/// What the audit log says of an account's links; an account is noted by the name it had then, which others may have, too.
const ENTRIES: &str = "SELECT id, at, by_whom, detail FROM audit INDEXED BY audit_by_object
    WHERE contract_id = ?1 AND object IN (SELECT 'account ' || domain || '\\' || name FROM account_names
        WHERE contract_id = ?1 AND account_id = ?2)
    AND action IN ('link_account', 'unlink_account') ORDER BY id LIMIT ?3";

/// An entry: when, by whom, and the link after it.
type Entry = (UtcMillis, String, Linked);

/// What has changed whose the account was on `date`, oldest first. Employees outside of `scope` have no names in it.
pub(super) fn changes(
    connection: &Connection,
    scope: &Scope,
    account: AccountId,
    date: Date,
) -> Work<Vec<WhoseChange>> {
    let links = links(connection, scope, account)?;
    let mut entries = entries(connection, scope, account)?.into_iter().peekable();
    let (mut state, mut all) = (BTreeMap::new(), Vec::new());
    let mut before = None;
    while let Some((at, by, link)) = entries.next() {
        state.insert(link.link.clone(), link);
        // One act may write several entries: a hand-over shortens a link and makes another.
        if entries.peek().is_some_and(|(next_at, next_by, _)| (*next_at, next_by) == (at, &by)) {
            continue;
        }
        let now = state.values().find(|link| counts(link, date)).and_then(|link| links.get(&link.link));
        if now != before {
            let [from, to] = [before, now].map(|id| named(connection, scope, id.copied()));
            all.push(WhoseChange { at, by, from: from?, to: to? });
            before = now;
        }
    }
    Ok(all)
}

fn counts(link: &Linked, date: Date) -> bool {
    let date = date.to_string();
    !link.void && link.from <= date && link.to.as_ref().is_none_or(|last| date <= *last)
}

/// Whose each link of the account is, void ones too.
fn links(connection: &Connection, scope: &Scope, account: AccountId) -> Work<BTreeMap<String, EmployeeId>> {
    let all = rows::all(
        connection,
        "SELECT id, employee_id FROM account_links INDEXED BY account_links_by_account
         WHERE contract_id = ?1 AND account_id = ?2",
        params![scope.contract.0, account.0.as_bytes()],
        |row| Ok((rows::uuid(row, 0)?.to_string(), EmployeeId(rows::uuid(row, 1)?))),
    )?;
    Ok(all.into_iter().collect())
}

fn entries(connection: &Connection, scope: &Scope, account: AccountId) -> Work<Vec<Entry>> {
    let params = params![scope.contract.0, account.0.as_bytes(), rows::column(ENTRIES_MAX as u64)];
    let all = rows::all(connection, ENTRIES, params, |row| {
        Ok((rows::millis(row, 1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
    })?;
    let read = |(at, by, detail): (UtcMillis, String, String)| {
        Some((at, by, serde_json::from_str::<Linked>(&detail).ok()?))
    };
    Ok(all.into_iter().filter_map(read).collect())
}

fn named(connection: &Connection, scope: &Scope, id: Option<EmployeeId>) -> Work<Whose> {
    let Some(id) = id else { return Ok(Whose::Nobody) };
    let mut query = Query::new(scope, format!("{} WHERE contract_id = ?1", people::EMPLOYEE));
    query.and("id = ?", [crate::sql::Value::Blob(id.0.as_bytes().to_vec())]);
    query.within(scope, "id");
    let found = query.read(connection, 1, people::read_employee)?.pop();
    Ok(found.map_or(Whose::Another, |one| Whose::Employee { code: one.data.code, name: one.data.name }))
}
