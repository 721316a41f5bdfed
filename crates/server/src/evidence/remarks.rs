//! 本人の申告 in a pack: what the entries of the audit log say of them, which are in the signed log.
//!
//! The entries are chosen like any others ([`super::chosen`]); here they are put together for the summary: each remark with what
//! became of it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mngntime_ledger::audit::{ADD_REMARK, READ_REMARK, RemarkNoted, WITHDRAW_REMARK};
use mngntime_model::UtcMillis;
use mngntime_store::StoredEntry;

/// When something was done, and by whom.
pub type Done = (UtcMillis, String);

/// A remark, as the entries of a pack tell it.
#[derive(Debug, Clone)]
pub struct ToldRemark {
    /// The day that it is about.
    pub date: Date,
    /// From when to when, in minutes after midnight of that day.
    pub minutes: (u16, u16),
    /// What is said.
    pub text: String,
    /// Who said it, and when.
    pub made: Done,
    /// When it was withdrawn.
    pub withdrawn: Option<Done>,
    /// When somebody responsible had read it.
    pub read: Option<Done>,
    /// What they answered.
    pub answer: Option<String>,
}

/// The remarks that the entries tell of, by day and beginning.
pub(super) fn of(entries: &[StoredEntry]) -> Vec<ToldRemark> {
    let mut found: BTreeMap<String, ToldRemark> = BTreeMap::new();
    for entry in entries {
        let record = &entry.record;
        let done = || (UtcMillis(record.at), record.by.clone());
        let told = || record.told::<RemarkNoted>();
        match record.action.as_str() {
            ADD_REMARK => {
                found.extend(told().and_then(|told| Some((told.remark.clone(), added(told, done())?))));
            }
            WITHDRAW_REMARK => {
                if let Some(remark) = told().and_then(|told| found.get_mut(&told.remark)) {
                    remark.withdrawn = Some(done());
                }
            }
            READ_REMARK => {
                let Some(told) = told() else { continue };
                if let Some(remark) = found.get_mut(&told.remark) {
                    (remark.read, remark.answer) = (Some(done()), told.answer);
                }
            }
            _ => {}
        }
    }
    let mut all: Vec<ToldRemark> = found.into_values().collect();
    all.sort_by(|one, other| {
        (one.date, one.minutes, one.made.0).cmp(&(other.date, other.minutes, other.made.0))
    });
    all
}

fn added(told: RemarkNoted, made: Done) -> Option<ToldRemark> {
    Some(ToldRemark {
        date: told.date.parse().ok()?,
        minutes: (told.from_minutes?, told.to_minutes?),
        text: told.text?,
        made,
        withdrawn: None,
        read: None,
        answer: None,
    })
}
