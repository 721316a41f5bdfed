//! Signing the log: reads back what was stored, hashes it anew, signs a head for each month that has grown.
//!
//! Runs once a minute and before an evidence pack is made. Two processes may do so at once: the store takes only
//! the head that continues the last one, and the slower one begins again. A month whose stored events are no
//! longer what their digests say gets no further head; that is reported every time, and the other months go on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mngntime_model::UtcMillis;
use mngntime_store::{ContractId, GrownTree, Growth, LogFault, Store, StoreError, Tree, UnsignedMonth};
use mngntime_wire::{Context, LogHead, LogTree, SealFailed, SecretKey, Signed};

/// Leaves read back for one head: a few tens of milliseconds and some ten megabytes.
const LEAVES_PER_HEAD: u64 = 10_000;

/// Why a month was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not what was written.
    #[error("the log of {month} is broken and gets no further head: compare the database with a backup")]
    Broken {
        /// The month.
        month: String,
        /// How.
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

/// The newest signed tree of each contract: receipts tell it to the PCs.
#[derive(Debug, Default)]
pub struct LogHeads(Mutex<BTreeMap<ContractId, LogTree>>);

impl LogHeads {
    /// The newest tree of a contract that this process knows to be signed.
    #[must_use]
    pub fn newest(&self, contract: ContractId) -> Option<LogTree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&contract).cloned()
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
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heads.insert(contract, wire_tree(tree));
    }

    /// Signs a head for every month that has none which tells everything.
    ///
    /// # Errors
    /// The first [`SigningError`], after the other months have been signed all the same.
    pub async fn sign_all(
        &self,
        store: &dyn Store,
        key: &SecretKey,
        now: impl Fn() -> UtcMillis,
    ) -> Result<(), SigningError> {
        let mut failure = None;
        for month in store.unsigned_months().await? {
            if let Err(error) = self.sign_month(store, key, &now, month).await {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
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

fn head(grown: &GrownTree, signed_at: UtcMillis) -> LogHead {
    LogHead {
        v: 1,
        contract: grown.code.clone(),
        tree: wire_tree(&grown.tree),
        closed: grown.closed,
        previous: grown.previous.as_ref().map(wire_tree),
        signed_at: signed_at.0,
    }
}

fn wire_tree(tree: &Tree) -> LogTree {
    LogTree { month: tree.month.clone(), size: tree.size, root: tree.root.to_string() }
}
