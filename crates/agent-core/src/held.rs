//! What the server holds by our receipts, and what it turns out to have lost.
//!
//! A server that was restored from a backup knows less than its receipts say. It shows in two ways: its head
//! is lower than a number we hold a receipt for, and a receipt names missing numbers. Whatever of that is
//! still in the journal goes into the **queue** and is sent again, oldest first, behind whatever waits for
//! its first receipt, a batch at a time with the pause that the server wishes for a crowd. What is not in
//! the journal is declared, once.
//!
//! Nothing here can go on for ever: a number is sent again at most once in [`SEND_AGAIN_AFTER_MS`], whatever
//! the server says, and a range that was declared is not declared again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::input::AnswerItem;
use crate::settings::{DECLARED_PER_ANSWER_MAX, SEND_AGAIN_AFTER_MS};

/// First and last number.
pub(crate) type Range = (u64, u64);

#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Numbers with a receipt whose events are in the journal.
    kept: BTreeSet<u64>,
    /// Those of them that the server misses.
    queue: BTreeSet<u64>,
    /// When the next of them may go.
    due: u64,
    /// When the server last took one again.
    taken_again: BTreeMap<u64, u64>,
    /// What has been declared to this server as the terminal we are.
    declared: Vec<Range>,
}

/// What an answer says about one event that was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentAgain {
    /// The event was not one of these.
    No,
    /// The server holds it again.
    Taken,
    /// The server holds other bytes under its number by now.
    Displaced,
}

impl Held {
    pub(crate) fn new(kept: Vec<u64>, declared: Vec<Range>) -> Self {
        Self { kept: kept.into_iter().collect(), declared, ..Self::default() }
    }

    /// A receipt covers these now.
    pub(crate) fn keep(&mut self, sequence: u64) {
        self.kept.insert(sequence);
    }

    /// The event is not in the journal any more, or has another number now; whether it was held.
    pub(crate) fn forget(&mut self, sequence: u64) -> bool {
        self.queue.remove(&sequence);
        self.taken_again.remove(&sequence);
        self.kept.remove(&sequence)
    }

    /// The journal has let go of everything up to `last`.
    pub(crate) fn forget_up_to(&mut self, last: u64) {
        let after = last.saturating_add(1);
        self.kept = self.kept.split_off(&after);
        self.queue = self.queue.split_off(&after);
        self.taken_again = self.taken_again.split_off(&after);
    }

    /// We are another terminal now: what the old one was told, the new one's server does not know.
    pub(crate) fn forget_all(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn note_declared(&mut self, range: Range) {
        self.declared.push(range);
    }

    /// When the next may be sent again; `None` when there is none.
    pub(crate) fn due(&self) -> Option<u64> {
        (!self.queue.is_empty()).then_some(self.due)
    }

    /// Not before this.
    pub(crate) fn wait_until(&mut self, due: u64) {
        self.due = self.due.max(due);
    }

    /// The oldest `most` numbers to be sent again, when it is time.
    pub(crate) fn next(&self, now_ms: u64, most: usize) -> impl Iterator<Item = u64> {
        let most = if self.due().is_some_and(|due| due <= now_ms) { most } else { 0 };
        self.queue.iter().copied().take(most)
    }

    /// Takes the server's word on one event.
    pub(crate) fn settle(&mut self, item: AnswerItem, now_ms: u64) -> SentAgain {
        if !self.queue.remove(&item.sequence) {
            return SentAgain::No;
        }
        if !item.stored {
            return SentAgain::Displaced;
        }
        self.taken_again.insert(item.sequence, now_ms);
        SentAgain::Taken
    }

    /// Puts what the server misses and we hold into the queue; how many numbers came new into it.
    pub(crate) fn compare(&mut self, head: u64, missing: &[Range], now_ms: u64) -> u64 {
        let above = self.kept.range((Bound::Excluded(head), Bound::Unbounded));
        let below = missing.iter().flat_map(|(first, last)| self.kept.range(first..=last));
        let fresh = |sequence: &&u64| {
            let taken = self.taken_again.get(sequence);
            taken.is_none_or(|at| now_ms.saturating_sub(*at) >= SEND_AGAIN_AFTER_MS)
        };
        let wanted: Vec<u64> = above.chain(below).filter(fresh).copied().collect();
        wanted.into_iter().map(|sequence| u64::from(self.queue.insert(sequence))).sum()
    }

    /// The parts of `missing` up to `last` that nobody can give and nobody has declared, oldest first.
    /// `others` are numbers that are on their way.
    pub(crate) fn not_held(
        &self,
        missing: &[Range],
        last: u64,
        others: impl Fn(Range) -> Vec<u64>,
    ) -> Vec<Range> {
        let within = |(first, end): &Range| Some((*first, (*end).min(last))).filter(|(f, l)| f <= l);
        missing
            .iter()
            .filter_map(within)
            .flat_map(|range| {
                let mut known: Vec<Range> =
                    self.kept.range(range.0..=range.1).map(|sequence| (*sequence, *sequence)).collect();
                known.extend(others(range).into_iter().map(|sequence| (sequence, sequence)));
                known.extend(&self.declared);
                without(range, known)
            })
            .take(DECLARED_PER_ANSWER_MAX)
            .collect()
    }
}

/// What is left of `range` without `known`.
fn without((first, last): Range, mut known: Vec<Range>) -> Vec<Range> {
    known.sort_unstable();
    let (mut left, mut from) = (Vec::new(), Some(first));
    for (begin, end) in known {
        let Some(next) = from.filter(|next| *next <= last) else { break };
        if begin > next {
            left.push((next, (begin - 1).min(last)));
        }
        from = if end >= next { end.checked_add(1) } else { Some(next) };
    }
    left.extend(from.filter(|next| *next <= last).map(|next| (next, last)));
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::PunchResult;

    const HOUR: u64 = SEND_AGAIN_AFTER_MS;

    fn queued(held: &Held) -> Vec<u64> {
        held.queue.iter().copied().collect()
    }

    fn item(sequence: u64, stored: bool) -> AnswerItem {
        AnswerItem { sequence, stored, result: Ok(PunchResult::Accepted) }
    }

    #[test]
    fn what_is_left_of_a_range() {
        assert_eq!(without((3, 9), vec![]), [(3, 9)]);
        assert_eq!(without((3, 9), vec![(5, 5), (3, 3), (9, 12)]), [(4, 4), (6, 8)]);
        assert_eq!(without((3, 9), vec![(1, 20)]), []);
        assert_eq!(without((3, 9), vec![(1, 2), (10, 11)]), [(3, 9)]);
        assert_eq!(without((3, 9), vec![(1, 6), (2, 4)]), [(7, 9)]);
        assert_eq!(without((3, u64::MAX), vec![(4, u64::MAX)]), [(3, 3)]);
    }

    #[test]
    fn above_the_head_and_in_a_named_hole_and_nowhere_else() {
        let mut held = Held::new((1..=9).collect(), vec![]);
        assert_eq!(held.compare(9, &[], 0), 0);
        assert_eq!(held.compare(7, &[(2, 3)], 0), 4);
        assert_eq!(queued(&held), [2, 3, 8, 9]);
        assert_eq!(held.compare(7, &[(2, 3)], 0), 0, "asked twice is queued once");
    }

    #[test]
    fn a_server_that_never_has_enough_gets_each_number_once_an_hour() {
        let mut held = Held::new(vec![1, 2], vec![]);
        held.compare(0, &[], 0);
        assert_eq!(held.settle(item(1, true), 5), SentAgain::Taken);
        assert_eq!((held.compare(0, &[], HOUR), queued(&held)), (0, vec![2]));
        assert_eq!((held.compare(0, &[], HOUR + 5), queued(&held)), (1, vec![1, 2]));
    }

    #[test]
    fn other_bytes_in_its_place_end_the_sending_and_are_told() {
        let mut held = Held::new(vec![1, 2], vec![]);
        held.compare(0, &[], 0);
        assert_eq!(held.settle(item(2, false), 0), SentAgain::Displaced);
        assert_eq!(held.settle(item(3, true), 0), SentAgain::No);
        assert_eq!(queued(&held), [1]);
    }

    #[test]
    fn only_what_nobody_has_and_nobody_said_is_declared() {
        let held = Held::new(vec![4, 8], vec![(6, 6)]);
        let others = |_| vec![9];
        assert_eq!(held.not_held(&[(1, 2), (4, 20)], 12, others), [(1, 2), (5, 5), (7, 7), (10, 12)]);
        assert_eq!(held.not_held(&[(1, 2)], 1, |_| vec![]), [(1, 1)]);
        assert_eq!(held.not_held(&[(13, 20)], 12, |_| vec![]), []);
    }

    #[test]
    fn a_batch_of_them_waits_for_its_time() {
        let mut held = Held::new((1..=9).collect(), vec![]);
        assert_eq!(held.due(), None);
        held.compare(0, &[], 0);
        held.wait_until(100);
        assert_eq!(held.next(99, 3).count(), 0);
        assert_eq!(held.next(100, 3).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn what_the_journal_let_go_of_is_not_held() {
        let mut held = Held::new((1..=5).collect(), vec![]);
        held.compare(0, &[], 0);
        held.forget_up_to(3);
        assert_eq!((held.kept.len(), queued(&held)), (2, vec![4, 5]));
        assert!(held.forget(4) && !held.forget(4));
        held.forget_up_to(u64::MAX);
        assert_eq!(held.due(), None);
    }
}
