//! The table of sessions (Remote Desktop Services API, wtsapi32).
//!
//! Only the enumeration is required. Every other question answers `None` where Windows does not know (no
//! user, session just gone) or the platform lacks the class (Wine 8 knows user and domain only).

use core::ffi::c_void;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::RemoteDesktop::{
    WTS_CURRENT_SERVER_HANDLE, WTS_INFO_CLASS, WTS_SESSION_INFOW, WTSClientName, WTSClientProtocolType,
    WTSDomainName, WTSEnumerateSessionsW, WTSGetActiveConsoleSessionId, WTSINFOEXW, WTSINFOW,
    WTSQuerySessionInformationW, WTSQueryUserToken, WTSSessionInfo, WTSSessionInfoEx, WTSUserName,
};

use super::error::WindowsError;
use super::memory::WtsMemory;
use super::text::copied;

/// The number of every session Windows lists, those without a user among them.
///
/// # Errors
/// When Windows refuses the list. An empty list is an answer, not an error.
pub fn enumerate() -> Result<Vec<u32>, WindowsError> {
    let mut rows: *mut WTS_SESSION_INFOW = null_mut();
    let mut count = 0_u32;
    // SAFETY: both addresses are live locals; version 1 is the only one defined for this call.
    let done =
        unsafe { WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &raw mut rows, &raw mut count) };
    if done == 0 {
        return Err(WindowsError::last("list", "the sessions of this PC"));
    }
    // SAFETY: the call succeeded, so `rows` is null or memory of WTS that is ours to free.
    let memory = unsafe { WtsMemory::adopt(rows) };
    let first = memory.as_ptr::<WTS_SESSION_INFOW>();
    if first.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: WTS promises `count` rows at this address, and `memory` outlives the slice.
    let rows = unsafe { std::slice::from_raw_parts(first, count as usize) };
    Ok(rows.iter().map(|row| row.SessionId).collect())
}

/// The session at the PC's own screen; `None` while it changes hands.
#[must_use]
pub fn console() -> Option<u32> {
    // SAFETY: the call takes nothing.
    let session = unsafe { WTSGetActiveConsoleSessionId() };
    (session != u32::MAX).then_some(session)
}

/// The short name of the session's user; `None` when nobody is logged on in it.
#[must_use]
pub fn user_name(session: u32) -> Option<String> {
    text(session, WTSUserName)
}

/// The domain or PC name of the session's user.
#[must_use]
pub fn domain_name(session: u32) -> Option<String> {
    text(session, WTSDomainName)
}

/// The name of the PC a remote session is used from.
#[must_use]
pub fn client_name(session: u32) -> Option<String> {
    text(session, WTSClientName)
}

/// How the session is shown: 0 console, 1 Citrix, 2 RDP.
#[must_use]
pub fn client_protocol(session: u32) -> Option<u16> {
    let answer = query(session, WTSClientProtocolType)?;
    // SAFETY: the documentation says this class answers with a USHORT; `read` checks the length.
    unsafe { answer.read::<u16>() }
}

/// Times of a session: FILETIME, 100 ns since 1601, UTC; 0 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When its user logged on.
    pub logon: i64,
    /// When it last had input.
    pub last_input: i64,
    /// When this was said.
    pub current: i64,
}

/// The session's times; `None` when Windows does not say.
#[must_use]
pub fn times(session: u32) -> Option<Times> {
    let answer = query(session, WTSSessionInfo)?;
    // SAFETY: this class answers with WTSINFOW; `read` checks the length.
    let info = unsafe { answer.read::<WTSINFOW>() }?;
    Some(Times { logon: info.LogonTime, last_input: info.LastInputTime, current: info.CurrentTime })
}

/// `WTSINFOEX_LEVEL1.SessionFlags`: 0 locked, 1 unlocked, -1 unknown.
#[must_use]
pub fn lock_flag(session: u32) -> Option<i32> {
    let answer = query(session, WTSSessionInfoEx)?;
    // SAFETY: this class answers with WTSINFOEXW; `read` checks the length.
    let info = unsafe { answer.read::<WTSINFOEXW>() }?;
    if info.Level != 1 {
        return None;
    }
    // SAFETY: level 1 says that the union holds its level-1 form, which is plain data.
    Some(unsafe { info.Data.WTSInfoExLevel1.SessionFlags })
}

/// A handle to the primary token of the session's user. Needs `LocalSystem` (the privilege `SeTcb`). Keep
/// it for as short as possible: whoever holds it can act as that user.
#[must_use]
pub fn user_token(session: u32) -> Option<UserToken> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the address is a live local.
    if unsafe { WTSQueryUserToken(session, &raw mut token) } == 0 || token.is_null() {
        return None;
    }
    // SAFETY: the call gave us a handle that is ours to close.
    Some(unsafe { UserToken::adopt(token) })
}

/// An access token, closed when dropped.
pub struct UserToken(OwnedHandle);

impl UserToken {
    /// Takes over `token`.
    ///
    /// # Safety
    /// `token` is an open token handle that nobody else closes.
    pub(super) unsafe fn adopt(token: HANDLE) -> Self {
        // SAFETY: the caller vouches for the handle, and OwnedHandle closes it once.
        Self(unsafe { OwnedHandle::from_raw_handle(token) })
    }

    /// The handle for a call, valid while `self` lives.
    pub(super) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}

/// An answer of `WTSQuerySessionInformationW` with its length in bytes.
struct Answer {
    memory: WtsMemory,
    bytes: usize,
}

impl Answer {
    /// Copies the answer as a `T`; `None` when it is shorter than one.
    ///
    /// # Safety
    /// The information class is documented to answer with a `T`, which is plain data.
    unsafe fn read<T: Copy>(&self) -> Option<T> {
        let address = self.memory.as_ptr::<T>();
        if address.is_null() || self.bytes < size_of::<T>() {
            return None;
        }
        // SAFETY: not null, at least one `T` long, and the unaligned read asks for no alignment.
        Some(unsafe { address.read_unaligned() })
    }
}

fn query(session: u32, class: WTS_INFO_CLASS) -> Option<Answer> {
    let mut buffer: *mut u16 = null_mut();
    let mut bytes = 0_u32;
    // SAFETY: both addresses are live locals; an unknown session or class is an error return.
    let done = unsafe {
        WTSQuerySessionInformationW(
            WTS_CURRENT_SERVER_HANDLE,
            session,
            class,
            &raw mut buffer,
            &raw mut bytes,
        )
    };
    if done == 0 {
        return None;
    }
    // SAFETY: the call succeeded, so the buffer is memory of WTS that is ours to free.
    let memory = unsafe { WtsMemory::adopt(buffer.cast::<c_void>()) };
    Some(Answer { memory, bytes: bytes as usize })
}

/// The answer of a class that is a text; `None` when it is empty.
fn text(session: u32, class: WTS_INFO_CLASS) -> Option<String> {
    let answer = query(session, class)?;
    // SAFETY: the classes used here answer with a zero-ended text, or with a null pointer.
    let text = unsafe { copied(answer.memory.as_ptr::<u16>()) };
    (!text.is_empty()).then_some(text)
}
