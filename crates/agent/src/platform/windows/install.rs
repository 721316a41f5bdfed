//! Registering and removing the service. The MSI does the same declaratively; these commands serve scripts,
//! repairs and tests.
//!
//! `install` may be repeated: it brings an existing registration to the same state. `uninstall` leaves the
//! records and the event source: old lines in the event log must stay readable.

use std::env;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_LEVEL, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_NOT_ACTIVE,
};
use windows_sys::Win32::System::Services::SERVICE_STOPPED;

use super::ffi::WindowsError;
use super::ffi::registry::{Lifetime, WritableKey};
use super::ffi::service_manager::{Registration, ServiceEntry, ServiceManager};
use super::paths::{default_state_dir, protect_directory};
use super::service::{ARGUMENT, EVENT_SOURCE, NAME};

/// Where event sources of the Application log are registered.
const EVENT_SOURCES_KEY: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";
/// Our message file, beside the program.
const MESSAGE_FILE: &str = "MngnTimeMsg1.dll";
/// Windows' own message file for ids 1 to 1000, each "the insert and nothing else".
const FALLBACK_MESSAGE_FILE: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// Information, warning and error (winnt.h, `EVENTLOG_…_TYPE`).
const TYPES_SUPPORTED: u32 = 1 | 2 | 4;
/// Waits before the first, second and every later restart.
const RESTART_DELAYS_MS: [u32; 3] = [5_000, 30_000, 60_000];
/// A day without failure begins the counting anew.
const FAILURE_RESET_S: u32 = 86_400;
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
    register_event_source(&program)?;
    protect_directory(&default_state_dir())?;
    let command_line = command_line_of(&program)?;
    let registration = Registration {
        name: NAME,
        display_name: "MngnTime",
        description: "PCのログオンとログオフを記録し、勤怠サーバーへ送信します。",
        command_line: &command_line,
        restart_delays_ms: RESTART_DELAYS_MS,
        failure_reset_s: FAILURE_RESET_S,
    };
    let entry = registered(&ServiceManager::connect(true)?, &registration)?;
    entry.restart_after_crash(registration.restart_delays_ms, registration.failure_reset_s)?;
    unless(entry.restart_after_error(), ERROR_INVALID_LEVEL)?;
    entry.describe(registration.description)?;
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

/// Without a registered message file Event Viewer shows an apology instead of our text.
fn register_event_source(program: &Path) -> anyhow::Result<()> {
    let own = program.with_file_name(MESSAGE_FILE);
    let message_file = if own.exists() { text_of(&own)? } else { FALLBACK_MESSAGE_FILE };
    let key = WritableKey::create(&format!(r"{EVENT_SOURCES_KEY}\{EVENT_SOURCE}"), Lifetime::Lasting)?;
    key.set_expandable("EventMessageFile", message_file)?;
    Ok(key.set_dword("TypesSupported", TYPES_SUPPORTED)?)
}

/// `"C:\Program Files\MngnTime\MngnTimeCliSvc.exe" service`.
fn command_line_of(program: &Path) -> anyhow::Result<String> {
    let text = text_of(program)?;
    ensure!(!text.contains('"'), "the path of this program holds a quotation mark: {text}");
    Ok(format!("\"{text}\" {ARGUMENT}"))
}

fn text_of(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("the path {} is no valid Unicode", path.display()))
}

/// `result`, with Windows' error `code` counting as success.
fn unless(result: Result<(), WindowsError>, code: u32) -> anyhow::Result<()> {
    match result {
        Err(error) if error.code() != Some(code) => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_quoted_in_the_command_line() {
        let line = command_line_of(Path::new(r"C:\Program Files\MngnTime\MngnTimeCliSvc.exe")).unwrap();
        assert_eq!(line, r#""C:\Program Files\MngnTime\MngnTimeCliSvc.exe" service"#);
        assert!(command_line_of(Path::new("C:\\a\"b.exe")).is_err());
    }
}
