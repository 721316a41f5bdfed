//! `GET /terminals`: the board whose counts are filters, and the list.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use mngntime_store::{FleetCounts, FleetPage, FleetShow, Marks, Measures, Terminal, TerminalStatus};

use super::query::{Asked, ORDERS};
use super::views::{self, render};
use super::{Condition, ago, measures, offset, standing};
use crate::access::Action;
use crate::web::WebState;
use crate::web::chrome::{Banner, Chrome, Place, Tone};
use crate::web::errors::WebError;
use crate::web::fields::Fields;
use crate::web::pages::{ROWS, Turns};
use crate::web::session::Visit;
use crate::web::times;
use crate::web::views::{Choice, Steps};

/// One count of the board.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Where it leads.
    pub href: String,
    /// What is counted.
    pub label: String,
    /// How many.
    pub number: u64,
    /// Class of the cell, empty when nobody need look.
    pub class: &'static str,
    /// Last part of the drawing's name, empty for none.
    pub icon: &'static str,
    /// Whether the list shows exactly this.
    pub current: bool,
}

/// A terminal of the list.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// PC name.
    pub host: String,
    /// Class and drawing of its state.
    pub state: &'static str,
    /// Its state in words.
    pub state_text: String,
    /// Marks in words.
    pub tags: Vec<String>,
    /// Whether its identity is in doubt.
    pub is_error: bool,
    /// When it was last heard of.
    pub last: String,
    /// How long ago that is, where it matters.
    pub ago: String,
    /// Events waiting on it.
    pub waiting: u64,
    /// Its clock's offset, empty when silent or not heard of yet.
    pub offset: String,
    /// Whether the offset is worth a warning.
    pub offset_large: bool,
    /// Version of the agent.
    pub version: String,
    /// Operating system.
    pub os: String,
    /// What people wrote of it, empty for nothing.
    pub note: String,
}

/// The page.
///
/// # Errors
/// [`WebError`] when the person may not see terminals or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsRead)?.contract()?;
    visit.chrome = visit.chrome.at(Place::Terminals);
    let asked = Asked::read(&Fields::of_query(&uri)?);
    let measures = measures(&state, contract, visit.chrome.now).await?;
    let counts = state.store.fleet_counts(contract, measures.clone()).await?;
    if counts.of(FleetShow::InUse) + counts.of(FleetShow::Retired) == 0 {
        let steps = Steps::new(&state, visit.contract_code());
        return render(&views::TerminalsBlank { c: visit.chrome, steps });
    }
    let complaint = asked.complaint(&visit.chrome);
    if !complaint.is_empty() {
        visit.chrome.banner = Some(Banner::new(Tone::Error, visit.chrome.t("filter-bad"), complaint));
    }
    let filter = asked.filter.clone();
    let found = state.store.fleet_page(contract, measures.clone(), filter.clone(), asked.at, ROWS).await?;
    let matches = if asked.at.is_none() && found.next.is_none() {
        found.rows.len() as u64
    } else if filter.text.is_empty() && filter.only.is_none() {
        counts.of(filter.show)
    } else {
        state.store.fleet_matches(contract, measures.clone(), filter).await?
    };
    let names = found.rows.iter().map(|terminal| terminal.host_name.clone()).collect();
    let same = state.store.same_named(contract, names).await?;
    let turns = Turns::around(&found, asked.at.as_ref(), |beside| asked.at("/terminals", beside))?;
    render(&view(visit, &asked, &measures, &counts, (found, same, turns), matches))
}

fn view(
    visit: Visit,
    asked: &Asked,
    measures: &Measures,
    counts: &FleetCounts,
    (found, same, turns): (FleetPage, Vec<u64>, Turns),
    matches: u64,
) -> views::Terminals {
    let c = &visit.chrome;
    let shown = [("shown", found.rows.len() as u64), ("total", matches)];
    views::Terminals {
        contact: contact(asked, counts, c),
        marks: marks(asked, counts, c),
        orders: orders(asked, c),
        rows: found.rows.iter().zip(&same).map(|(found, same)| row(found, *same, measures, c)).collect(),
        shown: c.words().numbers("shown-terminals", &shown),
        turns,
        // As the health page counts them.
        total: counts.of(FleetShow::InUse).saturating_sub(counts.of(FleetShow::Blocked)),
        matches,
        more: matches > found.rows.len() as u64,
        q: asked.q.clone(),
        show: asked.show.to_owned(),
        show_text: c.t(label(asked.filter.show)),
        csv: asked.at("/terminals.csv", None),
        here: asked.at("/terminals", asked.at.as_ref()),
        may_block: visit.may(Action::TerminalsBlock),
        may_unblock: visit.may(Action::TerminalsUnblock),
        may_retire: visit.may(Action::TerminalsRetire),
        retired: asked.filter.show == FleetShow::Retired,
        c: visit.chrome,
    }
}

fn orders(asked: &Asked, c: &Chrome) -> Vec<Choice> {
    let keys = ["sort-attention", "sort-name", "sort-contact", "sort-waiting"];
    let choice = |((word, _), key): (&(&str, _), &str)| Choice::new(word, c.t(key), *word == asked.sort);
    ORDERS.iter().zip(keys).map(choice).collect()
}

/// Address of the list with nothing but a choice.
pub(in crate::web) fn address(show: FleetShow) -> String {
    Asked::default().showing(show)
}

/// Key of a choice's words.
pub(in crate::web) fn label(show: FleetShow) -> &'static str {
    match show {
        FleetShow::InUse => "show-in-use",
        FleetShow::Healthy => "state-ok",
        FleetShow::Late => "state-late",
        FleetShow::Silent => "state-silent",
        FleetShow::SilentWeek => "state-silent-week",
        FleetShow::SilentMonth => "state-silent-month",
        FleetShow::Blocked => "state-blocked",
        FleetShow::Duplicate => "mark-duplicate",
        FleetShow::Missing => "mark-missing",
        FleetShow::OldVersion => "mark-old",
        FleetShow::ClockOff => "mark-clock",
        FleetShow::SpoolGrowing => "mark-spool",
        FleetShow::MakeupChanged => "mark-makeup",
        FleetShow::SameName => "mark-same-name",
        FleetShow::Retired => "state-retired",
    }
}

fn contact(asked: &Asked, counts: &FleetCounts, c: &Chrome) -> Vec<Cell> {
    let shows = [
        (FleetShow::InUse, "", ""),
        (FleetShow::Healthy, "ok", ""),
        (FleetShow::Late, "late", "is-warn"),
        (FleetShow::Silent, "unheard", "is-warn"),
        (FleetShow::SilentWeek, "", "is-warn"),
        (FleetShow::SilentMonth, "", "is-warn"),
        (FleetShow::Blocked, "blocked", ""),
        (FleetShow::Retired, "retired", ""),
    ];
    shows.into_iter().map(|(show, icon, class)| cell(asked, counts, c, show, icon, class)).collect()
}

fn marks(asked: &Asked, counts: &FleetCounts, c: &Chrome) -> Vec<Cell> {
    let shows = [
        (FleetShow::Duplicate, "is-bad"),
        (FleetShow::MakeupChanged, "is-bad"),
        (FleetShow::Missing, "is-bad"),
        (FleetShow::SpoolGrowing, "is-warn"),
        (FleetShow::ClockOff, "is-warn"),
        (FleetShow::OldVersion, "is-warn"),
        (FleetShow::SameName, "is-warn"),
    ];
    shows.into_iter().map(|(show, class)| cell(asked, counts, c, show, "", class)).collect()
}

fn cell(
    asked: &Asked,
    counts: &FleetCounts,
    c: &Chrome,
    show: FleetShow,
    icon: &'static str,
    class: &'static str,
) -> Cell {
    let number = counts.of(show);
    Cell {
        href: asked.showing(show),
        label: c.t(label(show)),
        number,
        class: if number > 0 { class } else { "" },
        icon,
        current: asked.filter.show == show,
    }
}

fn row(terminal: &Terminal, same: u64, measures: &Measures, c: &Chrome) -> Row {
    let state = Condition::of(terminal, measures.now, measures.contact_seconds);
    let silent = state == Condition::Silent;
    let marks = Marks::of(terminal, measures);
    let tags = tags(terminal, marks, same, c);
    Row {
        id: terminal.id.to_string(),
        host: terminal.host_name.clone(),
        state: state.name(),
        state_text: state_text(state, !tags.is_empty(), c),
        tags,
        is_error: marks.duplicate,
        last: terminal.last_contact_at.map_or_else(|| c.t("terminal-never"), times::month_clock),
        ago: terminal.last_contact_at.filter(|_| silent).map(|last| ago(last, c)).unwrap_or_default(),
        waiting: terminal.waiting,
        offset: offset(terminal).filter(|_| !silent).map(|ms| c.ahead(ms)).unwrap_or_default(),
        offset_large: marks.clock_off,
        version: terminal.agent_version.clone(),
        os: terminal.os.clone(),
        note: terminal.note.as_ref().map(|note| note.text.clone()).unwrap_or_default(),
    }
}

/// The state in words. Contact is no more than contact: a terminal with a mark is not all well.
pub(super) fn state_text(state: Condition, marked: bool, c: &Chrome) -> String {
    c.t(if marked && state == Condition::Healthy { "state-ok-marked" } else { state.key() })
}

/// Every mark in a word, the gravest first. The clock has a column of its own. `same` of those in use bear its name.
pub(super) fn tags(terminal: &Terminal, marks: Marks, same: u64, c: &Chrome) -> Vec<String> {
    let duplicate = marks.duplicate.then(|| standing::tag(terminal.standing(), c));
    let rest = [
        (marks.makeup_changed, "mark-makeup"),
        (marks.missing, "standing-missing"),
        (marks.spool_growing, "mark-spool"),
        (marks.old_version, "mark-old"),
    ];
    let rest = rest.into_iter().filter(|(holds, _)| *holds).map(|(_, key)| c.t(key));
    let others = same.saturating_sub(1);
    let namesakes = terminal.status != TerminalStatus::Retired && others > 0;
    let namesakes = namesakes.then(|| c.n("mark-namesakes", others));
    duplicate.into_iter().chain(rest).chain(namesakes).collect()
}
