//! This sign-in and the one before, as the audit log has them: who finds one that was not theirs, or tries that failed, knows
//! that somebody else is at their account.

use mngntime_store::{AuditEntry, AuditFilter};
use serde::Deserialize;

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::session::Visit;
use super::super::times;

/// A sign-in, ready to be written.
#[derive(Debug, Clone)]
pub struct SignInRow {
    /// What it is called.
    pub name: String,
    /// When.
    pub time: String,
    /// From which address and with which browser, as far as that is known.
    pub from: Vec<String>,
    /// How many tries failed before it, in words; empty for none.
    pub failures: String,
}

/// What of an entry's detail is shown.
#[derive(Default, Deserialize)]
struct Told {
    address: Option<String>,
    agent: Option<String>,
    failures: Option<u64>,
}

/// The sign-in that opened this session, and the one before it.
pub(super) async fn rows(state: &WebState, visit: &Visit) -> Result<Vec<SignInRow>, WebError> {
    let since = visit.about.since();
    let filter = AuditFilter {
        until: Some(since.plus(1)),
        by: Some(visit.act().by),
        actions: vec!["sign_in".to_owned()],
        ..AuditFilter::default()
    };
    let found = state.store.search_audit(visit.person().data.contract, filter, None, 2).await?;
    let mut entries = found.rows.iter().map(|row| &row.entry).peekable();
    let this = entries.next_if(|entry| entry.at == since);
    let both = [("sign-in-this", this), ("sign-in-before", entries.next())];
    Ok(both.into_iter().filter_map(|(name, entry)| Some(row(name, entry?, &visit.chrome))).collect())
}

fn row(name: &str, entry: &AuditEntry, c: &Chrome) -> SignInRow {
    let told: Told = serde_json::from_str(&entry.detail).unwrap_or_default();
    let failures = told.failures.map(|count| c.n("sign-in-failures", count));
    SignInRow {
        name: c.t(name),
        time: times::full(entry.at),
        from: [told.address, told.agent].into_iter().flatten().collect(),
        failures: failures.unwrap_or_default(),
    }
}
