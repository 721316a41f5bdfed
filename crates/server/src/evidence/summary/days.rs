//! The days of one employee, date by date: first logon, last logoff, and what is known of each PC.
//!
//! Every date of the period stands there. A date of which the record says nothing says so in words: a hole in a list
//! would be read as a day without work.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use mngntime_attendance::completeness::{DAYS_MAX, Why};
use mngntime_evidence::format::Day;
use mngntime_model::UtcMillis;
use mngntime_store::{RetiredMonth, local_date};

use super::super::record::{Request, Written};
use super::paper::{Cell, Column, Row};
use super::stays::{Begin, End, Stay, is_estimate};
use super::{dated, dated_short};
use crate::web::times;

/// Columns of the days.
pub(super) const COLUMNS: &[Column] = &[
    Column { title: "日付", share: 70.0 },
    Column { title: "端末", share: 82.0 },
    Column { title: "最初のログオン", share: 78.0 },
    Column { title: "最後のログオフ", share: 78.0 },
    Column { title: "状況", share: 42.0 },
    Column { title: "遅着", share: 28.0 },
    Column { title: "内訳", share: 122.0 },
];

/// Parts of one day that are named: a PC on which nothing goes wrong has none, a bad day has a few.
const PARTS_MAX: usize = 40;

/// Nothing of this kind on this date.
const NONE: &str = "―";

/// A row before its dates are written: dates of which the same is said are one row.
struct Line {
    from: Date,
    to: Date,
    host: String,
    /// From 最初のログオン on.
    cells: Vec<Cell>,
    /// Whether it says only why there is nothing.
    is_note: bool,
}

/// What the days are in all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Dates of the period, up to the day on which it was made.
    pub dates: usize,
    /// Dates on which the employee was logged on for some time, as far as is known.
    pub with_stay: usize,
    /// Dates with a PC that was not watched for a part.
    pub agent_off: usize,
    /// Dates with a PC of which nothing is known for a part.
    pub unknown: usize,
    /// Dates on which no account was linked.
    pub unlinked: usize,
    /// Dates of which no terminal has a record.
    pub without_terminal: usize,
}

/// The rows of all dates, and what they are in all. `stays` are those of each terminal.
pub(super) fn rows(request: &Request, written: &Written, stays: &[Vec<Stay<'_>>]) -> (Vec<Row>, Tally) {
    let (mut lines, mut by_date) = (Vec::new(), BTreeMap::new());
    for (terminal, stays) in written.terminals.iter().zip(stays) {
        let mut of_terminal = Vec::new();
        for day in &terminal.days {
            let Ok(date) = day.date.parse::<Date>() else { continue };
            let linked = is_linked(written, date);
            by_date.entry(date).or_insert_with(Vec::new).push((day, stays_on(stays, day).count(), linked));
            let host = terminal.host_name.clone();
            add(&mut of_terminal, if linked { line(date, host, day, stays) } else { unlinked(date, host) });
        }
        lines.append(&mut of_terminal);
    }
    let (dates, mut bare) = (dates(request, &by_date), Vec::new());
    for date in dates.difference(&by_date.keys().copied().collect()) {
        let retired = written.retired.iter().find(|month| month.is_of(*date));
        add(&mut bare, without_terminal(*date, is_linked(written, *date), retired));
    }
    lines.append(&mut bare);
    lines.sort_by_key(|line| line.from);
    let tally = tally(&dates, &by_date, written);
    (lines.into_iter().map(row).collect(), tally)
}

type ByDate<'a> = BTreeMap<Date, Vec<(&'a Day, usize, bool)>>;

/// Dates that must be shown: those of the request that have come and are not left out, and those of which there is something.
fn dates(request: &Request, by_date: &ByDate<'_>) -> BTreeSet<Date> {
    let asked = asked(request).into_iter().map(|(from, to)| (first_shown((from, to)), to));
    let asked = asked.flat_map(|(from, to)| from.series(1.day()).take_while(move |date| *date <= to));
    by_date.keys().copied().chain(asked).collect()
}

/// The dates of the request that have come.
fn asked(request: &Request) -> Option<(Date, Date)> {
    let today = local_date(request.made_at);
    request.dates.map(|(from, to)| (from, to.min(today)))
}

/// As many dates are shown as a terminal has days at most.
fn first_shown((from, to): (Date, Date)) -> Date {
    from.max(to.saturating_sub((DAYS_MAX - 1).days()))
}

/// What is said of dates that are left out, since the period is too long.
pub(super) fn left_out(request: &Request) -> Option<String> {
    let (from, to) = asked(request)?;
    let first = first_shown((from, to));
    let last = first.yesterday().ok().filter(|_| from < first)?;
    Some(format!(
        "期間のうち{}から{}までは、ここには示しません。新しい方から{DAYS_MAX}日（6年）までを示します。それより前の日については、期間を分けて作成してください。",
        dated(from),
        dated(last)
    ))
}

fn tally(dates: &BTreeSet<Date>, by_date: &ByDate<'_>, written: &Written) -> Tally {
    let mut tally = Tally { dates: dates.len(), ..Tally::default() };
    for date in dates {
        if !is_linked(written, *date) {
            tally.unlinked += 1;
            continue;
        }
        let days = by_date.get(date).map_or(&[][..], Vec::as_slice);
        let any = |is: &dyn Fn(&(&Day, usize, bool)) -> bool| usize::from(days.iter().any(is));
        tally.without_terminal += usize::from(days.is_empty());
        tally.with_stay += any(&|(_, stays, _)| *stays > 0);
        tally.agent_off += any(&|(day, ..)| day.state == "agent_off");
        tally.unknown += any(&|(day, ..)| day.state == "unknown");
    }
    tally
}

/// Puts a line behind the others, or makes the last one longer when it says the same of the day before.
fn add(lines: &mut Vec<Line>, line: Line) {
    if let Some(last) = lines.last_mut()
        && last.is_note
        && line.is_note
        && last.cells == line.cells
        && last.to.tomorrow().is_ok_and(|next| next == line.from)
    {
        last.to = line.to;
        return;
    }
    lines.push(line);
}

fn row(line: Line) -> Row {
    let mut date = vec![dated(line.from)];
    if line.from != line.to {
        date[0].push('〜');
        date.push(dated(line.to));
    }
    let mut cells = vec![date, vec![line.host]];
    cells.extend(line.cells);
    let is_weekend = matches!(line.from.weekday(), Weekday::Saturday | Weekday::Sunday);
    Row { cells, shaded: is_weekend && line.from == line.to }
}

fn note(date: Date, host: String, state: &str, text: &str) -> Line {
    let none = || vec![NONE.to_owned()];
    let cells = vec![none(), none(), vec![state.to_owned()], Vec::new(), vec![text.to_owned()]];
    Line { from: date, to: date, host, cells, is_note: true }
}

fn unlinked(date: Date, host: String) -> Line {
    let text = "この日にはアカウントの関連付けがなく、この社員については何も示しません";
    note(date, host, "対象外", text)
}

fn without_terminal(date: Date, linked: bool, retired: Option<&RetiredMonth>) -> Line {
    if let Some(month) = retired.filter(|_| linked) {
        let on = local_date(month.retired_at);
        let text = format!(
            "この月の記録は、保存期間の満了により{on}に削除されました。勤務の有無は、この記録からは分かりません"
        );
        note(date, NONE.to_owned(), "保存期間満了", &text)
    } else if linked {
        note(
            date,
            NONE.to_owned(),
            "記録なし",
            "この日の記録を持つ端末がありません。勤務の有無は、この記録からは分かりません",
        )
    } else {
        unlinked(date, NONE.to_owned())
    }
}

/// Whether an account was linked to the employee on a date. Of other days the pack says nothing about them: whoever
/// used the PC then is not shown.
pub(super) fn is_linked(written: &Written, date: Date) -> bool {
    let holds = |link: &mngntime_store::EvidenceLink| {
        !link.void && link.from <= date && link.to.is_none_or(|to| date <= to)
    };
    written.people.links.iter().any(holds)
}

fn stays_on<'a>(stays: &'a [Stay<'a>], day: &Day) -> impl Iterator<Item = &'a Stay<'a>> {
    let (from, to) = (UtcMillis(day.span[0]), UtcMillis(day.span[1]));
    // A stay that is shown up to midnight does not reach into the next day.
    let on = move |stay: &&Stay<'_>| stay.span.0 < to && (stay.span.1 > from || stay.span.0 >= from);
    stays.iter().filter(on)
}

fn line(date: Date, host: String, day: &Day, stays: &[Stay<'_>]) -> Line {
    let stays: Vec<&Stay<'_>> = stays_on(stays, day).collect();
    let late = if day.late > 0 { vec![format!("{}件", day.late)] } else { Vec::new() };
    let mut parts = parts(day);
    parts.extend(cuts(date, &stays));
    let cells =
        vec![first(date, day, &stays), last(date, &stays), vec![state(&day.state).to_owned()], late, parts];
    Line { from: date, to: date, host, cells, is_note: false }
}

/// The first logon; before it, that a stay goes on from before.
fn first(date: Date, day: &Day, stays: &[&Stay<'_>]) -> Cell {
    let from = UtcMillis(day.span[0]);
    let mut cell = Vec::new();
    if let Some(stay) = stays.iter().find(|stay| stay.span.0 < from) {
        let began = local_date(stay.span.0);
        let is_yesterday = began.tomorrow().is_ok_and(|next| next == date);
        cell.push(if is_yesterday {
            "前日から".to_owned()
        } else {
            format!("{}から", dated_short(began))
        });
    }
    let own = stays.iter().filter(|stay| stay.span.0 >= from).min_by_key(|stay| stay.span.0);
    cell.extend(own.map(|stay| match stay.begin {
        Begin::Logon(logon) => clock(logon, date),
        Begin::Cut(_) => "関連付けの開始で区切り".to_owned(),
        Begin::Unrecorded => "ログオンの記録なし".to_owned(),
    }));
    or_none(cell)
}

/// How the last stay of a date ended, whenever that was.
fn last(date: Date, stays: &[&Stay<'_>]) -> Cell {
    let is_open = |stay: &Stay<'_>| !matches!(stay.end, End::Logoff(_));
    let last = stays.iter().max_by_key(|stay| (stay.span.1, is_open(stay)));
    or_none(last.map(|stay| match stay.end {
        End::Logoff(logoff) => clock(logoff, date),
        End::Cut(_) => "関連付けの終了で区切り".to_owned(),
        End::Unrecorded => "ログオフの記録なし".to_owned(),
    }))
}

fn or_none(cell: impl IntoIterator<Item = String>) -> Cell {
    let cell: Cell = cell.into_iter().collect();
    if cell.is_empty() { vec![NONE.to_owned()] } else { cell }
}

/// The time of a punch as it stands beside `date`.
fn clock(received: &mngntime_attendance::completeness::Received, date: Date) -> String {
    let event = &received.event;
    if let Some(bounds) = event.bounds {
        return format!("推定 {}", times::range(bounds.not_before, bounds.not_after));
    }
    let (at, time) = (local_date(event.occurred_at), times::clock_short(event.occurred_at));
    let day = if at == date {
        String::new()
    } else if date.tomorrow().is_ok_and(|next| next == at) {
        "翌日 ".to_owned()
    } else {
        format!("{} ", dated_short(at))
    };
    format!("{}{day}{time}", if is_estimate(event) { "推定 " } else { "" })
}

/// What is to be known of stays that were cut on a date.
fn cuts(date: Date, stays: &[&Stay<'_>]) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for stay in stays {
        if matches!(stay.begin, Begin::Cut(from) if from == date) {
            let text =
                "アカウントの関連付けは{}から。それより前のログオンは、この社員の記録としては示しません";
            told.insert(text.replace("{}", &dated_short(date)));
        }
        if matches!(stay.end, End::Cut(to) if to == date) {
            let text = "アカウントの関連付けは{}まで。ログオフではありません。この後のログオフは、この社員の記録としては示しません";
            told.insert(text.replace("{}", &dated_short(date)));
        }
    }
    told
}

fn state(name: &str) -> &'static str {
    match name {
        "observed" => "記録あり",
        "agent_off" => "停止あり",
        "retired" => "保存期間満了",
        _ => "不明あり",
    }
}

/// What is not simply watched or off.
fn parts(day: &Day) -> Cell {
    let word = |name: &str| match Why::ALL.into_iter().find(|why| why.name() == name) {
        Some(Why::Watched | Why::ShutDown | Why::Off | Why::BetweenContacts) => None,
        Some(Why::AgentStopped | Why::AgentAbsent) => Some("エージェント停止"),
        Some(Why::Retired) => Some("保存期間の満了により削除"),
        Some(Why::PowerLost) => Some("電源断"),
        Some(Why::RecordsLost) => Some("記録の損傷"),
        Some(Why::NumbersMissing) => Some("欠番"),
        Some(Why::ClockDoubted) => Some("時計の狂い"),
        Some(Why::SilentSinceShutdown) => Some("停止後は連絡なし"),
        Some(Why::Silent) => Some("連絡なし"),
        Some(Why::BeforeFirstStart) => Some("導入前"),
        None => Some("不明"),
    };
    let part = |(from, to, name): &(i64, i64, String)| {
        let whole = [*from, *to] == day.span;
        let range = if whole { "終日".to_owned() } else { range(*from, *to, day) };
        word(name).map(|word| format!("{range} {word}"))
    };
    let mut parts: Vec<String> = day.parts.iter().filter_map(part).collect();
    let more = parts.len().saturating_sub(PARTS_MAX);
    parts.truncate(PARTS_MAX);
    if more > 0 {
        parts.push(format!("ほか{more}件は record.jsonl にあります"));
    }
    parts
}

/// A part of a day; midnight at its end is 24:00.
fn range(from: i64, to: i64, day: &Day) -> String {
    let is_midnight = to == day.span[1] && times::clock(UtcMillis(to)) == "00:00:00";
    let end = if is_midnight { "24:00".to_owned() } else { times::clock_short(UtcMillis(to)) };
    format!("{}〜{end}", times::clock_short(UtcMillis(from)))
}
