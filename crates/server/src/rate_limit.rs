//! Limits per source address: on enrolments, and on what goes into quarantine.
//!
//! What cannot be taken as a terminal's word may come from anybody. Beyond [`QUARANTINED_BURST`] messages an address gets no
//! more than half of the quarantine, so that made-up names do not push out what others have sent.
//!
//! An enrolment key has 160 random bits and cannot be guessed; the limit keeps a guesser from filling the
//! audit log, the quarantine and the writer. It must let a roll-out pass in which a whole office enrols
//! through one address, hence the large burst.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::source_address::network_of;

/// Enrolments from one address at once: a large office behind one address, switched on together.
const BURST: NonZeroU32 = NonZeroU32::new(500).expect("500 is not 0");

/// Enrolments from one address per second after the burst.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("5 is not 0");

/// Messages that one address may put into quarantine at once: PCs of an office that were rolled out with a wrong contract
/// code show in the list, and need not all stand there.
const QUARANTINED_BURST: NonZeroU32 = NonZeroU32::new(200).expect("200 is not 0");

/// And in a minute after these.
const QUARANTINED_PER_MINUTE: NonZeroU32 = NonZeroU32::new(1).expect("1 is not 0");

/// Addresses remembered before the idle ones are dropped, and at which unknown ones share one account. At
/// about 100 bytes each this is 2 MB.
const ADDRESSES_MAX: usize = 20_000;

/// What a limited client should wait, in seconds.
pub const RETRY_AFTER_SECONDS: u32 = 60;

/// A limit.
pub struct AddressLimit(RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>);

impl std::fmt::Debug for AddressLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressLimit")
    }
}

impl AddressLimit {
    /// For enrolments.
    #[must_use]
    pub fn of_enrollments() -> Self {
        Self(RateLimiter::keyed(Quota::per_second(PER_SECOND).allow_burst(BURST)))
    }

    /// For what goes into quarantine.
    #[must_use]
    pub fn of_quarantine() -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(QUARANTINED_PER_MINUTE).allow_burst(QUARANTINED_BURST)))
    }

    /// Whether one more from `address` may pass.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        if self.0.len() >= ADDRESSES_MAX {
            self.0.retain_recent();
        }
        let crowded = self.0.len() >= ADDRESSES_MAX;
        let key = if crowded { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { network_of(address) };
        self.0.check_key(&key).is_ok()
    }

    /// Forgets addresses that are not limited any more.
    pub fn forget_idle(&self) {
        self.0.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_is_stopped_and_its_neighbour_is_not() {
        let limit = AddressLimit::of_enrollments();
        let guesser: IpAddr = "192.0.2.1".parse().unwrap();
        let passed = (0..BURST.get() + 50).filter(|_| limit.allows(guesser)).count();
        assert!((500..=510).contains(&passed), "{passed} passed");
        assert!(limit.allows("192.0.2.2".parse().unwrap()));
    }

    #[test]
    fn an_ipv6_host_cannot_dodge_by_changing_its_lower_half() {
        let one = network_of("2001:db8::1".parse().unwrap());
        assert_eq!(one, network_of("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(one, network_of("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network_of("::ffff:192.0.2.1".parse().unwrap()), network_of("192.0.2.1".parse().unwrap()));
    }
}
