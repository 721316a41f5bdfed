//! Two statements of one server beside each other.
//!
//! Whoever holds the server's key can write the whole log anew, and a pack alone does not show it. But what was given out
//! before cannot be taken back: an older pack, or the receipts that a PC keeps. [`compare`] looks for what both of them
//! say of the log, of keys and of results, and what they say differently is proof against the server, signed by itself: it
//! changed what it had given out, or an older backup was put in its place. Two packs about different people share parts of the
//! log that only their proofs show ([`nodes`]). What only one of them speaks of is counted, and nothing follows from it,
//! unless the other one says that there is nothing: a month that is over ([`ends`]), and a pack about everything, or one
//! that calls a number missing, up to its newest head. Names, links, marks and the time of an enrolment are not compared: each
//! pack holds against the entries that note them, and those are.
//!
//! A server has a log for each contract, deletes what is over, and has a clock that people set. None of these is a
//! contradiction: what is of another contract is not compared, numbers that one side shows as retired may be absent there,
//! and a log that is shorter by a later time is proof only where the longer one shows that the clock never went back
//! ([`length`]).

mod denied;
mod ends;
mod found;
mod length;
mod nodes;
mod receipts;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_ledger::audit::{AuditRecord, RESTORED_FROM_BACKUP};
use mngntime_ledger::leaf::AuditLeaf;
use mngntime_wire::{LogHead, LogTree};
use serde::Deserialize;

use crate::format::{AuditLine, Judgement, Retired, Terminal};
use crate::months;
use denied::Denied;
pub use found::{Comparison, Contradiction, Difference, Length, Restore, Run, Shortened};
use nodes::Node;
pub use work::compare;

/// Month and leaf, or month and size of a tree.
type Place = (String, u64);

/// What that entry tells of the backup, and of the newest tree that was signed in it.
#[derive(Deserialize)]
struct Backup {
    backup_made_at: Option<i64>,
    month: Option<String>,
    size: Option<u64>,
    root: Option<String>,
}

impl Backup {
    fn tree(&self) -> Option<LogTree> {
        let tree = LogTree { month: self.month.clone()?, size: self.size?, root: self.root.clone()? };
        is_tree(&tree).then_some(tree)
    }
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
    /// What proofs show of parts of the log, by month.
    nodes: BTreeMap<String, BTreeMap<Node, Digest>>,
    /// Roots of trees by month and size.
    trees: BTreeMap<Place, BTreeSet<String>>,
    /// Sizes that the log is known to have had, and when the first of the statements about each was signed.
    reached: BTreeMap<Place, i64>,
    /// First and last missing numbers.
    missing: BTreeMap<String, Vec<(u64, u64)>>,
    /// Numbers that receipts call missing, each with the tree of then.
    denied: BTreeMap<String, Vec<Denied>>,
    /// Numbers that the audit log says were deleted by the retention rule.
    retired: BTreeMap<String, Vec<Retired>>,
    /// Host names and public keys.
    terminals: BTreeMap<String, (String, String)>,
    /// Digests of results and when they were judged, by terminal, number and the result's own number.
    results: BTreeMap<(String, u64, u64), (Digest, i64)>,
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

/// What is told of an event or an entry: in an honest server's words one digest, and one place. Others are kept as they come,
/// however many they are, and may stand there more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    digests: Vec<Digest>,
    places: Vec<Place>,
    /// The first time that is told with these.
    at: Option<i64>,
    /// When it happened by its own word, where its bytes are shown.
    happened: Option<i64>,
    placeless: Vec<Placeless>,
}

/// What a receipt calls stored without a place, though it names a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placeless {
    digest: Digest,
    at: i64,
    /// That tree, if it is one of this log.
    tree: Option<Place>,
}

impl Told {
    fn add(&mut self, digest: Digest, place: Option<Place>, at: i64) {
        push(&mut self.digests, digest);
        if let Some(place) = place {
            push(&mut self.places, place);
        }
        self.at = Some(self.at.map_or(at, |first| first.min(at)));
    }

    /// Whether it was in the log before that end. What has no place was there before, and was deleted.
    fn is_before(&self, end: &Place) -> bool {
        let trees = self.placeless.iter().filter_map(|told| told.tree.as_ref());
        self.places.iter().any(|place| place < end) || trees.into_iter().any(|tree| tree <= end)
    }
}

/// There is one, mostly: room for no more is taken then.
fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    if list.last() != Some(&item) {
        list.push(item);
    }
}

/// What it means that one side does not have an event.
enum Absence {
    /// Nothing: it need not have it.
    Silent,
    /// It was deleted by the retention rule.
    Retired,
    /// It is called missing, and nobody knows whether that was said before it came.
    Missing,
    /// It should be there.
    Differs(Difference),
}

impl Contents {
    /// An event in its place, and when it was received.
    pub(crate) fn event(&mut self, (terminal, number): (&str, u64), digest: Digest, place: Place, at: i64) {
        self.events.entry((terminal.to_owned(), number)).or_default().add(digest, Some(place), at);
    }

    /// When an event happened by its own word.
    pub(crate) fn happened(&mut self, (terminal, number): (&str, u64), at: i64) {
        self.events.entry((terminal.to_owned(), number)).or_default().happened = Some(at);
    }

    pub(crate) fn entry(&mut self, record: &AuditRecord, line: &AuditLine) {
        let (digest, place) = (Digest::of(line.json.as_bytes()), (line.month.clone(), line.leaf));
        self.entries.entry(record.number).or_default().add(digest, Some(place.clone()), record.at);
        if let Ok(hash) = AuditLeaf::of(&record.contract, record.number, record.at, digest).hash() {
            self.leaf(place, hash, record.at);
        }
        if record.action == RESTORED_FROM_BACKUP {
            let backup = record.told::<Backup>();
            let tree = backup.as_ref().and_then(Backup::tree);
            if let Some(tree) = &tree {
                self.root(tree);
            }
            let tree = tree.map(|tree| (tree.month, tree.size));
            let backup_made_at = backup.and_then(|backup| backup.backup_made_at);
            self.restores.insert(Restore { at: record.at, backup_made_at, tree });
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

    fn root(&mut self, tree: &LogTree) {
        self.trees.entry((tree.month.clone(), tree.size)).or_default().insert(tree.root.clone());
    }

    pub(crate) fn tree(&mut self, tree: &LogTree, at: i64) {
        self.root(tree);
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
            self.results.insert(key, (Digest::of(text.as_bytes()), line.judged_at));
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

    /// They ascend.
    fn is_missing(&self, (terminal, sequence): &(String, u64)) -> bool {
        let ranges = self.missing.get(terminal).map_or(&[][..], Vec::as_slice);
        let at = ranges.partition_point(|(_, last)| last < sequence);
        ranges.get(at).is_some_and(|(first, _)| first <= sequence)
    }

    /// Whether the event was deleted with its month; nothing when its number was not, or is one of another month. The times
    /// that the log tells of what was deleted are exactly those of the events.
    fn is_retired(&self, (terminal, sequence): &(String, u64), told: &Told) -> Option<bool> {
        let ranges = self.retired.get(terminal).map_or(&[][..], Vec::as_slice);
        let range = ranges.get(ranges.partition_point(|range| range.last < *sequence))?;
        let is_it = range.first <= *sequence && told.places.iter().all(|(month, _)| *month == range.month);
        let [earliest, latest] = range.happened;
        is_it.then(|| told.happened.is_none_or(|at| (earliest..=latest).contains(&at)))
    }

    /// What it means that the event, of which the other one tells this, is absent here.
    fn absence_of(&self, key: &(String, u64), told: &Told) -> Absence {
        match self.is_retired(key, told) {
            Some(true) => Absence::Retired,
            Some(false) => Absence::Differs(Difference::Retired),
            None => self.absence(told, self.is_missing(key)),
        }
    }

    /// How what the other one tells can be absent here. Up to its newest head a pack about everything leaves nothing out, and
    /// whatever it is about, it says what it calls missing of that time.
    fn absence(&self, told: &Told, is_missing: bool) -> Absence {
        let is_before = self.end().is_some_and(|end| told.is_before(&end));
        match (is_missing, is_before) {
            (true, true) => Absence::Differs(Difference::CalledMissing),
            (false, true) if self.is_everything => Absence::Differs(Difference::LeftOut),
            (true, false) if told.places.is_empty() => Absence::Missing,
            (true | false, false) | (false, true) => Absence::Silent,
        }
    }
}

/// Whether a statement of a tree has the form of one.
fn is_tree(tree: &LogTree) -> bool {
    months::is_month(&tree.month) && tree.root_digest().is_some()
}

#[cfg(test)]
mod tests;
