//! The forms of the server's log: places, trees and heads (leaves: `mngntime_ledger::leaf`).
//!
//! A head is the server's signed word on a tree: this contract's events of this month are so many, with this
//! root. The heads of a month name the last tree of the month before, which makes all of a contract's months one
//! chain.

use mngntime_ledger::Digest;
use serde::{Deserialize, Serialize};

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
    pub tree: LogTree,
    /// Whether the month is over: no tree of it is larger.
    pub closed: bool,
    /// The last tree of the last month before this one that has events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<LogTree>,
    /// When it was signed, UTC milliseconds by the server's clock.
    pub signed_at: i64,
}

/// A part of a batch's payload, with its events taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FramePart {
    /// The number of an event whose bytes stand here.
    Event(u64),
    /// Text.
    Text(String),
}

/// A batch's payload without the bytes of its events, which are kept once and elsewhere. Together they are the
/// payload again, byte for byte, and the terminal's signature can still be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Frame(pub Vec<FramePart>);

impl Frame {
    /// Takes `events` (number and bytes, in the order of the batch) out of `payload`. What is not found stays in
    /// the text, so the whole is the payload in any case.
    #[must_use]
    pub fn of(payload: &str, events: &[(u64, &str)]) -> Self {
        let (mut rest, mut parts) = (payload, Vec::new());
        for (number, bytes) in events {
            if let Some((before, after)) = rest.split_once(bytes) {
                parts.extend([FramePart::Text(before.to_owned()), FramePart::Event(*number)]);
                rest = after;
            }
        }
        parts.push(FramePart::Text(rest.to_owned()));
        Self(parts)
    }

    /// The payload, with the bytes that `event` gives for a number; `None` when it has none.
    #[must_use]
    pub fn payload<'a>(&'a self, event: impl Fn(u64) -> Option<&'a str>) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                FramePart::Event(number) => event(*number),
                FramePart::Text(text) => Some(text.as_str()),
            })
            .collect()
    }

    /// The numbers of its events.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().filter_map(|part| match part {
            FramePart::Event(number) => Some(*number),
            FramePart::Text(_) => None,
        })
    }
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

    #[test]
    fn a_frame_and_its_events_are_the_payload() {
        let payload =
            r#"{"v":1,"events":[{"resent":false,"event":{"seq":1}},{"resent":true,"event":{"seq":2}}]}"#;
        let events = [(1, r#"{"seq":1}"#), (2, r#"{"seq":2}"#)];
        let frame = Frame::of(payload, &events);
        let bytes = |number| events.iter().find(|(n, _)| *n == number).map(|(_, bytes)| *bytes);
        assert_eq!(frame.payload(bytes).as_deref(), Some(payload));
        assert_eq!(frame.numbers().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(frame.payload(|_| None), None);
        let text = serde_json::to_string(&frame).unwrap();
        assert_eq!(serde_json::from_str::<Frame>(&text).unwrap(), frame);
    }

    #[test]
    fn an_event_that_is_not_in_the_payload_spoils_nothing() {
        let frame = Frame::of("abc", &[(1, "x"), (2, "b")]);
        assert_eq!(frame.numbers().collect::<Vec<_>>(), [2]);
        assert_eq!(frame.payload(|_| Some("b")).as_deref(), Some("abc"));
    }
}
