//! `cargo xtask bench pages`: server time of every page with ten million punches in the store.
//!
//! The program, its store and its pages are in `crates/server/examples/pages`. It fails when a page takes too long.

use anyhow::bail;

use crate::process;

/// Hands the options on: `--punches N`, `--requests N`, `--only NAME`, `--keep`, `--docs FILE` and so on.
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    let ["pages", options @ ..] = words else {
        bail!("there is one measurement: bench pages [OPTIONS]");
    };
    let fixed = ["run", "--quiet", "--release", "--package", "mngntime-server", "--example", "pages", "--"];
    process::run("cargo", &[&fixed[..], options].concat())
}
