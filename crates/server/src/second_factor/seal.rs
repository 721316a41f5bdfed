//! Secrets at rest: the secret of one-time codes has to be known in the clear to check a code, so it cannot be hashed.
//!
//! It is encrypted with AES-256-GCM under a key derived (HKDF-SHA-256) from the server's own, which lies in a file of
//! its own beside the database. Whoever gets at the database alone (a copy, a report, SQL) makes no codes; whoever has
//! a whole backup has the key as well, and can forge receipts, too. The owner's id is bound to the secret, so that a
//! row moved to somebody else opens nothing. With another server key, secrets cannot be opened any more: people use
//! their recovery codes, or an administrator resets them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use mngntime_wire::SecretKey;

/// Version of the form, first byte of what is sealed.
const FORM: u8 = 1;

/// Seals and opens secrets.
pub struct Sealer(Option<RandomizedNonceKey>);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// A secret could not be sealed or opened: no random bytes, another key, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret cannot be sealed or opened with the server's key")]
pub struct SealError;

impl From<Unspecified> for SealError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl Sealer {
    /// The sealer of a server. Should there be no key, which the fixed lengths rule out, sealing and opening fail.
    #[must_use]
    pub fn new(server: &SecretKey) -> Self {
        Self(Self::key(server).ok())
    }

    fn key(server: &SecretKey) -> Result<RandomizedNonceKey, Unspecified> {
        let mut key = [0; 32];
        let drawn = Salt::new(HKDF_SHA256, b"mngntime").extract(&server.seed());
        drawn.expand(&[b"second factors, version 1"], HKDF_SHA256)?.fill(&mut key)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key)
    }

    /// Seals `secret` for `owner`: form, nonce, ciphertext, tag.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.0.as_ref().ok_or(SealError)?;
        let mut hidden = secret.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut hidden)?;
        Ok([&[FORM], nonce.as_ref().as_slice(), &hidden].concat())
    }

    /// Opens what was sealed for `owner`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.0.as_ref().ok_or(SealError)?;
        let (form, rest) = sealed.split_first().ok_or(SealError)?;
        let (nonce, hidden) = rest.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        if *form != FORM {
            return Err(SealError);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut hidden = hidden.to_vec();
        Ok(key.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut hidden)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(seed: u8) -> Sealer {
        Sealer::new(&SecretKey::from_seed(&[seed; 32]))
    }

    #[test]
    fn a_secret_is_opened_by_the_same_server_for_the_same_owner_unchanged() {
        let sealed = sealer(1).seal("hanako", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(sealer(1).open("hanako", &sealed).unwrap(), b"secret");
        assert_eq!(sealer(1).open("taro", &sealed), Err(SealError));
        assert_eq!(sealer(2).open("hanako", &sealed), Err(SealError));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(sealer(1).open("hanako", &changed), Err(SealError), "byte {place}");
            assert_eq!(sealer(1).open("hanako", &sealed[..place]), Err(SealError), "{place} bytes");
        }
        assert_ne!(sealer(1).seal("hanako", b"secret").unwrap(), sealed, "each time anew");
    }
}
