//! The clock was set while the service was stopped.

use super::*;

/// The service was stopped at 10:00; by the counters it starts again `hours` later, with a clock that was set
/// by `by_ms` meanwhile.
fn started_after(hours: i64, by_ms: i64) -> Moment {
    let counted = moment(at(10 + hours, 0), BOOTED);
    Moment { wall: counted.wall.plus(by_ms), ..counted }
}

fn start(hours: i64, by_ms: i64, log: Option<LogReading>, list: Vec<OsSession>) -> Run {
    Run::new(stopped_at_ten(), "b1", started_after(hours, by_ms)).with(log, list)
}

fn hanako() -> OsSession {
    session("2", "hanako", at(8, 50))
}

#[test]
fn set_back_while_away_the_punches_of_the_log_are_told_and_the_absence_is_declared() {
    // At 10:05 the clock was set to 04:05.
    let log = reading(vec![
        of_session(at(4, 30), 1_001, EventKind::Logon, "3", "taro"),
        of_session(at(5, 30), 1_002, EventKind::Logoff, "3", "taro"),
    ]);
    let run = start(3, -6 * HOUR, Some(log), vec![hanako()]);
    let back_filled = Evidence::BackFilled;
    assert_eq!(
        run.punches(),
        [
            (EventKind::Logon, "taro", back_filled, at(4, 30)),
            (EventKind::Logoff, "taro", back_filled, at(5, 30)),
        ]
    );
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(4, 0), at(7, 0)))]);
    assert_eq!(run.wanted.as_ref().unwrap().since, at(4, 0), "a log without a bookmark is read from there");
    let run = start(3, -6 * HOUR, None, vec![hanako()]);
    assert_eq!(run.gaps(), [("agent_absent", bounds(at(4, 0), at(7, 0)))]);
}

#[test]
fn set_back_within_a_stay_its_two_ends_are_told_by_their_own_clocks() {
    let log = reading(vec![
        of_session(at(10, 5), 1_001, EventKind::Logon, "3", "taro"),
        of_session(at(4, 30), 1_002, EventKind::Logoff, "3", "taro"),
    ]);
    let run = start(3, -6 * HOUR, Some(log), vec![hanako()]);
    let told: Vec<_> = run.punches().into_iter().map(|(kind, name, _, at)| (kind, name, at)).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(EventKind::Logon, "taro", at(10, 5))));
    assert!(told.contains(&(EventKind::Logoff, "taro", at(4, 30))));
    // By less than the absence, so that only the order of the records shows what came first.
    let log = reading(vec![
        of_session(at(10, 50), 1_001, EventKind::Logon, "3", "taro"),
        of_session(at(10, 10), 1_002, EventKind::Logoff, "3", "taro"),
    ]);
    let run = start(3, -HOUR, Some(log), vec![hanako()]);
    assert_eq!(run.punches().iter().filter(|(kind, ..)| *kind == EventKind::Logoff).count(), 1);
    assert!(run.punches().contains(&(EventKind::Logoff, "taro", Evidence::BackFilled, at(10, 10))));
}

#[test]
fn set_back_what_the_log_had_before_the_stop_is_not_told_again() {
    // Of 08:30, before the bookmark: the window by the new clock is [04:00, 11:00].
    let log = reading(vec![
        of_session(at(8, 30), 900, EventKind::Logon, "1", "jiro"),
        of_session(at(8, 40), 901, EventKind::Logoff, "1", "jiro"),
    ]);
    let run = start(7, -6 * HOUR, Some(log), vec![hanako()]);
    assert_eq!(run.punches(), []);
}

#[test]
fn set_back_a_log_with_missing_records_is_declared() {
    let why = LogGapReason::Wrapped;
    let gap = LogGap { channel: LogChannel::LocalSessionManager, from: at(9, 55), to: at(6, 0), why };
    let run = start(3, -6 * HOUR, Some(LogReading { gaps: vec![gap], ..reading(vec![]) }), vec![hanako()]);
    let away = bounds(at(4, 0), at(7, 0));
    assert_eq!(run.gaps(), [("log_wrapped:LSM", away), ("agent_absent", away)]);
}

#[test]
fn set_forward_while_away_punches_by_either_clock_are_told_and_the_gap_has_its_true_length() {
    // At 10:30 the clock was set to 16:30.
    let log = reading(vec![
        of_session(at(10, 5), 1_001, EventKind::Logon, "3", "taro"),
        of_session(at(16, 40), 1_002, EventKind::Logoff, "3", "taro"),
    ]);
    let run = start(1, 6 * HOUR, Some(log), vec![hanako()]);
    let back_filled = Evidence::BackFilled;
    assert_eq!(
        run.punches(),
        [
            (EventKind::Logon, "taro", back_filled, at(10, 5)),
            (EventKind::Logoff, "taro", back_filled, at(16, 40)),
        ]
    );
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(16, 0), at(17, 0)))]);
    assert_eq!(run.wanted.as_ref().unwrap().since, at(10, 0));
}

#[test]
fn a_restart_of_the_service_with_the_clock_set_is_no_absence() {
    for by_ms in [-6 * HOUR, 6 * HOUR] {
        let run = start(0, by_ms, Some(reading(vec![])), vec![hanako()]);
        assert_eq!(run.gaps(), [], "{by_ms}");
    }
}

#[test]
fn after_a_boot_with_a_clock_that_stayed_behind_the_next_start_declares_the_absence() {
    let before = stopped_at_ten();
    let behind = moment(at(7, 0), at(6, 59));
    let first = Run::new(before.clone(), "b2", behind).with(Some(reading(vec![])), vec![]);
    assert_eq!(first.gaps(), [], "which clock is wrong is not known yet");
    let between = Recovered { enrolled: true, ..first.journal(&before) };
    let second = Run::new(between, "b2", moment(at(8, 0), at(6, 59))).with(Some(reading(vec![])), vec![]);
    assert_eq!(second.gaps(), [("agent_absent:log_read", bounds(at(8, 0), at(10, 0)))]);
}

#[test]
fn a_log_that_lost_records_from_before_the_absence_by_either_clock_hides_nothing() {
    for (by_ms, earliest) in [(-6 * HOUR, at(4, 0)), (6 * HOUR, at(10, 0))] {
        let lost_until = |to: UtcMillis| {
            let why = LogGapReason::Wrapped;
            let gap =
                LogGap { channel: LogChannel::LocalSessionManager, from: earliest.plus(-HOUR), to, why };
            let log = LogReading { gaps: vec![gap], ..reading(vec![]) };
            let run = start(3, by_ms, Some(log), vec![hanako()]);
            run.gaps().iter().any(|(cause, _)| *cause == "log_wrapped:LSM")
        };
        assert!(!lost_until(earliest), "{by_ms}");
        assert!(lost_until(earliest.plus(1)), "{by_ms}");
    }
}

#[test]
fn set_back_what_was_watched_before_the_stop_is_not_told_and_what_came_right_after_it_is() {
    let log = reading(vec![
        of_session(at(9, 58), 999, EventKind::Lock, "2", "hanako"),
        of_session(at(10, 0).plus(-5_000), 1_001, EventKind::Unlock, "2", "hanako"),
        of_session(at(10, 0).plus(3_000), 1_002, EventKind::Logon, "3", "taro"),
        of_session(at(4, 30), 1_003, EventKind::Logoff, "3", "taro"),
    ]);
    let run = start(3, -6 * HOUR, Some(log), vec![hanako()]);
    let back_filled = Evidence::BackFilled;
    assert_eq!(
        run.told().into_iter().filter(|(_, _, evidence, _)| *evidence == back_filled).collect::<Vec<_>>(),
        [
            (EventKind::Logon, "taro", back_filled, at(10, 0).plus(3_000)),
            (EventKind::Logoff, "taro", back_filled, at(4, 30)),
        ]
    );
}

#[test]
fn a_new_boots_clock_a_minute_behind_is_drift_and_more_is_a_contradiction() {
    let behind = |by_ms: i64| {
        let now = at(18, 4).plus(-by_ms);
        let mut run = Run::new(heartbeat_at_18_04(), "b2", moment(now, now.plus(-MINUTE)))
            .with(Some(reading(vec![])), vec![]);
        run.give(Input::Stop { system_is_going_down: false });
        let changes = run.stored.iter().filter(|event| event.kind == EventKind::TimeChange).count();
        (changes, run.gaps().len())
    };
    assert_eq!(behind(MINUTE), (0, 0));
    assert_eq!(behind(MINUTE + 1), (1, 1), "the contradiction, and that nobody knows what lies within it");
}

#[test]
fn a_clock_set_by_two_seconds_while_away_is_drift_and_by_more_is_a_step() {
    let steps = |by_ms| {
        let run = start(1, by_ms, Some(reading(vec![])), vec![hanako()]);
        run.stored.iter().filter(|event| event.kind == EventKind::TimeChange).count()
    };
    assert_eq!((steps(2_000), steps(-2_000), steps(2_001), steps(-2_001)), (0, 0, 1, 1));
}

#[test]
fn an_end_whose_sign_lies_more_than_a_minute_behind_the_boot_has_an_unreliable_clock() {
    let cause = |by_ms: i64| {
        let boot = at(18, 4).plus(-by_ms);
        let run = Run::new(heartbeat_at_18_04(), "b2", moment(boot.plus(40_000), boot)).with(None, vec![]);
        run.of_kind(EventKind::Logoff).cause.clone().unwrap()
    };
    assert_eq!((cause(MINUTE), cause(MINUTE + 1)), ("power_loss".to_owned(), "clock_unreliable".to_owned()));
}
