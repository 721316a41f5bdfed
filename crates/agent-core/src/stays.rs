//! Who is logged on: the table of open stays.
//!
//! A stay is identified by boot, session id, logon identity and account key together, because session ids
//! are reused (windows.md 1.1). The account is kept from the logon on: at logoff the OS often cannot name
//! it any more. The table is a fold over the terminal's own events, so the journal rebuilds it exactly.

use std::collections::BTreeMap;

use mngntime_model::event::cause;
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};

use crate::input::OsSession;

/// What makes a stay unique: session (with its boot) and account key.
type StayKey = (SessionIdentity, String);

/// One stay of one account on this PC that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The session, with the OS run it belongs to.
    pub session: SessionIdentity,
    /// Whose it is, as known at logon.
    pub account: AccountIdentity,
    /// When it began, as recorded.
    pub began_at: UtcMillis,
    /// Whether it is a remote session, where known.
    pub remote: Option<bool>,
    /// The remote side, where known.
    pub client: Option<String>,
    /// Whether it is locked, as far as known.
    pub locked: bool,
    /// Whether nobody has been there since its logon (`presence.rs` has the rule).
    pub unattended: bool,
    /// The clocks when the OS told of its logon, in its own boot; `None` where only a log did.
    pub told_at: Option<Moment>,
}

impl Stay {
    fn key(&self) -> StayKey {
        (self.session.clone(), self.account.key.clone())
    }

    /// The stay that `session` would be in `boot`.
    pub(crate) fn of(session: &OsSession, boot: &BootId, began_at: UtcMillis) -> Self {
        Self {
            session: SessionIdentity {
                boot: boot.clone(),
                session_id: session.session_id.clone(),
                logon_identity: session.logon_identity.clone(),
            },
            account: session.account.clone(),
            began_at,
            remote: session.remote,
            client: session.client.clone(),
            locked: session.locked.unwrap_or(false),
            unattended: false,
            told_at: None,
        }
    }

    /// Whether `session` is this very stay.
    pub(crate) fn is(&self, session: &OsSession) -> bool {
        self.session.session_id == session.session_id
            && self.session.logon_identity == session.logon_identity
            && self.account.key == session.account.key
    }
}

/// The table of open stays, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stays(BTreeMap<StayKey, Stay>);

impl Stays {
    /// Takes one event into account. Events of other kinds change nothing.
    pub fn apply(&mut self, event: &Event) {
        let Some((session, account)) = event.session.as_ref().zip(event.account.as_ref()) else {
            return;
        };
        let key = (session.clone(), account.key.clone());
        let said = |word| event.cause.as_deref() == Some(word);
        match event.kind {
            EventKind::Logon => {
                self.0.insert(
                    key,
                    Stay {
                        session: session.clone(),
                        account: account.clone(),
                        began_at: event.occurred_at,
                        remote: event.remote,
                        client: event.client.clone(),
                        locked: said(cause::UNATTENDED),
                        unattended: said(cause::UNATTENDED),
                        told_at: told_at(event, session),
                    },
                );
            }
            EventKind::Logoff => {
                self.0.remove(&key);
            }
            EventKind::Lock => self.change(&key, |stay| {
                stay.locked = true;
                stay.unattended |= said(cause::UNATTENDED_LOGON);
            }),
            EventKind::Unlock => self.change(&key, |stay| (stay.locked, stay.unattended) = (false, false)),
            // A session taken over from elsewhere goes on under the same logon (table A 19, 20).
            EventKind::Connect => self.change(&key, |stay| {
                stay.remote = event.remote.or(stay.remote);
                stay.client.clone_from(&event.client);
            }),
            EventKind::Disconnect
            | EventKind::Suspend
            | EventKind::Resume
            | EventKind::Boot
            | EventKind::Shutdown
            | EventKind::TimeChange
            | EventKind::ServiceStart
            | EventKind::ServiceStop
            | EventKind::Gap
            | EventKind::DisplayOff
            | EventKind::DisplayOn => {}
        }
    }

    fn change(&mut self, key: &StayKey, change: impl FnOnce(&mut Stay)) {
        if let Some(stay) = self.0.get_mut(key) {
            change(stay);
        }
    }

    /// Puts a stay back that a journal checkpoint remembers.
    pub fn restore(&mut self, stay: Stay) {
        self.0.insert(stay.key(), stay);
    }

    /// Whether this very stay is open.
    pub(crate) fn holds(&self, stay: &Stay) -> bool {
        self.0.contains_key(&stay.key())
    }

    /// All open stays, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Stay> {
        self.0.values()
    }

    /// Whether nobody is logged on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The open stay with this session id in `boot`. Two at once happen when the logoff before a reuse of
    /// the id was missed or comes late; the one that began last is meant.
    pub(crate) fn with_session_id(&self, boot: &BootId, session_id: &str) -> Option<&Stay> {
        self.with_id(boot, session_id).max_by_key(|stay| stay.began_at)
    }

    /// The open stay that a logoff of this session id in `boot` is about: of two, the one that began first,
    /// for the other could only begin because it was over.
    pub(crate) fn ending_with_session_id(&self, boot: &BootId, session_id: &str) -> Option<&Stay> {
        self.with_id(boot, session_id).min_by_key(|stay| stay.began_at)
    }

    fn with_id(&self, boot: &BootId, session_id: &str) -> impl Iterator<Item = &Stay> {
        self.0
            .values()
            .filter(move |stay| stay.session.boot == *boot && stay.session.session_id == session_id)
    }

    /// Sets the lock state without an event: for a session that was found in that state.
    pub(crate) fn note_locked(&mut self, stay: &Stay, locked: bool) {
        self.change(&stay.key(), |known| known.locked = locked);
    }
}

/// When the OS itself showed or named the session of a logon: the moment of the list that held it, or the beginning
/// that a notice told of, which may have come late.
fn told_at(event: &Event, session: &SessionIdentity) -> Option<Moment> {
    let since = event.recorded_at.wall.0.saturating_sub(event.occurred_at.0);
    let biased_ms = event.recorded_at.biased_ms.saturating_sub(u64::try_from(since).unwrap_or(0));
    let moment = match event.evidence {
        Evidence::Reconciled | Evidence::FoundAtStart => event.recorded_at,
        Evidence::Notice | Evidence::Script => {
            Moment { wall: event.occurred_at, biased_ms, ..event.recorded_at }
        }
        Evidence::BackFilled | Evidence::Inferred => return None,
    };
    (event.boot == session.boot).then_some(moment)
}
