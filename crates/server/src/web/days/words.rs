//! What is known of a day, in words.

use mngntime_attendance::completeness::State;
use mngntime_attendance::person_day::{
    Edge, Employment, First, Kind, Last, Level, Others, PersonDay, Silence,
};
use mngntime_model::{EventKind, Evidence, UtcMillis};

use super::super::chrome::Chrome;
use super::super::punches::row::how_key;
use super::super::times;
use super::Opens;
use crate::person_days::{Dated, PersonDays};

/// A time of a day: beyond midnight it goes on counting up to the end of the next date (`25:30`, `33:21`), on every page and in
/// every file, as remarks are typed. What is of another date has that.
#[must_use]
pub fn day_clock(time: UtcMillis, midnight: UtcMillis) -> String {
    let minutes = time.0.saturating_sub(midnight.0).div_euclid(60_000);
    if (0..48 * 60).contains(&minutes) {
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    } else {
        times::month_clock(time)
    }
}

/// A stretch of time on the page of a day, which may begin before it and end after it.
#[must_use]
pub fn range((from, to): (UtcMillis, UtcMillis), midnight: UtcMillis) -> String {
    format!("{}〜{}", day_clock(from, midnight), day_clock(to, midnight))
}

/// The same with seconds.
#[must_use]
pub fn day_clock_exact(time: UtcMillis, midnight: UtcMillis) -> String {
    let seconds = time.0.saturating_sub(midnight.0).div_euclid(1000).rem_euclid(60);
    format!("{}:{seconds:02}", day_clock(time, midnight))
}

/// `8:05`: hours and minutes. Of a length of time they come from [`mngntime_attendance::person_day::minutes`], of a sum from the
/// minutes that were shown.
#[must_use]
pub fn duration(minutes: i64) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// `8:05:07`: the length of a stretch whose ends are shown to the second, which is the difference of these.
#[must_use]
pub fn duration_exact(from: UtcMillis, to: UtcMillis) -> String {
    let seconds = to.0.div_euclid(1000).saturating_sub(from.0.div_euclid(1000));
    format!("{}:{:02}", duration(seconds / 60), seconds % 60)
}

/// Key of a kind of band.
#[must_use]
pub fn band_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Active => "band-active",
        Kind::DisplayOff => "band-display-off",
        Kind::Locked => "band-locked",
        Kind::Unattended => "band-unattended",
        Kind::Disconnected => "band-disconnected",
        Kind::Asleep => "band-asleep",
        Kind::Unclear => "band-unclear",
        Kind::Unwatched => "band-unwatched",
        Kind::FoundAtStart => "band-found",
        Kind::Estimated => "band-estimated",
    }
}

/// Key of a kind of event.
#[must_use]
pub fn event_key(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Logon => "kind-logon",
        EventKind::Logoff => "kind-logoff",
        EventKind::Lock => "event-lock",
        EventKind::Unlock => "event-unlock",
        EventKind::Connect => "event-connect",
        EventKind::Disconnect => "event-disconnect",
        EventKind::Suspend => "event-suspend",
        EventKind::Resume => "event-resume",
        EventKind::Boot => "event-boot",
        EventKind::Shutdown => "event-shutdown",
        EventKind::TimeChange => "event-time-change",
        EventKind::ServiceStart => "event-service-start",
        EventKind::ServiceStop => "event-service-stop",
        EventKind::Gap => "event-gap",
        EventKind::DisplayOff => "event-display-off",
        EventKind::DisplayOn => "event-display-on",
    }
}

/// The first or the last time of a day.
#[derive(Debug, Clone, Default)]
pub struct Time {
    /// The time, or why there is none.
    pub text: String,
    /// Whether that is a time, and is set in large type.
    pub is_time: bool,
    /// How well it is known; empty where there is no time.
    pub level: String,
    /// Whether that is less than exact and wears a badge.
    pub guess: bool,
    /// How it is known: 取得方法 and the PC.
    pub source: String,
    /// What else to know of it.
    pub notes: Vec<String>,
    /// The same in a word or two.
    pub brief: Vec<String>,
    /// Address of the event behind it.
    pub href: Option<String>,
}

impl Time {
    fn of(
        edge: &Edge,
        midnight: UtcMillis,
        (c, opens): (&Chrome, Opens<'_>),
        host: &dyn Fn(&Edge) -> String,
    ) -> Self {
        let (at, latest) = (day_clock(edge.at, midnight), day_clock(edge.latest, midnight));
        // Of an inferred time the level says it already.
        let plain = matches!(edge.evidence, Evidence::Notice | Evidence::Inferred);
        let how = if plain { String::new() } else { format!(" {}", c.t(how_key(edge.evidence, false))) };
        Self {
            text: if at == latest { at } else { format!("{at}〜{latest}") },
            is_time: true,
            level: c.t(level_key(edge.level)),
            guess: edge.level != Level::Exact,
            source: format!("{}{how}", host(edge)),
            notes: Vec::new(),
            brief: Vec::new(),
            href: Some(opens.event(edge.event)),
        }
    }

    fn note(&mut self, key: &str, brief: &str, c: &Chrome) {
        self.notes.push(c.t(key));
        self.brief.push(c.t(brief));
    }

    pub(super) fn none(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

fn level_key(level: Level) -> &'static str {
    match level {
        Level::Exact => "level-exact",
        Level::Estimated => "level-estimated",
        Level::Unknown => "level-unknown",
    }
}

/// The PC of a time, where the day has several.
#[must_use]
pub fn several(day: &PersonDay, found: &PersonDays, edge: &Edge) -> String {
    let host = found.host(edge.event.terminal);
    if day.lanes.len() > 1 { host.to_owned() } else { String::new() }
}

/// The first logon of a day.
#[must_use]
pub fn first(
    day: &PersonDay,
    midnight: UtcMillis,
    (c, opens): (&Chrome, Opens<'_>),
    host: &dyn Fn(&Edge) -> String,
) -> Time {
    match &day.first {
        First::At { edge, may_be_earlier } => {
            let mut time = Time::of(edge, midnight, (c, opens), host);
            if edge.level == Level::Unknown {
                time.note("day-logon-missing", "day-logon-missing-brief", c);
            } else if *may_be_earlier {
                time.note("day-may-be-earlier", "day-may-be-earlier-brief", c);
            }
            time
        }
        First::Continued { since } => Time {
            notes: since.iter().map(|edge| c.v("day-since", "time", times::month_clock(edge.at))).collect(),
            ..Time::none(c.t("day-continued"))
        },
        First::None if day.holds_only_the_night_before() => Time::none(c.t("day-night-only-brief")),
        First::None => Time::none(told_once(day, c).unwrap_or_else(|| c.t("day-no-time"))),
    }
}

/// The last logoff of a day.
#[must_use]
pub fn last(
    day: &PersonDay,
    midnight: UtcMillis,
    (c, opens): (&Chrome, Opens<'_>),
    host: &dyn Fn(&Edge) -> String,
) -> Time {
    match &day.last {
        Last::At { edge, may_be_later, others_go_on } => {
            let mut time = Time::of(edge, midnight, (c, opens), host);
            if *may_be_later {
                time.note("day-may-be-later", "day-may-be-later-brief", c);
            }
            match others_go_on {
                Some(Others::OnAnotherPc) => time.note("day-others-go-on", "day-others-go-on-brief", c),
                Some(Others::OnTheSamePc) => time.note("day-session-goes-on", "day-session-goes-on-brief", c),
                None => {}
            }
            time
        }
        Last::Open => Time::none(c.t("day-open")),
        Last::GoesOn { until } => Time {
            notes: until
                .iter()
                .map(|edge| c.v("day-goes-on-until", "time", times::month_clock(edge.at)))
                .collect(),
            brief: until
                .iter()
                .map(|edge| c.v("day-until-brief", "time", day_clock(edge.at, midnight)))
                .collect(),
            ..Time::none(c.t("day-goes-on"))
        },
        // What there is instead is said where the first time would be.
        Last::None if day.has_no_times() => Time::none("–".to_owned()),
        Last::None => Time::none(c.t("day-no-time")),
    }
}

/// What a day is that holds a stay and has no times: said once, in place of both. `None` for all others.
#[must_use]
pub fn told_once(day: &PersonDay, c: &Chrome) -> Option<String> {
    let key = if day.holds_only_the_night_before() { "day-night-only" } else { "silence-brief" };
    day.has_no_times().then(|| c.t(key))
}

/// That a PC tells of a day that has not come: its clock was ahead. `None` for all other days.
#[must_use]
pub fn before_its_time(dated: &Dated, found: &PersonDays, c: &Chrome) -> Option<String> {
    let told = dated.day.silence.is_none() || found.is_told_ahead(dated);
    (told && dated.date > c.today()).then(|| c.t("day-not-come"))
}

/// Class and words of how well a day is known.
#[must_use]
pub fn state(day: &PersonDay, c: &Chrome) -> (&'static str, String) {
    if day.has_punches_outside() {
        let before = day.employment == Employment::Before;
        return ("outside", c.t(if before { "day-recorded-before" } else { "day-recorded-after" }));
    }
    match day.silence {
        // The last night of somebody who has left, or one before the first date: it is of the evening before.
        None if day.employment == Employment::After => return ("left", c.t("day-after-employment")),
        None if day.employment == Employment::Before => return ("joining", c.t("day-before-employment")),
        Some(Silence::NotYet) => return ("to-come", c.t("day-not-yet")),
        Some(Silence::NoAccount) => return ("unlinked", c.t("silence-no-account-short")),
        Some(Silence::BeforeEmployment) => return ("joining", c.t("day-before-employment")),
        Some(Silence::AfterEmployment) => return ("left", c.t("day-after-employment")),
        // Nothing was watched yet, or nothing of it was the person's, so nothing is missing.
        Some(Silence::NoTerminal | Silence::BeforeFirstStart | Silence::BeforeFirstLink) => {
            return ("before", c.t("day-before-record"));
        }
        // Nothing is missing, but there is nothing to be glad about either.
        Some(Silence::Watched) if day.state == State::Observed => return ("quiet", c.t("day-quiet")),
        Some(Silence::Watched | Silence::AgentOff | Silence::Retired | Silence::Unknown) | None => {}
    }
    watched(day.state, c)
}

/// Class and words of how well a time was watched.
#[must_use]
pub fn watched(state: State, c: &Chrome) -> (&'static str, String) {
    match state {
        State::Observed => ("ok", c.t("day-observed")),
        State::AgentOff => ("late", c.t("day-agent-off")),
        State::Retired => ("blocked", c.t("day-retired")),
        State::Unknown => ("unknown", c.t("day-unknown")),
    }
}

/// Why there is no stay, in a few words; empty when there is one.
#[must_use]
pub fn silence_brief(day: &PersonDay, c: &Chrome) -> String {
    match day.silence {
        Some(Silence::Watched | Silence::AgentOff | Silence::Retired | Silence::Unknown) => {
            c.t("silence-brief")
        }
        Some(Silence::NotYet) => String::from("–"),
        Some(
            Silence::NoAccount
            | Silence::BeforeFirstLink
            | Silence::BeforeEmployment
            | Silence::AfterEmployment
            | Silence::NoTerminal
            | Silence::BeforeFirstStart,
        )
        | None => silence(day, c),
    }
}

/// Why there is no stay, in a sentence; empty when there is one.
#[must_use]
pub fn silence(day: &PersonDay, c: &Chrome) -> String {
    let key = match day.silence {
        None => return String::new(),
        Some(Silence::NotYet) => "silence-not-yet",
        Some(Silence::NoAccount) => "silence-no-account",
        Some(Silence::BeforeFirstLink) => "silence-before-first-link",
        Some(Silence::BeforeEmployment) => "silence-before-employment",
        Some(Silence::AfterEmployment) => "silence-after-employment",
        Some(Silence::NoTerminal) => "silence-no-terminal",
        Some(Silence::BeforeFirstStart) => "silence-before-first-start",
        Some(Silence::Watched) => "silence-watched",
        Some(Silence::AgentOff) => "silence-agent-off",
        Some(Silence::Retired) => "silence-retired",
        Some(Silence::Unknown) => "silence-unknown",
    };
    c.t(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_counting_after_midnight() {
        let at = |minutes: i64| UtcMillis(1_781_622_000_000 + minutes * 60_000);
        let midnight = at(0);
        assert_eq!(day_clock(at(9 * 60 + 5), midnight), "09:05");
        assert_eq!(day_clock(at(25 * 60 + 30), midnight), "25:30");
        assert_eq!(day_clock(at(-60), midnight), "06-16 23:00");
        assert_eq!(day_clock(at(50 * 60), midnight), "06-19 02:00");
        assert_eq!(day_clock(at(33 * 60 + 21), midnight), "33:21", "beyond the night, too");
        assert_eq!(day_clock_exact(at(61).plus(7_999), midnight), "01:01:07");
        assert_eq!(
            duration_exact(at(0).plus(900), at(485).plus(7_100)),
            "8:05:07",
            "as 00:00:00 to 08:05:07"
        );
        assert_eq!(range((at(-240), at(33 * 60)), midnight), "06-16 20:00〜33:00");
        assert_eq!(
            (duration(0), duration(485), duration(6_000)),
            ("0:00".into(), "8:05".into(), "100:00".into())
        );
    }
}
