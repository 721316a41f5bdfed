//! Which entries of the audit log a pack shows.
//!
//! A pack about everything shows every entry, any other one those of its terminals and links, and the renamings of its
//! employees, without which a link's entry would seem to speak of somebody else. Links are picked by what the entries
//! say, too, and not only by what the database holds of them now: one that was taken out of the database, or given to
//! somebody else there, has its entry in the pack and contradicts it. What its employees said about the dates (本人の申告) is
//! shown with what became of it, by the employee's code in the entry's object: a dispute leaves the house with the record. What is about nobody and explains what the log lacks,
//! a month that was retired or a restore from a backup, stands in every pack: who holds the pack against another one or
//! against receipts finds an honest restore beside what contradicts.

use std::collections::BTreeSet;

use jiff::civil::Date;
use mngntime_ledger::audit::{
    ADD_REMARK, AuditRecord, CHANGE_EMPLOYEE, EmployeeNoted, LINK_ACCOUNT, Linked, NumbersRetired,
    READ_REMARK, RESTORED_FROM_BACKUP, RETIRE_MONTH, RETIRE_NUMBERS, RemarkNoted, TerminalChanged,
    UNLINK_ACCOUNT, WITHDRAW_REMARK,
};

use super::Dates;
use super::record::Request;

/// A renaming: the number of its entry, the code before and the code afterwards.
type Renaming = (u64, String, String);

/// What is chosen.
#[derive(Debug)]
pub(super) struct Chosen {
    everything: bool,
    employee: Option<String>,
    dates: Option<Dates>,
    /// Ids of the terminals, links and employees that are shown, as the entries' details name them.
    subjects: BTreeSet<String>,
    renamings: Vec<Renaming>,
}

impl Chosen {
    pub(super) fn by(request: &Request) -> Self {
        Self {
            everything: request.employee.is_none() && request.dates.is_none(),
            employee: request.employee.clone(),
            dates: request.dates,
            subjects: BTreeSet::new(),
            renamings: Vec::new(),
        }
    }

    /// Chooses what has one of these ids.
    pub(super) fn show(&mut self, ids: impl IntoIterator<Item = String>) {
        self.subjects.extend(ids);
    }

    /// Whether every entry is shown.
    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    /// Remembers who got another code: entries come by ascending numbers, all of them before [`Self::has`] is asked.
    pub(super) fn note_renaming(&mut self, record: &AuditRecord) {
        let told: Option<EmployeeNoted> = (record.action == CHANGE_EMPLOYEE).then(|| record.told()).flatten();
        if let Some(EmployeeNoted { code_before: Some(before), code, .. }) = told
            && before != code
        {
            self.renamings.push((record.number, before, code));
        }
    }

    /// Whether the entry is shown, as far as it is known before all renamings are.
    pub(super) fn may_have(&self, record: &AuditRecord) -> bool {
        self.everything
            || matches!(record.action.as_str(), LINK_ACCOUNT | UNLINK_ACCOUNT | CHANGE_EMPLOYEE)
            || self.explains_absence(record)
            || self.is_remark_on_dates(record)
            || subject(record).is_some_and(|subject| self.subjects.contains(&subject))
    }

    /// Whether the entry is shown.
    pub(super) fn has(&self, record: &AuditRecord) -> bool {
        self.everything
            || subject(record).is_some_and(|subject| self.subjects.contains(&subject))
            || employee(record).is_some_and(|code| self.is_asked_for(&code, record.number))
            || (self.is_remark_on_dates(record)
                && record.employee().is_some_and(|code| self.is_asked_for(code, record.number)))
            || self.explains_absence(record)
    }

    /// Whether the entry is about what somebody said about one of the dates.
    fn is_remark_on_dates(&self, record: &AuditRecord) -> bool {
        let on_dates = |told: RemarkNoted| {
            let date: Option<Date> = told.date.parse().ok();
            date.is_some_and(|date| self.dates.is_none_or(|(from, to)| from <= date && date <= to))
        };
        matches!(record.action.as_str(), ADD_REMARK | WITHDRAW_REMARK | READ_REMARK)
            && record.told().is_some_and(on_dates)
    }

    /// Whether the entry says that the data were put back, that a month was retired, or numbers of a terminal that is shown.
    fn explains_absence(&self, record: &AuditRecord) -> bool {
        let has_shown =
            |told: NumbersRetired| told.numbers.iter().any(|range| self.subjects.contains(&range.terminal));
        match record.action.as_str() {
            RETIRE_MONTH | RESTORED_FROM_BACKUP => true,
            RETIRE_NUMBERS => record.told().is_some_and(has_shown),
            _ => false,
        }
    }

    /// Whether who had `code` after entry `number` is somebody the pack is about.
    fn is_asked_for(&self, code: &str, number: u64) -> bool {
        let Some(asked) = &self.employee else { return true };
        let later = self.renamings.iter().filter(|(at, ..)| *at > number);
        let now = later.fold(code, |code, (_, before, after)| if before == code { after } else { code });
        now == asked
    }
}

/// Id of the link, employee or terminal of which an entry tells.
pub(super) fn subject(record: &AuditRecord) -> Option<String> {
    match record.action.as_str() {
        LINK_ACCOUNT | UNLINK_ACCOUNT => record.told().map(|told: Linked| told.link),
        CHANGE_EMPLOYEE => record.told().map(|told: EmployeeNoted| told.id),
        // An enrolment names its terminal as everything else does that is done to one.
        _ => record.told().map(|told: TerminalChanged| told.terminal),
    }
}

/// Code of the employee of whose link or change an entry tells, as it was afterwards.
fn employee(record: &AuditRecord) -> Option<String> {
    match record.action.as_str() {
        LINK_ACCOUNT | UNLINK_ACCOUNT => record.told().map(|told: Linked| told.employee),
        CHANGE_EMPLOYEE => record.told().map(|told: EmployeeNoted| told.code),
        _ => None,
    }
}
