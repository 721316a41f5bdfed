//! Debian packages that a build needs, installed when we are root.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::process::has;

/// Installs the packages whose file is missing; each comes with a file that shows that it is there.
///
/// # Errors
/// When something is missing and cannot be installed; the message says what to install.
pub fn require(packages: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        packages.iter().filter(|(_, file)| !Path::new(file).exists()).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing)
}

/// Installs packages.
///
/// # Errors
/// When we may not, or apt-get fails; the message says what to install.
pub fn install(packages: &[&str]) -> anyhow::Result<()> {
    let names = packages.join(" ");
    ensure!(can_install(), "missing here; as root: apt-get install {names}");
    println!("installing {names}");
    let status = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=900", "install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .status()
        .context("start apt-get")?;
    ensure!(status.success(), "apt-get could not install {names}");
    Ok(())
}

/// Whether this is Debian and we are root.
fn can_install() -> bool {
    let user = Command::new("id").arg("-u").output();
    has("apt-get", &[]) && user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
