//! Reading a record and saying what is proven.
//!
//! [`Verifier`] is fed line by line and keeps one terminal in memory. A [`Fault`] is something that cannot be in an
//! honest pack: a byte was changed, a line left out, added or moved, a signature or a proof does not hold, or the
//! server contradicts itself. What an honest pack may show of a PC (numbers missing, a chain that breaks off where
//! the PC was rolled back) is counted in the [`Report`] and is not a fault.

mod terminal;

use std::collections::BTreeMap;

use mngntime_ledger::Digest;
use mngntime_ledger::log::check_consistency;
use mngntime_wire::{Context, LogHead, LogTree, PublicKey, Signed};

use crate::format::{self, Line};
use terminal::TerminalCheck;

/// Faults that are kept in words; the others are only counted.
const FAULTS_KEPT: usize = 50;

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
    /// The events say something else about the day.
    WrongDay,
}

/// What has been found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What cannot be in an honest pack; at most 50 of them.
    pub faults: Vec<Fault>,
    /// How many there are.
    pub fault_count: u64,
    /// The first line, once read.
    pub pack: Option<format::Pack>,
    /// Newest trees, one for each month.
    pub trees: Vec<LogTree>,
    /// Trees of which PCs were told, and that the newest trees continue.
    pub earlier_trees: u64,
    /// Trees that receipts name and that are not shown to be continued.
    pub unproven_trees: u64,
    /// Whether the first month names a month before it.
    pub older_months: bool,
    /// Terminals.
    pub terminals: u64,
    /// Those whose key is a file.
    pub file_keys: u64,
    /// Events shown.
    pub events: u64,
    /// Events not shown.
    pub hidden: u64,
    /// Events shown that their terminal has signed.
    pub signed: u64,
    /// Links between neighbouring events that hold.
    pub links: u64,
    /// Numbers before which the terminal's chain breaks: terminal and number.
    pub breaks: Vec<(String, u64)>,
    /// Numbers with which a terminal declares that it was set back to an earlier state; its chain forks there.
    pub roll_backs: Vec<(String, u64)>,
    /// Numbers the server never got and whose loss nobody has declared.
    pub missing: Vec<(String, u64, u64)>,
    /// Numbers whose loss the terminal has declared itself.
    pub declared_missing: u64,
    /// Receipts.
    pub receipts: u64,
    /// Events shown that have a receipt.
    pub receipted: u64,
    /// Days by state: observed, agent off, unknown.
    pub days: [u64; 3],
    /// Largest difference between a terminal's clock and the server's, in milliseconds.
    pub clock_offset_max_ms: u64,
}

impl Report {
    /// Whether the pack is what the server sealed, and contradicts itself nowhere.
    #[must_use]
    pub fn is_authentic(&self) -> bool {
        self.fault_count == 0
    }
}

/// Checks a record.
#[derive(Debug)]
pub struct Verifier {
    key: PublicKey,
    report: Report,
    lines: u64,
    rank: u8,
    trees: BTreeMap<String, Tree>,
    newest: Option<LogHead>,
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
    contract: &'a str,
    now: i64,
    trees: &'a BTreeMap<String, Tree>,
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
            newest: None,
            terminal: None,
            ended: false,
        }
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
        self.report
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
            Line::Employee(_) | Line::Account(_) | Line::Link(_) => {}
            Line::Head(head) => self.head(&head.envelope),
            Line::Earlier(earlier) => self.earlier(&earlier),
            Line::Terminal(terminal) => self.enter_terminal(terminal),
            Line::End(end) => {
                self.leave_terminal();
                self.require(end.lines + 1 == self.lines, FaultKind::WrongCount);
                self.ended = true;
            }
            Line::Missing(_)
            | Line::Event(_)
            | Line::Hidden(_)
            | Line::Batch(_)
            | Line::Receipt(_)
            | Line::Judgement(_)
            | Line::Day(_) => self.in_terminal(&line),
        }
    }

    fn check_place(&mut self, line: &Line) {
        let rank = line.rank();
        let first = (self.lines == 1) == matches!(line, Line::Pack(_));
        let next_terminal = matches!(line, Line::Terminal(_));
        let in_order = rank >= self.rank || (next_terminal && self.rank > rank);
        let after_terminal = self.terminal.is_some() || rank <= 5 || rank == 12;
        self.require(first && in_order && after_terminal && !self.ended, FaultKind::Misplaced);
        self.rank = rank;
    }

    fn pack(&mut self, pack: format::Pack) {
        let known = pack.v == format::VERSION
            && pack.rules.completeness == mngntime_attendance::completeness::RULES_VERSION
            && pack.server_key == self.key.to_string();
        self.require(known, FaultKind::OtherServer);
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
        self.trees.insert(head.tree.month.clone(), Tree { size: head.tree.size, root });
        self.report.trees.push(head.tree.clone());
        self.newest = Some(head);
    }

    fn signed_head(&self, envelope: &str) -> Option<(LogHead, Digest)> {
        let envelope = envelope_of(envelope)?;
        envelope.check(Context::LogHead, &self.key).ok()?;
        let head: LogHead = envelope.peek().ok()?;
        let root = head.tree.root_digest()?;
        (head.v == 1 && head.contract == self.contract()).then_some((head, root))
    }

    fn earlier(&mut self, earlier: &format::Earlier) {
        let proven = || {
            let newest = self.newest.as_ref()?;
            (newest.tree.month == earlier.tree.month).then_some(())?;
            let tree = self.trees.get(&earlier.tree.month)?;
            let old = (earlier.tree.size, earlier.tree.root_digest()?);
            check_consistency(&digests(&earlier.proof)?, (tree.size, tree.root), old).ok()
        };
        if proven().is_some() {
            self.report.earlier_trees += 1;
            self.earlier_known(&earlier.tree);
        } else {
            self.fault(FaultKind::NotAppendOnly);
        }
    }

    fn earlier_known(&mut self, tree: &LogTree) {
        if let Some(root) = tree.root_digest() {
            self.trees.insert(earlier_name(tree), Tree { size: tree.size, root });
        }
    }

    fn enter_terminal(&mut self, terminal: format::Terminal) {
        self.leave_terminal();
        self.report.terminals += 1;
        self.report.file_keys += u64::from(terminal.key_class == "file");
        match TerminalCheck::new(terminal) {
            Some(check) => self.terminal = Some(check),
            None => self.fault(FaultKind::Malformed),
        }
    }

    fn in_terminal(&mut self, line: &Line) {
        let Some(mut terminal) = self.terminal.take() else {
            return self.fault(FaultKind::Misplaced);
        };
        let around = Around {
            key: &self.key,
            contract: self.report.pack.as_ref().map_or("", |pack| pack.contract.as_str()),
            now: self.report.pack.as_ref().map_or(0, |pack| pack.made_at),
            trees: &self.trees,
        };
        let faults = terminal.take(line, &around);
        self.terminal = Some(terminal);
        faults.into_iter().for_each(|kind| self.fault(kind));
    }

    fn leave_terminal(&mut self) {
        if let Some(terminal) = self.terminal.take() {
            let faults = terminal.leave(&mut self.report);
            faults.into_iter().for_each(|kind| self.fault(kind));
        }
    }
}

/// Reads an envelope. One envelope has one text: nothing that nobody signed can stand in it.
fn envelope_of(text: &str) -> Option<Signed> {
    let envelope = Signed::parse(text.as_bytes()).ok()?;
    (envelope.to_json().ok()? == text).then_some(envelope)
}

/// Under which name an earlier tree is remembered beside the months.
fn earlier_name(tree: &LogTree) -> String {
    format!("{}/{}/{}", tree.month, tree.size, tree.root)
}

/// Reads a proof; `None` when a text is no digest.
fn digests(texts: &[String]) -> Option<Vec<Digest>> {
    texts.iter().map(|text| Digest::parse(text).ok()).collect()
}
