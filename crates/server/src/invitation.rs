//! How somebody gets in for the first time, or again after forgetting the password: a set-up link, with which they
//! choose a password themselves. The link is shown once; the server keeps only the hash of its token.

use data_encoding::BASE32_NOPAD;
use mngntime_model::UtcMillis;
use mngntime_store::{Act, AdministratorId, AdministratorName, ContractId, KeyHash, Store, StoreError};

/// A set-up link counts this long, in hours.
pub const HOURS: i64 = 72;

/// A link to be handed over.
#[derive(Clone)]
pub struct Invitation {
    /// 160 random bits in 32 letters and digits.
    pub token: String,
    /// When it ends.
    pub expires_at: UtcMillis,
}

/// A token is a secret: not for logs.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Invitation {
    /// Where the link leads, below the server's address.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/setup/{}", self.token)
    }

    /// Its whole address on a server that is reached under `url`.
    #[must_use]
    pub fn address(&self, url: &str) -> String {
        format!("{}{}", url.trim_end_matches('/'), self.path())
    }
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// The operating system gave no random bytes.
    #[error("could not draw random bytes for a set-up link: {0}")]
    Random(getrandom::Error),
    /// The store said no or failed.
    #[error("could not keep a set-up link")]
    Store(#[source] StoreError),
}

/// Draws a token for a link that begins with `act`.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn draw(act: &Act) -> Result<Invitation, InviteError> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(InviteError::Random)?;
    let token = BASE32_NOPAD.encode(&bytes).to_lowercase();
    Ok(Invitation { token, expires_at: act.at.plus(HOURS * 3_600_000) })
}

/// Makes a set-up link for somebody; the one before counts no more.
///
/// # Errors
/// [`InviteError`].
pub async fn invite(
    store: &dyn Store,
    contract: Option<ContractId>,
    person: AdministratorId,
    act: Act,
) -> Result<Invitation, InviteError> {
    let made = draw(&act)?;
    let kept = store.start_setup(contract, person, KeyHash::of(&made.token), made.expires_at, act).await;
    kept.map_err(InviteError::Store)?;
    Ok(made)
}

/// Makes the first administrator of a contract, with a set-up link.
///
/// # Errors
/// [`InviteError`]; refused as missing when the contract has somebody.
pub async fn invite_first(
    store: &dyn Store,
    contract: ContractId,
    name: AdministratorName,
    act: Act,
) -> Result<Invitation, InviteError> {
    let made = draw(&act)?;
    let token = KeyHash::of(&made.token);
    let kept = store.invite_first_administrator(contract, name, token, made.expires_at, act).await;
    kept.map_err(InviteError::Store)?;
    Ok(made)
}
