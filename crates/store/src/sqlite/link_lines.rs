//! What becomes of the lines of a file of links.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::sql::{Connection, Params, params};
use jiff::civil::Date;
use serde::Serialize;

use super::importing::{Plan, check_size};
use super::{Work, employee_lines, links, rows};
use crate::giving_way::{self, Rest};
use crate::judge::LinkSpan;
use crate::ports::{
    Employee, EmployeeChoice, LINK_LINES_MAX, LineFate, LineProblem, LinkLine, LinkRequest, LinkSubject,
    Rejudging,
};
use crate::typed::narrow;
use crate::{AccountId, ContractId, EmployeeId};

/// A link to be made, with what the look at it needs.
pub(super) struct Wanted {
    pub(super) request: LinkRequest,
    /// The account's key.
    key: String,
    /// First and last date of employment.
    employed: (Option<Date>, Option<Date>),
}

/// An account that a line may mean.
struct Found {
    id: AccountId,
    key: String,
    domain: String,
    name: String,
}

/// Accounts by what a line may call them, without regard to the case of ASCII letters where names have none.
#[derive(Default)]
struct Accounts {
    found: BTreeMap<AccountId, Found>,
    by_key: HashMap<String, AccountId>,
    by_name: HashMap<String, Vec<AccountId>>,
    by_upn: HashMap<String, Vec<AccountId>>,
}

/// A link that is there, or that an earlier line asks for.
#[derive(Clone)]
struct Spot {
    employee: EmployeeId,
    from: Date,
    to: Option<Date>,
    origin: Origin,
}

#[derive(Clone)]
enum Origin {
    /// Of an employee.
    Stored {
        code: String,
        /// Their first and last date.
        employed: (Option<Date>, Option<Date>),
    },
    /// The line at this place.
    Line(usize),
}

impl Spot {
    fn is(&self, employee: EmployeeId, line: &LinkLine) -> bool {
        (self.employee, self.from, self.to) == (employee, line.from, line.to)
    }

    fn overlaps(&self, line: &LinkLine) -> bool {
        giving_way::overlaps((self.from, self.to), (line.from, line.to))
    }

    /// Whose link this is, and what stays of it when `employee` has the account as the line says; nothing where somebody is to
    /// lose something by that.
    fn gives_way(&self, employee: EmployeeId, line: &LinkLine) -> Option<(String, Rest)> {
        let Origin::Stored { code, employed: (employed_from, employed_to) } = self.origin.clone() else {
            return None;
        };
        let span =
            LinkSpan { employee: self.employee, from: self.from, to: self.to, employed_from, employed_to };
        let rest = giving_way::rest(&span, (line.from, line.to)).filter(|_| self.employee != employee)?;
        Some((code, rest))
    }

    /// What stays of it.
    fn left(&self, rest: Rest) -> impl Iterator<Item = Self> + use<> {
        let before = rest.last.map(|last| Self { to: Some(last), ..self.clone() });
        let after = rest.first.map(|first| Self { from: first, ..self.clone() });
        before.into_iter().chain(after)
    }
}

/// What the line calls its account: its key, else domain and name, else its UPN; narrow.
fn asked(line: &LinkLine) -> Option<String> {
    let name = match (line.domain.as_str(), line.user.as_str()) {
        (_, "") => String::new(),
        ("", user) => user.to_owned(),
        (domain, user) => format!("{domain}\\{user}"),
    };
    [&line.key, &name, &line.upn].into_iter().find(|text| !text.is_empty()).map(|text| narrow(text))
}

/// What becomes of each line, and whom it means.
pub(super) fn plan(
    connection: &Connection,
    contract: ContractId,
    lines: &[LinkLine],
) -> Work<(Vec<Plan<Wanted>>, Vec<LinkSubject>)> {
    check_size(lines.len(), LINK_LINES_MAX)?;
    let accounts = Accounts::read(connection, contract, lines)?;
    let meant: Vec<_> = lines.iter().map(|line| accounts.of_line(line)).collect();
    let keys = meant.iter().filter_map(|meant| meant.as_ref().ok()).map(|found| found.key.as_str());
    let mut spots = stored_links(connection, contract, keys)?;
    let employees =
        employee_lines::by_code(connection, contract, lines.iter().map(|line| line.employee.as_str()))?;
    let subject = |(line, account): (&LinkLine, &Result<&Found, LineProblem>)| LinkSubject {
        account: account.as_ref().ok().map(|found| format!("{}\\{}", found.domain, found.name)),
        employee: employees.get(&line.employee).map(|found| found.data.name.clone()),
    };
    let subjects = lines.iter().zip(&meant).map(subject).collect();
    let planned = lines.iter().zip(meant).enumerate().map(|(place, (line, account))| {
        if line.to.is_some_and(|to| to < line.from) {
            return Plan::wrong(LineProblem::DatesReversed);
        }
        match (account, employees.get(&line.employee)) {
            (Err(problem), _) => Plan::wrong(problem),
            (Ok(_), None) => Plan::wrong(LineProblem::NoEmployee(line.employee.clone())),
            (Ok(account), Some(employee)) => {
                plan_line(place, line, account, employee, spots.entry(account.id).or_default())
            }
        }
    });
    Ok((planned.collect(), subjects))
}

fn plan_line(
    place: usize,
    line: &LinkLine,
    account: &Found,
    Employee { id: employee, data, .. }: &Employee,
    spots: &mut Vec<Spot>,
) -> Plan<Wanted> {
    if spots.iter().any(|spot| spot.is(*employee, line)) {
        return Plan::unchanged();
    }
    let mut fate = LineFate::New;
    let in_the_way: Vec<usize> = (0..spots.len()).filter(|at| spots[*at].overlaps(line)).collect();
    if let Some(first) = in_the_way.first() {
        let spot = &spots[*first];
        let gives = spot.gives_way(*employee, line).filter(|_| in_the_way.len() == 1);
        let Some((code, rest)) = gives else {
            return Plan::wrong(match &spot.origin {
                Origin::Stored { code, .. } => LineProblem::Overlaps(code.clone()),
                Origin::Line(line) => LineProblem::Contradicts(*line),
            });
        };
        let left = spot.left(rest);
        spots.splice(*first..=*first, left);
        fate = LineFate::HandedOver { code, rest };
    }
    spots.push(Spot { employee: *employee, from: line.from, to: line.to, origin: Origin::Line(place) });
    let choice = EmployeeChoice::Existing(*employee);
    let request = LinkRequest { account: account.id, employee: choice, from: line.from, to: line.to };
    let employed = (data.active_from, data.active_to);
    let wanted = Wanted { request, key: account.key.clone(), employed };
    Plan { fate, write: Some(wanted), held: None }
}

const COLUMNS: &str = "SELECT a.id, a.key, a.domain, a.name, a.upn";

impl Accounts {
    fn read(connection: &Connection, contract: ContractId, lines: &[LinkLine]) -> Work<Self> {
        let asked: BTreeSet<String> = lines.iter().filter_map(asked).collect();
        let names: BTreeSet<&str> =
            asked.iter().map(|text| text.split_once('\\').map_or(text.as_str(), |(_, name)| name)).collect();
        let mut all = Self::default();
        let by_key = format!(
            "{COLUMNS} FROM (SELECT DISTINCT value AS typed FROM json_each(?2)) asked
             CROSS JOIN accounts a ON a.contract_id = ?1 AND a.key = asked.typed"
        );
        all.take(
            connection,
            &by_key,
            params![contract.0, rows::json_list(asked.iter().map(String::as_str))],
        )?;
        let by_name = format!(
            "{COLUMNS} FROM (SELECT DISTINCT value AS typed FROM json_each(?2)) asked
             CROSS JOIN accounts a INDEXED BY accounts_by_name ON a.contract_id = ?1
                AND a.name = asked.typed COLLATE NOCASE"
        );
        all.take(connection, &by_name, params![contract.0, rows::json_list(names.iter().copied())])?;
        let by_upn = format!(
            "{COLUMNS} FROM (SELECT DISTINCT value AS typed FROM json_each(?2)) asked
             CROSS JOIN accounts a INDEXED BY accounts_by_upn ON a.contract_id = ?1 AND a.upn IS NOT NULL
                AND a.upn = asked.typed COLLATE NOCASE"
        );
        let upns = asked.iter().map(String::as_str).filter(|text| !text.contains('\\'));
        all.take(connection, &by_upn, params![contract.0, rows::json_list(upns)])?;
        Ok(all)
    }

    fn take(&mut self, connection: &Connection, sql: &str, params: impl Params) -> Work<()> {
        let found = rows::all(connection, sql, params, |row| {
            let id = AccountId(rows::uuid(row, 0)?);
            let found = Found { id, key: row.get(1)?, domain: row.get(2)?, name: row.get(3)? };
            Ok((found, row.get::<_, Option<String>>(4)?))
        })?;
        for (account, upn) in found {
            let (id, name) = (account.id, account.name.to_ascii_lowercase());
            self.by_key.insert(account.key.clone(), id);
            if self.found.insert(id, account).is_none() {
                self.by_name.entry(name).or_default().push(id);
                if let Some(upn) = upn {
                    self.by_upn.entry(upn.to_ascii_lowercase()).or_default().push(id);
                }
            }
        }
        Ok(())
    }

    /// The one account that a line means: a key decides alone, then domain and name, then the UPN.
    fn of_line(&self, line: &LinkLine) -> Result<&Found, LineProblem> {
        let asked = asked(line).ok_or(LineProblem::NoAccount)?;
        let by_key = self.by_key.get(&asked).into_iter().copied().collect::<Vec<_>>();
        let fitting = if !by_key.is_empty() || !line.key.is_empty() {
            by_key
        } else {
            self.named(&asked.to_ascii_lowercase())
        };
        match fitting.as_slice() {
            [one] => self.found.get(one).ok_or(LineProblem::NoAccount),
            [] => Err(LineProblem::NoAccount),
            _ => Err(LineProblem::SeveralAccounts),
        }
    }

    fn named(&self, typed: &str) -> Vec<AccountId> {
        let of =
            |all: &HashMap<String, Vec<AccountId>>, text: &str| all.get(text).cloned().unwrap_or_default();
        let Some((domain, name)) = typed.split_once('\\') else {
            let by_name = of(&self.by_name, typed);
            return if by_name.is_empty() { of(&self.by_upn, typed) } else { by_name };
        };
        let mut all = of(&self.by_name, name);
        all.retain(|id| self.found.get(id).is_some_and(|found| found.domain.eq_ignore_ascii_case(domain)));
        all
    }
}

/// The links of these accounts that count.
fn stored_links<'a>(
    connection: &Connection,
    contract: ContractId,
    keys: impl Iterator<Item = &'a str>,
) -> Work<BTreeMap<AccountId, Vec<Spot>>> {
    let sql = "SELECT l.account_id, l.employee_id, l.from_date, l.to_date, e.code, e.active_from, e.active_to
         FROM (SELECT DISTINCT value AS key FROM json_each(?2)) asked
         CROSS JOIN accounts a ON a.contract_id = ?1 AND a.key = asked.key
         CROSS JOIN account_links l INDEXED BY account_links_now ON l.contract_id = a.contract_id
            AND l.account_id = a.id AND l.void = 0
         CROSS JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
         ORDER BY l.from_date, l.id";
    let found = rows::all(connection, sql, params![contract.0, rows::json_list(keys)], |row| {
        let spot = Spot {
            employee: EmployeeId(rows::uuid(row, 1)?),
            from: rows::date(&row.get::<_, String>(2)?)?,
            to: rows::date_or_none(row, 3)?,
            origin: Origin::Stored {
                code: row.get(4)?,
                employed: (rows::date_or_none(row, 5)?, rows::date_or_none(row, 6)?),
            },
        };
        Ok((AccountId(rows::uuid(row, 0)?), spot))
    })?;
    let mut all: BTreeMap<AccountId, Vec<Spot>> = BTreeMap::new();
    for (account, spot) in found {
        all.entry(account).or_default().push(spot);
    }
    Ok(all)
}

/// What the plans change in stored punches: those that wait on the links' dates are accepted, where the employee is
/// employed.
pub(super) fn rejudging(
    connection: &Connection,
    contract: ContractId,
    plans: &[Plan<Wanted>],
) -> Work<Rejudging> {
    let ranges: Vec<_> = plans.iter().filter_map(|plan| plan.write.as_ref()).filter_map(waiting).collect();
    let sql = "SELECT count(*) FROM (SELECT json_extract(value, '$.key') AS key,
            json_extract(value, '$.from') AS first, json_extract(value, '$.to') AS last FROM json_each(?2)) asked
         CROSS JOIN accounts a ON a.contract_id = ?1 AND a.key = asked.key
         CROSS JOIN punches w INDEXED BY punches_waiting ON w.contract_id = a.contract_id
            AND w.account_id = a.id AND w.res = 7 AND w.local_date >= asked.first AND w.local_date <= asked.last";
    let ranges = rows::json(&ranges)?;
    let found = rows::one(connection, sql, params![contract.0, ranges], |row| rows::number(row, 0))?;
    Ok(Rejudging { errors: 0, cured: found.unwrap_or(0) })
}

/// Dates of an account, as a statement reads them.
#[derive(Serialize)]
struct Range<'a> {
    key: &'a str,
    from: String,
    to: String,
}

/// The dates on which waiting punches of a wanted link are accepted.
fn waiting(wanted: &Wanted) -> Option<Range<'_>> {
    let (employed_from, employed_to) = wanted.employed;
    let from = employed_from.map_or(wanted.request.from, |date| date.max(wanted.request.from));
    let to = wanted.request.to.into_iter().chain(employed_to).min();
    let to = to.unwrap_or_else(links::last_date);
    (from <= to).then(|| Range { key: &wanted.key, from: from.to_string(), to: to.to_string() })
}
