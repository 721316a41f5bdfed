//! A digest over rows.

use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

/// A digest over the rows of a table, in the order of its key, and how many they are. Each value is hashed with its kind and
/// length, so that no two lists of rows are alike.
#[derive(Clone, Default)]
pub(super) struct TableDigest {
    hash: Sha256,
    rows: u64,
}

impl std::fmt::Debug for TableDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableDigest").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl TableDigest {
    /// Adds the next value of a row.
    pub(super) fn value(&mut self, value: ValueRef<'_>) {
        let (kind, bytes): (u8, &[u8]) = match value {
            ValueRef::Null => (0, &[]),
            ValueRef::Integer(number) => return self.add(1, &number.to_be_bytes()),
            ValueRef::Real(number) => return self.add(2, &number.to_be_bytes()),
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        self.add(kind, bytes);
    }

    fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Of what was added.
    pub(super) fn finish(self) -> (u64, [u8; 32]) {
        (self.rows, self.hash.finalize().into())
    }
}
