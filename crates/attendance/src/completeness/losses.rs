//! The numbers that a terminal has declared, to be asked about many times.
//!
//! A declaration explains missing numbers only if it names all of them; two that do so together explain nothing, as
//! nobody can say why the agent would have cut them apart.

/// Declared ranges of numbers.
#[derive(Debug, Clone, Default)]
pub struct DeclaredLosses {
    /// By first number; beside it the highest last number of this range and of all before it.
    by_first: Vec<(u64, u64)>,
}

impl DeclaredLosses {
    /// Whether one declaration names all numbers from `first` to `last`.
    #[must_use]
    pub fn cover(&self, first: u64, last: u64) -> bool {
        let begun = self.by_first.partition_point(|(from, _)| *from <= first);
        begun.checked_sub(1).is_some_and(|index| last <= self.by_first[index].1)
    }
}

impl FromIterator<(u64, u64)> for DeclaredLosses {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(ranges: I) -> Self {
        let mut by_first: Vec<(u64, u64)> = ranges.into_iter().collect();
        by_first.sort_unstable();
        let mut highest = 0;
        for (_, last) in &mut by_first {
            highest = highest.max(*last);
            *last = highest;
        }
        Self { by_first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_declaration_must_name_all_numbers() {
        let declared: DeclaredLosses = [(8, 9), (3, 3), (2, 6)].into_iter().collect();
        for (first, last) in [(2, 6), (3, 3), (4, 6), (8, 8), (8, 9)] {
            assert!(declared.cover(first, last), "{first}-{last}");
        }
        for (first, last) in [(1, 2), (1, 1), (6, 7), (3, 8), (7, 7), (9, 10)] {
            assert!(!declared.cover(first, last), "{first}-{last}");
        }
        assert!(!DeclaredLosses::default().cover(1, 1));
    }
}
