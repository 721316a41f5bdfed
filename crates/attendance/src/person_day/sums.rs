//! How long: each minute counts once, on one day only, whatever the number of PCs and the length of nights.
//!
//! A night over midnight is shown on both days and counted on the earlier one, up to the time that [`counted_until`] gives;
//! what goes on beyond the day boundary is counted on each day for itself. A minute that the day before has counted counts
//! no more, even where another stay, which goes on, covers it, too. So the sums of days that follow one another come to
//! the union of their stays.
//!
//! # What is shown of it
//! A length is shown in whole minutes, to the nearest one ([`minutes`]): a day in the long run neither loses nor gains, where
//! cutting each day would take half a minute from the person, ten in a month. What several days come to is the sum of the
//! minutes that are shown of them, never of the milliseconds behind: whoever adds up a column gets the number below it.

use mngntime_model::UtcMillis;

use super::bands::{Band, Kind};
use super::{DayStay, Lane, Stay};

/// The whole minutes nearest to a length of time; half a minute is one.
#[must_use]
pub fn minutes(ms: i64) -> i64 {
    ms.saturating_add(30_000).div_euclid(60_000)
}

/// Until when the day before `midnight` counts a stay that it shows: to the end of a stay of its night, else to midnight.
/// An interval from before midnight to beyond the boundary moves nothing.
pub(super) fn counted_until(stay: &Stay, midnight: UtcMillis, boundary: UtcMillis) -> UtcMillis {
    match stay.end.filter(|end| end.at < boundary) {
        Some(end) if end.at > midnight || end.latest <= boundary => {
            end.latest.clamp(midnight, boundary.max(midnight))
        }
        Some(_) | None => midnight,
    }
}

/// For how long a session was in use, and for how long beyond that nobody can say.
pub(super) fn sums(lanes: &[Lane]) -> (i64, i64) {
    let told = |is: fn(Kind) -> bool| {
        let stays = || lanes.iter().flat_map(|lane| &lane.stays);
        stays()
            .flat_map(move |stay| stay.bands.iter().filter(move |band| is(band.kind)).map(move |b| (stay, b)))
    };
    let counts = |kind: Kind| kind == Kind::Active || kind.is_unclear();
    let counted_before: Vec<_> = told(counts).map(|(stay, band)| before(stay, band)).collect();
    let beyond = |is: fn(Kind) -> bool| {
        let today = told(is).map(|(stay, band)| (band.from.max(stay.counted_from), band.to));
        union(today.chain(counted_before.iter().copied()).collect()) - union(counted_before.clone())
    };
    let active = beyond(|kind| kind == Kind::Active);
    (active, beyond(counts) - active)
}

/// What of a band the day before has counted.
fn before(stay: &DayStay, band: &Band) -> (UtcMillis, UtcMillis) {
    (band.from, band.to.min(stay.counted_from))
}

fn union(mut spans: Vec<(UtcMillis, UtcMillis)>) -> i64 {
    spans.sort_unstable();
    let (mut sum, mut reached) = (0, UtcMillis(i64::MIN));
    for (from, to) in spans {
        sum += to.0.saturating_sub(from.max(reached).0).max(0);
        reached = reached.max(to);
    }
    sum
}
