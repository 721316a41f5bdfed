//! `GET /terminals.csv`: the list with the same filter, or the rows that were chosen, as a file.
//!
//! As the file of punches: in one of two encodings, no cell that a spreadsheet would run, written page by page
//! while it is read. In the order of names, so that a walk of ten thousand rows is one walk along an index; a
//! spreadsheet sorts by itself.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use mngntime_store::{
    Beside, ContractId, FleetFilter, FleetKey, FleetOrder, Marks, Measures, Store, StoreError, Terminal,
};

use super::query::Asked;
use super::{Condition, board, kept, measures, offset};
use crate::access::Action;
use crate::web::WebState;
use crate::web::chrome::Chrome;
use crate::web::errors::WebError;
use crate::web::fields::Fields;
use crate::web::session::Visit;
use crate::web::sheet::Encoding;
use crate::web::times;

const STEP: usize = 500;

/// Where the file has got to.
struct Progress {
    store: Arc<dyn Store>,
    contract: ContractId,
    measures: Measures,
    filter: FleetFilter,
    encoding: Encoding,
    chrome: Chrome,
    place: Place,
}

enum Place {
    Start,
    After(FleetKey),
    End,
}

/// The file. An address that cannot be understood leads back to the list, which says why.
///
/// # Errors
/// [`WebError`] when the person may not see terminals or the store fails.
pub async fn file(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsRead)?.contract()?;
    let fields = Fields::of_query(&uri)?;
    let (asked, encoding) = (Asked::read(&fields), Encoding::asked(&fields));
    if !asked.bad.is_empty() {
        return Ok(axum::response::Redirect::to(&format!("/terminals?{}", uri.query().unwrap_or_default()))
            .into_response());
    }
    let measures = measures(&state, contract, visit.chrome.now).await?;
    let filter = FleetFilter { order: FleetOrder::Name, ..asked.filter.clone() };
    let chosen = filter.only.as_ref().map_or(String::new(), |only| format!(", {} chosen", only.len()));
    let object = format!("terminals {}{chosen}", asked.at("", None));
    state.store.note(Some(contract), "export_terminals".into(), object, visit.act()).await?;
    let name = format!("terminals-{}.csv", visit.chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let (store, chrome) = (state.store.clone(), visit.chrome);
    let start = Progress { store, contract, measures, filter, encoding, chrome, place: Place::Start };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// The next piece of the file.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let (after, mut text) = match progress.place {
        Place::Start => (None, progress.encoding.head(&head(&progress.chrome), &progress.chrome)),
        Place::After(key) => (Some(key), Vec::new()),
        Place::End => return Ok(None),
    };
    let (measures, filter) = (progress.measures.clone(), progress.filter.clone());
    let page = progress
        .store
        .fleet_page(progress.contract, measures, filter, after.map(Beside::After), STEP)
        .await?;
    let names = page.rows.iter().map(|terminal| terminal.host_name.clone()).collect();
    let same = progress.store.same_named(progress.contract, names).await?;
    for (terminal, same) in page.rows.iter().zip(same) {
        text.extend(progress.encoding.line(&cells(terminal, same, &progress.measures, &progress.chrome)));
    }
    progress.place = page.next.map_or(Place::End, Place::After);
    Ok(Some((Bytes::from(text), progress)))
}

fn head(c: &Chrome) -> Vec<String> {
    const KEYS: [&str; 14] = [
        "col-terminal",
        "col-state",
        "col-marks",
        "col-last-contact",
        "col-waiting",
        "col-offset-seconds",
        "col-version",
        "col-os",
        "col-key",
        "col-enrolled",
        "col-head",
        "col-missing",
        "col-note",
        "col-id",
    ];
    KEYS.iter().map(|key| c.t(key)).collect()
}

fn cells(terminal: &Terminal, same: u64, measures: &Measures, c: &Chrome) -> Vec<String> {
    let state = Condition::of(terminal, measures.now, measures.contact_seconds);
    let marks = Marks::of(terminal, measures);
    let mut tags = board::tags(terminal, marks, same, c);
    if marks.clock_off {
        tags.push(c.t("mark-clock"));
    }
    vec![
        terminal.host_name.clone(),
        c.t(state.key()),
        tags.join(c.t("list-comma").as_str()),
        terminal.last_contact_at.map(times::full).unwrap_or_default(),
        terminal.waiting.to_string(),
        // A plus would be taken for the beginning of a formula; the minus is the typographic one.
        offset(terminal).map(|ms| times::seconds_ahead(ms).replace('+', "")).unwrap_or_default(),
        terminal.agent_version.clone(),
        terminal.os.clone(),
        kept(terminal, c),
        times::full(terminal.enrolled_at),
        terminal.head.to_string(),
        (terminal.missing.count + terminal.missing.settled).to_string(),
        terminal.note.as_ref().map(|note| note.text.clone()).unwrap_or_default(),
        terminal.id.to_string(),
    ]
}
