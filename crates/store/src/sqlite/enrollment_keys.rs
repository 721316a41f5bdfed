//! Enrolment keys.

use crate::sql::{Connection, Row, params};
use async_trait::async_trait;
use mngntime_model::UtcMillis;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::{SqliteStore, Work, audit, rows};
use crate::ports::{
    Act, Answer, ENROLLMENT_KEYS_MAX, EnrollmentKey, EnrollmentKeys, KeyHash, LABEL_MAX, NewEnrollmentKey,
};
use crate::{ContractId, Refusal};

#[async_trait]
impl EnrollmentKeys for SqliteStore {
    async fn list_enrollment_keys(&self, contract: ContractId) -> Answer<Vec<EnrollmentKey>> {
        self.read("list the enrolment keys", move |connection| list(connection, contract)).await
    }

    async fn make_enrollment_key(
        &self,
        contract: ContractId,
        new: NewEnrollmentKey,
        act: Act,
    ) -> Answer<u64> {
        self.write("make an enrolment key", move |tx| add(tx, contract, &new, &act)).await
    }

    async fn rotate_enrollment_key(
        &self,
        contract: ContractId,
        number: u64,
        new: NewEnrollmentKey,
        old_ends_at: UtcMillis,
        act: Act,
    ) -> Answer<u64> {
        self.write("rotate an enrolment key", move |tx| rotate(tx, contract, number, &new, old_ends_at, &act))
            .await
    }

    async fn revoke_enrollment_key(&self, contract: ContractId, number: u64, act: Act) -> Answer<()> {
        self.write("revoke an enrolment key", move |tx| revoke(tx, contract, number, &act)).await
    }
}

const KEY: &str =
    "SELECT number, label, made_by, created_at, expires_at, uses, uses_max, last_used_at, revoked_at,
    key_hash FROM enrollment_keys WHERE contract_id = ?1";

fn read(row: &Row<'_>) -> Work<EnrollmentKey> {
    Ok(EnrollmentKey {
        number: rows::number(row, 0)?,
        label: row.get(1)?,
        made_by: row.get(2)?,
        created_at: rows::millis(row, 3)?,
        expires_at: rows::millis_or_none(row, 4)?,
        uses: rows::number(row, 5)?,
        uses_max: rows::number_or_none(row, 6)?,
        last_used_at: rows::millis_or_none(row, 7)?,
        revoked_at: rows::millis_or_none(row, 8)?,
    })
}

fn list(connection: &Connection, contract: ContractId) -> Work<Vec<EnrollmentKey>> {
    rows::all(connection, &format!("{KEY} ORDER BY number DESC"), [contract.0], read)
}

/// The contract's key with this hash, whatever its state. Every key is compared, and each in constant time.
pub(super) fn matching(
    tx: &Connection,
    contract: ContractId,
    offered: &KeyHash,
) -> Work<Option<EnrollmentKey>> {
    let keys = rows::all(tx, KEY, [contract.0], |row| Ok((row.get::<_, [u8; 32]>(9)?, read(row)?)))?;
    let fits: Vec<bool> = keys.iter().map(|(hash, _)| hash.ct_eq(&offered.0).into()).collect();
    Ok(keys.into_iter().zip(fits).find(|(_, fits)| *fits).map(|((_, key), _)| key))
}

/// Counts one use; `new` when a PC became a terminal by it.
pub(super) fn count_use(
    tx: &Connection,
    contract: ContractId,
    number: u64,
    new: bool,
    at: UtcMillis,
) -> Work<()> {
    rows::run(
        tx,
        "UPDATE enrollment_keys SET uses = uses + ?3, last_used_at = ?4 WHERE contract_id = ?1 AND number = ?2",
        params![contract.0, rows::column(number), new, at.0],
    )
    .map(drop)
}

/// Puts the key there; its number.
pub(super) fn insert(tx: &Connection, contract: ContractId, new: &NewEnrollmentKey, act: &Act) -> Work<u64> {
    let sql = "SELECT count(*), coalesce(max(number), 0) + 1 FROM enrollment_keys WHERE contract_id = ?1";
    let (count, number) =
        rows::one(tx, sql, [contract.0], |row| Ok((rows::number(row, 0)?, rows::number(row, 1)?)))?
            .unwrap_or((0, 1));
    if count >= ENROLLMENT_KEYS_MAX as u64 {
        return Err(Refusal::TooMany { what: "enrolment keys", limit: ENROLLMENT_KEYS_MAX }.into());
    }
    let label: String = new.label.chars().take(LABEL_MAX).collect();
    rows::run(
        tx,
        "INSERT INTO enrollment_keys (contract_id, key_hash, created_at, number, label, made_by, expires_at, uses_max)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            contract.0,
            new.hash.0,
            act.at.0,
            rows::column(number),
            label,
            act.by,
            new.expires_at.map(|end| end.0),
            new.uses_max.map(rows::column),
        ],
    )?;
    Ok(number)
}

/// As [`insert`], with an entry in the audit log.
pub(super) fn add(tx: &Connection, contract: ContractId, new: &NewEnrollmentKey, act: &Act) -> Work<u64> {
    if let Some(there) = matching(tx, contract, &new.hash)? {
        return Ok(there.number);
    }
    let number = insert(tx, contract, new, act)?;
    audit::note(tx, Some(contract), "add_enrollment_key", &object(number), &detail(number, new), act)?;
    Ok(number)
}

/// Everything but the key. `expires_at` is UTC milliseconds.
fn detail(number: u64, new: &NewEnrollmentKey) -> Value {
    let expires_at = new.expires_at.map(|end| end.0);
    json!({ "number": number, "label": new.label, "expires_at": expires_at, "uses_max": new.uses_max })
}

fn object(number: u64) -> String {
    format!("enrolment key {number}")
}

fn rotate(
    tx: &Connection,
    contract: ContractId,
    number: u64,
    new: &NewEnrollmentKey,
    old_ends_at: UtcMillis,
    act: &Act,
) -> Work<u64> {
    if let Some(there) = matching(tx, contract, &new.hash)? {
        return Ok(there.number);
    }
    let touched = rows::run(
        tx,
        "UPDATE enrollment_keys SET expires_at = CASE WHEN expires_at < ?3 THEN expires_at ELSE ?3 END
         WHERE contract_id = ?1 AND number = ?2 AND revoked_at IS NULL",
        params![contract.0, rows::column(number), old_ends_at.0],
    )?;
    if touched == 0 {
        return Err(Refusal::Missing { what: "enrolment key" }.into());
    }
    let fresh = add(tx, contract, new, act)?;
    let detail = json!({ "number": number, "followed_by": fresh, "ends_at": old_ends_at.0 });
    audit::note(tx, Some(contract), "rotate_enrollment_key", &object(number), &detail, act)?;
    Ok(fresh)
}

fn revoke(tx: &Connection, contract: ContractId, number: u64, act: &Act) -> Work<()> {
    let touched = rows::run(
        tx,
        "UPDATE enrollment_keys SET revoked_at = coalesce(revoked_at, ?3) WHERE contract_id = ?1 AND number = ?2",
        params![contract.0, rows::column(number), act.at.0],
    )?;
    if touched == 0 {
        return Err(Refusal::Missing { what: "enrolment key" }.into());
    }
    audit::note(
        tx,
        Some(contract),
        "revoke_enrollment_key",
        &object(number),
        &json!({ "number": number }),
        act,
    )
}
