//! Windowsユーザー: the list of OS accounts, and ending links.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_store::{Account, ContractId, Link, LinkEnd, LinkId, Refusal, StoreError};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::employees::shown;
use super::errors::WebError;
use super::fields::Fields;
use super::lookup;
use super::pages::Cut;
use super::session::Visit;
use super::times;
use super::views::{self, Segment};
use crate::access::Action;

/// An account, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// `DOMAIN\name`.
    pub name: String,
    /// UPN, empty when unknown.
    pub upn: String,
    /// Code and name of the employee it belongs to.
    pub employee: Option<(String, String)>,
    /// From when to when; empty without a link.
    pub period: String,
    /// When it was last seen.
    pub last: String,
    /// Punches that wait; empty for none.
    pub waiting: String,
    /// Address of the form that links it.
    pub link: String,
    /// The link that can be ended.
    pub ends: Option<String>,
}

/// `GET /accounts`
///
/// # Errors
/// [`WebError`] when the person may not see accounts or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsRead)?.contract()?;
    visit.pick_up().await?;
    let fields = Fields::of_query(&uri)?;
    Ok(view(&state, contract, visit, &fields).await?.render_page()?.into_response())
}

/// `POST /accounts/unlink`
///
/// # Errors
/// [`WebError`] when the person may not change links or the store fails.
pub async fn unlink(
    State(state): State<WebState>,
    mut visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsUnlink)?.contract()?;
    let link = LinkId::parse(fields.text("link")).ok_or(WebError::BadForm)?;
    let c = visit.chrome.clone();
    let problem = match fields.date("to") {
        Ok(Some(to)) => match end(&state, contract, &visit, link, to).await? {
            None => return Ok(Redirect::to("/accounts").into_response()),
            Some(problem) => problem,
        },
        Ok(None) => c.t("unlink-no-date"),
        Err(text) => c.v("filter-bad-date", "text", text),
    };
    visit.chrome.banner = Some(Banner::new(Tone::Error, c.t("unlink-failed"), problem));
    let page = view(&state, contract, visit, &Fields::default()).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// Ends the link and leaves a message; `Some` is what stands in the way.
async fn end(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    link: LinkId,
    to: Date,
) -> Result<Option<String>, WebError> {
    let c = &visit.chrome;
    let accounts = lookup::accounts(state.store.as_ref(), contract.into()).await?;
    let of = |account: &&Account| account.links.iter().any(|one| one.id == link);
    let name = accounts.iter().find(of).map(full_name).ok_or(WebError::NotFound)?;
    match state.store.end_link(contract, link, LinkEnd::After(to), visit.act()).await {
        Ok(changed) => {
            let (date, count) = (to.to_string(), c.n("count-punches", changed));
            let text = c.words().with("unlinked-text", &[("date", &date), ("count", &count)]);
            visit.leave(Banner::new(Tone::Ok, c.v("unlinked", "account", name), text)).await?;
            Ok(None)
        }
        Err(StoreError::Refused(Refusal::DatesReversed)) => Ok(Some(c.t("unlink-before-start"))),
        Err(error) => Err(error.into()),
    }
}

fn full_name(account: &Account) -> String {
    format!("{}\\{}", account.domain, account.name)
}

/// The link to show: today's, else the next one, else the last.
fn shown_link(account: &Account, today: Date) -> Option<&Link> {
    let open = |link: &&Link| link.to.is_none_or(|to| today <= to);
    account.links.iter().find(open).or_else(|| account.links.last())
}

fn is_open(account: &Account, today: Date) -> bool {
    shown_link(account, today).is_some_and(|link| link.to.is_none_or(|to| today <= to))
}

/// Which accounts a tab shows.
fn belongs(show: &str, account: &Account, today: Date) -> bool {
    match show {
        "waiting" => account.waiting > 0,
        "limited" => {
            is_open(account, today) && shown_link(account, today).is_some_and(|link| link.to.is_some())
        }
        "ended" => !account.links.is_empty() && !is_open(account, today),
        _ => true,
    }
}

fn mentions(account: &Account, q: &str) -> bool {
    let q = q.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&q);
    has(&full_name(account))
        || account.upn.as_deref().is_some_and(has)
        || account.links.iter().any(|link| has(&link.employee_code) || has(&link.employee_name))
}

async fn view(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    fields: &Fields,
) -> Result<views::Accounts, WebError> {
    visit.chrome = visit.chrome.at(Place::Accounts);
    let (c, today) = (&visit.chrome, visit.chrome.today());
    let mut all = lookup::accounts(state.store.as_ref(), contract.into()).await?;
    // Those that wait come first; the sort keeps names in order.
    all.sort_by_key(|account| account.waiting == 0);
    let (show, q) = (fields.text("show"), fields.text("q"));
    let found: Vec<&Account> =
        all.iter().filter(|account| belongs(show, account, today) && mentions(account, q)).collect();
    let cut = Cut::of(fields.text("page"), found.len());
    let segment = |value: &str, key: &str| {
        let number = all.iter().filter(|account| belongs(value, account, today)).count();
        Segment::new("/accounts", show, value, q, c.t(key), number)
    };
    let tabs = [
        ("", "accounts-all"),
        ("waiting", "accounts-waiting"),
        ("limited", "accounts-limited"),
        ("ended", "accounts-ended"),
    ];
    Ok(views::Accounts {
        segments: tabs.into_iter().map(|(value, key)| segment(value, key)).collect(),
        rows: cut.slice(&found).iter().map(|account| row(account, c)).collect(),
        shown: shown(c, "shown-accounts", cut),
        next: views::next_address("/accounts", fields, cut),
        q: q.to_owned(),
        show: show.to_owned(),
        may_change: visit.may(Action::AccountsUnlink),
        today: today.to_string(),
        c: visit.chrome,
    })
}

fn row(account: &Account, c: &Chrome) -> Row {
    let link = shown_link(account, c.today());
    let open = is_open(account, c.today());
    Row {
        name: full_name(account),
        upn: account.upn.clone().unwrap_or_default(),
        employee: link.filter(|_| open).map(|link| (link.employee_code.clone(), link.employee_name.clone())),
        period: link.map(|link| period(link.from, link.to)).unwrap_or_default(),
        last: times::month_clock(account.last_seen_at),
        waiting: if account.waiting > 0 { account.waiting.to_string() } else { String::new() },
        link: format!("/accounts/link?account={}", account.id),
        ends: link.filter(|_| open).map(|link| link.id.to_string()),
    }
}

/// `2026-06-08〜`, `2024-01-09〜2026-06-30`
#[must_use]
pub fn period(from: Date, to: Option<Date>) -> String {
    format!("{from}〜{}", to.map(|to| to.to_string()).unwrap_or_default())
}
