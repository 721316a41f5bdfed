//! The days of the employee by the one rule that the pages have, too (`mngntime_attendance::person_day`): of which day a
//! logon or a logoff is, and what a date is to the employment.
//!
//! It is asked of what the record shows, with the contract's day boundary. What only the record knows, that a link cut a
//! stay or that a logoff is not there, the days of the summary say beside it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use mngntime_attendance::completeness::Received;
use mngntime_attendance::person_day::{Employment, EventId, Lane, PersonDay, Terminal};
use mngntime_model::TerminalId;
use mngntime_store::{EvidenceLink, PersonLink, local_date};

use super::super::record::{Request, Written, WrittenTerminal};
use crate::person_days::{borders, judge};

/// The days of the employee.
#[derive(Debug)]
pub(super) struct Person {
    days: BTreeMap<Date, PersonDay>,
    /// Logons and logoffs that are of the day before the date on which they happened.
    of_the_day_before: BTreeSet<EventId>,
    employed: (Option<Date>, Option<Date>),
}

impl Person {
    /// Judges `dates`, and the one before them, whose night may end on the first.
    pub(super) fn of(request: &Request, written: &Written, dates: &BTreeSet<Date>) -> Self {
        let evening_before = dates.first().and_then(|first| first.yesterday().ok());
        let dates = evening_before.into_iter().chain(dates.iter().copied());
        let bordered: Vec<_> =
            dates.filter_map(|date| Some((date, borders(date, request.boundary_minutes())?))).collect();
        let employee = written.people.employees.first();
        let employed = employee.map_or((None, None), |employee| (employee.active_from, employee.active_to));
        let terminals: Vec<_> = written.terminals.iter().filter_map(terminal).collect();
        let links: Vec<_> =
            written.people.links.iter().filter_map(|link| person_link(link, written)).collect();
        let judged = judge(&terminals, &links, employed, &bordered, request.made_at);
        let days: BTreeMap<_, _> = judged.into_iter().map(|dated| (dated.date, dated.day)).collect();
        let of_the_day_before = days.values().flat_map(|day| day.of_the_next_date.iter().copied()).collect();
        Self { days, of_the_day_before, employed }
    }

    /// What is known of the employee on a date.
    pub(super) fn on(&self, date: Date) -> Option<&PersonDay> {
        self.days.get(&date)
    }

    /// The same of one PC.
    pub(super) fn on_terminal(&self, date: Date, terminal: TerminalId) -> Option<&Lane> {
        self.on(date)?.lanes.iter().find(|lane| lane.terminal == terminal)
    }

    /// The day of a logon or a logoff.
    pub(super) fn day_of(&self, terminal: TerminalId, received: &Received) -> Date {
        let date = local_date(received.event.occurred_at);
        if self.is_of_the_day_before(terminal, received) { date.yesterday().unwrap_or(date) } else { date }
    }

    /// Whether it is of the night of the date before the one on which it happened.
    pub(super) fn is_of_the_day_before(&self, terminal: TerminalId, received: &Received) -> bool {
        self.of_the_day_before.contains(&EventId { terminal, sequence: received.event.sequence })
    }

    /// What a date is to the employment.
    pub(super) fn employment(&self, date: Date) -> Employment {
        Employment::on(date, self.employed.0, self.employed.1)
    }
}

/// What a terminal tells; nothing when nobody is shown there.
fn terminal(written: &WrittenTerminal) -> Option<Terminal<'_>> {
    let theirs = written.told.iter().filter(|received| received.event.account.is_some());
    let times = theirs.map(|received| received.event.occurred_at);
    let used = times.clone().min().zip(times.max())?;
    Some(Terminal { id: written.id, events: &written.told, timeline: &written.timeline, used })
}

fn person_link(link: &EvidenceLink, written: &Written) -> Option<PersonLink> {
    let account = written.people.accounts.iter().find(|account| account.key == link.account)?;
    let holds = PersonLink { account: account.id, key: link.account.clone(), from: link.from, to: link.to };
    (!link.void).then_some(holds)
}
