//! The OS's own logs: from the XML of single events to one reading for the core. Pure, on every platform.
//!
//! | file | what |
//! |---|---|
//! | `xml` | one rendered event, taken apart within bounds |
//! | `record` | what a record says: by channel, provider and event number |
//! | `query` | which records are asked for |
//! | `merge` | several records of one thing become one fact |
//! | `reading` | all channels together: facts, gaps, positions |
//!
//! The platform reads the channels (`platform/windows/os_log.rs`); `docs/windows/back-fill.md` lists what is
//! read and why.
//!
//! # Where the shapes come from
//! The records in `fixtures/` are our own. They are built from the schemas that Windows publishes for its
//! providers and were compared by hand with real exported records of 2008 to 2026, which are not in this
//! repository: among them Windows 10 builds 15063, 17134, 19041 and 19044 and Windows 11 build 26200. The
//! document says which event of which version, what differed, and what was not found.

mod merge;
mod query;
mod reading;
mod record;
mod xml;

pub use merge::{Accounts, merge};
pub use query::expressions;
pub use reading::{ChannelRead, ReadEnd, assemble};
pub use record::{LogRecord, RecordedFact, RecordedSession, power_on, windows_name};
