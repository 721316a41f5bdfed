//! Logons and logoffs at the PC itself.

use mngntime_agent_core::Command;
use mngntime_agent_core::input::{OsSession, SessionChange};
use mngntime_model::{AccountIdentity, EventKind};

use crate::world::{Pc, Server, account};

#[test]
fn row_01_normal_logon_online() {
    let mut pc = Pc::on();
    pc.at(1, "08:58").logs_on("hanako");
    assert_eq!(pc.told(), ["1 08:58:00 logon hanako"]);
    let logon = pc.journal.last().unwrap().clone();
    assert_eq!(logon.account, Some(account("hanako")));
    assert_eq!(logon.session.unwrap().logon_identity, "luid:0x1");
    // Pc::send fails the test for an event that is sent before it is on disk.
    pc.at(1, "08:58:20").everything_is_delivered_once();
    assert_eq!(pc.notices_with("LOGON[EXAMPLE\\hanako]:打刻完了"), 1);
}

#[test]
fn row_02_normal_sign_out() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:04").logs_off("hanako");
    // Windows then shows a new logon screen: a session of nobody.
    pc.notice("1", SessionChange::Disconnected, None).notice("2", SessionChange::Connected, None);
    pc.at(1, "18:10");
    assert_eq!(pc.told(), ["1 18:04:00 logoff hanako"]);
    assert_eq!(pc.there(), []);
}

#[test]
fn row_03_shut_down_online() {
    for server in [Server::Well, Server::Unreachable] {
        let mut pc = Pc::with_hanako();
        pc.server = server;
        pc.at(1, "18:04").logs_off("hanako");
        let batches = pc.batches.len();
        assert!(pc.shuts_down() <= 3_000, "{server:?}");
        assert_eq!(pc.told(), ["1 18:04:00 logoff hanako", "1 18:04:00 shutdown", "1 18:04:00 service_stop"]);
        assert!(pc.batches.len() > batches, "one try is made");
        if server == Server::Well {
            pc.everything_is_delivered_once();
        }
    }
}

#[test]
fn row_06_restart() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "12:00").logs_off("hanako").shuts_down();
    pc.boot(1, "12:02");
    let hanako = pc.session("hanako");
    pc.at(1, "12:03").begins(hanako.clone()).notice_of(&hanako, SessionChange::Began);
    pc.at(1, "12:10");
    assert_eq!(
        pc.told(),
        [
            "1 12:00:00 logoff hanako",
            "1 12:00:00 shutdown",
            "1 12:00:00 service_stop",
            "1 12:02:00 boot found_at_start",
            "1 12:02:20 service_start (in_order)",
            "1 12:02:20 logon hanako",
        ]
    );
    let boots: Vec<_> = pc.journal.iter().map(|event| event.boot.as_str()).collect();
    assert_eq!((boots.first(), boots.last()), (Some(&"b1"), Some(&"b2")));
}

#[test]
fn row_15_forty_locks_and_unlocks_a_day() {
    let mut pc = Pc::with_hanako();
    pc.server = Server::Unreachable;
    for hour in 10..18 {
        for minute in [0, 10, 20, 30, 40] {
            pc.at(1, &format!("{hour}:{minute:02}")).locks("hanako");
            pc.at(1, &format!("{hour}:{:02}", minute + 5)).unlocks("hanako");
        }
    }
    assert_eq!((pc.count(EventKind::Lock), pc.count(EventKind::Unlock)), (40, 40));
    (pc.server, pc.batches) = (Server::Well, vec![]);
    pc.at(1, "18:10").everything_is_delivered_once();
    assert!(pc.batches.len() <= 3, "eighty events are one batch: {:?}", pc.batches);
}

/// All orders of `0..count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let mut all = vec![];
    for order in orders(count - 1) {
        for place in 0..count {
            let mut longer = order.clone();
            longer.insert(place, count - 1);
            all.push(longer);
        }
    }
    all
}

#[test]
fn row_16_two_users_fast_switching() {
    for order in orders(4) {
        let mut pc = Pc::with_hanako();
        pc.at(1, "13:00");
        let hanako = OsSession { locked: Some(true), ..pc.vanishes("hanako") };
        pc.appears(hanako.clone());
        let taro = pc.session("taro");
        pc.appears(taro.clone());
        for step in &order {
            match step {
                0 => pc.notice_of(&hanako, SessionChange::Locked),
                1 => pc.notice_of(&hanako, SessionChange::Disconnected),
                2 => pc.notice("2", SessionChange::Connected, None),
                _ => pc.notice_of(&taro, SessionChange::Began),
            };
        }
        pc.at(1, "13:05");
        assert_eq!(pc.there().len(), 2, "{order:?}");
        assert_eq!(pc.punches("hanako"), ["1 08:58:00 logon hanako"], "{order:?}");
        assert!(
            pc.punches("taro").len() == 1 && pc.punches("taro")[0].starts_with("1 13:00:00"),
            "{order:?}"
        );
        assert_eq!(pc.count(EventKind::Lock), 1, "{order:?}");
        // And back again.
        pc.at(1, "14:00").changes("taro", SessionChange::Disconnected, |_| {}).unlocks("hanako");
        pc.at(1, "18:00").logs_off("hanako").logs_off("taro");
        assert_eq!(pc.punches("hanako")[1], "1 18:00:00 logoff hanako", "{order:?}");
        assert_eq!(pc.punches("taro")[1], "1 18:00:00 logoff taro", "{order:?}");
        assert_eq!(pc.there(), [], "{order:?}");
    }
}

#[test]
fn row_17_session_id_reuse() {
    for order in orders(3) {
        let mut pc = Pc::with_hanako();
        pc.at(1, "13:00").vanishes("hanako");
        let taro = pc.session("taro");
        assert_eq!(taro.session_id, "1", "the number is free and comes again");
        pc.appears(taro.clone());
        for step in &order {
            match step {
                0 => pc.notice("1", SessionChange::Ended, None),
                1 => pc.notice_of(&taro, SessionChange::Began),
                _ => pc.notice_of(&taro, SessionChange::Connected),
            };
        }
        pc.at(1, "13:05");
        assert_eq!(pc.punches("hanako").len(), 2, "{order:?}: {:?}", pc.told());
        assert_eq!(pc.punches("taro").len(), 1, "{order:?}: {:?}", pc.told());
        let there: Vec<_> = pc.there().into_iter().map(|stay| stay.account.name).collect();
        assert_eq!(there, ["taro"], "{order:?}");
    }
}

#[test]
fn row_25_logon_before_the_service_is_ready() {
    let mut pc = Pc::new();
    pc.boot(1, "08:50").service_stops();
    pc.at(1, "08:51");
    let hanako = pc.session("hanako");
    pc.appears(hanako.clone()).at(1, "08:53");
    pc.told();
    pc.start_agent();
    // The notice that was held back comes now.
    pc.notice_of(&hanako, SessionChange::Began);
    // That nobody watched for three minutes is said too.
    assert_eq!(
        pc.told(),
        [
            "1 08:53:00 service_start (in_order)",
            "[1 08:50:20 – 1 08:53:00] gap inferred (agent_absent)",
            "1 08:51:00 logon hanako found_at_start"
        ]
    );
}

#[test]
fn row_28_agent_crash_while_the_user_works() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "11:00").agent_dies();
    pc.at(1, "11:00:05").start_agent();
    assert_eq!(pc.told(), ["1 11:00:05 service_start (after_crash)"], "no second logon");
    pc.at(1, "18:00").logs_off("hanako");
    assert_eq!(pc.told(), ["1 18:00:00 logoff hanako"]);
}

/// Windows signs 花子 on by itself at 03:00 after an update.
fn updated_at_night() -> (Pc, OsSession) {
    let mut pc = Pc::new();
    pc.boot(1, "02:58");
    pc.told();
    let mut session = pc.at(1, "03:00").session("hanako");
    session.input_seen = Some(false);
    (pc, session)
}

#[test]
fn row_31_automatic_sign_on_after_an_update() {
    let (mut pc, session) = updated_at_night();
    pc.begins(session);
    pc.at(1, "03:00:02").locks("hanako");
    pc.at(1, "08:55").unlocks("hanako");
    pc.at(1, "12:00").locks("hanako").at(1, "13:00").unlocks("hanako");
    assert_eq!(
        pc.told(),
        [
            "1 03:00:00 logon hanako",
            "1 03:00:02 lock hanako (unattended_logon)",
            "1 08:55:00 unlock hanako (presence_begins)",
            "1 12:00:00 lock hanako",
            "1 13:00:00 unlock hanako",
        ]
    );
}

#[test]
fn row_31_locked_before_the_logon_is_told() {
    let (mut pc, session) = updated_at_night();
    pc.begins(OsSession { locked: Some(true), ..session });
    pc.at(1, "08:55").unlocks("hanako");
    let presence = ["1 03:00:00 logon hanako (unattended)", "1 08:55:00 unlock hanako (presence_begins)"];
    assert_eq!(pc.told(), presence);
}

#[test]
fn row_31_found_at_start_and_after_a_restart_of_the_agent() {
    let (mut pc, session) = updated_at_night();
    pc.agent_dies().appears(OsSession { locked: Some(true), ..session });
    pc.at(1, "03:05").start_agent();
    pc.agent_dies().at(1, "08:00").start_agent();
    pc.at(1, "08:55").unlocks("hanako");
    let lines = pc.told();
    assert!(lines.contains(&"1 03:00:00 logon hanako found_at_start (unattended)".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "1 08:55:00 unlock hanako (presence_begins)");
}

#[test]
fn row_31_somebody_who_locks_at_once_was_there() {
    let mut pc = Pc::on();
    pc.at(1, "08:58").logs_on("hanako");
    pc.at(1, "08:58:05").locks("hanako").at(1, "09:30").unlocks("hanako");
    let lines = ["1 08:58:00 logon hanako", "1 08:58:05 lock hanako", "1 09:30:00 unlock hanako"];
    assert_eq!(pc.told(), lines);
    // Where Windows does not say whether there was input, nothing is claimed.
    let mut pc = Pc::on();
    let silent = OsSession { input_seen: None, ..pc.session("hanako") };
    pc.begins(silent).at(1, "08:50:25").locks("hanako");
    assert_eq!(pc.told()[1], "1 08:50:25 lock hanako");
}

#[test]
fn row_32_shared_pc_signed_on_for_yesterdays_user() {
    let (mut pc, session) = updated_at_night();
    pc.begins(session);
    pc.at(1, "03:00:02").locks("hanako");
    pc.at(1, "08:50").changes("hanako", SessionChange::Disconnected, |_| {});
    pc.logs_on("taro").at(1, "18:00").logs_off("taro").shuts_down();
    let lines = pc.told();
    assert!(!lines.iter().any(|line| line.contains("presence_begins")), "{lines:?}");
    assert_eq!(pc.punches("taro"), ["1 08:50:00 logon taro", "1 18:00:00 logoff taro"]);
    assert!(lines.contains(&"1 03:00:02 lock hanako (unattended_logon)".to_owned()));
}

#[test]
fn row_33_entra_user_with_a_long_upn() {
    let mut pc = Pc::on();
    let upn = format!("{}@example.co.jp", "hanako.".repeat(12));
    let account = AccountIdentity {
        key: "S-1-12-1-1111111111-2222222222-3333333333-4444444444".into(),
        domain: "AzureAD".into(),
        name: "HanakoYamadaNoMusume".into(),
        upn: Some(upn),
    };
    let session = OsSession { account: account.clone(), ..pc.session("x") };
    pc.at(1, "08:58").begins(session);
    assert_eq!(pc.journal.last().unwrap().account, Some(account));
}

#[test]
fn row_34_user_renamed() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "18:00").logs_off("hanako");
    let married = AccountIdentity { name: "suzuki.hanako".into(), ..account("hanako") };
    let session = OsSession { account: married, ..pc.at(2, "08:58").session("x") };
    pc.begins(session);
    let keys: Vec<_> =
        pc.journal.iter().filter_map(|event| event.account.as_ref()).map(|found| &found.key).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| **key == account("hanako").key), "{keys:?}");
}

#[test]
fn row_71_forced_logoff() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "20:00").logs_off("hanako");
    assert_eq!(pc.told(), ["1 20:00:00 logoff hanako"]);
}

#[test]
fn row_79_screen_saver_without_lock() {
    let mut pc = Pc::with_hanako();
    // Windows says nothing at all; if it ever did, it would be with a reason the agent does not know.
    pc.at(1, "12:00").changes("hanako", SessionChange::Other, |_| {});
    pc.at(1, "13:00");
    assert_eq!(pc.told(), Vec::<String>::new());
}

#[test]
fn row_80_kiosk_account() {
    let mut pc = Pc::on();
    let kiosk = OsSession { input_seen: Some(false), ..pc.session("kiosk") };
    pc.begins(kiosk).at(3, "12:00");
    assert_eq!(pc.told(), ["1 08:50:20 logon kiosk"], "a logon like any other, and never a lock");
    assert!(!pc.other.contains(&Command::Finished));
}
