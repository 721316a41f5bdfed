//! Owners of memory that Windows allocates and wants back through a function of its own.

use core::ffi::c_void;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::System::RemoteDesktop::WTSFreeMemory;

/// Memory from `LocalAlloc`, as string and security-descriptor conversions give it.
pub(super) struct LocalMemory(*mut c_void);

impl LocalMemory {
    /// Takes over `pointer`.
    ///
    /// # Safety
    /// `pointer` is null or was allocated with `LocalAlloc`, and nobody else frees it.
    pub(super) unsafe fn adopt<T>(pointer: *mut T) -> Self {
        Self(pointer.cast())
    }

    /// The address, valid while `self` lives.
    pub(super) fn as_ptr<T>(&self) -> *mut T {
        self.0.cast()
    }
}

impl Drop for LocalMemory {
    fn drop(&mut self) {
        // SAFETY: `adopt` made us the only owner; LocalFree accepts null.
        unsafe { LocalFree(self.0) };
    }
}

/// Memory from a `WTS…` function.
pub(super) struct WtsMemory(*mut c_void);

impl WtsMemory {
    /// Takes over `pointer`.
    ///
    /// # Safety
    /// `pointer` is null or came from a `WTS…` function of level 0 or 1, and nobody else frees it.
    pub(super) unsafe fn adopt<T>(pointer: *mut T) -> Self {
        Self(pointer.cast())
    }

    /// The address, valid while `self` lives.
    pub(super) fn as_ptr<T>(&self) -> *const T {
        self.0.cast_const().cast()
    }
}

impl Drop for WtsMemory {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: `adopt` made us the only owner and the pointer is not null.
            unsafe { WTSFreeMemory(self.0) };
        }
    }
}
