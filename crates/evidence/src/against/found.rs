//! What comes of a comparison.

use std::collections::{BTreeMap, BTreeSet};

/// Numbers or places in a row: whatever either of the two tells of between the first and the last is of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many they are.
    pub count: u64,
}

/// What two statements of the server say differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contradiction {
    /// Another public key of a terminal.
    Key {
        /// Its id.
        terminal: String,
    },
    /// About events of a terminal.
    Events {
        /// Its id.
        terminal: String,
        /// Their numbers.
        run: Run,
        /// What about them.
        how: Difference,
    },
    /// About entries of the audit log.
    Entries {
        /// Their numbers.
        run: Run,
        /// What about them.
        how: Difference,
    },
    /// Other results under the same numbers.
    Results {
        /// The terminal.
        terminal: String,
        /// The events' numbers.
        run: Run,
    },
    /// Other leaves stand in these places: another time of receipt, or something else altogether.
    Leaves {
        /// The month.
        month: String,
        /// The places.
        run: Run,
    },
    /// Two different things stand in each of these places.
    Occupied {
        /// The month.
        month: String,
        /// The places.
        run: Run,
    },
    /// Another hash of a part of the log, by the proofs of what is beside it.
    Part {
        /// The month.
        month: String,
        /// Its first place.
        first: u64,
        /// Its places.
        count: u64,
    },
    /// Another root of the tree of this size.
    Tree {
        /// The month.
        month: String,
        /// Leaves.
        size: u64,
    },
    /// A month that is over went on.
    Ended {
        /// The month.
        month: String,
        /// Leaves that it has for ever by one of them.
        ended: u64,
        /// Leaves that are told of.
        told: u64,
    },
    /// A pack that was made later ends earlier.
    Shorter {
        /// The month.
        month: String,
        /// Leaves of the tree that was signed first.
        first: u64,
        /// Leaves of it that the pack tells of.
        later: u64,
    },
}

impl Contradiction {
    /// Whether something only stands in another place.
    pub(super) fn is_moved(&self) -> bool {
        matches!(
            self,
            Self::Events { how: Difference::Place, .. } | Self::Entries { how: Difference::Place, .. }
        )
    }

    /// How many differences it stands for.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Events { run, .. }
            | Self::Entries { run, .. }
            | Self::Results { run, .. }
            | Self::Occupied { run, .. }
            | Self::Leaves { run, .. } => run.count,
            Self::Key { .. }
            | Self::Part { .. }
            | Self::Tree { .. }
            | Self::Ended { .. }
            | Self::Shorter { .. } => 1,
        }
    }
}

/// What is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The bytes.
    Bytes,
    /// The place in the log.
    Place,
    /// One has it, the other calls it missing.
    CalledMissing,
    /// One has it, the other, which should have everything, has not.
    LeftOut,
    /// One has it, the other says that what was deleted under its number happened at other times.
    Retired,
}

/// A pack that ends before what the other one tells of, and no proof against the server by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened {
    /// Whether it is the pack that ends before the file it is compared with; otherwise that file, which is a pack, too.
    pub is_pack: bool,
    /// The month up to which the longer one goes.
    pub month: String,
    /// Leaves of it in the longer one.
    pub first: u64,
    /// Leaves of it in the shorter one.
    pub later: u64,
    /// What that may come of.
    pub why: Length,
}

/// Why a log is shorter in one of two packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// It was made before what the longer one has more.
    Older,
    /// It was made after that by the server's clock, and the longer one shows that the clock was as far as that and went back.
    SetBack,
    /// It was made after that by the server's clock, and nothing decides whether the clock went back or the end was cut off.
    Unclear,
}

/// An entry that says that the data were put back from a backup, UTC milliseconds by the server's clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restore {
    /// When.
    pub at: i64,
    /// When the backup had been made.
    pub backup_made_at: Option<i64>,
    /// Month and size of the newest tree that was signed in it: what came before it this restore does not change.
    pub tree: Option<(String, u64)>,
}

/// What came of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// At most 50 of them.
    pub contradictions: Vec<Contradiction>,
    /// How many differences there are: each event and each entry counts.
    pub contradiction_count: u64,
    /// How many of these are not named.
    pub unnamed: u64,
    /// Events that are in both.
    pub events: u64,
    /// Entries that are in both.
    pub entries: u64,
    /// Trees of the log that are named by both.
    pub trees: u64,
    /// Trees of the one that were computed from the leaves of the other.
    pub recomputed_trees: u64,
    /// Parts of the log that proofs show, and of which both tell.
    pub parts: u64,
    /// Terminals that are in both, and results.
    pub others: [u64; 2],
    /// Events, entries and trees of the file that was given for comparison that could not be compared, since one of the two
    /// says nothing of them that could be.
    pub uncompared: [u64; 3],
    /// Receipts in that file, and lines in it that are none of this server's.
    pub receipts: [u64; 2],
    /// Receipts in it of another contract, and those of which no contract is known.
    pub other_receipts: [u64; 2],
    /// Events that one of the two has, and that the other one shows as deleted by the retention rule.
    pub retired: u64,
    /// Events that one of the two calls missing, and that a receipt calls stored without saying when it was in the log.
    pub called_missing: u64,
    /// Events of which a receipt has an earlier time than the pack's log, by over five minutes.
    pub early_receipts: u64,
    /// Results of events that both show, and that the pack with the longer log does not have any more.
    pub results_gone: u64,
    /// Shorter logs that prove nothing.
    pub shortened: Vec<Shortened>,
    /// Host names of the terminals, as either of the two has them.
    pub hosts: BTreeMap<String, String>,
    /// When either of the two notes that the data were put back from a backup.
    pub restores: BTreeSet<Restore>,
    /// How many contradictions lie before the trees of all of these, so that none of them explains it; nothing when there is no
    /// restore, or one names no tree.
    pub unexplained: Option<u64>,
}
