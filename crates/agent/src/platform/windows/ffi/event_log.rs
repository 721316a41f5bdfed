//! Lines in the Application event log.

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
    REPORT_EVENT_TYPE, RegisterEventSourceW, ReportEventW,
};

use super::error::WindowsError;
use super::text::Wide;

/// How a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryType {
    /// 情報
    Information,
    /// 警告
    Warning,
    /// エラー
    Error,
}

/// An open event source.
pub struct EventSource {
    handle: HANDLE,
    name: String,
}

// SAFETY: the event log functions take the handle from any thread; the handle holds no thread's state.
unsafe impl Send for EventSource {}
// SAFETY: as above; ReportEventW may be called at once from several threads.
unsafe impl Sync for EventSource {}

impl EventSource {
    /// Opens the source. Windows accepts unknown names too and files them under Application.
    ///
    /// # Errors
    /// When the event log service does not answer.
    pub fn open(name: &str) -> Result<Self, WindowsError> {
        let wide = Wide::new(name);
        // SAFETY: a null server is this PC; the name is zero-ended.
        let handle = unsafe { RegisterEventSourceW(null(), wide.as_ptr()) };
        if handle.is_null() {
            return Err(WindowsError::last("open", format_args!("event source {name}")));
        }
        Ok(Self { handle, name: name.to_owned() })
    }

    /// Writes one line. `event_id` must stand in the source's message file, which puts the inserts into its
    /// text as `%1`, `%2` …; at most 99 (FormatMessage).
    ///
    /// # Errors
    /// When the event log refuses, for example because it is full.
    pub fn report(&self, entry: EntryType, event_id: u32, inserts: &[String]) -> Result<(), WindowsError> {
        let texts: Vec<Wide> = inserts.iter().map(Wide::new).collect();
        let inserts: Vec<*const u16> = texts.iter().map(Wide::as_ptr).collect();
        // SAFETY: the source is open; as many inserts are announced as zero-ended texts are given; there is
        // no SID and no binary data.
        let done = unsafe {
            ReportEventW(
                self.handle,
                windows_type(entry),
                0,
                event_id,
                null_mut(),
                inserts.len() as u16,
                0,
                inserts.as_ptr(),
                null(),
            )
        };
        if done == 0 {
            return Err(WindowsError::last("write to", format_args!("event source {}", self.name)));
        }
        Ok(())
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        // SAFETY: the handle came open from RegisterEventSourceW and is closed here only.
        unsafe { DeregisterEventSource(self.handle) };
    }
}

fn windows_type(entry: EntryType) -> REPORT_EVENT_TYPE {
    match entry {
        EntryType::Information => EVENTLOG_INFORMATION_TYPE,
        EntryType::Warning => EVENTLOG_WARNING_TYPE,
        EntryType::Error => EVENTLOG_ERROR_TYPE,
    }
}
