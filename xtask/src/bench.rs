//! `cargo xtask bench pages`: server time of every page with ten million punches in the store.
//! `cargo xtask bench backups`: time and memory of a backup and its check, of large databases.
//! `cargo xtask bench recovery`: how long the agent takes to read its journal after an unclean end.
//!
//! The programs are examples of the crates: `crates/server/examples/{pages,backups}`, `crates/agent/examples/recovery.rs`.
//! The first fails when a page takes too long; the others print a table and judge nothing.

use anyhow::bail;

use crate::process;

/// Hands the options on: `--punches N`, `--requests N`, `--only NAME`, `--keep`, `--docs FILE` and so on; numbers of
/// frames. Each is built as it is shipped.
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    let (profile, package, example, options) = match words {
        ["pages", options @ ..] => ("release", "mngntime-server", "pages", options),
        ["backups", options @ ..] => ("release", "mngntime-server", "backups", options),
        ["recovery", frames @ ..] => ("agent", "mngntime-agent", "recovery", frames),
        _ => bail!("usage: cargo xtask bench pages [OPTIONS] | backups [EVENTS ...] | recovery [FRAMES ...]"),
    };
    let fixed = ["run", "--quiet", "--profile", profile, "--package", package, "--example", example, "--"];
    process::run("cargo", &[&fixed[..], options].concat())
}
