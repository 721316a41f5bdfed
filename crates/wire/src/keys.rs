//! Keys in their textual forms, and what signs with them.
//!
//! Two kinds, told apart by their text:
//!
//! | kind | text of the public key | signature | who |
//! |---|---|---|---|
//! | Ed25519 (RFC 8032) | base64 of the 32 bytes | 64 bytes, base64 | servers, terminals with a key file |
//! | ECDSA P-256 with SHA-256 (FIPS 186-5) | `p256:` and base64 of the 65 bytes of the uncompressed point (SEC 1, 2.3.3) | `r` and `s`, 32 bytes each, big-endian, base64 | terminals whose key lies in the TPM or the key store of Windows, which know no Ed25519 |
//!
//! One key has one text: base64 is read strictly and compressed points are refused.
//!
//! Of an ECDSA signature `(r, s)` anybody can make the second valid one `(r, n - s)`, and TPMs give either.
//! Both are taken: nothing is ever named, counted or compared by a signature. Requests, events and receipts
//! are named by the digest of the bytes that were signed.

use std::error::Error;
use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, UnparsedPublicKey};
use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// What stands before the base64 of a P-256 key.
const P256_PREFIX: &str = "p256:";
/// An uncompressed point: the byte 4, x and y (SEC 1, 2.3.3).
const P256_POINT_BYTES: usize = 65;
const UNCOMPRESSED: u8 = 4;
/// `r` and `s`.
const P256_SIGNATURE_BYTES: usize = 64;

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a public key must be an Ed25519 key (32 bytes in base64) or \"p256:\" and an uncompressed P-256 point \
     (65 bytes in base64)"
)]
pub struct InvalidKey;

/// The public half: pinned by the server for a terminal, and by a terminal for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ed25519(VerifyingKey),
    /// A point of the curve, checked.
    P256([u8; P256_POINT_BYTES]),
}

impl PublicKey {
    /// Reads the textual form.
    ///
    /// # Errors
    /// [`InvalidKey`] for anything that is not a usable key, weak points of the curve included.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        match text.strip_prefix(P256_PREFIX) {
            Some(point) => Self::from_p256_point(&decoded(point)?),
            None => Self::from_ed25519(&decoded(text)?),
        }
    }

    fn from_ed25519(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| InvalidKey)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidKey)?;
        if key.is_weak() { Err(InvalidKey) } else { Ok(Self(Kind::Ed25519(key))) }
    }

    /// Takes an uncompressed P-256 point as a key store gives it: the byte 4, then x and y, 32 bytes each,
    /// big-endian.
    ///
    /// # Errors
    /// [`InvalidKey`] for another length or encoding and for what is no point of the curve. P-256 has
    /// cofactor 1, so every point but the identity, which has no such encoding, is a sound key.
    pub fn from_p256_point(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let point: [u8; P256_POINT_BYTES] = bytes.try_into().map_err(|_| InvalidKey)?;
        // The library would also read other encodings of this length.
        if point[0] != UNCOMPRESSED {
            return Err(InvalidKey);
        }
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| InvalidKey)?;
        Ok(Self(Kind::P256(point)))
    }

    /// Whether `signature` (base64) is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(bytes) = BASE64.decode(signature.as_bytes()) else {
            return false;
        };
        match &self.0 {
            Kind::Ed25519(key) => Signature::from_slice(&bytes)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Kind::P256(point) => {
                bytes.len() == P256_SIGNATURE_BYTES
                    && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &bytes).is_ok()
            }
        }
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, InvalidKey> {
    BASE64.decode(text.as_bytes()).map_err(|_| InvalidKey)
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Ed25519(key) => f.write_str(&BASE64.encode(key.as_bytes())),
            Kind::P256(point) => write!(f, "{P256_PREFIX}{}", BASE64.encode(point)),
        }
    }
}

/// A key that could not sign: a TPM or a key store may be away. The source says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign with {key}")]
pub struct SigningFailed {
    /// The key that was asked, as people know it.
    pub key: String,
    /// What the keeper of the key said.
    pub source: Box<dyn Error + Send + Sync>,
}

/// Something that signs without showing its secret.
pub trait Signer {
    /// The public half.
    fn public(&self) -> PublicKey;

    /// Signs `message`; base64, in the form that belongs to the kind of [`Signer::public`].
    ///
    /// # Errors
    /// [`SigningFailed`] when the keeper of the key does not answer.
    fn sign(&self, message: &[u8]) -> Result<String, SigningFailed>;
}

/// The secret half of an Ed25519 key. Wiped from memory when dropped; never shown by `Debug`.
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
        PublicKey(Kind::Ed25519(self.0.verifying_key()))
    }
}

/// Never fails: the secret is in memory.
impl Signer for SecretKey {
    fn public(&self) -> PublicKey {
        self.public()
    }

    fn sign(&self, message: &[u8]) -> Result<String, SigningFailed> {
        Ok(BASE64.encode(&self.0.sign(message).to_bytes()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;

    use super::*;

    #[test]
    fn a_secret_key_gives_its_seed_back_and_never_shows_it() {
        let key = SecretKey::from_seed(&[0x7b; 32]);
        assert_eq!(key.seed(), [0x7b; 32]);
        assert_eq!(format!("{key:?}"), format!("SecretKey(of {})", key.public()));
    }

    /// RFC 6979, A.2.5: the key, and its signature with SHA-256 over "sample".
    const X: &str = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6";
    const Y: &str = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
    const R: &str = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";
    const S: &str = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    /// The order of the curve (SP 800-186, 3.2.1.3) less `S`: the other valid `s`.
    const S_MIRRORED: &str = "0834E36AD29A83BF2BC9385E491D6099C8FDF9D1ED67AA7EA5F51F93782857A9";
    /// The order itself.
    const ORDER: &str = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn bytes(hex: &str) -> Vec<u8> {
        HEXUPPER.decode(hex.as_bytes()).unwrap()
    }

    fn p256(hex: &str) -> Result<PublicKey, InvalidKey> {
        PublicKey::parse(&format!("p256:{}", BASE64.encode(&bytes(hex))))
    }

    fn known() -> PublicKey {
        p256(&format!("04{X}{Y}")).unwrap()
    }

    fn signature(r: &str, s: &str) -> String {
        BASE64.encode(&bytes(&format!("{r}{s}")))
    }

    #[test]
    fn signs_what_its_public_half_verifies_and_nothing_else() {
        let key = SecretKey::from_seed(&[1; 32]);
        let signature = key.sign(b"message").unwrap();
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"messagf", &signature));
        assert!(!key.public().verifies(b"message", "not base64"));
        assert!(!SecretKey::from_seed(&[2; 32]).public().verifies(b"message", &signature));
    }

    #[test]
    fn an_ed25519_key_has_the_text_it_always_had() {
        // RFC 8032, 7.1, test 1.
        let text = BASE64.encode(&bytes(
            &"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".to_uppercase(),
        ));
        assert_eq!(PublicKey::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn the_weak_key_that_verifies_almost_anything_is_refused() {
        assert_eq!(PublicKey::parse(&BASE64.encode(&[0; 32])), Err(InvalidKey));
        assert_eq!(PublicKey::parse("AAAA"), Err(InvalidKey));
    }

    #[test]
    fn the_known_p256_signature_verifies_and_no_flipped_bit_does() {
        assert!(known().verifies(b"sample", &signature(R, S)));
        assert!(!known().verifies(b"samplf", &signature(R, S)));
        let good = bytes(&format!("{R}{S}"));
        for bit in 0..good.len() * 8 {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!known().verifies(b"sample", &BASE64.encode(&flipped)), "bit {bit}");
        }
    }

    #[test]
    fn a_p256_signature_has_one_length_and_numbers_of_the_range() {
        let good = bytes(&format!("{R}{S}"));
        let longer = [good.as_slice(), &[0]].concat();
        for wrong in [&good[..63], &longer, &[]] {
            assert!(!known().verifies(b"sample", &BASE64.encode(wrong)));
        }
        for (r, s) in [(ZERO, S), (R, ZERO), (ZERO, ZERO), (ORDER, S), (R, ORDER)] {
            assert!(!known().verifies(b"sample", &signature(r, s)), "{r} {s}");
        }
    }

    #[test]
    fn the_mirrored_signature_is_as_good() {
        assert!(known().verifies(b"sample", &signature(R, S_MIRRORED)));
    }

    #[test]
    fn a_signature_of_the_other_kind_does_not_verify() {
        let other = SecretKey::from_seed(&[1; 32]);
        assert!(!known().verifies(b"sample", &other.sign(b"sample").unwrap()));
        assert!(!other.public().verifies(b"sample", &signature(R, S)));
    }

    #[test]
    fn only_points_of_the_curve_in_the_one_encoding_are_p256_keys() {
        assert_eq!(known().to_string(), format!("p256:{}", BASE64.encode(&bytes(&format!("04{X}{Y}")))));
        let off_curve = format!("04{X}{}8", &Y[..63]);
        let wrong = [
            ("off the curve", off_curve.as_str()),
            ("another curve's size", &format!("04{X}{X}{Y}")),
            ("beyond the field", &format!("04{}{Y}", "F".repeat(64))),
            ("all zero", &format!("04{ZERO}{ZERO}")),
            ("identity", "00"),
            ("identity, filled up", &format!("00{ZERO}{ZERO}")),
            ("compressed", &format!("03{X}")),
            ("hybrid", &format!("07{X}{Y}")),
            ("without its first byte", &format!("{X}{Y}")),
            ("empty", ""),
        ];
        for (what, hex) in wrong {
            assert_eq!(p256(hex), Err(InvalidKey), "{what}");
        }
    }

    #[test]
    fn no_second_text_leads_to_a_key() {
        let text = known().to_string();
        let doubled = text.replace("p256:", "p256:p256:");
        let upper = text.replace("p256:", "P256:");
        let bare = text.trim_start_matches("p256:").to_owned();
        let unpadded = text.trim_end_matches('=').to_owned();
        for wrong in [doubled, upper, bare, unpadded, format!("{text}\n"), format!(" {text}")] {
            assert_eq!(PublicKey::parse(&wrong), Err(InvalidKey), "{wrong:?}");
        }
    }

    #[test]
    fn debug_does_not_tell_the_secret() {
        let key = SecretKey::from_seed(&[3; 32]);
        assert!(!format!("{key:?}").contains(&BASE64.encode(&[3; 32])));
    }
}
