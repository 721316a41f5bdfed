//! Texts between Rust (UTF-8) and Windows (UTF-16, ended by a zero unit).

use std::ffi::OsStr;
use std::os::windows::ffi::OsStrExt;

/// Longest text that is read from a pointer, in UTF-16 units. A `UNICODE_STRING` cannot hold more, so a
/// longer one is a missing terminator.
const TEXT_MAX: usize = 32_767;

/// A UTF-16 text with its final zero, alive as long as Windows may read it.
pub(super) struct Wide(Vec<u16>);

impl Wide {
    /// Converts `text`. Zero units inside are left out, since Windows would take the first as the end.
    pub(super) fn new(text: impl AsRef<OsStr>) -> Self {
        let units = text.as_ref().encode_wide().filter(|unit| *unit != 0);
        Self(units.chain(std::iter::once(0)).collect())
    }

    /// The address of the first unit.
    pub(super) fn as_ptr(&self) -> *const u16 {
        self.0.as_ptr()
    }

    /// The same for calls whose C declaration lacks `const`.
    pub(super) fn as_mut_ptr(&mut self) -> *mut u16 {
        self.0.as_mut_ptr()
    }
}

/// The text in `units` up to its first zero, unpaired surrogates replaced.
pub(super) fn until_zero(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}

/// Copies the zero-ended text at `pointer`; an empty text for a null pointer.
///
/// # Safety
/// `pointer` is null or points to UTF-16 units of which one within the first [`TEXT_MAX`] is zero.
pub(super) unsafe fn copied(pointer: *const u16) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller vouches for every unit up to the zero, and the search stops there.
    let length = (0..TEXT_MAX).find(|index| unsafe { *pointer.add(*index) } == 0).unwrap_or(TEXT_MAX);
    // SAFETY: `length` units were just read through the same pointer.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(pointer, length) })
}
