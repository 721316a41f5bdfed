//! `punch logon|logoff`: one punch from a logon or logoff script, on PCs without the service.

use std::path::PathBuf;

use clap::ValueEnum;
use mngntime_agent_core::{Input, Mode};
use mngntime_model::EventKind;

use super::{BAD_USE, FAILED};
use crate::config::{Config, Origin};
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

/// An ordinary user may not write where the service would; unless the configuration names a place, his records
/// are kept with his own data.
fn with_usable_state(mut config: Config, personal: Option<PathBuf>) -> Config {
    let is_default = *config.origin("state_dir") == Origin::Default;
    if let Some(personal) = personal.filter(|_| is_default) {
        config.state_dir = personal;
    }
    config
}

/// Records the punch, tries to send it, prints the line that the event log gets. A bad configuration does
/// not keep the punch from being recorded; it is sent when the configuration is right.
pub fn punch(config: Config, kind: PunchKind) -> anyhow::Result<u8> {
    let bad_configuration = !config.problems.is_empty();
    let config = with_usable_state(config, platform::personal_state_dir());
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
        () if ended.unstored > 0 => FAILED,
        () if bad_configuration => BAD_USE,
        () if lines.iter().any(|line| line.contains("[res=")) => 3,
        () if ended.waiting > 0 => 4,
        () => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_ordinary_user_s_records_go_to_his_own_place_unless_one_is_named() {
        let config = || Config::defaults(Path::new("/etc/mngntime/config.toml"));
        let personal = PathBuf::from("/home/hanako/.local/state/mngntime");
        assert_eq!(with_usable_state(config(), Some(personal.clone())).state_dir, personal);
        assert_eq!(with_usable_state(config(), None).state_dir, config().state_dir);
        let folder = tempfile::tempdir().unwrap();
        let (file, named) = (folder.path().join("config.toml"), folder.path().join("punches"));
        std::fs::write(&file, format!("state_dir = '{}'\n", named.display())).unwrap();
        assert_eq!(with_usable_state(Config::load(&file), Some(personal)).state_dir, named);
    }
}
