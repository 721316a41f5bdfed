//! The error of a Windows call: what was tried, on what, and Windows' own answer as the source.

use std::error::Error;
use std::fmt;
use std::io;

/// A Windows call that failed.
///
/// The text names the operation and its object; Windows' code and message are the [`Error::source`], so
/// whoever prints the chain prints each of them once.
#[derive(Debug)]
pub struct WindowsError {
    operation: &'static str,
    object: String,
    source: io::Error,
}

impl WindowsError {
    /// The calling thread's last error (`GetLastError`). Call it directly after the failed call, with an
    /// object that is put into words only afterwards (`format_args!`): anything in between may overwrite
    /// the error.
    pub(super) fn last(operation: &'static str, object: impl fmt::Display) -> Self {
        let source = io::Error::last_os_error();
        Self { operation, object: object.to_string(), source }
    }

    /// An error code that the call returned instead of storing it (registry and security functions).
    pub(super) fn from_code(operation: &'static str, object: impl fmt::Display, code: u32) -> Self {
        let source = io::Error::from_raw_os_error(code.cast_signed());
        Self { operation, object: object.to_string(), source }
    }

    /// A finding of ours, where the call itself succeeded.
    pub(super) fn finding(operation: &'static str, object: impl fmt::Display, text: String) -> Self {
        Self { operation, object: object.to_string(), source: io::Error::other(text) }
    }

    /// Windows' error code (`ERROR_…` in winerror.h), unless the error is a finding of ours.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        self.source.raw_os_error().map(i32::cast_unsigned)
    }
}

impl fmt::Display for WindowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}", self.operation, self.object)
    }
}

impl Error for WindowsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
