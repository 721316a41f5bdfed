//! What the server has to remember between the two halves of a ceremony (a passkey's, another provider's).
//!
//! The state never leaves the server: the browser holds a random name of it in a cookie. It is taken out before it is
//! looked at, so that an answer counts once, and it lives for some minutes, in memory only: a restart of the server
//! costs people one more try. Bounded; when there are too many, the oldest go.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE32_NOPAD;
use mngntime_model::UtcMillis;

use super::codes::drawn;

/// Time for a ceremony, in milliseconds.
pub const LIFE_MS: i64 = 5 * 60_000;

/// Ceremonies at the same time.
const CEREMONIES_MAX: usize = 2_000;

/// Ceremonies that have begun.
#[derive(Debug)]
pub struct Ceremonies<T>(Mutex<HashMap<String, (UtcMillis, T)>>);

impl<T> Default for Ceremonies<T> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<T> Ceremonies<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, (UtcMillis, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers `state` under a new name.
    ///
    /// # Errors
    /// When the OS gives no random bytes.
    pub fn begin(&self, state: T, now: UtcMillis) -> Result<String, getrandom::Error> {
        let name = BASE32_NOPAD.encode(&drawn::<20>()?).to_lowercase();
        let mut all = self.lock();
        if all.len() >= CEREMONIES_MAX {
            make_room(&mut all, now);
        }
        all.insert(name.clone(), (now, state));
        Ok(name)
    }

    /// Takes a state out, whatever comes of it; `None` when there is none (any more).
    #[must_use]
    pub fn take(&self, name: &str, now: UtcMillis) -> Option<T> {
        let (since, state) = self.lock().remove(name)?;
        lives(since, now).then_some(state)
    }
}

fn lives(since: UtcMillis, now: UtcMillis) -> bool {
    now.0.saturating_sub(since.0) < LIFE_MS
}

/// Drops what has ended, and should that not do, the older half.
fn make_room<T>(all: &mut HashMap<String, (UtcMillis, T)>, now: UtcMillis) {
    all.retain(|_, (since, _)| lives(*since, now));
    if all.len() >= CEREMONIES_MAX {
        let mut ages: Vec<_> = all.values().map(|(since, _)| *since).collect();
        ages.sort_unstable();
        let border = ages[ages.len() / 2];
        all.retain(|_, (since, _)| *since > border);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_taken_once_and_lives_for_five_minutes() {
        let ceremonies = Ceremonies::default();
        let name = ceremonies.begin("a", UtcMillis(0)).unwrap();
        assert_eq!(ceremonies.take("x", UtcMillis(0)), None);
        assert_eq!(ceremonies.take(&name, UtcMillis(LIFE_MS - 1)), Some("a"));
        assert_eq!(ceremonies.take(&name, UtcMillis(LIFE_MS - 1)), None);
        let late = ceremonies.begin("b", UtcMillis(0)).unwrap();
        assert_eq!(ceremonies.take(&late, UtcMillis(LIFE_MS)), None);
        assert_eq!(ceremonies.take(&late, UtcMillis(0)), None, "trying late has used it up");
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let ceremonies = Ceremonies::default();
        let names: Vec<_> =
            (0..5_000).map(|n| ceremonies.begin(n, UtcMillis(i64::from(n))).unwrap()).collect();
        assert!(ceremonies.lock().len() <= CEREMONIES_MAX);
        assert_eq!(ceremonies.take(&names[4_999], UtcMillis(5_000)), Some(4_999));
    }
}
