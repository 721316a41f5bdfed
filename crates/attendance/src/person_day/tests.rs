//! Days at their borders: nights, sleeps, losses, several PCs, and sessions that nobody told of.

use super::*;
use mngntime_model::{BootId, Event, Moment, SessionIdentity};

/// 2026-11-24 00:00 in Tokyo.
const MIDNIGHT: i64 = 1_795_446_000_000;

/// A time of that day, or of another with hours beyond it.
fn at(hour: i64, minute: i64) -> UtcMillis {
    UtcMillis(MIDNIGHT + (hour * 60 + minute) * 60_000)
}

fn terminal(number: u8) -> TerminalId {
    TerminalId::from_random([number; 16])
}

/// The events of one PC, numbered from 1.
#[derive(Clone)]
struct Pc {
    id: TerminalId,
    boot: &'static str,
    began: UtcMillis,
    events: Vec<Received>,
}

impl Pc {
    /// A PC whose agent starts at midnight of day 0.
    fn new(number: u8) -> Self {
        let pc = Self { id: terminal(number), boot: "b1", began: at(0, 0), events: Vec::new() };
        pc.then(EventKind::ServiceStart, at(0, 0))
    }

    fn then(mut self, kind: EventKind, time: UtcMillis) -> Self {
        let biased_ms = u64::try_from(time.0 - self.began.0).unwrap_or(0);
        let event = Event {
            sequence: self.events.len() as u64 + 1,
            boot: BootId::new(self.boot).unwrap(),
            kind,
            evidence: Evidence::Notice,
            occurred_at: time,
            bounds: None,
            recorded_at: Moment { wall: time, offset_seconds: 32_400, biased_ms, unbiased_ms: biased_ms },
            session: None,
            account: None,
            remote: None,
            client: None,
            cause: None,
            supersedes: None,
        };
        self.events.push(Received::of(event, time, 0));
        self
    }

    /// An event of a session: its number stands for boot, logon and id.
    fn session(self, session: &str, kind: EventKind, time: UtcMillis) -> Self {
        let boot = BootId::new(self.boot).unwrap();
        let identity = |boot| SessionIdentity {
            boot,
            session_id: session.to_owned(),
            logon_identity: format!("luid:{session}"),
        };
        self.then(kind, time).with(|event| {
            event.session = Some(identity(boot));
            event.account = Some(account("hanako"));
        })
    }

    fn on(self, session: &str, time: UtcMillis) -> Self {
        self.session(session, EventKind::Logon, time)
    }

    fn off(self, session: &str, time: UtcMillis) -> Self {
        self.session(session, EventKind::Logoff, time)
    }

    /// Changes the last event.
    fn with(mut self, change: impl FnOnce(&mut Event)) -> Self {
        change(&mut self.events.last_mut().unwrap().event);
        self
    }

    fn because(self, cause: &str) -> Self {
        self.with(|event| event.cause = Some(cause.to_owned()))
    }

    fn within(self, from: UtcMillis, to: UtcMillis, evidence: Evidence) -> Self {
        self.with(|event| {
            (event.bounds, event.evidence) = (Some(Bounds { not_before: from, not_after: to }), evidence);
            event.occurred_at = from;
        })
    }

    /// The power goes; another run of the OS begins at `time`.
    fn dark_until(mut self, time: UtcMillis) -> Self {
        (self.boot, self.began) = ("b2", time);
        self.then(EventKind::Boot, time).then(EventKind::ServiceStart, time).because("after_power_loss")
    }
}

fn account(name: &str) -> AccountIdentity {
    AccountIdentity { key: format!("S-{name}"), domain: "D".into(), name: name.into(), upn: None }
}

fn borders(day: i64) -> Borders {
    let at = |hour| at(24 * day + hour, 0);
    Borders { from: at(0), to: at(24), boundary_before: at(5), boundary: at(29) }
}

/// Day number `day` of hanako on these PCs, all of them heard until `now`.
fn day_at(pcs: &[Pc], day: i64, now: UtcMillis) -> PersonDay {
    day_within(pcs, borders(day), now)
}

/// The day with these borders.
fn day_within(pcs: &[Pc], borders: Borders, now: UtcMillis) -> PersonDay {
    day_whose(pcs, borders, now, Whose::always(&["S-hanako"]))
}

/// The same of a person whose accounts are these.
fn day_whose(pcs: &[Pc], borders: Borders, now: UtcMillis, whose: Whose<'_>) -> PersonDay {
    let missing = |pc: &Pc| {
        let hole = |pair: &[Received]| (pair[0].event.sequence + 1, pair[1].event.sequence - 1);
        pc.events.windows(2).map(hole).filter(|(first, last)| first <= last).collect::<Vec<_>>()
    };
    let timelines: Vec<Timeline> =
        pcs.iter().map(|pc| Timeline::of(&pc.events, &missing(pc), &[], Some(now), now)).collect();
    let terminals: Vec<Terminal<'_>> = pcs
        .iter()
        .zip(&timelines)
        .map(|(pc, timeline)| {
            let own = || pc.events.iter().filter(|r| r.event.account.is_some()).map(|r| r.event.occurred_at);
            let used = (own().min().unwrap_or(now), own().max().unwrap_or(now));
            Terminal { id: pc.id, events: &pc.events, timeline, used }
        })
        .collect();
    Record::of(&terminals, &["S-hanako"], now).day(borders, whose)
}

fn day(pcs: &[Pc], number: i64) -> PersonDay {
    day_at(pcs, number, at(24 * 10, 0))
}

/// Kinds and ends of all bands of the first stay of the first lane.
fn bands(day: &PersonDay) -> Vec<(Kind, UtcMillis)> {
    day.lanes[0].stays[0].bands.iter().map(|band| (band.kind, band.to)).collect()
}

fn first_at(day: &PersonDay) -> (UtcMillis, Level, u64) {
    let First::At { edge, .. } = day.first else { panic!("{:?}", day.first) };
    (edge.at, edge.level, edge.event.sequence)
}

fn last_at(day: &PersonDay) -> (UtcMillis, UtcMillis, Level) {
    let Last::At { edge, .. } = day.last else { panic!("{:?}", day.last) };
    (edge.at, edge.latest, edge.level)
}

/// That the day goes on, and until when.
fn goes_on(day: &PersonDay) -> Option<UtcMillis> {
    let Last::GoesOn { until } = day.last else { panic!("{:?}", day.last) };
    until.map(|end| end.at)
}

const LOCK: EventKind = EventKind::Lock;
const UNLOCK: EventKind = EventKind::Unlock;

#[test]
fn a_lock_is_a_band_inside_a_session_and_every_band_names_its_events() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .session("1", LOCK, at(12, 0))
        .session("1", LOCK, at(12, 1))
        .session("1", UNLOCK, at(13, 0))
        .session("1", UNLOCK, at(13, 1))
        .off("1", at(18, 0));
    let day = day(&[pc], 0);
    let twice_is_once = [
        (Kind::Active, at(12, 0)),
        (Kind::Locked, at(13, 0)),
        (Kind::Unclear, at(13, 1)),
        (Kind::Active, at(18, 0)),
    ];
    // A second unlock contradicts the first: what lay between is not known.
    assert_eq!(bands(&day), twice_is_once);
    let ids = |band: &Band| (band.begins.unwrap().sequence, band.ends.unwrap().sequence);
    let named: Vec<_> = day.lanes[0].stays[0].bands.iter().map(ids).collect();
    assert_eq!(named, [(2, 3), (3, 5), (5, 6), (6, 7)]);
    assert_eq!(
        (first_at(&day), last_at(&day)),
        ((at(9, 0), Level::Exact, 2), (at(18, 0), at(18, 0), Level::Exact))
    );
    assert_eq!((day.active_ms, day.unclear_ms), ((3 * 60 + 4 * 60 + 59) * 60_000, 60_000));
    assert_eq!((day.state, day.silence, day.until), (State::Observed, None, at(24, 0)));
    assert_eq!(day.lanes[0].marks.len(), 7, "the start of the agent and every event of the session");
}

#[test]
fn a_stay_over_midnight_is_on_both_days_and_its_logoff_is_at_25_30() {
    let pc = Pc::new(1).on("1", at(22, 0)).off("1", at(25, 30)).on("2", at(33, 0)).off("2", at(42, 0));
    let (one, two) = (day(std::slice::from_ref(&pc), 0), day(&[pc], 1));
    assert_eq!(last_at(&one), (at(25, 30), at(25, 30), Level::Exact));
    assert_eq!((one.until, bands(&one)), (at(25, 30), vec![(Kind::Active, at(25, 30))]));
    assert!(one.lanes[0].marks.iter().any(|mark| mark.at == at(25, 30)));
    assert_eq!(two.lanes[0].stays[0].bands[0].to, at(25, 30), "the second day shows it, too");
    assert!(two.lanes[0].stays[0].from_before);
    assert_eq!((first_at(&two).0, last_at(&two).0), (at(33, 0), at(42, 0)), "and begins with its own logon");
}

#[test]
fn a_restart_in_the_night_begins_no_new_day_and_a_logon_before_dawn_does() {
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(24, 15)).off("2", at(26, 0));
    let (one, two) = (day(std::slice::from_ref(&night), 0), day(&[night], 1));
    assert_eq!((first_at(&one).0, last_at(&one).0, one.until), (at(22, 0), at(26, 0), at(26, 0)));
    assert_eq!((two.first, two.last), (First::None, Last::None), "no day began");
    assert_eq!(two.lanes[0].stays.len(), 2, "but what was there is shown");
    let early = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)).on("2", at(28, 30)).off("2", at(38, 0));
    let (one, two) = (day(std::slice::from_ref(&early), 0), day(&[early], 1));
    assert_eq!((last_at(&one).0, first_at(&two).0), (at(18, 0), at(28, 30)));
    assert_eq!(one.until, at(24, 0));
}

#[test]
fn a_stay_of_a_week_has_no_logoff_until_it_ends() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .session("1", LOCK, at(18, 0))
        .session("1", UNLOCK, at(33, 0))
        .off("1", at(66, 0));
    assert_eq!(goes_on(&day(std::slice::from_ref(&pc), 0)), Some(at(66, 0)));
    let second = day(std::slice::from_ref(&pc), 1);
    let First::Continued { since: Some(since) } = second.first else { panic!("{:?}", second.first) };
    assert_eq!((since.at, goes_on(&second)), (at(9, 0), Some(at(66, 0))));
    assert_eq!(bands(&second), [(Kind::Locked, at(33, 0)), (Kind::Active, at(48, 0))]);
    assert!(second.lanes[0].stays[0].goes_on && second.lanes[0].stays[0].from_before);
    assert_eq!(last_at(&day(std::slice::from_ref(&pc), 2)).0, at(66, 0));
    let today = day_at(&[pc], 1, at(40, 0));
    assert_eq!(
        (goes_on(&today), today.lanes[0].stays[0].goes_on),
        (Some(at(66, 0)), false),
        "told later, known now"
    );
}

#[test]
fn today_an_open_stay_goes_up_to_now() {
    let pc = Pc::new(1).on("1", at(9, 0));
    let day = day_at(std::slice::from_ref(&pc), 0, at(11, 0));
    assert_eq!((day.last, bands(&day)), (Last::Open, vec![(Kind::Active, at(11, 0))]));
    assert_eq!(day.lanes[0].stays[0].bands[0].ends, None);
    assert_eq!(day_at(&[pc], 1, at(11, 0)).silence, Some(Silence::NotYet));
}

#[test]
fn sleep_covers_the_lock_in_it_and_an_end_of_sleep_that_nobody_told_of_is_the_next_thing_seen() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .then(EventKind::Suspend, at(12, 0))
        .session("1", LOCK, at(12, 0).plus(50))
        .then(EventKind::Resume, at(13, 0))
        .session("1", UNLOCK, at(13, 5))
        .then(EventKind::Suspend, at(15, 0))
        .session("1", EventKind::Connect, at(16, 0))
        .off("1", at(18, 0));
    let expected = [
        (Kind::Active, at(12, 0)),
        (Kind::Asleep, at(13, 0)),
        (Kind::Locked, at(13, 5)),
        (Kind::Active, at(15, 0)),
        (Kind::Asleep, at(16, 0)),
        (Kind::Active, at(18, 0)),
    ];
    assert_eq!(bands(&day(&[pc], 0)), expected);
}

#[test]
fn after_a_power_loss_the_end_is_an_interval() {
    let pc = Pc::new(1).on("1", at(9, 0)).session("1", LOCK, at(17, 0)).dark_until(at(33, 0));
    let told =
        pc.clone().off("1", at(33, 1)).because("power_loss").within(at(18, 4), at(18, 6), Evidence::Inferred);
    let one = day(
        &[told.clone().with(|event| event.session.as_mut().unwrap().boot = BootId::new("b1").unwrap())],
        0,
    );
    assert_eq!(last_at(&one), (at(18, 4), at(18, 6), Level::Estimated));
    let expected = [(Kind::Active, at(17, 0)), (Kind::Locked, at(18, 4)), (Kind::Estimated, at(18, 6))];
    assert_eq!(bands(&one), expected);
    // Nobody told of the end: it lies between the last event of that run and the beginning of the next.
    let silent = day(&[pc], 0);
    assert_eq!(last_at(&silent), (at(17, 0), at(33, 0), Level::Unknown));
    assert_eq!(bands(&silent), [(Kind::Active, at(17, 0)), (Kind::Estimated, at(24, 0))]);
}

#[test]
fn an_interval_over_a_weekend_belongs_to_the_day_it_begins_on_and_is_shown_on_the_others() {
    let mut pc = Pc::new(1).on("1", at(9, 0)).dark_until(at(81, 0));
    pc = pc.off("1", at(81, 1)).within(at(18, 0), at(81, 0), Evidence::Inferred);
    pc = pc.with(|event| event.session.as_mut().unwrap().boot = BootId::new("b1").unwrap());
    assert_eq!(last_at(&day(std::slice::from_ref(&pc), 0)), (at(18, 0), at(81, 0), Level::Estimated));
    let saturday = day(&[pc], 1);
    assert_eq!((saturday.first, saturday.last, saturday.silence), (First::None, Last::None, None));
    assert!(!saturday.has_a_beginning(), "nobody logged on");
    assert_eq!(bands(&saturday), [(Kind::Estimated, at(48, 0))]);
}

#[test]
fn time_without_the_agent_is_no_use_and_a_lock_found_at_its_return_counts_from_there() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .then(EventKind::ServiceStop, at(11, 0))
        .then(EventKind::ServiceStart, at(12, 0))
        .session("1", UNLOCK, at(13, 0))
        .off("1", at(18, 0));
    let day = day(&[pc], 0);
    let expected = [
        (Kind::Active, at(11, 0)),
        (Kind::Unwatched, at(12, 0)),
        (Kind::Locked, at(13, 0)),
        (Kind::Active, at(18, 0)),
    ];
    assert_eq!(bands(&day), expected);
    assert_eq!(day.lanes[0].stays[0].bands[1].why, Some(Why::AgentStopped));
    assert_eq!((day.state, day.unclear_ms), (State::AgentOff, 3_600_000));
}

#[test]
fn an_unlock_without_a_lock_makes_the_time_before_it_unclear() {
    let pc = Pc::new(1).on("1", at(9, 0)).session("1", UNLOCK, at(10, 0)).off("1", at(18, 0));
    assert_eq!(bands(&day(&[pc], 0)), [(Kind::Unclear, at(10, 0)), (Kind::Active, at(18, 0))]);
}

#[test]
fn an_unlock_after_a_sleep_tells_of_a_lock_at_the_awakening() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .then(EventKind::Suspend, at(12, 0))
        .then(EventKind::Resume, at(13, 0))
        .session("1", UNLOCK, at(13, 10))
        .off("1", at(18, 0));
    let expected = [
        (Kind::Active, at(12, 0)),
        (Kind::Asleep, at(13, 0)),
        (Kind::Locked, at(13, 10)),
        (Kind::Active, at(18, 0)),
    ];
    assert_eq!(bands(&day(&[pc], 0)), expected);
}

#[test]
fn a_session_found_at_the_start_counts_since_its_own_logon() {
    let found = Pc::new(1).then(EventKind::ServiceStart, at(9, 30)).on("1", at(9, 30)).with(|event| {
        (event.evidence, event.occurred_at) = (Evidence::FoundAtStart, at(9, 2));
    });
    let day = day(&[found.clone().off("1", at(18, 0))], 0);
    assert_eq!(bands(&day), [(Kind::FoundAtStart, at(9, 30)), (Kind::Active, at(18, 0))]);
    assert_eq!(first_at(&day), (at(9, 2), Level::Exact, 3));
    let locked = found.session("1", UNLOCK, at(10, 0)).off("1", at(18, 0));
    assert_eq!(bands(&super::tests::day(&[locked], 0))[1], (Kind::Locked, at(10, 0)), "it was found locked");
}

#[test]
fn two_pcs_are_two_lanes_and_their_common_time_counts_once() {
    let desk = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let laptop = Pc::new(2).on("1", at(8, 30)).off("1", at(12, 0)).on("2", at(17, 0)).off("2", at(19, 0));
    let day = day(&[desk, laptop], 0);
    let lanes: Vec<_> = day.lanes.iter().map(|lane| (lane.terminal, lane.stays.len(), lane.tracks)).collect();
    assert_eq!(lanes, [(terminal(2), 2, 1), (terminal(1), 1, 1)], "the one used first above");
    assert_eq!((first_at(&day).0, last_at(&day).0), (at(8, 30), at(19, 0)));
    assert_eq!(day.active_ms, (10 * 60 + 30) * 60_000);
}

#[test]
fn a_pc_that_is_left_on_does_not_hide_the_logoff_on_another() {
    let desk = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let left_on = Pc::new(2).on("1", at(9, 0));
    let day = day(&[desk, left_on], 0);
    let Last::At { edge, others_go_on, .. } = day.last else { panic!("{:?}", day.last) };
    assert_eq!((edge.at, others_go_on), (at(18, 0), Some(Others::OnAnotherPc)));
}

#[test]
fn another_users_turn_is_a_disconnected_session_and_his_own_are_not_shown() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .session("1", EventKind::Disconnect, at(10, 0))
        .on("2", at(10, 0))
        .with(|event| event.account = Some(account("taro")))
        .off("2", at(11, 0))
        .with(|event| event.account = Some(account("taro")))
        .session("1", EventKind::Connect, at(11, 5))
        .off("1", at(18, 0));
    let day = day(&[pc], 0);
    let expected = [(Kind::Active, at(10, 0)), (Kind::Disconnected, at(11, 5)), (Kind::Active, at(18, 0))];
    assert_eq!((bands(&day), day.lanes[0].stays.len()), (expected.to_vec(), 1));
    let told: Vec<_> = day.lanes[0].marks.iter().map(|mark| mark.event.sequence).collect();
    assert_eq!(told, [1, 2, 3, 6, 7], "neither are his events");
}

#[test]
fn two_sessions_of_one_person_on_one_pc_have_a_line_each() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .session("1", EventKind::Disconnect, at(12, 0))
        .on("2", at(12, 0))
        .with(|event| event.remote = Some(true))
        .off("2", at(14, 0))
        .off("1", at(18, 0));
    let day = day(&[pc], 0);
    let tracks: Vec<_> = day.lanes[0].stays.iter().map(|stay| (stay.track, stay.remote)).collect();
    assert_eq!((tracks, day.lanes[0].tracks), (vec![(0, false), (1, true)], 2));
}

#[test]
fn a_rename_in_the_middle_leaves_one_stay_with_the_new_name() {
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)).with(|event| {
        event.account = Some(AccountIdentity { name: "hanako.sato".into(), ..account("hanako") });
    });
    let day = day(&[pc], 0);
    assert_eq!(day.lanes[0].stays.len(), 1);
    assert_eq!(day.lanes[0].stays[0].account.name, "hanako.sato");
}

#[test]
fn what_was_told_late_or_in_another_order_gives_the_same_day_and_is_marked_late() {
    let at_once = Pc::new(1)
        .on("1", at(9, 0))
        .session("1", LOCK, at(12, 0))
        .session("1", UNLOCK, at(13, 0))
        .off("1", at(18, 0));
    let mut late = Pc::new(1).on("1", at(9, 0)).session("1", UNLOCK, at(13, 0)).off("1", at(18, 0));
    late = late.session("1", LOCK, at(20, 0)).with(|event| {
        (event.evidence, event.occurred_at) = (Evidence::BackFilled, at(12, 0));
    });
    late.events.last_mut().unwrap().received_at = at(40, 0);
    let (one, two) = (day(&[at_once], 0), day(&[late], 0));
    assert_eq!((bands(&one), one.first == two.first), (bands(&two), true));
    assert_eq!(two.lanes[0].marks.iter().filter(|mark| mark.late).count(), 1);
}

#[test]
fn a_second_logon_or_logoff_of_the_same_stay_changes_nothing_unless_it_is_exact() {
    let guess = |pc: Pc| pc.off("1", at(19, 0)).within(at(18, 30), at(19, 0), Evidence::Inferred);
    let pc = guess(Pc::new(1).on("1", at(9, 0)).on("1", at(9, 1))).off("1", at(18, 40));
    let day = day(&[pc], 0);
    assert_eq!((first_at(&day).0, last_at(&day)), (at(9, 0), (at(18, 40), at(18, 40), Level::Exact)));
    assert_eq!(day.lanes[0].stays.len(), 1);
}

#[test]
fn a_logoff_without_a_logon_is_a_first_time_of_which_nothing_is_known() {
    let pc = Pc::new(1).off("1", at(18, 0));
    let day = day(&[pc], 0);
    assert_eq!((first_at(&day).1, last_at(&day).0), (Level::Unknown, at(18, 0)));
    assert!(day.lanes[0].stays.is_empty(), "there is nothing to draw");
    assert_eq!((day.lanes[0].marks.len(), day.silence), (2, None), "but its event is there");
}

#[test]
fn a_logon_without_a_person_is_no_presence_until_somebody_unlocks() {
    let arso = Pc::new(1).on("1", at(3, 0)).session("1", LOCK, at(3, 0).plus(20)).because("unattended_logon");
    let nobody = day_at(std::slice::from_ref(&arso), 0, at(12, 0));
    assert_eq!((nobody.first, nobody.last, nobody.active_ms), (First::None, Last::None, 0));
    assert_eq!(bands(&nobody), [(Kind::Unattended, at(12, 0))]);
    let came = arso.session("1", UNLOCK, at(9, 0)).because("presence_begins").off("1", at(18, 0));
    let day = day(&[came], 0);
    assert_eq!(first_at(&day), (at(9, 0), Level::Exact, 4));
    assert_eq!(bands(&day), [(Kind::Unattended, at(9, 0)), (Kind::Active, at(18, 0))]);
}

#[test]
fn punches_of_scripts_make_stays_by_their_order() {
    let script = |pc: Pc, kind, time| {
        pc.then(kind, time).with(|event| {
            (event.evidence, event.account) = (Evidence::Script, Some(account("hanako")));
        })
    };
    let pc = script(Pc::new(1), EventKind::Logon, at(9, 0));
    let pc = script(script(pc, EventKind::Logon, at(13, 0)), EventKind::Logoff, at(18, 0));
    let day = day(&[pc], 0);
    assert_eq!(day.lanes[0].stays.len(), 2);
    assert_eq!(bands(&day), [(Kind::Estimated, at(13, 0))], "the first logoff is missing");
    assert_eq!(last_at(&day), (at(18, 0), at(18, 0), Level::Exact));
}

#[test]
fn what_was_not_watched_before_the_first_logon_may_hide_an_earlier_one() {
    let pc = |stop: i64| {
        Pc::new(1)
            .then(EventKind::ServiceStop, at(stop, 0))
            .then(EventKind::ServiceStart, at(stop + 1, 0))
            .on("1", at(10, 0))
            .off("1", at(18, 0))
    };
    let First::At { may_be_earlier, .. } = day(&[pc(7)], 0).first else { panic!() };
    assert!(may_be_earlier);
    let whole = Pc::new(1).on("1", at(10, 0)).off("1", at(18, 0));
    let (First::At { may_be_earlier, .. }, Last::At { may_be_later, .. }) =
        (day(std::slice::from_ref(&whole), 0).first, day(&[whole], 0).last)
    else {
        panic!()
    };
    assert!(!may_be_earlier && !may_be_later);
}

#[test]
fn a_day_without_a_stay_says_why_and_never_that_nobody_worked() {
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    assert_eq!(day(std::slice::from_ref(&pc), 1).silence, Some(Silence::Watched));
    assert_eq!(day(std::slice::from_ref(&pc), -1).silence, Some(Silence::BeforeFirstStart));
    let stopped = pc.clone().then(EventKind::ServiceStop, at(30, 0)).then(EventKind::ServiceStart, at(40, 0));
    assert_eq!(day(&[stopped], 1).silence, Some(Silence::AgentOff));
    let mut holed = pc
        .clone()
        .then(EventKind::Gap, at(30, 0))
        .then(EventKind::Gap, at(41, 0))
        .then(EventKind::Suspend, at(42, 0));
    holed.events.remove(4);
    assert_eq!(day(&[holed], 1).silence, Some(Silence::Unknown));
    assert_eq!(day(&[], 0).silence, Some(Silence::NoTerminal));
    let none = Record::of(&[], &[], at(99, 0)).day(borders(0), Whose::always(&[]));
    assert_eq!((none.silence, none.state), (Some(Silence::NoAccount), State::Unknown));
}

#[test]
fn employment_goes_from_its_first_date_to_its_last_and_may_be_open() {
    let on = |date| Employment::on(date, Some(3), Some(5));
    let all = [2, 3, 5, 6].map(on);
    assert_eq!(all, [Employment::Before, Employment::During, Employment::During, Employment::After]);
    assert_eq!(Employment::on(9, Some(3), None), Employment::During);
    assert_eq!(Employment::on(1, None, Some(5)), Employment::During);
}

#[test]
fn outside_of_the_employment_nothing_is_missing_and_what_is_there_stays() {
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let pcs = std::slice::from_ref(&pc);
    let standing = |employment| Standing { employment, evening_before: employment, before_first_link: true };
    let silent = |employment| day(pcs, 1).of_one_with(standing(employment)).silence;
    assert_eq!(silent(Employment::Before), Some(Silence::BeforeEmployment));
    assert_eq!(silent(Employment::After), Some(Silence::AfterEmployment));
    assert_eq!(silent(Employment::During), Some(Silence::Watched), "an account is linked");
    let unlinked = || Record::of(&[], &[], at(99, 0)).day(borders(0), Whose::always(&[]));
    let explained = |standing| unlinked().of_one_with(standing).silence;
    assert_eq!(explained(standing(Employment::During)), Some(Silence::BeforeFirstLink));
    let later = Standing {
        employment: Employment::During,
        evening_before: Employment::During,
        before_first_link: false,
    };
    assert_eq!(explained(later), Some(Silence::NoAccount), "a link has ended, or there is none");
    let plain = day(pcs, 0);
    let left = day(pcs, 0).of_one_with(standing(Employment::After));
    assert_eq!((left.silence, left.employment), (None, Employment::After));
    assert_eq!((left.first, left.last, left.active_ms), (plain.first, plain.last, plain.active_ms));
}

#[test]
fn an_old_pc_does_not_speak_for_the_days_after_the_change_to_a_new_one() {
    let old = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let new = Pc::new(2).on("1", at(57, 0)).off("1", at(66, 0));
    let lanes = |number| {
        let day = day(&[old.clone(), new.clone()], number);
        day.lanes.iter().map(|lane| lane.terminal).collect::<Vec<_>>()
    };
    assert_eq!(lanes(0), [terminal(1)]);
    assert_eq!(lanes(1), [terminal(1)], "the one used last");
    assert_eq!(lanes(2), [terminal(2)]);
    assert_eq!(lanes(5), [terminal(2)]);
    assert_eq!(lanes(-3), [terminal(1)], "before all of them, the first");
}

#[test]
fn every_name_is_its_own() {
    let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Kind::ALL.len());
    let levels = [Level::Exact, Level::Estimated, Level::Unknown].map(Level::name);
    assert_eq!(levels, ["exact", "estimated", "unknown"]);
}

mod borders;
mod reach;
mod sums;
