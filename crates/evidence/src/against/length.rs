//! Logs that are shorter by a later time.
//!
//! A log only grows. But which of two statements came first is said by the server's clock alone, and that may have been
//! ahead and set right in between: then a smaller tree has the later time, and nothing was cut off. But
//! whoever was given the shorter one was noted after it, with a time of the clock that was ahead: from there the times in the
//! longer log go back, to a later record or to its head. So the shorter one is proof only where the longer one shows every
//! record between the two, and no such step.

use std::collections::BTreeMap;

use super::{Contents, Contradiction, Place, Shortened, Work};
use crate::verify::CLOCK_STEP_MS;

impl Contents {
    /// Whether the times go back anywhere from one place to before another one, or to the time `at` of the tree up to there;
    /// nothing when none is shown that does, and not all of them are.
    fn went_back(&self, from: &Place, to: &Place, at: i64) -> Option<bool> {
        let mut latest = self.leaves.range(..from.clone()).next_back().map_or(i64::MIN, |(_, leaf)| leaf.at);
        let (mut next, mut is_whole) = (from.clone(), true);
        let is_back = |at: i64, latest: i64| at.saturating_add(CLOCK_STEP_MS) < latest;
        for (place, leaf) in self.leaves.range(from.clone()..to.clone()) {
            if is_back(leaf.at, latest) {
                return Some(true);
            }
            is_whole &= *place == next || (place.1 == 0 && self.ends_at(&next));
            latest = latest.max(leaf.at);
            next = (place.0.clone(), place.1 + 1);
        }
        if is_back(at, latest) {
            return Some(true);
        }
        (is_whole && next == *to).then_some(false)
    }

    /// Whether its head says that a month ends there.
    fn ends_at(&self, (month, size): &Place) -> bool {
        self.heads.get(month).is_some_and(|(told, _)| told == size)
    }

    /// The largest tree of each month, and when it was first told of.
    fn largest(&self) -> BTreeMap<&String, (u64, i64)> {
        let mut largest: BTreeMap<&String, (u64, i64)> = BTreeMap::new();
        for ((month, size), roots) in &self.trees {
            let at = roots.values().copied().min().unwrap_or(i64::MAX);
            let known = largest.entry(month).or_insert((*size, at));
            *known = (*known).max((*size, at));
        }
        largest
    }

    /// Where the log ends in this month, or before it, and when that was signed; nothing when it is not told.
    fn end_in(&self, month: &String) -> Option<(Place, i64)> {
        if let Some((size, at)) = self.heads.get(month) {
            return Some(((month.clone(), *size), *at));
        }
        let (newest, (size, at)) = self.heads.iter().next_back().filter(|(newest, _)| *newest < month)?;
        Some(((newest.clone(), *size), *at))
    }
}

impl Work {
    /// What `later` signed after a larger tree of `first`, by the server's clock.
    pub(super) fn shorter(&mut self, first: &Contents, later: &Contents) {
        for (month, (size, at)) in first.largest() {
            let (month, to) = (month.clone(), (month.clone(), size));
            // A receipt is of the moment its batch arrived, and names the newest tree of a moment later.
            let is_after = |signed: i64| signed > at.saturating_add(CLOCK_STEP_MS);
            let end = later.end_in(&month).filter(|(end, signed)| *end < to && is_after(*signed));
            let Some((from, _)) = end else { continue };
            let later = if from.0 == month { from.1 } else { 0 };
            match first.went_back(&from, &to, at) {
                Some(false) => {
                    self.found.insert(Contradiction::Shorter { month, first: size, later });
                }
                went_back => {
                    let is_set_back = went_back.is_some();
                    self.done.shortened.push(Shortened { month, first: size, later, is_set_back });
                }
            }
        }
    }
}
