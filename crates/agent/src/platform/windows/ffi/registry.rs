//! Values below `HKEY_LOCAL_MACHINE`, always in the 64-bit view, and readings below `HKEY_USERS`.

use core::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS, ERROR_SUCCESS,
};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, HKEY_USERS, KEY_READ, KEY_WOW64_64KEY, KEY_WRITE, REG_DWORD, REG_EXPAND_SZ,
    REG_OPEN_CREATE_OPTIONS, REG_OPTION_NON_VOLATILE, REG_OPTION_VOLATILE, REG_SZ, REG_VALUE_TYPE,
    RRF_NOEXPAND, RRF_RT_REG_DWORD, RRF_RT_REG_EXPAND_SZ, RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY, RegCloseKey,
    RegCreateKeyExW, RegEnumValueW, RegGetValueW, RegOpenKeyExW, RegSetValueExW,
};

use super::error::WindowsError;
use super::text::{Wide, until_zero};

/// Longest text that is read, in UTF-16 units; everything we read is shorter than a path.
const TEXT_UNITS_MAX: usize = 4096;

/// Longest name of a value, in UTF-16 units (documented: 16,383; ours are short), with its zero.
const NAME_UNITS_MAX: usize = 16_384;

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

/// The text value `name` of `key` if it is one in which readers expand `%VARIABLES%` (`REG_EXPAND_SZ`), not
/// expanded; `None` when it does not exist.
///
/// # Errors
/// When access is denied, or the value is of another type or longer than 4,096 units.
pub fn expandable_text(key: &str, name: &str) -> Result<Option<String>, WindowsError> {
    let mut units = [0_u16; TEXT_UNITS_MAX];
    let mut bytes = size_of_val(&units) as u32;
    let buffer = units.as_mut_ptr().cast();
    // SAFETY: the buffer has as many bytes as are announced.
    let code = unsafe {
        get(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND, buffer, &mut bytes)
    };
    found(code, key, name).map(|exists| exists.then(|| until_zero(&units)))
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// `REG_SZ` or `REG_EXPAND_SZ`, not expanded.
    Text(String),
    /// `REG_DWORD`.
    Dword(u32),
    /// Another type, or a text longer than 4,096 units.
    Other,
}

/// All values of `key` with their names; `None` when the key does not exist.
///
/// # Errors
/// When access is denied (`ERROR_ACCESS_DENIED`, 5) or the registry cannot be read.
pub fn values(key: &str) -> Result<Option<Vec<(String, Datum)>>, WindowsError> {
    let Some(open) = ReadableKey::open(key)? else {
        return Ok(None);
    };
    let mut values = Vec::new();
    while let Some(value) = open.value(values.len() as u32)? {
        values.push(value);
    }
    Ok(Some(values))
}

/// A key open for reading.
struct ReadableKey {
    handle: HKEY,
    path: String,
}

impl ReadableKey {
    /// Opens `path`; `None` when it does not exist.
    fn open(path: &str) -> Result<Option<Self>, WindowsError> {
        let wide = Wide::new(path);
        let mut handle: HKEY = null_mut();
        let access = KEY_READ | KEY_WOW64_64KEY;
        // SAFETY: the root is a constant, the path zero-ended, the address a live local.
        match unsafe { RegOpenKeyExW(HKEY_LOCAL_MACHINE, wide.as_ptr(), 0, access, &raw mut handle) } {
            ERROR_SUCCESS => Ok(Some(Self { handle, path: path.to_owned() })),
            ERROR_FILE_NOT_FOUND => Ok(None),
            code => Err(WindowsError::from_code("open", format_args!("HKLM\\{path}"), code)),
        }
    }

    /// The value with this number; `None` after the last.
    fn value(&self, index: u32) -> Result<Option<(String, Datum)>, WindowsError> {
        let mut name = [0_u16; NAME_UNITS_MAX];
        let mut name_units = name.len() as u32;
        let mut data = [0_u16; TEXT_UNITS_MAX];
        let mut bytes = size_of_val(&data) as u32;
        let mut kind: REG_VALUE_TYPE = 0;
        // SAFETY: the key is open; both buffers are live locals with the lengths that are given, the name's
        // in units, the data's in bytes.
        let code = unsafe {
            RegEnumValueW(
                self.handle,
                index,
                name.as_mut_ptr(),
                &raw mut name_units,
                null(),
                &raw mut kind,
                data.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        match code {
            ERROR_SUCCESS => Ok(Some((until_zero(&name), datum(kind, &data, bytes as usize)))),
            // The name is there all the same.
            ERROR_MORE_DATA => Ok(Some((until_zero(&name), Datum::Other))),
            ERROR_NO_MORE_ITEMS => Ok(None),
            code => Err(WindowsError::from_code("read", format_args!("HKLM\\{}", self.path), code)),
        }
    }
}

impl Drop for ReadableKey {
    fn drop(&mut self) {
        // SAFETY: the key was opened by `open` and is closed here only.
        unsafe { RegCloseKey(self.handle) };
    }
}

/// The first `bytes` bytes of `data` as what `kind` says they are.
fn datum(kind: REG_VALUE_TYPE, data: &[u16], bytes: usize) -> Datum {
    match kind {
        REG_SZ | REG_EXPAND_SZ => Datum::Text(until_zero(&data[..bytes / size_of::<u16>()])),
        REG_DWORD if bytes == size_of::<u32>() => {
            Datum::Dword(u32::from(data[0]) | (u32::from(data[1]) << 16))
        }
        _ => Datum::Other,
    }
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

/// Removes the key and everything below it.
///
/// # Errors
/// When it does not exist or access is denied.
#[cfg(test)]
pub fn delete_tree(key: &str) -> Result<(), WindowsError> {
    use windows_sys::Win32::System::Registry::RegDeleteTreeW;
    let wide = Wide::new(key);
    // SAFETY: the root is a constant, the path zero-ended.
    match unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, wide.as_ptr()) } {
        ERROR_SUCCESS => Ok(()),
        code => Err(WindowsError::from_code("remove", format_args!("HKLM\\{key}"), code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_of_a_key_are_listed_by_type() {
        let path = r"SOFTWARE\MngnTime-registry-test";
        let key = WritableKey::create(path, Lifetime::ThisBoot).unwrap();
        key.set_text("text", "日本").unwrap();
        key.set_expandable("expandable", r"%SystemRoot%\x").unwrap();
        key.set_dword("number", 0x0102_0304).unwrap();
        let mut found = values(path).unwrap().unwrap();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let text = |name: &str, text: &str| (name.to_owned(), Datum::Text(text.to_owned()));
        let number = ("number".to_owned(), Datum::Dword(0x0102_0304));
        assert_eq!(found, [text("expandable", r"%SystemRoot%\x"), number, text("text", "日本")]);
        assert_eq!(expandable_text(path, "expandable").unwrap().as_deref(), Some(r"%SystemRoot%\x"));
        assert!(expandable_text(path, "text").is_err(), "readers would not expand it");
        assert_eq!(values(r"SOFTWARE\MngnTime-no-such-key").unwrap(), None);
        delete_tree(path).unwrap();
        assert_eq!(values(path).unwrap(), None);
    }
}
