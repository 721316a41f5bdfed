//! What can go wrong with the journal.

use std::io;

use mngntime_wire::InvalidEvent;

/// Why the journal could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk failed.
    #[error("cannot {operation} {name}")]
    Disk {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        name: String,
        /// What the OS said.
        #[source]
        source: io::Error,
    },
    /// The event breaks a limit of the contract.
    #[error("event {sequence} cannot be encoded")]
    Encode {
        /// Its number.
        sequence: u64,
        /// Which limit.
        #[source]
        source: InvalidEvent,
    },
    /// No such event is waiting.
    #[error("event {0} is not in the journal")]
    Unknown(u64),
    /// What is on disk now is not what was written.
    #[error("event {0} cannot be read back as it was written")]
    Unreadable(u64),
}

impl JournalError {
    pub(crate) fn disk(operation: &'static str, name: &str, source: io::Error) -> Self {
        Self::Disk { operation, name: name.to_owned(), source }
    }
}
