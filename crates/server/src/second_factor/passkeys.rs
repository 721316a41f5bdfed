//! Passkeys (WebAuthn): registration and sign-in, both checked by `webauthn-rs`.
//!
//! A passkey verifies its owner by itself (fingerprint, PIN), so it is both factors at once, and it brings its owner's
//! id with it, so nobody types a login. It belongs to the server's host name: with another name no passkey works any
//! more, and with an address instead of a name there are none.

use mngntime_model::UtcMillis;
use mngntime_store::{AdministratorId, NewPasskey};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::ceremony::Ceremonies;

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
    /// The OS gave no random bytes.
    #[error("no random bytes for a ceremony: {0}")]
    Random(getrandom::Error),
}

/// A ceremony that has begun: its name for the cookie, and what the browser is asked.
pub type Begun = (String, Value);

/// Passkeys of this server.
#[derive(Debug)]
pub struct Passkeys {
    webauthn: Webauthn,
    registrations: Ceremonies<(AdministratorId, PasskeyRegistration)>,
    sign_ins: Ceremonies<DiscoverableAuthentication>,
}

impl Passkeys {
    /// Passkeys for the server that browsers reach at `url` and people call `name`; `None` when the address has no
    /// host name.
    #[must_use]
    pub fn new(url: &str, name: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.domain()?;
        let webauthn = WebauthnBuilder::new(host, &url).ok()?.rp_name(name).build().ok()?;
        Some(Self { webauthn, registrations: Ceremonies::default(), sign_ins: Ceremonies::default() })
    }

    /// Begins to add a passkey for somebody who has `stored` ones.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn begin_registration(
        &self,
        person: AdministratorId,
        (login, name): (&str, &str),
        stored: &[mngntime_store::Passkey],
        now: UtcMillis,
    ) -> Result<Begun, PasskeyError> {
        let known: Vec<_> = stored.iter().map(|passkey| passkey.data.credential_id.clone()).collect();
        let (question, state) =
            self.webauthn.start_passkey_registration(uuid(person), login, name, Some(known))?;
        let mut question = serde_json::to_value(question)?;
        // The authenticator must remember whose it is: signing in asks for no login.
        let selection = &mut question["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        let token = self.registrations.begin((person, state), now).map_err(PasskeyError::Random)?;
        Ok((token, question))
    }

    /// Ends it: the passkey, called `name`.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn finish_registration(
        &self,
        ceremony: &str,
        person: AdministratorId,
        name: String,
        answer: &RegisterPublicKeyCredential,
        now: UtcMillis,
    ) -> Result<NewPasskey, PasskeyError> {
        let begun = self.registrations.take(ceremony, now);
        let (_, state) = begun.filter(|(whose, _)| *whose == person).ok_or(PasskeyError::Ended)?;
        let passkey = self.webauthn.finish_passkey_registration(answer, &state)?;
        let credential_id = passkey.cred_id().to_vec();
        Ok(NewPasskey { credential_id, name, credential: serde_json::to_string(&passkey)? })
    }

    /// Begins a sign-in of whoever comes.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn begin_sign_in(&self, now: UtcMillis) -> Result<Begun, PasskeyError> {
        let (question, state) = self.webauthn.start_discoverable_authentication()?;
        let mut question = serde_json::to_value(question)?;
        // A button was pressed: the browser shows its own dialogue.
        if let Some(question) = question.as_object_mut() {
            question.remove("mediation");
        }
        let token = self.sign_ins.begin(state, now).map_err(PasskeyError::Random)?;
        Ok((token, question))
    }

    /// Whose passkey the answer says it is. Nothing is proved yet.
    ///
    /// # Errors
    /// [`PasskeyError::Answer`] when it says nothing.
    pub fn claimed(&self, answer: &PublicKeyCredential) -> Result<Option<AdministratorId>, PasskeyError> {
        let (id, _) = self.webauthn.identify_discoverable_authentication(answer)?;
        Ok(AdministratorId::parse(&id.to_string()))
    }

    /// Takes the state of a sign-in out; it counts once, whoever it turns out to be.
    ///
    /// # Errors
    /// [`PasskeyError::Ended`] when there is none.
    pub fn take_sign_in(
        &self,
        ceremony: &str,
        now: UtcMillis,
    ) -> Result<DiscoverableAuthentication, PasskeyError> {
        self.sign_ins.take(ceremony, now).ok_or(PasskeyError::Ended)
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

    const NOW: UtcMillis = UtcMillis(1_781_655_871_000);

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
        let (_, question) = passkeys.begin_registration(person(1), ("hanako", "花子"), &[], NOW).unwrap();
        let public = &question["publicKey"];
        assert_eq!(public["rp"]["id"], "time.example");
        assert_eq!(public["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(public["authenticatorSelection"]["userVerification"], "required");
        let (_, question) = passkeys.begin_sign_in(NOW).unwrap();
        assert_eq!(question["publicKey"]["userVerification"], "required");
        assert!(question.get("mediation").is_none());
    }

    #[test]
    fn a_sign_in_is_taken_once() {
        let passkeys = Passkeys::new("https://time.example", "MINAGINE").unwrap();
        let (name, _) = passkeys.begin_sign_in(NOW).unwrap();
        assert!(passkeys.take_sign_in(&name, NOW).is_ok());
        assert!(matches!(passkeys.take_sign_in(&name, NOW), Err(PasskeyError::Ended)));
    }
}
