//! What a monitoring has to alarm on, as gauges at `/metrics`: the figures of the page システム状態, read once a minute by
//! every node. (The writer's queue is read when the page is asked for.)
//!
//! Times are told as UNIX seconds, as such systems compare them: 0 says that there is none.

use std::path::PathBuf;

use mngntime_model::UtcMillis;
use mngntime_store::{Health, LogState, StoreError, WriterLoad};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::condition::{self, Certificate, Disk};
use crate::settings::TlsFiles;

/// A route by who asks, so that failures of the pages and of the PCs can be told apart.
#[must_use]
pub fn route(path: &str) -> &'static str {
    match path {
        "/api/v1/events" | "/api/v1/terminals" => "ingest",
        "/healthz" | "/metrics" => "probe",
        path if path.starts_with("/api/") => "api",
        _ => "pages",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: &'static str,
    status: &'static str,
}

/// Answers, counted as they are given, and the gauges.
#[derive(Debug, Default)]
pub struct Watched {
    answers: Family<Answer, Counter>,
    last_backup: Gauge,
    certificate_end: Gauge,
    disk_free: Gauge,
    disk_total: Gauge,
    silent: Gauge,
    waiting: Gauge,
    queue: Gauge,
    queue_room: Gauge,
    unsigned: Gauge,
    quarantine: Gauge,
    quarantine_full: Gauge,
}

/// What is read for them in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    last_backup: Option<UtcMillis>,
    certificate: Certificate,
    disk: Option<Disk>,
    silent: u64,
    waiting: u64,
    unsigned: u64,
    quarantined: u64,
    quarantine_full: u64,
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Watched {
    /// Puts them on the page.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "answers",
            "Answers by who asks (ingest, api, probe, pages) and class of status",
            self.answers.clone(),
        );
        for (name, help, gauge) in [
            (
                "certificate_end_timestamp_seconds",
                "When the server's certificate ends; 0 without one, 1 when it cannot be read",
                &self.certificate_end,
            ),
            ("disk_free_bytes", "Room on the disk of the data directory", &self.disk_free),
            ("disk_total_bytes", "Size of the disk of the data directory", &self.disk_total),
            ("silent_terminals", "Terminals in use that were not heard of for 96 contacts", &self.silent),
            ("waiting_events", "Events that waited on the PCs at their last contact", &self.waiting),
            ("writer_queue", "Pieces of work that wait for the writer", &self.queue),
            (
                "writer_queue_room",
                "Pieces of work that may wait; beyond it work is refused",
                &self.queue_room,
            ),
            ("unsigned_leaves", "Leaves of the log that no head covers yet", &self.unsigned),
            ("quarantine_entries", "Messages kept in quarantine", &self.quarantine),
            ("quarantine_full_percent", "How full the quarantine is", &self.quarantine_full),
        ] {
            registry.register(name, help, gauge.clone());
        }
    }

    /// The same for the backups that `mngntime backup` makes, which is of SQLite's file alone.
    pub fn register_backup(&self, registry: &mut Registry) {
        let help = "When the last backup was made; 0 for never";
        registry.register("last_backup_timestamp_seconds", help, self.last_backup.clone());
    }

    /// Counts an answer.
    pub fn answered(&self, route: &'static str, status: u16) {
        let status = match status {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.answers.get_or_create(&Answer { route, status }).inc();
    }

    /// Sets the writer's queue.
    pub fn queue(&self, load: WriterLoad) {
        self.queue.set(number(load.waiting));
        self.queue_room.set(number(load.room));
    }

    fn set(&self, read: &Read) {
        self.last_backup.set(read.last_backup.map_or(0, |at| at.0 / 1_000));
        self.certificate_end.set(match read.certificate {
            Certificate::None => 0,
            Certificate::Unreadable => 1,
            Certificate::Until(end) => end.0 / 1_000,
        });
        self.disk_free.set(read.disk.map_or(0, |disk| number(disk.free)));
        self.disk_total.set(read.disk.map_or(0, |disk| number(disk.total)));
        for (gauge, value) in [
            (&self.silent, read.silent),
            (&self.waiting, read.waiting),
            (&self.unsigned, read.unsigned),
            (&self.quarantine, read.quarantined),
            (&self.quarantine_full, read.quarantine_full),
        ] {
            gauge.set(number(value));
        }
    }
}

/// Reads everything and sets the gauges.
///
/// # Errors
/// What the store says; the gauges then keep what they said.
pub async fn watch(app: &App) -> Result<(), StoreError> {
    let (directory, tls) = (app.settings.data_dir.clone(), app.settings.tls.clone());
    let (disk, certificate) = tokio::task::spawn_blocking(move || of_host(directory, tls))
        .await
        .unwrap_or((None, Certificate::None));
    let contacts = i64::from(app.settings.contact_seconds) * Health::SILENT_AFTER_CONTACTS;
    let (silent, waiting) = app.store.silent_and_waiting(app.now().plus(-contacts * 1_000)).await?;
    let quarantine = app.store.quarantine_report(0).await?;
    let unsigned = |log: &LogState| log.leaves.saturating_sub(log.signed);
    app.metrics.watched.set(&Read {
        last_backup: app.store.last_backup().await?.map(|made| made.at),
        certificate,
        disk,
        silent,
        waiting,
        unsigned: app.store.log_states(None).await?.iter().map(unsigned).sum(),
        quarantined: quarantine.kept,
        quarantine_full: quarantine.full_percent,
    });
    Ok(())
}

fn of_host(directory: PathBuf, tls: Option<TlsFiles>) -> (Option<Disk>, Certificate) {
    (condition::disk(&directory), condition::certificate(tls.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_stands_under_the_documented_names() {
        let metrics = crate::metrics::Metrics::default();
        metrics.watched.set(&Read {
            last_backup: Some(UtcMillis(5_999)),
            certificate: Certificate::Until(UtcMillis(7_000)),
            disk: Some(Disk { free: 8, total: 9 }),
            silent: 10,
            waiting: 11,
            unsigned: 12,
            quarantined: 13,
            quarantine_full: 14,
        });
        metrics.watched.queue(WriterLoad { waiting: 15, room: 16 });
        for (path, status) in [
            ("/api/v1/events", 503),
            ("/api/v1/punches", 200),
            ("/healthz", 500),
            ("/punches", 303),
            ("/x", 404),
        ] {
            metrics.watched.answered(route(path), status);
        }
        let page = metrics.page().unwrap();
        for line in [
            "last_backup_timestamp_seconds 5",
            "certificate_end_timestamp_seconds 7",
            "disk_free_bytes 8",
            "disk_total_bytes 9",
            "silent_terminals 10",
            "waiting_events 11",
            "unsigned_leaves 12",
            "quarantine_entries 13",
            "quarantine_full_percent 14",
            "writer_queue 15",
            "writer_queue_room 16",
            "answers_total{route=\"ingest\",status=\"5xx\"} 1",
            "answers_total{route=\"api\",status=\"2xx\"} 1",
            "answers_total{route=\"probe\",status=\"5xx\"} 1",
            "answers_total{route=\"pages\",status=\"3xx\"} 1",
            "answers_total{route=\"pages\",status=\"4xx\"} 1",
        ] {
            assert!(page.contains(&format!("\nmngntime_{line}\n")), "{line}: {page}");
        }
        let elsewhere = crate::metrics::Metrics::of_database(true).page().unwrap();
        assert!(!elsewhere.contains("last_backup") && elsewhere.contains("disk_free_bytes"), "{elsewhere}");
    }
}
