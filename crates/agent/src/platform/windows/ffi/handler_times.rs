//! Test builds only: how long the service's handler keeps the service control manager waiting.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Handler times that are kept: a day of an ordinary PC.
const TIMES_KEPT: usize = 512;

/// Those of this process.
static TIMES: Mutex<HandlerTimes> = Mutex::new(HandlerTimes { count: 0, max_us: 0, recent_us: Vec::new() });

/// How long the handler took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandlerTimes {
    /// Controls handled.
    pub count: u64,
    /// The longest, in microseconds.
    pub max_us: u32,
    /// The last [`TIMES_KEPT`], in microseconds, in no order.
    pub recent_us: Vec<u32>,
}

impl HandlerTimes {
    fn add(&mut self, took: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.max_us = self.max_us.max(took);
        if self.recent_us.len() < TIMES_KEPT {
            self.recent_us.push(took);
        } else if let Some(oldest) = self.recent_us.get_mut(self.count as usize % TIMES_KEPT) {
            *oldest = took;
        }
        self.count += 1;
    }
}

/// Has a control handled and keeps how long that took.
pub(super) fn measure(handle: impl FnOnce()) {
    let begun = Instant::now();
    handle();
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).add(begun.elapsed());
}

/// How long the handler took so far; empty in a process that is no service.
#[must_use]
pub fn handler_times() -> HandlerTimes {
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handler_times_keep_the_last_and_the_longest() {
        let mut times = HandlerTimes::default();
        (0..600).for_each(|_| times.add(Duration::from_micros(50)));
        times.add(Duration::from_micros(900));
        assert_eq!((times.count, times.max_us, times.recent_us.len()), (601, 900, TIMES_KEPT));
    }
}
