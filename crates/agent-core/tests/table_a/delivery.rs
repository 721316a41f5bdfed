//! What becomes of a record on its way to the server.

use mngntime_agent_core::Command;
use mngntime_model::{EventKind, PunchResult};

use crate::world::{Pc, Server};

#[test]
fn row_23_disk_is_wiped_at_every_reboot() {
    let mut pc = Pc::with_hanako();
    pc.disk_is_wiped();
    pc.boot(2, "08:50");
    let hanako = pc.session("hanako");
    pc.begins(hanako).at(2, "09:00");
    assert!(pc.other.contains(&Command::Enroll), "a PC without memory introduces itself anew");
    assert_eq!(
        pc.told(),
        [
            "2 08:50:00 boot found_at_start",
            "2 08:50:20 service_start (first_start)",
            "2 08:50:20 logon hanako",
        ],
        "and claims nothing about the days before"
    );
    pc.everything_is_delivered_once();
}

#[test]
fn row_29_killed_between_sync_and_send() {
    let mut pc = Pc::with_hanako();
    pc.server = Server::Unreachable;
    pc.at(1, "12:00").locks("hanako").agent_dies();
    pc.server = Server::Well;
    pc.start_agent().at(1, "12:01").everything_is_delivered_once();
    assert_eq!(pc.count(EventKind::Lock), 1);
}

#[test]
fn row_30_killed_after_the_server_has_stored() {
    let mut pc = Pc::with_hanako();
    pc.server = Server::AnswersLost;
    pc.at(1, "18:00").logs_off("hanako").agent_dies();
    let logoff = pc.journal.last().unwrap().sequence;
    assert_eq!(pc.received[&logoff].len(), 1, "the server has it, the PC does not know");
    pc.server = Server::Well;
    pc.start_agent().at(1, "18:01").everything_is_delivered_once();
    let [(first, _), (again, true)] = &pc.received[&logoff][..] else { panic!("{:?}", pc.received) };
    assert_eq!(first, again, "the same number with the same content: one row");
    assert_eq!(pc.waiting(), 0);
}

#[test]
fn row_35_unregistered_user() {
    let mut pc = Pc::on();
    pc.server = Server::Says(PunchResult::UserUnusable);
    pc.at(1, "08:58").logs_on("hanako");
    pc.at(1, "12:00");
    assert_eq!(pc.waiting(), 0, "the server has it and judges it again when the account is linked");
    assert_eq!(pc.notices_with("[res=7] このユーザーは使えません。"), 1);
    pc.everything_is_delivered_once();
    assert!(pc.received.values().all(|times| times.len() == 1), "no storm of retries");
}

#[test]
fn row_36_wrong_contract_code() {
    let mut pc = Pc::on();
    pc.server = Server::Says(PunchResult::ContractUnusable);
    pc.at(1, "08:58").logs_on("hanako");
    let before = pc.batches.len();
    pc.at(1, "10:00");
    assert!(pc.batches.len() - before <= 12, "slowly: {}", pc.batches.len() - before);
    assert_eq!((pc.waiting(), pc.notices_with("[res=5] この契約主コードは使えません。")), (1, 1));
    pc.server = Server::Well;
    pc.give(mngntime_agent_core::Input::ConfigurationChanged { enrolled: true });
    assert_eq!((pc.waiting(), pc.notices_with("再送")), (0, 1));
}

#[test]
fn row_40_server_busy_for_three_hours() {
    let mut pc = Pc::on();
    pc.server = Server::Busy(60);
    pc.at(1, "08:58").logs_on("hanako");
    pc.at(1, "10:00").locks("hanako").at(1, "10:10").unlocks("hanako");
    pc.at(1, "12:00");
    assert!(pc.batches.len() < 180, "Retry-After is obeyed: {} tries", pc.batches.len());
    assert_eq!(pc.notices_with("HTTPステータスコード:503"), 1, "told once for the punch");
    pc.server = Server::Well;
    pc.at(1, "12:10").everything_is_delivered_once();
    let logon = pc.journal.iter().find(|event| event.kind == EventKind::Logon).unwrap();
    assert_eq!(pc.received[&logon.sequence], [("1 08:58:00 logon hanako".to_owned(), true)]);
}

#[test]
fn row_55_disk_full() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").disk_full = true;
    pc.locks("hanako").at(1, "12:30").unlocks("hanako");
    pc.at(1, "18:00").logs_off("hanako").at(1, "18:05");
    assert_eq!(pc.told(), Vec::<String>::new(), "nothing is promised that is not on disk");
    assert_eq!(pc.notices_with("保存できません"), 1);
    pc.disk_full = false;
    pc.at(1, "18:10");
    let lines = ["1 12:00:00 lock hanako", "1 12:30:00 unlock hanako", "1 18:00:00 logoff hanako"];
    assert_eq!(pc.told(), lines);
    pc.everything_is_delivered_once();
}

#[test]
fn row_63_offline_for_45_days_with_3000_events() {
    let mut pc = Pc::with_hanako();
    pc.server = Server::Unreachable;
    for day in 1..46 {
        for minute in 0..33 {
            pc.at(day, &format!("10:{minute:02}")).locks("hanako");
            pc.at(day, &format!("10:{minute:02}:30")).unlocks("hanako");
        }
        pc.suspends().asleep_until(day + 1, "09:59").resumes(false);
    }
    assert!(pc.waiting() > 2_900, "{}", pc.waiting());
    (pc.server, pc.batches) = (Server::Well, vec![]);
    pc.at(46, "12:00").everything_is_delivered_once();
    let full: Vec<_> = pc.batches.into_iter().filter(|batch| !batch.is_empty()).collect();
    assert!(full.iter().all(|batch| batch.len() <= 100));
    assert!(full.concat().is_sorted(), "oldest first");
}

#[test]
fn row_65_server_stores_and_the_connection_breaks_each_time() {
    let mut pc = Pc::on();
    pc.server = Server::AnswersLost;
    pc.at(1, "08:58").logs_on("hanako");
    pc.at(1, "10:00");
    pc.server = Server::Well;
    pc.at(1, "10:10").everything_is_delivered_once();
    for (sequence, times) in &pc.received {
        assert!(times.iter().all(|(line, _)| *line == times[0].0), "{sequence}: always the same content");
    }
    assert_eq!((pc.waiting(), pc.notices_with("打刻完了")), (0, 1));
}
