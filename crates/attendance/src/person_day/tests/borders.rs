//! What holds at the very minute: midnight, the day boundary, the edges of what was not watched, and which event
//! stands for an edge.

use super::*;

/// Begin and end events of all bands of the first stay of the first lane.
fn named(day: &PersonDay) -> Vec<(u64, u64)> {
    let ids = |band: &Band| (band.begins.unwrap().sequence, band.ends.unwrap().sequence);
    day.lanes[0].stays[0].bands.iter().map(ids).collect()
}

fn kinds(day: &PersonDay) -> Vec<EventKind> {
    day.lanes[0].marks.iter().map(|mark| mark.kind).collect()
}

/// The last event tells of the PC's first OS run.
fn of_the_first_run(pc: Pc) -> Pc {
    pc.with(|event| event.session.as_mut().unwrap().boot = BootId::new("b1").unwrap())
}

#[test]
fn a_stay_that_begins_at_midnight_is_of_the_day_that_begins() {
    let pc = Pc::new(1).on("1", at(24, 0)).off("1", at(26, 0));
    let (one, two) = (day(std::slice::from_ref(&pc), 0), day(&[pc], 1));
    assert_eq!((one.silence, kinds(&one)), (Some(Silence::Watched), vec![EventKind::ServiceStart]));
    assert_eq!((first_at(&two).0, last_at(&two).0), (at(24, 0), at(26, 0)));
}

#[test]
fn a_stay_that_ends_at_midnight_is_not_on_the_day_that_begins() {
    let pc = Pc::new(1).on("1", at(22, 0)).off("1", at(24, 0));
    assert_eq!(day(&[pc], 1).silence, Some(Silence::Watched));
}

#[test]
fn a_pc_used_before_and_after_a_day_speaks_for_it_and_one_used_from_its_end_does_not() {
    let pc = |number| {
        let first = Pc::new(number).on("1", at(9, 0)).off("1", at(18, 0));
        first.on("2", at(57, 0)).off("2", at(66, 0))
    };
    assert_eq!(day(&[pc(1), pc(2)], 1).lanes.len(), 2);
    let next = Pc::new(2).on("1", at(24, 0)).off("1", at(26, 0));
    assert_eq!(day(&[pc(1), next], 0).lanes.len(), 1);
}

#[test]
fn a_night_goes_on_after_a_pause_of_two_hours_and_not_after_more() {
    let pc = |minute| Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(26, minute));
    let begins_a_day = |minute| day(&[pc(minute).off("2", at(27, 0))], 1).first != First::None;
    assert!(!begins_a_day(10));
    assert!(begins_a_day(11));
}

#[test]
fn what_continues_a_night_did_not_begin_on_the_day_before() {
    for minute in [0, 15] {
        let pc = Pc::new(1).on("1", at(22, 0)).off("1", at(23, 50));
        let pc = pc.on("2", at(24, minute)).off("2", at(26, 0));
        let two = day(&[pc], 1);
        assert_eq!((two.first, two.lanes[0].stays[0].from_before), (First::None, false), "{minute}");
    }
}

#[test]
fn a_short_stay_before_dawn_with_no_night_before_it_begins_a_day() {
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)).on("2", at(28, 0)).off("2", at(28, 40));
    assert_eq!(first_at(&day(&[pc], 1)).0, at(28, 0));
}

#[test]
fn a_stay_that_ends_at_the_day_boundary_is_no_nights_work() {
    let over_midnight = Pc::new(1).on("1", at(22, 0)).off("1", at(29, 0));
    let beside_it = Pc::new(2).on("1", at(28, 30)).off("1", at(28, 50));
    let pcs = [over_midnight, beside_it];
    assert_eq!((day(&pcs, 0).until, first_at(&day(&pcs, 1)).0), (at(24, 0), at(28, 30)));
    let after_one =
        Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(24, 15)).off("2", at(29, 0));
    let (one, two) = (day(std::slice::from_ref(&after_one), 0), day(&[after_one], 1));
    assert_eq!((last_at(&one).0, first_at(&two).0), (at(24, 10), at(24, 15)));
}

#[test]
fn the_picture_of_a_night_ends_where_an_interval_does_unless_it_is_wider_than_the_night() {
    let until = |from, to| {
        let pc = Pc::new(1).on("1", at(22, 0)).off("1", to).within(from, to, Evidence::Inferred);
        day(&[pc], 0).until
    };
    assert_eq!(until(at(23, 30), at(25, 0)), at(25, 0));
    assert_eq!(until(at(25, 0), at(30, 0)), at(29, 0), "not beyond the boundary");
    assert_eq!(until(at(24, 0), at(30, 0)), at(24, 0));
}

#[test]
fn of_two_logons_the_interval_begins_with_the_earlier_and_ends_with_what_is_certain() {
    let guessed = Pc::new(1).on("1", at(10, 0)).within(at(8, 0), at(10, 0), Evidence::Inferred);
    let pcs = [guessed.off("1", at(18, 0)), Pc::new(2).on("1", at(9, 0)).off("1", at(18, 0))];
    let First::At { edge, .. } = day(&pcs, 0).first else { panic!() };
    assert_eq!((edge.at, edge.latest, edge.event.terminal), (at(8, 0), at(9, 0), terminal(2)));
}

#[test]
fn of_two_logons_at_the_same_time_the_first_pc_is_named() {
    let pc = |number| Pc::new(number).on("1", at(9, 0)).off("1", at(18, 0));
    let day = day(&[pc(2), pc(1)], 0);
    let (First::At { edge: first, .. }, Last::At { edge: last, .. }) = (day.first, day.last) else {
        panic!()
    };
    assert_eq!((first.event.terminal, last.event.terminal), (terminal(1), terminal(1)));
}

#[test]
fn what_is_not_watched_from_the_logon_on_or_up_to_the_logoff_hides_nothing() {
    let pc = Pc::new(1)
        .on("1", at(10, 0))
        .then(EventKind::ServiceStop, at(10, 0))
        .then(EventKind::ServiceStart, at(11, 0))
        .then(EventKind::ServiceStop, at(16, 0))
        .then(EventKind::ServiceStart, at(18, 0))
        .off("1", at(18, 0));
    let day = day(&[pc], 0);
    let (First::At { may_be_earlier, .. }, Last::At { may_be_later, .. }) = (day.first, day.last) else {
        panic!()
    };
    assert_eq!((may_be_earlier, may_be_later), (false, false));
}

#[test]
fn silence_after_a_shutdown_is_a_flaw_of_later_days_only() {
    let down = |pc: Pc| pc.then(EventKind::Shutdown, at(18, 1)).then(EventKind::ServiceStop, at(18, 2));
    let in_order = down(Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)));
    let Last::At { may_be_later, .. } = day_at(&[in_order], 0, at(23, 0)).last else { panic!() };
    assert!(!may_be_later, "of the day on which it went down");
    // Nobody told of the logoff, and nothing of the next day.
    let silent = down(Pc::new(1).on("1", at(9, 0)));
    let later = day_at(std::slice::from_ref(&silent), 1, at(47, 0));
    assert_eq!((later.silence, later.state), (Some(Silence::Unknown), State::Unknown));
    assert_eq!(day_at(&[silent], 0, at(47, 0)).state, State::Observed);
}

#[test]
fn sleep_of_the_pc_is_told_on_days_with_a_stay_only() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .then(EventKind::Suspend, at(12, 0))
        .then(EventKind::Resume, at(13, 0))
        .off("1", at(18, 0))
        .then(EventKind::Suspend, at(36, 0))
        .then(EventKind::Resume, at(37, 0))
        .then(EventKind::TimeChange, at(38, 0));
    let told = [EventKind::ServiceStart, EventKind::Logon, EventKind::Suspend, EventKind::Resume];
    assert_eq!(kinds(&day(std::slice::from_ref(&pc), 0)), [&told[..], &[EventKind::Logoff]].concat());
    assert_eq!(kinds(&day(&[pc], 1)), [EventKind::TimeChange]);
}

#[test]
fn time_that_was_not_watched_is_named_by_the_events_around_it() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .then(EventKind::ServiceStop, at(11, 0))
        .then(EventKind::ServiceStart, at(12, 0))
        .session("1", UNLOCK, at(13, 0))
        .off("1", at(18, 0));
    assert_eq!(named(&day(&[pc], 0)), [(2, 3), (3, 4), (4, 5), (5, 6)]);
}

#[test]
fn an_unlock_while_nobody_watched_leaves_the_time_before_unclear() {
    let pc = Pc::new(1)
        .on("1", at(9, 0))
        .then(EventKind::ServiceStop, at(11, 0))
        .then(EventKind::ServiceStart, at(12, 0))
        .session("1", UNLOCK, at(12, 0))
        .with(|event| (event.evidence, event.occurred_at) = (Evidence::BackFilled, at(11, 30)))
        .off("1", at(18, 0));
    let expected = [(Kind::Unclear, at(11, 0)), (Kind::Unwatched, at(12, 0)), (Kind::Active, at(18, 0))];
    assert_eq!(bands(&day(&[pc], 0)), expected);
}

#[test]
fn an_estimated_time_is_named_by_the_event_that_estimates_it() {
    let pc = Pc::new(1).on("1", at(9, 0)).within(at(8, 0), at(9, 0), Evidence::Inferred);
    let pc =
        pc.session("1", LOCK, at(17, 0)).off("1", at(19, 0)).within(at(18, 0), at(19, 0), Evidence::Inferred);
    let day = day(&[pc], 0);
    let expected = [
        (Kind::Estimated, at(9, 0)),
        (Kind::Active, at(17, 0)),
        (Kind::Locked, at(18, 0)),
        (Kind::Estimated, at(19, 0)),
    ];
    assert_eq!((bands(&day), named(&day)), (expected.to_vec(), vec![(2, 2), (2, 3), (3, 4), (4, 4)]));
}

#[test]
fn what_was_found_at_the_start_and_what_nobody_attended_end_with_their_own_events() {
    let found = Pc::new(1).then(EventKind::ServiceStart, at(9, 30)).on("1", at(9, 30)).with(|event| {
        (event.evidence, event.occurred_at) = (Evidence::FoundAtStart, at(9, 2));
    });
    assert_eq!(named(&day(&[found.off("1", at(18, 0))], 0)), [(3, 3), (3, 4)]);
    let arso = Pc::new(1).on("1", at(3, 0)).because("unattended");
    let arso = arso.session("1", UNLOCK, at(9, 0)).off("1", at(18, 0));
    assert_eq!(named(&day(&[arso], 0)), [(2, 3), (3, 4)]);
}

#[test]
fn an_interval_is_an_estimate_and_so_is_what_the_agent_inferred() {
    let interval = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let interval = interval.within(at(17, 0), at(18, 0), Evidence::BackFilled);
    assert_eq!(last_at(&day(&[interval], 0)), (at(17, 0), at(18, 0), Level::Estimated));
    let inferred = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let inferred = inferred.with(|event| event.evidence = Evidence::Inferred);
    assert_eq!(last_at(&day(&[inferred], 0)), (at(18, 0), at(18, 0), Level::Estimated));
}

#[test]
fn a_logoff_before_its_logon_by_a_clock_that_was_set_back_is_at_the_logon() {
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(8, 0));
    assert_eq!(last_at(&day(&[pc], 0)), (at(9, 0), at(9, 0), Level::Exact));
}

#[test]
fn a_stay_without_a_logoff_lasted_at_least_as_long_as_the_pc_was_seen_to_run() {
    let dark = |pc: Pc| day(&[pc.dark_until(at(33, 0))], 0);
    let seen = Pc::new(1).on("1", at(9, 0)).then(EventKind::DisplayOff, at(17, 30));
    assert_eq!(last_at(&dark(seen)), (at(17, 30), at(33, 0), Level::Unknown));
    let told_late = Pc::new(1).on("1", at(9, 0)).session("1", LOCK, at(17, 30)).with(|event| {
        (event.evidence, event.occurred_at) = (Evidence::BackFilled, at(12, 0));
    });
    assert_eq!(last_at(&dark(told_late)), (at(17, 30), at(33, 0), Level::Unknown));
}

#[test]
fn what_the_next_run_tells_of_a_stay_shows_that_it_is_over() {
    let pc = Pc::new(1).on("1", at(9, 0)).dark_until(at(33, 0)).session("1", LOCK, at(33, 5));
    let pc = of_the_first_run(pc).with(|event| {
        (event.evidence, event.occurred_at) = (Evidence::BackFilled, at(17, 45));
    });
    let ended = (at(17, 45), at(33, 0), Level::Unknown);
    assert_eq!(last_at(&day(std::slice::from_ref(&pc), 0)), ended, "though it is the last thing told");
    assert_eq!(last_at(&day(&[pc.then(EventKind::DisplayOff, at(34, 0))], 0)), ended);
}

#[test]
fn a_run_of_before_the_stay_does_not_end_it() {
    let mut pc = Pc::new(1).dark_until(at(33, 0)).on("1", at(34, 0)).session("1", LOCK, at(40, 0));
    (pc.boot, pc.began) = ("b3", at(57, 0));
    let day = day(&[pc.then(EventKind::Boot, at(57, 0))], 1);
    assert_eq!(last_at(&day), (at(40, 0), at(57, 0), Level::Unknown));
}

#[test]
fn what_tells_of_the_pc_makes_no_stay_whoever_it_names() {
    let pc = Pc::new(1).session("1", EventKind::TimeChange, at(9, 0));
    assert_eq!(day(&[pc], 0).silence, Some(Silence::Watched));
}

/// From 22:00 to 6:00 for three nights.
fn nights_to_six() -> Pc {
    (0..3).fold(Pc::new(1), |pc, night| {
        let session = night.to_string();
        pc.on(&session, at(24 * night + 22, 0)).off(&session, at(24 * night + 30, 0))
    })
}

#[test]
fn what_begins_in_the_evening_and_goes_on_beyond_the_boundary_is_what_the_day_ends_with() {
    let pcs = [nights_to_six()];
    let days: Vec<_> = (0..4).map(|number| day(&pcs, number)).collect();
    assert_eq!((first_at(&days[0]).0, goes_on(&days[0])), (at(22, 0), Some(at(30, 0))));
    for number in [1, 2] {
        let today = &days[number as usize];
        let evening = (first_at(today).0, goes_on(today));
        assert_eq!(evening, (at(24 * number + 22, 0), Some(at(24 * number + 30, 0))), "{number}");
    }
    assert!(matches!(days[3].first, First::Continued { .. }), "{:?}", days[3].first);
    assert_eq!(last_at(&days[3]).0, at(24 * 3 + 6, 0), "nothing begins after it");
}

#[test]
fn a_stay_that_goes_on_ends_the_day_from_the_minute_of_the_last_logoff_on() {
    let last = |pc: &[Pc]| day(pc, 0).last;
    let goes_on = |pc: &[Pc]| goes_on(&day(pc, 0));
    let here = |logon| Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)).on("2", logon).off("2", at(30, 0));
    assert_eq!(goes_on(&[here(at(18, 0))]), Some(at(30, 0)));
    let beside = |logon| [Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)), Pc::new(2).on("1", logon)];
    assert_eq!(goes_on(&beside(at(18, 0))), None, "on another PC, too, whenever that ends");
    let Last::At { edge, others_go_on, .. } = last(&beside(at(17, 59))) else { panic!() };
    assert_eq!((edge.at, others_go_on), (at(18, 0), Some(Others::OnAnotherPc)));
    let unsure = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let unsure = unsure.within(at(17, 0), at(18, 30), Evidence::Inferred);
    let Last::At { edge, .. } = last(&[unsure, Pc::new(2).on("1", at(18, 29))]) else { panic!() };
    assert_eq!(edge.latest, at(18, 30), "it may have come later");
}

#[test]
fn another_pc_is_named_where_it_is_another_one_that_goes_on() {
    let others = |pcs: &[Pc]| {
        let Last::At { others_go_on, .. } = day(pcs, 0).last else { panic!() };
        others_go_on
    };
    let desk = || Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0));
    let two = Pc::new(1).on("1", at(8, 0)).on("2", at(9, 0)).off("2", at(18, 0));
    assert_eq!(others(&[desk()]), None);
    assert_eq!(others(std::slice::from_ref(&two)), Some(Others::OnTheSamePc));
    let laptop = Pc::new(2).on("1", at(8, 0)).off("1", at(31, 0));
    assert_eq!(others(&[two, laptop.clone()]), Some(Others::OnAnotherPc));
    assert_eq!(others(&[desk(), laptop]), Some(Others::OnAnotherPc));
}

#[test]
fn a_logon_that_nobody_made_is_no_evening_until_somebody_comes() {
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)).on("2", at(23, 0)).because("unattended");
    let pc = pc.session("2", UNLOCK, at(33, 0)).off("2", at(42, 0));
    assert_eq!(last_at(&day(&[pc], 0)).0, at(18, 0));
}

#[test]
fn a_night_that_the_boundary_cuts_is_told_with_its_end_and_a_pc_left_on_is_none() {
    let cut = |begin, end| {
        let pc = Pc::new(1).on("1", begin).off("1", end);
        [0, 1].map(|number| day(std::slice::from_ref(&pc), number).cut_night)
    };
    assert_eq!(cut(at(22, 0), at(29, 0).plus(-1)), [None, None]);
    assert_eq!(cut(at(22, 0), at(29, 0)), [Some(at(29, 0)), None]);
    assert_eq!(cut(at(16, 0), at(34, 0)), [Some(at(34, 0)), None], "the longest");
    assert_eq!(cut(at(16, 0), at(34, 0).plus(1)), [None, None]);
    assert_eq!(cut(at(28, 0), at(38, 0)), [None, None], "it began after midnight");
    let open = Pc::new(1).on("1", at(22, 0));
    assert_eq!(day_at(&[open], 0, at(31, 0)).cut_night, None, "nobody knows when it ends");
}

#[test]
fn a_day_without_a_first_and_a_last_time_is_told_apart_from_one_that_goes_on() {
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(26, 0));
    assert!(day(std::slice::from_ref(&night), 1).has_no_times() && !day(&[night], 0).has_no_times());
    let cut =
        Pc::new(1).on("1", at(9, 0)).off("1", at(18, 0)).within(at(18, 0), at(33, 0), Evidence::Inferred);
    let after = day(&[cut], 1);
    assert!(after.has_no_times() && !after.holds_only_the_night_before(), "it may have ended on it");
    assert!(!day(&[Pc::new(1).on("1", at(9, 0)).off("1", at(60, 0))], 1).has_no_times());
    assert!(!day(&[Pc::new(1)], 0).has_no_times(), "there is no stay at all");
}

/// Numbers of the punches of a date that are of the day before.
fn taken(pcs: &[Pc], number: i64) -> Vec<u64> {
    day(pcs, number).of_the_day_before.iter().map(|event| event.sequence).collect()
}

#[test]
fn of_the_day_before_are_the_logoff_of_its_night_and_what_continues_it() {
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(24, 15)).off("2", at(26, 0));
    let pcs = [night.on("3", at(33, 0)).off("3", at(42, 0))];
    assert_eq!((taken(&pcs, 0), taken(&pcs, 1), taken(&pcs, 2)), (vec![], vec![3, 4, 5], vec![]));
}

/// The evening knows its night as the morning does, of the accounts that are linked on the evening.
#[test]
fn what_the_next_date_gives_back_is_of_this_one() {
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(24, 15)).off("2", at(26, 0));
    let pcs = [night.on("3", at(33, 0)).off("3", at(56, 0))];
    for number in 0..4 {
        let of_the_next: Vec<_> =
            day(&pcs, number).of_the_next_date.iter().map(|event| event.sequence).collect();
        assert_eq!(of_the_next, taken(&pcs, number + 1), "{number}");
    }
}

#[test]
fn each_pc_has_a_first_and_a_last_and_a_night_goes_over_all_of_them() {
    // At home after the office; the restart at home goes on with the night of the office.
    let office = Pc::new(1).on("1", at(9, 0)).off("1", at(24, 10));
    let home = Pc::new(2).on("1", at(24, 30)).off("1", at(26, 0)).on("2", at(33, 0)).off("2", at(42, 0));
    let pcs = [office, home];
    let edges = |number| {
        let day = day(&pcs, number);
        let first = |first| if let First::At { edge, .. } = first { Some(edge.at) } else { None };
        let last = |last| if let Last::At { edge, .. } = last { Some(edge.at) } else { None };
        let of = |lane: &Lane| (lane.terminal, first(lane.first), last(lane.last));
        (first(day.first), last(day.last), day.lanes.iter().map(of).collect::<Vec<_>>())
    };
    let (at_the_office, at_home) = (terminal(1), terminal(2));
    let own =
        vec![(at_the_office, Some(at(9, 0)), Some(at(24, 10))), (at_home, Some(at(24, 30)), Some(at(26, 0)))];
    assert_eq!(edges(0), (Some(at(9, 0)), Some(at(26, 0)), own));
    let (first, last, lanes) = edges(1);
    assert_eq!((first, last), (Some(at(33, 0)), Some(at(42, 0))));
    assert!(
        lanes.contains(&(at_the_office, None, None)),
        "the end of its night is no last of this day: {lanes:?}"
    );
    assert!(lanes.contains(&(at_home, Some(at(33, 0)), Some(at(42, 0)))), "{lanes:?}");
}

#[test]
fn at_the_boundary_a_night_is_over_to_the_millisecond() {
    let off = |end| Pc::new(1).on("1", at(22, 0)).off("1", end);
    assert_eq!(taken(&[off(at(29, 0).plus(-1))], 1), [3]);
    assert_eq!(taken(&[off(at(29, 0))], 1), [0_u64; 0]);
    let alone = Pc::new(1).on("1", at(28, 30)).off("1", at(28, 50));
    assert_eq!(
        taken(&[alone], 1),
        [0_u64; 0],
        "no night before it: it begins a day, before the boundary, too"
    );
}

#[test]
fn a_later_boundary_moves_the_end_of_nights_and_no_beginning_of_a_day() {
    let with = |hours: i64, pc: &Pc| {
        let moved = |at: UtcMillis| at.plus((hours - 5) * 3_600_000);
        let plain = borders(1);
        let borders = Borders {
            boundary_before: moved(plain.boundary_before),
            boundary: moved(plain.boundary),
            ..plain
        };
        day_within(std::slice::from_ref(pc), borders, at(100, 0))
    };
    let morning = Pc::new(1).on("1", at(9, 0)).off("1", at(18, 48)).on("2", at(33, 3)).off("2", at(42, 0));
    for hours in [0, 5, 10, 12] {
        let day = with(hours, &morning);
        assert_eq!((first_at(&day).0, last_at(&day).0), (at(33, 3), at(42, 0)), "{hours}");
        assert!(day.of_the_day_before.is_empty(), "{hours}");
    }
    let long_night = Pc::new(1).on("1", at(22, 0)).off("1", at(30, 0));
    assert!(with(5, &long_night).of_the_day_before.is_empty());
    assert_eq!(with(10, &long_night).of_the_day_before.len(), 1);
}

#[test]
fn the_first_and_the_last_of_a_day_are_among_the_punches_of_that_day() {
    let mut pc = Pc::new(1);
    let times =
        [(22, 0), (24, 10), (24, 15), (26, 0), (28, 30), (28, 50), (29, 0), (40, 0), (46, 0), (52, 30)];
    for (number, pair) in times.chunks(2).enumerate() {
        let session = number.to_string();
        pc = pc.on(&session, at(pair[0].0, pair[0].1)).off(&session, at(pair[1].0, pair[1].1));
    }
    let pcs = [pc];
    let days: Vec<_> = (0..4).map(|number| day(&pcs, number)).collect();
    let of = |edge: &Edge| {
        let date = (edge.at.0 - at(0, 0).0).div_euclid(86_400_000);
        let taken = days[usize::try_from(date).unwrap()].of_the_day_before.contains(&edge.event);
        date - i64::from(taken)
    };
    let mut seen = 0;
    for (number, day) in (0..).zip(&days) {
        let first = if let First::At { edge, .. } = &day.first { Some(edge) } else { None };
        let last = if let Last::At { edge, .. } = &day.last { Some(edge) } else { None };
        for edge in first.into_iter().chain(last) {
            assert_eq!(of(edge), number, "{edge:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "two days with a first and a last");
}

/// 21:00 to 0:10, a restart, 0:13 to 4:00, and a day from 33:00 to 42:00.
fn restarted_night() -> [Pc; 1] {
    let night = Pc::new(1).on("1", at(21, 0)).off("1", at(24, 10)).on("2", at(24, 13)).off("2", at(28, 0));
    [night.on("3", at(33, 0)).off("3", at(42, 0))]
}

#[test]
fn who_gets_an_account_has_nothing_of_the_night_before_but_what_begins_on_the_date() {
    let (pcs, keys) = (restarted_night(), &["S-hanako"][..]);
    let gets = Whose { today: keys, yesterday: &[], into_today: &[], into_tomorrow: keys };
    let day = day_whose(&pcs, borders(1), at(100, 0), gets);
    assert_eq!((first_at(&day).0, last_at(&day).0), (at(24, 13), at(42, 0)));
    assert!(day.of_the_day_before.is_empty());
    let marks: Vec<_> = day.lanes[0].marks.iter().filter(|mark| mark.account.is_some()).collect();
    assert_eq!(marks.len(), 4, "the logoff at 0:10 is not among them: {marks:?}");
    assert_eq!(day.lanes[0].stays.len(), 2);
    assert_eq!(day.active_minutes(), 3 * 60 + 47 + 9 * 60);
    // What goes on beyond the boundary is cut by the date.
    let beyond = [Pc::new(1).on("1", at(22, 0)).off("1", at(30, 0))];
    let day = day_whose(&beyond, borders(1), at(100, 0), gets);
    assert_eq!((day.active_minutes(), last_at(&day).0), (6 * 60, at(30, 0)));
}

#[test]
fn who_hands_an_account_over_has_the_night_to_its_end_and_no_stay_that_begins_after_midnight() {
    let (pcs, keys) = (restarted_night(), &["S-hanako"][..]);
    let hands_over = Whose { today: keys, yesterday: keys, into_today: keys, into_tomorrow: &[] };
    let day = day_whose(&pcs, borders(0), at(100, 0), hands_over);
    assert_eq!((first_at(&day).0, last_at(&day).0), (at(21, 0), at(24, 10)));
    assert_eq!(day.active_minutes(), 190);
    let both = day_whose(&pcs, borders(0), at(100, 0), Whose::always(keys));
    assert_eq!(last_at(&both).0, at(28, 0), "of one and the same person the restart continues the night");
}
