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
        let ends = days
            .filter(|dated| !dated.day.is_outside())
            .filter_map(|dated| Some((dated, dated.day.cut_night?)));
        let minutes: Vec<u16> = ends.filter_map(|(dated, end)| ends_after(dated, end)).collect();
        let later =
            minutes.iter().max().map(|last| keeping(*last)).filter(|_| minutes.len() >= NIGHTS_MIN)?;
        let now = day_time::text(u16::try_from(boundary_minutes).unwrap_or(DAY_BEGINS_MAX));
        let values = [("n", &*minutes.len().to_string()), ("time", &now), ("later", &day_time::text(later))];
        let may = c.may(Action::SettingsChange);
        Some(Self {
            text: c.words().with("month-nights-cut", &values),
            href: if may { "/settings#s-day" } else { "" },
        })
    }
}

/// Minutes after the midnight of a night at which it ended; `None` where the latest boundary that may be chosen cuts it, too.
fn ends_after(dated: &Dated, end: UtcMillis) -> Option<u16> {
    let minutes = u16::try_from(end.0.saturating_sub(dated.borders.to.0).div_euclid(60_000)).ok()?;
    (minutes < DAY_BEGINS_MAX).then_some(minutes)
}

/// The full hour after the end of a night.
fn keeping(minutes: u16) -> u16 {
    (minutes / 60 + 1) * 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_that_is_named_lies_behind_the_night() {
        for (end, later) in [(300, 360), (359, 360), (360, 420), (719, DAY_BEGINS_MAX)] {
            assert_eq!(keeping(end), later, "{end}");
        }
    }
}
