//! Windows functions that not every Windows (or Wine) has: looked up when they are first needed.
//!
//! A function that is imported statically and missing keeps the whole program from starting. Whatever is
//! younger than Windows 8, or absent from Wine 8, is asked for here instead and may be missing.

use core::ffi::{CStr, c_void};

use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};

use super::text::Wide;

/// A DLL of Windows' own, loaded for the rest of the process.
#[derive(Debug, Clone, Copy)]
pub struct Library(HMODULE);

// SAFETY: a module handle is an address that is never unloaded here; any thread may use it.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

impl Library {
    /// Loads `name` from System32 and nowhere else; `None` when Windows has none.
    #[must_use]
    pub fn system(name: &str) -> Option<Self> {
        let wide = Wide::new(name);
        // SAFETY: the name is zero-ended; the flag restricts the search to System32.
        let module =
            unsafe { LoadLibraryExW(wide.as_ptr(), std::ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        (!module.is_null()).then_some(Self(module))
    }

    /// The function `name`, or `None` when this Windows lacks it.
    ///
    /// # Safety
    /// `F` is the function pointer type that Windows' documentation gives for `name`.
    #[must_use]
    pub unsafe fn function<F: Copy>(&self, name: &CStr) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<*const c_void>(), "F must be a function pointer") };
        // SAFETY: the module is loaded for ever; the name is zero-ended.
        let found = unsafe { GetProcAddress(self.0, name.as_ptr().cast()) }?;
        // SAFETY: both are function pointers of one size, and the caller vouches for the type.
        Some(unsafe { std::mem::transmute_copy::<unsafe extern "system" fn() -> isize, F>(&found) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_is_there_is_found_and_others_are_not() {
        let kernel = Library::system("kernel32.dll").unwrap();
        // SAFETY: the documented type of GetTickCount64.
        let ticks = unsafe { kernel.function::<unsafe extern "system" fn() -> u64>(c"GetTickCount64") };
        // SAFETY: it takes nothing and always answers.
        assert!(unsafe { ticks.unwrap()() } > 0);
        // SAFETY: never called.
        let nothing = unsafe { kernel.function::<unsafe extern "system" fn()>(c"MngnTimeHasNoSuchThing") };
        assert!(nothing.is_none());
        assert!(Library::system("mngntime-no-such.dll").is_none());
    }
}
