//! `GET /days/{employee}/{date}`: a person's day.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_attendance::completeness::{Part, Why};
use mngntime_attendance::person_day::{Band, DayStay, Edge, EventId, Kind, Lane, Mark, minutes};
use mngntime_model::{Evidence, UtcMillis};
use mngntime_store::{Employee, Scope};

use super::super::WebState;
use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::fields::{Fields, date_of};
use super::super::me;
use super::super::punches::row::arrival_key;
use super::super::session::Visit;
use super::super::terminals::days::why_key;
use super::super::views;
use super::month;
use super::people;
use super::picture::{self, Hour, LaneView, Scale};
use super::words::{self, Time, band_key, day_clock_exact, event_key, range};
use super::{Home, Listed, Opens, Whose, fields, punches_outside, total};
use crate::access::Action;
use crate::person_days::{Dated, PersonDays};

/// Rows of each table, and events in the picture: ten times an ordinary day. Bands are drawn all the same.
pub const ROWS_MAX: usize = 200;

/// The field of the list of people that says which month.
const MONTH: &str = "month";

/// A band as a row.
#[derive(Debug, Clone)]
pub struct BandRow {
    /// Its number, for links.
    pub number: usize,
    /// From when to when.
    pub from: String,
    /// To when; empty while it goes on.
    pub to: String,
    /// How long.
    pub duration: String,
    /// PC name.
    pub host: String,
    /// `DOMAIN\name`.
    pub account: String,
    /// Remote, from the day before, on to the next day.
    pub tags: Vec<String>,
    /// Class of its pattern.
    pub class: &'static str,
    /// What it is.
    pub kind: String,
    /// Why nobody watched; empty for none.
    pub why: String,
    /// Addresses and words of the events behind it.
    pub events: Vec<(String, String)>,
}

/// An event as a row.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// When.
    pub at: String,
    /// Its drawing.
    pub sign: &'static str,
    /// What happened.
    pub kind: String,
    /// PC name.
    pub host: String,
    /// `DOMAIN\name`, empty for events of the PC.
    pub account: String,
    /// 取得方法.
    pub how: String,
    /// Whether that is a guess.
    pub guess: bool,
    /// Whether its time had not come when it was received, and wears a badge.
    pub look: bool,
    /// It had waited on the PC, which how it is known does not say.
    pub late: bool,
    /// Address of the event.
    pub href: String,
}

/// What was not watched of a PC.
#[derive(Debug, Clone)]
pub struct Hole {
    /// PC name.
    pub host: String,
    /// From when to when.
    pub range: String,
    /// Why.
    pub why: String,
}

/// Ways to other days.
#[derive(Debug, Clone)]
pub struct Ways {
    /// Address of the day before.
    pub before: String,
    /// Address of the day after.
    pub after: String,
    /// Address of the month.
    pub month: String,
}

/// A day, ready to be written.
#[derive(Debug, Clone)]
pub struct DayView {
    /// The date in words.
    pub date: String,
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
    /// Why there is no stay; empty when there is one.
    pub silence: String,
    /// How long a session was in a state to be used.
    pub active: String,
    /// Whether a part of it is the night of the day before, and counted there.
    pub night: bool,
    /// How long beyond that its state is not known; empty for never.
    pub unclear: String,
    /// Lines of the hours.
    pub hours: Vec<Hour>,
    /// PCs.
    pub lanes: Vec<LaneView>,
    /// Bands as rows.
    pub bands: Vec<BandRow>,
    /// Bands that have no row.
    pub more_bands: usize,
    /// Events as rows.
    pub events: Vec<EventRow>,
    /// Events that are not shown.
    pub more: usize,
    /// What was not watched.
    pub holes: Vec<Hole>,
}

/// The page.
///
/// # Errors
/// [`WebError`] when the person may not see attendance, there is no such employee, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    mut visit: Visit,
    Path((code, date)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, WebError> {
    let scope = visit.permit(Action::DaysOfPerson)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Days);
    let fields = fields(&uri)?;
    let Some(employee) = state.store.employee_by_code(scope, code.clone()).await? else {
        return people::nobody(&state, scope, visit, &in_month(fields, &date), &code).await;
    };
    let listed = Listed::of(&fields, &mut visit.chrome);
    let home = Home::Of { code: &employee.data.code, listed: &listed };
    render(&state, scope, visit, &employee, home, &date).await
}

/// What the list of people is asked for by the address of a day: its month, when it names one.
pub(super) fn in_month(fields: Fields, date: &str) -> Fields {
    match date_of(date) {
        Ok(Some(date)) => {
            let month = [(MONTH.to_owned(), super::month_text(date))];
            Fields::of_pairs(fields.without(MONTH).iter().cloned().chain(month).collect())
        }
        Ok(None) | Err(_) => fields,
    }
}

/// The day that `date` names; the month with a message, when it names none.
pub(in super::super) async fn render(
    state: &WebState,
    scope: Scope,
    mut visit: Visit,
    employee: &Employee,
    home: Home<'_>,
    date: &str,
) -> Result<Response, WebError> {
    let Ok(Some(date)) = date_of(date) else {
        let c = &visit.chrome;
        let banner = month::wrong(c.v("filter-bad-date", "text", date), c);
        let today = c.today();
        visit.chrome.banner = Some(banner);
        return month::render(state, scope, visit, employee, home, today.first_of_month()).await;
    };
    visit.looked_at(state, scope.contract, Some(employee.id), "day").await?;
    let (c, store) = (&visit.chrome, state.store.as_ref());
    let remarks = me::remarks_on(state, scope, employee.id, date, &visit).await?;
    let begins = visit.day_begins_minutes();
    let found = PersonDays::read(store, scope.contract, employee.id, (date, date), begins, c.now).await?;
    let dated = found.days.first().ok_or(WebError::NotFound)?;
    let page = views::DaysDay {
        whose: Whose::of(employee),
        ways: ways(home, date),
        remark: remark_address(home, date, &visit),
        kinds: legend(),
        day: DayView::of(dated, &found, c, Opens { home, date, whole: scope.is_whole() }),
        whole: found.whole,
        remarks,
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}

/// Class and key of every kind of band.
#[must_use]
pub fn legend() -> Vec<(&'static str, &'static str)> {
    Kind::ALL.iter().map(|kind| (picture::class(*kind), band_key(*kind))).collect()
}

fn ways(home: Home<'_>, date: Date) -> Ways {
    Ways {
        before: home.day(date.yesterday().unwrap_or(date)),
        after: home.day(date.tomorrow().unwrap_or(date)),
        month: home.month(date),
    }
}

/// Where something can be said about one's own day.
fn remark_address(home: Home<'_>, date: Date, visit: &Visit) -> Option<String> {
    let own = matches!(home, Home::Own) && visit.may(Action::OwnRecordRemark);
    let offered = own && date <= visit.chrome.today();
    offered.then(|| format!("/me?month={}&date={date}#r-head", super::month_text(date)))
}

impl DayView {
    fn of(dated: &Dated, found: &PersonDays, c: &Chrome, opens: Opens<'_>) -> Self {
        let (day, midnight) = (&dated.day, dated.borders.from);
        let scale = Scale::new(midnight, day.until);
        let edge_host = |edge: &Edge| found.host(edge.event.terminal).to_owned();
        let lane_host = |lane: &Lane| found.host(lane.terminal).to_owned();
        let now = (dated.date == c.today()).then_some(c.now);
        let mut marks: Vec<&Mark> = day.lanes.iter().flat_map(|lane| &lane.marks).collect();
        marks.sort_by_key(|mark| (mark.at, mark.event));
        let count = day.lanes.iter().flat_map(|lane| &lane.stays).map(|stay| stay.bands.len()).sum::<usize>();
        let (first, last) = (
            words::first(day, midnight, (c, opens), &edge_host),
            words::last(day, midnight, (c, opens), &edge_host),
        );
        let (first, last, state) = match words::before_its_time(dated, found, c) {
            // Whatever a PC says of it, nobody was there yet.
            Some(words) => (Time::none(words.clone()), Time::none(words.clone()), ("outside", words)),
            None => (first, last, words::state(day, c)),
        };
        let event = |mark: &&Mark| event_row(mark, midnight, found, c, opens);
        Self {
            date: c.long_date(dated.date),
            first,
            last,
            state,
            outside: day.has_punches_outside(),
            punches: punches_outside(dated, found, opens, c),
            silence: words::silence(day, c),
            active: total::minutes_of(day)
                .filter(|_| words::before_its_time(dated, found, c).is_none())
                .map_or_else(|| "–".to_owned(), words::duration),
            night: day.lanes.iter().flat_map(|lane| &lane.stays).any(|stay| stay.counted_from > midnight),
            unclear: match minutes(day.unclear_ms) {
                0 => String::new(),
                unclear => words::duration(unclear),
            },
            hours: scale.hours(),
            lanes: picture::lanes(day, scale, now, (c, opens), &lane_host),
            bands: band_rows(dated, found, c, opens),
            more_bands: count.saturating_sub(ROWS_MAX),
            events: marks.iter().take(ROWS_MAX).map(event).collect(),
            more: marks.len().saturating_sub(ROWS_MAX),
            holes: holes(dated, found, c),
        }
    }
}

/// In the order of the picture.
fn band_rows(dated: &Dated, found: &PersonDays, c: &Chrome, opens: Opens<'_>) -> Vec<BandRow> {
    let stays = dated.day.lanes.iter().flat_map(|lane| lane.stays.iter().map(move |stay| (lane, stay)));
    let bands = stays.flat_map(|(lane, stay)| stay.bands.iter().map(move |band| (lane, stay, band)));
    let row = |(number, (lane, stay, band)): (usize, (&Lane, &DayStay, &Band))| BandRow {
        number,
        host: found.host(lane.terminal).to_owned(),
        ..band_row(stay, band, dated.borders.from, c, opens)
    };
    (1..=ROWS_MAX).zip(bands).map(row).collect()
}

fn band_row(stay: &DayStay, band: &Band, midnight: UtcMillis, c: &Chrome, opens: Opens<'_>) -> BandRow {
    let address = |id: &EventId| (opens.event(*id), format!("#{}", id.sequence));
    let clock = |time| day_clock_exact(time, midnight);
    let mut events: Vec<_> = band.begins.iter().chain(&band.ends).copied().collect();
    events.dedup();
    BandRow {
        number: 0,
        from: clock(band.from),
        to: if band.ends.is_none() && !stay.goes_on { c.t("day-now") } else { clock(band.to) },
        duration: words::duration_exact(band.from, band.to),
        host: String::new(),
        account: stay.account.to_string(),
        tags: tags(stay, band, c),
        class: picture::class(band.kind),
        kind: c.t(band_key(band.kind)),
        why: band.why.and_then(why_key).map(|key| c.t(key)).unwrap_or_default(),
        events: events.iter().map(address).collect(),
    }
}

fn tags(stay: &DayStay, band: &Band, c: &Chrome) -> Vec<String> {
    let remote = match (stay.remote, &stay.client) {
        (false, _) => None,
        (true, Some(client)) => Some(c.v("day-remote-from", "client", client)),
        (true, None) => Some(c.t("day-remote")),
    };
    let before = stay.from_before && stay.bands.first() == Some(band);
    let on = stay.goes_on && stay.bands.last() == Some(band);
    let before = before.then(|| c.t("day-from-before"));
    remote.into_iter().chain(before).chain(on.then(|| c.t("day-goes-on"))).collect()
}

fn event_row(mark: &Mark, midnight: UtcMillis, found: &PersonDays, c: &Chrome, opens: Opens<'_>) -> EventRow {
    let clock = |time| day_clock_exact(time, midnight);
    EventRow {
        at: match mark.interval() {
            Some(bounds) => format!("{}〜{}", clock(bounds.not_before), clock(bounds.not_after)),
            None => clock(mark.at),
        },
        sign: picture::sign_of(mark.kind),
        kind: c.t(event_key(mark.kind)),
        host: found.host(mark.event.terminal).to_owned(),
        account: mark.account.as_ref().map(ToString::to_string).unwrap_or_default(),
        how: c.t(arrival_key(found.arrival(mark))),
        guess: mark.evidence == Evidence::Inferred,
        look: found.arrival(mark).is_of_a_wrong_clock(),
        late: mark.late && mark.evidence != Evidence::Notice,
        href: opens.event(mark.event),
    }
}

/// What was not watched, each with the whole time of it: a power cut over midnight happened once, between two times, and
/// is told so on both days.
fn holes(dated: &Dated, found: &PersonDays, c: &Chrome) -> Vec<Hole> {
    let of_lane = |lane: &Lane| {
        let parts = lane.parts.iter().zip(&lane.whole_parts);
        parts.filter_map(|parts| hole(lane, parts, dated, found, c)).collect::<Vec<_>>()
    };
    dated.day.lanes.iter().flat_map(of_lane).collect()
}

fn hole(
    lane: &Lane,
    (part, whole): (&Part, &Part),
    dated: &Dated,
    found: &PersonDays,
    c: &Chrome,
) -> Option<Hole> {
    let why = c.t(why_key(part.why)?);
    let midnight = dated.borders.from;
    let all_day = part.from == midnight && part.to == dated.borders.to;
    let range = if all_day && part.why != Why::PowerLost {
        c.t("day-whole")
    } else {
        range((whole.from, whole.to), midnight)
    };
    Some(Hole { host: found.host(lane.terminal).to_owned(), range, why })
}
