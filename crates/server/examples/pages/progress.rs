//! A line on standard error that says how far it is.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How far one long piece of work is.
pub struct Progress {
    what: &'static str,
    begun: Instant,
    shown: Option<Instant>,
}

impl Progress {
    pub fn new(what: &'static str) -> Self {
        Self { what, begun: Instant::now(), shown: None }
    }

    /// Shows that `done` of `all` are done: ten times a second on a terminal, each half minute in a file.
    pub fn show(&mut self, done: u64, all: u64) {
        let terminal = std::io::stderr().is_terminal();
        let pause = if terminal { Duration::from_millis(100) } else { Duration::from_secs(30) };
        if done < all && self.shown.is_some_and(|shown| shown.elapsed() < pause) {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = done * 100 / all.max(1);
        let bar = "#".repeat(usize::try_from(percent / 4).unwrap_or(0));
        let begin = if terminal { "\r" } else { "" };
        let end = if terminal && done < all { "" } else { "\n" };
        let seconds = self.begun.elapsed().as_secs();
        let mut out = std::io::stderr().lock();
        // Who does not look at it misses nothing.
        let _ =
            write!(out, "{begin}{} [{bar:<25}] {percent} %, {done} of {all}, {seconds} s{end}", self.what);
        let _ = out.flush();
    }
}
