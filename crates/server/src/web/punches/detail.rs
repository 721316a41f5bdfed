//! `GET /punches/{terminal}/{sequence}`: everything about one punch; of an event of another kind, what it says.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_model::result::Actor;
use mngntime_model::{EventKind, PunchResult, TerminalId};
use mngntime_store::{LinkInFull, Punch, PunchDetail, Scope, StoreError};

use super::super::WebState;
use super::super::chrome::{Chrome, Place};
use super::super::days::day_address;
use super::super::errors::WebError;
use super::super::link::form_address;
use super::super::me;
use super::super::session::Visit;
use super::super::times;
use super::super::views;
use super::cause::{self, Cause};
use super::event::EventView;
use super::history::{self, HistoryRow};
use super::receipt::{Checked, ReceiptView};
use super::row::{How, error};
use crate::access::Action;

/// Longest event text that is laid out for reading; a longer one is shown as it is.
const PRETTY_MAX: usize = 64 * 1024;

/// What is wrong, and who does what.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The number.
    pub res: u8,
    /// The message in the page's language.
    pub message: String,
    /// The message in Japanese, where the page is not.
    pub original: Option<&'static str>,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub remedy: String,
    /// What to look at first, where a wrong clock may have given the punch its date.
    pub clock: Option<String>,
    /// Who does it.
    pub actor: String,
    /// Where it is mended: address and words, the likeliest first.
    pub ways: Vec<(String, String)>,
    /// What the first of these does.
    pub note: String,
}

/// Everything about a punch, ready to be written.
#[derive(Debug, Clone)]
pub struct Detail {
    /// What is wrong; absent for an accepted punch.
    pub verdict: Option<Verdict>,
    /// Newest first.
    pub history: Vec<HistoryRow>,
    /// The event's text, laid out.
    pub raw: String,
    /// `DOMAIN\name`.
    pub account: String,
    /// SID or Linux key.
    pub account_key: String,
    /// Code and name of the employee.
    pub employee: Option<(String, String)>,
    /// Whether the account is linked, but not so that it counts for the punch's date.
    pub outside: bool,
    /// PC name.
    pub host: String,
    /// Address of the terminal in the list of terminals, for those who may see that.
    pub terminal: Option<String>,
    /// Whether it is a logon.
    pub logon: bool,
    /// Date and time of the punch, for the heading.
    pub full: String,
    /// Time for machines.
    pub machine: String,
    /// Time of day.
    pub clock: String,
    /// Date in words.
    pub date: String,
    /// 取得方法.
    pub how: How,
    /// When it was received.
    pub received: String,
    /// When it was received, to the millisecond.
    pub received_exact: String,
    /// How far the terminal's clock was off, with its unit.
    pub offset: String,
    /// Ahead, behind, or neither.
    pub offset_note: String,
    /// Whether that is worth a warning.
    pub offset_large: bool,
    /// What is known of the receipt.
    pub receipt: ReceiptView,
    /// Number within the terminal.
    pub sequence: String,
    /// Digest of the event's bytes.
    pub digest: String,
    /// Address of this punch's page.
    pub href: String,
    /// What the employee said about the day.
    pub remarks: Vec<me::Said>,
    /// Address of the employee's day.
    pub day: Option<String>,
}

/// A number in an address.
#[must_use]
pub fn sequence(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| i64::try_from(*number).is_ok())
}

/// The page.
///
/// # Errors
/// [`WebError::NotFound`] when there is no such event in the person's contract.
pub async fn page(
    State(state): State<WebState>,
    mut visit: Visit,
    Path((terminal, number)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let scope = visit.permit(Action::PunchesRead)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Punches);
    let terminal = TerminalId::parse(&terminal).map_err(|_| WebError::NotFound)?;
    let number = sequence(&number).ok_or(WebError::NotFound)?;
    let Some(found) = state.store.punch(scope, terminal, number).await? else {
        let found = state.store.event(scope, terminal, number).await?.ok_or(WebError::NotFound)?;
        visit.looked_at(&state, scope.contract, found.employee, "event").await?;
        let e = EventView::of(&found, &visit.chrome);
        let back = ("/days".to_owned(), visit.chrome.t("nav-days"));
        return Ok(views::Event { c: visit.chrome, e, back }.render_page()?.into_response());
    };
    let back = ("/punches".to_owned(), visit.chrome.t("nav-punches"));
    render(&state, scope, visit, found, back).await
}

/// The page of a punch that was found; it leads `back` to an address, with its words.
pub(in super::super) async fn render(
    state: &WebState,
    scope: Scope,
    visit: Visit,
    found: PunchDetail,
    back: (String, String),
) -> Result<Response, WebError> {
    visit.looked_at(state, scope.contract, found.punch.employee, "punch").await?;
    let (date, remarks) = me::remarks_of(state, scope, &found.punch, &visit).await?;
    let links = links_of(state, scope, &found).await?;
    let receipt = Checked::look(state, scope.contract, &visit, &found).await?;
    let d = Detail { remarks, ..Detail::of(found, &links, receipt, &visit.chrome) }.of_day(date);
    Ok(views::Punch { c: visit.chrome, d, back }.render_page()?.into_response())
}

/// The links of a punch's account, where they say why nobody gets it. Whose they are is the whole contract's business.
///
/// # Errors
/// What the store says.
pub async fn links_of(
    state: &WebState,
    scope: Scope,
    found: &PunchDetail,
) -> Result<Vec<LinkInFull>, StoreError> {
    if found.punch.result != PunchResult::UserUnusable || !scope.is_whole() {
        return Ok(Vec::new());
    }
    let links = state.store.links_in_full(scope.contract, vec![found.punch.account]).await?;
    Ok(links.into_iter().next().unwrap_or_default())
}

impl Detail {
    /// `found` in the words of `c`; `links` of its account, where they may be known.
    #[must_use]
    pub fn of(found: PunchDetail, links: &[LinkInFull], receipt: Checked, c: &Chrome) -> Self {
        let punch = &found.punch;
        let date = times::tokyo(punch.occurred_at).date();
        let (offset, offset_note) = offset(found.clock_offset_ms, c);
        Self {
            verdict: Verdict::of(&found, links, c),
            history: history::rows(&found, c),
            raw: pretty(&found.json),
            account: format!("{}\\{}", punch.domain, punch.name),
            account_key: found.account.key.clone(),
            outside: cause::cause(punch.date, links) != Cause::Unlinked,
            employee: punch.employee_code.clone().zip(punch.employee_name.clone()),
            host: punch.host_name.clone(),
            terminal: c.may(Action::TerminalsRead).then(|| format!("/terminals?q={}", punch.terminal)),
            logon: punch.kind == EventKind::Logon,
            full: times::full(punch.occurred_at),
            machine: times::machine(punch.occurred_at),
            clock: times::clock(punch.occurred_at),
            date: c.long_date(date),
            how: How::of(punch, c),
            received: times::full(punch.received_at),
            received_exact: times::exact(punch.received_at),
            offset,
            offset_note,
            offset_large: times::offset_is_large(found.clock_offset_ms),
            receipt: receipt.view(&found, c),
            sequence: punch.sequence.to_string(),
            digest: found.digest.to_string(),
            href: format!("/punches/{}/{}", punch.terminal, punch.sequence),
            remarks: Vec::new(),
            day: None,
        }
    }

    /// The same with the address of the employee's day that the punch is of.
    #[must_use]
    pub fn of_day(self, date: Date) -> Self {
        let day = self.employee.as_ref().map(|(code, _)| day_address(code, date));
        Self { day, ..self }
    }
}

impl Verdict {
    fn of(found: &PunchDetail, links: &[LinkInFull], c: &Chrome) -> Option<Self> {
        let result = found.punch.result;
        let (res, message) = error(result, c)?;
        let account = &found.account;
        let (date, name) = (found.punch.date, format!("{}\\{}", found.punch.domain, found.punch.name));
        let cause = cause::cause(date, links);
        let mut ways = cause.ways(account.id, cause::free(date, links), c);
        let unlinked = result == PunchResult::UserUnusable && cause == Cause::Unlinked;
        if unlinked && c.may(Action::AccountsLink) {
            ways.push((form_address(&[("account", &account.id.to_string())], c), c.t("link-this")));
        }
        let note = if unlinked { "detail-link-count" } else { "detail-waiting-count" };
        let japanese = result.message(mngntime_model::Language::Japanese);
        Some(Self {
            res,
            message,
            original: (!c.japanese()).then_some(japanese),
            explanation: result.explanation(c.language(), &c.server),
            remedy: cause.remedy(&name, date, c).unwrap_or_else(|| remedy(found, c)),
            clock: wrong_day(found).then(|| match is_years_off(&found.punch) {
                true => c.t("remedy-7-years"),
                false => c.v("remedy-7-clock", "offset", c.ahead(found.clock_offset_ms)),
            }),
            actor: c.t(actor_key(result.actor())),
            note: if ways.is_empty() { String::new() } else { c.n(note, account.waiting) },
            ways,
        })
    }
}

/// Whether the punch is nobody's on a date that a wrong clock gave it: another link mends nothing then.
fn wrong_day(found: &PunchDetail) -> bool {
    found.punch.result == PunchResult::UserUnusable
        && found.punch.stamped_at.is_none()
        && (times::days_ahead(found.clock_offset_ms).is_some() || is_years_off(&found.punch))
}

/// Whether a punch came years before or after it is said to have happened: nothing waits so long.
fn is_years_off(punch: &Punch) -> bool {
    punch.received_at.0.saturating_sub(punch.occurred_at.0).saturating_abs() > 366 * 86_400_000
}

fn remedy(found: &PunchDetail, c: &Chrome) -> String {
    let account = format!("{}\\{}", found.punch.domain, found.punch.name);
    let host = found.punch.host_name.as_str();
    let waiting = c.n("count-punches", found.account.waiting);
    let values = [("account", account.as_str()), ("host", host), ("count", waiting.as_str())];
    let key = match found.punch.result {
        PunchResult::Accepted => "remedy-none",
        PunchResult::ContractUnusable => "remedy-5",
        PunchResult::TerminalUnusable => "remedy-6",
        PunchResult::UserUnusable => "remedy-7",
        PunchResult::ReenrollmentRequired => "remedy-8",
        PunchResult::ServerFailed => "remedy-9",
    };
    c.words().with(key, &values)
}

fn actor_key(actor: Actor) -> &'static str {
    match actor {
        Actor::Nobody => "actor-nobody",
        Actor::HumanResources => "actor-hr",
        Actor::ItAdministrator => "actor-it",
        Actor::Operator => "actor-operator",
    }
}

/// The offset with its unit, and in words which way it goes.
pub(super) fn offset(clock_offset_ms: i64, c: &Chrome) -> (String, String) {
    let ahead = c.ahead(clock_offset_ms);
    let note = match ahead.chars().next() {
        Some('+') => c.t("offset-ahead"),
        Some('−') => c.t("offset-behind"),
        _ => String::new(),
    };
    (ahead, note)
}

/// The event laid out for reading: only space between its tokens is changed, never a token.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    if json.len() > PRETTY_MAX {
        return json.to_owned();
    }
    for c in json.chars() {
        if text {
            text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                depth += 1;
                out.push(c);
                new_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(20)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laying_out_changes_only_space() {
        let json = r#"{"v":1,"name":"a\"{,}:","list":[1,2]}"#;
        let laid_out = pretty(json);
        assert!(laid_out.starts_with("{\n  \"v\": 1,\n  \"name\": \"a\\\"{,}:\",\n"), "{laid_out}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&laid_out).unwrap()["name"], "a\"{,}:");
    }
}
