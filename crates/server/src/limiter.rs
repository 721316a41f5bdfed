//! Slows down guessing of passwords from one address, at the pages and at the API together; failures of one login are counted
//! by the store.
//!
//! An address may be a whole office behind one proxy, so each has a bucket of failures that refills by itself: as many as
//! are set (`sign_in_failures_per_address`, N, 50 by default) at once, and N more evenly within [`REFILL_MS`] (one in 20 s).
//! While it is empty, nobody there is looked at. A failure at a login that nobody has costs [`UNKNOWN_COSTS`]: people slip
//! at their own. A right sign-in gives one failure back, at most once in [`GIVEN_BACK_EVERY_MS`] for each person, so that
//! who has one account cannot guess at others without end.
//!
//! What a guesser is left with, in a day and from one address: N + N · 86.4 failures at logins that exist (4,370 by default;
//! the fixed quarter of an hour that was here before left 4,800), a third of that at others, and 24 for each account of
//! their own. Whoever counts their tries until the address closes learns of a few logins an hour whether they exist; words
//! and time do not tell it.
//!
//! Only memory: a restart forgets. At most [`ENTRIES_MAX`] addresses are kept; when there are more, the oldest go. Closing is
//! told once an hour for each address, so that who guesses does not fill the audit log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mngntime_model::UtcMillis;
use mngntime_store::AdministratorId;

use crate::source_address::counted;

/// Failures at once from one address, unless set otherwise.
pub const PER_ADDRESS: u32 = 50;
/// In this time an empty bucket is full again.
pub const REFILL_MS: i64 = 1_000_000;
/// What a failure at a login costs that nobody has.
pub const UNKNOWN_COSTS: u32 = 3;
/// A person's right sign-ins give back at most once in this time.
pub const GIVEN_BACK_EVERY_MS: i64 = 3_600_000;
/// Closing an address is told at most once in this time.
pub const TOLD_MS: i64 = 3_600_000;
/// Addresses, and people who have given back, kept at most.
pub const ENTRIES_MAX: usize = 20_000;

/// Whose sign-in has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Somebody's: most likely a slip.
    Known,
    /// Nobody's.
    Unknown,
}

/// A bucket: what has been taken out of it is measured by the time that refills it.
#[derive(Debug, Clone, Copy)]
struct Failures {
    /// What was missing at `last`, in milliseconds of refilling.
    missing_ms: i64,
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

#[derive(Debug, Default)]
struct Counts {
    addresses: HashMap<IpAddr, Failures>,
    given_back: HashMap<AdministratorId, UtcMillis>,
}

/// Counts failed sign-ins.
#[derive(Debug)]
pub struct Limiter {
    /// Milliseconds that refill one failure.
    one_ms: i64,
    counts: Mutex<Counts>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(PER_ADDRESS)
    }
}

impl Limiter {
    /// Lets so many failures of one address pass at once.
    #[must_use]
    pub fn new(per_address: u32) -> Self {
        Self { one_ms: REFILL_MS / i64::from(per_address.max(1)), counts: Mutex::default() }
    }

    /// Until when nobody may try from this address; absent when they may.
    #[must_use]
    pub fn closed_until(&self, address: Option<IpAddr>, now: UtcMillis) -> Option<UtcMillis> {
        let failures = *self.lock().addresses.get(&counted(address)?)?;
        let left = self.closed_for(&failures, now);
        (left > 0).then(|| now.plus(left))
    }

    /// Milliseconds until one more failure has room.
    fn closed_for(&self, failures: &Failures, now: UtcMillis) -> i64 {
        failures.missing(now) + self.one_ms - REFILL_MS
    }

    /// Notes a failure; the answer is to be told in the audit log.
    pub fn failed(&self, address: Option<IpAddr>, login: Login, now: UtcMillis) -> Option<Closed> {
        let key = counted(address)?;
        let mut counts = self.lock();
        make_room(&mut counts.addresses, now);
        let fresh = Failures { missing_ms: 0, last: now, untold: 0, told: None };
        let failures = counts.addresses.entry(key).or_insert(fresh);
        failures.note(self.one_ms * i64::from(login.costs()), now);
        let due = failures.told.is_none_or(|at| now.0.saturating_sub(at.0) >= TOLD_MS);
        (self.closed_for(failures, now) > 0 && due).then(|| {
            failures.told = Some(now);
            Closed { address: name(key), tries: std::mem::take(&mut failures.untold) }
        })
    }

    /// Somebody has signed in from this address: one of its failures was most likely a slip.
    pub fn right(&self, address: Option<IpAddr>, person: AdministratorId, now: UtcMillis) {
        let Some(key) = counted(address) else { return };
        let mut counts = self.lock();
        let Counts { addresses, given_back } = &mut *counts;
        let Some(failures) = addresses.get_mut(&key) else { return };
        if failures.missing(now) == 0 || !may_give_back(given_back, person, now) {
            return;
        }
        failures.missing_ms = (failures.missing(now) - self.one_ms).max(0);
        failures.last = failures.last.max(now);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Login {
    fn costs(self) -> u32 {
        match self {
            Self::Known => 1,
            Self::Unknown => UNKNOWN_COSTS,
        }
    }
}

impl Failures {
    fn missing(&self, now: UtcMillis) -> i64 {
        (self.missing_ms - now.0.saturating_sub(self.last.0).max(0)).max(0)
    }

    /// Tries that were under way when the address closed count, too, up to one more bucket.
    fn note(&mut self, costs_ms: i64, now: UtcMillis) {
        let untold = if now.0.saturating_sub(self.last.0) >= TOLD_MS { 0 } else { self.untold };
        self.untold = untold.saturating_add(1);
        self.missing_ms = (self.missing(now) + costs_ms).min(2 * REFILL_MS);
        self.last = now;
    }
}

/// Whether this person's sign-in gives back now; notes it.
fn may_give_back(
    given_back: &mut HashMap<AdministratorId, UtcMillis>,
    person: AdministratorId,
    now: UtcMillis,
) -> bool {
    let lately = |at: &UtcMillis| now.0.saturating_sub(at.0) < GIVEN_BACK_EVERY_MS;
    if given_back.len() >= ENTRIES_MAX {
        given_back.retain(|_, at| lately(at));
    }
    if given_back.get(&person).is_some_and(lately) || given_back.len() >= ENTRIES_MAX {
        return false;
    }
    given_back.insert(person, now);
    true
}

/// A source as the log names it.
fn name(source: IpAddr) -> String {
    match source {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

fn make_room(addresses: &mut HashMap<IpAddr, Failures>, now: UtcMillis) {
    if addresses.len() < ENTRIES_MAX {
        return;
    }
    addresses.retain(|_, failures| failures.missing(now) > 0);
    if addresses.len() >= ENTRIES_MAX {
        let mut ages: Vec<_> = addresses.values().map(|failures| failures.last).collect();
        ages.sort_unstable();
        let border = ages[ages.len() / 2];
        addresses.retain(|_, failures| failures.last > border);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    /// Refills one failure.
    const ONE_MS: i64 = REFILL_MS / PER_ADDRESS as i64;
    const DAY_MS: i64 = 86_400_000;

    fn person(number: u32) -> AdministratorId {
        AdministratorId::parse(&format!("00000000-0000-4000-8000-{number:012}")).unwrap()
    }

    /// Fails at a login that exists as often as that is looked at, and says how often that was.
    fn guesses(limiter: &Limiter, login: Login, from: i64, until: i64, step: i64) -> u32 {
        let mut looked_at = 0;
        let mut now = from;
        while now < until {
            while limiter.closed_until(THERE, UtcMillis(now)).is_none() {
                limiter.failed(THERE, login, UtcMillis(now));
                looked_at += 1;
            }
            now += step;
        }
        looked_at
    }

    #[test]
    fn an_address_opens_again_one_failure_at_a_time_and_its_neighbour_is_never_closed() {
        let limiter = Limiter::default();
        for _ in 0..PER_ADDRESS {
            assert_eq!(limiter.closed_until(THERE, UtcMillis(0)), None);
            limiter.failed(THERE, Login::Known, UtcMillis(0));
        }
        assert_eq!(limiter.closed_until(THERE, UtcMillis(ONE_MS - 1)), Some(UtcMillis(ONE_MS)));
        assert_eq!(limiter.closed_until(THERE, UtcMillis(ONE_MS)), None);
        limiter.failed(THERE, Login::Known, UtcMillis(ONE_MS));
        assert_eq!(limiter.closed_until(THERE, UtcMillis(ONE_MS)), Some(UtcMillis(2 * ONE_MS)));
        let neighbour = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));
        assert_eq!(limiter.closed_until(neighbour, UtcMillis(0)), None);
        for everybody in [HERE, None] {
            for _ in 0..=PER_ADDRESS {
                assert_eq!(limiter.failed(everybody, Login::Unknown, UtcMillis(0)), None);
            }
            assert_eq!(
                limiter.closed_until(everybody, UtcMillis(0)),
                None,
                "a proxy here stands for everybody"
            );
        }
    }

    /// 5,000 people within half an hour behind one address: a tenth slips, some type a login that is none.
    #[test]
    fn an_office_that_slips_and_signs_in_is_never_closed() {
        let limiter = Limiter::default();
        for number in 0..5_000_u32 {
            let now = UtcMillis(i64::from(number) * 360);
            let slip = match number % 50 {
                0 => Some(Login::Unknown),
                1..=5 => Some(Login::Known),
                _ => None,
            };
            if let Some(login) = slip {
                assert_eq!(limiter.closed_until(THERE, now), None, "{number}");
                assert_eq!(limiter.failed(THERE, login, now), None);
            }
            assert_eq!(limiter.closed_until(THERE, now), None, "{number}");
            limiter.right(THERE, person(number), now);
        }
    }

    #[test]
    fn what_a_guesser_is_left_with_in_a_day_is_what_is_documented() {
        let day = |login| guesses(&Limiter::default(), login, 0, DAY_MS, 1_000);
        assert_eq!(day(Login::Known), 4_369);
        assert!(day(Login::Unknown) < 4_369 / 2, "{}", day(Login::Unknown));
        assert_eq!(guesses(&Limiter::new(500), Login::Known, 0, DAY_MS, 1_000), 43_699);
    }

    #[test]
    fn who_has_an_account_does_not_buy_guesses_at_others_with_it() {
        let limiter = Limiter::default();
        let mut looked_at = 0;
        for now in (0..DAY_MS).step_by(1_000).map(UtcMillis) {
            limiter.right(THERE, person(1), now);
            looked_at += guesses(&limiter, Login::Known, now.0, now.0 + 1, 1);
        }
        assert_eq!(looked_at, 4_369 + 24, "one an hour");
    }

    #[test]
    fn closing_is_told_once_an_hour_with_what_has_failed_since() {
        let limiter = Limiter::default();
        let fail = |times: u32, at: i64| {
            let failed = |_| limiter.failed(THERE, Login::Known, UtcMillis(at));
            (0..times).filter_map(failed).collect::<Vec<_>>()
        };
        let told = |tries| vec![Closed { address: "192.0.2.1".into(), tries }];
        assert_eq!(fail(PER_ADDRESS - 1, 0), []);
        assert_eq!(fail(1, 0), told(50));
        assert_eq!(fail(3, 0), [], "tries that were under way");
        assert_eq!(fail(PER_ADDRESS, REFILL_MS), [], "closed again within the hour");
        assert_eq!(fail(PER_ADDRESS, TOLD_MS), told(103));
        assert_eq!(fail(5, 3 * TOLD_MS), []);
        assert_eq!(fail(PER_ADDRESS, 4 * TOLD_MS), told(50), "what failed long before is not of this");
        let network = Some("2001:db8::7".parse().unwrap());
        let fail = |_| limiter.failed(network, Login::Known, UtcMillis(0));
        let closed = (0..PER_ADDRESS).find_map(fail).unwrap();
        assert_eq!(closed.address, "2001:db8::/64");
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        for n in 0..30_000_u32 {
            let address = Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n)));
            limiter.failed(address, Login::Unknown, UtcMillis(i64::from(n)));
            limiter.right(address, person(n), UtcMillis(i64::from(n)));
        }
        let counts = limiter.lock();
        assert!(counts.addresses.len() <= ENTRIES_MAX && counts.given_back.len() <= ENTRIES_MAX);
    }
}
