//! What becomes of the lines of a file of employees.

use std::collections::{BTreeMap, HashMap};

use crate::sql::{Connection, params};
use jiff::civil::Date;
use serde::Serialize;

use super::department_texts::Tree;
use super::directory::Holders;
use super::importing::{Plan, check_size};
use super::{Work, links, people, rows};
use crate::date::begins;
use crate::ports::{
    DepartmentProblem, EMPLOYEE_LINES_MAX, Employee, EmployeeChange, EmployeeColumns, LineFate, LineProblem,
    NewEmployee, Rejudging,
};
use crate::{ContractId, DepartmentId, EmployeeId};

/// An employee to be made, or to be replaced.
pub(super) struct Write {
    /// Who it is, and what is known of them; absent when they are made.
    pub(super) known: Option<(EmployeeId, NewEmployee)>,
    /// What is written.
    pub(super) data: NewEmployee,
    /// Which department that is.
    pub(super) department: Option<DepartmentId>,
}

/// The employees with these codes, by code.
pub(super) fn by_code<'a>(
    connection: &Connection,
    contract: ContractId,
    codes: impl Iterator<Item = &'a str>,
) -> Work<HashMap<String, Employee>> {
    let sql = "SELECT e.id, e.code, e.name, e.kana, e.department, e.active_from, e.active_to, e.department_id, e.upn, e.sid
         FROM (SELECT DISTINCT value AS code FROM json_each(?2)) asked
         CROSS JOIN employees e ON e.contract_id = ?1 AND e.code = asked.code";
    let found =
        rows::all(connection, sql, params![contract.0, rows::json_list(codes)], people::read_employee)?;
    Ok(found.into_iter().map(|found| (found.data.code.clone(), found)).collect())
}

/// What becomes of each line.
pub(super) fn plan(
    connection: &Connection,
    contract: ContractId,
    lines: &[NewEmployee],
    columns: EmployeeColumns,
    tree: &mut Tree,
) -> Work<Vec<Plan<Write>>> {
    check_size(lines.len(), EMPLOYEE_LINES_MAX)?;
    let mut known = by_code(connection, contract, lines.iter().map(|line| line.code.as_str()))?;
    let mut holders = Holders::read(connection, contract, lines.iter().map(|line| &line.directory))?;
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(lines.len());
    let mut plans = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        let earlier = *seen.entry(line.code.as_str()).or_insert(place);
        plans.push(if earlier == place {
            plan_line(line, known.remove(&line.code), columns, tree, &mut holders)
        } else if lines[earlier] == *line {
            Plan::unchanged()
        } else {
            Plan::wrong(LineProblem::Contradicts(earlier))
        });
    }
    Ok(plans)
}

fn plan_line(
    line: &NewEmployee,
    known: Option<Employee>,
    columns: EmployeeColumns,
    tree: &mut Tree,
    holders: &mut Holders,
) -> Plan<Write> {
    let data = match &known {
        Some(known) => columns.filled(line, &known.data),
        None => line.clone(),
    };
    if data.active_from.zip(data.active_to).is_some_and(|(from, to)| to < from) {
        return Plan::wrong(LineProblem::EmploymentReversed);
    }
    if let Some((field, code)) = holders.other(&data.directory, &line.code) {
        return Plan::wrong(LineProblem::Held(field, code));
    }
    let now = known.as_ref().map(|known| (known.data.department.as_deref(), known.department));
    let (data, department) = match tree.placed(&data, now) {
        Ok(placed) => placed,
        Err(problem) => {
            let lacking = matches!(problem, DepartmentProblem::Unknown(_));
            let text = data.department.clone().unwrap_or_default();
            let known = known.map(|known| (known.id, known.data));
            let held = lacking.then_some(Write { known, data, department: None });
            return Plan { held, ..Plan::wrong(LineProblem::Department(text, problem)) };
        }
    };
    let fate = match &known {
        None => LineFate::New,
        Some(known) if known.data == data && known.department == department => return Plan::unchanged(),
        Some(known) => {
            LineFate::Changed(Box::new(EmployeeChange { before: known.data.clone(), after: data.clone() }))
        }
    };
    let known = known.map(|known| (known.id, known.data));
    holders.take(known.as_ref().map(|(_, before)| &before.directory), &data.directory, &line.code);
    Plan { fate, write: Some(Write { known, data, department }), held: None }
}

/// Whoever is added, as they will be stored, by the place of their line.
pub(super) fn made(plans: &[Plan<Write>]) -> BTreeMap<usize, NewEmployee> {
    let new = |plan: &Plan<Write>| {
        let write = plan.write.as_ref().filter(|write| write.known.is_none())?;
        Some(write.data.clone())
    };
    plans.iter().enumerate().filter_map(|(place, plan)| Some((place, new(plan)?))).collect()
}

/// Codes that are there already but for the case of their ASCII letters: whoever is added under such a code may be there.
pub(super) fn alike(
    connection: &Connection,
    contract: ContractId,
    made: &BTreeMap<usize, NewEmployee>,
) -> Work<BTreeMap<usize, String>> {
    if made.is_empty() {
        return Ok(BTreeMap::new());
    }
    let lower: Vec<String> = made.values().map(|new| new.code.to_ascii_lowercase()).collect();
    let sql = "SELECT e.code FROM (SELECT DISTINCT value AS code FROM json_each(?2)) asked
         CROSS JOIN employees e INDEXED BY employees_by_code ON e.contract_id = ?1
            AND e.code = asked.code COLLATE NOCASE";
    let codes = rows::json_list(lower.iter().map(String::as_str));
    let found: Vec<String> = rows::all(connection, sql, params![contract.0, codes], |row| Ok(row.get(0)?))?;
    let known: HashMap<String, String> =
        found.into_iter().map(|code| (code.to_ascii_lowercase(), code)).collect();
    let places = made.keys().zip(&lower);
    Ok(places.filter_map(|(place, lower)| Some((*place, known.get(lower)?.clone()))).collect())
}

/// Dates of employment, both inclusive.
type Dates = (Date, Date);

fn employed(data: &NewEmployee) -> Dates {
    (data.active_from.unwrap_or(Date::MIN), data.active_to.unwrap_or(Date::MAX))
}

/// The dates of `one` that are none of `other`: those before it and those after it.
fn beyond(one: Dates, other: Dates) -> impl Iterator<Item = Dates> {
    let before = other.0.yesterday().ok().map(|last| (one.0, one.1.min(last)));
    let after = other.1.tomorrow().ok().map(|first| (one.0.max(first), one.1));
    [before, after].into_iter().flatten().filter(|(from, to)| from <= to)
}

/// Dates of an employee, as a statement reads them.
#[derive(Serialize)]
struct Range {
    code: String,
    from: String,
    to: String,
    /// When the first date begins, in milliseconds.
    since: i64,
    /// When the last date ends.
    until: i64,
}

/// What `writes` change in stored punches: on dates that an employee is employed on no more, the accepted ones of
/// their accounts become errors; on new ones, those that wait are accepted.
pub(super) fn rejudging(connection: &Connection, contract: ContractId, writes: &[&Write]) -> Work<Rejudging> {
    let (mut lost, mut gained) = (Vec::new(), Vec::new());
    for write in writes {
        let Some((_, known)) = &write.known else { continue };
        let (before, after) = (employed(known), employed(&write.data));
        let ranged = |(from, to): Dates| Range {
            code: write.data.code.clone(),
            from: from.max(links::first_date()).to_string(),
            to: to.min(links::last_date()).to_string(),
            since: begins(from).0,
            until: to.tomorrow().map_or(i64::MAX, |next| begins(next).0),
        };
        lost.extend(beyond(before, after).map(ranged));
        gained.extend(beyond(after, before).map(ranged));
    }
    Ok(Rejudging {
        errors: count(connection, contract, LOST, &lost)?,
        cured: count(connection, contract, GAINED, &gained)?,
    })
}

const LOST: &str = "JOIN punches p INDEXED BY punches_by_account ON p.contract_id = l.contract_id
        AND p.account_id = l.account_id AND p.occurred_at >= asked.since AND p.occurred_at < asked.until
     WHERE p.employee_id = e.id AND p.res IS NULL";
const GAINED: &str = "JOIN punches p INDEXED BY punches_waiting ON p.contract_id = l.contract_id
        AND p.account_id = l.account_id AND p.res = 7 AND p.local_date >= asked.first AND p.local_date <= asked.last
     WHERE TRUE";

/// Punches of the employees' accounts in these ranges, on dates on which the account is theirs.
fn count(connection: &Connection, contract: ContractId, punches: &str, ranges: &[Range]) -> Work<u64> {
    if ranges.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "SELECT count(*) FROM (SELECT json_extract(value, '$.code') AS code, json_extract(value, '$.from') AS first,
            json_extract(value, '$.to') AS last, CAST(json_extract(value, '$.since') AS BIGINT) AS since,
            CAST(json_extract(value, '$.until') AS BIGINT) AS until FROM json_each(?2)) asked
         CROSS JOIN employees e ON e.contract_id = ?1 AND e.code = asked.code
         CROSS JOIN account_links l INDEXED BY account_links_of_employee ON l.contract_id = e.contract_id
            AND l.employee_id = e.id AND l.void = 0
         CROSS {punches} AND p.local_date >= l.from_date AND (l.to_date IS NULL OR p.local_date <= l.to_date)"
    );
    let ranges = rows::json(ranges)?;
    let found = rows::one(connection, &sql, params![contract.0, ranges], |row| rows::number(row, 0))?;
    Ok(found.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn dates_beyond_others_are_those_before_and_after() {
        let (april, may, june) = (date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1));
        let all = |one, other| beyond(one, other).collect::<Vec<_>>();
        let always = (Date::MIN, Date::MAX);
        assert_eq!(
            all(always, (april, may)),
            [(Date::MIN, date(2026, 3, 31)), (date(2026, 5, 2), Date::MAX)]
        );
        assert_eq!(all((april, may), always), []);
        assert_eq!(all((april, may), (may, june)), [(april, date(2026, 4, 30))]);
        assert_eq!(all((april, april), (june, june)), [(april, april)], "nothing in common");
        assert_eq!(all((april, may), (april, may)), []);
    }
}
