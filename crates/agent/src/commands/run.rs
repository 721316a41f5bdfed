//! `run`: watch the PC until told to stop.

use mngntime_agent_core::Mode;

use crate::config::Config;
use crate::runtime::Runtime;

/// Runs in the foreground; systemd and the SCM use it as well. Problems of the configuration are in the
/// event log and do not keep the PC from being recorded.
pub fn run(config: Config) -> anyhow::Result<u8> {
    let mut runtime = Runtime::open(config, Mode::Watch)?;
    runtime.watch_the_pc()?;
    announce_running()?;
    runtime.run();
    Ok(0)
}

#[cfg(target_os = "linux")]
fn announce_running() -> anyhow::Result<()> {
    // Nobody listens outside systemd.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    Ok(())
}

#[cfg(windows)]
fn announce_running() -> anyhow::Result<()> {
    // In the foreground there is no service to report for.
    let _ = crate::platform::service::running();
    Ok(())
}
