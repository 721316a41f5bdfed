//! Server time of every page with ten million punches in the store: `cargo xtask bench pages`.
//!
//! Makes the store of a company by the intake's own functions ([`fill`]) and signs its evidence log, starts the server in a process of its own (this
//! program again, with `serve`, which is all that `mngntime serve` is), asks every page many times with other arguments
//! each time ([`pages`]), and fails when one takes longer than it may ([`table::LIMIT_MS`]). With `--docs` the figures go
//! into that document. Nothing of this is in the server's program.

mod company;
mod fill;
mod measure;
mod pages;
mod people;
mod progress;
mod table;
#[cfg(test)]
mod tests;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use jiff::Timestamp;
use mngntime_model::UtcMillis;
use mngntime_server::log_heads::LogHeads;
use mngntime_server::server_key;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::sqlite::filling::Filler;

use company::Size;
use table::Figures;

/// Page cache while the store is filled: keys come in no order, and the parts of the indexes that they go to should stay
/// in memory.
const CACHE_BYTES: u64 = 5 << 30;

/// Server time of every page with a large store.
#[derive(Debug, Parser)]
struct Arguments {
    /// Punches in the store, at least.
    #[arg(long, default_value_t = 10_000_000)]
    punches: u64,
    /// Employees, and as many terminals.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(50..))]
    employees: u64,
    /// Requests to each page.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Where the store goes; one that is there and whole is used again. About 1.5 KB for each punch.
    #[arg(long, default_value = "target/bench-pages")]
    directory: PathBuf,
    /// Keep the store for another measurement.
    #[arg(long)]
    keep: bool,
    /// Only pages whose name holds this.
    #[arg(long)]
    only: Option<String>,
    /// Write the table into this document.
    #[arg(long)]
    docs: Option<PathBuf>,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == "serve") {
        return mngntime_server::commands::main();
    }
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench pages: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every page was fast enough.
fn run(arguments: &Arguments) -> Result<bool> {
    let whole = arguments.directory.join("filled");
    if !whole.exists() {
        make(arguments)?;
        std::fs::write(&whole, "")?;
    }
    let world = world::World::read(&arguments.directory)?;
    let mut pages = pages::pages();
    if let Some(only) = &arguments.only {
        pages.retain(|page| page.name.contains(only.as_str()));
    }
    let load = load()?;
    let server = measure::Server::start(&arguments.directory)?;
    let measured = measure::measure(&server, &world, &pages, usize::try_from(arguments.requests)?);
    server.stop()?;
    let all = measured?;
    let text = format!("{}\n{}", heading(arguments, &world, &load, &self::load()?)?, table::markdown(&all));
    println!("{text}");
    measure::refuse_failures(&all)?;
    if let Some(docs) = &arguments.docs {
        table::write_into(docs, &text)?;
    }
    if !arguments.keep {
        std::fs::remove_dir_all(&arguments.directory)?;
    }
    Ok(report_slow(&all))
}

fn report_slow(all: &[Figures]) -> bool {
    let slow: Vec<_> = all.iter().filter(|figures| figures.is_slow()).collect();
    for figures in &slow {
        eprintln!("over {} ms at p95: {} ({})", table::LIMIT_MS, figures.page, figures.role);
    }
    slow.is_empty()
}

/// Makes the store anew.
fn make(arguments: &Arguments) -> Result<()> {
    let directory = &arguments.directory;
    if directory.exists() {
        std::fs::remove_dir_all(directory).context("could not remove an unfinished store")?;
    }
    std::fs::create_dir_all(directory)?;
    // The whole of today is there, whatever the time of the measurement: it is what the strip above the list counts.
    let today = mngntime_store::local_date(UtcMillis(Timestamp::now().as_millisecond()));
    let now = company::midnight(today).plus(21 * 3_600_000);
    let size = Size { employees: arguments.employees, punches: arguments.punches, now };
    let first = *size.days().first().context("there must be a punch")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let contract = runtime.block_on(async {
        let store = SqliteStore::open(directory)?;
        people::found(&store, size, company::midnight(first).plus(-1)).await
    })?;
    let filler = Filler::open(directory, CACHE_BYTES)?;
    fill::fill(&filler, size, contract, &mut progress::Progress::new("filling the store"))?;
    filler.finish()?;
    let store = SqliteStore::open(directory)?;
    runtime.block_on(people::settle(&store, size, contract))?;
    runtime.block_on(sign(&store, directory, now))
}

/// Signs the evidence log, as the server would have done over the years: else the one that is measured would begin with it.
async fn sign(store: &SqliteStore, directory: &Path, now: UtcMillis) -> Result<()> {
    let key = server_key::load_or_make(directory)?;
    Ok(LogHeads::default().sign_all(store, &key, || now).await?)
}

/// The machine's load over one and five minutes.
fn load() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(", "))
}

/// What was measured, where, and how.
fn heading(arguments: &Arguments, world: &world::World, before: &str, after: &str) -> Result<String> {
    let counts: Vec<String> = world.counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let processor = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let model = model.trim_start_matches(['\t', ' ', ':']);
    let cores = std::thread::available_parallelism()?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) >> 20;
    Ok(format!(
        "`cargo xtask bench pages` in a release build: {requests} requests to each page, one after the other on one connection, \
         each with other arguments; files a tenth of it. Milliseconds from the request to the last byte of the answer, \
         compressed, and processor time of the server. The limit is {limit} ms at p95.\n\n\
         In the store ({size:.1} GB): {counts}. Everybody's reach is the contract; the approver's is {approver}. \
         Looks at a record are written into the audit log as always.\n\n\
         Machine: {cores} cores ({model}), {memory} GiB of memory, Linux; load average (1, 5 minutes) before {before}, after {after}.\n",
        requests = arguments.requests,
        limit = table::LIMIT_MS,
        size = world.bytes as f64 / 1e9,
        counts = counts.join(", "),
        approver = pages::approver_of(),
    ))
}
