//! A small file system of a test's own.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

/// A mounted tmpfs; unmounted when dropped.
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts one of `size` (mount's words and further options) on the existing directory `path`.
    ///
    /// # Errors
    /// When this process may not mount.
    pub fn mount(path: &Path, size: &str) -> Result<Self> {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"])
            .arg(path)
            .status()?;
        ensure!(status.success(), "cannot mount a tmpfs; the tests run as root");
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Writes to the end of `path` until the disk takes nothing more.
///
/// # Errors
/// When it cannot be opened.
pub fn fill(path: &Path) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    while file.write(&[0; 512]).is_ok_and(|written| written > 0) {}
    Ok(())
}

/// Makes a directory that only its owner may enter.
///
/// # Errors
/// When it cannot be made.
pub fn private_directory(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o700))?)
}
