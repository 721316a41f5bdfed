//! What the PC says about itself: its name, its firmware's table, the session we run in.

use std::ptr::null_mut;

use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW, GetSystemFirmwareTable, RSMB,
};
use windows_sys::Win32::System::Threading::GetCurrentProcessId;

use super::error::WindowsError;
use super::text::until_zero;

/// Longest DNS host name in UTF-16 units, with room to spare (RFC 1035: 63).
const NAME_UNITS_MAX: usize = 256;
/// Largest firmware table that is read; real ones have a few KiB.
const FIRMWARE_BYTES_MAX: u32 = 1024 * 1024;

/// The PC's host name.
///
/// # Errors
/// When Windows does not say.
pub fn computer_name() -> Result<String, WindowsError> {
    let mut units = [0_u16; NAME_UNITS_MAX];
    let mut length = NAME_UNITS_MAX as u32;
    // SAFETY: the buffer has the length that is announced, in units.
    let done =
        unsafe { GetComputerNameExW(ComputerNamePhysicalDnsHostname, units.as_mut_ptr(), &raw mut length) };
    if done == 0 {
        return Err(WindowsError::last("read", "the name of this PC"));
    }
    Ok(until_zero(&units))
}

/// The raw SMBIOS table (`RawSMBIOSData` of the documentation); `None` where the firmware has none.
#[must_use]
pub fn smbios_table() -> Option<Vec<u8>> {
    // SAFETY: a null buffer of length zero is the documented way to learn the size.
    let size = unsafe { GetSystemFirmwareTable(RSMB, 0, null_mut(), 0) };
    if size == 0 || size > FIRMWARE_BYTES_MAX {
        return None;
    }
    let mut table = vec![0_u8; size as usize];
    // SAFETY: the buffer has the length that is given.
    let written = unsafe { GetSystemFirmwareTable(RSMB, 0, table.as_mut_ptr(), size) };
    if written == 0 || written > size {
        return None;
    }
    table.truncate(written as usize);
    Some(table)
}

/// The session that this process belongs to.
///
/// # Errors
/// When Windows does not say.
pub fn own_session() -> Result<u32, WindowsError> {
    let mut session = 0_u32;
    // SAFETY: the address is a live local.
    if unsafe { ProcessIdToSessionId(GetCurrentProcessId(), &raw mut session) } == 0 {
        return Err(WindowsError::last("read", "the session of this process"));
    }
    Ok(session)
}
