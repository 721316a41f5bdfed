//! A terminal's part of a record: which of its events a pack shows.

use std::collections::BTreeMap;

use mngntime_attendance::completeness::{self, Received, RetiredNumbers};
use mngntime_model::{Event, UtcMillis};
use mngntime_store::{EvidenceTerminal, StoredEvent};
use mngntime_wire::EncodedEvent;

use super::record::RecordError;
use crate::days;

/// A terminal's part of the pack.
pub(super) struct Part {
    pub(super) terminal: EvidenceTerminal,
    pub(super) events: Vec<StoredEvent>,
    pub(super) last: u64,
}

impl Part {
    /// From the first receipt of an event to the last one.
    pub(super) fn received(&self) -> Option<(UtcMillis, UtcMillis)> {
        let times = self.events.iter().map(|event| event.received_at);
        times.clone().min().zip(times.max())
    }

    pub(super) fn missing(&self) -> Vec<(u64, u64)> {
        days::missing(self.terminal.first, self.numbers(), &self.retired())
    }

    /// Numbers whose events were deleted when their retention period had ended.
    pub(super) fn retired(&self) -> Vec<RetiredNumbers> {
        days::retired(&self.terminal.retired)
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> + Clone {
        self.events.iter().map(|event| event.sequence)
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.json(number).is_some()
    }

    /// The events that can be read, by their numbers, with the times by which they are judged.
    pub(super) fn put_right(&self) -> BTreeMap<u64, Received> {
        put_right(&self.events)
    }

    /// The bytes of an event.
    pub(super) fn json(&self, number: u64) -> Option<&str> {
        let place = self.events.binary_search_by_key(&number, |event| event.sequence).ok()?;
        self.events.get(place).map(|event| event.json.as_str())
    }
}

/// Stored events that can be read, by their numbers: those that a clock years off has stamped by the server's clock.
pub(super) fn put_right<'e>(events: impl IntoIterator<Item = &'e StoredEvent>) -> BTreeMap<u64, Received> {
    let read = events.into_iter().filter_map(|stored| {
        let encoded = EncodedEvent::decode(&stored.json).ok()?;
        Some(Received::of(encoded.event, stored.received_at, stored.clock_offset_ms))
    });
    let right = completeness::put_right(read.collect());
    right.into_iter().map(|received| (received.event.sequence, received)).collect()
}

/// A stored event, read.
pub(super) fn read(part: &Part, stored: &StoredEvent) -> Result<Event, RecordError> {
    EncodedEvent::decode(&stored.json).map(|encoded| encoded.event).map_err(|source| RecordError::Event {
        terminal: part.terminal.terminal.id.to_string(),
        sequence: stored.sequence,
        source,
    })
}
