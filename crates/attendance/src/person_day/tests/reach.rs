//! How far a stay reaches that nobody has ended, and one that a clock without a battery has stamped.

use super::*;
use crate::completeness::put_right;

/// Day number `day` of hanako on a PC that was last heard of at `heard`.
fn heard_until(pc: &Pc, day: i64, heard: UtcMillis, now: UtcMillis) -> PersonDay {
    let timeline = Timeline::of(&pc.events, &[], &[], Some(heard), now);
    let used = (pc.events[0].event.occurred_at, pc.events[0].event.occurred_at);
    let terminal = Terminal { id: pc.id, events: &pc.events, timeline: &timeline, used };
    Record::of(&[terminal], &["S-hanako"], now).day(borders(day), Whose::always(&["S-hanako"]))
}

#[test]
fn a_stay_that_nobody_has_ended_goes_as_far_as_its_pc_is_heard_of() {
    let (pc, now) = (Pc::new(1).on("1", at(9, 0)), at(24 * 9, 0));
    let day = |number, heard| heard_until(&pc, number, heard, now);
    let heard = at(24 * 2 + 10, 0);
    assert_eq!((day(1, heard).silence, day(1, heard).last), (None, Last::GoesOn { until: None }));
    assert_eq!(day(2, heard).lanes[0].stays.len(), 1, "it was there in the morning");
    for later in [3, 4, 8] {
        let unknown = day(later, heard);
        assert_eq!((unknown.silence, unknown.state), (Some(Silence::Unknown), State::Unknown), "{later}");
        assert_eq!((unknown.first, unknown.last), (First::None, Last::None), "{later}");
    }
    assert_eq!(day(2, heard).last, Last::None, "and is not said to go on where nothing is heard of it");
    // To the millisecond.
    assert_eq!(day(3, at(72, 0)).silence, Some(Silence::Unknown));
    assert_eq!(day(3, at(72, 0).plus(1)).silence, None);
}

#[test]
fn what_is_heard_later_tells_of_the_days_before() {
    let pc = Pc::new(1).on("1", at(9, 0)).then(EventKind::Suspend, at(18, 0));
    let (asleep, now) = (pc.clone(), at(60, 0));
    assert_eq!(heard_until(&asleep, 1, at(18, 1), now).silence, Some(Silence::Unknown));
    let awake = pc.then(EventKind::Resume, at(57, 0));
    let day = heard_until(&awake, 1, at(58, 0), now);
    assert_eq!((day.silence, bands(&day)), (None, vec![(Kind::Asleep, at(48, 0))]));
}

#[test]
fn a_stay_goes_on_no_longer_than_an_agent_that_is_gone() {
    let pc = Pc::new(1).on("1", at(9, 0)).then(EventKind::ServiceStop, at(18, 0));
    let gone = heard_until(&pc, 1, at(18, 0), at(60, 0));
    assert_eq!(gone.silence, Some(Silence::AgentOff));
    let back = pc.then(EventKind::ServiceStart, at(57, 0)).off("1", at(58, 0));
    let day = heard_until(&back, 1, at(58, 0), at(60, 0));
    assert_eq!((day.silence, bands(&day)), (None, vec![(Kind::Unwatched, at(48, 0))]));
}

/// Twenty-seven years, in days.
const DEAD: i64 = 27 * 365;

/// A PC whose clock starts in 1999: somebody signs in at 9:00, the clock is set at 9:10, and they sign out at 18:00. `came` is
/// when the server heard of the first part, and how far the clock was off then.
fn from_1999(came: (UtcMillis, i64)) -> Pc {
    let wrong = |hour, minute| at(hour - 24 * DEAD, minute);
    let mut pc = Pc { events: Vec::new(), ..Pc::new(1) };
    pc = pc.then(EventKind::ServiceStart, wrong(8, 55)).on("1", wrong(9, 0));
    for received in &mut pc.events {
        (received.received_at, received.clock_offset_ms) = came;
    }
    pc
}

const OFF_MS: i64 = DEAD * 86_400_000;

fn right_days(pc: &Pc, days: &[i64]) -> Vec<PersonDay> {
    let events = put_right(pc.events.clone());
    let (pc, now) = (Pc { events, ..pc.clone() }, at(20, 0));
    days.iter().map(|day| heard_until(&pc, *day, now, now)).collect()
}

#[test]
fn a_clock_without_a_battery_is_put_right_by_the_servers_and_fills_no_days() {
    // The server heard of it before the clock was set; or afterwards, together with the setting.
    let set = |pc: Pc| {
        pc.then(EventKind::TimeChange, at(9, 10)).because(&format!("by_ms:{OFF_MS}")).off("1", at(18, 0))
    };
    let mut together = set(from_1999((at(9, 20), 0)));
    together.events[2].received_at = at(9, 20);
    for pc in [set(from_1999((at(9, 1), OFF_MS))), together] {
        let days = right_days(&pc, &[0, -1, -30, -DEAD]);
        assert_eq!((first_at(&days[0]), last_at(&days[0]).0), ((at(9, 0), Level::Estimated, 2), at(18, 0)));
        assert!(days[1..].iter().all(|day| day.silence == Some(Silence::BeforeFirstStart)), "{days:?}");
    }
    // Nobody has set it yet, and the PC goes on.
    let open = from_1999((at(9, 1), OFF_MS));
    let days = right_days(&open, &[0, -1, -DEAD]);
    assert_eq!((first_at(&days[0]).0, days[0].last), (at(9, 0), Last::Open));
    assert!(days[1..].iter().all(|day| day.silence.is_some()));
}

#[test]
fn a_dead_clock_of_which_nothing_tells_how_far_it_was_off_fills_no_days() {
    // It comes with the right time of the server, years late.
    let open = from_1999((at(9, 20), 0));
    let ended = open.clone().off("1", at(18, 0));
    let mut rebooted = open.clone().dark_until(at(10, 0));
    rebooted.events.iter_mut().for_each(|received| received.clock_offset_ms = 0);
    for (pc, on_the_day) in [(open, false), (ended, true), (rebooted, false)] {
        let days = right_days(&pc, &[-DEAD, 1 - DEAD, -400, -30, -1, 0]);
        let there: Vec<_> = days.iter().map(|day| day.silence.is_none()).collect();
        assert_eq!(there, [true, false, false, false, false, on_the_day], "{:?}", pc.events.last());
    }
}

/// A power cut in the evening, found out after a start with a dead battery: the interval goes from the last sign by the clock of
/// before to the start.
#[test]
fn what_was_found_out_by_a_dead_clock_stands_where_its_interval_begins() {
    let mut pc = from_1999((at(9, 1), OFF_MS));
    let event = &mut pc.events[1].event;
    (event.kind, event.evidence) = (EventKind::Logoff, Evidence::Inferred);
    event.bounds = Some(Bounds { not_before: event.occurred_at, not_after: at(-7, 1) });
    let right = put_right(pc.events).remove(1);
    let bounds = right.event.bounds.unwrap();
    assert_eq!(
        (right.event.occurred_at, bounds.not_before, bounds.not_after),
        (at(-7, 1), at(-7, 1), at(9, 0))
    );
}

#[test]
fn a_setting_of_an_account_or_of_another_batch_tells_nothing_and_none_puts_anything_into_the_future() {
    let stood = |account: bool, other_batch: bool, by: i64| {
        let mut pc =
            from_1999((at(9, 20), 0)).then(EventKind::TimeChange, at(9, 10)).because(&format!("by_ms:{by}"));
        pc.events[2].event.account = pc.events[1].event.account.clone().filter(|_| account);
        pc.events[2].received_at = at(9, 20 + i64::from(other_batch));
        put_right(pc.events)[1].stamped_at.is_some()
    };
    assert!(stood(false, false, OFF_MS));
    assert!(!stood(true, false, OFF_MS) && !stood(false, true, OFF_MS));
    assert!(!stood(false, false, OFF_MS + 86_400_000), "tomorrow");
}

/// It came up without a battery of its own, and nobody has told it the time yet.
#[test]
fn a_server_that_has_lost_its_clock_puts_nothing_right() {
    let mut pc = Pc::new(1).on("1", at(9, 0));
    let stood = |pc: &Pc| put_right(pc.events.clone()).pop().unwrap();
    for (received_at, is_lost) in
        [(946_684_800_000, true), (1_767_225_599_999, true), (1_767_225_600_000, false)]
    {
        for received in &mut pc.events {
            (received.received_at, received.clock_offset_ms) = (UtcMillis(received_at), -20 * OFF_MS);
        }
        assert_eq!(stood(&pc).stamped_at.is_none(), is_lost, "{received_at}");
    }
}

#[test]
fn a_clock_that_is_off_by_less_than_years_is_the_pcs_own() {
    let off = |ms: i64| {
        let mut pc = Pc::new(1).on("1", at(9, 0));
        for received in &mut pc.events {
            (received.received_at, received.clock_offset_ms) = (at(9, 0).plus(ms.max(0)), ms);
        }
        put_right(pc.events)[1].event.occurred_at.0 - at(9, 0).0
    };
    let year = 366 * 86_400_000;
    assert_eq!([off(year), off(-year), off(60_000)], [0; 3]);
    assert_eq!([off(year + 1), off(-year - 1)], [year + 1, -year - 1]);
    assert_eq!(off(i64::MAX), 0, "an offset beyond all numbers tells no time");
}
