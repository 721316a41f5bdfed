//! What receipts call missing.
//!
//! A receipt says which numbers of its terminal the server does not hold, and names the newest tree of then. What stands in the
//! log before the end of that tree the server held, or had deleted, and then it is not called missing.

use std::collections::{BTreeSet, BinaryHeap};

use super::{Contents, Place};

/// Numbers, first and last, and the tree.
pub(super) type Denied = ([u64; 2], Place);

/// Events of which either says that they stood in the log when a receipt called them missing.
pub(super) fn denied<'a>(pack: &'a Contents, other: &'a Contents) -> BTreeSet<(&'a str, u64)> {
    let mut found = BTreeSet::new();
    for (terminal, ranges) in pack.denied.iter().chain(&other.denied) {
        let mut ranges: Vec<_> = ranges.iter().collect();
        ranges.sort_unstable();
        for side in [pack, other] {
            found.extend(denied_of(side, terminal, &ranges).map(|number| (terminal.as_str(), number)));
        }
    }
    found
}

/// The numbers of one terminal, by ranges that are sorted by their first numbers. Of those in which a number is, the one with
/// the largest tree counts; it is left when it ends.
fn denied_of<'a>(
    side: &'a Contents,
    terminal: &str,
    ranges: &'a [&'a Denied],
) -> impl Iterator<Item = u64> + 'a {
    let events = side.events.range((terminal.to_owned(), 0)..=(terminal.to_owned(), u64::MAX));
    let (mut next, mut open) = (ranges.iter().peekable(), BinaryHeap::new());
    events.filter_map(move |((_, number), told)| {
        while let Some(([_, last], tree)) = next.next_if(|([first, _], _)| first <= number) {
            open.push((tree, *last));
        }
        while open.peek().is_some_and(|(_, last)| last < number) {
            open.pop();
        }
        let (tree, _) = open.peek()?;
        told.places.iter().any(|place| place < *tree).then_some(*number)
    })
}
