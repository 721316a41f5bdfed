//! Receipts: what the server told the terminal, beside what it shows now.
//!
//! A receipt that calls an event stored tells of an event of this pack, with its digest and place, or says why the pack
//! does not show it: it lies outside of the numbers, or was retired. A pack about everything has no outside but what came
//! after its newest head, and that came with nothing that is in the heads: a batch is stored as a whole.

use mngntime_wire::{Context, LogPlace, Receipt, ReceiptItem};

use super::{Around, CLOCK_STEP_MS, FaultKind, OddTime, Oddity, Stamped, TerminalCheck, fault_unless};
use crate::format;
use crate::verify::{earlier_name, envelope_of};

impl TerminalCheck {
    pub(super) fn receipt(&mut self, envelope: &str, around: &Around<'_>) -> Vec<FaultKind> {
        let signed = || {
            let envelope = envelope_of(envelope)?;
            envelope.check(Context::Receipt, around.key).ok()?;
            envelope.peek::<Receipt>().ok()
        };
        let Some(receipt) = signed() else { return vec![FaultKind::WrongReceipt] };
        // A batch that arrived twice at two times has two receipts.
        if !self.arrived.insert((receipt.request.clone(), receipt.received_at)) {
            return vec![FaultKind::Doubled];
        }
        let agrees = receipt.items.iter().filter(|item| item.stored).all(|item| self.agrees(item, around));
        self.odd_receipt = self.before_its_events(&receipt);
        self.counts.receipts += 1;
        if let Some(tree) = &receipt.log {
            let named = self.named.entry(earlier_name(tree));
            let (_, at) = named.or_insert_with(|| (tree.clone(), receipt.received_at));
            *at = receipt.received_at.min(*at);
        }
        let stored = receipt.items.iter().filter(|item| item.stored).map(|item| item.seq);
        if self.reaches_beyond(&receipt, around.pack) {
            self.withheld.extend(stored.clone());
        }
        self.receipted.extend(stored);
        // The log continues whatever it was when the receipt was given.
        let continued = receipt.log.as_ref().is_none_or(|tree| around.earlier.contains(&earlier_name(tree)));
        let is_own = receipt.v == 1
            && receipt.terminal == self.line.id
            && receipt.contract.as_ref().is_none_or(|code| *code == around.pack.contract);
        fault_unless(agrees && continued && is_own, FaultKind::WrongReceipt)
    }

    /// Whether what the receipt calls stored is here as it says, or may be absent.
    fn agrees(&self, item: &ReceiptItem, around: &Around<'_>) -> bool {
        if self.retired_with(item.seq).is_some() {
            return true;
        }
        if self.is_ours(item.seq) {
            // What has a receipt is not missing.
            return self.known.get(&item.seq).is_some_and(|known| {
                let place = (&known.month, known.leaf);
                item.hash == known.digest.to_string()
                    && item.log.as_ref().is_none_or(|log| (&log.month, log.leaf) == place)
            });
        }
        let is_beyond = |place: &LogPlace| is_beyond_heads(place, around);
        item.seq > 0
            && (!around.pack.is_about_everything()
                || (item.seq > self.line.numbers.last && item.log.as_ref().is_none_or(is_beyond)))
    }

    /// Requests that are answered at the same time, or by nodes, have times that cross, and so has what is sent again after a
    /// clock was set back: digest and place bind the event, and the time is only told of, like each that does not fit.
    pub(super) fn before_its_events(&self, receipt: &Receipt) -> Option<OddTime> {
        let stored = receipt.items.iter().filter(|item| item.stored && self.is_ours(item.seq));
        let newest = stored.filter_map(|item| Some((item.seq, self.known.get(&item.seq)?)));
        let (sequence, known) = newest.max_by_key(|(_, known)| known.received_at)?;
        (receipt.received_at < known.received_at.saturating_sub(CLOCK_STEP_MS)).then(|| OddTime {
            of: Stamped::Receipt { terminal: self.line.id.clone(), sequence },
            month: known.month.clone(),
            at: receipt.received_at,
            oddity: Oddity::BeforeItsEvent { received: known.received_at },
        })
    }

    /// The time of the receipt that was read last, if it does not fit.
    pub(in crate::verify) fn take_odd_receipt(&mut self) -> Option<OddTime> {
        self.odd_receipt.take()
    }

    /// The trees of the log that its receipts name.
    pub(in crate::verify) fn named(&self) -> impl Iterator<Item = &String> {
        self.named.keys()
    }

    /// Whether the event has no signature here, and its receipt names the batch that cannot be shown.
    pub(super) fn is_withheld(&self, sequence: u64) -> bool {
        self.withheld.contains(&sequence) && !self.signed.contains(&sequence)
    }

    /// Whether the batch of this receipt has something that the pack does not show, so that its signature cannot be checked
    /// here: a number beyond the pack's, hidden or deleted, or an event that was refused and may be anybody's. In a pack
    /// about everything only what is deleted is not shown.
    fn reaches_beyond(&self, receipt: &Receipt, pack: &format::Pack) -> bool {
        let is_shown = |number: u64| self.known.get(&number).is_some_and(|known| known.json.is_some());
        let is_refused = |item: &ReceiptItem| !item.stored && pack.employee.is_some();
        let is_absent = |number: u64| match pack.is_about_everything() {
            true => self.retired_with(number).is_some(),
            false => !is_shown(number),
        };
        receipt.items.iter().any(|item| is_refused(item) || (item.stored && is_absent(item.seq)))
    }
}

/// Whether no head of the pack tells of the place: it is one that came later.
fn is_beyond_heads(place: &LogPlace, around: &Around<'_>) -> bool {
    around.newest.is_none_or(|head| {
        place.month > head.tree.month
            || (place.month == head.tree.month && !head.closed && place.leaf >= head.tree.size)
    })
}
