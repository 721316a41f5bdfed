//! The server when nothing happens.

use std::time::Duration;

use anyhow::Result;

use super::super::figure::{Figure, Goal};
use super::super::served::{Served, maximum};
use super::super::setting::{Bench, Kind};

pub fn memory(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (mut fresh, mut after) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs {
            let (served, mut terminals) = Served::start_cold(bench, kind, bench.pick(50, 1_000))?;
            // What it does when it starts is over then.
            let quiet = Duration::from_secs_f64(bench.pick(1.0, 15.0));
            std::thread::sleep(quiet);
            fresh.push(served.memory_mb("VmRSS")?);
            served.load(&mut terminals, &maximum(bench, bench.pick(8, 256), 1))?;
            std::thread::sleep(quiet);
            after.push(served.memory_mb("VmRSS")?);
            served.stop()?.drop_database(bench);
        }
        let name = |what: &str| format!("server, resident memory {what}, {}", kind.name());
        figures.push(Figure::of(name("idle"), "MB", &fresh).with_goal(Goal::AtMost(30.0)));
        figures.push(Figure::of(name("idle again after as many punches as go"), "MB", &after));
    }
    Ok(figures)
}
