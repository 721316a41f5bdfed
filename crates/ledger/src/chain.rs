//! The chain of one terminal's events.

use crate::Digest;

/// Where a chain stands: the last event's number and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Number of the last event; 0 before the first.
    pub sequence: u64,
    /// Digest of the last event; [`Digest::GENESIS`] before the first.
    pub head: Digest,
}

/// How the next event fails to continue the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// Numbers are missing before this event.
    #[error("events {first} to {last} are missing")]
    Missing {
        /// First missing number.
        first: u64,
        /// Last missing number.
        last: u64,
    },
    /// The number has been used before.
    #[error("event {sequence} repeats a number that the chain has passed")]
    Repeated {
        /// The repeated number.
        sequence: u64,
    },
    /// The event names another predecessor than the one that is there.
    #[error("event {sequence} names a predecessor with digest {claimed}, but the one before it has {actual}")]
    WrongPredecessor {
        /// Number of the event.
        sequence: u64,
        /// The digest it names.
        claimed: Digest,
        /// The digest of the event before it.
        actual: Digest,
    },
}

impl Default for Chain {
    fn default() -> Self {
        Self { sequence: 0, head: Digest::GENESIS }
    }
}

impl Chain {
    /// Moves the chain past an event, and says whether the event continued it. The chain moves in either
    /// case: a break is reported once and does not condemn everything after it (promise P7).
    ///
    /// # Errors
    /// The [`ChainBreak`] at this event.
    pub fn follow(&mut self, sequence: u64, previous: Digest, digest: Digest) -> Result<(), ChainBreak> {
        let before = *self;
        if sequence <= before.sequence {
            return Err(ChainBreak::Repeated { sequence });
        }
        *self = Self { sequence, head: digest };
        if sequence > before.sequence + 1 {
            return Err(ChainBreak::Missing { first: before.sequence + 1, last: sequence - 1 });
        }
        if previous != before.head {
            return Err(ChainBreak::WrongPredecessor { sequence, claimed: previous, actual: before.head });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u64) -> Digest {
        Digest::of(&n.to_be_bytes())
    }

    #[test]
    fn an_unbroken_chain_is_followed_from_genesis() {
        let mut chain = Chain::default();
        assert_eq!(chain.follow(1, Digest::GENESIS, digest(1)), Ok(()));
        assert_eq!(chain.follow(2, digest(1), digest(2)), Ok(()));
        assert_eq!(chain, Chain { sequence: 2, head: digest(2) });
    }

    #[test]
    fn a_hole_is_named_and_does_not_condemn_what_follows() {
        let mut chain = Chain::default();
        assert_eq!(chain.follow(3, digest(2), digest(3)), Err(ChainBreak::Missing { first: 1, last: 2 }));
        assert_eq!(chain.follow(4, digest(3), digest(4)), Ok(()));
    }

    #[test]
    fn a_changed_predecessor_and_a_repeated_number_are_seen() {
        let mut chain = Chain { sequence: 1, head: digest(1) };
        assert!(matches!(
            chain.follow(2, digest(9), digest(2)),
            Err(ChainBreak::WrongPredecessor { sequence: 2, .. })
        ));
        assert_eq!(chain.follow(2, digest(1), digest(2)), Err(ChainBreak::Repeated { sequence: 2 }));
        assert_eq!(chain.sequence, 2, "a repeated number does not move the chain");
    }
}
