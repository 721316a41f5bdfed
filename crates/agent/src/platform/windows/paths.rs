//! Where the installed agent keeps things, and who may touch them.
//!
//! Any user may create folders in `%ProgramData%`, so finding ours there proves nothing. It is created with
//! its rights from the first instant on. One that exists already is used only if it is a real directory
//! (no junction or link that leads elsewhere), belongs to the system, to Administrators or to the account
//! that runs the agent, and if nobody else could have changed what is in it: rights that let others write
//! are repaired while the directory is empty and refused afterwards, since its records would prove nothing.
//!
//! `%ProgramData%\MngnTime` itself is the exception: an administrator who puts a `config.toml` there by hand
//! leaves it with the rights of `%ProgramData%`, under which users may add files. It is repaired as long as
//! everything in it belongs to those above; every thing in it is then judged by its own owner and rights.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::windows::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use windows_sys::Win32::Foundation::{
    ERROR_CRC, ERROR_DISK_CORRUPT, ERROR_FILE_CORRUPT, ERROR_IO_DEVICE, ERROR_READ_FAULT,
    ERROR_SECTOR_NOT_FOUND,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT};

use super::ffi::registry::{self, Lifetime, WritableKey};
use super::ffi::security::Protection;
use super::ffi::{accounts, security};

/// Where Windows keeps the paths of the folders that all users share.
const SHELL_FOLDERS_KEY: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders";
/// What the installer remembers for an uninstall.
const SETUP_KEY: &str = r"SOFTWARE\MngnTime\Setup";
/// `LocalSystem`.
const SYSTEM_SID: &str = "S-1-5-18";
/// The local group Administrators.
const ADMINISTRATORS_SID: &str = "S-1-5-32-544";
/// The local group Users.
const USERS_SID: &str = "S-1-5-32-545";
/// `TrustedInstaller`, who owns what belongs to Windows.
const TRUSTED_INSTALLER_SID: &str = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
/// In an entry for children: whoever makes the child. For a child of ours that is us.
const CREATOR_OWNER_SID: &str = "S-1-3-0";
/// The rights with which a file or the content of a directory can be changed, added to, removed or opened to
/// others (winnt.h): write data, append, write attributes of both sorts, delete children, delete, write the
/// list of rights, write the owner, generic write, generic all, "whatever is allowed".
const CHANGING: u32 = 0x0002
    | 0x0004
    | 0x0010
    | 0x0040
    | 0x0100
    | 0x0001_0000
    | 0x0004_0000
    | 0x0008_0000
    | 0x4000_0000
    | 0x1000_0000
    | 0x0200_0000;
/// Full access for the system and for Administrators, for everything below too; nothing inherited. Owned by
/// Administrators, whoever of them runs `install` or `enroll`: the service trusts the group, not the person.
const RIGHTS: &str = "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
/// The same for `%ProgramData%\\MngnTime`, where the configuration lies: users may read it, for `punch` and
/// `status`.
const BASE_RIGHTS: &str = "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";

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
/// the same rights; `%ProgramData%\MngnTime` itself is made so that users can read but not plant files, and
/// every directory between it and `path` is held to the same rules as `path`.
///
/// # Errors
/// When one exists and is a link, is no directory, belongs to somebody else or could have been changed by
/// somebody else, with the cure; or when Windows refuses.
pub fn protect_directory(path: &Path) -> anyhow::Result<()> {
    let caller = Caller::examine()?;
    let base = program_data().join("MngnTime");
    let rights = caller.rights();
    if caller.is_administrator && path != base && path.starts_with(&base) {
        protect_base(&base, &caller)?;
        let between = path.ancestors().skip(1).take_while(|above| *above != base);
        for above in between.collect::<Vec<_>>().into_iter().rev() {
            protect(above, &rights, &caller)?;
        }
    }
    let missing =
        path.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty() && !above.exists());
    for above in missing.collect::<Vec<_>>().into_iter().rev() {
        security::create_directory(above, &rights)?;
    }
    protect(path, &rights, &caller)
}

/// Creates `%ProgramData%\MngnTime`, or brings it to its rights.
///
/// # Errors
/// When it is a link or belongs to somebody else, something in it does, or Windows refuses.
pub fn protect_program_data() -> anyhow::Result<()> {
    let base = program_data().join("MngnTime");
    protect_base(&base, &Caller::examine()?)?;
    // Without it `PURGE=1` leaves the records, which is the harmless way to fail.
    let _not_told = allow_purge(&base);
    Ok(())
}

/// Tells the installer what an uninstall with `PURGE=1` may empty: only folders that have just proven to be
/// ours, each of them, since nothing else looks at them when `state_dir` leads elsewhere. A link that a user had put in their place would lead it elsewhere (`packaging/windows/MngnTime.wxs`).
fn allow_purge(base: &Path) -> anyhow::Result<()> {
    if registry::text(SETUP_KEY, "program1")?.is_none() {
        // Not installed by the installer.
        return Ok(());
    }
    let key = WritableKey::create(SETUP_KEY, Lifetime::Lasting)?;
    let state = base.join("state");
    let journal = state.join("journal");
    protect_directory(&journal)?;
    for (name, folder) in [("base1", base), ("state1", &state), ("journal1", &journal)] {
        key.set_text(name, &format!("{}\\", folder.display()))?;
    }
    Ok(())
}

/// Refuses, for an administrator and the service, a file that ordinary users could have written: it could
/// send the records elsewhere. An ordinary user decides for himself whom he believes.
///
/// # Errors
/// When the file or its folder is a link, belongs to somebody else or can be written to by somebody else,
/// with the cure.
pub fn ensure_trusted_file(path: &Path) -> anyhow::Result<()> {
    let caller = Caller::examine()?;
    if !caller.is_administrator {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for place in [folder, path] {
        let attributes = attributes_of(place)?;
        ensure!(
            attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0,
            "{} is a link to another place",
            place.display()
        );
        let protection = security::protection(place)?;
        caller.ensure_owned(place, &protection)?;
        if let Some(writer) = caller.writer(&protection, false) {
            let shown = place.display();
            let cure = cure(place, place == path);
            bail!("{shown} can be written to by {writer}; as administrator run: {cure}");
        }
    }
    Ok(())
}

/// Windows makes a directory entry durable together with the file's own flush; there is nothing to do and
/// no documented way to do it.
///
/// # Errors
/// Never.
pub fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// What the OS says when the medium, or the file system on it, does not give bytes back.
pub const MEDIUM_ERRORS: &[i32] = &[
    ERROR_CRC.cast_signed(),
    ERROR_SECTOR_NOT_FOUND.cast_signed(),
    ERROR_READ_FAULT.cast_signed(),
    ERROR_IO_DEVICE.cast_signed(),
    ERROR_FILE_CORRUPT.cast_signed(),
    ERROR_DISK_CORRUPT.cast_signed(),
];

/// Opens what is behind a name at once. Nothing in a directory makes an open wait here.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Who asks.
struct Caller {
    sid: String,
    is_administrator: bool,
}

impl Caller {
    fn examine() -> anyhow::Result<Self> {
        let sid = accounts::sid_of_token(&accounts::own_token()?)?;
        let is_administrator = security::is_administrator()? || sid == SYSTEM_SID;
        Ok(Self { sid, is_administrator })
    }

    /// The rights of a directory of ours. An ordinary user who runs the agent in the foreground keeps access.
    fn rights(&self) -> String {
        if self.is_administrator {
            RIGHTS.to_owned()
        } else {
            format!("{}(A;OICI;FA;;;{})", RIGHTS.trim_start_matches("O:BA"), self.sid)
        }
    }

    fn trusts(&self, sid: &str) -> bool {
        [SYSTEM_SID, ADMINISTRATORS_SID, TRUSTED_INSTALLER_SID, &self.sid].contains(&sid)
    }

    fn ensure_owned(&self, path: &Path, protection: &Protection) -> anyhow::Result<()> {
        if !self.trusts(&protection.owner) {
            bail!(
                "{0} belongs to {1}, who could change what is in it; look at it, then remove it, or as administrator run: icacls \"{0}\" /setowner *{ADMINISTRATORS_SID} /T",
                path.display(),
                named(&protection.owner)
            );
        }
        Ok(())
    }

    /// Somebody else who may change the thing or, `with_children`, what will be made in it.
    fn writer(&self, protection: &Protection, with_children: bool) -> Option<String> {
        let Some(allowed) = &protection.allowed else {
            return Some("everybody (it has no list of rights)".to_owned());
        };
        allowed
            .iter()
            .filter(|entry| entry.mask & CHANGING != 0 && !self.trusts(&entry.sid))
            .filter(|entry| !entry.for_children_only || (with_children && entry.sid != CREATOR_OWNER_SID))
            .map(|entry| named(&entry.sid))
            .next()
    }
}

/// The commands that leave a file or a directory to the system and to Administrators; users may go on reading
/// a file. The first takes away what was granted one by one, the second what comes from above.
fn cure(path: &Path, is_file: bool) -> String {
    let shown = path.display();
    if is_file {
        return format!(
            "icacls \"{shown}\" /reset, then: icacls \"{shown}\" /inheritance:r /grant:r \"*{SYSTEM_SID}:F\" \"*{ADMINISTRATORS_SID}:F\" \"*{USERS_SID}:RX\""
        );
    }
    format!(
        "icacls \"{shown}\" /reset /T, then: icacls \"{shown}\" /inheritance:r /grant:r \"*{SYSTEM_SID}:(OI)(CI)F\" \"*{ADMINISTRATORS_SID}:(OI)(CI)F\""
    )
}

/// A SID with the name of the groups that are usually meant.
fn named(sid: &str) -> String {
    match sid {
        "S-1-1-0" => format!("{sid} (Everyone)"),
        "S-1-5-4" => format!("{sid} (INTERACTIVE)"),
        "S-1-5-11" => format!("{sid} (Authenticated Users)"),
        USERS_SID => format!("{sid} (Users)"),
        other => other.to_owned(),
    }
}

/// Creates `path` with `rights`, or brings an existing directory of ours to them.
fn protect(path: &Path, rights: &str, caller: &Caller) -> anyhow::Result<()> {
    if security::create_directory(path, rights)? {
        return Ok(());
    }
    let protection = examine_directory(path, caller)?;
    let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
    let mut is_empty = true;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
        is_empty = false;
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            bail!("{} is a link to another place; remove it", entry.path().display());
        }
    }
    if let Some(writer) = caller.writer(&protection, true).filter(|_| !is_empty) {
        let shown = path.display();
        let cure = cure(path, false);
        bail!(
            "{shown} can be changed by {writer}, so its records prove nothing; keep a copy for support, then remove it, or as administrator run: {cure}"
        );
    }
    Ok(security::set_rights(path, rights)?)
}

/// The same for the directory in which users may read.
fn protect_base(path: &Path, caller: &Caller) -> anyhow::Result<()> {
    if security::create_directory(path, BASE_RIGHTS)? {
        return Ok(());
    }
    let protection = examine_directory(path, caller)?;
    if caller.writer(&protection, true).is_some() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
            let entry = entry.with_context(|| format!("cannot list {}", path.display()))?.path();
            let attributes = attributes_of(&entry)?;
            ensure!(
                attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0,
                "{} is a link to another place; remove it",
                entry.display()
            );
            caller.ensure_owned(&entry, &security::protection(&entry)?)?;
        }
    }
    Ok(security::set_rights(path, BASE_RIGHTS)?)
}

/// Refuses what is no directory, leads elsewhere or belongs to somebody else.
fn examine_directory(path: &Path, caller: &Caller) -> anyhow::Result<Protection> {
    let shown = path.display();
    let attributes = attributes_of(path)?;
    ensure!(attributes & FILE_ATTRIBUTE_DIRECTORY != 0, "{shown} is no directory");
    ensure!(attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0, "{shown} is a link to another place; remove it");
    let protection = security::protection(path)?;
    caller.ensure_owned(path, &protection)?;
    Ok(protection)
}

fn attributes_of(path: &Path) -> anyhow::Result<u32> {
    let metadata =
        fs::symlink_metadata(path).with_context(|| format!("cannot examine {}", path.display()))?;
    Ok(metadata.file_attributes())
}

/// `C:\ProgramData`, as the PC's registry says. Not from the environment: an ordinary user can set the
/// variables that his elevated programs will see.
fn program_data() -> PathBuf {
    let text = registry::text(SHELL_FOLDERS_KEY, "Common AppData").ok().flatten();
    PathBuf::from(text.as_deref().unwrap_or(r"C:\ProgramData"))
}

#[cfg(test)]
mod tests {
    use super::super::ffi::security::Allowed;
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
        let caller = |is_administrator| Caller { sid: "S-1-5-21-1".to_owned(), is_administrator };
        assert_eq!(caller(true).rights(), RIGHTS);
        let rights = caller(false).rights();
        assert!(rights.starts_with("D:") && rights.ends_with("(A;OICI;FA;;;S-1-5-21-1)"), "{rights}");
    }

    fn allowed(sid: &str, mask: u32, for_children_only: bool) -> Protection {
        let entry = Allowed { sid: sid.to_owned(), mask, for_children_only };
        Protection { owner: SYSTEM_SID.to_owned(), allowed: Some(vec![entry]) }
    }

    #[test]
    fn only_others_who_could_change_something_are_writers() {
        let caller = Caller { sid: "S-1-5-21-1".to_owned(), is_administrator: true };
        let full = 0x001f_01ff;
        for sid in [SYSTEM_SID, ADMINISTRATORS_SID, TRUSTED_INSTALLER_SID, "S-1-5-21-1"] {
            assert_eq!(caller.writer(&allowed(sid, full, false), true), None, "{sid}");
        }
        assert_eq!(
            caller.writer(&allowed("S-1-5-32-545", 0x0012_00a9, false), true),
            None,
            "read and execute"
        );
        for mask in [0x2, 0x4, 0x40, 0x1_0000, 0x4_0000, 0x8_0000, 0x1000_0000, 0x4000_0000] {
            let writer = caller.writer(&allowed("S-1-5-32-545", mask, false), false);
            assert_eq!(writer.as_deref(), Some("S-1-5-32-545 (Users)"), "{mask:x}");
        }
        assert_eq!(caller.writer(&allowed(CREATOR_OWNER_SID, full, true), true), None);
        assert_eq!(
            caller.writer(&allowed("S-1-1-0", full, true), false),
            None,
            "children are judged themselves"
        );
        assert!(caller.writer(&allowed("S-1-1-0", full, true), true).is_some());
        let without_list = Protection { owner: SYSTEM_SID.to_owned(), allowed: None };
        assert!(caller.writer(&without_list, false).is_some());
        let foreign = Protection { owner: "S-1-5-21-2".to_owned(), allowed: Some(Vec::new()) };
        let error = caller.ensure_owned(Path::new(r"C:\x"), &foreign).unwrap_err().to_string();
        assert!(error.contains("S-1-5-21-2") && error.contains(r#"icacls "C:\x" /setowner"#), "{error}");
    }

    /// Everybody may do everything.
    const OPEN: &str = "D:PAI(A;OICI;FA;;;WD)";

    #[test]
    fn an_open_directory_is_repaired_while_empty_and_refused_with_the_cure_afterwards() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state");
        fs::create_dir(&path).unwrap();
        security::set_rights(&path, OPEN).unwrap();
        let caller = Caller::examine().unwrap();
        assert!(caller.writer(&security::protection(&path).unwrap(), true).is_some());
        protect_directory(&path).unwrap();
        assert_eq!(caller.writer(&security::protection(&path).unwrap(), true), None);
        fs::write(path.join("file"), b"x").unwrap();
        security::set_rights(&path, OPEN).unwrap();
        let error = protect_directory(&path).unwrap_err().to_string();
        assert!(error.contains("S-1-1-0") && error.contains("icacls"), "{error}");
    }

    #[test]
    fn a_configuration_that_others_could_have_written_is_refused_for_administrators() {
        let caller = Caller::examine().unwrap();
        if !caller.is_administrator {
            return; // He decides for himself; there is nothing to show.
        }
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        security::create_directory(&folder, RIGHTS).unwrap();
        let file = folder.join("config.toml");
        fs::write(&file, "").unwrap();
        security::set_rights(&file, BASE_RIGHTS).unwrap();
        ensure_trusted_file(&file).unwrap();
        security::set_rights(&file, OPEN).unwrap();
        assert!(ensure_trusted_file(&file).unwrap_err().to_string().contains("config.toml\" /reset"));
        security::set_rights(&file, BASE_RIGHTS).unwrap();
        security::set_rights(&folder, OPEN).unwrap();
        assert!(ensure_trusted_file(&file).unwrap_err().to_string().contains("Everyone"));
    }
}
