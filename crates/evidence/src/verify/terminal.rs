//! One terminal's lines.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use mngntime_attendance::completeness::{
    DeclaredLosses, Received, RetiredNumbers, State, Timeline, begin_of, day_of, declared_loss, put_right,
};
use mngntime_ledger::Digest;
use mngntime_ledger::leaf::LogLeaf;
use mngntime_ledger::log::check_inclusion;
use mngntime_model::{Declared, Event, UtcMillis};
use mngntime_wire::{EncodedEvent, LogTree, PublicKey, limits};

use super::noted::Noted;
use super::times::{CLOCK_STEP_MS, OddTime, Oddity, Stamped};
use super::{Around, FaultKind, Report, digests};
use crate::format::{self, Line, Place};
use crate::japan;
use crate::nights::Nights;
use sent::Sent;
use told::DaysCut;

mod receipts;
mod sent;
pub(super) mod told;

const DAY_MS: i64 = 86_400_000;

/// What is known of a number.
#[derive(Debug, Clone)]
struct Known {
    digest: Digest,
    month: String,
    leaf: u64,
    /// The bytes, when they are shown.
    json: Option<String>,
    received_at: i64,
    resent: bool,
    clock_offset_ms: i64,
}

/// A terminal that is being read.
#[derive(Debug, Clone)]
pub(super) struct TerminalCheck {
    line: format::Terminal,
    key: PublicKey,
    missing: Vec<(u64, u64)>,
    retired: Vec<format::Retired>,
    /// The next number that must be told of.
    next: u64,
    known: BTreeMap<u64, Known>,
    events: Vec<Received>,
    /// Digests of the events that are not shown.
    hidden: BTreeSet<Digest>,
    signed: BTreeSet<u64>,
    /// Digests of the batches.
    batches: BTreeSet<String>,
    sent: Vec<Sent>,
    /// Digests of batches, and when they arrived.
    arrived: BTreeSet<(String, i64)>,
    receipted: BTreeSet<u64>,
    /// The receipt that was read last, if its time does not fit.
    odd_receipt: Option<OddTime>,
    /// Numbers that came in a batch with something that is not shown here.
    withheld: BTreeSet<u64>,
    /// Trees of the log that receipts name, as [`earlier_name`] calls them, and when the first of these was given.
    named: BTreeMap<String, (LogTree, i64)>,
    judged: (u64, u64),
    /// Logons so far; absent before the first event.
    nights: Option<Nights>,
    /// Events that are somebody else's by their own times. Whether a clock was years off shows only when all events are read.
    doubted: BTreeSet<u64>,
    /// The newest result of each number: its `res`, if it has one.
    results: BTreeMap<u64, Option<u8>>,
    /// The first and the last date so far.
    dates: Option<(Date, Date)>,
    timeline: Option<Timeline>,
    counts: Report,
}

impl TerminalCheck {
    pub(super) fn new(line: format::Terminal) -> Option<Self> {
        let key = PublicKey::parse(&line.public_key).ok()?;
        let in_order = 1 <= line.numbers.first
            && line.numbers.first <= line.numbers.last.saturating_add(1)
            && line.numbers.last <= limits::SEQUENCE_MAX;
        let next = line.numbers.first;
        in_order.then(|| Self {
            line,
            key,
            missing: Vec::new(),
            retired: Vec::new(),
            next,
            known: BTreeMap::new(),
            events: Vec::new(),
            hidden: BTreeSet::new(),
            signed: BTreeSet::new(),
            batches: BTreeSet::new(),
            sent: Vec::new(),
            arrived: BTreeSet::new(),
            receipted: BTreeSet::new(),
            odd_receipt: None,
            withheld: BTreeSet::new(),
            named: BTreeMap::new(),
            judged: (0, 0),
            results: BTreeMap::new(),
            dates: None,
            nights: None,
            doubted: BTreeSet::new(),
            timeline: None,
            counts: Report::default(),
        })
    }

    pub(super) fn take(&mut self, line: &Line, around: &Around<'_>) -> Vec<FaultKind> {
        match line {
            Line::Missing(numbers) => self.missing(*numbers),
            Line::Retired(gone) => self.retired(gone, around),
            Line::Event(event) => self.event(event, around),
            Line::Hidden(hidden) => self.hidden(hidden, around),
            Line::Batch(batch) => self.batch(batch, around),
            Line::Receipt(receipt) => self.receipt(&receipt.envelope, around),
            Line::Judgement(judgement) => self.judgement(judgement),
            Line::Day(day) => fault_unless(self.day(day, around), FaultKind::WrongDay),
            Line::Pack(_)
            | Line::Employee(_)
            | Line::Account(_)
            | Line::Link(_)
            | Line::Head(_)
            | Line::Earlier(_)
            | Line::Audit(_)
            | Line::Terminal(_)
            | Line::End(_) => vec![FaultKind::Misplaced],
        }
    }

    /// Missing numbers come in order, and before the events.
    fn missing(&mut self, numbers: format::Numbers) -> Vec<FaultKind> {
        let after_last = self.missing.last().is_none_or(|(_, last)| *last < numbers.first);
        let within = self.line.numbers.first <= numbers.first
            && numbers.first <= numbers.last
            && numbers.last <= self.line.numbers.last;
        self.missing.push((numbers.first, numbers.last));
        fault_unless(after_last && within, FaultKind::Misplaced)
    }

    /// Retired numbers come in order, before the events, and an entry of the audit log names exactly them.
    fn retired(&mut self, line: &format::Retired, around: &Around<'_>) -> Vec<FaultKind> {
        let after_last = self.retired.last().is_none_or(|before| before.last < line.first);
        let within = self.line.numbers.first <= line.first
            && line.first <= line.last
            && line.last <= self.line.numbers.last;
        // Neither its beginning nor its end is missing, and no missing numbers lie in it.
        let is_apart = !self.missing.iter().any(|(first, last)| *first <= line.last && line.first <= *last);
        let mut faults = fault_unless(after_last && within && is_apart, FaultKind::Misplaced);
        let is_noted = around.noted.has_retired(&self.line.id, line);
        fault_if(&mut faults, !is_noted, FaultKind::NotRetired { sequence: line.first });
        self.retired.push(line.clone());
        faults
    }

    fn event(&mut self, line: &format::EventLine, around: &Around<'_>) -> Vec<FaultKind> {
        let Ok(encoded) = EncodedEvent::decode(&line.json) else {
            return vec![FaultKind::WrongEvent { sequence: self.next }];
        };
        let sequence = encoded.event.sequence;
        let faults = self.place(sequence, encoded.digest, &line.place, around, Some(line.json.clone()));
        let nights = self.nights.get_or_insert_with(|| Nights::until(around.pack.night_minutes));
        if !is_shown(&encoded.event, nights, around.pack, around.links) {
            self.doubted.insert(sequence);
        }
        nights.note(&encoded.event);
        self.follow(&encoded.event, encoded.previous);
        let place = &line.place;
        self.counts.clock_offset_max_ms =
            self.counts.clock_offset_max_ms.max(place.clock_offset_ms.unsigned_abs());
        let received_at = UtcMillis(place.received_at);
        self.events.push(Received::of(encoded.event, received_at, place.clock_offset_ms));
        faults
    }

    fn hidden(&mut self, line: &format::Hidden, around: &Around<'_>) -> Vec<FaultKind> {
        let Ok(digest) = Digest::parse(&line.hash) else {
            return vec![FaultKind::Malformed];
        };
        self.hidden.insert(digest);
        let mut faults = self.place(line.seq, digest, &line.place, around, None);
        let is_for_somebody = around.pack.employee.is_some();
        fault_if(&mut faults, !is_for_somebody, FaultKind::HiddenFromNobody { sequence: line.seq });
        faults
    }

    /// Whether the number is the next one, and the digest stands in the log where it is said to stand.
    fn place(
        &mut self,
        sequence: u64,
        digest: Digest,
        place: &Place,
        around: &Around<'_>,
        json: Option<String>,
    ) -> Vec<FaultKind> {
        let mut faults = self.pass_over_missing(sequence);
        if self.in_log(sequence, digest, place, around).is_none() {
            faults.push(FaultKind::NotInLog { sequence });
        }
        let Place { month, leaf, received_at, resent, clock_offset_ms, proof: _ } = place;
        let (month, leaf, received_at) = (month.clone(), *leaf, *received_at);
        let (resent, clock_offset_ms) = (*resent, *clock_offset_ms);
        let known = Known { digest, month, leaf, json, received_at, resent, clock_offset_ms };
        self.known.insert(sequence, known);
        self.next = sequence.saturating_add(1);
        faults
    }

    /// Every number between the last one and `sequence` must have been declared missing.
    fn pass_over_missing(&mut self, sequence: u64) -> Vec<FaultKind> {
        if sequence < self.next || sequence > self.line.numbers.last {
            return vec![FaultKind::WrongEvent { sequence }];
        }
        let mut faults = self.walk_to(sequence);
        // A number that is said to be missing and is there.
        fault_if(&mut faults, self.next > sequence, FaultKind::WrongEvent { sequence });
        let is_missing = self.missing_with(sequence).or(self.retired_with(sequence)).is_some();
        fault_if(&mut faults, is_missing, FaultKind::WrongEvent { sequence });
        faults
    }

    /// Goes on over missing numbers up to `sequence`; the first number that is neither there nor missing is a fault.
    fn walk_to(&mut self, sequence: u64) -> Vec<FaultKind> {
        while self.next < sequence {
            let Some((_, last)) = self.missing_with(self.next).or(self.retired_with(self.next)) else {
                let left_out = std::mem::replace(&mut self.next, sequence);
                return vec![FaultKind::LeftOut { sequence: left_out }];
            };
            self.next = last.saturating_add(1);
        }
        Vec::new()
    }

    /// The missing numbers that this one is of. They ascend.
    fn missing_with(&self, sequence: u64) -> Option<(u64, u64)> {
        let place = self.missing.partition_point(|(_, last)| *last < sequence);
        self.missing.get(place).copied().filter(|(first, _)| *first <= sequence)
    }

    /// The retired numbers that this one is of. They ascend.
    fn retired_with(&self, sequence: u64) -> Option<(u64, u64)> {
        let place = self.retired.partition_point(|gone| gone.last < sequence);
        let found = self.retired.get(place).filter(|gone| gone.first <= sequence);
        found.map(|gone| (gone.first, gone.last))
    }

    fn in_log(&self, sequence: u64, digest: Digest, place: &Place, around: &Around<'_>) -> Option<()> {
        let leaf = LogLeaf {
            v: 1,
            contract: around.pack.contract.clone(),
            terminal: self.line.id.clone(),
            seq: sequence,
            hash: digest.to_string(),
            received_at: place.received_at,
            resent: place.resent,
            clock_offset_ms: place.clock_offset_ms,
        };
        let tree = around.trees.get(&place.month)?;
        let path = digests(&place.proof)?;
        check_inclusion(&path, tree.size, tree.root, place.leaf, leaf.hash().ok()?).ok()
    }

    /// The terminal's own chain: each event names the digest of the one before it.
    fn follow(&mut self, event: &Event, previous: Digest) {
        let sequence = event.sequence;
        if matches!(event.declared(), Some(Declared::RolledBack { .. })) {
            // Its own history goes on from an earlier number than the server's.
            self.counts.roll_backs.push((self.line.id.clone(), sequence));
            return;
        }
        let before = match sequence {
            1 => Some(Digest::GENESIS),
            _ => self.known.get(&(sequence - 1)).map(|known| known.digest),
        };
        match before {
            Some(before) if before == previous => self.counts.links += 1,
            Some(_) => self.counts.breaks.push((self.line.id.clone(), sequence)),
            None => {}
        }
    }

    /// Whether the number is one that this pack tells of.
    fn is_ours(&self, sequence: u64) -> bool {
        (self.line.numbers.first..=self.line.numbers.last).contains(&sequence)
    }

    /// Each punch's results are numbered from 1, in the order of the punches.
    fn judgement(&mut self, line: &format::Judgement) -> Vec<FaultKind> {
        let next = if line.seq == self.judged.0 { self.judged.1.saturating_add(1) } else { 1 };
        let in_order = line.seq >= self.judged.0 && line.number == next;
        let shown = self.known.get(&line.seq).is_some_and(|known| known.json.is_some());
        self.judged = (line.seq, line.number);
        self.results.insert(line.seq, line.res);
        fault_unless(in_order && shown, FaultKind::WrongJudgement)
    }

    /// What the events say, once they are all here.
    fn timeline(&mut self, made_at: i64) -> &Timeline {
        self.timeline.get_or_insert_with(|| {
            let contact = self.line.last_contact_at.map(UtcMillis);
            let hidden = self.known.iter().filter(|(_, known)| known.json.is_none());
            let hidden: Vec<u64> = hidden.map(|(number, _)| *number).collect();
            let retired: Vec<_> = self.retired.iter().map(gone).collect();
            let made_at = UtcMillis(made_at);
            Timeline::with_retired(&self.events, &self.missing, &hidden, &retired, contact, made_at)
        })
    }

    fn day(&mut self, line: &format::Day, around: &Around<'_>) -> bool {
        let made_at = around.pack.made_at;
        let day = self.timeline(made_at).day(UtcMillis(line.span[0]), UtcMillis(line.span[1]));
        match day.state {
            State::Observed => self.counts.days[0] += 1,
            State::AgentOff => self.counts.days[1] += 1,
            State::Retired => self.counts.retired_days += 1,
            State::Unknown => self.counts.days[2] += 1,
        }
        let date = date_of(line.span[0]).filter(|date| date.to_string() == line.date);
        let is_next = self.dates.is_none_or(|(_, last)| last.tomorrow().ok() == date);
        self.dates = date.map(|date| (self.dates.map_or(date, |(first, _)| first), date)).or(self.dates);
        // Japan's days have 24 hours; the last one ends when the pack was made.
        let ends = line.span[0].saturating_add(DAY_MS).min(made_at);
        date.is_some()
            && is_next
            && line.span[1] == ends
            && *line == format::Day::of(&line.date, line.span, &day)
    }

    /// Whether the days are all there: from the first date of the pack, or of the terminal, to the last date of the
    /// pack, or the day it was made; of too many the newest. Those before them are told of.
    fn has_all_days(&mut self, pack: &format::Pack) -> bool {
        let number = |text: &String| text.parse().ok().map(japan::number_of);
        let asked = match &pack.dates {
            Some([from, to]) => match number(from).zip(number(to)) {
                Some(asked) => Some(asked),
                None => return false,
            },
            None => None,
        };
        let (enrolled_at, made_at) = (UtcMillis(self.line.enrolled_at), UtcMillis(pack.made_at));
        let days = self.timeline(pack.made_at).days_told(enrolled_at, asked, made_at);
        if days.cut() > 0 {
            let dates = [days.begins, days.told.0 - 1].map(|day| japan::date_of(day).to_string());
            let terminal = self.line.id.clone();
            self.counts.days_cut.push(DaysCut { terminal, dates, days: days.cut().unsigned_abs() });
        }
        match self.dates {
            None => days.days().is_empty(),
            Some((begins, ends)) => (japan::number_of(begins), japan::number_of(ends)) == days.told,
        }
    }

    /// Whether all numbers have been told of; adds what was counted to the report.
    pub(super) fn leave(
        mut self,
        (pack, links): (&format::Pack, &[format::Link]),
        noted: &Noted,
        report: &mut Report,
    ) -> Vec<FaultKind> {
        let end = self.line.numbers.last.saturating_add(1);
        let mut faults = self.walk_to(end);
        faults.extend(self.somebody_elses(pack, links));
        fault_if(&mut faults, self.known.is_empty() && self.retired.is_empty(), FaultKind::EmptyTerminal);
        fault_if(&mut faults, !self.has_all_days(pack), FaultKind::WrongDay);
        let came = self.came();
        faults.extend(came.contradicted.map(|sequence| FaultKind::NotAsSent { sequence }));
        self.tell_sent_otherwise(&came.with_none, report);
        let first = self.known.values().map(|known| (known.month.clone(), known.leaf)).min();
        match noted.backs_key(&self.line.id, first.as_ref()) {
            Ok(is_backed) => report.unbacked_keys += u64::from(!is_backed),
            Err(fault) => faults.push(fault),
        }
        self.add_to(report);
        faults
    }

    /// Events that are somebody else's by the times of the server's clock, too, where the PC's was years off: their own, or
    /// that of the logon whose night they end.
    fn somebody_elses(&self, pack: &format::Pack, links: &[format::Link]) -> Vec<FaultKind> {
        if self.doubted.is_empty() {
            return Vec::new();
        }
        let mut nights = Nights::until(pack.night_minutes);
        let mut faults = Vec::new();
        for Received { event, .. } in put_right(self.events.clone()) {
            let is_theirs = is_shown(&event, &nights, pack, links);
            let is_fault = self.doubted.contains(&event.sequence) && !is_theirs;
            fault_if(&mut faults, is_fault, FaultKind::SomebodyElse { sequence: event.sequence });
            nights.note(&event);
        }
        faults
    }

    fn add_to(self, report: &mut Report) {
        let shown = |number: &&u64| self.known.get(*number).is_some_and(|known| known.json.is_some());
        report.events += self.events.len() as u64;
        report.hidden += self.known.values().filter(|known| known.json.is_none()).count() as u64;
        report.signed += self.signed.iter().filter(shown).count() as u64;
        let withheld = self.events.iter().filter(|received| self.is_withheld(received.event.sequence));
        report.withheld += withheld.count() as u64;
        report.receipted += self.receipted.iter().filter(shown).count() as u64;
        let declared: DeclaredLosses =
            self.events.iter().filter_map(|received| declared_loss(&received.event)).collect();
        for (first, last) in &self.missing {
            if declared.cover(*first, *last) {
                report.declared_missing =
                    report.declared_missing.saturating_add((last - first).saturating_add(1));
            } else {
                report.missing.push((self.line.id.clone(), *first, *last));
            }
        }
        let retired = self.retired.iter().map(|gone| gone.last.saturating_sub(gone.first).saturating_add(1));
        report.retired = retired.fold(report.retired, u64::saturating_add);
        report.retired_days += self.counts.retired_days;
        report.days_cut.extend(self.counts.days_cut);
        report.links += self.counts.links;
        report.breaks.extend(self.counts.breaks);
        report.roll_backs.extend(self.counts.roll_backs);
        report.receipts += self.counts.receipts;
        report.clock_offset_max_ms = report.clock_offset_max_ms.max(self.counts.clock_offset_max_ms);
        report.days.iter_mut().zip(self.counts.days).for_each(|(all, own)| *all += own);
    }
}

fn gone(line: &format::Retired) -> RetiredNumbers {
    let [from, to] = line.happened.map(UtcMillis);
    RetiredNumbers { first: line.first, last: line.last, from, to }
}

/// The date that begins in Japan at this time; `None` when none begins then.
fn date_of(begins: i64) -> Option<Date> {
    let begins = UtcMillis(begins);
    let (day, date) = (day_of(begins), japan::date_at(begins));
    // A day that no calendar has would be told under another one's date.
    (begin_of(day) == begins && japan::number_of(date) == day).then_some(date)
}

/// What belongs to nobody is shown; of people only the one the pack is about, on the dates of the links, and with them the
/// end of a night that began on them.
fn is_shown(event: &Event, nights: &Nights, pack: &format::Pack, links: &[format::Link]) -> bool {
    let (Some(account), Some(employee)) = (&event.account, &pack.employee) else {
        return true;
    };
    let dates = [japan::date_at(event.occurred_at), nights.date_of(event)].map(|date| date.to_string());
    let covers = |(from, to): &(String, Option<String>), date: &String| {
        from <= date && to.as_ref().is_none_or(|to| date <= to)
    };
    links.iter().any(|link| {
        !link.void
            && link.account == account.key
            && link.employee == *employee
            && dates.iter().any(|date| covers(&link.dates, date))
    })
}

fn fault_unless(holds: bool, kind: FaultKind) -> Vec<FaultKind> {
    if holds { Vec::new() } else { vec![kind] }
}

fn fault_if(faults: &mut Vec<FaultKind>, holds: bool, kind: FaultKind) {
    if holds {
        faults.push(kind);
    }
}

#[cfg(test)]
mod tests;
