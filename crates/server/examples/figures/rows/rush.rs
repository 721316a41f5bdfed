//! Everybody at once: nine o'clock, and the hour after an outage.

use anyhow::{Result, ensure};
use mngntime_sim::load::{Plan, Report, Shape, Terminal, run};

use super::super::figure::{Figure, Goal};
use super::super::served::{Served, doubts, maximum};
use super::super::setting::{Bench, Kind};
use super::punches::{BATCH, of};

/// Connections at the same time at nine o'clock, at most: what a server takes by default.
const HERD_CONNECTIONS: usize = 8_000;

/// Connections during a recovery.
const RECOVERY_CONNECTIONS: usize = 64;

/// Events that each terminal has gathered.
const BACKLOG: usize = 20;

/// Terminals that send fresh punches meanwhile.
const FRESH_TERMINALS: usize = 100;

/// One logon of each terminal within half a minute.
pub fn herd(bench: &Bench, kind: Kind) -> Result<Vec<Figure>> {
    let count = bench.pick(500, 100_000);
    let (served, mut terminals) = Served::start(bench, kind, count)?;
    let shape = Shape::Herd { seconds: bench.pick(2.0, 30.0) };
    let plan = Plan { shape, connections: HERD_CONNECTIONS, connection_for_each: true, batch: 1, seed: 1 };
    bench.say("nine o'clock");
    let reports = (0..bench.runs)
        // What was lost is a figure here.
        .map(|_| run(&served.server, &mut terminals, &plan, &|_| {}))
        .collect::<Result<Vec<_>>>()?;
    let name = |what: &str| format!("9:00, {what}, {}", kind.name());
    let stored = of(&reports, |report| report.main.stored_events as f64);
    let p99 = of(&reports, |report| report.main.latency.p99_ms);
    let errors = of(&reports, |report| report.main.server_errors() as f64);
    let memory = [served.memory_mb("VmHWM")?];
    let seconds = bench.pick("2", "30");
    let what = format!("{count} terminals, one logon each within {seconds} s, new TLS connections");
    let all = Figure::of(name("stored and receipted"), "events", &stored)
        .with_goal(Goal::AtLeast(count as f64))
        .with_note(what);
    Ok(vec![
        noted(all, &reports),
        noted(Figure::of(name("p99"), "ms", &p99).with_goal(Goal::AtMost(1_000.0)), &reports),
        Figure::of(name("answers 5xx"), "answers", &errors).with_goal(Goal::AtMost(0.0)),
        Figure::of(name("server's largest resident memory"), "MB", &memory).with_goal(Goal::AtMost(150.0)),
    ])
}

/// A hundred thousand terminals with twenty events each, while others log on: over connections that are kept, and over
/// a new one for each.
pub fn recovery(bench: &Bench, kind: Kind) -> Result<Vec<Figure>> {
    let count = bench.pick(300, 100_000);
    let mut outages =
        [false, true].map(|connection_for_each| Outage { connection_for_each, ..Outage::default() });
    for _ in 0..bench.runs {
        // Each on new data: all of them together would be tens of gigabytes.
        let (served, mut terminals) = Served::start(bench, kind, count + FRESH_TERMINALS)?;
        for outage in &mut outages {
            outage.passes(bench, &served, &mut terminals, count)?;
        }
        served.stop()?.drop_database(bench);
    }
    Ok(outages.into_iter().flat_map(|outage| outage.figures(kind, count)).collect())
}

/// What was measured after an outage.
#[derive(Default)]
struct Outage {
    connection_for_each: bool,
    reports: Vec<Report>,
    references: Vec<f64>,
}

impl Outage {
    fn passes(
        &mut self,
        bench: &Bench,
        served: &Served,
        terminals: &mut [Terminal],
        count: usize,
    ) -> Result<()> {
        bench.say("batches of 100, then the recovery");
        let (backlog, _) = terminals.split_at_mut(count);
        let batches = served.load(backlog, &maximum(bench, RECOVERY_CONNECTIONS.min(count), BATCH))?;
        self.references.push(batches.main.events_per_second);
        let fresh_per_second = bench.pick(50.0, 100.0);
        let shape = Shape::Recovery { backlog: BACKLOG, fresh_per_second, fresh_terminals: FRESH_TERMINALS };
        let connection_for_each = self.connection_for_each;
        let plan =
            Plan { shape, connections: RECOVERY_CONNECTIONS, connection_for_each, batch: BATCH, seed: 1 };
        let report = served.load(terminals, &plan)?;
        ensure!(report.main.stored_events == (count * BACKLOG) as u64, "some events were not sent");
        self.reports.push(report);
        Ok(())
    }

    fn figures(self, kind: Kind, count: usize) -> [Figure; 2] {
        let Self { connection_for_each, reports, references } = self;
        let how =
            if connection_for_each { "a new TLS connection for each terminal" } else { "kept connections" };
        let name = |what: &str| format!("{what}, {how}, {}", kind.name());
        let rates = of(&reports, |report| report.main.events_per_second);
        let fresh = |report: &Report| report.fresh.as_ref().map_or(f64::NAN, |fresh| fresh.latency.p99_ms);
        let of_fresh = of(&reports, fresh);
        let rate = Figure::of(
            name(&format!("recovery of {count} terminals with {BACKLOG} events each")),
            "events/s",
            &rates,
        )
        .beside("batches of 100 on the same server and store", &references)
        .with_goal(Goal::TimesAtLeast(0.8))
        .with_note("a terminal's events are one signed batch");
        let fresh = Figure::of(name("p99 of fresh punches during the recovery"), "ms", &of_fresh);
        [noted(rate, &reports), noted(fresh.with_goal(Goal::AtMost(2_000.0)), &reports)]
    }
}

fn noted(figure: Figure, reports: &[Report]) -> Figure {
    match doubts(reports) {
        Some(doubts) => figure.with_note(doubts),
        None => figure,
    }
}
