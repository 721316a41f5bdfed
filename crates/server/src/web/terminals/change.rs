//! What people do with terminals. `GET` asks, `POST` does: so a harmful change can be a plain link to its question,
//! and works without script.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_ledger::Digest;
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::{
    Beside, ContractId, NOTE_MAX, REASON_MAX, Refusal, StatusesSet, StoreError, Terminal, TerminalStatus,
};

use super::query::Asked;
use super::views::{self, render};
use super::{detail, find, measures};
use crate::access::Action;
use crate::web::WebState;
use crate::web::chrome::{Banner, Chrome, Place, Tone};
use crate::web::errors::WebError;
use crate::web::fields::Fields;
use crate::web::session::Visit;
use crate::web::times;

/// Terminals of one bulk change: those of a page, and as many again by hand.
const BULK_MAX: usize = 100;

/// Terminals changed at most with everything that a list holds.
const ALL_MAX: usize = 2_000;
const ALL_TOO_MANY: usize = ALL_MAX + 1;

/// Names of them that the question tells.
const NAMES_SHOWN: usize = 20;

/// For how long a person's word lets a terminal be enrolled again: a week, in which somebody gets to the PC.
const REENROLL_DAYS: i64 = 7;

const DAY_MS: i64 = 86_400_000;

/// A change, by its word in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Block,
    Unblock,
    Retire,
    Unretire,
    ClearConflict,
    AllowReenroll,
    Note,
}

impl Change {
    const ALL: [Self; 7] = [
        Self::Block,
        Self::Unblock,
        Self::Retire,
        Self::Unretire,
        Self::ClearConflict,
        Self::AllowReenroll,
        Self::Note,
    ];

    /// Last part of its address.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Retire => "retire",
            Self::Unretire => "unretire",
            Self::ClearConflict => "clear-conflict",
            Self::AllowReenroll => "reenroll",
            Self::Note => "note",
        }
    }

    /// The change of an address, as the table of routes has it.
    fn of(uri: &Uri) -> Result<Self, WebError> {
        let word = uri.path().rsplit('/').next().unwrap_or_default();
        Self::ALL.into_iter().find(|change| change.word() == word).ok_or(WebError::NotFound)
    }

    /// Who may do it.
    pub(super) fn action(self) -> Action {
        match self {
            Self::Block => Action::TerminalsBlock,
            Self::Unblock => Action::TerminalsUnblock,
            Self::Retire | Self::Unretire => Action::TerminalsRetire,
            Self::AllowReenroll => Action::TerminalsReenrol,
            Self::ClearConflict | Self::Note => Action::TerminalsNote,
        }
    }

    /// Whether a terminal with this status is offered it: the page that it was sent from may be an old one.
    fn fits(self, status: TerminalStatus) -> bool {
        match self {
            Self::Block | Self::AllowReenroll => status == TerminalStatus::Active,
            Self::Unblock => status == TerminalStatus::Blocked,
            Self::Retire => status != TerminalStatus::Retired,
            Self::Unretire => status == TerminalStatus::Retired,
            Self::ClearConflict | Self::Note => true,
        }
    }

    /// Title, text and button of the question. The note has none: its form asks.
    fn question(self, host: &str, c: &Chrome) -> Result<(String, String, String), WebError> {
        let of = |title: &str, text: &str, button: &str| {
            Ok((c.v(title, "host", host), c.v(text, "host", host), c.t(button)))
        };
        match self {
            Self::Block => of("block-title", "block-text", "block-do"),
            Self::Unblock => of("unblock-title", "unblock-text", "unblock-do"),
            Self::Retire => of("retire-title", "retire-text", "retire-do"),
            Self::Unretire => of("unretire-title", "unretire-text", "unretire-do"),
            Self::ClearConflict => of("clear-title", "clear-conflict-text", "clear-conflict-do"),
            Self::AllowReenroll => of("reenroll-title", "reenroll-text", "reenroll-do"),
            Self::Note => Err(WebError::NotFound),
        }
    }
}

/// `GET /terminals/{terminal}/{change}`: the question.
///
/// # Errors
/// [`WebError`] when the person may not change terminals, there is no such one, or the store fails.
pub async fn confirm(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, WebError> {
    let change = Change::of(&uri)?;
    let contract = visit.permit(change.action())?.contract()?;
    visit.chrome = visit.chrome.at(Place::Terminals);
    let terminal = find(&state, contract, &id).await?;
    question(visit, &terminal, change, "")
}

/// The question about one terminal, with the reason as typed before.
fn question(visit: Visit, terminal: &Terminal, change: Change, reason: &str) -> Result<Response, WebError> {
    let (title, text, button) = change.question(&terminal.host_name, &visit.chrome)?;
    // Taking the retirement back takes nothing else back.
    let stays = change == Change::Retire && terminal.status == TerminalStatus::Blocked;
    let text = if stays { format!("{text} {}", visit.chrome.t("retire-blocked-text")) } else { text };
    render(&views::Confirm {
        c: visit.chrome,
        reason: (change == Change::Block).then(|| reason.to_owned()),
        title,
        text,
        conditions: String::new(),
        names: Vec::new(),
        more: String::new(),
        action: format!("/terminals/{}/{}", terminal.id, change.word()),
        hidden: Vec::new(),
        button,
        danger: matches!(change, Change::Block | Change::Retire),
        back: format!("/terminals/{}", terminal.id),
    })
}

/// `POST /terminals/{terminal}/{change}`: does it, and goes back to the terminal.
///
/// # Errors
/// [`WebError`] when the person may not change terminals, there is no such one, or the store fails.
pub async fn apply(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    uri: Uri,
    fields: Fields,
) -> Result<Response, WebError> {
    let change = Change::of(&uri)?;
    let contract = visit.permit(change.action())?.contract()?;
    let terminal = find(&state, contract, &id).await?;
    if let Some(banner) = note_fault(change, &fields, &visit.chrome) {
        return detail::with_note(&state, contract, visit, &terminal, banner, fields.text("note")).await;
    }
    if let Some(banner) = reason_fault(&fields, &visit.chrome).filter(|_| change == Change::Block) {
        let asked = asked_again(visit, banner, &format!("/terminals/{}", terminal.id));
        return Ok(refused(question(asked, &terminal, change, fields.text("reason"))?));
    }
    let banner = if change.fits(terminal.status) {
        perform(&state, contract, &visit, &terminal, change, &fields).await
    } else {
        Ok(overtaken(change, &terminal, &visit.chrome))
    };
    let banner = match banner {
        // Somebody else was there between the two looks.
        Err(WebError::Store(StoreError::Refused(Refusal::State { .. }))) => {
            overtaken(change, &terminal, &visit.chrome)
        }
        banner => banner?,
    };
    visit.leave(banner).await?;
    Ok(Redirect::to(&format!("/terminals/{}", terminal.id)).into_response())
}

/// The visit of a question that comes back with what is wrong.
fn asked_again(mut visit: Visit, banner: Banner, reached_by: &str) -> Visit {
    visit.chrome = visit.chrome.at(Place::Terminals).reached_by(reached_by);
    visit.chrome.banner = Some(banner);
    visit
}

fn refused(mut answer: Response) -> Response {
    *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    answer
}

/// The terminal has another state than on the page that was sent: nothing is done, and that is said.
fn overtaken(change: Change, terminal: &Terminal, c: &Chrome) -> Banner {
    if change == Change::AllowReenroll {
        return Banner::new(Tone::Error, c.t("reenroll-failed"), c.t("reenroll-failed-text"));
    }
    let title = c.v("terminal-overtaken", "host", &terminal.host_name);
    Banner::new(Tone::Warn, title, c.t("terminal-overtaken-text"))
}

/// Does it, and says so in two lines.
async fn perform(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    terminal: &Terminal,
    change: Change,
    fields: &Fields,
) -> Result<Banner, WebError> {
    let (store, c, host) = (&state.store, &visit.chrome, &terminal.host_name);
    let set = |status| store.set_terminal_status(contract, terminal.id, status, visit.act());
    let said = |key: &str, text: String| Ok(Banner::new(Tone::Ok, c.v(key, "host", host), text));
    match change {
        Change::Block => block(state, contract, visit, terminal, fields).await,
        Change::Unblock => said("terminal-unblocked", c.n("rejudged", set(TerminalStatus::Active).await?)),
        Change::Retire => {
            set(TerminalStatus::Retired).await?;
            said("terminal-retired", c.t("terminal-retired-text"))
        }
        Change::Unretire => unretire(state, contract, visit, terminal).await,
        Change::ClearConflict => {
            store.clear_conflict(contract, terminal.id, visit.act()).await?;
            said("terminal-cleared", String::new())
        }
        Change::AllowReenroll => allow(state, contract, visit, terminal).await,
        Change::Note => note(state, contract, visit, terminal, fields).await,
    }
}

async fn block(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    terminal: &Terminal,
    fields: &Fields,
) -> Result<Banner, WebError> {
    let (c, reason) = (&visit.chrome, fields.text("reason").to_owned());
    let set = state.store.block_terminals(contract, vec![terminal.id], reason, visit.act()).await?;
    if set.terminals == 0 {
        return Ok(overtaken(Change::Block, terminal, c));
    }
    let link = Some(("/terminals/keys".to_owned(), c.t("block-key-link")));
    let text = format!("{} {}", c.t("terminal-blocked-text"), c.t("block-key"));
    Ok(Banner { link, ..Banner::new(Tone::Ok, c.v("terminal-blocked", "host", &terminal.host_name), text) })
}

/// What was blocked before it was retired is blocked again.
async fn unretire(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    terminal: &Terminal,
) -> Result<Banner, WebError> {
    let (c, id, host) = (&visit.chrome, terminal.id, &terminal.host_name);
    let rejudged = state.store.set_terminal_status(contract, id, TerminalStatus::Active, visit.act()).await?;
    let now = state.store.terminal(contract, id).await?.ok_or(WebError::NotFound)?;
    if now.status == TerminalStatus::Blocked {
        let title = c.v("terminal-unretired-blocked", "host", host);
        return Ok(Banner::new(Tone::Warn, title, c.t("terminal-unretired-blocked-text")));
    }
    Ok(Banner::new(Tone::Ok, c.v("terminal-unretired", "host", host), c.n("rejudged", rejudged)))
}

/// What is wrong with a reason.
fn reason_fault(fields: &Fields, c: &Chrome) -> Option<Banner> {
    let reason = fields.text("reason");
    let wrong = reason.chars().count() > REASON_MAX || reason.chars().any(char::is_control);
    wrong.then(|| Banner::new(Tone::Error, c.t("block-reason-failed"), c.n("text-too-long", REASON_MAX)))
}

async fn allow(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    terminal: &Terminal,
) -> Result<Banner, WebError> {
    let (c, host) = (&visit.chrome, &terminal.host_name);
    let until = UtcMillis(c.now.0.saturating_add(REENROLL_DAYS * DAY_MS));
    state.store.allow_reenrollment(contract, terminal.id, until, visit.act()).await?;
    let text = c.v("reenroll-allowed-text", "until", times::day_clock(until));
    Ok(Banner::new(Tone::Ok, c.v("reenroll-allowed", "host", host), text))
}

fn note_of(fields: &Fields) -> String {
    fields.text("note").replace("\r\n", "\n")
}

/// What is wrong with a note that is to be kept; nothing for other changes.
fn note_fault(change: Change, fields: &Fields, c: &Chrome) -> Option<Banner> {
    let text = note_of(fields);
    let wrong = text.chars().count() > NOTE_MAX || text.chars().any(|c| c.is_control() && c != '\n');
    let fault = || Banner::new(Tone::Error, c.t("note-failed"), c.n("text-too-long", NOTE_MAX));
    (change == Change::Note && wrong).then(fault)
}

async fn note(
    state: &WebState,
    contract: ContractId,
    visit: &Visit,
    terminal: &Terminal,
    fields: &Fields,
) -> Result<Banner, WebError> {
    let (c, text) = (&visit.chrome, note_of(fields));
    state.store.set_terminal_note(contract, terminal.id, text, visit.act()).await?;
    Ok(Banner::new(Tone::Ok, c.t("note-saved"), String::new()))
}

/// What a bulk form asks for.
struct Bulk {
    contract: ContractId,
    word: &'static str,
    status: TerminalStatus,
    /// Those that were selected; none when everything is asked for that the list holds.
    terminals: Vec<Terminal>,
    /// What the list holds.
    all: Option<All>,
    back: String,
}

/// Everything that a list holds.
struct All {
    ids: Vec<TerminalId>,
    /// The first of their names.
    names: Vec<String>,
    /// What the list was asked for, in words.
    conditions: String,
}

impl All {
    /// What the question was about: how many, and which. Terminals fall silent and come back while somebody reads.
    fn seen(&self) -> String {
        let mut ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        ids.sort_unstable();
        format!("{} {}", ids.len(), Digest::of(ids.join(" ").as_bytes()))
    }
}

impl Bulk {
    fn count(&self) -> usize {
        self.all.as_ref().map_or(self.terminals.len(), |all| all.ids.len())
    }

    fn ids(&self) -> Vec<TerminalId> {
        let selected = || self.terminals.iter().map(|terminal| terminal.id).collect();
        self.all.as_ref().map_or_else(selected, |all| all.ids.clone())
    }

    /// Their names; those that will stay as they are say in which state.
    fn names(&self, c: &Chrome) -> Vec<String> {
        let name = |terminal: &Terminal| {
            let host = &terminal.host_name;
            let retired =
                (terminal.status, self.status) == (TerminalStatus::Retired, TerminalStatus::Blocked);
            match terminal.status {
                status if status != self.status && !retired => host.clone(),
                status => c.words().with("bulk-stays", &[("host", host), ("state", &state_name(status, c))]),
            }
        };
        let selected = || self.terminals.iter().map(name).collect();
        self.all.as_ref().map_or_else(selected, |all| all.names.clone())
    }

    /// What has become other since the question, in words; nothing when it is still the same.
    fn changed(&self, fields: &Fields, c: &Chrome) -> Option<Banner> {
        let all = self.all.as_ref().filter(|all| all.seen() != fields.text("seen"))?;
        let before = fields.text("seen").split(' ').next().unwrap_or_default();
        let numbers = [("before", before), ("now", &all.ids.len().to_string())];
        let text =
            if before.is_empty() { String::new() } else { c.words().with("bulk-changed-text", &numbers) };
        Some(Banner::new(Tone::Warn, c.t("bulk-changed"), text))
    }
}

/// Everything that the list at `back` holds, on all its pages: at most [`ALL_MAX`], and one more where there are more.
async fn all_of(state: &WebState, contract: ContractId, back: &str, c: &Chrome) -> Result<All, WebError> {
    let query = back.split_once('?').map_or("", |(_, query)| query);
    let asked = Asked::read(&Fields::parse(query.as_bytes())?);
    if !asked.bad.is_empty() {
        return Err(WebError::BadForm);
    }
    let measures = measures(state, contract, c.now).await?;
    let (mut all, mut at) =
        (All { ids: Vec::new(), names: Vec::new(), conditions: asked.conditions(c) }, None);
    while all.ids.len() <= ALL_MAX {
        let page = state.store.fleet_page(contract, measures.clone(), asked.filter.clone(), at, BULK_MAX);
        let page = page.await?;
        let names = page.rows.iter().map(|terminal| terminal.host_name.clone());
        all.names.extend(names.take(NAMES_SHOWN.saturating_sub(all.names.len())));
        all.ids.extend(page.rows.iter().map(|terminal| terminal.id));
        let Some(next) = page.next else { break };
        at = Some(Beside::After(next));
    }
    Ok(all)
}

/// Word, status and who may set it.
fn bulk_of(word: &str) -> Result<(&'static str, TerminalStatus, Action), WebError> {
    match word {
        "block" => Ok(("block", TerminalStatus::Blocked, Action::TerminalsBlock)),
        "retire" => Ok(("retire", TerminalStatus::Retired, Action::TerminalsRetire)),
        "activate" => Ok(("activate", TerminalStatus::Active, Action::TerminalsUnblock)),
        _ => Err(WebError::NotFound),
    }
}

async fn read_bulk(state: &WebState, visit: &Visit, fields: &Fields) -> Result<Bulk, WebError> {
    let asked = fields.text("do");
    let (word, status, action) = bulk_of(asked.strip_prefix("all-").unwrap_or(asked))?;
    let contract = visit.permit(action)?.contract()?;
    let mut terminals: Vec<Terminal> = Vec::new();
    for id in fields.all("terminal").take(BULK_MAX + 1) {
        let terminal = find(state, contract, id).await?;
        if terminals.iter().all(|found| found.id != terminal.id) {
            terminals.push(terminal);
        }
    }
    if terminals.len() > BULK_MAX {
        return Err(WebError::TooLarge);
    }
    // Only to our own list: the address comes from a form.
    let back = fields.text("back");
    let ours = back == "/terminals" || back.starts_with("/terminals?");
    let back = if ours { back.to_owned() } else { "/terminals".to_owned() };
    let all = if asked.starts_with("all-") {
        terminals.clear();
        Some(all_of(state, contract, &back, &visit.chrome).await?)
    } else {
        None
    };
    Ok(Bulk { contract, word, status, terminals, all, back })
}

/// Too many of them are refused as a whole: nobody is to believe that all were changed.
async fn too_many(visit: &Visit, back: &str) -> Result<Response, WebError> {
    let c = &visit.chrome;
    visit.leave(Banner::new(Tone::Error, c.n("bulk-too-many", ALL_MAX), c.t("bulk-too-many-text"))).await?;
    Ok(Redirect::to(back).into_response())
}

async fn nothing_chosen(visit: &Visit, back: &str) -> Result<Response, WebError> {
    let c = &visit.chrome;
    visit.leave(Banner::new(Tone::Warn, c.t("bulk-nothing"), c.t("bulk-nothing-text"))).await?;
    Ok(Redirect::to(back).into_response())
}

/// `GET /terminals/bulk`: the question about several terminals.
///
/// # Errors
/// [`WebError`] when the person may not change terminals, one is not there, or the store fails.
pub async fn confirm_bulk(
    State(state): State<WebState>,
    mut visit: Visit,
    uri: Uri,
) -> Result<Response, WebError> {
    visit.chrome = visit.chrome.at(Place::Terminals);
    let bulk = read_bulk(&state, &visit, &Fields::of_query(&uri)?).await?;
    match bulk.count() {
        0 => return nothing_chosen(&visit, &bulk.back).await,
        ALL_TOO_MANY.. => return too_many(&visit, &bulk.back).await,
        _ => {}
    }
    ask(visit, bulk, "")
}

/// The question: to which of them, found by what, and what it means.
fn ask(visit: Visit, bulk: Bulk, reason: &str) -> Result<Response, WebError> {
    let (c, count) = (&visit.chrome, bulk.count());
    let (title, text, button) = match bulk.status {
        TerminalStatus::Blocked => (c.n("bulk-block-title", count), c.t("bulk-block-text"), c.t("block-do")),
        TerminalStatus::Retired => {
            (c.n("bulk-retire-title", count), c.t("bulk-retire-text"), c.t("retire-do"))
        }
        TerminalStatus::Active => {
            (c.n("bulk-activate-title", count), c.t("bulk-activate-text"), c.t("unblock-do"))
        }
    };
    let mut hidden: Vec<_> =
        bulk.terminals.iter().map(|terminal| ("terminal", terminal.id.to_string())).collect();
    let word = if bulk.all.is_some() { format!("all-{}", bulk.word) } else { bulk.word.to_owned() };
    hidden.extend([("do", word), ("back", bulk.back.clone())]);
    hidden.extend(bulk.all.as_ref().map(|all| ("seen", all.seen())));
    let names = bulk.names(c);
    let more = count.saturating_sub(names.len());
    render(&views::Confirm {
        title,
        text,
        button,
        conditions: bulk.all.map(|all| c.v("paper-conditions", "what", all.conditions)).unwrap_or_default(),
        more: if more > 0 { c.n("confirm-more", more) } else { String::new() },
        names,
        action: "/terminals/bulk".to_owned(),
        hidden,
        danger: bulk.status != TerminalStatus::Active,
        reason: (bulk.status == TerminalStatus::Blocked).then(|| reason.to_owned()),
        back: bulk.back,
        c: visit.chrome,
    })
}

/// `POST /terminals/bulk`: changes several terminals. Where the list holds others than those that were asked about, it
/// asks again.
///
/// # Errors
/// [`WebError`] when the person may not change terminals, one is not there, or the store fails.
pub async fn bulk(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    let bulk = read_bulk(&state, &visit, &fields).await?;
    match bulk.count() {
        0 => return nothing_chosen(&visit, &bulk.back).await,
        ALL_TOO_MANY.. => return too_many(&visit, &bulk.back).await,
        _ => {}
    }
    let c = &visit.chrome;
    let is_block = bulk.status == TerminalStatus::Blocked;
    let fault = || reason_fault(&fields, c).filter(|_| is_block);
    if let Some(banner) = bulk.changed(&fields, c).or_else(fault) {
        let visit = asked_again(visit, banner, &bulk.back);
        return Ok(refused(ask(visit, bulk, fields.text("reason"))?));
    }
    let set = set_all(&state, &visit, &bulk, fields.text("reason")).await?;
    visit.leave(became(bulk.status, set, &visit.chrome)).await?;
    Ok(Redirect::to(&bulk.back).into_response())
}

/// Sets the status of all of them. Each part is one transaction, so that PCs that send meanwhile do not wait for all of it.
async fn set_all(
    state: &WebState,
    visit: &Visit,
    bulk: &Bulk,
    reason: &str,
) -> Result<StatusesSet, WebError> {
    let (store, contract, mut set) = (&state.store, bulk.contract, StatusesSet::default());
    for part in bulk.ids().chunks(BULK_MAX) {
        let (ids, act) = (part.to_vec(), visit.act());
        let done = match bulk.status {
            TerminalStatus::Blocked => store.block_terminals(contract, ids, reason.to_owned(), act).await?,
            status @ (TerminalStatus::Active | TerminalStatus::Retired) => {
                store.set_terminal_statuses(contract, ids, status, act).await?
            }
        };
        set.terminals += done.terminals;
        set.punches += done.punches;
        set.already += done.already;
        set.retired += done.retired;
        set.blocked += done.blocked;
    }
    Ok(set)
}

/// What became of all of them, those that stayed as they were included.
fn became(status: TerminalStatus, set: StatusesSet, c: &Chrome) -> Banner {
    let (title, text) = match status {
        TerminalStatus::Blocked => (c.n("bulk-blocked", set.terminals), c.t("terminal-blocked-text")),
        TerminalStatus::Retired => (c.n("bulk-retired", set.terminals), c.t("terminal-retired-text")),
        TerminalStatus::Active => {
            (c.n("bulk-activated", set.terminals - set.blocked), c.n("rejudged", set.punches))
        }
    };
    let some = |key: &str, number: u64| (number > 0).then(|| c.n(key, number));
    let already = (set.already > 0).then(|| {
        let state = state_name(status, c);
        c.words().with("bulk-already", &[("state", &state), ("n", &set.already.to_string())])
    });
    let others = [already, some("bulk-left-retired", set.retired), some("bulk-came-blocked", set.blocked)];
    let done = Some(text).filter(|_| set.terminals > set.blocked);
    let told: Vec<_> = done.into_iter().chain(others.into_iter().flatten()).collect();
    let tone = if set.terminals > 0 { Tone::Ok } else { Tone::Warn };
    Banner::new(tone, title, told.join(" "))
}

fn state_name(status: TerminalStatus, c: &Chrome) -> String {
    c.t(match status {
        TerminalStatus::Active => "state-in-use",
        TerminalStatus::Blocked => "state-blocked",
        TerminalStatus::Retired => "state-retired",
    })
}
