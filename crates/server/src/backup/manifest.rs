//! What a backup says of itself, in JSON: fields are added, never renamed.

use std::collections::BTreeMap;

use mngntime_model::UtcMillis;
use mngntime_store::sqlite::backup::Contents;
use mngntime_wire::PublicKey;
use serde::{Deserialize, Serialize};

use crate::punch_line::rfc3339;

/// The newest format that this program reads and the one it writes.
pub const FORMAT: u32 = 1;

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] of the program that made it.
    pub format: u32,
    /// Version of the program that made it.
    pub version: String,
    /// When it was begun, RFC 3339, UTC, by the server's clock.
    pub made_at: String,
    /// Number of the database's last migration.
    pub schema: u32,
    /// The public half of the server's key: what the terminals have pinned.
    pub server_key: String,
    /// Stored events of every contract.
    pub events: BTreeMap<String, u64>,
    /// Rows of every table.
    pub rows: BTreeMap<String, u64>,
}

impl Manifest {
    /// The manifest of a snapshot that was begun at `now`.
    #[must_use]
    pub fn new(contents: &Contents, key: &PublicKey, now: UtcMillis) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: rfc3339(now),
            schema: contents.schema,
            server_key: key.to_string(),
            events: contents.events.clone(),
            rows: contents.rows.clone(),
        }
    }

    /// Its text, for people too.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Text and numbers always have a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// [`Self::made_at`] as a number; `None` when the text is no time.
    #[must_use]
    pub fn made_at_millis(&self) -> Option<UtcMillis> {
        let time: jiff::Timestamp = self.made_at.parse().ok()?;
        Some(UtcMillis(time.as_millisecond()))
    }

    /// What the snapshot holds, by this manifest.
    #[must_use]
    pub fn contents(&self) -> Contents {
        Contents { schema: self.schema, rows: self.rows.clone(), events: self.events.clone() }
    }
}
