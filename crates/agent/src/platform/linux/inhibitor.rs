//! The delay that logind grants before a sleep or shutdown.
//!
//! Watching `PrepareFor…` without a delay lock is a race that systemd's own documentation warns of
//! (INHIBITOR_LOCKS): the machine may be off before the record is on disk. The lock is an open file
//! descriptor; closing it lets go.

use std::sync::{Arc, Mutex, PoisonError};

use zbus::OwnedFd;

use crate::platform::SettleFor;

/// The two delay locks, shared between the thread that takes them and the loop that lets them go.
#[derive(Debug, Clone, Default)]
pub(super) struct Inhibitors {
    sleep: Arc<Mutex<Option<OwnedFd>>>,
    shutdown: Arc<Mutex<Option<OwnedFd>>>,
}

impl Inhibitors {
    /// Keeps a newly taken lock; an older one of the same kind is let go.
    pub(super) fn hold(&self, kind: SettleFor, lock: OwnedFd) {
        *self.slot(kind).lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
    }

    /// Lets go of a lock, if it is held.
    pub(super) fn release(&self, kind: SettleFor) {
        *self.slot(kind).lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn slot(&self, kind: SettleFor) -> &Mutex<Option<OwnedFd>> {
        match kind {
            SettleFor::Sleep => &self.sleep,
            SettleFor::Shutdown => &self.shutdown,
        }
    }
}
