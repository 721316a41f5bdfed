//! Days at their borders: starts, ends, losses, silence and clocks that say anything.

use super::*;
use mngntime_model::{BootId, Moment};

/// 2026-11-24 00:00 in Tokyo.
const MIDNIGHT: i64 = 1_795_446_000_000;
const DAY_MS: i64 = 86_400_000;

/// A time of that day, or of another with hours beyond it.
fn at(hour: i64, minute: i64) -> UtcMillis {
    UtcMillis(MIDNIGHT + (hour * 60 + minute) * 60_000)
}

/// Events with numbers from 1, recorded when they happened and received at once.
struct Story(Vec<Received>);

impl Story {
    fn then(mut self, kind: EventKind, time: UtcMillis, cause: &str) -> Self {
        let event = Event {
            sequence: self.0.len() as u64 + 1,
            boot: BootId::new("b").unwrap(),
            kind,
            evidence: Evidence::Notice,
            occurred_at: time,
            bounds: None,
            recorded_at: Moment { wall: time, offset_seconds: 32_400, biased_ms: 0, unbiased_ms: 0 },
            session: None,
            account: None,
            remote: None,
            client: None,
            cause: Some(cause.to_owned()).filter(|cause| !cause.is_empty()),
            supersedes: None,
        };
        self.0.push(Received::of(event, time, 0));
        self
    }

    /// The last event happened somewhere between, and was recorded when that was over.
    fn within(mut self, from: UtcMillis, to: UtcMillis) -> Self {
        let last = &mut self.0.last_mut().unwrap().event;
        last.recorded_at.wall = last.recorded_at.wall.max(to);
        (last.bounds, last.evidence) = (Some(Bounds { not_before: from, not_after: to }), Evidence::Inferred);
        self
    }

    fn office_day(self, day: i64) -> Self {
        self.then(EventKind::ServiceStart, at(24 * day + 9, 0), "in_order")
            .then(EventKind::Logon, at(24 * day + 9, 5), "")
            .then(EventKind::Logoff, at(24 * day + 18, 0), "")
            .then(EventKind::Shutdown, at(24 * day + 18, 1), "")
            .then(EventKind::ServiceStop, at(24 * day + 18, 2), "")
    }

    /// The numbers between its events.
    fn missing(&self) -> Vec<(u64, u64)> {
        let numbers = |pair: &[Received]| (pair[0].event.sequence + 1, pair[1].event.sequence - 1);
        self.0.windows(2).map(numbers).filter(|(first, last)| first <= last).collect()
    }

    /// Day number `day` at `now`, the server having heard of the terminal at `contact`.
    fn day(&self, day: i64, contact: UtcMillis, now: UtcMillis) -> Day {
        let from = UtcMillis(MIDNIGHT + day * DAY_MS);
        Timeline::of(&self.0, &self.missing(), &[], Some(contact), now).day(from, from.plus(DAY_MS).min(now))
    }
}

fn whys(day: &Day) -> Vec<(Why, UtcMillis)> {
    day.parts.iter().map(|part| (part.why, part.to)).collect()
}

fn story() -> Story {
    Story(Vec::new())
}

#[test]
fn days_from_start_to_shutdown_are_observed_and_the_nights_between_are_off() {
    let story = story().office_day(0).office_day(1);
    let now = at(24 + 20, 0);
    let first = story.day(0, at(24 + 18, 2), now);
    assert_eq!(first.state, State::Unknown, "before the first start nobody watched");
    let expected = [(Why::BeforeFirstStart, at(9, 0)), (Why::Watched, at(18, 2)), (Why::ShutDown, at(24, 0))];
    assert_eq!(whys(&first), expected);
    let second = story.day(1, at(24 + 18, 2), now);
    assert_eq!((second.state, second.late), (State::Observed, 0));
    let expected =
        [(Why::ShutDown, at(33, 0)), (Why::Watched, at(42, 2)), (Why::SilentSinceShutdown, at(44, 0))];
    assert_eq!(whys(&second), expected);
}

#[test]
fn a_day_of_which_nothing_was_heard_is_unknown_and_becomes_known_by_the_next_start() {
    let silent = story().office_day(0);
    let now = at(72, 0);
    assert_eq!(silent.day(1, at(18, 2), now).state, State::Unknown);
    assert_eq!(whys(&silent.day(1, at(18, 2), now)), [(Why::SilentSinceShutdown, at(48, 0))]);
    let heard = silent.office_day(2);
    assert_eq!(whys(&heard.day(1, at(66, 2), now)), [(Why::ShutDown, at(48, 0))]);
    assert_eq!(heard.day(1, at(66, 2), now).state, State::Observed);
}

#[test]
fn a_terminal_that_falls_silent_while_it_watches_is_watched_up_to_its_last_contact() {
    let story = story().then(EventKind::ServiceStart, at(0, 0), "first_start");
    let day = story.day(0, at(12, 0), at(30, 0));
    assert_eq!(whys(&day), [(Why::Watched, at(12, 0)), (Why::Silent, at(24, 0))]);
    assert_eq!(day.state, State::Unknown);
    let tomorrow = story.day(1, at(12, 0), at(30, 0));
    assert_eq!((whys(&tomorrow), tomorrow.state), (vec![(Why::Silent, at(30, 0))], State::Unknown));
}

#[test]
fn the_pause_between_two_signs_of_life_is_no_silence() {
    let story = story().then(EventKind::ServiceStart, at(0, 0), "first_start");
    let now = at(13, 0);
    let pause = story.day(0, at(12, 0).plus(1), now);
    assert_eq!((pause.state, pause.parts[1].why), (State::Observed, Why::BetweenContacts));
    assert_eq!(story.day(0, at(12, 0), now).state, State::Unknown);
}

#[test]
fn a_service_that_was_stopped_by_hand_is_no_shutdown() {
    let story = story()
        .then(EventKind::ServiceStart, at(0, 0), "first_start")
        .then(EventKind::ServiceStop, at(10, 0), "")
        .then(EventKind::ServiceStart, at(15, 0), "in_order")
        .then(EventKind::Gap, at(10, 0), "agent_absent:log_read")
        .within(at(10, 0), at(15, 0));
    let day = story.day(0, at(24, 0), at(24, 0));
    assert_eq!(day.state, State::AgentOff);
    let expected = [(Why::Watched, at(10, 0)), (Why::AgentAbsent, at(15, 0)), (Why::Watched, at(24, 0))];
    assert_eq!(whys(&day), expected);
}

#[test]
fn after_a_crash_only_a_declared_absence_counts() {
    let crashed = |gap: bool| {
        let story = story().then(EventKind::ServiceStart, at(0, 0), "first_start").then(
            EventKind::ServiceStart,
            at(15, 0),
            "after_crash",
        );
        let story = if gap {
            story.then(EventKind::Gap, at(10, 0), "agent_absent").within(at(14, 0), at(15, 0))
        } else {
            story
        };
        story.day(0, at(24, 0), at(24, 0))
    };
    assert_eq!(whys(&crashed(false)), [(Why::Watched, at(24, 0))]);
    let expected = [(Why::Watched, at(14, 0)), (Why::AgentAbsent, at(15, 0)), (Why::Watched, at(24, 0))];
    assert_eq!(whys(&crashed(true)), expected);
}

#[test]
fn of_a_power_loss_the_interval_is_unknown_and_the_rest_is_off() {
    let story = story()
        .then(EventKind::ServiceStart, at(0, 0), "first_start")
        .then(EventKind::Logon, at(9, 0), "")
        .then(EventKind::ServiceStart, at(33, 0), "after_power_loss")
        .then(EventKind::Logoff, at(17, 59), "power_loss")
        .within(at(17, 59), at(18, 1));
    let day = story.day(0, at(34, 0), at(34, 0));
    let expected = [(Why::Watched, at(9, 0)), (Why::Off, at(17, 59)), (Why::PowerLost, at(18, 1))];
    assert_eq!((&whys(&day)[..3], day.state), (&expected[..], State::Unknown));
    assert_eq!(whys(&day)[3], (Why::Off, at(24, 0)));
}

#[test]
fn missing_numbers_and_declared_losses_are_unknown() {
    let whole = story()
        .then(EventKind::ServiceStart, at(0, 0), "first_start")
        .then(EventKind::Logon, at(9, 0), "")
        .then(EventKind::Lock, at(12, 0), "")
        .then(EventKind::Logoff, at(18, 0), "");
    assert_eq!(whole.day(0, at(24, 0), at(24, 0)).state, State::Observed);
    let mut holed = Story(whole.0.clone());
    holed.0.remove(2);
    let day = holed.day(0, at(24, 0), at(24, 0));
    let expected =
        [(Why::Watched, at(9, 0)), (Why::NumbersMissing, at(18, 0).plus(1)), (Why::Watched, at(24, 0))];
    assert_eq!((whys(&day), day.state), (expected.to_vec(), State::Unknown));
    // The agent says itself which numbers it lost, and when that may have been.
    let story = Story(holed.0.clone()).then(EventKind::Gap, at(20, 0), "unreadable:3-3");
    let declared = story.within(at(11, 0), at(20, 0)).day(0, at(24, 0), at(24, 0));
    assert_eq!(whys(&declared)[1], (Why::RecordsLost, at(20, 0)));
    for cause in ["unreadable:3-4", "not_held:1-2", "could_not_store:2", "rolled_back:5-9;after=4"] {
        let declared = Story(whole.0.clone()).then(EventKind::Gap, at(19, 0), cause);
        assert_eq!(declared.day(0, at(24, 0), at(24, 0)).state, State::Unknown, "{cause}");
    }
    let earlier = Story(whole.0.clone()).then(EventKind::Gap, at(19, 0), "earlier_enrollment:1-9");
    assert_eq!(earlier.day(0, at(24, 0), at(24, 0)).state, State::Observed, "that says nothing of this day");
}

#[test]
fn what_waited_on_the_pc_for_over_an_hour_is_late_by_the_servers_clock() {
    let mut story = story()
        .then(EventKind::ServiceStart, at(0, 0), "first_start")
        .then(EventKind::Logon, at(9, 0), "")
        .then(EventKind::Logoff, at(18, 0), "");
    story.0[1].received_at = at(10, 0);
    assert_eq!(story.day(0, at(24, 0), at(24, 0)).late, 0, "an hour is not over an hour");
    story.0[1].received_at = at(10, 0).plus(1);
    assert_eq!(story.day(0, at(24, 0), at(24, 0)).late, 1);
    story.0[1].clock_offset_ms = 1;
    assert_eq!(story.day(0, at(24, 0), at(24, 0)).late, 0, "the terminal's clock was slow");
}

#[test]
fn whatever_the_clocks_say_the_parts_of_a_day_follow_each_other_without_holes() {
    let absurd = story()
        .then(EventKind::ServiceStart, UtcMillis(i64::MAX), "first_start")
        .then(EventKind::Gap, at(5, 0), "agent_absent")
        .within(UtcMillis(i64::MIN), UtcMillis(i64::MAX))
        .then(EventKind::ServiceStop, UtcMillis(0), "")
        .then(EventKind::ServiceStart, at(3, 0), "in_order");
    for story in [absurd, story()] {
        let day = story.day(0, at(7, 0), at(24, 0));
        assert_eq!((day.parts[0].from, day.parts.last().unwrap().to), (at(0, 0), at(24, 0)));
        assert!(day.parts.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].why != pair[1].why));
        assert_eq!(day.state, if story.0.is_empty() { State::Unknown } else { day.state });
    }
}

#[test]
fn a_shutdown_that_was_called_off_does_not_excuse_a_stop_by_hand() {
    let story = story()
        .then(EventKind::ServiceStart, at(0, 0), "first_start")
        .then(EventKind::Shutdown, at(10, 0), "")
        .then(EventKind::Logon, at(11, 0), "")
        .then(EventKind::ServiceStop, at(12, 0), "")
        .then(EventKind::ServiceStart, at(20, 0), "in_order");
    let day = story.day(0, at(24, 0), at(24, 0));
    assert_eq!((day.state, whys(&day)[1].0), (State::AgentOff, Why::AgentStopped));
}

#[test]
fn what_a_start_said_in_a_record_that_is_missing_is_not_taken_for_watching() {
    let mut story = story()
        .then(EventKind::ServiceStart, at(0, 0), "first_start")
        .then(EventKind::ServiceStart, at(18, 0), "after_crash")
        .then(EventKind::Gap, at(1, 0), "agent_absent")
        .within(at(1, 0), at(18, 0))
        .then(EventKind::Logon, at(19, 0), "");
    assert_eq!(story.day(0, at(24, 0), at(24, 0)).state, State::AgentOff);
    story.0.remove(2);
    let day = story.day(0, at(24, 0), at(24, 0));
    assert_eq!(whys(&day)[0], (Why::NumbersMissing, at(19, 0).plus(1)));
}

#[test]
fn when_the_power_went_may_stand_in_an_event_that_is_hidden() {
    let story = story().then(EventKind::ServiceStart, at(0, 0), "first_start").then(
        EventKind::ServiceStart,
        at(20, 0),
        "after_power_loss",
    );
    let day = |hidden: &[u64]| {
        let timeline = Timeline::of(&story.0, &[], hidden, Some(at(24, 0)), at(24, 0));
        timeline.day(at(0, 0), at(24, 0)).parts[0].why
    };
    assert_eq!((day(&[]), day(&[3])), (Why::Off, Why::PowerLost));
}

mod cost;
mod dates;

/// The events from `first` on were recorded by a clock that was `behind_ms` behind, and came at once.
fn behind(mut story: Story, first: usize, behind_ms: i64) -> Story {
    for received in &mut story.0[first..] {
        let right = received.event.recorded_at.wall;
        let event = &mut received.event;
        (event.occurred_at, event.recorded_at.wall) = (right.plus(-behind_ms), right.plus(-behind_ms));
        (received.received_at, received.clock_offset_ms) = (right, behind_ms);
    }
    story
}

const YEARS_MS: i64 = 1_000 * DAY_MS;

#[test]
fn an_absence_over_which_the_clock_went_back_is_after_what_was_last_seen_and_denies_no_day_before() {
    let story = story()
        .then(EventKind::ServiceStart, at(9, 0), "in_order")
        .then(EventKind::Logoff, at(18, 0), "")
        .then(EventKind::TimeChange, at(40, 0), "behind_last_seen_ms:1")
        .then(EventKind::ServiceStart, at(40, 0), "after_power_loss")
        .then(EventKind::Gap, at(40, 0), "agent_absent");
    let mut story = behind(story, 2, YEARS_MS);
    let now_by_its_clock = at(40, 0).plus(-YEARS_MS);
    story.0[4].event.bounds = Some(Bounds { not_before: now_by_its_clock, not_after: at(18, 0) });
    let expected =
        [(Why::BeforeFirstStart, at(9, 0)), (Why::Watched, at(18, 0)), (Why::AgentAbsent, at(24, 0))];
    assert_eq!(whys(&story.day(0, at(41, 0), at(41, 0))), expected);
    assert_eq!(
        whys(&story.day(1, at(41, 0), at(41, 0))),
        [(Why::AgentAbsent, at(40, 0)), (Why::Watched, at(41, 0))]
    );
}

#[test]
fn a_clock_years_behind_makes_no_days_of_years_ago_and_hides_none_of_today() {
    let right = || story().office_day(0).office_day(1);
    let story = behind(right(), 0, YEARS_MS);
    let now = at(44, 0);
    for day in [0, 1] {
        assert_eq!(story.day(day, at(42, 2), now), right().day(day, at(42, 2), now));
    }
    assert_eq!(story.day(-1_000, at(42, 2), now).state, State::Unknown);
}

#[test]
fn a_clock_that_is_set_right_in_the_middle_of_a_batch_leaves_no_watch_of_years() {
    let right = || {
        story()
            .then(EventKind::ServiceStart, at(9, 0), "in_order")
            .then(EventKind::Logon, at(9, 5), "")
            .then(EventKind::TimeChange, at(9, 10), "by_ms:86400000000")
            .then(EventKind::Logoff, at(18, 0), "")
    };
    let mut story = right();
    for received in &mut story.0 {
        received.received_at = at(18, 0);
    }
    for received in &mut story.0[..2] {
        let wall = received.event.recorded_at.wall.plus(-YEARS_MS);
        (received.event.occurred_at, received.event.recorded_at.wall) = (wall, wall);
    }
    let now = at(18, 30);
    assert_eq!(story.day(0, at(18, 0), now).parts, right().day(0, at(18, 0), now).parts);
    assert_eq!(story.day(-1, at(18, 0), now).state, State::Unknown);
}

#[test]
fn a_clock_years_ahead_does_not_make_the_days_until_then_known() {
    let story = behind(story().office_day(0), 3, -YEARS_MS);
    let day = story.day(1, at(18, 2), at(40, 0));
    assert_eq!((day.state, whys(&day)), (State::Unknown, vec![(Why::SilentSinceShutdown, at(40, 0))]));
}

#[test]
fn a_run_by_a_clock_years_behind_that_nobody_set_is_no_day_without_work() {
    let mut story = story().office_day(0).office_day(1).office_day(2);
    // It came to the server when the clock was right again: nothing says how far it had been off.
    for received in &mut story.0[5..10] {
        let wall = received.event.recorded_at.wall.plus(-YEARS_MS);
        (received.event.occurred_at, received.event.recorded_at.wall) = (wall, wall);
    }
    let now = at(72, 0);
    let day = story.day(1, at(66, 2), now);
    assert_eq!((day.state, whys(&day)), (State::Unknown, vec![(Why::ClockDoubted, at(48, 0))]));
    let before = story.day(0, at(66, 2), now);
    assert_eq!(before.parts.last().map(|part| (part.why, part.from)), Some((Why::ClockDoubted, at(18, 2))));
    let after = story.day(2, at(66, 2), now);
    assert_eq!(whys(&after)[..2], [(Why::ClockDoubted, at(57, 0)), (Why::Watched, at(66, 2))]);
}

#[test]
fn a_clock_a_few_minutes_behind_the_run_before_is_believed() {
    let run = |begin: UtcMillis| {
        story()
            .office_day(0)
            .then(EventKind::ServiceStart, begin, "in_order")
            .then(EventKind::ServiceStop, begin, "")
            .then(EventKind::ServiceStart, at(19, 0), "in_order")
    };
    let doubted = |begin| {
        let day = run(begin).day(0, at(20, 0), at(20, 0));
        day.parts.iter().any(|part| part.why == Why::ClockDoubted)
    };
    assert!(!doubted(at(18, 2).plus(-300_000)));
    assert!(doubted(at(18, 2).plus(-300_001)));
}

#[test]
fn minutes_are_left_to_the_pc() {
    let slow = behind(story().office_day(0), 0, 300_000);
    assert_eq!(slow.day(0, at(18, 2), at(24, 0)).parts[0].to, at(8, 55));
    let wrong = behind(story().office_day(0), 0, 300_001);
    assert_eq!(wrong.day(0, at(18, 2), at(24, 0)).parts[0].to, at(9, 0));
}

#[test]
fn an_interval_that_ends_over_a_minute_after_it_was_recorded_is_over_by_another_clock() {
    let day = |after_ms| {
        let story = story()
            .then(EventKind::ServiceStart, at(0, 0), "first_start")
            .then(EventKind::Gap, at(15, 0), "agent_absent")
            .then(EventKind::Logon, at(16, 0), "");
        let mut story = story;
        let bounds = Bounds { not_before: at(14, 0), not_after: at(15, 0).plus(after_ms) };
        story.0[1].event.bounds = Some(bounds);
        whys(&story.day(0, at(24, 0), at(24, 0)))
    };
    let absent = (Why::AgentAbsent, at(15, 1));
    assert_eq!(day(60_000), [(Why::Watched, at(14, 0)), absent, (Why::Watched, at(24, 0))]);
    assert_eq!(day(60_001), [(Why::Watched, at(24, 0))], "no clock is wrong any more, but one was");
}

#[test]
fn what_waited_on_a_pc_with_a_clock_years_behind_is_late_as_well() {
    let mut story = behind(story().office_day(0), 0, YEARS_MS);
    assert_eq!(story.day(0, at(24, 0), at(24, 0)).late, 0);
    story.0[2].received_at = at(19, 0).plus(1);
    assert_eq!(story.day(0, at(24, 0), at(24, 0)).late, 1);
}

#[test]
fn every_name_is_its_own() {
    let states = [State::Observed, State::AgentOff, State::Unknown].map(State::name);
    assert_eq!(states, ["observed", "agent_off", "unknown"]);
    let mut names: Vec<_> = Why::ALL.iter().map(|why| why.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Why::ALL.len());
}

#[test]
fn only_a_logoff_by_power_loss_tells_of_one() {
    let day = |cause| {
        let story = story().then(EventKind::ServiceStart, at(0, 0), "first_start");
        let story = story.then(EventKind::Logoff, at(15, 0), cause).within(at(14, 0), at(15, 0));
        whys(&story.day(0, at(24, 0), at(24, 0)))
    };
    assert_eq!(day("power_loss")[1], (Why::PowerLost, at(15, 0)));
    for other in ["gone_while_away", "clock_unreliable"] {
        assert_eq!(day(other), [(Why::Watched, at(24, 0))], "{other}");
    }
}

#[test]
fn a_power_loss_that_a_start_with_a_dead_clock_found_out_is_one_all_the_same() {
    let dead = UtcMillis(946_684_800_000);
    let day = |start| {
        let mut story = story()
            .then(EventKind::ServiceStart, at(0, 0), "first_start")
            .then(EventKind::Logon, at(9, 0), "")
            .then(EventKind::ServiceStart, dead, start)
            .then(EventKind::Logoff, dead.plus(1), "clock_unreliable")
            .within(dead, at(18, 5));
        for received in &mut story.0[2..] {
            received.received_at = at(33, 0);
            received.clock_offset_ms = at(33, 0).0 - dead.0;
        }
        story.0[3].event.recorded_at.wall = dead.plus(1);
        story.day(0, at(34, 0), at(34, 0))
    };
    let cut_off = day("after_power_loss");
    let expected = [(Why::Watched, at(9, 0)), (Why::Off, at(18, 5)), (Why::PowerLost, at(24, 0))];
    assert_eq!((whys(&cut_off), cut_off.state), (expected.to_vec(), State::Unknown));
    // The PC went down in order, and its battery died then.
    assert_eq!(day("in_order").state, State::Observed);
}

#[test]
fn where_the_events_were_retired_that_is_what_is_known() {
    let story = story().office_day(0).office_day(1).office_day(2);
    let now = at(48 + 20, 0);
    let retired = |first, last, from, to| RetiredNumbers { first, last, from, to };
    let judged = |events: &[Received], gone: RetiredNumbers, day: i64| {
        let from = UtcMillis(MIDNIGHT + day * DAY_MS);
        Timeline::with_retired(events, &[], &[], &[gone], Some(now), now)
            .day(from, from.plus(DAY_MS).min(now))
    };
    // The first day is gone: from its first event to the next one that is there.
    let day = judged(&story.0[5..], retired(1, 5, at(9, 0), at(18, 2)), 0);
    assert_eq!(whys(&day), [(Why::BeforeFirstStart, at(9, 0)), (Why::Retired, at(24, 0))]);
    let next = judged(&story.0[5..], retired(1, 5, at(9, 0), at(18, 2)), 1);
    assert_eq!(next.parts[0].why, Why::Retired);
    assert_eq!(next.parts[1].why, Why::Watched, "{next:?}");
    // The day in the middle is gone: neither the shutdown before it nor the start after it speaks for that time.
    let between = [&story.0[..5], &story.0[10..]].concat();
    let day = judged(&between, retired(6, 10, at(24 + 9, 0), at(24 + 18, 2)), 1);
    assert_eq!((day.state, whys(&day)), (State::Retired, vec![(Why::Retired, at(48, 0))]));
    // A wrong clock of what is gone says nothing where there are events around it.
    let wild = judged(&between, retired(6, 10, UtcMillis(i64::MIN), UtcMillis(i64::MAX)), 2);
    assert_eq!(wild.parts.last().unwrap().why, Why::SilentSinceShutdown);
    let all = judged(&[], retired(1, 15, at(9, 0), at(48 + 18, 2)), 1);
    assert_eq!((all.state, all.parts.len()), (State::Retired, 1));
    // What is missing stays unknown: that is worse than retired.
    assert!(State::Retired < State::Unknown && State::AgentOff < State::Retired);
}
