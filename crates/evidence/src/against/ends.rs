//! Months that are over.
//!
//! A closed head says how many leaves its month has for ever, and so does the next month's head, which names the last tree
//! of the last month before it that has any. So a month between two that follow each other never had a leaf, nor had one
//! before the first head that names none: once a leaf stands in a later month, none goes into an earlier one. A tree or a
//! place beyond such an end is a contradiction, whatever else the two sides show.

use std::collections::BTreeMap;

use super::work::Work;
use super::{Contents, Contradiction};

impl Contents {
    /// How many leaves a month has for ever, if that is told.
    fn ended(&self, month: &str) -> Option<u64> {
        if let Some(head) = self.heads.get(month).filter(|head| head.closed) {
            return Some(head.size);
        }
        let (_, next) = self.heads.range(month.to_owned()..).find(|(other, _)| other.as_str() != month)?;
        match &next.previous {
            Some((previous, size)) if previous == month => Some(*size),
            // What lies before the month that it follows, another head tells of.
            Some((previous, _)) => (previous.as_str() < month).then_some(0),
            None => Some(0),
        }
    }

    /// How far the log went in each month, as far as it is told.
    fn furthest(&self) -> BTreeMap<&str, u64> {
        let mut furthest: BTreeMap<&str, u64> = BTreeMap::new();
        let of_events = self.events.values().flat_map(|told| &told.places);
        let leaves = self.leaves.keys().chain(of_events);
        let leaves = leaves.map(|(month, leaf)| (month, leaf.saturating_add(1)));
        for (month, size) in leaves.chain(self.reached.keys().map(|(month, size)| (month, *size))) {
            let known = furthest.entry(month).or_default();
            *known = size.max(*known);
        }
        furthest
    }
}

impl Work {
    /// Months of which one side says that they ended, and the other one, or the same, that they went on.
    pub(super) fn ends(&mut self, pack: &Contents, other: &Contents) {
        let mut furthest = pack.furthest();
        for (month, size) in other.furthest() {
            let known = furthest.entry(month).or_default();
            *known = size.max(*known);
        }
        for (month, told) in furthest {
            let ends = [pack.ended(month), other.ended(month)].into_iter().flatten().min();
            if let Some(ended) = ends.filter(|ended| *ended < told) {
                self.touch((month.to_owned(), ended));
                self.contradict(Contradiction::Ended { month: month.to_owned(), ended, told });
            }
        }
    }
}
