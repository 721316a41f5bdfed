//! What people sign in with besides a password, failed sign-ins, their sessions and their programs' tokens.
//!
//! The store keeps what it is given (a sealed secret, a credential as text, hashes) and makes sure of what only it
//! can: that a code counts once, however many requests bring it at the same time, and that a change of means and its
//! entry in the audit log are one.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::{Act, Answer, KeyHash, Role, WebSession};
use crate::{AdministratorId, ContractId, PasskeyId, TokenId};

/// Recovery codes that somebody gets at once.
pub const RECOVERY_CODES: usize = 10;
/// Most passkeys of one person.
pub const PASSKEYS_MAX: usize = 20;
/// Most tokens of one person, ended ones included.
pub const TOKENS_MAX: usize = 20;

/// Failed sign-ins of one login after which it has to wait.
pub const FAILURES_FREE: u64 = 10;
/// Wait after that many failures, in milliseconds; doubled by each further one.
pub const WAIT_FIRST_MS: i64 = 30_000;
/// Longest wait, in milliseconds: 15 minutes.
pub const WAIT_MAX_MS: i64 = 15 * 60_000;
/// Failures are forgotten this long after the last one, in milliseconds: a day.
pub const FAILURES_FORGOTTEN_MS: i64 = 24 * 3_600_000;

/// Until when a login has to wait that failed `failures` times, the last time at `last_at`.
#[must_use]
pub fn waits_until(failures: u64, last_at: UtcMillis) -> Option<UtcMillis> {
    let beyond = failures.checked_sub(FAILURES_FREE)?;
    // 30 s × 2⁵ is beyond 15 minutes: no larger shift is needed.
    let wait = WAIT_FIRST_MS << beyond.min(5);
    Some(last_at.plus(wait.min(WAIT_MAX_MS)))
}

/// A secret for one-time codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpSecret {
    /// The secret as the server has sealed it.
    pub sealed: Vec<u8>,
    /// When it was set up.
    pub made_at: UtcMillis,
}

/// A passkey to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasskey {
    /// How its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// How its owner calls it.
    pub name: String,
    /// Public key and counters, as the server writes them.
    pub credential: String,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Identity in the store.
    pub id: PasskeyId,
    /// What was given.
    pub data: NewPasskey,
    /// When it was added.
    pub made_at: UtcMillis,
    /// When it was last used; absent for never.
    pub used_at: Option<UtcMillis>,
}

/// Who somebody is at another provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderSubject {
    /// The provider's address.
    pub issuer: String,
    /// The provider's name for the person; never given to another.
    pub subject: String,
}

/// A token to be kept.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for, in its owner's words.
    pub name: String,
    /// Its hash.
    pub hash: KeyHash,
    /// When it ends.
    pub expires_at: UtcMillis,
}

/// A token with which a program reads what its owner may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Identity in the store.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub made_at: UtcMillis,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// When it was last used, to the hour; absent for never.
    pub used_at: Option<UtcMillis>,
}

/// Everything somebody signs in with besides the password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Means {
    /// One-time codes.
    pub totp: Option<TotpSecret>,
    /// Passkeys, oldest first.
    pub passkeys: Vec<Passkey>,
    /// Recovery codes that have not been used.
    pub recovery_codes: u64,
    /// Other providers.
    pub subjects: Vec<ProviderSubject>,
    /// Tokens of programs, oldest first.
    pub tokens: Vec<ApiToken>,
}

/// Where somebody signs in from, as it stands in the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Address of the browser, as far as it is known.
    pub address: Option<String>,
    /// The browser, in few words.
    pub agent: Option<String>,
}

/// Whether somebody has a second factor and whether their role must have one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondFactor {
    /// They have one.
    pub set_up: bool,
    /// Their contract wants one of their role.
    pub required: bool,
}

impl SecondFactor {
    /// What holds for somebody of this role: whether operators must have a second factor is the server's own setting, since
    /// they belong to no contract.
    #[must_use]
    pub fn demanded(self, role: Role, operators_must: bool) -> Self {
        Self { required: self.required || (operators_must && role == Role::Operator), ..self }
    }
}

/// What the server's settings say of signing in: whether what is left to somebody, whose means are removed, still opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrance {
    /// Passkeys are taken.
    pub passkeys: bool,
    /// Address of the other provider that is asked; absent for none.
    pub issuer: Option<String>,
    /// Operators must have a second factor.
    pub operators_second_factor: bool,
}

impl Entrance {
    /// Whether somebody with these means gets in, with a password or without.
    #[must_use]
    pub fn opens(&self, has_password: bool, means: &Means) -> bool {
        let asked = |subject: &ProviderSubject| self.issuer.as_ref() == Some(&subject.issuer);
        has_password || (self.passkeys && !means.passkeys.is_empty()) || means.subjects.iter().any(asked)
    }
}

/// What people sign in with.
///
/// Whoever removes what they sign in with keeps a way in, and a second factor where their role must have one: that is looked
/// at in the transaction of the removal, so that two at the same time do not each count on what the other one removes.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Everything somebody has.
    async fn means(&self, person: AdministratorId) -> Answer<Means>;
    /// Whether a second factor is there and whether it must be.
    async fn second_factor(&self, person: AdministratorId) -> Answer<SecondFactor>;
    /// Roles of a contract that must have a second factor.
    async fn second_factor_roles(&self, contract: ContractId) -> Answer<Vec<Role>>;
    /// Replaces them.
    async fn require_second_factor(&self, contract: ContractId, roles: Vec<Role>, act: Act) -> Answer<()>;

    /// Sets one-time codes up, of which `step` has been used, and ends every session but `keep`.
    async fn set_totp(
        &self,
        person: AdministratorId,
        sealed: Vec<u8>,
        step: u64,
        keep: Option<String>,
        act: Act,
    ) -> Answer<()>;
    /// Uses the code of a step up; `false` when it or a later one has been used before.
    async fn use_totp_step(&self, person: AdministratorId, step: u64) -> Answer<bool>;
    /// Takes one-time codes away.
    /// Refused ([`Refusal::LastSecondFactor`](crate::Refusal::LastSecondFactor)) where they must stay.
    async fn remove_totp(&self, person: AdministratorId, entrance: Entrance, act: Act) -> Answer<()>;
    /// Replaces all recovery codes.
    async fn set_recovery_codes(&self, person: AdministratorId, hashes: Vec<KeyHash>, act: Act)
    -> Answer<()>;
    /// Uses a recovery code up; `false` when there is no such one or it has been used.
    async fn use_recovery_code(&self, person: AdministratorId, hash: KeyHash, act: Act) -> Answer<bool>;
    /// Adds a passkey, and ends every session but `keep`.
    async fn add_passkey(
        &self,
        person: AdministratorId,
        new: NewPasskey,
        keep: Option<String>,
        act: Act,
    ) -> Answer<PasskeyId>;
    /// Notes that a passkey has been used; its counters may have moved.
    async fn note_passkey_use(&self, credential_id: Vec<u8>, credential: String, at: UtcMillis)
    -> Answer<()>;
    /// Gives a passkey of this person another name. Nothing is written when it is the one it has.
    async fn rename_passkey(
        &self,
        person: AdministratorId,
        id: PasskeyId,
        name: String,
        act: Act,
    ) -> Answer<()>;
    /// Takes a passkey of this person away.
    /// Refused when it is the only way in ([`Refusal::OnlyWayIn`](crate::Refusal::OnlyWayIn)), and as [`Self::remove_totp`] is.
    async fn remove_passkey(
        &self,
        person: AdministratorId,
        id: PasskeyId,
        entrance: Entrance,
        act: Act,
    ) -> Answer<()>;
    /// Takes all second factors, recovery codes, links to providers and tokens of somebody of this contract (or of an
    /// operator) away and ends their sessions.
    /// Refused ([`Refusal::LastOne`](crate::Refusal::LastOne)) when nobody could say any more who may sign in.
    async fn reset_means(
        &self,
        contract: Option<ContractId>,
        person: AdministratorId,
        act: Act,
    ) -> Answer<()>;

    /// Whose subject this is.
    async fn person_of_subject(&self, subject: ProviderSubject) -> Answer<Option<AdministratorId>>;
    /// Links a subject, which must be free.
    async fn link_subject(&self, person: AdministratorId, subject: ProviderSubject, act: Act) -> Answer<()>;
    /// Takes links to all providers away; refused as [`Self::remove_passkey`] is, but for the second factor.
    async fn unlink_subjects(&self, person: AdministratorId, entrance: Entrance, act: Act) -> Answer<()>;

    /// Adds a token.
    async fn add_token(&self, person: AdministratorId, new: NewToken, act: Act) -> Answer<TokenId>;
    /// Takes a token of this person away.
    async fn remove_token(&self, person: AdministratorId, id: TokenId, act: Act) -> Answer<()>;
    /// Takes all tokens of this person away; returns how many. Nothing is noted when there were none.
    async fn end_tokens(&self, person: AdministratorId, act: Act) -> Answer<u64>;
    /// Whose token this is, while it counts at `now`; notes the use, to the hour.
    async fn use_token(&self, hash: KeyHash, now: UtcMillis) -> Answer<Option<AdministratorId>>;
}

impl Means {
    /// Whether a password alone is not enough.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

/// Tries to sign in, and sessions as their owner sees them.
#[async_trait]
pub trait SignInTries: Send + Sync {
    /// Counts a try of this login before it is known to be right, so that many at once are counted, too. When the
    /// login has to wait, nothing is counted and the answer says until when.
    async fn begin_sign_in(&self, login: &str, at: UtcMillis) -> Answer<Option<UtcMillis>>;
    /// Until when each of these logins has to wait at `at`, in their order; absent for those that need not. Counts nothing.
    async fn waits(&self, logins: Vec<String>, at: UtcMillis) -> Answer<Vec<Option<UtcMillis>>>;
    /// Takes a try back that was right so far.
    async fn take_try_back(&self, login: &str) -> Answer<()>;
    /// A try from `address` was wrong. Every [`FAILURES_FREE`]th failure of somebody stands in the audit log, as done by
    /// the server: who has tried is not known.
    async fn note_failed_sign_in(&self, login: &str, address: Option<String>, at: UtcMillis) -> Answer<()>;
    /// Somebody has got in by `how`: noted with where from and with the number of tries that failed before, and those
    /// are forgotten.
    async fn note_sign_in(
        &self,
        person: AdministratorId,
        how: String,
        origin: Origin,
        act: Act,
    ) -> Answer<()>;

    /// Sessions of somebody that have not ended at `now`, last used first.
    async fn sessions_of(&self, person: AdministratorId, now: UtcMillis) -> Answer<Vec<WebSession>>;
    /// Notes that a session is being used.
    async fn touch_session(&self, id: &str, at: UtcMillis) -> Answer<()>;
    /// Ends one session of this person; `false` when there is none.
    async fn end_session(&self, person: AdministratorId, id: String, act: Act) -> Answer<bool>;
    /// Ends all sessions of this person except `keep`; returns how many.
    async fn end_sessions(&self, person: AdministratorId, keep: Option<String>, act: Act) -> Answer<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_begins_after_ten_failures_and_grows_to_a_quarter_of_an_hour() {
        let seconds = |failures| waits_until(failures, UtcMillis(0)).map(|until| until.0 / 1000);
        assert_eq!(seconds(0), None);
        assert_eq!(seconds(FAILURES_FREE - 1), None);
        let grown: Vec<_> = (10..=16).map(|failures| seconds(failures).unwrap()).collect();
        assert_eq!(grown, [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(seconds(u64::MAX), Some(900));
    }
    #[test]
    fn the_server_s_setting_is_about_operators_alone() {
        let none = SecondFactor { set_up: false, required: false };
        for role in Role::ALL {
            assert_eq!(none.demanded(role, true).required, role == Role::Operator, "{role:?}");
            assert_eq!(none.demanded(role, false), none);
            let required = SecondFactor { required: true, set_up: true };
            assert_eq!(required.demanded(role, false), required, "what the contract wants stays");
        }
    }
}
