//! The rows of the table, each a function.

mod agent;
mod bytes;
mod connections;
mod others;
mod parts;
mod punches;
mod reads;
mod rush;
mod server;

use anyhow::Result;

use super::figure::Figure;
use super::setting::{Bench, Kind};

/// What one of them does.
pub type Measure = fn(&Bench) -> Result<Vec<Figure>>;

/// A row: figures that are measured together.
pub struct Row {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What it measures.
    pub what: &'static str,
    /// Why it is measured only when it is named.
    pub only_by_name: Option<&'static str>,
    pub measure: Measure,
}

const fn row(name: &'static str, what: &'static str, measure: Measure) -> Row {
    Row { name, what, only_by_name: None, measure }
}

/// All of them, in the order of the table.
pub fn all() -> Vec<Row> {
    vec![
        row("punches-postgres", "durable single punches, PostgreSQL", |bench| {
            punches::single(bench, Kind::Postgres)
        }),
        row("punches-sqlite", "durable single punches, SQLite", |bench| punches::single(bench, Kind::Sqlite)),
        row("batches", "durable punches in signed batches of 100", punches::batches),
        row("connections", "a new TLS connection for each punch", connections::new_for_each),
        row("herd-postgres", "nine o'clock, PostgreSQL", |bench| rush::herd(bench, Kind::Postgres)),
        row("herd-sqlite", "nine o'clock, SQLite", |bench| rush::herd(bench, Kind::Sqlite)),
        row("recovery-postgres", "after an outage, PostgreSQL", |bench| {
            rush::recovery(bench, Kind::Postgres)
        }),
        row("recovery-sqlite", "after an outage, SQLite", |bench| rush::recovery(bench, Kind::Sqlite)),
        row("reads-sqlite", "reads at 1 and 10 million punches, SQLite", |bench| {
            reads::ten_million(bench, Kind::Sqlite)
        }),
        row("reads-postgres", "reads at 1 and 10 million punches, PostgreSQL", |bench| {
            reads::ten_million(bench, Kind::Postgres)
        }),
        Row {
            only_by_name: Some("fills 100 GB for hours: --only reads-sqlite-100-million"),
            ..row("reads-sqlite-100-million", "reads at 100 million punches, SQLite", |bench| {
                reads::hundred_million(bench, Kind::Sqlite)
            })
        },
        Row {
            only_by_name: Some("fills 200 GB for hours: --only reads-postgres-100-million"),
            ..row("reads-postgres-100-million", "reads at 100 million punches, PostgreSQL", |bench| {
                reads::hundred_million(bench, Kind::Postgres)
            })
        },
        row("bytes", "bytes on disk for each event", bytes::on_disk),
        row("agent", "agent, idle: resident memory", agent::memory),
        Row {
            only_by_name: Some("takes an hour: --only agent-hour"),
            ..row("agent-hour", "agent, idle: processor time over an hour", agent::hour)
        },
        row("server", "server, idle: resident memory", server::memory),
        row("rsyslog", "the same punches to rsyslog with a synced disk queue", others::rsyslog),
        row("aw-server", "the same punches to aw-server-rust", others::aw_server),
        row("parts", "what the steps of a punch cost by themselves", parts::alone),
    ]
}
