//! Packs that end earlier.
//!
//! A log only grows, and a pack shows the newest head of the moment at which it was made. So whatever has an earlier time in
//! the other one must be in it. But what came first is said by the server's clock alone, and that may have been ahead, or that
//! of another node may be: then the pack was made before what it lacks, with a later time. An honest server notes
//! each pack in the log, behind the pack's newest head and with the same clock: from there the longer log has a time that is
//! not before the pack's, and goes back. So it is proof only where the longer one shows every record behind that head and
//! its times never go back. Where they do, or did shortly before, but never from so late a time, nobody can say: whoever writes a
//! pack chooses its time, and of nodes whose clocks differ one may have made another pack before the first one was noted.

use super::work::Work;
use super::{Contents, Contradiction, Length, Place, Shortened};
use crate::verify::CLOCK_STEP_MS;

/// Leaves before the end in which clocks that differ would be seen, as nodes answer in turns.
const LEAVES_BEFORE: usize = 100;

/// What a longer statement shows behind the end of a shorter one.
#[derive(Debug, Default)]
struct Behind {
    /// The largest size that was reached before the shorter one was made, by the server's clock.
    signed: Option<Place>,
    /// Whether a leaf has a time before that.
    is_early: bool,
    /// Whether the times go back, from one that is not before that to one that is.
    is_set_back: bool,
    /// Whether they go back at all, or those of the leaves right before it.
    has_step: bool,
}

impl Contents {
    /// Up to where it tells of the log: the month, and a size.
    fn furthest_end(&self) -> Option<Place> {
        let of_events = self.events.values().flat_map(|told| &told.places);
        let last = self.leaves.keys().next_back().into_iter().chain(of_events).max();
        let size = last.map(|(month, leaf)| (month.clone(), leaf.saturating_add(1)));
        size.max(self.reached.keys().next_back().cloned())
    }

    /// What it shows behind the end of a pack that was made then.
    fn behind(&self, end: &Place, made_at: i64) -> Behind {
        let is_before = |at: i64, other: i64| at.saturating_add(CLOCK_STEP_MS) < other;
        let (mut found, mut is_late, mut latest) = (Behind::default(), false, i64::MIN);
        let before: Vec<_> = self.leaves.range(..end.clone()).rev().take(LEAVES_BEFORE).collect();
        for (_, leaf) in before.into_iter().rev() {
            found.has_step |= is_before(leaf.at, latest);
            latest = latest.max(leaf.at);
        }
        for (size, at, is_leaf) in self.times_behind(end) {
            let is_early = is_before(at, made_at);
            found.has_step |= is_before(at, latest);
            found.is_set_back |= is_late && is_early;
            if is_leaf {
                latest = latest.max(at);
                is_late |= !is_early;
                found.is_early |= is_early;
            } else if is_early {
                found.signed = Some(size);
            }
        }
        found
    }

    /// The times behind an end in the order of the log: after each leaf, when a tree up to it was told of. Its size, the
    /// time, and whether it is the leaf's.
    fn times_behind(&self, end: &Place) -> Vec<(Place, i64, bool)> {
        let leaves = self.leaves.range(end.clone()..);
        let leaves =
            leaves.map(|((month, leaf), told)| ((month.clone(), leaf.saturating_add(1)), told.at, true));
        let trees = self.reached.range(end.clone()..).filter(|(size, _)| *size > end);
        let trees = trees.map(|(size, at)| (size.clone(), *at, false));
        let mut times: Vec<_> = leaves.chain(trees).collect();
        times.sort_by(|(one, _, first), (other, _, second)| (one, !first).cmp(&(other, !second)));
        times
    }

    /// Whether it shows every leaf from there to its newest head.
    fn shows_all_from(&self, from: &Place) -> bool {
        let Some(to) = self.end() else { return false };
        let mut next = from.clone();
        for place in self.leaves.range(from.clone()..).map(|(place, _)| place) {
            let is_next = *place == next || (place.1 == 0 && self.is_next_month(&next, &place.0));
            if !is_next {
                return false;
            }
            next = (place.0.clone(), place.1 + 1);
        }
        next == to
    }

    /// Whether a month ends there, and this is the one after it.
    fn is_next_month(&self, end: &Place, month: &str) -> bool {
        self.heads.get(month).is_some_and(|head| head.previous.as_ref() == Some(end))
    }
}

impl Work {
    /// Whether one of them, a pack, ends before what the other one tells of, and what that means.
    pub(super) fn shorter(&mut self, shorter: &Contents, longer: &Contents, is_pack: bool) {
        let Some((end, made_at)) = shorter.end().zip(shorter.made_at) else { return };
        let Some(furthest) = longer.furthest_end().filter(|furthest| *furthest > end) else { return };
        let behind = longer.behind(&end, made_at);
        let later_of = |month: &str| if *month == end.0 { end.1 } else { 0 };
        let why = match (&behind.signed, behind.is_early) {
            (None, false) => Length::Older,
            (Some(_), _) | (None, true) if behind.is_set_back => Length::SetBack,
            (Some((month, size)), _) if !behind.has_step && longer.shows_all_from(&end) => {
                let (month, first, later) = (month.clone(), *size, later_of(month));
                return self.contradict(Contradiction::Shorter { month, first, later });
            }
            (Some(_), _) | (None, true) => Length::Unclear,
        };
        // That the file for comparison is the older one is what it is for.
        if is_pack || why != Length::Older {
            let (month, first) = furthest;
            let later = later_of(&month);
            self.done.shortened.push(Shortened { is_pack, month, first, later, why });
        }
    }
}
