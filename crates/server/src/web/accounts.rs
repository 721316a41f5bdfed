//! Windowsユーザー: the inbox of accounts that wait for an employee, and the list of all of them.
//!
//! Those that wait stand first, with who may be behind them and why. An account may be linked and have punches that wait all
//! the same, which lie outside of the dates of the link or of the employment: then that is said, with the way to where it is
//! put right, and nobody is suggested whom the form would refuse. Rows are paged and searched by the store.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_store::{
    Account, AccountCounts, AccountId, AccountKey, AccountRow, AccountShow, ContractId, Link, LinkInFull,
    Reason, Sid, Suggestion,
};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::link::{address_with_back, form_address};
use super::lookup;
use super::pages::{ROWS, Turns, bad_place, beside};
use super::punches::cause::{self, Cause};
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
    /// Why its punches wait although it is linked; empty where it is not.
    pub why: String,
    /// Address and words of each way out of that.
    pub ways: Vec<(String, String)>,
    /// Who may be behind it.
    pub suggestion: Option<Suggested>,
    /// Where nobody is sure: address of the form that links it to one of several, and who that is.
    pub candidates: Vec<(String, String)>,
    /// Other accounts of the same name, in words; empty for none.
    pub same: String,
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
    /// The surest of `all`; none where a person has to choose.
    #[must_use]
    pub fn of(account: &Account, all: &[Suggestion], c: &Chrome) -> Option<Self> {
        let best = all.first().filter(|best| best.sure)?;
        Some(Self {
            code: best.employee.data.code.clone(),
            name: best.employee.data.name.clone(),
            reason: because(best, account, c),
        })
    }
}

/// Key of a reason's words.
#[must_use]
pub fn reason_key(reason: Reason) -> &'static str {
    match reason {
        Reason::Directory => "reason-directory",
        Reason::Code => "reason-code",
        Reason::Earlier => "reason-earlier",
        Reason::Renamed => "reason-renamed",
        Reason::CodeWithin => "reason-code-within",
        Reason::Reading => "reason-reading",
        Reason::Initial => "reason-initial",
    }
}

/// Why somebody is suggested for `account`, in words, and what speaks against it: a directory says another SID, or a link of
/// the two was taken back.
#[must_use]
pub fn because(one: &Suggestion, account: &Account, c: &Chrome) -> String {
    let why = match one.reason {
        Reason::Directory if one.employee.has_sid_of(account) => c.t("reason-directory-sid"),
        Reason::Directory => c.t("reason-directory-upn"),
        Reason::Code
        | Reason::Earlier
        | Reason::Renamed
        | Reason::CodeWithin
        | Reason::Reading
        | Reason::Initial => c.t(reason_key(one.reason)),
    };
    let why = match one.employee.has_other_sid_than(account) {
        true => c.v("suggested-other-sid", "reason", why),
        false => why,
    };
    if one.voided { c.v("suggested-voided", "reason", why) } else { why }
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

/// The accounts that a word of an address asks for; none for [`SUGGESTED`], which are found in another way, and for a word
/// that means nothing.
fn show_of(text: &str) -> Option<AccountShow> {
    match text {
        "" => Some(AccountShow::All),
        "waiting" => Some(AccountShow::Waiting),
        "limited" => Some(AccountShow::Limited),
        "ended" => Some(AccountShow::Ended),
        _ => None,
    }
}

/// Word of the accounts that wait and have somebody who may be behind them.
const SUGGESTED: &str = "suggested";

/// Rows of that list; it has one page.
const SUGGESTED_ROWS: usize = 200;

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
    let mut all: Vec<_> = tabs.into_iter().map(segment).collect();
    // How many these are is known when they have been looked for: that is work for each waiting account.
    let suggested = Segment::new("/accounts", show, SUGGESTED, q, c.t("accounts-suggested"), 0).uncounted();
    all.insert(2, suggested);
    all
}

/// Why the list is empty, and what leads out of that.
#[derive(Debug, Clone, Default)]
pub struct Blank {
    /// What is the case.
    pub text: String,
    /// Addresses and words.
    pub ways: Vec<(String, String)>,
}

impl Blank {
    fn of(counts: &AccountCounts, show: &str, q: &str, c: &Chrome) -> Self {
        if counts.all == 0 {
            return Self { text: c.t("accounts-none-text"), ways: Vec::new() };
        }
        let way = |show: &str, q: &str, key| {
            (Segment::new("/accounts", "", show, q, String::new(), 0).href, c.t(key))
        };
        let everybody = way("", "", "accounts-show-all");
        if !q.is_empty() {
            let mut ways = vec![way(show, "", "accounts-search-clear")];
            ways.extend((!show.is_empty()).then(|| way("", q, "accounts-search-all")));
            return Self { text: c.v("accounts-none-search", "text", q), ways };
        }
        let text = match show {
            "waiting" => c.t("accounts-none-waiting"),
            "limited" => c.t("accounts-none-limited"),
            "ended" => c.t("accounts-none-ended"),
            SUGGESTED => c.t("accounts-none-suggested"),
            _ => c.t("accounts-none-here"),
        };
        Self { text, ways: vec![everybody] }
    }
}

/// What is to be known of accounts that are linked by themselves: that they are, or that they could be.
#[derive(Debug, Clone, Default)]
pub struct BySid {
    /// In words; empty for nothing.
    pub text: String,
    /// Whether it is off, and whoever reads may turn it on.
    pub may_turn_on: bool,
}

impl BySid {
    fn of(visit: &Visit, listed: &Listed, counts: &AccountCounts) -> Self {
        let text = |key| visit.chrome.t(key);
        if visit.settings().links_by_sid {
            let text = if counts.waiting > 0 { text("accounts-by-sid-on") } else { String::new() };
            return Self { text, may_turn_on: false };
        }
        let may_turn_on = visit.may(Action::SettingsChange) && listed.rows.iter().any(|row| listed.fits(row));
        Self { text: if may_turn_on { text("accounts-by-sid-off") } else { String::new() }, may_turn_on }
    }
}

/// What the list shows.
#[derive(Default)]
struct Listed {
    rows: Vec<AccountRow>,
    suggestions: HashMap<AccountId, Vec<Suggestion>>,
    /// The links of those that wait although they have some.
    links: HashMap<AccountId, Vec<LinkInFull>>,
    turns: Turns,
    /// What is to be known of it, in words.
    note: String,
}

impl Listed {
    /// Whether the account of a row would be linked by itself, as far as the list knows.
    fn fits(&self, AccountRow { account, .. }: &AccountRow) -> bool {
        let best = self.suggestions.get(&account.id).and_then(|all| all.first());
        account.links.is_empty()
            && account.sid().as_ref().is_some_and(Sid::is_of_a_person)
            && best.is_some_and(|best| best.sure && best.employee.has_sid_of(account))
    }
}

/// Those with somebody behind them, of the first that wait.
async fn with_suggestions(
    state: &WebState,
    contract: ContractId,
    q: &str,
    c: &Chrome,
) -> Result<Listed, WebError> {
    let found = state.store.suggested_accounts(contract, q.to_owned(), c.today(), SUGGESTED_ROWS).await?;
    let note = if found.more { c.n("suggested-looked-at", found.looked_at) } else { String::new() };
    let suggestions = found.rows.iter().map(|(row, all)| (row.account.id, all.clone())).collect();
    let rows: Vec<_> = found.rows.into_iter().map(|(row, _)| row).collect();
    let links = links_of_waiting(state, contract, &rows).await?;
    Ok(Listed { rows, suggestions, links, turns: Turns::default(), note })
}

/// A page of the list in its order.
async fn in_order(
    state: &WebState,
    contract: ContractId,
    show: AccountShow,
    fields: &Fields,
    c: &mut Chrome,
) -> Result<Listed, WebError> {
    let at = beside(fields, AccountKey::parse);
    if at.is_err() {
        c.banner = Some(bad_place(c));
    }
    let (at, q, store) = (at.unwrap_or_default(), fields.text("q").to_owned(), state.store.as_ref());
    let found = store.account_page(contract, show, q, at, c.today(), ROWS).await?;
    let turns = Turns::of("/accounts", fields, &found, at.as_ref())?;
    let waiting = found.rows.iter().map(|row| &row.account).filter(|account| account.waiting > 0);
    let waiting: Vec<_> = waiting.map(|one| one.id).collect();
    let suggestions = store.suggestions(contract, waiting.clone(), c.today()).await?;
    let suggestions = waiting.into_iter().zip(suggestions).collect();
    let links = links_of_waiting(state, contract, &found.rows).await?;
    Ok(Listed { rows: found.rows, suggestions, links, turns, note: String::new() })
}

/// The links of the accounts that wait although they have some.
async fn links_of_waiting(
    state: &WebState,
    contract: ContractId,
    rows: &[AccountRow],
) -> Result<HashMap<AccountId, Vec<LinkInFull>>, WebError> {
    let waits = |row: &&AccountRow| row.account.waiting > 0 && !row.account.links.is_empty();
    let asked: Vec<_> = rows.iter().filter(waits).map(|row| row.account.id).collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let links = state.store.links_in_full(contract, asked.clone()).await?;
    Ok(asked.into_iter().zip(links).collect())
}

async fn view(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    fields: &Fields,
) -> Result<views::Accounts, WebError> {
    visit.chrome = visit.chrome.at(Place::Accounts);
    let (show, q) = (fields.text("show"), fields.text("q"));
    let counts = state.store.account_counts(contract, visit.chrome.today()).await?;
    let listed = match show_of(show) {
        Some(wanted) => in_order(state, contract, wanted, fields, &mut visit.chrome).await?,
        None if show == SUGGESTED => with_suggestions(state, contract, q, &visit.chrome).await?,
        None => {
            let c = &visit.chrome;
            let text = c.v("filter-bad-show", "text", show);
            visit.chrome.banner = Some(Banner::new(Tone::Error, c.t("filter-bad"), text));
            Listed::default()
        }
    };
    let may_change = visit.may(Action::AccountsLink);
    let by_sid = BySid::of(&visit, &listed, &counts);
    let c = visit.chrome;
    let reasons = reasons(&listed.suggestions, &c).into_iter().filter(|_| may_change).collect();
    let row = |found: &AccountRow| {
        let all = listed.suggestions.get(&found.account.id).map_or(&[][..], Vec::as_slice);
        let links = listed.links.get(&found.account.id).map_or(&[][..], Vec::as_slice);
        let to_link = may_change && can_be_linked(&found.account, links, c.today());
        row(found, all, links, to_link, &c)
    };
    let mut segments = segments(&counts, show, q, &c);
    let is_all = listed.turns == Turns::default();
    for segment in &mut segments {
        // What a search leaves of a list is known where it fits on one page; the store counts whole lists.
        if !q.is_empty() || show == SUGGESTED && segment.current {
            segment.number = Some(listed.rows.len()).filter(|_| segment.current && is_all);
        }
    }
    let blank = Blank::of(&counts, show, q, &c);
    Ok(views::Accounts {
        segments,
        csv: if c.may(Action::AccountsImport) { "/accounts.csv".to_owned() } else { String::new() },
        rows: listed.rows.iter().map(row).collect(),
        reasons,
        by_sid,
        blank,
        shown: c.n("shown", listed.rows.len()),
        note: listed.note,
        turns: listed.turns,
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
fn reasons(suggestions: &HashMap<AccountId, Vec<Suggestion>>, c: &Chrome) -> Vec<(String, String)> {
    let given = |reason: &Reason| {
        let best =
            |all: &Vec<Suggestion>| all.first().is_some_and(|best| best.sure && best.reason == *reason);
        suggestions.values().any(best)
    };
    let button = |reason: Reason| {
        let address = address_with_back("/accounts/suggested", &[("reason", reason.name())], c);
        (address, c.v("suggested-all", "reason", c.t(reason_key(reason))))
    };
    Reason::ALL.into_iter().filter(given).map(button).collect()
}

/// From when to when a new link of the account is proposed.
fn span(account: &Account, links: &[LinkInFull], today: Date) -> (Date, Option<Date>) {
    cause::free(account.waits_from().unwrap_or(today), links)
}

/// Whether the form of new links takes the account: those whose punches wait on dates of somebody who is here are put right
/// elsewhere.
fn can_be_linked(account: &Account, links: &[LinkInFull], today: Date) -> bool {
    match account.waiting_since {
        Some(_) => cause::is_free(None, span(account, links, today), links),
        None => !is_open(account, today),
    }
}

/// Those of several whom a person has to choose from, each with the form that is filled in with them.
fn candidates(
    account: &Account,
    all: &[Suggestion],
    (from, to): (Date, Option<Date>),
    c: &Chrome,
) -> Vec<(String, String)> {
    let (from, to) = (from.to_string(), to.map(|to| to.to_string()).unwrap_or_default());
    let choice = |one: &Suggestion| {
        let (typed, shown) = lookup::choice(&one.employee);
        let id = account.id.to_string();
        let mut fields =
            vec![("account", id.as_str()), ("mode-0", "old"), ("employee-0", &typed), ("from-0", &from)];
        fields.extend((!to.is_empty()).then_some(("to-0", to.as_str())));
        (form_address(&fields, c), format!("{shown} [{}]", because(one, account, c)))
    };
    let nobody_is_sure = all.first().is_some_and(|best| !best.sure);
    all.iter().filter(|_| nobody_is_sure).map(choice).collect()
}

/// Why punches of an account wait. What is later than it was received is of a clock that is ahead, and no link mends that.
fn why(account: &Account, cause: Cause<'_>, c: &Chrome) -> String {
    if account.waits_ahead() { c.t("waits-clock-ahead") } else { cause.waits(c) }
}

/// `links`: of an account that waits; `to_link`: whether it can be chosen to be linked.
fn row(found: &AccountRow, all: &[Suggestion], links: &[LinkInFull], to_link: bool, c: &Chrome) -> Row {
    let account = &found.account;
    let link = shown_link(account, c.today());
    let open = is_open(account, c.today());
    let span = span(account, links, c.today());
    let cause = account.waiting_since.map_or(Cause::Unlinked, |since| cause::cause(since, links));
    Row {
        pick: if to_link { account.id.to_string() } else { String::new() },
        name: full_name(account),
        href: format!("/accounts/{}", account.id),
        upn: account.upn.clone().unwrap_or_default(),
        hosts: found.hosts.join(", "),
        employee: link.filter(|_| open).map(|link| (link.employee_code.clone(), link.employee_name.clone())),
        why: why(account, cause, c),
        ways: cause.ways(account.id, span, c),
        suggestion: Suggested::of(account, all, c),
        candidates: if to_link { candidates(account, all, span, c) } else { Vec::new() },
        same: if found.same_names > 0 { c.n("accounts-same", found.same_names) } else { String::new() },
        period: link.map(|link| period(link.from, link.to)).unwrap_or_default(),
        last: times::month_clock(account.last_seen_at),
        waiting: if account.waiting > 0 { account.waiting.to_string() } else { String::new() },
        since: account.waiting_since.map(|date| date.to_string()).unwrap_or_default(),
        link: form_address(&[("account", &account.id.to_string())], c),
    }
}

/// `2026-06-08〜`, `2024-01-09〜2026-06-30`
#[must_use]
pub fn period(from: Date, to: Option<Date>) -> String {
    format!("{from}〜{}", to.map(|to| to.to_string()).unwrap_or_default())
}
