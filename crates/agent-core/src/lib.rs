//! The PC's state machine: every rule of recording and sending, without a clock, a disk or a network.
//!
//! The shell feeds [`Input`]s, each with the [`mngntime_model::Moment`] of its arrival, and then performs
//! the [`Command`]s that the core has queued, in order, until none is left. Between inputs it sleeps until
//! [`Agent::next_wakeup`]. That is the whole contract, so the same core runs under Linux, Windows and the
//! simulator.
//!
//! ```text
//! OsFact ─▶ stays (who is logged on) ─▶ Append ─▶ [disk] ─▶ Stored ─▶ upload ─▶ Send ─▶ [network] ─▶ Sent
//!                                                                        └─▶ Notice, Acknowledge
//! ```
//!
//! Invariants, each with a test:
//! - nothing is sent, acknowledged or reported about an event before its `Stored`;
//! - an event is acknowledged only by an answer that says it is stored and whose result releases it;
//! - an event leaves its number only for another that is stored with the same content;
//! - one stay yields one logon and one logoff, whatever notices are lost, doubled or reordered;
//! - a time is given as a point only where the OS gave it; everything else carries bounds.

mod agent;
mod clock_watch;
mod command;
mod held;
pub mod input;
pub mod log;
mod message;
mod notices;
mod random;
mod recovered;
mod settings;
mod stays;
mod upload;

pub use agent::{Agent, Mode};
pub use command::{Command, NoticeLevel};
pub use input::Input;
pub use message::{Message, MessageId};
pub use recovered::{LastSeen, PendingEvent, Recovered};
pub use settings::Settings;
pub use stays::{Stay, Stays};
