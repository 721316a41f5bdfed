//! Rows of second factors, recovery codes, links to providers and tokens.
//!
//! What may count once is used up by one statement that says whether it did something: two requests with the same
//! code, one after the other on the writer, cannot both be told yes.

use crate::sql::{Connection, Row, params};
use mngntime_model::UtcMillis;
use serde_json::{Value, json};

use super::{Work, administrators, audit, rows};
use crate::local_date;
use crate::ports::{
    Act, Administrator, ApiToken, Entrance, KeyHash, Means, NewPasskey, NewToken, PASSKEYS_MAX, Passkey,
    ProviderSubject, Role, SESSION_ENDED, SecondFactor, TOKENS_MAX, TotpSecret,
};
use crate::{AdministratorId, ContractId, PasskeyId, Refusal, TokenId};

/// The use of a token is noted this often, in milliseconds.
const TOKEN_USE_NOTED_MS: i64 = 3_600_000;

pub(super) fn read(connection: &Connection, person: AdministratorId) -> Work<Means> {
    let id = person.0.as_bytes();
    let totp = "SELECT sealed, made_at FROM totp_secrets WHERE administrator_id = ?1";
    let passkeys = "SELECT id, credential_id, name, credential, made_at, used_at FROM passkeys
        WHERE administrator_id = ?1 ORDER BY id";
    let codes = "SELECT count(*) FROM recovery_codes WHERE administrator_id = ?1 AND used_at IS NULL";
    let subjects =
        "SELECT issuer, subject FROM provider_subjects WHERE administrator_id = ?1 ORDER BY issuer";
    let tokens = "SELECT id, name, made_at, expires_at, used_at FROM api_tokens WHERE administrator_id = ?1
        ORDER BY id";
    Ok(Means {
        totp: rows::one(connection, totp, [id], |row| {
            Ok(TotpSecret { sealed: row.get(0)?, made_at: rows::millis(row, 1)? })
        })?,
        passkeys: rows::all(connection, passkeys, [id], passkey)?,
        recovery_codes: rows::one(connection, codes, [id], |row| rows::number(row, 0))?.unwrap_or(0),
        subjects: rows::all(connection, subjects, [id], |row| {
            Ok(ProviderSubject { issuer: row.get(0)?, subject: row.get(1)? })
        })?,
        tokens: rows::all(connection, tokens, [id], api_token)?,
    })
}

fn passkey(row: &Row<'_>) -> Work<Passkey> {
    Ok(Passkey {
        id: PasskeyId(rows::uuid(row, 0)?),
        data: NewPasskey { credential_id: row.get(1)?, name: row.get(2)?, credential: row.get(3)? },
        made_at: rows::millis(row, 4)?,
        used_at: rows::millis_or_none(row, 5)?,
    })
}

fn api_token(row: &Row<'_>) -> Work<ApiToken> {
    Ok(ApiToken {
        id: TokenId(rows::uuid(row, 0)?),
        name: row.get(1)?,
        made_at: rows::millis(row, 2)?,
        expires_at: rows::millis(row, 3)?,
        used_at: rows::millis_or_none(row, 4)?,
    })
}

pub(super) fn second_factor(connection: &Connection, person: AdministratorId) -> Work<SecondFactor> {
    let sql = "SELECT EXISTS (SELECT 1 FROM totp_secrets t WHERE t.administrator_id = a.id)
            OR EXISTS (SELECT 1 FROM passkeys p WHERE p.administrator_id = a.id),
        EXISTS (SELECT 1 FROM second_factor_roles r WHERE r.contract_id = a.contract_id AND r.role = a.role)
        FROM administrators a WHERE a.id = ?1";
    let found = rows::one(connection, sql, [person.0.as_bytes()], |row| {
        Ok(SecondFactor { set_up: row.get(0)?, required: row.get(1)? })
    })?;
    Ok(found.unwrap_or_default())
}

pub(super) fn roles(connection: &Connection, contract: ContractId) -> Work<Vec<Role>> {
    let sql = "SELECT role FROM second_factor_roles WHERE contract_id = ?1 ORDER BY role";
    rows::all(connection, sql, [contract.0], |row| rows::role(row, 0))
}

pub(super) fn require(tx: &Connection, contract: ContractId, roles: &[Role], act: &Act) -> Work<()> {
    rows::run(tx, "DELETE FROM second_factor_roles WHERE contract_id = ?1", [contract.0])?;
    for role in roles {
        let sql =
            "INSERT INTO second_factor_roles (contract_id, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        rows::run(tx, sql, params![contract.0, role.name()])?;
    }
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    audit::note(tx, Some(contract), "require_second_factor", "contract", &json!({ "roles": names }), act)
}

/// Somebody who must be there.
fn find(tx: &Connection, person: AdministratorId) -> Work<Administrator> {
    let found = administrators::by_id(tx, person)?;
    found.ok_or_else(|| Refusal::Missing { what: "administrator" }.into())
}

/// Writes into the log of the person's contract.
pub(super) fn note(
    tx: &Connection,
    found: &Administrator,
    action: &str,
    detail: &Value,
    act: &Act,
) -> Work<()> {
    audit::note(tx, found.data.contract, action, &administrators::object(found), detail, act)
}

pub(super) fn end_sessions(tx: &Connection, person: AdministratorId, keep: Option<&str>) -> Work<usize> {
    let sql = "UPDATE web_sessions SET data = ?3, administrator_id = NULL, seen_at = NULL
        WHERE administrator_id = ?1 AND id IS DISTINCT FROM ?2";
    rows::run(tx, sql, params![person.0.as_bytes(), keep, SESSION_ENDED])
}

pub(super) fn set_totp(
    tx: &Connection,
    person: AdministratorId,
    sealed: &[u8],
    step: u64,
    keep: Option<&str>,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    let sql =
        "INSERT INTO totp_secrets (administrator_id, sealed, last_step, made_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (administrator_id) DO UPDATE SET sealed = excluded.sealed, last_step = excluded.last_step,
        made_at = excluded.made_at";
    rows::run(tx, sql, params![person.0.as_bytes(), sealed, rows::column(step), act.at.0])?;
    end_sessions(tx, person, keep)?;
    note(tx, &found, "set_up_totp", &json!({}), act)
}

pub(super) fn use_totp_step(tx: &Connection, person: AdministratorId, step: u64) -> Work<bool> {
    let sql = "UPDATE totp_secrets SET last_step = ?2 WHERE administrator_id = ?1 AND last_step < ?2";
    Ok(rows::run(tx, sql, params![person.0.as_bytes(), rows::column(step)])? == 1)
}

/// Refuses what has left somebody without a second factor whose role must have one.
fn check_second_factor(tx: &Connection, found: &Administrator, entrance: &Entrance) -> Work<()> {
    let stored = second_factor(tx, found.id)?;
    let left = stored.demanded(found.data.role, entrance.operators_second_factor);
    if left.required && !left.set_up { Err(Refusal::LastSecondFactor.into()) } else { Ok(()) }
}

/// Refuses what has left somebody nothing to sign in with; so nobody who may say who else signs in is lost either
/// ([`administrators::check_keepers`]).
fn check_way_in(tx: &Connection, found: &Administrator, entrance: &Entrance) -> Work<()> {
    let opens = entrance.opens(found.data.password_hash.is_some(), &read(tx, found.id)?);
    if opens { Ok(()) } else { Err(Refusal::OnlyWayIn.into()) }
}

pub(super) fn remove_totp(
    tx: &Connection,
    person: AdministratorId,
    entrance: &Entrance,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    let sql = "DELETE FROM totp_secrets WHERE administrator_id = ?1";
    if rows::run(tx, sql, [person.0.as_bytes()])? == 0 {
        return Ok(());
    }
    check_second_factor(tx, &found, entrance)?;
    note(tx, &found, "remove_totp", &json!({}), act)
}

pub(super) fn set_recovery_codes(
    tx: &Connection,
    person: AdministratorId,
    hashes: &[KeyHash],
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    rows::run(tx, "DELETE FROM recovery_codes WHERE administrator_id = ?1", [person.0.as_bytes()])?;
    for hash in hashes {
        let sql = "INSERT INTO recovery_codes (administrator_id, hash) VALUES (?1, ?2)";
        rows::run(tx, sql, params![person.0.as_bytes(), hash.0])?;
    }
    note(tx, &found, "make_recovery_codes", &json!({ "codes": hashes.len() }), act)
}

pub(super) fn use_recovery_code(
    tx: &Connection,
    person: AdministratorId,
    hash: &KeyHash,
    act: &Act,
) -> Work<bool> {
    let sql = "UPDATE recovery_codes SET used_at = ?3
        WHERE administrator_id = ?1 AND hash = ?2 AND used_at IS NULL";
    if rows::run(tx, sql, params![person.0.as_bytes(), hash.0, act.at.0])? == 0 {
        return Ok(false);
    }
    let left = read(tx, person)?.recovery_codes;
    note(tx, &find(tx, person)?, "use_recovery_code", &json!({ "left": left }), act)?;
    Ok(true)
}

/// Refuses one more of what somebody has `limit` of.
fn check_room(
    tx: &Connection,
    sql: &str,
    person: AdministratorId,
    what: &'static str,
    limit: usize,
) -> Work<()> {
    let count = rows::one(tx, sql, [person.0.as_bytes()], |row| rows::number(row, 0))?.unwrap_or(0);
    if count >= limit as u64 { Err(Refusal::TooMany { what, limit }.into()) } else { Ok(()) }
}

pub(super) fn add_passkey(
    tx: &Connection,
    person: AdministratorId,
    new: &NewPasskey,
    keep: Option<&str>,
    act: &Act,
) -> Work<PasskeyId> {
    let found = find(tx, person)?;
    let count = "SELECT count(*) FROM passkeys WHERE administrator_id = ?1";
    check_room(tx, count, person, "passkeys", PASSKEYS_MAX)?;
    let id = PasskeyId(rows::new_id(act.at)?);
    let sql = "INSERT INTO passkeys (id, administrator_id, credential_id, name, credential, made_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (id_bytes, owner) = (id.0.as_bytes(), person.0.as_bytes());
    rows::run(tx, sql, params![id_bytes, owner, new.credential_id, new.name, new.credential, act.at.0])
        .map_err(|error| taken(error, "passkey", &new.name))?;
    end_sessions(tx, person, keep)?;
    note(tx, &found, "add_passkey", &json!({ "name": new.name }), act)?;
    Ok(id)
}

fn taken(error: super::WorkError, what: &'static str, code: &str) -> super::WorkError {
    if rows::is_taken(&error) { Refusal::Taken { what, code: code.to_owned() }.into() } else { error }
}

pub(super) fn note_passkey_use(
    tx: &Connection,
    credential_id: &[u8],
    credential: &str,
    at: UtcMillis,
) -> Work<()> {
    let sql = "UPDATE passkeys SET credential = ?2, used_at = ?3 WHERE credential_id = ?1";
    rows::run(tx, sql, params![credential_id, credential, at.0]).map(drop)
}

pub(super) fn rename_passkey(
    tx: &Connection,
    person: AdministratorId,
    id: PasskeyId,
    name: &str,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    let both = params![person.0.as_bytes(), id.0.as_bytes()];
    let sql = "SELECT name FROM passkeys WHERE administrator_id = ?1 AND id = ?2";
    let before: Option<String> = rows::one(tx, sql, both, |row| Ok(row.get(0)?))?;
    let before = before.ok_or(Refusal::Missing { what: "passkey" })?;
    if before == name {
        return Ok(());
    }
    let sql = "UPDATE passkeys SET name = ?3 WHERE administrator_id = ?1 AND id = ?2";
    rows::run(tx, sql, params![person.0.as_bytes(), id.0.as_bytes(), name])?;
    note(tx, &found, "rename_passkey", &json!({ "name": name, "before": { "name": before } }), act)
}

pub(super) fn remove_passkey(
    tx: &Connection,
    person: AdministratorId,
    id: PasskeyId,
    entrance: &Entrance,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    let sql = "DELETE FROM passkeys WHERE administrator_id = ?1 AND id = ?2 RETURNING name";
    let both = params![person.0.as_bytes(), id.0.as_bytes()];
    let name: Option<String> = rows::one(tx, sql, both, |row| Ok(row.get(0)?))?;
    let name = name.ok_or(Refusal::Missing { what: "passkey" })?;
    check_second_factor(tx, &found, entrance)?;
    check_way_in(tx, &found, entrance)?;
    note(tx, &found, "remove_passkey", &json!({ "name": name }), act)
}

pub(super) fn reset(
    tx: &Connection,
    contract: Option<ContractId>,
    person: AdministratorId,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    if found.data.contract != contract {
        return Err(Refusal::Missing { what: "administrator" }.into());
    }
    let before = administrators::keepers(tx, contract, local_date(act.at))?;
    for table in ["totp_secrets", "passkeys", "recovery_codes", "provider_subjects"] {
        rows::run(tx, &format!("DELETE FROM {table} WHERE administrator_id = ?1"), [person.0.as_bytes()])?;
    }
    let tokens = delete_tokens(tx, person)?;
    administrators::check_keepers(tx, contract, before, act)?;
    end_sessions(tx, person, None)?;
    note(tx, &found, "reset_second_factors", &ended_tokens(tokens), act)
}

pub(super) fn of_subject(
    connection: &Connection,
    subject: &ProviderSubject,
) -> Work<Option<AdministratorId>> {
    let sql = "SELECT administrator_id FROM provider_subjects WHERE issuer = ?1 AND subject = ?2";
    let key = params![subject.issuer, subject.subject];
    rows::one(connection, sql, key, |row| Ok(AdministratorId(rows::uuid(row, 0)?)))
}

pub(super) fn link_subject(
    tx: &Connection,
    person: AdministratorId,
    subject: &ProviderSubject,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    let sql =
        "INSERT INTO provider_subjects (issuer, subject, administrator_id, made_at) VALUES (?1, ?2, ?3, ?4)";
    rows::run(tx, sql, params![subject.issuer, subject.subject, person.0.as_bytes(), act.at.0])
        .map_err(|error| taken(error, "provider's subject", &subject.issuer))?;
    note(tx, &found, "link_provider", &json!({ "issuer": subject.issuer }), act)
}

pub(super) fn unlink_subjects(
    tx: &Connection,
    person: AdministratorId,
    entrance: &Entrance,
    act: &Act,
) -> Work<()> {
    let found = find(tx, person)?;
    let sql = "DELETE FROM provider_subjects WHERE administrator_id = ?1";
    if rows::run(tx, sql, [person.0.as_bytes()])? == 0 {
        return Ok(());
    }
    check_way_in(tx, &found, entrance)?;
    note(tx, &found, "unlink_provider", &json!({}), act)
}

pub(super) fn add_token(
    tx: &Connection,
    person: AdministratorId,
    new: &NewToken,
    act: &Act,
) -> Work<TokenId> {
    let found = find(tx, person)?;
    let count = "SELECT count(*) FROM api_tokens WHERE administrator_id = ?1";
    check_room(tx, count, person, "tokens", TOKENS_MAX)?;
    let id = TokenId(rows::new_id(act.at)?);
    let sql = "INSERT INTO api_tokens (id, administrator_id, hash, name, made_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (id_bytes, owner) = (id.0.as_bytes(), person.0.as_bytes());
    rows::run(tx, sql, params![id_bytes, owner, new.hash.0, new.name, act.at.0, new.expires_at.0])?;
    let detail = json!({ "name": new.name, "expires_at": new.expires_at.0 });
    note(tx, &found, "make_api_token", &detail, act)?;
    Ok(id)
}

pub(super) fn remove_token(tx: &Connection, person: AdministratorId, id: TokenId, act: &Act) -> Work<()> {
    let found = find(tx, person)?;
    let sql = "DELETE FROM api_tokens WHERE administrator_id = ?1 AND id = ?2 RETURNING name";
    let both = params![person.0.as_bytes(), id.0.as_bytes()];
    let name: Option<String> = rows::one(tx, sql, both, |row| Ok(row.get(0)?))?;
    let name = name.ok_or(Refusal::Missing { what: "token" })?;
    note(tx, &found, "revoke_api_token", &json!({ "name": name }), act)
}

/// Takes all tokens of somebody away; says how many.
pub(super) fn delete_tokens(tx: &Connection, person: AdministratorId) -> Work<usize> {
    rows::run(tx, "DELETE FROM api_tokens WHERE administrator_id = ?1", [person.0.as_bytes()])
}

/// How many tokens ended with something, for its entry; nothing for none.
pub(super) fn ended_tokens(tokens: usize) -> Value {
    if tokens == 0 { json!({}) } else { json!({ "tokens": tokens }) }
}

pub(super) fn end_tokens(tx: &Connection, person: AdministratorId, act: &Act) -> Work<u64> {
    let found = find(tx, person)?;
    let ended = delete_tokens(tx, person)?;
    if ended > 0 {
        note(tx, &found, "revoke_api_tokens", &ended_tokens(ended), act)?;
    }
    Ok(ended as u64)
}

/// Whose token it is, and whether its use has been noted lately.
pub(super) fn token(
    connection: &Connection,
    hash: &KeyHash,
    now: UtcMillis,
) -> Work<Option<(AdministratorId, bool)>> {
    let sql = "SELECT administrator_id, used_at FROM api_tokens WHERE hash = ?1 AND expires_at > ?2";
    rows::one(connection, sql, params![hash.0, now.0], |row| {
        let noted = rows::millis_or_none(row, 1)?.is_some_and(|at| now.0 - at.0 < TOKEN_USE_NOTED_MS);
        Ok((AdministratorId(rows::uuid(row, 0)?), noted))
    })
}

pub(super) fn note_token_use(tx: &Connection, hash: &KeyHash, now: UtcMillis) -> Work<()> {
    rows::run(tx, "UPDATE api_tokens SET used_at = ?2 WHERE hash = ?1", params![hash.0, now.0]).map(drop)
}
