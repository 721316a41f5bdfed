//! SIGTERM and SIGINT as an event of the main loop.

use std::thread;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::platform::{FactSink, ShellEvent};

/// Sends [`ShellEvent::Stop`] at the first SIGTERM or SIGINT. Whether the OS goes down is not known from
/// a signal; logind's `PrepareForShutdown` has said so before.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn stop_signals(sink: FactSink) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot watch for SIGTERM")?;
    thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            for _ in signals.forever() {
                let _ = sink.send(ShellEvent::Stop { system_is_going_down: false });
            }
        })
        .context("cannot start the thread that watches for signals")?;
    Ok(())
}
