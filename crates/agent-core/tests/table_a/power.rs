//! Sleep, shutdown by Fast Startup, power loss.

use mngntime_agent_core::Command;
use mngntime_agent_core::input::{OsFact, PowerOn};
use mngntime_model::EventKind;

use crate::world::{Pc, Server};

#[test]
fn row_04_fast_startup_shutdown_while_offline() {
    let mut pc = Pc::with_hanako();
    pc.server = Server::Unreachable;
    pc.at(1, "18:04").logs_off("hanako");
    pc.at(1, "18:04:03").suspends();
    assert!(pc.other.contains(&Command::ReleaseSleep), "the records are safe");
    pc.asleep_until(2, "08:50").resumes(false);
    let at = pc.wall();
    pc.fact(OsFact::PoweredOn { how: PowerOn::FastStartup, at });
    assert_eq!(
        pc.told(),
        [
            "1 18:04:00 logoff hanako",
            "1 18:04:03 suspend (presumed_fast_startup)",
            "2 08:50:00 resume (presumed_fast_startup)",
            "2 08:50:00 boot back_filled (fast_startup)",
        ]
    );
    pc.server = Server::Well;
    pc.at(2, "08:56").everything_is_delivered_once();
    let logoff = pc.journal.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(pc.received[&logoff.sequence], [("1 18:04:00 logoff hanako".to_owned(), true)]);
}

#[test]
fn row_04_a_sleep_is_not_taken_for_a_shutdown() {
    // Somebody is logged on.
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:04").suspends().asleep_until(2, "08:50").resumes(false);
    assert_eq!(pc.told(), ["1 18:04:00 suspend (sleep)", "2 08:50:00 resume (sleep)"]);
    // The PC is not set to it.
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:04").logs_off("hanako").fact(OsFact::FastStartup { enabled: false }).suspends();
    assert_eq!(pc.told()[1], "1 18:04:00 suspend (sleep)");
    // It fell asleep at the logon screen long after: nobody can say.
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:04").logs_off("hanako").at(1, "18:30").suspends();
    assert_eq!(pc.told()[1], "1 18:30:00 suspend");
    // It was presumed, and the log knows better; what it says of other times is nothing new.
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:04").logs_off("hanako").suspends().asleep_until(2, "08:50").resumes(false);
    pc.told();
    let at = pc.wall();
    pc.fact(OsFact::PoweredOn { how: PowerOn::FastStartup, at: at.plus(-86_400_000) });
    pc.fact(OsFact::PoweredOn { how: PowerOn::Hibernation, at });
    pc.fact(OsFact::PoweredOn { how: PowerOn::Hibernation, at });
    assert_eq!(pc.told(), ["2 08:50:00 resume back_filled (hibernation)"]);
}

#[test]
fn row_05_fast_startup_within_two_seconds() {
    let commands = 12;
    let mut recorded_live = 0;
    for cut in 0..=commands {
        let mut pc = Pc::with_hanako();
        pc.at(1, "18:04");
        // The PC is dark after so many steps, and the battery runs out over night.
        pc.budget = Some(cut);
        pc.logs_off("hanako").suspends();
        pc.power_cut().boot(2, "08:50").at(2, "08:51");
        let logoffs: Vec<_> =
            pc.punches("hanako").into_iter().filter(|line| line.contains("logoff")).collect();
        assert_eq!(logoffs.len(), 1, "after {cut} steps: {logoffs:?}");
        recorded_live += usize::from(logoffs[0] == "1 18:04:00 logoff hanako");
        pc.everything_is_delivered_once();
    }
    assert_eq!(recorded_live, commands, "the very first step is the record");
}

/// The PC goes dark at 18:05:10 and comes back the next morning.
fn dark_at_1805() -> Pc {
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:05:10").power_cut().boot(2, "08:50");
    pc
}

#[test]
fn row_07_battery_dies() {
    let mut pc = dark_at_1805();
    assert_eq!(
        pc.told(),
        [
            "2 08:50:00 boot found_at_start",
            "2 08:50:20 service_start (after_power_loss)",
            "[1 18:05:00 – 2 08:50:00] logoff hanako inferred (power_loss)",
        ]
    );
    assert_eq!(pc.there(), []);
}

#[test]
fn row_09_system_crash() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "10:00:10").power_cut().boot(1, "10:01:30");
    let hanako = pc.session("hanako");
    pc.at(1, "10:03").begins(hanako);
    // That it was a crash and no power loss stands in Windows' log only (back-fill).
    assert_eq!(
        pc.told(),
        [
            "1 10:01:30 boot found_at_start",
            "1 10:01:50 service_start (after_power_loss)",
            "[1 10:00:00 – 1 10:01:30] logoff hanako inferred (power_loss)",
            "1 10:01:50 logon hanako",
        ]
    );
}

#[test]
fn row_10_power_button_held() {
    let mut pc = dark_at_1805();
    assert_eq!(pc.told()[2], "[1 18:05:00 – 2 08:50:00] logoff hanako inferred (power_loss)");
}

#[test]
fn row_08_critical_battery_hibernate() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:00:10").asleep_until(2, "08:50:00").resumes(false);
    pc.at(2, "08:51").unlocks("hanako");
    assert_eq!(
        pc.told(),
        ["[1 18:00:00 – 1 18:00:10] suspend inferred", "2 08:50:00 resume"],
        "the counters show what nobody announced"
    );
    assert_eq!(pc.there().len(), 1, "the stay goes on");
}

#[test]
fn row_11_sleep_at_lunch() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").locks("hanako").suspends();
    pc.asleep_until(1, "12:55").resumes(false).resumes(true);
    pc.at(1, "12:55:10").unlocks("hanako");
    assert_eq!(
        pc.told(),
        [
            "1 12:00:00 lock hanako",
            "1 12:00:00 suspend (sleep)",
            "1 12:55:00 resume (sleep)",
            "1 12:55:00 resume (user_present)",
            "1 12:55:10 unlock hanako",
        ]
    );
    assert_eq!(pc.there().len(), 1);
}

#[test]
fn row_12_woken_for_an_update_at_night() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "17:00").locks("hanako").suspends();
    pc.asleep_until(1, "22:00").resumes(false);
    pc.at(1, "22:20").suspends().asleep_until(2, "08:50");
    assert_eq!(
        pc.told(),
        [
            "1 17:00:00 lock hanako",
            "1 17:00:00 suspend (sleep)",
            "1 22:00:00 resume (sleep)",
            "1 22:20:00 suspend (sleep)",
        ],
        "nothing that says a person was there"
    );
}

#[test]
fn row_13_modern_standby() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").fact(OsFact::Display { on: true });
    pc.fact(OsFact::Display { on: false }).fact(OsFact::Display { on: false });
    // Timers come hours late.
    pc.stalled_until(1, "15:00").give(mngntime_agent_core::Input::Tick);
    pc.at(1, "15:30").fact(OsFact::Display { on: true });
    assert_eq!(pc.told(), ["1 12:00:00 display_off", "1 15:30:00 display_on"]);
    assert_eq!(pc.there().len(), 1, "no logoff is made up");
    // Where the counters do show the sleep, it is told with its reason.
    pc.at(1, "16:00").fact(OsFact::Display { on: false });
    pc.asleep_until(1, "17:00").give(mngntime_agent_core::Input::Tick);
    let lines = pc.told();
    assert!(lines[1].ends_with("suspend inferred (display_off)"), "{lines:?}");
    // And the battery that runs out in the bag ends the stay after the last that is known.
    pc.stalled_until(1, "20:00").power_cut().boot(2, "08:50");
    assert_eq!(pc.told()[2], "[1 17:00:00 – 2 08:50:00] logoff hanako inferred (power_loss)");
}

#[test]
fn row_14_hibernated_over_the_weekend() {
    let mut pc = Pc::with_hanako();
    let before = pc.there();
    pc.at(1, "18:00").locks("hanako").suspends();
    pc.asleep_until(4, "08:50").resumes(false).resumes(true);
    pc.at(4, "08:51").unlocks("hanako");
    assert_eq!(pc.there(), before, "the same stay");
    assert_eq!(pc.told().len(), 5);
    assert_eq!(pc.punches("hanako").len(), 1);
}

#[test]
fn row_72_stolen_with_unsent_records() {
    let mut pc = Pc::with_hanako();
    pc.server = Server::Unreachable;
    pc.at(1, "18:00").logs_off("hanako");
    let kept = pc.journal.len() as u64 - pc.received.len() as u64;
    assert_eq!(pc.waiting(), kept, "all the server can know is that it has heard nothing since 09:10");
    assert!(kept > 0 && !pc.received.values().flatten().any(|(line, _)| line.contains("logoff")));
}
