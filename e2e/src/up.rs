//! `mngntime up` of a test's own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::{server::mngntime, signal};

/// Everything on this machine, as a newcomer starts it.
pub struct Up {
    process: Child,
    line: String,
}

impl Up {
    /// Starts it and waits for its line.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn start(data: &Path, bus_address: &str) -> Result<Self> {
        let mut process = Command::new(mngntime()?)
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus_address)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let up = Self { process, line: line.trim_end().to_owned() };
        if !up.line.starts_with("ready ") {
            bail!("mngntime up did not become ready: {:?}", up.line);
        }
        Ok(up)
    }

    /// The line it printed.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// A value of the line.
    ///
    /// # Errors
    /// When it is not there.
    pub fn value(&self, name: &str) -> Result<&str> {
        self.line
            .split(' ')
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .with_context(|| format!("no {name} in {:?}", self.line))
    }

    /// Ends it with SIGTERM; whether it ended well.
    ///
    /// # Errors
    /// When the OS refuses.
    pub fn stop(mut self) -> Result<bool> {
        signal(&self.process, Signal::TERM)?;
        Ok(self.process.wait()?.success())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = signal(&self.process, Signal::TERM);
        let _ = self.process.wait();
    }
}
