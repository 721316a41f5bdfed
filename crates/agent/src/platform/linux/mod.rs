//! Linux: systemd-logind over D-Bus, the journal as event log.
//!
//! The contract of every item here stands in [`super`].

mod clocks;
mod host;
mod inhibitor;
mod logind;
mod network;
mod notices;
mod paths;
mod proxy;
mod signals;

pub use clocks::{boot_id, clocks};
pub use host::host;
pub use logind::{Watch, current_session, list_sessions, watch};
pub use network::network_verdict;
pub use notices::Notices;
pub use paths::{default_config_path, default_state_dir, protect_directory, sync_directory};
pub use proxy::{HAS_PROXY_SCRIPTS, PROXY_SOURCES, look_up_proxy, post_with_proxy_login};
pub use signals::stop_signals;
