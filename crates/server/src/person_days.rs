//! The days of a person: read once for a stretch of dates, judged date by date.
//!
//! Also of which day a punch is. That is `person_day`'s rule and nobody else's: what happens on a date is of that date,
//! but for the night of the day before. A contract's day boundary says until when such a night may last.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_attendance::arrival::{Arrival, is_ahead};
use mngntime_attendance::completeness::{Received, State, Timeline, last_run, put_right};
use mngntime_attendance::person_day::{
    Borders, Edge, Employment, EventId, First, Last, Mark, NIGHT_PAUSE_MS, PersonDay, Record, Silence,
    Standing, Terminal, Whose,
};
use mngntime_model::{Event, TerminalId, UtcMillis};
use mngntime_store::{
    AccountId, ContractId, EmployeeId, EmployeeRow, PersonLink, PersonTerminal, Punch, RetiredMonth, Store,
    StoreError, local_date,
};
use mngntime_wire::EncodedEvent;

use crate::days::{heard_all_at, missing, retired};
use crate::web::times::{end_of, start_of};

/// Dates that are judged at once: the longest month, and the morning after it.
pub const DATES_MAX: usize = 32;

/// A date of a person.
#[derive(Debug, Clone)]
pub struct Dated {
    /// The date.
    pub date: Date,
    /// Its borders.
    pub borders: Borders,
    /// What the record says.
    pub day: PersonDay,
}

/// The days of a person, with what they are told by.
#[derive(Debug)]
pub struct PersonDays {
    /// The days, by date.
    pub days: Vec<Dated>,
    /// The PCs, by their id: names and so on.
    pub terminals: Vec<mngntime_store::Terminal>,
    /// Whether everything that speaks for these dates was read; else there was too much of it.
    pub whole: bool,
    /// The person's accounts.
    links: Vec<PersonLink>,
    /// Events that a terminal marks as sent again.
    resent: BTreeSet<EventId>,
    /// Events whose time had not come when they were received.
    ahead: BTreeSet<EventId>,
    /// When the person's logons and logoffs among these are said to have happened.
    not_come: Vec<UtcMillis>,
}

/// A terminal's events, read.
struct Told {
    terminal: TerminalId,
    used: (UtcMillis, UtcMillis),
    events: Vec<Received>,
    timeline: Timeline,
}

impl PersonDays {
    /// Reads and judges the dates from `first` to `last`, at most [`DATES_MAX`] of them. A night ends
    /// `boundary_minutes` after midnight.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(
        store: &dyn Store,
        contract: ContractId,
        employee: EmployeeId,
        (first, last): (Date, Date),
        boundary_minutes: u32,
        now: UtcMillis,
    ) -> Result<Self, StoreError> {
        let dates = first.series(1.day()).take_while(|date| *date <= last).take(DATES_MAX);
        let dates: Vec<(Date, Borders)> =
            dates.filter_map(|date| Some((date, borders(date, boundary_minutes)?))).collect();
        // What ended shortly before the first midnight tells whether a logon after it goes on with that night.
        let of = |(one, other): (&(Date, Borders), &(Date, Borders))| {
            (one.1.from.plus(-NIGHT_PAUSE_MS), other.1.boundary)
        };
        let Some(span) = dates.first().zip(dates.last()).map(of) else {
            return Ok(Self::none());
        };
        let found = store.person_record(contract, employee, span).await?;
        let told: Vec<Told> = found.terminals.iter().map(|terminal| read(terminal, now)).collect();
        let terminals: Vec<_> = told.iter().map(of_terminal).collect();
        let mut days = judge(&terminals, &found.links, found.employed, &dates, now);
        let retired = store.retired_months(contract).await?;
        days.iter_mut().for_each(|dated| note_retired(dated, &retired));
        let resent = found.terminals.iter().flat_map(resent).collect();
        let ahead = told.iter().flat_map(ahead).collect();
        let not_come = not_come(&told, &found.links);
        let whole = found.whole && found.terminals.iter().all(|terminal| terminal.whole);
        let terminals = found.terminals.into_iter().map(|found| found.terminal).collect();
        Ok(Self { days, terminals, whole, links: found.links, resent, ahead, not_come })
    }

    fn none() -> Self {
        let (days, terminals, not_come) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            days,
            terminals,
            whole: true,
            links: Vec::new(),
            resent: BTreeSet::new(),
            ahead: BTreeSet::new(),
            not_come,
        }
    }

    /// The account of the first stay of a day on which punches outside of the employment stand.
    #[must_use]
    pub fn outside(&self, day: &PersonDay) -> Option<AccountId> {
        let stay = day.lanes.iter().flat_map(|lane| &lane.stays).next();
        let key = &stay.filter(|_| day.has_punches_outside())?.account.key;
        self.links.iter().find(|link| link.key == *key).map(|link| link.account)
    }

    /// How an event of these days came.
    #[must_use]
    pub fn arrival(&self, mark: &Mark) -> Arrival {
        let [resent, ahead] = [&self.resent, &self.ahead].map(|events| events.contains(&mark.event));
        let by_the_servers_clock = mark.stamped_at.is_some();
        Arrival { evidence: mark.evidence, resent, delay_ms: mark.delay_ms, ahead, by_the_servers_clock }
    }

    /// Whether a PC whose clock was ahead tells of logons or logoffs of the person on a date.
    #[must_use]
    pub fn is_told_ahead(&self, dated: &Dated) -> bool {
        self.not_come.iter().any(|at| (dated.borders.from..dated.borders.to).contains(at))
    }

    /// Name of a PC.
    #[must_use]
    pub fn host(&self, terminal: TerminalId) -> &str {
        let found = self.terminals.iter().find(|known| known.id == terminal);
        found.map_or("", |terminal| terminal.host_name.as_str())
    }

    /// The day of a punch; its own date, where that is none of the dates that were read.
    #[must_use]
    pub fn day_of(&self, punch: &Punch) -> Date {
        let date = local_date(punch.occurred_at);
        let event = EventId { terminal: punch.terminal, sequence: punch.sequence };
        let of_the_day_before =
            |dated: &Dated| dated.date == date && dated.day.of_the_day_before.contains(&event);
        if self.days.iter().any(of_the_day_before) { date.yesterday().unwrap_or(date) } else { date }
    }

    /// Whether an event stands on one of the days, or behind something that does.
    #[must_use]
    pub fn shows(&self, event: EventId) -> bool {
        self.days.iter().any(|dated| shows(&dated.day, event))
    }
}

/// Those of a terminal's events that it marks as sent again.
fn resent(found: &PersonTerminal) -> impl Iterator<Item = EventId> + '_ {
    let marked = found.events.iter().filter(|event| event.resent);
    marked.map(|event| EventId { terminal: found.terminal.id, sequence: event.sequence })
}

/// Whether its time had not come when it was received.
fn is_early(received: &&Received) -> bool {
    is_ahead(received.event.occurred_at, received.received_at)
}

/// Those of a terminal's events whose time had not come when they were received.
fn ahead(told: &Told) -> impl Iterator<Item = EventId> + '_ {
    let events = told.events.iter().filter(is_early);
    events.map(|received| EventId { terminal: told.terminal, sequence: received.event.sequence })
}

/// When those of them happened that are logons and logoffs of these accounts.
fn not_come(told: &[Told], links: &[PersonLink]) -> Vec<UtcMillis> {
    let events = told.iter().flat_map(|told| &told.events).filter(is_early).map(|received| &received.event);
    let theirs = |event: &&Event| {
        let account = event.account.as_ref().filter(|_| event.kind.is_punch());
        account.is_some_and(|account| links.iter().any(|link| link.key == account.key))
    };
    events.filter(theirs).map(|event| event.occurred_at).collect()
}

/// Whether `event` is one of the day's, or that by which a band or an edge of it is told.
fn shows(day: &PersonDay, event: EventId) -> bool {
    let mut bands = day.lanes.iter().flat_map(|lane| &lane.stays).flat_map(|stay| &stay.bands);
    let mut marks = day.lanes.iter().flat_map(|lane| &lane.marks);
    let first = if let First::At { edge, .. } = day.first { Some(edge.event) } else { None };
    let last = if let Last::At { edge, .. } = day.last { Some(edge.event) } else { None };
    marks.any(|mark| mark.event == event)
        || bands.any(|band| [band.begins, band.ends].contains(&Some(event)))
        || [first, last].contains(&Some(event))
}

/// Whether a punch may be of the day before: only what comes before the boundary is.
#[must_use]
pub fn may_be_of_a_night(punch: &Punch, boundary_minutes: u32) -> bool {
    comes_before_the_boundary(punch.occurred_at, boundary_minutes)
}

fn comes_before_the_boundary(time: UtcMillis, boundary_minutes: u32) -> bool {
    let boundary = borders(local_date(time), boundary_minutes).map(|borders| borders.boundary_before);
    boundary.is_some_and(|boundary| time < boundary)
}

/// When each of these people came on a day, which a list tells by its first logon in the store. One before the day boundary may go on
/// with the night of the day before, and is then of that day: whoever has one is judged.
///
/// # Errors
/// What the store says.
pub async fn came(
    store: &dyn Store,
    contract: ContractId,
    people: &[EmployeeRow],
    boundary_minutes: u32,
    now: UtcMillis,
) -> Result<Vec<Option<UtcMillis>>, StoreError> {
    let mut came = Vec::with_capacity(people.len());
    for person in people {
        came.push(match person.first.filter(|first| comes_before_the_boundary(*first, boundary_minutes)) {
            None => person.first,
            Some(first) => {
                let (id, date) = (person.employee.id, local_date(first));
                let found =
                    PersonDays::read(store, contract, id, (date, date), boundary_minutes, now).await?;
                found.days.first().and_then(|dated| match dated.day.first {
                    First::At { edge, .. } => Some(edge.at),
                    First::Continued { .. } | First::None => None,
                })
            }
        });
    }
    Ok(came)
}

/// The day of one punch of an employee.
///
/// # Errors
/// What the store says.
pub async fn day_of_punch(
    store: &dyn Store,
    contract: ContractId,
    employee: EmployeeId,
    punch: &Punch,
    boundary_minutes: u32,
    now: UtcMillis,
) -> Result<Date, StoreError> {
    let date = local_date(punch.occurred_at);
    if !may_be_of_a_night(punch, boundary_minutes) {
        return Ok(date);
    }
    let found = PersonDays::read(store, contract, employee, (date, date), boundary_minutes, now).await?;
    Ok(found.day_of(punch))
}

/// Of a month that was retired nobody knows on which other PCs the person was.
fn note_retired(dated: &mut Dated, retired: &[RetiredMonth]) {
    let silent = match dated.day.silence {
        None
        | Some(
            Silence::NotYet
            | Silence::NoAccount
            | Silence::BeforeFirstLink
            | Silence::BeforeEmployment
            | Silence::AfterEmployment,
        ) => false,
        Some(
            Silence::NoTerminal
            | Silence::BeforeFirstStart
            | Silence::Watched
            | Silence::AgentOff
            | Silence::Retired
            | Silence::Unknown,
        ) => true,
    };
    if silent && retired.iter().any(|month| month.is_of(dated.date)) {
        dated.day.silence = Some(Silence::Retired);
        dated.day.state = State::Retired;
    }
}

/// The borders of `date` in Tokyo; `None` beyond the calendar.
#[must_use]
pub fn borders(date: Date, boundary_minutes: u32) -> Option<Borders> {
    let (from, to) = (start_of(date)?, end_of(date)?);
    let night = i64::from(boundary_minutes) * 60_000;
    Some(Borders { from, to, boundary_before: from.plus(night), boundary: to.plus(night) })
}

fn of_terminal(told: &Told) -> Terminal<'_> {
    Terminal { id: told.terminal, events: &told.events, timeline: &told.timeline, used: told.used }
}

/// The days of a person who is employed from the first to the last date of `employed` and has these links, by what their
/// terminals tell.
#[must_use]
pub fn judge(
    terminals: &[Terminal<'_>],
    links: &[PersonLink],
    (first, last): (Option<Date>, Option<Date>),
    dates: &[(Date, Borders)],
    now: UtcMillis,
) -> Vec<Dated> {
    let first_link = links.iter().map(|link| link.from).min();
    let keys: Vec<&str> = links.iter().map(|link| link.key.as_str()).collect();
    let record = Record::of(terminals, &keys, now);
    let linked = |date: Date| {
        let counts = move |link: &&PersonLink| link.from <= date && link.to.is_none_or(|to| date <= to);
        links.iter().filter(counts).map(|link| link.key.as_str()).collect::<Vec<_>>()
    };
    let dated = |(date, borders): &(Date, Borders)| {
        let standing = Standing {
            employment: Employment::on(*date, first, last),
            evening_before: Employment::on(date.yesterday().unwrap_or(*date), first, last),
            before_first_link: first_link.is_some_and(|first| *date < first),
        };
        let [yesterday, tomorrow] = [date.yesterday(), date.tomorrow()].map(|next| next.unwrap_or(*date));
        let of = |date| Employment::on(date, first, last);
        let both = |one: Date, next: Date| {
            let next_too = linked(next);
            let stays = |key: &&str| of(one) == of(next) && next_too.contains(key);
            linked(one).into_iter().filter(stays).collect::<Vec<_>>()
        };
        let whose = Whose {
            today: &linked(*date),
            yesterday: &linked(yesterday),
            into_today: &both(yesterday, *date),
            into_tomorrow: &both(*date, tomorrow),
        };
        let mut day = record.day(*borders, whose).of_one_with(standing);
        // The logoff of a stay may be somebody else's: of who has the account by then.
        if let Last::GoesOn { until } = &mut day.last {
            let theirs =
                |end: &Edge| linked(*date).iter().all(|key| linked(local_date(end.at)).contains(key));
            *until = until.filter(theirs);
        }
        Dated { date: *date, borders: *borders, day }
    };
    dates.iter().map(dated).collect()
}

fn read(found: &PersonTerminal, now: UtcMillis) -> Told {
    // What this program cannot read says nothing; its number is there.
    let received = found.events.iter().filter_map(|stored| {
        EncodedEvent::decode(&stored.json)
            .ok()
            .map(|encoded| Received::of(encoded.event, stored.received_at, stored.clock_offset_ms))
    });
    let events: Vec<Received> = received.collect();
    let (first, last) = found.numbers;
    let inside = |number: u64| (first..=last).contains(&number);
    let numbers = found.events.iter().map(|stored| stored.sequence).filter(|number| inside(*number));
    // Single events from elsewhere say nothing about the time between.
    let from = events.partition_point(|received| received.event.sequence < first);
    let to = events.partition_point(|received| received.event.sequence <= last);
    // Where the reading ends before the record does, nothing is known of what follows.
    let run = last_run(events[from..to].iter().rev().map(|received| &received.event));
    let heard = heard_all_at(&found.terminal, last, run.as_ref());
    let retired = retired(&found.retired);
    let up_to = retired.partition_point(|gone| gone.last <= last);
    let missing = missing(first, numbers, &retired[..up_to]);
    let timeline = Timeline::with_retired(&events[from..to], &missing, &[], &retired, heard, now);
    Told { terminal: found.terminal.id, used: found.used, events: put_right(events), timeline }
}
