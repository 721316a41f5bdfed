//! What the terminal was given when it was enrolled, and whose receipts count for it.

use mngntime_wire::PublicKey;
use serde::{Deserialize, Serialize};

/// What enrolment gave this terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrollment {
    /// 契約主コード it was made with.
    pub contract: String,
    /// Server it was made with.
    pub server_url: String,
    /// The terminal's id.
    pub terminal: String,
    /// The server's pinned public key, base64.
    pub server_key: String,
    /// The server's display name.
    pub display_name: String,
    /// The terminal's own public key; absent in enrolments of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

impl Enrollment {
    /// Whether what `before` was given receipts for is this one's: the same terminal, or one that the same
    /// server made anew of the same key, as it does when it was restored from a backup without it.
    #[must_use]
    pub fn goes_on_from(&self, before: &Self) -> bool {
        let same_key = self.public_key.is_some() && self.public_key == before.public_key;
        self.server_key == before.server_key
            && self.contract == before.contract
            && (self.terminal == before.terminal || same_key)
    }
}

/// Terminals that this PC has been, each with the key of its server, newest last. A receipt counts when it is signed
/// by the server of the terminal that it names: one that a full disk refused may be written after the next enrolment.
#[derive(Debug, Default)]
pub(super) struct Servers(Vec<(String, PublicKey)>);

impl Servers {
    pub(super) fn add(&mut self, enrollment: &Enrollment) {
        let Ok(key) = PublicKey::parse(&enrollment.server_key) else { return };
        let pair = (enrollment.terminal.clone(), key);
        if self.0.last() != Some(&pair) {
            self.0.retain(|known| *known != pair);
            self.0.push(pair);
        }
    }

    /// The keys, newest first, each once.
    pub(super) fn keys(&self) -> Vec<PublicKey> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for (_, key) in self.0.iter().rev() {
            if !keys.contains(key) {
                keys.push(*key);
            }
        }
        keys
    }

    /// Whether this PC has been this terminal of the server with this key.
    pub(super) fn has(&self, terminal: &str, key: &PublicKey) -> bool {
        self.0.iter().any(|(its, of)| its == terminal && of == key)
    }
}
