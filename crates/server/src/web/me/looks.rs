//! 自分の記録を見た人: who has looked at the person's record, downloaded it or answered what they said, from the audit log, which
//! they may not see as a whole.
//!
//! Logins are named as they are there: whoever looks at somebody's record does it in their own name. What is done to many at
//! once (a list that was opened, the punches or days of everybody as a file, a program that reads) is not noted by person,
//! and the page says so. A hold on somebody's record is the contract's matter and is none of what is shown.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use mngntime_store::{AuditKey, AuditPage, AuditRow, Beside};

use super::super::WebState;
use super::super::audit::words;
use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::pages::{ROWS, Turns, bad_place, beside};
use super::super::session::Visit;
use super::super::times;
use super::super::views;
use crate::access::Action;

/// The newest looks stand on 自分の記録 itself.
pub(super) const NEWEST: usize = 5;

/// A look, ready to be written.
#[derive(Debug, Clone)]
pub struct Look {
    /// When, for machines.
    pub machine: String,
    /// When, for people.
    pub at: String,
    /// Who.
    pub who: String,
    /// Whether that is the person themselves.
    pub own: bool,
    /// What they did.
    pub action: String,
    /// Words and values.
    pub details: Vec<(String, String)>,
}

/// `GET /me/looks`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let fields = Fields::of_query(&uri)?;
    let at = beside(&fields, AuditKey::parse);
    if at.is_err() {
        visit.chrome.banner = Some(bad_place(&visit.chrome));
    }
    let at = at.unwrap_or_default();
    let found = read(&state, &visit, at, ROWS).await?;
    let rows = looks(&found.rows, &visit);
    let c = visit.chrome.at(Place::Me);
    let view = views::Looks {
        turns: Turns::of("/me/looks", &fields, &found, at.as_ref())?,
        shown: c.n("shown", rows.len()),
        rows,
        c,
    };
    Ok(view.render_page()?.into_response())
}

/// The newest ones.
pub(super) async fn newest(state: &WebState, visit: &Visit) -> Result<Vec<Look>, WebError> {
    Ok(looks(&read(state, visit, None, NEWEST).await?.rows, visit))
}

async fn read(
    state: &WebState,
    visit: &Visit,
    at: Option<Beside<AuditKey>>,
    limit: usize,
) -> Result<AuditPage, WebError> {
    let (contract, employee) = visit.permit(Action::OwnRecordRead)?.own()?;
    Ok(state.store.looks_at(contract, employee, at, limit).await?)
}

fn looks(rows: &[AuditRow], visit: &Visit) -> Vec<Look> {
    let own = visit.act().by;
    rows.iter().map(|row| look(row, &own, &visit.chrome)).collect()
}

fn look(row: &AuditRow, own: &str, c: &Chrome) -> Look {
    let entry = &row.entry;
    Look {
        machine: times::machine(entry.at),
        at: times::full(entry.at),
        who: words::person(&entry.by, c),
        own: entry.by == own,
        action: words::action(&entry.action, c),
        details: words::details(&entry.detail, c),
    }
}
