//! Which key signs what the store holds. The key itself lies in a file beside it, on each node; here stands its public half,
//! so that a node with another one is found out before it signs anything.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::Answer;

/// The one key.
#[async_trait]
pub trait SigningKey: Send + Sync {
    /// The public key that is remembered; absent in a new store, and in one of a version that remembered none.
    async fn signing_key(&self) -> Answer<Option<String>>;
    /// Remembers `key` for good, when none is yet. Answers the one that is remembered now, which of two nodes that start
    /// together is that of the first.
    async fn remember_signing_key(&self, key: String, at: UtcMillis) -> Answer<String>;
}
