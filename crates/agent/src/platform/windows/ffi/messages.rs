//! Message files: where Event Viewer takes the texts of event ids from.

use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, FreeLibrary, GetLastError, HMODULE};
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_FROM_HMODULE, FORMAT_MESSAGE_IGNORE_INSERTS, FormatMessageW,
};
use windows_sys::Win32::System::LibraryLoader::{
    LOAD_LIBRARY_AS_DATAFILE, LOAD_LIBRARY_AS_IMAGE_RESOURCE, LoadLibraryExW,
};

use super::error::WindowsError;
use super::text::Wide;

/// Longest text that is read, in UTF-16 units; a longer one is there all the same.
const TEXT_UNITS_MAX: usize = 1024;

/// An open message file. Nothing in it is executed.
pub struct MessageFile(HMODULE);

impl MessageFile {
    /// Opens the file at the absolute `path`.
    ///
    /// # Errors
    /// When it does not exist or is no program file.
    pub fn open(path: &Path) -> Result<Self, WindowsError> {
        let wide = Wide::new(path);
        let how = LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_IMAGE_RESOURCE;
        // SAFETY: the path is zero-ended; the flags make the file data.
        let module = unsafe { LoadLibraryExW(wide.as_ptr(), null_mut(), how) };
        if module.is_null() {
            return Err(WindowsError::last("open message file", path.display()));
        }
        Ok(Self(module))
    }

    /// Whether the file has a text for event `id` in `language` (Windows' language id: Japanese 0x411,
    /// English 0x409).
    #[must_use]
    pub fn has(&self, id: u32, language: u32) -> bool {
        let mut text = [0_u16; TEXT_UNITS_MAX];
        let how = FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_IGNORE_INSERTS;
        // SAFETY: the file is open, the buffer is a live local of the length that is given in units, and
        // inserts, which would need arguments, are left alone.
        let units = unsafe {
            FormatMessageW(
                how,
                self.0.cast_const(),
                id,
                language,
                text.as_mut_ptr(),
                TEXT_UNITS_MAX as u32,
                null(),
            )
        };
        // SAFETY: it reads the calling thread's last error.
        units > 0 || unsafe { GetLastError() } == ERROR_INSUFFICIENT_BUFFER
    }
}

impl Drop for MessageFile {
    fn drop(&mut self) {
        // SAFETY: the file was opened by `open` and is closed here only.
        unsafe { FreeLibrary(self.0) };
    }
}
