//! How a PC becomes a terminal: `POST /api/v1/terminals`.

use serde::{Deserialize, Serialize};

/// Request, signed with the secret half of `public_key` ([`crate::Context::EnrollmentRequest`]): proof that
/// the sender holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollmentRequest {
    /// Always 1.
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// The contract's enrolment key.
    pub enrollment_key: String,
    /// The key to pin: an Ed25519 key in base64, or `p256:` and an uncompressed P-256 point in base64.
    pub public_key: String,
    /// Name of the PC.
    pub host_name: String,
    /// Operating system and version, for reading.
    pub os: String,
    /// Digest of what the PC is made of.
    pub makeup: String,
    /// How the terminal's secret key is kept: `tpm`, `software` (the key store of Windows, which does not
    /// give it out) or `file`. Agents before `file` was a word said `software` of a file.
    pub key_class: String,
    /// Version of the agent.
    pub agent: String,
}

/// Answer, signed with the server's key ([`crate::Context::EnrollmentAnswer`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollmentAnswer {
    /// Always 1.
    pub v: u32,
    /// Digest of the request's payload.
    pub request: String,
    /// 5: the contract cannot be used; 6: the enrolment key or this terminal cannot. Absent on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub res: Option<u8>,
    /// Why, beside `res` 6, as far as the one who asks may know: `key_unknown`, `key_expired`, `key_used_up`,
    /// `key_revoked`, `terminal_blocked`. Absent from servers of before it was a field; a word that is not known says
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The terminal's id, on success. The same key enrolled again gets the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// The server's public key, base64: pinned by the terminal and used for every later answer.
    pub server_key: String,
    /// How the server is called in messages.
    pub display_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"v":1,"request":"r","res":6,"server_key":"k","display_name":"d"}"#;

    #[test]
    fn an_answer_of_before_reasons_is_read_and_one_without_is_written_as_before() {
        let answer: EnrollmentAnswer = serde_json::from_str(OLD).unwrap();
        assert_eq!((answer.res, answer.reason.as_deref()), (Some(6), None));
        assert_eq!(serde_json::to_string(&answer).unwrap(), OLD);
    }

    /// The answer as an agent knows it that was built before there were reasons.
    #[derive(Deserialize)]
    struct Before {
        res: Option<u8>,
        terminal: Option<String>,
        display_name: String,
    }

    #[test]
    fn an_agent_of_before_reasons_reads_an_answer_with_one() {
        let answer: EnrollmentAnswer = serde_json::from_str(OLD).unwrap();
        let answer = EnrollmentAnswer { reason: Some("key_expired".into()), ..answer };
        let text = serde_json::to_string(&answer).unwrap();
        assert!(text.contains(r#""reason":"key_expired""#), "{text}");
        let before: Before = serde_json::from_str(&text).unwrap();
        assert_eq!((before.res, before.terminal, before.display_name.as_str()), (Some(6), None, "d"));
    }
}
