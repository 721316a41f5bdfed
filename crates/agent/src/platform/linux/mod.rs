//! Linux: systemd-logind over D-Bus, the journal as event log.
//!
//! The contract of every item here stands in [`super`].

mod clocks;
mod host;
mod inhibitor;
mod key_store;
mod log;
mod log_export;
mod logind;
mod network;
mod notices;
mod order;
mod paths;
mod proxy;
mod signals;

pub use clocks::{boot_id, clocks};
pub use host::host;
pub use key_store::{HAS_KEY_STORE, delete_stored_key, make_stored_key, sign_with_stored_key};
pub use log::{log_positions, read_log};
pub use log_export::export_os_logs;
pub use logind::{Watch, current_session, list_sessions, watch};
pub use network::network_verdict;
pub use notices::Notices;
pub use paths::{
    MEDIUM_ERRORS, default_config_path, default_state_dir, ensure_trusted_file, personal_state_dir,
    protect_directory, sync_directory, without_waiting,
};
pub use proxy::{HAS_PROXY_SCRIPTS, PROXY_SOURCES, look_up_proxy, post_with_proxy_login};
pub use signals::stop_signals;

use super::{Finding, StoredSettings};

/// Linux has no registry.
#[must_use]
pub fn registry_settings() -> Vec<StoredSettings> {
    Vec::new()
}

/// systemd says itself what it thinks of a unit (`systemctl status mngntime-agent`).
#[must_use]
pub fn registration_findings() -> Vec<(&'static str, Finding)> {
    Vec::new()
}

/// The loader takes libraries from the system's folders only.
///
/// # Errors
/// Never.
pub fn harden_process() -> anyhow::Result<()> {
    Ok(())
}
