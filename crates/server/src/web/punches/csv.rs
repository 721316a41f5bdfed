//! `GET /punches.csv`: the list with the same filters as a file.
//!
//! Lines and encodings are those of [`super::super::sheet`]. The file is written page by page while it is read from
//! the store, so that it takes no more memory however long it is, and it has no last line but the last punch: a file
//! that ended at a number would be taken for the whole. Should the store fail half-way, the transfer breaks off.
//! How many lines it will have is not known when it begins; the audit log has the conditions.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use mngntime_store::{Act, Beside, ContractId, PageKey, PunchFilter, Scope, Store, StoreError};
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

/// What the audit log says of a file, once it is to be taken along.
pub(super) struct Taken {
    contract: ContractId,
    detail: serde_json::Value,
    act: Act,
}

impl Taken {
    /// Writes it, with the number of rows where that is known.
    pub(super) async fn note(mut self, store: &dyn Store, rows: Option<u64>) -> Result<(), StoreError> {
        if let Some(rows) = rows {
            self.detail["lines"] = json!(rows);
        }
        let object = "punches".to_owned();
        store.note_with(Some(self.contract), "export_punches", object, self.detail, self.act).await
    }
}

/// Understands what is asked for. A query that cannot be understood leads back to the list, which says why.
pub(super) async fn export(
    state: &WebState,
    visit: Visit,
    uri: &Uri,
    ending: &str,
) -> Result<Result<(Export, Taken), Response>, WebError> {
    let scope = visit.permit(Action::PunchesExport)?.scope()?;
    let fields = Fields::of_query(uri)?;
    let encoding = Encoding::asked(&fields);
    let asked = Asked::read(state.store.as_ref(), scope, fields, &visit.chrome).await?;
    if !asked.problems.is_empty() {
        return Ok(Err(axum::response::Redirect::to(&asked.address(&[], "")).into_response()));
    }
    let form = if ending == "csv" { encoding.form() } else { ending };
    // In no language: whoever reads the log sees the words of theirs.
    let detail = json!({ "conditions": asked.noted(&["encoding"], &visit.chrome), "form": form });
    let taken = Taken { contract: scope.contract, detail, act: visit.act() };
    let columns = state.store.punch_columns(visit.person().id).await?;
    let export = Export {
        store: state.store.clone(),
        scope,
        filter: asked.filter,
        columns: Columns::parse(columns.as_deref()),
        encoding,
        name: format!("punches-{}.{ending}", visit.chrome.today().strftime("%Y%m%d")),
        chrome: visit.chrome,
    };
    Ok(Ok((export, taken)))
}

/// Where the file has got to.
struct Progress {
    export: Export,
    place: Place,
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
    let (export, taken) = match export(&state, visit, &uri, "csv").await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    taken.note(state.store.as_ref(), None).await?;
    Ok(stream_of(export))
}

/// The punches of an export as a file.
pub(in crate::web) fn stream_of(export: Export) -> Response {
    let headers = [
        (header::CONTENT_TYPE, export.encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.name)),
    ];
    let start = Progress { export, place: Place::Start };
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
    progress.place = page.next.map_or(Place::End, Place::After);
    Ok(Some((Bytes::from(text), progress)))
}
