//! When a connection to PostgreSQL forgets the plans of its statements.
//!
//! PostgreSQL keeps a prepared statement's plan, and that of each check of a reference, until somebody analyses the table. A
//! plan made while a table was empty takes any index that begins with the contract, for all of them cost the same then: a
//! look-up of one PC reads all PCs of its contract, until autovacuum comes by, a minute or so later. On the morning of a
//! roll-out that is too late. So the plans are made anew each time a connection has been used twice as often as at the time
//! before: for tables as large as they have become, which PostgreSQL sees from their files, analysed or not.

use std::cell::Cell;

/// Uses before the first time.
const FIRST: u64 = 64;

/// Uses between two times, at most: whatever a connection has done before, an hour of punches counts.
const BETWEEN_MAX: u64 = 100_000;

/// What one connection has done.
#[derive(Debug)]
pub(super) struct Planning {
    used: Cell<u64>,
    due_at: Cell<u64>,
}

impl Default for Planning {
    fn default() -> Self {
        Self { used: Cell::new(0), due_at: Cell::new(FIRST) }
    }
}

impl Planning {
    /// Counts a use; whether the plans are to be forgotten before it.
    pub(super) fn is_due(&self) -> bool {
        let used = self.used.get() + 1;
        self.used.set(used);
        let is_due = used >= self.due_at.get();
        if is_due {
            self.due_at.set(used + used.min(BETWEEN_MAX));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_forgotten_at_twice_the_uses_and_then_at_steady_distances() {
        let planning = Planning::default();
        let due: Vec<u64> = (1..=400_000).filter(|_| planning.is_due()).collect();
        assert_eq!(due[..4], [64, 128, 256, 512]);
        assert_eq!(due[10..], [65_536, 131_072, 231_072, 331_072]);
    }
}
