//! Table A 26, 78: when the PC ran without the agent, and when that is worth a declaration.

use super::*;

fn next_morning_after(recovered: Recovered, facts: Vec<LogFact>) -> Run {
    let now = moment(NEXT_BOOT.plus(40_000), NEXT_BOOT);
    Run::new(recovered, "b2", now).with(Some(reading(facts)), vec![])
}

fn went_down(at: UtcMillis) -> Vec<LogFact> {
    vec![of_pc(at, 8_999, LogEvent::WentDown), start_of_the_next_boot()]
}

#[test]
fn stopped_by_hand_the_absence_lasts_until_the_pc_went_down() {
    let run = next_morning_after(stopped_at_ten(), went_down(at(18, 7)));
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(10, 0), at(18, 7)))]);
    let run = next_morning_after(stopped_at_ten(), went_down(at(10, 0).plus(10_000)));
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(10, 0), at(10, 0).plus(10_000)))]);
    let run = next_morning_after(stopped_at_ten(), went_down(at(10, 0).plus(9_999)));
    assert_eq!(run.gaps(), [], "the PC was going down");
}

#[test]
fn a_shutdown_that_was_called_off_long_before_explains_no_stop() {
    let mut recovered = stopped_at_ten();
    let like = recovered.recent[0].clone();
    let event = |kind, occurred_at| Event { kind, evidence: Evidence::Notice, occurred_at, ..like.clone() };
    let stop = recovered.recent.pop().unwrap();
    let (called_off, resumed) = (event(EventKind::Shutdown, at(9, 45)), event(EventKind::Resume, at(9, 50)));
    recovered.recent.extend([called_off, resumed, stop]);
    let run = next_morning_after(recovered, went_down(at(18, 7)));
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(10, 0), at(18, 7)))]);
}

#[test]
fn killed_with_somebody_there_the_pc_went_on_for_longer_than_a_start_takes() {
    let run = next_morning_after(heartbeat_at_18_04(), went_down(at(18, 30)));
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(18, 4), at(18, 30)))]);
    assert_eq!(next_morning_after(heartbeat_at_18_04(), went_down(at(18, 9))).gaps(), []);
    let nobody = Recovered { stays: crate::Stays::default(), ..heartbeat_at_18_04() };
    let run = next_morning_after(nobody, went_down(at(18, 30)));
    assert_eq!(run.gaps(), [], "without anybody no sign of life was due, and the log tells who came");
}

#[test]
fn two_minutes_in_another_run_of_the_os_are_declared() {
    let safe_mode = NEXT_BOOT.plus(-2 * MINUTE);
    let run = next_morning_after(
        heartbeat_at_18_04(),
        vec![
            of_pc(at(18, 7), 8_990, LogEvent::WentDown),
            of_pc(safe_mode, 8_995, LogEvent::Booted),
            of_pc(NEXT_BOOT.plus(-MINUTE), 8_999, LogEvent::WentDown),
            start_of_the_next_boot(),
        ],
    );
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(safe_mode, NEXT_BOOT.plus(-300)))]);
}

#[test]
fn that_records_are_missing_does_not_explain_an_absence() {
    let before = stopped_at_ten();
    let (channel, why) = (LogChannel::LocalSessionManager, LogGapReason::Wrapped);
    let gap = LogGap { channel, from: at(9, 55), to: at(14, 30), why };
    let log = LogReading { gaps: vec![gap], ..reading(vec![]) };
    let hanako = || vec![session("2", "hanako", at(8, 50))];
    let start = moment(at(15, 0), BOOTED);
    let whole = Run::new(before.clone(), "b1", start).with(Some(log.clone()), hanako());
    assert_eq!(whole.gaps().len(), 2);
    // The power goes after any record, the one about the log among them.
    for taken in 0..=whole.stored.len() {
        let mut first = Run::new(before.clone(), "b1", start);
        first.disk_takes = taken;
        let first = first.with(Some(log.clone()), hanako());
        let between = Recovered { enrolled: true, ..first.journal(&before) };
        let second = Run::new(between, "b1", moment(at(15, 1), BOOTED)).with(Some(log.clone()), hanako());
        let gaps: Vec<_> = first.gaps().into_iter().chain(second.gaps()).collect();
        let absences: Vec<_> = gaps.iter().filter(|(cause, _)| *cause == "agent_absent").collect();
        assert_eq!(absences.len(), 1, "after {taken} records: {gaps:?}");
        assert_eq!(absences[0].1.not_before, at(10, 0), "after {taken} records");
    }
}

#[test]
fn a_start_of_the_pc_takes_five_minutes_at_most() {
    let from_boot_to_service = |ms: i64| {
        let now = moment(NEXT_BOOT.plus(ms), NEXT_BOOT);
        Run::new(heartbeat_at_18_04(), "b2", now).with(None, vec![]).gaps().len()
    };
    assert_eq!((from_boot_to_service(300_000), from_boot_to_service(300_001)), (0, 1));
    // With nobody logged on and no log, nothing else tells how long the PC had still run.
    let from_sign_to_boot = |ms: i64| {
        let nobody = Recovered { stays: crate::Stays::default(), ..heartbeat_at_18_04() };
        let boot = at(18, 4).plus(ms);
        Run::new(nobody, "b2", moment(boot.plus(40_000), boot)).with(None, vec![]).gaps().len()
    };
    assert_eq!((from_sign_to_boot(300_000), from_sign_to_boot(300_001)), (0, 1));
}
