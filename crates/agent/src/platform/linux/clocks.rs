//! Clocks and the identity of the running boot.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use mngntime_model::{BootId, Moment, UtcMillis};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// All clocks at one instant. The three readings are microseconds apart.
#[must_use]
pub fn clocks() -> Moment {
    Moment {
        wall: wall(),
        offset_seconds: jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::system()).offset().seconds(),
        biased_ms: millis(clock_gettime(ClockId::Boottime)).unsigned_abs(),
        unbiased_ms: millis(clock_gettime(ClockId::Monotonic)).unsigned_abs(),
    }
}

/// Asked of the C library, as all other programs do, and not of the kernel: on this PC there is one wall clock.
fn wall() -> UtcMillis {
    let millis = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    UtcMillis(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}

fn millis(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
}

/// The kernel's id of the running boot.
///
/// # Errors
/// When `/proc` is not there.
pub fn boot_id() -> anyhow::Result<BootId> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(PATH).with_context(|| format!("cannot read {PATH}"))?;
    BootId::new(text.trim()).with_context(|| format!("{PATH} holds no boot id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_do_not_go_back_and_sleep_is_only_in_the_biased_one() {
        let (one, two) = (clocks(), clocks());
        assert!(two.biased_ms >= one.biased_ms && two.unbiased_ms >= one.unbiased_ms);
        assert!(one.biased_ms + 1 >= one.unbiased_ms);
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
    }
}
