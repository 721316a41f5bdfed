//! Looking into the audit log, and noting who looked at whose record.

use std::fmt;

use async_trait::async_trait;
use mngntime_model::UtcMillis;
use serde_json::Value;

use super::{Act, Answer, AuditEntry, Beside, LeafPlace, Page};
use crate::{ContractId, EmployeeId};

/// Which entries to list. Absent and empty mean all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this time.
    pub from: Option<UtcMillis>,
    /// Before this time.
    pub until: Option<UtcMillis>,
    /// Done by this person, as in [`Act::by`].
    pub by: Option<String>,
    /// Done to one of these, as the entry writes it.
    pub objects: Vec<String>,
    /// One of these actions, in the store's words.
    pub actions: Vec<String>,
    /// With a number above this one.
    pub above: Option<i64>,
}

/// Place of an entry in the list, newest first. Its text form goes into links and is opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditKey {
    /// When.
    pub at: UtcMillis,
    /// Its number.
    pub number: i64,
}

impl AuditKey {
    /// Reads the text form; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, number) = text.split_once('_')?;
        Some(Self { at: UtcMillis(at.parse().ok()?), number: number.parse().ok()? })
    }
}

impl fmt::Display for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.0, self.number)
    }
}

/// An entry with its place in the evidence log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The entry.
    pub entry: AuditEntry,
    /// Where it stands; absent for what is of no contract, and for entries of before the log had them.
    pub place: Option<LeafPlace>,
    /// Whether a signed head covers it.
    pub signed: bool,
}

/// One page, newest first.
pub type AuditPage = Page<AuditRow, AuditKey>;

/// The audit log, for reading.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// A page of at most `limit` entries of a contract (or of the server), newest first, at the beginning or
    /// beside one.
    async fn search_audit(
        &self,
        contract: Option<ContractId>,
        filter: AuditFilter,
        at: Option<Beside<AuditKey>>,
        limit: usize,
    ) -> Answer<AuditPage>;
    /// A page of at most `limit` entries about who has looked at an employee's record, downloaded it alone or answered what
    /// they said, newest first, at the beginning or beside one: as far back as their code has been theirs. Nothing when
    /// there is no such employee.
    async fn looks_at(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        at: Option<Beside<AuditKey>>,
        limit: usize,
    ) -> Answer<AuditPage>;
    /// As [`super::Operators::note`], with a detail, which is a JSON object.
    async fn note_with(
        &self,
        contract: Option<ContractId>,
        action: &'static str,
        object: String,
        detail: Value,
        act: Act,
    ) -> Answer<()>;
    /// As [`Self::note_with`], but at most once an hour for each person, action, object and detail: for what programs do
    /// every minute, and for lists that are looked at again and again. `false` when it stood there already.
    async fn note_hourly(
        &self,
        contract: ContractId,
        action: &'static str,
        object: &'static str,
        detail: Value,
        act: Act,
    ) -> Answer<bool>;
    /// Notes that somebody looked at an employee's attendance on a page (`punches`, `punch` …): one entry for each
    /// person, employee, page and hour, so that looking does not write each time. `false` when it stood there
    /// already, or when there is no such employee.
    async fn note_view(
        &self,
        contract: ContractId,
        employee: EmployeeId,
        page: &'static str,
        act: Act,
    ) -> Answer<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form_and_nothing_else_is_one() {
        let key = AuditKey { at: UtcMillis(-5), number: 42 };
        assert_eq!(AuditKey::parse(&key.to_string()), Some(key));
        for bad in ["", "1", "1_", "_1", "1_x", "1_99999999999999999999"] {
            assert_eq!(AuditKey::parse(bad), None, "{bad}");
        }
    }
}
