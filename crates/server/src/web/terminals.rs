//! 端末: which PCs need somebody ([`board`]), one of them with all that is known ([`detail`]), what people do with
//! them ([`change`]), and how more of them come ([`keys`], [`rollout`]).
//!
//! Whoever has 5,000 PCs must see at once which say nothing, and whoever opens one must see what to do next. So the
//! counts of the board are the filters of the list, and every state has one sentence that begins with a verb.
//! Harmful changes have a page that says what they do and to which PCs; a person who may not change anything sees
//! the same pages without the buttons.

pub mod board;
pub mod change;
pub mod csv;
pub mod days;
pub mod detail;
pub mod keys;
pub mod pictures;
pub mod query;
pub mod rollout;
mod standing;
pub mod views;

use std::str::FromStr as _;

use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::{ContractId, Health, Measures, Terminal, TerminalStatus};
use semver::Version;

use super::WebState;
use super::chrome::Chrome;
use super::errors::WebError;

/// How a terminal is doing, all things considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Not heard of for long.
    Silent,
    /// Blocked by a person.
    Blocked,
    /// Missed its time.
    Late,
    /// Heard of in time.
    Healthy,
    /// Enrolled, and not heard of since; its first word is not due yet. The board counts it among those that are in time.
    Expected,
    /// Out of use.
    Retired,
}

impl Condition {
    fn of(terminal: &Terminal, now: UtcMillis, contact_seconds: u32) -> Self {
        match terminal.status {
            TerminalStatus::Blocked => Self::Blocked,
            TerminalStatus::Retired => Self::Retired,
            TerminalStatus::Active => match Health::of(terminal.heard_at(), now, contact_seconds) {
                Health::Healthy if terminal.last_contact_at.is_none() => Self::Expected,
                Health::Healthy => Self::Healthy,
                Health::Late => Self::Late,
                Health::Silent => Self::Silent,
            },
        }
    }

    /// Last part of its class and its drawing.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "unheard",
            Self::Blocked => "blocked",
            Self::Late => "late",
            Self::Healthy => "ok",
            Self::Expected => "joining",
            Self::Retired => "retired",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Silent => "state-silent",
            Self::Blocked => "state-blocked",
            Self::Late => "state-late",
            Self::Healthy => "state-ok",
            Self::Expected => "state-expected",
            Self::Retired => "state-retired",
        }
    }
}

/// The terminal of this contract with the id of an address.
async fn find(state: &WebState, contract: ContractId, id: &str) -> Result<Terminal, WebError> {
    let id = TerminalId::parse(id).map_err(|_| WebError::NotFound)?;
    state.store.terminal(contract, id).await?.ok_or(WebError::NotFound)
}

/// Against what the contract's terminals are measured now.
pub(super) async fn measures(
    state: &WebState,
    contract: ContractId,
    now: UtcMillis,
) -> Result<Measures, WebError> {
    let versions = state.store.fleet_versions(contract).await?;
    let old_versions = old_versions(versions, env!("CARGO_PKG_VERSION"));
    Ok(Measures { now, contact_seconds: state.contact_seconds, old_versions })
}

/// Those of `versions` that are behind the server's own. Agent and server are released together; the newest agent
/// of the contract is no measure, because one PC that calls itself 99 would make all others old. What is no version
/// counts as old: no release of ours calls itself so.
fn old_versions(versions: Vec<String>, own: &str) -> Vec<String> {
    let own = Version::from_str(own).ok();
    let is_old = |text: &String| {
        let version = Version::from_str(text).ok();
        version.is_none_or(|version| own.as_ref().is_some_and(|own| version < *own))
    };
    versions.into_iter().filter(is_old).collect()
}

/// How the terminal's secret key is kept. Agents before `file` was a word said `software` of a key file, which
/// only holds Ed25519 keys; a key store holds none. The word of a newer agent is shown as it is.
fn kept(terminal: &Terminal, c: &Chrome) -> String {
    match terminal.key_class.as_str() {
        "tpm" => c.t("key-tpm"),
        "software" if terminal.public_key.starts_with("p256:") => c.t("key-software"),
        "software" | "file" => c.t("key-file"),
        word => word.to_owned(),
    }
}

/// The clock's offset at the last contact, in milliseconds; nothing as long as there was none.
fn offset(terminal: &Terminal) -> Option<i64> {
    terminal.last_contact_at.map(|_| terminal.clock_offset_ms)
}

/// How long ago, in days and hours.
fn ago(last: UtcMillis, c: &Chrome) -> String {
    let hours = u64::try_from(c.now.0.saturating_sub(last.0) / 3_600_000).unwrap_or(0);
    c.words().numbers("ago", &[("days", hours / 24), ("hours", hours % 24)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_old_when_it_is_behind_the_server_and_not_when_another_is_ahead() {
        let versions = ["0.9.9", "0.10.0", "0.10.0-rc.1", "99.0.0", "", "v1"].map(str::to_owned).to_vec();
        assert_eq!(old_versions(versions, "0.10.0"), ["0.9.9", "0.10.0-rc.1", "", "v1"]);
    }
}
