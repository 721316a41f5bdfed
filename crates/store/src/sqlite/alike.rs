//! Employees by what a person types: a code, a name, or both ([`find`]); or the beginning of a name, of its reading or of
//! a code, spaces left out ([`employees`]).
//!
//! Each beginning is a stretch of an index; the three are put together by their ids, so that nobody is found twice and
//! the work is bounded by what fits, not by how many people a contract has.

use super::lists::Query;
use super::suggesting::KANA;
use super::{Work, people, rows};
use crate::ports::{Employee, Scope};
use crate::sql::{Connection, Value, params_from_iter};
use crate::typed::{forms, half_width, narrow, reading};

/// People of one beginning that are counted.
const COUNTED_MAX: u64 = 1_000;

/// A name without spaces: to the letter what the index `employees_by_name` is of.
const NAME: &str = "replace(replace(name, ' ', ''), '　', '')";

/// What a stretch begins with, of which index and expression.
type Stretch = (&'static str, &'static str, String);

/// Those whose name, reading or code begins with `typed`: at most `limit` by code, and how many there are.
pub(super) fn employees(
    connection: &Connection,
    within: &Scope,
    typed: &str,
    limit: usize,
) -> Work<(Vec<Employee>, u64)> {
    let stretches = stretches(typed);
    if stretches.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let query = |begin: &str| {
        let mut query = Query::new(within, format!("{begin} WHERE contract_id = ?1"));
        query.and(&format!("id IN ({})", union(&stretches)), values(&stretches));
        query.within(within, "id");
        query
    };
    let mut found = query(people::EMPLOYEE);
    found.sql.push_str(" ORDER BY code");
    let found = found.read(connection, limit, people::read_employee)?;
    let count = query("SELECT count(*) FROM employees");
    let all = rows::one(connection, &count.sql, params_from_iter(count.values), |row| rows::number(row, 0))?;
    Ok((found, all.unwrap_or_default()))
}

/// The exact code wins over its spelling in capitals, that over a name.
pub(super) fn find(connection: &Connection, within: &Scope, typed: &str) -> Work<Vec<Employee>> {
    let first = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let (index, by_name) = ("INDEXED BY employees_by_name", format!("{NAME} = ?"));
    let mut tries = vec![
        ("", "code = ?", typed.to_owned()),
        ("", "code = ?", first(typed)),
        ("INDEXED BY employees_by_code", "code = ? COLLATE NOCASE", first(&narrow(typed))),
        (index, &by_name, squeezed(typed)),
        (index, &by_name, squeezed(&narrow(typed))),
    ];
    tries.extend(names(typed).into_iter().map(|name| (index, by_name.as_str(), name)));
    for (index, condition, value) in tries.into_iter().filter(|(_, _, value)| !value.is_empty()) {
        let mut query = Query::new(within, format!("{} {index} WHERE contract_id = ?1", people::EMPLOYEE));
        query.and(condition, [Value::Text(value)]);
        query.within(within, "id");
        query.limit(2);
        let found = rows::all(connection, &query.sql, params_from_iter(query.values), people::read_employee)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A name in each form in which it may be kept, as the index `employees_by_name` has it.
fn names(typed: &str) -> Vec<String> {
    forms(typed).iter().map(|form| squeezed(form)).collect()
}

/// Where to look: codes in the case in which they were typed and in either.
fn stretches(typed: &str) -> Vec<Stretch> {
    let code = narrow(typed).trim().to_owned();
    let reading = reading(&squeezed(typed));
    let mut all = vec![
        ("employees_by_reading", KANA, half_width(&reading)),
        ("employees_by_reading", KANA, reading.replace('ー', "")),
        ("", "code", code.to_uppercase()),
        ("", "code", code.to_lowercase()),
        ("", "code", code),
    ];
    all.extend(names(typed).into_iter().map(|name| ("employees_by_name", NAME, name)));
    all.retain(|(_, _, begin)| !begin.is_empty());
    all.sort();
    all.dedup();
    all
}

fn union(stretches: &[Stretch]) -> String {
    let part = |(place, (index, expression, _)): (usize, &Stretch)| {
        let index = if index.is_empty() { String::new() } else { format!("INDEXED BY {index}") };
        format!(
            "SELECT id FROM (SELECT id FROM employees {index} WHERE contract_id = ?1
             AND {expression} >= ? AND {expression} < ? LIMIT {COUNTED_MAX}) part{place}"
        )
    };
    stretches.iter().enumerate().map(part).collect::<Vec<_>>().join(" UNION ")
}

fn values(stretches: &[Stretch]) -> Vec<Value> {
    let ends = |(_, _, begin): &Stretch| [begin.clone(), format!("{begin}\u{10ffff}")].map(Value::Text);
    stretches.iter().flat_map(ends).collect()
}
