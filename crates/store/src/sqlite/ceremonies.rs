//! Rows of ceremonies that have begun.

use async_trait::async_trait;
use mngntime_model::UtcMillis;

use super::{SqlStore, Work, rows};
use crate::ports::{Answer, CEREMONIES_MAX, Ceremonies, CeremonyKind, NewCeremony};
use crate::sql::{Connection, params};

#[async_trait]
impl Ceremonies for SqlStore {
    async fn begin_ceremony(&self, new: NewCeremony) -> Answer<()> {
        self.write("begin a ceremony", move |tx| begin(tx, &new)).await
    }

    async fn take_ceremony(
        &self,
        kind: CeremonyKind,
        name: String,
        now: UtcMillis,
    ) -> Answer<Option<Vec<u8>>> {
        self.write("end a ceremony", move |tx| take(tx, kind, &name, now)).await
    }
}

fn begin(tx: &Connection, new: &NewCeremony) -> Work<()> {
    rows::run(tx, "DELETE FROM ceremonies WHERE ends_at <= ?1", [new.begun_at.0])?;
    // The oldest that no longer has room, and what began before it.
    let full = "DELETE FROM ceremonies WHERE kind = ?1 AND begun_at <= (
        SELECT begun_at FROM ceremonies WHERE kind = ?1 ORDER BY begun_at DESC LIMIT 1 OFFSET ?2)";
    rows::run(tx, full, params![new.kind.name(), i64::from(CEREMONIES_MAX - 1)])?;
    let insert = "INSERT INTO ceremonies (name, kind, state, begun_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![new.name, new.kind.name(), new.state, new.begun_at.0, new.ends_at.0];
    rows::run(tx, insert, values).map(drop)
}

fn take(tx: &Connection, kind: CeremonyKind, name: &str, now: UtcMillis) -> Work<Option<Vec<u8>>> {
    let sql = "DELETE FROM ceremonies WHERE name = ?1 AND kind = ?2 RETURNING state, ends_at";
    let taken = rows::one(tx, sql, params![name, kind.name()], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, rows::millis(row, 1)?))
    })?;
    Ok(taken.filter(|(_, ends_at)| now < *ends_at).map(|(state, _)| state))
}
