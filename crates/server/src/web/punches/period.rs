//! Periods that have a name and move with the day: 今月 of a search that was saved in November is December in December.
//!
//! An address has the name, and so has a saved search. What people read, and what the audit log keeps of a file, are the
//! dates that it stood for. The form of the list keeps the name while its fields of dates are empty; dates that somebody
//! types there are what they want now, so they take its place ([`settled`]).

use jiff::civil::Date;

use super::super::chrome::Chrome;
use super::super::fields::Fields;
use super::super::texts::Words;

/// A period by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// 今日
    Today,
    /// 昨日
    Yesterday,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last day, those to come included.
    Month,
    /// The month before.
    LastMonth,
}

/// A choice under the fields of dates.
#[derive(Debug, Clone)]
pub struct Quick {
    /// Where it leads: to the period, or, where it is in force, to all dates.
    pub href: String,
    /// Its name, with its dates where it is in force.
    pub text: String,
    /// Whether it is in force.
    pub current: bool,
}

impl Period {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Today, Self::Yesterday, Self::Week, Self::Month, Self::LastMonth];

    /// The name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Yesterday => "yesterday",
            Self::Week => "week",
            Self::Month => "month",
            Self::LastMonth => "last-month",
        }
    }

    /// Key of its words.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Today => "period-today",
            Self::Yesterday => "period-yesterday",
            Self::Week => "period-week",
            Self::Month => "period-month",
            Self::LastMonth => "period-last-month",
        }
    }

    /// The period of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// Its first and its last day, `today`.
    #[must_use]
    pub fn dates(self, today: Date) -> (Date, Date) {
        let before = |date: Date| date.yesterday().unwrap_or(date);
        match self {
            Self::Today => (today, today),
            Self::Yesterday => (before(today), before(today)),
            Self::Week => {
                let since = i64::from(today.weekday().to_monday_zero_offset());
                let days = |days: i64| jiff::Span::new().days(days);
                let monday = today.saturating_sub(days(since));
                (monday, monday.saturating_add(days(6)))
            }
            Self::Month => (today.first_of_month(), today.last_of_month()),
            Self::LastMonth => {
                let last = before(today.first_of_month());
                (last.first_of_month(), last)
            }
        }
    }
}

/// What `fields` say of the period: it, and the text that is none.
pub(super) fn read(fields: &Fields) -> (Option<Period>, Option<&str>) {
    let Some(text) = fields.filled("period") else {
        return (None, None);
    };
    match Period::of_name(text) {
        Some(period) => (Some(period), None),
        None => (None, Some(text)),
    }
}

/// These fields with one period: where there are dates beside its name, the dates.
pub(super) fn settled(fields: Fields) -> Fields {
    let named = Period::of_name(fields.text("period")).is_some();
    let dated = ["from", "to"].iter().any(|name| fields.filled(name).is_some());
    if named && dated { fields.without("period") } else { fields }
}

/// These fields with the dates that their period stands for.
pub(super) fn resolved(fields: &Fields, today: Date) -> Fields {
    let mut pairs = Vec::new();
    for (name, value) in fields.iter() {
        match Period::of_name(value).filter(|_| name == "period") {
            Some(period) => {
                let (from, to) = period.dates(today);
                pairs.push(("from".to_owned(), from.to_string()));
                pairs.push(("to".to_owned(), to.to_string()));
            }
            None => pairs.push((name.clone(), value.clone())),
        }
    }
    Fields::of_pairs(pairs)
}

/// A period with its dates in words.
pub(super) fn in_words(period: Period, dates: &str, words: Words) -> String {
    words.with("period-with-dates", &[("name", &words.t(period.key())), ("dates", dates)])
}

/// The choices; `address` makes that of the list with this instead of its period.
pub(super) fn quick(
    chosen: Option<Period>,
    dates: &str,
    address: impl Fn(&str) -> String,
    c: &Chrome,
) -> Vec<Quick> {
    let one = |period: Period| {
        let current = chosen == Some(period);
        let more = if current { String::new() } else { format!("period={}", period.name()) };
        let text = if current { dates.to_owned() } else { c.t(period.key()) };
        Quick { href: address(&more), text, current }
    };
    Period::ALL.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_name_stands_for_other_dates_on_other_days() {
        let dates = |period: Period, today| {
            let (from, to) = period.dates(today);
            format!("{from} {to}")
        };
        let new_year = date(2027, 1, 1);
        for (period, expected) in [
            (Period::Today, "2027-01-01 2027-01-01"),
            (Period::Yesterday, "2026-12-31 2026-12-31"),
            (Period::Week, "2026-12-28 2027-01-03"),
            (Period::Month, "2027-01-01 2027-01-31"),
            (Period::LastMonth, "2026-12-01 2026-12-31"),
        ] {
            assert_eq!(dates(period, new_year), expected, "{period:?}");
        }
        assert_eq!(
            dates(Period::Week, date(2026, 11, 22)),
            "2026-11-16 2026-11-22",
            "a Sunday ends its week"
        );
        assert_eq!(dates(Period::Week, date(2026, 11, 23)), "2026-11-23 2026-11-29");
        assert_eq!(dates(Period::Month, date(2028, 2, 9)), "2028-02-01 2028-02-29");
        assert_eq!(dates(Period::Yesterday, Date::MIN), "-009999-01-01 -009999-01-01");
    }

    #[test]
    fn dates_that_are_typed_take_the_place_of_a_name() {
        let settled = |query: &str| settled(Fields::parse(query.as_bytes()).unwrap()).query_without(&[]);
        assert_eq!(settled("from=2026-06-01&to=&period=month&errors=1"), "from=2026-06-01&errors=1");
        assert_eq!(settled("period=today&to=2026-06-31"), "to=2026-06-31");
        assert_eq!(
            settled("to=2026-06-30&period=x"),
            "to=2026-06-30&period=x",
            "no period: the page says so"
        );
        assert_eq!(settled("from=&to=&period=month"), "period=month", "the form as it was");
    }

    #[test]
    fn what_is_noted_are_the_dates_that_a_name_stands_for() {
        let fields = Fields::parse(b"errors=1&period=month&kind=logon").unwrap();
        let resolved = resolved(&fields, date(2026, 6, 17)).query_without(&[]);
        assert_eq!(resolved, "errors=1&from=2026-06-01&to=2026-06-30&kind=logon");
        let other = Fields::parse(b"period=x&kind=month").unwrap();
        assert_eq!(self::resolved(&other, date(2026, 6, 17)), other);
    }
}
