//! Terminals that have sent lately, with the keys that are pinned for them.
//!
//! Whose batch it is and which key it must be signed with is asked for every batch, and never changes: a contract keeps its
//! code, a terminal its key (`docs/architecture.md`, invariants). What may change, whether contract and terminal may send at
//! all, is judged where the batch is stored, inside its transaction, and nothing of it is remembered here: who is blocked on
//! one node is blocked on all from that commit on. Who is not known is not remembered either: he may be enrolled the next
//! moment. Should the database no longer know a terminal (it was put back to an earlier state beneath the server), storing
//! says so, and it is forgotten here too.
//!
//! Two halves, a young and an old one: when the young one is full, it becomes the old one. Who has sent since then is found
//! in either, and the others go all at once, without a clock and without an order.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use mngntime_model::TerminalId;
use mngntime_store::ContractId;
use mngntime_wire::PublicKey;

/// Terminals in each half: with at most 400 bytes for each, both take 13 MB.
const HALF: usize = 16 * 1024;

/// A terminal that the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSender {
    /// Its contract.
    pub contract: ContractId,
    /// Its id.
    pub terminal: TerminalId,
    /// Its pinned key.
    pub key: PublicKey,
}

/// Those that have sent lately.
#[derive(Default)]
pub struct Senders(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<String, KnownSender>,
    old: HashMap<String, KnownSender>,
}

impl Senders {
    /// Who calls himself so; `None` when that is to be asked of the store.
    #[must_use]
    pub fn find(&self, contract: &str, terminal: &str) -> Option<KnownSender> {
        let name = name(contract, terminal);
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = halves.young.get(&name) {
            return Some(*found);
        }
        let found = halves.old.remove(&name)?;
        halves.keep(name, found);
        Some(found)
    }

    /// Remembers what the store has said of somebody.
    pub fn note(&self, contract: &str, terminal: &str, sender: KnownSender) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(name(contract, terminal), sender);
    }

    /// Remembers nothing of somebody any more.
    pub fn forget(&self, contract: &str, terminal: &str) {
        let name = name(contract, terminal);
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.remove(&name);
        halves.old.remove(&name);
    }
}

impl Halves {
    fn keep(&mut self, name: String, sender: KnownSender) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, sender);
    }
}

/// Neither text holds a control character: such batches are refused before.
fn name(contract: &str, terminal: &str) -> String {
    format!("{contract}\n{terminal}")
}

#[cfg(test)]
mod tests {
    use mngntime_wire::SecretKey;

    use super::*;

    fn sender(number: usize) -> KnownSender {
        KnownSender {
            contract: ContractId(i64::try_from(number).unwrap()),
            terminal: TerminalId::from_random([1; 16]),
            key: SecretKey::from_seed(&[1; 32]).public(),
        }
    }

    #[test]
    fn who_sends_again_and_again_stays_and_the_others_go() {
        let senders = Senders::default();
        senders.note("demo", "faithful", sender(0));
        for number in 1..=3 * HALF {
            senders.note("demo", &number.to_string(), sender(number));
            assert_eq!(senders.find("demo", "faithful"), Some(sender(0)));
        }
        assert_eq!(senders.find("demo", "1"), None);
        assert_eq!(senders.find("demo", &(3 * HALF).to_string()), Some(sender(3 * HALF)));
        let halves = senders.0.lock().unwrap();
        assert!(halves.young.len() <= HALF && halves.old.len() <= HALF);
    }

    #[test]
    fn the_same_terminal_under_another_contract_is_somebody_else() {
        let senders = Senders::default();
        senders.note("a", "b", sender(1));
        assert_eq!((senders.find("a", "b"), senders.find("b", "b")), (Some(sender(1)), None));
        senders.forget("a", "b");
        assert_eq!(senders.find("a", "b"), None);
    }
}
