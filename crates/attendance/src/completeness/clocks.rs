//! Events of a terminal whose clock was wrong, told by the server's clock.
//!
//! A clock that is months off would put what the PC did onto days on which it did something else, and make a run of a
//! minute look like one of years. The server knows how far the clock was off when a batch came; what the batch itself
//! says about settings of the clock leads back from there to the events before. A clock that is off by minutes is left
//! alone: the record shows the PC's own times, and the offset beside them.

use std::collections::BTreeMap;

use mngntime_model::{Bounds, ClockSetting, Event, EventKind, Moment, UtcMillis};

use super::Received;

/// A clock is wrong from here on: the offset that Kerberos refuses to sign on with (five minutes by default), so that an
/// office's PCs are right.
pub(super) const WRONG_MS: i64 = 300_000;

/// Bounds that end this long after they were recorded span a clock that went back (the agent's own limit for saying so).
const BACK_MS: i64 = 60_000;

/// A clock that is off by more than this shows another year: its battery is dead, and nobody works by it.
pub(crate) const YEARS_MS: i64 = 366 * 86_400_000;

/// 2026-01-01, before this rule was written: a server whose clock shows an earlier time has lost it itself, and puts nothing
/// right. UTC milliseconds.
const SERVER_CLOCK_FROM: UtcMillis = UtcMillis(1_767_225_600_000);

/// The same events, those at the times of the server's clock that a clock years off has stamped: as estimates, since no clock
/// has shown that time to anybody. A clock that is off by less is the PC's own, and is left. What it showed stays beside
/// ([`Received::stamped_at`]).
#[must_use]
pub fn put_right(events: Vec<Received>) -> Vec<Received> {
    let offsets = offsets(&events);
    let right = |(received, offset): (Received, i64)| {
        // One that is beyond all numbers tells no time.
        let is_years = (YEARS_MS + 1..i64::MAX).contains(&offset.saturating_abs());
        if !is_years || received.received_at < SERVER_CLOCK_FROM {
            return received;
        }
        let mut right = shifted(&received, offset);
        // What was found out after the clock had gone back stands where it may have begun, as every estimate does.
        if let Some(bounds) = received.event.bounds.filter(|bounds| spans_a_step(*bounds, &received.event)) {
            right.event.occurred_at = bounds.not_after;
        }
        let at = right.event.occurred_at;
        // What the PC tells of settings of its clock puts nothing into the future.
        if at > received.received_at.plus(WRONG_MS) {
            return received;
        }
        right.stamped_at = Some(received.event.occurred_at);
        right.event.bounds = right.event.bounds.or(Some(Bounds::between(at, at)));
        right
    };
    events.into_iter().zip(offsets).map(right).collect()
}

/// Whether a clock may have been years off when events were stamped that came with this offset: without a setting of the
/// clock among them, only their offset says so.
#[must_use]
pub fn may_be_years_off<'a>(mut events: impl Iterator<Item = &'a Event>, clock_offset_ms: i64) -> bool {
    clock_offset_ms.saturating_abs() > YEARS_MS || events.any(|event| event.kind == EventKind::TimeChange)
}

/// The same events with right times; `None` when no clock was wrong.
pub(super) fn by_the_servers_clock(events: &[Received]) -> Option<Vec<Received>> {
    let offsets = offsets(events);
    let spans = |received: &Received| received.event.bounds.is_some_and(|b| spans_a_step(b, &received.event));
    if offsets.iter().all(|offset| *offset == 0) && !events.iter().any(spans) {
        return None;
    }
    Some(events.iter().zip(offsets).map(|(received, offset)| shifted(received, offset)).collect())
}

/// What has to be added to the times of each event; 0 where the clock was right.
fn offsets(events: &[Received]) -> Vec<i64> {
    let mut offsets = vec![0; events.len()];
    // How far the clock before the settings of each batch was behind the one after them. Of other batches' events nothing
    // depends: a pack may hide them.
    let mut batches: BTreeMap<UtcMillis, Option<i64>> = BTreeMap::new();
    for (received, place) in events.iter().zip(&mut offsets).rev() {
        let set_by = batches.entry(received.received_at).or_insert(Some(0));
        // Nothing says how far the clock of before was off: it is believed.
        let offset = set_by.map_or(0, |by| received.clock_offset_ms.saturating_add(by));
        *place = if offset.saturating_abs() > WRONG_MS { offset } else { 0 };
        if let Some(setting) = setting(&received.event) {
            *set_by = setting.before(*set_by);
        }
    }
    offsets
}

/// A setting is the PC's, never an account's: what is somebody's, a pack may hide.
fn setting(event: &Event) -> Option<ClockSetting> {
    let is_setting = event.kind == EventKind::TimeChange && event.account.is_none();
    event.cause.as_deref().filter(|_| is_setting).and_then(ClockSetting::parse)
}

fn shifted(received: &Received, offset: i64) -> Received {
    let mut event = received.event.clone();
    let right = |time: UtcMillis| time.plus(offset);
    let recorded = right(event.recorded_at.wall);
    event.bounds = event.bounds.map(|bounds| {
        if spans_a_step(bounds, &received.event) {
            // The later one is where it began, by the clock of before.
            Bounds::between(bounds.not_after, recorded.max(bounds.not_after))
        } else {
            Bounds { not_before: right(bounds.not_before), not_after: right(bounds.not_after) }
        }
    });
    event.occurred_at = right(event.occurred_at);
    event.recorded_at = Moment { wall: recorded, ..event.recorded_at };
    let clock_offset_ms = if offset == 0 { received.clock_offset_ms } else { 0 };
    Received {
        clock_offset_ms,
        stamped_at: received.stamped_at,
        ..Received::of(event, received.received_at, 0)
    }
}

/// Nothing is recorded before it is over.
fn spans_a_step(bounds: Bounds, event: &Event) -> bool {
    bounds.not_after > event.recorded_at.wall.plus(BACK_MS)
}
