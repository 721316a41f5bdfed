//! All clocks at one instant, in the units of the model.

use mngntime_model::{Moment, UtcMillis};

use super::ffi::clock::{self, Readings};

/// 1970-01-01 in FILETIME: 100 ns since 1601-01-01.
pub(super) const UNIX_EPOCH_FILETIME: i64 = 116_444_736_000_000_000;
/// Hundreds of nanoseconds in a millisecond.
pub(super) const FILETIME_PER_MS: i64 = 10_000;
/// Hundreds of nanoseconds in a second.
const FILETIME_PER_S: i64 = 10_000_000;

/// What all clocks show now.
#[must_use]
pub fn clocks() -> Moment {
    moment(clock::read())
}

/// A FILETIME (100 ns since 1601, UTC) as milliseconds since 1970, rounded down.
pub(super) fn utc_millis(filetime: i64) -> UtcMillis {
    UtcMillis(filetime.saturating_sub(UNIX_EPOCH_FILETIME).div_euclid(FILETIME_PER_MS))
}

fn moment(readings: Readings) -> Moment {
    let offset_s = (readings.local_filetime - readings.wall_filetime) / FILETIME_PER_S;
    Moment {
        wall: utc_millis(readings.wall_filetime),
        offset_seconds: i32::try_from(offset_s).unwrap_or(0),
        biased_ms: readings.biased_ms,
        unbiased_ms: readings.unbiased_100ns / FILETIME_PER_MS.unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetimes_become_milliseconds_since_1970() {
        assert_eq!(utc_millis(UNIX_EPOCH_FILETIME), UtcMillis(0));
        assert_eq!(utc_millis(UNIX_EPOCH_FILETIME + 15_000), UtcMillis(1));
        assert_eq!(utc_millis(UNIX_EPOCH_FILETIME - 1), UtcMillis(-1));
    }

    #[test]
    fn the_offset_is_local_time_less_utc() {
        let readings = Readings {
            wall_filetime: UNIX_EPOCH_FILETIME,
            local_filetime: UNIX_EPOCH_FILETIME + 9 * 3600 * FILETIME_PER_S,
            biased_ms: 5_000,
            unbiased_100ns: 40_000_000,
        };
        let moment = moment(readings);
        assert_eq!((moment.offset_seconds, moment.biased_ms, moment.unbiased_ms), (32_400, 5_000, 4_000));
    }

    #[test]
    fn the_real_clocks_agree_with_std_and_go_forward() {
        let one = clocks();
        let std = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let other = clocks();
        assert!((one.wall.0 - i64::try_from(std.as_millis()).unwrap()).abs() < 1_000);
        assert!(other.biased_ms >= one.biased_ms && other.unbiased_ms >= one.unbiased_ms);
    }
}
