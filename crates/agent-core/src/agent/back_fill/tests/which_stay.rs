//! Which stay, which run of the OS and which announcement a record of the log is about.

use super::*;
use mngntime_model::AccountIdentity;

#[test]
fn the_end_of_somebody_elses_stay_in_the_same_session_ends_nobodys() {
    let log = reading(vec![of_session(at(10, 30), 1_001, EventKind::Logoff, "2", "taro")]);
    let hanako = session("2", "hanako", at(8, 50));
    let run = Run::new(stopped_at_ten(), "b1", moment(at(12, 0), BOOTED)).with(Some(log), vec![hanako]);
    assert_eq!(run.punches(), []);
}

#[test]
fn without_a_record_of_the_start_what_came_before_it_is_of_the_run_before() {
    let log = reading(vec![of_session(at(18, 6), 1_001, EventKind::Logoff, "2", "hanako")]);
    let expected = [(EventKind::Logoff, "hanako", Evidence::BackFilled, at(18, 6))];
    assert_eq!(next_morning(Some(log)).punches(), expected);
}

#[test]
fn a_shutdown_that_was_heard_of_is_not_told_again_when_it_was_done() {
    let shutdowns = |announced: Option<UtcMillis>| {
        let mut recovered = heartbeat_at_18_04();
        let like = recovered.recent[0].clone();
        let (kind, evidence) = (EventKind::Shutdown, Evidence::Notice);
        recovered.recent.extend(announced.map(|occurred_at| Event { kind, evidence, occurred_at, ..like }));
        let log = reading(vec![of_pc(at(18, 17), 8_999, LogEvent::WentDown), start_of_the_next_boot()]);
        let now = moment(NEXT_BOOT.plus(40_000), NEXT_BOOT);
        let run = Run::new(recovered, "b2", now).with(Some(log), vec![]);
        run.told().iter().filter(|(kind, ..)| *kind == EventKind::Shutdown).count()
    };
    assert_eq!(shutdowns(None), 1);
    assert_eq!(shutdowns(Some(at(18, 7))), 0);
    assert_eq!(shutdowns(Some(at(18, 7).plus(-1))), 1, "another one, that was called off");
}

/// Hanako's logon was the last that the agent saw: it was killed two seconds later.
fn killed_right_after_the_logon() -> Recovered {
    let mut recovered = stopped_at_ten();
    recovered.recent.retain(|event| event.kind != EventKind::ServiceStop);
    let killed = LastSeen { boot: boot("b1"), moment: moment(at(8, 50).plus(2_000), BOOTED) };
    Recovered { last_seen: Some(killed), ended_in_order: false, ..recovered }
}

#[test]
fn two_logons_of_one_person_at_the_same_time_are_two() {
    let log = reading(vec![
        of_session(at(8, 50).plus(4_000), 1_001, EventKind::Logon, "5", "hanako"),
        of_session(at(9, 40), 1_002, EventKind::Logoff, "5", "hanako"),
    ]);
    let hanako = session("2", "hanako", at(8, 50));
    let run = Run::new(killed_right_after_the_logon(), "b1", moment(at(10, 0), BOOTED))
        .with(Some(log), vec![hanako]);
    let back_filled = Evidence::BackFilled;
    assert_eq!(
        run.punches(),
        [
            (EventKind::Logon, "hanako", back_filled, at(8, 50).plus(4_000)),
            (EventKind::Logoff, "hanako", back_filled, at(9, 40)),
        ]
    );
}

#[test]
fn a_lock_that_windows_writes_down_a_moment_after_its_notice_is_one_lock() {
    let mut recovered = killed_right_after_the_logon();
    let logon = recovered.recent.iter().find(|event| event.kind == EventKind::Logon).unwrap().clone();
    let lock = Event { kind: EventKind::Lock, occurred_at: at(8, 50).plus(2_000), cause: None, ..logon };
    recovered.stays.apply(&lock);
    recovered.recent.push(lock);
    let hanako = OsSession { locked: Some(true), ..session("2", "hanako", at(8, 50)) };
    let locks = |written_at: UtcMillis| {
        let log = reading(vec![of_session(written_at, 1_001, EventKind::Lock, "2", "hanako")]);
        let run = Run::new(recovered.clone(), "b1", moment(at(8, 52), BOOTED))
            .with(Some(log), vec![hanako.clone()]);
        run.told().iter().filter(|(kind, ..)| *kind == EventKind::Lock).count()
    };
    assert_eq!(locks(at(8, 50).plus(7_000)), 0);
    assert_eq!(locks(at(8, 50).plus(7_001)), 1, "another one");
}

#[test]
fn a_record_with_another_spelling_is_about_the_account_of_that_name_and_domain_only() {
    let by_name = |domain: &str, name: &str| AccountIdentity {
        key: format!("name:{domain}\\{name}"),
        domain: domain.into(),
        name: name.into(),
        upn: None,
    };
    let recreated = AccountIdentity { key: "S-1-5-21-another".into(), ..account("hanako") };
    for (written, is_hers) in [
        (by_name("example", "Hanako"), true),
        (by_name("EXAMPLE", "taro"), false),
        (by_name("PC-17", "hanako"), false),
        (recreated, false),
    ] {
        let mut end = of_session(at(11, 0), 1_001, EventKind::Logoff, "2", "hanako");
        if let LogEvent::Session(session) = &mut end.what {
            session.account = written.clone();
        }
        let hanako = session("2", "hanako", at(8, 50));
        let run = Run::new(stopped_at_ten(), "b1", moment(at(12, 0), BOOTED))
            .with(Some(reading(vec![end])), if is_hers { vec![] } else { vec![hanako] });
        let logoff = (EventKind::Logoff, "hanako", Evidence::BackFilled, at(11, 0));
        assert_eq!(run.punches(), if is_hers { vec![logoff] } else { vec![] }, "{written:?}");
    }
}

#[test]
fn without_a_record_of_the_start_what_came_after_it_is_of_the_running_one() {
    let came = NEXT_BOOT.plus(20_000);
    let log = reading(vec![of_session(came, 1_001, EventKind::Logon, "1", "taro")]);
    let taro = OsSession { logon_at: None, ..session("1", "taro", came) };
    let now = moment(NEXT_BOOT.plus(40_000), NEXT_BOOT);
    let run = Run::new(heartbeat_at_18_04(), "b2", now).with(Some(log), vec![taro]);
    let of_taro: Vec<_> = run.punches().into_iter().filter(|(_, name, ..)| *name == "taro").collect();
    assert_eq!(of_taro, [(EventKind::Logon, "taro", Evidence::FoundAtStart, came)]);
}

#[test]
fn a_record_of_the_last_moment_that_was_watched_is_no_news() {
    let told = |written_at: UtcMillis| {
        let log = reading(vec![of_pc(written_at, 9_001, LogEvent::Suspended)]);
        let hanako = session("2", "hanako", at(8, 50));
        let run = Run::new(stopped_at_ten(), "b1", moment(at(10, 0).plus(9_000), BOOTED))
            .with(Some(log), vec![hanako]);
        run.told().len()
    };
    assert_eq!((told(at(10, 0)), told(at(10, 0).plus(1))), (0, 1));
}

#[test]
fn behind_missing_records_a_logon_begins_another_stay_than_the_one_that_was_left_open() {
    let (channel, why) = (LogChannel::LocalSessionManager, LogGapReason::Wrapped);
    let gap = LogGap { channel, from: at(9, 55), to: at(14, 30), why };
    let facts = vec![
        of_session(at(14, 40), 1_901, EventKind::Logon, "2", "hanako"),
        of_session(at(14, 50), 1_902, EventKind::Logoff, "2", "hanako"),
    ];
    let log = LogReading { gaps: vec![gap], ..reading(facts) };
    let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(log), vec![]);
    let back_filled = Evidence::BackFilled;
    assert_eq!(
        run.punches(),
        [
            (EventKind::Logon, "hanako", back_filled, at(14, 40)),
            (EventKind::Logoff, "hanako", back_filled, at(14, 50)),
            (EventKind::Logoff, "hanako", Evidence::Inferred, at(10, 0)),
        ]
    );
}

#[test]
fn a_stay_seen_live_that_is_over_when_the_log_has_been_read_is_told_once() {
    let now = moment(at(15, 0), BOOTED);
    let mut run = Run::new(stopped_at_ten(), "b1", now);
    let jiro = session("4", "jiro", at(15, 0).plus(-1_000));
    let (session_id, change) = ("4".to_owned(), SessionChange::Began);
    let notice = OsFact::SessionNotice { session_id, change, session: Some(Box::new(jiro)) };
    run.agent.handle(Input::Os(notice), now);
    let log = reading(vec![of_session(at(15, 0), 1_004, EventKind::Logon, "4", "jiro")]);
    let run = run.with(Some(log), vec![session("2", "hanako", at(8, 50))]);
    let told: Vec<_> = run.punches().into_iter().map(|(kind, name, ..)| (kind, name)).collect();
    assert_eq!(told, [(EventKind::Logon, "jiro"), (EventKind::Logoff, "jiro")]);
}

#[test]
fn who_is_found_without_a_word_of_a_lock_is_not_locked() {
    let lock = |minute, record_id, kind| of_session(at(14, minute), record_id, kind, "4", "jiro");
    let unlocked = vec![lock(50, 500, EventKind::Lock), lock(55, 501, EventKind::Unlock)];
    for told in [vec![], unlocked] {
        let bare = OsSession { logon_at: None, locked: None, ..session("4", "jiro", at(14, 0)) };
        let mut facts = vec![of_session(at(14, 0), 1_004, EventKind::Logon, "4", "jiro")];
        facts.extend(told);
        let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED))
            .with(Some(reading(facts)), vec![bare]);
        assert!(run.agent.stays().iter().all(|stay| !stay.locked), "the next lock would not be recorded");
    }
}
