//! 「選択したWindowsユーザー名をマスタ登録する」: selected accounts get their employees.
//!
//! Form → confirmation → done, without script and without state on the server: the confirmation carries the
//! form's fields along, and everything is checked again when it is saved. The store makes all links or none
//! and judges the stored punches again in the same transaction.

mod draft;
mod facts;

use std::collections::HashSet;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{
    Account, AccountId, ContractId, Employee, LinkOutcome, LinkRequest, Refusal, StoreError,
};

use super::WebState;
use super::accounts::period;
use super::chrome::{Banner, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::lookup;
use super::session::Visit;
use super::views;
use crate::access::Action;
pub use draft::Draft;
pub use facts::Facts;

/// Accounts of one form at most.
pub const ACCOUNTS_MAX: usize = 500;
/// Longest address of a form with everything that was typed; browsers and proxies take at least this.
const LINK_MAX: usize = 8_000;
/// Accounts up to which the confirmation counts punches for each.
const COUNTED_MAX: usize = 50;

/// A line of the confirmation.
#[derive(Debug, Clone)]
pub struct Line {
    /// `DOMAIN\name`.
    pub name: String,
    /// Code and name of the employee; nothing is linked when absent.
    pub employee: Option<(String, String)>,
    /// Whether the employee is made.
    pub new: bool,
    /// From when to when.
    pub period: String,
    /// Punches that are judged again, where counted.
    pub count: String,
}

/// What a form is about: the accounts as they are now, with what was typed.
struct Work {
    contract: ContractId,
    accounts: Vec<Account>,
    employees: Vec<Employee>,
    drafts: Vec<Draft>,
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
        return Ok(Redirect::to("/punches").into_response());
    }
    let work = Work::read(&state, contract, &fields, &visit).await?;
    Ok(page(&state, visit, work).await?.render_page()?.into_response())
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
        return Ok(page(&state, visit, work).await?.render_page()?.into_response());
    }
    let requests = work.check(&visit);
    if work.drafts.iter().any(Draft::is_wrong) {
        return refuse(&state, visit, work).await;
    }
    let outcome = match fields.text("step") {
        "save" => save(&state, &visit, &work, requests).await,
        _ => preview(&state, &visit, &work, &fields, requests).await,
    };
    match outcome {
        Err(WebError::Store(StoreError::Refused(refusal))) => {
            work.blame(&refusal, &visit);
            refuse(&state, visit, work).await
        }
        done => done,
    }
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
        let employees = lookup::employees(state.store.as_ref(), contract.into()).await?;
        let today = visit.chrome.today();
        let drafts = accounts.iter().enumerate().map(|(n, account)| Draft::read(n, account, fields, today));
        let drafts = drafts.collect();
        let address = format!("/accounts/link?{}", fields.query_without(&["step"]));
        Ok(Self { contract, accounts, employees, drafts, address })
    }

    /// Checks every draft; wrong ones get their messages and give no request.
    fn check(&mut self, visit: &Visit) -> Vec<LinkRequest> {
        let pairs = self.drafts.iter_mut().zip(&self.accounts);
        pairs.filter_map(|(draft, account)| draft.check(account.id, &self.employees, &visit.chrome)).collect()
    }

    /// Puts the store's refusal to the draft it is about, else to the first.
    fn blame(&mut self, refusal: &Refusal, visit: &Visit) {
        let text = match refusal {
            Refusal::LinkOverlaps { .. } => visit.chrome.t("link-overlaps"),
            Refusal::Taken { code, .. } => visit.chrome.v("employee-taken", "code", code),
            Refusal::DatesReversed => visit.chrome.t("filter-dates-reversed"),
            Refusal::Missing { .. } | Refusal::DepartmentCycle | Refusal::TooMany { .. } => {
                visit.chrome.t("link-refused")
            }
        };
        let about = |draft: &Draft| match refusal {
            Refusal::LinkOverlaps { account } => draft.name == *account,
            Refusal::Taken { code, .. } => draft.code == *code,
            Refusal::DatesReversed
            | Refusal::Missing { .. }
            | Refusal::DepartmentCycle
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

async fn page(state: &WebState, mut visit: Visit, work: Work) -> Result<views::LinkForm, WebError> {
    let wrong = work.drafts.iter().flat_map(|draft| draft.problems(&visit.chrome)).collect();
    visit.chrome = visit.chrome.at(Place::Punches).reached_by(&work.address);
    let facts = facts::read(state, work.contract, &work.accounts, &visit.chrome).await?;
    let waiting = work.accounts.iter().map(|account| account.waiting).sum();
    let suggestions = work
        .employees
        .iter()
        .map(|employee| format!("{} {}", employee.data.code, employee.data.name))
        .collect();
    Ok(views::LinkForm {
        rows: work.drafts.into_iter().zip(facts).collect(),
        around: visit.chrome.words().around("link-sum", work.accounts.len()),
        users: work.accounts.len(),
        c: visit.chrome,
        waiting,
        suggestions,
        wrong,
    })
}

/// The form again, with what is wrong.
async fn refuse(state: &WebState, visit: Visit, work: Work) -> Result<Response, WebError> {
    let page = page(state, visit, work).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

async fn preview(
    state: &WebState,
    visit: &Visit,
    work: &Work,
    fields: &Fields,
    requests: Vec<LinkRequest>,
) -> Result<Response, WebError> {
    let total = judged(state, work.contract, requests.clone()).await?;
    let waiting: u64 = work.accounts.iter().map(|account| account.waiting).sum();
    let counts = counts(state, work, &requests).await?;
    let lines = work.drafts.iter().zip(counts).map(|(draft, count)| line(draft, count, &work.employees));
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
        c: visit.chrome.clone().at(Place::Punches).reached_by(&work.address),
    };
    Ok(page.render_page()?.into_response())
}

/// Refusals stay refusals here, so that the form can show them.
async fn judged(state: &WebState, contract: ContractId, requests: Vec<LinkRequest>) -> Result<u64, WebError> {
    if requests.is_empty() {
        return Ok(0);
    }
    state.store.preview_links(contract, requests).await.map_err(keep_refusal)
}

fn keep_refusal(error: StoreError) -> WebError {
    WebError::Store(error)
}

/// Punches each draft would change; unknown when there are many drafts.
async fn counts(
    state: &WebState,
    work: &Work,
    requests: &[LinkRequest],
) -> Result<Vec<Option<u64>>, WebError> {
    let mut counts = Vec::with_capacity(work.accounts.len());
    for account in &work.accounts {
        let request = requests.iter().find(|request| request.account == account.id);
        counts.push(match request {
            None => Some(0),
            Some(_) if requests.len() > COUNTED_MAX => None,
            Some(request) => Some(judged(state, work.contract, vec![request.clone()]).await?),
        });
    }
    Ok(counts)
}

fn line(draft: &Draft, count: Option<u64>, employees: &[Employee]) -> Line {
    let employee = draft.employee_of(employees);
    Line {
        name: draft.name.clone(),
        new: draft.new && !draft.skip,
        period: draft.dates().map(|(from, to)| period(from, to)).unwrap_or_default(),
        employee,
        count: count.map(|count| count.to_string()).unwrap_or_default(),
    }
}

async fn save(
    state: &WebState,
    visit: &Visit,
    work: &Work,
    requests: Vec<LinkRequest>,
) -> Result<Response, WebError> {
    if requests.is_empty() {
        return Ok(Redirect::to("/accounts").into_response());
    }
    let outcome =
        state.store.link_accounts(work.contract, requests, visit.act()).await.map_err(keep_refusal)?;
    visit.leave(done(state, visit, work, &outcome).await?).await?;
    Ok(Redirect::to("/punches").into_response())
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
