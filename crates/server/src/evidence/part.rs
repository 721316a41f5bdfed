//! A terminal's part of a record: which of its events a pack shows.

use mngntime_attendance::completeness::RetiredNumbers;
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

    /// The bytes of an event.
    pub(super) fn json(&self, number: u64) -> Option<&str> {
        let place = self.events.binary_search_by_key(&number, |event| event.sequence).ok()?;
        self.events.get(place).map(|event| event.json.as_str())
    }
}

/// A stored event, read.
pub(super) fn read(part: &Part, stored: &StoredEvent) -> Result<Event, RecordError> {
    EncodedEvent::decode(&stored.json).map(|encoded| encoded.event).map_err(|source| RecordError::Event {
        terminal: part.terminal.terminal.id.to_string(),
        sequence: stored.sequence,
        source,
    })
}
