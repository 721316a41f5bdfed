//! What a leaf of the server's log is made of.
//!
//! A line of JSON with the digest of an event and what the server adds to it. Its bytes are made by
//! [`LogLeaf::to_bytes`] alone, so that anybody who has the values can make them again.

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
}
