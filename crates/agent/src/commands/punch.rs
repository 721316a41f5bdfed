//! `punch logon|logoff`: one punch from a logon or logoff script, on PCs without the service.

use clap::ValueEnum;
use mngntime_agent_core::{Input, Mode};
use mngntime_model::EventKind;

use super::BAD_USE;
use crate::config::Config;
use crate::platform;
use crate::runtime::Runtime;

/// Which punch.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PunchKind {
    /// ログオン
    Logon,
    /// ログオフ
    Logoff,
}

/// Records the punch, tries to send it, prints the line that the event log gets. A bad configuration does
/// not keep the punch from being recorded; it is sent when the configuration is right.
pub fn punch(config: Config, kind: PunchKind) -> anyhow::Result<u8> {
    let bad_configuration = !config.problems.is_empty();
    let session = platform::current_session()?;
    let mut runtime = Runtime::open(config, Mode::Script)?;
    let kind = match kind {
        PunchKind::Logon => EventKind::Logon,
        PunchKind::Logoff => EventKind::Logoff,
    };
    runtime.give(Input::Script { kind, session });
    runtime.give(Input::Stop { system_is_going_down: false });
    let ended = runtime.run();
    let lines = runtime.take_lines();
    lines.iter().for_each(|line| say!("{line}"));
    Ok(match () {
        () if bad_configuration => BAD_USE,
        () if lines.iter().any(|line| line.contains("[res=")) => 3,
        () if ended.waiting > 0 => 4,
        () => 0,
    })
}
