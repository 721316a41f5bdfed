//! The question before a session ends, in real Chromium: `e2e/browser/staying.mjs` against a server whose contract signs
//! out after a minute, which no page offers. Screenshots are left in `target/screenshots/staying`.

use std::process::Command;

use anyhow::{Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::{CONTRACT, LOGIN, PASSWORD, Server};
use mngntime_e2e::{root, target_dir};

/// Login of somebody else, who signs in where the first one has been.
const OTHER: &str = "other";

#[test]
fn whoever_is_about_to_be_signed_out_is_asked_and_loses_nothing() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let mut server = Server::create(&path.join("server"), false)?;
    let words = ["admin", "create", "--login", OTHER, "--contract", CONTRACT, "--password-stdin"];
    server.command(&words, Some(PASSWORD))?;
    server.start()?;
    server.submit("/settings", "name=n&day=05:00&retention=5&language=&idle=15")?;
    server.stop()?;
    let database = rusqlite::Connection::open(server.data().join("mngntime.db"))?;
    ensure!(database.execute("UPDATE contract_settings SET idle_minutes = 1", [])? == 1);
    drop(database);
    server.start()?;
    let output = Command::new("node")
        .arg("staying.mjs")
        .current_dir(root().join("e2e/browser"))
        .env("MNGNTIME_URL", server.url())
        .env("MNGNTIME_LOGIN", LOGIN)
        .env("MNGNTIME_PASSWORD", PASSWORD)
        .env("MNGNTIME_OTHER", OTHER)
        .env("OUT", target_dir().join("screenshots/staying"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    ensure!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    server.stop()
}
