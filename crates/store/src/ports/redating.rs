//! Port: the dates that the logoffs of nights keep, put right when the day boundary changes.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::Answer;
use crate::ContractId;

/// The latest day boundary that can be chosen, in minutes after midnight: noon.
pub const DAY_BOUNDARY_MAX_MINUTES: u32 = 720;

/// Dates and verdicts of stored punches after a change of the day boundary.
#[async_trait]
pub trait Redating {
    /// Contracts some of whose punches may keep a date that their day boundary no longer gives; `default_minutes` is the
    /// server's boundary, in minutes after midnight, for contracts that have chosen none.
    ///
    /// # Errors
    /// [`crate::StoreError`] when the store fails.
    async fn contracts_to_redate(&self, default_minutes: u32) -> Answer<Vec<ContractId>>;
    /// Does a piece of the work: up to about a thousand logoffs get their date, and those whose date moved are judged again
    /// in the same transaction. Whether nothing is left; doing it once more then changes nothing. What it came to is noted in
    /// the audit log at the end, by whoever chose the boundary.
    ///
    /// # Errors
    /// [`crate::StoreError`] when the store fails; what earlier pieces did stays.
    async fn redate_some(&self, contract: ContractId, default_minutes: u32, at: UtcMillis) -> Answer<bool>;
}
