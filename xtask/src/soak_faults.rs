//! `cargo xtask soak faults [FACTOR]`: the long versions of the tests that make real programs fail.
//!
//! Calls that fail, killed processes, backups under load, power cuts of a virtual machine. The same tests run with
//! `cargo xtask test` in their short version; here each is played FACTOR times as long (20: about an hour), and
//! what came of it is printed. MNGNTIME_SEED chooses the moments of kills and cuts.

use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{root, run as execute};
use crate::test::install_packages;

/// How much longer than the short version, when nothing is said.
const FACTOR: &str = "20";

/// The tests that have a long version.
const TESTS: &str = "binary(agent_faults) + binary(server_faults) + binary(backup) + binary(clock) + binary(vm) \
                     + test(killed_under_load_it_loses_no_event_it_has_acknowledged)";

/// Runs them.
pub fn run(factor: &[&str]) -> anyhow::Result<()> {
    let factor = match factor {
        [] => FACTOR,
        [factor] if factor.parse::<u32>().is_ok_and(|factor| factor > 0) => factor,
        _ => {
            bail!("usage: cargo xtask soak faults [FACTOR]; FACTOR is a number from 1, {FACTOR} without one")
        }
    };
    install_packages()?;
    execute("cargo", &["build", "--quiet", "--workspace", "--bins"])?;
    execute("cargo", &["build", "--quiet", "--profile", "agent", "--package", "mngntime-agent"])?;
    execute("e2e/vm/make-image.sh", &["target/vm"])?;
    let status = Command::new("cargo")
        .args([
            "nextest",
            "run",
            "--profile",
            "soak",
            "--package",
            "mngntime-e2e",
            "--package",
            "mngntime-server",
        ])
        // One after the other: what is measured is not to wait for its neighbour.
        .args(["--test-threads", "1", "--success-output", "immediate", "--filterset", TESTS])
        .env("MNGNTIME_SOAK", factor)
        .current_dir(root())
        .status()
        .context("cannot start cargo nextest")?;
    if !status.success() {
        bail!("something was lost, doubled or not told; what the tests said is above");
    }
    Ok(())
}
