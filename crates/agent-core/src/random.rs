//! Jitter from a seed: the core draws no random number of its own.

/// SplitMix64 (Steele, Lea, Flood 2014): ample for spreading load, useless for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `bound`, both included.
    pub(crate) fn up_to(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.saturating_add(1).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_its_bound_and_fills_it() {
        let mut jitter = Jitter::new(1);
        let drawn: Vec<u64> = (0..1000).map(|_| jitter.up_to(9)).collect();
        assert!(drawn.iter().all(|n| *n <= 9));
        assert!((0..=9).all(|n| drawn.contains(&n)));
        assert_eq!(jitter.up_to(0), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut a, mut b) = (Jitter::new(7), Jitter::new(7));
        assert!((0..100).all(|_| a.up_to(1_000_000) == b.up_to(1_000_000)));
    }

    /// The first numbers of the published generator (<https://prng.di.unimi.it/splitmix64.c>) for this seed: what
    /// is known of its evenness holds for no other one.
    #[test]
    fn the_numbers_are_splitmix64s() {
        let mut jitter = Jitter::new(1_234_567);
        let drawn: Vec<u64> = (0..4).map(|_| jitter.up_to(u64::MAX)).collect();
        let published: [u64; 4] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
        ];
        assert_eq!(drawn, published);
    }
}
