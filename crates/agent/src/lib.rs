//! `mngntime-agent`, on Windows `MngnTimeCliSvc.exe`: records the logons and logoffs of this PC.
//!
//! | room | what |
//! |---|---|
//! | `config` | the configuration file |
//! | `runtime` | the loop that joins the core to the PC |
//! | `journal` | durable records |
//! | `os_log` | the OS's own logs: parsing and joining their records |
//! | `transport` | to the server and back |
//! | `identity` | the terminal's key |
//! | `platform` | the operating system |
//! | `commands` | one file for each command |
//!
//! There is no async runtime: a few threads and channels. The rules are in `mngntime-agent-core`.
//! The rooms are a library so that the simulated office (`mngntime-sim`) drives the real journal and the real
//! exchange; nobody else builds on it.

mod commands;
pub mod config;
mod identity;
pub mod journal;
pub mod os_log;
pub mod platform;
mod pseudo_accounts;
mod runtime;
pub mod transport;

pub use commands::main;
