//! Parts of the log that proofs show.
//!
//! An audit path names the hash of a part of the log beside each part that the leaf is in. A part with 1, 2, 4, … leaves that
//! begins at a multiple of that number has one hash for ever, however the log grows (RFC 6962, 2.1). So two packs that show no
//! leaf in common say something of the same leaves all the same: of each such part that both name, or whose hash follows from
//! what they show. The parts of a log whose number of leaves is no power of two, at its end, change, and tell nothing.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_ledger::log::{LEAVES_MAX, node_hash};

use super::work::Work;
use super::{Contents, Contradiction, Place};

/// A part: its leaves are 2 to the power of the first, from the second on.
pub(super) type Node = (u32, u64);

impl Contents {
    /// What the audit path of a leaf shows beside it. A pack about everything shows the leaves of its events themselves.
    pub(crate) fn path(&mut self, (month, leaf): (&str, u64), size: u64, proof: &[String]) {
        let parts = beside(size, leaf);
        if parts.len() != proof.len() {
            return;
        }
        let of_month = self.nodes.entry(month.to_owned()).or_default();
        for ((begin, end), text) in parts.into_iter().zip(proof) {
            if let (true, Ok(hash)) = ((end - begin).is_power_of_two(), Digest::parse(text)) {
                of_month.insert(((end - begin).ilog2(), begin), hash);
            }
        }
    }

    /// The roots of the trees of a month with these sizes, as far as they follow from what is here.
    pub(super) fn roots(&self, month: &str, sizes: &BTreeSet<u64>) -> BTreeMap<u64, Digest> {
        let mut shown = Shown::of(self, month);
        sizes.iter().filter_map(|size| Some((*size, shown.root(*size)?))).collect()
    }
}

/// The parts that the audit path of a leaf names, from the leaf on.
fn beside(size: u64, leaf: u64) -> Vec<(u64, u64)> {
    let (mut begin, mut end, mut parts) = (0, size.min(LEAVES_MAX), Vec::new());
    while end - begin > 1 {
        let middle = begin + (end - begin).next_power_of_two() / 2;
        let (own, other) = ((begin, middle), (middle, end));
        let (own, other) = if leaf < middle { (own, other) } else { (other, own) };
        parts.push(other);
        (begin, end) = own;
    }
    parts.reverse();
    parts
}

/// What one of the two shows of a month.
struct Shown {
    /// Hashes of parts, and those of which it is known that they do not follow from these.
    known: BTreeMap<Node, Option<Digest>>,
}

impl Shown {
    fn of(contents: &Contents, month: &str) -> Self {
        let leaves = contents.leaves.range((month.to_owned(), 0)..=(month.to_owned(), u64::MAX));
        let leaves = leaves.map(|((_, place), leaf)| ((0, *place), Some(leaf.hash)));
        let named = contents.nodes.get(month).into_iter().flatten();
        Self { known: named.map(|(node, hash)| (*node, Some(*hash))).chain(leaves).collect() }
    }

    /// The hash of a part, if it follows from what is shown.
    fn hash(&mut self, node: Node) -> Option<Digest> {
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        let (level, begin) = node;
        let below = level.checked_sub(1)?;
        let left = self.hash((below, begin));
        let found = left.and_then(|left| Some(node_hash(left, self.hash((below, begin + (1 << below)))?)));
        self.known.insert(node, found);
        found
    }

    /// The root of the tree of this size.
    fn root(&mut self, size: u64) -> Option<Digest> {
        let (mut begin, mut parts) = (0, Vec::new());
        for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
            parts.push(self.hash((level, begin))?);
            begin += 1 << level;
        }
        parts.into_iter().rev().reduce(|right, left| node_hash(left, right))
    }
}

impl Work {
    /// Parts of the log that one of them names and the other one shows.
    pub(super) fn nodes(&mut self, pack: &Contents, other: &Contents) {
        let months: BTreeSet<&String> = pack.nodes.keys().chain(other.nodes.keys()).collect();
        for month in months {
            let mut shown = [Shown::of(pack, month), Shown::of(other, month)];
            let named = [pack, other].map(|side| side.nodes.get(month).into_iter().flatten());
            let named: BTreeSet<Node> = named.into_iter().flatten().map(|(node, _)| *node).collect();
            // The smallest first: what a part is in differs with it.
            let mut differ: BTreeSet<u64> = BTreeSet::new();
            for node in named {
                let [one, two] = &mut shown;
                let Some((one, two)) = one.hash(node).zip(two.hash(node)) else { continue };
                self.done.parts += 1;
                let leaves = node.1..node.1 + (1 << node.0);
                let is_told = differ.range(leaves.clone()).next().is_some() || self.tells(month, &leaves);
                if one != two && !is_told {
                    differ.insert(node.1);
                    let (month, first, count) = (month.clone(), node.1, leaves.end - leaves.start);
                    self.touch((month.clone(), leaves.end - 1));
                    self.contradict(Contradiction::Part { month, first, count });
                }
            }
        }
    }

    /// Whether something is told already of one of these leaves.
    fn tells(&self, month: &str, leaves: &std::ops::Range<u64>) -> bool {
        let place = |leaf| -> Place { (month.to_owned(), leaf) };
        self.told.range(place(leaves.start)..place(leaves.end)).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_beside_a_leaf_are_those_of_its_audit_path() {
        assert_eq!(beside(7, 3), [(2, 3), (0, 2), (4, 7)]);
        assert_eq!(beside(7, 6), [(4, 6), (0, 4)]);
        assert_eq!((beside(1, 0), beside(0, 0)), (vec![], vec![]));
        assert_eq!(beside(u64::MAX, 9).len(), 40, "no larger than a log can be");
    }
}
