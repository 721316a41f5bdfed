//! `cargo xtask soak`: simulated worlds against the real server, for as long as there is time.
//!
//! The worlds are in `crates/sim/src/world`, the program in `crates/sim/examples/soak.rs`. A violation ends the run;
//! its seed plays the same world again, and its whole story is in `target/worlds/`.

use crate::process;

/// Hands the options on: `--from S`, `--seeds N`, `--minutes M`, `--short`, `--keep-going`.
pub fn run(options: &[&str]) -> anyhow::Result<()> {
    let fixed = ["run", "--quiet", "--package", "mngntime-sim", "--example", "soak", "--"];
    process::run("cargo", &[&fixed[..], options].concat())
}
