//! Sessions that begin without a person.
//!
//! After an update Windows signs the last user on again by itself and locks the session at once (ARSO,
//! windows.md 1.6). Such a logon is a fact and is recorded like any other, at once; but it is nobody's
//! coming to work (table A 31, 32). What tells it from a person:
//!
//! - the session is locked already when its logon is told, or
//! - it is locked within a minute of its logon, and the OS says that it has had no input at all. A person
//!   who logs on and leaves the PC at once has typed at least the keys that lock it.
//!
//! Where the OS says nothing about input, only the first counts. Somebody is there from the first unlock
//! on. A remote session is always somebody's.

use mngntime_model::event::cause;
use mngntime_model::{Evidence, Moment};

use super::{Agent, Draft};
use crate::input::OsSession;
use crate::settings::UNATTENDED_LOCK_MS;
use crate::stays::Stay;

impl Agent {
    pub(super) fn record_lock(
        &mut self,
        draft: Draft,
        stay: &Stay,
        session: Option<&OsSession>,
        now: &Moment,
    ) {
        let since_logon = now.wall.0.saturating_sub(stay.began_at.0);
        let by_itself = since_logon <= UNATTENDED_LOCK_MS
            && stay.remote != Some(true)
            && session.is_some_and(|session| session.input_seen == Some(false));
        let draft = if by_itself { draft.because(cause::UNATTENDED_LOGON) } else { draft };
        self.record(draft.of(stay), now);
    }

    pub(super) fn record_unlock(&mut self, draft: Draft, stay: &Stay, now: &Moment) {
        let draft = if stay.unattended { draft.because(cause::PRESENCE_BEGINS) } else { draft };
        self.record(draft.of(stay), now);
    }
}

/// Whether a session whose logon is told now began without a person. A session that is found later, locked,
/// may have been used before; there only the OS's word that it never had input counts.
pub(super) fn began_unattended(session: &OsSession, evidence: Evidence) -> bool {
    let no_input = match evidence {
        Evidence::Notice => session.input_seen != Some(true),
        Evidence::Reconciled
        | Evidence::FoundAtStart
        | Evidence::BackFilled
        | Evidence::Inferred
        | Evidence::Script => session.input_seen == Some(false),
    };
    session.locked == Some(true) && session.remote != Some(true) && no_input
}
