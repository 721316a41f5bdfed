//! Which days are told of, whatever the clocks have shown.

use proptest::prelude::*;

use super::super::{DAYS_MAX, begin_of, day_of};
use super::*;

/// 2026-11-24 and 2009-01-01, counted from 1970-01-01.
const TODAY: i64 = 20_781;
const OF_2009: i64 = 14_245;

/// The days of a PC that was enrolled today, by events of these times and offsets; first of all, first and last told.
fn told(events: &[(i64, i64)], asked: Option<(i64, i64)>) -> (i64, i64, i64) {
    let mut story = story();
    for (wall, offset) in events {
        story = story.then(EventKind::Logon, UtcMillis(*wall), "");
        story.0.last_mut().unwrap().received_at = at(9, 0);
        story.0.last_mut().unwrap().clock_offset_ms = *offset;
    }
    let now = at(12, 0);
    let days = Timeline::of(&story.0, &[], &[], None, now).days_told(at(8, 0), asked, now);
    (days.begins, days.told.0, days.told.1)
}

#[test]
fn a_day_begins_at_midnight_in_japan() {
    assert_eq!((day_of(at(0, 0)), day_of(at(0, 0).plus(-1)), begin_of(TODAY)), (TODAY, TODAY - 1, at(0, 0)));
    assert_eq!((day_of(UtcMillis(-32_400_000)), day_of(UtcMillis(-32_400_001))), (0, -1));
}

#[test]
fn the_days_begin_with_the_earliest_event_or_the_enrolment() {
    assert_eq!(told(&[], None), (TODAY, TODAY, TODAY));
    let yesterday = at(-10, 0).0;
    assert_eq!(told(&[(at(9, 0).0, 0), (yesterday, 0)], None), (TODAY - 1, TODAY - 1, TODAY));
    assert_eq!(told(&[(at(30, 0).0, 0)], None), (TODAY, TODAY, TODAY), "a clock ahead begins nothing later");
    assert_eq!(told(&[(yesterday, 0)], Some((TODAY, TODAY + 9))), (TODAY, TODAY, TODAY));
    assert_eq!(told(&[], Some((TODAY - 9, TODAY - 1))), (TODAY, TODAY, TODAY - 1), "none");
}

#[test]
fn a_clock_that_was_set_right_begins_no_days_years_before() {
    let wall = begin_of(OF_2009).0;
    assert_eq!(told(&[(wall, at(9, 0).0 - wall)], None), (TODAY, TODAY, TODAY));
    // Nobody knows how far it was off: its days are the first ones, and the newest are told.
    let first = TODAY - DAYS_MAX + 1;
    assert_eq!(told(&[(wall, 0)], None), (OF_2009, first, TODAY));
    assert_eq!(told(&[(wall, 0)], Some((OF_2009, TODAY - 1))), (OF_2009, first - 1, TODAY - 1));
    assert_eq!(told(&[(wall, 0)], Some((TODAY - 1, TODAY))), (TODAY - 1, TODAY - 1, TODAY));
}

#[test]
fn a_time_in_which_there_can_be_no_record_begins_nothing() {
    for wall in [-11_644_473_600_000, -70_000_000_000_000, 253_500_000_000_000, i64::MIN, i64::MAX] {
        assert_eq!(told(&[(wall, 0)], None), (TODAY, TODAY, TODAY), "{wall}");
    }
    let first = TODAY - DAYS_MAX + 1;
    assert_eq!(told(&[(begin_of(0).0, 0)], None), (0, first, TODAY));
    assert_eq!(told(&[(begin_of(0).0 - 1, 0)], None), (TODAY, TODAY, TODAY));
}

proptest! {
    /// The newest days up to now are told, and never more than the limit, whatever the clocks show.
    #[test]
    fn today_is_always_told(
        events in proptest::collection::vec((any::<i64>(), any::<i64>()), 0..6),
        asked in proptest::option::of((any::<i64>(), any::<i64>())),
    ) {
        let (begins, first, last) = told(&events, None);
        prop_assert_eq!(last, TODAY);
        prop_assert!(begins <= first && first <= TODAY && last - first < DAYS_MAX);
        let (begins, first, last) = told(&events, asked);
        prop_assert!(begins <= first && last <= TODAY && last.saturating_sub(first) < DAYS_MAX);
    }
}
