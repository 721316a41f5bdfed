//! `cargo xtask bench`: the figures that the product is to reach, each beside its reference in the same run. Installs what
//! it compares with, builds what it measures as it is shipped, prints a table and writes `bench/results.json`; `--docs FILE`
//! puts the table into a document, `--only ROW` measures one, `--quick` only looks whether all of it works.
//! `cargo xtask bench pages`: server time of every page with ten million punches in the store.
//! `cargo xtask bench backups`: time and memory of a backup and its check, of large databases.
//! `cargo xtask bench recovery`: how long the agent takes to read its journal after an unclean end.
//!
//! The programs are examples of the crates: `crates/server/examples/{figures,pages,backups}`,
//! `crates/agent/examples/recovery.rs`. The one of the pages fails when a page takes too long; the others judge nothing.

use anyhow::bail;

use crate::process;
use crate::test::{install, missing};

/// Debian packages of what the figures are compared with, each with a file that shows that it is there.
const COMPARED: &[(&str, &str)] = &[
    ("postgresql", "/usr/lib/postgresql/15/bin/pgbench"),
    ("rsyslog", "/usr/sbin/rsyslogd"),
    ("dbus", "/usr/bin/dbus-daemon"),
    ("systemd", "/lib/systemd/systemd-logind"),
    ("util-linux", "/usr/bin/findmnt"),
];

/// Hands the options on: `--punches N`, `--requests N`, `--only NAME`, `--keep`, `--docs FILE` and so on; numbers of
/// frames. Each is built as it is shipped.
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    let (profile, package, example, options) = match words {
        ["pages", options @ ..] => ("release", "mngntime-server", "pages", options),
        ["backups", options @ ..] => ("release", "mngntime-server", "backups", options),
        ["recovery", frames @ ..] => ("agent", "mngntime-agent", "recovery", frames),
        [] => return figures(words),
        [option, ..] if option.starts_with('-') => return figures(words),
        _ => bail!(
            "usage: cargo xtask bench [OPTIONS] | pages [OPTIONS] | backups [EVENTS ...] | recovery [FRAMES ...]"
        ),
    };
    let fixed = ["run", "--quiet", "--profile", profile, "--package", package, "--example", example, "--"];
    process::run("cargo", &[&fixed[..], options].concat())
}

/// From nothing: what is compared with, what is measured, and the measurement.
fn figures(options: &[&str]) -> anyhow::Result<()> {
    install(&missing(COMPARED))?;
    let build = ["build", "--quiet", "--locked"];
    let server = ["--release", "--package", "mngntime-server", "--bin", "mngntime", "--example", "figures"];
    process::run("cargo", &[&build[..], &server].concat())?;
    process::run("cargo", &[&build[..], &["--profile", "agent", "--package", "mngntime-agent"]].concat())?;
    process::run("target/release/examples/figures", options)
}
