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
    CheckTokenMembership, CreateWellKnownSid, DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES, SetFileSecurityW,
    WinBuiltinAdministratorsSid,
};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;
use windows_sys::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};

use super::accounts::sid_text;
use super::error::WindowsError;
use super::memory::LocalMemory;
use super::text::Wide;

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

/// Replaces the rights of an existing file or directory by those in `sddl`; nothing is inherited from
/// above any more.
///
/// # Errors
/// When access is denied or the rights are malformed.
pub fn set_rights(path: &Path, sddl: &str) -> Result<(), WindowsError> {
    let descriptor = descriptor_from(sddl)?;
    let wide = Wide::new(path);
    let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the path is zero-ended; the descriptor outlives the call.
    if unsafe { SetFileSecurityW(wide.as_ptr(), what, descriptor.as_ptr()) } == 0 {
        return Err(WindowsError::last("set the rights of", path.display()));
    }
    Ok(())
}

/// The SID of the account that owns `path`.
///
/// # Errors
/// When access is denied.
pub fn owner_sid(path: &Path) -> Result<String, WindowsError> {
    let wide = Wide::new(path);
    let mut owner: PSID = null_mut();
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the path is zero-ended, the addresses are live locals, parts that are not wanted are null.
    let code = unsafe {
        GetNamedSecurityInfoW(
            wide.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if code != ERROR_SUCCESS {
        return Err(WindowsError::from_code("read the owner of", path.display(), code));
    }
    // SAFETY: the call succeeded, so the descriptor was allocated with LocalAlloc for us.
    let _descriptor = unsafe { LocalMemory::adopt(descriptor) };
    // SAFETY: the owner lies in the descriptor, which lives until the end of this function.
    unsafe { sid_text(owner) }
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
