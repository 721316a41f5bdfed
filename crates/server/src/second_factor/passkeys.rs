//! Passkeys (WebAuthn): registration and sign-in, both checked by `webauthn-rs`.
//!
//! A passkey verifies its owner by itself (fingerprint, PIN), so it is both factors at once, and it brings its owner's
//! id with it, so nobody types a login. It belongs to the server's host name: with another name no passkey works any
//! more, and with an address instead of a name there are none.

use mngntime_store::{AdministratorId, NewPasskey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::limiter::Limiter;

/// Sign-ins begun from one address at once, refilled in [`crate::limiter::REFILL_MS`]: an office in the morning, and fewer than
/// are remembered at all, since each is written down.
const BEGUN_PER_ADDRESS: u32 = 1_000;

/// Why a passkey was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// There is no such ceremony, or no more.
    #[error("the ceremony has ended or is another's")]
    Ended,
    /// The passkey or its answer is none that counts.
    #[error("the passkey's answer does not count")]
    Answer(#[from] WebauthnError),
    /// What is stored cannot be read or written.
    #[error("a stored passkey cannot be read or written")]
    Stored(#[from] serde_json::Error),
}

/// A passkey that is being added: what is remembered until the browser answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Adding {
    person: String,
    state: PasskeyRegistration,
}

/// Passkeys of this server.
#[derive(Debug)]
pub struct Passkeys {
    webauthn: Webauthn,
    /// Sign-ins begun, by address.
    pub begun: Limiter,
}

impl Passkeys {
    /// Passkeys for the server that browsers reach at `url` and people call `name`; `None` when the address has no
    /// host name.
    #[must_use]
    pub fn new(url: &str, name: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.domain()?;
        let webauthn = WebauthnBuilder::new(host, &url).ok()?.rp_name(name).build().ok()?;
        Some(Self { webauthn, begun: Limiter::new(BEGUN_PER_ADDRESS) })
    }

    /// Begins to add a passkey for somebody who has `stored` ones: what is to be remembered, and what the browser is asked.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn begin_registration(
        &self,
        person: AdministratorId,
        (login, name): (&str, &str),
        stored: &[mngntime_store::Passkey],
    ) -> Result<(Adding, Value), PasskeyError> {
        let known: Vec<_> = stored.iter().map(|passkey| passkey.data.credential_id.clone()).collect();
        let (question, state) =
            self.webauthn.start_passkey_registration(uuid(person), login, name, Some(known))?;
        let mut question = serde_json::to_value(question)?;
        // The authenticator must remember whose it is: signing in asks for no login.
        let selection = &mut question["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        Ok((Adding { person: person.to_string(), state }, question))
    }

    /// Ends it: the passkey, called `name`.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn finish_registration(
        &self,
        begun: Option<Adding>,
        person: AdministratorId,
        name: String,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<NewPasskey, PasskeyError> {
        let begun = begun.filter(|begun| begun.person == person.to_string()).ok_or(PasskeyError::Ended)?;
        let passkey = self.webauthn.finish_passkey_registration(answer, &begun.state)?;
        let credential_id = passkey.cred_id().to_vec();
        Ok(NewPasskey { credential_id, name, credential: serde_json::to_string(&passkey)? })
    }

    /// Begins a sign-in of whoever comes.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn begin_sign_in(&self) -> Result<(DiscoverableAuthentication, Value), PasskeyError> {
        let (question, state) = self.webauthn.start_discoverable_authentication()?;
        let mut question = serde_json::to_value(question)?;
        // A button was pressed: the browser shows its own dialogue.
        if let Some(question) = question.as_object_mut() {
            question.remove("mediation");
        }
        Ok((state, question))
    }

    /// Whose passkey the answer says it is. Nothing is proved yet.
    ///
    /// # Errors
    /// [`PasskeyError::Answer`] when it says nothing.
    pub fn claimed(&self, answer: &PublicKeyCredential) -> Result<Option<AdministratorId>, PasskeyError> {
        let (id, _) = self.webauthn.identify_discoverable_authentication(answer)?;
        Ok(AdministratorId::parse(&id.to_string()))
    }

    /// Checks the answer against the passkeys of whose it says it is: the one used, with its counters moved on.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn finish_sign_in(
        &self,
        state: DiscoverableAuthentication,
        answer: &PublicKeyCredential,
        stored: &[mngntime_store::Passkey],
    ) -> Result<(Vec<u8>, String), PasskeyError> {
        let known =
            |passkey: &&mngntime_store::Passkey| passkey.data.credential_id == answer.get_credential_id();
        let found = stored.iter().find(known).ok_or(PasskeyError::Ended)?;
        let mut used: Passkey = serde_json::from_str(&found.data.credential)?;
        let result = self.webauthn.finish_discoverable_authentication_v2(answer, state, &used)?;
        if !result.user_verified() || result.cred_id() != used.cred_id() {
            return Err(PasskeyError::Ended);
        }
        used.update_credential(&result);
        Ok((used.cred_id().to_vec(), serde_json::to_string(&used)?))
    }
}

fn uuid(person: AdministratorId) -> Uuid {
    // The store's ids are UUIDs; their text always is one.
    Uuid::parse_str(&person.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u8) -> AdministratorId {
        AdministratorId::parse(&format!("00000000-0000-7000-8000-0000000000{n:02}")).unwrap()
    }

    #[test]
    fn an_address_without_a_name_has_no_passkeys() {
        assert!(Passkeys::new("https://time.example", "x").is_some());
        assert!(Passkeys::new("http://localhost:8320", "x").is_some());
        for bad in ["http://127.0.0.1:8320", "https://[::1]", "time.example", ""] {
            assert!(Passkeys::new(bad, "x").is_none(), "{bad}");
        }
    }

    #[test]
    fn the_browser_is_asked_for_a_passkey_that_knows_its_owner_and_verifies_them() {
        let passkeys = Passkeys::new("https://time.example", "MINAGINE").unwrap();
        let (_, question) = passkeys.begin_registration(person(1), ("hanako", "花子"), &[]).unwrap();
        let public = &question["publicKey"];
        assert_eq!(public["rp"]["id"], "time.example");
        assert_eq!(public["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(public["authenticatorSelection"]["userVerification"], "required");
        let (_, question) = passkeys.begin_sign_in().unwrap();
        assert_eq!(question["publicKey"]["userVerification"], "required");
        assert!(question.get("mediation").is_none());
    }

    #[test]
    fn what_is_remembered_is_read_again_as_it_was_written() {
        let passkeys = Passkeys::new("https://time.example", "MINAGINE").unwrap();
        let (adding, _) = passkeys.begin_registration(person(1), ("hanako", "花子"), &[]).unwrap();
        let written = serde_json::to_value(&adding).unwrap();
        let read: Adding = serde_json::from_value(written.clone()).unwrap();
        assert_eq!((serde_json::to_value(&read).unwrap(), read.person), (written, person(1).to_string()));
        let (state, _) = passkeys.begin_sign_in().unwrap();
        let written = serde_json::to_value(&state).unwrap();
        let read: DiscoverableAuthentication = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), written);
    }
}
