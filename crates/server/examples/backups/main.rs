//! How long a backup and its check take, and in how much memory: `cargo xtask bench backups`.
//!
//! For each number of events a server's data directory is filled by the real router: signed batches of a logon and a
//! logoff, as PCs send them, their receipts, and a head of the log for every thousand events, over a year. Then a process
//! of its own makes the backup (which checks what it has written), and another one checks it again, as somebody does who
//! has only the backup. Wall time, processor time and the largest resident memory are those of these processes, by Linux.
//! Two numbers of events show whether the memory grows with the database.

mod fill;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use mngntime_server::app::system_clock;
use mngntime_server::backup::{self, verify::verify};

/// Which process this is, when it is not the first one.
const BACKUP: &str = "backup";
const VERIFY: &str = "verify";

/// Backup and check of large databases.
#[derive(Debug, Parser)]
struct Arguments {
    /// Events in the database; each number is a measurement of its own.
    #[arg(default_values_t = [100_000, 1_000_000], value_parser = clap::value_parser!(u64).range(1_000..))]
    events: Vec<u64>,
    /// Where database and backup go, one after the other: some 5 KB for each event.
    #[arg(long, default_value = "target/bench-backups")]
    directory: PathBuf,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [BACKUP, data, out] => {
            work(|| Ok(backup::make(data.as_ref(), out.as_ref(), system_clock()()).map(drop)?))
        }
        [VERIFY, directory] => work(|| Ok(verify(directory.as_ref()).map(drop)?)),
        _ => run(&Arguments::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench backups: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    println!("| events | database | what | time | processor | events/s | largest memory |");
    println!("|---|---|---|---|---|---|---|");
    for &events in &arguments.events {
        if arguments.directory.exists() {
            std::fs::remove_dir_all(&arguments.directory)?;
        }
        std::fs::create_dir_all(&arguments.directory)?;
        let (data, out) = (arguments.directory.join("data"), arguments.directory.join("backup"));
        std::fs::create_dir(&data)?;
        fill::fill(&data, events)?;
        let bytes = std::fs::metadata(data.join(mngntime_store::sqlite::DATABASE_FILE))?.len();
        let made = Measured::of(&[BACKUP.as_ref(), &data, &out])?;
        let checked = Measured::of(&[VERIFY.as_ref(), &out])?;
        for (what, measured) in [("backup with its check", made), ("check", checked)] {
            println!("| {events} | {} MB | {what} | {} |", bytes / 1_000_000, measured.cells(events));
        }
    }
    Ok(std::fs::remove_dir_all(&arguments.directory)?)
}

/// What a process took.
#[derive(Debug, Clone, Copy)]
struct Measured {
    seconds: f64,
    processor_seconds: f64,
    memory_kb: u64,
}

impl Measured {
    /// Runs this program again with these words.
    fn of(words: &[&Path]) -> Result<Self> {
        let begun = Instant::now();
        let program = std::env::current_exe()?;
        let output = Command::new(program).args(words).stderr(Stdio::inherit()).output()?;
        let seconds = begun.elapsed().as_secs_f64();
        ensure!(output.status.success(), "{words:?} failed");
        let text = String::from_utf8(output.stdout)?;
        let [processor, memory] = text.split_whitespace().collect::<Vec<_>>()[..] else {
            bail!("{words:?} said {text:?}");
        };
        Ok(Self { seconds, processor_seconds: processor.parse()?, memory_kb: memory.parse()? })
    }

    fn cells(&self, events: u64) -> String {
        let rate = events as f64 / self.seconds;
        format!(
            "{:.1} s | {:.1} s | {rate:.0} | {:.1} MB",
            self.seconds,
            self.processor_seconds,
            self.memory_kb as f64 / 1e3
        )
    }
}

/// Does the work, and prints what this process took for it: seconds of the processor, and kB of memory at most.
fn work(job: impl FnOnce() -> Result<()>) -> Result<()> {
    job()?;
    println!("{} {}", processor_seconds()?, memory_kb()?);
    Ok(())
}

/// User and system time of this process.
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Behind the name, which may hold anything: state is the third field, utime and stime the 14th and 15th (proc(5)).
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |field: usize| -> Result<f64> {
        Ok(fields.get(field - 3).context("/proc/self/stat is short")?.parse()?)
    };
    const TICKS_PER_SECOND: f64 = 100.0; // on every Linux for user space
    Ok((ticks(14)? + ticks(15)?) / TICKS_PER_SECOND)
}

fn memory_kb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    line.trim().trim_end_matches(" kB").parse().context("VmHWM is no number")
}
