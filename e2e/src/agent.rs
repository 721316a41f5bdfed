//! A `mngntime-agent` of a test's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::strace::Injection;
use crate::{program, signal, wait_for};

/// An agent with its configuration and state in one directory.
pub struct Agent {
    directory: PathBuf,
    bus_address: String,
    process: Option<Child>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Agent {
    /// Prepares an agent; `values` are lines of its configuration besides `state_dir`.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn create(directory: &Path, bus_address: &str, values: &str) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let agent = Self {
            directory: directory.to_owned(),
            bus_address: bus_address.to_owned(),
            process: None,
            lines: Arc::default(),
        };
        agent.configure(values)?;
        Ok(agent)
    }

    /// Replaces the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, values: &str) -> Result<()> {
        let proxy = if values.contains("proxy = ") { "" } else { "proxy = \"none\"\n" };
        let text = format!(
            "state_dir = \"{}\"\n{proxy}reconcile_seconds = 30\nheartbeat_seconds = 1\nretry_cap_seconds = 2\n{values}",
            self.state().display()
        );
        fs::write(self.config(), text).context("cannot write the agent's configuration")
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("config.toml")
    }

    /// Its state directory.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    /// The program with its configuration, for a command in an environment of the test's own.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn command(&self) -> Result<Command> {
        // Measurements name the build that is shipped.
        let named = std::env::var_os("MNGNTIME_AGENT").map(PathBuf::from);
        let mut command =
            Command::new(named.map_or_else(|| program(&crate::profile(), "mngntime-agent"), Ok)?);
        command.arg("--config").arg(self.config()).env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus_address);
        Ok(command)
    }

    /// Starts `run`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let command = self.command()?;
        self.start_with(command)
    }

    /// Starts `run` in an OS run of its own: the agent sees `boot` as the kernel's boot id.
    ///
    /// # Errors
    /// When the OS grants no mount namespace.
    pub fn start_in_boot(&mut self, boot: &str) -> Result<()> {
        let file = self.directory.join("boot_id");
        fs::write(&file, format!("{boot}\n"))?;
        let agent = self.command()?;
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--map-root-user", "sh", "-c"])
            .arg("mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"")
            .arg(&file)
            .arg(agent.get_program())
            .args(agent.get_args())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus_address);
        self.start_with(command).context("cannot start unshare")
    }

    /// Starts `run` so that it is killed at its `number`-th call of `syscall`.
    ///
    /// # Errors
    /// When strace is missing.
    pub fn start_to_die(&mut self, syscall: &str, number: u32) -> Result<()> {
        let agent = self.command()?;
        let mut command = Command::new("strace");
        command
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={syscall}")])
            .args(["-e", &format!("inject={syscall}:signal=KILL:when={number}")])
            // Should strace be ended from outside, the agent ends with it.
            .args(["setpriv", "--pdeathsig", "KILL"])
            .arg(agent.get_program())
            .args(agent.get_args())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus_address);
        self.start_with(command).context("cannot start strace; run the tests with: cargo xtask test")
    }

    /// Starts `run` so that some of its system calls fail; what strace saw goes to `log`.
    ///
    /// # Errors
    /// When strace is missing.
    pub fn start_failing(&mut self, injection: &Injection, log: &Path) -> Result<()> {
        let command = injection.around(&self.command()?, log);
        self.start_with(command).context("cannot start strace; run the tests with: cargo xtask test")
    }

    /// Whether it has ended by itself within `patience`.
    ///
    /// # Errors
    /// When the OS does not say.
    pub fn has_died_within(&mut self, patience: Duration) -> Result<bool> {
        let deadline = Instant::now() + patience;
        let Some(process) = self.process.as_mut() else { return Ok(true) };
        while process.try_wait()?.is_none() {
            if Instant::now() > deadline {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.process = None;
        Ok(true)
    }

    /// Starts `run` of [`Self::command`], or of a command around it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(&mut self, mut command: Command) -> Result<()> {
        let mut process = command.arg("run").stderr(Stdio::piped()).spawn()?;
        let output = process.stderr.take().context("the agent has no standard error")?;
        let lines = Arc::clone(&self.lines);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        self.process = Some(process);
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When the OS refuses.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Ends it in order; whether it ended well.
    ///
    /// # Errors
    /// When the OS refuses.
    pub fn stop(&mut self) -> Result<bool> {
        let Some(mut process) = self.process.take() else {
            return Ok(true);
        };
        // Before it listens for the signal, the signal just ends it.
        wait_for("the agent to listen for SIGTERM", || {
            Ok(listens_or_is_another(&mut process)?.then_some(()))
        })?;
        signal(&process, Signal::TERM)?;
        Ok(process.wait()?.success())
    }

    /// Process id while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Runs another command of the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, words: &[&str]) -> Result<Output> {
        Ok(self.command()?.args(words).output()?)
    }

    /// The same with variables in its environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Result<Output> {
        Ok(self.command()?.args(words).envs(variables.iter().copied()).output()?)
    }

    /// Everything it has written to the event log so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line that holds all of `words`.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_for_line(&self, words: &[&str]) -> Result<String> {
        let found = wait_for(&format!("a line with {words:?}"), || {
            Ok(self.lines().into_iter().find(|line| words.iter().all(|word| line.contains(word))))
        });
        found.with_context(|| format!("lines there are:\n{}", self.lines().join("\n")))
    }

    /// Waits until it is enrolled and everything has its receipt.
    ///
    /// # Errors
    /// When that does not come.
    pub fn wait_until_idle(&self) -> Result<()> {
        wait_for("every event to have its receipt", || {
            let status = String::from_utf8(self.run(&["status"])?.stdout)?;
            let enrolled =
                status.lines().any(|line| line.starts_with("terminal") && !line.contains("not enrolled"));
            Ok((enrolled && self.waiting()? == 0).then_some(()))
        })
        .with_context(|| format!("lines there are:\n{}", self.lines().join("\n")))
    }

    /// How many events wait for a receipt, by `status`.
    ///
    /// # Errors
    /// When `status` fails.
    pub fn waiting(&self) -> Result<u64> {
        let output = String::from_utf8(self.run(&["status"])?.stdout)?;
        output
            .lines()
            .find_map(|line| line.strip_prefix("waiting")?.trim().parse().ok())
            .with_context(|| format!("status does not say how much waits: {output}"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Whether the process catches SIGTERM (signal 15, bit 14 of the kernel's mask), has ended, or is no agent but a tracer.
fn listens_or_is_another(process: &mut Child) -> Result<bool> {
    if process.try_wait()?.is_some() {
        return Ok(true);
    }
    let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let value =
        |field: &str| status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default().trim();
    let caught = u64::from_str_radix(value("SigCgt:"), 16)?;
    Ok(value("Name:") == "strace" || caught & (1 << 14) != 0)
}
