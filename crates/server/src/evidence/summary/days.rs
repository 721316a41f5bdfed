//! The days of one employee, date by date: first logon, last logoff, and what is known of each PC.
//!
//! Every date of the period stands there. A date of which the record says nothing says so in words: a hole in a list
//! would be read as a day without work. Which day a logon or a logoff is of, and what a date is to the employment, [`Person`]
//! says; where a link cuts a stay, and which logoff is not there, the stays do ([`super::stays`]).

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use mngntime_attendance::completeness::{DAYS_MAX, Received, Why};
use mngntime_attendance::person_day::{Edge, Employment, First, Lane, Last, Level, PersonDay};
use mngntime_evidence::format::Day;
use mngntime_model::{EventKind, Language, UtcMillis};
use mngntime_store::{RetiredMonth, local_date};

use super::super::record::{Request, Written, WrittenTerminal};
use super::paper::{Cell, Column, Row};
use super::person::Person;
use super::stays::{Begin, End, Stay};
use super::{dated, dated_short};
use crate::web::texts::Words;
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
    /// Dates on which the employee logged on, or was logged on from before; the end of a night is of the date before.
    pub with_stay: usize,
    /// Dates with a PC that was not watched for a part.
    pub agent_off: usize,
    /// Dates with a PC of which nothing is known for a part.
    pub unknown: usize,
    /// Dates on which no account was linked.
    pub unlinked: usize,
    /// Dates outside of the employment, and those of them of which something is recorded. Nothing else counts them.
    pub outside: [usize; 2],
    /// Dates of which no terminal has a record.
    pub without_terminal: usize,
}

/// The rows of `dates`, and what they are in all. `stays` are those of each terminal.
pub(super) fn rows(
    written: &Written,
    dates: &BTreeSet<Date>,
    person: &Person,
    stays: &[Vec<Stay<'_>>],
) -> (Vec<Row>, Tally) {
    let (mut lines, mut by_date) = (Vec::new(), BTreeMap::new());
    for (terminal, stays) in written.terminals.iter().zip(stays) {
        let mut of_terminal = Vec::new();
        for (date, day) in dated_days(terminal) {
            let line = OnDate::of(date, day, (terminal, stays), person).line(is_linked(written, date));
            by_date.entry(date).or_insert_with(Vec::new).push((day, line.holds_a_stay()));
            add(&mut of_terminal, line);
        }
        lines.append(&mut of_terminal);
    }
    let mut bare = Vec::new();
    for date in dates.difference(&by_date.keys().copied().collect()) {
        let retired = written.retired.iter().find(|month| month.is_of(*date));
        let linked = is_linked(written, *date);
        add(&mut bare, without_terminal(*date, linked, person.employment(*date), retired));
    }
    lines.append(&mut bare);
    lines.sort_by_key(|line| line.from);
    let tally = tally(dates, &by_date, person, written);
    (lines.into_iter().map(row).collect(), tally)
}

type ByDate<'a> = BTreeMap<Date, Vec<(&'a Day, bool)>>;

fn dated_days(terminal: &WrittenTerminal) -> impl Iterator<Item = (Date, &Day)> {
    terminal.days.iter().filter_map(|day| Some((day.date.parse().ok()?, day)))
}

/// Dates that must be shown: those of the request that have come and are not left out, and those of which there is something.
pub(super) fn shown(request: &Request, written: &Written) -> BTreeSet<Date> {
    let asked = asked(request).into_iter().map(|(from, to)| (first_shown((from, to)), to));
    let asked = asked.flat_map(|(from, to)| from.series(1.day()).take_while(move |date| *date <= to));
    let told = written.terminals.iter().flat_map(dated_days).map(|(date, _)| date);
    told.chain(asked).collect()
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

fn tally(dates: &BTreeSet<Date>, by_date: &ByDate<'_>, person: &Person, written: &Written) -> Tally {
    let mut tally = Tally { dates: dates.len(), ..Tally::default() };
    for date in dates {
        if person.employment(*date) != Employment::During {
            tally.outside[0] += 1;
            tally.outside[1] += usize::from(person.on(*date).is_some_and(PersonDay::has_punches_outside));
            continue;
        }
        if !is_linked(written, *date) {
            tally.unlinked += 1;
            continue;
        }
        let days = by_date.get(date).map_or(&[][..], Vec::as_slice);
        let any = |is: &dyn Fn(&(&Day, bool)) -> bool| usize::from(days.iter().any(is));
        tally.without_terminal += usize::from(days.is_empty());
        tally.with_stay += any(&|(_, holds_a_stay)| *holds_a_stay);
        tally.agent_off += any(&|(day, _)| day.state == "agent_off");
        tally.unknown += any(&|(day, _)| day.state == "unknown");
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

impl Line {
    /// Whether a stay begins on the date, or goes on from before.
    fn holds_a_stay(&self) -> bool {
        self.cells.first().is_some_and(|first| first.iter().any(|text| text != NONE))
    }
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

/// A date outside of the employment.
fn outside(date: Date, host: String, employment: Employment, said: &[&str]) -> Line {
    let words = Words(Language::Japanese);
    let is_before = employment == Employment::Before;
    let (state, why) = if is_before {
        ("day-before-employment", "silence-before-employment")
    } else {
        ("day-after-employment", "silence-after-employment")
    };
    note(date, host, &words.t(state), &format!("{}{}", words.t(why), said.concat()))
}

fn without_terminal(
    date: Date,
    linked: bool,
    employment: Employment,
    retired: Option<&RetiredMonth>,
) -> Line {
    if employment != Employment::During {
        return outside(date, NONE.to_owned(), employment, &[]);
    }
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

/// The logoff of a stay, or the logon, is not in the record.
const LOGON_UNRECORDED: &str = "ログオンの記録なし";
const LOGOFF_UNRECORDED: &str = "ログオフの記録なし";

/// It goes on beyond the day boundary.
const GOES_ON: &str = "翌日へ継続";

/// One date of one terminal.
struct OnDate<'a> {
    date: Date,
    day: &'a Day,
    terminal: &'a WrittenTerminal,
    person: &'a Person,
    lane: Option<&'a Lane>,
    /// Stays that reach into it, nights included.
    stays: Vec<&'a Stay<'a>>,
}

impl<'a> OnDate<'a> {
    fn of(
        date: Date,
        day: &'a Day,
        (terminal, stays): (&'a WrittenTerminal, &'a [Stay<'a>]),
        person: &'a Person,
    ) -> Self {
        let lane = person.on_terminal(date, terminal.id);
        Self { date, day, terminal, person, lane, stays: stays_on(stays, day).collect() }
    }

    fn line(&self, linked: bool) -> Line {
        let (date, host) = (self.date, self.terminal.host_name.clone());
        let employment = self.person.employment(date);
        if !linked {
            return match employment {
                Employment::During => unlinked(date, host),
                Employment::Before | Employment::After => {
                    outside(date, host, employment, &["この社員については何も示しません"])
                }
            };
        }
        let (first, last, night) = (self.first(), self.last(), self.night_before());
        let is_empty = [&first, &last].iter().all(|cell| cell.is_empty());
        if employment != Employment::During && is_empty {
            let night = night.map(|night| format!("{night}。ほかに")).unwrap_or_default();
            return outside(date, host, employment, &[&night, "この社員のログオンは示されていません"]);
        }
        let late = if self.day.late > 0 { vec![format!("{}件", self.day.late)] } else { Vec::new() };
        let (mut state, mut parts) = (vec![state(&self.day.state).to_owned()], Vec::new());
        if self.person.on(date).is_some_and(PersonDay::has_punches_outside) {
            let is_before = employment == Employment::Before;
            let key = if is_before { "day-recorded-before" } else { "day-recorded-after" };
            state.insert(0, Words(Language::Japanese).t(key));
            parts.push("在籍期間の外なので、この日の打刻は社員のものになっていません".to_owned());
        }
        parts.extend(night);
        parts.extend(self.presence());
        parts.extend(self::parts(self.day));
        parts.extend(cuts(date, &self.stays));
        let cells = vec![or_none(first), or_none(last), state, late, parts];
        Line { from: date, to: date, host, cells, is_note: false }
    }

    /// The first logon, or that a stay goes on from before; empty when there is neither.
    fn first(&self) -> Cell {
        let first = self.lane.map_or(First::None, |lane| lane.first);
        let told = match first {
            First::At { edge, .. } if edge.level == Level::Unknown => {
                self.cut_before().or_else(|| Some(LOGON_UNRECORDED.to_owned()))
            }
            First::At { edge, .. } => Some(clock(&edge, self.date)),
            First::Continued { since } if self.is_reached_into() => {
                let since = since.map(|edge| local_date(edge.at)).filter(|began| *began < self.date);
                since.map(|began| self.said_since(began)).or_else(|| self.cut_before())
            }
            First::Continued { .. } | First::None => self.cut_before(),
        };
        told.into_iter().collect()
    }

    /// Whether a stay of before is not known to have been over.
    fn is_reached_into(&self) -> bool {
        self.stays.iter().any(|stay| stay.span.0.0 < self.day.span[0] && stay.span.1.0 > self.day.span[0])
    }

    fn said_since(&self, began: Date) -> String {
        let is_yesterday = began.tomorrow().is_ok_and(|next| next == self.date);
        if is_yesterday { "前日から".to_owned() } else { format!("{}から", dated_short(began)) }
    }

    /// Since when the record may show a stay that had begun before.
    fn cut_before(&self) -> Option<String> {
        let cut = self.stays.iter().find_map(|stay| match stay.begin {
            Begin::Cut(from) => Some(from),
            Begin::Logon(_) | Begin::Unrecorded => None,
        })?;
        Some(if cut < self.date {
            self.said_since(cut)
        } else {
            "関連付けの開始で区切り".to_owned()
        })
    }

    /// The last logoff; beside it, or in its place, how a stay goes on. Empty when there is neither.
    fn last(&self) -> Cell {
        match self.lane.map_or(Last::None, |lane| lane.last) {
            Last::At { edge, others_go_on, .. } => {
                let is_known = edge.level != Level::Unknown;
                let at = if is_known { clock(&edge, self.date) } else { LOGOFF_UNRECORDED.to_owned() };
                let others = self.going_on(|_| true).filter(|_| others_go_on.is_some());
                [at].into_iter().chain(others.map(|how| format!("ほかは{how}"))).collect()
            }
            Last::GoesOn { until } => {
                let how = self.going_on(|_| true);
                // A night that the boundary cuts has its end here: another one may begin on the date of that.
                let is_next = |end: &Edge| self.date.tomorrow().is_ok_and(|next| next == local_date(end.at));
                let until = until.filter(|end| how == Some(GOES_ON) && is_next(end));
                let until = until.map(|end| format!("{}まで", clock(&end, self.date)));
                how.map(str::to_owned).into_iter().chain(until).collect()
            }
            Last::Open => self.going_on(|_| true).map(str::to_owned).into_iter().collect(),
            // Of a stay whose logon is of before the link there may be nothing here but its place.
            Last::None => {
                let is_cut = |stay: &Stay<'_>| matches!(stay.begin, Begin::Cut(_));
                self.going_on(is_cut).map(str::to_owned).into_iter().collect()
            }
        }
    }

    /// How those of these stays go on that no logoff of this day ends.
    fn going_on(&self, of: impl Fn(&Stay<'_>) -> bool) -> Option<&'static str> {
        let how = |stay: &&Stay<'_>| match stay.end {
            End::Cut(to) if to <= self.date => Some("関連付けの終了で区切り"),
            End::Logoff(logoff) if self.person.day_of(self.terminal.id, logoff) <= self.date => None,
            End::Cut(_) | End::Logoff(_) => Some(GOES_ON),
            End::Unrecorded => Some(LOGOFF_UNRECORDED),
        };
        // Where there are several, what is no logoff at all must be said.
        let words: BTreeSet<_> =
            self.stays.iter().copied().filter(|stay| of(stay)).filter_map(|it| how(&it)).collect();
        ["関連付けの終了で区切り", LOGOFF_UNRECORDED, GOES_ON].into_iter().find(|word| words.contains(word))
    }

    /// That the first time is that of an unlock: nobody made the logon before it.
    fn presence(&self) -> Option<String> {
        let First::At { edge, .. } = self.lane?.first else { return None };
        let is_it = |received: &&Received| received.event.sequence == edge.event.sequence;
        let unlock = self.terminal.told.iter().find(is_it)?.event.kind == EventKind::Unlock;
        let is_one = unlock && edge.level != Level::Unknown;
        is_one.then(|| "最初の時刻は、無人のログオンの後の最初の操作です".to_owned())
    }

    /// Up to when the night of the day before goes on, whose row has it.
    fn night_before(&self) -> Option<String> {
        let theirs =
            self.terminal.punches().filter(|received| local_date(received.event.occurred_at) == self.date);
        let of_the_night = theirs.filter(|it| self.person.is_of_the_day_before(self.terminal.id, it));
        let until = of_the_night.map(|received| received.event.occurred_at).max()?;
        Some(format!("{}まで前日の夜の続き（前日の記録）", times::clock_short(until)))
    }
}

fn or_none(cell: Cell) -> Cell {
    if cell.is_empty() { vec![NONE.to_owned()] } else { cell }
}

/// The time of a logon or a logoff as it stands beside `date`.
fn clock(edge: &Edge, date: Date) -> String {
    let (at, latest) = (local_date(edge.at), local_date(edge.latest));
    let day = if at == date || (at != latest) {
        // A range over midnight has its dates.
        String::new()
    } else if date.tomorrow().is_ok_and(|next| next == at) {
        "翌日 ".to_owned()
    } else {
        format!("{} ", dated_short(at))
    };
    let time =
        if edge.at == edge.latest { times::clock_short(edge.at) } else { times::range(edge.at, edge.latest) };
    format!("{}{day}{time}", if edge.level == Level::Exact { "" } else { "推定 " })
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
