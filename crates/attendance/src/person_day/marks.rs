//! The events that stand on a day.

use mngntime_model::{EventKind, UtcMillis};

use super::{Borders, EventId, Mark, Stay, Terminal};
use crate::completeness::Received;

/// Events of the day: those of the person's sessions, and of the PC where there is a stay or a loss to explain. Until the
/// end of one of `others` the account was somebody else's.
pub(super) fn of(
    terminal: &Terminal<'_>,
    (accounts, others): (&[&str], &[&Stay]),
    borders: Borders,
    until: UtcMillis,
    stays: bool,
) -> Vec<Mark> {
    let mark = |received: &Received| {
        let event = &received.event;
        // Of years of events most are of other days.
        if !(borders.from..=until.max(borders.to)).contains(&event.occurred_at) {
            return None;
        }
        let is_others = |stay: &&&Stay| {
            let until = stay.end.map_or(stay.begin.at, |end| end.latest);
            let key = event.account.as_ref().map(|account| &account.key);
            stay.terminal == terminal.id && key == Some(&stay.account.key) && event.occurred_at <= until
        };
        if others.iter().any(|stay| is_others(&stay)) {
            return None;
        }
        let account = event.account.as_ref().filter(|account| accounts.contains(&account.key.as_str()));
        let of_the_pc = event.account.is_none() && tells_of_the_pc(event.kind, stays);
        // Beyond midnight only what belongs to the night.
        let end = if account.is_some() { until.plus(i64::from(until > borders.to)) } else { borders.to };
        let inside = (borders.from..end).contains(&event.occurred_at);
        (inside && (account.is_some() || of_the_pc)).then(|| Mark {
            at: event.occurred_at,
            bounds: event.bounds,
            kind: event.kind,
            evidence: event.evidence,
            cause: event.cause.clone(),
            event: EventId { terminal: terminal.id, sequence: event.sequence },
            account: account.cloned(),
            late: received.is_late(),
            delay_ms: received.delay_ms(),
            stamped_at: received.stamped_at,
        })
    };
    let mut found: Vec<Mark> = terminal.events.iter().filter_map(mark).collect();
    found.sort_by_key(|mark| (mark.at, mark.event));
    found
}

fn tells_of_the_pc(kind: EventKind, stays: bool) -> bool {
    match kind {
        EventKind::Suspend | EventKind::Resume | EventKind::DisplayOff | EventKind::DisplayOn => stays,
        EventKind::Boot
        | EventKind::Shutdown
        | EventKind::TimeChange
        | EventKind::ServiceStart
        | EventKind::ServiceStop
        | EventKind::Gap => true,
        EventKind::Logon
        | EventKind::Logoff
        | EventKind::Lock
        | EventKind::Unlock
        | EventKind::Connect
        | EventKind::Disconnect => false,
    }
}
