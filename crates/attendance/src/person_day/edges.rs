//! The first logon and the last logoff of a day.
//!
//! A day has a last logoff where nothing of it goes on beyond the day boundary that began later. With a boundary at 5:00 somebody
//! who works from 22:00 to 6:00 each night logs off in the morning and on again in the evening: the morning's logoff is not the
//! last of that day, which goes on. A PC that was left on in the morning hides no logoff of the evening on another one; it is
//! told beside it, and so is another session on the same PC.

use mngntime_model::UtcMillis;

use super::night::Night;
use super::{Borders, Edge, First, Lane, Last, Level, Role, Stay};
use crate::completeness::{Part, State, Why};

/// Where stays go on beyond the day boundary beside the last logoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// In other sessions of the PC of that logoff only.
    OnTheSamePc,
    /// On another PC, at least one of them.
    OnAnotherPc,
}

/// Of several edges the interval in which the first, or the last, of them must lie.
fn combine(edges: impl Iterator<Item = Edge>, choose: fn(UtcMillis, UtcMillis) -> UtcMillis) -> Option<Edge> {
    edges.reduce(|one, other| {
        let (at, latest) = (choose(one.at, other.at), choose(one.latest, other.latest));
        let decides = if latest == other.latest && latest != one.latest { other } else { one };
        Edge { at, ..decides }
    })
}

pub(super) fn first(borders: Borders, stays: &[(&Stay, Role)], lanes: &[Lane]) -> First {
    let own = stays.iter().filter(|(_, part)| *part == Role::Own).filter_map(|(stay, _)| stay.presence);
    if let Some(edge) = combine(own, UtcMillis::min) {
        let may_be_earlier = lanes.iter().any(|lane| is_unclear(lane, borders.from, edge.at));
        return First::At { edge, may_be_earlier };
    }
    let alive = |stay: &&Stay| stay.end.is_none_or(|end| end.at >= borders.boundary_before);
    let earlier = stays.iter().filter(|(_, part)| *part == Role::Earlier).map(|(stay, _)| *stay);
    match earlier.filter(alive).min_by_key(|stay| stay.begin.at) {
        Some(stay) => {
            First::Continued { since: Some(stay.begin).filter(|begin| begin.level != Level::Unknown) }
        }
        None => First::None,
    }
}

/// The last logoff, unless what begins after it goes on.
pub(super) fn last(
    borders: Borders,
    before: &Night,
    stays: &[(&Stay, Role)],
    lanes: &[Lane],
    now: UtcMillis,
) -> Last {
    let (mut ended, mut go_on, mut open) = (Vec::new(), Vec::new(), false);
    for (stay, part) in stays.iter().filter(|(stay, _)| stay.presence.is_some()) {
        match stay.end {
            Some(end) if end.at >= borders.boundary => go_on.push((*stay, *part)),
            Some(end) if *part == Role::Own || (end.at >= borders.from && !before.takes_logoff(stay)) => {
                ended.push(end);
            }
            Some(_) => {}
            None if now < borders.to => open = true,
            // Nobody told of its end, and its PC is not heard of on the next day: it is not known to go on.
            None if stay.reaches((borders.to, UtcMillis(i64::MAX))) => go_on.push((*stay, *part)),
            None => {}
        }
    }
    let began_after = |edge: &Edge| go_on.iter().any(|(stay, part)| began_after(stay, *part, edge, borders));
    match combine(ended.into_iter(), UtcMillis::max) {
        _ if open => Last::Open,
        Some(edge) if began_after(&edge) => Last::GoesOn { until: ends(&go_on) },
        Some(edge) => {
            let may_be_later = lanes.iter().any(|lane| is_unclear(lane, edge.latest, now));
            Last::At { edge, may_be_later, others_go_on: others(&go_on, &edge) }
        }
        None if !go_on.is_empty() => Last::GoesOn { until: ends(&go_on) },
        None => Last::None,
    }
}

/// The last logoff of stays that go on, where each has one that is known to the point.
fn ends(go_on: &[(&Stay, Role)]) -> Option<Edge> {
    let ends: Option<Vec<Edge>> =
        go_on.iter().map(|(stay, _)| stay.end.filter(|end| end.level == Level::Exact)).collect();
    ends?.into_iter().max_by_key(|end| end.at)
}

/// Whether somebody came on the day after its last logoff, for certain.
fn began_after(stay: &Stay, part: Role, last: &Edge, borders: Borders) -> bool {
    let came = stay.presence.filter(|came| came.at < borders.to);
    part == Role::Own && came.is_some_and(|came| last.latest <= came.at)
}

/// Where the stays that go on beside a logoff are.
fn others(go_on: &[(&Stay, Role)], last: &Edge) -> Option<Others> {
    let elsewhere = |(stay, _): &(&Stay, Role)| stay.terminal != last.event.terminal;
    let others = if go_on.iter().any(elsewhere) { Others::OnAnotherPc } else { Others::OnTheSamePc };
    (!go_on.is_empty()).then_some(others)
}

/// Whether a part of the time is not watched. Silence after a shutdown on the same day is no flaw.
fn is_unclear(lane: &Lane, from: UtcMillis, to: UtcMillis) -> bool {
    let flaw = |(index, part): (usize, &Part)| {
        let rest_of_the_day = part.why == Why::SilentSinceShutdown && index > 0;
        part.from < to && part.to > from && part.why.state() != State::Observed && !rest_of_the_day
    };
    lane.parts.iter().enumerate().any(flaw)
}
