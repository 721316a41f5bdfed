//! Finding whom somebody means, where what is known fits several: to choose from, never chosen.

use async_trait::async_trait;
use jiff::civil::Date;

use super::{Answer, Employee, Scope, SuggestedAccounts};
use crate::ContractId;

/// Whom what was typed, or what waits, may mean.
#[async_trait]
pub trait Finding: Send + Sync {
    /// Employees whose name, reading or code begins with what was typed, spaces left out: at most [`super::FOUND_MAX`] by code,
    /// and how many there are (counted up to some thousands).
    async fn employees_alike(&self, scope: Scope, text: String) -> Answer<(Vec<Employee>, u64)>;
    /// Accounts that wait and match the search, with who may be behind each, where there is somebody: at most `limit`.
    async fn suggested_accounts(
        &self,
        contract: ContractId,
        search: String,
        today: Date,
        limit: usize,
    ) -> Answer<SuggestedAccounts>;
}
