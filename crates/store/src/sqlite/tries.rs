//! Rows of tries to sign in, and of sessions as their owner sees them.

use crate::sql::{Connection, params};
use mngntime_model::UtcMillis;
use serde_json::{Value, json};

use super::{Work, administrators, means, rows};
use crate::ports::{
    Act, FAILURES_FORGOTTEN_MS, FAILURES_FREE, KeyHash, Origin, SESSION_ENDED, WebSession, waits_until,
};
use crate::{AdministratorId, ContractId, Refusal};

/// Failures of a login that are not forgotten at `at`, and the time of the last.
fn failures(connection: &Connection, login: &KeyHash, at: UtcMillis) -> Work<Option<(u64, UtcMillis)>> {
    let sql = "SELECT failures, last_at FROM sign_in_failures WHERE login_hash = ?1 AND last_at > ?2";
    let since = at.0.saturating_sub(FAILURES_FORGOTTEN_MS);
    rows::one(connection, sql, params![login.0, since], |row| {
        Ok((rows::number(row, 0)?, rows::millis(row, 1)?))
    })
}

/// Until when a login has to wait.
pub(super) fn waits(connection: &Connection, login: &KeyHash, at: UtcMillis) -> Work<Option<UtcMillis>> {
    let found = failures(connection, login, at)?;
    Ok(found.and_then(|(count, last)| waits_until(count, last)).filter(|until| at < *until))
}

pub(super) fn begin(tx: &Connection, login: &KeyHash, at: UtcMillis) -> Work<Option<UtcMillis>> {
    let until = waits(tx, login, at)?;
    if until.is_some() {
        return Ok(until);
    }
    let found = failures(tx, login, at)?;
    let count = found.map_or(0, |(count, _)| count).saturating_add(1);
    let sql =
        "INSERT INTO sign_in_failures (login_hash, failures, last_at, before_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (login_hash) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at,
        before_at = excluded.before_at";
    let before = found.map_or(at, |(_, last)| last);
    rows::run(tx, sql, params![login.0, rows::column(count), at.0, before.0])?;
    Ok(None)
}

pub(super) fn take_back(tx: &Connection, login: &KeyHash) -> Work<()> {
    let sql = "UPDATE sign_in_failures SET failures = failures - 1, last_at = before_at
        WHERE login_hash = ?1 AND failures > 0";
    rows::run(tx, sql, [login.0]).map(drop)
}

/// A login that nobody has is of no contract, so there is no log to write into. Whose login it is has not done this: it
/// is done to them.
pub(super) fn note_failed(tx: &Connection, login: &str, address: Option<&str>, at: UtcMillis) -> Work<()> {
    let Some((count, _)) = failures(tx, &KeyHash::of(login), at)? else { return Ok(()) };
    if count == 0 || !count.is_multiple_of(FAILURES_FREE) {
        return Ok(());
    }
    match administrators::by_login(tx, login)? {
        Some(found) => {
            let detail = json!({ "failures": count, "address": address });
            means::note(tx, &found, "lock_out", &known(detail), &Act::server(at))
        }
        None => Ok(()),
    }
}

/// A detail without what is not known.
fn known(mut detail: Value) -> Value {
    if let Some(fields) = detail.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    detail
}

/// What failed before stands in the entry: a single wrong try is a slip of the finger, four before the right one are a
/// question for who reads the log.
pub(super) fn note_right(
    tx: &Connection,
    person: AdministratorId,
    how: &str,
    origin: &Origin,
    act: &Act,
) -> Work<()> {
    let found = administrators::by_id(tx, person)?;
    let found = found.ok_or(Refusal::Missing { what: "administrator" })?;
    let login = KeyHash::of(&found.data.login);
    let failed = failures(tx, &login, act.at)?.map(|(count, _)| count).filter(|count| *count > 0);
    rows::run(tx, "DELETE FROM sign_in_failures WHERE login_hash = ?1", [login.0])?;
    let (address, agent) = (&origin.address, &origin.agent);
    let detail = json!({ "how": how, "address": address, "agent": agent, "failures": failed });
    means::note(tx, &found, "sign_in", &known(detail), act)
}

/// Forgets failures that count no more.
pub(super) fn forget(tx: &Connection, now: UtcMillis) -> Work<()> {
    let since = now.0.saturating_sub(FAILURES_FORGOTTEN_MS);
    rows::run(tx, "DELETE FROM sign_in_failures WHERE last_at <= ?1", [since]).map(drop)
}

pub(super) fn sessions(
    connection: &Connection,
    person: AdministratorId,
    now: UtcMillis,
) -> Work<Vec<WebSession>> {
    let sql = "SELECT id, data, expires_at, seen_at FROM web_sessions
        WHERE administrator_id = ?1 AND expires_at > ?2 ORDER BY coalesce(seen_at, 0) DESC, id";
    rows::all(connection, sql, params![person.0.as_bytes(), now.0], |row| {
        Ok(WebSession {
            id: row.get(0)?,
            data: row.get(1)?,
            expires_at: rows::millis(row, 2)?,
            person: Some(person),
            seen_at: rows::millis_or_none(row, 3)?,
        })
    })
}

pub(super) fn touch(tx: &Connection, id: &str, at: UtcMillis) -> Work<()> {
    rows::run(tx, "UPDATE web_sessions SET seen_at = ?2 WHERE id = ?1", params![id, at.0]).map(drop)
}

pub(super) fn end(tx: &Connection, person: AdministratorId, id: &str, act: &Act) -> Work<bool> {
    let sql = "UPDATE web_sessions SET data = ?3, administrator_id = NULL, seen_at = NULL
        WHERE administrator_id = ?1 AND id = ?2";
    let ended = rows::run(tx, sql, params![person.0.as_bytes(), id, SESSION_ENDED])?;
    note_ended(tx, person, ended, act)?;
    Ok(ended == 1)
}

pub(super) fn end_others(
    tx: &Connection,
    person: AdministratorId,
    keep: Option<&str>,
    act: &Act,
) -> Work<u64> {
    let ended = means::end_sessions(tx, person, keep)?;
    note_ended(tx, person, ended, act)?;
    Ok(ended as u64)
}

/// Ends the sessions of a contract's people that were last used at `until` or before. Nobody has done that: it is not noted.
pub(super) fn end_idle(tx: &Connection, contract: ContractId, until: UtcMillis) -> Work<()> {
    let sql = "DELETE FROM web_sessions WHERE seen_at <= ?2
        AND administrator_id IN (SELECT id FROM administrators WHERE contract_id = ?1)";
    rows::run(tx, sql, params![contract.0, until.0]).map(drop)
}

fn note_ended(tx: &Connection, person: AdministratorId, ended: usize, act: &Act) -> Work<()> {
    match administrators::by_id(tx, person)? {
        Some(found) if ended > 0 => means::note(tx, &found, "end_sessions", &json!({ "ended": ended }), act),
        Some(_) | None => Ok(()),
    }
}
