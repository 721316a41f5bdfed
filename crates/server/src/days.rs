//! The days of a terminal: what evidence packs hold and the pages show.

use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_attendance::completeness::{Day, Received, Timeline};
use mngntime_model::UtcMillis;
use mngntime_store::{ContractId, EvidenceScope, EvidenceTerminal, Store, StoreError, Terminal, local_date};
use mngntime_wire::EncodedEvent;

use crate::evidence::Dates;
use crate::web::times::{end_of, start_of};

/// Days of one terminal: five years, the longest that records are kept, and one more.
const DAYS_MAX: usize = 6 * 366;

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

/// Judges the days of a terminal by its events. Before it was enrolled, and before its first event, there was no
/// terminal that could have a day.
#[must_use]
pub fn judge(
    terminal: &Terminal,
    events: &[Received],
    missing: &[(u64, u64)],
    hidden: &[u64],
    dates: Option<Dates>,
    now: UtcMillis,
) -> Vec<Dated> {
    let timeline = Timeline::of(events, missing, hidden, heard_all_at(terminal), now);
    let today = local_date(now);
    let enrolled = local_date(terminal.enrolled_at);
    let recorded = events.iter().map(|received| local_date(received.event.recorded_at.wall)).min();
    let first = recorded.map_or(enrolled, |recorded| recorded.min(enrolled));
    let (from, to) = dates.unwrap_or((first, today));
    let dated = |date: Date| {
        let span = (start_of(date)?, end_of(date)?.min(now));
        (span.0 < span.1).then(|| Dated { date, span, day: timeline.day(span.0, span.1) })
    };
    let dates = from.max(first).series(1.day()).take_while(|date| *date <= to.min(today));
    dates.take(DAYS_MAX).filter_map(dated).collect()
}

/// When the terminal was last heard of with nothing waiting there: what waits may tell anything of the time before.
#[must_use]
pub fn heard_all_at(terminal: &Terminal) -> Option<UtcMillis> {
    terminal.last_contact_at.filter(|_| terminal.waiting == 0)
}

/// The numbers between some that are there.
#[must_use]
pub fn missing(first: u64, numbers: impl Iterator<Item = u64> + Clone) -> Vec<(u64, u64)> {
    let before = std::iter::once(first - 1).chain(numbers.clone());
    let hole = |(one, next): (u64, u64)| (one + 1 < next).then(|| (one + 1, next - 1));
    before.zip(numbers).filter_map(hole).collect()
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
    let Some(EvidenceTerminal { first, last, .. }) = store.evidence_terminals(scope).await?.pop() else {
        return Ok(judge(terminal, &[], &[], &[], Some(dates), now));
    };
    let (mut events, mut numbers, mut next) = (Vec::new(), Vec::new(), first);
    while next <= last {
        let read = store.evidence_events(contract, terminal.id, next, EVENTS_PER_READ).await?;
        let Some(newest) = read.last() else { break };
        next = newest.sequence + 1;
        for stored in read.into_iter().filter(|stored| stored.sequence <= last) {
            numbers.push(stored.sequence);
            // What this program cannot read says nothing; its number is there.
            events.extend(EncodedEvent::decode(&stored.json).ok().map(|encoded| Received {
                event: encoded.event,
                received_at: stored.received_at,
                clock_offset_ms: stored.clock_offset_ms,
            }));
        }
    }
    let missing = missing(first, numbers.iter().copied());
    Ok(judge(terminal, &events, &missing, &[], Some(dates), now))
}
