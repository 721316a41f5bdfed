//! The OS's own logs: none that this agent reads. The core then infers what it can.
//!
//! logind's records in the system journal could serve (windows.md 7); until they are read, absence is
//! declared as a gap.

use anyhow::bail;
use mngntime_agent_core::log::{LogPosition, LogReading, LogWanted};

/// Always an error.
///
/// # Errors
/// On Linux no log is read.
pub fn read_log(_wanted: &LogWanted) -> anyhow::Result<LogReading> {
    bail!("no log of this system is read to find sessions of the past")
}

/// Nothing changes.
#[must_use]
pub fn log_positions(known: &[LogPosition]) -> Vec<LogPosition> {
    known.to_vec()
}
