//! How the server is doing, as far as this process and its host know it: what `/health` shows to people beside what the
//! store says.
//!
//! Rates are told by samples of the counters, one a minute for a day, in memory: after a restart they begin anew, and
//! the page says since when. Nothing here names a contract, a person or a PC.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use mngntime_model::UtcMillis;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::app::App;
use crate::settings::TlsFiles;

/// Samples kept: one a minute for a day, and the one before.
const SAMPLES_MAX: usize = 24 * 60 + 1;

/// Counters by their name: `stored`, `res_7`, `batch_failed` …
pub type Counts = BTreeMap<&'static str, u64>;

/// What was counted within a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// How long that was, in milliseconds; shorter than asked for after a start.
    pub span_ms: i64,
    /// Differences of the counters.
    pub counts: Counts,
}

impl Rate {
    /// The difference of one counter.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

/// Samples of the counters.
#[derive(Debug, Default)]
pub struct Rates(Mutex<VecDeque<(UtcMillis, Counts)>>);

impl Rates {
    /// Keeps a sample.
    pub fn note(&self, at: UtcMillis, counts: Counts) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push_back((at, counts));
        while samples.len() > SAMPLES_MAX {
            samples.pop_front();
        }
    }

    /// What was counted up to `now` since the sample that is nearest to `span_ms` ago and not younger, or since the
    /// oldest; absent before the first sample.
    #[must_use]
    pub fn within(&self, now: UtcMillis, counts: &Counts, span_ms: i64) -> Option<Rate> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old_enough = |(at, _): &&(UtcMillis, Counts)| at.0 <= now.0 - span_ms;
        let (at, before) = samples.iter().rev().find(old_enough).or_else(|| samples.front())?;
        let difference = |(name, count): (&&'static str, &u64)| {
            (*name, count.saturating_sub(before.get(name).copied().unwrap_or(0)))
        };
        Some(Rate { span_ms: (now.0 - at.0).max(0), counts: counts.iter().map(difference).collect() })
    }
}

/// Room on the disk of the data directory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// What the server may still write.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// Until when the server's certificate counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// The server does not speak TLS itself.
    None,
    /// Until then.
    Until(UtcMillis),
    /// The file could not be read.
    Unreadable,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The last minute, hour and day.
    pub rates: [Option<Rate>; 3],
    /// Whether what is stored still is what was written.
    pub log_is_whole: bool,
    /// Months of logs that lie after the clock.
    pub months_ahead: Vec<String>,
    /// Of the data directory. Absent where the operating system does not say.
    pub disk: Option<Disk>,
    /// Whether the database is in PostgreSQL: its disk and its backups are not seen from here.
    pub database_elsewhere: bool,
    /// Until when the certificate counts.
    pub certificate: Certificate,
    /// Active terminals of all contracts.
    pub terminals: u64,
    /// Of these, with a remarkable standing, by its name.
    pub standings: Vec<(&'static str, u64)>,
}

/// Where the pages get it from. Reads files: not for a thread that must not wait.
pub type Source = Arc<dyn Fn() -> Condition + Send + Sync>;

/// Milliseconds of a minute, an hour and a day.
const SPANS_MS: [i64; 3] = [60_000, 3_600_000, 86_400_000];

/// How `app` is doing.
#[must_use]
pub fn of(app: &App) -> Condition {
    let now = app.now();
    let counts = app.metrics.counts();
    let directory = &app.settings.data_dir;
    let mut months: Vec<_> = app.log_heads.ahead_of(now).into_iter().map(|ahead| ahead.month).collect();
    months.dedup();
    Condition {
        rates: SPANS_MS.map(|span| app.rates.within(now, &counts, span)),
        log_is_whole: app.metrics.log_was_whole(),
        months_ahead: months,
        disk: disk(directory),
        database_elsewhere: app.settings.database.is_some(),
        certificate: certificate(app.settings.tls.as_ref()),
        terminals: app.metrics.terminals_now(),
        standings: app.metrics.standings_now(),
    }
}

/// Room on the disk of `directory`. Asks the operating system.
#[must_use]
pub fn disk(directory: &Path) -> Option<Disk> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some(Disk { free: found.f_bavail * found.f_frsize, total: found.f_blocks * found.f_frsize })
}

/// Until when the certificate of these files counts; the first of the chain is the server's own. Reads it.
#[must_use]
pub fn certificate(files: Option<&TlsFiles>) -> Certificate {
    let Some(files) = files else { return Certificate::None };
    let end = || {
        let der = CertificateDer::from_pem_file(&files.cert).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        Some(UtcMillis(certificate.validity().not_after.timestamp().saturating_mul(1_000)))
    };
    end().map_or(Certificate::Unreadable, Certificate::Until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(stored: u64) -> Counts {
        [("stored", stored)].into()
    }

    #[test]
    fn a_rate_is_told_by_the_sample_that_is_old_enough() {
        let rates = Rates::default();
        assert_eq!(rates.within(UtcMillis(0), &counts(0), 60_000), None);
        for minute in 0..10 {
            rates.note(UtcMillis(minute * 60_000), counts(10 * u64::try_from(minute).unwrap()));
        }
        let now = UtcMillis(9 * 60_000 + 30_000);
        let told = |span| rates.within(now, &counts(97), span).map(|rate| (rate.span_ms, rate.of("stored")));
        assert_eq!(told(60_000), Some((90_000, 17)));
        assert_eq!(told(3_600_000), Some((570_000, 97)), "since the start, and it says so");
    }

    #[test]
    fn samples_do_not_grow_beyond_a_day() {
        let rates = Rates::default();
        for minute in 0..3_000 {
            rates.note(UtcMillis(minute * 60_000), counts(0));
        }
        assert_eq!(rates.0.lock().unwrap().len(), SAMPLES_MAX);
        let day = rates.within(UtcMillis(3_000 * 60_000), &counts(5), 86_400_000).unwrap();
        assert_eq!((day.span_ms, day.of("stored")), (86_400_000, 5));
    }

    #[test]
    fn the_end_of_a_certificate_is_read_from_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: directory.path().join("c.pem"), key: directory.path().join("k.pem") };
        assert_eq!(certificate(Some(&files)), Certificate::Unreadable);
        assert_eq!(certificate(None), Certificate::None);
        let mut wanted = rcgen::CertificateParams::new(vec!["time.example".to_owned()]).unwrap();
        wanted.not_after = rcgen::date_time_ymd(2027, 1, 2);
        let made = wanted.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        std::fs::write(&files.cert, made.pem()).unwrap();
        assert_eq!(certificate(Some(&files)), Certificate::Until(UtcMillis(1_798_848_000_000)));
    }

    #[test]
    fn a_disk_has_room_and_a_missing_one_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let found = disk(directory.path()).unwrap();
        assert!(found.free <= found.total && found.total > 0);
        assert_eq!(disk(&directory.path().join("nowhere")), None);
    }
}
