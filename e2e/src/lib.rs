//! Real programs, driven from tests.
//!
//! `cargo xtask test` builds the programs and prepares the VM image, Wine and Chromium; a test that finds
//! something missing says so and fails. Every process started here is ended by its own id.

pub mod agent;
pub mod bus;
pub mod fake_proxy;
pub mod fake_server;
pub mod office;
pub mod server;
pub mod stored;
pub mod strace;
pub mod terminal;
pub mod tmpfs;
pub mod up;
#[path = "../vm/vm.rs"]
pub mod vm;
pub mod windows_pc;
#[path = "../wine/wine.rs"]
pub mod wine;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for something that takes milliseconds on a quiet machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The repository.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// Where cargo puts what it builds.
#[must_use]
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Which build the tests drive: `debug`, or what `MNGNTIME_E2E_PROFILE` says (measurements use `release`).
#[must_use]
pub fn profile() -> String {
    std::env::var("MNGNTIME_E2E_PROFILE").unwrap_or_else(|_| "debug".to_owned())
}

/// A program of the workspace, built by `cargo xtask test`.
///
/// # Errors
/// When it has not been built.
pub fn program(profile: &str, name: &str) -> Result<PathBuf> {
    let path = target_dir().join(profile).join(name);
    if !path.exists() {
        bail!("{} is missing; run the tests with: cargo xtask test", path.display());
    }
    Ok(path)
}

/// How much of a long test to run: `cargo xtask soak faults` says more than 1, and everything else is the short
/// version.
#[must_use]
pub fn soak() -> u32 {
    std::env::var("MNGNTIME_SOAK").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

/// Waits until `check` gives something.
///
/// # Errors
/// When it has not within [`PATIENCE`], or `check` fails.
pub fn wait_for<T>(what: &str, mut check: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check().with_context(|| format!("while waiting for {what}"))? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited {PATIENCE:?} for {what}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Makes `to` a copy of the directory `from`, in place of whatever was there.
///
/// # Errors
/// What the OS says.
pub fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir(to)?;
    std::fs::set_permissions(to, std::fs::metadata(from)?.permissions())?;
    for entry in std::fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            copy_directory(&path, &to.join(name))?;
        } else {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Sends a signal to a child of ours.
///
/// # Errors
/// When the OS refuses.
pub fn signal(child: &Child, signal: Signal) -> Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process has no id")?;
    kill_process(pid, signal).context("cannot signal a process")
}
