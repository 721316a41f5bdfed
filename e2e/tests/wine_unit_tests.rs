//! The agent's own unit tests, those of its Windows half included, under Wine.

use anyhow::{Result, ensure};
use mngntime_e2e::root;
use mngntime_e2e::wine::{Wine, prefix_from_environment, windows_path};

#[test]
fn the_agents_unit_tests_pass_on_windows() -> Result<()> {
    let program = root().join("dist/windows-test/mngntime-agent-unit-tests.exe");
    ensure!(program.exists(), "{} is missing; run the tests with: cargo xtask test", program.display());
    let wine = Wine::start(&prefix_from_environment(&root()))?;
    // What an installer has left is a configuration too, which the tests do not expect.
    let _not_there = wine.run("reg", &["delete", r"HKLM\SOFTWARE\MngnTime", "/f"]);
    // One at a time: some of them look at the one service manager and the one registry there is.
    let output = wine.run(&windows_path(&program)?, &["--test-threads", "1"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && text.contains("test result: ok."), "{text}");
    println!("{}", text.lines().rfind(|line| line.starts_with("test result:")).unwrap_or_default());
    Ok(())
}
