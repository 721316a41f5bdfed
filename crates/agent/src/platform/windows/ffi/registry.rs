//! Values below `HKEY_LOCAL_MACHINE`, always in the 64-bit view, and readings below `HKEY_USERS`.

use core::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, HKEY_USERS, KEY_READ, KEY_WOW64_64KEY, KEY_WRITE, REG_DWORD, REG_EXPAND_SZ,
    REG_OPEN_CREATE_OPTIONS, REG_OPTION_NON_VOLATILE, REG_OPTION_VOLATILE, REG_SZ, REG_VALUE_TYPE,
    RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY, RegCloseKey, RegCreateKeyExW, RegGetValueW,
    RegSetValueExW,
};

use super::error::WindowsError;
use super::text::{Wide, until_zero};

/// Longest text that is read, in UTF-16 units; everything we read is shorter than a path.
const TEXT_UNITS_MAX: usize = 4096;

/// How long a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// On disk.
    Lasting,
    /// Until Windows goes down: the key is in memory only and gone at the next boot.
    ThisBoot,
}

/// The text value `name` of `key`, environment variables expanded; `None` when it does not exist.
///
/// # Errors
/// When access is denied, or the value is no text or longer than 4,096 units.
pub fn text(key: &str, name: &str) -> Result<Option<String>, WindowsError> {
    let mut units = [0_u16; TEXT_UNITS_MAX];
    let mut bytes = size_of_val(&units) as u32;
    let buffer = units.as_mut_ptr().cast();
    // SAFETY: the buffer has as many bytes as are announced.
    let code = unsafe { get(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_SZ, buffer, &mut bytes) };
    found(code, key, name).map(|exists| exists.then(|| until_zero(&units)))
}

/// The DWORD value `name` of `key`; `None` when it does not exist.
///
/// # Errors
/// When access is denied or the value is no DWORD.
pub fn dword(key: &str, name: &str) -> Result<Option<u32>, WindowsError> {
    let mut value = 0_u32;
    let mut bytes = size_of::<u32>() as u32;
    let buffer = (&raw mut value).cast();
    // SAFETY: the buffer has as many bytes as are announced.
    let code = unsafe { get(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_DWORD, buffer, &mut bytes) };
    found(code, key, name).map(|exists| exists.then_some(value))
}

/// A text value of a user's own registry, `sid\path`; `None` when it does not exist, is no text, or the
/// user's registry is not loaded or not ours to read.
#[must_use]
pub fn user_text(sid: &str, path: &str, name: &str) -> Option<String> {
    let mut units = [0_u16; TEXT_UNITS_MAX];
    let mut bytes = size_of_val(&units) as u32;
    let (key, buffer) = (format!("{sid}\\{path}"), units.as_mut_ptr().cast());
    // SAFETY: the buffer has as many bytes as are announced.
    let code = unsafe { get(HKEY_USERS, &key, name, RRF_RT_REG_SZ, buffer, &mut bytes) };
    (code == ERROR_SUCCESS).then(|| until_zero(&units))
}

/// The same for a DWORD.
#[must_use]
pub fn user_dword(sid: &str, path: &str, name: &str) -> Option<u32> {
    let mut value = 0_u32;
    let mut bytes = size_of::<u32>() as u32;
    let (key, buffer) = (format!("{sid}\\{path}"), (&raw mut value).cast());
    // SAFETY: the buffer has as many bytes as are announced.
    let code = unsafe { get(HKEY_USERS, &key, name, RRF_RT_REG_DWORD, buffer, &mut bytes) };
    (code == ERROR_SUCCESS).then_some(value)
}

/// A key open for writing, created when missing.
pub struct WritableKey {
    handle: HKEY,
    path: String,
}

impl WritableKey {
    /// Opens or creates `path`. The lifetime counts only when the key is created.
    ///
    /// # Errors
    /// When access is denied, or a lasting key is wanted below one of this boot.
    pub fn create(path: &str, lifetime: Lifetime) -> Result<Self, WindowsError> {
        let wide = Wide::new(path);
        let mut handle: HKEY = null_mut();
        // SAFETY: the root is a constant, the path zero-ended, the address a live local; null means no
        // class, inherited security, and no interest in whether the key is new.
        let code = unsafe {
            RegCreateKeyExW(
                HKEY_LOCAL_MACHINE,
                wide.as_ptr(),
                0,
                null(),
                options(lifetime),
                KEY_READ | KEY_WRITE | KEY_WOW64_64KEY,
                null(),
                &raw mut handle,
                null_mut(),
            )
        };
        if code != ERROR_SUCCESS {
            return Err(WindowsError::from_code("open for writing", format_args!("HKLM\\{path}"), code));
        }
        Ok(Self { handle, path: path.to_owned() })
    }

    /// Sets a text value.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn set_text(&self, name: &str, value: &str) -> Result<(), WindowsError> {
        self.set_units(name, REG_SZ, value)
    }

    /// Sets a text value in which readers expand `%VARIABLES%`.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn set_expandable(&self, name: &str, value: &str) -> Result<(), WindowsError> {
        self.set_units(name, REG_EXPAND_SZ, value)
    }

    /// Sets a DWORD value.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn set_dword(&self, name: &str, value: u32) -> Result<(), WindowsError> {
        self.set(name, REG_DWORD, &value.to_le_bytes())
    }

    fn set_units(&self, name: &str, kind: REG_VALUE_TYPE, value: &str) -> Result<(), WindowsError> {
        let bytes: Vec<u8> = value.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        self.set(name, kind, &bytes)
    }

    fn set(&self, name: &str, kind: REG_VALUE_TYPE, bytes: &[u8]) -> Result<(), WindowsError> {
        let wide = Wide::new(name);
        // SAFETY: the key is open; the data has the length that is given.
        let code = unsafe {
            RegSetValueExW(self.handle, wide.as_ptr(), 0, kind, bytes.as_ptr(), bytes.len() as u32)
        };
        if code != ERROR_SUCCESS {
            return Err(WindowsError::from_code("set", format_args!("HKLM\\{}\\{name}", self.path), code));
        }
        Ok(())
    }
}

impl Drop for WritableKey {
    fn drop(&mut self) {
        // SAFETY: the key was opened by `create` and is closed here only.
        unsafe { RegCloseKey(self.handle) };
    }
}

fn options(lifetime: Lifetime) -> REG_OPEN_CREATE_OPTIONS {
    match lifetime {
        Lifetime::Lasting => REG_OPTION_NON_VOLATILE,
        Lifetime::ThisBoot => REG_OPTION_VOLATILE,
    }
}

/// # Safety
/// `buffer` has `bytes` bytes.
unsafe fn get(root: HKEY, key: &str, name: &str, kinds: u32, buffer: *mut c_void, bytes: &mut u32) -> u32 {
    let key = Wide::new(key);
    let name = Wide::new(name);
    let flags = kinds | RRF_SUBKEY_WOW6464KEY;
    // SAFETY: the roots are constants, the texts are zero-ended, the caller vouches for the buffer.
    unsafe {
        RegGetValueW(root, key.as_ptr(), name.as_ptr(), flags, null_mut(), buffer, std::ptr::from_mut(bytes))
    }
}

/// Whether a read found its value.
fn found(code: u32, key: &str, name: &str) -> Result<bool, WindowsError> {
    match code {
        ERROR_SUCCESS => Ok(true),
        ERROR_FILE_NOT_FOUND => Ok(false),
        code => Err(WindowsError::from_code("read", format_args!("HKLM\\{key}\\{name}"), code)),
    }
}
