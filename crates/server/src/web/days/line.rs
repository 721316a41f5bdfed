//! A day as a line of `/days.csv`, for programs and spreadsheets that calculate with it.
//!
//! A cell under a time holds a time or nothing. A time that is known as a point stands in one column, one that is only known to
//! lie between two points in the two beside it, so that nobody adds up an estimate unawares; what is no time, such as a stay that
//! goes on over midnight, is said in the notes. Times count on after the date's midnight however late they are (`25:30`,
//! `32:31`), which spreadsheets take for durations of that day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use mngntime_attendance::person_day::{Edge, First, Last};
use mngntime_model::UtcMillis;
use mngntime_store::{Employee, Remark};

use super::super::audit::words::person;
use super::super::chrome::Chrome;
use super::super::{day_time, times};
use super::words::{self, Time};
use super::{Home, Opens, total};
use crate::person_days::{Dated, PersonDays};

/// The columns of the file.
pub(super) const COLUMNS: [&str; 17] = [
    "col-code",
    "col-name",
    "col-department",
    "col-date",
    "day-first",
    "days-first-from",
    "days-first-to",
    "days-first-level",
    "day-last",
    "days-last-from",
    "days-last-to",
    "days-last-level",
    "day-active-short",
    "days-res",
    "col-day-state",
    "days-notes",
    "remark",
];

/// What stands beside the days of a person.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Numbers of the errors of punches, by the day that each is of.
    pub(super) errors: BTreeMap<Date, BTreeSet<u8>>,
    /// What the person said about the days.
    pub(super) remarks: Vec<Remark>,
}

/// A first or a last time as cells, with what else is to be said of it.
#[derive(Debug, Default)]
struct Told {
    cells: [String; 4],
    notes: Vec<String>,
}

impl Told {
    fn of(heading: &str, edge: Option<&Edge>, time: Time, midnight: UtcMillis) -> Self {
        let said = || vec![format!("{heading}: {}", time.text)];
        let Some(edge) = edge else {
            return Self { notes: [said(), time.notes].concat(), ..Self::default() };
        };
        match (clock(edge.at, midnight), clock(edge.latest, midnight)) {
            (Some(at), Some(_)) if edge.at == edge.latest => {
                Self { cells: [at, String::new(), String::new(), time.level], notes: time.notes }
            }
            (Some(at), Some(latest)) => {
                Self { cells: [String::new(), at, latest, time.level], notes: time.notes }
            }
            // It may lie before the date: no time of it.
            _ => Self {
                notes: [said(), time.notes].concat(),
                cells: [String::new(), String::new(), String::new(), time.level],
            },
        }
    }
}

/// `25:30`: hours and minutes after the midnight at which the date begins; `None` before it.
fn clock(time: UtcMillis, midnight: UtcMillis) -> Option<String> {
    let minutes = time.0.saturating_sub(midnight.0).div_euclid(60_000);
    (minutes >= 0).then(|| format!("{:02}:{:02}", minutes / 60, minutes % 60))
}

/// First logon and last logoff of a day. Times of days that are not the person's are no cells that somebody may add up.
fn times_of(dated: &Dated, found: &PersonDays, c: &Chrome) -> [Told; 2] {
    let (day, midnight) = (&dated.day, dated.borders.from);
    if let Some(text) = words::told_once(day, c) {
        return [Told { notes: vec![text], ..Told::default() }, Told::default()];
    }
    if !is_theirs(dated) {
        return [Told::default(), Told::default()];
    }
    let host = |edge: &Edge| words::several(day, found, edge);
    // Addresses are no part of the file.
    let told = (c, Opens { home: Home::Own, date: dated.date, whole: false });
    let first = if let First::At { edge, .. } = &day.first { Some(edge) } else { None };
    let last = if let Last::At { edge, .. } = &day.last { Some(edge) } else { None };
    [
        Told::of(&c.t("day-first"), first, words::first(day, midnight, told, &host), midnight),
        Told::of(&c.t("day-last"), last, words::last(day, midnight, told, &host), midnight),
    ]
}

/// Whether the day holds a stay that is the person's.
fn is_theirs(dated: &Dated) -> bool {
    dated.day.silence.is_none() && !dated.day.is_outside()
}

/// The cells of a day, in the order of [`COLUMNS`].
pub(super) fn cells(
    employee: &Employee,
    dated: &Dated,
    found: &PersonDays,
    beside: &Beside,
    c: &Chrome,
) -> Vec<String> {
    let (day, data) = (&dated.day, &employee.data);
    let [first, last] = times_of(dated, found, c);
    let mut notes = [first.notes, last.notes].concat();
    notes.extend(Some(words::silence(day, c)).filter(|text| !text.is_empty()));
    notes.extend(day.has_punches_outside().then(|| c.t("day-outside-punches")));
    notes.extend((!found.whole).then(|| c.t("days-cut")));
    let department = data.department.clone().unwrap_or_default();
    [
        vec![data.code.clone(), data.name.clone(), department, dated.date.to_string()],
        first.cells.to_vec(),
        last.cells.to_vec(),
        vec![
            total::listed(day),
            errors(dated, beside),
            words::state(day, c).1,
            notes.join(" "),
            remarks(dated.date, beside, c),
        ],
    ]
    .concat()
}

/// The numbers of a day's errors. What is recorded outside of the employment is nobody's, and so among no person's punches; those of
/// a night are on its evening, as on the page.
fn errors(dated: &Dated, beside: &Beside) -> String {
    let outside = dated.day.has_punches_outside().then_some(7);
    let all = beside.errors.get(&dated.date).into_iter().flatten().copied().chain(outside);
    let all: BTreeSet<u8> = all.collect();
    all.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// What the person said about a date, the withdrawn ones too, each with what became of it.
fn remarks(date: Date, beside: &Beside, c: &Chrome) -> String {
    let of_date = beside.remarks.iter().filter(|remark| remark.data.date == date);
    of_date.map(|remark| told(remark, c)).collect::<Vec<_>>().join(" / ")
}

fn told(remark: &Remark, c: &Chrome) -> String {
    let data = &remark.data;
    let done = |key: &str, at: UtcMillis, by: &str| {
        c.words().with(key, &[("time", &times::full(at)), ("who", &person(by, c))])
    };
    let mut state = vec![done("remark-made-by", remark.made_at, &remark.made_by)];
    state.extend(remark.withdrawn_at.map(|at| c.v("remark-withdrawn-at", "time", times::full(at))));
    match &remark.read {
        Some(read) => {
            state.push(done("remark-read-at", read.at, &read.by));
            state.extend(
                read.answer.iter().map(|answer| format!("{}: {}", c.t("remark-answer"), line(answer))),
            );
        }
        None if remark.withdrawn_at.is_none() => state.push(c.t("remarks-open")),
        None => {}
    }
    let interval = format!("{}〜{}", day_time::text(data.from_minutes), day_time::text(data.to_minutes));
    format!("{interval} {} [{}]", line(&data.text), state.join("; "))
}

/// A text that somebody typed, in one line.
fn line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_attendance::person_day::{EventId, Level};
    use mngntime_model::{Evidence, TerminalId};

    const MIDNIGHT: UtcMillis = UtcMillis(1_781_622_000_000);

    fn told(from: i64, to: i64) -> Told {
        let at = |seconds: i64| MIDNIGHT.plus(seconds * 1_000);
        let event = EventId { terminal: TerminalId::from_random([1; 16]), sequence: 1 };
        let (level, evidence) = (Level::Estimated, Evidence::Inferred);
        let edge = Edge { at: at(from), latest: at(to), level, evidence, event };
        let time = Time { text: "in words".into(), level: "推定".into(), ..Time::default() };
        Told::of("最後", Some(&edge), time, MIDNIGHT)
    }

    #[test]
    fn a_point_has_one_cell_a_range_two_and_what_is_no_time_of_the_date_none() {
        assert_eq!(told(9 * 3_600, 9 * 3_600).cells, ["09:00", "", "", "推定"]);
        assert_eq!(told(9 * 3_600, 9 * 3_600 + 5).cells, ["", "09:00", "09:00", "推定"]);
        let late = told(32 * 3_600 + 31 * 60, 50 * 3_600);
        assert_eq!((late.cells, late.notes.len()), (["", "32:31", "50:00", "推定"].map(str::to_owned), 0));
        let before = told(-60, 60);
        assert_eq!(
            (before.cells, before.notes),
            (["", "", "", "推定"].map(str::to_owned), vec!["最後: in words".to_owned()])
        );
    }
}
