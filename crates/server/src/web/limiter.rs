//! Slows down guessing of passwords.
//!
//! Counts failures per login from one address, per login from everywhere, and per address. A count is closed
//! when it is full, and is forgotten [`FORGET_MS`] after its last failure. Only memory: a restart forgets.
//! At most [`ENTRIES_MAX`] counts are kept; when there are more, the oldest go, so an attacker who makes up
//! logins costs a bounded amount of memory and runs into the count of the address.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mngntime_model::UtcMillis;

/// Failures of one login from one address.
pub const PER_PAIR: u32 = 5;
/// Failures of one login from everywhere: high enough that a stranger cannot easily lock somebody out.
pub const PER_LOGIN: u32 = 50;
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
    // Logins are kept as hashes: fixed size, and no list of what people typed.
    hasher: RandomState,
    counts: Mutex<HashMap<u64, Failures>>,
}

impl Limiter {
    /// Whether another try is allowed.
    #[must_use]
    pub fn allows(&self, login: &str, address: Option<IpAddr>, now: UtcMillis) -> bool {
        let counts = self.lock();
        self.keys(login, address).iter().all(|(key, limit)| {
            counts.get(key).is_none_or(|failures| failures.count < *limit || is_old(failures, now))
        })
    }

    /// Notes a failure.
    pub fn failed(&self, login: &str, address: Option<IpAddr>, now: UtcMillis) {
        let mut counts = self.lock();
        for (key, _) in self.keys(login, address) {
            make_room(&mut counts, now);
            let failures = counts.entry(key).or_insert(Failures { count: 0, last: now });
            let count = if is_old(failures, now) { 0 } else { failures.count };
            *failures = Failures { count: count.saturating_add(1), last: now };
        }
    }

    /// Forgets the failures of a login that has got in from this address.
    pub fn succeeded(&self, login: &str, address: Option<IpAddr>) {
        let [(pair, _), _, _] = self.keys(login, address);
        self.lock().remove(&pair);
    }

    fn keys(&self, login: &str, address: Option<IpAddr>) -> [(u64, u32); 3] {
        let (login, address) = (login.to_lowercase(), address.map(network));
        // A proxy on this machine, or no address at all, stands for everybody.
        let everybody = address.is_none_or(|address| address.is_loopback());
        [
            (self.hasher.hash_one(("pair", &login, address)), PER_PAIR),
            (self.hasher.hash_one(("login", &login)), PER_LOGIN),
            (self.hasher.hash_one(("address", address)), if everybody { u32::MAX } else { PER_ADDRESS }),
        ]
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Failures>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

fn make_room(counts: &mut HashMap<u64, Failures>, now: UtcMillis) {
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
    fn five_failures_close_for_fifteen_minutes() {
        let limiter = Limiter::default();
        for _ in 0..PER_PAIR {
            assert!(limiter.allows("a", HERE, UtcMillis(0)));
            limiter.failed("A", HERE, UtcMillis(0));
        }
        assert!(!limiter.allows("a", HERE, UtcMillis(FORGET_MS - 1)));
        assert!(limiter.allows("a", THERE, UtcMillis(0)), "another place is not locked out");
        assert!(limiter.allows("a", HERE, UtcMillis(FORGET_MS)));
    }

    #[test]
    fn success_forgets_and_an_address_has_a_limit_over_all_logins() {
        let limiter = Limiter::default();
        (0..4).for_each(|_| limiter.failed("a", HERE, UtcMillis(0)));
        limiter.succeeded("a", HERE);
        limiter.failed("a", HERE, UtcMillis(0));
        assert!(limiter.allows("a", HERE, UtcMillis(0)));
        for address in [HERE, THERE, None] {
            (0..PER_ADDRESS).for_each(|n| limiter.failed(&n.to_string(), address, UtcMillis(0)));
        }
        assert!(!limiter.allows("never tried", THERE, UtcMillis(0)));
        assert!(limiter.allows("never tried", HERE, UtcMillis(0)), "a proxy here stands for everybody");
        assert!(limiter.allows("never tried", None, UtcMillis(0)));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        for n in 0..30_000_i64 {
            limiter.failed(&n.to_string(), HERE, UtcMillis(n));
        }
        assert!(limiter.lock().len() <= ENTRIES_MAX);
    }
}
