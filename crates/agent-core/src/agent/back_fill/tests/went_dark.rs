//! Table A 7, 9: the PC went dark, and what the next boot makes of it.

use super::*;

fn unclean(bugcheck: bool, alive_at: Option<UtcMillis>) -> LogFact {
    of_pc(NEXT_BOOT.plus(9_000), 9_002, LogEvent::Unclean { bugcheck, alive_at })
}

#[test]
fn row_7_a_power_loss_is_corroborated_and_narrowed_by_what_windows_noted() {
    let log = reading(vec![start_of_the_next_boot(), unclean(false, Some(at(18, 5)))]);
    let run = next_morning(Some(log));
    let logoff = run.of_kind(EventKind::Logoff);
    assert_eq!((logoff.evidence, logoff.cause.as_deref()), (Evidence::Inferred, Some("power_loss")));
    assert_eq!(logoff.bounds, Some(bounds(at(18, 5), NEXT_BOOT.plus(-300))));
    assert_eq!(logoff.session.as_ref().unwrap().boot, boot("b1"));
    assert_eq!(run.gaps(), [], "nobody could use the PC");
    assert!(run.agent.stays().is_empty());
}

#[test]
fn row_9_a_bug_check_gives_its_reason() {
    let log = reading(vec![start_of_the_next_boot(), unclean(false, None), unclean(true, None)]);
    let logoff = next_morning(Some(log));
    assert_eq!(logoff.of_kind(EventKind::Logoff).cause.as_deref(), Some("bugcheck"));
}

#[test]
fn an_exact_logoff_in_the_log_wins_over_the_inference() {
    let log = reading(vec![
        of_session(at(18, 4).plus(40_000), 1_001, EventKind::Logoff, "2", "hanako"),
        start_of_the_next_boot(),
        unclean(false, None),
    ]);
    let run = next_morning(Some(log));
    assert_eq!(run.punches(), [(EventKind::Logoff, "hanako", Evidence::BackFilled, at(18, 4).plus(40_000))]);
    assert_eq!(run.of_kind(EventKind::Logoff).session.as_ref().unwrap().boot, boot("b1"));
}

#[test]
fn an_orderly_end_that_the_agent_did_not_see_is_a_shutdown_with_its_bounds() {
    let log = reading(vec![
        of_pc(at(18, 6), 8_990, LogEvent::EndRequested),
        of_pc(at(18, 7), 8_999, LogEvent::WentDown),
        start_of_the_next_boot(),
    ]);
    let run = next_morning(Some(log));
    let logoff = run.of_kind(EventKind::Logoff);
    assert_eq!(logoff.cause.as_deref(), Some("shutdown"));
    assert_eq!(logoff.bounds, Some(bounds(at(18, 6), at(18, 7))));
    let shutdown = run.of_kind(EventKind::Shutdown);
    assert_eq!((shutdown.evidence, shutdown.occurred_at), (Evidence::BackFilled, at(18, 7)));
}

#[test]
fn with_no_word_about_the_end_it_is_inferred_as_before() {
    for log in [None, Some(reading(vec![]))] {
        let run = next_morning(log);
        let logoff = run.of_kind(EventKind::Logoff);
        assert_eq!(logoff.cause.as_deref(), Some("power_loss"));
        assert_eq!(logoff.bounds, Some(bounds(at(18, 4), NEXT_BOOT)));
    }
}

#[test]
fn an_orderly_shutdown_that_the_agent_saw_is_not_told_again_and_is_no_absence() {
    let mut evening = Run::new(stopped_at_ten(), "b1", moment(at(10, 0).plus(5_000), BOOTED))
        .with(Some(reading(vec![])), vec![session("2", "hanako", at(8, 50))]);
    evening.now = moment(at(18, 0), BOOTED);
    evening.give(Input::Os(OsFact::ShutdownAnnounced));
    evening.give(Input::Stop { system_is_going_down: true });
    let recovered = Recovered { enrolled: true, ..evening.journal(&stopped_at_ten()) };
    let log =
        reading(vec![of_pc(at(18, 0).plus(9_000), 8_999, LogEvent::WentDown), start_of_the_next_boot()]);
    for log in [None, Some(log)] {
        let run =
            Run::new(recovered.clone(), "b2", moment(NEXT_BOOT.plus(40_000), NEXT_BOOT)).with(log, vec![]);
        assert_eq!(run.told(), []);
    }
}

#[test]
fn killed_with_nobody_logged_on_and_no_logs_afterwards_is_an_absence() {
    let nobody = || Recovered { stays: crate::Stays::default(), ..heartbeat_at_18_04() };
    let start = moment(NEXT_BOOT.plus(40_000), NEXT_BOOT);
    let run = Run::new(nobody(), "b2", start).with(None, vec![]);
    assert_eq!(run.gaps(), [("agent_absent", bounds(at(18, 4), NEXT_BOOT))]);
    let log = reading(vec![start_of_the_next_boot(), unclean(false, None)]);
    let run = Run::new(nobody(), "b2", start).with(Some(log), vec![]);
    assert_eq!(run.gaps(), [], "the log would tell who was there");
    let soon = at(18, 8);
    let run = Run::new(nobody(), "b2", moment(soon.plus(40_000), soon)).with(None, vec![]);
    assert_eq!(run.gaps(), [], "a crash with its restart");
    assert_eq!(next_morning(None).gaps(), [], "heartbeats ended with the power");
}

#[test]
fn a_stay_whose_beginning_was_told_late_may_have_ended_right_after_it() {
    let mut killed = Run::new(known(Recovered::default()), "b1", moment(at(8, 40), BOOTED))
        .with(Some(reading(vec![])), vec![]);
    let hanako = session("2", "hanako", at(8, 50));
    killed.list = vec![hanako.clone()];
    killed.now = moment(at(8, 50).plus(30_000), BOOTED);
    let (session_id, change) = ("2".to_owned(), SessionChange::Began);
    killed.give(Input::Os(OsFact::SessionNotice { session_id, change, session: Some(Box::new(hanako)) }));
    killed.pass(1_000);
    let seen = |moment| Some(LastSeen { boot: boot("b1"), moment });
    let recovered = Recovered {
        last_seen: seen(killed.now),
        last_compared: seen(moment(at(8, 45), BOOTED)),
        ..known(killed.journal(&Recovered::default()))
    };
    let end = |recovered: Recovered| {
        let run = Run::new(recovered, "b3", moment(NEXT_BOOT.plus(40_000), NEXT_BOOT)).with(None, vec![]);
        run.of_kind(EventKind::Logoff).bounds
    };
    assert_eq!(end(recovered.clone()), Some(bounds(at(8, 50), NEXT_BOOT)));
    // A run in between left it as it was, and no sign of the first one is remembered but its own.
    let between = LastSeen { boot: boot("b2"), moment: moment(at(20, 0), at(19, 59)) };
    let recovered = Recovered { last_seen: Some(between), last_compared: None, ..recovered };
    assert_eq!(end(recovered), Some(bounds(at(8, 50), NEXT_BOOT)));
}

#[test]
fn after_a_clock_set_back_the_last_sign_is_told_by_the_clock_that_showed_last() {
    let seen = |moment| Some(LastSeen { boot: boot("b1"), moment });
    // Compared at 18:00; then the clock was set back by an hour.
    let recovered = Recovered {
        last_compared: seen(moment(at(18, 0), BOOTED)),
        last_seen: seen(Moment { wall: at(17, 4), ..moment(at(18, 4), BOOTED) }),
        ..heartbeat_at_18_04()
    };
    let run = Run::new(recovered, "b2", moment(NEXT_BOOT.plus(40_000), NEXT_BOOT)).with(None, vec![]);
    assert_eq!(run.of_kind(EventKind::Logoff).bounds, Some(bounds(at(17, 0), NEXT_BOOT)));
}

/// It does not wait for logs, and says what the boots alone tell.
#[test]
fn a_logon_script_after_a_power_loss_ends_the_stays_of_the_boot_before() {
    let now = moment(NEXT_BOOT.plus(40_000), NEXT_BOOT);
    let settings = Settings { spread_ms: 0, ..Settings::new(1) };
    let mut run = Run::new(heartbeat_at_18_04(), "b2", now);
    run.agent = Agent::start(Mode::Script, settings, heartbeat_at_18_04(), boot("b2"), now);
    let run = run.with(None, vec![]);
    let logoff = run.of_kind(EventKind::Logoff);
    assert_eq!((logoff.evidence, logoff.cause.as_deref()), (Evidence::Inferred, Some("power_loss")));
    assert_eq!(logoff.bounds, Some(bounds(at(18, 4), NEXT_BOOT)));
    assert_eq!(run.stored.len(), 1);
}

#[test]
fn the_last_record_before_the_dark_is_a_sign_only_where_none_is_missing() {
    let facts = vec![of_pc(at(18, 6), 8_990, LogEvent::Suspended), start_of_the_next_boot()];
    let began = NEXT_BOOT.plus(-300);
    let run = next_morning(Some(reading(facts.clone())));
    assert_eq!(run.of_kind(EventKind::Logoff).bounds, Some(bounds(at(18, 6), began)));
    let (channel, why) = (LogChannel::LocalSessionManager, LogGapReason::Wrapped);
    let gap = LogGap { channel, from: at(18, 0), to: at(20, 0), why };
    let run = next_morning(Some(LogReading { gaps: vec![gap], ..reading(facts) }));
    assert_eq!(
        run.of_kind(EventKind::Logoff).bounds,
        Some(bounds(at(18, 4), began)),
        "she may have gone at once"
    );
}

/// Windows writes several records as it goes down.
#[test]
fn one_going_down_is_one_shutdown() {
    let run = next_morning(Some(reading(vec![
        of_pc(at(18, 7), 8_998, LogEvent::WentDown),
        of_pc(at(18, 7).plus(5_000), 8_999, LogEvent::WentDown),
        start_of_the_next_boot(),
    ])));
    let shutdowns: Vec<_> =
        run.told().into_iter().filter(|(kind, ..)| *kind == EventKind::Shutdown).collect();
    assert_eq!(shutdowns, [(EventKind::Shutdown, "", Evidence::BackFilled, at(18, 7).plus(5_000))]);
}

#[test]
fn a_request_to_go_down_that_was_called_off_bounds_no_end() {
    let end = |requested: UtcMillis| {
        let run = next_morning(Some(reading(vec![
            of_pc(requested, 8_990, LogEvent::EndRequested),
            of_pc(at(18, 30), 8_999, LogEvent::WentDown),
            start_of_the_next_boot(),
        ])));
        run.of_kind(EventKind::Logoff).bounds
    };
    assert_eq!(end(at(18, 20)), Some(bounds(at(18, 20), at(18, 30))));
    assert_eq!(end(at(18, 20).plus(-1)), Some(bounds(at(18, 4), at(18, 30))));
}
