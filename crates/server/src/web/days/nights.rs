//! That the day boundary cuts the nights of a month: one line above it, for those who read it for others.
//!
//! A boundary of 5:00 cuts each night of somebody who works until 6:00: the evening goes on, the morning is of the day after, and the
//! hours lie on two days. A later one keeps such nights whole, each on the day on which it began, and changes no day without a
//! night. Whoever may change it is led there.

use mngntime_model::UtcMillis;

use super::super::chrome::Chrome;
use super::super::day_time;
use super::super::settings::DAY_BEGINS_MAX;
use crate::access::Action;
use crate::person_days::Dated;

/// So many nights are no accident: less than one a week may be an evening that grew long.
const NIGHTS_MIN: usize = 3;

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutNights {
    /// What it says.
    pub text: String,
    /// Address of the setting; empty for those who may not change it.
    pub href: &'static str,
}

impl CutNights {
    /// Of these days; `None` where there are few of such nights, or none that any boundary would keep whole.
    pub fn of<'a>(days: impl Iterator<Item = &'a Dated>, boundary_minutes: u32, c: &Chrome) -> Option<Self> {
        let theirs = days.filter(|dated| !dated.day.is_outside());
        let ends = theirs.filter_map(|dated| ends_after(dated, dated.day.cut_night?)).collect();
        let (nights, later) = keeping(ends)?;
        let now = day_time::text(u16::try_from(boundary_minutes).unwrap_or(DAY_BEGINS_MAX));
        let values = [("n", &*nights.to_string()), ("time", &now), ("later", &day_time::text(later))];
        let text = c.words().with("month-nights-cut", &values);
        Some(Self { text, href: if c.may(Action::SettingsChange) { "/settings#s-day" } else { "" } })
    }
}

/// Minutes after the midnight of a night at which it ended; `None` where the latest boundary that may be chosen cuts it, too.
fn ends_after(dated: &Dated, end: UtcMillis) -> Option<u16> {
    let minutes = u16::try_from(end.0.saturating_sub(dated.borders.to.0).div_euclid(60_000)).ok()?;
    (minutes < DAY_BEGINS_MAX).then_some(minutes)
}

/// How many of the nights that end at these minutes the boundary keeps whole that is named, and which: the first full hour behind nine
/// nights of ten. A single one that grew long moves nobody's days.
fn keeping(mut ends: Vec<u16>) -> Option<(usize, u16)> {
    ends.sort_unstable();
    let last = ends.get((ends.len() * 9).div_ceil(10).checked_sub(1)?)?;
    let later = (last / 60 + 1) * 60;
    let nights = ends.iter().filter(|end| **end < later).count();
    (nights >= NIGHTS_MIN).then_some((nights, later))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_that_is_named_lies_behind_the_nights_it_keeps() {
        for (end, later) in [(300, 360), (359, 360), (360, 420), (719, DAY_BEGINS_MAX)] {
            assert_eq!(keeping(vec![end; 3]), Some((3, later)), "{end}");
        }
    }

    #[test]
    fn few_nights_are_none_and_a_single_long_one_moves_nothing() {
        assert_eq!((keeping(vec![]), keeping(vec![360; 2])), (None, None));
        assert_eq!(keeping([vec![500], vec![360; 10]].concat()), Some((10, 420)));
        assert_eq!(keeping([vec![500; 2], vec![360; 10]].concat()), Some((12, 540)));
    }
}
