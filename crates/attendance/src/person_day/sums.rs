//! How long: each minute counts once, on one day only, whatever the number of PCs and the length of nights.
//!
//! A night over midnight is shown on both days and counted on the earlier one, up to the time that [`counted_until`] gives;
//! what goes on beyond the day boundary is counted on each day for itself. A minute that the day before has counted counts
//! no more, even where another stay, which goes on, covers it, too. So the sums of days that follow one another come to
//! the union of their stays.

use mngntime_model::UtcMillis;

use super::bands::{Band, Kind};
use super::{DayStay, Lane, Stay};

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
