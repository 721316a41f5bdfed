//! The long run: worlds of many PCs and many days, seed after seed (`cargo xtask soak`).
//!
//! Ends at the first violation, with the seed and its whole story in a file; `--keep-going` lists all of them.

#[path = "../tests/worlds/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mngntime_sim::world::crash_points::{Counted, Thoroughness, enumerate};
use mngntime_sim::world::{Failure, Plan, Report, play};
use server::RealServer;

const DAY_MS: u64 = 86_400_000;
/// All workloads of up to four of the four operations that matter most, and of up to three of all seven.
const EVERYTHING: [Thoroughness; 2] = [
    Thoroughness { operations_max: 4, kinds: 4, stride_bytes: 31 },
    Thoroughness { operations_max: 3, kinds: 7, stride_bytes: 31 },
];

/// What was asked for.
struct Wanted {
    from: u64,
    seeds: u64,
    minutes: Option<u64>,
    plan: Plan,
    keep_going: bool,
    crash_points: bool,
}

/// All worlds together.
#[derive(Default)]
struct Sum {
    worlds: u64,
    report: Report,
    crashes: u64,
    faults: u64,
    failures: Vec<(String, u64)>,
}

fn main() -> anyhow::Result<()> {
    let wanted = wanted()?;
    let began = Instant::now();
    if wanted.crash_points {
        for thoroughness in EVERYTHING {
            let Counted { workloads, crash_points, states } =
                enumerate(thoroughness).map_err(anyhow::Error::msg)?;
            println!("workloads={workloads} crash_points={crash_points} disk_states={states}");
        }
    }
    let next = AtomicU64::new(wanted.from);
    let sum = Mutex::new(Sum::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| work(&wanted, began, &next, &sum))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a world panicked")))
    })?;
    let sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    show(&sum, began.elapsed());
    if !sum.failures.is_empty() {
        bail!("{} worlds went wrong", sum.failures.len());
    }
    Ok(())
}

fn work(wanted: &Wanted, began: Instant, next: &AtomicU64, sum: &Mutex<Sum>) -> anyhow::Result<()> {
    let limit = wanted.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let over = limit.is_some_and(|limit| began.elapsed() > limit);
        if over || (limit.is_none() && seed >= wanted.from + wanted.seeds) {
            return Ok(());
        }
        let mut server = RealServer::start().context("the server of a world")?;
        let played = play(seed, &wanted.plan, &mut server);
        if played.is_ok() {
            server.prove().with_context(|| format!("the pack of world {seed}"))?;
        }
        let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match played {
            Ok(report) => add(&mut sum, &report),
            Err(failure) => {
                let path = keep(&failure)?;
                eprintln!("{failure}\n  story: {}", path.display());
                sum.failures.push((failure.assertion.to_owned(), failure.seed));
                if !wanted.keep_going {
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
    }
}

fn add(sum: &mut Sum, report: &Report) {
    sum.worlds += 1;
    sum.crashes += report.crashes();
    sum.faults += report.faults();
    sum.report.steps += report.steps;
    sum.report.terminal_ms += report.terminal_ms;
    sum.report.events += report.events;
    sum.report.stays += report.stays;
    sum.report.disk_operations += report.disk_operations;
    for (what, count) in &report.counts {
        *sum.report.counts.entry(what).or_default() += count;
    }
}

fn show(sum: &Sum, took: Duration) {
    let Sum { worlds, report, crashes, faults, failures } = sum;
    for (what, count) in &report.counts {
        println!("{count:>9}  {what}");
    }
    let mut by_assertion: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (assertion, seed) in failures {
        by_assertion.entry(assertion).or_default().push(*seed);
    }
    for (assertion, seeds) in &by_assertion {
        println!("{:>9}  VIOLATED {assertion}: seeds {:?}", seeds.len(), &seeds[..seeds.len().min(12)]);
    }
    println!(
        "seeds={worlds} terminal_days={} steps={} events={} stays={} disk_operations={} crashes={crashes} faults={faults} violations={} seconds={:.0}",
        report.terminal_ms / DAY_MS,
        report.steps,
        report.events,
        report.stays,
        report.disk_operations,
        failures.len(),
        took.as_secs_f64(),
    );
}

/// Writes the story of a failure where a person finds it.
fn keep(failure: &Failure) -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/worlds");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("world-{}.log", failure.seed));
    fs::write(&path, format!("{failure}\n\n{}\n{failure}\n", failure.story.join("\n")))?;
    Ok(path)
}

fn wanted() -> anyhow::Result<Wanted> {
    let mut wanted = Wanted {
        from: 1,
        seeds: 200,
        minutes: None,
        plan: Plan::long(),
        keep_going: false,
        crash_points: true,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().context("a number is missing")?.parse::<u64>().context("no number");
        match word.as_str() {
            "--from" => wanted.from = number()?,
            "--seeds" => wanted.seeds = number()?,
            "--minutes" => wanted.minutes = Some(number()?),
            "--short" => wanted.plan = Plan::short(),
            "--no-crash-points" => wanted.crash_points = false,
            "--keep-going" => wanted.keep_going = true,
            _ => bail!(
                "usage: soak [--from S] [--seeds N | --minutes M] [--short] [--keep-going] [--no-crash-points]"
            ),
        }
    }
    Ok(wanted)
}
