//! `mngntime sim`: a simulated office against a running server.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context as _;
use mngntime_model::ContractCode;
use mngntime_sim::{Office, Progress};

use super::BadUse;
use crate::app::system_clock;

/// PCs that can be played on one machine: each is a journal in memory of some hundred kilobytes.
const TERMINALS_MAX: usize = 10_000;

/// Days that can be played.
const DAYS_MAX: u32 = 366;

/// Arguments of `sim`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address of the server.
    #[arg(long)]
    url: String,
    /// Code of the contract the PCs enrol with.
    #[arg(long)]
    contract: String,
    /// Its enrolment key.
    #[arg(long)]
    enrollment_key: String,
    /// Number of PCs.
    #[arg(long, default_value_t = 20)]
    terminals: usize,
    /// Days up to now.
    #[arg(long, default_value_t = 10)]
    days: u32,
    /// The same seed gives the same office, and the same terminals.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// PEM file with the only certificate authorities to trust.
    #[arg(long)]
    ca_file: Option<PathBuf>,
}

/// Plays the office and prints one line with what came of it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let office = office(arguments)?;
    super::install_tls_provider()?;
    let report = mngntime_sim::run(&office, system_clock()(), &show)
        .context("the simulated office could not be played; check --url, --contract and --enrollment-key")?;
    println!(
        "events={} receipted={} waiting={} requests={} failed-requests={} seconds={:.1}",
        report.events,
        report.receipted,
        report.waiting,
        report.requests,
        report.failed_requests,
        report.elapsed.as_secs_f64()
    );
    if report.waiting > 0 {
        anyhow::bail!("{} events are still without a receipt", report.waiting);
    }
    Ok(())
}

fn office(arguments: &Arguments) -> Result<Office, BadUse> {
    if !(1..=TERMINALS_MAX).contains(&arguments.terminals) {
        return Err(BadUse(format!("--terminals must be 1 to {TERMINALS_MAX}")));
    }
    if !(1..=DAYS_MAX).contains(&arguments.days) {
        return Err(BadUse(format!("--days must be 1 to {DAYS_MAX}")));
    }
    Ok(Office {
        url: arguments.url.clone(),
        contract: ContractCode::new(&arguments.contract).map_err(|error| BadUse(error.to_string()))?,
        enrollment_key: arguments.enrollment_key.clone(),
        ca_file: arguments.ca_file.clone(),
        terminals: arguments.terminals,
        days: arguments.days,
        seed: arguments.seed,
    })
}

/// How far it is, for a person who watches.
fn show(progress: Progress) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{} of {} PCs", progress.done, progress.terminals);
        if progress.done == progress.terminals {
            eprintln!();
        }
    }
}
