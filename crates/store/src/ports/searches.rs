//! Saved searches and chosen columns of the punch list.

use async_trait::async_trait;

use super::{Act, Answer};
use crate::{AdministratorId, ContractId, SearchId};

/// Searches that one person can save.
pub const SEARCHES_MAX: usize = 30;

/// A search that can be opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its identity.
    pub id: SearchId,
    /// Whose it is.
    pub person: AdministratorId,
    /// What it is called.
    pub name: String,
    /// Query of the list's address.
    pub query: String,
    /// Whether everybody of the contract sees it.
    pub shared: bool,
}

/// Saved searches.
#[async_trait]
pub trait Searches: Send + Sync {
    /// The person's own searches and the shared ones, by name.
    async fn list_searches(&self, contract: ContractId, person: AdministratorId) -> Answer<Vec<SavedSearch>>;
    /// Saves a search; one of the same person and name is replaced.
    async fn save_search(
        &self,
        contract: ContractId,
        person: AdministratorId,
        name: String,
        query: String,
        shared: bool,
        act: Act,
    ) -> Answer<SearchId>;
    /// Removes a search of this person. One that is not there (any more) is no error.
    async fn delete_search(
        &self,
        contract: ContractId,
        person: AdministratorId,
        search: SearchId,
        act: Act,
    ) -> Answer<()>;
    /// The columns that a person has chosen, names separated by commas; absent when none were.
    async fn punch_columns(&self, person: AdministratorId) -> Answer<Option<String>>;
    /// Keeps a person's choice of columns; empty for none.
    async fn set_punch_columns(&self, person: AdministratorId, columns: String) -> Answer<()>;
}
