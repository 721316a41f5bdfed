//! Windows: sessions from Remote Desktop Services, notices from the service control manager (SCM), lines
//! in the Application event log.
//!
//! Session detection stands on two legs. The SCM's notice says at once *that* something happened to a
//! session; the list of sessions says *what is*, at start, after every notice and regularly. Only the list
//! is believed about the state, so a lost, doubled or late notice costs time, never a record.
//!
//! | file | what |
//! |---|---|
//! | `sessions` | the list, and who each session belongs to |
//! | `os_log` | what the event logs say about the time without us |
//! | `watch` | SCM controls, console interrupts and address changes → facts |
//! | `service` | the SCM's side of the process |
//! | `install` | registering and removing the service and the event source |
//! | `registration` | how they shall be registered; repair at every start of the service |
//! | `checkup` | what `doctor` says about them |
//! | `notices` | the event log |
//! | `key_store` | the device key in the TPM or the key store |
//! | `log_export` | copies of the event log for support |
//! | `proxy` | where Windows keeps its proxies, and requests through one that wants a login |
//! | `clocks`, `boot`, `host`, `network`, `paths` | the PC |
//! | `settings` | policy and installer values in the registry |
//! | `simulated` | test builds only: sessions from a side file, controls from user codes |
//! | `ffi` | the only unsafe code |

mod boot;
mod checkup;
mod clocks;
mod ffi;
mod host;
mod install;
mod key_store;
mod log_export;
mod network;
mod notices;
mod os_log;
mod paths;
mod proxy;
mod registration;
pub mod service;
mod sessions;
mod settings;
#[cfg(feature = "simulated-sessions")]
mod simulated;
mod watch;

pub use boot::boot_id;
pub use checkup::{check_message_file, registration_findings};
pub use clocks::clocks;
pub use host::host;
pub use install::{install, uninstall};
pub use key_store::{HAS_KEY_STORE, delete_stored_key, make_stored_key, sign_with_stored_key};
pub use log_export::export_os_logs;
pub use network::network_verdict;
pub use notices::Notices;
pub use os_log::{log_positions, read_log};
pub use paths::{
    MEDIUM_ERRORS, default_config_path, default_state_dir, ensure_trusted_file, personal_state_dir,
    protect_directory, sync_directory, without_waiting,
};
pub use proxy::{HAS_PROXY_SCRIPTS, PROXY_SOURCES, look_up_proxy, post_with_proxy_login};
pub use sessions::{current_session, list_sessions};
pub use settings::registry_settings;
pub use watch::{Watch, stop_signals, watch};

/// From now on DLLs come from System32 only, whatever lies beside the program.
///
/// # Errors
/// When Windows refuses.
pub fn harden_process() -> anyhow::Result<()> {
    Ok(ffi::security::load_system_dlls_only()?)
}
