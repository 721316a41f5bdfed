//! Records of several channels about the same morning.

use super::*;
use mngntime_agent_core::log::LogChannel;

const SID: &str = "S-1-5-21-1111111111-2222222222-3333333333-1001";

macro_rules! records {
    ($($name:literal),* $(,)?) => {
        [$(LogRecord::parse(include_str!(concat!("../fixtures/", $name, ".xml"))).unwrap()),*]
    };
}

fn nobody_known() -> Accounts<'static> {
    Accounts { names_of_sid: &|_| None, sid_of_names: &|_, _| None, in_time: &|| true }
}

fn sessions(facts: &[LogFact]) -> Vec<(LogSource, u64, LogSession)> {
    facts
        .iter()
        .filter_map(|fact| {
            let LogEvent::Session(session) = &fact.what else { return None };
            Some((fact.source, fact.record_id, (**session).clone()))
        })
        .collect()
}

fn told(facts: &[LogFact]) -> Vec<(LogSource, u64, EventKind)> {
    sessions(facts).into_iter().map(|(source, record, session)| (source, record, session.kind)).collect()
}

#[test]
fn three_records_of_one_logon_are_one_fact_with_the_best_of_each() {
    let records = records![
        "security-4624-elevated-windows-11",
        "security-4624-type2-windows-11",
        "lsm-21-windows-11",
        "lsm-22-windows-11",
        "winlogon-7001-windows-11",
    ];
    let facts = merge(&records, true, &nobody_known());
    let [(LogSource::LocalSessionManager, 1201, logon)] = &sessions(&facts)[..] else {
        panic!("{facts:?}");
    };
    assert_eq!(logon.account.key, SID, "from Winlogon");
    assert_eq!(logon.account.to_string(), "EXAMPLE\\hanako", "from LocalSessionManager");
    assert_eq!(logon.logon_identity.as_deref(), Some("luid:0x1a2b3"), "the one that is not elevated");
    assert_eq!((logon.session_id.as_deref(), logon.remote), (Some("2"), Some(false)));
    assert_eq!(facts[0].cause(), "log:LSM:1201");
}

#[test]
fn a_logoff_with_the_disconnection_after_it_and_the_late_4634_is_one_fact() {
    let records = records![
        "winlogon-7002-windows-11",
        "security-4647-windows-11",
        "lsm-40-windows-10",
        "lsm-23-windows-11",
        "lsm-24-windows-11",
        "security-4634-windows-11",
    ];
    let facts = merge(&records, true, &nobody_known());
    assert_eq!(told(&facts), [(LogSource::LocalSessionManager, 1210, EventKind::Logoff)]);
    assert_eq!(facts[0].cause(), "log:LSM:1210;reason=11", "40 says why");
}

#[test]
fn without_local_session_manager_winlogon_is_believed_and_then_security() {
    let records = records!["security-4624-type2-windows-11", "winlogon-7001-windows-11"];
    let facts = merge(&records, false, &nobody_known());
    assert_eq!(told(&facts), [(LogSource::Winlogon, 9300, EventKind::Logon)]);
    assert_eq!(sessions(&facts)[0].2.account.to_string(), "EXAMPLE\\hanako", "named by the Security record");

    let facts = merge(&records!["security-4624-type2-windows-11"], false, &nobody_known());
    assert_eq!(told(&facts), [(LogSource::Security, 12562, EventKind::Logon)]);
    let facts = merge(&records!["security-4624-type2-windows-11"], true, &nobody_known());
    assert_eq!(told(&facts), [], "no session was opened by it");
}

#[test]
fn locks_come_from_security_alone_and_carry_the_session() {
    let facts =
        merge(&records!["security-4800-windows-10", "security-4801-windows-10"], true, &nobody_known());
    let kinds: Vec<_> = told(&facts).into_iter().map(|(_, _, kind)| kind).collect();
    assert_eq!(kinds, [EventKind::Lock, EventKind::Unlock]);
}

#[test]
fn a_reconnection_told_by_two_logs_is_one_and_names_the_client() {
    let records =
        records!["lsm-25-rdp-server-2019", "security-4778-server-2016", "security-4779-server-2016"];
    let facts = merge(&records, true, &nobody_known());
    let expected = [
        (LogSource::Security, 1_829_816, EventKind::Disconnect),
        (LogSource::LocalSessionManager, 95, EventKind::Connect),
    ];
    assert_eq!(told(&facts), expected);
    let connect = &sessions(&facts)[1].2;
    assert_eq!((connect.remote, connect.client.as_deref()), (Some(true), Some("192.0.2.10")));
}

#[test]
fn an_account_that_no_other_record_names_is_looked_up_once() {
    let asked = std::cell::RefCell::new(Vec::new());
    let accounts = Accounts {
        names_of_sid: &|sid| {
            asked.borrow_mut().push(sid.to_owned());
            Some(("EXAMPLE".into(), "hanako".into()))
        },
        sid_of_names: &|_, _| None,
        in_time: &|| true,
    };
    let records = records!["winlogon-7001-windows-11", "winlogon-7002-windows-11"];
    let facts = merge(&records, true, &accounts);
    assert!(sessions(&facts).iter().all(|(_, _, session)| session.account.name == "hanako"));
    assert_eq!(*asked.borrow(), [SID]);

    let facts = merge(&records, true, &nobody_known());
    assert!(
        sessions(&facts).iter().all(|(_, _, session)| session.account.name == SID),
        "never without a name"
    );
    let facts = merge(&records!["lsm-21-windows-11"], true, &nobody_known());
    assert_eq!(sessions(&facts)[0].2.account.key, "name:EXAMPLE\\hanako");
}

/// The agent waits for the reading: a domain controller that does not answer must not hold it up.
#[test]
fn when_the_time_is_over_nobody_is_asked_and_the_records_names_stand() {
    let (clock, asked) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let ask = || {
        asked.set(asked.get() + 1);
        clock.set(clock.get() + 3_000);
    };
    let accounts = Accounts {
        names_of_sid: &|_| {
            ask();
            None
        },
        sid_of_names: &|_, _| {
            ask();
            None
        },
        in_time: &|| clock.get() < 1_000,
    };
    let of_one = |id: u32| {
        let mut by_sid = records!["winlogon-7001-windows-11"][0].clone();
        let mut by_names = records!["lsm-21-windows-11"][0].clone();
        for (record, after_s) in [(&mut by_sid, 0), (&mut by_names, 60)] {
            record.written_at = record.written_at.plus(i64::from(id) * 600_000 + after_s * 1_000);
            if let Some(RecordedFact::Session(session)) = &mut record.fact {
                session.sid = session.sid.as_ref().map(|sid| format!("{sid}{id}"));
                session.name = session.name.as_ref().map(|name| format!("{name}{id}"));
            }
        }
        [by_sid, by_names]
    };
    let records: Vec<LogRecord> = (1..=5).flat_map(of_one).collect();
    let facts = sessions(&merge(&records, true, &accounts));
    assert_eq!(asked.get(), 1, "the one that took all the time");
    let accounts: Vec<_> = facts.iter().map(|(_, _, session)| &session.account).collect();
    assert_eq!(accounts.len(), 10);
    for account in accounts {
        let of_sid = account.key == account.name && account.key.starts_with(SID);
        assert!(of_sid || account.key == format!("name:EXAMPLE\\{}", account.name), "{account:?}");
        assert!(account.is_well_formed());
    }
}

#[test]
fn a_sid_that_nobody_knows_is_asked_for_once() {
    let asked = std::cell::Cell::new(0);
    let names_of_sid = |_: &str| {
        asked.set(asked.get() + 1);
        None
    };
    let accounts = Accounts { names_of_sid: &names_of_sid, ..nobody_known() };
    let records = records!["winlogon-7001-windows-11", "winlogon-7002-windows-11"];
    assert_eq!(sessions(&merge(&records, true, &accounts)).len(), 2);
    assert_eq!(asked.get(), 1);
}

/// Two people of one name (a PC account and a domain account renamed) are not thrown together.
#[test]
fn names_with_two_sids_are_not_guessed() {
    let mut records = records!["security-4800-windows-10", "security-4801-windows-10", "lsm-21-windows-11"];
    if let Some(RecordedFact::Session(session)) = &mut records[1].fact {
        session.sid = Some("S-1-5-21-9-9-9-1002".into());
    }
    let facts = merge(&records, true, &nobody_known());
    let logon =
        sessions(&facts).into_iter().find(|(_, _, session)| session.kind == EventKind::Logon).unwrap();
    assert_eq!(logon.2.account.key, "name:EXAMPLE\\hanako");
}

#[test]
fn facts_come_in_the_order_of_time_whatever_the_record_numbers() {
    // The event log service writes 6006 and the kernel 109 and 13 later, under other numbers.
    let records = records![
        "kernel-general-13-windows-10",
        "kernel-power-109-windows-10",
        "user32-1074-windows-10",
        "eventlog-6006-windows-10",
        "kernel-general-12-windows-10",
    ];
    let facts = merge(&records, true, &nobody_known());
    assert!(facts.is_sorted_by_key(|fact| fact.at));
    assert_eq!(facts.last().unwrap().what, LogEvent::Booted);
    assert_eq!(facts.first().unwrap().what, LogEvent::EndRequested);
    assert!(records.iter().all(|record| record.channel == LogChannel::System));
}

#[test]
fn one_wake_up_told_twice_is_one() {
    let mut records = records!["kernel-power-107-windows-10", "kernel-boot-27-fast-startup-windows-10"];
    let at = records[0].written_at;
    if let Some(RecordedFact::Pc { at: other, .. }) = &mut records[1].fact {
        *other = at.plus(900);
    }
    assert_eq!(merge(&records, true, &nobody_known()).len(), 1);
}
