//! The forms of the server's log: places, trees and heads (leaves: `mngntime_ledger::leaf`).
//!
//! A head is the server's signed word on a tree: this contract's events of this month are so many, with this
//! root. The heads of a month name the last tree of the month before, which makes all of a contract's months one
//! chain.

use mngntime_ledger::Digest;
use serde::{Deserialize, Serialize};

use crate::object;

/// Where an event stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPlace {
    /// The month of receipt in Japan, `YYYY-MM`.
    pub month: String,
    /// The leaf's index, from 0.
    pub leaf: u64,
}

/// A tree, named by its size and root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogTree {
    /// The month, `YYYY-MM`.
    pub month: String,
    /// Its leaves.
    pub size: u64,
    /// Its root: 64 hexadecimal digits.
    pub root: String,
}

impl LogTree {
    /// The root; `None` when the text is none.
    #[must_use]
    pub fn root_digest(&self) -> Option<Digest> {
        Digest::parse(&self.root).ok()
    }
}

/// What the server signs about a tree ([`crate::Context::LogHead`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Always 1.
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// The tree.
    #[serde(deserialize_with = "object::one")]
    pub tree: LogTree,
    /// Whether the month is over: no tree of it is larger.
    pub closed: bool,
    /// The last tree of the last month before this one that has events.
    #[serde(default, deserialize_with = "object::maybe", skip_serializing_if = "Option::is_none")]
    pub previous: Option<LogTree>,
    /// How many heads of the month were signed, with this one. Absent in heads of versions that did not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<u64>,
    /// When it was signed, UTC milliseconds by the server's clock.
    pub signed_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_a_digest_or_none() {
        let tree = |root: &str| LogTree { month: "2026-11".into(), size: 1, root: root.into() };
        let digest = Digest::of(b"a leaf");
        assert_eq!(tree(&digest.to_string()).root_digest(), Some(digest));
        assert_eq!(tree("a leaf").root_digest(), None);
    }
}
