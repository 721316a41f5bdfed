//! The agent when nothing happens, beside what runs on every Linux PC anyway.
//!
//! It is enrolled at a real server over TLS and watches a real systemd-logind: the machine's own, or, where none runs (a
//! container), Debian's program on a bus of this measurement's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::super::figure::{Figure, Goal};
use super::super::office::ENROLLMENT_KEY;
use super::super::processor;
use super::super::served::{Place, Served};
use super::super::setting::{Bench, Kind};

const LOGIND: &str = "/lib/systemd/systemd-logind";
const RSYSLOGD: &str = "/usr/sbin/rsyslogd";

/// Terminals in the server's store besides the agent.
const OTHERS: usize = 4;

/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);

const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=SOCKET</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>"#;

/// A process that ends with this.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Result<Self> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(quiet.spawn().with_context(|| format!("could not start {command:?}"))?))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    fn refuse_end(&mut self, what: &str) -> Result<()> {
        match self.0.try_wait()? {
            Some(status) => bail!("{what} has ended ({status})"),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The bus with logind on it.
struct Bus {
    _daemon: Option<Running>,
    _logind: Option<Running>,
    logind: u32,
    address: Option<String>,
}

impl Bus {
    fn of(directory: &Path) -> Result<Self> {
        if let Some(logind) = process_called("systemd-logind")? {
            return Ok(Self { _daemon: None, _logind: None, logind, address: None });
        }
        let (socket, config) = (directory.join("bus.sock"), directory.join("bus.conf"));
        std::fs::write(&config, BUS.replace("SOCKET", &socket.display().to_string()))?;
        let daemon =
            Running::start(Command::new("dbus-daemon").arg("--nofork").arg("--config-file").arg(config))?;
        wait("the bus", || Ok(socket.exists()))?;
        let address = format!("unix:path={}", socket.display());
        let mut command = Command::new(LOGIND);
        let logind = Running::start(command.env("DBUS_SYSTEM_BUS_ADDRESS", &address))?;
        Ok(Self {
            logind: logind.pid(),
            _daemon: Some(daemon),
            _logind: Some(logind),
            address: Some(address),
        })
    }
}

/// The process whose program has this name.
fn process_called(name: &str) -> Result<Option<u32>> {
    for entry in std::fs::read_dir("/proc")?.map_while(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while it is looked at.
        let found = std::fs::read_to_string(entry.path().join("comm"));
        if found.is_ok_and(|found| found.trim() == name) {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

fn wait(what: &str, mut is_there: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_there()? {
        ensure!(begun.elapsed() < PATIENCE, "{what} did not come within {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// An enrolled agent, and what it needs.
struct Idle {
    agent: Running,
    bus: Bus,
    _served: Served,
    directory: tempfile::TempDir,
}

impl Idle {
    fn start(bench: &Bench) -> Result<Self> {
        ensure!(
            bench.agent.exists(),
            "{} is not there: cargo build --profile agent --package mngntime-agent",
            bench.agent.display()
        );
        // A socket's name has at most 107 characters.
        let directory = tempfile::Builder::new().prefix("mt").tempdir_in("/tmp")?;
        let bus = Bus::of(directory.path())?;
        let (served, _) = Served::start(bench, Kind::Sqlite, OTHERS)?;
        let config = directory.path().join("config.toml");
        let state: PathBuf = directory.path().join("state");
        std::fs::write(
            &config,
            format!(
                "state_dir = \"{}\"\nproxy = \"none\"\nserver_url = \"{}\"\ncontract_code = \"office0\"\n\
                 enrollment_key = \"{ENROLLMENT_KEY}\"\nca_file = \"{}\"\n",
                state.display(),
                served.url,
                served.certificate.display()
            ),
        )?;
        let mut command = Command::new(&bench.agent);
        command.arg("--config").arg(&config).arg("run");
        if let Some(address) = &bus.address {
            command.env("DBUS_SYSTEM_BUS_ADDRESS", address);
        }
        let mut agent = Running::start(&mut command)?;
        let place = served.place()?;
        wait("the agent's enrolment", || {
            agent.refuse_end("the agent")?;
            Ok(terminals(place)? > OTHERS as u64)
        })?;
        Ok(Self { agent, bus, _served: served, directory })
    }
}

fn terminals(place: &Place) -> Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = place.open()?;
    Ok(runtime.block_on(store.active_terminals())?)
}

/// Resident memory of the agent, beside rsyslogd and systemd-logind.
pub fn memory(bench: &Bench) -> Result<Vec<Figure>> {
    let (mut agent, mut logind, mut rsyslogd) = (Vec::new(), Vec::new(), Vec::new());
    let quiet = Duration::from_secs_f64(bench.pick(1.0, 20.0));
    for _ in 0..bench.runs {
        let idle = Idle::start(bench)?;
        let syslog = syslog(idle.directory.path())?;
        std::thread::sleep(quiet);
        agent.push(processor::memory_mb(idle.agent.pid(), "VmRSS")?);
        logind.push(processor::memory_mb(idle.bus.logind, "VmRSS")?);
        rsyslogd.push(processor::memory_mb(syslog.pid(), "VmRSS")?);
    }
    let name = "agent on Linux, idle, resident";
    let beside = |what: &str, runs: &[f64]| {
        Figure::of(format!("{name}, beside {what}"), "MB", &agent)
            .beside(what, runs)
            .with_goal(Goal::TimesAtMost(1.0))
    };
    Ok(vec![
        Figure::of(name, "MB", &agent).with_goal(Goal::AtMost(4.0)).with_note("over HTTPS, logind watched"),
        beside("rsyslogd", &rsyslogd),
        beside("systemd-logind", &logind),
    ])
}

/// Debian's rsyslogd with its own configuration's modules, on nothing of this machine.
fn syslog(directory: &Path) -> Result<Running> {
    let config = directory.join("rsyslog.conf");
    let text = format!(
        "global(workDirectory=\"{0}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{0}/log.sock\")\n*.* action(type=\"omfile\" file=\"{0}/syslog\")\n",
        directory.display()
    );
    std::fs::write(&config, text)?;
    let socket = directory.join("log.sock");
    let mut command = Command::new(RSYSLOGD);
    let mut running =
        Running::start(command.arg("-n").arg("-f").arg(config).arg("-i").arg(directory.join("rsyslog.pid")))?;
    wait("rsyslogd", || {
        running.refuse_end("rsyslogd")?;
        Ok(socket.exists())
    })?;
    Ok(running)
}

/// Processor time of an hour in which nothing happens.
pub fn hour(bench: &Bench) -> Result<Vec<Figure>> {
    let length = Duration::from_secs(bench.pick(2, 3_600));
    let mut idle = Idle::start(bench)?;
    let before = processor::seconds(idle.agent.pid())?;
    std::thread::sleep(length);
    idle.agent.refuse_end("the agent")?;
    let used = processor::seconds(idle.agent.pid())? - before;
    Ok(vec![
        Figure::of(format!("agent on Linux, idle, processor time of {} s", length.as_secs()), "s", &[used])
            .with_goal(Goal::AtMost(0.5)),
    ])
}
