//! 受領証 on the page of a punch: looked up and checked when the page is made, never supposed.
//!
//! It is sought among the receipts for what the terminal sent in the event's own millisecond: one seek, one or two rows, a
//! signature each. What makes it good is what makes it good in an evidence pack: the server's key signed it, for this
//! terminal and contract, it calls this number stored, and digest and place are those of the bytes the page shows and of
//! the log. A receipt from before there was a log names no place, one from before contracts stood in it no contract.

use mngntime_ledger::Digest;
use mngntime_store::{ContractId, EventReceipts, PunchDetail, StoreError};
use mngntime_wire::{Context, PublicKey, Receipt, ReceiptItem, Signed};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::session::Visit;
use crate::access::Action;

/// What has come of looking for the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// There is one, and all of it fits.
    Verified,
    /// None that is there calls this event stored.
    Absent,
    /// There is one that is not what it should be.
    Wrong,
}

/// What one kept text says of the event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Nothing,
    Agrees,
    Contradicts,
}

impl Checked {
    /// Looks for the receipt of `found` and checks it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn look(
        state: &WebState,
        contract: ContractId,
        visit: &Visit,
        found: &PunchDetail,
    ) -> Result<Self, StoreError> {
        let (punch, code) = (&found.punch, visit.contract_code());
        let kept =
            state.store.event_receipts(contract, punch.terminal, punch.sequence, punch.received_at).await?;
        Ok(Self::of(found, &kept, &state.packs.key(), &code))
    }

    fn of(found: &PunchDetail, kept: &EventReceipts, key: &PublicKey, code: &str) -> Self {
        let words = kept.envelopes.iter().map(|envelope| word(envelope, found, kept, (key, code)));
        let words: Vec<_> = words.collect();
        match () {
            () if words.contains(&Word::Agrees) => Self::Verified,
            () if words.contains(&Word::Contradicts) => Self::Wrong,
            () => Self::Absent,
        }
    }

    /// Its words on the page.
    #[must_use]
    pub fn view(self, found: &PunchDetail, c: &Chrome) -> ReceiptView {
        let (tone, icon, key, note) = match self {
            Self::Verified => ("ok", "i-ok", "receipt-ok", "receipt-ok-note"),
            Self::Absent => ("late", "i-warn", "receipt-absent", "receipt-absent-note"),
            Self::Wrong => ("silent", "i-warn", "receipt-wrong", "receipt-wrong-note"),
        };
        let employee = found.punch.employee.filter(|_| c.may(Action::EvidenceExport));
        ReceiptView {
            tone,
            icon,
            text: c.t(key),
            note: c.t(note),
            todo: (self != Self::Verified).then(|| c.t("receipt-todo")),
            evidence: employee.map(|employee| format!("/employees/{employee}/evidence")),
        }
    }
}

/// 受領証, ready to be written.
#[derive(Debug, Clone)]
pub struct ReceiptView {
    /// Class of the word: `ok`, `late` or `silent`.
    pub tone: &'static str,
    /// Drawing beside it.
    pub icon: &'static str,
    /// What came of the check.
    pub text: String,
    /// What was checked, or what is wrong.
    pub note: String,
    /// What to do; absent when nothing is wrong.
    pub todo: Option<String>,
    /// Where the evidence of the employee is made, for those who may.
    pub evidence: Option<String>,
}

impl ReceiptView {
    /// The same on somebody's own page.
    #[must_use]
    pub fn of_oneself(self, c: &Chrome) -> Self {
        let todo = self.todo.map(|_| c.t("receipt-todo-own"));
        Self { evidence: Some("/me/evidence".to_owned()), todo, ..self }
    }
}

fn word(envelope: &str, found: &PunchDetail, kept: &EventReceipts, server: (&PublicKey, &str)) -> Word {
    let Some(receipt) = read(envelope, server.0) else { return Word::Contradicts };
    let mut items = receipt.items.iter().filter(|item| item.stored && item.seq == found.punch.sequence);
    let Some(item) = items.next() else { return Word::Nothing };
    let is_of_here = receipt.v == 1
        && receipt.terminal == found.punch.terminal.to_string()
        && receipt.received_at == found.punch.received_at.0
        && receipt.contract.as_ref().is_none_or(|code| code == server.1);
    match is_of_here && agrees(item, found, kept) {
        true => Word::Agrees,
        false => Word::Contradicts,
    }
}

fn read(envelope: &str, key: &PublicKey) -> Option<Receipt> {
    let envelope = Signed::parse(envelope.as_bytes()).ok()?;
    envelope.check(Context::Receipt, key).ok()?;
    envelope.peek().ok()
}

/// Whether the digest is that of the bytes on the page, and the place that of the log.
fn agrees(item: &ReceiptItem, found: &PunchDetail, kept: &EventReceipts) -> bool {
    let bytes = Digest::of(found.json.as_bytes());
    let place = kept.place.as_ref().map(|place| (&place.month, place.leaf));
    bytes == found.digest
        && item.hash == bytes.to_string()
        && item.log.as_ref().is_none_or(|log| Some((&log.month, log.leaf)) == place)
}
