//! Whose date the logoff after midnight is of: the same rule as that of the judgement of punches, from what a pack shows.
//!
//! A logoff that comes sooner after midnight than the pack's `night_minutes`, and whose stay began before that midnight, ends
//! the evening before. So the pack of somebody whose link ends with a date shows how the last night ended, though that was
//! on the next date. Everything else is of its own date. The stay's logon is looked for among the terminal's events that
//! came before, by their numbers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mngntime_attendance::completeness::{begin_of, day_of};
use mngntime_model::{Event, EventKind, SessionIdentity, UtcMillis};

use crate::japan;

/// A logon that lies longer ago is not looked for: no night lasts as long.
const LOOK_BACK_MS: i64 = 62 * 86_400_000;

/// What makes a stay: the account's key and the session. Scripts know no session.
type Key = (String, Option<SessionIdentity>);

/// The logons of a terminal, for the logoffs that come after them.
#[derive(Debug, Clone, Default)]
pub struct Nights {
    minutes: u32,
    logons: BTreeMap<Key, Vec<UtcMillis>>,
}

impl Nights {
    /// Of a terminal whose nights last until so many minutes after midnight; absent when each punch is of its own date.
    #[must_use]
    pub fn until(minutes: Option<u32>) -> Self {
        Self { minutes: minutes.unwrap_or(0), logons: BTreeMap::new() }
    }

    /// Remembers the event if it is a logon. Events come in the order of their numbers.
    pub fn note(&mut self, event: &Event) {
        if event.kind == EventKind::Logon
            && self.minutes > 0
            && let Some(key) = key(event)
        {
            self.logons.entry(key).or_default().push(event.occurred_at);
        }
    }

    /// The date of an event: that of the evening for a logoff that ends a night.
    #[must_use]
    pub fn date_of(&self, event: &Event) -> Date {
        let day = day_of(event.occurred_at);
        if self.ends_a_night(event, begin_of(day)) { japan::date_of(day - 1) } else { japan::date_of(day) }
    }

    fn ends_a_night(&self, event: &Event, midnight: UtcMillis) -> bool {
        let night_ms = i64::from(self.minutes) * 60_000;
        let is_early = event.occurred_at.0.saturating_sub(midnight.0) < night_ms;
        if event.kind != EventKind::Logoff || !is_early {
            return false;
        }
        let Some(logons) = key(event).and_then(|key| self.logons.get(&key)) else { return false };
        let from = UtcMillis(midnight.0.saturating_sub(LOOK_BACK_MS));
        let logon = logons.iter().filter(|at| from <= **at && **at <= event.occurred_at).max();
        logon.is_some_and(|logon| *logon < midnight)
    }
}

fn key(event: &Event) -> Option<Key> {
    Some((event.account.as_ref()?.key.clone(), event.session.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use mngntime_model::{AccountIdentity, BootId, Evidence, Moment};

    /// Midnight in Japan at the beginning of 2026-06-16.
    const MIDNIGHT: UtcMillis = UtcMillis(1_781_535_600_000);

    fn event(kind: EventKind, minutes: i64, stay: &str) -> Event {
        let (boot, at) = (BootId::new("b").unwrap(), MIDNIGHT.plus(minutes * 60_000));
        Event {
            sequence: 1,
            boot: boot.clone(),
            kind,
            evidence: Evidence::Notice,
            occurred_at: at,
            bounds: None,
            recorded_at: Moment { wall: at, offset_seconds: 32_400, biased_ms: 1, unbiased_ms: 1 },
            session: (!stay.is_empty()).then(|| SessionIdentity {
                boot,
                session_id: "1".into(),
                logon_identity: stay.into(),
            }),
            account: Some(AccountIdentity {
                key: "S-1".into(),
                domain: String::new(),
                name: "u".into(),
                upn: None,
            }),
            remote: None,
            client: None,
            cause: None,
            supersedes: None,
        }
    }

    /// The day of June of a logoff so many minutes after midnight, after logons of these stays.
    fn day(minutes: Option<u32>, logons: &[(i64, &str)], (at, stay): (i64, &str)) -> i8 {
        let mut nights = Nights::until(minutes);
        logons.iter().for_each(|(at, stay)| nights.note(&event(EventKind::Logon, *at, stay)));
        let date = nights.date_of(&event(EventKind::Logoff, at, stay));
        assert_eq!(date.first_of_month(), jiff::civil::date(2026, 6, 1));
        date.day()
    }

    #[test]
    fn a_logoff_before_the_boundary_is_of_the_evening_of_its_stay() {
        let evening = [(-60, "a")];
        assert_eq!(day(Some(300), &evening, (299, "a")), 15);
        assert_eq!(day(Some(300), &evening, (300, "a")), 16, "the boundary itself is of the next day");
        assert_eq!(day(Some(300), &evening, (-1, "a")), 15, "its own date");
        assert_eq!([None, Some(0)].map(|minutes| day(minutes, &evening, (0, "a"))), [16, 16]);
        assert_eq!(day(Some(300), &evening, (60, "b")), 16, "of another stay");
        assert_eq!(day(Some(300), &[(0, "a")], (60, "a")), 16, "begun after midnight");
        assert_eq!(day(Some(300), &[], (60, "a")), 16, "of a stay of which nothing is known");
        assert_eq!(day(Some(300), &[(-60, "a"), (90, "a")], (60, "a")), 15, "a logon of later is none of it");
    }

    #[test]
    fn of_a_stay_without_a_session_the_last_logon_counts_and_none_that_lies_too_long_ago() {
        assert_eq!(day(Some(300), &[(-60, "")], (60, "")), 15);
        assert_eq!(day(Some(300), &[(-60, ""), (10, "")], (60, "")), 16);
        let long_ago = -62 * 1_440;
        assert_eq!(day(Some(300), &[(long_ago, "a")], (60, "a")), 15);
        assert_eq!(day(Some(300), &[(long_ago - 1, "a")], (60, "a")), 16);
    }

    #[test]
    fn only_logoffs_end_a_night() {
        let mut nights = Nights::until(Some(300));
        nights.note(&event(EventKind::Logon, -60, "a"));
        for kind in [EventKind::Logon, EventKind::Lock, EventKind::Unlock] {
            assert_eq!(nights.date_of(&event(kind, 60, "a")), date(2026, 6, 16), "{kind:?}");
        }
        // A time that no calendar has, and one at its beginning.
        for at in [i64::MIN, i64::MAX] {
            let odd = Event { occurred_at: UtcMillis(at), ..event(EventKind::Logoff, 0, "a") };
            let _ = nights.date_of(&odd);
        }
    }
}
