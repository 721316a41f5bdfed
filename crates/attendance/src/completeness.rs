//! Was the terminal watched? For every stretch of a day: watched, off, without the agent, or unknown.
//!
//! A day without a punch says that nobody worked at a PC only where the record says that the PC was watched or off.
//! Everything that no event speaks for is [`State::Unknown`]; it is never taken for a day without work.
//!
//! # How a stretch is judged
//! A run of the agent goes from its start (`service_start`) to its last sign. What lies between two runs is told by
//! how the first one ended and by what the second one declares: an orderly shutdown means off; a stop by hand
//! means without the agent; after a crash the agent itself declares an absence as a gap when there was one, since
//! it knows its own last sign of life; after a power loss the inferred logoffs carry the interval in which it
//! happened. Declared gaps and missing numbers lie over all this, the worse one on top. Where events were deleted because
//! their retention period had ended, that is what is known: neither that the PC was watched nor that it was not.
//! Times are the PC's own, as in the events; where its clock was wrong by more than minutes, the server's (`clocks`).
//!
//! # What it costs
//! Events, missing and hidden numbers ascend, so each look among them is a binary search; what all statements say
//! together is found in one sweep over their sorted edges (`sweep`). A terminal with a hundred thousand holes is
//! judged as fast as its events are read.

mod clocks;
mod dates;
mod losses;
mod sweep;

pub(crate) use clocks::YEARS_MS;
pub use clocks::{may_be_years_off, put_right};
pub use dates::{DAYS_MAX, DaysTold, begin_of, day_of};
pub use losses::DeclaredLosses;

use std::borrow::Borrow;

use mngntime_model::{BootId, Bounds, Declared, Event, EventKind, Evidence, UtcMillis};

/// Version of these rules. A change of what they say about the same events is a new version.
pub const RULES_VERSION: u32 = 1;

/// An event that arrived so much later than it was recorded had waited on the PC: the longest ordinary delay is
/// the spread of a morning's logons and a few tries.
pub const LATE_MS: i64 = 3_600_000;

/// A healthy terminal gives a sign of life every quarter of an hour, unless the server wishes otherwise; four times
/// that is silence.
pub const CONTACT_PAUSE_MS: i64 = 3_600_000;

/// Events that a start of the agent writes about the time before it, generously: gaps, and a logoff for each stay.
const START_EVENTS: u64 = 20;

/// How well a stretch is known; the later the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The agent watched, or the PC was off.
    Observed,
    /// The PC may have been in use without the agent.
    AgentOff,
    /// What spoke for this time was deleted when its retention period had ended.
    Retired,
    /// Nothing speaks for this time.
    Unknown,
}

impl State {
    /// The name in every format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::AgentOff => "agent_off",
            Self::Retired => "retired",
            Self::Unknown => "unknown",
        }
    }
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The agent watched.
    Watched,
    /// The PC was shut down in order.
    ShutDown,
    /// The PC had lost its power; nobody was logged on, or the loss itself is told by [`Self::PowerLost`].
    Off,
    /// The service was stopped while the PC went on.
    AgentStopped,
    /// The agent declared that it had been absent.
    AgentAbsent,
    /// The agent watched when the server last heard of it, less than [`CONTACT_PAUSE_MS`] ago.
    BetweenContacts,
    /// What was recorded in this time was deleted by the retention rule.
    Retired,
    /// Somewhere in this interval the power went.
    PowerLost,
    /// The agent declared that records cannot be read or could not be stored.
    RecordsLost,
    /// Numbers are missing on the server, and nobody has declared them.
    NumbersMissing,
    /// In this time the agent ran with a clock that contradicts the run before it: when what it saw happened is not known.
    ClockDoubted,
    /// Nothing was heard of the terminal since it was shut down.
    SilentSinceShutdown,
    /// Nothing was heard of the terminal.
    Silent,
    /// The agent had not started for the first time yet.
    BeforeFirstStart,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 14] = [
        Self::Watched,
        Self::ShutDown,
        Self::Off,
        Self::AgentStopped,
        Self::AgentAbsent,
        Self::BetweenContacts,
        Self::Retired,
        Self::PowerLost,
        Self::RecordsLost,
        Self::NumbersMissing,
        Self::ClockDoubted,
        Self::SilentSinceShutdown,
        Self::Silent,
        Self::BeforeFirstStart,
    ];

    /// The name in every format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::ShutDown => "shut_down",
            Self::Off => "off",
            Self::AgentStopped => "agent_stopped",
            Self::AgentAbsent => "agent_absent",
            Self::BetweenContacts => "between_contacts",
            Self::Retired => "retired",
            Self::PowerLost => "power_lost",
            Self::RecordsLost => "records_lost",
            Self::NumbersMissing => "numbers_missing",
            Self::ClockDoubted => "clock_doubted",
            Self::SilentSinceShutdown => "silent_since_shutdown",
            Self::Silent => "silent",
            Self::BeforeFirstStart => "before_first_start",
        }
    }

    /// How well a stretch for this reason is known.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Watched | Self::ShutDown | Self::Off | Self::BetweenContacts => State::Observed,
            Self::AgentStopped | Self::AgentAbsent => State::AgentOff,
            Self::Retired => State::Retired,
            Self::PowerLost
            | Self::RecordsLost
            | Self::NumbersMissing
            | Self::ClockDoubted
            | Self::SilentSinceShutdown
            | Self::Silent
            | Self::BeforeFirstStart => State::Unknown,
        }
    }
}

/// An event, and how it came to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The event. Of one that must not be shown, kind and times are enough.
    pub event: Event,
    /// When, by the server's clock.
    pub received_at: UtcMillis,
    /// Server's clock less the terminal's at that moment, in milliseconds.
    pub clock_offset_ms: i64,
    /// What the terminal's clock showed, where that was years off and the event's times are by the server's (see [`put_right`]).
    pub stamped_at: Option<UtcMillis>,
}

impl Received {
    /// An event as it came.
    #[must_use]
    pub fn of(event: Event, received_at: UtcMillis, clock_offset_ms: i64) -> Self {
        Self { event, received_at, clock_offset_ms, stamped_at: None }
    }

    /// Whether it had waited on the PC.
    #[must_use]
    pub fn is_late(&self) -> bool {
        let recorded = self.event.recorded_at.wall.plus(self.clock_offset_ms);
        self.received_at.0.saturating_sub(recorded.0) > LATE_MS
    }

    /// How long after it happened it arrived, by the server's clock, in milliseconds.
    #[must_use]
    pub fn delay_ms(&self) -> i64 {
        crate::arrival::delay_ms(self.event.occurred_at, self.clock_offset_ms, self.received_at)
    }
}

/// A stretch of time and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its beginning.
    pub from: UtcMillis,
    /// Its end, not included.
    pub to: UtcMillis,
    /// What is known.
    pub why: Why,
}

/// Numbers whose events were deleted when their retention period had ended, and when they happened by their own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetiredNumbers {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// When the earliest of them happened.
    pub from: UtcMillis,
    /// When the latest did.
    pub to: UtcMillis,
}

/// A day of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The worst of its parts.
    pub state: State,
    /// Events of the day that had waited on the PC for over an hour (offline, arrived late).
    pub late: u64,
    /// Its parts, in order and without holes.
    pub parts: Vec<Part>,
}

/// What is known of a terminal over time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// From the first statement to the last: in order, without holes, neighbours different.
    known: Vec<Part>,
    /// When events that arrived late were recorded, in order.
    late: Vec<UtcMillis>,
    /// The day of the earliest event.
    first_recorded: Option<i64>,
}

/// What events say, one statement after the other; several may be about the same time.
#[derive(Debug, Default)]
struct Statements {
    parts: Vec<Part>,
    late: Vec<UtcMillis>,
}

/// A run of the agent that has begun.
struct Run {
    boot: BootId,
    last_sign: UtcMillis,
    /// Whether the run before had ended with the power.
    after_power_loss: bool,
    shutdown_announced: bool,
    stopped: bool,
}

impl Run {
    /// By its first event that is told.
    fn begun(event: &Event) -> Self {
        let (boot, last_sign) = (event.boot.clone(), event.recorded_at.wall);
        let after_power_loss = begins_after_power_loss(event);
        Self { boot, last_sign, after_power_loss, shutdown_announced: false, stopped: false }
    }

    /// Whether an end says that somewhere in its interval the power went. Where the clock had gone back until the start, the
    /// agent gives that for the cause (`clock_unreliable`), and how the run before had ended stands in the start.
    fn tells_of_power_loss(&self, event: &Event) -> bool {
        event.evidence == Evidence::Inferred
            && event.kind == EventKind::Logoff
            && match event.cause.as_deref() {
                Some("power_loss") => true,
                Some("clock_unreliable") => self.after_power_loss,
                _ => false,
            }
    }
}

impl Timeline {
    /// Judges a terminal's events, in the order of their numbers; not all of them need to be there, but those of
    /// the agent and the PC must. `missing` are numbers that the server never got, `hidden` the numbers of events
    /// that are there and not shown, both ascending; `last_contact_at` is when it last heard of the terminal's last
    /// run ([`last_run`]) with nothing waiting there, `now` the end of everything.
    #[must_use]
    pub fn of(
        events: &[Received],
        missing: &[(u64, u64)],
        hidden: &[u64],
        last_contact_at: Option<UtcMillis>,
        now: UtcMillis,
    ) -> Self {
        Self::with_retired(events, missing, hidden, &[], last_contact_at, now)
    }

    /// The same for a terminal of which some numbers are `retired`; they ascend, and none of them is missing.
    #[must_use]
    pub fn with_retired(
        events: &[Received],
        missing: &[(u64, u64)],
        hidden: &[u64],
        retired: &[RetiredNumbers],
        last_contact_at: Option<UtcMillis>,
        now: UtcMillis,
    ) -> Self {
        let by_the_servers_clock = clocks::by_the_servers_clock(events);
        let events = by_the_servers_clock.as_deref().unwrap_or(events);
        let mut said = Statements::default();
        let declared: DeclaredLosses =
            events.iter().filter_map(|received| declared_loss(&received.event)).collect();
        for numbers in missing.iter().filter(|(first, last)| !declared.cover(*first, *last)) {
            said.note_missing(*numbers, events);
        }
        retired.iter().for_each(|numbers| said.note_retired(numbers, events));
        let mut run: Option<Run> = None;
        let mut latest_before = UtcMillis(i64::MIN);
        for received in events {
            said.note_gap(&received.event);
            if received.is_late() {
                said.late.push(received.event.recorded_at.wall);
            }
            let ended = run.as_ref().map(|run| run.last_sign);
            run = Some(said.follow(run, &received.event));
            if received.event.kind == EventKind::ServiceStart
                && let Some(ended) = ended
            {
                said.note_doubted(latest_before, ended, &received.event);
                latest_before = latest_before.max(ended);
                said.note_unsaid(ended, &received.event, missing, hidden, &declared);
            }
        }
        if let Some(run) = run {
            said.note_end(&run, last_contact_at, now);
        }
        said.late.sort_unstable();
        let first_recorded = dates::first_recorded(events);
        Self { known: sweep::worst_of(&said.parts), late: said.late, first_recorded }
    }

    /// What is known of the stretch from `from` to `to`, which is a day or a part of one. Of two statements about the
    /// same time the worse one counts.
    #[must_use]
    pub fn day(&self, from: UtcMillis, to: UtcMillis) -> Day {
        let mut parts: Vec<Part> = Vec::new();
        let mut add = |begin: UtcMillis, end: UtcMillis, why: Why| {
            let (begin, end) = (begin.max(from), end.min(to));
            if begin < end {
                sweep::push(&mut parts, Part { from: begin, to: end, why });
            }
        };
        let (begins, ends) = match (self.known.first(), self.known.last()) {
            (Some(first), Some(last)) => (first.from, last.to),
            _ => (to, to),
        };
        add(from, begins, Why::BeforeFirstStart);
        let first = self.known.partition_point(|part| part.to <= from);
        for part in self.known[first..].iter().take_while(|part| part.from < to) {
            add(part.from, part.to, part.why);
        }
        add(ends, to, Why::Silent);
        let before = |time: UtcMillis| self.late.partition_point(|at| *at < time);
        let late = before(to).saturating_sub(before(from)) as u64;
        Day { state: worst(&parts), late, parts }
    }
}

impl Timeline {
    /// Until when it was watched, or is known to have been off, at the latest; `None` where it never was.
    #[must_use]
    pub fn heard_until(&self) -> Option<UtcMillis> {
        self.known.iter().rfind(|part| part.why.state() == State::Observed).map(|part| part.to)
    }

    /// All of the stretch that a part of a day is cut out of, before and after that day.
    #[must_use]
    pub fn whole(&self, part: &Part) -> Part {
        let known = self.known.get(self.known.partition_point(|known| known.to <= part.from));
        known
            .filter(|known| known.from <= part.from && known.why == part.why)
            .map_or(*part, |known| Part { to: known.to.max(part.to), ..*known })
    }
}

impl Statements {
    fn add(&mut self, from: UtcMillis, to: UtcMillis, why: Why) {
        if from < to {
            self.parts.push(Part { from, to, why });
        }
    }

    /// What the numbers stood for happened between the events around them, or where there is none, when they say.
    fn note_retired(&mut self, numbers: &RetiredNumbers, events: &[Received]) {
        let (before, after) = around((numbers.first, numbers.last), events);
        let (before, after) = (before.unwrap_or(numbers.from), after.unwrap_or(numbers.to));
        self.add(before.min(after), before.max(after).plus(1), Why::Retired);
    }

    /// What the numbers stood for happened between the events around them.
    fn note_missing(&mut self, numbers: (u64, u64), events: &[Received]) {
        let (before, after) = around(numbers, events);
        if let (Some(before), Some(after)) = (before.or(after), after.or(before)) {
            self.add(before.min(after), before.max(after).plus(1), Why::NumbersMissing);
        }
    }

    /// What a start says about the time before it stands in the events right after it. Of those that are missing
    /// nobody knows what they said; of those that are hidden, at least one may tell when the power went.
    fn note_unsaid(
        &mut self,
        ended: UtcMillis,
        start: &Event,
        missing: &[(u64, u64)],
        hidden: &[u64],
        declared: &DeclaredLosses,
    ) {
        let after = start.sequence..start.sequence.saturating_add(START_EVENTS);
        let next_missing = missing.get(missing.partition_point(|(_, last)| *last < start.sequence));
        if next_missing.is_some_and(|(first, last)| after.contains(first) && !declared.cover(*first, *last)) {
            self.add(ended, start.occurred_at, Why::NumbersMissing);
        }
        let cut_off = begins_after_power_loss(start);
        let next_hidden = hidden.get(hidden.partition_point(|number| *number < start.sequence));
        if cut_off && next_hidden.is_some_and(|number| after.contains(number)) {
            self.add(ended, start.occurred_at, Why::PowerLost);
        }
    }

    /// A run that ended by its clock before an earlier one had ended was really between that one and the next start, and
    /// nothing says when: nobody may take that time for one without work.
    fn note_doubted(&mut self, latest_before: UtcMillis, ended: UtcMillis, start: &Event) {
        if ended.plus(clocks::WRONG_MS) < latest_before {
            self.add(latest_before, start.occurred_at, Why::ClockDoubted);
        }
    }

    fn note_gap(&mut self, event: &Event) {
        if event.kind != EventKind::Gap {
            return;
        }
        let bounds = event.bounds.unwrap_or(Bounds::between(event.occurred_at, event.occurred_at.plus(1)));
        let why = match event.declared() {
            // Numbers of another enrolment: it says nothing about a time.
            Some(Declared::EarlierEnrollment { .. }) => return,
            // What of the lost life was never sent, nobody can know.
            Some(Declared::Unreadable { .. } | Declared::NotHeld { .. } | Declared::RolledBack { .. }) => {
                Why::RecordsLost
            }
            None if event.cause.as_deref().is_some_and(|cause| cause.starts_with("could_not_store:")) => {
                Why::RecordsLost
            }
            None => Why::AgentAbsent,
        };
        self.add(bounds.not_before, bounds.not_after, why);
    }

    /// What one event says about the time since the last one.
    fn follow(&mut self, run: Option<Run>, event: &Event) -> Run {
        let at = event.recorded_at.wall;
        let Some(run) = run else { return Run::begun(event) };
        if event.kind == EventKind::ServiceStart {
            self.between_runs(&run, event);
            return Run::begun(event);
        }
        if event.boot != run.boot {
            // The new boot's own event comes before the start of the service in it.
            return run;
        }
        if run.tells_of_power_loss(event)
            && let Some(bounds) = event.bounds
        {
            self.add(bounds.not_before, bounds.not_after, Why::PowerLost);
        }
        if !run.stopped {
            self.add(run.last_sign, at, Why::Watched);
        }
        Run {
            last_sign: run.last_sign.max(at),
            shutdown_announced: event.kind == EventKind::Shutdown
                || (run.shutdown_announced && !somebody_goes_on(event.kind)),
            stopped: run.stopped || event.kind == EventKind::ServiceStop,
            ..run
        }
    }

    fn between_runs(&mut self, run: &Run, start: &Event) {
        let why = match run.stopped {
            true if run.shutdown_announced => Why::ShutDown,
            true => Why::AgentStopped,
            false if begins_after_power_loss(start) => Why::Off,
            // The agent knows its own last sign of life and declares what it missed.
            false => Why::Watched,
        };
        self.add(run.last_sign, start.occurred_at, why);
    }

    fn note_end(&mut self, run: &Run, last_contact_at: Option<UtcMillis>, now: UtcMillis) {
        if run.stopped {
            let orderly = run.shutdown_announced;
            self.add(run.last_sign, now, if orderly { Why::SilentSinceShutdown } else { Why::AgentStopped });
            return;
        }
        let heard = last_contact_at.unwrap_or(run.last_sign).max(run.last_sign).min(now);
        self.add(run.last_sign, heard, Why::Watched);
        let pause = now.0.saturating_sub(heard.0) < CONTACT_PAUSE_MS;
        self.add(heard, now, if pause { Why::BetweenContacts } else { Why::Silent });
    }
}

/// The OS run in which the agent's last run began, of events from the newest back: the run with which a timeline ends. A
/// sign of life out of another OS run says nothing about this one.
pub fn last_run<E: Borrow<Event>>(newest_first: impl IntoIterator<Item = E>) -> Option<BootId> {
    let mut earliest = None;
    for event in newest_first {
        let event = event.borrow();
        earliest = Some(event.boot.clone());
        if event.kind == EventKind::ServiceStart {
            break;
        }
    }
    earliest
}

/// The numbers that the agent says with this event it will never send.
#[must_use]
pub fn declared_loss(event: &Event) -> Option<(u64, u64)> {
    event.declared().filter(|declared| declared.gives_up()).map(Declared::range)
}

/// What nobody does while a PC goes down: the shutdown was called off.
fn somebody_goes_on(kind: EventKind) -> bool {
    matches!(kind, EventKind::Logon | EventKind::Unlock | EventKind::Connect | EventKind::Suspend)
}

fn begins_after_power_loss(event: &Event) -> bool {
    event.kind == EventKind::ServiceStart && event.cause.as_deref() == Some("after_power_loss")
}

/// The worst of the parts. That nothing was heard after a shutdown on the same day is no flaw of that day.
/// When the events before and after some numbers were recorded.
fn around((first, last): (u64, u64), events: &[Received]) -> (Option<UtcMillis>, Option<UtcMillis>) {
    let before = events.partition_point(|received| received.event.sequence < first);
    let before = before.checked_sub(1).and_then(|index| events.get(index));
    let after = events.get(events.partition_point(|received| received.event.sequence <= last));
    let recorded = |received: &Received| received.event.recorded_at.wall;
    (before.map(recorded), after.map(recorded))
}

fn worst(parts: &[Part]) -> State {
    let of = |(index, part): (usize, &Part)| {
        let is_rest_of_the_day = part.why == Why::SilentSinceShutdown && index > 0;
        if is_rest_of_the_day { State::Observed } else { part.why.state() }
    };
    parts.iter().enumerate().map(of).max().unwrap_or(State::Unknown)
}

#[cfg(test)]
mod tests;
