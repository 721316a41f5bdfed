//! Two statements of one server beside each other.
//!
//! Whoever holds the server's key can write the whole log anew, and a pack alone does not show it. But what was given out
//! before cannot be taken back: an older pack, or the receipts that a PC keeps. [`compare`] looks for what both of them
//! say something about, and whatever they say differently is proof against the server, signed by itself: it wrote its log
//! anew, or an older backup was put in its place. What only one of them speaks of is counted, and nothing follows from it.
//!
//! A server has a log for each contract, deletes what is over, and has a clock that people set. None of these is a
//! contradiction: what is of another contract is not compared, numbers that one side shows as retired may be absent there,
//! and a log that is shorter by a later time is proof only where the longer one shows that the clock never went back
//! ([`length`]).

mod length;

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_ledger::audit::AuditRecord;
use mngntime_ledger::leaf::AuditLeaf;
use mngntime_ledger::log::Passing;
use mngntime_wire::{Context, LogTree, PublicKey, Receipt, Signed};

use crate::format::{AuditLine, Retired};

/// Contradictions that are kept; the others are only counted.
const KEPT: usize = 50;

/// Month and leaf.
type Place = (String, u64);

/// What one of the two says, by its hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Code of the contract whose log it tells of.
    pub contract: String,
    /// Whether nothing of the log up to its heads is left out.
    pub is_everything: bool,
    /// Lines of a file of receipts that are no receipts of this server.
    pub foreign_lines: u64,
    /// Receipts of a file of receipts.
    pub receipts: u64,
    /// Further receipts of this server that are of another contract: they tell of another log.
    pub other_contracts: u64,
    /// Receipts that name no contract and are of a terminal that the pack does not know: which log they tell of is unknown,
    /// so that only their events are there.
    pub unplaced: u64,
    /// Size of each month's newest tree, and when it was signed.
    heads: BTreeMap<String, (u64, i64)>,
    events: BTreeMap<(String, u64), Told>,
    entries: BTreeMap<u64, Told>,
    leaves: BTreeMap<Place, Leaf>,
    /// Roots of trees by month and size, and when the first of the statements about it was signed.
    trees: BTreeMap<Place, BTreeMap<String, i64>>,
    /// First and last missing numbers.
    missing: BTreeMap<String, Vec<(u64, u64)>>,
    /// Numbers that the audit log says were deleted by the retention rule.
    retired: BTreeMap<String, Vec<Retired>>,
}

/// A leaf, and the server's time in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leaf {
    hash: Digest,
    at: i64,
}

/// What is told of an event or an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    digest: Digest,
    place: Option<Place>,
}

/// What two statements of the server say differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contradiction {
    /// About an event.
    Event {
        /// Its terminal.
        terminal: String,
        /// Its number.
        sequence: u64,
        /// What about it.
        how: Difference,
    },
    /// About an entry of the audit log.
    Entry {
        /// Its number.
        number: u64,
        /// What about it.
        how: Difference,
    },
    /// Another leaf stands in a place: another time of receipt, or something else altogether.
    Leaf {
        /// The month.
        month: String,
        /// The place.
        leaf: u64,
    },
    /// Another root of the tree of this size.
    Tree {
        /// The month.
        month: String,
        /// Leaves.
        size: u64,
    },
    /// A tree that was signed later is smaller.
    Shorter {
        /// The month.
        month: String,
        /// Leaves of the tree that was signed first.
        first: u64,
        /// Leaves of the tree that was signed later.
        later: u64,
    },
}

impl Contradiction {
    /// Whether something only stands in another place.
    fn is_moved(&self) -> bool {
        matches!(
            self,
            Self::Event { how: Difference::Place, .. } | Self::Entry { how: Difference::Place, .. }
        )
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
}

/// What it means that one side does not have an event.
enum Absence {
    /// Nothing: it need not have it.
    Silent,
    /// It was deleted by the retention rule.
    Retired,
    /// It should be there.
    Differs(Difference),
}

/// A log that is shorter by a later time, which an honest server's is, too, when its clock was set back in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened {
    /// The month.
    pub month: String,
    /// Leaves of the tree with the earlier time.
    pub first: u64,
    /// Leaves of the tree with the later time.
    pub later: u64,
    /// Whether the records between the two show that the clock was set back; otherwise they are not all shown.
    pub is_set_back: bool,
}

/// What came of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// At most 50 of them.
    pub contradictions: Vec<Contradiction>,
    /// How many there are.
    pub contradiction_count: u64,
    /// Events that are in both.
    pub events: u64,
    /// Entries that are in both.
    pub entries: u64,
    /// Trees of the log that are named by both.
    pub trees: u64,
    /// Trees of the one that were computed from the leaves of the other.
    pub recomputed_trees: u64,
    /// Events, entries and trees of the file that was given for comparison of which the pack says nothing.
    pub uncompared: [u64; 3],
    /// Receipts in that file, and lines in it that are none of this server's.
    pub receipts: [u64; 2],
    /// Receipts in it of another contract, and those of which no contract is known.
    pub other_receipts: [u64; 2],
    /// Events that one of the two has, and that the other one shows as deleted by the retention rule.
    pub retired: u64,
    /// Shorter logs of a later time that prove nothing.
    pub shortened: Vec<Shortened>,
}

impl Contents {
    /// The contents of receipts, one a line, that `key` signed, as far as they are of the contract of `pack`. Those of before
    /// receipts named their contract are of it when the pack knows their terminal, which has one contract for ever.
    #[must_use]
    pub fn of_receipts<'a>(lines: impl Iterator<Item = &'a str>, key: &PublicKey, pack: &Self) -> Self {
        let mut contents = Self { contract: pack.contract.clone(), ..Self::default() };
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            match receipt_of(line, key) {
                Some(Receipt { contract: Some(code), .. }) if code != pack.contract => {
                    contents.other_contracts += 1;
                }
                Some(receipt) => {
                    let is_placed = receipt.contract.is_some() || pack.knows(&receipt.terminal);
                    contents.receipt(&receipt, is_placed);
                }
                None => contents.foreign_lines += 1,
            }
        }
        contents
    }

    fn knows(&self, terminal: &str) -> bool {
        let mut events = self.events.range((terminal.to_owned(), 0)..=(terminal.to_owned(), u64::MAX));
        self.missing.contains_key(terminal) || events.next().is_some()
    }

    /// Of one that is not placed nobody knows in which log its places and trees are.
    fn receipt(&mut self, receipt: &Receipt, is_placed: bool) {
        self.receipts += 1;
        self.unplaced += u64::from(!is_placed);
        for item in receipt.items.iter().filter(|item| item.stored) {
            if let Ok(digest) = Digest::parse(&item.hash) {
                let place = item.log.as_ref().filter(|_| is_placed);
                let place = place.map(|log| (log.month.clone(), log.leaf));
                self.event((&receipt.terminal, item.seq), digest, place);
            }
        }
        if let Some(tree) = receipt.log.as_ref().filter(|_| is_placed) {
            self.tree(tree, receipt.received_at);
        }
    }

    /// An event may have several receipts: one with a place says more.
    pub(crate) fn event(&mut self, (terminal, number): (&str, u64), digest: Digest, place: Option<Place>) {
        let told = self.events.entry((terminal.to_owned(), number));
        let told = told.or_insert_with(|| Told { digest, place: None });
        told.place = told.place.take().or(place);
    }

    pub(crate) fn entry(&mut self, record: &AuditRecord, line: &AuditLine) {
        let (digest, place) = (Digest::of(line.json.as_bytes()), (line.month.clone(), line.leaf));
        self.entries.insert(record.number, Told { digest, place: Some(place.clone()) });
        if let Ok(hash) = AuditLeaf::of(&record.contract, record.number, record.at, digest).hash() {
            self.leaf(place, hash, record.at);
        }
    }

    pub(crate) fn leaf(&mut self, place: Place, hash: Digest, at: i64) {
        self.leaves.insert(place, Leaf { hash, at });
    }

    pub(crate) fn head(&mut self, tree: &LogTree, signed_at: i64) {
        self.heads.insert(tree.month.clone(), (tree.size, signed_at));
        self.tree(tree, signed_at);
    }

    pub(crate) fn tree(&mut self, tree: &LogTree, at: i64) {
        let roots = self.trees.entry((tree.month.clone(), tree.size)).or_default();
        let first = roots.entry(tree.root.clone()).or_insert(at);
        *first = at.min(*first);
    }

    pub(crate) fn missing(&mut self, terminal: &str, ranges: &[(u64, u64)]) {
        self.missing.insert(terminal.to_owned(), ranges.to_vec());
    }

    pub(crate) fn retired(&mut self, terminal: &str, ranges: &[Retired]) {
        self.retired.insert(terminal.to_owned(), ranges.to_vec());
    }

    /// Whether its heads tell of this place.
    fn tells_of(&self, (month, leaf): &Place) -> bool {
        self.heads.get(month).is_some_and(|(size, _)| leaf < size)
    }

    fn is_missing(&self, (terminal, sequence): &(String, u64)) -> bool {
        let ranges = self.missing.get(terminal).map_or(&[][..], Vec::as_slice);
        ranges.iter().any(|(first, last)| (first..=last).contains(&sequence))
    }

    /// Whether the event was deleted with its month. One of another month was not.
    fn is_retired(&self, (terminal, sequence): &(String, u64), place: Option<&Place>) -> bool {
        let ranges = self.retired.get(terminal).map_or(&[][..], Vec::as_slice);
        let is_it = |range: &Retired| {
            (range.first..=range.last).contains(sequence)
                && place.is_none_or(|(month, _)| *month == range.month)
        };
        ranges.iter().any(is_it)
    }

    /// What it means that the event, of which the other one tells this, is absent here.
    fn absence_of(&self, key: &(String, u64), told: &Told) -> Absence {
        let place = told.place.as_ref();
        if self.is_retired(key, place) {
            return Absence::Retired;
        }
        self.absence(place, self.is_missing(key)).map_or(Absence::Silent, Absence::Differs)
    }

    /// How what stands at `place` in the other one can be absent here; nothing when it may be.
    fn absence(&self, place: Option<&Place>, is_missing: bool) -> Option<Difference> {
        place.filter(|place| self.tells_of(place))?;
        if is_missing {
            return Some(Difference::CalledMissing);
        }
        self.is_everything.then_some(Difference::LeftOut)
    }

    /// The roots of the trees of a month with these sizes, as far as all their leaves are here.
    fn roots(&self, month: &str, sizes: &BTreeSet<u64>) -> BTreeMap<u64, Digest> {
        let (mut passing, mut roots) = (Passing::default(), BTreeMap::new());
        for ((_, place), leaf) in self.leaves.range((month.to_owned(), 0)..=(month.to_owned(), u64::MAX)) {
            if *place != passing.size() {
                break;
            }
            drop(passing.append(leaf.hash));
            if sizes.contains(&passing.size()) {
                roots.insert(passing.size(), passing.root());
            }
        }
        roots
    }
}

fn receipt_of(line: &str, key: &PublicKey) -> Option<Receipt> {
    let envelope = Signed::parse(line.as_bytes()).ok()?;
    envelope.check(Context::Receipt, key).ok()?;
    envelope.peek().ok()
}

/// Compares a pack with another pack, or with receipts, of the same contract.
#[must_use]
pub fn compare(pack: &Contents, other: &Contents) -> Comparison {
    let mut work = Work { found: BTreeSet::new(), told: BTreeSet::new(), done: Comparison::default() };
    work.done.receipts = [other.receipts, other.foreign_lines];
    work.done.other_receipts = [other.other_contracts, other.unplaced];
    work.events(pack, other);
    work.entries(pack, other);
    work.leaves(pack, other);
    work.trees(pack, other);
    work.shorter(pack, other);
    work.shorter(other, pack);
    work.done.contradiction_count = work.found.len() as u64;
    let mut found: Vec<_> = work.found.into_iter().collect();
    // What follows from something taken out comes last: everything behind it has moved.
    found.sort_by_key(Contradiction::is_moved);
    found.truncate(KEPT);
    work.done.contradictions = found;
    work.done
}

/// A comparison under way.
struct Work {
    found: BTreeSet<Contradiction>,
    /// Places of which a contradiction tells already.
    told: BTreeSet<Place>,
    done: Comparison,
}

impl Work {
    fn events(&mut self, pack: &Contents, other: &Contents) {
        let mut differ = |(terminal, sequence): &(String, u64), told: &Told, how| {
            self.found.insert(Contradiction::Event { terminal: terminal.clone(), sequence: *sequence, how });
            self.told.extend(told.place.clone());
        };
        for (key, there) in &other.events {
            if let Some(here) = pack.events.get(key) {
                self.done.events += 1;
                if let Some(how) = difference(here, there) {
                    differ(key, there, how);
                }
                continue;
            }
            match pack.absence_of(key, there) {
                Absence::Silent => self.done.uncompared[0] += 1,
                Absence::Retired => self.done.retired += 1,
                Absence::Differs(how) => differ(key, there, how),
            }
        }
        for (key, here) in pack.events.iter().filter(|(key, _)| !other.events.contains_key(*key)) {
            match other.absence_of(key, here) {
                Absence::Silent => {}
                Absence::Retired => self.done.retired += 1,
                Absence::Differs(how) => differ(key, here, how),
            }
        }
    }

    fn entries(&mut self, pack: &Contents, other: &Contents) {
        let mut differ = |number: u64, told: &Told, how| {
            self.found.insert(Contradiction::Entry { number, how });
            self.told.extend(told.place.clone());
        };
        for (number, there) in &other.entries {
            if let Some(here) = pack.entries.get(number) {
                self.done.entries += 1;
                if let Some(how) = difference(here, there) {
                    differ(*number, there, how);
                }
            } else if let Some(how) = pack.absence(there.place.as_ref(), false) {
                differ(*number, there, how);
            } else {
                self.done.uncompared[1] += 1;
            }
        }
        for (number, here) in pack.entries.iter().filter(|(number, _)| !other.entries.contains_key(*number)) {
            if let Some(how) = other.absence(here.place.as_ref(), false) {
                differ(*number, here, how);
            }
        }
    }

    /// What else a leaf says: how and when it came.
    fn leaves(&mut self, pack: &Contents, other: &Contents) {
        for (place, there) in &other.leaves {
            let differs = pack.leaves.get(place).is_some_and(|here| here.hash != there.hash);
            if differs && !self.told.contains(place) {
                let (month, leaf) = place.clone();
                self.found.insert(Contradiction::Leaf { month, leaf });
            }
        }
    }

    fn trees(&mut self, pack: &Contents, other: &Contents) {
        let months: BTreeSet<&String> = pack.trees.keys().chain(other.trees.keys()).map(|(m, _)| m).collect();
        for month in months {
            let sizes = |contents: &Contents| -> BTreeSet<u64> {
                let trees = contents.trees.keys().filter(|(of, _)| of == month);
                trees.map(|(_, size)| *size).collect()
            };
            let (here, there) = (sizes(pack), sizes(other));
            let computed = [pack.roots(month, &there), other.roots(month, &here)];
            for size in here.union(&there) {
                let place = (month.clone(), *size);
                // Also of one file: it may contradict itself.
                let named = [pack.trees.get(&place), other.trees.get(&place)];
                if self.tree(named, computed.each_ref().map(|roots| roots.get(size))).is_none() {
                    self.found.insert(Contradiction::Tree { month: month.clone(), size: *size });
                }
            }
        }
    }

    /// One size; nothing when what is said of it differs.
    fn tree(
        &mut self,
        named: [Option<&BTreeMap<String, i64>>; 2],
        [from_pack, from_other]: [Option<&Digest>; 2],
    ) -> Option<()> {
        let [here, there] = named;
        let is_named_by_both = here.is_some() && there.is_some();
        // What one of them computes from its leaves counts for what the other one names.
        let computed = there.and(from_pack).or(here.and(from_other));
        if is_named_by_both {
            self.done.trees += 1;
        } else if computed.is_some() {
            self.done.recomputed_trees += 1;
        } else if there.is_some() {
            self.done.uncompared[2] += 1;
        }
        let mut roots: BTreeSet<String> =
            named.into_iter().flatten().flat_map(|roots| roots.keys().cloned()).collect();
        roots.extend(computed.map(ToString::to_string));
        (roots.len() <= 1).then_some(())
    }
}

fn difference(here: &Told, there: &Told) -> Option<Difference> {
    if here.digest != there.digest {
        return Some(Difference::Bytes);
    }
    let differs = here.place.as_ref().zip(there.place.as_ref()).is_some_and(|(here, there)| here != there);
    differs.then_some(Difference::Place)
}

#[cfg(test)]
mod tests;
