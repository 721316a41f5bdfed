//! A Windows of its own for a test: Wine's service control manager, registry and event log in a prefix that
//! `setup.sh` made.
//!
//! What one has to know about Wine's services:
//! - they are ended as soon as no ordinary program runs any more. [`Wine`] therefore keeps one, the
//!   *keeper*, whose standard input is a pipe from this process: when the test ends, in whatever way, the
//!   pipe closes, the keeper ends, and so do the services;
//! - their standard error is that of the first program, so the keeper is the first and its standard error goes
//!   to a file. There the event log's lines appear, which Wine does not keep;
//! - their environment is made by the service manager; a test cannot pass variables to them, only files;
//! - `wine sc` creates, starts, stops, deletes and queries; user control codes go through `control.exe`.
//!
//! Two tests cannot share a prefix at the same time; the second waits for the first.
#![allow(dead_code)] // every test uses another part of this

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

/// One program under Wine; the first one after a start also starts Wine's own services.
const RUN_TIMEOUT: Duration = Duration::from_secs(60);
/// Until a service has reached the state it was asked to reach.
const STATE_TIMEOUT: Duration = Duration::from_secs(60);
/// Until the keeper and with it all services have ended.
const END_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);
/// What `setup.sh` leaves when it came to its end.
const STAMP: &str = "mngntime-ready";

/// A running Wine.
pub struct Wine {
    prefix: PathBuf,
    keeper: Child,
    /// Open as long as services shall live.
    keeper_input: Option<ChildStdin>,
    trace: PathBuf,
    _lock: File,
}

/// A service's state (`SERVICE_STATUS.dwCurrentState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// Not running.
    Stopped,
    /// Has been asked to start.
    StartPending,
    /// Has been asked to stop.
    StopPending,
    /// Running.
    Running,
}

/// Level of a line in the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineLevel {
    /// 情報
    Information,
    /// 警告
    Warning,
    /// エラー
    Error,
}

/// A line that a program wrote to the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// Its level.
    pub level: LineLevel,
    /// The text. Wine's trace cuts long ones, after some 55 Japanese characters.
    pub text: String,
    /// Whether the trace cut it.
    pub is_cut: bool,
}

/// The prefix the tests use: `$MNGNTIME_WINEPREFIX`, or `target/wine-prefix` below the repository.
pub fn prefix_from_environment(repository: &Path) -> PathBuf {
    std::env::var_os("MNGNTIME_WINEPREFIX")
        .map_or_else(|| repository.join("target").join("wine-prefix"), PathBuf::from)
}

impl Wine {
    /// Starts Wine in `prefix`, waiting for another test that uses it.
    pub fn start(prefix: &Path) -> Result<Self> {
        let prefix = prefix.canonicalize().with_context(|| no_prefix(prefix))?;
        ensure!(prefix.join(STAMP).exists(), no_prefix(&prefix));
        let lock = File::create(prefix.join("mngntime-lock")).context("create the prefix's lock")?;
        lock.lock().context("wait for the prefix's lock")?;
        end_leftovers(&prefix);
        let trace = prefix.join("mngntime-trace.log");
        let mut keeper = wine(&prefix)
            .arg("cmd")
            .env("WINEDEBUG", "-all,+eventlog")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&trace).context("create the trace")?)
            .spawn()
            .context("start wine cmd")?;
        let keeper_input = keeper.stdin.take();
        wait_for_banner(&mut keeper)?;
        Ok(Self { prefix, keeper, keeper_input, trace, _lock: lock })
    }

    /// The folder that programs see as `C:\`.
    pub fn drive_c(&self) -> PathBuf {
        self.prefix.join("drive_c")
    }

    /// The file that programs see as `path`, for example `C:\ProgramData\MngnTime\config.toml`.
    pub fn file(&self, path: &str) -> Result<PathBuf> {
        let below = path.strip_prefix(r"C:\").with_context(|| format!("{path} is not on drive C"))?;
        Ok(self.drive_c().join(below.replace('\\', "/")))
    }

    /// Copies a file of this machine to `path` on drive C.
    pub fn put(&self, source: &Path, path: &str) -> Result<()> {
        let target = self.file(path)?;
        make_parent(&target)?;
        fs::copy(source, &target)
            .with_context(|| format!("copy {} to {}", source.display(), target.display()))?;
        Ok(())
    }

    /// Writes `bytes` to `path` on drive C.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.file(path)?;
        make_parent(&target)?;
        fs::write(&target, bytes).with_context(|| format!("write {}", target.display()))
    }

    /// Runs a program to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        self.run_tracing("-all", program, arguments)
    }

    /// Runs a program to its end, with what Wine itself says (`WINEDEBUG`) among its standard error.
    pub fn run_tracing(&self, channels: &str, program: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = wine(&self.prefix);
        command.arg(program).args(arguments).env("WINEDEBUG", channels);
        output_in_time(command, RUN_TIMEOUT).with_context(|| format!("run {program} {arguments:?} in Wine"))
    }

    /// Runs `sc` and insists on success.
    pub fn sc(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run("sc", arguments)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "sc {arguments:?}: {} {text}", output.status);
        Ok(text)
    }

    /// Starts a service and waits until it runs.
    pub fn start_service(&self, name: &str) -> Result<()> {
        // Wine says that a service has stopped while its process still ends, and until then starts no other.
        let begun = Instant::now();
        while let Err(refused) = self.sc(&["start", name]) {
            ensure!(begun.elapsed() < STATE_TIMEOUT, "{refused:#}");
            thread::sleep(POLL);
        }
        self.wait_for_service(name, ServiceState::Running)
    }

    /// Stops a service and waits until it has.
    pub fn stop_service(&self, name: &str) -> Result<()> {
        self.sc(&["stop", name])?;
        self.wait_for_service(name, ServiceState::Stopped)
    }

    /// The state the service manager shows; `None` for a service that does not exist.
    pub fn service_state(&self, name: &str) -> Result<Option<ServiceState>> {
        let output = self.run("sc", &["query", name])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(line) = text.lines().find(|line| line.trim_start().starts_with("STATE")) else {
            return Ok(None);
        };
        let number = line.split(':').nth(1).and_then(|rest| rest.split_whitespace().next());
        Ok(Some(match number {
            Some("1") => ServiceState::Stopped,
            Some("2") => ServiceState::StartPending,
            Some("3") => ServiceState::StopPending,
            Some("4") => ServiceState::Running,
            _ => bail!("service {name} is in an unknown state: {line}"),
        }))
    }

    /// Waits until the service manager shows `wanted`.
    pub fn wait_for_service(&self, name: &str, wanted: ServiceState) -> Result<()> {
        let begun = Instant::now();
        loop {
            let state = self.service_state(name)?;
            if state == Some(wanted) {
                return Ok(());
            }
            ensure!(begun.elapsed() < STATE_TIMEOUT, "service {name} is {state:?}, not {wanted:?}");
            thread::sleep(POLL);
        }
    }

    /// Sends a user control code (128 to 255) to a running service.
    pub fn control(&self, service: &str, code: u32) -> Result<()> {
        let output = self.run(r"C:\control.exe", &[service, &code.to_string()])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "send {code} to service {service}: {said}");
        Ok(())
    }

    /// Every line written to the event log since the start, oldest first.
    pub fn event_lines(&self) -> Result<Vec<EventLine>> {
        let bytes = fs::read(&self.trace).with_context(|| format!("read {}", self.trace.display()))?;
        Ok(String::from_utf8_lossy(&bytes).lines().filter_map(event_line).collect())
    }

    /// Waits for a line that `matches`.
    pub fn wait_for_line(&self, what: &str, matches: impl Fn(&EventLine) -> bool) -> Result<EventLine> {
        let begun = Instant::now();
        loop {
            let lines = self.event_lines()?;
            if let Some(line) = lines.iter().find(|line| matches(line)) {
                return Ok(line.clone());
            }
            ensure!(begun.elapsed() < STATE_TIMEOUT, "no event line {what}; there are {lines:#?}");
            thread::sleep(POLL);
        }
    }

    /// Ends everything in the prefix at once, with SIGKILL, as a power cut does. (`wineserver -k9` would
    /// not: it ends the server, and programs notice that only at their next question to it.)
    pub fn power_cut(self) -> Result<()> {
        let processes = wine_processes(&self.prefix)?;
        ensure!(!processes.is_empty(), "nothing runs in {}", self.prefix.display());
        let status = Command::new("kill").arg("-9").args(&processes).status().context("start kill")?;
        ensure!(status.success(), "kill -9 {processes:?}: {status}");
        Ok(())
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        drop(self.keeper_input.take());
        let begun = Instant::now();
        while begun.elapsed() < END_TIMEOUT && matches!(self.keeper.try_wait(), Ok(None)) {
            thread::sleep(POLL);
        }
        // Errors here mean that it has ended already.
        let _ended = self.keeper.kill();
        let _ended = self.keeper.wait();
        end_leftovers(&self.prefix);
    }
}

/// The path under which Wine's programs see a file of this machine.
pub fn windows_path(path: &Path) -> Result<String> {
    let path = path.canonicalize().with_context(|| format!("find {}", path.display()))?;
    let text = path.to_str().with_context(|| format!("{} is no UTF-8", path.display()))?;
    Ok(format!("Z:{}", text.replace('/', "\\")))
}

fn no_prefix(prefix: &Path) -> String {
    format!("there is no Wine prefix in {}; run e2e/wine/setup.sh", prefix.display())
}

fn wine(prefix: &Path) -> Command {
    let mut command = Command::new("wine");
    command.env("WINEPREFIX", prefix).env("DISPLAY", "").env("WINEDLLOVERRIDES", "mscoree,mshtml=");
    command
}

fn wine_server(prefix: &Path) -> Command {
    let mut command = Command::new("wineserver");
    command.env("WINEPREFIX", prefix).stderr(Stdio::null());
    command
}

/// Ends what a killed test left running in the prefix, and waits for its registry to be on disk.
fn end_leftovers(prefix: &Path) {
    // Fails when nothing runs, which is what we want.
    let _nothing_ran = wine_server(prefix).arg("-k").status();
    let _nothing_ran = wine_server(prefix).arg("-w").status();
}

/// Ids of the Wine programs and servers that run in the prefix.
fn wine_processes(prefix: &Path) -> Result<Vec<String>> {
    let variable = format!("WINEPREFIX={}", prefix.display());
    let processes = fs::read_dir("/proc").context("read /proc")?.flatten();
    let of_prefix = processes.filter(|process| {
        // Whatever cannot be read is gone or somebody else's.
        let program = fs::read_link(process.path().join("exe")).unwrap_or_default();
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wine"))
            && environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    });
    Ok(of_prefix.map(|process| process.file_name().to_string_lossy().into_owned()).collect())
}

/// The keeper's first output says that Wine with its services is up. The rest is read and thrown away.
fn wait_for_banner(keeper: &mut Child) -> Result<()> {
    let mut stdout = keeper.stdout.take().context("the keeper has no standard output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        while matches!(stdout.read(&mut buffer), Ok(1..)) {
            // Nobody waits any more after the first time.
            let _first_only = sender.send(());
        }
    });
    receiver.recv_timeout(RUN_TIMEOUT).map_err(|error| anyhow!("Wine did not start: {error}"))
}

fn make_parent(path: &Path) -> Result<()> {
    let parent = path.parent().with_context(|| format!("{} has no folder", path.display()))?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))
}

/// A program's output, or an error when it takes longer than `limit`. A service that it starts may hold its
/// pipes open, so they are read on threads of their own and given up with the program's end.
fn output_in_time(mut command: Command, limit: Duration) -> Result<Output> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("no end after {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(10));
    };
    Ok(Output { status, stdout: all_of(&stdout), stderr: all_of(&stderr) })
}

fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// What has been read, with a moment's patience for the last piece.
fn all_of(pieces: &mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(Duration::from_millis(500)) {
        all.extend(piece);
    }
    all
}

/// Reads a line of Wine's trace such as `017c:trace:eventlog:ReportEventW L"text"`. Information comes as
/// `trace`, warnings as `warn`, errors as `err`.
fn event_line(line: &str) -> Option<EventLine> {
    let (head, text) = line.split_once(":eventlog:ReportEventW L\"")?;
    let level = match head.rsplit(':').next()? {
        "trace" => LineLevel::Information,
        "warn" => LineLevel::Warning,
        "err" => LineLevel::Error,
        _ => return None,
    };
    let is_cut = text.ends_with("\"...");
    let text = text.strip_suffix("...").unwrap_or(text).strip_suffix('"')?;
    Some(EventLine { level, text: unescaped(text), is_cut })
}

/// Undoes the escapes of Wine's `debugstr_w`: `\n`, `\r`, `\t`, `\"`, `\\`, and four hexadecimal digits for
/// every other UTF-16 unit outside ASCII.
fn unescaped(text: &str) -> String {
    let mut units = Vec::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            units.extend(character.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        match rest.next() {
            Some('n') => units.push(u16::from(b'\n')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('t') => units.push(u16::from(b'\t')),
            Some(first) if first.is_ascii_hexdigit() => {
                let digits: String = std::iter::once(first).chain(rest.by_ref().take(3)).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
            }
            Some(other) => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
            None => {}
        }
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_lines_are_understood() {
        let line = r#"017c:err:eventlog:ReportEventW L"LOGON[EXAMPLE\\hanako]:\6253\523b\5931\6557 [res=7]""#;
        assert_eq!(
            event_line(line),
            Some(EventLine {
                level: LineLevel::Error,
                text: r"LOGON[EXAMPLE\hanako]:打刻失敗 [res=7]".into(),
                is_cut: false,
            })
        );
        assert!(
            event_line(r#"017c:trace:eventlog:ReportEventW L"\65e5"..."#).is_some_and(|line| line.is_cut)
        );
        assert_eq!(event_line("00d8:trace:eventlog:ServiceMain starting Event Log Service"), None);
    }
}
