//! How the store is doing. Every figure is a seek, a range of one contract, or a counter.

use crate::sql::{Connection, params};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::UtcMillis;

use super::{SqliteStore, Work, administrators, backup, figures, log, months, quarantine, rows};
use crate::ports::{
    Answer, BackupMade, Beside, ContractCounts, LogState, Page, QuarantineRow, RefusedEnrollment,
    TerminalCounts, Upkeep, WriterLoad,
};
use crate::{Act, ContractId};

/// Sizes kept, in days: growth is told by the last month, a little more is kept for the eye.
const SIZES_KEPT: i64 = 90;

/// The lock of the node that does the jobs: "JobsDone" as a number.
const JOBS_LOCK: i64 = 0x4a6f_6273_446f_6e65;

#[async_trait]
impl Upkeep for SqliteStore {
    fn writer_load(&self) -> WriterLoad {
        self.writer.load()
    }

    async fn log_states(&self, contract: Option<ContractId>) -> Answer<Vec<LogState>> {
        self.read("look how far the logs are signed", move |connection| log_states(connection, contract))
            .await
    }

    async fn terminal_counts(&self, contract: ContractId) -> Answer<TerminalCounts> {
        self.read("count the terminals of a contract", move |connection| terminals(connection, contract))
            .await
    }

    async fn silent_and_waiting(&self, silent_before: UtcMillis) -> Answer<(u64, u64)> {
        self.read("count silent terminals and what waits", move |connection| {
            let found = rows::one(connection, SILENT_AND_WAITING, [silent_before.0], |row| {
                Ok((rows::number(row, 0)?, rows::number(row, 1)?))
            })?;
            Ok(found.unwrap_or_default())
        })
        .await
    }

    async fn error_counts(
        &self,
        contract: ContractId,
        from: UtcMillis,
        until: UtcMillis,
    ) -> Answer<Vec<(u8, u64)>> {
        self.read("count errors by result", move |connection| {
            let period = params![contract.0, from.0, until.0];
            rows::all(connection, ERRORS, period, |row| Ok((row.get(0)?, rows::number(row, 1)?)))
        })
        .await
    }

    async fn contract_counts(&self, contracts: Vec<ContractId>, today: Date) -> Answer<Vec<ContractCounts>> {
        self.read("count what contracts hold", move |connection| {
            contracts.into_iter().map(|contract| holds(connection, contract, today)).collect()
        })
        .await
    }

    async fn last_backup(&self) -> Answer<Option<BackupMade>> {
        self.read("look for the last backup", |connection| {
            let sql = "SELECT at, detail FROM audit INDEXED BY audit_by_action
                WHERE contract_id IS NULL AND action = ?1 ORDER BY at DESC, id DESC LIMIT 1";
            rows::one(connection, sql, [backup::MADE], |row| {
                let detail: String = row.get(1)?;
                let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
                let place = detail["place"].as_str().unwrap_or_default().to_owned();
                Ok(BackupMade { at: rows::millis(row, 0)?, place })
            })
        })
        .await
    }

    async fn database_bytes(&self) -> Answer<u64> {
        self.read("look for the size of the database", database_bytes).await
    }

    async fn leads(&self) -> Answer<bool> {
        self.write("ask which node does the jobs", |tx| {
            if tx.postgres().is_none() {
                // Whoever else has the file open is a command, which has no jobs.
                return Ok(true);
            }
            // Held by the connection that writes, and gone with it.
            let sql = "SELECT CAST(CASE WHEN pg_try_advisory_lock(?1) THEN 1 ELSE 0 END AS BIGINT)";
            Ok(rows::one(tx, sql, [JOBS_LOCK], |row| Ok(row.get::<_, i64>(0)? == 1))?.unwrap_or(false))
        })
        .await
    }

    async fn note_size(&self, day: Date, bytes: u64) -> Answer<()> {
        self.write("note the size of the database", move |tx| {
            let insert = "INSERT INTO storage_sizes (day, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            rows::run(tx, insert, params![day.to_string(), rows::column(bytes)])?;
            let keep = "DELETE FROM storage_sizes WHERE day NOT IN
                (SELECT day FROM storage_sizes ORDER BY day DESC LIMIT ?1)";
            rows::run(tx, keep, [SIZES_KEPT]).map(drop)
        })
        .await
    }

    async fn forget_day_figures(&self, now: UtcMillis) -> Answer<()> {
        self.write("forget figures of past days", move |tx| figures::forget(tx, now)).await
    }

    async fn make_months(&self, now: UtcMillis) -> Answer<bool> {
        let missing = "look which months are there";
        for month in self.read(missing, move |connection| months::missing(connection, now)).await? {
            if !self.write("make a month", move |tx| months::make(tx, &month)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn drop_months(&self, now: UtcMillis) -> Answer<Vec<String>> {
        let mut dropped = Vec::new();
        for name in
            self.read("look for empty months", move |connection| months::empty(connection, now)).await?
        {
            let month = name.clone();
            if self.write("drop an empty month", move |tx| months::remove(tx, &month)).await? {
                dropped.push(name);
            }
        }
        Ok(dropped)
    }

    async fn sizes(&self, limit: usize) -> Answer<Vec<(Date, u64)>> {
        self.read("read the sizes of the database", move |connection| {
            let sql = "SELECT day, bytes FROM storage_sizes ORDER BY day DESC LIMIT ?1";
            rows::all(connection, sql, [rows::column(limit as u64)], |row| {
                let day: String = row.get(0)?;
                Ok((rows::date(&day)?, rows::number(row, 1)?))
            })
        })
        .await
    }

    async fn forget_quarantined(&self, now: UtcMillis) -> Answer<u64> {
        self.write("forget what is long in quarantine", move |tx| quarantine::forget_old(tx, now)).await
    }

    async fn empty_quarantine(&self, last: UtcMillis, act: Act) -> Answer<u64> {
        self.write("empty the quarantine", move |tx| quarantine::empty(tx, last, &act)).await
    }

    async fn refused_enrollments(&self, contract: ContractId) -> Answer<Vec<RefusedEnrollment>> {
        self.read("look for refused enrolments", move |connection| {
            quarantine::refused_enrollments(connection, contract)
        })
        .await
    }

    async fn list_quarantine(
        &self,
        at: Option<Beside<i64>>,
        limit: usize,
    ) -> Answer<Page<QuarantineRow, i64>> {
        self.read("list the quarantine", move |connection| quarantine::list(connection, at, limit)).await
    }
}

fn database_bytes(connection: &Connection) -> Work<u64> {
    let Some(sqlite) = connection.sqlite() else {
        let sql = "SELECT pg_database_size(current_database())";
        return Ok(rows::one(connection, sql, [], |row| rows::number(row, 0))?.unwrap_or(0));
    };
    let size = |name: &str| std::fs::metadata(name).map_or(0, |file| file.len());
    Ok(sqlite.path().map_or(0, |path| size(path) + size(&format!("{path}-wal"))))
}

const ERRORS: &str = "SELECT res, count(*) FROM punches INDEXED BY punches_errors
    WHERE contract_id = ?1 AND res IS NOT NULL AND occurred_at >= ?2 AND occurred_at < ?3 GROUP BY res";

const TERMINALS: &str = "SELECT count(*),
        coalesce(sum(CASE WHEN waiting < 1000000000 THEN waiting ELSE 1000000000 END), 0),
        max(last_contact_at)
    FROM terminals WHERE contract_id = ?1 AND status <> 'retired'";

fn terminals(connection: &Connection, contract: ContractId) -> Work<TerminalCounts> {
    let found = rows::one(connection, TERMINALS, [contract.0], |row| {
        Ok(TerminalCounts {
            in_use: rows::number(row, 0)?,
            waiting: rows::number(row, 1)?,
            heard_at: rows::millis_or_none(row, 2)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Of all contracts, as [`Intake::active_terminals`](crate::ports::Intake::active_terminals) counts them: the terminals are
/// few beside what they send.
const SILENT_AND_WAITING: &str = "SELECT
        coalesce(sum(CASE WHEN coalesce(last_contact_at, enrolled_at) > ?1 THEN 0 ELSE 1 END), 0),
        coalesce(sum(CASE WHEN waiting < 1000000000 THEN waiting ELSE 1000000000 END), 0)
    FROM terminals WHERE status = 'active'";

const HOLDS: &str = "SELECT
    (SELECT count(*) FROM terminals WHERE contract_id = ?1 AND status <> 'retired'),
    (SELECT count(*) FROM employees WHERE contract_id = ?1),
    (SELECT count(*) FROM administrators WHERE contract_id = ?1 AND disabled_at IS NULL),
    (SELECT coalesce(sum(head), 0) FROM terminals WHERE contract_id = ?1)";

fn holds(connection: &Connection, contract: ContractId, today: Date) -> Work<ContractCounts> {
    let administered = administrators::has_keeper(connection, contract, today)?;
    let found = rows::one(connection, HOLDS, [contract.0], |row| {
        Ok(ContractCounts {
            terminals: rows::number(row, 0)?,
            employees: rows::number(row, 1)?,
            people: rows::number(row, 2)?,
            events: rows::number(row, 3)?,
            administered,
        })
    })?;
    Ok(found.unwrap_or_default())
}

fn log_states(connection: &Connection, contract: Option<ContractId>) -> Work<Vec<LogState>> {
    let all = "SELECT id, code FROM contracts WHERE CAST(?1 AS BIGINT) IS NULL OR id = ?1 ORDER BY code";
    let contracts = rows::all(connection, all, [contract.map(|id| id.0)], |row| {
        Ok((ContractId(row.get(0)?), row.get::<_, String>(1)?))
    })?;
    let mut states = Vec::with_capacity(contracts.len());
    for (id, code) in contracts {
        let newest = "SELECT max(month) FROM log_leaves WHERE contract_id = ?1";
        let newest = rows::one(connection, newest, [id.0], |row| Ok(row.get::<_, Option<String>>(0)?))?;
        let Some(month) = newest.flatten() else { continue };
        let head = log::newest_of(connection, id, &month)?;
        let last = match &head {
            Some(head) => Some(head.signed_at),
            None => log::last_signed_at(connection, id)?,
        };
        states.push(LogState {
            code,
            leaves: log::leaves(connection, id, &month)?,
            month,
            signed: head.map_or(0, |head| head.tree.size),
            signed_at: last,
        });
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;

    /// The big tables are entered by the contract, through an index that is named or leads the key.
    #[test]
    fn no_figure_reads_a_big_table_from_end_to_end() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let plan = |sql: &str| {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters = plan.parameter_count();
            let values = rusqlite::params_from_iter(vec![1_i64; parameters]);
            let lines = plan.query_map(values, |row| row.get::<_, String>(3)).unwrap();
            lines.map(Result::unwrap).collect::<Vec<_>>()
        };
        for sql in [ERRORS, TERMINALS, HOLDS] {
            for line in plan(sql) {
                let big = ["punches", "events", "terminals", "employees", "administrators"];
                let scanned = line.starts_with("SCAN") && big.iter().any(|table| line.contains(table));
                assert!(!scanned, "{sql}: {line}");
            }
        }
        assert!(plan(ERRORS).iter().any(|line| line.contains("occurred_at>? AND occurred_at<?")));
    }
}
