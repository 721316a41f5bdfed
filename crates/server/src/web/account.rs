//! `/accounts/{account}`: one account, whose it was when, and changing that.
//!
//! A change is a further dated fact: a hand-over, a stay elsewhere, an end, a mistake. Each is shown first with what it
//! does to whose days; saving sends the same form again, and the store judges the punches anew with the change.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{
    Account, AccountId, AccountName, ChangePreview, ChangedDays, ContractId, Employee, LinkChange,
    LinkHistory, LinkId, Refusal, Rejudged, StoreError,
};

use super::WebState;
use super::accounts::{full_name, period};
use super::audit::words;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::link::form_address;
use super::lookup::Alike;
use super::punches::cause;
use super::session::Visit;
use super::times;
use super::views;
use crate::access::Action;

/// Dates named for each employee; more are counted.
const DAYS_SHOWN: usize = 12;

/// A link as it is shown.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// Address of the other side: the employee, or the account.
    pub href: String,
    /// Code of the employee; empty in lists of accounts.
    pub code: String,
    /// Name of the employee, or the account.
    pub name: String,
    /// From when to when.
    pub period: String,
    /// `void`, `over`, `now` or `later`: last part of a key.
    pub state: &'static str,
    /// When and by whom it was made.
    pub made: String,
    /// When and by whom it was ended; empty while it was not.
    pub ended: String,
    /// The link, when it can still be changed.
    pub link: String,
    /// Its last date, or today.
    pub last: String,
}

impl HistoryRow {
    /// The link from its account's side, or from its employee's.
    #[must_use]
    pub fn of(link: &LinkHistory, of_account: bool, c: &Chrome) -> Self {
        let today = c.today();
        let state = if link.void {
            "link-void"
        } else if link.to.is_some_and(|to| to < today) {
            "link-over"
        } else if today < link.from {
            "link-later"
        } else {
            "link-now"
        };
        let stamp = |at, by: &str| format!("{} {}", times::day_clock(at), words::person(by, c));
        let ended = link.ended_at.zip(link.ended_by.as_deref());
        Self {
            href: if of_account {
                format!("/employees/{}", link.employee)
            } else {
                format!("/accounts/{}", link.account)
            },
            code: if of_account { link.employee_code.clone() } else { String::new() },
            name: if of_account { link.employee_name.clone() } else { link.account_name.clone() },
            period: period(link.from, link.to),
            state,
            made: match link.created_by.as_str() {
                // The server links for one reason only.
                "server" => format!("{} {}", times::day_clock(link.created_at), c.t("link-by-sid")),
                by => stamp(link.created_at, by),
            },
            ended: ended.map(|(at, by)| stamp(at, by)).unwrap_or_default(),
            link: if link.void { String::new() } else { link.id.to_string() },
            last: link.to.unwrap_or(today).to_string(),
        }
    }
}

/// What was typed to hand the account over, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Code or name.
    pub employee: String,
    /// First date.
    pub from: String,
    /// Last date.
    pub to: String,
    /// What is wrong with the employee.
    pub employee_error: String,
    /// Employees to choose from, as the field takes them and as they are shown.
    pub choices: Vec<(String, String)>,
    /// How many more there are.
    pub more: u64,
    /// What is wrong with the dates.
    pub date_error: String,
}

/// An employee whose days change.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Punches gained.
    pub gains: u64,
    /// Punches lost.
    pub loses: u64,
    /// How many dates.
    pub count: usize,
    /// The first of them.
    pub days: String,
}

impl Changed {
    /// As the question shows it.
    #[must_use]
    pub fn of(changed: ChangedDays) -> Self {
        let mut days: Vec<String> = changed.days.iter().take(DAYS_SHOWN).map(ToString::to_string).collect();
        if changed.days.len() > DAYS_SHOWN {
            days.push("…".to_owned());
        }
        Self {
            code: changed.code,
            name: changed.name,
            gains: changed.gains,
            loses: changed.loses,
            count: changed.days.len(),
            days: days.join(", "),
        }
    }
}

/// `GET /accounts/{account}`
///
/// # Errors
/// [`WebError`] when the person may not see accounts, there is no such account, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    Path(account): Path<String>,
    uri: Uri,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsRead)?.contract()?;
    let account = find(&state, contract, &account).await?;
    // An error row leads here with the period that is free.
    let fields = Fields::of_query(&uri)?;
    let text = |name| fields.text(name).to_owned();
    let draft = Draft { employee: text("employee"), from: text("from"), to: text("to"), ..Draft::default() };
    Ok(view(&state, contract, visit, account, draft).await?.render_page()?.into_response())
}

async fn find(state: &WebState, contract: ContractId, id: &str) -> Result<Account, WebError> {
    let id = AccountId::parse(id).ok_or(WebError::NotFound)?;
    state.store.account(contract, id).await?.ok_or(WebError::NotFound)
}

async fn view(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    account: Account,
    mut draft: Draft,
) -> Result<views::Account, WebError> {
    visit.chrome = visit.chrome.at(Place::Accounts).reached_by(&format!("/accounts/{}", account.id));
    let store = state.store.as_ref();
    let names = store.account_names(contract, account.id).await?;
    let history = store.links_of_account(contract, account.id).await?;
    let mut whose: Vec<_> = history.iter().map(|link| link.employee).collect();
    whose.sort_unstable();
    whose.dedup();
    for employee in whose {
        visit.looked_at(state, contract, Some(employee), "account").await?;
    }
    let same = store.same_names(contract, account.id).await?;
    let links = store.links_in_full(contract, vec![account.id]).await?.pop().unwrap_or_default();
    let date = account.waits_from().unwrap_or(visit.chrome.today());
    let span = cause::free(date, &links);
    if draft.from.is_empty() {
        draft.from = span.0.to_string();
        draft.to = span.1.map(|to| to.to_string()).unwrap_or_default();
    }
    let c = &visit.chrome;
    let cause = account.waiting_since.map_or(cause::Cause::Unlinked, |since| cause::cause(since, &links));
    Ok(views::Account {
        name: full_name(&account),
        key: account.key.clone(),
        upn: account.upn.clone().unwrap_or_default(),
        first: times::day_clock(account.first_seen_at),
        last: times::day_clock(account.last_seen_at),
        waiting: account.waiting,
        since: account.waiting_since.map(|date| date.to_string()).unwrap_or_default(),
        why: cause.remedy(&full_name(&account), date, c).unwrap_or_default(),
        ways: cause.ways(account.id, span, c),
        address: format!("/accounts/{}", account.id),
        punches: format!("/punches?account={}", account.id),
        // Whoever has had it is part of the form on this page.
        link: if account.links.is_empty() {
            form_address(&[("account", &account.id.to_string())], c)
        } else {
            "#assign".to_owned()
        },
        names: names.iter().map(|name| (times::day_clock(name.seen_at), shown_name(name))).collect(),
        history: history.iter().map(|link| HistoryRow::of(link, true, c)).collect(),
        same: same.iter().map(|other| twin(other, c)).collect(),
        may_change: visit.may(Action::AccountsLink),
        draft,
        c: visit.chrome,
    })
}

fn shown_name(name: &AccountName) -> String {
    let upn = name.upn.as_ref().map(|upn| format!(" ({upn})")).unwrap_or_default();
    format!("{}\\{}{upn}", name.domain, name.name)
}

/// Address, name and key of an account of the same name, and whose it is.
fn twin(other: &Account, c: &Chrome) -> (String, String, String) {
    let today = c.today();
    let link = other.links.iter().find(|link| link.from <= today && link.to.is_none_or(|to| today <= to));
    let whose = link
        .map_or_else(|| c.t("not-linked"), |link| format!("{} {}", link.employee_code, link.employee_name));
    (format!("/accounts/{}", other.id), format!("{} ({})", full_name(other), other.key), whose)
}

/// `POST /accounts/{account}/change`: `what` is `assign`, `end` or `void`; `step` is `save`, else it is shown first.
///
/// # Errors
/// [`WebError`] when the person may not change links, there is no such account or link, or the store fails.
pub async fn change(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(account): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsLink)?.contract()?;
    let account = find(&state, contract, &account).await?;
    let mut draft = Draft::default();
    let wanted = match fields.text("what") {
        "assign" => assign(&state, contract, &fields, &mut draft, &visit.chrome).await?,
        "end" => end(&fields, &mut draft, &visit.chrome)?,
        "void" => Some((LinkChange::Void { link: link_of(&fields)? }, None)),
        _ => return Err(WebError::BadForm),
    };
    let Some((change, employee)) = wanted else {
        if fields.text("what") == "assign" {
            let text = [draft.employee_error.as_str(), draft.date_error.as_str()].join(" ");
            let title = visit.chrome.t("assign-failed");
            visit.chrome.banner = Some(Banner::new(Tone::Error, title, text));
        }
        return again(&state, contract, visit, account, draft).await;
    };
    let outcome = if fields.text("step") == "save" {
        save(&state, contract, &visit, &account, change).await
    } else {
        preview(&state, contract, &visit, &account, change, employee, &fields).await
    };
    match outcome {
        Err(WebError::Store(StoreError::Refused(Refusal::DatesReversed))) => {
            draft.date_error = visit.chrome.t("unlink-before-start");
            visit.chrome.banner =
                Some(Banner::new(Tone::Error, visit.chrome.t("unlink-failed"), draft.date_error.clone()));
            again(&state, contract, visit, account, draft).await
        }
        done => done,
    }
}

fn link_of(fields: &Fields) -> Result<LinkId, WebError> {
    LinkId::parse(fields.text("link")).ok_or(WebError::BadForm)
}

type Wanted = Option<(LinkChange, Option<Employee>)>;

async fn assign(
    state: &WebState,
    contract: ContractId,
    fields: &Fields,
    draft: &mut Draft,
    c: &Chrome,
) -> Result<Wanted, WebError> {
    let text = |name| fields.text(name).to_owned();
    let employee = fields.filled("choose").unwrap_or(fields.text("employee")).to_owned();
    *draft = Draft { employee, from: text("from"), to: text("to"), ..Draft::default() };
    let mut found = state.store.find_employees(contract.into(), draft.employee.clone()).await?;
    if draft.employee.is_empty() {
        draft.employee_error = c.t("link-choose-employee");
    } else if found.len() != 1 {
        let alike = Alike::find(state.store.as_ref(), contract.into(), &draft.employee).await?;
        draft.employee_error = alike.says(&draft.employee, c);
        (draft.choices, draft.more) = (alike.choices(), alike.more);
    }
    let dates = match (fields.date("from"), fields.date("to")) {
        (Err(text), _) | (_, Err(text)) => Err(c.v("filter-bad-date", "text", text)),
        (Ok(None), _) => Err(c.t("link-no-start")),
        (Ok(Some(from)), Ok(Some(to))) if to < from => Err(c.t("filter-dates-reversed")),
        (Ok(Some(from)), Ok(to)) => Ok((from, to)),
    };
    match dates {
        Err(text) => draft.date_error = text,
        Ok((from, to)) if draft.employee_error.is_empty() => {
            let employee = found.remove(0);
            return Ok(Some((LinkChange::Assign { employee: employee.id, from, to }, Some(employee))));
        }
        Ok(_) => {}
    }
    Ok(None)
}

fn end(fields: &Fields, draft: &mut Draft, c: &Chrome) -> Result<Wanted, WebError> {
    let link = link_of(fields)?;
    match fields.date("to") {
        Ok(Some(last)) => return Ok(Some((LinkChange::End { link, last }, None))),
        Ok(None) => draft.date_error = c.t("unlink-no-date"),
        Err(text) => draft.date_error = c.v("filter-bad-date", "text", text),
    }
    Ok(None)
}

async fn again(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    account: Account,
    draft: Draft,
) -> Result<Response, WebError> {
    if visit.chrome.banner.is_none() {
        let text = [draft.employee_error.as_str(), draft.date_error.as_str()].join(" ");
        visit.chrome.banner = Some(Banner::new(Tone::Error, visit.chrome.t("unlink-failed"), text));
    }
    let page = view(state, contract, visit, account, draft).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

async fn preview(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    account: &Account,
    change: LinkChange,
    employee: Option<Employee>,
    fields: &Fields,
) -> Result<Response, WebError> {
    // A refusal has to reach the form.
    let found = state.store.preview_change(contract, account.id, change).await;
    let found = found.map_err(keep_dates)?;
    let c = visit.chrome.clone().at(Place::Accounts).reached_by(&format!("/accounts/{}", account.id));
    let page = views::AccountChange {
        name: full_name(account),
        back: format!("/accounts/{}", account.id),
        action: format!("/accounts/{}/change", account.id),
        what: in_words(change, employee.as_ref(), &c),
        warning: warning(change, employee.as_ref(), &c),
        result: result_in_words(&found, &c),
        errors: found.errors,
        employees: found.employees.into_iter().map(Changed::of).collect(),
        hidden: fields.iter().filter(|(name, _)| name != "step").cloned().collect(),
        c,
    };
    Ok(page.render_page()?.into_response())
}

/// A refusal of the dates stays one, so that the form can show it; what is not there is a page that is not there.
fn keep_dates(error: StoreError) -> WebError {
    if matches!(error, StoreError::Refused(Refusal::DatesReversed)) {
        return WebError::Store(error);
    }
    error.into()
}

fn in_words(change: LinkChange, employee: Option<&Employee>, c: &Chrome) -> String {
    let who = employee.map(|one| format!("{} {}", one.data.code, one.data.name)).unwrap_or_default();
    match change {
        LinkChange::Assign { from, to, .. } => {
            c.words().with("change-assign", &[("who", &who), ("period", &period(from, to))])
        }
        LinkChange::End { last, .. } => c.v("change-end", "date", last.to_string()),
        LinkChange::Void { .. } => c.t("change-void"),
    }
}

/// Dates on which the employee is not employed keep their errors.
fn warning(change: LinkChange, employee: Option<&Employee>, c: &Chrome) -> String {
    let (LinkChange::Assign { from, to, .. }, Some(employee)) = (change, employee) else {
        return String::new();
    };
    let data = &employee.data;
    let early = data.active_from.is_some_and(|first| from < first);
    let late = data.active_to.is_some_and(|last| to.is_none_or(|to| last < to));
    if !early && !late {
        return String::new();
    }
    let text = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let employed = format!("{}〜{}", text(data.active_from), text(data.active_to));
    c.words().with("change-not-employed", &[("who", &data.name), ("period", &employed)])
}

/// What judging again changes, in words.
#[must_use]
pub fn result_in_words(found: &ChangePreview, c: &Chrome) -> String {
    let Rejudged { results, moved } = found.rejudged;
    if found.rejudged == Rejudged::default() {
        return c.t("change-nothing");
    }
    let mut parts = Vec::new();
    parts.extend((moved > 0).then(|| c.n("change-moved", moved)));
    parts.extend((results > 0).then(|| c.n("change-rejudged", results)));
    parts.extend((found.cured > 0).then(|| c.n("change-cured", found.cured)));
    parts.extend((found.errors > 0).then(|| c.n("change-errors", found.errors)));
    parts.join(" ")
}

/// What judging again has changed, in words.
fn done_in_words(done: Rejudged, c: &Chrome) -> String {
    let Rejudged { results, moved } = done;
    let parts = [("changed-moved", moved), ("rejudged", results)];
    let parts = parts.into_iter().filter(|(_, number)| *number > 0).map(|(key, number)| c.n(key, number));
    let text = parts.collect::<Vec<_>>().join(" ");
    if text.is_empty() { c.t("change-nothing") } else { text }
}

async fn save(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    account: &Account,
    change: LinkChange,
) -> Result<Response, WebError> {
    if !matches!(change, LinkChange::Assign { .. }) {
        visit.permit(Action::AccountsUnlink)?;
    }
    let changed =
        state.store.change_links(contract, account.id, change, visit.act()).await.map_err(keep_dates)?;
    let c = &visit.chrome;
    let banner = Banner::new(
        Tone::Ok,
        c.v("account-changed", "account", full_name(account)),
        done_in_words(changed, c),
    );
    visit.leave(banner).await?;
    Ok(Redirect::to(&format!("/accounts/{}", account.id)).into_response())
}
