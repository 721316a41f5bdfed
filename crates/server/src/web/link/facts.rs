//! What is known of an account, beside its form.

use mngntime_model::UtcMillis;
use mngntime_store::{Account, ContractId, PunchFilter, StoreError};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::times;

/// Accounts up to which punches are looked at.
const LOOKED_AT_MAX: usize = 50;
/// Punches looked at for each.
const PUNCHES: usize = 50;
/// PC names shown for each.
const HOSTS_SHOWN: usize = 5;
/// PCs from which an account may be a shared one.
const SHARED_FROM: usize = 3;

/// Facts about one account.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Punches that wait.
    pub waiting: u64,
    /// Date of the first of them, empty for none.
    pub first: String,
    /// Its last punch.
    pub last: String,
    /// PCs it was lately used on.
    pub hosts: String,
    /// A warning, empty for none.
    pub hint: String,
}

/// Facts about each of `accounts`, in order.
///
/// # Errors
/// What the store says.
pub async fn read(
    state: &WebState,
    contract: ContractId,
    accounts: &[Account],
    c: &Chrome,
) -> Result<Vec<Facts>, StoreError> {
    let mut all = Vec::with_capacity(accounts.len());
    for account in accounts {
        let mut facts = Facts {
            waiting: account.waiting,
            first: account.waiting_since.map(|date| date.to_string()).unwrap_or_default(),
            last: times::day_clock(account.last_seen_at),
            ..Facts::default()
        };
        if accounts.len() <= LOOKED_AT_MAX {
            look(state, contract, account, c, &mut facts).await?;
        }
        all.push(facts);
    }
    Ok(all)
}

async fn look(
    state: &WebState,
    contract: ContractId,
    account: &Account,
    c: &Chrome,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let filter = PunchFilter { account: Some(account.id), ..PunchFilter::default() };
    let page = state.store.list_punches(contract.into(), filter, None, PUNCHES).await?;
    let last = page.rows.first().map(|punch| punch.occurred_at);
    facts.last = last.map(|time: UtcMillis| times::day_clock(time)).unwrap_or_default();
    let mut hosts: Vec<&str> = Vec::new();
    for punch in &page.rows {
        if !hosts.contains(&punch.host_name.as_str()) {
            hosts.push(&punch.host_name);
        }
    }
    if hosts.len() >= SHARED_FROM {
        facts.hint = c.n("link-shared", hosts.len());
    }
    let same = state.store.same_names(contract, account.id).await?.len();
    if same > 0 {
        facts.hint = c.n("link-same-name", same);
    }
    hosts.truncate(HOSTS_SHOWN);
    facts.hosts = hosts.join(", ");
    Ok(())
}
