//! The agent as a child process of `mngntime up`.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::watch;

/// How long the agent may take to stop before it is killed. Its journal survives either way.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// First pause before the agent is started again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Longest pause before the agent is started again.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// An agent that ran this long had started well: the pause begins small again.
const RAN_WELL: Duration = Duration::from_secs(60);

/// The agent's executable: `MNGNTIME_AGENT`, or the sibling of this one.
pub fn agent_executable() -> Option<PathBuf> {
    let named = std::env::var_os("MNGNTIME_AGENT").map(PathBuf::from);
    let sibling = || Some(std::env::current_exe().ok()?.parent()?.join("mngntime-agent"));
    named.or_else(sibling).filter(|path| path.is_file())
}

/// Whether there is a logind to listen to: a system bus at the place where the agent looks for it. An address
/// of another kind than a socket's path is left to the agent to try.
pub fn has_system_bus() -> bool {
    let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS");
    let address = address.as_deref().unwrap_or("unix:path=/run/dbus/system_bus_socket");
    let path = address.strip_prefix("unix:path=").and_then(|rest| rest.split([',', ';']).next());
    path.is_none_or(|path| Path::new(path).exists())
}

/// Keeps the agent running until `stop` turns true, and returns when it has ended.
pub async fn keep_running(executable: PathBuf, config: PathBuf, mut stop: watch::Receiver<bool>) {
    let mut pause = PAUSE_MIN;
    while !*stop.borrow() {
        let started = tokio::time::Instant::now();
        let ended = match start(&executable, &config) {
            Ok(child) => supervise(child, &mut stop).await,
            Err(error) => format!("could not be started: {error}"),
        };
        if *stop.borrow() {
            return;
        }
        pause = if started.elapsed() >= RAN_WELL { PAUSE_MIN } else { pause };
        eprintln!("mngntime: the agent {ended}; it is started again in {} s", pause.as_secs());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Standard output is promised to hold one line only, so the agent's goes to standard error.
fn start(executable: &Path, config: &Path) -> std::io::Result<Child> {
    Command::new(executable)
        .arg("--config")
        .arg(config)
        .arg("run")
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .kill_on_drop(true)
        .spawn()
}

/// Waits for the agent's end, or ends it when asked to; says how it ended.
async fn supervise(mut child: Child, stop: &mut watch::Receiver<bool>) -> String {
    let asked = tokio::select! {
        ended = child.wait() => return describe(ended),
        asked = stop.wait_for(|stop| *stop) => asked.is_ok(),
    };
    if asked {
        terminate(&child);
    }
    match tokio::time::timeout(STOP_TIME_MAX, child.wait()).await {
        Ok(ended) => describe(ended),
        Err(_) => describe(child.kill().await.and(child.wait().await)),
    }
}

fn terminate(child: &Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(id) = id
        && let Err(error) = rustix::process::kill_process(id, rustix::process::Signal::TERM)
    {
        tracing::warn!(%error, "the agent could not be asked to stop");
    }
}

fn describe(ended: std::io::Result<ExitStatus>) -> String {
    match ended {
        Ok(status) => format!("ended with {status}"),
        Err(error) => format!("could not be waited for: {error}"),
    }
}
