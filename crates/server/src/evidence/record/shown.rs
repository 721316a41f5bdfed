//! Which events a record shows, and which it hides because they are somebody else's.
//!
//! A logoff that ends a night is of the evening on which its stay began ([`Nights`]): the last night of whoever leaves, or
//! hands an account over, is theirs to its end, and not of whoever has the account afterwards. What a clock years off has
//! stamped is of the date of the server's clock, as on the pages ([`Part::put_right`]). That depends on the event itself and on
//! settings of the clock, which are nobody's and so always shown: a verifier comes to the same.

use std::collections::BTreeSet;
use std::io::Write;

use jiff::civil::Date;
use mngntime_attendance::completeness::{Received, last_run};
use mngntime_evidence::japan;
use mngntime_evidence::nights::Nights;
use mngntime_model::{Event, UtcMillis};
use mngntime_store::EvidenceLink;

use super::super::part::{Part, read};
use super::Writer;
use crate::days;

impl<W: Write> Writer<'_, W> {
    /// The numbers of the events that are shown. What cannot be read fails where it is written.
    pub(super) fn shown_numbers(&self, part: &Part) -> BTreeSet<u64> {
        let minutes = self.request.night_minutes();
        // Whose a logoff is follows from every logon, whether a verifier may be shown it from those that it sees.
        let (mut all, mut seen) = (Nights::until(minutes), Nights::until(minutes));
        let mut shown = BTreeSet::new();
        let read = part.put_right();
        for number in part.numbers() {
            let Some(Received { event, .. }) = read.get(&number) else {
                shown.insert(number);
                continue;
            };
            let may_be_seen = self.is_shown(event, japan::date_at(event.occurred_at))
                || self.is_shown(event, seen.date_of(event));
            if may_be_seen && self.is_shown(event, all.date_of(event)) {
                shown.insert(number);
                seen.note(event);
            }
            all.note(event);
        }
        shown
    }

    /// What belongs to nobody is shown; of people only the one it is about, of the dates of the links.
    pub(super) fn is_shown(&self, event: &Event, date: Date) -> bool {
        let (Some(account), true) = (&event.account, self.request.employee.is_some()) else {
            return true;
        };
        let covers = |link: &&EvidenceLink| {
            !link.void
                && link.account == account.key
                && link.from <= date
                && link.to.is_none_or(|to| date <= to)
        };
        self.people.links.iter().any(|link| covers(&link))
    }
}

/// When the run with which the shown events end was last heard. What cannot be read fails where it is written.
pub(super) fn heard_all_at(part: &Part, shown: &BTreeSet<u64>) -> Option<UtcMillis> {
    let events = part.events.iter().rev().filter(|stored| shown.contains(&stored.sequence));
    let run = last_run(events.filter_map(|stored| read(part, stored).ok()));
    days::heard_all_at(&part.terminal.terminal, part.last, run.as_ref())
}
