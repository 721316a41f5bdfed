//! The HR officer's job in real Chromium: `e2e/browser/run.mjs` against a server with a simulated office.
//! Screenshots are left in `target/screenshots`.

use std::process::Command;

use anyhow::{Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::mngntime;
use mngntime_e2e::up::Up;
use mngntime_e2e::{root, target_dir};

#[test]
fn an_officer_filters_errors_links_an_account_and_the_rows_lose_their_mark() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let up = Up::start(&path.join("data"), "unix:path=/nonexistent/bus")?;
    let simulated = Command::new(mngntime()?)
        .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
        .args([
            "--enrollment-key",
            up.value("enrollment-key")?,
            "--terminals",
            "12",
            "--days",
            "10",
            "--seed",
            "7",
        ])
        .output()?;
    ensure!(simulated.status.success(), "{}", String::from_utf8_lossy(&simulated.stderr));
    let output = Command::new("node")
        .arg("run.mjs")
        .current_dir(root().join("e2e/browser"))
        .env("MNGNTIME_URL", up.value("url")?)
        .env("MNGNTIME_LOGIN", up.value("admin")?)
        .env("MNGNTIME_PASSWORD", up.value("password")?)
        .env("OUT", target_dir().join("screenshots"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    ensure!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
