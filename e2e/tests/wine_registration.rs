//! The service under Wine's service control manager: what it does about a wrong registration, a policy, and
//! a configuration that others could have written. No server is needed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::root;
use mngntime_e2e::wine::{EventLine, LineLevel, ServiceState, Wine, prefix_from_environment};

const EXE: &str = r"C:\Program Files\MngnTime\MngnTimeCliSvc.exe";
const NAME: &str = "MngnTimeCliSvc";
const CONFIG: &str = r"C:\ProgramData\MngnTime\config.toml";
/// Port 1 of this machine: nobody listens there.
const VALUES: &str = "server_url = \"http://127.0.0.1:1\"\ncontract_code = \"demo\"\nenrollment_key = \"k\"\nproxy = \"none\"\n";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\MngnTime";
const SOURCE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\MngnTime";
const SERVICE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MngnTimeCliSvc";
const REPAIRED: &str = "サービス MngnTimeCliSvc の登録を修復しました";

/// A PC without the service, without its files and without a policy.
fn bare() -> Result<Wine> {
    let program = root().join("dist/windows-test/MngnTimeCliSvc.exe");
    ensure!(program.exists(), "{} is missing; run the tests with: cargo xtask test", program.display());
    let wine = Wine::start(&prefix_from_environment(&root()))?;
    wine.put(&program, EXE)?;
    wine.run(EXE, &["uninstall"])?;
    for key in [POLICY, SOURCE] {
        // Fails when it is not there, which is what we want.
        let _absent = wine.run("reg", &["delete", key, "/f"])?;
    }
    let _absent = fs::remove_dir_all(wine.file(r"C:\ProgramData\MngnTime")?);
    wine.write(CONFIG, VALUES.as_bytes())?;
    Ok(wine)
}

fn output(wine: &Wine, program: &str, arguments: &[&str]) -> Result<String> {
    let output = wine.run(program, arguments)?;
    Ok(String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

fn warnings(wine: &Wine) -> Result<Vec<EventLine>> {
    let is_repair = |line: &EventLine| line.level == LineLevel::Warning && line.text.starts_with(REPAIRED);
    Ok(wine.event_lines()?.into_iter().filter(is_repair).collect())
}

fn wait_for(wine: &Wine, beginning: &str) -> Result<()> {
    wine.wait_for_line(beginning, |line| line.text.starts_with(beginning)).map(|_| ())
}

#[test]
fn a_registration_without_quotation_marks_and_event_source_is_repaired_once() -> Result<()> {
    let wine = bare()?;
    // As an installer that does not quote leaves it.
    wine.sc(&["create", NAME, "binPath=", &format!("{EXE} service"), "start=", "auto"])?;
    let doctor = output(&wine, EXE, &["doctor"])?;
    for wrong in [
        "WRONG service path: the program's path has no quotation marks",
        "WRONG event source:",
        "WRONG service state:",
    ] {
        ensure!(doctor.contains(wrong), "{wrong} is not in {doctor}");
    }

    wine.start_service(NAME)?;
    wait_for(&wine, REPAIRED)?;
    let registered = output(&wine, "reg", &["query", SERVICE, "/v", "ImagePath"])?;
    ensure!(registered.contains(&format!("\"{EXE}\" service")), "{registered}");
    let source = output(&wine, "reg", &["query", SOURCE])?;
    ensure!(source.contains("EventMessageFile") && source.contains("REG_EXPAND_SZ"), "{source}");
    let doctor = output(&wine, EXE, &["doctor"])?;
    for fine in ["service start", "service path", "service settings", "service state", "event source"] {
        ensure!(doctor.contains(&format!("ok    {fine}:")), "{fine} is not fine in {doctor}");
    }

    wine.stop_service(NAME)?;
    wine.start_service(NAME)?;
    assert_eq!(warnings(&wine)?.len(), 1, "the second start has nothing to repair");
    wine.run(EXE, &["uninstall"])?;
    assert_eq!(wine.service_state(NAME)?, None);
    Ok(())
}

#[test]
fn an_administrators_start_type_is_left_alone_and_told_by_doctor() -> Result<()> {
    let wine = bare()?;
    wine.sc(&["create", NAME, "binPath=", &format!("\"{EXE}\" service"), "start=", "demand"])?;
    wine.start_service(NAME)?;
    wait_for(&wine, "LOGON/LOGOFF監視を開始しました。")?;
    let doctor = output(&wine, EXE, &["doctor"])?;
    ensure!(doctor.contains("WRONG service start: by hand"), "{doctor}");
    ensure!(doctor.contains("sc config MngnTimeCliSvc start= auto"), "{doctor}");
    wine.run(EXE, &["uninstall"])?;
    Ok(())
}

#[test]
fn a_policy_is_taken_over_while_running_and_a_wrong_one_is_told_with_its_source() -> Result<()> {
    let wine = bare()?;
    let installed = wine.run(EXE, &["install"])?;
    ensure!(installed.status.success(), "install: {}", String::from_utf8_lossy(&installed.stderr));
    wine.wait_for_service(NAME, ServiceState::Running)?;
    wait_for(&wine, "LOGON/LOGOFF監視を開始しました。")?;
    let add =
        |name, kind, value| wine.run("reg", &["add", POLICY, "/v", name, "/t", kind, "/d", value, "/f"]);
    add("contract_code", "REG_SZ", "by-policy")?;
    add("heartbeat_seconds", "REG_DWORD", "7200")?;
    // The running service says so, within its interval of 15 seconds.
    wait_for(&wine, r"レジストリ HKLM\SOFTWARE\Policies\MngnTime の heartbeat")?;
    let status = output(&wine, EXE, &["status"])?;
    ensure!(status.contains(&format!("contract_code      by-policy  ({POLICY})")), "{status}");
    ensure!(status.contains("heartbeat_seconds  30  (default)"), "{status}");
    ensure!(status.contains(&format!("server_url         http://127.0.0.1:1  ({CONFIG})")), "{status}");
    wine.run("reg", &["delete", POLICY, "/f"])?;
    wine.run(EXE, &["uninstall"])?;
    Ok(())
}

#[test]
fn a_configuration_that_everybody_can_write_is_not_used_until_that_is_cured() -> Result<()> {
    let wine = bare()?;
    // Wine makes the rights of a file out of its mode.
    let file = wine.file(CONFIG)?;
    fs::set_permissions(&file, Permissions::from_mode(0o666)).context("open the configuration to all")?;
    let status = wine.run(EXE, &["status"])?;
    let said = String::from_utf8_lossy(&status.stderr);
    ensure!(said.contains("S-1-1-0") && said.contains("icacls"), "{said}");
    ensure!(status.status.code() == Some(2), "{status:?}");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).context("close it again")?;
    let status = wine.run(EXE, &["status"])?;
    ensure!(status.status.success(), "{status:?}");
    Ok(())
}
