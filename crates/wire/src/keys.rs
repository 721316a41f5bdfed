//! Ed25519 keys in their textual forms.

use std::fmt;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an Ed25519 public key must be 32 bytes in base64 and a point of the curve")]
pub struct InvalidKey;

/// The public half: pinned by the server for a terminal, and by a terminal for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the base64 form.
    ///
    /// # Errors
    /// [`InvalidKey`] for anything that is not a usable key, weak points of the curve included.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| InvalidKey)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| InvalidKey)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidKey)?;
        if key.is_weak() { Err(InvalidKey) } else { Ok(Self(key)) }
    }

    /// Whether `signature` (base64) is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(bytes) = BASE64.decode(signature.as_bytes()) else {
            return false;
        };
        let Ok(signature) = Signature::from_slice(&bytes) else {
            return false;
        };
        self.0.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0.as_bytes()))
    }
}

/// The secret half. Wiped from memory when dropped; never shown by `Debug`.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes a key from 32 random bytes the caller has drawn.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32 bytes to keep in the key file.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message`; base64.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        BASE64.encode(&self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_what_its_public_half_verifies_and_nothing_else() {
        let key = SecretKey::from_seed(&[1; 32]);
        let signature = key.sign(b"message");
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"messagf", &signature));
        assert!(!key.public().verifies(b"message", "not base64"));
        assert!(!SecretKey::from_seed(&[2; 32]).public().verifies(b"message", &signature));
    }

    #[test]
    fn the_weak_key_that_verifies_almost_anything_is_refused() {
        assert_eq!(PublicKey::parse(&BASE64.encode(&[0; 32])), Err(InvalidKey));
        assert_eq!(PublicKey::parse("AAAA"), Err(InvalidKey));
    }

    #[test]
    fn debug_does_not_tell_the_secret() {
        let key = SecretKey::from_seed(&[3; 32]);
        assert!(!format!("{key:?}").contains(&BASE64.encode(&[3; 32])));
    }
}
