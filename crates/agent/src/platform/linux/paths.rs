//! Where things are on Linux, and who may touch them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// Configuration of the installed agent.
#[must_use]
pub fn default_config_path() -> PathBuf {
    PathBuf::from("/etc/mngntime/config.toml")
}

/// State of the installed agent.
#[must_use]
pub fn default_state_dir() -> PathBuf {
    PathBuf::from("/var/lib/mngntime")
}

/// State of `punch` when an ordinary user's logon script calls it: `$XDG_STATE_HOME/mngntime`, by default
/// `~/.local/state/mngntime` (XDG Base Directory Specification). `None` for root, who has the installed agent's.
#[must_use]
pub fn personal_state_dir() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return None;
    }
    let absolute = |path: std::ffi::OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let stated = std::env::var_os("XDG_STATE_HOME").and_then(absolute);
    let home = || std::env::var_os("HOME").and_then(absolute).map(|home| home.join(".local/state"));
    stated.or_else(home).map(|state| state.join("mngntime"))
}

/// Makes the directory, for us alone, or checks that nobody else may write to it.
///
/// # Errors
/// When it cannot be made, is a link, belongs to another user, or is open to others.
pub fn protect_directory(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot create the directory {}", path.display()))?;
    let metadata =
        fs::symlink_metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    if !metadata.is_dir() {
        bail!("{} is a link or a file; name a directory of its own in state_dir", path.display());
    }
    let our_uid = rustix::process::geteuid().as_raw();
    if metadata.uid() != our_uid {
        bail!("{} belongs to uid {}, but the agent runs as uid {our_uid}", path.display(), metadata.uid());
    }
    if metadata.mode() & 0o022 != 0 {
        bail!("{0} can be written to by other users; run: chmod 700 {0}", path.display());
    }
    Ok(())
}

/// Refuses, for root, a file that others could have written: it could send the records elsewhere. An
/// ordinary user decides for himself whom he believes.
///
/// # Errors
/// When the file or its folder belongs to another user or is open to others, with the cure.
pub fn ensure_trusted_file(path: &Path) -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let metadata = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    ensure_trusted(path, &metadata, 0)?;
    // In a sticky folder (/tmp) others can add files, but neither remove nor replace ours.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let metadata = fs::metadata(folder).with_context(|| format!("cannot look at {}", folder.display()))?;
    ensure_trusted(folder, &metadata, 0o1000)
}

fn ensure_trusted(path: &Path, metadata: &fs::Metadata, excuse: u32) -> anyhow::Result<()> {
    let shown = path.display();
    if metadata.uid() != 0 {
        bail!("{shown} belongs to uid {}, not to root; run: chown root {shown}", metadata.uid());
    }
    // Root's own group holds nobody else.
    let writers = if metadata.gid() == 0 { 0o002 } else { 0o022 };
    if metadata.mode() & writers != 0 && metadata.mode() & excuse == 0 {
        bail!("{shown} can be written to by other users; run: chmod go-w {shown}");
    }
    Ok(())
}

/// Makes new names in the directory durable.
///
/// # Errors
/// What the OS says.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// What the OS says when the medium, or the file system on it, does not give bytes back: errors of the device, of its
/// checksums and of damaged structures (errno(3); ext4, XFS and Btrfs use EUCLEAN and EBADMSG, the block layer the rest).
pub const MEDIUM_ERRORS: &[i32] = &[
    Errno::IO.raw_os_error(),
    Errno::UCLEAN.raw_os_error(),
    Errno::BADMSG.raw_os_error(),
    Errno::NODATA.raw_os_error(),
    Errno::ILSEQ.raw_os_error(),
    Errno::REMOTEIO.raw_os_error(),
];

/// Opens what is behind a name at once: not even a pipe without another end is waited for.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_directory_others_can_write_to_is_refused_with_the_cure() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("state");
        protect_directory(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let error = protect_directory(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }

    #[test]
    fn for_root_a_configuration_that_others_can_write_is_refused_with_the_cure() {
        if !rustix::process::geteuid().is_root() {
            return; // An ordinary user decides for himself; there is nothing to show.
        }
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("config.toml");
        fs::write(&path, "").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        mode(&path, 0o644);
        ensure_trusted_file(&path).unwrap();
        mode(&path, 0o666);
        let error = ensure_trusted_file(&path).unwrap_err().to_string();
        assert!(error.contains("chmod go-w"), "{error}");
        mode(&path, 0o644);
        mode(temp.path(), 0o777);
        assert!(ensure_trusted_file(&path).is_err(), "anybody can replace it");
        mode(temp.path(), 0o1777);
        ensure_trusted_file(&path).unwrap();
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        assert!(ensure_trusted_file(&path).unwrap_err().to_string().contains("12345"));
    }

    #[test]
    fn a_link_is_no_place_for_evidence() {
        let temp = tempfile::tempdir().unwrap();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(temp.path(), &link).unwrap();
        assert!(protect_directory(&link).is_err());
    }
}
