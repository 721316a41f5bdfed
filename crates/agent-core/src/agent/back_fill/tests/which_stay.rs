//! Which stay, which run of the OS and which announcement a record of the log is about.

use super::*;

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
