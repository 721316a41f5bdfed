//! Which account belongs to whom, and what that changes.

use std::collections::BTreeMap;

use crate::sql::{Connection, params};
use jiff::civil::{Date, date};
use mngntime_ledger::audit::{LINK_ACCOUNT, Linked, UNLINK_ACCOUNT};
use uuid::Uuid;

use super::{Work, audit, changing, people, rows};
use crate::ports::{Act, EmployeeChoice, LinkEnd, LinkOutcome, LinkRequest, NewEmployee, Why};
use crate::{AccountId, ContractId, EmployeeId, LinkId, Refusal, giving_way};

/// Links of one transaction. 20,000 waiting punches of this many accounts are judged again in a second or two (SQLite), in
/// which nothing else is written.
pub(super) const LINKS_MAX: usize = 1_000;

/// The last date there is: stands for "open" in comparisons.
pub(super) const FAR: &str = "9999-12-31";

/// The first date there is.
pub(super) const EARLY: &str = "0001-01-01";

/// [`FAR`] as a date.
pub(super) fn last_date() -> Date {
    date(9999, 12, 31)
}

/// [`EARLY`] as a date.
pub(super) fn first_date() -> Date {
    date(1, 1, 1)
}

/// Why the server links by itself.
pub(super) struct Cause {
    /// As the audit log has it.
    pub(super) because: &'static str,
    /// Who has said that it may.
    pub(super) allowed_by: String,
}

pub(super) fn link(
    tx: &Connection,
    contract: ContractId,
    requests: &[LinkRequest],
    act: &Act,
) -> Work<LinkOutcome> {
    link_because(tx, contract, requests, None, act)
}

pub(super) fn link_because(
    tx: &Connection,
    contract: ContractId,
    requests: &[LinkRequest],
    cause: Option<&Cause>,
    act: &Act,
) -> Work<LinkOutcome> {
    check(requests)?;
    let mut made = BTreeMap::new();
    for request in requests {
        let employee = choose(tx, contract, &request.employee, &mut made, act)?;
        insert_because(tx, contract, request, employee, cause, act)?;
    }
    let mut accounts: Vec<AccountId> = requests.iter().map(|request| request.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let rejudged = accounts
        .iter()
        .map(|account| Ok(people::rejudge_account(tx, contract, *account, Why::AccountLinked, act)?.results))
        .sum::<Work<u64>>()?;
    Ok(LinkOutcome { links: requests.len() as u64, employees: made.len() as u64, rejudged })
}

fn check(requests: &[LinkRequest]) -> Result<(), Refusal> {
    if requests.len() > LINKS_MAX {
        return Err(Refusal::TooMany { what: "links", limit: LINKS_MAX });
    }
    let reversed = |request: &LinkRequest| request.to.is_some_and(|to| to < request.from);
    if requests.iter().any(reversed) { Err(Refusal::DatesReversed) } else { Ok(()) }
}

fn choose(
    tx: &Connection,
    contract: ContractId,
    choice: &EmployeeChoice,
    made: &mut BTreeMap<String, (NewEmployee, EmployeeId)>,
    act: &Act,
) -> Work<EmployeeId> {
    match choice {
        EmployeeChoice::Existing(id) => Ok(people::employee(tx, contract, *id)?.id),
        EmployeeChoice::New(new) => match made.get(&new.code) {
            Some((first, id)) if first == new => Ok(*id),
            // The same code with other data is another person: joining them would give one the other's days.
            Some(_) => Err(Refusal::Taken { what: "employee", code: new.code.clone() }.into()),
            None => {
                let id = people::add_employee(tx, contract, new, act)?;
                made.insert(new.code.clone(), (new.clone(), id));
                Ok(id)
            }
        },
    }
}

pub(super) fn insert(
    tx: &Connection,
    contract: ContractId,
    request: &LinkRequest,
    employee: EmployeeId,
    act: &Act,
) -> Work<()> {
    insert_because(tx, contract, request, employee, None, act)
}

fn insert_because(
    tx: &Connection,
    contract: ContractId,
    request: &LinkRequest,
    employee: EmployeeId,
    cause: Option<&Cause>,
    act: &Act,
) -> Work<()> {
    // What the server does by itself takes nothing from anybody.
    let rest = if cause.is_none() { give_way(tx, contract, request, employee, act)? } else { None };
    write(tx, contract, request, employee, cause, act)?;
    match rest {
        Some((rest, holder)) => write(tx, contract, &rest, holder, None, act),
        None => Ok(()),
    }
}

fn write(
    tx: &Connection,
    contract: ContractId,
    request: &LinkRequest,
    employee: EmployeeId,
    cause: Option<&Cause>,
    act: &Act,
) -> Work<()> {
    let name = account_name(tx, contract, request.account)?;
    refuse_overlap(tx, contract, request, &name)?;
    let id = rows::new_id(act.at)?;
    rows::run(
        tx,
        "INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, to_date, created_at,
         created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            contract.0,
            id.as_bytes(),
            request.account.0.as_bytes(),
            employee.0.as_bytes(),
            request.from.to_string(),
            rows::date_text(request.to),
            act.at.0,
            act.by,
        ],
    )?;
    let mut detail = noted(tx, contract, id)?;
    if let Some(Cause { because, allowed_by }) = cause {
        (detail.because, detail.allowed_by) = (Some((*because).to_owned()), Some(allowed_by.clone()));
    }
    audit::note(tx, Some(contract), LINK_ACCOUNT, &format!("account {name}"), &detail, act)
}

/// Has the one link in the way give way, when it is of somebody else who is employed on none of the wanted dates
/// ([`giving_way`]); what it is to have again after these dates, and whose it is.
fn give_way(
    tx: &Connection,
    contract: ContractId,
    request: &LinkRequest,
    employee: EmployeeId,
    act: &Act,
) -> Work<Option<(LinkRequest, EmployeeId)>> {
    let dates = (request.from, request.to);
    let all = changing::in_full(tx, contract, request.account)?;
    let mut in_the_way =
        all.iter().filter(|full| giving_way::overlaps((full.link.from, full.link.to), dates));
    let (Some(one), None) = (in_the_way.next(), in_the_way.next()) else { return Ok(None) };
    let rest = giving_way::rest(&one.span(), dates).filter(|_| one.link.employee != employee);
    let Some(rest) = rest else { return Ok(None) };
    let end = rest.last.map_or(LinkEnd::Void, LinkEnd::After);
    shorten(tx, contract, one.link.id, end, act)?;
    let holder = one.link.employee;
    let again = |from| {
        let employee = EmployeeChoice::Existing(holder);
        (LinkRequest { account: request.account, employee, from, to: one.link.to }, holder)
    };
    Ok(rest.first.map(again))
}

/// A link as it is now, for the audit log.
fn noted(tx: &Connection, contract: ContractId, link: Uuid) -> Work<Linked> {
    let found = rows::one(
        tx,
        "SELECT a.key, e.code, l.from_date, l.to_date, l.void FROM account_links l
         JOIN accounts a ON a.contract_id = l.contract_id AND a.id = l.account_id
         JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
         WHERE l.contract_id = ?1 AND l.id = ?2",
        params![contract.0, link.as_bytes()],
        |row| {
            Ok(Linked {
                link: link.to_string(),
                account: row.get(0)?,
                employee: row.get(1)?,
                from: row.get(2)?,
                to: row.get(3)?,
                void: row.get(4)?,
                because: None,
                allowed_by: None,
            })
        },
    )?;
    found.ok_or_else(|| Refusal::Missing { what: "link" }.into())
}

fn account_name(tx: &Connection, contract: ContractId, account: AccountId) -> Work<String> {
    rows::one(
        tx,
        "SELECT domain || '\\' || name FROM accounts WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, account.0.as_bytes()],
        |row| Ok(row.get(0)?),
    )?
    .ok_or_else(|| Refusal::Missing { what: "account" }.into())
}

fn refuse_overlap(tx: &Connection, contract: ContractId, request: &LinkRequest, name: &str) -> Work<()> {
    let overlapping = rows::one(
        tx,
        "SELECT 1 FROM account_links INDEXED BY account_links_now WHERE contract_id = ?1 AND account_id = ?2 AND void = 0
         AND from_date <= ?3 AND coalesce(to_date, ?5) >= ?4",
        params![
            contract.0,
            request.account.0.as_bytes(),
            rows::date_text(request.to).unwrap_or_else(|| FAR.to_owned()),
            request.from.to_string(),
            FAR,
        ],
        |_| Ok(()),
    )?;
    match overlapping {
        Some(()) => Err(Refusal::LinkOverlaps { account: name.to_owned() }.into()),
        None => Ok(()),
    }
}

/// How many punches the requests would change from res=7 to accepted.
pub(super) fn preview(connection: &Connection, contract: ContractId, requests: &[LinkRequest]) -> Work<u64> {
    check(requests)?;
    requests.iter().map(|request| preview_one(connection, contract, request)).sum()
}

fn preview_one(connection: &Connection, contract: ContractId, request: &LinkRequest) -> Work<u64> {
    let (employed_from, employed_to) = match &request.employee {
        EmployeeChoice::Existing(id) => {
            let data = people::employee(connection, contract, *id)?.data;
            (data.active_from, data.active_to)
        }
        EmployeeChoice::New(new) => (new.active_from, new.active_to),
    };
    let count = rows::one(
        connection,
        "SELECT count(*) FROM punches INDEXED BY punches_waiting
         WHERE contract_id = ?1 AND account_id = ?2 AND res = 7 AND local_date >= ?3 AND local_date <= ?4
         AND local_date >= ?5 AND local_date <= ?6",
        params![
            contract.0,
            request.account.0.as_bytes(),
            request.from.to_string(),
            rows::date_text(request.to).unwrap_or_else(|| FAR.to_owned()),
            rows::date_text(employed_from).unwrap_or_else(|| EARLY.to_owned()),
            rows::date_text(employed_to).unwrap_or_else(|| FAR.to_owned()),
        ],
        |row| rows::number(row, 0),
    )?;
    Ok(count.unwrap_or(0))
}

pub(super) fn end(tx: &Connection, contract: ContractId, link: LinkId, end: LinkEnd, act: &Act) -> Work<u64> {
    let account = shorten(tx, contract, link, end, act)?;
    Ok(people::rejudge_account(tx, contract, account, Why::AccountUnlinked, act)?.results)
}

/// Ends a link without judging again; returns its account.
pub(super) fn shorten(
    tx: &Connection,
    contract: ContractId,
    link: LinkId,
    end: LinkEnd,
    act: &Act,
) -> Work<AccountId> {
    let found = rows::one(
        tx,
        "SELECT account_id, from_date FROM account_links WHERE contract_id = ?1 AND id = ?2 AND void = 0",
        params![contract.0, link.0.as_bytes()],
        |row| Ok((AccountId(rows::uuid(row, 0)?), rows::date(&row.get::<_, String>(1)?)?)),
    )?;
    let Some((account, from)) = found else {
        return Err(Refusal::Missing { what: "link" }.into());
    };
    let (to, void) = match end {
        LinkEnd::After(last) if last < from => return Err(Refusal::DatesReversed.into()),
        LinkEnd::After(last) => (Some(last.to_string()), false),
        LinkEnd::Void => (None, true),
    };
    rows::run(
        tx,
        "UPDATE account_links SET to_date = coalesce(?3, to_date), void = ?4, ended_at = ?5, ended_by = ?6
         WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, link.0.as_bytes(), to, void, act.at.0, act.by],
    )?;
    let name = account_name(tx, contract, account)?;
    let detail = noted(tx, contract, link.0)?;
    audit::note(tx, Some(contract), UNLINK_ACCOUNT, &format!("account {name}"), &detail, act)?;
    Ok(account)
}
