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
//! | `watch` | SCM controls, console interrupts and address changes → facts |
//! | `service` | the SCM's side of the process |
//! | `install` | registering and removing the service and the event source |
//! | `notices` | the event log |
//! | `proxy` | where Windows keeps its proxies, and requests through one that wants a login |
//! | `clocks`, `boot`, `host`, `network`, `paths` | the PC |
//! | `simulated` | test builds only: sessions from a side file, controls from user codes |
//! | `ffi` | the only unsafe code |

mod boot;
mod clocks;
mod ffi;
mod host;
mod install;
mod network;
mod notices;
mod paths;
mod proxy;
pub mod service;
mod sessions;
#[cfg(feature = "simulated-sessions")]
mod simulated;
mod watch;

pub use boot::boot_id;
pub use clocks::clocks;
pub use host::host;
pub use install::{install, uninstall};
pub use network::network_verdict;
pub use notices::Notices;
pub use paths::{default_config_path, default_state_dir, protect_directory, sync_directory};
pub use proxy::{HAS_PROXY_SCRIPTS, PROXY_SOURCES, look_up_proxy, post_with_proxy_login};
pub use sessions::{current_session, list_sessions};
pub use watch::{Watch, stop_signals, watch};
