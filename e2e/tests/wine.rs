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
const DEVICE_KEY: &str = r"C:\ProgramData\MngnTime\state\device.key";
/// Switches and memory of the key store that `e2e/wine/ncrypt.c` puts into Wine.
const TPM: &str = r"C:\mngntime-test-tpm";
const SOFTWARE_STORE: &str = r"C:\mngntime-test-cng";
const STORED_KEYS: &str = r"C:\mngntime-test-keys";
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
    /// A PC without a key store, as Wine is.
    fn install(server: &Server) -> Result<Self> {
        Self::install_with(server, &[])
    }

    /// A PC whose new keys are made in the first of `stores`.
    fn install_with(server: &Server, stores: &[&str]) -> Result<Self> {
        let wine = Wine::start(&prefix_from_environment(&root()))?;
        // Of an earlier run that was cut off.
        let _ = wine.run(EXE, &["uninstall"]);
        let _ = std::fs::remove_dir_all(wine.file(r"C:\ProgramData\MngnTime")?);
        let _ = std::fs::remove_dir_all(wine.file(STORED_KEYS)?);
        for store in [TPM, SOFTWARE_STORE] {
            let _ = std::fs::remove_file(wine.file(store)?);
        }
        for store in stores {
            wine.write(store, b"")?;
        }
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

    /// What a command of the program prints, whatever its exit code.
    fn said(&self, command: &str) -> Result<String> {
        let output = self.wine.run(EXE, &[command])?;
        Ok([output.stdout, output.stderr].iter().map(|part| String::from_utf8_lossy(part)).collect())
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

/// One line for each terminal that the server knows.
fn terminals(server: &Server) -> Result<Vec<String>> {
    let output = server.command(&["terminal", "list"], None)?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[test]
fn a_terminal_signs_with_its_tpm_records_without_it_and_can_be_enrolled_again() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::create(directory.path(), false)?;
    server.start()?;
    let pc = Pc::install_with(&server, &[TPM, SOFTWARE_STORE])?;
    pc.sessions(&["hanako"], Some((3, LOGON)))?;
    server.wait_for_punches("hanako", 1)?;
    let status = pc.said("status")?;
    ensure!(status.lines().any(|line| line.starts_with("device key") && line.ends_with("tpm")), "{status}");
    let marker = std::fs::read_to_string(pc.wine.file(DEVICE_KEY)?)?;
    ensure!(marker.starts_with("cng:tpm:MngnTime device key "), "{marker}");

    pc.wine.stop_service(NAME)?;
    pc.wine.start_service(NAME)?;
    pc.wine.wait_for_service(NAME, ServiceState::Running)?;
    pc.sessions(&["hanako", "taro"], Some((4, LOGON)))?;
    server.wait_for_punches("taro", 1)?;
    let known = terminals(&server)?;
    ensure!(known.len() == 1 && known[0].ends_with("key=tpm"), "{known:?}");

    // As on a PC that has got a copy of the disk.
    std::fs::remove_dir_all(pc.wine.file(STORED_KEYS)?)?;
    pc.sessions(&["hanako", "taro", "jiro"], Some((5, LOGON)))?;
    pc.wait_for_line("LOGON[EXAMPLE\\jiro]:打刻失敗")?;
    let doctor = pc.said("doctor")?;
    ensure!(doctor.contains("WRONG device key") && doctor.contains("run enroll"), "{doctor}");
    assert_eq!(std::fs::read_to_string(pc.wine.file(DEVICE_KEY)?)?, marker, "no key is replaced by itself");

    // What doctor says to do.
    pc.wine.stop_service(NAME)?;
    std::fs::remove_file(pc.wine.file(DEVICE_KEY)?)?;
    let enrolled = pc.said("enroll")?;
    ensure!(enrolled.trim_end().ends_with("key=tpm"), "{enrolled}");
    pc.wine.start_service(NAME)?;
    server.wait_for_punches("jiro", 1)?;
    assert_eq!(terminals(&server)?.len(), 2, "a new key is a new terminal");
    let removed = pc.wine.run(EXE, &["uninstall"])?;
    ensure!(removed.status.success(), "uninstall: {}", String::from_utf8_lossy(&removed.stderr));
    Ok(())
}
