//! Who may touch our files, and where Windows looks for DLLs.

use core::ffi::c_void;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, ERROR_SUCCESS};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
    SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, CheckTokenMembership, CreateWellKnownSid, DACL_SECURITY_INFORMATION,
    GetAce, OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID,
    SECURITY_ATTRIBUTES, SetFileSecurityW, WinBuiltinAdministratorsSid,
};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;
use windows_sys::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};

use super::accounts::sid_text;
use super::error::WindowsError;
use super::memory::LocalMemory;
use super::text::Wide;

/// Kinds of entries that allow something, and the flag of those for children only (winnt.h,
/// `ACCESS_ALLOWED_…_ACE_TYPE`, `INHERIT_ONLY_ACE`).
const ALLOWED: u8 = 0;
const ALLOWED_FOR_OBJECT: u8 = 5;
const ALLOWED_WITH_CONDITION: u8 = 9;
const ALLOWED_FOR_OBJECT_WITH_CONDITION: u8 = 11;
const INHERIT_ONLY: u8 = 8;

/// Longest binary SID: `SECURITY_MAX_SID_SIZE` of winnt.h, in bytes.
const SID_BYTES_MAX: usize = 68;

/// From now on this process loads DLLs from System32 only, whatever lies beside the program.
///
/// # Errors
/// When Windows refuses.
pub fn load_system_dlls_only() -> Result<(), WindowsError> {
    // SAFETY: the call takes a flag and no memory.
    if unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) } == 0 {
        return Err(WindowsError::last("restrict", "the search for DLLs"));
    }
    Ok(())
}

/// Whether this process has administrators' rights (an elevated administrator or `LocalSystem`).
///
/// # Errors
/// When the token cannot be examined.
pub fn is_administrator() -> Result<bool, WindowsError> {
    let mut sid = [0_u8; SID_BYTES_MAX];
    let mut bytes = SID_BYTES_MAX as u32;
    let address: PSID = sid.as_mut_ptr().cast();
    // SAFETY: the buffer has the length that is announced, the longest a SID can have.
    if unsafe { CreateWellKnownSid(WinBuiltinAdministratorsSid, null_mut(), address, &raw mut bytes) } == 0 {
        return Err(WindowsError::last("make", "the SID of Administrators"));
    }
    let mut member = 0;
    // SAFETY: a null token is the caller's own; the SID was just made; the address is a live local.
    if unsafe { CheckTokenMembership(null_mut(), address, &raw mut member) } == 0 {
        return Err(WindowsError::last("examine", "the token of this process"));
    }
    Ok(member != 0)
}

/// Creates the directory with exactly the rights in `sddl`, from its first instant on.
///
/// # Errors
/// When the parent is missing or the rights are malformed. An existing directory is `Ok(false)`.
pub fn create_directory(path: &Path, sddl: &str) -> Result<bool, WindowsError> {
    let descriptor = descriptor_from(sddl)?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.as_ptr(),
        bInheritHandle: 0,
    };
    let wide = Wide::new(path);
    // SAFETY: the path is zero-ended; the descriptor outlives the call.
    if unsafe { CreateDirectoryW(wide.as_ptr(), &raw const attributes) } != 0 {
        return Ok(true);
    }
    match WindowsError::last("create directory", path.display()) {
        error if error.code() == Some(ERROR_ALREADY_EXISTS) => Ok(false),
        error => Err(error),
    }
}

/// Replaces the rights of an existing file or directory by those in `sddl`, and its owner where `sddl` names
/// one; nothing is inherited from above any more.
///
/// # Errors
/// When access is denied or the rights are malformed.
pub fn set_rights(path: &Path, sddl: &str) -> Result<(), WindowsError> {
    let descriptor = descriptor_from(sddl)?;
    let wide = Wide::new(path);
    let owner = if sddl.starts_with("O:") { OWNER_SECURITY_INFORMATION } else { 0 };
    let what = owner | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the path is zero-ended; the descriptor outlives the call.
    if unsafe { SetFileSecurityW(wide.as_ptr(), what, descriptor.as_ptr()) } == 0 {
        return Err(WindowsError::last("set the rights of", path.display()));
    }
    Ok(())
}

/// Who owns a file or directory, and whom its rights allow what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The owner's SID, `S-1-…`.
    pub owner: String,
    /// The entries that allow something; `None` when there is no list, which allows everybody everything.
    pub allowed: Option<Vec<Allowed>>,
}

/// An entry that allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Whom: a SID, or the kind of an entry that names nobody we can read.
    pub sid: String,
    /// What (`ACCESS_MASK`).
    pub mask: u32,
    /// Whether it counts only for what is made inside.
    pub for_children_only: bool,
}

/// Owner and rights of `path`; of a link, those of what it leads to.
///
/// # Errors
/// When it does not exist or access is denied.
pub fn protection(path: &Path) -> Result<Protection, WindowsError> {
    let wide = Wide::new(path);
    let mut owner: PSID = null_mut();
    let mut list: *mut ACL = null_mut();
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the path is zero-ended, the addresses are live locals, parts that are not wanted are null.
    let code = unsafe {
        GetNamedSecurityInfoW(
            wide.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut descriptor,
        )
    };
    if code != ERROR_SUCCESS {
        return Err(WindowsError::from_code("read the owner and rights of", path.display(), code));
    }
    // SAFETY: the call succeeded, so the descriptor was allocated with LocalAlloc for us.
    let _descriptor = unsafe { LocalMemory::adopt(descriptor) };
    // SAFETY: the owner lies in the descriptor, which lives until the end of this function.
    let owner = unsafe { sid_text(owner) }?;
    // SAFETY: the list is null or lies in the same descriptor.
    Ok(Protection { owner, allowed: unsafe { allowed_by(list) }? })
}

/// # Safety
/// `list` is null or a valid list that outlives the call.
unsafe fn allowed_by(list: *const ACL) -> Result<Option<Vec<Allowed>>, WindowsError> {
    if list.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so it is a list.
    let count = unsafe { (*list).AceCount };
    let mut allowed = Vec::new();
    for index in 0..u32::from(count) {
        let mut entry: *mut c_void = null_mut();
        // SAFETY: the list is valid, the index below its count, the address a live local.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            return Err(WindowsError::last("read", format_args!("entry {index} of a list of rights")));
        }
        // SAFETY: the call gave an entry of the list.
        allowed.extend(unsafe { allowed_entry(entry) }?);
    }
    Ok(Some(allowed))
}

/// What an entry allows; `None` for one that denies, audits or labels.
///
/// # Safety
/// `entry` is an entry of a valid list that outlives the call.
unsafe fn allowed_entry(entry: *const c_void) -> Result<Option<Allowed>, WindowsError> {
    // SAFETY: every entry begins with a header.
    let header = unsafe { entry.cast::<ACE_HEADER>().read_unaligned() };
    let for_children_only = header.AceFlags & INHERIT_ONLY != 0;
    match header.AceType {
        ALLOWED | ALLOWED_WITH_CONDITION => {
            let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
            // SAFETY: entries of these kinds have this form; the SID begins in the field and lies inside.
            let (mask, sid) =
                unsafe { ((*entry).Mask, sid_text((&raw const (*entry).SidStart).cast_mut().cast())?) };
            Ok(Some(Allowed { sid, mask, for_children_only }))
        }
        // For objects of a directory service; on a file nothing says what they would mean.
        kind @ (ALLOWED_FOR_OBJECT | ALLOWED_FOR_OBJECT_WITH_CONDITION) => {
            Ok(Some(Allowed { sid: format!("entry of kind {kind}"), mask: u32::MAX, for_children_only }))
        }
        _ => Ok(None),
    }
}

/// Reads a security descriptor in SDDL; the memory holds a self-relative one.
pub(super) fn descriptor_from(sddl: &str) -> Result<LocalMemory, WindowsError> {
    let wide = Wide::new(sddl);
    let mut descriptor: *mut c_void = null_mut();
    // SAFETY: the text is zero-ended, the address a live local, the size not wanted.
    let done = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            wide.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        )
    };
    if done == 0 {
        return Err(WindowsError::last("read security descriptor", sddl));
    }
    // SAFETY: the call succeeded, so the descriptor was allocated with LocalAlloc for us.
    Ok(unsafe { LocalMemory::adopt(descriptor) })
}
