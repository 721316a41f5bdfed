//! The PC's clocks, all read at one instant.
//!
//! Wall time is `GetSystemTimePreciseAsFileTime` (below 1 µs steps). The two counters are
//! `GetTickCount64`, which goes on during sleep, and `QueryUnbiasedInterruptTime`, which does not; neither
//! can be set by anyone. Windows documentation: realtimeapiset.h, sysinfoapi.h.

use windows_sys::Win32::Foundation::{FILETIME, SYSTEMTIME};
use windows_sys::Win32::Storage::FileSystem::FileTimeToLocalFileTime;
use windows_sys::Win32::System::SystemInformation::{GetSystemTimePreciseAsFileTime, GetTickCount64};
use windows_sys::Win32::System::Time::{FileTimeToSystemTime, SystemTimeToTzSpecificLocalTime};
use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

/// What the clocks showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readings {
    /// Wall clock, UTC, in 100 ns since 1601-01-01 (FILETIME).
    pub wall_filetime: i64,
    /// The same instant in local time, same unit; the difference is the zone's offset now.
    pub local_filetime: i64,
    /// Milliseconds since boot, sleep included. Steps of 10 to 16 ms.
    pub biased_ms: u64,
    /// Hundreds of nanoseconds since boot, sleep not included.
    pub unbiased_100ns: u64,
}

/// Reads all clocks.
#[must_use]
pub fn read() -> Readings {
    let mut wall = FILETIME::default();
    let mut local = FILETIME::default();
    let mut unbiased_100ns = 0_u64;
    // SAFETY: each call gets the address of a live local of the type it fills; none can fail except the
    // conversion to local time, which then leaves zero and is replaced below.
    let (converted, biased_ms) = unsafe {
        GetSystemTimePreciseAsFileTime(&raw mut wall);
        let converted = FileTimeToLocalFileTime(&raw const wall, &raw mut local);
        QueryUnbiasedInterruptTime(&raw mut unbiased_100ns);
        (converted, GetTickCount64())
    };
    let wall_filetime = joined(wall);
    let local_filetime = if converted == 0 { wall_filetime } else { joined(local) };
    Readings { wall_filetime, local_filetime, biased_ms, unbiased_100ns }
}

/// The two halves of a FILETIME as one number.
fn joined(time: FILETIME) -> i64 {
    (i64::from(time.dwHighDateTime) << 32) | i64::from(time.dwLowDateTime)
}

/// A FILETIME (UTC) in local time, by the rules that held then: year, month, day, hour, minute, second.
/// `None` when Windows cannot convert it.
#[must_use]
pub fn local_calendar(filetime: i64) -> Option<[u16; 6]> {
    let time = FILETIME {
        dwLowDateTime: (filetime & 0xffff_ffff) as u32,
        dwHighDateTime: ((filetime >> 32) & 0xffff_ffff) as u32,
    };
    let mut utc = SYSTEMTIME::default();
    let mut local = SYSTEMTIME::default();
    // SAFETY: each call gets the addresses of live locals; a null zone is the PC's own.
    let converted = unsafe {
        FileTimeToSystemTime(&raw const time, &raw mut utc) != 0
            && SystemTimeToTzSpecificLocalTime(std::ptr::null(), &raw const utc, &raw mut local) != 0
    };
    converted.then_some([local.wYear, local.wMonth, local.wDay, local.wHour, local.wMinute, local.wSecond])
}
