//! `mngntime sim --load`: how much a server takes, and how long it takes over it.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ValueEnum;
use mngntime_sim::load::{Enrolling, Plan, Report, Server, Shape, Step, enroll, run as send};
use mngntime_wire::limits::BATCH_EVENTS_MAX;
use serde_json::json;

use super::{Arguments, BadUse, contract};

/// Connections that are kept, when nothing else is said.
const CONNECTIONS: usize = 256;

/// Connections at the same time when each request has its own: no more than a server takes by default.
const CONNECTIONS_AT_ONCE: usize = 4_096;

/// Events of each terminal after an outage, when nothing else is said.
const BACKLOG: u32 = 20;

/// Fresh punches a second during a recovery, when nothing else is said.
const FRESH_PER_SECOND: f64 = 100.0;

/// Terminals that send the fresh punches of a recovery; they are enrolled beside those of the outage.
const FRESH_TERMINALS: usize = 100;

/// How often a line in a file says how far it is.
const LINE_IN_FILE: Duration = Duration::from_secs(10);

/// Kinds of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Punches at a constant rate, however long the answers take
    Rate,
    /// As much as goes: each connection sends the next batch when the last one is answered
    Maximum,
    /// Nine o'clock: one logon of each terminal within some seconds, each over a new connection
    Herd,
    /// After an outage: what each terminal has gathered, while others send fresh punches
    Recovery,
}

/// The load's own options.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Load")]
pub struct Options {
    /// Send a load instead of playing an office; latencies count from the planned time of each request
    #[arg(long, value_enum, value_name = "MODE")]
    pub load: Option<Mode>,
    /// Requests a second (rate); fresh punches a second (recovery, 100 by default)
    #[arg(long, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Length of the run (rate, maximum); time within which everybody logs on (herd)
    #[arg(long, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Connections at the same time, at most: 256 that are kept, or 4096 new ones
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    connections: Option<u32>,
    /// A new connection for each request, without TLS resumption (rate, maximum, recovery)
    #[arg(long)]
    new_connections: bool,
    /// Events of a request (rate, maximum: 1 by default; recovery: as many as there are, up to 100)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=BATCH_EVENTS_MAX as i64))]
    batch: Option<u32>,
    /// Events that each terminal has gathered during the outage (recovery, 20 by default)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    backlog: Option<u32>,
    /// Write the figures into this file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    /// Without `--load` its options would be passed over in silence.
    pub fn refuse_without_load(&self) -> Result<(), BadUse> {
        let given = self.given();
        match (self.load, given.first()) {
            (None, Some(option)) => {
                Err(BadUse(format!("{option} belongs to a load: add --load rate, maximum, herd or recovery")))
            }
            _ => Ok(()),
        }
    }

    fn given(&self) -> Vec<&'static str> {
        let all = [
            ("--rate", self.rate.is_some()),
            ("--seconds", self.seconds.is_some()),
            ("--connections", self.connections.is_some()),
            ("--new-connections", self.new_connections),
            ("--batch", self.batch.is_some()),
            ("--backlog", self.backlog.is_some()),
            ("--json", self.json.is_some()),
        ];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }

    /// The plan for a mode.
    fn plan(&self, mode: Mode, seed: u64) -> Result<Plan, BadUse> {
        self.refuse_what_is_not_of(mode)?;
        let shape = match mode {
            Mode::Rate => Shape::Rate {
                per_second: positive("--rate", self.rate, "punches a second")?,
                seconds: positive("--seconds", self.seconds, "length of the run")?,
            },
            Mode::Maximum => {
                Shape::Maximum { seconds: positive("--seconds", self.seconds, "length of the run")? }
            }
            Mode::Herd => {
                let meaning = "time within which everybody logs on";
                Shape::Herd { seconds: positive("--seconds", self.seconds, meaning)? }
            }
            Mode::Recovery => Shape::Recovery {
                backlog: self.backlog.unwrap_or(BACKLOG) as usize,
                fresh_per_second: positive("--rate", self.rate.or(Some(FRESH_PER_SECOND)), "fresh punches")?,
                fresh_terminals: FRESH_TERMINALS,
            },
        };
        let connection_for_each = self.new_connections || mode == Mode::Herd;
        let usual = if connection_for_each { CONNECTIONS_AT_ONCE } else { CONNECTIONS };
        let batch = match mode {
            Mode::Rate | Mode::Maximum | Mode::Herd => 1,
            Mode::Recovery => BATCH_EVENTS_MAX,
        };
        Ok(Plan {
            shape,
            connections: self.connections.map_or(usual, |number| number as usize),
            connection_for_each,
            batch: self.batch.map_or(batch, |number| number as usize),
            seed,
        })
    }

    fn refuse_what_is_not_of(&self, mode: Mode) -> Result<(), BadUse> {
        let reasons: &[(&str, &str)] = match mode {
            Mode::Rate => &[("--backlog", "only a recovery has a backlog")],
            Mode::Maximum => &[
                ("--rate", "it sends as fast as it is answered"),
                ("--backlog", "only a recovery has a backlog"),
            ],
            Mode::Herd => &[
                ("--rate", "the number of terminals and --seconds decide it"),
                ("--batch", "each terminal sends one logon"),
                ("--backlog", "only a recovery has a backlog"),
                ("--new-connections", "each logon has one anyway"),
            ],
            Mode::Recovery => &[("--seconds", "it ends when everything has its receipt")],
        };
        let given = self.given();
        let Some((option, reason)) = reasons.iter().find(|(option, _)| given.contains(option)) else {
            return Ok(());
        };
        let name = mode.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        Err(BadUse(format!("leave out {option} with --load {name}: {reason}")))
    }
}

fn positive(option: &str, value: Option<f64>, meaning: &str) -> Result<f64, BadUse> {
    match value {
        Some(number) if number.is_finite() && number > 0.0 => Ok(number),
        Some(number) => {
            Err(BadUse(format!("{option} {number} cannot be: it must be more than 0 ({meaning})")))
        }
        None => Err(BadUse(format!("this load needs {option} ({meaning})"))),
    }
}

/// Enrols the terminals, sends the load, and prints what came of it.
pub fn run(arguments: &Arguments, mode: Mode) -> anyhow::Result<()> {
    let seed = arguments.seed.map_or_else(drawn, Ok)?;
    let plan = arguments.load.plan(mode, seed)?;
    let contract = contract(arguments)?;
    let mut server = Server::at(&arguments.url, arguments.ca_file.as_deref())
        .map_err(|error| BadUse(format!("--url or --ca-file cannot be used: {error:#}")))?;
    let beside = if mode == Mode::Recovery { FRESH_TERMINALS } else { 0 };
    let enrolling = Enrolling {
        contract: contract.to_string(),
        enrollment_key: arguments.enrollment_key.clone(),
        terminals: arguments.terminals as usize + beside,
        seed,
    };
    let shown = Shown::default();
    let begun = Instant::now();
    let mut terminals = enroll(&mut server, &enrolling, &|step| shown.show(step))?;
    let enrolling_seconds = begun.elapsed().as_secs_f64();
    let report = send(&server, &mut terminals, &plan, &|step| shown.show(step))?;
    let enrolled = terminals.len();
    super::super::print(|out| {
        write!(out, "{report}")?;
        writeln!(out, "enrolled: {enrolled} terminals in {enrolling_seconds:.1} s, seed {seed}")
    })?;
    if let Some(file) = &arguments.load.json {
        write_json(file, mode, &plan, &report, (enrolled, enrolling_seconds))?;
    }
    refuse_lost(&report)
}

/// Terminals of a new seed have no story yet.
fn drawn() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    // A number that people can type again.
    Ok(u64::from_le_bytes(bytes) % 1_000_000_000)
}

fn write_json(
    file: &Path,
    mode: Mode,
    plan: &Plan,
    report: &Report,
    (terminals, enrolling_seconds): (usize, f64),
) -> anyhow::Result<()> {
    let name = mode.to_possible_value().map(|value| value.get_name().to_owned());
    let value = json!({
        "load": name,
        "terminals": terminals,
        "connections": plan.connections,
        "connection_for_each_request": plan.connection_for_each,
        "batch_events": plan.batch,
        "seed": plan.seed,
        "enrolling_seconds": enrolling_seconds,
        "generator_was_the_limit": report.generator.was_the_limit(),
        "report": report,
    });
    let text = serde_json::to_string_pretty(&value)?;
    std::fs::write(file, text + "\n").with_context(|| format!("could not write {}", file.display()))
}

fn refuse_lost(report: &Report) -> anyhow::Result<()> {
    let lost = report.main.without_receipt()
        + report.fresh.as_ref().map_or(0, mngntime_sim::load::Figures::without_receipt);
    anyhow::ensure!(
        lost == 0,
        "{lost} events have no receipt that claims them; what happened is in the lines above. Terminals of a seed that \
         has been used before have another story already: leave out --seed"
    );
    Ok(())
}

/// Progress on standard error: a line that changes on a terminal, a line from time to time in a file.
#[derive(Default)]
struct Shown(Mutex<Option<(&'static str, Instant)>>);

impl Shown {
    fn show(&self, step: Step) {
        let is_terminal = std::io::stderr().is_terminal();
        let is_whole = step.done == step.all;
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pause = if is_terminal { Duration::from_millis(100) } else { LINE_IN_FILE };
        let is_too_soon = last.is_some_and(|(what, at)| what == step.what && at.elapsed() < pause);
        if is_too_soon && !is_whole {
            return;
        }
        *last = Some((step.what, Instant::now()));
        let Step { what, done, all } = step;
        let (begin, end) = match (is_terminal, is_whole) {
            (true, false) => ("\r", ""),
            (true, true) => ("\r", "\n"),
            (false, _) => ("", "\n"),
        };
        // Who does not look at it misses nothing.
        let _ = write!(std::io::stderr(), "{begin}{what}: {done} of {all}{end}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: &Options, mode: Mode) -> String {
        options.plan(mode, 1).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_combination_is_refused_with_a_sentence() {
        let with_rate = Options { rate: Some(5.0), seconds: Some(1.0), ..Options::default() };
        let said = refused(&with_rate, Mode::Maximum);
        assert_eq!(said, "leave out --rate with --load maximum: it sends as fast as it is answered");
        assert!(refused(&with_rate, Mode::Herd).contains("--seconds decide it"));
        assert!(refused(&with_rate, Mode::Recovery).contains("leave out --seconds"));
        assert!(refused(&Options::default(), Mode::Rate).contains("needs --rate"));
        let no_length = Options { rate: Some(5.0), ..Options::default() };
        assert!(refused(&no_length, Mode::Rate).contains("needs --seconds"));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let said = refused(&Options { seconds: Some(wrong), ..Options::default() }, Mode::Maximum);
            assert!(said.contains("must be more than 0"), "{said}");
        }
        let batched = Options { batch: Some(2), seconds: Some(1.0), ..Options::default() };
        assert!(refused(&batched, Mode::Herd).contains("each terminal sends one logon"));
        let error = no_length.refuse_without_load().unwrap_err().to_string();
        assert!(error.contains("--rate belongs to a load"), "{error}");
        Options::default().refuse_without_load().unwrap();
    }

    #[test]
    fn each_mode_has_its_own_usual_values() {
        let options = Options { seconds: Some(30.0), ..Options::default() };
        let herd = options.plan(Mode::Herd, 7).unwrap();
        assert_eq!((herd.connections, herd.connection_for_each, herd.batch), (4_096, true, 1));
        let maximum = options.plan(Mode::Maximum, 7).unwrap();
        assert_eq!((maximum.connections, maximum.connection_for_each, maximum.batch), (256, false, 1));
        let recovery = Options::default().plan(Mode::Recovery, 7).unwrap();
        assert_eq!(recovery.batch, 100);
        let backlog = Shape::Recovery { backlog: 20, fresh_per_second: 100.0, fresh_terminals: 100 };
        assert_eq!(recovery.shape, backlog);
    }
}
