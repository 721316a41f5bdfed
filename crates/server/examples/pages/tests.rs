//! The quick store is the real one: what the filler writes is what the intake would have written.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::sqlite::filling::Filler;
use mngntime_store::sqlite::{DATABASE_FILE, SqliteStore};
use mngntime_store::{
    AccountFilter, Act, AuditLog as _, ContractId, EmployeeChoice, EmployeeId, Enrolment, Fleet as _,
    IncomingBatch, Intake as _, LinkRequest, Log as _, LogLook, NewEmployee, People as _, TerminalStatus,
};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::Value;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::company::{self, Size};
use super::fill::{Sink, fill};
use super::people;
use super::progress::Progress;

/// 2026-11-25 10:00 in Tokyo, a Wednesday.
const NOW: UtcMillis = UtcMillis(1_795_568_400_000);

/// The store as the server uses it.
struct Real {
    store: SqliteStore,
    runtime: Runtime,
}

impl Sink for Real {
    fn enroll(&self, enrolment: Enrolment) -> Result<()> {
        Ok(self.runtime.block_on(self.store.enroll(enrolment)).map(drop)?)
    }

    fn receive(&self, batch: IncomingBatch) -> Result<()> {
        Ok(self.runtime.block_on(self.store.receive(batch)).map(drop)?)
    }

    fn receive_settled(&self, batch: IncomingBatch) -> Result<()> {
        self.receive(batch)
    }

    fn add_employee(&self, contract: ContractId, new: NewEmployee, act: Act) -> Result<EmployeeId> {
        Ok(self.runtime.block_on(self.store.add_employee(contract, new, act))?)
    }

    fn link(
        &self,
        contract: ContractId,
        key: &str,
        employee: EmployeeId,
        (from, to): (Date, Option<Date>),
        act: Act,
    ) -> Result<()> {
        self.runtime.block_on(async {
            let all = self.store.list_accounts(contract.into(), AccountFilter::All, 1000).await?;
            let account = all.iter().find(|account| account.key == key).context("no such account")?.id;
            let request = LinkRequest { account, employee: EmployeeChoice::Existing(employee), from, to };
            self.store.link_accounts(contract, vec![request], act).await?;
            Ok(())
        })
    }

    fn block(&self, contract: ContractId, ids: Vec<TerminalId>, act: Act) -> Result<()> {
        let blocked = self.store.set_terminal_statuses(contract, ids, TerminalStatus::Blocked, act);
        Ok(self.runtime.block_on(blocked).map(drop)?)
    }

    fn note(
        &self,
        contract: ContractId,
        action: &'static str,
        object: String,
        detail: Value,
        act: Act,
    ) -> Result<()> {
        Ok(self.runtime.block_on(self.store.note_with(Some(contract), action, object, detail, act))?)
    }

    fn commit(&self) -> Result<()> {
        Ok(())
    }
}

/// Ids are drawn, so a thing is called by what it is instead.
fn names(c: &Connection) -> BTreeMap<Vec<u8>, String> {
    let mut names = BTreeMap::new();
    for sql in [
        "SELECT id, 'employee ' || code FROM employees",
        "SELECT id, 'account ' || key FROM accounts",
        "SELECT id, 'department ' || contract_id || code FROM departments",
        "SELECT l.id, 'link ' || a.key || l.from_date FROM account_links l JOIN accounts a ON a.id = l.account_id",
    ] {
        let mut statement = c.prepare(sql).unwrap();
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        names.extend(found.map(Result::unwrap));
    }
    names
}

/// Every row of every table that pages read, as text, sorted.
fn dump(directory: &Path) -> BTreeMap<String, Vec<String>> {
    let c = Connection::open(directory.join(DATABASE_FILE)).unwrap();
    let names = names(&c);
    let texts: Vec<(String, &str)> =
        names.iter().map(|(id, name)| (Uuid::from_slice(id).unwrap().to_string(), name.as_str())).collect();
    let mut tables = c.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    // What no page and no head of the log reads, and how the schema came to be.
    let left_out = ["batches", "refinery_schema_history"];
    let mut all = BTreeMap::new();
    for table in tables.into_iter().filter(|table| !left_out.contains(&table.as_str())) {
        let mut statement = c.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let mut line = String::new();
            for (place, column) in columns.iter().enumerate() {
                // The hash of an entry is over the drawn ids, too.
                if table == "audit" && column == "hash" {
                    continue;
                }
                let cell = match row.get::<_, Cell>(place).unwrap() {
                    Cell::Blob(bytes) => names.get(&bytes).cloned().unwrap_or_else(|| format!("{bytes:?}")),
                    Cell::Text(text) => texts.iter().fold(text, |text, (id, name)| text.replace(id, name)),
                    other @ (Cell::Null | Cell::Integer(_) | Cell::Real(_)) => format!("{other:?}"),
                };
                line.push_str(&format!("{column}={cell} "));
            }
            lines.push(line);
        }
        lines.sort();
        all.insert(table, lines);
    }
    all
}

#[test]
fn the_filled_store_is_what_the_intake_would_have_written() {
    // Long enough that there are settled days before the days of contact that are kept.
    let size = Size { employees: 10, punches: 40 * 85, now: NOW };
    let (quick, real) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = company::midnight(size.days()[0]).plus(-1);
    let found = |directory: &Path| {
        let store = SqliteStore::open(directory).unwrap();
        let runtime = runtime();
        let contract = runtime.block_on(people::found(&store, size, start)).unwrap();
        (Real { store, runtime }, contract)
    };
    let (sink, contract) = found(real.path());
    fill(&sink, size, contract, &mut Progress::new("real")).unwrap();
    let (store, contract) = found(quick.path());
    drop(store);
    let filler = Filler::open(quick.path(), 1 << 20).unwrap();
    fill(&filler, size, contract, &mut Progress::new("quick")).unwrap();
    filler.finish().unwrap();
    let (quick_rows, real_rows) = (dump(quick.path()), dump(real.path()));
    for table in [
        "punches",
        "events",
        "judgements",
        "contact_days",
        "missing_numbers",
        "audit",
        "account_links",
        "log_leaves",
    ] {
        assert!(!real_rows[table].is_empty(), "nothing in {table} was compared");
    }
    let results = |res: &str| real_rows["punches"].iter().filter(|row| row.contains(res)).count();
    for res in ["res=Null", "res=Integer(6)", "res=Integer(7)", "res=Integer(8)"] {
        assert!(results(res) > 0, "no punch has {res}");
    }
    for (table, rows) in &real_rows {
        assert_eq!(rows, &quick_rows[table], "{table}");
    }
    // The store is a whole one: the server can open it, finds everything in its log and signs all of it.
    drop(sink);
    let store = SqliteStore::open(quick.path()).unwrap();
    runtime().block_on(super::sign(&store, quick.path(), NOW)).unwrap();
    let look = |look| runtime().block_on(store.log_gap(contract, look)).unwrap();
    assert_eq!((look(LogLook::Places), look(LogLook::Newest)), (None, None));
    assert!(runtime().block_on(store.unsigned_months(None)).unwrap().is_empty());
    drop(store);
    let c = Connection::open(quick.path().join(DATABASE_FILE)).unwrap();
    let count = |sql: &str| c.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        count("SELECT count(*) FROM log_leaves"),
        count("SELECT (SELECT count(*) FROM audit WHERE contract_id IS NOT NULL) + count(*) FROM events")
    );
    let signed =
        "SELECT sum(size) FROM (SELECT max(size) AS size FROM log_heads GROUP BY contract_id, month)";
    assert_eq!(count(signed), count("SELECT count(*) FROM log_leaves"));
}

#[test]
fn the_company_is_the_same_each_time() {
    let size = Size { employees: 60, punches: 500, now: NOW };
    let made = || {
        let mut pcs: Vec<_> = (0..60).map(company::Pc::new).collect();
        let days = size.days();
        let mut all = Vec::new();
        for (index, date) in days.iter().enumerate() {
            let day = company::Day { size, contract: ContractId(1), index, days: days.len(), date: *date };
            for pc in &mut pcs {
                all.extend(day.batch(pc).unwrap().map(|batch| format!("{batch:?}")));
            }
        }
        all
    };
    let once = made();
    assert!(once.len() > 100);
    assert_eq!(once, made());
}
