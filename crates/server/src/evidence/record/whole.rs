//! Batches as a whole.
//!
//! A terminal signs batches, and whether a signature holds can be seen only where all events of the batch are shown. The
//! numbers of some dates end anywhere in one. So they are widened to the whole batch, where the pack may show all of it:
//! what is added is the employee's own or nobody's, and the days stay those that were asked for. Where it may not, the
//! batch's receipt in the pack says that it holds more, and the verifier tells these events from unsigned ones.

use std::collections::BTreeMap;
use std::io::Write;

use mngntime_attendance::completeness::Received;
use mngntime_evidence::japan;
use mngntime_ledger::frame::Frame;
use mngntime_store::{EvidenceScope, EvidenceTerminal, StoredEvent};
use mngntime_wire::Batch;

use super::super::part::put_right;
use super::{RecordError, Writer};

/// Numbers that one batch may reach over. It has a hundred events at most, and these follow each other but for those that
/// were sent again: nobody wants months in a pack for one of these.
const REACH_MAX: u64 = 1_000;

impl<W: Write> Writer<'_, W> {
    /// Widens the numbers to the whole of each batch that brought one of them, if all of it may be shown.
    pub(super) async fn widen(&self, found: &mut EvidenceTerminal) -> Result<(), RecordError> {
        let part = self.part(found.clone()).await?;
        let Some(received) = part.received() else { return Ok(()) };
        let (contract, terminal) = (self.request.contract.id, part.terminal.terminal.id);
        let (mut first, mut last) = (found.first, found.last);
        for batch in self.store.evidence_batches(contract, terminal, received).await? {
            let frame: Frame = serde_json::from_str(&batch.frame)?;
            let Some((low, high)) = frame.numbers().min().zip(frame.numbers().max()) else { continue };
            let is_beyond = low < found.first || found.last < high;
            if is_beyond && frame.numbers().any(|number| part.has(number)) && high - low < REACH_MAX {
                let limit = usize::try_from(high - low).unwrap_or(usize::MAX).saturating_add(1);
                let events = self.store.evidence_events(contract, terminal, low, limit).await?;
                if self.may_show(&frame, &events) {
                    (first, last) = (first.min(low), last.max(high));
                }
            }
        }
        if (first, last) != (found.first, found.last) {
            let whole = EvidenceScope { contract, accounts: None, terminal: Some(terminal), span: None };
            let whole = self.store.evidence_terminals(whole).await?;
            let retired = whole.into_iter().flat_map(|whole| whole.retired);
            let is_within = |first_gone: u64, last_gone: u64| first <= first_gone && last_gone <= last;
            let retired = retired.filter(|range| is_within(range.numbers.first, range.numbers.last));
            found.retired = retired.collect();
            (found.first, found.last) = (first, last);
        }
        Ok(())
    }

    /// Whether a pack may show every event of the batch, and the heads tell of all.
    fn may_show(&self, frame: &Frame, events: &[StoredEvent]) -> bool {
        let read = put_right(events);
        let events: BTreeMap<u64, &StoredEvent> =
            events.iter().map(|event| (event.sequence, event)).collect();
        let may_show = |number: u64| {
            let Some((stored, Received { event, .. })) = events.get(&number).zip(read.get(&number)) else {
                return false;
            };
            self.is_told(&stored.place) && self.is_shown(event, japan::date_at(event.occurred_at))
        };
        frame.numbers().all(may_show)
            && self.may_show_text(frame, |number| events.get(&number).map(|event| event.json.as_str()))
    }

    /// Whether nothing else stands in the batch than its stored events. What was refused stands in the text, and may be
    /// anybody's. However it is written, it is one of the events that a reader of the batch finds.
    pub(super) fn may_show_text<'b>(&self, frame: &'b Frame, json: impl Fn(u64) -> Option<&'b str>) -> bool {
        let holds_only_these = || {
            let batch = frame.payload(json)?;
            let batch: Batch = serde_json::from_str(&batch).ok()?;
            (batch.events.len() == frame.numbers().count()).then_some(())
        };
        self.request.employee.is_none() || holds_only_these().is_some()
    }
}
