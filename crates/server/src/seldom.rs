//! What a stranger can cause is told at most once in a while, with how often it was not told, so that nobody fills the
//! log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines of the log about the same thing.
pub const MINUTE: Duration = Duration::from_secs(60);

/// Something that is told at most once in a time.
#[derive(Debug)]
pub struct Seldom {
    every: Duration,
    /// When it was told last, and how often it has happened since.
    told: Mutex<(Option<Instant>, u64)>,
}

impl Seldom {
    /// Nothing has been told yet.
    #[must_use]
    pub const fn new(every: Duration) -> Self {
        Self { every, told: Mutex::new((None, 0)) }
    }

    /// It has happened: how often it was not told before, when it is to be told now.
    pub fn due(&self) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.0.is_some_and(|at| at.elapsed() < self.every) {
            told.1 = told.1.saturating_add(1);
            return None;
        }
        told.0 = Some(Instant::now());
        Some(std::mem::take(&mut told.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_told_once_and_counted() {
        let seldom = Seldom::new(Duration::from_secs(3_600));
        assert_eq!((seldom.due(), seldom.due(), seldom.due()), (Some(0), None, None));
        let often = Seldom::new(Duration::ZERO);
        assert_eq!((often.due(), often.due()), (Some(0), Some(0)));
        often.told.lock().unwrap().1 = 7;
        assert_eq!(often.due(), Some(7));
    }
}
