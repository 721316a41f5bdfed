//! The calls against functions of the documented shape that stand in for Windows' own, which Wine lacks:
//! growing buffers, values in them, handles given back. What Windows itself answers is seen on Windows only.

use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::{ERROR_EVT_UNRESOLVED_VALUE_INSERT, SetLastError};

use core::ffi::c_void;

use super::*;

/// Handles that are open.
static OPEN: AtomicIsize = AtomicIsize::new(0);
/// Events given out.
static GIVEN: AtomicUsize = AtomicUsize::new(0);

const EVENTS: usize = 3;
const LONG: usize = 5_000;

fn opened() -> Handle {
    OPEN.fetch_add(1, Ordering::SeqCst);
    7
}

fn fail(code: u32) -> i32 {
    // SAFETY: sets the calling thread's last error.
    unsafe { SetLastError(code) };
    0
}

unsafe extern "system" fn query(_: Handle, _: *const u16, _: *const u16, flags: u32) -> Handle {
    assert_eq!(flags, 0x1 | 0x200 | 0x1000);
    opened()
}

unsafe extern "system" fn next(
    _: Handle,
    size: u32,
    events: *mut Handle,
    _: u32,
    _: u32,
    count: *mut u32,
) -> i32 {
    assert_eq!(size, 1);
    if GIVEN.fetch_add(1, Ordering::SeqCst) >= EVENTS {
        return fail(ERROR_NO_MORE_ITEMS);
    }
    // SAFETY: the caller's locals.
    unsafe {
        *events = opened();
        *count = 1;
    }
    1
}

unsafe extern "system" fn context(_: u32, _: *const *const u16, _: u32) -> Handle {
    opened()
}

/// Eighteen system values, the texts behind them, and more room than the first buffer has.
unsafe extern "system" fn render(
    _: Handle,
    _: Handle,
    flags: u32,
    bytes: u32,
    buffer: *mut c_void,
    used: *mut u32,
    count: *mut u32,
) -> i32 {
    const NEEDED: u32 = 4096;
    assert_eq!(flags, 0);
    // SAFETY: the caller's locals, and a buffer of as many bytes as it says.
    unsafe {
        *used = NEEDED;
        if bytes < NEEDED {
            return fail(ERROR_INSUFFICIENT_BUFFER);
        }
        let values = std::slice::from_raw_parts_mut(buffer.cast::<EVT_VARIANT>(), 18);
        let text = buffer.cast::<u16>().add(1024);
        for (index, unit) in "MngnTime\0".encode_utf16().enumerate() {
            *text.add(index) = unit;
        }
        values[0].Type = 1;
        values[0].Anonymous.StringVal = text;
        values[2].Type = 6;
        values[2].Anonymous.UInt16Val = 300;
        values[4].Type = 4;
        values[4].Anonymous.ByteVal = 2;
        values[5].Type = 6;
        values[8].Type = 17;
        values[8].Anonymous.FileTimeVal = 134_000_000_000_000_000;
        values[9].Type = 21;
        values[9].Anonymous.UInt64Val = 0x20;
        values[10].Type = 129;
        *count = 18;
    }
    1
}

unsafe extern "system" fn publisher(
    _: Handle,
    _: *const u16,
    _: *const u16,
    language: u32,
    _: u32,
) -> Handle {
    if language == 0x411 { opened() } else { fail(15_002) as Handle }
}

unsafe extern "system" fn format(
    _: Handle,
    _: Handle,
    _: u32,
    _: u32,
    _: *const EVT_VARIANT,
    flags: u32,
    length: u32,
    buffer: *mut u16,
    needed: *mut u32,
) -> i32 {
    if flags != 1 {
        return fail(15_027);
    }
    // SAFETY: the caller's local, and a buffer of as many units as it says.
    unsafe {
        *needed = LONG as u32 + 1;
        if length < *needed {
            return fail(ERROR_INSUFFICIENT_BUFFER);
        }
        (0..LONG).for_each(|index| *buffer.add(index) = u16::from(b'x'));
        *buffer.add(LONG) = 0;
    }
    // The text is there all the same.
    fail(ERROR_EVT_UNRESOLVED_VALUE_INSERT)
}

unsafe extern "system" fn close(_: Handle) -> i32 {
    OPEN.fetch_sub(1, Ordering::SeqCst);
    1
}

unsafe extern "system" fn export(_: Handle, _: *const u16, _: *const u16, _: *const u16, flags: u32) -> i32 {
    assert_eq!(flags, 0x1 | 0x1000);
    fail(5)
}

unsafe extern "system" fn archive(_: Handle, _: *const u16, _: u32, _: u32) -> i32 {
    fail(5)
}

fn stand_ins() -> EventLogCopies {
    EventLogCopies {
        query,
        next,
        create_render_context: context,
        render,
        open_publisher: publisher,
        format_message: format,
        close,
        export,
        archive,
    }
}

#[test]
fn events_are_read_to_the_last_and_every_handle_is_given_back() {
    let logs = stand_ins();
    let found = logs.query("Application", "<QueryList/>").unwrap();
    let words = logs.publisher("MngnTime", 0x411).unwrap();
    let mut count = 0;
    while let Some(event) = found.next().unwrap() {
        count += 1;
        let expected = SystemValues {
            provider: "MngnTime".to_owned(),
            event_id: 300,
            level: 2,
            task: 0,
            time: 134_000_000_000_000_000,
        };
        assert_eq!(found.system_values(&event), Some(expected));
        let inserts = found.inserts(&event);
        assert_eq!((inserts[0].as_str(), inserts[9].as_str()), ("MngnTime", "0x20"));
        assert_eq!((inserts[1].as_str(), inserts[10].as_str()), ("-", "(type 129)"));
        assert_eq!(logs.text(&words, &event, Wording::Message).map(|text| text.len()), Some(LONG));
        assert_eq!(logs.text(&words, &event, Wording::Level), None);
    }
    assert_eq!(count, EVENTS);
    drop((found, words));
    assert_eq!(OPEN.load(Ordering::SeqCst), 0);
}

#[test]
fn a_refusal_names_the_log_and_windows_reason() {
    let logs = stand_ins();
    let error = logs.export("System", "<QueryList/>", Path::new(r"C:\a.evtx")).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.code()), ("cannot export the event log System", Some(5)));
    let error = logs.archive(Path::new(r"C:\a.evtx"), 0x411).unwrap_err();
    assert_eq!(error.to_string(), r"cannot add the texts of language 1041 to C:\a.evtx");
    assert_eq!(logs.publisher("MngnTime", 0x409).err().unwrap().code(), Some(15_002));
}
