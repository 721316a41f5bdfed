//! `MngnTimeCliSvc` as a real service under Wine's service control manager, against the real server.
//!
//! Wine 8 lists no sessions, so the test build takes them from a side file (feature `simulated-sessions`);
//! everything behind that list is what is shipped.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::server::{CONTRACT, Server, text};
use mngntime_e2e::wine::{ServiceState, Wine, prefix_from_environment};
use mngntime_e2e::{root, wait_for};
use serde_json::json;

const EXE: &str = r"C:\Program Files\MngnTime\MngnTimeCliSvc.exe";
const NAME: &str = "MngnTimeCliSvc";
const CONFIG: &str = r"C:\ProgramData\MngnTime\config.toml";
const SESSIONS: &str = r"C:\ProgramData\MngnTime\state\simulated-sessions.json";
/// SCM codes of the test build: read the side file; a notice has arrived.
const READ_SESSIONS: u32 = 200;
const NOTICE: u32 = 201;
/// WTS_SESSION_LOGON and WTS_SESSION_LOGOFF.
const LOGON: u32 = 5;
const LOGOFF: u32 = 6;

fn program() -> Result<PathBuf> {
    let path = root().join("dist/windows-test/MngnTimeCliSvc.exe");
    ensure!(path.exists(), "{} is missing; run the tests with: cargo xtask test", path.display());
    Ok(path)
}

struct Pc {
    wine: Wine,
}

impl Pc {
    fn install(server: &Server) -> Result<Self> {
        let wine = Wine::start(&prefix_from_environment(&root()))?;
        // Of an earlier run that was cut off.
        let _ = wine.run(EXE, &["uninstall"]);
        let _ = std::fs::remove_dir_all(wine.file(r"C:\ProgramData\MngnTime")?);
        wine.put(&program()?, EXE)?;
        let config = format!(
            "server_url = \"{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\nproxy = \"none\"\nretry_cap_seconds = 2\nreconcile_seconds = 2\nheartbeat_seconds = 1\n",
            server.url(),
            server.enrollment_key
        );
        wine.write(CONFIG, config.as_bytes())?;
        let installed = wine.run(EXE, &["install"])?;
        ensure!(installed.status.success(), "install: {}", String::from_utf8_lossy(&installed.stderr));
        wine.wait_for_service(NAME, ServiceState::Running)?;
        Ok(Self { wine })
    }

    fn wait_for_line(&self, beginning: &str) -> Result<()> {
        self.wine.wait_for_line(beginning, |line| line.text.starts_with(beginning)).map(|_| ())
    }

    /// What the session list shows from now on, and the notice that comes with it.
    fn sessions(&self, names: &[&str], notice: Option<(u32, u32)>) -> Result<()> {
        let sessions: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(number, name)| {
                json!({"id": number + 3, "user": name, "domain": "EXAMPLE", "sid": format!("S-1-5-21-1-2-3-{name}"),
                       "luid": 1000 + number, "logon_at_ms": 1_764_000_000_000_i64, "protocol": 0, "lock_flag": 1})
            })
            .collect();
        let mut file = json!({ "sessions": sessions });
        if let Some((session, reason)) = notice {
            file["notice"] = json!({"kind": "session", "session": session, "reason": reason});
        }
        self.wine.write(SESSIONS, file.to_string().as_bytes())?;
        self.wine.control(NAME, READ_SESSIONS)?;
        if notice.is_some() {
            self.wine.control(NAME, NOTICE)?;
        }
        Ok(())
    }
}

#[test]
fn the_service_starts_records_by_notice_and_by_comparison_sends_and_resends() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::create(directory.path(), false)?;
    server.start()?;
    let pc = Pc::install(&server)?;
    pc.wait_for_line("LOGON/LOGOFF監視を開始しました。")?;
    pc.wait_for_line("LOGON[-]:現在ログオン中のユーザーはいません。")?;

    pc.sessions(&["hanako"], Some((3, LOGON)))?;
    server.wait_for_punches("hanako", 1)?;
    // No notice for taro: the comparison finds him.
    pc.sessions(&["hanako", "taro"], None)?;
    let taro = server.wait_for_punches("taro", 1)?;
    assert_eq!(text(&taro[0], "how"), "reconciled", "{taro:?}");

    server.stop()?;
    pc.sessions(&["hanako"], Some((4, LOGOFF)))?;
    pc.wait_for_line("LOGOFF[EXAMPLE\\taro]:打刻失敗")?;
    server.start()?;
    let taro = server.wait_for_punches("taro", 2)?;
    let logoff = taro.iter().find(|punch| text(punch, "kind") == "logoff").context("no logoff")?;
    assert_eq!(text(logoff, "how"), "resent", "{taro:?}");

    pc.wine.stop_service(NAME)?;
    pc.wine.wait_for_service(NAME, ServiceState::Stopped)?;
    pc.wine.start_service(NAME)?;
    pc.wine.wait_for_service(NAME, ServiceState::Running)?;
    wait_for("nothing to wait at the PC", || {
        let status = pc.wine.run(EXE, &["status"])?;
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        Ok(text
            .lines()
            .any(|line| line.starts_with("waiting") && line.trim_end().ends_with(" 0"))
            .then_some(()))
    })?;
    assert_eq!(server.wait_for_punches("hanako", 1)?.len(), 1, "a restart of the service is no second logon");
    let fsck = pc.wine.run(EXE, &["fsck"])?;
    ensure!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    let removed = pc.wine.run(EXE, &["uninstall"])?;
    ensure!(removed.status.success(), "uninstall: {}", String::from_utf8_lossy(&removed.stderr));
    assert_eq!(pc.wine.service_state(NAME)?, None);
    Ok(())
}

/// A rendered event of LocalSessionManager.
fn session_record(event: u32, record: u32, at: jiff::Timestamp, name: &str, session: u32) -> String {
    let provider = "Microsoft-Windows-TerminalServices-LocalSessionManager";
    format!(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
         <Provider Name='{provider}'/><EventID>{event}</EventID><TimeCreated SystemTime='{at:.7}'/>\
         <EventRecordID>{record}</EventRecordID><Channel>{provider}/Operational</Channel></System>\
         <UserData><EventXML xmlns='Event_NS'><User>EXAMPLE\\{name}</User><SessionID>{session}</SessionID>\
         <Address>LOCAL</Address></EventXML></UserData></Event>"
    )
}

#[test]
fn what_the_event_log_says_about_the_time_without_the_service_is_back_filled_once() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::create(directory.path(), false)?;
    server.start()?;
    let pc = Pc::install(&server)?;
    pc.sessions(&["hanako"], Some((3, LOGON)))?;
    server.wait_for_punches("hanako", 1)?;

    pc.wine.stop_service(NAME)?;
    pc.wine.wait_for_service(NAME, ServiceState::Stopped)?;
    // 花子 leaves, 太郎 comes and goes, and then the service is started again.
    let now = jiff::Timestamp::now();
    let log = [
        session_record(23, 1, now, "hanako", 3),
        session_record(21, 2, now, "taro", 4),
        session_record(23, 3, now, "taro", 4),
    ];
    let side_file = json!({ "sessions": [], "log": log });
    pc.wine.write(SESSIONS, side_file.to_string().as_bytes())?;
    for _ in 0..2 {
        pc.wine.start_service(NAME)?;
        pc.wine.wait_for_service(NAME, ServiceState::Running)?;
        let hanako = server.wait_for_punches("hanako", 2)?;
        assert_eq!(hanako.len(), 2, "{hanako:?}");
        let logoff = hanako.iter().find(|punch| text(punch, "kind") == "logoff").context("no logoff")?;
        assert_eq!(text(logoff, "how"), "back_filled", "{hanako:?}");
        let taro = server.wait_for_punches("taro", 2)?;
        assert_eq!(taro.len(), 2, "read again, told once: {taro:?}");
        pc.wine.stop_service(NAME)?;
        pc.wine.wait_for_service(NAME, ServiceState::Stopped)?;
    }
    let fsck = pc.wine.run(EXE, &["fsck"])?;
    ensure!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
    let removed = pc.wine.run(EXE, &["uninstall"])?;
    ensure!(removed.status.success(), "uninstall: {}", String::from_utf8_lossy(&removed.stderr));
    Ok(())
}
