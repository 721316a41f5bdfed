//! `GET /punches.csv`: the list with the same filters as a file.
//!
//! UTF-8 with a byte order mark, because spreadsheets take it for another encoding otherwise. A cell that a
//! spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection): user and PC names
//! come from PCs and may be anything. The file is written page by page while it is read from the store;
//! should the store fail half-way, the transfer breaks off, so that nobody takes half a file for a whole.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use mngntime_store::{PageKey, Punch, PunchFilter, Scope, Store, StoreError};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::super::times;
use super::filter::Asked;
use super::row::{how_key, kind_key};
use crate::access::Action;

const STEP: usize = 500;

/// Rows at most: what a spreadsheet can open.
pub const ROWS_MAX: usize = 1_000_000;

/// Where the file has got to.
struct Progress {
    store: Arc<dyn Store>,
    scope: Scope,
    filter: PunchFilter,
    chrome: Chrome,
    place: Place,
    rows: usize,
}

enum Place {
    Start,
    After(PageKey),
    End,
}

/// The file. A query that cannot be understood leads back to the list, which says why.
///
/// # Errors
/// [`WebError`] when the person may not see punches or the store fails.
pub async fn file(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::PunchesExport)?.scope()?;
    let words = visit.chrome.words();
    let asked = Asked::read(state.store.as_ref(), scope, Fields::of_query(&uri)?, words).await?;
    if !asked.problems.is_empty() {
        return Ok(axum::response::Redirect::to(&asked.address(&[], "")).into_response());
    }
    let object = asked.conditions(visit.chrome.today(), words).join(", ");
    state.store.note(Some(scope.contract), "export_punches".into(), object, visit.act()).await?;
    Ok(stream_of(state.store.clone(), scope, asked.filter, visit.chrome))
}

/// The punches of a filter as a file.
#[must_use]
pub fn stream_of(store: Arc<dyn Store>, scope: Scope, filter: PunchFilter, chrome: Chrome) -> Response {
    let name = format!("punches-{}.csv", chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let start = Progress { store, scope, filter, chrome, place: Place::Start, rows: 0 };
    (headers, Body::from_stream(stream::try_unfold(start, step))).into_response()
}

/// The next piece of the file.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let (after, mut text) = match progress.place {
        Place::Start => (None, format!("\u{feff}{}", line(&head(&progress.chrome)))),
        Place::After(key) => (Some(key), String::new()),
        Place::End => return Ok(None),
    };
    let filter = progress.filter.clone();
    let page = progress.store.list_punches(progress.scope, filter, after, STEP).await?;
    for punch in &page.punches {
        text.push_str(&line(&cells(punch, &progress.chrome)));
    }
    progress.rows += page.punches.len();
    progress.place = match page.next {
        Some(next) if progress.rows < ROWS_MAX => Place::After(next),
        _ => Place::End,
    };
    Ok(Some((Bytes::from(text), progress)))
}

fn head(c: &Chrome) -> Vec<String> {
    const KEYS: [&str; 18] = [
        "col-at",
        "col-received",
        "col-kind",
        "col-domain",
        "col-user",
        "col-code",
        "col-name",
        "col-terminal",
        "col-error",
        "col-res",
        "col-message",
        "col-how",
        "col-not-before",
        "col-not-after",
        "col-sequence",
        "how-unattended",
        "col-present-from",
        "col-present-not-after",
    ];
    KEYS.iter().map(|key| c.t(key)).collect()
}

fn cells(punch: &Punch, c: &Chrome) -> Vec<String> {
    let error = super::row::error(punch.result, c);
    let (res, message) = error.map_or_else(Default::default, |(res, message)| (res.to_string(), message));
    let present_bounds = punch.unattended.and_then(|found| found.present_bounds);
    vec![
        times::full(punch.occurred_at),
        times::full(punch.received_at),
        c.t(kind_key(punch.kind)),
        punch.domain.clone(),
        punch.name.clone(),
        punch.employee_code.clone().unwrap_or_default(),
        punch.employee_name.clone().unwrap_or_default(),
        punch.host_name.clone(),
        if res.is_empty() { String::new() } else { "○".to_owned() },
        res,
        message,
        c.t(how_key(punch.evidence, punch.resent)),
        punch.bounds.map(|bounds| times::full(bounds.not_before)).unwrap_or_default(),
        punch.bounds.map(|bounds| times::full(bounds.not_after)).unwrap_or_default(),
        punch.sequence.to_string(),
        punch.unattended.map(|_| "○".to_owned()).unwrap_or_default(),
        punch.unattended.and_then(|found| found.present_from).map(times::full).unwrap_or_default(),
        present_bounds.map(|bounds| times::full(bounds.not_after)).unwrap_or_default(),
    ]
}

/// One line: every cell in quotes, as RFC 4180 has it.
pub(in crate::web) fn line(cells: &[String]) -> String {
    let mut line = String::new();
    for (place, cell) in cells.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(line, "{comma}\"{}\"", harmless(cell).replace('"', "\"\""));
    }
    line.push_str("\r\n");
    line
}

/// The cell as no spreadsheet takes it for a formula. Full-width signs count: Japanese input methods make
/// them, and some spreadsheets read them.
fn harmless(cell: &str) -> String {
    const SIGNS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    if cell.trim_start_matches(' ').starts_with(SIGNS) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        let cells = ["=1+1", "+1", "-1", "@x", " =1", "＝1", "a\"b", "普通"].map(str::to_owned);
        assert_eq!(
            line(&cells),
            "\"'=1+1\",\"'+1\",\"'-1\",\"'@x\",\"' =1\",\"'＝1\",\"a\"\"b\",\"普通\"\r\n"
        );
    }
}
