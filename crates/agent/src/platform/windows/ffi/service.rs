//! The service's side of the conversation with the service control manager (SCM).
//!
//! Why not a crate: the one in use everywhere frees its handler's closure after the first stop-like
//! control, although Windows may send more, and drops the payload of the time-change notice
//! (reference: windows.md 1.7). Here the context is a `static` that lives as long as the process; there is
//! nothing to free.
//!
//! The handler runs on the SCM's dispatcher thread. It puts a [`Control`] into a bounded queue and waits until
//! the shell says that what follows from it is on disk ([`settled`]), so that a logon is stored before Windows
//! goes on; but never longer than [`STORE_WAIT_MAX`], because the SCM and every other service wait with it.
//! Nothing in that time touches the network. Two controls are different: a stop has its own end
//! (`STOPPED`), so the handler does not wait for it at all; and after "the PC is about to sleep" Windows lets
//! the PC sleep as soon as the handler returns, so the handler waits for [`sleep_may_begin`], or
//! [`SLEEP_WAIT_MAX`].
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
use windows_sys::Win32::System::Power::POWERBROADCAST_SETTING;
use windows_sys::Win32::System::RemoteDesktop::WTSSESSION_NOTIFICATION;
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_POWEREVENT, SERVICE_ACCEPT_PRESHUTDOWN,
    SERVICE_ACCEPT_SESSIONCHANGE, SERVICE_ACCEPT_STOP, SERVICE_ACCEPT_TIMECHANGE,
    SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_POWEREVENT, SERVICE_CONTROL_PRESHUTDOWN,
    SERVICE_CONTROL_SESSIONCHANGE, SERVICE_CONTROL_STOP, SERVICE_CONTROL_TIMECHANGE, SERVICE_RUNNING,
    SERVICE_START_PENDING, SERVICE_STATUS, SERVICE_STATUS_CURRENT_STATE, SERVICE_STATUS_HANDLE,
    SERVICE_STOP_PENDING, SERVICE_STOPPED, SERVICE_TABLE_ENTRYW, SERVICE_TIMECHANGE_INFO,
    SERVICE_WIN32_OWN_PROCESS, SetServiceStatus, StartServiceCtrlDispatcherW,
};
use windows_sys::Win32::System::SystemServices::GUID_CONSOLE_DISPLAY_STATE;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    DEVICE_NOTIFY_SERVICE_HANDLE, PBT_APMSUSPEND, PBT_POWERSETTINGCHANGE,
};
use windows_sys::core::{GUID, PWSTR};

use super::error::WindowsError;
use super::library::Library;
use super::text::Wide;

/// Controls that wait for the reader. One sign-out makes about five; a reader that is 256 behind is stuck.
const QUEUE_LIMIT: usize = 256;
/// How long the handler waits for the disk. An append with its sync takes milliseconds; the budget for a
/// handler that others wait for is 200 ms (windows.md B1; Windows itself allows 30 s).
const STORE_WAIT_MAX: Duration = Duration::from_millis(200);
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
    /// The console's display went off (0), on (1) or dim (2): `GUID_CONSOLE_DISPLAY_STATE` of winnt.h. On a
    /// PC with Modern Standby this is all that a service hears of a closed lid.
    Display {
        /// The new state.
        state: u32,
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
    sender: SyncSender<Ticketed>,
    receiver: Mutex<Option<Receiver<Ticketed>>>,
    status_handle: AtomicPtr<c_void>,
    checkpoint: AtomicU32,
    lost_controls: AtomicBool,
    settled: Mutex<Settled>,
    has_settled: Condvar,
}

/// A control, and the number under which the handler waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticketed {
    /// What the SCM said.
    pub control: Control,
    /// What to give to [`settled`].
    pub ticket: u64,
}

/// How far the shell has come.
#[derive(Debug, Default)]
struct Settled {
    /// The last ticket given out.
    given: u64,
    /// The last ticket whose consequences are on disk.
    stored: u64,
    /// How many sleeps may begin.
    sleeps: u64,
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
    if CONTEXT.set(Context::new(name, body)).is_err() {
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
pub fn take_controls() -> Option<Receiver<Ticketed>> {
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
        context.settled.lock().unwrap_or_else(PoisonError::into_inner).sleeps += 1;
        context.has_settled.notify_all();
    }
}

/// Lets the handler return that waits for the control with this ticket or an earlier one.
pub fn settled(ticket: u64) {
    if let Some(context) = CONTEXT.get() {
        let mut settled = context.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.stored = settled.stored.max(ticket);
        context.has_settled.notify_all();
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
    hear_of_the_display(handle);
    let code = (context.body)();
    // The process ends with this report; there is nobody left to tell if the SCM refuses it.
    let _refused = report(State::Stopped(code));
}

/// Asks for notices about the console's display. Without them (old Windows) the agent lacks a hint, no record.
fn hear_of_the_display(handle: SERVICE_STATUS_HANDLE) {
    type Register = unsafe extern "system" fn(*mut c_void, *const GUID, u32) -> isize;
    let Some(library) = Library::system("user32.dll") else { return };
    // SAFETY: the documented type of RegisterPowerSettingNotification (winuser.h).
    let register = unsafe { library.function::<Register>(c"RegisterPowerSettingNotification") };
    if let Some(register) = register {
        let setting = GUID_CONSOLE_DISPLAY_STATE;
        // SAFETY: the handle is this service's; the GUID is a live local. The registration ends with the
        // process, which is when the last notice is welcome.
        unsafe { register(handle, &raw const setting, DEVICE_NOTIFY_SERVICE_HANDLE) };
    }
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
    // SAFETY: the data is what Windows gave with the code.
    unsafe { answer(context, code, event_type, event_data) }
}

/// The handler's work.
///
/// # Safety
/// As for [`control_from`].
unsafe fn answer(context: &Context, code: u32, event_type: u32, event_data: *const c_void) -> u32 {
    if code == SERVICE_CONTROL_INTERROGATE {
        return NO_ERROR;
    }
    // SAFETY: the caller hands over the struct that belongs to the control, or null.
    let Some(control) = (unsafe { control_from(code, event_type, event_data) }) else {
        return ERROR_CALL_NOT_IMPLEMENTED;
    };
    #[cfg(feature = "simulated-sessions")]
    super::handler_times::measure(|| context.accept(control));
    #[cfg(not(feature = "simulated-sessions"))]
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
        SERVICE_CONTROL_POWEREVENT if event_type == PBT_POWERSETTINGCHANGE => {
            // SAFETY: for this event it is null or a POWERBROADCAST_SETTING.
            unsafe { display_state(data) }.map(|state| Control::Display { state })
        }
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

/// The display's state in a POWERBROADCAST_SETTING; `None` for other settings.
///
/// # Safety
/// `data` is null or points to a POWERBROADCAST_SETTING with as many bytes of data as it says.
unsafe fn display_state(data: *const c_void) -> Option<u32> {
    let setting = data.cast::<POWERBROADCAST_SETTING>();
    if setting.is_null() {
        return None;
    }
    // SAFETY: not null; both fields lie in the fixed part of the struct.
    let (guid, length) =
        unsafe { ((&raw const (*setting).PowerSetting).read_unaligned(), (*setting).DataLength) };
    if !same_guid(&guid, &GUID_CONSOLE_DISPLAY_STATE) || (length as usize) < size_of::<u32>() {
        return None;
    }
    // SAFETY: the struct says that it holds at least four bytes of data.
    Some(unsafe { (&raw const (*setting).Data).cast::<u32>().read_unaligned() })
}

fn same_guid(one: &GUID, other: &GUID) -> bool {
    (one.data1, one.data2, one.data3, one.data4) == (other.data1, other.data2, other.data3, other.data4)
}

impl Context {
    fn new(name: &str, body: fn() -> u32) -> Self {
        let (sender, receiver) = sync_channel(QUEUE_LIMIT);
        Self {
            body,
            name: name.to_owned(),
            sender,
            receiver: Mutex::new(Some(receiver)),
            status_handle: AtomicPtr::new(null_mut()),
            checkpoint: AtomicU32::new(0),
            lost_controls: AtomicBool::new(false),
            settled: Mutex::default(),
            has_settled: Condvar::new(),
        }
    }

    /// Queues the control and waits until what follows from it is on disk; see the module's documentation.
    fn accept(&self, control: Control) {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.given += 1;
        let (ticket, sleeps) = (settled.given, settled.sleeps);
        if self.sender.try_send(Ticketed { control, ticket }).is_err() {
            self.lost_controls.store(true, Ordering::Release);
            return;
        }
        let (wait, waits_for_sleep) = match control {
            Control::Stop | Control::Preshutdown => return,
            Control::Power { event: PBT_APMSUSPEND } => (SLEEP_WAIT_MAX, true),
            Control::Power { .. }
            | Control::Session { .. }
            | Control::Display { .. }
            | Control::TimeChanged { .. }
            | Control::User(_) => (STORE_WAIT_MAX, false),
        };
        // Whether it settled or took too long: the control is in the queue and is not lost.
        let _waited = self.has_settled.wait_timeout_while(settled, wait, |now| {
            if waits_for_sleep { now.sleeps == sleeps } else { now.stored < ticket }
        });
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
    fn a_display_that_goes_dark_is_told_from_other_power_settings() {
        /// POWERBROADCAST_SETTING with its four bytes of data.
        #[repr(C)]
        struct Setting(GUID, u32, u32);
        let display = Setting(GUID_CONSOLE_DISPLAY_STATE, 4, 2);
        let found = control(SERVICE_CONTROL_POWEREVENT, PBT_POWERSETTINGCHANGE, Some(&display));
        assert_eq!(found, Some(Control::Display { state: 2 }));
        let other = Setting(GUID::from_u128(7), 4, 2);
        assert_eq!(control(SERVICE_CONTROL_POWEREVENT, PBT_POWERSETTINGCHANGE, Some(&other)), None);
        assert_eq!(control::<u8>(SERVICE_CONTROL_POWEREVENT, PBT_POWERSETTINGCHANGE, None), None);
    }

    #[test]
    fn a_missing_payload_and_an_unknown_code_are_refused_not_read() {
        assert_eq!(control::<u8>(SERVICE_CONTROL_SESSIONCHANGE, 5, None), None);
        assert_eq!(control::<u8>(SERVICE_CONTROL_TIMECHANGE, 0, None), None);
        assert_eq!(control::<u8>(2, 0, None), None);
        assert_eq!(control::<u8>(256, 0, None), None);
        assert_eq!(control::<u8>(200, 0, None), Some(Control::User(200)));
    }

    /// Whatever Windows sends once the PC goes down finds the same context, and is answered and queued.
    #[test]
    fn controls_after_preshutdown_are_answered_and_arrive() {
        let context = Context::new("test", || 0);
        let session = WTSSESSION_NOTIFICATION { cbSize: 8, dwSessionId: 3 };
        let time = SERVICE_TIMECHANGE_INFO { liNewTime: 20, liOldTime: 10 };
        for (code, event_type, data) in [
            (SERVICE_CONTROL_PRESHUTDOWN, 0, null()),
            (SERVICE_CONTROL_INTERROGATE, 0, null()),
            (SERVICE_CONTROL_SESSIONCHANGE, 6, (&raw const session).cast::<c_void>()),
            (SERVICE_CONTROL_POWEREVENT, 7, null()),
            (SERVICE_CONTROL_TIMECHANGE, 0, (&raw const time).cast()),
            (SERVICE_CONTROL_PRESHUTDOWN, 0, null()),
            (SERVICE_CONTROL_STOP, 0, null()),
        ] {
            // SAFETY: each code has the struct that belongs to it, or nothing.
            assert_eq!(unsafe { answer(&context, code, event_type, data) }, NO_ERROR, "{code}");
        }
        let queue = context.receiver.lock().unwrap().take().unwrap();
        let arrived: Vec<_> = queue.try_iter().map(|ticketed| ticketed.control).collect();
        let expected = [
            Control::Preshutdown,
            Control::Session { reason: 6, session: 3 },
            Control::Power { event: 7 },
            Control::TimeChanged { from_filetime: 10, to_filetime: 20 },
            Control::Preshutdown,
            Control::Stop,
        ];
        assert_eq!(arrived, expected);
        // Nor does it matter when nobody reads any more.
        drop(queue);
        // SAFETY: this code comes without data.
        assert_eq!(unsafe { answer(&context, SERVICE_CONTROL_POWEREVENT, 7, null()) }, NO_ERROR);
        assert!(context.lost_controls.load(Ordering::Acquire));
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
