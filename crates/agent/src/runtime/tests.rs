//! A key that cannot be used keeps nothing from being recorded, and which enrolments count.

use std::fs;

use mngntime_agent_core::input::OsSession;
use mngntime_model::{AccountIdentity, ContractCode, EventKind};
use mngntime_wire::SecretKey;

use super::*;
use crate::config::ProxySetting;

struct Pc(tempfile::TempDir);

impl Pc {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self) -> Config {
        let mut config = Config::defaults(&self.0.path().join("config.toml"));
        config.state_dir = self.0.path().join("state");
        config.server_url = Some("http://127.0.0.1:9".to_owned());
        config.contract_code = ContractCode::new("demo").ok();
        config.enrollment_key = Some("ek".to_owned());
        config.proxy = ProxySetting::None;
        config
    }

    fn key_file(&self) -> std::path::PathBuf {
        self.0.path().join("state/device.key")
    }

    fn enrolled(self, enrollment: Enrollment) -> Self {
        platform::protect_directory(&self.config().state_dir).unwrap();
        let (_, mut journal, _) = open_journal(&self.config().state_dir).unwrap();
        journal.enroll(enrollment).unwrap();
        self
    }

    /// What waits after one punch by a script, and the lines it prints.
    fn punched(&self) -> (u64, Vec<String>) {
        let mut runtime = Runtime::open(self.config(), Mode::Script).unwrap();
        runtime.give(Input::Script { kind: EventKind::Logon, session: session() });
        runtime.give(Input::Stop { system_is_going_down: false });
        let ended = runtime.run();
        (ended.waiting, runtime.take_lines())
    }
}

fn session() -> OsSession {
    OsSession {
        session_id: "1".into(),
        logon_identity: "l".into(),
        account: AccountIdentity { key: "S-1".into(), domain: "D".into(), name: "hanako".into(), upn: None },
        logon_at: None,
        remote: None,
        client: None,
        locked: None,
        input_seen: None,
    }
}

fn server() -> PublicKey {
    SecretKey::from_seed(&[2; 32]).public()
}

fn enrollment(public_key: &PublicKey) -> Enrollment {
    Enrollment {
        contract: "demo".into(),
        server_url: "http://127.0.0.1:9".into(),
        terminal: "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b".into(),
        server_key: server().to_string(),
        display_name: "MINAGINE".into(),
        public_key: Some(public_key.to_string()),
    }
}

fn count(lines: &[String], words: &str) -> usize {
    lines.iter().filter(|line| line.contains(words)).count()
}

#[test]
fn a_damaged_key_is_told_once_and_the_punch_is_recorded_and_waits() {
    let pc = Pc::new();
    platform::protect_directory(&pc.config().state_dir).unwrap();
    fs::write(pc.key_file(), "half a ke").unwrap();
    let (waiting, lines) = pc.punched();
    assert_eq!(waiting, 1, "{lines:?}");
    assert_eq!(count(&lines, "端末の鍵を使用できません"), 1, "{lines:?}");
    assert_eq!(count(&lines, "打刻失敗"), 1, "{lines:?}");
    assert_eq!(count(&lines, "[res="), 0, "`punch` ends with 4: kept for later");
    assert!(lines.iter().filter(|line| line.contains("打刻失敗")).all(|line| line.contains("is damaged")));
    assert_eq!(fs::read_to_string(pc.key_file()).unwrap(), "half a ke");
}

#[test]
fn a_key_that_cannot_be_read_now_is_tried_again_at_each_attempt() {
    let pc = Pc::new();
    // A folder in its place cannot be read, nor written, by root either.
    fs::create_dir_all(pc.key_file()).unwrap();
    platform::protect_directory(&pc.config().state_dir).unwrap();
    let mut runtime = Runtime::open(pc.config(), Mode::Watch).unwrap();
    assert!(runtime.load_key().is_err() && runtime.prepare_enrollment().is_err());
    assert_eq!(count(&runtime.take_lines(), "端末の鍵を使用できません"), 1, "two attempts, one line");
    fs::remove_dir(pc.key_file()).unwrap();
    runtime.load_key().unwrap();
    assert!(runtime.prepare_enrollment().is_ok());
    fs::remove_file(pc.key_file()).unwrap();
    runtime.load_key().unwrap();
}

#[test]
fn an_enrolled_terminal_whose_key_is_gone_records_and_makes_no_other() {
    let key = SecretKey::from_seed(&[7; 32]);
    let pc = Pc::new().enrolled(enrollment(&key.public()));
    let (waiting, lines) = pc.punched();
    assert_eq!((waiting, count(&lines, "端末の鍵が見つかりません")), (1, 1), "{lines:?}");
    assert!(!pc.key_file().exists(), "{lines:?}");
    fs::write(pc.key_file(), "07".repeat(32)).unwrap();
    let (waiting, lines) = pc.punched();
    assert_eq!((waiting, count(&lines, "端末の鍵")), (2, 0), "restored: {lines:?}");
}

#[test]
fn a_configured_server_key_that_is_not_the_enrolments_ends_it() {
    let key = SecretKey::from_seed(&[7; 32]);
    let enrollment = enrollment(&key.public());
    let pc = Pc::new().enrolled(enrollment.clone());
    fs::write(pc.key_file(), "07".repeat(32)).unwrap();
    let other = SecretKey::from_seed(&[3; 32]).public();
    for (configured, counts) in [(None, true), (Some(server()), true), (Some(other), false)] {
        let mut config = pc.config();
        config.server_key = configured;
        assert_eq!(enrollment_in_force(Some(&enrollment), &config).is_some(), counts, "{configured:?}");
        let expected = configured.unwrap_or(server());
        assert_eq!(pinned_server_key(Some(&enrollment), &config), Some(expected));
        let runtime = Runtime::open(config, Mode::Watch).unwrap();
        assert_eq!(runtime.prepare(&[], 0).is_ok(), counts, "nothing is made for the old server");
    }
}
