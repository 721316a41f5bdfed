//! Who may be behind an account that is linked to nobody.
//!
//! A reason counts when an employee fits it who has not left before the account's first waiting punch, and whom a new link can
//! give that punch: no link of an account on that date is touched, but for one of somebody else who has left before it (the
//! new one ends it). Whose punches wait for another date of the employment is told that instead. One whom nobody else fits
//! beside is sure; of several a person has to choose: a wrong link makes somebody else's day. Nor is one sure of
//! whom a directory says another SID (an account of their name may be anybody's who manages a PC), or beside whom it tells
//! of somebody for the account. Nor of a pair of which somebody has said that its link was wrong from the beginning, whatever
//! the reason: it stands behind the others, and a person may still choose it.
//!
//! What there is to go by: of the account its SID, its names of today and before, domain and UPN; of the employee code, name,
//! フリガナ, and the SID and UPN that a directory says, where these were entered. The agent sends no display name, so that
//! none is compared; the part of a UPN before the `@` counts as a name. Digits behind a name tell people of one name apart
//! (`sato.hanako1`): without them it may still be read, but is never sure.

use crate::sql::{Connection, params};
use jiff::civil::Date;

use super::lists::{ACCOUNT, Query};
use super::{Work, changing, directory, lists, people, rows};
use crate::ports::{Account, Employee, LinkInFull, Reason, SuggestedAccounts, Suggestion};
use crate::reading::{begins_with, initials, readings, unnumbered};
use crate::typed::{half_width, reading};
use crate::{AccountId, ContractId, EmployeeId};

/// Waiting accounts that are looked at for a list of one reason.
const LOOKED_AT_MAX: usize = 500;

/// Former names of an account that are looked at, the latest first.
const FORMER_NAMES_MAX: usize = 4;

/// Parts of a name whose runs are looked at: ten of four parts.
const PARTS_MAX: usize = 4;

/// Employees of one family name that are looked at for an initial; where there are more, nobody is suggested by it:
/// somebody beyond them may fit as well.
const FAMILY_MAX: usize = 200;

/// Employees of one reason that are given to choose from; where more fit, nobody is.
const CANDIDATES_MAX: usize = 8;

/// Employees that are read for one name: one more than are given.
const FITTING_MAX: usize = CANDIDATES_MAX + 1;

/// Everybody who fits a reason.
struct Fitting {
    employees: Vec<Employee>,
    /// Whether they fit it as it stands, so that the only one is sure.
    well: bool,
}

/// Suggestions for one account, the surest first, each employee once.
pub(super) fn of(
    connection: &Connection,
    contract: ContractId,
    account: AccountId,
    today: Date,
) -> Work<Vec<Suggestion>> {
    match people::account(connection, contract, account)? {
        Some(account) => of_account(connection, contract, &account, &Reason::ALL, today),
        None => Ok(Vec::new()),
    }
}

/// Of whom a directory says for sure that the account is theirs.
pub(super) fn by_directory(
    connection: &Connection,
    contract: ContractId,
    account: &Account,
    today: Date,
) -> Work<Option<Employee>> {
    let all = of_account(connection, contract, account, &[Reason::Directory], today)?;
    Ok(all.into_iter().next().filter(|best| best.sure).map(|best| best.employee))
}

fn of_account(
    connection: &Connection,
    contract: ContractId,
    account: &Account,
    reasons: &[Reason],
    today: Date,
) -> Work<Vec<Suggestion>> {
    let (mut all, mut is_told): (Vec<Suggestion>, bool) = (Vec::new(), false);
    let (since, links) =
        (account.waiting_since.unwrap_or(today), changing::in_full(connection, contract, account.id)?);
    let fits = |employee: &Employee| is_there(employee, since) && is_free_for(employee, since, &links);
    for reason in reasons.iter().copied() {
        // Readings are many questions, and are asked when nothing surer is known.
        if matches!(reason, Reason::Reading | Reason::Initial) && !all.is_empty() {
            break;
        }
        let Fitting { employees, well } = fitting(connection, contract, account, reason)?;
        let alone = well && employees.len() == 1;
        let sure = alone && !is_told && !employees.iter().any(|one| one.has_other_sid_than(account));
        // Where a directory tells of anybody, one who has left too, nothing else is sure.
        is_told |= reason == Reason::Directory && !employees.is_empty();
        for employee in employees.into_iter().filter(fits) {
            if all.iter().all(|known| known.employee.id != employee.id) {
                all.push(Suggestion { sure, voided: false, reason, employee });
            }
        }
    }
    let voided = if all.is_empty() { Vec::new() } else { voided(connection, contract, account.id)? };
    for one in all.iter_mut().filter(|one| voided.contains(&one.employee.id)) {
        (one.sure, one.voided) = (false, true);
    }
    all.sort_by_key(|one| (one.voided, !one.sure));
    Ok(all)
}

/// Those with whom every link of the account has been taken back as wrong from the beginning.
fn voided(connection: &Connection, contract: ContractId, account: AccountId) -> Work<Vec<EmployeeId>> {
    let sql = "SELECT employee_id, void FROM account_links INDEXED BY account_links_by_account
         WHERE contract_id = ?1 AND account_id = ?2";
    let links = rows::all(connection, sql, params![contract.0, account.0.as_bytes()], |row| {
        Ok((EmployeeId(rows::uuid(row, 0)?), row.get::<_, bool>(1)?))
    })?;
    let counts: Vec<_> = links.iter().filter(|(_, void)| !void).map(|(employee, _)| *employee).collect();
    Ok(links.into_iter().map(|(employee, _)| employee).filter(|one| !counts.contains(one)).collect())
}

/// Waiting accounts, the first of the list.
fn waiting(connection: &Connection, contract: ContractId, search: &str) -> Work<Vec<Account>> {
    let sql = format!(
        "{ACCOUNT} INDEXED BY accounts_in_order WHERE a.contract_id = ?1 AND (a.waiting = 0) = FALSE"
    );
    let mut query = Query::new(&contract.into(), sql);
    lists::search_accounts(&mut query, search);
    query.sql.push_str(" ORDER BY (a.waiting = 0), a.domain, a.name, a.id");
    query.read(connection, LOOKED_AT_MAX + 1, people::read_account)
}

/// Waiting accounts that match `search` and have somebody who may be behind them.
pub(super) fn any(
    connection: &Connection,
    contract: ContractId,
    search: &str,
    today: Date,
    limit: usize,
) -> Work<SuggestedAccounts> {
    let mut waiting = waiting(connection, contract, search)?;
    let mut found = SuggestedAccounts { more: waiting.len() > LOOKED_AT_MAX, ..SuggestedAccounts::default() };
    waiting.truncate(LOOKED_AT_MAX);
    for account in waiting {
        if found.rows.len() >= limit {
            found.more = true;
            break;
        }
        found.looked_at += 1;
        let all = of_account(connection, contract, &account, &Reason::ALL, today)?;
        if !all.is_empty() {
            found.rows.push((lists::account_row(connection, contract, account)?, all));
        }
    }
    Ok(found)
}

/// Waiting accounts for which `reason` suggests the surest one: as the list has them, which shows the surest of each.
pub(super) fn all(
    connection: &Connection,
    contract: ContractId,
    reason: Reason,
    today: Date,
    limit: usize,
) -> Work<Vec<(Account, Employee)>> {
    let mut waiting = waiting(connection, contract, "")?;
    waiting.truncate(LOOKED_AT_MAX);
    let reasons: Vec<Reason> = Reason::ALL.into_iter().filter(|one| *one <= reason).collect();
    let mut found = Vec::new();
    for account in waiting {
        if found.len() >= limit {
            break;
        }
        let all = of_account(connection, contract, &account, &reasons, today)?;
        let surest = all.into_iter().next().filter(|best| best.sure && best.reason == reason);
        if let Some(surest) = surest {
            found.push((people::with_links(connection, &contract.into(), account)?, surest.employee));
        }
    }
    Ok(found)
}

/// Whether somebody has not left before the account's first waiting punch.
fn is_there(employee: &Employee, since: Date) -> bool {
    employee.data.active_to.is_none_or(|to| since <= to)
}

/// Whether a new link can give somebody that punch: nobody is linked on its date, or somebody else who has left before it.
fn is_free_for(employee: &Employee, since: Date, links: &[LinkInFull]) -> bool {
    let on_it = |full: &&LinkInFull| full.link.from <= since && full.link.to.is_none_or(|to| since <= to);
    let over =
        |full: &LinkInFull| full.employed_to.is_some_and(|left| left < since && full.link.from <= left);
    links.iter().find(on_it).is_none_or(|full| full.link.employee != employee.id && over(full))
}

/// Everybody who fits `reason`, each once, by code; nobody where they are too many to choose from.
fn fitting(
    connection: &Connection,
    contract: ContractId,
    account: &Account,
    reason: Reason,
) -> Work<Fitting> {
    let mut well = true;
    let mut found = match reason {
        Reason::Directory => directory::behind(connection, contract, account)?,
        Reason::Code => by_code(connection, contract, account)?,
        Reason::Earlier => by_earlier_link(connection, contract, account, &account.name)?,
        Reason::Renamed => by_former_name(connection, contract, account)?,
        Reason::CodeWithin => by_code_within(connection, contract, account)?,
        Reason::Reading => read(account, &mut well, |names| by_reading(connection, contract, names))?,
        Reason::Initial => read(account, &mut well, |names| by_initial(connection, contract, names))?,
    };
    found.sort_by(|one, other| one.data.code.cmp(&other.data.code));
    found.dedup_by(|one, other| one.id == other.id);
    if found.len() > CANDIDATES_MAX {
        found.clear();
    }
    Ok(Fitting { employees: found, well })
}

/// A name and the part of a UPN before the `@`.
fn names_of(name: &str, upn: Option<&str>) -> Vec<String> {
    let local = upn.and_then(|upn| upn.split_once('@')).map(|(local, _)| local);
    let mut names: Vec<String> = [Some(name), local].into_iter().flatten().map(str::to_owned).collect();
    names.retain(|name| !name.is_empty());
    names.dedup();
    names
}

fn own_names(account: &Account) -> Vec<String> {
    names_of(&account.name, account.upn.as_deref())
}

/// Those whom the account's names read like; else, and no more `well`, those whom these read like without the digits at
/// their end.
fn read(
    account: &Account,
    well: &mut bool,
    look: impl Fn(&[String]) -> Work<Vec<Employee>>,
) -> Work<Vec<Employee>> {
    let names = own_names(account);
    let found = look(&names)?;
    *well = !found.is_empty();
    if *well {
        return Ok(found);
    }
    let plain: Vec<String> = names.iter().filter_map(|name| unnumbered(name)).map(str::to_owned).collect();
    look(&plain)
}

fn by_code(connection: &Connection, contract: ContractId, account: &Account) -> Work<Vec<Employee>> {
    of_codes(connection, contract, &own_names(account))
}

fn of_codes(connection: &Connection, contract: ContractId, codes: &[String]) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} INDEXED BY employees_by_code WHERE contract_id = ?1 AND code = ?2 COLLATE NOCASE LIMIT {FITTING_MAX}",
        people::EMPLOYEE
    );
    let mut all = Vec::new();
    for code in codes {
        all.extend(rows::all(connection, &sql, params![contract.0, code], people::read_employee)?);
    }
    Ok(all)
}

/// The same SID under another name: people marry, and domains are renamed.
fn by_former_name(connection: &Connection, contract: ContractId, account: &Account) -> Work<Vec<Employee>> {
    let now = own_names(account);
    let mut all = Vec::new();
    let known = people::names(connection, contract, account.id)?;
    for former in known.iter().rev().take(FORMER_NAMES_MAX) {
        let mut names = names_of(&former.name, former.upn.as_deref());
        names.retain(|name| now.iter().all(|now| !now.eq_ignore_ascii_case(name)));
        all.extend(of_codes(connection, contract, &names)?);
        for name in &names {
            all.extend(by_earlier_link(connection, contract, account, name)?);
        }
    }
    Ok(all)
}

fn by_code_within(connection: &Connection, contract: ContractId, account: &Account) -> Work<Vec<Employee>> {
    let mut all = Vec::new();
    for name in own_names(account) {
        all.extend(of_codes(connection, contract, &codes_within(&name))?);
    }
    Ok(all)
}

/// Parts of a name that may be a code: runs of its parts (`0341` and `e-0341` of `e-0341.yamada`) and of its digits
/// (`0341` of `yamada0341`), with at least three digits each, so that `pc2` names nobody.
fn codes_within(name: &str) -> Vec<String> {
    let is_end = |c: char| matches!(c, '.' | '_' | '-' | ' ');
    let ends: Vec<usize> = name.match_indices(is_end).map(|(at, _)| at).take(PARTS_MAX - 1).collect();
    let starts: Vec<usize> = std::iter::once(0).chain(ends.iter().map(|at| at + 1)).collect();
    let ends: Vec<usize> = ends.into_iter().chain([name.len()]).collect();
    let runs = starts.iter().flat_map(|from| ends.iter().filter_map(|to| name.get(*from..*to)));
    let digits = name.split(|c: char| !c.is_ascii_digit());
    let digits = digits.filter(|run| !run.is_empty()).take(PARTS_MAX);
    let mut all: Vec<String> = runs.chain(digits).map(str::to_owned).collect();
    all.retain(|part| part != name && part.chars().filter(char::is_ascii_digit).count() >= 3);
    all.sort();
    all.dedup();
    all
}

/// The accounts of the name come first, whatever the planner thinks (`CROSS JOIN`): they are few, links are many.
fn by_earlier_link(
    connection: &Connection,
    contract: ContractId,
    account: &Account,
    name: &str,
) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} WHERE contract_id = ?1 AND id IN (SELECT l.employee_id FROM accounts o INDEXED BY accounts_by_name
         CROSS JOIN account_links l INDEXED BY account_links_now
         ON l.contract_id = o.contract_id AND l.account_id = o.id AND l.void = 0
         WHERE o.contract_id = ?1 AND o.name = ?2 COLLATE NOCASE AND o.id <> ?3) LIMIT {FITTING_MAX}",
        people::EMPLOYEE
    );
    let own = account.id.0.as_bytes();
    rows::all(connection, &sql, params![contract.0, name, own], people::read_employee)
}

fn by_reading(connection: &Connection, contract: ContractId, names: &[String]) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} INDEXED BY employees_by_reading WHERE contract_id = ?1 AND {KANA} = ?2 LIMIT {FITTING_MAX}",
        people::EMPLOYEE
    );
    let (mut all, half) = (Vec::new(), keeps_half_width(connection, contract)?);
    for name in names {
        for reading in readings(name).into_iter().flat_map(|reading| in_each_width(reading, half)) {
            all.extend(rows::all(connection, &sql, params![contract.0, reading], people::read_employee)?);
        }
    }
    Ok(all)
}

/// Whether any reading is kept in half-width letters, as files from old systems have them: few contracts have one, and each
/// account is looked for by dozens of readings.
fn keeps_half_width(connection: &Connection, contract: ContractId) -> Work<bool> {
    let sql = format!(
        "SELECT 1 FROM employees INDEXED BY employees_by_reading
         WHERE contract_id = ?1 AND {KANA} >= 'ｦ' AND {KANA} < 'ﾠ' LIMIT 1"
    );
    Ok(rows::one(connection, &sql, [contract.0], |row| row.get::<_, i64>(0).map_err(Into::into))?.is_some())
}

/// A reading as it may be kept.
fn in_each_width(reading: String, half: bool) -> impl Iterator<Item = String> {
    let in_half = half.then(|| half_width(&reading));
    std::iter::once(reading).chain(in_half)
}

/// A フリガナ without spaces and long vowels: to the letter what the index `employees_by_reading` is of.
pub(super) const KANA: &str = "replace(replace(replace(kana, ' ', ''), '　', ''), 'ー', '')";

/// Family names are found along the index of readings, whose rows begin with them.
fn by_initial(connection: &Connection, contract: ContractId, names: &[String]) -> Work<Vec<Employee>> {
    let sql = format!(
        "{} INDEXED BY employees_by_reading WHERE contract_id = ?1 AND {KANA} >= ?2 AND {KANA} < ?3 LIMIT ?4",
        people::EMPLOYEE
    );
    let (mut all, half) = (Vec::new(), keeps_half_width(connection, contract)?);
    for name in names {
        for (family, letter) in initials(name) {
            let limit = rows::column(FAMILY_MAX as u64 + 1);
            for begin in in_each_width(family.clone(), half) {
                let values = params![contract.0, begin, format!("{begin}\u{10ffff}"), limit];
                let found = rows::all(connection, &sql, values, people::read_employee)?;
                if found.len() > FAMILY_MAX {
                    return Ok(Vec::new());
                }
                all.extend(found.into_iter().filter(|employee| fits(employee, &family, letter)));
            }
        }
    }
    Ok(all)
}

/// Whether an employee's フリガナ is this family name and a given name that begins with this letter. Where both are
/// written together, the family name may be any beginning.
fn fits(employee: &Employee, family: &str, letter: char) -> bool {
    let kana = reading(employee.data.kana.as_deref().unwrap_or_default()).replace('ー', "");
    let parts: Vec<&str> = kana.split_whitespace().collect();
    match parts.as_slice() {
        [whole] => whole.strip_prefix(family).is_some_and(|given| begins_with(given, letter)),
        [first, given, ..] => *first == family && begins_with(given, letter),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_name_that_may_be_a_code() {
        let of = codes_within;
        assert_eq!(of("e-0341.yamada"), ["0341", "0341.yamada", "e-0341"]);
        assert_eq!(of("yamada0341"), ["0341"]);
        assert_eq!(of("E0341"), ["0341"], "the whole name is another reason's");
        for name in ["pc2", "yamada", "", "12", "a.b.c"] {
            assert!(of(name).is_empty(), "{name}");
        }
        assert!(of(&"1234.".repeat(100)).len() <= PARTS_MAX * PARTS_MAX + 1, "bounded");
    }
}
