//! The service's side of the conversation with the service control manager (SCM).
//!
//! Why not a crate: the one in use everywhere frees its handler's closure after the first stop-like
//! control, although Windows may send more, and drops the payload of the time-change notice
//! (reference: windows.md 1.7). Here the context is a `static` that lives as long as the process; there is
//! nothing to free.
//!
//! The handler runs on the SCM's dispatcher thread. It puts a [`Control`] into a bounded queue and returns.
//! One control is different: after "the PC is about to sleep" Windows lets the PC sleep as soon as the
//! handler returns, so the handler waits until the shell says that its record is on disk
//! ([`sleep_may_begin`]), or [`SLEEP_WAIT_MAX`], whichever is first.
//!
//! A full queue (256 controls that nobody read) loses the newest control and remembers that it did; the
//! reader then reads the session list, which is the truth anyway.

use core::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_PARAMETER, ERROR_SERVICE_SPECIFIC_ERROR, NO_ERROR,
};
use windows_sys::Win32::System::RemoteDesktop::WTSSESSION_NOTIFICATION;
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_POWEREVENT, SERVICE_ACCEPT_PRESHUTDOWN,
    SERVICE_ACCEPT_SESSIONCHANGE, SERVICE_ACCEPT_STOP, SERVICE_ACCEPT_TIMECHANGE,
    SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_POWEREVENT, SERVICE_CONTROL_PRESHUTDOWN,
    SERVICE_CONTROL_SESSIONCHANGE, SERVICE_CONTROL_STOP, SERVICE_CONTROL_TIMECHANGE, SERVICE_RUNNING,
    SERVICE_START_PENDING, SERVICE_STATUS, SERVICE_STATUS_CURRENT_STATE, SERVICE_STOP_PENDING,
    SERVICE_STOPPED, SERVICE_TABLE_ENTRYW, SERVICE_TIMECHANGE_INFO, SERVICE_WIN32_OWN_PROCESS,
    SetServiceStatus, StartServiceCtrlDispatcherW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::PBT_APMSUSPEND;
use windows_sys::core::PWSTR;

use super::error::WindowsError;
use super::text::Wide;

/// Controls that wait for the reader. One sign-out makes about five; a reader that is 256 behind is stuck.
const QUEUE_LIMIT: usize = 256;
/// How long the handler keeps the PC from sleeping. Windows grants about two seconds in all
/// (PBT_APMSUSPEND); an append with its sync takes milliseconds.
const SLEEP_WAIT_MAX: Duration = Duration::from_millis(1000);
/// What the agent wants to hear. PRESHUTDOWN instead of SHUTDOWN: it comes earlier, and who accepts it
/// is not told of SHUTDOWN any more.
const ACCEPTED: u32 = SERVICE_ACCEPT_STOP
    | SERVICE_ACCEPT_PRESHUTDOWN
    | SERVICE_ACCEPT_SESSIONCHANGE
    | SERVICE_ACCEPT_POWEREVENT
    | SERVICE_ACCEPT_TIMECHANGE;
/// Codes that a program may send to a service of its own (winsvc.h).
const USER_CODES: std::ops::RangeInclusive<u32> = 128..=255;

/// Something the SCM said, copied out of its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Somebody stops the service.
    Stop,
    /// The PC goes down; the SCM waits for this service first (10 s by default).
    Preshutdown,
    /// Something happened to a session: `WTS_…` reason of winuser.h and the session's number.
    Session {
        /// `WTS_SESSION_LOGON` = 5 and so on.
        reason: u32,
        /// Windows' session number.
        session: u32,
    },
    /// A power event: `PBT_…` of winuser.h.
    Power {
        /// `PBT_APMSUSPEND` = 4 and so on.
        event: u32,
    },
    /// The wall clock was set; FILETIMEs (100 ns since 1601, UTC) before and after.
    TimeChanged {
        /// Before.
        from_filetime: i64,
        /// After.
        to_filetime: i64,
    },
    /// A code of our own, 128 to 255.
    User(u32),
}

/// What the SCM shall show for this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Starting; it may take this many milliseconds until the next report.
    Starting(u32),
    /// Watching.
    Running,
    /// Ending; it may take this many milliseconds until the next report.
    Stopping(u32),
    /// Ended. 0 is success; anything else is shown as the service's own error and, with the failure
    /// actions of `install`, makes the SCM start the service again.
    Stopped(u32),
}

/// What the process tells the SCM it is, and how the SCM's controls get out of the handler.
struct Context {
    body: fn() -> u32,
    name: String,
    sender: SyncSender<Control>,
    receiver: Mutex<Option<Receiver<Control>>>,
    status_handle: AtomicPtr<c_void>,
    checkpoint: AtomicU32,
    lost_controls: AtomicBool,
    sleeps_settled: Mutex<u64>,
    sleep_settled: Condvar,
}

/// Set once by [`run`] before the SCM hears of us, never freed: Windows may call the handler at any time
/// until the process is gone.
static CONTEXT: OnceLock<Context> = OnceLock::new();

/// Connects this process to the SCM and runs `body` as the service `name`. Returns when the service has
/// ended. `body` runs on a thread of the SCM's making; its answer is the exit code.
///
/// # Errors
/// When the process was not started by the SCM (`ERROR_FAILED_SERVICE_CONTROLLER_CONNECT`, 1063), or
/// when it is called a second time.
pub fn run(name: &str, body: fn() -> u32) -> Result<(), WindowsError> {
    let (sender, receiver) = sync_channel(QUEUE_LIMIT);
    let context = Context {
        body,
        name: name.to_owned(),
        sender,
        receiver: Mutex::new(Some(receiver)),
        status_handle: AtomicPtr::new(null_mut()),
        checkpoint: AtomicU32::new(0),
        lost_controls: AtomicBool::new(false),
        sleeps_settled: Mutex::new(0),
        sleep_settled: Condvar::new(),
    };
    if CONTEXT.set(context).is_err() {
        return Err(WindowsError::finding(
            "run",
            format_args!("the service {name}"),
            "it runs already".into(),
        ));
    }
    dispatch(name)
}

/// Whether this process runs as a service.
#[must_use]
pub fn is_service() -> bool {
    CONTEXT.get().is_some()
}

/// The queue of controls, for the one who asks first; `None` in a process that is no service.
#[must_use]
pub fn take_controls() -> Option<Receiver<Control>> {
    let context = CONTEXT.get()?;
    context.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Whether controls were lost to a full queue since the last call.
#[must_use]
pub fn lost_controls() -> bool {
    CONTEXT.get().is_some_and(|context| context.lost_controls.swap(false, Ordering::AcqRel))
}

/// Lets the handler return that keeps the PC from sleeping.
pub fn sleep_may_begin() {
    if let Some(context) = CONTEXT.get() {
        *context.sleeps_settled.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        context.sleep_settled.notify_all();
    }
}

/// Tells the SCM the service's state. Nothing happens in a process that is no service.
///
/// # Errors
/// When the SCM refuses the report.
pub fn report(state: State) -> Result<(), WindowsError> {
    let Some(context) = CONTEXT.get() else {
        return Ok(());
    };
    let status = context.status_of(state);
    match context.send(&status) {
        Err(error) if error.code() == Some(ERROR_INVALID_PARAMETER) && status.dwControlsAccepted != 0 => {
            // An SCM that does not know one of the bits (Wine, old Windows): stopping must still work.
            context.send(&SERVICE_STATUS { dwControlsAccepted: SERVICE_ACCEPT_STOP, ..status })
        }
        result => result,
    }
}

fn dispatch(name: &str) -> Result<(), WindowsError> {
    let mut wide = Wide::new(name);
    let table = [
        SERVICE_TABLE_ENTRYW { lpServiceName: wide.as_mut_ptr(), lpServiceProc: Some(service_main) },
        SERVICE_TABLE_ENTRYW::default(),
    ];
    // SAFETY: the table ends with an empty entry, and it and the name live until the call returns, which
    // it does when the service has ended.
    if unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) } == 0 {
        return Err(WindowsError::last(
            "reach the service control manager as",
            format_args!("service {name}"),
        ));
    }
    Ok(())
}

/// What the SCM calls on a thread of its own once the process is connected.
unsafe extern "system" fn service_main(_count: u32, _arguments: *mut PWSTR) {
    let Some(context) = CONTEXT.get() else { return };
    let name = Wide::new(&context.name);
    // SAFETY: the name is zero-ended and read only during the call; the handler is a function, not a
    // closure, and its context pointer is not used.
    let handle = unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(handler), null()) };
    if handle.is_null() {
        return;
    }
    context.status_handle.store(handle, Ordering::Release);
    let code = (context.body)();
    // The process ends with this report; there is nobody left to tell if the SCM refuses it.
    let _refused = report(State::Stopped(code));
}

/// What the SCM calls for every control, on its dispatcher thread, at any time until the process is gone.
unsafe extern "system" fn handler(
    code: u32,
    event_type: u32,
    event_data: *mut c_void,
    _context: *mut c_void,
) -> u32 {
    let Some(context) = CONTEXT.get() else {
        return ERROR_CALL_NOT_IMPLEMENTED;
    };
    if code == SERVICE_CONTROL_INTERROGATE {
        return NO_ERROR;
    }
    // SAFETY: Windows hands over the struct that belongs to the control, or null.
    let Some(control) = (unsafe { control_from(code, event_type, event_data) }) else {
        return ERROR_CALL_NOT_IMPLEMENTED;
    };
    context.accept(control);
    NO_ERROR
}

/// Copies a control out of Windows' memory; `None` for controls this service does not take.
///
/// # Safety
/// `data` is null or points to the struct that the documentation of `LPHANDLER_FUNCTION_EX` gives for
/// `code`.
unsafe fn control_from(code: u32, event_type: u32, data: *const c_void) -> Option<Control> {
    match code {
        SERVICE_CONTROL_STOP => Some(Control::Stop),
        SERVICE_CONTROL_PRESHUTDOWN => Some(Control::Preshutdown),
        SERVICE_CONTROL_POWEREVENT => Some(Control::Power { event: event_type }),
        SERVICE_CONTROL_SESSIONCHANGE if !data.is_null() => {
            // SAFETY: not null, and for this control it is a WTSSESSION_NOTIFICATION.
            let notification = unsafe { data.cast::<WTSSESSION_NOTIFICATION>().read_unaligned() };
            Some(Control::Session { reason: event_type, session: notification.dwSessionId })
        }
        SERVICE_CONTROL_TIMECHANGE if !data.is_null() => {
            // SAFETY: not null, and for this control it is a SERVICE_TIMECHANGE_INFO.
            let info = unsafe { data.cast::<SERVICE_TIMECHANGE_INFO>().read_unaligned() };
            Some(Control::TimeChanged { from_filetime: info.liOldTime, to_filetime: info.liNewTime })
        }
        code if USER_CODES.contains(&code) => Some(Control::User(code)),
        _ => None,
    }
}

impl Context {
    /// Queues the control and, before a sleep, waits until it has been dealt with.
    fn accept(&self, control: Control) {
        let settled = self.sleeps_settled.lock().unwrap_or_else(PoisonError::into_inner);
        if self.sender.try_send(control).is_err() {
            self.lost_controls.store(true, Ordering::Release);
            return;
        }
        if control == (Control::Power { event: PBT_APMSUSPEND }) {
            let before = *settled;
            let _waited =
                self.sleep_settled.wait_timeout_while(settled, SLEEP_WAIT_MAX, |now| *now == before);
        }
    }

    fn status_of(&self, state: State) -> SERVICE_STATUS {
        let pending = |state: SERVICE_STATUS_CURRENT_STATE, wait_hint_ms: u32| SERVICE_STATUS {
            dwCurrentState: state,
            dwWaitHint: wait_hint_ms,
            dwCheckPoint: self.checkpoint.fetch_add(1, Ordering::Relaxed) + 1,
            ..empty_status()
        };
        match state {
            State::Starting(wait_hint_ms) => pending(SERVICE_START_PENDING, wait_hint_ms),
            State::Stopping(wait_hint_ms) => pending(SERVICE_STOP_PENDING, wait_hint_ms),
            State::Running => SERVICE_STATUS {
                dwCurrentState: SERVICE_RUNNING,
                dwControlsAccepted: ACCEPTED,
                ..empty_status()
            },
            State::Stopped(0) => SERVICE_STATUS { dwCurrentState: SERVICE_STOPPED, ..empty_status() },
            State::Stopped(code) => SERVICE_STATUS {
                dwCurrentState: SERVICE_STOPPED,
                dwWin32ExitCode: ERROR_SERVICE_SPECIFIC_ERROR,
                dwServiceSpecificExitCode: code,
                ..empty_status()
            },
        }
    }

    fn send(&self, status: &SERVICE_STATUS) -> Result<(), WindowsError> {
        let handle = self.status_handle.load(Ordering::Acquire);
        if handle.is_null() {
            return Ok(());
        }
        // SAFETY: the handle came from RegisterServiceCtrlHandlerExW and is never closed; the status is a
        // live local of the caller.
        if unsafe { SetServiceStatus(handle, status) } == 0 {
            return Err(WindowsError::last("report the state of", format_args!("service {}", self.name)));
        }
        Ok(())
    }
}

fn empty_status() -> SERVICE_STATUS {
    SERVICE_STATUS { dwServiceType: SERVICE_WIN32_OWN_PROCESS, ..SERVICE_STATUS::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `control_from` as Windows would call it.
    fn control<T>(code: u32, event_type: u32, data: Option<&T>) -> Option<Control> {
        let data = data.map_or(null(), |data| std::ptr::from_ref(data).cast());
        // SAFETY: the tests pass the struct that belongs to the code, or nothing.
        unsafe { control_from(code, event_type, data) }
    }

    #[test]
    fn session_changes_carry_reason_and_session() {
        let data = WTSSESSION_NOTIFICATION { cbSize: 8, dwSessionId: 3 };
        let found = control(SERVICE_CONTROL_SESSIONCHANGE, 5, Some(&data));
        assert_eq!(found, Some(Control::Session { reason: 5, session: 3 }));
    }

    #[test]
    fn time_changes_carry_both_times() {
        let data = SERVICE_TIMECHANGE_INFO { liNewTime: 20, liOldTime: 10 };
        let found = control(SERVICE_CONTROL_TIMECHANGE, 0, Some(&data));
        assert_eq!(found, Some(Control::TimeChanged { from_filetime: 10, to_filetime: 20 }));
    }

    #[test]
    fn a_missing_payload_and_an_unknown_code_are_refused_not_read() {
        assert_eq!(control::<u8>(SERVICE_CONTROL_SESSIONCHANGE, 5, None), None);
        assert_eq!(control::<u8>(SERVICE_CONTROL_TIMECHANGE, 0, None), None);
        assert_eq!(control::<u8>(2, 0, None), None);
        assert_eq!(control::<u8>(256, 0, None), None);
        assert_eq!(control::<u8>(200, 0, None), Some(Control::User(200)));
    }

    #[test]
    fn in_a_process_that_is_no_service_reports_and_queues_are_empty() {
        assert!(report(State::Running).is_ok());
        assert!(!is_service());
        assert!(take_controls().is_none());
        assert!(!lost_controls());
        sleep_may_begin();
    }
}
