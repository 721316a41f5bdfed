//! `MngnTimeCliSvc` as a real service under Wine's service control manager, against the real server.

use anyhow::{Context, Result, ensure};
use mngntime_e2e::server::{Server, text};
use mngntime_e2e::wait_for;
use mngntime_e2e::windows_pc::{EXE, LOGOFF, LOGON, NAME, Pc};
use mngntime_e2e::wine::ServiceState;

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
