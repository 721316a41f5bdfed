//! A comparison under way.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;

use super::denied::denied;
use super::{Absence, Comparison, Contents, Contradiction, Difference, Place, Run, Told};
use crate::verify::CLOCK_STEP_MS;

/// Contradictions that are kept; the others are only counted.
const KEPT: usize = 50;

/// Nothing is deleted earlier after its receipt: three years, in milliseconds.
const KEPT_AT_LEAST_MS: i64 = 3 * 365 * 86_400_000;

/// Compares a pack with another pack, or with receipts, of the same contract.
#[must_use]
pub fn compare(pack: &Contents, other: &Contents) -> Comparison {
    let mut work = Work::default();
    work.done.receipts = [other.receipts, other.foreign_lines];
    work.done.other_receipts = [other.other_contracts, other.unplaced];
    work.terminals(pack, other);
    work.events(pack, other);
    work.entries(pack, other);
    work.results(pack, other);
    work.places(pack, other);
    work.leaves(pack, other);
    work.nodes(pack, other);
    work.trees(pack, other);
    work.ends(pack, other);
    work.shorter(pack, other, true);
    work.shorter(other, pack, false);
    work.restores(pack, other);
    work.finish()
}

/// A comparison under way.
#[derive(Default)]
pub(super) struct Work {
    found: BTreeSet<Contradiction>,
    /// Places of which a contradiction tells already.
    pub(super) told: BTreeSet<Place>,
    /// Up to where the log is touched by each of them that says so.
    touched: Vec<Place>,
    pub(super) done: Comparison,
}

impl Work {
    pub(super) fn contradict(&mut self, found: Contradiction) {
        self.found.insert(found);
    }

    /// A contradiction touches the log here.
    pub(super) fn touch(&mut self, place: Place) {
        self.touched.push(place);
    }

    /// What lies before the tree that a restore names was in its backup, too. Of several restores the one that goes back the
    /// furthest explains the most, and the others are of branches of the log that one of the two may not show.
    fn restores(&mut self, pack: &Contents, other: &Contents) {
        self.done.restores = pack.restores.union(&other.restores).cloned().collect();
        let trees: Option<Vec<_>> = self.done.restores.iter().map(|restore| restore.tree.as_ref()).collect();
        let smallest = trees.and_then(|trees| trees.into_iter().min());
        let before = |tree: &Place| self.touched.iter().filter(|place| *place < tree).count() as u64;
        self.done.unexplained = smallest.map(before);
    }

    fn finish(mut self) -> Comparison {
        let mut found: Vec<_> = self.found.into_iter().collect();
        let count = |found: &[Contradiction]| found.iter().map(Contradiction::count).sum();
        self.done.contradiction_count = count(&found);
        // What follows from something taken out comes last: everything behind it has moved.
        found.sort_by_key(Contradiction::is_moved);
        self.done.unnamed = count(found.get(KEPT..).unwrap_or_default());
        found.truncate(KEPT);
        self.done.contradictions = found;
        self.done
    }

    fn terminals(&mut self, pack: &Contents, other: &Contents) {
        for (id, (_, key)) in &other.terminals {
            let Some((_, own)) = pack.terminals.get(id) else { continue };
            self.done.others[0] += 1;
            if key != own {
                self.contradict(Contradiction::Key { terminal: id.clone() });
            }
        }
        let hosts = other.terminals.iter().chain(&pack.terminals);
        self.done.hosts = hosts.map(|(id, (host, _))| (id.clone(), host.clone())).collect();
    }

    fn events(&mut self, pack: &Contents, other: &Contents) {
        let keys: BTreeSet<_> = pack.events.keys().chain(other.events.keys()).collect();
        let (mut runs, denied) = (Runs::default(), denied(pack, other));
        for key in keys {
            let both = [pack.events.get(key), other.events.get(key)];
            let is_denied = denied.contains(&(key.0.as_str(), key.1));
            let how = self.event(pack, other, key, both).or(is_denied.then_some(Difference::CalledMissing));
            if how.is_some() {
                self.tell(both);
            }
            runs.add(&key.0, key.1, how);
        }
        for (terminal, run, how) in runs.finish() {
            self.contradict(Contradiction::Events { terminal: terminal.to_owned(), run, how });
        }
    }

    fn event(
        &mut self,
        pack: &Contents,
        other: &Contents,
        key: &(String, u64),
        both: [Option<&Told>; 2],
    ) -> Option<Difference> {
        let absence = match both {
            [Some(here), Some(there)] => {
                self.both(other, here, there);
                return difference(both);
            }
            [None, Some(there)] => pack.absence_of(key, there),
            [Some(here), None] => other.absence_of(key, here),
            [None, None] => return None,
        };
        match absence {
            Absence::Silent => self.done.uncompared[0] += u64::from(both[0].is_none()),
            Absence::Retired => self.done.retired += 1,
            Absence::Missing => self.done.called_missing += 1,
            Absence::Differs(how) => return difference(both).or(Some(how)),
        }
        difference(both)
    }

    /// An event of which both tell. A receipt that is older than the leaf may be of a clock that was set back.
    fn both(&mut self, other: &Contents, here: &Told, there: &Told) {
        let from = deleted_from([Some(here), Some(there)]);
        if [here, there].iter().all(|told| counted(told, from).next().is_some()) {
            self.done.events += 1;
        } else {
            self.done.uncompared[0] += 1;
        }
        let is_early = |(at, leaf): (i64, i64)| at.saturating_add(CLOCK_STEP_MS) < leaf;
        let is_early = other.made_at.is_none() && there.at.zip(here.at).is_some_and(is_early);
        self.done.early_receipts += u64::from(is_early);
    }

    fn entries(&mut self, pack: &Contents, other: &Contents) {
        let numbers: BTreeSet<_> = pack.entries.keys().chain(other.entries.keys()).collect();
        let mut runs = Runs::default();
        for number in numbers {
            let both = [pack.entries.get(number), other.entries.get(number)];
            let how = match both {
                [Some(_), Some(_)] => {
                    self.done.entries += 1;
                    difference(both)
                }
                [None, Some(there)] => {
                    let how = pack.absence(there, false).differs();
                    self.done.uncompared[1] += u64::from(how.is_none());
                    how
                }
                [Some(here), None] => other.absence(here, false).differs(),
                [None, None] => None,
            };
            if how.is_some() {
                self.tell(both);
            }
            runs.add("", *number, how);
        }
        for (_, run, how) in runs.finish() {
            self.contradict(Contradiction::Entries { run, how });
        }
    }

    /// Of these places something is told already.
    fn tell(&mut self, both: [Option<&Told>; 2]) {
        let told = || both.into_iter().flatten();
        let places: BTreeSet<&Place> = told().flat_map(|told| &told.places).collect();
        // What has no place was in the log before its receipt's tree was larger.
        let trees = told().flat_map(|told| &told.placeless).filter_map(|told| told.tree.as_ref());
        let last = trees.filter(|(_, size)| *size > 0).map(|(month, size)| (month.clone(), size - 1)).min();
        self.touched.extend(places.first().map(|place| (*place).clone()).or(last));
        self.told.extend(places.into_iter().cloned());
    }

    /// What stands in a place, by its name: only one thing does.
    fn places(&mut self, pack: &Contents, other: &Contents) {
        let (mut first, mut taken) = (BTreeMap::new(), BTreeSet::new());
        for (place, occupant) in pack.occupants().chain(other.occupants()) {
            if *first.entry(place).or_insert(occupant) != occupant && !self.told.contains(place) {
                taken.insert(place);
            }
        }
        let mut runs = Runs::default();
        for (month, leaf) in first.into_keys() {
            let is_taken = taken.contains(&(month.clone(), *leaf));
            runs.add(month, *leaf, is_taken.then_some(()));
        }
        for (month, run, ()) in runs.finish() {
            self.contradict(Contradiction::Occupied { month: month.to_owned(), run });
        }
        self.touched.extend(taken.iter().map(|place| (*place).clone()));
        self.told.extend(taken.into_iter().cloned());
    }

    /// Results are never changed, and a new one has a number of its own. None goes, either; but no log says which pack of two of
    /// one moment has the newer ones.
    fn results(&mut self, pack: &Contents, other: &Contents) {
        let mut differs: BTreeMap<(&str, u64), bool> = BTreeMap::new();
        for (key, there) in &other.results {
            let Some(here) = pack.results.get(key) else { continue };
            self.done.others[1] += 1;
            *differs.entry((&key.0, key.1)).or_default() |= here.0 != there.0;
        }
        if let Some((older, newer)) = in_order(pack, other) {
            self.done.results_gone = results_gone(older, newer);
        }
        let mut runs = Runs::default();
        for ((terminal, sequence), differs) in differs {
            runs.add(terminal, sequence, differs.then_some(()));
        }
        for (terminal, run, ()) in runs.finish() {
            self.contradict(Contradiction::Results { terminal: terminal.to_owned(), run });
        }
    }

    /// What else a leaf says: how and when it came.
    fn leaves(&mut self, pack: &Contents, other: &Contents) {
        let (mut runs, mut told) = (Runs::default(), Vec::new());
        for (place, there) in &other.leaves {
            let Some(here) = pack.leaves.get(place) else { continue };
            let differs = here.hash != there.hash && !self.told.contains(place);
            runs.add(&place.0, place.1, differs.then_some(()));
            told.extend(differs.then(|| place.clone()));
        }
        self.touched.extend(told.iter().cloned());
        self.told.extend(told);
        for (month, run, ()) in runs.finish() {
            self.contradict(Contradiction::Leaves { month: month.to_owned(), run });
        }
    }

    fn trees(&mut self, pack: &Contents, other: &Contents) {
        let months: BTreeSet<&String> = pack.trees.keys().chain(other.trees.keys()).map(|(m, _)| m).collect();
        for month in months {
            let named = |contents: &Contents| -> BTreeSet<u64> {
                let trees = contents.trees.range((month.clone(), 0)..=(month.clone(), u64::MAX));
                trees.map(|((_, size), _)| *size).collect()
            };
            let sizes: BTreeSet<u64> = named(pack).union(&named(other)).copied().collect();
            let computed = [pack.roots(month, &sizes), other.roots(month, &sizes)];
            for size in sizes {
                let place = (month.clone(), size);
                // Also of one file: it may contradict itself.
                let named = [pack.trees.get(&place), other.trees.get(&place)];
                if self.tree(named, computed.each_ref().map(|roots| roots.get(&size))).is_none() {
                    self.touch((month.clone(), size.saturating_sub(1)));
                    self.contradict(Contradiction::Tree { month: month.clone(), size });
                }
            }
        }
    }

    /// One size; nothing when what is said of it differs.
    fn tree(
        &mut self,
        named: [Option<&BTreeSet<String>>; 2],
        [from_pack, from_other]: [Option<&Digest>; 2],
    ) -> Option<()> {
        let [here, there] = named;
        let is_named_by_both = here.is_some() && there.is_some();
        if is_named_by_both {
            self.done.trees += 1;
        } else if there.and(from_pack).or(here.and(from_other)).is_some() {
            self.done.recomputed_trees += 1;
        } else if there.is_some() {
            self.done.uncompared[2] += 1;
        }
        let mut roots: BTreeSet<String> = named.into_iter().flatten().flatten().cloned().collect();
        roots.extend([from_pack, from_other].into_iter().flatten().map(ToString::to_string));
        (roots.len() <= 1).then_some(())
    }
}

impl Absence {
    fn differs(self) -> Option<Difference> {
        match self {
            Self::Differs(how) => Some(how),
            Self::Silent | Self::Retired | Self::Missing => None,
        }
    }
}

/// What stands in a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occupant<'a> {
    Event(&'a str, u64),
    Entry(u64),
}

impl Contents {
    /// Every place of which it says what stands there.
    fn occupants(&self) -> impl Iterator<Item = (&Place, Occupant<'_>)> {
        let events = self.events.iter().flat_map(|((terminal, number), told)| {
            told.places.iter().map(move |place| (place, Occupant::Event(terminal, *number)))
        });
        let entries = self.entries.iter().flat_map(|(number, told)| {
            told.places.iter().map(move |place| (place, Occupant::Entry(*number)))
        });
        events.chain(entries)
    }
}

/// Results of events that both show, and that the newer one should still have: a pack takes minutes, in which somebody may judge
/// anew what it reads last.
fn results_gone(older: &Contents, newer: &Contents) -> u64 {
    let Some(made_at) = newer.made_at else { return 0 };
    let is_gone = |(key, (_, judged_at)): &(&(String, u64, u64), &(Digest, i64))| {
        let told = newer.events.get(&(key.0.clone(), key.1));
        let is_shown = told.is_some_and(|told| told.happened.is_some());
        is_shown && judged_at.saturating_add(CLOCK_STEP_MS) < made_at && !newer.results.contains_key(*key)
    };
    older.results.iter().filter(is_gone).count() as u64
}

/// The one whose log is longer last; nothing of receipts, and of two logs of one length.
fn in_order<'a>(pack: &'a Contents, other: &'a Contents) -> Option<(&'a Contents, &'a Contents)> {
    match pack.end()?.cmp(&other.end()?) {
        Ordering::Less => Some((pack, other)),
        Ordering::Equal => None,
        Ordering::Greater => Some((other, pack)),
    }
}

/// Of what was deleted the server has no bytes any more, and signs for those that are sent once more. Before that it has them.
fn deleted_from(both: [Option<&Told>; 2]) -> Option<i64> {
    let first = both.into_iter().flatten().filter_map(|told| told.at).min();
    first.map(|at| at.saturating_add(KEPT_AT_LEAST_MS))
}

/// The digests that count.
fn counted(told: &Told, deleted_from: Option<i64>) -> impl Iterator<Item = &Digest> {
    let placeless = told.placeless.iter().filter(move |told| deleted_from.is_some_and(|from| told.at < from));
    told.digests.iter().chain(placeless.map(|told| &told.digest))
}

/// What is told differently, by the two or by one of them.
fn difference(both: [Option<&Told>; 2]) -> Option<Difference> {
    let (told, from) = (|| both.into_iter().flatten(), deleted_from(both));
    let digests: BTreeSet<_> = told().flat_map(|told| counted(told, from)).collect();
    let places: BTreeSet<_> = told().flat_map(|told| &told.places).collect();
    if digests.len() > 1 {
        return Some(Difference::Bytes);
    }
    (places.len() > 1).then_some(Difference::Place)
}

/// Finds runs of what differs in the same way.
struct Runs<'a, How> {
    done: Vec<(&'a str, Run, How)>,
    is_open: bool,
}

impl<How> Default for Runs<'_, How> {
    fn default() -> Self {
        Self { done: Vec::new(), is_open: false }
    }
}

impl<'a, How: Copy + PartialEq> Runs<'a, How> {
    /// The next number of a group, and how it differs, if it does.
    fn add(&mut self, group: &'a str, number: u64, how: Option<How>) {
        let Some(how) = how else {
            self.is_open = false;
            return;
        };
        match self.done.last_mut().filter(|_| self.is_open) {
            Some((last, run, same)) if *last == group && *same == how => {
                (run.last, run.count) = (number, run.count + 1);
            }
            Some(_) | None => self.done.push((group, Run { first: number, last: number, count: 1 }, how)),
        }
        self.is_open = true;
    }

    fn finish(self) -> Vec<(&'a str, Run, How)> {
        self.done
    }
}
