//! What the days of a month come to, below them: days and the time logged on. It is no working time, and says so.
//!
//! The time is the sum of what the days show, minute by minute ([`minutes_of`]): whoever adds up the column of the page or of the
//! file gets it. How a length becomes minutes is the rule of `person_day` (`minutes`).

use mngntime_attendance::completeness::State;
use mngntime_attendance::person_day::{First, Last, Level, PersonDay};

use mngntime_model::UtcMillis;

use super::words;
use crate::person_days::Dated;

/// The days of a month, summed up. Days that are recorded outside of the employment are nobody's and count nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// Days with a first logon, or on which a stay of before goes on.
    pub recorded: usize,
    /// Of these those without a logon: a stay of before goes on.
    pub continued: usize,
    /// How long a session was in a state to be used: each minute on one day.
    pub active: String,
    /// Of the days those whose first or last time is an estimate.
    pub estimated: usize,
    /// Of the days those of which a part is unknown.
    pub unknown: usize,
}

impl Total {
    /// Of these days, as far as they have begun.
    pub fn of<'a>(days: impl Iterator<Item = &'a Dated>, now: UtcMillis) -> Self {
        let (mut total, mut minutes) = (Self::default(), 0_i64);
        for dated in days.filter(|dated| dated.borders.from <= now && !dated.day.is_outside()) {
            let day = &dated.day;
            minutes = minutes.saturating_add(minutes_of(day).unwrap_or(0));
            if day.has_a_beginning() {
                total.recorded += 1;
                total.continued += usize::from(matches!(day.first, First::Continued { .. }));
                total.estimated += usize::from(is_estimated(day));
                total.unknown += usize::from(day.state == State::Unknown);
            }
        }
        Self { active: words::duration(minutes), ..total }
    }
}

/// The minutes that a day shows, in each page and file; `None` where it shows none. Where there is no stay, or one of the evening
/// before, 0:00 would say more than the record does; what is recorded outside of the employment is nobody's.
#[must_use]
pub fn minutes_of(day: &PersonDay) -> Option<i64> {
    let shown = day.silence.is_none() && !day.is_outside() && !day.has_no_times();
    shown.then(|| day.active_minutes())
}

/// The same for a list of days, in which a day on which no session was in use has no number.
#[must_use]
pub fn listed(day: &PersonDay) -> String {
    minutes_of(day).filter(|_| day.active_ms > 0).map(words::duration).unwrap_or_default()
}

fn is_estimated(day: &PersonDay) -> bool {
    let first = matches!(day.first, First::At { edge, .. } if edge.level == Level::Estimated);
    first || matches!(day.last, Last::At { edge, .. } if edge.level == Level::Estimated)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use mngntime_attendance::person_day::{Employment, Record, Silence, Whose};
    use proptest::prelude::*;

    use super::*;
    use crate::person_days::borders;

    const NOW: UtcMillis = UtcMillis(1_790_000_000_000);

    /// A day of so many milliseconds; every fifth or so is none of the person's.
    fn days() -> impl Strategy<Value = Vec<Dated>> {
        let silence = prop_oneof![9 => Just(None), 1 => Just(Some(Silence::Watched))];
        let recorded = prop_oneof![9 => Just(Employment::During), 1 => Just(Employment::After)];
        let first = prop_oneof![9 => Just(First::Continued { since: None }), 1 => Just(First::None)];
        let day = (0_i64..60_000_000, silence, recorded, first).prop_map(
            |(active_ms, silence, recorded, first)| {
                let (date, none) = (date(2026, 6, 16), Record::of(&[], &[], NOW));
                let borders = borders(date, 300).unwrap();
                let day = none.day(borders, Whose::always(&[]));
                Dated { date, borders, day: PersonDay { active_ms, silence, recorded, first, ..day } }
            },
        );
        proptest::collection::vec(day, 0..31)
    }

    /// The minutes that a page shows.
    fn read(text: &str) -> i64 {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()
    }

    proptest! {
        #[test]
        fn the_days_that_are_shown_add_up_to_the_total(days in days()) {
            let shown = days.iter().map(|dated| listed(&dated.day)).filter(|text| !text.is_empty());
            let sum: i64 = shown.map(|text| read(&text)).sum();
            prop_assert_eq!(sum, read(&Total::of(days.iter(), NOW).active));
        }
    }

    #[test]
    fn a_day_without_a_logon_is_counted_and_told_apart() {
        let total = |first| {
            let (date, none) = (date(2026, 6, 16), Record::of(&[], &[], NOW));
            let borders = borders(date, 300).unwrap();
            let day = PersonDay { silence: None, first, ..none.day(borders, Whose::always(&[])) };
            let total = Total::of([Dated { date, borders, day }].iter(), NOW);
            (total.recorded, total.continued)
        };
        assert_eq!(total(First::Continued { since: None }), (1, 1));
        assert_eq!(total(First::None), (0, 0));
    }
}
