//! Records of several Windows versions, built from the published schemas (see the module's documentation).

use super::*;
use proptest::prelude::*;

macro_rules! fixture {
    ($name:literal) => {
        parsed(include_str!(concat!("../fixtures/", $name, ".xml")))
    };
}

fn parsed(xml: &str) -> LogRecord {
    LogRecord::parse(xml).expect("a record of a log of ours")
}

fn session(record: &LogRecord) -> RecordedSession {
    match &record.fact {
        Some(RecordedFact::Session(session)) => session.clone(),
        other => panic!("{other:?} is no session"),
    }
}

fn pc(record: &LogRecord) -> (UtcMillis, LogEvent) {
    match &record.fact {
        Some(RecordedFact::Pc { at, what }) => (*at, what.clone()),
        other => panic!("{other:?} is nothing of the PC"),
    }
}

fn utc(text: &str) -> UtcMillis {
    time(text).unwrap()
}

const SID: &str = "S-1-5-21-1111111111-2222222222-3333333333-1001";

#[test]
fn local_session_manager_names_user_session_and_address() {
    let record = fixture!("lsm-21-windows-11");
    assert_eq!(
        (record.channel, record.event_id, record.record_id),
        (LogChannel::LocalSessionManager, 21, 1201)
    );
    assert_eq!(record.written_at, utc("2026-11-24T00:02:10.808Z"));
    assert_eq!(record.source(), LogSource::LocalSessionManager);
    let logon = session(&record);
    assert_eq!((logon.kind, logon.session_id), (EventKind::Logon, Some(2)));
    assert_eq!((logon.domain.as_deref(), logon.name.as_deref()), (Some("EXAMPLE"), Some("hanako")));
    assert_eq!(logon.address.as_deref(), Some("LOCAL"));

    let logoff = session(&fixture!("lsm-23-windows-11"));
    assert_eq!((logoff.kind, logoff.address), (EventKind::Logoff, None), "23 has no Address element");
    assert_eq!(session(&fixture!("lsm-24-windows-11")).kind, EventKind::Disconnect);
    let remote = session(&fixture!("lsm-21-rdp-server-2019"));
    assert_eq!(remote.address.as_deref(), Some("192.0.2.10"));
    assert_eq!(session(&fixture!("lsm-25-rdp-server-2019")).kind, EventKind::Connect);
    assert_eq!(fixture!("lsm-22-windows-11").fact, None, "21 has said it");
    assert_eq!(fixture!("lsm-39-windows-10").fact, None);
    let reason = RecordedFact::SessionReason { session_id: 2, reason: 11 };
    assert_eq!(fixture!("lsm-40-windows-10").fact, Some(reason), "40 names its fields Session and Reason");
}

#[test]
fn winlogon_knows_the_sid() {
    let record = fixture!("winlogon-7001-windows-11");
    assert_eq!(record.source(), LogSource::Winlogon);
    let logon = session(&record);
    assert_eq!((logon.kind, logon.session_id, logon.sid.as_deref()), (EventKind::Logon, Some(2), Some(SID)));
    assert_eq!(session(&fixture!("winlogon-7002-windows-11")).kind, EventKind::Logoff);
}

#[test]
fn start_and_end_carry_their_own_time() {
    let (at, what) = pc(&fixture!("kernel-general-12-windows-10"));
    assert_eq!((at, what), (utc("2026-11-24T23:58:28.497Z"), LogEvent::Booted));
    let (at, what) = pc(&fixture!("kernel-general-13-windows-10"));
    assert_eq!((at, what), (utc("2026-11-24T09:20:13.692Z"), LogEvent::WentDown));
    assert_eq!(pc(&fixture!("kernel-power-109-windows-10")).1, LogEvent::WentDown);
    assert_eq!(pc(&fixture!("eventlog-6006-windows-10")).1, LogEvent::WentDown);
    assert_eq!(pc(&fixture!("user32-1074-windows-10")).1, LogEvent::EndRequested);
    assert_eq!(fixture!("eventlog-6005-windows-10").fact, None, "12 has said it, with the better time");
}

#[test]
fn an_unclean_end_says_why_and_until_when_windows_lived() {
    let power_loss = LogEvent::Unclean { bugcheck: false, alive_at: None };
    assert_eq!(pc(&fixture!("kernel-power-41-windows-11")).1, power_loss);
    let bugcheck = LogEvent::Unclean { bugcheck: true, alive_at: None };
    assert_eq!(pc(&fixture!("kernel-power-41-bugcheck-windows-10")).1, bugcheck);
    assert_eq!(pc(&fixture!("wer-1001-windows-10")).1, bugcheck);
    // The UTC time of the binary part, and not the local text beside it.
    let alive_at = Some(utc("2026-11-24T09:05:12.365Z"));
    let expected = LogEvent::Unclean { bugcheck: false, alive_at };
    assert_eq!(pc(&fixture!("eventlog-6008-windows-10-japanese")).1, expected);
    for broken in [
        "",
        "E907",
        "{Binary}",
        &"F".repeat(64),
        &"0".repeat(64),
        "あああああああああああああああああああああ",
    ] {
        assert_eq!(alive_at_of(broken), None, "{broken}");
    }
}

fn alive_at_of(binary: &str) -> Option<UtcMillis> {
    super::alive_at(binary)
}

#[test]
fn sleep_standby_and_fast_startup() {
    assert_eq!(pc(&fixture!("kernel-power-42-fast-startup-windows-11")).1, LogEvent::Suspended);
    assert_eq!(pc(&fixture!("kernel-power-506-windows-11")).1, LogEvent::Suspended);
    assert_eq!(pc(&fixture!("kernel-power-107-windows-10")).1, LogEvent::Resumed);
    assert_eq!(pc(&fixture!("kernel-power-507-windows-11")).1, LogEvent::Resumed);
    assert_eq!(pc(&fixture!("kernel-boot-27-fast-startup-windows-10")).1, LogEvent::Resumed);
    assert_eq!(fixture!("kernel-boot-27-cold-windows-10").fact, None, "12 has said it");
    let rendered_in_hex = include_str!("../fixtures/kernel-boot-27-fast-startup-windows-10.xml")
        .replace("'BootType'>1", "'BootType'>0x1");
    assert_eq!(pc(&parsed(&rendered_in_hex)).1, LogEvent::Resumed);
}

#[test]
fn a_clock_set_by_hand_counts_and_a_wake_up_does_not() {
    assert_eq!(pc(&fixture!("kernel-general-1-windows-10")).1, LogEvent::ClockSet { by_ms: -3_600_000 });
    assert_eq!(fixture!("kernel-general-1-wake-windows-10").fact, None);
    let corrected = include_str!("../fixtures/kernel-general-1-windows-10.xml")
        .replace("T04:00:55.8076950Z", "T03:00:54.9000000Z");
    assert_eq!(parsed(&corrected).fact, None, "under two seconds: the time service at work");
}

#[test]
fn a_cleared_log_is_named() {
    let cleared = fixture!("eventlog-104-server-2016");
    assert_eq!(cleared.channel, LogChannel::System);
    assert_eq!(cleared.fact, Some(RecordedFact::Cleared(LogChannel::LocalSessionManager)));
    assert_eq!(fixture!("eventlog-1102-server-2016").fact, Some(RecordedFact::Cleared(LogChannel::Security)));
    let other = include_str!("../fixtures/eventlog-104-server-2016.xml").replace(
        "<Channel>Microsoft-Windows-TerminalServices-LocalSessionManager/Operational<",
        "<Channel>Application<",
    );
    assert_eq!(parsed(&other).fact, None, "a log of no interest");
}

#[test]
fn security_logons_count_when_a_person_signs_in_at_the_screen() {
    let logon = session(&fixture!("security-4624-type2-windows-11"));
    assert_eq!((logon.kind, logon.luid, logon.elevated), (EventKind::Logon, Some(0x1a2b3), false));
    assert_eq!(logon.sid.as_deref(), Some(SID));
    assert!(session(&fixture!("security-4624-elevated-windows-11")).elevated);
    // Version 0 of the event has no ElevatedToken.
    let old = session(&fixture!("security-4624-type10-server-2008r2"));
    assert_eq!((old.address.as_deref(), old.elevated), (Some("192.0.2.10"), false));
    for nobody in [
        fixture!("security-4624-type3-windows-10"),
        fixture!("security-4624-type7-windows-10"),
        fixture!("security-4624-runas-windows-10"),
        fixture!("security-4624-dwm-windows-10"),
    ] {
        assert_eq!(nobody.fact, None, "record {}", nobody.record_id);
    }
    assert_eq!(session(&fixture!("security-4634-windows-11")).kind, EventKind::Logoff);
    assert_eq!(session(&fixture!("security-4647-windows-11")).kind, EventKind::Logoff);
}

#[test]
fn security_tells_of_locks_and_of_remote_displays() {
    let lock = session(&fixture!("security-4800-windows-10"));
    assert_eq!((lock.kind, lock.session_id, lock.luid), (EventKind::Lock, Some(2), Some(0x1a2b3)));
    assert_eq!(session(&fixture!("security-4801-windows-10")).kind, EventKind::Unlock);
    let connect = session(&fixture!("security-4778-server-2016"));
    assert_eq!((connect.kind, connect.name.as_deref()), (EventKind::Connect, Some("taro")));
    assert_eq!(session(&fixture!("security-4779-server-2016")).kind, EventKind::Disconnect);
}

/// Table A 37.
#[test]
fn services_window_manager_and_font_driver_never_become_sessions() {
    for sid in ["S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-90-0-1", "S-1-5-96-0-1", "S-1-5-80-1-2-3-4-5"] {
        for (fixture, own) in [
            (include_str!("../fixtures/winlogon-7001-windows-11.xml"), SID),
            (include_str!("../fixtures/security-4624-type2-windows-11.xml"), SID),
            (include_str!("../fixtures/security-4800-windows-10.xml"), SID),
        ] {
            assert_eq!(parsed(&fixture.replace(own, sid)).fact, None, "{sid}");
        }
    }
    let services = include_str!("../fixtures/lsm-21-windows-11.xml").replace("<SessionID>2", "<SessionID>0");
    assert_eq!(parsed(&services).fact, None);
}

#[test]
fn an_event_number_means_nothing_without_its_provider() {
    for (fixture, own, other) in [
        ("winlogon-7001", "Microsoft-Windows-Winlogon", "Service Control Manager"),
        ("kernel-general-12", "Microsoft-Windows-Kernel-General", "Microsoft-Windows-Wininit"),
        ("kernel-general-1", "Microsoft-Windows-Kernel-General", "Microsoft-Windows-Power-Troubleshooter"),
        ("kernel-boot-27", "Microsoft-Windows-Kernel-Boot", "e1iexpress"),
    ] {
        let xml = match fixture {
            "winlogon-7001" => include_str!("../fixtures/winlogon-7001-windows-11.xml"),
            "kernel-general-12" => include_str!("../fixtures/kernel-general-12-windows-10.xml"),
            "kernel-general-1" => include_str!("../fixtures/kernel-general-1-windows-10.xml"),
            _ => include_str!("../fixtures/kernel-boot-27-fast-startup-windows-10.xml"),
        };
        assert!(parsed(xml).fact.is_some(), "{fixture}");
        assert_eq!(parsed(&xml.replace(own, other)).fact, None, "{fixture} of {other}");
    }
}

#[test]
fn what_is_missing_makes_no_record_or_no_fact() {
    let whole = include_str!("../fixtures/lsm-21-windows-11.xml");
    for needed in ["<EventID>21</EventID>", "<EventRecordID>1201</EventRecordID>"] {
        assert_eq!(LogRecord::parse(&whole.replace(needed, "")), None, "{needed}");
    }
    assert_eq!(LogRecord::parse(&whole.replace("LocalSessionManager/Operational", "Other")), None);
    assert_eq!(LogRecord::parse(&whole.replace("2026-11-24T", "2026-13-24T")), None);
    let without_user = whole.replace("<User>EXAMPLE\\hanako</User>", "");
    assert_eq!(parsed(&without_user).fact, None);
    let without_session = whole.replace("<SessionID>2</SessionID>", "<SessionID>x</SessionID>");
    assert_eq!(session(&parsed(&without_session)).session_id, None);
}

/// All fixtures, to be damaged.
const ALL: [&str; 6] = [
    include_str!("../fixtures/lsm-21-windows-11.xml"),
    include_str!("../fixtures/winlogon-7001-windows-11.xml"),
    include_str!("../fixtures/eventlog-6008-windows-10-japanese.xml"),
    include_str!("../fixtures/security-4624-type2-windows-11.xml"),
    include_str!("../fixtures/eventlog-104-server-2016.xml"),
    include_str!("../fixtures/kernel-general-1-windows-10.xml"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = LogRecord::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_damaged_record_is_read_without_a_panic(
        which in 0..ALL.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = ALL[which].as_bytes().to_vec();
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = LogRecord::parse(&String::from_utf8_lossy(&bytes));
        bytes.truncate(cut.index(bytes.len()));
        let _ = LogRecord::parse(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn how_the_pc_was_switched_on_is_read_from_its_boot_record() {
    let cold = include_str!("../fixtures/kernel-boot-27-cold-windows-10.xml");
    let fast = include_str!("../fixtures/kernel-boot-27-fast-startup-windows-10.xml");
    let how = |xml: &str| power_on(xml).map(|(how, _)| how);
    assert_eq!(how(cold), Some(PowerOn::Cold));
    assert_eq!(how(fast), Some(PowerOn::FastStartup));
    assert_eq!(how(&fast.replace("'BootType'>1", "'BootType'>0x2")), Some(PowerOn::Hibernation));
    assert_eq!(how(&fast.replace("<EventID>27", "<EventID>28")), None);
    assert_eq!(how(&fast.replace("'BootType'>1", "'BootType'>9")), None);
}
