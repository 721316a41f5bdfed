//! `mngntime sim`: a simulated office, or a load, against a running server.

mod load;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use mngntime_model::ContractCode;
use mngntime_sim::{Office, Progress, Report};

use super::BadUse;
use crate::app::system_clock;

/// What to simulate.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address of the server, such as http://127.0.0.1:8320
    #[arg(long)]
    url: String,
    /// 契約主コード
    #[arg(long)]
    contract: String,
    /// The contract's enrolment key
    #[arg(long, env = "MNGNTIME_ENROLLMENT_KEY", hide_env_values = true)]
    enrollment_key: String,
    /// PEM file with the certificate authority of the server, when it is not the system's
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Number of PCs
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    terminals: u32,
    /// Days up to now
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3660), required_unless_present = "load", conflicts_with = "load")]
    days: Option<u32>,
    /// The same seed gives the same office and the same terminals; a load draws one by itself
    #[arg(long, required_unless_present = "load")]
    seed: Option<u64>,
    #[command(flatten)]
    load: load::Options,
}

/// Plays the office and prints what came of it in one line, or sends the load and prints its table.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.load.refuse_without_load()?;
    if let Some(mode) = arguments.load.load {
        return load::run(arguments, mode);
    }
    let office = Office {
        url: arguments.url.clone(),
        contract: contract(arguments)?,
        enrollment_key: arguments.enrollment_key.clone(),
        ca_file: arguments.ca_file.clone(),
        terminals: arguments.terminals as usize,
        days: arguments.days.context("an office has days")?,
        seed: arguments.seed.context("an office has a seed")?,
    };
    let shown = std::io::stderr().is_terminal();
    let report = mngntime_sim::run(&office, system_clock()(), &|progress| {
        if shown {
            show(progress);
        }
    })?;
    print(&report);
    if report.waiting > 0 {
        anyhow::bail!("{} events have no receipt yet", report.waiting);
    }
    Ok(())
}

fn contract(arguments: &Arguments) -> Result<ContractCode, BadUse> {
    ContractCode::new(&arguments.contract).map_err(|error| BadUse(error.to_string()))
}

fn show(progress: Progress) {
    let mut stderr = std::io::stderr();
    // A terminal that went away is no reason to stop.
    let _ = write!(stderr, "\r{}/{} PCs", progress.done, progress.terminals);
    if progress.done == progress.terminals {
        let _ = writeln!(stderr);
    }
}

fn print(report: &Report) {
    let seconds = report.elapsed.as_secs_f64();
    println!(
        "events={} receipted={} waiting={} requests={} failed_requests={} seconds={seconds:.2} events_per_second={:.0} requests_per_second={:.0}",
        report.events,
        report.receipted,
        report.waiting,
        report.requests,
        report.failed_requests,
        report.receipted as f64 / seconds,
        report.requests as f64 / seconds,
    );
}
