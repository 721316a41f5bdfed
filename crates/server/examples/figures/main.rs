//! The figures that the product is to reach, each beside its reference in the same run: `cargo xtask bench`.
//!
//! Each row makes its own data in a directory of its own, starts `mngntime serve` on it as people start it (a process, TLS,
//! SQLite or a PostgreSQL that is synced to disk), and drives it by [`mngntime_sim::load`] from this process. References
//! run in turn with what they are compared with. All of it is on one machine, so that the ratios count rather than the
//! figures. A row that fails, or is left out, stands in the table with its reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the cluster of the tests ends when something is wrong"
)]

#[path = "../../../store/tests/suite/cluster.rs"]
mod cluster;
#[path = "../pages/company.rs"]
#[allow(dead_code, reason = "the pages' own measurement uses all of it")]
mod company;
mod figure;
#[path = "../pages/fill.rs"]
#[allow(dead_code, reason = "the pages' own measurement uses all of it")]
mod fill;
mod office;
#[path = "../pages/people.rs"]
#[allow(dead_code, reason = "the pages' own measurement uses all of it")]
mod people;
mod processor;
#[path = "../pages/progress.rs"]
mod progress;
mod reference;
mod rows;
mod served;
mod setting;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use figure::Figure;
use rows::Row;
use setting::Bench;
use table::Results;

/// The figures that the product is to reach, each beside its reference in the same run.
#[derive(Debug, Parser)]
struct Arguments {
    /// Runs of each row, of which the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Only this row; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// A short look at whether everything works: one small run of each row. Its figures mean nothing, and are not written.
    #[arg(long)]
    quick: bool,
    /// Say which rows there are.
    #[arg(long)]
    list: bool,
    /// Where the data goes, on a disk that syncs; it must be passable for the user postgres.
    #[arg(long, default_value = "target/bench")]
    directory: PathBuf,
    /// Where the figures go for programs, row by row; those that were not measured this time stay.
    #[arg(long, default_value = "bench/results.json")]
    json: PathBuf,
    /// Write the table of all that is known into this document, too, between its two marks.
    #[arg(long)]
    docs: Option<PathBuf>,
    /// The server's program; by default the one built with this one.
    #[arg(long)]
    program: Option<PathBuf>,
    /// The agent's program.
    #[arg(long, default_value = "target/agent/mngntime-agent")]
    agent: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        rows::all().iter().for_each(|row| println!("{:18} {}", row.name, row.what));
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let rows = chosen(rows::all(), &arguments.only)?;
    std::fs::create_dir_all(&arguments.directory)?;
    let directory = arguments.directory.canonicalize()?;
    let kind = table::file_system(&directory);
    ensure!(
        !kind.starts_with("tmpfs"),
        "{} is in memory: name a directory on a disk with --directory",
        directory.display()
    );
    // The cluster's data, too.
    tempfile::env::override_temp_dir(&directory)
        .map_err(|_| anyhow::anyhow!("a directory is named already"))?;
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => built()?,
    };
    let runs = if arguments.quick { 1 } else { usize::from(arguments.runs) };
    if let Some(document) = &arguments.docs {
        table::check_document(document)?;
    }
    let mut results = if arguments.quick { Results::default() } else { Results::read(&arguments.json)? };
    let bench = Bench::new(runs, arguments.quick, directory, program, arguments.agent.clone());
    let machine = table::machine(&bench.directory)?;
    let mut shown = Results::default();
    for (row, is_named) in &rows {
        let load_before = table::load()?;
        let mut figures = measure(&bench, row, *is_named);
        for figure in &mut figures {
            figure.row = row.name.to_owned();
            (figure.machine, figure.load_before) = (machine.clone(), load_before.clone());
        }
        shown.rows.extend(figures.iter().cloned());
        results.put(row.name, figures);
        // At once: who breaks off keeps what was measured.
        if !arguments.quick {
            results.write(&arguments.json)?;
        }
    }
    println!("{}\n{}", table::heading(&shown.machines(), runs), table::markdown(&shown.rows));
    if arguments.quick {
        eprintln!("a quick look: its figures mean nothing, and nothing was written");
        return refuse_broken(&shown.rows);
    }
    if let Some(document) = &arguments.docs {
        let text =
            format!("{}\n{}", table::heading(&results.machines(), runs), table::markdown(&results.rows));
        table::write_into(document, &text)?;
    }
    Ok(())
}

/// The rows to show, and whether each was named.
fn chosen(all: Vec<Row>, only: &[String]) -> Result<Vec<(Row, bool)>> {
    for name in only {
        let known: Vec<&str> = all.iter().map(|row| row.name).collect();
        ensure!(known.contains(&name.as_str()), "there is no row {name}; there are {}", known.join(", "));
    }
    let is_named = |row: &Row| only.iter().any(|name| name == row.name);
    Ok(all
        .into_iter()
        .filter(|row| only.is_empty() || is_named(row))
        .map(|row| {
            let is_named = is_named(&row);
            (row, is_named)
        })
        .collect())
}

/// The figures of a row; of one that fails, the reason.
fn measure(bench: &Bench, row: &Row, is_named: bool) -> Vec<Figure> {
    if let Some(why) = row.only_by_name.filter(|_| !is_named) {
        return vec![Figure::not_measured(row.what, "", why)];
    }
    eprintln!("{}: {}", row.name, row.what);
    let begun = Instant::now();
    let measured = catch_unwind(AssertUnwindSafe(|| (row.measure)(bench)))
        .unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked; why is said above")));
    eprintln!("{}: {:.0} s", row.name, begun.elapsed().as_secs_f64());
    measured.unwrap_or_else(|error| {
        eprintln!("{}: {error:#}", row.name);
        vec![Figure::not_measured(row.what, "", format!("{FAILED} {}", one_line(&format!("{error:#}"))))]
    })
}

/// A reason short enough for a table: all of it is said above.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(REASON_CHARS_MAX).collect()
}

/// The longest reason in the table.
const REASON_CHARS_MAX: usize = 200;

/// Begins the reason of a row that broke.
const FAILED: &str = "it failed:";

/// A quick look is there to find rows that do not work.
fn refuse_broken(figures: &[Figure]) -> Result<()> {
    let broken: Vec<&str> = figures
        .iter()
        .filter(|figure| figure.note.as_ref().is_some_and(|note| note.contains(FAILED)))
        .map(|figure| figure.name.as_str())
        .collect();
    ensure!(broken.is_empty(), "rows that do not work: {}", broken.join("; "));
    Ok(())
}

/// `mngntime`, built beside this program: `target/release/examples/figures` and `target/release/mngntime`.
fn built() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let directory = own.parent().and_then(Path::parent).context("this program is in a directory")?;
    let program = directory.join("mngntime");
    ensure!(program.exists(), "{} is not there: build it, or name one with --program", program.display());
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_take_hours_are_left_out_unless_they_are_named() {
        let directory = std::env::temp_dir();
        let bench = Bench::new(1, true, directory.clone(), directory.clone(), directory);
        let left_out = |row: &Row| row.only_by_name.is_some();
        let all = chosen(rows::all(), &[]).unwrap();
        for (row, is_named) in all.iter().filter(|(row, _)| left_out(row)) {
            let figures = measure(&bench, row, *is_named);
            assert!(figures[0].note.as_ref().unwrap().contains(&format!("--only {}", row.name)));
        }
        assert_eq!(all.iter().filter(|(row, _)| left_out(row)).count(), 3);
        let named = chosen(rows::all(), &["agent-hour".to_owned()]).unwrap();
        assert!(named.len() == 1 && named[0].1);
        assert!(chosen(rows::all(), &["agent-day".to_owned()]).is_err());
    }

    #[test]
    fn a_row_that_fails_stands_in_the_table_with_its_reason_and_fails_a_quick_look() {
        let directory = std::env::temp_dir();
        let bench = Bench::new(1, true, directory.clone(), directory.clone(), directory);
        let broken =
            Row { name: "x", what: "broken", only_by_name: None, measure: |_| anyhow::bail!("no disk") };
        let figures = measure(&bench, &broken, false);
        assert_eq!(figures[0].note.as_deref(), Some("not measured: it failed: no disk"));
        assert!(refuse_broken(&figures).unwrap_err().to_string().contains("broken"));
    }
}
