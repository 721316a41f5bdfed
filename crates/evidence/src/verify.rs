//! Reading a record and saying what is proven.
//!
//! [`Verifier`] is fed line by line and keeps one terminal in memory. A [`Fault`] is something that cannot be in an
//! honest pack: a byte was changed, a line left out, added or moved, a signature or a proof does not hold, or the
//! server contradicts itself. What an honest pack may show of a PC (numbers missing, a chain that breaks off where
//! the PC was rolled back) is counted in the [`Report`] and is not a fault.

mod emptiness;
mod noted;
mod reading;
mod report;
mod terminal;
mod times;

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_ledger::log::check_consistency;
use mngntime_model::UtcMillis;
use mngntime_wire::{Context, LogHead, LogTree, PublicKey};

use crate::format::{self, Line};
use crate::seal::Seal;
use crate::{japan, months};
pub use emptiness::Emptiness;
use noted::Noted;
pub use noted::{NotedKind, Position, contradictions};
use reading::{digests, earlier_name, envelope_of};
pub use report::Report;
use terminal::TerminalCheck;
pub use terminal::told::{DaysCut, NamedEvent, ShownPunch, Witnessed};
pub use times::{CLOCK_STEP_MS, OddTime, Oddity, Stamped};
use times::{LeafTimes, Odd};

/// Faults that are kept in words; the others are only counted.
const FAULTS_KEPT: usize = 50;

/// The latest end of a night that can be chosen: noon.
const NIGHT_MINUTES_MAX: u32 = 720;

/// Something that cannot be in an honest pack, and the line it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Number of the line, from 1.
    pub line: u64,
    /// What it is.
    pub kind: FaultKind,
}

/// Kinds of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Not the JSON of a line.
    Malformed,
    /// A line of this kind may not stand here.
    Misplaced,
    /// The end is missing, or it counts other lines.
    WrongCount,
    /// The pack is about another key, contract or version.
    OtherServer,
    /// A head is not signed by the server, or its months do not follow each other.
    WrongHead,
    /// An earlier tree is no beginning of the head's tree.
    NotAppendOnly,
    /// An event's bytes are no event, or those of another number.
    WrongEvent {
        /// The number.
        sequence: u64,
    },
    /// A number is neither an event nor declared missing.
    LeftOut {
        /// The number.
        sequence: u64,
    },
    /// The event is not in the log that the server signed.
    NotInLog {
        /// The number.
        sequence: u64,
    },
    /// The terminal's signature does not hold.
    WrongBatch,
    /// A receipt is not signed by the server, or says something else than this pack.
    WrongReceipt,
    /// A result stands under a number that is no event, or out of order.
    WrongJudgement,
    /// The events say something else about the day, or days are left out.
    WrongDay,
    /// A pack about everything does not hold the whole log.
    NotEverything,
    /// A line is no entry of this contract's audit log, or an entry's detail is not what its action needs.
    WrongEntry,
    /// The entry of the audit log is not in the log that the server signed.
    EntryNotInLog {
        /// Its number.
        number: u64,
    },
    /// What the pack says of a link or of a terminal contradicts the audit log.
    NotAsNoted {
        /// Of which of them.
        kind: NotedKind,
        /// Its id.
        id: String,
    },
    /// How and when an event came is not what the terminal's signed batch says.
    NotAsSent {
        /// The number.
        sequence: u64,
    },
    /// An event of somebody whom the pack is not about is shown.
    SomebodyElse {
        /// The number.
        sequence: u64,
    },
    /// An event is hidden in a pack that is about everybody.
    HiddenFromNobody {
        /// The number.
        sequence: u64,
    },
    /// The employee whom the pack is about is not shown, or another one is, or somebody else's link.
    OtherEmployee,
    /// What is there once would be counted twice.
    Doubled,
    /// An earlier tree that no receipt names.
    UnnamedTree,
    /// A terminal without any event.
    EmptyTerminal,
    /// Numbers are called deleted by the retention rule, and the audit log does not say so of them.
    NotRetired {
        /// The first of them.
        sequence: u64,
    },
    /// No signed head of the log is shown: then nothing is proven of anything.
    NoHead,
}

/// Checks a record.
#[derive(Debug, Clone)]
pub struct Verifier {
    key: PublicKey,
    report: Report,
    lines: u64,
    rank: u8,
    trees: BTreeMap<String, Tree>,
    /// Trees that the newest ones continue.
    earlier: BTreeSet<String>,
    /// Those of them that a receipt names.
    named: BTreeSet<String>,
    newest: Option<LogHead>,
    /// Codes of the employees and keys of the accounts that are there.
    employees: BTreeSet<String>,
    accounts: BTreeSet<String>,
    links: Vec<format::Link>,
    noted: Noted,
    /// Numbers that are called retired, by month; only of a pack about everything.
    retired: BTreeMap<String, u64>,
    leaves: LeafTimes,
    keeps_punches: bool,
    last_terminal: String,
    terminal: Option<TerminalCheck>,
    ended: bool,
}

/// A tree whose head is signed.
#[derive(Debug, Clone, Copy)]
struct Tree {
    size: u64,
    root: Digest,
}

/// What a terminal's lines are checked against.
pub(crate) struct Around<'a> {
    key: &'a PublicKey,
    pack: &'a format::Pack,
    links: &'a [format::Link],
    trees: &'a BTreeMap<String, Tree>,
    earlier: &'a BTreeSet<String>,
    /// The newest head.
    newest: Option<&'a LogHead>,
    noted: &'a Noted,
}

impl Verifier {
    /// A verifier that believes `key` and nobody else.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self {
            key,
            report: Report::default(),
            lines: 0,
            rank: 0,
            trees: BTreeMap::new(),
            earlier: BTreeSet::new(),
            named: BTreeSet::new(),
            newest: None,
            employees: BTreeSet::new(),
            accounts: BTreeSet::new(),
            links: Vec::new(),
            noted: Noted::default(),
            retired: BTreeMap::new(),
            leaves: LeafTimes::default(),
            keeps_punches: false,
            last_terminal: String::new(),
            terminal: None,
            ended: false,
        }
    }

    /// Keeps the punches, for whoever wants to read what was verified.
    #[must_use]
    pub fn keeping_punches(mut self) -> Self {
        self.keeps_punches = true;
        self
    }

    /// Keeps the hashes, for a comparison with another pack or with receipts.
    #[must_use]
    pub fn keeping_contents(mut self) -> Self {
        self.report.contents = Some(Box::default());
        self
    }

    /// Reads the next line, without its end.
    pub fn read(&mut self, text: &str) {
        self.lines += 1;
        match serde_json::from_str::<Line>(text) {
            // One line has one text: nothing can hide in it.
            Ok(line) if line.to_text().ok().as_deref() == Some(text) => self.take(line),
            Ok(_) | Err(_) => self.fault(FaultKind::Malformed),
        }
    }

    /// What has been found, after the last line.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.leave_terminal();
        if !self.ended {
            self.fault(FaultKind::WrongCount);
        }
        let made_at = self.report.pack.as_ref().map(|pack| pack.made_at);
        let Odd { kept, count, before_contract } = self.leaves.odd(made_at);
        (self.report.odd_times, self.report.odd_time_count) = (kept, count);
        self.report.before_contract_count = before_contract;
        self.report.punches.sort_by(|a, b| a.by_time().cmp(&b.by_time()));
        self.report
    }

    /// The same for a record that was sealed.
    #[must_use]
    pub fn finish_with(mut self, seal: &Seal) -> Report {
        let same = self.report.pack.as_ref().is_some_and(|pack| {
            seal.v == 1 && seal.contract == pack.contract && seal.sealed_at == pack.made_at
        });
        self.require(same, FaultKind::OtherServer);
        self.finish()
    }

    fn fault(&mut self, kind: FaultKind) {
        self.report.fault_count += 1;
        if self.report.faults.len() < FAULTS_KEPT {
            self.report.faults.push(Fault { line: self.lines, kind });
        }
    }

    fn require(&mut self, holds: bool, kind: FaultKind) {
        if !holds {
            self.fault(kind);
        }
    }

    fn take(&mut self, line: Line) {
        self.check_place(&line);
        match line {
            Line::Pack(pack) => self.pack(pack),
            Line::Employee(employee) => {
                let is_new = self.employees.insert(employee.code);
                self.require(is_new, FaultKind::Doubled);
            }
            Line::Account(account) => {
                let is_new = self.accounts.insert(account.key);
                self.require(is_new, FaultKind::Doubled);
            }
            Line::Link(link) => self.links.push(link),
            Line::Head(head) => self.head(&head.envelope),
            Line::Earlier(earlier) => self.earlier(&earlier),
            Line::Audit(entry) => self.entry(&entry),
            Line::Terminal(terminal) => self.enter_terminal(terminal),
            Line::End(end) => self.end(end),
            Line::Missing(_)
            | Line::Retired(_)
            | Line::Event(_)
            | Line::Hidden(_)
            | Line::Batch(_)
            | Line::Receipt(_)
            | Line::Judgement(_)
            | Line::Day(_) => self.in_terminal(&line),
        }
    }

    fn end(&mut self, end: format::End) {
        self.leave_terminal();
        self.check_links();
        let (retired, faults) = self.noted.retired_months(&self.report.trees);
        self.report.retired_months = retired;
        faults.into_iter().for_each(|kind| self.fault(kind));
        self.require(end.lines.checked_add(1) == Some(self.lines), FaultKind::WrongCount);
        self.require(self.is_about_its_employee(), FaultKind::OtherEmployee);
        self.require(self.earlier == self.named, FaultKind::UnnamedTree);
        self.require(self.has_everything(), FaultKind::NotEverything);
        self.require(self.newest.is_some(), FaultKind::NoHead);
        self.ended = true;
    }

    fn check_place(&mut self, line: &Line) {
        let rank = line.rank();
        let first = (self.lines == 1) == matches!(line, Line::Pack(_));
        let next_terminal = matches!(line, Line::Terminal(_));
        let in_order = rank >= self.rank || (next_terminal && self.rank > rank);
        let after_terminal = self.terminal.is_some() || rank <= 6 || rank == 14;
        self.require(first && in_order && after_terminal && !self.ended, FaultKind::Misplaced);
        self.rank = rank;
    }

    fn pack(&mut self, pack: format::Pack) {
        let known = pack.v == format::VERSION
            && pack.rules.completeness == mngntime_attendance::completeness::RULES_VERSION
            && pack.server_key == self.key.to_string();
        self.require(known, FaultKind::OtherServer);
        let dates = pack.dates.iter().flatten();
        let has_dates =
            japan::has_date(UtcMillis(pack.made_at)) && dates.clone().all(|date| japan::is_date(date));
        let has_night = pack.night_minutes.is_none_or(|minutes| minutes <= NIGHT_MINUTES_MAX);
        self.require(has_dates && has_night, FaultKind::Malformed);
        if let Some(contents) = &mut self.report.contents {
            contents.is_everything = pack.is_about_everything();
            contents.contract.clone_from(&pack.contract);
            contents.made_at = Some(pack.made_at);
        }
        self.report.pack = Some(pack);
    }

    fn contract(&self) -> &str {
        self.report.pack.as_ref().map_or("", |pack| pack.contract.as_str())
    }

    fn head(&mut self, envelope: &str) {
        let Some((head, root)) = self.signed_head(envelope) else {
            return self.fault(FaultKind::WrongHead);
        };
        let follows = match &self.newest {
            None => {
                self.report.older_months = head.previous.is_some();
                true
            }
            Some(before) => {
                before.closed
                    && before.tree.month < head.tree.month
                    && head.previous.as_ref() == Some(&before.tree)
            }
        };
        self.require(follows, FaultKind::WrongHead);
        self.report.newest_head_at = Some(head.signed_at);
        self.leaves.head(head.signed_at);
        self.trees.insert(head.tree.month.clone(), Tree { size: head.tree.size, root });
        self.report.trees.push(head.tree.clone());
        if let Some(contents) = &mut self.report.contents {
            contents.head(&head);
        }
        self.newest = Some(head);
    }

    /// A pack about one employee shows this employee and no other one's link.
    fn is_about_its_employee(&self) -> bool {
        let Some(code) = self.report.pack.as_ref().and_then(|pack| pack.employee.as_ref()) else {
            return true;
        };
        self.employees.iter().eq([code]) && self.links.iter().all(|link| link.employee == *code)
    }

    /// A pack about everything holds every leaf of every month.
    fn has_everything(&self) -> bool {
        if !self.report.pack.as_ref().is_some_and(format::Pack::is_about_everything) {
            return true;
        }
        // What was retired of a month is what its entry says, and named number by number.
        let gone = |month: &str| match (self.noted.retired_events(month), self.retired.get(month)) {
            (Some(told), Some(named)) if told == *named => Some(told),
            (None, None) => Some(0),
            _ => None,
        };
        let is_whole = |tree: &LogTree| {
            gone(&tree.month).and_then(|gone| gone.checked_add(self.leaves.count(&tree.month)))
                == Some(tree.size)
        };
        !self.report.older_months && self.report.trees.iter().all(is_whole)
    }

    fn signed_head(&self, envelope: &str) -> Option<(LogHead, Digest)> {
        let envelope = envelope_of(envelope)?;
        envelope.check(Context::LogHead, &self.key).ok()?;
        let head: LogHead = envelope.peek().ok()?;
        let root = head.tree.root_digest()?;
        let is_tree = |tree: &LogTree| months::is_month(&tree.month) && tree.root_digest().is_some();
        let is_one = head.v == 1
            && head.tree.size > 0
            && is_tree(&head.tree)
            && head.previous.as_ref().is_none_or(is_tree);
        (is_one && head.contract == self.contract()).then_some((head, root))
    }

    fn earlier(&mut self, earlier: &format::Earlier) {
        let proven = || {
            let newest = self.newest.as_ref()?;
            (newest.tree.month == earlier.tree.month).then_some(())?;
            let tree = self.trees.get(&earlier.tree.month)?;
            let old = (earlier.tree.size, earlier.tree.root_digest()?);
            check_consistency(&digests(&earlier.proof)?, (tree.size, tree.root), old).ok()
        };
        if proven().is_none() {
            self.fault(FaultKind::NotAppendOnly);
        } else if self.earlier.insert(earlier_name(&earlier.tree)) {
            self.report.earlier_trees += 1;
        } else {
            self.fault(FaultKind::Doubled);
        }
    }

    fn entry(&mut self, line: &format::AuditLine) {
        self.report.entries += 1;
        let faults = self.noted.take(line, self.report.pack.as_ref(), &self.trees);
        if let Some(record) = noted::record_of(line) {
            self.leaves.entry(&record, (&line.month, line.leaf));
            if let Some(contents) = &mut self.report.contents {
                contents.entry(&record, line);
                let size = self.trees.get(&line.month).map_or(0, |tree| tree.size);
                contents.path((&line.month, line.leaf), size, &line.proof);
            }
        }
        faults.into_iter().for_each(|kind| self.fault(kind));
    }

    fn check_links(&mut self) {
        let checked = self.noted.check_links(&self.links);
        self.report.account_links = self.links.len() as u64;
        self.report.emptiness = self.report.pack.as_ref().and_then(|pack| Emptiness::of(pack, &self.links));
        self.report.unbacked_links = checked.unbacked;
        checked.faults.into_iter().for_each(|kind| self.fault(kind));
    }

    fn enter_terminal(&mut self, terminal: format::Terminal) {
        self.leave_terminal();
        self.report.terminals += 1;
        let everything = self.report.pack.as_ref().is_some_and(format::Pack::is_about_everything);
        let whole = !everything || terminal.numbers.first == 1;
        self.require(self.last_terminal < terminal.id && whole, FaultKind::Misplaced);
        self.last_terminal.clone_from(&terminal.id);
        self.report.file_keys += u64::from(terminal.key_class == "file");
        self.report.hosts.insert(terminal.id.clone(), terminal.host_name.clone());
        if let Some(contents) = &mut self.report.contents {
            contents.terminal(&terminal);
        }
        if let Some(marks) = &terminal.marks {
            self.report.marks.insert(terminal.id.clone(), marks.clone());
        }
        self.require(
            self.noted.agrees_with(&terminal),
            FaultKind::NotAsNoted { kind: NotedKind::Terminal, id: terminal.id.clone() },
        );
        match TerminalCheck::new(terminal) {
            Some(check) => self.terminal = Some(check),
            None => self.fault(FaultKind::Malformed),
        }
    }

    fn in_terminal(&mut self, line: &Line) {
        let Some((mut terminal, pack)) = self.terminal.take().zip(self.report.pack.as_ref()) else {
            return self.fault(FaultKind::Misplaced);
        };
        let around = Around {
            key: &self.key,
            pack,
            links: &self.links,
            trees: &self.trees,
            earlier: &self.earlier,
            newest: self.newest.as_ref(),
            noted: &self.noted,
        };
        let faults = terminal.take(line, &around);
        terminal.take_odd_receipt().into_iter().for_each(|odd| self.leaves.note(odd));
        if let Line::Retired(gone) = line {
            let count = gone.last.saturating_sub(gone.first).saturating_add(1);
            let of_month = self.retired.entry(gone.month.clone()).or_default();
            *of_month = of_month.saturating_add(count);
        }
        if let Line::Event(format::EventLine { place, .. }) | Line::Hidden(format::Hidden { place, .. }) =
            line
        {
            let (terminal, sequence) = terminal.newest();
            self.leaves.event((terminal, sequence), place);
            let everything = pack.is_about_everything();
            if let Some(contents) = self.report.contents.as_mut().filter(|_| !everything) {
                let size = self.trees.get(&place.month).map_or(0, |tree| tree.size);
                contents.path((&place.month, place.leaf), size, &place.proof);
            }
        }
        if let (Line::Judgement(judgement), Some(contents)) = (line, &mut self.report.contents) {
            contents.result(terminal.newest().0, judgement);
        }
        self.terminal = Some(terminal);
        faults.into_iter().for_each(|kind| self.fault(kind));
    }

    fn leave_terminal(&mut self) {
        if let Some((terminal, pack)) = self.terminal.take().zip(self.report.pack.clone()) {
            self.named.extend(terminal.named().cloned());
            terminal.tell(&pack, self.keeps_punches, &mut self.report);
            let faults = terminal.leave((&pack, &self.links), &self.noted, &mut self.report);
            faults.into_iter().for_each(|kind| self.fault(kind));
        }
    }
}

#[cfg(test)]
mod tests;
