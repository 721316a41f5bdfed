//! Enrolment keys: what lets a PC become a terminal, for how long and for how many.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::{Act, Answer, KeyHash};
use crate::ContractId;

/// Enrolment keys a contract may have, those that have ended included: every enrolment is compared with all of
/// them.
pub const ENROLLMENT_KEYS_MAX: usize = 200;

/// Longest label, in characters.
pub const LABEL_MAX: usize = 64;

/// A key to be made. The secret itself never reaches the store.
#[derive(Debug, Clone)]
pub struct NewEnrollmentKey {
    /// Its hash.
    pub hash: KeyHash,
    /// What it is for, at most [`LABEL_MAX`] characters.
    pub label: String,
    /// From when on it opens nothing; never when absent.
    pub expires_at: Option<UtcMillis>,
    /// How many PCs may become terminals by it; any number when absent.
    pub uses_max: Option<u64>,
}

/// Why a key of the contract opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEnd {
    /// A person has revoked it.
    Revoked,
    /// Its time is over.
    Expired,
    /// As many PCs as it was made for have used it.
    UsedUp,
}

/// An enrolment key, without anything that would open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentKey {
    /// How people name it, unique in the contract.
    pub number: u64,
    /// What it is for; empty for keys made on the command line.
    pub label: String,
    /// Who made it, as in [`Act::by`]; empty for keys of before that was kept.
    pub made_by: String,
    /// When it was made.
    pub created_at: UtcMillis,
    /// From when on it opens nothing.
    pub expires_at: Option<UtcMillis>,
    /// How many PCs have become terminals by it.
    pub uses: u64,
    /// How many may.
    pub uses_max: Option<u64>,
    /// When it was last used, to enrol again included.
    pub last_used_at: Option<UtcMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UtcMillis>,
}

impl EnrollmentKey {
    /// Why it opens nothing for a new PC at `now`; `None` when it does open.
    #[must_use]
    pub fn end(&self, now: UtcMillis) -> Option<KeyEnd> {
        if self.revoked_at.is_some() {
            Some(KeyEnd::Revoked)
        } else if self.expires_at.is_some_and(|end| end.0 <= now.0) {
            Some(KeyEnd::Expired)
        } else if self.uses_max.is_some_and(|most| self.uses >= most) {
            Some(KeyEnd::UsedUp)
        } else {
            None
        }
    }
}

/// Enrolment keys of a contract.
#[async_trait]
pub trait EnrollmentKeys: Send + Sync {
    /// All keys, the newest first.
    async fn list_enrollment_keys(&self, contract: ContractId) -> Answer<Vec<EnrollmentKey>>;
    /// Makes a key; returns its number. One that is there already stays as it is: the same form may come twice.
    async fn make_enrollment_key(&self, contract: ContractId, new: NewEnrollmentKey, act: Act)
    -> Answer<u64>;
    /// Makes a key in place of `number`, which ends at `old_ends_at` unless it ends earlier; returns the new one's
    /// number. When the new one is there already, nothing changes.
    async fn rotate_enrollment_key(
        &self,
        contract: ContractId,
        number: u64,
        new: NewEnrollmentKey,
        old_ends_at: UtcMillis,
        act: Act,
    ) -> Answer<u64>;
    /// Revokes one key. One that is revoked already stays as it is.
    async fn revoke_enrollment_key(&self, contract: ContractId, number: u64, act: Act) -> Answer<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_its_time_with_its_last_pc_and_when_it_is_revoked() {
        let key = EnrollmentKey {
            number: 1,
            label: String::new(),
            made_by: String::new(),
            created_at: UtcMillis(0),
            expires_at: Some(UtcMillis(100)),
            uses: 1,
            uses_max: Some(2),
            last_used_at: None,
            revoked_at: None,
        };
        assert_eq!(key.end(UtcMillis(99)), None);
        assert_eq!(key.end(UtcMillis(100)), Some(KeyEnd::Expired));
        let used = EnrollmentKey { uses: 2, ..key.clone() };
        assert_eq!(used.end(UtcMillis(99)), Some(KeyEnd::UsedUp));
        let revoked = EnrollmentKey { revoked_at: Some(UtcMillis(1)), ..key };
        assert_eq!(revoked.end(UtcMillis(100)), Some(KeyEnd::Revoked), "the person's word comes first");
    }
}
