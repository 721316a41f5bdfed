//! The signed envelope.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::object::Object;
use crate::{PublicKey, Signer, SigningFailed};
use mngntime_ledger::Digest;

/// What a signature is for. The words are signed together with the payload, so that a signature made for
/// one purpose is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// A terminal's batch of events.
    Batch,
    /// The server's receipt.
    Receipt,
    /// A terminal's request to be enrolled, signed with the key it wants to have pinned.
    EnrollmentRequest,
    /// The server's answer to it.
    EnrollmentAnswer,
    /// The server's word on a tree of its log.
    LogHead,
    /// The server's word on a whole evidence pack.
    EvidenceSeal,
}

impl Context {
    fn prefix(self) -> &'static str {
        match self {
            Self::Batch => "mngntime/v1/batch\0",
            Self::Receipt => "mngntime/v1/receipt\0",
            Self::EnrollmentRequest => "mngntime/v1/enrollment-request\0",
            Self::EnrollmentAnswer => "mngntime/v1/enrollment-answer\0",
            Self::LogHead => "mngntime/v1/log-head\0",
            Self::EvidenceSeal => "mngntime/v1/evidence-seal\0",
        }
    }

    fn message(self, payload: &str) -> Vec<u8> {
        [self.prefix().as_bytes(), payload.as_bytes()].concat()
    }
}

/// Why an envelope cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvelope {
    /// Not the JSON that this contract prescribes.
    #[error("the body is not the JSON of this contract")]
    Malformed(#[source] serde_json::Error),
    /// The signature is not of the expected key over these bytes for this purpose.
    #[error("the signature does not match")]
    WrongSignature,
}

/// Why an envelope cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SealFailed {
    /// The payload has no JSON form: a fault of the program.
    #[error("the payload has no JSON form")]
    Encoding(#[source] serde_json::Error),
    /// The keeper of the key does not answer.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

/// `{"payload": …, "signature": "…"}`: a payload as its exact bytes, and a signature (base64) over a purpose
/// and those bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signed {
    /// The signed JSON, kept byte for byte.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: Box<RawValue>,
    /// Ed25519, or ECDSA P-256 with SHA-256 (`r` and `s`), over the purpose, a zero byte and the payload's
    /// bytes; base64.
    pub signature: String,
}

impl Signed {
    /// Encodes and signs `payload`.
    ///
    /// # Errors
    /// [`SealFailed`]; never in practice with a [`crate::SecretKey`].
    pub fn seal<T: Serialize>(context: Context, payload: &T, key: &dyn Signer) -> Result<Self, SealFailed> {
        let payload = serde_json::value::to_raw_value(payload).map_err(SealFailed::Encoding)?;
        let signature = key.sign(&context.message(payload.get()))?;
        Ok(Self { payload, signature })
    }

    /// Reads an envelope without trusting it.
    ///
    /// # Errors
    /// [`InvalidEnvelope::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, InvalidEnvelope> {
        serde_json::from_slice(body).map_err(InvalidEnvelope::Malformed)
    }

    /// Reads the payload without checking the signature: needed to learn whose key to check with.
    ///
    /// # Errors
    /// [`InvalidEnvelope::Malformed`].
    pub fn peek<T: DeserializeOwned>(&self) -> Result<T, InvalidEnvelope> {
        let object = serde_json::from_str(self.payload.get()).map_err(InvalidEnvelope::Malformed)?;
        let Object(payload) = object;
        Ok(payload)
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`InvalidEnvelope::WrongSignature`].
    pub fn check(&self, context: Context, key: &PublicKey) -> Result<(), InvalidEnvelope> {
        if key.verifies(&context.message(self.payload.get()), &self.signature) {
            Ok(())
        } else {
            Err(InvalidEnvelope::WrongSignature)
        }
    }

    /// Digest of the payload's bytes: names a request in its answer.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        Digest::of(self.payload.get().as_bytes())
    }

    /// The JSON text of the whole envelope.
    ///
    /// # Errors
    /// Never in practice; the payload already is JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    #[derive(Serialize, Deserialize)]
    struct Sample {
        text: String,
    }

    fn sealed(key: &SecretKey) -> Signed {
        Signed::seal(Context::Batch, &Sample { text: "花子".into() }, key).unwrap()
    }

    #[test]
    fn survives_the_wire_byte_for_byte() {
        let key = SecretKey::from_seed(&[1; 32]);
        let sent = sealed(&key);
        let received = Signed::parse(sent.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(received.payload.get(), sent.payload.get());
        assert!(received.check(Context::Batch, &key.public()).is_ok());
    }

    #[test]
    fn white_space_inside_the_payload_is_part_of_what_is_signed() {
        let key = SecretKey::from_seed(&[1; 32]);
        let json = sealed(&key).to_json().unwrap();
        let touched = json.replace("{\"text\"", "{ \"text\"");
        let received = Signed::parse(touched.as_bytes()).unwrap();
        assert!(matches!(
            received.check(Context::Batch, &key.public()),
            Err(InvalidEnvelope::WrongSignature)
        ));
    }

    /// A key whose keeper is away.
    struct Away;

    impl Signer for Away {
        fn public(&self) -> PublicKey {
            SecretKey::from_seed(&[1; 32]).public()
        }

        fn sign(&self, _message: &[u8]) -> Result<String, SigningFailed> {
            Err(SigningFailed { key: "the device key".into(), source: "the TPM is away".into() })
        }
    }

    #[test]
    fn a_key_that_does_not_answer_seals_nothing() {
        let failed = Signed::seal(Context::Batch, &Sample { text: String::new() }, &Away);
        assert!(matches!(failed, Err(SealFailed::Signing(_))));
    }

    #[test]
    fn a_signature_serves_one_purpose() {
        let key = SecretKey::from_seed(&[1; 32]);
        assert!(sealed(&key).check(Context::Receipt, &key.public()).is_err());
    }
}
