//! Reading punches.
//!
//! The rows of a page are picked from `punches` alone, with the index named: left to itself, SQLite's
//! planner took a plan a hundred times slower in a few per cent of calls (design/performance.md).

use std::collections::BTreeMap;

use crate::sql::Value;
use crate::sql::{Connection, Row, params, params_from_iter};
use async_trait::async_trait;
use mngntime_model::{TerminalId, UtcMillis};

use super::figures::{self, HALF_HOUR_MS};
use super::rows::{self, Way};
use super::{SqliteStore, Work, people, presence, scope, terminals, whose};
use crate::ports::{
    Act, Answer, Beside, DayFigures, ErrorCause, Judgement, PageKey, Punch, PunchDetail, PunchFilter,
    PunchPage, Punches, SAME_TIME_MS, SLOTS, Scope, ScopedPeople, Summary, Why,
};
use crate::{AccountId, ContractId, EmployeeId};

#[async_trait]
impl Punches for SqliteStore {
    async fn list_punches(
        &self,
        scope: Scope,
        filter: PunchFilter,
        at: Option<Beside<PageKey>>,
        limit: usize,
    ) -> Answer<PunchPage> {
        self.read("list punches", move |connection| list(connection, &scope, &filter, at, limit)).await
    }

    async fn punch(&self, scope: Scope, terminal: TerminalId, sequence: u64) -> Answer<Option<PunchDetail>> {
        self.read("look up a punch", move |connection| detail(connection, &scope, &terminal, sequence)).await
    }

    async fn count_punches(&self, scope: Scope, filter: PunchFilter, limit: usize) -> Answer<u64> {
        self.read("count punches", move |connection| count(connection, &scope, &filter, limit)).await
    }

    async fn day_figures(&self, scope: Scope, from: UtcMillis) -> Answer<DayFigures> {
        self.read("count the punches of a day", move |connection| day_figures(connection, &scope, from)).await
    }

    async fn summary(
        &self,
        scope: Scope,
        from: UtcMillis,
        until: UtcMillis,
        silent_before: UtcMillis,
    ) -> Answer<Summary> {
        self.read("count punches and terminals", move |connection| {
            summary(connection, &scope, from, until, silent_before)
        })
        .await
    }
}

/// What stands around the picked rows.
const HEAD: &str = "SELECT p.terminal_id, t.host_name, p.seq, p.kind, p.evidence, p.resent, p.account_id,
    a.domain, a.name, p.employee_id, e.code, e.name, p.occurred_at, p.not_before, p.not_after, p.received_at,
    p.res, u.stay, u.present_from, u.present_not_after, coalesce(v.clock_offset_ms, 0), p.local_date, p.stamped_at
    FROM (SELECT * FROM";
const TAIL: &str = ") p
    JOIN terminals t ON t.contract_id = p.contract_id AND t.id = p.terminal_id
    JOIN accounts a ON a.contract_id = p.contract_id AND a.id = p.account_id
    LEFT JOIN employees e ON e.contract_id = p.contract_id AND e.id = p.employee_id
    LEFT JOIN unattended_stays u ON p.kind = 'logon' AND u.contract_id = p.contract_id
    AND u.terminal_id = p.terminal_id AND u.stay = p.stay
    LEFT JOIN events v ON p.evidence = 'notice' AND p.stamped_at IS NULL
    AND p.occurred_at NOT BETWEEN p.received_at - 60000 AND p.received_at + 60000
    AND v.contract_id = p.contract_id AND v.terminal_id = p.terminal_id AND v.seq = p.seq";

/// The same in the statement above: the event, which is large, is only looked up where its clock matters.
const _: () = assert!(SAME_TIME_MS == 60_000);

fn read(row: &Row<'_>) -> Work<Punch> {
    Ok(Punch {
        terminal: rows::terminal_id(row, 0)?,
        host_name: row.get(1)?,
        sequence: rows::number(row, 2)?,
        kind: rows::kind(row, 3)?,
        evidence: rows::evidence(row, 4)?,
        resent: row.get(5)?,
        account: AccountId(rows::uuid(row, 6)?),
        domain: row.get(7)?,
        name: row.get(8)?,
        employee: rows::uuid_or_none(row, 9)?.map(EmployeeId),
        employee_code: row.get(10)?,
        employee_name: row.get(11)?,
        occurred_at: rows::millis(row, 12)?,
        bounds: rows::bounds(row, 13)?,
        received_at: rows::millis(row, 15)?,
        result: rows::result(row, 16)?,
        unattended: presence::read(row, 17)?,
        clock_offset_ms: row.get(20)?,
        date: rows::date(&row.get::<_, String>(21)?)?,
        stamped_at: rows::millis_or_none(row, 22)?,
    })
}

/// Conditions of a query with the values they name.
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    fn new(contract: ContractId) -> Self {
        Self { text: "contract_id = ?1".into(), values: vec![Value::Integer(contract.0)] }
    }

    /// Adds `condition`, in which each `?` is the next of `values`.
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.values.extend(values);
    }

    /// Only what `scope` reaches.
    fn within(&mut self, scope: &Scope) {
        match scope.people {
            ScopedPeople::One(employee) => self.of_employee(employee),
            ScopedPeople::Everybody | ScopedPeople::Below(_) => {
                if let Some((condition, value)) = scope::condition(scope, "employee_id") {
                    self.and(&condition, [value]);
                }
            }
        }
    }

    /// Only the punches of one employee, found by their accounts.
    fn of_employee(&mut self, employee: EmployeeId) {
        let id = blob(employee.0.as_bytes());
        self.and("employee_id = ?", [id.clone()]);
        let accounts =
            "account_id IN (SELECT account_id FROM account_links INDEXED BY account_links_by_employee
             WHERE contract_id = ?1 AND employee_id = ?)";
        self.and(accounts, [id]);
    }
}

fn blob(bytes: &[u8; 16]) -> Value {
    Value::Blob(bytes.to_vec())
}

/// What the filter asks for, except for places in the list.
fn conditions(scope: &Scope, filter: &PunchFilter) -> Work<Conditions> {
    let mut conditions = Conditions::new(scope.contract);
    conditions.within(scope);
    if let Some(employee) = filter.employee {
        conditions.of_employee(employee);
    }
    narrow(&mut conditions, filter)?;
    Ok(conditions)
}

/// Everything of the filter that does not say whose punches they are.
fn narrow(conditions: &mut Conditions, filter: &PunchFilter) -> Work<()> {
    if let Some(from) = filter.from {
        conditions.and("occurred_at >= ?", [Value::Integer(from.0)]);
    }
    if let Some(until) = filter.until {
        conditions.and("occurred_at < ?", [Value::Integer(until.0)]);
    }
    if let Some(account) = filter.account {
        conditions.and("account_id = ?", [blob(account.0.as_bytes())]);
    }
    if let Some(terminal) = filter.terminal {
        conditions.and("terminal_id = ?", [blob(&rows::terminal_bytes(&terminal)?)]);
    }
    if let Some(kind) = filter.kind {
        conditions.and("kind = ?", [Value::Text(kind.name().into())]);
    }
    if is_of_errors(filter) {
        conditions.and("res IS NOT NULL", []);
    }
    if filter.inferred_only {
        // Not as a value: the statement must say so for the index to serve it.
        conditions.and("evidence = 'inferred'", []);
    }
    if let Some(cause) = filter.cause {
        conditions.and("res = ?", [Value::Integer(i64::from(cause.res()))]);
        match cause {
            ErrorCause::OutsideLink => conditions.and(&format!("account_id IN {WAITING_LINKED}"), []),
            ErrorCause::Unlinked => conditions.and(&format!("account_id NOT IN {WAITING_LINKED}"), []),
            ErrorCause::Contract | ErrorCause::Terminal | ErrorCause::Reenrolment | ErrorCause::Failure => {}
        }
    }
    Ok(())
}

/// Accounts with waiting punches that are linked to somebody on other dates: few, found once for each question.
const WAITING_LINKED: &str =
    "(SELECT waiting.id FROM accounts waiting WHERE waiting.contract_id = ?1 AND waiting.waiting > 0
    AND EXISTS (SELECT 1 FROM account_links had WHERE had.contract_id = waiting.contract_id
        AND had.account_id = waiting.id AND had.void = 0))";

/// Only what lies beyond `place` in the list.
fn beyond(conditions: &mut Conditions, place: PageKey, Way { beyond, .. }: Way) -> Work<()> {
    let values = [
        Value::Integer(place.occurred_at.0),
        Value::Integer(place.occurred_at.0),
        blob(&rows::terminal_bytes(&place.terminal)?),
        Value::Integer(rows::column(place.sequence)),
    ];
    // The first half lets the index be entered at the right place, the second settles ties.
    let condition = format!("occurred_at {beyond}= ? AND (occurred_at, terminal_id, seq) {beyond} (?, ?, ?)");
    conditions.and(&condition, values);
    Ok(())
}

fn is_of_errors(filter: &PunchFilter) -> bool {
    filter.errors_only || filter.cause.is_some()
}

/// The index that leads to the fewest rows for this filter.
fn index(scope: &Scope, filter: &PunchFilter) -> &'static str {
    let one = matches!(scope.people, ScopedPeople::One(_));
    let errors = is_of_errors(filter);
    if one || filter.account.is_some() || filter.employee.is_some() {
        match (errors, filter.inferred_only) {
            (true, _) => "INDEXED BY punches_errors_by_account",
            (false, true) => "INDEXED BY punches_inferred_by_account",
            (false, false) => "INDEXED BY punches_by_account",
        }
    } else if filter.terminal.is_some() {
        "INDEXED BY punches_by_terminal"
    } else if filter.inferred_only {
        "INDEXED BY punches_inferred"
    } else if errors {
        "INDEXED BY punches_errors"
    } else {
        ""
    }
}

pub(super) fn list(
    connection: &Connection,
    scope: &Scope,
    filter: &PunchFilter,
    at: Option<Beside<PageKey>>,
    limit: usize,
) -> Work<PunchPage> {
    let read = |limit| match accounts(connection, scope, filter)? {
        Some(accounts) => match nearby(connection, scope, filter, at.as_ref(), limit)? {
            Some(found) => Ok(found),
            None => of_accounts(connection, scope, filter, at.as_ref(), &accounts, limit),
        },
        None => {
            let conditions = conditions(scope, filter)?;
            rows_of(connection, conditions, index(scope, filter), at.as_ref(), limit)
        }
    };
    rows::page(at.as_ref(), limit, read, key_of)
}

/// Punches of everybody among which those of departments are looked for first: a few milliseconds.
const NEARBY_MAX: u64 = 4_096;

/// The nearest punches of departments' people, when there are enough of them among the nearest of everybody: then that is
/// far quicker than to ask for each of their accounts.
fn nearby(
    connection: &Connection,
    scope: &Scope,
    filter: &PunchFilter,
    at: Option<&Beside<PageKey>>,
    limit: usize,
) -> Work<Option<Vec<Punch>>> {
    let Some((theirs, root)) = scope::condition(scope, "employee_id") else { return Ok(None) };
    if own(scope).is_some() || filter.account.is_some() || filter.employee.is_some() {
        return Ok(None);
    }
    let way = rows::falling(at);
    // What no index serves is asked of the rows that were found, so that no more of them are read.
    let served = PunchFilter { kind: None, cause: None, errors_only: is_of_errors(filter), ..filter.clone() };
    let mut near = Conditions::new(scope.contract);
    narrow(&mut near, &served)?;
    if let Some(beside) = at {
        beyond(&mut near, *beside.key(), way)?;
    }
    near.values.push(Value::Integer(rows::column(NEARBY_MAX)));
    let everybody = Scope { people: ScopedPeople::Everybody, ..*scope };
    let (index, order) = (index(&everybody, &served), order_of(way));
    let mut wanted = Conditions { text: "TRUE".into(), values: Vec::new() };
    wanted.and(&theirs, [root]);
    narrow(&mut wanted, &PunchFilter { kind: filter.kind, cause: filter.cause, ..PunchFilter::default() })?;
    let values =
        near.values.into_iter().chain(wanted.values).chain([Value::Integer(rows::column(limit as u64))]);
    let sql = format!(
        "{HEAD} (SELECT * FROM punches {index} WHERE {} {} LIMIT ?) near WHERE {} {} LIMIT ? {TAIL} {}",
        near.text,
        order(""),
        wanted.text,
        order(""),
        order("p.")
    );
    let found = rows::all(connection, &sql, params_from_iter(values.collect::<Vec<_>>()), read)?;
    Ok(Some(found).filter(|found| found.len() == limit))
}

/// Accounts of so few people are read one by one: through time alone, theirs would be rare rows among everybody's.
const ACCOUNTS_MAX: usize = 300;

/// An account to be read by itself, with the people whose punches count.
struct Asked {
    account: AccountId,
    /// Whom in the scope it is or was linked to; absent when that was not looked up.
    employees: Option<Vec<EmployeeId>>,
}

/// The accounts of the people asked for; `None` when all are meant, or so many that they are no rare rows.
fn accounts(connection: &Connection, scope: &Scope, filter: &PunchFilter) -> Work<Option<Vec<Asked>>> {
    let mut query = Conditions::new(scope.contract);
    let asked = match scope.people {
        ScopedPeople::One(employee) => Some(employee),
        ScopedPeople::Everybody | ScopedPeople::Below(_) => filter.employee,
    };
    if let Some(account) = filter.account {
        return Ok(Some(vec![Asked { account, employees: None }]));
    } else if let Some(employee) = asked {
        query.and("employee_id = ?", [blob(employee.0.as_bytes())]);
    } else if filter.terminal.is_some() {
        return Ok(None);
    } else if let Some((condition, value)) = scope::condition(scope, "employee_id") {
        query.and(&condition, [value]);
    } else {
        return Ok(None);
    }
    query.values.push(Value::Integer(rows::column(ACCOUNTS_MAX as u64 + 1)));
    let sql = format!(
        "SELECT DISTINCT account_id, employee_id FROM account_links INDEXED BY account_links_by_employee
         WHERE {} LIMIT ?",
        query.text
    );
    let found = rows::all(connection, &sql, params_from_iter(query.values), |row| {
        Ok((AccountId(rows::uuid(row, 0)?), EmployeeId(rows::uuid(row, 1)?)))
    })?;
    // One who is asked for by name may stand outside of the scope, which the rows are then asked about.
    let known = asked.is_none();
    Ok(Some(found).filter(|found| found.len() <= ACCOUNTS_MAX).map(|found| by_account(found, known)))
}

/// Each account once; with its people, when they are known to be all that count.
fn by_account(found: Vec<(AccountId, EmployeeId)>, known: bool) -> Vec<Asked> {
    let mut people: BTreeMap<AccountId, Vec<EmployeeId>> = BTreeMap::new();
    for (account, employee) in found {
        people.entry(account).or_default().push(employee);
    }
    people.into_iter().map(|(account, all)| Asked { account, employees: known.then_some(all) }).collect()
}

/// The nearest punches of these accounts. Whoever has only farther ones than what was found already ends at once.
fn of_accounts(
    connection: &Connection,
    scope: &Scope,
    filter: &PunchFilter,
    at: Option<&Beside<PageKey>>,
    accounts: &[Asked],
    limit: usize,
) -> Work<Vec<Punch>> {
    let backwards = matches!(at, Some(Beside::Before(_)));
    let mut found: Vec<Punch> = Vec::new();
    for Asked { account, employees } in accounts {
        let farthest = found.last().filter(|_| found.len() >= limit).map(|punch| punch.occurred_at);
        let mut filter = PunchFilter { account: Some(*account), ..filter.clone() };
        match farthest {
            Some(time) if backwards => {
                let until = time.plus(1);
                filter.until = Some(filter.until.map_or(until, |given| given.min(until)));
            }
            Some(_) | None => filter.from = farthest.max(filter.from),
        }
        let mut conditions = Conditions::new(scope.contract);
        narrow(&mut conditions, &filter)?;
        for employee in [filter.employee, own(scope)].into_iter().flatten() {
            conditions.and("employee_id = ?", [blob(employee.0.as_bytes())]);
        }
        of_people(&mut conditions, scope, employees.as_deref());
        found.extend(rows_of(connection, conditions, index(scope, &filter), at, limit)?);
        found.sort_by_cached_key(|punch| (punch.occurred_at.0, punch.terminal.to_string(), punch.sequence));
        if !backwards {
            found.reverse();
        }
        found.truncate(limit);
    }
    Ok(found)
}

/// Only punches of people in the scope: of `known`, who are few, when they were looked up. To look everybody of the
/// departments up again for each account takes far longer than to read its rows.
fn of_people(conditions: &mut Conditions, scope: &Scope, known: Option<&[EmployeeId]>) {
    if let Some(known) = known {
        let places = vec!["?"; known.len()].join(", ");
        let ids = known.iter().map(|employee| blob(employee.0.as_bytes()));
        conditions.and(&format!("employee_id IN ({places})"), ids);
    } else if let (ScopedPeople::Below(_), Some((condition, value))) =
        (scope.people, scope::condition(scope, "employee_id"))
    {
        conditions.and(&condition, [value]);
    }
}

fn own(scope: &Scope) -> Option<EmployeeId> {
    match scope.people {
        ScopedPeople::One(employee) => Some(employee),
        ScopedPeople::Everybody | ScopedPeople::Below(_) => None,
    }
}

fn rows_of(
    connection: &Connection,
    mut conditions: Conditions,
    index: &str,
    at: Option<&Beside<PageKey>>,
    limit: usize,
) -> Work<Vec<Punch>> {
    let way = rows::falling(at);
    if let Some(beside) = at {
        beyond(&mut conditions, *beside.key(), way)?;
    }
    let Conditions { text, mut values } = conditions;
    values.push(Value::Integer(rows::column(limit as u64)));
    let order = order_of(way);
    let (picked, shown) = (order(""), order("p."));
    let sql = format!("{HEAD} punches {index} WHERE {text} {picked} LIMIT ? {TAIL} {shown}");
    rows::all(connection, &sql, params_from_iter(values), read)
}

/// The order of the list, of the columns with this before their names.
fn order_of(Way { order, .. }: Way) -> impl Fn(&str) -> String {
    move |p| format!("ORDER BY {p}occurred_at {order}, {p}terminal_id {order}, {p}seq {order}")
}

pub(super) fn count(connection: &Connection, scope: &Scope, filter: &PunchFilter, limit: usize) -> Work<u64> {
    let Conditions { text, mut values } = conditions(scope, filter)?;
    values.push(Value::Integer(rows::column(limit as u64)));
    let index = index(scope, filter);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM punches {index} WHERE {text} LIMIT ?) counted");
    let found = rows::one(connection, &sql, params_from_iter(values), |row| rows::number(row, 0))?;
    Ok(found.unwrap_or(0))
}

/// One person's are counted; they are few.
fn own_figures(connection: &Connection, scope: &Scope, from: UtcMillis) -> Work<DayFigures> {
    let until = from.plus(HALF_HOUR_MS.saturating_mul(SLOTS as i64));
    let filter = PunchFilter { from: Some(from), until: Some(until), ..PunchFilter::default() };
    let Conditions { text, values } = conditions(scope, &filter)?;
    let sql = format!(
        "SELECT (occurred_at - ({})) / {HALF_HOUR_MS} AS slot, kind, count(*), count(res) FROM punches {}
         WHERE {text} GROUP BY slot, kind",
        from.0,
        index(scope, &filter)
    );
    let mut figures = DayFigures::default();
    let slots = rows::all(connection, &sql, params_from_iter(values), |row| {
        Ok((row.get::<_, i64>(0)?, rows::kind(row, 1)?, rows::number(row, 2)?, rows::number(row, 3)?))
    })?;
    for (slot, kind, punches, errors) in slots {
        figures.add(slot, kind, punches, errors);
    }
    Ok(figures)
}

pub(super) fn day_figures(connection: &Connection, scope: &Scope, from: UtcMillis) -> Work<DayFigures> {
    match scope.people {
        ScopedPeople::One(_) => own_figures(connection, scope, from),
        ScopedPeople::Everybody | ScopedPeople::Below(_) => figures::of_day(connection, scope, from),
    }
}

fn key_of(punch: &Punch) -> PageKey {
    PageKey { occurred_at: punch.occurred_at, terminal: punch.terminal, sequence: punch.sequence }
}

fn detail(
    connection: &Connection,
    scope: &Scope,
    terminal: &TerminalId,
    sequence: u64,
) -> Work<Option<PunchDetail>> {
    let contract = scope.contract;
    let bytes = rows::terminal_bytes(terminal)?;
    let event = rows::one(
        connection,
        "SELECT json, hash, clock_offset_ms, coalesce(placed_at, occurred_at) FROM events
         WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3",
        params![contract.0, bytes, rows::column(sequence)],
        |row| Ok((row.get(0)?, rows::digest(row, 1)?, row.get(2)?, row.get::<_, i64>(3)?)),
    )?;
    let Some((json, digest, clock_offset_ms, occurred_at)) = event else {
        return Ok(None);
    };
    let mut place = Conditions::new(contract);
    let key = [Value::Integer(occurred_at), blob(&bytes), Value::Integer(rows::column(sequence))];
    place.and("occurred_at = ? AND terminal_id = ? AND seq = ?", key);
    place.within(scope);
    let sql = format!("{HEAD} punches WHERE {} {TAIL}", place.text);
    let Some(punch) = rows::one(connection, &sql, params_from_iter(place.values), read)? else {
        return Ok(None);
    };
    let found = terminals::find(connection, contract, terminal)?.zip(people::account(
        connection,
        contract,
        punch.account,
    )?);
    let Some((terminal, account)) = found else {
        return Ok(None);
    };
    let account = people::narrowed(connection, scope, account)?;
    let mut history = history(connection, contract, &bytes, sequence)?;
    if history.is_empty() {
        let Act { by, at: judged_at } = Act::server(punch.received_at);
        history.push(Judgement { judged_at, result: punch.result, why: Why::Received, by });
    }
    let mut whose = whose::changes(connection, scope, punch.account, punch.date)?;
    whose.retain(|change| punch.received_at <= change.at);
    Ok(Some(PunchDetail { punch, json, digest, clock_offset_ms, history, whose, terminal, account }))
}

/// What was thought of a punch; nothing where that never changed.
fn history(
    connection: &Connection,
    contract: ContractId,
    terminal: &[u8; 16],
    sequence: u64,
) -> Work<Vec<Judgement>> {
    rows::all(
        connection,
        "SELECT judged_at, res, why, judged_by FROM judgements
         WHERE contract_id = ?1 AND terminal_id = ?2 AND seq = ?3 ORDER BY number",
        params![contract.0, terminal, rows::column(sequence)],
        |row| {
            Ok(Judgement {
                judged_at: rows::millis(row, 0)?,
                result: rows::result(row, 1)?,
                why: rows::why(row, 2)?,
                by: row.get(3)?,
            })
        },
    )
}

pub(super) fn summary(
    connection: &Connection,
    scope: &Scope,
    from: UtcMillis,
    until: UtcMillis,
    silent_before: UtcMillis,
) -> Work<Summary> {
    if !scope.is_whole() {
        return scoped_summary(connection, scope, from, until);
    }
    let contract = scope.contract;
    let period = "SELECT count(*), count(res) FROM punches
        WHERE contract_id = ?1 AND occurred_at >= ?2 AND occurred_at < ?3";
    let (punches, errors) = pair(connection, period, params![contract.0, from.0, until.0])?;
    let unlinked = "SELECT coalesce(sum(waiting), 0), count(*) FROM accounts INDEXED BY accounts_waiting
        WHERE contract_id = ?1 AND waiting > 0";
    let (unlinked_punches, unlinked_accounts) = pair(connection, unlinked, params![contract.0])?;
    let active =
        "SELECT count(*), count(CASE WHEN coalesce(last_contact_at, enrolled_at) <= ?2 THEN 1 END) FROM terminals
        WHERE contract_id = ?1 AND status = 'active'";
    let (terminals, silent_terminals) = pair(connection, active, params![contract.0, silent_before.0])?;
    let all = "SELECT coalesce(sum(conflict), 0), coalesce(sum(CASE WHEN waiting < 1000000000 THEN waiting ELSE 1000000000 END), 0) FROM terminals WHERE contract_id = ?1";
    let (conflicts, waiting_events) = pair(connection, all, params![contract.0])?;
    Ok(Summary {
        punches,
        errors,
        unlinked_punches,
        unlinked_accounts,
        terminals,
        silent_terminals,
        conflicts,
        waiting_events,
    })
}

/// The period alone: accounts without a link and terminals are the whole contract's business.
fn scoped_summary(
    connection: &Connection,
    scope: &Scope,
    from: UtcMillis,
    until: UtcMillis,
) -> Work<Summary> {
    let filter = PunchFilter { from: Some(from), until: Some(until), ..PunchFilter::default() };
    let Conditions { text, values } = conditions(scope, &filter)?;
    let sql = format!("SELECT count(*), count(res) FROM punches {} WHERE {text}", index(scope, &filter));
    let (punches, errors) = pair(connection, &sql, params_from_iter(values))?;
    Ok(Summary { punches, errors, ..Summary::default() })
}

fn pair(connection: &Connection, sql: &str, params: impl crate::sql::Params) -> Work<(u64, u64)> {
    let counts =
        rows::one(connection, sql, params, |row| Ok((rows::number(row, 0)?, rows::number(row, 1)?)))?;
    Ok(counts.unwrap_or_default())
}
