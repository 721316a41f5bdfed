//! Links that the server makes by itself: a SID was entered at an employee before the first punch.

use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{Answer, LinkOutcome};
use crate::{AccountId, ContractId};

/// Links of one call of [`LinksBySid::link_by_sid`], which is one transaction: some ten milliseconds, in which nothing else is
/// written.
pub const LINKS_BY_SID_MAX: usize = 100;

/// Accounts that are linked by themselves, where their contract has chosen so
/// ([`ContractSettings::links_by_sid`](super::ContractSettings)).
///
/// An account is linked by itself when it waits, has never had a link (one that was ended or called wrong counts: what
/// a person took back stays taken back), and is suggested for sure by its SID, as the list of accounts says it
/// ([`Reason::Directory`](super::Reason)). A UPN is not enough, since a PC may claim any name; nor is the SID of what
/// belongs to one PC ([`Sid::is_of_a_person`](super::Sid), and an account of the PC's own name): PCs that were copied share
/// these.
#[async_trait]
pub trait LinksBySid: Send + Sync {
    /// These accounts, of every contract. Where none waits, this is one look into an index for each contract that has
    /// chosen so.
    async fn accounts_to_link_by_sid(&self, today: Date) -> Answer<Vec<(ContractId, Vec<AccountId>)>>;
    /// Links those of `accounts` that are to be linked still, each from its first waiting punch on, as
    /// [`link_accounts`](super::People::link_accounts) does. One that cannot be linked keeps no other waiting.
    /// Refused beyond [`LINKS_BY_SID_MAX`].
    async fn link_by_sid(
        &self,
        contract: ContractId,
        accounts: Vec<AccountId>,
        at: UtcMillis,
    ) -> Answer<LinkOutcome>;
}
