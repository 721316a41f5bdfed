//! Was the PC in use while the agent did not watch? Then a gap is declared, whatever the logs gave.
//!
//! A restart of the service, an update, a shutdown with the next start, a power loss: none of them is an
//! absence, since nobody could use the PC meanwhile, or only for a moment (table A 26, 78).

use mngntime_model::{Bounds, EventKind, UtcMillis};

use super::story::{Run, RunEnd};
use super::{BackFill, agrees};
use crate::settings::CLOCK_BEHIND_MS;

/// A restart of the service takes less.
const RESTART_MS: i64 = 10_000;
/// A start of the PC up to the start of the service takes less, and so does a restart after a crash with
/// the last sign of life before it.
const START_MS: i64 = 300_000;
/// A stop of the agent that belongs to a shutdown comes within this after the announcement.
const SHUTDOWN_MS: i64 = 600_000;

/// The time in which the PC ran without the agent; `None` when there was none worth the name.
pub(super) fn of(task: &BackFill, runs: &[Run], was_read: bool) -> Option<Bounds> {
    let base = task.base.as_ref()?;
    let (since, until) = (base.moment.wall, task.started.wall);
    if since.0.saturating_sub(until.0) > CLOCK_BEHIND_MS {
        // A clock that contradicts itself proves nothing: all that both readings of it allow is a gap.
        return Some(Bounds::between(since, until));
    }
    let [first, between @ .., last] = runs else {
        let tolerated = if task.ended_in_order { RESTART_MS } else { START_MS };
        return (until.0 - since.0 >= tolerated).then(|| Bounds::between(since, until));
    };
    let mut absences = between.iter().map(|run| (run.from, run.to.unwrap_or(until))).collect::<Vec<_>>();
    let off = match first.end {
        RunEnd::InOrder { down, .. } => Some(down),
        RunEnd::PowerLoss { .. } | RunEnd::BugCheck { .. } | RunEnd::Unknown => None,
    };
    if went_on(task, since, off) || is_unknown(task, since, last, was_read) {
        absences.push((since, off.or(first.to).unwrap_or(last.from)));
    }
    if until.0 - last.from.0 > START_MS {
        absences.push((last.from, until));
    }
    let from = absences.iter().map(|(from, _)| *from).min()?;
    let to = absences.iter().map(|(_, to)| *to).max()?;
    Some(Bounds::between(from, to))
}

/// Whether the first run went on after the agent's last sign of life.
fn went_on(task: &BackFill, since: UtcMillis, off: Option<UtcMillis>) -> bool {
    let lasted = off.map(|off| off.0 - since.0);
    if task.ended_in_order {
        return stopped_by_hand(task) && lasted.is_none_or(|ms| ms >= RESTART_MS);
    }
    // With nobody logged on no sign of life is written, so its age says nothing.
    !task.journal.is_empty() && lasted.is_some_and(|ms| ms > START_MS)
}

/// Whether nothing at all tells how the first run went on: no log, no orderly end, and nobody logged on whose
/// heartbeats would have ended with it. Somebody may have come and gone without the agent.
fn is_unknown(task: &BackFill, since: UtcMillis, last: &Run, was_read: bool) -> bool {
    let nothing_tells = !was_read && !task.ended_in_order && task.journal.is_empty();
    nothing_tells && last.from.0 - since.0 > START_MS
}

/// Whether the last run was stopped while the PC went on: no shutdown was announced before.
fn stopped_by_hand(task: &BackFill) -> bool {
    let mut latest = task.recent.iter().rev();
    let Some(stop) = latest.find(|event| event.kind == EventKind::ServiceStop) else {
        return false;
    };
    let announced = |event: &&mngntime_model::Event| {
        event.kind == EventKind::Shutdown
            && event.boot == stop.boot
            && agrees(event, stop.occurred_at, SHUTDOWN_MS)
    };
    !task.recent.iter().any(|event| announced(&event))
}
