//! The only unsafe code of the agent: owned wrappers over the Windows calls it needs.
//!
//! Everything here is thin. A function of this module makes one Windows call (or the two or three that
//! belong together, such as "size, then fill"), copies the answer into owned Rust values and frees what
//! Windows allocated. It decides nothing: which answer means what is said by the safe modules one floor up.
//!
//! Rules that keep this room small:
//! - every `unsafe` block carries a SAFETY line that names what the call needs and why it has it;
//! - no pointer and no handle leaves the module except inside a type whose `Drop` returns it;
//! - nothing is imported statically that an older Windows, or Wine 8, lacks;
//! - the callback that Windows calls ([`service`]) has a static context and cannot panic.
#![allow(unsafe_code)]

mod error;
mod memory;
mod text;

pub mod accounts;
pub mod clock;
pub mod event_log;
pub mod registry;
pub mod security;
pub mod service;
pub mod service_manager;
pub mod sessions;

pub use error::WindowsError;
