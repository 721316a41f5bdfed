//! Running other programs from the repository's root.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, bail, ensure};

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// Runs a program in the root; an error names it when it fails.
pub fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} {} failed ({status})", arguments.join(" "));
    }
    Ok(())
}

/// Runs a command to its end; an error names it and tells all that it said.
pub fn finish(command: &mut Command) -> anyhow::Result<Output> {
    let output = command.output().with_context(|| format!("start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {} {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}

/// What a command that succeeds writes to its standard output.
pub fn output_of(command: &mut Command) -> anyhow::Result<String> {
    Ok(String::from_utf8(finish(command)?.stdout)?)
}

/// Whether a program can be started with `--version`.
pub fn has(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}
