//! What a leaf of the server's log is made of.
//!
//! A line of JSON with the digest of an event and what the server adds to it ([`LogLeaf`]), or with the digest of an
//! entry of the audit log ([`AuditLeaf`]). Its bytes are made by `to_bytes` alone, so that anybody who has the values
//! can make them again. The third field tells the two apart: no leaf of one kind has the bytes of the other.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::log::leaf_hash;

/// One leaf. Field order is the order written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLeaf {
    /// Always 1.
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// The terminal's id.
    pub terminal: String,
    /// The event's number.
    pub seq: u64,
    /// SHA-256 of the event's bytes.
    pub hash: String,
    /// When the server received it, UTC milliseconds by the server's clock.
    pub received_at: i64,
    /// 再送.
    pub resent: bool,
    /// Server's clock less the terminal's at that moment, in milliseconds.
    pub clock_offset_ms: i64,
}

impl LogLeaf {
    /// The leaf's bytes.
    ///
    /// # Errors
    /// Never in practice: texts and numbers have a JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Its hash in the tree.
    ///
    /// # Errors
    /// As [`Self::to_bytes`].
    pub fn hash(&self) -> Result<Digest, serde_json::Error> {
        self.to_bytes().map(|bytes| leaf_hash(&bytes))
    }
}

/// A leaf for an entry of the audit log. Field order is the order written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLeaf {
    /// Always 1.
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// Always `audit`.
    pub kind: String,
    /// The entry's number.
    pub number: u64,
    /// SHA-256 of the entry's line ([`crate::audit::AuditRecord::to_json`]).
    pub hash: String,
    /// When it was noted, UTC milliseconds by the server's clock.
    pub at: i64,
}

impl AuditLeaf {
    /// The leaf of an entry of this contract.
    #[must_use]
    pub fn of(contract: &str, number: u64, at: i64, entry: Digest) -> Self {
        let (contract, kind) = (contract.to_owned(), "audit".to_owned());
        Self { v: 1, contract, kind, number, hash: entry.to_string(), at }
    }

    /// The leaf's bytes.
    ///
    /// # Errors
    /// Never in practice: texts and numbers have a JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Its hash in the tree.
    ///
    /// # Errors
    /// As [`Self::to_bytes`].
    pub fn hash(&self) -> Result<Digest, serde_json::Error> {
        self.to_bytes().map(|bytes| leaf_hash(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_one_line_of_bytes() {
        let leaf = LogLeaf {
            v: 1,
            contract: "A-1".into(),
            terminal: "t".into(),
            seq: 7,
            hash: "00".into(),
            received_at: 1,
            resent: true,
            clock_offset_ms: -5,
        };
        let text = r#"{"v":1,"contract":"A-1","terminal":"t","seq":7,"hash":"00","received_at":1,"resent":true,"clock_offset_ms":-5}"#;
        assert_eq!(leaf.to_bytes().unwrap(), text.as_bytes());
    }

    #[test]
    fn a_leaf_of_the_audit_log_has_other_bytes_than_any_event_s() {
        let leaf = AuditLeaf::of("A-1", 7, 5, Digest::GENESIS);
        let text = format!(
            r#"{{"v":1,"contract":"A-1","kind":"audit","number":7,"hash":"{}","at":5}}"#,
            Digest::GENESIS
        );
        assert_eq!(leaf.to_bytes().unwrap(), text.as_bytes());
        assert!(serde_json::from_str::<LogLeaf>(&text).is_err());
    }
}
