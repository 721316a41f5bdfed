//! `GET /audit.csv`: the same entries as a file, with who and object in the reader's words and, as the
//! detail, as they are kept; and the place in the evidence log.
//!
//! Written page by page while it is read, to the last entry however many there are; should the store fail half-way, the transfer breaks off, so that nobody takes
//! half a file for a whole. That it was taken is noted before its first byte.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream;
use mngntime_store::{AuditFilter, AuditKey, AuditRow, Beside, ContractId, Store, StoreError};
use serde_json::json;

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::pages::PLACES;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::super::times;
use super::{Asked, Hosts, add_hosts, words};
use crate::access::Action;

const STEP: usize = 500;

struct Progress {
    store: Arc<dyn Store>,
    contract: Option<ContractId>,
    filter: AuditFilter,
    encoding: Encoding,
    chrome: Chrome,
    /// PC names found so far: the log names terminals by their ids.
    hosts: Hosts,
    place: Place,
}

enum Place {
    Start,
    After(AuditKey),
    End,
}

/// The file. A query that cannot be understood leads back to the list, which says why.
///
/// # Errors
/// [`WebError`] when the person may not see the audit log or the store fails.
pub async fn file(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AuditExport)?.contract_or_server()?;
    let asked = Asked::read(Fields::of_query(&uri)?, &visit.chrome);
    if !asked.problems.is_empty() {
        return Ok(Redirect::to(&asked.address("")).into_response());
    }
    let conditions = json!({ "conditions": asked.fields.query_without(&PLACES) });
    let object = "audit log".to_owned();
    state.store.note_with(contract, "export_audit", object, conditions, visit.act()).await?;
    let encoding = Encoding::asked(&asked.fields);
    let name = format!("audit-{}.csv", visit.chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let (store, filter, chrome) = (state.store.clone(), asked.filter, visit.chrome);
    let start =
        Progress { store, contract, filter, encoding, chrome, hosts: Hosts::new(), place: Place::Start };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let (after, mut text) = match progress.place {
        Place::Start => (None, progress.encoding.head(&head(&progress.chrome), &progress.chrome)),
        Place::After(key) => (Some(key), Vec::new()),
        Place::End => return Ok(None),
    };
    let filter = progress.filter.clone();
    let page = progress.store.search_audit(progress.contract, filter, after.map(Beside::After), STEP).await?;
    let hosts = &mut progress.hosts;
    add_hosts(progress.store.as_ref(), progress.contract, &page.rows, hosts).await?;
    for row in &page.rows {
        text.extend(progress.encoding.line(&cells(row, hosts, &progress.chrome)));
    }
    progress.place = page.next.map_or(Place::End, Place::After);
    Ok(Some((Bytes::from(text), progress)))
}

fn head(c: &Chrome) -> Vec<String> {
    const KEYS: [&str; 11] = [
        "history-at",
        "audit-number",
        "audit-who",
        "audit-what",
        "audit-object",
        "audit-detail",
        "audit-month",
        "audit-leaf",
        "audit-signed",
        "audit-object-raw",
        "audit-by-raw",
    ];
    KEYS.iter().map(|key| c.t(key)).collect()
}

fn cells(row: &AuditRow, hosts: &Hosts, c: &Chrome) -> Vec<String> {
    let entry = &row.entry;
    let (kind, name) = words::object(&entry.object, c);
    let name = hosts.get(&entry.object).cloned().unwrap_or(name);
    vec![
        times::full(entry.at),
        entry.number.to_string(),
        words::person(&entry.by, c),
        words::action(&entry.action, c),
        format!("{kind} {name}").trim().to_owned(),
        entry.detail.clone(),
        row.place.as_ref().map(|place| place.month.clone()).unwrap_or_default(),
        row.place.as_ref().map(|place| place.leaf.to_string()).unwrap_or_default(),
        if row.signed { "○".to_owned() } else { String::new() },
        entry.object.clone(),
        entry.by.clone(),
    ]
}
