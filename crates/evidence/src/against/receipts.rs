//! What receipts say.
//!
//! Whoever has the server's key can put anything into one. So a line of which a month, a root or a digest is none is no receipt
//! of a server: nothing of it is compared, and nothing of it is said.

use mngntime_ledger::Digest;
use mngntime_wire::{Context, PublicKey, Receipt, Signed};

use super::{Contents, Placeless, is_tree};
use crate::months;

impl Contents {
    /// The contents of receipts, one a line, that `key` signed, as far as they are of the contract of `pack`. Those of before
    /// receipts named their contract are of it when the pack knows their terminal, which has one contract for ever.
    #[must_use]
    pub fn of_receipts<'a>(lines: impl Iterator<Item = &'a str>, key: &PublicKey, pack: &Self) -> Self {
        let mut contents = Self { contract: pack.contract.clone(), ..Self::default() };
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            match receipt_of(line, key) {
                Some(Receipt { contract: Some(code), .. }) if code != pack.contract => {
                    contents.other_contracts += 1;
                }
                Some(receipt) => {
                    let is_placed = receipt.contract.is_some() || pack.knows(&receipt.terminal);
                    contents.receipt(&receipt, is_placed);
                }
                None => contents.foreign_lines += 1,
            }
        }
        contents
    }

    fn knows(&self, terminal: &str) -> bool {
        let mut events = self.events.range((terminal.to_owned(), 0)..=(terminal.to_owned(), u64::MAX));
        self.terminals.contains_key(terminal) || events.next().is_some()
    }

    /// Of one that is not placed nobody knows in which log its places and trees are.
    fn receipt(&mut self, receipt: &Receipt, is_placed: bool) {
        self.receipts += 1;
        self.unplaced += u64::from(!is_placed);
        for item in receipt.items.iter().filter(|item| item.stored) {
            let Ok(digest) = Digest::parse(&item.hash) else { continue };
            let key = (receipt.terminal.clone(), item.seq);
            // A server that names trees gives a place to whatever it stores, and none to what it has deleted.
            if item.log.is_none() && receipt.log.is_some() {
                let tree = receipt.log.as_ref().filter(|_| is_placed);
                let tree = tree.map(|tree| (tree.month.clone(), tree.size));
                let told = Placeless { digest, at: receipt.received_at, tree };
                self.events.entry(key).or_default().placeless.push(told);
                continue;
            }
            let place = item.log.as_ref().filter(|_| is_placed);
            let place = place.map(|log| (log.month.clone(), log.leaf));
            if let Some((month, leaf)) = &place {
                self.reach(month, leaf.saturating_add(1), receipt.received_at);
            }
            self.events.entry(key).or_default().add(digest, place, receipt.received_at);
        }
        if let Some(tree) = receipt.log.as_ref().filter(|_| is_placed) {
            self.tree(tree, receipt.received_at);
            let denied = receipt.missing.iter().map(|range| (*range, (tree.month.clone(), tree.size)));
            self.denied.entry(receipt.terminal.clone()).or_default().extend(denied);
        }
    }
}

fn receipt_of(line: &str, key: &PublicKey) -> Option<Receipt> {
    let envelope = Signed::parse(line.as_bytes()).ok()?;
    envelope.check(Context::Receipt, key).ok()?;
    envelope.peek().ok().filter(is_sound)
}

/// Whether months, roots and digests in it are some.
fn is_sound(receipt: &Receipt) -> bool {
    let places = receipt.items.iter().filter_map(|item| item.log.as_ref());
    receipt.log.as_ref().is_none_or(is_tree)
        && places.into_iter().all(|place| months::is_month(&place.month))
        && receipt.items.iter().all(|item| Digest::parse(&item.hash).is_ok())
}
