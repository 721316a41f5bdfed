//! Slows down guessing of passwords from one address, at the pages and at the API together; failures of one login are counted
//! by the store.
//!
//! A count is closed when it is full, and is forgotten [`FORGET_MS`] after its last failure. Only memory: a restart
//! forgets. At most [`ENTRIES_MAX`] counts are kept; when there are more, the oldest go. Closing is told once an hour for
//! each address, so that who guesses does not fill the audit log.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mngntime_model::UtcMillis;

/// Failures from one address, which may be a whole office.
pub const PER_ADDRESS: u32 = 50;
/// A count is forgotten this long after its last failure.
pub const FORGET_MS: i64 = 15 * 60 * 1000;
/// Closing an address is told at most once in this time.
pub const TOLD_MS: i64 = 3_600_000;
/// Counts kept at most.
pub const ENTRIES_MAX: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: UtcMillis,
    /// Failures since closing was told, without a pause of [`TOLD_MS`].
    untold: u32,
    told: Option<UtcMillis>,
}

/// An address that has just been closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The address, or the network that counts as one.
    pub address: String,
    /// Failures since this was told the last time, or since an hour without any.
    pub tries: u32,
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

    /// Notes a failure; the answer is to be told in the audit log.
    pub fn failed(&self, address: Option<IpAddr>, now: UtcMillis) -> Option<Closed> {
        let key = counted(address)?;
        let mut counts = self.lock();
        make_room(&mut counts, now);
        let failures = counts.entry(key).or_insert(Failures { count: 0, last: now, untold: 0, told: None });
        failures.note(now);
        let due = failures.told.is_none_or(|at| now.0.saturating_sub(at.0) >= TOLD_MS);
        (failures.count >= PER_ADDRESS && due).then(|| {
            failures.told = Some(now);
            Closed { address: name(key), tries: std::mem::take(&mut failures.untold) }
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn note(&mut self, now: UtcMillis) {
        let count = if is_old(self, now) { 0 } else { self.count };
        let untold = if now.0.saturating_sub(self.last.0) >= TOLD_MS { 0 } else { self.untold };
        (self.count, self.untold) = (count.saturating_add(1), untold.saturating_add(1));
        self.last = now;
    }
}

/// A source as the log names it.
fn name(source: IpAddr) -> String {
    match source {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
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
            for _ in 0..=PER_ADDRESS {
                assert_eq!(limiter.failed(everybody, UtcMillis(0)), None);
            }
            assert_eq!(
                limiter.closed_until(everybody, UtcMillis(0)),
                None,
                "a proxy here stands for everybody"
            );
        }
    }

    #[test]
    fn closing_is_told_once_an_hour_with_what_has_failed_since() {
        let limiter = Limiter::default();
        let fail = |times: u32, at: i64| {
            (0..times).filter_map(|_| limiter.failed(THERE, UtcMillis(at))).collect::<Vec<_>>()
        };
        let told = |tries| vec![Closed { address: "192.0.2.1".into(), tries }];
        assert_eq!(fail(PER_ADDRESS - 1, 0), []);
        assert_eq!(fail(1, 0), told(50));
        assert_eq!(fail(3, 0), [], "tries that were under way");
        assert_eq!(fail(PER_ADDRESS, FORGET_MS), [], "closed again within the hour");
        assert_eq!(fail(PER_ADDRESS, TOLD_MS), told(103));
        assert_eq!(fail(5, 3 * TOLD_MS), []);
        assert_eq!(fail(PER_ADDRESS, 4 * TOLD_MS), told(50), "what failed long before is not of this");
        let network = Some("2001:db8::7".parse().unwrap());
        let closed = (0..PER_ADDRESS).find_map(|_| limiter.failed(network, UtcMillis(0))).unwrap();
        assert_eq!(closed.address, "2001:db8::/64");
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
