//! Linux: systemd-logind over D-Bus, the journal as event log.
//!
//! The contract of every item here stands in [`super`].

mod clocks;
mod host;
mod inhibitor;
mod key_store;
mod logind;
mod network;
mod notices;
mod paths;
mod signals;

pub use clocks::{boot_id, clocks};
pub use host::host;
pub use key_store::{delete_stored_key, make_stored_key, sign_with_stored_key};
pub use logind::{Watch, current_session, list_sessions, watch};
pub use network::network_verdict;
pub use notices::Notices;
pub use paths::{
    default_config_path, default_state_dir, personal_state_dir, protect_directory, sync_directory,
};
pub use signals::stop_signals;
