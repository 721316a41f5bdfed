//! `GET /accounts/waiting.csv`: accounts that wait, as a file to be filled in and taken in again.
//!
//! Its columns are the import's own, filled in as the form of links is: the SID, which decides alone whom a line means, the
//! dates that are free, and the employee where a suggestion is sure: no line is filled in that the import does not take. A
//! column more, which the import does not read, says who is suggested and why, so that whoever fills it in sees names and not
//! only codes; and of an account that is linked, outside of which dates its punches are. It is written page by page while it
//! is read, and ends where a file would be too long to be taken in: what is linked by then waits no longer.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::civil::Date;
use mngntime_store::{
    Account, AccountKey, AccountShow, Beside, ContractId, LINK_LINES_MAX, LinkInFull, Store, StoreError,
    Suggestion,
};
use serde_json::json;

use super::super::WebState;
use super::super::accounts::because;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::lookup;
use super::super::punches::cause;
use super::super::session::Visit;
use super::super::sheet::Encoding;
use super::{Kind, columns, file};
use crate::access::Action;

/// Accounts read at once.
const STEP: usize = 200;

/// Bytes after which no more accounts are read: what is typed into the file needs room in an upload, too.
const BYTES_MAX: usize = file::FILE_MAX / 4 * 3;

/// Where the file has got to.
struct Progress {
    store: Arc<dyn Store>,
    contract: ContractId,
    encoding: Encoding,
    chrome: Chrome,
    place: Place,
    rows: usize,
    bytes: usize,
}

enum Place {
    Start,
    After(AccountKey),
    End,
}

/// The file.
///
/// # Errors
/// [`WebError`] when the person may not take in links or the store fails.
pub async fn file(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsImport)?.contract()?;
    let fields = Fields::of_query(&uri)?;
    let encoding = Encoding::asked(&fields);
    let detail = json!({ "form": encoding.form() });
    let object = "accounts".to_owned();
    state.store.note_with(Some(contract), "export_accounts", object, detail, visit.act()).await?;
    let name = format!("accounts-{}.csv", visit.chrome.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let (store, chrome, place) = (state.store.clone(), visit.chrome, Place::Start);
    let start = Progress { store, contract, encoding, chrome, place, rows: 0, bytes: 0 };
    Ok((headers, Body::from_stream(stream::try_unfold(start, step))).into_response())
}

/// The next piece of the file.
async fn step(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let Progress { store, contract, encoding, chrome, .. } = &progress;
    let (after, mut text) = match &progress.place {
        Place::Start => (None, encoding.head(&head(chrome), chrome)),
        Place::After(key) => (Some(Beside::After(*key)), Vec::new()),
        Place::End => return Ok(None),
    };
    let (today, left) = (chrome.today(), LINK_LINES_MAX - progress.rows);
    let waiting = AccountShow::Waiting;
    let page = store.account_page(*contract, waiting, String::new(), after, today, STEP.min(left)).await?;
    let ids: Vec<_> = page.rows.iter().map(|row| row.account.id).collect();
    let suggestions = store.suggestions(*contract, ids.clone(), today).await?;
    let links = store.links_in_full(*contract, ids.clone()).await?;
    let mut known: HashMap<_, _> = ids.into_iter().zip(suggestions.into_iter().zip(links)).collect();
    for row in &page.rows {
        let (suggestions, links) = known.remove(&row.account.id).unwrap_or_default();
        text.extend(encoding.line(&cells(&row.account, &suggestions, &links, chrome)));
    }
    progress.rows += page.rows.len();
    progress.bytes += text.len();
    progress.place = match page.next {
        Some(next) if progress.rows < LINK_LINES_MAX && progress.bytes < BYTES_MAX => Place::After(next),
        _ => Place::End,
    };
    Ok(Some((Bytes::from(text), progress)))
}

fn head(c: &Chrome) -> Vec<String> {
    let read = Kind::Accounts.columns().iter().map(|column| column.name(c.language()).to_owned());
    read.chain([columns::SUGGESTED.name(c.language()).to_owned()]).collect()
}

/// In the order of [`columns::LINKS_HEAD`], and who is suggested and why punches wait.
fn cells(account: &Account, suggestions: &[Suggestion], links: &[LinkInFull], c: &Chrome) -> Vec<String> {
    let since = account.waits_from().unwrap_or(c.today());
    let (from, to) = cause::free(since, links);
    let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let sure = suggestions.first().filter(|best| best.sure);
    let who =
        |one: &Suggestion| format!("{} [{}]", lookup::choice(&one.employee).1, because(one, account, c));
    let mut said: Vec<_> = match sure {
        Some(best) => vec![who(best)],
        None => suggestions.iter().map(who).collect(),
    };
    said.extend(Some(cause::cause(since, links).waits(c)).filter(|why| !why.is_empty()));
    // Some spreadsheets leave out the commas before a last cell that is empty, and the line would be too short.
    if said.is_empty() {
        said.push(c.t("line-empty"));
    }
    vec![
        account.domain.clone(),
        account.name.clone(),
        account.key.clone(),
        account.upn.clone().unwrap_or_default(),
        sure.map(|best| best.employee.data.code.clone()).unwrap_or_default(),
        date(Some(from)),
        date(to),
        said.join(" / "),
    ]
}
