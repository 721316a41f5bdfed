//! The administrator's side of the service control manager: create, change, start, stop, delete.

use core::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, ChangeServiceConfigW, CloseServiceHandle, ControlService, CreateServiceW,
    DeleteService, OpenSCManagerW, OpenServiceW, QueryServiceStatus, SC_HANDLE, SC_MANAGER_CONNECT,
    SC_MANAGER_CREATE_SERVICE, SERVICE_ALL_ACCESS, SERVICE_AUTO_START, SERVICE_CONFIG_DESCRIPTION,
    SERVICE_CONTROL_STOP, SERVICE_DESCRIPTIONW, SERVICE_ERROR_NORMAL, SERVICE_QUERY_CONFIG,
    SERVICE_QUERY_STATUS, SERVICE_STATUS, SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};

use super::error::WindowsError;
use super::text::Wide;

/// A service as it shall be registered. It starts with Windows (not delayed: a late start misses logons)
/// and runs as `LocalSystem`, the only account that may ask for users' tokens.
pub struct Registration<'a> {
    /// The service's name (key).
    pub name: &'a str,
    /// The name that lists show.
    pub display_name: &'a str,
    /// One sentence for lists.
    pub description: &'a str,
    /// Command line. The program's path stands in quotation marks: an unquoted path with a blank lets
    /// Windows start another program (`C:\Program.exe`).
    pub command_line: &'a str,
}

/// A connection to the service control manager of this PC.
pub struct ServiceManager(Handle);

/// A service's registration, open for changes.
pub struct ServiceEntry {
    pub(super) handle: Handle,
    name: String,
}

impl ServiceManager {
    /// Connects. With `may_create` the caller must be an administrator.
    ///
    /// # Errors
    /// When access is denied.
    pub fn connect(may_create: bool) -> Result<Self, WindowsError> {
        let access = SC_MANAGER_CONNECT | if may_create { SC_MANAGER_CREATE_SERVICE } else { 0 };
        // SAFETY: null names mean this PC and its active database.
        let handle = unsafe { OpenSCManagerW(null(), null(), access) };
        Handle::adopt(handle)
            .map(Self)
            .ok_or_else(|| WindowsError::last("open", "the service control manager"))
    }

    /// Opens `name` with all rights.
    ///
    /// # Errors
    /// When it does not exist (`ERROR_SERVICE_DOES_NOT_EXIST`, 1060) or access is denied.
    pub fn open(&self, name: &str) -> Result<ServiceEntry, WindowsError> {
        self.open_for(name, SERVICE_ALL_ACCESS)
    }

    /// Opens `name` to look at it, which ordinary users may too.
    ///
    /// # Errors
    /// When it does not exist (`ERROR_SERVICE_DOES_NOT_EXIST`, 1060) or access is denied.
    pub fn open_to_read(&self, name: &str) -> Result<ServiceEntry, WindowsError> {
        self.open_for(name, SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS)
    }

    fn open_for(&self, name: &str, access: u32) -> Result<ServiceEntry, WindowsError> {
        let wide = Wide::new(name);
        // SAFETY: the manager's handle is open and the name zero-ended.
        let handle = unsafe { OpenServiceW(self.0.0, wide.as_ptr(), access) };
        let handle = Handle::adopt(handle)
            .ok_or_else(|| WindowsError::last("open", format_args!("service {name}")))?;
        Ok(ServiceEntry { handle, name: name.to_owned() })
    }

    /// Registers a service that does not exist yet.
    ///
    /// # Errors
    /// When it exists (`ERROR_SERVICE_EXISTS`, 1073) or access is denied.
    pub fn create(&self, registration: &Registration<'_>) -> Result<ServiceEntry, WindowsError> {
        let name = Wide::new(registration.name);
        let display_name = Wide::new(registration.display_name);
        let command_line = Wide::new(registration.command_line);
        // SAFETY: every text is zero-ended and lives through the call; null stands for "no group, no tag,
        // no dependencies, LocalSystem, no password".
        let handle = unsafe {
            CreateServiceW(
                self.0.0,
                name.as_ptr(),
                display_name.as_ptr(),
                SERVICE_ALL_ACCESS,
                SERVICE_WIN32_OWN_PROCESS,
                SERVICE_AUTO_START,
                SERVICE_ERROR_NORMAL,
                command_line.as_ptr(),
                null(),
                null_mut(),
                null(),
                null(),
                null(),
            )
        };
        let handle = Handle::adopt(handle)
            .ok_or_else(|| WindowsError::last("create", format_args!("service {}", registration.name)))?;
        Ok(ServiceEntry { handle, name: registration.name.to_owned() })
    }
}

impl ServiceEntry {
    /// Brings command line, start type and display name of an existing service to `registration`.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn change(&self, registration: &Registration<'_>) -> Result<(), WindowsError> {
        let display_name = Wide::new(registration.display_name);
        let command_line = Wide::new(registration.command_line);
        // SAFETY: the handle is open, the texts are zero-ended, null means "leave as it is".
        let done = unsafe {
            ChangeServiceConfigW(
                self.handle.0,
                SERVICE_WIN32_OWN_PROCESS,
                SERVICE_AUTO_START,
                SERVICE_ERROR_NORMAL,
                command_line.as_ptr(),
                null(),
                null_mut(),
                null(),
                null(),
                null(),
                display_name.as_ptr(),
            )
        };
        self.checked(done, "change")
    }

    /// Sets the description.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn describe(&self, text: &str) -> Result<(), WindowsError> {
        let mut text = Wide::new(text);
        let description = SERVICE_DESCRIPTIONW { lpDescription: text.as_mut_ptr() };
        // SAFETY: the level takes this struct, and its text outlives the call.
        unsafe { self.change_2(SERVICE_CONFIG_DESCRIPTION, &description, "describe") }
    }

    /// Starts the service. Returns before it runs.
    ///
    /// # Errors
    /// When it runs already (`ERROR_SERVICE_ALREADY_RUNNING`, 1056) or cannot be started.
    pub fn start(&self) -> Result<(), WindowsError> {
        // SAFETY: the handle is open; no arguments are passed.
        let done = unsafe { StartServiceW(self.handle.0, 0, null()) };
        self.checked(done, "start")
    }

    /// Asks the service to stop. Returns before it has.
    ///
    /// # Errors
    /// When it does not run (`ERROR_SERVICE_NOT_ACTIVE`, 1062) or the manager refuses.
    pub fn request_stop(&self) -> Result<(), WindowsError> {
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the handle is open and the address a live local.
        let done = unsafe { ControlService(self.handle.0, SERVICE_CONTROL_STOP, &raw mut status) };
        self.checked(done, "stop")
    }

    /// `SERVICE_STATUS.dwCurrentState`: 1 stopped, 2 starting, 3 stopping, 4 running (winsvc.h).
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn state(&self) -> Result<u32, WindowsError> {
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the handle is open and the address a live local.
        let done = unsafe { QueryServiceStatus(self.handle.0, &raw mut status) };
        self.checked(done, "query").map(|()| status.dwCurrentState)
    }

    /// Deletes the registration; it disappears when the last handle to it is closed.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn delete(&self) -> Result<(), WindowsError> {
        // SAFETY: the handle is open.
        let done = unsafe { DeleteService(self.handle.0) };
        self.checked(done, "delete")
    }

    /// # Safety
    /// `level` takes a `T`, and everything `value` points to is alive.
    pub(super) unsafe fn change_2<T>(
        &self,
        level: u32,
        value: &T,
        operation: &'static str,
    ) -> Result<(), WindowsError> {
        let value = std::ptr::from_ref(value).cast::<c_void>();
        // SAFETY: the handle is open; the caller vouches for level and value.
        let done = unsafe { ChangeServiceConfig2W(self.handle.0, level, value) };
        self.checked(done, operation)
    }

    pub(super) fn checked(&self, done: i32, operation: &'static str) -> Result<(), WindowsError> {
        if done == 0 {
            return Err(WindowsError::last(operation, format_args!("service {}", self.name)));
        }
        Ok(())
    }
}

/// A handle of the service control manager, closed when dropped.
pub(super) struct Handle(pub(super) SC_HANDLE);

impl Handle {
    /// Takes over `handle`, unless it is null. (A null one must not even be dropped: closing it would
    /// overwrite the error of the call that gave it.)
    fn adopt(handle: SC_HANDLE) -> Option<Self> {
        if handle.is_null() { None } else { Some(Self(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came open from the manager and is closed here only.
        unsafe { CloseServiceHandle(self.0) };
    }
}
