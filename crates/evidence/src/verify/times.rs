//! The server's times beside the order of its log.
//!
//! The log has the order of receipt, and each leaf the time of the server's clock. An honest server's times go forward
//! with the leaves and lie in the leaves' months, but for a clock that is set: so what stands out here is no fault. It is
//! what a leaf looks like that was written with a time of the past, and whoever reads the record must know it. Leaves are
//! compared with the one that is shown before them: a clock that was set back once is told of once. So are a receipt that was
//! given before its event came, and a record that was made before what it holds: of the days after that it says nothing.

use std::collections::BTreeMap;

use mngntime_ledger::audit::AuditRecord;

use crate::format::Place;
use crate::months;

/// What two times may differ by without being told of: what requests that are answered at the same time, or nodes whose
/// clocks are kept by the network, differ by, and clocks that are corrected by a little. Five minutes, in milliseconds.
pub const CLOCK_STEP_MS: i64 = 5 * 60_000;

/// Odd times that are kept in words; the others are only counted.
const ODD_KEPT: usize = 50;

/// Those of them that lie before the contract was made. With a clock that was ahead at that moment all the log does, and one
/// cause says it.
const BEFORE_CONTRACT_KEPT: u64 = 3;

/// The action by which a contract begins.
const CREATE_CONTRACT: &str = "create_contract";

/// What has a time of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamped {
    /// An event, received then.
    Event {
        /// Its terminal.
        terminal: String,
        /// Its number.
        sequence: u64,
    },
    /// An entry of the audit log, noted then.
    Entry {
        /// Its number.
        number: u64,
    },
    /// A receipt, given then.
    Receipt {
        /// The terminal whose it is.
        terminal: String,
        /// The number of the event of those in it that came last.
        sequence: u64,
    },
    /// The record itself, made then.
    Pack,
}

/// What is odd about a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// What stands before it in the log has this later time.
    Backwards {
        /// UTC milliseconds.
        after: i64,
    },
    /// It lies outside of the leaf's month.
    OutsideMonth,
    /// The contract was made at this later time.
    BeforeContract {
        /// UTC milliseconds.
        made: i64,
    },
    /// The event that the receipt is of came at this later time.
    BeforeItsEvent {
        /// UTC milliseconds.
        received: i64,
    },
    /// The record holds something of this later time.
    BeforeItsContents {
        /// UTC milliseconds.
        newest: i64,
    },
}

/// A time that is odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddTime {
    /// Of what.
    pub of: Stamped,
    /// Month of the leaf that it is compared with; empty where that is none.
    pub month: String,
    /// The time, UTC milliseconds by the server's clock.
    pub at: i64,
    /// What is odd about it.
    pub oddity: Oddity,
}

/// A leaf that is there.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    leaf: u64,
    at: i64,
    /// Which of the terminals it is of; none: an entry.
    terminal: Option<u32>,
    /// The event's or the entry's number.
    number: u64,
}

/// The leaves that are there, by month.
#[derive(Debug, Clone, Default)]
pub(super) struct LeafTimes {
    months: BTreeMap<String, Vec<Leaf>>,
    terminals: Vec<String>,
    /// When the contract was made.
    made: Option<i64>,
    /// When the newest head was signed.
    head: Option<i64>,
    /// What is not of the leaves and odd, and how many of these there are.
    noted: (Vec<OddTime>, u64),
}

/// The odd times of a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Odd {
    /// First that of the record, then the leaves' in the order of the log.
    pub(super) kept: Vec<OddTime>,
    /// How many there are.
    pub(super) count: u64,
    /// How many of them lie before the contract was made.
    pub(super) before_contract: u64,
}

impl LeafTimes {
    pub(super) fn event(&mut self, (terminal, sequence): (&str, u64), place: &Place) {
        if self.terminals.last().is_none_or(|last| last != terminal) {
            self.terminals.push(terminal.to_owned());
        }
        let terminal = u32::try_from(self.terminals.len()).unwrap_or(u32::MAX);
        self.add(&place.month, place.leaf, place.received_at, Some((terminal - 1, sequence)));
    }

    pub(super) fn entry(&mut self, record: &AuditRecord, (month, leaf): (&str, u64)) {
        if record.action == CREATE_CONTRACT {
            self.made = self.made.max(Some(record.at));
        }
        let leaves = self.months.entry(month.to_owned()).or_default();
        leaves.push(Leaf { leaf, at: record.at, terminal: None, number: record.number });
    }

    pub(super) fn add(&mut self, month: &str, leaf: u64, at: i64, event: Option<(u32, u64)>) {
        let (terminal, number) = event.unzip();
        let leaf = Leaf { leaf, at, terminal, number: number.unwrap_or_default() };
        self.months.entry(month.to_owned()).or_default().push(leaf);
    }

    /// Leaves of a month that are there.
    pub(super) fn count(&self, month: &str) -> u64 {
        let leaves = self.months.get(month).map_or(&[][..], Vec::as_slice);
        let mut leaves: Vec<u64> = leaves.iter().map(|leaf| leaf.leaf).collect();
        leaves.sort_unstable();
        leaves.dedup();
        leaves.len() as u64
    }

    pub(super) fn head(&mut self, signed_at: i64) {
        self.head = self.head.max(Some(signed_at));
    }

    /// A time that is odd and not that of a leaf.
    pub(super) fn note(&mut self, odd: OddTime) {
        let (kept, count) = &mut self.noted;
        *count += 1;
        if kept.len() < ODD_KEPT {
            kept.push(odd);
        }
    }

    pub(super) fn odd(&mut self, made_at: Option<i64>) -> Odd {
        let mut kept: Vec<OddTime> =
            made_at.and_then(|made_at| self.before_its_contents(made_at)).into_iter().collect();
        let leaves = self.odd_leaves();
        let (noted, of_others) = std::mem::take(&mut self.noted);
        let count = kept.len() as u64 + leaves.count + of_others;
        kept.extend(leaves.kept.into_iter().chain(noted));
        kept.truncate(ODD_KEPT);
        Odd { kept, count, before_contract: leaves.before_contract }
    }

    fn before_its_contents(&self, made_at: i64) -> Option<OddTime> {
        let leaves = self.months.values().flatten().map(|leaf| leaf.at);
        let newest = leaves.chain(self.head).max()?;
        let (month, oddity) = (String::new(), Oddity::BeforeItsContents { newest });
        (made_at < newest.saturating_sub(CLOCK_STEP_MS)).then_some(OddTime {
            of: Stamped::Pack,
            month,
            at: made_at,
            oddity,
        })
    }

    fn odd_leaves(&mut self) -> Odd {
        let (mut odd, mut before) = (Odd::default(), None);
        for (month, leaves) in &mut self.months {
            leaves.sort_by_key(|leaf| leaf.leaf);
            let span = months::span(month);
            for leaf in leaves {
                let after = before.replace(leaf.at);
                let Some(oddity) = oddity(leaf.at, after, span, self.made) else { continue };
                odd.count += 1;
                let is_of_all = matches!(oddity, Oddity::BeforeContract { .. });
                odd.before_contract += u64::from(is_of_all);
                let is_told = is_of_all && odd.before_contract > BEFORE_CONTRACT_KEPT;
                if odd.kept.len() < ODD_KEPT && !is_told {
                    let of = stamped(*leaf, &self.terminals);
                    odd.kept.push(OddTime { of, month: month.clone(), at: leaf.at, oddity });
                }
            }
        }
        odd
    }
}

fn stamped(leaf: Leaf, terminals: &[String]) -> Stamped {
    let terminal = leaf.terminal.and_then(|index| terminals.get(usize::try_from(index).ok()?));
    match terminal {
        Some(terminal) => Stamped::Event { terminal: terminal.clone(), sequence: leaf.number },
        None => Stamped::Entry { number: leaf.number },
    }
}

/// The one that says most.
fn oddity(at: i64, after: Option<i64>, span: Option<(i64, i64)>, made: Option<i64>) -> Option<Oddity> {
    let lies_before = |other: i64| at < other.saturating_sub(CLOCK_STEP_MS);
    if let Some(made) = made.filter(|made| lies_before(*made)) {
        return Some(Oddity::BeforeContract { made });
    }
    if span.is_some_and(|(from, to)| lies_before(from) || at >= to.saturating_add(CLOCK_STEP_MS)) {
        return Some(Oddity::OutsideMonth);
    }
    after.filter(|after| lies_before(*after)).map(|after| Oddity::Backwards { after })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-01 00:00 and 2026-12-01 00:00 in Japan.
    const NOVEMBER: i64 = 1_793_458_800_000;
    const DECEMBER: i64 = 1_796_050_800_000;

    /// What is kept, and how many there are.
    fn told(times: &mut LeafTimes, made_at: Option<i64>) -> (Vec<OddTime>, u64) {
        let odd = times.odd(made_at);
        (odd.kept, odd.count)
    }

    #[test]
    fn times_go_forward_with_the_leaves_but_for_a_clock_that_is_set_by_a_little() {
        let odd = |second: i64| {
            let mut times = LeafTimes::default();
            // Leaves come by terminal, and are compared by their place.
            times.add("2026-11", 8, second, Some((0, 2)));
            times.add("2026-11", 3, NOVEMBER + 900_000, Some((0, 1)));
            told(&mut times, None)
        };
        assert_eq!(odd(NOVEMBER + 900_000), (vec![], 0));
        assert_eq!(odd(NOVEMBER + 600_000), (vec![], 0), "five minutes");
        let (kept, count) = odd(NOVEMBER + 599_999);
        assert_eq!((kept.len(), count), (1, 1));
        assert_eq!(kept[0].oddity, Oddity::Backwards { after: NOVEMBER + 900_000 });
    }

    #[test]
    fn a_clock_that_was_set_back_once_is_told_of_once() {
        let mut times = LeafTimes::default();
        for (leaf, at) in [(0, 900_000_000), (1, 0), (2, 1_000), (3, 2_000)] {
            times.add("2026-11", leaf, NOVEMBER + at, None);
        }
        assert_eq!(told(&mut times, None).1, 1);
    }

    #[test]
    fn a_time_lies_in_the_month_of_its_leaf_but_for_a_clock_that_is_set_by_a_little() {
        let odd = |at| {
            let mut times = LeafTimes::default();
            times.add("2026-11", 0, at, None);
            told(&mut times, None).0.first().map(|odd| odd.oddity)
        };
        assert_eq!((odd(NOVEMBER), odd(NOVEMBER - CLOCK_STEP_MS)), (None, None));
        assert_eq!(odd(NOVEMBER - CLOCK_STEP_MS - 1), Some(Oddity::OutsideMonth));
        assert_eq!((odd(DECEMBER - 1), odd(DECEMBER + CLOCK_STEP_MS - 1)), (None, None));
        assert_eq!(odd(DECEMBER + CLOCK_STEP_MS), Some(Oddity::OutsideMonth));
    }

    #[test]
    fn nothing_is_of_a_time_before_its_contract() {
        let made = NOVEMBER + 900_000;
        let record = |action: &str, number, at| AuditRecord {
            v: 1,
            contract: "demo".into(),
            number,
            at,
            by: "server".into(),
            action: action.into(),
            object: String::new(),
            detail: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
        };
        let odd = |at| {
            let mut times = LeafTimes::default();
            times.entry(&record(CREATE_CONTRACT, 1, made), ("2026-11", 0));
            times.entry(&record("sign_in", 2, at), ("2026-11", 1));
            told(&mut times, None).0
        };
        assert_eq!(odd(made - CLOCK_STEP_MS), []);
        let found = odd(made - CLOCK_STEP_MS - 1);
        assert_eq!((found.len(), &found[0].oddity), (1, &Oddity::BeforeContract { made }));
        assert_eq!(found[0].of, Stamped::Entry { number: 2 });
    }

    /// Everything is odd then, for ever: what else is odd is still named.
    #[test]
    fn of_a_contract_that_was_made_with_a_clock_that_was_ahead_some_times_are_named_and_all_are_counted() {
        let mut times = LeafTimes { made: Some(DECEMBER - 1), ..LeafTimes::default() };
        (0..80).for_each(|leaf| times.add("2026-11", leaf, NOVEMBER + 900_000, Some((0, leaf + 1))));
        times.add("2026-11", 80, DECEMBER + CLOCK_STEP_MS, None);
        let odd = times.odd(None);
        let oddities: Vec<_> = odd.kept.iter().map(|odd| odd.oddity).collect();
        let before = Oddity::BeforeContract { made: DECEMBER - 1 };
        assert_eq!(oddities, [before, before, before, Oddity::OutsideMonth]);
        assert_eq!((odd.count, odd.before_contract), (81, 80));
    }

    #[test]
    fn an_odd_time_is_told_with_its_terminal_and_number() {
        let mut times = LeafTimes::default();
        for (leaf, (terminal, number)) in [("a", 7), ("a", 8), ("b", 8), ("b", 9)].into_iter().enumerate() {
            let (leaf, month) = (leaf as u64, "2026-11".to_owned());
            let place =
                Place { month, leaf, received_at: 0, resent: false, clock_offset_ms: 0, proof: vec![] };
            times.event((terminal, number), &place);
        }
        let event = |terminal: &str, sequence| Stamped::Event { terminal: terminal.into(), sequence };
        let named: Vec<_> = told(&mut times, None).0.into_iter().map(|odd| odd.of).collect();
        assert_eq!(named, [event("a", 7), event("a", 8), event("b", 8), event("b", 9)]);
    }

    #[test]
    fn many_odd_times_are_counted_and_some_are_named() {
        let mut times = LeafTimes::default();
        (0..80).for_each(|leaf| times.add("2026-11", leaf, 0, Some((0, leaf + 1))));
        let (kept, count) = told(&mut times, None);
        assert_eq!((kept.len(), count), (ODD_KEPT, 80));
    }

    #[test]
    fn a_record_is_made_after_all_that_it_holds_but_for_a_clock_that_is_set_by_a_little() {
        let odd = |made_at: i64, head: i64, leaf: i64| {
            let mut times = LeafTimes::default();
            times.head(NOVEMBER + head);
            times.add("2026-11", 0, NOVEMBER + leaf, None);
            told(&mut times, Some(NOVEMBER + made_at))
        };
        assert_eq!(odd(900_000, 900_000, 900_000), (vec![], 0));
        assert_eq!((odd(600_000, 900_000, 0).1, odd(600_000, 0, 900_000).1), (0, 0), "five minutes");
        for (head, leaf) in [(900_000, 0), (0, 900_000)] {
            let (kept, count) = odd(599_999, head, leaf);
            assert_eq!((kept.len(), count), (1, 1));
            let oddity = Oddity::BeforeItsContents { newest: NOVEMBER + 900_000 };
            assert_eq!(
                (&kept[0].of, kept[0].at, kept[0].oddity),
                (&Stamped::Pack, NOVEMBER + 599_999, oddity)
            );
        }
    }

    #[test]
    fn leaves_are_counted_once() {
        let mut times = LeafTimes::default();
        [5, 1, 5].into_iter().for_each(|leaf| times.add("2026-11", leaf, 0, None));
        assert_eq!((times.count("2026-11"), times.count("2026-12")), (2, 0));
    }
}
