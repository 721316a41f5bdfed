//! What the operator's monitoring sees at `/metrics`.
//!
//! Labels come from fixed lists. No user, PC, contract or address ever becomes one: the page may be read by
//! people who may not see attendance content.

use std::fmt;

use crate::condition::Counts;
use crate::watched::Watched;
use mngntime_store::{EnrollmentOutcome, ItemOutcome, KeyEnd, QuarantineOutcome, Standing};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper ends of the buckets for the time from a batch's last byte to its receipt, in seconds. The goal is
/// 50 ms at the 99th percentile; above one second agents begin to give up.
const RECEIPT_SECONDS: [f64; 9] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];

/// What becomes of an event.
const EVENT_OUTCOMES: [&str; 7] = ["stored", "res_5", "res_6", "res_7", "res_8", "res_9", "other_bytes"];

/// What becomes of a batch, with the name it is told under beside the events.
const BATCH_OUTCOMES: [(&str, &str); 3] =
    [("batch_stored", "stored"), ("batch_refused", "refused"), ("batch_failed", "failed")];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// What becomes of a try to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInOutcome {
    /// The person is in.
    Right,
    /// Refused.
    Wrong,
    /// Not looked at: too many have failed before.
    Waiting,
}

/// Counts tries to sign in, at the pages and at the API. Copies count together.
#[derive(Debug, Clone, Default)]
pub struct SignIns(Family<Outcome, Counter>);

impl SignIns {
    /// Counts one.
    pub fn count(&self, outcome: SignInOutcome) {
        let outcome = match outcome {
            SignInOutcome::Right => "right",
            SignInOutcome::Wrong => "wrong",
            SignInOutcome::Waiting => "waiting",
        };
        self.0.get_or_create(&Outcome { outcome }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StandingLabel {
    standing: &'static str,
}

/// All figures. Counting never blocks.
pub struct Metrics {
    registry: Registry,
    batches: Family<Outcome, Counter>,
    events: Family<Outcome, Counter>,
    enrollments: Family<Outcome, Counter>,
    /// Tries to sign in.
    pub sign_ins: SignIns,
    quarantined: Family<Outcome, Counter>,
    receipt_seconds: Histogram,
    terminals: Gauge,
    standings: Family<StandingLabel, Gauge>,
    refused_connections: Counter,
    broken_logs: Gauge,
    logs_ahead: Gauge,
    /// Answers, and what is read once a minute.
    pub watched: Watched,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::of_database(false)
    }
}

impl Metrics {
    /// Those of a server whose database is `elsewhere`, in PostgreSQL: of its backups nothing is known here.
    #[must_use]
    pub fn of_database(elsewhere: bool) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("mngntime"),
            batches: Family::default(),
            events: Family::default(),
            enrollments: Family::default(),
            sign_ins: SignIns::default(),
            quarantined: Family::default(),
            receipt_seconds: Histogram::new(RECEIPT_SECONDS),
            terminals: Gauge::default(),
            standings: Family::default(),
            refused_connections: Counter::default(),
            broken_logs: Gauge::default(),
            logs_ahead: Gauge::default(),
            watched: Watched::default(),
        };
        metrics.register();
        if !elsewhere {
            metrics.watched.register_backup(&mut metrics.registry);
        }
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        self.watched.register(registry);
        registry.register("batches", "Batches by what became of them", self.batches.clone());
        registry.register("events", "Events by what became of them", self.events.clone());
        registry.register("enrollments", "Enrolments by outcome", self.enrollments.clone());
        registry.register("sign_ins", "Tries to sign in by what became of them", self.sign_ins.0.clone());
        registry.register("quarantined", "Messages put into quarantine", self.quarantined.clone());
        registry.register(
            "receipt_seconds",
            "Time from a batch's last byte to its receipt",
            self.receipt_seconds.clone(),
        );
        registry.register("active_terminals", "Terminals that may be used", self.terminals.clone());
        registry.register(
            "terminal_standings",
            "Terminals that may be used, by what their numbers and OS runs tell",
            self.standings.clone(),
        );
        registry.register(
            "refused_connections",
            "Connections closed at once because there were too many",
            self.refused_connections.clone(),
        );
        registry.register(
            "broken_log",
            "1 when stored events are no longer what was written; the server's log says which",
            self.broken_logs.clone(),
        );
        registry.register(
            "log_ahead_of_clock",
            "Contracts whose newest month of the log lies after the server's clock by more than a day",
            self.logs_ahead.clone(),
        );
    }

    /// Counts a batch: `stored`, `refused` or `failed`.
    pub fn batch(&self, outcome: &'static str) {
        self.batches.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts the events of a stored batch.
    pub fn events(&self, items: &[ItemOutcome]) {
        for item in items {
            self.events.get_or_create(&Outcome { outcome: event_outcome(item) }).inc();
        }
    }

    /// Counts an enrolment.
    pub fn enrollment(&self, outcome: EnrollmentOutcome) {
        let outcome = match outcome {
            EnrollmentOutcome::Enrolled(_) => "enrolled",
            EnrollmentOutcome::EnrolledBlocked(_) => "enrolled_blocked",
            EnrollmentOutcome::EnrolledAgain(_) => "enrolled_again",
            EnrollmentOutcome::ContractUnusable => "contract_unusable",
            EnrollmentOutcome::WrongKey => "wrong_key",
            EnrollmentOutcome::KeyEnded(KeyEnd::Revoked) => "key_revoked",
            EnrollmentOutcome::KeyEnded(KeyEnd::Expired) => "key_expired",
            EnrollmentOutcome::KeyEnded(KeyEnd::UsedUp) => "key_used_up",
            EnrollmentOutcome::TerminalUnusable => "terminal_unusable",
        };
        self.enrollments.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts something put into quarantine.
    pub fn quarantined(&self, outcome: QuarantineOutcome) {
        let outcome = match outcome {
            QuarantineOutcome::Kept => "kept",
            QuarantineOutcome::CountedOnly => "counted_only",
        };
        self.quarantined.get_or_create(&Outcome { outcome }).inc();
    }

    /// Notes how long a receipt took.
    pub fn receipt_took(&self, seconds: f64) {
        self.receipt_seconds.observe(seconds);
    }

    /// Sets the number of active terminals.
    pub fn terminals(&self, count: u64) {
        self.terminals.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets the number of active terminals of each standing.
    pub fn standings(&self, counts: &[(Standing, u64)]) {
        for (standing, count) in counts {
            let label = StandingLabel { standing: standing.name() };
            self.standings.get_or_create(&label).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }

    /// Counts a connection beyond the cap.
    pub fn refused_connection(&self) {
        self.refused_connections.inc();
    }

    /// Says whether what is stored still is what was written.
    pub fn log_is_whole(&self, whole: bool) {
        self.broken_logs.set(i64::from(!whole));
    }

    /// Sets the number of contracts whose log is ahead of the clock.
    pub fn logs_ahead(&self, contracts: usize) {
        self.logs_ahead.set(i64::try_from(contracts).unwrap_or(i64::MAX));
    }

    /// Events and batches by what became of them, under the names of `/metrics`; batches begin with `batch_`.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let of =
            |family: &Family<Outcome, Counter>, outcome| family.get_or_create(&Outcome { outcome }).get();
        let events = EVENT_OUTCOMES.iter().map(|outcome| (*outcome, of(&self.events, outcome)));
        let batches = BATCH_OUTCOMES.iter().map(|(name, outcome)| (*name, of(&self.batches, outcome)));
        events.chain(batches).collect()
    }

    /// What [`Self::log_is_whole`] said last.
    #[must_use]
    pub fn log_was_whole(&self) -> bool {
        self.broken_logs.get() == 0
    }

    /// What [`Self::terminals`] said last.
    #[must_use]
    pub fn terminals_now(&self) -> u64 {
        u64::try_from(self.terminals.get()).unwrap_or(0)
    }

    /// What [`Self::standings`] said last of everything but completeness.
    #[must_use]
    pub fn standings_now(&self) -> Vec<(&'static str, u64)> {
        let odd = Standing::ALL.into_iter().filter(|standing| *standing != Standing::Complete);
        let count = |standing: Standing| {
            let gauge = self.standings.get_or_create(&StandingLabel { standing: standing.name() }).get();
            (standing.name(), u64::try_from(gauge).unwrap_or(0))
        };
        odd.map(count).collect()
    }

    /// The page, in OpenMetrics text.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

fn event_outcome(item: &ItemOutcome) -> &'static str {
    match (item.stored, item.result.and_then(mngntime_model::PunchResult::res)) {
        (false, _) => "other_bytes",
        (true, None) => "stored",
        (true, Some(5)) => "res_5",
        (true, Some(6)) => "res_6",
        (true, Some(7)) => "res_7",
        (true, Some(8)) => "res_8",
        (true, Some(_)) => "res_9",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_appear_under_the_documented_names() {
        let metrics = Metrics::default();
        metrics.batch("stored");
        metrics.enrollment(EnrollmentOutcome::WrongKey);
        metrics.sign_ins.clone().count(SignInOutcome::Waiting);
        metrics.standings(&[(Standing::RolledBack, 2)]);
        assert_eq!(metrics.counts()["batch_stored"], 1);
        assert!(metrics.standings_now().contains(&("rolled_back", 2)));
        let page = metrics.page().unwrap();
        assert!(page.contains("mngntime_terminal_standings{standing=\"rolled_back\"} 2"), "{page}");
        assert!(page.contains("mngntime_batches_total{outcome=\"stored\"} 1"), "{page}");
        assert!(page.contains("mngntime_enrollments_total{outcome=\"wrong_key\"} 1"), "{page}");
        assert!(page.contains("mngntime_sign_ins_total{outcome=\"waiting\"} 1"), "{page}");
        assert!(page.ends_with("# EOF\n"));
    }
}
