//! Remote desktops.

use mngntime_agent_core::input::{OsSession, SessionChange};
use mngntime_model::EventKind;

use crate::world::Pc;

fn from_afar(session: &mut OsSession) {
    (session.remote, session.client) = (Some(true), Some("LAPTOP".to_owned()));
}

/// 花子's own PC in the office, used from home.
fn from_home() -> Pc {
    let mut pc = Pc::on();
    let mut session = pc.at(1, "08:58").session("hanako");
    from_afar(&mut session);
    // The remote desktop first shows a logon screen of nobody.
    pc.notice("1", SessionChange::Connected, None).begins(session);
    pc
}

#[test]
fn row_18_remote_logon() {
    let mut pc = from_home();
    assert_eq!(pc.told(), ["1 08:58:00 logon hanako from LAPTOP"]);
}

#[test]
fn row_19_disconnected_and_taken_up_next_morning() {
    let mut pc = from_home();
    pc.at(1, "18:00").changes("hanako", SessionChange::Disconnected, |session| session.remote = Some(false));
    pc.locks("hanako");
    pc.at(2, "08:55").changes("hanako", SessionChange::Connected, |session| {
        (session.remote, session.client) = (Some(true), Some("TABLET".to_owned()));
    });
    pc.unlocks("hanako");
    assert_eq!(
        pc.told(),
        [
            "1 08:58:00 logon hanako from LAPTOP",
            "1 18:00:00 disconnect hanako from LAPTOP",
            "1 18:00:00 lock hanako from LAPTOP",
            "2 08:55:00 connect hanako from TABLET",
            "2 08:55:00 unlock hanako from TABLET",
        ],
        "no second logon"
    );
}

#[test]
fn row_20_remote_desktop_takes_over_the_console() {
    let mut pc = Pc::with_hanako();
    pc.at(1, "19:00").changes("hanako", SessionChange::Disconnected, |_| {});
    pc.changes("hanako", SessionChange::Connected, from_afar);
    pc.at(1, "20:00").changes("hanako", SessionChange::Disconnected, |_| {});
    pc.at(2, "08:50").changes("hanako", SessionChange::Connected, |session| {
        (session.remote, session.client) = (Some(false), None);
    });
    assert_eq!(
        pc.told(),
        [
            "1 19:00:00 disconnect hanako",
            "1 19:00:00 connect hanako from LAPTOP",
            "1 20:00:00 disconnect hanako from LAPTOP",
            "2 08:50:00 connect hanako",
        ]
    );
    assert_eq!(pc.there().len(), 1);
    assert_eq!(pc.punches("hanako").len(), 1);
}

#[test]
fn row_21_remote_app_left_for_days() {
    let mut pc = from_home();
    pc.at(1, "18:00:20").changes("hanako", SessionChange::Disconnected, |_| {});
    pc.at(5, "09:00");
    assert_eq!(
        pc.told(),
        ["1 08:58:00 logon hanako from LAPTOP", "1 18:00:20 disconnect hanako from LAPTOP"],
        "the agent ends nothing that Windows does not end"
    );
}

#[test]
fn row_22_session_host_with_thirty_people() {
    let mut pc = Pc::on();
    for number in 0..30 {
        let mut session = pc.at(1, &format!("08:{}", 51 + number / 4)).session(&format!("user{number}"));
        from_afar(&mut session);
        pc.begins(session);
    }
    assert_eq!(pc.there().len(), 30);
    for number in 0..30 {
        pc.at(1, "18:00").logs_off(&format!("user{number}"));
        assert_eq!(pc.punches(&format!("user{number}")).len(), 2);
    }
    assert_eq!((pc.count(EventKind::Logon), pc.count(EventKind::Logoff)), (30, 30));
    pc.at(1, "18:10").everything_is_delivered_once();
}
