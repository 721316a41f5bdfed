//! Table A 7, 9, 25–27, 31, 37, 78: the time without the agent, as the logs and the list show it.

use mngntime_model::{Bounds, Event, EventKind, Evidence, Moment, UtcMillis};

use crate::agent::tests::{account, boot, session_since as session};
use crate::agent::{Agent, Mode};
use crate::input::{Input, OsFact, OsSession, SessionChange};
use crate::log::{
    LogChannel, LogEvent, LogFact, LogGap, LogGapReason, LogPosition, LogReading, LogSession, LogSource,
    LogWanted,
};
use crate::{Command, LastSeen, Recovered, Settings};

mod absent;
mod clock;
mod went_dark;
mod which_stay;

/// 2025-11-25 00:00 UTC.
const DAY: i64 = 1_764_028_800_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A time of that day.
fn at(hour: i64, minute: i64) -> UtcMillis {
    UtcMillis(DAY + hour * HOUR + minute * MINUTE)
}

/// All clocks at `wall` in a boot that began at `boot`.
fn moment(wall: UtcMillis, boot: UtcMillis) -> Moment {
    let since_boot = u64::try_from(wall.0 - boot.0).unwrap();
    Moment { wall, offset_seconds: 32_400, biased_ms: since_boot, unbiased_ms: since_boot }
}

fn fact(at: UtcMillis, source: LogSource, record_id: u64, what: LogEvent) -> LogFact {
    LogFact { at, source, record_id, what }
}

fn of_session(at: UtcMillis, record_id: u64, kind: EventKind, id: &str, name: &str) -> LogFact {
    let session = LogSession {
        kind,
        session_id: Some(id.into()),
        logon_identity: None,
        account: account(name),
        remote: Some(false),
        client: None,
        reason: None,
    };
    let security = matches!(kind, EventKind::Lock | EventKind::Unlock);
    let source = if security { LogSource::Security } else { LogSource::LocalSessionManager };
    fact(at, source, record_id, LogEvent::Session(Box::new(session)))
}

fn of_pc(at: UtcMillis, record_id: u64, what: LogEvent) -> LogFact {
    fact(at, LogSource::System, record_id, what)
}

fn position(record_id: u64, written_at: UtcMillis) -> LogPosition {
    LogPosition { channel: LogChannel::LocalSessionManager, record_id, written_at }
}

fn reading(mut facts: Vec<LogFact>) -> LogReading {
    facts.sort_by_key(|fact| fact.at);
    LogReading { facts, gaps: vec![], positions: vec![position(2_000, at(23, 0))] }
}

/// One run of the agent with an ideal disk.
struct Run {
    agent: Agent,
    now: Moment,
    list: Vec<OsSession>,
    /// `None`: the logs cannot be read.
    log: Option<LogReading>,
    wanted: Option<LogWanted>,
    stored: Vec<Event>,
    kept: Vec<(Vec<LogPosition>, usize)>,
    noted: usize,
    /// Stores so many events and no more: then the power is cut.
    disk_takes: usize,
}

impl Run {
    fn new(recovered: Recovered, boot_name: &str, now: Moment) -> Self {
        let settings = Settings { spread_ms: 0, ..Settings::new(1) };
        let agent = Agent::start(Mode::Watch, settings, recovered, boot(boot_name), now);
        Self {
            agent,
            now,
            list: vec![],
            log: None,
            wanted: None,
            stored: vec![],
            kept: vec![],
            noted: 0,
            disk_takes: usize::MAX,
        }
    }

    fn with(mut self, log: Option<LogReading>, list: Vec<OsSession>) -> Self {
        (self.log, self.list) = (log, list);
        self.perform();
        self
    }

    fn give(&mut self, input: Input) {
        self.agent.handle(input, self.now);
        self.perform();
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now.wall = self.now.wall.plus(i64::try_from(milliseconds).unwrap());
        self.now.biased_ms += milliseconds;
        self.now.unbiased_ms += milliseconds;
        self.give(Input::Tick);
    }

    fn perform(&mut self) {
        while let Some(command) = self.agent.next_command() {
            let answer = match command {
                Command::Append(event) if self.stored.len() < self.disk_takes => {
                    let sequence = event.sequence;
                    self.stored.push(*event);
                    Input::Stored { sequence }
                }
                Command::ReadLog(wanted) => {
                    self.wanted = Some(*wanted);
                    Input::Os(
                        self.log
                            .clone()
                            .map_or(OsFact::LogUnavailable, |reading| OsFact::LogRead(Box::new(reading))),
                    )
                }
                Command::ListSessions => Input::Os(OsFact::Sessions(self.list.clone())),
                Command::KeepLogPositions(positions) => {
                    self.kept.push((positions, self.stored.len()));
                    continue;
                }
                Command::NoteLogPositions => {
                    self.noted += 1;
                    continue;
                }
                Command::Append(_)
                | Command::Enroll
                | Command::Send { .. }
                | Command::Acknowledge { .. }
                | Command::Recall { .. }
                | Command::Notice { .. }
                | Command::Heartbeat
                | Command::ReleaseSleep
                | Command::ReleaseShutdown
                | Command::Finished => continue,
            };
            self.agent.handle(answer, self.now);
        }
    }

    /// What the journal remembers of this run and the one before.
    fn journal(&self, before: &Recovered) -> Recovered {
        let mut recovered = before.clone();
        let began = before.last_seen.clone();
        for event in &self.stored {
            recovered.stays.apply(event);
            recovered.recent.push(event.clone());
            recovered.last_seen = Some(LastSeen { boot: event.boot.clone(), moment: event.recorded_at });
        }
        recovered.last_sequence += self.stored.len() as u64;
        recovered.ended_in_order = self.stored.last().is_some_and(|e| e.kind == EventKind::ServiceStop);
        match self.kept.last() {
            Some((positions, _)) => {
                recovered.log_positions.clone_from(positions);
                recovered.unexplained_since = None;
            }
            None => recovered.unexplained_since = before.unexplained_since.clone().or(began),
        }
        recovered
    }

    /// Every event but start, stop and boot of the agent's own: kind, name, evidence, time.
    fn told(&self) -> Vec<(EventKind, &str, Evidence, UtcMillis)> {
        let own = |event: &Event| {
            let boot = event.kind == EventKind::Boot && event.evidence == Evidence::FoundAtStart;
            boot || matches!(event.kind, EventKind::ServiceStart | EventKind::ServiceStop)
        };
        fn name(event: &Event) -> &str {
            event.account.as_ref().map_or("", |account| account.name.as_str())
        }
        let told = self.stored.iter().filter(|event| !own(event));
        told.map(|event| (event.kind, name(event), event.evidence, event.occurred_at)).collect()
    }

    fn punches(&self) -> Vec<(EventKind, &str, Evidence, UtcMillis)> {
        self.told().into_iter().filter(|(kind, ..)| kind.is_punch()).collect()
    }

    fn gaps(&self) -> Vec<(&str, Bounds)> {
        let gaps = self.stored.iter().filter(|event| event.kind == EventKind::Gap);
        gaps.map(|event| (event.cause.as_deref().unwrap(), event.bounds.unwrap())).collect()
    }

    fn of_kind(&self, kind: EventKind) -> &Event {
        self.stored.iter().find(|event| event.kind == kind).unwrap()
    }
}

const BOOTED: UtcMillis = UtcMillis(DAY);

/// Hanako has been there since 08:50; the service was stopped by hand at 10:00.
fn stopped_at_ten() -> Recovered {
    let mut run = Run::new(known(Recovered::default()), "b1", moment(at(8, 40), BOOTED))
        .with(Some(reading(vec![])), vec![]);
    run.now = moment(at(8, 50), BOOTED);
    let hanako = session("2", "hanako", at(8, 50));
    run.list = vec![hanako.clone()];
    let (session_id, change) = ("2".to_owned(), SessionChange::Began);
    run.give(Input::Os(OsFact::SessionNotice { session_id, change, session: Some(Box::new(hanako)) }));
    run.now = moment(at(10, 0), BOOTED);
    run.give(Input::Stop { system_is_going_down: false });
    let recovered = run.journal(&Recovered::default());
    assert_eq!(recovered.stays.iter().count(), 1);
    assert!(recovered.ended_in_order);
    // The list was compared until the very end.
    let last_compared = recovered.last_seen.clone();
    Recovered { enrolled: true, last_compared, log_positions: vec![position(1_000, at(9, 55))], ..recovered }
}

/// Hanako was there; the last heartbeat is of 18:04.
fn heartbeat_at_18_04() -> Recovered {
    let before = stopped_at_ten();
    let stop = before.recent.len() - 1;
    Recovered {
        recent: before.recent[..stop].to_vec(),
        last_seen: Some(LastSeen { boot: boot("b1"), moment: moment(at(18, 4), BOOTED) }),
        last_compared: Some(LastSeen { boot: boot("b1"), moment: moment(at(18, 4), BOOTED) }),
        ended_in_order: false,
        ..before
    }
}

const NEXT_BOOT: UtcMillis = UtcMillis(DAY + 33 * HOUR);

fn next_morning(log: Option<LogReading>) -> Run {
    let now = moment(NEXT_BOOT.plus(40_000), NEXT_BOOT);
    Run::new(heartbeat_at_18_04(), "b2", now).with(log, vec![])
}

fn start_of_the_next_boot() -> LogFact {
    of_pc(NEXT_BOOT.plus(-300), 9_001, LogEvent::Booted)
}

fn known(recovered: Recovered) -> Recovered {
    Recovered { enrolled: true, ..recovered }
}

fn bounds(from: UtcMillis, to: UtcMillis) -> Bounds {
    Bounds { not_before: from, not_after: to }
}

// ---- table A 26 ---------------------------------------------------------------------------------------

/// Row 26: hanako left at 11:00, taro came and went, jiro came and is still there.
fn row_26() -> LogReading {
    reading(vec![
        of_session(at(11, 0), 1_001, EventKind::Logoff, "2", "hanako"),
        of_session(at(12, 0), 1_002, EventKind::Logon, "3", "taro"),
        of_session(at(12, 30), 501, EventKind::Lock, "3", "taro"),
        of_session(at(12, 45), 502, EventKind::Unlock, "3", "taro"),
        of_session(at(13, 0), 1_003, EventKind::Logoff, "3", "taro"),
        of_session(at(14, 0), 1_004, EventKind::Logon, "4", "jiro"),
    ])
}

#[test]
fn row_26_what_happened_while_the_service_was_stopped_is_back_filled() {
    let jiro = session("4", "jiro", at(14, 0));
    let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(row_26()), vec![jiro]);
    let back_filled = Evidence::BackFilled;
    let stays: Vec<_> = run.told().into_iter().filter(|(kind, ..)| *kind != EventKind::Gap).collect();
    assert_eq!(
        stays,
        [
            (EventKind::Logoff, "hanako", back_filled, at(11, 0)),
            (EventKind::Logon, "taro", back_filled, at(12, 0)),
            (EventKind::Lock, "taro", back_filled, at(12, 30)),
            (EventKind::Unlock, "taro", back_filled, at(12, 45)),
            (EventKind::Logoff, "taro", back_filled, at(13, 0)),
            (EventKind::Logon, "jiro", Evidence::FoundAtStart, at(14, 0)),
        ]
    );
    let logoff = run.stored.iter().find(|event| event.occurred_at == at(13, 0)).unwrap();
    assert_eq!(logoff.cause.as_deref(), Some("log:LSM:1003"));
    let identity = logoff.session.as_ref().unwrap();
    assert_eq!((&identity.boot, identity.logon_identity.as_str()), (&boot("b1"), "log:LSM:1002"));
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(at(10, 0), at(15, 0)))]);
    let wanted = run.wanted.as_ref().unwrap();
    assert_eq!((&wanted.positions[..], wanted.since), (&[position(1_000, at(9, 55))][..], at(10, 0)));
    let (positions, stored_before) = &run.kept[0];
    assert_eq!((&positions[..], *stored_before), (&[position(2_000, at(23, 0))][..], run.stored.len()));
    assert!(run.agent.stays().iter().all(|stay| stay.account.name == "jiro"));
}

#[test]
fn row_26_read_again_after_a_crash_at_any_record_doubles_nothing() {
    let before = stopped_at_ten();
    let jiro = || vec![session("4", "jiro", at(14, 0))];
    let start = moment(at(15, 0), BOOTED);
    let whole = Run::new(before.clone(), "b1", start).with(Some(row_26()), jiro());
    for taken in 0..=whole.stored.len() {
        let mut first = Run::new(before.clone(), "b1", start);
        first.disk_takes = taken;
        let first = first.with(Some(row_26()), jiro());
        assert!(first.kept.is_empty() || taken == whole.stored.len(), "the bookmark comes last");
        let between = Recovered { enrolled: true, ..first.journal(&before) };
        let second = Run::new(between, "b1", moment(at(15, 1), BOOTED)).with(Some(row_26()), jiro());
        let gaps: Vec<_> = first.gaps().into_iter().chain(second.gaps()).collect();
        assert_eq!(gaps.len(), 1, "after {taken} records: {gaps:?}");
        assert_eq!((gaps[0].0, gaps[0].1.not_before), ("agent_absent:log_read", at(10, 0)));
        let mut told: Vec<_> = first.told().into_iter().chain(second.told()).collect();
        told.retain(|(kind, ..)| *kind != EventKind::Gap);
        told.sort_by_key(|(_, _, _, at)| *at);
        let mut expected = whole.told();
        expected.retain(|(kind, ..)| *kind != EventKind::Gap);
        assert_eq!(told, expected, "after {taken} records");
    }
}

#[test]
fn without_readable_logs_the_absence_is_a_gap_and_the_rest_is_inferred() {
    let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(None, vec![]);
    assert_eq!(run.gaps(), [("agent_absent", bounds(at(10, 0), at(15, 0)))]);
    assert_eq!(run.punches(), [(EventKind::Logoff, "hanako", Evidence::Inferred, at(10, 0))]);
    assert!(run.kept.is_empty());
}

#[test]
fn what_a_start_without_readable_logs_watched_is_no_absence_of_the_next_one() {
    let before = stopped_at_ten();
    let jiro = || vec![session("4", "jiro", at(14, 0))];
    let mut unread = Run::new(before.clone(), "b1", moment(at(15, 0), BOOTED)).with(None, jiro());
    assert_eq!(unread.gaps(), [("agent_absent", bounds(at(10, 0), at(15, 0)))]);
    unread.pass(2 * HOUR as u64);
    let until = LastSeen { boot: boot("b1"), moment: unread.now };
    let crashed = Recovered { enrolled: true, last_seen: Some(until), ..unread.journal(&before) };
    for (restarted, absent) in
        [(at(17, 1), vec![]), (at(18, 0), vec![("agent_absent:log_read", bounds(at(17, 0), at(18, 0)))])]
    {
        let next = Run::new(crashed.clone(), "b1", moment(restarted, BOOTED)).with(Some(row_26()), jiro());
        assert_eq!(next.gaps(), absent, "restarted at {restarted:?}");
        let logoff = (EventKind::Logoff, "taro", Evidence::BackFilled, at(13, 0));
        assert!(next.punches().contains(&logoff), "what can be read now is still told");
    }
}

#[test]
fn a_restart_of_the_service_is_no_absence() {
    let hanako = vec![session("2", "hanako", at(8, 50))];
    for log in [None, Some(reading(vec![]))] {
        let run =
            Run::new(stopped_at_ten(), "b1", moment(at(10, 0).plus(9_000), BOOTED)).with(log, hanako.clone());
        assert_eq!(run.told(), []);
    }
}

#[test]
fn a_stay_that_began_and_ended_unseen_by_the_list_has_an_inferred_end() {
    let log = reading(vec![of_session(at(14, 0), 1_004, EventKind::Logon, "4", "jiro")]);
    let hanako = vec![session("2", "hanako", at(8, 50))];
    let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(log), hanako);
    let [logon, logoff] = &run.punches()[..] else { panic!("{:?}", run.punches()) };
    assert_eq!(*logon, (EventKind::Logon, "jiro", Evidence::BackFilled, at(14, 0)));
    assert_eq!((logoff.0, logoff.2), (EventKind::Logoff, Evidence::Inferred));
    let logoff = run.of_kind(EventKind::Logoff);
    assert_eq!(logoff.bounds, Some(bounds(at(14, 0), at(15, 0))));
}

#[test]
fn what_was_observed_is_never_told_again() {
    // The log has hanako's logon three seconds later, and the lock and the stop's surroundings.
    let log = reading(vec![
        of_session(at(8, 50).plus(3_000), 990, EventKind::Logon, "2", "hanako"),
        of_session(at(9, 30), 480, EventKind::Lock, "2", "hanako"),
        of_session(at(9, 31), 481, EventKind::Unlock, "2", "hanako"),
    ]);
    let hanako = vec![session("2", "hanako", at(8, 50))];
    let run = Run::new(stopped_at_ten(), "b1", moment(at(10, 1), BOOTED)).with(Some(log), hanako);
    assert_eq!(run.punches(), []);
    assert!(run.told().iter().all(|(kind, ..)| *kind == EventKind::Gap));
}

#[test]
fn a_logoff_seen_in_the_last_moment_is_not_told_again() {
    let mut before = stopped_at_ten();
    // By name only, as LocalSessionManager writes it, two seconds after the notice.
    let mut log = of_session(at(10, 0).plus(2_000), 1_001, EventKind::Logoff, "2", "hanako");
    if let LogEvent::Session(session) = &mut log.what {
        session.account.key = "name:EXAMPLE\\Hanako".into();
        session.account.name = "Hanako".into();
    }
    let logon = before.recent.iter().find(|event| event.kind == EventKind::Logon).unwrap().clone();
    let logoff = Event { kind: EventKind::Logoff, occurred_at: at(10, 0), ..logon };
    before.stays.apply(&logoff);
    before.recent.push(logoff);
    let run =
        Run::new(before, "b1", moment(at(10, 0).plus(8_000), BOOTED)).with(Some(reading(vec![log])), vec![]);
    assert_eq!(run.told(), []);
}

/// Windows wrote hanako's logon eight seconds after the time in its session table; the agent was killed
/// between the two.
#[test]
fn a_logon_that_windows_writes_down_late_is_the_one_the_journal_knows() {
    let logged_on = at(8, 50);
    let killed = LastSeen { boot: boot("b1"), moment: moment(logged_on.plus(2_000), BOOTED) };
    let mut before = stopped_at_ten();
    before.recent.retain(|event| event.kind != EventKind::ServiceStop);
    let before = Recovered { last_seen: Some(killed), ended_in_order: false, ..before };
    let log = reading(vec![
        of_session(logged_on.plus(8_000), 1_001, EventKind::Logon, "2", "hanako"),
        of_session(at(9, 40), 1_002, EventKind::Logoff, "2", "hanako"),
        of_session(at(9, 50), 1_003, EventKind::Logon, "2", "hanako"),
        of_session(at(9, 55), 1_004, EventKind::Logoff, "2", "hanako"),
    ]);
    let run = Run::new(before, "b1", moment(at(10, 0), BOOTED)).with(Some(log), vec![]);
    let back_filled = Evidence::BackFilled;
    assert_eq!(
        run.punches(),
        [
            (EventKind::Logoff, "hanako", back_filled, at(9, 40)),
            (EventKind::Logon, "hanako", back_filled, at(9, 50)),
            (EventKind::Logoff, "hanako", back_filled, at(9, 55)),
        ]
    );
    let logoff = run.of_kind(EventKind::Logoff);
    assert_eq!(logoff.session.as_ref().unwrap().logon_identity, format!("luid:2@{}", logged_on.0));
}

// ---- table A 27 ---------------------------------------------------------------------------------------

#[test]
fn row_27_a_wrapped_or_cleared_log_is_a_declared_gap() {
    for (why, word) in
        [(LogGapReason::Wrapped, "log_wrapped:LSM"), (LogGapReason::Cleared, "log_cleared:LSM")]
    {
        let gap = LogGap { channel: LogChannel::LocalSessionManager, from: at(9, 55), to: at(14, 30), why };
        let log = LogReading {
            gaps: vec![gap],
            ..reading(vec![of_session(at(14, 40), 1_900, EventKind::Logoff, "9", "saburo")])
        };
        let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(log), vec![]);
        let expected =
            [(word, bounds(at(10, 0), at(14, 30))), ("agent_absent", bounds(at(10, 0), at(15, 0)))];
        assert_eq!(run.gaps(), expected);
        // Its logon is among what is missing.
        assert!(run.punches().contains(&(EventKind::Logoff, "saburo", Evidence::BackFilled, at(14, 40))));
    }
}

#[test]
fn a_log_that_was_cleared_while_the_agent_watched_hides_nothing() {
    let gap = LogGap {
        channel: LogChannel::LocalSessionManager,
        from: at(9, 0),
        to: at(9, 59),
        why: LogGapReason::Cleared,
    };
    let log = LogReading { gaps: vec![gap], ..reading(vec![]) };
    let hanako = vec![session("2", "hanako", at(8, 50))];
    let run = Run::new(stopped_at_ten(), "b1", moment(at(10, 0).plus(5_000), BOOTED)).with(Some(log), hanako);
    assert_eq!(run.gaps(), []);
}

#[test]
fn what_is_missing_ends_where_the_agent_began_to_watch() {
    let (channel, why) = (LogChannel::LocalSessionManager, LogGapReason::Wrapped);
    let gap = LogGap { channel, from: at(14, 0), to: at(15, 1), why };
    let log = LogReading { gaps: vec![gap], ..reading(vec![]) };
    let hanako = vec![session("2", "hanako", at(8, 50))];
    let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(log), hanako);
    assert!(run.gaps().contains(&("log_wrapped:LSM", bounds(at(14, 0), at(15, 0)))));
}

// ---- table A 25, 78, first start ----------------------------------------------------------------------

#[test]
fn row_25_who_logged_on_before_the_service_is_found_with_the_time_of_the_log() {
    let before = stopped_at_ten();
    let bare = OsSession { logon_at: None, locked: None, ..session("4", "jiro", at(14, 0)) };
    let log = reading(vec![
        of_session(at(14, 0), 1_004, EventKind::Logon, "4", "jiro"),
        of_session(at(14, 50), 500, EventKind::Lock, "4", "jiro"),
    ]);
    let run = Run::new(before, "b1", moment(at(15, 0), BOOTED)).with(Some(log), vec![bare]);
    let jiro: Vec<_> = run.told().into_iter().filter(|(_, name, ..)| *name == "jiro").collect();
    assert_eq!(
        jiro,
        [
            (EventKind::Logon, "jiro", Evidence::FoundAtStart, at(14, 0)),
            (EventKind::Lock, "jiro", Evidence::BackFilled, at(14, 50)),
        ]
    );
    assert!(run.agent.stays().iter().find(|stay| stay.account.name == "jiro").unwrap().locked);
}

#[test]
fn row_78_a_boot_without_the_service_is_told_whole_and_declared() {
    let (safe_mode, off) = (at(20, 0), at(21, 0));
    let log = reading(vec![
        of_pc(at(18, 7), 8_999, LogEvent::WentDown),
        of_pc(safe_mode, 9_100, LogEvent::Booted),
        of_session(safe_mode.plus(MINUTE), 1_100, EventKind::Logon, "1", "admin"),
        of_pc(at(20, 40), 9_105, LogEvent::ClockSet { by_ms: -3_600_000 }),
        of_pc(off, 9_110, LogEvent::WentDown),
        start_of_the_next_boot(),
    ]);
    let run = next_morning(Some(log));
    let safe = format!("log-{}", safe_mode.0 / 1000);
    let of_safe_boot: Vec<_> = run
        .stored
        .iter()
        .filter(|event| event.session.as_ref().is_some_and(|session| session.boot.as_str() == safe))
        .map(|event| (event.kind, event.evidence, event.bounds))
        .collect();
    assert_eq!(
        of_safe_boot,
        [
            (EventKind::Logon, Evidence::BackFilled, None),
            (EventKind::Logoff, Evidence::Inferred, Some(bounds(at(20, 40), off))),
        ]
    );
    let kinds: Vec<_> = run.told().into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Shutdown).count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Boot).count(), 1, "the running boot is ours");
    let change = run.of_kind(EventKind::TimeChange);
    assert_eq!(change.cause.as_deref(), Some("log:System:9105;by_ms=-3600000"));
    assert_eq!(run.gaps(), [("agent_absent:log_read", bounds(safe_mode, NEXT_BOOT.plus(-300)))]);
}

#[test]
fn a_service_that_starts_long_after_the_boot_was_absent() {
    let now = moment(NEXT_BOOT.plus(HOUR), NEXT_BOOT);
    let run = Run::new(heartbeat_at_18_04(), "b2", now).with(None, vec![]);
    assert_eq!(run.gaps(), [("agent_absent", bounds(NEXT_BOOT, NEXT_BOOT.plus(HOUR)))]);
}

#[test]
fn the_first_start_ever_takes_nothing_of_the_past() {
    let bare = OsSession { logon_at: None, ..session("2", "hanako", at(8, 50)) };
    let log = reading(vec![
        of_session(UtcMillis(DAY - HOUR), 1, EventKind::Logon, "1", "taro"),
        of_session(at(7, 0), 2, EventKind::Logon, "1", "taro"),
        of_session(at(8, 0), 3, EventKind::Logoff, "1", "taro"),
        of_session(at(8, 50), 4, EventKind::Logon, "2", "hanako"),
        of_pc(at(8, 51), 9, LogEvent::Suspended),
        of_session(at(8, 52), 5, EventKind::Logon, "3", "jiro"),
    ]);
    let run =
        Run::new(known(Recovered::default()), "b1", moment(at(10, 0), BOOTED)).with(Some(log), vec![bare]);
    assert_eq!(run.told(), [(EventKind::Logon, "hanako", Evidence::FoundAtStart, at(8, 50))]);
    assert_eq!(run.wanted.as_ref().unwrap().since, BOOTED);
    assert_eq!(run.kept.len(), 1, "the next reading begins here");
}

// ---- limits and order ---------------------------------------------------------------------------------

#[test]
fn more_than_the_limit_is_a_gap_and_punches_come_first() {
    let mut facts: Vec<LogFact> = (0..2_500)
        .map(|n| of_pc(at(10, 1).plus(n * 1_000), u64::try_from(n).unwrap(), LogEvent::Suspended))
        .collect();
    facts.push(of_session(at(14, 0), 1_001, EventKind::Logoff, "2", "hanako"));
    let run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(reading(facts)), vec![]);
    let back_filled =
        run.stored.iter().filter(|event| event.cause.as_deref().is_some_and(|c| c.starts_with("log:")));
    assert_eq!(back_filled.count(), super::EVENTS_MAX);
    assert_eq!(run.punches(), [(EventKind::Logoff, "hanako", Evidence::BackFilled, at(14, 0))]);
    let (_, left_out) = run.gaps().into_iter().find(|(cause, _)| *cause == "log_limit").unwrap();
    assert_eq!(left_out.not_before, at(10, 1));
}

#[test]
fn the_first_records_are_on_disk_before_the_log_is_asked_for() {
    let mut run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED));
    let first = run.agent.next_command();
    assert!(matches!(first, Some(Command::Notice { .. })));
    assert!(matches!(run.agent.next_command(), Some(Command::Append(_))));
    assert!(matches!(run.agent.next_command(), Some(Command::ReadLog(_))));
}

#[test]
fn a_list_that_comes_before_the_log_is_asked_for_again() {
    let mut run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED));
    run.agent.handle(Input::Os(OsFact::Sessions(vec![])), run.now);
    assert!(!run.agent.stays().is_empty(), "hanako's end is a matter for the log");
    let log = reading(vec![of_session(at(11, 0), 1_001, EventKind::Logoff, "2", "hanako")]);
    let run = run.with(Some(log), vec![]);
    assert_eq!(run.punches(), [(EventKind::Logoff, "hanako", Evidence::BackFilled, at(11, 0))]);
}

#[test]
fn a_logon_seen_live_while_the_log_is_read_counts_once() {
    let now = moment(at(15, 0), BOOTED);
    let mut run = Run::new(stopped_at_ten(), "b1", now);
    let jiro = session("4", "jiro", at(15, 0).plus(-1_000));
    let (session_id, change) = ("4".to_owned(), SessionChange::Began);
    let notice = OsFact::SessionNotice { session_id, change, session: Some(Box::new(jiro.clone())) };
    run.agent.handle(Input::Os(notice), now);
    let log = reading(vec![of_session(at(15, 0), 1_004, EventKind::Logon, "4", "jiro")]);
    let run = run.with(Some(log), vec![session("2", "hanako", at(8, 50)), jiro]);
    let logons: Vec<_> = run.punches();
    assert_eq!(logons, [(EventKind::Logon, "jiro", Evidence::Notice, at(15, 0).plus(-1_000))]);
}

#[test]
fn a_stop_before_the_log_is_read_closes_by_inference_what_the_boot_ended() {
    let mut run = Run::new(heartbeat_at_18_04(), "b2", moment(NEXT_BOOT.plus(40_000), NEXT_BOOT));
    run.agent.handle(Input::Stop { system_is_going_down: false }, run.now);
    // Whoever reads the log has no time to answer any more.
    while let Some(command) = run.agent.next_command() {
        assert!(!matches!(command, Command::KeepLogPositions(_)), "the next start reads them");
        if let Command::Append(event) = command {
            let sequence = event.sequence;
            run.stored.push(*event);
            run.agent.handle(Input::Stored { sequence }, run.now);
        }
    }
    assert_eq!(run.of_kind(EventKind::Logoff).cause.as_deref(), Some("power_loss"));
}

#[test]
fn positions_are_noted_from_time_to_time_and_at_a_stop_where_logs_can_be_read() {
    let mut run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(Some(row_26()), vec![]);
    run.pass(899_000);
    assert_eq!(run.noted, 0);
    run.pass(1_000);
    run.pass(1_000);
    assert_eq!(run.noted, 1, "and not at every tick");
    run.pass(898_000);
    assert_eq!(run.noted, 1);
    run.pass(1_000);
    assert_eq!(run.noted, 2);
    run.give(Input::Stop { system_is_going_down: false });
    assert_eq!(run.noted, 3);
    let mut run = Run::new(stopped_at_ten(), "b1", moment(at(15, 0), BOOTED)).with(None, vec![]);
    run.pass(900_000);
    assert_eq!(run.noted, 0);
}
