//! A bound on everything that crosses the wire, with its reason.

/// Events in one batch. At ~600 bytes each a full batch stays under 64 KiB, small enough to be sent
/// again whole after any failure.
pub const BATCH_EVENTS_MAX: usize = 100;

/// Bytes of one encoded event. The texts of an account are at most 4 × 320 characters; JSON escapes may
/// multiply them, and nothing else in an event is long.
pub const EVENT_BYTES_MAX: usize = 16 * 1024;

/// Highest number of an event: what a database's signed 64-bit column holds. A PC that records an event every
/// millisecond reaches it after 292 million years, so a higher one is damage or an attack.
pub const SEQUENCE_MAX: u64 = i64::MAX as u64;

/// Bytes of a request body. A full batch of ordinary events is a tenth of this.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of an answer that an agent reads before it gives up: a full receipt is under 32 KiB.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Longest free text in a request (host name, OS version, agent version), in characters.
pub const TEXT_CHARS_MAX: usize = 256;

/// Longest `spread_seconds` an agent obeys: a receipt must not be delayed by more than five minutes,
/// whatever a server says.
pub const SPREAD_SECONDS_MAX: u32 = 300;

/// Longest pause between two contacts that a server may ask for: a silent PC must be noticed the same day.
pub const CONTACT_SECONDS_MAX: u32 = 4 * 3600;

/// Longest `Retry-After` an agent obeys, in seconds.
pub const RETRY_AFTER_SECONDS_MAX: u32 = 3600;

/// Ranges of missing numbers that one receipt names: the next receipts name the rest, and a receipt stays
/// small.
pub const MISSING_RANGES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever writes another agent or server reads the numbers there.
    #[test]
    fn limits_are_those_that_the_protocol_names() {
        let (kib, mib) = (1 << 10, 1 << 20);
        let named = format!(
            "{BATCH_EVENTS_MAX} events, {} MiB a request, {} KiB an event, numbers up to 2^63 − 1, {} KiB an answer.",
            BODY_BYTES_MAX / mib,
            EVENT_BYTES_MAX / kib,
            ANSWER_BYTES_MAX / kib
        );
        let waits = format!(
            "An agent obeys at most {SPREAD_SECONDS_MAX} s of spread, {RETRY_AFTER_SECONDS_MAX} s of `Retry-After` and {} h between contacts.",
            CONTACT_SECONDS_MAX / 3600
        );
        let protocol = include_str!("../../../docs/protocol/README.md");
        assert!(protocol.contains(&named), "{named}");
        assert!(protocol.contains(&waits), "{waits}");
        assert_eq!([BODY_BYTES_MAX % mib, EVENT_BYTES_MAX % kib, ANSWER_BYTES_MAX % kib], [0; 3]);
    }
}
