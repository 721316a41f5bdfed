//! Errors of the operating system, made by strace at chosen calls of a real program.
//!
//! A call that is hit does not reach the kernel: the program is told an error and nothing has happened. Only calls
//! on the named files count, so the program's own start (its libraries, its settings) is not what fails. strace
//! counts for each thread by itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Which calls fail, and how.
#[derive(Debug, Clone)]
pub struct Injection {
    /// Name of the system call.
    pub syscall: &'static str,
    /// Name of the error, such as `EIO`.
    pub error: &'static str,
    /// The first call that fails, from 1.
    pub first: u32,
    /// From the first on, every so many calls fail; `None`: only the first.
    pub every: Option<u32>,
    /// Further calls that always fail, and how: what a program does about the first failure fails too.
    pub besides: &'static [(&'static str, &'static str)],
    /// Only calls on these files count; empty: all.
    pub files: Vec<PathBuf>,
}

impl Injection {
    /// strace with its options; the program and its arguments follow. What happened goes to `log`.
    ///
    /// `-D`: the process that is started is the program, and strace looks on from beside it, so that signals and
    /// the exit status are the program's.
    #[must_use]
    pub fn command(&self, log: &Path) -> Command {
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-qq", "--seccomp-bpf", "-o"]).arg(log);
        for file in &self.files {
            command.arg("-P").arg(file);
        }
        let when =
            self.every.map_or_else(|| self.first.to_string(), |every| format!("{}+{every}", self.first));
        let inject = format!("inject={}:error={}:when={when}", self.syscall, self.error);
        let calls = self.besides.iter().map(|(syscall, _)| *syscall).chain([self.syscall]);
        command.args(["-e", &format!("trace={}", calls.collect::<Vec<_>>().join(",")), "-e", &inject]);
        for (syscall, error) in self.besides {
            command.args(["-e", &format!("inject={syscall}:error={error}")]);
        }
        command
    }

    /// `program` with its arguments and environment, under this injection.
    #[must_use]
    pub fn around(&self, program: &Command, log: &Path) -> Command {
        let mut command = self.command(log);
        command.arg(program.get_program()).args(program.get_args());
        let variables = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.envs(variables.map(|(name, value)| (OsString::from(name), OsString::from(value))));
        command
    }
}

/// How many calls have failed, by strace's own log.
///
/// # Errors
/// When there is no log: strace has not run.
pub fn injected(log: &Path) -> Result<usize> {
    let text = fs::read(log).with_context(|| format!("strace has left no {}", log.display()))?;
    Ok(String::from_utf8_lossy(&text).lines().filter(|line| line.ends_with("(INJECTED)")).count())
}

/// How often the busiest thread has made the call `syscall`: as far as [`Injection::first`] can go.
///
/// # Errors
/// When there is no log: strace has not run.
pub fn counted(log: &Path, syscall: &str) -> Result<u32> {
    let text = fs::read(log).with_context(|| format!("strace has left no {}", log.display()))?;
    let mut threads = BTreeMap::<String, u32>::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        if call.trim_start().starts_with(&format!("{syscall}(")) {
            *threads.entry(thread.to_owned()).or_default() += 1;
        }
    }
    Ok(threads.values().copied().max().unwrap_or(0))
}
