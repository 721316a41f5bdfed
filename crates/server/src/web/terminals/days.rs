//! 記録の状況: what is known of each of the last days of a terminal.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use mngntime_attendance::completeness::{self, Part, Why};

use super::super::WebState;
use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::session::Visit;
use super::super::times;
use super::super::views;
use crate::access::Action;
use crate::days::{self, Dated};

/// Days shown: a month and the day that began it.
const DAYS: i32 = 31;

/// A day, ready to be written.
#[derive(Debug, Clone)]
pub struct DayRow {
    /// The date in words.
    pub date: String,
    /// Class of the state.
    pub state: &'static str,
    /// The state in words.
    pub state_text: String,
    /// How many events arrived late; empty when none.
    pub late: String,
    /// What is not simply watched or off.
    pub parts: Vec<String>,
}

/// `GET /terminals/{terminal}/days`
///
/// # Errors
/// [`WebError`] when the person may not see terminals, there is no such one, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(terminal): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::DaysOfTerminal)?.contract()?;
    visit.chrome = visit.chrome.at(Place::Terminals);
    let terminal = super::find(&state, contract, &terminal).await?;
    let c = &visit.chrome;
    let today = c.today();
    let from = today.checked_sub((DAYS - 1).days()).unwrap_or(today);
    let days = days::of_terminal(state.store.as_ref(), contract, &terminal, (from, today), c.now).await?;
    let rows: Vec<DayRow> = days.iter().rev().map(|dated| row(dated, c)).collect();
    let id = terminal.id.to_string();
    let page = views::TerminalDays { id, host: terminal.host_name, rows, c: visit.chrome };
    Ok(page.render_page()?.into_response())
}

/// Class and key of a day's state, the same as in a person's month.
fn state(day: &completeness::Day) -> (&'static str, &'static str) {
    let before = |part: &Part| part.why == Why::BeforeFirstStart;
    match day.state {
        completeness::State::Observed => ("ok", "day-observed"),
        completeness::State::AgentOff => ("late", "day-agent-off"),
        completeness::State::Retired => ("blocked", "day-retired"),
        // Nothing was watched yet, so nothing is missing.
        completeness::State::Unknown if day.parts.iter().all(before) => ("before", "day-before-record"),
        completeness::State::Unknown => ("unknown", "day-unknown"),
    }
}

fn row(dated: &Dated, c: &Chrome) -> DayRow {
    let (state, key) = state(&dated.day);
    let late = dated.day.late;
    DayRow {
        date: c.long_date(dated.date),
        state,
        state_text: c.t(key),
        late: if late > 0 { c.n("day-late", late) } else { String::new() },
        parts: dated.day.parts.iter().filter_map(|part| part_text(part, dated, c)).collect(),
    }
}

/// Key of the reason why a stretch is not simply watched or off.
#[must_use]
pub fn why_key(why: Why) -> Option<&'static str> {
    Some(match why {
        Why::Watched | Why::ShutDown | Why::Off | Why::BetweenContacts => return None,
        Why::AgentStopped => "why-agent-stopped",
        Why::AgentAbsent => "why-agent-absent",
        Why::Retired => "why-retired",
        Why::PowerLost => "why-power-lost",
        Why::RecordsLost => "why-records-lost",
        Why::NumbersMissing => "why-numbers-missing",
        Why::ClockDoubted => "why-clock-doubted",
        Why::SilentSinceShutdown => "why-silent-since-shutdown",
        Why::Silent => "why-silent",
        Why::BeforeFirstStart => "why-before-first-start",
    })
}

fn part_text(part: &Part, dated: &Dated, c: &Chrome) -> Option<String> {
    let why = why_key(part.why)?;
    let whole = (part.from, part.to) == dated.span;
    let range = if whole { c.t("day-whole") } else { times::range(part.from, part.to) };
    Some(format!("{range} {}", c.t(why)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::UtcMillis;

    #[test]
    fn a_day_before_the_record_is_no_day_of_which_something_is_missing() {
        let day = |whys: &[Why]| {
            let part = |why: &Why| Part { from: UtcMillis(0), to: UtcMillis(1), why: *why };
            let parts = whys.iter().map(part).collect();
            completeness::Day { state: completeness::State::Unknown, parts, late: 0 }
        };
        assert_eq!(state(&day(&[Why::BeforeFirstStart])), ("before", "day-before-record"));
        assert_eq!(state(&day(&[Why::BeforeFirstStart, Why::Watched])), ("unknown", "day-unknown"));
        assert_eq!(state(&day(&[Why::Silent])), ("unknown", "day-unknown"));
    }
}
