//! A person's day: what the events of all their PCs say about one date, from midnight to midnight.
//!
//! Nothing here is working time. A day holds stays (one account on one PC from logon to logoff) as bands of what was
//! known of them, the first logon and the last logoff with how well each is known, and of a day without any stay the
//! reason why there is none: no record is never no work ([`Silence`]).
//!
//! # Rules, version [`RULES_VERSION`]
//! - A day goes from midnight to midnight; a stay over midnight is shown on both days. Its logoff belongs to the
//!   earlier day as long as it comes before the day boundary (25:30), and so does a logon after midnight within
//!   [`NIGHT_PAUSE_MS`] of a stay of that night: a restart at 0:10 begins no new day. The whole rule is in `night`, and
//!   [`PersonDay::of_the_day_before`] tells it of every punch: no other part of the program has one of its own.
//! - A night that is shown on both days is counted on the earlier one, to its end; a stay that goes on beyond the boundary
//!   is counted on each day for itself. So each minute is counted once (`sums`).
//! - A stay that goes on beyond the boundary has no last logoff on the earlier day; the later day has no logon of it. One that
//!   began on the day after its last logoff is what the day ends with: the day goes on. Beside a logoff it is told that other
//!   stays go on, and whether on the same PC (`edges`).
//! - Of several statements about the same minute of a stay the most careful one counts ([`Kind`] is in that order).
//! - Of several PCs the earliest logon and the latest logoff count, each with its event. A time that is known as an
//!   interval stays one; where a PC was not watched before the first or after the last, the day says so.
//! - A logon without a person is no presence until the first unlock.
//! - Which PCs speak for a day: those that the person used before and after it or on it, else the one used last.
//! - A day outside of the employment, or before the person's first link, that holds nothing says that it is one
//!   ([`Standing`]); what one outside of the employment holds is shown, and is nothing of the person's. The end of a night
//!   is outside where its evening was.
//! - A stay that nobody has ended is on each day on which its PC is heard of. Of the days after that nobody knows: they hold
//!   nothing of it, and say so.
//! - Times are the PC's own, as in the events; but those of a clock that was years off are the server's, and estimates
//!   ([`put_right`](crate::completeness::put_right)). Where nothing tells how far it was off, a stay of it is only on days on
//!   which something was told of it.

mod bands;
mod edges;
mod marks;
mod night;
mod standing;
mod stays;
mod sums;

use mngntime_model::{AccountIdentity, Bounds, EventKind, Evidence, TerminalId, UtcMillis};

use crate::completeness::{Part, Received, State, Timeline, Why};
pub use bands::{Band, Kind};
pub use edges::Others;
use night::Night;
pub use standing::{Employment, Standing};
pub use stays::Stay;
pub use sums::minutes;

/// Version of these rules. A change of what they say about the same events is a new version.
pub const RULES_VERSION: u32 = 3;

/// A logon after midnight this soon after a stay of the night continues that night: a restart, a meal.
pub const NIGHT_PAUSE_MS: i64 = 2 * 3_600_000;

/// Names an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The terminal that recorded it.
    pub terminal: TerminalId,
    /// Its number.
    pub sequence: u64,
}

/// How well a time is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The OS gave it.
    Exact,
    /// 推定: it lies within an interval.
    Estimated,
    /// The record of it is missing; that it lies within an interval follows from other events.
    Unknown,
}

impl Level {
    /// The name in every format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }
}

/// The beginning or the end of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Earliest possible time.
    pub at: UtcMillis,
    /// Latest possible time; the same when it is exact.
    pub latest: UtcMillis,
    /// How well it is known.
    pub level: Level,
    /// How the agent knows of `event`.
    pub evidence: Evidence,
    /// The event behind it.
    pub event: EventId,
}

/// What is there of one terminal.
#[derive(Debug, Clone, Copy)]
pub struct Terminal<'a> {
    /// The terminal.
    pub id: TerminalId,
    /// Its events, in the order of their numbers; those of the agent and the PC must be among them.
    pub events: &'a [Received],
    /// Whether it was watched.
    pub timeline: &'a Timeline,
    /// First and last punch of the person there that is known of.
    pub used: (UtcMillis, UtcMillis),
}

/// The borders of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Borders {
    /// Midnight at its beginning.
    pub from: UtcMillis,
    /// Midnight at its end.
    pub to: UtcMillis,
    /// The day boundary after `from`: until then the night of the day before goes on.
    pub boundary_before: UtcMillis,
    /// The day boundary after `to`.
    pub boundary: UtcMillis,
}

/// The first logon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// A logon, or the first unlock of one without a person.
    At {
        /// When.
        edge: Edge,
        /// Whether a PC was not watched before it.
        may_be_earlier: bool,
    },
    /// No logon: a stay of before goes on. `since` when, where its logon is known.
    Continued {
        /// When it began.
        since: Option<Edge>,
    },
    /// None.
    None,
}

/// The last logoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// A logoff. Its time may lie beyond midnight.
    At {
        /// When.
        edge: Edge,
        /// Whether a PC was not watched after it.
        may_be_later: bool,
        /// Whether other stays go on beyond the day boundary, none of which began after it.
        others_go_on: Option<Others>,
    },
    /// Somebody is logged on at this moment.
    Open,
    /// A stay goes on beyond the day boundary, and no logoff of the day came after it began.
    GoesOn {
        /// The logoff that ended it later, where that is known to the point.
        until: Option<Edge>,
    },
    /// None.
    None,
}

/// Why a day holds no stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It has not begun.
    NotYet,
    /// No account was linked to the person on that date.
    NoAccount,
    /// The first account was linked to the person later.
    BeforeFirstLink,
    /// The person was not employed yet.
    BeforeEmployment,
    /// The person was employed no more.
    AfterEmployment,
    /// No PC is known that the person uses.
    NoTerminal,
    /// The agent was not there yet on any PC that the person used later.
    BeforeFirstStart,
    /// The known PCs were watched or off, and there was no logon on them.
    Watched,
    /// On a known PC the agent was off.
    AgentOff,
    /// What was recorded was deleted when its retention period had ended.
    Retired,
    /// Of a known PC nothing is known for a part of the day.
    Unknown,
}

/// A stay, as far as it falls on the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayStay {
    /// Whose account, with the names it had in the last event of the stay.
    pub account: AccountIdentity,
    /// Whether it was remote at some time, and from where, where known.
    pub remote: bool,
    /// The remote side.
    pub client: Option<String>,
    /// What is known of it, in order.
    pub bands: Vec<Band>,
    /// What lies before this is of the night of the day before and counted on that; the day's beginning for most.
    pub counted_from: UtcMillis,
    /// Line within the lane: stays that overlap have different ones.
    pub track: usize,
    /// It began on an earlier day.
    pub from_before: bool,
    /// It goes on after this day.
    pub goes_on: bool,
}

/// An event on the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When, as exactly as is known; the earliest time of an interval.
    pub at: UtcMillis,
    /// The interval.
    pub bounds: Option<Bounds>,
    /// What happened.
    pub kind: EventKind,
    /// How the agent knows.
    pub evidence: Evidence,
    /// Its cause in the agent's words.
    pub cause: Option<String>,
    /// Where it is.
    pub event: EventId,
    /// Whose, for events of the person's sessions; `None` for events of the PC.
    pub account: Option<AccountIdentity>,
    /// It had waited on the PC.
    pub late: bool,
    /// How long after it happened it arrived, by the server's clock, in milliseconds.
    pub delay_ms: i64,
    /// What the PC's clock showed, where that was years off and `at` is by the server's.
    pub stamped_at: Option<UtcMillis>,
}

impl Mark {
    /// Earliest and latest time, where an interval is known: what stands for a time that no clock has shown is none.
    #[must_use]
    pub fn interval(&self) -> Option<Bounds> {
        self.bounds.filter(|it| self.stamped_at.is_none() || it.not_before < it.not_after)
    }
}

/// One PC on the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The PC.
    pub terminal: TerminalId,
    /// Stays by their beginning.
    pub stays: Vec<DayStay>,
    /// Lines that the stays need.
    pub tracks: usize,
    /// Whether it was watched, over the whole day, in order and without holes.
    pub parts: Vec<Part>,
    /// The same parts, each as long as it was, wherever the day cuts it off.
    pub whole_parts: Vec<Part>,
    /// The worst of the parts.
    pub state: State,
    /// The first logon on this PC.
    pub first: First,
    /// The last logoff on this PC.
    pub last: Last,
    /// Events by time.
    pub marks: Vec<Mark>,
}

/// A person's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonDay {
    /// PCs, the one used first above.
    pub lanes: Vec<Lane>,
    /// The first logon.
    pub first: First,
    /// The last logoff.
    pub last: Last,
    /// For how long at least one session was logged on, not locked and watched. Of the record, not of work. Each minute is
    /// counted on one day: a night over midnight on the earlier one.
    pub active_ms: i64,
    /// For how long beyond that a session was there and its state is not known.
    pub unclear_ms: i64,
    /// The worst of the lanes.
    pub state: State,
    /// Why there is no stay.
    pub silence: Option<Silence>,
    /// Where the date lies to the person's employment; within it, unless [`Self::of_one_with`] says otherwise.
    pub employment: Employment,
    /// Where that lies which the day holds: the end of a night is of the evening before.
    pub recorded: Employment,
    /// End of the picture: midnight, or the end of a stay of the night.
    pub until: UtcMillis,
    /// When a night that began on it ended beyond the day boundary, which cuts it in two; the latest, of several.
    pub cut_night: Option<UtcMillis>,
    /// Logons and logoffs that happened on this date and belong to the day before: those of its night.
    pub of_the_day_before: Vec<EventId>,
    /// Logons and logoffs that happened on the next date and belong to this one: those of its night, of the accounts that
    /// are linked on this one.
    pub of_the_next_date: Vec<EventId>,
}

/// All that the events of a person's PCs say, ready to be asked for days.
#[derive(Debug)]
pub struct Record<'a> {
    terminals: Vec<(Terminal<'a>, Vec<Stay>)>,
    now: UtcMillis,
}

impl PersonDay {
    /// Whether it holds stays, and all of them are the end of the night of the day before, which counts them.
    #[must_use]
    pub fn holds_only_the_night_before(&self) -> bool {
        let own = |stay: &DayStay| stay.bands.last().is_some_and(|band| band.to > stay.counted_from);
        let mut stays = self.lanes.iter().flat_map(|lane| &lane.stays).peekable();
        // A stay of no length has no band, and is no night.
        self.silence.is_none() && stays.peek().is_some() && !stays.any(own)
    }

    /// Whether something is recorded outside of the person's employment: no punch of it is theirs.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.silence.is_none() && self.recorded != Employment::During
    }

    /// Whether punches that are nobody's stand on it. The logoff of a night stands on its evening and is told of there alone; a logon
    /// that goes on with the night is a punch of its own date.
    #[must_use]
    pub fn has_punches_outside(&self) -> bool {
        let mut stays = self.lanes.iter().flat_map(|lane| &lane.stays);
        let is_outside = self.silence.is_none() && self.employment != Employment::During;
        is_outside && (!self.holds_only_the_night_before() || stays.any(|stay| !stay.from_before))
    }

    /// Whether it holds a stay and neither a first time nor a last one, nor one that goes on: the end of a night that is of the
    /// day before, an end that may lie on it and may not, a logon without a person.
    #[must_use]
    pub fn has_no_times(&self) -> bool {
        self.silence.is_none() && self.first == First::None && self.last == Last::None
    }

    /// In whole minutes for how long a session was in use, as it is shown and added up: the one rule for that is in `sums`.
    #[must_use]
    pub fn active_minutes(&self) -> i64 {
        sums::minutes(self.active_ms)
    }

    /// Whether it has a first logon, or goes on with a stay of before: of such days it is counted on how many somebody was
    /// logged on.
    #[must_use]
    pub fn has_a_beginning(&self) -> bool {
        self.silence.is_none() && self.first != First::None
    }
}

/// The accounts (keys) that are a person's around a day.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'k> {
    /// On the date.
    pub today: &'k [&'k str],
    /// On the date before.
    pub yesterday: &'k [&'k str],
    /// On the date before and on the date, in one employment: a night on them may go on after midnight.
    pub into_today: &'k [&'k str],
    /// The same of the date and the one after it.
    pub into_tomorrow: &'k [&'k str],
}

impl<'k> Whose<'k> {
    /// Accounts that are the person's on all three dates.
    #[must_use]
    pub fn always(keys: &'k [&'k str]) -> Self {
        Self { today: keys, yesterday: keys, into_today: keys, into_tomorrow: keys }
    }
}

/// What a stay is to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It begins on it.
    Own,
    /// It began before and reaches into it.
    Earlier,
}

impl<'a> Record<'a> {
    /// Reads the stays of `accounts` (keys) out of the terminals' events.
    #[must_use]
    pub fn of(terminals: &[Terminal<'a>], accounts: &[&str], now: UtcMillis) -> Self {
        let read = |terminal: &Terminal<'a>| (*terminal, stays::of(terminal, accounts, now));
        Self { terminals: terminals.iter().map(read).collect(), now }
    }

    /// The day with these borders, of the accounts that are linked to the person on it.
    #[must_use]
    pub fn day(&self, borders: Borders, whose: Whose<'_>) -> PersonDay {
        let (end, accounts) = (borders.to.min(self.now), whose.today);
        let evening = self.stays_in_order(whose.yesterday);
        let before = Night::of(&evening, borders.from, borders.boundary_before, whose.into_today);
        let is_others =
            |stay: &&Stay| before.is_ended_by(stay) && !whose.yesterday.contains(&stay.account.key.as_str());
        let (others, all): (Vec<&Stay>, Vec<&Stay>) =
            self.stays_in_order(accounts).into_iter().partition(is_others);
        let of_the_day_before = before.punches(&all);
        let after = Night::of(&all, borders.to, borders.boundary, whose.into_tomorrow);
        let of_the_next_date = after.punches(&all);
        let stays = self.stays_of(borders, &all, (&before, &after));
        let until = night_end(borders, &stays);
        let mut lanes: Vec<Lane> = Vec::new();
        for (terminal, _) in self.relevant(borders, &stays) {
            let of_it = |(stay, _): &&(&Stay, Role)| stay.terminal == terminal.id;
            let here: Vec<_> = stays.iter().filter(of_it).copied().collect();
            let mut lane = self.lane(terminal, here.iter(), borders, (&before, until), (accounts, &others));
            lane.first = edges::first(borders, &here, std::slice::from_ref(&lane));
            lane.last = edges::last(borders, &before, &here, std::slice::from_ref(&lane), end);
            lanes.push(lane);
        }
        lanes.sort_by_key(|lane| (begin_of(lane), lane.terminal));
        let first = edges::first(borders, &stays, &lanes);
        let last = edges::last(borders, &before, &stays, &lanes, end);
        let (active_ms, unclear_ms) = sums::sums(&lanes);
        let state = lanes.iter().map(|lane| lane.state).max().unwrap_or(State::Unknown);
        let silence = stays.is_empty().then(|| self.silence(borders, accounts, &lanes));
        PersonDay {
            lanes,
            first,
            last,
            active_ms,
            unclear_ms,
            state,
            silence,
            employment: Employment::During,
            recorded: Employment::During,
            until,
            cut_night: night::cut(borders, &stays),
            of_the_day_before,
            of_the_next_date,
        }
    }

    /// Stays of these accounts, by their beginning.
    fn stays_in_order(&self, accounts: &[&str]) -> Vec<&Stay> {
        let linked = |stay: &&Stay| accounts.contains(&stay.account.key.as_str());
        let mut all: Vec<&Stay> = self.terminals.iter().flat_map(|(_, stays)| stays).filter(linked).collect();
        all.sort_by_key(|stay| (stay.begin.at, stay.begin.event));
        all
    }

    /// Those of all stays that touch the day, with what each is to it.
    fn stays_of<'s>(
        &self,
        borders: Borders,
        all: &[&'s Stay],
        (before, after): (&Night, &Night),
    ) -> Vec<(&'s Stay, Role)> {
        let mut found = Vec::new();
        for stay in all {
            let begin = stay.begin.at;
            let today = (borders.from..borders.to).contains(&begin) && begin <= self.now;
            if (today && !before.takes_logon(stay)) || after.takes_logon(stay) {
                found.push((*stay, Role::Own));
            } else if begin <= self.now && stay.reaches((borders.from, borders.to)) {
                found.push((*stay, Role::Earlier));
            }
        }
        found
    }

    /// The PCs that speak for the day.
    fn relevant(&self, borders: Borders, stays: &[(&Stay, Role)]) -> Vec<&(Terminal<'a>, Vec<Stay>)> {
        let used = |(terminal, _): &&(Terminal<'_>, Vec<Stay>)| {
            let on_it = stays.iter().any(|(stay, _)| stay.terminal == terminal.id);
            on_it || (terminal.used.0 < borders.to && terminal.used.1 >= borders.from)
        };
        let found: Vec<_> = self.terminals.iter().filter(used).collect();
        if !found.is_empty() {
            return found;
        }
        let before = self.terminals.iter().filter(|(terminal, _)| terminal.used.1 < borders.from);
        let nearest = before
            .max_by_key(|(terminal, _)| terminal.used.1)
            .or_else(|| self.terminals.iter().min_by_key(|(terminal, _)| terminal.used.0));
        nearest.into_iter().collect()
    }

    fn lane<'b>(
        &self,
        terminal: &Terminal<'_>,
        stays: impl Iterator<Item = &'b (&'b Stay, Role)>,
        borders: Borders,
        (before, until): (&Night, UtcMillis),
        whose: (&[&str], &[&Stay]),
    ) -> Lane {
        let end = until.min(self.now);
        let whole = terminal.timeline.day(borders.from, borders.to.min(self.now).max(borders.from));
        let parts_shown = terminal.timeline.day(borders.from, end.max(borders.from)).parts;
        let unwatched = bands::unwatched(terminal, &parts_shown);
        let mut shown: Vec<DayStay> = Vec::new();
        let mut tracks: Vec<UtcMillis> = Vec::new();
        for (stay, part) in stays {
            let goes_on = stay.end.is_none_or(|end| end.at >= borders.boundary);
            let to = sums::counted_until(stay, borders.to, borders.boundary);
            let bands = bands::cut(stay, &unwatched, borders.from, to.min(self.now), self.now);
            let Some((begin, end)) = bands.first().map(|band| band.from).zip(bands.last().map(|b| b.to))
            else {
                continue;
            };
            let track = tracks.iter().position(|busy| *busy <= begin).unwrap_or(tracks.len());
            tracks.resize(tracks.len().max(track + 1), end);
            tracks[track] = end;
            let from_before = *part == Role::Earlier && stay.begin.at < borders.from;
            shown.push(DayStay {
                account: stay.account.clone(),
                remote: stay.remote,
                client: stay.client.clone(),
                bands,
                counted_from: before.counts_until(stay),
                track,
                from_before,
                goes_on: goes_on && borders.to <= self.now,
            });
        }
        Lane {
            terminal: terminal.id,
            tracks: tracks.len(),
            marks: marks::of(terminal, whose, borders, until, !shown.is_empty()),
            stays: shown,
            whole_parts: whole.parts.iter().map(|part| terminal.timeline.whole(part)).collect(),
            parts: whole.parts,
            state: whole.state,
            // Told by all that the lane holds, once it does.
            first: First::None,
            last: Last::None,
        }
    }

    fn silence(&self, borders: Borders, accounts: &[&str], lanes: &[Lane]) -> Silence {
        let before_start = |lane: &Lane| lane.parts.iter().all(|part| part.why == Why::BeforeFirstStart);
        if borders.from >= self.now {
            Silence::NotYet
        } else if accounts.is_empty() {
            Silence::NoAccount
        } else if lanes.is_empty() {
            Silence::NoTerminal
        } else if lanes.iter().all(before_start) {
            Silence::BeforeFirstStart
        } else {
            match lanes.iter().map(|lane| lane.state).max().unwrap_or(State::Unknown) {
                State::Observed => Silence::Watched,
                State::AgentOff => Silence::AgentOff,
                State::Retired => Silence::Retired,
                State::Unknown => Silence::Unknown,
            }
        }
    }
}

/// End of the picture: that of the night, the latest end of a stay that goes over midnight and ends before the boundary.
fn night_end(borders: Borders, stays: &[(&Stay, Role)]) -> UtcMillis {
    let ends = stays.iter().map(|(stay, _)| sums::counted_until(stay, borders.to, borders.boundary));
    ends.fold(borders.to, UtcMillis::max)
}

fn begin_of(lane: &Lane) -> UtcMillis {
    let bands = lane.stays.iter().flat_map(|stay| stay.bands.first());
    bands.map(|band| band.from).min().unwrap_or(UtcMillis(i64::MAX))
}

#[cfg(test)]
mod tests;
