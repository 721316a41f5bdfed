//! `GET /days`: a person's month, one row for each day; without a person, the list of them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use mngntime_attendance::person_day::Edge;
use mngntime_store::{Beside, Employee, EmployeeId, Punch, PunchFilter, Scope, Store, StoreError};

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Place, Tone};
use super::super::errors::WebError;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::super::times;
use super::super::views;
use super::nights::CutNights;
use super::people::Listed;
use super::picture::{self, Scale, Small};
use super::total::{self, Total};
use super::words::{self, Time};
use super::{
    Home, Opens, Whose, fields, file_address, month_of, month_text, people, punches_in_error, punches_outside,
};
use crate::access::Action;
use crate::person_days::{Dated, PersonDays};

/// Punches with an error read at once.
const ERRORS_STEP: usize = 500;

/// A day, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Day of the month.
    pub day: i8,
    /// Day of the week.
    pub weekday: String,
    /// `sat`, `sun` or nothing.
    pub class: &'static str,
    /// The date in words, for the link.
    pub date: String,
    /// Address of the day.
    pub href: String,
    /// Its picture; absent for days to come.
    pub picture: Option<Small>,
    /// First logon.
    pub first: Time,
    /// Last logoff.
    pub last: Time,
    /// Class and words of how well it is known.
    pub state: (&'static str, String),
    /// Whether something is recorded outside of the employment.
    pub outside: bool,
    /// Address of its punches; empty for none, and where they are not to be seen.
    pub punches: String,
    /// Why there are no times, empty when there are some.
    pub silence: String,
    /// How long a session was in a state to be used, empty for never.
    pub active: String,
    /// Whether it is today.
    pub today: bool,
    /// The results of its punches with an error, with the address of these, which is empty where they are not to be seen.
    pub errors: Option<(String, String)>,
    /// Remarks that hold.
    pub remarks: usize,
}

/// Ways to other months.
#[derive(Debug, Clone)]
pub struct Ways {
    /// Address of the month before, where the calendar has one.
    pub before: String,
    /// Address of the month after.
    pub after: String,
    /// Address of the current month.
    pub current: String,
    /// The month, for its field.
    pub month: String,
    /// Where the field leads.
    pub form: &'static str,
    /// What the form carries along.
    pub hidden: Vec<(&'static str, String)>,
}

impl Ways {
    /// Those around `month`, each with its `address`.
    pub(super) fn around(
        month: Date,
        form: &'static str,
        hidden: Vec<(&'static str, String)>,
        address: impl Fn(Date) -> String,
        c: &Chrome,
    ) -> Self {
        let other = |months: i32| address(month.checked_add(months.months()).unwrap_or(month));
        let current = address(c.today().first_of_month());
        Self { before: other(-1), after: other(1), current, month: month_text(month), form, hidden }
    }
}

/// The person before and the one after, each with the address of their month; none for one's own.
pub type Besides = [Option<(String, Whose)>; 2];

/// The page.
///
/// # Errors
/// [`WebError`] when the person may not see attendance, there is no such employee, or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::DaysOfPerson)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Days);
    let fields = fields(&uri)?;
    visit.chrome.banner = Encoding::complaint(&fields, &visit.chrome).or(visit.chrome.banner.take());
    let Some(code) = fields.filled("employee") else {
        return people::page(&state, scope, visit, &fields).await;
    };
    let Some(employee) = state.store.employee_by_code(scope, code.to_owned()).await? else {
        return people::nobody(&state, scope, visit, &fields, code).await;
    };
    let listed = Listed::of(&fields, &mut visit.chrome);
    let month = asked(&mut visit, fields.text("month"));
    let home = Home::Of { code: &employee.data.code, listed: &listed };
    render(&state, scope, visit, &employee, home, month).await
}

/// The month that `text` names; this one with a message, when it names none.
pub(in super::super) fn asked(visit: &mut Visit, text: &str) -> Date {
    let month = match month_of(text) {
        Ok(month) => month,
        Err(text) => {
            visit.chrome.banner = Some(wrong(visit.chrome.v("days-bad-month", "text", text), &visit.chrome));
            None
        }
    };
    month.unwrap_or_else(|| visit.chrome.today().first_of_month())
}

/// What to say about an address that names no month or date.
pub(super) fn wrong(text: String, c: &Chrome) -> Banner {
    Banner::new(Tone::Error, text, c.t("days-bad-text"))
}

/// The month that begins with `month`.
pub(in super::super) async fn render(
    state: &WebState,
    scope: Scope,
    visit: Visit,
    employee: &Employee,
    home: Home<'_>,
    month: Date,
) -> Result<Response, WebError> {
    let contract = scope.contract;
    visit.looked_at(state, contract, Some(employee.id), "month").await?;
    let (c, store) = (&visit.chrome, state.store.as_ref());
    let dates = (month, month.last_of_month());
    // The last night ends on the morning after: whose its punches are is known from that day.
    let read = (month, dates.1.tomorrow().unwrap_or(dates.1));
    let found =
        PersonDays::read(store, contract, employee.id, read, visit.day_begins_minutes(), c.now).await?;
    let days = || found.days.iter().filter(|dated| dated.date <= dates.1);
    let longest = days().map(|dated| dated.day.until.0 - dated.borders.from.0).max();
    let scale = found
        .days
        .first()
        .map(|dated| Scale::new(dated.borders.from, dated.borders.from.plus(longest.unwrap_or(0))));
    let said = store.list_remarks(scope, employee.id, dates.0, dates.1).await?;
    let said: Vec<Date> =
        said.iter().filter(|one| one.withdrawn_at.is_none()).map(|one| one.data.date).collect();
    let opens = |date| Opens { home, date, whole: scope.is_whole() };
    let errors = errors(store, scope, employee.id, &found).await?;
    let row = |dated: &Dated| Row {
        remarks: said.iter().filter(|date| **date == dated.date).count(),
        errors: errors.get(&dated.date).and_then(|errors| told(errors, opens(dated.date), c)),
        ..row(dated, &found, scale, opens(dated.date), c)
    };
    let rows: Vec<Row> = days().map(row).collect();
    let page = views::DaysMonth {
        whose: Whose::of(employee),
        month: c.long_month(month),
        ways: ways(home, month, c),
        up: up(home, month, c),
        csv: match home {
            Home::Of { code, listed } => file_address(Some(code), listed, month, c),
            Home::Own => String::new(),
        },
        people: besides(state, scope, home, month, c).await?,
        states: states(&rows),
        hours: scale.map(Scale::hours).unwrap_or_default(),
        kinds: super::day::legend(),
        total: Total::of(days(), c.now),
        cut: match home {
            Home::Of { .. } => CutNights::of(days(), visit.day_begins_minutes(), c),
            Home::Own => None,
        },
        rows,
        remarks: said.len(),
        whole: found.whole,
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}

/// The punches with an error that are the person's all the same (a blocked PC, a contract that cannot be used), by the day
/// that shows them.
pub(super) async fn errors(
    store: &dyn Store,
    scope: Scope,
    employee: EmployeeId,
    found: &PersonDays,
) -> Result<BTreeMap<Date, Vec<Punch>>, StoreError> {
    let (first, last) = (found.days.first(), found.days.last());
    let filter = PunchFilter {
        from: first.map(|dated| dated.borders.from),
        until: last.map(|dated| dated.borders.to),
        employee: Some(employee),
        errors_only: true,
        ..PunchFilter::default()
    };
    let mut errors: BTreeMap<Date, Vec<Punch>> = BTreeMap::new();
    let mut at = None;
    loop {
        let page = store.list_punches(scope, filter.clone(), at, ERRORS_STEP).await?;
        at = page.further();
        for punch in page.rows {
            errors.entry(found.day_of(&punch)).or_default().push(punch);
        }
        if at.is_none() {
            return Ok(errors);
        }
    }
}

/// Their results, each once, in words and with the address of the punches; empty for none.
fn told(errors: &[Punch], opens: Opens<'_>, c: &Chrome) -> Option<(String, String)> {
    let mut results: Vec<u8> = errors.iter().filter_map(|punch| punch.result.res()).collect();
    results.sort_unstable();
    results.dedup();
    let all: Vec<String> = results.iter().map(|res| format!("res={res}")).collect();
    let address = || punches_in_error(&errors.iter().collect::<Vec<_>>(), opens, c);
    (!all.is_empty()).then(|| (format!("○ {}", all.join(" ")), address()))
}

fn ways(home: Home<'_>, month: Date, c: &Chrome) -> Ways {
    let (form, hidden) = match home {
        Home::Of { code, listed } => {
            let code = [("employee", code.to_owned())];
            ("/days", code.into_iter().chain(listed.fields()).collect())
        }
        Home::Own => ("/me/days", Vec::new()),
    };
    Ways::around(month, form, hidden, |month| home.month(month), c)
}

/// Address and words of the page above.
fn up(home: Home<'_>, month: Date, c: &Chrome) -> (String, String) {
    match home {
        Home::Of { listed, .. } => (listed.address(month), c.t("nav-days")),
        Home::Own => ("/me".to_owned(), c.t("nav-me")),
    }
}

/// Who stands before and after this person in the list that is looked through.
async fn besides(
    state: &WebState,
    scope: Scope,
    home: Home<'_>,
    month: Date,
    c: &Chrome,
) -> Result<Besides, WebError> {
    let Home::Of { code, listed } = home else { return Ok([None, None]) };
    let mut people = [None, None];
    for (place, at) in
        [Beside::Before(code.to_owned()), Beside::After(code.to_owned())].into_iter().enumerate()
    {
        let (wanted, q, day) = (listed.wanted, listed.q.clone(), people::of_month(month, c.today()));
        let found = state.store.employee_page(scope, wanted, q, Some(at), day, 1).await?;
        let way = |employee: &Employee| {
            (Home::Of { code: &employee.data.code, listed }.month(month), Whose::of(employee))
        };
        people[place] = found.rows.first().map(|row| way(&row.employee));
    }
    Ok(people)
}

/// The states of a month with their drawings, each once: on a phone the rows have the drawings alone.
fn states(rows: &[Row]) -> Vec<(&'static str, String)> {
    let mut states: Vec<(&'static str, String)> = Vec::new();
    for row in rows {
        if !states.contains(&row.state) {
            states.push(row.state.clone());
        }
    }
    states
}

fn row(dated: &Dated, found: &PersonDays, scale: Option<Scale>, opens: Opens<'_>, c: &Chrome) -> Row {
    let (day, midnight) = (&dated.day, dated.borders.from);
    let host = |edge: &Edge| words::several(day, found, edge);
    let today = dated.date == c.today();
    let scale = scale.map(|scale| scale.at(midnight)).filter(|_| midnight < c.now);
    Row {
        day: dated.date.day(),
        weekday: weekday(dated.date, c),
        class: weekend(dated.date.weekday()),
        date: c.long_date(dated.date),
        href: opens.home.day(dated.date),
        picture: scale.map(|scale| picture::small(day, scale, today.then_some(c.now), c)),
        first: words::first(day, midnight, (c, opens), &host),
        last: words::last(day, midnight, (c, opens), &host),
        state: words::state(day, c),
        outside: day.has_punches_outside(),
        punches: punches_outside(dated, found, opens, c),
        silence: words::told_once(day, c).unwrap_or_else(|| words::silence_brief(day, c)),
        active: total::listed(day),
        today,
        errors: None,
        remarks: 0,
    }
}

fn weekend(day: Weekday) -> &'static str {
    match day {
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => "",
    }
}

fn weekday(date: Date, c: &Chrome) -> String {
    if c.japanese() { times::weekday(date.weekday()).to_string() } else { date.strftime("%a").to_string() }
}
