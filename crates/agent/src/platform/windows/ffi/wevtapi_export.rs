//! Copies of event logs: exporting them as files, and rendering events as text.
//!
//! The functions are looked up and not imported (Wine has some of them as stubs, others not at all). The
//! declarations and numbers are those of winevt.h.

use std::path::Path;
use std::ptr::null;

use windows_sys::Win32::Foundation::{
    ERROR_EVT_MAX_INSERTS_REACHED, ERROR_EVT_UNRESOLVED_PARAMETER_INSERT, ERROR_EVT_UNRESOLVED_VALUE_INSERT,
    ERROR_INSUFFICIENT_BUFFER, ERROR_NO_MORE_ITEMS, GetLastError,
};
use windows_sys::Win32::System::EventLog::{
    EVT_VARIANT, EvtExportLogChannelPath, EvtExportLogTolerateQueryErrors, EvtFormatMessageEvent,
    EvtFormatMessageLevel, EvtFormatMessageTask, EvtQueryChannelPath, EvtQueryReverseDirection,
    EvtQueryTolerateQueryErrors, EvtRenderContextSystem, EvtRenderContextUser, EvtRenderEventValues,
    EvtSystemEventID, EvtSystemLevel, EvtSystemProviderName, EvtSystemTask, EvtSystemTimeCreated,
    EvtVarTypeBoolean, EvtVarTypeByte, EvtVarTypeFileTime, EvtVarTypeHexInt32, EvtVarTypeHexInt64,
    EvtVarTypeInt32, EvtVarTypeInt64, EvtVarTypeString, EvtVarTypeUInt16, EvtVarTypeUInt32, EvtVarTypeUInt64,
};

use super::error::WindowsError;
use super::library::Library;
use super::text::{Wide, copied, until_zero};
use super::wevtapi::{EvtClose, EvtNext, EvtQuery, EvtRender, Handle, Owned};

type EvtCreateRenderContext = unsafe extern "system" fn(u32, *const *const u16, u32) -> Handle;
type EvtOpenPublisherMetadata = unsafe extern "system" fn(Handle, *const u16, *const u16, u32, u32) -> Handle;
type EvtFormatMessage = unsafe extern "system" fn(
    Handle,
    Handle,
    u32,
    u32,
    *const EVT_VARIANT,
    u32,
    u32,
    *mut u16,
    *mut u32,
) -> i32;
type EvtExportLog = unsafe extern "system" fn(Handle, *const u16, *const u16, *const u16, u32) -> i32;
type EvtArchiveExportedLog = unsafe extern "system" fn(Handle, *const u16, u32, u32) -> i32;

/// How long the event log service may take for the next event, in milliseconds.
const NEXT_MS: u32 = 10_000;
/// Largest rendered event that is taken, in bytes: the log's own limit is below 64 KiB.
const EVENT_BYTES_MAX: u32 = 1024 * 1024;
/// What `EvtFormatMessage` says of a text that it has made, with some inserts left as they stand.
const WITH_TEXT: [u32; 3] =
    [ERROR_EVT_UNRESOLVED_VALUE_INSERT, ERROR_EVT_UNRESOLVED_PARAMETER_INSERT, ERROR_EVT_MAX_INSERTS_REACHED];
/// The functions of wevtapi.dll that a copy needs.
#[derive(Clone, Copy)]
pub struct EventLogCopies {
    query: EvtQuery,
    next: EvtNext,
    create_render_context: EvtCreateRenderContext,
    render: EvtRender,
    open_publisher: EvtOpenPublisherMetadata,
    format_message: EvtFormatMessage,
    close: EvtClose,
    export: EvtExportLog,
    archive: EvtArchiveExportedLog,
}

/// What every event has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemValues {
    /// Name of the source.
    pub provider: String,
    /// イベント ID, without its upper half.
    pub event_id: u16,
    /// 1 critical, 2 error, 3 warning, 4 information, 0 for classic audits.
    pub level: u8,
    /// タスクのカテゴリ by number, 0 for none.
    pub task: u16,
    /// Time, UTC, in 100 ns since 1601 (FILETIME).
    pub time: i64,
}

/// Which text of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// The message.
    Message,
    /// Name of the level.
    Level,
    /// Name of the task.
    Task,
}

impl EventLogCopies {
    /// Looks the functions up; `None` when this Windows lacks one.
    #[must_use]
    pub fn load() -> Option<Self> {
        let library = Library::system("wevtapi.dll")?;
        // SAFETY: the types above are those that winevt.h declares for these names.
        unsafe {
            Some(Self {
                query: library.function(c"EvtQuery")?,
                next: library.function(c"EvtNext")?,
                create_render_context: library.function(c"EvtCreateRenderContext")?,
                render: library.function(c"EvtRender")?,
                open_publisher: library.function(c"EvtOpenPublisherMetadata")?,
                format_message: library.function(c"EvtFormatMessage")?,
                close: library.function(c"EvtClose")?,
                export: library.function(c"EvtExportLog")?,
                archive: library.function(c"EvtArchiveExportedLog")?,
            })
        }
    }

    /// Writes the events of a structured query to a new .evtx file. A part of the query that this Windows
    /// cannot read selects nothing.
    ///
    /// # Errors
    /// When the log may not be read, the file exists or cannot be written.
    pub fn export(&self, channel: &str, query: &str, target: &Path) -> Result<(), WindowsError> {
        let (path, query, file) = (Wide::new(channel), Wide::new(query), Wide::new(target));
        let flags = EvtExportLogChannelPath | EvtExportLogTolerateQueryErrors;
        // SAFETY: a session of 0 is this PC; the texts are zero-ended and live through the call.
        let done = unsafe { (self.export)(0, path.as_ptr(), query.as_ptr(), file.as_ptr(), flags) };
        if done == 0 {
            return Err(WindowsError::last("export", format_args!("the event log {channel}")));
        }
        Ok(())
    }

    /// Puts the texts of one language (`LANGID`) beside an exported file, into its folder `LocaleMetaData`.
    ///
    /// # Errors
    /// When the file is no export or the folder cannot be written.
    pub fn archive(&self, exported: &Path, language: u32) -> Result<(), WindowsError> {
        let file = Wide::new(exported);
        // SAFETY: the text is zero-ended and lives through the call.
        if unsafe { (self.archive)(0, file.as_ptr(), language, 0) } == 0 {
            let name = exported.display();
            return Err(WindowsError::last(
                "add",
                format_args!("the texts of language {language} to {name}"),
            ));
        }
        Ok(())
    }

    /// Asks for the events of a structured query, newest first.
    ///
    /// # Errors
    /// When the log may not be read or the event log service does not answer.
    pub fn query(&self, channel: &str, query: &str) -> Result<FoundEvents, WindowsError> {
        let (path, query) = (Wide::new(channel), Wide::new(query));
        let flags = EvtQueryChannelPath | EvtQueryReverseDirection | EvtQueryTolerateQueryErrors;
        // SAFETY: a session of 0 is this PC; both texts are zero-ended and live through the call.
        let result = unsafe { (self.query)(0, path.as_ptr(), query.as_ptr(), flags) };
        if result == 0 {
            return Err(WindowsError::last("read", format_args!("the event log {channel}")));
        }
        let result = self.own(result);
        let contexts = (self.context(EvtRenderContextSystem)?, self.context(EvtRenderContextUser)?);
        Ok(FoundEvents {
            logs: *self,
            result,
            system: contexts.0,
            user: contexts.1,
            channel: channel.to_owned(),
        })
    }

    /// The texts of a source in a language (`LANGID`; 0 is the caller's own).
    ///
    /// # Errors
    /// When the source is not registered on this PC, or not in that language.
    pub fn publisher(&self, name: &str, language: u32) -> Result<Owned, WindowsError> {
        let wide = Wide::new(name);
        // SAFETY: a session of 0 and no log file are this PC; the name is zero-ended.
        let handle = unsafe { (self.open_publisher)(0, wide.as_ptr(), null(), language, 0) };
        if handle == 0 {
            return Err(WindowsError::last("read the texts of", name));
        }
        Ok(self.own(handle))
    }

    /// A text of `event` in the words of `publisher`; `None` when there is none.
    #[must_use]
    pub fn text(&self, publisher: &Owned, event: &Owned, wording: Wording) -> Option<String> {
        let flags = match wording {
            Wording::Message => EvtFormatMessageEvent,
            Wording::Level => EvtFormatMessageLevel,
            Wording::Task => EvtFormatMessageTask,
        };
        let mut units: Vec<u16> = vec![0; 1024];
        loop {
            let mut needed = 0_u32;
            let length = units.len() as u32;
            // SAFETY: both handles are open; no values are given; the buffer has the length that is told, in
            // units; the address of the needed length is a live local.
            let done = unsafe {
                (self.format_message)(
                    publisher.handle,
                    event.handle,
                    0,
                    0,
                    null(),
                    flags,
                    length,
                    units.as_mut_ptr(),
                    &raw mut needed,
                )
            };
            let error = last_error();
            if done != 0 || WITH_TEXT.contains(&error) {
                return Some(until_zero(&units));
            }
            let too_small = error == ERROR_INSUFFICIENT_BUFFER;
            if !too_small || needed <= length || needed > EVENT_BYTES_MAX {
                return None;
            }
            units = vec![0; needed as usize];
        }
    }

    fn context(&self, kind: u32) -> Result<Owned, WindowsError> {
        // SAFETY: the two kinds that are asked for take no list of values.
        match unsafe { (self.create_render_context)(0, null(), kind) } {
            0 => Err(WindowsError::last("prepare", "the rendering of events")),
            handle => Ok(self.own(handle)),
        }
    }

    fn own(&self, handle: Handle) -> Owned {
        Owned { close: self.close, handle }
    }
}

/// The result of a query.
pub struct FoundEvents {
    logs: EventLogCopies,
    result: Owned,
    system: Owned,
    user: Owned,
    channel: String,
}

impl FoundEvents {
    /// The next event; `None` after the last.
    ///
    /// # Errors
    /// When the event log service fails.
    pub fn next(&self) -> Result<Option<Owned>, WindowsError> {
        let (mut event, mut count) = (0, 0_u32);
        // SAFETY: the result is open; there is room for the one event that is asked for; both addresses are
        // live locals.
        let done =
            unsafe { (self.logs.next)(self.result.handle, 1, &raw mut event, NEXT_MS, 0, &raw mut count) };
        if done != 0 && count == 1 {
            return Ok(Some(self.logs.own(event)));
        }
        match last_error() {
            ERROR_NO_MORE_ITEMS => Ok(None),
            _ => Err(WindowsError::last("read", format_args!("the event log {}", self.channel))),
        }
    }

    /// What every event has; `None` when it cannot be had for this one.
    #[must_use]
    pub fn system_values(&self, event: &Owned) -> Option<SystemValues> {
        let values = self.values(&self.system, event)?;
        let number = |place: i32| values.get(place as usize).and_then(Value::number).unwrap_or(0);
        Some(SystemValues {
            provider: values.get(EvtSystemProviderName as usize)?.to_string(),
            event_id: number(EvtSystemEventID) as u16,
            level: number(EvtSystemLevel) as u8,
            task: number(EvtSystemTask) as u16,
            time: number(EvtSystemTimeCreated),
        })
    }

    /// The event's own values, as text: what is left to show when its source's texts are not on this PC.
    #[must_use]
    pub fn inserts(&self, event: &Owned) -> Vec<String> {
        self.values(&self.user, event).unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn values(&self, context: &Owned, event: &Owned) -> Option<Vec<Value>> {
        let unit = size_of::<EVT_VARIANT>() as u32;
        let mut variants = vec![EVT_VARIANT::default(); 64];
        loop {
            let (mut used, mut count) = (0_u32, 0_u32);
            let bytes = variants.len() as u32 * unit;
            // SAFETY: both handles are open; the buffer is aligned for the values it gets and has the length
            // that is told, in bytes; both addresses are live locals.
            let done = unsafe {
                (self.logs.render)(
                    context.handle,
                    event.handle,
                    EvtRenderEventValues,
                    bytes,
                    variants.as_mut_ptr().cast(),
                    &raw mut used,
                    &raw mut count,
                )
            };
            if done != 0 {
                // SAFETY: Windows filled so many values; what they point to lies in the same buffer, which
                // lives until the end of this function.
                return Some(variants.iter().take(count as usize).map(|v| unsafe { owned(v) }).collect());
            }
            let too_small = last_error() == ERROR_INSUFFICIENT_BUFFER;
            if !too_small || used <= bytes || used > EVENT_BYTES_MAX {
                return None;
            }
            variants = vec![EVT_VARIANT::default(); used.div_ceil(unit) as usize];
        }
    }
}

/// One value of an event.
enum Value {
    Text(String),
    Number(i64),
    Hexadecimal(u64),
    /// Nothing, or of a type that nobody reads in a text: how Windows numbers it.
    Other(u32),
}

impl Value {
    fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Hexadecimal(_) | Self::Other(_) => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Hexadecimal(number) => write!(f, "{number:#x}"),
            Self::Other(0) => f.write_str("-"),
            Self::Other(kind) => write!(f, "(type {kind})"),
        }
    }
}

/// Copies a value.
///
/// # Safety
/// The value was filled by `EvtRender`, and the buffer it stands in is alive.
#[allow(non_upper_case_globals)] // the names of winevt.h
unsafe fn owned(variant: &EVT_VARIANT) -> Value {
    // An array has a flag in its type and so is none of those below.
    let kind = variant.Type;
    // SAFETY: the type says which member was filled; a text is zero-ended within the buffer.
    unsafe {
        let value = variant.Anonymous;
        match kind.cast_signed() {
            EvtVarTypeString => Value::Text(copied(value.StringVal)),
            EvtVarTypeByte => Value::Number(value.ByteVal.into()),
            EvtVarTypeUInt16 => Value::Number(value.UInt16Val.into()),
            EvtVarTypeInt32 => Value::Number(value.Int32Val.into()),
            EvtVarTypeUInt32 => Value::Number(value.UInt32Val.into()),
            EvtVarTypeInt64 => Value::Number(value.Int64Val),
            EvtVarTypeUInt64 => Value::Number(value.UInt64Val.cast_signed()),
            EvtVarTypeBoolean => Value::Number(value.BooleanVal.into()),
            EvtVarTypeFileTime => Value::Number(value.FileTimeVal.cast_signed()),
            EvtVarTypeHexInt32 => Value::Hexadecimal(value.UInt32Val.into()),
            EvtVarTypeHexInt64 => Value::Hexadecimal(value.UInt64Val),
            _ => Value::Other(kind),
        }
    }
}

fn last_error() -> u32 {
    // SAFETY: reads the calling thread's last error.
    unsafe { GetLastError() }
}

#[cfg(test)]
mod tests;
