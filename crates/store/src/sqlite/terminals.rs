//! Terminals.

use crate::sql::{Connection, Row, params};
use async_trait::async_trait;
use mngntime_ledger::audit::TerminalChanged;
use mngntime_model::{TerminalId, UtcMillis};
use serde_json::json;

use super::judging::{self, Look};
use super::{SqliteStore, Work, WorkError, audit, rows, standing};
use crate::ports::{
    Act, Answer, MissingNumbers, NOTE_MAX, Note, REASON_MAX, Standing, StatusChanged, StatusesSet,
    TERMINALS_PER_CHANGE_MAX, Terminal, TerminalStatus, Terminals, Why,
};
use crate::{ContractId, Refusal};

#[async_trait]
impl Terminals for SqliteStore {
    async fn list_terminals(
        &self,
        contract: ContractId,
        after: Option<(String, TerminalId)>,
        limit: usize,
    ) -> Answer<Vec<Terminal>> {
        self.read("list the terminals", move |connection| list(connection, contract, after, limit)).await
    }

    async fn terminal(&self, contract: ContractId, terminal: TerminalId) -> Answer<Option<Terminal>> {
        self.read("look up a terminal", move |connection| find(connection, contract, &terminal)).await
    }

    async fn set_terminal_status(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        status: TerminalStatus,
        act: Act,
    ) -> Answer<u64> {
        self.write_alone("change a terminal's status", move |tx| {
            set_status(tx, contract, &terminal, status, Because::default(), &act)
        })
        .await
    }

    async fn clear_conflict(&self, contract: ContractId, terminal: TerminalId, act: Act) -> Answer<()> {
        self.write("clear a terminal's conflict mark", move |tx| {
            let clear =
                "UPDATE terminals SET conflict = 0, rolled_back_at = NULL, rollbacks = 0, cloned_at = NULL
                WHERE contract_id = ?1 AND id = ?2";
            touch(tx, clear, contract, &terminal)?;
            let id = rows::terminal_bytes(&terminal)?;
            standing::settle(tx, &standing::Terminal { contract, id: &id })?;
            let detail =
                TerminalChanged { terminal: terminal.to_string(), status: None, reason: None, like: None };
            audit::note(tx, Some(contract), "clear_conflict", &format!("terminal {terminal}"), &detail, &act)
        })
        .await
    }

    async fn count_standings(&self) -> Answer<Vec<(Standing, u64)>> {
        self.read("count the terminals by standing", standing::count).await
    }
}

/// A figure of the holes that are shown of a terminal: a look into the few rows of its own.
macro_rules! of_missing {
    ($figure:literal, settled = $settled:literal) => {
        concat!(
            "(SELECT ",
            $figure,
            " FROM missing_numbers AS m WHERE m.contract_id = terminals.contract_id
             AND m.terminal_id = terminals.id AND m.declared IS DISTINCT FROM 'earlier_enrollment' AND m.settled = ",
            $settled,
            ")"
        )
    };
}

/// Columns of a terminal, for [`read`]; every table beside `terminals` must leave their names alone.
pub(super) const COLUMNS: &str = concat!(
    "id, host_name, os, public_key, makeup, key_class, agent_version, status,
    enrolled_at, last_contact_at, head, waiting, clock_offset_ms, conflict, makeup_changed,
    rolled_back_at, rollbacks, cloned_at, waiting_rises, reenroll_until, note, note_by, note_at, ",
    of_missing!("coalesce(sum(m.last_number - m.first_number + 1), 0)", settled = 0),
    ", ",
    of_missing!(
        "coalesce(sum(CASE WHEN m.declared IS NULL THEN m.last_number - m.first_number + 1 END), 0)",
        settled = 0
    ),
    ", ",
    of_missing!("coalesce(min(m.first_number), 0)", settled = 0),
    ", ",
    of_missing!("coalesce(max(m.last_number), 0)", settled = 0),
    ", ",
    of_missing!("coalesce(sum(m.last_number - m.first_number + 1), 0)", settled = 1),
    ", boot, boot_heard_at"
);

pub(super) fn read(row: &Row<'_>) -> Work<Terminal> {
    Ok(Terminal {
        id: rows::terminal_id(row, 0)?,
        host_name: row.get(1)?,
        os: row.get(2)?,
        public_key: row.get(3)?,
        makeup: row.get(4)?,
        key_class: row.get(5)?,
        agent_version: row.get(6)?,
        status: rows::terminal_status(row, 7)?,
        enrolled_at: rows::millis(row, 8)?,
        last_contact_at: row.get::<_, Option<i64>>(9)?.map(UtcMillis),
        boot: row.get(28)?,
        boot_heard_at: rows::millis(row, 29)?,
        head: rows::number(row, 10)?,
        waiting: rows::number(row, 11)?,
        clock_offset_ms: row.get(12)?,
        conflict: row.get(13)?,
        makeup_changed: row.get(14)?,
        rolled_back_at: row.get::<_, Option<i64>>(15)?.map(UtcMillis),
        rollbacks: rows::number(row, 16)?,
        cloned_at: row.get::<_, Option<i64>>(17)?.map(UtcMillis),
        missing: MissingNumbers {
            count: rows::number(row, 23)?,
            undeclared: rows::number(row, 24)?,
            first: rows::number(row, 25)?,
            last: rows::number(row, 26)?,
            settled: rows::number(row, 27)?,
        },
        waiting_rises: rows::number(row, 18)?,
        reenroll_until: rows::millis_or_none(row, 19)?,
        note: note(row, 20)?,
    })
}

fn note(row: &Row<'_>, column: usize) -> Work<Option<Note>> {
    let text: String = row.get(column)?;
    let by: Option<String> = row.get(column + 1)?;
    let at = rows::millis_or_none(row, column + 2)?;
    Ok(by.zip(at).filter(|_| !text.is_empty()).map(|(by, at)| Note { text, by, at }))
}

fn list(
    connection: &Connection,
    contract: ContractId,
    after: Option<(String, TerminalId)>,
    limit: usize,
) -> Work<Vec<Terminal>> {
    let limit = rows::column(limit as u64);
    let Some((name, id)) = after else {
        let sql =
            format!("SELECT {COLUMNS} FROM terminals WHERE contract_id = ?1 ORDER BY host_name, id LIMIT ?2");
        return rows::all(connection, &sql, params![contract.0, limit], read);
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM terminals WHERE contract_id = ?1 AND (host_name, id) > (?2, ?3) ORDER BY host_name, id LIMIT ?4"
    );
    rows::all(connection, &sql, params![contract.0, name, rows::terminal_bytes(&id)?, limit], read)
}

pub(super) fn find(connection: &Connection, contract: ContractId, id: &TerminalId) -> Work<Option<Terminal>> {
    let sql = format!("SELECT {COLUMNS} FROM terminals WHERE contract_id = ?1 AND id = ?2");
    rows::one(connection, &sql, params![contract.0, rows::terminal_bytes(id)?], read)
}

fn touch(tx: &Connection, sql: &str, contract: ContractId, id: &TerminalId) -> Work<()> {
    match rows::run(tx, sql, params![contract.0, rows::terminal_bytes(id)?])? {
        0 => Err(missing()),
        _ => Ok(()),
    }
}

fn missing() -> WorkError {
    Refusal::Missing { what: "terminal" }.into()
}

/// Why a terminal gets another status, for the audit log.
#[derive(Clone, Copy, Default)]
pub(super) struct Because<'a> {
    /// In words; empty for none.
    pub(super) reason: &'a str,
    /// The blocked terminal that it is taken for.
    pub(super) like: Option<TerminalId>,
}

/// Sets the status, and returns how many punches got another result. Who takes a terminal back into use that was blocked
/// before it was retired takes back the retirement, not the block.
pub(super) fn set_status(
    tx: &Connection,
    contract: ContractId,
    id: &TerminalId,
    status: TerminalStatus,
    because: Because<'_>,
    act: &Act,
) -> Work<u64> {
    let before = rows::one(
        tx,
        "SELECT status FROM terminals WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, rows::terminal_bytes(id)?],
        |row| rows::terminal_status(row, 0),
    )?;
    let before = before.ok_or_else(missing)?;
    if before == status {
        return Ok(0);
    }
    if !leads(before, status) {
        return Err(Refusal::State { what: "terminal", state: before.name() }.into());
    }
    let action = match (status, before) {
        (TerminalStatus::Active, TerminalStatus::Retired) => "unretire_terminal",
        (TerminalStatus::Active, TerminalStatus::Active | TerminalStatus::Blocked) => "unblock_terminal",
        (TerminalStatus::Blocked, _) => "block_terminal",
        (TerminalStatus::Retired, _) => "retire_terminal",
    };
    let status = match before {
        TerminalStatus::Retired => before_it_was_retired(tx, contract, id)?,
        TerminalStatus::Active | TerminalStatus::Blocked => status,
    };
    let sql = format!("UPDATE terminals SET status = '{}' WHERE contract_id = ?1 AND id = ?2", status.name());
    touch(tx, &sql, contract, id)?;
    let detail = TerminalChanged {
        terminal: id.to_string(),
        status: Some(status.name().to_owned()),
        reason: Some(because.reason.trim().to_owned()).filter(|reason| !reason.is_empty()),
        like: because.like.map(|like| like.to_string()),
    };
    audit::note(tx, Some(contract), action, &format!("terminal {id}"), &detail, act)?;
    let hindered =
        "INDEXED BY punches_by_terminal WHERE contract_id = ?1 AND terminal_id = ?2 AND hindrance = 6";
    let punches = judging::stored(tx, hindered, params![contract.0, rows::terminal_bytes(id)?])?;
    judging::rejudge(tx, contract, &punches, Look::Everything, Why::TerminalUnblocked, act)
        .map(|done| done.results)
}

/// The status that a retired terminal had, as the audit log has it.
fn before_it_was_retired(tx: &Connection, contract: ContractId, id: &TerminalId) -> Work<TerminalStatus> {
    let changes = status_changes(tx, contract, id, CHANGES_LOOKED_AT)?;
    let before = changes.into_iter().map(|change| change.status);
    Ok(before.into_iter().find(|status| *status != TerminalStatus::Retired).unwrap_or(TerminalStatus::Active))
}

/// Changes of a status among which the last one before the retirement is: one at the most is the retirement.
const CHANGES_LOOKED_AT: usize = 4;

/// What the audit log says of the terminal's status, newest first.
pub(super) fn status_changes(
    connection: &Connection,
    contract: ContractId,
    id: &TerminalId,
    limit: usize,
) -> Work<Vec<StatusChanged>> {
    let sql = "SELECT at, by_whom, action, detail FROM audit INDEXED BY audit_by_object
         WHERE contract_id = ?1 AND object = ?2
         AND action IN ('block_terminal', 'unblock_terminal', 'retire_terminal', 'unretire_terminal')
         ORDER BY at DESC, id DESC LIMIT ?3";
    let asked = params![contract.0, format!("terminal {id}"), rows::column(limit as u64)];
    rows::all(connection, sql, asked, |row| {
        let detail: String = row.get(3)?;
        // Entries of before there was a log have a text as their detail: what was done says what it came to.
        let told: Option<TerminalChanged> = serde_json::from_str(&detail).ok();
        let action: String = row.get(2)?;
        let named = told.as_ref().and_then(|told| {
            TerminalStatus::ALL.into_iter().find(|status| Some(status.name()) == told.status.as_deref())
        });
        let like = told.as_ref().and_then(|told| TerminalId::parse(told.like.as_deref()?).ok());
        Ok(StatusChanged {
            at: rows::millis(row, 0)?,
            by: row.get(1)?,
            status: named.unwrap_or_else(|| after(&action)),
            action,
            reason: told.and_then(|told| told.reason),
            like,
        })
    })
}

/// The status that a change leaves behind, by the audit log's word for it.
fn after(action: &str) -> TerminalStatus {
    match action {
        "block_terminal" => TerminalStatus::Blocked,
        "retire_terminal" => TerminalStatus::Retired,
        _ => TerminalStatus::Active,
    }
}

/// Whether a terminal gets from one status to the other: a retired one comes back into use before it is blocked.
fn leads(from: TerminalStatus, to: TerminalStatus) -> bool {
    (from, to) != (TerminalStatus::Retired, TerminalStatus::Blocked)
}

/// Sets the status of all of them, for a reason; those that have it already, or do not get there, are passed over and
/// counted.
pub(super) fn set_statuses(
    tx: &Connection,
    contract: ContractId,
    ids: &[TerminalId],
    (status, reason): (TerminalStatus, &str),
    act: &Act,
) -> Work<StatusesSet> {
    if ids.len() > TERMINALS_PER_CHANGE_MAX {
        return Err(Refusal::TooMany { what: "terminals", limit: TERMINALS_PER_CHANGE_MAX }.into());
    }
    if reason.chars().count() > REASON_MAX {
        return Err(Refusal::TooMany { what: "characters of a reason", limit: REASON_MAX }.into());
    }
    let (mut set, because) = (StatusesSet::default(), Because { reason, like: None });
    for id in ids {
        let before = find(tx, contract, id)?.ok_or_else(missing)?.status;
        if before == status {
            set.already += 1;
        } else if !leads(before, status) {
            set.retired += 1;
        } else {
            set.punches += set_status(tx, contract, id, status, because, act)?;
            set.terminals += 1;
            let after = find(tx, contract, id)?.ok_or_else(missing)?.status;
            set.blocked += u64::from(after == TerminalStatus::Blocked && status == TerminalStatus::Active);
        }
    }
    Ok(set)
}

pub(super) fn set_note(
    tx: &Connection,
    contract: ContractId,
    id: &TerminalId,
    note: &str,
    act: &Act,
) -> Work<()> {
    if note.chars().count() > NOTE_MAX {
        return Err(Refusal::TooMany { what: "characters of a note", limit: NOTE_MAX }.into());
    }
    let touched = rows::run(
        tx,
        "UPDATE terminals SET note = ?3, note_by = ?4, note_at = ?5 WHERE contract_id = ?1 AND id = ?2",
        params![contract.0, rows::terminal_bytes(id)?, note, act.by, act.at.0],
    )?;
    if touched == 0 {
        return Err(missing());
    }
    let detail = json!({ "terminal": id.to_string(), "note": note });
    audit::note(tx, Some(contract), "note_terminal", &format!("terminal {id}"), &detail, act)
}

pub(super) fn allow_reenrollment(
    tx: &Connection,
    contract: ContractId,
    id: &TerminalId,
    until: UtcMillis,
    act: &Act,
) -> Work<()> {
    let touched = rows::run(
        tx,
        "UPDATE terminals SET reenroll_until = ?3 WHERE contract_id = ?1 AND id = ?2 AND status = 'active'",
        params![contract.0, rows::terminal_bytes(id)?, until.0],
    )?;
    if touched == 0 {
        return Err(missing());
    }
    let detail = json!({ "terminal": id.to_string(), "until": until.0 });
    audit::note(tx, Some(contract), "allow_reenrollment", &format!("terminal {id}"), &detail, act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_before_there_was_a_log_say_by_what_was_done_what_became_of_a_terminal() {
        let directory = tempfile::tempdir().unwrap();
        let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let id = TerminalId::from_random([1; 16]);
        let connection = Connection::from(connection);
        for (at, action, detail) in [
            (1, "block_terminal", "blocked".to_owned()),
            (2, "retire_terminal", String::new()),
            (3, "unretire_terminal", format!(r#"{{"terminal":"{id}","status":"blocked","reason":"r"}}"#)),
        ] {
            let sql = "INSERT INTO audit (at, by_whom, contract_id, action, object, detail)
                 VALUES (?1, 'x', 1, ?2, ?3, ?4)";
            rows::run(&connection, sql, params![at, action, format!("terminal {id}"), detail]).unwrap();
        }
        let found = status_changes(&connection, ContractId(1), &id, 9).unwrap();
        let told: Vec<_> = found.iter().map(|change| (change.status, change.reason.as_deref())).collect();
        let expected = [
            (TerminalStatus::Blocked, Some("r")),
            (TerminalStatus::Retired, None),
            (TerminalStatus::Blocked, None),
        ];
        assert_eq!(told, expected);
    }
}
