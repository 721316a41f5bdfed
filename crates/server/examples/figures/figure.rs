//! One figure: what was measured, beside what, and whether that is good enough.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// So many times the reference, at least.
    TimesAtLeast(f64),
    /// So many times the reference, at most.
    TimesAtMost(f64),
    /// So much, at least.
    AtLeast(f64),
    /// So much, at most.
    AtMost(f64),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimesAtLeast(times) => write!(f, "≥ {times} ×"),
            Self::TimesAtMost(times) => write!(f, "≤ {times} ×"),
            Self::AtLeast(value) => write!(f, "≥ {}", number(*value)),
            Self::AtMost(value) => write!(f, "≤ {}", number(*value)),
        }
    }
}

/// A figure of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// The row it belongs to, as `--only` calls it.
    #[serde(default)]
    pub row: String,
    /// What it is called.
    pub name: String,
    /// The median of all runs; absent when it was not measured.
    pub value: Option<f64>,
    /// Of what.
    pub unit: String,
    /// The least and the most of all runs.
    pub range: Option<(f64, f64)>,
    /// The same of what anyone would reach for instead.
    pub reference: Option<f64>,
    /// What that is.
    pub reference_name: Option<String>,
    /// The figure by its reference.
    pub ratio: Option<f64>,
    /// What it should be.
    pub goal: Option<String>,
    /// The same, while it is made.
    #[serde(skip)]
    wanted: Option<Goal>,
    /// Whether it is; absent without a goal or a value.
    pub met: Option<bool>,
    /// What must be known to read it, or why it was not measured.
    pub note: Option<String>,
    /// Where and when it was measured.
    #[serde(default)]
    pub machine: String,
    /// The machine's load average before, of one and of five minutes: what else it had to do.
    #[serde(default)]
    pub load_before: String,
}

impl Figure {
    /// The median of these runs.
    pub fn of(name: impl Into<String>, unit: &str, runs: &[f64]) -> Self {
        let mut figure = Self::not_measured(name, unit, "");
        figure.note = None;
        figure.value = median(runs);
        let least = runs.iter().copied().min_by(f64::total_cmp);
        figure.range = least.zip(runs.iter().copied().max_by(f64::total_cmp)).filter(|_| runs.len() > 1);
        figure
    }

    /// A row without a figure, and why.
    pub fn not_measured(name: impl Into<String>, unit: &str, why: impl Into<String>) -> Self {
        Self {
            row: String::new(),
            name: name.into(),
            value: None,
            unit: unit.to_owned(),
            range: None,
            reference: None,
            reference_name: None,
            ratio: None,
            goal: None,
            wanted: None,
            met: None,
            note: Some(format!("not measured: {}", why.into())),
            machine: String::new(),
            load_before: String::new(),
        }
    }

    /// Beside the median of the reference's runs.
    #[must_use]
    pub fn beside(mut self, name: impl Into<String>, runs: &[f64]) -> Self {
        self.reference = median(runs);
        self.reference_name = Some(name.into());
        self.ratio = ratio(self.value, self.reference);
        self.judged()
    }

    /// With a goal.
    #[must_use]
    pub fn with_goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal.to_string());
        self.wanted = Some(goal);
        self.judged()
    }

    /// With something that must be known.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        let before = self.note.take().map_or_else(String::new, |note| format!("{note}; "));
        self.note = Some(before + &note.into());
        self
    }

    fn judged(mut self) -> Self {
        self.met = match self.wanted {
            None => None,
            Some(Goal::TimesAtLeast(times)) => self.ratio.map(|ratio| ratio >= times),
            Some(Goal::TimesAtMost(times)) => self.ratio.map(|ratio| ratio <= times),
            Some(Goal::AtLeast(least)) => self.value.map(|value| value >= least),
            Some(Goal::AtMost(most)) => self.value.map(|value| value <= most),
        };
        self
    }
}

/// The middle of the runs; of an even number, the mean of the two in the middle.
pub fn median(runs: &[f64]) -> Option<f64> {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len().is_multiple_of(2) { Some((sorted.get(middle - 1)? + upper) / 2.0) } else { Some(*upper) }
}

/// `None` when one is missing, or the reference is nothing.
pub fn ratio(value: Option<f64>, reference: Option<f64>) -> Option<f64> {
    value
        .zip(reference)
        .filter(|(_, reference)| *reference != 0.0)
        .map(|(value, reference)| value / reference)
}

/// As people write it: three digits that count, or all of a large number.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let digits = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_goal_is_met_at_its_border_and_not_beyond() {
        let times =
            |value: f64, goal| Figure::of("x", "rows/s", &[value]).with_goal(goal).beside("y", &[10.0]).met;
        assert_eq!(times(12.0, Goal::TimesAtLeast(1.2)), Some(true));
        assert_eq!(times(11.9, Goal::TimesAtLeast(1.2)), Some(false));
        assert_eq!(times(15.0, Goal::TimesAtMost(1.5)), Some(true));
        assert_eq!(times(15.1, Goal::TimesAtMost(1.5)), Some(false));
        let alone = |value: f64, goal| Figure::of("x", "ms", &[value]).with_goal(goal).met;
        assert_eq!(alone(10.0, Goal::AtMost(10.0)), Some(true));
        assert_eq!(alone(10.1, Goal::AtMost(10.0)), Some(false));
        assert_eq!(alone(9.9, Goal::AtLeast(10.0)), Some(false));
    }

    #[test]
    fn without_a_value_or_a_reference_nothing_is_met_and_nothing_missed() {
        assert_eq!(Figure::of("x", "ms", &[]).with_goal(Goal::AtMost(1.0)).met, None);
        let without = Figure::of("x", "rows/s", &[1.0]).with_goal(Goal::TimesAtLeast(1.0));
        assert_eq!((without.met, without.ratio), (None, None));
        assert_eq!(ratio(Some(1.0), Some(0.0)), None);
        let missing = Figure::not_measured("x", "ms", "it takes hours").with_goal(Goal::AtMost(1.0));
        assert_eq!(missing.met, None);
        assert_eq!(missing.note.unwrap(), "not measured: it takes hours");
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        let written = [0.0, 0.1234, 1.234, 12.34, 123.4, 16_667.0].map(number);
        assert_eq!(written, ["0", "0.123", "1.23", "12.3", "123", "16667"]);
        assert_eq!(Goal::TimesAtLeast(1.2).to_string(), "≥ 1.2 ×");
    }
}
