//! `GET /terminals/{terminal}`: one terminal with all that is known of it, and what to do next.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use mngntime_model::UtcMillis;
use mngntime_store::{
    ContractId, Marks, Measures, MissingRange, NamedTerminal, StatusChanged, Terminal, TerminalChange,
    TerminalHistory, TerminalStatus,
};

use super::change::Change;
use super::views::{TerminalPage, render};
use super::{Condition, ago, board, find, kept, measures, offset, pictures, standing};
use crate::access::Action;
use crate::web::WebState;
use crate::web::audit::words::{action, person};
use crate::web::chrome::{Banner, Chrome, Place};
use crate::web::errors::WebError;
use crate::web::punches::filter::told;
use crate::web::session::Visit;
use crate::web::times;

/// Ranges of missing numbers shown: the newest; more than a screen of them needs a file, not a page.
const GAPS: usize = 30;

/// Entries of the history shown.
const PAST: usize = 20;

/// From then on it is worth saying how long ago something was.
const HOUR_MS: i64 = 3_600_000;

/// A line of what the terminal is.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Whether it is for comparing letter by letter.
    pub mono: bool,
}

/// Missing numbers.
#[derive(Debug, Clone)]
pub struct Gap {
    /// First and last.
    pub range: String,
    /// How many.
    pub count: u64,
    /// Why they are missing, as far as is known.
    pub why: String,
}

/// Something that happened to it.
#[derive(Debug, Clone)]
pub struct Past {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
    /// Name of the PC then.
    pub host: String,
    /// Version of the agent then.
    pub version: String,
    /// Who did it, and why; empty for what the PC did.
    pub who: String,
}

/// Something that can be done.
#[derive(Debug, Clone)]
pub struct Act {
    /// Where it leads: the question of a harmful change, else the change itself.
    pub href: String,
    /// Words of the button.
    pub text: String,
    /// What it is for.
    pub help: String,
    /// Whether a question comes first.
    pub asks: bool,
    /// Whether the button is red.
    pub danger: bool,
}

/// The page.
///
/// # Errors
/// [`WebError`] when the person may not see terminals, there is no such one, or the store fails.
pub async fn page(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::TerminalsRead)?.contract()?;
    visit.chrome = visit.chrome.at(Place::Terminals);
    let terminal = find(&state, contract, &id).await?;
    let measures = measures(&state, contract, visit.chrome.now).await?;
    render(&view(&state, contract, visit, &terminal, &measures).await?)
}

/// The page again after a note that is not kept, with what was typed.
pub(super) async fn with_note(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    terminal: &Terminal,
    banner: Banner,
    typed: &str,
) -> Result<Response, WebError> {
    visit.chrome = visit.chrome.at(Place::Terminals).reached_by(&format!("/terminals/{}", terminal.id));
    visit.chrome.banner = Some(banner);
    let measures = measures(state, contract, visit.chrome.now).await?;
    let mut page = view(state, contract, visit, terminal, &measures).await?;
    typed.clone_into(&mut page.note);
    let mut answer = render(&page)?;
    *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(answer)
}

async fn view(
    state: &WebState,
    contract: ContractId,
    visit: Visit,
    terminal: &Terminal,
    measures: &Measures,
) -> Result<TerminalPage, WebError> {
    let c = &visit.chrome;
    let since = pictures::first_day(c.today());
    let days = state.store.contact_days(contract, terminal.id, since).await?;
    let mut gaps = state.store.missing_ranges(contract, terminal.id, GAPS + 1).await?;
    let more_gaps = gaps.len() > GAPS;
    gaps.truncate(GAPS);
    let changes = state.store.status_changes(contract, terminal.id, PAST).await?;
    let past = state.store.terminal_history(contract, terminal.id, PAST).await?;
    let enrolled = times::tokyo(terminal.enrolled_at).date();
    let condition = Condition::of(terminal, measures.now, measures.contact_seconds);
    let marks = Marks::of(terminal, measures);
    let note = terminal.note.as_ref();
    let mut namesakes = namesakes(state, contract, terminal).await?;
    let held = held(state, contract, terminal, &changes).await?;
    let step = match &held {
        Some(like) => Some(next_of_held(like, c)),
        None => again(terminal, condition, &namesakes, c),
    };
    let step = step.unwrap_or_else(|| {
        with_namesakes(next_step(terminal, condition, marks, measures, c), terminal, &namesakes, c)
    });
    namesakes.extend(held.filter(|like| namesakes.iter().all(|other| other.id != like.id)));
    let same = state.store.same_named(contract, vec![terminal.host_name.clone()]).await?.iter().sum();
    let tags = tags(terminal, marks, same, c);
    Ok(TerminalPage {
        id: terminal.id.to_string(),
        host: terminal.host_name.clone(),
        state: condition.name(),
        state_text: board::state_text(condition, !tags.is_empty(), c),
        tags,
        is_error: marks.duplicate,
        next_step: step,
        namesakes: namesakes
            .iter()
            .map(|other| (format!("/terminals/{}", other.id), told(other, c)))
            .collect(),
        notes: standing::notes(terminal, c),
        facts: facts(terminal, &changes, c),
        contacts: pictures::contacts(&days, enrolled, c),
        offsets: pictures::offsets(&days, c),
        days: pictures::lines(&days, enrolled, c),
        numbers: standing::numbers(terminal, c),
        gaps: gaps.iter().map(|gap| self::gap(gap, c)).collect(),
        more_gaps,
        incidents: incidents(terminal, c),
        past: all_past(&past, &changes, c),
        note: note.map(|note| note.text.clone()).unwrap_or_default(),
        note_by: note
            .map(|note| format!("{} {}", person(&note.by, c), times::day_clock(note.at)))
            .unwrap_or_default(),
        acts: acts(terminal, marks, &visit),
        punches: visit.may(Action::PunchesRead).then(|| format!("/punches?terminal={}", terminal.id)),
        may_note: visit.may(Action::TerminalsNote),
        c: visit.chrome,
    })
}

/// The marks of the list, and the clock's, which has a column of its own there.
fn tags(terminal: &Terminal, marks: Marks, same: u64, c: &Chrome) -> Vec<String> {
    let clock = marks.clock_off.then(|| c.t("mark-clock"));
    board::tags(terminal, marks, same, c).into_iter().chain(clock).collect()
}

/// Others in use that bear its name.
async fn namesakes(
    state: &WebState,
    contract: ContractId,
    terminal: &Terminal,
) -> Result<Vec<NamedTerminal>, WebError> {
    let mut all = state.store.find_terminals(contract.into(), terminal.host_name.clone()).await?;
    all.retain(|other| other.id != terminal.id && other.status != TerminalStatus::Retired);
    Ok(all)
}

/// What to do with a terminal that says nothing since its PC was enrolled again under another id.
fn again(
    terminal: &Terminal,
    condition: Condition,
    namesakes: &[NamedTerminal],
    c: &Chrome,
) -> Option<String> {
    let later = namesakes.iter().map(|other| other.enrolled_at).filter(|at| *at > terminal.enrolled_at);
    let at = later.max().filter(|_| condition == Condition::Silent)?;
    Some(c.words().with("next-again", &[("host", &terminal.host_name), ("at", &times::day_clock(at))]))
}

/// The next step with the others that bear its name: whatever else there is to do, two of one name are one too many. One
/// that is retired is none of them.
fn with_namesakes(
    step: Option<String>,
    terminal: &Terminal,
    namesakes: &[NamedTerminal],
    c: &Chrome,
) -> String {
    let steps: Vec<_> = step.into_iter().chain(named(terminal, namesakes, c)).collect();
    if steps.is_empty() { c.t("remedy-none") } else { steps.join(" ") }
}

/// What to do about the others of its name. One of two that is blocked may be the same PC, which has come in again.
fn named(terminal: &Terminal, namesakes: &[NamedTerminal], c: &Chrome) -> Option<String> {
    let of = |status| namesakes.iter().find(|other| other.status == status);
    let (key, other) = match (terminal.status, of(TerminalStatus::Blocked)) {
        (TerminalStatus::Retired, _) => return None,
        (TerminalStatus::Blocked, _) => ("next-namesake-goes-on", of(TerminalStatus::Active)?),
        (TerminalStatus::Active, Some(blocked)) => ("next-namesake-blocked", blocked),
        (TerminalStatus::Active, None) => {
            let other = namesakes.first()?;
            let newer = (other.enrolled_at, other.id) > (terminal.enrolled_at, terminal.id);
            (if newer { "next-namesake-newer" } else { "next-namesake-older" }, other)
        }
    };
    Some(c.v(key, "other", told(other, c)))
}

/// The blocked terminal for which this one was blocked when it was enrolled, as long as nobody has decided about it.
async fn held(
    state: &WebState,
    contract: ContractId,
    terminal: &Terminal,
    changes: &[StatusChanged],
) -> Result<Option<NamedTerminal>, WebError> {
    let newest = changes.first().filter(|_| terminal.status == TerminalStatus::Blocked);
    let Some(like) = newest.and_then(|change| change.like) else { return Ok(None) };
    let found = state.store.terminal(contract, like).await?;
    Ok(found.map(|found| NamedTerminal {
        id: found.id,
        host_name: found.host_name,
        status: found.status,
        enrolled_at: found.enrolled_at,
        last_contact_at: found.last_contact_at,
    }))
}

fn next_of_held(like: &NamedTerminal, c: &Chrome) -> String {
    let key = if c.may(Action::TerminalsUnblock) { "next-held" } else { "next-held-other" };
    c.v(key, "other", told(like, c))
}

/// The one sentence: what is gravest decides; none when there is nothing to do.
fn next_step(
    terminal: &Terminal,
    condition: Condition,
    marks: Marks,
    measures: &Measures,
    c: &Chrome,
) -> Option<String> {
    let command = if terminal.os.starts_with("Windows") { "MngnTimeCliSvc.exe" } else { "mngntime-agent" };
    let with = |key: &str| c.v(key, "command", command);
    let decided = |own: &str, other: &str| c.t(if c.may(Action::TerminalsUnblock) { own } else { other });
    let step = match condition {
        Condition::Retired => decided("next-retired", "next-retired-other"),
        _ if marks.duplicate => c.t("next-duplicate"),
        _ if marks.makeup_changed => with("next-makeup"),
        _ if marks.missing => c.t("next-missing"),
        _ if marks.spool_growing => with("next-spool"),
        Condition::Silent | Condition::Late if terminal.last_contact_at.is_none() => with("next-never"),
        Condition::Expected => with("next-never"),
        Condition::Silent => c.t("next-silent"),
        Condition::Blocked => decided("next-blocked", "next-blocked-other"),
        Condition::Late | Condition::Healthy if marks.clock_off => c.t("next-clock"),
        Condition::Late => c.v("next-late", "hours", silent_after_hours(measures)),
        Condition::Healthy if marks.old_version => c.v("next-old", "version", env!("CARGO_PKG_VERSION")),
        Condition::Healthy => return None,
    };
    Some(step)
}

fn silent_after_hours(measures: &Measures) -> String {
    let ms = measures.now.0.saturating_sub(measures.heard_after().0);
    (ms / 3_600_000).max(1).to_string()
}

/// A time, and how long ago it is where that is worth saying.
fn since(last: UtcMillis, c: &Chrome) -> String {
    let recent = c.now.0.saturating_sub(last.0) < HOUR_MS;
    if recent { times::full(last) } else { format!("{} {}", times::full(last), ago(last, c)) }
}

fn facts(terminal: &Terminal, changes: &[StatusChanged], c: &Chrome) -> Vec<Fact> {
    let last = terminal.last_contact_at.map_or_else(|| c.t("terminal-never"), |last| since(last, c));
    let makeup = if terminal.makeup_changed { c.t("makeup-title") } else { c.t("makeup-same") };
    let ahead = offset(terminal).map_or_else(|| c.t("terminal-never"), |ms| c.ahead(ms));
    let fact = |name: &str, value: String| Fact { name: c.t(name), value, mono: false };
    let mut facts = vec![
        fact("col-terminal", terminal.host_name.clone()),
        fact("col-os", terminal.os.clone()),
        fact("col-version", terminal.agent_version.clone()),
        fact("col-key", kept(terminal, c)),
        fact("makeup-fact", makeup),
        fact("col-enrolled", times::full(terminal.enrolled_at)),
        fact("col-last-contact", last),
        fact("col-waiting", c.n("waiting-events", terminal.waiting)),
        fact("offset", ahead),
        Fact { name: c.t("col-id"), value: terminal.id.to_string(), mono: true },
    ];
    let out_of_use = changes
        .first()
        .filter(|change| change.status == terminal.status && terminal.status != TerminalStatus::Active);
    if let Some(change) = out_of_use {
        let said = format!("{} {}", times::full(change.at), doer(change, c));
        facts.insert(1, Fact { name: action(&change.action, c), value: said, mono: false });
    }
    if let Some(until) = terminal.reenroll_until.filter(|until| until.0 > c.now.0) {
        facts.push(fact("reenroll-fact", c.v("reenroll-until", "until", times::day_clock(until))));
    }
    facts
}

fn gap(range: &MissingRange, c: &Chrome) -> Gap {
    let why = match range.declared.as_deref() {
        None => c.t("gap-open"),
        Some("not_held") => c.t("gap-not-held"),
        Some("unreadable") => c.t("gap-unreadable"),
        Some("earlier_enrollment") => c.t("gap-earlier"),
        Some(word) => word.to_owned(),
    };
    let why = if range.settled { format!("{why}{}", c.t("gap-settled")) } else { why };
    let (first, last) = (range.first, range.last);
    let text = if first == last { first.to_string() } else { format!("{first}–{last}") };
    Gap { range: text, count: last - first + 1, why }
}

fn incidents(terminal: &Terminal, c: &Chrome) -> Vec<String> {
    let cloned = terminal.cloned_at.map(|at| c.v("incident-cloned", "at", times::day_clock(at)));
    let rolled_back = terminal.rolled_back_at.map(|at| {
        let often = terminal.rollbacks.max(1).to_string();
        c.words().with("incident-rolled-back", &[("at", &times::day_clock(at)), ("often", &often)])
    });
    let conflict = terminal.conflict.then(|| c.t("conflict-title"));
    [cloned, rolled_back, conflict].into_iter().flatten().collect()
}

/// Who did it, and why.
fn doer(change: &StatusChanged, c: &Chrome) -> String {
    let why = match (&change.reason, change.like) {
        (Some(reason), _) => reason.clone(),
        (None, Some(like)) => c.v("past-held", "id", like.to_string().get(..8).unwrap_or_default()),
        (None, None) => return person(&change.by, c),
    };
    c.words().with("past-because", &[("who", &person(&change.by, c)), ("why", &why)])
}

/// What its PC and what people did, newest first.
fn all_past(past: &[TerminalHistory], changes: &[StatusChanged], c: &Chrome) -> Vec<Past> {
    let of_people = changes.iter().map(|change| {
        let (at, what) = (times::full(change.at), action(&change.action, c));
        let entry = Past { at, what, host: String::new(), version: String::new(), who: doer(change, c) };
        (change.at, entry)
    });
    // Of one time stands first what came last: a PC is enrolled before anything is done to it.
    let mut all: Vec<_> =
        of_people.chain(past.iter().map(|entry| (entry.at, self::past(entry, c)))).collect();
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    all.truncate(PAST);
    all.into_iter().map(|(_, entry)| entry).collect()
}

fn past(entry: &TerminalHistory, c: &Chrome) -> Past {
    let what = match entry.what {
        TerminalChange::Enrolled => c.t("past-enrolled"),
        TerminalChange::EnrolledAgain => c.t("past-enrolled-again"),
        TerminalChange::Version => c.t("past-version"),
    };
    Past {
        at: times::full(entry.at),
        what,
        host: entry.host_name.clone(),
        version: entry.agent_version.clone(),
        who: String::new(),
    }
}

fn acts(terminal: &Terminal, marks: Marks, visit: &Visit) -> Vec<Act> {
    let c = &visit.chrome;
    let mut acts = Vec::new();
    let mut offer = |change: Change, text: &str, help: &str, asks: bool| {
        if visit.may(change.action()) {
            acts.push(Act {
                href: format!("/terminals/{}/{}", terminal.id, change.word()),
                text: c.t(text),
                help: c.t(help),
                asks,
                danger: asks && change != Change::ClearConflict,
            });
        }
    };
    if marks.duplicate || marks.missing {
        offer(Change::ClearConflict, "clear-conflict-do", "clear-help", true);
    }
    match terminal.status {
        TerminalStatus::Active => {
            offer(Change::AllowReenroll, "reenroll-do", "reenroll-help", false);
            offer(Change::Block, "block-do", "block-help", true);
            offer(Change::Retire, "retire-do", "retire-help", true);
        }
        TerminalStatus::Blocked => {
            offer(Change::Unblock, "unblock-do", "unblock-help", false);
            offer(Change::Retire, "retire-do", "retire-help", true);
        }
        TerminalStatus::Retired => offer(Change::Unretire, "unretire-do", "unretire-help", false),
    }
    acts
}
