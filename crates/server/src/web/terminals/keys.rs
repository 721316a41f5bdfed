//! `/terminals/keys`: enrolment keys.
//!
//! A key is shown once, on the page to which the form leads that made it, and kept nowhere: the store has a hash. Until
//! that page has been written it rests in the session, sealed. The secret comes with the form ([`once`]), so that a form
//! that is sent twice makes one key.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::ToSpan as _;
use mngntime_model::{EnrollmentRefusal, UtcMillis};
use mngntime_store::{
    ContractId, EnrollmentKey, KeyEnd, KeyHash, LABEL_MAX, NewEnrollmentKey, Refusal, RefusedEnrollment,
    StoreError,
};
use serde::{Deserialize, Serialize};

use super::rollout::{Snippets, listed};
use super::views::{self, render};
use crate::access::Action;
use crate::web::WebState;
use crate::web::audit::words::person;
use crate::web::chrome::{Banner, Chrome, Place, Tone};
use crate::web::errors::WebError;
use crate::web::fields::{Fields, date_of, is_line};
use crate::web::once;
use crate::web::session::{Visit, is_for_a_person};
use crate::web::times;
use crate::web::views::Choice;
use mngntime_store::typed::narrow;

/// Where a key that has just been made is in the session.
const MADE: &str = "key_made";

/// Days that a form proposes for a key: long enough for a roll-out, short enough to be forgotten about.
const DAYS_PROPOSED: i32 = 30;

/// PCs that one key may be made for at most.
const USES_MAX: u64 = 1_000_000;

/// Days for which an old key holds beside the new one.
const OVERLAPS: [(&str, i64); 5] = [("0", 0), ("1", 1), ("7", 7), ("14", 14), ("30", 30)];

const DAY_MS: i64 = 86_400_000;

/// Refused PCs that are listed.
const REFUSED_SHOWN: usize = 50;

/// A key of the list.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Its number.
    pub number: u64,
    /// What it is for.
    pub label: String,
    /// Class and drawing of its state.
    pub state: &'static str,
    /// Its state in words.
    pub state_text: String,
    /// When it was made, and by whom.
    pub made: String,
    /// When it ends, in words.
    pub expires: String,
    /// PCs that have used it, and how many may.
    pub uses: String,
    /// When it was last used.
    pub last_used: String,
    /// Whether it opens.
    pub open: bool,
    /// Whether it can be revoked.
    pub revocable: bool,
}

/// A PC that was not let in.
#[derive(Debug, Clone)]
pub struct RefusedRow {
    /// Its name, as it says.
    pub host_name: String,
    /// What became of the key that it gave.
    pub reason: String,
    /// When it tried last.
    pub at: String,
}

/// What was typed into the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// What the key is for.
    pub label: String,
    /// Last day.
    pub expires: String,
    /// PCs.
    pub uses: String,
    /// Days for which the old key holds; empty when no key is replaced.
    pub overlap: String,
    /// The secret of the form, sealed.
    pub once: String,
    /// What is wrong with the label; empty when nothing.
    pub label_error: String,
    /// What is wrong with the last day.
    pub expires_error: String,
    /// What is wrong with the number.
    pub uses_error: String,
}

/// What a form asks for, once it is right.
struct Wanted {
    label: String,
    expires_at: Option<UtcMillis>,
    uses_max: Option<u64>,
}

impl Draft {
    fn fresh(c: &Chrome) -> Self {
        let last = c.today().checked_add(DAYS_PROPOSED.days()).map(|date| date.to_string());
        Self { expires: last.unwrap_or_default(), overlap: "7".to_owned(), ..Self::default() }
    }

    fn typed(fields: &Fields) -> Self {
        let narrowed = |name: &str| narrow(fields.text(name)).replace('/', "-").trim().to_owned();
        Self {
            label: fields.text("label").to_owned(),
            expires: narrowed("expires"),
            uses: narrowed("uses"),
            overlap: narrowed("overlap"),
            ..Self::default()
        }
    }

    /// Reads the fields; what is wrong is noted beside them.
    fn check(&mut self, c: &Chrome) -> Option<Wanted> {
        if !is_line(&self.label, LABEL_MAX) {
            self.label_error = c.n("text-too-long", LABEL_MAX);
        }
        let expires_at = match date_of(&self.expires) {
            Ok(None) => None,
            Ok(Some(date)) if date >= c.today() => times::end_of(date),
            Ok(Some(_)) => {
                self.expires_error = c.t("key-expires-past");
                None
            }
            Err(text) => {
                self.expires_error = c.v("filter-bad-date", "text", text);
                None
            }
        };
        let uses_max = match self.uses.parse() {
            _ if self.uses.is_empty() => None,
            Ok(uses) if (1..=USES_MAX).contains(&uses) => Some(uses),
            Ok(_) | Err(_) => {
                self.uses_error = c.n("key-uses-bad", USES_MAX);
                None
            }
        };
        let good =
            [&self.label_error, &self.expires_error, &self.uses_error].iter().all(|text| text.is_empty());
        good.then(|| Wanted { label: self.label.clone(), expires_at, uses_max })
    }
}

impl Wanted {
    fn with(self, secret: &str) -> NewEnrollmentKey {
        let Self { label, expires_at, uses_max } = self;
        NewEnrollmentKey { hash: KeyHash::of(secret), label, expires_at, uses_max }
    }
}

/// `GET /terminals/keys`: the list, or the key that has just been made, once. Only what somebody sees is such a time: a
/// browser that looks ahead, and `HEAD`, get the list and leave the key.
///
/// # Errors
/// [`WebError`] when the person may not see enrolment keys or the store fails.
pub async fn page(
    State(state): State<WebState>,
    visit: Visit,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EnrolmentKeysRead)?.contract()?;
    if method == Method::GET
        && is_for_a_person(&headers)
        && let Some(made) = visit.session().get::<Made>(MADE).await?
    {
        let session = visit.session().clone();
        let page = show_made(&state, visit, made).await?;
        // Only what has been written is forgotten.
        session.remove::<Made>(MADE).await?;
        return Ok(page);
    }
    let draft = Draft::fresh(&visit.chrome);
    list(&state, contract, visit, draft).await
}

async fn list(
    state: &WebState,
    contract: ContractId,
    mut visit: Visit,
    mut draft: Draft,
) -> Result<Response, WebError> {
    if draft.once.is_empty() {
        draft.once = once::fresh(state, &visit)?;
    }
    visit.chrome = visit.chrome.at(Place::Terminals).reached_by("/terminals/keys");
    let keys = state.store.list_enrollment_keys(contract).await?;
    let c = &visit.chrome;
    let rows = keys.iter().map(|key| row(key, c)).collect();
    let may_change = visit.may(Action::EnrolmentKeysChange);
    let refused = state.store.refused_enrollments(contract).await?;
    let refused_text = if refused.is_empty() { String::new() } else { c.n("keys-refused", refused.len()) };
    let refused = refused.iter().take(REFUSED_SHOWN).filter_map(|found| refused_row(found, c)).collect();
    render(&views::Keys { rows, draft, may_change, refused_text, refused, c: visit.chrome })
}

fn refused_row(found: &RefusedEnrollment, c: &Chrome) -> Option<RefusedRow> {
    let reason = match found.reason {
        EnrollmentRefusal::KeyRevoked => "key-state-revoked",
        EnrollmentRefusal::KeyExpired => "key-state-expired",
        EnrollmentRefusal::KeyUsedUp => "key-state-used-up",
        // Not of this list: whoever gives no key of the contract may be anybody.
        EnrollmentRefusal::KeyUnknown | EnrollmentRefusal::TerminalBlocked => return None,
    };
    let (host_name, at) = (found.host_name.clone(), times::day_clock(found.at));
    Some(RefusedRow { host_name, reason: c.t(reason), at })
}

fn row(key: &EnrollmentKey, c: &Chrome) -> KeyRow {
    let end = key.end(c.now);
    let (state, text) = match end {
        None => ("ok", "key-state-open"),
        Some(KeyEnd::Revoked) => ("blocked", "key-state-revoked"),
        Some(KeyEnd::Expired) => ("retired", "key-state-expired"),
        Some(KeyEnd::UsedUp) => ("retired", "key-state-used-up"),
    };
    let most = key.uses_max.map_or_else(|| c.t("key-unlimited"), |most| most.to_string());
    KeyRow {
        number: key.number,
        label: if key.label.is_empty() { c.t("key-no-label") } else { key.label.clone() },
        state,
        state_text: c.t(text),
        made: format!("{} {}", times::day_clock(key.created_at), person(&key.made_by, c)),
        expires: key.expires_at.map_or_else(|| c.t("key-no-end"), end_clock),
        uses: format!("{} / {most}", key.uses),
        last_used: key.last_used_at.map_or_else(|| c.t("terminal-never"), times::day_clock),
        open: end.is_none(),
        revocable: key.revoked_at.is_none(),
    }
}

/// When something ends: midnight belongs to the day that is over, `2026-07-31 24:00`.
fn end_clock(end: UtcMillis) -> String {
    let last = times::tokyo(end.plus(-1)).date();
    if times::end_of(last) == Some(end) { format!("{last} 24:00") } else { times::day_clock(end) }
}

/// `POST /terminals/keys`: makes a key; the next page shows it.
///
/// # Errors
/// [`WebError`] when the person may not make enrolment keys or the store fails.
pub async fn make(
    State(state): State<WebState>,
    mut visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EnrolmentKeysChange)?.contract()?;
    let mut draft = Draft { once: once::again(&state, &visit, &fields)?, ..Draft::typed(&fields) };
    let Some(wanted) = draft.check(&visit.chrome) else {
        visit.chrome.banner = Some(unsaved(&visit.chrome));
        return Ok(refused(list(&state, contract, visit, draft).await?));
    };
    let secret = once::secret(&state, &visit, &fields)?;
    match state.store.make_enrollment_key(contract, wanted.with(&secret), visit.act()).await {
        Ok(number) => leave_made(&state, &visit, number, &secret, String::new()).await,
        Err(error) => {
            visit.chrome.banner = Some(too_many(error, &visit.chrome)?);
            Ok(refused(list(&state, contract, visit, draft).await?))
        }
    }
}

/// A form that is shown again, because something in it is wrong.
fn refused(mut page: Response) -> Response {
    *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    page
}

fn unsaved(c: &Chrome) -> Banner {
    Banner::new(Tone::Error, c.t("key-failed"), c.t("key-failed-text"))
}

/// The message for a contract that has as many keys as it may; other failures stay what they are.
fn too_many(error: StoreError, c: &Chrome) -> Result<Banner, WebError> {
    match error {
        StoreError::Refused(Refusal::TooMany { limit, .. }) => {
            Ok(Banner::new(Tone::Error, c.t("key-failed"), c.n("key-too-many", limit)))
        }
        other @ (StoreError::Overloaded
        | StoreError::Closed
        | StoreError::Away { .. }
        | StoreError::Refused(_)
        | StoreError::Failed { .. }) => Err(other.into()),
    }
}

/// A key that has just been made, on its way to the page that shows it. It rests in the session, sealed for whoever made
/// it, until that page is asked for: loading the page again neither makes another key nor shows this one.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    number: u64,
    sealed: Vec<u8>,
    old_ends: String,
}

/// Leads to the page that shows the key.
async fn leave_made(
    state: &WebState,
    visit: &Visit,
    number: u64,
    secret: &str,
    old_ends: String,
) -> Result<Response, WebError> {
    let sealed = state.sealer.seal(&visit.person().id.to_string(), secret.as_bytes())?;
    visit.session().insert(MADE, Made { number, sealed, old_ends }).await?;
    Ok(Redirect::to("/terminals/keys").into_response())
}

async fn show_made(state: &WebState, visit: Visit, made: Made) -> Result<Response, WebError> {
    let secret = state.sealer.open(&visit.person().id.to_string(), &made.sealed)?;
    let secret = String::from_utf8(secret).map_err(|error| WebError::Means(error.into()))?;
    let contract = visit.contract_code();
    let c = visit.chrome.at(Place::Terminals).reached_by("/terminals/keys");
    let snippets = Snippets::new(state, &contract, Some(&secret), &c);
    let snippets = snippets.naming(&listed(state).await.unwrap_or_default(), &c);
    render(&views::KeyMade { number: made.number, secret, old_ends: made.old_ends, snippets, c })
}

fn number(text: &str) -> Result<u64, WebError> {
    text.parse().map_err(|_| WebError::NotFound)
}

/// The key that can still be replaced or revoked.
async fn find(state: &WebState, contract: ContractId, text: &str) -> Result<EnrollmentKey, WebError> {
    let number = number(text)?;
    let keys = state.store.list_enrollment_keys(contract).await?;
    let found = keys.into_iter().find(|key| key.number == number && key.revoked_at.is_none());
    found.ok_or(WebError::NotFound)
}

/// `GET /terminals/keys/{number}/rotate`
///
/// # Errors
/// [`WebError`] when the person may not change enrolment keys, there is no such key, or the store fails.
pub async fn rotate_form(
    State(state): State<WebState>,
    visit: Visit,
    Path(text): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EnrolmentKeysChange)?.contract()?;
    let key = find(&state, contract, &text).await?;
    let uses = key.uses_max.map(|most| most.to_string()).unwrap_or_default();
    let once = once::fresh(&state, &visit)?;
    let draft = Draft { label: key.label, uses, once, ..Draft::fresh(&visit.chrome) };
    rotation(visit, key.number, draft)
}

fn rotation(visit: Visit, number: u64, draft: Draft) -> Result<Response, WebError> {
    let c = visit.chrome.at(Place::Terminals).reached_by(&format!("/terminals/keys/{number}/rotate"));
    let words = |days: i64| match u64::try_from(days) {
        Ok(0) | Err(_) => c.t("key-overlap-none"),
        Ok(days) => c.n("key-overlap-days", days),
    };
    let choice = |(word, days): &(&str, i64)| Choice::new(word, words(*days), *word == draft.overlap);
    let overlaps = OVERLAPS.iter().map(choice).collect();
    render(&views::RotateKey { number, overlaps, draft, c })
}

/// `POST /terminals/keys/{number}/rotate`: makes the next key and lets the old one end.
///
/// # Errors
/// [`WebError`] when the person may not change enrolment keys, there is no such key, or the store fails.
pub async fn rotate(
    State(state): State<WebState>,
    mut visit: Visit,
    Path(text): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EnrolmentKeysChange)?.contract()?;
    let old = find(&state, contract, &text).await?;
    let mut draft = Draft { once: once::again(&state, &visit, &fields)?, ..Draft::typed(&fields) };
    let overlap = OVERLAPS.iter().find(|(word, _)| *word == draft.overlap).map(|(_, days)| *days);
    let days = overlap.ok_or(WebError::BadForm)?;
    let Some(wanted) = draft.check(&visit.chrome) else {
        visit.chrome.banner = Some(unsaved(&visit.chrome));
        return Ok(refused(rotation(visit, old.number, draft)?));
    };
    let (secret, now) = (once::secret(&state, &visit, &fields)?, visit.chrome.now);
    let ends = UtcMillis(now.0.saturating_add(days * DAY_MS));
    let ends = old.expires_at.filter(|before| before.0 < ends.0).unwrap_or(ends);
    let (new, act) = (wanted.with(&secret), visit.act());
    match state.store.rotate_enrollment_key(contract, old.number, new, ends, act).await {
        Ok(number) => leave_made(&state, &visit, number, &secret, end_clock(ends)).await,
        Err(error) => {
            visit.chrome.banner = Some(too_many(error, &visit.chrome)?);
            Ok(refused(rotation(visit, old.number, draft)?))
        }
    }
}

/// `GET /terminals/keys/{number}/revoke`: the question.
///
/// # Errors
/// [`WebError`] when the person may not change enrolment keys, there is no such key, or the store fails.
pub async fn confirm_revoke(
    State(state): State<WebState>,
    visit: Visit,
    Path(text): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EnrolmentKeysChange)?.contract()?;
    let key = find(&state, contract, &text).await?;
    let c = visit.chrome.at(Place::Terminals);
    let label = format!("#{} {}", key.number, key.label);
    render(&views::Confirm {
        reason: None,
        title: c.v("revoke-title", "key", label.trim()),
        text: c.t("revoke-text"),
        conditions: String::new(),
        names: Vec::new(),
        more: String::new(),
        action: format!("/terminals/keys/{}/revoke", key.number),
        hidden: Vec::new(),
        button: c.t("revoke-do"),
        danger: true,
        back: "/terminals/keys".to_owned(),
        c,
    })
}

/// `POST /terminals/keys/{number}/revoke`
///
/// # Errors
/// [`WebError`] when the person may not change enrolment keys, there is no such key, or the store fails.
pub async fn revoke(
    State(state): State<WebState>,
    visit: Visit,
    Path(text): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EnrolmentKeysChange)?.contract()?;
    let key = find(&state, contract, &text).await?;
    state.store.revoke_enrollment_key(contract, key.number, visit.act()).await?;
    let c = &visit.chrome;
    visit.leave(Banner::new(Tone::Ok, c.n("key-revoked", key.number), c.t("key-revoked-text"))).await?;
    Ok(Redirect::to("/terminals/keys").into_response())
}
