//! `cargo xtask …`: the one entry point for people and CI.
//!
//! | command | what |
//! |---|---|
//! | `tidy` | formatting, lints, the rules of `docs/architecture.md`, licences and bans |
//! | `test` | everything: installs what it needs, builds, tidy, unit and whole-system tests |
//! | `soak faults` | the long versions of the tests with failing calls, killed processes and power cuts |
//! | `soak fuzz` | every decoder and the ingest with inputs that the fuzzer makes up (`fuzz/`) |
//! | `soak` | the long run of the simulated worlds, until a violation or the end of the seeds |
//! | `bench` | the figures that the product is to reach, each beside its reference in the same run |
//! | `bench pages` | server time of every page with ten million punches in the store |
//! | `bench backups` | time and memory of a backup and its check, of large databases |
//! | `bench recovery` | how long the agent takes to read its journal after an unclean end |
//! | `dist windows` | the agent for Windows: program, message file, installers and policy templates in `dist/windows/` |
//! | `dist linux` | the agent for Debian in `dist/linux/` |

mod bench;
mod dist;
mod message_file;
mod named_tests;
mod process;
mod soak;
mod soak_faults;
mod soak_fuzz;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy | test [FILTER] | soak [--from S] [--seeds N | --minutes M] \
     | bench [--only ROW] [--runs N] [--quick] | bench pages [OPTIONS] | bench backups [EVENTS ...] | bench recovery [FRAMES ...] | soak faults [FACTOR] | soak fuzz [SECONDS] | dist windows [OPTIONS] | dist linux";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["tidy"] => tidy::run(),
        ["test", filters @ ..] => test::run(filters),
        ["soak", "faults", rest @ ..] => soak_faults::run(rest),
        ["soak", "fuzz", rest @ ..] => soak_fuzz::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["dist", rest @ ..] => dist::run(rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
