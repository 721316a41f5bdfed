//! How far the OS's own logs have been compared with the events: their bookmarks, and what a reading that is
//! done again must not record twice.
//!
//! A frame of this kind is written after everything that a reading gave is stored, and from time to time
//! while the agent watches. Versions that do not know the kind report it as foreign and lose nothing else.

use std::collections::VecDeque;

use mngntime_agent_core::LastSeen;
use mngntime_agent_core::log::{LogChannel, LogPosition};
use mngntime_model::{Event, EventKind, Evidence, UtcMillis};
use serde::{Deserialize, Serialize};

/// Events kept to be compared with a log: those around the end of a run. A day of an ordinary PC.
const RECENT_MAX: usize = 128;
/// Events kept of a reading that is not finished: as many as one reading may make, and a few.
const BACK_FILLED_MAX: usize = 2_500;

/// The positions on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LogPositionsFrame {
    positions: Vec<PositionV1>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PositionV1 {
    channel: String,
    record_id: u64,
    written_at: i64,
}

impl LogPositionsFrame {
    pub(super) fn of(positions: &[LogPosition]) -> Self {
        let disk = |position: &LogPosition| PositionV1 {
            channel: position.channel.word().to_owned(),
            record_id: position.record_id,
            written_at: position.written_at.0,
        };
        Self { positions: positions.iter().map(disk).collect() }
    }

    pub(super) fn unless_empty(positions: &[LogPosition]) -> Option<Self> {
        (!positions.is_empty()).then(|| Self::of(positions))
    }

    /// Channels of a newer version are left out: they are read from the time of the last event on.
    pub(super) fn positions(&self) -> Vec<LogPosition> {
        let memory = |position: &PositionV1| {
            Some(LogPosition {
                channel: LogChannel::from_word(&position.channel)?,
                record_id: position.record_id,
                written_at: UtcMillis(position.written_at),
            })
        };
        self.positions.iter().filter_map(memory).collect()
    }
}

/// The comparison's state after all frames taken so far.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) positions: Vec<LogPosition>,
    /// The last sign of life before the first run since the positions were noted.
    pub(super) unexplained_since: Option<LastSeen>,
    observed: VecDeque<Event>,
    back_filled: VecDeque<Event>,
}

impl Compared {
    /// Takes an event in; `before` is the last sign of life before it.
    pub(super) fn event(&mut self, event: &Event, before: Option<&LastSeen>) {
        if begins_a_run(event, before) && self.unexplained_since.is_none() {
            self.unexplained_since = before.cloned();
        }
        let (kept, most) = if event.evidence == Evidence::BackFilled {
            (&mut self.back_filled, BACK_FILLED_MAX)
        } else {
            (&mut self.observed, RECENT_MAX)
        };
        kept.push_back(event.clone());
        if kept.len() > most {
            kept.pop_front();
        }
    }

    /// Everything up to these positions is dealt with.
    pub(super) fn up_to(&mut self, positions: Vec<LogPosition>) {
        self.positions = positions;
        self.unexplained_since = None;
        self.back_filled.clear();
    }

    /// The events kept, oldest first.
    pub(super) fn recent(&self) -> Vec<Event> {
        let mut recent: Vec<Event> = self.observed.iter().chain(&self.back_filled).cloned().collect();
        recent.sort_by_key(|event| event.sequence);
        recent
    }
}

/// A run begins with its first event: what it declares lost, the boot, its own start.
fn begins_a_run(event: &Event, before: Option<&LastSeen>) -> bool {
    let declares_loss = event.kind == EventKind::Gap
        && event.cause.as_deref().is_some_and(|cause| cause.starts_with("unreadable:"));
    event.kind == EventKind::ServiceStart
        || declares_loss
        || before.is_some_and(|seen| seen.boot != event.boot)
}
