//! `cargo xtask bench pages`: server time of every page with ten million punches in the store.
//! `cargo xtask bench recovery`: how long the agent takes to read its journal after an unclean end.
//!
//! The programs are in `crates/server/examples/pages`, which fails when a page takes too long, and in
//! `crates/agent/examples/recovery.rs`, which prints a table and judges nothing.

use anyhow::bail;

use crate::process;

/// Hands the options on: `--punches N`, `--requests N`, `--only NAME`, `--keep`, `--docs FILE` and so on; numbers of
/// frames. Each is built as it is shipped.
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    let (profile, package, example, options) = match words {
        ["pages", options @ ..] => ("release", "mngntime-server", "pages", options),
        ["recovery", frames @ ..] => ("agent", "mngntime-agent", "recovery", frames),
        _ => bail!("there are two measurements: bench pages [OPTIONS], bench recovery [FRAMES ...]"),
    };
    let fixed = ["run", "--quiet", "--profile", profile, "--package", package, "--example", example, "--"];
    process::run("cargo", &[&fixed[..], options].concat())
}
