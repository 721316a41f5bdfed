//! `GET /punches.csv`: the list with the same filters as a file.
//!
//! Lines and encodings are those of [`super::super::sheet`]. The file is written page by page while it is read from
//! the store; should the store fail half-way, the transfer breaks off, so that nobody takes half a file for a whole.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use mngntime_store::{Beside, PageKey, PunchFilter, Scope, Store, StoreError};
use serde_json::json;

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::columns::{Cell, Columns};
use super::filter::Asked;
use crate::access::Action;

/// Punches read at once.
pub(super) const STEP: usize = 500;

/// Rows at most: what a spreadsheet can open.
pub const ROWS_MAX: usize = 1_000_000;

/// What a file is made from.
pub(in crate::web) struct Export {
    /// Where the punches are.
    pub(in crate::web) store: Arc<dyn Store>,
    /// Whose they are.
    pub(in crate::web) scope: Scope,
    /// Which they are.
    pub(in crate::web) filter: PunchFilter,
    /// Which columns.
    pub(in crate::web) columns: Columns,
    /// How its characters are written.
    pub(in crate::web) encoding: Encoding,
    /// Language.
    pub(in crate::web) chrome: Chrome,
    /// Name of the file.
    pub(in crate::web) name: String,
}

/// Understands what is asked for and writes into the audit log that it was taken along. A query that cannot be
/// understood leads back to the list, which says why.
pub(super) async fn export(
    state: &WebState,
    visit: Visit,
    uri: &Uri,
    ending: &str,
) -> Result<Result<Export, Response>, WebError> {
    let scope = visit.permit(Action::PunchesExport)?.scope()?;
    let fields = Fields::of_query(uri)?;
    let encoding = Encoding::asked(&fields);
    let asked = Asked::read(state.store.as_ref(), scope, fields, &visit.chrome).await?;
    if !asked.problems.is_empty() {
        return Ok(Err(axum::response::Redirect::to(&asked.address(&[], "")).into_response()));
    }
    let form = if ending == "csv" { encoding.form() } else { ending };
    // In no language: whoever reads the log sees the words of theirs.
    let detail = json!({ "conditions": asked.query(&["encoding"]), "form": form });
    let object = "punches".to_owned();
    state.store.note_with(Some(scope.contract), "export_punches", object, detail, visit.act()).await?;
    let columns = state.store.punch_columns(visit.person().id).await?;
    Ok(Ok(Export {
        store: state.store.clone(),
        scope,
        filter: asked.filter,
        columns: Columns::parse(columns.as_deref()),
        encoding,
        name: format!("punches-{}.{ending}", visit.chrome.today().strftime("%Y%m%d")),
        chrome: visit.chrome,
    }))
}

/// Where the file has got to.
struct Progress {
    export: Export,
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
    let export = match export(&state, visit, &uri, "csv").await? {
        Ok(export) => export,
        Err(elsewhere) => return Ok(elsewhere),
    };
    Ok(stream_of(export))
}

/// The punches of an export as a file.
pub(in crate::web) fn stream_of(export: Export) -> Response {
    let headers = [
        (header::CONTENT_TYPE, export.encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.name)),
    ];
    let start = Progress { export, place: Place::Start, rows: 0 };
    (headers, Body::from_stream(stream::try_unfold(start, step))).into_response()
}

/// The next piece of the file.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let Export { store, scope, filter, columns, encoding, chrome, name: _ } = &progress.export;
    let (after, mut text) = match progress.place {
        Place::Start => (None, encoding.head(&columns.head(chrome), chrome)),
        Place::After(key) => (Some(key), Vec::new()),
        Place::End => return Ok(None),
    };
    let page = store.list_punches(*scope, filter.clone(), after.map(Beside::After), STEP).await?;
    for punch in &page.rows {
        let cells: Vec<String> = columns.cells(punch, chrome).iter().map(Cell::plain).collect();
        text.extend(encoding.line(&cells));
    }
    progress.rows += page.rows.len();
    progress.place = match page.next {
        Some(next) if progress.rows < ROWS_MAX => Place::After(next),
        _ => Place::End,
    };
    Ok(Some((Bytes::from(text), progress)))
}
