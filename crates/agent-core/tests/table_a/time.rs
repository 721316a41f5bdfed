//! Clocks.

use mngntime_model::EventKind;

use crate::world::Pc;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[test]
fn row_48_clock_set_back_an_hour() {
    for told in [true, false] {
        let mut pc = Pc::with_hanako();
        pc.at(1, "12:00").clock_is_set_by(-HOUR_MS, told);
        pc.at(1, "12:00:30").vanishes("hanako");
        pc.at(1, "12:02");
        let lines = pc.told();
        let how = if told { "" } else { " reconciled" };
        assert_eq!(lines[0], format!("1 11:00:00 time_change{how} (by_ms:-3600000)"));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].starts_with("[1 11:00"), "bounds by the new clock on both sides: {}", lines[1]);
        let numbers: Vec<_> = pc.journal.iter().map(|event| event.sequence).collect();
        assert!(numbers.is_sorted(), "the order is that of the numbers");
        let counted: Vec<_> = pc.journal.iter().map(|event| event.recorded_at.biased_ms).collect();
        assert!(counted.is_sorted(), "a counter that nobody sets goes along");
    }
}

#[test]
fn row_48_seen_first_and_told_later_is_one_step() {
    let mut pc = Pc::with_hanako();
    let from = pc.at(1, "12:00").wall();
    pc.clock_is_set_by(-HOUR_MS, false);
    let to = pc.at(1, "12:00:01").wall();
    pc.fact(mngntime_agent_core::input::OsFact::ClockSet { from, to });
    assert_eq!(pc.count(EventKind::TimeChange), 1);
}

#[test]
fn row_49_clock_set_forward_for_a_punch_and_back() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "17:00").clock_is_set_by(2 * HOUR_MS, true);
    pc.logs_off("hanako").at(1, "17:01").clock_is_set_by(-2 * HOUR_MS, true);
    assert_eq!(
        pc.told(),
        [
            "1 19:00:00 time_change (by_ms:7200000)",
            "1 19:00:00 logoff hanako",
            "1 17:01:00 time_change (by_ms:-7200000)",
        ]
    );
    let logoff = pc.journal.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    let logon = pc.journal.iter().find(|event| event.kind == EventKind::Logon).unwrap();
    let worked = logoff.recorded_at.biased_ms - logon.recorded_at.biased_ms;
    assert_eq!(worked, 8 * 3_600_000 + 120_000, "08:58 to 17:00 by the counter");
}

#[test]
fn row_50_clock_jumps_55_days() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").clock_is_set_by(55 * DAY_MS, false);
    pc.at(1, "12:30").clock_is_set_by(-55 * DAY_MS, true);
    assert_eq!(
        pc.told(),
        [
            "56 12:00:00 time_change reconciled (by_ms:4752000000)",
            "1 12:30:00 time_change (by_ms:-4752000000)",
        ]
    );
    assert_eq!(pc.there().len(), 1);
}

/// Years back: 2009-01-01, when a clock battery is dead.
const DEAD_BATTERY_MS: i64 = -6_000 * DAY_MS;

#[test]
fn row_51_clock_battery_dead() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:05:10").power_cut();
    pc.clock_error_ms = DEAD_BATTERY_MS;
    pc.boot(2, "08:50");
    let taro = pc.session("taro");
    pc.at(2, "08:51").begins(taro);
    let lines = pc.told();
    let behind = 6_000 * DAY_MS - (14 * HOUR_MS + 45 * 60_000 + 20_000);
    assert!(lines[0].ends_with(&format!("time_change inferred (behind_last_seen_ms:{behind})")), "{lines:?}");
    assert!(
        lines.iter().all(|line| !line.contains("hanako")),
        "no conclusion by a clock in doubt: {lines:?}"
    );
    assert!(lines.last().unwrap().starts_with("-5998 ") && lines.last().unwrap().ends_with("logon taro"));
    // The time service puts it right.
    pc.at(2, "08:52").clock_is_set_by(-DEAD_BATTERY_MS, true);
    assert_eq!(
        pc.told(),
        [
            "2 08:52:00 time_change (by_ms:518400000000)",
            "[1 18:05:00 – 2 08:50:00] logoff hanako inferred (power_loss)",
        ]
    );
    let names: Vec<_> = pc.there().into_iter().map(|stay| stay.account.name).collect();
    assert_eq!(names, ["taro"]);
}

#[test]
fn row_51_and_nobody_puts_it_right() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:05:10").power_cut();
    pc.clock_error_ms = DEAD_BATTERY_MS;
    pc.boot(2, "08:50").at(2, "09:30");
    let lines = pc.told();
    let logoff = lines.last().unwrap();
    assert!(logoff.contains("– 1 18:06:00] logoff hanako inferred (clock_unreliable)"), "{lines:?}");
    assert_eq!(pc.there(), []);
}

#[test]
fn row_51_clock_set_while_the_agent_was_away() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "11:00").service_stops();
    pc.at(1, "11:05").clock_error_ms = -HOUR_MS;
    pc.told();
    pc.start_agent();
    assert_eq!(pc.told()[0], "1 10:05:00 time_change inferred (by_ms:-3600000)");
}

#[test]
fn row_52_time_zone_changes() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").offset_seconds = -18_000;
    pc.at(1, "18:00").logs_off("hanako");
    assert_eq!(pc.told(), ["1 18:00:00 logoff hanako"], "UTC goes on as it was");
    let offsets: Vec<_> =
        pc.journal.iter().filter(|e| e.kind.is_punch()).map(|e| e.recorded_at.offset_seconds).collect();
    assert_eq!(offsets, [32_400, -18_000]);
}

#[test]
fn row_53_midnight_passes() {
    let mut pc = Pc::with_hanako();
    pc.at(2, "02:00");
    assert_eq!(pc.told(), Vec::<String>::new());
    pc.logs_off("hanako");
    assert_eq!(pc.punches("hanako"), ["1 08:58:00 logon hanako", "2 02:00:00 logoff hanako"]);
}

#[test]
fn row_54_leap_second() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").clock_is_set_by(-1_000, false).clock_is_set_by(1_000, true);
    pc.at(1, "12:10");
    assert_eq!(pc.told(), Vec::<String>::new());
}
