//! 隔離: what came and could not be taken as a terminal's word, and saying that it has been looked at.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::UtcMillis;
use mngntime_store::{QuarantineReason, QuarantineRow};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::contracts::operator;
use super::errors::WebError;
use super::fields::Fields;
use super::pages::{ROWS, Turns, bad_place, beside};
use super::session::Visit;
use super::times;
use super::views;
use crate::access::Action;

/// Something in quarantine, ready to be written.
#[derive(Debug, Clone)]
pub struct Held {
    /// When it came.
    pub at: String,
    /// Why it is there.
    pub reason: String,
    /// 契約主コード that it claims.
    pub contract: String,
    /// Terminal that it claims.
    pub terminal: String,
    /// Its length.
    pub bytes: u64,
}

/// `GET /contracts/quarantine`
///
/// # Errors
/// [`WebError`] when the person may not see the quarantine or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    operator(visit.permit(Action::QuarantineRead)?)?;
    let may_empty = visit.may(Action::QuarantineEmpty);
    let fields = Fields::of_query(&uri)?;
    let mut c = visit.chrome.at(Place::Contracts);
    let at = beside(&fields, |text| text.parse().ok());
    if at.is_err() {
        c.banner = Some(bad_place(&c));
    }
    let at = at.unwrap_or_default();
    // Before the rows: what comes in between is not taken for looked at.
    let report = state.store.quarantine_report(0).await?;
    let page = state.store.list_quarantine(at, ROWS).await?;
    let (turns, found) = (Turns::of("/contracts/quarantine", &fields, &page, at.as_ref())?, page.rows);
    let view = views::Quarantine {
        turns,
        rows: found.iter().map(|found| held(found, &c)).collect(),
        kept: report.kept,
        full_percent: report.full_percent,
        counted_only: report.counted_only,
        last: report.last.filter(|_| may_empty).map(|last| last.0),
        shown: c.n("shown", found.len()),
        c,
    };
    Ok(view.render_page()?.into_response())
}

fn held(found: &QuarantineRow, c: &Chrome) -> Held {
    let reason = match found.reason {
        QuarantineReason::UnknownContract => "quarantine-contract",
        QuarantineReason::UnknownTerminal => "quarantine-terminal",
        QuarantineReason::WrongSignature => "quarantine-signature",
        QuarantineReason::UnreadableEvent => "quarantine-unreadable",
        QuarantineReason::OtherBytes => "quarantine-bytes",
        QuarantineReason::RefusedEnrollment => "quarantine-enrollment",
    };
    Held {
        at: times::full(found.received_at),
        reason: c.t(reason),
        contract: found.contract.clone(),
        terminal: found.terminal.clone(),
        bytes: found.bytes,
    }
}

/// `POST /contracts/quarantine`: deletes what had come when the page was written.
///
/// # Errors
/// [`WebError`] when the person may not, for what no form of ours sends, or when the store fails.
pub async fn empty(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    operator(visit.permit(Action::QuarantineEmpty)?)?;
    let last = fields.text("last").parse().map(UtcMillis).map_err(|_| WebError::BadForm)?;
    let gone = state.store.empty_quarantine(last, visit.act()).await?;
    visit.leave(Banner::new(Tone::Ok, visit.chrome.n("quarantine-emptied", gone), String::new())).await?;
    Ok(Redirect::to("/contracts/quarantine").into_response())
}
