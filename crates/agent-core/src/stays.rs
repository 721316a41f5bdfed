//! Who is logged on: the table of open stays.
//!
//! A stay is identified by boot, session id, logon identity and account key together, because session ids
//! are reused (windows.md 1.1). The account is kept from the logon on: at logoff the OS often cannot name
//! it any more. The table is a fold over the terminal's own events, so the journal rebuilds it exactly.

use std::collections::BTreeMap;

use mngntime_model::{AccountIdentity, BootId, Event, EventKind, SessionIdentity, UtcMillis};

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
        }
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
                        locked: false,
                    },
                );
            }
            EventKind::Logoff => {
                self.0.remove(&key);
            }
            EventKind::Lock | EventKind::Unlock => {
                if let Some(stay) = self.0.get_mut(&key) {
                    stay.locked = event.kind == EventKind::Lock;
                }
            }
            EventKind::Connect
            | EventKind::Disconnect
            | EventKind::Suspend
            | EventKind::Resume
            | EventKind::Boot
            | EventKind::Shutdown
            | EventKind::TimeChange
            | EventKind::ServiceStart
            | EventKind::ServiceStop
            | EventKind::Gap => {}
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

    /// The open stay with this session id in `boot`. Two at once happen only when a logoff was missed;
    /// the one that began last is meant.
    pub(crate) fn with_session_id(&self, boot: &BootId, session_id: &str) -> Option<&Stay> {
        self.0
            .values()
            .filter(|stay| stay.session.boot == *boot && stay.session.session_id == session_id)
            .max_by_key(|stay| stay.began_at)
    }

    /// Sets the lock state without an event: for a session that was found in that state.
    pub(crate) fn note_locked(&mut self, stay: &Stay, locked: bool) {
        if let Some(known) = self.0.get_mut(&stay.key()) {
            known.locked = locked;
        }
    }
}
