//! The sorted sweep against the rule as it is said: looking at every statement for every moment.

use mngntime_model::{BootId, Moment};
use proptest::prelude::*;

use super::*;

/// Every look goes over everything: what [`Timeline::of`] said before it was made fast.
fn every_statement(
    events: &[Received],
    missing: &[(u64, u64)],
    hidden: &[u64],
    last_contact_at: Option<UtcMillis>,
    now: UtcMillis,
) -> Statements {
    let mut said = Statements::default();
    let declared: Vec<_> = events.iter().filter_map(|received| declared_loss(&received.event)).collect();
    let is_declared = |(first, last): &(u64, u64)| declared.iter().any(|(f, l)| f <= first && last <= l);
    for (first, last) in missing.iter().filter(|numbers| !is_declared(numbers)) {
        let before = events.iter().rfind(|received| received.event.sequence < *first);
        let after = events.iter().find(|received| received.event.sequence > *last);
        let recorded = |received: &Received| received.event.recorded_at.wall;
        let times = (before.or(after).map(recorded), after.or(before).map(recorded));
        if let (Some(before), Some(after)) = times {
            said.add(before.min(after), before.max(after).plus(1), Why::NumbersMissing);
        }
    }
    let mut run: Option<Run> = None;
    for received in events {
        let event = &received.event;
        said.note_gap(event);
        if received.is_late() {
            said.late.push(event.recorded_at.wall);
        }
        let ended = run.as_ref().map(|run| run.last_sign);
        run = Some(said.follow(run, event));
        let Some(ended) = ended.filter(|_| event.kind == EventKind::ServiceStart) else { continue };
        let after = event.sequence..event.sequence + START_EVENTS;
        let next = missing.iter().find(|(_, last)| *last >= event.sequence);
        if next.is_some_and(|numbers| after.contains(&numbers.0) && !is_declared(numbers)) {
            said.add(ended, event.occurred_at, Why::NumbersMissing);
        }
        let cut_off = event.cause.as_deref() == Some("after_power_loss");
        if cut_off && hidden.iter().any(|number| after.contains(number)) {
            said.add(ended, event.occurred_at, Why::PowerLost);
        }
    }
    if let Some(run) = run {
        said.note_end(&run, last_contact_at, now);
    }
    said
}

/// Millisecond by millisecond.
fn naive_day(said: &Statements, from: i64, to: i64) -> Day {
    let mut parts: Vec<Part> = Vec::new();
    for time in (from..to).map(UtcMillis) {
        let about = said.parts.iter().filter(|part| part.from <= time && time < part.to);
        let nobody_yet = said.parts.iter().all(|part| part.from > time);
        let otherwise = if nobody_yet { Why::BeforeFirstStart } else { Why::Silent };
        let why = about.map(|part| part.why).max_by_key(|why| (why.state(), *why)).unwrap_or(otherwise);
        match parts.last_mut().filter(|last| last.why == why) {
            Some(last) => last.to = time.plus(1),
            None => parts.push(Part { from: time, to: time.plus(1), why }),
        }
    }
    let late = said.late.iter().filter(|at| (from..to).contains(&at.0)).count() as u64;
    Day { state: worst(&parts), late, parts }
}

fn received(sequence: u64, kind: EventKind, time: i64) -> Received {
    let wall = UtcMillis(time);
    let event = Event {
        sequence,
        boot: BootId::new("b").unwrap(),
        kind,
        evidence: Evidence::Notice,
        occurred_at: wall,
        bounds: None,
        recorded_at: Moment { wall, offset_seconds: 32_400, biased_ms: 0, unbiased_ms: 0 },
        session: None,
        account: None,
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    };
    Received::of(event, wall, 0)
}

const KINDS: [EventKind; 9] = [
    EventKind::ServiceStart,
    EventKind::ServiceStart,
    EventKind::ServiceStop,
    EventKind::Shutdown,
    EventKind::Logon,
    EventKind::Logoff,
    EventKind::Lock,
    EventKind::Gap,
    EventKind::Gap,
];

/// The last minutes of a day that is 200 ms long.
const END: i64 = 200;

prop_compose! {
    fn any_event()(
        step in 1_u64..4,
        kind in proptest::sample::select(&KINDS[..]),
        boot in proptest::sample::select(&["a", "b"][..]),
        time in 0..END,
        bounds in proptest::option::of((0..END, 0..40_i64)),
        inferred: bool,
        (which, first, more) in (0..7_usize, 1_u64..40, 0_u64..4),
        waited in proptest::sample::select(&[0, LATE_MS, LATE_MS + 1][..]),
        is_hidden in proptest::bool::weighted(0.2),
    ) -> (u64, Received, bool) {
        let mut made = received(0, kind, time);
        made.event.boot = BootId::new(boot).unwrap();
        made.event.bounds = bounds.map(|(from, long)| Bounds::between(UtcMillis(from), UtcMillis(from + long)));
        made.event.evidence = if inferred { Evidence::Inferred } else { Evidence::Notice };
        let last = first + more;
        let causes: [Option<String>; 7] = [
            None,
            Some("after_power_loss".to_owned()),
            Some("power_loss".to_owned()),
            Some(format!("not_held:{first}-{last}")),
            Some(format!("unreadable:{first}-{last}")),
            Some(format!("rolled_back:{first}-{last};after=1")),
            Some("in_order".to_owned()),
        ];
        made.event.cause = causes[which].clone();
        made.received_at = UtcMillis(time + waited);
        (step, made, is_hidden)
    }
}

/// Events with ascending numbers, the holes between them, and the numbers that are hidden.
fn told(made: Vec<(u64, Received, bool)>) -> (Vec<Received>, Vec<(u64, u64)>, Vec<u64>) {
    let (mut events, mut missing, mut hidden, mut number) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (step, mut received, is_hidden) in made {
        if step > 1 {
            missing.push((number + 1, number + step - 1));
        }
        number += step;
        received.event.sequence = number;
        if is_hidden {
            hidden.push(number);
        } else {
            events.push(received);
        }
    }
    (events, missing, hidden)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sweep_says_what_the_rule_says(
        made in proptest::collection::vec(any_event(), 0..24),
        contact in proptest::option::of(0..END + 20),
        now in 0..END + 50,
        cuts in proptest::collection::vec(-20..END + 70, 2..6),
    ) {
        let (events, missing, hidden) = told(made);
        let (contact, now) = (contact.map(UtcMillis), UtcMillis(now));
        let said = every_statement(&events, &missing, &hidden, contact, now);
        let timeline = Timeline::of(&events, &missing, &hidden, contact, now);
        for pair in cuts.windows(2) {
            let (from, to) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
            prop_assert_eq!(timeline.day(UtcMillis(from), UtcMillis(to)), naive_day(&said, from, to));
        }
        let shown: Vec<&Event> = events.iter().map(|received| &received.event).collect();
        let start = shown.iter().rfind(|event| event.kind == EventKind::ServiceStart).or(shown.first());
        prop_assert_eq!(last_run(shown.iter().rev().copied()), start.map(|event| event.boot.clone()));
    }
}

/// A terminal that has lost every second record of a year, and has declared half of the holes. To look at everything for
/// every hole would be some 10^10 steps.
#[test]
fn a_hundred_thousand_holes_are_judged_exactly() {
    const HOLES: u64 = 100_000;
    const PAUSE_MS: i64 = 300_000;
    let at = |index: u64| MIDNIGHT + i64::try_from(index).unwrap() * PAUSE_MS;
    let mut events = vec![received(1, EventKind::ServiceStart, at(0))];
    events.extend((1..=HOLES).map(|hole| received(2 * hole + 1, EventKind::Lock, at(hole))));
    let missing: Vec<(u64, u64)> = (1..=HOLES).map(|hole| (2 * hole, 2 * hole)).collect();
    // Each second hole is declared, by a record of the last moment.
    let declarations = (1..=HOLES).filter(|hole| hole % 2 == 0).enumerate().map(|(index, hole)| {
        let mut gap = received(2 * HOLES + 2 + index as u64, EventKind::Gap, at(HOLES));
        gap.event.cause = Some(format!("not_held:{0}-{0}", 2 * hole));
        gap
    });
    events.extend(declarations);
    let now = UtcMillis(at(HOLES));
    let timeline = Timeline::of(&events, &missing, &[], None, now);
    let days: Vec<Day> = (0..HOLES.div_ceil(288))
        .map(|day| timeline.day(UtcMillis(at(288 * day)), UtcMillis(at((288 * (day + 1)).min(HOLES)))))
        .collect();
    let of = |why: Why| -> (usize, i64) {
        let parts = days.iter().flat_map(|day| &day.parts).filter(|part| part.why == why);
        parts.fold((0, 0), |(count, long), part| (count + 1, long + part.to.0 - part.from.0))
    };
    // A hole reaches to the millisecond of the record after it; the first of a day follows what was watched.
    let undeclared = i64::try_from(HOLES / 2).unwrap();
    let (holes, missing_ms) = of(Why::NumbersMissing);
    assert_eq!(missing_ms, undeclared * (PAUSE_MS + 1));
    assert_eq!(of(Why::Watched).1, undeclared * (PAUSE_MS - 1));
    // A day's border at which a hole ends by a millisecond cuts it in two.
    assert!((HOLES / 2..HOLES / 2 + days.len() as u64).contains(&(holes as u64)), "{holes}");
    assert!(days.iter().all(|day| day.state == State::Unknown));
}
