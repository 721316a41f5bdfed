//! Durable punches over connections that are kept: as many as go, at a given rate, in batches.

use anyhow::{Context as _, Result};
use mngntime_sim::load::{Plan, Report, Shape, Terminal};

use super::super::figure::{Figure, Goal, median};
use super::super::processor::{self, Used};
use super::super::reference::{self, Work};
use super::super::served::{Served, doubts, maximum};
use super::super::setting::{Bench, Kind};

/// Connections of the single punches.
const CONNECTIONS: usize = 256;

/// Connections of the batches: more of them would only wait.
const BATCH_CONNECTIONS: usize = 32;

/// Events of a batch.
pub const BATCH: usize = 100;

/// 60 million in an hour.
const NINE_O_CLOCK_PER_SECOND: f64 = 60e6 / 3600.0;

/// The share of a planned rate that counts as that rate: the last answers come after the last planned time.
const AS_PLANNED: f64 = 0.99;

/// Several runs of the same plan, none of which lost anything, each behind `beside`; and what the server used for them.
fn runs(
    bench: &Bench,
    served: &Served,
    terminals: &mut [Terminal],
    plan: &Plan,
    mut beside: impl FnMut() -> Result<()>,
) -> Result<(Vec<Report>, Used)> {
    let (mut reports, mut spent) = (Vec::new(), Used::new());
    for _ in 0..bench.runs {
        beside()?;
        let before = processor::used(served.pid())?;
        reports.push(served.load(terminals, plan)?);
        processor::add_spent(&mut spent, &before, &processor::used(served.pid())?);
    }
    for report in &reports {
        let micros = report.generator.processor_seconds * 1e6;
        *spent.entry("generator".to_owned()).or_default() += micros.round() as u64;
    }
    Ok((reports, spent))
}

/// A figure of the main lane of all runs.
pub fn of(reports: &[Report], value: impl Fn(&Report) -> f64) -> Vec<f64> {
    reports.iter().map(value).collect()
}

/// Single punches on one store: the most, the rate of nine o'clock, and half of the most.
pub fn single(bench: &Bench, kind: Kind) -> Result<Vec<Figure>> {
    let name = kind.name();
    let (served, mut terminals) = Served::start(bench, kind, bench.pick(512, 4_000))?;
    let mut references = Vec::new();
    let plan = maximum(bench, bench.pick(32, CONNECTIONS), 1);
    bench.say("as many single punches as go, and the reference");
    let ((most, spent), reference_name, times) = match kind {
        Kind::Postgres => {
            let postgres = reference::Postgres::new(bench)?;
            let clients = postgres.best_clients(bench, Work::One)?;
            let most = runs(bench, &served, &mut terminals, &plan, || {
                references.push(postgres.rows_per_second(bench, Work::One, clients)?);
                Ok(())
            })?;
            (most, format!("pgbench, one INSERT … ON CONFLICT per transaction, {clients} clients"), 1.2)
        }
        Kind::Sqlite => {
            let most = runs(bench, &served, &mut terminals, &plan, || {
                references.push(reference::sqlite_rows_per_second(bench)?);
                Ok(())
            })?;
            (most, "one row per transaction through SQLite's C API, synchronous=FULL".to_owned(), 3.0)
        }
    };
    let events = most.iter().map(|report| report.main.stored_events).sum();
    let rates = of(&most, |report| report.main.events_per_second);
    let best = Figure::of(format!("durable single punches, {name}"), "events/s", &rates)
        .beside(reference_name, &references)
        .with_goal(Goal::TimesAtLeast(times))
        .with_note(processor::told(&spent, events));
    let p99 = of(&most, |report| report.main.latency.p99_ms);
    let mut figures = vec![
        noted(best, &most),
        noted(Figure::of(format!("its p99 at the maximum, {name}"), "ms", &p99), &most),
    ];
    figures.extend(nine_o_clock(bench, &served, &mut terminals, name)?);
    let half = median(&rates).context("there was a run")? / 2.0;
    figures.push(at_half(bench, &served, &mut terminals, name, half)?);
    Ok(figures)
}

fn noted(figure: Figure, reports: &[Report]) -> Figure {
    match doubts(reports) {
        Some(doubts) => figure.with_note(doubts),
        None => figure,
    }
}

fn at_rate(bench: &Bench, per_second: f64) -> Plan {
    let shape = Shape::Rate { per_second, seconds: bench.seconds() };
    Plan { shape, connections: CONNECTIONS, connection_for_each: false, batch: 1, seed: 1 }
}

fn nine_o_clock(
    bench: &Bench,
    served: &Served,
    terminals: &mut [Terminal],
    name: &str,
) -> Result<Vec<Figure>> {
    bench.say("the rate of 60 million in an hour");
    let plan = at_rate(bench, NINE_O_CLOCK_PER_SECOND);
    let (reports, _) = runs(bench, served, terminals, &plan, || Ok(()))?;
    let rates = of(&reports, |report| report.main.events_per_second);
    let p99 = of(&reports, |report| report.main.latency.p99_ms);
    let rate = Figure::of(format!("60 million logons in one hour, {name}"), "events/s", &rates)
        .with_goal(Goal::AtLeast((NINE_O_CLOCK_PER_SECOND * AS_PLANNED).floor()));
    let p99 = Figure::of(format!("p99 at that rate, {name}"), "ms", &p99).with_goal(Goal::AtMost(50.0));
    let planned = "16,667 punches a second are planned; the last answers come after the last planned time";
    Ok(vec![noted(rate.with_note(planned), &reports), noted(p99, &reports)])
}

fn at_half(
    bench: &Bench,
    served: &Served,
    terminals: &mut [Terminal],
    name: &str,
    half: f64,
) -> Result<Figure> {
    bench.say(&format!("half the maximum, {half:.0} punches a second"));
    let (reports, _) = runs(bench, served, terminals, &at_rate(bench, half), || Ok(()))?;
    let p99 = of(&reports, |report| report.main.latency.p99_ms);
    let figure = Figure::of(format!("p99 of a punch at half the maximum, {name}"), "ms", &p99);
    let note = format!("{half:.0} punches a second");
    Ok(noted(figure.with_goal(Goal::AtMost(10.0)).with_note(note), &reports))
}

/// Signed batches of 100 beside a statement of 100 rows.
pub fn batches(bench: &Bench) -> Result<Vec<Figure>> {
    let postgres = reference::Postgres::new(bench)?;
    let clients = postgres.best_clients(bench, Work::Many)?;
    let mut references = Vec::new();
    let mut figures = Vec::new();
    for kind in [Kind::Postgres, Kind::Sqlite] {
        let (served, mut terminals) = Served::start(bench, kind, bench.pick(128, 2_000))?;
        bench.say("as many batches as go");
        let plan = maximum(bench, bench.pick(8, BATCH_CONNECTIONS), BATCH);
        let (reports, _) = runs(bench, &served, &mut terminals, &plan, || {
            if kind == Kind::Postgres {
                references.push(postgres.rows_per_second(bench, Work::Many, clients)?);
            }
            Ok(())
        })?;
        let rates = of(&reports, |report| report.main.events_per_second);
        let figure = Figure::of(
            format!("durable punches in signed batches of 100, {}", kind.name()),
            "events/s",
            &rates,
        )
        .beside(format!("pgbench, 100 rows by unnest in a statement, {clients} clients"), &references);
        // The goal is about PostgreSQL; SQLite stands beside it.
        let figure = if kind == Kind::Postgres { figure.with_goal(Goal::TimesAtLeast(0.8)) } else { figure };
        figures.push(noted(figure, &reports));
    }
    Ok(figures)
}
