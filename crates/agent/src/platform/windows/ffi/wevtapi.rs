//! Reading Windows' event logs.
//!
//! The functions are looked up and not imported: Wine has them as stubs, and a Windows without them must not
//! keep the agent from starting. The declarations are those of winevt.h.

use core::ffi::c_void;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_NO_MORE_ITEMS, GetLastError};

use super::error::WindowsError;
use super::library::Library;
use super::text::{Wide, until_zero};

/// `EVT_HANDLE`.
pub(super) type Handle = isize;
pub(super) type EvtQuery = unsafe extern "system" fn(Handle, *const u16, *const u16, u32) -> Handle;
pub(super) type EvtNext = unsafe extern "system" fn(Handle, u32, *mut Handle, u32, u32, *mut u32) -> i32;
pub(super) type EvtRender =
    unsafe extern "system" fn(Handle, Handle, u32, u32, *mut c_void, *mut u32, *mut u32) -> i32;
pub(super) type EvtClose = unsafe extern "system" fn(Handle) -> i32;

/// `EvtQueryChannelPath`.
const CHANNEL_PATH: u32 = 0x1;
/// `EvtQueryForwardDirection` and `EvtQueryReverseDirection`.
const FORWARD: u32 = 0x100;
const REVERSE: u32 = 0x200;
/// `EvtRenderEventXml`.
const RENDER_XML: u32 = 1;
/// Events fetched with one call.
const FETCHED_MAX: usize = 64;
/// How long one call may wait for the event log service, in milliseconds.
const WAIT_MS: u32 = 2_000;
/// Longest rendered event that is taken, in bytes: beyond what any parser here accepts.
const RENDERED_BYTES_MAX: u32 = 512 * 1024;

/// From which end a channel is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first.
    Reverse,
}

/// wevtapi.dll.
#[derive(Clone, Copy)]
pub struct EventLogs {
    query: EvtQuery,
    next: EvtNext,
    render: EvtRender,
    close: EvtClose,
}

impl EventLogs {
    /// Looks the functions up; `None` when this Windows lacks them.
    #[must_use]
    pub fn load() -> Option<Self> {
        let library = Library::system("wevtapi.dll")?;
        // SAFETY: the types above are those that winevt.h declares for these names.
        unsafe {
            Some(Self {
                query: library.function(c"EvtQuery")?,
                next: library.function(c"EvtNext")?,
                render: library.function(c"EvtRender")?,
                close: library.function(c"EvtClose")?,
            })
        }
    }

    /// Asks for the events of `channel` that match the XPath expression.
    ///
    /// # Errors
    /// When the channel does not exist, may not be read, or the event log service does not answer.
    pub fn query(&self, channel: &str, xpath: &str, from: Direction) -> Result<Query, WindowsError> {
        let (path, expression) = (Wide::new(channel), Wide::new(xpath));
        let direction = match from {
            Direction::Forward => FORWARD,
            Direction::Reverse => REVERSE,
        };
        // SAFETY: a session of 0 is this PC; both texts are zero-ended and live through the call.
        let handle = unsafe { (self.query)(0, path.as_ptr(), expression.as_ptr(), CHANNEL_PATH | direction) };
        if handle == 0 {
            return Err(WindowsError::last("read", format_args!("the event log {channel}")));
        }
        Ok(Query {
            logs: *self,
            handle: Owned { close: self.close, handle },
            fetched: Vec::new(),
            channel: channel.to_owned(),
        })
    }
}

/// An `EVT_HANDLE` that is ours to close.
pub struct Owned {
    pub(super) close: EvtClose,
    pub(super) handle: Handle,
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle came open from wevtapi and is closed here only.
        unsafe { (self.close)(self.handle) };
    }
}

/// The result of a query, read event by event.
pub struct Query {
    logs: EventLogs,
    handle: Owned,
    /// Fetched and not yet given out, last first.
    fetched: Vec<Owned>,
    channel: String,
}

impl Query {
    /// The next event as XML; `None` after the last.
    ///
    /// # Errors
    /// When the event log service fails, or an event cannot be rendered.
    pub fn next_xml(&mut self) -> Result<Option<String>, WindowsError> {
        if self.fetched.is_empty() {
            self.fetch()?;
        }
        let Some(event) = self.fetched.pop() else {
            return Ok(None);
        };
        self.xml(&event).map(Some)
    }

    fn fetch(&mut self) -> Result<(), WindowsError> {
        let mut events: [Handle; FETCHED_MAX] = [0; FETCHED_MAX];
        let mut count = 0_u32;
        // SAFETY: the result is open; the array has room for as many handles as are asked for, and the
        // address of the count is a live local.
        let done = unsafe {
            (self.logs.next)(
                self.handle.handle,
                FETCHED_MAX as u32,
                events.as_mut_ptr(),
                WAIT_MS,
                0,
                &raw mut count,
            )
        };
        // SAFETY: reads the thread's last error; nothing came between.
        if done == 0 && unsafe { GetLastError() } != ERROR_NO_MORE_ITEMS {
            return Err(WindowsError::last("read", format_args!("the event log {}", self.channel)));
        }
        let close = self.logs.close;
        let found = events.iter().take(if done == 0 { 0 } else { count as usize }).rev();
        self.fetched = found.map(|handle| Owned { close, handle: *handle }).collect();
        Ok(())
    }

    fn xml(&self, event: &Owned) -> Result<String, WindowsError> {
        let (mut used, mut properties) = (0_u32, 0_u32);
        let mut units: Vec<u16> = vec![0; 4096];
        loop {
            let bytes = u32::try_from(units.len() * 2).unwrap_or(u32::MAX);
            // SAFETY: the event is open; the buffer has the length that is given, in bytes; both addresses
            // are live locals.
            let done = unsafe {
                (self.logs.render)(
                    0,
                    event.handle,
                    RENDER_XML,
                    bytes,
                    units.as_mut_ptr().cast::<c_void>(),
                    &raw mut used,
                    &raw mut properties,
                )
            };
            if done != 0 {
                return Ok(until_zero(&units));
            }
            // SAFETY: reads the thread's last error; nothing came between.
            let too_small = unsafe { GetLastError() } == ERROR_INSUFFICIENT_BUFFER;
            if !too_small || used <= bytes || used > RENDERED_BYTES_MAX {
                return Err(WindowsError::last(
                    "render an event of",
                    format_args!("the log {}", self.channel),
                ));
            }
            units = vec![0; (used as usize).div_ceil(2)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wine has the functions as stubs and answers with a null handle; Windows refuses the same name.
    #[test]
    fn a_channel_that_is_not_there_is_an_error_that_names_it() {
        let logs = EventLogs::load().unwrap();
        let error = logs.query("MngnTime-No-Such-Channel", "*", Direction::Forward).err().unwrap();
        assert_eq!(error.to_string(), "cannot read the event log MngnTime-No-Such-Channel");
    }
}
