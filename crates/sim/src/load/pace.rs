//! When each request is to be sent.

use std::time::Duration;

use crate::random::Chance;

/// Planned times, from the begin of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pace {
    /// None: each connection sends the next one when the last one is answered.
    AsAnswered,
    /// At equal distances.
    Steady {
        /// So many a second.
        per_second: f64,
    },
    /// Each at its own, in order.
    Spread(Vec<Duration>),
}

impl Pace {
    /// `count` moments within `length`, all equally likely.
    pub(super) fn spread(count: usize, length: Duration, chance: &mut Chance) -> Self {
        // 53 bits are as fine as a float's fraction is.
        let share = |chance: &mut Chance| (chance.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut moments: Vec<_> = (0..count).map(|_| length.mul_f64(share(chance))).collect();
        moments.sort_unstable();
        Self::Spread(moments)
    }

    /// The planned time of request `index`; `None` when there is no plan for it.
    pub(super) fn planned(&self, index: usize) -> Option<Duration> {
        match self {
            Self::AsAnswered => None,
            Self::Steady { per_second } => Some(Duration::from_secs_f64(index as f64 / per_second)),
            Self::Spread(moments) => moments.get(index).copied(),
        }
    }

    /// Requests a second over the whole, when there is a plan.
    pub(super) fn per_second(&self) -> Option<f64> {
        match self {
            Self::AsAnswered => None,
            Self::Steady { per_second } => Some(*per_second),
            Self::Spread(moments) => {
                moments.last().map(|last| moments.len() as f64 / last.as_secs_f64().max(f64::EPSILON))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_pace_keeps_its_distance_and_does_not_drift() {
        let pace = Pace::Steady { per_second: 16_667.0 };
        assert_eq!(pace.planned(0), Some(Duration::ZERO));
        let at_the_end = pace.planned(60_000_000).unwrap();
        let hour = Duration::from_secs(3600);
        assert!(at_the_end.abs_diff(hour) < Duration::from_millis(100), "{at_the_end:?}");
        assert_eq!(Pace::AsAnswered.planned(5), None);
    }

    #[test]
    fn a_herd_comes_within_its_time_in_order_and_everywhere_in_it() {
        let length = Duration::from_secs(30);
        let Pace::Spread(moments) = Pace::spread(3_000, length, &mut Chance::new(1, 2)) else { panic!() };
        assert!(moments.is_sorted() && moments.iter().all(|moment| *moment < length));
        for second in 0..30 {
            let within = moments.iter().filter(|moment| moment.as_secs() == second).count();
            assert!((50..150).contains(&within), "{within} in second {second}");
        }
        let again = Pace::spread(3_000, length, &mut Chance::new(1, 2));
        assert_eq!(again, Pace::Spread(moments), "the same seed, the same moments");
        assert_eq!(again.planned(3_000), None);
        assert!((again.per_second().unwrap() - 100.0).abs() < 1.0);
    }
}
