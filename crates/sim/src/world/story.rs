//! What happened, in lines that a person can read.
//!
//! The digest of all lines is what two runs of one seed are compared by. Nothing that a server draws at random
//! is in them.

use std::collections::VecDeque;

use mngntime_ledger::Digest;

/// Lines kept for a failure.
const LINES_MAX: usize = 5_000;
const DAY_MS: i64 = 86_400_000;

/// The story of one world.
#[derive(Debug)]
pub(crate) struct Story {
    began: i64,
    pub(crate) step: u64,
    lines: VecDeque<String>,
    digest: Digest,
}

impl Story {
    pub(crate) fn new(began: i64) -> Self {
        Self { began, step: 0, lines: VecDeque::new(), digest: Digest::GENESIS }
    }

    /// Tells one thing.
    pub(crate) fn tell(&mut self, now: i64, who: &str, what: &str) {
        let since = now - self.began;
        let (day, rest) = (since.div_euclid(DAY_MS), since.rem_euclid(DAY_MS));
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1000 % 60, rest % 1000);
        let line = format!(
            "{:06} day {day} {hour:02}:{minute:02}:{second:02}.{milli:03} {who:<6} {what}",
            self.step
        );
        self.digest = Digest::of(format!("{}{line}", self.digest).as_bytes());
        self.lines.push_back(line);
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// The last lines, oldest first.
    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
