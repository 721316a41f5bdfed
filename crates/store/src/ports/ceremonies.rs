//! What is remembered between the two halves of a ceremony: adding a passkey, signing in with one, and a sign-in that is
//! at another provider meanwhile.
//!
//! It stands in the store, so that the answer may come to another node than the question went out from, or to a server
//! that was restarted. The store sees a digest of the ceremony's name, as the cookie has it: who reads the database alone
//! ends no ceremony of somebody else.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::Answer;

/// Ceremonies of one kind at the same time. Anybody may begin one: beyond it the oldest go, so that the table stays small.
pub const CEREMONIES_MAX: u32 = 2_000;

/// Which ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CeremonyKind {
    /// A passkey is added.
    PasskeyAdded,
    /// Somebody signs in with a passkey.
    PasskeySignIn,
    /// Somebody signs in with another provider.
    Provider,
}

impl CeremonyKind {
    /// Its word at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::Provider => "provider",
        }
    }
}

/// A ceremony that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCeremony {
    /// Digest of its name.
    pub name: String,
    /// Which one.
    pub kind: CeremonyKind,
    /// What its end needs, as the server writes it.
    pub state: Vec<u8>,
    /// When it began.
    pub begun_at: UtcMillis,
    /// From when on it counts no more.
    pub ends_at: UtcMillis,
}

/// Ceremonies.
#[async_trait]
pub trait Ceremonies: Send + Sync {
    /// Remembers a ceremony. What has ended goes; of more than [`CEREMONIES_MAX`] of its kind the oldest go.
    async fn begin_ceremony(&self, new: NewCeremony) -> Answer<()>;
    /// Takes a ceremony out, whatever comes of it: it counts once, at whichever node. `None` when there is none (any more).
    async fn take_ceremony(
        &self,
        kind: CeremonyKind,
        name: String,
        now: UtcMillis,
    ) -> Answer<Option<Vec<u8>>>;
}
