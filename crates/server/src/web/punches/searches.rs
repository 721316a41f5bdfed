//! Saved searches and chosen columns of the list.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{ContractId, Refusal, SEARCHES_MAX, SavedSearch, Scope, SearchId, StoreError};

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Tone};
use super::super::errors::WebError;
use super::super::fields::{Fields, is_line};
use super::super::session::Visit;
use super::columns::Columns;
use super::filter::Asked;
use crate::access::Action;

/// Longest name, in characters.
const NAME_MAX: usize = 40;
/// Longest query, in bytes.
const QUERY_MAX: usize = 1_000;

/// A saved search, ready to be written.
#[derive(Debug, Clone)]
pub struct Chip {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub href: String,
    /// Whether the list shows exactly this.
    pub current: bool,
    /// Whether others see it.
    pub shared: bool,
    /// Where it is deleted; empty for other people's.
    pub delete: String,
}

/// Fields of a search that name a person, an account or a PC.
const NAMING: [&str; 3] = ["employee", "account", "terminal"];

/// The searches that somebody sees: their own, and of the shared ones those that name nobody beyond their reach.
///
/// # Errors
/// What the store says.
pub async fn chips(
    state: &WebState,
    scope: Scope,
    visit: &Visit,
    query: &str,
) -> Result<Vec<Chip>, WebError> {
    let mut found = Vec::new();
    for search in state.store.list_searches(scope.contract, visit.person().id).await? {
        if visit.is(search.person) || is_within(state, scope, &search, &visit.chrome).await? {
            found.push(search);
        }
    }
    let chip = |search: SavedSearch| Chip {
        href: format!("/punches?{}", search.query),
        current: sorted(&search.query) == sorted(query),
        shared: search.shared,
        delete: if visit.is(search.person) {
            format!("/punches/searches/{}/delete", search.id)
        } else {
            String::new()
        },
        name: search.name,
    };
    Ok(found.into_iter().map(chip).collect())
}

/// Whether everybody and everything that a search names is found in the scope. Whoever sees the whole contract sees all names.
async fn is_within(
    state: &WebState,
    scope: Scope,
    search: &SavedSearch,
    c: &Chrome,
) -> Result<bool, WebError> {
    if scope.is_whole() {
        return Ok(true);
    }
    let mut named: Vec<(String, String)> = pairs(&search.query);
    named.retain(|(name, value)| NAMING.contains(&name.as_str()) && !value.is_empty());
    if named.is_empty() {
        return Ok(true);
    }
    let asked = Asked::read(state.store.as_ref(), scope, Fields::of_pairs(named), c).await?;
    Ok(asked.problems.is_empty())
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// What a query asks for, in whatever order.
fn sorted(query: &str) -> Vec<(String, String)> {
    let mut pairs = pairs(query);
    pairs.sort_unstable();
    pairs
}

/// A query as the list writes it: nothing that leads anywhere else.
fn query(fields: &Fields) -> Result<String, WebError> {
    let text = fields.text("query");
    let uri = Uri::builder().path_and_query(format!("/?{text}")).build().map_err(|_| WebError::BadForm)?;
    let query = Fields::of_query(&uri)?.query_without(&["after", "before", "open"]);
    if query.len() > QUERY_MAX { Err(WebError::TooLarge) } else { Ok(query) }
}

fn back(query: &str) -> Response {
    Redirect::to(&if query.is_empty() { "/punches".to_owned() } else { format!("/punches?{query}") })
        .into_response()
}

/// The person's own search of this name, as it was before.
async fn own(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    name: &str,
) -> Result<Option<SavedSearch>, WebError> {
    let all = state.store.list_searches(contract, visit.person().id).await?;
    Ok(all.into_iter().find(|search| visit.is(search.person) && search.name == name))
}

/// That a search is kept; where one of this name asked for something else, also that it is gone, with the way back to it.
fn saved(name: &str, query: &str, before: Option<SavedSearch>, c: &Chrome) -> Banner {
    match before.filter(|before| before.query != query) {
        None => Banner::new(Tone::Ok, c.v("search-saved", "name", name), String::new()),
        Some(before) => {
            let link = Some((format!("/punches?{}", before.query), c.t("search-before")));
            let title = c.v("search-replaced", "name", name);
            Banner { link, ..Banner::new(Tone::Warn, title, c.t("search-replaced-text")) }
        }
    }
}

/// `POST /punches/searches`
///
/// # Errors
/// [`WebError`] when the person may not save searches or the store fails.
pub async fn save(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SavedSearches)?.scope()?.contract;
    let (name, query, c) = (fields.text("name").to_owned(), query(&fields)?, &visit.chrome);
    // A shared search is for those who may change attendance to give; it shows nobody more than they may see.
    let shared = fields.text("shared") == "1" && visit.may(Action::AccountsLink);
    let before = own(&state, contract, &visit, &name).await?;
    let banner = if name.is_empty() || !is_line(&name, NAME_MAX) {
        Banner::new(Tone::Error, c.t("search-unsaved"), c.n("text-too-long", NAME_MAX))
    } else {
        match state
            .store
            .save_search(contract, visit.person().id, name.clone(), query.clone(), shared, visit.act())
            .await
        {
            Ok(_) => saved(&name, &query, before, c),
            Err(StoreError::Refused(Refusal::TooMany { .. })) => {
                Banner::new(Tone::Error, c.t("search-unsaved"), c.n("search-too-many", SEARCHES_MAX))
            }
            Err(error) => return Err(error.into()),
        }
    };
    visit.leave(banner).await?;
    Ok(back(&query))
}

/// `POST /punches/searches/{search}/delete`
///
/// # Errors
/// [`WebError`] when the person may not save searches or the store fails.
pub async fn delete(
    State(state): State<WebState>,
    visit: Visit,
    Path(search): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SavedSearches)?.scope()?.contract;
    let search = SearchId::parse(&search).ok_or(WebError::NotFound)?;
    state.store.delete_search(contract, visit.person().id, search, visit.act()).await?;
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t("search-deleted"), String::new())).await?;
    Ok(back(""))
}

/// `POST /punches/columns`
///
/// # Errors
/// [`WebError`] when the person may not see punches or the store fails.
pub async fn columns(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::SavedSearches)?.scope()?;
    let chosen = Columns::of(fields.all("column"));
    state.store.set_punch_columns(visit.person().id, chosen.stored()).await?;
    Ok(back(&query(&fields)?))
}
