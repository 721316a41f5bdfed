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
//! providers and were compared by hand with real exported records, which are not in this repository:
//! Windows Vista to 11 (build 26200) and Windows Server 2008 R2 to 2019. The document says which event of
//! which version, and what differed.

mod merge;
mod query;
mod reading;
mod record;
mod xml;

pub use merge::{Accounts, merge};
pub use query::expressions;
pub use reading::{ChannelRead, ReadEnd, assemble};
pub use record::{LogRecord, RecordedFact, RecordedSession, windows_name};
