//! What the world asks of a server: bytes in, bytes out, and the truth about what it holds.
//!
//! The server depends on this crate (for `mngntime sim`), so the real one is wired up outside, in
//! `tests/worlds/server.rs`.

use mngntime_agent::transport::Reply;
use mngntime_model::UtcMillis;

/// Where terminals enrol.
#[derive(Debug, Clone)]
pub struct Site {
    /// 契約主コード.
    pub contract: String,
    /// Its enrolment key.
    pub enrollment_key: String,
}

/// A server, asked through its front door, and its store, looked at from behind.
pub trait ServerSide {
    /// Where to enrol.
    fn site(&self) -> Site;
    /// Posts JSON at a time of its clock.
    ///
    /// # Errors
    /// When there is no answer at all.
    fn post(&mut self, path: &str, body: &str, now: UtcMillis) -> anyhow::Result<Reply>;
    /// Ends the server and starts another on what it stored.
    ///
    /// # Errors
    /// When it does not start.
    fn restart(&mut self) -> anyhow::Result<()>;
    /// Copies everything that it has stored; the copy before is gone.
    ///
    /// # Errors
    /// When it cannot be copied.
    fn keep_copy(&mut self) -> anyhow::Result<()>;
    /// Ends the server and starts another on the copy, with the same key.
    ///
    /// # Errors
    /// When there is no copy, or it does not start.
    fn put_back(&mut self) -> anyhow::Result<()>;
    /// Number and bytes of each stored event of a terminal with a number in the range, ascending.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn stored(&mut self, terminal: &str, first: u64, last: u64) -> anyhow::Result<Vec<(u64, String)>>;
    /// Whether the terminal's page says that two lives of it, or two PCs, have met here.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_marked(&mut self, terminal: &str) -> anyhow::Result<bool>;
}
