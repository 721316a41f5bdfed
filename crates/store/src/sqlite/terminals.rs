//! Terminals.

use async_trait::async_trait;
use mngntime_ledger::audit::TerminalChanged;
use mngntime_model::{TerminalId, UtcMillis};
use rusqlite::{Connection, Row, params};

use super::judging::{self, Look};
use super::{SqliteStore, Work, audit, rows, standing};
use crate::ports::{Act, Answer, MissingNumbers, Standing, Terminal, TerminalStatus, Terminals, Why};
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
        self.write("change a terminal's status", move |tx| set_status(tx, contract, &terminal, status, &act))
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
            let detail = TerminalChanged { terminal: terminal.to_string(), status: None };
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
             AND m.terminal_id = terminals.id AND m.declared IS NOT 'earlier_enrollment' AND m.settled = ",
            $settled,
            ")"
        )
    };
}

const TERMINAL: &str = concat!(
    "SELECT id, host_name, os, public_key, makeup, key_class, agent_version, status,
    enrolled_at, last_contact_at, head, waiting, clock_offset_ms, conflict, makeup_changed,
    rolled_back_at, rollbacks, cloned_at, ",
    of_missing!("coalesce(sum(m.last_number - m.first_number + 1), 0)", settled = 0),
    ", ",
    of_missing!("coalesce(sum((m.last_number - m.first_number + 1) * (m.declared IS NULL)), 0)", settled = 0),
    ", ",
    of_missing!("coalesce(min(m.first_number), 0)", settled = 0),
    ", ",
    of_missing!("coalesce(max(m.last_number), 0)", settled = 0),
    ", ",
    of_missing!("coalesce(sum(m.last_number - m.first_number + 1), 0)", settled = 1),
    ", boot, boot_heard_at FROM terminals"
);

fn read(row: &Row<'_>) -> Work<Terminal> {
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
        boot: row.get(23)?,
        boot_heard_at: rows::millis(row, 24)?,
        head: rows::number(row, 10)?,
        waiting: rows::number(row, 11)?,
        clock_offset_ms: row.get(12)?,
        conflict: row.get(13)?,
        makeup_changed: row.get(14)?,
        rolled_back_at: row.get::<_, Option<i64>>(15)?.map(UtcMillis),
        rollbacks: rows::number(row, 16)?,
        cloned_at: row.get::<_, Option<i64>>(17)?.map(UtcMillis),
        missing: MissingNumbers {
            count: rows::number(row, 18)?,
            undeclared: rows::number(row, 19)?,
            first: rows::number(row, 20)?,
            last: rows::number(row, 21)?,
            settled: rows::number(row, 22)?,
        },
    })
}

fn list(
    connection: &Connection,
    contract: ContractId,
    after: Option<(String, TerminalId)>,
    limit: usize,
) -> Work<Vec<Terminal>> {
    let limit = rows::column(limit as u64);
    let Some((name, id)) = after else {
        let sql = format!("{TERMINAL} WHERE contract_id = ?1 ORDER BY host_name, id LIMIT ?2");
        return rows::all(connection, &sql, params![contract.0, limit], read);
    };
    let sql = format!(
        "{TERMINAL} WHERE contract_id = ?1 AND (host_name, id) > (?2, ?3) ORDER BY host_name, id LIMIT ?4"
    );
    rows::all(connection, &sql, params![contract.0, name, rows::terminal_bytes(&id)?, limit], read)
}

pub(super) fn find(connection: &Connection, contract: ContractId, id: &TerminalId) -> Work<Option<Terminal>> {
    let sql = format!("{TERMINAL} WHERE contract_id = ?1 AND id = ?2");
    rows::one(connection, &sql, params![contract.0, rows::terminal_bytes(id)?], read)
}

fn touch(tx: &Connection, sql: &str, contract: ContractId, id: &TerminalId) -> Work<()> {
    match rows::run(tx, sql, params![contract.0, rows::terminal_bytes(id)?])? {
        0 => Err(Refusal::Missing { what: "terminal" }.into()),
        _ => Ok(()),
    }
}

fn set_status(
    tx: &Connection,
    contract: ContractId,
    id: &TerminalId,
    status: TerminalStatus,
    act: &Act,
) -> Work<u64> {
    let (sql, action) = match status {
        TerminalStatus::Active => ("active", "unblock_terminal"),
        TerminalStatus::Blocked => ("blocked", "block_terminal"),
        TerminalStatus::Retired => ("retired", "retire_terminal"),
    };
    let sql = format!("UPDATE terminals SET status = '{sql}' WHERE contract_id = ?1 AND id = ?2");
    touch(tx, &sql, contract, id)?;
    let detail = TerminalChanged { terminal: id.to_string(), status: Some(status.name().to_owned()) };
    audit::note(tx, Some(contract), action, &format!("terminal {id}"), &detail, act)?;
    let hindered =
        "INDEXED BY punches_by_terminal WHERE contract_id = ?1 AND terminal_id = ?2 AND hindrance = 6";
    let punches = judging::stored(tx, hindered, params![contract.0, rows::terminal_bytes(id)?])?;
    judging::rejudge(tx, contract, &punches, Look::Everything, Why::TerminalUnblocked, act)
}
