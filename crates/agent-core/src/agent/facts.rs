//! What the operating system says about sessions.

use mngntime_model::event::cause;
use mngntime_model::{Bounds, EventKind, Evidence, Moment};

use super::presence::began_unattended;
use super::time::by_the_clock_of;
use super::{Agent, Draft};
use crate::command::Command;
use crate::input::{OsFact, OsSession, SessionChange};
use crate::message::{Message, MessageId};
use crate::settings::{LATE_NOTICE_MS, LIST_UNDER_WAY_MS};
use crate::stays::{Stay, Stays};

impl Agent {
    pub(super) fn os_fact(&mut self, fact: OsFact, now: &Moment) {
        match fact {
            // Asked for again after the logs.
            OsFact::Sessions(_) if self.awaits_log() => {}
            OsFact::Sessions(list) => self.reconcile(&list, now),
            OsFact::SessionsUnavailable { detail } => self.list_unavailable(&detail, now),
            OsFact::SessionNotice { session_id, change, session } => {
                self.session_notice(&session_id, change, session.as_deref(), now);
                self.ask_for_list();
            }
            OsFact::SuspendAnnounced => self.suspend(now),
            OsFact::FastStartup { enabled } => self.power.fast_startup = Some(enabled),
            OsFact::PoweredOn { how, at } => self.powered_on(how, at, now),
            OsFact::Display { on } => self.display(on, now),
            OsFact::Resumed { user_present } => self.resumed(user_present, now),
            OsFact::ShutdownAnnounced => self.shutdown_announced(now),
            OsFact::ShutdownCancelled => self.shutdown_announced_at = None,
            OsFact::LogRead(reading) => self.log_read(Some(*reading), now),
            OsFact::LogUnavailable => self.log_read(None, now),
            OsFact::ClockSet { from, to } => self.clock_set_told(to.0.saturating_sub(from.0), now),
        }
    }

    pub(super) fn session_notice(
        &mut self,
        id: &str,
        change: SessionChange,
        session: Option<&OsSession>,
        now: &Moment,
    ) {
        let known = self.stay_meant(id, change, session);
        let at = |kind| Draft::at(kind, Evidence::Notice, now.wall);
        match (change, known, session) {
            (SessionChange::Began, _, Some(session)) => self.began(session, Evidence::Notice, now),
            // The list that is asked for now tells whether it is this one's end.
            (SessionChange::Ended, Some(stay), _) if self.may_be_of_another(&stay, now) => {
                self.unconfirmed_ends.push((stay, now.wall, now.biased_ms));
            }
            (SessionChange::Ended, Some(stay), _) => {
                self.recent_ends.push((stay.clone(), now.biased_ms));
                self.record(at(EventKind::Logoff).of(&stay), now);
            }
            (SessionChange::Locked, Some(stay), _) if !stay.locked => {
                self.record_lock(at(EventKind::Lock), &stay, session, now);
            }
            (SessionChange::Unlocked, Some(stay), _) if stay.locked => {
                self.record_unlock(at(EventKind::Unlock), &stay, now);
                self.upload.network_changed(now.biased_ms);
            }
            (SessionChange::Connected, Some(stay), _) => {
                let stay = session.map_or(stay.clone(), |session| shown_on(stay, session));
                self.record(at(EventKind::Connect).of(&stay), now);
            }
            (SessionChange::Disconnected, Some(stay), _) => {
                self.record(at(EventKind::Disconnect).of(&stay), now);
            }
            // Nothing to record yet: the list that is now asked for shows what is behind it.
            (
                SessionChange::Began
                | SessionChange::Ended
                | SessionChange::Locked
                | SessionChange::Unlocked
                | SessionChange::Connected
                | SessionChange::Disconnected
                | SessionChange::Other,
                _,
                _,
            ) => {}
        }
    }

    /// Whether a notice of an end that names the stay's session id may be about an earlier stay with that id, told
    /// late or twice: where an end with that id was recorded lately, or the stay has only just begun.
    fn may_be_of_another(&mut self, stay: &Stay, now: &Moment) -> bool {
        let lately = |at_ms: u64| now.biased_ms.saturating_sub(at_ms) <= LATE_NOTICE_MS;
        self.recent_ends.retain(|(_, at_ms)| lately(*at_ms));
        let ended = |(ended, _): &(Stay, u64)| ended.session.session_id == stay.session.session_id;
        stay.told_at.is_some_and(|told| lately(told.biased_ms)) || self.recent_ends.iter().any(ended)
    }

    /// The open stay that a notice is about. Session ids are reused, so details that are somebody else's
    /// show that the notice is about a stay whose logon is still to come; the list will tell.
    fn stay_meant(&self, id: &str, change: SessionChange, session: Option<&OsSession>) -> Option<Stay> {
        if change == SessionChange::Ended {
            return self.stays.ending_with_session_id(&self.boot, id).cloned();
        }
        let newest = self.stays.with_session_id(&self.boot, id);
        newest.filter(|stay| session.is_none_or(|session| stay.is(session))).cloned()
    }

    /// A session that is there. Records its logon unless that stay is known.
    pub(super) fn began(&mut self, session: &OsSession, evidence: Evidence, now: &Moment) {
        let stay = Stay::of(session, &self.boot, session.logon_at.unwrap_or(now.wall));
        // A notice that comes after the end of the stay is late. What the agent ended because the PC goes down may
        // still be in the list.
        let is_over = (evidence == Evidence::Notice || self.stopping_until.is_some())
            && self.recent_ends.iter().any(|(ended, _)| ended.is(session));
        if self.stays.holds(&stay) || is_over || !session.account.is_well_formed() {
            return;
        }
        let draft = match (session.logon_at, evidence) {
            (Some(at), _) => Draft::at(EventKind::Logon, evidence, at),
            (None, Evidence::Notice | Evidence::Script) => Draft::at(EventKind::Logon, evidence, now.wall),
            (None, Evidence::FoundAtStart) => {
                Draft::within(EventKind::Logon, evidence, Bounds::between(self.last_list_at, now.wall))
            }
            (None, Evidence::Reconciled | Evidence::BackFilled | Evidence::Inferred) => {
                Draft::within(EventKind::Logon, evidence, Bounds::between(self.last_list_at, now.wall))
            }
        };
        let draft =
            if began_unattended(session, evidence) { draft.because(cause::UNATTENDED) } else { draft };
        self.record(draft.of(&stay), now);
        self.stays.note_locked(&stay, session.locked.unwrap_or(false));
    }

    /// Compares the table with the OS's list: whatever notice was lost, this finds it.
    pub(super) fn reconcile(&mut self, list: &[OsSession], now: &Moment) {
        let at_start = std::mem::take(&mut self.awaiting_first_list);
        let list = &self.completed_by_log(list);
        let evidence = if at_start { Evidence::FoundAtStart } else { Evidence::Reconciled };
        let listed: Vec<Stay> = list.iter().map(|s| Stay::of(s, &self.boot, now.wall)).collect();
        let mut there = Stays::default();
        listed.iter().cloned().for_each(|stay| there.restore(stay));
        let gone: Vec<Stay> = self
            .stays
            .iter()
            .filter(|stay| stay.session.boot == self.boot && !there.holds(stay))
            .cloned()
            .collect();
        for stay in gone {
            self.vanished(&stay, at_start, now);
        }
        self.forget_denied_ends(now);
        for session in list {
            self.began(session, evidence, now);
            self.compare_lock(session, now);
        }
        self.settle_back_fill(now);
        self.last_list_at = now.wall;
        self.list_failed = false;
        self.beat_due |= std::mem::take(&mut self.beat_wanted) || at_start;
        self.beat_if_due();
        if at_start && list.is_empty() {
            self.notice(Message::new(MessageId::NobodyLoggedOn, vec![]), now);
        }
    }

    /// A list that was on its way when the notice came still shows the stay: only one that comes later, or a later
    /// one of the same moments, denies the end.
    fn forget_denied_ends(&mut self, now: &Moment) {
        let Self { unconfirmed_ends, stays, .. } = self;
        unconfirmed_ends.retain(|(ended, _, noted_ms)| {
            stays.holds(ended) && now.biased_ms.saturating_sub(*noted_ms) <= LIST_UNDER_WAY_MS
        });
    }

    pub(super) fn vanished(&mut self, stay: &Stay, while_away: bool, now: &Moment) {
        // Notices come late, so one of a beginning proves nothing about the moment at which it came; what an
        // earlier run has been told lies behind it.
        let told = stay.told_at.filter(|_| while_away).map(|told| by_the_clock_of(now, &told));
        let bounds =
            Bounds::between(told.map_or(self.last_list_at, |at| at.max(self.last_list_at)), now.wall);
        let told = self.unconfirmed_ends.iter().find(|(ended, ..)| ended.session == stay.session);
        let draft = match told {
            _ if while_away => {
                Draft::within(EventKind::Logoff, Evidence::Inferred, bounds).because("while_agent_was_away")
            }
            Some((_, at, _)) => Draft::at(EventKind::Logoff, Evidence::Notice, *at),
            None => Draft::within(EventKind::Logoff, Evidence::Reconciled, bounds),
        };
        self.recent_ends.push((stay.clone(), now.biased_ms));
        self.record(draft.of(stay), now);
    }

    pub(super) fn compare_lock(&mut self, session: &OsSession, now: &Moment) {
        let known = self.stays.with_session_id(&self.boot, &session.session_id).cloned();
        let Some((stay, locked)) = known.zip(session.locked) else {
            return;
        };
        if stay.locked != locked {
            let bounds = Bounds::between(self.last_list_at, now.wall);
            let within = |kind| Draft::within(kind, Evidence::Reconciled, bounds);
            if locked {
                self.record_lock(within(EventKind::Lock), &stay, Some(session), now);
            } else {
                self.record_unlock(within(EventKind::Unlock), &stay, now);
            }
        }
    }

    pub(super) fn list_unavailable(&mut self, detail: &str, now: &Moment) {
        if !std::mem::replace(&mut self.list_failed, true) {
            self.notice(Message::new(MessageId::NoSessionList, vec![detail.to_owned()]), now);
        }
    }

    pub(super) fn ask_for_list(&mut self) {
        if !self.commands.contains(&Command::ListSessions) {
            self.commands.push_back(Command::ListSessions);
        }
    }

    pub(super) fn shutdown_announced(&mut self, now: &Moment) {
        self.shutdown_announced_at = Some(now.wall);
        let sequence = self.record(Draft::at(EventKind::Shutdown, Evidence::Notice, now.wall), now);
        self.release_shutdown_after = Some(sequence);
        // Whoever has gone unnoticed shortly before has not been ended by the shutdown.
        self.ask_for_list();
    }

    pub(super) fn script(&mut self, kind: EventKind, session: &OsSession, now: &Moment) {
        let stay = Stay::of(session, &self.boot, now.wall);
        self.record(Draft::at(kind, Evidence::Script, now.wall).of(&stay), now);
    }
}

/// The stay as it is shown now: at the PC, or on a client far away.
fn shown_on(stay: Stay, session: &OsSession) -> Stay {
    Stay { remote: session.remote.or(stay.remote), client: session.client.clone(), ..stay }
}
