//! Batches: what the terminal itself has signed, and what it says of how its events came.

use std::collections::{BTreeMap, BTreeSet};

use mngntime_ledger::Digest;
use mngntime_wire::{Batch, Context, Signed};

use super::{Around, FaultKind, TerminalCheck, fault_unless};
use crate::format;

/// A batch that the terminal has signed.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) digest: String,
    /// The terminal's wall clock when it was sent.
    pub(super) wall: i64,
    /// Numbers of its events, each with 再送. One that stands there twice may have both.
    pub(super) resent: BTreeSet<(u64, bool)>,
}

/// How the events came, beside the signed batches with them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Came {
    /// The first event of which the log says something else than the batch it came with.
    pub(super) contradicted: Option<u64>,
    /// Those that came with none of the batches that are here, by what the log says. The one that brought them may not be
    /// shown, when an event was sent again.
    pub(super) with_none: Vec<u64>,
}

impl TerminalCheck {
    /// A batch has one payload, however often and under whichever of its valid signatures it was sent.
    pub(super) fn batch(&mut self, line: &format::Batch, around: &Around<'_>) -> Vec<FaultKind> {
        if !self.batches.insert(line.digest.clone()) {
            return vec![FaultKind::Doubled];
        }
        fault_unless(self.new_batch(line, around).is_some(), FaultKind::WrongBatch)
    }

    fn new_batch(&mut self, line: &format::Batch, around: &Around<'_>) -> Option<()> {
        let shown = |number| self.known.get(&number)?.json.as_deref();
        let payload = line.frame.payload(shown)?;
        let text_bytes = payload.len();
        let payload = serde_json::value::RawValue::from_string(payload).ok()?;
        // It was signed, and is named, without white space around it: what is cut off here would stand in it unsigned.
        (payload.get().len() == text_bytes).then_some(())?;
        let envelope = Signed { payload, signature: line.signature.clone() };
        envelope.check(Context::Batch, &self.key).ok()?;
        let batch: Batch = envelope.peek().ok()?;
        let own = batch.v == 1
            && batch.terminal == self.line.id
            && batch.contract == around.pack.contract
            && envelope.payload_digest().to_string() == line.digest;
        let mut resent: BTreeMap<Digest, BTreeSet<bool>> = BTreeMap::new();
        for item in &batch.events {
            resent.entry(Digest::of(item.event.get().as_bytes())).or_default().insert(item.resent);
        }
        // What the batch shows is not hidden.
        let shows_all = !resent.keys().any(|digest| self.hidden.contains(digest));
        self.signed.extend(line.frame.numbers());
        self.sent.push(self.sent(line, &batch, &resent));
        (own && shows_all).then_some(())
    }

    fn sent(&self, line: &format::Batch, batch: &Batch, items: &BTreeMap<Digest, BTreeSet<bool>>) -> Sent {
        let mut resent = BTreeSet::new();
        for number in line.frame.numbers() {
            let marks = self.known.get(&number).and_then(|known| items.get(&known.digest));
            resent.extend(marks.into_iter().flatten().map(|mark| (number, *mark)));
        }
        Sent { digest: line.digest.clone(), wall: batch.sent_at.wall, resent }
    }

    /// How the events came by the log, beside the signed batches with them. An event may have been sent several times, and
    /// the batch that brought it may not be here: which one it was shows the time in that batch's receipt, or else the
    /// terminal's clock in it.
    pub(super) fn came(&self) -> Came {
        let mut batches: BTreeMap<u64, Vec<&Sent>> = BTreeMap::new();
        for sent in &self.sent {
            let numbers: BTreeSet<u64> = sent.resent.iter().map(|(number, _)| *number).collect();
            numbers.into_iter().for_each(|number| batches.entry(number).or_default().push(sent));
        }
        let mut came = Came::default();
        for (number, batches) in &batches {
            match self.came_with(*number, batches) {
                Some(true) => {}
                Some(false) => came.contradicted = came.contradicted.or(Some(*number)),
                None => came.with_none.push(*number),
            }
        }
        came
    }

    /// Whether the event came as the batch says that brought it; `None` when it was none of these.
    fn came_with(&self, number: u64, batches: &[&Sent]) -> Option<bool> {
        let known = self.known.get(&number)?;
        let by_receipt = |sent: &Sent| self.arrived.contains(&(sent.digest.clone(), known.received_at));
        let by_clock = |sent: &Sent| known.received_at.saturating_sub(sent.wall) == known.clock_offset_ms;
        let mut those: Vec<_> = batches.iter().filter(|sent| by_receipt(sent)).collect();
        if those.is_empty() {
            those = batches.iter().filter(|sent| by_clock(sent)).collect();
        }
        let agrees = |sent: &&&Sent| by_clock(sent) && sent.resent.contains(&(number, known.resent));
        (!those.is_empty()).then(|| those.iter().any(agrees))
    }
}
