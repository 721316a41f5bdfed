//! Accounts and employees as lists.
//!
//! A search compares the rows of one contract with what was typed; that is bounded by the people of a contract, not by
//! their punches. Everything about punches is asked for the rows of one page only.

use crate::sql::Value;
use crate::sql::{Connection, Row, params, params_from_iter};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{SqliteStore, Work, alike, people, rows, scope, suggesting, terminal_names};
use crate::ports::{
    Account, AccountCounts, AccountKey, AccountRow, AccountShow, Answer, Beside, Day, Employee,
    EmployeeCounts, EmployeeRow, EmployeeShow, FOUND_MAX, Finding, HOSTS_MAX, LinkHistory, Lists,
    NamedTerminal, Page, Reason, SAME_NAMES_MAX, Scope, SuggestedAccounts, Suggestion,
};
use crate::typed::{forms, narrow};
use crate::{AccountId, ContractId, EmployeeId, LinkId};

/// Punches looked at for the PCs of an account.
const HOSTS_FROM: usize = 40;

#[async_trait]
impl Lists for SqliteStore {
    async fn account_page(
        &self,
        contract: ContractId,
        show: AccountShow,
        search: String,
        at: Option<Beside<AccountKey>>,
        today: Date,
        limit: usize,
    ) -> Answer<Page<AccountRow, AccountKey>> {
        self.read("list accounts", move |connection| {
            account_page(connection, contract, show, &search, at, today, limit)
        })
        .await
    }

    async fn account_counts(&self, contract: ContractId, today: Date) -> Answer<AccountCounts> {
        self.read("count accounts", move |connection| account_counts(connection, contract, today)).await
    }

    async fn same_names(&self, contract: ContractId, account: AccountId) -> Answer<Vec<Account>> {
        self.read("look for accounts of the same name", move |connection| {
            same_names(connection, contract, account)
        })
        .await
    }

    async fn employee_page(
        &self,
        scope: Scope,
        show: EmployeeShow,
        search: String,
        at: Option<Beside<String>>,
        day: Day,
        limit: usize,
    ) -> Answer<Page<EmployeeRow, String>> {
        self.read("list employees", move |connection| {
            employee_page(connection, &scope, show, &search, at, day, limit)
        })
        .await
    }

    async fn employee_counts(&self, scope: Scope, search: String, today: Date) -> Answer<EmployeeCounts> {
        let counts = move |connection: &Connection| employee_counts(connection, &scope, &search, today);
        self.read("count employees", counts).await
    }

    async fn employee(&self, scope: Scope, employee: EmployeeId) -> Answer<Option<Employee>> {
        self.read("look up an employee", move |connection| {
            let mut query =
                Query::new(&scope, format!("{} WHERE contract_id = ?1 AND id = ?", people::EMPLOYEE));
            query.values.push(blob(employee.0.as_bytes()));
            query.within(&scope, "id");
            rows::one(connection, &query.sql, params_from_iter(query.values), people::read_employee)
        })
        .await
    }

    async fn links_of_account(&self, contract: ContractId, account: AccountId) -> Answer<Vec<LinkHistory>> {
        self.read("read the links of an account", move |connection| {
            let id = account.0.as_bytes();
            let sql = format!(
                "{} AND l.account_id = ?2 ORDER BY l.from_date DESC, l.id DESC",
                HISTORY.replace("{index}", "account_links_by_account")
            );
            rows::all(connection, &sql, params![contract.0, id], history)
        })
        .await
    }

    async fn links_of_employee(&self, scope: Scope, employee: EmployeeId) -> Answer<Vec<LinkHistory>> {
        self.read("read the links of an employee", move |connection| {
            let mut query = Query::new(
                &scope,
                format!("{} AND l.employee_id = ?", HISTORY.replace("{index}", "account_links_by_employee")),
            );
            query.values.push(blob(employee.0.as_bytes()));
            query.within(&scope, "l.employee_id");
            query.sql.push_str(" ORDER BY l.from_date DESC, l.id DESC");
            rows::all(connection, &query.sql, params_from_iter(query.values), history)
        })
        .await
    }

    async fn find_employees(&self, scope: Scope, text: String) -> Answer<Vec<Employee>> {
        self.read("find an employee", move |connection| alike::find(connection, &scope, &text)).await
    }

    async fn find_accounts(&self, scope: Scope, text: String) -> Answer<Vec<Account>> {
        self.read("find an account", move |connection| find_accounts(connection, &scope, &text)).await
    }

    async fn find_terminals(&self, scope: Scope, text: String) -> Answer<Vec<NamedTerminal>> {
        self.read("find a terminal", move |connection| terminal_names::find(connection, &scope, &text)).await
    }

    async fn suggestions(
        &self,
        contract: ContractId,
        accounts: Vec<AccountId>,
        today: Date,
    ) -> Answer<Vec<Vec<Suggestion>>> {
        self.read("look for who may be behind accounts", move |connection| {
            let of = |id: &AccountId| suggesting::of(connection, contract, *id, today);
            accounts.iter().map(of).collect()
        })
        .await
    }

    async fn suggested(
        &self,
        contract: ContractId,
        reason: Reason,
        today: Date,
        limit: usize,
    ) -> Answer<Vec<(Account, Employee)>> {
        self.read("look for accounts with a suggestion", move |connection| {
            suggesting::all(connection, contract, reason, today, limit)
        })
        .await
    }
}

#[async_trait]
impl Finding for SqliteStore {
    async fn employees_alike(&self, scope: Scope, text: String) -> Answer<(Vec<Employee>, u64)> {
        self.read("look for employees", move |connection| {
            alike::employees(connection, &scope, &text, FOUND_MAX)
        })
        .await
    }

    async fn suggested_accounts(
        &self,
        contract: ContractId,
        search: String,
        today: Date,
        limit: usize,
    ) -> Answer<SuggestedAccounts> {
        self.read("look for accounts with somebody behind them", move |connection| {
            suggesting::any(connection, contract, &search, today, limit)
        })
        .await
    }
}

/// A query whose `?1` is the contract, with the values it names so far.
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Query {
    pub(super) fn new(scope: &Scope, sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), values: vec![Value::Integer(scope.contract.0)] }
    }

    /// Adds ` AND condition`, in which each `?` is the next of `values`.
    pub(super) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    pub(super) fn within(&mut self, scope: &Scope, column: &str) {
        if let Some((condition, value)) = scope::condition(scope, column) {
            self.and(&condition, [value]);
        }
    }

    /// Only what lies beyond the text in `column` that a page in growing order lies beside.
    pub(super) fn beside(&mut self, column: &str, at: Option<&Beside<String>>) {
        if let Some(beside) = at {
            let beyond = rows::growing(at).beyond;
            self.and(&format!("{column} {beyond} ?"), [text(beside.key().clone())]);
        }
    }

    /// The order of such a page.
    pub(super) fn in_order(&mut self, column: &str, at: Option<&Beside<String>>) {
        self.sql.push_str(&format!(" ORDER BY {column} {}", rows::growing(at).order));
    }

    /// Its rows, at most `limit`.
    pub(super) fn read<T>(
        mut self,
        connection: &Connection,
        limit: usize,
        read: impl Fn(&Row<'_>) -> Work<T>,
    ) -> Work<Vec<T>> {
        self.limit(limit);
        rows::all(connection, &self.sql, params_from_iter(self.values), read)
    }

    /// The end of the query: at most `limit` rows.
    pub(super) fn limit(&mut self, limit: usize) {
        self.sql.push_str(" LIMIT ?");
        self.values.push(Value::Integer(rows::column(limit as u64)));
    }
}

fn blob(bytes: &[u8; 16]) -> Value {
    Value::Blob(bytes.to_vec())
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// `columns LIKE` what was typed, in each form in which it may be kept.
pub(super) fn like(columns: &[&str], typed: &str) -> (String, Vec<Value>) {
    let pattern = |text: &str| {
        let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Value::Text(format!("%{escaped}%"))
    };
    let forms = forms(typed);
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for column in columns {
        for form in &forms {
            parts.push(format!("{column} LIKE ? ESCAPE '!'"));
            values.push(pattern(form));
        }
    }
    (parts.join(" OR "), values)
}

/// An account's columns, its waiting punches included, of the table `accounts` under the name `a`.
pub(super) const ACCOUNT: &str =
    "SELECT a.id, a.key, a.domain, a.name, a.upn, a.first_seen_at, a.last_seen_at,
    a.waiting, (SELECT min(w.local_date) FROM punches w INDEXED BY punches_waiting
        WHERE w.contract_id = a.contract_id AND w.account_id = a.id AND w.res = 7) FROM accounts a";

const LINK_NOW: &str =
    "SELECT 1 FROM account_links l WHERE l.contract_id = a.contract_id AND l.account_id = a.id
    AND l.void = 0";

pub(super) fn account_page(
    connection: &Connection,
    contract: ContractId,
    show: AccountShow,
    search: &str,
    at: Option<Beside<AccountKey>>,
    today: Date,
    limit: usize,
) -> Work<Page<AccountRow, AccountKey>> {
    let scope = Scope::from(contract);
    // Beside an account that is gone from the contract the list begins anew.
    let place = at.map(|beside| place(connection, contract, *beside.key())).transpose()?.flatten();
    let at = at.filter(|_| place.is_some());
    let mut query =
        Query::new(&scope, format!("{ACCOUNT} INDEXED BY accounts_in_order WHERE a.contract_id = ?1"));
    show_accounts(&mut query, show, today);
    search_accounts(&mut query, search);
    let way = rows::growing(at.as_ref());
    if let Some(place) = place {
        beyond(&mut query, place, way);
    }
    let order = way.order;
    query.sql.push_str(&format!(
        " ORDER BY (a.waiting = 0) {order}, a.domain {order}, a.name {order}, a.id {order}"
    ));
    let read = |limit| query.read(connection, limit, people::read_account);
    let found = rows::page(at.as_ref(), limit, read, |account| AccountKey {
        waited: account.waiting > 0,
        account: account.id,
    })?;
    found.try_map(|account| account_row(connection, contract, account))
}

pub(super) fn account_row(
    connection: &Connection,
    contract: ContractId,
    account: Account,
) -> Work<AccountRow> {
    let same = "SELECT count(*) FROM (SELECT id FROM accounts INDEXED BY accounts_by_name
        WHERE contract_id = ?1 AND name = ?2 COLLATE NOCASE AND id <> ?3 LIMIT ?4) same";
    let (id, most) = (*account.id.0.as_bytes(), rows::column(SAME_NAMES_MAX));
    let values = params![contract.0, account.name, id, most];
    let same_names = rows::one(connection, same, values, |row| rows::number(row, 0))?.unwrap_or_default();
    let hosts = hosts(connection, contract, account.id)?;
    Ok(AccountRow { account: people::with_links(connection, &contract.into(), account)?, hosts, same_names })
}

fn show_accounts(query: &mut Query, show: AccountShow, today: Date) {
    let day = || text(today.to_string());
    match show {
        AccountShow::All => {}
        AccountShow::Waiting => query.and("(a.waiting = 0) = FALSE", []),
        AccountShow::Limited => {
            query.and(&format!("EXISTS ({LINK_NOW} AND l.to_date >= ?)"), [day()]);
            query.and(&format!("NOT EXISTS ({LINK_NOW} AND l.to_date IS NULL)"), []);
        }
        AccountShow::Ended => {
            query.and(&format!("EXISTS ({LINK_NOW} AND l.to_date < ?)"), [day()]);
            query.and(&format!("NOT EXISTS ({LINK_NOW} AND (l.to_date IS NULL OR l.to_date >= ?))"), [day()]);
        }
    }
}

pub(super) fn search_accounts(query: &mut Query, search: &str) {
    if search.is_empty() {
        return;
    }
    let (own, own_values) = like(&["(a.domain || '\\' || a.name)", "a.upn", "a.key"], search);
    let (linked, linked_values) = like(&["e.code", "e.name", "e.kana"], search);
    let condition = format!(
        "({own} OR a.id IN (SELECT l.account_id FROM employees e
         CROSS JOIN account_links l INDEXED BY account_links_of_employee ON l.contract_id = e.contract_id AND l.employee_id = e.id AND l.void = 0
         WHERE e.contract_id = ?1 AND ({linked})))"
    );
    query.and(&condition, own_values.into_iter().chain(linked_values));
}

/// Where an account stands in the list: in the group in which it was looked at.
struct AccountPlace {
    waited: bool,
    domain: String,
    name: String,
    id: AccountId,
}

fn place(connection: &Connection, contract: ContractId, key: AccountKey) -> Work<Option<AccountPlace>> {
    let AccountKey { waited, account: id } = key;
    rows::one(
        connection,
        "SELECT domain, name FROM accounts WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, id.0.as_bytes()],
        |row| Ok(AccountPlace { waited, domain: row.get(0)?, name: row.get(1)?, id }),
    )
}

/// Only what lies beyond that place.
fn beyond(query: &mut Query, place: AccountPlace, way: rows::Way) {
    let (group, beyond) = (if place.waited { "FALSE" } else { "TRUE" }, way.beyond);
    let id = blob(place.id.0.as_bytes());
    let values = [text(place.domain.clone()), text(place.domain), text(place.name), id];
    // The first half lets the index be entered at the right group, the second settles the place in it.
    query.and(
        &format!(
            "(a.waiting = 0) {beyond}= {group} AND ((a.waiting = 0) {beyond} {group}
             OR (a.domain {beyond}= ? AND (a.domain, a.name, a.id) {beyond} (?, ?, ?)))"
        ),
        values,
    );
}

/// PCs of the latest punches.
pub(super) fn hosts(connection: &Connection, contract: ContractId, account: AccountId) -> Work<Vec<String>> {
    let mut found: Vec<String> = rows::all(
        connection,
        "SELECT t.host_name FROM (SELECT DISTINCT contract_id, terminal_id FROM (
            SELECT contract_id, terminal_id FROM punches INDEXED BY punches_by_account
            WHERE contract_id = ?1 AND account_id = ?2 ORDER BY occurred_at DESC LIMIT ?3) newest) p
         JOIN terminals t ON t.contract_id = p.contract_id AND t.id = p.terminal_id",
        params![contract.0, account.0.as_bytes(), rows::column(HOSTS_FROM as u64)],
        |row| Ok(row.get(0)?),
    )?;
    found.sort_unstable();
    found.dedup();
    found.truncate(HOSTS_MAX);
    Ok(found)
}

pub(super) fn account_counts(
    connection: &Connection,
    contract: ContractId,
    today: Date,
) -> Work<AccountCounts> {
    let all = "SELECT count(*) FROM accounts INDEXED BY accounts_in_order WHERE contract_id = ?1";
    let all = rows::one(connection, all, [contract.0], |row| rows::number(row, 0))?.unwrap_or(0);
    let waiting = "SELECT count(*), coalesce(sum(waiting), 0) FROM accounts INDEXED BY accounts_waiting
        WHERE contract_id = ?1 AND waiting > 0";
    let waiting = rows::one(connection, waiting, [contract.0], |row| {
        Ok((rows::number(row, 0)?, rows::number(row, 1)?))
    })?;
    let ends = "SELECT count(CASE WHEN open = 0 AND last >= ?2 THEN 1 END),
            count(CASE WHEN open = 0 AND last < ?2 THEN 1 END)
        FROM (SELECT max(CASE WHEN to_date IS NULL THEN 1 ELSE 0 END) AS open, max(to_date) AS last
            FROM account_links INDEXED BY account_links_now
            WHERE contract_id = ?1 AND void = 0 GROUP BY account_id) ends";
    let ends = rows::one(connection, ends, params![contract.0, today.to_string()], |row| {
        Ok((rows::number(row, 0)?, rows::number(row, 1)?))
    })?;
    let ((waiting, waiting_punches), (limited, ended)) =
        (waiting.unwrap_or_default(), ends.unwrap_or_default());
    Ok(AccountCounts { all, waiting, waiting_punches, limited, ended })
}

pub(super) fn same_names(
    connection: &Connection,
    contract: ContractId,
    account: AccountId,
) -> Work<Vec<Account>> {
    let sql = format!(
        "{ACCOUNT} INDEXED BY accounts_by_name, accounts me WHERE me.contract_id = ?1 AND me.id = ?2
         AND a.contract_id = ?1 AND a.name = me.name COLLATE NOCASE AND a.id <> me.id
         ORDER BY a.domain, a.id LIMIT 20"
    );
    let found = rows::all(connection, &sql, params![contract.0, account.0.as_bytes()], people::read_account)?;
    let with_links = |account| people::with_links(connection, &contract.into(), account);
    found.into_iter().map(with_links).collect()
}

const ALONE: &str = "NOT EXISTS (SELECT 1 FROM account_links l INDEXED BY account_links_of_employee
    WHERE l.contract_id = employees.contract_id AND l.employee_id = employees.id AND l.void = 0
    AND (l.to_date IS NULL OR l.to_date >= ?))";
/// Who said something about a day between two, that holds.
const REMARKED: &str = "id IN (SELECT said.employee_id FROM remarks said INDEXED BY remarks_by_date
    WHERE said.contract_id = ?1 AND said.date BETWEEN ? AND ?
    AND NOT EXISTS (SELECT 1 FROM remark_withdrawals w WHERE w.contract_id = said.contract_id AND w.remark_id = said.id))";
const ACTIVE: &str = "(active_to IS NULL OR active_to >= ?)";

pub(super) fn employee_page(
    connection: &Connection,
    scope: &Scope,
    show: EmployeeShow,
    search: &str,
    at: Option<Beside<String>>,
    day: Day,
    limit: usize,
) -> Work<Page<EmployeeRow, String>> {
    let mut query = Query::new(scope, format!("{} WHERE contract_id = ?1", people::EMPLOYEE));
    query.beside("code", at.as_ref());
    query.within(scope, "id");
    let today = || text(day.date.to_string());
    match show {
        EmployeeShow::Active => query.and(ACTIVE, [today()]),
        EmployeeShow::Gone => query.and("active_to < ?", [today()]),
        EmployeeShow::Remarked => query.and(REMARKED, month_around(day.date)),
        EmployeeShow::Alone => {
            query.and(ACTIVE, [today()]);
            query.and(ALONE, [today()]);
        }
    }
    search_employees(&mut query, search);
    query.in_order("code", at.as_ref());
    let read = |limit| query.read(connection, limit, people::read_employee);
    let found = rows::page(at.as_ref(), limit, read, |employee| employee.data.code.clone())?;
    found.try_map(|employee| employee_row(connection, scope.contract, employee, day))
}

fn search_employees(query: &mut Query, search: &str) {
    if search.is_empty() {
        return;
    }
    // With the spaces as typed, and without any: 佐藤花子 is 佐藤 花子.
    let squeezed: String = search.split_whitespace().collect();
    let without = |column: &str| format!("replace(replace({column}, ' ', ''), '　', '')");
    let (name, kana) = (without("name"), without("kana"));
    let (as_typed, mut values) = like(&["code", "name", "kana", "department"], search);
    let (without_spaces, more) = like(&[&name, &kana], &squeezed);
    values.extend(more);
    query.and(&format!("({as_typed} OR {without_spaces})"), values);
}

fn employee_row(
    connection: &Connection,
    contract: ContractId,
    employee: Employee,
    day: Day,
) -> Work<EmployeeRow> {
    let id = *employee.id.0.as_bytes();
    let accounts = rows::all(
        connection,
        "SELECT DISTINCT a.domain || '\\' || a.name FROM account_links l INDEXED BY account_links_of_employee
         JOIN accounts a ON a.contract_id = l.contract_id AND a.id = l.account_id
         WHERE l.contract_id = ?1 AND l.employee_id = ?2 AND l.void = 0
         AND (l.to_date IS NULL OR l.to_date >= ?3) ORDER BY 1",
        params![contract.0, id, day.date.to_string()],
        |row| Ok(row.get(0)?),
    )?;
    let first = rows::one(
        connection,
        "SELECT min(p.occurred_at) FROM account_links l INDEXED BY account_links_of_employee
         JOIN punches p INDEXED BY punches_by_account ON p.contract_id = l.contract_id
         AND p.account_id = l.account_id AND p.occurred_at >= ?3 AND p.occurred_at < ?4
         AND p.kind = 'logon' AND p.employee_id = l.employee_id
         WHERE l.contract_id = ?1 AND l.employee_id = ?2 AND l.void = 0",
        params![contract.0, id, day.from.0, day.until.0],
        |row| Ok(row.get::<_, Option<i64>>(0)?.map(UtcMillis)),
    )?;
    Ok(EmployeeRow { employee, accounts, first: first.flatten() })
}

/// The first and the last day of the month of `date`.
fn month_around(date: Date) -> [Value; 2] {
    [text(date.first_of_month().to_string()), text(date.last_of_month().to_string())]
}

/// One walk over the people whom `search` leaves, for all of the counts.
pub(super) fn employee_counts(
    connection: &Connection,
    scope: &Scope,
    search: &str,
    today: Date,
) -> Work<EmployeeCounts> {
    let [active, alone] = [ACTIVE, ALONE].map(|condition| condition.replace('?', "?2"));
    let remarked = REMARKED.replace("BETWEEN ? AND ?", "BETWEEN ?3 AND ?4");
    let sql = format!(
        "SELECT count(CASE WHEN {active} THEN 1 END), count(CASE WHEN {active} AND {alone} THEN 1 END),
            count(CASE WHEN active_to < ?2 THEN 1 END), count(CASE WHEN {remarked} THEN 1 END)
         FROM employees WHERE contract_id = ?1"
    );
    let mut query = Query::new(scope, sql);
    query.values.push(text(today.to_string()));
    query.values.extend(month_around(today));
    query.within(scope, "id");
    search_employees(&mut query, search);
    let counts = rows::one(connection, &query.sql, params_from_iter(query.values), |row| {
        Ok(EmployeeCounts {
            active: rows::number(row, 0)?,
            alone: rows::number(row, 1)?,
            gone: rows::number(row, 2)?,
            remarked: rows::number(row, 3)?,
        })
    })?;
    Ok(counts.unwrap_or_default())
}

const HISTORY: &str = "SELECT l.id, l.account_id, a.domain || '\\' || a.name, l.employee_id, e.code, e.name,
    l.from_date, l.to_date, l.void, l.created_at, l.created_by, l.ended_at, l.ended_by FROM account_links l INDEXED BY {index}
    JOIN accounts a ON a.contract_id = l.contract_id AND a.id = l.account_id
    JOIN employees e ON e.contract_id = l.contract_id AND e.id = l.employee_id WHERE l.contract_id = ?1";

fn history(row: &Row<'_>) -> Work<LinkHistory> {
    Ok(LinkHistory {
        id: LinkId(rows::uuid(row, 0)?),
        account: AccountId(rows::uuid(row, 1)?),
        account_name: row.get(2)?,
        employee: EmployeeId(rows::uuid(row, 3)?),
        employee_code: row.get(4)?,
        employee_name: row.get(5)?,
        from: rows::date(&row.get::<_, String>(6)?)?,
        to: rows::date_or_none(row, 7)?,
        void: row.get(8)?,
        created_at: rows::millis(row, 9)?,
        created_by: row.get(10)?,
        ended_at: rows::millis_or_none(row, 11)?,
        ended_by: row.get(12)?,
    })
}

/// An id or a key wins over a name.
pub(super) fn find_accounts(connection: &Connection, scope: &Scope, typed: &str) -> Work<Vec<Account>> {
    let narrow = narrow(typed);
    let id = AccountId::parse(typed).map(|id| ("a.id = ?", vec![blob(id.0.as_bytes())]));
    let name = match narrow.split_once('\\') {
        Some((domain, name)) => {
            let both = "a.name = ? COLLATE NOCASE AND a.domain = ? COLLATE NOCASE";
            vec![(both, vec![text(name), text(domain)])]
        }
        None => vec![
            ("a.name = ? COLLATE NOCASE", vec![text(narrow.clone())]),
            ("a.upn IS NOT NULL AND a.upn = ? COLLATE NOCASE", vec![text(narrow.clone())]),
        ],
    };
    let key = ("a.key = ?", vec![text(narrow.clone())]);
    for (condition, values) in id.into_iter().chain([key]).chain(name) {
        let mut query = Query::new(scope, format!("{ACCOUNT} WHERE a.contract_id = ?1"));
        query.and(condition, values);
        if let Some((linked, value)) = scope::condition(scope, "l.employee_id") {
            query.and(&format!("EXISTS ({LINK_NOW} AND {linked})"), [value]);
        }
        query.limit(2);
        let found = rows::all(connection, &query.sql, params_from_iter(query.values), people::read_account)?;
        if !found.is_empty() {
            return found.into_iter().map(|account| people::narrowed(connection, scope, account)).collect();
        }
    }
    Ok(Vec::new())
}
