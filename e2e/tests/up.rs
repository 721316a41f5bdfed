//! The newcomer's command.

use std::process::Command;

use anyhow::{Context, Result};
use mngntime_e2e::bus::{Bus, short_directory};
use mngntime_e2e::server::mngntime;
use mngntime_e2e::up::Up;
use mngntime_e2e::wait_for;

/// Where no bus is.
const NO_BUS: &str = "unix:path=/nonexistent/bus";

fn punches(data: &std::path::Path) -> Result<Vec<serde_json::Value>> {
    let output =
        Command::new(mngntime()?).args(["punches", "--format", "jsonl", "--data"]).arg(data).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

#[test]
fn this_machines_sessions_are_recorded_and_a_second_start_is_the_same() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let bus = Bus::start(&path.join("bus"))?;
    bus.open_session("1", 1000, "hanako")?;
    let data = path.join("data");
    let up = Up::start(&data, bus.address())?;
    for name in ["url", "contract", "enrollment-key", "admin", "password"] {
        assert!(!up.value(name)?.is_empty(), "{}", up.line());
    }
    let rows =
        wait_for("the row of the session", || Ok(Some(punches(&data)?).filter(|rows| rows.len() == 1)))?;
    assert_eq!(rows[0]["kind"], "logon");
    for field in [
        "terminal",
        "seq",
        "kind",
        "account",
        "employee",
        "occurred_at",
        "received_at",
        "res",
        "error",
        "how",
    ] {
        assert!(rows[0].get(field).is_some(), "{field} is missing in {}", rows[0]);
    }
    let (password, key) = (up.value("password")?.to_owned(), up.value("enrollment-key")?.to_owned());
    assert!(up.stop()?, "SIGTERM ends it well");
    let again = Up::start(&data, bus.address())?;
    assert_eq!((again.value("password")?, again.value("enrollment-key")?), (password.as_str(), key.as_str()));
    assert!(again.stop()?);
    assert_eq!(punches(&data)?.len(), 1, "the same stay is no second logon");
    Ok(())
}

#[test]
fn without_logind_it_serves_all_the_same() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let up = Up::start(&path.join("data"), NO_BUS)?;
    assert!(up.value("url")?.starts_with("http://127.0.0.1:"));
    assert!(up.stop()?);
    Ok(())
}

#[test]
fn a_simulated_office_drives_the_real_wire_and_is_the_same_for_the_same_seed() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("data");
    let up = Up::start(&data, NO_BUS)?;
    let simulate = || -> Result<String> {
        let output = Command::new(mngntime()?)
            .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
            .args(["--enrollment-key", up.value("enrollment-key")?])
            .args(["--terminals", "5", "--days", "5", "--seed", "1"])
            .output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    let report = simulate()?;
    assert!(report.contains("waiting=0"), "{report}");
    let rows = punches(&data)?;
    assert!(rows.len() >= 20, "five PCs, a week: {} rows", rows.len());
    let wrong = Command::new(mngntime()?)
        .args(["sim", "--url", up.value("url")?, "--contract", "nobody", "--enrollment-key", "x"])
        .args(["--terminals", "1", "--days", "7", "--seed", "1"])
        .output()?;
    let message = String::from_utf8(wrong.stderr)?;
    assert!(!wrong.status.success() && message.contains("--contract"), "{message}");
    up.stop().context("cannot stop")?;
    Ok(())
}
