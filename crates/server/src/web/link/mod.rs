//! 「選択したWindowsユーザー名をマスタ登録する」: selected accounts get their employees.
//!
//! Form → confirmation → done, without script and without state on the server: the confirmation carries the
//! form's fields along, and everything is checked again when it is saved. The store makes all links or none
//! and judges the stored punches again in the same transaction.

mod draft;
mod facts;
mod origin;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{
    Account, AccountId, ContractId, Employee, EmployeeChoice, LinkInFull, LinkOutcome, LinkPreview,
    LinkRequest, Reason, Refusal, StoreError,
};

use super::WebState;
use super::accounts::{because, period};
use super::chrome::{Banner, Chrome, Tone};
use super::employees::held;
use super::errors::WebError;
use super::fields::Fields;
use super::lookup::{self, Alike};
use super::punches::cause;
use super::session::Visit;
use super::views;
use crate::access::Action;
pub use draft::Draft;
pub use facts::Facts;
use origin::Origin;
pub use origin::{address_with_back, form_address};

/// Accounts of one form at most.
pub const ACCOUNTS_MAX: usize = 500;
/// Longest address of a form with everything that was typed; browsers and proxies take at least this.
const LINK_MAX: usize = 8_000;
/// Accounts up to which the form looks for who may be behind them.
const SUGGESTED_MAX: usize = 50;
/// Accounts of one confirmation of suggestions: a page that can still be read, and each of them is asked of the store. The
/// next ones are one link away once these are saved.
pub const SUGGESTED_AT_ONCE_MAX: usize = 200;
/// Field of a confirmation that is not of all suggestions: their reason.
const REST: &str = "rest";

/// A line of the confirmation.
#[derive(Debug, Clone)]
pub struct Line {
    /// `DOMAIN\name`.
    pub name: String,
    /// Code and name of the employee; nothing is linked when absent.
    pub employee: Option<(String, String)>,
    /// Whether the employee is made.
    pub new: bool,
    /// Whether a line above makes the same employee.
    pub again: bool,
    /// From when to when.
    pub period: String,
    /// Whose link gives way to this, and what stays of it, in words; empty for nobody.
    pub ends: String,
    /// Punches that are judged again.
    pub count: String,
    /// Dates on which these are, empty for none.
    pub days: String,
    /// How many waiting punches keep their error, each number with its reason; together with the punches above, these are
    /// all that wait.
    pub left: Vec<String>,
}

/// What a form is about: the accounts as they are now, with what was typed.
struct Work {
    contract: ContractId,
    accounts: Vec<Account>,
    /// The links of each.
    links: Vec<Vec<LinkInFull>>,
    employees: Vec<Employee>,
    drafts: Vec<Draft>,
    /// Employees that the form offers, as they are typed.
    offered: Vec<String>,
    /// Address that shows the form with everything that was typed.
    address: String,
}

/// `GET /accounts/link`
///
/// # Errors
/// [`WebError`] when the person may not link accounts, there is no such account, or the store fails.
pub async fn form(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsLink)?.contract()?;
    let fields = Fields::of_query(&uri)?;
    if fields.filled("account").is_none() {
        let c = &visit.chrome;
        visit.leave(Banner::new(Tone::Warn, c.t("link-nothing"), c.t("link-nothing-text"))).await?;
        return Ok(Redirect::to(Origin::of(&fields).address).into_response());
    }
    let work = Work::read(&state, contract, &fields, &visit).await?;
    Ok(page(&state, visit, work, &fields).await?.render_page()?.into_response())
}

/// `POST /accounts/link`: `step` is `preview`, `edit` or `save`.
///
/// # Errors
/// [`WebError`] when the person may not link accounts, there is no such account, or the store fails.
pub async fn submit(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsLink)?.contract()?;
    let mut work = Work::read(&state, contract, &fields, &visit).await?;
    if fields.text("step") == "edit" {
        return Ok(page(&state, visit, work, &fields).await?.render_page()?.into_response());
    }
    if fields.text("step") == "save" && work.is_there_already() {
        visit.leave(Banner::new(Tone::Ok, visit.chrome.t("link-there-already"), String::new())).await?;
        return Ok(Redirect::to(Origin::of(&fields).address).into_response());
    }
    let requests = work.check(&visit);
    if work.drafts.iter().any(Draft::is_wrong) {
        return refuse(&state, visit, work, &fields).await;
    }
    let outcome = match fields.text("step") {
        "save" => save(&state, &visit, &work, &fields, requests).await,
        _ => preview(&state, &visit, &work, &fields, requests).await,
    };
    match outcome {
        Err(WebError::Store(StoreError::Refused(refusal))) => {
            work.blame(&refusal, &visit);
            refuse(&state, visit, work, &fields).await
        }
        done => done,
    }
}

/// Employees that the form names, by any of the ways to name one. Every text is asked of the store, also where somebody
/// who was found by another one fits: there may be more of that name.
async fn named(
    state: &WebState,
    contract: ContractId,
    fields: &Fields,
    accounts: usize,
) -> Result<Vec<Employee>, WebError> {
    let texts = (0..accounts).flat_map(|n| {
        let code = fields.code(&format!("code-{n}"));
        [draft::whom(n, fields).to_owned(), code]
    });
    let texts: BTreeSet<String> = texts.filter(|text| !text.is_empty()).collect();
    let mut all = BTreeMap::new();
    for text in texts {
        let found = state.store.find_employees(contract.into(), text).await?;
        all.extend(found.into_iter().map(|one| (one.id, one)));
    }
    Ok(all.into_values().collect())
}

/// An employee as the form takes it.
fn typed(employee: &Employee) -> String {
    format!("{} {}", employee.data.code, employee.data.name)
}

/// Fills in who may be behind each account, and says why; returns everybody who may.
async fn suggest(
    state: &WebState,
    contract: ContractId,
    accounts: &[Account],
    drafts: &mut [Draft],
    c: &Chrome,
) -> Result<Vec<String>, WebError> {
    let ids = accounts.iter().map(|account| account.id).collect();
    let found = state.store.suggestions(contract, ids, c.today()).await?;
    let mut offered = Vec::new();
    for ((draft, account), all) in drafts.iter_mut().zip(accounts).zip(found) {
        if let Some(best) = all.first() {
            draft.reason = c.v("suggested-because", "reason", because(best, account, c));
            if best.sure {
                draft.employee = typed(&best.employee);
            } else {
                draft.choices = all.iter().map(|one| lookup::choice(&one.employee)).collect();
            }
        }
        offered.extend(all.iter().map(|one| typed(&one.employee)));
    }
    Ok(offered)
}

/// `GET /accounts/suggested`: the confirmation of every suggestion of one reason.
///
/// # Errors
/// [`WebError`] when the person may not link accounts, there is no such reason, or the store fails.
pub async fn suggested(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AccountsLink)?.contract()?;
    let asked = Fields::of_query(&uri)?;
    // The list that offers this is the one of accounts.
    let asked = if asked.filled("back").is_some() { asked } else { asked.with("back", "/accounts") };
    let c = &visit.chrome;
    let reason = Reason::ALL.into_iter().find(|reason| reason.name() == asked.text("reason"));
    let reason = reason.ok_or(WebError::NotFound)?;
    let mut found = state.store.suggested(contract, reason, c.today(), SUGGESTED_AT_ONCE_MAX + 1).await?;
    if found.is_empty() {
        visit.leave(Banner::new(Tone::Warn, c.t("suggested-none"), String::new())).await?;
        return Ok(Redirect::to(Origin::of(&asked).address).into_response());
    }
    let mut pairs = vec![("back".to_owned(), asked.text("back").to_owned())];
    if found.len() > SUGGESTED_AT_ONCE_MAX {
        found.truncate(SUGGESTED_AT_ONCE_MAX);
        pairs.push((REST.to_owned(), reason.name().to_owned()));
    }
    let ids = found.iter().map(|(account, _)| account.id).collect();
    let links = state.store.links_in_full(contract, ids).await?;
    for (n, ((account, employee), links)) in found.iter().zip(links).enumerate() {
        let (from, to) = cause::free(account.waits_from().unwrap_or(c.today()), &links);
        let fields = [
            ("account".to_owned(), account.id.to_string()),
            (format!("mode-{n}"), "old".to_owned()),
            (format!("employee-{n}"), typed(employee)),
            (format!("from-{n}"), from.to_string()),
            (format!("to-{n}"), to.map(|to| to.to_string()).unwrap_or_default()),
        ];
        pairs.extend(fields);
    }
    let fields = Fields::of_pairs(pairs);
    let mut work = Work::read(&state, contract, &fields, &visit).await?;
    let requests = work.check(&visit);
    if work.drafts.iter().any(Draft::is_wrong) {
        return refuse(&state, visit, work, &fields).await;
    }
    preview(&state, &visit, &work, &fields, requests).await
}

impl Work {
    async fn read(
        state: &WebState,
        contract: ContractId,
        fields: &Fields,
        visit: &Visit,
    ) -> Result<Self, WebError> {
        let ids = selected(fields)?;
        let mut accounts = Vec::with_capacity(ids.len());
        for id in ids {
            accounts.push(state.store.account(contract, id).await?.ok_or(WebError::NotFound)?);
        }
        let employees = named(state, contract, fields, accounts.len()).await?;
        let today = visit.chrome.today();
        let ids = accounts.iter().map(|account| account.id).collect();
        let links = state.store.links_in_full(contract, ids).await?;
        let pairs = accounts.iter().zip(&links).enumerate();
        let drafts = pairs.map(|(n, (account, links))| Draft::read(n, account, links, fields, today));
        let mut drafts: Vec<Draft> = drafts.collect();
        let mut offered = Vec::new();
        if fields.iter().all(|(name, _)| name != "mode-0") && drafts.len() <= SUGGESTED_MAX {
            offered = suggest(state, contract, &accounts, &mut drafts, &visit.chrome).await?;
        }
        for ((draft, account), links) in drafts.iter_mut().zip(&accounts).zip(&links) {
            draft.look_for_others(account.id, links, &visit.chrome);
        }
        let address = format!("/accounts/link?{}", fields.query_without(&["step"]));
        Ok(Self { contract, accounts, links, employees, drafts, offered, address })
    }

    /// Whether every link that is asked for is there to the letter: the same form was sent before.
    fn is_there_already(&self) -> bool {
        let pairs = || self.drafts.iter().zip(&self.accounts).filter(|(draft, _)| !draft.skip);
        pairs().count() > 0 && pairs().all(|(draft, account)| draft.is_among(&account.links, &self.employees))
    }

    /// Checks every draft; wrong ones get their messages and give no request.
    fn check(&mut self, visit: &Visit) -> Vec<LinkRequest> {
        let mut requests = Vec::new();
        let mut made: HashMap<String, String> = HashMap::new();
        for ((draft, account), links) in self.drafts.iter_mut().zip(&self.accounts).zip(&self.links) {
            let Some(request) = draft.check(account.id, &self.employees, &visit.chrome) else { continue };
            if !draft.meets(&mut made, &visit.chrome) {
                continue;
            }
            let wanted = match request.employee {
                EmployeeChoice::Existing(id) => Some(id),
                EmployeeChoice::New(_) => None,
            };
            if cause::is_free(wanted, (request.from, request.to), links) {
                requests.push(request);
            } else {
                draft.date_error = visit.chrome.t("link-overlaps");
            }
        }
        requests
    }

    /// Puts the store's refusal to the draft it is about, else to the first.
    fn blame(&mut self, refusal: &Refusal, visit: &Visit) {
        let text = match refusal {
            Refusal::LinkOverlaps { .. } => visit.chrome.t("link-overlaps"),
            Refusal::Taken { code, .. } => visit.chrome.v("employee-taken", "code", code),
            Refusal::Held { field, code } => held(*field, code, &visit.chrome),
            Refusal::DatesReversed => visit.chrome.t("filter-dates-reversed"),
            Refusal::Missing { .. }
            | Refusal::DepartmentCycle
            | Refusal::Department { .. }
            | Refusal::LastOne { .. }
            | Refusal::OnlyWayIn
            | Refusal::LastSecondFactor
            | Refusal::State { .. }
            | Refusal::TooMany { .. } => visit.chrome.t("link-refused"),
        };
        let about = |draft: &Draft| match refusal {
            Refusal::LinkOverlaps { account } => draft.name == *account,
            Refusal::Taken { code, .. } => draft.code == *code,
            Refusal::DatesReversed
            | Refusal::Held { .. }
            | Refusal::Missing { .. }
            | Refusal::DepartmentCycle
            | Refusal::Department { .. }
            | Refusal::LastOne { .. }
            | Refusal::OnlyWayIn
            | Refusal::LastSecondFactor
            | Refusal::State { .. }
            | Refusal::TooMany { .. } => !draft.skip,
        };
        let place = self.drafts.iter().position(about).unwrap_or(0);
        if let Some(draft) = self.drafts.get_mut(place) {
            draft.date_error = text;
        }
    }
}

/// The accounts of a form, each once, in order.
fn selected(fields: &Fields) -> Result<Vec<AccountId>, WebError> {
    let mut seen = HashSet::new();
    let texts: Vec<&str> = fields.all("account").filter(|text| seen.insert(*text)).collect();
    if texts.len() > ACCOUNTS_MAX {
        return Err(WebError::TooLarge);
    }
    let ids: Option<Vec<_>> = texts.into_iter().map(AccountId::parse).collect();
    ids.filter(|ids| !ids.is_empty()).ok_or(WebError::NotFound)
}

async fn page(
    state: &WebState,
    mut visit: Visit,
    work: Work,
    fields: &Fields,
) -> Result<views::LinkForm, WebError> {
    let origin = Origin::of(fields);
    let wrong = work.drafts.iter().flat_map(|draft| draft.problems(&visit.chrome)).collect();
    visit.chrome = visit.chrome.at(origin.place).reached_by(&work.address);
    let facts = facts::read(state, work.contract, &work.accounts, &visit.chrome).await?;
    let waiting: u64 = work.accounts.iter().map(|account| account.waiting).sum();
    let mut suggestions = work.offered;
    suggestions.extend(work.employees.iter().map(typed));
    suggestions.sort();
    suggestions.dedup();
    Ok(views::LinkForm {
        rows: work.drafts.into_iter().zip(facts).collect(),
        around: visit.chrome.words().around("link-sum", waiting),
        users: work.accounts.len(),
        back: origin.address.to_owned(),
        back_text: visit.chrome.t(origin.name),
        c: visit.chrome,
        waiting,
        suggestions,
        wrong,
    })
}

/// The form again, with what is wrong, and with whom a text may mean that names nobody in particular.
async fn refuse(
    state: &WebState,
    visit: Visit,
    mut work: Work,
    fields: &Fields,
) -> Result<Response, WebError> {
    for draft in work.drafts.iter_mut().filter(|draft| draft.is_unclear()).take(SUGGESTED_MAX) {
        let alike = Alike::find(state.store.as_ref(), work.contract.into(), &draft.employee).await?;
        draft.offer(&alike, &visit.chrome);
    }
    let page = page(state, visit, work, fields).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

async fn preview(
    state: &WebState,
    visit: &Visit,
    work: &Work,
    fields: &Fields,
    requests: Vec<LinkRequest>,
) -> Result<Response, WebError> {
    let found = state.store.preview_each_link(work.contract, requests.clone()).await.map_err(keep_refusal)?;
    let total: u64 = found.iter().map(|one| one.punches).sum();
    let waiting: u64 = work.accounts.iter().map(|account| account.waiting).sum();
    let of: HashMap<AccountId, LinkPreview> =
        requests.iter().map(|request| request.account).zip(found).collect();
    let pairs = work.drafts.iter().zip(&work.accounts);
    let lines = pairs.map(|(draft, account)| {
        let found = of.get(&account.id).copied().unwrap_or_default();
        line(draft, account, found, &work.employees, &visit.chrome)
    });
    let page = views::LinkConfirm {
        lines: lines.collect(),
        around: visit.chrome.words().around("link-judges", total),
        total,
        left: waiting.saturating_sub(total),
        hidden: fields.iter().filter(|(name, _)| name != "step").cloned().collect(),
        back: if work.address.len() <= LINK_MAX {
            work.address.clone()
        } else {
            "/accounts?show=waiting".into()
        },
        nothing: requests.is_empty(),
        rest: rest(fields).map(|_| visit.chrome.n("suggested-first", SUGGESTED_AT_ONCE_MAX)),
        c: visit.chrome.clone().at(Origin::of(fields).place).reached_by(&work.address),
    };
    Ok(page.render_page()?.into_response())
}

/// The reason of which there are more suggestions than the form has.
fn rest(fields: &Fields) -> Option<Reason> {
    let asked = fields.filled(REST)?;
    Reason::ALL.into_iter().find(|reason| reason.name() == asked)
}

/// The way to the suggestions that are left once these are saved.
fn further(fields: &Fields, c: &Chrome) -> Option<(String, String)> {
    let reason = rest(fields)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("reason", reason.name()).append_pair("back", Origin::of(fields).address);
    Some((format!("/accounts/suggested?{}", query.finish()), c.t("suggested-further")))
}

/// Refusals stay refusals here, so that the form can show them.
fn keep_refusal(error: StoreError) -> WebError {
    WebError::Store(error)
}

/// Why waiting punches of the account keep their error.
fn left(draft: &Draft, waiting: u64, found: LinkPreview, c: &Chrome) -> Vec<String> {
    let beyond = waiting.saturating_sub(found.punches).saturating_sub(found.outside);
    let reasons = if draft.skip {
        [("confirm-keeps", waiting), ("", 0)]
    } else {
        [("confirm-outside", found.outside), ("confirm-beyond", beyond)]
    };
    reasons.into_iter().filter(|(_, number)| *number > 0).map(|(key, number)| c.n(key, number)).collect()
}

fn line(draft: &Draft, account: &Account, found: LinkPreview, employees: &[Employee], c: &Chrome) -> Line {
    let employee = draft.employee_of(employees);
    let span = found
        .span
        .map(|(first, last)| if first == last { first.to_string() } else { period(first, Some(last)) });
    Line {
        name: draft.name.clone(),
        new: draft.new && !draft.skip,
        again: draft.again,
        period: draft.dates().map(|(from, to)| period(from, to)).unwrap_or_default(),
        ends: if draft.skip { String::new() } else { draft.ends.clone() },
        employee,
        count: found.punches.to_string(),
        days: span
            .map(|span| c.words().with("confirm-days", &[("span", &span), ("days", &found.days.to_string())]))
            .unwrap_or_default(),
        left: left(draft, account.waiting, found, c),
    }
}

async fn save(
    state: &WebState,
    visit: &Visit,
    work: &Work,
    fields: &Fields,
    requests: Vec<LinkRequest>,
) -> Result<Response, WebError> {
    let back = Redirect::to(Origin::of(fields).address).into_response();
    if requests.is_empty() {
        return Ok(back);
    }
    let outcome =
        state.store.link_accounts(work.contract, requests, visit.act()).await.map_err(keep_refusal)?;
    let done = done(state, visit, work, &outcome).await?;
    let link = further(fields, &visit.chrome).or(done.link);
    visit.leave(Banner { link, ..done }).await?;
    Ok(back)
}

async fn done(
    state: &WebState,
    visit: &Visit,
    work: &Work,
    outcome: &LinkOutcome,
) -> Result<Banner, WebError> {
    let (c, now) = (&visit.chrome, visit.chrome.now);
    let left = state.store.summary(work.contract.into(), now, now, now).await?.unlinked_punches;
    let title = c.words().numbers("link-done", &[("users", outcome.links), ("punches", outcome.rejudged)]);
    let text = if left == 0 { c.t("link-done-all") } else { c.n("link-done-left", left) };
    let account = work.accounts.first().filter(|_| work.accounts.len() == 1);
    let link = account.map(|account| (format!("/punches?account={}", account.id), c.t("link-done-see")));
    Ok(Banner { tone: Tone::Ok, title, text, link })
}
