//! `GET /punches?print=1`: everything that the list's conditions find, as one plain table for paper.
//!
//! The page is written while the punches are read, [`csv::STEP`] at a time, so that it needs no more memory however many
//! there are; after [`ROWS_MAX`] it ends and says so. What is taken along on paper is noted as a file is. Should the store
//! fail half-way, the transfer breaks off before the line that says how many there are.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use mngntime_store::{Beside, PageKey, PunchFilter, Scope, StoreError};
use serde_json::json;

use super::super::WebState;
use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::session::Visit;
use super::columns::Columns;
use super::csv::STEP;
use super::filter::Asked;
use crate::access::Action;

/// Punches of one print at most: some hundred sheets. More belong into a file.
pub const ROWS_MAX: usize = 5_000;

/// Where the rows stand in the page, and where the line below them. Nothing from outside can be a comment: it is escaped.
const ROWS_HERE: &str = "<!-- rows -->";
/// As [`ROWS_HERE`].
const SUM_HERE: &str = "<!-- sum -->";

/// Some rows of the table.
#[derive(Template)]
#[template(path = "punches-print-rows.html")]
struct Rows {
    rows: Vec<Vec<String>>,
}

/// 打刻ログ on paper: what stands around the rows.
#[derive(Template)]
#[template(path = "punches-print.html")]
struct Page {
    /// Surroundings.
    c: Chrome,
    /// Heads of the columns.
    head: Vec<String>,
    /// The query in words.
    conditions: String,
    /// Address of the list.
    back: String,
}

/// Where the page has got to.
struct Progress {
    state: WebState,
    scope: Scope,
    filter: PunchFilter,
    columns: Columns,
    chrome: Chrome,
    /// What follows the rows, and what follows the line below them.
    rest: (String, String),
    head: String,
    place: Next,
    rows: usize,
}

enum Next {
    Start,
    After(PageKey),
    End,
}

/// The page.
///
/// # Errors
/// [`WebError`] when the person may not take punches along, or the store fails.
pub async fn page(state: WebState, visit: Visit, asked: Asked, scope: Scope) -> Result<Response, WebError> {
    visit.permit(Action::PunchesExport)?;
    let detail = json!({ "conditions": asked.noted(&["print"], &visit.chrome), "form": "print" });
    let object = "punches".to_owned();
    state.store.note_with(Some(scope.contract), "export_punches", object, detail, visit.act()).await?;
    let columns = Columns::parse(state.store.punch_columns(visit.person().id).await?.as_deref());
    let chrome = visit.chrome;
    let view = Page {
        head: columns.head_on_paper(&chrome),
        conditions: asked.conditions(chrome.today(), chrome.words()).join(" · "),
        back: asked.address(&["print"], ""),
        c: chrome.clone(),
    };
    let page = view.render()?;
    let (head, rest) = page.split_once(ROWS_HERE).unwrap_or((&page, ""));
    let (after_rows, end) = rest.split_once(SUM_HERE).unwrap_or((rest, ""));
    let start = Progress {
        head: head.to_owned(),
        rest: (after_rows.to_owned(), end.to_owned()),
        filter: asked.filter,
        place: Next::Start,
        rows: 0,
        state,
        scope,
        columns,
        chrome,
    };
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((html, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// Why the page broke off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the punches could not be read")]
    Store(#[from] StoreError),
    #[error("the rows could not be written")]
    Render(#[from] askama::Error),
}

/// The next piece of the page.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, Broken> {
    let (after, mut text) = match progress.place {
        Next::Start => (None, std::mem::take(&mut progress.head)),
        Next::After(key) => (Some(Beside::After(key)), String::new()),
        Next::End => return Ok(None),
    };
    let store = &progress.state.store;
    let page = store.list_punches(progress.scope, progress.filter.clone(), after, STEP).await?;
    let line = |punch| progress.columns.on_paper(punch, &progress.chrome);
    text.push_str(&Rows { rows: page.rows.iter().map(line).collect() }.render()?);
    progress.rows += page.rows.len();
    let cut = page.next.is_some() && progress.rows >= ROWS_MAX;
    progress.place = match page.next.filter(|_| !cut) {
        Some(next) => Next::After(next),
        None => Next::End,
    };
    if matches!(progress.place, Next::End) {
        let key = if cut { "print-cut" } else { "print-all" };
        text.push_str(&progress.rest.0);
        text.push_str(&progress.chrome.n(key, progress.rows));
        text.push_str(&progress.rest.1);
    }
    Ok(Some((Bytes::from(text), progress)))
}
