//! Each minute is counted on one day, whatever the nights.

use proptest::prelude::*;

use super::*;

const HOUR_MS: i64 = 3_600_000;

/// In minutes how long sessions were in use on days that follow one another.
fn in_use(pc: &Pc, days: std::ops::Range<i64>) -> Vec<i64> {
    days.map(|number| day(std::slice::from_ref(pc), number).active_ms / 60_000).collect()
}

#[test]
fn a_night_is_counted_on_the_day_on_which_its_logoff_is() {
    let night = |hour, minute| Pc::new(1).on("1", at(22, 0)).off("1", at(hour, minute));
    assert_eq!(in_use(&night(26, 30), 0..2), [4 * 60 + 30, 0]);
    assert_eq!(in_use(&night(28, 59), 0..2), [6 * 60 + 59, 0]);
    assert_eq!(in_use(&night(29, 0), 0..2), [2 * 60, 5 * 60], "beyond the boundary each day has its own");
    assert_eq!(in_use(&night(29, 30), 0..2), [2 * 60, 5 * 60 + 30]);
}

#[test]
fn nights_in_a_row_have_their_own_hours_each() {
    let first = Pc::new(1).on("1", at(22, 0)).off("1", at(26, 30));
    let pc = first.on("2", at(46, 0)).off("2", at(50, 30));
    assert_eq!(in_use(&pc, 0..3), [4 * 60 + 30, 4 * 60 + 30, 0]);
}

#[test]
fn what_continues_a_night_is_counted_with_it() {
    let pc = Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(24, 15)).off("2", at(26, 0));
    assert_eq!(in_use(&pc, 0..2), [3 * 60 + 55, 0]);
}

#[test]
fn a_day_that_holds_the_end_of_a_night_only_has_nothing_of_its_own() {
    let tells = |pc: &Pc| {
        let day = day(std::slice::from_ref(pc), 1);
        (day.holds_only_the_night_before(), day.has_a_beginning())
    };
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(26, 0));
    assert_eq!(tells(&night), (true, false));
    assert_eq!(tells(&night.on("2", at(33, 0)).off("2", at(42, 0))), (false, true));
    assert_eq!(tells(&Pc::new(1).on("1", at(22, 0)).off("1", at(29, 0))), (false, true), "it goes on");
    assert_eq!(tells(&Pc::new(1)), (false, false));
}

#[test]
fn a_stay_of_no_length_is_a_day_on_which_somebody_was_there() {
    let told = |pc: &Pc, number| {
        let day = day(std::slice::from_ref(pc), number);
        (day.has_a_beginning(), day.holds_only_the_night_before(), day.active_ms)
    };
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(9, 0));
    let found = day(std::slice::from_ref(&pc), 0);
    assert_eq!((first_at(&found).0, last_at(&found).0), (at(9, 0), at(9, 0)));
    assert_eq!([told(&pc, 0), told(&pc, 1)], [(true, false, 0), (false, false, 0)]);
    let at_night = Pc::new(1).on("1", at(25, 0)).off("1", at(25, 0));
    assert_eq!(told(&at_night, 1), (true, false, 0), "after midnight, too");
}

#[test]
fn the_end_of_a_night_is_outside_of_the_employment_where_its_evening_was() {
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(26, 0));
    let is_outside = |pc: &Pc, employment, evening_before| {
        let standing = Standing { employment, evening_before, before_first_link: false };
        day(std::slice::from_ref(pc), 1).of_one_with(standing).is_outside()
    };
    let (before, during, after) = (Employment::Before, Employment::During, Employment::After);
    assert!(!is_outside(&night, after, during), "the last night");
    assert!(is_outside(&night, after, after));
    assert!(is_outside(&night, during, before));
    let more = night.on("2", at(33, 0)).off("2", at(42, 0));
    assert!(is_outside(&more, after, during), "there is more than the night");
    assert!(!is_outside(&more, during, before));
}

#[test]
fn a_night_beside_a_stay_that_goes_on_is_counted_once() {
    let night = Pc::new(1).on("1", at(22, 0)).off("1", at(26, 0));
    let left_on = Pc::new(2).on("1", at(20, 0)).off("1", at(33, 0));
    let (one, two) = (day(&[night.clone(), left_on.clone()], 0), day(&[night, left_on], 1));
    assert_eq!((one.active_ms, two.active_ms), (6 * HOUR_MS, 7 * HOUR_MS));
}

#[test]
fn an_end_that_may_lie_beyond_the_boundary_is_counted_to_the_boundary_and_from_it() {
    let unclear = |from, to| {
        let pc = Pc::new(1).on("1", at(22, 0)).off("1", to).within(from, to, Evidence::Inferred);
        [0, 1].map(|number| day(std::slice::from_ref(&pc), number).unclear_ms / HOUR_MS)
    };
    assert_eq!(unclear(at(25, 0), at(30, 0)), [4, 1]);
    assert_eq!(unclear(at(23, 0), at(27, 0)), [4, 0]);
    assert_eq!(unclear(at(23, 0), at(30, 0)), [1, 6], "wider than the night");
    assert_eq!(unclear(at(24, 0), at(30, 0)), [0, 6]);
}

#[test]
fn a_length_is_shown_to_the_nearest_minute() {
    for (ms, shown) in [(0, 0), (29_999, 0), (30_000, 1), (89_999, 1), (90_000, 2), (29_100_000, 485)] {
        assert_eq!(minutes(ms), shown, "{ms}");
    }
    let pc = Pc::new(1).on("1", at(9, 0)).off("1", at(17, 59).plus(30_000));
    assert_eq!(day(&[pc], 0).active_minutes(), 9 * 60);
}

#[test]
fn punches_of_a_night_outside_of_the_employment_are_told_of_on_its_evening_alone() {
    let night = [Pc::new(1).on("1", at(22, 0)).off("1", at(26, 0))];
    let left = Standing {
        employment: Employment::After,
        evening_before: Employment::After,
        before_first_link: false,
    };
    let told = [0, 1].map(|number| day(&night, number).of_one_with(left).has_punches_outside());
    assert_eq!(told, [true, false]);
    let restart =
        [Pc::new(1).on("1", at(22, 0)).off("1", at(24, 10)).on("2", at(24, 15)).off("2", at(26, 0))];
    let of_the_restart = |employment, evening_before| {
        let standing = Standing { employment, evening_before, before_first_link: false };
        day(&restart, 1).of_one_with(standing).has_punches_outside()
    };
    assert!(of_the_restart(Employment::After, Employment::During), "its logon is of its own date");
    assert!(!of_the_restart(Employment::During, Employment::Before));
}

/// Stays of one PC, each with its pause before it, its length and how long it may have lasted beyond, in minutes.
fn stays() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    let beyond = prop_oneof![3 => Just(0), 1 => 1_i64..900];
    proptest::collection::vec((1_i64..900, 0_i64..1_600, beyond), 0..6)
}

/// The PC, and when somebody was there.
fn used(number: u8, stays: &[(i64, i64, i64)]) -> (Pc, Vec<(UtcMillis, UtcMillis)>) {
    let (mut pc, mut time, mut spans) = (Pc::new(number), 0, Vec::new());
    for (index, (pause, length, beyond)) in stays.iter().enumerate() {
        let session = index.to_string();
        let [begin, end, latest] =
            [time + pause, time + pause + length, time + pause + length + beyond].map(|m| at(0, m));
        pc = pc.on(&session, begin).off(&session, latest);
        if *beyond > 0 {
            pc = pc.within(end, latest, Evidence::Inferred);
        }
        spans.push((begin, latest));
        time += pause + length + beyond;
    }
    (pc, spans)
}

fn together(mut spans: Vec<(UtcMillis, UtcMillis)>) -> i64 {
    let minutes = |(from, to): &(UtcMillis, UtcMillis)| from.0 / 60_000..to.0 / 60_000;
    let all: std::collections::BTreeSet<i64> = spans.drain(..).flat_map(|span| minutes(&span)).collect();
    all.len() as i64
}

proptest! {
    #[test]
    fn the_days_of_a_month_come_to_the_union_of_its_stays(one in stays(), other in stays(), boundary in 0_i64..=12) {
        let ((one, mut spans), (other, more)) = (used(1, &one), used(2, &other));
        spans.extend(more);
        let (pcs, now) = ([one, other], at(24 * 20, 0));
        let borders = |day: i64| {
            let at = |hour| at(24 * day + hour, 0);
            Borders { from: at(0), to: at(24), boundary_before: at(boundary), boundary: at(24 + boundary) }
        };
        let of = |day| day_within(&pcs, borders(day), now);
        let sum: i64 = (0..20).map(of).map(|day| day.active_ms + day.unclear_ms).sum();
        prop_assert_eq!(sum / 60_000, together(spans));
    }
}
