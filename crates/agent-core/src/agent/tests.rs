//! The core with a shell that only remembers: an ideal disk, a scripted server, clocks that obey.

use super::*;
use crate::input::{Answer, AnswerItem, ServerWishes};
use crate::input::{EnrollOutcome, OsFact, OsSession, SendOutcome, SessionChange};
use crate::recovered::LastSeen;
use mngntime_model::{EnrollmentRefusal, FailureCause, PunchResult};
use proptest::prelude::*;

mod delivery;
mod healing;

const START: i64 = 1_764_000_000_000;

/// A shell for one run of the agent.
struct World {
    agent: Agent,
    now: Moment,
    list: Vec<OsSession>,
    stored: Vec<Event>,
    sent: Vec<Vec<(u64, bool)>>,
    acknowledged: Vec<u64>,
    notices: Vec<String>,
    other: Vec<Command>,
    disk_fails: bool,
}

fn moment(seconds: i64) -> Moment {
    let since_boot = u64::try_from(60_000 + seconds * 1000).unwrap();
    Moment {
        wall: UtcMillis(START + seconds * 1000),
        offset_seconds: 32_400,
        biased_ms: since_boot,
        unbiased_ms: since_boot,
    }
}

pub(super) fn boot(name: &str) -> BootId {
    BootId::new(name).unwrap()
}

pub(super) fn account(name: &str) -> AccountIdentity {
    AccountIdentity {
        key: format!("S-1-5-21-{name}"),
        domain: "EXAMPLE".into(),
        name: name.into(),
        upn: None,
    }
}

/// A session at the console, as the list shows it.
pub(super) fn session_since(id: &str, name: &str, logon_at: UtcMillis) -> OsSession {
    OsSession {
        session_id: id.into(),
        logon_identity: format!("luid:{id}@{}", logon_at.0),
        account: account(name),
        logon_at: Some(logon_at),
        remote: Some(false),
        client: None,
        locked: Some(false),
        input_seen: None,
    }
}

fn session(id: &str, name: &str, began_second: i64) -> OsSession {
    session_since(id, name, moment(began_second).wall)
}

fn settings() -> Settings {
    Settings { spread_ms: 0, ..Settings::new(1) }
}

impl World {
    fn start(list: Vec<OsSession>) -> Self {
        Self::start_with(Recovered { enrolled: true, ..Recovered::default() }, "b1", list)
    }

    fn start_with(recovered: Recovered, boot_name: &str, list: Vec<OsSession>) -> Self {
        Self::start_with_at(recovered, boot_name, list, moment(0))
    }

    fn start_with_at(recovered: Recovered, boot_name: &str, list: Vec<OsSession>, now: Moment) -> Self {
        let agent = Agent::start(Mode::Watch, settings(), recovered, boot(boot_name), now);
        let mut world = Self {
            agent,
            now,
            list,
            stored: vec![],
            sent: vec![],
            acknowledged: vec![],
            notices: vec![],
            other: vec![],
            disk_fails: false,
        };
        world.perform();
        world
    }

    fn give(&mut self, input: Input) {
        self.agent.handle(input, self.now);
        self.perform();
    }

    fn notice(&mut self, id: &str, change: SessionChange, details: Option<OsSession>) {
        let session = details.map(Box::new);
        self.give(Input::Os(OsFact::SessionNotice { session_id: id.into(), change, session }));
    }

    /// Lets time pass in steps in which nothing happens but ticks.
    fn wait_until(&mut self, second: i64) {
        while self.now.wall < moment(second).wall {
            let next = (self.now.wall.0 - START) / 1000 + 1;
            self.now = moment(next);
            self.give(Input::Tick);
        }
    }

    fn perform(&mut self) {
        while let Some(command) = self.agent.next_command() {
            match command {
                Command::Append(event) => self.append(*event),
                Command::ListSessions => {
                    let list = self.list.clone();
                    self.agent.handle(Input::Os(OsFact::Sessions(list)), self.now);
                }
                Command::ReadLog(_) => self.agent.handle(Input::Os(OsFact::LogUnavailable), self.now),
                Command::Send { events, .. } => self.sent.push(events),
                Command::Acknowledge { sequences } => self.acknowledged.extend(sequences),
                Command::Recall { sequences } => {
                    let recalled = |event: &&Event| sequences.contains(&event.sequence);
                    let events = self.stored.iter().filter(recalled).cloned().collect();
                    self.agent.handle(Input::Recalled { events }, self.now);
                }
                Command::Notice(message) => {
                    self.notices.push(message.text(mngntime_model::Language::Japanese))
                }
                Command::KeepLogPositions(_)
                | Command::NoteLogPositions
                | Command::Enroll
                | Command::Heartbeat
                | Command::ReleaseSleep
                | Command::ReleaseShutdown
                | Command::Finished => self.other.push(command),
            }
        }
    }

    fn append(&mut self, event: Event) {
        let sequence = event.sequence;
        let input = if self.disk_fails {
            Input::StoreFailed { sequence, detail: "disk full".into() }
        } else {
            self.stored.push(event);
            Input::Stored { sequence }
        };
        self.agent.handle(input, self.now);
    }

    /// Answers the last batch with one result for its punches.
    fn answer(&mut self, result: Result<PunchResult, u8>) {
        let batch = self.sent.last().expect("a batch is under way").clone();
        let items = batch
            .iter()
            .map(|(sequence, _)| {
                let event = self.stored.iter().find(|event| event.sequence == *sequence);
                let is_punch = event.is_some_and(|event| event.kind.is_punch());
                AnswerItem {
                    sequence: *sequence,
                    stored: true,
                    result: if is_punch { result } else { Ok(PunchResult::Accepted) },
                }
            })
            .collect();
        self.give(Input::Sent(SendOutcome::Answered(Answer { items, ..answer(self.head(), &[]) })));
    }

    /// The highest number ever sent.
    fn head(&self) -> u64 {
        self.sent.iter().flatten().map(|(sequence, _)| *sequence).max().unwrap_or(0)
    }

    fn fail(&mut self, cause: FailureCause) {
        self.give(Input::Sent(SendOutcome::Failed { cause, retry_after_seconds: None }));
    }

    fn punches(&self) -> Vec<(EventKind, &str, Evidence)> {
        self.stored
            .iter()
            .filter(|event| event.kind.is_punch())
            .map(|event| (event.kind, event.account.as_ref().unwrap().name.as_str(), event.evidence))
            .collect()
    }

    fn notices_with(&self, word: &str) -> Vec<&String> {
        self.notices.iter().filter(|text| text.contains(word)).collect()
    }
}

/// An answer that says nothing of single events.
fn answer(head: u64, missing: &[(u64, u64)]) -> Answer {
    Answer { items: vec![], refused: None, head, missing: missing.to_vec(), wishes: wishes() }
}

fn wishes() -> ServerWishes {
    ServerWishes { spread_seconds: 0, contact_seconds: 900, display_name: "MINAGINE".into() }
}

fn network_down() -> FailureCause {
    FailureCause::Network { http_status: None, detail: "connection refused".into() }
}

/// What a later run finds in the journal of an earlier one.
fn journal_of(world: &World, ended_in_order: bool) -> Recovered {
    let mut stays = Stays::default();
    world.stored.iter().for_each(|event| stays.apply(event));
    let pending = world
        .stored
        .iter()
        .filter(|event| !world.acknowledged.contains(&event.sequence))
        .map(|event| PendingEvent {
            sequence: event.sequence,
            kind: event.kind,
            account: event.account.clone(),
        })
        .collect();
    let last = world.stored.last().unwrap();
    Recovered {
        last_sequence: last.sequence,
        stays,
        pending,
        last_seen: Some(LastSeen { boot: last.boot.clone(), moment: last.recorded_at }),
        ended_in_order,
        enrolled: true,
        ..Recovered::default()
    }
}

#[test]
fn start_with_nobody_logged_on_says_so_in_the_seeds_words() {
    let world = World::start(vec![]);
    assert_eq!(
        world.notices,
        ["LOGON/LOGOFF監視を開始しました。", "LOGON[-]:現在ログオン中のユーザーはいません。"]
    );
    let kinds: Vec<_> = world.stored.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Boot, EventKind::ServiceStart]);
}

#[test]
fn who_logged_on_before_the_start_is_found_with_the_true_time() {
    let world = World::start(vec![session("2", "hanako", -30)]);
    assert_eq!(world.punches(), [(EventKind::Logon, "hanako", Evidence::FoundAtStart)]);
    let logon = world.stored.last().unwrap();
    assert_eq!((logon.occurred_at, logon.bounds), (moment(-30).wall, None));
    assert!(world.notices_with("ログオン中のユーザーはいません").is_empty());
}

#[test]
fn a_logon_and_a_logoff_by_notice() {
    let mut world = World::start(vec![]);
    world.list = vec![session("2", "hanako", 5)];
    world.wait_until(5);
    world.notice("2", SessionChange::Began, Some(session("2", "hanako", 5)));
    world.wait_until(30);
    world.list.clear();
    world.notice("2", SessionChange::Ended, None);
    assert_eq!(
        world.punches(),
        [(EventKind::Logon, "hanako", Evidence::Notice), (EventKind::Logoff, "hanako", Evidence::Notice)]
    );
    assert!(world.agent.stays().is_empty());
}

#[test]
fn a_session_too_short_to_be_listed_is_recorded() {
    let mut world = World::start(vec![]);
    world.notice("9", SessionChange::Began, Some(session("9", "taro", 0)));
    world.notice("9", SessionChange::Ended, None);
    let kinds: Vec<_> = world.punches().iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [EventKind::Logon, EventKind::Logoff]);
}

#[test]
fn lost_notices_are_found_by_comparison_and_carry_bounds() {
    let mut world = World::start(vec![]);
    world.list = vec![OsSession { logon_at: None, ..session("2", "hanako", 5) }];
    world.wait_until(61);
    world.list.clear();
    world.wait_until(122);
    let evidence: Vec<_> = world.punches().iter().map(|(.., evidence)| *evidence).collect();
    assert_eq!(evidence, [Evidence::Reconciled, Evidence::Reconciled]);
    assert!(world.stored.iter().filter(|e| e.kind.is_punch()).all(|e| e.bounds.is_some()));
}

#[test]
fn doubled_notices_make_no_second_stay() {
    let mut world = World::start(vec![]);
    world.list = vec![session("2", "hanako", 0)];
    for _ in 0..3 {
        world.notice("2", SessionChange::Began, Some(session("2", "hanako", 0)));
    }
    world.list.clear();
    for _ in 0..3 {
        world.notice("2", SessionChange::Ended, None);
    }
    assert_eq!(world.punches().len(), 2);
}

#[test]
fn a_reused_session_id_is_another_stay() {
    let mut world = World::start(vec![session("1", "hanako", -10)]);
    world.list = vec![session("1", "taro", 3)];
    world.wait_until(61);
    assert_eq!(
        world.punches(),
        [
            (EventKind::Logon, "hanako", Evidence::FoundAtStart),
            (EventKind::Logoff, "hanako", Evidence::Reconciled),
            (EventKind::Logon, "taro", Evidence::Reconciled)
        ]
    );
}

#[test]
fn lock_and_unlock_are_recorded_once_each() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    let locked = OsSession { locked: Some(true), ..session("2", "hanako", -10) };
    world.list = vec![locked];
    world.notice("2", SessionChange::Locked, None);
    world.wait_until(200);
    world.list = vec![session("2", "hanako", -10)];
    world.wait_until(300);
    let kinds: Vec<_> = world
        .stored
        .iter()
        .filter(|e| matches!(e.kind, EventKind::Lock | EventKind::Unlock))
        .map(|e| (e.kind, e.evidence))
        .collect();
    assert_eq!(kinds, [(EventKind::Lock, Evidence::Notice), (EventKind::Unlock, Evidence::Reconciled)]);
}

#[test]
fn after_a_power_loss_the_logoff_is_inferred_between_last_sign_and_boot() {
    let mut before = World::start(vec![session("2", "hanako", -10)]);
    before.wait_until(100);
    let mut recovered = journal_of(&before, false);
    let heartbeat = Moment { wall: UtcMillis(START - 3_600_000), ..moment(90) };
    recovered.last_compared = Some(LastSeen { boot: boot("b1"), moment: heartbeat });
    let after = World::start_with(recovered, "b2", vec![]);
    let logoff = after.stored.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(logoff.evidence, Evidence::Inferred);
    let bounds = logoff.bounds.unwrap();
    assert_eq!((bounds.not_before, bounds.not_after), (heartbeat.wall, moment(0).boot_began()));
    assert_eq!(logoff.session.as_ref().unwrap().boot, boot("b1"), "the stay of the earlier boot ends");
    assert_eq!(logoff.cause.as_deref(), Some("power_loss"));
    assert!(after.agent.stays().is_empty());
}

#[test]
fn a_run_that_compared_nothing_bounds_nothing() {
    let before = World::start(vec![session("2", "hanako", -10)]);
    let mut recovered = journal_of(&before, false);
    recovered.last_compared = Some(LastSeen { boot: boot("b1"), moment: moment(30) });
    // Killed again at 300 s, right after its first record and before its first list.
    recovered.last_seen = Some(LastSeen { boot: boot("b1"), moment: moment(300) });
    let after = World::start_with_at(recovered, "b1", vec![], moment(400));
    let logoff = after.stored.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    let bounds = logoff.bounds.unwrap();
    assert_eq!((bounds.not_before, bounds.not_after), (moment(30).wall, moment(400).wall));
}

#[test]
fn without_a_logon_time_a_session_of_this_boot_began_in_this_boot_whatever_another_boots_clock_showed() {
    let found = OsSession { logon_at: None, ..session("2", "hanako", -10) };
    let ahead = Moment { wall: moment(7_200).wall, ..moment(0) };
    let seen = Some(LastSeen { boot: boot("b0"), moment: ahead });
    let before = Recovered { last_seen: seen.clone(), last_compared: seen, ..Recovered::default() };
    let world = World::start_with(before, "b1", vec![found]);
    let logon = world.stored.iter().find(|event| event.kind == EventKind::Logon).unwrap();
    let bounds = logon.bounds.unwrap();
    assert_eq!((bounds.not_before, bounds.not_after), (moment(0).boot_began(), moment(0).wall));
}

#[test]
fn a_beat_is_written_only_after_a_comparison_all_of_which_is_stored() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    let beats = |world: &World| world.other.iter().filter(|c| **c == Command::Heartbeat).count();
    let at_start = beats(&world);
    world.wait_until(29);
    assert_eq!(beats(&world), at_start);
    // The notice of this logoff was lost; the list of the beat shows it, and the disk does not take it.
    world.list = vec![session("3", "taro", 5)];
    world.disk_fails = true;
    world.wait_until(31);
    assert_eq!(beats(&world), at_start, "not before the logoff is on disk");
    world.disk_fails = false;
    world.wait_until(40);
    assert_eq!(beats(&world), at_start + 1);
}

#[test]
fn as_long_as_somebody_is_logged_on_a_beat_is_written_every_half_minute() {
    let beats = |list: Vec<OsSession>| {
        let mut world = World::start(list);
        world.wait_until(1);
        world.other.clear();
        world.wait_until(151);
        world.other.iter().filter(|command| **command == Command::Heartbeat).count()
    };
    assert_eq!((beats(vec![session("2", "hanako", -10)]), beats(vec![])), (5, 0));
}

#[test]
fn after_a_clock_set_back_a_stays_beginning_does_not_bound_its_end() {
    let mut before = World::start(vec![session("2", "hanako", 10_000)]);
    before.now = moment(50);
    let mut recovered = journal_of(&before, false);
    recovered.last_compared = Some(LastSeen { boot: boot("b1"), moment: moment(80) });
    let next_boot = Moment { wall: moment(20_000).wall, ..moment(0) };
    let after = World::start_with_at(recovered, "b2", vec![], next_boot);
    let logoff = after.stored.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(logoff.bounds.unwrap().not_before, moment(80).wall);
}

#[test]
fn where_the_clock_of_now_contradicts_the_last_sign_the_bounds_reach_beyond_it() {
    let mut before = World::start(vec![session("2", "hanako", -10)]);
    before.wait_until(100);
    let mut recovered = journal_of(&before, false);
    recovered.last_compared = Some(LastSeen { boot: boot("b1"), moment: moment(90) });
    // A boot in between was told by the wrong clock as well, so the clock seems to go on.
    let behind = Moment { wall: UtcMillis(START - 1_000_000_000), ..moment(0) };
    recovered.last_seen = Some(LastSeen { boot: boot("b2"), moment: behind });
    let now = Moment { wall: UtcMillis(START - 999_000_000), ..moment(0) };
    let after = World::start_with_at(recovered, "b3", vec![], now);
    let logoff = after.stored.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(logoff.cause.as_deref(), Some("clock_unreliable"));
    let bounds = logoff.bounds.unwrap();
    assert_eq!((bounds.not_before, bounds.not_after), (now.boot_began(), moment(90 + 60).wall));
}

/// Stopped by hand; the PC went on for a while; it starts again with a dead clock battery.
#[test]
fn an_absence_before_a_clock_in_doubt_is_declared_once_the_doubt_is_over() {
    let mut before = World::start(vec![session("2", "hanako", -10)]);
    before.wait_until(100);
    before.give(Input::Stop { system_is_going_down: false });
    let recovered = Recovered { recent: before.stored.clone(), ..journal_of(&before, true) };
    let wrong = Moment { wall: UtcMillis(START - 1_000_000_000), ..moment(0) };
    let mut after = World::start_with_at(recovered, "b2", vec![], wrong);
    let gaps = |world: &World| -> Vec<Event> {
        world.stored.iter().filter(|e| e.kind == EventKind::Gap).cloned().collect()
    };
    assert_eq!(gaps(&after), [], "nothing is concluded from a clock in doubt");
    after.now = Moment { wall: moment(7_200).wall, ..moment(30) };
    after.give(Input::Tick);
    let declared = gaps(&after);
    let bounds = declared[0].bounds.unwrap();
    assert_eq!((bounds.not_before, bounds.not_after), (moment(100).wall, after.now.boot_began()));
    let logoff = after.stored.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(logoff.bounds.unwrap().not_after, after.now.boot_began());
}

#[test]
fn an_end_told_twice_does_not_end_the_next_stay_in_that_session() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(20);
    let next = session("2", "taro", 20);
    world.list = vec![next.clone()];
    world.notice("2", SessionChange::Ended, None);
    world.notice("2", SessionChange::Began, Some(next));
    world.notice("2", SessionChange::Ended, None);
    let told: Vec<_> = world.punches().into_iter().map(|(kind, name, ..)| (kind, name)).collect();
    let expected = [(EventKind::Logon, "hanako"), (EventKind::Logoff, "hanako"), (EventKind::Logon, "taro")];
    assert_eq!(told, expected);
    // The beginning told once more, when it is over already; and an end as quick as that, which the list shows.
    world.list = vec![];
    world.notice("2", SessionChange::Ended, None);
    world.notice("2", SessionChange::Began, Some(session("2", "taro", 20)));
    assert_eq!(world.punches().len(), 4);
    let last = world.stored.iter().rfind(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!((last.evidence, last.bounds, last.occurred_at), (Evidence::Notice, None, world.now.wall));
}

#[test]
fn an_end_in_another_session_a_moment_ago_leaves_no_doubt_about_this_one() {
    let mut world = World::start(vec![session("2", "hanako", -10), session("3", "taro", -10)]);
    world.wait_until(20);
    world.list = vec![session("2", "hanako", -10)];
    world.notice("3", SessionChange::Ended, None);
    let (session_id, change) = ("2".to_owned(), SessionChange::Ended);
    let notice = OsFact::SessionNotice { session_id, change, session: None };
    world.agent.handle(Input::Os(notice), moment(22));
    assert!(world.agent.stays().is_empty(), "recorded before any list comes");
}

#[test]
fn where_sessions_cannot_be_listed_that_is_said_once_and_records_are_sent() {
    let recovered = Recovered { enrolled: true, ..Recovered::default() };
    let mut agent = Agent::start(Mode::Watch, settings(), recovered, boot("b1"), moment(0));
    let (mut said, mut sent) = (vec![], 0);
    let mut second = 0;
    while second < 300 {
        let Some(command) = agent.next_command() else {
            second += 1;
            agent.handle(Input::Tick, moment(second));
            continue;
        };
        let answer = match command {
            Command::Append(event) => Input::Stored { sequence: event.sequence },
            Command::ReadLog(_) => Input::Os(OsFact::LogUnavailable),
            Command::ListSessions => {
                Input::Os(OsFact::SessionsUnavailable { detail: "access denied".into() })
            }
            Command::Send { .. } => {
                sent += 1;
                continue;
            }
            Command::Notice(message) => {
                said.extend((message.id() == MessageId::NoSessionList).then_some(message));
                continue;
            }
            Command::Acknowledge { .. }
            | Command::Recall { .. }
            | Command::KeepLogPositions(_)
            | Command::NoteLogPositions
            | Command::Enroll
            | Command::Heartbeat
            | Command::ReleaseSleep
            | Command::ReleaseShutdown
            | Command::Finished => continue,
        };
        agent.handle(answer, moment(second));
    }
    assert_eq!(said, [Message::new(MessageId::NoSessionList, vec!["access denied".into()])]);
    assert_eq!(sent, 1, "what there is does not wait for a list that does not come");
}

#[test]
fn a_list_that_was_on_its_way_does_not_deny_an_end_that_came_meanwhile() {
    let mut world = World::start(vec![]);
    world.wait_until(20);
    let hanako = session("2", "hanako", 20);
    world.list = vec![hanako.clone()];
    world.notice("2", SessionChange::Began, Some(hanako.clone()));
    world.now = moment(22);
    // The list that answers this notice was read before the session had ended.
    world.notice("2", SessionChange::Ended, None);
    assert_eq!(world.punches().len(), 1, "a stay as young as this may not be the one that is meant");
    world.list = vec![];
    world.now = moment(24);
    world.give(Input::Os(OsFact::Sessions(vec![])));
    let last = world.stored.iter().rfind(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!((last.evidence, last.bounds, last.occurred_at), (Evidence::Notice, None, moment(22).wall));

    // Two lists later it was another's end.
    let next = session("3", "taro", 30);
    (world.now, world.list) = (moment(30), vec![next.clone()]);
    world.notice("3", SessionChange::Began, Some(next.clone()));
    world.notice("3", SessionChange::Ended, None);
    world.now = moment(34);
    world.give(Input::Os(OsFact::Sessions(vec![next])));
    world.now = moment(90);
    world.give(Input::Os(OsFact::Sessions(vec![])));
    let last = world.stored.iter().rfind(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(last.evidence, Evidence::Reconciled);
}

#[test]
fn who_has_gone_unnoticed_before_a_shutdown_is_not_ended_by_it() {
    let mut world = World::start(vec![session("2", "hanako", -10), session("3", "taro", -10)]);
    world.wait_until(20);
    world.list = vec![session("3", "taro", -10)];
    world.give(Input::Os(OsFact::ShutdownAnnounced));
    world.now = moment(22);
    world.give(Input::Stop { system_is_going_down: true });
    let bounds = |name: &str| {
        let of = |event: &&Event| event.account.as_ref().is_some_and(|account| account.name == name);
        let logoff = world.stored.iter().filter(of).find(|event| event.kind == EventKind::Logoff).unwrap();
        (logoff.evidence, logoff.bounds.map(|bounds| (bounds.not_before, bounds.not_after)).unwrap())
    };
    assert_eq!(bounds("hanako"), (Evidence::Reconciled, (moment(0).wall, moment(20).wall)));
    assert_eq!(bounds("taro"), (Evidence::Inferred, (moment(20).wall, moment(22).wall)));
}

#[test]
fn an_end_told_just_before_the_shutdown_bounds_its_own_stay_and_no_other() {
    let mut world = World::start(vec![session("3", "taro", -10)]);
    world.wait_until(20);
    let hanako = session("2", "hanako", 20);
    world.list.push(hanako.clone());
    world.notice("2", SessionChange::Began, Some(hanako));
    world.now = moment(22);
    world.notice("2", SessionChange::Ended, None);
    // A list that was read before the end shows her still.
    world.now = moment(24);
    world.notice("3", SessionChange::Other, None);
    world.now = moment(25);
    world.give(Input::Stop { system_is_going_down: true });
    let ended = |name: &str| {
        let of = |event: &&Event| event.account.as_ref().is_some_and(|account| account.name == name);
        world.stored.iter().filter(of).find(|event| event.kind == EventKind::Logoff).unwrap().bounds
    };
    assert_eq!(ended("hanako"), Some(Bounds::between(moment(22).wall, moment(25).wall)));
    assert_eq!(ended("taro"), Some(Bounds::between(moment(24).wall, moment(25).wall)));
}

#[test]
fn an_end_that_is_confirmed_after_the_clock_was_set_is_told_by_the_new_clock() {
    let mut world = World::start(vec![]);
    world.wait_until(20);
    let hanako = session("2", "hanako", 20);
    world.list = vec![hanako.clone()];
    world.notice("2", SessionChange::Began, Some(hanako));
    world.now = moment(22);
    world.notice("2", SessionChange::Ended, None);
    world.list = vec![];
    world.now = Moment { wall: moment(24).wall.plus(-3_600_000), ..moment(24) };
    world.give(Input::Os(OsFact::Sessions(vec![])));
    let logoff = world.stored.last().unwrap();
    assert_eq!((logoff.kind, logoff.evidence), (EventKind::Logoff, Evidence::Notice));
    assert_eq!(logoff.occurred_at, moment(22).wall.plus(-3_600_000), "not after it was recorded");
}

#[test]
fn a_notice_with_somebody_elses_details_says_nothing_about_who_had_the_session_before() {
    // Another person, and the same one who has logged off and on.
    for next in ["taro", "hanako"] {
        let mut world = World::start(vec![session("2", "hanako", -10)]);
        world.wait_until(20);
        let details = OsSession { locked: Some(true), ..session("2", next, 20) };
        world.list = vec![details.clone()];
        world.notice("2", SessionChange::Locked, Some(details));
        assert_eq!(world.stored.iter().filter(|event| event.kind == EventKind::Lock).count(), 0, "{next}");
        let told: Vec<_> = world.punches().into_iter().map(|(kind, name, ..)| (kind, name)).collect();
        let expected =
            [(EventKind::Logon, "hanako"), (EventKind::Logoff, "hanako"), (EventKind::Logon, next)];
        assert_eq!(told, expected);
    }
}

#[test]
fn a_beginning_told_after_the_shutdown_has_closed_the_stay_does_not_begin_it_again() {
    let mut world = World::start(vec![]);
    world.wait_until(20);
    let taro = session("2", "taro", 20);
    world.list = vec![taro.clone()];
    world.give(Input::Os(OsFact::ShutdownAnnounced));
    world.give(Input::Stop { system_is_going_down: true });
    world.notice("2", SessionChange::Began, Some(taro));
    let told: Vec<_> = world.punches().into_iter().map(|(kind, name, ..)| (kind, name)).collect();
    assert_eq!(told, [(EventKind::Logon, "taro"), (EventKind::Logoff, "taro")]);
}

#[test]
fn an_end_told_late_of_a_stay_that_was_never_told_does_not_end_the_next_one() {
    let mut world = World::start(vec![]);
    world.wait_until(20);
    let next = session("2", "taro", 20);
    world.list = vec![next.clone()];
    world.notice("2", SessionChange::Began, Some(next));
    world.notice("2", SessionChange::Ended, None);
    let told: Vec<_> = world.punches().into_iter().map(|(kind, name, ..)| (kind, name)).collect();
    assert_eq!(told, [(EventKind::Logon, "taro")]);
}

#[test]
fn killed_and_restarted_in_the_same_boot_the_stay_goes_on() {
    let before = World::start(vec![session("2", "hanako", -10)]);
    let after = World::start_with(journal_of(&before, false), "b1", vec![session("2", "hanako", -10)]);
    assert_eq!(after.punches(), []);
    let start = after.stored.iter().find(|event| event.kind == EventKind::ServiceStart).unwrap();
    assert_eq!(start.cause.as_deref(), Some("after_crash"));
    assert!(!after.agent.stays().is_empty());
}

#[test]
fn who_left_while_the_agent_was_away_gets_an_inferred_logoff() {
    let before = World::start(vec![session("2", "hanako", -10)]);
    let after = World::start_with(journal_of(&before, true), "b1", vec![]);
    assert_eq!(after.punches(), [(EventKind::Logoff, "hanako", Evidence::Inferred)]);
}

#[test]
fn nothing_is_sent_before_it_is_stored_and_a_full_disk_loses_nothing() {
    let mut world = World::start(vec![]);
    world.wait_until(1);
    world.answer(Ok(PunchResult::Accepted));
    let sent_before = world.sent.len();
    world.disk_fails = true;
    world.list = vec![session("2", "hanako", 1)];
    world.notice("2", SessionChange::Began, Some(session("2", "hanako", 1)));
    world.wait_until(20);
    assert_eq!(world.sent.len(), sent_before);
    assert_eq!(world.notices_with("保存できません").len(), 1, "told once, not at every retry");
    world.disk_fails = false;
    world.wait_until(60);
    assert_eq!(world.punches(), [(EventKind::Logon, "hanako", Evidence::Notice)]);
    assert!(world.sent.len() > sent_before);
}

#[test]
fn a_clock_set_by_hand_and_an_unannounced_sleep_are_recorded() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(5);
    world.now.wall = world.now.wall.plus(3_600_000);
    world.give(Input::Tick);
    let step = world.stored.last().unwrap();
    assert_eq!((step.kind, step.cause.as_deref()), (EventKind::TimeChange, Some("by_ms:3600000")));
    world.now.biased_ms += 600_000;
    world.now.wall = world.now.wall.plus(600_000);
    world.give(Input::Tick);
    let kinds: Vec<_> = world.stored.iter().rev().take(2).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Resume, EventKind::Suspend]);
    assert_eq!(world.punches().len(), 1, "neither ends a stay");
}

#[test]
fn a_clock_trimmed_by_two_seconds_is_no_record_and_by_more_is_one() {
    for (by_ms, recorded) in [(2_000, 0), (-2_000, 0), (2_001, 1), (-2_001, 1)] {
        let mut world = World::start(vec![]);
        world.now = moment(20);
        let (from, to) = (world.now.wall, world.now.wall.plus(by_ms));
        world.give(Input::Os(OsFact::ClockSet { from, to }));
        let steps = world.stored.iter().filter(|event| event.kind == EventKind::TimeChange);
        assert_eq!(steps.count(), recorded, "{by_ms}");
    }
}

#[test]
fn a_step_that_is_told_soon_after_another_or_much_later_is_one_of_its_own() {
    let hour = 3_600_000;
    let set = |second: i64, by_ms: i64| Moment { wall: moment(second).wall.plus(by_ms), ..moment(second) };
    for (told, size) in [(set(25, 0), -hour), (set(40, 2 * hour), hour)] {
        let mut world = World::start(vec![]);
        world.wait_until(19);
        world.now = set(20, hour);
        world.give(Input::Tick);
        world.now = told;
        world.give(Input::Os(OsFact::ClockSet { from: told.wall.plus(-size), to: told.wall }));
        let steps = world.stored.iter().filter(|event| event.kind == EventKind::TimeChange);
        let causes: Vec<_> = steps.filter_map(|event| event.cause.clone()).collect();
        assert_eq!(causes, [format!("by_ms:{hour}"), format!("by_ms:{size}")]);
    }
}

#[test]
fn that_a_sleep_became_a_hibernation_is_no_second_resume() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(20);
    world.give(Input::Os(OsFact::SuspendAnnounced));
    world.wait_until(40);
    world.give(Input::Os(OsFact::Resumed { user_present: false }));
    let how = crate::input::PowerOn::Hibernation;
    world.give(Input::Os(OsFact::PoweredOn { how, at: world.now.wall }));
    let resumes = world.stored.iter().filter(|event| event.kind == EventKind::Resume);
    assert_eq!(resumes.filter_map(|event| event.cause.as_deref()).collect::<Vec<_>>(), ["sleep"]);
}

#[test]
fn sleep_and_shutdown_wait_for_the_record() {
    let mut world = World::start(vec![]);
    world.disk_fails = true;
    world.give(Input::Os(OsFact::SuspendAnnounced));
    assert!(!world.other.contains(&Command::ReleaseSleep));
    world.disk_fails = false;
    world.wait_until(2);
    assert!(world.other.contains(&Command::ReleaseSleep));
    world.give(Input::Os(OsFact::ShutdownAnnounced));
    assert!(world.other.contains(&Command::ReleaseShutdown));
}

#[test]
fn at_shutdown_open_stays_end_and_one_attempt_is_made() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.answer(Ok(PunchResult::Accepted));
    world.wait_until(5);
    world.give(Input::Os(OsFact::ShutdownAnnounced));
    world.answer(Ok(PunchResult::Accepted));
    world.wait_until(6);
    world.give(Input::Stop { system_is_going_down: false });
    let logoff = world.stored.iter().find(|event| event.kind == EventKind::Logoff).unwrap();
    assert_eq!(logoff.bounds, Some(Bounds { not_before: moment(5).wall, not_after: moment(6).wall }));
    assert!(!world.other.contains(&Command::Finished), "the attempt is under way");
    world.answer(Ok(PunchResult::Accepted));
    assert!(world.other.contains(&Command::Finished));
}

#[test]
fn a_stop_does_not_wait_for_a_dead_network_longer_than_allowed() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.give(Input::Stop { system_is_going_down: false });
    world.wait_until(3);
    assert!(!world.other.contains(&Command::Finished));
    world.wait_until(5);
    assert!(world.other.contains(&Command::Finished));
    assert!(world.punches().iter().all(|(kind, ..)| *kind == EventKind::Logon), "the stay goes on");
}

/// A virus scanner holds the journal while the PC goes down (table A 56).
#[test]
fn a_record_that_the_disk_refused_is_tried_again_until_the_very_end() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    world.disk_fails = true;
    world.list.clear();
    world.notice("2", SessionChange::Ended, None);
    world.give(Input::Stop { system_is_going_down: true });
    assert_eq!(world.agent.unstored(), 2, "the logoff and the end of the service");
    let wakeup = world.agent.next_wakeup();
    assert_eq!(wakeup, world.now.biased_ms + 100, "neither later nor again and again");
    world.disk_fails = false;
    world.now.biased_ms = wakeup;
    world.give(Input::Tick);
    let kinds: Vec<_> = world.stored.iter().rev().take(2).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::ServiceStop, EventKind::Logoff]);
    assert_eq!(world.agent.unstored(), 0);
}

#[test]
fn a_script_punch_is_stored_sent_and_the_process_ends() {
    let now = moment(0);
    let recovered = Recovered { enrolled: true, ..Recovered::default() };
    let agent = Agent::start(Mode::Script, settings(), recovered, boot("b1"), now);
    let mut world = World { agent, ..World::start(vec![]) };
    (world.stored, world.sent, world.notices, world.other) = (vec![], vec![], vec![], vec![]);
    world.give(Input::Script { kind: EventKind::Logon, session: session("2", "hanako", 0) });
    world.give(Input::Stop { system_is_going_down: false });
    assert_eq!(world.punches(), [(EventKind::Logon, "hanako", Evidence::Script)]);
    assert_eq!(world.stored.len(), 1, "nothing but the punch");
    world.answer(Ok(PunchResult::Accepted));
    assert_eq!(world.notices, ["LOGON[EXAMPLE\\hanako]:打刻完了"]);
    assert!(world.other.contains(&Command::Finished));
}

#[test]
fn unreadable_records_are_declared() {
    let recovered =
        Recovered { last_sequence: 9, lost: vec![(4, 6)], enrolled: true, ..Recovered::default() };
    let world = World::start_with(recovered, "b1", vec![]);
    let gap = &world.stored[0];
    assert_eq!((gap.sequence, gap.kind), (10, EventKind::Gap));
    assert_eq!(gap.cause.as_deref(), Some("unreadable:4-6"));
}

#[test]
fn a_record_that_cannot_be_read_back_is_declared_and_holds_nothing_up() {
    let mut world = World::start(vec![session("2", "hanako", -10)]);
    world.wait_until(1);
    let logon = world.stored.last().unwrap().sequence;
    world.give(Input::Unreadable { sequence: logon });
    world.give(Input::Unreadable { sequence: logon });
    world.answer(Ok(PunchResult::Accepted));
    world.answer(Ok(PunchResult::Accepted));
    let gaps: Vec<_> = world.stored.iter().filter(|event| event.kind == EventKind::Gap).collect();
    assert_eq!(gaps.len(), 1, "declared once");
    assert_eq!(gaps[0].cause.as_deref(), Some(format!("unreadable:{logon}-{logon}").as_str()));
    assert!(!world.acknowledged.contains(&logon));
    assert_eq!(world.agent.waiting(), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Logon(usize),
    Logoff(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u8)>> {
    let step = prop_oneof![
        (0..4_usize).prop_map(Step::Logon),
        (0..4_usize).prop_map(Step::Logoff),
        (1..90_i64).prop_map(Step::Wait),
    ];
    // Beside each step: how often its notice is delivered (0 lost, 1, 2 doubled).
    prop::collection::vec((step, 0..3_u8), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever notices are lost or doubled: after the next comparison every stay that the list ever
    /// showed has one logon, and one logoff if it is gone; numbers have no holes.
    #[test]
    fn each_stay_has_one_logon_and_at_most_one_logoff(steps in steps()) {
        let mut world = World::start(vec![]);
        let mut second = 0;
        for (step, deliveries) in steps {
            match step {
                Step::Wait(seconds) => second += seconds,
                Step::Logon(who) => {
                    let id = who.to_string();
                    if world.list.iter().all(|s| s.session_id != id) {
                        let new = session(&id, &format!("user{who}"), second);
                        world.list.push(new.clone());
                        for _ in 0..deliveries {
                            world.notice(&id, SessionChange::Began, Some(new.clone()));
                        }
                    }
                }
                Step::Logoff(who) => {
                    let id = who.to_string();
                    let before = world.list.len();
                    world.list.retain(|s| s.session_id != id);
                    if world.list.len() < before {
                        for _ in 0..deliveries {
                            world.notice(&id, SessionChange::Ended, None);
                        }
                    }
                }
            }
            second += 1;
            world.wait_until(second);
        }
        world.wait_until(second + 61);
        let mut open = std::collections::BTreeMap::new();
        for event in world.stored.iter().filter(|event| event.kind.is_punch()) {
            let count: &mut i32 = open.entry(event.session.clone().unwrap()).or_default();
            *count += if event.kind == EventKind::Logon { 1 } else { -1 };
            prop_assert!(*count == 0 || *count == 1, "logon and logoff must alternate");
        }
        prop_assert_eq!(open.values().filter(|count| **count == 1).count(), world.list.len());
        prop_assert!(world.stored.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
    }
}
