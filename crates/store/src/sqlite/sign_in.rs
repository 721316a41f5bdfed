//! Rows of what people sign in with.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::{SqliteStore, means, tries};
use crate::ports::{
    Act, Answer, Entrance, KeyHash, Means, NewPasskey, NewToken, Origin, ProviderSubject, Role, SecondFactor,
    SignIn, SignInTries, WebSession,
};
use crate::{AdministratorId, ContractId, PasskeyId, TokenId};

#[async_trait]
impl SignIn for SqliteStore {
    async fn means(&self, person: AdministratorId) -> Answer<Means> {
        self.read("read what somebody signs in with", move |connection| means::read(connection, person)).await
    }

    async fn second_factor(&self, person: AdministratorId) -> Answer<SecondFactor> {
        self.read("look for a second factor", move |connection| means::second_factor(connection, person))
            .await
    }

    async fn second_factor_roles(&self, contract: ContractId) -> Answer<Vec<Role>> {
        self.read("read which roles must have a second factor", move |connection| {
            means::roles(connection, contract)
        })
        .await
    }

    async fn require_second_factor(&self, contract: ContractId, roles: Vec<Role>, act: Act) -> Answer<()> {
        self.write("say which roles must have a second factor", move |tx| {
            means::require(tx, contract, &roles, &act)
        })
        .await
    }

    async fn set_totp(
        &self,
        person: AdministratorId,
        sealed: Vec<u8>,
        step: u64,
        keep: Option<String>,
        act: Act,
    ) -> Answer<()> {
        self.write("set up one-time codes", move |tx| {
            means::set_totp(tx, person, &sealed, step, keep.as_deref(), &act)
        })
        .await
    }

    async fn use_totp_step(&self, person: AdministratorId, step: u64) -> Answer<bool> {
        self.write("use a one-time code", move |tx| means::use_totp_step(tx, person, step)).await
    }

    async fn remove_totp(&self, person: AdministratorId, entrance: Entrance, act: Act) -> Answer<()> {
        self.write("remove one-time codes", move |tx| means::remove_totp(tx, person, &entrance, &act)).await
    }

    async fn set_recovery_codes(
        &self,
        person: AdministratorId,
        hashes: Vec<KeyHash>,
        act: Act,
    ) -> Answer<()> {
        self.write("make recovery codes", move |tx| means::set_recovery_codes(tx, person, &hashes, &act))
            .await
    }

    async fn use_recovery_code(&self, person: AdministratorId, hash: KeyHash, act: Act) -> Answer<bool> {
        self.write("use a recovery code", move |tx| means::use_recovery_code(tx, person, &hash, &act)).await
    }

    async fn add_passkey(
        &self,
        person: AdministratorId,
        new: NewPasskey,
        keep: Option<String>,
        act: Act,
    ) -> Answer<PasskeyId> {
        self.write("add a passkey", move |tx| means::add_passkey(tx, person, &new, keep.as_deref(), &act))
            .await
    }

    async fn note_passkey_use(
        &self,
        credential_id: Vec<u8>,
        credential: String,
        at: UtcMillis,
    ) -> Answer<()> {
        self.write("note the use of a passkey", move |tx| {
            means::note_passkey_use(tx, &credential_id, &credential, at)
        })
        .await
    }

    async fn rename_passkey(
        &self,
        person: AdministratorId,
        id: PasskeyId,
        name: String,
        act: Act,
    ) -> Answer<()> {
        self.write("rename a passkey", move |tx| means::rename_passkey(tx, person, id, &name, &act)).await
    }

    async fn remove_passkey(
        &self,
        person: AdministratorId,
        id: PasskeyId,
        entrance: Entrance,
        act: Act,
    ) -> Answer<()> {
        self.write("remove a passkey", move |tx| means::remove_passkey(tx, person, id, &entrance, &act)).await
    }

    async fn reset_means(
        &self,
        contract: Option<ContractId>,
        person: AdministratorId,
        act: Act,
    ) -> Answer<()> {
        self.write("reset what somebody signs in with", move |tx| means::reset(tx, contract, person, &act))
            .await
    }

    async fn person_of_subject(&self, subject: ProviderSubject) -> Answer<Option<AdministratorId>> {
        self.read("look up a provider's subject", move |connection| means::of_subject(connection, &subject))
            .await
    }

    async fn link_subject(&self, person: AdministratorId, subject: ProviderSubject, act: Act) -> Answer<()> {
        self.write("link a provider's subject", move |tx| means::link_subject(tx, person, &subject, &act))
            .await
    }

    async fn unlink_subjects(&self, person: AdministratorId, entrance: Entrance, act: Act) -> Answer<()> {
        self.write("unlink providers", move |tx| means::unlink_subjects(tx, person, &entrance, &act)).await
    }

    async fn add_token(&self, person: AdministratorId, new: NewToken, act: Act) -> Answer<TokenId> {
        self.write("add a token", move |tx| means::add_token(tx, person, &new, &act)).await
    }

    async fn remove_token(&self, person: AdministratorId, id: TokenId, act: Act) -> Answer<()> {
        self.write("remove a token", move |tx| means::remove_token(tx, person, id, &act)).await
    }

    async fn end_tokens(&self, person: AdministratorId, act: Act) -> Answer<u64> {
        self.write("end tokens", move |tx| means::end_tokens(tx, person, &act)).await
    }

    async fn use_token(&self, hash: KeyHash, now: UtcMillis) -> Answer<Option<AdministratorId>> {
        let wanted = hash.clone();
        let found =
            self.read("look up a token", move |connection| means::token(connection, &wanted, now)).await?;
        let Some((person, noted)) = found else { return Ok(None) };
        if !noted {
            self.write("note the use of a token", move |tx| means::note_token_use(tx, &hash, now)).await?;
        }
        Ok(Some(person))
    }
}

#[async_trait]
impl SignInTries for SqliteStore {
    async fn begin_sign_in(&self, login: &str, at: UtcMillis) -> Answer<Option<UtcMillis>> {
        let login = KeyHash::of(login);
        self.write("count a sign-in", move |tx| tries::begin(tx, &login, at)).await
    }

    async fn waits(&self, logins: Vec<String>, at: UtcMillis) -> Answer<Vec<Option<UtcMillis>>> {
        self.read("read who has to wait", move |connection| {
            logins.iter().map(|login| tries::waits(connection, &KeyHash::of(login), at)).collect()
        })
        .await
    }

    async fn take_try_back(&self, login: &str) -> Answer<()> {
        let login = KeyHash::of(login);
        self.write("count a sign-in as right", move |tx| tries::take_back(tx, &login)).await
    }

    async fn note_failed_sign_in(&self, login: &str, address: Option<String>, at: UtcMillis) -> Answer<()> {
        let login = login.to_owned();
        self.write("note a failed sign-in", move |tx| tries::note_failed(tx, &login, address.as_deref(), at))
            .await
    }

    async fn note_sign_in(
        &self,
        person: AdministratorId,
        how: String,
        origin: Origin,
        act: Act,
    ) -> Answer<()> {
        self.write("note a sign-in", move |tx| tries::note_right(tx, person, &how, &origin, &act)).await
    }

    async fn sessions_of(&self, person: AdministratorId, now: UtcMillis) -> Answer<Vec<WebSession>> {
        self.read("list sessions", move |connection| tries::sessions(connection, person, now)).await
    }

    async fn touch_session(&self, id: &str, at: UtcMillis) -> Answer<()> {
        let id = id.to_owned();
        self.write("note the use of a session", move |tx| tries::touch(tx, &id, at)).await
    }

    async fn end_session(&self, person: AdministratorId, id: String, act: Act) -> Answer<bool> {
        self.write("end a session", move |tx| tries::end(tx, person, &id, &act)).await
    }

    async fn end_sessions(&self, person: AdministratorId, keep: Option<String>, act: Act) -> Answer<u64> {
        self.write("end sessions", move |tx| tries::end_others(tx, person, keep.as_deref(), &act)).await
    }
}
