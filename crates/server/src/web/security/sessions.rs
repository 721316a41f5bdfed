//! One's own sessions: where one is signed in, and ending that.
//!
//! A session's id opens it, so it never stands on a page: a session is named by a digest of what the store has for its id.

use axum::extract::State;
use axum::response::Response;
use mngntime_store::WebSession;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::device;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::idle;
use super::super::session::{About, Visit};
use super::super::times;
use super::done;
use crate::access::Action;

/// A session, ready to be written.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Names it in a form.
    pub handle: String,
    /// Browser and system.
    pub device: String,
    /// From where.
    pub address: String,
    /// Since when.
    pub since: String,
    /// When it ends by itself.
    pub ends: String,
    /// When it was last used.
    pub seen: String,
    /// Whether with a second factor.
    pub second: bool,
    /// Whether it is this one.
    pub this: bool,
}

/// What of a session's content is read here.
#[derive(Deserialize)]
struct Content {
    person: Option<String>,
    about: Option<About>,
}

/// Sessions that are signed in, last used first. The store keeps some longer than they open anything.
pub(super) async fn rows(state: &WebState, visit: &Visit) -> Result<Vec<SessionRow>, WebError> {
    let this = visit.session_id();
    let found = state.store.sessions_of(visit.person().id, visit.chrome.now).await?;
    let rows = found.iter().filter_map(|session| {
        let content: Content = serde_json::from_slice(&session.data).ok()?;
        content.person?;
        let about = content.about.unwrap_or_default();
        let (used, now) = (about.last_use(session.seen_at), visit.chrome.now);
        let live = !about.is_over(now) && !idle::is_over(visit.idle_minutes(), used, now);
        live.then(|| row(&visit.chrome, session, &about, this.as_deref() == Some(session.id.as_str())))
    });
    Ok(rows.collect())
}

fn row(c: &Chrome, session: &WebSession, about: &About, this: bool) -> SessionRow {
    SessionRow {
        handle: handle(&session.id),
        device: device::name(&about.agent).unwrap_or_else(|| c.t("device-unknown")),
        address: about.address.clone().unwrap_or_default(),
        since: times::full(about.since()),
        ends: times::full(about.ends().unwrap_or(session.expires_at)),
        seen: session.seen_at.map(times::full).unwrap_or_default(),
        second: about.second,
        this,
    }
}

/// Half of a digest of a session's id.
fn handle(id: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(id.as_bytes())[..16])
}

/// `POST /me/security/sessions/end`
///
/// # Errors
/// [`WebError`] when the store fails.
pub async fn end(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    let id = visit.person().id;
    let found = state.store.sessions_of(id, visit.chrome.now).await?;
    let wanted = fields.text("session");
    let named = found.into_iter().find(|session| handle(&session.id) == wanted);
    // One that is gone has ended: that is what was wanted.
    if let Some(session) = named {
        state.store.end_session(id, session.id, visit.act()).await?;
    }
    done(&visit, "session-ended").await
}

/// `POST /me/security/sessions/end-others`
///
/// # Errors
/// [`WebError`] when the store fails.
pub async fn end_others(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    state.store.end_sessions(visit.person().id, visit.session_id(), visit.act()).await?;
    done(&visit, "sessions-ended").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_does_not_tell_the_id() {
        assert_eq!(handle("id").len(), 32);
        assert_ne!(handle("id"), handle("ie"));
    }
}
