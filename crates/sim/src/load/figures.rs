//! What came of a load: figures for programs (they are serialised) and a table for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::request::Request;
use super::sending::Tally;

/// A generator that was later than this in one of a hundred cases was itself a limit.
const LATE_MS: f64 = 10.0;

/// Everything.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was asked for.
    pub main: Figures,
    /// The fresh punches beside a recovery.
    pub fresh: Option<Figures>,
    /// What was done before the clock started.
    pub preparation: Preparation,
    /// Whether the generator kept up.
    pub generator: Generator,
}

/// What was sent and answered.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Requests taken up.
    pub requests: u64,
    /// Events with a receipt that claims them.
    pub stored_events: u64,
    /// Events of which the receipt says that other bytes are stored under their number.
    pub not_stored_events: u64,
    /// Events of requests that were refused as a whole.
    pub refused_events: u64,
    /// Events of requests without an answer at the end.
    pub unanswered_events: u64,
    /// Time from the begin to the last answer.
    pub seconds: f64,
    /// Stored events by time.
    pub events_per_second: f64,
    /// Requests by time.
    pub requests_per_second: f64,
    /// Requests by time as planned; absent when each was sent as soon as the last was answered.
    pub planned_per_second: Option<f64>,
    /// From the planned time, or without one from the sending, to the receipt.
    pub latency: Latency,
    /// Requests whose planned time had passed when a connection was free for them.
    pub waited_for_connection: u64,
    /// Connections opened.
    pub connections: u64,
    /// Receipts whose signatures were checked.
    pub receipts_verified: u64,
    /// Bytes of all bodies.
    pub body_bytes: u64,
    /// Stored events by result, when they have one (`res`).
    pub results: BTreeMap<u8, u64>,
    /// Attempts that failed, by what happened. Each was sent again when an agent would have.
    pub failures: BTreeMap<String, u64>,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Median.
    pub p50_ms: f64,
    /// 90th percentile.
    pub p90_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// What was made before the clock started.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Preparation {
    /// Signed requests.
    pub requests: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Time it took.
    pub seconds: f64,
}

/// How the generator itself did.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Generator {
    /// From a planned time to when the sender was awake, 99th percentile.
    pub late_p99_ms: f64,
    /// The same, the longest.
    pub late_max_ms: f64,
    /// Processor time it took.
    pub processor_seconds: f64,
    /// Whether all requests that were made ready had been sent before the time was over: the server can do more.
    pub prepared_ran_out: bool,
}

impl Latency {
    /// Of microseconds.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: histogram.max() as f64 / 1e3,
        }
    }
}

impl Figures {
    pub(super) fn of(tally: &Tally, elapsed: Duration, planned_per_second: Option<f64>) -> Self {
        let seconds = elapsed.as_secs_f64();
        Self {
            requests: tally.requests,
            stored_events: tally.stored,
            not_stored_events: tally.not_stored,
            refused_events: tally.refused,
            unanswered_events: tally.unanswered,
            seconds,
            events_per_second: tally.stored as f64 / seconds,
            requests_per_second: tally.requests as f64 / seconds,
            planned_per_second,
            latency: Latency::of(&tally.latency),
            waited_for_connection: tally.waited,
            connections: tally.connections,
            receipts_verified: tally.verified,
            body_bytes: tally.body_bytes,
            results: tally.results.clone(),
            failures: tally.failures.clone(),
        }
    }

    /// Events sent that no receipt claims.
    #[must_use]
    pub fn without_receipt(&self) -> u64 {
        self.not_stored_events + self.refused_events + self.unanswered_events
    }

    /// Answers with a status of 500 or above.
    #[must_use]
    pub fn server_errors(&self) -> u64 {
        self.failures.iter().filter(|(name, _)| name.starts_with("status 5")).map(|(_, times)| times).sum()
    }
}

impl Preparation {
    pub(super) fn of(lanes: &[&[Request]], elapsed: Duration) -> Self {
        let bytes = |lane: &&[Request]| lane.iter().map(|request| request.bytes.len()).sum::<usize>();
        Self {
            requests: lanes.iter().map(|lane| lane.len()).sum(),
            bytes: lanes.iter().map(bytes).sum(),
            seconds: elapsed.as_secs_f64(),
        }
    }
}

impl Generator {
    pub(super) fn of(tally: &Tally, processor: Duration) -> Self {
        let late = Latency::of(&tally.lateness);
        Self {
            late_p99_ms: late.p99_ms,
            late_max_ms: late.max_ms,
            processor_seconds: processor.as_secs_f64(),
            prepared_ran_out: false,
        }
    }

    /// With other senders beside.
    pub(super) fn and(self, other: &Tally) -> Self {
        let late = Latency::of(&other.lateness);
        Self {
            late_p99_ms: self.late_p99_ms.max(late.p99_ms),
            late_max_ms: self.late_max_ms.max(late.max_ms),
            ..self
        }
    }

    /// Whether the figures are those of the generator rather than of the server.
    #[must_use]
    pub fn was_the_limit(&self) -> bool {
        self.prepared_ran_out || self.late_p99_ms > LATE_MS
    }

    fn verdict(&self) -> String {
        let mut said = Vec::new();
        if self.prepared_ran_out {
            said.push(
                "all requests made ready were sent before the time was over: the server can do more"
                    .to_owned(),
            );
        }
        if self.late_p99_ms > LATE_MS {
            said.push(format!(
                "it was woken {:.0} ms late in one of a hundred cases: the machine, not only the server, is in the latency",
                self.late_p99_ms
            ));
        }
        if said.is_empty() { "kept up".to_owned() } else { format!("WAS A LIMIT: {}", said.join("; ")) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "| what | stored | no receipt | seconds | events/s | requests/s | planned/s | p50 ms | p90 ms | p99 ms | p99.9 ms | max ms |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|\n",
        )?;
        f.write_str(&row(if self.fresh.is_some() { "backlog" } else { "punches" }, &self.main))?;
        if let Some(fresh) = &self.fresh {
            f.write_str(&row("fresh punches", fresh))?;
        }
        let all = [Some(&self.main), self.fresh.as_ref()];
        for figures in all.into_iter().flatten() {
            f.write_str(&details(figures))?;
        }
        let Preparation { requests, bytes, seconds } = self.preparation;
        writeln!(f, "made ready: {requests} signed requests, {} MB, in {seconds:.1} s", bytes / 1_000_000)?;
        let Generator { late_p99_ms, late_max_ms, processor_seconds, .. } = self.generator;
        writeln!(
            f,
            "generator: {}; late p99 {late_p99_ms:.1} ms, max {late_max_ms:.1} ms; {processor_seconds:.1} s of the processor",
            self.generator.verdict()
        )
    }
}

fn row(name: &str, figures: &Figures) -> String {
    let planned = figures.planned_per_second.map_or("–".to_owned(), |rate| format!("{rate:.0}"));
    let Latency { p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = figures.latency;
    format!(
        "| {name} | {} | {} | {:.2} | {:.0} | {:.0} | {planned} | {p50_ms:.1} | {p90_ms:.1} | {p99_ms:.1} | {p999_ms:.1} | {max_ms:.1} |\n",
        figures.stored_events,
        figures.without_receipt(),
        figures.seconds,
        figures.events_per_second,
        figures.requests_per_second,
    )
}

/// What does not fit into the table, when there is any.
fn details(figures: &Figures) -> String {
    let mut text = String::new();
    let mut line = |what: &str, times: u64| {
        if times > 0 {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{what}: {times}");
        }
    };
    line("events that are not stored, because others are under their numbers", figures.not_stored_events);
    line("events refused", figures.refused_events);
    line("events without an answer", figures.unanswered_events);
    line("requests that waited for a free connection", figures.waited_for_connection);
    for (result, events) in &figures.results {
        line(&format!("stored with res={result}"), *events);
    }
    for (name, times) in &figures.failures {
        line(&format!("attempts that failed, {name}"), *times);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::new(3).unwrap();
        (1..=1_000).for_each(|millis| histogram.record(millis * 1_000).unwrap());
        let latency = Latency::of(&histogram);
        for (found, wanted) in [
            (latency.p50_ms, 500.0),
            (latency.p90_ms, 900.0),
            (latency.p99_ms, 990.0),
            (latency.max_ms, 1_000.0),
        ] {
            assert!((found / wanted - 1.0).abs() < 0.002, "{found} for {wanted}");
        }
        assert_eq!(Latency::of(&Histogram::new(3).unwrap()).max_ms, 0.0);
    }

    #[test]
    fn a_generator_that_was_a_limit_says_so() {
        let kept_up = Generator {
            late_p99_ms: 1.2,
            late_max_ms: 40.0,
            processor_seconds: 1.0,
            prepared_ran_out: false,
        };
        assert!(!kept_up.was_the_limit() && kept_up.verdict() == "kept up");
        let late = Generator { late_p99_ms: 11.0, ..kept_up };
        assert!(late.was_the_limit() && late.verdict().contains("woken 11 ms late"), "{}", late.verdict());
        let empty = Generator { prepared_ran_out: true, ..kept_up };
        assert!(empty.was_the_limit() && empty.verdict().contains("the server can do more"));
    }
}
