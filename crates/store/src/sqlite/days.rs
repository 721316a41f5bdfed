//! What a person's days are made of.
//!
//! Events are found by number, never by time: `events` has no index on times, since every event would have to be
//! written into it at a random place. The numbers come from the punches, which have one. A punch that the OS told of
//! at once was recorded when it happened; so all events before the last such punch before a time were recorded, and
//! happened, before that time. What was found out only later (an inferred logoff, what the OS's logs told) stands a
//! little behind the next start of the agent, or is a punch itself and found as such.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::Value;
use crate::sql::{Connection, Many, Params, Row, params, params_from_iter};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::{TerminalId, UtcMillis};

use super::told::Told;
use super::{SqliteStore, Work, day_summaries, people, retention, rows, scope, terminals};
use crate::ports::{
    Answer, DayEvent, Days, Employee, EventDetail, Page, PersonLink, PersonRecord, PersonSummary,
    PersonTerminal, Punched, Scope, Terminal,
};
use crate::{AccountId, ContractId, EmployeeId, date, local_date};

/// A PC that was used this long before or after the time asked for may still be, or already have been, the person's.
const USED_AROUND_MS: i64 = 31 * 86_400_000;

/// A session that began this long before is read from its logon on; of an older one only the logon itself is.
const LOOK_BACK_MS: i64 = 62 * 86_400_000;

/// Terminals of one person that are read: the ones used last.
const TERMINALS_MAX: usize = 20;

/// Events of one terminal that are read: a month of a PC has about a thousand.
const EVENTS_MAX: u64 = 20_000;

/// Events behind the next logon that may tell of the time before: what a start of the agent finds out, and the rest of a batch,
/// which has settings of the clock.
const TOLD_LATER: u64 = 128;

/// Punches before the time that may belong to a session that goes on.
const PUNCHES_BEFORE: u64 = 8;

const DAY_MS: i64 = 86_400_000;

/// How far the clocks of Tokyo are ahead; the same in the statements below.
const TOKYO_MS: i64 = 32_400_000;

const EMPLOYEE_OF_CODE: &str = "SELECT id FROM employees WHERE contract_id = ?1 AND code = ?2";
const EMPLOYED: &str = "SELECT active_from, active_to FROM employees WHERE contract_id = ?1 AND id = ?2";
const LINKS: &str = "SELECT a.id, a.key, l.from_date, l.to_date
    FROM account_links l INDEXED BY account_links_by_employee
    CROSS JOIN accounts a ON a.contract_id = l.contract_id AND a.id = l.account_id
    WHERE l.contract_id = ?1 AND l.employee_id = ?2 AND l.void = 0 ORDER BY l.from_date, l.id";
const USED: &str = "SELECT terminal_id, min(occurred_at), max(occurred_at)
    FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at >= ?3 AND occurred_at < ?4 GROUP BY terminal_id";
const USED_BEFORE: &str = "SELECT terminal_id, occurred_at FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at < ?3 ORDER BY occurred_at DESC LIMIT 1";
const USED_AFTER: &str = "SELECT terminal_id, occurred_at FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at >= ?3 ORDER BY occurred_at LIMIT 1";
const INSIDE: &str = "SELECT seq FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND terminal_id = ?3 AND occurred_at >= ?4 AND occurred_at < ?5";
const BEFORE: &str = "SELECT seq, kind = 'logon', stay, occurred_at, coalesce(not_after, occurred_at)
    FROM punches INDEXED BY punches_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND terminal_id = ?3 AND occurred_at < ?4
    ORDER BY occurred_at DESC, seq DESC LIMIT ?5";
const TOLD_BEFORE: &str = "SELECT seq FROM punches INDEXED BY punches_by_terminal
    WHERE contract_id = ?1 AND terminal_id = ?2 AND occurred_at < ?3 AND evidence IN ('notice', 'script')
    ORDER BY occurred_at DESC LIMIT 1";
const TOLD_AFTER: &str = "SELECT seq FROM punches INDEXED BY punches_by_terminal
    WHERE contract_id = ?1 AND terminal_id = ?2 AND occurred_at >= ?3 AND evidence IN ('notice', 'script')
    ORDER BY occurred_at LIMIT 1";
const EVENTS: &str = "SELECT seq, json, received_at, clock_offset_ms, resent FROM events
    WHERE contract_id = ?1 AND terminal_id = ?2 AND seq >= ?3 AND seq <= ?4 ORDER BY seq LIMIT ?5";
const EVENT: &str =
    "SELECT json, hash, coalesce(placed_at, occurred_at), received_at, resent, clock_offset_ms,
    CASE WHEN placed_at IS NOT NULL THEN occurred_at END FROM events
    WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3";

const LINKED: &str = "SELECT l.account_id, l.from_date, l.to_date, e.active_from, e.active_to
    FROM account_links l INDEXED BY account_links_of_employee
    CROSS JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id
    WHERE l.contract_id = ?1 AND l.employee_id = ?2 AND l.void = 0";
/// Days of Tokyo by their numbers, of the index alone: the rows themselves lie far apart. Only for a logoff that comes sooner
/// after midnight than ?5 the date that its punch keeps is looked up, too: it may end the night of the day before.
const PUNCHED: &str = "SELECT DISTINCT (o.occurred_at + 32400000) / 86400000,
    CASE WHEN o.kind = 'logoff' AND (o.occurred_at + 32400000) % 86400000 < ?5
    THEN (SELECT p.local_date FROM punches p WHERE p.contract_id = o.contract_id AND p.occurred_at = o.occurred_at
    AND p.terminal_id = o.terminal_id AND p.seq = o.seq) END
    FROM punches o INDEXED BY punches_by_account
    WHERE o.contract_id = ?1 AND o.account_id = ?2 AND o.occurred_at >= ?3 AND o.occurred_at < ?4";
const ERRORS: &str = "SELECT DISTINCT (occurred_at + 32400000) / 86400000,
    CASE WHEN kind = 'logoff' AND (occurred_at + 32400000) % 86400000 < ?5 THEN local_date END
    FROM punches INDEXED BY punches_errors_by_account WHERE contract_id = ?1 AND account_id = ?2
    AND occurred_at >= ?3 AND occurred_at < ?4 AND res IS NOT NULL";
const INFERRED: &str = "SELECT count(*) FROM punches INDEXED BY punches_inferred_by_account
    WHERE contract_id = ?1 AND account_id = ?2 AND occurred_at >= ?3 AND occurred_at < ?4
    AND evidence = 'inferred'";
const KEPT_DATE: &str = "SELECT local_date FROM punches
    WHERE contract_id = ?1 AND occurred_at = ?2 AND terminal_id = ?3 AND seq = ?4";
const LINKED_ON_DATE: &str = "SELECT l.employee_id FROM accounts a
    JOIN account_links l ON l.contract_id = a.contract_id AND l.account_id = a.id
    WHERE a.contract_id = ?1 AND a.key = ?2 AND l.void = 0
    AND l.from_date <= ? AND (l.to_date IS NULL OR l.to_date >= ?)";

#[async_trait]
impl Days for SqliteStore {
    async fn employee_by_code(&self, scope: Scope, code: String) -> Answer<Option<Employee>> {
        self.read("look up an employee", move |connection| {
            let mut values = vec![Value::Integer(scope.contract.0), Value::Text(code)];
            let mut sql = EMPLOYEE_OF_CODE.to_owned();
            narrow(&mut sql, &mut values, &scope, "id");
            let id = rows::one(connection, &sql, params_from_iter(values), |row| {
                Ok(EmployeeId(rows::uuid(row, 0)?))
            })?;
            id.map(|id| people::employee(connection, scope.contract, id)).transpose()
        })
        .await
    }

    async fn person_record(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        span: (UtcMillis, UtcMillis),
    ) -> Answer<PersonRecord> {
        self.read("read a person's days", move |connection| {
            Reading { connection, contract, from: span.0, to: span.1 }.record(employee)
        })
        .await
    }

    async fn punched(
        &self,
        contract: ContractId,
        employees: Vec<EmployeeId>,
        span: (UtcMillis, UtcMillis),
        boundary_minutes: u32,
    ) -> Answer<Vec<Punched>> {
        self.read("count people's punches", move |connection| {
            punched(connection, contract, &employees, span, boundary_minutes)
        })
        .await
    }

    async fn day_summaries(
        &self,
        scope: Scope,
        after: Option<String>,
        limit: usize,
        dates: (Date, Date),
    ) -> Answer<Page<PersonSummary, String>> {
        self.read("sum up people's days", move |connection| {
            connection.snapshot(|snapshot| day_summaries::page(snapshot, &scope, after, limit, dates))
        })
        .await
    }

    async fn event(&self, scope: Scope, terminal: TerminalId, sequence: u64) -> Answer<Option<EventDetail>> {
        self.read("look up an event", move |connection| {
            let Some(mut found) = event(connection, scope.contract, &terminal, sequence)? else {
                return Ok(None);
            };
            found.employee = whose(connection, &scope, &found)?;
            Ok(Some(found).filter(|found| scope.is_whole() || found.employee.is_some()))
        })
        .await
    }
}

/// Adds what the scope demands of the employee in `column`.
fn narrow(sql: &mut String, values: &mut Vec<Value>, scope: &Scope, column: &str) {
    if let Some((condition, value)) = scope::condition(scope, column) {
        sql.push_str(" AND ");
        sql.push_str(&condition);
        values.push(value);
    }
}

/// Who of the scope's people the event's account belonged to on its date. The PC's own events are of nobody.
fn whose(connection: &Connection, scope: &Scope, found: &EventDetail) -> Work<Option<EmployeeId>> {
    let Some(key) = Told::of(&found.json).account_key() else { return Ok(None) };
    let place = params![
        scope.contract.0,
        found.occurred_at.0,
        rows::terminal_bytes(&found.terminal.id)?,
        rows::column(found.sequence)
    ];
    // A punch keeps the date by which it is judged: that of the evening, where it ends a night.
    let kept = rows::one(connection, KEPT_DATE, place, |row| Ok(row.get::<_, String>(0)?))?;
    let date = kept.unwrap_or_else(|| local_date(found.occurred_at).to_string());
    let mut values = vec![
        Value::Integer(scope.contract.0),
        Value::Text(key),
        Value::Text(date.clone()),
        Value::Text(date),
    ];
    let mut sql = LINKED_ON_DATE.to_owned();
    narrow(&mut sql, &mut values, scope, "l.employee_id");
    rows::one(connection, &sql, params_from_iter(values), |row| Ok(EmployeeId(rows::uuid(row, 0)?)))
}

/// An account of the `usize`th person, with the time in which it was theirs.
pub(super) type Linked = (usize, [u8; 16], (UtcMillis, UtcMillis));

/// The accounts of these people within a time, cut to the dates of the links and of the employment, and the same cut to the
/// dates of the links alone: what is beyond the first is nobody's, beyond the second it may be somebody else's.
pub(super) fn linked(
    connection: &Connection,
    contract: ContractId,
    employees: &[EmployeeId],
    (from, until): (UtcMillis, UtcMillis),
) -> Work<[Vec<Linked>; 2]> {
    let asked = Many::default()
        .integers(employees.iter().map(|_| contract.0))
        .blobs(employees.iter().map(|employee| &employee.0.as_bytes()[..]));
    let (mut theirs, mut all) = (Vec::new(), Vec::new());
    rows::each(connection, LINKED, &asked, |whose, row| {
        let account = *rows::uuid(row, 0)?.as_bytes();
        let linked = (Some(rows::date(&row.get::<_, String>(1)?)?), rows::date_or_none(row, 2)?);
        let employed = (rows::date_or_none(row, 3)?, rows::date_or_none(row, 4)?);
        let of_link = cut((from, until), linked);
        all.push((whose, account, of_link));
        theirs.push((whose, account, cut(of_link, employed)));
        Ok(())
    })?;
    Ok([theirs, all])
}

/// What of a time lies from the first to the last date, both included; each open when absent.
fn cut(
    (from, until): (UtcMillis, UtcMillis),
    (first, last): (Option<Date>, Option<Date>),
) -> (UtcMillis, UtcMillis) {
    let after = last.and_then(|last| last.tomorrow().ok());
    (
        first.map(date::begins).map_or(from, |begins| begins.max(from)),
        after.map(date::begins).map_or(until, |ends| ends.min(until)),
    )
}

/// What the punches of each come to: of their accounts, while these were theirs. A night is of the date on which it began,
/// also where the link, the employment or the time asked for ends with that date.
pub(super) fn punched(
    connection: &Connection,
    contract: ContractId,
    employees: &[EmployeeId],
    span: (UtcMillis, UtcMillis),
    boundary_minutes: u32,
) -> Work<Vec<Punched>> {
    let night_ms = i64::from(boundary_minutes) * 60_000;
    let [theirs, whole] = linked(connection, contract, employees, span)?;
    let dates = |linked: &[Linked], sql: &str| -> Work<Vec<BTreeSet<Date>>> {
        let nights = |(whose, account, (from, until)): &Linked| {
            (*whose, *account, (*from, if from < until { until.plus(night_ms) } else { *until }))
        };
        let asked: Vec<Linked> = linked.iter().map(nights).collect();
        let asked = asked_of(contract, &asked).integers(linked.iter().map(|_| night_ms));
        let mut dates: Vec<BTreeSet<Date>> = employees.iter().map(|_| BTreeSet::new()).collect();
        rows::each(connection, sql, &asked, |link, row| {
            let date = counted_on(row)?;
            let of = linked.get(link).filter(|(.., span)| has_part_of(*span, date));
            if let Some(dates) = of.and_then(|(whose, ..)| dates.get_mut(*whose)) {
                dates.insert(date);
            }
            Ok(())
        })?;
        Ok(dates)
    };
    let (punched, errors, all) = (dates(&theirs, PUNCHED)?, dates(&theirs, ERRORS)?, dates(&whole, ERRORS)?);
    let counted = punched.iter().zip(&errors).zip(&all).map(|((punched, errors), all)| Punched {
        dates: punched.len(),
        error_dates: errors.len(),
        outside_dates: all.difference(errors).count(),
        inferred: 0,
    });
    let mut found: Vec<Punched> = counted.collect();
    rows::each(connection, INFERRED, &asked_of(contract, &theirs), |link, row| {
        if let Some(found) = theirs.get(link).and_then(|(whose, ..)| found.get_mut(*whose)) {
            found.inferred += rows::number(row, 0)?;
        }
        Ok(())
    })?;
    Ok(found)
}

/// The date on which a punch counts: its own, when none that it keeps was looked up.
fn counted_on(row: &Row<'_>) -> Work<Date> {
    if let Some(kept) = rows::date_or_none(row, 1)? {
        return Ok(kept);
    }
    let midnight = row.get::<_, i64>(0)?.saturating_mul(DAY_MS).saturating_sub(TOKYO_MS);
    Ok(local_date(UtcMillis(midnight)))
}

/// Whether some of a date lies within a time.
fn has_part_of((from, until): (UtcMillis, UtcMillis), date: Date) -> bool {
    let ends = date.tomorrow().map_or(UtcMillis(i64::MAX), date::begins);
    from < ends && date::begins(date) < until
}

/// What a question about each of these accounts is asked with.
pub(super) fn asked_of(contract: ContractId, linked: &[Linked]) -> Many<'_> {
    Many::default()
        .integers(linked.iter().map(|_| contract.0))
        .blobs(linked.iter().map(|(_, account, _)| &account[..]))
        .integers(linked.iter().map(|(.., span)| span.0.0))
        .integers(linked.iter().map(|(.., span)| span.1.0))
}

fn event(
    connection: &Connection,
    contract: ContractId,
    id: &TerminalId,
    sequence: u64,
) -> Work<Option<EventDetail>> {
    let Some(terminal) = terminals::find(connection, contract, id)? else {
        return Ok(None);
    };
    let key = params![contract.0, rows::terminal_bytes(id)?, rows::column(sequence)];
    rows::one(connection, EVENT, key, |row| {
        Ok(EventDetail {
            terminal,
            sequence,
            json: row.get(0)?,
            digest: rows::digest(row, 1)?,
            occurred_at: rows::millis(row, 2)?,
            received_at: rows::millis(row, 3)?,
            resent: row.get(4)?,
            clock_offset_ms: row.get(5)?,
            stamped_at: rows::millis_or_none(row, 6)?,
            employee: None,
        })
    })
}

/// First and last use of each terminal, by the terminal's id.
type Used = BTreeMap<TerminalId, (UtcMillis, UtcMillis)>;

/// One question about a person.
struct Reading<'c> {
    connection: &'c Connection,
    contract: ContractId,
    from: UtcMillis,
    to: UtcMillis,
}

impl Reading<'_> {
    fn record(&self, employee: EmployeeId) -> Work<PersonRecord> {
        let key = params![self.contract.0, employee.0.as_bytes()];
        let employed = rows::one(self.connection, EMPLOYED, key, |row| {
            Ok((rows::date_or_none(row, 0)?, rows::date_or_none(row, 1)?))
        })?;
        let key = params![self.contract.0, employee.0.as_bytes()];
        let links = rows::all(self.connection, LINKS, key, |row| {
            Ok(PersonLink {
                account: AccountId(rows::uuid(row, 0)?),
                key: row.get(1)?,
                from: rows::date(&row.get::<_, String>(2)?)?,
                to: rows::date_or_none(row, 3)?,
            })
        })?;
        let accounts: BTreeSet<AccountId> = links.iter().map(|link| link.account).collect();
        let mut used: Vec<_> = self.used(&accounts)?.into_iter().collect();
        used.sort_by_key(|(_, (_, last))| std::cmp::Reverse(*last));
        let whole = used.len() <= TERMINALS_MAX;
        let mut read = Vec::new();
        for (id, used) in used.into_iter().take(TERMINALS_MAX) {
            if let Some(terminal) = terminals::find(self.connection, self.contract, &id)? {
                read.push(self.terminal(terminal, used, &accounts)?);
            }
        }
        Ok(PersonRecord { employed: employed.unwrap_or_default(), links, terminals: read, whole })
    }

    fn used(&self, accounts: &BTreeSet<AccountId>) -> Work<Used> {
        let (contract, mut used) = (self.contract.0, Used::new());
        let (from, to) = (self.from.plus(-USED_AROUND_MS).0, self.to.plus(USED_AROUND_MS).0);
        for account in accounts {
            let id = account.0.as_bytes();
            let mut found = self.terminals(USED, params![contract, id, from, to], 2)?;
            if found.is_empty() {
                found = self.terminals(USED_BEFORE, params![contract, id, from], 1)?;
                found.extend(self.terminals(USED_AFTER, params![contract, id, to], 1)?);
            }
            for (terminal, (first, last)) in found {
                let known = used.entry(terminal).or_insert((first, last));
                *known = (known.0.min(first), known.1.max(last));
            }
        }
        Ok(used)
    }

    fn terminals(
        &self,
        sql: &str,
        params: impl Params,
        last: usize,
    ) -> Work<Vec<(TerminalId, (UtcMillis, UtcMillis))>> {
        rows::all(self.connection, sql, params, |row| {
            Ok((rows::terminal_id(row, 0)?, (rows::millis(row, 1)?, rows::millis(row, last)?)))
        })
    }

    fn terminal(
        &self,
        terminal: Terminal,
        used: (UtcMillis, UtcMillis),
        accounts: &BTreeSet<AccountId>,
    ) -> Work<PersonTerminal> {
        let bytes = rows::terminal_bytes(&terminal.id)?;
        let mut own = BTreeSet::new();
        let mut going_on: Option<u64> = None;
        for account in accounts {
            let key = params![self.contract.0, account.0.as_bytes(), bytes, self.from.0, self.to.0];
            own.extend(rows::all(self.connection, INSIDE, key, |row| rows::number(row, 0))?);
            for (number, near) in self.going_on(*account, &bytes)? {
                own.insert(number);
                if near {
                    going_on = Some(going_on.map_or(number, |known| known.min(number)));
                }
            }
        }
        let (first, last) = self.numbers(&terminal, &bytes, going_on, &own)?;
        let cut = last.min(first.saturating_add(EVENTS_MAX - 1));
        let mut events = self.events(&bytes, first, cut)?;
        for number in own.into_iter().filter(|number| !(first..=cut).contains(number)) {
            events.extend(self.events(&bytes, number, number)?);
        }
        events.sort_by_key(|event| event.sequence);
        let retired = retention::retired_numbers(self.connection, self.contract, terminal.id)?;
        Ok(PersonTerminal { terminal, used, numbers: (first, cut), events, retired, whole: cut == last })
    }

    /// Punches before the time that may belong to a session that goes on in it, and whether each is near enough to
    /// be read from there on.
    fn going_on(&self, account: AccountId, terminal: &[u8; 16]) -> Work<Vec<(u64, bool)>> {
        let key = params![
            self.contract.0,
            account.0.as_bytes(),
            terminal,
            self.from.0,
            rows::column(PUNCHES_BEFORE)
        ];
        let before = rows::all(self.connection, BEFORE, key, |row| {
            let (logon, stay): (bool, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
            Ok((rows::number(row, 0)?, logon, stay, rows::millis(row, 3)?, rows::millis(row, 4)?))
        })?;
        let mut over: Vec<&Option<Vec<u8>>> = Vec::new();
        let mut found = Vec::new();
        for (number, logon, stay, at, latest) in &before {
            if *logon && over.contains(&stay) {
                continue;
            }
            if !logon && *latest < self.from {
                over.push(stay);
                continue;
            }
            found.push((*number, at.0 >= self.from.0.saturating_sub(LOOK_BACK_MS)));
        }
        Ok(found)
    }

    /// The numbers that hold everything that happened in the time, and what was found out about it later.
    fn numbers(
        &self,
        terminal: &Terminal,
        bytes: &[u8; 16],
        going_on: Option<u64>,
        own: &BTreeSet<u64>,
    ) -> Work<(u64, u64)> {
        let told = |sql: &str, time: UtcMillis| {
            let key = params![self.contract.0, bytes, time.0];
            rows::one(self.connection, sql, key, |row| rows::number(row, 0))
        };
        let before = told(TOLD_BEFORE, self.from)?;
        let after = told(TOLD_AFTER, self.to)?;
        let last = after.map_or(terminal.head, |number| number.saturating_add(TOLD_LATER)).min(terminal.head);
        // A PC whose first logon falls into the time: its whole life so far, if that is short.
        let near = own.first().map_or(last, |number| (*number).min(last)).saturating_sub(EVENTS_MAX / 2);
        let first = before.unwrap_or(near).min(going_on.unwrap_or(u64::MAX)).max(1);
        Ok((first, last.max(first)))
    }

    fn events(&self, terminal: &[u8; 16], first: u64, last: u64) -> Work<Vec<DayEvent>> {
        let limit = rows::column(EVENTS_MAX);
        let key = params![self.contract.0, terminal, rows::column(first), rows::column(last), limit];
        rows::all(self.connection, EVENTS, key, |row| {
            Ok(DayEvent {
                sequence: rows::number(row, 0)?,
                json: row.get(1)?,
                received_at: rows::millis(row, 2)?,
                clock_offset_ms: row.get(3)?,
                resent: row.get(4)?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_goes_by_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let covering = [USED, USED_BEFORE, USED_AFTER, INSIDE, PUNCHED, INFERRED];
        let others =
            [EMPLOYEE_OF_CODE, EMPLOYED, LINKS, LINKED, BEFORE, TOLD_BEFORE, TOLD_AFTER, EVENTS, EVENT];
        for sql in covering.iter().chain(&others) {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values: Vec<_> = (0..statement.parameter_count()).map(|_| 1_i64).collect();
            let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3));
            let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
            assert!(plan.iter().all(|step| !step.contains("SCAN")), "{sql}: {plan:?}");
            assert!(plan[0].starts_with("SEARCH"), "{sql}: {plan:?}");
            let by_time = sql.contains("occurred_at <") || sql.contains("occurred_at >=");
            assert!(
                !by_time || plan[0].contains("occurred_at"),
                "the time limits the search: {sql}: {plan:?}"
            );
            assert!(!covering.contains(sql) || plan[0].contains("COVERING"), "{sql}: {plan:?}");
        }
    }
}
