//! Whose link makes room for that of somebody else, without being asked about. Pure.
//!
//! A link of an account gives way on dates on which its employee is not employed: they had left, or have not come yet. Nobody
//! loses a punch by it, so a new link of such dates is taken wherever links are made: by the form, and by a file. What is left
//! of the old link before and after stays. Whatever takes something from somebody who is employed is a dated change
//! ([`crate::Changes`]), which shows first what it takes.

use jiff::civil::Date;

use crate::judge::LinkSpan;

/// What stays of a link that has given way; neither: the link holds on no date any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    /// Its last date, where it began before the new link.
    pub last: Option<Date>,
    /// The first date on which it holds again, where its employee is employed after the new link.
    pub first: Option<Date>,
}

/// Whether a link holds on some of the dates, from the first to the last or on.
#[must_use]
pub fn overlaps((first, last): (Date, Option<Date>), (from, to): (Date, Option<Date>)) -> bool {
    to.is_none_or(|to| first <= to) && last.is_none_or(|last| from <= last)
}

/// What stays of `link` when somebody else has its account on these dates, some of which are its own; nothing where its
/// employee is employed on any of those.
#[must_use]
pub fn rest(link: &LinkSpan, (from, to): (Date, Option<Date>)) -> Option<Rest> {
    let (first, last) = (from.max(link.from), to.into_iter().chain(link.to).min());
    let had_left = link.employed_to.is_some_and(|left| left < first);
    let comes_later = link.employed_from.zip(last).is_some_and(|(comes, last)| last < comes);
    if !had_left && !comes_later {
        return None;
    }
    let after = to.and_then(|to| to.tomorrow().ok());
    let counts = |after: &Date| {
        link.to.is_none_or(|last| *after <= last) && link.employed_to.is_none_or(|left| *after <= left)
    };
    let before = from.yesterday().ok().filter(|before| link.from <= *before);
    Some(Rest { last: before, first: after.filter(counts) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EmployeeId;
    use jiff::civil::date;

    fn day(day: i8) -> Date {
        date(2026, 11, day)
    }

    fn link(dates: (i8, Option<i8>), employed: (Option<i8>, Option<i8>)) -> LinkSpan {
        LinkSpan {
            employee: EmployeeId(uuid::Uuid::nil()),
            from: day(dates.0),
            to: dates.1.map(day),
            employed_from: employed.0.map(day),
            employed_to: employed.1.map(day),
        }
    }

    fn asked(link: &LinkSpan, from: i8, to: Option<i8>) -> Option<(Option<Date>, Option<Date>)> {
        rest(link, (day(from), to.map(day))).map(|rest| (rest.last, rest.first))
    }

    #[test]
    fn who_has_left_keeps_the_dates_before_and_gets_none_back() {
        let left = link((1, None), (None, Some(10)));
        assert_eq!(asked(&left, 11, None), Some((Some(day(10)), None)));
        assert_eq!(asked(&left, 15, Some(20)), Some((Some(day(14)), None)), "nothing counts after it");
        assert_eq!(asked(&left, 10, None), None, "their last day is theirs");
        // Linked after they had left: nothing of it ever held.
        assert_eq!(asked(&link((12, None), (None, Some(10))), 12, None), Some((None, None)));
        assert_eq!(asked(&link((12, None), (None, Some(10))), 5, None), Some((None, None)));
    }

    #[test]
    fn who_comes_later_has_the_account_from_the_day_after() {
        let comes = link((10, None), (Some(11), None));
        assert_eq!(asked(&comes, 10, Some(10)), Some((None, Some(day(11)))), "of a single day");
        assert_eq!(asked(&comes, 10, Some(11)), None, "their first day is theirs");
        assert_eq!(asked(&comes, 10, None), None, "and so is every one after it");
        let long = link((1, Some(25)), (Some(20), None));
        assert_eq!(asked(&long, 5, Some(12)), Some((Some(day(4)), Some(day(13)))));
        let short = link((1, Some(5)), (Some(20), None));
        assert_eq!(asked(&short, 1, Some(19)), Some((None, None)), "none of its dates was worth anything");
        assert_eq!(asked(&short, 1, None), Some((None, None)));
    }

    #[test]
    fn who_is_here_gives_nothing() {
        let here = link((1, None), (None, None));
        assert_eq!((asked(&here, 1, Some(1)), asked(&here, 11, None)), (None, None));
    }
}
