//! A comparison under way.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;

use super::{Absence, Comparison, Contents, Contradiction, Difference, Place, Run, Told};

/// Contradictions that are kept; the others are only counted.
const KEPT: usize = 50;

/// Nothing is deleted earlier after its receipt: three years, in milliseconds.
const KEPT_AT_LEAST_MS: i64 = 3 * 365 * 86_400_000;

/// Compares a pack with another pack, or with receipts, of the same contract.
#[must_use]
pub fn compare(pack: &Contents, other: &Contents) -> Comparison {
    let mut work = Work { found: BTreeSet::new(), told: BTreeSet::new(), done: Comparison::default() };
    work.done.receipts = [other.receipts, other.foreign_lines];
    work.done.other_receipts = [other.other_contracts, other.unplaced];
    work.terminals(pack, other);
    work.events(pack, other);
    work.entries(pack, other);
    work.results(pack, other);
    work.leaves(pack, other);
    work.trees(pack, other);
    work.ends(pack, other);
    work.shorter(pack, other, true);
    work.shorter(other, pack, false);
    work.finish()
}

/// A comparison under way.
pub(super) struct Work {
    found: BTreeSet<Contradiction>,
    /// Places of which a contradiction tells already.
    told: BTreeSet<Place>,
    pub(super) done: Comparison,
}

impl Work {
    pub(super) fn contradict(&mut self, found: Contradiction) {
        self.found.insert(found);
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
        self.done.restores = pack.restores.union(&other.restores).copied().collect();
    }

    fn events(&mut self, pack: &Contents, other: &Contents) {
        let keys: BTreeSet<_> = pack.events.keys().chain(other.events.keys()).collect();
        let mut runs = Runs::default();
        for key in keys {
            let both = [pack.events.get(key), other.events.get(key)];
            let how = self.event(pack, other, key, both);
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
            [Some(_), Some(_)] => {
                self.done.events += 1;
                return difference(both);
            }
            [None, Some(there)] => pack.absence_of(key, there),
            [Some(here), None] => other.absence_of(key, here),
            [None, None] => return None,
        };
        match absence {
            Absence::Silent => self.done.uncompared[0] += u64::from(both[0].is_none()),
            Absence::Retired => self.done.retired += 1,
            Absence::Differs(how) => return difference(both).or(Some(how)),
        }
        difference(both)
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
                    let how = pack.absence(&there.places, false);
                    self.done.uncompared[1] += u64::from(how.is_none());
                    how
                }
                [Some(here), None] => other.absence(&here.places, false),
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
        let places = both.into_iter().flatten().flat_map(|told| &told.places);
        self.told.extend(places.cloned());
    }

    /// Results are never changed, and a new one has a number of its own.
    fn results(&mut self, pack: &Contents, other: &Contents) {
        let mut differs: BTreeMap<(&str, u64), bool> = BTreeMap::new();
        for (key, there) in &other.results {
            let Some(here) = pack.results.get(key) else { continue };
            self.done.others[1] += 1;
            *differs.entry((&key.0, key.1)).or_default() |= here != there;
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
        let mut runs = Runs::default();
        for (place, there) in &other.leaves {
            let Some(here) = pack.leaves.get(place) else { continue };
            let differs = here.hash != there.hash && !self.told.contains(place);
            runs.add(&place.0, place.1, differs.then_some(()));
        }
        for (month, run, ()) in runs.finish() {
            self.contradict(Contradiction::Leaves { month: month.to_owned(), run });
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
                    self.contradict(Contradiction::Tree { month: month.clone(), size: *size });
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
        // What one of them computes from its leaves counts for what the other one names.
        let computed = there.and(from_pack).or(here.and(from_other));
        if is_named_by_both {
            self.done.trees += 1;
        } else if computed.is_some() {
            self.done.recomputed_trees += 1;
        } else if there.is_some() {
            self.done.uncompared[2] += 1;
        }
        let mut roots: BTreeSet<String> = named.into_iter().flatten().flatten().cloned().collect();
        roots.extend(computed.map(ToString::to_string));
        (roots.len() <= 1).then_some(())
    }
}

/// What is told differently, by the two or by one of them.
fn difference(both: [Option<&Told>; 2]) -> Option<Difference> {
    let told = || both.into_iter().flatten();
    let mut digests: BTreeSet<_> = told().flat_map(|told| &told.digests).collect();
    // Of what was deleted the server has no bytes any more, and signs for those that are sent once more. Before that it
    // has them.
    let deleted_from = told().filter_map(|told| told.at).min().map(|at| at.saturating_add(KEPT_AT_LEAST_MS));
    let before = |at: i64| deleted_from.is_some_and(|from| at < from);
    let placeless = told().flat_map(|told| &told.placeless);
    digests.extend(placeless.filter(|(_, at)| before(*at)).map(|(digest, _)| digest));
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
