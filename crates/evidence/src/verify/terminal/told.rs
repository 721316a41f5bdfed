//! What of a terminal is told by name, and kept to be compared or read.

use mngntime_attendance::completeness::{Received, put_right};
use mngntime_ledger::leaf::LogLeaf;
use mngntime_model::EventKind;
use mngntime_wire::LogTree;

use super::{Report, TerminalCheck};
use crate::format;
use crate::japan;
use crate::nights::Nights;

/// Events of a kind that are named; the others are only counted.
const NAMED_MAX: usize = 300;

/// The largest tree of the log that a receipt names: whoever holds that receipt is its witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The tree.
    pub tree: LogTree,
    /// When the first receipt that names it was given, UTC milliseconds by the server's clock.
    pub at: i64,
}

/// An event that is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEvent {
    /// Its terminal.
    pub terminal: String,
    /// Its number.
    pub sequence: u64,
    /// The day in Japan on which it happened, by the terminal's clock, `YYYY-MM-DD`.
    pub date: String,
}

/// Days of a terminal that are not told, since there are too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaysCut {
    /// Its terminal.
    pub terminal: String,
    /// The first and the last of them, `YYYY-MM-DD`.
    pub dates: [String; 2],
    /// How many they are.
    pub days: u64,
}

/// A logon or logoff as the record shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPunch {
    /// Its terminal.
    pub terminal: String,
    /// Its number.
    pub sequence: u64,
    /// Whether somebody logged on; off otherwise.
    pub is_logon: bool,
    /// When, UTC milliseconds by the terminal's clock; where that was years off, by the server's.
    pub occurred_at: i64,
    /// What the terminal's clock showed, where that was years off.
    pub stamped_at: Option<i64>,
    /// The date in Japan, `YYYY-MM-DD`; of a logoff that ends a night that of the evening.
    pub date: String,
    /// Earliest and latest time, where only these are known.
    pub bounds: Option<(i64, i64)>,
    /// Domain and name of the account.
    pub account: Option<(String, String)>,
    /// When it was received, UTC milliseconds by the server's clock.
    pub received_at: i64,
    /// 再送.
    pub resent: bool,
    /// Whether its terminal's signature was found.
    pub is_signed: bool,
    /// Whether that is because it came with something that the pack does not show.
    pub is_withheld: bool,
    /// The newest result, by the server's word: its `res`, if it has one. Absent when the pack shows none.
    pub result: Option<Option<u8>>,
}

impl ShownPunch {
    /// What punches are ordered by.
    pub(crate) fn by_time(&self) -> (i64, &str, u64) {
        (self.occurred_at, &self.terminal, self.sequence)
    }
}

impl TerminalCheck {
    /// Id and the number that came last.
    pub(in crate::verify) fn newest(&self) -> (&str, u64) {
        (&self.line.id, self.next.saturating_sub(1))
    }

    /// Adds what is named, and what was asked for.
    pub(in crate::verify) fn tell(&self, pack: &format::Pack, punches: bool, report: &mut Report) {
        self.tell_unsigned(report);
        for (tree, at) in self.named.values() {
            let size = |tree: &LogTree| (tree.month.clone(), tree.size);
            let is_further = |known: &Witnessed| {
                (size(&known.tree), std::cmp::Reverse(known.at)) < (size(tree), std::cmp::Reverse(*at))
            };
            if report.witnessed.as_ref().is_none_or(is_further) {
                report.witnessed = Some(Witnessed { tree: tree.clone(), at: *at });
            }
        }
        if punches {
            report.punches.extend(self.punches(pack));
        }
        self.tell_contents(pack, report);
    }

    fn tell_unsigned(&self, report: &mut Report) {
        for received in &self.events {
            let sequence = received.event.sequence;
            let lacks = !self.signed.contains(&sequence) && !self.is_withheld(sequence);
            if report.unsigned.len() < NAMED_MAX && lacks {
                report.unsigned.push(self.name(received));
            }
        }
    }

    /// Adds the events that came with none of the batches that are here.
    pub(super) fn tell_sent_otherwise(&self, numbers: &[u64], report: &mut Report) {
        report.sent_otherwise_count += numbers.len() as u64;
        let are_among = |received: &&Received| numbers.binary_search(&received.event.sequence).is_ok();
        let room = NAMED_MAX.saturating_sub(report.sent_otherwise.len());
        let named = self.events.iter().filter(are_among).take(room);
        report.sent_otherwise.extend(named.map(|received| self.name(received)));
    }

    fn name(&self, received: &Received) -> NamedEvent {
        let date = japan::date_at(received.event.occurred_at).to_string();
        NamedEvent { terminal: self.line.id.clone(), sequence: received.event.sequence, date }
    }

    fn punches(&self, pack: &format::Pack) -> impl Iterator<Item = ShownPunch> {
        let mut nights = Nights::until(pack.night_minutes);
        let punches = put_right(self.events.clone()).into_iter();
        punches.filter(|received| received.event.kind.is_punch()).map(move |received| {
            let (event, stamped_at) = (&received.event, received.stamped_at);
            let date = nights.date_of(event).to_string();
            nights.note(event);
            // What stands for a time that nobody has seen is no interval.
            let bounds = event.bounds.filter(|it| stamped_at.is_none() || it.not_before < it.not_after);
            ShownPunch {
                date,
                terminal: self.line.id.clone(),
                sequence: event.sequence,
                is_logon: event.kind == EventKind::Logon,
                occurred_at: event.occurred_at.0,
                stamped_at: stamped_at.map(|at| at.0),
                bounds: bounds.map(|bounds| (bounds.not_before.0, bounds.not_after.0)),
                account: event.account.as_ref().map(|it| (it.domain.clone(), it.name.clone())),
                received_at: received.received_at.0,
                resent: self.known.get(&event.sequence).is_some_and(|known| known.resent),
                is_signed: self.signed.contains(&event.sequence),
                is_withheld: self.is_withheld(event.sequence),
                result: self.results.get(&event.sequence).copied(),
            }
        })
    }

    fn tell_contents(&self, pack: &format::Pack, report: &mut Report) {
        let Some(contents) = &mut report.contents else { return };
        for (sequence, known) in &self.known {
            let leaf = LogLeaf {
                v: 1,
                contract: pack.contract.clone(),
                terminal: self.line.id.clone(),
                seq: *sequence,
                hash: known.digest.to_string(),
                received_at: known.received_at,
                resent: known.resent,
                clock_offset_ms: known.clock_offset_ms,
            };
            let place = (known.month.clone(), known.leaf);
            contents.event((&self.line.id, *sequence), known.digest, place.clone(), known.received_at);
            if let Ok(hash) = leaf.hash() {
                contents.leaf(place, hash, known.received_at);
            }
        }
        for event in self.events.iter().map(|received| &received.event) {
            contents.happened((&self.line.id, event.sequence), event.occurred_at.0);
        }
        contents.missing(&self.line.id, &self.missing);
        contents.retired(&self.line.id, &self.retired);
        for (tree, at) in self.named.values() {
            contents.tree(tree, *at);
        }
    }
}
