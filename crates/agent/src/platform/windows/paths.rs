//! Where the installed agent keeps things, and who may touch them.
//!
//! Any user may create folders in `%ProgramData%`, so finding ours there proves nothing. It is created with
//! its rights from the first instant on. One that exists already is used only if it is a real directory
//! (no junction or link that leads elsewhere) and belongs to the system, to Administrators or to the
//! account that runs the agent; its rights are then set anew.

use std::fs;
use std::io;
use std::os::windows::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT};

use super::ffi::{accounts, registry, security};

/// Where Windows keeps the paths of the folders that all users share.
const SHELL_FOLDERS_KEY: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders";
/// `LocalSystem`.
const SYSTEM_SID: &str = "S-1-5-18";
/// The local group Administrators.
const ADMINISTRATORS_SID: &str = "S-1-5-32-544";
/// Full access for the system and for Administrators, for everything below too; nothing inherited.
const RIGHTS: &str = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
/// The same for `%ProgramData%\\MngnTime`, where the configuration lies: users may read it, for `punch` and
/// `status`.
const BASE_RIGHTS: &str = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";

/// `%ProgramData%\MngnTime\config.toml`.
#[must_use]
pub fn default_config_path() -> PathBuf {
    program_data().join("MngnTime").join("config.toml")
}

/// `%ProgramData%\MngnTime\state`.
#[must_use]
pub fn default_state_dir() -> PathBuf {
    program_data().join("MngnTime").join("state")
}

/// State of `punch` when an ordinary user's logon script calls it: `%LOCALAPPDATA%\MngnTime\state`. `None`
/// for administrators and the system, who have the installed agent's. It is the user's own data in any case,
/// so the variable may come from his environment.
#[must_use]
pub fn personal_state_dir() -> Option<PathBuf> {
    if security::is_administrator().unwrap_or(false) {
        return None;
    }
    let local = PathBuf::from(std::env::var_os("LOCALAPPDATA")?);
    local.is_absolute().then(|| local.join("MngnTime").join("state"))
}

/// Creates the directory if need be and keeps other users out. Missing directories above it are made with
/// the same rights; `%ProgramData%\MngnTime` itself is made so that users can read but not plant files.
///
/// # Errors
/// When it exists and is a link, is no directory or belongs to somebody else, or when Windows refuses.
pub fn protect_directory(path: &Path) -> anyhow::Result<()> {
    let own_sid = accounts::sid_of_token(&accounts::own_token()?)?;
    let is_administrator = security::is_administrator()? || own_sid == SYSTEM_SID;
    let base = program_data().join("MngnTime");
    if is_administrator && path != base && path.starts_with(&base) {
        protect(&base, BASE_RIGHTS, &own_sid)?;
    }
    let rights = rights_for(&own_sid, is_administrator);
    let missing =
        path.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty() && !above.exists());
    for above in missing.collect::<Vec<_>>().into_iter().rev() {
        security::create_directory(above, &rights)?;
    }
    protect(path, &rights, &own_sid)
}

/// Windows makes a directory entry durable together with the file's own flush; there is nothing to do and
/// no documented way to do it.
///
/// # Errors
/// Never.
pub fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// The rights of the directory. An ordinary user who runs the agent in the foreground keeps access.
fn rights_for(own_sid: &str, is_administrator: bool) -> String {
    if is_administrator { RIGHTS.to_owned() } else { format!("{RIGHTS}(A;OICI;FA;;;{own_sid})") }
}

/// Creates `path` with `rights`, or brings an existing directory of ours to them.
fn protect(path: &Path, rights: &str, own_sid: &str) -> anyhow::Result<()> {
    if security::create_directory(path, rights)? {
        return Ok(());
    }
    refuse_foreign(path, own_sid)?;
    Ok(security::set_rights(path, rights)?)
}

fn refuse_foreign(path: &Path, own_sid: &str) -> anyhow::Result<()> {
    let shown = path.display();
    let metadata = fs::symlink_metadata(path).with_context(|| format!("cannot examine {shown}"))?;
    let attributes = metadata.file_attributes();
    ensure!(attributes & FILE_ATTRIBUTE_DIRECTORY != 0, "{shown} is no directory");
    ensure!(attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0, "{shown} is a link to another place");
    let owner = security::owner_sid(path)?;
    if ![SYSTEM_SID, ADMINISTRATORS_SID, own_sid].contains(&owner.as_str()) {
        bail!("{shown} belongs to {owner}, who could read and change the records; remove it first");
    }
    Ok(())
}

/// `C:\ProgramData`, as the PC's registry says. Not from the environment: an ordinary user can set the
/// variables that his elevated programs will see.
fn program_data() -> PathBuf {
    let text = registry::text(SHELL_FOLDERS_KEY, "Common AppData").ok().flatten();
    PathBuf::from(text.as_deref().unwrap_or(r"C:\ProgramData"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_protected_and_accepted_again() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a").join("state");
        protect_directory(&path).unwrap();
        fs::write(path.join("file"), b"x").unwrap();
        protect_directory(&path).unwrap();
        assert_eq!(fs::read(path.join("file")).unwrap(), b"x");
    }

    #[test]
    fn a_file_in_its_place_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state");
        fs::write(&path, b"x").unwrap();
        assert!(protect_directory(&path).is_err());
    }

    #[test]
    fn an_ordinary_user_keeps_access_to_his_own() {
        assert_eq!(rights_for("S-1-5-21-1", true), RIGHTS);
        assert!(rights_for("S-1-5-21-1", false).ends_with("(A;OICI;FA;;;S-1-5-21-1)"));
    }
}
