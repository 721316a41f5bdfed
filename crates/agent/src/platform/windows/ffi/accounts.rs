//! Who an account is: its SID; and its logon: LUID, UPN, type, time.

use core::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HANDLE, LUID};
use windows_sys::Win32::Security::Authentication::Identity::{
    LSA_UNICODE_STRING, LsaFreeReturnBuffer, LsaGetLogonSessionData, SECURITY_LOGON_SESSION_DATA,
};
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountNameW, LookupAccountSidW, PSID, TOKEN_INFORMATION_CLASS, TOKEN_QUERY,
    TOKEN_STATISTICS, TOKEN_USER, TokenStatistics, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::error::WindowsError;
use super::memory::LocalMemory;
use super::sessions::UserToken;
use super::text::{Wide, copied, until_zero};

/// Longest binary SID: `SECURITY_MAX_SID_SIZE` of winnt.h, in bytes.
const SID_BYTES_MAX: usize = 68;
/// Longest user or domain name that a look-up may give, in UTF-16 units (DNS names end at 255).
const NAME_UNITS_MAX: usize = 256;

/// The SID of the token's user as text, `S-1-…`.
///
/// # Errors
/// When the token cannot be queried or the SID is no SID.
pub fn sid_of_token(token: &UserToken) -> Result<String, WindowsError> {
    let bytes = token_user(token)?;
    // SAFETY: `token_user` checked that the buffer holds a TOKEN_USER; the SID it points to lies in the same
    // buffer, which lives until the end of this function.
    unsafe { sid_text(bytes.as_ptr().cast::<TOKEN_USER>().read_unaligned().User.Sid) }
}

/// What names the logon behind a token and never another in this boot: `TOKEN_STATISTICS.AuthenticationId`.
///
/// # Errors
/// When the token cannot be queried.
pub fn logon_luid(token: &UserToken) -> Result<u64, WindowsError> {
    let bytes = token_information(token, TokenStatistics)?;
    if bytes.len() < size_of::<TOKEN_STATISTICS>() {
        return Err(WindowsError::finding(
            "read",
            "the token's statistics",
            format!("{} bytes", bytes.len()),
        ));
    }
    // SAFETY: TokenStatistics answers with this struct of plain numbers, and the length was checked.
    let statistics = unsafe { bytes.as_ptr().cast::<TOKEN_STATISTICS>().read_unaligned() };
    let LUID { LowPart, HighPart } = statistics.AuthenticationId;
    Ok((u64::from(HighPart.cast_unsigned()) << 32) | u64::from(LowPart))
}

/// The token of this process.
///
/// # Errors
/// When Windows refuses to open it.
pub fn own_token() -> Result<UserToken, WindowsError> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the pseudo handle of this process is always valid; the address is a live local.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(WindowsError::last("open", "the token of this process"));
    }
    // SAFETY: the call gave a handle that is ours to close.
    Ok(unsafe { UserToken::adopt(token) })
}

/// The domain (or PC) name and the short name of the token's user, as the PC knows them now.
///
/// # Errors
/// When the token cannot be queried or its SID has no name any more.
pub fn names_of_token(token: &UserToken) -> Result<(String, String), WindowsError> {
    let bytes = token_user(token)?;
    // SAFETY: `token_user` checked that the buffer holds a TOKEN_USER, whose SID lies in the same buffer,
    // which lives until the end of this function.
    unsafe { names_of(bytes.as_ptr().cast::<TOKEN_USER>().read_unaligned().User.Sid) }
        .ok_or_else(|| WindowsError::last("look up the name of", "the token's user"))
}

/// The domain (or PC) name and the short name behind a SID in its text form; may ask a domain controller.
///
/// # Errors
/// When the text is no SID, or nobody knows it.
pub fn names_of_sid(sid: &str) -> Result<(String, String), WindowsError> {
    let wide = Wide::new(sid);
    let mut binary: PSID = null_mut();
    // SAFETY: the text is zero-ended; the address is a live local.
    if unsafe { ConvertStringSidToSidW(wide.as_ptr(), &raw mut binary) } == 0 {
        return Err(WindowsError::last("read", format_args!("the SID {sid}")));
    }
    // SAFETY: the SID was allocated with LocalAlloc for us and is freed with `memory`.
    let memory = unsafe { LocalMemory::adopt(binary) };
    // SAFETY: the call above made a SID there, which lives until the end of this function.
    unsafe { names_of(memory.as_ptr::<c_void>()) }
        .ok_or_else(|| WindowsError::last("look up the name of", format_args!("the SID {sid}")))
}

/// Domain and name; `None` leaves the thread's last error as it is.
///
/// # Safety
/// `sid` points to a SID.
unsafe fn names_of(sid: PSID) -> Option<(String, String)> {
    let mut name = [0_u16; NAME_UNITS_MAX];
    let mut name_units = NAME_UNITS_MAX as u32;
    let mut domain = [0_u16; NAME_UNITS_MAX];
    let mut domain_units = NAME_UNITS_MAX as u32;
    let mut kind = 0;
    // SAFETY: the caller vouches for the SID; the other buffers are live locals and have the lengths that
    // are given, in units.
    let found = unsafe {
        LookupAccountSidW(
            null(),
            sid,
            name.as_mut_ptr(),
            &raw mut name_units,
            domain.as_mut_ptr(),
            &raw mut domain_units,
            &raw mut kind,
        )
    };
    (found != 0).then(|| (until_zero(&domain), until_zero(&name)))
}

/// The SID of `domain\name`, asked from the PC and, for a domain account, from a domain controller; may
/// take seconds when the network is slow.
///
/// # Errors
/// When nobody knows the name.
pub fn sid_of_name(domain: &str, name: &str) -> Result<String, WindowsError> {
    let full = if domain.is_empty() { name.to_owned() } else { format!("{domain}\\{name}") };
    let wide = Wide::new(&full);
    let mut sid = [0_u8; SID_BYTES_MAX];
    let mut sid_bytes = SID_BYTES_MAX as u32;
    let mut referenced = [0_u16; NAME_UNITS_MAX];
    let mut referenced_units = NAME_UNITS_MAX as u32;
    let mut kind = 0;
    // SAFETY: every buffer is a live local and its length is given in the unit the call documents.
    let found = unsafe {
        LookupAccountNameW(
            null(),
            wide.as_ptr(),
            sid.as_mut_ptr().cast(),
            &raw mut sid_bytes,
            referenced.as_mut_ptr(),
            &raw mut referenced_units,
            &raw mut kind,
        )
    };
    if found == 0 {
        return Err(WindowsError::last("look up the SID of", full));
    }
    // SAFETY: the call succeeded, so the buffer holds a SID.
    unsafe { sid_text(sid.as_mut_ptr().cast()) }
}

/// What the PC's own logon table knows about a logon; no domain controller is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logon {
    /// `SECURITY_LOGON_TYPE` of ntsecapi.h: 2 interactive, 3 network, 10 remote …
    pub kind: u32,
    /// When: FILETIME, 100 ns since 1601, UTC. `None` when unknown.
    pub filetime: Option<i64>,
    /// The user principal name.
    pub upn: Option<String>,
}

/// The logon with this LUID; `None` when it is over or may not be read.
#[must_use]
pub fn logon(luid: u64) -> Option<Logon> {
    let luid = LUID { LowPart: luid as u32, HighPart: ((luid >> 32) as u32).cast_signed() };
    let mut data: *mut SECURITY_LOGON_SESSION_DATA = null_mut();
    // SAFETY: both addresses are live locals; an unknown LUID is an error status.
    let status = unsafe { LsaGetLogonSessionData(&raw const luid, &raw mut data) };
    if status != 0 || data.is_null() {
        return None;
    }
    // SAFETY: the call succeeded; the struct is read before the buffer is given back below.
    let logon = unsafe { logon_in(&*data) };
    // SAFETY: the buffer came from LSA, is freed once and not used afterwards.
    unsafe { LsaFreeReturnBuffer(data.cast::<c_void>()) };
    Some(logon)
}

/// # Safety
/// `data` was filled by LSA and its buffer is still alive.
unsafe fn logon_in(data: &SECURITY_LOGON_SESSION_DATA) -> Logon {
    Logon {
        kind: data.LogonType,
        filetime: Some(data.LogonTime).filter(|time| *time > 0),
        // SAFETY: the caller's promise is the same.
        upn: unsafe { upn_in(data) },
    }
}

/// # Safety
/// `data` was filled by LSA and its buffer is still alive.
unsafe fn upn_in(data: &SECURITY_LOGON_SESSION_DATA) -> Option<String> {
    // `Upn` came with a later Windows than the struct; a shorter struct does not have it.
    if (data.Size as usize) < UPN_END {
        return None;
    }
    let upn = data.Upn;
    if upn.Buffer.is_null() || upn.Length == 0 {
        return None;
    }
    // SAFETY: a UNICODE_STRING holds `Length` bytes of UTF-16 at `Buffer`.
    let units = unsafe { std::slice::from_raw_parts(upn.Buffer, usize::from(upn.Length) / 2) };
    Some(String::from_utf16_lossy(units))
}

/// Bytes of the struct up to the end of `Upn`.
const UPN_END: usize =
    std::mem::offset_of!(SECURITY_LOGON_SESSION_DATA, Upn) + size_of::<LSA_UNICODE_STRING>();

/// A buffer that begins with the token's TOKEN_USER and also holds the SID it points to.
fn token_user(token: &UserToken) -> Result<Vec<u8>, WindowsError> {
    let bytes = token_information(token, TokenUser)?;
    if bytes.len() < size_of::<TOKEN_USER>() {
        return Err(WindowsError::finding("read", "the token's user", format!("{} bytes", bytes.len())));
    }
    Ok(bytes)
}

/// Asks for the size, then for the information.
fn token_information(token: &UserToken, class: TOKEN_INFORMATION_CLASS) -> Result<Vec<u8>, WindowsError> {
    let mut needed = 0_u32;
    // SAFETY: a null buffer of length zero is the documented way to learn the size.
    unsafe { GetTokenInformation(token.raw(), class, null_mut(), 0, &raw mut needed) };
    let mut bytes = vec![0_u8; needed as usize];
    // SAFETY: the buffer has the length that is given.
    let done = unsafe {
        GetTokenInformation(token.raw(), class, bytes.as_mut_ptr().cast(), needed, &raw mut needed)
    };
    if done == 0 {
        return Err(WindowsError::last("read", format_args!("token information of class {class}")));
    }
    bytes.truncate(needed as usize);
    Ok(bytes)
}

/// # Safety
/// `sid` points to a SID.
pub(super) unsafe fn sid_text(sid: PSID) -> Result<String, WindowsError> {
    let mut text: *mut u16 = null_mut();
    // SAFETY: the caller vouches for the SID; the address is a live local.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(WindowsError::last("convert", "a SID to text"));
    }
    // SAFETY: the text was allocated with LocalAlloc for us, and is zero-ended.
    unsafe { Ok(copied(LocalMemory::adopt(text).as_ptr::<u16>())) }
}
