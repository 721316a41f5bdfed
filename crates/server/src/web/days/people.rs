//! Whose days? A list of a month with a search, and what can be told of each without judging their days: how well a day is
//! known is found by reading every event of its PCs, too much for a page of people. What is counted says where to look:
//! dates with punches, dates with errors, and punches that are estimates.
//!
//! Everything leads on with the month and with what was searched for: whoever closes a month goes from person to person.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{
    Day, Employee, EmployeeCounts, EmployeeRow, EmployeeShow, Punched, RemarkCounts, Scope, StoreError,
};

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Tone};
use super::super::employees::day_of;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::pages::{PLACES, ROWS, address, beside_text, shown, turned};
use super::super::session::Visit;
use super::super::times;
use super::super::views::{self, Segment};
use super::month::{Ways, asked};
use super::{Whose, file_address, month_address, month_text};
use crate::access::Action;
use crate::person_days::came;

/// A person to choose.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who.
    pub whose: Whose,
    /// Address of the month.
    pub href: String,
    /// What they said about days of the month, in words; empty for nothing.
    pub remarks: String,
    /// On how many dates of the month they have punches, in words.
    pub dates: String,
    /// Why there can be none, with the way out; words without an address where there is none.
    pub why: Option<(String, String)>,
    /// On how many dates there is something before or after their employment, in words; absent for none.
    pub outside: Option<String>,
    /// On how many dates a punch has an error, in words, with the address of these; empty for none.
    pub errors: (String, String),
    /// How many punches are estimates, in words, with the address of these; empty for none.
    pub inferred: (String, String),
    /// Their first logon of today, empty for none.
    pub first: String,
}

/// Address of the list of this month.
const LIST: &str = "/days";

/// Unread remarks are counted up to here; more of them are `99+`.
const OPEN_MAX: usize = 100;

/// How many remarks nobody has read yet, for the button that leads to them; empty for none.
///
/// # Errors
/// What the store says.
pub async fn open_remarks(state: &WebState, scope: Scope) -> Result<String, StoreError> {
    open_remarks_but(state, scope, None).await
}

/// The same without those about some dates.
async fn open_remarks_but(
    state: &WebState,
    scope: Scope,
    except: Option<(Date, Date)>,
) -> Result<String, StoreError> {
    let found = state.store.count_open_remarks(scope, except, OPEN_MAX).await?;
    Ok(match found {
        0 => String::new(),
        found if found < OPEN_MAX as u64 => found.to_string(),
        _ => format!("{}+", OPEN_MAX - 1),
    })
}

/// Words of the choices in addresses.
const SHOWS: [(&str, EmployeeShow); 3] =
    [("", EmployeeShow::Active), ("remarks", EmployeeShow::Remarked), ("gone", EmployeeShow::Gone)];

/// Whom a list shows, as the pages behind it carry it on.
#[derive(Debug, Clone)]
pub struct Listed {
    show: &'static str,
    /// Whom the store is asked for.
    pub wanted: EmployeeShow,
    /// What is searched for.
    pub q: String,
}

impl Listed {
    /// As an address asks; everybody of the month, with a message, where its choice is none.
    #[must_use]
    pub fn of(fields: &Fields, c: &mut Chrome) -> Self {
        let (show, wanted) = shown(&SHOWS, fields.text("show"), c);
        Self { show, wanted, q: fields.text("q").to_owned() }
    }

    /// Whether an address asks for a choice that there is.
    #[must_use]
    pub fn is_known(fields: &Fields) -> bool {
        SHOWS.iter().any(|(word, _)| *word == fields.text("show"))
    }

    /// Its fields, for addresses and forms; those that say nothing are left out.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [("show", self.show.to_owned()), ("q", self.q.clone())];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Address of the list of a month. This month is named, too: a page that was opened on the last evening of a month, or
    /// kept as a bookmark, would lead on to another month otherwise.
    #[must_use]
    pub fn address(&self, month: Date) -> String {
        address::<String>(LIST, &self.asked(month, &Fields::default()), None)
    }

    /// What the list of a month is asked for, with the place in it that `fields` ask for.
    fn asked(&self, month: Date, fields: &Fields) -> Fields {
        let month = [("month", month_text(month))];
        let places = PLACES.map(|name| (name, fields.text(name).to_owned()));
        let all = self.fields().into_iter().chain(month).chain(places);
        Fields::of_pairs(all.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// The people of a month: who left before it began is not among them, who left within it is.
#[must_use]
pub fn of_month(month: Date, today: Date) -> Day {
    Day { date: month, ..day_of(today) }
}

/// The list, searched for a code that is nobody's within the reader's reach: a slip of the hand is found there.
pub(super) async fn nobody(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    fields: &Fields,
    code: &str,
) -> Result<Response, WebError> {
    let c = &visit.chrome;
    let banner = Banner::new(Tone::Error, c.v("days-nobody", "code", code), c.t("days-nobody-text"));
    visit.chrome.banner = Some(banner);
    let pairs = [("q", code), ("month", fields.text("month"))];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let list = page(state, scope, visit, &Fields::of_pairs(pairs.into())).await?;
    Ok((StatusCode::NOT_FOUND, list).into_response())
}

/// The list, of those who are here and of those who have left.
pub(super) async fn page(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    fields: &Fields,
) -> Result<Response, WebError> {
    let listed = Listed::of(fields, &mut visit.chrome);
    let month = asked(&mut visit, fields.text("month"));
    let at = beside_text(fields);
    let (store, day) = (state.store.as_ref(), of_month(month, visit.chrome.today()));
    let (wanted, q) = (listed.wanted, listed.q.clone());
    let found = store.employee_page(scope, wanted, q.clone(), at.clone(), day, ROWS).await?;
    let read =
        async |beside, rows| store.employee_page(scope, wanted, q.clone(), Some(beside), day, rows).await;
    let asked = listed.asked(month, fields);
    let (turns, banner) = turned(LIST, &asked, &found, at.as_ref(), read, &visit.chrome).await?;
    visit.chrome.banner = banner.or(visit.chrome.banner.take());
    let c = &visit.chrome;
    let counts = store.employee_counts(scope, listed.q.clone(), month).await?;
    let dates = (month, month.last_of_month());
    let span = times::start_of(dates.0).zip(times::end_of(dates.1)).unwrap_or((c.now, c.now));
    let ids: Vec<_> = found.rows.iter().map(|row| row.employee.id).collect();
    let said = store.count_remarks(scope.contract, ids.clone(), dates.0, dates.1).await?;
    let begins = visit.day_begins_minutes();
    let punched = store.punched(scope.contract, ids, span, begins).await?;
    let came = came(store, scope.contract, &found.rows, begins, c.now).await?;
    let row =
        |(((found, punched), said), came): (((&EmployeeRow, Punched), RemarkCounts), Option<UtcMillis>)| {
            Row {
                remarks: remarks(said, c),
                first: came.map(times::clock_short).unwrap_or_default(),
                ..row(found, punched, dates, &listed, c)
            }
        };
    let segments = segments(&listed, &counts, month, c);
    let page = views::DaysPeople {
        elsewhere: if listed.q.is_empty() { Vec::new() } else { Segment::elsewhere(&segments, c) },
        segments,
        rows: found.rows.iter().zip(punched).zip(said).zip(came).map(row).collect(),
        shown: c.n("shown-people", found.rows.len()),
        turns,
        remarked: (open_remarks(state, scope).await?, open_remarks_but(state, scope, Some(dates)).await?),
        month: c.long_month(month),
        ways: ways(&listed, month, c),
        csv: file_address(None, &listed, month, c),
        hidden: [("month", month_text(month))]
            .into_iter()
            .chain(listed.fields())
            .filter(|(name, _)| *name != "q")
            .collect(),
        current: month == c.today().first_of_month(),
        q: listed.q,
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}

fn ways(listed: &Listed, month: Date, c: &Chrome) -> Ways {
    Ways::around(month, LIST, listed.fields(), |month| listed.address(month), c)
}

fn segments(listed: &Listed, counts: &EmployeeCounts, month: Date, c: &Chrome) -> Vec<Segment> {
    let tab = |(show, wanted): (&'static str, EmployeeShow), key: &str, number: u64| Segment {
        href: Listed { show, wanted, q: listed.q.clone() }.address(month),
        text: c.t(key),
        number: Some(usize::try_from(number).unwrap_or(usize::MAX)),
        current: listed.show == show,
        icon: "",
    };
    let [active, remarked, gone] = SHOWS;
    vec![
        tab(active, "days-of-month", counts.active),
        tab(remarked, "days-remarked", counts.remarked),
        tab(gone, "days-left-before", counts.gone),
    ]
}

fn row(found: &EmployeeRow, punched: Punched, dates: (Date, Date), listed: &Listed, c: &Chrome) -> Row {
    let code = &found.employee.data.code;
    let among = |number: u64, text: String, field: (&str, &str)| match number {
        0 => (String::new(), String::new()),
        _ => (text, punches_address(code, dates, field)),
    };
    let error_dates = c.n("days-dates", punched.error_dates);
    Row {
        whose: Whose::of(&found.employee),
        href: with_fields(month_address(code, dates.0), '&', listed),
        remarks: String::new(),
        dates: c.n("days-dates", punched.dates),
        why: (punched.dates == 0).then(|| why(found, dates, c)).flatten(),
        outside: (punched.outside_dates > 0).then(|| c.n("days-outside", punched.outside_dates)),
        errors: among(punched.error_dates as u64, error_dates, ("errors", "1")),
        inferred: among(punched.inferred, c.n("days-inferred", punched.inferred), ("how", "inferred")),
        first: String::new(),
    }
}

/// What somebody said about the days of a month: as many remarks as their month has, and how many of these are unread.
fn remarks(said: RemarkCounts, c: &Chrome) -> String {
    match said {
        RemarkCounts { holding: 0, .. } => String::new(),
        RemarkCounts { holding, open: 0 } => c.n("days-remarks-of", holding),
        RemarkCounts { holding, open } => {
            let numbers = [("n", &*holding.to_string()), ("open", &*open.to_string())];
            c.words().with("days-remarks-open", &numbers)
        }
    }
}

/// An address with whom the list shows behind it.
pub(super) fn with_fields(address: String, separator: char, listed: &Listed) -> String {
    let fields = listed.fields();
    if fields.is_empty() {
        return address;
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{address}{separator}{query}")
}

/// The punches of somebody's month that are of one sort.
pub(super) fn punches_address(code: &str, (from, to): (Date, Date), (name, value): (&str, &str)) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("employee", code);
    query.append_pair("from", &from.to_string()).append_pair("to", &to.to_string());
    query.append_pair(name, value);
    format!("/punches?{}", query.finish())
}

/// Why somebody can have no punch in a month, and where that is mended by whoever may.
fn why(found: &EmployeeRow, (first, last): (Date, Date), c: &Chrome) -> Option<(String, String)> {
    let Employee { data, .. } = &found.employee;
    if data.active_from.is_some_and(|from| last < from) {
        return Some((c.t("day-before-employment"), String::new()));
    }
    let here = data.active_to.is_none_or(|to| first <= to);
    let way = if c.may(Action::AccountsLink) { "/accounts?show=waiting" } else { "" };
    (here && found.accounts.is_empty()).then(|| (c.t("days-unlinked"), way.to_owned()))
}
