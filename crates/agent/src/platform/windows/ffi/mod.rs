//! The only unsafe code of the agent: owned wrappers over the Windows calls it needs.
//!
//! Everything here is thin. A function of this module makes one Windows call (or the two or three that
//! belong together, such as "ask the size, then fill"), copies the answer into owned Rust values and frees
//! what Windows allocated. It decides nothing: which answer means what is said by the safe modules one
//! floor up.
//!
//! Rules that keep this room small:
//! - every `unsafe` block carries a SAFETY line that names what the call needs and why it has it;
//! - no pointer and no handle leaves the module except inside a type whose `Drop` gives it back;
//! - nothing is imported statically that a supported Windows, or Wine 8, lacks;
//! - callbacks that Windows calls ([`service`], [`console`], [`network`]) have static contexts, cannot
//!   panic and only put something into a queue.
#![allow(unsafe_code)]

mod error;
mod memory;
mod text;

pub mod accounts;
pub mod clock;
pub mod cng;
pub mod console;
pub mod event_log;
#[cfg(feature = "simulated-sessions")]
pub mod handler_times;
pub mod library;
pub mod machine;
pub mod messages;
pub mod network;
pub mod registry;
pub mod security;
pub mod service;
pub mod service_manager;
pub mod service_settings;
pub mod sessions;
pub mod wevtapi;
pub mod wevtapi_export;
pub mod winhttp;

pub use error::WindowsError;
