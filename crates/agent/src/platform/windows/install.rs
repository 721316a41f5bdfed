//! Registering and removing the service. The MSI does the same declaratively; these commands serve scripts,
//! repairs and tests.
//!
//! `install` may be repeated: it brings an existing registration to the same state. `uninstall` leaves the
//! records and the event source: old lines in the event log must stay readable.

use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use windows_sys::Win32::Foundation::{
    ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_NOT_ACTIVE,
};
use windows_sys::Win32::System::Services::SERVICE_STOPPED;

use super::ffi::WindowsError;
use super::ffi::service_manager::{Registration, ServiceEntry, ServiceManager};
use super::paths::{default_state_dir, protect_directory};
use super::registration;
use super::service::NAME;

/// How long `uninstall` waits for the service to end: longer than its own last attempt to send.
const STOP_WAIT: Duration = Duration::from_secs(40);
/// Between two looks at the state.
const STOP_POLL: Duration = Duration::from_millis(100);

/// Registers the event source and the service, and starts it.
///
/// # Errors
/// When the caller is no administrator or Windows refuses a step.
pub fn install() -> anyhow::Result<()> {
    let program = env::current_exe().context("cannot find the path of this program")?;
    registration::register_event_source(&program)?;
    protect_directory(&default_state_dir())?;
    let command_line = registration::command_line_of(&program)?;
    let wanted = Registration {
        name: NAME,
        display_name: "MngnTime",
        description: "PCのログオンとログオフを記録し、勤怠サーバーへ送信します。",
        command_line: &command_line,
    };
    let entry = registered(&ServiceManager::connect(true)?, &wanted)?;
    registration::set_all(&entry)?;
    entry.describe(wanted.description)?;
    unless(entry.start(), ERROR_SERVICE_ALREADY_RUNNING)
}

/// Stops and removes the service. One that does not exist is removed already.
///
/// # Errors
/// When the caller is no administrator, or the service does not end.
pub fn uninstall() -> anyhow::Result<()> {
    let entry = match ServiceManager::connect(false)?.open(NAME) {
        Ok(entry) => entry,
        Err(error) if error.code() == Some(ERROR_SERVICE_DOES_NOT_EXIST) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    unless(entry.request_stop(), ERROR_SERVICE_NOT_ACTIVE)?;
    wait_until_stopped(&entry)?;
    Ok(entry.delete()?)
}

fn registered(manager: &ServiceManager, registration: &Registration<'_>) -> anyhow::Result<ServiceEntry> {
    match manager.open(registration.name) {
        Ok(entry) => {
            entry.change(registration)?;
            Ok(entry)
        }
        Err(error) if error.code() == Some(ERROR_SERVICE_DOES_NOT_EXIST) => Ok(manager.create(registration)?),
        Err(error) => Err(error.into()),
    }
}

fn wait_until_stopped(entry: &ServiceEntry) -> anyhow::Result<()> {
    let begun = Instant::now();
    while entry.state()? != SERVICE_STOPPED {
        if begun.elapsed() > STOP_WAIT {
            bail!("service {NAME} has not ended after {} s", STOP_WAIT.as_secs());
        }
        sleep(STOP_POLL);
    }
    Ok(())
}

/// `result`, with Windows' error `code` counting as success.
fn unless(result: Result<(), WindowsError>, code: u32) -> anyhow::Result<()> {
    match result {
        Err(error) if error.code() != Some(code) => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
