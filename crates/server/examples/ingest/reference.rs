//! What anyone would reach for instead, into the same table of events: no HTTP, no TLS, no signatures, no judging.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::cluster::Cluster;

/// Commits wait for the disk, and PostgreSQL has a quarter of a small server's memory.
pub const SETTINGS: [&str; 4] = ["fsync=on", "shared_buffers=1GB", "max_wal_size=8GB", "max_connections=300"];

/// An event as large as one of ours.
const JSON: &str = "repeat('x', 480)";

/// Best of several numbers of clients: one row per transaction, then a hundred per statement.
pub fn postgres(cluster: &Cluster, terminals: usize, seconds: u64) {
    let id = "decode(lpad(to_hex(:t), 8, '0') || '000040008000000000000000', 'hex')";
    let one = format!(
        "\\set t random(0, {})\n\\set n random(1000000, 9000000000000)\n\
         INSERT INTO events VALUES (1 + :t % 4, {id}, :n, sha256('x'), {JSON}, 1, 1, 0, 0) ON CONFLICT DO NOTHING;\n",
        terminals - 1
    );
    let many = format!(
        "\\set t random(0, {})\n\\set n random(1000000, 9000000000000)\n\
         INSERT INTO events SELECT 1 + :t % 4, {id}, n, sha256('x'), {JSON}, 1, 1, 0, 0
         FROM unnest(ARRAY(SELECT generate_series(:n, :n + 99))) n ON CONFLICT DO NOTHING;\n",
        terminals - 1
    );
    for (name, script, rows, clients) in [
        ("one row per transaction", one, 1, &[8, 16, 32, 64][..]),
        ("100 rows per statement", many, 100, &[1, 2, 4]),
    ] {
        for clients in clients {
            let rate = pgbench(cluster, &script, *clients, seconds) * f64::from(rows);
            println!("| PostgreSQL, {name}, {clients} clients | {rate:.0} rows/s |");
        }
    }
}

fn pgbench(cluster: &Cluster, script: &str, clients: u32, seconds: u64) -> f64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let mut command = Command::new("/usr/lib/postgresql/15/bin/pgbench");
    command.args(["--no-vacuum", "--protocol=prepared", "--file"]).arg(file.path());
    command.args([format!("--client={clients}"), format!("--time={seconds}"), "--jobs=2".into()]);
    let done = command.arg(cluster.url("bench")).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap();
    rate.split(' ').next().unwrap().parse().unwrap()
}

/// One row per transaction through the C API.
pub fn sqlite(directory: &Path, seconds: u64) {
    let connection =
        rusqlite::Connection::open(directory.join(mngntime_store::sqlite::DATABASE_FILE)).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        .unwrap();
    let terminal: Vec<u8> =
        connection.query_row("SELECT id FROM terminals WHERE contract_id = 1", [], |row| row.get(0)).unwrap();
    let mut insert = connection
        .prepare("INSERT INTO events VALUES (1, ?1, ?2, zeroblob(32), ?3, 1, 1, 0, 0) ON CONFLICT DO NOTHING")
        .unwrap();
    let json = "x".repeat(480);
    let begun = Instant::now();
    let mut rows = 0_u64;
    while begun.elapsed() < Duration::from_secs(seconds) {
        rows += insert.execute(rusqlite::params![terminal, 1_000_000 + rows as i64, json]).unwrap() as u64;
    }
    println!(
        "| SQLite, one row per transaction | {:.0} rows/s |",
        rows as f64 / begun.elapsed().as_secs_f64()
    );
}
