//! 記録される内容: the agent's own list of what it records (`status --schema`), in the words of the employee, and what this
//! server keeps of them besides: the page promises that there is nothing else, so what is newly kept is told here, too.
//!
//! Kinds of events and ways of knowing are those of the model, each with its words: an agent that records something new
//! is told here, too.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use mngntime_model::{EventKind, Evidence};

use super::super::WebState;
use super::super::chrome::{Chrome, Place};
use super::super::days::words::event_key;
use super::super::errors::WebError;
use super::super::punches::row::how_key;
use super::super::session::Visit;
use super::super::views;
use crate::access::Action;

/// What each event says, in the order of the agent's list.
const PARTS: [(&str, &str); 9] = [
    ("recorded-kind", "recorded-kind-text"),
    ("recorded-when", "recorded-when-text"),
    ("recorded-account", "recorded-account-text"),
    ("recorded-session", "recorded-session-text"),
    ("recorded-remote", "recorded-remote-text"),
    ("recorded-cause", "recorded-cause-text"),
    ("recorded-evidence", "recorded-evidence-text"),
    ("recorded-chain", "recorded-chain-text"),
    ("recorded-pc", "recorded-pc-text"),
];

/// What the server keeps of somebody who is an employee or signs in.
const HERE: [(&str, &str); 9] = [
    ("here-person", "here-person-text"),
    ("here-sign-in", "here-sign-in-text"),
    ("here-failures", "here-failures-text"),
    ("sessions-title", "here-sessions-text"),
    ("here-means", "here-means-text"),
    ("here-remarks", "here-remarks-text"),
    ("here-acts", "here-acts-text"),
    ("here-looks", "here-looks-text"),
    ("here-kept", "here-kept-text"),
];

/// What is never recorded.
const NEVER: [&str; 6] =
    ["never-keys", "never-windows", "never-programs", "never-addresses", "never-screen", "never-place"];

fn words(parts: &[(&str, &str)], c: &Chrome) -> Vec<(String, String)> {
    parts.iter().map(|(name, text)| (c.t(name), c.t(text))).collect()
}

fn joined(mut keys: Vec<&str>, c: &Chrome) -> String {
    keys.dedup();
    keys.iter().map(|key| c.t(key)).collect::<Vec<_>>().join(&c.t("list-comma"))
}

/// `GET /me/recorded`
///
/// # Errors
/// [`WebError`] when the person is no employee.
pub async fn page(State(_): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnRecordRead)?.own()?;
    let years = u64::from(visit.settings().retention_years);
    let c = visit.chrome.at(Place::Me);
    let view = views::Recorded {
        parts: words(&PARTS, &c),
        here: words(&HERE, &c),
        kinds: joined(EventKind::ALL.iter().map(|kind| event_key(*kind)).collect(), &c),
        evidence: joined(Evidence::ALL.iter().map(|evidence| how_key(*evidence, false)).collect(), &c),
        never: NEVER.iter().map(|key| c.t(key)).collect(),
        retention: c.n("settings-retention-years", years),
        c,
    };
    Ok(view.render_page()?.into_response())
}
