//! The row of the key that signs.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::{SqlStore, Work, WorkError, rows};
use crate::ports::{Answer, SigningKey};
use crate::sql::{Connection, params};

#[async_trait]
impl SigningKey for SqlStore {
    async fn signing_key(&self) -> Answer<Option<String>> {
        self.read("read which key signs", find).await
    }

    async fn remember_signing_key(&self, key: String, at: UtcMillis) -> Answer<String> {
        self.write("remember which key signs", move |tx| {
            let sql = "INSERT INTO signing_key (one, public_key, noted_at) VALUES (1, ?1, ?2)
                ON CONFLICT DO NOTHING";
            rows::run(tx, sql, params![key, at.0])?;
            find(tx)?.ok_or(WorkError::Unreadable("a key that was just remembered"))
        })
        .await
    }
}

fn find(connection: &Connection) -> Work<Option<String>> {
    rows::one(connection, "SELECT public_key FROM signing_key", [], |row| Ok(row.get(0)?))
}
