//! The days of a terminal: what evidence packs hold and the pages show.

use jiff::civil::Date;
use mngntime_attendance::completeness::{Day, Received, RetiredNumbers, Timeline, begin_of, last_run};
use mngntime_evidence::japan;
use mngntime_model::{BootId, UtcMillis};
use mngntime_store::{
    ContractId, EvidenceScope, EvidenceTerminal, RetiredRange, Store, StoreError, Terminal,
};
use mngntime_wire::EncodedEvent;

use crate::evidence::Dates;
use crate::web::times::{end_of, start_of};

/// Events read in one go.
const EVENTS_PER_READ: usize = 2_000;

/// A date and what is known of it.
#[derive(Debug, Clone)]
pub struct Dated {
    /// The date.
    pub date: Date,
    /// Its beginning and end; today ends now.
    pub span: (UtcMillis, UtcMillis),
    /// What is known.
    pub day: Day,
}

/// What is there, and what is not, of a terminal's numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Events that may be looked at, by number.
    pub events: &'a [Received],
    /// Numbers that the server never got.
    pub missing: &'a [(u64, u64)],
    /// Numbers of events that are there and not shown.
    pub hidden: &'a [u64],
    /// Numbers whose events were retired.
    pub retired: &'a [RetiredNumbers],
}

/// Numbers that were retired, as days are judged by them.
#[must_use]
pub fn retired(ranges: &[RetiredRange]) -> Vec<RetiredNumbers> {
    let one = |range: &RetiredRange| {
        let numbers = &range.numbers;
        RetiredNumbers { first: numbers.first, last: numbers.last, from: numbers.at.0, to: numbers.at.1 }
    };
    ranges.iter().map(one).collect()
}

/// What is known of a terminal over time; `heard` is when it was last [heard of](heard_all_at).
#[must_use]
pub fn timeline(known: Known<'_>, heard: Option<UtcMillis>, now: UtcMillis) -> Timeline {
    let Known { events, missing, hidden, retired } = known;
    Timeline::with_retired(events, missing, hidden, retired, heard, now)
}

/// Judges the days of a terminal by what is known of it over time. Before it was
/// enrolled, and before its first event, there was no terminal that could have a day; whoever checks a record finds the same days
/// by the same rule ([`Timeline::days_told`]).
#[must_use]
pub fn judge(terminal: &Terminal, timeline: &Timeline, dates: Option<Dates>, now: UtcMillis) -> Vec<Dated> {
    let asked = dates.map(|(from, to)| (japan::number_of(from), japan::number_of(to)));
    let dated = |day: i64| {
        let span = (begin_of(day), begin_of(day + 1).min(now));
        Dated { date: japan::date_of(day), span, day: timeline.day(span.0, span.1) }
    };
    timeline.days_told(terminal.enrolled_at, asked, now).days().map(dated).collect()
}

/// When the OS run `run`, with which the events up to number `newest` end, was last heard with nothing waiting there.
///
/// `None` when that vouches for nothing: what waits may tell anything of the time before, and so may what is stored
/// above `newest`. And a sign of life of another OS run (a restart whose first events are lost, a second PC with this
/// identity) says that another run was watched, not this one.
#[must_use]
pub fn heard_all_at(terminal: &Terminal, newest: u64, run: Option<&BootId>) -> Option<UtcMillis> {
    let all_is_here = terminal.waiting == 0 && terminal.head <= newest;
    let same_run = run.is_some_and(|run| run.as_str() == terminal.boot);
    terminal.last_contact_at.map(|at| at.min(terminal.boot_heard_at)).filter(|_| all_is_here && same_run)
}

/// The numbers from `first` on between some that are there, or were until they were retired.
#[must_use]
pub fn missing(
    first: u64,
    numbers: impl Iterator<Item = u64>,
    retired: &[RetiredNumbers],
) -> Vec<(u64, u64)> {
    let retired = retired.iter().map(|gone| (gone.first, gone.last));
    let mut there: Vec<_> = numbers.map(|number| (number, number)).chain(retired).collect();
    there.sort_unstable();
    let (mut holes, mut next) = (Vec::new(), first);
    for (begin, end) in there {
        if begin > next {
            holes.push((next, begin - 1));
        }
        next = next.max(end.saturating_add(1));
    }
    holes
}

/// The days of one terminal, judged by what is stored now.
///
/// # Errors
/// What the store says.
pub async fn of_terminal(
    store: &dyn Store,
    contract: ContractId,
    terminal: &Terminal,
    dates: Dates,
    now: UtcMillis,
) -> Result<Vec<Dated>, StoreError> {
    let span = start_of(dates.0).zip(end_of(dates.1));
    let scope = EvidenceScope { contract, accounts: None, terminal: Some(terminal.id), span };
    let Some(found) = store.evidence_terminals(scope).await?.pop() else {
        return Ok(judge(terminal, &timeline(Known::default(), None, now), Some(dates), now));
    };
    let EvidenceTerminal { first, last, retired: gone, .. } = found;
    let (mut events, mut numbers, mut next) = (Vec::new(), Vec::new(), first);
    while next <= last {
        let read = store.evidence_events(contract, terminal.id, next, EVENTS_PER_READ).await?;
        let Some(newest) = read.last() else { break };
        next = newest.sequence + 1;
        for stored in read.into_iter().filter(|stored| stored.sequence <= last) {
            numbers.push(stored.sequence);
            // What this program cannot read says nothing; its number is there.
            events.extend(
                EncodedEvent::decode(&stored.json)
                    .ok()
                    .map(|encoded| Received::of(encoded.event, stored.received_at, stored.clock_offset_ms)),
            );
        }
    }
    let gone = retired(&gone);
    let missing = missing(first, numbers.iter().copied(), &gone);
    let run = last_run(events.iter().rev().map(|received| &received.event));
    let heard = heard_all_at(terminal, numbers.last().copied().unwrap_or_default(), run.as_ref());
    let known = Known { events: &events, missing: &missing, hidden: &[], retired: &gone };
    Ok(judge(terminal, &timeline(known, heard, now), Some(dates), now))
}
