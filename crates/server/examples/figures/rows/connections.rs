//! A new TLS connection for each punch, beside the same server answering without storing anything.
//!
//! What answers without storing is an address of the API that is not there: a POST with a body of the same size is read to
//! its end and answered with 404 and some hundred bytes. Nothing under the API answers an empty 200 without asking the
//! store (`/healthz` writes to it), and the status costs nothing.

use anyhow::{Result, ensure};
use mngntime_sim::load::{Plan, Shape, run};

use super::super::figure::{Figure, Goal};
use super::super::served::{Served, doubts};
use super::super::setting::{Bench, Kind};

/// Connections at the same time.
const CONNECTIONS: usize = 64;

pub fn new_for_each(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in [Kind::Postgres, Kind::Sqlite] {
        let (served, mut terminals) = Served::start(bench, kind, bench.pick(256, 4_000))?;
        // What the one half sends is stored nowhere, so it may send nothing else afterwards.
        let half = terminals.len() / 2;
        let (punching, asking) = terminals.split_at_mut(half);
        let shape = Shape::Maximum { seconds: bench.seconds() };
        let plan = Plan { shape, connections: CONNECTIONS, connection_for_each: true, batch: 1, seed: 1 };
        let nothing = served.server.clone().storing_nothing("/api/v1/nothing", 404);
        let (mut reports, mut references) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs {
            let answered = run(&nothing, asking, &plan, &|_| {})?.main;
            ensure!(answered.failures.keys().all(|name| name == "status 404"), "{:?}", answered.failures);
            references.push(answered.requests_per_second);
            reports.push(served.load(punching, &plan)?);
        }
        let rates: Vec<f64> = reports.iter().map(|report| report.main.events_per_second).collect();
        let mut figure =
            Figure::of(format!("a new TLS connection for each punch, {}", kind.name()), "events/s", &rates)
                .beside("the same server and body, answered with 404 without asking the store", &references)
                .with_goal(Goal::TimesAtLeast(0.85));
        if let Some(doubts) = doubts(&reports) {
            figure = figure.with_note(doubts);
        }
        figures.push(figure);
    }
    Ok(figures)
}
