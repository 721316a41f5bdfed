//! Ctrl-C and its relatives, for the agent in the foreground.

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::sleep;
use std::time::Duration;

use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_SHUTDOWN_EVENT, SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;

use super::error::WindowsError;

/// Interrupts that wait for the reader; the first one decides, the rest may be lost.
const QUEUE_LIMIT: usize = 4;
/// Windows ends the process when the handler of a closing console returns, and after 5 s in any case
/// (SetConsoleCtrlHandler). This leaves the main loop time to end in order.
const CLOSING_GRACE: Duration = Duration::from_millis(4500);

/// Why the process is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C, Ctrl-Break, a closed window or the user's sign-out.
    Asked,
    /// The PC goes down.
    SystemGoesDown,
}

/// Lives as long as the process: Windows may call the handler at any time.
static SENDER: OnceLock<SyncSender<Interrupt>> = OnceLock::new();

/// Takes over the console's interrupts.
///
/// # Errors
/// When they are taken already or Windows refuses.
pub fn interrupts() -> Result<Receiver<Interrupt>, WindowsError> {
    let (sender, receiver) = sync_channel(QUEUE_LIMIT);
    if SENDER.set(sender).is_err() {
        return Err(WindowsError::finding("take", "the console's interrupts", "they are taken".into()));
    }
    // SAFETY: the handler is a function that lives as long as the process.
    if unsafe { SetConsoleCtrlHandler(Some(handler), 1) } == 0 {
        return Err(WindowsError::last("take", "the console's interrupts"));
    }
    Ok(receiver)
}

/// What Windows calls, on a thread of its own making.
unsafe extern "system" fn handler(event: u32) -> BOOL {
    let Some(sender) = SENDER.get() else { return 0 };
    let interrupt = if event == CTRL_SHUTDOWN_EVENT { Interrupt::SystemGoesDown } else { Interrupt::Asked };
    // A full queue means that the reader has been told already.
    let _told_already = sender.try_send(interrupt);
    if !matches!(event, CTRL_C_EVENT | CTRL_BREAK_EVENT) {
        sleep(CLOSING_GRACE);
    }
    1
}
