//! The lines of `record.jsonl`.
//!
//! Order: `pack`, `employee`…, `account`…, `link`…, then for each month its `head` and the `earlier` trees that PCs
//! were told of; then `audit`… by number; then for each terminal `terminal`, `missing`…, `retired`…, `event` and `hidden`… by number, `batch`…,
//! `receipt`…, `judgement`…, `day`…; at last `end`. What is signed stands as its exact text in a string.

use serde::{Deserialize, Serialize};

use mngntime_ledger::frame::Frame;
use mngntime_wire::LogTree;

/// Version of the format. Version 1 had no audit log and was never released.
pub const VERSION: u32 = 2;

/// Name of the record in the ZIP file.
pub const RECORD_FILE: &str = "record.jsonl";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// What the pack is about.
    Pack(Pack),
    /// An employee.
    Employee(Employee),
    /// An account.
    Account(Account),
    /// Which account was whose.
    Link(Link),
    /// The newest signed head of a month.
    Head(Head),
    /// An earlier tree of that month, which receipts of this pack name.
    Earlier(Earlier),
    /// An entry of the audit log.
    Audit(AuditLine),
    /// A terminal; what follows is its own.
    Terminal(Terminal),
    /// Numbers that the server never got.
    Missing(Numbers),
    /// Numbers whose events were deleted when their retention period had ended.
    Retired(Retired),
    /// An event.
    Event(EventLine),
    /// An event of somebody whom the pack is not about: only its place and digest.
    Hidden(Hidden),
    /// A terminal's signature.
    Batch(Batch),
    /// A receipt as it was given.
    Receipt(Receipt),
    /// A result the server came to.
    Judgement(Judgement),
    /// What is known of a day.
    Day(Day),
    /// The last line.
    End(End),
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// [`VERSION`].
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// Its name.
    pub contract_name: String,
    /// The server's public key.
    pub server_key: String,
    /// When the pack was made, UTC milliseconds by the server's clock.
    pub made_at: i64,
    /// Version of the program that made it.
    pub program: String,
    /// Code of the one employee it is about; absent when it is about everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<String>,
    /// First and last date, `YYYY-MM-DD`; absent when it is about all time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<[String; 2]>,
    /// Until when after midnight a logoff is of the evening on which its stay began, in minutes, at most 720; absent when
    /// each is of its own date (packs of earlier versions, and those about everybody, in which nothing follows from it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night_minutes: Option<u32>,
    /// Versions of the rules by which the server judged.
    pub rules: Rules,
}

/// Versions of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What `res` a punch gets.
    pub judging: u32,
    /// What is known of a day (`mngntime_attendance::completeness`).
    pub completeness: u32,
}

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Employee {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// First and last date of employment.
    pub active: [Option<String>; 2],
}

/// An account, with every name it has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// SID, or `uid:<uid>@<machine id>`.
    pub key: String,
    /// Oldest first: since when, domain, name, UPN.
    pub names: Vec<(i64, String, String, Option<String>)>,
}

/// A link of an account to an employee. Links are never removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its id, by which the audit log names it.
    pub id: String,
    /// Key of the account.
    pub account: String,
    /// Code of the employee.
    pub employee: String,
    /// First date, and last date if there is one.
    pub dates: (String, Option<String>),
    /// Whether it was wrong from the beginning.
    pub void: bool,
    /// When it was made, and by whom.
    pub made: (i64, String),
    /// When it was ended, and by whom.
    pub ended: Option<(i64, String)>,
}

/// A signed head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The envelope (`mngntime_wire::LogHead`).
    pub envelope: String,
}

/// A tree of which a larger one of the month is the continuation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// The tree.
    pub tree: LogTree,
    /// Consistency proof to the head's tree (RFC 6962, 2.1.2), hexadecimal.
    pub proof: Vec<String>,
}

/// An entry of the audit log, and where it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// The entry's line (`mngntime_ledger::audit::AuditRecord`).
    pub json: String,
    /// Month of its leaf, `YYYY-MM`.
    pub month: String,
    /// Index of the leaf.
    pub leaf: u64,
    /// Audit path to the head's tree (RFC 6962, 2.1.1), hexadecimal, from the leaf to the root.
    pub proof: Vec<String>,
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminal {
    /// Its id.
    pub id: String,
    /// Name of the PC.
    pub host_name: String,
    /// Its public key.
    pub public_key: String,
    /// How its secret key is kept: `tpm`, `software`, `file`.
    pub key_class: String,
    /// When it was enrolled.
    pub enrolled_at: i64,
    /// When the server last heard the OS run with which the shown events end; absent when something waits on the PC, when
    /// later events are stored, or when another OS run was heard last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_contact_at: Option<i64>,
    /// What the server noticed of it; absent when there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
    /// First and last number of the pack; each number between is an event, hidden, retired or missing.
    pub numbers: Numbers,
}

/// What the server noticed of a terminal, as it stands when the pack is made: its word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// Other bytes came under a number that was taken: a copied or tampered PC. They were refused and are not in the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflict: bool,
    /// What the PC is made of differed from what was enrolled, at its last contact.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub makeup_changed: bool,
    /// When its memory was last older than its history: put back to an earlier state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_at: Option<i64>,
    /// When two PCs with its identity were last heard in turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloned_at: Option<i64>,
}

/// Numbers in a row, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// Numbers in a row whose events were deleted, as the entry of the audit log names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Month of their receipt, `YYYY-MM`.
    pub month: String,
    /// When they were retired, UTC milliseconds by the server's clock: that of the entry.
    pub retired_at: i64,
    /// When the earliest and the latest of them happened, by their own word (UTC milliseconds).
    pub happened: [i64; 2],
}

/// How an event came, and where it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Month of receipt, `YYYY-MM`.
    pub month: String,
    /// Index of the leaf.
    pub leaf: u64,
    /// When it was received, UTC milliseconds by the server's clock.
    pub received_at: i64,
    /// 再送.
    pub resent: bool,
    /// Server's clock less the terminal's at that moment, in milliseconds.
    pub clock_offset_ms: i64,
    /// Audit path to the head's tree (RFC 6962, 2.1.1), hexadecimal, from the leaf to the root.
    pub proof: Vec<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// The event's exact bytes.
    pub json: String,
    /// How it came.
    #[serde(flatten)]
    pub place: Place,
}

/// An event that is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Its number.
    pub seq: u64,
    /// SHA-256 of its bytes.
    pub hash: String,
    /// How it came.
    #[serde(flatten)]
    pub place: Place,
}

/// A batch without the bytes of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// SHA-256 of the payload.
    pub digest: String,
    /// The terminal's signature.
    pub signature: String,
    /// The payload; numbers stand for events.
    pub frame: Frame,
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The envelope (`mngntime_wire::Receipt`).
    pub envelope: String,
}

/// A result of a punch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// Number of the event.
    pub seq: u64,
    /// 1 for its first result.
    pub number: u64,
    /// When.
    pub judged_at: i64,
    /// `res`; absent when accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub res: Option<u8>,
    /// Why it was judged.
    pub why: String,
    /// By whom.
    pub by: String,
}

/// A day of a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Its beginning and end, UTC milliseconds.
    pub span: [i64; 2],
    /// `observed`, `agent_off`, `retired`, `unknown`.
    pub state: String,
    /// Events that had waited on the PC for over an hour.
    pub late: u64,
    /// Its parts: from, to, why.
    pub parts: Vec<(i64, i64, String)>,
}

/// The last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Lines before this one.
    pub lines: u64,
}

impl Pack {
    /// Whether nothing of the contract's log may be left out.
    #[must_use]
    pub fn is_about_everything(&self) -> bool {
        self.employee.is_none() && self.dates.is_none()
    }
}

impl Line {
    /// The text of the line, without its end.
    ///
    /// # Errors
    /// Never in practice: every line has a JSON form.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Where this kind of line may stand: ranks never fall, but from a terminal's lines back to the next terminal.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Pack(_) => 0,
            Self::Employee(_) => 1,
            Self::Account(_) => 2,
            Self::Link(_) => 3,
            Self::Head(_) | Self::Earlier(_) => 4,
            Self::Audit(_) => 5,
            Self::Terminal(_) => 6,
            Self::Missing(_) => 7,
            Self::Retired(_) => 8,
            Self::Event(_) | Self::Hidden(_) => 9,
            Self::Batch(_) => 10,
            Self::Receipt(_) => 11,
            Self::Judgement(_) => 12,
            Self::Day(_) => 13,
            Self::End(_) => 14,
        }
    }
}

impl Day {
    /// The line of a day.
    #[must_use]
    pub fn of(date: &str, span: [i64; 2], day: &mngntime_attendance::completeness::Day) -> Self {
        let parts = day.parts.iter().map(|part| (part.from.0, part.to.0, part.why.name().to_owned()));
        Self {
            date: date.to_owned(),
            span,
            state: day.state.name().to_owned(),
            late: day.late,
            parts: parts.collect(),
        }
    }
}
