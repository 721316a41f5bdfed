//! Two statements of one server beside each other.
//!
//! Whoever holds the server's key can write the whole log anew, and a pack alone does not show it. But what was given out
//! before cannot be taken back: an older pack, or the receipts that a PC keeps. [`compare`] looks for what both of them
//! say something about, and whatever they say differently is proof against the server, signed by itself: it wrote its log
//! anew, or an older backup was put in its place. What only one of them speaks of is counted, and nothing follows from it,
//! unless the other one says that there is nothing: a month that is over ([`ends`]), and a pack about everything, or one
//! that calls a number missing, up to its newest head.
//!
//! A server has a log for each contract, deletes what is over, and has a clock that people set. None of these is a
//! contradiction: what is of another contract is not compared, numbers that one side shows as retired may be absent there,
//! and a log that is shorter by a later time is proof only where the longer one shows that the clock never went back
//! ([`length`]).

mod ends;
mod found;
mod length;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_ledger::audit::AuditRecord;
use mngntime_ledger::leaf::AuditLeaf;
use mngntime_ledger::log::Passing;
use mngntime_wire::{Context, LogHead, LogTree, PublicKey, Receipt, Signed};
use serde::Deserialize;

use crate::format::{AuditLine, Judgement, Retired, Terminal};
pub use found::{Comparison, Contradiction, Difference, Length, Restore, Run, Shortened};
pub use work::compare;

/// Month and leaf, or month and size of a tree.
type Place = (String, u64);

/// The action that says that the data were put back from a backup.
const RESTORED: &str = "restored_from_backup";

/// What that entry tells of the backup.
#[derive(Deserialize)]
struct Backup {
    backup_made_at: Option<i64>,
}

/// What one of the two says, by its hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Code of the contract whose log it tells of.
    pub contract: String,
    /// Whether nothing of the log up to its heads is left out.
    pub is_everything: bool,
    /// When it was made: it shows the newest head of that moment. Receipts are of many moments.
    pub made_at: Option<i64>,
    /// Lines of a file of receipts that are no receipts of this server.
    pub foreign_lines: u64,
    /// Receipts of a file of receipts.
    pub receipts: u64,
    /// Further receipts of this server that are of another contract: they tell of another log.
    pub other_contracts: u64,
    /// Receipts that name no contract and are of a terminal that the pack does not know: which log they tell of is unknown,
    /// so that only their events are there.
    pub unplaced: u64,
    /// The newest head of each month.
    heads: BTreeMap<String, Head>,
    events: BTreeMap<(String, u64), Told>,
    entries: BTreeMap<u64, Told>,
    leaves: BTreeMap<Place, Leaf>,
    /// Roots of trees by month and size.
    trees: BTreeMap<Place, BTreeSet<String>>,
    /// Sizes that the log is known to have had, and when the first of the statements about each was signed.
    reached: BTreeMap<Place, i64>,
    /// First and last missing numbers.
    missing: BTreeMap<String, Vec<(u64, u64)>>,
    /// Numbers that the audit log says were deleted by the retention rule.
    retired: BTreeMap<String, Vec<Retired>>,
    /// Host names and public keys.
    terminals: BTreeMap<String, (String, String)>,
    /// Digests of results, by terminal, number and the result's own number.
    results: BTreeMap<(String, u64, u64), Digest>,
    /// When its audit log says that the data were put back from a backup.
    restores: BTreeSet<Restore>,
}

/// What a head says of the months.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    size: u64,
    closed: bool,
    previous: Option<Place>,
}

/// A leaf, and the server's time in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leaf {
    hash: Digest,
    at: i64,
}

/// What is told of an event or an entry: in an honest server's words one digest, and one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    digests: Vec<Digest>,
    places: Vec<Place>,
    /// The first time that is told with these.
    at: Option<i64>,
    /// Digests that a receipt calls stored without a place, and when.
    placeless: Vec<(Digest, i64)>,
}

impl Told {
    fn add(&mut self, digest: Digest, place: Option<Place>, at: i64) {
        if !self.digests.contains(&digest) {
            self.digests.push(digest);
        }
        if let Some(place) = place.filter(|place| !self.places.contains(place)) {
            self.places.push(place);
        }
        self.at = Some(self.at.map_or(at, |first| first.min(at)));
    }
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
        self.terminals.contains_key(terminal) || events.next().is_some()
    }

    /// Of one that is not placed nobody knows in which log its places and trees are.
    fn receipt(&mut self, receipt: &Receipt, is_placed: bool) {
        self.receipts += 1;
        self.unplaced += u64::from(!is_placed);
        for item in receipt.items.iter().filter(|item| item.stored) {
            let Ok(digest) = Digest::parse(&item.hash) else { continue };
            let key = (receipt.terminal.clone(), item.seq);
            // A server that names trees gives a place to whatever it stores, and none to what it has deleted.
            if item.log.is_none() && receipt.log.is_some() {
                self.events.entry(key).or_default().placeless.push((digest, receipt.received_at));
                continue;
            }
            let place = item.log.as_ref().filter(|_| is_placed);
            let place = place.map(|log| (log.month.clone(), log.leaf));
            if let Some((month, leaf)) = &place {
                self.reach(month, leaf.saturating_add(1), receipt.received_at);
            }
            self.events.entry(key).or_default().add(digest, place, receipt.received_at);
        }
        if let Some(tree) = receipt.log.as_ref().filter(|_| is_placed) {
            self.tree(tree, receipt.received_at);
        }
    }

    /// An event in its place, and when it was received.
    pub(crate) fn event(&mut self, (terminal, number): (&str, u64), digest: Digest, place: Place, at: i64) {
        self.events.entry((terminal.to_owned(), number)).or_default().add(digest, Some(place), at);
    }

    pub(crate) fn entry(&mut self, record: &AuditRecord, line: &AuditLine) {
        let (digest, place) = (Digest::of(line.json.as_bytes()), (line.month.clone(), line.leaf));
        self.entries.entry(record.number).or_default().add(digest, Some(place.clone()), record.at);
        if let Ok(hash) = AuditLeaf::of(&record.contract, record.number, record.at, digest).hash() {
            self.leaf(place, hash, record.at);
        }
        if record.action == RESTORED {
            let backup_made_at = record.told::<Backup>().and_then(|backup| backup.backup_made_at);
            self.restores.insert(Restore { at: record.at, backup_made_at });
        }
    }

    pub(crate) fn leaf(&mut self, place: Place, hash: Digest, at: i64) {
        self.leaves.insert(place, Leaf { hash, at });
    }

    /// What a head says of its month, and of the last one before it that has leaves.
    pub(crate) fn head(&mut self, head: &LogHead) {
        let previous = head.previous.as_ref().map(|tree| (tree.month.clone(), tree.size));
        let told = Head { size: head.tree.size, closed: head.closed, previous };
        self.heads.insert(head.tree.month.clone(), told);
        for tree in std::iter::once(&head.tree).chain(&head.previous) {
            self.tree(tree, head.signed_at);
        }
    }

    pub(crate) fn tree(&mut self, tree: &LogTree, at: i64) {
        self.trees.entry((tree.month.clone(), tree.size)).or_default().insert(tree.root.clone());
        self.reach(&tree.month, tree.size, at);
    }

    fn reach(&mut self, month: &str, size: u64, at: i64) {
        let first = self.reached.entry((month.to_owned(), size)).or_insert(at);
        *first = at.min(*first);
    }

    pub(crate) fn terminal(&mut self, line: &Terminal) {
        let told = (line.host_name.clone(), line.public_key.clone());
        self.terminals.insert(line.id.clone(), told);
    }

    pub(crate) fn result(&mut self, terminal: &str, line: &Judgement) {
        if let Ok(text) = serde_json::to_string(line) {
            let key = (terminal.to_owned(), line.seq, line.number);
            self.results.insert(key, Digest::of(text.as_bytes()));
        }
    }

    pub(crate) fn missing(&mut self, terminal: &str, ranges: &[(u64, u64)]) {
        self.missing.insert(terminal.to_owned(), ranges.to_vec());
    }

    pub(crate) fn retired(&mut self, terminal: &str, ranges: &[Retired]) {
        self.retired.insert(terminal.to_owned(), ranges.to_vec());
    }

    /// Where the newest of its heads ends: the month, and the leaf that would be the next one.
    fn end(&self) -> Option<Place> {
        let (month, head) = self.heads.iter().next_back()?;
        Some((month.clone(), head.size))
    }

    fn is_missing(&self, (terminal, sequence): &(String, u64)) -> bool {
        let ranges = self.missing.get(terminal).map_or(&[][..], Vec::as_slice);
        ranges.iter().any(|(first, last)| (first..=last).contains(&sequence))
    }

    /// Whether the event was deleted with its month. One of another month was not.
    fn is_retired(&self, (terminal, sequence): &(String, u64), places: &[Place]) -> bool {
        let ranges = self.retired.get(terminal).map_or(&[][..], Vec::as_slice);
        let is_it = |range: &Retired| {
            (range.first..=range.last).contains(sequence)
                && places.iter().all(|(month, _)| *month == range.month)
        };
        ranges.iter().any(is_it)
    }

    /// What it means that the event, of which the other one tells this, is absent here.
    fn absence_of(&self, key: &(String, u64), told: &Told) -> Absence {
        if self.is_retired(key, &told.places) {
            return Absence::Retired;
        }
        self.absence(&told.places, self.is_missing(key)).map_or(Absence::Silent, Absence::Differs)
    }

    /// How what stands in one of these places in the other one can be absent here; nothing when it may be. Up to its newest
    /// head a pack about everything leaves nothing out, and whatever it is about, it says what it calls missing of that time.
    fn absence(&self, places: &[Place], is_missing: bool) -> Option<Difference> {
        let end = self.end()?;
        places.iter().any(|place| *place < end).then_some(())?;
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

#[cfg(test)]
mod tests;
