//! Slows down guessing of passwords from one address; failures of one login are counted by the store.
//!
//! A count is closed when it is full, and is forgotten [`FORGET_MS`] after its last failure. Only memory: a restart
//! forgets. At most [`ENTRIES_MAX`] counts are kept; when there are more, the oldest go.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mngntime_model::UtcMillis;

/// Failures from one address, which may be a whole office.
pub const PER_ADDRESS: u32 = 50;
/// A count is forgotten this long after its last failure.
pub const FORGET_MS: i64 = 15 * 60 * 1000;
/// Counts kept at most.
pub const ENTRIES_MAX: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: UtcMillis,
}

/// Counts failed sign-ins.
#[derive(Debug, Default)]
pub struct Limiter {
    counts: Mutex<HashMap<IpAddr, Failures>>,
}

impl Limiter {
    /// Until when nobody may try from this address; absent when they may.
    #[must_use]
    pub fn closed_until(&self, address: Option<IpAddr>, now: UtcMillis) -> Option<UtcMillis> {
        let failures = *self.lock().get(&counted(address)?)?;
        let full = failures.count >= PER_ADDRESS && !is_old(&failures, now);
        full.then(|| failures.last.plus(FORGET_MS))
    }

    /// Notes a failure.
    pub fn failed(&self, address: Option<IpAddr>, now: UtcMillis) {
        let Some(key) = counted(address) else { return };
        let mut counts = self.lock();
        make_room(&mut counts, now);
        let failures = counts.entry(key).or_insert(Failures { count: 0, last: now });
        let count = if is_old(failures, now) { 0 } else { failures.count };
        *failures = Failures { count: count.saturating_add(1), last: now };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The source to be counted. A proxy on this machine, or no address at all, stands for everybody.
fn counted(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(network).filter(|address| !address.is_loopback())
}

/// What counts as one source: an IPv4 address, or an IPv6 network of 64 bits, since one host owns all of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    }
}

fn is_old(failures: &Failures, now: UtcMillis) -> bool {
    now.0.saturating_sub(failures.last.0) >= FORGET_MS
}

fn make_room(counts: &mut HashMap<IpAddr, Failures>, now: UtcMillis) {
    if counts.len() < ENTRIES_MAX {
        return;
    }
    counts.retain(|_, failures| !is_old(failures, now));
    if counts.len() >= ENTRIES_MAX {
        let mut ages: Vec<_> = counts.values().map(|failures| failures.last).collect();
        ages.sort_unstable();
        let border = ages[ages.len() / 2];
        counts.retain(|_, failures| failures.last > border);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

    #[test]
    fn an_address_is_closed_for_a_quarter_of_an_hour_and_its_neighbour_is_not() {
        let limiter = Limiter::default();
        for _ in 0..PER_ADDRESS {
            assert_eq!(limiter.closed_until(THERE, UtcMillis(0)), None);
            limiter.failed(THERE, UtcMillis(0));
        }
        assert_eq!(limiter.closed_until(THERE, UtcMillis(FORGET_MS - 1)), Some(UtcMillis(FORGET_MS)));
        assert_eq!(limiter.closed_until(THERE, UtcMillis(FORGET_MS)), None);
        let neighbour = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));
        assert_eq!(limiter.closed_until(neighbour, UtcMillis(0)), None);
        for everybody in [HERE, None] {
            (0..=PER_ADDRESS).for_each(|_| limiter.failed(everybody, UtcMillis(0)));
            assert_eq!(
                limiter.closed_until(everybody, UtcMillis(0)),
                None,
                "a proxy here stands for everybody"
            );
        }
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        for n in 0..30_000_u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
            limiter.failed(Some(address), UtcMillis(i64::from(n)));
        }
        assert!(limiter.lock().len() <= ENTRIES_MAX);
    }
}
