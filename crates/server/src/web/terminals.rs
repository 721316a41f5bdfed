//! 端末: health of the PCs, and blocking them.

pub mod days;
mod standing;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::{TerminalId, UtcMillis};
use mngntime_store::{ContractId, Health, Standing, Terminal, TerminalStatus};

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

pub use standing::Note;

/// How a terminal is doing, all things considered; in the order in which the list shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Not heard of for long.
    Silent,
    /// Blocked by a person.
    Blocked,
    /// Missed its time.
    Late,
    /// All is well.
    Healthy,
    /// Out of use.
    Retired,
}

impl Condition {
    fn of(terminal: &Terminal, now: UtcMillis, contact_seconds: u32) -> Self {
        match terminal.status {
            TerminalStatus::Blocked => Self::Blocked,
            TerminalStatus::Retired => Self::Retired,
            TerminalStatus::Active => match Health::of(terminal.last_contact_at, now, contact_seconds) {
                Health::Healthy => Self::Healthy,
                Health::Late => Self::Late,
                Health::Silent => Self::Silent,
            },
        }
    }

    /// Last part of its class, its drawing and its text's key.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Blocked | Self::Retired => "blocked",
            Self::Late => "late",
            Self::Healthy => "ok",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Silent => "state-silent",
            Self::Blocked => "state-blocked",
            Self::Late => "state-late",
            Self::Healthy => "state-ok",
            Self::Retired => "state-retired",
        }
    }
}

/// A terminal, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// PC name.
    pub host: String,
    /// Address of its punches; absent for who may not see them.
    pub href: Option<String>,
    /// Class and drawing of its state.
    pub state: &'static str,
    /// Its state in words.
    pub state_text: String,
    /// When it was last heard of.
    pub last: String,
    /// How long ago that is, where it matters.
    pub ago: String,
    /// Events waiting on it.
    pub waiting: u64,
    /// Its clock's offset, empty when silent.
    pub offset: String,
    /// Whether the offset is worth a warning.
    pub offset_large: bool,
    /// Version of the agent.
    pub version: String,
    /// How its secret key is kept, in words.
    pub key: String,
    /// Operating system.
    pub os: String,
    /// What its numbers and OS runs tell, in a word; empty when all is well.
    pub standing: String,
    /// Which numbers the server holds, in words.
    pub numbers: String,
    /// It is made of something else than when it was enrolled.
    pub makeup_changed: bool,
    /// Address of its days.
    pub days: String,
    /// Address that blocks or unblocks it.
    pub change: String,
    /// Address that clears the marks.
    pub clear: String,
    /// Whether it can be blocked (else unblocked).
    pub active: bool,
}

/// `GET /terminals`
///
/// # Errors
/// [`WebError`] when the person may not see terminals or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsRead)?.contract()?;
    visit.pick_up().await?;
    visit.chrome = visit.chrome.at(Place::Terminals);
    let all = lookup::terminals(state.store.as_ref(), contract).await?;
    if all.is_empty() {
        return steps(&state, visit, false);
    }
    let fields = Fields::of_query(&uri)?;
    Ok(view(&state, visit, &fields, all).render_page()?.into_response())
}

/// `GET /terminals/enroll`: how to enrol a PC.
///
/// # Errors
/// [`WebError`] when the person may not see terminals.
pub async fn first_steps(State(state): State<WebState>, mut visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::TerminalsRead)?;
    visit.chrome = visit.chrome.at(Place::Terminals);
    steps(&state, visit, true)
}

fn steps(state: &WebState, visit: Visit, some: bool) -> Result<Response, WebError> {
    let steps = views::Steps::new(state, visit.contract_code());
    let page = views::TerminalsBlank { c: visit.chrome, some, steps };
    Ok(page.render_page()?.into_response())
}

/// `POST /terminals/{terminal}/block`
///
/// # Errors
/// [`WebError`] when the person may not block terminals, there is no such one, or the store fails.
pub async fn block(
    State(state): State<WebState>,
    visit: Visit,
    Path(terminal): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsBlock)?.contract()?;
    let (c, terminal) = (&visit.chrome, find(&state, contract, &terminal).await?);
    state.store.set_terminal_status(contract, terminal.id, TerminalStatus::Blocked, visit.act()).await?;
    done(&visit, c.v("terminal-blocked", "host", terminal.host_name), c.t("terminal-blocked-text")).await
}

/// `POST /terminals/{terminal}/unblock`
///
/// # Errors
/// [`WebError`] when the person may not unblock terminals, there is no such one, or the store fails.
pub async fn unblock(
    State(state): State<WebState>,
    visit: Visit,
    Path(terminal): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsUnblock)?.contract()?;
    let (c, terminal) = (&visit.chrome, find(&state, contract, &terminal).await?);
    let act = visit.act();
    let changed = state.store.set_terminal_status(contract, terminal.id, TerminalStatus::Active, act).await?;
    done(&visit, c.v("terminal-unblocked", "host", terminal.host_name), c.n("rejudged", changed)).await
}

/// `POST /terminals/{terminal}/clear-conflict`
///
/// # Errors
/// [`WebError`] when the person may not clear marks, there is no such terminal, or the store fails.
pub async fn clear_conflict(
    State(state): State<WebState>,
    visit: Visit,
    Path(terminal): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsNote)?.contract()?;
    let terminal = find(&state, contract, &terminal).await?;
    state.store.clear_conflict(contract, terminal.id, visit.act()).await?;
    done(&visit, visit.chrome.v("terminal-cleared", "host", terminal.host_name), String::new()).await
}

/// The terminal of this contract with the id of an address.
async fn find(state: &WebState, contract: ContractId, id: &str) -> Result<Terminal, WebError> {
    let id = TerminalId::parse(id).map_err(|_| WebError::NotFound)?;
    state.store.terminal(contract, id).await?.ok_or(WebError::NotFound)
}

/// Says so in two lines, on the list.
async fn done(visit: &Visit, title: String, text: String) -> Result<Response, WebError> {
    visit.leave(Banner::new(Tone::Ok, title, text)).await?;
    Ok(Redirect::to("/terminals").into_response())
}

fn belongs(show: &str, state: Condition, terminal: &Terminal) -> bool {
    match show {
        "ok" => state == Condition::Healthy,
        "late" => state == Condition::Late,
        "silent" => state == Condition::Silent,
        "blocked" => state == Condition::Blocked,
        "numbers" => terminal.standing() != Standing::Complete,
        _ => true,
    }
}

fn mentions(terminal: &Terminal, q: &str) -> bool {
    let q = q.to_lowercase();
    let texts = [&terminal.host_name, &terminal.os, &terminal.agent_version, &terminal.id.to_string()];
    texts.into_iter().any(|text| text.to_lowercase().contains(&q))
}

fn view(state: &WebState, visit: Visit, fields: &Fields, mut all: Vec<Terminal>) -> views::Terminals {
    let c = &visit.chrome;
    let of = |terminal: &Terminal| Condition::of(terminal, c.now, state.contact_seconds);
    // Those that need attention come first; the sort keeps names in order.
    all.sort_by_key(|terminal| (terminal.standing(), of(terminal)));
    let (show, q) = (fields.text("show"), fields.text("q"));
    let found: Vec<&Terminal> = all
        .iter()
        .filter(|terminal| belongs(show, of(terminal), terminal) && mentions(terminal, q))
        .collect();
    let cut = Cut::of(fields.text("page"), found.len());
    let segment = |value: &'static str, key: &str| {
        let number = all.iter().filter(|terminal| belongs(value, of(terminal), terminal)).count();
        let icon = if value == "numbers" { "" } else { value };
        Segment::new("/terminals", show, value, q, c.t(key), number).with_icon(icon)
    };
    let mut segments = vec![
        segment("", "terminals-all"),
        segment("ok", "state-ok"),
        segment("late", "state-late"),
        segment("silent", "state-silent"),
        segment("blocked", "state-blocked"),
    ];
    if all.iter().any(|terminal| terminal.standing() != Standing::Complete) {
        segments.push(segment("numbers", "standing-odd"));
    }
    views::Terminals {
        segments,
        notes: cut.slice(&found).iter().flat_map(|terminal| standing::notes(terminal, c)).collect(),
        rows: cut.slice(&found).iter().map(|terminal| row(terminal, of(terminal), &visit)).collect(),
        shown: shown(c, "shown-terminals", cut),
        next: views::next_address("/terminals", fields, cut),
        total: all.len(),
        q: q.to_owned(),
        show: show.to_owned(),
        may_change: visit.may(Action::TerminalsBlock),
        c: visit.chrome,
    }
}

fn row(terminal: &Terminal, state: Condition, visit: &Visit) -> Row {
    let c = &visit.chrome;
    let silent = state == Condition::Silent;
    Row {
        host: terminal.host_name.clone(),
        href: visit.may(Action::PunchesRead).then(|| format!("/punches?terminal={}", terminal.id)),
        state: state.name(),
        state_text: c.t(state.key()),
        last: terminal.last_contact_at.map_or_else(|| c.t("terminal-never"), times::month_clock),
        ago: terminal.last_contact_at.filter(|_| silent).map(|last| ago(last, c)).unwrap_or_default(),
        waiting: terminal.waiting,
        offset: if silent {
            String::new()
        } else {
            c.v("seconds", "n", times::seconds_ahead(terminal.clock_offset_ms))
        },
        offset_large: times::offset_is_large(terminal.clock_offset_ms),
        version: terminal.agent_version.clone(),
        key: kept(terminal, c),
        os: terminal.os.clone(),
        standing: standing::tag(terminal.standing(), c),
        numbers: standing::numbers(terminal, c),
        makeup_changed: terminal.makeup_changed,
        days: format!("/terminals/{}/days", terminal.id),
        change: format!("/terminals/{}/{}", terminal.id, if state.blocks() { "block" } else { "unblock" }),
        clear: format!("/terminals/{}/clear-conflict", terminal.id),
        active: state.blocks(),
    }
}

impl Condition {
    /// Whether the terminal is in use, so that it can be blocked.
    fn blocks(self) -> bool {
        !matches!(self, Self::Blocked | Self::Retired)
    }
}

/// How the terminal's secret key is kept. Agents before `file` was a word said `software` of a key file, which
/// only holds Ed25519 keys; a key store holds none. The word of a newer agent is shown as it is.
fn kept(terminal: &Terminal, c: &Chrome) -> String {
    match terminal.key_class.as_str() {
        "tpm" => c.t("key-tpm"),
        "software" if terminal.public_key.starts_with("p256:") => c.t("key-software"),
        "software" | "file" => c.t("key-file"),
        word => word.to_owned(),
    }
}

/// How long ago, in days and hours.
fn ago(last: UtcMillis, c: &Chrome) -> String {
    let hours = u64::try_from(c.now.0.saturating_sub(last.0) / 3_600_000).unwrap_or(0);
    c.words().numbers("ago", &[("days", hours / 24), ("hours", hours % 24)])
}
