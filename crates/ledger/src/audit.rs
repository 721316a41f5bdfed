//! The audit log's entries as they are hashed.
//!
//! An entry is one line of JSON, made by [`AuditRecord::to_json`] alone from what the server keeps of it. The line
//! itself is not kept: it would be a second copy of every column, and a changed column beside an unchanged line would
//! have to be looked for. So whoever changes any column changes the line, and with it the digest that is kept.
//!
//! The details that a verifier compares with what is shown elsewhere have their forms here, shared by the server that
//! writes them and the verifier that reads them. New fields may come: unknown ones are ignored.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Digest;

/// A terminal was enrolled for the first time ([`Enrolled`]).
pub const ENROLL_TERMINAL: &str = "enroll_terminal";
/// A terminal was enrolled again, with the key it has ([`Enrolled`]).
pub const ENROLL_TERMINAL_AGAIN: &str = "enroll_terminal_again";
/// An account was linked to an employee ([`Linked`]).
pub const LINK_ACCOUNT: &str = "link_account";
/// A link got a last date, or was called wrong from the beginning ([`Linked`], as it is afterwards).
pub const UNLINK_ACCOUNT: &str = "unlink_account";
/// What is known of an employee was replaced ([`EmployeeNoted`]).
pub const CHANGE_EMPLOYEE: &str = "change_employee";
/// A month's time was over: its events are deleted from here on ([`MonthRetired`]).
pub const RETIRE_MONTH: &str = "retire_month";
/// The numbers of these events ([`NumbersRetired`]); as many entries as it takes, after that of their month.
pub const RETIRE_NUMBERS: &str = "retire_numbers";
/// The last of these events is gone ([`MonthEmptied`]).
pub const EMPTY_MONTH: &str = "empty_month";
/// The data were put back from a backup: the log forks before this entry.
pub const RESTORED_FROM_BACKUP: &str = "restored_from_backup";

/// An employee said something about a day of theirs ([`RemarkNoted`], whole).
pub const ADD_REMARK: &str = "add_remark";
/// They withdrew it ([`RemarkNoted`]).
pub const WITHDRAW_REMARK: &str = "withdraw_remark";
/// Somebody responsible has read it ([`RemarkNoted`]).
pub const READ_REMARK: &str = "read_remark";

/// What stands before the employee's code in the object of an entry about an employee.
const OF_EMPLOYEE: &str = "employee ";

/// An entry. Field order is the order written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Always 1.
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// Its number; grows with every entry of the server.
    pub number: u64,
    /// When, UTC milliseconds by the server's clock.
    pub at: i64,
    /// Who: `administrator:LOGIN`, `command-line` or `server`.
    pub by: String,
    /// What, in a fixed word.
    pub action: String,
    /// To what, for reading.
    pub object: String,
    /// More: a JSON object whose fields the action fixes.
    pub detail: Box<RawValue>,
}

impl AuditRecord {
    /// The entry's line, without its end.
    ///
    /// # Errors
    /// Never in practice: texts and numbers have a JSON form.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Code that the employee had then whom the entry is about by its object.
    #[must_use]
    pub fn employee(&self) -> Option<&str> {
        self.object.strip_prefix(OF_EMPLOYEE)
    }

    /// What is in its detail, when the detail has this form.
    #[must_use]
    pub fn told<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.detail.get()).ok()
    }
}

/// The digest of an entry's line.
#[must_use]
pub fn digest(line: &str) -> Digest {
    Digest::of(line.as_bytes())
}

/// Detail of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The terminal's id.
    pub terminal: String,
    /// Its public key, as text.
    pub public_key: String,
    /// How its secret key is kept, as the terminal said.
    pub key_class: String,
    /// Name of the PC.
    pub host_name: String,
    /// Operating system.
    pub os: String,
    /// Digest of what it is made of.
    pub makeup: String,
    /// Version of the agent.
    pub agent_version: String,
    /// Number of the enrolment key; absent when a person's word let the terminal in, and in older entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment_key: Option<u64>,
}

/// Detail of everything else that is done to a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalChanged {
    /// The terminal's id.
    pub terminal: String,
    /// Its status afterwards; absent when that is not what was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why, in the words of whoever did it; absent when they gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The blocked terminal whose name or make-up this one had when it was enrolled, and was blocked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
}

/// Detail of a link: how it is after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// The link's id.
    pub link: String,
    /// Key of the account.
    pub account: String,
    /// Code that the employee had then.
    pub employee: String,
    /// First date, `YYYY-MM-DD`.
    pub from: String,
    /// Last date; null when open.
    pub to: Option<String>,
    /// Whether it counts for no date.
    pub void: bool,
    /// Why the server made it by itself ([`DIRECTORY_SID`]); absent when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Who had said that the server may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_by: Option<String>,
}

/// [`Linked::because`]: the account's SID had been entered at the employee, and at nobody else.
pub const DIRECTORY_SID: &str = "directory_sid";

/// Detail of an employee who was added or changed: what is known afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmployeeNoted {
    /// The employee's id, which stays when the code changes.
    pub id: String,
    /// The code before; absent when the employee was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_before: Option<String>,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Reading of the name.
    pub kana: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// First date of employment.
    pub active_from: Option<String>,
    /// Last date of employment.
    pub active_to: Option<String>,
    /// The UPN that a directory says; absent in entries of before employees had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// The SID that a directory says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// Detail of a remark that was added, withdrawn or read; the entry's object is the employee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemarkNoted {
    /// The remark's id.
    pub remark: String,
    /// The day that it is about.
    pub date: String,
    /// From when, in minutes after midnight of that day; when added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_minutes: Option<u16>,
    /// To when; when added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_minutes: Option<u16>,
    /// What is said; when added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What whoever read it answered, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Detail of a month that was retired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthRetired {
    /// `YYYY-MM`, of receipt.
    pub month: String,
    /// Leaves of the month's closed tree.
    pub size: u64,
    /// Its root.
    pub root: String,
    /// How many of them are events; the others are entries of the audit log, and stay.
    pub events: u64,
    /// First day that the events speak about, or of the month.
    pub first_date: String,
    /// Last one.
    pub last_date: String,
    /// Years for which the contract keeps its records.
    pub retention_years: u8,
}

/// Numbers of one terminal that were retired together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRange {
    /// The terminal's id.
    pub terminal: String,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// When the earliest of these events happened, by its own word (UTC milliseconds).
    pub first_at: i64,
    /// When the latest did.
    pub last_at: i64,
}

/// Detail of an entry that names numbers of a month that was retired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumbersRetired {
    /// The month.
    pub month: String,
    /// The numbers.
    pub numbers: Vec<NumberRange>,
}

/// Detail of a month whose events are all gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthEmptied {
    /// The month.
    pub month: String,
    /// How many there were.
    pub events: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_line_and_its_detail_stands_in_it_as_it_was_kept() {
        let entry = AuditRecord {
            v: 1,
            contract: "A-1".into(),
            number: 7,
            at: 5,
            by: "server".into(),
            action: "block_terminal".into(),
            object: "terminal t".into(),
            detail: RawValue::from_string(r#"{"terminal":"t","status":"blocked"}"#.into()).unwrap(),
        };
        let line = r#"{"v":1,"contract":"A-1","number":7,"at":5,"by":"server","action":"block_terminal","object":"terminal t","detail":{"terminal":"t","status":"blocked"}}"#;
        assert_eq!(entry.to_json().unwrap(), line);
        let read: AuditRecord = serde_json::from_str(line).unwrap();
        assert_eq!(read.to_json().unwrap(), line);
        let told = TerminalChanged {
            terminal: "t".into(),
            status: Some("blocked".into()),
            reason: None,
            like: None,
        };
        assert_eq!(read.told::<TerminalChanged>(), Some(told));
        assert_eq!(read.told::<Enrolled>(), None);
    }
}
