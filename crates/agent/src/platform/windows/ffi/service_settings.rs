//! What the service control manager keeps of a service beyond its start: each setting as it is and as it is
//! set (`QueryServiceConfig2W`, `ChangeServiceConfig2W`).
//!
//! Wine 8 and old Windows do not know every level; the error codes that say so are in [`is_unknown_level`].

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_LEVEL, ERROR_INVALID_PARAMETER,
};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfigW, QUERY_SERVICE_CONFIGW, QueryServiceConfig2W, QueryServiceConfigW, SC_ACTION,
    SC_ACTION_RESTART, SERVICE_CONFIG, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
    SERVICE_CONFIG_FAILURE_ACTIONS, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, SERVICE_CONFIG_PRESHUTDOWN_INFO,
    SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, SERVICE_CONFIG_SERVICE_SID_INFO,
    SERVICE_DELAYED_AUTO_START_INFO, SERVICE_FAILURE_ACTIONS_FLAG, SERVICE_FAILURE_ACTIONSW,
    SERVICE_NO_CHANGE, SERVICE_PRESHUTDOWN_INFO, SERVICE_REQUIRED_PRIVILEGES_INFOW, SERVICE_SID_INFO,
};

use super::error::WindowsError;
use super::service_manager::ServiceEntry;
use super::text::{Wide, copied};

/// Longest answer of both queries (their documentation), in bytes.
const ANSWER_BYTES_MAX: usize = 8192;
/// Most texts in a list that is read; Windows knows some 35 privileges.
const LIST_MAX: usize = 128;

/// An answer, aligned for every struct.
type Answer = [u64; ANSWER_BYTES_MAX / size_of::<u64>()];

/// How a service starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// 2 automatic, 3 by hand, 4 disabled (winnt.h, `SERVICE_…_START`).
    pub kind: u32,
    /// The command line.
    pub command_line: String,
    /// The account it runs under.
    pub account: String,
}

/// Whether the error says that this Windows does not know the setting.
#[must_use]
pub fn is_unknown_level(error: &WindowsError) -> bool {
    [ERROR_INVALID_LEVEL, ERROR_INVALID_PARAMETER, ERROR_CALL_NOT_IMPLEMENTED]
        .map(Some)
        .contains(&error.code())
}

impl ServiceEntry {
    /// How the service starts.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn start_settings(&self) -> Result<Start, WindowsError> {
        let mut answer: Answer = [0; _];
        let mut needed = 0;
        let address = answer.as_mut_ptr().cast::<QUERY_SERVICE_CONFIGW>();
        // SAFETY: the handle is open; the buffer is a live local of the length that is given.
        let done =
            unsafe { QueryServiceConfigW(self.handle.0, address, ANSWER_BYTES_MAX as u32, &raw mut needed) };
        self.checked(done, "read the settings of")?;
        // SAFETY: the call filled the buffer with this struct; its texts lie behind it in the same buffer.
        unsafe {
            let settings = address.read();
            Ok(Start {
                kind: settings.dwStartType,
                command_line: copied(settings.lpBinaryPathName),
                account: copied(settings.lpServiceStartName),
            })
        }
    }

    /// Replaces the command line.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn set_command_line(&self, command_line: &str) -> Result<(), WindowsError> {
        let command_line = Wide::new(command_line);
        let same = SERVICE_NO_CHANGE;
        let (text, handle) = (command_line.as_ptr(), self.handle.0);
        // SAFETY: the handle is open, the text is zero-ended, null means "leave as it is".
        let done = unsafe {
            ChangeServiceConfigW(
                handle,
                same,
                same,
                same,
                text,
                null(),
                null_mut(),
                null(),
                null(),
                null(),
                null(),
            )
        };
        self.checked(done, "set the command line of")
    }

    /// Whether an automatic start waits until other services have started.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn is_delayed(&self) -> Result<bool, WindowsError> {
        let mut answer: Answer = [0; _];
        // SAFETY: the level answers with this struct, which holds no pointers.
        let info: SERVICE_DELAYED_AUTO_START_INFO =
            unsafe { self.query_2(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &mut answer) }?;
        Ok(info.fDelayedAutostart != 0)
    }

    /// Has an automatic start wait for nothing.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn start_undelayed(&self) -> Result<(), WindowsError> {
        let info = SERVICE_DELAYED_AUTO_START_INFO { fDelayedAutostart: 0 };
        // SAFETY: the level takes this struct, which holds no pointers.
        unsafe { self.change_2(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &info, "set the start delay of") }
    }

    /// Whether the manager restarts the service after a crash.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn restarts_after_crash(&self) -> Result<bool, WindowsError> {
        let mut answer: Answer = [0; _];
        // SAFETY: the level answers with this struct.
        let info: SERVICE_FAILURE_ACTIONSW =
            unsafe { self.query_2(SERVICE_CONFIG_FAILURE_ACTIONS, &mut answer) }?;
        if info.lpsaActions.is_null() {
            return Ok(false);
        }
        // SAFETY: not null, so it points to that many actions in the answer, which is alive.
        let actions = unsafe { std::slice::from_raw_parts(info.lpsaActions, info.cActions as usize) };
        Ok(actions.iter().any(|action| action.Type == SC_ACTION_RESTART))
    }

    /// Has the manager restart the service after a crash.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn restart_after_crash(&self, delays_ms: [u32; 3], reset_s: u32) -> Result<(), WindowsError> {
        let mut actions = delays_ms.map(|delay| SC_ACTION { Type: SC_ACTION_RESTART, Delay: delay });
        let failure = SERVICE_FAILURE_ACTIONSW {
            dwResetPeriod: reset_s,
            lpRebootMsg: null_mut(),
            lpCommand: null_mut(),
            cActions: actions.len() as u32,
            lpsaActions: actions.as_mut_ptr(),
        };
        // SAFETY: the level takes this struct, and the actions it points to outlive the call.
        unsafe { self.change_2(SERVICE_CONFIG_FAILURE_ACTIONS, &failure, "set the failure actions of") }
    }

    /// Whether the manager restarts the service after a stop with an error too.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn restarts_after_error(&self) -> Result<bool, WindowsError> {
        let mut answer: Answer = [0; _];
        // SAFETY: the level answers with this struct, which holds no pointers.
        let info: SERVICE_FAILURE_ACTIONS_FLAG =
            unsafe { self.query_2(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &mut answer) }?;
        Ok(info.fFailureActionsOnNonCrashFailures != 0)
    }

    /// Has the manager restart the service after a stop with an error too.
    ///
    /// # Errors
    /// When the manager refuses or does not know this setting (`ERROR_INVALID_LEVEL`, 124; Wine).
    pub fn restart_after_error(&self) -> Result<(), WindowsError> {
        let flag = SERVICE_FAILURE_ACTIONS_FLAG { fFailureActionsOnNonCrashFailures: 1 };
        // SAFETY: the level takes this struct, which holds no pointers.
        unsafe { self.change_2(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag, "set the failure flag of") }
    }

    /// How long Windows waits for the service when it goes down, in milliseconds.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn preshutdown_ms(&self) -> Result<u32, WindowsError> {
        let mut answer: Answer = [0; _];
        // SAFETY: the level answers with this struct, which holds no pointers.
        let info: SERVICE_PRESHUTDOWN_INFO =
            unsafe { self.query_2(SERVICE_CONFIG_PRESHUTDOWN_INFO, &mut answer) }?;
        Ok(info.dwPreshutdownTimeout)
    }

    /// Sets how long Windows waits for the service when it goes down.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn set_preshutdown_ms(&self, milliseconds: u32) -> Result<(), WindowsError> {
        let info = SERVICE_PRESHUTDOWN_INFO { dwPreshutdownTimeout: milliseconds };
        // SAFETY: the level takes this struct, which holds no pointers.
        unsafe { self.change_2(SERVICE_CONFIG_PRESHUTDOWN_INFO, &info, "set the preshutdown time of") }
    }

    /// The privileges the service keeps; none named means all of its account.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn privileges(&self) -> Result<Vec<String>, WindowsError> {
        let mut answer: Answer = [0; _];
        // SAFETY: the level answers with this struct.
        let info: SERVICE_REQUIRED_PRIVILEGES_INFOW =
            unsafe { self.query_2(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &mut answer) }?;
        // SAFETY: null, or a list in the answer, which is alive, ended by an empty text.
        Ok(unsafe { list(info.pmszRequiredPrivileges) })
    }

    /// Names the privileges the service keeps; the manager takes the others away at the next start.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn require_privileges(&self, names: &[&str]) -> Result<(), WindowsError> {
        let mut units: Vec<u16> =
            names.iter().flat_map(|name| name.encode_utf16().chain([0])).chain([0]).collect();
        let info = SERVICE_REQUIRED_PRIVILEGES_INFOW { pmszRequiredPrivileges: units.as_mut_ptr() };
        // SAFETY: the level takes this struct, and its list, ended by an empty text, outlives the call.
        unsafe { self.change_2(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &info, "set the privileges of") }
    }

    /// Whether the service has a SID of its own: 0 no, 1 yes, 3 yes and nothing else may be written
    /// (winnt.h, `SERVICE_SID_TYPE_…`).
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn sid_type(&self) -> Result<u32, WindowsError> {
        let mut answer: Answer = [0; _];
        // SAFETY: the level answers with this struct, which holds no pointers.
        let info: SERVICE_SID_INFO = unsafe { self.query_2(SERVICE_CONFIG_SERVICE_SID_INFO, &mut answer) }?;
        Ok(info.dwServiceSidType)
    }

    /// Sets what [`Self::sid_type`] answers, from the next start on.
    ///
    /// # Errors
    /// When the manager refuses.
    pub fn set_sid_type(&self, kind: u32) -> Result<(), WindowsError> {
        let info = SERVICE_SID_INFO { dwServiceSidType: kind };
        // SAFETY: the level takes this struct, which holds no pointers.
        unsafe { self.change_2(SERVICE_CONFIG_SERVICE_SID_INFO, &info, "set the SID type of") }
    }

    /// # Safety
    /// `level` answers with a `T`; what it points to lies in `answer`.
    unsafe fn query_2<T: Copy>(&self, level: SERVICE_CONFIG, answer: &mut Answer) -> Result<T, WindowsError> {
        let mut needed = 0;
        let address = answer.as_mut_ptr();
        // SAFETY: the handle is open; the buffer has the length that is given.
        let done = unsafe {
            QueryServiceConfig2W(
                self.handle.0,
                level,
                address.cast(),
                ANSWER_BYTES_MAX as u32,
                &raw mut needed,
            )
        };
        self.checked(done, "read a setting of")?;
        // SAFETY: the caller vouches for the type; the buffer is aligned for it.
        Ok(unsafe { address.cast::<T>().read() })
    }
}

/// The texts of a list that an empty text ends.
///
/// # Safety
/// `pointer` is null or points to such a list.
unsafe fn list(mut pointer: *const u16) -> Vec<String> {
    let mut texts = Vec::new();
    while !pointer.is_null() && texts.len() < LIST_MAX {
        // SAFETY: the caller vouches for the list, and no text before was the empty one that ends it.
        let text = unsafe { copied(pointer) };
        if text.is_empty() {
            break;
        }
        // SAFETY: behind a text that is not empty and its zero comes the next.
        pointer = unsafe { pointer.add(text.encode_utf16().count() + 1) };
        texts.push(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_with_its_empty_text() {
        let units: Vec<u16> = "SeTcb\0SeImpersonate\0\0rest\0".encode_utf16().collect();
        // SAFETY: the list lives through the call and has its empty text.
        assert_eq!(unsafe { list(units.as_ptr()) }, ["SeTcb", "SeImpersonate"]);
        // SAFETY: null is allowed.
        assert!(unsafe { list(null()) }.is_empty());
    }
}
