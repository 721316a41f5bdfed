//! What anyone would reach for instead, into the same table of events: no HTTP, no TLS, no signatures, no judging.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::office::{self, CONTRACTS};
use super::served::Place;
use super::setting::{Bench, Kind};

/// Where Debian keeps the programs of the version that the cluster runs with.
const PGBENCH: &str = "/usr/lib/postgresql/15/bin/pgbench";

/// What a row says; the rest of it stays empty, as in ours.
const COLUMNS: &str =
    "contract_id, terminal_id, seq, hash, json, occurred_at, received_at, resent, clock_offset_ms";

/// Rows of a statement with many.
pub const MANY: u32 = 100;

/// `pgbench` against a database of the product's own schema.
pub struct Postgres {
    place: Place,
    terminals: usize,
    /// As many as an event of ours has.
    json_bytes: usize,
}

/// What `pgbench` runs, with the numbers of clients among which the best is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// One `INSERT … ON CONFLICT` in a transaction.
    One,
    /// A hundred rows in a statement.
    Many,
}

impl Postgres {
    pub fn new(bench: &Bench) -> Result<Self> {
        let terminals = bench.pick(100, 2_000);
        let place = Place::new(bench, Kind::Postgres)?;
        office::make(place.open()?.as_ref(), terminals)?;
        Ok(Self { place, terminals, json_bytes: json_bytes()? })
    }

    /// The number of clients with which it is fastest, by one look at each.
    pub fn best_clients(&self, bench: &Bench, work: Work) -> Result<u32> {
        let numbers: &[u32] = match work {
            Work::One => &[8, 16, 32, 64],
            Work::Many => &[1, 2, 4, 8],
        };
        let mut best = (0, f64::NEG_INFINITY);
        for clients in bench.pick(&numbers[..2], numbers) {
            let rate = self.rows_per_second(bench, work, *clients)?;
            bench.say(&format!("pgbench {work:?} with {clients} clients: {rate:.0} rows/s"));
            if rate > best.1 {
                best = (*clients, rate);
            }
        }
        Ok(best.0)
    }

    pub fn rows_per_second(&self, bench: &Bench, work: Work, clients: u32) -> Result<f64> {
        let file = bench.scratch()?;
        let script = file.path().join("script.sql");
        std::fs::write(&script, script_of(work, self.terminals, self.json_bytes))?;
        let (_, url) = self.place.database.as_ref().context("it is in PostgreSQL")?;
        let mut command = Command::new(PGBENCH);
        command.args(["--no-vacuum", "--protocol=prepared", "--file"]).arg(&script);
        let seconds = bench.pick(1, 10);
        command.args([format!("--client={clients}"), format!("--time={seconds}"), "--jobs=2".into()]);
        let done = command.arg(url).output().with_context(|| format!("could not start {PGBENCH}"))?;
        let said = String::from_utf8_lossy(&done.stdout);
        ensure!(done.status.success(), "pgbench failed: {said}{}", String::from_utf8_lossy(&done.stderr));
        let rows = if work == Work::Many { MANY } else { 1 };
        Ok(transactions_per_second(&said)? * f64::from(rows))
    }
}

/// Bytes of an event of ours.
fn json_bytes() -> Result<usize> {
    let at = mngntime_model::UtcMillis(1_764_000_000_000);
    Ok(mngntime_sim::load::Terminal::new(1, 0, "office0")?.next_event(at)?.json.len())
}

fn script_of(work: Work, terminals: usize, json_bytes: usize) -> String {
    let id = "decode(lpad(to_hex(CAST(:t AS integer)), 8, '0') || '000040008000000000000000', 'hex')";
    let row = format!(
        "1 + CAST(:t AS integer) % {CONTRACTS}, {id}, n, sha256('x'), repeat('x', {json_bytes}), 1, 1, 0, 0"
    );
    let from = match work {
        Work::One => "(SELECT CAST(:n AS bigint)) AS one(n)".to_owned(),
        Work::Many => format!(
            "unnest(ARRAY(SELECT generate_series(CAST(:n AS bigint), CAST(:n AS bigint) + {}))) n",
            MANY - 1
        ),
    };
    format!(
        "\\set t random(0, {})\n\\set n random(1000000, 9000000000000)\n\
         INSERT INTO events ({COLUMNS}) SELECT {row} FROM {from} ON CONFLICT DO NOTHING;\n",
        terminals - 1
    )
}

/// The rate that `pgbench` prints: `tps = 17402.6 (without initial connection time)`.
fn transactions_per_second(said: &str) -> Result<f64> {
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .with_context(|| format!("no rate in {said}"))?;
    let number = rate.split_whitespace().next().unwrap_or_default();
    number.parse().with_context(|| format!("{number} is no rate"))
}

/// One row in a transaction through SQLite's C API, into the product's own table, each synced.
pub fn sqlite_rows_per_second(bench: &Bench) -> Result<f64> {
    let place = Place::new(bench, Kind::Sqlite)?;
    office::make(place.open()?.as_ref(), CONTRACTS)?;
    let file = place.directory.path().join(mngntime_store::sqlite::DATABASE_FILE);
    let connection = rusqlite::Connection::open(file)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    let terminal: Vec<u8> =
        connection.query_row("SELECT id FROM terminals WHERE contract_id = 1", [], |row| row.get(0))?;
    let mut insert = connection.prepare(
        &format!(
        "INSERT INTO events ({COLUMNS}) VALUES (1, ?1, ?2, zeroblob(32), ?3, 1, 1, 0, 0) ON CONFLICT DO NOTHING"
    ))?;
    let json = "x".repeat(json_bytes()?);
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(bench.seconds()));
    let (mut rows, mut number) = (0, 1_000_000_i64);
    while begun.elapsed() < length {
        rows += insert.execute(rusqlite::params![terminal, number, json])?;
        number += 1;
    }
    Ok(rows as f64 / begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_found_in_what_pgbench_prints() {
        let said = "transaction type: script.sql\nlatency average = 1.838 ms\n\
            initial connection time = 40.1 ms\ntps = 17402.605123 (without initial connection time)\n";
        assert_eq!(transactions_per_second(said).unwrap(), 17_402.605_123);
        assert!(transactions_per_second("pgbench: error: connection failed").is_err());
        assert!(transactions_per_second("tps = many").is_err());
    }

    #[test]
    fn both_kinds_of_work_write_the_same_row() {
        let (one, many) = (script_of(Work::One, 5, 480), script_of(Work::Many, 5, 480));
        let row = |script: &str| script.split(" FROM ").next().map(str::to_owned);
        assert_eq!(row(&one), row(&many));
        assert!(one.starts_with("\\set t random(0, 4)\n") && many.contains("+ 99"));
    }
}
