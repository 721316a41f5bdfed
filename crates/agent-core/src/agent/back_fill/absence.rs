//! Was the PC in use while the agent did not watch? Then a gap is declared, whatever the logs gave.
//!
//! A restart of the service, an update, a shutdown with the next start, a power loss: none of them is an
//! absence, since nobody could use the PC meanwhile, or only for a moment (table A 26, 78).
//!
//! After a start that ended before the logs were dealt with, the time in question reaches back over that start.
//! What it watched itself, and what it declared already, is left out ([`explained`]).

use mngntime_model::{BootId, Bounds, Event, EventKind, UtcMillis};

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

/// From when to when.
type Stretch = (UtcMillis, UtcMillis);

/// The times in which the PC ran without the agent; empty when there were none worth the name.
pub(super) fn of(task: &BackFill, runs: &[Run], was_read: bool) -> Vec<Bounds> {
    let Some(base) = task.base.as_ref() else {
        return Vec::new();
    };
    let (since, until) = (base.moment.wall, task.started.wall);
    if since.0.saturating_sub(until.0) > CLOCK_BEHIND_MS {
        // A clock that contradicts itself proves nothing: all that both readings of it allow is a gap.
        return vec![Bounds::between(since, until)];
    }
    let absences = absences(task, (since, until), runs, was_read);
    let from = absences.iter().map(|(from, _)| *from).min();
    let to = absences.iter().map(|(_, to)| *to).max();
    let Some(whole) = from.zip(to) else {
        return Vec::new();
    };
    let explained = explained(task);
    if !explained.iter().any(|stretch| overlap(*stretch, whole)) {
        return vec![Bounds::between(whole.0, whole.1)];
    }
    let is_absence = |piece: &Stretch| absences.iter().any(|absence| overlap(*absence, *piece));
    let is_worth_it = |piece: &Stretch| piece.1.0 - piece.0.0 >= tolerated_ms(task, piece.0);
    let pieces = without(whole, explained).into_iter().filter(is_absence).filter(is_worth_it);
    pieces.map(|(from, to)| Bounds::between(from, to)).collect()
}

fn absences(task: &BackFill, (since, until): Stretch, runs: &[Run], was_read: bool) -> Vec<Stretch> {
    let [first, between @ .., last] = runs else {
        let tolerated = if task.ended_in_order { RESTART_MS } else { START_MS };
        return Vec::from_iter((until.0 - since.0 >= tolerated).then_some((since, until)));
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
    absences
}

/// Stretches that need no declaring: what earlier runs of the agent watched (from their start to their last
/// sign of life, measured by the clock that nobody can set), and what they declared.
fn explained(task: &BackFill) -> Vec<Stretch> {
    if task.step.is_some() {
        // Their times are told by another clock than the one of now.
        return Vec::new();
    }
    let mut stretches = Vec::new();
    let mut start = None;
    for event in &task.recent {
        if event.kind == EventKind::ServiceStart {
            start = Some(event);
        }
        stretches.extend(declared_absence(event));
        stretches.extend(start.and_then(|start| watched(start, &event.boot, event.recorded_at.biased_ms)));
    }
    let seen = task.seen.iter();
    stretches
        .extend(seen.filter_map(|seen| start.and_then(|s| watched(s, &seen.boot, seen.moment.biased_ms))));
    stretches
}

fn watched(start: &Event, boot: &BootId, biased_ms: u64) -> Option<Stretch> {
    let lasted = biased_ms.checked_sub(start.recorded_at.biased_ms)?;
    let from = start.occurred_at;
    (start.boot == *boot).then(|| (from, from.plus(i64::try_from(lasted).unwrap_or(i64::MAX))))
}

fn declared_absence(event: &Event) -> Option<Stretch> {
    let is_ours = event.kind == EventKind::Gap
        && event.cause.as_deref().is_some_and(|cause| cause.starts_with("agent_absent"));
    event.bounds.filter(|_| is_ours).map(|bounds| (bounds.not_before, bounds.not_after))
}

fn overlap(one: Stretch, other: Stretch) -> bool {
    one.0.max(other.0) < one.1.min(other.1)
}

/// What is left of `whole`, oldest first.
fn without(whole: Stretch, mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let (mut from, mut pieces) = (whole.0, Vec::new());
    for (begin, end) in stretches {
        pieces.push((from, begin.min(whole.1)));
        from = from.max(end);
    }
    pieces.push((from, whole.1));
    pieces.retain(|(from, to)| from < to);
    pieces
}

/// How long the agent may be away from `from` on. After a stop in order: a restart; else a start of the PC.
fn tolerated_ms(task: &BackFill, from: UtcMillis) -> i64 {
    let is_stop = |event: &Event| event.kind == EventKind::ServiceStop && agrees(event, from, 1_000);
    if task.recent.iter().any(is_stop) { RESTART_MS } else { START_MS }
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
    let announced = |event: &&Event| {
        event.kind == EventKind::Shutdown
            && event.boot == stop.boot
            && agrees(event, stop.occurred_at, SHUTDOWN_MS)
    };
    !task.recent.iter().any(|event| announced(&event))
}
