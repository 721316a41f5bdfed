//! Reads through the store's own ports at several sizes: does it stay as quick as it was?
//!
//! The company is that of `cargo xtask bench pages`, the same ten thousand people for fewer or more days, so that a person's
//! month is equally long in all. SQLite's file is filled by the intake's own functions, and then moved into PostgreSQL as
//! `mngntime migrate-store` moves it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use jiff::Timestamp;
use mngntime_model::UtcMillis;
use mngntime_store::moving::Moving;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::sqlite::filling::Filler;
use mngntime_store::{Beside, ContractId, EmployeeId, PageKey, PunchFilter, Scope, Store, postgres};

use super::super::company::{self, Size, draw};
use super::super::figure::{Figure, Goal};
use super::super::setting::{Bench, Kind};
use super::super::{fill, people, progress};

/// Page cache while the store is filled.
const CACHE_BYTES: u64 = 5 << 30;

/// Rows of a page.
const PAGE: usize = 50;

/// The page that is far from the newest.
const FAR_PAGE: usize = 10_000;

/// Rows that are passed over at a time on the way there.
const STRIDE: usize = 1_000;

/// People whose month is summed up in one go.
const PEOPLE: usize = 1_000;

const MONTH_MS: i64 = 30 * 86_400_000;

/// A store with so many punches, and what to ask of it.
struct Filled {
    store: Arc<dyn Store>,
    scope: Scope,
    employees: Vec<EmployeeId>,
    far: Option<PageKey>,
    now: UtcMillis,
}

/// What is asked, with how quick it must be.
const QUESTIONS: [(&str, f64); 5] = [
    ("first page", 1.0),
    ("newest 50 errors", 1.0),
    ("page 10,000", 1.0),
    ("one person's month", 3.0),
    ("1,000 persons' day summary for a month", 80.0),
];

pub fn ten_million(bench: &Bench, kind: Kind) -> Result<Vec<Figure>> {
    at(bench, kind, bench.pick(40_000, 10_000_000), "10 million")
}

pub fn hundred_million(bench: &Bench, kind: Kind) -> Result<Vec<Figure>> {
    at(bench, kind, bench.pick(40_000, 100_000_000), "100 million")
}

fn at(bench: &Bench, kind: Kind, punches: u64, words: &str) -> Result<Vec<Figure>> {
    let small = measured(bench, kind, bench.pick(20_000, 1_000_000))?;
    let large = measured(bench, kind, punches)?;
    let mut figures = Vec::new();
    for (((question, most), before), after) in QUESTIONS.iter().zip(small).zip(large) {
        let name = format!("{question}, p95 at {words} punches, {}", kind.name());
        let growth = Figure::of(format!("growth of: {name}"), "ms", &[after])
            .beside("the same at 1 million", &[before])
            .with_goal(Goal::TimesAtMost(1.5));
        figures.push(Figure::of(name, "ms", &[after]).with_goal(Goal::AtMost(*most)));
        figures.push(growth);
    }
    Ok(figures)
}

/// The 95th percentile of each question, in milliseconds.
fn measured(bench: &Bench, kind: Kind, punches: u64) -> Result<Vec<f64>> {
    let directory = bench.scratch()?;
    let now = company::midnight(mngntime_store::local_date(UtcMillis(Timestamp::now().as_millisecond())))
        .plus(21 * 3_600_000);
    let size = Size { employees: bench.pick(200, 10_000), punches, now };
    bench.say(&format!("{punches} punches into SQLite"));
    let contract = make(directory.path(), size)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ask = |store: Arc<dyn Store>| -> Result<Vec<f64>> {
        bench.say("what is asked");
        runtime.block_on(async {
            let filled = Filled::of(store, contract, now, punches).await?;
            let mut all = Vec::new();
            for number in 0..QUESTIONS.len() {
                all.push(filled.p95_ms(bench, number).await?);
            }
            Ok(all)
        })
    };
    match kind {
        Kind::Sqlite => ask(Arc::new(SqliteStore::open(directory.path())?)),
        Kind::Postgres => {
            bench.say("the same into PostgreSQL");
            let name = format!("reads_{punches}");
            bench.cluster().create(&name, None);
            let url = bench.cluster().url(&name);
            let mut moving = Moving::begin(directory.path(), &url)?;
            moving.copy(&mut |_| {})?;
            moving.close_source()?;
            // Its file is not needed any more, and the disk is.
            drop(directory);
            bench.cluster().ask(&name, "VACUUM ANALYZE");
            let asked = ask(Arc::new(postgres::open(&url)?))?;
            bench.cluster().ask("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
            Ok(asked)
        }
    }
}

fn make(directory: &Path, size: Size) -> Result<ContractId> {
    let first = *size.days().first().context("there must be a punch")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let contract = runtime.block_on(async {
        let store = SqliteStore::open(directory)?;
        people::found(&store, size, company::midnight(first).plus(-1)).await
    })?;
    let filler = Filler::open(directory, CACHE_BYTES)?;
    fill::fill(&filler, size, contract, &mut progress::Progress::new("filling the store"))?;
    filler.finish()?;
    Ok(contract)
}

impl Filled {
    async fn of(store: Arc<dyn Store>, contract: ContractId, now: UtcMillis, punches: u64) -> Result<Self> {
        let scope = Scope::from(contract);
        let employees = store.list_employees(scope, None, PEOPLE).await?;
        ensure!(!employees.is_empty(), "the store has no employees");
        let employees = employees.into_iter().map(|employee| employee.id).collect();
        // Half of a small store, when it has no such page.
        let depth = (FAR_PAGE * PAGE).min(usize::try_from(punches / 2)?);
        let mut far = None;
        for _ in 0..depth.div_ceil(STRIDE) {
            let page =
                store.list_punches(scope, PunchFilter::default(), far.map(Beside::After), STRIDE).await?;
            far = page.rows.last().map(|punch| PageKey {
                occurred_at: punch.occurred_at,
                terminal: punch.terminal,
                sequence: punch.sequence,
            });
        }
        Ok(Self { store, scope, employees, far, now })
    }

    async fn p95_ms(&self, bench: &Bench, question: usize) -> Result<f64> {
        let mut histogram = Histogram::<u64>::new(3)?;
        let times = if question == 4 { bench.pick(1, 20) } else { bench.pick(20, 500) };
        for time in 0..times {
            let begun = Instant::now();
            self.ask(question, time).await?;
            histogram.record(u64::try_from(begun.elapsed().as_nanos())?.max(1))?;
        }
        Ok(histogram.value_at_quantile(0.95) as f64 / 1e6)
    }

    async fn ask(&self, question: usize, time: u64) -> Result<()> {
        let errors = PunchFilter { errors_only: true, ..PunchFilter::default() };
        let (filter, beside) = match question {
            0 => (PunchFilter::default(), None),
            1 => (errors, None),
            2 => (PunchFilter::default(), self.far.map(Beside::After)),
            3 => return self.month(usize::try_from(draw(50, time, 0))? % self.employees.len()).await,
            _ => return self.summaries().await,
        };
        let page = self.store.list_punches(self.scope, filter, beside, PAGE).await?;
        ensure!(!page.rows.is_empty(), "the page is empty");
        Ok(())
    }

    async fn month(&self, number: usize) -> Result<()> {
        let employee = self.employees[number];
        let span = (self.now.plus(-MONTH_MS), self.now);
        self.store.person_record(self.scope.contract, employee, span).await?;
        Ok(())
    }

    async fn summaries(&self) -> Result<()> {
        let [from, to] = [self.now.plus(-MONTH_MS), self.now].map(mngntime_store::local_date);
        let page = self.store.day_summaries(self.scope, None, PEOPLE, (from, to)).await?;
        ensure!(page.rows.iter().any(|person| !person.days.is_empty()), "nobody has a day");
        Ok(())
    }
}
