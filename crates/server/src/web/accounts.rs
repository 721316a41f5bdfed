//! Windowsユーザー: the inbox of accounts that wait for an employee, and the list of all of them.
//!
//! Those that wait stand first, with who may be behind them and why. Rows are paged and searched by the store.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_store::{
    Account, AccountCounts, AccountKey, AccountRow, AccountShow, ContractId, Link, Reason, Suggestion,
};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::pages::{ROWS, Turns, beside};
use super::session::Visit;
use super::times;
use super::views::{self, Segment};
use crate::access::Action;

/// An account, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id, for selecting; empty when it cannot be selected.
    pub pick: String,
    /// `DOMAIN\name`.
    pub name: String,
    /// Address of its page.
    pub href: String,
    /// UPN, empty when unknown.
    pub upn: String,
    /// PCs it was lately used on.
    pub hosts: String,
    /// Code and name of the employee it belongs to.
    pub employee: Option<(String, String)>,
    /// Who may be behind it.
    pub suggestion: Option<Suggested>,
    /// From when to when; empty without a link.
    pub period: String,
    /// When it was last seen.
    pub last: String,
    /// Punches that wait; empty for none.
    pub waiting: String,
    /// Date of the first of them.
    pub since: String,
    /// Address of the form that links it.
    pub link: String,
}

/// An employee who may be behind an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Why, in words.
    pub reason: String,
}

impl Suggested {
    /// The surest of `all`.
    #[must_use]
    pub fn of(all: &[Suggestion], c: &Chrome) -> Option<Self> {
        let best = all.first()?;
        Some(Self {
            code: best.employee.data.code.clone(),
            name: best.employee.data.name.clone(),
            reason: c.t(reason_key(best.reason)),
        })
    }
}

/// Key of a reason's words.
#[must_use]
pub fn reason_key(reason: Reason) -> &'static str {
    match reason {
        Reason::Code => "reason-code",
        Reason::Earlier => "reason-earlier",
        Reason::Renamed => "reason-renamed",
        Reason::CodeWithin => "reason-code-within",
        Reason::Reading => "reason-reading",
        Reason::Initial => "reason-initial",
    }
}

/// `GET /accounts`
///
/// # Errors
/// [`WebError`] when the person may not see accounts or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsRead)?.contract()?;
    let fields = Fields::of_query(&uri)?;
    Ok(view(&state, contract, visit, &fields).await?.render_page()?.into_response())
}

/// `DOMAIN\name`
#[must_use]
pub fn full_name(account: &Account) -> String {
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

fn show_of(text: &str) -> AccountShow {
    match text {
        "waiting" => AccountShow::Waiting,
        "limited" => AccountShow::Limited,
        "ended" => AccountShow::Ended,
        _ => AccountShow::All,
    }
}

fn segments(counts: &AccountCounts, show: &str, q: &str, c: &Chrome) -> Vec<Segment> {
    let tabs = [
        ("", "accounts-all", counts.all),
        ("waiting", "accounts-waiting", counts.waiting),
        ("limited", "accounts-limited", counts.limited),
        ("ended", "accounts-ended", counts.ended),
    ];
    let segment = |(value, key, number): (&str, &str, u64)| {
        Segment::new("/accounts", show, value, q, c.t(key), usize::try_from(number).unwrap_or(usize::MAX))
    };
    tabs.into_iter().map(segment).collect()
}

async fn view(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    fields: &Fields,
) -> Result<views::Accounts, WebError> {
    visit.chrome = visit.chrome.at(Place::Accounts);
    let (store, today) = (state.store.as_ref(), visit.chrome.today());
    let (show, q) = (fields.text("show"), fields.text("q"));
    let at = beside(fields, AccountKey::parse);
    if at.is_err() {
        let c = &visit.chrome;
        visit.chrome.banner = Some(Banner::new(Tone::Error, c.t("filter-bad"), c.t("filter-bad-page")));
    }
    let counts = store.account_counts(contract, today).await?;
    let at = at.unwrap_or_default();
    let found = store.account_page(contract, show_of(show), q.to_owned(), at, today, ROWS).await?;
    let turns = Turns::of("/accounts", fields, &found, at.as_ref())?;
    let found = found.rows;
    let may_change = visit.may(Action::AccountsLink);
    let waiting: Vec<_> = found
        .iter()
        .map(|row| &row.account)
        .filter(|account| account.waiting > 0)
        .map(|one| one.id)
        .collect();
    let suggestions = store.suggestions(contract, waiting.clone(), today).await?;
    let reasons = reasons(&suggestions, &visit.chrome).into_iter().filter(|_| may_change).collect();
    let suggested: std::collections::HashMap<_, _> = waiting.into_iter().zip(suggestions).collect();
    let c = visit.chrome;
    let row = |found: &AccountRow| {
        let all = suggested.get(&found.account.id).map_or(&[][..], Vec::as_slice);
        row(found, Suggested::of(all, &c), may_change, &c)
    };
    Ok(views::Accounts {
        segments: segments(&counts, show, q, &c),
        rows: found.iter().map(row).collect(),
        reasons,
        shown: c.n("shown", found.len()),
        turns,
        waiting: counts.waiting,
        waiting_punches: counts.waiting_punches,
        q: q.to_owned(),
        show: show.to_owned(),
        may_change,
        may_import: c.may(Action::AccountsImport),
        c,
    })
}

/// Address and words for each reason that suggests somebody on this page.
fn reasons(suggestions: &[Vec<Suggestion>], c: &Chrome) -> Vec<(String, String)> {
    let given = |reason: &Reason| {
        suggestions.iter().any(|all| all.first().is_some_and(|best| best.reason == *reason))
    };
    let button = |reason: Reason| {
        let address = format!("/accounts/suggested?reason={}", reason.name());
        (address, c.v("suggested-all", "reason", c.t(reason_key(reason))))
    };
    Reason::ALL.into_iter().filter(given).map(button).collect()
}

fn row(found: &AccountRow, suggestion: Option<Suggested>, may_change: bool, c: &Chrome) -> Row {
    let account = &found.account;
    let link = shown_link(account, c.today());
    let open = is_open(account, c.today());
    Row {
        pick: if may_change && !open { account.id.to_string() } else { String::new() },
        name: full_name(account),
        href: format!("/accounts/{}", account.id),
        upn: account.upn.clone().unwrap_or_default(),
        hosts: found.hosts.join(", "),
        employee: link.filter(|_| open).map(|link| (link.employee_code.clone(), link.employee_name.clone())),
        suggestion: suggestion.filter(|_| !open),
        period: link.map(|link| period(link.from, link.to)).unwrap_or_default(),
        last: times::month_clock(account.last_seen_at),
        waiting: if account.waiting > 0 { account.waiting.to_string() } else { String::new() },
        since: account.waiting_since.map(|date| date.to_string()).unwrap_or_default(),
        link: format!("/accounts/link?account={}", account.id),
    }
}

/// `2026-06-08〜`, `2024-01-09〜2026-06-30`
#[must_use]
pub fn period(from: Date, to: Option<Date>) -> String {
    format!("{from}〜{}", to.map(|to| to.to_string()).unwrap_or_default())
}
