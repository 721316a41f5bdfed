//! `MngnTimeCliSvc` as a real service under Wine's service control manager, against the real server.

use anyhow::{Context, Result, ensure};
use mngntime_e2e::server::{Server, text};
use mngntime_e2e::wait_for;
use mngntime_e2e::windows_pc::{
    DEVICE_KEY, EXE, LOGOFF, LOGON, NAME, Pc, SESSIONS, SOFTWARE_STORE, STORED_KEYS, TPM, UNLOCK,
    tell_sessions,
};
use mngntime_e2e::wine::ServiceState;
use serde_json::json;

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
    ensure!(known.len() == 1 && known[0].contains(" key=tpm "), "{known:?}");

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

/// An update's automatic sign-on (ARSO): the session is locked when its logon is told, and nobody has typed.
#[test]
fn a_logon_without_a_person_carries_the_time_at_which_somebody_came() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::create(directory.path(), false)?;
    server.start()?;
    let pc = Pc::install(&server)?;
    let tell = |locked: bool, reason: u32| -> Result<()> {
        let session = json!({"id": 3, "user": "hanako", "domain": "EXAMPLE", "sid": "S-1-5-21-1-2-3-1001",
            "luid": 1000, "logon_at_ms": 1_764_000_000_000_i64, "protocol": 0,
            "lock_flag": i32::from(!locked), "input_seen": !locked});
        tell_sessions(&pc.wine, &[session], Some((3, reason)))
    };
    tell(true, LOGON)?;
    let punch = server.wait_for_punches("hanako", 1)?.remove(0);
    assert_eq!((&punch["unattended"], &punch["present_from"]), (&json!(true), &json!(null)), "{punch}");
    tell(false, UNLOCK)?;
    wait_for("somebody at the PC", || {
        let punch = server.wait_for_punches("hanako", 1)?.remove(0);
        Ok(punch["present_from"].is_string().then_some(()))
    })?;
    assert_eq!(server.wait_for_punches("hanako", 1)?.len(), 1, "the unlock is no second logon");
    let removed = pc.wine.run(EXE, &["uninstall"])?;
    ensure!(removed.status.success(), "uninstall: {}", String::from_utf8_lossy(&removed.stderr));
    Ok(())
}
