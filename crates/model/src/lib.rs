//! The field's words: what a logon punch is made of, before any format or storage.
//!
//! Everything here is plain data. Nothing reads a clock, draws a random number or does I/O, and nothing
//! here is serializable: the wire and the disk have forms of their own (`mngntime-wire`) and convert at
//! the edge.
//!
//! Two questions about an event are kept apart because the attendance side needs them apart:
//!
//! - [`EventKind`]: *what* happened (logon, logoff, lock, suspend …);
//! - [`Evidence`]: *how we know* (the OS said so, a list comparison showed it, it was found at start, it
//!   is inferred between two bounds …). A time is certain only when an OS event gave it.

pub mod account;
pub mod clock;
pub mod enrollment;
pub mod event;
pub mod failure;
pub mod gap;
pub mod ids;
pub mod language;
pub mod moment;
pub mod result;

pub use account::AccountIdentity;
pub use clock::ClockSetting;
pub use enrollment::EnrollmentRefusal;
pub use event::{Bounds, Event, EventKind, Evidence, SessionIdentity};
pub use failure::FailureCause;
pub use gap::Declared;
pub use ids::{BootId, ContractCode, InvalidId, TerminalId};
pub use language::Language;
pub use moment::{Moment, UtcMillis};
pub use result::PunchResult;
