//! An office of many PCs, played by a few threads as fast as the server takes it.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use mngntime_agent::config::{Config, ProxySetting};
use mngntime_agent::transport::Client;
use mngntime_model::{ContractCode, UtcMillis};

use crate::pc::{Pc, Tally};
use crate::random::Chance;
use crate::script::script;

/// PCs that talk at the same time. More only queue up at a server on the same machine.
const THREADS_MAX: usize = 32;

/// What to play.
#[derive(Debug, Clone)]
pub struct Office {
    /// Address of the server.
    pub url: String,
    /// Contract to enrol with.
    pub contract: ContractCode,
    /// Its enrolment key.
    pub enrollment_key: String,
    /// Only certificate authorities to trust, for a server with a certificate of its own.
    pub ca_file: Option<std::path::PathBuf>,
    /// Number of PCs.
    pub terminals: usize,
    /// Days up to now.
    pub days: u32,
    /// The same seed gives the same office, and the same terminals.
    pub seed: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// PCs that have played all their days.
    pub done: usize,
    /// PCs in all.
    pub terminals: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report {
    /// Events recorded by the PCs.
    pub events: u64,
    /// Events with a valid receipt.
    pub receipted: u64,
    /// Events still without one at the end.
    pub waiting: u64,
    /// Requests made.
    pub requests: u64,
    /// Requests without a valid answer.
    pub failed_requests: u64,
    /// Time taken.
    pub elapsed: Duration,
}

/// Plays the office.
///
/// # Errors
/// When the first PC cannot be enrolled (wrong address, contract or key), or a journal fails.
pub fn run(office: &Office, now: UtcMillis, progress: &(dyn Fn(Progress) + Sync)) -> anyhow::Result<Report> {
    let config = config(office)?;
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let tallies = Mutex::new(Vec::new());
    let failure = Mutex::new(None);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS_MAX.min(office.terminals) {
            scope.spawn(|| {
                let client = Client::new(&config);
                while let Some(number) = take(&next, office.terminals) {
                    match play_one(number, office, now, &config, &client) {
                        Ok(tally) => push(&tallies, tally),
                        Err(error) => {
                            set(&failure, error.context(format!("simulated PC {}", number + 1)));
                            next.store(office.terminals, Ordering::Relaxed);
                        }
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress(Progress { done, terminals: office.terminals });
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_default() {
        return Err(error);
    }
    Ok(report(&tallies.into_inner().unwrap_or_default(), began.elapsed()))
}

fn take(next: &AtomicUsize, end: usize) -> Option<usize> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    (number < end).then_some(number)
}

fn push(tallies: &Mutex<Vec<(Tally, u64)>>, tally: (Tally, u64)) {
    tallies.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(tally);
}

fn set(failure: &Mutex<Option<anyhow::Error>>, error: anyhow::Error) {
    failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
}

fn play_one(
    number: usize,
    office: &Office,
    now: UtcMillis,
    config: &Config,
    client: &Client,
) -> anyhow::Result<(Tally, u64)> {
    let steps = script(number, office.days, now, &mut Chance::new(office.seed, number as u64));
    let mut pc = Pc::new(number, office.seed, config, client)?;
    pc.play(&steps)?;
    if pc.tally.events > 0 && pc.tally.receipted == 0 {
        bail!(
            "the server at {} gave no receipt ({} requests failed); check --url, --contract and --enrollment-key",
            office.url,
            pc.tally.failed_requests
        );
    }
    Ok((pc.tally, pc.waiting()))
}

fn config(office: &Office) -> anyhow::Result<Config> {
    let mut config = Config::defaults(Path::new("command line"));
    config.server_url = Some(office.url.trim_end_matches('/').to_owned());
    config.contract_code = Some(office.contract.clone());
    config.enrollment_key = Some(office.enrollment_key.clone());
    config.proxy = ProxySetting::None;
    config.ca_file.clone_from(&office.ca_file);
    if office.terminals == 0 || office.days == 0 {
        bail!("there must be at least one terminal and one day");
    }
    Ok(config)
}

fn report(tallies: &[(Tally, u64)], elapsed: Duration) -> Report {
    let mut report = Report { elapsed, ..Report::default() };
    for (tally, waiting) in tallies {
        report.events += tally.events;
        report.receipted += tally.receipted;
        report.requests += tally.requests;
        report.failed_requests += tally.failed_requests;
        report.waiting += waiting;
    }
    report
}
