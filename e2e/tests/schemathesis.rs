//! The HTTP API against its own description: Schemathesis asks the running server everything the description allows,
//! and much that it does not. No answer is a server error, and none is other than described.

use std::process::Command;

use anyhow::{Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::{CONTRACT, LOGIN, PASSWORD, Server, mngntime};
use mngntime_e2e::{root, target_dir};

#[test]
fn every_answer_of_the_api_is_one_that_is_described_and_none_is_a_failure() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let mut server = Server::create(&path.join("server"), false)?;
    server.start()?;
    let simulated = Command::new(mngntime()?)
        .args(["sim", "--url", &server.url(), "--contract", CONTRACT, "--seed", "7"])
        .args(["--enrollment-key", &server.enrollment_key, "--terminals", "5", "--days", "5"])
        .output()?;
    ensure!(simulated.status.success(), "{}", String::from_utf8_lossy(&simulated.stderr));
    let program = target_dir().join("python/bin/st");
    ensure!(program.exists(), "{} is missing; run the tests with: cargo xtask test", program.display());
    let api = root().join("e2e/api");
    let output = Command::new(program)
        .arg("--config-file")
        .arg(api.join("schemathesis.toml"))
        .args(["run", &format!("{}/api/openapi.json", server.url())])
        .args(["--auth", &format!("{LOGIN}:{PASSWORD}"), "--no-color", "--generation-database", "none"])
        // It keeps what it found where it runs; every run here begins without a memory.
        .current_dir(&path)
        .env("PYTHONPATH", &api)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    ensure!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    ensure!(passed(&report) >= CASES_MIN, "too little was asked: {report}");
    server.stop()
}

/// Fewer cases than this mean that an operation was left out.
const CASES_MIN: u32 = 400;

/// The number before `passed`: `  575 generated, 575 passed, 2 skipped`.
fn passed(report: &str) -> u32 {
    let line = report.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    line.split(", ").find_map(|part| part.strip_suffix(" passed")?.trim().parse().ok()).unwrap_or(0)
}
