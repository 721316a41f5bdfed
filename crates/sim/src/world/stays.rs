//! Who really was at which PC, and when.

use mngntime_agent_core::Input;
use mngntime_agent_core::input::{OsFact, OsSession};
use mngntime_model::{Event, EventKind};

use super::World;

/// What makes a real stay unique: boot, session id, logon identity, account.
pub(crate) type StayKey = (String, String, String, String);

/// One stay of one person at one PC.
#[derive(Debug, Clone)]
pub(crate) struct RealStay {
    pub(crate) pc: usize,
    pub(crate) key: StayKey,
    /// True time.
    pub(crate) began: i64,
    pub(crate) ended: Option<i64>,
    /// A run of the service has been told of it and has not been cut off before it promised the logon.
    pub(crate) sighted: bool,
    pub(crate) logon_promised: bool,
    /// Why nothing is asked of it.
    pub(crate) excused: Option<&'static str>,
}

/// The stay that an event is about.
pub(crate) fn key_of(event: &Event) -> Option<StayKey> {
    let (session, account) = event.session.as_ref().zip(event.account.as_ref())?;
    let boot = session.boot.as_str().to_owned();
    Some((boot, session.session_id.clone(), session.logon_identity.clone(), account.key.clone()))
}

impl World<'_> {
    pub(super) fn stay_began(&mut self, index: usize, session: &OsSession) -> usize {
        let boot = self.pcs[index].boot.as_str().to_owned();
        let OsSession { session_id, logon_identity, account, .. } = session;
        self.stays.push(RealStay {
            pc: index,
            key: (boot, session_id.clone(), logon_identity.clone(), account.key.clone()),
            began: self.now,
            ended: None,
            sighted: false,
            logon_promised: false,
            excused: None,
        });
        self.stays.len() - 1
    }

    /// The service hears of a session: from then on it has no excuse.
    pub(super) fn note_sighting(&mut self, index: usize, input: &Input) {
        let seen: Vec<&OsSession> = if let Input::Os(OsFact::Sessions(list)) = input {
            list.iter().collect()
        } else if let Input::Os(OsFact::SessionNotice { session: Some(session), .. }) = input {
            vec![session]
        } else {
            return;
        };
        let pc = &self.pcs[index];
        if pc.service.as_ref().is_none_or(|service| service.finished) {
            return;
        }
        let boot = pc.boot.as_str();
        for OsSession { session_id, logon_identity, account, .. } in seen {
            let key = (boot.to_owned(), session_id.clone(), logon_identity.clone(), account.key.clone());
            self.stays.iter_mut().filter(|stay| stay.key == key).for_each(|stay| stay.sighted = true);
        }
    }

    /// A run that ends before it could promise what it was told has not been told.
    pub(super) fn forget_sightings(&mut self, index: usize) {
        let unpromised = |stay: &&mut RealStay| stay.pc == index && !stay.logon_promised;
        self.stays.iter_mut().filter(unpromised).for_each(|stay| stay.sighted = false);
    }

    pub(super) fn note_promised_stay(&mut self, event: &Event) {
        if event.kind != EventKind::Logon {
            return;
        }
        if let Some(key) = key_of(event) {
            self.stays.iter_mut().filter(|stay| stay.key == key).for_each(|stay| stay.logon_promised = true);
        }
    }

    pub(super) fn excuse_stays(&mut self, why: &'static str, which: impl Fn(&RealStay) -> bool) {
        let excused = self.stays.iter_mut().filter(|stay| stay.excused.is_none() && which(stay));
        excused.for_each(|stay| stay.excused = Some(why));
    }
}
