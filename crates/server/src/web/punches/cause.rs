//! Why nobody gets a punch (res=7) although its account is known, and where that is mended.
//!
//! What stands in the way is a matter of dates: of the account's links, and of their employees. Both are named, and the
//! way leads to the form that mends it, with a period filled in that contradicts no other link.

use jiff::civil::Date;
use mngntime_store::giving_way::{self, Rest};
use mngntime_store::{AccountId, EmployeeId, LinkInFull};

use super::super::accounts::period;
use super::super::chrome::Chrome;
use crate::access::Action;

/// Why nobody gets a punch of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'a> {
    /// The account is linked to nobody on any date near it.
    Unlinked,
    /// It is linked to somebody who had left: their last date.
    Left(&'a LinkInFull, Date),
    /// It is linked to somebody who had not come yet: their first date.
    NotYet(&'a LinkInFull, Date),
    /// Its last link before that had ended: the last date.
    Ended(&'a LinkInFull, Date),
    /// Its first link begins later.
    Later(&'a LinkInFull),
}

/// Why nobody gets a punch of `date` with these links, which do not overlap and stand by date.
#[must_use]
pub fn cause(date: Date, links: &[LinkInFull]) -> Cause<'_> {
    let covers = |full: &&LinkInFull| full.link.from <= date && full.link.to.is_none_or(|to| date <= to);
    if let Some(full) = links.iter().find(covers) {
        return match (full.employed_from, full.employed_to) {
            (_, Some(last)) if last < date => Cause::Left(full, last),
            (Some(first), _) if date < first => Cause::NotYet(full, first),
            _ => Cause::Unlinked,
        };
    }
    let ended = |full: &LinkInFull| full.link.to.filter(|to| *to < date);
    match links.iter().rev().find_map(|full| Some((full, ended(full)?))) {
        Some((full, last)) => Cause::Ended(full, last),
        None => links.first().map_or(Cause::Unlinked, Cause::Later),
    }
}

/// From when to when somebody else can have the account around `date`, without contradicting a link of other dates.
#[must_use]
pub fn free(date: Date, links: &[LinkInFull]) -> (Date, Option<Date>) {
    let after = |last: Date| last.tomorrow().unwrap_or(date);
    let before = |first: Date| first.yesterday().ok();
    let next = links.iter().map(|full| full.link.from).filter(|from| date < *from).min().and_then(before);
    match cause(date, links) {
        Cause::Unlinked => (date, next),
        Cause::Left(full, last) => (after(last).max(full.link.from), next),
        Cause::Ended(_, last) => (after(last), next),
        Cause::NotYet(full, first) => (full.link.from, before(first).into_iter().chain(next).min()),
        Cause::Later(full) => (date, before(full.link.from)),
    }
}

/// Whether a link holds on some of the dates.
#[must_use]
pub fn overlaps(full: &LinkInFull, dates: (Date, Option<Date>)) -> bool {
    giving_way::overlaps((full.link.from, full.link.to), dates)
}

/// The link of somebody who is employed on none of these dates, and what stays of it when somebody else has the account on
/// them; nothing where another link stands in the way. The store has it give way when the new one is made.
#[must_use]
pub fn gives_way(links: &[LinkInFull], dates: (Date, Option<Date>)) -> Option<(&LinkInFull, Rest)> {
    let mut overlapping = links.iter().filter(|full| overlaps(full, dates));
    let one = overlapping.next().filter(|_| overlapping.next().is_none())?;
    Some((one, giving_way::rest(&one.span(), dates)?))
}

/// What stays of the link of `who`, who is employed on none of the dates, in a sentence.
#[must_use]
pub fn stays(who: &str, rest: Rest, c: &Chrome) -> String {
    let key = match (rest.last, rest.first) {
        (Some(_), None) => "link-stays-before",
        (None, Some(_)) => "link-stays-after",
        (Some(_), Some(_)) => "link-stays-both",
        (None, None) => "link-stays-not",
    };
    let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    c.words().with(key, &[("who", who), ("last", &text(rest.last)), ("first", &text(rest.first))])
}

/// Whether a new link of `employee`, nobody for somebody who is new, holds on these dates without a change of another: nobody
/// stands in the way, or only somebody else who is not employed then.
#[must_use]
pub fn is_free(employee: Option<EmployeeId>, dates: (Date, Option<Date>), links: &[LinkInFull]) -> bool {
    let is_other = |full: &LinkInFull| employee != Some(full.link.employee);
    !links.iter().any(|full| overlaps(full, dates))
        || gives_way(links, dates).is_some_and(|(full, _)| is_other(full))
}

/// Address of the form that hands an account over, filled in.
#[must_use]
pub fn hand_over(account: AccountId, employee: &str, (from, to): (Date, Option<Date>)) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !employee.is_empty() {
        query.append_pair("employee", employee);
    }
    query.append_pair("from", &from.to_string());
    query.extend_pairs(to.map(|to| ("to", to.to_string())));
    format!("/accounts/{account}?{}#assign", query.finish())
}

/// Somebody, as fields take them.
#[must_use]
pub fn who(full: &LinkInFull) -> String {
    format!("{} {}", full.link.employee_code, full.link.employee_name)
}

impl Cause<'_> {
    /// What to do, naming account, person and dates; nothing where the account simply has to be linked.
    #[must_use]
    pub fn remedy(self, account: &str, date: Date, c: &Chrome) -> Option<String> {
        let (key, full, border) = match self {
            Cause::Unlinked => return None,
            Cause::Left(full, last) => ("remedy-7-left", full, last),
            Cause::NotYet(full, first) => ("remedy-7-not-yet", full, first),
            Cause::Ended(full, last) => ("remedy-7-ended", full, last),
            Cause::Later(full) => ("remedy-7-later", full, full.link.from),
        };
        let (who, span) = (who(full), period(full.link.from, full.link.to));
        let values = [
            ("account", account),
            ("who", who.as_str()),
            ("period", span.as_str()),
            ("border", &border.to_string()),
            ("date", &date.to_string()),
        ];
        Some(c.words().with(key, &values))
    }

    /// Why punches of the account wait, in a sentence; empty where it simply has to be linked.
    #[must_use]
    pub fn waits(self, c: &Chrome) -> String {
        let date = |key, date: Date| c.v(key, "date", date.to_string());
        match self {
            Cause::Unlinked => String::new(),
            Cause::Left(_, last) => date("waits-left", last),
            Cause::NotYet(_, first) => date("waits-not-yet", first),
            Cause::Ended(_, last) => date("waits-ended", last),
            Cause::Later(full) => date("waits-later", full.link.from),
        }
    }

    /// The cause in two or three words, for a row of the list.
    #[must_use]
    pub fn brief(self, c: &Chrome) -> String {
        let date = |key, date: Date| c.v(key, "date", date.to_string());
        match self {
            Cause::Unlinked => String::new(),
            Cause::Left(_, last) => date("cause-left", last),
            Cause::NotYet(_, first) => date("cause-not-yet", first),
            Cause::Ended(_, last) => date("cause-ended", last),
            Cause::Later(full) => date("cause-later", full.link.from),
        }
    }

    /// Address and words of each way out that the person may take, the likeliest first.
    #[must_use]
    pub fn ways(self, account: AccountId, span: (Date, Option<Date>), c: &Chrome) -> Vec<(String, String)> {
        let mut ways = Vec::new();
        let other = (hand_over(account, "", span), c.t("way-hand-over"));
        let same = |full| (hand_over(account, &who(full), span), c.t("way-same"));
        let dates =
            |full: &LinkInFull, field, key| (format!("/employees/{}#{field}", full.link.employee), c.t(key));
        let (links, people) = (c.may(Action::AccountsLink), c.may(Action::EmployeesChange));
        match self {
            Cause::Unlinked => {}
            Cause::Left(full, _) => {
                ways.extend(links.then_some(other));
                ways.extend(people.then(|| dates(full, "a-to", "way-last-day")));
            }
            Cause::NotYet(full, _) => {
                ways.extend(people.then(|| dates(full, "a-from", "way-first-day")));
                ways.extend(links.then_some(other));
            }
            Cause::Ended(full, _) | Cause::Later(full) => {
                ways.extend(links.then(|| same(full)));
                ways.extend(links.then_some(other));
            }
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use mngntime_model::UtcMillis;
    use mngntime_store::{EmployeeId, Link, LinkId};

    const ID: &str = "00000000-0000-7000-8000-000000000001";

    fn full(from: Date, to: Option<Date>, employed: (Option<Date>, Option<Date>)) -> LinkInFull {
        let link = Link {
            id: LinkId::parse(ID).unwrap(),
            employee: EmployeeId::parse(ID).unwrap(),
            employee_code: "E1".into(),
            employee_name: "小川".into(),
            from,
            to,
            created_at: UtcMillis(0),
            created_by: String::new(),
        };
        LinkInFull { link, employed_from: employed.0, employed_to: employed.1 }
    }

    const APRIL: Date = date(2026, 4, 1);
    const AUGUST: Date = date(2026, 8, 31);
    const OCTOBER: Date = date(2026, 10, 31);
    const DAY: Date = date(2026, 11, 5);

    #[test]
    fn who_has_left_is_told_from_a_link_that_has_ended() {
        let left = [full(APRIL, None, (None, Some(OCTOBER)))];
        assert_eq!(cause(DAY, &left), Cause::Left(&left[0], OCTOBER));
        assert_eq!(free(DAY, &left), (date(2026, 11, 1), None), "from the day after the last one");
        let ended = [full(APRIL, Some(AUGUST), (None, None)), full(date(2026, 12, 1), None, (None, None))];
        assert_eq!(cause(DAY, &ended), Cause::Ended(&ended[0], AUGUST));
        assert_eq!(free(DAY, &ended), (date(2026, 9, 1), Some(date(2026, 11, 30))), "up to the next link");
    }

    #[test]
    fn what_begins_later_and_who_comes_later_are_told_apart() {
        let later = [full(date(2026, 12, 1), None, (None, None))];
        assert_eq!(cause(DAY, &later), Cause::Later(&later[0]));
        assert_eq!(free(DAY, &later), (DAY, Some(date(2026, 11, 30))));
        let first = date(2026, 11, 10);
        let not_yet = [full(APRIL, None, (Some(first), None))];
        assert_eq!(cause(DAY, &not_yet), Cause::NotYet(&not_yet[0], first));
        assert_eq!(free(DAY, &not_yet), (APRIL, Some(date(2026, 11, 9))));
        assert_eq!((cause(DAY, &[]), free(DAY, &[])), (Cause::Unlinked, (DAY, None)));
    }

    #[test]
    fn the_free_period_touches_no_link_but_the_one_that_is_handed_over() {
        let links = [
            full(APRIL, Some(AUGUST), (None, None)),
            full(date(2026, 10, 1), Some(DAY), (None, Some(OCTOBER))),
            full(date(2026, 12, 1), None, (None, None)),
        ];
        assert_eq!(free(date(2026, 9, 15), &links), (date(2026, 9, 1), Some(date(2026, 9, 30))));
        assert_eq!(free(DAY, &links), (date(2026, 11, 1), Some(date(2026, 11, 30))));
    }

    #[test]
    fn only_who_is_not_employed_loses_an_account_without_being_asked_about() {
        let gone = full(APRIL, None, (None, Some(OCTOBER)));
        let after = date(2026, 11, 1);
        let links = [gone.clone()];
        let ends = |last| Rest { last: Some(last), first: None };
        assert_eq!(gives_way(&links, (after, None)), Some((&links[0], ends(OCTOBER))));
        assert!(is_free(None, (after, None), &links));
        assert!(!is_free(EmployeeId::parse(ID), (after, None), &links), "it is the same person");
        assert_eq!(gives_way(&[full(APRIL, None, (None, None))], (after, None)), None, "who is here");
        let next = [gone, full(date(2026, 12, 1), None, (None, None))];
        assert_eq!(gives_way(&next, (after, None)), None, "another one begins within");
        assert!(gives_way(&next, (after, Some(date(2026, 11, 30)))).is_some());
    }

    #[test]
    fn what_is_proposed_for_dates_of_nobody_is_always_free() {
        let (tenth, eleventh) = (date(2026, 11, 10), date(2026, 11, 11));
        let of_one_day = [full(tenth, None, (Some(eleventh), None))];
        assert_eq!(free(tenth, &of_one_day), (tenth, Some(tenth)));
        let given = gives_way(&of_one_day, free(tenth, &of_one_day)).map(|(_, rest)| rest);
        assert_eq!(given, Some(Rest { last: None, first: Some(eleventh) }));
        // Others before and after, and dates of employment beyond those.
        let before_it = [full(APRIL, Some(DAY), (None, None)), full(tenth, None, (None, Some(OCTOBER)))];
        assert_eq!(free(eleventh, &before_it), (tenth, None), "linked after they had left");
        let after_it =
            [full(APRIL, Some(DAY), (Some(date(2026, 12, 1)), None)), full(tenth, None, (None, None))];
        assert_eq!(free(DAY, &after_it), (APRIL, Some(date(2026, 11, 9))), "not on the days of the next");
        for (day, links) in [(eleventh, &before_it), (DAY, &after_it)] {
            assert!(is_free(None, free(day, links), links), "{day}");
        }
    }

    #[test]
    fn the_hand_over_is_filled_in() {
        let account = AccountId::parse(ID).unwrap();
        let address = hand_over(account, "E1 小 川&", (APRIL, Some(AUGUST)));
        assert!(
            address.ends_with("?employee=E1+%E5%B0%8F+%E5%B7%9D%26&from=2026-04-01&to=2026-08-31#assign")
        );
    }
}
