//! Signing the log: reads back what was stored, hashes it anew, signs a head for each month that has grown.
//!
//! Runs once a minute and before an evidence pack is made. Two processes may do so at once: the store takes only
//! the head that continues the last one, and the slower one begins again. A contract whose log does not tell of
//! everything that is stored gets no further head: it would be true and yet leave something out. A month whose stored events are no
//! longer what their digests say gets no further head; that is reported every time, and the other months go on.
//!
//! A month that a wrong clock opened stays the newest one: recording goes on and the order is kept, so everything that
//! arrives until then lands in it. Nobody can take that back, so the operator is told ([`LogHeads::ahead_of`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mngntime_evidence::months;
use mngntime_model::UtcMillis;
use mngntime_store::{
    Contract, ContractId, GrownTree, Growth, LogFault, LogLook, Store, StoreError, Tree, UnsignedMonth,
};
use mngntime_wire::{Context, LogHead, LogTree, SealFailed, SecretKey, Signed};

use crate::evidence::words::COMPARE;

/// Leaves read back for one head: a few tens of milliseconds and some ten megabytes.
const LEAVES_PER_HEAD: u64 = 10_000;

/// Why a month was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not what was written.
    #[error("the log of {month} is broken and gets no further head: {}", COMPARE.1)]
    Broken {
        /// The month.
        month: String,
        /// How.
        #[source]
        fault: LogFault,
    },
    /// The log does not tell of everything that is stored, or of more.
    #[error("the log of contract {contract} is broken and gets no further head: {}", COMPARE.1)]
    Gap {
        /// Code of the contract.
        contract: String,
        /// What is missing.
        #[source]
        fault: LogFault,
    },
    /// The head could not be signed.
    #[error("a head of the log could not be signed")]
    Seal(#[from] SealFailed),
    /// The signed head has no JSON form.
    #[error("a head of the log has no JSON form")]
    Encoding(#[from] serde_json::Error),
}

impl SigningError {
    /// What is wrong with the log itself; absent when something else failed.
    #[must_use]
    pub fn fault(&self) -> Option<&LogFault> {
        match self {
            Self::Broken { fault, .. } | Self::Gap { fault, .. } => Some(fault),
            Self::Store(_) | Self::Seal(_) | Self::Encoding(_) => None,
        }
    }
}

/// The newest signed tree of each contract: receipts tell it to the PCs.
#[derive(Debug, Default)]
pub struct LogHeads {
    newest: Mutex<BTreeMap<ContractId, LogTree>>,
    /// Contracts whose whole log was compared with what is stored since this process began, and what was found. Who asks
    /// meanwhile waits, and does not look as well.
    compared: tokio::sync::Mutex<BTreeMap<ContractId, Option<LogFault>>>,
    /// Months ahead of the clock that were told in the server's log.
    told: Mutex<BTreeSet<AheadMonth>>,
}

/// The newest month of a contract's log, which lies after the clock by more than a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AheadMonth {
    /// The contract.
    pub contract: ContractId,
    /// `YYYY-MM`.
    pub month: String,
}

/// What it means that the newest month lies after the clock.
#[must_use]
pub fn ahead_words(month: &str) -> String {
    format!(
        "the newest month of the log is {month}, which lies after this server's clock: the clock was ahead when an event \
         arrived, or is behind now. Recording goes on and the order is kept, but everything that arrives before {month} \
         goes into that month. Check the clock and its time service; what is written cannot be taken back"
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogHeads {
    /// The newest tree of a contract that this process knows to be signed.
    #[must_use]
    pub fn newest(&self, contract: ContractId) -> Option<LogTree> {
        lock(&self.newest).get(&contract).cloned()
    }

    /// Logs whose newest signed month lies after the clock by more than a day.
    #[must_use]
    pub fn ahead_of(&self, now: UtcMillis) -> BTreeSet<AheadMonth> {
        let newest = lock(&self.newest);
        let ahead = newest.iter().filter(|(_, tree)| months::is_ahead(&tree.month, now));
        ahead.map(|(contract, tree)| AheadMonth { contract: *contract, month: tree.month.clone() }).collect()
    }

    /// Those of them that have not been told yet; they count as told then. One that the clock has reached is forgotten.
    #[must_use]
    pub fn newly_ahead_of(&self, now: UtcMillis) -> Vec<AheadMonth> {
        let ahead = self.ahead_of(now);
        let mut told = lock(&self.told);
        let fresh = ahead.difference(&told).cloned().collect();
        *told = ahead;
        fresh
    }

    /// Reads the heads that were signed before.
    ///
    /// # Errors
    /// What the store says.
    pub async fn load(&self, store: &dyn Store) -> Result<(), StoreError> {
        for contract in store.list_contracts().await? {
            if let Some(head) = store.newest_head(contract.id).await? {
                self.note(contract.id, &head.tree);
            }
        }
        Ok(())
    }

    fn note(&self, contract: ContractId, tree: &Tree) {
        lock(&self.newest).insert(contract, wire_tree(tree));
    }

    /// Signs a head for every month that has none which tells everything.
    ///
    /// # Errors
    /// The first [`SigningError`], a fault of a log before any other failure, after the other months have been signed all
    /// the same.
    pub async fn sign_all(
        &self,
        store: &dyn Store,
        key: &SecretKey,
        now: impl Fn() -> UtcMillis,
    ) -> Result<(), SigningError> {
        let months = store.unsigned_months(None).await?;
        let mut failure = None;
        for contract in store.list_contracts().await? {
            if let Err(error) = self.sign_months(store, key, &now, &contract, &months).await {
                graver(&mut failure, error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// The same for one contract: what is wrong with another's log is not its business.
    ///
    /// # Errors
    /// As [`Self::sign_all`].
    pub async fn sign_contract(
        &self,
        store: &dyn Store,
        key: &SecretKey,
        now: impl Fn() -> UtcMillis,
        contract: &Contract,
    ) -> Result<(), SigningError> {
        let months = store.unsigned_months(Some(contract.id)).await?;
        self.sign_months(store, key, &now, contract, &months).await
    }

    /// Signs those of `months` that are the contract's.
    async fn sign_months(
        &self,
        store: &dyn Store,
        key: &SecretKey,
        now: &impl Fn() -> UtcMillis,
        contract: &Contract,
        months: &[UnsignedMonth],
    ) -> Result<(), SigningError> {
        if let Some(fault) = self.gap(store, contract.id).await? {
            return Err(SigningError::Gap { contract: contract.code.clone(), fault });
        }
        let mut failure = None;
        for month in months.iter().filter(|month| month.contract == contract.id) {
            if let Err(error) = self.sign_month(store, key, now, month.clone()).await {
                graver(&mut failure, error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// What the contract's log does not tell of: everything is looked at once in a process, and then each terminal's
    /// newest event each time. What was found then stays: it is mended in a server that is stopped.
    async fn gap(&self, store: &dyn Store, contract: ContractId) -> Result<Option<LogFault>, StoreError> {
        let mut compared = self.compared.lock().await;
        if let Some(known) = compared.get(&contract).cloned() {
            drop(compared);
            return Ok(known.or(store.log_gap(contract, LogLook::Newest).await?));
        }
        let found = store.log_gap(contract, LogLook::Places).await?;
        compared.insert(contract, found.clone());
        Ok(found)
    }

    async fn sign_month(
        &self,
        store: &dyn Store,
        key: &SecretKey,
        now: &impl Fn() -> UtcMillis,
        month: UnsignedMonth,
    ) -> Result<(), SigningError> {
        loop {
            let grown = match store.grow_log(month.clone(), LEAVES_PER_HEAD).await? {
                Growth::Nothing => return Ok(()),
                Growth::Broken(fault) => return Err(SigningError::Broken { month: month.month, fault }),
                Growth::Grown(grown) => *grown,
            };
            let signed_at = now();
            let envelope = Signed::seal(Context::LogHead, &head(&grown, signed_at), key)?.to_json()?;
            let (contract, tree) = (grown.contract, grown.tree.clone());
            if store.keep_log_head(grown, signed_at, envelope).await? {
                self.note(contract, &tree);
            }
        }
    }
}

/// Keeps the first failure, but rather one that is a fault of the log.
fn graver(kept: &mut Option<SigningError>, error: SigningError) {
    if kept.as_ref().is_none_or(|kept| kept.fault().is_none() && error.fault().is_some()) {
        *kept = Some(error);
    }
}

fn head(grown: &GrownTree, signed_at: UtcMillis) -> LogHead {
    LogHead {
        v: 1,
        contract: grown.code.clone(),
        tree: wire_tree(&grown.tree),
        closed: grown.closed,
        previous: grown.previous.as_ref().map(wire_tree),
        heads: Some(grown.heads),
        signed_at: signed_at.0,
    }
}

fn wire_tree(tree: &Tree) -> LogTree {
    LogTree { month: tree.month.clone(), size: tree.size, root: tree.root.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_log_is_not_hidden_by_a_failure_before_or_after_it() {
        let gap = || SigningError::Gap { contract: "a".into(), fault: LogFault::UnplacedEntry { number: 1 } };
        let away = || SigningError::Store(StoreError::Closed);
        for order in [[gap(), away()], [away(), gap()]] {
            let mut kept = None;
            order.into_iter().for_each(|error| graver(&mut kept, error));
            assert!(kept.is_some_and(|kept| kept.fault().is_some()));
        }
    }
}
